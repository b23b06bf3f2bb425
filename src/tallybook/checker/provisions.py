"""Provisions as the changes leave them under one question, what definitions cover, and whether quotations stand in sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from tallybook.checker.changes import CameTrue, CannotTellError, History, address, target
from tallybook.checker.rows import File, folded, mapping, words
from tallybook.checker.text import Text, conflicts

__all__ = ["AGREEMENT", "CannotTellError", "Provisions", "Stop", "quotation_fault"]

AGREEMENT = "agreement.yaml"
PLAIN = "plain"
_MOMENT = timedelta(microseconds=1)
_SETS = ("add", "replace", "repeal", "correct", "renumber", "restate")


@dataclass(frozen=True, slots=True)
class Stop:
    """A time during which a provision is suspended, by a change or a power; `ends` is None while nothing ended it."""

    starts: datetime
    ends: datetime | None
    by: str
    in_part: bool

    def holds(self, at: datetime) -> bool:
        """Whether it is suspended at an instant."""
        return self.starts <= at and (self.ends is None or at < self.ends)


def _never(_text: str, _without: frozenset[str]) -> datetime | None:
    raise CannotTellError("a condition")


class Provisions:
    """The provisions at `on`, on what was known, under a reading.

    `came_true` says when a condition on which a change waits first held. Raises MisfitError, when first asked, where the
    changes cannot be put together.
    """

    def __init__(
        self, file: File, on: datetime, reading: str, came_true: CameTrue = _never, without: frozenset[str] = frozenset()
    ) -> None:
        self.file, self.on, self.reading = file, on, reading
        self.history = History(file, on, came_true, without)
        self.applied: list[str] = []

    @cached_property
    def conflicts(self) -> dict[str, list[str]]:
        """Changes of equal rank that cannot both be meant: target to addresses."""
        return conflicts(self.history.entries())

    @cached_property
    def _barred(self) -> set[str]:
        return {name for names in self.conflicts.values() for name in names}

    @cached_property
    def text(self) -> Text:
        """The text with every change in effect put in."""
        text = Text(self.file, self.file.listed("provisions"))
        written = set(text.entries)
        said: set[tuple[object, ...]] = set()
        for entry in self.history.entries():
            same = (*entry.rank[:2], entry.op, entry.raw.get("target"), repr(entry.raw.get("value")))
            if address(entry.raw) in self._barred or same in said:
                continue
            text.put(entry)
            if entry.op in _SETS:
                said.add(same)
        for name, raw in text.entries.items():
            gone = self.history.repeal_of(str(raw["in"])) if name in written and "in" in raw else None
            if gone is not None:
                text.repealed.setdefault(name, address(gone.raw))
        # Changes that touch no provision must fit as well.
        self.applied = [name for name in self.history.applied() if name not in self._barred]
        return text

    @cached_property
    def since(self) -> dict[str, datetime]:
        """When changes added provisions, by the ids under which these now stand."""
        return {self.text.find(name) or name: at for name, at in self.text.added.items()}

    @cached_property
    def suspended(self) -> dict[str, list[Stop]]:
        """The times up to now during which changes suspended each provision, oldest first."""
        out: dict[str, list[Stop]] = {}
        for entry, undone in self.history.switches():
            name = self.text.find(target(entry.raw)[0])
            if name is None or address(entry.raw) in self._barred:
                continue
            stops = out.setdefault(name, [])
            if entry.op == "suspend":
                until = [self.file.at(entry.raw["until"]).last + _MOMENT] if entry.raw.get("until") else []
                ends = min([*until, *([undone] if undone is not None else [])], default=None)
                in_part = bool(mapping(entry.raw.get("value")).get("in_part"))
                stops.append(Stop(entry.since, ends, address(entry.raw), in_part))
            elif undone is None:
                out[name] = [
                    Stop(s.starts, entry.since, s.by, s.in_part) if s.ends is None or s.ends > entry.since else s for s in stops
                ]
        return {name: [s for s in stops if s.ends is None or s.ends > s.starts] for name, stops in out.items()}

    @cached_property
    def turns(self) -> list[datetime]:
        """Every instant up to now at which a change took effect or a suspension ended, in order."""
        ends = {stop.ends for stops in self.suspended.values() for stop in stops if stop.ends is not None}
        return sorted({at for at in ends if at <= self.on} | self.history.starts())

    def every(self) -> list[dict[str, Any]]:
        """Every provision as it stands under the reading, in the order of the text."""
        return [self._as_read(raw) for raw in self.text.entries.values()]

    @cached_property
    def _doubtful(self) -> set[str]:
        """What a change is about of which it cannot be told whether it has taken effect."""
        self.history.entries()
        unsure = [raw for raw in self.history.known if address(raw) in self.history.doubtful]
        found = set()
        for raw in unsure:
            name, number, _ = target(raw)
            about = f"{name}#{number}" if number is not None else name
            found.add(self.text.find(name) or name)
            others = [other for other in self.history.known if about in (address(other), str(other.get("in")))]
            found |= {target(other)[0] for other in others}
        return found

    def find(self, name: str) -> str:
        """The id under which a provision now stands; one that is not there keeps its name."""
        return self.text.find(name) or name

    def names(self, references: object) -> set[str]:
        """The ids under which the provisions that are referred to now stand."""
        return {self.find(reference.removeprefix("@")) for reference in words(references)}

    def get(self, name: str) -> dict[str, Any] | None:
        """A provision as it stands under the reading, None where there is none. Raises CannotTellError."""
        found = self.text.find(name)
        if name in self._doubtful or found in self._doubtful:
            raise CannotTellError(name)
        return None if found is None else self._as_read(self.text.entries[found])

    def _as_read(self, raw: dict[str, Any]) -> dict[str, Any]:
        if self.reading == PLAIN or raw.get("kind") == "definition":
            return raw
        for entry in raw.get("interpretations") or []:
            if entry.get("reading") == self.reading:
                raw = {**raw, **{key: value for key, value in entry.items() if key not in ("reading", "text")}}
        return raw

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The provisions of a kind, in the order of the text. Raises CannotTellError."""
        found = [self.get(name) for name, raw in self.text.entries.items() if raw.get("kind") == kind]
        return [raw for raw in found if raw is not None]

    def is_repealed(self, name: str) -> bool:
        """Whether a provision is repealed."""
        return self.find(name) in self.text.repealed

    def recorded_by(self, name: str) -> list[str]:
        """The rows that record the changes which made a provision what it is, in the order of the file."""
        made = self.text.made_by.get(self.find(name), [])
        return [row for raw in self.file.listed("changes") if address(raw) in made for row in words(raw.get("recorded_by"))]

    def is_enacted(self, provision: dict[str, Any]) -> bool:
        """Whether its instrument had been made and was known, and the reading asked for has it."""
        if provision.get("reading") not in (None, self.reading) and self.reading != PLAIN:
            return False
        if provision.get("in") is None or str(provision.get("id")) in self.since:
            return True
        instrument = self.file.entry("instruments", str(provision["in"]))
        made = instrument.get("made")
        if made is None or self.file.at(made).last > self.on:
            return False
        return self.file.is_known(instrument.get("known") or made)

    def quotations(self, provision: dict[str, Any]) -> list[tuple[str, str]]:
        """(instrument, words) of every quotation of a provision from an instrument that was known."""
        return self.quoted(provision.get("text"))

    def quoted(self, text: object) -> list[tuple[str, str]]:
        """(instrument, words) of every quotation from an instrument that was known."""
        return [(name, word) for name, several in mapping(text).items() if self._is_out(name) for word in words(several)]

    def _is_out(self, name: str) -> bool:
        instrument = self.file.entry("instruments", name)
        known = instrument.get("known") or instrument.get("made")
        return known is None or self.file.is_known(known)

    def covers(self, term: str, item: str, reading: str) -> tuple[str, str]:
        """Whether a definition covers an item class under a reading, and why. Raises CannotTellError."""
        definition = self.get(term)
        if definition is None or definition.get("kind") != "definition":
            return "unknown", f"{term} is not defined"
        for entry in reversed(definition.get("interpretations") or []):
            if entry.get("reading") == reading:
                if any(item in self.file.members(name) for name in words(entry.get("excludes"))):
                    return "false", f"the reading {reading} leaves {item} out of {term}"
                if any(item in self.file.members(name) for name in words(entry.get("includes"))):
                    return "true", f"the reading {reading} counts {item} in {term}"
        for entry in definition.get("includes") or []:
            name, whose = (entry.get("item"), entry.get("reading")) if isinstance(entry, dict) else (entry, None)
            if (whose in (None, reading) or reading == PLAIN) and item in self.file.members(str(name)):
                return "true", f"{term} includes {name}"
        if definition.get("open"):
            return "unknown", f"{term} is open: {item} is not listed, which does not leave it out"
        return "false", f"{term} does not include {item}"

    def listed_in(self, term: str) -> tuple[list[str] | None, bool]:
        """What a definition lists and covers (None: no definition), and whether it may cover more."""
        definition = self.get(term)
        if definition is None or definition.get("kind") != "definition":
            return None, True
        named = [str(e.get("item")) if isinstance(e, dict) else str(e) for e in definition.get("includes") or []]
        named += [name for e in definition.get("interpretations") or [] for name in words(e.get("includes"))]
        covered = [name for name in dict.fromkeys(named) if self.covers(term, name, self.reading)[0] == "true"]
        return covered, bool(definition.get("open"))

    def rivals(self, term: str, item: str) -> dict[str, str]:
        """Named readings that take an item class out of a definition, with why."""
        definition = self.get(term)
        if definition is None or definition.get("kind") != "definition" or self.reading != PLAIN:
            return {}
        names = dict.fromkeys(str(entry.get("reading")) for entry in definition.get("interpretations") or [])
        found = {name: self.covers(term, item, name) for name in names}
        return {name: why for name, (truth, why) in found.items() if truth == "false"}


def quotation_fault(file: File, instrument: str, quote: str) -> str | None:
    """What is wrong with a quotation, or None where it stands in its source, which was known, word for word."""
    wanted = folded(quote)
    if not wanted:
        return "no words"
    if instrument == AGREEMENT:
        return None if any(wanted in folded(text) for text in _strings(file.agreement)) else "not in the agreement file"
    known = mapping(file.agreement.get("instruments")).get(instrument)
    if not isinstance(known, dict):
        return f"no instrument {instrument!r}"
    day = known.get("known") or known.get("made")
    if day is not None and not file.is_known(day):
        return f"{instrument} was not known yet"
    source = instrument if known.get("in_hand") == "whole" else str(known.get("read_in") or "")
    if known.get("in_hand") in ("none", "described") or source not in file.books.texts:
        return f"the text of {instrument} is not in hand"
    return None if wanted in folded(file.books.texts[source]) else f"not in {source}, word for word"


def _strings(value: Any) -> Iterator[str]:
    queue = [value]
    while queue:
        node = queue.pop()
        if isinstance(node, dict):
            queue += [*node.values(), *node.keys()]
        elif isinstance(node, list):
            queue += node
        elif isinstance(node, str):
            yield node
