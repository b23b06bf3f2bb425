"""Formulas as trees: metric first-order temporal logic with a past and a bounded future.

Windows are measured on time-stamps, in the unit of the trace. "Earlier" and "later" go by the order of time-points.
Values keep their JSON type: numbers that are equal are equal (1 and 1.0), true is never 1, and a text is never a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

SIGNS = ("<", "<=", "=", "!=", ">", ">=")

Value = str | int | float | bool | None


class FormulaError(ValueError):
    """A formula that cannot be used: str() says what is wrong, where and what to do."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable; its name keeps the question mark, as in `?x`."""

    name: str


Term = Variable | Value


@dataclass(frozen=True, slots=True)
class Window:
    """Distances in time from `lo` to `hi` (None: no upper bound), in units of the time-stamps; closed unless said."""

    lo: float
    hi: float | None
    lo_open: bool = False
    hi_open: bool = False


@dataclass(frozen=True, slots=True)
class Predicate:
    """An event of this name with these arguments at this time-point."""

    name: str
    args: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """Two constants or variables compared; `sign` is one of SIGNS. Values of two kinds are unequal and never in order."""

    left: Term
    sign: str
    right: Term


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Formula


@dataclass(frozen=True, slots=True)
class Implies:
    """The left part does not hold, or the right one does."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Exists:
    """Some values, of those that occur in the trace, make the part hold. `variables` are names with `?`."""

    variables: tuple[str, ...]
    part: Formula


@dataclass(frozen=True, slots=True)
class Once:
    """The part held at some earlier or present time-point in the window."""

    window: Window
    part: Formula


@dataclass(frozen=True, slots=True)
class Historically:
    """The part held at every earlier or present time-point in the window."""

    window: Window
    part: Formula


@dataclass(frozen=True, slots=True)
class Eventually:
    """The part holds at some later or present time-point in the window."""

    window: Window
    part: Formula


@dataclass(frozen=True, slots=True)
class Always:
    """The part holds at every later or present time-point in the window."""

    window: Window
    part: Formula


@dataclass(frozen=True, slots=True)
class Since:
    """`right` at some earlier or present time-point in the window, and `left` at each one after it up to and including now."""

    window: Window
    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Until:
    """`right` at some later or present time-point in the window, and `left` at each one from now until just before it."""

    window: Window
    left: Formula
    right: Formula


Formula = Predicate | Compare | And | Or | Not | Implies | Exists | Once | Historically | Eventually | Always | Since | Until


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number; a bool is none."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and math.isfinite(value))


def kind_of(value: Value) -> str:
    """`number`, `text`, `truth` or `null`: values of two kinds are never equal."""
    if isinstance(value, bool):
        return "truth"
    if value is None:
        return "null"
    return "text" if isinstance(value, str) else "number"


def compare(left: Value, sign: str, right: Value) -> bool:
    """Whether two values compare so. Numbers and texts (by code points) have an order; values of two kinds have none."""
    kind = kind_of(left)
    alike = kind == kind_of(right)
    if sign in ("=", "!="):
        return (alike and left == right) is (sign == "=")
    if not alike or kind not in ("number", "text"):
        return False
    a: Any = left
    b: Any = right
    if sign == "<":
        return bool(a < b)
    if sign == "<=":
        return bool(a <= b)
    return bool(a > b) if sign == ">" else bool(a >= b)


def parts_of(formula: Formula) -> tuple[Formula, ...]:
    """The direct parts of a formula, from left to right."""
    if isinstance(formula, And | Or):
        return formula.parts
    if isinstance(formula, Not | Exists | Once | Historically | Eventually | Always):
        return (formula.part,)
    if isinstance(formula, Implies | Since | Until):
        return (formula.left, formula.right)
    return ()


def walk(formula: Formula) -> Iterator[Formula]:
    """A formula and all that is in it, from the outside in, from left to right."""
    stack = [formula]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(parts_of(node)))


def free(formula: Formula) -> tuple[str, ...]:
    """The names (with `?`) of the variables that nothing binds, in order of appearance."""
    found: dict[str, None] = {}
    _free(formula, frozenset(), found)
    return tuple(found)


def _free(formula: Formula, bound: frozenset[str], found: dict[str, None]) -> None:
    terms: tuple[Term, ...] = ()
    if isinstance(formula, Predicate):
        terms = formula.args
    elif isinstance(formula, Compare):
        terms = (formula.left, formula.right)
    elif isinstance(formula, Exists):
        bound |= frozenset(formula.variables)
    for term in terms:
        if isinstance(term, Variable) and term.name not in bound:
            found[term.name] = None
    for part in parts_of(formula):
        _free(part, bound, found)


def horizon(formula: Formula) -> float:
    """How far a verdict looks ahead: the upper bounds of nested future operators, added along the deepest branch."""
    inner = max((horizon(part) for part in parts_of(formula)), default=0)
    if isinstance(formula, Eventually | Always | Until):
        return inner + (formula.window.hi or 0)
    return inner


def looks_ahead(formula: Formula) -> bool:
    """Whether any operator looks at the future, be its window of no width: then no verdict is due at once."""
    return any(isinstance(node, Eventually | Always | Until) for node in walk(formula))
