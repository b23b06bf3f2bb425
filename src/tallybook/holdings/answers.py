"""A problem stated by itself, without a case, and its answers by name."""

from __future__ import annotations

from math import isfinite
from typing import Any

from tallybook.holdings.closed import ClosedPrior, closed_counts
from tallybook.holdings.engine import ImpossibleError, solve
from tallybook.holdings.model import Account
from tallybook.holdings.problem import Closed, TurnoverProblem, read_problem
from tallybook.holdings.turnover import Turnover, turnover

FIRST = 6
"""So many probabilities of the number left at the last day are written."""


def answers(data: object, where: str) -> dict[str, Any]:
    """The answers of a case, as decoded JSON. Raises ModelError where the case makes no sense."""
    problem = read_problem(data, where)
    if isinstance(problem, Closed):
        return _closed(problem)
    if isinstance(problem, TurnoverProblem):
        return _turnover(problem)
    try:
        return _account(problem, by_class=isinstance(data, dict) and data["problem"] == "D")
    except ImpossibleError as clash:
        return {"impossible": True, "looks": list(clash.looks)}


def _closed(problem: Closed) -> dict[str, Any]:
    found = closed_counts(problem.y, ClosedPrior(problem.a, problem.b, problem.alpha, problem.beta))
    return {
        "log_evidence": float(found.log_evidence),
        "E_N": float(found.mean_total),
        "sd_N": float(found.sd_total),
        "E_lam": float(found.mean_rate),
        "E_p": float(found.mean_detection),
    }


def _turnover(problem: TurnoverProblem) -> dict[str, Any]:
    found = turnover(problem.y, Turnover(problem.lam, problem.gamma, problem.omega, problem.p))
    if not isfinite(found.loglik):
        return {"impossible": True, "looks": [f"y[{site}][{occasion}]" for site, occasion in found.clashes]}
    out = {
        "loglik": float(found.loglik),
        "E_N_T": float(found.mean_last),
        "P_no_arrivals": float(found.p_no_arrivals),
    }
    if isfinite(found.log_p_none_last):
        out["log_P_all_zero"] = float(found.log_p_none_last)
    return out


def _account(account: Account, *, by_class: bool) -> dict[str, Any]:
    solved = solve(account)
    classes: dict[str, Any] = {}
    for item_class in account.classes:
        found = solved.classes[item_class.name]
        last = [float(x) for x in found.left(account.last_day)[:FIRST]]
        one: dict[str, Any] = {
            "E_R": [float(x) for x in found.mean_left],
            "P_R0": [float(x) for x in found.p_none_left_on],
            "P_R_T": last + [0.0] * (FIRST - len(last)),
            "P_U": [float(x) for x in found.undeclared],
        }
        if found.decoys_last is not None:
            one["P_decoys_T"] = [float(x) for x in found.decoys_last]
        classes[item_class.name] = one
    out: dict[str, Any] = {"loglik": float(solved.loglik), "P_no_arrivals": float(solved.p_no_arrivals)}
    if not by_class:
        only: dict[str, Any] = classes[account.classes[0].name]
        return out | only
    return out | {"classes": classes, "P_none_left": float(solved.p_none_left)}
