"""Invented cases against what a competent analyst concludes: every `*/case` beside its `expected.csv`, end to end."""

from __future__ import annotations

import csv
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support import answer, drop_reports, hold_against
from tallybook import desk
from tallybook.verdicts.inquiry import Case

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/case"))
ROWS = [
    (folder.name, row) for folder in FOLDERS for row in csv.DictReader((folder / "expected.csv").read_text("utf-8").splitlines())
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
    hold_against(found, row)


STATES = [
    ("2027-02-01", "declare", "owed"),
    ("2027-06-30", "declare", "performed"),
    ("2027-06-30", "destroy-tarn", "owed"),
    ("2027-11-30", "destroy-tarn", "performed"),
    ("2028-08-15", "destroy-tarn", "performed"),
    ("2027-11-30", "destroy-all", "owed"),
    ("2028-01-10", "destroy-all", "overdue"),
    ("2028-01-20", "destroy-all", "owed"),
    ("2028-08-15", "destroy-all", "overdue"),
    ("2027-06-30", "pay-first-part", "not yet owed"),
    ("2027-09-20", "pay-first-part", "owed"),
    ("2027-11-30", "pay-first-part", "withheld"),
    ("2028-01-10", "pay-first-part", "withheld"),
    ("2028-08-15", "pay-first-part", "performed"),
    ("2028-08-15", "pay-rest", "not yet owed"),
]


@pytest.mark.parametrize(("on", "duty", "state"), STATES)
def test_the_life_of_duties(on: str, duty: str, state: str) -> None:
    assert entry("duties", duty, on)["state"] == state


def test_a_payment_is_withheld_by_the_clause_that_permits_it_and_waits_for_what_it_is_in_return_for() -> None:
    assert entry("owed", "pay-first-part", "2027-11-30")["withheld_by"] == "@access-refused"
    assert entry("owed", "pay-rest", "2028-08-15")["waits_for"] == ["@destroy-all"]


def test_the_protocol_moves_the_deadline_and_adds_a_method_from_its_day_on() -> None:
    def terms(on: str, known: str | None = None) -> tuple[Any, Any]:
        provisions: Any = desk.ask(opened(CHEMICAL), on, known).in_force.provisions
        return provisions["destroy-all"].by, provisions["proof-of-destruction"].methods["all"]

    older = ["count-of-destroyed", "inspection-of-emptied-site"]
    assert terms("2028-01-19") == ("2027-12-31", older)
    assert terms("2028-01-20") == ("2028-06-30", [*older, "audit-of-records"])
    assert terms("2028-08-15", "2028-01-19") == ("2027-12-31", older)


def test_until_the_audit_a_site_that_was_verified_is_short_of_the_new_proof() -> None:
    assert entry("lines", "brede_shells", "2028-01-10")["verdict"] == "verified"
    short = entry("lines", "brede_shells", "2028-07-25", "2028-07-25")
    assert short["verdict"] == "supported"
    assert short["standard"]["methods_missing"] == ["audit-of-records"]
    assert entry("lines", "brede_shells", "2028-07-26")["verdict"] == "verified"
    assert entry("lines", "tarn_shells", "2028-07-25")["verdict"] == "verified"


def test_the_correction_counts_from_when_it_was_known() -> None:
    def declared(known: str) -> Any:
        return entry("lines", "shells_destroyed", "2027-09-19", known)["quantity"]["declared"]

    assert declared("2027-09-19") == 300
    assert declared("2027-09-20") == 340


def test_the_sheet_that_came_late() -> None:
    def removed(known: str) -> Any:
        return entry("lines", "brede_shells", "2027-12-10", known)["quantity"]["removed"][1]

    assert removed("2027-12-14") == 70
    assert removed("2027-12-15") == 100


def test_an_estimate_above_the_declaration_leaves_more_than_the_declaration_does() -> None:
    low, middle, high = entry("lines", "shells_destroyed", "2027-06-30")["quantity"]["remaining"]
    assert low == middle == 250
    assert high > 300
    settled = entry("lines", "shells_destroyed", "2028-08-15")["quantity"]
    assert settled["remaining"] == [0, 0, 0]
    assert (settled["correctness"], settled["completeness"]) == ("verified", "verified")


def test_a_restatement_is_counted_once() -> None:
    drawn = desk.board(desk.ask(opened(CHEMICAL), "2027-11-30")).line("shells_destroyed")
    assert drawn is not None
    assert drawn.finding is not None
    told = [{w.report.id for w in cluster.members} for cluster in drawn.finding.for_.clusters]
    assert {"OBS-021", "OBS-022"} in told


def test_two_readings_of_one_class() -> None:
    plain = entry("lines", "casings_destroyed", "2028-08-15")
    assert plain["readings"] == {"covered": "contradicted", "veldan": "not covered"}
    assert entry("lines", "casings_destroyed", "2028-08-15", None, "union")["verdict"] == "contradicted"
    theirs = entry("lines", "casings_destroyed", "2028-08-15", None, "veldan")
    assert (theirs["verdict"], theirs["state"]) == (None, "not covered")
    states = {r: entry("duties", "destroy-all", "2028-08-15", None, r)["state"] for r in ("plain", "union", "veldan")}
    assert states == {"plain": "overdue", "union": "overdue", "veldan": "performed"}
    assert entry("owed", "pay-rest", "2028-08-15", None, "veldan")["state"] == "owed"
    assert entry("lines", "casings_destroyed", "2027-05-19")["verdict"] == "no evidence"


@pytest.mark.parametrize("row", ["OBS-028", "OBS-035"])
def test_an_inspection_of_some_sites_does_not_verify_the_whole(row: str, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(Path(__file__).parent / "chemical-destruction" / "case", folder)
    drop_reports(folder, lambda r: r.get("id") == row)
    found = next(e for e in answer(desk.open_case(folder), "2028-08-15")["lines"] if e["id"] == "shells_destroyed")
    assert found["verdict"] == "supported"
    assert found["quantity"]["completeness"] != "verified"
    assert found["standard"]["methods_in_part"] == ["inspection-of-emptied-site"]
