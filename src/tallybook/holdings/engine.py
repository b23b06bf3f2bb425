"""The account solved: every distribution as ratios of exact sums, forward and backward over the days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from math import exp, inf, log, prod

import numpy as np

from tallybook.errors import TallybookError
from tallybook.holdings.dense import Adjoint, Axis, Dense, Smoothed, counted, edge, highest
from tallybook.holdings.feasible import clashing
from tallybook.holdings.kernels import WHOLE_TABLE, Kernels, plan, starting
from tallybook.holdings.model import Account, ItemClass, ModelError, Uniform
from tallybook.holdings.moves import Room, marginals, sums
from tallybook.holdings.numbers import Array, scaled
from tallybook.holdings.schedule import Arrive, Hop, Step, widths
from tallybook.holdings.train import TrainRun

DENSE, TRAIN = "dense windows", "tensor train"
TOLERANCE, _FINEST = 1e-13, 1e-18
TRAIN_TOLERANCE = 1e-13


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
    undeclared: Array
    decoys_last: Array | None
    _left: Callable[[int], Array] = field(repr=False, compare=False)

    def left(self, day: int) -> Array:
        """P(n left) at the end of a day, n = 0, 1, ..."""
        return self._left(day)


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


def solve(account: Account, tolerance: float | None = None, method: str | None = None) -> Answer:
    """Solve an account. `tolerance`: mass that one cut of a window may leave out; `method`: "dense windows" or "tensor train"
    ("dense" or "train" for short).

    Without them, what suits the size of the account. Raises ModelError for an account that makes no sense or needs too much
    memory, ImpossibleError where no state of the world gives the counts.
    """
    account.checked()
    need = chosen(account, method)
    tolerance = need.tolerance if tolerance is None else tolerance
    while True:
        run = _run(account, need.method, tolerance)
        run.forward(keep=True)
        if run.loglik > -inf:
            smoothed = run.smoothed()
            if smoothed.edge <= _UNSURPRISING or tolerance == 0:
                return _answer(account, run, smoothed)
        elif looks := clashing(account):
            raise ImpossibleError(looks)
        elif tolerance == 0:
            raise ImpossibleError(clash(account))
        tolerance = _finer(tolerance)
        _fits(account, need.method, tolerance)


def _fits(account: Account, method: str, tolerance: float) -> None:
    """Raises ModelError where windows wide enough for counts so far apart would not fit."""
    wider = next(n for n in needed(account, tolerance) if n.method == method)
    if wider.memory > MOST_MEMORY or wider.seconds > _PATIENCE:
        what = f"the counts contradict each other, or the prior, so strongly that {wider.memory / 1e9:,.1f} GB would be needed"
        raise ModelError(what, where="looks", do="look for a count that cannot be meant, or let the looks have false counts")


def _run(account: Account, method: str, tolerance: float) -> Run | TrainRun:
    return TrainRun(account, tolerance) if method == TRAIN else Run(account, tolerance)


@dataclass(frozen=True, slots=True)
class Need:
    """What a method would take: bytes at once, and about how many seconds. `tolerance`: what it would leave out at a cut."""

    method: str
    memory: float
    seconds: float
    tolerance: float


MOST_MEMORY = 2e9
_SHORT_NAMES = {"dense": DENSE, "train": TRAIN}
_SPEED, _QUICK = 5e9, 0.5
_PATIENCE = 60.0
_FEW = 20_000
"""Where the joint state has no more cells than this, finer windows cost nothing."""
_RANK = 30
"""About the rank of a bond once the stages have come apart."""


def chosen(account: Account, method: str | None = None) -> Need:
    """The faster of the methods that fit in memory, or the one that is asked for.

    Raises ModelError, with the memory that is needed, where none fits.
    """
    method = _SHORT_NAMES.get(method, method) if method else None
    if method not in (None, DENSE, TRAIN):
        raise ModelError(f"no method {method!r}", where="method", do=f"the methods are {DENSE} and {TRAIN}")
    needs = [n for n in needed(account) if method in (None, n.method)]
    fit = [n for n in needs if n.memory <= MOST_MEMORY]
    if not fit:
        least = min(needs, key=lambda n: n.memory)
        most = f"{MOST_MEMORY / 1e9:g} GB is the most"
        what = f"about {least.memory / 1e9:,.1f} GB of memory would be needed ({least.method}), and {most}"
        raise ModelError(what, where="classes", do="count in lots, narrow the undeclared numbers, or split the account in time")
    quick = [n for n in fit if n.method == DENSE and n.seconds <= _QUICK]
    return quick[0] if quick else min(fit, key=lambda n: n.seconds)


def needed(account: Account, share: float = TOLERANCE) -> list[Need]:
    """What each method would take, from the spread of each number before any look. Nothing large is made.

    `share`: the mass that one cut of a window may leave out.
    """
    steps = plan(account)
    days = widths(account, steps, max(share, 1e-300))
    cells = [d.branches * prod(d.all) for d in days]
    tolerance = _FINEST if max(cells) <= _FEW else TOLERANCE
    chains = [(chain, apart, d.branches) for d in days for chain, apart in zip(d.stages, d.apart, strict=True)]
    pairs = [pair for chain, _, _ in chains for pair in pairwise((*chain, 1))]
    tables = 16.0 * sum(a * a for a, _ in pairs if a > WHOLE_TABLE) + 24.0 * max(a * (a + b) for a, b in pairs)
    tables += _records(account)
    hops = sum(c * 3.0 * sum(w for chain in d.stages for w in chain) for c, d in zip(cells, days, strict=True))
    dense = Need(DENSE, 8.0 * sum(cells) + 48.0 * max(cells) + tables, hops / _SPEED / 4 + 2e-4 * len(pairs), tolerance)
    held = work = widest = 0.0
    for chain, apart, branches in chains:
        for k, (a, b) in enumerate(pairwise((*chain, 1))):
            rank = min(_RANK, a, b)
            # While nearly all are where they were at first the numbers of neighbours add up to one that is known.
            beyond = float(min(rank if apart else a, prod(chain[k + 2 :])))
            held += branches * a * min(rank, prod(chain[:k])) * beyond
            widest = max(widest, branches * a * b * beyond)
            work += branches * a * (a + b) * beyond * (a + 2 * (rank if apart else a))
    train = Need(TRAIN, 16.0 * held + 30.0 * widest + tables, work / _SPEED / 6 + 2e-3 * len(pairs), TRAIN_TOLERANCE)
    return [dense, train]


def _records(account: Account) -> float:
    """Bytes of the tables of looks that sort what they see, see decoys or count crates: numbers by records."""
    most = max(c.declared + len(c.undeclared) for c in account.classes) + _MORE
    wide = [k for k in account.looks if k.sorts or k.units_per_item or k.decoy_p > 0]
    return max((32.0 * most * prod(y + 1.0 for _, y in k.counts) for k in wide), default=0.0)


_MORE = 32
"""About how many more there may be than at first."""


_UNSURPRISING = 1e2
"""Later looks may favour what lies just outside a window by this factor before the account is solved again with wider ones."""


def _finer(tolerance: float) -> float:
    return tolerance**2 if tolerance > 1e-100 else 0.0


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
    method: str = DENSE
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
            cut, total = state.settle(keep=keep or today is steps[-1])
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

    def again(
        self, account: Account, steps: list[list[Step]] | None = None, initial: list[tuple[int, Array]] | None = None
    ) -> float:
        """The log likelihood of another account with the same looks."""
        return Run(account, self.tolerance, steps, initial, self.kernels, self.room).forward()

    def smoothed(self) -> Smoothed:
        """What all looks together say of every day."""
        assert self.state is not None
        account, axes = self.account, self.state.axes
        left: list[list[Array]] = [[] for _ in account.classes]
        after = np.ones_like(self.state.values)
        worst, most = 0.0, highest(account, axes)
        ends: list[tuple[Array, list[int]]] = []
        for number, day in enumerate(reversed(self._days)):
            joint = day.values * after
            worst = max(worst, edge(marginals(joint), day.margins, day.lows, most))
            whole = joint[0] if len(joint) == 1 else joint.sum(axis=0)
            for k in range(len(left)):
                left[k].append(_left(whole, day.lows, counted(account, axes, k)))
            if number in (0, account.last_day):
                ends.append((whole, day.lows))
            for back in reversed(self._backs.pop()):
                after = back(after)
            after *= 1 / day.total
        for pmfs in left:
            pmfs.reverse()
        (last, lows), (first, starts) = ends[0], ends[-1]
        stages = [axes.index(Axis(k, 0)) for k in range(len(left))]
        return Smoothed(
            [np.array([float(np.arange(len(pmf)) @ pmf) for pmf in pmfs]) for pmfs in left],
            [np.array([float(pmf[0]) for pmf in pmfs]) for pmfs in left],
            lambda k, d: left[k][d],
            [undeclared(c, _summed(first, [a]), starts[a]) for c, a in zip(account.classes, stages, strict=True)],
            [_decoys(last, lows, axes, k) for k in range(len(left))],
            _cell(last, lows, dict.fromkeys(counted(account, axes), 0)),
            _cell(first, starts, {a: c.declared for c, a in zip(account.classes, stages, strict=True)}),
            worst,
        )


def _answer(account: Account, run: Run | TrainRun, smoothed: Smoothed) -> Answer:
    classes = {}
    for k, item_class in enumerate(account.classes):
        parts = (smoothed.means[k], smoothed.none[k], smoothed.undeclared[k], smoothed.decoys[k])
        classes[item_class.name] = ClassAnswer(*parts, partial(smoothed.left, k))
    return Answer(
        run.loglik,
        classes,
        _p_none_left(account, run, smoothed),
        _p_no_arrivals(account, run),
        _p_nothing_undeclared(account, run, smoothed),
        run.method,
        run.discarded,
    )


def _summed(joint: Array, kept: Sequence[int]) -> Array:
    """Sum out all axes but `kept`."""
    others = tuple(a for a in range(joint.ndim) if a not in kept)
    return np.asarray(joint.sum(axis=others)) if others else joint


def _cell(joint: Array, lows: Sequence[int], numbers: Mapping[int, int]) -> float:
    """The mass of the states that have given numbers on some axes."""
    table = _summed(joint, list(numbers))
    places = [numbers[a] - lows[a] for a in sorted(numbers)]
    inside = all(0 <= place < size for place, size in zip(places, table.shape, strict=True))
    return float(table[tuple(places)]) if inside else 0.0


def _left(joint: Array, lows: Sequence[int], kept: Sequence[int]) -> Array:
    """P(n left) of one class, from the joint mass of a day."""
    start = sum(lows[a] for a in kept)
    pmf = sums(_summed(joint, kept))
    return np.concatenate([np.zeros(start), pmf]) if start else pmf


def undeclared(item_class: ItemClass, at_first: Array, low: int) -> Array:
    """P(u undeclared) from the mass of each number at first, from `low` up."""
    out = np.zeros(len(item_class.undeclared))
    first = low - item_class.declared
    out[first : first + len(at_first)] = at_first
    return out


def _decoys(joint: Array, lows: Sequence[int], axes: Sequence[Axis], k: int) -> Array | None:
    if Axis(k, -1) not in axes:
        return None
    at = axes.index(Axis(k, -1))
    return np.concatenate([np.zeros(lows[at]), _summed(joint, [at])])


_DIRECT = 1e-3
"""Probabilities above this are read off the joint mass; smaller ones are a ratio of two passes."""


def _p_none_left(account: Account, run: Run | TrainRun, smoothed: Smoothed) -> float:
    if smoothed.none_left > _DIRECT:
        return smoothed.none_left
    if _free(account):
        finest = Run(account, 0.0)
        finest.forward()
        assert finest.state is not None
        last, axes = finest.state.values.sum(axis=0), finest.state.axes
        none = _cell(last, finest.state.lows, dict.fromkeys(counted(account, axes), 0))
        return none * exp(finest.loglik - run.loglik)
    tilted = _given_none_left(account, run)
    return 0.0 if tilted is None else exp(tilted - run.loglik)


def _given_none_left(account: Account, shared: Run | TrainRun) -> float | None:
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
            before = [
                here if s.gone else _getting_out(s.hop(day), here, on)
                for s, here, on in zip(item_class.stages, g, onward, strict=True)
            ]
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
    return shared.again(account, steps, initial) + offset


def _getting_out(how: float | Uniform, here: float, onward: float) -> float:
    assert not isinstance(how, Uniform)
    return (1 - how) * here + how * onward


def _p_no_arrivals(account: Account, run: Run | TrainRun) -> float:
    expected = sum(c.arrivals for c in account.classes) * account.last_day
    if expected == 0:
        return 1.0
    closed = replace(account, classes=tuple(replace(c, arrivals=0.0) for c in account.classes))
    return exp(run.again(closed) - run.loglik - expected)


def _p_nothing_undeclared(account: Account, run: Run | TrainRun, smoothed: Smoothed) -> float:
    prior = prod(c.undeclared[0] for c in account.classes)
    if prior == 0 or smoothed.nothing_undeclared > _DIRECT:
        return smoothed.nothing_undeclared if prior else 0.0
    only = replace(account, classes=tuple(replace(c, undeclared=(1.0,)) for c in account.classes))
    return prior * exp(run.again(only) - run.loglik)


def log_likelihood(account: Account, tolerance: float = 1e-7) -> tuple[float, float, float]:
    """The log likelihood, P(none left) and the mean number left of all classes on the last day, by one pass forward.

    For many accounts that differ in their parameters. `tolerance`: mass that one cut of a window may leave out. The account is
    taken as checked. Minus infinity where no state of the world gives the counts.
    """
    run = Run(account, tolerance)
    if run.forward() == -inf:
        run = Run(account, 0.0)
        if run.forward() == -inf:
            return -inf, 0.0, 0.0
    state = run.state
    assert state is not None
    margins = state.margins or marginals(state.values)
    kept = counted(account, state.axes)
    mean = sum(float((state.lows[a] + np.arange(len(margins[a]))) @ margins[a]) for a in kept)
    last = state.values[0] if len(state.values) == 1 else state.values.sum(axis=0)
    none = _cell(last, state.lows, dict.fromkeys(kept, 0))
    if none < _RATIO_BELOW and not _free(account):
        tilted = _given_none_left(account, run)
        none = 0.0 if tilted is None else exp(tilted - run.loglik)
    return run.loglik, none, mean


_RATIO_BELOW = 1e-4


def _free(account: Account) -> bool:
    """Whether on some day nothing is known of how many leave."""
    return any(isinstance(how, Uniform) for c in account.classes for s in c.stages for how in (s.leaves, *s.on_day.values()))


def clash(account: Account) -> list[str]:
    """Names of looks that no state of the world gives together; without any one of them some state does."""
    looks = list(account.looks)
    for look in list(looks):
        fewer = [other for other in looks if other is not look]
        run = Run(replace(account, looks=tuple(fewer)), 0.0)
        if run.forward() == -inf:
            looks = fewer
    return [look.name for look in looks]
