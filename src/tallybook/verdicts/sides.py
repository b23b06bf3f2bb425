"""What a party could know: what it said or did, what was said to it, what is public, and what is marked as known to it."""

from __future__ import annotations

from dataclasses import replace

from tallybook.agreement.agreement import Agreement
from tallybook.evidence.file import View
from tallybook.evidence.report import Report
from tallybook.verdicts.weigh import said_by, speaks_as


def seen_by(view: View, side: str, agreement: Agreement) -> View:
    """The evidence as one party could have it. Bearings are ours, and are kept for the reports that it could know."""
    reports = {name: report for name, report in view.reports.items() if report_known_to(report, side, agreement)}
    bearings = {claim: [b for b in rows if b.report in reports] for claim, rows in view.bearings.items()}
    return replace(view, reports=reports, bearings=bearings)


def report_known_to(report: Report, side: str, agreement: Agreement) -> bool:
    """Whether a party could know a report. One that says nothing of it is known to those who filed it, and to nobody else."""
    if report.known_to:
        return side in report.known_to or "all" in report.known_to
    if said_by(report, side, agreement.parties):
        return True
    if report.to and speaks_as(report.to, agreement.parties[side], side):
        return True
    method = agreement.vocabulary.methods.get(report.method)
    return method is not None and method.public


def side_has(agreement: Agreement, instrument: str, side: str) -> bool:
    """Whether a party made an instrument, was addressed by it, or is said to know it."""
    found = agreement.instruments.get(instrument)
    if found is None:
        return False
    return side in (found.by, *found.to, *found.binds, *found.known_to) or "all" in found.known_to
