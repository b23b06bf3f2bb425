"""An independent oracle: a marking means the readers that it is open to, all of them counted out."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from markings.strategies import NAMES, SCHEMES, SMALL, any_markings, subsets
from tallybook.markings.marking import Clearance, Grant, Marking, Part, join, meet

READERS = list(product((0, 1), subsets("AB"), subsets("PQ")))


def readers(marking: Marking) -> set[tuple[int, frozenset[str], frozenset[str]]]:
    """The readers, without any code of the package: they need the level, all the compartments, and one of the countries."""
    (part,) = marking.parts
    released = part.release
    assert released is not None
    return {
        (level, held, belongs)
        for level, held, belongs in READERS
        if level >= part.level
        and all(one in held for one in part.compartments)
        and any(country in released for country in belongs)
    }


def cleared(level: int, held: frozenset[str], belongs: frozenset[str]) -> Clearance:
    return Clearance(grants=(Grant("S", level, held, belongs),))


MEANING = {marking: readers(marking) for marking in SMALL}


def test_a_clearance_opens_what_the_marking_means() -> None:
    for marking, reader in product(SMALL, READERS):
        assert cleared(*reader).opens(marking) == (reader in MEANING[marking])


def test_order_is_inclusion_of_readers() -> None:
    compared = 0
    for a, b in product(SMALL, repeat=2):
        if a <= b:
            assert MEANING[b] <= MEANING[a]
        # What is open to nobody cannot be told apart by its readers, only by its words.
        elif MEANING[b]:
            compared += 1
            assert not MEANING[b] <= MEANING[a]
    assert compared > 300


def test_a_join_opens_to_nobody_to_whom_its_parts_do_not() -> None:
    for a, b in product(SMALL, repeat=2):
        assert MEANING[join(a, b)] <= MEANING[a] & MEANING[b]
        assert MEANING[meet(a, b)] >= MEANING[a] | MEANING[b]


def test_a_join_opens_to_all_of_one_country_to_whom_its_parts_do() -> None:
    for a, b in product(SMALL, repeat=2):
        both = {reader for reader in MEANING[a] & MEANING[b] if len(reader[2]) <= 1}
        assert both <= MEANING[join(a, b)]


def test_who_belongs_to_two_opens_both_parts_and_not_the_join() -> None:
    british, french = (Marking.of(Part("US", 2, release=frozenset({"USA", other}))) for other in ("GBR", "FRA"))
    both = Clearance(grants=(Grant("US", 2, belongs_to=frozenset({"GBR", "FRA"})),))
    assert both.opens(british)
    assert both.opens(french)
    assert not both.opens(join(british, french))
    assert Clearance(grants=(Grant("US", 2, belongs_to=frozenset({"USA"})),)).opens(join(british, french))


def test_a_caveat_is_for_those_who_keep_to_it_and_a_list_for_those_on_it() -> None:
    for kept, names in product(subsets("AB"), subsets("XY")):
        reader = Clearance(names, (Grant("S", 0, keeps_to=kept),))
        for caveats, recipients in product(subsets("AB"), [None, *subsets("XY")]):
            marking = Marking.of(Part("S", 0, caveats=caveats, recipients=recipients))
            named = recipients is None or any(one in recipients for one in names)
            assert reader.opens(marking) == (named and all(one in kept for one in caveats))


def test_more_clearance_never_sees_less() -> None:
    for less, more in product(READERS, repeat=2):
        if less[0] <= more[0] and less[1] <= more[1] and less[2] <= more[2]:
            assert all(cleared(*more).opens(marking) for marking in SMALL if cleared(*less).opens(marking))


@st.composite
def clearances(draw: st.DrawFn) -> tuple[Clearance, Clearance]:
    """A clearance, and one with more."""
    both: tuple[list[Grant], list[Grant]] = ([], [])
    names = st.frozensets(st.sampled_from(NAMES), max_size=3)
    for scheme in SCHEMES.values():
        words = st.frozensets(st.sampled_from([word.name for word in scheme.words] or ["-"]))
        level, held, belongs, kept = draw(st.integers(0, 5)), draw(words), draw(names), draw(words)
        if draw(st.booleans()):
            both[0].append(Grant(scheme.id, level, held, belongs, kept))
        both[1].append(
            Grant(scheme.id, level + draw(st.integers(0, 2)), held | draw(words), belongs | draw(names), kept | draw(words))
        )
    known = draw(names)
    return Clearance(known, tuple(both[0])), Clearance(known | draw(names), tuple(both[1]))


MARKINGS = any_markings(SCHEMES.values())


@given(MARKINGS, MARKINGS, clearances())
def test_in_several_schemes_with_recipients_and_caveats(a: Marking, b: Marking, pair: tuple[Clearance, Clearance]) -> None:
    less, more = pair
    if less.opens(a):
        assert more.opens(a)
        assert less.opens(meet(a, b))
    if less.opens(join(a, b)):
        assert less.opens(a)
        assert less.opens(b)
    if a <= b and less.opens(b):
        assert less.opens(a)
