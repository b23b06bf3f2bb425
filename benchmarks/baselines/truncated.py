"""What one would write first: sums cut off at a bound that somebody has to know, and chains over the parameters on top."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from math import exp, log
from typing import Any

import numpy as np
from benchmarks.baselines.common import (
    BOUNDS,
    CUBE,
    STAGES,
    Floats,
    Row,
    Timed,
    Whole,
    answers,
    best,
    beyond,
    binomial_table,
    case,
    chain_row,
    log_factorials,
    look_table,
    paced,
    poisson_table,
    relative,
)


class ClosedSums:
    """Problem A with every site's number summed up to `most`."""

    def __init__(self, data: dict[str, Any], most: int) -> None:
        y = np.array(data["y"])
        self.prior: dict[str, float] = data["prior"]
        self.sites, self.visits = y.shape
        self.seen = int(y.sum())
        self.numbers = np.arange(most + 1)
        logs = log_factorials(max(most, int(y.max())))
        missed = self.numbers[None, None, :] - y[:, :, None]
        ways = logs[self.numbers][None, None, :] - logs[y][:, :, None] - logs[np.maximum(missed, 0)]
        self.ways = np.where(missed >= 0, ways, -np.inf).sum(1) - logs[self.numbers]

    def posterior(self, log_seen: float, log_odds: float) -> tuple[float, float]:
        """Unnormalised log posterior density at (log of the mean seen per visit, logit of p), and the expected total there."""
        log_p, log_q = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
        log_mean = log_seen - log_p
        terms = self.ways + self.numbers * (log_mean + self.visits * log_q)
        top = terms.max(1)
        weights = np.exp(terms - top[:, None])
        sums = weights.sum(1)
        density = (top + np.log(sums)).sum() - self.sites * exp(log_mean) + self.seen * (log_p - log_q)
        prior = self.prior
        density += prior["a"] * log_mean - prior["b"] * exp(log_mean) + prior["alpha"] * log_p + prior["beta"] * log_q
        return float(density), float(((weights @ self.numbers) / sums).sum())

    def grid(self, nodes: int = 40) -> dict[str, float]:
        """Means over the posterior: one coarse grid to find it, one fine grid over where it is."""
        middle = log(max(self.seen, 1) / (self.sites * self.visits))
        spread = 8 / np.sqrt(max(self.seen, 4))
        seen = np.linspace(middle - spread, middle + spread, nodes // 2)
        odds = np.linspace(-9.0, 6.0, nodes)
        coarse = np.array([[self.posterior(u, v)[0] for v in odds] for u in seen])
        keep = coarse > coarse.max() - 25
        rows, columns = np.flatnonzero(keep.any(1)), np.flatnonzero(keep.any(0))
        seen = np.linspace(seen[max(rows[0] - 1, 0)], seen[min(rows[-1] + 1, len(seen) - 1)], nodes)
        odds = np.linspace(odds[max(columns[0] - 1, 0)], odds[min(columns[-1] + 1, nodes - 1)], nodes)
        fine = np.array([[self.posterior(u, v) for v in odds] for u in seen])
        weights = np.exp(fine[:, :, 0] - fine[:, :, 0].max())
        weights /= weights.sum()
        p = 1 / (1 + np.exp(-odds))
        return {
            "E_N": float((weights * fine[:, :, 1]).sum()),
            "E_lam": float((weights * (np.exp(seen)[:, None] / p[None, :])).sum()),
            "E_p": float((weights.sum(0) * p).sum()),
        }


def _grid(data: dict[str, Any], most: int) -> dict[str, float]:
    return ClosedSums(data, most).grid()


def closed(size: str, _quick: bool) -> list[Row]:
    """A: a grid over both parameters of sums up to the bound, and up to what packages take by default."""
    data, exact = case("A", size), answers("A", size)
    default = int(np.max(data["y"])) + 100
    rows = []
    for name, most in (("by hand", BOUNDS["A"][size]), ("the default of packages", default)):
        found, timed = best(partial(_grid, data, most), 3)
        error = relative(found["E_N"], exact["E_N"])
        rows.append(
            Row(f"A {size}", f"truncated sums to {most}", "E total", timed.seconds, timed.wall, error, note=f"bound {name}")
        )
    return rows


def open_forward(y: Whole, lam: float, gamma: float, omega: float, p: float, most: int) -> tuple[float, float, float]:
    """B: log-likelihood, expected number at the last date, log P(none then), by the forward algorithm on 0 .. most."""
    numbers = np.arange(most + 1)
    arrive = poisson_table(most, gamma)
    gained = numbers[None, :] - numbers[:, None]
    move = binomial_table(most, omega) @ np.where(gained >= 0, arrive[np.maximum(gained, 0)], 0.0)
    seen = binomial_table(most, p).T
    state = np.tile(poisson_table(most, lam), (y.shape[0], 1))
    total = 0.0
    for t in range(y.shape[1]):
        state = state @ move if t else state
        for j in range(y.shape[2]):
            state = state * seen[y[:, t, j]]
        sums = state.sum(1, keepdims=True)
        if not (sums > 0).all():
            return -np.inf, np.nan, np.nan
        total += float(np.log(sums).sum())
        state = state / sums
    with np.errstate(divide="ignore"):
        return total, float((state @ numbers).sum()), float(np.log(state[:, 0]).sum())


def open_known(size: str, _quick: bool) -> list[Row]:
    """B at known parameters, by truncated sums."""
    data, exact = case("B", size), answers("B", size)
    y, theta = np.array(data["y"]), data["theta"]
    rows = []
    for name, most in (("by hand", BOUNDS["B"][size]), ("the default of packages", int(y.max()) + 20)):
        (found, _, _), timed = best(partial(open_forward, y, **theta, most=most))
        note, error = f"bound {name}", relative(found, exact["loglik"])
        if np.isneginf(found):
            note, error = f"{note}: impossible at it", float("inf")
        rows.append(Row(f"B {size}", f"truncated sums to {most}", "log-likelihood", timed.seconds, timed.wall, error, note=note))
    return rows


Density = Callable[[Floats], tuple[float, tuple[float, ...]]]
"""Log posterior density at a point of the plane without bounds, and the values wanted there."""


def metropolis(density: Density, start: Floats, tune: int, draws: int, seed: int) -> tuple[Floats, Timed]:
    """A random walk whose steps are adapted while tuning. Returns the values at each draw, and how long the draws took."""
    random, began = np.random.default_rng(seed), time.process_time()
    root: Floats = np.eye(len(start)) * 0.3
    scale = 2.38 / np.sqrt(len(start))
    here, (level, values) = start, density(start)
    past, kept, stamps = [], [], []
    for step in range(tune + draws):
        there = here + scale * root @ random.standard_normal(len(start))
        new, new_values = density(there)
        accepted = np.log(random.random()) < new - level
        if accepted:
            here, level, values = there, new, new_values
        past.append(here)
        if step >= tune:
            kept.append(values)
            stamps.append((time.process_time(), time.perf_counter()))
            continue
        scale *= exp((0.3 if accepted else 0.0) - 0.08) if step < tune // 2 else 1.0
        if step in (tune // 4, tune // 2, tune - 1):
            spread = np.cov(np.array(past[step // 2 :]).T) + 1e-8 * np.eye(len(start))
            root = np.linalg.cholesky(spread).astype(float)
            scale = 2.38 / np.sqrt(len(start))
    return np.array(kept), paced(stamps, began)


def open_density(data: dict[str, Any], likelihood: Callable[[Floats], tuple[float, float]]) -> Density:
    """B.u: the density of (log lam, log gamma, logit omega, logit p), of a likelihood of (lam, gamma, omega, p)."""
    prior = data["prior"]

    def density(point: Floats) -> tuple[float, tuple[float, ...]]:
        if np.abs(point).max() > 20:
            return -np.inf, (np.nan,)
        theta = np.array([*np.exp(point[:2]), *(1 / (1 + np.exp(-point[2:])))])
        level, value = likelihood(theta)
        level += prior["a_lam"] * point[0] - prior["b_lam"] * theta[0] + prior["a_gam"] * point[1] - prior["b_gam"] * theta[1]
        for x, (a, b) in zip(theta[2:], (prior["omega"], prior["p"]), strict=True):
            level += a * log(x) + b * np.log1p(-x)
        return level, (value,)

    return density


def open_start(data: dict[str, Any]) -> Floats:
    """A chain starts at the true parameters: no time is lost on finding them."""
    theta = data["theta"]
    odds = [log(theta[k] / (1 - theta[k])) for k in ("omega", "p")]
    return np.array([log(theta["lam"]), log(theta["gamma"]), *odds])


def open_unknown(size: str, quick: bool) -> list[Row]:
    """B.u: a Metropolis chain on the truncated sums."""
    data, reference = case("B", size), answers("B.u", size)
    y, most = np.array(data["y"]), BOUNDS["B"][size]
    tune, draws = {"small": (2000, 6000), "medium": (1500, 3000), "large": (150, 300)}[size]
    tune, draws = (tune // 4, draws // 4) if quick else (tune, draws)

    def likelihood(theta: Floats) -> tuple[float, float]:
        lam, gamma, omega, p = theta.tolist()
        return open_forward(y, lam, gamma, omega, p, most)[:2]

    density = open_density(data, likelihood)
    values, timed = metropolis(density, open_start(data), tune, draws, 1)
    return [
        chain_row(f"B.u {size}", f"Metropolis on truncated sums to {most}", "E left", values[:, 0], reference["E_N_T"], timed)
    ]


def dense(data: dict[str, Any], most: int) -> tuple[float, Floats]:
    """C: log-likelihood and the posterior of what is left on the last day, forward over the whole cube, a loop per hop count."""
    hops = [binomial_table(most, q) for q in data["q"]]
    arrive = poisson_table(7, data["rho"])
    state = np.zeros((most + 1,) * 3)
    for extra, weight in enumerate(data["pi"]):
        if data["D"] + extra <= most:
            state[data["D"] + extra, 0, 0] = weight
    total = 0.0
    for day in range(data["T"] + 1):
        looks = [look for look in data["obs"] if look["day"] == day]
        if day:
            counted = np.ones(most + 1)
            for look in (look for look in looks if look["what"] == "flow"):
                counted = counted * look_table(look, most)
            state = _day(state, hops, counted, arrive)
        for look in (look for look in looks if look["what"] != "flow"):
            shape = [1, 1, 1]
            shape[STAGES.index(look["what"])] = -1
            state = state * look_table(look, most).reshape(shape)
        mass = float(state.sum())
        if mass <= 0:
            return -np.inf, np.array([np.nan])
        total += log(mass)
        state /= mass
    left: Floats = np.bincount(np.indices(state.shape).sum(0).ravel(), state.ravel()).astype(float)
    return total, left


def _day(state: Floats, hops: list[Floats], counted: Floats, arrive: Floats) -> Floats:
    most = state.shape[0] - 1
    out = np.zeros_like(state)
    for k in range(most + 1):
        out[:, :, : most + 1 - k] += state[:, :, k:] * (hops[2][k:, k] * counted[k])
    loaded = np.zeros_like(state)
    for k in range(most + 1):
        loaded[:, : most + 1 - k, k:] += out[:, k:, : most + 1 - k] * hops[1][k:, k][None, :, None]
    out = np.zeros_like(state)
    for k in range(most + 1):
        out[: most + 1 - k, k:, :] += loaded[k:, : most + 1 - k, :] * hops[0][k:, k][:, None, None]
    state = np.zeros_like(state)
    for new, weight in enumerate(arrive[: most + 1]):
        state[new:] += weight * out[: most + 1 - new]
    return state


def account(size: str, _quick: bool) -> list[Row]:
    """C at known parameters: the dense pass, forward only."""
    problem = f"C {size}"
    if size not in CUBE:
        return [beyond(problem, "dense numpy", "the cube does not fit")]
    data, exact, most = case("C", size), answers("C", size), CUBE[size]
    (_, left), timed = best(lambda: dense(data, most), 5, 12.0)
    method = f"dense numpy to {most}, forward only"
    error = relative(float(np.arange(len(left)) @ left), exact["E_R"][-1])
    none = relative(float(left[0]), exact["P_R0"][-1])
    return [
        Row(problem, method, "E left", timed.seconds, timed.wall, error),
        Row(problem, method, "P(none left)", timed.seconds, timed.wall, none),
    ]


def account_methods(data: dict[str, Any]) -> dict[str, float]:
    """C.u: the prior mean of the detection probability of every method."""
    return {look["method"]: look["p"] for look in sorted(data["obs"], key=lambda look: str(look["method"]))}


def account_density(data: dict[str, Any], likelihood: Callable[[dict[str, Any]], tuple[float, tuple[float, ...]]]) -> Density:
    """C.u: the density of the logits of hops and detections; hop ~ Beta(20q, 20(1-q)), detection ~ Beta(10p, 10(1-p))."""
    methods = account_methods(data)
    means = np.array([*data["q"], *methods.values()])
    strength = np.array([20.0] * len(data["q"]) + [10.0] * len(methods))

    def density(point: Floats) -> tuple[float, tuple[float, ...]]:
        if np.abs(point).max() > 20:
            return -np.inf, (np.nan, np.nan)
        theta = 1 / (1 + np.exp(-point))
        detection = dict(zip(methods, theta[len(data["q"]) :], strict=True))
        looks = [{**look, "p": float(detection[look["method"]])} for look in data["obs"]]
        level, values = likelihood({**data, "q": theta[: len(data["q"])].tolist(), "obs": looks})
        a, b = strength * means, strength * (1 - means)
        return level + float((a * np.log(theta) + b * np.log1p(-theta)).sum()), values

    return density


def account_start(data: dict[str, Any]) -> Floats:
    """The prior means, as logits."""
    means = np.array([*data["q"], *account_methods(data).values()])
    odds: Floats = np.log(means / (1 - means))
    return odds


def account_unknown(size: str, quick: bool) -> list[Row]:
    """C.u: a Metropolis chain on the dense pass."""
    problem, method = f"C.u {size}", "Metropolis on the dense numpy pass"
    if size not in CUBE:
        return [beyond(problem, method, "the cube does not fit")]
    if quick and size != "small":
        return []
    data, reference, most = case("C", size), answers("C.u", size), CUBE[size]
    tune, draws = {"small": (1500, 4000), "medium": (60, 60)}[size]

    def likelihood(changed: dict[str, Any]) -> tuple[float, tuple[float, ...]]:
        total, left = dense(changed, most)
        return total, (float(left[0]), float(np.arange(len(left)) @ left))

    tune, draws = (tune // 4, draws // 4) if quick else (tune, draws)
    density = account_density(data, likelihood)
    values, timed = metropolis(density, account_start(data), tune, draws, 1)
    note = "a chain too short to judge" if size == "medium" else ""
    return [
        chain_row(problem, method, "P(none left)", values[:, 0], reference["P0"], timed, note),
        chain_row(problem, method, "E left", values[:, 1], reference["E_R_T"], timed, note),
    ]
