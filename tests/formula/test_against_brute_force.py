"""Random formulas on random logs and signals: every evaluator against the brute-force one, which shares no code with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from formula import brute
from tallybook.formula.exhaustive import evaluated
from tallybook.formula.monitor import Monitor, Verdict, monitorable
from tallybook.formula.nodes import free
from tallybook.formula.signals import read_signals, spans, verdicts
from tallybook.formula.trace import TimePoint
from tallybook.formula.tree import from_json

Json = Any
MANY = settings(max_examples=500, deadline=None)
SOME = settings(max_examples=150, deadline=None)

VALUES: list[Json] = [1, 1, 2, 2, 1.0, "1", "b", True]
TERMS: list[Json] = ["?x", "?x", "?x", "?y", "?y", "?y", 1, 2, "b", True, 7]
ARITIES = {"p": 0, "P": 1, "Q": 1, "R": 2}
SIGNS = ("<", "<=", "=", "!=", ">", ">=")
# Random itself, seeded by hypothesis: strategies of hypothesis prefer small formulas, which exercise little.
RANDOMS = st.randoms(use_true_random=True)


def window(random: Random, op: str) -> dict[str, Json]:
    lo = random.choice([0, 0, 0, 1, 2, 0.5])
    found: dict[str, Json] = {"op": op, "lo": lo, "hi": lo + random.choice([0, 1, 2, 3, 0.1])}
    if op in ("once", "historically", "since") and random.random() < 0.3:
        found["hi"] = None
    return found | {key: True for key in ("lo_open", "hi_open") if random.random() < 0.25}


def formula_of(random: Random, leaf: Callable[[Random], Json], depth: int, *, variables: bool = True) -> Json:
    """A formula of at most this depth."""
    kinds = ["and", "or", "not", "implies", "unary", "unary", "since", "until", *(["exists"] if variables else [])]
    if depth == 0 or random.random() < 0.1:
        return leaf(random)
    kind = random.choice(kinds)

    def part() -> Json:
        return formula_of(random, leaf, depth - 1, variables=variables)

    if kind in ("and", "or"):
        return {"op": kind, "args": [part() for _ in range(random.choice([1, 2, 2, 3]))]}
    if kind == "not":
        return {"op": "not", "arg": part()}
    if kind == "implies":
        return {"op": "implies", "left": part(), "right": part()}
    if kind == "exists":
        return {"op": "exists", "vars": random.choice([["?x"], ["?y"], ["?x", "?y"], ["?z"]]), "arg": part()}
    if kind == "unary":
        return {**window(random, random.choice(["once", "historically", "eventually", "always"])), "arg": part()}
    return {**window(random, kind), "left": part(), "right": part()}


def happening(random: Random, terms: list[Json]) -> Json:
    name = random.choice(list(ARITIES))
    return {"pred": name, "args": [random.choice(terms) for _ in range(ARITIES[name])]}


def atom(random: Random) -> Json:
    if random.random() < 0.2:
        return {"op": "compare", "left": random.choice(TERMS), "cmp": random.choice(SIGNS), "right": random.choice(TERMS)}
    return happening(random, TERMS)


def state(random: Random) -> Json:
    """A signal, or only the instants at which it rises."""
    signal = {"pred": random.choice(["a", "b"]), "args": []}
    before = {"op": "once", "lo": 0, "hi": 1, "lo_open": True, "arg": signal}
    return {"op": "and", "args": [signal, {"op": "not", "arg": before}]} if random.random() < 0.2 else signal


def guarded(random: Random) -> Json:
    """A formula with its variables bound by an event beside it, as the monitor likes them."""
    both = {"op": "and", "args": [{"pred": "P", "args": ["?x"]}, {"pred": "Q", "args": ["?y"]}]}
    guard = random.choice([{"pred": "R", "args": ["?x", "?y"]}, both])
    guard = random.choice([guard, {"op": "once", "lo": 0, "hi": random.choice([None, 2]), "arg": guard}])
    return {"op": "and", "args": [guard, formula_of(random, atom, random.randint(0, 3))]}


def trace_of(random: Random) -> list[Json]:
    ts = random.choice([0, 10, 0.1])
    found = []
    for tp in range(random.choice([0, 1, 3, 4, 5, 6, 7])):
        events = [happening(random, VALUES) for _ in range(random.choice([0, 1, 2, 3, 4]))]
        found.append({"tp": tp, "ts": ts, "events": events})
        ts = round(ts + random.choice([0, 0, 1, 1, 2, 0.5, 0.1]), 6)
    return found


def points_of(trace: list[Json]) -> list[TimePoint]:
    points = []
    for row in trace:
        found: dict[str, list[tuple[Json, ...]]] = {}
        for one in row["events"]:
            found.setdefault(one["pred"], []).append(tuple(one["args"]))
        points.append(TimePoint(row["tp"], row["ts"], found))
    return points


def word(value: Json) -> str:
    """A value as text, equal for equal values only."""
    return json.dumps(float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value)


def settled(expected: list[Json]) -> list[Json]:
    """Answers in one order and one spelling."""
    return [
        (row["tp"], row["ts"], row["sat"] if isinstance(row["sat"], bool) else sorted([word(v) for v in r] for r in row["sat"]))
        for row in expected
    ]


def said(verdict: Verdict, *, closed: bool) -> Json:
    return {"tp": verdict.tp, "ts": verdict.ts, "sat": bool(verdict.rows) if closed else [list(row) for row in verdict.rows]}


@MANY
@given(RANDOMS)
def test_the_evaluator_of_finished_traces(random: Random) -> None:
    tree, trace = formula_of(random, atom, random.randint(1, 4)), trace_of(random)
    formula = from_json(tree)
    names = free(formula)
    want = brute.Trace(trace).answer(tree, names)
    found, undetermined = evaluated(formula, points_of(trace))
    assert settled([said(verdict, closed=not names) for verdict in found]) == settled(want["expected"])
    assert list(undetermined) == want["undetermined"]


@MANY
@given(RANDOMS)
def test_the_monitor(random: Random) -> None:
    tree, trace = guarded(random) if random.random() < 0.7 else formula_of(random, atom, random.randint(1, 3)), trace_of(random)
    formula = from_json(tree)
    taken = monitorable(formula) is None
    event(f"taken: {taken}")
    if not taken:
        return
    want = brute.Trace(trace).answer(tree, free(formula))
    monitor = Monitor(formula)
    found = list(monitor.run(points_of(trace)))
    assert settled([said(verdict, closed=not monitor.variables) for verdict in found]) == settled(want["expected"])
    assert list(monitor.undetermined) == want["undetermined"]


def record_of(random: Random) -> list[Json]:
    t: float = random.choice([0, 0, 3, -1])
    rows: list[Json] = []
    for n in range(random.randint(1, 7)):
        names = ("a", "b") if n == 0 or random.random() < 0.6 else ("a",)
        rows.append({"t": t, **{name: random.random() < 0.5 for name in names}})
        t = round(t + random.choice([1, 1, 2, 3, 0.5, 0.1]), 6)
    return [*rows, {"t": t, "end": True}]


def instants_of(record: list[Json]) -> list[float]:
    """Instants of all kinds: on changes, one bound away from them, between, and outside the record."""
    on = [row["t"] for row in record]
    near = [round(t + shift, 6) for t in on for shift in (-1, -0.5, 0.1, 0.25, 0.5, 1.5, 2)]
    return sorted({*on, *near})


@SOME
@given(RANDOMS)
def test_signals_at_instants(random: Random) -> None:
    tree, record = formula_of(random, state, random.randint(1, 4), variables=False), record_of(random)
    instants = instants_of(record)
    found = verdicts(from_json(tree), read_signals(record), instants)
    assert [list(pair) for pair in zip(instants, found, strict=True)] == brute.Signal(record).answer(tree, instants)


@SOME
@given(RANDOMS)
def test_the_periods_of_signals(random: Random) -> None:
    tree, record = formula_of(random, state, random.randint(1, 4), variables=False), record_of(random)
    oracle = brute.Signal(record)
    periods = spans(from_json(tree), read_signals(record))
    for instant in oracle.between(oracle.start, oracle.end, oracle.turns(tree)):
        inside = any(
            (brute.exact(s.start) < instant or (not s.start_open and brute.exact(s.start) == instant))
            and (instant < brute.exact(s.end) or (not s.end_open and brute.exact(s.end) == instant))
            for s in periods
        )
        assert inside is oracle.holds(tree, instant)
