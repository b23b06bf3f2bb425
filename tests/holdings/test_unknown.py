"""Parameters that nobody knows: against references, quadrature against sampling, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import exp, hypot
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import betainc

from tallybook.holdings.engine import ImpossibleError, Run, solve
from tallybook.holdings.integration import Beta, Gamma, LogNormal, Prior, Uniform
from tallybook.holdings.model import Account, ItemClass, Look, ModelError, Stage
from tallybook.holdings.model import Uniform as AnyShare
from tallybook.holdings.unknown import (
    Build,
    UnknownAnswer,
    _nodes,
    left_and_out,
    nothing_and_none,
    on_grid,
    one_pass,
    prior_ratios,
    solve_unknown,
    solved,
    stocks_by_day,
)

CASES = Path(__file__).parent / "cases"


def removal(name: str) -> tuple[Build, dict[str, Prior]]:
    """A removal account of which detection and hops are known roughly."""
    data = json.loads((CASES / f"C_{name}.json").read_text("utf-8"))
    methods = [o["method"] for o in data["obs"]]
    detects = {o["method"]: o["p"] for o in data["obs"]}
    priors: dict[str, Prior] = {f"q{k}": Beta(20 * q, 20 * (1 - q)) for k, q in enumerate(data["q"])}
    priors |= {f"p_{m}": Beta(10 * p, 10 * (1 - p)) for m, p in sorted(detects.items())}

    def build(v: Mapping[str, float]) -> Account:
        stages = tuple(Stage(s, v[f"q{k}"]) for k, s in enumerate(("site", "port", "ship")))
        item = ItemClass("items", data["D"], tuple(data["pi"]), stages, data["rho"])
        looks = []
        for n, (o, method) in enumerate(zip(data["obs"], methods, strict=True)):
            leaving = o["what"] == "flow"
            stage = "ship" if leaving else o["what"]
            parts = {"leaving": leaving, "p": v[f"p_{method}"], "phi": o["phi"]}
            looks.append(Look(f"obs[{n}]", ((o["day"], 1.0),), stage, (("items", o["y"]),), **parts))
        return Account((item,), data["T"], tuple(looks))

    return build, priors


def off(found: UnknownAnswer, reference: dict[str, Any]) -> dict[str, float]:
    """How many standard errors of both lie between."""
    named = {"P0": found.p_none_left, "E_R_T": found.mean_left, **found.parameters}
    return {k: (e.mean - reference[k]) / hypot(e.standard_error, reference[f"se_{k}"]) for k, e in named.items()}


@pytest.mark.parametrize(("name", "draws"), [("small", 64), pytest.param("medium", 128, marks=pytest.mark.slow)])
def test_references(name: str, draws: int) -> None:
    build, priors = removal(name)
    reference = json.loads((CASES / "C_unknown.reference.json").read_text("utf-8"))[name]
    found = solve_unknown(build, priors, draws=draws, details=0)
    assert max(map(abs, off(found, reference).values())) < 3
    assert found.p_none_left.standard_error < 0.03 * found.p_none_left.mean
    assert found.warning == ""
    assert found.left[0] == pytest.approx(found.p_none_left.mean, abs=5 * found.left_standard_error[0] + 1e-3)


def tiny(p: float = 0.7, q: float = 0.4, rho: float = 0.02, phi: float = 0.1) -> Account:
    stages = (Stage("site", q), Stage("ship", 0.5))
    looks = (
        Look("a", ((0, 1.0),), "site", (("x", 3),), p=p, phi=phi),
        Look("b", ((2, 1.0),), "site", (("x", 1),), p=p, phi=phi),
        Look("c", ((3, 1.0),), "ship", (("x", 1),), leaving=True, p=0.9),
        Look("d", ((5, 1.0),), "site", (("x", 0),), p=p, phi=phi),
    )
    return Account((ItemClass("x", 4, (0.6, 0.3, 0.1), stages, rho),), 5, looks)


def one(v: Mapping[str, float]) -> Account:
    return tiny(p=v["p"])


def by_grid(prior: tuple[float, float], of: int) -> float:
    """A posterior mean over p from a fine grid."""
    x = (np.arange(400) + 0.5) / 400
    weights = np.diff(betainc(*prior, np.arange(401) / 400))
    passes = [one_pass(tiny(p=float(v)), 1e-12) for v in x]
    likely = weights * np.array([exp(f[0]) for f in passes])
    return float(likely @ np.array([f[of] for f in passes]) / likely.sum())


@pytest.mark.slow
def test_one_parameter_is_a_quadrature() -> None:
    found = solve_unknown(one, {"p": Beta(4, 2)}, tolerance=1e-12, details=4)
    assert "quadrature" in found.method
    assert found.p_none_left.mean == pytest.approx(by_grid((4, 2), 1), rel=1e-4)
    assert found.mean_left.mean == pytest.approx(by_grid((4, 2), 2), rel=1e-4)
    assert found.calls <= 44


@pytest.mark.slow
def test_sampling_agrees_with_quadrature() -> None:
    priors: dict[str, Prior] = {"p": Beta(4, 2), "q": Uniform(0.2, 0.6), "rho": Gamma(2, 50), "phi": LogNormal(-2, 0.5)}
    found = solve_unknown(lambda v: tiny(**v), priors, draws=128, details=0)
    grid = on_grid(lambda v: tiny(**v), priors, 5)
    share = grid.posterior
    for name, column in zip(priors, grid.values.T, strict=True):
        estimate = found.parameters[name]
        assert abs(estimate.mean - share @ column) < 4 * estimate.standard_error + 1e-3 * abs(share @ column), name
    assert abs(found.p_none_left.mean - share @ grid.p_none_left) < 4 * found.p_none_left.standard_error + 1e-3
    assert "importance sampling" in found.method


@pytest.mark.parametrize(("prior", "moments"), [
    (Beta(2.5, 0.7), [2.5 / 3.2, 2.5 * 3.5 / (3.2 * 4.2), 2.5 * 3.5 * 4.5 / (3.2 * 4.2 * 5.2)]),
    (Beta(1, 1), [1 / 2, 1 / 3, 1 / 4]),
    (Uniform(1, 3), [2, 13 / 3, 10]),
    (Gamma(3, 2), [1.5, 3, 7.5]),
    (LogNormal(0.3, 0.2), [exp(0.3 + 0.02), exp(0.6 + 0.08), exp(0.9 + 0.18)]),
])  # fmt: skip
def test_nodes_give_the_moments_of_their_prior(prior: Prior, moments: list[float]) -> None:
    nodes = _nodes(prior, 9)
    assert nodes is not None
    x, w = nodes
    assert w.sum() == pytest.approx(1)
    assert [float(w @ x**k) for k in (1, 2, 3)] == pytest.approx(moments, rel=1e-8)


def test_other_priors_are_other_accounts() -> None:
    found = solve_unknown(one, {"p": Beta(400, 200)}, tolerance=1e-12, details=16, other_none=(0.1, 0.9))
    for other in found.other_priors:
        tail = (1 - other.none) * np.array([0.75, 0.25])

        def build(v: Mapping[str, float], pi: tuple[float, ...] = (other.none, *tail)) -> Account:
            account = one(v)
            return replace(account, classes=(replace(account.classes[0], undeclared=pi),))

        direct = solve_unknown(build, {"p": Beta(400, 200)}, tolerance=1e-12, details=0)
        assert other.p_none_left == pytest.approx(direct.p_none_left.mean, rel=2e-3)


def test_other_priors_of_a_known_account() -> None:
    account = tiny()
    answer = solve(account)
    joint = nothing_and_none(account, answer.loglik, 1e-13)
    zero, more = prior_ratios(account, 0.1)
    top, bottom = zero * joint + more * (answer.p_none_left - joint), zero * answer.p_nothing_undeclared
    found = top / (bottom + more * (1 - answer.p_nothing_undeclared))
    other = replace(account, classes=(replace(account.classes[0], undeclared=(0.1, 0.675, 0.225)),))
    assert found == pytest.approx(solve(other).p_none_left, rel=1e-9)


def test_an_answer_moves_with_what_it_is_sensitive_to() -> None:
    found = solve_unknown(lambda v: tiny(**v), {"p": Uniform(0.2, 0.9), "rho": Uniform(0.0, 0.001)}, details=0)
    swings = {s.parameter: abs(s.p_none_left_high - s.p_none_left_low) for s in found.swings}
    assert swings["p"] > 10 * swings["rho"]
    assert all(s.low < s.high for s in found.swings)


def test_the_average_is_of_whole_accounts() -> None:
    found = solve_unknown(one, {"p": Beta(4e5, 2e5)}, tolerance=1e-10, details=3)
    exact = solve(tiny(p=2 / 3))
    assert found.average is not None
    mine, theirs = found.average.classes["x"], exact.classes["x"]
    assert mine.mean_left == pytest.approx(theirs.mean_left, rel=1e-3)
    assert mine.undeclared == pytest.approx(theirs.undeclared, rel=1e-2)
    assert found.average.p_no_arrivals == pytest.approx(exact.p_no_arrivals, rel=1e-3)
    assert found.details == 3


def test_small_probabilities_are_not_lost() -> None:
    account = replace(tiny(), looks=(*tiny().looks, Look("e", ((5, 1.0),), "ship", (("x", 3),), p=0.99, phi=1e-7)))
    assert one_pass(account)[1] == pytest.approx(solve(account).p_none_left, rel=1e-4)
    assert one_pass(account)[1] < 1e-15


def test_left_and_out_are_what_there_was() -> None:
    account = replace(tiny(rho=0.0), classes=(replace(tiny(rho=0.0).classes[0], undeclared=(1.0,)),))
    item = account.classes[0]
    loglik, joint = left_and_out(
        replace(account, classes=(replace(item, stages=(*item.stages, Stage("gone", gone=True))),)), 1e-13
    )
    assert loglik == pytest.approx(solve(account).loglik, rel=1e-10)
    assert joint.sum(axis=1)[:5] == pytest.approx(solve(account).classes["x"].left(5)[:5], rel=1e-9)
    left, out = np.nonzero(joint > 1e-12)
    assert set(left + out) == {4}
    with pytest.raises(ModelError, match="what is out is not kept"):
        left_and_out(account)


def test_stages_by_day_add_up() -> None:
    account = tiny()
    found = stocks_by_day(account, 1e-13)
    means = sum(np.array([float(np.arange(len(p)) @ p) for p in stage]) for stage in found)
    assert means == pytest.approx(solve(account).classes["x"].mean_left, rel=1e-9)


def test_days_on_which_any_share_may_leave() -> None:
    item = tiny().classes[0]
    stages = (item.stages[0], replace(item.stages[1], on_day={3: AnyShare()}))
    account = replace(tiny(), classes=(replace(item, stages=stages),))
    mine, exact = solved(account, 1e-12), solve(account)
    assert mine.loglik == pytest.approx(exact.loglik, rel=1e-9)
    assert mine.average.p_none_left == pytest.approx(exact.p_none_left, rel=1e-6)
    assert mine.average.p_no_arrivals == pytest.approx(exact.p_no_arrivals, rel=1e-6)


def test_two_runs_give_the_same_bytes_and_another_seed_another_answer() -> None:
    priors: dict[str, Prior] = {"p": Beta(4, 2), "q": Beta(4, 4), "phi": LogNormal(-2, 0.5)}
    runs = [solve_unknown(lambda v: tiny(**v), priors, draws=16, seed=seed, details=2) for seed in (0, 0, 1)]
    assert repr(runs[0].p_none_left) == repr(runs[1].p_none_left)
    assert runs[0].left.tobytes() == runs[1].left.tobytes()
    assert runs[0].p_none_left != runs[2].p_none_left


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ModelError, match="0 parameters"):
        solve_unknown(one, {})
    with pytest.raises(ModelError, match="0 draws"):
        solve_unknown(one, {"p": Beta(1, 1)}, draws=0)
    with pytest.raises(ModelError, match="12 parameters"):
        solve_unknown(one, {f"p{k}": Beta(1, 1) for k in range(12)})

    def never(v: Mapping[str, float]) -> Account:
        account = tiny(p=v["p"], phi=0.0, rho=0.0)
        return replace(account, looks=(*account.looks, Look("z", ((5, 1.0),), "site", (("x", 40),), p=v["p"])))

    with pytest.raises(ImpossibleError, match="z"):
        solve_unknown(never, {"p": Beta(2, 2)})
    assert Run(never({"p": 0.5}), 0.0).forward() == -np.inf
