"""A step of an explanation under check: its form, its facts, and how a difference becomes a complaint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isclose, isfinite
from typing import Any

from tallybook.checker.books import Complaint

DEEPEST = 200
MOST_STEPS = 200_000
_KEYS = frozenset({"rule", "says", "report", "quote", "instrument", "exhibit", "facts", "because"})
_TEXTS = ("rule", "says", "report", "quote", "instrument", "exhibit")
_ABSENT = "nothing"
_RESTING = ("report", "state")
"""Rules of steps that name a row and may have its exhibits below."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a tree, with the way to it."""

    raw: Mapping[str, Any]
    path: str

    @property
    def rule(self) -> str:
        """The rule applied."""
        return str(self.raw.get("rule", ""))

    @property
    def says(self) -> str:
        """The step in a sentence."""
        return str(self.raw.get("says", ""))

    @property
    def report(self) -> str:
        """The row that a leaf rests on."""
        return str(self.raw.get("report", ""))

    @property
    def quote(self) -> tuple[str, str]:
        """The instrument and the words that a leaf rests on."""
        return str(self.raw.get("instrument", "")), str(self.raw.get("quote", ""))

    @property
    def exhibit(self) -> str:
        """The exhibit that a leaf rests on."""
        return str(self.raw.get("exhibit", ""))

    @property
    def facts(self) -> dict[str, Any]:
        """The facts that the rule needs."""
        found = self.raw.get("facts")
        return found if isinstance(found, dict) else {}

    @property
    def children(self) -> list[Step]:
        """The steps below."""
        return [Step(raw, f"{self.path}.{n}") for n, raw in enumerate(self.raw.get("because", ()))]

    def walk(self) -> Iterator[Step]:
        """This step and all below it."""
        queue = [self]
        while queue:
            step = queue.pop()
            yield step
            queue += reversed(step.children)


@dataclass(slots=True)
class Complaints:
    """What has been found wrong so far."""

    found: list[Complaint] = field(default_factory=list)

    def add(self, step: Step, what: str, expected: object, found: object) -> None:
        """Complain of one thing."""
        self.found.append(Complaint(step.path, step.rule, what, shown(expected), shown(found)))

    def expect(self, step: Step, what: str, expected: object, found: object) -> None:
        """Complain where two values differ."""
        if not same(expected, found):
            self.add(step, what, expected, found)

    def facts(self, step: Step, expected: Mapping[str, Any]) -> None:
        """The facts of a step must be just these."""
        for name, value in expected.items():
            if name not in step.facts:
                self.add(step, name, value, _ABSENT)
            else:
                self.expect(step, name, value, step.facts[name])
        for name in step.facts.keys() - expected.keys():
            self.add(step, name, _ABSENT, step.facts[name])

    def says(self, step: Step, expected: str) -> None:
        """The sentence of a step must be this."""
        self.expect(step, "says", expected, step.says)

    def rules(self, step: Step, expected: list[str]) -> bool:
        """The rules of the steps below must be these, in this order."""
        found = [child.rule for child in step.children]
        self.expect(step, "steps below", expected, found)
        return found == expected


def form_faults(raw: object, out: Complaints) -> bool:
    """Whether a tree has the form of an explanation: complains of each step that has not. Takes any JSON value."""
    queue: list[tuple[object, str, int]] = [(raw, "0", 0)]
    steps = 0
    while queue:
        node, path, depth = queue.pop()
        steps += 1
        if not isinstance(node, dict):
            out.found.append(Complaint(path, "", "form", "a step", shown(node)))
            continue
        step = Step(node, path)
        if steps > MOST_STEPS or depth > DEEPEST:
            out.add(step, "form", f"at most {MOST_STEPS} steps and {DEEPEST} levels", "more")
            return False
        below = node.get("because", [])
        if fault := _fault(node, below):
            out.add(step, "form", fault, ", ".join(sorted(map(str, node))))
            continue
        queue += [(child, f"{path}.{n}", depth + 1) for n, child in enumerate(below)]
    return not out.found


def _fault(node: dict[Any, Any], below: object) -> str:
    if set(node) - _KEYS:
        return f"only {', '.join(sorted(_KEYS))}"
    if any(not isinstance(node.get(key, ""), str) for key in _TEXTS) or not node.get("rule") or not node.get("says"):
        return "rule and says, in words"
    if not isinstance(node.get("facts", {}), dict) or not isinstance(below, list) or not _is_plain(node.get("facts", {})):
        return "facts as a mapping, because as a list"
    rests = [key for key in ("report", "quote", "exhibit") if node.get(key)]
    if "because" in node:
        return "" if below and _may_stand_above(node, below) else "steps below, or what it rests on"
    quoted = bool(node.get("quote")) == bool(node.get("instrument"))
    return "" if len(rests) == 1 and quoted else "a report, an exhibit, or a quotation with its instrument"


def _may_stand_above(node: dict[Any, Any], below: list[Any]) -> bool:
    """A step with others below it rests on nothing itself, but that exhibits stand below their report."""
    if any(key in node for key in ("quote", "instrument", "exhibit")):
        return False
    exhibits = [isinstance(child, dict) and child.get("rule") == "exhibit" for child in below]
    return node.get("rule") in _RESTING and all(exhibits) if "report" in node else not any(exhibits)


def _is_plain(value: object) -> bool:
    """Whether facts hold only plain values of reasonable depth."""
    queue: list[tuple[object, int]] = [(value, 0)]
    while queue:
        node, depth = queue.pop()
        if depth > DEEPEST or not isinstance(node, dict | list | str | int | float | bool | None):
            return False
        if isinstance(node, float) and not isfinite(node):
            return False
        if isinstance(node, dict | list):
            queue += [(child, depth + 1) for child in (node.values() if isinstance(node, dict) else node)]
    return True


def same(expected: object, found: object) -> bool:
    """Whether two plain values say the same; numbers within a part in 10⁹."""
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return isclose(expected, found, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        return len(expected) == len(found) and all(same(a, b) for a, b in zip(expected, found, strict=True))
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(same(value, found[key]) for key, value in expected.items())
    return type(expected) is type(found) and expected == found


def shown(value: object) -> str:
    """A value for people, not too long."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 300 else text[:297] + "..."


def instant(text: object) -> datetime | None:
    """An instant as facts write it, with its offset; None for anything else."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
