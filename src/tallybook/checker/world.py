"""The case at one instant: what stands, since when, and what every provision and claim is, worked out from the books."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tallybook.checker.changes import START_OF_TIME, received
from tallybook.checker.evaluate import Facts
from tallybook.checker.parse import parse
from tallybook.checker.provisions import Provisions
from tallybook.checker.rows import File

if TYPE_CHECKING:
    from tallybook.checker.methods import Account

T = TypeVar("T")
VERDICT_WORDS = frozenset(
    {
        "no-evidence",
        "claimed",
        "indicated",
        "supported",
        "verified",
        "unclear",
        "disputed",
        "contradicted",
        "unverified",
    }
)


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
        self.facts = Facts(self.provisions, self, earlier.facts if earlier is not None else None)
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
        days = self.file.entry("instruments", name).get("received") or {}
        last = max((self.file.at(day) for day in days.values()), key=lambda day: day.last)
        return [Start(last.first, last.last, f"received {last.text}", "instrument")]

    def show(self, at: datetime) -> str:
        """An instant in the time zone of the case, to the second."""
        return at.astimezone(self.file.tz).isoformat(timespec="seconds")

    # When conditions hold.

    def marks(self) -> list[datetime]:
        """Every instant up to now at which something on record may change, and now."""
        return [*self.facts.changes(None, self.on), self.on]

    def _marks_of(self, text: str) -> tuple[list[datetime], bool]:
        from tallybook.checker.deadlines import turning_points

        marks = set(self.marks())
        asks = False
        for part in parse(text).walk():
            if part.kind in ("status", "value"):
                reference = part.given[1] if part.kind == "status" else part.given[0]
                asks = asks or (part.kind == "status" and part.given[0] in VERDICT_WORDS)
                provision = self.provisions.get(_name(reference))
                if provision is not None and provision.get("kind") == "duty":
                    marks |= set(turning_points(self, provision))
        if asks:
            marks |= self._edges()
        return sorted(at for at in marks if at <= self.on), asks

    def _edges(self) -> set[datetime]:
        found = {at for row in self.file.rows.values() for at in (row.starts.last, row.ends.last) if at <= self.on}
        return found | set(self.facts.changes(None, self.on))

    def first_held(self, text: str) -> datetime | None:
        """The first instant at which a condition held. One that asks for verdicts is taken to go on holding."""

        def make() -> datetime | None:
            marks, asks = self._marks_of(text)
            if not asks:
                return next((at for at in marks if self.truth(text, at) == "true"), None)
            if self.truth(text) != "true":
                return None
            return _first_of(marks, lambda at: self.truth(text, at) == "true")

        key = ("first held", text)
        if key not in self.memo:
            self.memo[key] = make()
        found: datetime | None = self.memo[key]
        return found

    def first_after(self, text: str, start: datetime) -> datetime | None:
        """The first instant after `start` at which a condition does not hold."""
        marks, asks = self._marks_of(text)
        later = [at for at in marks if at > start]
        if not asks:
            return next((at for at in later if self.truth(text, at) != "true"), None)
        if not later or self.truth(text) == "true":
            return None
        return _first_of(later, lambda at: self.truth(text, at) != "true")

    def turned_false(self, text: str, start: datetime, also: Iterable[datetime]) -> Iterable[datetime]:
        """The instants after `start` at which a condition is false, once it has become so after it was not."""
        marks, _ = self._marks_of(text)
        before = self.truth(text, start) if start <= self.on else "unknown"
        turned = False
        for at in sorted({*marks, *(at for at in also if at <= self.on)}):
            if at <= start:
                continue
            now = self.truth(text, at)
            turned = turned or (now == "false" and before != "false")
            if turned and now == "false":
                yield at
            before = now

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


def _name(reference: str) -> str:
    return reference.removeprefix("@").split(".")[0]


def _first_of(marks: list[datetime], holds: Callable[[datetime], bool]) -> datetime:
    """The first instant at which something holds that goes on holding; it holds at the last."""
    low, high = -1, len(marks) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(marks[middle]) else (middle, high)
    return marks[high]


def truth_of(value: bool) -> str:
    """A boolean as a truth."""
    return "true" if value else "false"
