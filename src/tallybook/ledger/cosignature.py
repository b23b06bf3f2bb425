"""What witnesses say about a checkpoint (C2SP tlog-cosignature, Ed25519): "at this time, the largest I had seen of this log"."""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.ledger.checkpoint import CheckpointError
from tallybook.ledger.keys import COSIGNATURE, TIME_SIZE, CosignatureSigner, Verifier
from tallybook.ledger.note import Note, Signature, SignatureError, verify_signatures
from tallybook.ledger.signed import read_checkpoint


def cosign(raw: bytes, witness: CosignatureSigner, seconds: int) -> Signature:
    """A witness's signature on the checkpoint in a note, as of `seconds` since 1970. It checks nothing: see `witness.py`.

    Raises NoteError or CheckpointError.
    """
    _, note = read_checkpoint(raw)
    return Signature(witness.name, witness.verifier.key_id, witness.at(seconds).sign(note.text.encode()))


def cosigned_at(signature: Signature) -> int:
    """The time that a cosignature states, in seconds since 1970. Only a verified one means anything. Raises CheckpointError."""
    if len(signature.raw) <= TIME_SIZE:
        raise CheckpointError("a signature without a time", where=signature.name, do="give a cosignature of a witness")
    return int.from_bytes(signature.raw[:TIME_SIZE], "big")


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """At least so many of these witnesses must have signed. Raises CheckpointError for a policy that cannot be meant."""

    witnesses: tuple[Verifier, ...]
    at_least: int

    def __post_init__(self) -> None:
        keys = {witness.public for witness in self.witnesses}
        if any(witness.algorithm != COSIGNATURE for witness in self.witnesses):
            raise CheckpointError("a witness whose key does not cosign", do="give the key that the witness publishes (type 0x04)")
        if len(keys) != len(self.witnesses):
            raise CheckpointError("one key stands for two witnesses", do="name each witness once")
        if not 0 <= self.at_least <= len(keys):
            raise CheckpointError(f"{self.at_least} of {len(keys)} witnesses can never sign", do="ask for fewer or name more")

    def check(self, note: Note) -> dict[str, int]:
        """When each witness signed, in seconds since 1970. Raises SignatureError for a wrong signature or too few witnesses."""
        known = {(one.name, one.key_id) for one in self.witnesses}
        found: dict[str, int] = {}
        if any((one.name, one.key_id) in known for one in note.signatures):
            verified = verify_signatures(note, self.witnesses)
            found = {one.name: cosigned_at(one) for one in verified.signatures}
        if len(found) < self.at_least:
            raise SignatureError(
                f"{len(found)} of the {self.at_least} witnesses that are asked for have signed",
                where=", ".join(sorted(found)),
                do="ask the witnesses to sign this checkpoint, or get a later one that they have signed",
            )
        return found
