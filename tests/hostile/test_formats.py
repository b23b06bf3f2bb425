"""Rows 17, 18 and 29 of the attack list: notes and checkpoints that are almost right, and markings that are let down."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.known_logs import KEYS, LOG, head, note
from ledgers import ORIGIN, draft, ledger
from registry.desk_of import DeskOf, set_up
from tallybook.errors import TallybookError
from tallybook.ledger.asof import books
from tallybook.ledger.checkpoint import CheckpointError, format_body, parse_body
from tallybook.ledger.entry import EntryError
from tallybook.ledger.memory import MemoryStore
from tallybook.ledger.note import MOST_SIGNATURES, NoteError, parse_note, sign_note
from tallybook.ledger.signed import open_checkpoint
from tallybook.registry import place as places

GOOD = note(7).decode()
TEXT, _, SIGNATURES = GOOD.partition("\n\n")


@pytest.mark.parametrize(
    "bad",
    [
        GOOD[:-1],
        GOOD.replace("\n\n", "\n"),
        GOOD + "a stray line\n",
        GOOD + "\n",
        GOOD.replace("— ", "- "),
        GOOD.replace("— ", "—  "),
        GOOD.replace(ORIGIN, f"{ORIGIN}\x00"),
        GOOD.replace("\n7\n", "\n7\r\n"),
        GOOD.replace("\n7\n", "\n7\x1b[2J\n"),
        f"{TEXT}\n\n{SIGNATURES * (MOST_SIGNATURES + 1)}",
        f"{TEXT}\n\n— a name with spaces {SIGNATURES.split()[-1]}\n",
        f"{TEXT}\n\n{SIGNATURES[:-5]}=\n",
        f"{TEXT}\n\n{SIGNATURES.rstrip()}A\n",
        f"{TEXT}\n\n{SIGNATURES.replace('+', '-')[:-2]} \n",
        "\n\n" + SIGNATURES,
        "",
    ],
)
def test_17_notes_that_are_almost_right(bad: str) -> None:
    with pytest.raises(TallybookError) as told:
        open_checkpoint(bad.encode(), KEYS)
    assert told.value.do


def test_17_a_note_that_is_not_text() -> None:
    with pytest.raises(NoteError):
        parse_note(GOOD.encode() + b"\xff")


def test_17_a_hundred_signatures_are_read_and_one_more_is_not() -> None:
    text = format_body(head(7))
    signatures = sign_note(text, [LOG]).decode().partition("\n\n")[2]
    assert len(parse_note(f"{text}\n{signatures * MOST_SIGNATURES}".encode()).signatures) == MOST_SIGNATURES
    with pytest.raises(NoteError):
        parse_note(f"{text}\n{signatures * (MOST_SIGNATURES + 1)}".encode())


@pytest.mark.parametrize(
    "size", ["-34", "+5", "007", "00", "１２", "٣", " 7", "7 ", "7.0", "7e0", "0x7", "1_0", "", "9" * 28, str(1 << 63)]
)
def test_18_sizes_that_are_none(size: str) -> None:
    body = format_body(head(7))
    assert parse_body(body).size == 7
    with pytest.raises(CheckpointError):
        parse_body(body.replace("\n7\n", f"\n{size}\n", 1))


@pytest.mark.parametrize("cut", [1, 2, 4, 12, 43, 44])
def test_18_a_short_root(cut: int) -> None:
    origin, size, root = format_body(head(7)).split("\n")[:3]
    with pytest.raises(CheckpointError):
        parse_body(f"{origin}\n{size}\n{root[:-cut]}\n")
    with pytest.raises(CheckpointError):
        parse_body(f"{origin}\n{size}\n{root[: -4 * -(-cut // 4)]}\n")


def test_29_sent_again_with_a_lower_marking_it_keeps_its_own() -> None:
    store = MemoryStore(ORIGIN)
    book = ledger(store)
    first = book.append([draft(1, "words", marking="SECRET//NOFORN")])[0]
    again = book.append([draft(1, "words", marking="UNCLASSIFIED")])[0]
    assert (again.index, again.is_new) == (first.index, False)
    with store.read() as reading:
        (entry,) = books(reading).standing()
        assert reading.size() == 1
    assert entry.marking == "SECRET//NOFORN"


@pytest.mark.parametrize("marking", ["", "UNCLASSIFIED", "secret//noforn", "SECRET"])
def test_29_a_correction_releases_nothing(marking: str) -> None:
    book = ledger(MemoryStore(ORIGIN))
    first = book.append([draft(1, "words", marking="SECRET//NOFORN")])[0]
    with pytest.raises(EntryError, match="corrects what is marked SECRET//NOFORN"):
        book.append([draft(1, "other words", marking=marking, corrects=first.index)])
    assert book.append([draft(1, "other words", marking="SECRET//NOFORN", corrects=first.index)])[0].is_new


def test_29_the_marking_is_in_what_is_hashed() -> None:
    one, other = MemoryStore(ORIGIN), MemoryStore(ORIGIN)
    ledger(one).append([draft(1, "words", marking="SECRET")])
    ledger(other).append([draft(1, "words", marking="")])
    with one.read() as a, other.read() as b:
        entry, unmarked = a.entry(0), b.entry(0)
    assert entry is not None
    assert unmarked is not None
    assert b'"marking":"SECRET"' in entry.leaf
    assert entry.leaf_hash != unmarked.leaf_hash


def test_29_a_marked_case_is_not_exported_as_a_bare_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = DeskOf(set_up(tmp_path, monkeypatch), capsys)
    desk.run("ledger", "init", str(desk.folder))
    book = places.open_ledger(places.Place(desk.folder), None, {"XDG_CONFIG_HOME": str(tmp_path / "config")})
    book.append([draft(1, marking="SECRET")])
    places.close_stores()
    told = desk.run("ledger", "export", str(desk.folder), str(tmp_path / "out"), expect=2)
    assert "marked SECRET" in told
    assert not (tmp_path / "out").exists()
