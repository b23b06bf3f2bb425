"""Duties in an explanation: who owes what, since when and why; and how readings of a definition move a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tallybook.checker.changes import CannotTellError
from tallybook.checker.claims import NOT_COVERED, rival_words
from tallybook.checker.expected import Expected, Leaf, Tree, compare, stamp
from tallybook.checker.provisions import AGREEMENT
from tallybook.checker.rows import words
from tallybook.checker.walk import Complaints, Step, instant
from tallybook.checker.world import World


@dataclass(frozen=True, slots=True)
class DutyStep:
    """A `duty` step below a verdict, with what weighing takes from it. `since` is None where it was always in force."""

    step: Step
    name: str
    by: str
    since: datetime | None
    last: datetime

    def check(self, world: World, out: Complaints) -> None:
        """Check the step against the provision as it stands. Raises CannotTellError."""
        facts, provisions = self.step.facts, world.provisions
        duty = provisions.get(self.name)
        start = world.begun(duty) if duty is not None and duty.get("kind") == "duty" else None
        if duty is None or start is None:
            out.add(self.step, "duty", "a duty in force", self.name)
            return
        owed = duty.get("owed") or {}
        since = [stamp(world, start.first), stamp(world, start.last)]
        # In what words a condition held is told by its own tree.
        reason = facts.get("reason") if start.kind == "condition" else start.reason
        given = {"duty": self.name, "by": str(owed.get("by")), "to": str(owed.get("to")), "since": since}
        out.facts(self.step, {**given, "covers": duty.get("covers"), "reason": reason})
        day = start.first.astimezone(world.file.tz).date() if start.is_dated else "its making"
        out.says(self.step, f"@{self.name}, owed by {owed.get('by')} to {owed.get('to')}, in force since {day} ({reason}).")
        below: list[Tree | Leaf | Expected] = []
        for instrument, quote in provisions.quotations(dict(duty)):
            below.append(Leaf("", (instrument, quote)))
        if duty.get("in_force") and start.is_dated:
            below.append(Tree(world, str(duty["in_force"]), start.last))
        if not below:
            out.expect(self.step, "quote", (AGREEMENT, self.name), self.step.quote)
        compare(self.step, self.step.children, below, (), out)


def duty_steps(root: Step) -> list[DutyStep]:
    """The `duty` steps of a verdict, in their order. Steps without a name or a party are left to the rules to complain of."""
    found = []
    for group in root.children:
        for step in group.children if group.rule == "duties" else ():
            since = step.facts.get("since")
            pair = since if isinstance(since, list) and len(since) == 2 else [None, None]
            first, last = (instant(value) for value in pair)
            name, by = str(step.facts.get("duty", "")), str(step.facts.get("by", ""))
            found.append(DutyStep(step, name, by, first, last or datetime.min.replace(tzinfo=UTC)))
    return found


@dataclass(frozen=True, slots=True)
class Readings:
    """What is open in the meaning of a claim, whether its item is covered, and which readings say otherwise."""

    open_words: str
    term: str | None
    item: str | None
    covers: str | None
    why: str
    rivals: Mapping[str, str]
    norms: Mapping[str, str] = field(default_factory=dict)
    """What readings that read a duty or its proof otherwise say."""

    @staticmethod
    def of(world: World, claim: Mapping[str, Any], duties: Sequence[DutyStep]) -> Readings | None:
        """What the agreement says of a claim's meaning; None where the checker cannot tell how it reads."""
        name, item, provisions = str(claim.get("id")), claim.get("item"), world.provisions
        try:
            stands = [(duty.name, provisions.get(duty.name) or {}) for duty in duties]
            about = [d.get("open") for _, d in stands if name in words(d.get("claims"))]
            opened = str(claim.get("open") or next((text for text in about if isinstance(text, str) and text), ""))
            term = next((str(d["covers"]) for _, d in stands if d.get("covers")), None)
            norms = rival_words(world, claim, [d for _, d in stands])
            if item is None or term is None:
                return Readings(opened, None, None, None, "", {}, norms)
            covers, why = provisions.covers(term, str(item), provisions.reading)
            rivals = provisions.rivals(term, str(item)) if covers == "true" else {}
        except CannotTellError:
            return None
        return Readings(opened, term, str(item), covers, why, rivals, norms)

    def reasons(self, verdict: str | None) -> list[str]:
        """Why the meaning is open or disputed; nothing where it is neither. `verdict` is that before readings."""
        if self.covers in ("false", "unknown"):
            return [self.why]
        if self.rivals:
            return list(self.rivals.values())
        if self._differ(verdict):
            return [f"the reading {name} gives {word}" for name, word in {"plain": verdict, **self.norms}.items()]
        return [self.open_words] if self.open_words else []

    def _differ(self, verdict: str | None) -> bool:
        return bool(set(self.norms.values()) - {verdict})

    def outcome(self, verdict: str | None) -> dict[str, Any]:
        """The verdict after readings, as facts."""
        out: dict[str, Any] = {
            "verdict": verdict,
            "state": "",
            "about": "meaning" if self.open_words else "evidence",
            "readings": {},
        }
        if self.covers == "false":
            out |= {"verdict": None, "state": NOT_COVERED, "about": "meaning"}
        elif self.covers == "unknown":
            out |= {"verdict": "unclear", "about": "meaning"}
        elif self.rivals:
            words_of = {"covered": verdict} | dict.fromkeys(self.rivals, NOT_COVERED)
            out |= {"verdict": "disputed", "about": "meaning", "readings": words_of}
        elif self._differ(verdict):
            out |= {"verdict": "disputed", "about": "meaning", "readings": {"plain": verdict, **self.norms}}
        return out

    def facts(self, reasons: list[str]) -> dict[str, Any]:
        """The facts of the `meaning` step."""
        if reasons == [self.open_words] or self.term is None:
            return {"reasons": reasons, "term": None, "item": None, "covers": None}
        rivals = list(self.rivals)
        return {"reasons": reasons, "term": self.term, "item": self.item, "covers": self.covers, "rivals": rivals}
