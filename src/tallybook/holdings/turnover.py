"""Counts of open stocks at sites: items come and go between occasions, looks on one occasion count the same stock.

N_1 ~ Poisson(lam); N_t = Binomial(N_(t-1), omega) + Poisson(gamma); every look on occasion t counts Binomial(N_t, p) (Dail and
Madsen 2011, Biometrics 67:577). Given the looks so far N = i + Poisson(a): i items were counted at least once and are still
there, a is the expected number never counted. Only i needs a distribution, and it has finitely many values: no bound to choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, inf, log, pi
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tallybook.holdings.integration import Beta, Gamma, Prior, check_priors, integrate
from tallybook.holdings.model import ModelError, not_negative, probability, whole

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Looks: TypeAlias = Sequence[Sequence[Sequence[int | None]]]

TOLERANCE = 1e-13
"""What trimming may take off a likelihood, relatively; the trimming is made finer until its bound is below this."""
MOST = 50_000
_TINY = 1e-200
_FLOOR = 1e-60
_SPREAD = 100.0
_CELLS = 1_500_000


@dataclass(frozen=True, slots=True)
class Turnover:
    """lam: expected items per site on the first occasion. gamma: expected arrivals per site between occasions. omega: probability
    that an item is still there on the next occasion. p: probability that a look counts an item.
    """

    lam: float
    gamma: float
    omega: float
    p: float

    def checked(self) -> Turnover:
        """The same parameters. Raises ModelError for a negative rate or what is no probability."""
        not_negative(self.lam, "lam")
        not_negative(self.gamma, "gamma")
        probability(self.omega, "omega")
        probability(self.p, "p")
        return self


@dataclass(frozen=True, slots=True)
class TurnoverAnswer:
    """What looks say when the parameters are known.

    `mean_last`, `sd_last`: items over all sites on the last occasion; `site_*` the same for each site. `log_p_none_last`: log
    P(no item at any site on the last occasion | looks). `log_p_no_arrivals`: log P(nothing ever arrived at any site | looks).
    `discarded`: a bound on the relative loss of the likelihood by trimming. `clashes`: (site, occasion) of looks that no number
    of items can give together; then `loglik` is -inf and the rest is nan.
    """

    loglik: float
    mean_last: float
    sd_last: float
    log_p_none_last: float
    p_no_arrivals: float
    log_p_no_arrivals: float
    site_loglik: tuple[float, ...]
    site_mean_last: tuple[float, ...]
    site_log_p_none_last: tuple[float, ...]
    discarded: float
    clashes: tuple[tuple[int, int], ...] = ()


def turnover(y: Looks, rates: Turnover) -> TurnoverAnswer:
    """The exact answer for looks `y`: S sites, T occasions, any number of looks on each (None: no look, no factor).

    Raises ModelError for a count that is none, sites with different numbers of occasions, and parameters that are none.
    """
    rates.checked()
    data = Counts.of(y)
    sites = data.sites
    draws = Draws.of(rates)
    plain, none, still = (make(data.occasions) for make in (draws.plain, draws.none_last, draws.no_arrivals))
    clashes = _clashes(data, plain)
    if clashes:
        nans = (np.nan,) * sites
        return TurnoverAnswer(-inf, np.nan, np.nan, np.nan, np.nan, np.nan, nans, nans, nans, 0.0, clashes)
    found = _certain(data, (plain, none, still))
    base, log_none, log_still = found.loglik[..., 0]
    mean, variance = found.mean[0, :, 0], found.variance[0, :, 0]
    log_none = np.minimum(np.where(mean > 0, log_none - base, 0.0), 0.0)
    log_no_arrivals = min(float((log_still - base).sum()), 0.0)
    return TurnoverAnswer(
        loglik=float(base.sum()),
        mean_last=float(mean.sum()),
        sd_last=float(np.sqrt(variance.sum())),
        log_p_none_last=float(log_none.sum()),
        p_no_arrivals=exp(log_no_arrivals),
        log_p_no_arrivals=log_no_arrivals,
        site_loglik=tuple(base.tolist()),
        site_mean_last=tuple(mean.tolist()),
        site_log_p_none_last=tuple(log_none.tolist()),
        discarded=float(found.discarded.sum(1).max(initial=0.0)),
    )


@dataclass(frozen=True, slots=True)
class TurnoverPrior:
    """lam ~ Gamma(a_lam, rate b_lam), gamma ~ Gamma(a_gam, rate b_gam), omega and p ~ Beta of the pair. All above 0."""

    a_lam: float
    b_lam: float
    a_gam: float
    b_gam: float
    omega: tuple[float, float]
    p: tuple[float, float]

    def priors(self) -> dict[str, Prior]:
        """By name of the parameter. Raises ModelError for a value that is not above 0."""
        found: dict[str, Prior] = {
            "lam": Gamma(self.a_lam, self.b_lam),
            "gamma": Gamma(self.a_gam, self.b_gam),
            "omega": Beta(*self.omega),
            "p": Beta(*self.p),
        }
        check_priors(found)
        return found


@dataclass(frozen=True, slots=True)
class TurnoverUnknown:
    """What looks say when the parameters are not known.

    `mean`, `sd` and `standard_error` of the mean, by name: lam, gamma, omega, p and `last`, the items over all sites on the last
    occasion (`sd` of it is that of the number itself). `log_p_none_last` and `log_p_no_arrivals` are ratios of two evidences;
    `se_*` their standard errors; nan where they were not asked for. `ess` and `draws` are those of the first integral.
    """

    log_evidence: float
    se_log_evidence: float
    mean: Mapping[str, float]
    sd: Mapping[str, float]
    standard_error: Mapping[str, float]
    log_p_none_last: float
    se_log_p_none_last: float
    log_p_no_arrivals: float
    se_log_p_no_arrivals: float
    ess: float
    draws: int
    warning: str


def turnover_unknown(y: Looks, prior: TurnoverPrior, *, draws: int = 1024, seed: int = 0, events: bool = True) -> TurnoverUnknown:
    """The posterior over parameters and the number on the last occasion, by importance sampling on the exact likelihood.

    `events`: also integrate the two models in which nothing is left and nothing arrived. Raises ModelError as `turnover`.
    """
    data, priors = Counts.of(y), prior.priors()
    occasions = data.occasions

    def whole_model(theta: Floats) -> tuple[Floats, dict[str, Floats]]:
        found = filtered(data, Draws(*theta.T).plain(occasions))
        return found.loglik.sum(0), {"last": found.mean.sum(0), "within": found.variance.sum(0)}

    def none_left(theta: Floats) -> tuple[Floats, dict[str, Floats]]:
        return filtered(data, Draws(*theta.T).none_last(occasions)).loglik.sum(0), {}

    def still(theta: Floats) -> tuple[Floats, dict[str, Floats]]:
        return filtered(data, Draws(theta[:, 0], np.zeros(len(theta)), *theta[:, 1:].T).plain(occasions)).loglik.sum(0), {}

    start = _start(data, prior)
    main = integrate(whole_model, priors, draws=draws, seed=seed, start=start)
    log_none = se_none = log_still = se_still = float("nan")
    warnings = [main.warning]
    if events:
        log_none, se_none = -inf, 0.0
        if not _clashes(data, Draws(*np.array(start)[:, None]).none_last(occasions)):
            none = integrate(none_left, priors, draws=draws, seed=seed + 1, start=start)
            log_none, se_none = none.log_evidence - main.log_evidence, float(np.hypot(none.se_log_evidence, main.se_log_evidence))
            warnings.append(none.warning)
        fewer = {name: priors[name] for name in ("lam", "omega", "p")}
        closed = integrate(still, fewer, draws=draws, seed=seed + 2, start=[start[0], start[2], start[3]])
        # Without arrivals the likelihood has gamma only in exp(-S (T-1) gamma), which its Gamma prior integrates.
        factor = -prior.a_gam * np.log1p(data.sites * (occasions - 1) / prior.b_gam)
        log_still = float(closed.log_evidence + factor) - main.log_evidence
        se_still = float(np.hypot(closed.se_log_evidence, main.se_log_evidence))
        warnings.append(closed.warning)
    mean, sd, error = dict(main.mean), dict(main.sd), dict(main.standard_error)
    sd["last"] = float(np.sqrt(sd["last"] ** 2 + mean.pop("within")))
    del sd["within"], error["within"]
    return TurnoverUnknown(
        log_evidence=main.log_evidence,
        se_log_evidence=main.se_log_evidence,
        mean=mean,
        sd=sd,
        standard_error=error,
        log_p_none_last=min(log_none, 0.0) if events else log_none,
        se_log_p_none_last=se_none,
        log_p_no_arrivals=min(log_still, 0.0) if events else log_still,
        se_log_p_no_arrivals=se_still,
        ess=main.ess,
        draws=main.draws,
        warning="; ".join(w for w in dict.fromkeys(warnings) if w),
    )


def _start(data: Counts, prior: TurnoverPrior) -> list[float]:
    """Parameters near the mode: p from how looks on one occasion differ, the rest from mean counts, both drawn to the prior."""
    y, seen = data.y.astype(np.float64), data.seen
    looks = seen.sum(2)
    means = np.where(seen, y, 0.0).sum(2) / np.maximum(looks, 1)
    pairs = looks > 1
    apart = (np.where(seen, (y - means[:, :, None]) ** 2, 0.0).sum(2) / np.maximum(looks - 1, 1))[pairs].sum()
    a, b = prior.p
    weight = float(pairs.sum()) / 4
    missed = float(np.clip(apart / max(float(means[pairs].sum()), 1e-9), 0.05, 0.95)) if pairs.any() else 0.5
    p = float(np.clip((a + weight * (1 - missed)) / (a + b + weight), 0.02, 0.98))
    with np.errstate(invalid="ignore", divide="ignore"):
        by_occasion = np.where(looks > 0, means, 0.0).sum(0) / (looks > 0).sum(0) / p
    sites = data.sites
    first = by_occasion[0] if sites and np.isfinite(by_occasion[0]) else prior.a_lam / prior.b_lam
    lam = (prior.a_lam + sites * first) / (prior.b_lam + sites)
    omega, gamma = prior.omega[0] / sum(prior.omega), prior.a_gam / prior.b_gam
    now, then = by_occasion[:-1], by_occasion[1:]
    both = np.isfinite(now) & np.isfinite(then)
    if both.sum() >= 2:
        steps = sites * (data.occasions - 1)
        slope, level = np.linalg.lstsq(np.stack([now[both], np.ones(both.sum())], 1), then[both], rcond=None)[0]
        omega = float(np.clip(slope, 0.1, 0.97))
        gamma = max(float(level), 0.0)
        gamma = (prior.a_gam + steps * gamma) / (prior.b_gam + steps)
    return [float(lam), float(gamma), float(omega), p]


# --------------------------------------------------------------------------------------------------- looks and parameters


@dataclass(frozen=True, slots=True)
class Counts:
    """Looks as arrays: `y[s, t, j]`, and `seen[s, t, j]`: whether there was such a look."""

    y: Ints
    seen: NDArray[np.bool_]

    @property
    def sites(self) -> int:
        return int(self.y.shape[0])

    @property
    def occasions(self) -> int:
        return int(self.y.shape[1])

    @staticmethod
    def of(y: Looks) -> Counts:
        """The looks checked. Raises ModelError."""
        occasions = {len(site) for site in y}
        if len(occasions) > 1:
            raise ModelError(
                f"sites have {min(occasions)} to {max(occasions)} occasions", where="y", do="put None where nobody looked"
            )
        if occasions == {0}:
            raise ModelError("no occasion", where="y", do="give at least one occasion; it may be without a look")
        looks = max((len(occasion) for site in y for occasion in site), default=0)
        counts = np.zeros((len(y), occasions.pop() if occasions else 1, looks), np.int64)
        seen = np.zeros(counts.shape, np.bool_)
        for s, site in enumerate(y):
            for t, occasion in enumerate(site):
                for j, value in enumerate(occasion):
                    if value is not None:
                        if type(value) is not int or not 0 <= value <= MOST:
                            _refuse_large(whole(value, f"y[{s}][{t}][{j}]", "the count"), f"y[{s}][{t}][{j}]")
                        counts[s, t, j], seen[s, t, j] = value, True
        return Counts(counts, seen)


def _refuse_large(count: int, where: str) -> None:
    if count > MOST:
        memory = 8 * count**2 / 2**30
        raise ModelError(
            f"a count of {count:,}", where=where, do=f"it would need up to {memory:,.0f} GiB; counts go up to {MOST:,}"
        )


@dataclass(frozen=True, slots=True)
class Model:
    """Parameters by occasion for n draws, the same for all sites (A = 1) or for each row of counts (A rows).

    lam [A, n], gamma and omega [A, n, T-1], p [A, n], and the log of a factor of each site [A, n].
    """

    lam: Floats
    gamma: Floats
    omega: Floats
    p: Floats
    log_factor: Floats

    def arrays_of(self) -> tuple[Floats, ...]:
        return self.lam, self.gamma, self.omega, self.p, self.log_factor

    def times(self, log_factor: Floats) -> Model:
        """The same with one more factor at each site."""
        return replace(self, log_factor=self.log_factor + log_factor)

    def some(self, draws: NDArray[np.intp]) -> Model:
        """Only these draws."""
        return Model(*(array[:, draws] for array in self.arrays_of()))

    @staticmethod
    def stacked(models: Sequence[Model], rows: NDArray[np.intp]) -> Model:
        """For each row of counts the model of that number."""
        return Model(*(np.concatenate(arrays)[rows] for arrays in zip(*(m.arrays_of() for m in models), strict=True)))


@dataclass(frozen=True, slots=True)
class Draws:
    """n draws of the four parameters, each [n]."""

    lam: Floats
    gamma: Floats
    omega: Floats
    p: Floats

    @staticmethod
    def of(rates: Turnover) -> Draws:
        return Draws(*(np.array([float(v)]) for v in (rates.lam, rates.gamma, rates.omega, rates.p)))

    def plain(self, occasions: int) -> Model:
        """The model itself."""
        steps = np.ones(occasions - 1)
        gamma, omega = np.outer(self.gamma, steps), np.outer(self.omega, steps)
        return Model(self.lam[None], gamma[None], omega[None], self.p[None], np.zeros((1, len(self.lam))))

    def no_arrivals(self, occasions: int) -> Model:
        """The model and that nothing arrived: the likelihood of both."""
        return replace(self, gamma=np.zeros_like(self.gamma)).plain(occasions).times(-(occasions - 1) * self.gamma)

    def none_last(self, occasions: int) -> Model:
        """The model and that nothing is there on the last occasion.

        An item there on occasion t is gone by the last with probability h_t = 1 - omega^(T-t). Given that it is, it arrives,
        stays and goes as in a model with rates multiplied by h and omega_t = omega h_(t+1)/h_t.
        """
        left = np.arange(occasions - 1, -1, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            gone = -np.expm1(left * np.log(self.omega)[:, None])
            gone[:, -1] = 0.0
            omega = np.where(gone[:, :-1] > 0, self.omega[:, None] * gone[:, 1:] / gone[:, :-1], 0.0)
        gamma = self.gamma[:, None] * gone[:, 1:]
        lost = self.lam * (1 - gone[:, 0]) + (self.gamma[:, None] - gamma).sum(1)
        return Model((self.lam * gone[:, 0])[None], gamma[None], np.minimum(omega, 1.0)[None], self.p[None], -lost[None])


# --------------------------------------------------------------------------------------------------------------- the filter


class _TooWideError(Exception):
    """Draws so far apart that one reference cannot serve them all: the caller takes fewer at a time."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """By site and draw, each [S, n]: log-likelihood, mean and variance of the number on the last occasion, and a bound on what
    trimming took off the likelihood, relatively.
    """

    loglik: Floats
    mean: Floats
    variance: Floats
    discarded: Floats


class _Filter:
    """One pass over the occasions for all sites and n draws: the distribution of i in a window of each site.

    A step sums over i with a kernel in the difference of the numbers after and before, between factors of each. For many draws
    it is one matrix of each site, made at reference parameters, between powers that make it each draw's own.
    """

    def __init__(self, data: Counts, model: Model, eps: float) -> None:
        self.data, self.model, self.eps = data, model, eps
        self.sites, self.draws = data.sites, model.lam.shape[1]
        # Where all sites were looked at alike, a is the same at all of them.
        self.alike = len(model.lam) == 1 and bool((data.seen == data.seen[:1]).all())
        self.a = model.lam if self.alike else np.broadcast_to(model.lam, (self.sites, self.draws))
        self.low = np.zeros(self.sites, np.int64)
        self.state = np.ones((self.sites, self.draws, 1))
        self.log_z = np.array(np.broadcast_to(model.log_factor, (self.sites, self.draws)))
        self.lost: list[tuple[float, Floats, int]] = []
        self.log_best = [np.zeros((self.sites, self.draws))]
        with np.errstate(divide="ignore"):
            self.log_p, self.log_q = np.log(model.p), np.log1p(-model.p)
            self.log_stay, self.log_go = np.log(model.omega), np.log1p(-model.omega)
        size = int(data.y.sum((1, 2)).max(initial=0)) + 2
        self.log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, size)))])

    def run(self) -> Filtered:
        """All occasions."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for t in range(self.data.occasions):
                if t:
                    self._thin(t - 1)
                for j in range(self.data.y.shape[2]):
                    if self.data.seen[:, t, j].any():
                        self._look(self.data.y[:, t, j], self.data.seen[:, t, j])
            i = np.arange(self.state.shape[2], dtype=np.float64)
            above = self.state @ i
            variance = np.maximum(self.state @ (i * i) - above**2, 0.0)
            return Filtered(self.log_z, self.low[:, None] + above + self.a, variance + self.a, self._bound())

    def _look(self, y: Ints, seen: NDArray[np.bool_]) -> None:
        p, log_p, log_q = self.model.p, self.log_p, self.log_q
        if not seen.all():
            p, log_p, log_q = (np.where(seen[:, None], array, 0.0) for array in (p, log_p, log_q))
        log_a = np.log(self.a)
        a_ref, a_away = _reference(log_a)
        q_ref, q_away = _reference(log_q)
        low, width = self._after_look(y, self.a * np.exp(log_q))
        d = self._differences(low, width)
        inside = (d >= 0) & (d <= y[:, None])
        centre = self._centre()
        d = np.where(inside, d, 0)
        ways = self._lf(y)[:, None] - self._lf(d) - self._lf(y[:, None] - d)
        kernel = np.where(inside, ways + _times(d, a_ref - centre), -inf)
        after = low[:, None] + np.arange(width)
        unseen = after - y[:, None]
        behind = np.where(unseen < 0, -inf, after * centre + _times(unseen, q_ref) - self._lf(unseen))
        self._step(low, kernel, centre, behind, -a_away, a_away + q_away)
        self.log_z += _times(y[:, None], log_p) - self.a * p - self._lf(y)[:, None] - y[:, None] * q_away
        self._remember_best(y, p)
        self.a = self.a * (1 - p)
        self._trim()

    def _thin(self, t: int) -> None:
        omega = self.model.omega[:, :, t]
        self.a = self.a * omega + self.model.gamma[:, :, t]
        if bool((omega == 1).all()):
            return
        stay_ref, stay_away = _reference(self.log_stay[:, :, t])
        go_ref, go_away = _reference(self.log_go[:, :, t])
        high = self.low + self.state.shape[2] - 1
        low, top = np.zeros_like(self.low), high
        if self.eps > 0:
            low = np.maximum(np.floor(self._far(self.low, omega.min(1), -1)), 0).astype(np.int64)
            top = np.minimum(np.ceil(self._far(high, omega.max(1), 1)), high).astype(np.int64)
            self._lose(2 * self.eps)
        width = int((top - low).max()) + 1
        d = -self._differences(low, width)
        centre = self._centre()
        kernel = np.where(d >= 0, _times(np.maximum(d, 0), go_ref + centre) - self._lf(d), -inf)
        after = low[:, None] + np.arange(width)
        behind = _times(after, stay_ref + centre) - self._lf(after)
        self._step(low, kernel, centre, behind, go_away, stay_away - go_away)
        self._trim()

    def _centre(self) -> Floats:
        """log of the middle of the window: powers of it keep factorials in range."""
        return np.asarray(np.log(np.maximum(self.low + (self.state.shape[2] - 1) / 2, 1.0))[:, None])

    def _differences(self, low: Ints, width: int) -> Ints:
        """All differences of a number in the window that begins at `low` and one in the present window."""
        before = self.state.shape[2]
        return np.asarray((low - self.low - (before - 1))[:, None] + np.arange(before + width - 1))

    def _lf(self, n: Ints) -> Floats:
        # Numbers above what the site's counts can add up to only pad a window.
        return self.log_factorial.take(n, mode="clip")

    def _reach(self, variance: Floats) -> Floats:
        """Bernstein: a sum of independent trials is farther from its mean than this with a probability below eps."""
        third = -log(self.eps) / 3
        return np.asarray(third + np.sqrt(third**2 + 6 * third * variance))

    def _far(self, n: Ints, omega: Floats, side: int) -> Floats:
        """Where Binomial(n, omega) hardly ever is beyond, on one side."""
        return np.asarray(n * omega + side * self._reach(n * omega * (1 - omega)))

    def _after_look(self, y: Ints, unseen: Floats) -> tuple[Ints, int]:
        """The window after a look: its lowest numbers, and its width.

        Given i, of y items counted d are new with weights z^d / (d! (y-d)! (i-y+d)!), z = a q. Their polynomial has real roots
        only (Laguerre), so that d is a sum of independent trials, and Bernstein's bound holds.
        """
        high = self.low + self.state.shape[2] - 1
        if self.eps == 0:
            low = np.maximum(self.low, y)
            return low, int((high + y - low).max()) + 1
        self._lose(2 * self.eps)
        new = []
        for i, z, side in ((self.low, unseen.min(1), -1), (high, unseen.max(1), 1)):
            b = i - y + z
            mode = np.maximum((np.sqrt(b * b + 4 * z * (y + 1)) - b) / 2 - 1, np.maximum(y - i, 0))
            variance = 1 / (1 / (np.maximum(y - mode, 0) + 1) + 1 / (mode + 1) + 1 / (np.maximum(i - y + mode, 0) + 1))
            new.append(np.clip(mode + side * (self._reach(variance) + 2), 0, y))
        low = np.maximum(self.low + np.floor(new[0]).astype(np.int64), y)
        return low, int((np.maximum(high + np.ceil(new[1]).astype(np.int64), low) - low).max()) + 1

    def _step(self, low: Ints, kernel: Floats, centre: Floats, behind: Floats, log_in: Floats, log_out: Floats) -> None:
        width = self.state.shape[2]
        i = self.low[:, None] + np.arange(width)
        front, front_top = _scaled(self._lf(i) - i * centre)
        back, back_top = _scaled(behind)
        kernel, top = _scaled(kernel)
        self.log_z += (top + front_top + back_top)[:, None]
        if self.draws == 1:
            state = (_convolved(self.state[:, 0] * front, kernel, back.shape[1]) * back)[:, None]
        else:
            state = self._products(front, kernel, back, log_in, log_out, low)
        total = state.sum(2)
        if self.draws > 1 and not (total > 0).all():
            raise _TooWideError
        self.log_z += np.log(total)
        state /= np.where(total > 0, total, 1.0)[:, :, None]
        # Numbers below 1e-308 would make products slow.
        if self.draws > 1:
            np.maximum(state, _FLOOR, out=state)
        elif self.eps > 0:
            state *= state > _TINY
        self.state, self.low = state, low

    def _products(
        self, front: Floats, kernel: Floats, back: Floats, log_in: Floats, log_out: Floats, low: Ints
    ) -> NDArray[np.float64]:
        width, new_width = front.shape[1], back.shape[1]
        s0, s1 = kernel.strides
        toeplitz = as_strided(kernel[:, width - 1 :], (self.sites, width, new_width), (s0, -s1, s1), writeable=False)
        state = np.multiply(self.state, self._powers(log_in, width, self.low), out=self.state)
        products, matrix = np.empty((self.sites, self.draws, new_width)), np.empty((width, new_width))
        # One product for each site: what it needs stays in the cache.
        for s in range(self.sites):
            np.multiply(toeplitz[s], back[s], out=matrix)
            matrix *= front[s][:, None]
            matrix[matrix < 1e-80] = 0.0
            np.dot(state[s], matrix, out=products[s])
        products *= self._powers(log_out, new_width, low)
        return products

    def _powers(self, log_ratio: Floats, width: int, low: Ints) -> Floats:
        middle = (width - 1) / 2
        if np.abs(log_ratio).max() * middle > _SPREAD:
            raise _TooWideError
        self.log_z += log_ratio * (low[:, None] + middle)
        return np.exp(log_ratio[:, :, None] * (np.arange(width) - middle))

    def _trim(self) -> None:
        width = self.state.shape[2]
        if self.eps == 0 or width < 8:
            return
        profile = self.state.max(1) if self.draws > 1 else self.state[:, 0]
        cut_left = (np.cumsum(profile, 1) <= self.eps).sum(1)
        cut_right = (np.cumsum(profile[:, ::-1], 1) <= self.eps).sum(1)
        kept = max(int((width - cut_left - cut_right).max(initial=1)), 1)
        if kept > 0.9 * width:
            return
        start = np.minimum(cut_left, width - kept)
        state = np.empty((self.sites, self.draws, kept))
        for s, first in enumerate(start.tolist()):
            state[s] = self.state[s, :, first : first + kept]
        self.state, self.low = state, self.low + start
        self._lose(2 * self.eps)

    def _lose(self, share: float) -> None:
        if self.draws == 1:
            self.lost.append((share, self.log_z.copy(), len(self.log_best) - 1))

    def _remember_best(self, y: Ints, p: Floats) -> None:
        """A bound on the probability of this look, whatever the number n of items: sqrt(n / (2 pi y (n-y))) at n = y/p."""
        if self.draws > 1:
            return
        n = np.floor(y[:, None] / p)
        bound = 0.5 * np.log(n / (2 * pi * y[:, None] * (n - y[:, None])))
        self.log_best.append(self.log_best[-1] + np.where(np.isfinite(bound), np.minimum(bound, 0.0), 0.0))

    def _bound(self) -> Floats:
        found = np.zeros((self.sites, self.draws))
        for share, log_z, place in self.lost:
            ahead = self.log_best[-1] - self.log_best[place]
            found += np.nan_to_num(share * np.exp(log_z + ahead - self.log_z), nan=inf)
        return found


def _convolved(x: Floats, kernel: Floats, size: int) -> Floats:
    """sum over i of x[r, i] kernel[r, width - 1 + j - i], for j below `size`: only where a row of the kernel is not 0."""
    rows, width = x.shape
    there = np.flatnonzero(kernel.any(0))
    first, last = (int(there[0]), int(there[-1]) + 1) if len(there) else (0, 1)
    left, right = max(last - width, 0), max(size - 1 - first, 0)
    padded = np.zeros((rows, left + width + right))
    padded[:, left : left + width] = x
    s0, s1 = padded.strides
    windows = as_strided(padded[:, left + width - last :], (rows, size, last - first), (s0, s1, s1), writeable=False)
    return np.asarray(np.einsum("rjd,rd->rj", windows, np.ascontiguousarray(kernel[:, first:last][:, ::-1])))


def _times(count: Ints, log_value: Floats) -> Floats:
    """count x log, where nothing times log 0 is 0."""
    product = count * log_value
    return np.where(count == 0, 0.0, product) if np.isinf(log_value).any() else product


def _reference(logs: Floats) -> tuple[Floats, Floats]:
    """The mean over draws [A, 1], and how far each draw is from it [A, n]."""
    if logs.shape[1] == 1:
        return logs, np.zeros_like(logs)
    finite = np.isfinite(logs)
    if finite.all():
        mean = logs.mean(1, keepdims=True)
        return mean, logs - mean
    if (finite.any(1) & ~finite.all(1)).any():
        raise _TooWideError
    return logs[:, :1], np.where(finite, logs - np.where(finite, logs, 0.0)[:, :1], 0.0)


def _scaled(logs: Floats) -> tuple[Floats, Floats]:
    """exp of each row relative to its greatest, and the greatest."""
    top = np.max(logs, 1)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.exp(logs - top[:, None]), top


def _certain(data: Counts, models: Sequence[Model]) -> Filtered:
    """Single draws of several models, [models, S, 1] each: trimmed so finely that the bound on what is lost is small; log
    likelihood -inf where looks cannot be.
    """
    sites = data.sites
    possible = np.ones((len(models), sites), np.bool_)
    for k, model in enumerate(models):
        for s, _ in _clashes(data, model):
            possible[k, s] = False
    out = np.zeros((4, len(models) * sites, 1))
    out[0] = np.where(possible.reshape(-1, 1), 0.0, -inf)
    rest, eps = np.flatnonzero(possible), 1e-18
    while len(rest):
        rows = Counts(data.y[rest % sites], data.seen[rest % sites])
        found = _Filter(rows, Model.stacked(models, rest // sites), eps).run()
        out[:, rest] = found.loglik, found.mean, found.variance, found.discarded
        worst = found.discarded[:, 0] * sites
        over = ~(worst < TOLERANCE)
        if eps == 0:
            break
        finer = eps * TOLERANCE / float(worst.max(initial=1.0)) / 10
        rest, eps = rest[over], finer if finer > 1e-80 else 0.0
    return Filtered(*out.reshape(4, len(models), sites, 1))


def filtered(data: Counts, model: Model, eps: float = 1e-10) -> Filtered:
    """The filter for many draws, taken in runs of draws that are alike: [S, n] each.

    `eps`: the share that a trimming may take. The bound on what is lost is not computed.
    """
    n = model.lam.shape[1]
    out = np.zeros((4, data.sites, n))
    if data.sites == 0:
        return Filtered(*out)
    total = int(data.y.sum((1, 2)).max(initial=0)) + 1
    most = int(np.clip(_CELLS // (max(data.sites, 1) * min(total, 200)), 8, 2048))
    parts = np.array_split(np.argsort(model.p[0], kind="stable"), -(-n // most))
    while parts:
        part = parts.pop()
        try:
            found = _Filter(data, model.some(part), eps).run()
        except _TooWideError:
            parts += [part[: len(part) // 2], part[len(part) // 2 :]]
            continue
        out[:, :, part] = found.loglik, found.mean, found.variance, found.discarded
    return Filtered(*out)


# ------------------------------------------------------------------------------------------------------------- what cannot be


def _clashes(data: Counts, model: Model) -> tuple[tuple[int, int], ...]:
    """Looks that no number of items gives: the first at each site that cannot be, with the earlier one that it clashes with.

    The numbers that can be there are a range, narrowed by looks; for a single draw.
    """
    found: set[tuple[int, int]] = set()
    for s in _suspects(data, model):
        last = _impossible(data, model, s, range(data.occasions))
        if last is None:
            continue
        found.add((s, last))
        if _impossible(data, model, s, (last,)) is None:
            earlier = (t for t in range(last - 1, -1, -1) if _impossible(data, model, s, (t, last)) is not None)
            found.add((s, next(earlier, last)))
    return tuple(sorted(found))


def _suspects(data: Counts, model: Model) -> list[int]:
    """Sites where looks may clash: for p between 0 and 1 only those with a count after all have gone."""
    emptied = np.flatnonzero((model.omega[0, 0] == 0) & (model.gamma[0, 0] == 0)) + 1
    if not (0 < model.p[0, 0] < 1 and model.lam[0, 0] > 0):
        return list(range(data.sites))
    if not len(emptied):
        return []
    return [int(s) for s in np.flatnonzero((data.y * data.seen)[:, emptied[0] :].any((1, 2)))]


def _impossible(data: Counts, model: Model, site: int, occasions: Sequence[int]) -> int | None:
    """The first of these occasions whose looks cannot be, given those before."""
    p = float(model.p[0, 0])
    low, high = 0.0, inf if model.lam[0, 0] > 0 else 0.0
    for t in range(data.occasions):
        if t:
            omega, gamma = model.omega[0, 0, t - 1], model.gamma[0, 0, t - 1]
            low = low if omega == 1 else 0.0
            high = inf if gamma > 0 else (0.0 if omega == 0 else high)
        if t not in occasions:
            continue
        for y in data.y[site, t][data.seen[site, t]]:
            if p == 0:
                if y > 0:
                    return t
                continue
            low, high = max(low, float(y)), min(high, float(y)) if p == 1 else high
        if low > high:
            return t
    return None
