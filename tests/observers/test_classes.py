"""What a neutral counter may say passes; a word, digit or letter more is refused with row, field and rule, and not repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from observers.counting import CLASSES, NEUTRAL, OTHER_SIDE, TZ, at_the_door, changed, rewritten, rows, table, with_sources
from support import EXAMPLE
from tallybook.casefile.files import Folder
from tallybook.casefile.observers import Named, check_observers
from tallybook.casefile.observers_form import read_classes
from tallybook.evidence.ingest.rows import OBSERVATIONS

OBSERVATION = dict.fromkeys(OBSERVATIONS, "") | {
    "id": "NO-01",
    "reported_at": "1962-11-09T13:00-05:00",
    "observed_from": "1962-11-09T12:00-05:00",
    "observed_to": "1962-11-09T12:00-05:00",
    "source_id": "S-NEUTRAL-COUNT",
    "method": "ship_count",
    "observer": "neutral counter",
    "place": "Mariel",
    "vessel": "Bratsk",
    "item_class": "offensive_missile",
    "stage": "embarked",
    "count": "2",
    "basis": "page",
}


def test_the_file_of_the_nine_ships_passes_its_class() -> None:
    assert len(rows()) == 9
    assert sum(int(row["items_counted"]) for row in rows()) == 42
    assert at_the_door(NEUTRAL) == []
    assert at_the_door(table([OBSERVATION]), "observations.csv") == []
    assert at_the_door(table([OBSERVATION | {"place": "22.9 -82.7"}]), "observations.csv") == []


@pytest.mark.parametrize(
    ("line", "field", "value", "rule"),
    [
        (5, "note", "SS-4 with its nose cone off", "only one of covers drawn back; covers left on; counted from alongside"),
        (2, "citation", "photograph 0412.jpg", "leave it blank; only id, name, departure_port"),
        (3, "departure_port", "22.9912 -82.7534", "only the name of a port as places.csv has it"),
        (3, "departure_port", "San Cristobal site 1", "only the name of a port"),
        (4, "date_counted", "1962-11-09T10:07-05:00", "only a time to the hour, from 1962-11-05 to 1962-11-30"),
        (4, "items_counted", "4.0001", "only a whole number from 0 to 20, in plain digits"),
    ],
)
def test_more_than_a_count_is_refused_with_row_field_and_rule(line: int, field: str, value: str, rule: str) -> None:
    (fault,) = at_the_door(changed(line, {field: value}))
    assert (fault.file, fault.line, fault.field) == ("vessels.csv", line, field)
    assert f"NC-{line - 1:02d}: neutral-counter may not say" in fault.what
    assert rule in f"{fault.what}; {fault.do}"
    assert value not in str(fault)


def test_a_photograph_is_refused_by_name_and_as_an_exhibit(copy: Callable[[], Path]) -> None:
    more = [row | {"exhibits": "EXH-1189"} for row in rows()]
    assert {(fault.line, fault.field) for fault in at_the_door(table(more))} == {(n, "exhibits") for n in range(2, 11)}
    exhibit = "EXH-2," + "0" * 64 + ",photograph,Deck,counter,1962-11-09,,S-NEUTRAL-COUNT,,1962-11-09,image/png,"
    header = (EXAMPLE / "reports" / "exhibits.csv").read_text("utf-8").splitlines()[0]
    (fault,) = at_the_door(f"{header}\n{exhibit}\n".encode(), "exhibits.csv")
    assert fault.what == "neutral-counter may not file rows of exhibits"
    folder = with_sources(copy())
    rewritten(folder, "reports/vessels.csv", lambda text: text + NEUTRAL.decode().partition("\n")[2])
    rewritten(folder, "reports/exhibits.csv", lambda text: text.replace("OBS-083;", "NC-01; OBS-083;") + exhibit + "\n")
    held = check_observers(Folder(folder), TZ)
    assert {(fault.file, fault.field, fault.what) for fault in held.faults} == {
        ("reports/exhibits.csv", "reports", "NC-01 is of neutral-counter, and may rest on no exhibit"),
        ("reports/exhibits.csv", "source_id", "neutral-counter may not file exhibits"),
    }


def test_every_fault_of_a_file_is_told_at_once() -> None:
    some = rows()
    some[0] |= {"note": "nozzles seen", "items_declared": "8"}
    some[8] |= {"name": "Okhotsk"}
    found = {(fault.line, fault.field) for fault in at_the_door(table(some))}
    assert found == {(2, "note"), (2, "items_declared"), (10, "name")}


def test_a_change_by_hand_is_caught_by_check(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    body = NEUTRAL.decode().partition("\n")[2]
    rewritten(folder, "reports/vessels.csv", lambda text: text + body)
    assert check_observers(Folder(folder), TZ).faults == []
    rewritten(folder, "reports/vessels.csv", lambda text: text.replace("covers left on", "covers left on; liquid fuel"))
    (fault,) = check_observers(Folder(folder), TZ).faults
    lines = (folder / "reports" / "vessels.csv").read_text("utf-8").splitlines()
    assert (fault.file, fault.line, fault.field) == ("reports/vessels.csv", len(lines) - 5, "note")
    assert lines[fault.line - 1].startswith("NC-04,")
    assert "liquid" not in str(fault)


def test_blanks_around_a_field_are_a_message_too(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    body = NEUTRAL.decode().partition("\n")[2].replace(",Bratsk,", ",Bratsk  ,")
    rewritten(folder, "reports/vessels.csv", lambda text: text + body)
    (fault,) = check_observers(Folder(folder), TZ).faults
    assert "blanks around it" in fault.what


def test_other_sources_are_not_held_against_a_class() -> None:
    assert at_the_door(OTHER_SIDE) == []
    assert at_the_door((EXAMPLE / "reports" / "vessels.csv").read_bytes()) == []
    assert at_the_door((EXAMPLE / "reports" / "sources.csv").read_bytes(), "sources.csv") == []


def test_a_reader_of_a_class_files_nothing_else() -> None:
    assert at_the_door(NEUTRAL, author="Neutral  Counter") == []
    faults = at_the_door(OTHER_SIDE, author="neutral counter")
    assert {fault.field for fault in faults} == {"id", "source_id", "counting_unit"}
    (fault, *_) = at_the_door((EXAMPLE / "reports" / "bearings.csv").read_bytes(), "bearings.csv", author="neutral counter")
    assert fault.what == "neutral-counter may not file rows of bearings"


def test_the_class_rests_on_a_provision_or_on_words_of_a_source(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    words = "no violation of Soviet security by reliable and non-technical non-Americans"
    named = Named({"count-on-departing-ships"}, {"1189": f"with {words}, and"})

    def why(text: str) -> list[str]:
        change = CLASSES.read_text("utf-8").replace(f"This can be done with {words}", text)
        (folder / "observers.yaml").write_text(change, "utf-8")
        return [fault.what for fault in check_observers(Folder(folder), TZ, named).faults]

    assert why(words) == []
    assert why('"@count-on-departing-ships"') == []
    assert why('"@count"') == ["no provision @count"]
    assert why(words.replace("reliable", "friendly")) == ["in no source, word for word"]


def test_a_source_that_is_not_on_file_and_a_reader_who_is_not_listed_are_told(copy: Callable[[], Path]) -> None:
    folder = copy()
    (note,) = check_observers(Folder(folder), TZ).notes
    assert "no source S-NEUTRAL-COUNT on file, so nothing is held against the class" in note.what
    (folder / "markings.yaml").write_text("scheme: TLP\nreaders:\n  somebody: {clearance: TLP:RED}\n", "utf-8")
    (fault,) = check_observers(Folder(folder), TZ).faults
    assert "no reader 'neutral counter' in markings.yaml" in fault.what


def test_a_missing_number_is_pointed_out_and_is_no_fault(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    body = [line for line in NEUTRAL.decode().splitlines()[1:] if not line.startswith("NC-03")]
    rewritten(folder, "reports/vessels.csv", lambda text: text + "\n".join(body) + "\n")
    held = check_observers(Folder(folder), TZ)
    assert held.faults == []
    assert [note.what for note in held.notes] == ["neutral-counter: there is no NC-03"]


def test_a_case_without_the_file_has_no_classes(copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder / "observers.yaml").unlink()
    held = check_observers(Folder(folder), TZ)
    assert (held.classes, held.faults, held.notes) == ((), [], [])


def test_the_example_reads() -> None:
    (found,), faults = read_classes(CLASSES.read_bytes(), TZ)
    assert faults == []
    assert (found.name, found.sources, found.readers) == ("neutral-counter", ("S-NEUTRAL-COUNT",), ("neutral counter",))
    assert set(found.tables) == {"vessels", "observations"}
