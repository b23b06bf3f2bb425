"""Evidence made up to tell two texts apart: part of what is on file, and events, states and reports of chance, by a seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tallybook.agreement.claim import Claim, Fact, Match
from tallybook.agreement.language import ConditionError, atom_of, condition
from tallybook.agreement.provision import Definition, Duty, Power, Proof
from tallybook.core.time import Moment, written
from tallybook.evidence.grade import Grade
from tallybook.evidence.report import Bearing, Report
from tallybook.lint.conditions import asked, conditions_of
from tallybook.lint.stages import Walk
from tallybook.verdicts.inquiry import Case

_GRADES = ("A1", "A2", "B2", "C3", "F6")
_MOST = 12


@dataclass(frozen=True)
class Piece:
    """One piece of evidence: a report with what is read in it, or a fact, and how to say it."""

    words: str
    report: Report | None = None
    bearings: tuple[Bearing, ...] = ()
    fact: Fact | None = None


def stored(case: Case) -> list[Piece]:
    """The evidence on file, piece by piece."""
    pieces = []
    for report in case.evidence.reports.values():
        read = tuple(b for b in case.evidence.bearings if b.report == report.id)
        pieces.append(Piece(report.id, report, read))
    for fact in case.agreement.facts:
        said = fact.atom if fact.value else f"not {fact.atom}"
        pieces.append(Piece(f"{said} from {fact.from_}", fact=fact))
    return pieces


def with_evidence(case: Case, pieces: Iterable[Piece]) -> Case:
    """The case with this evidence in place of its own."""
    pieces = list(pieces)
    reports = {p.report.id: p.report for p in pieces if p.report is not None}
    bearings = tuple(b for p in pieces for b in p.bearings if all(r in reports for r in b.restates))
    file = case.evidence
    facts = [p.fact for p in pieces if p.fact is not None]
    evidence = replace(file, reports=reports, bearings=bearings, _members=file._members)  # noqa: SLF001
    # A change rests on its record whatever evidence is tried: the two texts are to differ by the restatement alone.
    changes = [c.model_copy(update={"recorded_by": ()}) for c in case.agreement.changes]
    agreement = case.agreement.model_copy(update={"facts": facts, "changes": changes})
    return replace(case, agreement=agreement, evidence=evidence)


@dataclass(frozen=True)
class Words:
    """What generated evidence can be about: events by name, numbers to try, states of measures, claims, methods."""

    events: tuple[str, ...]
    amounts: tuple[str, ...]
    numbers: tuple[float, ...]
    matches: tuple[Match, ...]
    duties: tuple[str, ...]


def words_of(walk: Walk) -> Words:
    """Every event that a condition asks for at any stage, its variables put to what the definitions list."""
    events: dict[str, None] = {}
    numbers: dict[float, None] = {}
    matches: list[Match] = []
    duties: dict[str, None] = {}
    for stage in walk.stages:
        provisions = list(stage.in_force.provisions.values())
        things = [i.item for p in provisions if isinstance(p, Definition) for i in p.includes]
        for provision in provisions:
            texts = [w.text for w in conditions_of(provision)]
            texts += [provision.used_by] if isinstance(provision, Power) and provision.used_by else []
            for text in texts:
                numbers |= dict.fromkeys(asked(text).numbers)
                for name in sorted(condition(text).atoms):
                    events |= dict.fromkeys(_grounded(name, things))
            if isinstance(provision, Proof) and provision.met_by is not None:
                matches.append(Match.model_validate(provision.met_by))
            if isinstance(provision, Duty):
                duties[provision.id] = None
    for state in walk.case.agreement.states:
        for name in (state.atom, *(sorted(condition(state.when).atoms) if state.when else ())):
            events |= dict.fromkeys(_grounded(name, []))
    near = sorted({n + step for n in numbers for step in (-1.0, 0.0, 1.0)})
    return Words(tuple(events), tuple(events) if near else (), tuple(near), tuple(matches), tuple(duties))


def _grounded(name: str, things: Sequence[str]) -> list[str]:
    """An event with its variables put to things: each in turn for all of them. Left out where that is no event."""
    found = []
    for thing in things if "?" in name else ("",):
        words = " ".join(name.split())
        for variable in {part.split("=")[-1] for part in words.replace("(", ", ").replace(")", "").split(", ") if "?" in part}:
            words = words.replace(variable, thing)
        try:
            atom_of(words)
        except ConditionError:
            continue
        found.append(words)
    return found


class Maker:
    """Makes evidence of chance between two instants. One seed gives one sequence."""

    def __init__(self, walk: Walk, random: Random, start: datetime, end: datetime) -> None:
        self._walk, self._random, self._start, self._end = walk, random, start, max(end, start + timedelta(days=1))
        self._words = words_of(walk)
        self._stored = stored(walk.case)
        self._count = 0

    def day(self) -> datetime:
        """An instant between the two, to the second."""
        length = int((self._end - self._start).total_seconds())
        return self._start + timedelta(seconds=self._random.randrange(length + 1))

    def pieces(self) -> list[Piece]:
        """A few pieces of what is on file, and events, states and reports of chance."""
        random, kept = self._random, self._stored
        found = random.sample(kept, min(len(kept), random.randrange(_MOST + 1)))
        found += [self._event(name) for name in self._words.events if random.random() < 0.5]
        agreement = self._walk.case.agreement
        for name, kind in agreement.measures.items():
            states = [*kind.states] or ["active"]
            found += [self._state(name, random.choice(states)) for _ in range(random.randrange(3))]
        for claim in agreement.claims:
            found += [self._report(claim) for _ in range(random.randrange(4))]
        for duty in self._words.duties:
            if random.random() < 0.08:
                found.append(self._event(f"{random.choice(('released', 'waived'))}(@{duty})"))
        return found

    def _event(self, name: str) -> Piece:
        random = self._random
        agreement = self._walk.case.agreement
        start = written(self.day(), self._walk.case.tz)
        value = random.random() < 0.75
        number = random.choice(self._words.numbers) if name in self._words.amounts and random.random() < 0.7 else None
        later = written(self.day(), self._walk.case.tz) if random.random() < 0.25 else None
        until = later if later is not None and later > start else None
        said = {next(iter(agreement.instruments)): ["made up to compare"]}
        fact = Fact.model_validate({"atom": name, "value": value, "number": number, "from": start, "until": until, "text": said})
        amount = f" = {number:g}" if number is not None else ""
        ended = f" until {until}" if until else ""
        return Piece(f"{'' if value else 'not '}{name}{amount} from {start}{ended}", fact=fact)

    def _moment(self) -> Moment:
        at = self.day()
        return Moment(written(at, self._walk.case.tz), at, at)

    def _bare(self, table: str) -> Report:
        self._count += 1
        at = self._moment()
        return Report(f"MADE-UP-{self._count}", table, 1, at, at, at, "made-up", "", "")

    def _state(self, measure: str, state: str) -> Piece:
        report = replace(self._bare("measures"), measure=measure, state=state)
        return Piece(f"{measure} {state} from {report.starts.text}", report)

    def _report(self, claim: Claim) -> Piece:
        """A report on a claim that one of the methods of the proof would take, with what is read in it."""
        random = self._random
        bears = random.choice(("for", "for", "against"))
        bare = replace(self._bare("observations"), item=claim.item or "", grade=Grade(random.choice(_GRADES)))
        match = random.choice(self._words.matches) if self._words.matches else Match()
        methods = match.method or tuple(self._walk.case.agreement.vocabulary.methods)
        filled: dict[str, Any] = {
            name: str(random.choice(values))
            for name, values in (("method", methods), ("stage", match.stage), ("kind", match.kind), ("place", match.place))
            if values
        }
        who = random.choice(match.by) if match.by else ""
        report = replace(bare, who=who, source=bare.id, **filled)
        bearing = Bearing(
            report=report.id,
            claim=claim.id,
            bears=bears,
            extent="whole",
            state="act",
            refers_to=None,
            cluster="",
            restates=(),
            counts_as="none",
            by="made-up",
            reviewed_by="",
            known=report.known,
            reason="made up to compare",
            line=1,
        )
        return Piece(f"a report {bears} {claim.id} ({report.grade.text}) of {report.starts.text}", report, (bearing,))
