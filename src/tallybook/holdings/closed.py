"""Counts of closed stocks at sites: the total, the rate and the probability of detection, all three unknown.

Site s holds N_s ~ Poisson(rate) items that do not change over its visits; a visit counts Binomial(N_s, p) of them (Royle 2004,
Biometrics 60:105). The prior is rate ~ Gamma(a, b) and p ~ Beta(alpha, beta). With T visits and m = rate (1-p)^T every site adds
a function of m alone, so that the whole posterior is a sum of functions of m times a two-dimensional density without data in
it. Sums over N_s run as far as the terms matter, found from the terms themselves: there is no bound on counts to choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import asinh, ceil, exp, inf, lgamma, log, log1p, pi, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tallybook.holdings.model import ModelError, positive, whole

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

FAR = 46.0
"""Terms this many natural logarithms below the greatest are left out: 1e-20 of it."""
CLOSE = 1e-11
"""Relative error of the trapezoids. Halving a step squares it, so that a halving that moves the answer by c leaves c squared."""
HALVINGS = 9
MOST = 2**40
_TABLE = 2**17
_EXPONENT = 300.0
_NOTHING = -700.0
_BEND = 4.0
_STEP = 0.35
_STEPS = 32
_SCAN = 24
_CELLS = 40_000


@dataclass(frozen=True, slots=True)
class ClosedPrior:
    """rate ~ Gamma(shape a, rate b), items per site; detection ~ Beta(alpha, beta). All above 0."""

    a: float
    b: float
    alpha: float
    beta: float

    def checked(self) -> ClosedPrior:
        """The same prior. Raises ModelError for a value that is not above 0."""
        for name in ("a", "b", "alpha", "beta"):
            positive(getattr(self, name), f"prior: {name}")
        return self


@dataclass(frozen=True, slots=True)
class ClosedAnswer:
    """The posterior of a closed stock.

    `mean_total`, `sd_total`: items over all sites. `mean_rate`, `sd_rate`: expected items per site. `mean_detection`,
    `sd_detection`: probability that a visit counts an item. `error`: what the last halving of the steps leaves, relatively, plus
    what rounding of the logarithms can do.
    """

    log_evidence: float
    mean_total: float
    sd_total: float
    mean_rate: float
    sd_rate: float
    mean_detection: float
    sd_detection: float
    error: float
    _found: tuple[_Posterior, _Outer] | None = field(repr=False, default=None, compare=False)
    _unseen: tuple[int, ClosedPrior] | None = field(repr=False, default=None, compare=False)

    def total_pmf(self, limit: int) -> Floats:
        """P(total = n | counts) for n = 0..limit, exact: an array of limit + 1.

        Cost: number of sites x width of one site's distribution x limit, about a hundred times. Raises ModelError for a limit
        that is no whole number.
        """
        size = whole(limit, "limit", "the limit") + 1
        if self._unseen is not None:
            return _unseen_total(*self._unseen, size)
        assert self._found is not None
        posterior, outer = self._found
        found = np.zeros(size)
        for v, weight in zip(*posterior.fine(outer, size), strict=True):
            if weight > 0:
                found += weight * posterior.groups.total_pmf(float(v), size)
        return found


def closed_counts(y: Sequence[Sequence[int]], prior: ClosedPrior) -> ClosedAnswer:
    """The posterior from counts `y`: S sites of T visits each.

    Raises ModelError for a count that is none, for sites with different numbers of visits, and for a prior that is none.
    """
    prior.checked()
    rows = _counts(y)
    sites, visits = rows.shape
    if sites == 0 or visits == 0:
        return _prior_itself(sites, prior)
    return _Posterior(rows, prior).solve()


def _counts(y: Sequence[Sequence[int]]) -> Ints:
    visits = {len(row) for row in y}
    if len(visits) > 1:
        raise ModelError(f"sites have {min(visits)} to {max(visits)} visits", where="y", do="give each site as many counts")
    if not all(type(value) is int and 0 <= value < MOST for row in y for value in row):
        for s, row in enumerate(y):
            for t, value in enumerate(row):
                if whole(value, f"y[{s}][{t}]", "the count") >= MOST:
                    raise ModelError(f"a count of {value}", where=f"y[{s}][{t}]", do=f"counts go up to {MOST - 1:,}")
    return np.array([[int(value) for value in row] for row in y], np.int64).reshape(len(y), visits.pop() if visits else 0)


def _prior_itself(sites: int, prior: ClosedPrior) -> ClosedAnswer:
    """Nobody looked: the prior, and a Poisson number at each site."""
    a, b, alpha, beta = prior.a, prior.b, prior.alpha, prior.beta
    rate, both = a / b, alpha + beta
    total_sd = sqrt(sites * rate + sites**2 * rate / b)
    detection_sd = sqrt(alpha * beta / (both + 1)) / both
    unseen = (sites, prior)
    return ClosedAnswer(0.0, sites * rate, total_sd, rate, sqrt(a) / b, alpha / both, detection_sd, 0.0, _unseen=unseen)


def _unseen_total(sites: int, prior: ClosedPrior, size: int) -> Floats:
    """Negative binomial: a Poisson number with a Gamma mean."""
    n = np.arange(size, dtype=np.float64)
    if sites == 0:
        return np.where(n == 0, 1.0, 0.0)
    steps = np.log((prior.a + n[:-1]) / (n[:-1] + 1) * (sites / (prior.b + sites)))
    start = -prior.a * log1p(sites / prior.b)
    return np.exp(start + np.concatenate([[0.0], np.cumsum(steps)]))


# ------------------------------------------------------------------------------------------------------- sums over one site


@lru_cache(maxsize=1)
def _factorials() -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, _TABLE)), dtype=np.longdouble)]).astype(np.float64)


def _log_factorial(n: Ints) -> Floats:
    """log n!; -inf below 0, so that what is divided by it must be guarded by the caller."""
    if n.size == 0 or n.max() < _TABLE:
        return _factorials()[np.maximum(n, 0)]
    z = np.maximum(n, 0) + 1.0
    inverse = 1 / (z * z)
    stirling = (z - 0.5) * np.log(z) - z + 0.5 * log(2 * pi) + (1 / 12 - inverse * (1 / 360 - inverse / 1260)) / z
    return np.where(n < _TABLE, _factorials()[np.clip(n, 0, _TABLE - 1)], stirling)


def _mode(log_m: Floats, rows: Ints) -> tuple[Floats, Floats]:
    """Where Poisson(N; m) prod_t C(N, y_t) is greatest, and how wide it is there, by row of `rows` and m: [rows, len(log_m)].

    The term N over the term N-1 is (m/N) prod_t N/(N-y_t): its logarithm falls with N and crosses 0 once, above max y.
    """
    top, others = rows.max(1)[:, None].astype(np.float64), rows.shape[1] - 1
    short = top[:, None] - rows[:, :, None]
    above = np.exp(log_m) + np.full_like(top, 1e-6)
    for _ in range(40):
        n, gaps = top + above, above[:, None] + short
        slope = others / n - (1 / gaps).sum(1)
        step = -(log_m + others * np.log(n) - np.log(gaps).sum(1)) / (slope * above)
        above = np.maximum(above * np.exp(np.clip(step, -6.0, 6.0)), 1e-9)
        if np.abs(np.where(above > 1e-9, step, 0.0)).max() < 1e-2:
            break
    n = top + above
    bend = (1 / (above[:, None] + short)).sum(1) - others / n
    return n, 1 / np.sqrt(np.maximum(bend, 1e-300))


@dataclass(frozen=True, slots=True)
class _Panel:
    """A run of nodes of log m that share one window of numbers."""

    first: int
    last: int
    low: int
    stride: int
    terms: int


class _Sites:
    """Sites alike in size: log Q, mean and variance of N_s summed over them, as functions of log m.

    Q_s(m) = sum_N Poisson(N; m) prod_t C(N, y_st).
    """

    def __init__(self, rows: Ints) -> None:
        ordered = np.sort(rows, axis=1)[:, ::-1]
        self.rows, multiplicity = np.unique(ordered, axis=0, return_counts=True)
        self.multiplicity = multiplicity.astype(np.float64)
        self.least, self.most = self.rows.min(0), self.rows.max(0)
        values, places = np.unique(self.rows, return_inverse=True)
        self.values, self.places = values, places.reshape(self.rows.shape)
        self.log_factorial = _log_factorial(values)[:, None]

    def sums(self, v: Floats) -> Floats:
        """For each log m: sum of log Q, of the mean and of the variance of N given m: [3, len(v)]."""
        if not self.most.any():
            m = np.exp(v) * self.multiplicity.sum()
            return np.stack([np.zeros_like(v), m, m])
        found = np.empty((3, len(v)))
        for panel in self._panels(v):
            found[:, panel.first : panel.last] = self._panel(v[panel.first : panel.last], panel)
        return found

    def _windows(self, v: Floats) -> tuple[Floats, Floats, Floats]:
        """Lowest and highest number that matters at any site, and the least width, for each log m.

        The mode grows with every count, so that the least and the greatest of the counts bound it.
        """
        (low, high), (low_width, high_width) = _mode(v, np.stack([self.least, self.most]))
        # Left of its mode a term falls faster than a Gaussian of its width; to the right it falls like a Poisson tail.
        reach = sqrt(2 * FAR)
        low = np.maximum(low - reach * low_width - 2, float(self.least.max()))
        high = high + reach * high_width + FAR / np.log(2 + FAR / (high_width + 0.1)) + 1
        return np.floor(low), np.ceil(high), np.minimum(low_width, high_width)

    def _panels(self, v: Floats) -> list[_Panel]:
        low, high, width = self._windows(v)
        panels, first = [], 0
        while first < len(v):
            spans = high[first:] - low[first]
            costly = (spans * (v[first:] - v[first]) / 2 > _EXPONENT) | (spans > 2 * spans[0] + _CELLS / len(self.rows))
            last = first + max(1, int(np.argmax(costly)) if costly.any() else len(spans))
            # A sum of a smooth term over every h-th number, times h, is the sum over all to exp(-2 pi^2 (width/h)^2).
            stride = max(1, int(width[first:last].min() / 3))
            terms = int(high[last - 1] - low[first]) // stride + 2
            panels.append(_Panel(first, last, int(low[first]), stride, terms))
            first = last
        return panels

    def _panel(self, v: Floats, panel: _Panel) -> Floats:
        numbers = panel.low + panel.stride * np.arange(panel.terms, dtype=np.int64)
        middle = (v[0] + v[-1]) / 2
        centre = float(numbers[panel.terms // 2])
        logs = self._terms(numbers, middle)
        greatest = logs.max(1, keepdims=True)
        # What is left out is not put at 0 exactly: numbers below 1e-308 would make the product slow.
        each = np.exp(np.maximum(logs - greatest, _NOTHING))
        away = (numbers - centre)[:, None]
        moments = np.empty((panel.terms, 3, len(v)))
        np.exp(away * (v - middle), out=moments[:, 0])
        np.multiply(moments[:, 0], away, out=moments[:, 1])
        np.multiply(moments[:, 1], away, out=moments[:, 2])
        s = (each @ moments.reshape(panel.terms, -1)).reshape(-1, 3, len(v))
        means = s[:, 1] / s[:, 0]
        weight = self.multiplicity
        sites = float(weight.sum())
        shift = centre * (v - middle) - (np.exp(v) - exp(middle)) + log(panel.stride)
        log_q = weight @ (np.log(s[:, 0]) + greatest) + sites * shift
        return np.stack([log_q, weight @ means + sites * centre, weight @ (s[:, 2] / s[:, 0] - means * means)])

    def _terms(self, numbers: Ints, v: float) -> Floats:
        """log of Poisson(N; e^v) prod_t C(N, y_st) at each row and number: [rows, numbers]."""
        whole_log = _log_factorial(numbers)
        rest = numbers[None, :] - self.values[:, None]
        ways = whole_log - _log_factorial(rest) - self.log_factorial
        ways[rest < 0] = -inf
        logs = ways[self.places[:, 0]]
        for places in self.places.T[1:]:
            logs += ways[places]
        logs += numbers * v - exp(v) - whole_log
        return logs

    def total_pmf(self, v: float, size: int) -> Floats:
        """The distribution of the sum of N over these sites at one log m, numbers 0..size-1."""
        low, high, _ = self._windows(np.array([v]))
        numbers = np.arange(int(low[0]), int(high[0]) + 1, dtype=np.int64)
        logs = self._terms(numbers, v)
        each = np.exp(logs - logs.max(1, keepdims=True))
        each /= each.sum(1, keepdims=True)
        total = np.ones(1)
        start = 0
        for row, times in zip(each, self.multiplicity.astype(int), strict=True):
            for _ in range(times):
                total = np.convolve(total, row)[: max(size - start, 0)]
                start += int(numbers[0])
        found = np.zeros(size)
        kept = total[: max(size - start, 0)]
        found[start : start + len(kept)] = kept
        return found


class _Groups:
    """All sites, in groups of like size, so that windows stay narrow."""

    def __init__(self, rows: Ints) -> None:
        order = np.lexsort([*np.sort(rows, axis=1).T, rows.sum(1)])
        size = rows.sum(1)[order]
        starts = [0]
        for place, total in enumerate(size):
            if total > 3 * size[starts[-1]] + 60:
                starts.append(place)
        self.parts = tuple(_Sites(rows[chosen]) for chosen in np.split(order, starts[1:]))

    def sums(self, v: Floats) -> Floats:
        return np.asarray(np.sum([part.sums(v) for part in self.parts], axis=0))

    def total_pmf(self, v: float, size: int) -> Floats:
        found = self.parts[0].total_pmf(v, size)
        for part in self.parts[1:]:
            found = np.convolve(found, part.total_pmf(v, size))[:size]
        return found


# ---------------------------------------------------------------------------------------------- the integral over rate and p


@dataclass(frozen=True, slots=True)
class _Outer:
    """Nodes of log m: sums over sites, the inner integral, and the logarithm of each node's share."""

    steps: int
    v: Floats
    sums: Floats
    inner: Floats
    logs: Floats


class _Posterior:
    """The sum over log m (outer) and x = logit p given m (inner), by trapezoids in coordinates that bend to reach far tails.

    With g = -log(1-p) the logarithm of prior times likelihood, but for constants, is
    a log m - b m + sum_s log Q_s(m) + (Y+alpha) x + (T a - alpha - beta) g - (b+S) m (e^(T g) - 1).
    """

    def __init__(self, rows: Ints, prior: ClosedPrior) -> None:
        self.prior = prior
        self.groups = _Groups(rows)
        self.sites, self.visits = rows.shape
        self.seen = float(rows.sum())
        self.steep = self.seen + prior.alpha
        self.bend = self.visits * prior.a - prior.alpha - prior.beta
        largest = float(rows.max(1).sum())
        p = (self.seen / self.visits + 0.5 * prior.alpha) / (1.4 * largest + 0.5 * (prior.alpha + prior.beta))
        rate = (prior.a + self.seen / self.visits / p) / (prior.b + self.sites)
        self.start = log(rate) + self.visits * log1p(-min(p, 0.9))
        # How fast the density of log m falls at last on the left.
        self.slope = largest - (self.seen - prior.beta) / self.visits

    def solve(self) -> ClosedAnswer:
        low, high, self.centre, self.width = self._range()
        self.left, self.right = (_BEND * asinh((end - self.centre) / self.width / _BEND) for end in (low, high))
        # A lopsided density needs more nodes.
        ends = sorted((-self.left, self.right))
        outer = self._outer(_STEPS if ends[1] < 1.3 * ends[0] else 2 * _STEPS, None)
        coarse, found = self._moments(outer, 2), self._moments(outer, 1)
        for _ in range(HALVINGS):
            scale = np.maximum(np.abs(found), 1.0 * (np.arange(len(found)) == 0))
            change = float(np.max(np.abs(found - coarse) / scale))
            if change**2 < CLOSE or change < 2.0**-49 * self.steep:
                break
            outer = self._outer(2 * outer.steps, outer)
            coarse, found = found, self._moments(outer, 1)
        return self._finish(outer, found, min(change, change**2))

    def fine(self, outer: _Outer, size: int) -> tuple[Floats, Floats]:
        """Nodes of log m and their weights, close enough for each number below `size`.

        As functions of log m the probabilities of single numbers are as narrow as 1 / (sd of the total given m).
        """
        for _ in range(HALVINGS):
            weights = np.exp(outer.logs - outer.logs.max())
            _, mean, variance = outer.sums
            sd = np.sqrt(variance)
            matters = (weights > 1e-18) & (mean - 8 * sd < size)
            if not (np.diff(outer.v, append=outer.v[-1]) * sd)[matters].max(initial=0.0) > 0.8:
                break
            outer = self._outer(2 * outer.steps, outer)
        return outer.v, weights / weights.sum()

    def _range(self) -> tuple[float, float, float, float]:
        """Where the density of log m is not negligible, its mode and its width there.

        Scans narrow, or widen where an end is not low enough. The log density has finite slopes at both ends: at least beta/T to
        the left, and e^(-b m) to the right.
        """
        low = self.start - 4 - FAR / self.slope
        high = max(self.start + 4, log((FAR + 10 + 4 * self.prior.a) / self.prior.b))
        for _ in range(100):
            v, logs = self._scan(low, high)
            kept = np.flatnonzero(logs > logs.max() - FAR)
            first, last = kept[0] == 0, kept[-1] == _SCAN
            if not first and not last:
                low, high = float(v[kept[0] - 1]), float(v[kept[-1] + 1])
                if kept[-1] - kept[0] > _SCAN // 4:
                    break
            span = high - low
            low, high = low - span * first, high + max(2.0, span / 4) * last
        at = min(max(int(np.argmax(logs)), 1), _SCAN - 1)
        for _ in range(100):
            step = float(v[1] - v[0])
            bend = 2 * logs[at] - logs[at - 1] - logs[at + 1]
            if bend < 6:
                break
            v, logs = self._scan(float(v[at - 1]), float(v[at + 1]))
            at = min(max(int(np.argmax(logs)), 1), _SCAN - 1)
        width = step / sqrt(max(float(bend), 1e-3))
        return low, high, float(v[at]), width

    def _scan(self, low: float, high: float) -> tuple[Floats, Floats]:
        v = np.linspace(low, high, _SCAN + 1)
        return v, self._density(v, self.groups.sums(v), self._inner(v, moments=False)[0])

    def _density(self, v: Floats, sums: Floats, inner: Floats) -> Floats:
        return np.asarray(self.prior.a * v - self.prior.b * np.exp(v) + sums[0] + inner)

    def _outer(self, steps: int, coarser: _Outer | None) -> _Outer:
        t = np.linspace(self.left, self.right, steps + 1)
        v = self.centre + self.width * _BEND * np.sinh(t / _BEND)
        if coarser is None:
            sums, inner = self.groups.sums(v), self._inner(v)
        else:
            sums, inner = np.empty((3, steps + 1)), np.empty((5, steps + 1))
            sums[:, ::2], sums[:, 1::2] = coarser.sums, self.groups.sums(v[1::2])
            inner[:, ::2], inner[:, 1::2] = coarser.inner, self._inner(v[1::2])
        logs = self._density(v, sums, inner[0]) + np.log(self.width * np.cosh(t / _BEND) * (self.right - self.left) / steps)
        return _Outer(steps, v, sums, inner, logs)

    def _moments(self, outer: _Outer, every: int) -> Floats:
        """log of the sum; mean and variance of the total, of rate and of p, from each node or from `every` second."""
        logs, sums, inner = outer.logs[::every], outer.sums[:, ::every], outer.inner[:, ::every]
        top = logs.max()
        weights = np.exp(logs - top)
        total = weights.sum()
        weights /= total
        found = [top + log(total * every)]
        for mean, variance in ((sums[1], sums[2]), (inner[1], inner[2]), (inner[3], inner[4])):
            middle = weights @ mean
            found += [middle, weights @ (variance + (mean - middle) ** 2)]
        return np.array(found)

    def _finish(self, outer: _Outer, found: Floats, change: float) -> ClosedAnswer:
        prior = self.prior
        normal = prior.a * log(prior.b) - lgamma(prior.a)
        normal += lgamma(prior.alpha + prior.beta) - lgamma(prior.alpha) - lgamma(prior.beta)
        rounding = 2.0**-52 * (abs(float(found[0])) + self.steep * (1 + float(np.abs(found[0]) / (1 + self.steep))))
        sd = np.sqrt(found[[2, 4, 6]])
        return ClosedAnswer(
            log_evidence=float(found[0]) + normal,
            mean_total=float(found[1]),
            sd_total=float(sd[0]),
            mean_rate=float(found[3]),
            sd_rate=float(sd[1]),
            mean_detection=float(found[5]),
            sd_detection=float(sd[2]),
            error=change + rounding,
            _found=(self, outer),
        )

    def _inner(self, v: Floats, *, moments: bool = True) -> Floats:
        """log of the integral over x at each log m, and mean and variance of rate and of p given m: [5 or 1, len(v)]."""
        log_m = v[:, None]
        mode, width = self._inner_mode(log_m)
        top = self._inner_log(mode, log_m)[0]
        start = -self._reach(mode, -width, log_m, top)
        end = self._reach(mode, width, log_m, top)
        step = _STEP if moments else 1.0
        for _ in range(HALVINGS):
            found, coarse = self._trapezoids(log_m, mode, width, top, 2 * ceil((end - start) / step / 2), start, end, moments)
            if not moments or _moved(found, coarse) ** 2 < CLOSE / 10:
                break
            step /= 2
        return found

    def _reach(self, mode: Floats, width: Floats, log_m: Floats, top: Floats) -> float:
        """How far the inner density matters on one side, at most over all log m, in the coordinate that bends."""
        away = 9.0 * width
        for _ in range(200):
            short = self._inner_log(mode + away, log_m)[0] > top - FAR
            if not short.any():
                break
            away = np.where(short, 2 * away, away)
        return float(_BEND * np.arcsinh(away / width / _BEND).max())

    def _trapezoids(
        self, log_m: Floats, mode: Floats, width: Floats, top: Floats, steps: int, start: float, end: float, moments: bool
    ) -> tuple[Floats, Floats]:
        """The inner integrals with so many steps, and with half as many."""
        t = np.linspace(start, end, steps + 1)
        logs, g, rate = self._inner_log(mode + width * (_BEND * np.sinh(t / _BEND)), log_m)
        weights = np.exp(np.maximum(logs - top, _NOTHING)) * np.cosh(t / _BEND)
        p = -np.expm1(-g) if moments else g
        found = []
        for every in (1, 2):
            w = weights[:, ::every]
            sums = w.sum(1)
            rows = [np.log(sums * width[:, 0] * (every * (t[1] - t[0]))) + top[:, 0]]
            if moments:
                w = w / sums[:, None]
                for value in (rate[:, ::every], p[:, ::every]):
                    mean = (w * value).sum(1)
                    rows += [mean, (w * (value - mean[:, None]) ** 2).sum(1)]
            found.append(np.stack(rows))
        return found[0], found[1]

    def _inner_log(self, x: Floats, log_m: Floats) -> tuple[Floats, Floats, Floats]:
        """The logarithm of the inner density, g, and the rate m e^(T g), which is cut where the density is 0 anyway."""
        g = np.logaddexp(0, x)
        rate = np.exp(np.minimum(log_m + self.visits * g, 300))
        missed = rate * -np.expm1(-self.visits * g)
        return self.steep * x + self.bend * g - (self.prior.b + self.sites) * missed, g, rate

    def _inner_mode(self, log_m: Floats) -> tuple[Floats, Floats]:
        """Where the inner density is greatest, near enough to centre a grid on, and its width there.

        Its slope, steep + p (bend - c T e^(T g)) with c = (b+S) m, crosses 0 once: where the bracket is below 0 both its factors
        grow.
        """
        visits, steep = self.visits, self.steep
        log_c = log((self.prior.b + self.sites) * visits) + log_m
        x = log(steep) - log_c
        x = np.where(x > 0, np.logaddexp(0, log(steep + max(self.bend, 0.0)) - log_c) / visits, x)
        low, high = np.full_like(x, -1e6), np.full_like(x, 1e6)
        for _ in range(60):
            g = np.logaddexp(0, x)
            p = np.exp(x - g)
            falls = p * np.exp(np.minimum(log_c + visits * g, 600))
            rises = np.maximum(steep + p * self.bend, 1e-200)
            up = rises > falls
            low, high = np.where(up, x, low), np.where(up, high, x)
            # Newton on log of (what falls) over (what rises), which is nearly straight at both ends.
            pull = np.log((falls + 1e-300) / rises)
            following = x - pull / np.maximum(1 + p * (visits - 1 - (1 - p) * self.bend / rises), 0.1)
            outside = (following <= low) | (following >= high)
            if outside.any():
                near_low, near_high = np.maximum(low, high - 4 - np.abs(high)), np.minimum(high, low + 4 + np.abs(low))
                following = np.where(outside, (near_low + near_high) / 2, following)
            moved = float(np.abs(following - x).max())
            x = following
            if moved < 1 / sqrt(steep + 1):
                break
        g = np.logaddexp(0, x)
        p, missed = np.exp(x - g), np.exp(np.minimum(log_c + visits * g, 600))
        bend = -p * (1 - p) * (self.bend - missed) + p * p * visits * missed
        # Between slopes that cancel there is a plateau from 0 to the mode, whose curvature says nothing.
        return x, np.minimum(1 / np.sqrt(np.maximum(bend, 1e-12)), np.maximum(x, 0) + 3 + 3 / steep)


def _moved(found: Floats, coarse: Floats) -> float:
    """The greatest change of inner integrals, relative to each; to a thousandth of the mean where a deviation is smaller."""
    log_sum, rate, rate_var, p, p_var = found
    variances = np.maximum(rate_var, 1e-6 * rate**2), np.maximum(p_var, 1e-6 * p**2)
    scale = np.stack([np.maximum(np.abs(log_sum), 1), rate, variances[0], p, variances[1]])
    return float((np.abs(found - coarse) / np.maximum(scale, 1e-300)).max())
