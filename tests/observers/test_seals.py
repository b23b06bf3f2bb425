"""Sealed counts: the hash against programs that others wrote, what opens, what differs, and seals in a case."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from observers.counting import NEUTRAL, OTHER_SIDE, TZ, rewritten, rows, with_sources
from support import ROOT
from tallybook.casefile.files import Folder
from tallybook.casefile.seals import FILE, Timed, order_words, read_seals
from tallybook.core.time import moment
from tallybook.errors import TallybookError
from tallybook.evidence import seal as seals
from tallybook.evidence.ingest.safe_cells import table_text
from tallybook.evidence.seal import (
    COLUMNS,
    Difference,
    NotItsOpeningError,
    Opening,
    SealError,
    check_opening,
    differences,
    opening_of,
    seal_of,
)
from tallybook.registry.counting import lodged_row

OF = "missiles on the nine ships of November"
OURS = opening_of("Neutral commission", OF, bytes(range(32)), "vessels", rows())
THEIRS = opening_of("Other side", OF, bytes(range(100, 132)), "vessels", rows(OTHER_SIDE))


def documented_bytes(opening: Opening) -> bytes:
    """The bytes as docs/how-to/observers.md says, by the package rfc8785."""
    rows_ = sorted((dict(row) for row in opening.rows), key=lambda row: row["id"])
    said: dict[str, Any] = {"by": opening.by, "of": opening.of, "nonce": opening.nonce, "table": opening.table, "rows": rows_}
    return b"tallybook sealed count v1\n" + rfc8785.dumps(said)


@pytest.mark.parametrize("opening", [OURS, THEIRS])
@pytest.mark.parametrize("program", [["sha256sum"], ["openssl", "dgst", "-sha256", "-r"]], ids=lambda program: program[0])
def test_the_seal_is_what_others_programs_say(opening: Opening, program: list[str]) -> None:
    assert shutil.which(program[0]) is not None
    told = subprocess.run(program, input=documented_bytes(opening), capture_output=True, check=True)
    assert told.stdout.split()[0].decode() == seal_of(opening).seal


def test_the_domain_of_the_page_is_the_one_in_use() -> None:
    page = (ROOT / "docs" / "how-to" / "observers.md").read_text("utf-8")
    assert seals.DOMAIN.decode().strip() in page
    assert "sha256sum" in page


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12)


@given(st.dictionaries(st.sampled_from(["name", "note", "citation"]), TEXT, max_size=3), st.binary(min_size=32, max_size=32))
def test_what_is_sealed_opens_and_comes_back_as_it_was(fields: dict[str, str], nonce: bytes) -> None:
    try:
        made = opening_of("A", "b", nonce, "vessels", [{"id": "1"} | fields])
    except SealError:
        assert not all(text.isascii() for text in fields.values())
        return
    assert seals.read_opening(seals.write_opening(made), "") == made
    assert seals.read_seal(seals.write_seal(seal_of(made)), "") == seal_of(made)
    assert sha256(documented_bytes(made)).hexdigest() == seal_of(made).seal
    check_opening(seal_of(made), made)


def test_two_sealed_counts_open_and_agree() -> None:
    for opening in (OURS, THEIRS):
        check_opening(seal_of(opening), opening)
    assert differences(OURS, THEIRS) == []


def test_a_count_that_was_tampered_with_does_not_open() -> None:
    for column, text in (("items_counted", "3"), ("name", "Okhotsk"), ("date_counted", "1962-11-09T11:00-05:00"), ("note", "x")):
        some = rows()
        some[2][column] = text
        with pytest.raises(NotItsOpeningError, match="changed after sealing"):
            check_opening(seal_of(OURS), opening_of(OURS.by, OURS.of, bytes.fromhex(OURS.nonce), "vessels", some))
    for some in (rows()[:8], [*rows(), rows()[0] | {"id": "NC-10"}]):
        with pytest.raises(NotItsOpeningError, match="changed after sealing"):
            check_opening(seal_of(OURS), opening_of(OURS.by, OURS.of, bytes.fromhex(OURS.nonce), "vessels", some))
    with pytest.raises(NotItsOpeningError, match="changed after sealing"):
        check_opening(seal_of(OURS), opening_of(OURS.by, OURS.of, bytes(32), "vessels", rows()))


def test_an_opening_of_another_is_called_so() -> None:
    with pytest.raises(NotItsOpeningError, match="the opening of 'Other side'"):
        check_opening(seal_of(OURS), THEIRS)


def test_differences_are_told_by_row_and_field() -> None:
    some = rows(OTHER_SIDE)
    some[3]["items_counted"] = "6"
    del some[8]
    theirs = opening_of("Other side", OF, bytes(32), "vessels", some)
    assert differences(OURS, theirs) == [
        Difference("Alapaevsk", "", "counted", ""),
        Difference("Volgoles", "items_counted", "7", "6"),
    ]
    assert differences(OURS, theirs, fields=["cargo_class"]) == [Difference("Alapaevsk", "", "counted", "")]
    some[0]["items_counted"] = "8.0"
    assert len(differences(OURS, opening_of("Other side", OF, bytes(32), "vessels", some))) == 2


def test_counts_that_cannot_be_compared_are_refused() -> None:
    twice = [row | {"name": "Bratsk"} for row in rows(OTHER_SIDE)]
    with pytest.raises(SealError, match="two rows for 'Bratsk'"):
        differences(OURS, opening_of("Other side", OF, bytes(32), "vessels", twice))
    with pytest.raises(SealError, match="a row without `citation`"):
        differences(OURS, THEIRS, key="citation")
    with pytest.raises(SealError, match="different tables"):
        differences(OURS, opening_of("Other side", OF, bytes(32), "observations", rows(OTHER_SIDE)))


def test_nothing_of_the_count_is_in_the_seal() -> None:
    public = json.loads(seals.write_seal(seal_of(OURS)))
    assert public == {"by": "Neutral commission", "of": OF, "seal": seal_of(OURS).seal, "v": 1}
    assert seal_of(opening_of(OURS.by, OURS.of, bytes(32), "vessels", rows())).seal != public["seal"]


# --- in a case


def lodged(opening: Opening, at: str, opened: str = "") -> dict[str, str]:
    row = lodged_row(seal_of(opening), at, opened or at)
    ids = "; ".join(row_["id"] for row_ in opening.rows)
    return row | ({"opened_at": opened, "nonce": opening.nonce, "rows": ids} if opened else {})


def case_with(folder: Path, *seals_: dict[str, str]) -> Path:
    """A case with both counts on file, and seals."""
    with_sources(folder)
    both = NEUTRAL.decode().partition("\n")[2] + OTHER_SIDE.decode().partition("\n")[2]
    rewritten(folder, "reports/vessels.csv", lambda text: text + both)
    (folder / FILE).write_text(table_text(COLUMNS, seals_), "utf-8")
    return folder


SEALED_BOTH = "1962-11-10T12:00-05:00", "1962-11-10T13:00-05:00"
OPENED_BOTH = "1962-11-11T12:00-05:00", "1962-11-11T12:30-05:00"


def test_seals_that_were_opened_in_order_hold(copy: Callable[[], Path]) -> None:
    one, other = (lodged(o, s, t) for o, s, t in zip((OURS, THEIRS), SEALED_BOTH, OPENED_BOTH, strict=True))
    read = read_seals(Folder(case_with(copy(), one, other)), TZ)
    assert (read.faults, read.notes) == ([], [])
    assert [record.opening for record in read.records] == [OURS, THEIRS]


def test_a_count_changed_after_sealing_is_shown_as_such(copy: Callable[[], Path]) -> None:
    one, other = (lodged(o, s, t) for o, s, t in zip((OURS, THEIRS), SEALED_BOTH, OPENED_BOTH, strict=True))
    folder = case_with(copy(), one, other)
    rewritten(folder, "reports/vessels.csv", lambda text: text.replace("NC-04,Volgoles,Mariel,,,7", "NC-04,Volgoles,Mariel,,,6"))
    read = read_seals(Folder(folder), TZ)
    (fault,) = read.faults
    assert (fault.file, fault.line, fault.field) == (FILE, 2, "rows")
    assert fault.what.startswith("changed after sealing")
    rewritten(folder, "reports/vessels.csv", lambda text: text.replace("NC-04,", "NC-40,"))
    assert [fault.what for fault in read_seals(Folder(folder), TZ).faults] == [
        "changed after sealing: 'NC-04' of this count is not on file"
    ]


def test_what_a_desk_adds_to_a_row_is_no_change(copy: Callable[[], Path]) -> None:
    folder = case_with(copy(), lodged(OURS, SEALED_BOTH[0], OPENED_BOTH[0]), lodged(THEIRS, *SEALED_BOTH[1:], OPENED_BOTH[1]))
    marked = "id,name,departure_port,departure_date"
    text = (folder / "reports" / "vessels.csv").read_text("utf-8")
    lines = [f"{line},{'marking' if line.startswith(marked) else 'TLP:RED'}" for line in text.splitlines()]
    (folder / "reports" / "vessels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    assert read_seals(Folder(folder), TZ).faults == []


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (
            (SEALED_BOTH[0], OPENED_BOTH[0]),
            ("1962-11-12T09:00-05:00", "1962-11-12T10:00-05:00"),
            "opened before 'Other side' had sealed",
        ),
        ((SEALED_BOTH[0], OPENED_BOTH[0]), (SEALED_BOTH[1], ""), "'Other side' never opened, and 'Neutral commission' did"),
        (("1962-11-10", "1962-11-11"), ("1962-11-11", "1962-11-12"), "it is not shown that 'Other side' sealed before"),
    ],
)
def test_the_order_matters(copy: Callable[[], Path], ours: tuple[str, str], theirs: tuple[str, str], words: str) -> None:
    read = read_seals(Folder(case_with(copy(), lodged(OURS, *ours), lodged(THEIRS, *theirs))), TZ)
    assert read.faults == []
    (note,) = read.notes
    assert words in note.what


def test_seals_alone_twice_and_copied(copy: Callable[[], Path]) -> None:
    folder = case_with(copy(), lodged(OURS, SEALED_BOTH[0], OPENED_BOTH[0]))
    assert ["nobody else has sealed a count of it" in note.what for note in read_seals(Folder(folder), TZ).notes] == [True]
    again = opening_of(OURS.by, OF, bytes(32), "vessels", rows()[:3])
    table = [lodged(OURS, SEALED_BOTH[0]), lodged(again, SEALED_BOTH[1])]
    (folder / FILE).write_text(table_text(COLUMNS, table), "utf-8")
    assert ["may choose which to open" in note.what for note in read_seals(Folder(folder), TZ).notes] == [True]
    copied = seals.Seal("Other side", OF, seal_of(OURS).seal)
    table = [lodged(OURS, SEALED_BOTH[0]), lodged_row(copied, *SEALED_BOTH)]
    (folder / FILE).write_text(table_text(COLUMNS, table), "utf-8")
    (fault,) = read_seals(Folder(folder), TZ).faults
    assert fault.what == "a copy of the seal of 'Neutral commission' (line 2): it opens for nobody else"


@pytest.mark.parametrize(
    ("change", "field", "what"),
    [
        ({"seal": "0" * 63}, "seal", "not 64 hexadecimal digits"),
        ({"seal": "0" * 64}, "id", "is not the id of this seal"),
        ({"nonce": "xyz"}, "nonce", "not 64 hexadecimal digits"),
        ({"nonce": "0" * 64}, "rows", "changed after sealing"),
        ({"nonce": ""}, "opened_at", "opened in part"),
        ({"rows": "NC-01"}, "rows", "changed after sealing"),
        ({"rows": "NC-01; NC-01"}, "rows", "a row twice"),
        ({"rows": "NC-01; OBS-001"}, "rows", "rows of observations and vessels"),
        ({"rows": "; ".join(["NC-01"] * 5_001)}, "rows", "over 5,000 rows"),
        ({"by": ""}, "by", "blank"),
        ({"sealed_at": "yesterday"}, "sealed_at", "is not a date"),
        ({"sealed_at": ""}, "sealed_at", "blank"),
        ({"opened_at": "1962-11-01"}, "opened_at", "when it was sealed"),
        ({"known_at": "1962-11-01"}, "known_at", "when it was sealed"),
        ({"id": "SEAL 1"}, "id", "cannot be an id"),
    ],
)
def test_a_row_that_is_no_seal_is_a_fault(copy: Callable[[], Path], change: dict[str, str], field: str, what: str) -> None:
    folder = case_with(copy(), lodged(OURS, SEALED_BOTH[0], OPENED_BOTH[0]) | change)
    found = [(fault.line, fault.field) for fault in read_seals(Folder(folder), TZ).faults if what in fault.what]
    assert found == [(2, field)]


def test_a_table_of_seals_that_cannot_be_read(copy: Callable[[], Path]) -> None:
    folder = copy()
    assert read_seals(Folder(folder), TZ).faults == []
    for raw in (b"", b"id,by\n", b"\xff", b"x" * 10):
        (folder / FILE).write_bytes(raw)
        assert {fault.file for fault in read_seals(Folder(folder), TZ).faults} == {FILE}
    (folder / FILE).unlink()
    (folder / FILE).mkdir()
    assert "not a file" in read_seals(Folder(folder), TZ).faults[0].what


def test_too_many_seals_of_one_thing(copy: Callable[[], Path]) -> None:
    made = [seal_of(opening_of(f"party {n}", OF, bytes([n]) * 32, "vessels", rows())) for n in range(21)]
    folder = case_with(copy(), *(lodged_row(one, SEALED_BOTH[0], SEALED_BOTH[0]) for one in made))
    assert ["over 20 seals of" in fault.what for fault in read_seals(Folder(folder), TZ).faults] == [True]


def test_both_sealed_first_is_the_only_order_without_a_word() -> None:
    hours = [moment(f"1962-11-10T1{n}:00-05:00", TZ) for n in range(4)]
    for a, b, c, d in product(range(4), repeat=4):
        one, other = Timed("A", hours[a], hours[b]), Timed("B", hours[c], hours[d])
        assert sorted(order_words(one, other)) == sorted(order_words(other, one))
        # A sealed at a and opened at b, B sealed at c and opened at d.
        assert (order_words(one, other) == []) == (c < b and a < d)


def test_errors_say_what_where_and_what_to_do() -> None:
    with pytest.raises(TallybookError) as error:
        check_opening(seal_of(OURS), THEIRS, "their.opening")
    assert error.value.where == "their.opening"
    assert error.value.do
