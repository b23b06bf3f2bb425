"""A restatement says again what was agreed, and changes nothing: compared on stored evidence, and on evidence of chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, TypeAlias

from pydantic import ValidationError

from tallybook.agreement.amendment import Change
from tallybook.agreement.change import ChangeError
from tallybook.agreement.provision import Duty
from tallybook.commitments.commitment import commitment
from tallybook.commitments.measures import measure_standing
from tallybook.core.time import shifted
from tallybook.errors import TallybookError
from tallybook.lint.bearing import Reach, reach_of
from tallybook.lint.evidence import Maker, Piece, stored, with_evidence
from tallybook.lint.finding import LintFinding
from tallybook.lint.stages import Walk, readings_of
from tallybook.verdicts.finding import verdict_on
from tallybook.verdicts.inquiry import Case, Inquiry, Question
from tallybook.verdicts.status import status_of

TRIALS = 100
MOST_INSTANTS = 200
# What of a provision is words for people, and bears on no verdict.
_ONLY_WORDS = frozenset({"text", "because", "heading", "unit", "number", "note", "parts", "then", "foreseen"})

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many comparisons of how many are done."""


def no_progress(_done: int, _of: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared for one restatement: instants on stored evidence, generated trials, readings, and why it stopped."""

    address: str
    target: str
    instants: int
    left_out: int
    trials: int
    readings: tuple[str, ...]
    only_words: bool
    stopped: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "change": self.address,
            "target": self.target,
            "only_words_differ": self.only_words,
            "instants": self.instants,
            "instants_left_out": self.left_out,
            "trials": self.trials,
            "readings": list(self.readings),
            "stopped": self.stopped or None,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One line, duty or measure that a restatement moves, at what instant, under which reading, on what evidence."""

    subject: str
    before: str
    after: str
    at: datetime
    reading: str
    evidence: tuple[Piece, ...]


Words: TypeAlias = Mapping[str, str]


def check_restatements(
    walk: Walk, trials: int = TRIALS, seed: int = 0, progress: Progress = no_progress
) -> tuple[list[Compared], list[LintFinding]]:
    """Compare the agreement with and without each change of op `restate`, from the instant at which it takes effect.

    On stored evidence at every instant at which anything changes (at most MOST_INSTANTS, spread evenly), as known then; and
    on `trials` sets of generated evidence, by `seed`; each under the plain reading and every named one. A difference is an
    error with the smallest evidence found that shows it (parts are left out greedily while the difference stays).
    """
    found: list[Compared] = []
    findings: list[LintFinding] = []
    restated = [c for c in walk.case.agreement.changes if c.op == "restate"]
    for n, change in enumerate(restated):
        compared, differences = _Comparison(walk, change, trials, seed, _part(progress, n, len(restated))).run()
        found.append(compared)
        findings += [_finding(walk, change, difference) for difference in differences]
        if compared.stopped:
            what = f"was compared only in part: {compared.stopped}"
            do = "restate after the last change of this provision, so that both texts can be followed"
            findings.append(walk.at_change("restate", "note", change.address, "", what, do))
    return found, findings


def _part(progress: Progress, n: int, of: int) -> Progress:
    return lambda done, all_: progress(n * 1000 + round(1000 * done / max(all_, 1)), of * 1000)


def _finding(walk: Walk, change: Change, difference: Difference) -> LintFinding:
    show = walk.last.inquiry.show
    evidence = "; ".join(piece.words for piece in difference.evidence) or "nothing on record"
    reading = "" if difference.reading == "plain" else f" under the reading {difference.reading}"
    what = (
        f"restating {change.target} changes {difference.subject} on {show(difference.at)}{reading}: "
        f"{difference.before} before, {difference.after} after; on {evidence}"
    )
    do = "restate without changing what is agreed, or amend openly (`replace`)"
    return walk.at_change("restate", "error", change.address, "value", what, do)


class _Comparison:
    """One restatement: the case with it (`after`) and without it (`before`)."""

    def __init__(self, walk: Walk, change: Change, trials: int, seed: int, progress: Progress) -> None:
        self.reach = reach_of(walk, change.aim.name)
        self.walk, self.change, self.trials, self.progress = walk, change, trials, progress
        self.random = Random(f"{seed} {change.address}")  # noqa: S311
        self.readings = readings_of(walk.case)
        self.after = walk.case
        agreement = walk.case.agreement
        left = [c for c in agreement.changes if change.address not in (c.address, c.aim.address)]
        self.before = replace(walk.case, agreement=agreement.model_copy(update={"changes": left}))
        self.stopped = ""

    def run(self) -> tuple[Compared, list[Difference]]:
        start = self._start()
        target, address = self.change.target, self.change.address
        if start is None:
            return Compared(address, target, 0, 0, 0, (), False, "it has not taken effect"), []
        instants = self._instants(start)
        if self._only_words(instants):
            self.progress(1, 1)
            return Compared(address, target, len(instants), 0, 0, tuple(self.readings), True, self.stopped), []
        chosen = _spread(instants, MOST_INSTANTS)
        steps = len(chosen) + self.trials
        differences = self._on_stored(chosen, steps)
        differences += self._on_generated(start, instants[-1], {d.subject for d in differences}, len(chosen), steps)
        left_out = len(instants) - len(chosen)
        compared = Compared(address, target, len(chosen), left_out, self.trials, tuple(self.readings), False, self.stopped)
        return compared, differences

    def _start(self) -> datetime | None:
        """When the restatement takes effect: the first stage at which it is applied."""
        for stage in self.walk.stages:
            if not stage.supposed and self.change.address in stage.in_force.applied:
                return stage.since
        return None

    def _instants(self, start: datetime) -> list[datetime]:
        """Every instant from the first on at which anything changes: the text, what is on record, what was known."""
        inquiry = Inquiry(self.after, Question(self.walk.end, self.walk.end), status_of)
        found = {start, self.walk.end, *(stage.since for stage in self.walk.stages if not stage.supposed)}
        found |= set(inquiry.instants())
        for report in self.after.evidence.reports.values():
            found.add(report.known.last)
        for provision in inquiry.in_force.provisions.values():
            for text in (provision.until, getattr(provision, "by", None), getattr(provision, "earliest", None)):
                if text:
                    found |= {inquiry.read(text).last, inquiry.read(text).last + timedelta(seconds=1)}
        return sorted(at for at in found if start <= at <= self.walk.end)

    def _only_words(self, instants: Sequence[datetime]) -> bool:
        """Whether the two texts differ in words alone at every stage: then no verdict can tell them apart."""
        marks = [s.since for s in self.walk.stages if not s.supposed and s.since >= instants[0]] or [instants[0]]
        for at in marks:
            for reading in self.readings:
                try:
                    one, other = (_meaning(Inquiry(c, Question(at, at, reading=reading), status_of)) for c in self._both())
                except (ChangeError, ValidationError) as error:
                    self._stop(at, error)
                    return False
                if one != other:
                    return False
        return True

    def _both(self) -> tuple[Case, Case]:
        return self.before, self.after

    def _stop(self, at: datetime, error: Exception) -> None:
        told = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error).splitlines()[0]
        self.stopped = self.stopped or f"without it, {told} (on {self.walk.last.inquiry.show(at)})"

    def _on_stored(self, instants: Sequence[datetime], steps: int) -> list[Difference]:
        found: dict[str, Difference] = {}
        for n, at in enumerate(instants):
            self.progress(n, steps)
            for reading in self.readings:
                for subject, before, after in self._differences(self._both(), at, reading):
                    if subject not in found:
                        evidence = self._smallest(stored(self.after), at, reading, subject)
                        found[subject] = Difference(subject, before, after, at, reading, evidence)
        return list(found.values())

    def _on_generated(self, start: datetime, end: datetime, known: set[str], done: int, steps: int) -> list[Difference]:
        maker = Maker(self.walk, self.random, *self._time(start, end))
        found: dict[str, Difference] = {}
        for n in range(self.trials):
            self.progress(done + n, steps)
            pieces, at = maker.pieces(), max(start, maker.day())
            pair = self._with(pieces)
            for reading in self.readings:
                for subject, before, after in self._differences(pair, at, reading):
                    if subject not in known and subject not in found:
                        evidence = self._smallest(pieces, at, reading, subject)
                        found[subject] = Difference(subject, before, after, at, reading, evidence)
        self.progress(steps, steps)
        return list(found.values())

    def _time(self, start: datetime, end: datetime) -> tuple[datetime, datetime]:
        """Between which instants evidence is made up: from the first instrument to half as long again after the last date."""
        inquiry = self.walk.last.inquiry
        made = [inquiry.read(i.made).last for i in self.after.agreement.instruments.values() if i.made]
        dates = [t for p in inquiry.in_force.provisions.values() for t in (p.until, getattr(p, "by", None)) if t]
        first = min([*made, start])
        last = max([start, *(s.since for s in self.walk.stages if s.since < end), *(inquiry.read(text).last for text in dates)])
        return first, shifted(last, (last - first) / 2 + timedelta(days=30))

    def _with(self, pieces: Iterable[Piece]) -> tuple[Case, Case]:
        pieces = list(pieces)
        return with_evidence(self.before, pieces), with_evidence(self.after, pieces)

    def _differences(self, pair: tuple[Case, Case], at: datetime, reading: str) -> Iterator[tuple[str, str, str]]:
        first, second = (Inquiry(case, Question(at, at, reading=reading), status_of) for case in pair)
        # Evidence is the same on both sides, and so is the verdict on what the restatement cannot bear on.
        second.__dict__.update(view=first.view, record=first.record)
        try:
            before = standing_words(first, self.reach)
            second.memo.update({key: found for key, found in first.memo.items() if self._is_shared(key)})
            after = standing_words(second, self.reach)
        except (ChangeError, ValidationError) as error:
            self._stop(at, error)
            return
        for subject in {**before, **after}:
            one, other = before.get(subject, "not there"), after.get(subject, "not there")
            if one != other:
                yield subject, one, other

    def _is_shared(self, key: Any) -> bool:
        return isinstance(key, tuple) and isinstance(key[0], float) and key[1] not in self.reach.names

    def _smallest(self, pieces: Sequence[Piece], at: datetime, reading: str, subject: str) -> tuple[Piece, ...]:
        """The evidence left when every part without which the difference stays has been left out, in halves and then singly."""
        kept, size = list(pieces), max(1, len(pieces) // 2)
        while kept:
            n, shrunk = 0, False
            while n < len(kept):
                rest = kept[:n] + kept[n + size :]
                if any(name == subject for name, _, _ in self._differences(self._with(rest), at, reading)):
                    kept, shrunk = rest, True
                else:
                    n += size
            if size == 1 and not shrunk:
                break
            size = max(1, size // 2)
        return tuple(kept)


def standing_words(inquiry: Inquiry, reach: Reach) -> Words:
    """The verdict on every line, the life of every duty and the standing of every measure within reach, by subject."""
    agreement = inquiry.agreement
    out: dict[str, str] = {}
    for line in agreement.board:
        claim = agreement.claim(line.claim) if line.claim in reach.names else None
        if claim is not None:
            out[f"the line {line.id}"] = _told(partial(_verdict, inquiry, claim))
    for provision in inquiry.in_force.provisions.values():
        if isinstance(provision, Duty) and provision.id in reach.names and inquiry.enacted(provision):
            out[f"the duty @{provision.id}"] = _told(partial(_life, inquiry, provision))
    for name in agreement.measures:
        if name in reach.measures:
            out[f"the measure {name}"] = _told(partial(_measure, inquiry, name))
    return out


def _told(answer: Callable[[], str]) -> str:
    """An answer, or that there is none: an account that no state of the world gives, or statuses without end."""
    try:
        return answer()
    except TallybookError as error:
        return f"no answer ({error.what})"
    except RecursionError:
        return "no answer (statuses wait for each other)"


def _verdict(inquiry: Inquiry, claim: Any) -> str:
    found = verdict_on(inquiry, claim)
    return str(found.verdict.value) if found.verdict else found.state


def _life(inquiry: Inquiry, duty: Duty) -> str:
    life = commitment(inquiry, duty)
    told = f"{life.status}, {life.state}"
    return f"{told} (missed {life.missed})" if life.missed else told


def _measure(inquiry: Inquiry, name: str) -> str:
    found = measure_standing(inquiry, name)
    return f"{found.standing} by {found.by_provision}" if found.by_provision else found.standing


def _meaning(inquiry: Inquiry) -> Any:
    """A text without what is words only: provisions by id, what is repealed, suspended and added."""
    text = inquiry.in_force
    provisions = []
    for provision in text.provisions.values():
        kept = provision.model_dump(exclude_defaults=True, exclude=set(_ONLY_WORDS))
        provisions.append((provision.id, _without_quotes(kept)))
    return provisions, dict(text.repealed).keys(), dict(text.suspended), dict(text.since), text.conflicts


def _without_quotes(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_quotes(value) for key, value in node.items() if key not in ("text", "because")}
    return [_without_quotes(value) for value in node] if isinstance(node, list | tuple) else node


def _spread(instants: Sequence[datetime], most: int) -> list[datetime]:
    """At most so many instants, spread evenly, the first and the last among them."""
    if len(instants) <= most:
        return list(instants)
    return [instants[round(n * (len(instants) - 1) / (most - 1))] for n in range(most)]
