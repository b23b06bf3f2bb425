"""Any one bit changed behind a log's back is seen by the audit, and named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgers import ORIGIN, drafts, ledger
from tallybook.ledger.audit import Signed, audit
from tallybook.ledger.entry import Entry, Stored
from tallybook.ledger.growth import Growth
from tallybook.ledger.memory import MemoryStore
from tallybook.ledger.store import Tile
from tallybook.ledger.tree import EMPTY_ROOT

SIZE = 600


def filled(size: int = SIZE) -> tuple[MemoryStore, list[Signed]]:
    """A log, and its checkpoint."""
    store = MemoryStore(ORIGIN)
    ledger(store).append(drafts(0, size))
    with store.read() as reading:
        return store, [Signed(size, Growth.load(reading).root())]


WHOLE, SIGNED = filled()


def flipped(raw: bytes, bit: int) -> bytes:
    at = bit % (8 * len(raw))
    return raw[: at // 8] + bytes([raw[at // 8] ^ 1 << at % 8]) + raw[at // 8 + 1 :]


def changed(entry: Stored, field: str, bit: int) -> Stored:
    if field == "key":
        return entry._replace(key=entry.key ^ 1 << bit % 62)
    return entry._replace(**{field: flipped(getattr(entry, field), bit)})  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, SIZE - 1), st.sampled_from(["key", "leaf_hash", "salt", "leaf", "body"]), st.integers(0, 10_000))
def test_one_bit_of_an_entry(seq: int, field: str, bit: int) -> None:
    entries = WHOLE._state.entries
    whole = entries[seq]
    entries[seq] = changed(whole, field, bit)
    try:
        with WHOLE.read() as reading:
            faults = audit(reading, SIGNED).faults
    finally:
        entries[seq] = whole
    assert seq in {fault.seq for fault in faults}
    assert {fault.covered_by for fault in faults if fault.seq == seq} == {SIZE}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(WHOLE._state.tiles)), st.sampled_from(["root", "hashes"]), st.integers(0, 70_000))
def test_one_bit_of_a_tile(at: tuple[int, int], field: str, bit: int) -> None:
    tiles = WHOLE._state.tiles
    whole: Tile = tiles[at]
    tiles[at] = (
        replace(whole, root=flipped(whole.root, bit)) if field == "root" else replace(whole, hashes=flipped(whole.hashes, bit))
    )
    try:
        with WHOLE.read() as reading:
            faults = audit(reading, SIGNED).faults
    finally:
        tiles[at] = whole
    assert [f"tile {at[0]}/{at[1]}" in fault.what for fault in faults] == [True]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, SIZE), st.integers(0, 255))
def test_one_bit_of_what_was_signed(size: int, bit: int) -> None:
    with WHOLE.read() as reading:
        growth = Growth()
        growth.extend(reading.leaf_hashes(0, size))
        assert audit(reading, [Signed(size, growth.root())]).faults == []
        (fault,) = audit(reading, [Signed(size, flipped(growth.root(), bit))]).faults
    assert fault.covered_by == size


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 600])
def test_a_sound_log_has_no_faults(size: int) -> None:
    store, signed = filled(size) if size else (MemoryStore(ORIGIN), [Signed(0, EMPTY_ROOT)])
    with store.read() as reading:
        found = audit(reading, signed)
    assert (found.faults, found.size, found.root) == ([], size, signed[0].root)


def test_a_log_shorter_than_what_was_signed() -> None:
    with WHOLE.read() as reading:
        (fault,) = audit(reading, [*SIGNED, Signed(SIZE + 1, bytes(32))]).faults
    assert fault.what == "the log is shorter than its checkpoint"


def test_an_entry_reads_as_it_was_filed() -> None:
    with WHOLE.read() as reading:
        entry = reading.entry(5)
    assert entry is not None
    read = Entry.read(5, entry.leaf, entry.body)
    assert (read.subject, read.author, read.corrects) == ("observations/5", "tester", None)
