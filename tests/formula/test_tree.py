"""Formulas as trees: every shape of JSON, what is refused, free variables and horizons."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.formula.text import parse
from tallybook.formula.tree import (
    LARGEST,
    And,
    Compare,
    Eventually,
    FormulaError,
    Not,
    Once,
    Predicate,
    Since,
    Variable,
    Window,
    as_text,
    compare,
    free,
    from_json,
    horizon,
    looks_ahead,
    to_json,
)

P: dict[str, Any] = {"pred": "P", "args": ["?x"]}
Q: dict[str, Any] = {"pred": "Q", "args": ["?x", "?y", 7, 1.5, "text", True, None]}
WINDOW: dict[str, Any] = {"lo": 0, "hi": 5}


def test_every_shape_is_read() -> None:
    once: dict[str, Any] = {"op": "once", "lo": 2, "hi": 21, "hi_open": True, "arg": P}
    assert from_json(once) == Once(Window(2, 21, hi_open=True), Predicate("P", (Variable("?x"),)))
    since = {"op": "since", "lo": 0, "hi": None, "left": P, "right": Q}
    assert isinstance(from_json(since), Since)
    assert from_json({"op": "compare", "left": 2000, "cmp": "<", "right": "?a"}) == Compare(2000, "<", Variable("?a"))


@pytest.mark.parametrize(
    "tree",
    [
        P,
        Q,
        {"op": "and", "args": [P, Q]},
        {"op": "or", "args": [P, {"op": "not", "arg": Q}]},
        {"op": "implies", "left": P, "right": Q},
        {"op": "exists", "vars": ["?x", "?y"], "arg": Q},
        *({"op": op, **WINDOW, "lo_open": True, "arg": P} for op in ("once", "historically", "eventually", "always")),
        *({"op": op, **WINDOW, "left": P, "right": Q} for op in ("since", "until")),
        {"op": "historically", "lo": 0.5, "hi": None, "arg": P},
    ],
)
def test_json_and_text_come_back(tree: dict[str, Any]) -> None:
    assert to_json(from_json(tree)) == tree
    assert to_json(parse(as_text(from_json(tree)))) == tree


def test_one_conjunct_is_itself() -> None:
    assert from_json({"op": "and", "args": [P]}) == from_json(P)


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (None, "formula: an object"),
        ([P], "formula: an object"),
        ({}, "no op"),
        ({"op": "next", "arg": P}, 'unknown op "next"'),
        ({"op": ["and"], "args": [P]}, "unknown op a list"),
        ({"pred": "P"}, "args is missing"),
        ({"pred": "", "args": []}, "formula.pred"),
        ({"pred": 7, "args": []}, "formula.pred"),
        ({"pred": "P", "args": "x"}, "formula.args"),
        ({"pred": "P", "args": [[1]]}, r"formula.args\[0\]"),
        ({"pred": "P", "args": [float("nan")]}, r"formula.args\[0\]"),
        ({"pred": "P", "args": ["? "]}, "no name of a variable"),
        ({"pred": "P", "args": [10**400]}, "300 digits"),
        ({"pred": "P", "args": ["x" * 2000]}, "1000 characters"),
        ({"pred": "P", "args": [1] * 200}, "at most 100"),
        ({"pred": "P", "args": [], "note": 1}, 'unknown key "note"'),
        ({"op": "and", "args": []}, "at least one"),
        ({"op": "and", "args": P}, "at least one"),
        ({"op": "and", "args": [P, 5]}, r"formula.args\[1\]: an object"),
        ({"op": "not"}, "arg is missing"),
        ({"op": "exists", "vars": [], "arg": P}, "formula.vars"),
        ({"op": "exists", "vars": ["x"], "arg": P}, "formula.vars"),
        ({"op": "compare", "left": 1, "cmp": "==", "right": 2}, "formula.cmp"),
        ({"op": "compare", "left": 1, "cmp": ["="], "right": 2}, "formula.cmp"),
        ({"op": "once", "hi": 5, "arg": P}, "lo is missing"),
        ({"op": "once", "lo": 0, "arg": P}, "hi is missing"),
        ({"op": "once", "lo": -1, "hi": 5, "arg": P}, "formula.lo"),
        ({"op": "once", "lo": True, "hi": 5, "arg": P}, "formula.lo"),
        ({"op": "once", "lo": 0, "hi": False, "arg": P}, "formula.hi"),
        ({"op": "once", "lo": float("nan"), "hi": 5, "arg": P}, "formula.lo"),
        ({"op": "once", "lo": 0, "hi": float("inf"), "arg": P}, "formula.hi"),
        ({"op": "once", "lo": "0", "hi": 5, "arg": P}, "formula.lo"),
        ({"op": "once", "lo": 6, "hi": 5, "arg": P}, "before it begins"),
        ({"op": "once", "lo": 0, "hi": 5, "lo_open": 1, "arg": P}, "formula.lo_open"),
        ({"op": "once", "lo": 0, "hi": 5, "hi_opne": True, "arg": P}, "unknown key"),
        ({"op": "eventually", "lo": 0, "hi": None, "arg": P}, "needs an upper bound"),
        ({"op": "until", "lo": 0, "hi": None, "left": P, "right": P}, "needs an upper bound"),
    ],
)
def test_what_is_no_formula_is_refused(tree: object, says: str) -> None:
    with pytest.raises(FormulaError, match=says):
        from_json(tree)


def test_depth_and_size_are_limited() -> None:
    deep: dict[str, Any] = P
    for _ in range(100_000):
        deep = {"op": "not", "arg": deep}
    with pytest.raises(FormulaError, match="nested deeper"):
        from_json(deep)
    with pytest.raises(FormulaError, match="split the formula"):
        from_json({"op": "or", "args": [P] * LARGEST})


def test_free_variables_in_order_of_appearance() -> None:
    assert free(parse("q(?b, ?a) and exists ?c. r(?c, ?a, ?d)")) == ("?b", "?a", "?d")
    assert free(parse("p(?x) and exists ?x. q(?x)")) == ("?x",)
    assert free(parse("exists ?x. q(?x) and ?y > ?x")) == ("?y",)


def test_horizons_add_along_the_deepest_branch() -> None:
    assert horizon(parse("eventually[0,5] (p and always[1,3] q)")) == 8
    assert horizon(parse("eventually[0,5] p and always[1,3] q")) == 5
    assert horizon(parse("p until[0,2) once[0,9] q")) == 2
    assert not looks_ahead(parse("once p"))
    assert looks_ahead(parse("not eventually[0,0] p"))


def test_kinds_of_values_are_kept_apart() -> None:
    assert compare(1, "=", 1.0)
    assert compare(1, "!=", True)
    assert compare("1", "!=", 1)
    assert not compare("1", "<", 2)
    assert not compare(2, ">=", "1")
    assert not compare(False, "<", True)
    assert compare("B", "<", "a")
    assert compare(None, "=", None)


NAMES = st.sampled_from(["p", "Q", "and", "two words", "`", "\n", "ü"])
TERMS = st.one_of(
    st.sampled_from([Variable("?x"), Variable("?y-1")]),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.text(max_size=5).filter(lambda text: not text.startswith("?")),
)
TREES = st.recursive(
    st.builds(lambda name, args: {"pred": name, "args": [_plain(arg) for arg in args]}, NAMES, st.lists(TERMS, max_size=3)),
    lambda inner: st.one_of(
        st.builds(
            lambda op, parts: {"op": op, "args": parts}, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)
        ),
        st.builds(lambda part: {"op": "not", "arg": part}, inner),
        st.builds(lambda left, right: {"op": "implies", "left": left, "right": right}, inner, inner),
        st.builds(lambda part: {"op": "exists", "vars": ["?x", "?y-1"], "arg": part}, inner),
        st.builds(lambda part, op: {"op": op, "lo": 0, "hi": 1e-7, "arg": part}, inner, st.sampled_from(["once", "always"])),
        st.builds(lambda part: {"op": "historically", "lo": 0, "hi": None, "arg": part}, inner),
        st.builds(
            lambda left, right, op: {"op": op, "lo": 1, "hi": 2.5, "lo_open": True, "left": left, "right": right},
            inner,
            inner,
            st.sampled_from(["since", "until"]),
        ),
        st.builds(lambda left, right: {"op": "compare", "left": _plain(left), "cmp": "<=", "right": _plain(right)}, TERMS, TERMS),
    ),
    max_leaves=8,
)


def _plain(term: Any) -> Any:
    return term.name if isinstance(term, Variable) else term


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_text_says_the_whole_formula(tree: dict[str, Any]) -> None:
    formula = from_json(tree)
    assert to_json(formula) == tree
    assert to_json(parse(as_text(formula))) == tree
    assert parse(as_text(Not(And((formula, Eventually(Window(0, 1), formula)))))) == Not(
        And((formula, Eventually(Window(0, 1), formula)))
    )
