"""Every explanation of every case in the repository is accepted, and one whose evidence was taken away is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checker.given import FOLDERS, ask, books, names, opened, told, tree_of
from support import drop_reports, rewrite_table
from tallybook.casefile.books import read_books
from tallybook.checker.books import BooksError
from tallybook.checker.check import check, checked

DATES = {
    "example": ["1962-10-27", "1962-11-03T20:44-05:00", "1962-11-12", "1962-12-31"],
    "chemical-destruction": ["2027-02-01", "2027-09-20", "2028-01-10", "2028-08-15"],
    "staged-withdrawal": ["2031-03-10", "2031-04-20"],
    "second-readers": ["2031-09-11", "2031-09-21", "2031-09-24", "2031-09-30"],
}
READINGS = [("example", "1962-11-20", "ussr"), ("example", "1962-11-20", "us")]
READINGS += [("chemical-destruction", "2028-08-15", "veldan"), ("chemical-destruction", "2028-08-15", "union")]


def complaints(case: str, on: str, known: str | None = None, reading: str | None = None, provisions: bool = True) -> list[str]:
    inquiry = ask(case, on, known, reading)
    asked = [name for name in names(inquiry) if provisions or not name.startswith("@")]
    return [f"{name}: {c}" for name in asked for c in check(told(inquiry, name), books(case))]


@pytest.mark.parametrize(("case", "on"), [(case, on) for case, dates in DATES.items() for on in dates])
def test_every_line_of_every_case_is_accepted(case: str, on: str) -> None:
    assert complaints(case, on, provisions=False) == []


@pytest.mark.parametrize(("case", "on", "reading"), READINGS)
def test_under_every_reading(case: str, on: str, reading: str) -> None:
    assert complaints(case, on, None, reading, provisions=False) == []


@pytest.mark.slow
@pytest.mark.parametrize(("case", "on"), [(case, on) for case, dates in DATES.items() for on in dates])
def test_every_provision_is_accepted(case: str, on: str) -> None:
    assert complaints(case, on) == []


@pytest.mark.parametrize(("case", "on"), [("example", "1962-11-12"), ("staged-withdrawal", "2031-04-20")])
def test_every_provision_is_accepted_on_one_day(case: str, on: str) -> None:
    assert complaints(case, on) == []


def test_as_known_at_another_time() -> None:
    assert complaints("example", "1962-11-03", "1962-11-05", provisions=False) == []
    assert complaints("chemical-destruction", "2027-12-10", "2027-12-15", provisions=False) == []


@pytest.mark.parametrize("case", sorted(set(FOLDERS) - set(DATES)))
def test_cases_that_are_all_agreement(case: str) -> None:
    agreement = opened(case).agreement
    turns = sorted({fact.from_ for fact in agreement.facts} | {change.made for change in agreement.changes})
    asked = {str(agreement.default_as_of), *turns[:: max(1, len(turns) // 5)]}
    assert [told for on in sorted(asked) for told in complaints(case, on)] == []


def test_steps_and_leaves_are_counted() -> None:
    found = checked(told(ask("example", "1962-11-12"), "submarine_facility"), books("example"))
    assert found.is_accepted
    assert 5 < found.leaves < found.steps


@pytest.mark.parametrize(("on", "line"), [("1962-11-12", "missiles_removed"), ("1962-11-03", "sam_sites")])
def test_evidence_taken_from_the_folder_is_missed(on: str, line: str, tmp_path: Path) -> None:
    tree = told(ask("example", on), line)
    cited = next(leaf["report"] for leaf in _leaves(tree["because"][0]) if "report" in leaf)
    folder = tmp_path / "case"
    shutil.copytree(FOLDERS["example"], folder)
    gone = drop_reports(folder, lambda row: row.get("id") == cited)
    assert cited in gone
    told_of = [str(c) for c in check(tree, read_books(folder))]
    assert any(cited in text and "on file" in text for text in told_of)


def test_a_bearing_taken_away_or_changed_is_missed(tmp_path: Path) -> None:
    tree = told(ask("example", "1962-11-12"), "missiles_removed")
    folder = tmp_path / "case"
    shutil.copytree(FOLDERS["example"], folder)
    path = folder / "reports" / "bearings.csv"
    whole = path.read_text("utf-8")
    rewrite_table(path, lambda row: (row["report"], row["claim"]) != ("OBS-154", "missiles_removed"))
    assert check(tree, read_books(folder))
    path.write_text(whole.replace("42 counted going out against 42 declared", "41 counted going out"), "utf-8")
    assert check(tree, read_books(folder))


def test_more_evidence_than_the_explanation_tells_of_is_a_complaint(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(FOLDERS["example"], folder)
    drop_reports(folder, lambda row: row.get("id") == "OBS-157")
    short = tree_of(folder, "1962-11-12", "missiles_removed")
    assert check(short, read_books(folder)) == []
    assert check(short, books("example"))


def test_words_changed_in_a_source_are_missed(tmp_path: Path) -> None:
    tree = told(ask("example", "1962-11-12"), "missiles_removed")
    folder = tmp_path / "case"
    shutil.copytree(FOLDERS["example"], folder)
    source = folder / "sources" / "1189.txt"
    source.write_text(source.read_text("utf-8").replace("dismantle, crate", "crate, dismantle"), "utf-8")
    assert any("word for word" in c.found for c in check(tree, read_books(folder)))


@pytest.mark.parametrize(("name", "text"), [("agreement.yaml", "a: [1"), ("places.csv", 'id,name\n"a'), ("items.yaml", "- x")])
def test_books_that_do_not_read_say_which_file(name: str, text: str, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(FOLDERS["example"], folder)
    (folder / name).write_text(text, "utf-8")
    with pytest.raises(BooksError, match=r".+") as raised:
        read_books(folder)
    assert raised.value.where == name
    assert raised.value.do


def _leaves(step: dict[str, object]) -> list[dict[str, str]]:
    below = step.get("because")
    if not isinstance(below, list):
        return [step]  # type: ignore[list-item]
    return [leaf for child in below for leaf in _leaves(child)]
