"""Nothing known after `known` changes a byte of an answer."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import EXAMPLE
from tallybook import desk
from tallybook.core.canonical import canonical
from tallybook.core.time import moment
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.review import Reviews
from tallybook.verdicts.board import board_json
from tallybook.verdicts.inquiry import Case, Inquiry, Question
from tallybook.verdicts.status import status_of

CASE = desk.open_case(EXAMPLE)
START, END = datetime(1962, 10, 14, tzinfo=UTC), datetime(1963, 3, 1, tzinfo=UTC)
MOMENTS = sorted({r.known.last for r in CASE.evidence.reports.values()})
SPAN = int((END - START).total_seconds())
INSTANTS = st.one_of(
    st.integers(0, SPAN).map(lambda s: START + timedelta(seconds=s)),
    st.sampled_from(MOMENTS),
    st.sampled_from(MOMENTS).map(lambda at: at - timedelta(seconds=1)),
)


def answer(case: Case, on: datetime, known: datetime) -> bytes:
    return canonical(board_json(desk.board(Inquiry(case, Question(on, known), status_of))))


def without_later(case: Case, known: datetime) -> Case:
    """The case as somebody would have it who never got what came later, with every note and later end erased."""
    old = case.evidence
    reports = {
        r.id: dataclasses.replace(r, until=r.until if r.until and r.until.last <= known else None)
        for r in old.reports.values()
        if r.known.last <= known
    }
    bearings = tuple(b for b in old.bearings if b.known.last <= known)
    exhibits = {name: entry for name, entry in old.exhibits.items() if entry.known.last <= known}
    reviews = Reviews(row for row in old.reviews.rows if row.known.last <= known)
    file = EvidenceFile(reports, old.sources, bearings, old.places, old.items, exhibits, reviews)
    return dataclasses.replace(case, evidence=file)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(known=INSTANTS, on=st.one_of(st.none(), INSTANTS))
def test_what_came_later_changes_no_byte(known: datetime, on: datetime | None) -> None:
    assert answer(CASE, on or known, known) == answer(without_later(CASE, known), on or known, known)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), known=INSTANTS)
@pytest.mark.slow
def test_any_later_row_may_say_anything(data: st.DataObject, known: datetime) -> None:
    later = [r for r in CASE.evidence.reports.values() if r.known.last > known]
    if not later:
        return
    victim = data.draw(st.sampled_from(later))
    changed = dataclasses.replace(victim, statement="something else", stage="absent", count=7.0, low=7.0, high=7.0)
    reports = {**CASE.evidence.reports, victim.id: changed}
    old = CASE.evidence
    file = EvidenceFile(reports, old.sources, old.bearings, old.places, old.items, old.exhibits, old.reviews)
    other = dataclasses.replace(CASE, evidence=file)
    assert answer(CASE, known, known) == answer(other, known, known)


def test_the_rows_of_1963_to_2012_are_in_the_file() -> None:
    late = [r for r in CASE.evidence.reports.values() if r.known.last.year > 1962]
    assert len(late) > 20
    assert max(r.known.text[:4] for r in late) == "2012"


def test_an_end_that_has_not_come_is_not_known() -> None:
    row = next(r for r in CASE.evidence.reports.values() if r.until and r.state == "relaxed_hail_and_pass")
    assert "until" not in row.visible(moment("1962-11-12", CASE.tz).last)
    assert "until" in row.visible(moment("1962-11-21", CASE.tz).last)


def test_a_bearing_made_later_is_as_unknown_as_a_later_report() -> None:
    known = moment("1962-11-03", CASE.tz).last
    later = moment("1970-01-01", CASE.tz)
    old = CASE.evidence
    bearings = tuple(dataclasses.replace(b, known=later) if b.report == "OBS-063" else b for b in old.bearings)
    moved = dataclasses.replace(CASE, evidence=EvidenceFile(old.reports, old.sources, bearings, old.places, old.items))
    bare = dataclasses.replace(
        CASE,
        evidence=EvidenceFile(
            old.reports, old.sources, tuple(b for b in old.bearings if b.report != "OBS-063"), old.places, old.items
        ),
    )
    assert answer(moved, known, known) == answer(bare, known, known)
    assert answer(moved, known, known) != answer(CASE, known, known)
