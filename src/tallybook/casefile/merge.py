"""What is to be filed, held against what is on file: new, the same, a correction, an old version, or a conflict to settle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tallybook.casefile.filing import Thing
from tallybook.ledger.asof import WITHDRAWAL, Books
from tallybook.ledger.entry import Draft, Entry, canonical_json

SETTLEMENT = "settlement"


class Take(StrEnum):
    """Whose version a person chose."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One subject, two versions that neither side had seen of the other."""

    subject: str
    ours: Mapping[str, object]
    theirs: Mapping[str, object]

    def differences(self) -> Iterator[tuple[str, str, str]]:
        """The fields that differ, as (field, ours, theirs)."""
        ours, theirs = self.ours.get("row", self.ours), self.theirs.get("row", self.theirs)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            for name in dict.fromkeys((*ours, *theirs)):
                if ours.get(name) != theirs.get(name):
                    yield str(name), _shown(ours, name), _shown(theirs, name)


def _shown(row: Mapping[str, object], name: str) -> str:
    return str(row[name]) if name in row else ""


@dataclass(slots=True)
class Merge:
    """What would be filed (`drafts`, with the `blobs` that they name), and what would not."""

    drafts: list[Draft] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    old: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    destroyed: list[str] = field(default_factory=list)
    withdrawn_by_them: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Filer:
    """Who files, and, where it is not what the rows say, when it was known."""

    author: str
    known: str = ""
    marking: str = ""


def merge(
    found: Iterable[Thing],
    books: Books,
    filer: Filer,
    *,
    apart: bool = False,
    theirs: Books | None = None,
    settled: Mapping[str, Take] | None = None,
) -> Merge:
    """Hold what comes in against the books.

    From our own folder or a colleague's file, a changed row is a correction. From a folder that grew `apart` it is a conflict,
    unless one side had the other's version before (`theirs` are the books that came with it, if any) or a person settled it.
    """
    out = Merge()
    for given in found:
        thing = given
        versions = books.versions.get(thing.subject)
        if versions is None:
            _file(out, thing, filer, None)
            out.new.append(thing.subject)
            continue
        if any(entry.body is None for entry in versions):
            # Whether it is the very thing that was destroyed cannot be told, and must not come back by accident.
            out.destroyed.append(thing.subject)
            continue
        if thing.kind == "table":
            thing = _widened(thing, versions[-1])
        bodies = [entry.body for entry in versions]
        if thing.body == bodies[-1]:
            out.same.append(thing.subject)
        elif thing.body in bodies:
            (out.withdrawn if versions[-1].kind == WITHDRAWAL else out.old).append(thing.subject)
        elif apart and thing.kind != "table" and not _had(theirs, thing.subject, versions[-1]):
            _conflict(out, thing, versions, books, filer, (settled or {}).get(thing.subject))
        else:
            _correct(out, thing, versions, filer)
    out.withdrawn_by_them = [] if theirs is None else sorted(_withdrawn_by(theirs, books))
    return out


def _withdrawn_by(theirs: Books, ours: Books) -> Iterator[str]:
    """What the other side took off its books, and stands on ours as they had it."""
    for subject, versions in theirs.versions.items():
        own = ours.versions.get(subject)
        if versions[-1].kind == WITHDRAWAL and own and any(own[-1].body == one.body for one in versions[:-1]):
            yield subject


def _widened(thing: Thing, ours: Entry) -> Thing:
    """A table with our columns first, and then those that only theirs has."""
    have, more = ours.content().get("columns"), thing.content["columns"]
    columns = [*(have if isinstance(have, list) else []), *(more if isinstance(more, list) else [])]
    return replace(thing, content={"columns": list(dict.fromkeys(columns))})


def _had(theirs: Books | None, subject: str, ours: Entry) -> bool:
    """Whether the other side had our version, and changed it knowingly."""
    versions = theirs.versions.get(subject, []) if theirs else []
    return any(entry.body == ours.body for entry in versions[:-1])


def _conflict(out: Merge, thing: Thing, versions: list[Entry], books: Books, filer: Filer, take: Take | None) -> None:
    subject = f"{SETTLEMENT}/{thing.subject}"
    digest = hashlib.sha256(thing.body).hexdigest()
    for entry in books.versions.get(subject, []):
        if entry.content().get("theirs") == digest:
            out.old.append(thing.subject)
            return
    if take is None:
        out.conflicts.append(Conflict(thing.subject, versions[-1].content() if versions[-1].body else {}, thing.content))
        return
    body = canonical_json({"take": take.value, "theirs": digest})
    out.drafts.append(Draft(SETTLEMENT, subject, body, filer.author, filer.known or thing.known))
    if take is Take.THEIRS:
        _correct(out, thing, versions, filer)


def _correct(out: Merge, thing: Thing, versions: list[Entry], filer: Filer) -> None:
    _file(out, thing, filer, versions[0].seq)
    out.corrected.append(thing.subject)


def _file(out: Merge, thing: Thing, filer: Filer, corrects: int | None) -> None:
    # A row says itself when it was known; only that a correction was known at another time can be said beside it.
    known = filer.known if filer.known and corrects is not None else thing.known
    start, end = thing.valid
    out.drafts.append(
        Draft(thing.kind, thing.subject, thing.body, filer.author, known, start, end, thing.marking or filer.marking, corrects)
    )
    if thing.data is not None:
        out.blobs[str(thing.content["sha256"])] = thing.data
