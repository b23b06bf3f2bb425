"""Random formulas against reelay 25.0.0 and rtamt 0.4.10 (offline), on the operators that they get right.

Found by trying each operator against the brute-force evaluator. Left out, and why:

reelay, one sample per time unit: windows that end at 0 (`once[0:0]` is read as without an end).
reelay, dense time: any nesting of windows (one random formula in twenty is answered wrongly), and changes exactly as far apart
as a bound of a window (`once[1:2] a` misses the stretch (12,13) where a is false on (10,12]). Its states are left-open, and its
since wants the left side at the witness as well: read backwards in time, it is `left and (left until right)` with right-open
states.
rtamt, discrete: windows without an end that do not begin at 0.
rtamt, dense time: since and until over other windows (it says nothing about the first instants, and what is around it takes that
for its answer). Its since and until want the left side at the witness.
rtamt's future operators are compared where the whole horizon lies in the record; past its end it keeps the last value.
Neither knows strict bounds, events with data or several events in a row with one time-stamp; reelay knows no future.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formula.brute import exact, horizon
from tallybook.formula.exhaustive import evaluated
from tallybook.formula.monitor import Monitor
from tallybook.formula.signals import read_signals, spans, verdicts
from tallybook.formula.trace import TimePoint
from tallybook.formula.tree import Formula, from_json

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "typing.io is deprecated", DeprecationWarning)
    rtamt = importlib.import_module("rtamt")
reelay = importlib.import_module("reelay")

Json = Any
SOME = settings(max_examples=100, deadline=None)
FEW = settings(max_examples=40, deadline=None)
RANDOMS = st.randoms(use_true_random=True)
NAMES = ("a", "b")
CONNECTIVES = ("and", "or", "not", "implies")
PAST = ("once", "historically", "since")
FUTURE = ("eventually", "always", "until")
Window = Callable[[Random, str], dict[str, Json]]


def tree_of(random: Random, ops: tuple[str, ...], window: Window, depth: int) -> Json:
    """A formula over the signals a and b."""
    if depth == 0 or random.random() < 0.1:
        return {"pred": random.choice(NAMES), "args": []}
    op = random.choice(ops)

    def part() -> Json:
        return tree_of(random, ops, window, depth - 1)

    if op in ("and", "or"):
        return {"op": op, "args": [part(), part()]}
    if op == "not":
        return {"op": op, "arg": part()}
    if op == "implies":
        return {"op": op, "left": part(), "right": part()}
    sides = {"left": part(), "right": part()} if op in ("since", "until") else {"arg": part()}
    return {"op": op, **window(random, op), **sides}


def some_window(random: Random, op: str) -> dict[str, Json]:
    lo = random.choice([0, 0, 1, 2])
    return {"lo": lo, "hi": None if op in PAST and random.random() < 0.3 else lo + random.choice([1, 2, 3])}


def plain_window(random: Random, op: str) -> dict[str, Json]:
    """Without an end only from 0 on; at times of no width."""
    if op in PAST and random.random() < 0.3:
        return {"lo": 0, "hi": None}
    lo = random.choice([0, 0, 1, 2])
    return {"lo": lo, "hi": lo + random.choice([0, 1, 2, 3])}


def with_left_at_the_witness(tree: Json) -> Json:
    """The formula with `left since right` as `left since (left and right)`, and so until."""
    found = dict(tree)
    if "args" in found and "op" in found:
        found["args"] = [with_left_at_the_witness(part) for part in found["args"]]
    for key in ("arg", "left", "right"):
        if key in found:
            found[key] = with_left_at_the_witness(found[key])
    if found.get("op") in ("since", "until"):
        found["right"] = {"op": "and", "args": [found["left"], found["right"]]}
    return found


def parts_of(tree: Json) -> list[Json]:
    """The direct parts of a formula."""
    sides = [tree[key] for key in ("arg", "left", "right") if key in tree]
    return list(tree["args"]) if tree.get("op") in ("and", "or") else sides


def windows_in(tree: Json) -> int:
    """How many operators have a window."""
    return ("lo" in tree) + sum(windows_in(part) for part in parts_of(tree))


def chains_windows(tree: Json) -> bool:
    """Whether a since or an until stands over other windows."""
    here = tree.get("op") in ("since", "until") and windows_in(tree) > 1
    return here or any(chains_windows(part) for part in parts_of(tree))


def mirrored(tree: Json) -> Json:
    """The formula of one past operator, for time read backwards, with the left side at the witness and now."""
    op = {"once": "eventually", "historically": "always", "since": "until"}[tree["op"]]
    found = {**tree, "op": op, "hi": 1000 if tree["hi"] is None else tree["hi"]}
    return {"op": "and", "args": [found["left"], found]} if op == "until" else found


def spelt(tree: Json, atom: str) -> str:
    """The formula as reelay and rtamt both read it, but for `atom`."""
    if "pred" in tree:
        return atom.format(tree["pred"])
    op = tree["op"]
    if op in ("and", "or"):
        return "(" + f" {op} ".join(spelt(part, atom) for part in tree["args"]) + ")"
    if op == "not":
        return f"(not {spelt(tree['arg'], atom)})"
    window = ""
    if "lo" in tree and (tree["lo"], tree["hi"]) != (0, None):
        window = f"[{tree['lo']}:{'' if tree['hi'] is None else tree['hi']}]"
    if "arg" in tree:
        return f"({op}{window} {spelt(tree['arg'], atom)})"
    return f"({spelt(tree['left'], atom)} {op}{window} {spelt(tree['right'], atom)})"


def samples_of(random: Random) -> list[dict[str, bool]]:
    return [{name: random.random() < 0.5 for name in NAMES} for _ in range(random.randint(3, 12))]


def by_monitor(tree: Json, samples: list[dict[str, bool]]) -> list[bool]:
    """What the monitor says at each sample that is not undetermined; the evaluator of finished traces must agree."""
    points = [TimePoint(n, n, {name: [()] for name in NAMES if sample[name]}) for n, sample in enumerate(samples)]
    formula = from_json(tree)
    monitor = Monitor(formula)
    found = [bool(verdict.rows) for verdict in monitor.run(points)]
    assert found == [bool(verdict.rows) for verdict in evaluated(formula, points)[0]]
    assert len(found) + len(monitor.undetermined) == len(samples)
    return found


@FEW
@given(RANDOMS)
def test_samples_against_reelay(random: Random) -> None:
    tree = tree_of(random, CONNECTIVES + PAST, some_window, random.randint(1, 4))
    samples = samples_of(random)
    theirs = reelay.discrete_timed_monitor(pattern=spelt(tree, "{{{}}}"), condense=False)
    assert [theirs.update(sample)["value"] for sample in samples] == by_monitor(tree, samples)


@SOME
@given(RANDOMS)
def test_samples_against_rtamt(random: Random) -> None:
    tree = tree_of(random, CONNECTIVES + PAST + FUTURE, plain_window, random.randint(1, 4))
    samples = samples_of(random)
    theirs = rtamt.StlDiscreteTimeSpecification()
    declare(theirs, tree)
    values = {name: [float(sample[name]) for sample in samples] for name in NAMES}
    found = [value >= 0 for _, value in theirs.evaluate({"time": list(range(len(samples))), **values})]
    ours = by_monitor(tree, samples)
    assert found[: len(ours)] == ours
    assert len(ours) >= len(samples) - (horizon(tree) or 0) - 1


def declare(specification: Any, tree: Json) -> None:
    """Give rtamt the formula; a signal of 0 or 1 is true from a half."""
    for name in NAMES:
        specification.declare_var(name, "float")
    specification.spec = spelt(tree, "({} >= 0.5)")
    specification.parse()


def rows_of(random: Random) -> list[Json]:
    """A record whose changes are no whole number of units apart."""
    rows: list[Json] = []
    t = 0
    for n in range(random.randint(2, 8)):
        rows.append({"t": t + n * 3 / 100, **{name: random.random() < 0.5 for name in NAMES}})
        t += random.choice([1, 1, 2, 3, 4])
    return [*rows, {"t": t + len(rows) * 3 / 100, "end": True}]


def reelay_at(tree: Json, rows: list[Json], instants: list[float]) -> list[bool]:
    """What reelay says in dense time. A value that it gives for a time holds after it."""
    theirs = reelay.dense_timed_monitor(pattern=spelt(tree, "{{{}}}"))
    found: list[tuple[float, bool]] = []
    for row in [*rows[:-1], {**rows[-2], "t": rows[-1]["t"]}]:
        update = {"time": float(row["t"]), **{name: row[name] for name in NAMES}}
        found += [(change["time"], change["value"]) for change in theirs.update(update)]
    return [[value for time, value in found if time < instant][-1] for instant in instants]


def within(formula: Formula, rows: list[Json], instants: list[float]) -> list[bool]:
    """Whether our periods hold the instants, whatever lies beyond the record."""
    periods = spans(formula, read_signals(rows))
    return [any(period.start <= instant <= period.end for period in periods) for instant in instants]


def one_operator(random: Random) -> Json:
    """One past operator over connectives."""
    op = random.choice(PAST)
    depth = random.randint(0, 2)
    sides = ("left", "right") if op == "since" else ("arg",)
    return {"op": op, **some_window(random, op), **{side: tree_of(random, CONNECTIVES, some_window, depth) for side in sides}}


def between(rows: list[Json], step: float = 0.9) -> list[float]:
    """Instants of the record at which nothing changes."""
    return [unit + step for unit in range(int(rows[-1]["t"])) if unit + step < rows[-1]["t"]]


@FEW
@given(RANDOMS)
def test_dense_time_against_reelay(random: Random) -> None:
    tree, rows = with_left_at_the_witness(one_operator(random)), rows_of(random)
    assert reelay_at(tree, rows, between(rows)) == verdicts(from_json(tree), read_signals(rows), between(rows))


@FEW
@given(RANDOMS)
def test_dense_time_backwards_against_reelay(random: Random) -> None:
    tree, rows = one_operator(random), rows_of(random)
    back = [{**row, "t": -after["t"]} for row, after in reversed(list(pairwise(rows)))] + [{"t": 0, "end": True}]
    ours = within(from_json(mirrored(tree)), back, [-instant for instant in between(rows)])
    assert reelay_at(tree, rows, between(rows)) == ours


@SOME
@given(RANDOMS)
def test_dense_time_against_rtamt(random: Random) -> None:
    tree = with_left_at_the_witness(tree_of(random, CONNECTIVES + PAST + FUTURE, plain_window, random.randint(1, 3)))
    assume(not chains_windows(tree))
    rows = rows_of(random)
    theirs = rtamt.StlDenseTimeSpecification()
    declare(theirs, tree)
    held = [*rows[:-1], {**rows[-2], "t": rows[-1]["t"]}]
    found = theirs.evaluate(*([name, [[row["t"], float(row[name])] for row in held]] for name in NAMES))
    ours = verdicts(from_json(tree), read_signals(rows), between(rows))
    reach = horizon(tree) or 0
    for instant, truth in zip(between(rows), ours, strict=True):
        assert (truth is None) is (exact(instant) + reach > exact(rows[-1]["t"]))
        assert truth is None or truth is ([value for time, value in found if time <= instant][-1] >= 0)
