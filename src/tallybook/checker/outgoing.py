"""What leaves for a reader, read again before it leaves: by a second program, which shares nothing with the one that chose it.

Every row and file is held against the reader by its own marking, read here from the text and from the plain tables of the
schemes. The lattice is not used: a marking is a list of demands, and a reader meets all of them or does not.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from unicodedata import normalize

from tallybook.errors import TallybookError

MOST_BYTES = 64_000_000
MOST_FAULTS = 1000
LONGEST_MARKING = 500
MOST_NAMES = 60
COLUMN = "marking"

_LIST = re.compile(r"(REL TO|REL|EYES ONLY FOR|DECL|OF)(?: (.*))?", re.IGNORECASE | re.ASCII)
_DECLASSIFIED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|EXEMPT", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[\w .'@+-]{1,60}")
_NO_NAMES = frozenset(("NOBODY", "NOFORN", "NF", "WITHHELD", "ORIGINATOR ONLY", "EXEMPT", "EYES ONLY"))
_NONE: Mapping[str, str] = {}


class UnreadMarkingError(TallybookError):
    """A text that this program cannot read as a marking."""


@dataclass(slots=True)
class Demands:
    """What one scheme's part asks for: a rank, words to hold, and lists of names, one of each to belong to, or to be."""

    rank: int = 0
    words: set[str] = field(default_factory=set)
    belonging: list[frozenset[str]] = field(default_factory=list)
    named: list[frozenset[str]] = field(default_factory=list)


def outgoing_faults(
    files: Mapping[str, bytes],
    scheme_data: Mapping[str, Any],
    clearance_text: str,
    reader_names: Sequence[str],
    *,
    file_markings: Mapping[str, str] = _NONE,
    unmarked: str = "",
) -> list[str]:
    """What must not leave for a reader, each with its file and line; nothing where all may.

    `scheme_data` are the tables of the schemes in use as plain data, by id, the first without prefix. `clearance_text` is the
    reader's, one for each scheme with `&` between them. `file_markings` mark whole files: all but places.csv and reports/*.csv
    need one, and where those have one it must be as restrictive as each of their rows. `unmarked` is the marking of a blank cell,
    where somebody ruled so. The tables are taken to be sound.
    """
    tables = {name: _Table(name, data) for name, data in scheme_data.items()}
    try:
        reader = _Reader(_parts(clearance_text, tables, clearance=True), reader_names)
        ruled = _parts(unmarked, tables) if unmarked else None
    except UnreadMarkingError as error:
        return [f"the reader's clearance, or the ruling: {error.what}"]
    faults: list[str] = []
    for name in sorted(files):
        if len(faults) >= MOST_FAULTS:
            return [*faults, "and more"]
        stated = file_markings.get(name, "")
        if stated:
            faults += _of_text(name, stated, tables, reader, ruled)
        elif not _by_rows(name):
            faults += _of_text(name, "", tables, reader, ruled)
        if _by_rows(name):
            faults += _of_rows(name, files[name], tables, reader, ruled, stated)
    return faults


def _by_rows(name: str) -> bool:
    return name == "places.csv" or (name.startswith("reports/") and name.endswith(".csv"))


def _of_rows(
    name: str, raw: bytes, tables: Mapping[str, _Table], reader: _Reader, ruled: Mapping[str, Demands] | None, stated: str
) -> list[str]:
    faults: list[str] = []
    try:
        whole = _parts(stated, tables) if stated else None
        for line, text in _cells(raw):
            if len(faults) >= MOST_FAULTS:
                return [*faults, f"{name}: and more"]
            found = _of_text(f"{name}:{line}", text, tables, reader, ruled)
            if not found and whole is not None:
                part = _parts(text, tables) if text.strip() else ruled or {}
                found = (
                    [] if _as_strict(whole, part) else [f"{name}:{line}: {_told(text)} asks for more than the file's own marking"]
                )
            faults += found
    except UnreadMarkingError as error:
        faults.append(f"{name}: {error.what}")
    return faults


def _of_text(
    place: str, text: str, tables: Mapping[str, _Table], reader: _Reader, ruled: Mapping[str, Demands] | None
) -> list[str]:
    if not text.strip():
        if ruled is None:
            return [f"{place}: bears no marking"]
        return [] if reader.meets(ruled) else [f"{place}: bears no marking, and what bears none is above the reader"]
    try:
        return [] if reader.meets(_parts(text, tables)) else [f"{place}: {_told(text)} is above the reader"]
    except UnreadMarkingError as error:
        return [f"{place}: {error.what}"]


def _cells(raw: bytes) -> Iterator[tuple[int, str]]:
    """The line and the marking of each row. Raises UnreadMarkingError for what is no table, or has no such column."""
    if len(raw) > MOST_BYTES:
        raise UnreadMarkingError(f"{len(raw)} bytes; at most {MOST_BYTES} are read")
    try:
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        if header.count(COLUMN) != 1:
            raise UnreadMarkingError(f"{header.count(COLUMN)} columns {COLUMN}; one is needed")
        at = header.index(COLUMN)
        line = reader.line_num + 1
        for row in reader:
            if row:
                if len(row) != len(header):
                    raise UnreadMarkingError(f"line {line}: {len(row)} cells under {len(header)} columns")
                yield line, row[at]
            line = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadMarkingError("no table in UTF-8, or a cell of more than 131,072 characters") from error


class _Table:
    """A scheme's table, from plain data."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self.name = name
        self.owner = _name(str(data.get("owner", "")))
        self.groups = {_name(key): frozenset(map(_name, members)) for key, members in data.get("groups", {}).items()}
        self.open = bool(data.get("open_vocabulary"))
        self.refused = set(data.get("refused", {}))
        self.ranks: dict[str, int] = {}
        self.levels = {level["name"] for level in data["levels"]}
        for rank, level in enumerate(data["levels"]):
            for text in (level["name"], level.get("portion"), *level.get("also", ())):
                if text:
                    self.ranks[text] = rank
        self.words: dict[str, Mapping[str, Any]] = {}
        for word in data.get("words", ()):
            for text in (word["name"], word.get("portion"), word.get("title")):
                if text:
                    self.words[text] = word

    def has(self, text: str) -> bool:
        """Whether a text is a word of the table, so that it is nobody's name."""
        return text in self.words or text in self.refused or text in self.levels

    def holding(self, text: str) -> set[str]:
        """A word as it is written, and all that it holds; nothing for one of handling, which keeps nobody from reading."""
        word = self.words.get(text)
        if word is not None:
            found = set() if word["kind"] == "handling" else {word["name"]}
            return found.union(*(self.holding(other) for other in word.get("implies", ())))
        head, _, tail = text.rpartition("-")
        parent = self.words.get(head)
        if parent is not None and 1 <= len(tail) <= parent.get("sub", 0) and re.fullmatch("[A-Z0-9]+", tail):
            return {f"{parent['name']}-{tail}"} | self.holding(head)
        if self.open and re.fullmatch(r"[A-Z0-9+._ -]+", text) and text not in self.ranks:
            return {text}
        raise UnreadMarkingError(f"{_told(text)} is no word of {self.name}")


class _Reader:
    def __init__(self, clearance: Mapping[str, Demands], names: Iterable[str]) -> None:
        self.clearance = clearance
        self.names = frozenset(map(_name, names))

    def meets(self, parts: Mapping[str, Demands]) -> bool:
        """Whether the reader meets every demand of every part."""
        return all(name in self.clearance and self._meets(part, self.clearance[name]) for name, part in parts.items())

    def _meets(self, part: Demands, held: Demands) -> bool:
        belongs = frozenset().union(*held.belonging)
        return (
            part.rank <= held.rank
            and part.words <= held.words
            and all(allowed & belongs for allowed in part.belonging)
            and all(allowed & self.names for allowed in part.named)
        )


def _as_strict(whole: Mapping[str, Demands], part: Mapping[str, Demands]) -> bool:
    """Whether every demand of a part is one of the whole, or weaker than one."""
    return all(
        name in whole
        and one.rank <= whole[name].rank
        and one.words <= whole[name].words
        and all(any(said <= allowed for said in whole[name].belonging) for allowed in one.belonging)
        and all(any(said <= allowed for said in whole[name].named) for allowed in one.named)
        for name, one in part.items()
    )


def _parts(text: str, tables: Mapping[str, _Table], *, clearance: bool = False) -> dict[str, Demands]:
    """The demands of a marking or a clearance, by scheme. Raises UnreadMarkingError."""
    body = text.strip()
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1].strip()
    if len(text) > LONGEST_MARKING or not body or not text.isprintable() or body.upper() == "WITHHELD":
        raise UnreadMarkingError(f"{_told(text)} is withheld, or cannot be read")
    found: dict[str, Demands] = {}
    for piece in body.split("&"):
        head, colon, rest = piece.strip().partition(":")
        known = head.strip().upper() if colon and "/" not in head else next(iter(tables))
        if known not in tables or known in found:
            raise UnreadMarkingError(f"{_told(head)} is no scheme in use, or is there twice")
        found[known] = _demands(rest if colon and "/" not in head else piece, tables[known], clearance)
    return found


def _demands(text: str, table: _Table, clearance: bool) -> Demands:
    segments = [" ".join(segment.split()) for segment in text.split("//")]
    for count in (2, 1):
        level = "//".join(segments[:count]).upper()
        if len(segments) >= count and level.isascii() and level in table.ranks:
            found = Demands(table.ranks[level])
            items = [item.strip() for segment in segments[count:] for item in segment.split("/")]
            kinds = [_add(found, item, table, clearance) for item in items]
            if len(set(kinds)) < len(kinds):
                raise UnreadMarkingError(f"{_told(text)} says something twice")
            return found
    raise UnreadMarkingError(f"{_told(segments[0])} is no level of {table.name}")


def _add(found: Demands, item: str, table: _Table, clearance: bool) -> str:
    """Add what an item asks for; returns what kind of thing it said, which is said once."""
    said = _LIST.fullmatch(item)
    word = item.upper()
    if said:
        return _add_list(found, said[1].upper(), said[2] or "", table, clearance)
    if word == "ORIGINATOR ONLY" or (word in ("NOFORN", "NF") and table.owner):
        found.belonging.append(frozenset() if word == "ORIGINATOR ONLY" else frozenset((table.owner,)))
        return "belonging"
    if not word.isascii() or any(word == other or word.startswith(other + " ") for other in table.refused):
        raise UnreadMarkingError(f"{_told(item)} cannot be read in {table.name}")
    found.words |= table.holding(word)
    return "word " + str(table.words.get(word, {"name": word})["name"])


def _add_list(found: Demands, key: str, rest: str, table: _Table, clearance: bool) -> str:
    if key == "DECL":
        if not _DECLASSIFIED.fullmatch(rest) or not _is_day(rest):
            raise UnreadMarkingError(f"DECL {_told(rest)} is no date")
        return "date"
    if key == "EYES ONLY FOR":
        found.named.append(frozenset() if _name(rest) == "NOBODY" else _names(rest, ";", table))
        return "named"
    if key == "OF" and not clearance:
        raise UnreadMarkingError("OF, in a marking")
    names = _names(rest, ",", table)
    groups = names & table.groups.keys()
    if groups and clearance:
        raise UnreadMarkingError(f"a reader who belongs to a group, {_told(min(groups))}")
    found.belonging.append(names.union(*(table.groups[name] for name in groups)) - groups)
    return "belonging"


def _is_day(text: str) -> bool:
    try:
        return text.upper() == "EXEMPT" or bool(date.fromisoformat(text))
    except ValueError:
        return False


def _names(text: str, separator: str, table: _Table) -> frozenset[str]:
    names = [_name(one) for one in text.split(separator)]
    for name in names:
        if not _NAME.fullmatch(name) or _LIST.fullmatch(name) or name in _NO_NAMES or table.has(name):
            raise UnreadMarkingError(f"{_told(name)} stands where a name should")
    if len(set(names)) < len(names) or len(names) > MOST_NAMES:
        raise UnreadMarkingError("a name twice, or too many names")
    return frozenset(names)


def _name(text: str) -> str:
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold().upper()).split())


def _told(text: str) -> str:
    short = text if len(text) <= 60 else text[:59] + "…"
    return "'" + "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in short) + "'"
