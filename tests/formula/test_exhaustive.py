"""The evaluator of finished traces where others do not go: negation alone, no values at all, its budget, odd values."""

from __future__ import annotations

import time
from typing import Any

import pytest

from formula import brute
from tallybook.errors import TallybookError
from tallybook.formula.exhaustive import evaluated
from tallybook.formula.text import parse
from tallybook.formula.trace import TimePoint
from tallybook.formula.tree import FormulaError, to_json

Json = Any
TRACE = [
    TimePoint(0, 0, {"P": [(1,), ("b",)], "q": [()]}),
    TimePoint(1, 1, {"P": [(2,)], "r": [()]}),
    TimePoint(2, 1, {"R": [(1, 1.0), (True, 1)]}),
    TimePoint(3, 4, {"P": [("b",), (2,)], "q": [()]}),
    TimePoint(4, 9, {}),
]


def rows(formula: str, variables: list[str] | None = None, trace: list[TimePoint] = TRACE) -> list[list[Json]]:
    found, _ = evaluated(parse(formula), trace, variables)
    return [sorted((list(row) for row in verdict.rows), key=repr) for verdict in found]


def by_definition(formula: str, variables: list[str]) -> Json:
    points = [
        {"tp": p.tp, "ts": p.ts, "events": [{"pred": n, "args": list(row)} for n, found in p.events.items() for row in found]}
        for p in TRACE
    ]
    return brute.Trace(points).answer(to_json(parse(formula)), variables)["expected"]


@pytest.mark.parametrize(
    ("formula", "variables"),
    [
        ("not P(?x)", ["x"]),
        ("P(?x) or R(?x, ?y)", ["y", "x"]),
        ("not (P(?x) and not P(?y))", ["x", "y"]),
        ("once ((q and P(?x)) or (r and not P(?x)))", ["x"]),
        ("once[0,1] ((q and P(?x)) or (r and not P(?x)))", ["x"]),
        ("historically ((q and P(?x)) or (r and not P(?x)))", ["x"]),
        ("not P(?x) since[1,4] (P(?y) or r)", ["x", "y"]),
        ("not P(?x) since[1,..] P(?y)", ["x", "y"]),
        ("P(?x) implies ?x < 2", ["x"]),
        ("?x != ?y and not R(?x, ?y)", ["x", "y"]),
        ("exists ?y. not R(?x, ?y)", ["x"]),
        ("not exists ?y. not (P(?x) or R(?x, ?y))", ["x"]),
        ("P(?x) and not R(?y, ?x)", ["x", "y"]),
        ("exists ?x. once P(?x) and exists ?x. R(?x, ?x)", []),
        ("P(?x) and not not (?x = 1 and not not q)", ["x"]),
        ("not (q and 1 = 2)", []),
    ],
)
def test_as_defined(formula: str, variables: list[str]) -> None:
    found = rows(formula, variables)
    want = [row["sat"] if variables else [[]] * row["sat"] for row in by_definition(formula, variables)]
    assert found == [sorted(expected, key=repr) for expected in want]
    assert any(found)


def test_future_operators_leave_the_end_undetermined() -> None:
    found, undetermined = evaluated(parse("always[0,3] not P(?x)"), TRACE)
    assert [verdict.tp for verdict in found] == [0, 1, 2, 3]
    assert undetermined == (4,)
    assert sorted(map(repr, found[2].rows)) == ["(1,)", "(True,)"]
    assert evaluated(parse("eventually[0,5] q"), TRACE)[1] == (3, 4)


def test_values_of_two_kinds_are_two_values() -> None:
    assert rows("R(?x, ?x)")[2] == [[1]]
    assert rows("R(?x, 1) and ?x != 1")[2] == [[True]]
    assert rows("P(1.0)", [])[0] == [[]]
    assert rows("P(true)", [])[0] == []


def test_a_trace_without_values() -> None:
    bare = [TimePoint(0, 0, {"q": [()]})]
    assert rows("not P(?x)", None, bare) == [[]]
    assert rows("exists ?x. q", None, bare) == [[]]
    assert rows("not exists ?x. P(?x)", None, bare) == [[[]]]
    assert evaluated(parse("not P(?x)"), []) == ([], ())


def test_a_variable_that_is_not_in_the_formula_takes_every_value() -> None:
    assert len(rows("q", ["z"])[0]) == 4
    assert rows("q", ["?z"])[1] == []
    assert rows("P(?x)", [])[0] == [[]]


def test_the_budget() -> None:
    wide = [TimePoint(n, n, {"P": [(n,)], "Q": [(-n,)]}) for n in range(300)]
    with pytest.raises(TallybookError, match=r"more than 1000 assignments to \?x, \?y"):
        evaluated(parse("P(?x) or Q(?y)"), wide, most=1000)
    assert len(evaluated(parse("P(?x) and not Q(?x)"), wide, most=1000)[0]) == 300


def test_negations_that_are_guarded_somewhere_cost_little() -> None:
    count = 3000
    long = [TimePoint(n, n, {"P": [(n,)], "Q": [(n - 5,)]}) for n in range(count)]
    began = time.process_time()
    found, _ = evaluated(parse("(not Q(?x) since[0,9] P(?x)) and not once[0,2] P(?x)"), long)
    assert [sorted(verdict.rows) for verdict in found[10:12]] == [[(6,), (7,)], [(7,), (8,)]]
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("stamps", "says"),
    [((1, 0), "is before the last one"), ((0, float("nan")), "no finite number"), ((True,), "no finite number")],
)
def test_time_stamps_that_cannot_be_used(stamps: tuple[float, ...], says: str) -> None:
    with pytest.raises(FormulaError, match=says):
        evaluated(parse("q"), [TimePoint(n, ts, {}) for n, ts in enumerate(stamps)])
