"""Exceptions, exceptions to exceptions, and the values that definitions have, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Definition, Exception_, InCase
from tallybook.commitments.view import Standing, names
from tallybook.core.truth import Finding, Truth, all_of

Value = str | float
NO_VALUE = ""
"""Stands for the value that a definition has where an exception takes its value away."""


def exceptions_to(standing: Standing, name: str, named: Sequence[str] = ()) -> list[Exception_]:
    """The exceptions in force to a provision: those that say so, and those that the provision names."""
    wanted = names(standing, named)
    return [p for p, to in _in_force(standing) if p.id in wanted or name in to]


def _in_force(standing: Standing) -> list[tuple[Exception_, set[str]]]:
    """Every exception in force, with what it is an exception to."""
    if "exceptions" not in standing.memo:
        listed = [p for p in standing.in_force.provisions.values() if isinstance(p, Exception_)]
        standing.memo["exceptions"] = [(p, names(standing, p.to)) for p in listed if standing.begun(p) is not None]
    found: list[tuple[Exception_, set[str]]] = standing.memo["exceptions"]
    return found


def applies(standing: Standing, exception: Exception_, seen: frozenset[str] = frozenset()) -> Truth:
    """Whether an exception applies: its condition holds, and no exception to it is known to apply."""
    held = condition(exception.when)(standing, standing.on).truth if exception.when else Truth.TRUE
    if held is Truth.FALSE:
        return held
    inner = seen | {exception.id}
    others = [e for e in exceptions_to(standing, exception.id, exception.unless) if e.id not in inner]
    return Truth.FALSE if any(applies(standing, e, inner) is Truth.TRUE for e in others) else held


def lifting(standing: Standing, name: str, named: Sequence[str] = ()) -> Exception_ | None:
    """The exception that lifts a provision, or None where none is known to apply."""
    found = (e for e in exceptions_to(standing, name, named) if applies(standing, e) is Truth.TRUE)
    return next(found, None)


@dataclass(frozen=True, slots=True)
class Valued:
    """What a definition comes to.

    `values` maps each value found to the provisions that give it: more than one is a conflict. `unknown` are cases that
    cannot be decided, each with the value that it would give.
    """

    values: dict[Value, tuple[str, ...]]
    unknown: tuple[tuple[Value, str], ...]
    waits_for: tuple[str, ...]

    @property
    def unsettled(self) -> tuple[str, ...]:
        """What is undecided and could give another value than the one found."""
        return tuple(dict.fromkeys(told for value, told in self.unknown if value not in self.values))

    @property
    def value(self) -> Value | None:
        """The value, where there is exactly one and nothing undecided could give another."""
        return next(iter(self.values)) if len(self.values) == 1 and not self.unsettled else None

    @property
    def conflict(self) -> bool:
        """Whether rules of equal rank give different values. Neither is chosen."""
        return len(self.values) > 1

    def as_finding(self) -> Finding:
        """Why it is so."""
        told = tuple(f"{shown(value)} by {', '.join(by)}" for value, by in self.values.items())
        if self.conflict:
            return Finding(Truth.UNKNOWN, ("conflict: " + " / ".join(told),), self.waits_for)
        if self.unsettled:
            return Finding(Truth.UNKNOWN, self.unsettled, self.waits_for)
        if not told:
            return Finding(Truth.UNKNOWN, ("no rule applies",))
        return Finding(Truth.TRUE, told)


def value_of(standing: Standing, definition: Definition | Exception_, seen: frozenset[str] = frozenset()) -> Valued:
    """The value of a definition: an exception that gives one goes before what it is an exception to, and so on inwards.

    Exceptions of one rank that give different values are a conflict; those that give the same are merged (the default
    calculus of Catala, Merigoux, Chataing and Protzenko, ICFP 2021).
    """
    inner = seen | {definition.id}
    unless = definition.unless if isinstance(definition, Exception_) else ()
    others = [e for e in exceptions_to(standing, definition.id, unless) if e.id not in inner]
    rivals = [e for e in others if e.cases]
    found = [value_of(standing, e, inner) for e in rivals]
    values: dict[Value, tuple[str, ...]] = {}
    for one in found:
        for value, by in one.values.items():
            values[value] = (*values.get(value, ()), *by)
    unknown = tuple(entry for one in found for entry in one.unknown)
    waits = tuple(dict.fromkeys(word for one in found for word in one.waits_for))
    if values:
        return Valued(values, unknown, waits)
    own = _own(standing, definition)
    # An exception without a value of its own takes away the one given here.
    lifted = {e.id: applies(standing, e, inner) for e in others if not e.cases}
    if Truth.TRUE in lifted.values():
        own = Valued({}, (), ())
    unsure = [name for name, truth in lifted.items() if truth is Truth.UNKNOWN] if own.values else []
    unknown += tuple((NO_VALUE, f"whether @{name} applies is unknown") for name in unsure)
    # What an undecided exception may yet say stands against the value given here.
    return Valued(own.values, (*unknown, *own.unknown), tuple(dict.fromkeys((*waits, *own.waits_for))))


def _own(standing: Standing, provision: Any) -> Valued:
    gate = _gate(standing, provision)
    if gate.truth is Truth.FALSE or not provision.cases:
        return Valued({}, (), ())
    values: dict[Value, tuple[str, ...]] = {}
    unknown: list[tuple[Value, str]] = []
    waits: list[str] = []
    for case in provision.cases:
        held = condition(case.when)(standing, standing.on) if case.when else Finding(Truth.TRUE)
        truth = all_of((gate.truth, held.truth))
        value = _plain(case)
        if truth is Truth.TRUE:
            values[value] = (*values.get(value, ()), f"@{provision.id}")
        elif truth is Truth.UNKNOWN:
            unknown.append((value, f"whether {case.when or provision.when} holds is unknown (@{provision.id})"))
            waits += [*gate.waits_for, *held.waits_for]
    return Valued({v: tuple(dict.fromkeys(by)) for v, by in values.items()}, tuple(unknown), tuple(dict.fromkeys(waits)))


def _gate(standing: Standing, provision: Any) -> Finding:
    when = getattr(provision, "when", None)
    return condition(when)(standing, standing.on) if when else Finding(Truth.TRUE)


def _plain(case: InCase) -> Value:
    value = case.is_
    return str(value).lower() if isinstance(value, bool) else float(value) if isinstance(value, int) else value


def shown(value: Value) -> str:
    """A value as it is written."""
    return f"{value:g}" if isinstance(value, float) else value
