"""The pages say what the program does: commands run, links lead somewhere, every word, rule, key, column and field is there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from support import EXAMPLE, ROOT
from tallybook import desk
from tallybook.agreement.agreement import Agreement
from tallybook.agreement.language import condition
from tallybook.agreement.yamltext import read_yaml
from tallybook.checker.rules import RULES
from tallybook.cli.main import cli, main
from tallybook.core.explanation import Because
from tallybook.evidence.ingest import exhibit_rows, rows
from tallybook.verdicts.inquiry import Case
from tallybook.verdicts.ladder import TABLE, Strength, Word

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
MARKDOWN = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Keys of these are names from the case, not fields.
MAPS = {"text", "readings", "sources", "facts"}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, kind: str) -> list[str]:
    return [body for language, body in BLOCK.findall(page.read_text("utf-8")) if language == kind]


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it, with the exit code that it states and the lines that it says are printed."""

    arguments: list[str]
    code: int
    printed: list[str]


def commands(page: Path) -> list[Shown]:
    """Every `$ tallybook …` line of the console blocks of a page, in order, and every `$ cp FROM TO`."""
    found: list[Shown] = []
    for body in blocks(page, "console"):
        for line in body.splitlines():
            if line.startswith("$ cp "):
                found.append(Shown(shlex.split(line[2:]), 0, []))
            elif line.startswith("$ tallybook"):
                stated = re.search(r"# exit (\d+)\s*$", line)
                found.append(Shown(shlex.split(line[2:], comments=True)[1:], int(stated[1]) if stated else 0, []))
            elif line.strip() and not line.startswith(("$", "make")):
                found[-1].printed.append(line)
    return found


def defined(page: Path) -> set[str]:
    """What stands as code in the first cell of a table row."""
    cells = re.findall(r"^\| ([^|]*) \|", page.read_text("utf-8"), re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=name_of)
def test_commands_on_a_page_run_in_their_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("TALLYBOOK_DATABASE", "TALLYBOOK_TOKEN", "TALLYBOOK_USERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for shown in commands(page):
        told = f"tallybook {' '.join(shown.arguments)}"
        if shown.arguments[0] == "cp":
            _, source, target = shown.arguments
            shutil.copy(source, target)
            continue
        assert not {"|", ">", "<", "&&", ";"} & set(shown.arguments), f"one plain command a line: {told}"
        code = main(shown.arguments)
        printed = capfd.readouterr()
        assert code == shown.code, f"{told}\n{printed.err}"
        assert [line for line in shown.printed if line not in printed.out] == [], told


def test_the_report_of_the_first_case_can_be_filed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    row = re.search(r"^    (OBS-10,.*)$", (DOCS / "how-to" / "first-case.md").read_text("utf-8"), re.MULTILINE)
    assert row is not None
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my-case", "--template", "destruction"]) == 0
    with (tmp_path / "my-case" / "reports" / "observations.csv").open("a", encoding="utf-8") as table:
        table.write(f"{row[1]}\n")
    assert main(["check", "my-case"]) == 0
    assert main(["board", "my-case", "--on", "2031-09-22"]) == 0
    assert "28 of 40 declared rounds shown to be out" in capfd.readouterr().out


def test_every_command_is_shown_on_some_page() -> None:
    shown = {command.arguments[0] for page in PAGES for command in commands(page)}
    assert {"new", "check", "board", "why", "owed", "changes", "agreement", "formula"} <= shown


def test_every_command_is_documented() -> None:
    headings = re.findall(r"^## tallybook (\S+)$", (REFERENCE / "commands.md").read_text("utf-8"), re.MULTILINE)
    assert headings == cli.list_commands(click.Context(cli))


def test_the_page_of_commands_has_not_drifted() -> None:
    told = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "docs.py"), "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("page", MARKDOWN, ids=name_of)
def test_relative_links_lead_to_files(page: Path) -> None:
    prose = BLOCK.sub("", page.read_text("utf-8"))
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"[a-z]+:|#", t)]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_rules_of_explanations_are_listed_and_no_others() -> None:
    assert {"ladder", "side-for", "side-against", "measure"} <= set(RULES)
    assert defined(REFERENCE / "explanation.md") == set(RULES)


def steps(tree: Because) -> Iterator[Because]:
    yield tree
    for child in tree.children:
        yield from steps(child)


@pytest.mark.parametrize("day", ["1962-11-03", "1962-11-12", "1962-12-31"])
def test_rules_that_occur_are_listed(case: Case, day: str) -> None:
    inquiry = desk.ask(case, day)
    duties = [f"@{item.verdict.duty.id}" for item in desk.board(inquiry).duties]
    trees = [tree for name in [*(line.id for line in case.agreement.board), *duties] for tree in desk.why(inquiry, name).trees]
    occurring = {step.rule for tree in trees for step in steps(tree)}
    assert "report" in occurring
    assert occurring <= defined(REFERENCE / "explanation.md")


@pytest.mark.parametrize("page", ["reference/explanation.md", "reference/verdicts.md", "glossary.md"])
def test_every_verdict_word_is_there(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    assert [word.value for word in Word if word.value not in text] == []


def test_the_table_of_words_is_the_one_in_use() -> None:
    lines = (REFERENCE / "verdicts.md").read_text("utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("| for \\"))
    table = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[start : start + 6]]
    against = [Strength(name) for name in table[0][1:]]
    printed: dict[tuple[Strength, Strength], Word] = {}
    for name, *words in table[2:]:
        printed |= {(Strength(name), other): Word(word) for other, word in zip(against, words, strict=True)}
    assert printed == TABLE


def test_the_glossary_is_sorted_and_says_each_word_once() -> None:
    words = re.findall(r"^\*\*(.+?)\*\* — ", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(words) > 50
    assert words == sorted(set(words))


@pytest.mark.parametrize(
    "columns",
    [
        *(columns for columns, _ in rows.TABLES.values()),
        *(rows.SOURCES, rows.BEARINGS, rows.PLACES, rows.MORE_COLUMNS["observations"]),
        *((*exhibit_rows.EXHIBITS, *exhibit_rows.MORE_OF_EXHIBITS), exhibit_rows.CUSTODY, exhibit_rows.REVIEWS),
    ],
    ids=[*rows.TABLES, "sources", "bearings", "places", "more", "exhibits", "custody", "reviews"],
)
def test_every_column_is_documented(columns: tuple[str, ...]) -> None:
    assert [column for column in columns if column not in defined(REFERENCE / "case.md")] == []


def test_every_key_of_the_agreement_is_documented() -> None:
    schema = Agreement.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    keys = {key for part in parts for key in part.get("properties", {})}
    text = (REFERENCE / "agreement.md").read_text("utf-8")
    prose = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    headings = set(re.findall(r"^## (\S+)$", text, re.MULTILINE))
    assert keys - prose - headings == set()


def test_the_examples_of_the_agreement_are_one_agreement() -> None:
    whole: dict[str, Any] = {}
    for body in blocks(REFERENCE / "agreement.md", "yaml"):
        document = read_yaml(body.encode(), "agreement.md")
        assert document.faults == []
        for key, value in document.data.items():
            if isinstance(value, list):
                whole[key] = [*whole.get(key, []), *value]
            else:
                whole[key] = value
    agreement = Agreement.model_validate(whole)
    assert {p.kind for p in agreement.provisions} == {"definition", "duty", "liberty", "power", "proof", "exception"}


def test_conditions_shown_parse() -> None:
    lines = [line for body in blocks(REFERENCE / "conditions.md", "condition") for line in body.splitlines()]
    assert len(lines) > 5
    assert [line for line in lines if not condition(line).text] == []


def fields(node: Any) -> set[str]:
    """Every key of JSON that is a field of its own."""
    if isinstance(node, list):
        return {key for item in node for key in fields(item)}
    if not isinstance(node, dict):
        return set()
    return set(node) | {key for name, value in node.items() if name not in MAPS for key in fields(value)}


@pytest.mark.parametrize(
    "arguments",
    [
        ["board", str(EXAMPLE), "--on", "1962-11-12", "--json"],
        ["why", str(EXAMPLE), "missiles_removed", "--on", "1962-11-12", "--json"],
        ["owed", str(EXAMPLE), "--all", "--json"],
        ["changes", str(EXAMPLE), "--since", "1962-11-03", "--known", "1962-11-12", "--json"],
    ],
    ids=lambda a: a[0],
)
def test_every_field_of_json_is_documented(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    found = fields(json.loads(capfd.readouterr().out))
    prose = set(re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"`([^`\n]+)`", (REFERENCE / "json.md").read_text("utf-8")))))
    assert found
    assert found - prose == set()


def test_every_field_of_a_fault_is_documented(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nothing"), "--json"]) == 1
    assert fields(json.loads(capfd.readouterr().out)) <= defined(REFERENCE / "json.md")


def test_the_page_on_cases_names_every_file_that_is_read() -> None:
    text = (REFERENCE / "case.md").read_text("utf-8")
    tables = [f"{name}.csv" for name in (*rows.TABLES, "sources", "bearings", "exhibits", "custody", "reviews")]
    assert [name for name in ("agreement.yaml", "items.yaml", "places.csv", *tables) if name not in text] == []
