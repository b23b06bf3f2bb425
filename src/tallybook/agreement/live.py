"""Which changes are in effect at an instant, in what form, and in what order.

A change may itself be changed: repealed (which restores what it had changed, from the repeal's own day on), corrected,
replaced, suspended, or moved to another day. The repeal of a whole instrument undoes nothing that has taken effect.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from tallybook.agreement.amendment import NOT_YET, ON_RECEIPT, Change, Commencement, Effective, Target
from tallybook.agreement.provision import Instrument
from tallybook.core.time import Moment

DEEPEST = 100
EARLIEST = datetime.min.replace(tzinfo=UTC)


class ChangeError(ValueError):
    """A change that cannot be applied; the message begins with its address and says why."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How times and triggers are read.

    `read` turns a written time into a Moment; `came_true` says when a condition first held, up to the instant asked about,
    without the changes named; `instruments` gives dates of receipt and of commencement.
    """

    read: Callable[[str], Moment]
    is_known: Callable[[Change], bool]
    came_true: Callable[[str, frozenset[str]], Moment | None] = lambda _text, _without: None
    instruments: Mapping[str, Instrument] | None = None

    def instrument(self, name: str) -> Instrument | None:
        """The instrument of that id."""
        return (self.instruments or {}).get(name)

    def received(self, name: str) -> Moment | None:
        """When the last of those addressed had received an instrument; None while one of them has not, or none is on record."""
        instrument = self.instrument(name)
        if instrument is None or not instrument.received:
            return None
        dates = instrument.received
        if any(party not in dates for party in instrument.to):
            return None
        return max((self.read(text) for text in dates.values()), key=lambda m: m.last)


Rank = tuple[datetime, datetime, str, int, int]
"""The order of changes: effective, made, instrument, number; a correction comes straight after the words that it corrects."""


@dataclass(frozen=True, slots=True)
class Live:
    """A change in effect, in its present form. `since` is when it took effect; `rank` orders it."""

    change: Change
    since: datetime
    rank: Rank


class Timeline:
    """The changes known, as they stand at one instant."""

    def __init__(self, changes: Iterable[Change], on: datetime, clock: Clock, base: Container[str] = ()) -> None:
        self._on, self._clock, self._base = on, clock, base
        self._known = [c for c in changes if clock.is_known(c)]
        self._aims: dict[str, Target] = {c.address: c.aim for c in self._known}
        self._about: dict[str, list[Change]] = {}
        for c in sorted(self._known, key=lambda c: (clock.read(c.made).last, c.in_, c.n)):
            aim = self._aims[c.address]
            name = aim.address or (aim.name if self._is_instrument(aim) else None)
            if name is not None:
                self._about.setdefault(name, []).append(c)
        self._forms: dict[str, Change] = {}
        self._starts: dict[str, datetime | None] = {}
        self._undone: dict[str, datetime | None] = {}
        self._live: dict[str, bool] = {}
        self._busy: set[str] = set()

    def _is_instrument(self, aim: Target) -> bool:
        return aim.n is None and not aim.path and self._clock.instrument(aim.name) is not None

    def live(self) -> list[Live]:
        """Every change in effect that is about provisions, in the order in which they apply."""
        found = [self._as_live(c) for c in self._known if not self._is_about_changes(c) and self.is_live(c)]
        return sorted(found, key=lambda entry: entry.rank)

    def _is_about_changes(self, change: Change) -> bool:
        aim = self._aims[change.address]
        return aim.n is not None or self._is_instrument(aim)

    def _as_live(self, change: Change) -> Live:
        form = self.form(change)
        return Live(form, self.start(change) or EARLIEST, self.rank(change))

    def applied(self) -> list[str]:
        """The address of every change in effect, those about changes included."""
        return [c.address for c in sorted(self._known, key=self.rank) if self.is_live(c)]

    def starts(self) -> set[datetime]:
        """Every instant up to now at which a change took effect, those since undone included."""
        found = {self.start(c) for c in self._known}
        return {at for at in found if at is not None and EARLIEST < at <= self._on}

    def rank(self, change: Change) -> Rank:
        """Where a change stands in the order."""
        form = self.form(change)
        made = self._clock.read(form.made).last
        corrected = self._corrected(form) if form.op == "correct" and form.effective is None else None
        if corrected is not None:
            effective, first, instrument, n, after = self.rank(corrected)
            return effective, first, instrument, n, after + 1
        start = self.start(change)
        if form.op == "correct" and form.effective is None:
            return EARLIEST, EARLIEST, form.in_, form.n, 0
        return start or EARLIEST, made, form.in_, form.n, 0

    def is_live(self, change: Change) -> bool:
        """Whether a change is in effect."""
        name = change.address
        if name not in self._live:
            start = self.start(change)
            begun = start is not None and start <= self._on
            self._live[name] = begun and self.undone_at(change) is None and not self._is_held(change)
        return self._live[name]

    def undone_at(self, change: Change) -> datetime | None:
        """Since when a change is undone by a repeal of it, or None."""
        if change.address in self._undone:
            return self._undone[change.address]
        with self._guard(change.address, "undone"):
            ends = [
                start
                for other in self._about.get(change.address, ())
                if other.op == "repeal" and not self._aims[other.address].path and self.is_live(other)
                if (start := self.start(other)) is not None
            ]
        self._undone[change.address] = min(ends, default=None)
        return self._undone[change.address]

    def instrument_repealed(self, name: str) -> Live | None:
        """The repeal of a whole instrument that is in effect, or None."""
        found = [c for c in self._about.get(name, ()) if c.op == "repeal" and self.is_live(c)]
        return self._as_live(found[0]) if found else None

    def suspensions(self) -> list[tuple[Live, datetime | None]]:
        """Every suspension of provisions up to now, with the instant at which a repeal of it ended it (None: not repealed)."""
        out = []
        for change in self._known:
            start = self.start(change)
            if change.op in ("suspend", "resume") and not self._is_about_changes(change) and start and start <= self._on:
                out.append((self._as_live(change), self.undone_at(change)))
        return sorted(out, key=lambda pair: pair[0].rank)

    def _is_held(self, change: Change) -> bool:
        """Whether a change is itself suspended."""
        about = [c for c in self._about.get(change.address, ()) if c.op in ("suspend", "resume") and self.is_live(c)]
        if not about:
            return False
        latest = max(about, key=self.rank)
        over = latest.until is not None and self._clock.read(latest.until).last < self._on
        return latest.op == "suspend" and not over

    def form(self, change: Change) -> Change:
        """A change as corrected, replaced or moved by others in effect. Raises ChangeError for what does not fit."""
        if change.address in self._forms:
            return self._forms[change.address]
        form = change
        with self._guard(change.address, "form"):
            about = [c for c in self._about.get(change.address, ()) if c.op in ("correct", "replace", "postpone")]
            for other in sorted((c for c in about if self.is_live(c)), key=self.rank):
                form = _altered(form, self.form(other), self._aims[other.address].path)
        self._forms[change.address] = form
        return form

    def start(self, change: Change) -> datetime | None:
        """When a change takes effect: an instant, or None where it has not (yet)."""
        name = change.address
        if name not in self._starts:
            with self._guard(name, "start"):
                self._starts[name] = self._start(self.form(change))
        return self._starts[name]

    def _start(self, form: Change) -> datetime | None:
        if form.op == "correct" and form.effective is None:
            corrected = self._corrected(form)
            return self.start(corrected) if corrected is not None else EARLIEST
        start = self._commencement(form.effective, form)
        gone = self.instrument_repealed(form.in_) if form.in_ in self._about else None
        if gone is not None and start is not None and start > gone.since:
            return None
        return start

    def _commencement(self, effective: Effective | None, form: Change) -> datetime | None:
        if effective is None:
            effective = self.commencement_of(form.in_) or form.made
        if isinstance(effective, Commencement):
            moment = self._clock.came_true(effective.when, frozenset({form.address}))
            return moment.last if moment is not None else None
        if effective == NOT_YET:
            return None
        if effective == ON_RECEIPT:
            moment = self._clock.received(form.in_)
            return moment.last if moment is not None else None
        return self._clock.read(effective).last

    def commencement_of(self, name: str) -> Effective | None:
        """When an instrument says that it takes effect, as moved by later changes; None: when it was made."""
        instrument = self._clock.instrument(name)
        found = instrument.effective if instrument is not None else None
        for other in self._about.get(name, ()):
            if other.op == "postpone" and self.is_live(other):
                found = _effective(self.form(other))
        return found

    def _corrected(self, form: Change) -> Change | None:
        """The change that put in the provision whose words a correction corrects; None for one written from the first."""
        name = form.aim.name
        if name in self._base:
            return None
        added = [c for c in self._known if c.op in ("add", "insert") and self._aims[c.address] == Target(name, None, ())]
        return min((c for c in added if c.address != form.address), key=self.rank, default=None)

    def _guard(self, address: str, what: str) -> _Guard:
        return _Guard(self._busy, f"{what} {address}", address)


class _Guard:
    """Refuses changes that change each other in a circle."""

    def __init__(self, busy: set[str], key: str, address: str) -> None:
        self._busy, self._key, self._address = busy, key, address

    def __enter__(self) -> None:
        if self._key in self._busy:
            raise ChangeError(f"{self._address} changes, through others, itself")
        if len(self._busy) >= DEEPEST:
            raise ChangeError(f"{self._address} stands in a chain of more than {DEEPEST // 2} changes of changes")
        self._busy.add(self._key)

    def __exit__(self, *_: object) -> None:
        self._busy.discard(self._key)


def _effective(form: Change) -> Effective:
    value = form.value
    return Commencement(when=value["when"]) if isinstance(value, dict) else str(value)


def _altered(form: Change, other: Change, path: tuple[str, ...]) -> Change:
    raw: dict[str, Any] = form.model_dump(by_alias=True, exclude_unset=True)
    if other.op == "postpone":
        value = other.value
        raw["effective"] = value if isinstance(value, dict) else str(value)
    elif path:
        node: Any = raw
        for part in path[:-1]:
            node = node.get(part) if isinstance(node, dict) else None
        if not isinstance(node, dict) or path[-1] not in node:
            raise ChangeError(f"{other.address}: nothing is called {'.'.join(path)!r} in {form.address}")
        node[path[-1]] = other.value
    elif isinstance(other.value, dict) and set(other.value) <= set(Change.model_fields) - {"in_", "n", "made"}:
        raw.update(other.value)
    else:
        raise ChangeError(f"{other.address}: {other.op} of a change takes its keys anew, such as {{value: ...}}")
    try:
        return Change.model_validate(raw)
    except ValidationError as error:
        raise ChangeError(f"{other.address} leaves {form.address} without its form: {error.errors()[0]['msg']}") from error
