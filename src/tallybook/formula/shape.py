"""What a watch over a stream of events is, and which formulas have a specialised one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tallybook.formula.nodes import And, Eventually, Formula, Not, Once, Predicate, Value, Variable, Window
from tallybook.formula.trace import SAID, Order, TimePoint


class Match(NamedTuple):
    """A time-point at which a formula holds, and the values for which it does."""

    tp: int
    ts: float
    row: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """`trigger and not eventually|once[window] answer`: names, the trigger's variables, and which of them the answer has."""

    trigger: str
    answer: str
    variables: tuple[str, ...]
    key: tuple[int, ...]
    window: Window
    future: bool

    @property
    def arity(self) -> int:
        """How many arguments the trigger has."""
        return len(self.variables)

    @property
    def same_key(self) -> bool:
        """Whether the answer has the arguments of the trigger, in their order."""
        return self.key == tuple(range(self.arity))


def shape_of(formula: Formula) -> Shape | None:
    """The shape of a formula that a specialised loop can watch; None for any other.

    Both events have variables only, each once, the answer's being among the trigger's; the names differ, the bounds are closed.
    """
    if not isinstance(formula, And) or len(formula.parts) != 2:
        return None
    trigger, negation = formula.parts
    if not isinstance(trigger, Predicate):
        trigger, negation = negation, trigger
    if not isinstance(trigger, Predicate) or not isinstance(negation, Not):
        return None
    timed = negation.part
    if not isinstance(timed, Eventually | Once) or not isinstance(timed.part, Predicate):
        return None
    answer, window = timed.part, timed.window
    if answer.name == trigger.name or window.lo_open or window.hi_open:
        return None
    for part in (trigger, answer):
        if not all(isinstance(arg, Variable) for arg in part.args) or len(set(part.args)) < len(part.args):
            return None
    if not set(answer.args) <= set(trigger.args):
        return None
    names = tuple(arg.name for arg in trigger.args if isinstance(arg, Variable))
    key = tuple(trigger.args.index(arg) for arg in answer.args)
    return Shape(trigger.name, answer.name, names, key, window, isinstance(timed, Eventually))


class Watch(ABC):
    """Watches a stream for one formula. `order` says what is one time-point: all of a time-stamp, or each event.

    `variables` gives the order of the values in a row.
    """

    def __init__(self, variables: tuple[str, ...], order: Order) -> None:
        self.variables, self.order = variables, order

    @property
    def said(self) -> str:
        """`by time` or `by order`, to go with every answer."""
        return SAID[self.order]

    @abstractmethod
    def extend(self, events: Iterable[Sequence[Any]]) -> list[Match]:
        """Take events (ts, name, *arguments) in the order of time; the matches that are now settled.

        Raises FormulaError for a time-stamp that is no finite number or is before the last one.
        """

    @abstractmethod
    def feed(self, point: TimePoint) -> list[Match]:
        """Take a time-point whose number is one more than that of the last (the first is 0); the matches that are now settled.

        Raises FormulaError as `extend` does. One watch takes time-points or events, not both.
        """

    def finish(self) -> list[Match]:
        """The matches that only waited for the last time-stamp to be complete."""
        return []

    @abstractmethod
    def undetermined(self) -> list[tuple[int, float]]:
        """The time-points seen that have no verdict yet, each with its time-stamp; call after `finish`."""

    @abstractmethod
    def stored(self) -> int:
        """How many entries are kept."""
