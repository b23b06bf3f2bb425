"""Accounts made for the benchmark: one of 4,000 items, and series that grow in items, in days or in stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Look = dict[str, Any]
STAGES = ("site", "port", "ship", "yard", "dock", "hold", "pier", "quay")


def undeclared(nothing: float, most: int, ratio: float) -> list[float]:
    """P(u undeclared): `nothing` at 0, else geometric and cut off at `most`."""
    weights = ratio ** np.arange(most)
    return [nothing, *((1 - nothing) * weights / weights.sum()).tolist()]


def simulate(
    declared: int, extra: int, pi: Sequence[float], hops: Sequence[float], rate: float, looks: Sequence[Look], seed: int
) -> Look:
    """A case of form C or D with these looks, whose counts are drawn from the model; the last look's day is the last day."""
    random = np.random.default_rng(seed)
    names = STAGES[: len(hops)]
    state = np.zeros(len(hops), np.int64)
    state[0] = declared + extra
    last = max(look["day"] for look in looks)
    counted = []
    for day in range(last + 1):
        leave = np.zeros(len(hops), np.int64)
        if day:
            leave = random.binomial(state, hops)
            state = state - leave
            state[1:] += leave[:-1]
            state[0] += random.poisson(rate)
        for look in (look for look in looks if look["day"] == day):
            number = leave[-1] if look["what"] == "flow" else state[names.index(look["what"])]
            counted.append({**look, "y": int(random.binomial(number, look["p"]) + random.poisson(look["phi"]))})
    return {
        "problem": "C",
        "stages": list(names),
        "D": declared,
        "pi": list(pi),
        "T": last,
        "q": list(hops),
        "rho": rate,
        "obs": counted,
    }


def _looks(plan: Sequence[tuple[str, Sequence[int], float, float]]) -> list[Look]:
    looks = [{"day": day, "what": what, "p": p, "phi": phi} for what, days, p, phi in plan for day in days]
    return sorted(looks, key=lambda look: (look["day"], look["what"], look["p"]))


def four_thousand() -> Look:
    """4,000 items declared and 150 not, 60 days, 49 looks."""
    looks = _looks(
        [
            ("site", (0, 2, 5, 9, 14, 20, 27, 35, 44, 52, 60), 0.60, 9.0),
            ("site", (4, 12, 25, 40, 55), 0.35, 15.0),
            ("port", (3, 7, 11, 16, 22, 29, 38, 48, 58), 0.70, 3.0),
            ("ship", (6, 8, 13, 17, 23, 31, 39, 49, 59), 0.80, 1.5),
            ("flow", (9, 10, 15, 19, 21, 24, 28, 32, 36, 41, 46, 50, 54, 57, 60), 0.85, 0.3),
        ]
    )
    return simulate(4000, 150, undeclared(0.5, 600, 0.995), (0.08, 0.20, 0.30), 0.5, looks, 304)


def grown(items: int = 100, days: int = 40, stages: int = 3) -> Look:
    """A case of so many items, days and stages: looks at the stages in turn, every other day; up to a tenth more not declared."""
    extra = max(items // 10, 1)
    hops = tuple((0.10, 0.20, 0.30)[min(k, 2)] for k in range(stages))
    looks = [
        {"day": day, "what": (*STAGES[:stages], "flow")[day // 2 % (stages + 1)] if day else "site", "p": 0.7, "phi": 0.2}
        for day in range(0, days + 1, 2)
    ]
    if days % 2:
        looks.append({"day": days, "what": "site", "p": 0.7, "phi": 0.2})
    return simulate(items, extra // 2, undeclared(0.5, extra, 0.95), hops, 0.05, looks, 1000 + items + days + stages)
