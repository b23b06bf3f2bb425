"""The account of totals: what there was, what went out on ships or in parts, what that leaves. Exact sums over whole numbers.

What went out is known only by counts of it: a departure that nobody counted takes nothing out. Counts of what went out say
nothing of what was never declared; that has a prior of its own, which is stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log

import numpy as np

from tallybook.holdings.model import ModelError
from tallybook.holdings.numbers import Array, poisson_until

LARGEST = 2_000_000
"""More things than this are counted in larger units."""
DIRECT = 4_096
"""Up to this many numbers sums are added up term by term; beyond, with fast transforms, right to 1e-12 absolute."""
UNLISTED = 0.5
"""Prior probability that a total holds items that went out in no part that was counted by itself."""
UNLISTED_KNOWN = 0.95
"""The same where parts are known of that nobody counted by themselves."""
_FEW_STEPS = 64
TAIL = 1e-9
"""What of the prior on the undeclared number is put on its last point."""


@dataclass(frozen=True, slots=True)
class Undeclared:
    """The prior on how many there were beside those declared: none with probability `none`, else geometric with this mean."""

    none: float = 0.5
    mean: float = 1.0

    def weights(self, most: int) -> Array:
        """P(u) for u = 0..most; shape [most + 1]. What lies beyond is put on the last."""
        if most == 0:
            return np.ones(1)
        on = 1 - 1 / max(self.mean, 1.0)
        out = np.ones(most + 1)
        out[1:] = (1 - self.none) * (1 - on) * on ** np.arange(float(most))
        out[0] = self.none
        # All that lies beyond: more than one step of the tail.
        out[-1] = (1 - self.none) * on ** (most - 1)
        return out


@dataclass(frozen=True, slots=True)
class Figure:
    """A report of a number: between `low` and `high` (None: no upper bound), right with probability `trust`, else anything.

    `excess`: where only a minimum was seen of one thing, how many more there are on average; 0: any number above is as likely.
    """

    report: str
    low: int
    high: int | None
    trust: float
    excess: float = 0.0

    def weights(self, most: int, span: int) -> Array:
        """P(this report | number) for 0..most; shape [most + 1]. Where it is wrong, every number up to `span` is as likely."""
        high = most if self.high is None else min(self.high, most)
        out = np.full(most + 1, (1 - self.trust) / (span + 1))
        if self.high is None and self.excess > 0 and self.low <= most:
            more = np.exp(np.arange(most - self.low + 1) * log(self.excess / (1 + self.excess)))
            out[self.low :] += self.trust * more / more.sum()
        elif self.low <= high:
            out[self.low : high + 1] += self.trust / (max(span if self.high is None else self.high, self.low) - self.low + 1)
        return out


@dataclass(frozen=True, slots=True)
class Part:
    """A ship, or a site, and the counts of what it took out: looks at one number, never a sum."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class TotalsAccount:
    """`declared` is what was declared, or else the largest figure to start from. `out`: figures of the whole that is out.
    `at_first`: figures of what there was at least. `left`: looks at the whole that found so many. `arrivals`: expected number
    brought in since; `parts_uncounted`: ships known of that have no count of their own.
    """

    declared: int
    undeclared: Undeclared
    parts: tuple[Part, ...] = ()
    out: tuple[Figure, ...] = ()
    at_first: tuple[Figure, ...] = ()
    left: tuple[Figure, ...] = ()
    arrivals: float = 0.0
    parts_uncounted: int = 0

    def without(self, report: str) -> TotalsAccount:
        """The account as it would be without one report."""

        def kept(figures: Sequence[Figure]) -> tuple[Figure, ...]:
            return tuple(f for f in figures if f.report != report)

        parts = tuple(replace(p, figures=kept(p.figures)) for p in self.parts)
        return replace(
            self,
            parts=tuple(p for p in parts if p.figures),
            out=kept(self.out),
            at_first=kept(self.at_first),
            left=kept(self.left),
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """The solved account. `first[n]`: P(n there were, with what was brought in), `out[n]`: P(n are out), `left[n]`: P(n
    are left). `loads[part]`: P(n went out in that part). `evidence`: log of the probability of all figures, up to a constant.
    """

    first: Array
    out: Array
    left: Array
    loads: dict[str, Array]
    unlisted: Array
    declared: int
    evidence: float
    _start: Array
    _gone: Array
    _look: Array

    @property
    def p_none_left(self) -> float:
        """P(none left)."""
        return float(self.left[0])

    @property
    def p_declared_out(self) -> float:
        """P(at least as many are out as were declared)."""
        return float(self.out[self.declared :].sum())

    @property
    def p_nothing_undeclared(self) -> float:
        """P(there were no more than declared)."""
        return float(self.first[: self.declared + 1].sum())

    def joint(self, first: int, out: int) -> float:
        """P(there were `first`, and `out` are out)."""
        if not 0 <= out <= first < len(self._start):
            return 0.0
        return float(self._start[first] * self._gone[out] * self._look[first - out]) / exp(self.evidence)


def span_of(account: TotalsAccount) -> int:
    """The greatest number that a wrong report may give, and that a part may carry: twice the largest on file."""
    figures = [*account.out, *account.at_first, *account.left, *(f for part in account.parts for f in part.figures)]
    return max(10, 2 * max([account.declared, *(f.low if f.high is None else f.high for f in figures)]))


def size_needed(account: TotalsAccount) -> int:
    """The greatest number that an account has to reckon with."""
    tail = account.undeclared.mean * log(1 / TAIL) + 6 * account.arrivals + 10 * (account.arrivals > 0)
    return max(span_of(account), account.declared + int(tail) + 1)


def solve_totals(account: TotalsAccount) -> Totals:
    """Solve an account of totals; every number up to the greatest that the prior or a figure allows is its own point.

    Raises ModelError where there are too many things to count one by one.
    """
    most = size_needed(account)
    if most > LARGEST:
        memory = 8 * 12 * most / 1e9
        what = f"an account of {account.declared:,} would need every number up to {most:,} ({memory:.1f} GB)"
        raise ModelError(what, where="holdings", do="count in larger units, such as batches")
    span = span_of(account)
    start = np.zeros(most + 1)
    start[account.declared :] = account.undeclared.weights(most - account.declared)
    if account.arrivals > 0:
        start = _sum_of(start, poisson_until(account.arrivals, 1e-16))
    for figure in account.at_first:
        start = start * figure.weights(most, span)
    parts = {part.name: _load(part.figures, most, span) for part in account.parts}
    unlisted = _unlisted(most, span, account)
    told = np.ones(most + 1)
    for figure in account.out:
        told = told * figure.weights(most, span)
    look = np.ones(most + 1)
    for figure in account.left:
        look = look * figure.weights(most, span)
    gone = unlisted
    for weights in parts.values():
        gone = _sum_of(gone, weights)
    gone = gone * told
    # No more can be out than there was: sums over pairs with out <= first.
    left = _difference(start, gone) * look
    after = _difference(start, look)
    total = float(left.sum())
    first, out = start * _sum_of(gone, look), gone * after
    loads = {}
    shares = dict(parts)
    shares[""] = unlisted
    if most <= DIRECT:
        for name, weights in shares.items():
            others = np.zeros(most + 1)
            others[0] = 1.0
            for other, more in shares.items():
                if other != name:
                    others = _sum_of(others, more)
            load = weights * _difference(told * after, others)
            loads[name] = load / load.sum()
    beyond = loads.pop("", unlisted)
    return Totals(
        first / first.sum(), out / out.sum(), left / total, loads, beyond, account.declared, log(total), start, gone, look
    )


def _load(figures: Sequence[Figure], most: int, span: int) -> Array:
    """What one part carried, from the looks at it alone."""
    out = np.zeros(most + 1)
    out[: span + 1] = 1.0
    for figure in figures:
        out = out * figure.weights(most, span)
    return np.asarray(out / out.sum())


def _unlisted(most: int, span: int, account: TotalsAccount) -> Array:
    """How many a total may hold that went out in no part counted by itself."""
    out = np.zeros(most + 1)
    out[0] = 1.0
    if any(figure.high is not None or figure.excess > 0 for figure in account.out):
        share = UNLISTED_KNOWN if account.parts_uncounted else UNLISTED
        out[0] = 1 - share
        out[1 : span + 1] = share / span
    return out


def _sum_of(a: Array, b: Array) -> Array:
    """Weights of the sum of two independent numbers, cut to the length of the first."""
    size = len(a)
    if size <= DIRECT or len(b) <= _FEW_STEPS:
        return np.convolve(a, b)[:size]
    for one, other in ((a, b), (b, a)):
        edges = np.flatnonzero(np.diff(other)) + 1
        if len(edges) <= _FEW_STEPS:
            return _with_steps(one, other, [0, *(int(e) for e in edges), len(other)])
    length = 1 << (2 * size - 1).bit_length()
    both = np.fft.irfft(np.fft.rfft(a, length) * np.fft.rfft(b, length), length)
    return np.maximum(both[:size], 0.0)


def _with_steps(a: Array, steps: Array, edges: Sequence[int]) -> Array:
    """Weights of a sum where one number's weights are the same over long runs: differences of running sums."""
    size = len(a)
    run = np.concatenate([[0.0], np.cumsum(a)])
    out = np.zeros(size)
    for start, end in pairwise(edges):
        if steps[start] == 0 or start >= size:
            continue
        # The run from `start` to `end` reaches k from a[k - end + 1] to a[k - start].
        out[start:] += steps[start] * run[1 : size - start + 1]
        if end < size:
            out[end:] -= steps[start] * run[1 : size - end + 1]
    return np.maximum(out, 0.0)


def _difference(a: Array, b: Array) -> Array:
    """Weights of a - b where it is 0 or more: out[r] = sum over n of a[n] b[n - r]."""
    return _sum_of(a[::-1], b)[::-1] if len(a) == len(b) else np.correlate(a, b, "full")[len(b) - 1 :]


def points(weights: Array) -> tuple[int, int, int]:
    """The 5 %, median and 95 % points of a distribution over 0, 1, ..."""
    up = np.cumsum(weights)
    low, middle, high = (int(np.searchsorted(up, share - 1e-12)) for share in (0.05, 0.5, 0.95))
    last = len(weights) - 1
    return min(low, last), min(middle, last), min(high, last)
