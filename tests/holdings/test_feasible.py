"""Looks that no state of the world gives together are named, whatever the size; looks that some state gives never are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.holdings.engine import ImpossibleError, Run, clash, solve
from tallybook.holdings.feasible import clashing
from tallybook.holdings.model import Account, ItemClass, Look, ModelError, Stage, Uniform


def look(name: str, day: int, stage: str, count: int, *, leaving: bool = False, p: float = 0.7, phi: float = 0.0) -> Look:
    return Look(name, ((day, 1.0),), stage, (("item", count),), leaving=leaving, p=p, phi=phi)


def account(
    *looks: Look, declared: int = 3, more: int = 1, hops: tuple[float, ...] = (0.5, 0.6), rho: float = 0.0, days: int = 4
) -> Account:
    stages = tuple(Stage(name, q) for name, q in zip(("site", "port"), hops, strict=True))
    prior = tuple(1 / (more + 1) for _ in range(more + 1))
    return Account((ItemClass("item", declared, prior, stages, rho),), days, looks)


LOOKS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["site", "port"]),
        st.integers(0, 5),
        st.booleans(),
        st.sampled_from([0.0, 0.7, 1.0]),
        st.sampled_from([0.0, 0.0, 0.2]),
    ),
    max_size=4,
)


@given(LOOKS, st.sampled_from([0.0, 0.1]), st.sampled_from([(0.5, 0.6), (0.0, 0.6), (1.0, 0.5)]))
@settings(max_examples=150, deadline=None)
def test_what_is_found_impossible_is_so_by_the_sums(
    drawn: list[tuple[int, str, int, bool, float, float]], rho: float, hops: tuple[float, float]
) -> None:
    looks = [look(f"L{n}", d, s, y, leaving=f, p=p, phi=phi) for n, (d, s, y, f, p, phi) in enumerate(drawn)]
    stated = account(*looks, rho=rho, hops=hops).checked()
    found = clashing(stated)
    impossible = Run(stated, 0.0).forward() == float("-inf")
    assert bool(found) == impossible
    if found:
        named = account(*(k for k in looks if k.name in found), rho=rho, hops=hops)
        assert Run(named, 0.0).forward() == float("-inf")
        assert sorted(clash(named)) == sorted(found)


def test_a_count_that_cannot_be_is_named_alone() -> None:
    with pytest.raises(ImpossibleError) as told:
        solve(account(look("fine", 1, "site", 2), look("wrong", 2, "port", 9)))
    assert told.value.looks == ("wrong",)


def test_two_that_cannot_both_be_are_named_together() -> None:
    with pytest.raises(ImpossibleError) as told:
        solve(
            account(look("all still there", 3, "site", 4, p=1.0), look("one has left", 2, "port", 1), look("fine", 0, "site", 1))
        )
    assert set(told.value.looks) == {"all still there", "one has left"}


def test_large_accounts_are_refused_as_clearly() -> None:
    with pytest.raises(ImpossibleError) as told:
        solve(account(look("wrong", 2, "port", 2_000), look("fine", 1, "site", 400), declared=600, days=40))
    assert told.value.looks == ("wrong",)


def test_any_share_may_leave_on_a_day_that_is_open() -> None:
    stages = (Stage("site", 0.0, {2: Uniform()}),)
    stated = Account((ItemClass("item", 3, (1.0,), stages),), 3, (look("out", 2, "site", 3, leaving=True, p=1.0),))
    assert clashing(stated) == []
    assert solve(stated).p_none_left == pytest.approx(1)


def test_counts_that_contradict_each_other_beyond_reach_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [look(f"L{day}", day, "site", 3, phi=0.1) for day in (0, 2, 4)]
    stated = account(*looks, declared=300, more=10, rho=0.05)
    monkeypatch.setattr("tallybook.holdings.engine._PATIENCE", 0.0)
    with pytest.raises(ModelError, match="contradict each other"):
        solve(stated)
