"""Second readers: who counts as one, what is unreviewed, and how long an agreement and a dissent last."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tallybook.core.time import Moment, moment
from tallybook.evidence.grade import Grade
from tallybook.evidence.report import Bearing, Report
from tallybook.evidence.review import Review, Reviewed, Reviews, same_person

TZ = ZoneInfo("UTC")
LATE = "2031-12-31"


def at(text: str) -> Moment:
    return moment(text, TZ)


def report(grade: str = "B2", graded_by: str | None = "Ada", read_again_by: str = "") -> Report:
    day = at("2031-01-01")
    return Report(
        "R",
        "observations",
        2,
        day,
        day,
        day,
        "S",
        "",
        "",
        grade=Grade(grade),
        graded_by=graded_by,
        grade_reviewed_by=read_again_by,
    )


def bearing(by: str = "Ada", read_again_by: str = "", known: str = "2031-01-01", bears: str = "for") -> Bearing:
    return Bearing("R", "c", bears, "", "", None, "", (), "", by, read_again_by, at(known), "", 2)


def review(
    by: str, day: str, what: str = "agrees", *, claim: str = "", grade: str = "", bears: str = "", name: str = "V", line: int = 2
) -> Review:
    return Review(name, "R", claim, by, at(day), what, grade, bears, "so it seems.", line)


def of(
    rows: list[Review],
    row: Report | None = None,
    read: Bearing | None = None,
    bears: str = "for",
    known: str = LATE,
    asked: bool = True,
) -> Reviewed:
    found = Reviews(rows).of(row or report(), "c", read, bears, at(known).last, second_reader=asked)
    assert found is not None
    return found


def test_nothing_is_said_where_nothing_is_on_file() -> None:
    assert Reviews(()).of(report(graded_by=None), "c", bearing(), "for", at(LATE).last, second_reader=True) is None
    assert not Reviews(())


@pytest.mark.parametrize(
    ("one", "other", "same"), [("Ada", "ada", True), (" Ada  Byron", "ada byron", True), ("Ada", "Bo", False)]
)
def test_a_person_is_the_same_whatever_the_capitals_and_blanks(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same


def test_a_grade_that_only_its_author_has_read_is_unreviewed() -> None:
    assert of([]).unreviewed == ("grade",)
    assert of([], asked=False).unreviewed == ()
    assert of([], report(read_again_by="Bo")).unreviewed == ()
    assert of([], report(read_again_by="ADA")).unreviewed == ("grade",)
    assert of([], report(grade="")).unreviewed == ()
    assert of([review("Bo", "2031-02-01")], report(graded_by=None)).unreviewed == ()


def test_a_review_counts_from_when_it_was_known() -> None:
    rows = [review("Bo", "2031-02-01")]
    assert of(rows, known="2031-01-31").unreviewed == ("grade",)
    assert of(rows, known="2031-02-01").unreviewed == ()
    assert of(rows, known="2031-02-01").grade_readers == ("Bo",)


def test_one_who_dissents_has_read_it() -> None:
    found = of([review("Bo", "2031-02-01", "dissents", grade="D4")])
    assert found.unreviewed == ()
    assert [(entry.by, entry.instead) for entry in found.dissent] == [("Bo", "D4")]
    assert found.in_words() == " Bo dissents (D4): so it seems."


def test_an_author_is_no_second_reader_of_their_own() -> None:
    found = of([review("ada", "2031-02-01", "dissents", grade="D4")])
    assert found.unreviewed == ("grade",)
    assert found.dissent == ()


def test_the_latest_review_by_one_person_counts() -> None:
    rows = [
        review("Bo", "2031-02-01", "dissents", claim="c", bears="against"),
        review("bo", "2031-03-01", claim="c", name="W", line=3),
        review("Cy", "2031-02-15", "dissents", claim="c", bears="neither", name="X", line=4),
    ]
    assert [entry.by for entry in of(rows, read=bearing(), known="2031-02-20").dissent] == ["Bo", "Cy"]
    assert [entry.by for entry in of(rows, read=bearing()).dissent] == ["Cy"]


def test_an_agreement_is_of_the_bearing_that_stood_then() -> None:
    rows = [review("Bo", "2031-02-01", claim="c")]
    graded = report(read_again_by="Bo")
    assert of(rows, graded, bearing()).unreviewed == ()
    assert of(rows, graded, bearing(known="2031-03-01")).unreviewed == ("bearing",)
    assert of([], graded, bearing(bears="neither"), bears="neither").unreviewed == ()
    assert of([], graded, None).unreviewed == ()


def test_a_dissent_outlives_a_new_bearing_that_says_the_same() -> None:
    rows = [review("Bo", "2031-02-01", "dissents", claim="c", bears="against")]
    again = of(rows, report(read_again_by="Bo"), bearing(known="2031-03-01"))
    assert [entry.instead for entry in again.dissent] == ["against"]
    assert again.unreviewed == ("bearing",)


def test_a_reading_that_became_what_was_asked_for_is_not_dissented_from() -> None:
    rows = [review("Bo", "2031-02-01", "dissents", claim="c", bears="against")]
    assert of(rows, read=bearing(bears="against"), bears="against").dissent == ()
    assert of([review("Bo", "2031-02-01", "dissents", grade="B2")]).dissent == ()


def test_a_review_of_one_claim_says_nothing_of_another() -> None:
    rows = [review("Bo", "2031-02-01", "dissents", claim="other", bears="against")]
    assert of(rows, read=bearing()).dissent == ()
    assert Reviews(rows).reports_on("other") == ["R"]
    assert Reviews(rows).reports_on("c") == []
