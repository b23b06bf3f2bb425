"""From rows of text to reports, sources, bearings and places; what does not fit is a fault with its line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tallybook.core.time import Moment, MomentError, moment
from tallybook.errors import Fault
from tallybook.evidence.grade import GRADE, Grade
from tallybook.evidence.ingest.table import Row
from tallybook.evidence.report import Bearing, Place, Report, Source
from tallybook.evidence.review import same_person

OBSERVATIONS = (
    "id",
    "reported_at",
    "observed_from",
    "observed_to",
    "source_id",
    "method",
    "observer",
    "place",
    "vessel",
    "item_class",
    "stage",
    "count",
    "count_low",
    "count_high",
    "statement",
    "grade",
    "citation",
    "basis",
    "note",
)
COMMITMENTS = ("id", "made_at", "by", "to", "text", "conditions", "source_id", "citation", "basis")
MEASURES = ("id", "measure", "state", "from", "to", "known_at", "description", "source_id", "citation", "basis", "note")
INCIDENTS = ("id", "date", "known_at", "kind", "by", "summary", "source_id", "citation", "basis", "note")
VESSELS = (
    "id",
    "name",
    "departure_port",
    "departure_date",
    "items_declared",
    "items_counted",
    "date_counted",
    "known_at",
    "counting_unit",
    "cargo_class",
    "source_id",
    "citation",
    "basis",
    "note",
)
SOURCES = ("source_id", "title", "author_agency", "date", "citation", "access", "reliability")
BEARINGS = (
    "report",
    "claim",
    "bears",
    "extent",
    "state",
    "refers_to",
    "cluster",
    "restates",
    "counts_as",
    "by",
    "reviewed_by",
    "known_at",
    "reason",
)
ANY_TABLE = ("known_to", "exhibits")
"""Columns that every table of reports may have besides its own."""
MORE_COLUMNS: dict[str, tuple[str, ...]] = {"observations": ("graded_by", "grade_reviewed_by")}
"""Columns that one table may have besides: a desk that keeps the authors of grades has the first."""
MOST_EXHIBITS = 100
"""So many exhibits at most may one report name."""
PLACES = ("id", "name", "kind", "lat", "lon", "within", "aliases")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,99}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)
_SIGNED = re.compile(r"-?\d{1,3}(\.\d{1,12})?", re.ASCII)


class Names(Protocol):
    """Anything that can say whether a name is in it."""

    def __contains__(self, name: object, /) -> bool:
        """Whether the name is there."""
        ...


@dataclass(slots=True)
class Lists:
    """The closed lists that rows are held against. `unsettled`: measures are not known yet and not checked."""

    tz: ZoneInfo
    methods: Names
    stages: Names
    incidents: Names
    measures: Mapping[str, Mapping[str, str]]
    items: Names
    claims: Names
    second_reader: bool = False
    unsettled: bool = False
    reviews: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    """Who has reviewed the bearing of a report on a claim, by (report, claim)."""


@dataclass(slots=True)
class Reading:
    """One pass over a file: notes faults by line and column."""

    file: str
    lists: Lists
    faults: list[Fault] = field(default_factory=list)

    def fault(self, row: Row, column: str, what: str, do: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(self.file, row.line, column, what, do))

    def when(self, row: Row, column: str) -> Moment | None:
        """A moment, or None where the field is blank or wrong (then noted)."""
        if not row[column]:
            return None
        try:
            return moment(row[column], self.lists.tz)
        except MomentError as error:
            self.fault(row, column, str(error), "correct the date")
            return None

    def must(self, row: Row, column: str) -> Moment | None:
        """A moment that has to be there."""
        if not row[column]:
            self.fault(row, column, "blank", "give a date: every row says when it was known and when it was so")
        return self.when(row, column)

    def number(self, row: Row, column: str) -> float | None:
        """A count: digits, not negative."""
        text = row[column]
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            self.fault(row, column, f"{text!r} is not a count", "write digits, 0 or more; leave it blank where unknown")
            return None
        return float(text)

    def one_of(self, row: Row, column: str, known: Names, where: str) -> str:
        """A word from a closed list, or blank."""
        text = row[column]
        if text and text not in known:
            self.fault(row, column, f"{text!r} is not in the case's list", f"correct it, or add it to {where}")
        return text

    def grade(self, row: Row) -> Grade:
        """A grade such as A2, or blank."""
        text = row["grade"]
        if text and not GRADE.fullmatch(text):
            self.fault(row, "grade", f"{text!r} is not a grade", "write A-F and 1-6, such as B2; leave it blank for none")
            return Grade("")
        return Grade(text)

    def identifier(self, row: Row, column: str = "id") -> str:
        """An identifier: letters, digits and _ . / -"""
        if not _ID.fullmatch(row[column]):
            self.fault(row, column, f"{row[column]!r} cannot be an id", "use letters, digits and _ . / -")
        return row[column]


def _ordered(reading: Reading, row: Row, first: Moment | None, last: Moment | None, column: str) -> None:
    if first and last and last.last < first.first:
        reading.fault(row, column, f"{last.text} is before {first.text}", "correct one of the two")


def observation(reading: Reading, row: Row) -> Report | None:
    """A row of observations.csv."""
    lists = reading.lists
    known, starts, ends = (reading.must(row, c) for c in ("reported_at", "observed_from", "observed_to"))
    _ordered(reading, row, starts, ends, "observed_to")
    if known and starts and starts.first > known.last:
        reading.fault(row, "reported_at", f"{known.text} is before {starts.text}, when it was seen", "correct one of the two")
    elif known and ends and ends.first > known.last:
        reading.fault(row, "observed_to", f"{ends.text} is after {known.text}, when it was known", "correct one of the two")
    count, low, high = (reading.number(row, c) for c in ("count", "count_low", "count_high"))
    if low is not None and high is not None and high < low:
        reading.fault(row, "count_high", f"{high:g} is below count_low {low:g}", "correct one of the two")
    elif count is not None and ((low is not None and count < low) or (high is not None and count > high)):
        reading.fault(row, "count", f"{count:g} is outside its own bounds", "correct the count, or count_low and count_high")
    method = reading.one_of(row, "method", lists.methods, "vocabulary.methods in agreement.yaml")
    if not method:
        reading.fault(row, "method", "blank", "say how it was known")
    more = {
        "who": row["observer"],
        "statement": row["statement"],
        "grade": reading.grade(row),
        "method": method,
        "place": row["place"],
        "vessel": row["vessel"],
        "item": reading.one_of(row, "item_class", lists.items, "items.yaml"),
        "stage": reading.one_of(row, "stage", lists.stages, "vocabulary.stages in agreement.yaml"),
        "count": count,
        "low": low,
        "high": high,
        "graded_by": row["graded_by"] if "graded_by" in row.fields else None,
        "grade_reviewed_by": row["grade_reviewed_by"],
    }
    _second_reader_of_grade(reading, row)
    return _report(reading, row, "observations", (known, starts, ends), more)


def _second_reader_of_grade(reading: Reading, row: Row) -> None:
    author, reader = row["graded_by"], row["grade_reviewed_by"]
    if reader and (not author or same_person(author, reader)):
        what = f"{reader!r} is the author" if author else "a second reader of a grade without an author"
        reading.fault(row, "grade_reviewed_by", what, "name the author in `graded_by`, and somebody else here")
    elif author and not row["grade"]:
        reading.fault(row, "graded_by", "the author of a grade that is blank", "give the grade, or leave this blank")


def commitment(reading: Reading, row: Row) -> Report | None:
    """A row of commitments.csv: the word of whoever made it, known when made."""
    made = reading.must(row, "made_at")
    more = {"who": row["by"], "to": row["to"], "statement": row["text"], "conditions": row["conditions"]}
    return _report(reading, row, "commitments", (made, made, made), more)


def measure(reading: Reading, row: Row) -> Report | None:
    """A row of measures.csv: a state that a measure entered, with an end that is known only once it has come."""
    known, starts, until = reading.must(row, "known_at"), reading.must(row, "from"), reading.when(row, "to")
    _ordered(reading, row, starts, until, "to")
    name = row["measure"]
    if not reading.lists.unsettled:
        reading.one_of(row, "measure", reading.lists.measures, "measures in agreement.yaml")
    states = reading.lists.measures.get(name, {})
    if not name or not row["state"]:
        reading.fault(row, "state" if name else "measure", "blank", "name the measure and its state")
    elif states and row["state"] not in states:
        reading.fault(row, "state", f"{name} has no state {row['state']!r}", "correct it, or add it to agreement.yaml")
    more = {"statement": row["description"], "measure": name, "state": row["state"], "until": until}
    return _report(reading, row, "measures", (known, starts, starts), more)


def incident(reading: Reading, row: Row) -> Report | None:
    """A row of incidents.csv."""
    known, date = reading.must(row, "known_at"), reading.must(row, "date")
    kind = reading.one_of(row, "kind", reading.lists.incidents, "vocabulary.incidents in agreement.yaml")
    more = {"who": row["by"], "statement": row["summary"], "kind": kind}
    return _report(reading, row, "incidents", (known, date, date), more)


def vessel(reading: Reading, row: Row) -> Report | None:
    """A row of vessels.csv: what one ship was said to carry and what was counted on it."""
    known = reading.must(row, "known_at")
    departed, counted = reading.when(row, "departure_date"), reading.when(row, "date_counted")
    declared, seen = reading.number(row, "items_declared"), reading.number(row, "items_counted")
    at = counted or departed or known
    told = [f"declared {declared:g}"] if declared is not None else []
    told += [f"counted {seen:g}"] if seen is not None else []
    more = {
        "who": row["counting_unit"],
        "statement": f"{row['name']}: {', '.join(told) or 'no figures'} ({row['cargo_class']})",
        "place": row["departure_port"],
        "vessel": row["name"],
        "item": reading.one_of(row, "cargo_class", reading.lists.items, "items.yaml"),
        "count": seen,
        "declared": declared,
    }
    return _report(reading, row, "vessels", (known, at, at), more)


def _report(
    reading: Reading, row: Row, table: str, times: tuple[Moment | None, Moment | None, Moment | None], more: dict[str, Any]
) -> Report | None:
    """The report that a row gives, or None where one of its times (known, starts, ends) did not read."""
    name = reading.identifier(row)
    known, starts, ends = times
    if known is None or starts is None or ends is None:
        return None
    given = {"source": row["source_id"], "citation": row["citation"], "basis": row["basis"], **more}
    given["known_to"] = _listed(row["known_to"])
    given["exhibits"] = _listed(row["exhibits"])
    if len(given["exhibits"]) > MOST_EXHIBITS:
        reading.fault(row, "exhibits", f"more than {MOST_EXHIBITS}", "file the pages of one document as one exhibit")
    return Report(id=name, table=table, line=row.line, known=known, starts=starts, ends=ends, **given)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(";") if name.strip()))


def source(reading: Reading, row: Row) -> Source:
    """A row of sources.csv."""
    return Source(
        reading.identifier(row, "source_id"),
        row["title"],
        row["author_agency"],
        row["date"],
        row["citation"],
        row["access"],
        row["reliability"],
    )


def bearing(reading: Reading, row: Row) -> Bearing | None:
    """A row of bearings.csv."""
    known, refers_to = reading.must(row, "known_at"), reading.when(row, "refers_to")
    if row["claim"] not in reading.lists.claims:
        reading.fault(row, "claim", f"no claim {row['claim']!r}", "correct it, or add the claim to agreement.yaml")
    for column, words in (
        ("bears", ("for", "against", "neither")),
        ("extent", ("whole", "part", "by_count")),
        ("state", ("act", "position", "activity", "statement", "intention")),
        (
            "counts_as",
            (
                "declared",
                "estimate",
                "at_least",
                "all_there_was",
                "removed",
                "removed_by_ship",
                "removed_at_site",
                "still_there",
                "none",
            ),
        ),
    ):
        if row[column] and row[column] not in words:
            reading.fault(row, column, f"{row[column]!r} is not one of {', '.join(words)}", "use one of these words")
    if not row["bears"]:
        reading.fault(row, "bears", "blank", "write for, against or neither")
    if not row["by"]:
        reading.fault(row, "by", "blank", "name the analyst: a reading without an author is nobody's")
    if reading.lists.second_reader and row["bears"] in ("for", "against") and not _is_read_again(reading, row):
        reading.fault(row, "reviewed_by", "no second reader", "this desk asks for one; name somebody other than `by`")
    if known is None:
        return None
    return Bearing(
        report=row["report"],
        claim=row["claim"],
        bears=row["bears"],
        extent=row["extent"],
        state=row["state"],
        refers_to=refers_to,
        cluster=row["cluster"],
        restates=tuple(row["restates"].replace(";", " ").split()),
        counts_as=row["counts_as"],
        by=row["by"],
        reviewed_by=row["reviewed_by"],
        known=known,
        reason=row["reason"],
        line=row.line,
    )


def _is_read_again(reading: Reading, row: Row) -> bool:
    readers = [row["reviewed_by"], *reading.lists.reviews.get((row["report"], row["claim"]), ())]
    return any(name and not same_person(name, row["by"]) for name in readers)


def place(reading: Reading, row: Row) -> Place:
    """A row of places.csv."""
    reading.one_of(row, "kind", ("site", "port", "zone"), "the three kinds: site, port, zone")
    numbers: list[float | None] = []
    for column, most in (("lat", 90.0), ("lon", 180.0)):
        text = row[column]
        if text and (not _SIGNED.fullmatch(text) or abs(float(text)) > most):
            reading.fault(row, column, f"{text!r} is not a {column}itude in degrees", f"write -{most:g} to {most:g}")
            text = ""
        numbers.append(float(text) if text else None)
    if (row["lat"] == "") != (row["lon"] == ""):
        reading.fault(row, "lat", "one of lat and lon is blank", "give both or neither")
    aliases = tuple(name.strip() for name in row["aliases"].split("|") if name.strip())
    return Place(reading.identifier(row), row["name"], row["kind"], numbers[0], numbers[1], row["within"], aliases)


Maker = Callable[[Reading, Row], Report | None]
TABLES: dict[str, tuple[Sequence[str], Maker]] = {
    "observations": (OBSERVATIONS, observation),
    "commitments": (COMMITMENTS, commitment),
    "measures": (MEASURES, measure),
    "incidents": (INCIDENTS, incident),
    "vessels": (VESSELS, vessel),
}
"""Tables of reports: their columns, and what makes a report of a row."""
