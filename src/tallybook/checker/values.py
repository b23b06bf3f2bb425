"""Exceptions, exceptions to exceptions, and the values of definitions, case by case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tallybook.checker.tables import conjunction
from tallybook.checker.world import World

Value = str | float


def exceptions_to(world: World, provision: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The exceptions in force to a provision: those that say so, and those that it names."""
    named = world.provisions.names(provision.get("unless"))
    name = str(provision.get("id"))
    return [p for p, to in world.exceptions() if str(p.get("id")) in named or name in to]


def applies(world: World, exception: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> str:
    """Whether an exception applies: its condition holds, and none to it is known to apply."""
    held = world.truth(str(exception["when"])) if exception.get("when") else "true"
    if held == "false":
        return held
    inner = seen | {str(exception.get("id"))}
    others = [e for e in exceptions_to(world, exception) if str(e.get("id")) not in inner]
    return "false" if any(applies(world, e, inner) == "true" for e in others) else held


def lifting(world: World, provision: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first exception that is known to lift a provision."""
    return next((e for e in exceptions_to(world, provision) if applies(world, e) == "true"), None)


@dataclass(slots=True)
class Valued:
    """Each value found with the provisions that give it, and what is undecided: the value it would give, and in words."""

    values: dict[Value, list[str]] = field(default_factory=dict)
    undecided: list[tuple[Value, str]] = field(default_factory=list)

    @property
    def open(self) -> list[str]:
        """What is undecided and could give another value."""
        return list(dict.fromkeys(told for value, told in self.undecided if value not in self.values))

    @property
    def value(self) -> Value | None:
        """The value, where there is one and nothing undecided could give another."""
        return next(iter(self.values)) if len(self.values) == 1 and not self.open else None


def value_of(world: World, provision: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> Valued:
    """What the exceptions that give a value say; else what the provision's own cases say."""
    inner = seen | {str(provision.get("id"))}
    named = provision if provision.get("kind") == "exception" else {**provision, "unless": None}
    others = [e for e in exceptions_to(world, named) if str(e.get("id")) not in inner]
    out = Valued()
    for one in (value_of(world, e, inner) for e in others if e.get("cases")):
        out.undecided += one.undecided
        for value, by in one.values.items():
            out.values.setdefault(value, []).extend(by)
    if out.values:
        return out
    own = _own(world, provision)
    takes_away = {str(e.get("id")): applies(world, e, inner) for e in others if not e.get("cases")}
    if "true" in takes_away.values():
        return Valued({}, out.undecided)
    if own.values:
        out.undecided += [("", f"whether @{name} applies is unknown") for name, truth in takes_away.items() if truth == "unknown"]
    return Valued(own.values, [*out.undecided, *own.undecided])


def _own(world: World, provision: Mapping[str, Any]) -> Valued:
    name, out = str(provision.get("id")), Valued()
    gate = world.truth(str(provision["when"])) if provision.get("when") else "true"
    if gate == "false":
        return out
    for case in provision.get("cases") or []:
        held = world.truth(str(case["when"])) if case.get("when") else "true"
        truth = conjunction([gate, held])
        value = plain(case.get("is"))
        if truth == "true":
            if f"@{name}" not in out.values.setdefault(value, []):
                out.values[value].append(f"@{name}")
        elif truth == "unknown":
            told = f"whether {case.get('when') or provision.get('when')} holds is unknown (@{name})"
            out.undecided.append((value, told))
    return out


def plain(value: Any) -> Value:
    """A value as conditions compare it: numbers as numbers, all else as words."""
    if isinstance(value, bool):
        return str(value).lower()
    return float(value) if isinstance(value, int | float) else str(value)
