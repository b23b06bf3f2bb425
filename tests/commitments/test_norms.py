"""The life of duties and the standing of measures, on a small agreement written in the test."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from commitments.small import R1, make, state_row, states
from tallybook import desk
from tallybook.evidence.report import Report
from tallybook.verdicts.board import owed_json

DUTIES = """
provisions:
  - {id: pay, kind: duty, in: pact, owed: {by: A, to: B}, when: delivered(goods), achieve: paid(price), within: 30d,
     unless: "@war"}
  - {id: deliver, kind: duty, in: pact, owed: {by: B, to: A}, achieve: delivered(goods), by: 2020-03-01}
  - {id: keep, kind: duty, in: pact, owed: {by: B, to: A}, maintain: not damaged(goods), until: 2020-12-31}
  - {id: help, kind: duty, in: later, owed: {by: A, to: B}, endeavour: helped(B), within: {vague: soon}}
  - {id: war, kind: exception, to: "@pay", when: war(A)}
  - {id: truce, kind: exception, to: "@war", when: truce(A)}
facts:
  - {atom: delivered(goods), from: 2020-02-10, recorded_by: [R1]}
  - {atom: paid(price), from: 2020-04-01, recorded_by: [R1]}
  - {atom: war(A), from: 2020-03-20, until: 2020-03-25, recorded_by: [R1]}
  - {atom: truce(A), from: 2020-03-22, until: 2020-03-23, recorded_by: [R1]}
"""


@pytest.mark.parametrize(
    ("on", "duty", "expected"),
    [
        ("2019-12-31", "deliver", None),
        ("2020-01-15", "deliver", ("in force", "owed")),
        ("2020-02-11", "deliver", ("performed", "performed")),
        ("2020-01-15", "pay", ("pending", "not yet owed")),
        ("2020-02-11", "pay", ("in force", "owed")),
        ("2020-03-15", "pay", ("in force", "overdue")),
        ("2020-03-21", "pay", ("in force", "withheld")),
        ("2020-03-22T12:00Z", "pay", ("in force", "withheld")),
        ("2020-03-23T12:00Z", "pay", ("in force", "overdue")),
        ("2020-04-02", "pay", ("performed", "performed")),
        ("2020-06-01", "keep", ("in force", "owed")),
        ("2021-01-01", "keep", ("lapsed", "not yet owed")),
        ("2020-04-30", "help", None),
        ("2021-06-01", "help", ("in force", "owed")),
    ],
)
def test_life_of_a_duty(on: str, duty: str, expected: tuple[str, str] | None) -> None:
    assert states(make(DUTIES, R1), on).get(duty) == expected


def test_overdue_without_performance() -> None:
    case = make(DUTIES.replace("delivered(goods), from: 2020-02-10", "delivered(goods), from: 2020-03-10"), R1)
    assert states(case, "2020-03-05")["deliver"] == ("in force", "overdue")


def test_what_is_owed_says_what_it_waits_for() -> None:
    inquiry = desk.ask(make(DUTIES, R1), "2020-01-15")
    rows = owed_json(inquiry, desk.board(inquiry).duties)
    pay = next(row for row in rows if row["id"] == "pay")
    assert pay["waits_for"] == ["delivered(goods)"]
    assert (pay["by"], pay["to"], pay["due"]) == ("A", "B", "within 30d")


def test_a_fact_whose_record_is_not_on_file_is_unknown() -> None:
    assert states(make(DUTIES), "2020-02-11")["deliver"] == ("in force", "owed")


def test_waived_and_released() -> None:
    facts = "".join(
        f"  - {{atom: {atom}, from: 2020-02-01, recorded_by: [R1]}}\n" for atom in ("waived(@deliver)", "released(@keep)")
    )
    found = states(make(DUTIES + facts, R1), "2020-02-05")
    assert found["deliver"][1] == "waived"
    assert found["keep"][1] == "released"


MEASURES = """
provisions:
  - {id: may, kind: liberty, in: pact, holder: B, while: not delivered(goods), measure: patrol, states: [full, light],
     must_use: {by: B, states: full}}
  - {id: ease, kind: power, in: later, holder: B, when: step(A), measure: patrol, states: light}
  - {id: stop, kind: duty, in: pact, owed: {by: B, to: A}, when: delivered(goods), achieve: ended(patrol),
     measure: patrol, states: ended}
facts:
  - {atom: delivered(goods), from: 2020-08-01, recorded_by: [M1]}
  - {atom: delivered(goods), value: false, from: 2020-01-01, until: 2020-08-01, recorded_by: [M1]}
  - {atom: step(A), from: 2020-07-01, recorded_by: [M1]}
states:
  - {atom: ended(patrol), measure: patrol, states: ended}
"""


def standing(on: str, *rows: Report) -> Any:
    return desk.board(desk.ask(make(MEASURES, *rows), on)).measures[0]


M1 = state_row("M1", "full", "2020-02-01", "2020-02-01", "2020-05-01")
M2 = state_row("M2", "light", "2020-05-01", "2020-05-01")
M3 = state_row("M3", "ended", "2020-07-15", "2020-07-15")


def test_permitted_required_and_in_breach() -> None:
    assert (standing("2020-03-01", M1).standing, standing("2020-03-01", M1).by_provision) == ("permitted", "@may")
    fallen = standing("2020-06-01", M1, M2)
    assert (fallen.standing, fallen.by_provision) == ("in breach", "@may")
    eased = standing("2020-07-05", M1, M2)
    assert (eased.standing, eased.by_provision) == ("permitted", "@ease")
    lifted = standing("2020-07-20", M1, M2, M3)
    assert (lifted.standing, lifted.by_provision, lifted.owed) == ("in breach", "@may", False)
    assert lifted.waits_for == ("delivered(goods)",)
    owed = standing("2020-08-02", M1, M2, M3)
    assert (owed.standing, owed.by_provision, owed.owed) == ("required", "@stop", True)


def test_an_end_is_known_only_once_it_has_come() -> None:
    early = standing("2020-03-01", M1)
    assert early.current.ended is False
    late = standing("2020-06-01", M1)
    assert late.current.ended is True
    assert "nothing since is on record" in late.words
    assert standing("2020-01-15", M1).current is None


def test_a_state_known_later_is_not_there_yet() -> None:
    late = state_row("M2", "light", "2020-05-01", "2020-09-01")
    assert standing("2020-06-01", M1, late).current.row.id == "M1"


def test_instants_are_utc() -> None:
    assert desk.ask(make(DUTIES, R1), "2020-02-11").on == datetime.fromisoformat("2020-02-11T23:59:59+00:00")
