"""A proof that an entry is in a log, as one text file that needs nothing else (C2SP tlog-proof).

c2sp.org/tlog-proof@v1
extra YWdl…             optional, opaque, covered by nothing
index 73894
gSKyXoYZUgZ6jduW…       the audit path, from the leaf's sibling upwards
                        an empty line, then the checkpoint with its signatures
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tallybook.ledger.cosignature import WitnessPolicy
from tallybook.ledger.keys import Verifier
from tallybook.ledger.note import LONGEST_NOTE
from tallybook.ledger.signed import SignedCheckpoint, open_checkpoint, read_checkpoint
from tallybook.ledger.strict import FormatError, read_base64, read_decimal, read_hash, shown, write_base64
from tallybook.ledger.tree import HASH_SIZE, LARGEST, check_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63
"""No tree that fits has more levels."""
LONGEST_EXTRA = 65_536
LONGEST_PROOF = LONGEST_NOTE + 2 * LONGEST_EXTRA

_DO = "get the proof again from the log; this one was cut, changed or is of another format"


class ProofFormatError(FormatError):
    """Bytes that are not a tlog-proof file."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Index of an entry from 0, its audit path of 32-byte hashes, the signed checkpoint, and extra data or None."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """What a proof has shown: the entry's index, the checkpoint, and when each witness saw it (seconds since 1970)."""

    index: int
    signed: SignedCheckpoint
    witnessed: dict[str, int]


def parse_proof(raw: bytes) -> Proof:
    """The proof in a file, nothing verified. Raises ProofFormatError, and NoteError or CheckpointError for its checkpoint."""
    if len(raw) > LONGEST_PROOF:
        raise ProofFormatError(f"{len(raw)} bytes; a proof has at most {LONGEST_PROOF}", do=_DO)
    head, blank, checkpoint = raw.partition(b"\n\n")
    if not blank:
        raise ProofFormatError("no empty line before the checkpoint", do=_DO)
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ProofFormatError("not ASCII before the checkpoint", where=f"byte {error.start}", do=_DO) from None
    if first != HEADER:
        raise ProofFormatError(f"{shown(first)} is not {HEADER}", where="line 1", do=_DO)
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = read_base64(lines.pop(0)[len("extra ") :])
        if extra is None or len(extra) > LONGEST_EXTRA:
            raise ProofFormatError(f"extra data that is not base64, or more than {LONGEST_EXTRA} bytes", where="line 2", do=_DO)
    if not lines or not lines[0].startswith("index "):
        raise ProofFormatError("no index", do=_DO)
    index = read_decimal(lines[0][len("index ") :])
    if index is None:
        raise ProofFormatError(f"{shown(lines[0])} is not an index: digits only, no sign, no leading zero", do=_DO)
    if len(lines) - 1 > MOST_HASHES:
        raise ProofFormatError(f"{len(lines) - 1} hashes; at most {MOST_HASHES}", do=_DO)
    hashes: list[bytes] = []
    for line in lines[1:]:
        one = read_hash(line)
        if one is None:
            raise ProofFormatError(f"{shown(line)} is not {HASH_SIZE} bytes in base64", do=_DO)
        hashes.append(one)
    read_checkpoint(checkpoint)
    return Proof(index, tuple(hashes), checkpoint, extra)


def format_proof(proof: Proof) -> bytes:
    """The file: `parse_proof` read backwards. Raises as it does for parts that could not be read again."""
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {write_base64(proof.extra)}")
    lines.append(f"index {proof.index if 0 <= proof.index <= LARGEST else '?'}")
    lines += [write_base64(one) for one in proof.hashes]
    raw = "\n".join(lines).encode() + b"\n\n" + proof.checkpoint
    parse_proof(raw)
    return raw


def verify_proof(
    proof: Proof, leaf: bytes, trusted: Sequence[Verifier], *, origin: str | None = None, policy: WitnessPolicy | None = None
) -> ProvenEntry:
    """Verify that the entry with this leaf hash (32 bytes) is in the log, by the steps of C2SP tlog-proof.

    Raises SignatureError where no trusted key signed the checkpoint or too few witnesses did, ProofError for the audit path.
    """
    signed = open_checkpoint(proof.checkpoint, trusted, origin)
    witnessed = policy.check(signed.verified.note) if policy else {}
    check_inclusion(proof.index, signed.checkpoint.size, leaf, proof.hashes, signed.checkpoint.root)
    return ProvenEntry(proof.index, signed, witnessed)
