"""Explanations of conditions: the truth at the root is the condition's own, and the checker follows every part, at random."""

from __future__ import annotations

from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreement.recorded import F, Recorded, Steps, T, U, hours
from agreement.test_language_dense import ATOMS, FORMULAS, MEMBERS, STEPS, Formula, shown
from checker.given import ask, books
from checker.mutations import mutations
from tallybook.agreement.language import condition
from tallybook.agreement.reasons import explain_condition
from tallybook.checker.conditions import ConditionBook
from tallybook.checker.evaluate import Facts
from tallybook.checker.parse import ParseError, parse
from tallybook.checker.provisions import CannotTellError, Provisions
from tallybook.checker.rows import File
from tallybook.checker.walk import Complaints, Step
from tallybook.verdicts.on_record import because

UTC = ZoneInfo("UTC")


def complaints(text: str, tree: dict[str, Any], at: float) -> list[str]:
    out = Complaints()
    ConditionBook(text, None, UTC, out).check(Step(tree, "0"), hours(at))
    return [str(complaint) for complaint in out.found]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FORMULAS, st.fixed_dictionaries(dict.fromkeys(ATOMS, STEPS)), st.integers(-2, 32).map(lambda n: n / 2))
def test_the_truth_at_the_root_is_the_conditions_own(f: Formula, facts: dict[str, Steps], at: float) -> None:
    text = shown(f)
    record = Recorded(facts, {}, {"arms": MEMBERS, "vague": MEMBERS}, frozenset({"vague"}))
    tree = explain_condition(text, record, hours(at))
    assert tree.facts["truth"] == condition(text)(record, hours(at)).truth.value
    assert all(leaf.quote and leaf.quote in text for leaf in tree.leaves())
    assert complaints(text, tree.as_json(), at) == []


SITUATION = Recorded(
    {"p": [(0, T), (4, F)], "q": [(0, F), (2, T), (6, U)], "r(a)": [(0, T)], "r(b)": [(0, F), (3, T)]},
    {"verified @x": [(1, T)]},
    {"arms": ["a", "b"], "vague": ["a"], "none": []},
    frozenset({"vague"}),
    {"load": 12.0},
    {"@rate": "high"},
)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("p and q", ["and", "not-on-record"]),
        ("q and not p", ["and", "not-on-record"]),
        ("p or q", ["or", "not-on-record"]),
        ("p implies q", ["implies", "not-on-record", "not-on-record"]),
        ("once [0h, 3h] p", ["once", "not-on-record"]),
        ("always within 2h q", ["always", "not-on-record"]),
        ("q since [0h, ..] p", ["since", "not-on-record"]),
        ("every ?w in arms has r(?w)", ["every", "not-on-record", "not-on-record"]),
        ("some ?w in vague has not r(?w)", ["some"]),
        ("every ?w in none has r(?w)", ["every"]),
        ("count(?w in arms has r(?w)) >= 2", ["compare", "count-members", "not-on-record", "not-on-record"]),
        ("load > 10", ["compare", "amount"]),
        ("verified @x", ["status"]),
        ("value @rate == high", ["value"]),
    ],
)
def test_what_decides_is_shown(text: str, rules: list[str]) -> None:
    tree = explain_condition(text, SITUATION, hours(5))
    told = tree.as_json()
    assert [step.rule for step in Step(told, "0").walk()] == rules
    assert complaints(text, told, 5) == []


def test_a_false_part_is_enough_and_the_rest_is_listed() -> None:
    tree = explain_condition("p and q and (r(a) or q)", SITUATION, hours(5))
    assert [child.facts["condition"] for child in tree.children] == ["p"]
    assert tree.facts["folded"] == 2
    assert [operand[1:] for operand in tree.facts["operands"]] == [["false", True], ["true", False], ["true", False]]


def test_what_only_says_that_nothing_defeats_it_is_folded() -> None:
    tree = explain_condition("q and not p", SITUATION, hours(5))
    assert [child.facts["condition"] for child in tree.children] == ["q"]
    assert tree.facts["folded"] == 1


def test_parts_keep_their_parentheses_balanced() -> None:
    tree = explain_condition("((p) and (q)) or ((r(a)) and (q))", SITUATION, hours(5))
    for step in Step(tree.as_json(), "0").walk():
        words = step.facts["condition"]
        assert words.count("(") == words.count(")")
        parse(words)


@pytest.mark.parametrize("text", ["p and q", "once [0h, 3h] p", "q since [0h, ..] p", "every ?w in arms has r(?w)"])
def test_any_single_change_of_a_condition_is_caught(text: str) -> None:
    told = explain_condition(text, SITUATION, hours(5)).as_json()
    missed = [what for what, tree in islice(mutations(told, "X", ("agreement.yaml", "q")), 2000) if not complaints(text, tree, 5)]
    # Without a record only the form is followed: what an instant that was passed over would have shown is not known.
    assert [what for what in missed if "instants" not in what and "without says" not in what] == []


CONDITIONS = [
    ("example", "1962-11-12"),
    ("example", "1962-12-31"),
    ("chemical-destruction", "2028-08-15"),
]


@pytest.mark.parametrize(("case", "on"), CONDITIONS)
def test_the_checkers_own_evaluation_agrees_on_every_condition_of_a_case(case: str, on: str) -> None:
    inquiry = ask(case, on)
    facts = Facts(Provisions(File(books(case), inquiry.question.known), inquiry.on, "plain"))
    texts = [
        text
        for provision in inquiry.in_force.provisions.values()
        for key in ("in_force", "when", "achieve", "maintain", "while_", "holds_when")
        if (text := getattr(provision, key, None))
    ]
    assert len(texts) > 3
    told = 0
    for text in texts:
        for at in [*inquiry.record.changes(None, inquiry.on)[::7], inquiry.on]:
            assert because(inquiry, text, at).facts["truth"] == condition(text)(inquiry, at).truth.value
            try:
                assert facts.truth(parse(text), at, {}) == condition(text)(inquiry, at).truth.value, text
                told += 1
            except CannotTellError:
                continue
    assert told > 3


@pytest.mark.parametrize(
    "text", ["", "p and", "p q", "(p", "once [2h] p", "every x in y has p", "3", "p(", 'p("', "?", "not " * 99 + "p"]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)
