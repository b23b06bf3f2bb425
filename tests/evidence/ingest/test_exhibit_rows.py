"""Rows of exhibits, custody logs and reviews: what is read, and every fault with its column."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tallybook.core.time import moment
from tallybook.evidence.ingest import exhibit_rows as ingest
from tallybook.evidence.ingest.rows import Lists, Reading
from tallybook.evidence.ingest.table import Row

TZ = ZoneInfo("UTC")
LISTS = Lists(TZ, (), (), (), {}, (), ("c",))
EXHIBIT = {
    "id": "EXH-1",
    "sha256": "0" * 64,
    "kind": "photograph",
    "title": "A gate",
    "origin": "the post",
    "made_at": "2031-01-01",
    "place": "North",
    "source_id": "S",
    "licence": "CC0-1.0",
    "known_at": "2031-01-02",
    "media_type": "image/png",
    "reports": "R-1; R-2; R-1",
}
CUSTODY = {"exhibit": "EXH-1", "held_by": "A", "from": "2031-01-01", "to": "2031-01-03", "how": "", "known_at": "2031-01-04"}
REVIEW = {
    "id": "REV-1",
    "report": "R-1",
    "claim": "",
    "by": "Bo",
    "known_at": "2031-01-05",
    "what": "dissents",
    "grade": "D4",
    "bears": "",
    "reason": "the light was bad",
}


def reading() -> Reading:
    return Reading("reports/x.csv", LISTS)


def test_an_exhibit() -> None:
    found = ingest.exhibit(reading(), Row(2, EXHIBIT))
    assert found is not None
    assert (found.id, found.kind, found.reports, found.line) == ("EXH-1", "photograph", ("R-1", "R-2"), 2)
    assert found.made is not None
    assert set(ingest.EXHIBITS) | set(ingest.MORE_OF_EXHIBITS) == set(EXHIBIT)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("id", "../x", "cannot be an id"),
        ("id", "", "cannot be an id"),
        ("sha256", "", "not a SHA-256"),
        ("sha256", "0" * 63, "not a SHA-256"),
        ("sha256", "A" * 64, "not a SHA-256"),
        ("sha256", "٠" * 64, "not a SHA-256"),
        ("sha256", f"../{'0' * 61}", "not a SHA-256"),
        ("kind", "", "not one of"),
        ("kind", "film", "not one of"),
        ("title", "", "blank"),
        ("known_at", "", "blank"),
        ("known_at", "soon", "not a date"),
        ("known_at", "2030-12-31", "before 2031-01-01"),
        ("made_at", "2031-02-30", "does not exist"),
        ("media_type", "png", "not a media type"),
        ("media_type", "text/html;script", "not a media type"),
    ],
)
def test_faults_of_an_exhibit(column: str, value: str, what: str) -> None:
    read = reading()
    ingest.exhibit(read, Row(7, {**EXHIBIT, column: value}))
    assert [(fault.line, fault.field) for fault in read.faults] == [(7, column)]
    assert what in read.faults[0].what
    assert read.faults[0].do


def test_a_custody_row() -> None:
    found = ingest.held(reading(), Row(2, CUSTODY), moment("2031-01-01", TZ))
    assert found is not None
    assert (found.by, found.starts.text, found.ends and found.ends.text) == ("A", "2031-01-01", "2031-01-03")
    assert set(ingest.CUSTODY) == set(CUSTODY)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("held_by", "", "blank"),
        ("from", "", "blank"),
        ("from", "2030-12-31", "when it was made"),
        ("to", "2030-12-31", "is before 2031-01-01"),
        ("to", "never", "not a date"),
        ("known_at", "", "blank"),
        ("known_at", "2030-12-31", "when they had it"),
    ],
)
def test_faults_of_a_custody_row(column: str, value: str, what: str) -> None:
    read = reading()
    ingest.held(read, Row(4, {**CUSTODY, column: value}), moment("2031-01-01", TZ))
    assert [(fault.line, fault.field) for fault in read.faults] == [(4, column)]
    assert what in read.faults[0].what


def test_a_hand_over_within_the_year_it_was_made_is_no_fault() -> None:
    read = reading()
    ingest.held(read, Row(4, CUSTODY), moment("2031", TZ))
    assert read.faults == []


def test_a_review() -> None:
    found = ingest.review(reading(), Row(2, REVIEW))
    assert found is not None
    assert (found.about, found.instead) == ("grade", "D4")
    other = ingest.review(reading(), Row(2, {**REVIEW, "claim": "c", "grade": "", "bears": "against"}))
    assert other is not None
    assert (other.about, other.instead) == ("bearing", "against")
    assert set(ingest.REVIEWS) == set(REVIEW)


@pytest.mark.parametrize(
    ("changes", "column", "what"),
    [
        ({"by": ""}, "by", "blank"),
        ({"known_at": ""}, "known_at", "blank"),
        ({"claim": "d", "grade": "", "bears": "for"}, "claim", "no claim"),
        ({"what": "abstains"}, "what", "not one of"),
        ({"grade": "Z9"}, "grade", "not a grade"),
        ({"grade": ""}, "grade", "blank"),
        ({"bears": "for"}, "bears", "review of a grade"),
        ({"claim": "c", "grade": "D4", "bears": "for"}, "grade", "how a report bears"),
        ({"claim": "c", "grade": "", "bears": "maybe"}, "bears", "not one of"),
        ({"claim": "c", "grade": "", "bears": ""}, "bears", "blank"),
        ({"what": "agrees"}, "grade", "by one who agrees"),
        ({"reason": ""}, "reason", "blank"),
        ({"id": "a b"}, "id", "cannot be an id"),
    ],
)
def test_faults_of_a_review(changes: dict[str, str], column: str, what: str) -> None:
    read = reading()
    ingest.review(read, Row(3, {**REVIEW, **changes}))
    assert [fault.field for fault in read.faults] == [column]
    assert what in read.faults[0].what
