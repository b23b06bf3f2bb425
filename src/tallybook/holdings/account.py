"""The account of one item class: how many there were, how many have been shown to leave, how many that leaves.

Exact arithmetic on count distributions for totals: every report of a number is right with the odds of its grade, and
wrong to an unspecified value otherwise. What has not been shown to leave counts as left behind. This is the account of
totals that the board needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate
from math import ceil, exp, inf, log, sqrt

from tallybook.core.bounds import Bounds

FINE = 600
"""Up to this many values every integer is its own point; beyond, points between the reported numbers stand for runs."""


@dataclass(frozen=True, slots=True)
class Count:
    """A report of a number. `worth`: its likelihood ratios; `part`: the ship or site that a part was counted on; `at`: when
    it was so; `known`: when it was known.

    `kind`: declared, estimate, at_least, removed (running total), removed_by_ship, removed_at_site (running
    total there), still_there (so many left when looked at as a whole).
    """

    report: str
    kind: str
    low: float
    high: float
    worth: Bounds
    at: datetime
    part: str = ""
    known: datetime | None = None

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


@dataclass(frozen=True, slots=True)
class _Parts:
    """The sum over ships or over sites: at least so many are out, as surely as the least sure of the parts."""

    low: float
    trust: float
    reports: tuple[str, ...]


def account(counts: Sequence[Count]) -> Account:
    """The account that a set of counts gives.

    Of ships the surest count of each is summed, of sites the latest, each as sure as the surest that says the same.
    """
    declared = max(
        (c for c in counts if c.kind == "declared"), key=lambda c: (c.at, c.known or c.at, c.low, c.report), default=None
    )
    totals = [c for c in counts if c.kind == "removed"]
    parts = [p for p in (_parts(counts, "removed_by_ship"), _parts(counts, "removed_at_site")) if p is not None]
    initial = [c for c in counts if c.kind in ("estimate", "at_least")] + ([declared] if declared else [])
    initial += _surpassing(initial, totals)
    looks = _latest_look(counts)
    points = _points([*totals, *initial], parts)
    used = tuple(sorted({*(c.report for c in [*totals, *initial, *looks]), *(r for p in parts for r in p.reports)}))
    nothing_left_yet = [0.0 if p.value == 0 else -inf for p in points]
    out = _removed_weights(points, totals, parts) if totals or parts else nothing_left_yet
    if not initial:
        return Account(None, _triple(list(zip([p.value for p in points], _normal(out), strict=True))), None, None, None, used)
    joint = _joint(points, _initial_weights(points, initial), out, looks, declared.low if declared else None)
    return Account(declared.low if declared else None, joint.removed, joint.left, joint.none_left, joint.shown, used)


def _surpassing(initial: Sequence[Count], totals: Sequence[Count]) -> list[Count]:
    """A total out that is above every figure for what there was is itself a figure for what there was."""
    figures = [c.high for c in initial if c.kind != "at_least"]
    largest = max(totals, key=lambda c: (c.low, c.trust), default=None)
    if largest is None or not figures or largest.low <= max(figures):
        return []
    return [replace(largest, kind="estimate")]


def _parts(counts: Sequence[Count], kind: str) -> _Parts | None:
    best: dict[str, Count] = {}
    for c in (c for c in counts if c.kind == kind):
        if c.part not in best or _rank(c) > _rank(best[c.part]):
            best[c.part] = c
    if not best:
        return None
    chosen = best.values()
    sure = (max(c.trust for c in counts if c.kind == kind and c.part == b.part and c.low == b.low) for b in chosen)
    return _Parts(sum(c.low for c in chosen), min(sure), tuple(c.report for c in chosen))


def _rank(count: Count) -> tuple[float, float]:
    """Of one ship the surest count stands, of one site the latest running total."""
    at = count.at.timestamp()
    return (count.trust, at) if count.kind == "removed_by_ship" else (at, count.trust)


def _points(counts: Sequence[Count], parts: Sequence[_Parts]) -> list[_Point]:
    marks = sorted({0.0, *(p.low for p in parts), *(c.low for c in counts), *(c.high for c in counts)})
    most = max(10.0, 2 * marks[-1])
    whole = all(float(m).is_integer() for m in marks)
    if most <= FINE and whole:
        return [_Point(float(n), 1.0) for n in range(int(most) + 1)]
    step = float(ceil(most / FINE)) if whole else most / FINE
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


def _removed_weights(points: Sequence[_Point], totals: Sequence[Count], parts: Sequence[_Parts]) -> list[float]:
    """Logarithms of the weight of each number out: the largest total or sum of parts says how many, others at least."""
    span = sum(p.width for p in points)
    most = max([*(c.low for c in totals), *(p.low for p in parts)], default=0.0)
    weights = [log(p.width) for p in points]
    for c in totals:
        # Running totals do not fall: the largest says how many, a smaller one that it was so many by then.
        exact = c.low == most
        more = [_exactly(p, c, span) if exact else _at_least(p, c.low, c.trust) for p in points]
        weights = [w + m for w, m in zip(weights, more, strict=True)]
    for part in parts:
        odds = part.trust / (1 - part.trust)
        whole = Count("", "removed", part.low, part.low, Bounds(odds, odds), datetime.min)
        exact = part.low == most
        more = [_exactly(p, whole, span) if exact else _at_least(p, part.low, part.trust) for p in points]
        weights = [w + m for w, m in zip(weights, more, strict=True)]
    return weights


def _initial_weights(points: Sequence[_Point], initial: Sequence[Count]) -> list[float]:
    span = sum(p.width for p in points)
    weights = [log(p.width) for p in points]
    for c in initial:
        low = c.kind == "at_least"
        more = [_at_least(p, c.low, c.trust) if low else _exactly(p, c, span) for p in points]
        weights = [w + m for w, m in zip(weights, more, strict=True)]
    return weights


def _normal(logs: Sequence[float]) -> list[float]:
    top = max(logs)
    weights = [exp(value - top) for value in logs]
    total = sum(weights)
    return [w / total for w in weights]


@dataclass(frozen=True, slots=True)
class _Joint:
    removed: tuple[float, float, float]
    left: tuple[float, float, float]
    none_left: float
    shown: float | None


def _latest_look(counts: Sequence[Count]) -> list[Count]:
    """The looks at what is left on the latest day that has one: an older look speaks of a day when less was out."""
    looks = [c for c in counts if c.kind == "still_there"]
    latest = max((c.at for c in looks), default=None)
    return [c for c in looks if c.at == latest]


def _joint(
    points: Sequence[_Point], start: Sequence[float], out: Sequence[float], looks: Sequence[Count], declared: float | None
) -> _Joint:
    """What there was, what is out and what is left, together: no more can be out than there was.

    `start` and `out` are logarithms; the greatest pair is taken out first, so that many reports cannot make all vanish.
    """
    top = max(n + most for n, most in zip(start, accumulate(out, max), strict=True))
    span = sum(p.width for p in points)
    left: dict[float, float] = {}
    removed: dict[float, float] = {}
    total = none = shown = 0.0
    for n, p_n in zip(points, start, strict=True):
        for r, p_r in zip(points, out, strict=True):
            if r.value > n.value:
                break
            if p_r == -inf:
                continue
            left_over = _Point(n.value - r.value, 1.0)
            weight = exp(p_n + p_r - top + sum(_exactly(left_over, look, span) for look in looks))
            total += weight
            left[n.value - r.value] = left.get(n.value - r.value, 0.0) + weight
            removed[r.value] = removed.get(r.value, 0.0) + weight
            none += weight / max(n.width, 1.0) if n.value == r.value else 0.0
            shown += weight if declared is not None and r.value >= declared else 0.0
    return _Joint(
        _triple([(value, weight / total) for value, weight in removed.items()]),
        _triple([(value, weight / total) for value, weight in left.items()]),
        none / total,
        shown / total if declared is not None else None,
    )


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
