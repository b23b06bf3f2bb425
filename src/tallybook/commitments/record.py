"""What is on record: events and states that conditions ask for, and the state of each measure, as known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.claim import StateFact
from tallybook.agreement.language import atom_of
from tallybook.agreement.situation import Atom
from tallybook.core.time import Moment
from tallybook.core.truth import Finding, Truth
from tallybook.evidence.file import View
from tallybook.evidence.report import Report


@dataclass(frozen=True, slots=True)
class Entry:
    """An event or state from `starts` until just before `ends` (None: not known to have ended)."""

    atom: Atom
    value: bool
    starts: Moment
    ends: Moment | None
    reason: str
    number: float | None = None
    rows: tuple[str, ...] = ()
    quotes: tuple[tuple[str, str], ...] = ()

    def is_so(self, at: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.starts.last <= at and (self.ends is None or at < self.ends.last)


@dataclass(frozen=True, slots=True)
class Ground:
    """What an event or state rests on besides facts: a measure's states or a condition, and what its variables stand for."""

    state: StateFact
    scope: dict[str, str]


@dataclass(frozen=True, slots=True)
class MeasureState:
    """The state that a measure is in, the row that says so, and whether that state has run out."""

    row: Report
    ended: bool

    @property
    def state(self) -> str:
        """The state in the case's word."""
        return "ended" if self.ended else self.row.state


class Record:
    """Facts and measures as they stood at a known time."""

    def __init__(
        self,
        agreement: Agreement,
        view: View,
        read: Callable[[str], Moment],
        sees: Callable[[Sequence[str], str | None], bool] = lambda _known_to, _instrument: True,
    ) -> None:
        self._view, self._sees = view, sees
        self._rows = {name: view.of_measure(name) for name in agreement.measures}
        self._by_atom: dict[Atom, list[Entry]] = {}
        self._complete = frozenset(agreement.vocabulary.complete)
        for entry in [*self._facts(agreement, read), *self._acceptances(agreement, read), *self._receipts(agreement, read)]:
            self._by_atom.setdefault(entry.atom, []).append(entry)
        self._states: dict[Atom, list[StateFact]] = {}
        self._patterns: list[tuple[Atom, StateFact]] = []
        for state in agreement.states:
            atom = atom_of(state.atom)
            if any(value.startswith("?") for _, value in atom.args):
                self._patterns.append((atom, state))
            else:
                self._states.setdefault(atom, []).append(state)

    def _facts(self, agreement: Agreement, read: Callable[[str], Moment]) -> Iterable[Entry]:
        for fact in agreement.facts:
            starts = read(fact.from_)
            if read(fact.known or fact.from_).last > self._view.known:
                continue
            if any(row not in self._view.reports for row in fact.recorded_by):
                continue
            if not fact.recorded_by and not any(self._sees(fact.known_to, name) for name in fact.text):
                continue
            ends = read(fact.until) if fact.until else None
            if ends is not None and ends.last > self._view.known:
                ends = None
            reason = ", ".join(fact.recorded_by) or "; ".join(f"{k}: {v[0]}" for k, v in fact.text.items())
            told = f"{fact.atom} from {fact.from_} ({reason})"
            quotes = tuple((name, words) for name, several in fact.text.items() for words in several)
            yield Entry(atom_of(fact.atom), fact.value, starts, ends, told, fact.number, tuple(fact.recorded_by), quotes)

    def _acceptances(self, agreement: Agreement, read: Callable[[str], Moment]) -> Iterable[Entry]:
        for name, instrument in agreement.instruments.items():
            made = instrument.made
            if instrument.accepts and made and self._sees((), name) and read(instrument.known or made).last <= self._view.known:
                atom = Atom("accepted", (("0", instrument.accepts), ("by", name)))
                yield Entry(atom, True, read(made), None, f"{instrument.name} of {made} accepts {instrument.accepts}")

    def _receipts(self, agreement: Agreement, read: Callable[[str], Moment]) -> Iterable[Entry]:
        for name, instrument in agreement.instruments.items():
            for party, day in instrument.received.items():
                if read(day).last <= self._view.known and self._sees((), name):
                    atom = Atom("received", (("0", name), ("by", party)))
                    yield Entry(atom, True, read(day), None, f"{party} received {instrument.name} on {day}")

    def entries(self) -> list[dict[str, str | bool | float]]:
        """Every event and state on record, for the receipt."""
        out: list[dict[str, str | bool | float]] = []
        for entry in (e for entries in self._by_atom.values() for e in entries):
            until = entry.ends.text if entry.ends else ""
            out.append({"atom": str(entry.atom), "value": entry.value, "from": entry.starts.text, "until": until})
            if entry.number is not None:
                out[-1]["number"] = entry.number
        return out

    def grounds(self, atom: Atom) -> Sequence[Ground]:
        """States that hold while a measure is in a state, or while a condition holds."""
        found = [Ground(state, {}) for state in self._states.get(atom, ())]
        for pattern, state in self._patterns:
            scope = _matched(pattern, atom)
            if scope is not None:
                found.append(Ground(state, scope))
        return found

    def known_of(self, atom: Atom) -> Sequence[Entry]:
        """The entries on record of one event or state."""
        return self._by_atom.get(atom, ())

    def about(self, name: str, first: str, at: datetime) -> list[Entry]:
        """What is so at an instant of events of that name whose first argument is `first`, the oldest first."""
        found = [
            entry
            for atom, entries in self._by_atom.items()
            if atom.name == name and ("0", first) in atom.args
            for entry in entries
            if entry.value and entry.is_so(at)
        ]
        return sorted(found, key=lambda entry: entry.starts.last)

    def amount(self, atom: Atom, at: datetime) -> tuple[float, float]:
        """Between what bounds the number of an event or state lies: the latest on record, or anything."""
        found = [e for e in self._by_atom.get(atom, ()) if e.number is not None and e.is_so(at)]
        if not found:
            return float("-inf"), float("inf")
        number = max(found, key=lambda e: e.starts.last).number or 0.0
        return number, number

    def holds(self, atom: Atom, at: datetime) -> Finding:
        """Whether an event or state holds at an instant. What is not recorded is unknown, never false."""
        verdicts: list[Finding] = []
        for entry in self._by_atom.get(atom, ()):
            if entry.is_so(at):
                verdicts.append(Finding(Truth.of(entry.value), (entry.reason,)))
            elif entry.ends is not None and entry.ends.last <= at:
                verdicts.append(Finding(Truth.of(not entry.value), (f"{entry.reason}, ended {entry.ends.text}",)))
            elif entry.starts.first <= at:
                verdicts.append(Finding(Truth.UNKNOWN, (f"{entry.reason}, at some time of that day",)))
        for ground in self.grounds(atom):
            if ground.state.measure:
                verdicts.append(self._by_measure(ground.state, at))
        for truth in (Truth.TRUE, Truth.FALSE):
            found = [v for v in verdicts if v.truth is truth]
            if found:
                waits = (str(atom),) if truth is Truth.FALSE else ()
                return Finding(truth, tuple(r for v in found for r in v.reasons), waits)
        if atom.name in self._complete and not verdicts:
            return Finding(Truth.FALSE, (f"every {atom.name} is on record, and {atom} is not",), (str(atom),))
        return Finding(Truth.UNKNOWN, (f"nothing on record says {atom}",), (str(atom),))

    def _by_measure(self, state: StateFact, at: datetime) -> Finding:
        current = self.measure(state.measure or "", at)
        if current is None:
            return Finding(Truth.UNKNOWN, (f"{state.measure} is not on record",))
        reason = f"{state.measure} is {current.state} ({current.row.id})"
        return Finding(Truth.of(current.state in state.states), (reason,))

    def starts_of(self, name: str, states: Sequence[str], at: datetime) -> list[datetime]:
        """When a measure came into one of some states, up to an instant."""
        found, before = [], False
        for row in self.history(name, at):
            now = row.state in states
            if now and not before:
                found.append(row.starts.last)
            before = now
        return found

    def measure(self, name: str, at: datetime) -> MeasureState | None:
        """The state that a measure is in at an instant, or None where none is on record by then."""
        begun = [row for row in self._rows.get(name, ()) if row.starts.last <= at]
        if not begun:
            return None
        row = begun[-1]
        limit = min(at, self._view.known)
        return MeasureState(row, row.until is not None and row.until.last <= limit)

    def history(self, name: str, at: datetime) -> list[Report]:
        """Every state that a measure has been in by an instant, oldest first."""
        return [row for row in self._rows.get(name, ()) if row.starts.last <= at]

    def changes(self, start: datetime | None, end: datetime) -> list[datetime]:
        """Every instant in [start, end] at which an event, state or measure may change."""
        marks: set[datetime] = set()
        for entries in self._by_atom.values():
            for entry in entries:
                for edge in (entry.starts, entry.ends):
                    marks |= {edge.first, edge.last} if edge else set()
        for rows in self._rows.values():
            for row in rows:
                marks.add(row.starts.last)
                if row.until and row.until.last <= self._view.known:
                    marks.add(row.until.last)
        return sorted(m for m in marks if m <= end and (start is None or m >= start))


def _matched(pattern: Atom, atom: Atom) -> dict[str, str] | None:
    """What the variables of a pattern stand for in an atom, or None where it does not fit."""
    if pattern.name != atom.name or [key for key, _ in pattern.args] != [key for key, _ in atom.args]:
        return None
    scope: dict[str, str] = {}
    for (_, wanted), (_, given) in zip(pattern.args, atom.args, strict=True):
        if wanted.startswith("?"):
            if scope.setdefault(wanted, given) != given:
                return None
        elif wanted != given:
            return None
    return scope
