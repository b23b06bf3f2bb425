"""A small agreement written in a test."""

from __future__ import annotations

import textwrap
from zoneinfo import ZoneInfo

from tallybook import desk
from tallybook.agreement.check import check_agreement
from tallybook.agreement.load import load_agreement
from tallybook.core.time import moment
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.grade import Grade
from tallybook.evidence.report import Item, Report
from tallybook.verdicts.inquiry import Case

HEAD = """
agreement: small
title: A small agreement
time_zone: UTC
default_as_of: 2020-06-01
parties: {A: {name: Alpha}, B: {name: Beta}}
standards: {plain: {at_least: 0.9}}
instruments:
INSTRUMENTS
vocabulary: VOCABULARY
measures: {patrol: {title: Patrol, holder: B, states: {full: full, light: lighter, ended: ended}}}
claims: [{id: gone, title: Gone, says: all are gone, item: thing}]
board: [{id: gone, claim: gone}]
"""


def state_row(name: str, state: str, start: str, known: str, until: str | None = None) -> Report:
    tz = ZoneInfo("UTC")
    at = moment(start, tz)
    return Report(
        id=name,
        table="measures",
        line=1,
        known=moment(known, tz),
        starts=at,
        ends=at,
        source="s",
        who="",
        statement=state,
        citation="",
        basis="",
        grade=Grade(""),
        measure="patrol",
        state=state,
        until=moment(until, tz) if until else None,
    )


INSTRUMENTS = {
    "pact": "{name: the pact, made: 2020-01-01, in_hand: none}",
    "later": "{name: the later act, made: 2020-05-01, in_hand: none}",
}


def make(body: str, *rows: Report, instruments: dict[str, str] | None = None, vocabulary: str = "{methods: {look: {}}}") -> Case:
    """A case of this agreement with these rows; it must be free of faults."""
    listed = "\n".join(f"  {name}: {text}" for name, text in {**INSTRUMENTS, **(instruments or {})}.items())
    head = HEAD.replace("INSTRUMENTS", listed).replace("VOCABULARY", vocabulary)
    loaded = load_agreement((head + textwrap.dedent(body)).encode())
    assert loaded.faults == [], loaded.faults
    faults = check_agreement(loaded, {}, frozenset({"thing"}), frozenset())
    assert faults == [], faults
    assert loaded.agreement is not None
    evidence = EvidenceFile({r.id: r for r in rows}, {}, (), {}, {"thing": Item("thing", "thing", "thing")})
    return Case("small", loaded.agreement, loaded.base, evidence, {})


def states(case: Case, on: str) -> dict[str, tuple[str, str]]:
    board = desk.board(desk.ask(case, on))
    return {d.verdict.duty.id: (d.life.status, d.life.state) for d in board.duties}


R1 = state_row("R1", "full", "2020-01-01", "2020-01-01")
