"""Integrals over parameters that nobody knows: importance sampling from a fit at the mode, by randomised quasi-Monte Carlo.

Parameters are moved to coordinates without bounds; the mode and the curvature there give a multivariate Student-t proposal,
whose tails are heavier than those of any of the priors in these coordinates, so that weights stay bounded. Points are Sobol
points (Joe and Kuo 2008) under several independent linear scrambles and shifts; the spread between these gives standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, lgamma, log, log2, pi, sqrt
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tallybook.holdings.model import ModelError, positive

Floats: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Floats], tuple[Floats, Mapping[str, Floats]]]
"""Parameters [n, dim] in; log-likelihoods [n] and named values [n] out."""

MOST_PARAMETERS = 11
LOW_ESS = 0.05
_FREEDOM = 4
_WIDER = 1.15
_LEAST_PILOT, _MOST_PILOT = 64, 512
_BITS = 30


class Prior(Protocol):
    """One parameter's distribution, and its coordinate without bounds."""

    def value(self, z: Floats) -> Floats:
        """The parameter at coordinate z."""

    def coordinate(self, value: Floats) -> Floats:
        """The coordinate of a parameter's value."""

    def log_density(self, z: Floats) -> Floats:
        """log of the density of the coordinate, normalised."""

    def middle(self) -> tuple[float, float]:
        """About the median and the standard deviation of the coordinate."""


@dataclass(frozen=True, slots=True)
class Beta:
    """Beta(a, b); its coordinate is the logit."""

    a: float
    b: float

    def value(self, z: Floats) -> Floats:
        return np.asarray(np.exp(-np.logaddexp(0, -z)))

    def coordinate(self, value: Floats) -> Floats:
        return np.asarray(np.log(value) - np.log1p(-value))

    def log_density(self, z: Floats) -> Floats:
        normal = lgamma(self.a + self.b) - lgamma(self.a) - lgamma(self.b)
        return np.asarray(normal - self.a * np.logaddexp(0, -z) - self.b * np.logaddexp(0, z))

    def middle(self) -> tuple[float, float]:
        return log(self.a / self.b), sqrt(1 / self.a + 1 / self.b)


@dataclass(frozen=True, slots=True)
class Gamma:
    """Gamma(shape a, rate b); its coordinate is the cube root, nearly normal (Wilson and Hilferty 1931), or the logarithm for
    shapes below a half.

    In logarithms a small shape has a long tail towards 0 that a proposal fitted at the mode would miss.
    """

    a: float
    b: float

    def value(self, z: Floats) -> Floats:
        return np.asarray(np.exp(np.minimum(z, 600.0)) if self.a < 0.5 else np.maximum(z, 1e-30) ** 3)

    def coordinate(self, value: Floats) -> Floats:
        return np.asarray(np.log(value) if self.a < 0.5 else np.cbrt(value))

    def log_density(self, z: Floats) -> Floats:
        normal = self.a * log(self.b) - lgamma(self.a)
        if self.a < 0.5:
            return np.asarray(normal + self.a * z - self.b * np.exp(np.minimum(z, 600.0)))
        positive_z = np.maximum(z, 1e-30)
        return np.where(z > 0, normal + log(3) + (3 * self.a - 1) * np.log(positive_z) - self.b * positive_z**3, -np.inf)

    def middle(self) -> tuple[float, float]:
        if self.a < 0.5:
            return log(self.a / self.b), sqrt(1 / self.a)
        root = float(np.cbrt(self.a / self.b))
        return root * (1 - 1 / (9 * self.a)), root / (3 * sqrt(self.a))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any value from low to high alike; its coordinate is the logit of the share of the way."""

    low: float
    high: float

    def value(self, z: Floats) -> Floats:
        return np.asarray(self.low + (self.high - self.low) * np.exp(-np.logaddexp(0, -z)))

    def coordinate(self, value: Floats) -> Floats:
        return np.asarray(np.log(value - self.low) - np.log(self.high - value))

    def log_density(self, z: Floats) -> Floats:
        return np.asarray(-np.logaddexp(0, -z) - np.logaddexp(0, z))

    def middle(self) -> tuple[float, float]:
        return 0.0, sqrt(2.0)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """log of the value ~ Normal(mean, sd); its coordinate is the logarithm."""

    mean: float
    sd: float

    def value(self, z: Floats) -> Floats:
        return np.asarray(np.exp(np.minimum(z, 600.0)))

    def coordinate(self, value: Floats) -> Floats:
        return np.asarray(np.log(value))

    def log_density(self, z: Floats) -> Floats:
        return np.asarray(-0.5 * ((z - self.mean) / self.sd) ** 2 - log(self.sd) - 0.5 * log(2 * pi))

    def middle(self) -> tuple[float, float]:
        return self.mean, self.sd


@dataclass(frozen=True, slots=True)
class Integrated:
    """`mean`, `sd`, `standard_error` (of the mean): by name, for each parameter and each named value of the function.

    `log_evidence` and its standard error `se_log_evidence`; `ess`: effective number of the `draws`; `calls`: points at which the
    function was computed, those for the mode included. `warning`: says why the answer may be poor, else empty.
    """

    log_evidence: float
    se_log_evidence: float
    mean: Mapping[str, float]
    sd: Mapping[str, float]
    standard_error: Mapping[str, float]
    ess: float
    draws: int
    calls: int
    warning: str


def integrate(
    function: Function,
    priors: Mapping[str, Prior],
    *,
    draws: int = 4096,
    seed: int = 0,
    randomisations: int = 16,
    start: Sequence[float] | None = None,
) -> Integrated:
    """The posterior means of parameters and of what a function gives for them, and the evidence.

    `draws` is rounded up to `randomisations` times a power of two. `start`: parameter values near the mode, where they are
    known. Two runs with one seed give the same bytes. Raises ModelError where there is no parameter, or more than
    MOST_PARAMETERS, and where the likelihood is 0 at all points tried.
    """
    names = list(priors)
    if not 1 <= len(names) <= MOST_PARAMETERS:
        raise ModelError(f"{len(names)} parameters to integrate over", do=f"from 1 to {MOST_PARAMETERS} are possible")
    if draws < 1 or randomisations < 2:
        raise ModelError(f"{draws} draws in {randomisations} randomisations", do="take at least one draw and two randomisations")
    target = _Target(function, list(priors.values()))
    centre, root = _fit(target, start)
    size = 2 ** max(0, ceil(log2(draws / randomisations)))
    pilot = min(max(_LEAST_PILOT, draws // 4), _MOST_PILOT) // randomisations
    root = _WIDER * root
    z, log_weight, _ = _draw(target, centre, root, pilot, randomisations, seed + 7919)
    if np.isfinite(log_weight.max()):
        centre, root = _refit(z, np.exp(log_weight - log_weight.max()), root)
    z, log_weight, values = _draw(target, centre, root, size, randomisations, seed)
    return _summary(log_weight, values | dict(zip(names, target.parameters(z).T, strict=True)), size, target.calls)


def _draw(
    target: _Target, centre: Floats, root: Floats, size: int, randomisations: int, seed: int
) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Points of the proposal [n, dim], log of their weights [n], and the values there."""
    dim = len(centre)
    u = scrambled_sobol(size, dim + 1, randomisations, seed).reshape(-1, dim + 1)
    offsets = normal_quantile(u[:, :-1]) * np.sqrt(_FREEDOM / chi2_quantile(u[:, -1]))[:, None]
    z = centre + offsets @ root.T
    log_post, values = target.values(z)
    return z, log_post - _log_student(offsets, root), values


def _refit(z: Floats, weight: Floats, root: Floats) -> tuple[Floats, Floats]:
    """The weighted mean and covariance; the less so, the fewer draws count."""
    ess = weight.sum() ** 2 / (weight @ weight)
    share = weight / weight.sum()
    mean = share @ z
    away = z - mean
    firmness = ess / (ess + 3 * z.shape[1])
    covariance = _WIDER**2 * firmness * (away.T * share) @ away + (1 - firmness) * root @ root.T
    return mean, np.asarray(np.linalg.cholesky(covariance))


def _summary(log_weight: Floats, values: Mapping[str, Floats], size: int, calls: int) -> Integrated:
    top = float(log_weight.max())
    if not np.isfinite(top):
        raise ModelError("the likelihood is 0 at every point drawn", do="see that priors allow what was counted")
    weight = np.exp(log_weight - top)
    total, n = float(weight.sum()), len(weight)
    runs = n // size

    def spread(parts: Floats) -> float:
        sums = parts.reshape(runs, size).sum(1)
        between = float(sums.std(ddof=1) * sqrt(runs)) / total
        # A few points in each run are hardly better than independent draws, and their spread may miss a tail.
        return between if size >= 64 else max(between, float(np.sqrt(parts @ parts - parts.sum() ** 2 / n)) / total)

    mean, sd, error = {}, {}, {}
    for name, value in values.items():
        kept = np.where(weight > 0, value, 0.0)
        mean[name] = float(weight @ kept) / total
        away = np.where(weight > 0, value - mean[name], 0.0)
        sd[name] = sqrt(float(weight @ away**2) / total)
        error[name] = spread(weight * away)
    ess = total**2 / float(weight @ weight)
    warning = ""
    if ess < LOW_ESS * n:
        warning = f"only {ess:.0f} of {n} draws count: the proposal fits the posterior badly, standard errors may be too small"
    return Integrated(top + log(total / n), spread(weight), mean, sd, error, ess, n, calls, warning)


class _Target:
    """Prior times likelihood in coordinates without bounds."""

    def __init__(self, function: Function, priors: Sequence[Prior]) -> None:
        self.function, self.priors, self.calls = function, priors, 0

    def parameters(self, z: Floats) -> Floats:
        return np.stack([prior.value(z[:, k]) for k, prior in enumerate(self.priors)], axis=1)

    def values(self, z: Floats) -> tuple[Floats, dict[str, Floats]]:
        self.calls += len(z)
        loglik, values = self.function(self.parameters(z))
        prior = np.sum([prior.log_density(z[:, k]) for k, prior in enumerate(self.priors)], axis=0)
        log_post = np.where(np.isnan(loglik), -np.inf, loglik) + prior
        return log_post, dict(values)

    def log(self, z: Floats) -> Floats:
        return self.values(z)[0]


def _fit(target: _Target, start: Sequence[float] | None) -> tuple[Floats, Floats]:
    """Near the mode, and a square root of the covariance that the curvature there gives: damped Newton with differences."""
    middles = np.array([prior.middle() for prior in target.priors])
    centre, scale = middles[:, 0], middles[:, 1]
    if start is None:
        u = scrambled_sobol(64, len(centre), 1, 0)[0]
        tried = centre + scale * normal_quantile(u)
        logs = target.log(tried)
        if not np.isfinite(logs).any():
            raise ModelError(
                "the likelihood is 0 at every point tried", do="give a start, or see that priors allow what was counted"
            )
        z = tried[int(np.argmax(logs))]
    else:
        at = np.array([[float(v)] for v in start])
        z = np.array([float(prior.coordinate(v)[0]) for prior, v in zip(target.priors, at, strict=True)])
    root = np.diag(0.1 * np.minimum(scale, 1.0))
    best, step = (-np.inf, z), np.zeros_like(z)
    for turn in range(40):
        value, slope, bend = _differences(target, z, root)
        if value < best[0] - 1e-9 and float(np.abs(step).max()) > 0:
            step = step / 3
            z = best[1] + step
            continue
        best = value, z
        eigenvalues, vectors = np.linalg.eigh(bend)
        flattest = 1e-2 * float(np.abs(eigenvalues).max()) if turn == 0 else 1e-3
        firm = np.maximum(np.abs(eigenvalues), max(flattest, 1e-6))
        move = vectors @ ((vectors.T @ slope) / firm)
        length = float(np.sqrt(max(move @ slope, 0.0)))
        step = root @ move
        step *= min(1.0, float((3 * scale / (np.abs(step) + 1e-12)).min()))
        # Directions of later differences are about one standard deviation long, along the axes of the curvature.
        root = root @ (vectors / np.sqrt(firm))
        z = z + step
        if length < 1 and bool((eigenvalues > 0).all()) and turn > 0:
            break
    # No wider than twice the prior: curvature says more where the likelihood is flat.
    values, vectors = np.linalg.eigh(np.linalg.inv(root @ root.T) + np.diag(1 / (4 * scale**2)))
    return z, np.asarray(vectors / np.sqrt(values))


def _differences(target: _Target, z: Floats, root: Floats, depth: int = 6) -> tuple[float, Floats, Floats]:
    """Value, slope, and minus the second derivatives along the columns of `root`, from one batch of points, nearer to z where
    the density is 0 at one of them.
    """
    dim = len(z)
    unit = np.eye(dim)
    pairs = [(j, k) for j in range(dim) for k in range(j)]
    moves = np.array(
        [np.zeros(dim), *unit, *-unit, *(unit[j] + unit[k] for j, k in pairs), *(-unit[j] - unit[k] for j, k in pairs)]
    )
    logs = target.log(z + moves @ root.T)
    if not np.isfinite(logs).all() and depth:
        value, slope, bend = _differences(target, z, root / 2, depth - 1)
        return value, 2 * slope, 4 * bend
    logs = np.where(np.isfinite(logs), logs, logs[0] - 1e6)
    up, down, both = logs[1 : dim + 1], logs[dim + 1 : 2 * dim + 1], logs[2 * dim + 1 :]
    bend = np.diag(-(up + down - 2 * logs[0]))
    for place, (j, k) in enumerate(pairs):
        corners = both[place] + both[len(pairs) + place]
        bend[j, k] = bend[k, j] = -(corners - up[j] - down[j] - up[k] - down[k] + 2 * logs[0]) / 2
    return float(logs[0]), (up - down) / 2, bend


def _log_student(offsets: Floats, root: Floats) -> Floats:
    """log density of the multivariate Student-t at mode + root offsets."""
    dim = offsets.shape[1]
    normal = lgamma((_FREEDOM + dim) / 2) - lgamma(_FREEDOM / 2) - dim / 2 * log(_FREEDOM * pi)
    log_det = float(np.linalg.slogdet(root)[1])
    return np.asarray(normal - log_det - (_FREEDOM + dim) / 2 * np.log1p((offsets**2).sum(1) / _FREEDOM))


# ------------------------------------------------------------------------------------------------------------------- points

_DIRECTIONS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
    (5, 11, (1, 1, 5, 1, 1)),
    (5, 13, (1, 1, 1, 3, 11)),
)


def _sobol_directions(dim: int) -> NDArray[np.int64]:
    """Direction numbers [dim, bits], as integers of that many bits."""
    found = np.zeros((dim, _BITS), np.int64)
    found[0] = 1 << np.arange(_BITS - 1, -1, -1)
    for d in range(1, dim):
        degree, coefficients, first = _DIRECTIONS[d - 1]
        m = list(first)
        for k in range(degree, _BITS):
            new = m[k - degree] ^ (m[k - degree] << degree)
            for j in range(1, degree):
                if coefficients >> (degree - 1 - j) & 1:
                    new ^= m[k - j] << j
            m.append(new)
        found[d] = [value << (_BITS - 1 - k) for k, value in enumerate(m)]
    return found


def scrambled_sobol(size: int, dim: int, randomisations: int, seed: int) -> Floats:
    """Sobol points under independent random linear scrambles and shifts: [randomisations, size, dim], strictly inside (0, 1)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    directions = _sobol_directions(dim)
    shifts = generator.integers(0, 1 << _BITS, (randomisations, dim))
    bits = generator.integers(0, 2, (randomisations, dim, _BITS, _BITS))
    lower = np.tril(bits, -1) + np.eye(_BITS, dtype=np.int64)
    digits = directions[:, :, None] >> np.arange(_BITS - 1, -1, -1) & 1
    scrambled = np.einsum("rdij,dkj->rdki", lower, digits) & 1
    columns = (scrambled << np.arange(_BITS - 1, -1, -1)).sum(-1)
    index = np.arange(size)
    points = np.repeat(shifts[:, None, :], size, axis=1)
    for k in range(max(size - 1, 0).bit_length()):
        points ^= np.where((index >> k & 1)[None, :, None] == 1, columns[:, None, :, k], 0)
    return np.asarray((points + 0.5) / float(1 << _BITS), dtype=np.float64)


def normal_quantile(u: Floats) -> Floats:
    """The standard normal quantile: Abramowitz and Stegun 26.2.23, then two steps of Halley's method; within 1e-6."""
    low = np.minimum(u, 1 - u)
    r = np.sqrt(-2 * np.log(low))
    x = r - (2.515517 + r * (0.802853 + r * 0.010328)) / (1 + r * (1.432788 + r * (0.189269 + r * 0.001308)))
    for _ in range(2):
        density = np.exp(-0.5 * x * x) / sqrt(2 * pi)
        gap = (_normal_tail(x) - low) / density
        x = x + gap / (1 - 0.5 * x * gap)
    return np.asarray(np.where(u < 0.5, -x, x))


def _normal_tail(x: Floats) -> Floats:
    """P(normal > x) for x >= 0, to a few 1e-8 relatively or better: a Chebyshev fit of erfc."""
    t = 1 / (1 + 0.5 * np.maximum(x, 0) / sqrt(2))
    first = (-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806)
    rest = (0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277)
    series = np.zeros_like(t)
    for c in reversed((*first, *rest)):
        series = series * t + c
    return np.asarray(0.5 * t * np.exp(-0.5 * x * x + series))


def chi2_quantile(u: Floats) -> Floats:
    """The quantile of chi-square with 4 degrees of freedom, by Newton on its closed tail e^(-h) (1 + h), h = x/2."""
    h = np.maximum(2 * (1 - 1 / 18 + normal_quantile(u) * sqrt(1 / 18)) ** 3, 1e-9)
    h = np.maximum(h, np.sqrt(2 * u) * 0.9)
    for _ in range(60):
        # Near 0 the lower tail 1 - e^(-h) (1 + h) is a difference of near equals, and its series is better.
        lower = np.where(h < 1e-3, h * h * (0.5 - h / 3 + h * h / 8), -np.expm1(-h) - h * np.exp(-h))
        step = np.clip((u - lower) / (h * np.exp(-h)), -0.5 * h, 0.5 * h + 1)
        h = h + step
        if float(np.abs(step / h).max(initial=0.0)) < 1e-10:
            break
    return np.asarray(2 * h)


def check_priors(priors: Mapping[str, Prior]) -> None:
    """Raises ModelError for a prior with a parameter that is not above 0, or an empty range."""
    for name, prior in priors.items():
        if isinstance(prior, (Beta, Gamma)):
            positive(prior.a, f"prior of {name}")
            positive(prior.b, f"prior of {name}")
        elif isinstance(prior, Uniform) and not prior.low < prior.high:
            raise ModelError(f"no value from {prior.low} to {prior.high}", where=f"prior of {name}")
        elif isinstance(prior, LogNormal):
            positive(prior.sd, f"prior of {name}")
