"""A log that tells two histories is convicted by one file; one that does not, is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.known_logs import KEYS, LOG, ORIGIN, STRANGER, head, leaves, nodes, note, taken
from tallybook.errors import TallybookError
from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.fork import (
    LONGEST_FORK,
    MOST_HASHES,
    Fork,
    ForkFormatError,
    NoForkError,
    Relation,
    check,
    compare,
    format_fork,
    parse_fork,
)
from tallybook.ledger.note import SignatureError
from tallybook.ledger.signed import sign_checkpoint
from tallybook.ledger.strict import write_base64
from tallybook.ledger.tree import EMPTY_ROOT, ProofError, consistency_proof, leaf_hash, root_of

OTHER = [leaf_hash(b"another history %d" % n) for n in range(40)]


def growing(hashes: Sequence[bytes]) -> object:
    def grow(small: Checkpoint, large: Checkpoint) -> tuple[bytes, list[bytes]]:
        return root_of(hashes[: small.size]), consistency_proof(nodes(hashes), small.size, large.size)

    return grow


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.booleans())
def test_two_checkpoints_are_told_apart(one: int, two: int, is_honest: bool) -> None:
    second = leaves(two) if is_honest else OTHER
    large = leaves(one) if one > two else second
    found = compare(note(one), note(two, second), KEYS, growing(large))  # type: ignore[arg-type]
    if not is_honest:
        assert found.relation == Relation.FORK
        assert found.fork is not None
        raw = format_fork(found.fork)
        assert parse_fork(raw) == found.fork
        small, _ = check(parse_fork(raw), KEYS, ORIGIN)
        assert small.size == min(one, two)
    elif one == two:
        assert found.relation == Relation.CONSISTENT
    else:
        assert found.relation == (Relation.FIRST_BEHIND if one < two else Relation.SECOND_BEHIND)
        assert (found.first.size, found.second.size) == (one, two)


def test_without_a_proof_two_sizes_cannot_be_told() -> None:
    assert compare(note(3), note(5), KEYS).relation == Relation.UNKNOWN
    assert compare(sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), [LOG]), note(5), KEYS).relation == Relation.FIRST_BEHIND
    with pytest.raises(ProofError):
        compare(note(3), note(5), KEYS, lambda small, large: (small.root, []))


def test_an_empty_log_with_another_root_is_a_fork_by_itself() -> None:
    found = compare(note(5), sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), [LOG]), KEYS)
    assert found.fork is not None
    assert check(parse_fork(format_fork(found.fork)), KEYS)[0].size == 0
    with pytest.raises(NoForkError):
        check(Fork(found.fork.first, found.fork.second, bytes(32)), KEYS)


@pytest.mark.parametrize("sizes", [(7, 7), (3, 7)])
def test_any_change_of_one_bit_to_a_proof_is_refused(sizes: tuple[int, int]) -> None:
    fork = compare(note(sizes[0]), note(sizes[1], OTHER), KEYS, growing(OTHER)).fork  # type: ignore[arg-type]
    assert fork is not None
    assert taken(format_fork(fork), lambda changed: check(parse_fork(changed), KEYS)) == []


def proof(old: int, new: int) -> tuple[bytes, ...]:
    return tuple(consistency_proof(nodes(leaves(new)), old, new))


@pytest.mark.parametrize(
    ("fork", "error"),
    [
        (Fork(note(5), note(5)), NoForkError),
        (Fork(note(5), note(9)), NoForkError),
        (Fork(note(9), note(5), head(5).root, ()), NoForkError),
        (Fork(note(5), note(9), head(5).root, proof(5, 9)), NoForkError),
        (Fork(note(5), note(9), root_of(OTHER[:5]), proof(5, 9)), ProofError),
        (Fork(note(5), note(5, OTHER), bytes(32), ()), NoForkError),
        (Fork(note(5), sign_checkpoint(head(5, OTHER), [STRANGER])), SignatureError),
        (Fork(note(5), sign_checkpoint(Checkpoint("another", 5, bytes(32)), [LOG])), SignatureError),
    ],
)
def test_an_honest_log_cannot_be_accused(fork: Fork, error: type[TallybookError]) -> None:
    with pytest.raises(error) as caught:
        check(parse_fork(format_fork(fork)), KEYS)
    assert caught.value.do


def test_another_log_or_key_is_not_convicted() -> None:
    fork = Fork(note(5), note(5, OTHER))
    with pytest.raises(SignatureError):
        check(fork, [STRANGER.verifier])
    with pytest.raises(SignatureError, match="not of another"):
        check(fork, KEYS, "another")


GOOD = format_fork(Fork(note(5), note(9, OTHER), root_of(OTHER[:5]), tuple(consistency_proof(nodes(OTHER), 5, 9))))
HASH = write_base64(bytes(32)).encode() + b"\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"prefix ", b"prefix  "),
        GOOD.replace(b"prefix ", b"Prefix "),
        GOOD.replace(b"checkpoint ", b"checkpoint 0", 1),
        GOOD.replace(b"checkpoint ", b"checkpoint 9", 1),
        GOOD.replace(b"checkpoint ", b"\xff", 1),
        GOOD.replace(b"checkpoint ", HASH * (MOST_HASHES + 1) + b"checkpoint ", 1),
        b"x" * (LONGEST_FORK + 1),
    ],
)
def test_malformed_proofs_are_refused(raw: bytes) -> None:
    with pytest.raises(TallybookError) as caught:
        parse_fork(raw)
    assert caught.value.do


def test_a_proof_without_its_prefix_is_not_written() -> None:
    with pytest.raises(ForkFormatError):
        format_fork(Fork(note(5), note(9), None, proof(5, 9)))
