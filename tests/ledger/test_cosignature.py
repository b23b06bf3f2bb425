"""What witnesses sign."""

from __future__ import annotations

import pytest

from ledger.known_logs import KEYS, LOG, NOON, STRANGER, WITNESS, note, taken
from tallybook.ledger.checkpoint import Checkpoint, CheckpointError
from tallybook.ledger.cosignature import WitnessPolicy, cosign, cosigned_at
from tallybook.ledger.keys import CosignatureSigner, CosignatureVerifier, parse_vkey
from tallybook.ledger.note import Signature, SignatureError, parse_note, sign_note, verify_note
from tallybook.ledger.signed import add_signatures, open_checkpoint, sign_checkpoint

SECOND = CosignatureSigner("example.org/witness2", bytes(range(64, 96)))
# FiloSottile/sunlight cmd/skylight/testdata, ISC
REAL_KEY = parse_vkey("witness2.example.org+2e55b896+BIZ7fpceQWd60IfqQeS9IAnmNOCZjMDne8lZuguz/bi9")
REAL = (
    "milan2026h1.example.org\n300\nlCkHUpkmVBEms2r2T1K6Og69+wUuuN3MIEW1/ezu2v0=\n\n"
    "— witness2.example.org LlW4lgAAAABpVGeAN/uFWqfjdU94rrKxFycCggM0Sa1L5tOJCJdYBwJ41CQs"
    "gKWA6B0+vywok3cPI3JIzuPeR+VotuYe/eNy0+30Dw==\n"
).encode()


def test_a_real_cosignature_verifies_and_tells_its_time() -> None:
    verified = verify_note(REAL, [REAL_KEY])
    assert cosigned_at(verified.signatures[0]) == 0x69546780


def test_any_change_of_one_bit_to_a_cosigned_note_is_refused() -> None:
    assert taken(REAL, lambda changed: verify_note(changed, [REAL_KEY])) == []


def test_a_cosignature_covers_further_lines_and_its_time() -> None:
    raw = sign_checkpoint(Checkpoint("log", 0, bytes(32), ("more",)), [LOG])
    one = cosign(raw, WITNESS, NOON)
    assert cosigned_at(one) == NOON
    assert len(open_checkpoint(add_signatures(raw, [one]), [WITNESS.verifier]).verified.keys) == 1
    later = Signature(one.name, one.key_id, (NOON + 1).to_bytes(8, "big") + one.raw[8:])
    beyond = Signature(one.name, one.key_id, b"\xff" * 8 + one.raw[8:])
    for changed in (later, beyond, Signature(one.name, one.key_id, one.raw + b"x")):
        with pytest.raises(SignatureError):
            open_checkpoint(add_signatures(raw, [changed]), [WITNESS.verifier])
    with pytest.raises(SignatureError):
        open_checkpoint(add_signatures(raw.replace(b"more", b"less"), [one]), [WITNESS.verifier])


def test_a_witness_key_of_a_logs_kind_is_another_key() -> None:
    same_bytes = CosignatureVerifier(LOG.name, LOG.verifier.public)
    with pytest.raises(SignatureError, match="no trusted key"):
        open_checkpoint(note(3), [same_bytes])


def test_only_checkpoints_are_cosigned() -> None:
    with pytest.raises(CheckpointError):
        cosign(sign_note("a letter\n", [LOG]), WITNESS, NOON)
    with pytest.raises(CheckpointError, match="not a time"):
        cosign(note(1), WITNESS, 0)
    with pytest.raises(CheckpointError, match="without a time"):
        cosigned_at(Signature("a", 1, bytes(8)))


def test_k_of_n_witnesses() -> None:
    both = WitnessPolicy((WITNESS.verifier, SECOND.verifier), 2)
    one = WitnessPolicy(both.witnesses, 1)
    raw = add_signatures(note(3), [cosign(note(3), WITNESS, NOON)])
    assert one.check(parse_note(raw)) == {WITNESS.name: NOON}
    with pytest.raises(SignatureError, match="1 of the 2"):
        both.check(parse_note(raw))
    raw = add_signatures(raw, [cosign(raw, SECOND, NOON + 5)])
    assert both.check(parse_note(raw)) == {WITNESS.name: NOON, SECOND.name: NOON + 5}
    assert len(verify_note(raw, [*KEYS, WITNESS.verifier, SECOND.verifier]).keys) == 3
    with pytest.raises(SignatureError, match="0 of the 1"):
        one.check(parse_note(note(3)))
    assert WitnessPolicy((), 0).check(parse_note(note(3))) == {}
    moved = add_signatures(note(4), [cosign(note(3), WITNESS, NOON)])
    with pytest.raises(SignatureError, match="not over this text"):
        one.check(parse_note(moved))


def test_a_policy_that_cannot_be_meant_is_refused() -> None:
    renamed = CosignatureVerifier("example.org/again", WITNESS.verifier.public)
    with pytest.raises(CheckpointError, match="one key stands for two"):
        WitnessPolicy((WITNESS.verifier, renamed), 2)
    with pytest.raises(CheckpointError, match="2 of 1"):
        WitnessPolicy((WITNESS.verifier,), 2)
    with pytest.raises(CheckpointError, match="does not cosign"):
        WitnessPolicy((STRANGER.verifier,), 1)
