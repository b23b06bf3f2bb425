"""Proofs out of a log's static files: the nodes of its tree, read from the tiles that are needed and no others."""

from __future__ import annotations

from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.fork import Grow
from tallybook.ledger.tilepath import TILE_HEIGHT, TILE_WIDTH, TilePath
from tallybook.ledger.tiles import Read, read_tile, tile_root
from tallybook.ledger.tree import HASH_SIZE, Node, consistency_proof, range_hash


def tile_nodes(read: Read, size: int) -> Node:
    """The complete subtrees of a log of `size` entries, as `tree` asks for them.

    Nothing is verified: check what is made of them against a signed root. The function raises TileError for a tile that is
    missing or of another width, and ValueError for a node beyond the size.
    """
    kept: dict[TilePath, bytes] = {}

    def node(level: int, index: int) -> bytes:
        step, height = divmod(level, TILE_HEIGHT)
        tile, at = divmod(index << height, TILE_WIDTH)
        width = min(TILE_WIDTH, (size >> (TILE_HEIGHT * step)) - tile * TILE_WIDTH)
        if at + (1 << height) > width:
            raise ValueError(f"no node {index} at level {level} of a log of {size}")
        path = TilePath(step, tile, width)
        if path not in kept:
            kept[path] = read_tile(read, path)
        return tile_root(kept[path][at * HASH_SIZE : (at + (1 << height)) * HASH_SIZE])

    return node


def grow_from(read: Read) -> Grow:
    """What `fork.compare` asks of the larger log, from its files. The function raises as `tile_nodes` does."""

    def grow(small: Checkpoint, large: Checkpoint) -> tuple[bytes, list[bytes]]:
        node = tile_nodes(read, large.size)
        return range_hash(node, 0, small.size), consistency_proof(node, small.size, large.size)

    return grow
