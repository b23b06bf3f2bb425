"""Conjunction: parts that bind variables are joined, the others are tests on the rows found so far."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice

from tallybook.formula.nodes import FormulaError, Term, Variable
from tallybook.formula.operators import NONE, UNIT, Junction, Operator, Result, picker
from tallybook.formula.values import Row, compared, encoded

MOST_ROWS = 1_000_000

Test = Callable[[Row, Sequence[Result]], bool]
Stage = Callable[[Collection[Row], Sequence[Result]], Collection[Row]]


class Conjunction(Junction):
    """All of several parts: stages that each turn rows into rows, given the results of the parts at one time-point."""

    def __init__(self, parts: Sequence[Operator], stages: Sequence[Stage], columns: tuple[str, ...]) -> None:
        super().__init__(parts)
        self.stages, self.columns = stages, columns

    def combine(self, results: Sequence[Result]) -> Result:
        rows: Collection[Row] = UNIT
        for stage in self.stages:
            rows = stage(rows, results)
            if not rows:
                return NONE, False
        # The first stage may hand on a part's own rows, which change.
        return (frozenset(rows) if not isinstance(rows, set | frozenset) else rows), False


def join(number: int, columns: tuple[str, ...], other: tuple[str, ...]) -> tuple[Stage, tuple[str, ...]]:
    """The stage that joins rows over `columns` with those of part `number` over `other`, and the columns of what it gives."""
    shared = [name for name in other if name in columns]
    added = [name for name in other if name not in columns]
    if not columns:
        return (lambda rows, results: results[number][0]), other
    mine = picker([columns.index(name) for name in shared])
    theirs = picker([other.index(name) for name in shared])
    extra = picker([other.index(name) for name in added])

    if not added:
        return (lambda rows, results: _semijoin(rows, results[number][0], mine)), columns

    def stage(rows: Collection[Row], results: Sequence[Result]) -> Collection[Row]:
        found = results[number][0]
        if not found:
            return NONE
        index: dict[Row, list[Row]] = {}
        if len(rows) < len(found):
            for row in rows:
                index.setdefault(mine(row), []).append(row)
            return _limited(row + extra(their) for their in found for row in index.get(theirs(their), ()))
        for their in found:
            index.setdefault(theirs(their), []).append(extra(their))
        return _limited(row + rest for row in rows for rest in index.get(mine(row), ()))

    return stage, columns + tuple(added)


def _limited(joined: Iterator[Row]) -> Collection[Row]:
    """The rows, unless they are too many. Raises FormulaError."""
    rows = set(islice(joined, MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise FormulaError(f"more than {MOST_ROWS:,} rows at one time-point; let the parts of the conjunction share variables")
    return rows


def _semijoin(rows: Collection[Row], found: Collection[Row], key: Callable[[Row], Row]) -> Collection[Row]:
    return {row for row in rows if key(row) in found}


def member(number: int, columns: tuple[str, ...], other: tuple[str, ...]) -> Test:
    """Whether a row over `columns` agrees with the result of part `number` over `other`, a subset of them."""
    if columns == other:
        return lambda row, results: (row in results[number][0]) is not results[number][1]
    key = picker([columns.index(name) for name in other])
    return lambda row, results: (key(row) in results[number][0]) is not results[number][1]


def membership(number: int, columns: tuple[str, ...], other: tuple[str, ...], *, wanted: bool) -> Stage:
    """The stage that keeps the rows that agree (or, not `wanted`, do not agree) with part `number`."""
    key = picker([columns.index(name) for name in other])

    def stage(rows: Collection[Row], results: Sequence[Result]) -> Collection[Row]:
        found, but = results[number]
        if but is wanted:
            return {row for row in rows if key(row) not in found}
        return {row for row in rows if key(row) in found}

    def whole(rows: Collection[Row], results: Sequence[Result]) -> Collection[Row]:
        found, but = results[number]
        if but is wanted:
            return {row for row in rows if row not in found}
        return {row for row in rows if row in found}

    return whole if columns == other else stage


def comparison(columns: tuple[str, ...], left: Term, sign: str, right: Term) -> Test:
    """A comparison as a test, its variables being columns."""
    sides = [(True, columns.index(term.name)) if isinstance(term, Variable) else (False, encoded(term)) for term in (left, right)]
    (left_column, first), (right_column, second) = sides
    return lambda row, results: compared(row[first] if left_column else first, sign, row[second] if right_column else second)


def tested(test: Test) -> Stage:
    """The stage that keeps the rows that pass."""
    return lambda rows, results: {row for row in rows if test(row, results)}


def copied(columns: tuple[str, ...], source: str) -> Stage:
    """The stage that adds a column equal to `source`."""
    place = columns.index(source)
    return lambda rows, results: {(*row, row[place]) for row in rows}


def all_tests(tests: Sequence[Test]) -> Test:
    """Conjunction of tests."""
    return lambda row, results: all(test(row, results) for test in tests)


def any_test(tests: Sequence[Test]) -> Test:
    """Disjunction of tests."""
    return lambda row, results: any(test(row, results) for test in tests)


def not_test(test: Test) -> Test:
    """Negation of a test."""
    return lambda row, results: not test(row, results)
