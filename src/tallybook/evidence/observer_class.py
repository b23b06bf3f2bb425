"""What an observer of a class may say: an allow list by table and column, and nothing besides.

A neutral counter is let aboard because their report cannot tell more than a count. So each thing that may be said can be
written in one way only (no second spelling, no spare digit, no other offset), everything else is blank, and a refusal does not
repeat what it refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from tallybook.core.time import Moment, MomentError, moment
from tallybook.errors import Fault
from tallybook.evidence.ingest.lookalike import skeleton

SOURCE = "source_id"
MOST_SHOWN = 12
"""So many words of a list are told in a message."""
LONGEST_NUMBER = 24
LONGEST_WORD = 200
"""Characters in a word or phrase of a class."""
_PLACE = re.compile(r"(-?\d{1,2}(?:\.\d{1,6})?) (-?\d{1,3}(?:\.\d{1,6})?)", re.ASCII)
FINEST = ("day", "hour", "minute")
"""How finely a time may be told."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a rule is held against: the case's time zone, the kind of each place by its name, and the days at work."""

    tz: ZoneInfo
    places: Mapping[str, str]
    first: datetime
    last: datetime


class Rule(Protocol):
    """What may stand in a column."""

    def words(self, ground: Ground) -> str:
        """What is allowed, to follow `only`."""
        ...

    def allows(self, text: str, ground: Ground) -> bool:
        """Whether a text that is not blank may stand there."""
        ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """A word from a closed list."""

    choice: tuple[str, ...]

    def words(self, ground: Ground) -> str:
        """The list, cut short where it is long."""
        more = len(self.choice) - MOST_SHOWN
        return f"one of {'; '.join(self.choice[:MOST_SHOWN])}" + (f"; and {more} more in the class" if more > 0 else "")

    def allows(self, text: str, ground: Ground) -> bool:
        """Only a word of the list, to the letter."""
        return text in self.choice


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `least` to `most` in steps of `step` (1: whole numbers), written with the step's digits and no others."""

    least: Decimal
    most: Decimal
    step: Decimal

    def words(self, ground: Ground) -> str:
        """The range and the step."""
        if self.step == 1:
            return f"a whole number from {self.least:f} to {self.most:f}, in plain digits"
        return (
            f"a number from {self.least:f} to {self.most:f} in steps of {self.step:f}, written as {_fixed(self.least, self.step)}"
        )

    def allows(self, text: str, ground: Ground) -> bool:
        """Only the one way of writing a number of the range: 8, and not 08, +8, 8.0 or 8.0001."""
        value = _decimal(text)
        return (
            value is not None and self.least <= value <= self.most and value % self.step == 0 and text == _fixed(value, self.step)
        )


@dataclass(frozen=True, slots=True)
class Time:
    """A time to the day, hour or minute, within the days at work, with the offset of the case's time zone."""

    finest: str

    def words(self, ground: Ground) -> str:
        """The precision, with an example in the one form that is taken."""
        days = f"from {ground.first.astimezone(ground.tz):%Y-%m-%d} to {ground.last.astimezone(ground.tz):%Y-%m-%d}"
        return f"a time to the {self.finest}, {days}, written as {self.written(ground.first, ground.tz)}"

    def written(self, at: datetime, tz: ZoneInfo) -> str:
        """An instant in the one form that is taken."""
        local = at.astimezone(tz)
        return f"{local:%Y-%m-%d}" if self.finest == "day" else local.isoformat(timespec="minutes")

    def allows(self, text: str, ground: Ground) -> bool:
        """Only the one form; an hour has no minutes, a minute no seconds."""
        at = _moment(text, ground.tz)
        if at is None or not (ground.first <= at.first and at.last <= ground.last) or text != self.written(at.first, ground.tz):
            return False
        return self.finest != "hour" or at.first.astimezone(ground.tz).minute == 0


@dataclass(frozen=True, slots=True)
class Where:
    """The name of a place of some kinds, or (with `degrees`) a position on a grid: latitude and longitude in degrees."""

    kinds: tuple[str, ...]
    degrees: Decimal | None = None

    def words(self, ground: Ground) -> str:
        """The kinds, and the grid."""
        told = [f"the name of a {' or '.join(self.kinds)} as places.csv has it"] if self.kinds else []
        if self.degrees is not None:
            point = f"{_fixed(Decimal(22), self.degrees)} {_fixed(Decimal(-82), self.degrees)}"
            told.append(f"a position no finer than {self.degrees:f} degrees, written as {point}")
        return ", or ".join(told)

    def allows(self, text: str, ground: Ground) -> bool:
        """Only the name itself (an alias may tell more, and choosing one does), or a point of the grid in its one form."""
        if ground.places.get(text) in self.kinds:
            return True
        found = _PLACE.fullmatch(text) if self.degrees is not None else None
        return found is not None and self._on_grid(found[1], Decimal(90)) and self._on_grid(found[2], Decimal(180))

    def _on_grid(self, text: str, most: Decimal) -> bool:
        assert self.degrees is not None
        value = Decimal(text)
        return -most < value <= most and value % self.degrees == 0 and text == _fixed(value, self.degrees)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases from a closed list, each once and in the order of the list, joined by `; `, of `longest` characters at most."""

    longest: int
    choice: tuple[str, ...]

    def words(self, ground: Ground) -> str:
        """The list."""
        return f"{OneOf(self.choice).words(ground)} (several in this order, joined by `; `, {self.longest} characters at most)"

    def allows(self, text: str, ground: Ground) -> bool:
        """Only phrases of the list, in its order: another order would be a message."""
        parts = text.split("; ")
        if len(text) > self.longest or any(part not in self.choice for part in parts):
            return False
        places = [self.choice.index(part) for part in parts]
        return places == sorted(set(places))


@dataclass(frozen=True, slots=True)
class Numbered:
    """An id that is a start and a running number of so many digits, from 1."""

    start: str
    digits: int

    def words(self, ground: Ground) -> str:
        """The first id."""
        return f"{self.start} and a running number of {self.digits} digits, from {self.id_of(1)} on"

    def allows(self, text: str, ground: Ground) -> bool:
        """Only the start and a number."""
        return self.number(text) is not None

    def id_of(self, number: int) -> str:
        """The id of a number."""
        return f"{self.start}{number:0{self.digits}d}"

    def number(self, text: str) -> int | None:
        """The number of an id, from 1; None for another text."""
        rest = text.removeprefix(self.start)
        is_one = text.startswith(self.start) and len(rest) == self.digits and rest.isascii() and rest.isdigit() and int(rest) > 0
        return int(rest) if is_one else None


@dataclass(frozen=True, slots=True)
class ObserverClass:
    """A class of observers. `tables`: the rules by table and column; `sources` and `readers`: whose rows are held against it.

    `first` to `last` are the days at work, as written; `most_rows` is how many rows of a table there may be of the class.
    """

    name: str
    title: str
    why: str
    first: str
    last: str
    most_rows: int
    tables: Mapping[str, Mapping[str, Rule]]
    sources: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    line: int = 0

    def ground(self, tz: ZoneInfo, places: Mapping[str, str]) -> Ground:
        """What its rules are held against. Raises MomentError for days that are none."""
        return Ground(tz, places, moment(self.first, tz).first, moment(self.last, tz).last)

    def ids(self, table: str) -> Numbered | None:
        """The rule of the ids of a table; None where the class has no such table."""
        rule = self.tables.get(table, {}).get("id")
        return rule if isinstance(rule, Numbered) else None


def row_faults(
    kind: ObserverClass, table: str, file: str, line: int, fields: Mapping[str, str], ground: Ground, aside: Iterable[str] = ()
) -> list[Fault]:
    """Everything in a row that its class does not allow; columns `aside` are not looked at.

    The fields are taken as they are, blanks and all: a blank too many is a message too. What is refused is not repeated.
    """
    if table not in kind.tables:
        what = f"{kind.name} may not file rows of {table}"
        return [Fault(file, line, "", what, f"only rows of {', '.join(kind.tables)}; leave this one out")]
    rules = kind.tables[table]
    numbered = kind.ids(table)
    own = fields.get("id", "")
    called = f"{own}: " if numbered is not None and numbered.number(own) is not None else ""
    allowed = ", ".join(dict.fromkeys((*rules, SOURCE)))
    faults = []
    for column, text in fields.items():
        if not text or column in aside:
            continue
        rule: Rule | None = OneOf(kind.sources) if column == SOURCE else rules.get(column)
        if rule is None:
            what = f"{called}{kind.name} may not say `{column}`"
            faults.append(Fault(file, line, column, what, f"leave it blank; only {allowed} may be filled in"))
        elif not rule.allows(text, ground):
            what = f"{called}{kind.name} may not say this in `{column}`{_why(rule, text)}: only {rule.words(ground)}"
            faults.append(Fault(file, line, column, what, "write it so, or leave it blank"))
    if not own:
        faults.append(Fault(file, line, "id", f"{kind.name}: a row without an id", "number the rows"))
    return faults


def _why(rule: Rule, text: str) -> str:
    """What is wrong with a text that nearly fits, without repeating it."""
    if text.strip() != text:
        return " (blanks around it)"
    if isinstance(rule, OneOf | Phrases) and len(text) <= LONGEST_WORD:
        shape = skeleton(text)
        twin = next((word for word in rule.choice if skeleton(word) == shape), None)
        return f" (it looks like {twin} and is not)" if twin is not None else ""
    return ""


def numbering_faults(
    kind: ObserverClass, table: str, file: str, rows: Iterable[tuple[int, str]], on_file: Iterable[str]
) -> list[Fault]:
    """What is wrong with the ids (line, id) of rows that come in: new ones go on from the last on file, without a gap.

    A number that may be chosen is a message; so is a row above the number that the class may file.
    """
    numbered = kind.ids(table)
    if numbered is None:
        return []
    known = {number for one in on_file if (number := numbered.number(one)) is not None}
    due = max(known, default=0) + 1
    faults = []
    for line, text in rows:
        number = numbered.number(text)
        if number is None or number in known:
            continue
        if number != due:
            what = f"{kind.name}: the number of this row is chosen; the next is {numbered.id_of(due)}"
            faults.append(Fault(file, line, "id", what, "number the rows one after the other, in the order of the file"))
        elif number > kind.most_rows:
            what = f"{kind.name} may file {kind.most_rows} rows of {table}, and this is one more"
            faults.append(Fault(file, line, "id", what, "correct rows that are there, or let the desk widen the class"))
        due += 1
    return faults


def gaps(kind: ObserverClass, table: str, ids: Iterable[str]) -> list[str]:
    """The ids that are missing below the last one, of the first `most_rows`: a row was withdrawn, or a number was chosen."""
    numbered = kind.ids(table)
    if numbered is None:
        return []
    there = {number for one in ids if (number := numbered.number(one)) is not None}
    return [numbered.id_of(n) for n in range(1, min(max(there, default=0), kind.most_rows)) if n not in there]


def _decimal(text: str) -> Decimal | None:
    plain = len(text) <= LONGEST_NUMBER and text.isascii() and re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
    return Decimal(text) if plain else None


def _fixed(value: Decimal, step: Decimal) -> str:
    """A number with as many digits after the point as the step has, and no minus before a zero."""
    exponent = step.as_tuple().exponent
    digits = max(0, -exponent) if isinstance(exponent, int) else 0
    return f"{value or Decimal(0):.{digits}f}"


def _moment(text: str, tz: ZoneInfo) -> Moment | None:
    try:
        return moment(text, tz)
    except MomentError:
        return None
