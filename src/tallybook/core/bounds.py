"""Intervals of probability, and how a likelihood ratio moves them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log

_UNITS = 2**1074


@dataclass(frozen=True, slots=True)
class Bounds:
    """A closed interval [low, high] of probabilities or of likelihood ratios."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"bounds must be ordered and not negative: {self.low}, {self.high}")

    def as_list(self, digits: int = 4) -> list[float]:
        """[low, high], rounded."""
        return [round(self.low, digits), round(self.high, digits)]


def updated(prior: Bounds, ratios: Iterable[Bounds]) -> Bounds:
    """Bayes' rule on odds, at both ends: posterior odds = prior odds x product of likelihood ratios.

    `prior` is an interval of probabilities strictly between 0 and 1, `ratios` intervals of likelihood ratios that hold
    independently of each other. Worked in logarithms, so thousands of clusters neither overflow nor underflow.
    """
    items = list(ratios)
    return posterior(prior, sum(exact_log(r.low) for r in items), sum(exact_log(r.high) for r in items))


def posterior(prior: Bounds, low: int, high: int) -> Bounds:
    """The same from the sums of `exact_log` of the low and of the high ends of the ratios."""
    return Bounds(_posterior(prior.low, low), _posterior(prior.high, high))


@lru_cache(maxsize=65536)
def exact_log(ratio: float) -> int:
    """The natural logarithm of a positive ratio in units of 2^-1074, of which every finite float is a whole number.

    Sums of these are exact, so neither the order in which they are added nor how they are grouped changes a bit.
    """
    above, below = log(ratio).as_integer_ratio()
    return above * (_UNITS // below)


def _posterior(probability: float, logs: int) -> float:
    weight = (exact_log(probability / (1 - probability)) + logs) / _UNITS
    return 1 / (1 + exp(-weight)) if weight > -700 else 0.0


def faded(ratio: Bounds, days: float, half_life: float | None) -> Bounds:
    """What a likelihood ratio is still worth `days` later: 1 + (LR - 1) * 2^(-days / half_life).

    `half_life` in days; None never fades. Evidence about a state on one day says less about a later day.
    """
    if half_life is None or days <= 0:
        return ratio
    keep = 2.0 ** (-days / half_life)
    return Bounds(1 + (ratio.low - 1) * keep, 1 + (ratio.high - 1) * keep)
