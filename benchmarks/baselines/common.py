"""What every measurement shares: the cases and their answers, one clock, one row of the table, how much a chain is worth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import lgamma
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
T = TypeVar("T")
CASES = Path(__file__).resolve().parent.parent.parent / "tests" / "holdings" / "cases"
STAGES = ("site", "port", "ship")
ONE_PERCENT = 0.01
BOUNDS = {"A": {"small": 400, "medium": 400, "large": 900}, "B": {"small": 80, "medium": 120, "large": 500}}
"""How far the baselines that need a bound sum: chosen by hand for each case, knowing the answer."""
CUBE = {"small": 9, "medium": 64}
"""The same for problem C: the largest number of items in a stage."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `seconds`: processor seconds of the answer (of a chain: its draws, neither compiling nor tuning); `wall`: the same by the
    clock on the wall. `error`: relative, against the exact answer, or None. `to_one_percent`: processor seconds to a standard
    error of one per cent; None where the answer has no standard error, infinite where it never comes. `start`: processor
    seconds before the first draw that counts, for compiling and tuning.
    """

    problem: str
    method: str
    quantity: str
    seconds: float
    wall: float
    error: float | None = None
    to_one_percent: float | None = None
    start: float = 0.0
    note: str = ""
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timed:
    """Processor and wall seconds of one piece of work; `start`: processor seconds of what had to come first."""

    seconds: float
    wall: float
    start: float = 0.0

    def times(self, factor: float) -> Timed:
        """So many times as long."""
        return Timed(self.seconds * factor, self.wall * factor, self.start)


def beyond(problem: str, method: str, why: str) -> Row:
    """The row of a method that cannot do a problem."""
    return Row(problem, method, "", float("nan"), float("nan"), note=why)


def once(work: Callable[[], T]) -> tuple[T, Timed]:
    """The result of one run, and how long it took."""
    wall, seconds = time.perf_counter(), time.process_time()
    result = work()
    return result, Timed(time.process_time() - seconds, time.perf_counter() - wall)


def best(work: Callable[[], T], runs: int = 7, budget: float = 2.0) -> tuple[T, Timed]:
    """The result, and the least of several runs after one that warms up; one run only where that takes all the budget."""
    result, first = once(work)
    times = [first]
    while len(times) <= runs and sum(t.wall for t in times) < budget:
        result, timed = once(work)
        times.append(timed)
    times = times[1:] or times
    return result, Timed(min(t.seconds for t in times), min(t.wall for t in times))


def case(problem: str, size: str) -> dict[str, Any]:
    """A reference case of the tests."""
    return _read(f"{problem}_{size}.json")


def answers(problem: str, size: str) -> dict[str, Any]:
    """The exact answers of a reference case; of `B.u` and `C.u` the reference posteriors, which have a standard error."""
    if problem.endswith(".u"):
        found: dict[str, Any] = _read(f"{problem[0]}_unknown.reference.json")[size]
        return found
    return _read(f"{problem}_{size}.answers.json")


def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((CASES / name).read_text("utf-8"))
    return data


def relative(value: float, reference: float) -> float:
    """The relative error."""
    return abs(value - reference) / abs(reference) if reference else abs(value)


def log_factorials(most: int) -> Floats:
    """log n! for n = 0 .. most."""
    return np.array([lgamma(n + 1.0) for n in range(most + 1)])


def binomial_table(most: int, p: float) -> Floats:
    """P(k | n, p) at [n, k], for n and k = 0 .. most; p strictly between 0 and 1."""
    logs, n = log_factorials(most), np.arange(most + 1)
    missed = n[:, None] - n[None, :]
    table = logs[:, None] - logs[None, :] - logs[np.maximum(missed, 0)] + n[None, :] * np.log(p) + missed * np.log1p(-p)
    return np.where(missed >= 0, np.exp(np.minimum(table, 0.0)), 0.0)


def poisson_table(most: int, mean: float) -> Floats:
    """P(k | mean) for k = 0 .. most."""
    n = np.arange(most + 1)
    table: Floats = np.exp(n * np.log(mean) - mean - log_factorials(most)) if mean else (n == 0).astype(float)
    return table


def look_table(look: dict[str, Any], most: int) -> Floats:
    """P(the look's count | n) for n = 0 .. most: Bin(n, p) + Poisson(phi)."""
    count = int(look["y"])
    size = max(most, count)
    false = poisson_table(count, look["phi"])
    table: Floats = binomial_table(size, look["p"])[: most + 1, : count + 1] @ false[::-1]
    return table


def worth(chain: Sequence[float] | Floats) -> float:
    """The effective sample size of one chain, by Geyer's initial monotone sequence of its autocovariances."""
    x = np.asarray(chain, float)
    n = len(x)
    x = x - x.mean()
    if n < 4 or not x.any():
        return float(n)
    spectrum = np.fft.rfft(x, 2 * n)
    covariance = np.fft.irfft(spectrum * spectrum.conj())[:n] / n
    pairs = (covariance[0 : n - n % 2 : 2] + covariance[1::2]) / covariance[0]
    negative = np.flatnonzero(pairs < 0)
    pairs = np.minimum.accumulate(pairs[: negative[0]] if len(negative) else pairs)
    return float(n / max(2 * pairs.sum() - 1, 1.0 / n))


BLOCKS = 5
"""A chain is timed in so many blocks and charged for each what the quickest took, as the least of several runs is elsewhere."""


def least(blocks: Sequence[Timed], start: float = 0.0) -> Timed:
    """All blocks at the pace of the quickest."""
    return Timed(min(b.seconds for b in blocks), min(b.wall for b in blocks), start).times(len(blocks))


def paced(stamps: Sequence[tuple[float, float]], began: float) -> Timed:
    """How long the draws of a chain took, from the (processor, wall) seconds at the end of each and at the beginning of all."""
    ends = [round(k * (len(stamps) - 1) / BLOCKS) for k in range(BLOCKS + 1)]
    spans = [(b - a, Timed(stamps[b][0] - stamps[a][0], stamps[b][1] - stamps[a][1])) for a, b in pairwise(ends) if b > a]
    each = [span.times(1 / draws) for draws, span in spans]
    return least(each, stamps[0][0] - began).times(len(stamps) / len(spans))


def chain_row(
    problem: str, method: str, quantity: str, chain: Sequence[float] | Floats, reference: float, timed: Timed, note: str = ""
) -> Row:
    """The row of a quantity estimated by the mean of a chain: its time to one per cent is scaled by what its draws are worth."""
    x = np.asarray(chain, float)
    effective, spread = worth(x), float(x.std())
    stuck = spread == 0.0
    needed = (spread / (ONE_PERCENT * abs(reference))) ** 2 if reference else float("inf")
    more = {"draws": float(len(x)), "effective": effective, "mean": float(x.mean())}
    to_one = float("inf") if stuck else needed * timed.seconds / effective
    return Row(
        problem,
        method,
        quantity,
        timed.seconds,
        timed.wall,
        relative(float(x.mean()), reference),
        to_one,
        timed.start,
        note,
        more,
    )
