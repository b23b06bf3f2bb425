"""One question put to a case: (on, known, reader, reading). Everything an answer may use is reached through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.amendment import NOT_YET, ON_RECEIPT, Change, Commencement
from tallybook.agreement.change import Composed, InForce, provisions_in_force
from tallybook.agreement.claim import Claim
from tallybook.agreement.language import condition
from tallybook.agreement.provision import Definition, Duty, Instrument
from tallybook.agreement.situation import Atom, gathered
from tallybook.commitments.exceptions import value_of
from tallybook.commitments.moments import first_held
from tallybook.commitments.record import Record
from tallybook.core.time import Moment, moment, written, zone
from tallybook.core.truth import Finding, Truth, any_of
from tallybook.evidence.file import EvidenceFile, View
from tallybook.holdings.plan import Plan
from tallybook.verdicts.marked import CaseMarkings
from tallybook.verdicts.sides import seen_by, side_has

PLAIN = "plain"
EVERYONE = "everyone cleared"
"""The reader from whom nothing is held back."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as loaded: the agreement, its provisions as written, the evidence, the texts of its sources.

    Read from a ledger it has the `checkpoint` of the books, and `as_filed` where rows were corrected: the case as it stood on
    file for a known time. `reader` is for whom it was read: everything in it is what they may see. `markings` are those of its
    rows and files, where it has a markings.yaml.
    """

    name: str
    agreement: Agreement
    base: Mapping[str, dict[str, Any]]
    evidence: EvidenceFile
    texts: Mapping[str, str]
    plans: Mapping[str, Plan] = field(default_factory=dict)
    texts_composed: dict[Any, Composed] = field(default_factory=dict, compare=False, repr=False)
    checkpoint: Mapping[str, Any] | None = None
    as_filed: Callable[[datetime], Case] | None = field(default=None, compare=False, repr=False)
    reader: str = EVERYONE
    markings: CaseMarkings | None = field(default=None, compare=False, repr=False)

    @property
    def tz(self) -> ZoneInfo:
        """The time zone of the case."""
        return zone(self.agreement.time_zone)


@dataclass(frozen=True, slots=True)
class Question:
    """The date asked about, what had been reported by then, for which reader, under whose reading.

    `side` is a party: the question is then answered on what that party could know (blank: on our own books).
    """

    on: datetime
    known: datetime
    reader: str = EVERYONE
    reading: str = PLAIN
    side: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """Since when a provision has been in force, and by what."""

    since: Moment
    reason: str


class Inquiry:
    """A case under one question. Implements what conditions are evaluated against; answers are kept."""

    def __init__(
        self,
        case: Case,
        question: Question,
        status_of: Callable[[Inquiry, str, str, datetime], Finding],
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.case, self.question = case, question
        self._status_of = status_of
        self._without = without
        self._answers: dict[tuple[str, str, datetime], Finding] = {}
        self.memo: dict[Any, Any] = {}

    def under(self, reading: str) -> Inquiry:
        """The same question under another reading."""
        if reading == self.question.reading:
            return self
        return self._other(("under", reading), replace(self.question, reading=reading))

    def at(self, instant: datetime) -> Inquiry:
        """The same question about another instant, on what is known now."""
        if instant == self.question.on:
            return self
        return self._other(("at", instant), replace(self.question, on=instant))

    def aside(self, name: object) -> Inquiry:
        """The same question, with its answers kept apart from this one's."""
        return self._other(("aside", name), self.question)

    def on_other_evidence(self, evidence: EvidenceFile) -> Inquiry:
        """The same question put to another evidence file; no answer worked out here is taken over."""
        # Texts are kept by the changes in them, whatever the evidence, and are shared.
        return Inquiry(replace(self.case, evidence=evidence), self.question, self._status_of, self._without)

    def _other(self, key: tuple[str, object], question: Question, without: frozenset[str] | None = None) -> Inquiry:
        if key not in self.memo:
            other = Inquiry(self.case, question, self._status_of, self._without if without is None else without)
            other.__dict__.update({k: v for k, v in self.__dict__.items() if k in ("view", "record")})
            self.memo[key] = other
        found: Inquiry = self.memo[key]
        return found

    @property
    def on(self) -> datetime:
        """The date asked about."""
        return self.question.on

    @property
    def tz(self) -> ZoneInfo:
        """The time zone of the case."""
        return self.case.tz

    @property
    def agreement(self) -> Agreement:
        """The agreement of the case."""
        return self.case.agreement

    def show(self, at: datetime) -> str:
        """An instant in the time zone of the case."""
        return written(at, self.case.tz)

    def instants(self) -> Sequence[datetime]:
        """Every instant up to the date asked about at which something was so, on what is known."""
        # Both are in order, and one after the other they are sorted in one pass.
        return list(dict.fromkeys(sorted([*self.view.instants(self.on), *self.record.changes(None, self.on)])))

    def read(self, text: str) -> Moment:
        """A time as written in the case."""
        return moment(text, self.case.tz)

    @cached_property
    def view(self) -> View:
        """The evidence as known."""
        view = self.case.evidence.as_known(self.question.known)
        return seen_by(view, self.question.side, self.agreement) if self.question.side else view

    @cached_property
    def record(self) -> Record:
        """Facts and measures as known."""
        return Record(self.agreement, self.view, self.read, self.sees)

    @cached_property
    def in_force(self) -> InForce:
        """The provisions as they stand at `on`, on what was known."""
        return self.in_force_at(self.question.on)

    @cached_property
    def instruments(self) -> Mapping[str, Instrument]:
        """The instruments, with those receipts that were known and that the side asked about could know."""
        out = dict(self.agreement.instruments)
        for name, instrument in out.items():
            if instrument.received:
                known = {} if not self.sees((), name) else instrument.received
                known = {who: day for who, day in known.items() if self.read(day).last <= self.question.known}
                out[name] = instrument.model_copy(update={"received": known})
        return out

    def in_force_at(self, at: datetime) -> InForce:
        """The provisions as they stood at an instant, on what was known."""
        return provisions_in_force(
            self.case.base,
            self.agreement.changes,
            at,
            self.read,
            self.is_known,
            instruments=self.instruments,
            came_true=self._came_true,
            reading=self.question.reading,
            kept=self.case.texts_composed,
        )

    def _came_true(self, text: str, without: frozenset[str]) -> Moment | None:
        """When a condition on which a change waits first held, without that change. A trigger reads what was so before it."""
        if without & self._without:
            return None
        other = self._other(("without", without), self.question, self._without | without)
        at = first_held(other, text)
        return None if at is None else Moment(text, at, at)

    def sees(self, known_to: Sequence[str], instrument: str | None) -> bool:
        """Whether the side asked about could know something of an instrument, or marked as known to some."""
        side = self.question.side
        if not side or side in known_to:
            return True
        return instrument is not None and side_has(self.agreement, instrument, side)

    def is_known(self, change: Change) -> bool:
        """Whether a change was known, with every row that records it on file."""
        if change.address in self._without or not self.sees(change.by, change.in_):
            return False
        if self.read(change.known or change.made).last > self.question.known:
            return False
        return all(row in self.view.reports for row in change.recorded_by)

    def enacted(self, provision: Any) -> bool:
        """Whether the instrument of a provision had been made and was known, and the reading asked for has it."""
        if provision.reading not in (None, self.question.reading) and self.question.reading != PLAIN:
            return False
        name = provision.in_instrument
        if name is None:
            return not self.question.side or any(self.sees((), quoted) for quoted in provision.text)
        instrument = self.agreement.instruments[name]
        if not self.sees((), name):
            return False
        if provision.id in self.in_force.since:
            # It was put in by a change, which is in effect only once it was made and known.
            return True
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
            own = self._start_of(provision)
            if own is None:
                return None
            starts += own
        if not starts:
            return Begun(Moment("", datetime.min.replace(tzinfo=on.tzinfo), datetime.min.replace(tzinfo=on.tzinfo)), "always")
        latest = max(starts, key=lambda b: b.since.last)
        return latest if latest.since.last <= on else None

    def _start_of(self, provision: Any) -> list[Begun] | None:
        """When a provision without a term of its own began: with the change that added it, or with its instrument.

        An empty list: nothing says; None: its instrument has not taken effect.
        """
        added = self.in_force.since.get(provision.id)
        if added is not None:
            return [Begun(Moment(self.show(added), added, added), f"made {self.show(added)}")]
        name = provision.in_instrument
        if name is None:
            return []
        effective = self.in_force.commencements.get(name)
        if effective is None:
            made = self.agreement.instruments[name].made
            return [Begun(self.read(made), f"made {made}")] if made else []
        if effective == NOT_YET:
            return None
        if isinstance(effective, Commencement):
            came = first_held(self, effective.when)
            if came is None:
                return None
            return [Begun(Moment(effective.when, came, came), f"{effective.when} since {self.show(came)}")]
        if effective == ON_RECEIPT:
            received = self.instruments[name].received
            if not received or any(party not in received for party in self.agreement.instruments[name].to):
                return None
            last = max((self.read(day) for day in received.values()), key=lambda m: m.last)
            return [Begun(last, f"received {last.text}")]
        return [Begun(self.read(effective), f"in effect from {effective}")]

    def _first_true(self, text: str) -> Begun | None:
        test = condition(text)
        first = first_held(self, text)
        if first is None or first > self.question.on:
            return None
        earlier = [at for at in self.record.changes(None, first) if at < first]
        # A date to the day may be any instant in it: the duty may have begun at the first of them.
        unsure = bool(earlier) and test(self, earlier[-1]).truth is Truth.UNKNOWN
        return Begun(Moment(text, earlier[-1] if unsure else first, first), "; ".join(test(self, first).reasons))

    # What conditions are evaluated against.

    def holds(self, atom: Atom, at: datetime) -> Finding:
        """Whether a recorded event or state holds: by what is on record, or by a condition that the case gives for it."""
        recorded = self.record.holds(atom, at)
        found = [condition(g.state.when)(self, at, g.scope) for g in self.record.grounds(atom) if g.state.when]
        if not found or recorded.truth is Truth.TRUE:
            return recorded
        if self.record.known_of(atom):
            found.append(recorded)
        return gathered(found, any_of(f.truth for f in found))

    def amount(self, atom: Atom, at: datetime) -> tuple[float, float]:
        """Between what bounds the number of a recorded event or state lies."""
        return self.record.amount(atom, at)

    def value(self, reference: str, at: datetime) -> tuple[str | float | None, Finding]:
        """The value that a definition has, with the exceptions to it."""
        standing = self.at(at)
        definition = standing.in_force.provisions.get(reference.lstrip("@"))
        if not isinstance(definition, Definition):
            return None, Finding(Truth.UNKNOWN, (f"{reference} is no definition",), (reference,))
        found = value_of(standing, definition)
        return found.value, found.as_finding()

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
        """(instrument, words) of every quotation from an instrument that was known, to the side asked about if one is."""
        return [(n, words) for n, several in text.items() if self._is_out(n) and self.sees((), n) for words in several]

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

    def readings_of_norms(self, names: Sequence[str] | None = None) -> list[str]:
        """The readings in force that read a duty, liberty, power, proof or exception otherwise: any, or one of those named.

        Under a named reading there are no rivals: the question is then put to that reading alone.
        """
        if self.question.reading != PLAIN:
            return []
        provisions = self.in_force.provisions
        chosen = provisions.values() if names is None else [provisions[n] for n in names if n in provisions]
        norms = [p for p in chosen if not isinstance(p, Definition)]
        return list(dict.fromkeys(entry["reading"] for p in norms for entry in p.interpretations))

    def duties_of(self, claim: Claim) -> list[tuple[Duty, Begun]]:
        """The duties in force that a claim is about, the latest begun first."""
        found = []
        for reference in claim.duty:
            provision = self.in_force.provisions.get(reference.lstrip("@"))
            if isinstance(provision, Duty) and (begun := self.begun(provision)):
                found.append((provision, begun))
        return sorted(found, key=lambda pair: pair[1].since.last, reverse=True)
