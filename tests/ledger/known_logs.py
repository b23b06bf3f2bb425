"""A small log, its keys, its witness, and changes of one bit, for the tests of the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hypothesis import strategies as st

from tallybook.errors import TallybookError
from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.keys import CosignatureSigner, Ed25519Signer, Verifier
from tallybook.ledger.signed import sign_checkpoint
from tallybook.ledger.tree import Node, leaf_hash, root_of

ORIGIN = "example.org/log"
LOG = Ed25519Signer(ORIGIN, bytes(range(32)))
WITNESS = CosignatureSigner("example.org/witness", bytes(range(32, 64)))
STRANGER = Ed25519Signer("example.net/other", bytes(32))
KEYS: tuple[Verifier, ...] = (LOG.verifier,)
NOON = 1_700_000_000


def entries(count: int) -> list[bytes]:
    return [f"entry {n}".encode() * (1 + n % 3) for n in range(count)]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(one) for one in entries(count)]


def nodes(hashes: Sequence[bytes]) -> Node:
    """The nodes of a tree by brute force: every one from its leaves."""

    def node(level: int, index: int) -> bytes:
        return root_of(hashes[index << level : (index + 1) << level])

    return node


def head(count: int, hashes: Sequence[bytes] | None = None) -> Checkpoint:
    return Checkpoint(ORIGIN, count, root_of((hashes or leaves(count))[:count]))


def note(count: int, hashes: Sequence[bytes] | None = None) -> bytes:
    return sign_checkpoint(head(count, hashes), [LOG])


def one_bit_changes(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Every change of one bit, with the byte where it is."""
    for at in range(len(raw)):
        for bit in range(8):
            yield at, raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]


def taken(raw: bytes, check: Callable[[bytes], object]) -> list[int]:
    """The bytes where a change of one bit is not refused."""
    places = []
    for at, changed in one_bit_changes(raw):
        try:
            check(changed)
        except TallybookError:
            continue
        places.append(at)
    return places


def pieces(*parts: str, most: int = 20) -> st.SearchStrategy[str]:
    """Text put together from parts of the format."""
    return st.lists(st.sampled_from(parts), max_size=most).map("".join)
