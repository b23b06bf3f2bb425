"""An account with parameters that nobody knows: its exact likelihood at each draw, integrated over what the priors allow.

One parameter: Gauss quadrature for its prior (Golub and Welsch 1969), finer until it no longer moves. More: importance
sampling from a Student-t at the mode, on scrambled Sobol points, where smooth surfaces through the logarithms of the likelihood
and of what is asked for carry most of the integral, and exact passes correct them (control variates, fitted across folds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, inf, lgamma, log, log2, sqrt

import numpy as np
from numpy.typing import NDArray

from tallybook.holdings.engine import ImpossibleError, Run, _given_none_left, clash, solve
from tallybook.holdings.integration import (
    MOST_PARAMETERS,
    Beta,
    Gamma,
    LogNormal,
    Prior,
    Uniform,
    check_priors,
    chi2_quantile,
    normal_quantile,
    scrambled_sobol,
)
from tallybook.holdings.model import Account, ModelError
from tallybook.holdings.model import Uniform as AnyShare
from tallybook.holdings.moves import sums
from tallybook.holdings.numbers import Array

Build = Callable[[Mapping[str, float]], Account]
"""The account for given values of the parameters, by name."""

TOLERANCE = 1e-5
DRAWS = 128
DETAILS = 8
LOW_ESS = 0.05
_FOLDS = 8
_FREEDOM = 4
_WIDER = 1.1
_LEVELS = (8, 12, 24, 48)
_SETTLED = 2e-3
_SURROGATE_RUNS, _SURROGATE_SIZE = 4, 2048
_FIFTH = 0.2
_CEILING = 1.0
"""How far above the best point seen a fitted log likelihood may go."""
_NOTHING = 1e-300
_DETAIL = 1e-2
_SURPRISED = 1e2
"""Later looks may favour what lies just outside a window by this factor before it is made wider."""
_FINE_ENOUGH = 1e-25
_SMOOTH, _HEIGHT, _NUGGET = 2.0, 100.0, 1e-4
_REACH = 8.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A posterior mean, the posterior standard deviation over the parameters, and the standard error of the mean."""

    mean: float
    sd: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Swing:
    """How an answer moves with a parameter: P(none left) where it is in its lowest and in its highest fifth.

    `low` and `high` are the 10 % and 90 % points of the parameter given all looks, the middles of those fifths.
    """

    parameter: str
    low: float
    high: float
    p_none_left_low: float
    p_none_left_high: float


@dataclass(frozen=True, slots=True)
class OtherPrior:
    """What P(none left) would be with another prior probability that nothing was undeclared."""

    none: float
    p_none_left: float


@dataclass(frozen=True, slots=True)
class ClassAverage:
    """What is known of one class, given all looks: by day 0..T the mean number left, P(none left) and P(n left), n = 0, 1, ...;
    and P(u undeclared), u = 0, 1, ...
    """

    mean_left: Array
    p_none_left_on: Array
    left_by_day: tuple[Array, ...]
    undeclared: Array


@dataclass(frozen=True, slots=True)
class Average:
    """Solved accounts averaged; `discarded` is the greatest mass that windows of one of them left out."""

    classes: dict[str, ClassAverage]
    p_none_left: float
    p_no_arrivals: float
    p_nothing_undeclared: float
    method: str
    discarded: float


@dataclass(frozen=True, slots=True)
class Solved:
    """A solved account and its log likelihood."""

    loglik: float
    average: Average


@dataclass(frozen=True, slots=True)
class UnknownAnswer:
    """The account with its parameters integrated over.

    `average`: the solved account, its distributions averaged over `details` draws that stand for all (None without any).
    `left` and `left_standard_error`: P(n left) on the last day, all classes, and its standard errors. `calls`: exact passes made.
    `warning` says why the answer may be poor, else it is empty.
    """

    parameters: dict[str, Estimate]
    p_none_left: Estimate
    mean_left: Estimate
    left: Array
    left_standard_error: Array
    average: Average | None
    log_evidence: float
    se_log_evidence: float
    ess: float
    draws: int
    calls: int
    details: int
    method: str
    warning: str
    other_priors: tuple[OtherPrior, ...]
    swings: tuple[Swing, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """An account at the nodes of a quadrature: `values[k]` are the parameters there, `weights` of the prior, `loglik` exact.

    `left[k]`: P(n left) on the last day, all classes, n = 0, 1, ...
    """

    values: Array
    weights: Array
    loglik: Array
    p_none_left: Array
    mean_left: Array
    left: Array
    accounts: tuple[Account, ...]

    @property
    def posterior(self) -> Array:
        """The weights given all looks; they sum to one."""
        logs = np.log(self.weights) + self.loglik
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())


def solve_unknown(
    build: Build,
    priors: Mapping[str, Prior],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    details: int = DETAILS,
    other_none: Sequence[float] = (0.1, 0.5, 0.9),
) -> UnknownAnswer:
    """The posterior of an account over parameters with priors.

    `draws`: exact passes of the last stage, rounded up to eight times a power of two. `tolerance`: mass that one cut of a window
    may leave out in a pass. `details`: draws at which every day is solved too, for `average` and `other_priors`.
    Two runs with one seed give the same bytes.

    Raises ModelError for priors or an account that make no sense and for more parameters than MOST_PARAMETERS, ImpossibleError
    where no state of the world gives the counts at any draw.
    """
    check_priors(priors)
    if not 1 <= len(priors) <= MOST_PARAMETERS:
        raise ModelError(f"{len(priors)} parameters that nobody knows", do=f"from 1 to {MOST_PARAMETERS} can be integrated over")
    if draws < 1:
        raise ModelError(f"{draws} draws", do="take at least one")
    passes = _Passes(build, tuple(priors), tuple(priors.values()), tolerance)
    found = _by_quadrature(passes) if len(priors) == 1 else None
    if found is None:
        found = _by_sampling(passes, draws, seed)
    return _answer(passes, found, details, other_none)


def on_grid(build: Build, priors: Mapping[str, Prior], points: int, tolerance: float = TOLERANCE) -> Grid:
    """The account at the nodes of the Gauss quadrature of the priors, `points` for each parameter.

    Exact for likelihoods that are polynomials of a degree below twice the points. Raises ModelError for another prior than those
    of integration.
    """
    passes = _Passes(build, tuple(priors), tuple(priors.values()), tolerance)
    nodes = [_nodes(prior, points) for prior in passes.priors]
    if any(n is None for n in nodes):
        raise ModelError("a prior that no quadrature is known for", do="use Beta, Uniform, Gamma or LogNormal")
    return _grid(passes, [n for n in nodes if n is not None])


# ------------------------------------------------------------------------------------------------------------- exact passes


@dataclass(slots=True)
class _Seen:
    """What passes gave: coordinates [n, dim], log likelihood, P(none left), the number left, and P(n left) of each."""

    z: Array
    loglik: Array
    none: Array
    mean: Array
    left: list[Array]


class _Passes:
    """Exact passes at parameter values."""

    def __init__(self, build: Build, names: tuple[str, ...], priors: tuple[Prior, ...], tolerance: float) -> None:
        self.build, self.names, self.priors, self.tolerance = build, names, priors, tolerance
        self.calls = 0
        self.checked = False

    def parameters(self, z: Array) -> Array:
        return np.stack([prior.value(z[:, k]) for k, prior in enumerate(self.priors)], axis=1)

    def log_prior(self, z: Array) -> Array:
        return np.asarray(np.sum([prior.log_density(z[:, k]) for k, prior in enumerate(self.priors)], axis=0))

    def account(self, values: Array) -> Account:
        account = self.build({name: float(v) for name, v in zip(self.names, values, strict=True)})
        if not self.checked:
            account.checked()
            self.checked = True
        return account

    def at(self, z: Array) -> _Seen:
        return self.of(z, self.parameters(z))

    def of(self, z: Array, values: Array) -> _Seen:
        self.calls += len(values)
        found = [one_pass(self.account(v), self.tolerance) for v in values]
        logs, none, mean, left = zip(*found, strict=True)
        return _Seen(z, np.array(logs), np.array(none), np.array(mean), list(left))


def one_pass(account: Account, tolerance: float = TOLERANCE) -> tuple[float, float, float, Array]:
    """The log likelihood, P(none left) on the last day, the mean number left, and P(n left) for n = 0, 1, ..."""
    run = Run(account, tolerance)
    if run.forward() == -inf:
        run = Run(account, 0.0)
        if run.forward() == -inf:
            return -inf, 0.0, 0.0, np.ones(1)
    state = run.state
    assert state is not None
    gone = [axis.stage < 0 or account.classes[axis.item_class].stages[axis.stage].gone for axis in state.axes]
    low = sum(n for n, out in zip(state.lows, gone, strict=True) if not out)
    joint = state.values.sum(axis=(0, *(a + 1 for a, out in enumerate(gone) if out)))
    pmf = np.concatenate([np.zeros(low), sums(joint)])
    none = float(pmf[0])
    if none < _RATIO_BELOW and not _has_free_days(account):
        tilted = _given_none_left(account, run)
        none = 0.0 if tilted is None else exp(tilted - run.loglik)
    return run.loglik, none, float(np.arange(len(pmf)) @ pmf), pmf


def left_and_out(account: Account, tolerance: float = TOLERANCE) -> tuple[float, Array]:
    """The log likelihood, and P(n left, m out) [n, m] on the last day, of an account of one class whose last stage is gone.

    Raises ModelError where no stage is gone, ImpossibleError where no state of the world gives the counts.
    """
    if len(account.classes) != 1 or not account.classes[0].stages[-1].gone:
        raise ModelError("what is out is not kept", where="stages", do="end the chain with a stage that is gone")
    run = Run(account, tolerance)
    if run.forward() == -inf:
        run = Run(account, 0.0)
        if run.forward() == -inf:
            raise ImpossibleError(clash(account))
    state = run.state
    assert state is not None
    kept = [a for a, axis in enumerate(state.axes) if axis.stage >= 0]
    joint = state.values.sum(axis=(0, *(a + 1 for a in range(len(state.axes)) if a not in kept)))
    low, first = sum(state.lows[a] for a in kept[:-1]), state.lows[kept[-1]]
    columns = [sums(joint[..., m]) for m in range(joint.shape[-1])]
    out = np.zeros((low + len(columns[0]), first + len(columns)))
    out[low:, first:] = np.stack(columns, axis=1)
    return run.loglik, out / out.sum()


def stocks_by_day(account: Account, tolerance: float = TOLERANCE) -> list[list[Array]]:
    """P(n in a stage) at the end of each day, given all looks, of the first class: [stage][day].

    Raises ImpossibleError where no state of the world gives the counts.
    """
    run = _Stocks(account, tolerance)
    if run.forward(keep=True) == -inf:
        run = _Stocks(account, 0.0)
        if run.forward(keep=True) == -inf:
            raise ImpossibleError(clash(account))
    return run.stocks()


class _Stocks(Run):
    """A way back through the days that keeps what is in each stage."""

    def stocks(self) -> list[list[Array]]:
        assert self.state is not None
        axes = [a for a, axis in enumerate(self.state.axes) if axis.item_class == 0 and axis.stage >= 0]
        out: list[list[Array]] = [[] for _ in axes]
        after = np.ones_like(self.state.values)
        for day in reversed(self._days):
            joint = (day.values * after).sum(axis=0)
            for k, a in enumerate(axes):
                table = joint.sum(axis=tuple(other for other in range(joint.ndim) if other != a))
                out[k].append(np.concatenate([np.zeros(day.lows[a]), table / table.sum()]))
            for back in reversed(self._backs.pop()):
                after = back(after)
            after *= 1 / day.total
        return [pmfs[::-1] for pmfs in out]


def _has_free_days(account: Account) -> bool:
    return any(isinstance(how, AnyShare) for c in account.classes for s in c.stages for how in (s.leaves, *s.on_day.values()))


_RATIO_BELOW = 1e-4
"""Smaller probabilities that none is left are a ratio of two passes."""


def _together(parts: Sequence[_Seen]) -> _Seen:
    return _Seen(
        np.concatenate([p.z for p in parts]),
        np.concatenate([p.loglik for p in parts]),
        np.concatenate([p.none for p in parts]),
        np.concatenate([p.mean for p in parts]),
        [pmf for p in parts for pmf in p.left],
    )


@dataclass(slots=True)
class _Found:
    """An integral over the parameters: what it gives for each, and a sample that stands for the posterior."""

    parameters: dict[str, Estimate]
    none: Estimate
    mean: Estimate
    left: Array
    left_error: Array
    log_evidence: float
    se_log_evidence: float
    ess: float
    draws: int
    method: str
    warning: str
    swings: tuple[Swing, ...]
    sample: Array
    sample_weights: Array


# --------------------------------------------------------------------------------------------------------------- quadrature


def _by_quadrature(passes: _Passes) -> _Found | None:
    """Nodes until three numbers settle; None where they don't, or where no quadrature is known for a prior."""
    before: tuple[float, float, float] | None = None
    for points in _LEVELS:
        nodes = [_nodes(prior, points) for prior in passes.priors]
        if any(n is None for n in nodes):
            return None
        grid = _grid(passes, [n for n in nodes if n is not None])
        if not np.isfinite(grid.loglik).any():
            raise ImpossibleError(clash(grid.accounts[len(grid.accounts) // 2]))
        share = grid.posterior
        logs = np.log(grid.weights) + grid.loglik
        now = (
            float(logs.max() + log(np.exp(logs - logs.max()).sum())),
            float(share @ grid.p_none_left),
            float(share @ grid.mean_left),
        )
        moved = [inf, inf, inf] if before is None else [abs(a - b) for a, b in zip(now, before, strict=True)]
        if moved[0] < _SETTLED and moved[1] < _SETTLED * now[1] + 1e-12 and moved[2] < _SETTLED * max(now[2], 1e-3):
            return _from_grid(passes, grid, share, now[0], moved, points)
        before = now
    return None


def _grid(passes: _Passes, nodes: Sequence[tuple[Array, Array]]) -> Grid:
    mesh = np.meshgrid(*(x for x, _ in nodes), indexing="ij")
    weights = np.ones(1)
    for _, w in nodes:
        weights = np.multiply.outer(weights, w).ravel()
    values = np.stack([m.ravel() for m in mesh], axis=1)
    seen = passes.of(values, values)
    return Grid(values, weights, seen.loglik, seen.none, seen.mean, _padded(seen.left), tuple(passes.account(v) for v in values))


def _from_grid(passes: _Passes, grid: Grid, share: Array, evidence: float, moved: Sequence[float], points: int) -> _Found:
    def estimate(of: Array, error: float) -> Estimate:
        mean = float(share @ of)
        return Estimate(mean, sqrt(max(float(share @ (of - mean) ** 2), 0.0)), error)

    parameters = {name: estimate(grid.values[:, k], 0.0) for k, name in enumerate(passes.names)}
    swings = tuple(_swing(name, grid.values[:, k], share, grid.p_none_left) for k, name in enumerate(passes.names))
    pmf = share @ grid.left
    return _Found(
        parameters,
        estimate(grid.p_none_left, moved[1]),
        estimate(grid.mean_left, moved[2]),
        pmf,
        np.full(len(pmf), moved[1]),
        evidence,
        moved[0],
        1 / float(share @ share),
        len(share),
        f"quadrature, {points} nodes",
        "",
        swings,
        grid.values,
        share,
    )


def _nodes(prior: Prior, points: int) -> tuple[Array, Array] | None:
    """Nodes and weights of the Gauss quadrature whose weight is the prior; the weights sum to one."""
    if isinstance(prior, Uniform):
        x, w = np.polynomial.legendre.leggauss(points)
        return prior.low + (prior.high - prior.low) * (x + 1) / 2, w / 2
    if isinstance(prior, LogNormal):
        x, w = np.polynomial.hermite_e.hermegauss(points)
        return np.exp(prior.mean + prior.sd * x), w / w.sum()
    n = np.arange(points, dtype=np.float64)
    if isinstance(prior, Gamma):
        middle = (2 * n + prior.a) / prior.b
        side = np.sqrt(n[1:] * (n[1:] + prior.a - 1)) / prior.b
    elif isinstance(prior, Beta):
        # Jacobi polynomials on (0, 1) with weight x^(a-1) (1-x)^(b-1).
        a, b = prior.a, prior.b
        s = 2 * n + a + b - 2
        middle = np.full(points, a / (a + b))
        k = slice(1, None)
        middle[k] = 0.5 * (1 + ((a - 1) ** 2 - (b - 1) ** 2) / (s[k] * (s[k] + 2)))
        m = n[1:]
        side = np.empty(points - 1)
        if points > 1:
            side[0] = sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
            m, s = m[1:], s[2:]
            side[1:] = np.sqrt(m * (m + a - 1) * (m + b - 1) * (m + a + b - 2) / (s**2 * (s + 1) * (s - 1)))
    else:
        return None
    values, vectors = np.linalg.eigh(np.diag(middle) + np.diag(side, 1) + np.diag(side, -1))
    return values, vectors[0] ** 2


# ------------------------------------------------------------------------------------------------------ importance sampling


def _by_sampling(passes: _Passes, draws: int, seed: int) -> _Found:
    centre, scale, seen = _search(passes)
    centre, root, seen = _pilot(passes, centre, scale, seen, seed)
    size = 2 ** max(0, ceil(log2(draws / _FOLDS)))
    z, log_q = _proposed(centre, root, size, _FOLDS, seed)
    last = passes.at(z)
    if not np.isfinite(last.loglik).any():
        raise ImpossibleError(clash(passes.account(passes.parameters(centre[None])[0])))
    big_z, big_q = _proposed(centre, root, _SURROGATE_SIZE, _SURROGATE_RUNS, seed + 104_729)
    found = _Sums(passes, _together([seen, last]), last, size, (centre, root), log_q, (big_z, big_q))
    values = passes.parameters(z)
    big_values = passes.parameters(big_z)
    parameters = {name: found.exact(values[:, k], big_values[:, k]) for k, name in enumerate(passes.names)}
    none, none_there = found.positive(last.none, seen.none)
    mean, _ = found.positive(last.mean, seen.mean)
    left = _padded(last.left)
    plain = [found.plain(left[:, n]) for n in range(left.shape[1])]
    weight = found.weight
    ess = float(weight.sum() ** 2 / (weight @ weight))
    warning = ""
    if ess < LOW_ESS * len(weight):
        warning = f"only {ess:.0f} of {len(weight)} draws count: the answer may be further off than its standard errors say"
    swings = tuple(_swing(name, big_values[:, k], found.big_share, none_there) for k, name in enumerate(passes.names))
    return _Found(
        parameters,
        none,
        mean,
        np.array([e.mean for e in plain]),
        np.array([e.standard_error for e in plain]),
        found.log_evidence,
        found.se_log_evidence,
        ess,
        len(weight),
        f"importance sampling, {len(weight)} draws",
        warning,
        swings,
        values,
        weight / weight.sum(),
    )


def _search(passes: _Passes) -> tuple[Array, Array, _Seen]:
    """Near the mode, one axis at a time: Newton steps from differences, until no step is longer than a standard deviation."""
    middles = np.array([prior.middle() for prior in passes.priors])
    centre, widest = middles[:, 0].copy(), middles[:, 1].copy()
    dim = len(centre)
    scale, kept = widest.copy(), []
    for turn in range(8):
        seen = passes.at(centre + np.concatenate([np.zeros((1, dim)), np.diag(scale), -np.diag(scale)]))
        logs = seen.loglik + passes.log_prior(seen.z)
        if not np.isfinite(logs).any():
            raise ImpossibleError(clash(passes.account(passes.parameters(centre[None])[0])))
        logs = np.where(np.isfinite(logs), logs, logs[np.isfinite(logs)].min() - 50)
        here, up, down = logs[0], logs[1 : dim + 1], logs[dim + 1 :]
        bend = np.maximum(2 * here - up - down, 0.05)
        step = np.clip((up - down) / 2 / bend, -1.5, 1.5)
        scale_next = np.clip(scale / np.sqrt(bend), 0.2 * scale, np.minimum(1.5 * scale, widest))
        kept.append(seen)
        # Steps along all axes at once overshoot where parameters pull together.
        length = float(np.abs(step).max())
        centre = centre + step * scale * (0.7 if length > 1 else 1.0)
        settled = length < 1 and bool((scale_next > 0.4 * scale).all())
        scale = scale_next
        if settled and turn > 0:
            break
    return centre, scale, _together(kept)


def _pilot(passes: _Passes, centre: Array, scale: Array, seen: _Seen, seed: int) -> tuple[Array, Array, _Seen]:
    """A surface through points around: its mode, and a square root of the covariance there."""
    dim = len(centre)
    root = np.diag(scale)
    size = 2 ** ceil(log2(max(16, 1.3 * (dim + 1) * (dim + 2) / 2)))
    for turn in range(3):
        z = centre + normal_quantile(scrambled_sobol(size, dim, 1, seed + 7919 * (turn + 1))[0]) @ root.T
        seen = _together([seen, passes.at(z)])
        surface = _Surface((centre, root), seen.z)
        fit = surface.fitted(seen.loglik, _nearness(passes, seen), np.ones(len(seen.z), bool))

        def log_post(x: Array, surface: _Surface = surface, fit: _Fitted = fit) -> Array:
            return fit.surface(*surface.at(x)) + passes.log_prior(x)

        centre_next, root_next = _mode(log_post, centre, root)
        moved = float(np.abs(np.linalg.solve(root, centre_next - centre)).max())
        centre, root = centre_next, root_next
        if moved < 1.5:
            break
    return centre, root, seen


def _nearness(passes: _Passes, seen: _Seen) -> Array:
    """Weights of points in a fit: near the mode more."""
    logs = seen.loglik + passes.log_prior(seen.z)
    top = logs[np.isfinite(logs)].max()
    return np.where(np.isfinite(logs), np.exp(np.clip((logs - top) / 2, -6, 0)), 0.0)


class _Surface:
    """A smooth surface through values at points: a plane and a Gaussian process, in units of the fitted posterior.

    Points count by `near`, from 0 to 1, the same at every fit. Source: Rasmussen and Williams (2006), 2.7.
    """

    def __init__(self, frame: tuple[Array, Array], z: Array) -> None:
        self.frame = frame
        self.length = _SMOOTH * sqrt(len(frame[0]))
        self.u = self.offsets(z)
        self.plane = _plane(self.u)
        self.kernel = self._kernel(self.u)
        self._inverses: dict[bytes, Array] = {}

    def offsets(self, z: Array) -> Array:
        """Points in units of the fitted posterior."""
        return np.asarray(np.linalg.solve(self.frame[1], (z - self.frame[0]).T).T)

    def is_near(self, z: Array) -> Array:
        """Where the surface may be trusted."""
        dim = len(self.frame[0])
        return np.asarray((self.offsets(z) ** 2).sum(1) < dim + _REACH * sqrt(2 * dim))

    def at(self, z: Array) -> tuple[Array, Array]:
        """What `Fitted.surface` needs of points: their plane and their kernel with the points that values are known of."""
        u = self.offsets(z)
        return _plane(u), self._kernel(u)

    def fitted(self, value: Array, near: Array, use: Array) -> _Fitted:
        """The surface through the values that are used and finite."""
        kept = np.flatnonzero(use & np.isfinite(value) & (near > 0))
        plane = self.plane[kept]
        key = kept.tobytes()
        if key not in self._inverses:
            self._inverses[key] = np.asarray(np.linalg.inv(self.kernel[np.ix_(kept, kept)] + np.diag(_NUGGET / near[kept])))
        inverse = self._inverses[key]
        across = plane.T @ inverse
        slope = np.linalg.solve(across @ plane + 1e-9 * np.eye(plane.shape[1]), across @ value[kept])
        return _Fitted(kept, np.asarray(slope), inverse @ (value[kept] - plane @ slope), float(value[kept].max()) + _CEILING)

    def _kernel(self, u: Array) -> Array:
        apart = (u**2).sum(1)[:, None] + (self.u**2).sum(1)[None, :] - 2 * u @ self.u.T
        return np.asarray(_HEIGHT * np.exp(-np.maximum(apart, 0) / (2 * self.length**2)))


def _plane(u: Array) -> Array:
    return np.concatenate([np.ones((len(u), 1)), u], axis=1)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A surface through some of the points, no higher than `ceiling`."""

    kept: NDArray[np.intp]
    slope: Array
    weights: Array
    ceiling: float

    def surface(self, plane: Array, kernel: Array) -> Array:
        return np.asarray(np.minimum(plane @ self.slope + kernel[:, self.kept] @ self.weights, self.ceiling))


def _mode(log_post: Callable[[Array], Array], centre: Array, root: Array) -> tuple[Array, Array]:
    """The mode of a fitted posterior and a square root of the covariance there, by damped Newton steps."""
    dim = len(centre)
    unit = np.eye(dim)
    pairs = [(a, b) for a in range(dim) for b in range(a)]
    moves = 0.5 * np.array(
        [np.zeros(dim), *unit, *-unit, *(unit[a] + unit[b] for a, b in pairs), *(-unit[a] - unit[b] for a, b in pairs)]
    )
    at, bend = np.zeros(dim), np.eye(dim)
    for _ in range(6):
        logs = log_post(centre + (at + moves) @ root.T)
        up, down, both = logs[1 : dim + 1], logs[dim + 1 : 2 * dim + 1], logs[2 * dim + 1 :]
        bend = np.diag(-4 * (up + down - 2 * logs[0]))
        for place, (a, b) in enumerate(pairs):
            corners = both[place] + both[len(pairs) + place]
            bend[a, b] = bend[b, a] = -2 * (corners - up[a] - down[a] - up[b] - down[b] + 2 * logs[0])
        values, vectors = np.linalg.eigh(bend)
        bend = vectors @ np.diag(np.clip(np.abs(values), 0.15, 25.0)) @ vectors.T
        step = np.linalg.solve(bend, up - down)
        at = at + step * min(1.0, 1.0 / float(np.abs(step).max() + 1e-12))
        if np.abs(at).max() > 3:
            break
    at = np.clip(at, -3, 3)
    return centre + root @ at, root @ np.linalg.cholesky(np.linalg.inv(bend))


def _proposed(centre: Array, root: Array, size: int, runs: int, seed: int) -> tuple[Array, Array]:
    """Points of the Student-t at the mode [n, dim], and the logarithms of their density."""
    dim = len(centre)
    u = scrambled_sobol(size, dim + 1, runs, seed).reshape(-1, dim + 1)
    offsets = _WIDER * normal_quantile(u[:, :-1]) * np.sqrt(_FREEDOM / chi2_quantile(u[:, -1]))[:, None]
    constant = lgamma((_FREEDOM + dim) / 2) - lgamma(_FREEDOM / 2) - dim / 2 * log(_FREEDOM * np.pi)
    spread = float(np.linalg.slogdet(root)[1]) + dim * log(_WIDER)
    log_q = constant - spread - (_FREEDOM + dim) / 2 * np.log1p((offsets**2).sum(1) / _WIDER**2 / _FREEDOM)
    return centre + offsets @ root.T, log_q


class _Sums:
    """Ratios of integrals over the draws, with the fitted likelihood as a control variate; one fit for each fold, without it."""

    def __init__(
        self,
        passes: _Passes,
        seen: _Seen,
        last: _Seen,
        size: int,
        frame: tuple[Array, Array],
        log_q: Array,
        big: tuple[Array, Array],
    ) -> None:
        log_ratio = passes.log_prior(last.z) - log_q
        top = float((last.loglik + log_ratio).max())
        self.weight = np.exp(last.loglik + log_ratio - top)
        self.size, self.folds = size, len(self.weight) // size
        self.surface = _Surface(frame, seen.z)
        self.big = self.surface.at(big[0])
        self.near = _nearness(passes, seen)
        self.fold_of = np.concatenate([np.full(len(seen.z) - len(self.weight), -1), np.repeat(np.arange(self.folds), size)])
        inside, big_inside = self.surface.is_near(last.z), self.surface.is_near(big[0])
        logs, big_logs = self._fits(seen.loglik)
        self.fitted = np.where(inside, np.exp(logs + log_ratio - top), 0.0)
        self.big_fitted = np.where(big_inside, np.exp(big_logs + passes.log_prior(big[0]) - big[1] - top), 0.0)
        self.big_share = self.big_fitted.mean(0) / self.big_fitted.mean(0).sum()
        self.ones, self.evidence_folds, self.evidence_noise, self.evidence_rest = self._folded(
            self.weight, self.fitted, self.big_fitted
        )
        self.log_evidence = top + log(max(self.ones, _NOTHING))
        spread = self.evidence_folds.std(ddof=1) / sqrt(self.folds)
        noise = self.evidence_noise.std(ddof=1) / sqrt(_SURROGATE_RUNS)
        self.se_log_evidence = float(np.hypot(spread, noise) / max(self.ones, _NOTHING))

    def _fits(self, value: Array) -> tuple[Array, Array]:
        """The fit to all other folds at each draw [n], and each of the fits at the many points [fold, m]."""
        here, there = np.empty(len(self.weight)), np.empty((self.folds, len(self.big[0])))
        start = len(self.near) - len(self.weight)
        for fold in range(self.folds):
            fit = self.surface.fitted(value, self.near, self.fold_of != fold)
            at = slice(start + fold * self.size, start + (fold + 1) * self.size)
            here[fold * self.size : (fold + 1) * self.size] = fit.surface(self.surface.plane[at], self.surface.kernel[at])
            there[fold] = fit.surface(*self.big)
        return here, there

    def _folded(self, exact: Array, fitted: Array, big: Array) -> tuple[float, Array, Array, Array]:
        """The integral; by fold; by randomisation of the many points, for its noise; and what the fit leaves at each draw."""
        within = fitted - np.repeat(fitted.reshape(self.folds, self.size).mean(1), self.size)
        spread = float(within @ within)
        # Where the fit is poor it is used less.
        slope = min(max(float(within @ (exact - exact.mean())) / spread, 0.0), 1.0) if spread > 0 else 0.0
        rest = exact - slope * fitted
        by_fold = slope * big.mean(1) + rest.reshape(self.folds, self.size).mean(1)
        by_run = slope * big.mean(0).reshape(_SURROGATE_RUNS, -1).mean(1)
        return float(by_fold.mean()), by_fold, by_run, rest

    def _ratio(self, exact: Array, fitted: Array, big: Array, value: Array) -> Estimate:
        total, by_fold, by_run, rest = self._folded(exact, fitted, big)
        mean = total / self.ones
        # Few folds may agree by chance: no surer than independent draws would be.
        alone = (rest - mean * self.evidence_rest).std(ddof=1) / sqrt(len(rest))
        gap = max((by_fold - mean * self.evidence_folds).std(ddof=1) / sqrt(self.folds), alone)
        noise = (by_run - mean * self.evidence_noise).std(ddof=1) / sqrt(_SURROGATE_RUNS)
        share = self.weight / self.weight.sum()
        sd = sqrt(max(float(share @ (value - mean) ** 2), 0.0))
        return Estimate(mean, sd, float(np.hypot(gap, noise) / self.ones))

    def exact(self, value: Array, big_value: Array) -> Estimate:
        """Of something that is known at every point."""
        return self._ratio(self.weight * value, self.fitted * value, self.big_fitted * big_value, value)

    def positive(self, value: Array, before: Array) -> tuple[Estimate, Array]:
        """Of something positive that passes gave: `value` at the draws, `before` at the points before them; and its fit at the
        many points.
        """
        if not (value > 0).any():
            return Estimate(0.0, 0.0, 0.0), np.zeros(self.big_fitted.shape[1])
        both = np.concatenate([before, value])
        logs, big_logs = self._fits(np.where(both > 0, np.log(np.maximum(both, _NOTHING)), -inf))
        here, there = np.exp(logs), np.exp(big_logs)
        return self._ratio(self.weight * value, self.fitted * here, self.big_fitted * there, value), there.mean(0)

    def plain(self, value: Array) -> Estimate:
        """Of anything that passes gave, by the weights of the draws alone."""
        share = self.weight / self.weight.sum()
        mean = float(share @ value)
        parts = (share * (value - mean)).reshape(self.folds, self.size).sum(1)
        sd = sqrt(max(float(share @ (value - mean) ** 2), 0.0))
        return Estimate(mean, sd, float(parts.std(ddof=1) * sqrt(self.folds)))


# --------------------------------------------------------------------------------------------------------------- the answer


def _padded(rows: Sequence[Array]) -> Array:
    out = np.zeros((len(rows), max(len(r) for r in rows)))
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return out


def _swing(name: str, values: Array, share: Array, none: Array) -> Swing:
    # Nodes of one value stand together, whatever the other parameters are there.
    at, place = np.unique(values, return_inverse=True)
    weight = np.bincount(place, share)
    mean = np.bincount(place, share * none) / np.maximum(weight, _NOTHING)
    below = np.cumsum(weight)
    before = below - weight

    def within(low: float, high: float) -> float:
        part = np.clip(np.minimum(below, high) - np.maximum(before, low), 0, None)
        return float(part @ mean / max(part.sum(), _NOTHING))

    low, high = (float(at[min(int(below.searchsorted(p)), len(at) - 1)]) for p in (_FIFTH / 2, 1 - _FIFTH / 2))
    return Swing(name, low, high, within(0, _FIFTH), within(1 - _FIFTH, 1))


def _answer(passes: _Passes, found: _Found, details: int, other_none: Sequence[float]) -> UnknownAnswer:
    chosen = _chosen(found.sample_weights, details)
    accounts = [passes.account(found.sample[k]) for k in chosen]
    answers = [solved(account, passes.tolerance * _DETAIL) for account in accounts]
    average = averaged([a.average for a in answers]) if answers else None
    others = _other_priors(accounts, answers, found.none.mean, other_none, passes.tolerance) if answers else ()
    return UnknownAnswer(
        parameters=found.parameters,
        p_none_left=found.none,
        mean_left=found.mean,
        left=found.left,
        left_standard_error=found.left_error,
        average=replace(average, p_none_left=found.none.mean) if average else None,
        log_evidence=found.log_evidence,
        se_log_evidence=found.se_log_evidence,
        ess=found.ess,
        draws=found.draws,
        calls=passes.calls,
        details=len(answers),
        method=found.method,
        warning=found.warning,
        other_priors=others,
        swings=found.swings,
    )


def _chosen(share: Array, many: int) -> list[int]:
    """Draws that stand for all of them, each as often as its weight says."""
    if many < 1:
        return []
    return [min(int(k), len(share) - 1) for k in np.searchsorted(np.cumsum(share), (np.arange(many) + 0.5) / many)]


def solved(account: Account, tolerance: float = TOLERANCE) -> Solved:
    """An account with every day, as the engine solves it.

    Where any share may leave on some day, the engine takes a pass without windows for each P(none left) that is small; here it is
    read off the joint mass, right to about `tolerance`. Raises what `engine.solve` does.
    """
    if _has_free_days(account):
        return _with_free_days(account.checked(), tolerance)
    found = solve(account, tolerance)
    classes = {
        name: ClassAverage(c.mean_left, c.p_none_left_on, tuple(c.left(d) for d in range(len(c.mean_left))), c.undeclared)
        for name, c in found.classes.items()
    }
    parts = (found.p_none_left, found.p_no_arrivals, found.p_nothing_undeclared, found.method, found.discarded)
    return Solved(found.loglik, Average(classes, *parts))


def _with_free_days(account: Account, tolerance: float) -> Solved:
    while True:
        run = Run(account, tolerance)
        run.forward(keep=True)
        if run.loglik == -inf and tolerance == 0:
            raise ImpossibleError(clash(account))
        if run.loglik > -inf:
            smoothed = run.smoothed()
            if smoothed.edge <= _SURPRISED or tolerance < _FINE_ENOUGH:
                break
        tolerance = tolerance**2 if tolerance > _FINE_ENOUGH else 0.0
    days = range(account.last_day + 1)
    classes = {
        c.name: ClassAverage(
            smoothed.means[k], smoothed.none[k], tuple(smoothed.left(k, d) for d in days), smoothed.undeclared[k]
        )
        for k, c in enumerate(account.classes)
    }
    expected = sum(c.arrivals for c in account.classes) * account.last_day
    closed = replace(account, classes=tuple(replace(c, arrivals=0.0) for c in account.classes))
    no_arrivals = exp(run.again(closed) - run.loglik - expected) if expected > 0 else 1.0
    parts = (smoothed.none_left, no_arrivals, smoothed.nothing_undeclared, run.method, run.discarded)
    return Solved(run.loglik, Average(classes, *parts))


def averaged(answers: Sequence[Average]) -> Average:
    """The mean of solved accounts, all of them alike likely."""
    classes = {}
    for name, first in answers[0].classes.items():
        each = [a.classes[name] for a in answers]
        classes[name] = ClassAverage(
            _mean([c.mean_left for c in each]),
            _mean([c.p_none_left_on for c in each]),
            tuple(_mean([c.left_by_day[d] for c in each]) for d in range(len(first.mean_left))),
            _mean([c.undeclared for c in each]),
        )
    many = len(answers)
    return Average(
        classes,
        sum(a.p_none_left for a in answers) / many,
        sum(a.p_no_arrivals for a in answers) / many,
        sum(a.p_nothing_undeclared for a in answers) / many,
        answers[0].method,
        max(a.discarded for a in answers),
    )


def _mean(rows: Sequence[Array]) -> Array:
    return np.asarray(_padded(rows).mean(0))


def _other_priors(
    accounts: Sequence[Account], answers: Sequence[Solved], none: float, others: Sequence[float], tolerance: float
) -> tuple[OtherPrior, ...]:
    """P(none left) with other priors that nothing was undeclared, by weighing the states with nothing undeclared anew."""
    both = [nothing_and_none(account, answer.loglik, tolerance) for account, answer in zip(accounts, answers, strict=True)]
    out = []
    for other in others:
        top = bottom = before = 0.0
        for account, answer, joint in zip(accounts, answers, both, strict=True):
            zero, more = prior_ratios(account, other)
            now = answer.average
            top += zero * joint + more * max(now.p_none_left - joint, 0.0)
            bottom += zero * now.p_nothing_undeclared + more * (1 - now.p_nothing_undeclared)
            before += now.p_none_left
        if bottom > 0 and before > 0:
            out.append(OtherPrior(other, min(1.0, none * (top / bottom) / (before / len(answers)))))
    return tuple(out)


def prior_ratios(account: Account, none: float) -> tuple[float, float]:
    """How much likelier another prior makes a world with nothing undeclared, and one with something; all classes together."""
    now = 1.0
    for item_class in account.classes:
        now *= item_class.undeclared[0]
    return (none / now if now > 0 else 0.0), ((1 - none) / (1 - now) if now < 1 else 0.0)


def nothing_and_none(account: Account, loglik: float, tolerance: float) -> float:
    """P(nothing undeclared and none left), given all looks. `loglik`: of the account."""
    prior = 1.0
    for item_class in account.classes:
        prior *= item_class.undeclared[0]
    only = replace(account, classes=tuple(replace(c, undeclared=(1.0,)) for c in account.classes))
    found, none, _, _ = one_pass(only, tolerance)
    return prior * exp(found - loglik) * none if found > -inf else 0.0
