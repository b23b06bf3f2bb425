"""The board: every line, duty, thing owed and measure under one question, with the receipt of what was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tallybook.agreement.claim import Line
from tallybook.agreement.provision import Duty
from tallybook.commitments.commitment import (
    BREACHED,
    IN_FORCE,
    NOT_ENACTED,
    NOT_IN_FORCE,
    NOT_YET_OWED,
    OVERDUE,
    OWED,
    PENDING,
    PERFORMED,
    SUSPENDED,
    WITHHELD,
    Commitment,
    commitment,
)
from tallybook.commitments.ending import agreement_status
from tallybook.commitments.measures import MeasureStanding, measure_standing
from tallybook.commitments.powers import powers, uses
from tallybook.core.canonical import digest
from tallybook.core.time import written
from tallybook.holdings.summary import Summary
from tallybook.verdicts.combine import DutyVerdict, duty_verdict
from tallybook.verdicts.finding import MOST_CITED, Finding, find
from tallybook.verdicts.inquiry import EVERYONE, PLAIN, Inquiry
from tallybook.verdicts.marked import portion_of, whole_banner
from tallybook.verdicts.reviewed import receipt_rows
from tallybook.verdicts.sentences import said

_QUOTED = ("text", "because", "covers")


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A line of the board: a finding on a claim, or the standing of a measure."""

    line: Line
    title: str
    finding: Finding | None
    measure: MeasureStanding | None
    portion: str = ""

    @property
    def shown(self) -> str:
        """The verdict word, or the state."""
        if self.finding is not None:
            return self.finding.verdict.value if self.finding.verdict else self.finding.state
        current = self.measure.current if self.measure else None
        return current.state if current else "no state on record"

    @property
    def label(self) -> str:
        """The same for people: a state in the words of the agreement."""
        return self.measure.label if self.measure and self.measure.current else self.shown


@dataclass(frozen=True, slots=True)
class OwedDuty:
    """A duty with the verdict on it and its life."""

    verdict: DutyVerdict
    life: Commitment


@dataclass(frozen=True, slots=True)
class Board:
    """The board under one question."""

    inquiry: Inquiry
    lines: tuple[BoardLine, ...]
    duties: tuple[OwedDuty, ...]
    measures: tuple[MeasureStanding, ...]
    engine: str

    def line(self, name: str) -> BoardLine | None:
        """The line of that id."""
        return next((line for line in self.lines if line.line.id == name), None)


def draw_board(inquiry: Inquiry, engine: str) -> Board:
    """Answer every line, duty and measure under one question."""
    agreement = inquiry.agreement
    lines = tuple(board_line(inquiry, line) for line in agreement.board)
    duties = []
    for provision in inquiry.in_force.provisions.values():
        if isinstance(provision, Duty) and inquiry.enacted(provision):
            verdict = duty_verdict(inquiry, provision)
            duties.append(OwedDuty(verdict, commitment(inquiry, provision)))
    measures = tuple(measure_standing(inquiry, name) for name in agreement.measures)
    return Board(inquiry, lines, tuple(duties), measures, engine)


def board_line(inquiry: Inquiry, line: Line) -> BoardLine:
    """One line of the board."""
    if line.claim:
        claim = inquiry.agreement.claim(line.claim)
        assert claim is not None  # checked when the case was loaded
        finding = find(inquiry, claim)
        return BoardLine(line, line.title or claim.title, finding, None, _portion(inquiry, finding))
    name = line.measure or ""
    standing = measure_standing(inquiry, name)
    portion = portion_of(inquiry, standing.reports)
    return BoardLine(line, line.title or inquiry.agreement.measures[name].title, None, standing, portion)


def _portion(inquiry: Inquiry, finding: Finding) -> str:
    """The portion mark of a finding: of all that was weighed for it, and of what its explanation ends in."""
    if inquiry.case.markings is None:
        return ""
    from tallybook.verdicts.because import explain

    return portion_of(inquiry, [weighed.report.id for weighed in finding.weighed], [explain(inquiry, finding)])


def board_json(board: Board) -> dict[str, Any]:
    """The board as the contract of the command line has it (design section 13); fields may be added, never renamed."""
    inquiry = board.inquiry
    question, tz = inquiry.question, inquiry.case.tz
    return {
        "case": inquiry.case.name,
        "on": written(question.on, tz),
        "known": written(question.known, tz),
        "reader": question.reader,
        "basis": basis(inquiry),
        "marking": whole_banner(inquiry) or None,
        "reading": question.reading,
        "side": question.side or None,
        "lines": [_line_json(line) for line in board.lines],
        "duties": [_duty_json(duty) for duty in board.duties if duty.life.status not in (NOT_ENACTED, NOT_IN_FORCE)],
        "owed": owed_json(inquiry, board.duties),
        "measures": [_measure_json(m) for m in board.measures if m.current is not None],
        "courses": [],
        "agreement": agreement_json(inquiry),
        "without_effect": without_effect(inquiry),
        "changes_applied": list(inquiry.in_force.applied),
        "conflicts": [{"target": c.target, "changes": list(c.changes)} for c in inquiry.in_force.conflicts],
        "receipt": receipt(board),
    }


def basis(inquiry: Inquiry) -> str | None:
    """On what an answer rests that was made for a reader; None for everyone cleared."""
    reader = inquiry.question.reader
    return None if reader == EVERYONE else f"on what {reader} may see"


def agreement_json(inquiry: Inquiry) -> dict[str, Any]:
    """The state of the agreement as a whole."""
    found = agreement_status(inquiry)
    return {"status": found.status, "since": found.since or None, "because": list(found.reasons)}


def without_effect(inquiry: Inquiry) -> list[dict[str, str]]:
    """Uses of powers that had no effect, with why."""
    return [
        {"power": f"@{power.id}", "at": inquiry.show(use.at), "because": use.fault}
        for power in powers(inquiry)
        for use in uses(inquiry, power)
        if use.fault
    ]


def _line_json(line: BoardLine) -> dict[str, Any]:
    if line.finding is not None:
        return {"id": line.line.id, "title": line.title, "marking": line.portion or None, **finding_json(line.finding)}
    m = line.measure
    assert m is not None
    return {
        "id": line.line.id,
        "title": line.title,
        "marking": line.portion or None,
        "verdict": None,
        "state": m.current.state if m.current else None,
        "words": m.words,
        "standing": m.standing,
        "by_provision": m.by_provision,
        "owed": m.owed,
        "evidence": None,
        "standard": None,
        "means": [],
        "quantity": None,
        "supporting": list(m.reports[:MOST_CITED]),
        "against": [],
        "would_change": [],
    }


def finding_json(finding: Finding, most: int | None = MOST_CITED) -> dict[str, Any]:
    """A finding on a claim as JSON; at most `most` ids a side."""
    needed = finding.requirement
    out: dict[str, Any] = {
        "verdict": finding.verdict.value if finding.verdict else None,
        "state": finding.state or None,
        "about": finding.about,
        "claim": finding.claim.says,
        "words": said(finding),
        "evidence": {"for": finding.for_.bounds.as_list(), "against": finding.against.bounds.as_list()},
        "sides": {"for": finding.for_.strength.value, "against": finding.against.strength.value},
        "standard": {
            "name": needed.name if needed else "good evidence",
            "at_least": needed.at_least if needed else finding.good_evidence,
            "methods_met": list(finding.methods.met),
            "methods_missing": list(finding.methods.missing),
            "methods_in_part": list(finding.methods.in_part),
        },
        "means": list(finding.means),
        "quantity": _quantity_json(finding),
        "coverage": _coverage_json(finding),
        "readings": finding.readings,
        "sensitivity": finding.sensitivity,
        "supporting": finding.ids("for", most),
        "against": finding.ids("against", most),
        "would_change": list(finding.would_change),
    }
    if finding.unreviewed:
        out["unreviewed"] = [{"report": name, "of": list(what)} for name, what in finding.unreviewed.items()]
    if finding.dissent:
        out["dissent"] = [dissent.as_json() for dissent in finding.dissent]
    return out


def _quantity_json(finding: Finding) -> dict[str, Any] | None:
    books: Summary | None = finding.account
    if books is None or finding.claim.quantity is None:
        return None
    return {
        "item": finding.claim.quantity.item,
        "declared": _number(books.declared),
        "removed": [_number(v) for v in books.removed],
        "remaining": [_number(v) for v in books.remaining] if books.remaining else None,
        "p_none_left": books.p_none_left,
        "correctness": finding.correctness.value if finding.correctness else None,
        "completeness": finding.completeness.value if finding.completeness else None,
    }


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and float(value).is_integer() else value


def _coverage_json(finding: Finding) -> dict[str, Any] | None:
    c = finding.coverage
    if c is None:
        return None
    gaps = [{"place": gap.place, "from": gap.start, "to": gap.end} for gap in c.gaps]
    return {"looked": list(c.looked), "partly": list(c.partly), "not_looked": list(c.not_looked), "gaps": gaps}


def _duty_json(item: OwedDuty) -> dict[str, Any]:
    duty = item.verdict.duty
    items = [
        {
            "item": f.claim.item,
            "claim": f.claim.id,
            "verdict": f.verdict.value if f.verdict else None,
            "state": f.state or None,
            "words": said(f),
            "quantity": _quantity_json(f),
            "supporting": f.ids("for", MOST_CITED),
            "against": f.ids("against", MOST_CITED),
        }
        for f in item.verdict.findings
    ]
    return {
        "id": duty.id,
        "status": item.life.status,
        "verdict": item.verdict.word or None,
        "owed_by": item.life.roles.by,
        "owed_to": item.life.roles.to,
        "performer": item.life.roles.performer,
        "kind": item.life.kind,
        "state": item.life.state,
        "items": items,
        "because": list(item.life.reasons),
        "missed": item.life.missed or None,
        "done_since": item.life.done_since or None,
        "late": item.life.late,
        "kept": _kept_json(item),
        "remark": item.life.remark or None,
    }


def _kept_json(item: OwedDuty) -> dict[str, Any] | None:
    """Of a duty to maintain: whether it was kept so far, up to when, and where and when nobody looked."""
    kept = item.verdict.kept
    if kept is None:
        return None
    return {
        "so_far": kept.so_far,
        "up_to": kept.up_to,
        "broken_since": item.life.missed or None,
        "gaps": [{"place": gap.place, "from": gap.start, "to": gap.end} for gap in kept.gaps],
    }


def owed_json(inquiry: Inquiry, duties: Sequence[OwedDuty], everything: bool = False) -> list[dict[str, Any]]:
    """What is still owed: who, to whom, by when, on what condition, and what that condition waits for.

    Duties that are performed, waived or released are left out unless `everything`.
    """
    out = []
    for item in duties:
        life, duty = item.life, item.verdict.duty
        live = life.status in (PENDING, IN_FORCE, SUSPENDED, PERFORMED)
        open_still = life.state in (NOT_YET_OWED, OWED, OVERDUE, BREACHED, WITHHELD)
        if live and (everything or open_still):
            out.append(
                {
                    "id": duty.id,
                    "state": life.state,
                    "by": life.roles.by,
                    "to": life.roles.to,
                    "performer": life.roles.performer,
                    "waits_for": list(life.waits_for),
                    "kind": life.kind,
                    "due": life.due or None,
                    "condition": duty.when,
                    "withheld_by": life.withheld_by or None,
                    "done_without_being_owed": life.done_unowed,
                    "vague": list(life.vague),
                    "text": _by_instrument(inquiry.quotes(duty.text)),
                    "reading": duty.reading,
                    "earliest": duty.earliest,
                    "missed": life.missed or None,
                    "suspended": life.status == SUSPENDED,
                    "remark": life.remark or None,
                    "conflict": list(inquiry.in_force.in_conflict(duty.id)),
                    "readings": rival_states(inquiry, duty, life),
                }
            )
    return out


def rival_states(inquiry: Inquiry, duty: Duty, life: Commitment) -> dict[str, str]:
    """The state of a duty under every reading in force, where they differ; empty where all agree."""
    found = {}
    for name in inquiry.readings_of_norms():
        other = inquiry.under(name)
        read = other.in_force.provisions.get(duty.id)
        found[name] = commitment(other, read).state if isinstance(read, Duty) else "not enacted"
    return {PLAIN: life.state} | found if any(state != life.state for state in found.values()) else {}


def _by_instrument(quotes: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, words in quotes:
        out.setdefault(name, []).append(words)
    return out


def _measure_json(m: MeasureStanding) -> dict[str, Any]:
    assert m.current is not None
    return {
        "id": m.name,
        "title": m.title,
        "state": m.current.state,
        "since": m.current.row.starts.text,
        "standing": m.standing,
        "by_provision": m.by_provision or None,
        "owed": m.owed,
        "waits_for": list(m.waits_for),
        "words": m.words,
        "reports": list(m.reports[:MOST_CITED]),
    }


def receipt(board: Board) -> dict[str, Any]:
    """What the answer was made from: the engine, and a hash of what it could see in each part of the case.

    The hashes are of the canonical form of rows and provisions known by then, so that nothing known later, and no note,
    changes them.
    """
    inquiry = board.inquiry
    view, known = inquiry.view, inquiry.question.known
    tables: dict[str, list[Any]] = {}
    for report in sorted(view.reports.values(), key=lambda r: r.id):
        tables.setdefault(f"reports/{report.table}.csv", []).append(report.visible(known))
    bearings = [b.visible() for rows in view.bearings.values() for b in rows]
    if bearings:
        tables["reports/bearings.csv"] = sorted(bearings, key=lambda b: (b["claim"], b["report"], b["known"]))
    agreement = inquiry.agreement.model_dump(
        mode="json", by_alias=True, exclude={"changes", "facts", "provisions", "instruments"}
    )
    agreement["facts"] = inquiry.record.entries()
    agreement["provisions"] = {
        name: provision.model_dump(mode="json", by_alias=True)
        for name, provision in inquiry.in_force.provisions.items()
        if inquiry.enacted(provision)
    }
    tables |= receipt_rows(inquiry)
    file = inquiry.case.evidence
    cited = {report.source for report in view.reports.values()}
    sources = {name: digest(rows) for name, rows in sorted(tables.items())}
    sources["agreement.yaml"] = digest(_visible(inquiry, agreement))
    sources["items.yaml"] = digest([asdict(item) for item in file.items.values()])
    sources["places.csv"] = digest([asdict(place) for place in file.places.values()])
    sources["reports/sources.csv"] = digest([asdict(file.sources[name]) for name in sorted(cited) if name in file.sources])
    for name, instrument in inquiry.agreement.instruments.items():
        known_by = instrument.known or instrument.made
        out = known_by is not None and inquiry.read(known_by).last <= known and inquiry.sees((), name)
        if instrument.file and name in inquiry.case.texts and out:
            sources[instrument.file] = digest(inquiry.case.texts[name])
    checkpoint = dict(inquiry.case.checkpoint) if inquiry.case.checkpoint is not None else None
    return {"engine": board.engine, "sources": dict(sorted(sources.items())), "checkpoint": checkpoint}


def _visible(inquiry: Inquiry, value: Any) -> Any:
    """A value without any `note`, which may hold hindsight, and without words of instruments that were not known."""
    if isinstance(value, dict):
        return {
            key: _shown_quotes(inquiry, item) if key in _QUOTED and isinstance(item, dict) else _visible(inquiry, item)
            for key, item in value.items()
            if key != "note"
        }
    return [_visible(inquiry, item) for item in value] if isinstance(value, list) else value


def _shown_quotes(inquiry: Inquiry, quotes: dict[str, Any]) -> dict[str, Any]:
    known = {name for name, _ in inquiry.quotes({name: [""] for name in quotes if name in inquiry.agreement.instruments})}
    return {name: words for name, words in quotes.items() if name in known or name not in inquiry.agreement.instruments}
