"""The account solved: every distribution as ratios of exact sums, forward and backward over the days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf, log

import numpy as np

from tallybook.errors import TallybookError
from tallybook.holdings.dense import Adjoint, Axis, Dense
from tallybook.holdings.kernels import Kernels, joint_terms
from tallybook.holdings.model import Account, ItemClass, Uniform
from tallybook.holdings.moves import Room, marginals, sums
from tallybook.holdings.numbers import Array, scaled
from tallybook.holdings.schedule import Arrive, Hop, Step, steps_by_day

TOLERANCE = 1e-13


class ImpossibleError(TallybookError):
    """No state of the world can have given these looks. `looks`: names of looks that clash."""

    def __init__(self, looks: Sequence[str]) -> None:
        self.looks = tuple(looks)
        super().__init__(f"no state of the world gives these counts: {', '.join(self.looks)} clash")


@dataclass(frozen=True, slots=True)
class ClassAnswer:
    """What is known of one class. `mean_left[d]` and `p_none_left_on[d]` are smoothed: as all looks, also later ones, tell it."""

    mean_left: Array
    p_none_left_on: Array
    left_by_day: tuple[Array, ...]
    undeclared: Array
    decoys_last: Array | None

    def left(self, day: int) -> Array:
        """P(n left) at the end of a day, n = 0, 1, ..."""
        return self.left_by_day[day]


@dataclass(frozen=True, slots=True)
class Answer:
    """The solved account. `discarded` is the mass that windows left out, summed over all cuts."""

    loglik: float
    classes: dict[str, ClassAnswer]
    p_none_left: float
    p_no_arrivals: float
    p_nothing_undeclared: float
    method: str
    discarded: float


def solve(account: Account, tolerance: float = TOLERANCE, method: str | None = None) -> Answer:
    """Solve an account. `tolerance`: mass that one cut of a window may leave out.

    Raises ModelError for an account that makes no sense, ImpossibleError where no state of the world gives the counts.
    """
    account.checked()
    while True:
        run = Run(account, tolerance)
        run.forward(keep=True)
        if run.loglik == -inf and tolerance == 0:
            raise ImpossibleError(clash(account))
        if run.loglik > -inf:
            smoothed = run.smoothed()
            if smoothed.edge <= _UNSURPRISING or tolerance == 0:
                return _answer(account, run, smoothed, tolerance)
        tolerance = _finer(tolerance)


_UNSURPRISING = 1e3
"""Later looks may favour what lies just outside a window by this factor before the account is solved again with wider ones."""


def _finer(tolerance: float) -> float:
    return tolerance**2 if tolerance > 1e-100 else 0.0


@dataclass(slots=True)
class Smoothed:
    """The mass given all looks. `left[k][d]`: P(n left) of a class on a day; `first`, `last`: the joint mass on the first and the
    last day, summed over what is hidden, with the lowest number on each axis.

    `edge`: the greatest factor by which later looks favour what lies just outside a window.
    """

    left: list[list[Array]]
    first: tuple[Array, list[int]]
    last: tuple[Array, list[int]]
    edge: float


@dataclass(frozen=True, slots=True)
class Day:
    """The joint mass at the end of a day, given the looks so far; `total` is what it was before it was scaled."""

    values: Array
    lows: list[int]
    margins: list[Array]
    total: float


@dataclass(slots=True)
class Run:
    """One way through the days, and back. `kernels` and `room` may be shared with other runs of the same looks."""

    account: Account
    tolerance: float
    steps: list[list[Step]] | None = None
    initial: list[tuple[int, Array]] | None = None
    kernels: Kernels | None = None
    room: Room = field(default_factory=Room)
    loglik: float = 0.0
    discarded: float = 0.0
    state: Dense | None = None
    _days: list[Day] = field(default_factory=list)
    _backs: list[list[Adjoint]] = field(default_factory=list)

    def forward(self, keep: bool = False) -> float:
        """From day 0 to the last. `keep`: what is needed to come back. Returns the log likelihood."""
        steps = self.steps if self.steps is not None else plan(self.account)
        initial = self.initial if self.initial is not None else starting(self.account)
        if self.kernels is None:
            self.kernels = Kernels(self.account, max(self.tolerance, 1e-25))
        self.state = state = Dense.start(self.account, self.kernels, initial, self.tolerance, self.room)
        self.loglik = 0.0
        for today in steps:
            backs: list[Adjoint] = []
            for step in today:
                back, scale = state.apply(step)
                self.loglik += scale
                backs.append(back)
            if self.loglik == -inf:
                return -inf
            cut, total = state.settle()
            if not total > 0:
                self.loglik = -inf
                return -inf
            self.loglik += log(total)
            if keep:
                if cut is not None:
                    backs.append(cut)
                assert state.margins is not None
                self._days.append(Day(state.values, list(state.lows), list(state.margins), total))
                self._backs.append(backs)
        self.discarded = state.discarded
        return self.loglik

    def smoothed(self) -> Smoothed:
        """The mass on every day, given all looks."""
        assert self.state is not None
        classes = range(len(self.account.classes))
        left: list[list[Array]] = [[] for _ in classes]
        after = np.ones_like(self.state.values)
        edge, most = 0.0, self._most()
        ends: list[tuple[Array, list[int]]] = []
        for number, (day, backs) in enumerate(zip(reversed(self._days), reversed(self._backs), strict=True)):
            joint = day.values * after
            edge = max(edge, _edge(marginals(joint), day, most))
            whole = joint[0] if len(joint) == 1 else joint.sum(axis=0)
            for k in classes:
                left[k].append(_left(whole, day.lows, self.state.axes, k, self.account.classes[k]))
            if number in (0, self.account.last_day):
                ends.append((whole, day.lows))
            for back in reversed(backs):
                after = back(after)
            after *= 1 / day.total
        for pmfs in left:
            pmfs.reverse()
        return Smoothed(left, ends[-1], ends[0], edge)

    def _most(self) -> list[float]:
        assert self.state is not None
        out: list[float] = []
        for axis in self.state.axes:
            item_class = self.account.classes[axis.item_class]
            if axis.stage == -1:
                assert item_class.decoys is not None
                out.append(len(item_class.decoys.pmf) - 1)
            else:
                out.append(inf if item_class.arrivals else item_class.declared + len(item_class.undeclared) - 1)
        return out


def plan(account: Account) -> list[list[Step]]:
    """The steps of each day of an account."""
    return steps_by_day(account, {k.name: joint_terms(account, k) for k in account.looks if k.leaving and k.sorts})


def _edge(smoothed: Sequence[Array], day: Day, most: Sequence[float]) -> float:
    """By how much later looks favour what lies just outside a window, where something can lie there."""
    worst = 0.0
    for after, before, low, limit in zip(smoothed, day.margins, day.lows, most, strict=True):
        size = len(after)
        for place, inner, open_ in ((0, min(1, size - 1), low > 0), (size - 1, max(size - 2, 0), low + size - 1 < limit)):
            if open_ and before[place] > 0:
                favour = float(after[place] / before[place])
                within = float(after[inner] / before[inner]) if before[inner] > 0 else 0.0
                worst = max(worst, favour * max(favour / within if within > 0 else 1.0, 1.0))
    return worst


def starting(account: Account) -> list[tuple[int, Array]]:
    """Per class the lowest number at first and the weights from it up."""
    return [(c.declared, np.array(c.undeclared)) for c in account.classes]


def _answer(account: Account, run: Run, smoothed: Smoothed, tolerance: float) -> Answer:
    state = run.state
    assert state is not None
    classes = {}
    for k, item_class in enumerate(account.classes):
        left = smoothed.left[k]
        means = np.array([float(np.arange(len(pmf)) @ pmf) for pmf in left])
        none = np.array([float(pmf[0]) for pmf in left])
        classes[item_class.name] = ClassAnswer(
            means, none, tuple(left), _undeclared(smoothed, state.axes, k, item_class), _decoys(smoothed, state.axes, k)
        )
    return Answer(
        run.loglik,
        classes,
        _p_none_left(account, run, smoothed, tolerance),
        _p_no_arrivals(account, run, tolerance),
        _p_nothing_undeclared(account, run, smoothed, tolerance),
        "dense",
        run.discarded,
    )


def _summed(joint: Array, kept: Sequence[int]) -> Array:
    """Sum out all axes but `kept`."""
    others = tuple(a for a in range(joint.ndim) if a not in kept)
    return np.asarray(joint.sum(axis=others)) if others else joint


def _left(joint: Array, lows: Sequence[int], axes: Sequence[Axis], k: int, item_class: ItemClass) -> Array:
    """P(n left) of one class, from the joint mass of a day."""
    kept = [a for a, axis in enumerate(axes) if axis.item_class == k and axis.stage >= 0 and not item_class.stages[axis.stage].gone]
    start = sum(lows[a] for a in kept)
    pmf = sums(_summed(joint, kept))
    return np.concatenate([np.zeros(start), pmf]) if start else pmf


def _undeclared(smoothed: Smoothed, axes: Sequence[Axis], k: int, item_class: ItemClass) -> Array:
    joint, lows = smoothed.first
    at = axes.index(Axis(k, 0))
    table = _summed(joint, [at])
    out = np.zeros(len(item_class.undeclared))
    first = lows[at] - item_class.declared
    out[first : first + len(table)] = table
    return out


def _decoys(smoothed: Smoothed, axes: Sequence[Axis], k: int) -> Array | None:
    if Axis(k, -1) not in axes:
        return None
    joint, lows = smoothed.last
    at = axes.index(Axis(k, -1))
    return np.concatenate([np.zeros(lows[at]), _summed(joint, [at])])


_DIRECT = 1e-3
"""Probabilities above this are read off the joint mass; smaller ones are a ratio of two passes."""


def _p_none_left(account: Account, run: Run, smoothed: Smoothed, tolerance: float) -> float:
    state = run.state
    assert state is not None
    joint, lows = smoothed.last
    kept = [a for a, axis in enumerate(state.axes) if axis.stage >= 0 and not account.classes[axis.item_class].stages[axis.stage].gone]
    direct = float(_summed(joint, kept)[(0,) * len(kept)]) if all(lows[a] == 0 for a in kept) else 0.0
    if direct > _DIRECT:
        return direct
    if any(isinstance(how, Uniform) for c in account.classes for s in c.stages for how in (s.leaves, *s.on_day.values())):
        finest = Run(account, 0.0)
        finest.forward()
        values, lows = finest.state.values, finest.state.lows  # type: ignore[union-attr]
        if any(lows[a] for a in kept):
            return 0.0
        return float(_summed(values.sum(axis=0), kept)[(0,) * len(kept)]) * exp(finest.loglik - run.loglik)
    tilted = _given_none_left(account, tolerance, run)
    return 0.0 if tilted is None else exp(tilted - run.loglik)


def _given_none_left(account: Account, tolerance: float, shared: Run) -> float | None:
    """log of the probability of all looks and that none is left: every item is made to leave in time.

    Each item that is in stage k at the end of day d gets out by the last day with probability g[k]; weighing every state by the
    product of these makes a pass in which all leave, with other probabilities of leaving, and so with windows where the mass is.
    """
    steps = plan(account)
    offset = 0.0
    initial: list[tuple[int, Array]] = []
    for k, (item_class, (low, weights)) in enumerate(zip(account.classes, starting(account), strict=True)):
        g = [1.0 if stage.gone else 0.0 for stage in item_class.stages]
        for day in range(account.last_day, 0, -1):
            onward = [*g[1:], 1.0]
            before = [here if s.gone else _getting_out(s.hop(day), here, on) for s, here, on in zip(item_class.stages, g, onward, strict=True)]
            for place, step in enumerate(steps[day]):
                if isinstance(step, Hop) and step.item_class == k:
                    q = step.how
                    assert not isinstance(q, Uniform)
                    out = q * onward[step.stage] / before[step.stage] if before[step.stage] > 0 else 1.0
                    steps[day][place] = replace(step, how=min(out, 1.0))
                elif isinstance(step, Arrive) and step.item_class == k:
                    offset -= step.mean * (1 - g[0])
                    steps[day][place] = replace(step, mean=step.mean * g[0])
            g = before
        numbers = np.arange(low, low + len(weights))
        if g[0] == 0:
            if low > 0:
                return None
            initial.append((0, weights[:1]))
            continue
        logs = np.where(weights > 0, np.log(np.maximum(weights, 1e-300)) + numbers * log(g[0]), -inf)
        table, top = scaled(logs)
        offset += top
        initial.append((low, table))
    run = Run(account, tolerance, steps, initial, shared.kernels, shared.room)
    run.forward()
    return run.loglik + offset


def _getting_out(how: float | Uniform, here: float, onward: float) -> float:
    assert not isinstance(how, Uniform)
    return (1 - how) * here + how * onward


def _p_no_arrivals(account: Account, run: Run, tolerance: float) -> float:
    expected = sum(c.arrivals for c in account.classes) * account.last_day
    if expected == 0:
        return 1.0
    closed = replace(account, classes=tuple(replace(c, arrivals=0.0) for c in account.classes))
    other = Run(closed, tolerance, kernels=run.kernels, room=run.room)
    other.forward()
    return exp(other.loglik - run.loglik - expected)


def _p_nothing_undeclared(account: Account, run: Run, smoothed: Smoothed, tolerance: float) -> float:
    state = run.state
    assert state is not None
    prior = 1.0
    for c in account.classes:
        prior *= c.undeclared[0]
    if prior == 0:
        return 0.0
    joint, lows = smoothed.first
    kept = [a for a, axis in enumerate(state.axes) if axis.stage == 0]
    places = [account.classes[state.axes[a].item_class].declared - lows[a] for a in kept]
    direct = float(_summed(joint, kept)[tuple(places)]) if min(places) >= 0 else 0.0
    if direct > _DIRECT:
        return direct
    only = replace(account, classes=tuple(replace(c, undeclared=(1.0,)) for c in account.classes))
    other = Run(only, tolerance, kernels=run.kernels, room=run.room)
    other.forward()
    return prior * exp(other.loglik - run.loglik)


def clash(account: Account) -> list[str]:
    """Names of looks that no state of the world gives together; without any one of them some state does."""
    looks = list(account.looks)
    for look in list(looks):
        fewer = [other for other in looks if other is not look]
        run = Run(replace(account, looks=tuple(fewer)), 0.0)
        if run.forward() == -inf:
            looks = fewer
    return [look.name for look in looks]
