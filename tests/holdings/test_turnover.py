"""Open counts against known answers, dense truncated sums, and what must change nothing."""

from __future__ import annotations

import json
from math import exp, inf, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tallybook.holdings.model import ModelError
from tallybook.holdings.turnover import Looks, Turnover, TurnoverPrior, turnover, turnover_unknown

CASES = Path(__file__).parent / "cases"


def dense(site: list[list[int | None]], rates: Turnover, most: int = 90) -> tuple[float, float, float]:
    """Likelihood, mean on the last occasion and P(none on the last) of one site, numbers below `most`."""
    n = np.arange(most)
    stay = stats.binom.pmf(n[None, :], n[:, None], rates.omega)
    new = stats.poisson.pmf(n, rates.gamma)
    f = stats.poisson.pmf(n, rates.lam)
    for t, occasion in enumerate(site):
        if t:
            f = np.convolve(f @ stay, new)[:most]
        for y in occasion:
            if y is not None:
                f = f * stats.binom.pmf(y, n, rates.p)
    if not f.any():
        return 0.0, 0.0, 0.0
    return float(f.sum()), float(f @ n / f.sum()), float(f[0] / f.sum())


def small(case: str) -> tuple[Looks, Turnover]:
    data = json.loads((CASES / f"B_{case}.json").read_text())
    return data["y"], Turnover(**data["theta"])


@pytest.mark.parametrize(("size", "near"), [("small", 1e-9), ("medium", 1e-7), ("large", 1e-7)])
def test_known_answers(size: str, near: float) -> None:
    y, rates = small(size)
    answers = json.loads((CASES / f"B_{size}.answers.json").read_text())
    found = turnover(y, rates)
    assert found.loglik == pytest.approx(answers["loglik"], rel=near)
    assert found.mean_last == pytest.approx(answers["E_N_T"], rel=near)
    assert found.p_no_arrivals == pytest.approx(answers["P_no_arrivals"], rel=near)
    if "log_P_all_zero" in answers:
        assert found.log_p_none_last == pytest.approx(answers["log_P_all_zero"], rel=near)
    assert found.discarded < 1e-12


looks = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=2), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    looks,
    st.floats(0.1, 6),
    st.sampled_from([0.0, 0.3, 2.0]),
    st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    st.sampled_from([0.1, 0.5, 0.95]),
)
def test_one_site_against_dense_sums(site: list[list[int | None]], lam: float, gamma: float, omega: float, p: float) -> None:
    rates = Turnover(lam, gamma, omega, p)
    likelihood, mean, none = dense(site, rates)
    found = turnover([site], rates)
    if likelihood == 0:
        assert found.loglik == -inf
        return
    assert found.loglik == pytest.approx(log(likelihood), rel=1e-9, abs=1e-9)
    assert found.mean_last == pytest.approx(mean, rel=1e-9)
    assert exp(found.log_p_none_last) == pytest.approx(none, rel=1e-9, abs=1e-300)
    without = dense(site, Turnover(lam, 0.0, omega, p))[0] * exp(-gamma * (len(site) - 1))
    assert found.p_no_arrivals == pytest.approx(without / likelihood, rel=1e-9, abs=1e-12)


def test_order_of_sites_and_of_looks_changes_nothing() -> None:
    y, rates = small("small")
    found = turnover(y, rates)
    other = turnover([[list(reversed(occasion)) for occasion in site] for site in reversed(list(y))], rates)
    assert other.loglik == pytest.approx(found.loglik, rel=1e-12)
    assert other.mean_last == pytest.approx(found.mean_last, rel=1e-12)


def test_no_look_is_no_factor() -> None:
    y, rates = small("small")
    more = [[[*occasion, None] for occasion in site] for site in y]
    assert turnover(more, rates).loglik == pytest.approx(turnover(y, rates).loglik, rel=1e-13)


def test_looks_missing_at_some_sites_only() -> None:
    rates = Turnover(4.0, 0.5, 0.6, 0.4)
    sites: list[list[list[int | None]]] = [[[3, None], [None, None], [1]], [[2, 2], [1, 0], [0]]]
    both = turnover(sites, rates)
    apart = [turnover([site], rates).loglik for site in sites]
    assert both.loglik == pytest.approx(sum(apart), rel=1e-12)


@pytest.mark.parametrize(
    ("y", "rates", "clashes"),
    [
        ([[[3, 2]]], Turnover(4.0, 1.0, 0.5, 1.0), ((0, 0),)),
        ([[[0], [1]]], Turnover(4.0, 1.0, 0.5, 0.0), ((0, 1),)),
        ([[[0], [0]], [[2], [3]]], Turnover(4.0, 0.0, 0.5, 1.0), ((1, 0), (1, 1))),
        ([[[1]]], Turnover(0.0, 1.0, 0.5, 0.5), ((0, 0),)),
    ],
)
def test_what_cannot_be_is_named(y: Looks, rates: Turnover, clashes: tuple[tuple[int, int], ...]) -> None:
    found = turnover(y, rates)
    assert found.loglik == -inf
    assert found.clashes == clashes


def test_a_perfect_look() -> None:
    found = turnover([[[3, 3], [0]]], Turnover(4.0, 1.0, 0.5, 1.0))
    assert found.loglik == pytest.approx(log(stats.poisson.pmf(3, 4.0) * 0.125 * exp(-1.0)), rel=1e-12)
    assert found.log_p_none_last == 0.0


def test_no_sites_and_nobody_looked() -> None:
    assert turnover([], Turnover(4.0, 1.0, 0.5, 0.5)).loglik == 0.0
    found = turnover([[[None], []]], Turnover(4.0, 1.0, 0.5, 0.5))
    assert (found.loglik, found.mean_last) == (0.0, 3.0)
    assert found.log_p_none_last == pytest.approx(-3.0)
    assert found.log_p_no_arrivals == pytest.approx(-1.0)


def test_small_probabilities_are_exact() -> None:
    """Nothing seen of what never leaves, but for one count: P(none left) is that each of many items is gone."""
    found = turnover([[[60], [0], [0]]], Turnover(60.0, 0.0, 0.3, 0.6))
    _, _, none = dense([[60], [0], [0]], Turnover(60.0, 0.0, 0.3, 0.6), 300)
    assert exp(found.log_p_none_last) == pytest.approx(none, rel=1e-8)
    far = turnover([[[40], []]], Turnover(60.0, 0.0, 0.999, 0.6))
    _, _, none = dense([[40], []], Turnover(60.0, 0.0, 0.999, 0.6), 300)
    assert far.log_p_none_last == pytest.approx(log(none), rel=1e-9)


@pytest.mark.parametrize(
    ("y", "words"),
    [([[[-1]]], "negative"), ([[[0.5]]], "whole"), ([[[1]], [[1], [2]]], "1 to 2 occasions"), ([[[10**7]]], "GiB")],
)
def test_bad_counts(y: Looks, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        turnover(y, Turnover(1.0, 1.0, 0.5, 0.5))


def test_bad_rates() -> None:
    with pytest.raises(ModelError, match="not a probability"):
        turnover([[[1]]], Turnover(1.0, 1.0, 1.5, 0.5))


@pytest.mark.parametrize(
    ("size", "draws"),
    [("small", 8192), pytest.param("medium", 1024, marks=pytest.mark.slow), pytest.param("large", 256, marks=pytest.mark.slow)],
)
def test_unknown_parameters_agree_with_the_reference(size: str, draws: int) -> None:
    data = json.loads((CASES / f"B_{size}.json").read_text())
    reference = json.loads((CASES / "B_unknown.reference.json").read_text())[size]
    prior = data["prior"] | {"omega": tuple(data["prior"]["omega"]), "p": tuple(data["prior"]["p"])}
    found = turnover_unknown(data["y"], TurnoverPrior(**prior), draws=draws, events=False)
    for ours, theirs in (("lam", "E_lam"), ("gamma", "E_gam"), ("omega", "E_om"), ("p", "E_p"), ("last", "E_N_T")):
        error = np.hypot(found.standard_error[ours], reference[f"se_{theirs}"])
        assert abs(found.mean[ours] - reference[theirs]) < 3 * error


def test_events_with_unknown_parameters_against_averages() -> None:
    """Ratios of evidences agree with averages over draws of the prior, weighted by the likelihood."""
    y, prior = [[[1, 2], [0, 0]], [[0, 1], [0, 0]]], TurnoverPrior(4.0, 2.0, 2.0, 8.0, (3.0, 3.0), (6.0, 4.0))
    found = turnover_unknown(y, prior, draws=4096)
    generator = np.random.Generator(np.random.PCG64(3))
    none = still = total = 0.0
    for _ in range(200):
        rates = Turnover(generator.gamma(4.0) / 2, generator.gamma(2.0) / 8, generator.beta(3, 3), generator.beta(6, 4))
        one = turnover(y, rates)
        weight = exp(one.loglik)
        total, none, still = total + weight, none + weight * exp(one.log_p_none_last), still + weight * one.p_no_arrivals
    assert exp(found.log_p_none_last) == pytest.approx(none / total, rel=0.3)
    assert exp(found.log_p_no_arrivals) == pytest.approx(still / total, rel=0.3)


def test_two_runs_are_identical() -> None:
    y, _ = small("small")
    prior = TurnoverPrior(2.0, 0.2, 1.0, 1.0, (2.0, 2.0), (2.0, 2.0))
    assert repr(turnover_unknown(y, prior, draws=256)) == repr(turnover_unknown(y, prior, draws=256))
