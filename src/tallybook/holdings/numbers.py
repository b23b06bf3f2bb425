"""Tables of count distributions, in logarithms where they are long, so that small probabilities stay exact."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NEVER = -np.inf
_LONG_TABLE = 1 << 20


@lru_cache(maxsize=8)
def _log_factorials(size: int) -> Array:
    # Long double sums keep the last bits of long tables.
    steps = np.log(np.maximum(np.arange(size, dtype=np.longdouble), 1))
    table = np.cumsum(steps).astype(np.float64)
    table.setflags(write=False)
    return table


def log_factorials(most: int) -> Array:
    """log n! for n = 0 to `most` at least; shape [>= most + 1]."""
    size = 256
    while size <= most:
        size *= 2
    return _log_factorials(size)


def log_rising(x: float, most: int) -> Array:
    """log of x (x+1) ... (x+k-1) for k = 0..most; shape [most + 1]."""
    out = np.zeros(most + 1)
    if most:
        out[1:] = np.cumsum(np.log(x + np.arange(most, dtype=np.longdouble))).astype(np.float64)
    return out


def times_log(n: Ints, p: float) -> Array:
    """n log p, and 0 where n is 0, whatever p is."""
    if p > 0:
        return np.asarray(n * log(p), dtype=np.float64)
    return np.where(n == 0, 0.0, NEVER)


def log_binomial(n: Ints, k: Ints, p: float) -> Array:
    """log P(k of n) with probability p each, shapes broadcast; minus infinity outside 0 <= k <= n."""
    most = int(n.max(initial=0))
    table = log_factorials(most)
    inside = (k >= 0) & (k <= n)
    kk = np.where(inside, k, 0)
    rest = n - kk
    out = table[n] - table[kk] - table[rest] + times_log(kk, p) + times_log(rest, 1.0 - p)
    return np.where(inside, out, NEVER)


def log_beta_binomial(n: Ints, k: Ints, a: float, b: float) -> Array:
    """log P(k of n) where the probability is one draw from Beta(a, b), shapes broadcast."""
    most = int(n.max(initial=0))
    table, up, down, both = log_factorials(most), log_rising(a, most), log_rising(b, most), log_rising(a + b, most)
    inside = (k >= 0) & (k <= n)
    kk = np.where(inside, k, 0)
    rest = n - kk
    out = table[n] - table[kk] - table[rest] + up[kk] + down[rest] - both[n]
    return np.where(inside, out, NEVER)


def log_poisson(k: Ints, mean: float) -> Array:
    """log P(k) of a Poisson number, minus infinity for negative k."""
    inside = k >= 0
    kk = np.where(inside, k, 0)
    return np.where(inside, times_log(kk, mean) - mean - _log_factorial_of(kk), NEVER)


def _log_factorial_of(k: Ints) -> Array:
    """log k!; by Stirling's series where a table would be long, which is exact to the last bits there."""
    most = int(k.max(initial=0))
    if most < _LONG_TABLE:
        return log_factorials(most)[k]
    near = log_factorials(_LONG_TABLE)[np.minimum(k, _LONG_TABLE)]
    far = np.maximum(k, _LONG_TABLE).astype(np.float64)
    series = (far + 0.5) * np.log(far) - far + 0.5 * log(2 * pi) + 1 / (12 * far)
    return np.where(k < _LONG_TABLE, near, series)


def log_poisson_between(fewest: Ints, high: int | None, seen: Ints, mean: float) -> Array:
    """log P(fewest <= e <= high - seen) of a Poisson number e, for each pair; `high` None is no upper bound."""
    start = np.maximum(fewest, 0)
    terms = np.arange(int(mean + 12 * sqrt(mean + 1) + 60))
    k = start[:, None] + terms[None, :]
    logs = log_poisson(k, mean)
    if high is not None:
        logs = np.where(k <= high - seen[:, None], logs, NEVER)
    top = logs.max(axis=1)
    safe = np.where(top == NEVER, 0.0, top)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(logs - safe[:, None]).sum(axis=1)) + safe)


def poisson_until(mean: float, tail: float) -> Array:
    """P(0), P(1), ... of a Poisson number, until what follows is below `tail`; shape [long enough]."""
    most = 0
    if mean > 0:
        most = int(mean)
        # Beyond the mean the terms fall faster than geometrically, so the next term bounds the rest.
        while exp(min(0.0, most * log(mean) - mean - lgamma(most + 1))) > tail * max(1e-3, 1 - mean / (most + 1)):
            most += 1
    return np.exp(log_poisson(np.arange(most + 1), mean))


def scaled(logs: Array) -> tuple[Array, float]:
    """exp of logarithms after taking out the greatest, and what was taken out (minus infinity where all are)."""
    top = float(logs.max(initial=NEVER))
    if top == NEVER:
        return np.zeros_like(logs), NEVER
    return np.exp(logs - top), top
