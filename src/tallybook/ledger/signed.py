"""A checkpoint together with those who signed it: how to sign one and how to open one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallybook.ledger.checkpoint import Checkpoint, format_body, parse_body
from tallybook.ledger.keys import Signer, Verifier
from tallybook.ledger.note import Note, Signature, SignatureError, Verified, format_note, parse_note, sign_note, verify_signatures


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose note a trusted key has signed."""

    checkpoint: Checkpoint
    verified: Verified


def read_checkpoint(raw: bytes) -> tuple[Checkpoint, Note]:
    """What a note says about a log, nobody's word for it. Raises NoteError or CheckpointError."""
    note = parse_note(raw)
    return parse_body(note.text), note


def open_checkpoint(raw: bytes, trusted: Iterable[Verifier], origin: str | None = None) -> SignedCheckpoint:
    """A checkpoint that a trusted key has signed, of the log `origin` where that is given.

    Raises NoteError, CheckpointError, or SignatureError for a signature or an origin that is not what was asked for.
    """
    checkpoint, note = read_checkpoint(raw)
    verified = verify_signatures(note, trusted)
    if origin is not None and checkpoint.origin != origin:
        raise SignatureError(
            f"a checkpoint of {checkpoint.origin}, not of {origin}", do="compare checkpoints and keys of one log only"
        )
    return SignedCheckpoint(checkpoint, verified)


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[Signer]) -> bytes:
    """The note of a checkpoint. Sign only what is already durable. Raises NoteError."""
    return sign_note(format_body(checkpoint), signers)


def add_signatures(raw: bytes, more: Iterable[Signature]) -> bytes:
    """The note with further signatures behind those it has; one that it has already is not put twice. Raises NoteError."""
    note = parse_note(raw)
    have = {(one.name, one.key_id) for one in note.signatures}
    new = [one for one in more if (one.name, one.key_id) not in have]
    return format_note(Note(note.text, (*note.signatures, *new)))
