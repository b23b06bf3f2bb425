"""Any single change of the explanation of a life is caught, but for prose that is told in the words of conditions."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import pytest

from checker.mutations import mutations
from checker.test_lives import ROWS, books_of, made
from tallybook import desk
from tallybook.checker.books import Books
from tallybook.checker.check import check

BODY = """
provisions:
  - {id: pay, kind: duty, in: pact, owed: {by: A, to: B}, when: delivered(goods), achieve: paid(price), within: 1mo,
     unless: "@war"}
  - {id: keep, kind: duty, in: pact, owed: {by: B, to: A}, in_force: sealed(pact), maintain: not damaged(goods),
     until: 2020-12-31}
  - {id: help, kind: duty, in: pact, owed: {by: A, to: B}, endeavour: helped(B), earliest: 2020-02-01, by: 2020-03-15}
  - {id: tell, kind: duty, in: pact, owed: {by: A, to: B}, when: overdue @pay or missed @help, achieve: told(B)}
  - {id: cede, kind: duty, in: pact, owed: {by: A, to: B}, achieve: ceded(land)}
  - {id: halt, kind: power, in: pact, holder: B, when: delivered(goods), effect: {suspend: "@pay", at_most: 10d, then: resume}}
  - {id: quit, kind: power, in: pact, holder: B, when: missed @help, used_by: quit(B), effect: {end: "@cede"}}
  - {id: watch, kind: liberty, holder: B, while: owed @pay, measure: patrol, states: [light], must_use: {by: B, states: [full]}}
  - {id: war, kind: exception, to: "@pay", when: war(A)}
  - {id: truce, kind: exception, to: "@war", when: truce(A)}
  - {id: rate, kind: definition, cases: [{when: delivered(goods), is: 5}, {when: told(B), is: 7}, {is: 5}]}
  - {id: cheap, kind: exception, to: "@rate", when: helped(B), cases: [{is: 3}]}
  - {id: dear, kind: exception, to: "@cheap", when: war(A)}
  - {id: calm, kind: definition, holds_when: not once war(A)}
facts:
  - {atom: delivered(goods), from: 2020-01-31, recorded_by: [R1]}
  - {atom: sealed(pact), from: 2020-01-05, recorded_by: [R1]}
  - {atom: damaged(goods), from: 2020-04-02, recorded_by: [R2]}
  - {atom: helped(B), from: 2020-04-01, recorded_by: [R2]}
  - {atom: war(A), from: 2020-05-20, until: 2020-05-25, recorded_by: [R3]}
  - {atom: truce(A), from: 2020-05-22, until: 2020-05-23, recorded_by: [R3]}
  - {atom: used(@halt), from: 2020-02-10, recorded_by: [R1]}
  - {atom: quit(B), from: 2020-03-01, recorded_by: [R2]}
  - {atom: quit(B), from: 2020-03-20, value: false, recorded_by: [R2]}
  - {atom: "delegated(@pay, to=B)", from: 2020-02-02, recorded_by: [R1]}
  - {atom: waived(@cede), from: 2020-05-01, recorded_by: [R3]}
changes:
  - {in: later, n: 1, made: 2020-02-20, op: suspend, target: "@tell", until: 2020-04-30, recorded_by: [R2]}
  - {in: later, n: 2, made: 2020-02-21, op: extend, target: "@help", value: {by: 2020-03-31}, recorded_by: [R2]}
  - {in: later, n: 3, made: 2020-02-22, op: postpone, target: "@later#2", value: 2020-03-01, recorded_by: [R2]}
"""

ASKED = [
    ("@pay", "2020-02-15"),
    ("@pay", "2020-06-01"),
    ("@pay", "2020-05-21"),
    ("@pay", "2020-05-22T12:00Z"),
    ("@keep", "2020-05-01"),
    ("@help", "2020-04-10"),
    ("@tell", "2020-03-25"),
    ("@tell", "2020-06-01"),
    ("@cede", "2020-06-01"),
    ("@halt", "2020-06-01"),
    ("@quit", "2020-06-01"),
    ("@watch", "2020-03-25"),
    ("@war", "2020-05-24"),
    ("@rate", "2020-03-01"),
    ("@rate", "2020-05-01"),
    ("@rate", "2020-05-21"),
    ("@calm", "2020-06-01"),
]
PROSE = ("fact reasons", "fact waits_for")


@cache
def case_and_books() -> tuple[Any, Books]:
    return made(BODY)


@cache
def told(name: str, on: str) -> dict[str, Any]:
    answer = desk.why(desk.ask(case_and_books()[0], on), name)
    tree = {"name": answer.name, "words": answer.head, "because": [t.as_json() for t in answer.trees]}
    found: dict[str, Any] = json.loads(json.dumps(tree))
    return found


def passed(name: str, on: str, most: int) -> tuple[int, list[str]]:
    """How many changes were tried, and those that were not caught."""
    whole, books = told(name, on), case_and_books()[1]
    tried = list(mutations(whole["because"][0], "R3", ("pact", "words of it")))
    chosen = random.Random(3).sample(tried, min(most, len(tried)))
    return len(chosen), [what for what, other in chosen if not check({**whole, "because": [other]}, books)]


@pytest.mark.parametrize(("name", "on"), ASKED)
def test_a_life_is_accepted(name: str, on: str) -> None:
    assert [str(c) for c in check(told(name, on), case_and_books()[1])] == []


@pytest.mark.parametrize(("name", "on"), ASKED)
def test_a_single_change_of_a_life_is_caught(name: str, on: str) -> None:
    _, found = passed(name, on, 25)
    assert [what for what in found if not any(words in what for words in PROSE)] == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "on"), ASKED)
def test_every_single_change_of_a_life_is_caught(name: str, on: str) -> None:
    tried, found = passed(name, on, 2000)
    assert [what for what in found if not any(words in what for words in PROSE)] == []
    assert len(found) <= tried * 0.01


def test_the_lives_told_are_of_every_kind() -> None:
    """What the mutations are tried on has each rule of lives in it."""
    rules = {rule for name, on in ASKED for tree in told(name, on)["because"] for rule in _rules(tree)}
    wanted = {"norm", "trigger", "performance", "lifted", "exception", "deadline", "missed", "release", "roles", "life-state"}
    assert wanted | {"use", "value-of", "case", "life", "provision", "duty"} <= rules


def _rules(tree: dict[str, Any]) -> set[str]:
    return {tree["rule"]}.union(*(_rules(child) for child in tree.get("because", ())))


def test_books_with_another_use_or_date_are_not_those_told_of() -> None:
    later = BODY.replace("used(@halt), from: 2020-02-10", "used(@halt), from: 2020-02-12")
    assert check(told("@pay", "2020-06-01"), books_of(later, *ROWS))
    longer = BODY.replace("at_most: 10d", "at_most: 11d")
    assert check(told("@pay", "2020-06-01"), books_of(longer, *ROWS))
    peaceful = BODY.replace("war(A), from: 2020-05-20", "war(A), from: 2020-05-24")
    assert check(told("@pay", "2020-05-21"), books_of(peaceful, *ROWS))
