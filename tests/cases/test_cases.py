"""Invented cases against what a competent analyst concludes: every `*/case` beside its `expected.csv`, end to end."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support import answer
from tallybook import desk
from tallybook.verdicts.inquiry import Case

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/case"))
ROWS = [
    (folder.name, row)
    for folder in FOLDERS
    for row in csv.DictReader((folder / "expected.csv").read_text("utf-8").splitlines())
]
COLUMNS = [
    "date",
    "line",
    "accept",
    "removed_median",
    "correctness",
    "completeness_must_not_be",
    "state",
    "cite_any_of",
    "conclusion",
]
CHEMICAL = "chemical-destruction"


@cache
def opened(name: str) -> Case:
    return desk.open_case(Path(__file__).parent / name / "case")


@cache
def board(name: str, on: str, known: str | None = None, reading: str | None = None) -> dict[str, Any]:
    return answer(opened(name), on, known, reading)


def entry(group: str, ident: str, *question: Any) -> Any:
    return next(item for item in board(CHEMICAL, *question)[group] if item["id"] == ident)


def test_there_are_cases_and_rows() -> None:
    assert FOLDERS
    assert {name for name, _ in ROWS} == {folder.name for folder in FOLDERS}
    assert all(list(row) == COLUMNS for _, row in ROWS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_check_finds_nothing(folder: Path) -> None:
    read = desk.check_case(folder / "case")
    assert read.faults == []
    assert read.notes == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_line_is_asked_about_on_every_date(folder: Path) -> None:
    rows = [row for name, row in ROWS if name == folder.name]
    lines = {line.id for line in opened(folder.name).agreement.board}
    dates = {row["date"] for row in rows}
    assert len(dates) >= 4
    assert {(row["date"], row["line"]) for row in rows} == {(date, line) for date in dates for line in lines}


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{name}-{row['date']}-{row['line']}" for name, row in ROWS])
def test_expected(name: str, row: dict[str, str]) -> None:
    found = next(line for line in board(name, row["date"])["lines"] if line["id"] == row["line"])
    assert row["accept"] or row["state"]
    if row["accept"]:
        assert found["verdict"] in row["accept"].split("|")
    if row["state"]:
        assert found["state"] == row["state"]
    if row["removed_median"]:
        low, high = map(int, row["removed_median"].split(".."))
        assert low <= found["quantity"]["removed"][1] <= high
    if row["correctness"]:
        assert found["quantity"]["correctness"] == row["correctness"]
    if row["completeness_must_not_be"]:
        assert found["quantity"]["completeness"] != row["completeness_must_not_be"]
    if row["cite_any_of"]:
        assert (set(found["supporting"]) | set(found["against"])) & set(row["cite_any_of"].split())
