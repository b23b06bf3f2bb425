"""The parts of a compiled formula that need no time: events, negation, disjunction, projection.

Each operator takes the trace one time-point at a time and gives, in order, one result for each time-point as soon as it can.
A result is (rows, but): the set of rows that satisfy, or, with `but`, all rows but those.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter

from tallybook.formula.nodes import Predicate, Variable
from tallybook.formula.values import Row, Time, encoded

Result = tuple[Collection[Row], bool]
Events = Mapping[str, Sequence[Row]]

NONE: frozenset[Row] = frozenset()
UNIT: frozenset[Row] = frozenset({()})


class Operator(ABC):
    """One part of a compiled formula.

    `columns` are the variables of its rows. `finite`: results never are "all but". `live`: rows may change with the next
    result, so who keeps them copies them. `delayed`: a result may come later than its time-point.
    """

    columns: tuple[str, ...] = ()
    finite: bool = True
    live: bool = False
    delayed: bool = False

    @abstractmethod
    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        """Take the next time-point; give the results that are now settled, oldest first. All must be consumed."""

    def stored(self) -> int:
        """How many rows, results and time-stamps are kept, parts included."""
        return sum(child.stored() for child in self.children())

    def children(self) -> Sequence[Operator]:
        """The direct parts."""
        return ()


def picker(positions: Sequence[int]) -> Callable[[Row], Row]:
    """A function from a row to the row of its values at `positions`."""
    if not positions:
        return lambda row: ()
    if len(positions) == 1:
        first = positions[0]
        return lambda row: (row[first],)
    return itemgetter(*positions)


def kept(result: Result, live: bool) -> Result:
    """A result that no later step changes."""
    return (frozenset(result[0]), result[1]) if live else result


class Atom(Operator):
    """Events of one name whose arguments fit a pattern of constants and variables."""

    def __init__(self, formula: Predicate) -> None:
        names = [arg.name for arg in formula.args if isinstance(arg, Variable)]
        self.columns = tuple(dict.fromkeys(names))
        self.name, self.arity = formula.name, len(formula.args)
        self.plain = len(self.columns) == self.arity
        self.constants = [(n, encoded(arg)) for n, arg in enumerate(formula.args) if not isinstance(arg, Variable)]
        places = {name: [n for n, arg in enumerate(formula.args) if arg == Variable(name)] for name in self.columns}
        self.twins = [(first, other) for first, *others in places.values() for other in others]
        self.pick = picker([first for first, *_ in places.values()])

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        found = events.get(self.name)
        if not found:
            return ((NONE, False),)
        if self.plain:
            return (({row for row in found if len(row) == self.arity}, False),)
        return (({self.pick(row) for row in found if self._fits(row)}, False),)

    def _fits(self, row: Row) -> bool:
        return (
            len(row) == self.arity
            and all(row[n] == value for n, value in self.constants)
            and all(row[first] == row[other] for first, other in self.twins)
        )


class Constant(Operator):
    """A formula without variables and events: true or false."""

    def __init__(self, holds: bool) -> None:
        self.result: Result = (UNIT if holds else NONE, False)

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        return (self.result,)


class Negation(Operator):
    """All rows but those of the part; of a closed part, the other truth value."""

    def __init__(self, part: Operator) -> None:
        self.part = part
        self.columns = part.columns
        self.live, self.delayed = part.live and bool(part.columns), part.delayed
        self.finite = not part.columns

    def children(self) -> Sequence[Operator]:
        return (self.part,)

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        if self.columns:
            return ((rows, not but) for rows, but in self.part.step(ts, events))
        return ((NONE if rows else UNIT, False) for rows, _ in self.part.step(ts, events))


class Projection(Operator):
    """The rows of the part without some of its columns."""

    def __init__(self, part: Operator, columns: tuple[str, ...]) -> None:
        self.part, self.columns, self.delayed = part, columns, part.delayed
        self.pick = picker([part.columns.index(name) for name in columns])

    def children(self) -> Sequence[Operator]:
        return (self.part,)

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        if not self.columns:
            return ((UNIT if rows else NONE, False) for rows, _ in self.part.step(ts, events))
        return (({self.pick(row) for row in rows}, False) for rows, _ in self.part.step(ts, events))


class Junction(Operator):
    """Brings the results of several parts together, time-point by time-point."""

    def __init__(self, parts: Sequence[Operator]) -> None:
        # The slowest part last: its results need not be kept.
        self.parts = list(parts)
        self.delayed = any(part.delayed for part in parts)
        self.order = sorted(range(len(self.parts)), key=lambda n: self.parts[n].delayed)
        self.queues: list[deque[Result]] = [deque() for _ in self.parts]

    def children(self) -> Sequence[Operator]:
        return self.parts

    @abstractmethod
    def combine(self, results: Sequence[Result]) -> Result:
        """The result of one time-point from those of the parts, in their order."""

    def stored(self) -> int:
        waiting = sum(1 + len(rows) for queue in self.queues for rows, _ in queue)
        return waiting + super().stored()

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        if self.delayed:
            return self._step_late(ts, events)
        return (self.combine([next(iter(part.step(ts, events))) for part in self.parts]),)

    def _step_late(self, ts: Time, events: Events) -> Iterable[Result]:
        parts, queues = self.parts, self.queues
        *others, slowest = self.order
        for n in others:
            part, queue = parts[n], queues[n]
            for result in part.step(ts, events):
                queue.append(kept(result, part.live))
        own = queues[slowest]
        while own and all(queues):
            yield self.combine([queue.popleft() for queue in queues])
        for result in parts[slowest].step(ts, events):
            if own or not all(queues[n] for n in others):
                own.append(kept(result, parts[slowest].live))
            else:
                yield self.combine([result if queue is own else queue.popleft() for queue in queues])


class Blend(Junction):
    """Disjunction (or conjunction) of parts over the same columns, each finite or "all but"; closed parts fit any columns."""

    def __init__(self, parts: Sequence[Operator], columns: tuple[str, ...], *, every: bool) -> None:
        super().__init__(parts)
        self.columns, self.every = columns, every
        same = all(part.columns for part in parts) or not columns
        self.finite = not columns or (same and (any if every else all)(part.finite for part in parts))
        self.picks = [
            None if part.columns == columns or not part.columns else picker([part.columns.index(c) for c in columns])
            for part in parts
        ]

    def combine(self, results: Sequence[Result]) -> Result:
        inside: set[Row] = set()
        outside: set[Row] | None = None
        for (rows, but), part, pick in zip(results, self.parts, self.picks, strict=True):
            found = self._over(rows, but, part, pick)
            if found[1] is self.every:
                inside.update(found[0])
            else:
                outside = set(found[0]) if outside is None else outside.intersection(found[0])
        # For `and` both roles are swapped: what is "all but" is gathered, what is finite is cut down.
        if outside is None:
            return inside, self.every
        return outside - inside, not self.every

    def _over(self, rows: Collection[Row], but: bool, part: Operator, pick: Callable[[Row], Row] | None) -> Result:
        if self.columns and not part.columns:
            return NONE, bool(rows) is not but
        return ({pick(row) for row in rows} if pick else rows), but
