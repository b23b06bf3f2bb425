"""What is read from a log in PostgreSQL and written to it, within a transaction that `postgres` begins and ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any

from tallybook.ledger.entry import Stored
from tallybook.ledger.store import LARGEST_BLOB, PAGE, Extent, Hashed, StoreError, Tile, check_order

if TYPE_CHECKING:
    from psycopg import Connection

    Link = Connection[tuple[Any, ...]]

_ENTRY = "SELECT seq, subject_key, leaf_hash, salt, leaf, body FROM entry"
# https://www.postgresql.org/docs/15/sql-copy.html, Binary Format
_COPY = "COPY entry (seq, subject_key, leaf_hash, salt, leaf, body) FROM STDIN (FORMAT BINARY)"
_COPY_HEAD, _COPY_END, _NULL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff", b"\xff\xff\xff\xff"
_COPY_PART = 200
_COUNT, _LENGTH, _WHOLE = Struct("!h"), Struct("!i"), Struct("!hiqiqi32si16si")


class PostgresReading:
    """A snapshot."""

    def __init__(self, link: Link, size: int) -> None:
        self.link = link
        self._size = size

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of an answer."""
        return self.link.execute(query, values, binary=True).fetchall()

    def _row(self, query: str, values: Sequence[object] = ()) -> Any:
        return self.link.execute(query, values, binary=True).fetchone()

    def size(self) -> int:
        """How many entries."""
        return self._size

    def entry(self, seq: int) -> Stored | None:
        """Entry `seq`."""
        row = self._row(_ENTRY + " WHERE seq = %s", (seq,))
        return Stored(*row) if row else None

    def entries(self, start: int, end: int) -> Iterator[Stored]:
        """A range of entries, a page in memory at a time."""
        query = _ENTRY + " WHERE seq >= %s AND seq < %s ORDER BY seq LIMIT " + str(PAGE)
        while page := self.rows(query, (start, end)):
            for row in page:
                yield Stored(*row)
            start = page[-1][0] + 1

    def hashed(self, start: int, end: int) -> Iterator[Hashed]:
        """What an audit hashes."""
        return self.entries(start, end)

    def extent(self) -> Extent:
        """How many rows."""
        tiles = dict(self.rows("SELECT level::bigint, count(*) FROM tile GROUP BY level"))
        return Extent(self._row("SELECT count(*) FROM entry")[0], tiles)

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """The leaf hashes of a range."""
        return [
            row[0] for row in self.rows("SELECT leaf_hash FROM entry WHERE seq >= %s AND seq < %s ORDER BY seq", (start, end))
        ]

    def tile(self, level: int, index: int) -> Tile | None:
        """A complete tile."""
        row = self._row("SELECT root, hashes FROM tile WHERE level = %s AND idx = %s", (level, index))
        return Tile(level, index, *row) if row else None

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes over complete tiles."""
        query = "SELECT root FROM tile WHERE level = %s AND idx >= %s AND idx < %s ORDER BY idx"
        return [row[0] for row in self.rows(query, (level, start, end))]

    def with_keys(self, keys: Sequence[int]) -> Sequence[Stored]:
        """Entries by subject."""
        written = "{" + ",".join(map(str, keys)) + "}"
        found = self.rows(_ENTRY + " WHERE subject_key = ANY(%s::bigint[]) ORDER BY seq", (written,))
        return [Stored(*row) for row in found]

    def checkpoint(self, size: int | None = None) -> str | None:
        """A checkpoint."""
        if size is None:
            row = self._row("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        else:
            row = self._row("SELECT note FROM checkpoint WHERE size = %s", (size,))
        return row[0] if row else None

    def checkpoints(self, start: int, count: int) -> Sequence[tuple[int, str]]:
        """Checkpoints in order."""
        return self.rows("SELECT size, note FROM checkpoint WHERE size >= %s ORDER BY size LIMIT %s", (start, count))

    def seen(self, origin: str) -> tuple[int, str] | None:
        """Another's newest checkpoint."""
        found: tuple[int, str] | None = self._row(
            "SELECT size, note FROM seen WHERE origin = %s ORDER BY size DESC LIMIT 1", (origin,)
        )
        return found

    def blob(self, digest: str) -> bytes | None:
        """Bytes by hash."""
        row = self._row("SELECT bytes FROM blob WHERE sha256 = %s", (digest,))
        return row[0] if row else None


class PostgresWriting(PostgresReading):
    """The one writer."""

    def insert(self, entries: Sequence[Stored], tiles: Sequence[Tile]) -> None:
        """Put entries on the end."""
        check_order(self._size, entries)
        with self.link.cursor() as cursor:
            with cursor.copy(_COPY) as copy:
                copy.write(_COPY_HEAD)
                # In parts: the server works on the first while we write the next.
                for start in range(0, len(entries), _COPY_PART):
                    copy.write(b"".join(map(_copied, entries[start : start + _COPY_PART])))
                copy.write(_COPY_END)
            if tiles:
                rows = [(tile.level, tile.index, tile.root, tile.hashes) for tile in tiles]
                cursor.executemany("INSERT INTO tile VALUES (%b, %b, %b, %b)", rows)
        self._size += len(entries)

    def insert_blob(self, digest: str, data: bytes) -> None:
        """Keep bytes."""
        if len(data) > LARGEST_BLOB:
            raise StoreError(f"over {LARGEST_BLOB:,} bytes", do="keep it as a file, and file its hash")
        self.link.execute("INSERT INTO blob VALUES (%b, %b) ON CONFLICT DO NOTHING", (digest, data))

    def destroy(self, seq: int, blob: str | None = None) -> None:
        """Take a body away, and bytes. The owner's function does it: a writer has no right to."""
        if not self._row("SELECT destroy_body(%s, %s)", (seq, blob))[0]:
            raise StoreError(f"entry {seq} has no entry about its destruction", do="file that first")

    def insert_seen(self, origin: str, size: int, note: str) -> None:
        """Remember another's checkpoint."""
        self.link.execute("INSERT INTO seen VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (origin, size, note))


def _copied(entry: Stored) -> bytes:
    """A row of binary COPY: a third of the time that psycopg's own `write_row` takes."""
    seq, key, leaf_hash, salt, leaf, body = entry
    if body is None or salt is None or len(salt) != 16 or len(leaf_hash) != 32:
        fields = (seq.to_bytes(8, "big"), key.to_bytes(8, "big"), *entry[2:])
        return _COUNT.pack(6) + b"".join(_NULL if one is None else _LENGTH.pack(len(one)) + one for one in fields)
    head = _WHOLE.pack(6, 8, seq, 8, key, 32, leaf_hash, 16, salt, len(leaf))
    return b"".join((head, leaf, _LENGTH.pack(len(body)), body))
