"""The account of a quantity with stages in sentences, and its steps from declared to left."""

from __future__ import annotations

from tallybook.core.chance import chance
from tallybook.verdicts.holding_words import band, likely, number, units
from tallybook.verdicts.staged import StagedHolding


def staged_answer(held: StagedHolding) -> tuple[str, ...]:
    """The answer in a few sentences."""
    books = held.books
    name = units(held, held.declared)
    told = f"{number(held.declared)} {name} declared ({held.declared_by})" if held.declared_by else "No number was declared"
    left = held.left[-1]
    p, error = held.p_none_left, f", standard error {held.standard_error:.1g}" if held.standard_error else ""
    amounts = f"{band(books.removed, 'out')}; {band((left.low, left.middle, left.high), 'left')}"
    out = [f"{told}: {amounts}; none left with probability {chance(p)} ({likely(p)}){error}."]
    if books.p_declared_removed is not None:
        p = books.p_declared_removed
        out.append(f"All {number(held.declared)} declared are out with probability {chance(p)} ({likely(p)}).")
    prior, p = held.plan.undeclared.none, held.p_nothing_undeclared
    out.append(f"Nothing undeclared was there: {chance(p)} ({likely(p)}) after all looks, with {prior:g} assumed beforehand.")
    if held.plan.brought_in.high:
        out.append(f"Nothing was brought in since: {chance(held.p_no_arrivals)} ({likely(held.p_no_arrivals)}).")
    if held.warning:
        out.append(f"Beware: {held.warning}.")
    return tuple(out)


def waterfall(held: StagedHolding) -> list[tuple[str, str, tuple[float, float, float]]]:
    """Name, sign and points of the steps from declared to left; what was brought in is an expected number."""
    start = float(held.declared or 0)
    steps = [
        ("declared" if held.declared_by else "none declared", "", (start, start, start)),
        ("not declared", "+", _undeclared(held)),
    ]
    if held.plan.brought_in.high:
        steps.append(("brought in since, on average", "+", (held.arrivals, held.arrivals, held.arrivals)))
    left = held.left[-1]
    return [*steps, ("out", "-", held.books.removed), ("left", "", (left.low, left.middle, left.high))]


def _undeclared(held: StagedHolding) -> tuple[float, float, float]:
    sums, total = [], 0.0
    for p in held.undeclared:
        total += float(p)
        sums.append(total)
    low, middle, high = (
        float(next((n for n, s in enumerate(sums) if s >= share * total - 1e-12), len(sums) - 1)) for share in (0.05, 0.5, 0.95)
    )
    return low, middle, high
