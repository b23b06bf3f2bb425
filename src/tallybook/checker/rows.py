"""Rows of the tables as the checker reads them: when known, when so, by whom, of what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.checker.books import Books, BooksError
from tallybook.checker.tables import GOOD_EVIDENCE, HALF_LIFE, PRIOR, RECORD, Pair
from tallybook.core.time import Moment, MomentError, moment, zone

MOST_LEVELS = 100

_KNOWN = {
    "observations": "reported_at",
    "commitments": "made_at",
    "measures": "known_at",
    "incidents": "known_at",
    "vessels": "known_at",
}
_WHEN = {
    "observations": ("observed_from", "observed_to"),
    "commitments": ("made_at", "made_at"),
    "measures": ("from", "from"),
    "incidents": ("date", "date"),
}
_WHO = {"observations": "observer", "commitments": "by", "incidents": "by", "vessels": "counting_unit"}
_SAYS = {
    "observations": "statement",
    "commitments": "text",
    "measures": "description",
    "incidents": "summary",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table of reports. `columns` are as written; times are read in the time zone of the case."""

    id: str
    table: str
    columns: Mapping[str, str]
    known: Moment
    starts: Moment
    ends: Moment

    def __getitem__(self, column: str) -> str:
        return self.columns.get(column, "")

    @property
    def who(self) -> str:
        """The observer, or the one who spoke or acted."""
        return self[_WHO[self.table]] if self.table in _WHO else ""

    @property
    def statement(self) -> str:
        """What it says."""
        if self.table != "vessels":
            return self[_SAYS[self.table]]
        told = [f"{word} {float(self[column]):g}" for word, column in _FIGURES if self[column]]
        return f"{self['name']}: {', '.join(told) or 'no figures'} ({self['cargo_class']})"

    @property
    def grade(self) -> str:
        """The grade on the row; only observations have one."""
        return self["grade"] if self.table == "observations" else ""

    @property
    def method(self) -> str:
        """The method, of an observation."""
        return self["method"] if self.table == "observations" else ""

    @property
    def item(self) -> str:
        """The item class."""
        return self["cargo_class"] if self.table == "vessels" else self["item_class"] if self.table == "observations" else ""

    @property
    def place(self) -> str:
        """The place as written."""
        return self["departure_port"] if self.table == "vessels" else self["place"] if self.table == "observations" else ""

    @property
    def vessel(self) -> str:
        """The ship."""
        return self["name"] if self.table == "vessels" else self["vessel"] if self.table == "observations" else ""

    @property
    def stage(self) -> str:
        """The stage, of an observation."""
        return self["stage"] if self.table == "observations" else ""

    @property
    def kind(self) -> str:
        """The kind of an incident."""
        return self["kind"] if self.table == "incidents" else ""

    @property
    def measure(self) -> str:
        """The measure whose state it records."""
        return self["measure"] if self.table == "measures" else ""

    @property
    def state(self) -> str:
        """The state of a measure."""
        return self["state"] if self.table == "measures" else ""

    @property
    def number(self) -> float | None:
        """The count that the row stands for: the point, else the lower bound."""
        names = {"observations": ("count", "count_low"), "vessels": ("items_counted",)}.get(self.table, ())
        return next((float(self[name]) for name in names if self[name]), None)

    @property
    def most(self) -> float | None:
        """The upper bound, else the number."""
        high = self["count_high"] if self.table == "observations" else ""
        return float(high) if high else self.number

    @property
    def span(self) -> str:
        """When it was so, as written."""
        return self.ends.text if self.starts.text == self.ends.text else f"{self.starts.text} to {self.ends.text}"


_FIGURES = (("declared", "items_declared"), ("counted", "items_counted"))


class File:
    """The books, read as far as one question may see them: what was known at `known`."""

    def __init__(self, books: Books, known: datetime | None = None) -> None:
        self.books, self.known = books, known
        self.agreement = books.agreement
        try:
            self.tz: ZoneInfo = zone(str(self.agreement.get("time_zone", "")))
        except MomentError as error:
            raise BooksError(str(error), where="agreement.yaml", do="correct `time_zone`") from error

    def at(self, text: object) -> Moment:
        """A time as written in the case. Raises BooksError for what is none."""
        try:
            return moment(str(text), self.tz)
        except MomentError as error:
            raise BooksError(str(error), where="the case", do="tallybook check finds the place") from error

    def is_known(self, text: object) -> bool:
        """Whether a time had come by `known`."""
        return self.known is None or self.at(text).last <= self.known

    @cached_property
    def rows(self) -> dict[str, Row]:
        """Every row known, by id, in the order of the tables."""
        found = {}
        for name, columns in self.books.reports.items():
            row = self._row(name, columns)
            if row is not None and (self.known is None or row.known.last <= self.known):
                found[name] = row
        return found

    def _row(self, name: str, columns: Mapping[str, str]) -> Row | None:
        table = columns.get("table", "")
        if table not in _KNOWN:
            return None
        known = self.at(columns.get(_KNOWN[table], ""))
        if table == "vessels":
            at = columns.get("date_counted") or columns.get("departure_date") or columns.get("known_at")
            return Row(name, table, columns, known, self.at(at), self.at(at))
        first, last = _WHEN[table]
        return Row(name, table, columns, known, self.at(columns.get(first, "")), self.at(columns.get(last, "")))

    def bearings(self, claim: str) -> dict[str, Mapping[str, str]]:
        """The latest bearing of each row on a claim, as known."""
        read = [b for b in self.books.bearings if b.get("claim") == claim and b.get("report") in self.rows]
        read = [b for b in read if self.is_known(b.get("known_at", ""))]
        order = sorted(enumerate(read), key=lambda pair: (self.at(pair[1].get("known_at", "")).last, pair[0]))
        return {bearing["report"]: bearing for _, bearing in order}

    def members(self, item: str) -> frozenset[str]:
        """An item class and all that it includes."""
        found: set[str] = set()
        queue = [item]
        while queue:
            name = queue.pop()
            if name not in found:
                found.add(name)
                entry = self.books.items.get(name)
                queue += [str(inner) for inner in (entry.get("includes") or [])] if isinstance(entry, dict) else []
        return frozenset(found)

    @cached_property
    def _place_names(self) -> dict[str, str]:
        names = {}
        for name, row in self.books.places.items():
            for other in (name, row.get("name", ""), *row.get("aliases", "").split("|")):
                if other.strip():
                    names[other.strip().casefold()] = name
        return names

    def places_of(self, text: str) -> tuple[str, ...]:
        """The places named by a text: the whole of it, else each part between semicolons."""
        whole = self._place_names.get(text.strip().casefold())
        if whole:
            return (whole,)
        parts = (self._place_names.get(part.strip().casefold()) for part in text.split(";"))
        return tuple(part for part in parts if part)

    def around(self, place: str) -> tuple[str, ...]:
        """A place and what contains it, innermost first."""
        chain: list[str] = []
        while place in self.books.places and place not in chain and len(chain) < MOST_LEVELS:
            chain.append(place)
            place = self.books.places[place].get("within", "")
        return tuple(chain)

    def entry(self, group: str, name: str) -> dict[str, Any]:
        """An entry of a mapping of the agreement such as `instruments`; empty where there is none."""
        found = mapping(self.agreement.get(group)).get(name)
        return found if isinstance(found, dict) else {}

    def listed(self, group: str) -> Iterator[dict[str, Any]]:
        """The entries of a list of the agreement such as `claims`."""
        value = self.agreement.get(group)
        yield from (entry for entry in (value if isinstance(value, list) else []) if isinstance(entry, dict))

    def claim(self, name: str) -> dict[str, Any] | None:
        """The claim of that id."""
        return next((c for c in self.listed("claims") if str(c.get("id")) == name), None)

    @property
    def prior(self) -> Pair:
        """The prior interval."""
        found = mapping(self.agreement.get("weighing")).get("prior")
        return (float(found[0]), float(found[1])) if found else PRIOR

    @property
    def good_evidence(self) -> float:
        """The good-evidence standard."""
        return float(mapping(self.agreement.get("weighing")).get("good_evidence") or GOOD_EVIDENCE)

    @property
    def overrides(self) -> dict[str, Pair]:
        """What the case says that grades are worth."""
        found = mapping(mapping(self.agreement.get("weighing")).get("ratios"))
        return {name: (float(pair[0]), float(pair[1])) for name, pair in found.items()}

    @property
    def half_life(self) -> dict[str, float | None]:
        """Half-lives by kind of state, in days."""
        found = mapping(mapping(self.agreement.get("weighing")).get("half_life_days"))
        return HALF_LIFE | {name: None if days is None else float(days) for name, days in found.items()}

    @property
    def ungraded_record(self) -> str:
        """What a record of the time counts as without a grade."""
        return str(mapping(self.agreement.get("weighing")).get("ungraded_record") or RECORD)

    def names(self, row: Row, party: str) -> bool:
        """Whether a row names a party as the one who observed, spoke or acted."""
        known = mapping(self.agreement.get("parties")).get(party)
        if not isinstance(known, dict) or not row.who:
            return False
        starts = [party, str(known.get("name", "")), *words(known.get("known_as"))]
        for part in row.who.split(";"):
            text = part.strip().casefold()
            for start in (name.casefold() for name in starts):
                if text == start or (text.startswith(start) and not text[len(start)].isalnum()):
                    return True
        return False

    def is_statement(self, row: Row) -> bool:
        """Whether a row is somebody's word."""
        vocabulary = mapping(self.agreement.get("vocabulary"))
        if row.table == "incidents":
            return bool(mapping(mapping(vocabulary.get("incidents")).get(row.kind)).get("statement"))
        return row.table == "commitments" or bool(mapping(mapping(vocabulary.get("methods")).get(row.method)).get("statement"))


def mapping(value: object) -> dict[str, Any]:
    """A value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def words(value: object) -> list[str]:
    """One word, or a list of words, as a list."""
    return [] if value is None else [str(v) for v in value] if isinstance(value, list) else [str(value)]


_STRUCK = re.compile(r"~~.*?~~", re.DOTALL)
_MARKS = {0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'", 0xA0: " "}


@lru_cache(maxsize=16384)
def folded(text: str) -> str:
    """A text as it is to be read: struck words out, quotation marks straight, white space folded."""
    return " ".join(_STRUCK.sub(" ", text).translate(_MARKS).replace("++", "").split())
