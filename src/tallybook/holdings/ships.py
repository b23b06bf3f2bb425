"""Ships and their loads: what was declared of each, what was counted on it and by whom, and whether totals follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Count:
    """A figure on file for a ship, or for all together. `high` is None where only a minimum is known; `trust` is None where the
    figure is no look of the account; `weighed` where it was considered for one.
    """

    report: str
    ship: str
    declared: float | None
    low: float | None
    high: float | None
    by: str
    source: str
    at: datetime
    known: datetime
    trust: float | None
    weighed: bool


@dataclass(frozen=True, slots=True)
class Ship:
    """One ship. `counted` is the figure that stands, `at_least` whether it is a minimum; `others`: figures that say otherwise."""

    name: str
    declared: float | None
    declared_in: str
    counted: float | None
    at_least: bool
    report: str
    by: str
    at: datetime | None
    is_look: bool
    others: tuple[Count, ...]
    figures: tuple[Count, ...]

    @property
    def difference(self) -> float | None:
        """Counted less declared, where both are known and the count is no mere minimum below it."""
        if self.declared is None or self.counted is None:
            return None
        if self.at_least and self.counted <= self.declared:
            return None
        return self.counted - self.declared


@dataclass(frozen=True, slots=True)
class Total:
    """A running total against the sum of the ships' rows: as known when it was reported (`then`), and as known now.

    `follows`: whether either sum lies within it.
    """

    report: str
    low: float
    high: float | None
    by: str
    at: datetime
    known: datetime
    is_look: bool
    then: float
    ships_then: int
    now: float
    ships_now: int
    also: tuple[str, ...]

    @property
    def follows(self) -> bool:
        """Whether the rows add up to it."""
        high = self.low if self.high is None else self.high
        return any(self.low <= total <= high for total in (self.then, self.now))


def ship_table(counts: Sequence[Count]) -> tuple[Ship, ...]:
    """One row per ship, in the order in which they were first counted or known of."""
    names: dict[str, list[Count]] = {}
    for count in sorted(counts, key=lambda c: (c.at, c.known, c.report)):
        names.setdefault(count.ship.casefold(), []).append(count)
    out = []
    for found in names.values():
        said = [c for c in found if c.declared is not None]
        declared = max(said, key=lambda c: (c.known, c.report), default=None)
        best = standing(found)
        others = tuple(c for c in found if best and c.low is not None and (c.low, c.high) != (best.low, best.high))
        out.append(
            Ship(
                found[0].ship,
                declared.declared if declared else None,
                declared.report if declared else "",
                best.low if best else None,
                best is not None and best.high is None,
                best.report if best else "",
                (best.by or next((c.by for c in found if c.by and c.low == best.low), "")) if best else "",
                best.at if best else None,
                best is not None and best.trust is not None,
                others,
                tuple(found),
            )
        )
    return tuple(out)


def standing(counts: Sequence[Count]) -> Count | None:
    """The figure that stands for a ship: the surest look, else the latest figure that is no look."""
    numbered = [c for c in counts if c.low is not None]
    return max(numbered, key=lambda c: (c.trust is not None, c.trust or 0.0, c.high is not None, c.at, c.report), default=None)


def reconcile(totals: Sequence[Count], counts: Sequence[Count]) -> tuple[Total, ...]:
    """Each running total beside what the ships' rows add up to; totals of one number and day stand together."""
    groups: dict[tuple[object, ...], list[Count]] = {}
    for total in totals:
        groups.setdefault((total.low, total.high, total.at.date()), []).append(total)
    out = []
    for found in groups.values():
        first = min(found, key=lambda c: (c.trust is None, c.known, c.report))
        then = _sum([c for c in counts if c.known <= first.known and c.at.date() <= first.at.date()])
        now = _sum([c for c in counts if c.at.date() <= first.at.date()])
        also = tuple(c.report for c in found if c is not first)
        looks = any(c.trust is not None for c in found)
        assert first.low is not None
        out.append(Total(first.report, first.low, first.high, first.by, first.at, first.known, looks, *then, *now, also))
    return tuple(sorted(out, key=lambda t: (t.at, t.known, t.report)))


def _sum(counts: Sequence[Count]) -> tuple[float, int]:
    names: dict[str, list[Count]] = {}
    for count in counts:
        names.setdefault(count.ship.casefold(), []).append(count)
    best = [c for c in (standing(found) for found in names.values()) if c is not None and c.low is not None]
    return sum(c.low or 0.0 for c in best), len(best)
