"""Mistakes that are easily made in counting what is left: each with the answer of the mistake, and ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import comb, exp, factorial, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tallybook.holdings.engine import Answer, solve
from tallybook.holdings.model import Account, Decoys, ItemClass, Look, Stage
from tallybook.holdings.problem import TurnoverProblem, read_problem
from tallybook.holdings.turnover import Turnover, TurnoverPrior, turnover, turnover_unknown

CASES = Path(__file__).parent / "cases"
REFERENCE: dict[str, dict[str, float]] = json.loads((CASES / "traps.reference.json").read_text("utf-8"))
UNDECLARED = 20


def medium() -> Account:
    account = read_problem(json.loads((CASES / "C_medium.json").read_text("utf-8")), "C_medium")
    assert isinstance(account, Account)
    return account


def with_looks(change: Callable[[Look], Look]) -> Account:
    account = medium()
    return replace(account, looks=tuple(change(one) for one in account.looks))


def with_class(**change: Any) -> Account:
    account = medium()
    return replace(account, classes=(replace(account.classes[0], **change),))


def counted(one: Look) -> int:
    return one.counts[0][1]


def recount(one: Look, count: int) -> Look:
    return replace(one, counts=(("item", count),))


def none_undeclared(share: float) -> tuple[float, ...]:
    """Zero with this probability; beside it a geometric tail."""
    tail = 0.85 ** np.arange(UNDECLARED)
    return (share, *(float(x) for x in tail * (1 - share) / tail.sum()))


def departures_twice(one: Look) -> Look:
    return recount(one, 2 * counted(one)) if one.leaving else one


def twice(which: Callable[[Look], bool]) -> Account:
    account = medium()
    again = [replace(one, name=f"{one.name} again") for one in account.looks if which(one)]
    return replace(account, looks=(*account.looks, *again))


def at_site(one: Look) -> bool:
    return one.stage == "site"


def two_more(one: Look) -> Look:
    return recount(one, counted(one) + 2) if at_site(one) else one


def late(one: Look) -> Look:
    return replace(one, days=((min(one.days[0][0] + 3, 40), 1.0),))


MISTAKES: dict[str, Callable[[], Account]] = {
    "as specified": medium,
    "detection taken 0.25 too high": lambda: with_looks(lambda one: replace(one, p=min(one.p + 0.25, 0.99))),
    "false counts ignored": lambda: with_looks(lambda one: replace(one, phi=1e-9)),
    "every departure reported twice and added": lambda: with_looks(departures_twice),
    "every site photo read twice by the same desk, taken as independent": lambda: twice(at_site),
    "same report copied and taken as a second independent sighting": lambda: twice(lambda one: one.leaving),
    "two standing decoys at the site, modelled as fresh false counts": lambda: with_looks(two_more),
    "undeclared items ruled out by the prior": lambda: with_class(undeclared=(1.0,)),
    "P(U=0)=0.1 a priori": lambda: with_class(undeclared=none_undeclared(0.1)),
    "P(U=0)=0.9 a priori": lambda: with_class(undeclared=none_undeclared(0.9)),
    "no reintroduction possible": lambda: with_class(arrivals=0.0),
    "every report dated 3 days late (knowledge time used as event time)": lambda: with_looks(late),
}


def figures(answer: Answer) -> dict[str, float]:
    one = answer.classes["item"]
    left = one.left(len(one.mean_left) - 1)
    return {
        "E_R_T": float(one.mean_left[-1]),
        "P_none_left": answer.p_none_left,
        "P_R_ge_5": float(left[5:].sum()),
        "P_U0": float(one.undeclared[0]),
        "P_no_arrivals": answer.p_no_arrivals,
        "loglik": answer.loglik,
    }


@cache
def solved(mistake: str) -> Answer:
    return solve(MISTAKES[mistake]())


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_a_mistake_does_to_the_answer(mistake: str) -> None:
    found = figures(solved(mistake))
    wanted = {key: REFERENCE[mistake][key] for key in found}
    assert found == pytest.approx(wanted, rel=1e-7, abs=1e-12)


def test_every_mistake_of_the_reference_is_shown() -> None:
    assert set(MISTAKES) == set(REFERENCE)


# ---- each mistake beside what the model does ------------------------------------------------------------------------------


def stock(most: int, *looks: Look, shares: tuple[float, ...] = (), **change: Any) -> Account:
    """Up to so many items that stay where they are, each number as likely."""
    of = ItemClass("item", 0, shares or (1 / (most + 1),) * (most + 1), (Stage("site", 0.0),))
    return Account((replace(of, **change),), max((one.days[0][0] for one in looks), default=0), looks)


def look(count: int, day: int = 0, *, name: str = "", of: str = "item", **change: Any) -> Look:
    plain: dict[str, Any] = {
        "name": name or f"day {day}",
        "days": ((day, 1.0),),
        "stage": "site",
        "counts": ((of, count),),
        "p": 0.6,
    }
    return Look(**(plain | change))


def left(account: Account, size: int) -> Any:
    """P(n left) on the last day for n below `size`."""
    found = solve(account).classes["item"].left(account.last_day)[:size]
    return np.pad(found, (0, size - len(found)))


def mean(account: Account) -> float:
    return float(solve(account).classes["item"].mean_left[-1])


def test_two_counts_of_one_stock_are_never_added() -> None:
    added = mean(stock(60, look(12)))
    ours = mean(stock(60, look(6, name="one"), look(6, name="other")))
    assert added == pytest.approx(20.67, abs=0.1)
    assert ours == pytest.approx(9.83, abs=0.3)


def test_a_sum_over_two_passes_is_a_sum_of_two_draws_from_one_stock() -> None:
    per_item = (0.16, 0.48, 0.36)
    ours = left(stock(60, look(12, p=1.0, units_per_item=per_item)), 61)
    wanted = np.array([comb(2 * n, 12) * 0.6**12 * 0.4 ** (2 * n - 12) if 2 * n >= 12 else 0.0 for n in range(61)])
    assert ours == pytest.approx(wanted / wanted.sum(), abs=1e-12)


def test_two_looks_of_one_day_share_its_cloud() -> None:
    seen = (look(0, p=1.0, name="one"), look(0, p=1.0, name="other"))
    passes = {"cloud": ((0.9, 0.7), (0.2, 0.3)), "other cloud": ((0.9, 0.7), (0.2, 0.3))}
    one_item = replace(stock(1, *seen, shares=(0.0, 1.0)), passes=passes)
    shared = replace(one_item, looks=tuple(replace(one, in_pass="cloud") for one in seen))
    independent = replace(one_item, looks=(replace(seen[0], in_pass="cloud"), replace(seen[1], in_pass="other cloud")))
    assert exp(solve(independent).loglik) == pytest.approx(0.0961, rel=1e-12)
    assert exp(solve(shared).loglik) == pytest.approx(0.199, rel=1e-12)


def test_one_photograph_read_twice_is_one_look() -> None:
    """Taken as two, it makes what is left look rarer by eight times."""
    assert REFERENCE["as specified"]["P_none_left"] / solved(
        "every site photo read twice by the same desk, taken as independent"
    ).p_none_left == pytest.approx(8.624, abs=0.01)


def test_crates_are_not_items() -> None:
    as_items = mean(stock(20, look(8, p=1.0)))
    in_twos = mean(stock(20, look(8, p=1.0, units_per_item=(0.0, 0.0, 1.0))))
    assert [as_items, in_twos] == pytest.approx([8, 4])


def crated(n: int) -> float:
    """P(eight crates | n items), two for nine items in ten, none for the tenth, and 0.5 without an item."""
    pairs = range(min(n, 4) + 1)
    return sum(comb(n, k) * 0.9**k * 0.1 ** (n - k) * exp(-0.5) * 0.5 ** (8 - 2 * k) / factorial(8 - 2 * k) for k in pairs)


def test_an_item_may_come_without_a_crate_and_a_crate_without_an_item() -> None:
    certain = left(stock(20, look(8, p=1.0, units_per_item=(0.0, 0.0, 1.0))), 6)
    ours = left(stock(20, look(8, p=1.0, units_per_item=(0.1, 0.0, 0.9), phi=0.5)), 6)
    assert certain[4] == pytest.approx(1)
    assert certain[3] == certain[5] == 0
    assert ours == pytest.approx([crated(n) / sum(crated(m) for m in range(21)) for n in range(6)], rel=1e-10)
    assert min(ours[3], ours[5]) > 0.01


@pytest.mark.parametrize(("p", "needed"), [(0.2, 14), (0.3, 9), (0.5, 5), (0.7, 3)])
def test_none_seen_is_not_none(p: float, needed: int) -> None:
    """So many zeros bring an even chance that one is left below 5 %."""

    def after(zeros: int) -> float:
        return 1 - solve(stock(1, *(look(0, name=f"zero {k}", p=p) for k in range(zeros)))).p_none_left

    assert after(1) == pytest.approx((1 - p) / (2 - p))
    assert after(needed) < 0.05 <= after(needed - 1)


def test_where_nobody_looked_there_is_no_factor() -> None:
    unseen, blind, zero = stock(1), stock(1, look(0, p=0.0)), stock(1, look(0, p=0.5))
    assert solve(unseen).p_none_left == solve(blind).p_none_left == pytest.approx(0.5)
    assert solve(zero).p_none_left == pytest.approx(2 / 3)
    assert solve(unseen).loglik == pytest.approx(0, abs=1e-14)


def test_what_was_not_declared_rests_on_the_prior_and_is_never_ruled_out() -> None:
    shares = [figures(solved(prior))["P_U0"] for prior in ("P(U=0)=0.1 a priori", "as specified", "P(U=0)=0.9 a priori")]
    assert shares == pytest.approx([0.07403529, 0.41846701, 0.86624464], rel=1e-6)
    assert figures(solved("undeclared items ruled out by the prior"))["P_U0"] == pytest.approx(1)


def test_decoys_that_stand_there_every_day_are_no_items() -> None:
    """Two decoys that every look at the site counts, as fresh false counts and as what they are."""
    toy = solved("two standing decoys at the site, modelled as fresh false counts")
    known = with_looks(lambda one: replace(two_more(one), decoy_p=1.0) if at_site(one) else one)
    ours = solve(replace(known, classes=(replace(known.classes[0], decoys=Decoys((0.0, 0.0, 1.0), 1.0)),)))
    assert figures(toy)["E_R_T"] == pytest.approx(5.515042935, rel=1e-8)
    assert figures(ours) == pytest.approx(figures(solved("as specified")), rel=1e-9)


def test_two_reports_of_one_sailing_are_one_event() -> None:
    """Each of two observers saw three of what left on one day; added up they made six."""
    of = ItemClass("item", 6, (1.0,), (Stage("site", 0.5),))
    one, other = (look(3, 1, name=name, leaving=True, p=0.9) for name in ("one", "other"))
    added = Account((of,), 1, (look(6, 1, leaving=True, p=0.9),))
    ours = Account((of,), 1, (one, other))
    assert mean(added) == pytest.approx(0)
    weights = [comb(6, n) * (comb(n, 3) * 0.9**3 * 0.1 ** (n - 3)) ** 2 if n >= 3 else 0.0 for n in range(7)]
    assert mean(ours) == pytest.approx(6 - np.average(range(7), weights=weights), rel=1e-12)
    assert mean(ours) > 2.8


def test_the_evidence_shows_that_departures_were_added_twice() -> None:
    ours, added = solved("as specified"), solved("every departure reported twice and added")
    assert ours.loglik - added.loglik == pytest.approx(14.796885, abs=1e-5)


def test_the_same_class_mistaken_for_another_vanishes_with_it() -> None:
    """Three of class b, which all leave on day 1, are now and then recorded as a."""
    a = ItemClass("a", 0, (0.5, 0.5), (Stage("site", 0.0),))
    b = ItemClass("b", 3, (1.0,), (Stage("site", 1.0),))
    recognition = {"a": {"a": 1.0}, "b": {"a": 0.3, "b": 0.7}}

    def p_one_left(day: int, *, noise: bool) -> float:
        seen = look(1, day, of="a", p=0.8, sorts=not noise, phi=3 * 0.8 * 0.3 if noise else 0.0)
        return 1 - float(solve(Account((a, b), 2, (seen,), {}, recognition)).classes["a"].p_none_left_on[2])

    assert p_one_left(0, noise=True) == p_one_left(2, noise=True) == pytest.approx(0.5680, abs=1e-3)
    assert p_one_left(0, noise=False) < 0.6
    assert p_one_left(2, noise=False) == pytest.approx(1)


def test_a_late_report_changes_its_own_day_and_not_the_day_it_came() -> None:
    """Known on day 4: at the end of day 1 all three were still there."""
    of = ItemClass("item", 3, (1.0,), (Stage("site", 0.3),))
    before = Account((of,), 4, (look(1, 3),))
    at_its_date = replace(before, looks=(*before.looks, look(3, 1, name="late", p=1.0)))
    at_arrival = replace(before, looks=(*before.looks, look(3, 4, name="late", p=1.0)))
    assert mean(at_arrival) == pytest.approx(3)
    assert solve(at_its_date).classes["item"].mean_left[1] == pytest.approx(3)
    on_day_3 = [comb(3, n) * 0.49**n * 0.51 ** (3 - n) * n * 0.6 * 0.4 ** (n - 1) if n else 0.0 for n in range(4)]
    assert mean(at_its_date) == pytest.approx(0.7 * np.average(range(4), weights=on_day_3), rel=1e-12)
    assert solve(before).classes["item"].mean_left[1] < 3


def test_reports_taken_on_the_day_they_came_all_but_prove_something_undeclared() -> None:
    arrival = "every report dated 3 days late (knowledge time used as event time)"
    shares = [figures(solved(dated))["P_U0"] for dated in ("as specified", arrival)]
    assert shares == pytest.approx([0.4184670, 0.0143844], abs=1e-6)


def test_a_model_without_arrivals_is_three_times_as_sure_that_none_is_left() -> None:
    ours, closed = solved("as specified"), solved("no reintroduction possible")
    assert closed.p_none_left / ours.p_none_left == pytest.approx(2.994, abs=0.01)
    assert closed.p_no_arrivals == pytest.approx(1)
    assert ours.p_no_arrivals == pytest.approx(0.0930828, abs=1e-6)


def test_what_shares_a_cloud_is_not_multiplied_after_the_fact() -> None:
    """None of a and none of b left: both zeros hang on how well the pass could see."""
    of = tuple(ItemClass(name, 0, (0.5, 0.5), (Stage("site", 0.0),)) for name in "ab")
    seen = tuple(look(0, name=name, of=name, p=1.0, in_pass="cloud") for name in "ab")
    found = solve(Account(of, 0, seen, {"cloud": ((0.9, 0.7), (0.2, 0.3))}))
    each = [float(found.classes[name].p_none_left_on[0]) for name in "ab"]
    none, one, both = 1.0, 0.7 * 0.1 + 0.3 * 0.8, 0.7 * 0.01 + 0.3 * 0.64
    assert found.p_none_left == pytest.approx(none / (none + 2 * one + both), rel=1e-12)
    assert found.p_none_left > 1.02 * each[0] * each[1]


def test_one_plugged_in_detection_is_not_what_is_known() -> None:
    problem = read_problem(json.loads((CASES / "B_small.json").read_text("utf-8")), "B_small")
    assert isinstance(problem, TurnoverProblem)
    plugged_in = turnover(problem.y, Turnover(problem.lam, problem.gamma, problem.omega, problem.p))
    prior = TurnoverPrior(2.0, 0.2, 1.0, 1.0, (2.0, 2.0), (2.0, 2.0))
    integrated = turnover_unknown(problem.y, prior, draws=4096, seed=1)
    assert exp(plugged_in.log_p_none_last) == pytest.approx(0.58613789650, rel=1e-9)
    assert plugged_in.mean_last == pytest.approx(0.5113275472, rel=1e-9)
    error = float(np.hypot(integrated.standard_error["last"], 0.0062))
    assert integrated.mean["last"] == pytest.approx(2.50203, abs=3 * error)
    assert exp(integrated.log_p_none_last) < 0.4


def test_a_wrong_reading_has_less_evidence() -> None:
    """Three counted out of three declared, and one counted since: one more was there, or one came in, or the count was false."""
    shares = {u: tuple(float(k == u) for k in range(2)) for u in (0, 1)}
    of = ItemClass("item", 3, shares[0], (Stage("site", 0.5),))
    seen = (look(3, 1, name="out", leaving=True, p=0.95), look(1, 2, name="since", p=0.8, phi=0.01))
    none = solve(Account((of,), 2, seen))
    one = solve(Account((replace(of, undeclared=shares[1]),), 2, seen))
    assert one.loglik - none.loglik == pytest.approx(log(20 * 2 / 0.5), abs=1.5)
