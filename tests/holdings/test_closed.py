"""Closed counts against known answers, plain sums, and what must change nothing."""

from __future__ import annotations

import json
from itertools import product
from math import comb, exp, lgamma, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.holdings import closed
from tallybook.holdings.closed import ClosedPrior, closed_counts
from tallybook.holdings.model import ModelError

CASES = Path(__file__).parent / "cases"
WEAK = ClosedPrior(2.0, 0.25, 2.0, 2.0)


def plain(y: list[list[int]], prior: ClosedPrior, most: int) -> tuple[float, float]:
    """log evidence and mean total: rate and p integrated analytically for each set of numbers up to `most` a site."""
    sites, visits, seen = len(y), len(y[0]), sum(map(sum, y))
    a, b, alpha, beta = prior.a, prior.b, prior.alpha, prior.beta
    evidence = total = 0.0
    for numbers in product(*(range(max(row), most) for row in y)):
        n = sum(numbers)
        ways = sum(log(comb(m, c)) for m, row in zip(numbers, y, strict=True) for c in row) - sum(lgamma(m + 1) for m in numbers)
        rate = a * log(b) + lgamma(a + n) - lgamma(a) - (a + n) * log(b + sites)
        detection = lgamma(alpha + seen) + lgamma(beta + visits * n - seen) - lgamma(alpha + beta + visits * n)
        detection += lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
        term = exp(ways + rate + detection)
        evidence += term
        total += n * term
    return log(evidence), total / evidence


@pytest.mark.parametrize(("size", "near"), [("small", 1e-9), ("medium", 1e-7), ("large", 1e-7)])
def test_known_answers(size: str, near: float) -> None:
    case = json.loads((CASES / f"A_{size}.json").read_text())
    answers = json.loads((CASES / f"A_{size}.answers.json").read_text())
    found = closed_counts(case["y"], ClosedPrior(**case["prior"]))
    assert found.log_evidence == pytest.approx(answers["log_evidence"], rel=near)
    assert found.mean_total == pytest.approx(answers["E_N"], rel=near)
    assert found.mean_rate == pytest.approx(answers["E_lam"], rel=near)
    assert found.mean_detection == pytest.approx(answers["E_p"], rel=near)
    if "sd_N" in answers:
        assert found.sd_total == pytest.approx(answers["sd_N"], rel=near)
        pmf = found.total_pmf(1500)
        assert pmf[:21].sum() == pytest.approx(0.36672243071212, rel=1e-9)
        assert pmf[101:].sum() == pytest.approx(0.00045299064013062, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.floats(0.4, 5.0),
    st.floats(0.5, 5.0),
    st.floats(2.5, 5.0),
)
def test_one_site_against_plain_sums(row: list[int], a: float, beta: float, b: float) -> None:
    prior = ClosedPrior(a, b, 1.5, beta)
    found = closed_counts([row], prior)
    evidence, total = plain([row], prior, 150)
    assert found.log_evidence == pytest.approx(evidence, rel=1e-9, abs=1e-9)
    assert found.mean_total == pytest.approx(total, rel=1e-9)


def test_two_sites_against_plain_sums() -> None:
    y, prior = [[1, 2], [0, 1]], ClosedPrior(1.3, 6.0, 2.0, 3.0)
    evidence, total = plain(y, prior, 60)
    found = closed_counts(y, prior)
    assert found.log_evidence == pytest.approx(evidence, rel=1e-9)
    assert found.mean_total == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("prior", [ClosedPrior(0.3, 0.5, 0.4, 0.3), ClosedPrior(50.0, 2.0, 30.0, 3.0), WEAK])
def test_zeros_only_against_a_quadrature(prior: ClosedPrior) -> None:
    x = np.linspace(-300, 300, 600_001)
    normal = lgamma(prior.alpha + prior.beta) - lgamma(prior.alpha) - lgamma(prior.beta)
    density = np.exp(normal - prior.alpha * np.logaddexp(0, -x) - prior.beta * np.logaddexp(0, x))
    seen_once = -np.expm1(-3 * np.logaddexp(0, x))
    wanted = float((density * (prior.b / (prior.b + 4 * seen_once)) ** prior.a).sum()) * (x[1] - x[0])
    found = closed_counts([[0, 0, 0]] * 4, prior)
    assert found.log_evidence == pytest.approx(log(wanted), rel=1e-8)


@pytest.mark.parametrize("y", [[], [[], []]])
def test_nobody_looked_gives_the_prior(y: list[list[int]]) -> None:
    found = closed_counts(y, WEAK)
    assert (found.log_evidence, found.mean_rate, found.mean_detection) == (0.0, 8.0, 0.5)
    assert found.mean_total == 8.0 * len(y)
    assert found.total_pmf(2000) @ np.arange(2001) == pytest.approx(found.mean_total)


def test_order_of_sites_and_visits_changes_nothing() -> None:
    assert closed_counts([[4, 3, 1], [2, 4, 4]], WEAK) == closed_counts([[4, 2, 4], [1, 3, 4]], WEAK)


def test_two_runs_are_identical() -> None:
    assert repr(closed_counts([[4, 3], [2, 4]], WEAK)) == repr(closed_counts([[4, 3], [2, 4]], WEAK))


def test_doubled_limits_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    y = [[4, 3, 1], [2, 4, 4], [3, 2, 5]]
    before = closed_counts(y, WEAK)
    for name, value in (("FAR", 92.0), ("_STEP", 0.17), ("_SCAN", 48)):
        monkeypatch.setattr(closed, name, value)
    after = closed_counts(y, WEAK)
    assert after.log_evidence == pytest.approx(before.log_evidence, rel=1e-10)
    assert after.sd_total == pytest.approx(before.sd_total, rel=1e-10)
    assert after.mean_total == pytest.approx(before.mean_total, rel=1e-10)


def test_one_visit_leaves_the_rate_with_the_prior_of_detection() -> None:
    prior = ClosedPrior(3.0, 0.5, 2.0, 2.0)
    evidence, total = plain([[7]], prior, 800)
    found = closed_counts([[7]], prior)
    assert found.log_evidence == pytest.approx(evidence, rel=1e-9)
    assert found.mean_total == pytest.approx(total, rel=1e-9)


def test_very_large_counts() -> None:
    generator = np.random.Generator(np.random.PCG64(5))
    numbers = generator.poisson(1e6, 6)
    y = generator.binomial(numbers[:, None], 0.4, (6, 4)).tolist()
    found = closed_counts(y, ClosedPrior(2.0, 2e-6, 20.0, 30.0))
    assert found.error < 1e-6
    assert abs(found.mean_total - numbers.sum()) < 5 * found.sd_total


def test_sites_of_very_different_size() -> None:
    found = closed_counts([[0, 0], [1, 0], [900, 950], [40, 35]], ClosedPrior(1.0, 0.01, 2.0, 2.0))
    swapped = closed_counts([[950, 900], [0, 1], [35, 40], [0, 0]], ClosedPrior(1.0, 0.01, 2.0, 2.0))
    assert found == swapped
    assert found.mean_total > 991


@pytest.mark.parametrize(
    ("y", "words"),
    [([[1, -2]], "cannot be negative"), ([[1.5]], "whole numbers"), ([[1, 2], [3]], "have 1 to 2 visits"), ([["3"]], "whole")],
)
def test_bad_counts(y: list[list[int]], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        closed_counts(y, WEAK)


def test_bad_prior() -> None:
    with pytest.raises(ModelError, match="more than 0"):
        closed_counts([[1]], ClosedPrior(0.0, 1.0, 1.0, 1.0))
