"""Integrals against closed forms."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from tallybook.holdings import integration
from tallybook.holdings.integration import Beta, Floats, Gamma, Integrated, LogNormal, Prior, Uniform, integrate
from tallybook.holdings.model import ModelError


def near(found: float, wanted: float, error: float) -> bool:
    return abs(found - wanted) < 4 * error + 1e-9


def test_points_are_those_of_sobol() -> None:
    directions = integration._sobol_directions(12)
    points = np.zeros((64, 12), np.int64)
    for k in range(6):
        points ^= np.where((np.arange(64) >> k & 1)[:, None] == 1, directions[:, k], 0)
    theirs = qmc.Sobol(12, scramble=False).random(64)
    assert {tuple(row) for row in points / 2**30} == {tuple(row) for row in theirs}


def test_scrambled_points_fill_each_axis_evenly() -> None:
    points = integration.scrambled_sobol(64, 5, 3, 1)
    assert (np.sort(np.floor(points * 64), axis=1) == np.arange(64)[None, :, None]).all()


def test_quantiles() -> None:
    u = np.concatenate([[1e-9, 1 - 1e-9], np.linspace(0.001, 0.999, 999)])
    assert np.abs(integration.normal_quantile(u) - stats.norm.ppf(u)).max() < 1e-6
    assert np.abs(integration.chi2_quantile(u) / stats.chi2.ppf(u, 4) - 1).max() < 1e-6


def conjugate(draws: int = 4096) -> Integrated:
    """A Poisson count of 7 and a binomial of 3 in 10, each with its conjugate prior."""

    def function(theta: Floats) -> tuple[Floats, dict[str, Floats]]:
        rate, p = theta.T
        return stats.poisson.logpmf(7, rate) + stats.binom.logpmf(3, 10, p), {"product": rate * p}

    return integrate(function, {"rate": Gamma(2.0, 0.5), "p": Beta(2.0, 3.0)}, draws=draws, seed=4)


def test_conjugate_posteriors() -> None:
    found = conjugate()
    assert near(found.mean["rate"], 9 / 1.5, found.standard_error["rate"])
    assert near(found.mean["p"], 5 / 15, found.standard_error["p"])
    assert near(found.mean["product"], 2.0, found.standard_error["product"])
    assert found.sd["rate"] == pytest.approx(2.0, rel=0.03)
    evidence = stats.nbinom.logpmf(7, 2, 0.5 / 1.5) + stats.betabinom.logpmf(3, 10, 2, 3)
    assert near(found.log_evidence, float(evidence), found.se_log_evidence)
    assert found.standard_error["rate"] < 0.01
    assert not found.warning


def test_correlated_normal_in_log_coordinates() -> None:
    precision = np.array([[4.0, -3.0, 0.5], [-3.0, 4.0, 0.2], [0.5, 0.2, 2.0]])

    def function(theta: Floats) -> tuple[Floats, dict[str, Floats]]:
        z = np.log(theta)
        return -0.5 * np.einsum("ni,ij,nj->n", z, precision, z), {}

    priors: dict[str, Prior] = {name: LogNormal(0.3, 1.0) for name in "abc"}
    found = integrate(function, priors, draws=4096, seed=1)
    both = precision + np.eye(3)
    shift = np.full(3, 0.3)
    evidence = -0.5 * log(float(np.linalg.det(both))) + 0.5 * shift @ np.linalg.solve(both, shift) - 0.5 * shift @ shift
    assert near(found.log_evidence, float(evidence), found.se_log_evidence)


def test_a_range() -> None:
    found = integrate(lambda theta: (np.zeros(len(theta)), {"square": theta[:, 0] ** 2}), {"x": Uniform(1.0, 4.0)}, draws=2048)
    assert near(found.mean["x"], 2.5, found.standard_error["x"])
    assert near(found.mean["square"], 7.0, found.standard_error["square"])
    assert near(found.log_evidence, 0.0, found.se_log_evidence)


@pytest.mark.parametrize("prior", [Beta(0.7, 3.0), Gamma(0.8, 2.0), Gamma(0.4, 2.0), Uniform(-1.0, 5.0), LogNormal(0.2, 0.7)])
def test_densities_are_normalised_and_coordinates_return(prior: Prior) -> None:
    z = np.linspace(-90, 60, 300_001)
    assert float(np.exp(prior.log_density(z)).sum() * (z[1] - z[0])) == pytest.approx(1.0, abs=1e-4)
    some = np.linspace(0.1, 3, 7)
    assert prior.coordinate(prior.value(some)) == pytest.approx(some)


def test_a_poor_fit_is_said() -> None:
    def ridge(theta: Floats) -> tuple[Floats, dict[str, Floats]]:
        return -1e4 * (np.sin(97 * theta[:, 0]) - theta[:, 1]) ** 2, {}

    found = integrate(ridge, {"x": Uniform(-3.0, 3.0), "y": Uniform(-2.0, 2.0)}, draws=512)
    assert "draws count" in found.warning


def test_two_runs_are_identical() -> None:
    assert repr(conjugate(256)) == repr(conjugate(256))


def test_nothing_to_integrate_and_nothing_possible() -> None:
    with pytest.raises(ModelError, match="0 parameters"):
        integrate(lambda theta: (np.zeros(len(theta)), {}), {})
    with pytest.raises(ModelError, match="likelihood is 0"):
        integrate(lambda theta: (np.full(len(theta), -np.inf), {}), {"x": Beta(1.0, 1.0)})
