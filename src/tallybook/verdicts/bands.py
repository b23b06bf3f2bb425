"""The account day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tallybook.holdings.entries import Books, Entry, keep_books
from tallybook.holdings.plan import Plan
from tallybook.verdicts.finding import Finding
from tallybook.verdicts.inquiry import Inquiry

MOST_DAYS = 400
"""Most days for which a band is worked out; a longer time is cut into equal steps."""


@dataclass(frozen=True, slots=True)
class Band:
    """The account at the end of a day, from what is known now. `looks`: reports whose time ended on that day."""

    day: datetime
    out: tuple[float, float, float]
    left: tuple[float, float, float] | None
    p_none_left: float | None
    looks: tuple[str, ...]


def bands_of(
    inquiry: Inquiry, entries: Sequence[Entry], plan: Plan, finding: Finding, books: Books, named: int
) -> tuple[Band, ...]:
    """The account day by day, as all that is known now tells it: counts of a day speak from that day on."""
    dated = [e for e in entries if e.kind.startswith("removed") or e.kind == "still_there"]
    other = [e for e in entries if e not in dated]
    first = min([e.at for e in entries], default=inquiry.on)
    since = min((begun.since.first for _, begun in finding.duties if begun.since.text), default=first)
    start = min(max(since, first - timedelta(days=7)), inquiry.on)
    tz = inquiry.case.tz
    day = start.astimezone(tz).replace(hour=23, minute=59, second=59, microsecond=0)
    last = inquiry.on.astimezone(tz)
    total = max((last.date() - day.date()).days, 0) + 1
    stride = max(1, -(-total // MOST_DAYS))
    out: list[Band] = []
    previous, kept = day - timedelta(days=stride), -1
    while True:
        end = min(day, last)
        known = [e for e in dated if e.at <= end]
        if len(known) != kept:
            solved = keep_books([*other, *known], plan, (end - since).total_seconds() / 86_400, named)
            kept = len(known)
        # A running total that has gone on since was a look of its day.
        told = {e.report: e for e in [*solved.looks, *books.looks] if e in dated}
        looks = tuple(e.report for e in told.values() if previous < e.at <= end)
        out.append(Band(end, solved.removed, solved.remaining, solved.p_none_left, looks))
        if day >= last:
            return tuple(out)
        previous, day = end, day + timedelta(days=stride)
