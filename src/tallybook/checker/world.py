"""The case at one instant: what stands, since when, and what every provision and claim is, worked out from the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tallybook.checker.changes import START_OF_TIME, receipts, received
from tallybook.checker.evaluate import Facts
from tallybook.checker.moments import first_held
from tallybook.checker.parse import parse
from tallybook.checker.provisions import Provisions
from tallybook.checker.rows import File

if TYPE_CHECKING:
    from tallybook.checker.methods import Account

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Start:
    """Since when a provision is in force (between two instants, where only the day is known), and by what.

    `kind`: date, condition, change, instrument or always.
    """

    first: datetime
    last: datetime
    reason: str
    kind: str

    @property
    def is_dated(self) -> bool:
        """Whether any day is known."""
        return self.kind != "always"


class World:
    """The books under one question. Whatever it works out it keeps; what is being worked out counts as nothing yet."""

    def __init__(
        self,
        file: File,
        on: datetime,
        reading: str,
        *,
        without: frozenset[str] = frozenset(),
        earlier: World | None = None,
    ) -> None:
        self.file, self.on, self.reading, self.without = file, on, reading, without
        self.provisions = Provisions(file, on, reading, self._came_true, without)
        self.facts: Facts = Facts(self.provisions, self, earlier.facts if earlier is not None else None)
        self.memo: dict[object, Any] = {}
        self.accounts: dict[tuple[str, datetime, str], Account] = earlier.accounts if earlier is not None else {}
        """The accounts that the explanation gives, by claim, instant and reading: the checker does not count anew."""

    def keep(self, key: object, meanwhile: T, make: Callable[[], T]) -> T:
        """The answer under a key; while it is being made, whoever asks gets `meanwhile`."""
        if key not in self.memo:
            self.memo[key] = meanwhile
            try:
                self.memo[key] = make()
            except BaseException:
                del self.memo[key]
                raise
        found: T = self.memo[key]
        return found

    def _other(self, key: object, on: datetime, reading: str, without: frozenset[str] | None = None) -> World:
        if key not in self.memo:
            self.memo[key] = World(self.file, on, reading, without=self.without if without is None else without, earlier=self)
        found: World = self.memo[key]
        return found

    def at(self, instant: datetime) -> World:
        """The same question about another instant."""
        return self if instant == self.on else self._other(("at", instant), instant, self.reading)

    def under(self, reading: str) -> World:
        """The same question under another reading."""
        return self if reading == self.reading else self._other(("under", reading), self.on, reading)

    def aside(self, key: object) -> World:
        """The same question, with its answers kept apart."""
        return self._other(("aside", key), self.on, self.reading)

    def _came_true(self, text: str, without: frozenset[str]) -> datetime | None:
        """When a condition on which a change waits first held, without that change."""
        if without & self.without:
            return None
        return self._other(("without", without), self.on, self.reading, self.without | without).first_held(text)

    def truth(self, text: str, at: datetime | None = None) -> str:
        """The truth of a condition. Raises CannotTellError."""
        return self.facts.truth(parse(text), self.on if at is None else at, {})

    # Since when.

    def begun(self, provision: Mapping[str, Any]) -> Start | None:
        """Since when a provision is in force; None where it is not, or not any longer."""
        raw = dict(provision)
        if not self.provisions.is_enacted(raw) or self.provisions.is_repealed(str(raw.get("id"))):
            return None
        if raw.get("until") and self.file.at(raw["until"]).last < self.on:
            return None
        starts: list[Start] = []
        if raw.get("from"):
            day = self.file.at(raw["from"])
            starts.append(Start(day.first, day.last, f"from {day.text}", "date"))
        if raw.get("kind") == "duty" and raw.get("in_force"):
            found = self._by_condition(str(raw["in_force"]))
            if found is None:
                return None
            starts.append(found)
        elif not starts:
            own = self._by_itself(raw)
            if own is None:
                return None
            starts += own
        if not starts:
            return Start(START_OF_TIME, START_OF_TIME, "always", "always")
        latest = max(starts, key=lambda start: start.last)
        return latest if latest.last <= self.on else None

    def _by_condition(self, text: str) -> Start | None:
        first = self.first_held(text)
        if first is None or first > self.on:
            return None
        earlier = [at for at in self.facts.changes(None, first) if at < first]
        # A day on record may be any instant in it.
        unsure = bool(earlier) and self.truth(text, earlier[-1]) == "unknown"
        return Start(earlier[-1] if unsure else first, first, text, "condition")

    def _by_itself(self, raw: Mapping[str, Any]) -> list[Start] | None:
        """With the change that added it, or with its instrument; None where that has not taken effect."""
        added = self.provisions.since.get(str(raw.get("id")))
        if added is not None:
            return [Start(added, added, f"made {self.show(added)}", "change")]
        if raw.get("in") is None:
            return []
        name = str(raw["in"])
        effective = self.provisions.history.commencement(name)
        if effective is None:
            made = self.file.entry("instruments", name).get("made")
            if not made:
                return []
            day = self.file.at(made)
            return [Start(day.first, day.last, f"made {day.text}", "instrument")]
        if effective == "none":
            return None
        if isinstance(effective, dict):
            text = str(effective.get("when"))
            came = self.first_held(text)
            return None if came is None else [Start(came, came, f"{text} since {self.show(came)}", "instrument")]
        if effective == "on receipt":
            return self._on_receipt(name)
        day = self.file.at(effective)
        return [Start(day.first, day.last, f"in effect from {day.text}", "instrument")]

    def _on_receipt(self, name: str) -> list[Start] | None:
        if received(self.file, name) is None:
            return None
        last = max((self.file.at(day) for day in receipts(self.file, name).values()), key=lambda day: day.last)
        return [Start(last.first, last.last, f"received {last.text}", "instrument")]

    def show(self, at: datetime) -> str:
        """An instant in the time zone of the case, to the second."""
        return at.astimezone(self.file.tz).isoformat(timespec="seconds")

    def first_held(self, text: str) -> datetime | None:
        """The first instant at which a condition held. Raises CannotTellError."""
        return first_held(self, text)

    # What conditions ask for.

    def is_status(self, word: str, reference: str, at: datetime) -> str:
        """The truth of a status word at an instant. Raises CannotTellError."""
        return self.stands(word, reference, at)[0]

    def stands(self, word: str, reference: str, at: datetime) -> tuple[str, list[str] | None]:
        """The truth of a status word, and what the provision or claim is said to be (None: told in other words)."""
        from tallybook.checker.statuses import stands

        key = ("stands", word, reference, at)
        if key not in self.memo:
            self.memo[key] = stands(self.at(at), word, reference)
        found: tuple[str, list[str] | None] = self.memo[key]
        return found

    def has_value(self, reference: str, at: datetime) -> str | float | None:
        """The value of a definition, with the exceptions to it; None where it is not settled."""
        from tallybook.checker.values import value_of

        there = self.at(at)
        definition = there.provisions.get(reference.removeprefix("@"))
        if definition is None or definition.get("kind") != "definition":
            return None
        return value_of(there, definition).value

    def exceptions(self) -> list[tuple[dict[str, Any], set[str]]]:
        """Every exception in force, with the ids of what it is an exception to."""

        def make() -> list[tuple[dict[str, Any], set[str]]]:
            listed = [(p, self.provisions.names(p.get("to"))) for p in self.provisions.of_kind("exception")]
            return [(p, to) for p, to in listed if self.begun(p) is not None]

        return self.keep("exceptions", [], make)


def truth_of(value: bool) -> str:
    """A boolean as a truth."""
    return "true" if value else "false"
