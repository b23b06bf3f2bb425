"""Once and since: rows that stay true for a while after what made them so.

Kept per row: the newest time-stamp inside the window and, where the window starts later than now, those that wait to come in.
With an open end each row is kept once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence

from tallybook.formula.nodes import Window
from tallybook.formula.operators import NONE, Events, Operator, Result, picker
from tallybook.formula.values import Row, Time, exact


class Span:
    """A window in exact numbers."""

    def __init__(self, window: Window) -> None:
        self.lo: Time = exact(window.lo)
        self.hi: Time | None = None if window.hi is None else exact(window.hi)
        self.lo_open, self.hi_open = window.lo_open, window.hi_open
        self.empty = self.hi is not None and self.lo == self.hi and (self.lo_open or self.hi_open)

    def entered(self, distance: Time) -> bool:
        """Whether something so far away has reached the near end."""
        return distance > self.lo or (distance == self.lo and not self.lo_open)

    def left(self, distance: Time) -> bool:
        """Whether something so far away is beyond the far end."""
        return self.hi is not None and (distance > self.hi or (distance == self.hi and self.hi_open))


class Recent:
    """Rows with the newest time-stamp at which each was made true, inside a window that moves with time."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.instant = span.lo == 0 and not span.lo_open
        # Newest last, so that what leaves the window stands in front.
        self.inside: dict[Row, Time] = {}
        self.waiting: deque[tuple[Time, Row]] = deque()
        self.waits: dict[Row, deque[Time]] = {}

    def stored(self) -> int:
        return len(self.inside) + len(self.waiting)

    def add(self, row: Row, ts: Time) -> None:
        """The row was made true at `ts`, the newest time-stamp so far."""
        if self.instant:
            self._enter(row, ts)
            return
        if self.span.hi is None and (row in self.inside or row in self.waits):
            return
        stamps = self.waits.setdefault(row, deque())
        if not stamps or stamps[-1] != ts:
            stamps.append(ts)
            self.waiting.append((ts, row))

    def move(self, ts: Time) -> Sequence[Row]:
        """Time is now `ts`: take in what has reached the window, drop and return what has left it."""
        waiting, span = self.waiting, self.span
        while waiting and span.entered(ts - waiting[0][0]):
            stamp, row = waiting.popleft()
            stamps = self.waits.get(row)
            # A row that was dropped meanwhile leaves its place in the queue behind.
            if stamps and stamps[0] == stamp:
                stamps.popleft()
                if not stamps:
                    del self.waits[row]
                self._enter(row, stamp)
        if span.hi is None:
            return ()
        gone: list[Row] = []
        for row, stamp in self.inside.items():
            if not span.left(ts - stamp):
                break
            gone.append(row)
        for row in gone:
            del self.inside[row]
        return gone

    def drop(self, row: Row) -> None:
        """The row is no longer true, whenever it was made so."""
        self.inside.pop(row, None)
        self.waits.pop(row, None)

    def __contains__(self, row: Row) -> bool:
        return row in self.inside or row in self.waits

    def _enter(self, row: Row, stamp: Time) -> None:
        if self.span.hi is None:
            self.inside.setdefault(row, stamp)
            return
        self.inside.pop(row, None)
        self.inside[row] = stamp


class OnceOf(Operator):
    """Once, of a finite part."""

    live = True

    def __init__(self, window: Window, part: Operator) -> None:
        self.part, self.columns, self.delayed = part, part.columns, part.delayed
        self.span = Span(window)
        self.recent = Recent(self.span)
        self.stamps: deque[Time] = deque()

    def children(self) -> Sequence[Operator]:
        return (self.part,)

    def stored(self) -> int:
        return self.recent.stored() + len(self.stamps) + self.part.stored()

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        if self.delayed:
            return self._step_late(ts, events)
        (rows, _), *_ = self.part.step(ts, events)
        return (self._next(ts, rows),)

    def _step_late(self, ts: Time, events: Events) -> Iterable[Result]:
        self.stamps.append(ts)
        for rows, _ in self.part.step(ts, events):
            yield self._next(self.stamps.popleft(), rows)

    def _next(self, ts: Time, rows: Collection[Row]) -> Result:
        recent = self.recent
        if self.span.empty:
            return NONE, False
        for row in rows:
            recent.add(row, ts)
        recent.move(ts)
        return recent.inside.keys(), False


class OnceButOf(Operator):
    """Once, of a part that may be "all but": what every such result in the window leaves out, unless another one has it."""

    finite = False

    def __init__(self, window: Window, part: Operator) -> None:
        self.part, self.columns, self.delayed = part, part.columns, part.delayed
        self.span = Span(window)
        self.stamps: deque[Time] = deque()
        self.waiting: deque[tuple[Time, frozenset[Row], bool]] = deque()
        self.inside: deque[tuple[Time, frozenset[Row], bool]] = deque()
        self.counts: tuple[dict[Row, int], dict[Row, int]] = ({}, {})
        self.negative = 0
        self.common: frozenset[Row] | None = None

    def children(self) -> Sequence[Operator]:
        return (self.part,)

    def stored(self) -> int:
        buffered = sum(1 + len(rows) for queue in (self.waiting, self.inside) for _, rows, _ in queue)
        counted = sum(len(count) for count in self.counts) + len(self.common or ())
        return buffered + counted + len(self.stamps) + self.part.stored()

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        self.stamps.append(ts)
        for rows, but in self.part.step(ts, events):
            now = self.stamps.popleft()
            self.waiting.append((now, frozenset(rows), but))
            yield self._next(now)

    def _next(self, now: Time) -> Result:
        if self.span.empty:
            return NONE, False
        while self.waiting and self.span.entered(now - self.waiting[0][0]):
            item = self.waiting.popleft()
            self._enter(item)
        while self.inside and self.span.left(now - self.inside[0][0]):
            _, rows, but = self.inside.popleft()
            self._count(rows, but, -1)
        return self._result()

    def _enter(self, item: tuple[Time, frozenset[Row], bool]) -> None:
        _, rows, but = item
        if self.span.hi is not None:
            self.inside.append(item)
            self._count(rows, but, 1)
            return
        # Without a far end nothing ever leaves: one set of each kind is enough.
        if but:
            self.common = (rows if self.common is None else self.common & rows) - self.counts[0].keys()
            self.counts[0].clear()
        elif self.common is None:
            self.counts[0].update(dict.fromkeys(rows, 1))
        else:
            self.common -= rows

    def _count(self, rows: frozenset[Row], but: bool, by: int) -> None:
        count = self.counts[but]
        self.negative += by if but else 0
        for row in rows:
            left = count.get(row, 0) + by
            if left:
                count[row] = left
            else:
                del count[row]

    def _result(self) -> Result:
        if self.span.hi is None:
            return (self.counts[0].keys(), False) if self.common is None else (self.common, True)
        if not self.negative:
            return set(self.counts[0]), False
        some, without = self.counts
        least = min((rows for _, rows, but in (self.inside[-1], self.inside[0]) if but), key=len, default=without.keys())
        return {row for row in least if without.get(row) == self.negative and row not in some}, True


class SinceOf(Operator):
    """Since, with a finite right part whose columns include those of the left part."""

    live = True

    def __init__(self, window: Window, left: Operator, right: Operator) -> None:
        self.left, self.right, self.columns = left, right, right.columns
        self.delayed = left.delayed or right.delayed
        self.span = Span(window)
        self.recent = Recent(self.span)
        self.key = picker([right.columns.index(name) for name in left.columns])
        self.groups: dict[Row, set[Row]] = {}
        self.stamps: deque[Time] = deque()
        self.queues: tuple[deque[Result], deque[Result]] = (deque(), deque())

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def stored(self) -> int:
        waiting = sum(1 + len(rows) for queue in self.queues for rows, _ in queue)
        grouped = sum(len(group) for group in self.groups.values())
        return self.recent.stored() + grouped + len(self.stamps) + waiting + super().stored()

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        if not self.delayed:
            (left,) = self.left.step(ts, events)
            (right,) = self.right.step(ts, events)
            return (self._next(ts, left, right[0]),)
        return self._step_late(ts, events)

    def _step_late(self, ts: Time, events: Events) -> Iterable[Result]:
        self.stamps.append(ts)
        for queue, part in zip(self.queues, (self.left, self.right), strict=True):
            for rows, but in part.step(ts, events):
                queue.append((frozenset(rows), but))
        while all(self.queues):
            yield self._next(self.stamps.popleft(), self.queues[0].popleft(), self.queues[1].popleft()[0])

    def _next(self, ts: Time, left: Result, right: Collection[Row]) -> Result:
        self._restrict(left)
        if self.span.empty:
            return NONE, False
        for row in right:
            self.recent.add(row, ts)
            self.groups.setdefault(self.key(row), set()).add(row)
        for row in self.recent.move(ts):
            if row not in self.recent:
                self._forget(row)
        return self.recent.inside.keys(), False

    def _forget(self, row: Row) -> None:
        key = self.key(row)
        group = self.groups.get(key, set())
        group.discard(row)
        if not group:
            self.groups.pop(key, None)

    def _restrict(self, left: Result) -> None:
        keys, but = left
        gone = [key for key in keys if key in self.groups] if but else [key for key in self.groups if key not in keys]
        for key in gone:
            for row in self.groups.pop(key):
                self.recent.drop(row)
