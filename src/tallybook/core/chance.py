"""Probabilities as they are written: with the digits that matter, and never as surer than they are."""

from __future__ import annotations

from math import ceil, floor, log10

_LEAST = 1e-6


def chance(p: float | None) -> str:
    """A probability with the digits that matter: 0.60, 0.004, 0.9994; blank for None."""
    if p is None:
        return ""
    if p < _LEAST:
        return "below 0.000001" if p > 0 else "0"
    if p > 1 - _LEAST:
        return "above 0.999999"
    rest = min(p, 1 - p)
    digits = max(2, ceil(-log10(rest) - 1e-9))
    # Down, so that what is not quite sure is never written as sure.
    return f"{p:.{digits}f}" if rest == p or digits == 2 else f"{floor(p * 10**digits) / 10**digits:.{digits}f}"
