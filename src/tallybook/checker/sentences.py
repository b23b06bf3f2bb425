"""The sentences that steps must say, from their facts. The checker's own templates: a wrong sentence misleads as a wrong fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tallybook.checker.methods import Methods
from tallybook.checker.tables import Pair
from tallybook.checker.weighing import Grouped, Weight

_SAYS = {
    "no evidence": "No evidence for or against the claim that {}",
    "claimed": "Claimed by the party that owes it, and by nobody else, that {}",
    "indicated": "Some evidence, short of good evidence, that {}",
    "supported": "Good evidence that {}",
    "verified": "Verified by the required proof that {}",
    "disputed": "Good evidence both for and against the claim that {}",
    "contradicted": "Good evidence against the claim that {}",
}
_HAS = {
    "none": "nothing",
    "word only": "only the word of the party that owes",
    "weak": "weak evidence",
    "strong": "good evidence",
}


def verdict_says(claim: str, facts: Mapping[str, Any], reasons: Sequence[str], methods: Methods | None, bound: float) -> str:
    """The head of a verdict."""
    verdict = facts.get("verdict")
    label = str(verdict or facts.get("state")).upper()
    if verdict is None:
        return f"{label}: Under this reading nothing is owed here: {'; '.join(reasons)}."
    if facts.get("about") == "meaning" and facts.get("readings"):
        told = ", ".join(f"{name}: {word}" for name, word in facts["readings"].items())
        return f"{label}: Disputed in meaning: whether it is owed that {claim} ({told})."
    if facts.get("about") == "meaning":
        return f"{label}: Unclear, because the meaning is open: {'; '.join(reasons)}."
    if verdict == "unclear":
        has = f"{_HAS[facts['for_side']]} for, {_HAS[facts['against_side']]} against"
        return f"{label}: Unclear whether {claim}: {has}."
    return f"{label}: {_SAYS[verdict].format(claim)}{_short_of(facts, methods, bound)}."


def _short_of(facts: Mapping[str, Any], methods: Methods | None, bound: float) -> str:
    if facts.get("verdict") != "supported" or facts.get("standard") is None or methods is None:
        return ""
    parts = []
    if facts.get("correctness"):
        if facts["correctness"] != "verified":
            parts.append(f"whether what was declared is out is {facts['correctness']}")
        if facts.get("completeness") and facts["completeness"] != "verified":
            parts.append(f"whether that was all there was is {facts['completeness']}")
    if methods.missing:
        parts.append(f"the required proof lacks {', '.join(methods.missing)}")
    if methods.in_part:
        parts.append(f"only parts were shown by {', '.join(methods.in_part)}")
    if not methods.missing and bound < facts["at_least"]:
        parts.append(f"below the standard {facts['standard']} ({facts['at_least']:g})")
    return "; not verified, because " + " and ".join(parts) if parts else ""


def side_says(name: str, side: Weight, good: float) -> str:
    """One side of a claim."""
    low, high = side.bounds
    clusters = f"{side.moving} independent cluster{'' if side.moving == 1 else 's'}"
    verb = "moves" if side.moving == 1 else "move"
    told = f"The side {name} is {side.strength}: {clusters} {verb} it to between {low:.2f} and {high:.2f}"
    return f"{told} (good evidence is {good:g})."


def _worth(ratio: Pair | None) -> str:
    if ratio is None:
        return "has no direction (its grade cannot carry it, or it has faded)"
    return f"multiplies the odds by {ratio[0]:.2g} to {ratio[1]:.3g}"


def cluster_says(group: Grouped) -> str:
    """A cluster of several reports, or of one."""
    extent = "of the whole" if group.best.whole else "of a part"
    if len(group.members) == 1:
        return f"{group.best.says()} It is a report {extent} and {_worth(group.best.ratio)}."
    return f"{len(group.members)} reports of one thing by one source, counted once; {extent}, {_worth(group.best.ratio)}."


def account_says(facts: Mapping[str, Any], units: str) -> str:
    """The account of a quantity."""
    declared = "not declared" if facts["declared"] is None else f"{facts['declared']:g} declared"
    low, middle, high = facts["removed"]
    says = f"Quantity: {declared}; shown to be out {middle:g} (between {low:g} and {high:g}) {units}"
    if facts["remaining"] is not None and facts["p_none_left"] is not None:
        low, middle, high = facts["remaining"]
        says += f"; left {middle:g} ({low:g} to {high:g}); P(none left) {facts['p_none_left']:.2f}"
    return says + "."
