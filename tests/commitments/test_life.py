"""Powers, suspension that stops the clock, deadlines by the calendar, survival, delegation, values, what is kept so far."""

from __future__ import annotations

from typing import Any

import pytest

from commitments.small import R1, make, states
from tallybook import desk
from tallybook.commitments.commitment import Commitment, commitment
from tallybook.commitments.ending import agreement_status
from tallybook.commitments.powers import suspensions
from tallybook.core.truth import Truth
from tallybook.errors import TallybookError
from tallybook.verdicts.board import board_json, owed_json
from tallybook.verdicts.inquiry import Case, Inquiry

DUTY = "{id: pay, kind: duty, in: pact, owed: {by: A, to: B}, achieve: paid(price)"


def asked(case: Case, on: str, **more: Any) -> Inquiry:
    return desk.ask(case, on, **more)


def life(case: Case, on: str, name: str = "pay") -> Commitment:
    inquiry = asked(case, on)
    return commitment(inquiry, inquiry.in_force.provisions[name])  # type: ignore[arg-type]


def fact(atom: str, day: str, more: str = "") -> str:
    return f'  - {{atom: "{atom}", from: {day}, recorded_by: [R1]{more}}}\n'


def case_of(provisions: str, facts: str = "", more: str = "") -> Case:
    return make(f"provisions:\n{provisions}\n" + (f"facts:\n{facts}" if facts else "") + more, R1)


@pytest.mark.parametrize(
    ("limit", "start", "due"),
    [
        ("1mo", "2020-01-31", "2020-02-29T23:59:59+00:00"),
        ("1mo", "2021-01-31", "2021-02-28T23:59:59+00:00"),
        ("1y", "2020-02-29", "2021-02-28T23:59:59+00:00"),
        ("14d", "2020-02-20", "2020-03-05T23:59:59+00:00"),
        ("36h", "2020-02-20T06:00Z", "2020-02-21T18:00:00+00:00"),
    ],
)
def test_a_limit_is_counted_on_the_calendar(limit: str, start: str, due: str) -> None:
    case = case_of(f"  - {DUTY}, when: delivered(goods), within: {limit}}}", fact("delivered(goods)", start))
    assert life(case, "2022-01-01").due == due
    assert life(case, due).state == "owed"
    assert life(case, "2022-01-01").state == "overdue"


def test_a_vague_limit_is_never_missed() -> None:
    case = case_of(f"  - {DUTY}, within: {{vague: promptly}}}}")
    assert (life(case, "2090").state, life(case, "2090").missed) == ("owed", "")


def test_performance_before_the_earliest_day_does_not_count_yet() -> None:
    case = case_of(f"  - {DUTY}, earliest: 2020-03-01, by: 2020-03-31}}", fact("paid(price)", "2020-02-01"))
    assert life(case, "2020-02-15").state == "owed"
    assert life(case, "2020-03-01").state == "performed"
    assert life(case, "2020-03-02").done_since.startswith("2020-03-01")


def test_late_performance_stays_late() -> None:
    case = case_of(f"  - {DUTY}, by: 2020-03-31}}", fact("paid(price)", "2020-05-01"))
    assert life(case, "2020-04-15").state == "overdue"
    done = life(case, "2020-06-01")
    assert (done.state, done.late, done.missed[:10], done.done_since[:10]) == ("performed", True, "2020-03-31", "2020-05-01")
    assert life(case_of(f"  - {DUTY}, by: 2020-03-31}}", fact("paid(price)", "2020-03-31")), "2020-06-01").late is False


STOP = """
  - {id: stop, kind: power, in: pact, holder: B, used_by: "stopped(pay, by=B)", effect: {suspend: "@pay"}}
  - {id: go, kind: power, in: pact, holder: A, used_by: "gone_on(pay, by=A)", effect: {resume: "@pay"}}
"""


def test_suspension_stops_the_clock_of_a_limit() -> None:
    facts = fact("stopped(pay, by=B)", "2020-01-11") + fact("gone_on(pay, by=A)", "2020-01-31")
    case = case_of(f"  - {DUTY}, within: 30d}}{STOP}", facts)
    assert life(case, "2020-01-15").status == "suspended"
    assert life(case, "2020-01-15").remark == "the clock is stopped while it is suspended"
    assert life(case, "2020-02-15").due.startswith("2020-02-20")
    assert life(case, "2020-02-15").state == "owed"
    assert life(case, "2020-02-21").state == "overdue"


def test_a_fixed_day_that_passes_in_suspension_is_not_missed() -> None:
    facts = fact("stopped(pay, by=B)", "2020-01-11") + fact("gone_on(pay, by=A)", "2020-01-31")
    case = case_of(f"  - {DUTY}, by: 2020-01-20}}{STOP}", facts)
    after = life(case, "2020-06-01")
    assert (after.status, after.state, after.missed) == ("in force", "owed", "")
    assert "a new one is needed" in after.remark
    assert life(case_of(f"  - {DUTY}, by: 2020-01-05}}{STOP}", facts), "2020-06-01").missed.startswith("2020-01-05")


def test_suspension_by_a_change_stops_the_clock_too() -> None:
    more = """
changes:
  - {in: pact, n: 1, made: 2020-01-11, op: suspend, target: "@pay", until: 2020-01-31, recorded_by: [R1]}
"""
    case = case_of(f"  - {DUTY}, within: 30d}}", more=more)
    assert states(case, "2020-01-20")["pay"] == ("suspended", "not yet owed")
    assert life(case, "2020-03-15").due.startswith("2020-02-20")


def test_a_use_without_the_power_has_no_effect_and_is_told() -> None:
    body = f"""
  - {DUTY}, by: 2020-06-30}}
  - {{id: stop, kind: power, in: pact, holder: B, when: missed(delivery), used_by: "stopped(pay, by=B)",
     effect: {{suspend: "@pay"}}}}
"""
    case = case_of(body, fact("stopped(pay, by=B)", "2020-02-01"))
    assert states(case, "2020-03-01")["pay"] == ("in force", "owed")
    (row,) = board_json(desk.board(asked(case, "2020-03-01")))["without_effect"]
    assert row == {"power": "@stop", "at": "2020-02-01T23:59:59+00:00", "because": "the condition of @stop did not hold"}
    allowed = case_of(body, fact("stopped(pay, by=B)", "2020-02-01") + fact("missed(delivery)", "2020-01-20"))
    assert states(allowed, "2020-03-01")["pay"] == ("suspended", "not yet owed")


RELAX = """
  - {id: relax, kind: power, in: pact, holder: B, when: helping(A), measure: patrol, states: light,
     effect: {suspend: "@full", at_most: 30d, then: resume}}
  - {id: full, kind: liberty, in: pact, holder: B, measure: patrol, states: [full, light],
     must_use: {by: B, states: full}}
"""


def test_relaxation_in_return_for_steps_ends_and_resumes_by_itself() -> None:
    from commitments.small import state_row

    rows = (R1, state_row("R2", "light", "2020-02-01", "2020-02-01"))
    helping = "facts:\n" + fact("helping(A)", "2020-01-20", ", until: 2020-02-20")
    case = make(f"provisions:{RELAX}{helping}", *rows)

    def spans(on: str) -> list[tuple[str, str | None]]:
        found = suspensions(asked(case, on), "full")
        return [(s.starts.isoformat()[:10], s.ends.isoformat()[:10] if s.ends else None) for s in found]

    def standing(on: str) -> tuple[str, str]:
        (measure,) = desk.board(asked(case, on)).measures
        return measure.standing, measure.by_provision

    assert spans("2020-02-10") == [("2020-02-01", None)]
    assert standing("2020-02-10") == ("permitted", "@relax")
    # The steps ended on the 20th, before the thirty days were over.
    assert spans("2020-02-25") == [("2020-02-01", "2020-02-20")]
    assert standing("2020-02-25") == ("in breach", "@full")
    endless = make(f"provisions:{RELAX}facts:\n" + fact("helping(A)", "2020-01-20"), *rows)
    found = suspensions(asked(endless, "2020-04-01"), "full")
    assert [s.ends.isoformat()[:10] for s in found if s.ends] == ["2020-03-03"]
    (measure,) = desk.board(asked(endless, "2020-04-01")).measures
    assert (measure.standing, measure.by_provision) == ("in breach", "@full")


ENDING = f"""
  - {DUTY}, by: 2020-03-31}}
  - {{id: silence, kind: duty, in: pact, owed: {{by: A, to: B}}, maintain: not disclosed(secret), survives: true}}
  - {{id: denounce, kind: power, in: pact, holder: B, when: missed @pay, used_by: "denounced(pact, by=B)", effect: {{end: all}}}}
"""


def test_termination_ends_what_does_not_survive() -> None:
    case = case_of(ENDING, fact("denounced(pact, by=B)", "2020-05-01") + fact("disclosed(secret)", "2020-07-01"))
    assert agreement_status(asked(case, "2020-04-15")).status == "in force"
    end = agreement_status(asked(case, "2020-06-01"))
    assert (end.status, end.since[:10], end.reasons) == ("terminated", "2020-05-01", ("ended by @denounce",))
    assert states(case, "2020-06-01")["pay"] == ("lapsed", "not yet owed")
    assert life(case, "2020-06-01").missed.startswith("2020-03-31")
    assert states(case, "2020-06-01")["silence"] == ("in force", "owed")
    broken = life(case, "2020-08-01", "silence")
    assert (broken.state, broken.missed[:10]) == ("breached", "2020-07-01")


def test_completed_when_nothing_is_left_that_could_come_due() -> None:
    penalty = "  - {id: penalty, kind: duty, in: pact, owed: {by: A, to: B}, when: missed @pay, achieve: paid(more)}\n"
    case = case_of(ENDING + penalty, fact("paid(price)", "2020-03-01"))
    assert agreement_status(asked(case, "2020-02-01")).status == "in force"
    done = agreement_status(asked(case, "2020-06-01"))
    assert (done.status, done.reasons) == ("completed", ("performed: @pay",))
    waits = "  - {id: then, kind: duty, in: pact, owed: {by: B, to: A}, when: asked(B), achieve: thanked(A)}\n"
    assert agreement_status(asked(case_of(ENDING + waits, fact("paid(price)", "2020-03-01")), "2020-06-01")).status == "in force"


def test_a_duty_born_of_the_breach_of_another() -> None:
    body = f"""
  - {DUTY}, by: 2020-03-31}}
  - {{id: penalty, kind: duty, in: pact, owed: {{by: A, to: B}}, when: missed @pay, achieve: paid(more), within: 1mo}}
"""
    case = case_of(body)
    assert states(case, "2020-03-31")["penalty"] == ("pending", "not yet owed")
    assert states(case, "2020-04-01")["penalty"] == ("in force", "owed")
    assert life(case, "2020-04-01", "penalty").due.startswith("2020-05-01")
    assert states(case, "2020-05-02")["penalty"] == ("in force", "overdue")


def test_who_owes_after_delegation_and_assignment() -> None:
    facts = fact("delegated(@pay, to=C)", "2020-02-01") + fact("assigned(@pay, to=D)", "2020-03-01")
    facts += fact("claim_assigned(@pay, to=E)", "2020-04-01")
    case = case_of(f"  - {DUTY}}}", facts)
    roles = [
        (r.by, r.to, r.performer)
        for on in ("2020-01-15", "2020-02-15", "2020-03-15", "2020-05-01")
        if (r := life(case, on).roles)
    ]
    assert roles == [("A", "B", "A"), ("A", "B", "C"), ("D", "B", "C"), ("D", "E", "C")]
    (row,) = owed_json(asked(case, "2020-05-01"), desk.board(asked(case, "2020-05-01")).duties)
    assert (row["by"], row["to"], row["performer"]) == ("D", "E", "C")


def test_what_breaks_a_duty_besides_a_day() -> None:
    case = case_of(
        f"  - {DUTY}, breached_when: delayed(price)}}", fact("delayed(price)", "2020-03-01") + fact("paid(price)", "2020-04-01")
    )
    assert [life(case, on).state for on in ("2020-02-01", "2020-03-15", "2020-05-01")] == ["owed", "overdue", "performed"]
    assert life(case, "2020-05-01").missed.startswith("2020-03-01")


NO_WAR = fact("war(A)", "2020-01-02", ", value: false") + fact("truce(A)", "2020-01-02", ", value: false")
VALUES = """
  - {id: notice, kind: definition, in: pact, cases: [{is: 30}, {when: short(term), is: 30}]}
  - {id: emergency, kind: exception, in: pact, to: "@notice", when: emergency(A), cases: [{is: 2}]}
  - {id: war, kind: exception, in: pact, to: "@notice", when: war(A), cases: [{is: 0}]}
  - {id: truce, kind: exception, in: pact, to: "@war", when: truce(A), cases: [{is: 10}]}
  - {id: quick, kind: duty, in: pact, owed: {by: A, to: B}, when: value @notice == 2, achieve: told(B)}
"""


def value_given(**truths: bool) -> tuple[str | float | None, tuple[str, ...]]:
    facts = "".join(
        fact(f"{name}(A)", "2020-01-02", "" if truth else ", value: false") for name, truth in [("other", True), *truths.items()]
    )
    inquiry = asked(case_of(VALUES, facts), "2020-06-01")
    found, why = inquiry.value("@notice", inquiry.on)
    return found, why.reasons


def test_values_exceptions_and_exceptions_to_exceptions() -> None:
    assert value_given(emergency=False, war=False, truce=False)[0] == 30
    assert value_given(emergency=True, war=False, truce=False) == (2, ("2 by @emergency",))
    assert value_given(emergency=False, war=True, truce=False)[0] == 0
    # An exception to an exception goes before it, whether or not that applies.
    assert value_given(emergency=False, war=True, truce=True)[0] == 10
    assert value_given(emergency=False, war=False, truce=True)[0] == 10
    assert value_given(emergency=True, war=True, truce=False) == (None, ("conflict: 2 by @emergency / 0 by @war",))


def test_what_is_undecided_leaves_a_value_open_unless_it_says_the_same() -> None:
    found, why = value_given(war=False, truce=False)
    assert (found, why) == (None, ("whether emergency(A) holds is unknown (@emergency)",))
    # The second case of the definition is undecided too, and gives what the first gives.
    assert value_given(emergency=False, war=False, truce=False)[0] == 30


def test_a_condition_on_a_value_and_on_a_number() -> None:
    case = case_of(VALUES, NO_WAR + fact("emergency(A)", "2020-02-02"))
    assert states(case, "2020-01-15")["quick"] == ("pending", "not yet owed")
    assert states(case, "2020-03-01")["quick"] == ("in force", "owed")
    body = "  - {id: admit, kind: liberty, in: pact, holder: A, while: grade(Ann) >= 3}\n"
    inquiry = asked(case_of(body, fact("grade(Ann)", "2020-02-01", ", number: 3")), "2020-03-01")
    assert inquiry.status("in-force", "@admit", inquiry.on).truth is Truth.TRUE
    early = asked(case_of(body, fact("grade(Ann)", "2020-02-01", ", number: 3")), "2020-01-15")
    assert early.status("pending", "@admit", early.on).truth is Truth.TRUE


def test_events_of_which_every_one_is_on_record() -> None:
    body = "  - {id: admit, kind: liberty, in: pact, holder: A, while: diploma(Ann)}\n"
    plain = case_of(body, fact("diploma(Bob)", "2020-02-01"))
    from tallybook.agreement.situation import Atom

    ann = Atom("diploma", (("0", "Ann"),))
    assert asked(plain, "2020-03-01").holds(ann, asked(plain, "2020-03-01").on).truth is Truth.UNKNOWN
    closed = make(
        f"provisions:\n{body}facts:\n{fact('diploma(Bob)', '2020-02-01')}",
        R1,
        vocabulary="{methods: {look: {}}, complete: [diploma]}",
    )
    found = asked(closed, "2020-03-01").holds(ann, asked(closed, "2020-03-01").on)
    assert (found.truth, found.reasons) == (Truth.FALSE, ("every diploma is on record, and diploma(Ann) is not",))


def test_a_state_with_variables() -> None:
    more = """
states:
  - {atom: "parent(?a, ?b)", when: "born_of(?b, ?a) or adopted(?b, by=?a)"}
"""
    body = '  - {id: help, kind: duty, in: pact, owed: {by: A, to: B}, when: "parent(Ann, Bob)", achieve: helped(Bob)}\n'
    case = case_of(body, fact("adopted(Bob, by=Ann)", "2020-02-01"), more)
    assert states(case, "2020-01-15")["help"] == ("pending", "not yet owed")
    assert states(case, "2020-03-01")["help"] == ("in force", "owed")


def test_readings_of_a_duty_are_shown_where_they_differ() -> None:
    more = """
readings: {north: {by: A}}
changes:
  - {in: pact, n: 1, made: 2020-01-11, op: interpret, target: "@pay", reading: north, value: {by: 2020-12-31}, recorded_by: [R1]}
"""
    case = case_of(f"  - {DUTY}, by: 2020-03-31}}", more=more)
    inquiry = asked(case, "2020-06-01")
    (row,) = owed_json(inquiry, desk.board(inquiry).duties)
    assert (row["state"], row["readings"]) == ("overdue", {"plain": "overdue", "north": "owed"})
    other = asked(case, "2020-06-01", reading="north")
    (row,) = owed_json(other, desk.board(other).duties)
    assert (row["state"], row["readings"]) == ("owed", {})
    before = asked(case, "2020-02-01")
    assert owed_json(before, desk.board(before).duties)[0]["readings"] == {}


def test_a_change_that_waits_for_a_condition() -> None:
    more = """
changes:
  - {in: pact, n: 1, made: 2020-01-11, effective: {when: "delivered(goods)"}, op: replace, target: "@pay.by",
     value: 2020-12-31, recorded_by: [R1]}
  - {in: pact, n: 2, made: 2020-01-11, effective: {when: "overdue @pay"}, op: replace, target: "@pay.achieve",
     value: "paid(more)", recorded_by: [R1]}
"""
    body = f"  - {DUTY}, by: 2020-03-31}}"
    assert life(case_of(body, fact("delivered(goods)", "2020-02-01"), more), "2020-01-31").due == "2020-03-31"
    assert life(case_of(body, fact("delivered(goods)", "2020-02-01"), more), "2020-02-01").due == "2020-12-31"
    late = asked(case_of(body, more=more), "2020-05-01")
    assert late.in_force.applied == ("pact#2",)
    assert late.in_force.provisions["pay"].achieve == "paid(more)"  # type: ignore[union-attr]
    early = asked(case_of(body, more=more), "2020-03-31")
    assert early.in_force.applied == ()


def test_an_instrument_takes_effect_on_receipt() -> None:
    received = "effective: on receipt, to: [A, B], received: {A: 2020-01-10, B: 2020-02-01}"
    head = {"pact": f"{{name: the pact, made: 2020-01-01, in_hand: none, {received}}}"}
    case = make(f"provisions:\n  - {DUTY}}}", R1, instruments=head)
    assert states(case, "2020-01-31")["pay"] == ("not in force", "not yet owed")
    assert states(case, "2020-02-01")["pay"] == ("in force", "owed")


def test_what_another_party_could_know() -> None:
    head = {
        "secret": "{name: a note, made: 2020-01-01, in_hand: none, by: B}",
        "open-pact": "{name: the pact, made: 2020-01-01, in_hand: none, by: A, to: B}",
    }
    body = f"""
provisions:
  - {DUTY}}}
  - {{id: own, kind: duty, in: secret, owed: {{by: B, to: A}}, achieve: watched(A)}}
facts:
{fact("paid(price)", "2020-02-01")}"""
    case = make(
        body.replace("in: pact", "in: open-pact"),
        R1,
        instruments=head,
    )
    assert states(case, "2020-06-01") == {"pay": ("performed", "performed"), "own": ("in force", "owed")}
    theirs = desk.board(desk.ask(case, "2020-06-01", side="A"))
    assert {d.verdict.duty.id: d.life.state for d in theirs.duties} == {"pay": "owed"}
    with pytest.raises(TallybookError, match="no party"):
        desk.ask(case, "2020-06-01", side="Z")


@pytest.mark.parametrize(
    "body",
    [
        f"""
provisions:
  - {DUTY}, unless: "@unpaid"}}
  - {{id: give, kind: duty, in: pact, owed: {{by: A, to: B}}, achieve: given(x), unless: "@ungiven"}}
  - {{id: unpaid, kind: exception, to: "@pay", when: overdue @give}}
  - {{id: ungiven, kind: exception, to: "@give", when: overdue @pay}}
""",
        """
provisions:
  - {id: one, kind: definition, cases: [{when: value @other == 1, is: 1}]}
  - {id: other, kind: definition, cases: [{when: value @one == 1, is: 1}]}
""",
    ],
)
def test_what_waits_for_itself_through_exceptions_or_cases_is_a_fault(body: str) -> None:
    with pytest.raises(AssertionError, match="wait for each other"):
        make(body, R1)


def test_an_exception_to_an_earlier_number_still_lifts() -> None:
    more = """
changes:
  - {in: pact, n: 1, made: 2020-01-05, op: renumber, target: "@pay", value: pay2, recorded_by: [R1]}
  - {in: pact, n: 2, made: 2020-01-06, op: add, target: "@relief", recorded_by: [R1],
     value: {kind: exception, to: "@pay", when: poor(A)}}
"""
    case = case_of(f"  - {DUTY}}}", fact("poor(A)", "2020-01-10"), more)
    assert states(case, "2020-02-01") == {"pay2": ("in force", "withheld")}


def test_what_was_never_so_is_owed_and_not_broken() -> None:
    duty = "  - {id: watch, kind: duty, in: pact, owed: {by: A, to: B}, maintain: watching(A)}"
    never = fact("watching(A)", "2019-01-01", ", value: false")
    assert states(case_of(duty, never), "2020-06-01")["watch"] == ("in force", "owed")
    once = fact("watching(A)", "2020-02-01", ", until: 2020-04-01")
    assert states(case_of(duty, once), "2020-03-01")["watch"] == ("in force", "owed")
    assert states(case_of(duty, once), "2020-06-01")["watch"] == ("in force", "breached")
    again = case_of(duty, once + fact("watching(A)", "2020-05-01"))
    assert states(again, "2020-06-01")["watch"] == ("in force", "owed")
    assert life(again, "2020-06-01", "watch").missed.startswith("2020-04-01")


@pytest.mark.parametrize(
    "trigger",
    [
        "once [10d, ..] delivered(x)",
        "late_delivery(x)",
        "in-force @new",
        "not in-force @old",
        "suspended @stopped",
        'value @word == "new"',
        "missed @first",
    ],
)
def test_a_limit_runs_from_the_instant_at_which_its_condition_came_true(trigger: str) -> None:
    body = f"""
  - {{id: late, kind: duty, in: pact, owed: {{by: A, to: B}}, when: '{trigger}', achieve: paid(x), within: 10d}}
  - {{id: first, kind: duty, in: pact, owed: {{by: A, to: B}}, achieve: done(x), by: 2020-03-10}}
  - {{id: old, kind: liberty, in: pact, holder: A}}
  - {{id: stopped, kind: liberty, in: pact, holder: A}}
  - {{id: word, kind: definition, in: pact, cases: [{{is: old}}]}}
"""
    more = """
states:
  - {atom: late_delivery(x), when: "once [10d, ..] delivered(x)"}
changes:
  - {in: pact, n: 1, made: 2020-03-11, op: add, target: "@new", value: {kind: liberty, holder: A}, recorded_by: [R1]}
  - {in: pact, n: 2, made: 2020-03-11, op: repeal, target: "@old", recorded_by: [R1]}
  - {in: pact, n: 3, made: 2020-03-11, op: suspend, target: "@stopped", recorded_by: [R1]}
  - {in: pact, n: 4, made: 2020-03-11, op: replace, target: "@word.cases", value: [{is: new}], recorded_by: [R1]}
"""
    case = case_of(body, fact("delivered(x)", "2020-03-01"), more)
    due = {life(case, on, "late").due[:10] for on in ("2020-03-15", "2020-04-01", "2025-01-01")}
    assert due == {"2020-03-21"}
    assert life(case, "2025-01-01", "late").state == "overdue"


def test_time_is_given_back_once_where_suspensions_overlap() -> None:
    stop = '  - {in: pact, n: %d, made: 2020-01-11, op: suspend, target: "@pay", until: 2020-01-%d, recorded_by: [R1]}\n'
    case = case_of(f"  - {DUTY}, within: 30d}}", more="changes:\n" + stop % (1, 31) + stop % (2, 25))
    assert life(case, "2020-03-15").due.startswith("2020-02-20")


def test_what_was_missed_stays_missed_and_nothing_is_missed_before_the_words_that_make_it_so() -> None:
    change = 'in: pact, n: 1, made: 2020-03-10, op: extend, target: "@pay", value: {by: 2020-04-30}, recorded_by: [R1]'
    longer = f"\nchanges:\n  - {{{change}}}\n"
    case = case_of(f"  - {DUTY}, by: 2020-02-28}}", more=longer)
    assert (life(case, "2020-03-05").state, life(case, "2020-03-05").missed[:10]) == ("overdue", "2020-02-28")
    assert (life(case, "2020-03-20").state, life(case, "2020-03-20").missed[:10]) == ("owed", "2020-02-28")
    sooner = longer.replace("extend", "limit").replace("2020-04-30", "2020-01-31")
    case = case_of(f"  - {DUTY}, by: 2020-06-30}}", more=sooner)
    assert life(case, "2020-03-05").missed == ""
    assert life(case, "2020-03-20").missed[:10] == "2020-03-10"


def test_a_receipt_known_later_moves_no_earlier_answer() -> None:
    received = "effective: on receipt, to: [B], received: {B: 2020-03-01}"
    case = make(
        f"provisions:\n  - {DUTY}}}", R1, instruments={"pact": f"{{name: p, made: 2020-01-01, in_hand: none, {received}}}"}
    )
    early = desk.ask(case, "2020-04-01", "2020-02-01")
    assert desk.board(early).duties[0].life.status == "not in force"
    assert states(case, "2020-04-01")["pay"] == ("in force", "owed")


def test_an_instrument_that_waits_for_its_own_provisions_is_a_fault() -> None:
    waiting = "{name: p, made: 2020-01-01, in_hand: none, effective: {when: owed @pay}}"
    with pytest.raises(AssertionError, match="wait for each other"):
        make(f"provisions:\n  - {DUTY}}}", R1, instruments={"pact": waiting})


@pytest.mark.parametrize("limit", ["999999d", "9999y"])
def test_a_limit_too_long_is_a_fault(limit: str) -> None:
    with pytest.raises(AssertionError, match="longer than"):
        case_of(f"  - {DUTY}, within: {limit}}}")


def test_the_end_of_the_calendar_is_no_end_of_the_program() -> None:
    case = case_of(f"  - {DUTY}, when: delivered(goods), within: 900y}}", fact("delivered(goods)", "9990-01-01"))
    assert life(case, "9998-01-01").state == "owed"
