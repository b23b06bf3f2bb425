"""The steps of exceptions and of the values of definitions, as they must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallybook.checker.expected import Expected, Tree
from tallybook.checker.tables import conjunction
from tallybook.checker.values import Value, applies, exceptions_to, plain, value_of
from tallybook.checker.world import World


def exception_step(world: World, one: Mapping[str, Any]) -> Expected:
    """An exception with its condition, those to it folded into their truths."""
    name = str(one.get("id"))
    others = [e for e in exceptions_to(world, one) if str(e.get("id")) != name]
    listed = [[str(e.get("id")), applies(world, e, frozenset({name}))] for e in others]
    truth = applies(world, one)
    facts = {"exception": name, "applies": truth, "exceptions": listed}
    below = [Tree(world, str(one["when"]), world.on)] if one.get("when") else []
    return Expected("exception", facts, f"Whether @{name} applies is {truth}.", name, below)


def value_step(world: World, definition: Mapping[str, Any]) -> Expected:
    """What a definition comes to, with the cases that may hold and the exceptions that take values away."""
    name, valued = str(definition.get("id")), value_of(world, definition)
    below = []
    for one in _considered(world, definition):
        for n, case in enumerate(one.get("cases") or []):
            if (step := _case(world, one, n, case)) is not None:
                below.append(step)
        if one.get("kind") == "exception" and not one.get("cases"):
            below.append(exception_step(world, one))
    conflict = len(valued.values) > 1
    facts = {
        "definition": name,
        "value": valued.value,
        "values": [[value, by] for value, by in valued.values.items()],
        "undecided": valued.open,
        "conflict": conflict,
    }
    told = "; ".join(f"{_shown(value)} by {', '.join(by)}" for value, by in valued.values.items()) or "no rule applies"
    says = f"The value of @{name}: {'conflict: ' if conflict else ''}{told}."
    says += f" Undecided: {'; '.join(valued.open)}." if valued.open else ""
    return Expected("value-of", facts, says, name, below)


def _considered(world: World, definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A definition, the exceptions to it, those to them, and so on outwards."""
    found: list[Mapping[str, Any]] = [definition]
    for one in found:
        named = one if one.get("kind") == "exception" else {**one, "unless": None}
        seen = {str(other.get("id")) for other in found}
        found += [e for e in exceptions_to(world, named) if str(e.get("id")) not in seen]
    return found


def _case(world: World, one: Mapping[str, Any], n: int, case: Mapping[str, Any]) -> Expected | None:
    texts = [str(text) for text in (one.get("when"), case.get("when")) if text]
    truth = conjunction([world.truth(text) for text in texts])
    if truth == "false":
        return None
    name, value = str(one.get("id")), plain(case.get("is"))
    facts = {"provision": name, "case": n, "is": value, "truth": truth}
    says = f"@{name} gives {_shown(value)}: {truth}."
    return Expected("case", facts, says, name, [Tree(world, text, world.on) for text in texts])


def _shown(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else value
