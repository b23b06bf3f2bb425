"""The ladder: the table of the design, word for word, and what makes a side strong."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.agreement.claim import Weighing
from tallybook.core.bounds import Bounds
from tallybook.verdicts.ladder import TABLE, Strength, Word, side, word
from tallybook.verdicts.weigh import Cluster, Weights

WEIGHTS = Weights.of(Weighing())
DESIGN = """
none      | no evidence | unclear   | unclear   | contradicted
word only | claimed     | unclear   | unclear   | contradicted
weak      | indicated   | indicated | unclear   | contradicted
strong    | supported   | supported | supported | disputed
"""


def cluster(low: float, high: float, *, whole: bool = True, is_word: bool = False) -> Cluster:
    return Cluster("c", (), Bounds(low, high), whole, is_word)


def test_the_table_is_the_design() -> None:
    against = [Strength.NONE, Strength.WORD_ONLY, Strength.WEAK, Strength.STRONG]
    for row in DESIGN.strip().splitlines():
        name, *cells = (cell.strip() for cell in row.split("|"))
        for column, cell in zip(against, cells, strict=True):
            assert TABLE[Strength(name), column] == Word(cell)
    assert len(TABLE) == 16
    assert Word.VERIFIED not in TABLE.values()


@pytest.mark.parametrize(
    ("clusters", "strength"),
    [
        ([], Strength.NONE),
        ([cluster(1.5, 4, is_word=True)], Strength.WORD_ONLY),
        ([Cluster("c", (), None, True, False)], Strength.NONE),
        ([cluster(2, 8)], Strength.WEAK),
        ([cluster(10, 60)], Strength.WEAK),
        ([cluster(30, 200)], Strength.STRONG),
        ([cluster(10, 60), cluster(10, 60)], Strength.STRONG),
        ([cluster(5, 20), cluster(5, 20)], Strength.WEAK),
        ([cluster(1.5, 4, whole=False)] * 40, Strength.WEAK),
        ([cluster(1.5, 4, whole=False)] * 4 + [cluster(10, 60)], Strength.STRONG),
        ([cluster(30, 200, is_word=True)] * 5, Strength.WORD_ONLY),
    ],
)
def test_strength(clusters: list[Cluster], strength: Strength) -> None:
    assert side(clusters, WEIGHTS).strength is strength


@given(st.lists(st.tuples(st.integers(2, 30), st.integers(0, 100)), max_size=8))
def test_bounds_are_bayes_from_the_prior(pairs: list[tuple[int, int]]) -> None:
    found = side([cluster(low, low + more) for low, more in pairs], WEIGHTS).bounds
    for start, end, value in ((Fraction(1, 10), 0, found.low), (Fraction(9, 10), 1, found.high)):
        odds = start / (1 - start)
        for low, more in pairs:
            odds *= low + (more if end else 0)
        assert value == pytest.approx(float(odds / (1 + odds)), rel=1e-9)


@given(
    st.lists(st.sampled_from([(2.0, 8.0), (10.0, 60.0), (30.0, 200.0)]), max_size=5), st.sampled_from([(2.0, 8.0), (30.0, 200.0)])
)
def test_one_more_cluster_never_weakens_its_own_side(pairs: list[tuple[float, float]], extra: tuple[float, float]) -> None:
    before, after = side([cluster(*p) for p in pairs], WEIGHTS), side([cluster(*p) for p in [*pairs, extra]], WEIGHTS)
    order = list(Strength)
    assert after.bounds.low >= before.bounds.low
    assert order.index(after.strength) >= order.index(before.strength)


def test_word_reads_both_sides() -> None:
    strong, weak, none = (side(c, WEIGHTS) for c in ([cluster(30, 200)], [cluster(2, 8)], []))
    assert word(strong, weak) is Word.SUPPORTED
    assert word(none, strong) is Word.CONTRADICTED
    assert word(strong, strong) is Word.DISPUTED
