"""Formulas evaluated straight from their definition, over traces and over signals: the oracle of the tests in this folder.

Works on the JSON trees and the JSON of cases (see tests/conformance/README.md), recursively and with no care for speed. It shares
no code with the project.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

Json = Any
Assignment = Mapping[str, Json]


def exact(number: float) -> Fraction:
    """A number as it is written in decimals."""
    return Fraction(repr(number))


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal; true is no number and a number no text."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def compares(one: Json, sign: str, other: Json) -> bool:
    """Whether two values compare so; only two numbers or two texts have an order."""
    if sign in ("=", "!="):
        return same(one, other) is (sign == "=")
    texts = isinstance(one, str) and isinstance(other, str)
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    if not texts and not numbers:
        return False
    return bool({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[sign])


def inside(node: Json, distance: Fraction) -> bool:
    """Whether a distance lies in the window of an operator."""
    lo, hi = exact(node["lo"]), node["hi"]
    if distance < lo or (distance == lo and node.get("lo_open", False)):
        return False
    return hi is None or distance < exact(hi) or (distance == exact(hi) and not node.get("hi_open", False))


def horizon(node: Json) -> Fraction | None:
    """The upper bounds of nested future operators along the deepest branch; None where there are none."""
    parts = [node[key] for key in ("arg", "left", "right") if isinstance(node.get(key), dict)]
    if node.get("op") in ("and", "or"):
        parts = node["args"]
    inner = [found for found in map(horizon, parts) if found is not None]
    if node.get("op") in ("eventually", "always", "until"):
        return exact(node["hi"]) + max(inner, default=Fraction(0))
    return max(inner, default=None)


def value(term: Json, names: Assignment) -> Json:
    """What a term stands for."""
    return names[term] if isinstance(term, str) and term.startswith("?") else term


class Trace:
    """The formula at the time-points of one trace."""

    def __init__(self, points: Sequence[Json]) -> None:
        self.points = points
        self.domain: list[Json] = []
        for point in points:
            for event in point["events"]:
                for arg in event["args"]:
                    if not any(same(arg, known) for known in self.domain):
                        self.domain.append(arg)

    def holds(self, node: Json, i: int, names: Assignment) -> bool:
        """Whether a formula holds at the i-th time-point under an assignment."""
        if "pred" in node:
            wanted = [value(arg, names) for arg in node["args"]]
            return any(
                event["pred"] == node["pred"]
                and len(event["args"]) == len(wanted)
                and all(same(one, other) for one, other in zip(event["args"], wanted, strict=True))
                for event in self.points[i]["events"]
            )
        op = node["op"]
        if op == "compare":
            return compares(value(node["left"], names), node["cmp"], value(node["right"], names))
        if op in ("and", "or"):
            return (all if op == "and" else any)(self.holds(part, i, names) for part in node["args"])
        if op == "not":
            return not self.holds(node["arg"], i, names)
        if op == "implies":
            return not self.holds(node["left"], i, names) or self.holds(node["right"], i, names)
        if op == "exists":
            found = itertools.product(self.domain, repeat=len(node["vars"]))
            return any(self.holds(node["arg"], i, {**names, **dict(zip(node["vars"], row, strict=True))}) for row in found)
        return self.temporal(node, i, names)

    def temporal(self, node: Json, i: int, names: Assignment) -> bool:
        """`holds` for operators with a window."""
        op = node["op"]
        past = op in ("once", "historically", "since")
        reach = range(i + 1) if past else range(i, len(self.points))
        now = exact(self.points[i]["ts"])
        window = [j for j in reach if inside(node, abs(now - exact(self.points[j]["ts"])))]
        if op in ("since", "until"):
            return any(
                self.holds(node["right"], j, names)
                and all(self.holds(node["left"], k, names) for k in (range(j + 1, i + 1) if past else range(i, j)))
                for j in window
            )
        quantifier = any if op in ("once", "eventually") else all
        return quantifier(self.holds(node["arg"], j, names) for j in window)

    def answer(self, node: Json, variables: Sequence[str]) -> Json:
        """What the conformance cases expect: the assignments at each time-point, and the undetermined time-points."""
        names = [f"?{name.removeprefix('?')}" for name in variables]
        ahead = horizon(node)
        expected, undetermined = [], []
        for i, point in enumerate(self.points):
            if ahead is not None and not any(exact(p["ts"]) > exact(point["ts"]) + ahead for p in self.points):
                undetermined.append(point["tp"])
                continue
            rows = itertools.product(self.domain, repeat=len(names))
            found = [list(row) for row in rows if self.holds(node, i, dict(zip(names, row, strict=True)))]
            expected.append({"tp": point["tp"], "ts": point["ts"], "sat": found if names else bool(found)})
        return {"expected": expected, "undetermined": undetermined}


class Signal:
    """The formula at any instant of one record of signals.

    Truth can only change at the instants of `turns`. Between two of them one instant stands for all.
    """

    def __init__(self, rows: Sequence[Json], threshold: Mapping[str, float] | None = None) -> None:
        self.rows = rows
        self.threshold = threshold or {}
        self.start, self.end = exact(rows[0]["t"]), exact(rows[-1]["t"])
        self.known: dict[tuple[int, Fraction], bool] = {}
        self.points: dict[int, set[Fraction]] = {}

    def turns(self, node: Json) -> set[Fraction]:
        """Instants at which the truth of a formula may change."""
        if id(node) not in self.points:
            found = {exact(row["t"]) for row in self.rows}
            parts = node["args"] if node.get("op") in ("and", "or") else [node.get(key) for key in ("arg", "left", "right")]
            for part in parts:
                if isinstance(part, dict):
                    found |= self.turns(part)
            if "lo" in node:
                sign = 1 if node["op"] in ("once", "historically", "since") else -1
                shifts = [sign * exact(bound) for bound in (node["lo"], node["hi"]) if bound is not None]
                found |= {point + shift for point in found for shift in shifts}
            self.points[id(node)] = {point for point in found if self.start <= point <= self.end}
        return self.points[id(node)]

    def between(self, first: Fraction, last: Fraction, turns: Iterable[Fraction]) -> list[Fraction]:
        """The two instants, every turn between them, and one instant between each two of all these."""
        marks = sorted({first, last, *(turn for turn in turns if first < turn < last)})
        return marks + [(one + other) / 2 for one, other in itertools.pairwise(marks)]

    def holds(self, node: Json, now: Fraction) -> bool:
        """Whether a formula holds at an instant of the record."""
        key = (id(node), now)
        if key not in self.known:
            self.known[key] = self.look(node, now)
        return self.known[key]

    def look(self, node: Json, now: Fraction) -> bool:
        """`holds`, without a memory."""
        if "pred" in node:
            state: Json = False
            for row in self.rows:
                if exact(row["t"]) <= now:
                    state = row.get(node["pred"], state)
            return state if isinstance(state, bool) else bool(state >= self.threshold[node["pred"]])
        op = node["op"]
        if op == "compare":
            return compares(node["left"], node["cmp"], node["right"])
        if op in ("and", "or"):
            return (all if op == "and" else any)(self.holds(part, now) for part in node["args"])
        if op == "not":
            return not self.holds(node["arg"], now)
        if op == "implies":
            return not self.holds(node["left"], now) or self.holds(node["right"], now)
        return self.temporal(node, now)

    def temporal(self, node: Json, now: Fraction) -> bool:
        """`holds` for operators with a window."""
        op = node["op"]
        past = op in ("once", "historically", "since")
        lo = exact(node["lo"])
        hi = self.end - self.start if node["hi"] is None else exact(node["hi"])
        first, last = (max(self.start, now - hi), now - lo) if past else (now + lo, min(self.end, now + hi))
        if first > last:
            return op in ("historically", "always")
        turns = self.turns(node["arg"] if "arg" in node else node["left"]) | self.turns(node.get("right", node.get("arg")))
        window = [then for then in self.between(first, last, turns) if inside(node, abs(now - then))]
        if op in ("since", "until"):
            return any(self.holds(node["right"], then) and self.unbroken(node, then, now, turns) for then in window)
        quantifier = any if op in ("once", "eventually") else all
        return quantifier(self.holds(node["arg"], then) for then in window)

    def unbroken(self, node: Json, then: Fraction, now: Fraction, turns: set[Fraction]) -> bool:
        """Whether the left side holds at every instant between the two, the instant `then` left out."""
        between = self.between(min(then, now), max(then, now), turns)
        return all(self.holds(node["left"], instant) for instant in between if instant != then)

    def answer(self, node: Json, instants: Iterable[float]) -> list[list[Json]]:
        """What the conformance cases expect: the truth at each instant, None where the horizon lies beyond the record."""
        ahead = horizon(node) or Fraction(0)
        found: list[list[Json]] = []
        for instant in instants:
            now = exact(instant)
            known = self.start <= now and now + ahead <= self.end
            found.append([instant, self.holds(node, now) if known else None])
        return found
