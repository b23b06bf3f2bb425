"""Any single change of an explanation is caught, but for those listed here, which say nothing else."""

from __future__ import annotations

import copy
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checker.given import ask, books, told
from checker.mutations import at, mutations, steps
from tallybook.checker.check import check

PASSES = {
    # How many were counted out is the account's: the checker does not count anew.
    "quantity": ("child", "fact declared", "fact removed", "fact remaining", "fact p_"),
    # What a duty to bring about a measure's state waits for is taken as given.
    "measure": ("fact waits_for",),
    "verdict": tuple(f"fact claims {n} 4 {what}" for n in range(9) for what in ("removed", "p_", "reports", "declared")),
}
TREES = [
    ("example", "1962-11-12", "submarine_facility"),
    ("example", "1962-11-12", "quarantine_status"),
    ("example", "1962-11-12", "@lift-quarantine"),
    ("example", "1962-11-12", "il28_bombers"),
    ("example", "1962-11-12", "verification_arrangements"),
    ("chemical-destruction", "2028-08-15", "casings_destroyed"),
    ("chemical-destruction", "2028-08-15", "brede_shells"),
    ("chemical-destruction", "2028-08-15", "@pay-rest"),
    ("second-readers", "2031-09-21", "north_rounds_destroyed"),
    ("second-readers", "2031-09-21", "east_rounds_destroyed"),
]


@cache
def plain(case: str, on: str, name: str) -> dict[str, Any]:
    return told(ask(case, on), name)


def passed(case: str, on: str, name: str, most: int) -> tuple[int, list[str]]:
    """How many changes were tried of the first tree, and those that were not caught."""
    inquiry = ask(case, on)
    whole = told(inquiry, name)
    tree, rest = whole["because"][0], whole["because"][1:]
    instrument, text = next(iter(books(case).texts.items()))
    quote = instrument, " ".join(text.split()[5:9])
    tried = list(mutations(tree, list(inquiry.view.reports)[3], quote))
    chosen = random.Random(7).sample(tried, min(most, len(tried)))
    found = [what for what, other in chosen if not check({**whole, "because": [other, *rest]}, books(case))]
    return len(chosen), found


def is_listed(what: str) -> bool:
    rule, done = what.split(" ", 1)[1].split(": ", 1)
    return any(done.startswith(start) for start in PASSES.get(rule, ()))


@pytest.mark.parametrize(("case", "on", "name"), TREES)
def test_a_single_change_is_caught(case: str, on: str, name: str) -> None:
    tried, found = passed(case, on, name, 20)
    assert [what for what in found if not is_listed(what)] == []
    assert len(found) <= 1 + tried * 0.03


@pytest.mark.slow
@pytest.mark.parametrize(("case", "on", "name"), TREES)
def test_every_single_change_is_caught(case: str, on: str, name: str) -> None:
    tried, found = passed(case, on, name, 1200)
    assert [what for what in found if not is_listed(what)] == []
    assert len(found) <= tried * 0.1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_anything_in_place_of_anything_is_a_complaint_and_no_traceback(data: st.DataObject) -> None:
    case, on, name = data.draw(st.sampled_from([TREES[1], TREES[2], TREES[7]]))
    whole = copy.deepcopy(plain(case, on, name))
    whole["because"] = whole["because"][:1]
    tree = whole["because"][0]
    path = data.draw(st.sampled_from([path for path, _ in steps(tree)]))
    step = at(tree, path)
    place = data.draw(st.sampled_from([*step, *(f"facts.{key}" for key in step.get("facts", {}))]))
    value: Any = data.draw(ANYTHING)
    if place.startswith("facts."):
        step["facts"][place.removeprefix("facts.")] = value
    else:
        step[place] = value
    check(whole, books(case))


@given(ANYTHING)
def test_anything_else_is_no_explanation(value: Any) -> None:
    assert check(value, books("example"))
    assert check({"because": value}, books("example"))
