"""Second readers and exhibits in an answer: what is unreviewed, who dissents, what that would change, what a report rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tallybook.core.explanation import Because
from tallybook.evidence.exhibit import gaps, in_words
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.grade import Grade
from tallybook.evidence.report import Bearing, Report
from tallybook.evidence.review import Review, Reviewed
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.weigh import Weighed, rule_for

MOST_TRIED = 25
"""So many dissents of one claim are tried."""
MOST_REPORTS = 20_000
"""On a larger file no dissent is tried: each try reads the file anew."""


@dataclass(frozen=True, slots=True)
class Dissent:
    """A dissent on a report of one claim. `word` is what the verdict would be if it were taken; None where that was not tried."""

    report: str
    review: Review
    word: str | None

    def as_json(self) -> dict[str, Any]:
        """As a line of the board has it."""
        return {"report": self.report, **self.review.as_json(), "word": self.word}


def reviewed(inquiry: Inquiry, claim: str, item: Weighed) -> Reviewed | None:
    """What second readers make of a report as it bears on a claim; None where there is nothing to say."""
    return inquiry.case.evidence.reviews.of(
        item.report,
        claim,
        item.bearing,
        item.bears,
        inquiry.question.known,
        second_reader=inquiry.agreement.weighing.second_reader,
    )


def exhibit_steps(inquiry: Inquiry, report: Report) -> tuple[Because, ...]:
    """The exhibits that a report rests on, as known, each with its custody log."""
    known = inquiry.question.known
    steps = []
    for exhibit in inquiry.view.exhibits_of(report):
        facts = exhibit.visible(known)
        facts["gaps"] = [[gap.start, gap.end] for gap in gaps(exhibit, known)]
        steps.append(Because("exhibit", in_words(exhibit, known), exhibit=exhibit.id, facts=facts))
    return tuple(steps)


def unreviewed(inquiry: Inquiry, claim: str, cited: Iterable[Weighed]) -> dict[str, tuple[str, ...]]:
    """Of some reports, those that the desk wants read a second time and nobody has: what of each."""
    if not inquiry.agreement.weighing.second_reader:
        return {}
    found = {item.report.id: reviewed(inquiry, claim, item) for item in cited}
    return {name: said.unreviewed for name, said in found.items() if said is not None and said.unreviewed}


def dissents(inquiry: Inquiry, claim: str, weighed: Sequence[Weighed]) -> list[tuple[Weighed, Review]]:
    """Every dissent known on a report that has been read on a claim, in the order in which they were filed."""
    reviews = inquiry.case.evidence.reviews
    if not reviews:
        return []
    named = set(reviews.reports_on(claim))
    found = []
    for item in weighed if named else ():
        if item.report.id in named and (said := reviewed(inquiry, claim, item)) is not None:
            found += [(item, review) for review in said.dissent]
    return sorted(found, key=lambda pair: (pair[1].known.last, pair[1].line))


def under(inquiry: Inquiry, item: Weighed, review: Review) -> Inquiry:
    """The same question, had the report been graded, or read on the claim, as the dissent has it; kept with the question."""
    key = ("dissent", review.id)
    if key not in inquiry.memo:
        inquiry.memo[key] = _under(inquiry, item, review)
    found: Inquiry = inquiry.memo[key]
    return found


def _under(inquiry: Inquiry, item: Weighed, review: Review) -> Inquiry:
    file = inquiry.case.evidence
    if not review.claim:
        reports = dict(file.reports) | {item.report.id: replace(item.report, grade=Grade(review.instead))}
        return inquiry.on_other_evidence(_other(file, reports, list(file.bearings)))
    if item.bearing is not None:
        changed = replace(item.bearing, bears=review.instead)
        bearings = [changed if bearing is item.bearing else bearing for bearing in file.bearings]
    else:
        bearings = [*file.bearings, _as_bearing(inquiry, item, review)]
    return inquiry.on_other_evidence(_other(file, dict(file.reports), bearings))


def _as_bearing(inquiry: Inquiry, item: Weighed, review: Review) -> Bearing:
    """What a rule reads in a report, as a bearing, but for which way it bears."""
    claim, agreement = inquiry.agreement.claim(review.claim), inquiry.agreement
    rule = rule_for(claim, item.report, inquiry.case.evidence, agreement.parties) if claim else None
    return Bearing(
        report=item.report.id,
        claim=review.claim,
        bears=review.instead,
        extent=rule.extent if rule else "whole",
        state=item.state,
        refers_to=None,
        cluster=item.cluster,
        restates=item.restates,
        counts_as=item.counts_as,
        by=review.by,
        reviewed_by="",
        known=review.known,
        reason=review.reason,
        line=0,
    )


def _other(file: EvidenceFile, reports: dict[str, Report], bearings: list[Bearing]) -> EvidenceFile:
    return EvidenceFile(reports, file.sources, tuple(bearings), file.places, file.items, file.exhibits, file.reviews)


def receipt_rows(inquiry: Inquiry) -> dict[str, list[Any]]:
    """What the answer could see in the optional tables, by table; a table without rows is left out."""
    view, file, known = inquiry.view, inquiry.case.evidence, inquiry.question.known
    if not view.is_whole:
        return {}
    resting: dict[str, list[str]] = {}
    for report in view.reports.values() if file.exhibits else ():
        for exhibit in view.exhibits_of(report):
            resting.setdefault(exhibit.id, []).append(report.id)
    exhibits = [
        {**exhibit.visible(known), "reports": sorted(resting.get(exhibit.id, ()))}
        for exhibit in sorted(file.exhibits.values(), key=lambda exhibit: exhibit.id)
        if exhibit.known.last <= known
    ]
    reviews = [row.visible() for row in sorted(file.reviews.rows, key=lambda row: row.id) if row.known.last <= known]
    found = {"reports/exhibits.csv": exhibits, "reports/reviews.csv": reviews}
    return {name: rows for name, rows in found.items() if rows}
