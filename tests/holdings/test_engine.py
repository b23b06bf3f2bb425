"""The engine against plain enumeration on tiny accounts of all features, and what must change nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import comb, exp, lgamma, log
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from holdings.enumerate import Enumerated, enumerate_account
from tallybook.holdings.engine import Answer, ImpossibleError, solve
from tallybook.holdings.model import Account, Decoys, ItemClass, Look, Stage, Uniform

NAMES = ("a", "b")
PLACES = ("site", "port", "ship")
RATES = {1: (0.0, 0.3), 2: (0.0, 0.01), 3: (0.0, 1e-5)}
"""Arrivals per day by the number of stages: what enumeration can hold."""

tiny = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def item(name: str = "item", **change: Any) -> ItemClass:
    plain: dict[str, Any] = {
        "name": name,
        "declared": 2,
        "undeclared": (0.7, 0.3),
        "stages": (Stage("site", 0.5), Stage("port", 0.6)),
    }
    return ItemClass(**(plain | change))


def look(day: int, stage: str, count: int, *, of: str = "item", **change: Any) -> Look:
    plain: dict[str, Any] = {"name": f"{stage} {day}", "days": ((day, 1.0),), "stage": stage, "counts": ((of, count),), "p": 0.7}
    return Look(**(plain | change))


@st.composite
def classes(draw: st.DrawFn, name: str, stages: int, last_day: int) -> ItemClass:
    share = st.sampled_from([0.0, 0.1, 0.5, 0.8, 1.0])
    hop, draw_anew = st.sampled_from([0.0, 1.0, 0.3]), st.sampled_from([Uniform(), Uniform(0.5, 2.0)])
    chain = []
    for k in range(stages):
        on_day: dict[int, float | Uniform] = {}
        if k == stages - 1 and k > 0 and draw(st.integers(0, 3)) == 0:
            chain.append(Stage(PLACES[k], gone=True))
            break
        if last_day and draw(st.integers(0, 3)) == 0:
            on_day[draw(st.integers(1, last_day))] = draw(st.one_of(hop, draw_anew))
        chain.append(Stage(PLACES[k], draw(share), on_day))
    return ItemClass(
        name,
        draw(st.integers(0, 2)),
        draw(st.sampled_from([(1.0,), (0.6, 0.4), (0.5, 0.3, 0.2), (0.0, 1.0)])),
        tuple(chain),
        draw(st.sampled_from(RATES[stages])),
        draw(st.sampled_from([None, None, Decoys((0.6, 0.4), 0.7), Decoys((0.2, 0.3, 0.5), 1.0)])),
    )


@st.composite
def looks(draw: st.DrawFn, index: int, of: tuple[ItemClass, ...], last_day: int, passes: tuple[str, ...]) -> Look:
    sorts = draw(st.booleans()) if len(of) > 1 else draw(st.integers(0, 4)) == 0
    looked = draw(st.lists(st.sampled_from([c.name for c in of]), min_size=1, max_size=len(of) if sorts else 1, unique=True))
    chain = min(len(c.stages) for c in of) if sorts else len(next(c for c in of if c.name == looked[0]).stages)
    stage = draw(st.integers(0, chain - 1))
    leaving = draw(st.integers(0, 2)) == 0 and not any(c.stages[stage].gone for c in of if len(c.stages) > stage)
    crates = draw(st.integers(0, 4)) == 0
    days = draw(st.lists(st.integers(0, last_day), min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 1, 2])), unique=True))
    trust = draw(st.sampled_from([1.0, 1.0, 1.0, 0.8]))
    low = draw(st.integers(0, 2))
    return Look(
        f"look {index}",
        ((days[0], 1.0),) if len(days) == 1 else ((days[0], 0.6), (days[1], 0.4)),
        PLACES[stage],
        tuple((name, draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3]))) for name in looked),
        leaving=leaving,
        sorts=sorts,
        p=draw(st.sampled_from([0.3, 0.5, 0.7, 0.9, 0.0, 1.0])),
        phi=draw(st.sampled_from([0.0, 0.1, 0.2, 0.5])),
        decoy_p=draw(st.sampled_from([0.0, 0.6])) if stage == 0 and not leaving else 0.0,
        in_pass=draw(st.sampled_from(["", *passes])),
        units_per_item=draw(st.sampled_from([(1.0,), (0.1, 0.5, 0.4), (0.0, 1.0)])) if crates else (),
        dispersion=None if crates else draw(st.sampled_from([None, None, (0.9, 1.5)])),
        trust=trust,
        span=4 if trust < 1 else 0,
        bounds=None if sorts else draw(st.sampled_from([None, None, None, (low, low + 1), (low, None)])),
    )


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    last_day = draw(st.integers(0, 3))
    stages = draw(st.sampled_from([(1,), (2,), (3,), (1, 1), (2, 1), (2, 2)]))
    of = tuple(draw(classes(NAMES[k], n, last_day)) for k, n in enumerate(stages))
    passes = {"P1": ((1.0, 0.7), (0.2, 0.3)), "P2": ((0.5, 1.0),)}
    number = draw(st.integers(0, 4))
    made = tuple(draw(looks(i, of, last_day, tuple(passes))) for i in range(number))
    row = st.sampled_from([(0.8, 0.15), (1.0, 0.0), (0.5, 0.5), (0.0, 0.6)])
    recognition = {c.name: dict(zip(NAMES[: len(of)], draw(row), strict=False)) for c in of}
    return Account(of, last_day, made, passes, recognition)


def close(found: Any, wanted: Any, relative: float = 1e-9, absolute: float = 1e-12) -> None:
    """Equal, where one may stop before the other and the rest is nothing."""
    size = max(np.size(found), np.size(wanted))
    a, b = (np.pad(np.ravel(x), (0, size - np.size(x))) for x in (found, wanted))
    np.testing.assert_allclose(a, b, rtol=relative, atol=absolute)


def same(found: Answer, wanted: Enumerated, account: Account) -> None:
    close(found.loglik, wanted.loglik, absolute=1e-11)
    close(found.p_no_arrivals, wanted.p_no_arrivals)
    close(found.p_none_left, wanted.p_none_left)
    close(found.p_nothing_undeclared, wanted.p_nothing_undeclared)
    for c in account.classes:
        one = found.classes[c.name]
        close(one.mean_left, wanted.mean_left(c.name))
        close(one.p_none_left_on, wanted.left[c.name][:, 0])
        for day in range(account.last_day + 1):
            close(one.left(day), wanted.left[c.name][day], absolute=1e-11)
        close(one.undeclared, wanted.undeclared[c.name])
        if c.decoys is not None:
            close(one.decoys_last, wanted.decoys_last[c.name])


def alike(a: Answer, b: Answer, relative: float = 1e-10) -> None:
    close(a.loglik, b.loglik, relative, 1e-11)
    for name in ("p_no_arrivals", "p_none_left", "p_nothing_undeclared"):
        close(getattr(a, name), getattr(b, name), relative)
    for name, one in a.classes.items():
        other = b.classes[name]
        close(one.mean_left, other.mean_left, relative)
        close(one.p_none_left_on, other.p_none_left_on, relative)
        close(one.undeclared, other.undeclared, relative)


def answer_or_clash(account: Account, method: str) -> Answer | tuple[str, ...]:
    try:
        return solve(account, method=method)
    except ImpossibleError as clash:
        return clash.looks


def possible(account: Account) -> Answer:
    try:
        return solve(account)
    except ImpossibleError:
        assume(False)
        raise


# ---- against enumeration --------------------------------------------------------------------------------------------------


@tiny
@given(accounts())
def test_tiny_accounts_of_all_features(account: Account) -> None:
    wanted = enumerate_account(account)
    if wanted.likelihood == 0:
        with pytest.raises(ImpossibleError) as clash:
            solve(account)
        clashing = [x for x in account.looks if x.name in clash.value.looks]
        assert clashing
        assert enumerate_account(replace(account, looks=tuple(clashing))).likelihood == 0
    else:
        same(solve(account), wanted, account)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(accounts())
def test_many_tiny_accounts_of_all_features(account: Account) -> None:
    test_tiny_accounts_of_all_features.hypothesis.inner_test(account)  # type: ignore[attr-defined]


@tiny
@given(accounts())
def test_both_forms_of_the_state_agree(account: Account) -> None:
    dense, train = (answer_or_clash(account, method) for method in ("dense", "train"))
    if isinstance(dense, Answer) and isinstance(train, Answer):
        alike(dense, train)
    else:
        assert dense == train


# ---- what changes nothing -------------------------------------------------------------------------------------------------


@tiny
@given(accounts(), st.randoms(use_true_random=False))
def test_the_order_of_looks_changes_nothing(account: Account, random: Any) -> None:
    mixed = list(account.looks)
    random.shuffle(mixed)
    alike(possible(account), solve(replace(account, looks=tuple(mixed))))


@tiny
@given(accounts(), st.data())
def test_a_look_that_sees_nothing_ever_changes_nothing(account: Account, data: st.DataObject) -> None:
    c = data.draw(st.sampled_from(account.classes))
    blind = look(
        data.draw(st.integers(0, account.last_day)),
        data.draw(st.sampled_from([s.name for s in c.stages])),
        0,
        of=c.name,
        p=0.0,
        leaving=data.draw(st.booleans()),
        name="blind",
    )
    alike(possible(account), solve(replace(account, looks=(*account.looks, blind))))


@tiny
@given(accounts())
def test_a_finer_limit_changes_nothing(account: Account) -> None:
    alike(possible(account), solve(account, tolerance=1e-28))


@tiny
@given(accounts())
def test_two_runs_give_the_same_bytes(account: Account) -> None:
    assert repr(possible(account)) == repr(solve(account))


@tiny
@given(accounts())
def test_what_was_discarded_is_stated_and_bounds_the_loss(account: Account) -> None:
    found = possible(account)
    assert 0 <= found.discarded < 1e-9
    for one in found.classes.values():
        for day in range(account.last_day + 1):
            close(one.left(day).sum(), 1.0)
        close(one.undeclared.sum(), 1.0)


def split(left: int) -> Account:
    """Three items in all, of one class or of two that every look mixes up."""
    chain = (Stage("site", 0.4), Stage("port", 0.5))
    of: tuple[ItemClass, ...]
    if left == 0:
        of = (item("x", declared=3, undeclared=(1.0,), stages=chain, arrivals=0.2),)
    else:
        first = item("x", declared=left, undeclared=(1.0,), stages=chain, arrivals=0.15)
        of = (first, item("y", declared=3 - left, undeclared=(1.0,), stages=chain, arrivals=0.05))
    recognition = {c.name: {"x": 0.9} for c in of}
    seen = (
        look(0, "site", 2, of="x", sorts=True, phi=0.1),
        look(2, "port", 1, of="x", sorts=True, p=0.8),
        look(3, "port", 1, of="x", sorts=True, leaving=True),
    )
    return Account(of, 4, seen, {}, recognition)


@pytest.mark.parametrize("left", [1, 2])
def test_splitting_a_class_that_nobody_tells_apart_changes_nothing_in_the_sum(left: int) -> None:
    one, two = solve(split(0)), solve(split(left))
    close(one.loglik, two.loglik)
    close(one.p_none_left, two.p_none_left)
    close(one.p_no_arrivals, two.p_no_arrivals)
    close(one.classes["x"].mean_left, two.classes["x"].mean_left + two.classes["y"].mean_left)


def test_where_a_look_may_have_been_on_any_day_of_a_day_it_was_on_that_day() -> None:
    certain = Account((item(),), 2, (look(1, "site", 1),))
    weighted = replace(certain, looks=(look(1, "site", 1, days=((1, 1.0), (2, 0.0))),))
    alike(solve(certain), solve(weighted))


# ---- small probabilities --------------------------------------------------------------------------------------------------


def exactly(declared: int, q: tuple[Fraction, ...], last_day: int, seen: dict[tuple[int, int], tuple[Fraction, int]]) -> Fraction:
    """P(none left) in exact arithmetic, without arrivals: stages that all are left, looks (day, stage): (p, count)."""
    state: dict[tuple[int, ...], Fraction] = {(declared, *(0 for _ in q[1:])): Fraction(1)}
    for day in range(last_day + 1):
        after: dict[tuple[int, ...], Fraction] = {}
        for items, weight in state.items():
            for left in product(*(range(n + 1) for n in items)) if day else [tuple(0 for _ in items)]:
                w = weight
                for n, k, p in zip(items, left, q, strict=True):
                    w *= comb(n, k) * p**k * (1 - p) ** (n - k) if day else 1
                key = tuple(n - k + (left[s - 1] if s else 0) for s, (n, k) in enumerate(zip(items, left, strict=True)))
                after[key] = after.get(key, Fraction(0)) + w
        for (on, stage), (p, y) in seen.items():
            if on == day:
                after = {i: w * comb(i[stage], y) * p**y * (1 - p) ** max(i[stage] - y, 0) for i, w in after.items()}
        state = after
    return state.get(tuple(0 for _ in q), Fraction(0)) / sum(state.values())


@pytest.mark.parametrize("method", ["dense", "train"])
@pytest.mark.parametrize(
    ("declared", "q", "last_day"),
    [
        (10, (Fraction(1, 128),), 2),
        (20, (Fraction(1, 16), Fraction(1, 8)), 4),
        (6, (Fraction(1, 64), Fraction(1, 256)), 3),
        (12, (Fraction(1, 1024),), 5),
        (60, (Fraction(1, 4096),), 2),
    ],
)
def test_long_odds_are_as_exact_as_short_ones(method: str, declared: int, q: tuple[Fraction, ...], last_day: int) -> None:
    seen = {(1, 0): (Fraction(1, 2), min(3, declared)), (last_day, 0): (Fraction(1, 4), 0)}
    wanted = exactly(declared, q, last_day, seen)
    chain = tuple(Stage(place, float(p)) for place, p in zip(PLACES, q, strict=False))
    of = item(declared=declared, undeclared=(1.0,), stages=chain)
    made = tuple(look(day, PLACES[stage], y, p=float(p)) for (day, stage), (p, y) in seen.items())
    found = solve(Account((of,), last_day, made), method=method)
    assert 0 < float(wanted) < 1e-8
    assert found.p_none_left == pytest.approx(float(wanted), rel=1e-10)


def test_no_arrivals_at_long_odds() -> None:
    """Twenty seen on the last day, where one was declared: they came in."""
    of = item(declared=1, undeclared=(1.0,), stages=(Stage("site", 0.0),), arrivals=0.01)
    found = solve(Account((of,), 2, (look(2, "site", 12, p=1.0, phi=1e-3),)))
    log_poisson = [k * log(0.02) - 0.02 - lgamma(k + 1) + (11 - k) * log(1e-3) - 1e-3 - lgamma(12 - k) for k in range(12)]
    wanted = exp(log_poisson[0] - log(sum(exp(x) for x in log_poisson)))
    assert wanted < 1e-14
    assert found.p_no_arrivals == pytest.approx(wanted, rel=1e-10)


def test_nothing_undeclared_at_long_odds() -> None:
    of = item(declared=2, undeclared=(1 - 1e-12, 1e-12), stages=(Stage("site", 0.0),))
    seen = tuple(look(0, "site", 3, name=f"look {i}", p=0.9, phi=1e-9) for i in range(3))
    found = solve(Account((of,), 0, seen))
    with_none, with_one = (0.81 * 1e-9 + 2 * 0.09 * 1e-18 / 2) ** 3, (0.729 + 3 * 0.081 * 1e-9) ** 3
    assert found.p_nothing_undeclared == pytest.approx(with_none / (with_none + 1e-12 * with_one), rel=1e-8)


# ---- edges ----------------------------------------------------------------------------------------------------------------


def test_no_looks_at_all_is_the_prior() -> None:
    found = solve(Account((item(arrivals=0.1),), 3, ()))
    assert found.loglik == pytest.approx(0.0, abs=1e-12)
    close(found.classes["item"].undeclared, [0.7, 0.3])
    assert found.p_no_arrivals == pytest.approx(exp(-0.3), rel=1e-12)
    same(found, enumerate_account(Account((item(arrivals=0.1),), 3, ())), Account((item(arrivals=0.1),), 3, ()))


EDGES: dict[str, tuple[dict[str, Any], int, tuple[Look, ...]]] = {
    "nothing declared": ({"declared": 0}, 2, (look(1, "site", 0),)),
    "nothing declared, nothing undeclared": ({"declared": 0, "undeclared": (1.0,)}, 2, (look(1, "site", 0),)),
    "nothing at all but arrivals": ({"declared": 0, "undeclared": (1.0,), "arrivals": 0.1}, 2, (look(2, "port", 1),)),
    "zeros only": ({}, 3, tuple(look(d, "site", 0) for d in range(4))),
    "the first day is the last": ({"arrivals": 0.5}, 0, (look(0, "site", 2),)),
    "the first day is the last, no looks": ({"arrivals": 0.5}, 0, ()),
    "nothing leaves on day 0": ({}, 2, (look(0, "port", 0, leaving=True),)),
    "a false count of what leaves on day 0": ({}, 2, (look(0, "port", 1, leaving=True, phi=0.2),)),
    "everything leaves at once": (
        {"stages": (Stage("site", 1.0), Stage("port", 1.0))},
        3,
        (look(1, "site", 0), look(1, "port", 1)),
    ),
    "nothing ever leaves": ({"stages": (Stage("site", 0.0), Stage("port", 0.0))}, 3, (look(3, "site", 2),)),
    "everything is seen": ({}, 2, (look(0, "site", 3, p=1.0), look(2, "port", 1, p=1.0))),
    "nothing is seen": ({}, 2, (look(1, "site", 0, p=0.0),)),
    "only false counts": ({}, 2, (look(1, "site", 4, p=0.0, phi=0.5),)),
    "more than there can be": ({}, 2, (look(1, "site", 40, phi=0.5),)),
    "one crate each": ({}, 2, (look(1, "site", 1, units_per_item=(0.0, 1.0)),)),
    "no crate ever": ({}, 2, (look(1, "site", 0, units_per_item=(1.0,)),)),
    "a prior that rules numbers out": ({"undeclared": (0.0, 0.0, 1.0)}, 2, (look(1, "site", 1),)),
    "decoys only": (
        {"declared": 0, "undeclared": (1.0,), "decoys": Decoys((0.1, 0.9), 0.5)},
        2,
        (look(2, "site", 1, decoy_p=1.0),),
    ),
    "decoys that never go": ({"decoys": Decoys((0.5, 0.5), 1.0)}, 2, (look(2, "site", 2, decoy_p=0.5),)),
    "decoys that go at once": ({"decoys": Decoys((0.5, 0.5), 0.0)}, 2, (look(2, "site", 2, decoy_p=0.5),)),
    "many looks on one day": ({}, 2, tuple(look(1, "site", 1, name=f"look {i}") for i in range(12))),
}


@pytest.mark.parametrize("method", ["dense", "train"])
@pytest.mark.parametrize("edge", EDGES)
def test_edges(edge: str, method: str) -> None:
    change, last_day, seen = EDGES[edge]
    account = Account((item(**change),), last_day, seen)
    same(solve(account, method=method), enumerate_account(account), account)


def test_one_crate_each_is_no_crates() -> None:
    plain = Account((item(),), 2, (look(1, "site", 1),))
    alike(solve(plain), solve(Account((item(),), 2, (look(1, "site", 1, units_per_item=(0.0, 1.0)),))))


def test_a_far_away_count_does_not_hide_what_else_is_known() -> None:
    """A false count of 300 is no better explained by any state of the account."""
    with_it = solve(Account((item(),), 2, (look(1, "site", 1), look(2, "site", 300, name="far", phi=0.5, p=1e-9))))
    without = solve(Account((item(),), 2, (look(1, "site", 1),)))
    close(with_it.classes["item"].mean_left, without.classes["item"].mean_left, 1e-6)


def test_many_items_seen_by_a_look_that_sorts() -> None:
    """A probability below what a double can hold is not an impossibility."""
    chain = (Stage("site", 0.0),)
    of = (item("a", declared=400, undeclared=(1.0,), stages=chain), item("b", declared=1, undeclared=(1.0,), stages=chain))
    seen = Look("sorted", ((0, 1.0),), "site", (("a", 0), ("b", 0)), sorts=True, p=0.9)
    found = solve(Account(of, 0, (seen,), {}, {"a": {"a": 1.0}, "b": {"b": 1.0}}))
    assert found.loglik == pytest.approx(401 * log(0.1), rel=1e-10)


def test_many_items_in_crates() -> None:
    of = item(declared=400, undeclared=(1.0,), stages=(Stage("site", 0.0),))
    found = solve(Account((of,), 0, (look(0, "site", 0, p=0.9, units_per_item=(0.0, 1.0)),)))
    assert found.loglik == pytest.approx(400 * log(0.1), rel=1e-10)


# ---- what cannot be -------------------------------------------------------------------------------------------------------


def clash(account: Account) -> tuple[str, ...]:
    with pytest.raises(ImpossibleError) as found:
        solve(account)
    assert str(found.value)
    for name in found.value.looks:
        assert name in str(found.value)
    return found.value.looks


def test_one_count_that_cannot_be() -> None:
    assert clash(Account((item(),), 2, (look(0, "site", 4), look(1, "site", 1)))) == ("site 0",)


def test_what_leaves_on_day_0_is_nothing() -> None:
    assert clash(Account((item(),), 2, (look(0, "port", 1, leaving=True),))) == ("port 0",)


def test_two_counts_that_cannot_both_be() -> None:
    seen = (look(0, "site", 2, p=1.0), look(1, "site", 1), look(2, "site", 3, p=0.5, name="more than there were"))
    assert set(clash(Account((item(),), 2, seen))) == {"site 0", "more than there were"}


def test_each_of_two_counts_that_cannot_be_alone() -> None:
    seen = (look(0, "site", 9, name="first"), look(1, "site", 1), look(2, "site", 8, name="last"))
    named = clash(Account((item(),), 2, seen))
    assert set(named) & {"first", "last"}
    assert "site 1" not in named


def test_two_looks_of_one_day_that_see_all_and_differ() -> None:
    seen = (look(1, "site", 1, p=1.0, name="one"), look(1, "site", 2, p=1.0, name="other"))
    assert set(clash(Account((item(),), 2, seen))) == {"one", "other"}


def test_a_flow_that_the_stock_denies() -> None:
    seen = (look(1, "site", 3, p=1.0), look(2, "port", 1, leaving=True))
    assert set(clash(Account((item(),), 2, seen))) == {"site 1", "port 2"}


def test_looks_that_clash_whatever_day_and_visibility() -> None:
    seen = (look(0, "site", 4, days=((0, 0.5), (1, 0.5)), in_pass="P", name="uncertain"), look(1, "site", 1))
    assert clash(Account((item(),), 2, seen, {"P": ((1.0, 0.5), (0.3, 0.5))})) == ("uncertain",)


def names(looked: Iterable[Look]) -> list[str]:
    return [one.name for one in looked]


def test_a_report_that_may_be_wrong_clashes_with_nothing() -> None:
    account = Account((item(),), 2, (look(0, "site", 9, trust=0.99, span=10), look(1, "site", 1)))
    assert names(account.looks) == ["site 0", "site 1"]
    same(solve(account), enumerate_account(account), account)
