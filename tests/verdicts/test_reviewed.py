"""Second readers on the board and in `why`: marks, dissents, what a dissent would make of the word, and the two clocks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support import ROOT, answer
from tallybook import desk
from tallybook.board.briefing import briefing
from tallybook.board.markdown import markdown
from tallybook.board.text import text
from tallybook.core.explanation import Because
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.review import Reviews
from tallybook.verdicts import finding, pile
from tallybook.verdicts.inquiry import Case

FOLDER = ROOT / "tests" / "cases" / "second-readers" / "case"
DAYS = ["2031-09-11", "2031-09-21", "2031-09-24", "2031-09-30"]


@cache
def case() -> Case:
    return desk.open_case(FOLDER)


def line(name: str, on: str, known: str | None = None, of: Case | None = None) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in answer(of or case(), on, known)["lines"] if entry["id"] == name)
    return found


def leaves(name: str, on: str, known: str | None = None) -> list[Because]:
    return [leaf for tree in desk.why(desk.ask(case(), on, known), name).trees for leaf in tree.leaves()]


def without(**parts: Any) -> Case:
    return replace(case(), evidence=replace(case().evidence, **parts))


def test_what_nobody_else_has_read_is_marked_until_somebody_has() -> None:
    assert line("east_rounds_destroyed", "2031-09-21")["unreviewed"] == [{"report": "OBS-08", "of": ["grade", "bearing"]}]
    assert line("all_rounds_destroyed", "2031-09-21")["unreviewed"] == [{"report": "OBS-08", "of": ["grade"]}]
    assert "unreviewed" not in line("east_rounds_destroyed", "2031-09-24")
    assert "unreviewed" in line("east_rounds_destroyed", "2031-09-24", "2031-09-21")


def test_a_dissent_is_listed_with_the_word_it_would_make() -> None:
    (told,) = line("north_rounds_destroyed", "2031-09-21")["dissent"]
    assert told == {
        "report": "OBS-06",
        "id": "REV-4",
        "by": "T. Brandt",
        "of": "bearing",
        "instead": "neither",
        "known": "2031-09-21",
        "reason": "The report does not say that bunker 3 was opened",
        "word": "supported",
    }
    assert "dissent" not in line("north_rounds_destroyed", "2031-09-20")
    assert "dissent" not in line("north_rounds_destroyed", "2031-09-30")


def test_the_word_under_a_dissent_is_that_of_a_case_which_says_so(tmp_path: Path) -> None:
    """The grade is written into the table by hand: the board then has the word that the dissent promised."""
    (told,) = line("all_rounds_destroyed", "2031-09-24")["dissent"]
    assert (told["report"], told["instead"], told["word"]) == ("OBS-07", "B2", "unclear")
    folder = Path(shutil.copytree(FOLDER, tmp_path / "case"))
    table = folder / "reports" / "observations.csv"
    rows = table.read_text("utf-8").splitlines(keepends=True)
    changed = [row.replace(",A1,", ",B2,") if row.startswith("OBS-07,") else row for row in rows]
    assert changed != rows
    table.write_text("".join(changed), "utf-8")
    assert line("all_rounds_destroyed", "2031-09-24", of=desk.open_case(folder))["verdict"] == "unclear"
    assert line("all_rounds_destroyed", "2031-09-24")["verdict"] == "contradicted"


def test_the_word_under_a_dissent_from_a_rule_is_that_of_a_bearing(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "case"))
    table = folder / "reports" / "bearings.csv"
    row = "OBS-06,north_rounds_destroyed,neither,,,,,,,T. Brandt,,2031-09-21,so\n"
    table.write_text(table.read_text("utf-8") + row, "utf-8")
    (folder / "reports" / "reviews.csv").write_text(
        "id,report,claim,by,known_at,what,grade,bears,reason\nREV-2,OBS-08,east_rounds_destroyed,T. Brandt,2031-09-22,agrees,,,\n"
    )
    assert line("north_rounds_destroyed", "2031-09-21", of=desk.open_case(folder))["verdict"] == "supported"


def test_neither_marks_nor_dissents_move_anything_else() -> None:
    bare = without(reviews=Reviews(()))
    for on in DAYS:
        for entry, other in zip(answer(case(), on)["lines"], answer(bare, on)["lines"], strict=True):
            drop = ("unreviewed", "dissent")
            assert {k: v for k, v in entry.items() if k not in drop} == {k: v for k, v in other.items() if k not in drop}


def test_a_file_without_the_optional_tables_answers_as_if_there_were_none() -> None:
    old = case().evidence
    reports = {name: replace(r, exhibits=(), graded_by=None, grade_reviewed_by="") for name, r in old.reports.items()}
    bare = replace(case(), evidence=EvidenceFile(reports, old.sources, old.bearings, old.places, old.items))
    found = answer(bare, "2031-09-24")
    assert not {"reports/exhibits.csv", "reports/reviews.csv"} & set(found["receipt"]["sources"])
    for name in ("all_rounds_destroyed", "machines_destroyed"):
        for tree in desk.why(desk.ask(bare, "2031-09-24"), name).trees:
            assert not any(leaf.exhibit for leaf in tree.leaves())
            assert "'review'" not in str(tree.as_json())


def test_why_ends_in_the_exhibits_known() -> None:
    shown = {leaf.exhibit for leaf in leaves("north_rounds_destroyed", "2031-09-21") if leaf.exhibit}
    assert shown == {"EXH-2", "EXH-3", "EXH-5"}
    assert {leaf.exhibit for leaf in leaves("north_rounds_destroyed", "2031-09-14") if leaf.exhibit} == {"EXH-2", "EXH-3"}
    assert not [leaf for leaf in leaves("north_rounds_destroyed", "2031-07-19") if leaf.exhibit]
    assert [leaf.report for leaf in leaves("north_rounds_destroyed", "2031-07-19") if leaf.report == "OBS-03"]


def test_a_gap_in_custody_is_told() -> None:
    (sheet,) = [leaf for leaf in leaves("north_rounds_destroyed", "2031-09-21") if leaf.exhibit == "EXH-2"]
    assert sheet.facts["gaps"] == [["2031-07-12", "2031-07-20"]]
    assert sheet.says.endswith("nobody recorded who held it from 2031-07-12 to 2031-07-20.")


def test_an_end_of_keeping_still_to_come_is_not_seen() -> None:
    def seal(on: str) -> Because:
        return next(leaf for leaf in leaves("north_rounds_destroyed", on) if leaf.exhibit == "EXH-5")

    assert seal("2031-09-24").facts["custody"][0]["to"] == ""
    assert seal("2031-09-25").facts["custody"][0]["to"] == "2031-09-25"
    assert seal("2031-09-25").facts["gaps"] == [["2031-09-25", ""]]


def test_the_step_says_who_dissents_and_the_sentence_has_the_reason() -> None:
    (tree,) = desk.why(desk.ask(case(), "2031-09-24"), "machines_destroyed").trees
    step = next(leaf for leaf in tree.leaves() if leaf.report == "OBS-09")
    assert step.facts["review"]["dissent"][0]["instead"] == "C4"
    assert "T. Brandt dissents (C4): Nobody but Northland was there" in step.says


@pytest.mark.parametrize("part", ["exhibits", "reviews"])
def test_nothing_known_later_moves_an_answer(part: str) -> None:
    """Every row of the optional tables that came later is taken away: the answers and the receipt stay as they were."""
    for on in ("2031-07-15", *DAYS):
        inquiry = desk.ask(case(), on)
        known, old = inquiry.question.known, case().evidence
        if part == "reviews":
            less = without(reviews=Reviews(row for row in old.reviews.rows if row.known.last <= known))
        else:
            kept = {
                name: replace(entry, custody=tuple(row for row in entry.custody if row.known.last <= known))
                for name, entry in old.exhibits.items()
                if entry.known.last <= known
            }
            less = without(exhibits=kept)
        assert answer(case(), on) == answer(less, on)
        for entry in case().agreement.board:
            ours, theirs = desk.why(inquiry, entry.id), desk.why(desk.ask(less, on), entry.id)
            assert [tree.as_json() for tree in ours.trees] == [tree.as_json() for tree in theirs.trees]


def test_the_receipt_has_what_could_be_seen_of_exhibits_and_reviews() -> None:
    def hashes(of: Case, on: str) -> dict[str, str]:
        found: dict[str, str] = answer(of, on)["receipt"]["sources"]
        return found

    assert "reports/exhibits.csv" not in hashes(case(), "2031-06-01")
    assert "reports/exhibits.csv" in hashes(case(), "2031-06-02")
    old = case().evidence.exhibits
    other = without(exhibits={**old, "EXH-2": replace(old["EXH-2"], licence="none")})
    assert hashes(other, "2031-07-20")["reports/exhibits.csv"] != hashes(case(), "2031-07-20")["reports/exhibits.csv"]
    assert "reports/reviews.csv" not in hashes(case(), "2031-09-11")
    assert "reports/reviews.csv" in hashes(case(), "2031-09-12")


def test_exhibits_are_ours_and_no_party_is_taken_to_know_of_them() -> None:
    inquiry = desk.ask(case(), "2031-09-24", side="Northland")
    assert not [leaf for t in desk.why(inquiry, "machines_destroyed").trees for leaf in t.leaves() if leaf.exhibit]


def test_the_board_marks_a_line_with_a_word_in_every_form() -> None:
    for on, marks in {
        "2031-09-21": ["Unreviewed: OBS-08 (grade and bearing)", "Dissent on OBS-06: T. Brandt dissents (neither): "],
        "2031-09-24": ["So taken, the word would be unclear"],
        "2031-09-30": ["So taken, the word would be the same"],
    }.items():
        board = desk.board(desk.ask(case(), on))
        for mark in marks:
            assert mark in text(board)
            assert mark in briefing(board)
            assert mark in markdown(board)


def test_many_marks_and_dissents_are_shown_in_part() -> None:
    from tallybook.board.text import MOST_SHOWN, review_words

    board = desk.board(desk.ask(case(), "2031-09-21"))
    found = board.line("north_rounds_destroyed")
    assert found is not None
    assert found.finding is not None
    many = replace(found.finding, dissent=found.finding.dissent * 9, unreviewed={f"R-{n}": ("grade",) for n in range(9)})
    told = review_words(many)
    assert told[0].endswith("and 5 more")
    assert told[-1] == f"Dissent: {9 - MOST_SHOWN} more"


def test_beyond_a_limit_a_dissent_is_shown_and_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_REPORTS", 3)
    (told,) = line("north_rounds_destroyed", "2031-09-21")["dissent"]
    assert told["word"] is None
    board = desk.board(desk.ask(case(), "2031-09-21"))
    assert "was opened\n" in text(board)


@pytest.mark.parametrize("on", DAYS)
def test_with_very_many_reports_the_marks_are_the_same(on: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = answer(case(), on)["lines"]
    monkeypatch.setattr(pile, "MANY", 0)
    assert answer(desk.open_case(FOLDER), on)["lines"] == expected
