"""Values and time-stamps in the form that the monitor computes with.

In Python True equals 1, so truth values travel as members of Flag. Time-stamps that are no whole numbers become fractions of
the decimals they are written with, so that 0.3 - 0.2 is 0.1 and a window of 0.1 is met exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from fractions import Fraction
from typing import Any

from tallybook.formula.nodes import Value, compare

Row = tuple[Any, ...]
Time = int | Fraction


class Flag(Enum):
    """A truth value that equals no number."""

    TRUE = True
    FALSE = False


def encoded(value: Value) -> Any:
    """A value as the monitor keeps it: only truth values change."""
    if value is True:
        return Flag.TRUE
    return Flag.FALSE if value is False else value


def encoded_row(values: Iterable[Value]) -> Row:
    """A row of values as the monitor keeps it."""
    row = tuple(values)
    # Also true of the numbers 1 and 0, which stay as they are.
    if True in row or False in row:
        return tuple(encoded(value) for value in row)
    return row


def decoded(value: Any) -> Value:
    """The value as it stood in the trace."""
    kept: Value = value.value if isinstance(value, Flag) else value
    return kept


def decoded_row(row: Row) -> tuple[Value, ...]:
    """The row as it stood in the trace."""
    if Flag.TRUE in row or Flag.FALSE in row:
        return tuple(decoded(value) for value in row)
    return row


def compared(left: Any, sign: str, right: Any) -> bool:
    """`compare` on values as the monitor keeps them."""
    return compare(decoded(left), sign, decoded(right))


def exact(number: float) -> Time:
    """A finite number without rounding: whole, or the fraction that its shortest decimal form names."""
    if isinstance(number, int):
        return number
    return int(number) if number == int(number) else Fraction(repr(number))
