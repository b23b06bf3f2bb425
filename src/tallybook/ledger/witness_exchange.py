"""A witness's answer: as a file, for a witness that no network reaches, and what the log makes of it.

tallybook.ledger/witness-answer@v1
request sFodV/vSp5O8n9a8…     SHA-256 of the request that is answered, in base64
status 200
                              an empty line, then the body as HTTP would bring it
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from tallybook.errors import TallybookError
from tallybook.ledger.keys import Verifier
from tallybook.ledger.note import MOST_SIGNATURES, Note, SignatureLineError, parse_note, parse_signature, verify_signatures
from tallybook.ledger.signed import add_signatures
from tallybook.ledger.strict import FormatError, read_decimal, read_hash, shown, write_base64
from tallybook.ledger.witness import CONFLICT, OK, SIZE_TYPE, TEXT_TYPE, Answer

HEADER = "tallybook.ledger/witness-answer@v1"
LONGEST_ANSWER = 1_000_000
LONGEST_WHY = 300
FIRST_STATUS, LAST_STATUS = 100, 599

_DO = "carry the answer file over again; this one was cut, changed or is of another format"


class AnswerError(FormatError):
    """Bytes that are not a witness's answer, or one to another request."""


class WitnessRefusedError(TallybookError):
    """A witness that did not cosign. `status` is what it answered."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(
            f"the witness refused with status {status}: {why}",
            do="422 or 403 mean that it holds another history or key than the log shows: compare the two; else ask again later",
        )
        self.status = status


class WitnessBehindError(TallybookError):
    """A witness whose last checkpoint is not of the size that the request started from. `size` is what it has."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness last cosigned size {size}", do="ask again with a proof from there")
        self.size = size


def format_answer(request: bytes, answer: Answer) -> bytes:
    """The answer file to a request file."""
    head = f"{HEADER}\nrequest {write_base64(sha256(request).digest())}\nstatus {answer.status}\n\n"
    return head.encode() + answer.body


def parse_answer(raw: bytes, request: bytes) -> Answer:
    """The answer in a file, to this request. Raises AnswerError."""
    if len(raw) > LONGEST_ANSWER:
        raise AnswerError(f"{len(raw)} bytes; an answer has at most {LONGEST_ANSWER}", do=_DO)
    head, blank, body = raw.partition(b"\n\n")
    lines = head.decode("ascii", errors="replace").split("\n")
    if not blank or len(lines) != 3 or lines[0] != HEADER:
        raise AnswerError(f"{shown(lines[0])} is not {HEADER} and two lines more", where="line 1", do=_DO)
    digest = read_hash(lines[1].removeprefix("request ")) if lines[1].startswith("request ") else None
    if digest != sha256(request).digest():
        raise AnswerError("the answer is to another request", where="line 2", do="carry over the answer to this request")
    status = read_decimal(lines[2].removeprefix("status ")) if lines[2].startswith("status ") else None
    if status is None or not FIRST_STATUS <= status <= LAST_STATUS:
        raise AnswerError(f"{shown(lines[2])} is not a status", where="line 3", do=_DO)
    return Answer(status, body, SIZE_TYPE if status == CONFLICT else TEXT_TYPE)


def cosigned_note(note: bytes, answer: Answer, witnesses: Sequence[Verifier]) -> bytes:
    """The log's note with the cosignatures in the answer of these witnesses' keys added; unknown keys are passed over.

    Raises WitnessBehindError for 409, WitnessRefusedError for another status, AnswerError for a body that says nothing, and
    SignatureError where a known key's signature is not over this checkpoint or no known key signed.
    """
    if len(answer.body) > LONGEST_ANSWER:
        raise AnswerError(f"{len(answer.body)} bytes; an answer has at most {LONGEST_ANSWER}", do=_DO)
    text = answer.body.decode(errors="replace")
    if answer.status == CONFLICT:
        size = read_decimal(text.removesuffix("\n"))
        if size is None or not text.endswith("\n"):
            raise AnswerError(f"{shown(text)} is not the size that the witness has", do=_DO)
        raise WitnessBehindError(size)
    if answer.status != OK:
        raise WitnessRefusedError(answer.status, ascii(text.strip()[:LONGEST_WHY])[1:-1])
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) > MOST_SIGNATURES:
        raise AnswerError(f"the last line has no end, or more than {MOST_SIGNATURES} lines", do=_DO)
    try:
        signatures = tuple(parse_signature(line) for line in lines)
    except SignatureLineError as error:
        raise AnswerError(error.what, do=_DO) from None
    return add_signatures(note, verify_signatures(Note(parse_note(note).text, signatures), witnesses).signatures)
