"""Which changes are in effect at an instant, in what form and in what order: changes may themselves be changed."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from tallybook.checker.rows import File, mapping, words

DEEPEST = 100
START_OF_TIME = datetime.min.replace(tzinfo=UTC)
_SWITCHES = ("suspend", "resume")
_FORMERS = ("correct", "replace", "postpone")


class MisfitError(ValueError):
    """Changes that cannot be put together; the message says which."""


class CannotTellError(Exception):
    """What stands cannot be told: it waits for a verdict that the checker does not work out."""


Rank: TypeAlias = tuple[datetime, datetime, str, int, int]
CameTrue: TypeAlias = Callable[[str, frozenset[str]], datetime | None]


def address(raw: Mapping[str, Any]) -> str:
    """The address of a change, `INSTRUMENT#n`."""
    return f"{raw.get('in')}#{raw.get('n')}"


def target(raw: Mapping[str, Any]) -> tuple[str, int | None, tuple[str, ...]]:
    """What a change is about: a name, the number of a change of that name, a path inside it."""
    head, *path = str(raw.get("target", "")).removeprefix("@").split(".")
    name, _, number = head.partition("#")
    return name, int(number) if number else None, tuple(path)


def as_time(value: Any) -> Any:
    """When something takes effect, as written: a date, `on receipt`, `none`, or a condition in a mapping."""
    return value if value is None or isinstance(value, dict) else str(value)


@dataclass(frozen=True, slots=True)
class Entry:
    """A change in effect: its present form, since when, and its place in the order."""

    raw: Mapping[str, Any]
    since: datetime
    rank: Rank

    @property
    def op(self) -> str:
        """What it does."""
        return str(self.raw.get("op"))


class History:
    """The changes known, as they stand at one instant. Raises MisfitError where they cannot be put together."""

    def __init__(self, file: File, on: datetime, came_true: CameTrue, without: frozenset[str] = frozenset()) -> None:
        self._file, self._on, self._came_true = file, on, came_true
        self._instruments = mapping(file.agreement.get("instruments"))
        self._base = {str(p.get("id")) for p in file.listed("provisions")}
        self.known = [raw for raw in file.listed("changes") if address(raw) not in without and self._is_known(raw)]
        self._by_target: dict[str, list[dict[str, Any]]] = {}
        for raw in sorted(self.known, key=lambda raw: (self._made(raw), str(raw.get("in")), int(raw.get("n") or 0))):
            if (about := self._about(raw)) is not None:
                self._by_target.setdefault(about, []).append(raw)
        self._starts: dict[str, datetime | None] = {}
        self._forms: dict[str, dict[str, Any]] = {}
        self._open: set[str] = set()
        self.doubtful: set[str] = set()
        """Addresses of changes of which it cannot be told whether they have commenced."""

    def _is_known(self, raw: Mapping[str, Any]) -> bool:
        if not self._file.is_known(raw.get("known") or raw.get("made")):
            return False
        return all(row in self._file.rows for row in words(raw.get("recorded_by")))

    def _made(self, raw: Mapping[str, Any]) -> datetime:
        return self._file.at(raw.get("made")).last

    def _about(self, raw: Mapping[str, Any]) -> str | None:
        """The change or the instrument that a change is about; None for one about a provision."""
        name, number, path = target(raw)
        if number is not None:
            return f"{name}#{number}"
        return name if not path and name in self._instruments else None

    def _others(self, name: str, *ops: str) -> list[dict[str, Any]]:
        return [raw for raw in self._by_target.get(name, ()) if raw.get("op") in ops and self.is_live(raw)]

    def entries(self) -> list[Entry]:
        """Every change of provisions in effect, in the order in which they apply."""
        found = [self._entry(raw) for raw in self.known if self._about(raw) is None and self.is_live(raw)]
        return sorted(found, key=lambda entry: entry.rank)

    def applied(self) -> list[str]:
        """The address of every change in effect, those of changes and instruments included."""
        return [address(raw) for raw in sorted(self.known, key=self.rank) if self.is_live(raw)]

    def starts(self) -> set[datetime]:
        """Every instant up to now at which a change took effect, those since undone included."""
        found = {self.start(raw) for raw in self.known}
        return {at for at in found if at is not None and START_OF_TIME < at <= self._on}

    def switches(self) -> list[tuple[Entry, datetime | None]]:
        """Every suspension and resumption of a provision up to now, with when it was undone, in order."""
        found = []
        for raw in self.known:
            start = self.start(raw)
            if raw.get("op") in _SWITCHES and self._about(raw) is None and start is not None and start <= self._on:
                found.append((self._entry(raw), self.undone(raw)))
        return sorted(found, key=lambda pair: pair[0].rank)

    def _entry(self, raw: dict[str, Any]) -> Entry:
        return Entry(self.form(raw), self.start(raw) or START_OF_TIME, self.rank(raw))

    def is_live(self, raw: dict[str, Any]) -> bool:
        """Whether a change has taken effect, and is neither undone nor suspended."""
        start = self.start(raw)
        return start is not None and start <= self._on and self.undone(raw) is None and not self._stopped(raw)

    def undone(self, raw: dict[str, Any]) -> datetime | None:
        """Since when a change is repealed."""
        with self._once(raw, "undone"):
            repeals = [other for other in self._others(address(raw), "repeal") if not target(other)[2]]
            return min((at for other in repeals if (at := self.start(other)) is not None), default=None)

    def _stopped(self, raw: dict[str, Any]) -> bool:
        last = max(self._others(address(raw), *_SWITCHES), key=self.rank, default=None)
        if last is None or last.get("op") == "resume":
            return False
        return not (last.get("until") and self._file.at(last["until"]).last < self._on)

    def form(self, raw: dict[str, Any]) -> dict[str, Any]:
        """A change as others have corrected, replaced or moved it."""
        name = address(raw)
        if name not in self._forms:
            form = copy.deepcopy(raw)
            with self._once(raw, "form"):
                for other in sorted(self._others(name, *_FORMERS), key=self.rank):
                    form = _reformed(form, self.form(other), target(other)[2])
            self._forms[name] = form
        return self._forms[name]

    def start(self, raw: dict[str, Any]) -> datetime | None:
        """When a change takes effect; None where it has not yet, or never will."""
        name = address(raw)
        if name not in self._starts:
            with self._once(raw, "start"):
                self._starts[name] = self._started(self.form(raw))
        return self._starts[name]

    def _started(self, form: dict[str, Any]) -> datetime | None:
        if _corrects_from_the_first(form):
            corrected = self._added(form)
            return START_OF_TIME if corrected is None else self.start(corrected)
        effective = as_time(form.get("effective"))
        if effective is None:
            effective = self.commencement(str(form.get("in"))) or str(form.get("made"))
        start = self._instant(effective, form)
        gone = self.repeal_of(str(form.get("in")))
        return None if gone is not None and start is not None and start > gone.since else start

    def _instant(self, effective: Any, form: dict[str, Any]) -> datetime | None:
        if isinstance(effective, dict):
            try:
                return self._came_true(str(effective.get("when")), frozenset({address(form)}))
            except CannotTellError:
                self.doubtful.add(address(form))
                return None
        if effective == "none":
            return None
        if effective == "on receipt":
            return received(self._file, str(form.get("in")))
        return self._file.at(effective).last

    def commencement(self, instrument: str) -> Any:
        """When an instrument says that it takes effect, as later changes moved it; None: when it was made."""
        found = as_time(mapping(self._instruments.get(instrument)).get("effective"))
        for other in self._others(instrument, "postpone"):
            found = as_time(self.form(other).get("value"))
        return found

    def repeal_of(self, instrument: str) -> Entry | None:
        """The repeal of a whole instrument that is in effect."""
        if instrument not in self._instruments:
            return None
        return next((self._entry(raw) for raw in self._others(instrument, "repeal")), None)

    def rank(self, raw: dict[str, Any]) -> Rank:
        """The order: effective, made, instrument, number; a correction comes straight after the words that it corrects."""
        form = self.form(raw)
        own = str(form.get("in")), int(form.get("n") or 0)
        if _corrects_from_the_first(form):
            corrected = self._added(form)
            if corrected is None:
                return START_OF_TIME, START_OF_TIME, *own, 0
            *first, after = self.rank(corrected)
            return (*first, after + 1)  # type: ignore[return-value]
        return self.start(raw) or START_OF_TIME, self._made(form), *own, 0

    def _added(self, form: dict[str, Any]) -> dict[str, Any] | None:
        """The change that put in the provision that a correction is about; None for one written from the first."""
        name = target(form)[0]
        if name in self._base:
            return None
        added = [raw for raw in self.known if raw.get("op") in ("add", "insert") and target(raw) == (name, None, ())]
        return min((raw for raw in added if address(raw) != address(form)), key=self.rank, default=None)

    def _once(self, raw: Mapping[str, Any], what: str) -> _Once:
        return _Once(self._open, f"{what} of {address(raw)}")


class _Once:
    """Refuses to work out what is being worked out: changes that change each other in a circle."""

    def __init__(self, open_: set[str], key: str) -> None:
        self._open, self._key = open_, key

    def __enter__(self) -> None:
        if self._key in self._open:
            raise MisfitError(f"the {self._key} depends on itself")
        if len(self._open) >= DEEPEST:
            raise MisfitError(f"the {self._key} stands in too long a chain of changes of changes")
        self._open.add(self._key)

    def __exit__(self, *_: object) -> None:
        self._open.discard(self._key)


def _corrects_from_the_first(form: Mapping[str, Any]) -> bool:
    return form.get("op") == "correct" and form.get("effective") is None


def received(file: File, instrument: str) -> datetime | None:
    """When the last of those addressed had received an instrument, as known; None while one of them has not."""
    entry = file.entry("instruments", instrument)
    dates = receipts(file, instrument)
    if not dates or any(party not in dates for party in words(entry.get("to"))):
        return None
    return max(file.at(day).last for day in dates.values())


def receipts(file: File, instrument: str) -> dict[str, Any]:
    """Who had received an instrument, and when, as far as that was known."""
    dates = mapping(file.entry("instruments", instrument).get("received"))
    return {party: day for party, day in dates.items() if file.is_known(day)}


def _reformed(form: dict[str, Any], other: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    value = copy.deepcopy(other.get("value"))
    if other.get("op") == "postpone":
        return {**form, "effective": as_time(value)}
    if path:
        holder: Any = form
        for name in path[:-1]:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or path[-1] not in holder:
            raise MisfitError(f"{address(other)}: no {'.'.join(path)} in {address(form)}")
        holder[path[-1]] = value
        return form
    if not isinstance(value, dict) or {"in", "n", "made"} & set(value):
        raise MisfitError(f"{address(other)} does not give the keys of {address(form)} anew")
    return {**form, **value}


def is_date(text: object) -> bool:
    """Whether something begins as a date does."""
    return re.match(r"\d{4}", str(text)) is not None


def same_day(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Changes grouped by when they take effect, when they were made, and what they are about."""
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((*entry.rank[:2], entry.rank[4], target(entry.raw)[0]), []).append(entry)
    return list(groups.values())
