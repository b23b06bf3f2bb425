"""Signals over dense time: published answers, the convention for ends of states, odd records and faults."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from formula import brute
from tallybook.errors import TallybookError
from tallybook.formula.signals import Span, read_signals, spans, verdicts
from tallybook.formula.text import parse
from tallybook.formula.tree import from_json, to_json

Json = Any
CASE = json.loads((Path(__file__).parents[1] / "conformance" / "cases" / "03-dense-time-past.json").read_text("utf-8"))
A_TWICE = [{"t": 0, "a": True}, {"t": 1, "a": False}, {"t": 2, "a": True}, {"t": 3, "a": False}, {"t": 10, "end": True}]


def whole(formula: str, rows: Json = A_TWICE, **threshold: float) -> list[str]:
    """The periods of a formula in interval notation."""
    found = spans(parse(formula), read_signals(rows, threshold))
    return [f"{'(' if s.start_open else '['}{s.start},{s.end}{')' if s.end_open else ']'}" for s in found]


@pytest.mark.parametrize("item", CASE["items"], ids=lambda item: item["formula_ascii"])
def test_the_published_periods(item: Json) -> None:
    """`since` includes now: on [10,20) p2 holds, so `p1 since p2` does, whatever p1 is. reelay wants p1 there too."""
    found = spans(from_json(item["formula"]), read_signals(CASE["signals"][item["signal"]]))
    at_the_witness = [[10, 20]] if item["formula_ascii"] in ("p1 since p2", "p1 since[0,24] p2") else []
    assert [[span.start, span.end] for span in found] == at_the_witness + item["true_on"]


def test_a_state_no_longer_holds_where_it_ends() -> None:
    (item,) = CASE["convention_sensitive"]
    found = spans(from_json(item["formula"]), read_signals(CASE["signals"][item["signal"]]))
    assert [[span.start, span.end] for span in found] == item["true_on_if_states_are_right_open"] == []


@pytest.mark.parametrize(
    ("formula", "periods"),
    [
        ("a", ["[0,1)", "[2,3)"]),
        ("not a", ["[1,2)", "[3,10]"]),
        ("once[1,1] a", ["[1,2)", "[3,4)"]),
        ("once[0,1] a", ["[0,4)"]),
        ("once[0,1) a", ["[0,4)"]),
        ("once(0,1] a", ["(0,2)", "(2,4)"]),
        ("once[0,0) a", []),
        ("historically[0,1] a", ["[0,1)"]),
        ("historically[5,..] a", ["[0,6)"]),
        ("historically(5,..] a", ["[0,6]"]),
        ("eventually[1,2] a", ["[0,2)"]),
        ("eventually(1,2) a", ["(0,2)"]),
        ("always[0,1] not a", ["[3,10]"]),
        ("always[0,1) not a", ["[1,1]", "[3,10]"]),
        ("a until[0,1] (not a)", ["[0,10]"]),
        ("a until[1,2] (not a)", ["[0,0]", "[2,2]"]),
        ("not a since[1,..] a", []),
        ("once[0,3] a and 1 < 2", ["[0,6)"]),
        ("a or 1 = true", ["[0,1)", "[2,3)"]),
        ("never_given", []),
        ("historically not never_given implies a", ["[0,1)", "[2,3)"]),
        ("exists ?x. a", ["[0,1)", "[2,3)"]),
    ],
)
def test_periods_with_their_ends(formula: str, periods: list[str]) -> None:
    assert whole(formula) == periods


def test_a_witness_at_the_open_end_of_what_holds_since() -> None:
    rise = "(a and not once(0,1] a)"
    rows = [{"t": 0, "a": True}, {"t": 1, "a": False}, {"t": 5, "end": True}]
    assert whole(f"once(0,1] a since[1.2,2] {rise}", rows) == ["[1.2,2)"]
    tree = to_json(parse(f"once(0,1] a since[1.2,2] {rise}"))
    assert brute.Signal(rows).answer(tree, [1, 1.2, 1.9, 2]) == [[1, False], [1.2, True], [1.9, True], [2, False]]


def test_decimals_are_met_exactly() -> None:
    rows = [{"t": 0.1, "a": True}, {"t": 0.2, "a": False}, {"t": 0.9, "end": True}]
    formula = parse("once[0.2,0.2] a")
    assert verdicts(formula, read_signals(rows), [0.3, 0.4]) == [True, False]
    assert spans(formula, read_signals(rows)) == (Span(0.3, 0.4),)


def test_instants_outside_the_record_and_near_its_end() -> None:
    record = read_signals([{"t": 3, "a": True}, {"t": 7, "end": True}])
    assert verdicts(parse("a"), record, [2.9, 3, 7, 7.1]) == [None, True, True, None]
    assert verdicts(parse("eventually[0,2] not a"), record, [3, 5, 5.1]) == [False, False, None]
    assert verdicts(parse("once eventually[0,1] always[0,1] a"), record, [5, 5.1]) == [True, None]
    assert verdicts(parse("historically[10,20] not a"), record, [7]) == [True]
    assert verdicts(parse("once[10,20] a"), record, [7]) == [False]


def test_a_name_keeps_its_value_and_is_false_before_its_first() -> None:
    rows: list[Json] = [{"t": 0, "a": True}, {"t": 2, "b": True}, {"t": 4, "a": False}, {"t": 5, "end": True}]
    assert whole("a and b", rows) == ["[2,4)"]
    assert whole("not b", rows) == ["[0,2)"]


def test_of_two_rows_at_one_time_the_later_counts() -> None:
    rows = [{"t": 0, "a": False}, {"t": 1, "a": True}, {"t": 1, "a": False}, {"t": 2, "a": True}, {"t": 3, "end": True}]
    assert whole("a", rows) == ["[2,3]"]


def test_what_is_not_known_decides_nothing() -> None:
    rows: list[Json] = [
        {"t": 0, "a": None, "b": True},
        {"t": 2, "a": True, "b": None},
        {"t": 4, "b": False},
        {"t": 9, "end": True},
    ]
    record = read_signals(rows)
    assert verdicts(parse("a"), record, [1, 2]) == [None, True]
    assert verdicts(parse("not a"), record, [1, 2]) == [None, False]
    assert verdicts(parse("a or b"), record, [1, 3, 5]) == [True, True, True]
    assert verdicts(parse("a and b"), record, [1, 3, 5]) == [None, None, False]
    assert verdicts(parse("once[0,2] not a"), record, [1, 3, 5]) == [None, None, False]
    assert verdicts(parse("a since b"), record, [0, 1, 4, 5]) == [True, True, None, None]
    assert verdicts(parse("a implies b"), record, [1, 5]) == [True, False]


def test_numbers_and_thresholds() -> None:
    rows: list[Json] = [{"t": 0, "d": 5, "e": 0.5, "on": 1}, {"t": 4, "d": 1}, {"t": 6, "e": 2}, {"t": 10, "end": True}]
    assert whole("d", rows, d=2, e=2) == ["[0,4)"]
    assert whole("d or e", rows, d=2, e=2) == ["[0,4)", "[6,10]"]
    assert whole("on and d", rows, d=1, e=2) == ["[0,10]"]


def test_a_record_without_an_end_ends_at_its_last_row() -> None:
    record = read_signals([{"t": 0, "a": True}, {"t": 2, "a": False}])
    assert verdicts(parse("a"), record, [1, 2, 3]) == [True, False, None]


@pytest.mark.parametrize(
    ("rows", "threshold", "says"),
    [
        ([], None, "no rows"),
        ([{"a": True}], None, "row 1: no time"),
        ([{"t": True}], None, "no time"),
        ([{"t": float("nan")}], None, "no time"),
        (["x"], None, "no time"),
        ([{"t": 1}, {"t": 0}], None, "row 2: a row after the end or before an earlier row"),
        ([{"t": 1, "end": True}, {"t": 2}], None, "row 2: a row after the end"),
        ([{"t": 1, "a": "yes"}], None, "a is neither true"),
        ([{"t": 1, "a": 7}], None, "a is a number and has no threshold"),
        ([{"t": 1, "a": float("nan")}], {"a": 1}, "a is neither true"),
        ([{"t": 1, "a": 7}], {"a": "high"}, "thresholds that are no numbers"),
        ([{"t": 1, "a": 7}], [1], "thresholds that are no numbers"),
        ([{"t": 1, **{f"n{n}": True for n in range(1001)}}], None, "more than 1000 names"),
    ],
)
def test_records_that_cannot_be_used(rows: Json, threshold: Json, says: str) -> None:
    with pytest.raises(TallybookError, match=says):
        read_signals(rows, threshold)


def test_an_infinite_number_passes_its_threshold() -> None:
    assert whole("d", [{"t": 0, "d": float("inf")}, {"t": 1, "d": float("-inf")}, {"t": 2, "end": True}], d=3) == ["[0,1)"]


@pytest.mark.parametrize("formula", ["a(1)", "a(?x)", "?x = 1", "once exists ?x. a(?x)"])
def test_signals_carry_no_data(formula: str) -> None:
    with pytest.raises(TallybookError, match="signals carry no data"):
        spans(parse(formula), read_signals(A_TWICE))


@pytest.mark.parametrize("instant", [float("inf"), True, "1"])
def test_instants_that_are_none(instant: Any) -> None:
    with pytest.raises(TallybookError, match="is no instant"):
        verdicts(parse("a"), read_signals(A_TWICE), [instant])


def test_many_changes() -> None:
    count, step = 50_000, 0.25
    rows: list[Json] = [{"t": n * step, "a": n % 2 == 0, "b": n % 3 == 0} for n in range(count)]
    began = time.process_time()
    record = read_signals([*rows, {"t": count * step, "end": True}])
    formula = parse("historically[0,3] (a since[1,50] b) or (not a until[0,7] (b and once(0.5,2] a))")
    assert len(spans(formula, record)) > 1000
    assert time.process_time() - began < 10
