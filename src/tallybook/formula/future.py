"""Eventually and until: results that come once the window of their time-point has closed.

An operator keeps the time-stamps of its open time-points and, for each row, the newest place in the window at which it was true.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence

from tallybook.formula.nodes import Window
from tallybook.formula.operators import NONE, Events, Operator, Result, picker
from tallybook.formula.past import Span
from tallybook.formula.values import Row, Time


class Ahead(Operator):
    """Keeps which time-points are open, and which of them the parts have settled."""

    live = True
    delayed = True

    def __init__(self, window: Window) -> None:
        self.span = Span(window)
        # Time-points without a result yet; those that the parts have not settled; both oldest first.
        self.open: deque[Time] = deque()
        self.unsettled: deque[Time] = deque()
        self.first = 0
        self.taken = 0

    def stored(self) -> int:
        return len(self.open) + len(self.unsettled) + super().stored()

    def arrived(self, ts: Time) -> None:
        """A new time-point is there."""
        self.open.append(ts)
        self.unsettled.append(ts)

    def closed(self, ts: Time) -> Iterable[tuple[int, Time]]:
        """Index and time-stamp of each open time-point whose window the parts have settled wholly, oldest first."""
        frontier = self.unsettled[0] if self.unsettled else ts
        limit = self.span.hi
        assert limit is not None
        while self.open and frontier - self.open[0] > limit:
            yield self.first, self.open.popleft()
            self.first += 1


class EventuallyOf(Ahead):
    """Eventually, of a finite part."""

    def __init__(self, window: Window, part: Operator) -> None:
        super().__init__(window)
        self.part, self.columns = part, part.columns
        self.waiting: deque[tuple[int, Time, Collection[Row]]] = deque()
        # Row -> newest place in the window; what leaves the window first stands in front.
        self.inside: dict[Row, tuple[int, Time]] = {}

    def children(self) -> Sequence[Operator]:
        return (self.part,)

    def stored(self) -> int:
        return len(self.inside) + sum(1 + len(rows) for _, _, rows in self.waiting) + super().stored()

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        self.arrived(ts)
        for rows, _ in self.part.step(ts, events):
            stamp = self.unsettled.popleft()
            if rows:
                self.waiting.append((self.taken, stamp, frozenset(rows) if self.part.live else rows))
            self.taken += 1
        for index, stamp in self.closed(ts):
            self._move(index, stamp)
            yield self.inside.keys(), False

    def _move(self, index: int, now: Time) -> None:
        span, inside = self.span, self.inside
        if span.empty:
            self.waiting.clear()
            return
        while self.waiting and not span.left(self.waiting[0][1] - now):
            place, stamp, rows = self.waiting.popleft()
            for row in rows:
                inside.pop(row, None)
                inside[row] = (place, stamp)
        gone = []
        for row, (place, stamp) in inside.items():
            if place >= index and span.entered(stamp - now):
                break
            gone.append(row)
        for row in gone:
            del inside[row]


class EventuallyButOf(Ahead):
    """Eventually, of a part that may be "all but": what every such result in the window leaves out, unless another has it."""

    finite = False
    live = False

    def __init__(self, window: Window, part: Operator) -> None:
        super().__init__(window)
        self.part, self.columns = part, part.columns
        self.waiting: deque[tuple[int, Time, frozenset[Row], bool]] = deque()
        self.inside: deque[tuple[int, Time, frozenset[Row], bool]] = deque()
        self.counts: tuple[dict[Row, int], dict[Row, int]] = ({}, {})
        self.negative = 0

    def children(self) -> Sequence[Operator]:
        return (self.part,)

    def stored(self) -> int:
        buffered = sum(1 + len(rows) for queue in (self.waiting, self.inside) for _, _, rows, _ in queue)
        return buffered + sum(len(count) for count in self.counts) + super().stored()

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        self.arrived(ts)
        for rows, but in self.part.step(ts, events):
            self.waiting.append((self.taken, self.unsettled.popleft(), frozenset(rows), but))
            self.taken += 1
        for index, stamp in self.closed(ts):
            yield self._next(index, stamp)

    def _next(self, index: int, now: Time) -> Result:
        span = self.span
        if span.empty:
            self.waiting.clear()
            return NONE, False
        while self.waiting and not span.left(self.waiting[0][1] - now):
            item = self.waiting.popleft()
            self.inside.append(item)
            self._count(item[2], item[3], 1)
        while self.inside and not (self.inside[0][0] >= index and span.entered(self.inside[0][1] - now)):
            _, _, rows, but = self.inside.popleft()
            self._count(rows, but, -1)
        some, without = self.counts
        if not self.negative:
            return set(some), False
        least = min((rows for _, _, rows, but in (self.inside[-1], self.inside[0]) if but), key=len, default=without.keys())
        return {row for row in least if without.get(row) == self.negative and row not in some}, True

    def _count(self, rows: frozenset[Row], but: bool, by: int) -> None:
        count = self.counts[but]
        self.negative += by if but else 0
        for row in rows:
            left = count.get(row, 0) + by
            if left:
                count[row] = left
            else:
                del count[row]


class Runs:
    """For each key, since which time-point the left part has held without a break."""

    def __init__(self) -> None:
        self.usual = 0
        self.starts: dict[Row, int] = {}

    def start(self, key: Row) -> int:
        """The first time-point of the unbroken run that ends just before the next one."""
        return self.starts.get(key, self.usual)

    def add(self, index: int, result: Result) -> None:
        """The left part's result at time-point `index`."""
        rows, but = result
        if but:
            for key in rows:
                self.starts.pop(key, None)
                self.starts[key] = index + 1
            return
        self.starts = {key: self.start(key) for key in rows}
        self.usual = index + 1

    def prune(self, index: int) -> None:
        """Breaks before `index` matter no more."""
        if self.usual > index:
            return
        gone = []
        for key, start in self.starts.items():
            if start > index:
                break
            gone.append(key)
        for key in gone:
            del self.starts[key]


class UntilOf(Ahead):
    """Until, with a finite right part whose columns include those of the left part.

    A row of the right part at one time-point holds for a run of earlier ones; each row is put in where its run begins and
    taken out where it ends.
    """

    def __init__(self, window: Window, left: Operator, right: Operator) -> None:
        super().__init__(window)
        self.left, self.right, self.columns = left, right, right.columns
        self.key = picker([right.columns.index(name) for name in left.columns])
        self.runs = Runs()
        self.queues: tuple[deque[Result], deque[Result]] = (deque(), deque())
        self.begins: dict[int, list[tuple[Row, int]]] = {}
        self.ends: dict[int, list[Row]] = {}
        self.inside: dict[Row, int] = {}

    def children(self) -> Sequence[Operator]:
        return (self.left, self.right)

    def stored(self) -> int:
        waiting = sum(1 + len(rows) for queue in self.queues for rows, _ in queue)
        planned = sum(len(rows) for rows in self.begins.values()) + sum(len(rows) for rows in self.ends.values())
        return len(self.inside) + waiting + planned + len(self.runs.starts) + super().stored()

    def step(self, ts: Time, events: Events) -> Iterable[Result]:
        self.arrived(ts)
        for queue, part in zip(self.queues, (self.left, self.right), strict=True):
            queue.extend((frozenset(rows), but) for rows, but in part.step(ts, events))
        while all(self.queues):
            self._take(self.taken, self.unsettled.popleft(), self.queues[0].popleft(), self.queues[1].popleft()[0])
            self.taken += 1
        for index, _ in self.closed(ts):
            for row, end in self.begins.pop(index, ()):
                self.inside[row] = max(end, self.inside.get(row, end))
            yield self.inside.keys(), False
            for row in self.ends.pop(index, ()):
                if self.inside.get(row) == index:
                    del self.inside[row]

    def _take(self, index: int, now: Time, left: Result, right: Collection[Row]) -> None:
        if right and not self.span.empty:
            first, last = self._reach(now, index)
            for row in right:
                start = max(first, self.runs.start(self.key(row)))
                if start <= last:
                    self.begins.setdefault(start, []).append((row, last))
                    self.ends.setdefault(last, []).append(row)
        self.runs.add(index, left)
        self.runs.prune(self.first)

    def _reach(self, now: Time, index: int) -> tuple[int, int]:
        """First and last open time-point up to `index` from which `now` lies in the window."""
        low, high = 0, index - self.first + 1
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.span.left(now - self.open[middle]) else (low, middle)
        first = self.first + low
        high = index - self.first + 1
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.span.entered(now - self.open[middle]) else (low, middle)
        return first, self.first + low - 1
