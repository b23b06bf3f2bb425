"""Proofs that stand alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.known_logs import KEYS, NOON, STRANGER, WITNESS, leaves, nodes, note, taken
from tallybook.errors import TallybookError
from tallybook.ledger.cosignature import WitnessPolicy, cosign
from tallybook.ledger.note import SignatureError
from tallybook.ledger.signed import add_signatures
from tallybook.ledger.strict import write_base64
from tallybook.ledger.tlogproof import (
    LONGEST_PROOF,
    MOST_HASHES,
    Proof,
    ProofFormatError,
    format_proof,
    parse_proof,
    verify_proof,
)
from tallybook.ledger.tree import ProofError, inclusion_proof


def proof(index: int, size: int, extra: bytes | None = None) -> Proof:
    return Proof(index, tuple(inclusion_proof(nodes(leaves(size)), index, size)), note(size), extra)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 70), st.none() | st.binary(max_size=10))
def test_a_proof_is_written_read_and_verified(data: st.DataObject, size: int, extra: bytes | None) -> None:
    index = data.draw(st.integers(0, size - 1))
    made = proof(index, size, extra)
    read = parse_proof(format_proof(made))
    assert read == made
    found = verify_proof(read, leaves(size)[index], KEYS)
    assert (found.index, found.signed.checkpoint.size, found.witnessed) == (index, size, {})
    other = data.draw(st.integers(0, size + 2).filter(lambda n: n != index))
    with pytest.raises(ProofError):
        verify_proof(Proof(other, read.hashes, read.checkpoint), leaves(size)[index], KEYS)


def test_any_change_of_one_bit_to_a_proof_is_refused() -> None:
    made = proof(4, 7, b"outside")
    raw, leaf = format_proof(made), leaves(7)[4]
    line = raw.index(b"extra ") + len(b"extra "), raw.index(b"\nindex ")
    places = taken(raw, lambda changed: verify_proof(parse_proof(changed), leaf, KEYS))
    # C2SP tlog-proof covers the extra data with nothing
    assert places
    assert [at for at in places if not line[0] <= at < line[1]] == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.data())
def test_a_change_of_one_bit_anywhere_in_any_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    raw = bytearray(format_proof(proof(index, size)))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TallybookError):
        verify_proof(parse_proof(bytes(raw)), leaves(size)[index], KEYS)


def test_signers_and_witnesses_are_asked_for() -> None:
    made, leaf = proof(2, 5), leaves(5)[2]
    with pytest.raises(SignatureError):
        verify_proof(made, leaf, [STRANGER.verifier])
    with pytest.raises(SignatureError, match="not of another"):
        verify_proof(made, leaf, KEYS, origin="another")
    policy = WitnessPolicy((WITNESS.verifier,), 1)
    with pytest.raises(SignatureError, match="0 of the 1"):
        verify_proof(made, leaf, KEYS, policy=policy)
    seen = add_signatures(made.checkpoint, [cosign(made.checkpoint, WITNESS, NOON)])
    assert verify_proof(Proof(2, made.hashes, seen), leaf, KEYS, policy=policy).witnessed == {WITNESS.name: NOON}
    with pytest.raises(ProofError):
        verify_proof(made, bytes(32), KEYS)


GOOD = format_proof(proof(1, 3))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        GOOD[1:],
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"@v1\n", b"@v1\r\n"),
        GOOD.replace(b"index 1", b"index 01"),
        GOOD.replace(b"index 1", b"index +1"),
        GOOD.replace(b"index 1", b"index -1"),
        GOOD.replace(b"index 1", b"index 1 "),
        GOOD.replace(b"index 1", b"index  1"),
        GOOD.replace(b"index 1", b"Index 1"),
        GOOD.replace(b"index 1", b"index 9223372036854775808"),
        GOOD.replace(b"index 1\n", b""),
        GOOD.replace(b"index 1", b"index 1\nindex 1"),
        GOOD.replace(b"index 1", b"index 1\nextra AAAA"),
        GOOD.replace(b"index 1", b"extra\nindex 1"),
        GOOD.replace(b"index 1", b"extra A\nindex 1"),
        GOOD.replace(b"index 1", b"extra AAAA\nextra AAAA\nindex 1"),
        GOOD.replace(b"index 1", b"index 1\n" + write_base64(bytes(31)).encode()),
        GOOD.replace(b"index 1", b"index 1\n" + write_base64(bytes(64)).encode()),
        GOOD.replace(b"index 1", b"index 1" + b"\n" + b"\n".join([write_base64(bytes(32)).encode()] * MOST_HASHES)),
        GOOD.replace(b"index 1", b"index 1\n\xc3\xa9"),
        GOOD[:-1],
        GOOD + b"more\n",
        GOOD.split(b"\n\n")[0] + b"\n\n",
        GOOD.split(b"\n\n")[0] + b"\n\ncheckpoint\n",
        GOOD.replace(b"\n\n", b"\n\n\n", 1),
        b"x" * (LONGEST_PROOF + 1),
    ],
)
def test_malformed_proofs_are_refused(raw: bytes) -> None:
    with pytest.raises(TallybookError) as caught:
        parse_proof(raw)
    assert caught.value.do


def test_a_proof_that_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(ProofFormatError):
        format_proof(Proof(-1, (), note(1)))
    with pytest.raises(ProofFormatError):
        format_proof(Proof(0, (bytes(31),), note(1)))
    with pytest.raises(TallybookError):
        format_proof(Proof(0, (), b"checkpoint\n"))
