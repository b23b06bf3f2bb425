"""The optional tables of a case: exhibits, who held them, and what second readers say. What they name must be there."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from tallybook.errors import Fault
from tallybook.evidence.exhibit import Exhibit, Held
from tallybook.evidence.ingest import exhibit_rows as ingest
from tallybook.evidence.ingest.rows import Lists, Reading
from tallybook.evidence.ingest.table import Row
from tallybook.evidence.report import Bearing, Report
from tallybook.evidence.review import Review, same_person

EXHIBITS = "reports/exhibits.csv"
CUSTODY = "reports/custody.csv"
REVIEWS = "reports/reviews.csv"
COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    EXHIBITS: (ingest.EXHIBITS, ingest.MORE_OF_EXHIBITS),
    CUSTODY: (ingest.CUSTODY, ()),
    REVIEWS: (ingest.REVIEWS, ()),
}
"""The columns of each table: those it must have, and those it may have."""
MOST_ROWS = 100_000
_WITH_GRADE = "observations"

Filed = TypeVar("Filed", Exhibit, Review)


@dataclass(slots=True)
class Extras:
    """What the optional tables hold, as rows and as read. What an `unread` table would name is not asked for."""

    rows: Mapping[str, list[Row]]
    unread: Container[str] = ()
    faults: list[Fault] = field(default_factory=list)

    def reviewers(self) -> dict[tuple[str, str], list[str]]:
        """Who has reviewed the bearing of a report on a claim, by (report, claim)."""
        found: dict[tuple[str, str], list[str]] = {}
        for row in self.rows[REVIEWS]:
            if row["claim"]:
                found.setdefault((row["report"], row["claim"]), []).append(row["by"])
        return found

    def exhibits(self, lists: Lists, there: Container[object], sources: Container[object]) -> dict[str, Exhibit]:
        """The exhibits with their custody logs. `there` are the ids of reports, `sources` those of sources."""
        reading = Reading(EXHIBITS, lists)
        found = self._unique(reading, [ingest.exhibit(reading, row) for row in self._rows(reading)])
        hashes: dict[str, str] = {}
        for row in self.rows[EXHIBITS]:
            if row["sha256"] and hashes.setdefault(row["sha256"], row["id"]) != row["id"]:
                what = f"the same file as {hashes[row['sha256']]}"
                reading.fault(row, "sha256", what, "file one exhibit once, and let reports name it")
            if row["source_id"] and row["source_id"] not in sources:
                what = f"no source {row['source_id']!r} in reports/sources.csv"
                reading.fault(row, "source_id", what, "add the source, or correct the id")
            for name in (part.strip() for part in row["reports"].split(";")):
                if name and name not in there:
                    reading.fault(row, "reports", f"no report {name!r}", "correct the id, or add the report")
        self.faults += reading.faults
        logs = self._custody(lists, found)
        return {name: replace(exhibit, custody=tuple(logs.get(name, ()))) for name, exhibit in found.items()}

    def _custody(self, lists: Lists, exhibits: Mapping[str, Exhibit]) -> dict[str, list[Held]]:
        reading = Reading(CUSTODY, lists)
        named = {row["id"] for row in self.rows[EXHIBITS]}
        logs: dict[str, list[Held]] = {}
        first: dict[tuple[str, str, str], int] = {}
        for row in self._rows(reading):
            key = (row["exhibit"], row["held_by"], row["from"])
            if first.setdefault(key, row.line) != row.line:
                what = f"{row['held_by']} from {row['from']} twice (first on line {first[key]})"
                reading.fault(row, "from", what, "keep one")
            if row["exhibit"] not in named and EXHIBITS not in self.unread:
                reading.fault(
                    row, "exhibit", f"no exhibit {row['exhibit']!r} in {EXHIBITS}", "correct the id, or add the exhibit"
                )
            exhibit = exhibits.get(row["exhibit"])
            entry = ingest.held(reading, row, exhibit.made if exhibit else None)
            if entry is not None:
                logs.setdefault(entry.exhibit, []).append(entry)
        self.faults += reading.faults
        return logs

    def named_by_reports(self, reports: Iterable[Report]) -> None:
        """Every exhibit that a report names has a row."""
        named = {row["id"] for row in self.rows[EXHIBITS]}
        for report in reports if EXHIBITS not in self.unread else ():
            for name in report.exhibits:
                if name not in named:
                    what = f"no exhibit {name!r} in {EXHIBITS}"
                    self.faults.append(
                        Fault(f"reports/{report.table}.csv", report.line, "exhibits", what, "correct the id, or add the exhibit")
                    )

    def reviews(
        self, lists: Lists, reports: Mapping[str, Report], bearings: Sequence[Bearing], there: Container[object]
    ) -> list[Review]:
        """The reviews, each by somebody other than the author of what it is of, of something that was on file."""
        reading = Reading(REVIEWS, lists)
        rows = list(self._rows(reading))
        made = [ingest.review(reading, row) for row in rows]
        found = self._unique(reading, made)
        read: dict[tuple[str, str], list[Bearing]] = {}
        for bearing in bearings:
            read.setdefault((bearing.report, bearing.claim), []).append(bearing)
        for row, review in zip(rows, made, strict=True):
            report = reports.get(row["report"])
            if row["report"] not in there:
                reading.fault(row, "report", f"no report {row['report']!r}", "correct the id, or add the report")
            elif report is not None and review is not None:
                _check_review(reading, row, review, report, read.get((review.report, review.claim), ()))
        self.faults += reading.faults
        return list(found.values())

    def _rows(self, reading: Reading) -> list[Row]:
        rows = self.rows[reading.file]
        if len(rows) > MOST_ROWS:
            self.faults.append(Fault(reading.file, 0, "", f"more than {MOST_ROWS:,} rows", "import it into a ledger"))
            return []
        return rows

    @staticmethod
    def _unique(reading: Reading, made: Iterable[Filed | None]) -> dict[str, Filed]:
        found: dict[str, Filed] = {}
        for thing in made:
            if thing is None:
                continue
            if thing.id in found:
                what = f"id {thing.id!r} twice (first on line {found[thing.id].line})"
                reading.faults.append(Fault(reading.file, thing.line, "id", what, "give each its own"))
            found.setdefault(thing.id, thing)
        return found


def _check_review(reading: Reading, row: Row, review: Review, report: Report, bearings: Sequence[Bearing]) -> None:
    if review.known.last < report.known.last:
        reading.fault(row, "known_at", f"{review.known.text} is before {report.id} was known", "correct one of the two")
    elif not review.claim and (report.table != _WITH_GRADE or not (report.grade.text or review.grade)):
        reading.fault(row, "report", f"{report.id} has no grade to review", "name a graded report, or the claim of a bearing")
    elif not review.claim and report.graded_by and same_person(report.graded_by, review.by):
        reading.fault(row, "by", f"{review.by} gave the grade", "a second reader is somebody else")
    elif review.claim:
        standing = [bearing for bearing in bearings if bearing.known.last <= review.known.last]
        latest = max(standing, key=lambda bearing: (bearing.known.last, bearing.line), default=None)
        if latest is not None and same_person(latest.by, review.by):
            reading.fault(row, "by", f"{review.by} made this bearing", "a second reader is somebody else; or file a new bearing")
        elif latest is None and bearings:
            what = f"{review.known.text} is before {report.id} was read on {review.claim}"
            reading.fault(row, "known_at", what, "correct one of the two")
