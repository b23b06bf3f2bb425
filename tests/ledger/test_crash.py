"""Killed, cut off, full: what was acknowledged is there, and half a batch never is."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crashes import BATCH, CrashError, Writer, after_a_crash, killed_at_random
from ledgers import SIGNER, Place, PostgresPlace, SqlitePlace, draft, leaf_hashes, ledger, store_at
from postgres import running_server
from tallybook.ledger.audit import Signed, audit
from tallybook.ledger.ledger import STEPS
from tallybook.ledger.signed import open_checkpoint
from tallybook.ledger.sqlite import SqliteStore
from tallybook.ledger.store import StoreError, StoreFullError
from tallybook.ledger.tree import root_of

ROUNDS = 30


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(durable: Place, step: str) -> None:
    durable.make().close()
    # Enough batches that the last fills a tile.
    nth = 256 // BATCH + 1
    acknowledged = Writer.start(durable.address, "run", step, nth).acknowledged()
    assert len(acknowledged) == BATCH * (nth - 1)
    is_there = STEPS.index(step) >= STEPS.index("committed")
    store = durable.open()
    with store.read() as reading:
        newest = reading.checkpoint()
    assert newest is not None
    size = open_checkpoint(newest.encode(), [SIGNER.verifier]).checkpoint.size
    assert size == BATCH * (nth if step == "kept" else nth - 1)
    assert after_a_crash(store, acknowledged) == BATCH * (nth if is_there else nth - 1)
    # The same is filed again: acknowledged where it was kept.
    again = ledger(store).append([draft(f"run/{nth - 1}/{n}") for n in range(BATCH)])
    assert [receipt.is_new for receipt in again] == [not is_there] * BATCH
    store.close()


@pytest.mark.slow
def test_killed_at_random(durable: Place) -> None:
    durable.make().close()
    chance = random.Random(17)
    seen = 0
    for trial in range(ROUNDS):
        acknowledged, size = killed_at_random(durable.address, str(trial), chance.uniform(0.0, 0.25))
        seen += len(acknowledged)
        assert size >= seen
    assert seen > ROUNDS


def test_the_check_after_a_crash_sees_a_loss(durable: Place) -> None:
    store = durable.make()
    receipts = ledger(store).append([draft(f"run/0/{n}") for n in range(BATCH)])
    kept = {receipt.index: receipt.leaf_hash for receipt in receipts}
    assert after_a_crash(store, kept) == BATCH
    with pytest.raises(CrashError, match="lost"):
        after_a_crash(store, kept | {BATCH: bytes(32)})
    with pytest.raises(CrashError, match="lost"):
        after_a_crash(store, kept | {0: bytes(32)})
    ledger(store).append([draft("run/1/0")])
    with pytest.raises(CrashError, match="half a batch"):
        after_a_crash(store, kept)
    store.close()


@pytest.mark.slow
def test_the_server_is_cut_off() -> None:
    chance = random.Random(5)
    seen = 0
    with running_server() as server:
        place = PostgresPlace(server.url, "ledger")
        place.make().close()
        for trial in range(4):
            writer = Writer.start(place.address, str(trial))
            time.sleep(chance.uniform(0.2, 0.6))
            server.stop("immediate")
            server.start()
            # It may have called again in time and gone on: that is as it should be.
            writer.kill()
            acknowledged = writer.acknowledged()
            seen += len(acknowledged)
            store = place.open()
            assert after_a_crash(store, acknowledged) >= seen
            store.close()
    assert seen > BATCH * 4


def test_a_full_disk_refuses_and_keeps(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path / "a.ledger")
    store = place.make()
    assert isinstance(store, SqliteStore)
    link = store._connection("writing")
    link.execute(f"PRAGMA max_page_count = {link.execute('PRAGMA page_count').fetchone()[0] + 20}")
    book = ledger(store)
    kept: dict[int, bytes] = {}
    with pytest.raises(StoreFullError, match="cannot be written"):  # noqa: PT012
        for number in range(10_000):
            for receipt in book.append([draft(f"run/{number}/{n}", "x" * 500) for n in range(BATCH)]):
                kept[receipt.index] = receipt.leaf_hash
    assert kept
    assert after_a_crash(store, kept) == len(kept)
    link.execute("PRAGMA max_page_count = 1000000")
    assert book.append([draft("more")])[0].index == len(kept)
    store.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of three megabytes, which everybody can reach."""
    disk = Path(tempfile.mkdtemp(prefix="tallybook-disk-"))
    disk.chmod(0o755)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0777", "tmpfs", disk], capture_output=True, check=False)
    if made.returncode:
        disk.rmdir()
        pytest.fail("a small disk has to be mounted, which takes root: run this test as root, or leave it out with -k")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()


@pytest.mark.slow
def test_a_full_disk_of_a_server_refuses_and_keeps(small_disk: Path) -> None:
    """The table lies on a small disk of its own; the server's log, on another, has room."""
    import psycopg

    with running_server() as server:
        space = small_disk / "space"
        space.mkdir()
        shutil.chown(space, server.user)
        place = PostgresPlace(server.url, "ledger")
        store = place.make()
        with psycopg.connect(server.url, autocommit=True) as link:
            link.execute(f"CREATE TABLESPACE small LOCATION '{space}'")
            link.execute("ALTER TABLE ledger.entry SET TABLESPACE small")
        book = ledger(store)
        kept: dict[int, bytes] = {}
        with pytest.raises(StoreFullError, match="cannot be written"):  # noqa: PT012
            for number in range(10_000):
                for receipt in book.append([draft(f"run/{number}/{n}", "x" * 900) for n in range(BATCH)]):
                    kept[receipt.index] = receipt.leaf_hash
        assert kept
        assert after_a_crash(store, kept) == len(kept)
        store.close()


def test_a_log_cut_behind_our_back_opens_shorter_and_a_checkpoint_kept_elsewhere_shows_it(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path / "a.ledger")
    store = place.make()
    assert isinstance(store, SqliteStore)
    store._connection("writing").execute("PRAGMA wal_autocheckpoint = 0")
    book = ledger(store)
    for number in range(60):
        book.append([draft(f"run/{number}/{n}") for n in range(BATCH)])
    elsewhere = book.checkpoint()
    assert elsewhere is not None
    # A crash: the files as they are, without the tidy end that closing makes.
    cut = tmp_path / "cut.ledger"
    shutil.copy(place.path, cut)
    wal = (tmp_path / "a.ledger-wal").read_bytes()
    (tmp_path / "cut.ledger-wal").write_bytes(wal[: len(wal) // 2])
    store.close()
    shorter = store_at(str(cut))
    size = after_a_crash(shorter, {})
    assert 0 < size < 60 * BATCH
    with shorter.read() as reading:
        own = reading.checkpoint()
        assert own is not None
        signed = [open_checkpoint(note.encode(), [SIGNER.verifier]).checkpoint for note in (own, elsewhere)]
        marks = [Signed(one.size, one.root) for one in signed]
        assert audit(reading, marks[:1]).faults == []
        faults = audit(reading, marks).faults
    assert [(fault.what, fault.covered_by) for fault in faults] == [("the log is shorter than its checkpoint", 60 * BATCH)]
    shorter.close()


def test_an_error_in_the_middle_leaves_the_ledger_fit_to_go_on(place: Place) -> None:
    """A watch that raises stands for anything that can go wrong at a step."""
    at = ""

    class StopError(Exception):
        pass

    def watch(step: str) -> None:
        if step == at:
            raise StopError

    store = place.make()
    book = ledger(store, watch=watch)
    expected = 0
    for number, step in enumerate(STEPS):
        at = step
        with pytest.raises((StopError, StoreError)):
            book.append([draft(f"{number}/{n}") for n in range(300)])
        expected += 300 if STEPS.index(step) >= STEPS.index("committed") else 0
        at = ""
        hashes = leaf_hashes(store)
        assert len(hashes) == expected
        receipts = book.append([draft(f"{number}/{n}") for n in range(301)])
        expected = receipts[-1].index + 1
        hashes = leaf_hashes(store)
        assert len(hashes) == expected == 301 * (number + 1)
        note = book.checkpoint()
        assert note is not None
        assert open_checkpoint(note.encode(), [SIGNER.verifier]).checkpoint.root == root_of(hashes)
    store.close()
