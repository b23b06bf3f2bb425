"""The evidence file: what was known when, what includes what, what lies in what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.core.time import Moment, moment
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.grade import Grade
from tallybook.evidence.report import Bearing, Item, Place, Report

TZ = ZoneInfo("America/New_York")
DAYS = ["1962-10-28", "1962-11-01", "1962-11-02T12:00-05:00", "1962-11", "1962-12-31", "1962"]


def report(name: str, known: str | Moment = "1962-11-01", **more: Any) -> Report:
    at = known if isinstance(known, Moment) else moment(known, TZ)
    fields: dict[str, Any] = {"id": name, "table": "observations", "line": 2, "known": at, "starts": at, "ends": at}
    fields |= {"source": "S", "who": "us", "statement": "seen", "citation": "", "basis": "", "grade": Grade("B2")}
    return Report(**{**fields, **more})


def bearing(of: str, claim: str = "gone", known: str = "1962-11-01", bears: str = "for", line: int = 2) -> Bearing:
    return Bearing(of, claim, bears, "", "", None, "", (), "", "A", "", moment(known, TZ), "", line)


def place(name: str, within: str = "", aliases: tuple[str, ...] = ()) -> Place:
    return Place(name, name.title(), "zone", None, None, within, aliases)


def file_of(
    reports: list[Report] | None = None,
    bearings: list[Bearing] | None = None,
    places: list[Place] | None = None,
    items: list[Item] | None = None,
) -> EvidenceFile:
    return EvidenceFile(
        {r.id: r for r in reports or []},
        {},
        tuple(bearings or []),
        {p.id: p for p in places or []},
        {i.id: i for i in items or []},
    )


def test_a_bare_date_is_known_from_its_last_instant_on() -> None:
    known = {text: report(text.replace(":", ""), text) for text in DAYS}
    found = file_of(list(known.values()))
    for at, expected in (
        ("1962-11-01T12:00-05:00", 1),
        ("1962-11-01", 2),
        ("1962-11-02T11:59-05:00", 2),
        ("1962-11-02T12:00-05:00", 3),
        ("1962-11-29", 3),
        ("1962-11-30", 4),
        ("1962-12-31T23:00-05:00", 4),
        ("1962-12-31", 6),
    ):
        assert len(found.as_known(moment(at, TZ).last).reports) == expected, at


@given(st.lists(st.sampled_from(DAYS), max_size=6), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_what_is_known_only_grows(days: list[str], first: str, second: str) -> None:
    found = file_of([report(f"R-{n}", day) for n, day in enumerate(days)])
    early, late = sorted((moment(first, TZ).last, moment(second, TZ).last))
    assert set(found.as_known(early).reports) <= set(found.as_known(late).reports)


def test_a_bearing_counts_once_both_it_and_its_report_are_known() -> None:
    found = file_of(
        [report("R-1", "1962-11-01"), report("R-2", "1962-11-05")],
        [bearing("R-1", known="1962-11-03"), bearing("R-2", known="1962-11-02"), bearing("R-3", known="1962-11-01")],
    )
    for day, expected in (
        ("1962-11-02", set()),
        ("1962-11-03", {"R-1"}),
        ("1962-11-04", {"R-1"}),
        ("1962-11-05", {"R-1", "R-2"}),
    ):
        assert set(found.as_known(moment(day, TZ).last).bearing("gone")) == expected


def test_the_latest_bearing_on_a_claim_stands_and_a_tie_goes_to_the_later_line() -> None:
    early, late = bearing("R-1", known="1962-11-02"), bearing("R-1", known="1962-11-04", bears="against", line=3)
    tie = bearing("R-1", known="1962-11-04", bears="neither", line=9)
    other = bearing("R-1", claim="there", known="1962-11-05")
    found = file_of([report("R-1")], [tie, late, early, other])
    assert found.as_known(moment("1962-11-03", TZ).last).bearing("gone") == {"R-1": early}
    assert found.as_known(moment("1962-11-04", TZ).last).bearing("gone") == {"R-1": tie}
    assert found.as_known(moment("1962-11-05", TZ).last).bearing("there") == {"R-1": other}
    assert found.as_known(moment("1962-11-05", TZ).last).bearing("nothing") == {}


def test_an_item_and_all_that_it_includes() -> None:
    items = [Item("arms", "arms", "item", ("gun", "shell")), Item("gun", "gun", "gun", ("howitzer",)), Item("howitzer", "h", "h")]
    found = file_of(items=[*items, Item("shell", "shell", "shell")])
    assert found.members("arms") == {"arms", "gun", "shell", "howitzer"}
    assert found.members("gun") == {"gun", "howitzer"}
    assert found.members("never-listed") == {"never-listed"}
    assert found.members("arms") == {"arms", "gun", "shell", "howitzer"}


def test_items_that_go_round_come_to_an_end() -> None:
    found = file_of(items=[Item("a", "a", "a", ("b",)), Item("b", "b", "b", ("a",))])
    assert found.members("a") == {"a", "b"}


def test_places_by_id_name_and_alias_whole_or_in_parts() -> None:
    found = file_of(places=[place("port", aliases=("The Harbour", "Dock; North")), place("field")])
    assert found.places_of("port") == ("port",)
    assert found.places_of(" THE HARBOUR ") == ("port",)
    assert found.places_of("Field; port") == ("field", "port")
    assert found.places_of("Dock; North") == ("port",)
    assert found.places_of("Field; nowhere") == ("field",)
    assert found.places_of("nowhere") == ()
    assert found.places_of("") == ()


def test_around_a_place_innermost_first_and_no_circle() -> None:
    found = file_of(places=[place("quay", "port"), place("port", "coast"), place("coast"), place("x", "y"), place("y", "x")])
    assert found.around("quay") == ("quay", "port", "coast")
    assert found.around("x") == ("x", "y")
    assert found.around("nowhere") == ()


def test_the_states_of_a_measure_oldest_first() -> None:
    def state(name: str, begins: str, known: str = "1962-11-01", measure: str = "quarantine") -> Report:
        return report(name, known, table="measures", measure=measure, starts=moment(begins, TZ))

    rows = [
        state("M-3", "1962-10-30"),
        state("M-1", "1962-10-22"),
        state("M-2", "1962-10-24"),
        state("M-9", "1962-10-01", measure="x"),
    ]
    late = state("M-4", "1962-10-23", "1962-12-01")
    found = file_of([*rows, late, report("R-1", measure="quarantine")])
    early, all_known = (found.as_known(moment(day, TZ).last) for day in ("1962-11-02", "1962-12-01"))
    assert [r.id for r in early.of_measure("quarantine")] == ["M-1", "M-2", "M-3"]
    assert [r.id for r in all_known.of_measure("quarantine")] == ["M-1", "M-4", "M-2", "M-3"]


def test_what_an_answer_may_see_of_a_row() -> None:
    until = moment("1962-11-20", TZ)
    row = report("M-1", table="measures", measure="quarantine", state="active", until=until, grade=Grade(""), count=0.0)
    before = row.visible(moment("1962-11-19", TZ).last)
    after = row.visible(until.last)
    assert "until" not in before
    assert "ends" not in before
    assert after["until"] == "1962-11-20"
    assert "grade" not in after
    assert after["count"] == 0.0
    assert "ends" in report("R-1").visible(until.last)


def test_the_number_of_a_report_is_the_point_else_what_was_shown_at_least() -> None:
    assert report("R", count=5.0, low=3.0).number == 5.0
    assert report("R", low=3.0, high=9.0).number == 3.0
    assert report("R", count=0.0, low=3.0).number == 0.0
    assert report("R", high=9.0).number is None


def test_a_file_with_one_row_more_shares_the_rest_and_leaves_the_one_before_as_it_was() -> None:
    first = file_of([report("R-1"), report("R-2")], [bearing("R-1")])
    late = moment("1963-01-01", TZ).last
    assert len(first.as_known(late).reports) == 2
    second = first.with_report(report("R-3"))
    third = second.with_report(report("R-4", known="1962-12-31"))
    fork = second.with_report(report("R-4", known="1962-10-28"))
    assert [list(f.as_known(late).reports) for f in (first, second, third)] == [
        ["R-1", "R-2"],
        ["R-1", "R-2", "R-3"],
        ["R-1", "R-2", "R-3", "R-4"],
    ]
    assert third.reports["R-4"].known.text == "1962-12-31"
    assert fork.reports["R-4"].known.text == "1962-10-28"
    assert "R-4" not in second.reports
    assert "R-4" not in third.as_known(moment("1962-12-01", TZ).last).reports
    with pytest.raises(KeyError):
        second.reports["R-4"]
    read = third.with_bearing(bearing("R-4", line=3)).with_bearing(bearing("R-1", known="1962-11-03", line=4))
    assert [b.line for b in read.as_known(late).bearings["gone"]] == [2, 3, 4]
    assert read.as_known(late).bearing("gone")["R-1"].line == 4
    assert [b.line for b in third.as_known(late).bearings["gone"]] == [2]
    assert read.bearings == (*third.bearings, *read.bearings[1:])


def test_a_row_whose_id_is_taken_or_whose_report_is_missing_is_refused() -> None:
    found = file_of([report("R-1")])
    with pytest.raises(ValueError, match="its id is taken"):
        found.with_report(report("R-1"))
    with pytest.raises(ValueError, match="no such report"):
        found.with_bearing(bearing("R-2"))


def test_measures_items_and_looks_are_kept_up_as_rows_come() -> None:
    known = moment("1963-01-01", TZ).last
    rows = [
        report("M-2", "1962-11-02T12:00-05:00", table="measures", measure="watch", state="on"),
        report("M-1", "1962-10-28", table="measures", measure="watch", state="off"),
        report("O-1", "1962-11-01", item="gun", count=3.0, method="photo", place="bay"),
        report("O-2", "1962-12-31", item="gun", count=9.0, method="photo", place="bay"),
        report("O-3", "1962-10-28", item="gun", count=5.0, method="word", place="cape"),
    ]
    grown = file_of([], [])
    for row in rows:
        grown = grown.with_report(row)
        view = grown.as_known(known)
        view.instants(known), view.largest(["gun"], [], known), view.looks(["photo"])
    whole = file_of(rows).as_known(known)
    assert [r.id for r in view.of_measure("watch")] == [r.id for r in whole.of_measure("watch")] == ["M-1", "M-2"]
    assert [r.id for r in view.of_items(["gun"])] == ["O-1", "O-2", "O-3"]
    assert view.instants(known) == whole.instants(known) == sorted({r.ends.last for r in rows})
    for seen in (view, whole):
        assert (most := seen.largest(["gun"], [], known)) is not None
        assert most.id == "O-2"
        assert (most := seen.largest(["gun"], [], moment("1962-11-02", TZ).last)) is not None
        assert most.id == "O-3"
        looks = seen.looks(["photo"])
        assert looks.places(rows[2].ends.last, known, known) == ["bay"]
        assert looks.places(rows[2].ends.last, known, moment("1962-10-31", TZ).last) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 12), st.integers(0, 70), st.sampled_from(["bay", "cape"])), max_size=12
    ),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 70),
    st.integers(0, 9),
)
def test_what_nobody_looked_at_is_what_going_through_every_look_finds(
    rows: list[tuple[int, int, int, str]], since: int, on: int, known: int, fresh: int
) -> None:
    start = moment("1962-10-01", TZ).first
    days = [start + timedelta(n) for n in range(90)]

    def at(first: int, last: int) -> Moment:
        return Moment(f"{first}-{last}", days[first], days[last])

    reports = [
        report(
            f"R-{n}",
            starts=at(begin, begin),
            ends=at(begin + long, begin + long),
            known=at(told, told),
            method="photo",
            count=1.0,
        )
        for n, (begin, long, told, _) in enumerate(rows)
    ]
    reports = [replace(r, place=row[3]) for r, row in zip(reports, rows, strict=True)]
    last, expected = days[since], []
    for r in sorted(
        (r for r in reports if r.known.last <= days[known] and r.starts.first <= days[on]), key=lambda r: r.starts.first
    ):
        if r.starts.first > last + timedelta(fresh):
            expected.append((last, r.starts.first))
        last = max(last, min(r.ends.last, days[on]))
    if days[on] > last + timedelta(fresh):
        expected.append((last, days[on]))
    looks = file_of(reports).as_known(days[known]).looks(["photo"])
    assert looks.unseen(list(looks.named()), days[since], days[on], days[known], timedelta(fresh)) == expected
