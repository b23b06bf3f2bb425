"""Attacks on a ledger and failures under it, by the numbers of the list of attacks: each test is named after its row.

Somebody with the database in hand drops the guard rails first; what shows the change is the tree, and what others remember.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crashes import BATCH, Writer, after_a_crash
from ledgers import (
    KNOWN,
    ORIGIN,
    SIGNER,
    START,
    Clock,
    Place,
    PostgresPlace,
    SqlitePlace,
    draft,
    drafts,
    leaf_hashes,
    ledger,
    sign,
)
from tallybook.ledger.asof import books, later_than_known, size_at
from tallybook.ledger.audit import Audit, Signed, audit
from tallybook.ledger.cosignature import WitnessPolicy
from tallybook.ledger.entry import (
    DESTRUCTION,
    Draft,
    Entry,
    EntryError,
    Stored,
    canonical_json,
    instant_of,
    store_entry,
    subject_key,
)
from tallybook.ledger.fork import Relation, check, compare, format_fork, parse_fork
from tallybook.ledger.growth import Growth, nodes
from tallybook.ledger.keys import CosignatureSigner
from tallybook.ledger.ledger import ClockError
from tallybook.ledger.memory import MemoryStore
from tallybook.ledger.signed import open_checkpoint
from tallybook.ledger.sqlite import SqliteStore
from tallybook.ledger.store import Store, StoreError, StoreFullError
from tallybook.ledger.tree import (
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from tallybook.ledger.witness import CONFLICT, OK, UNPROCESSABLE, MemoryState, Request, Witness, format_request

WITNESS = CosignatureSigner("example.net/witness", sha256(b"a witness of tests").digest())


def behind(place: Place, *statements: tuple[str, Sequence[object]]) -> None:
    """Change the database without the program, as its owner, with every guard rail gone. Values are marked by ?."""
    if isinstance(place, SqlitePlace):
        with closing(sqlite3.connect(place.path, isolation_level=None)) as link:
            for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                link.execute(f"DROP TRIGGER {name}")
            for statement, values in statements:
                link.execute(statement, values)
    if isinstance(place, PostgresPlace):
        import psycopg

        with psycopg.connect(place.url, autocommit=True) as owner:
            owner.execute(f"SET search_path = {place.schema}")
            for table in ("entry", "tile", "checkpoint", "blob"):
                owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            for statement, values in statements:
                owner.execute(statement.replace("?", "%s"), values)


def signed(store: Store) -> list[Signed]:
    """What the ledger's own checkpoints say."""
    with store.read() as reading:
        notes = [note for _, note in reading.checkpoints(0, 1000)]
    heads = [open_checkpoint(note.encode(), [SIGNER.verifier]).checkpoint for note in notes]
    return [Signed(head.size, head.root) for head in heads]


def audited(store: Store, marks: Sequence[Signed] | None = None) -> Audit:
    with store.read() as reading:
        return audit(reading, signed(store) if marks is None else marks)


def filled(place: Place, *sizes: int) -> Store:
    """A ledger with a checkpoint at each of these sizes."""
    store = place.make()
    book = ledger(store)
    size = 0
    for until in sizes:
        book.append(drafts(size, until - size))
        size = until
    assert audited(store).faults == []
    return store


@pytest.mark.parametrize("column", ["body", "leaf", "leaf_hash", "salt"])
@pytest.mark.parametrize("seq", [3, 299])
def test_01_row_edited(durable: Place, column: str, seq: int) -> None:
    store = filled(durable, 5, 300, 310)
    with store.read() as reading:
        was = reading.entry(seq)
    assert was is not None
    old: bytes = getattr(was, column)
    new = bytes([*old[:-3], old[-3] ^ 1, *old[-2:]])
    behind(durable, (f"UPDATE entry SET {column} = ? WHERE seq = ?", (new, seq)))
    found = audited(store).faults
    named = [fault for fault in found if fault.seq == seq]
    assert named
    assert named[0].expected != named[0].found
    assert len(named[0].expected) == len(named[0].found) == 64
    assert named[0].covered_by == (5 if seq == 3 else 300)
    if column == "leaf":
        assert any(fault.what.startswith("the root of") for fault in found)
    store.close()


@pytest.mark.parametrize("seq", [0, 3, 255, 299])
def test_02_row_deleted(durable: Place, seq: int) -> None:
    store = filled(durable, 5, 300)
    behind(durable, ("DELETE FROM entry WHERE seq = ?", (seq,)))
    found = audited(store).faults
    if seq == 299:
        assert [(fault.seq, fault.covered_by) for fault in found] == [(299, 300)]
        assert "shorter" in found[0].what
    else:
        missing = [(fault.seq, fault.found, fault.covered_by) for fault in found if fault.what == "the entry"]
        assert missing == [(seq, "missing", 5 if seq < 5 else 300)]
        assert any(fault.what.startswith("the root of") for fault in found)
    store.close()


def test_03_rows_swapped(durable: Place) -> None:
    store = filled(durable, 5, 300)
    one, other = 3, 200
    moves = [(one, 10_000), (other, one), (10_000, other)]
    behind(durable, *(("UPDATE entry SET seq = ? WHERE seq = ?", (to, at)) for at, to in moves))
    found = audited(store).faults
    assert found
    # Each row fits by itself: the places do not. Checkpoints and tiles tell between which sizes.
    assert {fault.covered_by for fault in found} == {5, 300}
    assert any(fault.what == "the root of the first 5 entries" for fault in found)
    store.close()


def _rewritten(place: Place, store: Store, seq: int) -> None:
    """Change an entry, and everything after it that is made from it, down to the last checkpoint."""
    with store.read() as reading:
        entries = list(reading.entries(0, reading.size()))
        sizes = [size for size, _ in reading.checkpoints(0, 1000)]
    other = draft(seq, "it was otherwise")
    recorded = entries[seq].entry.recorded_at
    entries[seq] = store_entry(seq, other, subject_key(other.subject), recorded, "", bytes(16))
    behind(place, *((f"DELETE FROM {table}", ()) for table in ("entry", "tile", "checkpoint")))
    growth = Growth()
    with store.write() as writing:
        writing.insert(entries, list(growth.extend([entry.leaf_hash for entry in entries])))
    for size in sizes:
        store.put_checkpoint(size, sign(size, root_of(entry.leaf_hash for entry in entries[:size])))


def test_04_hashes_recomputed(durable: Place) -> None:
    store = filled(durable, 5, 300)
    remembered = signed(store)
    note = _newest(store)
    with store.read() as reading:
        proof = consistency_proof(nodes(reading, 300), 5, 300)
    _rewritten(durable, store, 3)
    # Nothing local can notice: every hash fits, and the key is the real one.
    assert audited(store).faults == []
    assert [fault.what for fault in audited(store, remembered).faults] == [
        "the root of the first 5 entries",
        "the root of the first 300 entries",
    ]
    now = signed(store)
    with pytest.raises(ProofError):
        check_consistency(5, 300, remembered[0].root, now[1].root, proof)
    assert compare(note, _newest(store), [SIGNER.verifier]).relation is Relation.FORK
    store.close()


def _newest(store: Store) -> bytes:
    with store.read() as reading:
        note = reading.checkpoint()
    assert note is not None
    return note.encode()


def _ask(witness: Witness, store: Store, old: int) -> int:
    note = _newest(store)
    size = open_checkpoint(note, [SIGNER.verifier]).checkpoint.size
    with store.read() as reading:
        proof = tuple(consistency_proof(nodes(reading, size), old, size)) if 0 < old <= size else ()
    return witness.add_checkpoint(format_request(Request(old, proof, note)), 1_000_000_000).status


def _witness() -> tuple[Witness, MemoryState]:
    state = MemoryState()
    return Witness(WITNESS, {ORIGIN: [SIGNER.verifier]}, state), state


def test_05_tail_cut_off(durable: Place) -> None:
    witness, state = _witness()
    store = filled(durable, 5, 300)
    assert _ask(witness, store, 0) == OK
    remembered = signed(store)
    behind(
        durable,
        ("DELETE FROM entry WHERE seq >= 5", ()),
        ("DELETE FROM tile", ()),
        ("DELETE FROM checkpoint WHERE size > 5", ()),
    )
    # Consistent in itself, and shorter.
    assert audited(store).faults == []
    found = audited(store, remembered).faults
    assert [(fault.what, fault.found, fault.covered_by) for fault in found] == [
        ("the log is shorter than its checkpoint", "5 entries", 300)
    ]
    assert _ask(witness, store, 5) == CONFLICT
    assert state.seen[ORIGIN].size == 300
    # Grown again past where it was, it is another log.
    ledger(store).append(drafts(1000, 400))
    assert _ask(witness, store, 300) == UNPROCESSABLE
    assert [fault.covered_by for fault in audited(store, remembered).faults] == [300]
    store.close()


def test_05_old_backup_restored(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path / "a.ledger")
    store = filled(place, 5)
    store.close()
    shutil.copy(place.path, tmp_path / "backup")
    store = place.open()
    ledger(store).append(drafts(5, 40))
    remembered = signed(store)
    store.close()
    shutil.copy(tmp_path / "backup", place.path)
    store = place.open()
    assert audited(store).faults == []
    assert [fault.covered_by for fault in audited(store, remembered).faults] == [45]
    store.close()


def test_06_back_dated_entry(place: Place) -> None:
    assert not {"recorded", "recorded_at"} & {field.name for field in fields(Draft)}
    store, clock = place.make(), Clock()
    book = ledger(store, clock)
    book.append(drafts(0, 3))
    signed_then = 3
    clock.now += timedelta(days=40)
    late = Draft("report", "observations/late", b"{}", "tester", KNOWN, valid_from="1999-01-01T00:00:00.000000Z")
    receipt = book.append([late])[0]
    assert receipt.recorded_at > "2001-03"
    with store.read() as reading:
        assert size_at(reading, START + timedelta(days=30)) == signed_then
        assert "observations/late" not in books(reading, signed_then).versions
        entry = books(reading).versions["observations/late"][0]
        assert (entry.known, entry.valid_from) == (KNOWN, "1999-01-01T00:00:00.000000Z")
        assert later_than_known(entry, 30)
    store.close()


def test_07_fork_shown_to_two_parties(durable: Place) -> None:
    witness, state = _witness()
    store = filled(durable, 5, 20)
    shown_to_one = _newest(store)
    assert _ask(witness, store, 0) == OK
    _rewritten(durable, store, 3)
    shown_to_other = _newest(store)
    found = compare(shown_to_one, shown_to_other, [SIGNER.verifier])
    assert found.relation is Relation.FORK
    assert found.fork is not None
    one, other = check(parse_fork(format_fork(found.fork)), [SIGNER.verifier], ORIGIN)
    assert one.size == other.size == 20
    assert one.root != other.root
    assert _ask(witness, store, 20) == CONFLICT
    check(parse_fork(state.forks[ORIGIN]), [SIGNER.verifier], ORIGIN)
    store.close()


def test_08_signing_key_stolen(place: Place) -> None:
    """The thief signs what he likes; witnesses sign with keys of their own, and only what grows from what they saw."""
    witness, state = _witness()
    store = place.make()
    book = ledger(store)
    book.append(drafts(0, 20))
    assert _ask(witness, store, 0) == OK
    cosigned = state.seen[ORIGIN]
    honest = leaf_hashes(store)
    thief = MemoryStore(ORIGIN)
    forged = ledger(thief)
    forged.append([*drafts(0, 10), draft("forged"), *drafts(11, 30)])
    assert _ask(witness, thief, 20) == UNPROCESSABLE
    policy = WitnessPolicy((WITNESS.verifier,), 1)
    assert policy.check(open_checkpoint(cosigned.note, [SIGNER.verifier, WITNESS.verifier]).verified.note)
    with pytest.raises(Exception, match="of the 1 witnesses"):
        policy.check(open_checkpoint(_newest(thief), [SIGNER.verifier]).verified.note)
    # What the last cosigned checkpoint covers stands; what came after is suspect.
    book.append(drafts(20, 5))
    with store.read() as reading:
        for index in range(cosigned.size):
            proof = inclusion_proof(nodes(reading, cosigned.size), index, cosigned.size)
            check_inclusion(index, cosigned.size, honest[index], proof, cosigned.root)
        with pytest.raises(ProofError):
            check_inclusion(cosigned.size, cosigned.size, leaf_hashes(store)[cosigned.size], [], cosigned.root)
    with thief.read() as reading:
        proof = inclusion_proof(nodes(reading, 20), 10, 20)
    with pytest.raises(ProofError):
        check_inclusion(10, 20, leaf_hashes(thief)[10], proof, cosigned.root)
    store.close()


def test_09_clock_set_back_or_forward(place: Place) -> None:
    store, clock = place.make(), Clock()
    book = ledger(store, clock)
    first = book.append([draft(0)])[0]
    clock.now -= timedelta(days=3)
    back = book.append(drafts(1, 3))
    times = [first.recorded_at, *(receipt.recorded_at for receipt in back)]
    assert times == sorted(set(times))
    assert instant_of(times[1]) - instant_of(times[0]) == timedelta(microseconds=1)
    with store.read() as reading:
        entries = [one.entry for one in reading.entries(0, 9)]
    assert [entry.clock for entry in entries] == ["", *["2001-01-31T04:05:08.000000Z"] * 3]
    clock.now += timedelta(days=5000)
    with pytest.raises(ClockError, match="days after the last entry"):
        book.append([draft(9)])
    assert len(leaf_hashes(store)) == 4
    # Opened anew, the last time is still known.
    clock.now = START - timedelta(days=9)
    again = ledger(place.open(), clock).append([draft(10)])[0]
    assert again.recorded_at > times[-1]
    store.close()


def test_10_killed_in_the_middle(durable: Place) -> None:
    durable.make().close()
    acknowledged = Writer.start(durable.address, "run", "inserted", 3).acknowledged()
    assert len(acknowledged) == 2 * BATCH
    store = durable.open()
    assert after_a_crash(store, acknowledged) == 2 * BATCH
    store.close()


def test_11_signed_only_for_what_is_kept(durable: Place) -> None:
    durable.make().close()
    acknowledged = Writer.start(durable.address, "run", "committed", 3).acknowledged()
    store = durable.open()
    assert [mark.size for mark in signed(store)] == [BATCH, 2 * BATCH]
    assert after_a_crash(store, acknowledged) == 3 * BATCH
    assert [mark.size for mark in signed(store)] == [BATCH, 2 * BATCH, 3 * BATCH]
    other = durable.open()

    def sign_and_look(size: int, root: bytes) -> str:
        with other.read() as reading:
            assert reading.size() == size
            assert Growth.load(reading).root() == root
        return sign(size, root)

    ledger(store, sign=sign_and_look).append(drafts(0, 300))
    refused = ledger(store, watch=_refuse_at("inserted"), sign=sign_and_look)
    with pytest.raises(InterruptedError):
        refused.append(drafts(1000, 3))
    assert signed(store)[-1].size == 3 * BATCH + 300
    for one in (store, other):
        one.close()


class _refuse_at:
    def __init__(self, step: str) -> None:
        self._step = step

    def __call__(self, step: str) -> None:
        if step == self._step:
            raise InterruptedError(step)


def test_12_disk_full_or_read_only(tmp_path: Path) -> None:
    store = filled(SqlitePlace(tmp_path / "a.ledger"), 5)
    assert isinstance(store, SqliteStore)
    link = store._connection("writing")
    pages = link.execute("PRAGMA page_count").fetchone()[0]
    book = ledger(store)
    for pragma in (f"max_page_count = {pages}", "query_only = ON"):
        link.execute(f"PRAGMA {pragma}")
        with pytest.raises(StoreFullError) as told:
            book.append(drafts(100, 500))
        assert "still there, and can be read" in str(told.value)
        assert len(leaf_hashes(store)) == 5
        assert audited(store).faults == []
    link.execute("PRAGMA max_page_count = 100000")
    link.execute("PRAGMA query_only = OFF")
    assert book.append(drafts(100, 500))[0].index == 5
    store.close()


def test_12_read_only_server(postgres_url: str, new_schema: object) -> None:
    assert callable(new_schema)
    place = PostgresPlace(postgres_url, new_schema())
    store = filled(place, 5)
    store._writing_connection().execute("SET default_transaction_read_only = on")  # type: ignore[attr-defined]
    with pytest.raises(StoreFullError, match="read-only"):
        ledger(store).append(drafts(5, 2))
    assert len(leaf_hashes(store)) == 5
    store.close()


def test_13_two_writers(durable: Place) -> None:
    first = durable.make()
    second = durable.open()
    books = [ledger(first), ledger(second)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda n: [books[n].append([draft(f"{n}/{k}")])[0].index for k in range(20)], range(2)))
    assert sorted(found[0] + found[1]) == list(range(40))
    assert audited(first).faults == []
    # One that thinks it is still alone cannot take a number that is gone.
    with first.read() as reading:
        stale = reading.entry(39)
    assert stale is not None
    with pytest.raises(StoreError), second.write() as writing:
        writing.insert([stale], [])
    for store in (first, second):
        store.close()


def test_14_duplicate_import_or_replay(place: Place) -> None:
    store = place.make()
    first = ledger(store).append([*drafts(0, 10), *drafts(5, 5)])
    assert [receipt.index for receipt in first] == [*range(10), *range(5, 10)]
    replayed = ledger(store).append(drafts(0, 10))
    assert [(receipt.index, receipt.is_new) for receipt in replayed] == [(index, False) for index in range(10)]
    assert [(one.leaf_hash, one.recorded_at) for one in replayed] == [(one.leaf_hash, one.recorded_at) for one in first[:10]]
    assert len(leaf_hashes(store)) == 10
    store.close()


def test_15_same_report_changed_slightly(place: Place) -> None:
    store = place.make()
    book = ledger(store)
    first = book.append([draft("x", "forty-two")])[0]
    second = book.append([draft("x", "forty-one", corrects=first.index)])[0]
    assert second.is_new
    with store.read() as reading:
        assert [entry.entry.corrects for entry in reading.entries(0, 9)] == [None, 0]
        assert [json.loads(entry.body or b"")["text"] for entry in reading.entries(0, 9)] == ["forty-two", "forty-one"]
    for corrects in (0, 7):
        with pytest.raises(EntryError, match="not about"):
            book.append([draft("y", "", corrects=corrects)])
    assert len(leaf_hashes(store)) == 2
    store.close()


HASHES = [leaf_hash(str(n).encode()) for n in range(300)]


def _node(level: int, index: int) -> bytes:
    return root_of(HASHES[index << level : (index + 1) << level])


@st.composite
def damaged(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """A proof that is not this one."""
    kind = draw(st.sampled_from(["bit", "cut", "pad", "swap", "length", "empty", "twice"]))
    out = list(proof)
    at = draw(st.integers(0, max(len(out) - 1, 0)))
    if kind == "bit" and out:
        bit = draw(st.integers(0, 255))
        out[at] = (int.from_bytes(out[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    elif kind == "cut" and out:
        del out[at]
    elif kind == "swap" and len(out) > 1:
        out[at - 1], out[at] = out[at], out[at - 1]
    elif kind == "length" and out:
        out[at] = draw(st.sampled_from([out[at][:-1], out[at] + b"\0", b""]))
    elif kind == "empty" and out:
        out = []
    elif kind == "twice" and out:
        out.insert(at, out[at])
    else:
        out.insert(at, draw(st.binary(min_size=32, max_size=32)))
    return out


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_16_proof_that_does_not_prove(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(HASHES)))
    index = data.draw(st.integers(0, size - 1))
    root, proof = root_of(HASHES[:size]), inclusion_proof(_node, index, size)
    check_inclusion(index, size, HASHES[index], proof, root)
    other = data.draw(st.integers(-3, 2 * size).filter(lambda n: n != index))
    with pytest.raises(ProofError):
        check_inclusion(other, size, HASHES[index], proof, root)
    with pytest.raises(ProofError):
        check_inclusion(index, size // 2, HASHES[index], proof, root)
    with pytest.raises(ProofError):
        check_inclusion(index, size, HASHES[index], data.draw(damaged(proof)), root)
    for leaf, top in ((HASHES[index][:-1], root), (HASHES[index], root + b"\0"), (root_of([]), root)):
        with pytest.raises(ProofError):
            check_inclusion(index, size, leaf, proof, top)
    if size > 1:
        old = data.draw(st.integers(1, size - 1))
        before, proof = root_of(HASHES[:old]), consistency_proof(_node, old, size)
        check_consistency(old, size, before, root, proof)
        with pytest.raises(ProofError):
            check_consistency(old, size, before, root, data.draw(damaged(proof)))
        for one, two in ((old // 2, size), (size, old), (0, size), (old, old)):
            with pytest.raises(ProofError):
                check_consistency(one, two, before, root, proof)


OLD_LEAF = (
    b'{"author":"tester","body_sha256":"a98d6a3bfb7e0a4d5d5b2d2ee6a4d85e9fb1dd3a0ee38d4d44ea9e3b6ce1f6b9","corrects":null,'
    b'"id":"observations/1","kind":"report","known":"2000-01-01T00:00:00.000000Z","marking":"",'
    b'"recorded_at":"2001-02-03T04:05:07.000000Z","v":1,"valid":{"from":null,"to":null}}'
)
OLD_HASH = "25e1cda7a223899b984bad744483b25855602d3dc8e412d7f2b790c56e0f2e21"


def test_31_record_of_an_older_form(place: Place) -> None:
    """The bytes that version 1 wrote, kept as they were: their hash and meaning must never change."""
    assert leaf_hash(OLD_LEAF).hex() == OLD_HASH
    entry = Entry.read(0, OLD_LEAF)
    assert (entry.subject, entry.recorded_at, entry.valid_from) == ("observations/1", "2001-02-03T04:05:07.000000Z", None)
    salt, body = bytes(16), b"{}"
    odd = OLD_LEAF.replace(entry.body_sha256.encode(), sha256(salt + body).hexdigest().encode()).replace(b'"v":1', b'"v":99')
    store = place.make()
    with store.write() as writing:
        # What a later version wrote is hashed and proven all the same; only its meaning is not known here.
        stored = Stored(0, 1, leaf_hash(odd), salt, odd, body)
        writing.insert([stored], [])
    assert audited(store, []).faults == []
    with pytest.raises(EntryError, match="version 99"):
        Entry.read(0, odd)
    with store.read() as reading:
        assert reading.entry(0) == stored
    store.close()


def test_32_destroyed_content(place: Place) -> None:
    store = place.make()
    book = ledger(store)
    photograph = b"a photograph"
    digest = sha256(photograph).hexdigest()
    book.keep_blob(digest, photograph)
    body = canonical_json({"sha256": digest})
    book.append([*drafts(0, 3), Draft("document", "exhibits/1", body, "tester", KNOWN), *drafts(4, 300)])
    before = leaf_hashes(store)
    proven = signed(store)[-1]
    receipt = book.destroy(3, "tester", "a court asked")
    with store.read() as reading:
        gone, about = reading.entry(3), reading.entry(receipt.index)
        assert gone is not None
        assert about is not None
        assert (gone.body, gone.salt) == (None, None)
        assert reading.blob(digest) is None
        assert (about.entry.kind, about.entry.subject) == (DESTRUCTION, "3")
        assert json.loads(about.body or b"")["reason"] == "a court asked"
        check_inclusion(3, 304, before[3], inclusion_proof(nodes(reading, 304), 3, 304), proven.root)
    found = audited(store, [proven, *signed(store)])
    assert (found.faults, found.destroyed) == ([], 1)
    store.close()


def test_32_destroyed_without_a_word(durable: Place) -> None:
    store = filled(durable, 5, 300)
    seq = random.Random(3).randrange(300)
    behind(durable, ("UPDATE entry SET body = NULL, salt = NULL WHERE seq = ?", (seq,)))
    found = audited(store).faults
    assert [(fault.seq, fault.what, fault.found) for fault in found] == [(seq, "body", "gone, with no such entry")]
    store.close()
