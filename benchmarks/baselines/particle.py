"""Particle filters for the counts, and chains over the parameters that take their likelihood from one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import log
from typing import Any

import numpy as np
from benchmarks.baselines.common import (
    ONE_PERCENT,
    STAGES,
    Floats,
    Row,
    Whole,
    answers,
    beyond,
    case,
    chain_row,
    least,
    log_factorials,
    look_table,
    once,
    relative,
)
from benchmarks.baselines.truncated import account_density, account_start, metropolis, open_density, open_start

Found = dict[str, float]


def _resample(weights: Floats, random: np.random.Generator) -> Whole:
    """Systematic resampling: the indices of the particles that go on."""
    n = len(weights)
    steps = (random.random() + np.arange(n)) / n
    return np.searchsorted(np.cumsum(weights) / weights.sum(), steps).clip(0, n - 1)


def open_filter(y: Whole, theta: Floats, particles: int, seed: int) -> Found:
    """B: a bootstrap filter for every site, of theta = (lam, gamma, omega, p)."""
    random = np.random.default_rng(seed)
    lam, gamma, omega, p = theta
    logs = log_factorials(int(4 * lam + 40 * max(gamma, 1) + 10 * y.max() + 200))
    total = left = 0.0
    for site in y:
        state = random.poisson(lam, particles).clip(0, len(logs) - 1)
        for t, counts in enumerate(site):
            if t:
                state = (random.binomial(state, omega) + random.poisson(gamma, particles)).clip(0, len(logs) - 1)
            weights = np.zeros(particles)
            for count in counts:
                missed = state - count
                seen = logs[state] - logs[count] - logs[np.maximum(missed, 0)] + count * log(p) + missed * np.log1p(-p)
                weights += np.where(missed >= 0, seen, -np.inf)
            top = weights.max()
            if top == -np.inf:
                return {"loglik": -np.inf, "E left": np.nan}
            weights = np.exp(weights - top)
            total += top + log(weights.mean())
            if t == len(site) - 1:
                left += float(weights @ state) / float(weights.sum())
            state = state[_resample(weights, random)]
    return {"loglik": total, "E left": left}


def account_filter(data: dict[str, Any], particles: int, seed: int) -> Found:
    """C: a bootstrap filter on the three stages, the undeclared number, and whether anything came in."""
    random = np.random.default_rng(seed)
    pi = np.array(data["pi"])
    extra = random.choice(len(pi), particles, p=pi / pi.sum())
    state = np.stack([data["D"] + extra, np.zeros(particles, int), np.zeros(particles, int)])
    came = np.zeros(particles, bool)
    total, flow = 0.0, np.zeros(particles, int)
    for day in range(data["T"] + 1):
        if day:
            leave = random.binomial(state, np.array(data["q"])[:, None])
            new = random.poisson(data["rho"], particles)
            came |= new > 0
            state = state - leave + np.stack([new, leave[0], leave[1]])
            flow = leave[2]
        weights = np.ones(particles)
        looks = [look for look in data["obs"] if look["day"] == day]
        for look in looks:
            number = flow if look["what"] == "flow" else state[STAGES.index(look["what"])]
            weights = weights * look_table(look, int(number.max()))[number]
        if looks:
            if weights.sum() <= 0:
                return {"loglik": -np.inf, "E left": np.nan, "P(none left)": np.nan, "P(no arrivals)": np.nan}
            total += log(float(weights.mean()))
            go_on = _resample(weights, random)
            state, extra, came = state[:, go_on], extra[go_on], came[go_on]
    left = state.sum(0)
    none, quiet = float((left == 0).mean()), float((~came).mean())
    return {"loglik": total, "E left": float(left.mean()), "P(none left)": none, "P(no arrivals)": quiet}


def _repeated(problem: str, method: str, run: Callable[[int], Found], exact: Found, times: int) -> list[Row]:
    """Rows of a filter run `times` times with other seeds: the error is their root mean square; it falls with time."""
    timed = [once(partial(run, seed)) for seed in range(times)]
    runs, each = [found for found, _ in timed], least([t for _, t in timed]).times(1 / times)
    rows = []
    for quantity, reference in exact.items():
        errors = np.array([relative(found[quantity], reference) for found in runs])
        error = float(np.sqrt((errors**2).mean()))
        never = not all(found[quantity] > 0 for found in runs) and error >= 0.99
        needed = float("inf") if never or np.isnan(error) else each.seconds * (error / ONE_PERCENT) ** 2
        note = "no particle is ever there" if never else ""
        rows.append(Row(problem, method, quantity, each.seconds, each.wall, error, needed, note=note))
    return rows


def open_known(size: str, quick: bool) -> list[Row]:
    """B at known parameters."""
    data, exact = case("B", size), answers("B", size)
    particles = {"small": 20_000, "medium": 10_000, "large": 5_000}[size]
    theta = np.array([data["theta"][k] for k in ("lam", "gamma", "omega", "p")])
    y = np.array(data["y"])
    return _repeated(
        f"B {size}",
        f"particle filter, {particles:,} a site",
        lambda seed: open_filter(y, theta, particles, seed),
        {"E left": exact["E_N_T"]},
        3 if quick else 6,
    )


def open_unknown(size: str, quick: bool) -> list[Row]:
    """B.u: a Metropolis chain on the filter's likelihood."""
    method = "Metropolis on particle filters"
    if size != "small":
        return [beyond(f"B.u {size}", method, "not run: the noise of the likelihood grows with the sites and stops the chain")]
    data, reference = case("B", size), answers("B.u", size)
    y = np.array(data["y"])
    tune, draws = (100, 300) if quick else (1000, 4000)
    seeds = iter(range(10**9))

    def likelihood(theta: Floats) -> tuple[float, float]:
        found = open_filter(y, theta, 200, next(seeds))
        return found["loglik"], found["E left"]

    values, timed = metropolis(open_density(data, likelihood), open_start(data), tune, draws, 1)
    return [chain_row(f"B.u {size}", f"{method} of 200", "E left", values[:, 0], reference["E_N_T"], timed)]


def account(size: str, quick: bool) -> list[Row]:
    """C at known parameters."""
    data, exact = case("C", size), answers("C", size)
    particles = 10_000 if quick else 100_000
    wanted = {"E left": exact["E_R"][-1], "P(none left)": exact["P_R0"][-1], "P(no arrivals)": exact["P_no_arrivals"]}
    method = f"particle filter, {particles:,}"
    return _repeated(f"C {size}", method, lambda seed: account_filter(data, particles, seed), wanted, 3 if quick else 6)


def account_unknown(size: str, quick: bool) -> list[Row]:
    """C.u: a Metropolis chain on the filter's likelihood."""
    if size == "large" or (quick and size != "small"):
        return []
    data, reference = case("C", size), answers("C.u", size)
    particles = {"small": 200, "medium": 1000}[size]
    tune, draws = {"small": (1000, 4000), "medium": (400, 1200)}[size]
    tune, draws = (tune // 4, draws // 4) if quick else (tune, draws)
    seeds = iter(range(10**9))

    def likelihood(changed: dict[str, Any]) -> tuple[float, tuple[float, ...]]:
        found = account_filter(changed, particles, next(seeds))
        return found["loglik"], (found["P(none left)"], found["E left"])

    values, timed = metropolis(account_density(data, likelihood), account_start(data), tune, draws, 1)
    method = f"Metropolis on particle filters of {particles:,}"
    return [
        chain_row(f"C.u {size}", method, "P(none left)", values[:, 0], reference["P0"], timed),
        chain_row(f"C.u {size}", method, "E left", values[:, 1], reference["E_R_T"], timed),
    ]
