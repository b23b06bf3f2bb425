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

    def __init__(self, agreement: Agreement, view: View, read: Callable[[str], Moment]) -> None:
        self._view = view
        self._rows = {name: view.of_measure(name) for name in agreement.measures}
        self._by_atom: dict[Atom, list[Entry]] = {}
        for entry in [*self._facts(agreement, read), *self._acceptances(agreement, read)]:
            self._by_atom.setdefault(entry.atom, []).append(entry)
        self._states: dict[Atom, list[StateFact]] = {}
        for state in agreement.states:
            self._states.setdefault(atom_of(state.atom), []).append(state)

    def _facts(self, agreement: Agreement, read: Callable[[str], Moment]) -> Iterable[Entry]:
        for fact in agreement.facts:
            starts = read(fact.from_)
            if read(fact.known or fact.from_).last > self._view.known:
                continue
            if any(row not in self._view.reports for row in fact.recorded_by):
                continue
            ends = read(fact.until) if fact.until else None
            if ends is not None and ends.last > self._view.known:
                ends = None
            reason = ", ".join(fact.recorded_by) or "; ".join(f"{k}: {v[0]}" for k, v in fact.text.items())
            yield Entry(atom_of(fact.atom), fact.value, starts, ends, f"{fact.atom} from {fact.from_} ({reason})")

    def _acceptances(self, agreement: Agreement, read: Callable[[str], Moment]) -> Iterable[Entry]:
        for name, instrument in agreement.instruments.items():
            made = instrument.made
            if instrument.accepts and made and read(instrument.known or made).last <= self._view.known:
                atom = Atom("accepted", (("0", instrument.accepts), ("by", name)))
                yield Entry(atom, True, read(made), None, f"{instrument.name} of {made} accepts {instrument.accepts}")

    def entries(self) -> list[dict[str, str | bool]]:
        """Every event and state on record, for the receipt."""
        return [
            {"atom": str(e.atom), "value": e.value, "from": e.starts.text, "until": e.ends.text if e.ends else ""}
            for entries in self._by_atom.values()
            for e in entries
        ]

    def grounds(self, atom: Atom) -> Sequence[StateFact]:
        """States that hold while a measure is in a state, or while a condition holds."""
        return self._states.get(atom, ())

    def holds(self, atom: Atom, at: datetime) -> Finding:
        """Whether an event or state holds at an instant. What is not recorded is unknown, never false."""
        verdicts: list[Finding] = []
        for entry in self._by_atom.get(atom, ()):
            if entry.starts.last <= at and (entry.ends is None or at < entry.ends.last):
                verdicts.append(Finding(Truth.of(entry.value), (entry.reason,)))
            elif entry.ends is not None and entry.ends.last <= at:
                verdicts.append(Finding(Truth.of(not entry.value), (f"{entry.reason}, ended {entry.ends.text}",)))
            elif entry.starts.first <= at:
                verdicts.append(Finding(Truth.UNKNOWN, (f"{entry.reason}, at some time of that day",)))
        for state in self._states.get(atom, ()):
            if state.measure:
                verdicts.append(self._by_measure(state, at))
        for truth in (Truth.TRUE, Truth.FALSE):
            found = [v for v in verdicts if v.truth is truth]
            if found:
                waits = (str(atom),) if truth is Truth.FALSE else ()
                return Finding(truth, tuple(r for v in found for r in v.reasons), waits)
        return Finding(Truth.UNKNOWN, (f"nothing on record says {atom}",), (str(atom),))

    def _by_measure(self, state: StateFact, at: datetime) -> Finding:
        current = self.measure(state.measure or "", at)
        if current is None:
            return Finding(Truth.UNKNOWN, (f"{state.measure} is not on record",))
        reason = f"{state.measure} is {current.state} ({current.row.id})"
        return Finding(Truth.of(current.state in state.states), (reason,))

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
