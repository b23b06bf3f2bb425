"""One question put to a case: (on, known, reader, reading). Everything an answer may use is reached through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.change import InForce, provisions_in_force
from tallybook.agreement.claim import Change, Claim
from tallybook.agreement.language import condition
from tallybook.agreement.provision import Definition, Duty
from tallybook.agreement.situation import Atom
from tallybook.commitments.record import Record
from tallybook.core.time import Moment, moment, written, zone
from tallybook.core.truth import Finding, Truth
from tallybook.evidence.file import EvidenceFile, View
from tallybook.holdings.plan import Plan

PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Case:
    """A case as loaded: the agreement, its provisions as written, the evidence, the texts of its sources."""

    name: str
    agreement: Agreement
    base: Mapping[str, dict[str, Any]]
    evidence: EvidenceFile
    texts: Mapping[str, str]
    plans: Mapping[str, Plan] = field(default_factory=dict)

    @property
    def tz(self) -> ZoneInfo:
        """The time zone of the case."""
        return zone(self.agreement.time_zone)


@dataclass(frozen=True, slots=True)
class Question:
    """The date asked about, what had been reported by then, for which reader, under whose reading."""

    on: datetime
    known: datetime
    reader: str = "everyone cleared"
    reading: str = PLAIN


@dataclass(frozen=True, slots=True)
class Begun:
    """Since when a provision has been in force, and by what."""

    since: Moment
    reason: str


class Inquiry:
    """A case under one question. Implements what conditions are evaluated against; answers are kept."""

    def __init__(self, case: Case, question: Question, status_of: Callable[[Inquiry, str, str, datetime], Finding]) -> None:
        self.case, self.question = case, question
        self._status_of = status_of
        self._answers: dict[tuple[str, str, datetime], Finding] = {}
        self.memo: dict[Any, Any] = {}

    def under(self, reading: str) -> Inquiry:
        """The same question under another reading."""
        other = Inquiry(self.case, replace(self.question, reading=reading), self._status_of)
        other.__dict__.update({k: v for k, v in self.__dict__.items() if k in ("view", "record", "in_force")})
        return other

    def at(self, instant: datetime) -> Inquiry:
        """The same question about another instant, on what is known now."""
        if instant == self.question.on:
            return self
        key = ("at", instant)
        if key not in self.memo:
            other = Inquiry(self.case, replace(self.question, on=instant), self._status_of)
            other.__dict__.update({k: v for k, v in self.__dict__.items() if k in ("view", "record")})
            self.memo[key] = other
        found: Inquiry = self.memo[key]
        return found

    @property
    def on(self) -> datetime:
        """The date asked about."""
        return self.question.on

    @property
    def agreement(self) -> Agreement:
        """The agreement of the case."""
        return self.case.agreement

    def show(self, at: datetime) -> str:
        """An instant in the time zone of the case."""
        return written(at, self.case.tz)

    def instants(self) -> Sequence[datetime]:
        """Every instant up to the date asked about at which something was so, on what is known."""
        seen = {edge for report in self.view.reports.values() for edge in (report.starts.last, report.ends.last)}
        return sorted(at for at in {*seen, *self.record.changes(None, self.on)} if at <= self.on)

    def read(self, text: str) -> Moment:
        """A time as written in the case."""
        return moment(text, self.case.tz)

    @cached_property
    def view(self) -> View:
        """The evidence as known."""
        return self.case.evidence.as_known(self.question.known)

    @cached_property
    def record(self) -> Record:
        """Facts and measures as known."""
        return Record(self.agreement, self.view, self.read)

    @cached_property
    def in_force(self) -> InForce:
        """The provisions as they stand at `on`, on what was known."""
        return self.in_force_at(self.question.on)

    def in_force_at(self, at: datetime) -> InForce:
        """The provisions as they stood at an instant, on what was known."""
        return provisions_in_force(self.case.base, self.agreement.changes, at, self.read, self.is_known)

    def is_known(self, change: Change) -> bool:
        """Whether a change was known, with every row that records it on file."""
        if self.read(change.known or change.made).last > self.question.known:
            return False
        return all(row in self.view.reports for row in change.recorded_by)

    def enacted(self, provision: Any) -> bool:
        """Whether the instrument of a provision had been made and was known, and the reading asked for has it."""
        if provision.reading not in (None, self.question.reading) and self.question.reading != PLAIN:
            return False
        name = provision.in_instrument
        if name is None:
            return True
        instrument = self.agreement.instruments[name]
        if instrument.made is None:
            return False
        made, known = self.read(instrument.made), self.read(instrument.known or instrument.made)
        return made.last <= self.question.on and known.last <= self.question.known

    def begun(self, provision: Any) -> Begun | None:
        """Since when a provision is in force at `on`, or None where it is not (yet, or any longer)."""
        if not self.enacted(provision) or provision.id in self.in_force.repealed:
            return None
        on = self.question.on
        if provision.until and self.read(provision.until).last < on:
            return None
        starts = [Begun(self.read(provision.from_), f"from {provision.from_}")] if provision.from_ else []
        if isinstance(provision, Duty) and provision.in_force:
            found = self._first_true(provision.in_force)
            if found is None:
                return None
            starts.append(found)
        elif not starts:
            name = provision.in_instrument
            made = self.agreement.instruments[name].made if name else None
            added = self._added_at(provision.id)
            if added or made:
                text = added or made or ""
                starts.append(Begun(self.read(text), f"made {text}"))
        if not starts:
            return Begun(Moment("", datetime.min.replace(tzinfo=on.tzinfo), datetime.min.replace(tzinfo=on.tzinfo)), "always")
        latest = max(starts, key=lambda b: b.since.last)
        return latest if latest.since.last <= on else None

    def _added_at(self, name: str) -> str | None:
        for change in self.agreement.changes:
            if change.op == "add" and change.target == f"@{name}" and change.address in self.in_force.applied:
                return change.effective or change.made
        return None

    def _first_true(self, text: str) -> Begun | None:
        test = condition(text)
        previous: datetime | None = None
        for at in [*self.record.changes(None, self.question.on), self.question.on]:
            finding = test(self, at)
            if finding.truth is Truth.TRUE:
                first = at
                # A date to the day may be any instant in it: the duty may have begun at the first of them.
                if previous is not None and test(self, previous).truth is Truth.UNKNOWN:
                    first = previous
                return Begun(Moment(text, first, at), "; ".join(finding.reasons))
            previous = at
        return None

    # What conditions are evaluated against.

    def holds(self, atom: Atom, at: datetime) -> Finding:
        """Whether a recorded event or state holds."""
        for state in self.record.grounds(atom):
            if state.when:
                return condition(state.when)(self, at)
        return self.record.holds(atom, at)

    def status(self, word: str, reference: str, at: datetime) -> Finding:
        """Whether a provision or claim has a status."""
        key = (word, reference, at)
        if key not in self._answers:
            self._answers[key] = self._status_of(self, word, reference, at)
        return self._answers[key]

    def members(self, term: str, at: datetime) -> Sequence[str] | None:
        """What a definition covers under the reading asked for."""
        definition = self.in_force.provisions.get(term)
        if not isinstance(definition, Definition):
            return None
        named = [i.item for i in definition.includes]
        named += [item for entry in definition.interpretations for item in entry.includes]
        return [item for item in dict.fromkeys(named) if self.covers(term, item).truth is Truth.TRUE]

    def is_open(self, term: str) -> bool:
        """Whether a definition may cover more than it lists."""
        definition = self.in_force.provisions.get(term)
        return not isinstance(definition, Definition) or bool(definition.open)

    def changes(self, start: datetime | None, end: datetime) -> Sequence[datetime]:
        """Every instant at which something on record may change."""
        return self.record.changes(start, end)

    def covers(self, term: str, item: str) -> Finding:
        """Whether a definition covers an item class under the reading asked for."""
        definition = self.in_force.provisions.get(term)
        if not isinstance(definition, Definition):
            return Finding(Truth.UNKNOWN, (f"{term} is not defined",))
        reading, file = self.question.reading, self.case.evidence
        for entry in reversed(definition.interpretations):
            if entry.reading == reading:
                if any(item in file.members(name) for name in entry.excludes):
                    return Finding(Truth.FALSE, (f"the reading {reading} leaves {item} out of {term}",))
                if any(item in file.members(name) for name in entry.includes):
                    return Finding(Truth.TRUE, (f"the reading {reading} counts {item} in {term}",))
        for included in definition.includes:
            if (included.reading in (None, reading) or reading == PLAIN) and item in file.members(included.item):
                return Finding(Truth.TRUE, (f"{term} includes {included.item}",))
        if definition.open:
            return Finding(Truth.UNKNOWN, (f"{term} is open: {item} is not listed, which does not leave it out",))
        return Finding(Truth.FALSE, (f"{term} does not include {item}",))

    def quotes(self, text: dict[str, list[str]]) -> list[tuple[str, str]]:
        """(instrument, words) of every quotation from an instrument that was known."""
        return [(name, words) for name, several in text.items() if self._is_out(name) for words in several]

    def _is_out(self, name: str) -> bool:
        instrument = self.agreement.instruments[name]
        known = instrument.known or instrument.made
        return known is None or self.read(known).last <= self.question.known

    def rival_readings(self, term: str, item: str) -> dict[str, Finding]:
        """Named readings in force that take an item class out of a definition."""
        definition = self.in_force.provisions.get(term)
        if not isinstance(definition, Definition) or self.question.reading != PLAIN:
            return {}
        names = dict.fromkeys(entry.reading for entry in definition.interpretations)
        found = {name: self.under(name).covers(term, item) for name in names}
        return {name: finding for name, finding in found.items() if finding.truth is Truth.FALSE}

    def duties_of(self, claim: Claim) -> list[tuple[Duty, Begun]]:
        """The duties in force that a claim is about, the latest begun first."""
        found = []
        for reference in claim.duty:
            provision = self.in_force.provisions.get(reference.lstrip("@"))
            if isinstance(provision, Duty) and (begun := self.begun(provision)):
                found.append((provision, begun))
        return sorted(found, key=lambda pair: pair[1].since.last, reverse=True)
