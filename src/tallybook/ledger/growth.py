"""How a log grows: its right edge in tiles, and the nodes of the tree from what a store keeps."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from tallybook.ledger.store import TILE_HEIGHT, TILE_WIDTH, Reading, Tile
from tallybook.ledger.tree import EMPTY_ROOT, HASH_SIZE, Frontier, Node


class Growth:
    """The hashes of every level that fill no tile yet, and from them the root. Grows in O(1) a leaf."""

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[tuple[list[bytes], Frontier]] = []

    @classmethod
    def load(cls, reading: Reading) -> Growth:
        """The edge of a log as it is stored: at most 255 hashes of each level are read."""
        growth = cls()
        growth.size = reading.size()
        level, count = 0, growth.size
        while count:
            start = count - count % TILE_WIDTH
            hashes = level_hashes(reading, level, start, count)
            frontier = Frontier()
            for one in hashes:
                frontier.append(one)
            growth._levels.append((hashes, frontier))
            level, count = level + 1, count // TILE_WIDTH
        return growth

    def append(self, leaf: bytes) -> Iterator[Tile]:
        """Put a leaf hash on; gives the tiles that it completes."""
        self.size += 1
        level, count, at = 0, self.size, leaf
        while True:
            if level == len(self._levels):
                self._levels.append(([], Frontier()))
            hashes, frontier = self._levels[level]
            hashes.append(at)
            frontier.append(at)
            if len(hashes) < TILE_WIDTH:
                return
            at = frontier.edge[0]
            count //= TILE_WIDTH
            yield Tile(level, count - 1, at, b"".join(hashes))
            self._levels[level] = ([], Frontier())
            level += 1

    def root(self) -> bytes:
        """The root of the tree."""
        at = b""
        for _, frontier in self._levels:
            for left in reversed(frontier.edge):
                at = sha256(b"\x01" + left + at).digest() if at else left
        return at or EMPTY_ROOT


def level_hashes(reading: Reading, level: int, start: int, end: int) -> list[bytes]:
    """Hashes `start` to `end` (not itself) of a level in steps of 8: those of leaves, or those over tiles of the level below."""
    return reading.roots(level - 1, start, end) if level else reading.leaf_hashes(start, end)


def nodes(reading: Reading, size: int) -> Node:
    """The complete subtrees of the first `size` leaves, as `tree` asks for them. Reads at most one tile for each."""
    kept: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        step, height = divmod(level, TILE_HEIGHT)
        first = index << height
        tile, at = divmod(first, TILE_WIDTH)
        if not height and not step:
            return _slice(0, tile, at, 1)[0]
        hashes = _slice(step, tile, at, 1 << height)
        while len(hashes) > 1:
            hashes = [sha256(b"\x01" + hashes[n] + hashes[n + 1]).digest() for n in range(0, len(hashes), 2)]
        return hashes[0]

    def _slice(step: int, tile: int, at: int, count: int) -> list[bytes]:
        key = (step, tile)
        if key not in kept:
            end = min((tile + 1) * TILE_WIDTH, size >> (TILE_HEIGHT * step))
            whole = reading.tile(step, tile) if end == (tile + 1) * TILE_WIDTH else None
            kept[key] = whole.hashes if whole else b"".join(level_hashes(reading, step, tile * TILE_WIDTH, end))
        data = kept[key]
        return [data[n * HASH_SIZE : (n + 1) * HASH_SIZE] for n in range(at, at + count)]

    return node
