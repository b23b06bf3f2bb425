"""Three-valued truth against the published tables of the Clinical Quality Language."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.core.truth import Truth, all_of, any_of, differ, implies

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "three-valued-connectives.json").read_text("utf-8"))
TRUTHS = st.sampled_from(list(Truth))


def rows(table: str) -> list[tuple[Truth, Truth, Truth]]:
    found = [(Truth.of(a), Truth.of(b), Truth.of(c)) for a, b, c in VECTORS["tables"][table]]
    assert len(found) == 9
    return found


@pytest.mark.parametrize(("left", "right", "expected"), rows("and"))
def test_and(left: Truth, right: Truth, expected: Truth) -> None:
    assert all_of((left, right)) is expected


@pytest.mark.parametrize(("left", "right", "expected"), rows("or"))
def test_or(left: Truth, right: Truth, expected: Truth) -> None:
    assert any_of((left, right)) is expected


@pytest.mark.parametrize(("left", "right", "expected"), rows("implies"))
def test_implies(left: Truth, right: Truth, expected: Truth) -> None:
    assert implies(left, right) is expected


@pytest.mark.parametrize(("left", "right", "expected"), rows("xor"))
def test_exclusive_or(left: Truth, right: Truth, expected: Truth) -> None:
    assert differ(left, right) is expected
    assert any_of((all_of((left, ~right)), all_of((~left, right)))) is expected


def test_not() -> None:
    assert [(value, ~value) for value in (Truth.of(a) for a, _ in VECTORS["not"])] == [
        (Truth.of(a), Truth.of(b)) for a, b in VECTORS["not"]
    ]


def test_of_nothing() -> None:
    assert all_of(()) is Truth.TRUE
    assert any_of(()) is Truth.FALSE


@given(st.lists(TRUTHS, max_size=6))
def test_order_and_number_of_operands_do_not_matter(parts: list[Truth]) -> None:
    for order in itertools.islice(itertools.permutations(parts), 24):
        assert all_of(order) is all_of(parts)
        assert any_of(order) is any_of(parts)
    assert all_of([*parts, *parts]) is all_of(parts)
    assert any_of([*parts, *parts]) is any_of(parts)


@given(st.lists(TRUTHS, max_size=6))
def test_de_morgan(parts: list[Truth]) -> None:
    assert ~all_of(parts) is any_of(~part for part in parts)
    assert ~any_of(parts) is all_of(~part for part in parts)


@given(st.lists(TRUTHS, max_size=6))
def test_exclusive_or_of_many_goes_from_left_to_right(parts: list[Truth]) -> None:
    held = Truth.FALSE
    for part in parts:
        held = differ(held, part)
    assert differ(*parts) is held


@given(st.lists(TRUTHS, min_size=1, max_size=5), st.data())
def test_learning_what_was_unknown_never_turns_an_answer_round(parts: list[Truth], data: st.DataObject) -> None:
    learnt = [data.draw(st.sampled_from([Truth.TRUE, Truth.FALSE])) if p is Truth.UNKNOWN else p for p in parts]
    for join in (all_of, any_of):
        assert join(parts) in (Truth.UNKNOWN, join(learnt))
