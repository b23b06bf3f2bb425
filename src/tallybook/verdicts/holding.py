"""The account of one quantity as people read it: what was declared, counted and by whom, what is left, what is assumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from tallybook.agreement.claim import Claim
from tallybook.core.chance import chance
from tallybook.evidence.report import Report
from tallybook.holdings.contributions import LookRow, look_rows
from tallybook.holdings.entries import Books, Unused
from tallybook.holdings.numbers import Array
from tallybook.holdings.plan import Plan
from tallybook.holdings.rivals import Reading, Varied, one_left, readings_of, varied
from tallybook.holdings.ships import Count, Ship, Total, reconcile, ship_table
from tallybook.holdings.totals import UNLISTED, UNLISTED_KNOWN, points
from tallybook.verdicts.bands import Band, bands_of
from tallybook.verdicts.finding import Finding, find
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.quantities import entries_of, plan_of, ships_named
from tallybook.verdicts.weigh import is_statement


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """A place that the account is about, and the last report that looked there."""

    place: str
    name: str
    report: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step from what was declared to what is left, as 5 %, median and 95 % points."""

    name: str
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Holding:
    """The account of a claim's quantity under a question."""

    inquiry: Inquiry
    claim: Claim
    finding: Finding
    plan: Plan
    books: Books
    first: tuple[float, float, float]
    waterfall: tuple[Step, ...]
    ships: tuple[Ship, ...]
    ships_named: int | None
    ships_named_by: str
    totals: tuple[Total, ...]
    looks: tuple[LookRow, ...]
    unused: tuple[Unused, ...]
    places: tuple[PlaceSeen, ...]
    readings: tuple[Reading, ...]
    one_left: tuple[Reading, ...]
    varied: tuple[Varied, ...]
    bands: tuple[Band, ...]
    assumed: tuple[str, ...]
    correctness_because: tuple[str, ...]
    completeness_because: tuple[str, ...]
    p_nothing_undeclared: float = field(default=0.0)


def holding_of(inquiry: Inquiry, claim: Claim) -> Holding:
    """The account of a claim's quantity. Raises ModelError where there are too many things to count one by one."""
    finding = find(inquiry, claim)
    books = finding.account
    assert isinstance(books, Books)
    plan = plan_of(inquiry, claim)
    entries, _ = entries_of(inquiry, claim, finding.weighed)
    ships = ship_table(_ship_counts(inquiry, claim, plan, books))
    named, named_by = ships_named(inquiry, plan)
    totals = reconcile(_total_counts(inquiry, claim, plan, books), _ship_counts(inquiry, claim, plan, books))
    places = _places(inquiry, claim, plan, finding)
    solved = books.solved
    return Holding(
        inquiry=inquiry,
        claim=claim,
        finding=finding,
        plan=plan,
        books=books,
        first=_triple(solved.first, books.step),
        waterfall=_waterfall(books),
        ships=ships,
        ships_named=named,
        ships_named_by=named_by,
        totals=totals,
        looks=look_rows(books),
        unused=books.unused,
        places=places,
        readings=readings_of(books, totals),
        one_left=one_left(books),
        varied=varied(books, plan),
        bands=bands_of(inquiry, entries, plan, finding, books, named or 0),
        assumed=_assumed(books, plan),
        correctness_because=_correctness(finding, books, ships),
        completeness_because=_completeness(finding, books, places),
        p_nothing_undeclared=solved.p_nothing_undeclared,
    )


def _triple(weights: Array, step: float) -> tuple[float, float, float]:
    low, middle, high = points(weights)
    return round(low * step, 9), round(middle * step, 9), round(high * step, 9)


def _waterfall(books: Books) -> tuple[Step, ...]:
    """From declared to left; undeclared and brought in stand together, since counts of what is left cannot tell them apart."""
    solved, step = books.solved, books.step
    start = float(books.account.declared) * step
    more = np.zeros(max(1, len(solved.first) - books.account.declared))
    more[: len(solved.first) - books.account.declared] = solved.first[books.account.declared :]
    more[0] += solved.first[: books.account.declared].sum()
    name = "declared" if books.declared is not None else "the largest figure on file"
    steps = [Step(name, start, start, start)]
    if books.remaining is not None:
        added = "not declared, or brought in since" if books.account.arrivals else "not declared"
        steps.append(Step(added, *_triple(more, step)))
    steps.append(Step("out", *books.removed))
    if books.remaining is not None:
        steps.append(Step("left", *books.remaining))
    return tuple(steps)


def _ship_counts(inquiry: Inquiry, claim: Claim, plan: Plan, books: Books) -> list[Count]:
    """Every figure on file for a single ship, and which of them are looks of the account."""
    assert claim.quantity is not None
    items = inquiry.case.evidence.members(claim.quantity.item)
    together = {name.casefold() for name in plan.ships.together}
    looks = {e.report: e for e in books.looks if e.kind == "removed_by_ship"}
    same = {e.report for e in books.looks} | {u.report for u in books.unused}
    read = {w.report.id for w in _finding(inquiry, claim).weighed if w.counts_as == "removed_by_ship"}
    out = []
    for report in inquiry.view.reports.values():
        if report.item not in items or not report.vessel or report.vessel.casefold() in together:
            continue
        if report.table != "vessels" and report.id not in read:
            continue
        if report.ends.last > inquiry.on or (report.number is None and report.declared is None):
            continue
        entry = looks.get(report.id)
        out.append(_count(inquiry, report, entry.trust if entry else None, report.id in same))
    return out


def _finding(inquiry: Inquiry, claim: Claim) -> Finding:
    return find(inquiry, claim)


def _count(inquiry: Inquiry, report: Report, trust: float | None, weighed: bool) -> Count:
    exact = report.count is not None
    return Count(
        report=report.id,
        ship=report.vessel,
        declared=report.declared,
        low=report.number,
        high=report.count if exact else report.high,
        by=report.who,
        source=report.source,
        at=report.ends.last.astimezone(inquiry.case.tz),
        known=report.known.last.astimezone(inquiry.case.tz),
        trust=trust,
        weighed=weighed,
    )


def _total_counts(inquiry: Inquiry, claim: Claim, plan: Plan, books: Books) -> list[Count]:
    """Every running total on file: looks, restatements of them, and rows of all ships together."""
    assert claim.quantity is not None
    items = inquiry.case.evidence.members(claim.quantity.item)
    together = {name.casefold() for name in plan.ships.together}
    trust = {e.report: e.trust for e in books.looks}
    totals = {w.report.id for w in _finding(inquiry, claim).weighed if w.counts_as == "removed" and not w.is_word}
    out = []
    for report in inquiry.view.reports.values():
        mine = report.id in totals or (report.table == "vessels" and report.vessel.casefold() in together)
        if mine and report.item in items and report.number is not None and report.ends.last <= inquiry.on:
            out.append(_count(inquiry, report, trust.get(report.id), report.id in trust))
    return out


def _places(inquiry: Inquiry, claim: Claim, plan: Plan, finding: Finding) -> tuple[PlaceSeen, ...]:
    """Where was looked since the duty began, of the places that the account is about."""
    wanted = plan.places or claim.places or (claim.coverage.places if claim.coverage else ())
    file = inquiry.case.evidence
    since = min((begun.since.first for _, begun in finding.duties if begun.since.text), default=None)
    vocabulary = inquiry.agreement.vocabulary
    seen: dict[str, Report] = {}
    for report in inquiry.view.reports.values():
        found_out = bool(report.stage) or report.number is not None
        looked = found_out and report.table == "observations" and not is_statement(report, vocabulary)
        if not looked or report.starts.first > inquiry.on or (since is not None and report.ends.last < since):
            continue
        for outer in {o for place in file.places_of(report.place) for o in file.around(place)}:
            if outer not in seen or seen[outer].ends.last < report.ends.last:
                seen[outer] = report
    out = []
    for place in wanted:
        name = file.places[place].name if place in file.places else place
        last = seen.get(place)
        out.append(PlaceSeen(place, name, last.id if last else "", last.ends.last if last else None))
    return tuple(out)


def _assumed(books: Books, plan: Plan) -> tuple[str, ...]:
    """What the numbers rest on that nobody has reported."""
    prior = books.account.undeclared
    base = "beside those declared" if books.declared is not None else "beyond the largest figure on file, since none is declared"
    out = []
    if books.remaining is not None:
        because = f": {plan.undeclared.because}" if plan.undeclared.because else ""
        mean = f"{prior.mean * books.step:g} more on average"
        out.append(f"nothing was there {base}, with probability {prior.none:g}; if there was more, {mean}{because}")
    out.append("what nobody counted as it left has not left")
    if books.account.arrivals:
        out.append(f"{books.account.arrivals * books.step:.3g} brought in since the duty began, on average")
    else:
        out.append("nothing has been brought in since the duty began")
    out.append("a report is right with the odds of its grade; where it is wrong, any number is as likely")
    if any(f.high is not None for f in books.account.out) and books.account.parts:
        share = UNLISTED_KNOWN if books.account.parts_uncounted else UNLISTED
        out.append(f"a total holds items from ships that nobody counted by themselves, with probability {share:g}")
    return tuple(out)


def _correctness(finding: Finding, books: Books, ships: Sequence[Ship]) -> tuple[str, ...]:
    out = []
    unit = finding.claim.quantity.units if finding.claim.quantity and finding.claim.quantity.units else "items"
    if books.declared is None:
        out.append("no number was declared, so nothing says that all that was declared is out")
    elif books.p_declared_removed is not None:
        all_out = chance(books.p_declared_removed)
        out.append(f"{books.removed[1]:g} of {books.declared:g} declared {unit} out; all of them with probability {all_out}")
    for ship in ships:
        if ship.difference:
            more = "more" if ship.difference > 0 else "fewer"
            out.append(f"{ship.name}: {abs(ship.difference):g} {more} counted than declared ({ship.report})")
    missing = [m for m in finding.methods.missing if m]
    if finding.requirement and finding.methods.met and not missing:
        out.append("every method that the agreement names has been used")
    return tuple(out)


def _completeness(finding: Finding, books: Books, places: Sequence[PlaceSeen]) -> tuple[str, ...]:
    out = []
    if books.p_none_left is not None:
        out.append(f"none left with probability {chance(books.p_none_left)}")
    for entry in books.beside:
        if books.declared is not None and entry.low > books.declared:
            out.append(f"{entry.report} estimates {entry.low:g}, {entry.low - books.declared:g} more than declared")
    never = [p.name for p in places if p.at is None]
    if never:
        out.append(f"never looked at since the duty began: {', '.join(never)}")
    if not any(e.kind in ("still_there", "all_there_was") for e in books.looks):
        out.append("no look at the whole has found that none is left")
    if finding.methods.missing:
        out.append(f"the required proof lacks {', '.join(finding.methods.missing)}")
    if finding.methods.in_part:
        out.append(f"only parts were shown by {', '.join(finding.methods.in_part)}")
    return tuple(out)


def quantities(inquiry: Inquiry, keep: Callable[[Claim], bool]) -> list[Claim]:
    """The claims about a quantity that a question asks for."""
    return [c for c in inquiry.agreement.claims if c.quantity is not None and keep(c)]
