"""Mistakes that are easily made in counting what is left: each with the answer of the mistake, and ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import comb, exp, log
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


def recount(one: Look, count: int, **change: Any) -> Look:
    return replace(one, counts=(("item", count),), **change)


def none_undeclared(share: float) -> tuple[float, ...]:
    """Zero with this probability; beside it a geometric tail."""
    tail = 0.85 ** np.arange(UNDECLARED)
    return (share, *(float(x) for x in tail * (1 - share) / tail.sum()))


def departures_twice(one: Look) -> Look:
    return recount(one, 2 * counted(one)) if one.leaving else one


def photographs_twice() -> Account:
    account = medium()
    twice = [x for one in account.looks for x in ([one, replace(one, name=f"{one.name} again")] if aerial(one) else [one])]
    return replace(account, looks=tuple(twice))


def aerial(one: Look) -> bool:
    return one.stage == "site" and one.p == 0.6


def late(one: Look) -> Look:
    return replace(one, days=((min(one.days[0][0] + 3, 40), 1.0),))


MISTAKES: dict[str, Callable[[], Account]] = {
    "as specified": medium,
    "detection taken 0.25 too high": lambda: with_looks(lambda one: replace(one, p=min(one.p + 0.25, 0.99))),
    "false counts ignored": lambda: with_looks(lambda one: replace(one, phi=1e-9)),
    "every departure reported twice and added": lambda: with_looks(departures_twice),
    "every site photo read twice by the same desk, taken as independent": photographs_twice,
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


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_a_mistake_does_to_the_answer(mistake: str) -> None:
    found = figures(solve(MISTAKES[mistake]()))
    wanted = {key: REFERENCE[mistake][key] for key in found}
    assert found == pytest.approx(wanted, rel=1e-7, abs=1e-12)
