"""What must hold for any bytes whatever: only the project's own errors, and what parses is written back the same.

`TARGETS` gives, by name, the property, bytes to start from, and words of the format to try.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.known_logs import KEYS, NOON, ORIGIN, WITNESS, leaves, nodes, note
from tallybook.errors import TallybookError
from tallybook.evidence.ingest.table import read_table
from tallybook.ledger.checkpoint import format_body, parse_body
from tallybook.ledger.fork import Fork, check, format_fork, parse_fork
from tallybook.ledger.keys import format_signer, parse_signer, parse_vkey, vkey
from tallybook.ledger.note import format_note, parse_note, verify_signatures
from tallybook.ledger.strict import write_base64
from tallybook.ledger.tilepath import parse_tile_path
from tallybook.ledger.tiles import format_bundle, parse_bundle
from tallybook.ledger.tlogproof import Proof, format_proof, parse_proof, verify_proof
from tallybook.ledger.tree import consistency_proof, inclusion_proof, leaf_hash
from tallybook.ledger.witness import MemoryState, Request, Witness, format_request, parse_request
from tallybook.ledger.witness_exchange import cosigned_note, format_answer, parse_answer

STATUSES = {200, 400, 403, 404, 409, 422}
COLUMNS, OPTIONAL = ("id", "name"), ("note",)
HASH = write_base64(bytes(32))
VKEY = vkey(WITNESS.verifier)
PROOF = Proof(2, tuple(inclusion_proof(nodes(leaves(5)), 2, 5)), note(5), b"extra")
REQUEST = Request(3, tuple(consistency_proof(nodes(leaves(7)), 3, 7)), note(7))
OTHER = [leaf_hash(b"another history %d" % n) for n in range(7)]


class BrokenPropertyError(Exception):
    """A property that does not hold."""


@dataclass(frozen=True, slots=True)
class Target:
    """`holds` raises for bytes where the property does not hold."""

    holds: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes]


def same(before: object, after: object) -> None:
    if before != after:
        raise BrokenPropertyError(f"{before!r} is written back as {after!r}")


def as_text(raw: bytes) -> str:
    """Any text, half surrogate pairs too."""
    return raw.decode("utf-8", "surrogateescape")


def of_note(raw: bytes) -> None:
    try:
        read = parse_note(raw)
        same(raw, format_note(read))
        verify_signatures(read, KEYS)
    except TallybookError as error:
        str(error)


def of_checkpoint(raw: bytes) -> None:
    try:
        text = as_text(raw)
        same(text, format_body(parse_body(text)))
    except TallybookError as error:
        str(error)


def of_vkey(raw: bytes) -> None:
    text = as_text(raw)
    try:
        same(text, vkey(parse_vkey(text)))
    except TallybookError as error:
        str(error)
    try:
        same(text, format_signer(parse_signer(text)))
    except TallybookError as error:
        str(error)


def of_tile_path(raw: bytes) -> None:
    text = as_text(raw)
    try:
        same(text, str(parse_tile_path(text)))
    except TallybookError as error:
        str(error)


def of_bundle(raw: bytes) -> None:
    width = raw[0] + 1 if raw else 1
    try:
        same(raw[1:], format_bundle(parse_bundle(raw[1:], width)))
    except TallybookError as error:
        str(error)


def of_proof(raw: bytes) -> None:
    try:
        read = parse_proof(raw)
        same(raw, format_proof(read))
        verify_proof(read, leaves(5)[2], KEYS)
    except TallybookError as error:
        str(error)


def of_fork(raw: bytes) -> None:
    try:
        read = parse_fork(raw)
        same(raw, format_fork(read))
        check(read, KEYS)
    except TallybookError as error:
        str(error)


SEEN = MemoryState()
Witness(WITNESS, {ORIGIN: KEYS}, SEEN).add_checkpoint(format_request(Request(0, (), note(3))), NOON)


def of_request(raw: bytes) -> None:
    state = MemoryState()
    state.seen.update(SEEN.seen)
    answer = Witness(WITNESS, {ORIGIN: KEYS}, state).add_checkpoint(raw, NOON)
    if answer.status not in STATUSES or (answer.status != 200 and state.seen != SEEN.seen):
        raise BrokenPropertyError(f"status {answer.status}")
    try:
        same(raw, format_request(parse_request(raw)))
    except TallybookError as error:
        str(error)


def of_answer(raw: bytes) -> None:
    try:
        answer = parse_answer(raw, b"")
        same(raw, format_answer(b"", answer))
        cosigned_note(note(3), answer, [WITNESS.verifier])
    except TallybookError as error:
        str(error)


def of_table(raw: bytes) -> None:
    rows, faults = read_table(raw, "t.csv", COLUMNS, OPTIONAL)
    if rows and faults:
        raise BrokenPropertyError("rows and faults")
    if any(not fault.do or fault.line < 0 for fault in faults) or any(set(row.fields) - {*COLUMNS, *OPTIONAL} for row in rows):
        raise BrokenPropertyError("a fault that does not say what to do, or a column that was not asked for")


NOTE_WORDS = ("— ".encode(), b"\n\n", b"\n", b"=", b"AAAA", ORIGIN.encode())
NUMBERS = (b"0", b"1", b"9223372036854775807", b"9223372036854775808", b"-1", b"+1", "１".encode())
WHOLE = format_request(REQUEST)
ANSWERED = Witness(WITNESS, {ORIGIN: KEYS}, MemoryState()).add_checkpoint(format_request(Request(0, (), note(3))), NOON)

TARGETS: dict[str, Target] = {
    "note": Target(of_note, [note(5), b"\n\n"], NOTE_WORDS),
    "checkpoint": Target(of_checkpoint, [note(5).split(b"\n\n")[0] + b"\n"], (*NUMBERS, HASH.encode(), b"\n")),
    "vkey": Target(of_vkey, [VKEY.encode(), b"PRIVATE+KEY+" + VKEY.encode()], (b"+", b"=", b"PRIVATE+KEY+", b"\xed\xa0\x80")),
    "tile-path": Target(
        of_tile_path,
        [b"tile/0/x001/234", b"tile/entries/000.p/17", b"tile/63/x999/999"],
        (b"tile/", b"entries/", b"x000/", b"x001/", b"000", b".p/", b"255", b"256"),
    ),
    "bundle": Target(of_bundle, [b"\x01" + format_bundle([b"one", b"two"]), b"\x00\x00\x00"], (b"\x00\x00", b"\xff\xff")),
    "tlog-proof": Target(
        of_proof,
        [format_proof(PROOF)],
        (*NOTE_WORDS, *NUMBERS, b"c2sp.org/tlog-proof@v1\n", b"index ", b"extra ", HASH.encode()),
    ),
    "fork": Target(
        of_fork,
        [format_fork(Fork(note(5), note(5, OTHER)))],
        (*NOTE_WORDS, *NUMBERS, b"tallybook.ledger/fork@v1\n", b"prefix ", b"checkpoint ", HASH.encode()),
    ),
    "witness-request": Target(of_request, [WHOLE, b"old 0\n\n" + note(3)], (*NOTE_WORDS, *NUMBERS, b"old ", HASH.encode())),
    "witness-answer": Target(
        of_answer,
        [format_answer(b"", ANSWERED), format_answer(b"", ANSWERED).replace(b"200", b"409")],
        (*NOTE_WORDS, *NUMBERS, b"status "),
    ),
    "csv": Target(
        of_table,
        [b"id,name\n1,a\n", b'id,name,note\r\n1,"a ""b"" c","d\ne"\r\n', b"id,name\n'=1+1,'\n"],
        (b'"', b'""', b",", b"\r\n", b"\xef\xbb\xbf", b"\x00", b"id,name\n", b"'=", b"\xe2\x80\xae", b"e\xcc\x81"),
    ),
}
