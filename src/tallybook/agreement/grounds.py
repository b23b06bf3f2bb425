"""Where facts stand on record, and the words in which conditions are explained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tallybook.agreement.situation import Atom
from tallybook.core.explanation import Because
from tallybook.core.truth import Truth

AGREEMENT = "agreement.yaml"


class Grounds(Protocol):
    """Where a fact stands on record; what a situation knows beyond the truth of an atom."""

    def sources(self, atom: Atom, at: datetime) -> Sequence[tuple[str, str]]:
        """What decides an atom: ("report", id) or ("quote:INSTRUMENT", words). Empty where nothing on record does."""
        ...

    def conditions_of(self, atom: Atom) -> Sequence[tuple[str, dict[str, str]]]:
        """The conditions by which a state holds, each with what its variables stand for."""
        ...

    def holds_when(self, reference: str, at: datetime) -> str | None:
        """The condition by which a definition holds as a state of affairs, or None."""
        ...

    def status_step(self, word: str, reference: str, at: datetime) -> Because | None:
        """What a status rests on, in short; None where nothing more is told."""
        ...

    def value_step(self, reference: str, at: datetime) -> Because | None:
        """What the value of a definition rests on; None where nothing more is told."""
        ...


class Unrecorded:
    """Nothing is known of where facts stand."""

    def sources(self, atom: Atom, at: datetime) -> Sequence[tuple[str, str]]:
        return ()

    def conditions_of(self, atom: Atom) -> Sequence[tuple[str, dict[str, str]]]:
        return ()

    def holds_when(self, reference: str, at: datetime) -> str | None:
        return None

    def status_step(self, word: str, reference: str, at: datetime) -> Because | None:
        return None

    def value_step(self, reference: str, at: datetime) -> Because | None:
        return None


def source(kind: str, what: str) -> Because:
    if kind == "report":
        return Because("recorded", f"Recorded by {what}.", report=what)
    instrument = kind.removeprefix("quote:")
    return Because("quotation", f'{instrument}: "{what}"', quote=what, instrument=instrument)


def named(leaf: Because) -> str:
    """Where a quotation is from; what the agreement file itself says is called by its words."""
    return leaf.quote if leaf.instrument == AGREEMENT else leaf.instrument


def between(low: float | None, high: float | None) -> str:
    """A number between two bounds, in words; None is unbounded."""
    if low is None or high is None:
        return "any number" if low is None else f"{low:g} or more"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def balance(text: str) -> tuple[int, int]:
    """How far the parentheses of a text fall below where they began, and where they end; those in quotation marks are words."""
    lowest = depth = 0
    quoted = False
    for char in text:
        quoted ^= char == '"'
        depth += 0 if quoted else (char == "(") - (char == ")")
        lowest = min(lowest, depth)
    return lowest, depth


def sentence(truth: Truth) -> str:
    return truth.value.capitalize()


def counts(_name: str) -> Truth:
    """A member that is counted whatever it does."""
    return Truth.TRUE
