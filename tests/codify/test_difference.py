"""Redlines between two codes of guidance, and what made them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codify.build import amending, case_of, change, code_of, part, section
from tallybook.board.code_text import code_text
from tallybook.codify.blocks import Inserted, Struck
from tallybook.codify.difference import ArticleChange, Difference, difference, difference_blocks, redline
from tallybook.verdicts.inquiry import Case

OWED = {"by": "North", "to": "South"}
DUTY: dict[str, Any] = {"id": "go", "kind": "duty", "in": "act", "owed": OWED, "achieve": "gone(arms)"}


def between(case: Case, first: tuple[str, str | None], second: tuple[str, str | None]) -> Difference:
    return difference(code_of(case, *first), code_of(case, *second))


def only(found: Difference, name: str) -> ArticleChange:
    (entry,) = (a for a in found.articles if a.id == name)
    return entry


def shown(runs: tuple[str, ...]) -> str:
    marks = {Struck: "~~{}~~", Inserted: "++{}++"}
    return "".join(marks.get(type(run), "{}").format(run) for run in runs)


def test_words_are_struck_and_inserted() -> None:
    raw = change(1, "replace", "@s1.parts.1", part("(1)", "Berries may be picked with a spoon."))
    case = case_of([section("1", parts=[part("(1)", "Berries may be picked with a fork.")])], [raw])
    found = between(case, ("2023-01-01", None), ("2024-01-01", None))
    assert shown(only(found, "s1").words) == "(1) “Berries may be picked with a ~~fork.”~~++spoon.”++"
    assert only(found, "s1").why == (("memo#1", "subsection (1) substituted by the Memorandum (became known)"),)


def test_fields_go_from_old_to_new_by_a_change_that_took_effect_or_became_known() -> None:
    raw = change(1, "add", "@go.by", "2031-01-01", effective="2024-01-01", known="2023-06-01")
    case = case_of([DUTY], [raw])
    took = only(between(case, ("2023-07-01", None), ("2024-02-01", None)), "go")
    assert [(f.key, f.old, f.new) for f in took.fields] == [("by", None, "2031-01-01")]
    assert took.why[0][1].endswith("in effect from 2024-01-01 (took effect)")
    known = only(between(case, ("2024-02-01", "2023-05-01"), ("2024-02-01", "2023-06-01")), "go")
    assert known.why[0][1].endswith("(became known)")
    assert took.status is not None
    assert took.status[1].endswith("; due 2031-01-01")
    back = only(between(case, ("2024-02-01", None), ("2023-07-01", None)), "go")
    assert [(f.key, f.old, f.new) for f in back.fields] == [("by", "2031-01-01", None)]
    assert back.why[0][1].endswith("applied no longer, not in effect at the second date")


def test_added_removed_and_renumbered() -> None:
    raw = [
        change(1, "add", "@s2", {**section("2", "two"), "id": "s2"}, after="s1", clause="section 4"),
        change(2, "repeal", "@s3", clause="section 5"),
        change(3, "renumber", "@s1", "first", clause="section 6"),
    ]
    case = case_of([section("1", "one"), section("3", "three")], raw)
    found = between(case, ("2023-01-01", None), ("2024-01-01", None))
    assert [(a.id, a.what) for a in found.articles] == [("first", "changed"), ("s2", "added"), ("s3", "removed")]
    assert shown(only(found, "s2").words) == "++“two”++"
    assert shown(only(found, "s3").words) == "~~“three”~~"
    assert only(found, "s3").status == (
        "in force since 2020-01-01T23:59:59+01:00",
        "repealed by memo#2",
    )
    assert only(found, "first").why[0][0] == "memo#3"
    back = between(case, ("2024-01-01", None), ("2023-01-01", None))
    assert {a.id: a.what for a in back.articles} == {"s1": "changed", "s3": "added", "s2": "removed"}


def test_what_was_undone_or_is_in_conflict_says_by_what() -> None:
    first = change(1, "replace", "@go.achieve", "left(arms)")
    undo = change(2, "repeal", "@memo#1", made="2024-01-01")
    found = between(case_of([DUTY], [first, undo]), ("2023-06-01", None), ("2024-06-01", None))
    assert only(found, "go").why[0][1].endswith("applied no longer, undone by memo#2")
    assert found.around[0][0] == "memo#2"
    rival = change(2, "replace", "@go.achieve", "sunk(arms)", known="2024-01-01")
    found = between(case_of([DUTY], [first, rival]), ("2023-06-01", None), ("2024-06-01", None))
    assert only(found, "go").why[0][1].endswith("applied no longer, in conflict with memo#2")
    assert found.around[0][1].startswith("conflict: memo#1 and memo#2 change @go.achieve")


def test_a_status_alone_may_differ() -> None:
    case = case_of([{**DUTY, "by": "2025-01-01"}])
    found = between(case, ("2024-01-01", None), ("2026-01-01", None))
    entry = only(found, "go")
    assert (entry.words, entry.meaning, entry.fields) == ((), (), ())
    assert entry.status is not None
    assert entry.why == (("@go", "no change to it: time passed, or something was reported"),)


def test_an_instrument_that_became_known_is_why_its_provisions_appear() -> None:
    instruments = {"late": amending("the Late Act", "2024-01-01")}
    case = case_of([DUTY, {**DUTY, "id": "stay", "in": "late"}], [], instruments)
    found = between(case, ("2023-01-01", None), ("2024-06-01", None))
    assert [(a.id, a.what, a.why) for a in found.articles] == [("stay", "added", (("late", "late became known"),))]
    assert found.around[-1] == ("late", "late (the Late Act) became known: in hand, whole (x.txt)")


def test_nothing_changed_is_said() -> None:
    found = between(case_of([DUTY]), ("2024-01-01", None), ("2025-01-01", None))
    assert found.nothing
    assert code_text(difference_blocks(found)).endswith("Nothing changed.\n")


def test_between_readings() -> None:
    raw = change(1, "interpret", "@go", {"achieve": "left(arms)"}, reading="north")
    case = case_of([DUTY], [raw], readings={"north": {"by": "North"}})
    found = difference(code_of(case), code_of(case, reading="north"))
    assert [(f.key, f.old, f.new) for f in only(found, "go").fields] == [("achieve", "gone(arms)", "left(arms)")]
    assert only(found, "go").why == (("@go", "no change: it is read as plain and as north"),)


WORDS = st.text(alphabet="ab ~+\n", max_size=30)


@given(WORDS, WORDS)
def test_a_redline_holds_both_texts(old: str, new: str) -> None:
    runs = redline(old, new)
    assert "".join(run for run in runs if not isinstance(run, Inserted)) == old
    assert "".join(run for run in runs if not isinstance(run, Struck)) == new
    assert (old == new) == (not any(isinstance(run, Struck | Inserted) for run in runs))


def test_a_very_long_text_is_compared_whole() -> None:
    old, new = "a " * 9000, "b " * 9000
    assert redline(old, new) == (Struck(old), Inserted(new))
