"""What an account is made of: classes of items that pass through stages, and looks at them.

A class starts with what was declared and what was not, all in its first stage at the end of day 0. On each later day every
item that is in a stage at the start of the day leaves it with the probability of that stage, for the next one or, from the
last, for good; then a Poisson number of new items arrives in the first stage; then standing decoys fade; then stocks are
looked at. A look counts what it detects, sorts it into classes, and adds Poisson false counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isclose, isfinite

from tallybook.errors import TallybookError

MOST_DAYS = 100_000
SUMS_TO_ONE = 1e-6


class ModelError(TallybookError):
    """An account that cannot be stated so: which part, what is wrong with it, and what to do."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """A probability of leaving that is drawn anew from Beta(a, b) on its day: nothing else is known of how many leave then."""

    a: float = 1.0
    b: float = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A place in the chain. `leaves`: the probability that an item in it at the start of a day leaves on that day.

    `on_day` overrides `leaves` for single days. What is in a stage that is `gone` no longer counts as left: it is kept only so
    that totals of what went out can be looked at.
    """

    name: str
    leaves: float = 0.0
    on_day: Mapping[int, float | Uniform] = field(default_factory=dict)
    gone: bool = False

    def hop(self, day: int) -> float | Uniform:
        """How an item leaves this stage on a day."""
        return self.on_day.get(day, self.leaves)


@dataclass(frozen=True, slots=True)
class Decoys:
    """Things that look like items and stay in the first stage. `pmf[z]`: probability of z at first; each is there next day with
    probability `survive`.
    """

    pmf: tuple[float, ...]
    survive: float


@dataclass(frozen=True, slots=True)
class ItemClass:
    """A class of items. `undeclared[u]` is the prior probability that u were there beside the `declared` ones; `arrivals` the
    expected number brought in per day.
    """

    name: str
    declared: int
    undeclared: tuple[float, ...]
    stages: tuple[Stage, ...]
    arrivals: float = 0.0
    decoys: Decoys | None = None

    def stage(self, name: str) -> int:
        """The place of a stage in the chain, or -1."""
        return next((k for k, stage in enumerate(self.stages) if stage.name == name), -1)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a stock, or at how many left a stage on a day (`leaving`).

    `days`: (day, weight), one pair where the day is certain. `counts`: recorded class and how many. `sorts`: the look sorts
    what it sees by the account's recognition; otherwise it counts items of its one class. `p`: probability that an item is
    detected; `phi`: expected false counts. `decoy_p`: probability that a standing decoy is counted. `units_per_item[c]`:
    probability that an item travels in c crates, which are counted instead. `dispersion`: (alpha, beta) of a beta-binomial
    count. `trust`: probability that the report is right at all; where it is wrong every number up to `span` is as likely.
    `bounds`: the count is known only to lie between these (inclusive; None is no upper bound), instead of `counts`.
    """

    name: str
    days: tuple[tuple[int, float], ...]
    stage: str
    counts: tuple[tuple[str, int], ...]
    leaving: bool = False
    sorts: bool = False
    p: float = 1.0
    phi: float = 0.0
    decoy_p: float = 0.0
    in_pass: str = ""
    units_per_item: tuple[float, ...] = ()
    dispersion: tuple[float, float] | None = None
    trust: float = 1.0
    span: int = 0
    bounds: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account to be solved. `passes[id]`: (visibility, weight) shared by all looks of a pass; `recognition[k][c]`: the
    probability that a detected item of class k is recorded as c.
    """

    classes: tuple[ItemClass, ...]
    last_day: int
    looks: tuple[Look, ...]
    passes: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    recognition: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def checked(self) -> Account:
        """The same account. Raises ModelError, naming the part, for anything that makes no sense."""
        if not self.classes:
            raise ModelError("an account needs a class of items", where="classes")
        names = [c.name for c in self.classes]
        if len(set(names)) != len(names):
            raise ModelError("two classes of one name", where="classes", do="give each class its own name")
        if not isinstance(self.last_day, int) or isinstance(self.last_day, bool) or not 0 <= self.last_day <= MOST_DAYS:
            raise ModelError(f"the last day must be a whole number from 0 to {MOST_DAYS:,}, not {self.last_day!r}", where="T")
        for item_class in self.classes:
            _check_class(item_class)
        for name, values in self.passes.items():
            where = f"passes.{name}"
            if not values:
                raise ModelError("no visibility given", where=where)
            for value, _ in values:
                probability(value, f"{where}.visibility")
            distribution([weight for _, weight in values], f"{where}.visibility", "the weights")
        self._check_recognition(names)
        looked = [look.name for look in self.looks]
        if twice := next((name for name in looked if looked.count(name) > 1), None):
            raise ModelError("two looks of one name", where=twice, do="give each look its own name")
        for look in self.looks:
            self._check_look(look, names)
        return self

    def _check_recognition(self, names: Sequence[str]) -> None:
        for true, row in self.recognition.items():
            where = f"recognition.{true}"
            for name in (true, *row):
                if name not in names:
                    raise ModelError(f"no class {name!r}", where=where, do=f"the classes are {', '.join(names)}")
            for name, share in row.items():
                probability(share, f"{where}.{name}")
            if sum(row.values()) > 1 + SUMS_TO_ONE:
                raise ModelError(f"the shares add up to {sum(row.values()):g}, more than one", where=where)

    def _check_look(self, look: Look, names: Sequence[str]) -> None:
        where = look.name
        self._check_counts(look, names)
        if look.in_pass and look.in_pass not in self.passes:
            known = ", ".join(self.passes) or "none"
            raise ModelError(f"no pass {look.in_pass!r}", where=where, do=f"the passes are {known}")
        _check_days(look, self.last_day)
        for label, value in (("p", look.p), ("decoy_p", look.decoy_p), ("trust", look.trust)):
            probability(value, f"{where}: {label}")
        not_negative(look.phi, f"{where}: phi")
        if look.units_per_item:
            distribution(look.units_per_item, f"{where}: units_per_item", "the shares")
        if look.dispersion is not None:
            if look.units_per_item:
                raise ModelError("crates with an overdispersed count are not provided for", where=where, do="give one of the two")
            for value in look.dispersion:
                positive(value, f"{where}: dispersion")
        if look.bounds is not None:
            low = whole(look.bounds[0], where, "the lower bound")
            if look.bounds[1] is not None and whole(look.bounds[1], where, "the upper bound") < low:
                raise ModelError("the bounds are not in order", where=where, do="write the lower one first")
        if look.trust < 1 and look.span < 1:
            raise ModelError("a report that may be wrong needs a span", where=where)

    def _check_counts(self, look: Look, names: Sequence[str]) -> None:
        where = look.name
        classes = [c for c, _ in look.counts]
        for name, count in look.counts:
            if name not in names:
                raise ModelError(f"no class {name!r}", where=where, do=f"the classes are {', '.join(names)}")
            if look.bounds is None:
                whole(count, where, "the count")
        if len(set(classes)) != len(classes) or not classes or (len(classes) > 1 and not look.sorts):
            raise ModelError("a look counts one class, or sorts several, each once", where=where)
        for name in classes if not look.sorts else names:
            item_class = self.classes[names.index(name)]
            if look.leaving and any(s.name == look.stage and s.gone for s in item_class.stages):
                raise ModelError(f"nothing leaves {look.stage!r}: what is in it is gone", where=where)
            if item_class.stage(look.stage) < 0:
                stages = ", ".join(s.name for s in item_class.stages)
                raise ModelError(f"no stage {look.stage!r} in class {name}", where=where, do=f"the stages are {stages}")


def _check_days(look: Look, last_day: int) -> None:
    where = look.name
    if not look.days:
        raise ModelError("no day", where=where, do="give `day`, or `days` with weights")
    for day, _ in look.days:
        if not isinstance(day, int) or isinstance(day, bool) or not 0 <= day <= last_day:
            what = f"day {day} is before the first, 0" if isinstance(day, int) and day < 0 else f"no day {day!r}"
            raise ModelError(what, where=where, do=f"the account runs from day 0 to day {last_day}")
    if len({day for day, _ in look.days}) != len(look.days):
        raise ModelError("one day twice", where=where, do="add the weights of one day up")
    distribution([weight for _, weight in look.days], where, "the weights of the days")


def _check_class(item_class: ItemClass) -> None:
    where = item_class.name
    whole(item_class.declared, where, "the declared number")
    distribution(item_class.undeclared, f"{where}: pi", "the probabilities of undeclared numbers")
    not_negative(item_class.arrivals, f"{where}: rho")
    if not item_class.stages:
        raise ModelError("a class needs a stage", where=where)
    if len({s.name for s in item_class.stages}) != len(item_class.stages):
        raise ModelError("two stages of one name", where=where, do="give each stage its own name")
    for stage in item_class.stages:
        for hop in (stage.leaves, *stage.on_day.values()):
            if isinstance(hop, Uniform):
                positive(hop.a, f"{where}.{stage.name}")
                positive(hop.b, f"{where}.{stage.name}")
            else:
                probability(hop, f"{where}.{stage.name}: the probability of leaving")
        if stage.gone and (stage.leaves != 0 or stage.on_day):
            raise ModelError("what is gone does not leave", where=f"{where}.{stage.name}")
    gone = [s.gone for s in item_class.stages]
    if gone != sorted(gone) or gone[0]:
        raise ModelError("what is gone comes last, and the first stage is not gone", where=where)
    if item_class.decoys:
        distribution(item_class.decoys.pmf, f"{where}: decoys.pmf", "the probabilities of decoys")
        probability(item_class.decoys.survive, f"{where}: decoys.survive")


def whole(value: object, where: str, what: str) -> int:
    """The value as a count. Raises ModelError where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ModelError(f"{what} must be a whole number, 0 or more, not {value!r}", where=where)
    if isinstance(value, float) and (not isfinite(value) or value != int(value)):
        raise ModelError(f"{what} is {value!r}, and things are counted in whole numbers", where=where)
    if value < 0:
        raise ModelError(f"{what} is {value!r}, and a count cannot be negative", where=where)
    return int(value)


def probability(value: object, where: str) -> float:
    """The value as a probability. Raises ModelError where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ModelError(f"{value!r} is not a probability", where=where, do="give a number from 0 to 1")
    return float(value)


def not_negative(value: object, where: str) -> float:
    """The value as a number from 0. Raises ModelError where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < inf:
        raise ModelError(f"{value!r} is not a number from 0 up", where=where, do="give an expected number, 0 or more")
    return float(value)


def positive(value: object, where: str) -> float:
    """The value as a number above 0. Raises ModelError where it is none."""
    if not_negative(value, where) == 0:
        raise ModelError("must be more than 0", where=where)
    return float(value)  # type: ignore[arg-type]


def distribution(values: Sequence[float], where: str, what: str) -> None:
    """Raises ModelError unless the values are probabilities that sum to one."""
    if not values:
        raise ModelError(f"{what} are missing", where=where)
    for value in values:
        probability(value, where)
    if not isclose(sum(values), 1, abs_tol=SUMS_TO_ONE):
        raise ModelError(f"{what} add up to {sum(values):.6g}, not to one", where=where)


def days_of(look: Look) -> Iterator[int]:
    """The days on which a look may have been made."""
    return (day for day, weight in look.days if weight > 0)
