"""An account as steps in time order: what the joint state goes through on each day, whatever form it is held in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from tallybook.holdings.model import Account, ItemClass, Look, ModelError, Stage, Uniform, days_of

MOST_BRANCHES = 4_096
"""Most combinations of hidden alternatives (visibilities, days) that may be open at once."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Something that has one of several values, and nobody knows which: a pass's visibility, the day of a look."""

    name: str
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """A look on a day, as it bears under given values of what is hidden."""

    look: Look
    day: int
    day_of: Hidden | None
    pass_of: Hidden | None
    visibilities: tuple[float, ...]

    def bears(self, values: Mapping[str, int]) -> bool:
        """Whether the look was made on this day, under these values."""
        if self.day_of is None:
            return True
        return [d for d, _ in self.look.days][values[self.day_of.name]] == self.day

    def visibility(self, values: Mapping[str, int]) -> float:
        """The visibility under these values."""
        return 1.0 if self.pass_of is None else self.visibilities[values[self.pass_of.name]]

    def key(self, values: Mapping[str, int]) -> tuple[bool, float]:
        """What the factor's numbers depend on."""
        bears = self.bears(values)
        return bears, self.visibility(values) if bears else 1.0


@dataclass(frozen=True, slots=True)
class Open:
    """From here on the state is kept apart by the values of something hidden."""

    hidden: Hidden


@dataclass(frozen=True, slots=True)
class Close:
    """From here on it no longer matters which value something hidden had."""

    hidden: Hidden


@dataclass(frozen=True, slots=True)
class Hop:
    """Items of a class leave a stage, for the next or for good; `factors` are looks at how many leave."""

    item_class: int
    stage: int
    how: float | Uniform
    factors: tuple[Factor, ...] = ()
    joint: tuple[JointFlow, ...] = ()


@dataclass(frozen=True, slots=True)
class JointFlow:
    """A look that sorts what leaves in several classes: `terms` is what couples them."""

    factor: Factor
    terms: Hidden


@dataclass(frozen=True, slots=True)
class Arrive:
    """A Poisson number of new items comes into the first stage."""

    item_class: int
    mean: float


@dataclass(frozen=True, slots=True)
class Fade:
    """Each decoy stays with a probability."""

    item_class: int
    survive: float


@dataclass(frozen=True, slots=True)
class See:
    """A stock is looked at."""

    factor: Factor


Step = Open | Close | Hop | Arrive | Fade | See


def steps_by_day(account: Account, terms_of: Mapping[str, int]) -> list[list[Step]]:
    """The steps of each day 0..T. `terms_of`: how many terms couple the classes in a look that sorts what leaves.

    Raises ModelError where more alternatives are open at once than can be kept apart.
    """
    hidden, life = _hidden(account)
    by_day: list[list[Factor]] = [[] for _ in range(account.last_day + 1)]
    for look in account.looks:
        day_of = hidden.get(f"day of {look.name}")
        pass_of = hidden.get(f"pass {look.in_pass}")
        visibilities = tuple(v for v, _ in account.passes[look.in_pass]) if look.in_pass else ()
        kept = replace(look, days=tuple((d, w) for d, w in look.days if w > 0))
        for day in days_of(look):
            by_day[day].append(Factor(kept, day, day_of, pass_of, visibilities))
    plan = []
    for day, factors in enumerate(by_day):
        steps: list[Step] = [Open(hidden[name]) for name, (first, _) in life.items() if first == day]
        leaving = [f for f in factors if f.look.leaving]
        joint = [JointFlow(f, Hidden(f"terms of {f.look.name}", (1.0,) * terms_of[f.look.name])) for f in leaving if f.look.sorts]
        steps += [Open(j.terms) for j in joint]
        if day == 0:
            steps += [See(f) for f in leaving if not f.look.sorts]
            steps += _none_hopped(account, joint)
        else:
            steps += _hops(account, day, leaving, joint)
        steps += [Close(j.terms) for j in joint]
        if day > 0:
            for k, item_class in enumerate(account.classes):
                if item_class.arrivals > 0:
                    steps.append(Arrive(k, item_class.arrivals))
                if item_class.decoys is not None and item_class.decoys.survive < 1:
                    steps.append(Fade(k, item_class.decoys.survive))
        steps += [See(f) for f in factors if not f.look.leaving]
        steps += [Close(hidden[name]) for name, (_, last) in life.items() if last == day]
        plan.append(steps)
    _check_branches(plan)
    return plan


def _none_hopped(account: Account, joint: Sequence[JointFlow]) -> Iterator[Step]:
    """On the first day nothing leaves, and looks at what leaves say so."""
    for k, item_class in enumerate(account.classes):
        for s, stage in enumerate(item_class.stages):
            coupled = tuple(j for j in joint if j.factor.look.stage == stage.name)
            if coupled:
                yield Hop(k, s, 0.0, (), coupled)


def _hops(account: Account, day: int, leaving: Sequence[Factor], joint: Sequence[JointFlow]) -> Iterator[Step]:
    for k, item_class in enumerate(account.classes):
        # The last stage first, so that nothing hops twice on one day.
        for s in range(len(item_class.stages) - 1, -1, -1):
            stage = item_class.stages[s]
            if stage.gone:
                continue
            here = tuple(f for f in leaving if not f.look.sorts and f.look.stage == stage.name and _counts(f.look, item_class))
            coupled = tuple(j for j in joint if j.factor.look.stage == stage.name)
            yield Hop(k, s, stage.hop(day), here, coupled)


def _counts(look: Look, item_class: ItemClass) -> bool:
    return any(name == item_class.name for name, _ in look.counts)


def _hidden(account: Account) -> tuple[dict[str, Hidden], dict[str, tuple[int, int]]]:
    """What is hidden, and the first and last day on which it matters."""
    hidden: dict[str, Hidden] = {}
    life: dict[str, tuple[int, int]] = {}
    for look in account.looks:
        days = list(days_of(look))
        names = []
        if len(days) > 1:
            names.append((f"day of {look.name}", tuple(w for _, w in look.days if w > 0)))
        if look.in_pass:
            names.append((f"pass {look.in_pass}", tuple(w for _, w in account.passes[look.in_pass])))
        for name, weights in names:
            hidden[name] = Hidden(name, weights)
            first, last = life.get(name, (min(days), max(days)))
            life[name] = (min(first, *days), max(last, *days))
    return hidden, life


def _check_branches(plan: Sequence[Sequence[Step]]) -> None:
    now: dict[str, int] = {}
    for day, steps in enumerate(plan):
        for step in steps:
            if isinstance(step, Open):
                now[step.hidden.name] = len(step.hidden.weights)
                if prod(now.values()) > MOST_BRANCHES:
                    what = f"{prod(now.values()):,} combinations of visibilities and days are open at once on day {day}"
                    raise ModelError(what, where=next(iter(now)), do=f"at most {MOST_BRANCHES:,} can be kept apart: narrow the days")
            elif isinstance(step, Close):
                del now[step.hidden.name]


def assignments(open_now: Sequence[Hidden]) -> Iterator[dict[str, int]]:
    """Every combination of values of what is open, the last varying fastest."""
    for values in product(*(range(len(h.weights)) for h in open_now)):
        yield dict(zip([h.name for h in open_now], values, strict=True))


def settles(stage: Stage) -> bool:
    """Whether nothing ever leaves a stage."""
    return stage.gone or (stage.leaves == 0 and not stage.on_day)
