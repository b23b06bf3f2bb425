"""An account as steps in time order: what the joint state goes through on each day, whatever form it is held in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import log, prod, sqrt

from tallybook.holdings.model import Account, ItemClass, Look, ModelError, Stage, Uniform, days_of
from tallybook.holdings.numbers import poisson_until

Key = tuple[bool, float]
"""Whether a look was made, and the visibility: what its numbers depend on."""

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

    def key(self, values: Mapping[str, int]) -> Key:
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
                    raise ModelError(
                        what, where=next(iter(now)), do=f"at most {MOST_BRANCHES:,} can be kept apart: narrow the days"
                    )
            elif isinstance(step, Close):
                del now[step.hidden.name]


def assignments(open_now: Sequence[Hidden]) -> Iterator[dict[str, int]]:
    """Every combination of values of what is open, the last varying fastest."""
    for values in product(*(range(len(h.weights)) for h in open_now)):
        yield dict(zip([h.name for h in open_now], values, strict=True))


def settles(stage: Stage) -> bool:
    """Whether nothing ever leaves a stage."""
    return stage.gone or (stage.leaves == 0 and not stage.on_day)


@dataclass(frozen=True, slots=True)
class Widths:
    """About how many numbers each stage (of each class, in order) can have on a day but for a share, and how many branches.

    `apart`: whether enough of a class has come in or gone out by then that the numbers in its stages no longer add up to one that
    is known.
    """

    stages: tuple[tuple[int, ...], ...]
    apart: tuple[bool, ...]
    decoys: tuple[int, ...]
    branches: int

    @property
    def all(self) -> tuple[int, ...]:
        """The widths of all axes."""
        return (*(w for chain in self.stages for w in chain), *self.decoys)


def widths(account: Account, steps: Sequence[Sequence[Step]], share: float) -> list[Widths]:
    """The widths of every day, from the moments of each number; of the looks only what they say of the number at first."""
    moments = [_Moments(c, share) for c in account.classes]
    decoys = tuple(len(c.decoys.pmf) for c in account.classes if c.decoys is not None)
    now: dict[str, int] = {}
    out = []
    for day, today in enumerate(steps):
        most = prod(now.values())
        if day:
            for m in moments:
                m.advance(day)
        for step in today:
            if isinstance(step, Open):
                now[step.hidden.name] = len(step.hidden.weights)
                most = max(most, prod(now.values()))
            elif isinstance(step, Close):
                del now[step.hidden.name]
            elif isinstance(step, See) and step.factor.day_of is None:
                for m in moments:
                    m.looked_at(step.factor.look)
        out.append(Widths(tuple(m.widths() for m in moments), tuple(m.apart for m in moments), decoys, most))
    return out


class _Moments:
    """Where an item that was there at first is, and how many have arrived since, on average."""

    def __init__(self, item_class: ItemClass, share: float) -> None:
        self.item_class, self.share = item_class, share
        self.t = log(1 / share)
        stages = len(item_class.stages)
        self.place = [1.0] + [0.0] * (stages - 1)
        self.since = [0.0] * stages
        self.open = [False] * stages
        weights = item_class.undeclared
        beside = sum(u * w for u, w in enumerate(weights))
        self.mean = item_class.declared + beside
        self.spread = sum((u - beside) ** 2 * w for u, w in enumerate(weights))
        self.arrived = 0.0

    @property
    def apart(self) -> bool:
        """Whether the numbers no longer add up to one that is known."""
        gone = 1 - sum(self.place)
        return self.mean * gone * (1 - gone) + self.arrived > _APART

    def advance(self, day: int) -> None:
        """One day on."""
        stages = self.item_class.stages
        for s in range(len(stages) - 1, -1, -1):
            how = 0.0 if stages[s].gone else stages[s].hop(day)
            q = how.a / (how.a + how.b) if isinstance(how, Uniform) else how
            for numbers in (self.place, self.since):
                moved = numbers[s] * q
                numbers[s] -= moved
                if s + 1 < len(stages):
                    numbers[s + 1] += moved
            if isinstance(how, Uniform) or (self.open[s] and q > 0):
                # Anything may have left on such a day.
                self.open[s] = True
                if s + 1 < len(stages):
                    self.open[s + 1] = True
        self.since[0] += self.item_class.arrivals
        self.arrived += self.item_class.arrivals

    def looked_at(self, look: Look) -> None:
        """What a look at a stock says of the number at first, in the normal approximation."""
        s = self.item_class.stage(look.stage)
        plain = not (look.sorts or look.in_pass or look.bounds or look.dispersion or look.units_per_item) and look.trust == 1
        if not plain or s < 0 or look.counts[0][0] != self.item_class.name or self.spread == 0:
            return
        seen, share = look.p * self.place[s], self.place[s]
        if seen > 0:
            noise = self.mean * (seen * (1 - look.p) + look.p**2 * share * (1 - share)) + look.phi + self.since[s]
            self.spread = 1 / (1 / self.spread + seen**2 / max(noise, 1.0))

    def widths(self) -> tuple[int, ...]:
        """How many numbers hold all but the share, for each stage."""
        beside = len(self.item_class.undeclared) - 1
        highest = self.item_class.declared + beside + self._above(self.arrived)
        out = []
        for share, since, any_ in zip(self.place, self.since, self.open, strict=True):
            vary = self.mean * share * (1 - share) + since
            half = sqrt(2 * vary * self.t)
            unsure = min(2 * sqrt(2 * self.spread * self.t), beside) * share
            width = highest if any_ else min(half, self.mean * share + since) + max(half, self._above(vary)) + unsure
            out.append(int(min(width, highest)) + 1)
        return tuple(out)

    def _above(self, mean: float) -> float:
        """How far a Poisson number may lie above its mean."""
        if mean > _LARGE:
            return sqrt(2 * mean * self.t) + self.t / 3
        return len(poisson_until(mean, self.share)) - mean


_APART, _LARGE = 16.0, 50.0
