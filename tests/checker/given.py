"""Explanations of the cases in the repository, as a reader of `why --json` gets them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from support import EXAMPLE, ROOT
from tallybook import desk
from tallybook.casefile.books import read_books
from tallybook.checker.books import Books
from tallybook.verdicts.inquiry import Case, Inquiry

CASES = ROOT / "tests" / "cases"
FOLDERS = {"example": EXAMPLE} | {path.parent.name: path for path in sorted(CASES.glob("*/case"))}
FOLDERS |= {path.parent.name: path.parent for path in sorted(CASES.glob("*/agreement.yaml"))}


@cache
def opened(name: str) -> Case:
    return desk.open_case(FOLDERS[name])


@cache
def books(name: str) -> Books:
    return read_books(FOLDERS[name])


def ask(name: str, on: str, known: str | None = None, reading: str | None = None) -> Inquiry:
    return desk.ask(opened(name), on, known, reading)


def told(inquiry: Inquiry, name: str) -> dict[str, Any]:
    answer = desk.why(inquiry, name)
    out = {"name": name, "words": answer.head, "because": [tree.as_json() for tree in answer.trees]}
    found: dict[str, Any] = json.loads(json.dumps(out))
    return found


def names(inquiry: Inquiry) -> list[str]:
    """Every line, claim and provision that can be asked about."""
    agreement = inquiry.agreement
    provisions = [f"@{p.id}" for p in inquiry.in_force.provisions.values() if inquiry.enacted(p)]
    return list(dict.fromkeys([*(line.id for line in agreement.board), *(claim.id for claim in agreement.claims), *provisions]))


def tree_of(folder: Path, on: str, name: str) -> dict[str, Any]:
    return told(desk.ask(desk.open_case(folder), on), name)
