"""From reports of numbers to an account of totals: what is a look, what stands beside, what says nothing new, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

from tallybook.holdings.plan import Plan
from tallybook.holdings.totals import Figure, Part, Totals, TotalsAccount, Undeclared, points, solve_totals

MOST_DECIMALS = 3
_ALWAYS_MORE = 1 / 8
"""Mean of the undeclared number, where there was any, as a share of the declared: where a case gives none."""
_MORE_THAN_SEEN = 1 / 4
"""How many more than a minimum seen a ship carries on average, as a share of the minimum."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A report of a number, as the account sees it.

    `kind`: declared, estimate, at_least, all_there_was (a count of the whole there ever was), removed (running total),
    removed_by_ship, removed_at_site (running total there), still_there (so many left when looked at as a whole). `low` to `high`
    is the number (None: no upper bound); `trust` the probability that the report is right; `part` the ship or site; `cluster`
    what it was one sighting with.
    """

    report: str
    kind: str
    low: float
    high: float | None
    trust: float
    at: datetime
    known: datetime
    part: str = ""
    part_name: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Unused:
    """A report of a number that is no look of its own, and why."""

    report: str
    why: str


@dataclass(frozen=True, slots=True)
class Books:
    """The account of one quantity. Numbers are in the units of the reports (`step` is the size of the account's unit in them).

    Triples are 5 %, median and 95 % points. None where no report bears on the question.
    """

    declared: float | None
    removed: tuple[float, float, float]
    remaining: tuple[float, float, float] | None
    p_none_left: float | None
    p_declared_removed: float | None
    reports: tuple[str, ...]
    account: TotalsAccount
    solved: Totals
    step: float
    looks: tuple[Entry, ...]
    beside: tuple[Entry, ...]
    declarations: tuple[Entry, ...]
    unused: tuple[Unused, ...]


def keep_books(entries: Sequence[Entry], plan: Plan, days: float = 0.0, ships_named: int = 0) -> Books:
    """The account that reports of numbers give. `days`: how long things may have been brought in. `ships_named`: how many ships
    there were to be.

    Raises ModelError where there are too many things to count one by one.
    """
    unused: list[Unused] = []
    declarations = sorted((e for e in entries if e.kind == "declared"), key=lambda e: (e.at, e.known, e.low, e.report))
    declared = declarations[-1] if declarations else None
    unused += [Unused(e.report, f"an earlier declaration; {declarations[-1].report} stands") for e in declarations[:-1]]
    estimates = [e for e in entries if e.kind == "estimate"]
    least = [replace(e, high=None) for e in _once([e for e in entries if e.kind == "at_least"], unused)]
    whole = _once([e for e in entries if e.kind == "all_there_was"], unused)
    totals = _totals([e for e in entries if e.kind == "removed"], unused)
    ships = _parts([e for e in entries if e.kind == "removed_by_ship"], unused, latest=False)
    sites = _parts([e for e in entries if e.kind == "removed_at_site"], unused, latest=True)
    seen = _latest([e for e in entries if e.kind == "still_there"], unused)
    step = _step([*entries])
    parts, other = (ships, sites) if _sum(ships) >= _sum(sites) else (sites, ships)
    figures = [e.low for e in [*least, *whole, *totals]]
    start = declared.low if declared else max([*figures, _sum(parts)], default=0.0)
    mean = plan.undeclared.mean / step if plan.undeclared.mean is not None else max(2.0, start / step * _ALWAYS_MORE)
    account = TotalsAccount(
        declared=_units(start, step),
        undeclared=Undeclared(plan.undeclared.none, mean),
        parts=tuple(Part(name, tuple(_part_figure(e, step) for e in found)) for name, found in parts.items()),
        out=tuple(_total_figures(totals, parts, other, step)),
        at_first=tuple(_figure(e, step) for e in [*whole, *least]),
        left=tuple(_figure(e, step) for e in seen),
        arrivals=plan.brought_in.middle / step * max(days, 0.0),
        parts_uncounted=max(0, ships_named - len(ships)),
    )
    solved = solve_totals(account)
    looks = [
        *(e for found in parts.values() for e in found),
        *(e for found in other.values() for e in found),
        *totals,
        *whole,
        *least,
        *seen,
    ]
    rests = [*looks, *([declared] if declared else [])]
    has_start = declared is not None or bool(least or whole)
    return Books(
        declared=declared.low if declared else None,
        removed=_triple(solved.out, step),
        remaining=_triple(solved.left, step) if has_start else None,
        p_none_left=solved.p_none_left if has_start else None,
        p_declared_removed=solved.p_declared_out if declared else None,
        reports=tuple(sorted({e.report for e in [*rests, *estimates]})),
        account=account,
        solved=solved,
        step=step,
        looks=tuple(looks),
        beside=tuple(estimates),
        declarations=tuple(declarations),
        unused=tuple(unused),
    )


def _triple(weights: object, step: float) -> tuple[float, float, float]:
    low, middle, high = points(weights)  # type: ignore[arg-type]
    return round(low * step, 9), round(middle * step, 9), round(high * step, 9)


def _step(entries: Iterable[Entry]) -> float:
    """The largest of 1, 0.1, 0.01, 0.001 in which every number is whole."""
    numbers = [n for e in entries for n in (e.low, e.high) if n is not None and isfinite(n)]
    for decimals in range(MOST_DECIMALS):
        if all(abs(n * 10**decimals - round(n * 10**decimals)) < 1e-9 for n in numbers):
            return float(10.0**-decimals)
    return float(10.0**-MOST_DECIMALS)


def _units(number: float, step: float) -> int:
    return round(number / step)


def _figure(entry: Entry, step: float) -> Figure:
    high = None if entry.high is None else _units(entry.high, step)
    return Figure(entry.report, _units(entry.low, step), high, entry.trust)


def _part_figure(entry: Entry, step: float) -> Figure:
    """A minimum seen on one ship is near what it carried."""
    figure = _figure(entry, step)
    return replace(figure, excess=max(1.0, figure.low * _MORE_THAN_SEEN)) if figure.high is None else figure


def _sum(parts: dict[str, list[Entry]]) -> float:
    return sum(max(e.low for e in found) for found in parts.values())


def _surest(entry: Entry) -> tuple[float, float, float, str]:
    return entry.trust, entry.at.timestamp(), entry.low, entry.report


def _once(entries: Sequence[Entry], unused: list[Unused]) -> list[Entry]:
    """One entry per cluster, the surest; the rest are the same sighting again."""
    best: dict[str, Entry] = {}
    for entry in sorted(entries, key=_surest):
        best[entry.cluster or entry.report] = entry
    for entry in entries:
        kept = best[entry.cluster or entry.report]
        if kept is not entry:
            unused.append(Unused(entry.report, f"one sighting with {kept.report}, which is surer or later"))
    return [e for e in entries if best[e.cluster or e.report] is e]


def _parts(entries: Sequence[Entry], unused: list[Unused], latest: bool) -> dict[str, list[Entry]]:
    """The looks at each ship or site. Of a site only the latest running total stands."""
    names = dict.fromkeys(e.part for e in entries)
    out = {}
    for name in names:
        here = [e for e in entries if e.part == name]
        out[name] = _once(_latest(here, unused) if latest else here, unused)
    return out


def _latest(entries: Sequence[Entry], unused: list[Unused]) -> list[Entry]:
    last = max((e.at for e in entries), default=None)
    unused += [
        Unused(e.report, "an earlier look; a later one speaks of a day when more was out") for e in entries if e.at != last
    ]
    return [e for e in entries if e.at == last]


def _totals(entries: Sequence[Entry], unused: list[Unused]) -> list[Entry]:
    """Running totals, one per cluster: the largest, which a smaller one of the same count does not correct."""
    best: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda e: (e.low, e.trust, e.at, e.report)):
        best[entry.cluster or entry.report] = entry
    for entry in entries:
        kept = best[entry.cluster or entry.report]
        if kept is not entry:
            unused.append(Unused(entry.report, f"the same count as {kept.report}, which has gone on since"))
    return [e for e in entries if best[e.cluster or e.report] is e]


def _total_figures(
    totals: Sequence[Entry], parts: dict[str, list[Entry]], other: dict[str, list[Entry]], step: float
) -> list[Figure]:
    """The largest total says how many are out, unless parts add up to more; a smaller one, that at least so many were by then."""
    most = max(max((e.low for e in totals), default=0.0), _sum(parts))
    out = []
    for e in totals:
        low = _units(e.low, step)
        since = [p for found in parts.values() for p in found if p.at > e.at]
        if e.low == most and since:
            # Something was seen to leave after the total was made up: more may be out than it says.
            out.append(Figure(e.report, low, None, e.trust, max(1.0, _units(sum(p.low for p in since), step))))
        else:
            out.append(Figure(e.report, low, _units(e.high, step) if e.low == most and e.high is not None else None, e.trust))
    if other:
        surest = [max(found, key=_surest) for found in other.values()]
        name = " + ".join(e.report for e in surest)
        out.append(Figure(name, _units(sum(e.low for e in surest), step), None, min(e.trust for e in surest)))
    return out
