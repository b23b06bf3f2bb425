"""The marking of an answer: the join of everything that it was made from, what was weighed and rejected included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallybook.markings.marking import BOTTOM, Marking, join, join_all

if TYPE_CHECKING:
    from tallybook.core.explanation import Because
    from tallybook.verdicts.inquiry import Inquiry


@dataclass(frozen=True, slots=True)
class CaseMarkings:
    """The markings of a case: of its files (the agreement, items, places), and of rows by their ids.

    `rows` are those of reports, `exhibits` those of exhibits with who held them, `reviews` by the report that they are of.
    `bearings` go by (report, claim, known_at as written). `banner` and `portion` write a marking out.
    """

    banner: Callable[[Marking], str]
    portion: Callable[[Marking], str]
    files: Marking
    rows: Mapping[str, Marking] = field(default_factory=dict)
    sources: Mapping[str, Marking] = field(default_factory=dict)
    bearings: Mapping[tuple[str, str, str], Marking] = field(default_factory=dict)
    exhibits: Mapping[str, Marking] = field(default_factory=dict)
    reviews: Mapping[tuple[str, str], Marking] = field(default_factory=dict)

    @property
    def most(self) -> str:
        """The banner over everything that is there."""
        return self.banner(join_all((self.files, *(one for some in self._all() for one in some.values()))))

    def _all(self) -> Iterable[Mapping[Any, Marking]]:
        return self.rows, self.sources, self.bearings, self.exhibits, self.reviews

    def of(self, inquiry: Inquiry, reports: Iterable[str]) -> Marking:
        """The marking of what is made of some reports: theirs, their sources', their bearings', and the agreement's."""
        return join_all(self._parts(inquiry, reports))

    def _parts(self, inquiry: Inquiry, reports: Iterable[str]) -> Iterable[Marking]:
        yield self.files
        view, read, second = inquiry.view, self._read_of(inquiry), self._reviews_of(inquiry)
        for name in reports:
            report = view.reports.get(name)
            if report is None:
                continue
            yield self.rows.get(name, BOTTOM)
            yield self.sources.get(report.source, BOTTOM)
            for exhibit in view.exhibits_of(report):
                yield self.exhibits.get(exhibit.id, BOTTOM)
            yield from read.get(name, ())
            yield from second.get(name, ())

    def _reviews_of(self, inquiry: Inquiry) -> Mapping[str, list[Marking]]:
        """The markings of the reviews known by then, by their reports."""
        found: dict[str, list[Marking]] = {}
        for review in inquiry.case.evidence.reviews.rows if self.reviews else ():
            if review.known.last <= inquiry.question.known:
                found.setdefault(review.report, []).append(self.reviews.get((review.id, review.report), BOTTOM))
        return found

    def _read_of(self, inquiry: Inquiry) -> Mapping[str, list[Marking]]:
        """The markings of the bearings known by then, by their reports."""
        if "markings of bearings" not in inquiry.memo:
            found: dict[str, list[Marking]] = {}
            for rows in inquiry.view.bearings.values():
                for one in rows:
                    key = (one.report, one.claim, one.known.text)
                    found.setdefault(one.report, []).append(self.bearings.get(key, BOTTOM))
            inquiry.memo["markings of bearings"] = found
        kept: Mapping[str, list[Marking]] = inquiry.memo["markings of bearings"]
        return kept


def whole_banner(inquiry: Inquiry) -> str:
    """The banner over an answer to a question: every report known by then was weighed. Blank where nothing is marked."""
    found = inquiry.case.markings
    return found.banner(found.of(inquiry, inquiry.view.reports)) if found is not None else ""


def join_banner(first: Inquiry, second: Inquiry) -> str:
    """The banner over a comparison of two answers on one case. Blank where nothing is marked."""
    asked = [(inquiry.case.markings, inquiry) for inquiry in (first, second)]
    each = [(marked, marked.of(inquiry, inquiry.view.reports)) for marked, inquiry in asked if marked is not None]
    return each[-1][0].banner(join(*(marking for _, marking in each))) if each else ""


def portion_of(inquiry: Inquiry, reports: Iterable[str], trees: Iterable[Because] = ()) -> str:
    """The portion mark of what was made of some reports and of the leaves of explanation trees. Blank where nothing is marked."""
    found = inquiry.case.markings
    if found is None:
        return ""
    leaves = {leaf.report for tree in trees for leaf in tree.leaves() if leaf.report}
    return found.portion(found.of(inquiry, {*reports, *leaves}))
