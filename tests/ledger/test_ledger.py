"""The ledger itself: what a filer is told, what is refused, whose time it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgers import KNOWN, ORIGIN, SIGNER, START, Clock, Place, draft, drafts, leaf_hashes, ledger
from tallybook.ledger import entry as forms
from tallybook.ledger.entry import Draft, Entry, EntryError, canonical_json, instant_of, instant_text
from tallybook.ledger.ledger import MOST_AT_ONCE, STEPS, ClockError
from tallybook.ledger.memory import MemoryStore
from tallybook.ledger.signed import open_checkpoint
from tallybook.ledger.store import StoreError
from tallybook.ledger.tree import leaf_hash, root_of


def test_a_receipt_says_where_the_entry_stands(place: Place) -> None:
    store = place.make()
    receipts = ledger(store).append(drafts(0, 3))
    assert [receipt.index for receipt in receipts] == [0, 1, 2]
    with store.read() as reading:
        for receipt in receipts:
            stored = reading.entry(receipt.index)
            assert stored is not None
            assert leaf_hash(stored.leaf) == stored.leaf_hash == receipt.leaf_hash
            assert stored.entry.recorded_at == receipt.recorded_at
            assert canonical_json(json.loads(stored.leaf)) == stored.leaf


def test_nothing_filed_is_nothing_written(place: Place) -> None:
    store = place.make()
    book = ledger(store)
    assert book.append([]) == []
    assert book.checkpoint() is None
    assert leaf_hashes(store) == []


def test_salts_differ_and_are_not_in_the_leaf(place: Place) -> None:
    store = place.make()
    ledger(store).append(drafts(0, 50))
    with store.read() as reading:
        entries = list(reading.entries(0, 50))
    assert len({entry.salt for entry in entries}) == 50
    assert all(len(entry.salt or b"") == 16 and (entry.salt or b"").hex().encode() not in entry.leaf for entry in entries)


def test_the_same_body_about_two_subjects_is_two_entries() -> None:
    book = ledger(MemoryStore(ORIGIN))
    one = Draft("report", "observations/1", b"{}", "tester", KNOWN)
    other = Draft("report", "observations/2", b"{}", "tester", KNOWN)
    third = Draft("bearing", "observations/1", b"{}", "tester", KNOWN)
    assert [receipt.index for receipt in book.append([one, other, third, one])] == [0, 1, 2, 0]


def test_one_bad_draft_keeps_its_call_out_and_no_other(place: Place) -> None:
    store = place.make()
    book = ledger(store)
    with pytest.raises(EntryError, match="not about"):
        book.append([draft(1), draft(2, corrects=0)])
    assert leaf_hashes(store) == []
    assert [receipt.index for receipt in book.append([draft(1), draft(2)])] == [0, 1]
    with pytest.raises(EntryError, match="not about"):
        book.append([draft(2, "again", corrects=0)])
    assert book.append([draft(2, "again", corrects=1)])[0].index == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "Report"}, "kind"),
        ({"kind": ""}, "kind"),
        ({"kind": "a" * 33}, "kind"),
        ({"kind": "report\n"}, "kind"),
        ({"subject": ""}, "no subject"),
        ({"subject": "a\x00b"}, "control character"),
        ({"subject": "a\u202eb"}, "control character"),
        ({"subject": "e\u0301"}, "NFC"),
        ({"subject": "a" * 301}, "longer than"),
        ({"author": ""}, "no author"),
        ({"author": "\ud800"}, "control character"),
        ({"author": "a" * 201}, "longer than"),
        ({"marking": "m" * 501}, "longer than"),
        ({"known": "2000-01-01"}, "not an instant"),
        ({"known": "2000-01-01T00:00:00.000000+00:00"}, "not an instant"),
        ({"known": "2000-13-01T00:00:00.000000Z"}, "not an instant"),
        ({"known": "\u0662000-01-01T00:00:00.000000Z"}, "not an instant"),
        ({"known": KNOWN + "\n"}, "not an instant"),
        ({"valid_from": "soon"}, "not an instant"),
        ({"valid_from": KNOWN, "valid_to": "1999-01-01T00:00:00.000000Z"}, "before valid_from"),
        ({"body": b"x" * (forms.LARGEST_BODY + 1)}, "body of over"),
    ],
)
def test_what_cannot_be_an_entry_is_refused(change: dict[str, object], said: str) -> None:
    fields: dict[str, object] = {"kind": "report", "subject": "a/1", "body": b"{}", "author": "tester", "known": KNOWN}
    store = MemoryStore(ORIGIN)
    with pytest.raises(EntryError, match=said) as told:
        ledger(store).append([draft(0), Draft(**(fields | change))])  # type: ignore[arg-type]
    assert told.value.do
    assert leaf_hashes(store) == []


def test_too_many_at_once_are_refused() -> None:
    with pytest.raises(EntryError, match="at once"):
        ledger(MemoryStore(ORIGIN)).append([draft(0)] * (MOST_AT_ONCE + 1))


@pytest.mark.parametrize(
    ("leaf", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "of version"),
        (b'{"v":true}', "of version"),
        (b'{"v":2}', "newer"),
        (b'{"v":1}', "missing"),
        (b'{"v":1}x', "not JSON"),
        (b'{"v":1,"v":1}', "a key twice"),
        (b'{"v":1,"valid":[]}', "missing"),
    ],
)
def test_a_leaf_that_is_none_is_told(leaf: bytes, said: str) -> None:
    with pytest.raises(EntryError, match=said):
        Entry.read(4, leaf)


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), float("nan"), {1: 2}, {"a": b"x"}, "\ud800", object()])
def test_what_canonical_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(EntryError):
        canonical_json({"a": value})


def test_deep_nesting_is_refused() -> None:
    value: object = 1
    for _ in range(5_000):
        value = [value]
    with pytest.raises(EntryError, match="deep"):
        canonical_json(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
        max_leaves=12,
    )
)
def test_canonical_json_is_that_of_rfc_8785(value: object) -> None:
    import rfc8785

    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), st.integers(-14, 14))
def test_instants_go_there_and_back(at: datetime, hours: int) -> None:
    instant = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert instant_of(instant_text(instant)) == instant
    assert len(instant_text(instant)) == 27


def test_times_are_the_clocks_where_it_goes_on() -> None:
    clock = Clock()
    book = ledger(MemoryStore(ORIGIN), clock)
    assert book.append([draft(0)])[0].recorded_at == instant_text(START + timedelta(seconds=1))
    assert book.append([draft(1)])[0].recorded_at == instant_text(START + timedelta(seconds=2))


def test_times_in_a_batch_go_over_the_second() -> None:
    clock = Clock(datetime(2001, 12, 31, 23, 59, 58, 999_990, tzinfo=UTC))
    receipts = ledger(MemoryStore(ORIGIN), clock).append(drafts(0, 30))
    times = [instant_of(receipt.recorded_at) for receipt in receipts]
    assert times == [times[0] + timedelta(microseconds=n) for n in range(30)]
    assert times[-1].year == 2002


def test_a_small_step_back_is_not_noted_and_a_large_one_is() -> None:
    clock, store = Clock(), MemoryStore(ORIGIN)
    book = ledger(store, clock)
    book.append([draft(0)])
    clock.now -= timedelta(seconds=1.5)
    book.append([draft(1)])
    clock.now -= timedelta(seconds=5)
    book.append([draft(2)])
    with store.read() as reading:
        assert [entry.entry.clock != "" for entry in reading.entries(0, 3)] == [False, False, True]


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ClockError, match="time zone"):
        ledger(MemoryStore(ORIGIN), lambda: datetime(2001, 1, 1)).append([draft(0)])


def test_a_checkpoint_is_signed_by_the_next_start_where_a_crash_left_that(place: Place) -> None:
    store = place.make()

    def crash(step: str) -> None:
        if step == "committed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger(store, watch=crash).append(drafts(0, 4))
    with store.read() as reading:
        assert reading.size() == 4
        assert reading.checkpoint() is None
    with pytest.raises(StoreError, match="nobody signed"):
        ledger(store, sign=None).checkpoint()
    note = ledger(store).checkpoint()
    assert note is not None
    signed = open_checkpoint(note.encode(), [SIGNER.verifier]).checkpoint
    assert (signed.size, signed.root) == (4, root_of(leaf_hashes(store)))
    assert ledger(store, sign=None).checkpoint() == note


def test_a_watch_is_told_of_every_step_in_order(place: Place) -> None:
    steps: list[str] = []
    ledger(place.make(), watch=steps.append).append([draft(0)])
    assert tuple(steps) == STEPS
