"""Rows that no account can use, with file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from tallybook.errors import Fault
from tallybook.evidence.report import Report
from tallybook.holdings.plan import Plan
from tallybook.verdicts.inquiry import Case

TABLE = "observations"


def account_faults(case: Case) -> list[Fault]:
    """Rows that no account of the case can use: a ship in two places on one day, and in stages a count that is none."""
    found = {f for plan in case.plans.values() for f in _faults_of(case, plan, case.evidence.reports.values())}
    return sorted(found | set(_declared_without_a_number(case)))


def _declared_without_a_number(case: Case) -> Iterator[Fault]:
    """A row that is read as the declared number has one, or says nothing of it."""
    claims = {c.id for c in case.agreement.claims if c.quantity is not None}
    for bearing in case.evidence.bearings:
        report = case.evidence.reports.get(bearing.report)
        if bearing.claim in claims and bearing.counts_as == "declared" and report is not None and report.number is None:
            what = f"a declaration without a number (reports/bearings.csv:{bearing.line} reads it as `declared`)"
            yield Fault(f"reports/{report.table}.csv", report.line, "count", what, "give the number, or another `counts_as`")


def _faults_of(case: Case, plan: Plan, reports: Iterable[Report]) -> Iterator[Fault]:
    items = case.evidence.members(plan.item)
    mine = [r for r in reports if r.table == TABLE and r.item in items]
    file = f"reports/{TABLE}.csv"
    for report in mine if plan.stages else ():
        for name, number in (("count", report.count), ("count_low", report.low), ("count_high", report.high)):
            if number is None:
                continue
            if not isfinite(number) or number != int(number):
                yield Fault(file, report.line, name, f"{number:g} is no whole number of items", "count whole items")
            elif number < 0:
                yield Fault(file, report.line, name, f"{number:g} is less than none", "give a count from 0 up")
    yield from _in_two_places(case, [r for r in mine if r.vessel], file)


def _in_two_places(case: Case, reports: Sequence[Report], file: str) -> Iterator[Fault]:
    evidence = case.evidence
    by_ship: dict[str, list[Report]] = {}
    for report in reports:
        # A report that is not of one day does not say where a ship was on it.
        if report.starts.first.astimezone(case.tz).date() == report.ends.last.astimezone(case.tz).date():
            by_ship.setdefault(report.vessel.casefold(), []).append(report)
    for ships in by_ship.values():
        for n, later in enumerate(ships):
            for earlier in ships[:n]:
                overlap = earlier.starts.first <= later.ends.last and later.starts.first <= earlier.ends.last
                here, there = evidence.places_of(later.place), evidence.places_of(earlier.place)
                near = any(a in evidence.around(b) or b in evidence.around(a) for a in here for b in there)
                if overlap and here and there and not near:
                    day = later.starts.first.astimezone(case.tz).date()
                    what = (
                        f"{later.vessel} at {later.place} on {day}, and by {earlier.id} (line {earlier.line}) at {earlier.place}"
                    )
                    yield Fault(file, later.line, "place", what, "correct one of the rows, or give the hours")
