"""A situation written down by the hour, for tests of conditions; and what other projects publish, in that form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from tallybook.agreement.language import condition
from tallybook.agreement.situation import Atom
from tallybook.core.truth import Finding, Truth

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "dense-time-past.json").read_text("utf-8"))
START = datetime(1962, 11, 1, tzinfo=UTC)
T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
SIGN = {True: T, False: F, None: U}

Steps: TypeAlias = Sequence[tuple[float, Truth]]
"""From each hour on, until the next: a truth. Before the first one the truth is unknown."""


def hours(at: float) -> datetime:
    return START + timedelta(hours=at)


def value_at(steps: Steps, at: float, before: Truth = U) -> Truth:
    return next((truth for hour, truth in reversed(steps) if hour <= at), before)


@dataclass(frozen=True)
class Recorded:
    """A situation written down by the hour: events and states, statuses, and what terms cover."""

    facts: Mapping[str, Steps] = field(default_factory=dict)
    statuses: Mapping[str, Steps] = field(default_factory=dict)
    terms: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    open_terms: frozenset[str] = frozenset()
    numbers: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, str | float] = field(default_factory=dict)

    def _of(self, steps: Steps, name: str, at: datetime) -> Finding:
        truth = value_at(steps, (at - START) / timedelta(hours=1))
        return Finding(truth, (f"{name} {truth.value}",), () if truth is T else (name,))

    def holds(self, atom: Atom, at: datetime) -> Finding:
        return self._of(self.facts.get(str(atom), ()), str(atom), at)

    def status(self, word: str, reference: str, at: datetime) -> Finding:
        name = f"{word} {reference}"
        return self._of(self.statuses.get(name, ()), name, at)

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo("UTC")

    def amount(self, atom: Atom, at: datetime) -> tuple[float, float]:
        found = self.numbers.get(str(atom))
        return (float("-inf"), float("inf")) if found is None else (found, found)

    def value(self, reference: str, at: datetime) -> tuple[str | float | None, Finding]:
        found = self.values.get(reference)
        return found, Finding(T if found is not None else U, (reference,))

    def members(self, term: str, at: datetime) -> Sequence[str] | None:
        return self.terms.get(term)

    def is_open(self, term: str) -> bool:
        return term in self.open_terms

    def changes(self, start: datetime | None, end: datetime) -> Sequence[datetime]:
        marks = {hours(h) for steps in (*self.facts.values(), *self.statuses.values()) for h, _ in steps}
        return sorted(m for m in marks if (start is None or start <= m) and m <= end)


def truth(text: str, at: float = 0, **record: Any) -> Truth:
    return condition(text)(Recorded(**record), hours(at)).truth


def signals(name: str) -> dict[str, Steps]:
    rows = [row for row in VECTORS["signals"][name] if "end" not in row]
    return {p: [(float(row["t"]), SIGN[row[p]]) for row in rows] for p in ("p1", "p2")}
