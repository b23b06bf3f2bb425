"""A witness: it cosigns a log's checkpoint only where that grows out of the last one it cosigned (C2SP tlog-witness).

The request is the body of `add-checkpoint`, over HTTP or as a file; the answer is a status and a body, likewise.

    old 20852014                     the size that the log thinks was cosigned last
    PlRNCrwHpqhGrupue0L7gxbj…        a consistency proof from there
                                     an empty line, then the checkpoint
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.cosignature import cosign
from tallybook.ledger.fork import Fork, format_fork
from tallybook.ledger.keys import CosignatureSigner, Verifier
from tallybook.ledger.note import (
    LONGEST_NOTE,
    Note,
    Signature,
    SignatureError,
    SignatureLineError,
    format_note,
    verify_signatures,
)
from tallybook.ledger.signed import read_checkpoint
from tallybook.ledger.strict import FormatError, read_decimal, read_hash, shown, write_base64
from tallybook.ledger.tree import EMPTY_ROOT, HASH_SIZE, ProofError, check_consistency

MOST_HASHES = 63
LONGEST_REQUEST = LONGEST_NOTE + 64 * MOST_HASHES
MOST_RACES = 8
"""After losing so many races against other requests, the witness tells the client to come again."""
OLD = "old "
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"

OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE, UNAVAILABLE = 200, 400, 403, 404, 409, 422, 503

_DO = "send what C2SP tlog-witness describes: `old` and a size, the proof, an empty line, the checkpoint"


class RequestError(FormatError):
    """Bytes that are not a request to a witness."""


@dataclass(frozen=True, slots=True)
class Request:
    """The size last cosigned, the proof from there (32-byte hashes), and the new checkpoint as a signed note."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status, the kind of the body, and the body."""

    status: int
    body: bytes
    kind: str = TEXT_TYPE


@dataclass(frozen=True, slots=True)
class Seen:
    """The last checkpoint that the witness cosigned: size, root, and the note with the log's signature and its own."""

    size: int
    root: bytes
    note: bytes


class WitnessState(Protocol):
    """What a witness must not forget."""

    def latest(self, origin: str) -> Seen | None:
        """The last checkpoint of this log, or None where none was ever cosigned."""

    def advance(self, origin: str, expected: Seen | None, new: Seen) -> bool:
        """Put `new` in the place of `expected`, durably, before returning True; False where another stands there by now."""

    def keep_fork(self, origin: str, proof: bytes) -> None:
        """Keep the first proof that this log has signed two histories."""


def parse_request(raw: bytes) -> Request:
    """The request in a body or a file; the checkpoint is not read yet. Raises RequestError."""
    if len(raw) > LONGEST_REQUEST:
        raise RequestError(f"{len(raw)} bytes; a request has at most {LONGEST_REQUEST}", do=_DO)
    head, blank, note = raw.partition(b"\n\n")
    if not blank:
        raise RequestError("no empty line before the checkpoint", do=_DO)
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise RequestError("not ASCII before the checkpoint", where=f"byte {error.start}", do=_DO) from None
    old = read_decimal(first.removeprefix(OLD)) if first.startswith(OLD) else None
    if old is None:
        raise RequestError(f"{shown(first)} is not `old` and a size", where="line 1", do=_DO)
    if len(lines) > MOST_HASHES:
        raise RequestError(f"{len(lines)} hashes; at most {MOST_HASHES}", do=_DO)
    proof: list[bytes] = []
    for number, line in enumerate(lines, 2):
        one = read_hash(line)
        if one is None:
            raise RequestError(f"{shown(line)} is not {HASH_SIZE} bytes in base64", where=f"line {number}", do=_DO)
        proof.append(one)
    return Request(old, tuple(proof), note)


def format_request(request: Request) -> bytes:
    """The body or file: `parse_request` read backwards. Raises RequestError for parts that could not be read again."""
    lines = [f"{OLD}{request.old}", *(write_base64(one) for one in request.proof)]
    raw = "\n".join(lines).encode() + b"\n\n" + request.note
    if parse_request(raw) != request:
        raise RequestError("parts that a request cannot hold", do=_DO)
    return raw


class _RefusedError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.answer = Answer(status, f"{why}\n".encode(errors="replace"))


class Witness:
    """One witness: its key, the logs it watches with their keys, and its state. No clock: the time comes in."""

    def __init__(self, key: CosignatureSigner, logs: Mapping[str, Sequence[Verifier]], state: WitnessState) -> None:
        """`logs` gives the trusted keys by origin."""
        self._key = key
        self._logs = {origin: tuple(keys) for origin, keys in logs.items()}
        self._state = state

    def add_checkpoint(self, body: bytes, seconds: int) -> Answer:
        """Answer a request at a time, in seconds since 1970. Never raises for what a client has sent.

        200 with the cosignature; 400 for a malformed request or an old size above the new; 404 for an unknown log; 403 for a
        wrong or missing signature; 409 with the size last cosigned where `old` is another; 422 where the checkpoint does not
        grow out of that; 503 where other requests kept coming first. The state is durable before a cosignature is given out.
        """
        try:
            request = parse_request(body)
            checkpoint, note = self._read(request.note)
            log = self._log_signature(checkpoint, note)
            if request.old > checkpoint.size:
                raise _RefusedError(BAD_REQUEST, f"the old size {request.old} is above the new size {checkpoint.size}")
            for _ in range(MOST_RACES):
                answer = self._try(request, checkpoint, Note(note.text, log), seconds)
                if answer is not None:
                    return answer
        except FormatError as error:
            return Answer(BAD_REQUEST, f"{error.what}\n".encode(errors="replace"))
        except _RefusedError as refused:
            return refused.answer
        return Answer(UNAVAILABLE, b"other requests for this log kept coming first; ask again\n")

    def checkpoint_of(self, origin: str) -> bytes | None:
        """The last checkpoint cosigned for a log, with both signatures, or None."""
        seen = self._state.latest(origin) if origin in self._logs else None
        return seen.note if seen else None

    @property
    def origins(self) -> tuple[str, ...]:
        """The logs that it watches."""
        return tuple(self._logs)

    def _read(self, raw: bytes) -> tuple[Checkpoint, Note]:
        try:
            return read_checkpoint(raw)
        except SignatureLineError as error:
            is_known = any(raw.startswith(f"{origin}\n".encode()) for origin in self._logs)
            raise (_RefusedError(FORBIDDEN, error.what) if is_known else _RefusedError(NOT_FOUND, "unknown log")) from None

    def _log_signature(self, checkpoint: Checkpoint, note: Note) -> tuple[Signature, ...]:
        keys = self._logs.get(checkpoint.origin)
        if keys is None:
            raise _RefusedError(NOT_FOUND, "unknown log")
        try:
            return verify_signatures(note, keys).signatures
        except SignatureError as error:
            raise _RefusedError(FORBIDDEN, f"invalid signature: {error.what}") from None

    def _try(self, request: Request, new: Checkpoint, note: Note, seconds: int) -> Answer | None:
        """One attempt; None where another request came first."""
        seen = self._state.latest(new.origin)
        if seen is not None and seen.size == new.size and seen.root != new.root:
            self._state.keep_fork(new.origin, format_fork(Fork(seen.note, format_note(note))))
        if request.old != (seen.size if seen else 0):
            return Answer(CONFLICT, b"%d\n" % (seen.size if seen else 0), SIZE_TYPE)
        if seen is not None and seen.size == new.size and seen.root != new.root and not request.proof:
            return Answer(CONFLICT, b"%d\n" % seen.size, SIZE_TYPE)
        _check_growth(request, new, seen)
        signature = cosign(format_note(note), self._key, seconds)
        signed = format_note(Note(note.text, (*note.signatures, signature)))
        if not self._state.advance(new.origin, seen, Seen(new.size, new.root, signed)):
            return None
        return Answer(OK, signature.line().encode())


def _check_growth(request: Request, new: Checkpoint, seen: Seen | None) -> None:
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise _RefusedError(UNPROCESSABLE, "a log without entries has another root than the empty tree's")
    if request.old == 0:
        if request.proof:
            raise _RefusedError(UNPROCESSABLE, "a consistency proof from size 0, where none can be")
        return
    assert seen is not None, "an old size other than 0 is that of what was seen"
    try:
        check_consistency(seen.size, new.size, seen.root, new.root, request.proof)
    except ProofError as error:
        raise _RefusedError(UNPROCESSABLE, f"invalid consistency proof: {error.what}") from None


class MemoryState:
    """A state that is forgotten with the process: for tests, and to try a sequence of requests."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self.forks: dict[str, bytes] = {}

    def latest(self, origin: str) -> Seen | None:
        return self.seen.get(origin)

    def advance(self, origin: str, expected: Seen | None, new: Seen) -> bool:
        if self.seen.get(origin) != expected:
            return False
        self.seen[origin] = new
        return True

    def keep_fork(self, origin: str, proof: bytes) -> None:
        self.forks.setdefault(origin, proof)
