"""The checker's own copy of the published tables (docs/reference/verdicts.md). Nothing here is imported from what it checks."""

from __future__ import annotations

from math import exp, log
from typing import TypeAlias

Pair: TypeAlias = tuple[float, float]

RATIOS: dict[str, Pair] = {
    "A1": (30, 200),
    "A2": (10, 60),
    "B1": (10, 60),
    "B2": (5, 20),
    "A3": (2, 8),
    "B3": (2, 8),
    "C1": (2, 8),
    "C2": (2, 8),
    "C3": (1.5, 4),
}
DOUBTFUL: Pair = (0.7, 1.5)
UNJUDGED: Pair = (0.5, 2.0)
HALF_LIFE: dict[str, float | None] = {
    "act": None,
    "position": 10.0,
    "activity": 10.0,
    "statement": 30.0,
    "intention": 30.0,
}
PRIOR: Pair = (0.1, 0.9)
GOOD_EVIDENCE = 0.75
FADED_OUT = 1.2
PART = WORD = "C3"
RECORD = "B2"
DAYS_TO_RECORD = 366

_SIDES = ("none", "word only", "weak", "strong")
_ROWS = (
    ("no evidence", "unclear", "unclear", "contradicted"),
    ("claimed", "unclear", "unclear", "contradicted"),
    ("indicated", "indicated", "unclear", "contradicted"),
    ("supported", "supported", "supported", "disputed"),
)
LADDER: dict[tuple[str, str], str] = {
    (for_, against): _ROWS[row][column] for row, for_ in enumerate(_SIDES) for column, against in enumerate(_SIDES)
}
"""(strength for, strength against) to the word."""

WEAKEST_FIRST = (
    "contradicted",
    "disputed",
    "unclear",
    "no evidence",
    "claimed",
    "indicated",
    "supported",
    "verified",
)
TURNED = {
    "supported": "contradicted",
    "verified": "contradicted",
    "contradicted": "supported",
    "indicated": "unclear",
    "claimed": "unclear",
}
"""The word of a claim that is the bad news of a duty, turned round."""

TRUTHS = ("true", "false", "unknown")
_SURENESS = {"false": 0, "unknown": 1, "true": 2}


def conjunction(truths: list[str]) -> str:
    """Strong Kleene: the least sure of all; of nothing, true."""
    return min(truths, key=_SURENESS.__getitem__, default="true")


def disjunction(truths: list[str]) -> str:
    """Strong Kleene: the surest of all; of nothing, false."""
    return max(truths, key=_SURENESS.__getitem__, default="false")


def negation(truth: str) -> str:
    """True for false, false for true; unknown stays so."""
    return {"true": "false", "false": "true"}.get(truth, "unknown")


def ratio_of(grade: str, overrides: dict[str, Pair]) -> Pair:
    """What a grade is worth."""
    if grade in overrides:
        return overrides[grade]
    if not grade or grade.startswith("F") or grade.endswith("6"):
        return UNJUDGED
    return RATIOS.get(grade, DOUBTFUL)


def faded(ratio: Pair, days: float, half_life: float | None) -> Pair:
    """1 + (LR - 1) · 2^(-days / half-life); what can be below 1 does not fade."""
    if half_life is None or days <= 0 or ratio[0] < 1:
        return ratio
    keep = 2.0 ** (-days / half_life)
    return 1 + (ratio[0] - 1) * keep, 1 + (ratio[1] - 1) * keep


def posterior(prior: Pair, ratios: list[Pair]) -> Pair:
    """Prior odds times the product of the ratios, at both ends, as probabilities. Worked in logarithms."""

    def one(end: int) -> float:
        weight = log(prior[end] / (1 - prior[end])) + sum(log(ratio[end]) for ratio in ratios)
        return 1 / (1 + exp(-weight)) if weight > -700 else 0.0

    return one(0), one(1)
