"""The account of totals against enumeration of every state, and what it must never do."""

from __future__ import annotations

import itertools
from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.holdings.model import ModelError
from tallybook.holdings.totals import (
    UNLISTED,
    UNLISTED_KNOWN,
    Figure,
    Part,
    Totals,
    TotalsAccount,
    Undeclared,
    points,
    size_needed,
    solve_totals,
    span_of,
)


def says(figure: Figure, number: int, most: int, span: int) -> float:
    """P(report | number), from the definition."""
    wrong = (1 - figure.trust) / (span + 1)
    if figure.high is None and figure.excess:
        ratio = figure.excess / (1 + figure.excess)
        whole = sum(ratio**k for k in range(most - figure.low + 1))
        return wrong + (figure.trust * ratio ** (number - figure.low) / whole if number >= figure.low else 0.0)
    top = span if figure.high is None else figure.high
    within = figure.low <= number and (figure.high is None or number <= figure.high)
    return wrong + (figure.trust / (top - figure.low + 1) if within else 0.0)


def prior(account: TotalsAccount, most: int) -> list[float]:
    u, room = account.undeclared, most - account.declared
    stop = 1 / u.mean
    out = [u.none] + [(1 - u.none) * stop * (1 - stop) ** (k - 1) for k in range(1, room + 1)]
    if room:
        out[-1] = (1 - u.none) * (1 - stop) ** (room - 1)
    return out


def enumerated(account: TotalsAccount) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Every (number at first, load of each part, load of none)."""
    most = size_needed(account)
    first, out, left = (np.zeros(most + 1) for _ in range(3))
    loads = [np.zeros(most + 1) for _ in account.parts]
    span = span_of(account)
    exact = any(f.high is not None for f in account.out)
    share = (UNLISTED_KNOWN if account.parts_uncounted else UNLISTED) if exact else 0.0
    start = prior(account, most)
    for carried in itertools.product(range(span + 1), repeat=len(account.parts)):
        for other in range(span + 1) if share else (0,):
            gone = sum(carried) + other
            if gone > most:
                continue
            weight = 1 - share if other == 0 else share / span
            for part, load in zip(account.parts, carried, strict=True):
                product = 1.0
                for f in part.figures:
                    product *= says(f, load, most, span)
                weight *= product
            for f in account.out:
                weight *= says(f, gone, most, span)
            for n in range(max(account.declared, gone), most + 1):
                p = weight * start[n - account.declared]
                for f in account.at_first:
                    p *= says(f, n, most, span)
                for f in account.left:
                    p *= says(f, n - gone, most, span)
                first[n] += p
                out[gone] += p
                left[n - gone] += p
                for load, table in zip(carried, loads, strict=True):
                    table[load] += p
    total = first.sum()
    return first / total, out / total, left / total, [table / total for table in loads]


NUMBER = st.integers(0, 4)


@st.composite
def figures(draw: st.DrawFn, excess: bool = False) -> Figure:
    low = draw(NUMBER)
    high = draw(st.one_of(st.none(), st.integers(low, 5)))
    more = draw(st.sampled_from([0.0, 1.0, 2.5])) if excess and high is None else 0.0
    return Figure(f"R{draw(st.integers(0, 99))}", low, high, draw(st.sampled_from([0.55, 0.8, 0.97])), more)


@st.composite
def accounts(draw: st.DrawFn) -> TotalsAccount:
    parts = tuple(
        Part(f"part {n}", tuple(draw(st.lists(figures(excess=True), min_size=1, max_size=2))))
        for n in range(draw(st.integers(0, 2)))
    )
    several = st.lists(figures(), max_size=2).map(tuple)
    return TotalsAccount(
        declared=draw(NUMBER),
        undeclared=Undeclared(draw(st.sampled_from([0.2, 0.6, 0.9])), 1.05),
        parts=parts,
        out=draw(several),
        at_first=draw(several),
        left=draw(st.lists(figures(), max_size=1).map(tuple)),
        parts_uncounted=draw(st.integers(0, 1)),
    )


@given(accounts())
@settings(max_examples=40, deadline=None)
def test_every_distribution_is_the_enumerated_one(account: TotalsAccount) -> None:
    solved = solve_totals(account)
    first, out, left, loads = enumerated(account)
    assert np.allclose(solved.first, first, rtol=1e-10, atol=1e-15)
    assert np.allclose(solved.out, out, rtol=1e-10, atol=1e-15)
    assert np.allclose(solved.left, left, rtol=1e-10, atol=1e-15)
    for part, table in zip(account.parts, loads, strict=True):
        assert np.allclose(solved.loads[part.name], table, rtol=1e-9, atol=1e-14)
    assert isclose(sum(solved.joint(n, n) for n in range(len(first))), solved.p_none_left, rel_tol=1e-9)


def fleet(*loads: int, declared: int = 42, total: int | None = 42) -> TotalsAccount:
    parts = tuple(Part(f"ship {n}", (Figure(f"S{n}", load, load, 0.96),)) for n, load in enumerate(loads))
    out = () if total is None else (Figure("T", total, total, 0.96),)
    return TotalsAccount(declared, Undeclared(0.6, 5), parts, out)


def test_counts_of_what_left_say_nothing_of_what_was_never_declared() -> None:
    bare, counted = solve_totals(TotalsAccount(42, Undeclared(0.6, 5))), solve_totals(fleet(8, 2, 4, 7, 21))
    assert bare.p_nothing_undeclared == pytest.approx(0.6, abs=1e-12)
    assert counted.p_nothing_undeclared == pytest.approx(0.6, abs=1e-3)
    assert counted.p_declared_out > 0.999
    assert counted.p_none_left == pytest.approx(0.6, abs=2e-3)


def test_what_nobody_counted_has_not_left() -> None:
    solved = solve_totals(TotalsAccount(42, Undeclared(0.6, 5)))
    assert points(solved.out) == (0, 0, 0)
    assert solved.p_none_left == 0


def test_two_counts_of_one_ship_are_never_a_sum() -> None:
    twice = Part("ship", (Figure("A", 8, 8, 0.96), Figure("B", 8, 8, 0.96)))
    solved = solve_totals(TotalsAccount(16, Undeclared(0.6, 5), (twice,)))
    assert points(solved.out) == (8, 8, 8)
    once = solve_totals(TotalsAccount(16, Undeclared(0.6, 5), (Part("ship", twice.figures[:1]),)))
    assert solved.out[8] > once.out[8]


def test_a_look_at_the_whole_that_finds_none_settles_it_whatever_the_prior() -> None:
    for none in (0.1, 0.5, 0.9):
        looked = TotalsAccount(42, Undeclared(none, 5), (), (Figure("T", 42, 42, 0.96),), (), (Figure("L", 0, 0, 0.99),))
        assert solve_totals(looked).p_none_left > 0.95


def test_the_order_of_reports_changes_nothing() -> None:
    def bytes_of(solved: Totals) -> list[bytes]:
        return [np.round(table, 14).tobytes() for table in (solved.first, solved.out, solved.left)]

    account = fleet(8, 2, 4, 7, 21)
    turned = TotalsAccount(account.declared, account.undeclared, account.parts[::-1], account.out)
    assert bytes_of(solve_totals(account)) == bytes_of(solve_totals(turned))


def test_many_things_agree_with_few_in_larger_units() -> None:
    """Beyond some thousands sums go through transforms; they must say the same."""
    large = TotalsAccount(5_000, Undeclared(0.6, 400), (), (Figure("T", 4_000, 4_000, 0.96),))
    solved = solve_totals(large)
    assert points(solved.left)[:2] == (1_000, 1_000)
    assert solved.p_nothing_undeclared == pytest.approx(0.6, abs=0.01)


def test_long_sums_agree_with_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same account term by term, and by running sums and transforms."""
    account = TotalsAccount(
        300,
        Undeclared(0.6, 30),
        (Part("a", (Figure("A", 120, 120, 0.9), Figure("B", 100, None, 0.8))), Part("b", (Figure("C", 40, None, 0.9, 6.0),))),
        (Figure("T", 170, 180, 0.96),),
        (Figure("I", 280, None, 0.9),),
        (Figure("L", 130, 130, 0.7),),
    )
    direct = solve_totals(account)
    monkeypatch.setattr("tallybook.holdings.totals.DIRECT", 10)
    other = solve_totals(account)
    for name in ("first", "out", "left"):
        assert np.allclose(getattr(direct, name), getattr(other, name), rtol=1e-9, atol=1e-13)


def test_more_hidden_by_assumption_makes_nothing_surer_of_what_is_out() -> None:
    sure = [
        solve_totals(TotalsAccount(42, Undeclared(0.6, mean), (), (Figure("T", 42, 42, 0.96),))).p_declared_out
        for mean in (1, 5, 50)
    ]
    assert max(sure) - min(sure) < 0.002


def test_too_many_things_are_refused_with_the_memory_they_would_need() -> None:
    with pytest.raises(ModelError, match="GB"):
        solve_totals(TotalsAccount(10_000_000, Undeclared(0.6, 1_000)))


def test_without_a_report_the_account_is_as_if_it_had_never_come() -> None:
    account = fleet(8, 2, total=42)
    assert account.without("T").out == ()
    assert [p.name for p in account.without("S0").parts] == ["ship 1"]
    assert account.without("nothing") == account


def test_what_is_brought_in_counts_as_left() -> None:
    closed, opened = fleet(42), fleet(42)
    more = solve_totals(TotalsAccount(opened.declared, opened.undeclared, opened.parts, opened.out, arrivals=0.5))
    assert more.p_none_left == pytest.approx(solve_totals(closed).p_none_left * np.exp(-0.5), rel=0.01)
