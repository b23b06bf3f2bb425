"""A log in memory: for tests, and for trying something out. It does what the other stores do, and forgets it all."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock

from tallybook.ledger.entry import DESTRUCTION, Stored
from tallybook.ledger.store import LARGEST_BLOB, Extent, Hashed, StoreError, Tile, check_order


@dataclass(slots=True)
class _State:
    entries: list[Stored] = field(default_factory=list)
    tiles: dict[tuple[int, int], Tile] = field(default_factory=dict)
    keys: dict[int, list[int]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, dict[int, str]] = field(default_factory=dict)
    checkpoints: dict[int, str] = field(default_factory=dict)


class MemoryStore:
    """A store that lives as long as the program."""

    def __init__(self, origin: str) -> None:
        self._state = _State()
        self._settings = {"origin": origin}
        self._lock = RLock()

    def settings(self) -> Mapping[str, str]:
        """What was set when it was made."""
        return self._settings

    @contextmanager
    def read(self) -> Iterator[MemoryView]:
        """A view as of now."""
        with self._lock:
            view = MemoryView(self._state, len(self._state.entries))
        yield view

    @contextmanager
    def write(self) -> Iterator[MemoryWriting]:
        """Be the one writer; an error takes back all that was written."""
        with self._lock:
            state = self._state
            writing = MemoryWriting(state, len(state.entries))
            try:
                yield writing
            except BaseException:
                writing.take_back()
                raise

    def put_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint."""
        with self._lock:
            self._state.checkpoints.setdefault(size, note)

    def close(self) -> None:
        """Nothing to let go of."""


class MemoryView:
    """What was there when it was made."""

    def __init__(self, state: _State, size: int) -> None:
        self._state = state
        self._size = size

    def size(self) -> int:
        """How many entries."""
        return self._size

    def entry(self, seq: int) -> Stored | None:
        """Entry `seq`."""
        return self._state.entries[seq] if 0 <= seq < self.size() else None

    def entries(self, start: int, end: int) -> Iterator[Stored]:
        """A range of entries."""
        return iter(self._state.entries[max(0, start) : min(end, self.size())])

    def hashed(self, start: int, end: int) -> Iterator[Hashed]:
        """What an audit hashes."""
        return self.entries(start, end)

    def extent(self) -> Extent:
        """How many rows."""
        return Extent(len(self._state.entries), Counter(level for level, _ in self._state.tiles))

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """The leaf hashes of a range."""
        return [entry.leaf_hash for entry in self.entries(start, end)]

    def tile(self, level: int, index: int) -> Tile | None:
        """A complete tile."""
        return self._state.tiles.get((level, index))

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        """The hashes over complete tiles."""
        found = (self.tile(level, index) for index in range(start, end))
        return [tile.root for tile in found if tile]

    def with_keys(self, keys: Sequence[int]) -> Sequence[Stored]:
        """Entries by subject."""
        found = sorted({seq for key in keys for seq in self._state.keys.get(key, ())})
        return [self._state.entries[seq] for seq in found if seq < self.size()]

    def checkpoint(self, size: int | None = None) -> str | None:
        """A checkpoint."""
        kept = self._state.checkpoints
        return kept.get(max(kept, default=0) if size is None else size)

    def checkpoints(self, start: int, count: int) -> Sequence[tuple[int, str]]:
        """Checkpoints in order."""
        sizes = sorted(self._state.checkpoints)
        return [(size, self._state.checkpoints[size]) for size in sizes[bisect_left(sizes, start) :][:count]]

    def seen(self, origin: str) -> tuple[int, str] | None:
        """Another's newest checkpoint."""
        kept = self._state.seen.get(origin)
        return (max(kept), kept[max(kept)]) if kept else None

    def blob(self, digest: str) -> bytes | None:
        """Bytes by hash."""
        return self._state.blobs.get(digest)


class MemoryWriting(MemoryView):
    """The one writer."""

    def __init__(self, state: _State, size: int) -> None:
        super().__init__(state, size)
        self._undo: list[tuple[int, Stored]] = []
        self._gone: dict[str, bytes] = {}
        self._made: list[tuple[dict[object, object], object]] = []

    def size(self) -> int:
        """How many entries, with those just written."""
        return len(self._state.entries)

    def insert(self, entries: Sequence[Stored], tiles: Sequence[Tile]) -> None:
        """Put entries on the end."""
        check_order(len(self._state.entries), entries)
        for entry in entries:
            self._state.entries.append(entry)
            self._state.keys.setdefault(entry.key, []).append(entry.seq)
        for tile in tiles:
            self._state.tiles[tile.level, tile.index] = tile
            self._made.append((self._state.tiles, (tile.level, tile.index)))  # type: ignore[arg-type]

    def insert_blob(self, digest: str, data: bytes) -> None:
        """Keep bytes."""
        if len(data) > LARGEST_BLOB:
            raise StoreError(f"over {LARGEST_BLOB:,} bytes", do="keep it as a file, and file its hash")
        if digest not in self._state.blobs:
            self._state.blobs[digest] = data
            self._made.append((self._state.blobs, digest))  # type: ignore[arg-type]

    def destroy(self, seq: int, blob: str | None = None) -> None:
        """Take a body away."""
        entry = self.entry(seq)
        about = (one.entry for one in self._state.entries[seq + 1 :])
        if entry is None or not any(one.kind == DESTRUCTION and one.subject == str(seq) for one in about):
            raise StoreError(f"entry {seq} has no entry about its destruction", do="file that first")
        self._undo.append((seq, entry))
        if blob in self._state.blobs:
            self._gone[blob] = self._state.blobs.pop(blob)
        self._state.entries[seq] = entry._replace(body=None, salt=None)

    def insert_seen(self, origin: str, size: int, note: str) -> None:
        """Remember another's checkpoint."""
        kept = self._state.seen.setdefault(origin, {})
        if size not in kept:
            kept[size] = note
            self._made.append((kept, size))  # type: ignore[arg-type]

    def take_back(self) -> None:
        """Undo all that was written."""
        for seq, entry in reversed(self._undo):
            self._state.entries[seq] = entry
        for gone in self._state.entries[self._size :]:
            self._state.keys[gone.key].remove(gone.seq)
        del self._state.entries[self._size :]
        self._state.blobs.update(self._gone)
        for kept, key in self._made:
            kept.pop(key, None)
