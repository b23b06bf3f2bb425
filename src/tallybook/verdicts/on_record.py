"""Where the facts that conditions ask for stand on record, and why a condition of the agreement is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallybook.agreement.grounds import AGREEMENT
from tallybook.agreement.provision import Definition, Duty
from tallybook.agreement.reasons import explain_condition
from tallybook.agreement.situation import Atom
from tallybook.commitments.moments import VERDICTS
from tallybook.core.explanation import Because
from tallybook.core.truth import Truth
from tallybook.verdicts.inquiry import Inquiry

Path = tuple[str, ...]
"""The provisions on whose account something is told, the outermost first."""

DEEPEST = 3
"""So many provisions are followed into each other; none is followed into itself."""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Where the facts that conditions ask for stand on record, under one question."""

    inquiry: Inquiry
    path: Path = ()

    def sources(self, atom: Atom, at: datetime) -> Sequence[tuple[str, str]]:
        """What decides an atom: report rows, quotations, or the words of the agreement file."""
        record = self.inquiry.record
        truth = record.holds(atom, at).truth
        found: list[tuple[str, str]] = []
        for entry in record.known_of(atom):
            if entry.is_so(at):
                said = Truth.of(entry.value)
            elif entry.ends is not None and entry.ends.last <= at:
                said = Truth.of(not entry.value)
            else:
                said = Truth.UNKNOWN
            if said is not truth or entry.starts.first > at:
                continue
            rows = [("report", row) for row in entry.rows]
            words: dict[str, list[str]] = {}
            for name, quote in entry.quotes:
                words.setdefault(name, []).append(quote)
            quotes = [(f"quote:{name}", quote) for name, quote in self.inquiry.quotes(words)]
            found += [*rows, *quotes] or [(f"quote:{AGREEMENT}", self._named(atom))]
        for ground in record.grounds(atom):
            current = record.measure(ground.state.measure, at) if ground.state.measure else None
            if current is not None and Truth.of(current.state in ground.state.states) is truth:
                found.append(("report", current.row.id))
        return list(dict.fromkeys(found))

    def _named(self, atom: Atom) -> str:
        """The name of the instrument by which something was accepted or that was received."""
        arguments = dict(atom.args)
        name = arguments.get("by", "") if atom.name == "accepted" else arguments.get("0", "")
        instrument = self.inquiry.agreement.instruments.get(name)
        return instrument.name if instrument else str(atom)

    def conditions_of(self, atom: Atom) -> Sequence[tuple[str, dict[str, str]]]:
        """The conditions by which a state holds, each with what its variables stand for."""
        return [(g.state.when, g.scope) for g in self.inquiry.record.grounds(atom) if g.state.when]

    def holds_when(self, reference: str, at: datetime) -> str | None:
        """The condition by which a definition holds as a state of affairs."""
        inquiry = self.inquiry.at(at)
        provision = inquiry.in_force.provisions.get(reference.lstrip("@").split(".")[0])
        stands = isinstance(provision, Definition) and inquiry.enacted(provision)
        return provision.holds_when if stands and isinstance(provision, Definition) else None

    def status_step(self, word: str, reference: str, at: datetime) -> Because | None:
        """What a status rests on: the life of a provision, or the verdict on a claim or duty."""
        # Loaded here, since lives are told by conditions again.
        from tallybook.verdicts.because_life import life_step
        from tallybook.verdicts.because_verdict import verdict_step

        inquiry, name = self.inquiry.at(at), reference.lstrip("@").split(".")[0]
        claim = inquiry.agreement.claim(name)
        if claim is not None:
            return verdict_step(inquiry, name, [claim])
        provision = inquiry.in_force.provisions.get(name)
        if provision is None or not inquiry.enacted(provision) or (isinstance(provision, Definition) and provision.holds_when):
            return None
        if isinstance(provision, Duty) and word in VERDICTS:
            covered = [claim for claim in inquiry.agreement.claims if claim.id in provision.claims]
            return verdict_step(inquiry, provision.id, covered)
        return life_step(inquiry, provision, (*self.path, provision.id)) if self._follows(provision.id) else None

    def value_step(self, reference: str, at: datetime) -> Because | None:
        """What the value of a definition rests on."""
        from tallybook.verdicts.because_value import value_step

        inquiry = self.inquiry.at(at)
        definition = inquiry.in_force.provisions.get(reference.lstrip("@"))
        if not isinstance(definition, Definition) or not self._follows(definition.id):
            return None
        return value_step(inquiry, definition, (*self.path, definition.id))

    def _follows(self, name: str) -> bool:
        return name not in self.path and len(self.path) < DEEPEST


def because(inquiry: Inquiry, text: str, at: datetime, path: Path = ()) -> Because:
    """Why a condition of the agreement is true, false or unknown at an instant, down to what records it."""
    return explain_condition(text, inquiry, at, OnRecord(inquiry, path))


def stamp(inquiry: Inquiry, at: datetime) -> str | None:
    """An instant to the last digit, in the time zone of the case; None for the beginning of time."""
    if at.replace(tzinfo=None) == datetime.min:
        return None
    return at.astimezone(inquiry.case.tz).isoformat()


def question(inquiry: Inquiry) -> dict[str, Any]:
    """The question that a tree answers, for the facts of its root."""
    asked = inquiry.question
    return {"on": stamp(inquiry, asked.on), "known": stamp(inquiry, asked.known), "reading": asked.reading}
