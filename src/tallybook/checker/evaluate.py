"""Conditions evaluated anew from the books: strong Kleene, windows closed at both ends, `since` includes now."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

from tallybook.checker.changes import CannotTellError
from tallybook.checker.parse import ParseError, Part, atom_text, bound, bound_args, parse
from tallybook.checker.provisions import AGREEMENT, Provisions
from tallybook.checker.rows import Row, mapping, words
from tallybook.checker.tables import conjunction, disjunction, negation
from tallybook.core.time import Moment, Span, shifted, span

_BLUR = timedelta(days=5)
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Fact:
    """An event or state on record, from `starts` until just before `ends`, with the rows or quotations that record it."""

    atom: str
    value: bool
    starts: Moment
    ends: Moment | None
    number: float | None
    sources: tuple[tuple[str, str], ...]

    def says(self, at: datetime) -> str | None:
        """What it says of an instant: true, false, unknown (at some time of that day), or None where it says nothing."""
        if self.starts.last <= at and (self.ends is None or at < self.ends.last):
            return "true" if self.value else "false"
        if self.ends is not None and self.ends.last <= at:
            return "false" if self.value else "true"
        return "unknown" if self.starts.first <= at else None


@dataclass(frozen=True, slots=True)
class Look:
    """An instant looked at; `between` stands for all of the time between two changes."""

    at: datetime
    between: bool


def length(text: str) -> Span:
    """An end of a window: days and weeks are elapsed time, months and years go by the calendar."""
    found = span(text)
    return Span(found.months, 0, found.rest + timedelta(days=found.days))


def delays(part: Part) -> frozenset[Span]:
    """How long after a change on record a part may change."""
    inner = [delays(child) for child in part.parts] or [frozenset({Span()})]
    every = frozenset(delay for found in inner for delay in found)
    if part.kind not in ("once", "always", "since"):
        return every
    near, far = length(part.given[0]), None if part.given[1] == ".." else length(part.given[1])
    ends = {near} if far is None else {near, far}
    behind = frozenset(delay + end for delay in inner[-1] for end in ends)
    return behind if part.kind != "since" else every | behind


class Judge(Protocol):
    """Who can tell what a provision or claim is, and what a definition comes to. Raises CannotTellError."""

    def is_status(self, word: str, reference: str, at: datetime) -> str:
        """The truth of a status word at an instant."""
        ...

    def has_value(self, reference: str, at: datetime) -> str | float | None:
        """The value of a definition at an instant; None where it is not settled."""
        ...


class Facts:
    """Events, states and measures on record, as known. `judge` tells what statuses and values conditions ask for."""

    def __init__(self, provisions: Provisions, judge: Judge | None = None, earlier: Facts | None = None) -> None:
        self.provisions, self.file, self.judge = provisions, provisions.file, judge
        if earlier is not None:
            # What is on record does not depend on the instant asked about.
            self.__dict__.update(on_record=earlier.on_record, marks=earlier.marks, measures=earlier.measures)

    @cached_property
    def on_record(self) -> dict[str, list[Fact]]:
        """Everything on record, by event."""
        out: dict[str, list[Fact]] = {}
        for fact in [*self._stated(), *self._of_instruments()]:
            out.setdefault(fact.atom, []).append(fact)
        return out

    def _stated(self) -> Iterator[Fact]:
        for raw in self.file.listed("facts"):
            rows = words(raw.get("recorded_by"))
            if not self.file.is_known(raw.get("known") or raw.get("from")) or any(row not in self.file.rows for row in rows):
                continue
            ends = self.file.at(raw["until"]) if raw.get("until") else None
            if ends is not None and self.file.known is not None and ends.last > self.file.known:
                ends = None
            sources = [("report", row) for row in rows] + self.provisions.quoted(raw.get("text"))
            number = None if raw.get("number") is None else float(raw["number"])
            atom = self._normal(str(raw.get("atom")))
            value = bool(raw.get("value", True))
            yield Fact(atom, value, self.file.at(raw.get("from")), ends, number, tuple(sources))

    def _of_instruments(self) -> Iterator[Fact]:
        for name, raw in mapping(self.file.agreement.get("instruments")).items():
            own = ((AGREEMENT, str(raw.get("name"))),)
            made = raw.get("made")
            if raw.get("accepts") and made and self.file.is_known(raw.get("known") or made):
                atom = atom_text("accepted", (("0", str(raw["accepts"])), ("by", name)))
                yield Fact(atom, True, self.file.at(made), None, None, own)
            for party, day in mapping(raw.get("received")).items():
                if self.file.is_known(day):
                    yield Fact(atom_text("received", (("0", name), ("by", party))), True, self.file.at(day), None, None, own)

    @staticmethod
    def _normal(text: str) -> str:
        try:
            return bound(parse(text), {})
        except ParseError:
            return text

    @cached_property
    def measures(self) -> dict[str, list[Row]]:
        """The rows of each measure, the oldest first."""
        found: dict[str, list[Row]] = {}
        for row in sorted(self.file.rows.values(), key=lambda r: (r.starts.last, r.known.last, r.id)):
            if row.measure:
                found.setdefault(row.measure, []).append(row)
        return found

    def states(self, name: str, at: datetime) -> list[Row]:
        """The rows of a measure that had begun by an instant, the oldest first."""
        return [row for row in self.measures.get(name, ()) if row.starts.last <= at]

    def measure(self, name: str, at: datetime) -> Row | None:
        """The row of the state that a measure is in."""
        return next(reversed(self.states(name, at)), None)

    def state(self, row: Row, at: datetime) -> str:
        """The state that a row records, or `ended` where it has run out."""
        until = self.file.at(row["to"]) if row["to"] else None
        limit = at if self.file.known is None else min(at, self.file.known)
        return "ended" if until is not None and until.last <= limit else row.state

    def grounds(self, part: Part, scope: dict[str, str]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        """The states of the agreement that an event may rest on, with what their variables stand for."""
        given = bound_args(part, scope)
        for raw in self.file.listed("states"):
            pattern = parse(str(raw.get("atom")))
            matched: dict[str, str] = {}
            fits = pattern.given == part.given and [key for key, _ in pattern.args] == [key for key, _ in given]
            if fits and all(
                matched.setdefault(wanted, found) == found if wanted.startswith("?") else wanted == found
                for (_, wanted), (_, found) in zip(pattern.args, given, strict=True)
            ):
                yield raw, matched

    @cached_property
    def marks(self) -> list[datetime]:
        """Every instant at which anything on record may change."""
        marks: set[datetime] = set()
        for facts in self.on_record.values():
            for fact in facts:
                marks |= {edge for moment in (fact.starts, fact.ends) if moment for edge in (moment.first, moment.last)}
        for row in self.file.rows.values():
            if row.measure:
                marks.add(row.starts.last)
                if row["to"] and self.file.is_known(row["to"]):
                    marks.add(self.file.at(row["to"]).last)
        return sorted(marks)

    def changes(self, start: datetime | None, end: datetime) -> list[datetime]:
        """Those in [start, end]."""
        first = 0 if start is None else bisect_left(self.marks, start)
        return self.marks[first : bisect_right(self.marks, end)]

    def looks(self, kinds: frozenset[Span], start: datetime | None, end: datetime, *edges: datetime) -> list[Look]:
        """Instants of [start, end], newest first, that between them show every value that a part takes there."""
        tz = self.file.tz
        oldest = None if start is None else shifted(min(delay.before(start, tz) for delay in kinds), -_BLUR)
        changes = self.changes(oldest, end)
        marks = {mark for change in changes for delay in kinds for mark in delay.felt(change, tz)} | {end, *edges}
        marks |= {start} if start is not None else set(changes[:1])
        ordered = sorted(m for m in marks if m <= end and (start is None or m >= start))
        found = [Look(at, between=False) for at in ordered]
        found += [Look(a + (b - a) / 2, between=True) for a, b in pairwise(ordered)]
        return sorted(found, key=lambda look: look.at, reverse=True)

    def holds(self, part: Part, at: datetime, scope: dict[str, str], depth: int = 0) -> str:
        """Whether an event or state holds at an instant, by record or by its conditions. Raises CannotTellError."""
        recorded = self.recorded(part, at, scope)
        texts = [(str(raw["when"]), matched) for raw, matched in self.grounds(part, scope) if raw.get("when")]
        if not texts or recorded == "true":
            return recorded
        found = [self.truth(parse(text), at, matched, depth + 1) for text, matched in texts]
        return disjunction([*found, recorded] if self.on_record.get(bound(part, scope)) else found)

    def recorded(self, part: Part, at: datetime, scope: dict[str, str]) -> str:
        """What facts and measures alone say of an event or state. What is not recorded is unknown."""
        said = [found for fact in self.on_record.get(bound(part, scope), ()) if (found := fact.says(at))]
        for raw, _ in self.grounds(part, scope):
            if raw.get("measure"):
                row = self.measure(str(raw["measure"]), at)
                said.append("unknown" if row is None else "true" if self.state(row, at) in words(raw.get("states")) else "false")
        for truth in ("true", "false"):
            if truth in said:
                return truth
        complete = words(mapping(self.file.agreement.get("vocabulary")).get("complete"))
        return "false" if not said and part.given[0] in complete else "unknown"

    def truth(self, part: Part, at: datetime, scope: dict[str, str], depth: int = 0) -> str:
        """The truth of a part at an instant. Raises CannotTellError where it asks for a status or a value."""
        if depth > _DEEPEST:
            raise CannotTellError(part.kind)
        inner = [*part.parts]
        if part.kind in ("and", "or"):
            return (conjunction if part.kind == "and" else disjunction)([self.truth(p, at, scope, depth) for p in inner])
        if part.kind == "implies":
            return disjunction([negation(self.truth(inner[0], at, scope, depth)), self.truth(inner[1], at, scope, depth)])
        if part.kind == "not":
            return negation(self.truth(inner[0], at, scope, depth))
        if part.kind in ("once", "always"):
            first, last = self.window(part, at)
            found = [self.truth(inner[0], look.at, scope, depth) for look in self.looks(delays(inner[0]), first, last)]
            return (disjunction if part.kind == "once" else conjunction)(found)
        if part.kind == "since":
            return self.since(part, at, scope)
        if part.kind in ("every", "some"):
            return self._members(part, at, scope, depth)
        if part.kind == "compare":
            return compared(part.given[0], *(self.number(p, at, scope) for p in inner))
        if part.kind == "fact":
            return self.holds(part, at, scope, depth)
        if self.judge is None:
            raise CannotTellError(part.kind)
        if part.kind == "status":
            return self.judge.is_status(part.given[0], part.given[1], at)
        return has_value(self.judge.has_value(part.given[0], at), part.given[1], part.given[2])

    def window(self, part: Part, at: datetime) -> tuple[datetime | None, datetime]:
        """The first and last instant that a look back reaches; no first where it is open."""
        near, far, tz = part.given[0], part.given[1], self.file.tz
        return None if far == ".." else length(far).before(at, tz), length(near).before(at, tz)

    def since(self, part: Part, at: datetime, scope: dict[str, str]) -> str:
        """Right at some instant of the window, and left at every later one up to and including now."""
        first, last = self.window(part, at)
        left, right = part.parts
        kept, best = "true", "false"
        for look in self.looks(delays(left) | delays(right), first, at, last):
            held = self.truth(left, look.at, scope)
            before = conjunction([kept, held]) if look.between else kept
            if look.at <= last:
                best = disjunction([best, conjunction([before, self.truth(right, look.at, scope)])])
            kept = conjunction([kept, held])
        return best

    def _members(self, part: Part, at: datetime, scope: dict[str, str], depth: int) -> str:
        variable, term = part.given
        members, is_open = self.provisions.listed_in(term)
        if members is None:
            return "unknown"
        found = [self.truth(part.parts[0], at, {**scope, variable: name}, depth) for name in members]
        truth = (conjunction if part.kind == "every" else disjunction)(found)
        return "unknown" if is_open and truth == ("true" if part.kind == "every" else "false") else truth

    def number(self, part: Part, at: datetime, scope: dict[str, str]) -> tuple[float | None, float | None]:
        """One side of a comparison, between two bounds; None is unbounded. Raises CannotTellError."""
        if part.kind == "number":
            return float(part.given[0]), float(part.given[0])
        if part.kind == "fact":
            found = [f for f in self.on_record.get(bound(part, scope), ()) if f.number is not None and is_so(f, at)]
            number = max(found, key=lambda f: f.starts.last).number if found else None
            return number, number
        variable, term = part.given
        members, is_open = self.provisions.listed_in(term)
        if members is None:
            return 0, None
        truths = [self.truth(part.parts[0], at, {**scope, variable: m}) if part.parts else "true" for m in members]
        return truths.count("true"), None if is_open else len(truths) - truths.count("false")


def has_value(value: str | float | bool | None, sign: str, wanted: str) -> str:
    """Whether a value is, or is not, the one that a condition names."""
    if value is None:
        return "unknown"
    name = wanted.strip('"')
    alike = str(value) == name
    if isinstance(value, int | float) and not isinstance(value, bool) and wanted[:1].isdigit():
        alike = float(wanted) == value
    return "true" if alike == (sign == "==") else "false"


def is_so(fact: Fact, at: datetime) -> bool:
    """Whether a fact holds at an instant."""
    return fact.starts.last <= at and (fact.ends is None or at < fact.ends.last)


def compared(sign: str, left: tuple[float | None, float | None], right: tuple[float | None, float | None]) -> str:
    """A comparison of two numbers that lie between bounds: true or false only where every choice says so."""
    (a, b), (c, d) = (
        (float("-inf") if low is None else low, float("inf") if high is None else high) for low, high in (left, right)
    )
    if sign in ("==", "!="):
        if b < c or d < a:
            return "true" if sign == "!=" else "false"
        return "unknown" if a != b or c != d else "true" if sign == "==" else "false"
    if sign in (">", ">="):
        return compared("<" if sign == ">" else "<=", right, left)
    surely, never = (b < c, a >= d) if sign == "<" else (b <= c, a > d)
    return "true" if surely else "false" if never else "unknown"
