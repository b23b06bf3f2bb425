"""The Admiralty code: what a grade is worth, and that what cannot be judged is not thereby bad."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.core.bounds import Bounds
from tallybook.evidence.grade import GRADE, PART, Grade, has_direction, likelihood_ratio, weaker

ALL = [f"{source}{report}" for source, report in itertools.product("ABCDEF", "123456")]
DESIGN = {
    "A1": (30, 200),
    "A2": (10, 60),
    "B1": (10, 60),
    "B2": (5, 20),
    "A3": (2, 8),
    "B3": (2, 8),
    "C2": (2, 8),
    "C3": (1.5, 4),
}


def worth(text: str, scale: float = 1.0) -> Bounds:
    return likelihood_ratio(Grade(text), {}, scale)


@pytest.mark.parametrize("text", DESIGN)
def test_the_table_of_the_design(text: str) -> None:
    assert worth(text) == Bounds(*DESIGN[text])


@pytest.mark.parametrize("text", [g for g in ALL if "F" not in g and "6" not in g and set(g) & set("DE45")])
def test_a_doubtful_source_or_report_points_nowhere(text: str) -> None:
    assert worth(text) == Bounds(0.7, 1.5)
    assert not has_direction(worth(text))


@pytest.mark.parametrize("text", ["", *[g for g in ALL if "F" in g or "6" in g]])
def test_what_cannot_be_judged_is_not_bad(text: str) -> None:
    assert worth(text) == Bounds(0.5, 2)
    assert not Grade(text).can_be_judged
    assert not has_direction(worth(text))


@pytest.mark.parametrize("text", ALL)
def test_source_and_report_are_kept_apart_and_said_in_words(text: str) -> None:
    grade = Grade(text)
    assert (grade.reliability, grade.credibility) == (text[0], text[1])
    words = grade.in_words()
    assert words.startswith(f"{text}: source ")
    assert ("cannot be judged" in words) is not grade.can_be_judged
    assert GRADE.fullmatch(text)


def test_a_blank_grade_in_words() -> None:
    assert Grade("").in_words() == "not graded"
    assert (Grade("").reliability, Grade("").credibility) == ("", "")


@pytest.mark.parametrize("text", ["Z9", "A0", "A7", "a2", "2A", "A", "A22", " A2", "A2\n", "\u0410" + "2"])
def test_what_is_no_grade(text: str) -> None:
    assert not GRADE.fullmatch(text)


def test_a_better_grade_is_never_worth_less() -> None:
    for first, second in itertools.product("ABC", repeat=2):
        for better, worse in itertools.product("123", repeat=2):
            if first <= second and better <= worse:
                assert worth(first + better).low >= worth(second + worse).low
                assert worth(first + better).high >= worth(second + worse).high


def test_the_table_halved_and_doubled() -> None:
    assert worth("B2", 2) == Bounds(9, 39)
    assert worth("B2", 0.5) == Bounds(3, 10.5)
    for text in ("", "D4", "F2"):
        assert worth(text, 2) == worth(text, 0.5) == worth(text)


@given(st.sampled_from(ALL), st.sampled_from([0.5, 1.0, 2.0]))
def test_scaling_never_turns_the_direction_round(text: str, scale: float) -> None:
    assert (worth(text, scale).low >= 1) is (worth(text).low >= 1)


def test_a_case_may_override() -> None:
    mine = {"B2": Bounds(3, 9), "": Bounds(1, 1), "F6": Bounds(0.2, 0.8)}
    assert likelihood_ratio(Grade("B2"), mine) == Bounds(3, 9)
    assert likelihood_ratio(Grade("B2"), mine, 2) == Bounds(5, 17)
    assert likelihood_ratio(Grade(""), mine) == Bounds(1, 1)
    assert likelihood_ratio(Grade("F6"), mine) == Bounds(0.2, 0.8)
    assert likelihood_ratio(Grade("A1"), mine) == worth("A1")


def test_direction_is_lost_below_one_point_two() -> None:
    assert has_direction(Bounds(1.2, 3))
    assert not has_direction(Bounds(1.19, 3))


@given(st.sampled_from(ALL), st.sampled_from(ALL))
def test_the_weaker_of_two(first: str, second: str) -> None:
    found = weaker(Grade(first), Grade(second), {})
    assert worth(found.text).low == min(worth(first).low, worth(second).low)
    assert found in (Grade(first), Grade(second))


def test_a_part_counts_as_c3_at_most() -> None:
    assert weaker(Grade("A1"), Grade(PART), {}) == Grade("C3")
    assert weaker(Grade("D4"), Grade(PART), {}) == Grade("D4")
