"""The laws of the lattice: by brute force on a small one, and on markings in several schemes with all that they may say."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given

from markings.strategies import SCHEMES, SMALL, any_markings
from tallybook.markings.marking import (
    BOTTOM,
    EVERYONE_CLEARED,
    TOP,
    Clearance,
    Grant,
    Marking,
    Part,
    join,
    join_all,
    meet,
    meet_all,
)

ALL = [*SMALL, BOTTOM, TOP]
MARKINGS = any_markings(SCHEMES.values())


def test_the_small_lattice_is_whole() -> None:
    assert len(set(SMALL)) == 32


def test_order_is_partial() -> None:
    for a, b in product(ALL, repeat=2):
        assert a != b or a <= b
        assert not (a <= b <= a) or a == b
    for a, b, c in product(SMALL, repeat=3):
        assert not (a <= b <= c) or a <= c


def test_join_is_the_least_upper_bound_of_all_pairs() -> None:
    pairs = list(product(SMALL, repeat=2))
    assert len(pairs) == 1024
    for a, b in pairs:
        upper = [c for c in SMALL if a <= c and b <= c]
        assert join(a, b) == next(c for c in upper if all(c <= other for other in upper))


def test_meet_is_the_greatest_lower_bound_of_all_pairs() -> None:
    for a, b in product(SMALL, repeat=2):
        lower = [c for c in SMALL if c <= a and c <= b]
        assert meet(a, b) == next(c for c in lower if all(other <= c for other in lower))


def test_join_and_meet_in_any_order_and_grouping() -> None:
    for a, b in product(ALL, repeat=2):
        assert join(a, b) == join(b, a)
        assert meet(a, b) == meet(b, a)
        assert join(a, meet(a, b)) == a == meet(a, join(a, b))
    for a, b, c in product(SMALL, repeat=3):
        assert join(join(a, b), c) == join(a, join(b, c)) == join_all((a, b, c))
        assert meet(meet(a, b), c) == meet(a, meet(b, c)) == meet_all((a, b, c))


def test_the_ends() -> None:
    assert join() == BOTTOM
    assert meet_all(()) == TOP
    for a in ALL:
        assert BOTTOM <= a <= TOP
        assert join(a, a) == a == meet(a, a)
        assert join(a, BOTTOM) == a == meet(a, TOP)
        assert join(a, TOP) == TOP


@given(MARKINGS, MARKINGS, MARKINGS)
def test_laws_in_several_schemes(a: Marking, b: Marking, c: Marking) -> None:
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(a, a) == a
    assert a <= join(a, b)
    assert meet(a, b) <= a
    assert meet(meet(a, b), c) == meet(a, meet(b, c))
    assert join(a, meet(a, b)) == a
    assert meet(a, join(a, b)) == a
    assert (a <= b) == (join(a, b) == b) == (meet(a, b) == a)
    assert not (a <= c and b <= c) or join(a, b) <= c
    assert not (a <= b <= c) or a <= c


def test_the_latest_date_wins_and_an_exemption_beats_a_date() -> None:
    dated = [Marking.of(Part("S", 0, declassify=text)) for text in ("", "1999-12-31", "2050-01-01", "exempt")]
    for n, m in product(range(4), repeat=2):
        assert join(dated[n], dated[m]) == dated[max(n, m)]


def test_release_sets_intersect_and_never_unite() -> None:
    british, french = (Marking.of(Part("US", 2, release=frozenset({"USA", other}))) for other in ("GBR", "FRA"))
    assert join(british, french) == Marking.of(Part("US", 2, release=frozenset({"USA"})))


def test_two_schemes_make_a_pair_that_takes_a_clearance_in_both() -> None:
    pair = join(Marking.of(Part("S", 1)), Marking.of(Part("T", 0)))
    assert pair.part("S") == Part("S", 1)
    assert pair.part("T") == Part("T", 0)
    assert not Clearance(grants=(Grant("S", 1),)).opens(pair)
    assert not Clearance(grants=(Grant("T", 1),)).opens(pair)
    assert Clearance(grants=(Grant("S", 1), Grant("T", 1))).opens(pair)


def test_the_top_is_for_nobody_but_who_is_cleared_for_all() -> None:
    assert not Clearance(frozenset({"A"}), (Grant("S", 99),)).opens(TOP)
    assert EVERYONE_CLEARED.opens(TOP)
    assert Clearance().opens(BOTTOM)


@pytest.mark.parametrize("floor", SMALL)
def test_no_write_down(floor: Marking) -> None:
    part = floor.parts[0]
    clearance = Clearance(grants=(Grant("S", part.level, part.compartments, frozenset("PQ")),))
    opened = [marking for marking in SMALL if clearance.opens(marking)]
    assert opened
    assert all(marking.parts[0].level <= clearance.floor().parts[0].level for marking in opened)
    assert all(marking.parts[0].compartments <= clearance.floor().parts[0].compartments for marking in opened)
