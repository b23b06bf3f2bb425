"""What every store must do: memory, SQLite and PostgreSQL alike."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ledgers import (
    ORIGIN,
    MakePlace,
    Place,
    PostgresPlace,
    SqlitePlace,
    draft,
    drafts,
    file_as_a_process,
    leaf_hashes,
    ledger,
    sign,
)
from tallybook.ledger import store as store_module
from tallybook.ledger.entry import DESTRUCTION, Draft, EntryError, Stored, canonical_json, store_entry, subject_key
from tallybook.ledger.growth import Growth, nodes
from tallybook.ledger.postgres import PostgresStore
from tallybook.ledger.sqlite import SqliteStore
from tallybook.ledger.store import Store, StoreError, StoreFullError, Tile
from tallybook.ledger.tilepath import TILE_WIDTH
from tallybook.ledger.tree import check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_of

AT = "2001-01-01T00:00:00.000000Z"


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """A new log."""
    made = place.make()
    yield made
    made.close()


def entry(seq: int, given: Draft | None = None) -> Stored:
    """Entry number `seq`, without a ledger around it."""
    given = given or draft(seq)
    return store_entry(seq, given, subject_key(given.subject), AT, "", bytes(16))


def fill(store: Store, count: int) -> list[Stored]:
    """Put entries in, with their tiles."""
    entries = [entry(seq) for seq in range(count)]
    with store.write() as writing:
        writing.insert(entries, list(Growth().extend([one.leaf_hash for one in entries])))
    return entries


class StopError(Exception):
    """Raised by a test in the middle of something."""


def test_a_new_log_is_empty(store: Store) -> None:
    with store.read() as reading:
        assert reading.size() == 0
        assert reading.entry(0) is None
        assert list(reading.entries(0, 10)) == []
        assert reading.leaf_hashes(0, 10) == []
        assert reading.tile(0, 0) is None
        assert reading.roots(0, 0, 5) == []
        assert list(reading.with_keys([1, 2])) == []
        assert reading.checkpoint() is None
        assert reading.checkpoint(3) is None
        assert list(reading.checkpoints(0, 10)) == []
        assert reading.seen(ORIGIN) is None
        assert reading.blob("0" * 64) is None
    assert store.settings()["origin"] == ORIGIN


def test_entries_come_back_as_they_were_put(store: Store) -> None:
    entries = fill(store, 3)
    with store.read() as reading:
        assert reading.size() == 3
        assert [reading.entry(seq) for seq in range(3)] == entries
        assert reading.entry(3) is None
        assert reading.entry(-1) is None
        assert list(reading.entries(0, 99)) == entries
        assert list(reading.entries(1, 2)) == entries[1:2]
        assert list(reading.entries(2, 1)) == []
        assert list(reading.entries(-5, 1)) == entries[:1]
        assert reading.leaf_hashes(1, 9) == [one.leaf_hash for one in entries[1:]]
        assert all(type(value) in (int, bytes) for value in reading.entry(0) or ())


def test_many_entries_are_read_in_order_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = fill(store, 2 * store_module.PAGE + 7)
    with store.read() as reading:
        assert list(reading.entries(0, len(entries))) == entries
        assert list(reading.entries(5, len(entries) - 5)) == entries[5:-5]


def test_two_readings_of_entries_at_a_time(store: Store) -> None:
    entries = fill(store, 1_500)
    with store.read() as reading:
        pairs = zip(reading.entries(0, 1_500), reading.entries(0, 1_500), strict=True)
        assert all(one == other for one, other in pairs)
        assert reading.size() == len(entries)


def test_tiles_come_back(store: Store) -> None:
    entries = fill(store, 2 * TILE_WIDTH + 3)
    with store.read() as reading:
        first = reading.tile(0, 0)
        assert first is not None
        assert first == Tile(
            0, 0, root_of(e.leaf_hash for e in entries[:TILE_WIDTH]), b"".join(e.leaf_hash for e in entries[:256])
        )
        assert reading.tile(0, 2) is None
        assert reading.tile(1, 0) is None
        assert len(reading.roots(0, 0, 9)) == 2
        assert reading.roots(0, 1, 2) == [root_of(e.leaf_hash for e in entries[TILE_WIDTH : 2 * TILE_WIDTH])]
        assert Growth.load(reading).root() == root_of(e.leaf_hash for e in entries)


@pytest.mark.parametrize("numbers", [[1], [0, 2], [1, 0], [0, 0], [-1]])
def test_entries_out_of_order_are_refused(store: Store, numbers: list[int]) -> None:
    with pytest.raises(StoreError), store.write() as writing:
        writing.insert([entry(seq) for seq in numbers], [])
    assert leaf_hashes(store) == []
    fill(store, 2)


def test_a_number_that_is_taken_is_refused(store: Store) -> None:
    fill(store, 2)
    with pytest.raises(StoreError), store.write() as writing:
        writing.insert([entry(1, draft("another"))], [])
    assert len(leaf_hashes(store)) == 2


def test_an_error_takes_back_all_that_was_written(store: Store) -> None:
    fill(store, 2)
    before = leaf_hashes(store)
    with pytest.raises(StopError), store.write() as writing:  # noqa: PT012
        writing.insert([entry(2)], [Tile(0, 7, bytes(32), bytes(8192))])
        writing.insert_blob("a" * 64, b"bytes")
        writing.insert_seen("other", 4, "note")
        assert writing.size() == 3
        assert writing.entry(2) is not None
        raise StopError
    assert leaf_hashes(store) == before
    with store.read() as reading:
        assert reading.blob("a" * 64) is None
        assert reading.seen("other") is None
        assert reading.tile(0, 7) is None
        assert list(reading.with_keys([entry(2).key])) == []
    with store.write() as writing:
        writing.insert([entry(2)], [])
    assert len(leaf_hashes(store)) == 3


def test_a_reader_sees_a_snapshot(store: Store) -> None:
    fill(store, 2)
    with store.read() as reading:
        assert reading.size() == 2
        with store.write() as writing:
            writing.insert([entry(2)], [])
        assert reading.size() == 2
        assert reading.entry(2) is None
        assert len(reading.leaf_hashes(0, 9)) == 2
        assert [one.seq for one in reading.entries(0, 9)] == [0, 1]
        assert list(reading.with_keys([entry(2).key])) == []
    with store.read() as reading:
        assert reading.size() == 3


def test_what_is_not_committed_is_seen_by_nobody(durable: Place) -> None:
    """Threads of one program share a memory store; there its ledger's lock keeps them apart."""
    store = durable.make()
    with ThreadPoolExecutor(1) as other, store.write() as writing:
        writing.insert([entry(0)], [])
        assert other.submit(lambda: len(leaf_hashes(store))).result(20) == 0


def test_entries_are_found_by_subject_in_order(store: Store) -> None:
    entries = [entry(0, draft("a", "1")), entry(1, draft("b")), entry(2, draft("a", "2")), entry(3, draft("c"))]
    with store.write() as writing:
        writing.insert(entries, [])
    a, b = entries[0].key, entries[1].key
    with store.read() as reading:
        assert list(reading.with_keys([a])) == [entries[0], entries[2]]
        assert list(reading.with_keys([b, a])) == entries[:3]
        assert list(reading.with_keys([])) == []
        assert list(reading.with_keys([*range(3_000), a])) == [entries[0], entries[2]]


def test_checkpoints(store: Store) -> None:
    for size in (3, 7, 5):
        store.put_checkpoint(size, f"note {size}")
    store.put_checkpoint(5, "another")
    with store.read() as reading:
        assert reading.checkpoint() == "note 7"
        assert reading.checkpoint(5) == "note 5"
        assert reading.checkpoint(4) is None
        assert list(reading.checkpoints(0, 2)) == [(3, "note 3"), (5, "note 5")]
        assert list(reading.checkpoints(6, 9)) == [(7, "note 7")]


def test_the_newest_seen_of_each_origin(store: Store) -> None:
    for size in (4, 9, 6):
        with store.write() as writing:
            writing.insert_seen("one", size, f"one at {size}")
            writing.insert_seen("two", size * 2, f"two at {size}")
    with store.write() as writing:
        writing.insert_seen("one", 9, "another")
    with store.read() as reading:
        assert reading.seen("one") == (9, "one at 9")
        assert reading.seen("two") == (18, "two at 9")
        assert reading.seen("three") is None


def test_blobs_are_kept_once_and_not_without_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"\x00\xff bytes", b"others under the same name"):
        with store.write() as writing:
            writing.insert_blob("b" * 64, data)
    with store.read() as reading:
        assert reading.blob("b" * 64) == b"\x00\xff bytes"
    for module in ("memory", "sqlite", "postgres_view"):
        monkeypatch.setattr(f"tallybook.ledger.{module}.LARGEST_BLOB", 10)
    with pytest.raises(StoreError, match="over 10 bytes"), store.write() as writing:
        writing.insert_blob("c" * 64, bytes(11))
    with store.read() as reading:
        assert reading.blob("c" * 64) is None


def _with_blob(store: Store) -> None:
    given = Draft("document", "papers/1", canonical_json({"sha256": "d" * 64, "note": "\x00"}), "tester", AT)
    with store.write() as writing:
        writing.insert([entry(0, given), entry(1)], [])
        writing.insert_blob("d" * 64, b"a paper")


def test_a_body_goes_only_after_an_entry_about_it(store: Store) -> None:
    _with_blob(store)
    with store.read() as reading:
        first = reading.entry(0)
    assert first is not None
    assert first.body is not None
    for seq in (0, 9):
        with pytest.raises(StoreError), store.write() as writing:
            writing.destroy(seq)
    about = Draft(DESTRUCTION, "0", canonical_json({"reason": "asked", "sha256": "d" * 64}), "tester", AT)
    with store.write() as writing:
        writing.insert([entry(2, about)], [])
    with pytest.raises(StoreError), store.write() as writing:
        writing.destroy(1)
    with pytest.raises(StopError), store.write() as writing:  # noqa: PT012
        writing.destroy(0, "d" * 64)
        raise StopError
    with store.read() as reading:
        assert reading.blob("d" * 64) == b"a paper"
        assert reading.entry(0) == first
    with store.write() as writing:
        writing.destroy(0, "d" * 64)
    with store.read() as reading:
        gone = reading.entry(0)
        assert gone is not None
        assert (gone.body, gone.salt) == (None, None)
        assert gone.entry.subject == "papers/1"
        assert reading.blob("d" * 64) is None
        assert reading.entry(1) == entry(1)
        assert reading.size() == 3


def test_a_ledger_destroys_and_every_proof_still_holds(store: Store) -> None:
    book = ledger(store)
    book.append(drafts(0, 5))
    before = leaf_hashes(store)
    receipt = book.destroy(2, "tester", "a court asked")
    assert receipt.index == 5
    assert list(leaf_hashes(store))[:5] == list(before)
    with pytest.raises(EntryError, match="gone already"):
        book.destroy(2, "tester", "again")
    with pytest.raises(EntryError, match="no such entry"):
        book.destroy(77, "tester", "nothing there")
    with store.read() as reading:
        node = nodes(reading, 6)
        root = root_of(leaf_hashes(store))
        check_inclusion(2, 6, before[2], inclusion_proof(node, 2, 6), root)
        check_consistency(5, 6, root_of(before), root, consistency_proof(node, 5, 6))


def test_threads_that_write_leave_no_gap_and_nothing_twice(store: Store) -> None:
    book = ledger(store)

    def file(worker: int) -> list[int]:
        out = []
        for n in range(10):
            # Two of three workers file the same things.
            out += [receipt.index for receipt in book.append(drafts(100 * (worker % 2) + 3 * n, 3))]
        return out

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(file, range(6)))
    assert found[0] == found[2] == found[4]
    with store.read() as reading:
        assert [one.seq for one in reading.entries(0, 99)] == list(range(60))
        assert len({one.entry.subject for one in reading.entries(0, 99)}) == 60
        assert Growth.load(reading).root() == root_of(reading.leaf_hashes(0, 60))
        times = [one.entry.recorded_at for one in reading.entries(0, 99)]
        assert times == sorted(set(times))


def test_two_ledgers_in_one_place_leave_no_gap(place: Place) -> None:
    first = place.make()
    books = [ledger(first), ledger(place.open())]

    def file(worker: int) -> None:
        for n in range(15):
            books[worker].append([draft(f"{worker}-{n}")])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(file, range(2)))
    with first.read() as reading:
        assert reading.size() == 30
        assert len({one.leaf_hash for one in reading.entries(0, 30)}) == 30
        assert Growth.load(reading).root() == root_of(reading.leaf_hashes(0, 30))
    for book in books:
        book.store.close()


def test_writers_that_come_together_share_a_commit(store: Store) -> None:
    begun, let_go, commits = threading.Event(), threading.Event(), []

    def watch(step: str) -> None:
        if step == "begun":
            commits.append(step)
            begun.set()
            let_go.wait(20)

    book = ledger(store, watch=watch)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(book.append, [draft("first")])
        assert begun.wait(20)
        others = [pool.submit(book.append, [draft(n)]) for n in range(8)]
        while len(book._queue) < 8:
            pass
        let_go.set()
        assert first.result(20)[0].index == 0
        assert sorted(other.result(20)[0].index for other in others) == list(range(1, 9))
    assert len(commits) == 2


@pytest.mark.slow
def test_processes_that_write_leave_no_gap_and_nothing_twice(durable: Place) -> None:
    store = durable.make()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=file_as_a_process, args=(durable.address, worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with store.read() as reading:
        assert [one.seq for one in reading.entries(0, 999)] == list(range(48))
        assert len({one.entry.subject for one in reading.entries(0, 99)}) == 48
        assert Growth.load(reading).root() == root_of(reading.leaf_hashes(0, 48))
    store.close()


def test_what_is_made_twice_or_not_there_is_told(durable: Place) -> None:
    with pytest.raises(StoreError, match="no such ledger"):
        durable.open()
    durable.make().close()
    with pytest.raises(StoreError, match="already"):
        durable.make()


def test_another_databases_file_or_schema_is_no_ledger(durable: Place) -> None:
    if isinstance(durable, SqlitePlace):
        import sqlite3

        with sqlite3.connect(durable.path) as other:
            other.execute("CREATE TABLE setting (name TEXT, value TEXT)")
        other.close()
        with pytest.raises(StoreError, match="no ledger"):
            durable.open()
        durable.path.write_bytes(b"no database at all" * 1000)
        with pytest.raises(StoreError, match="no ledger"):
            durable.open()
    if isinstance(durable, PostgresPlace):
        import psycopg

        with psycopg.connect(durable.url, autocommit=True) as link:
            link.execute(f"CREATE SCHEMA {durable.schema}")
            link.execute(f"CREATE TABLE {durable.schema}.setting (name text, value text)")
        with pytest.raises(StoreError, match="no ledger"):
            durable.open()


def test_a_store_that_was_closed_opens_again_where_it_is_used(store: Store) -> None:
    fill(store, 1)
    store.close()
    assert len(leaf_hashes(store)) == 1


def test_a_read_only_file_is_read_and_not_written(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path / "a.ledger")
    store = place.make()
    fill(store, 2)
    assert isinstance(store, SqliteStore)
    # As root every file can be written: the connection itself is told to refuse.
    store._connection("writing").execute("PRAGMA query_only = ON")
    with pytest.raises(StoreFullError, match="cannot be written"):
        ledger(store).append([draft("more")])
    assert len(leaf_hashes(store)) == 2
    store.close()


REFUSED_TO_ALL = [
    "UPDATE entry SET body = NULL",
    "DELETE FROM entry",
    "TRUNCATE entry",
    "UPDATE tile SET idx = 3",
    "DELETE FROM checkpoint",
    "TRUNCATE seen",
    "UPDATE setting SET value = 'x'",
    "DELETE FROM blob",
    "UPDATE blob SET bytes = ''",
    "INSERT INTO entry SELECT seq + 7, subject_key, leaf_hash, salt, leaf, body FROM entry",
    "INSERT INTO entry SELECT seq, subject_key, leaf_hash, salt, leaf, body FROM entry",
]
REFUSED_TO_WRITERS = [
    "DROP TABLE entry",
    "ALTER TABLE entry DISABLE TRIGGER ALL",
]
"""The owner can; the tree shows it."""


@pytest.mark.parametrize(
    ("statement", "is_owner"),
    [*itertools.product(REFUSED_TO_ALL, [False, True]), *itertools.product(REFUSED_TO_WRITERS, [False])],
)
def test_neither_a_writer_nor_by_mistake_the_owner_changes_anything(
    postgres_url: str, new_schema: Callable[[], str], statement: str, is_owner: bool
) -> None:
    import psycopg

    store = PostgresStore.make(postgres_url, new_schema(), ORIGIN)
    fill(store, TILE_WIDTH)
    store.put_checkpoint(1, "note")
    with store.write() as writing:
        writing.insert_blob("e" * 64, b"bytes")
        writing.insert_seen("other", 3, "note")
    link = store._connection()
    if is_owner:
        link.execute("RESET ROLE")
    with pytest.raises(psycopg.Error):
        link.execute(statement)
    assert link.execute("SELECT count(*), count(body) FROM entry").fetchone() == (TILE_WIDTH, TILE_WIDTH)
    store.close()


def test_a_server_that_went_away_is_called_again(postgres_url: str, new_schema: Callable[[], str]) -> None:
    import psycopg

    store = PostgresStore.make(postgres_url, new_schema(), ORIGIN)
    book = ledger(store)
    book.append(drafts(0, 2))

    def hang_up() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND application_name = 'tallybook'"
            )

    hang_up()
    assert len(leaf_hashes(store)) == 2
    assert book.append(drafts(2, 1))[0].index == 2
    calls: list[str] = []

    def watch(step: str) -> None:
        if step == "inserted" and not calls:
            calls.append(step)
            hang_up()

    cut = ledger(store, watch=watch)
    with pytest.raises(StoreError, match="file it again"):
        cut.append(drafts(3, 2))
    assert [receipt.is_new for receipt in cut.append(drafts(2, 3))] == [False, True, True]
    assert len(leaf_hashes(store)) == 5
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:a@secret@localhost/x",
        "postgresql://user:secret#@localhost/x",
        "postgresql://user:secret@localhost:port/x",
        "postgresql://user:secret@[localhost/x",
        "mysql://user:secret@localhost/x",
        "host=localhost password=secret",
        "postgresql://user:secret@localhost:1/x",
        "postgresql://user:secret@no.such.host.invalid/x",
        "postgresql://user:secret@localhost:1/x?sslmode=secret",
        "postgresql://user:secret@localhost:1/x?secret=1",
    ],
)
def test_an_address_with_a_secret_is_never_repeated(url: str) -> None:
    with pytest.raises(StoreError) as raised:
        PostgresStore(url, "ledger")
    told: BaseException | None = raised.value
    assert "\n" in str(told)
    while told is not None:
        assert "secret" not in str(told)
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)


@pytest.mark.parametrize("schema", ["", "Ledger", "a-b", 'a"b', "a;b", "1a", "pg_a", "a" * 60, "é", "a\n"])
def test_a_schema_with_an_odd_name_is_refused(schema: str) -> None:
    with pytest.raises(StoreError, match="the schema name"):
        PostgresStore("postgresql://localhost/x", schema)


def test_a_writer_who_waits_too_long_is_told(
    postgres_url: str, new_schema: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallybook.ledger.postgres.LOCK_SECONDS", 1)
    schema = new_schema()
    first = PostgresStore.make(postgres_url, schema, ORIGIN)
    second = PostgresStore(postgres_url, schema)
    with first.write(), pytest.raises(StoreError, match="took too long"), second.write():
        pass
    with pytest.raises(StoreError, match="within"), first.write(), first.write():
        pass
    fill(second, 1)
    first.close()
    second.close()


def test_stores_of_one_database_do_not_mix(new_place: MakePlace) -> None:
    one, other = new_place().make(), new_place().make()
    fill(one, 3)
    assert leaf_hashes(other) == []
    for store in (one, other):
        store.close()


def test_a_signed_checkpoint_is_of_what_is_kept(store: Store) -> None:
    signed: list[tuple[int, bytes]] = []

    def watch_sign(size: int, root: bytes) -> str:
        with store.read() as reading:
            assert reading.size() >= size
        signed.append((size, root))
        return sign(size, root)

    book = ledger(store, sign=watch_sign)
    book.append(drafts(0, 3))
    book.append(drafts(3, 300))
    hashes: list[Any] = list(leaf_hashes(store))
    assert signed == [(3, root_of(hashes[:3])), (303, root_of(hashes))]
