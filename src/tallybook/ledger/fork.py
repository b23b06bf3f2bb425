"""A log that tells two histories, as one text file that convicts it: two checkpoints that it signed and that cannot both hold.

    tallybook.ledger/fork@v1
    prefix sFodV/vSp5O8n9a8…       only where the sizes differ: the root that the larger log has at the smaller size
    gSKyXoYZUgZ6jduW…              and the consistency proof from there to the larger
    checkpoint 213                 so many bytes of the smaller checkpoint
    …
    checkpoint 215                 and of the other
    …

Whoever has the log's verifier key can check it, and needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallybook.errors import TallybookError
from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.keys import Verifier
from tallybook.ledger.note import LONGEST_NOTE
from tallybook.ledger.signed import open_checkpoint, read_checkpoint
from tallybook.ledger.strict import FormatError, read_decimal, read_hash, shown, write_base64
from tallybook.ledger.tree import EMPTY_ROOT, HASH_SIZE, check_consistency

HEADER = "tallybook.ledger/fork@v1"
MOST_HASHES = 63
LONGEST_FORK = 2 * LONGEST_NOTE + 8192

Grow = Callable[[Checkpoint, Checkpoint], tuple[bytes, Sequence[bytes]]]
"""From the larger log: the root that it has at the smaller's size, and the consistency proof from there to the larger."""

_DO = "get the file again from whoever made it; this one was cut, changed or is of another format"


class ForkFormatError(FormatError):
    """Bytes that are not a proof of a fork."""


class NoForkError(TallybookError):
    """Two checkpoints that do not convict the log."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Two signed notes, the smaller checkpoint first; where sizes differ, `prefix` (32 bytes) and the proof from it."""

    first: bytes
    second: bytes
    prefix: bytes | None = None
    proof: tuple[bytes, ...] = ()


class Relation(StrEnum):
    """How two checkpoints of one log stand to each other."""

    CONSISTENT = "consistent"
    FIRST_BEHIND = "the first is behind the second"
    SECOND_BEHIND = "the second is behind the first"
    FORK = "fork"
    UNKNOWN = "cannot be told without a consistency proof"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The relation, and the proof where it is a fork."""

    relation: Relation
    first: Checkpoint
    second: Checkpoint
    fork: Fork | None = None


def compare(first: bytes, second: bytes, trusted: Sequence[Verifier], grow: Grow | None = None) -> Comparison:
    """How two signed checkpoints of one log stand to each other; `grow` is asked where their sizes differ.

    Raises NoteError, CheckpointError and SignatureError for the notes, NoForkError for checkpoints of two logs, and ProofError
    where `grow` gives a proof that proves nothing.
    """
    one = open_checkpoint(first, trusted).checkpoint
    two = open_checkpoint(second, trusted, one.origin).checkpoint
    if one.size == two.size:
        if one.root == two.root:
            return Comparison(Relation.CONSISTENT, one, two)
        return Comparison(Relation.FORK, one, two, Fork(first, second))
    behind = Relation.FIRST_BEHIND if one.size < two.size else Relation.SECOND_BEHIND
    (small, large), notes = ((one, two), (first, second)) if one.size < two.size else ((two, one), (second, first))
    if small.size == 0:
        if small.root == EMPTY_ROOT:
            return Comparison(behind, one, two)
        return Comparison(Relation.FORK, one, two, Fork(*notes, EMPTY_ROOT, ()))
    if grow is None:
        return Comparison(Relation.UNKNOWN, one, two)
    prefix, proof = grow(small, large)
    check_consistency(small.size, large.size, prefix, large.root, proof)
    if prefix == small.root:
        return Comparison(behind, one, two)
    return Comparison(Relation.FORK, one, two, Fork(*notes, prefix, tuple(proof)))


def check(fork: Fork, trusted: Sequence[Verifier], origin: str | None = None) -> tuple[Checkpoint, Checkpoint]:
    """The two checkpoints of a log that told two histories.

    Raises NoteError, CheckpointError or SignatureError for a note that no trusted key signed, NoForkError where the two may
    both hold, ProofError where the proof leads elsewhere.
    """
    one = open_checkpoint(fork.first, trusted, origin).checkpoint
    two = open_checkpoint(fork.second, trusted, one.origin).checkpoint
    if one.size == two.size:
        if one.root == two.root:
            raise NoForkError(f"both say the same of size {one.size}", do="nothing is proven; drop the accusation")
        if fork.prefix is not None or fork.proof:
            raise NoForkError("a proof between two checkpoints of one size", do=_DO)
        return one, two
    if one.size > two.size or fork.prefix is None:
        raise NoForkError("two sizes, and no proof from the smaller to the larger", do="ask the accuser for the proof")
    if one.size == 0:
        if fork.prefix != EMPTY_ROOT or fork.proof:
            raise NoForkError("a proof from the empty tree, where none can be", do=_DO)
    else:
        check_consistency(one.size, two.size, fork.prefix, two.root, fork.proof)
    if fork.prefix == one.root:
        raise NoForkError(f"the log of size {two.size} begins with that of size {one.size}", do="drop the accusation")
    return one, two


def parse_fork(raw: bytes) -> Fork:
    """The proof in a file, nothing verified. Raises ForkFormatError, and NoteError or CheckpointError for its checkpoints."""
    if len(raw) > LONGEST_FORK:
        raise ForkFormatError(f"{len(raw)} bytes; at most {LONGEST_FORK}", do=_DO)
    line, rest = _line(raw)
    if line != HEADER:
        raise ForkFormatError(f"{shown(line)} is not {HEADER}", where="line 1", do=_DO)
    prefix: bytes | None = None
    proof: list[bytes] = []
    line, after = _line(rest)
    if line.startswith("prefix "):
        prefix = _hash(line.removeprefix("prefix "))
        rest = after
        line, after = _line(rest)
        while not line.startswith("checkpoint "):
            if len(proof) == MOST_HASHES:
                raise ForkFormatError(f"more than {MOST_HASHES} hashes", do=_DO)
            proof.append(_hash(line))
            rest = after
            line, after = _line(rest)
    first, rest = _checkpoint(rest)
    second, rest = _checkpoint(rest)
    if rest:
        raise ForkFormatError("something after the second checkpoint", do=_DO)
    return Fork(first, second, prefix, tuple(proof))


def format_fork(fork: Fork) -> bytes:
    """The file: `parse_fork` read backwards. Raises as it does for parts that could not be read again."""
    lines = [HEADER]
    if fork.prefix is not None:
        lines += [f"prefix {write_base64(fork.prefix)}", *(write_base64(one) for one in fork.proof)]
    raw = "".join(f"{line}\n" for line in lines).encode()
    for note in (fork.first, fork.second):
        raw += b"checkpoint %d\n" % len(note) + note
    if parse_fork(raw) != fork:
        raise ForkFormatError("a consistency proof without the root that it starts from", do="give the prefix too")
    return raw


def _line(raw: bytes) -> tuple[str, bytes]:
    line, end, rest = raw.partition(b"\n")
    if not end or not line.isascii():
        raise ForkFormatError("the file ends within a line, or a line is not ASCII", do=_DO)
    return line.decode("ascii"), rest


def _hash(text: str) -> bytes:
    one = read_hash(text)
    if one is None:
        raise ForkFormatError(f"{shown(text)} is not {HASH_SIZE} bytes in base64", do=_DO)
    return one


def _checkpoint(raw: bytes) -> tuple[bytes, bytes]:
    line, rest = _line(raw)
    length = read_decimal(line.removeprefix("checkpoint ")) if line.startswith("checkpoint ") else None
    if length is None or length > len(rest):
        raise ForkFormatError(f"{shown(line)} is not `checkpoint` and the length of what follows", do=_DO)
    read_checkpoint(rest[:length])
    return rest[:length], rest[length:]
