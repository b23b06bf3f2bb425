"""Exhibits: custody as known, gaps and overlaps in it, and the sentence; the separate checker finds the same gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tallybook.checker.books import Books
from tallybook.checker.exhibits import _gaps, _log
from tallybook.checker.rows import File
from tallybook.core.time import Moment, moment
from tallybook.evidence.exhibit import Exhibit, Gap, Held, gaps, in_words, overlaps

TZ = ZoneInfo("UTC")
LATE = datetime(2040, 1, 1, tzinfo=UTC)


def at(text: str) -> Moment:
    return moment(text, TZ)


def held(by: str, start: str, end: str = "", known: str = "2031-01-01", how: str = "") -> Held:
    return Held("EXH-1", by, at(start), at(end) if end else None, how, at(known))


def exhibit(*rows: Held, made: str = "2030-05-01", kind: str = "photograph") -> Exhibit:
    return Exhibit(
        id="EXH-1",
        sha256="ab" * 32,
        kind=kind,
        title="A gate",
        origin="the post",
        made=at(made) if made else None,
        place="North",
        source="",
        licence="",
        known=at("2030-05-02"),
        media_type="",
        custody=rows,
    )


def test_no_log_is_a_gap_from_when_it_was_made() -> None:
    assert gaps(exhibit(), LATE) == (Gap("2030-05-01", ""),)
    assert gaps(exhibit(made=""), LATE) == (Gap("", ""),)


def test_one_day_follows_the_other_without_a_gap() -> None:
    assert gaps(exhibit(held("A", "2030-05-01", "2030-05-03"), held("B", "2030-05-04")), LATE) == ()
    assert gaps(exhibit(held("A", "2030-05-01", "2030-05-03"), held("B", "2030-05-05")), LATE) == (
        Gap("2030-05-03", "2030-05-05"),
    )


def test_gaps_before_between_and_after() -> None:
    log = exhibit(held("B", "2030-05-08", "2030-05-09"), held("A", "2030-05-03", "2030-05-04"))
    assert gaps(log, LATE) == (Gap("2030-05-01", "2030-05-03"), Gap("2030-05-04", "2030-05-08"), Gap("2030-05-09", ""))


def test_one_who_held_it_longer_covers_the_gap_of_another() -> None:
    log = exhibit(held("A", "2030-05-01", "2030-05-20"), held("B", "2030-05-02", "2030-05-03"), held("C", "2030-05-10"))
    assert gaps(log, LATE) == ()


def test_a_row_not_yet_known_and_an_end_not_yet_come_are_not_seen() -> None:
    log = exhibit(held("A", "2030-05-01", "2030-05-10", known="2030-05-02"), held("B", "2030-05-20", known="2030-05-21"))
    before = at("2030-05-05").last
    assert [row["to"] for row in log.visible(before)["custody"]] == [""]
    assert gaps(log, before) == ()
    assert gaps(log, at("2030-05-15").last) == (Gap("2030-05-10", ""),)
    assert gaps(log, LATE) == (Gap("2030-05-10", "2030-05-20"),)


def test_two_holders_at_one_time_overlap_and_one_day_of_handing_over_does_not() -> None:
    one, two = held("A", "2030-05-01", "2030-05-10"), held("B", "2030-05-04", "2030-05-06")
    assert overlaps([two, one]) == [(one, two)]
    assert overlaps([held("A", "2030-05-01", "2030-05-10"), held("B", "2030-05-10")]) == []
    assert overlaps([one, held("A", "2030-05-04")]) == []


def test_the_sentence_says_what_is_known_and_what_is_not() -> None:
    told = in_words(exhibit(held("A", "2030-05-01", "2030-05-03", how="by post"), held("B", "2030-05-09")), LATE)
    assert told == (
        "EXH-1, a photograph: A gate (sha256 abababababab); from the post; made 2030-05-01, North; licence: not stated; "
        "held by A from 2030-05-01 to 2030-05-03 (by post); held by B from 2030-05-09; "
        "nobody recorded who held it from 2030-05-03 to 2030-05-09."
    )
    assert "made at an unknown time" in in_words(exhibit(made="", kind="other"), LATE)
    assert "EXH-1, an exhibit:" in in_words(exhibit(kind="other"), LATE)


DAYS = st.integers(1, 28).map(lambda n: f"2030-05-{n:02}")
ROWS = st.tuples(st.sampled_from("ABC"), DAYS, DAYS | st.just(""), DAYS).map(
    lambda row: (row[0], row[1], row[2] if not row[2] or row[2] >= row[1] else "", max(row[3], row[1]))
)


@given(st.lists(ROWS, max_size=6, unique_by=lambda row: (row[0], row[1])), DAYS | st.just(""), DAYS)
def test_the_checker_finds_the_same_gaps(rows: list[tuple[str, str, str, str]], made: str, known: str) -> None:
    custody = [{"exhibit": "EXH-1", "held_by": by, "from": f, "to": t, "how": "", "known_at": k} for by, f, t, k in rows]
    ours = exhibit(*(held(by, f, t, k) for by, f, t, k in rows), made=made)
    file = File(Books({"time_zone": "UTC"}, custody=custody), at(known).last)
    theirs = _gaps(file, {"made_at": made}, _log(file, "EXH-1"))
    assert theirs == [[gap.start, gap.end] for gap in gaps(ours, at(known).last)]
