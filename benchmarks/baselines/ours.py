"""Tallybook's own answers to the same problems."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.baselines.cases import four_thousand, grown
from benchmarks.baselines.common import ONE_PERCENT, Row, answers, best, beyond, case, once, relative
from benchmarks.baselines.scale import COLOURS

from tallybook import desk
from tallybook.holdings.closed import ClosedPrior, closed_counts
from tallybook.holdings.engine import solve
from tallybook.holdings.integration import Beta, Prior
from tallybook.holdings.model import Account
from tallybook.holdings.problem import read_problem
from tallybook.holdings.turnover import Turnover, TurnoverPrior, turnover, turnover_unknown
from tallybook.holdings.unknown import solve_unknown
from tallybook.verdicts.accounts import Held
from tallybook.verdicts.inquiry import Case

NAME = "tallybook"
EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "cuba-1962"
EXAMPLE_DAY = "1962-11-12"
SURE_TO = 1e-12
"""The reference answers of the large cases are sure to seven digits only where a probability is above this."""


def closed(size: str, _quick: bool) -> list[Row]:
    """A: the whole posterior."""
    data, exact = case("A", size), answers("A", size)
    prior = ClosedPrior(**data["prior"])
    found, timed = best(lambda: closed_counts(data["y"], prior), 50)
    error = max(
        relative(found.mean_total, exact["E_N"]),
        relative(found.mean_rate, exact["E_lam"]),
        relative(found.mean_detection, exact["E_p"]),
        relative(found.log_evidence, exact["log_evidence"]),
    )
    return [Row(f"A {size}", NAME, "E total", timed.seconds, timed.wall, error)]


def open_known(size: str, _quick: bool) -> list[Row]:
    """B at known parameters: the likelihood, what is left, and the two events."""
    data, exact = case("B", size), answers("B", size)
    rates = Turnover(**data["theta"])
    found, timed = best(partial(turnover, data["y"], rates), 30)
    values = {"log-likelihood": (found.loglik, exact["loglik"]), "E left": (found.mean_last, exact["E_N_T"])}
    return [Row(f"B {size}", NAME, name, timed.seconds, timed.wall, relative(*pair)) for name, pair in values.items()]


def open_unknown(size: str, _quick: bool) -> list[Row]:
    """B.u: the fewest draws, doubled from 64, that give what is left to a standard error of one per cent."""
    data, reference = case("B", size), answers("B.u", size)
    prior = TurnoverPrior(**data["prior"])
    for draws in (64 << k for k in range(11)):
        work = partial(turnover_unknown, data["y"], prior, draws=draws, seed=1, events=False)
        found, timed = best(work, 5, 3.0)
        error = found.standard_error["last"] / found.mean["last"]
        if error <= ONE_PERCENT:
            break
    off = relative(found.mean["last"], reference["E_N_T"])
    more = {"draws": float(draws), "effective": found.ess, "percent": 100 * error, "mean": found.mean["last"]}
    row = Row(f"B.u {size}", f"{NAME}, {draws:,} draws", "E left", timed.seconds, timed.wall, off, timed.seconds, more=more)
    return [row]


def _account(data: dict[str, Any]) -> Account:
    account = read_problem(data, "benchmark")
    assert isinstance(account, Account)
    return account


def resident(peak: bool) -> float:
    """Resident memory of this process in megabytes: now, or the most so far."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM" if peak else "VmRSS"))
    return int(line.split()[1]) / 1024


def account(size: str, _quick: bool) -> list[Row]:
    """C at known parameters, both ways through the days: everything an answer holds."""
    made = size == "xl"
    data = four_thousand() if made else case("C", size)
    account, before = _account(data), resident(peak=False)
    found, first = once(lambda: solve(account))
    grew = resident(peak=True) - before
    timed = first if made else best(lambda: solve(account), 20, 6.0)[1]
    item = next(iter(found.classes.values()))
    more = {"megabytes": grew, "discarded": found.discarded, "loglik": found.loglik}
    problem, method = f"C {size}", f"{NAME}, {found.method}"
    values = {
        "E left": float(item.mean_left[-1]),
        "P(none left)": found.p_none_left,
        "P(no arrivals)": found.p_no_arrivals,
    }
    exact: dict[str, Any] = {} if made else answers("C", size)
    reference = {"E left": "E_R", "P(none left)": "P_R0"}
    rows = []
    for quantity, value in values.items():
        error = None
        if exact:
            given = exact[reference[quantity]][-1] if quantity in reference else exact["P_no_arrivals"]
            error = relative(value, given)
        note = "the reference is itself off by so much here" if error and value < SURE_TO else ""
        rows.append(Row(problem, method, quantity, timed.seconds, timed.wall, error, note=note, more={**more, "value": value}))
    return rows


SERIES = {
    "items": (25, 50, 100, 200, 400, 800, 1600, 3200),
    "days": (10, 20, 40, 80, 160, 320),
    "stages": (1, 2, 3, 4, 5, 6),
}
LONG_ENOUGH = 4.0
LARGEST = 2_000.0


def scale(size: str, quick: bool) -> list[Row]:
    """Seconds against items, days or stages (`size`), dense and train; a series ends with a point that takes too long."""
    rows = []
    for method in COLOURS:
        for point in SERIES[size][: 3 if quick else None]:
            account, before = _account(grown(**{size: point})), resident(peak=False)
            try:
                found, timed = best(partial(solve, account, method=method), 3, 0.5)
            except Exception as fault:  # a refusal ends the series, and is told
                rows.append(Row(f"C {size} {point}", method, "", float("nan"), float("nan"), note=str(fault)))
                break
            if not found.method.startswith(method):
                rows.append(beyond(f"C {size} {point}", method, f"not there: the answer was {found.method}"))
                break
            more = {"size": float(point), "megabytes": resident(peak=True) - before, "loglik": found.loglik}
            rows.append(Row(f"C {size} {point}", method, "everything", timed.seconds, timed.wall, more=more))
            if timed.seconds > LONG_ENOUGH or more["megabytes"] > LARGEST:
                break
    return rows


def account_unknown(size: str, _quick: bool) -> list[Row]:
    """C.u: hop ~ Beta(20q, 20(1-q)), detection of each method ~ Beta(10p, 10(1-p)); everything an answer holds, by default."""
    data, reference = case("C", size), answers("C.u", size)
    account = _account(data)
    item = account.classes[0]
    methods = [str(look["method"]) for look in data["obs"]]
    means = {f"p_{look['method']}": float(look["p"]) for look in data["obs"]}
    priors: dict[str, Prior] = {f"q{k}": Beta(20 * q, 20 * (1 - q)) for k, q in enumerate(data["q"])}
    priors |= {name: Beta(10 * means[name], 10 * (1 - means[name])) for name in sorted(means)}

    def build(value: Mapping[str, float]) -> Account:
        stages = tuple(replace(stage, leaves=value[f"q{k}"]) for k, stage in enumerate(item.stages))
        looks = tuple(replace(look, p=value[f"p_{name}"]) for look, name in zip(account.looks, methods, strict=True))
        return replace(account, classes=(replace(item, stages=stages),), looks=looks)

    found, timed = best(lambda: solve_unknown(build, priors, seed=1), 3, 12.0)
    values = {"P(none left)": (found.p_none_left, reference["P0"]), "E left": (found.mean_left, reference["E_R_T"])}
    rows = []
    for quantity, (estimate, given) in values.items():
        error = estimate.standard_error / estimate.mean
        more = {"percent": 100 * error, "calls": float(found.calls), "mean": estimate.mean}
        to_one = timed.seconds * max(error / ONE_PERCENT, 1.0) ** 2
        off = relative(estimate.mean, given)
        note = f"standard error {100 * error:.2g} %"
        row = Row(
            f"C.u {size}", f"{NAME}, {found.calls} passes", quantity, timed.seconds, timed.wall, off, to_one, 0.0, note, more
        )
        rows.append(row)
    return rows


def example(_size: str, _quick: bool) -> list[Row]:
    """Each account of the example on its day, the case being open and the question new."""
    opened = desk.open_case(EXAMPLE)
    names = [claim.id for claim in opened.agreement.claims if claim.quantity is not None]
    rows = []
    for name in names:
        _, timed = best(partial(_ask, opened, name), 20, 3.0)
        more = {"milliseconds": 1000 * timed.seconds}
        rows.append(Row("example", NAME, name, timed.seconds, timed.wall, more=more))
    return rows


def _ask(opened: Case, name: str) -> list[Held]:
    return desk.holdings(desk.ask(opened, EXAMPLE_DAY), name)
