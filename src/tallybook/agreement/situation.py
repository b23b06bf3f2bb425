"""What conditions are evaluated against, and what a part of a condition compiles to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from tallybook.core.time import Span
from tallybook.core.truth import Finding, Truth


@dataclass(frozen=True, slots=True)
class Atom:
    """An event or state with its arguments: positional ones under their number, named ones under their name."""

    name: str
    args: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        inner = ", ".join(value if key.isdigit() else f"{key}={value}" for key, value in self.args)
        return f"{self.name}({inner})" if inner else self.name


class Situation(Protocol):
    """What a condition is evaluated against."""

    @property
    def tz(self) -> ZoneInfo:
        """The time zone whose calendar months and years go by."""
        ...

    def amount(self, atom: Atom, at: datetime) -> tuple[float, float]:
        """Between what bounds the number of a recorded event or state lies; all numbers where none is on record."""
        ...

    def value(self, reference: str, at: datetime) -> tuple[str | float | None, Finding]:
        """The value that a definition has, and why; None where it has none, or it is not settled which."""
        ...

    def holds(self, atom: Atom, at: datetime) -> Finding:
        """Whether a recorded event or state holds at an instant."""
        ...

    def status(self, word: str, reference: str, at: datetime) -> Finding:
        """Whether a provision or claim has a status at an instant."""
        ...

    def members(self, term: str, at: datetime) -> Sequence[str] | None:
        """What a defined term covers, or None where the definition is open or unknown."""
        ...

    def is_open(self, term: str) -> bool:
        """Whether things that are not listed may belong to the term too."""
        ...

    def changes(self, start: datetime | None, end: datetime) -> Sequence[datetime]:
        """Every instant in [start, end] at which a recorded event or state may change."""
        ...


Run: TypeAlias = Callable[[Situation, datetime, dict[str, str]], Finding]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A part of a condition. Its truth changes only at a change on record plus one of its `delays`."""

    run: Run
    delays: frozenset[Span] = frozenset({Span()})

    def __call__(self, situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        return self.run(situation, at, scope)


def delays_of(*parts: Compiled) -> frozenset[Span]:
    return frozenset(delay for part in parts for delay in part.delays)


def behind(part: Compiled, near: Span, far: Span | None) -> frozenset[Span]:
    """When an operator with a window looks at a part, the part's changes are felt at both ends of the window."""
    ends = {near} if far is None else {near, far}
    return frozenset(delay + end for delay in part.delays for end in ends)


def gathered(findings: Sequence[Finding], truth: Truth) -> Finding:
    decided = [f for f in findings if f.truth is truth] or list(findings)
    short = [f for f in findings if f.truth is not Truth.TRUE]
    return Finding(truth, _once(r for f in decided for r in f.reasons), _once(w for f in short for w in f.waits_for))


def _once(words: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
