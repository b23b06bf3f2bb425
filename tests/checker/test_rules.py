"""The published list of rules is the checker's, and the checker shares nothing with what it checks."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import tallybook.checker
from support import ROOT
from tallybook.checker.rules import RULES

FOLDER = Path(tallybook.checker.__path__[0])
ALLOWED = {"tallybook.core.time", "tallybook.errors"}


def documented() -> dict[str, set[str]]:
    text = (ROOT / "docs" / "reference" / "explanation.md").read_text("utf-8")
    rows = [line.split("|") for line in text.splitlines() if re.match(r"\| `[a-z-]+` \|", line)]
    return {row[1].strip(" `"): set(re.findall(r"`([a-z_0-9]+)`", row[3])) for row in rows if len(row) == 6}


def test_the_published_rules_are_those_of_the_checker() -> None:
    assert {name: set(facts) for name, facts in RULES.items()} == documented()


def test_the_checker_imports_nothing_of_what_it_checks() -> None:
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            imported = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in imported:
                own = name.startswith("tallybook.checker") or name in ALLOWED
                assert own or name.split(".")[0] in sys.stdlib_module_names, (path.name, name)
