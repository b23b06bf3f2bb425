"""The provisions in force: a pure function of (base, changes, valid time, known time, reading)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from tallybook.agreement.amendment import Change
from tallybook.agreement.consolidate import Note, Text
from tallybook.agreement.live import ChangeError, Clock, Live, Timeline
from tallybook.agreement.provision import AnyProvision, Instrument
from tallybook.core.time import Moment

__all__ = ["ChangeError", "Conflict", "InForce", "Note", "Provisions", "Suspension", "provision_reader", "provisions_in_force"]

PLAIN = "plain"
_SETTING = frozenset({"add", "replace", "repeal", "correct", "renumber", "restate"})
_HELD = frozenset({"suspend", "resume"})
_MOST_KEPT = 256
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Changes of equal rank to one target: none of them is applied."""

    target: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspension:
    """A time during which a provision was suspended by changes; `ends` is None while nothing ends it."""

    starts: datetime
    ends: datetime | None
    by: str
    in_part: bool


class Provisions(Mapping[str, AnyProvision]):
    """Provisions by id, in the order of the text. One that was renumbered is also found under its earlier ids."""

    def __init__(self, standing: Mapping[str, AnyProvision], renamed: Mapping[str, str]) -> None:
        self._standing, self._renamed = standing, renamed

    def __getitem__(self, name: str) -> AnyProvision:
        seen: set[str] = set()
        while name not in self._standing and name in self._renamed and name not in seen:
            seen.add(name)
            name = self._renamed[name]
        return self._standing[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._standing)

    def __len__(self) -> int:
        return len(self._standing)


@dataclass(frozen=True, slots=True)
class InForce:
    """The provisions as they stand, those repealed, what changed each, what is suspended, and the conflicts found.

    `turns` are the instants up to now at which a change took effect or a suspension ended.
    """

    provisions: Mapping[str, AnyProvision]
    repealed: Mapping[str, str]
    notes: Mapping[str, tuple[Note, ...]]
    applied: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    suspended: Mapping[str, tuple[Suspension, ...]] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    commencements: Mapping[str, Any] = field(default_factory=dict)
    turns: tuple[datetime, ...] = ()

    @property
    def history(self) -> dict[str, tuple[str, ...]]:
        """The addresses of the changes that made each provision what it is."""
        return {name: tuple(note.address for note in notes) for name, notes in self.notes.items()}

    def in_conflict(self, name: str) -> tuple[str, ...]:
        """The changes of equal rank that leave it open how a provision reads."""
        return tuple(a for c in self.conflicts if c.target.lstrip("@").split(".")[0] == name for a in c.changes)


@lru_cache(maxsize=1)
def provision_reader() -> TypeAdapter[AnyProvision]:
    """The validator of one provision of any kind."""
    return TypeAdapter(AnyProvision)


def provisions_in_force(
    base: Mapping[str, dict[str, Any]],
    changes: Iterable[Change],
    on: datetime,
    read: Callable[[str], Moment],
    is_known: Callable[[Change], bool],
    *,
    instruments: Mapping[str, Instrument] | None = None,
    came_true: Callable[[str, frozenset[str]], Moment | None] = lambda _text, _without: None,
    reading: str = PLAIN,
    kept: dict[Any, Composed] | None = None,
) -> InForce:
    """Apply the changes known and commenced at `on`, in order of effect, then making, then number.

    `base` maps ids to provisions as read from the file, in their order; `read` turns a written time into a Moment;
    `is_known` says whether a change was known; `came_true` when a condition on which a change waits first held, by `on`.
    Under a named `reading`, what that reading reads otherwise takes the place of the plain words.
    `kept` holds texts already composed from the same base, by the changes in them.
    Raises ChangeError where a change does not fit its target, and pydantic's ValidationError where one spoils the form of a
    provision.
    """
    timeline = Timeline(changes, on, Clock(read, is_known, came_true, instruments), base)
    live = timeline.live()
    conflicts = _conflicts(live)
    barred = {address for conflict in conflicts for address in conflict.changes}
    gone = {name: repeal.change.address for name in instruments or () if (repeal := timeline.instrument_repealed(name))}
    if kept is None:
        composed = _compose(base, live, barred, gone, read, reading)
    else:
        key = (id(base), reading, tuple((repr(entry.change), entry.since) for entry in live), tuple(gone.items()))
        if key not in kept:
            if len(kept) >= _MOST_KEPT:
                kept.clear()
            kept[key] = _compose(base, live, barred, gone, read, reading)
        composed = kept[key]
    text = composed.text
    suspended = _suspended(timeline, text, barred, read)
    ends = {s.ends for spans in suspended.values() for s in spans if s.ends is not None and s.ends <= on}
    return InForce(
        composed.provisions,
        text.repealed,
        {name: tuple(notes) for name, notes in text.notes.items()},
        tuple(a for a in timeline.applied() if a not in barred),
        conflicts,
        suspended,
        {text.find(name) or name: at for name, at in composed.since.items()},
        {name: found for name in instruments or () if (found := timeline.commencement_of(name)) is not None},
        tuple(sorted(ends | timeline.starts())),
    )


@dataclass(frozen=True, slots=True)
class Composed:
    """The text with the changes of one moment in it. It is shared by every question that has the same changes."""

    provisions: Provisions
    text: Text
    since: Mapping[str, datetime]


def _compose(
    base: Mapping[str, dict[str, Any]],
    live: Iterable[Live],
    barred: set[str],
    gone: Mapping[str, str],
    read: Callable[[str], Moment],
    reading: str,
) -> Composed:
    text = Text(base, read)
    since: dict[str, datetime] = {}
    said: set[tuple[datetime, datetime, str, str, str]] = set()
    for entry in live:
        same = (*entry.rank[:2], entry.change.op, entry.change.target, repr(entry.change.value))
        if entry.change.address not in barred and same not in said:
            text.apply(entry.change)
            if entry.change.op in _SETTING:
                # What two instruments of one day say alike is done once.
                said.add(same)
            if entry.change.op in ("add", "insert") and not entry.change.aim.path:
                since[entry.change.aim.name] = entry.since
    for name, raw in text.entries.items():
        if name in base and name not in text.repealed and raw.get("in") in gone:
            text.repealed[name] = gone[str(raw["in"])]
    reader = provision_reader()
    standing = {name: reader.validate_python(_as_read(raw, reading)) for name, raw in text.entries.items()}
    return Composed(Provisions(standing, text.renamed), text, since)


def _as_read(raw: dict[str, Any], reading: str) -> dict[str, Any]:
    """A provision with what one reading reads otherwise. Definitions keep their interpretations: they are read by item."""
    if reading == PLAIN or raw.get("kind") == "definition":
        return raw
    for entry in raw.get("interpretations", ()):
        if isinstance(entry, dict) and entry.get("reading") == reading:
            raw = {**raw, **{key: value for key, value in entry.items() if key not in ("reading", "text")}}
    return raw


def _conflicts(live: Iterable[Live]) -> tuple[Conflict, ...]:
    """Changes with the same effective and made dates that cannot both be meant."""
    found: dict[str, dict[str, None]] = {}
    ranked: dict[tuple[object, ...], list[Live]] = {}
    for entry in live:
        ranked.setdefault((entry.rank[0], entry.rank[1], entry.rank[4], entry.change.aim.name), []).append(entry)
    for group in ranked.values():
        for first, second in itertools.combinations(group, 2):
            if (target := _clash(first.change, second.change)) is not None:
                found.setdefault(target, {}).update({first.change.address: None, second.change.address: None})
    return tuple(Conflict(target, tuple(addresses)) for target, addresses in found.items())


def _clash(a: Change, b: Change) -> str | None:
    """The target on which two changes of equal rank clash, or None."""
    first, second = a.aim, b.aim
    if first == second:
        if a.op in _HELD and b.op in _HELD:
            return a.target if a.op != b.op else None
        if a.op == "interpret" == b.op and a.reading == b.reading:
            return a.target if _opposed(a.value, b.value) or _opposed(b.value, a.value) else None
        if a.in_ == b.in_ and {a.op, b.op} in ({"repeal", "add"}, {"renumber", "add"}):
            # Taken out or moved, and another put in its place, in the order of the numbers.
            return None
        if a.op in _SETTING and b.op in _SETTING:
            same = a.op == b.op and repr(a.value) == repr(b.value)
            return None if same else a.target
        return None
    if a.in_ == b.in_:
        # One instrument is read in the order of its numbers: first the whole is put in place, then a part of it is changed.
        return None
    for outer, inner in ((a, b), (b, a)):
        if inner.aim.within(outer.aim) and outer.op in _SETTING - {"add", "renumber"}:
            return outer.target
    return None


def _opposed(one: Any, other: Any) -> bool:
    taken = set(one.get("excludes", ())) if isinstance(one, dict) else set()
    given = set(other.get("includes", ())) if isinstance(other, dict) else set()
    return bool(taken & given)


def _suspended(
    timeline: Timeline, text: Text, barred: set[str], read: Callable[[str], Moment]
) -> dict[str, tuple[Suspension, ...]]:
    """The times during which each provision was suspended, up to now, oldest first."""
    out: dict[str, list[Suspension]] = {}
    for entry, undone in timeline.suspensions():
        change = entry.change
        name = text.find(change.aim.name)
        if name is None or change.address in barred:
            continue
        spans = out.setdefault(name, [])
        if change.op == "suspend":
            ends = [read(change.until).last + _INSTANT] if change.until else []
            ends += [undone] if undone is not None else []
            in_part = isinstance(change.value, dict) and bool(change.value.get("in_part"))
            spans.append(Suspension(entry.since, min(ends, default=None), change.address, in_part))
        elif undone is None:
            out[name] = [
                Suspension(s.starts, entry.since, s.by, s.in_part) if s.ends is None or s.ends > entry.since else s for s in spans
            ]
    return {name: tuple(s for s in spans if s.ends is None or s.ends > s.starts) for name, spans in out.items()}
