"""Formulas over signals in dense time: the exact set of instants at which a formula holds.

A signal is piecewise constant. A state holds from its start, inclusive, to its end, exclusive (right-open); the last state of
a record holds up to and including the end of the record. So a state that ends at an instant is no witness at that instant:
`(not p) since[10,20] p` needs an instant of p after which p never holds, and there is none, whatever the signal. Tools whose
states are left-open (reelay) find it true for a while after each end of p.

Instants range over the record, from its first row to its end. `historically` and `always` are true where their window holds
no instant of the record; `once`, `since`, `eventually` and `until` are false there.

Method: every time and bound is scaled to whole ticks, so that truth can change only at ticks. Cell 2k is the instant k and
cell 2k+1 the open stretch between k and k+1. A set of instants is a sorted list of disjoint ranges of cells (first, after the
last). Windows add to ranges as Minkowski sums, since and until range by range of their left side: each operator takes time
linear in the number of ranges. The semantics are those of metric temporal logic over continuous time (Koymans, 1990).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tallybook.errors import TallybookError
from tallybook.formula.monitor import exact_horizon
from tallybook.formula.tree import (
    Always,
    And,
    Compare,
    Eventually,
    Exists,
    Formula,
    Historically,
    Implies,
    Not,
    Once,
    Or,
    Predicate,
    Since,
    Until,
    Variable,
    Window,
    compare,
    is_number,
    walk,
)
from tallybook.formula.values import Time, exact

MOST_ROWS = 2_000_000
MOST_NAMES = 1000

Ranges = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time from `start` to `end`, in the unit of the record; an open end is not part of it."""

    start: float
    end: float
    start_open: bool = False
    end_open: bool = True


@dataclass(frozen=True, slots=True)
class Signals:
    """A record of signals: `changes` gives for each name its changes as (time, value), at strictly increasing times.

    A value is true, false or None (not known from then on). A name that has no value yet is false: nothing has happened.
    """

    start: Time
    end: Time
    changes: Mapping[str, tuple[tuple[Time, bool | None], ...]]


def read_signals(rows: Sequence[Mapping[str, Any]], threshold: Mapping[str, float] | None = None) -> Signals:
    """A record from its rows: `{"t": time, name: value, ...}` with times that never decrease, the last one `{"t", "end": true}`.

    A name that a row leaves out keeps its value. Of two rows at one time the later one counts. A number is true when it is at
    least the `threshold` of its name; null says that the value is not known. Without an end row the record ends at its last row.
    Raises TallybookError naming the row for anything else.
    """
    limits = _limits(threshold)
    if len(rows) > MOST_ROWS:
        raise TallybookError(f"more than {MOST_ROWS} rows", where="signals", do="split the record")
    changes: dict[str, list[tuple[Time, bool | None]]] = {}
    start: Time | None = None
    last: Time = 0
    ended = False
    for n, row in enumerate(rows):
        if not isinstance(row, Mapping) or not is_number(row.get("t")):
            raise _fault(n, "no time", 'give every row a number as "t"')
        time = exact(row["t"])
        if ended or (start is not None and time < last):
            raise _fault(n, "a row after the end or before an earlier row", "put the rows in order of time, the end last")
        start, last = time if start is None else start, time
        ended = row.get("end") is True
        for name, value in row.items():
            if name == "t" or (name == "end" and ended):
                continue
            _add(changes.setdefault(name, []), time, _truth(n, name, value, limits))
        if len(changes) > MOST_NAMES:
            raise _fault(n, f"more than {MOST_NAMES} names", "split the record")
    if start is None:
        raise TallybookError("no rows", where="signals", do='give at least a row with "t" and the end')
    return Signals(start, last, {name: tuple(found) for name, found in changes.items()})


def _limits(threshold: object) -> dict[str, float]:
    if threshold is None:
        return {}
    if not isinstance(threshold, Mapping) or not all(is_number(limit) for limit in threshold.values()):
        raise TallybookError("thresholds that are no numbers", where="threshold", do="give each name a number")
    return dict(threshold)


def _truth(n: int, name: str, value: object, limits: Mapping[str, float]) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if is_number(value):
        if name in limits:
            return value >= limits[name]
        if value in (0, 1):
            return value == 1
        raise _fault(n, f"{name} is a number and has no threshold", f"give {name} a threshold")
    if isinstance(value, float) and name in limits and math.isinf(value):
        return value > 0
    raise _fault(n, f"{name} is neither true, false, null nor a number", "give one of these")


def _add(found: list[tuple[Time, bool | None]], time: Time, value: bool | None) -> None:
    if found and found[-1][0] == time:
        found.pop()
    if not found or found[-1][1] is not value:
        found.append((time, value))


def _fault(n: int, what: str, do: str) -> TallybookError:
    return TallybookError(what, where=f"signals row {n + 1}", do=do)


def spans(formula: Formula, signals: Signals) -> tuple[Span, ...]:
    """The periods of the record on which the formula surely holds, whatever its unknown values are, in order of time.

    No period says how far the record lets a verdict reach: see `verdicts` for what is undetermined near the end.
    Raises TallybookError for a formula with variables or with arguments: signals carry no data.
    """
    work = _Evaluation(formula, signals)
    return tuple(work.span(first, after) for first, after in work.ranges(formula, lenient=False))


def verdicts(formula: Formula, signals: Signals, instants: Iterable[float]) -> list[bool | None]:
    """Whether the formula holds at each instant; None where that is undetermined.

    Undetermined is an instant outside the record, one whose time plus the horizon of the formula (`tree.horizon`) lies beyond
    the end of the record, and one at which the answer hangs on a value that is not known.
    Raises TallybookError for a formula with variables or with arguments, and for an instant that is no finite number.
    """
    work = _Evaluation(formula, signals)
    surely = work.ranges(formula, lenient=False)
    unknown = any(value is None for found in signals.changes.values() for _, value in found)
    maybe = work.ranges(formula, lenient=True) if unknown else surely
    latest = signals.end - exact_horizon(formula)
    answers: list[bool | None] = []
    for instant in instants:
        if not is_number(instant):
            raise TallybookError(f"{instant!r} is no instant", where="probes", do="give finite numbers")
        time = exact(instant)
        if not signals.start <= time <= latest:
            answers.append(None)
            continue
        cell = work.cell(time)
        held = _within(surely, cell)
        answers.append(held if held == _within(maybe, cell) else None)
    return answers


class _Evaluation:
    """One formula over one record, in cells."""

    def __init__(self, formula: Formula, signals: Signals) -> None:
        self.signals = signals
        times = [signals.start, signals.end, *(time for found in signals.changes.values() for time, _ in found)]
        for node in walk(formula):
            if isinstance(node, Once | Historically | Eventually | Always | Since | Until):
                times += [exact(node.window.lo), exact(node.window.hi or 0)]
        self.scale = math.lcm(*{time.denominator for time in times})
        self.known: dict[tuple[str, bool], Ranges] = {}
        self.all: Ranges = [(2 * self.ticks(signals.start), 2 * self.ticks(signals.end) + 1)]

    def ticks(self, time: Time) -> int:
        """A time of the record or a bound in ticks."""
        return time.numerator * (self.scale // time.denominator)

    def cell(self, time: Time) -> int:
        """The cell in which any time lies."""
        scaled = time * self.scale
        whole = math.floor(scaled)
        return 2 * whole + (scaled != whole)

    def span(self, first: int, after: int) -> Span:
        """The period that a range of cells covers."""
        start, end = Fraction(first // 2, self.scale), Fraction(after // 2, self.scale)
        return Span(_plain(start), _plain(end), start_open=first % 2 == 1, end_open=after % 2 == 0)

    def ranges(self, formula: Formula, *, lenient: bool) -> Ranges:
        """Where the formula holds, with unknown values taken in its favour (`lenient`) or against it."""
        if isinstance(formula, Predicate):
            return self._signal(formula, lenient=lenient)
        if isinstance(formula, Compare):
            return self._constants(formula)
        if isinstance(formula, Exists):
            return self.ranges(formula.part, lenient=lenient)
        if isinstance(formula, Not):
            return self._not(self.ranges(formula.part, lenient=not lenient))
        if isinstance(formula, Or):
            return _union([found for part in formula.parts for found in self.ranges(part, lenient=lenient)])
        if isinstance(formula, And):
            return self._both([self.ranges(part, lenient=lenient) for part in formula.parts])
        if isinstance(formula, Implies):
            left = self._not(self.ranges(formula.left, lenient=not lenient))
            return _union(left + self.ranges(formula.right, lenient=lenient))
        return self._temporal(formula, lenient=lenient)

    def _temporal(self, formula: Once | Historically | Eventually | Always | Since | Until, *, lenient: bool) -> Ranges:
        window = formula.window
        if isinstance(formula, Since | Until):
            left, right = self.ranges(formula.left, lenient=lenient), self.ranges(formula.right, lenient=lenient)
            return self._chained(window, left, right, ahead=isinstance(formula, Until))
        part = self.ranges(formula.part, lenient=lenient)
        if isinstance(formula, Once | Eventually):
            return self._moved(window, part, ahead=isinstance(formula, Eventually))
        return self._not(self._moved(window, self._not(part), ahead=isinstance(formula, Always)))

    def _signal(self, formula: Predicate, *, lenient: bool) -> Ranges:
        if formula.args:
            raise _no_data(f"{formula.name} has arguments")
        key = (formula.name, lenient)
        if key not in self.known:
            changes = self.signals.changes.get(formula.name, ())
            ends = [*(2 * self.ticks(time) for time, _ in changes[1:]), self.all[0][1]]
            pairs = zip(changes, ends, strict=False)
            held = ((2 * self.ticks(time), end) for (time, value), end in pairs if value or (value is None and lenient))
            self.known[key] = _union(held)
        return self.known[key]

    def _constants(self, formula: Compare) -> Ranges:
        if isinstance(formula.left, Variable) or isinstance(formula.right, Variable):
            raise _no_data("a comparison has a variable")
        return self.all if compare(formula.left, formula.sign, formula.right) else []

    def _not(self, ranges: Ranges) -> Ranges:
        found: Ranges = []
        at, after = self.all[0]
        for first, end in ranges:
            if at < first:
                found.append((at, first))
            at = end
        if at < after:
            found.append((at, after))
        return found

    def _both(self, parts: list[Ranges]) -> Ranges:
        held = self.all
        for part in parts:
            held = _meet(held, part)
        return held

    def _moved(self, window: Window, ranges: Ranges, *, ahead: bool) -> Ranges:
        """The instants with some instant of `ranges` in their window: behind them, or `ahead`."""
        return _union(_meet(self.all, self._sums(window, ranges, ahead=ahead)))

    def _sums(self, window: Window, ranges: Ranges, *, ahead: bool) -> Ranges:
        """Minkowski sums of ranges and window. An end of a sum is closed where both ends that make it are."""
        nearest = self.ticks(exact(window.lo))
        farthest = nearest + self.all[0][1] - self.all[0][0] if window.hi is None else self.ticks(exact(window.hi))
        if window.hi is not None and nearest == farthest and (window.lo_open or window.hi_open):
            return []
        near_open, far_open = int(window.lo_open), int(window.hi_open)
        found: Ranges = []
        for first, after in ranges:
            if ahead:
                low = 2 * (first // 2 - farthest) + (first % 2 | far_open)
                high = 2 * (after // 2 - nearest) + (after % 2 & (1 - near_open))
            else:
                low = 2 * (first // 2 + nearest) + (first % 2 | near_open)
                high = 2 * (after // 2 + farthest) + (after % 2 & (1 - far_open))
            found.append((low, high))
        return found

    def _chained(self, window: Window, left: Ranges, right: Ranges, *, ahead: bool) -> Ranges:
        """Since, or until (`ahead`). A witness lies in the same range of `left` as now, or at the open end of that range."""
        found: Ranges = []
        here = window.lo == 0 and not window.lo_open and not (window.hi == 0 and window.hi_open)
        at = 0
        for first, after in left:
            low, high = (first, after + (1 - after % 2)) if ahead else (first - first % 2, after)
            while at < len(right) and right[at][1] <= low:
                at += 1
            witnesses: Ranges = []
            n = at
            while n < len(right) and right[n][0] < high:
                witnesses.append((max(low, right[n][0]), min(high, right[n][1])))
                n += 1
            found += _meet([(first, after)], self._sums(window, witnesses, ahead=ahead))
        return _union(found + right) if here else _union(found)


def _union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges in order, merged where they overlap or touch."""
    found: Ranges = []
    for first, after in sorted(ranges):
        if found and first <= found[-1][1]:
            if after > found[-1][1]:
                found[-1] = (found[-1][0], after)
        elif first < after:
            found.append((first, after))
    return found


def _meet(one: Ranges, other: Ranges) -> Ranges:
    """The cells in both; each list is in order by its firsts and by its ends."""
    found: Ranges = []
    i = j = 0
    while i < len(one) and j < len(other):
        first, after = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if first < after:
            found.append((first, after))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def _within(ranges: Ranges, cell: int) -> bool:
    n = bisect_right(ranges, cell, key=lambda found: found[0]) - 1
    return n >= 0 and cell < ranges[n][1]


def _plain(time: Fraction) -> float:
    return time.numerator if time.denominator == 1 else float(time)


def _no_data(what: str) -> TallybookError:
    return TallybookError(what, where="formula", do="signals carry no data: use names without arguments and no variables")
