"""Somebody who wants to get a technical detail out through a form for counting, or out of a sealed count: each way is closed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from time import perf_counter

import pytest

from observers.counting import CLASSES, NEUTRAL, TZ, at_the_door, changed, copied, rewritten, rows, table, with_sources
from support import EXAMPLE
from tallybook.casefile.files import Folder
from tallybook.casefile.observers import check_observers
from tallybook.casefile.observers_form import read_classes
from tallybook.core.time import moment
from tallybook.evidence import seal as seals
from tallybook.evidence.observer_class import Ground, Number, Numbered, OneOf, Phrases, Rule, Time, Where
from tallybook.evidence.seal import SealError
from tallybook.ledger.entry import canonical_json


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the example with its invented observer class that a test may change."""
    return lambda: copied(tmp_path / "cuba-1962")


CYRILLIC_A = "\u0430"
SMUGGLED = [
    ("a remark in the number", "items_counted", "8 SS-4"),
    ("a number of too many digits", "items_counted", "8.0001"),
    ("a number with a point", "items_counted", "8.0"),
    ("a number with a zero before it", "items_counted", "08"),
    ("a number with a sign", "items_counted", "+8"),
    ("a number in another script", "items_counted", "\u0668"),
    ("a number in full-width digits", "items_counted", "\uff18"),
    ("a number with an exponent", "items_counted", "8e0"),
    ("a number out of range", "items_counted", "2200"),
    ("a huge number", "items_counted", "9" * 5000),
    ("a field that nobody allowed", "items_declared", "4"),
    ("a position in the name of a ship", "name", "Bratsk 22.99N 82.75W"),
    ("another case of letters", "name", "BRATSK"),
    ("a letter that looks like another", "name", f"Br{CYRILLIC_A}tsk"),
    ("a space that does not show", "name", "Bratsk\u200b"),
    ("another kind of space", "name", "Fizik\u00a0Kurchatov"),
    ("a ship that is on no list", "name", "Kasimov"),
    ("encoded text", "note", "U1MtNCBub3NlIGNvbmU="),
    ("phrases in an order of one's own", "note", "counted from alongside; covers drawn back"),
    ("a phrase said twice", "note", "covers drawn back; covers drawn back"),
    ("another joint between phrases", "note", "covers drawn back;counted from alongside"),
    ("a phrase with a full stop", "note", "covers drawn back."),
    ("minutes", "date_counted", "1962-11-09T10:01-05:00"),
    ("seconds", "date_counted", "1962-11-09T10:00:07-05:00"),
    ("parts of a second", "date_counted", "1962-11-09T10:00:00.004-05:00"),
    ("another offset for the same hour", "date_counted", "1962-11-09T15:00Z"),
    ("an offset of one's own", "date_counted", "1962-11-09T14:00-01:00"),
    ("an offset with minutes", "date_counted", "1962-11-09T10:00-05:04"),
    ("a coarser form", "date_counted", "1962-11-09"),
    ("a year that nobody counted in", "date_counted", "1904-04-04T10:00-05:00"),
    ("an hour in the day of a departure", "departure_date", "1962-11-09T10:00-05:00"),
    ("a site in place of a port", "departure_port", "Remedios IRBM site"),
    ("an alias in place of the name", "departure_port", "Isabela de Sagua"),
    ("the id of a place in place of its name", "departure_port", "mariel"),
    ("two places", "departure_port", "Mariel; Casilda"),
    ("a type of missile for the class of cargo", "cargo_class", "mrbm_missile"),
    ("who counted, with a remark", "counting_unit", "neutral counter (SS-4)"),
    ("a citation", "citation", "see my letter"),
    ("an id that says something", "id", "NC-SS4"),
    ("an id of other digits", "id", "NC-003"),
    ("an id that is chosen", "id", "NC-44"),
    ("the number zero", "id", "NC-00"),
]


@pytest.mark.parametrize(("field", "value"), [case[1:] for case in SMUGGLED], ids=[case[0] for case in SMUGGLED])
def test_nothing_more_gets_out_through_a_field(field: str, value: str) -> None:
    faults = at_the_door(changed(4, {field: value}))
    assert (4, field) in {(fault.line, fault.field) for fault in faults}
    # Short numbers occur in any message; a text that was smuggled in does not.
    assert len(value) < 5 or all(value not in str(fault) for fault in faults)


def test_a_look_alike_is_called_one() -> None:
    (fault,) = at_the_door(changed(4, name=f"Br{CYRILLIC_A}tsk"))
    assert "it looks like Bratsk and is not" in fault.what


@pytest.mark.parametrize("column", ["known_to", "exhibits", "marking"])
def test_columns_that_any_table_may_have_are_closed(column: str) -> None:
    faults = at_the_door(table([row | {column: "SS-4"} for row in rows()]), author="neutral counter")
    assert {fault.field for fault in faults} == {column}


def test_a_marking_is_the_desks_and_no_free_text(copy: Callable[[], Path]) -> None:
    marked = table([row | {"marking": "SS-4"} for row in rows()])
    assert at_the_door(marked) == []
    folder = with_sources(copy())
    (folder / "reports" / "vessels.csv").write_bytes(marked)
    assert {fault.field for fault in check_observers(Folder(folder), TZ).faults} == {"marking"}


def test_a_reader_of_a_class_does_not_send_by_correcting(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    rewritten(folder, "reports/vessels.csv", lambda text: text + NEUTRAL.decode().partition("\n")[2])
    assert at_the_door(NEUTRAL, files=Folder(folder), author="neutral counter") == []
    (fault,) = at_the_door(changed(4, items_counted="5"), files=Folder(folder), author="neutral counter")
    assert (fault.line, fault.what) == (4, "neutral-counter may not change a row on file")
    assert at_the_door(changed(4, items_counted="5"), files=Folder(folder)) == []


def test_a_reader_of_one_class_is_held_against_it_whatever_the_source_says(copy: Callable[[], Path]) -> None:
    text = CLASSES.read_text("utf-8")
    wider = text.partition("classes:\n")[2].replace("neutral-counter", "wider").replace("S-NEUTRAL-COUNT", "S-OTHER-SIDE")
    wider = (
        wider.replace("[neutral counter]\n    tables", "[somebody]\n    tables")
        .replace("NC-00", "WC-00")
        .replace("NO-00", "WO-00")
    )
    folder = copy()
    (folder / "observers.yaml").write_text(text + wider, "utf-8")
    raw = table([row | {"id": row["id"].replace("NC", "WC"), "source_id": "S-OTHER-SIDE"} for row in rows()])
    assert at_the_door(raw, files=Folder(folder)) == []
    assert at_the_door(raw, files=Folder(folder), author="somebody") == []
    faults = at_the_door(raw, files=Folder(folder), author="neutral counter")
    assert {fault.field for fault in faults} == {"id", "source_id"}


def test_a_file_of_nothing_but_faults_ends() -> None:
    many = [dict.fromkeys(rows()[0], "x") | {"source_id": "S-NEUTRAL-COUNT"} for _ in range(3_000)]
    faults = at_the_door(table(many))
    assert len(faults) < 1_100
    assert "over 1,000 faults" in faults[-1].what


def test_numbers_may_not_be_chosen() -> None:
    some = rows()
    some[3]["id"], some[7]["id"] = some[7]["id"], some[3]["id"]
    faults = at_the_door(table(some))
    assert [(fault.line, fault.field) for fault in faults] == [(5, "id"), (9, "id")]
    assert ["the next is NC-04" in faults[0].what, "the next is NC-08" in faults[1].what] == [True, True]


def test_columns_in_an_order_of_ones_own_are_refused() -> None:
    columns = list(rows()[0])
    columns[4], columns[5] = columns[5], columns[4]
    (fault,) = at_the_door(table(rows(), columns))
    assert "the columns stand in an order of their own" in fault.what


def test_too_many_rows_are_refused(copy: Callable[[], Path]) -> None:
    many = [rows()[n % 9] | {"id": f"NC-{n + 1:02d}"} for n in range(42)]
    faults = at_the_door(table(many))
    assert [(fault.line, fault.field) for fault in faults] == [(42, "id"), (43, "id")]
    folder = with_sources(copy())
    body = table(many).decode().partition("\n")[2]
    rewritten(folder, "reports/vessels.csv", lambda text: text + body)
    (fault,) = check_observers(Folder(folder), TZ).faults
    assert "may file 40 rows of vessels, and there are 42" in fault.what


def test_a_position_that_comes_with_a_row_is_refused() -> None:
    point = {"type": "Point", "coordinates": [-82.7534, 22.9912]}
    feature = {"type": "Feature", "geometry": point, "properties": rows()[0]}
    raw = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    (fault,) = at_the_door(raw, "vessels.geojson")
    assert (fault.field, fault.what) == ("geometry", "neutral-counter may not send a position with a row")


def test_a_row_without_a_source_and_one_that_takes_over_anothers() -> None:
    faults = at_the_door(changed(2, source_id=""), author="neutral counter")
    assert {(fault.line, fault.field) for fault in faults} == {(2, "source_id")}
    faults = at_the_door(changed(2, id="VES-01"))
    assert (2, "id") in {(fault.line, fault.field) for fault in faults}
    assert "may not take the place of a row of another source" in " ".join(fault.what for fault in faults)


def test_a_row_that_says_little_is_held_with_what_is_on_file(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    rewritten(folder, "reports/vessels.csv", lambda text: text + NEUTRAL.decode().partition("\n")[2])
    away = at_the_door(changed(4, source_id="S-CIA-1109", note="SS-4"), files=Folder(folder))
    assert {(fault.line, fault.field) for fault in away} == {(4, "source_id"), (4, "note")}


def test_other_tables_of_a_class_are_closed() -> None:
    header = (EXAMPLE / "reports" / "incidents.csv").read_text("utf-8").splitlines()[0]
    raw = f"{header}\nINC-99,1962-11-09,1962-11-09,shoot_down,counter,SS-4 seen,S-NEUTRAL-COUNT,,page,\n".encode()
    (fault,) = at_the_door(raw, "incidents.csv")
    assert fault.what == "neutral-counter may not file rows of incidents"


@pytest.mark.parametrize(
    ("old", "new", "field", "what"),
    [
        ("{finest: day}", "{finest: second}", "departure_date", "not a precision of time"),
        ("finest: 0.1}", "finest: 0}", "finest", "a step of nothing"),
        ("finest: 0.1}", "finest: 1e999}", "finest", "not a number"),
        ("whole: true}}\n        date", "}}\n        date", "number", "not a range of numbers"),
        ("least: 0, most: 20", "least: 20, most: 0", "number", "no numbers from least to most"),
        ("least: 0, most: 20", "least: 0.0000001, most: 20", "least", "not a number"),
        ("{id: NC-00}", "{id: NC}", "id", "not a pattern of ids"),
        ("{id: NC-00}", '{id: ".*"}', "id", "not a pattern of ids"),
        ("        id: {id: NC-00}\n", "", "vessels", "no rule for `id`"),
        ("{id: NO-00}", "{id: NC-00}", "id", "begins the ids of neutral-counter.vessels already"),
        ("name: {one_of", "nome: {one_of", "nome", "no column 'nome'"),
        ("{known_place: [port]}", "{known_place: [harbour]}", "known_place", "no kind 'harbour'"),
        ("{known_place: [port]}", "{finest: hour, known_place: [port]}", "finest", "not a number"),
        ("exhibits: none", "exhibits: photographs", "exhibits", "files no exhibits"),
        ("most_rows: 40", "most_rows: 1000000", "most_rows", "not a number"),
        ("most_rows: 40", "most_rows: 100", "most_rows", "more rows than the ids have digits for"),
        ("most_rows: 40", "most_rows: 4.0", "most_rows", "not a number"),
        ("from: 1962-11-05", "from: 1962-11", "from", "not a day"),
        ("to: 1962-11-30", "to: 1962-11-01", "to", "before `from`"),
        ("sources: [S-NEUTRAL-COUNT]", "sources: []", "sources", "not a list"),
        ("sources: [S-NEUTRAL-COUNT]", "sources: [[[S]]]", "0", "not a text"),
        ("[Alapaevsk, Bratsk,", f"[Alapaevsk, Br{CYRILLIC_A}tsk, Bratsk,", "one_of", "looks like"),
        ("[Alapaevsk, Bratsk,", "[Alapaevsk, Alapaevsk, Bratsk,", "one_of", "a text twice"),
        ("{one_of: [page]}", "{one_of: [8]}", "0", "not a text"),
        ("{one_of: [page]}", "{one_of: [page], finest: day}", "basis", "two rules"),
        ("{one_of: [page]}", "{none_of: [page]}", "basis", "not a rule"),
        ("{one_of: [page]}", "{finest: day}", "basis", "holds no time and no place"),
        ("text: {longest: 60, words: [", 'text: {longest: 60, words: ["a; b", ', "words", "holds a semicolon"),
        ("text: {longest: 60, ", "text: {", "text", "not a rule for text"),
        ("neutral-counter:", "Neutral Counter:", "Neutral Counter", "cannot name a class"),
        ("      vessels:", "      ships:", "ships", "no table 'ships'"),
        ("    why:", "    reason:", "reason", "unknown key"),
        ("    title:", "    title: &a", "", "anchor"),
    ],
)
def test_a_class_that_is_badly_written_is_a_fault_with_its_line(old: str, new: str, field: str, what: str) -> None:
    text = CLASSES.read_text("utf-8")
    assert old in text
    _, faults = read_classes(text.replace(old, new, 1).encode(), TZ)
    found = [fault for fault in faults if what in fault.what]
    assert [fault.field.rpartition(".")[2] for fault in found][:1] == [field], faults
    assert found[0].line >= 6
    assert found[0].do


@pytest.mark.parametrize("raw", [b"", b"classes: [a]", b"a: {}", b"\xff\xfe", b"classes: {a: 1}", b"classes: {a: {tables: [1]}}"])
def test_a_file_that_is_no_list_of_classes(raw: bytes) -> None:
    classes, faults = read_classes(raw, TZ)
    assert classes == []
    assert faults != []


def test_a_class_with_faults_lets_nothing_in(copy: Callable[[], Path]) -> None:
    folder = rewritten(copy(), "observers.yaml", lambda text: text.replace("finest: hour", "finest: second"))
    faults = at_the_door(NEUTRAL, files=Folder(folder))
    assert {fault.file for fault in faults} == {"observers.yaml"}


def test_heaped_marks_cost_no_time(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    heap = "Bratsk" + "\u0301\u0316" * 40_000
    body = changed(2, name=heap).decode().partition("\n")[2]
    rewritten(folder, "reports/vessels.csv", lambda text: text + body)
    started = perf_counter()
    (fault,) = check_observers(Folder(folder), TZ).faults
    assert perf_counter() - started < 5
    assert (fault.field, len(str(fault)) < 1000) == ("name", True)


NONCE = bytes(range(32))
OPENING = seals.opening_of("Neutral commission", "nine ships", NONCE, "vessels", rows())
SEALED = seals.write_seal(seals.seal_of(OPENING))
OPENED = seals.write_opening(OPENING)


def edited(raw: bytes, **change: object) -> bytes:
    return canonical_json(json.loads(raw) | change) + b"\n"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (OPENED[:-40], "not JSON"),
        (b"", "not JSON"),
        (b"[]", "not the keys"),
        (b"\xff" + OPENED, "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b" " * 4_000_001, "larger than 4,000,000 bytes"),
        (OPENED.replace(b'"by":', b'"by":"x","by":', 1), "a key twice"),
        (OPENED.replace(b'"id":', b'"id":"NC-99","id":', 1), "a key twice"),
        (OPENED.replace(b'"v":1', b'"v":' + b"1" * 100_000), "not JSON"),
        (OPENED.replace(b'"v":1', b'"v":1.0'), "not JSON"),
        (OPENED.replace(b'"v":1', b'"v":NaN'), "not JSON"),
        (OPENED.replace(b'"v":1', b'"v":2'), "of another version"),
        (OPENED.replace(b'"v":1', b'"v":true'), "of another version"),
        (OPENED.replace(b"Bratsk", b"\\u0042ratsk"), "not in the one form"),
        (OPENED.replace(b"{", b"{ ", 1), "not in the one form"),
        (OPENED.replace(b"Bratsk", b"Bra\\ud800tsk"), "not in the one form"),
        (edited(OPENED, nonce="00"), "`nonce` is not 64"),
        (edited(OPENED, nonce=OPENING.nonce.upper()), "`nonce` is not 64"),
        (edited(OPENED, rows={}), "`rows` is no list"),
        (edited(OPENED, rows=[]), "0 rows"),
        (edited(OPENED, rows=[{"id": 1}]), "no column of texts"),
        (edited(OPENED, rows=[{"id": "1"}, {"id": "1"}]), "with one twice"),
        (edited(OPENED, rows=[{"id": "2"}, {"id": "1"}]), "not in the order"),
        (edited(OPENED, rows=[{"id": "1", "note": ""}]), "a row with blanks"),
        (edited(OPENED, rows=[{"id": "1", "marking": "TLP:RED"}]), "no part of a count"),
        (edited(OPENED, rows=[{"id": "1", "Note": "x"}]), "no column of texts"),
        (edited(OPENED, rows=[{"id": "1", "note": "x\u202ey"}]), "turns the direction"),
        (edited(OPENED, rows=[{"id": "1", "note": "e\u0301"}]), "composed Unicode form"),
        (edited(OPENED, rows=[{"id": "1"} | {f"c{'x' * n}": "1" for n in range(70)}]), "over 60 columns"),
        (edited(OPENED, by=""), "`by` is no name"),
        (edited(OPENED, by="x" * 201), "`by` is no name"),
        (edited(OPENED, by=f"Neutr{CYRILLIC_A}l"), "several scripts"),
        (edited(OPENED, by="a\nb"), "several scripts in a word, or one that does not show"),
        (edited(OPENED, of="ships\u200b"), "does not show"),
        (edited(OPENED, table="../x"), "no name of a table"),
        (edited(OPENED, more="x"), "not the keys"),
    ],
)
def test_an_opening_that_is_none_is_refused(raw: bytes, what: str) -> None:
    with pytest.raises(SealError) as error:
        seals.read_opening(raw, "count.opening")
    assert what in error.value.what
    assert error.value.where == "count.opening"
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("raw", [SEALED[:-9], SEALED * 2, b" " * 5_000, edited(SEALED, seal="g" * 64), edited(SEALED, seal=7)])
def test_a_seal_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(SealError):
        seals.read_seal(raw, "count.seal")


def test_every_bit_of_an_opening_counts() -> None:
    small = seals.opening_of("Neutral commission", "nine ships", NONCE, "vessels", rows()[:1])
    made, whole = seals.seal_of(small), seals.write_opening(small)
    seals.check_opening(made, seals.read_opening(whole, ""))
    for n in range(len(whole) - 1):
        for bit in range(8):
            raw = whole[:n] + bytes([whole[n] ^ 1 << bit]) + whole[n + 1 :]
            with pytest.raises(SealError):
                seals.check_opening(made, seals.read_opening(raw, ""))


def test_a_seal_that_was_copied_opens_for_nobody_else() -> None:
    copied = seals.Seal("Other side", "nine ships", seals.seal_of(OPENING).seal)
    with pytest.raises(SealError, match="the opening of 'Neutral commission'"):
        seals.check_opening(copied, OPENING)
    stolen = seals.opening_of("Other side", "nine ships", NONCE, "vessels", rows())
    with pytest.raises(SealError, match="changed after sealing"):
        seals.check_opening(copied, stolen)


def test_too_many_rows_and_a_short_nonce_are_not_sealed() -> None:
    with pytest.raises(SealError, match="5001 rows"):
        seals.opening_of("a", "b", NONCE, "vessels", ({"id": f"{n:05d}"} for n in range(5_001)))
    with pytest.raises(SealError, match="a nonce of 16 bytes"):
        seals.opening_of("a", "b", NONCE[:16], "vessels", rows())


def test_blanks_in_a_field_that_nobody_allowed(copy: Callable[[], Path]) -> None:
    folder = with_sources(copy())
    body = changed(4, citation="  ").decode().partition("\n")[2]
    rewritten(folder, "reports/vessels.csv", lambda text: text + body)
    assert [fault.field for fault in check_observers(Folder(folder), TZ).faults] == ["citation"]


GROUND = Ground(TZ, {"Mariel": "port"}, moment("1962-11-05", TZ).first, moment("1962-11-06", TZ).last)


@pytest.mark.parametrize(
    ("rule", "alphabet", "longest", "allowed"),
    [
        (Number(Decimal(0), Decimal(20), Decimal(1)), "0123456789.+- e", 4, {str(n) for n in range(21)}),
        (Number(Decimal(-1), Decimal(1), Decimal("0.5")), "0157.+-", 4, {"-1.0", "-0.5", "0.0", "0.5", "1.0"}),
        (Numbered("N-", 2), "N-01239", 4, {f"N-{a}{b}" for a, b in product("01239", repeat=2)} - {"N-00"}),
        (Phrases(5, ("a", "b")), "ab; ", 5, {"a", "b", "a; b"}),
        (OneOf(("a", "ab")), "abAB ", 4, {"a", "ab"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_thing_can_be_written_in_one_way(rule: Rule, alphabet: str, longest: int, allowed: set[str]) -> None:
    every = ("".join(chars) for size in range(1, longest + 1) for chars in product(alphabet, repeat=size))
    assert {text for text in every if rule.allows(text, GROUND)} == allowed


def test_a_position_is_a_point_of_the_grid_in_its_one_form() -> None:
    rule = Where(("port",), Decimal("0.5"))
    points = [
        f"{a}{x}.{y} -82.5" for a in ("", "-", "+") for x in ("0", "22", "022", "90", "91") for y in ("0", "5", "1", "50", "")
    ]
    assert {text for text in points if rule.allows(text, GROUND)} == {
        f"{x} -82.5" for x in ("0.0", "0.5", "-0.5", "22.0", "22.5", "-22.0", "-22.5", "90.0")
    }
    assert not any(
        rule.allows(text, GROUND) for text in ("22.5, -82.5", "22.5  -82.5", "22.5 -180.0", "22.5 180.5", "mariel", "22.5")
    )
    assert rule.allows("Mariel", GROUND)
    assert not Where((), Decimal("0.5")).allows("Mariel", GROUND)


@pytest.mark.parametrize(("finest", "step"), [("minute", 1), ("hour", 60), ("day", 1440)])
def test_times_are_told_in_one_form_within_the_days_at_work(finest: str, step: int) -> None:
    rule = Time(finest)
    instants = [GROUND.first + timedelta(minutes=n) for n in range(-180, 2 * 1440 + 180)]
    forms = ["%Y-%m-%dT%H:%M-05:00", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:00-05:00", "%Y-%m-%d"]
    every = {at.astimezone(TZ).strftime(form) for at in instants for form in forms}
    allowed = sorted(text for text in every if rule.allows(text, GROUND))
    assert len(allowed) == 2 * 1440 // step
    assert (allowed[0][:10], allowed[-1][:10]) == ("1962-11-05", "1962-11-06")
