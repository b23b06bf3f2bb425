"""Formulas over finished traces, evaluated by their definition over all values that occur in the trace.

The streaming monitor takes formulas whose rows are always finite in number. This evaluator takes every formula, such as a bare
`not P(?x)`: an assignment gives each variable one of the values that occur anywhere in the trace. Each part of a formula gets
a table for each time-point, of the rows that satisfy or of all rows but some, and each operator combines the tables of its
parts; the future is the past of the trace read from its end. A budget of rows ends what would grow without measure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from tallybook.formula.assignments import EVER, NEVER, Algebra, Table
from tallybook.formula.monitor import Verdict, exact_horizon
from tallybook.formula.nodes import (
    Always,
    And,
    Compare,
    Eventually,
    Exists,
    Formula,
    FormulaError,
    Historically,
    Implies,
    Not,
    Once,
    Or,
    Predicate,
    Since,
    Until,
    Value,
    Variable,
    Window,
    free,
    is_number,
    looks_ahead,
)
from tallybook.formula.trace import TimePoint
from tallybook.formula.values import Row, Time, decoded_row, encoded, exact

MOST_ASSIGNMENTS = 5_000_000


class _Evaluation:
    """One trace; `tables` gives the table of a formula at each of its time-points."""

    def __init__(self, points: Sequence[TimePoint], most: int) -> None:
        self.times = [exact(point.ts) for point in points]
        self.events = [
            {name: {tuple(encoded(value) for value in row) for row in rows} for name, rows in point.events.items()}
            for point in points
        ]
        self.algebra = Algebra(_values(self.events), most)

    def tables(self, formula: Formula) -> list[Table]:
        """The table of the formula at each time-point."""
        if isinstance(formula, Predicate):
            return [self._event(formula, events) for events in self.events]
        if isinstance(formula, Compare):
            return [self.algebra.compared(formula)] * len(self.times)
        if isinstance(formula, Not):
            return [~table for table in self.tables(formula.part)]
        if isinstance(formula, And):
            return self._all(formula.parts)
        if isinstance(formula, Or):
            return [~table for table in self._all([Not(part) for part in formula.parts])]
        if isinstance(formula, Implies):
            return [~table for table in self._all([formula.left, Not(formula.right)])]
        if isinstance(formula, Exists):
            return [self.algebra.without(table, formula.variables) for table in self.tables(formula.part)]
        if isinstance(formula, Since):
            return self._since(formula.window, self.times, self.tables(formula.left), self.tables(formula.right))
        if isinstance(formula, Until):
            left, right = self.tables(formula.left), self.tables(formula.right)
            return self._since(formula.window, self._backwards(), left[::-1], right[::-1])[::-1]
        return self._unary(formula)

    def _unary(self, formula: Once | Historically | Eventually | Always) -> list[Table]:
        part = self.tables(formula.part)
        every = isinstance(formula, Historically | Always)
        if every:
            part = [~table for table in part]
        if isinstance(formula, Once | Historically):
            found = self._once(formula.window, self.times, part)
        else:
            found = self._once(formula.window, self._backwards(), part[::-1])[::-1]
        return [~table for table in found] if every else found

    def _backwards(self) -> list[Time]:
        """Time-stamps of the trace read from its end: what lies ahead lies behind."""
        return [-time for time in reversed(self.times)]

    def _event(self, formula: Predicate, events: dict[str, set[Row]]) -> Table:
        names = tuple(sorted({arg.name for arg in formula.args if isinstance(arg, Variable)}))
        rows = set()
        for row in events.get(formula.name, ()):
            if len(row) == len(formula.args):
                found: dict[str, Any] = {}
                for arg, value in zip(formula.args, row, strict=True):
                    if (found.setdefault(arg.name, value) if isinstance(arg, Variable) else encoded(arg)) != value:
                        break
                else:
                    rows.add(tuple(found[name] for name in names))
        return Table(names, frozenset(rows))

    def _all(self, parts: Sequence[Formula]) -> list[Table]:
        """Conjunction. Finite tables are joined first, then comparisons take rows out, then what is all but some rows."""
        comparisons: list[tuple[Compare, bool]] = []
        rest: list[list[Table]] = []
        for part in _flat(parts):
            inner = part.part if isinstance(part, Not) else part
            if isinstance(inner, Compare):
                comparisons.append((inner, inner is not part))
            else:
                rest.append(self.tables(part))
        return [self._joined([tables[n] for tables in rest], comparisons) for n in range(len(self.times))]

    def _joined(self, tables: list[Table], comparisons: Sequence[tuple[Compare, bool]]) -> Table:
        finite = sorted((table for table in tables if not table.but), key=lambda table: len(table.rows))
        held = EVER
        while finite:
            n = next((n for n, table in enumerate(finite) if set(table.names) & set(held.names)), 0)
            held = self.algebra.both(held, finite.pop(n))
            if not held.rows:
                return NEVER
        for comparison, negated in comparisons:
            held = self.algebra.kept(held, comparison, negated=negated)
        for table in sorted((table for table in tables if table.but), key=lambda table: len(table.names)):
            held = self.algebra.both(held, table)
        return held

    def _once(self, window: Window, times: Sequence[Time], tables: list[Table]) -> list[Table]:
        names = tuple(sorted({name for table in tables for name in table.names}))
        wide = [self.algebra.widened(table, names) for table in tables]
        finite: Counter[Row] = Counter()
        others: Counter[Row] = Counter()
        others_held = into = out = 0
        found: list[Table] = []
        for n, now in enumerate(times):
            changed = n == 0
            while into <= n and _old_enough(window, now - times[into]):
                (others if wide[into].but else finite).update(wide[into].rows)
                self.algebra.spend(len(wide[into].rows), names)
                others_held += wide[into].but
                into, changed = into + 1, True
            while out < into and _too_old(window, now - times[out]):
                counter = others if wide[out].but else finite
                counter.subtract(wide[out].rows)
                for row in wide[out].rows:
                    if not counter[row]:
                        del counter[row]
                others_held -= wide[out].but
                out, changed = out + 1, True
            if changed:
                self.algebra.spend(len(finite) + len(others), names)
                if others_held:
                    rows = (row for row, count in others.items() if count == others_held and row not in finite)
                    latest = Table(names, frozenset(rows), but=True)
                else:
                    latest = Table(names, frozenset(finite))
            found.append(latest)
        return found

    def _since(self, window: Window, times: Sequence[Time], left: list[Table], right: list[Table]) -> list[Table]:
        """Each witness with the rows for which `left` has held after it; witnesses of one time-stamp are kept as one."""
        waiting: list[tuple[Time, Table]] = []
        lasting = NEVER
        found: list[Table] = []
        for n, now in enumerate(times):
            kept = [(time, self.algebra.both(table, left[n])) for time, table in waiting]
            lasting = self.algebra.both(lasting, left[n])
            if kept and kept[-1][0] == now:
                kept[-1] = (now, self.algebra.either(kept[-1][1], right[n]))
            else:
                kept.append((now, right[n]))
            waiting, held = [], lasting
            for time, table in kept:
                if _too_old(window, now - time) or (not table.but and not table.rows):
                    continue
                if not _old_enough(window, now - time):
                    waiting.append((time, table))
                elif window.hi is None:
                    held = lasting = self.algebra.either(lasting, table)
                else:
                    waiting.append((time, table))
                    held = self.algebra.either(held, table)
            found.append(held)
        return found


def _old_enough(window: Window, age: Time) -> bool:
    lo = exact(window.lo)
    return age > lo if window.lo_open else age >= lo


def _too_old(window: Window, age: Time) -> bool:
    if window.hi is None:
        return False
    hi = exact(window.hi)
    return age >= hi if window.hi_open else age > hi


def _values(events: Iterable[dict[str, set[Row]]]) -> tuple[Any, ...]:
    """The values that occur in a trace, in order of appearance."""
    rows = (row for names in events for found in names.values() for row in sorted(found, key=repr))
    return tuple(dict.fromkeys(value for row in rows for value in row))


def _flat(parts: Sequence[Formula]) -> Iterable[Formula]:
    """Conjuncts, with double negations and inner conjunctions taken apart."""
    for part in parts:
        inner = part
        while isinstance(inner, Not) and isinstance(inner.part, Not):
            inner = inner.part.part
        if isinstance(inner, And):
            yield from _flat(inner.parts)
        else:
            yield inner


def evaluated(
    formula: Formula, points: Sequence[TimePoint], variables: Sequence[str] | None = None, *, most: int = MOST_ASSIGNMENTS
) -> tuple[list[Verdict], tuple[int, ...]]:
    """The verdicts of a finished trace in the order of its time-points, and the time-points that are undetermined.

    `variables` gives the order of the values in a row (names with or without `?`; default: the free ones in order of
    appearance). Free variables left out are bound by `exists`; one that the formula does not mention takes every value.
    Undetermined is as for the monitor: no time-stamp lies beyond the time-point's own plus the horizon of a formula that looks
    ahead.
    Raises TallybookError when more than `most` rows would be made in all, and FormulaError for time-stamps that decrease
    or are no finite numbers.
    """
    for point in points:
        if not is_number(point.ts):
            raise FormulaError(f"time-point {point.tp}: the time-stamp is no finite number: {point.ts!r}")
    for before, after in pairwise(points):
        if after.ts < before.ts:
            raise FormulaError(f"time-point {after.tp}: its time-stamp {after.ts} is before the last one; sort the trace by time")
    wanted = free(formula) if variables is None else tuple(f"?{name.removeprefix('?')}" for name in variables)
    evaluation = _Evaluation(points, most)
    last = evaluation.times[-1] if points else 0
    horizon, ahead = exact_horizon(formula), looks_ahead(formula)
    verdicts: list[Verdict] = []
    undetermined: list[int] = []
    for point, time, table in zip(points, evaluation.times, evaluation.tables(formula), strict=True):
        if ahead and last - time <= horizon:
            undetermined.append(point.tp)
        else:
            verdicts.append(Verdict(point.tp, point.ts, _rows(evaluation.algebra, table, wanted)))
    return verdicts, tuple(undetermined)


def _rows(algebra: Algebra, table: Table, wanted: tuple[str, ...]) -> tuple[tuple[Value, ...], ...]:
    """The rows of a table over the wanted names, in a fixed order."""
    table = algebra.without(table, [name for name in table.names if name not in wanted])
    names = tuple(sorted(set(wanted)))
    table = algebra.both(table, algebra.every(names)) if table.but else algebra.widened(table, names)
    places = [names.index(name) for name in wanted]
    return tuple(decoded_row(tuple(row[n] for n in places)) for row in table.rows)
