"""A log in one SQLite file: write-ahead log, every commit on disk before it is acknowledged, and guard rails against changes.

The guard rails (triggers) stop mistakes. They prove nothing against somebody with the file in hand: the tree and witnesses do.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from threading import Lock, local
from urllib.parse import quote

from tallybook.ledger.entry import DESTRUCTION, Stored
from tallybook.ledger.store import (
    LARGEST_BLOB,
    NO_LEDGER,
    PAGE,
    Extent,
    Hashed,
    StoreError,
    StoreFullError,
    Tile,
    check_order,
    check_settings,
)

APPLICATION = 0x54424B31
"""In the file's header, so that no other database is taken for a log."""
FORM = 1
WAIT = 60.0
"""Seconds that a writer waits for another."""
PAGES_IN_LOG = 4_000
"""That the write-ahead log holds (32 MB) before it is folded into the file: less often is faster, and loses nothing."""
_KEYS_AT_A_TIME = 500
# Leaves are canonical JSON: a quotation mark inside a text is escaped there. (SQLite allows no json_extract in a trigger.)
_MARK = f"""CAST('"kind":"{DESTRUCTION}"' AS BLOB)"""
_IS_DESTRUCTION = f"instr(e.leaf, {_MARK}) > 0"

_TABLES = f"""
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY CHECK (seq >= 0), subject_key INTEGER NOT NULL,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    salt BLOB, leaf BLOB NOT NULL, body BLOB
) STRICT;
CREATE INDEX entry_subject ON entry (subject_key);
CREATE INDEX entry_destruction ON entry (seq) WHERE instr(leaf, {_MARK}) > 0;
CREATE TABLE tile (
    level INTEGER NOT NULL, idx INTEGER NOT NULL, root BLOB NOT NULL CHECK (length(root) = 32),
    hashes BLOB NOT NULL CHECK (length(hashes) = 8192), PRIMARY KEY (level, idx)
) STRICT;
CREATE UNIQUE INDEX tile_root ON tile (level, idx, root);
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE seen (origin TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (origin, size)) STRICT;
CREATE TABLE blob (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER entry_unchanged BEFORE UPDATE ON entry
WHEN NOT (
    NEW.seq = OLD.seq AND NEW.leaf = OLD.leaf AND NEW.leaf_hash = OLD.leaf_hash AND NEW.subject_key = OLD.subject_key
    AND NEW.body IS NULL AND NEW.salt IS NULL
    AND EXISTS (
        SELECT 1 FROM entry e WHERE e.seq > OLD.seq
        AND {_IS_DESTRUCTION} AND instr(e.leaf, CAST('"id":"' || OLD.seq || '"' AS BLOB)) > 0
    )
)
BEGIN SELECT raise(ABORT, 'entries are never changed; a body goes only after an entry about its destruction'); END;
"""
_KEPT = ("tile", "checkpoint", "seen", "setting")
_BLOBS = f"""
CREATE TRIGGER blob_unchanged BEFORE UPDATE ON blob BEGIN SELECT raise(ABORT, 'nothing is changed'); END;
CREATE TRIGGER blob_stays BEFORE DELETE ON blob
WHEN NOT EXISTS (
    SELECT 1 FROM entry e WHERE {_IS_DESTRUCTION}
    AND instr(e.body, CAST('"sha256":"' || OLD.sha256 || '"' AS BLOB)) > 0
)
BEGIN SELECT raise(ABORT, 'bytes go only after an entry about their destruction'); END;
"""
_GUARDS = "".join(
    f"CREATE TRIGGER {name}_stays BEFORE DELETE ON {name} BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;\n"
    f"CREATE TRIGGER {name}_unchanged BEFORE UPDATE ON {name} BEGIN SELECT raise(ABORT, 'nothing is changed'); END;\n"
    for name in _KEPT
)
_ENTRY = "seq, subject_key, leaf_hash, salt, leaf, body"


class SqliteStore:
    """A log in a file. Threads may share it: each reads through a connection of its own."""

    def __init__(self, path: Path, *, synchronous: str = "FULL", read_only: bool | None = None) -> None:
        """Open it. Raises StoreError where there is no log, or another's file."""
        self.path = path
        self._synchronous = synchronous
        self._read_only = not os.access(path.parent, os.W_OK) or not os.access(path, os.W_OK) if read_only is None else read_only
        self._local = local()
        self._open: list[sqlite3.Connection] = []
        self._lock = Lock()
        if not path.is_file():
            raise StoreError(NO_LEDGER, where=str(path), do="tallybook ledger init makes one")
        with _told(path):
            found = self._connection().execute("PRAGMA application_id").fetchone()[0]
            form = self._connection().execute("PRAGMA user_version").fetchone()[0]
        if found != APPLICATION:
            raise StoreError("an SQLite file, but no ledger", where=str(path), do="give the ledger's own file")
        if form != FORM:
            raise StoreError(f"a ledger of form {form}", where=str(path), do="read it with a newer Tallybook")

    @classmethod
    def make(cls, path: Path, origin: str, *, synchronous: str = "FULL") -> SqliteStore:
        """Make a new log. Raises StoreError where something is in its place."""
        if path.exists():
            raise StoreError("there is a file already", where=str(path), do="give another name; a ledger is never overwritten")
        with _told(path):
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute("PRAGMA page_size = 4096")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(f"BEGIN;{_TABLES}{_GUARDS}{_BLOBS}PRAGMA user_version = {FORM};COMMIT;")
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute("INSERT INTO setting VALUES ('origin', ?)", (origin,))
            finally:
                connection.close()
        return cls(path, synchronous=synchronous)

    def _connection(self, use: str = "reading") -> sqlite3.Connection:
        """The connection of this thread: one to read through, and one to write through while it reads."""
        kept: sqlite3.Connection | None = getattr(self._local, use, None)
        if kept is None:
            # A connection is used by one thread; `close` may come from another.
            kept = sqlite3.connect(
                f"file:{quote(str(self.path))}?{self._mode()}",
                uri=True,
                isolation_level=None,
                timeout=WAIT,
                check_same_thread=False,
            )
            for pragma in (
                f"synchronous = {self._synchronous}",
                "recursive_triggers = ON",
                "trusted_schema = OFF",
                "cell_size_check = ON",
                "foreign_keys = ON",
                "secure_delete = ON",
                "temp_store = MEMORY",
                f"wal_autocheckpoint = {PAGES_IN_LOG}",
            ):
                kept.execute(f"PRAGMA {pragma}")
            setattr(self._local, use, kept)
            with self._lock:
                self._open.append(kept)
        return kept

    def _mode(self) -> str:
        """How to open the file. On a disk that may not be written, and with nothing in the write-ahead log, it cannot change."""
        if not self._read_only:
            return "mode=rw"
        log = Path(f"{self.path}-wal")
        return "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"

    def settings(self) -> Mapping[str, str]:
        """What was set when it was made."""
        with _told(self.path):
            return check_settings(dict(self._connection().execute("SELECT name, value FROM setting").fetchall()), str(self.path))

    @contextmanager
    def read(self) -> Iterator[SqliteReading]:
        """A view as of now: one snapshot."""
        with _told(self.path):
            connection = self._connection()
            if connection.in_transaction:
                yield SqliteReading(connection)
                return
            connection.execute("BEGIN")
            try:
                yield SqliteReading(connection)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[SqliteWriting]:
        """Be the one writer; an error takes back all that was written."""
        if self._read_only:
            do = "let it be written, or copy it to where it may; what is there can be read"
            raise StoreFullError("it may not be written", where=str(self.path), do=do)
        with _told(self.path):
            connection = self._connection("writing")
            with self._turn():
                connection.execute("BEGIN IMMEDIATE")
                try:
                    writing = SqliteWriting(connection)
                    yield writing
                    connection.execute("COMMIT")
                    if writing.has_destroyed:
                        # What was destroyed must not stay in the write-ahead log.
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for one's turn. SQLite's own wait is a sleep and a try again, by which some writers starve.

        Only fairness hangs on it: where there can be no such file, SQLite's lock still keeps writers apart.
        """
        try:
            file = os.open(f"{self.path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            yield
            return
        try:
            end = time.monotonic() + WAIT
            while not _locked(file):
                if time.monotonic() > end:
                    raise StoreError("another writer holds it", where=str(self.path), do="try again when that is done")
                time.sleep(0.001)
            yield
        finally:
            os.close(file)

    def put_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint. No wait for the disk: it can always be signed anew."""
        with _told(self.path):
            connection = self._connection("writing")
            connection.execute("PRAGMA synchronous = NORMAL")
            try:
                connection.execute("INSERT INTO checkpoint VALUES (?, ?) ON CONFLICT DO NOTHING", (size, note))
            finally:
                connection.execute(f"PRAGMA synchronous = {self._synchronous}")

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = local()


class SqliteReading:
    """A snapshot."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def size(self) -> int:
        """How many entries."""
        found: int = self._db.execute("SELECT coalesce(max(seq) + 1, 0) FROM entry").fetchone()[0]
        return found

    def entry(self, seq: int) -> Stored | None:
        """Entry `seq`."""
        row = self._db.execute(f"SELECT {_ENTRY} FROM entry WHERE seq = ?", (seq,)).fetchone()
        return Stored(*row) if row else None

    def entries(self, start: int, end: int) -> Iterator[Stored]:
        """A range of entries."""
        found = self._db.execute(f"SELECT {_ENTRY} FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (start, end))
        while rows := found.fetchmany(PAGE):
            for row in rows:
                yield Stored(*row)

    def hashed(self, start: int, end: int) -> Iterator[Hashed]:
        """What an audit hashes."""
        query = f"SELECT {_ENTRY} FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq"
        return self._db.execute(query, (start, end))

    def extent(self) -> Extent:
        """How many rows."""
        entries = self._db.execute("SELECT count(*) FROM entry").fetchone()[0]
        return Extent(entries, dict(self._db.execute("SELECT level, count(*) FROM tile GROUP BY level").fetchall()))

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """The leaf hashes of a range."""
        found = self._db.execute("SELECT leaf_hash FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (start, end))
        return [row[0] for row in found]

    def tile(self, level: int, index: int) -> Tile | None:
        """A complete tile."""
        found = self._db.execute("SELECT root, hashes FROM tile WHERE level = ? AND idx = ?", (level, index)).fetchone()
        return Tile(level, index, *found) if found else None

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes over complete tiles."""
        found = self._db.execute(
            "SELECT root FROM tile WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx", (level, start, end)
        )
        return [row[0] for row in found]

    def with_keys(self, keys: Sequence[int]) -> Sequence[Stored]:
        """Entries by subject."""
        out: list[Stored] = []
        for at in range(0, len(keys), _KEYS_AT_A_TIME):
            some = keys[at : at + _KEYS_AT_A_TIME]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(f"SELECT {_ENTRY} FROM entry WHERE subject_key IN ({marks}) AND seq >= 0", some)
            out += (Stored(*row) for row in rows)
        out.sort(key=lambda entry: entry.seq)
        return out

    def checkpoint(self, size: int | None = None) -> str | None:
        """A checkpoint."""
        if size is None:
            row = self._db.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        else:
            row = self._db.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
        return row[0] if row else None

    def checkpoints(self, start: int, count: int) -> Sequence[tuple[int, str]]:
        """Checkpoints in order."""
        return self._db.execute(
            "SELECT size, note FROM checkpoint WHERE size >= ? ORDER BY size LIMIT ?", (start, count)
        ).fetchall()

    def seen(self, origin: str) -> tuple[int, str] | None:
        """Another's newest checkpoint."""
        found: tuple[int, str] | None = self._db.execute(
            "SELECT size, note FROM seen WHERE origin = ? ORDER BY size DESC LIMIT 1", (origin,)
        ).fetchone()
        return found

    def blob(self, digest: str) -> bytes | None:
        """Bytes by hash."""
        row = self._db.execute("SELECT bytes FROM blob WHERE sha256 = ?", (digest,)).fetchone()
        return row[0] if row else None


class SqliteWriting(SqliteReading):
    """The one writer."""

    has_destroyed = False

    def insert(self, entries: Sequence[Stored], tiles: Sequence[Tile]) -> None:
        """Put entries on the end."""
        check_order(self.size(), entries)
        self._db.executemany(
            f"INSERT INTO entry ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?)",
            # SQLite's module binds plain tuples faster than named ones.
            list(map(tuple, entries)),
        )
        self._db.executemany("INSERT INTO tile VALUES (?, ?, ?, ?)", [(t.level, t.index, t.root, t.hashes) for t in tiles])

    def insert_blob(self, digest: str, data: bytes) -> None:
        """Keep bytes."""
        if len(data) > LARGEST_BLOB:
            raise StoreError(f"over {LARGEST_BLOB:,} bytes", do="keep it as a file, and file its hash")
        self._db.execute("INSERT INTO blob VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, data))

    def destroy(self, seq: int, blob: str | None = None) -> None:
        """Take a body away, and bytes."""
        self._db.execute("DELETE FROM blob WHERE sha256 = ?", (blob,))
        done = self._db.execute("UPDATE entry SET body = NULL, salt = NULL WHERE seq = ?", (seq,))
        if not done.rowcount:
            raise StoreError(f"there is no entry {seq}", do="give the number of an entry")
        self.has_destroyed = True

    def insert_seen(self, origin: str, size: int, note: str) -> None:
        """Remember another's checkpoint."""
        self._db.execute("INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (origin, size, note))


def _locked(file: int) -> bool:
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say an error of SQLite in our words."""
    try:
        yield
    except sqlite3.Error as error:
        name, text = getattr(error, "sqlite_errorname", ""), str(error)
        if name.startswith(("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN")) or "readonly" in text:
            do = "make room, or let it be written; what was acknowledged is still there, and can be read"
            raise StoreFullError(f"cannot be written: {text}", where=str(path), do=do) from error
        if name.startswith("SQLITE_BUSY"):
            raise StoreError("another writer holds it", where=str(path), do="try again when that is done") from error
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            do = "restore it from a copy, and check the copy against a checkpoint kept elsewhere"
            raise StoreError(f"damaged, or no ledger: {text}", where=str(path), do=do) from error
        raise StoreError(f"refused: {text}", where=str(path), do="tallybook ledger audit says what does not fit") from error
