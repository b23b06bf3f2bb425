"""The numbers that reports of a claim give, as entries of an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from tallybook.agreement.claim import Claim
from tallybook.core.bounds import Bounds
from tallybook.evidence.grade import likelihood_ratio
from tallybook.holdings.entries import Books, Entry, Unused, keep_books
from tallybook.holdings.plan import Plan
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.weigh import Weighed, Weights

MOST_TRUST = 1 - 1e-9


def trust_of(worth: Bounds) -> float:
    """The probability that a number is right: odds equal to the geometric mean of the ratios of its grade."""
    odds = sqrt(worth.low * worth.high)
    return min(odds / (1 + odds), MOST_TRUST)


def plan_of(inquiry: Inquiry, claim: Claim) -> Plan:
    """What the case says of the account of a claim's quantity, or the defaults."""
    assert claim.quantity is not None
    return inquiry.case.plans.get(claim.quantity.item) or Plan(claim.quantity.item)


def books_of(inquiry: Inquiry, claim: Claim, weighed: Sequence[Weighed], since: float) -> Books:
    """The account of a claim's quantity. `since`: days that things may have been brought in."""
    entries, unused = entries_of(inquiry, claim, weighed)
    plan = plan_of(inquiry, claim)
    books = keep_books(entries, plan, since, ships_named(inquiry, plan)[0] or 0)
    return replace(books, unused=(*books.unused, *unused))


def ships_named(inquiry: Inquiry, plan: Plan) -> tuple[int | None, str]:
    """The greatest number of ships that was named, and by which report."""
    wanted = plan.ships
    if not wanted.number_item:
        return None, ""
    items = inquiry.case.evidence.members(wanted.number_item)
    most = inquiry.view.largest(items, wanted.number_methods, inquiry.on)
    return (int(most.number or 0), most.id) if most else (None, "")


def entries_of(inquiry: Inquiry, claim: Claim, weighed: Sequence[Weighed]) -> tuple[list[Entry], list[Unused]]:
    """What each report that was read on the claim says of its quantity, and which say nothing that counts."""
    assert claim.quantity is not None
    weights = Weights.of(inquiry.agreement.weighing)
    items = inquiry.case.evidence.members(claim.quantity.item)
    entries, unused = [], []
    # By id, so that the order of rows changes no digit of a sum.
    for w in sorted(weighed, key=lambda w: w.report.id):
        report, low = w.report, w.report.number
        if low is None or report.item not in items:
            continue
        worth = likelihood_ratio(report.grade if report.grade.text else w.grade, weights.overrides)
        why = _says_nothing(w, worth)
        if why:
            unused.append(Unused(report.id, why))
            continue
        kind, part, name = w.counts_as, report.vessel.casefold(), report.vessel
        if kind == "removed_by_ship" and not part:
            kind = "removed"
        elif kind == "removed_at_site":
            part = " ".join(inquiry.case.evidence.places_of(report.place)) or report.place.casefold()
            name = report.place
        high = report.count if report.count is not None else report.high
        high = max(high, low) if high is not None else None
        trust = trust_of(worth)
        entries.append(Entry(report.id, kind, low, high, trust, report.ends.last, report.known.last, part, name, w.cluster))
    return entries, unused


def _says_nothing(w: Weighed, worth: Bounds) -> str:
    if w.counts_as == "none":
        by = w.why if w.bearing else "no rule or analyst says what its number counts"
        return f"read as no count that the account can use: {by}"
    if w.is_word and w.counts_as != "declared":
        return "the word of the party that owes: a declaration, not a look"
    if w.is_baseline and w.counts_as.startswith("removed"):
        return "from before the duty began"
    if worth.low < 1:
        return f"its grade ({w.report.grade.text or 'none'}) cannot carry a number"
    return ""
