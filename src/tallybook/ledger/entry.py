"""What is put into the log: a draft from a filer, and the entry that the log makes of it.

The leaf is what is hashed: who filed what kind of thing about what, its times and its marking, and a salted hash of the
content. The content stands beside it, with its salt, so that both can be withheld or destroyed while every proof still holds.
The salt is not in the leaf: with it, anybody could try likely contents against the hash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import Any
from unicodedata import is_normalized

from tallybook.errors import TallybookError
from tallybook.ledger.tree import leaf_hash

VERSION = 1
"""Of the form of a leaf. Older leaves stay as they are; what reads them knows every form."""
LARGEST_LEAF = 65_535
"""An entry bundle of tlog-tiles gives a leaf two bytes for its length."""
LARGEST_BODY = 1_000_000
LARGEST_INTEGER = 2**53
DEEPEST = 20
SALT_SIZE = 16
LONGEST = {"author": 200, "subject": 300, "marking": 500}

DESTRUCTION = "destruction"
"""The kind of an entry that records that a body was destroyed; its subject is the number of the entry."""

_KIND = re.compile(r"[a-z][a-z-]{0,31}", re.ASCII)
_BEYOND = re.compile(r"[\U00010000-\U0010ffff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class EntryError(TallybookError):
    """Something that cannot be an entry."""


class WrongBodyError(TallybookError):
    """A body that is not the one its leaf commits to."""


def canonical_json(value: Any) -> bytes:
    """RFC 8785 JSON of what an entry may hold: text, whole numbers within ±2^53, true, false, null, lists, mappings by text.

    Raises EntryError for anything else, floats among it: a measurement is written as text, as it was given.
    """
    _check(value, 0)
    # Python sorts by code point and RFC 8785 by UTF-16 unit. They differ beyond the basic plane, which is left to rfc8785.
    try:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        if not text.isascii() and _BEYOND.search(text):
            import rfc8785

            return rfc8785.dumps(value)
        return text.encode()
    except UnicodeEncodeError as error:
        raise EntryError("half a character (a lone surrogate)", do="send whole characters in UTF-8") from error


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise EntryError(f"nested more than {DEEPEST} deep", do="flatten it")
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise EntryError(f"a whole number beyond 2^53: {str(value)[:20]}…", do="write it as text")
    elif kind is list or kind is tuple:
        for one in value:
            _check(one, depth + 1)
    elif kind is dict:
        for key, one in value.items():
            if type(key) is not str:
                raise EntryError(f"the key {key!r} is not text", do="use text for keys")
            _check(one, depth + 1)
    else:
        raise EntryError(f"a value of type {kind.__name__}", do="write it as text")


def instant_text(at: datetime) -> str:
    """An instant in UTC with six digits of the second. Raises EntryError for one without a time zone."""
    if at.tzinfo is None:
        raise EntryError("a time without a time zone", do="say which zone it is in")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant_of(text: str) -> datetime:
    """The instant that `instant_text` wrote. Raises EntryError for any other text."""
    try:
        if len(text) != 27 or text[-1] != "Z" or text[10] != "T" or text[19] != ".":
            raise ValueError(text)
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError as error:
        raise EntryError(f"{text[:40]!r} is not an instant in UTC to the microsecond", do="the entry was changed") from error


@dataclass(frozen=True, slots=True)
class Draft:
    """What a filer hands in.

    `kind` is what it is (report, bearing, document …), `subject` what it is about, by a name that stays (observations/OBS-001).
    `body` is RFC 8785 JSON (`canonical_json`). `known` is when the filer says that it was known, `valid_from` to `valid_to` when
    it was so. `corrects` is the number of the entry that it takes the place of.
    """

    kind: str
    subject: str
    body: bytes
    author: str
    known: datetime
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    marking: str = ""
    corrects: int | None = None

    def check(self) -> None:
        """Raise EntryError where no entry can be made of it."""
        if not _KIND.fullmatch(self.kind):
            raise EntryError(f"the kind {self.kind[:40]!r}", do="use up to 32 small letters and hyphens")
        for name, text in (("author", self.author), ("subject", self.subject), ("marking", self.marking)):
            if len(text) > LONGEST[name]:
                raise EntryError(f"{name}: longer than {LONGEST[name]} characters", do="shorten it")
            if _CONTROL.search(text):
                raise EntryError(f"{name}: a control character in {text[:40]!r}", do="take it out")
            if not is_normalized("NFC", text):
                raise EntryError(
                    f"{name}: {text[:40]!r} is not in Unicode's composed form (NFC)", do="normalise it where it comes from"
                )
        if not self.author or not self.subject:
            raise EntryError(
                "no author" if not self.author else "no subject", do="name it: nothing is filed by nobody, or about nothing"
            )
        if len(self.body) > LARGEST_BODY:
            raise EntryError(f"a body of over {LARGEST_BODY:,} bytes", do="store it as a file, and file its hash")
        if self.valid_from is not None and self.valid_to is not None and self.valid_to < self.valid_from:
            raise EntryError("valid_to is before valid_from", do="exchange them")

    @property
    def content(self) -> bytes:
        """What makes two drafts the same: 16 bytes over kind, subject and body."""
        return content_id(self.kind, self.subject, self.body)

    @property
    def key(self) -> int:
        """By which entries of this subject are looked up."""
        return subject_key(self.subject)

    def beginning(self) -> tuple[str, str]:
        """The leaf before and after its body hash and recorded time, in two parts: the first ends before `body_sha256`."""
        text = json.dumps
        first = f'{{"author":{text(self.author, ensure_ascii=False)},"body_sha256":"'
        corrects = "null" if self.corrects is None else str(self.corrects)
        middle = (
            f'","corrects":{corrects},"id":{text(self.subject, ensure_ascii=False)},"kind":"{self.kind}"'
            f',"known":"{instant_text(self.known)}","marking":{text(self.marking, ensure_ascii=False)},"recorded_at":"'
        )
        return first, middle

    def end(self) -> str:
        """The leaf after its recorded time."""
        start = "null" if self.valid_from is None else f'"{instant_text(self.valid_from)}"'
        stop = "null" if self.valid_to is None else f'"{instant_text(self.valid_to)}"'
        return f'","v":{VERSION},"valid":{{"from":{start},"to":{stop}}}}}'


def content_id(kind: str, subject: str, body: bytes) -> bytes:
    """16 bytes by which a second filing of the same thing is known for one."""
    return blake2b(f"{kind}\n{subject}\n".encode() + body, digest_size=16).digest()


def subject_key(subject: str) -> int:
    """A number of 63 bits by which a subject is looked up; two subjects may share one."""
    return int.from_bytes(blake2b(subject.encode(), digest_size=8).digest()) >> 1


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as a store keeps it. `leaf` is RFC 8785 JSON; `body` and `salt` are None where they were destroyed or withheld."""

    seq: int
    leaf: bytes
    leaf_hash: bytes
    key: int
    content: bytes | None
    salt: bytes | None
    body: bytes | None

    @property
    def entry(self) -> Entry:
        """What the entry says. Raises EntryError for a leaf that is none."""
        return Entry.read(self.seq, self.leaf, self.body)


def store_entry(seq: int, draft: Draft, recorded: str, clock: str, salt: bytes) -> Stored:
    """The entry number `seq` that a draft becomes. `clock` is the clock's own reading, where it is not `recorded`; else blank.

    Raises EntryError where the leaf grows too large.
    """
    first, middle = draft.beginning()
    body_hash = sha256(salt + draft.body).hexdigest()
    # RFC 8785 sorts the keys: `clock` stands between `body_sha256` and `corrects`.
    odd = f'","clock":"{clock}' if clock else ""
    leaf = (first + body_hash + odd + middle + recorded + draft.end()).encode()
    if len(leaf) > LARGEST_LEAF:
        raise EntryError(f"a leaf of over {LARGEST_LEAF:,} bytes", do="shorten what names it")
    return Stored(seq, leaf, leaf_hash(leaf), draft.key, draft.content, salt, draft.body)


_FIELDS = {"author": str, "body_sha256": str, "id": str, "kind": str, "known": str, "marking": str, "recorded_at": str}


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry says. `body` is None where it was destroyed or withheld; `clock` is blank unless it was behind."""

    seq: int
    kind: str
    subject: str
    author: str
    marking: str
    corrects: int | None
    known: str
    recorded_at: str
    valid_from: str | None
    valid_to: str | None
    body_sha256: str
    clock: str
    body: bytes | None

    @classmethod
    def read(cls, seq: int, leaf: bytes, body: bytes | None = None) -> Entry:
        """Read a leaf. Raises EntryError for what is none, or of a version that this program does not know."""
        try:
            data = json.loads(leaf)
        except (ValueError, RecursionError) as error:
            raise EntryError("not JSON", where=f"entry {seq}", do=_CHANGED) from error
        if not isinstance(data, dict) or data.get("v") != VERSION:
            version = data.get("v") if isinstance(data, dict) else None
            raise EntryError(f"of version {str(version)[:20]}", where=f"entry {seq}", do="read it with a newer Tallybook")
        valid, corrects = data.get("valid"), data.get("corrects")
        if any(not isinstance(data.get(name), kind) for name, kind in _FIELDS.items()) or not isinstance(valid, dict):
            raise EntryError("a field is missing", where=f"entry {seq}", do=_CHANGED)
        if corrects is not None and (type(corrects) is not int or not 0 <= corrects < seq):
            raise EntryError("it corrects no earlier entry", where=f"entry {seq}", do=_CHANGED)
        return cls(
            seq,
            data["kind"],
            data["id"],
            data["author"],
            data["marking"],
            corrects,
            data["known"],
            data["recorded_at"],
            valid.get("from"),
            valid.get("to"),
            data["body_sha256"],
            data.get("clock", ""),
            body,
        )

    def content(self) -> Mapping[str, Any]:
        """The body as JSON. Raises EntryError where it was withheld or destroyed, or is no mapping."""
        if self.body is None:
            raise EntryError(
                "its body was destroyed or withheld", where=f"entry {self.seq}", do="its leaf still stands and verifies"
            )
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise EntryError("its body is not JSON", where=f"entry {self.seq}", do=_CHANGED) from error
        if not isinstance(found, dict):
            raise EntryError("its body is no mapping", where=f"entry {self.seq}", do=_CHANGED)
        return found


_CHANGED = "the entry was changed: tallybook ledger audit names what does not fit"
