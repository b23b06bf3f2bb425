"""What changes did, each in a line: as a consolidation notes it, or by address where nothing is numbered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tallybook.agreement.amendment import NOT_YET, ON_RECEIPT, Change, Commencement
from tallybook.agreement.consolidate import Note
from tallybook.agreement.live import Clock, Timeline
from tallybook.codify.code import HistoryLine, Quotation
from tallybook.codify.wording import flat, known_instrument, listed, local
from tallybook.commitments.moments import first_held
from tallybook.core.time import Moment
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.status import status_of

VERBS = {
    "add": "inserted",
    "insert": "inserted",
    "replace": "substituted",
    "repeal": "repealed",
    "renumber": "renumbered",
    "suspend": "suspended",
    "resume": "resumed",
    "limit": "limited",
    "extend": "extended",
    "interpret": "interpreted",
    "correct": "corrected",
    "postpone": "postponed",
    "restate": "restated",
}
"""The word for each operation, where the instrument uses no other; plainer ones where nothing is numbered."""

_LONGEST_ENTRY = 120
_PLAIN_VERBS = {**VERBS, "add": "added", "replace": "replaced"}


class History:
    """The changes of a case as they stand under a question, and the lines that tell of them."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._others: dict[frozenset[str], Inquiry] = {}
        self.changes: dict[str, Change] = {c.address: c for c in inquiry.agreement.changes if inquiry.is_known(c)}
        self._alterations: dict[str, list[str]] = {}
        for address in inquiry.in_force.applied:
            target = self.changes[address].aim.address
            if target is not None and self.changes[address].op in ("correct", "replace", "postpone"):
                self._alterations.setdefault(target, []).append(address)
        instruments = inquiry.agreement.instruments
        self._timeline = Timeline(
            inquiry.agreement.changes, inquiry.on, Clock(inquiry.read, inquiry.is_known, self._came_true, instruments)
        )

    def _came_true(self, text: str, without: frozenset[str]) -> Moment | None:
        """When a condition on which a change waits first held, without that change: as the engine asks it."""
        if without not in self._others:
            self._others[without] = Inquiry(self._inquiry.case, self._inquiry.question, status_of, without)
        at = first_held(self._others[without], text)
        return None if at is None else Moment(text, at, at)

    def form(self, address: str) -> Change:
        """A change in its present form."""
        return self._timeline.form(self.changes[address])

    def start(self, address: str) -> datetime | None:
        """When a change takes effect: an instant, or None where it has not yet."""
        return self._timeline.start(self.changes[address])

    def line(self, note: Note, provision: Any) -> HistoryLine:
        """The line for one note on a provision."""
        change = self.form(note.address)
        start = self.start(note.address)
        inquiry = self._inquiry
        return HistoryLine(
            text=self._text(change, note, provision, start),
            change=note.address,
            instrument=change.in_,
            op=note.op,
            path=note.path,
            made=change.made,
            since=self._since(change, start),
            at=local(inquiry, start),
            recorded_by=change.recorded_by,
            records=tuple((row, inquiry.view.reports[row].statement) for row in change.recorded_by),
            quotations=quotations(inquiry, change.text, "change"),
            ruling=self.ruling(change),
            in_hand=inquiry.agreement.instruments[change.in_].in_hand,
        )

    def about(self, address: str) -> HistoryLine:
        """The line for a change by itself, whatever it is about."""
        change = self.form(address)
        aim = change.aim
        name = aim.address or aim.name
        provision = self._inquiry.in_force.provisions.get(name) if aim.n is None else None
        return self.line(Note(address, change.op, aim.path), provision if provision is not None else _Named(name))

    def ruling(self, change: Change) -> str:
        """The ruling that a change rests on, once it had been made."""
        it = change.ruling
        if it is None or self._inquiry.read(it.made).last > self._inquiry.question.known:
            return ""
        return f"ruled by {it.by}, {it.made}: {it.says}"

    def _since(self, change: Change, start: datetime | None) -> str:
        effective = change.effective or self._inquiry.in_force.commencements.get(change.in_) or change.made
        if isinstance(effective, str) and effective not in (NOT_YET, ON_RECEIPT):
            return effective
        return self._inquiry.show(start) if start is not None else ""

    def _text(self, change: Change, note: Note, provision: Any, start: datetime | None) -> str:
        numbered = bool(provision.unit or provision.number)
        put_in = change.op == "limit" and provision.id != change.aim.name and not note.path
        op = "add" if put_in else note.op
        verb = change.verb or (VERBS if numbered else _PLAIN_VERBS)[op]
        reading = f" under the reading {change.reading}" if change.reading else ""
        until = f" until {change.until}" if change.until else ""
        by = self._by(change, start, numbered=numbered)
        altered = self._altered(change, numbered=numbered)
        return f"{_subject(note, change, provision, numbered)} {verb}{reading}{until} by {by}{altered}"

    def _by(self, change: Change, start: datetime | None, *, numbered: bool) -> str:
        instrument = self._inquiry.agreement.instruments[change.in_]
        if numbered:
            return f"{change.clause} of {instrument.name}" if change.clause else instrument.name
        parts = [f"change {change.address} of {instrument.name}"]
        if change.clause:
            parts[0] = f"change {change.address}, {change.clause} of {instrument.name}"
        parts.append(f"made {change.made}")
        if since := self._since(change, start):
            parts.append(f"in effect from {since}")
        if change.recorded_by:
            parts.append(f"recorded by {listed(change.recorded_by)}")
        return ", ".join(parts)

    def _altered(self, change: Change, *, numbered: bool) -> str:
        """Which changes have altered a change."""
        others = self._alterations.get(change.address)
        if others and numbered and all(self.changes[address].op == "correct" for address in others):
            names = [self._inquiry.agreement.instruments[self.changes[address].in_].name for address in others]
            return f" (as corrected by {listed(tuple(dict.fromkeys(names)))})"
        return f", as altered by {listed(others)}" if others else ""

    def undone(self, address: str, by: str) -> str:
        """A change and the repeal of it in one line, as a consolidation notes it; blank where nothing is numbered."""
        change, repeal = self.form(address), self.changes[by]
        provision = self._inquiry.in_force.provisions.get(change.aim.name)
        started, stopped = self.start(address), self.start(by)
        if provision is None or not (provision.unit or provision.number) or started is None or stopped is None:
            return ""
        when = "retroactively" if stopped <= started else "subsequently"
        told = self._text(change, Note(address, change.op, change.aim.path), provision, started)
        return f"{told} ({when} repealed by {self._by(repeal, stopped, numbered=True)})"

    def waits_for(self, address: str) -> str:
        """What a change that has not taken effect waits for, in words."""
        change = self.form(address)
        effective = change.effective or self._timeline.commencement_of(change.in_) or change.made
        if isinstance(effective, Commencement):
            return f"until `{effective.when}` first holds"
        if effective == NOT_YET:
            return "no day is set; a later change must say when"
        if effective == ON_RECEIPT:
            return "until everybody it is addressed to has received it"
        return f"its day, {effective}, has not come"


class _Named:
    """Something that is no provision: a change or an instrument, as the target of a change."""

    unit = number = ""
    parts: tuple[Any, ...] = ()

    def __init__(self, name: str) -> None:
        self.id = name


def _subject(note: Note, change: Change, provision: Any, numbered: bool) -> str:
    """What was changed: a numbered unit, or an address."""
    if not numbered:
        path = "".join(f".{name}" for name in note.path)
        what = f"{_entry(change)} in " if change.op == "insert" and note.path else ""
        former = f" (formerly @{note.formerly})" if note.formerly else ""
        return f"{what}@{provision.id}{path}{former}"
    named = _unit(provision.unit or "section", provision.number or provision.id)
    if note.formerly:
        return f"{named} (@{provision.id}, formerly @{note.formerly})"
    part, rest = (note.part, _beyond(note.path)) if note.part else _part(provision.parts, note.path, change)
    if part is not None:
        named = part
    return f"{named} ({'.'.join(rest)})" if rest else named


def _beyond(path: tuple[str, ...]) -> tuple[str, ...]:
    """What of a path lies inside the innermost numbered part."""
    while path[:1] == ("parts",):
        path = path[2:]
    return path


def _entry(change: Change) -> str:
    """What an insertion puts in, in a few words."""
    value = change.value
    if isinstance(value, dict) and not set(value) & {"all", "any"}:
        return str(next((value[key] for key in ("id", "item", "reading", "to") if key in value), "an entry"))
    told = flat(value)
    return told if len(told) <= _LONGEST_ENTRY else "an entry"


def _part(parts: Iterable[Any], path: tuple[str, ...], change: Change) -> tuple[str | None, tuple[str, ...]]:
    """The innermost numbered part that a path leads to, and what is left of the path."""
    found: str | None = None
    rest = path
    while rest[:1] == ("parts",):
        if len(rest) == 1:
            value = change.value if isinstance(change.value, dict) else {}
            number = str(value.get("number") or value.get("id") or "")
            return _unit(str(value.get("unit") or "paragraph"), number), ()
        part = next((p for p in parts if p.id == rest[1]), None)
        if part is None:
            return _unit("paragraph", rest[1]), rest[2:]
        found, parts, rest = _unit(part.unit, part.number or part.id), part.parts, rest[2:]
    return found, rest


def _unit(unit: str, number: str) -> str:
    return f"{unit} {number}".strip()


def quotations(inquiry: Inquiry, text: dict[str, list[str]], role: str = "words") -> tuple[Quotation, ...]:
    """The quotations under a key, from instruments that were known, each with where it was read."""
    out = []
    for name, words in inquiry.quotes(text):
        it = inquiry.agreement.instruments[name]
        read_in = it.read_in if it.in_hand == "quoted" and it.read_in and known_instrument(inquiry, it.read_in) else ""
        out.append(Quotation(name, it.name, words, read_in, role))
    return tuple(out)
