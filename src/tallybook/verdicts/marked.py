"""The marking of an answer: the join of everything that it was made from, what was weighed and rejected included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tallybook.markings.marking import BOTTOM, Marking, join, join_all

if TYPE_CHECKING:
    from tallybook.core.explanation import Because
    from tallybook.verdicts.inquiry import Inquiry


@dataclass(frozen=True, slots=True)
class CaseMarkings:
    """The markings of a case: of its files (the agreement, items, places), and of rows by their ids.

    `bearings` go by (report, claim, known_at as written). `banner` and `portion` write a marking out.
    """

    banner: Callable[[Marking], str]
    portion: Callable[[Marking], str]
    files: Marking
    rows: Mapping[str, Marking] = field(default_factory=dict)
    sources: Mapping[str, Marking] = field(default_factory=dict)
    bearings: Mapping[tuple[str, str, str], Marking] = field(default_factory=dict)

    @property
    def most(self) -> str:
        """The banner over everything that is there."""
        return self.banner(join_all((self.files, *self.rows.values(), *self.sources.values(), *self.bearings.values())))

    def of(self, inquiry: Inquiry, reports: Iterable[str]) -> Marking:
        """The marking of what is made of some reports: theirs, their sources', their bearings', and the agreement's."""
        return join_all(self._parts(inquiry, reports))

    def _parts(self, inquiry: Inquiry, reports: Iterable[str]) -> Iterable[Marking]:
        yield self.files
        view, read = inquiry.view, self._read_of(inquiry)
        for name in reports:
            report = view.reports.get(name)
            if report is None:
                continue
            yield self.rows.get(name, BOTTOM)
            yield self.sources.get(report.source, BOTTOM)
            for exhibit in report.exhibits:
                yield self.rows.get(exhibit, BOTTOM)
            yield from read.get(name, ())

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
    found = first.case.markings
    if found is None:
        return ""
    return found.banner(join(*(found.of(inquiry, inquiry.view.reports) for inquiry in (first, second))))


def portion_of(inquiry: Inquiry, reports: Iterable[str], trees: Iterable[Because] = ()) -> str:
    """The portion mark of what was made of some reports and of the leaves of explanation trees. Blank where nothing is marked."""
    found = inquiry.case.markings
    if found is None:
        return ""
    leaves = {leaf.report for tree in trees for leaf in tree.leaves() if leaf.report}
    return found.portion(found.of(inquiry, {*reports, *leaves}))
