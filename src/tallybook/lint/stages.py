"""The agreement as it stands at every instant that its changes lead through, and where each part of it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from tallybook.agreement.amendment import Change, Commencement
from tallybook.agreement.change import ChangeError, InForce
from tallybook.agreement.load import FILE
from tallybook.agreement.yamltext import Path
from tallybook.core.time import MomentError
from tallybook.lint.conditions import Kept
from tallybook.lint.finding import LintFinding, Severity
from tallybook.verdicts.inquiry import PLAIN, Case, Inquiry, Question
from tallybook.verdicts.status import status_of

SECOND = timedelta(seconds=1)
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Stage:
    """The text between two changes of it, from `since`. `supposed`: as if every change that still waits had taken effect."""

    inquiry: Inquiry
    since: datetime
    supposed: bool = False

    @property
    def at(self) -> datetime:
        """The instant at which the text is looked at."""
        return self.inquiry.on

    @property
    def in_force(self) -> InForce:
        """The provisions as they stand."""
        return self.inquiry.in_force

    @cached_property
    def live(self) -> list[Any]:
        """Provisions enacted, not repealed, and with a term that is not over."""
        return [p for p in self.in_force.provisions.values() if self.is_live(p)]

    def is_live(self, provision: Any) -> bool:
        """Whether a provision has been made and is not repealed or over."""
        over = provision.until and self.inquiry.read(provision.until).last < self.at
        return self.inquiry.enacted(provision) and provision.id not in self.in_force.repealed and not over


class Walk:
    """A case, the stages of its text up to `end`, and what could not be put into the text on the way."""

    def __init__(self, case: Case, line_of: Callable[[Path], int], end: datetime) -> None:
        self.case, self.end, self._line_of = case, end, line_of
        self.broken: list[LintFinding] = []
        self.kept: Kept = {}
        self._provisions = {p.id: n for n, p in enumerate(case.agreement.provisions)}
        self._changes = {c.address: n for n, c in enumerate(case.agreement.changes)}
        self.stages = list(self._stages())

    @cached_property
    def ever(self) -> frozenset[str]:
        """Every id under which a provision stands at some stage."""
        return frozenset(name for stage in self.stages for name in stage.in_force.provisions)

    @property
    def last(self) -> Stage:
        """The text at the end of what is on file."""
        return next(stage for stage in reversed(self.stages) if not stage.supposed)

    def _stages(self) -> Iterator[Stage]:
        """Each text is looked at when its time is over, so that what came of it is seen."""
        found: list[Stage] = []
        before: tuple[Any, ...] | None = None
        for at in self._instants():
            stage = self._stage(self.case, at)
            if stage is None:
                continue
            text = stage.in_force
            enacted = tuple(p.id for p in text.provisions.values() if stage.is_live(p))
            now = (text.applied, tuple(text.repealed), tuple(text.conflicts), enacted)
            if now != before:
                before = now
                found.append(stage)
        if not found:
            plain = replace(self.case, agreement=self.case.agreement.model_copy(update={"changes": []}))
            found.append(Stage(Inquiry(plain, Question(self.end, self.end), status_of), self.end))
        for n, stage in enumerate(found):
            last = found[n + 1].since - SECOND if n + 1 < len(found) else self.end
            yield replace(stage, inquiry=stage.inquiry.at(max(last, stage.since)))
        waiting = _supposed(self.case, self.end)
        if waiting is not None and (supposed := self._stage(waiting, self.end + SECOND, supposed=True)) is not None:
            yield supposed

    def _stage(self, case: Case, at: datetime, *, supposed: bool = False) -> Stage | None:
        inquiry = Inquiry(case, Question(at, max(at, self.end)), status_of)
        try:
            _ = inquiry.in_force
        except (ChangeError, ValidationError, MomentError, RecursionError) as error:
            told = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error).splitlines()[0]
            address = next((a for a in self._changes if told.startswith(a)), "")
            when = "once every change that waits has taken effect" if supposed else f"on {inquiry.show(at)}"
            what = f"{told} ({when})"
            do = "correct the target, or the order of changes"
            severity: Severity = "warning" if supposed else "error"
            self.broken.append(self.at_change("misfit", severity, address, "", what, do))
            return None
        return Stage(inquiry, at, supposed)

    def _instants(self) -> list[datetime]:
        """Every instant up to the end at which the text may change, and the end."""
        inquiry = Inquiry(self.case, Question(self.end, self.end), status_of)
        found = {self.end}
        for text in _dates(self.case):
            try:
                found.add(inquiry.read(text).last)
            except MomentError:
                continue
        if any(isinstance(e, Commencement) for e in _effectives(self.case)):
            found |= set(inquiry.instants())
        spans = {at + SECOND for at in found}
        return sorted(at for at in found | spans if at <= self.end)

    def at_path(self, rule: str, severity: Severity, path: Path, address: str, what: str, do: str) -> LintFinding:
        """A finding about a place in the file."""
        return LintFinding(rule, severity, FILE, self._line_of(path), address, what, do)

    def at_change(self, rule: str, severity: Severity, address: str, key: str, what: str, do: str) -> LintFinding:
        """A finding about a change."""
        path: Path = ("changes", self._changes[address], key) if address in self._changes else ("changes",)
        return self.at_path(rule, severity, path, address or "changes", what, do)

    def at_provision(
        self, stage: Stage, provision: Any, key: str, rule: str, severity: Severity, what: str, do: str
    ) -> LintFinding:
        """A finding about a key of a provision, at the line where that key was written: in the text, or in a change to it."""
        name = provision.id
        address = f"@{name}.{key}" if key else f"@{name}"
        for note in reversed(stage.in_force.notes.get(name, ())):
            if note.op not in ("renumber", "suspend", "resume") and (not note.path or not key or note.path[0] == key):
                path: Path = ("changes", self._changes.get(note.address, 0), "value", *((key,) if not note.path else ()))
                return self.at_path(rule, severity, path, address, what, do)
        for note in reversed(stage.in_force.notes.get(name, ())):
            if note.op == "renumber" and note.formerly in self._provisions:
                name = note.formerly
        if name in self._provisions:
            return self.at_path(rule, severity, ("provisions", self._provisions[name], key), address, what, do)
        return self.at_path(rule, severity, ("provisions",), address, what, do)


def end_of(case: Case) -> datetime:
    """A day after the last instant that anything on file speaks of: changes, facts, reports, instruments, the default date."""
    agreement = case.agreement
    inquiry = Inquiry(case, Question(EARLIEST, EARLIEST), status_of)
    texts = [agreement.default_as_of, *_dates(case)]
    for fact in agreement.facts:
        texts += [text for text in (fact.from_, fact.until, fact.known) if text]
    found = [edge for report in case.evidence.reports.values() for edge in (report.known.last, report.ends.last)]
    for text in texts:
        try:
            found.append(inquiry.read(text).last)
        except MomentError:
            continue
    return max(found) + timedelta(days=1)


def _effectives(case: Case) -> list[Any]:
    agreement = case.agreement
    put_off = [c.value for c in agreement.changes if c.op == "postpone"]
    moved = [Commencement(when=value["when"]) if isinstance(value, dict) else value for value in put_off]
    return [*(c.effective for c in agreement.changes), *(i.effective for i in agreement.instruments.values()), *moved]


def _dates(case: Case) -> list[str]:
    """Every date of the text: of changes, of instruments, of the terms of provisions. Words that are none are among them."""
    agreement = case.agreement
    found: list[Any] = [text for c in agreement.changes for text in (c.made, c.known, c.until)]
    found += [text for i in agreement.instruments.values() for text in (i.made, i.known, *i.received.values())]
    found += [text for p in agreement.provisions for text in (p.from_, p.until)]
    found += _effectives(case)
    return [str(text) for text in found if isinstance(text, str | int)]


def _supposed(case: Case, end: datetime) -> Case | None:
    """The case as if all that waits for a condition, a receipt or a later word had taken effect; None where nothing waits."""
    inquiry = Inquiry(case, Question(end, end), status_of)
    day = inquiry.show(end)

    def settled(effective: Any) -> bool:
        return effective is None or (isinstance(effective, str) and effective[:1].isdigit())

    agreement = case.agreement
    if all(settled(e) for e in _effectives(case)):
        return None
    changes = [c if settled(c.effective) else c.model_copy(update={"effective": day}) for c in agreement.changes if _is_kept(c)]
    instruments = {
        name: i if settled(i.effective) else i.model_copy(update={"effective": day}) for name, i in agreement.instruments.items()
    }
    return replace(case, agreement=agreement.model_copy(update={"changes": changes, "instruments": instruments}))


def _is_kept(change: Change) -> bool:
    """A change that puts another off for a condition has nothing to put off where all is supposed to have come."""
    return change.op != "postpone" or (isinstance(change.value, str | int) and str(change.value)[:1].isdigit())


def readings_of(case: Case) -> list[str]:
    """The plain reading and every named one."""
    return [PLAIN, *(name for name in case.agreement.readings if name != PLAIN)]
