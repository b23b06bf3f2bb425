"""Duties in an explanation: who owes what, since when and why; and how readings of a definition move a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tallybook.checker.conditions import ConditionBook
from tallybook.checker.evaluate import Facts
from tallybook.checker.parse import ParseError, parse
from tallybook.checker.provisions import AGREEMENT, CannotTellError, Provisions
from tallybook.checker.rows import words
from tallybook.checker.walk import Complaints, Step, instant
from tallybook.core.time import Moment

NOT_COVERED = "not covered"


@dataclass(frozen=True, slots=True)
class DutyStep:
    """A `duty` step below a verdict, with what weighing takes from it. `since` is None where it was always in force."""

    step: Step
    name: str
    by: str
    since: datetime | None
    last: datetime

    def check(self, provisions: Provisions, record: Facts, on: datetime, out: Complaints) -> None:
        """Check the step against the provision as it stands."""
        facts = self.step.facts
        try:
            duty = provisions.get(self.name)
        except CannotTellError:
            return
        if duty is None or duty.get("kind") != "duty" or not provisions.is_enacted(duty):
            out.add(self.step, "duty", "a duty that is enacted", self.name)
            return
        owed = duty.get("owed") or {}
        given = {"duty": self.name, "by": str(owed.get("by")), "to": str(owed.get("to")), "since": facts.get("since")}
        reason = facts.get("reason")
        out.facts(self.step, {**given, "covers": duty.get("covers"), "reason": reason})
        self._began(duty, provisions, record, on, out)
        day = self.since.astimezone(provisions.file.tz).date() if self.since else "its making"
        told = f"@{self.name}, owed by {owed.get('by')} to {owed.get('to')}, in force since {day} ({reason})."
        out.says(self.step, told)

    def _began(self, duty: Mapping[str, Any], provisions: Provisions, record: Facts, on: datetime, out: Complaints) -> None:
        """Since when it is in force: the date in the provision, its condition, its instrument, or the change that added it."""
        quotes = provisions.quotations(dict(duty))
        children = self.step.children
        found = [child for child in children if child.rule == "quotation"]
        rest = [child for child in children if child.rule != "quotation"]
        told = [child.quote for child in (found if children else [self.step])]
        out.expect(self.step, "quotations", quotes or ([] if children else [(AGREEMENT, self.name)]), told)
        for child in found:
            out.facts(child, {})
            out.says(child, f'{child.quote[0]}: "{child.quote[1]}"')
        if self.last > on:
            out.add(self.step, "since", f"not after {on}", str(self.last))
        if duty.get("in_force"):
            if len(rest) != 1:
                out.add(self.step, "steps below", "the condition of being in force", len(rest))
                return
            book = ConditionBook(str(duty["in_force"]), record, provisions.file.tz, out)
            out.expect(self.step, "in_force", "true", book.check(rest[0], self.last))
            self._first(str(duty["in_force"]), duty, provisions, record, out)
            return
        out.expect(self.step, "steps below", 0, len(rest))
        if self.since is None:
            return
        moments = self._moments(duty, provisions)
        if (self.since, self.last) not in [(m.first, m.last) for m in moments]:
            out.add(self.step, "since", " or ".join(m.text for m in moments), self.step.facts.get("since"))

    def _moments(self, duty: Mapping[str, Any], provisions: Provisions) -> list[Moment]:
        if duty.get("from"):
            return [provisions.file.at(duty["from"])]
        instrument = provisions.file.entry("instruments", str(duty.get("in")))
        days = [instrument.get("made"), instrument.get("effective")]
        found = provisions.added_on(self.name)
        return found + [provisions.file.at(day) for day in days if isinstance(day, str | int)]

    def _first(self, text: str, duty: Mapping[str, Any], provisions: Provisions, record: Facts, out: Complaints) -> None:
        """The condition did not hold at any earlier change on record, unless the provision's own date came later."""
        if duty.get("from") and provisions.file.at(duty["from"]).last == self.last:
            return
        try:
            part = parse(text)
            earlier = [at for at in record.changes(None, self.last) if at < self.last]
            before = [(at, record.truth(part, at, {})) for at in earlier]
        except (CannotTellError, ParseError):
            return
        held = [at for at, truth in before if truth == "true"]
        if held:
            out.add(self.step, "since", str(held[0]), str(self.last))
        first = before[-1][0] if before and before[-1][1] == "unknown" else self.last
        out.expect(self.step, "since", str(first), str(self.since))


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

    @staticmethod
    def of(provisions: Provisions, claim: Mapping[str, Any], duties: Sequence[DutyStep]) -> Readings | None:
        """What the agreement says of a claim's meaning; None where the checker cannot tell how it reads."""
        name, item = str(claim.get("id")), claim.get("item")
        try:
            stands = [(duty.name, provisions.get(duty.name) or {}) for duty in duties]
            about = [d.get("open") for _, d in stands if name in words(d.get("claims"))]
            opened = str(claim.get("open") or next((text for text in about if isinstance(text, str) and text), ""))
            term = next((str(d["covers"]) for _, d in stands if d.get("covers")), None)
            if item is None or term is None:
                return Readings(opened, None, None, None, "", {})
            covers, why = provisions.covers(term, str(item), provisions.reading)
            rivals = provisions.rivals(term, str(item)) if covers == "true" else {}
        except CannotTellError:
            return None
        return Readings(opened, term, str(item), covers, why, rivals)

    @property
    def reasons(self) -> list[str]:
        """Why the meaning is open or disputed; nothing where it is neither."""
        if self.covers in ("false", "unknown"):
            return [self.why]
        return list(self.rivals.values()) or ([self.open_words] if self.open_words else [])

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
        return out

    def facts(self) -> dict[str, Any]:
        """The facts of the `meaning` step."""
        reasons = self.reasons
        if reasons == [self.open_words] or self.term is None:
            return {"reasons": reasons, "term": None, "item": None, "covers": None}
        rivals = list(self.rivals)
        return {"reasons": reasons, "term": self.term, "item": self.item, "covers": self.covers, "rivals": rivals}
