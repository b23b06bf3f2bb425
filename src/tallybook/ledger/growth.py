"""How a log grows: its right edge in tiles, and the nodes of the tree from what a store keeps."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from tallybook.ledger.store import Reading, Tile
from tallybook.ledger.tilepath import TILE_HEIGHT, TILE_WIDTH
from tallybook.ledger.tree import EMPTY_ROOT, HASH_SIZE, Frontier, Node, whole_root


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

    def extend(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Put leaf hashes on; gives the tiles that they complete."""
        tiles: list[Tile] = []
        start = 0
        while start < len(leaves):
            some = leaves[start : start + TILE_WIDTH - self.size % TILE_WIDTH]
            start += len(some)
            self.size += len(some)
            self._fill(0, some, tiles)
        return tiles

    def _fill(self, level: int, some: Sequence[bytes], tiles: list[Tile]) -> None:
        """Put hashes on a level, no more than its tile has room for, and the tile's own on the next where it is full."""
        if level == len(self._levels):
            self._levels.append(([], Frontier()))
        hashes, frontier = self._levels[level]
        hashes.extend(some)
        for one in some:
            frontier.append(one)
        if len(hashes) == TILE_WIDTH:
            index = (self.size >> (TILE_HEIGHT * (level + 1))) - 1
            tiles.append(Tile(level, index, frontier.edge[0], b"".join(hashes)))
            self._levels[level] = ([], Frontier())
            self._fill(level + 1, [tiles[-1].root], tiles)

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
        return whole_root(hashes)

    def _slice(step: int, tile: int, at: int, count: int) -> list[bytes]:
        key = (step, tile)
        if key not in kept:
            end = min((tile + 1) * TILE_WIDTH, size >> (TILE_HEIGHT * step))
            whole = reading.tile(step, tile) if end == (tile + 1) * TILE_WIDTH else None
            kept[key] = whole.hashes if whole else b"".join(level_hashes(reading, step, tile * TILE_WIDTH, end))
        data = kept[key]
        return [data[n * HASH_SIZE : (n + 1) * HASH_SIZE] for n in range(at, at + count)]

    return node
