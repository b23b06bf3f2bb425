"""What became of each trigger of a deadline, told as early as it can be: fulfilled, violated, or not yet due."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tallybook.formula.compiled import NotMonitorableError, compiled
from tallybook.formula.nodes import And, Eventually, Formula, FormulaError, Implies, Not, Value, is_number, looks_ahead
from tallybook.formula.operators import Result, picker
from tallybook.formula.past import Span
from tallybook.formula.plain import as_text
from tallybook.formula.trace import TimePoint
from tallybook.formula.values import Row, Time, decoded_row, encoded_row, exact

Status = Literal["fulfilled", "violated", "not yet due"]


@dataclass(frozen=True, slots=True)
class Obligation:
    """One trigger, with its values: where it stands, and at what time-stamp its window closes or closed (`due`).

    `at` is the time-stamp of the first answer in the window, where it is fulfilled. It is violated once a time-stamp after `due`
    has been seen; at `due` itself the answer may still come.
    """

    tp: int
    ts: float
    row: tuple[Value, ...]
    status: Status
    due: float
    at: float | None = None


@dataclass(slots=True, eq=False)
class _Open:
    tp: int
    stamp: float
    ts: Time
    row: Row
    key: Row
    met: bool = False


class Obligations:
    """Follows the triggers of `trigger and not eventually[lo,hi] answer` or of `trigger implies eventually[lo,hi] answer`.

    Trigger and answer may look at the past, not at the future; the answer's variables are among the trigger's. `variables` are
    those of a row. Raises FormulaError for a formula of another shape.
    """

    def __init__(self, formula: Formula) -> None:
        trigger, deadline = _split(formula)
        self._trigger, self._answer = compiled(trigger), compiled(deadline.part)
        self.variables = self._trigger.columns
        loose = [name for name in self._answer.columns if name not in self.variables]
        if loose:
            raise NotMonitorableError(f"{', '.join(loose)} stands in the answer and not in the trigger; bind it by `exists`")
        self._key = picker([self.variables.index(name) for name in self._answer.columns])
        self._span = Span(deadline.window)
        self._due: deque[_Open] = deque()
        self._waiting: dict[Row, deque[_Open]] = {}
        self._last: Time | None = None

    def feed(self, point: TimePoint) -> list[Obligation]:
        """Take the next time-point; what is now settled, in the order in which it was settled.

        Raises FormulaError where its time-stamp is before the last one or is no finite number.
        """
        if not is_number(point.ts):
            raise FormulaError(f"time-point {point.tp}: the time-stamp is no finite number: {point.ts!r}")
        ts = exact(point.ts)
        if self._last is not None and ts < self._last:
            raise FormulaError(f"time-point {point.tp}: its time-stamp {point.ts} is before the last one; sort the trace by time")
        self._last = ts
        settled = self._close(ts)
        events = {name: [encoded_row(row) for row in rows] for name, rows in point.events.items()}
        triggers, answers = _one(self._trigger.step(ts, events)), _one(self._answer.step(ts, events))
        for row in triggers[0]:
            entry = _Open(point.tp, point.ts, ts, row, self._key(row))
            self._due.append(entry)
            self._waiting.setdefault(entry.key, deque()).append(entry)
        for key in answers[0]:
            settled += self._meet(key, ts, point.ts)
        return settled

    def open(self) -> list[Obligation]:
        """The triggers whose window is still open and that have no answer yet, oldest first."""
        return [self._told(entry, "not yet due") for entry in self._due if not entry.met]

    def stored(self) -> int:
        """How many entries are kept."""
        return len(self._due) + sum(len(queue) for queue in self._waiting.values())

    def _close(self, ts: Time) -> list[Obligation]:
        limit = self._span.hi
        assert limit is not None
        settled = []
        while self._due and ts - self._due[0].ts > limit:
            entry = self._due.popleft()
            if not entry.met:
                self._leave(entry)
                settled.append(self._told(entry, "violated"))
        return settled

    def _leave(self, entry: _Open) -> None:
        queue = self._waiting[entry.key]
        queue.popleft()
        if not queue:
            del self._waiting[entry.key]

    def _meet(self, key: Row, ts: Time, stamp: float) -> list[Obligation]:
        queue = self._waiting.get(key, deque())
        late: list[_Open] = []
        settled = []
        while queue and self._span.entered(ts - queue[0].ts):
            entry = queue.popleft()
            if self._span.left(ts - entry.ts):
                # Only where the far end is open: the window closes at this very time-stamp.
                late.append(entry)
                continue
            entry.met = True
            settled.append(self._told(entry, "fulfilled", stamp))
        queue.extendleft(reversed(late))
        if not queue:
            self._waiting.pop(key, None)
        return settled

    def _told(self, entry: _Open, status: Status, at: float | None = None) -> Obligation:
        limit = self._span.hi
        assert limit is not None
        due = entry.ts + limit
        return Obligation(entry.tp, entry.stamp, decoded_row(entry.row), status, due if isinstance(due, int) else float(due), at)


def _one(results: Iterable[Result]) -> Result:
    (result,) = results
    return result


def _split(formula: Formula) -> tuple[Formula, Eventually]:
    """Trigger and deadline."""
    deadline: Formula = formula
    parts: Sequence[Formula] = ()
    if isinstance(formula, Implies):
        parts, deadline = (formula.left,), formula.right
    elif isinstance(formula, And):
        found = [part for part in formula.parts if isinstance(part, Not) and isinstance(part.part, Eventually)]
        if len(found) == 1:
            parts, deadline = [part for part in formula.parts if part is not found[0]], found[0].part
    if not parts or not isinstance(deadline, Eventually):
        raise FormulaError(
            f"`{as_text(formula)[:80]}` is no deadline; write `trigger and not eventually[0,7d] answer` "
            "or `trigger implies eventually[0,7d] answer`"
        )
    trigger = parts[0] if len(parts) == 1 else And(tuple(parts))
    for part in (trigger, deadline.part):
        if looks_ahead(part):
            raise FormulaError(f"`{as_text(part)[:80]}` looks ahead; trigger and answer of a deadline may look at the past only")
    return trigger, deadline
