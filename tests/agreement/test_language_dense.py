"""Conditions over dense time: the answers that another project publishes, and brute force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreement.recorded import SIGN, VECTORS, F, Recorded, Steps, T, U, hours, signals, truth, value_at
from tallybook.agreement.language import condition
from tallybook.core.truth import Truth


def in_our_words(formula: Any) -> str:
    if "pred" in formula:
        return str(formula["pred"])
    window = f"[{formula['lo']}h, {'..' if formula['hi'] is None else str(formula['hi']) + 'h'}]"
    if formula["op"] == "since":
        return f"{in_our_words(formula['left'])} since {window} {in_our_words(formula['right'])}"
    return f"{ {'once': 'once', 'historically': 'always'}[formula['op']] } {window} {in_our_words(formula['arg'])}"


@pytest.mark.parametrize("item", VECTORS["items"], ids=lambda item: str(item["formula_ascii"]))
def test_reelays_answers_over_dense_time(item: Any) -> None:
    text, facts = in_our_words(item["formula"]), signals(item["signal"])
    far = item["formula"]["hi"] or item["formula"]["lo"]
    for at, expected in item["probes"]:
        found = truth(text, at, facts=facts)
        if item["formula"]["op"] == "historically" and at < far:
            # reelay calls "always, so far back" true where there is no record so far back; here it is unknown.
            assert (expected, found) == (True, U)
        elif expected is False and at < far and found is not F:
            # Nor is "never, so far back" known there.
            assert found is U
        else:
            assert found is SIGN[expected], (text, at)


@pytest.mark.parametrize("item", VECTORS["items"], ids=lambda item: str(item["formula_ascii"]))
def test_reelays_answers_where_nothing_held_before_the_record(item: Any) -> None:
    facts = {name: [(-1000.0, F), *steps] for name, steps in signals(item["signal"]).items()}
    for at, expected in item["probes"]:
        vacuous = item["formula"]["op"] == "historically" and at < item["formula"]["lo"]
        assert truth(in_our_words(item["formula"]), at, facts=facts) is (F if vacuous else SIGN[expected])


# -------------------------------------------------------------------------------------------------------- brute force
#
# Facts change at whole hours and windows are whole hours, so every truth is constant within an hour. The evaluator below
# knows nothing of changes: it looks at every quarter of an hour. A window that is open begins with the record.

QUARTER = 0.25
Formula: TypeAlias = tuple[Any, ...]

MEMBERS = ["a", "b"]
ATOMS = ["p", "q", "r(a)", "r(b)"]


def window_text(window: tuple[int, int | None]) -> str:
    return f"[{window[0]}h, {'..' if window[1] is None else f'{window[1]}h'}]"


def shown(f: Formula) -> str:
    match f:
        case ("atom", name):
            return str(name)
        case ("not", a):
            return f"not ({shown(a)})"
        case ("and" | "or" | "implies" as op, a, b):
            return f"(({shown(a)}) {op} ({shown(b)}))"
        case ("once" | "always" as op, w, a):
            return f"{op} {window_text(w)} ({shown(a)})"
        case ("since", w, a, b):
            return f"(({shown(a)}) since {window_text(w)} ({shown(b)}))"
        case ("every" | "some" as op, term, a):
            return f"{op} ?x in {term} has ({shown(a)})"
        case ("count", term, a, sign, number):
            return f"count(?x in {term} has ({shown(a)})) {sign} {number}"
    raise AssertionError(f)


def kleene_and(parts: Sequence[Truth]) -> Truth:
    return F if F in parts else U if U in parts else T


def negated(part: Truth) -> Truth:
    return {T: F, F: T, U: U}[part]


def kleene_or(parts: Sequence[Truth]) -> Truth:
    return negated(kleene_and([negated(p) for p in parts]))


def sampled(f: Formula, at: float, facts: Mapping[str, Steps], open_terms: frozenset[str]) -> Truth:
    """The truth of a formula, from samples alone."""
    dawn = min((hour for steps in facts.values() for hour, _ in steps), default=99.0)

    @cache
    def of(g: Formula, moment: float, x: str) -> Truth:
        match g:
            case ("atom", name):
                return value_at(facts[name.replace("?x", x)], moment)
            case ("not", a):
                return negated(of(a, moment, x))
            case ("and", a, b):
                return kleene_and([of(a, moment, x), of(b, moment, x)])
            case ("or", a, b):
                return kleene_or([of(a, moment, x), of(b, moment, x)])
            case ("implies", a, b):
                return kleene_or([negated(of(a, moment, x)), of(b, moment, x)])
            case ("once", w, a):
                return kleene_or([of(a, s, x) for s in samples(moment, w, dawn)])
            case ("always", w, a):
                return kleene_and([of(a, s, x) for s in samples(moment, w, dawn)])
            case ("since", w, a, b):
                return kleene_or([kleene_and([of(b, s, x), *held(a, s, moment, x)]) for s in samples(moment, w, dawn)])
            case ("every", term, a):
                return kleene_and([*(of(a, moment, m) for m in MEMBERS), *([U] if term in open_terms else [])])
            case ("some", term, a):
                return kleene_or([*(of(a, moment, m) for m in MEMBERS), *([U] if term in open_terms else [])])
            case ("count", term, a, sign, number):
                return counted([of(a, moment, m) for m in MEMBERS], term in open_terms, sign, number)
        raise AssertionError(g)

    def held(a: Formula, witness: float, moment: float, x: str) -> list[Truth]:
        """After the witness, which for a witness before now includes what holds immediately after it."""
        return [] if witness == moment else [of(a, s, x) for s in between(witness, moment)]

    return of(f, at, "")


def between(first: float, last: float) -> list[float]:
    return [first + n * QUARTER for n in range(int((last - first) / QUARTER) + 1)]


def samples(moment: float, window: tuple[int, int | None], dawn: float) -> list[float]:
    near, far = window
    first = min(dawn, moment - near) if far is None else moment - far
    return between(first, moment - near)


def counted(parts: list[Truth], is_open: bool, sign: str, number: int) -> Truth:
    """What holds in every way in which the unknown may turn out; an open term may have many members more."""
    tests: dict[str, Callable[[int], bool]] = {
        "<": lambda n: n < number,
        "<=": lambda n: n <= number,
        "==": lambda n: n == number,
        "!=": lambda n: n != number,
        ">=": lambda n: n >= number,
        ">": lambda n: n > number,
    }
    more = range(parts.count(U) + (50 if is_open else 0) + 1)
    answers = {tests[sign](parts.count(T) + extra) for extra in more}
    return U if len(answers) == 2 else T if answers == {True} else F


WINDOWS = st.tuples(st.integers(0, 4), st.none() | st.integers(0, 5)).map(lambda w: (w[0], None if w[1] is None else w[0] + w[1]))
TRUTHS = st.sampled_from([T, F, U])


def formulas(leaf: st.SearchStrategy[Formula], looks: int, depth: int) -> st.SearchStrategy[Formula]:
    """Formulas of a depth, with at most so many windows within each other."""
    if depth == 0:
        return leaf
    same = formulas(leaf, looks, depth - 1)
    kinds = [
        leaf,
        st.tuples(st.just("not"), same),
        st.tuples(st.sampled_from(["and", "or", "implies"]), same, same),
    ]
    if looks:
        below = formulas(leaf, looks - 1, depth - 1)
        kinds += [
            st.tuples(st.sampled_from(["once", "always"]), WINDOWS, below),
            st.tuples(st.just("since"), WINDOWS, below, below),
        ]
    return st.one_of(kinds)


PLAIN: st.SearchStrategy[Formula] = st.sampled_from(["p", "q"]).map(lambda name: ("atom", name))
BOUND: st.SearchStrategy[Formula] = st.sampled_from(["p", "r(?x)", "r(?x)"]).map(lambda name: ("atom", name))
TERMS = st.sampled_from(["arms", "vague"])
GROUPS: st.SearchStrategy[Formula] = st.one_of(
    st.tuples(st.sampled_from(["every", "some"]), TERMS, formulas(BOUND, 1, 2)),
    st.tuples(
        st.just("count"), TERMS, formulas(BOUND, 0, 1), st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]), st.integers(0, 3)
    ),
)
FORMULAS = st.one_of(formulas(PLAIN, 2, 3), formulas(PLAIN | GROUPS, 1, 2))
STEPS = st.lists(st.tuples(st.integers(0, 12), TRUTHS), max_size=3, unique_by=lambda step: step[0]).map(sorted)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FORMULAS, st.fixed_dictionaries(dict.fromkeys(ATOMS, STEPS)), st.integers(-2, 32).map(lambda n: n / 2))
def test_random_conditions_agree_with_sampling(f: Formula, facts: dict[str, Steps], at: float) -> None:
    record = Recorded(facts, {}, {"arms": MEMBERS, "vague": MEMBERS}, frozenset({"vague"}))
    assert condition(shown(f))(record, hours(at)).truth is sampled(f, at, facts, frozenset({"vague"})), shown(f)
