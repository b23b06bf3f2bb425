"""From sightings to a staged account: which are looks, which are one look, which bound a number, and which say nothing.

Two sightings of one stock are two looks at one number, never a sum. Only disjoint places of a stage seen by one observer in one
go, and ships of one day counted by one method, add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil, log

import numpy as np

from tallybook.holdings.entries import Unused
from tallybook.holdings.integration import Prior, Uniform
from tallybook.holdings.model import Account, ItemClass, Look, ModelError, Stage
from tallybook.holdings.model import Uniform as AnyShare
from tallybook.holdings.plan import Plan, Range

GONE = "gone"
BROUGHT_IN = "brought in per day"
MOST_DAYS_UNSURE = 31
TWICE_WITHIN = 2
"""Departures without a ship's name, by different observers, may be one where they are no more days apart."""
_ALWAYS_MORE = 1 / 8
_LEAST_MEAN = 2.0
_TAIL = 1e-12
_LIKELY_MORE = 3.0
"""A report that is wrong may give up to this many times the mean undeclared number above the declared one."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A count, as far as a stage goes.

    `stage`: the stage looked at, or the last one where `leaving` (what left it on a day). `days`: (day of the account, weight).
    `low` to `high`: the count (None: no upper bound). `places`: the innermost places looked at, empty where none was named.
    `trust`: the probability that the report is right. `cluster`: what it is one sighting with; `joined` where an analyst said
    so. `where`: file and line.
    """

    report: str
    stage: str
    days: tuple[tuple[int, float], ...]
    low: int
    high: int | None
    method: str
    observer: str
    at: datetime
    known: datetime
    trust: float = 1.0
    leaving: bool = False
    ship: str = ""
    places: frozenset[str] = frozenset()
    cluster: str = ""
    joined: bool = False
    where: str = ""

    @property
    def day(self) -> int:
        """The day, or the first of those on which it may have been."""
        return self.days[0][0]

    @property
    def is_sure_of_day(self) -> bool:
        """Whether there is one day."""
        return len(self.days) == 1


@dataclass(frozen=True, slots=True)
class StagedLook:
    """A look of a staged account, and the reports that it is made of."""

    name: str
    reports: tuple[str, ...]
    stage: str
    leaving: bool
    days: tuple[tuple[int, float], ...]
    low: int
    high: int | None
    method: str
    observer: str
    ships: tuple[str, ...]
    trust: float
    in_pass: str = ""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What sightings give: looks, what is unused and why, what is assumed, and priors of the numbers that nobody knows."""

    plan: Plan
    declared: int
    undeclared: tuple[float, ...]
    last_day: int
    looks: tuple[StagedLook, ...]
    unused: tuple[Unused, ...]
    assumed: tuple[str, ...]
    priors: dict[str, Prior] = field(default_factory=dict)

    def account(self, values: Mapping[str, float] | None = None, *, gone: bool = False) -> Account:
        """The account for values of the parameters in `priors`; the middles of their ranges where none are given.

        `gone`: with a last stage that keeps what is out, so that it can be counted.
        """
        given = values or {}
        stages = [Stage(s.id, given.get(leaves_name(s.id), s.leaves.middle)) for s in self.plan.stages]
        # A departure takes any share of what is there; other days have the rate of what leaves unseen.
        sailings = dict.fromkeys(sorted({day for k in self.looks if k.leaving for day, _ in k.days if day > 0}), AnyShare())
        stages[-1] = replace(stages[-1], on_day=sailings)
        if gone:
            stages.append(Stage(GONE, gone=True))
        arrivals = given.get(BROUGHT_IN, self.plan.brought_in.middle)
        item = ItemClass(self.plan.item, self.declared, self.undeclared, tuple(stages), arrivals)
        return Account((item,), self.last_day, tuple(self._look(k, given) for k in self.looks), self._passes())

    def _look(self, look: StagedLook, given: Mapping[str, float]) -> Look:
        method = self.plan.methods[look.method]
        exact = look.high == look.low
        span = max(self.declared + ceil(_LIKELY_MORE * _mean(self.plan, self.declared)), look.low, look.high or 0)
        return Look(
            name=look.name,
            days=look.days,
            stage=look.stage,
            counts=((self.plan.item, look.low),),
            leaving=look.leaving,
            p=given.get(detects_name(look.method), method.detects.middle),
            phi=method.false_counts,
            in_pass=look.in_pass,
            trust=look.trust,
            span=span,
            bounds=None if exact else (look.low, look.high),
        )

    def _passes(self) -> dict[str, tuple[tuple[float, float], ...]]:
        return {k.in_pass: self.plan.methods[k.method].shared_visibility for k in self.looks if k.in_pass}


def leaves_name(stage: str) -> str:
    """The name of the parameter of how fast a stage is left."""
    return f"leaves {stage} per day"


def detects_name(method: str) -> str:
    """The name of the parameter of how likely a method detects an item."""
    return f"{method} detects"


def compile_account(
    plan: Plan, sightings: Sequence[Sighting], declared: int | None, last_day: int, places: Mapping[str, frozenset[str]]
) -> Compiled:
    """The account that sightings give.

    `declared`: the declared number, or None where there is none. `places`: the innermost places of each stage; empty where a
    stage has none of its own.

    Raises ModelError for a plan without stages and for a day before the first.
    """
    if not plan.stages:
        raise ModelError("an account without stages", where=plan.item, do="give `stages` in holdings.yaml")
    if last_day < 0:
        raise ModelError(f"day {last_day} is before the first, 0", where=plan.item, do="ask about a later date")
    unused: list[Unused] = []
    assumed: list[str] = []
    seen = _once(sorted(sightings, key=lambda s: (s.day, s.stage, s.leaving, s.report)), unused)
    looks = _stocks([s for s in seen if not s.leaving], places, unused)
    looks += _departures([s for s in seen if s.leaving], unused, assumed)
    looks = sorted((_in_pass(look, plan) for look in looks), key=lambda k: (k.days[0][0], k.leaving, k.stage, k.name))
    start = declared
    if start is None:
        start = max((k.low for k in looks), default=0)
        assumed.append(f"no number is declared: the account starts from the largest single count, {start}")
    assumed += _plain_assumptions(plan, start, looks)
    return Compiled(
        plan, start, undeclared_prior(plan, start), last_day, tuple(looks), tuple(unused), tuple(assumed), _priors(plan, looks)
    )


def undeclared_prior(plan: Plan, declared: int) -> tuple[float, ...]:
    """P(u undeclared), u = 0, 1, ...: none with the plan's probability, else geometric from 1 with the plan's mean."""
    mean = _mean(plan, declared)
    if plan.undeclared.none == 1 or mean <= 1:
        return (plan.undeclared.none, 1 - plan.undeclared.none) if plan.undeclared.none < 1 else (1.0,)
    stays = 1 - 1 / mean
    tail = stays ** np.arange(ceil(log(_TAIL) / log(stays)))
    return (plan.undeclared.none, *(float(p) for p in (1 - plan.undeclared.none) * tail / tail.sum()))


def _mean(plan: Plan, declared: int) -> float:
    return plan.undeclared.mean if plan.undeclared.mean is not None else max(_LEAST_MEAN, declared * _ALWAYS_MORE)


def _priors(plan: Plan, looks: Sequence[StagedLook]) -> dict[str, Prior]:
    ranges: dict[str, Range] = {leaves_name(s.id): s.leaves for s in plan.stages}
    ranges |= {detects_name(m): plan.methods[m].detects for m in sorted({k.method for k in looks})}
    ranges[BROUGHT_IN] = plan.brought_in
    return {name: Uniform(r.low, r.high) for name, r in ranges.items() if not r.is_known}


def _plain_assumptions(plan: Plan, start: int, looks: Sequence[StagedLook]) -> list[str]:
    prior, mean = plan.undeclared, _mean(plan, start)
    because = f": {prior.because}" if prior.because else ""
    beside = f"nothing was there beside the {start}, with probability {prior.none:g}"
    out = [f"{beside}; if there was more, {mean:g} more on average{because}" if prior.none < 1 else f"{beside}{because}"]
    out.append(f"on {plan.since} all were in {plan.stages[0].title}")
    if plan.brought_in.high > 0:
        out.append(f"{_words(plan.brought_in)} brought in per day on average")
    else:
        out.append("nothing is brought in")
    last = " without a counted departure" if any(k.leaving for k in looks) else ""
    for s in plan.stages:
        days = f"a day{last}" if s is plan.stages[-1] else "a day"
        out.append(f"{_words(s.leaves)} of what is in {s.title} leaves it on {days}")
    for method in sorted({k.method for k in looks}):
        how = plan.methods[method]
        false = f", with {how.false_counts:g} false counts on average" if how.false_counts else ""
        out.append(f"{method} detects {_words(how.detects)} of what is there{false}")
    if any(k.leaving for k in looks):
        out.append("on a day with a counted departure any share of what was there may have left, and all of it was looked at")
    if any(k.trust < 1 for k in looks):
        out.append("a report is right with the odds of its grade; where it is wrong, any number is as likely")
    return out


def _words(number: Range) -> str:
    return f"{number.low:g}" if number.is_known else f"{number.low:g} to {number.high:g}"


# ------------------------------------------------------------------------------------------------------------- one sighting


def _surest(s: Sighting) -> tuple[bool, float, datetime, str]:
    return s.high is not None, s.trust, s.known, s.report


def _once(sightings: Sequence[Sighting], unused: list[Unused]) -> list[Sighting]:
    """One of each cluster at each stage, the surest; a cluster may look at several stages and places."""
    kept: list[Sighting] = []
    groups: dict[tuple[str, str, bool], list[list[Sighting]]] = {}
    for s in sorted(sightings, key=lambda s: s.joined):
        found = groups.setdefault((s.cluster or s.report, s.stage, s.leaving), [])
        same = next((g for g in found if _is_same(g[0], s)), None)
        if same is None:
            found.append([s])
        else:
            same.append(s)
    for found in groups.values():
        for group in found:
            best = max(group, key=_surest)
            kept.append(best)
            unused += [Unused(s.report, f"one sighting with {best.report}") for s in group if s is not best]
    return sorted(kept, key=lambda s: (s.day, s.stage, s.leaving, s.report))


def _is_same(first: Sighting, other: Sighting) -> bool:
    if other.joined:
        return not first.places or not other.places or bool(first.places & other.places)
    return first.places == other.places and first.days == other.days and first.ship == other.ship


# ------------------------------------------------------------------------------------------------------------------- stocks


def _stocks(seen: Sequence[Sighting], places: Mapping[str, frozenset[str]], unused: list[Unused]) -> list[StagedLook]:
    looks, parts = [], []
    for s in seen:
        wanted = places.get(s.stage, frozenset())
        if s.ship:
            # One ship is a part of what is on ships.
            if s.low > 0:
                looks.append(replace(_look([s]), high=None))
            else:
                unused.append(Unused(s.report, f"nothing on one ship says nothing of all that is in {s.stage}"))
        elif wanted <= s.places or not wanted:
            looks.append(_look([s]))
        else:
            parts.append(s)
    return looks + _summed(parts, places, unused)


def _summed(parts: Sequence[Sighting], places: Mapping[str, frozenset[str]], unused: list[Unused]) -> list[StagedLook]:
    """Looks at disjoint places that make up a stage, by one observer and method in one go; other parts are no look."""
    groups: dict[tuple[object, ...], list[Sighting]] = {}
    for s in parts:
        groups.setdefault((s.stage, s.observer, s.method, s.days), []).append(s)
    looks = []
    for group in groups.values():
        wanted = places[group[0].stage]
        union = frozenset[str]().union(*(s.places for s in group))
        disjoint = sum(len(s.places) for s in group) == len(union)
        if disjoint and wanted <= union:
            looks.append(_look(group))
            continue
        for s in group:
            missed = ", ".join(sorted(wanted - s.places))
            unused.append(Unused(s.report, f"a look at a part of {s.stage} is no look at it: {missed} not looked at"))
    return looks


def _look(group: Sequence[Sighting]) -> StagedLook:
    first = group[0]
    highs = [s.high for s in group]
    trust = 1.0
    for s in group:
        trust *= s.trust
    return StagedLook(
        name=" + ".join(s.report for s in group),
        reports=tuple(s.report for s in group),
        stage=first.stage,
        leaving=first.leaving,
        days=first.days,
        low=sum(s.low for s in group),
        high=None if None in highs else sum(h for h in highs if h is not None),
        method=first.method,
        observer=first.observer,
        ships=tuple(dict.fromkeys(s.ship for s in group if s.ship)),
        trust=trust,
    )


# --------------------------------------------------------------------------------------------------------------- departures


def _departures(seen: Sequence[Sighting], unused: list[Unused], assumed: list[str]) -> list[StagedLook]:
    named = [s for s in seen if s.ship and s.is_sure_of_day]
    looks = []
    for day in sorted({s.day for s in named}):
        looks += _of_one_day([s for s in named if s.day == day], unused, assumed)
    # A ship whose day is not sure may have shared it with others.
    unsure = [s for s in seen if s.ship and not s.is_sure_of_day]
    looks += _at_least(unsure, unused)
    return looks + _perhaps_twice([s for s in seen if not s.ship], assumed)


def _of_one_day(seen: Sequence[Sighting], unused: list[Unused], assumed: list[str]) -> list[StagedLook]:
    """Ships of one day add up where one method counted all of them; other counts are bounds from below."""
    ships = sorted({s.ship.casefold() for s in seen})
    if len(ships) == 1:
        return [_look([s]) for s in seen]
    looks, used = [], set()
    for method in sorted({s.method for s in seen}):
        best = [max((s for s in seen if s.method == method and s.ship.casefold() == n), key=_surest, default=None) for n in ships]
        found = [s for s in best if s is not None]
        if len(found) == len(ships):
            looks.append(_look(found))
            used |= {s.report for s in found}
    rest = [s for s in seen if s.report not in used]
    if rest and not used:
        names = ", ".join(sorted({s.ship for s in seen}))
        assumed.append(f"{names} left on one day and no method counted them all: each count is of so many at least")
    return looks + _at_least(rest, unused)


def _at_least(seen: Sequence[Sighting], unused: list[Unused]) -> list[StagedLook]:
    unused += [Unused(s.report, "one of several ships, and empty: it bounds nothing") for s in seen if s.low == 0]
    return [replace(_look([s]), high=None) for s in seen if s.low > 0]


def _perhaps_twice(seen: Sequence[Sighting], assumed: list[str]) -> list[StagedLook]:
    """Departures without a name. Two by different observers within days may be one: then the later report has the wrong day."""
    looks = []
    before: list[Sighting] = []
    for s in sorted(seen, key=lambda s: (s.known, s.report)):
        near = [o for o in before if s.is_sure_of_day and o.is_sure_of_day and o.observer != s.observer and o.day != s.day]
        near = [o for o in near if abs(o.day - s.day) <= TWICE_WITHIN]
        before.append(s)
        if not near:
            looks.append(_look([s]))
            continue
        others = sorted({o.day for o in near})
        days = ((s.day, 0.5), *((day, 0.5 / len(others)) for day in others))
        looks.append(replace(_look([s]), days=tuple(sorted(days))))
        names = " and ".join(o.report for o in near)
        assumed.append(f"{s.report} may be the same departure as {names}, with even odds: both readings are weighed")
    return looks


def _in_pass(look: StagedLook, plan: Plan) -> StagedLook:
    """Looks of one observer and method on one day share what could be seen."""
    if not plan.methods[look.method].shared_visibility:
        return look
    days = " or ".join(str(day) for day, _ in look.days)
    return replace(look, in_pass=f"{look.method} by {look.observer} on day {days}")
