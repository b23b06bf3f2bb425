"""Likelihood ratios on intervals, against plain Bayes in fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.core.bounds import Bounds, faded, updated

PRIORS = st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=1000)
RATIOS = st.fractions(Fraction(1, 50), Fraction(200), max_denominator=100)


def interval(pair: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
    return min(pair), max(pair)


INTERVALS = st.tuples(RATIOS, RATIOS).map(interval)
PRIOR_INTERVALS = st.tuples(PRIORS, PRIORS).map(interval)


def as_bounds(pair: tuple[Fraction, Fraction]) -> Bounds:
    return Bounds(float(pair[0]), float(pair[1]))


def bayes(prior: Fraction, ratios: list[Fraction]) -> Fraction:
    """P(claim | evidence) from the two hypotheses' weights, no odds and no logarithms."""
    claim, other = prior, 1 - prior
    for ratio in ratios:
        claim *= ratio
    return claim / (claim + other)


@given(PRIOR_INTERVALS, st.lists(INTERVALS, max_size=8))
def test_updating_is_bayes_at_both_ends(prior: tuple[Fraction, Fraction], ratios: list[tuple[Fraction, Fraction]]) -> None:
    found = updated(as_bounds(prior), [as_bounds(r) for r in ratios])
    assert found.low == pytest.approx(float(bayes(prior[0], [r[0] for r in ratios])), rel=1e-9, abs=1e-15)
    assert found.high == pytest.approx(float(bayes(prior[1], [r[1] for r in ratios])), rel=1e-9, abs=1e-15)


@given(PRIOR_INTERVALS, INTERVALS, st.fractions(0, 1), st.fractions(0, 1))
def test_every_prior_and_ratio_inside_gives_a_posterior_inside(
    prior: tuple[Fraction, Fraction], ratio: tuple[Fraction, Fraction], at: Fraction, how: Fraction
) -> None:
    found = updated(as_bounds(prior), [as_bounds(ratio)])
    inner = bayes(prior[0] + at * (prior[1] - prior[0]), [ratio[0] + how * (ratio[1] - ratio[0])])
    assert found.low - 1e-12 <= float(inner) <= found.high + 1e-12


@given(PRIOR_INTERVALS, st.lists(INTERVALS, max_size=5), st.data())
def test_the_order_of_clusters_does_not_change_a_bit(
    prior: tuple[Fraction, Fraction], ratios: list[tuple[Fraction, Fraction]], data: st.DataObject
) -> None:
    items = [as_bounds(r) for r in ratios]
    assert updated(as_bounds(prior), items) == updated(as_bounds(prior), data.draw(st.permutations(items)))


def test_no_evidence_leaves_the_prior() -> None:
    found = updated(Bounds(0.1, 0.9), [])
    assert found.as_list() == [0.1, 0.9]


def test_thousands_of_clusters_neither_overflow_nor_vanish() -> None:
    assert updated(Bounds(0.1, 0.9), [Bounds(30, 200)] * 5000) == Bounds(1.0, 1.0)
    down = updated(Bounds(0.1, 0.9), [Bounds(1 / 200, 1 / 30)] * 5000)
    assert down.low == 0.0
    assert 0.0 <= down.high < 1e-300
    mixed = updated(Bounds(0.1, 0.9), [Bounds(4, 4)] * 3000 + [Bounds(0.25, 0.25)] * 3000)
    assert mixed.as_list(6) == [0.1, 0.9]


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.4), (-0.1, 0.5), (math.nan, 0.5), (0.5, math.nan)])
def test_bounds_out_of_order_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="ordered"):
        Bounds(low, high)


@given(INTERVALS, st.integers(0, 400), st.integers(1, 60))
def test_fading_is_the_formula_and_moves_towards_one(ratio: tuple[Fraction, Fraction], days: int, half_life: int) -> None:
    found = faded(as_bounds(ratio), days, half_life)
    for had, has in ((ratio[0], found.low), (ratio[1], found.high)):
        assert has == pytest.approx(1 + (float(had) - 1) * math.pow(2, -days / half_life), abs=1e-9)
        assert min(1.0, float(had)) - 1e-12 <= has <= max(1.0, float(had)) + 1e-12


def test_after_one_half_life_half_is_left_and_acts_never_fade() -> None:
    assert faded(Bounds(5, 21), 10, 10) == Bounds(3, 11)
    assert faded(Bounds(5, 21), 10_000, None) == Bounds(5, 21)
    assert faded(Bounds(5, 21), -3, 10) == Bounds(5, 21)
    assert faded(Bounds(5, 21), 1e6, 10) == Bounds(1, 1)
