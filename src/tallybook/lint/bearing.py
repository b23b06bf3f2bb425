"""What a provision can bear on: the lines, duties and measures that might move where it reads otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.amendment import Commencement
from tallybook.agreement.language import atom_of
from tallybook.agreement.provision import Exception_, Power
from tallybook.lint.stages import Walk

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SPOKEN = frozenset({"text", "because", "note", "heading", "then", "foreseen", "needs_coverage"})


@dataclass(frozen=True, slots=True)
class Reach:
    """Claims, duties and measures, by id, that a provision can bear on. Everything else cannot depend on it."""

    names: frozenset[str]
    measures: frozenset[str]


def reach_of(walk: Walk, name: str) -> Reach:
    """Follow every name backwards from a provision, at every stage, and too far rather than not far enough.

    Whatever names something reached is reached; so is what a power or exception reached acts on, what a change waits for that
    asks about it, an event that a state ties to it, and a claim about a duty reached.
    """
    agreement = walk.case.agreement
    provisions = [p for stage in walk.stages for p in stage.in_force.provisions.values()]
    named = [(p, _names(p.model_dump(exclude_defaults=True))) for p in provisions]
    reached, before = {name}, -1
    while len(reached) != before:
        before = len(reached)
        for provision, names in named:
            if provision.id in reached or names & reached:
                reached |= {provision.id, *_acted_on(provision, provisions)}
        reached |= _of_agreement(agreement, reached)
    measures = {str(measure) for p in provisions if p.id in reached and (measure := getattr(p, "measure", None))}
    return Reach(frozenset(reached), frozenset(measures))


def _acted_on(provision: Any, provisions: Iterable[Any]) -> set[str]:
    found: set[str] = set(getattr(provision, "claims", ()))
    if isinstance(provision, Exception_):
        found |= {reference.lstrip("@") for reference in provision.to}
    if isinstance(provision, Power) and provision.effect is not None:
        effect = provision.effect
        if effect.end == "all":
            return found | {p.id for p in provisions}
        found |= {reference.lstrip("@") for reference in (*effect.suspend, *effect.resume, *effect.end)}
    return found


def _of_agreement(agreement: Agreement, reached: set[str]) -> set[str]:
    found: set[str] = set()
    for claim in agreement.claims:
        if claim.id in reached or {r.lstrip("@").split(".")[0] for r in claim.duty} & reached:
            found |= {claim.id, *(r.lstrip("@").split(".")[0] for r in claim.duty)}
    for state in agreement.states:
        if state.when and _names(state.when) & reached:
            found.add(atom_of(state.atom).name)
    for change in agreement.changes:
        effective = change.effective or agreement.instruments[change.in_].effective
        waits = effective.when if isinstance(effective, Commencement) else ""
        if _names(waits) & reached:
            found.add(change.aim.name)
        if change.op == "renumber" and {change.aim.name, str(change.value).lstrip("@")} & reached:
            found |= {change.aim.name, str(change.value).lstrip("@")}
    return found


def _names(node: Any, key: str = "") -> set[str]:
    """Every word that might be a name, quoted and spoken words left out."""
    if key in _SPOKEN:
        return set()
    if isinstance(node, dict):
        return {word for name, value in node.items() for word in _names(value, str(name))}
    if isinstance(node, list | tuple):
        return {word for value in node for word in _names(value)}
    return set(_NAME.findall(node)) if isinstance(node, str) else set()
