"""NumPyro: the numbers summed out up to a bound by hand or by enumeration, and NUTS over the parameters."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from benchmarks.baselines.common import BLOCKS, BOUNDS, CUBE, STAGES, Row, Timed, answers, beyond, case, chain_row, least, once


class Tools:
    """The modules of NumPyro and JAX, in double precision. Raises ImportError where they are not installed."""

    def __init__(self) -> None:
        self.jax: Any = importlib.import_module("jax")
        self.np: Any = importlib.import_module("jax.numpy")
        self.special: Any = importlib.import_module("jax.scipy.special")
        self.numpyro: Any = importlib.import_module("numpyro")
        self.dist: Any = importlib.import_module("numpyro.distributions")
        self.infer: Any = importlib.import_module("numpyro.infer")
        self.jax.config.update("jax_enable_x64", True)

    def draw(self, model: Callable[[], None], warm_up: int, draws: int) -> tuple[dict[str, Any], Timed]:
        """One chain. What is timed is its draws in blocks compiled before: neither tracing, compiling nor warming up counts."""
        lax, kernel, began = self.jax.lax, self.infer.NUTS(model), time.process_time()
        chain = self.infer.MCMC(kernel, num_warmup=warm_up, num_samples=1, progress_bar=False)
        chain.warmup(self.jax.random.PRNGKey(0))

        def step(state: Any, _: Any) -> tuple[Any, Any]:
            state = kernel.sample(state, (), {})
            return state, state.z

        def block(state: Any) -> tuple[Any, Any]:
            state, found = lax.scan(step, state, None, length=draws // BLOCKS)
            return state, lax.map(kernel.postprocess_fn((), {}), found)

        compiled, state = self.jax.jit(block).lower(chain.last_state).compile(), chain.last_state
        start = time.process_time() - began
        runs, times = [], []
        for _ in range(BLOCKS):
            (state, found), timed = once(partial(self._finished, compiled, state))
            runs.append({name: np.asarray(values) for name, values in found.items()})
            times.append(timed)
        return {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}, least(times, start)

    def _finished(self, work: Callable[[Any], Any], state: Any) -> Any:
        return self.jax.block_until_ready(work(state))

    def log_choose(self, n: Any, k: Any) -> Any:
        """log C(n, k); of use only where n >= k."""
        log_gamma = self.special.gammaln
        return log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(self.np.maximum(n - k, 0) + 1.0)


def closed(size: str, quick: bool) -> list[Row]:
    """A: by a sum written out, and by parallel enumeration of a categorical number."""
    tools = Tools()
    data, exact = case("A", size), answers("A", size)
    warm_up, draws = {"small": (500, 4000), "medium": (500, 4000), "large": (300, 300)}[size]
    draws = draws // 4 if quick else draws
    most, sites = BOUNDS["A"][size], len(data["y"])
    models = {"summed out": _closed_summed(tools, data, most)}
    if size != "large":
        models["parallel enumeration"] = _closed_enumerated(tools, data, most)
        importlib.import_module("funsor")
    rows = []
    for name, model in models.items():
        found, timed = tools.draw(model, warm_up, draws)
        rows.append(
            chain_row(f"A {size}", f"NumPyro, {name} to {most}", "E total", found["lam"] * sites, exact["E_lam"] * sites, timed)
        )
    return rows


def _closed_summed(tools: Tools, data: dict[str, Any], most: int) -> Callable[[], None]:
    jnp, dist, prior = tools.np, tools.dist, data["prior"]
    y, numbers = jnp.array(data["y"]), jnp.arange(most + 1)
    sites, visits = y.shape
    possible = numbers[None, None] >= y[:, :, None]
    ways = jnp.where(possible, tools.log_choose(numbers[None, None], y[:, :, None]), -jnp.inf).sum(1)
    ways = ways - tools.special.gammaln(numbers + 1.0)

    def model() -> None:
        lam = tools.numpyro.sample("lam", dist.Gamma(prior["a"], prior["b"]))
        p = tools.numpyro.sample("p", dist.Beta(prior["alpha"], prior["beta"]))
        terms = ways + numbers * (jnp.log(lam) + visits * jnp.log1p(-p))
        level = tools.special.logsumexp(terms, axis=1).sum() - sites * lam + y.sum() * (jnp.log(p) - jnp.log1p(-p))
        tools.numpyro.factor("level", level)

    return model


def _closed_enumerated(tools: Tools, data: dict[str, Any], most: int) -> Callable[[], None]:
    jnp, dist, prior = tools.np, tools.dist, data["prior"]
    y, numbers = jnp.array(data["y"]), jnp.arange(most + 1)
    sites, visits = y.shape

    def model() -> None:
        lam = tools.numpyro.sample("lam", dist.Gamma(prior["a"], prior["b"]))
        p = tools.numpyro.sample("p", dist.Beta(prior["alpha"], prior["beta"]))
        with tools.numpyro.plate("site", sites, dim=-1):
            logits = dist.Poisson(lam).log_prob(numbers)
            n = tools.numpyro.sample("N", dist.Categorical(logits=logits), infer={"enumerate": "parallel"})
            with tools.numpyro.plate("visit", visits, dim=-2):
                tools.numpyro.sample("y", dist.Binomial(n, p, validate_args=False), obs=y.T)

    return model


def open_likelihood(tools: Tools, data: dict[str, Any], most: int) -> Callable[[Any, Any, Any, Any], tuple[Any, Any]]:
    """B: log-likelihood and expected number at the last date, of (lam, gamma, omega, p)."""
    jnp, log_gamma = tools.np, tools.special.gammaln
    y, n = jnp.array(data["y"]), jnp.arange(most + 1)
    lower = n[:, None] >= n[None, :]
    fewer = jnp.where(lower, n[:, None] - n[None, :], 0)
    ways = jnp.where(lower, tools.log_choose(n[:, None], n[None, :]), 0.0)
    seen = n[None, None, None] >= y[..., None]
    ways_seen = jnp.where(seen, tools.log_choose(n[None, None, None], y[..., None]), 0.0)
    missed = jnp.where(seen, n[None, None, None] - y[..., None], 0)

    def likelihood(lam: Any, gamma: Any, omega: Any, p: Any) -> tuple[Any, Any]:
        stay = jnp.where(lower, jnp.exp(ways + n[None, :] * jnp.log(omega) + fewer * jnp.log1p(-omega)), 0.0)
        more = fewer.T
        come = jnp.where(lower.T, jnp.exp(more * jnp.log(gamma) - gamma - log_gamma(more + 1.0)), 0.0)
        move = stay @ come
        look = jnp.exp((ways_seen + y[..., None] * jnp.log(p) + missed * jnp.log1p(-p)).sum(2))
        look = jnp.where(seen.all(2), look, 0.0)
        state = jnp.exp(n * jnp.log(lam) - lam - log_gamma(n + 1.0))[None] * look[:, 0]
        sums = state.sum(1)

        def step(state: Any, look: Any) -> tuple[Any, Any]:
            state = (state @ move) * look
            sums = state.sum(1)
            return state / sums[:, None], jnp.log(sums).sum()

        state, levels = tools.jax.lax.scan(step, state / sums[:, None], look[:, 1:].transpose(1, 0, 2))
        return jnp.log(sums).sum() + levels.sum(), (state @ n).sum()

    return likelihood


def open_known(size: str, _quick: bool) -> list[Row]:
    """B at known parameters: one value with its gradient, compiled."""
    tools = Tools()
    data, exact, most = case("B", size), answers("B", size), BOUNDS["B"][size]
    likelihood = open_likelihood(tools, data, most)
    value = tools.jax.jit(tools.jax.value_and_grad(lambda theta: likelihood(*theta)[0]))
    theta = tools.np.array([data["theta"][k] for k in ("lam", "gamma", "omega", "p")])
    value(theta)[0].block_until_ready()
    times = [once(lambda: value(theta)[0].block_until_ready()) for _ in range(10)]
    error = abs(float(times[0][0]) - exact["loglik"]) / abs(exact["loglik"])
    seconds, wall = min(t.seconds for _, t in times), min(t.wall for _, t in times)
    return [Row(f"B {size}", f"NumPyro, value and gradient to {most}", "log-likelihood", seconds, wall, error)]


def open_unknown(size: str, quick: bool) -> list[Row]:
    """B.u: NUTS over the four parameters, the numbers summed out."""
    tools = Tools()
    data, reference, most = case("B", size), answers("B.u", size), BOUNDS["B"][size]
    prior, dist, sample = data["prior"], tools.dist, tools.numpyro.sample
    likelihood = open_likelihood(tools, data, most)

    def model() -> None:
        lam = sample("lam", dist.Gamma(prior["a_lam"], prior["b_lam"]))
        gamma = sample("gamma", dist.Gamma(prior["a_gam"], prior["b_gam"]))
        omega, p = sample("omega", dist.Beta(*prior["omega"])), sample("p", dist.Beta(*prior["p"]))
        level, left = likelihood(lam, gamma, omega, p)
        tools.numpyro.factor("level", level)
        tools.numpyro.deterministic("left", left)

    warm_up, draws = {"small": (500, 2000), "medium": (400, 1000), "large": (100, 150)}[size]
    warm_up, draws = (200, draws // 4) if quick else (warm_up, draws)
    found, timed = tools.draw(model, warm_up, draws)
    return [chain_row(f"B.u {size}", f"NumPyro, summed out to {most}", "E left", found["left"], reference["E_N_T"], timed)]


def account_likelihood(tools: Tools, data: dict[str, Any], most: int) -> Callable[[Any, dict[str, Any]], tuple[Any, Any, Any]]:
    """C: log-likelihood, P(none left) and expected number left, of hops and detections, by the dense pass."""
    jnp, log_gamma = tools.np, tools.special.gammaln
    n = jnp.arange(most + 1)
    lower = n[:, None] >= n[None, :]
    fewer = jnp.where(lower, n[:, None] - n[None, :], 0)
    ways = jnp.where(lower, tools.log_choose(n[:, None], n[None, :]), 0.0)
    arrive = [math.exp(-data["rho"]) * data["rho"] ** k / math.factorial(k) for k in range(6)]
    total = np.indices((most + 1,) * 3).sum(0)

    def thin(q: Any) -> Any:
        return jnp.where(lower, jnp.exp(ways + n[None, :] * jnp.log(q) + fewer * jnp.log1p(-q)), 0.0)

    def look(report: dict[str, Any], p: Any) -> Any:
        real = jnp.arange(report["y"] + 1)
        false = report["y"] - real
        noise = jnp.exp(-report["phi"] + false * math.log(report["phi"]) - log_gamma(false + 1.0))
        possible = n[:, None] >= real[None, :]
        missed = jnp.where(possible, n[:, None] - real[None, :], 0)
        seen = jnp.where(possible, tools.log_choose(n[:, None], real[None]), 0.0) + real * jnp.log(p) + missed * jnp.log1p(-p)
        return jnp.where(possible, jnp.exp(seen) * noise, 0.0).sum(1)

    def hop(state: Any, table: Any, axis: int) -> Any:
        state = jnp.moveaxis(state, (axis, axis + 1), (0, 1))
        out = jnp.zeros_like(state)
        for k in range(most + 1):
            shape = (-1,) + (1,) * (state.ndim - 1)
            out = out.at[: most + 1 - k, k:].add(state[k:, : most + 1 - k] * table[k:, k].reshape(shape))
        return jnp.moveaxis(out, (0, 1), (axis, axis + 1))

    def day_of(state: Any, tables: list[Any], counted: Any) -> Any:
        stays = n[:, None] - n[None, :]
        sail = jnp.where(stays >= 0, jnp.take_along_axis(tables[2] * counted, jnp.maximum(stays, 0), 1), 0.0)
        moved = hop(hop(state @ sail, tables[1], 1), tables[0], 0)
        state = jnp.zeros_like(moved)
        for new, weight in enumerate(arrive):
            state = state.at[new:].add(weight * moved[: most + 1 - new])
        return state

    def likelihood(hops: Any, detection: dict[str, Any]) -> tuple[Any, Any, Any]:
        tables = [thin(hops[k]) for k in range(3)]
        state = jnp.zeros((most + 1,) * 3)
        for extra, weight in enumerate(data["pi"]):
            if data["D"] + extra <= most:
                state = state.at[data["D"] + extra, 0, 0].set(weight)
        level = 0.0
        for day in range(data["T"] + 1):
            looks = [report for report in data["obs"] if report["day"] == day]
            if day:
                counted = jnp.ones(most + 1)
                for report in (r for r in looks if r["what"] == "flow"):
                    counted = counted * look(report, detection[report["method"]])
                state = day_of(state, tables, counted)
            for report in (r for r in looks if r["what"] != "flow"):
                shape = [1, 1, 1]
                shape[STAGES.index(report["what"])] = -1
                state = state * look(report, detection[report["method"]]).reshape(shape)
            mass = state.sum()
            level = level + jnp.log(mass)
            state = state / mass
        return level, state[0, 0, 0], (state * total).sum()

    return likelihood


def account_unknown(size: str, quick: bool) -> list[Row]:
    """C.u: NUTS over hops and detections on the dense pass."""
    problem = f"C.u {size}"
    if size != "small":
        why = (
            "a gradient of the dense pass takes minutes to compile and seconds a value"
            if size in CUBE
            else "the cube does not fit"
        )
        return [beyond(problem, "NumPyro, summed out", why)]
    tools = Tools()
    data, reference, most = case("C", size), answers("C.u", size), CUBE[size]
    likelihood = account_likelihood(tools, data, most)
    methods = {report["method"]: report["p"] for report in data["obs"]}
    sample, beta = tools.numpyro.sample, tools.dist.Beta

    def model() -> None:
        hops = [sample(f"q{k}", beta(20 * q, 20 * (1 - q))) for k, q in enumerate(data["q"])]
        detection = {name: sample(f"p_{name}", beta(10 * p, 10 * (1 - p))) for name, p in methods.items()}
        level, none, left = likelihood(hops, detection)
        tools.numpyro.factor("level", level)
        tools.numpyro.deterministic("none", none)
        tools.numpyro.deterministic("left", left)

    warm_up, draws = (100, 150) if quick else (300, 500)
    found, timed = tools.draw(model, warm_up, draws)
    method = f"NumPyro, summed out to {most}"
    return [
        chain_row(problem, method, "P(none left)", found["none"], reference["P0"], timed),
        chain_row(problem, method, "E left", found["left"], reference["E_R_T"], timed),
    ]
