"""PyMC: NUTS with the numbers summed out up to a bound, and Metropolis with NUTS on numbers left latent."""

from __future__ import annotations

import importlib
import time
from typing import Any

import numpy as np
from benchmarks.baselines.common import (
    BOUNDS,
    STAGES,
    Floats,
    Row,
    Timed,
    Whole,
    answers,
    beyond,
    case,
    chain_row,
    log_factorials,
    paced,
)
from numpy.typing import NDArray


class Tools:
    """The modules of PyMC. Raises ImportError where they are not installed."""

    def __init__(self) -> None:
        self.pm: Any = importlib.import_module("pymc")
        self.pt: Any = importlib.import_module("pytensor.tensor")

    def draw(self, model: Any, tune: int, draws: int) -> tuple[dict[str, Floats], Timed]:
        """One chain, which starts where the model says. What is timed is its draws after tuning."""
        stamps: list[tuple[float, float]] = []
        began = time.process_time()

        def clock(**given: Any) -> None:
            if not given["draw"].tuning:
                stamps.append((time.process_time(), time.perf_counter()))

        with model:
            found = self.pm.sample(
                draws,
                tune=tune,
                chains=1,
                cores=1,
                random_seed=1,
                progressbar=False,
                compute_convergence_checks=False,
                callback=clock,
            )
        timed = paced(stamps, began)
        return {name: np.asarray(values.values[0], float) for name, values in found.posterior.items()}, timed


def _log_choose(n: Whole, k: Whole) -> tuple[Floats, NDArray[np.bool_]]:
    """log C(n, k), zero where n < k, and where it is possible."""
    logs = log_factorials(int(max(n.max(), k.max())))
    possible = n >= k
    return np.where(possible, logs[n] - logs[k] - logs[np.maximum(n - k, 0)], 0.0), possible


def closed(size: str, quick: bool) -> list[Row]:
    """A: summed out, and latent."""
    tools = Tools()
    pm, pt = tools.pm, tools.pt
    data, exact = case("A", size), answers("A", size)
    y, prior, most = np.array(data["y"]), data["prior"], BOUNDS["A"][size]
    sites, visits = y.shape
    numbers = np.arange(most + 1)
    ways, possible = _log_choose(numbers[None, None], y[:, :, None])
    fixed = np.where(possible, ways, -1e300).sum(1) - log_factorials(most)
    with pm.Model() as summed:
        lam, p = pm.Gamma("lam", prior["a"], prior["b"]), pm.Beta("p", prior["alpha"], prior["beta"])
        terms = fixed + numbers * (pt.log(lam) + visits * pt.log1p(-p))
        level = pt.logsumexp(terms, axis=1).sum() - sites * lam + y.sum() * (pt.log(p) - pt.log1p(-p))
        pm.Potential("level", level)
    with pm.Model() as latent:
        lam, p = pm.Gamma("lam", prior["a"], prior["b"]), pm.Beta("p", prior["alpha"], prior["beta"])
        n = pm.Poisson("N", lam, shape=sites, initval=y.max(1) + 3)
        pm.Binomial("y", n=n[:, None], p=p, observed=y)
        pm.Deterministic("total", n.sum())
    tune, draws = {"small": (1000, 2000), "medium": (1000, 1000), "large": (300, 300)}[size]
    tune, draws = (500, draws // 4) if quick else (tune, draws)
    found, timed = tools.draw(summed, tune, draws)
    total = exact["E_lam"] * sites
    rows = [chain_row(f"A {size}", f"PyMC, summed out to {most}", "E total", found["lam"] * sites, total, timed)]
    found, timed = tools.draw(latent, 2 * tune, 5 * draws)
    return [*rows, chain_row(f"A {size}", "PyMC, numbers latent", "E total", found["total"], exact["E_N"], timed)]


def open_unknown(size: str, quick: bool) -> list[Row]:
    """B.u: summed out, and latent."""
    tools = Tools()
    data, reference = case("B", size), answers("B.u", size)["E_N_T"]
    problem, most = f"B.u {size}", BOUNDS["B"][size]
    tune, draws = {"small": (500, 1000), "medium": (300, 300), "large": (30, 30)}[size]
    tune, draws = (200, draws // 4) if quick else (tune, draws)
    rows = []
    if size == "large":
        rows.append(beyond(problem, f"PyMC, summed out to {most}", "not run: many minutes without a BLAS linked to PyTensor"))
    else:
        found, timed = tools.draw(_open_summed(tools, data, most), tune, draws)
        rows.append(chain_row(problem, f"PyMC, summed out to {most}", "E left", found["left"], reference, timed))
    tune, draws = {"small": (2000, 5000), "medium": (2000, 4000), "large": (300, 500)}[size]
    tune, draws = (500, draws // 4) if quick else (tune, draws)
    found, timed = tools.draw(_open_latent(tools, data), tune, draws)
    return [*rows, chain_row(problem, "PyMC, numbers latent", "E left", found["left"], reference, timed)]


def _open_priors(tools: Tools, data: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    pm, prior = tools.pm, data["prior"]
    lam, gamma = pm.Gamma("lam", prior["a_lam"], prior["b_lam"]), pm.Gamma("gamma", prior["a_gam"], prior["b_gam"])
    return lam, gamma, pm.Beta("omega", *prior["omega"]), pm.Beta("p", *prior["p"])


def _open_summed(tools: Tools, data: dict[str, Any], most: int) -> Any:
    pm, pt = tools.pm, tools.pt
    y, n, logs = np.array(data["y"]), np.arange(most + 1), log_factorials(most)
    ways, lower = _log_choose(n[:, None], n[None, :])
    fewer = np.where(lower, n[:, None] - n[None, :], 0)
    ways_seen, seen = _log_choose(n[None, None, None], y[..., None])
    missed = np.where(seen, n[None, None, None] - y[..., None], 0)
    with pm.Model() as model:
        lam, gamma, omega, p = _open_priors(tools, data)
        stay = lower * pt.exp(ways + n[None, :] * pt.log(omega) + fewer * pt.log1p(-omega))
        come = lower.T * pt.exp(fewer.T * pt.log(gamma) - gamma - logs[fewer.T])
        move = stay @ come
        look = seen.all(2) * pt.exp((ways_seen + y[..., None] * pt.log(p) + missed * pt.log1p(-p)).sum(2))
        state, level = pt.exp(n * pt.log(lam) - lam - logs)[None] * look[:, 0], 0.0
        for t in range(y.shape[1]):
            state = (state @ move) * look[:, t] if t else state
            sums = state.sum(1)
            level = level + pt.log(sums).sum()
            state = state / sums[:, None]
        pm.Potential("level", level)
        pm.Deterministic("left", (state @ n).sum())
    return model


def _open_latent(tools: Tools, data: dict[str, Any]) -> Any:
    pm, y = tools.pm, np.array(data["y"])
    sites = y.shape[0]
    with pm.Model() as model:
        lam, gamma, omega, p = _open_priors(tools, data)
        n = pm.Poisson("N0", lam, shape=sites, initval=y[:, 0].max(1) + 2)
        pm.Binomial("y0", n=n[:, None], p=p, observed=y[:, 0])
        for t in range(1, y.shape[1]):
            most = y[:, t].max(1)
            kept = np.minimum(most, y[:, t - 1].max(1))
            stayed = pm.Binomial(f"stayed{t}", n=n, p=omega, shape=sites, initval=kept)
            n = stayed + pm.Poisson(f"came{t}", gamma, shape=sites, initval=np.maximum(most - kept, 0) + 1)
            pm.Binomial(f"y{t}", n=n[:, None], p=p, observed=y[:, t])
        pm.Deterministic("left", n.sum())
    return model


def account(size: str, quick: bool) -> list[Row]:
    """C at known parameters: Metropolis on every hop and arrival."""
    problem, method = f"C {size}", "PyMC, Metropolis on latent hops"
    if size != "small":
        return [beyond(problem, method, "not run: a model of so many days compiles for minutes, and its chain does not mix")]
    tools = Tools()
    data, exact = case("C", size), answers("C", size)
    tune, draws = (500, 2000) if quick else (2000, 10_000)
    found, timed = tools.draw(_account_latent(tools, data), tune, draws)
    left = found["left"]
    return [
        chain_row(problem, method, "E left", left, exact["E_R"][-1], timed),
        chain_row(problem, method, "P(none left)", (left == 0).astype(float), exact["P_R0"][-1], timed),
    ]


def _account_latent(tools: Tools, data: dict[str, Any]) -> Any:
    pm, pt = tools.pm, tools.pt
    start = min(3, len(data["pi"]) - 1)

    def look(report: dict[str, Any], number: Any, name: str) -> None:
        real = np.arange(report["y"] + 1)
        false = report["y"] - real
        noise = -report["phi"] + false * np.log(report["phi"]) - log_factorials(report["y"])[false]
        seen = pm.logp(pm.Binomial.dist(n=number, p=report["p"]), real)
        pm.Potential(name, pt.logsumexp(seen + noise))

    with pm.Model() as model:
        extra = pm.Categorical("extra", p=np.array(data["pi"]) / sum(data["pi"]), initval=start)
        state = [data["D"] + extra, pt.zeros((), "int64"), pt.zeros((), "int64")]
        guess = [data["D"] + start, 0, 0]
        leave: list[Any] = []
        for day in range(data["T"] + 1):
            if day:
                guessed = [round(g * q) for g, q in zip(guess, data["q"], strict=True)]
                leave = [pm.Binomial(f"hop{day}_{k}", n=state[k], p=data["q"][k], initval=guessed[k]) for k in range(3)]
                new = pm.Poisson(f"new{day}", data["rho"], initval=0)
                state = [state[0] - leave[0] + new, state[1] - leave[1] + leave[0], state[2] - leave[2] + leave[1]]
                guess = [guess[0] - guessed[0], guess[1] - guessed[1] + guessed[0], guess[2] - guessed[2] + guessed[1]]
            for index, report in enumerate(data["obs"]):
                if report["day"] == day:
                    number = leave[2] if report["what"] == "flow" else state[STAGES.index(report["what"])]
                    look(report, number, f"look{index}")
        pm.Deterministic("left", state[0] + state[1] + state[2])
    return model


def account_unknown(size: str, _quick: bool) -> list[Row]:
    """C.u: not tried, because the same numbers do not mix with the parameters known."""
    return [beyond(f"C.u {size}", "PyMC, Metropolis on latent hops", "not run: it does not mix even with the parameters known")]
