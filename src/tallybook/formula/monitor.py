"""The streaming monitor: time-points in, verdicts out as soon as they may be given.

A time-point is undetermined while no time-point has a time-stamp greater than its own plus the horizon of the formula, even
where what was seen would already decide. Formulas without future operators have their verdict at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tallybook.formula.compiled import NotMonitorableError, compiled
from tallybook.formula.nodes import (
    Always,
    Eventually,
    Formula,
    FormulaError,
    Until,
    Value,
    free,
    is_number,
    looks_ahead,
    parts_of,
)
from tallybook.formula.operators import picker
from tallybook.formula.trace import TimePoint
from tallybook.formula.values import Row, Time, decoded_row, encoded_row, exact


@dataclass(frozen=True, slots=True)
class Verdict:
    """The assignments that satisfy a formula at one time-point, in the order of the monitor's `variables`.

    A closed formula that holds has the one empty row, and one that does not has none.
    """

    tp: int
    ts: float
    rows: tuple[tuple[Value, ...], ...]


def monitorable(formula: Formula) -> str | None:
    """None where the monitor takes the formula; else why it does not, and what to do."""
    try:
        compiled(formula)
    except FormulaError as error:
        return str(error)
    return None


def exact_horizon(formula: Formula) -> Time:
    """`horizon` without rounding."""
    inner: Time = max((exact_horizon(part) for part in parts_of(formula)), default=0)
    return inner + exact(formula.window.hi or 0) if isinstance(formula, Eventually | Always | Until) else inner


class Monitor:
    """Watches a trace for one formula.

    `variables` gives the order of the values in a row (names with or without `?`; default: order of appearance). Each must be
    free in the formula; free variables left out are bound by `exists`. Raises NotMonitorableError (a FormulaError) for a formula
    outside the fragment and FormulaError for variables that do not fit.
    """

    def __init__(self, formula: Formula, variables: Sequence[str] | None = None) -> None:
        self._operator = compiled(formula)
        names = free(formula)
        wanted = names if variables is None else tuple(name if name.startswith("?") else f"?{name}" for name in variables)
        strange = [name for name in wanted if name not in names]
        if strange:
            known = ", ".join(names) or "none"
            raise FormulaError(f"{strange[0]} is no free variable of the formula; free are: {known}")
        self.variables: tuple[str, ...] = wanted
        columns = self._operator.columns
        self._pick = None if wanted == columns else picker([columns.index(name) for name in wanted])
        self._ahead = looks_ahead(formula)
        self._horizon = exact_horizon(formula)
        self._open: deque[tuple[int, float, Time]] = deque()
        self._early: deque[Collection[Row]] = deque()
        self._next = 0
        self._last: Time | None = None

    def feed(self, point: TimePoint) -> list[Verdict]:
        """Take the next time-point; the verdicts that may now be given, oldest first.

        Raises FormulaError where its time-stamp is before the last one or is no finite number.
        """
        stamp = point.ts
        if not is_number(stamp):
            raise FormulaError(f"time-point {point.tp}: the time-stamp is no finite number: {stamp!r}")
        ts = exact(stamp)
        if self._last is not None and ts < self._last:
            raise FormulaError(f"time-point {point.tp}: its time-stamp {stamp} is before the last one; sort the trace by time")
        self._last = ts
        self._open.append((point.tp, stamp, ts))
        events = {name: [encoded_row(row) for row in rows] for name, rows in point.events.items()}
        verdicts = []
        for rows, _ in self._operator.step(ts, events):
            if not self._early and self._due(ts):
                verdicts.append(self._verdict(rows))
            else:
                # The operator's rows may change with its next result.
                self._early.append(frozenset(rows))
        while self._early and self._due(ts):
            verdicts.append(self._verdict(self._early.popleft()))
        return verdicts

    def run(self, points: Iterable[TimePoint]) -> Iterator[Verdict]:
        """The verdicts over a whole trace, as they come; afterwards `undetermined` holds the rest."""
        for point in points:
            yield from self.feed(point)

    @property
    def undetermined(self) -> tuple[int, ...]:
        """The time-points seen that have no verdict yet."""
        return tuple(tp for tp, _, _ in self._open)

    @property
    def open_points(self) -> tuple[tuple[int, float], ...]:
        """Time-points without a verdict yet, each with its time-stamp."""
        return tuple((tp, ts) for tp, ts, _ in self._open)

    def stored(self) -> int:
        """How many rows, time-stamps and results the monitor keeps: its memory, but for a factor."""
        return self._operator.stored() + len(self._open) + sum(len(rows) for rows in self._early)

    def _due(self, now: Time) -> bool:
        return not self._ahead or now - self._open[0][2] > self._horizon

    def _verdict(self, rows: Collection[Row]) -> Verdict:
        tp, stamp, _ = self._open.popleft()
        chosen = {self._pick(row) for row in rows} if self._pick else rows
        return Verdict(tp, stamp, tuple([decoded_row(row) for row in chosen]) if chosen else ())


__all__ = ["Monitor", "NotMonitorableError", "Verdict", "exact_horizon", "monitorable"]
