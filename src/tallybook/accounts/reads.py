"""The audit of reads: who read what of which case, noted before anything is shown.

Each note's hash covers its words and the hash before, so one that is changed, taken out or put in between is found. A tail that
was cut off, or a chain made anew from some row on, is found only by somebody who kept an earlier head.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from tallybook.accounts.errors import AccountError, UsersFileError
from tallybook.accounts.store import UsersFile
from tallybook.accounts.tokens import TOKEN
from tallybook.ledger.entry import EntryError, canonical_json, instant_of, instant_text

START = sha256(b"tallybook reads\n").digest()
"""The hash before the first note."""
LONGEST = {"user": 64, "case": 1_000, "command": 2_000, "marking": 500, "on": 100, "known": 100}
_AT_ONCE = 1_000
_HEAD = re.compile(r"(\d{1,15}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Read:
    """A note. `seq` counts from 1; `clock` is the clock's own reading where it was behind the note before, else blank."""

    seq: int
    at: str
    user: str
    case: str
    command: str
    marking: str
    on: str
    known: str
    clock: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain as it was checked: how many notes, the hash of the last, and the first row that does not fit (0 where all do)."""

    size: int
    head: bytes
    broken_at: int = 0
    what: str = ""

    @property
    def holds(self) -> bool:
        """Whether every note fits."""
        return not self.what

    @property
    def text(self) -> str:
        """Size and head, to be kept elsewhere and held against the chain later."""
        return f"{self.size}:{self.head.hex()}"


def note_read(
    file: UsersFile, user: str, case: str, command: str, marking: str, on: str | None, known: str | None, at: datetime
) -> Read:
    """Note that a user is about to be shown something; `on` and `known` as they were asked, `marking` of what is shown.

    To be called before anything is shown. Raises AccountError for a text that is too long, UsersFileError where the note cannot
    be written: then nothing may be shown.
    """
    given = {"user": user, "case": case, "command": command, "marking": marking, "on": on or "", "known": known or ""}
    texts = {name: _text(name, text) for name, text in given.items()}
    with file.write() as link:
        row = link.execute("SELECT seq, said, hash FROM read ORDER BY seq DESC LIMIT 1").fetchone()
        last, before = (0, START) if row is None else (row[0], row[2])
        clock = instant_text(at)
        earlier = "" if row is None else _time_of(file, row[1])
        note = Read(last + 1, max(clock, earlier), **texts, clock=clock if clock < earlier else "")
        said = canonical_json(_fields(note))
        link.execute("INSERT INTO read VALUES (?, ?, ?)", (note.seq, said.decode(), _linked(before, said)))
    return note


def reads(file: UsersFile, user: str | None = None, case: str | None = None) -> Iterator[Read]:
    """The notes in order, of one user or case if so asked. Those that say nothing readable are left to `check_reads`."""
    for _, said, _ in _rows(file):
        try:
            note = _said(said)
        except ValueError:
            continue
        if user in (None, note.user) and case in (None, note.case):
            yield note


def check_reads(file: UsersFile, had: str | None = None) -> Chain:
    """Hold every note against its hash. `had` is an earlier chain as `Chain.text` gave it; AccountError where it is none."""
    size, head = _parsed(had) if had is not None else (0, START)
    before, count = START, 0
    if size == 0 and head != START:
        return Chain(0, START, 1, "the head that was kept is of another chain")
    for seq, said, kept in _rows(file):
        wrong = _wrong(seq, count + 1, said, before, kept)
        if wrong:
            return Chain(count, before, count + 1, wrong)
        before, count = kept, seq
        if count == size and kept != head:
            return Chain(count, before, count, "it is another than in the head that was kept")
    if count < size:
        return Chain(count, before, count + 1, f"there were {size:,} notes, and the last are gone")
    return Chain(count, before)


def _wrong(seq: int, due: int, said: object, before: bytes, kept: object) -> str:
    if seq != due:
        return "it is missing"
    if not isinstance(said, str) or not isinstance(kept, bytes):
        return "it says nothing readable"
    if _linked(before, said.encode("utf-8", "surrogatepass")) != kept:
        return "it was changed, or the one before it was"
    try:
        note = _said(said)
    except ValueError:
        return "it says nothing readable"
    return "" if note.seq == seq else "it says another number"


def _rows(file: UsersFile) -> Iterator[tuple[int, str, bytes]]:
    last = -1 << 62
    while True:
        # A page at a time: whoever reads slowly keeps no writer waiting.
        with file.read() as link:
            page = link.execute(
                "SELECT seq, said, hash FROM read WHERE seq > ? ORDER BY seq LIMIT ?", (last, _AT_ONCE)
            ).fetchall()
        if not page:
            return
        yield from page
        last = page[-1][0]


def _linked(before: bytes, said: bytes) -> bytes:
    return sha256(before + said).digest()


def _fields(note: Read) -> dict[str, Any]:
    return {name: getattr(note, name) for name in Read.__slots__}


def _said(text: str) -> Read:
    """What a row says. Raises ValueError for one that says nothing readable."""
    try:
        found = json.loads(text)
        note = Read(**found)
    except (TypeError, RecursionError) as error:
        raise ValueError("not a note") from error
    if type(note.seq) is not int or any(type(getattr(note, name)) is not str for name in Read.__slots__ if name != "seq"):
        raise ValueError("not a note")
    try:
        instant_of(note.at)
    except EntryError as error:
        raise ValueError("not a note") from error
    return note


def _time_of(file: UsersFile, said: str) -> str:
    try:
        return _said(said).at
    except ValueError as error:
        what = "the audit of reads is damaged, so nothing can be noted and nothing is shown"
        raise UsersFileError(what, where=str(file.path), do="tallybook user reads says where; put back a copy") from error


def _text(name: str, text: str) -> str:
    if len(text) > LONGEST[name]:
        raise AccountError(
            f"{name}: over {LONGEST[name]:,} characters", where="the audit of reads", do="shorten it: it is to be noted"
        )
    whole = text.encode("utf-8", "backslashreplace").decode()
    return TOKEN.sub(lambda found: f"tby_{found[1]}_…", whole)


def _parsed(had: str) -> tuple[int, bytes]:
    found = _HEAD.fullmatch(had)
    if found is None:
        raise AccountError("not SIZE:HASH", where="--had", do="give it as tallybook user reads printed it")
    return int(found[1]), bytes.fromhex(found[2])
