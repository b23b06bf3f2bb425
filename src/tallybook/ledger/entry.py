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
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, NamedTuple
from unicodedata import is_normalized
from zlib import crc32

from tallybook.errors import TallybookError

VERSION = 1
"""Of the form of a leaf. Older leaves stay as they are; what reads them knows every form."""
LARGEST_LEAF = 65_535
"""An entry bundle of tlog-tiles gives a leaf two bytes for its length."""
LARGEST_BODY = 1_000_000
LARGEST_INTEGER = 2**53 - 1
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


class NewerLeafError(EntryError):
    """A leaf of a form that a later version writes. It verifies; what it says is not known here."""


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
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


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
    it was so, all as `instant_text` writes them. `corrects` is the number of the entry that it takes the place of.
    """

    kind: str
    subject: str
    body: bytes
    author: str
    known: str
    valid_from: str | None = None
    valid_to: str | None = None
    marking: str = ""
    corrects: int | None = None

    def check(self) -> None:
        """Raise EntryError where no entry can be made of it."""
        _check_kind(self.kind)
        _check_name("author", self.author)
        if self.marking:
            _check_name("marking", self.marking)
        subject = self.subject
        if not (subject.isascii() and subject.isprintable() and 0 < len(subject) <= LONGEST["subject"]):
            _check_name.__wrapped__("subject", subject)
        if len(self.body) > LARGEST_BODY:
            raise EntryError(f"a body of over {LARGEST_BODY:,} bytes", do="store it as a file, and file its hash")
        _check_times(self.known, self.valid_from, self.valid_to)


_ONE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z"
_INSTANT = re.compile(_ONE, re.ASCII)
_INSTANTS = re.compile(f"{_ONE} (?:None|{_ONE}) (?:None|{_ONE})", re.ASCII)


@lru_cache(10_000)
def _check_times(known: str, start: str | None, end: str | None) -> None:
    if not _INSTANTS.fullmatch(f"{known} {start} {end}"):
        wrong = next(text for text in (known, start, end) if text is not None and not _INSTANT.fullmatch(text))
        raise EntryError(f"{wrong[:40]!r} is not an instant in UTC to the microsecond", do="write it with instant_text")
    for text in (known, start, end):
        if text is not None:
            instant_of(text)
    if start is not None and end is not None and end < start:
        raise EntryError("valid_to is before valid_from", do="exchange them")


@lru_cache(1000)
def _check_kind(kind: str) -> None:
    if not _KIND.fullmatch(kind):
        raise EntryError(f"the kind {kind[:40]!r}", do="use up to 32 small letters and hyphens")


@lru_cache(1000)
def _check_name(field: str, text: str) -> None:
    if not text:
        raise EntryError(f"no {field}", do="name it: nothing is filed by nobody, or about nothing")
    if len(text) > LONGEST[field]:
        raise EntryError(f"{field}: longer than {LONGEST[field]} characters", do="shorten it")
    if _CONTROL.search(text):
        raise EntryError(f"{field}: a control character in {text[:40]!r}", do="take it out")
    if not is_normalized("NFC", text):
        do = "normalise it where it comes from"
        raise EntryError(f"{field}: {text[:40]!r} is not in Unicode's composed form (NFC)", do=do)


def subject_key(subject: str) -> int:
    """A number of 63 bits by which a subject is looked up; several may share one, so what is found is read before it is used.

    Subjects that differ in a running number get neighbouring keys: with scattered ones each batch would touch the whole index.
    """
    parts = _PARTS.fullmatch(subject.encode())
    assert parts is not None
    return key_of_parts(*parts.groups())


_PARTS = re.compile(rb"((?:.*[^0-9])?)([0-9]{0,9})([0-9]*)", re.DOTALL)


def key_of_parts(head: bytes, number: bytes, rest: bytes) -> int:
    """The key of a subject in three parts, in UTF-8: up to the digits that it ends in, at most nine of them, and what follows."""
    key = crc32(head) << 31
    if number:
        key |= (int(number) & 0x7FFFFF) << 8
    return key | crc32(rest) & 0xFF if rest else key


class Stored(NamedTuple):
    """An entry as a store keeps it. `leaf` is RFC 8785 JSON; `body` and `salt` are None where they were destroyed or withheld.

    `key` is the subject's (`subject_key`).
    """

    seq: int
    key: int
    leaf_hash: bytes
    salt: bytes | None
    leaf: bytes
    body: bytes | None

    @property
    def entry(self) -> Entry:
        """What the entry says. Raises EntryError for a leaf that is none."""
        # A body without its salt cannot be held against its leaf.
        return Entry.read(self.seq, self.leaf, self.body if self.salt is not None else None)

    def is_of(self, draft: Draft) -> bool:
        """Whether it is what a draft would become: of the same kind, about the same, saying the same."""
        if self.body != draft.body:
            return False
        entry = self.entry
        return entry.kind == draft.kind and entry.subject == draft.subject


@lru_cache(10_000)
def _quoted(text: str) -> str:
    return encode_basestring(text)


def store_entry(seq: int, draft: Draft, key: int, recorded: str, clock: str, salt: bytes) -> Stored:
    """The entry number `seq` that a checked draft becomes. `clock` is the clock's own reading where it was behind; else blank.

    Raises EntryError where the leaf grows too large.
    """
    # RFC 8785 sorts the keys. Written out here, for speed; a test holds it against rfc8785.
    odd = f',"clock":"{clock}"' if clock else ""
    corrects = "null" if draft.corrects is None else draft.corrects
    before, after = _unchanging(draft.kind, draft.known, draft.marking, draft.valid_from, draft.valid_to)
    leaf = (
        f'{{"author":{_quoted(draft.author)},"body_sha256":"{sha256(salt + draft.body).hexdigest()}"{odd},"corrects":{corrects}'
        f',"id":{encode_basestring(draft.subject)}{before}{recorded}{after}'
    ).encode()
    if len(leaf) > LARGEST_LEAF:
        raise EntryError(f"a leaf of over {LARGEST_LEAF:,} bytes", do="shorten what names it")
    return Stored(seq, key, sha256(b"\x00" + leaf).digest(), salt, leaf, draft.body)


@lru_cache(10_000)
def _unchanging(kind: str, known: str, marking: str, start: str | None, end: str | None) -> tuple[str, str]:
    """The parts of a leaf before and after its recorded time that many entries share."""
    valid = ",".join(f'"{name}":null' if text is None else f'"{name}":"{text}"' for name, text in (("from", start), ("to", end)))
    before = f',"kind":"{kind}","known":"{known}","marking":{_quoted(marking)},"recorded_at":"'
    return before, f'","v":{VERSION},"valid":{{{valid}}}}}'


class Entry(NamedTuple):
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
            text = leaf.decode()
            data, end = _read(text)
            if end != len(text):
                raise ValueError(end)
        except (ValueError, RecursionError) as error:
            what = "a key twice" if isinstance(error, _KeyTwiceError) else "not JSON"
            raise EntryError(what, where=f"entry {seq}", do=_CHANGED) from error
        version = data.get("v") if type(data) is dict else None
        if type(version) is not int or version != VERSION:
            newer = type(version) is int and version > VERSION
            what = f"of version {str(version)[:20]}"
            raise (NewerLeafError if newer else EntryError)(what, where=f"entry {seq}", do="read it with a newer Tallybook")
        try:
            valid, corrects = data["valid"], data["corrects"]
            texts = (data["kind"], data["id"], data["author"], data["marking"])
            times = (data["known"], data["recorded_at"], valid["from"], valid["to"])
            entry = cls(seq, *texts, corrects, *times, data["body_sha256"], data.get("clock", ""), body)
            # Joining takes text only, and is the quickest way to see that all of them are.
            "".join((*texts, *times[:2], times[2] or "", times[3] or "", entry.body_sha256, entry.clock))
        except (KeyError, TypeError) as error:
            raise EntryError("a field is missing, or no text", where=f"entry {seq}", do=_CHANGED) from error
        if corrects is not None and (type(corrects) is not int or not 0 <= corrects < seq):
            raise EntryError("it corrects no earlier entry", where=f"entry {seq}", do=_CHANGED)
        return entry

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


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyTwiceError
    return found


class _KeyTwiceError(ValueError):
    pass


_read = json.JSONDecoder(object_pairs_hook=_once).raw_decode
_CHANGED = "the entry was changed: tallybook ledger audit names what does not fit"
