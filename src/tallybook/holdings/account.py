"""The account of one item class: how many there were, how many have been shown to leave, how many that leaves.

Exact arithmetic on count distributions for totals: every report of a number is right with the odds of its grade, and
wrong to an unspecified value otherwise. What has not been shown to leave counts as left behind. This is the account of
totals that the board needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log, sqrt

from tallybook.core.bounds import Bounds

FINE = 600
"""Up to this many values every integer is its own point; beyond, points between the reported numbers stand for runs."""


@dataclass(frozen=True, slots=True)
class Count:
    """A report of a number. `kind`: declared, estimate, at_least, removed, removed_by_ship. `worth`: its likelihood ratios."""

    report: str
    kind: str
    low: float
    high: float
    worth: Bounds
    at: datetime
    ship: str = ""

    @property
    def trust(self) -> float:
        """The probability that the number is right: odds equal to the geometric mean of the ratios."""
        odds = sqrt(self.worth.low * self.worth.high)
        return odds / (1 + odds)


@dataclass(frozen=True, slots=True)
class Account:
    """Triples are 5 %, median and 95 % points. None where no report bears on the question."""

    declared: float | None
    removed: tuple[float, float, float]
    remaining: tuple[float, float, float] | None
    p_none_left: float | None
    p_declared_removed: float | None
    reports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Point:
    value: float
    width: float


def account(counts: Sequence[Count]) -> Account:
    """The account that a set of counts gives. Counts of kind removed are running totals, of kind removed_by_ship parts."""
    declared = max((c for c in counts if c.kind == "declared"), key=lambda c: (c.at, c.report), default=None)
    totals, ships = _removals(counts)
    initial = [c for c in counts if c.kind in ("estimate", "at_least")] + ([declared] if declared else [])
    points = _points([c for c in counts if c.kind != "declared"] + ([declared] if declared else []))
    out = _normal(_removed_weights(points, totals, ships))
    removed = _triple([(p.value, w) for p, w in zip(points, out, strict=True)]) if totals or ships else (0.0, 0.0, 0.0)
    if not (totals or ships):
        out = [1.0 if p.value == 0 else 0.0 for p in points]
    used = tuple(sorted({c.report for c in [*totals, *ships, *initial]}))
    p_declared = sum(w for p, w in zip(points, out, strict=True) if declared and p.value >= declared.low)
    if not initial:
        return Account(None, removed, None, None, None, used)
    start = _normal(_initial_weights(points, initial))
    left, none_left, p_out = _left(points, start, out, declared.low if declared else None)
    return Account(
        declared.low if declared else None,
        removed,
        left,
        none_left,
        (p_out if p_out is not None else p_declared) if declared else None,
        used,
    )


def _removals(counts: Sequence[Count]) -> tuple[list[Count], list[Count]]:
    totals = [c for c in counts if c.kind == "removed"]
    best: dict[str, Count] = {}
    for c in (c for c in counts if c.kind == "removed_by_ship"):
        if c.ship not in best or (c.trust, c.at) > (best[c.ship].trust, best[c.ship].at):
            best[c.ship] = c
    return totals, list(best.values())


def _points(counts: Sequence[Count]) -> list[_Point]:
    ships = sum(c.low for c in counts if c.kind == "removed_by_ship")
    marks = sorted({0.0, ships, *(c.low for c in counts), *(c.high for c in counts)})
    most = max(10.0, 2 * marks[-1])
    if most <= FINE and all(float(m).is_integer() for m in marks):
        return [_Point(float(n), 1.0) for n in range(int(most) + 1)]
    step = most / FINE
    grid = sorted({*marks, *(round(n * step, 9) for n in range(FINE + 1))})
    values = [v for v in grid if v in marks or all(abs(v - m) > step / 2 for m in marks)]
    return [_Point(v, 1.0 if v in marks else step) for v in values]


def _exactly(point: _Point, count: Count, span: float) -> float:
    """Logarithm of: right with probability `trust`, else one value of the whole span as likely as another."""
    width = max(1.0, count.high - count.low + 1)
    here = 1 / width if count.low <= point.value <= count.high else 0.0
    return log(count.trust * here + (1 - count.trust) / span)


def _at_least(point: _Point, low: float, trust: float) -> float:
    return log(trust if point.value >= low else 1 - trust)


def _removed_weights(points: Sequence[_Point], totals: Sequence[Count], ships: Sequence[Count]) -> list[float]:
    """Logarithms of the weight of each number out: the latest running total says how many, older ones at least how many."""
    span = sum(p.width for p in points)
    latest = max((c.at for c in totals), default=None)
    weights = [log(p.width) for p in points]
    for c in totals:
        exact = c.at == latest
        weights = [
            w + (_exactly(p, c, span) if exact else _at_least(p, c.low, c.trust)) for w, p in zip(weights, points, strict=True)
        ]
    if ships:
        low, trust = sum(c.low for c in ships), min(c.trust for c in ships)
        odds = trust / (1 - trust)
        whole = Count("", "removed", low, low, Bounds(odds, odds), ships[0].at)
        weights = [
            w + (_at_least(p, low, trust) if totals else _exactly(p, whole, span)) for w, p in zip(weights, points, strict=True)
        ]
    return weights


def _initial_weights(points: Sequence[_Point], initial: Sequence[Count]) -> list[float]:
    span = sum(p.width for p in points)
    weights = [log(p.width) for p in points]
    for c in initial:
        low = c.kind == "at_least"
        weights = [
            w + (_at_least(p, c.low, c.trust) if low else _exactly(p, c, span)) for w, p in zip(weights, points, strict=True)
        ]
    return weights


def _normal(logs: Sequence[float]) -> list[float]:
    top = max(logs)
    weights = [exp(value - top) for value in logs]
    total = sum(weights)
    return [w / total for w in weights]


def _left(
    points: Sequence[_Point], start: Sequence[float], out: Sequence[float], declared: float | None
) -> tuple[tuple[float, float, float], float, float | None]:
    left: dict[float, float] = {}
    total = none = shown = 0.0
    for n, p_n in zip(points, start, strict=True):
        for r, p_r in zip(points, out, strict=True):
            if r.value > n.value:
                break
            weight = p_n * p_r
            if weight == 0.0:
                continue
            total += weight
            left[n.value - r.value] = left.get(n.value - r.value, 0.0) + weight
            none += weight / max(n.width, 1.0) if n.value == r.value else 0.0
            shown += weight if declared is not None and r.value >= declared else 0.0
    if total == 0.0:
        return (0.0, 0.0, 0.0), 0.0, None
    band = _triple([(value, weight / total) for value, weight in left.items()])
    return band, none / total, shown / total


def _triple(weighted: list[tuple[float, float]]) -> tuple[float, float, float]:
    ordered, found, run = sorted(weighted), [], 0.0
    wanted = [0.05, 0.5, 0.95]
    for value, weight in ordered:
        run += weight
        while wanted and run >= wanted[0] - 1e-12:
            found.append(value)
            wanted.pop(0)
    found.extend([ordered[-1][0]] * (3 - len(found)))
    return found[0], found[1], found[2]
