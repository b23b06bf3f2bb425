"""The Merkle tree of RFC 6962, section 2.1: its hashes, its proofs, and how they are checked (RFC 9162, 2.1.3.2 and 2.1.4.2).

A leaf counts from 0. A *node* is the hash of a complete subtree: `(level, index)` covers the leaves from `index << level` on,
`1 << level` of them. Hashes are 32 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from tallybook.errors import TallybookError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""
LARGEST = (1 << 63) - 1
"""No tree has more leaves."""
LONGEST_PROOF = 64 * 2
"""No proof of a tree that fits has more hashes."""

Node = Callable[[int, int], bytes]


class ProofError(TallybookError):
    """A proof that does not prove what it is said to."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of a zero byte and the entry."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side: SHA-256 of a one byte and both."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: the complete subtrees that it falls into, the largest first. Grows in O(1) a leaf, on average."""

    __slots__ = ("edge", "size")

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        """`edge` holds one hash for each bit set in `size`, the highest first. Raises ValueError where it does not."""
        self.size = size
        self.edge = list(edge)
        if len(self.edge) != size.bit_count():
            raise ValueError(f"{len(self.edge)} hashes for a tree of {size} leaves; there must be {size.bit_count()}")

    def append(self, leaf: bytes) -> None:
        """Put one more leaf hash on."""
        edge, left = self.edge, self.size
        at = leaf
        while left & 1:
            at = sha256(b"\x01" + edge.pop() + at).digest()
            left >>= 1
        edge.append(at)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree."""
        if not self.edge:
            return EMPTY_ROOT
        at = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            at = sha256(b"\x01" + left + at).digest()
        return at

    def copy(self) -> Frontier:
        """The same edge, to grow by itself."""
        return Frontier(self.size, self.edge)

    @classmethod
    def of(cls, node: Node, size: int) -> Frontier:
        """The edge of a tree of `size` leaves, from its nodes."""
        return cls(size, [node(level, index) for level, index in complete(0, size)])


def whole_root(hashes: Sequence[bytes]) -> bytes:
    """The hash over a complete subtree, from the hashes of one level of it: a power of two of them."""
    while len(hashes) > 1:
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def complete(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees, as (level, index), that leaves `start` to `end` (not itself) fall into, from left to right."""
    out = []
    while start < end:
        level = (start & -start).bit_length() - 1 if start else (end - start).bit_length() - 1
        while (1 << level) > end - start:
            level -= 1
        out.append((level, start >> level))
        start += 1 << level
    return out


def range_hash(node: Node, start: int, end: int) -> bytes:
    """The hash over leaves `start` to `end` of a tree, as RFC 6962 writes MTH(D[start:end]); a subtree must start at `start`."""
    parts = [node(level, index) for level, index in complete(start, end)]
    at = parts.pop()
    while parts:
        at = node_hash(parts.pop(), at)
    return at


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of the first `size` leaves (RFC 6962, 2.1.1). Raises ValueError outside it."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(node, middle, end))
            end = middle
        else:
            path.append(range_hash(node, start, middle))
            start = middle
    path.reverse()
    return path


def consistency_proof(node: Node, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` leaves is the beginning of that of `new` (RFC 6962, 2.1.2).

    Raises ValueError unless 0 ≤ old ≤ new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"no proof from {old} to {new} leaves")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, is_known = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_hash(node, middle, end))
            end = middle
        else:
            path.append(range_hash(node, start, middle))
            start, is_known = middle, False
    if not is_known:
        path.append(range_hash(node, start, end))
    path.reverse()
    return path


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless the proof shows that the leaf hash stands at `index` of the tree with this size and root."""
    if not 0 <= index < size <= LARGEST:
        raise ProofError(f"index {index} is not in a tree of {size}", do="ask for a proof of an index below the size")
    _check_lengths([leaf, root, *proof])
    if inclusion_root(index, size, leaf, proof) != root:
        raise ProofError(f"the proof of entry {index} does not lead to the root of size {size}", do=_DO)


_DO = "the proof, the entry or the checkpoint was changed, or they are not of one log: get all three anew from the log"


def inclusion_root(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to. Raises ProofError for a proof of another length."""
    first, last, at = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ProofError("more hashes than the tree has levels", do=_DO)
        if first & 1 or first == last:
            at = node_hash(step, at)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            at = node_hash(at, step)
        first >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("fewer hashes than the tree has levels", do=_DO)
    return at


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofError unless the proof shows that the tree of `old` leaves is the beginning of that of `new`.

    From size 0 nothing can be shown, so that is refused too.
    """
    if not 0 < old <= new <= LARGEST:
        raise ProofError(f"no proof goes from {old} to {new} leaves", do="compare a smaller tree with a larger one")
    if old == new:
        if proof or old_root != new_root:
            raise ProofError(f"two trees of {old} leaves with two roots, or a proof where none is due", do=_DO)
        return
    _check_lengths([old_root, new_root, *proof])
    if not proof:
        raise ProofError("no hashes where the trees differ", do=_DO)
    rest = list(proof)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    first, last = old - 1, new - 1
    while first & 1:
        first >>= 1
        last >>= 1
    older = newer = rest[0]
    for step in rest[1:]:
        if last == 0:
            raise ProofError("more hashes than the tree has levels", do=_DO)
        if first & 1 or first == last:
            older, newer = node_hash(step, older), node_hash(step, newer)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            newer = node_hash(newer, step)
        first >>= 1
        last >>= 1
    if last != 0 or older != old_root or newer != new_root:
        raise ProofError(f"the tree of {new} leaves does not begin with that of {old}", do=_DO)


def _check_lengths(hashes: Iterable[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofError(f"a hash that is not {HASH_SIZE} bytes", do=_DO)
