"""Three-valued truth (strong Kleene) with the reasons for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Truth(Enum):
    """True, false or unknown. What is not recorded is unknown, never false."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    def __invert__(self) -> Truth:
        return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}[self]

    @staticmethod
    def of(value: bool | None) -> Truth:
        """The truth of a boolean; None is unknown."""
        return Truth.UNKNOWN if value is None else Truth.TRUE if value else Truth.FALSE


def all_of(parts: Iterable[Truth]) -> Truth:
    """Conjunction: one false operand decides, whatever is unknown beside it."""
    seen = set(parts)
    if Truth.FALSE in seen:
        return Truth.FALSE
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.TRUE


def any_of(parts: Iterable[Truth]) -> Truth:
    """Disjunction: one true operand decides, whatever is unknown beside it."""
    seen = set(parts)
    if Truth.TRUE in seen:
        return Truth.TRUE
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.FALSE


def implies(left: Truth, right: Truth) -> Truth:
    """Material implication: not left, or right."""
    return any_of((~left, right))


def differ(*parts: Truth) -> Truth:
    """Exclusive or: whether an odd number of the operands is true. One unknown operand leaves it unknown."""
    if Truth.UNKNOWN in parts:
        return Truth.UNKNOWN
    return Truth.of(parts.count(Truth.TRUE) % 2 == 1)


@dataclass(frozen=True, slots=True)
class Finding:
    """A truth with the facts, statuses and gaps that decided it, each in words."""

    truth: Truth
    reasons: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
