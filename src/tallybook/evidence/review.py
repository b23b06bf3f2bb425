"""Reviews: who read a grade or a bearing a second time, who dissents, and what nobody but its author has read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallybook.core.time import Moment
from tallybook.evidence.report import Bearing, Report

GRADE = "grade"
BEARING = "bearing"
AGREES = "agrees"
DISSENTS = "dissents"


@dataclass(frozen=True, slots=True)
class Review:
    """A row of reviews.csv: what somebody other than its author says of the grade on a report, or of how it bears on a claim.

    `claim` is blank for a grade. A dissent gives the grade, or which way the report bears, that the reader would give instead.
    """

    id: str
    report: str
    claim: str
    by: str
    known: Moment
    what: str
    grade: str
    bears: str
    reason: str
    line: int = 0

    @property
    def about(self) -> str:
        """`grade` or `bearing`."""
        return BEARING if self.claim else GRADE

    @property
    def instead(self) -> str:
        """What the reader would give instead; blank where they agree."""
        return (self.bears if self.claim else self.grade) if self.what == DISSENTS else ""

    def as_json(self) -> dict[str, Any]:
        """A dissent as facts and JSON have it."""
        return {
            "id": self.id,
            "by": self.by,
            "of": self.about,
            "instead": self.instead,
            "known": self.known.text,
            "reason": self.reason,
        }

    def visible(self) -> dict[str, Any]:
        """The row for the receipt."""
        return {**self.as_json(), "report": self.report, "claim": self.claim, "what": self.what}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What second readers make of one report on one claim, on what is known.

    `readers` are the second readers of the grade and of the bearing, `unreviewed` names those of the two that the desk wants
    read a second time and that nobody has.
    """

    graded_by: str
    grade_readers: tuple[str, ...]
    bearing_readers: tuple[str, ...]
    unreviewed: tuple[str, ...]
    dissent: tuple[Review, ...]

    def facts(self) -> dict[str, Any]:
        """As a fact of the step of the report."""
        return {
            "graded_by": self.graded_by,
            "grade_readers": list(self.grade_readers),
            "bearing_readers": list(self.bearing_readers),
            "unreviewed": list(self.unreviewed),
            "dissent": [review.as_json() for review in self.dissent],
        }

    def in_words(self) -> str:
        """In sentences, each after a blank; none where there is nothing that a reader must not miss."""
        told = f" Unreviewed: {' and '.join(self.unreviewed)}." if self.unreviewed else ""
        return told + "".join(f" {dissent_in_words(review)}." for review in self.dissent)


def dissent_in_words(review: Review) -> str:
    """A dissent in words, without a full stop."""
    return f"{review.by} dissents ({review.instead}): {review.reason.rstrip('.')}"


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: capitals and blanks do not matter."""
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


class Reviews:
    """The reviews of a file, by report."""

    def __init__(self, rows: Iterable[Review]) -> None:
        self.rows = tuple(rows)
        self._of: dict[tuple[str, str], list[Review]] = {}
        for row in self.rows:
            self._of.setdefault((row.report, row.claim), []).append(row)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def latest(self, report: str, claim: str, known: datetime) -> list[Review]:
        """The latest review by each person of a grade (`claim` blank) or of a bearing, as known, in the order of the rows."""
        found: dict[str, Review] = {}
        rows = [row for row in self._of.get((report, claim), ()) if row.known.last <= known]
        for row in sorted(rows, key=lambda row: (row.known.last, row.line)):
            found[" ".join(row.by.casefold().split())] = row
        return sorted(found.values(), key=lambda row: (row.known.last, row.line))

    def reports_on(self, claim: str) -> list[str]:
        """Every report with a review of its grade or of how it bears on a claim, in the order of the rows."""
        return list(dict.fromkeys(row.report for row in self.rows if row.claim in ("", claim)))

    def of(
        self, report: Report, claim: str, bearing: Bearing | None, bears: str, known: datetime, *, second_reader: bool
    ) -> Reviewed | None:
        """What second readers make of a report that bears one way on a claim; None where there is nothing to say.

        A review counts for a bearing made no later than it. A dissent stands until its author takes it back, or the reading
        becomes what they ask for: a new bearing that says the same does not do away with it.
        """
        grades, readings = self.latest(report.id, "", known), self.latest(report.id, claim, known)
        if report.graded_by is None and not grades and not readings:
            return None
        author = report.graded_by or ""
        grade_readers = _readers(author, report.grade_reviewed_by, grades)
        made = bearing.known.last if bearing else None
        since = [review for review in readings if made is None or review.known.last >= made]
        bearing_readers = _readers(bearing.by if bearing else "", bearing.reviewed_by if bearing else "", since)
        short = []
        if second_reader and report.grade.text and report.graded_by is not None and not grade_readers:
            short.append(GRADE)
        if second_reader and bearing is not None and bears != "neither" and not bearing_readers:
            short.append(BEARING)
        dissent = [*_dissent(author, report.grade.text, grades), *_dissent(bearing.by if bearing else "", bears, readings)]
        return Reviewed(author, grade_readers, bearing_readers, tuple(short), tuple(dissent))


def _readers(author: str, named: str, reviews: Sequence[Review]) -> tuple[str, ...]:
    """Who other than the author has read it: the one named beside it, then those who filed a review."""
    found: list[str] = []
    for name in (named, *(review.by for review in reviews)):
        if name and not same_person(name, author) and not any(same_person(name, other) for other in found):
            found.append(name)
    return tuple(found)


def _dissent(author: str, given: str, reviews: Sequence[Review]) -> list[Review]:
    return [row for row in reviews if row.instead and row.instead != given and not same_person(row.by, author)]
