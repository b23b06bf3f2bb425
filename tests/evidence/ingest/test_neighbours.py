"""Texts that nearly say the same: exact, symmetric, and fast enough at the door."""

from __future__ import annotations

import random
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.evidence.ingest import neighbours
from tallybook.evidence.ingest.neighbours import Index, Neighbours, likeness, shingles

REPORT = "Eleven canvas-covered transporters were counted on the deck as the ship left the north quay at first light"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (REPORT, 1.0, 1.0),
        (REPORT.upper().replace("-", " ") + ".", 1.0, 1.0),
        (REPORT.replace("Eleven", "Twelve"), 0.85, 0.99),
        ("According to the harbour master, " + REPORT.lower(), 0.7, 0.9),
        ("The barracks were empty and the road had been swept; nobody was seen for two days", 0.0, 0.1),
        ("", 0.0, 0.0),
    ],
)
def test_how_alike(text: str, least: float, most: float) -> None:
    assert least <= likeness(REPORT, text) <= most
    assert likeness(text, REPORT) == likeness(REPORT, text)


def test_a_short_text_is_its_own_shingle() -> None:
    assert shingles("Ok!") == {"ok"}
    assert shingles(" - ") == frozenset()
    assert likeness("", "") == 0.0


def test_near_gives_the_most_alike_first() -> None:
    index = Index({"a": REPORT, "b": REPORT.replace("Eleven", "Twelve"), "c": "something else altogether was said", "d": ""})
    found = index.near(REPORT)
    assert [key for key, _ in found] == ["a", "b"]
    assert found[0][1] == 1.0
    assert index.near("") == []


def test_copies_stand_for_one_another() -> None:
    index = Index({"a": REPORT, "b": REPORT, "c": REPORT, "d": REPORT.replace("Eleven", "Twelve")})
    pairs = index.pairs()
    assert [(p.first, p.second) for p in pairs] == [("a", "b"), ("a", "c"), ("a", "d")]
    assert [key for key, _ in index.near(REPORT)] == ["a", "b", "c", "d"]
    assert index.pairs(2) == pairs[:2]


@pytest.mark.parametrize("at_least", [0, -1, 1.01, float("nan")])
def test_a_likeness_that_is_none(at_least: float) -> None:
    with pytest.raises(ValueError, match="likeness"):
        Index({}, at_least)


WORDS = st.lists(
    st.sampled_from(["crane", "quay", "crate", "crates", "seen", "counted", "eleven", "twelve", "north", "ship", "left"]),
    max_size=8,
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(WORDS, max_size=10), WORDS, st.sampled_from([0.05, 0.3, 0.5, 0.55, 2 / 3, 0.9, 1.0]), st.sampled_from([1, 2, 5, 20])
)
def test_the_index_finds_exactly_what_a_comparison_of_all_finds(
    texts: list[str], new: str, at_least: float, witnesses: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "WITNESSES", witnesses)
        index = Index({str(n): text for n, text in enumerate(texts)}, at_least)
        near = dict(index.near(new))
        pairs = index.pairs()
    alike = {str(n): likeness(text, new) for n, text in enumerate(texts)}
    assert near == {key: value for key, value in alike.items() if value >= at_least}
    firsts = {shingles(text): str(n) for n, text in reversed(list(enumerate(texts))) if shingles(text)}
    unique = {key: texts[int(key)] for key in firsts.values()}
    expected = {
        frozenset((a, b)): likeness(unique[a], unique[b])
        for a in unique
        for b in unique
        if a < b and likeness(unique[a], unique[b]) >= at_least
    }
    expected |= {
        frozenset((firsts[shingles(text)], str(n))): 1.0
        for n, text in enumerate(texts)
        if shingles(text) and firsts[shingles(text)] != str(n)
    }
    assert {frozenset((p.first, p.second)): p.likeness for p in pairs} == expected
    assert len(pairs) == len(expected)


def many(count: int) -> dict[str, str]:
    """Reports of ten to forty words, drawn from six hundred made-up ones."""
    chance = random.Random(1)
    words = [
        "".join(chance.choice("aeiou" if n % 2 else "bdfgklmnprst") for n in range(chance.randint(3, 9))) for _ in range(600)
    ]
    return {str(n): " ".join(chance.choices(words, k=chance.randint(10, 40))) for n in range(count)}


def test_one_new_report_against_two_thousand_is_quick() -> None:
    texts = many(2_000)
    index = Index(texts)
    start = perf_counter()
    for n in range(50):
        assert index.near(texts[str(n)] + " more")[0][0] == str(n)
    assert (perf_counter() - start) / 50 < 0.05


@pytest.mark.slow
def test_ten_thousand_reports() -> None:
    texts = many(10_000)
    texts |= {f"copy {n}": texts[str(n)] + " repeated" for n in range(0, 10_000, 100)}
    index = Index(texts)
    start = perf_counter()
    for n in range(100):
        index.near(texts[str(n)])
    assert (perf_counter() - start) / 100 < 0.05
    start = perf_counter()
    pairs = index.pairs()
    assert perf_counter() - start < 60
    assert {p.second for p in pairs} >= {f"copy {n}" for n in range(0, 10_000, 100)}
    assert all(isinstance(p, Neighbours) and p.likeness >= index.at_least for p in pairs)
