"""What a place that keeps a log must do, and no more. Three do it: memory, SQLite and PostgreSQL, each in its own way.

A store keeps entries and complete tiles in one transaction, so that they can never be out of step. A tile is 256 hashes of one
level, with the hash over them; hashes of a higher level are the tiles' own, so that what is not complete need not be stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from tallybook.errors import TallybookError
from tallybook.ledger.entry import Stored

NO_LEDGER = "no such ledger"
PAGE = 1_000
"""So many entries are in memory at a time when many are read."""
LARGEST_BLOB = 64_000_000


class StoreError(TallybookError):
    """A store that cannot be opened, read or written, with what to do about it. What it had acknowledged is still there."""


class StoreFullError(StoreError):
    """No room, or no right, to write. Reading goes on."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A complete tile: `hashes` are 256 of 32 bytes at `level` (in steps of 8), `root` the hash over them."""

    level: int
    index: int
    root: bytes
    hashes: bytes


def check_settings(found: Mapping[str, str], where: str) -> Mapping[str, str]:
    """The settings of a log, which name its origin. Raises StoreError."""
    if not found.get("origin"):
        raise StoreError("it does not say which log it is", where=where, do="its settings were changed: restore it from a copy")
    return found


def check_order(size: int, entries: Sequence[Stored]) -> None:
    """Raise StoreError unless the entries are the next after `size`, in order."""
    if [entry.seq for entry in entries] != list(range(size, size + len(entries))):
        raise StoreError(f"entries that do not follow on {size}", do="open the ledger anew: somebody else wrote to it")


Hashed = tuple[int, int, bytes, bytes | None, bytes, bytes | None]
"""Number, subject key, leaf hash, salt, leaf and body of an entry: a `Stored`, or a plain tuple."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How many entries and complete tiles (by level) a store holds. A sound one holds none outside its numbers."""

    entries: int
    tiles: Mapping[int, int]


class Reading(Protocol):
    """One view of a log that does not change while it is read."""

    def size(self) -> int:
        """How many entries there are."""

    def entry(self, seq: int) -> Stored | None:
        """Entry number `seq`, counted from 0; None where it is not there."""

    def entries(self, start: int, end: int) -> Iterator[Stored]:
        """Entries `start` to `end` (not itself) in order, in bounded memory. A missing one is left out."""

    def hashed(self, start: int, end: int) -> Iterator[Hashed]:
        """What an audit hashes of entries `start` to `end`, in order and in bounded memory. A missing one is left out."""

    def extent(self) -> Extent:
        """How many rows there are, whatever their numbers."""

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """The leaf hashes of entries `start` to `end` (not itself), in order."""

    def tile(self, level: int, index: int) -> Tile | None:
        """A complete tile; None where it is not there."""

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes over complete tiles `start` to `end` (not itself) of a level, in order."""

    def with_keys(self, keys: Sequence[int]) -> Sequence[Stored]:
        """The entries filed under these subject keys, in order."""

    def checkpoint(self, size: int | None = None) -> str | None:
        """The signed note of the log at this size, or the newest; None where there is none."""

    def checkpoints(self, start: int, count: int) -> Sequence[tuple[int, str]]:
        """At most `count` checkpoints of size `start` and more, in order, as (size, note)."""

    def seen(self, origin: str) -> tuple[int, str] | None:
        """The newest checkpoint of another's log that was seen here."""

    def blob(self, digest: str) -> bytes | None:
        """The bytes whose SHA-256 (hex) this is."""


class Writing(Reading, Protocol):
    """The one writer, while it holds the log. All that it writes is there for good once it is left without error, or none."""

    def insert(self, entries: Sequence[Stored], tiles: Sequence[Tile]) -> None:
        """Put entries on the end, with the tiles that they complete. Raises StoreError where a number is taken."""

    def insert_blob(self, digest: str, data: bytes) -> None:
        """Keep bytes under their hash; nothing happens where they are kept already."""

    def destroy(self, seq: int, blob: str | None = None) -> None:
        """Take away body and salt of an entry, and a blob.

        The entry must have one of kind `destruction` about it, which names the blob; else StoreError.
        """

    def insert_seen(self, origin: str, size: int, note: str) -> None:
        """Remember a checkpoint of another's log."""


class Store(Protocol):
    """A log's place."""

    def read(self) -> AbstractContextManager[Reading]:
        """A view of the log as it is now."""

    def write(self) -> AbstractContextManager[Writing]:
        """Be the one writer. Others wait; raises StoreError where that takes too long."""

    def put_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint. It may be lost in a power cut, and is then signed anew: entries never are."""

    def settings(self) -> Mapping[str, str]:
        """What was set when the log was made (its origin)."""

    def close(self) -> None:
        """Let go of it."""
