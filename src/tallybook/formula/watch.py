"""The watch for a formula over a stream of events: a specialised loop where there is one, else the general monitor.

watch(parse("asked(?i) and not eventually[0,50] answered(?i)"), "time").extend([(1, "asked", 7), (60, "asked", 8)])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tallybook.formula.monitor import Monitor
from tallybook.formula.nodes import Formula
from tallybook.formula.response import PriorWatch, ResponseWatch
from tallybook.formula.shape import Match, Watch, shape_of
from tallybook.formula.trace import Order, TimePoint
from tallybook.formula.values import Row


class GeneralWatch(Watch):
    """Any formula, by the general monitor."""

    def __init__(self, monitor: Monitor, order: Order) -> None:
        super().__init__(monitor.variables, order)
        self.monitor = monitor
        self.tp = -1
        self.stamp: Any = None
        self.events: dict[str, list[Row]] = {}

    def stored(self) -> int:
        return self.monitor.stored()

    def extend(self, events: Iterable[Sequence[Any]]) -> list[Match]:
        found: list[Match] = []
        for event in events:
            if self.tp < 0 or self.order == "points" or event[0] != self.stamp:
                found += self.finish()
                self.tp, self.stamp, self.events = self.tp + 1, event[0], {}
            self.events.setdefault(event[1], []).append(tuple(event[2:]))
        return found

    def feed(self, point: TimePoint) -> list[Match]:
        verdicts = self.monitor.feed(point)
        return [Match(verdict.tp, verdict.ts, row) for verdict in verdicts for row in verdict.rows]

    def finish(self) -> list[Match]:
        if not self.events:
            return []
        events, self.events = self.events, {}
        return self.feed(TimePoint(self.tp, self.stamp, events))

    def undetermined(self) -> list[tuple[int, float]]:
        return list(self.monitor.open_points)


def watch(formula: Formula, order: Order, variables: Sequence[str] | None = None, *, general: bool = False) -> Watch:
    """The fastest watch for a formula; `general` asks for the general monitor even where a loop of its own would do.

    `variables` as for Monitor, which also names the errors.
    """
    shape = None if general else shape_of(formula)
    monitor = Monitor(formula, variables)
    if shape is None or monitor.variables != shape.variables:
        return GeneralWatch(monitor, order)
    return (ResponseWatch if shape.future else PriorWatch)(shape, shape.variables, order)
