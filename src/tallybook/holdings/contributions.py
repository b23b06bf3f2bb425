"""What each look contributed: the answer without it, and how far it is from what all others say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tallybook.holdings.entries import Books, Entry
from tallybook.holdings.numbers import Array
from tallybook.holdings.totals import Totals, TotalsAccount, size_needed, solve_totals, span_of


@dataclass(frozen=True, slots=True)
class LookRow:
    """A look: what it counted, and how the answer would be without it. `surprise`: of so many such looks one would be as far from
    what all others say; None where nothing else speaks of its number.
    """

    report: str
    kind: str
    low: float
    high: float | None
    part: str
    trust: float
    p_none_left_without: float | None
    p_declared_out_without: float | None
    surprise: float | None


def look_rows(books: Books) -> tuple[LookRow, ...]:
    """A row for every look of the account."""
    rows = []
    for entry in books.looks:
        fewer = books.account.without(entry.report)
        without = solve_totals(fewer)
        has_start = books.remaining is not None
        rows.append(
            LookRow(
                entry.report,
                entry.kind,
                entry.low,
                entry.high,
                entry.part_name,
                entry.trust,
                without.p_none_left if has_start else None,
                without.p_declared_out if books.declared is not None else None,
                _surprise(entry, books, fewer, without),
            )
        )
    return tuple(rows)


def _surprise(entry: Entry, books: Books, fewer: TotalsAccount, solved: Totals) -> float | None:
    """Of how many such looks one would be as far out as this, from what all others say of its number."""
    most = max(size_needed(books.account), size_needed(fewer))
    if entry.kind in ("at_least", "all_there_was"):
        told: Array | None = solved.first
    elif entry.kind == "still_there":
        told = solved.left
    elif entry.kind == "removed":
        # A running total that has gone on since is no count of what is out now.
        largest = any(f.report == entry.report and f.high is not None for f in books.account.out)
        told = solved.out if largest and (fewer.out or fewer.parts) else None
    else:
        told = solved.loads.get(entry.part) if any(p.name == entry.part for p in fewer.parts) else None
    if told is None:
        return None
    low = round(entry.low / books.step)
    high = None if entry.high is None else round(entry.high / books.step)
    numbers = np.zeros(most + 1)
    numbers[: len(told)] = told[: most + 1]
    if high is None:
        # "At least so many" surprises by being too many: how likely is it that there are.
        share = float(numbers[low:].sum()) * entry.trust + (1 - entry.trust)
        return 1 / min(max(share, 1e-12), 1.0)
    given = entry.trust * numbers + (1 - entry.trust) / (span_of(books.account) + 1)
    here = float(given[low : high + 1].max())
    return 1 / min(max(float(given[given <= here * (1 + 1e-9)].sum()), 1e-12), 1.0)
