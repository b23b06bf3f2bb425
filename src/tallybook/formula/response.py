"""The common shapes at speed: `P and not eventually[a,b] Q` and `P and not once[a,b] Q`, P and Q being events.

Each keeps one queue for each key that is open, and looks at each event once. Events come as tuples (ts, name, *arguments), so
that a long trace needs no object for each. Results are the same as the general monitor's, which a test compares.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from tallybook.formula.nodes import FormulaError, is_number
from tallybook.formula.operators import picker
from tallybook.formula.past import Recent, Span
from tallybook.formula.shape import Match, Shape, Watch
from tallybook.formula.trace import Order, TimePoint
from tallybook.formula.values import Row, Time, decoded_row, encoded_row, exact

# Time-stamp, key, time-point, row, and the time-stamp as given.
_Entry = tuple[Any, Row, int, Row, float]


class _ShapeWatch(Watch):
    """What the specialised watches share: the shape, and the present time."""

    def __init__(self, shape: Shape, variables: tuple[str, ...], order: Order) -> None:
        super().__init__(variables, order)
        self.shape = shape
        self.lo: Time = exact(shape.window.lo)
        self.hi: Time | None = None if shape.window.hi is None else exact(shape.window.hi)
        self.tp = -1
        self.stamp: Any = None
        self.ts: Any = None

    def moved(self, stamp: Any) -> Time:
        """A new time-stamp, checked and exact."""
        if not is_number(stamp):
            raise FormulaError(f"the time-stamp {stamp!r} is no finite number")
        ts = exact(stamp)
        if self.ts is not None and ts < self.ts:
            raise FormulaError(f"time-stamp {stamp} is before the last one, {self.stamp}; sort the events by time")
        return ts

    def rows(self, point: TimePoint) -> tuple[set[Row], set[Row]]:
        """The rows of trigger and answer at a time-point."""
        triggers = {encoded_row(row) for row in point.events.get(self.shape.trigger, ()) if len(row) == self.shape.arity}
        answers = {encoded_row(row) for row in point.events.get(self.shape.answer, ()) if len(row) == len(self.shape.key)}
        return triggers, answers


class ResponseWatch(_ShapeWatch):
    """`trigger and not eventually[lo,hi] answer`."""

    def __init__(self, shape: Shape, variables: tuple[str, ...], order: Order) -> None:
        super().__init__(shape, variables, order)
        # Each trigger is in `due` until its window closes, and in `waiting`, by key, until it is answered.
        self.due: deque[_Entry] = deque()
        # One entry stands there by itself: most keys never have two, and a queue costs as much as several entries.
        self.waiting: dict[Row, _Entry | deque[_Entry]] = {}
        # Time-stamps whose windows are open, each with its first time-point.
        self.marks: deque[tuple[Time, int, float]] = deque()
        # By time: what this time-stamp has answered and asked already.
        self.answered: set[Row] = set()
        self.asked: set[Row] = set()

    def stored(self) -> int:
        return (
            len(self.due)
            + sum(len(queue) if isinstance(queue, deque) else 1 for queue in self.waiting.values())
            + len(self.marks)
        )

    def extend(self, events: Iterable[Sequence[Any]]) -> list[Match]:
        found: list[Match] = []
        due, waiting, answered, asked = self.due, self.waiting, self.answered, self.asked
        trigger, answer, arity, width = self.shape.trigger, self.shape.answer, self.shape.arity, len(self.shape.key)
        each, at_once = self.order == "points", self.lo == 0
        pick = None if self.shape.same_key else picker(self.shape.key)
        stamp, ts, tp = self.stamp, self.ts, self.tp
        for event in events:
            if event[0] != stamp:
                ts = self._turn(event[0], tp + 1, found)
                stamp = event[0]
                tp += not each
            tp += each
            name = event[1]
            if name == trigger:
                row = tuple(event[2:])
                if len(row) != arity:
                    continue
                if 1 in row or 0 in row:
                    row = encoded_row(row)
                key = pick(row) if pick else row
                if key in answered or row in asked:
                    continue
                entry = (ts, key, tp, row, stamp)
                due.append(entry)
                if key in waiting:
                    self._join(entry)
                else:
                    waiting[key] = entry
                if not each:
                    asked.add(row)
            elif name == answer:
                key = tuple(event[2:])
                if 1 in key or 0 in key:
                    key = encoded_row(key)
                if len(key) != width:
                    continue
                if not at_once:
                    self._answer(key, ts)
                    continue
                waiting.pop(key, None)
                if not each:
                    answered.add(key)
        self.tp = tp
        return found

    def feed(self, point: TimePoint) -> list[Match]:
        found: list[Match] = []
        if self.ts is None or point.ts != self.stamp:
            self._turn(point.ts, point.tp, found)
        self.tp = point.tp
        triggers, answers = self.rows(point)
        pick = picker(self.shape.key)
        for row in triggers:
            entry = (self.ts, pick(row), point.tp, row, point.ts)
            self.due.append(entry)
            self._join(entry)
        for key in answers:
            self._answer(key, self.ts)
        return found

    def undetermined(self) -> list[tuple[int, float]]:
        ends = [*[first for _, first, _ in self.marks][1:], self.tp + 1]
        return [(tp, stamp) for (_, first, stamp), end in zip(self.marks, ends, strict=False) for tp in range(first, end)]

    def _join(self, entry: _Entry) -> None:
        """One more trigger waits."""
        queue = self.waiting.get(entry[1])
        if isinstance(queue, deque):
            queue.append(entry)
        else:
            self.waiting[entry[1]] = entry if queue is None else deque((queue, entry))

    def _turn(self, stamp: Any, tp: int, found: list[Match]) -> Time:
        """A new time-stamp has come, with time-point `tp`: windows that are now past are closed."""
        self.ts = ts = stamp if type(stamp) is int and self.ts is not None and stamp > self.ts else self.moved(stamp)
        self.stamp = stamp
        due, marks, hi = self.due, self.marks, self.hi
        assert hi is not None
        start = ts - hi
        while due and due[0][0] < start:
            entry = due.popleft()
            queue = self.waiting.get(entry[1])
            if queue is entry:
                del self.waiting[entry[1]]
            elif isinstance(queue, deque) and queue[0] is entry:
                queue.popleft()
                if not queue:
                    del self.waiting[entry[1]]
            else:
                continue
            found.append(Match(entry[2], entry[4], decoded_row(entry[3])))
        while marks and marks[0][0] < start:
            marks.popleft()
        marks.append((ts, tp, stamp))
        if self.answered or self.asked:
            self.answered.clear()
            self.asked.clear()
        return ts

    def _answer(self, key: Row, ts: Time) -> None:
        queue = self.waiting.get(key)
        end = ts - self.lo
        if isinstance(queue, deque):
            while queue and queue[0][0] <= end:
                queue.popleft()
        if not queue or (isinstance(queue, tuple) and queue[0] <= end):
            self.waiting.pop(key, None)


class PriorWatch(_ShapeWatch):
    """`trigger and not once[lo,hi] answer`."""

    def __init__(self, shape: Shape, variables: tuple[str, ...], order: Order) -> None:
        super().__init__(shape, variables, order)
        self.recent = Recent(Span(shape.window))
        self.pick = picker(shape.key)
        # By time: the triggers of this time-stamp, whose answers may still come.
        self.held: dict[Row, None] = {}

    def stored(self) -> int:
        return self.recent.stored() + len(self.held)

    def extend(self, events: Iterable[Sequence[Any]]) -> list[Match]:
        found: list[Match] = []
        trigger, answer, arity, width = self.shape.trigger, self.shape.answer, self.shape.arity, len(self.shape.key)
        each = self.order == "points"
        for event in events:
            if event[0] != self.stamp:
                found += self.finish()
                self._turn(event[0])
                self.tp += not each
            self.tp += each
            if event[1] == trigger and len(event) == arity + 2:
                row = encoded_row(event[2:])
                if not each:
                    self.held[row] = None
                elif self.pick(row) not in self.recent.inside:
                    found.append(Match(self.tp, self.stamp, decoded_row(row)))
            elif event[1] == answer and len(event) == width + 2:
                self.recent.add(encoded_row(event[2:]), self.ts)
        return found

    def feed(self, point: TimePoint) -> list[Match]:
        if self.ts is None or point.ts != self.stamp:
            self._turn(point.ts)
        self.tp = point.tp
        triggers, answers = self.rows(point)
        for key in answers:
            self.recent.add(key, self.ts)
        self.held = dict.fromkeys(triggers)
        return self.finish()

    def finish(self) -> list[Match]:
        found = [Match(self.tp, self.stamp, decoded_row(row)) for row in self.held if self.pick(row) not in self.recent.inside]
        self.held.clear()
        return found

    def undetermined(self) -> list[tuple[int, float]]:
        return []

    def _turn(self, stamp: Any) -> None:
        self.ts = self.moved(stamp)
        self.stamp = stamp
        self.recent.move(self.ts)
