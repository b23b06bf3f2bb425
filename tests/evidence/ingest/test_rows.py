"""From rows to reports: every fault of a row at once, with its column; nothing comes through that was not written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import Fault
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.table import Row
from tallybook.evidence.report import Report

LISTS = ingest.Lists(
    tz=ZoneInfo("America/New_York"),
    methods={"photo": 1, "press": 1},
    stages=("deployed", "departed"),
    incidents=("denial",),
    measures={"quarantine": {"active": "", "lifted": ""}, "watch": {}},
    items=("gun",),
    claims=("gone",),
)
OBSERVATION = {
    "id": "OBS-1",
    "reported_at": "1962-11-03",
    "observed_from": "1962-11-01",
    "observed_to": "1962-11-02",
    "source_id": "S-1",
    "method": "photo",
    "observer": "us",
    "place": "port",
    "vessel": "",
    "item_class": "gun",
    "stage": "departed",
    "count": "4",
    "count_low": "3",
    "count_high": "5.5",
    "statement": "seen",
    "grade": "B2",
    "citation": "p. 1",
    "basis": "page",
    "note": "kept from every answer",
}
COMMITMENT = {
    "id": "COM-1",
    "made_at": "1962-11-03",
    "by": "A",
    "to": "B",
    "text": "we shall",
    "conditions": "if",
    "source_id": "S-1",
}
MEASURE = {
    "id": "MEA-1",
    "measure": "quarantine",
    "state": "active",
    "from": "1962-10-24",
    "to": "",
    "known_at": "1962-10-24",
    "source_id": "S-1",
}
INCIDENT = {
    "id": "INC-1",
    "date": "1962-10-27",
    "known_at": "1962-10-28",
    "kind": "denial",
    "by": "A",
    "summary": "no",
    "source_id": "S-1",
}
VESSEL = {
    "id": "VES-1",
    "name": "Volgoles",
    "departure_port": "port",
    "departure_date": "1962-11-05",
    "items_declared": "7",
    "items_counted": "6",
    "date_counted": "1962-11-09",
    "known_at": "1962-11-10",
    "counting_unit": "navy",
    "cargo_class": "gun",
    "source_id": "S-1",
}
BEARING = {
    "report": "OBS-1",
    "claim": "gone",
    "bears": "for",
    "by": "A",
    "known_at": "1962-11-03",
    "restates": "OBS-2; OBS-3 OBS-4",
}
PLACE = {"id": "port", "name": "Port", "kind": "port", "lat": "22.99", "lon": "-82.75", "within": "", "aliases": "Harbour | Dock"}
MAKERS: dict[str, tuple[Callable[[ingest.Reading, Row], Any], dict[str, str]]] = {
    "observations": (ingest.observation, OBSERVATION),
    "commitments": (ingest.commitment, COMMITMENT),
    "measures": (ingest.measure, MEASURE),
    "incidents": (ingest.incident, INCIDENT),
    "vessels": (ingest.vessel, VESSEL),
    "bearings": (ingest.bearing, BEARING),
    "places": (ingest.place, PLACE),
}


def make(
    table: str, changed: Mapping[str, str] | None = None, lists: ingest.Lists = LISTS, **more: str
) -> tuple[Any, list[Fault]]:
    maker, fields = MAKERS[table]
    reading = ingest.Reading(f"reports/{table}.csv", lists)
    made = maker(reading, Row(7, {**fields, **(changed or {}), **more}))
    assert all(f.file == reading.file and f.line == 7 and f.what and f.do for f in reading.faults)
    return made, reading.faults


def fields_of(faults: list[Fault]) -> list[str]:
    return sorted(f.field for f in faults)


@pytest.mark.parametrize("table", MAKERS)
def test_a_good_row_has_no_fault(table: str) -> None:
    made, faults = make(table)
    assert faults == []
    assert made is not None


def test_an_observation_as_it_was_written() -> None:
    made, _ = make("observations")
    assert isinstance(made, Report)
    assert (made.count, made.low, made.high, made.grade.text, made.item, made.stage) == (4, 3, 5.5, "B2", "gun", "departed")
    assert (made.known.text, made.starts.text, made.ends.text) == ("1962-11-03", "1962-11-01", "1962-11-02")
    assert "kept from every answer" not in repr(made)


def test_blank_is_unknown_and_nought_is_a_finding() -> None:
    blank, _ = make("observations", count="", count_low="", count_high="", grade="", item_class="", stage="")
    assert (blank.count, blank.low, blank.high, blank.grade.text) == (None, None, None, "")
    assert make("observations", count="0", count_low="0")[0].count == 0.0


BAD_COUNTS = [
    "-3",
    "+3",
    "three",
    "3 ",
    "1e3",
    "1,000",
    "3.",
    ".5",
    "nan",
    "inf",
    "0x10",
    "\u0663",
    "\u00b2",
    "9" * 16,
    "1 000",
    "--",
]


@pytest.mark.parametrize("text", BAD_COUNTS)
@pytest.mark.parametrize("column", ["count", "count_low", "count_high"])
def test_what_is_no_count(text: str, column: str) -> None:
    _, faults = make("observations", {"count": "", "count_low": "", "count_high": "", column: text})
    (fault,) = faults
    assert fault.field == column
    assert repr(text) in fault.what


def test_bounds_the_wrong_way_round() -> None:
    assert fields_of(make("observations", count="", count_low="5", count_high="4")[1]) == ["count_high"]
    assert make("observations", count_low="5", count_high="5", count="5")[1] == []


def test_a_count_outside_its_own_bounds() -> None:
    for count in ("2", "6"):
        assert fields_of(make("observations", count=count)[1]) == ["count"]


BAD_DATES = ["1962-02-30", "1962-13", "1962-11-03T10:00", "yesterday", "03.11.1962", "1962-11-03T24:61Z"]
DATED = [
    ("observations", "reported_at"),
    ("observations", "observed_from"),
    ("observations", "observed_to"),
    ("commitments", "made_at"),
    ("measures", "from"),
    ("measures", "to"),
    ("measures", "known_at"),
    ("incidents", "date"),
    ("incidents", "known_at"),
    ("vessels", "departure_date"),
    ("vessels", "date_counted"),
    ("vessels", "known_at"),
    ("bearings", "known_at"),
    ("bearings", "refers_to"),
]


@pytest.mark.parametrize(("table", "column"), DATED)
@pytest.mark.parametrize("text", BAD_DATES)
def test_a_date_that_is_none(table: str, column: str, text: str) -> None:
    (fault,) = make(table, {column: text})[1]
    assert fault.field == column
    assert repr(text) in fault.what


@pytest.mark.parametrize(
    ("table", "column"), [d for d in DATED if d[1] not in ("to", "departure_date", "date_counted", "refers_to")]
)
def test_a_blank_time_that_has_to_be_there(table: str, column: str) -> None:
    made, faults = make(table, {column: ""})
    assert made is None
    assert fields_of(faults) == [column]


def test_an_end_before_its_start() -> None:
    assert fields_of(make("observations", observed_to="1962-10-31")[1]) == ["observed_to"]
    assert fields_of(make("measures", to="1962-10-23")[1]) == ["to"]
    assert make("observations", observed_from="1962-11-02T10:00-05:00", observed_to="1962-11-02")[1] == []


@pytest.mark.parametrize(
    ("table", "column", "text"),
    [
        ("observations", "grade", "Z9"),
        ("observations", "grade", "a2"),
        ("observations", "method", "telepathy"),
        ("observations", "method", ""),
        ("observations", "stage", "vanished"),
        ("observations", "item_class", "unicorn"),
        ("observations", "id", "OBS 1"),
        ("observations", "id", ""),
        ("observations", "id", "=cmd|calc"),
        ("observations", "id", "x" * 101),
        ("commitments", "id", "-1"),
        ("measures", "measure", "blockade"),
        ("measures", "measure", ""),
        ("measures", "state", "evaporated"),
        ("measures", "state", ""),
        ("incidents", "kind", "gossip"),
        ("vessels", "cargo_class", "unicorn"),
        ("vessels", "items_counted", "-1"),
        ("vessels", "items_declared", "many"),
        ("bearings", "claim", "nothing"),
        ("bearings", "bears", "pro"),
        ("bearings", "bears", ""),
        ("bearings", "extent", "half"),
        ("bearings", "state", "mood"),
        ("bearings", "counts_as", "guess"),
        ("bearings", "by", ""),
        ("places", "kind", "moon"),
        ("places", "lat", "90.1"),
        ("places", "lat", "22,99"),
        ("places", "lat", "nan"),
        ("places", "lon", "-180.5"),
        ("places", "lat", ""),
        ("places", "id", "a b"),
    ],
)
def test_what_does_not_belong_in_its_column(table: str, column: str, text: str) -> None:
    (fault,) = make(table, {column: text})[1]
    assert fault.field == column


def test_every_fault_of_a_row_is_told_at_once() -> None:
    everything = {
        "grade": "Z9",
        "method": "telepathy",
        "stage": "vanished",
        "item_class": "unicorn",
        "count": "-3",
        "id": "OBS 1",
    }
    _, faults = make("observations", everything, reported_at="1962-02-30", observed_from="")
    assert fields_of(faults) == sorted([*everything, "reported_at", "observed_from"])
    assert fields_of(make("measures", known_at="", id="x y", state="gone")[1]) == ["id", "known_at", "state"]
    assert fields_of(make("incidents", known_at="", id="x y", kind="gossip")[1]) == ["id", "kind", "known_at"]
    assert fields_of(make("vessels", known_at="", id="x y", cargo_class="unicorn", items_counted="-1")[1]) == [
        "cargo_class",
        "id",
        "items_counted",
        "known_at",
    ]
    assert fields_of(make("commitments", made_at="", id="x y")[1]) == ["id", "made_at"]


def test_a_measure_without_a_list_of_states_may_have_any() -> None:
    assert make("measures", measure="watch", state="kept")[1] == []


def test_a_second_reader_where_the_desk_asks_for_one() -> None:
    asked = ingest.Lists(**{**{name: getattr(LISTS, name) for name in LISTS.__slots__}, "second_reader": True})
    assert fields_of(make("bearings", None, asked)[1]) == ["reviewed_by"]
    assert fields_of(make("bearings", None, asked, reviewed_by="A")[1]) == ["reviewed_by"]
    assert make("bearings", None, asked, reviewed_by="B")[1] == []
    assert make("bearings", None, asked, bears="neither")[1] == []


def test_a_bearing_names_the_rows_that_it_restates() -> None:
    assert make("bearings")[0].restates == ("OBS-2", "OBS-3", "OBS-4")


def test_a_place_has_both_coordinates_or_neither() -> None:
    assert (make("places")[0].lat, make("places")[0].lon, make("places")[0].aliases) == (22.99, -82.75, ("Harbour", "Dock"))
    nowhere, faults = make("places", lat="", lon="")
    assert faults == []
    assert (nowhere.lat, nowhere.lon) == (None, None)


TEXT = st.text(max_size=15) | st.sampled_from(["1962", "-3", "A2", "gone", "\u0663", "1e999", "9" * 400])


@given(st.sampled_from(sorted(MAKERS)), st.data())
def test_no_row_raises(table: str, data: st.DataObject) -> None:
    changed = {column: data.draw(TEXT) for column in data.draw(st.sets(st.sampled_from(sorted(MAKERS[table][1])), max_size=6))}
    made, faults = make(table, changed)
    assert made is not None or faults


def test_every_column_of_a_table_is_one_that_its_reader_knows() -> None:
    for table, (columns, _) in ingest.TABLES.items():
        assert set(MAKERS[table][1]) <= set(columns)
        assert len(set(columns)) == len(columns)
    assert set(BEARING) <= set(ingest.BEARINGS)
    assert set(PLACE) == set(ingest.PLACES)
