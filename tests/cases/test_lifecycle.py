"""Lives of duties from what creates them to what ends them, and input that is missing, with the answers published for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cases.published import day, duty, fact, part, run
from tallybook import desk
from tallybook.agreement.language import atom_of
from tallybook.agreement.provision import Duty
from tallybook.commitments.commitment import Commitment
from tallybook.commitments.powers import powers, uses
from tallybook.core.truth import Finding, Truth
from tallybook.verdicts.inquiry import Case, Inquiry

# What is put on record at each published step, in its order; step n is on day n.
RECTIFICATION = [
    ["consented(Alice, to=Bank)", "processes(Bank, A1)"],
    ["inaccurate(A1)"],
    ["demanded-rectification(Alice)"],
    ["undue-delay(Bank, of=Alice)"],
    ["processes(Bank, A2)", "rectified(Bank, of=Alice)"],
]
HOMEWORK = [["asked-for-help(Bob, of=Alice)"], ["homework-due(Bob)"], ["helped(Alice, Bob)"]]
DEBT = {
    "Alice buys the phone (9) from David": "purchase(Alice, David, Phone)",
    "David delivers": "deliver(David, Alice, Phone)",
    "payment of 9 expires": "expired(Alice, David, 9)",
    "David demands interest": "demand-interest(David, Alice, 9)",
    "Alice pays 10": "pay(Alice, David, 10)",
    "Bob buys the lipstick (5) from Ellis": "purchase(Bob, Ellis, Lipstick)",
    "Bob pays 4": "pay(Bob, Ellis, 4)",
    "Ellis delivers": "deliver(Ellis, Bob, Lipstick)",
}
PARENTS = [fact("natural-parent(Alice, Bob)", day(0)), fact("adoptive-parent(Chloe, David)", day(0))]
INPUT = part("08", "missing-input")


def life_of(life: Commitment) -> dict[str, Any]:
    """A duty in the words of the published case."""
    if life.status == "pending":
        return {"duty": "none"}
    if life.state == "performed":
        return {"duty": "ended", "was_violated": bool(life.missed)}
    return {"duty": "exists", "violated": life.state in ("overdue", "breached")}


def stepped(events: Sequence[Iterable[str]], into: Path, before: Iterable[dict[str, Any]] = ()) -> Case:
    """The case with the events of every step on the day of that step."""
    return run("duty-lifecycle", [*before, *(fact(atom, day(n)) for n, step in enumerate(events) for atom in step)], into)


def test_a_duty_that_delay_breaks(tmp_path: Path) -> None:
    steps = part("08", "rectification")["steps"]
    assert len(steps) == len(RECTIFICATION)
    case = stepped(RECTIFICATION, tmp_path)
    assert [life_of(duty(desk.ask(case, day(n)), "rectify")) for n in range(len(steps))] == [s["expect"] for s in steps]
    late = duty(desk.ask(case, day(9)), "rectify")
    assert (late.missed[:10], late.done_since[:10], late.late) == (day(3), day(4), True)


def test_a_duty_between_a_child_and_a_legal_parent(tmp_path: Path) -> None:
    homework = part("08", "homework")
    case = stepped(HOMEWORK, tmp_path, PARENTS)
    found = [life_of(duty(desk.ask(case, day(n)), "help-with-homework")) for n in range(len(HOMEWORK))]
    assert found == [s["expect"] for s in homework["steps"]]


def test_a_legal_parent_is_a_natural_or_an_adoptive_one(tmp_path: Path) -> None:
    inquiry = desk.ask(stepped([], tmp_path, PARENTS), day(1))
    for parent, child, expected in part("08", "homework")["expect_legal_parent"]:
        assert inquiry.holds(atom_of(f"legal-parent({parent}, {child})"), inquiry.on).truth is Truth.of(expected)


def test_whom_a_child_who_is_not_hers_asks_owes_nothing(tmp_path: Path) -> None:
    case = stepped(HOMEWORK, tmp_path, [fact("adoptive-parent(Chloe, Bob)", day(0))])
    assert duty(desk.ask(case, day(2)), "help-with-homework").status == "pending"


# Debts.


def lives(inquiry: Inquiry) -> dict[str, tuple[str, str]]:
    return {p.id: (duty(inquiry, p.id).status, duty(inquiry, p.id).state) for p in duties(inquiry)}


def duties(inquiry: Inquiry) -> list[Duty]:
    return [p for p in inquiry.in_force.provisions.values() if isinstance(p, Duty)]


def open_debts(inquiry: Inquiry) -> list[str]:
    """What is owed, as the published case says it; a debt names its amount last, a delivery its goods."""
    found = [duty(inquiry, p.id) for p in duties(inquiry)]
    return [f"{d.roles.by} owes {d.roles.to} {dict(atom_of(d.duty.achieve or '').args)['2']}" for d in found if d.state == "owed"]


@pytest.mark.parametrize("number", [0, 1])
def test_debts_that_interest_replaces(number: int, tmp_path: Path) -> None:
    trace = part("08", "escalating-debt")["traces"][number]
    atoms = [DEBT[step] for step in trace["do"]]
    inquiry = desk.ask(stepped([[atom] for atom in atoms], tmp_path / "whole"), day(9))
    assert open_debts(inquiry) == trace["expect"]["open_duties"]
    assert all(not use.fault for power in powers(inquiry) for use in uses(inquiry, power))
    # A step is invalid where the record without it leaves every duty as it is: it performed nothing.
    idle = []
    for n, step in enumerate(trace["do"]):
        without = stepped([[] if k == n else [atom] for k, atom in enumerate(atoms)], tmp_path / str(n))
        if lives(desk.ask(without, day(9))) == lives(inquiry):
            idle.append(step)
    assert idle == trace["expect"]["invalid_steps"]


def test_interest_cannot_be_demanded_before_payment_has_expired(tmp_path: Path) -> None:
    events = [["purchase(Alice, David, Phone)"], ["demand-interest(David, Alice, 9)"], ["expired(Alice, David, 9)"]]
    inquiry = desk.ask(stepped(events, tmp_path), day(9))
    (power,) = powers(inquiry)
    (use,) = uses(inquiry, power)
    assert use.fault == "the condition of @demand-interest did not hold"
    assert open_debts(inquiry) == ["Alice owes David 9", "David owes Alice Phone"]


# Missing input.


def acceptance(into: Path, *, closed: bool) -> dict[str, Finding]:
    """Whether each applicant may be accepted, where diplomas are an open or a closed kind of fact."""
    facts = [fact(f"high-enough({grade})", day(0)) for grade in (3, 4, 5)]
    facts += [fact(f"application({name})", day(0)) for name, recorded in INPUT["applications_recorded"].items() if recorded]
    held = {f["applicant"]: (f["applicant"], *f["diploma"], f["recorded"]) for f in INPUT["facts"]}
    facts += [fact(f'diploma("{s}", {who}, {grade})', day(0)) for who, s, grade, recorded in held.values() if recorded]
    kinds = ("high-enough]", "high-enough, diploma]" if closed else "high-enough]")
    inquiry = desk.ask(run("duty-lifecycle", facts, into, replace=kinds), day(1))
    return {
        who: inquiry.holds(atom_of(f'may-accept({who}, "{school}", {grade})'), inquiry.on)
        for who, school, grade, _ in held.values()
    }


def test_what_is_not_recorded_is_unknown_and_says_what_is_missing(tmp_path: Path) -> None:
    for who, found in acceptance(tmp_path, closed=False).items():
        expected = INPUT["expect_may_accept"][who]
        if isinstance(expected, bool):
            assert found.truth is Truth.of(expected), who
        else:
            assert found.truth is Truth.UNKNOWN
            assert f"unverified: missing input {', '.join(found.waits_for)}" == expected


def test_of_a_closed_kind_what_is_not_recorded_is_not_so(tmp_path: Path) -> None:
    found = acceptance(tmp_path, closed=True)
    for who, expected in INPUT["closed_kind_instead"].items():
        assert found[who].truth is Truth.of(expected)
    assert found["Alice"].truth is Truth.TRUE


# Further samples of the same project.


def sampled(into: Path, *events: tuple[int, str], facts: Iterable[dict[str, Any]] = ()) -> Case:
    return run("eflint-samples", [*facts, *(fact(atom, day(n)) for n, atom in events)], into)


VOTES = [(1, "vote(Alice, C1)"), (2, "vote(Bob, C2)"), (3, "vote(Chloe, C1)")]
ELECTION = [*VOTES, (4, "declare-winner(Erin, C1)"), (5, "suspend(Erin, David)")]


def held(inquiry: Inquiry, name: str) -> bool:
    return inquiry.status("in-force", f"@{name}", inquiry.on).truth is Truth.TRUE


def faults(inquiry: Inquiry, name: str) -> list[str]:
    return [use.fault for power in powers(inquiry) if power.id == name for use in uses(inquiry, power)]


def test_a_winner_can_be_declared_only_while_one_has_the_most_votes(tmp_path: Path) -> None:
    case = sampled(tmp_path, *ELECTION)
    assert [held(desk.ask(case, day(n)), "declare-C1") for n in range(4)] == [False, True, False, True]
    assert not any(held(desk.ask(case, day(n)), "declare-C2") for n in range(4))


def test_who_has_not_voted_when_a_winner_is_declared_has_broken_a_duty_and_may_be_suspended(tmp_path: Path) -> None:
    case = sampled(tmp_path, *ELECTION)
    names = ("Alice", "Bob", "Chloe", "David")
    assert [duty(desk.ask(case, day(3)), f"vote-{n}").state for n in names] == ["performed"] * 3 + ["owed"]
    assert [bool(duty(desk.ask(case, day(4)), f"vote-{n}").missed) for n in names] == [False, False, False, True]
    assert held(desk.ask(case, day(4)), "suspend-David")
    for on in (5, 9):
        inquiry = desk.ask(case, day(on))
        assert faults(inquiry, "suspend-David") == [""]
        life = duty(inquiry, "vote-David")
        assert (life.status, life.missed[:10]) == ("lapsed", day(4))
        assert not held(inquiry, "suspend-Bob")


def test_who_has_voted_cannot_be_suspended(tmp_path: Path) -> None:
    inquiry = desk.ask(sampled(tmp_path, *ELECTION, (6, "suspend(Erin, Bob)")), day(9))
    assert faults(inquiry, "suspend-Bob") == ["the condition of @suspend-Bob did not hold"]
    assert duty(inquiry, "vote-Bob").state == "performed"


NITROGEN = [fact(f"nitrogen({place})", day(0), number=level) for place, level in (("Eindhoven", 6), ("Groningen", 1))]
THRESHOLD = fact("nitrogen-threshold", day(0), number=5)
WEEK = 7
PERMITS = [
    (0, "apply(Chloe, first)"),
    (0, "approve(Chloe, first)"),
    (WEEK, "apply(Chloe, second)"),
    (3 * WEEK, "approve(Chloe, second)"),
    (3 * WEEK, "apply(Alice, Eindhoven)"),
    (3 * WEEK + 1, "deny(Alice, Eindhoven)"),
    (3 * WEEK + 1, "apply(Alice, Groningen)"),
    (3 * WEEK + 2, "deny(Alice, Groningen)"),
]


def test_an_application_must_be_considered_before_two_weeks_have_passed(tmp_path: Path) -> None:
    case = sampled(tmp_path, *PERMITS, facts=[*NITROGEN, THRESHOLD])
    inquiry = desk.ask(case, day(30))
    assert life_of(duty(inquiry, "consider-first")) == {"duty": "ended", "was_violated": False}
    assert life_of(duty(desk.ask(case, day(WEEK)), "consider-second")) == {"duty": "exists", "violated": False}
    late = sampled(tmp_path / "late", *PERMITS[:3], facts=[*NITROGEN, THRESHOLD])
    assert life_of(duty(desk.ask(late, day(3 * WEEK)), "consider-second")) == {"duty": "exists", "violated": True}
    assert life_of(duty(inquiry, "consider-second")) == {"duty": "ended", "was_violated": True}


def test_an_application_is_denied_only_where_there_are_grounds(tmp_path: Path) -> None:
    case = sampled(tmp_path, *PERMITS, facts=[*NITROGEN, THRESHOLD])
    assert duty(desk.ask(case, day(3 * WEEK)), "consider-Eindhoven").state == "owed"
    inquiry = desk.ask(case, day(30))
    assert faults(inquiry, "deny-Eindhoven") == [""]
    assert duty(inquiry, "consider-Eindhoven").status == "lapsed"
    assert faults(inquiry, "deny-Groningen") == ["the condition of @deny-Groningen did not hold"]
    assert duty(inquiry, "consider-Groningen").state == "owed"


def test_where_the_threshold_is_not_on_record_nobody_can_say_whether_there_are_grounds(tmp_path: Path) -> None:
    inquiry = desk.ask(sampled(tmp_path, *PERMITS, facts=NITROGEN), day(30))
    assert faults(inquiry, "deny-Eindhoven") == ["the condition of @deny-Eindhoven did not hold"]
    assert duty(inquiry, "consider-Eindhoven").state == "owed"


def test_data_are_collected_from_their_subject_and_with_consent(tmp_path: Path) -> None:
    facts = [fact(atom, day(0)) for atom in ("subject-of(Alice, A1)", "subject-of(Bob, B1)", "accurate(A1)", "accurate(B1)")]
    inquiry = desk.ask(sampled(tmp_path, (1, "consent(Alice)"), facts=facts), day(2))
    enabled = {
        pair: inquiry.holds(atom_of(f"may-collect({pair})"), inquiry.on).truth for pair in ("Alice, A1", "Bob, A1", "Bob, B1")
    }
    assert enabled == {"Alice, A1": Truth.TRUE, "Bob, A1": Truth.FALSE, "Bob, B1": Truth.FALSE}


# Dates and clocks.


def dated(into: Path, **events: str) -> Case:
    """The case of dates, with each event from a day on."""
    return run("dates", [fact(name.replace("_", "-"), start) for name, start in events.items()], into)


@pytest.mark.parametrize(
    ("name", "start", "due"),
    [
        ("month", "2019-01-31", "2019-02-28"),
        ("month", "2020-01-31", "2020-02-29"),
        ("month", "2018-04-30", "2018-05-30"),
        ("month", "2018-12-31", "2019-01-31"),
        ("six-months", "2019-08-31", "2020-02-29"),
        ("years", "2000-02-29", "2018-02-28"),
        ("days", "2002-09-30", "2019-01-01"),
    ],
)
def test_a_limit_counts_on_the_calendar_and_a_day_that_does_not_exist_is_the_last_of_its_month(
    name: str, start: str, due: str, tmp_path: Path
) -> None:
    case = dated(tmp_path, invoiced=start)
    assert duty(desk.ask(case, start), name).due[:10] == due
    assert [duty(desk.ask(case, on), name).state for on in (due, "2021-01-01")] == ["owed", "overdue"]


@pytest.mark.parametrize(("on", "expected"), [("2018-02-28", False), ("2018-03-01", True)])
def test_eighteen_years_after_the_29th_of_february(on: str, expected: bool, tmp_path: Path) -> None:
    # As published with its option to round up: looking back from 28 February one does not reach the 29th.
    inquiry = desk.ask(dated(tmp_path, born="2000-02-29"), on)
    assert (inquiry.holds(atom_of("of-age"), inquiry.on).truth is Truth.TRUE) == expected


def test_the_clock_stands_while_a_duty_is_suspended(tmp_path: Path) -> None:
    case = dated(tmp_path, invoiced="2019-01-31", hold="2019-02-10", release="2019-02-20")
    standing = duty(desk.ask(case, "2019-02-15"), "month")
    assert (standing.status, standing.due) == ("suspended", "within 1mo")
    after = duty(desk.ask(case, "2019-02-20"), "month")
    assert (after.status, after.state, after.due[:10]) == ("in force", "owed", "2019-03-10")
    assert duty(desk.ask(case, "2019-03-10"), "month").state == "owed"
    late = duty(desk.ask(case, "2019-03-11"), "month")
    assert (late.state, late.missed[:10]) == ("overdue", "2019-03-10")


def test_a_suspension_that_nothing_ends_never_lets_the_limit_pass(tmp_path: Path) -> None:
    life = duty(desk.ask(dated(tmp_path, invoiced="2019-01-31", hold="2019-02-10"), "2025-01-01"), "month")
    assert (life.status, life.missed) == ("suspended", "")


def test_what_is_done_before_its_earliest_day_counts_from_that_day(tmp_path: Path) -> None:
    case = dated(tmp_path, invoiced="2020-01-15", reported="2020-02-01")
    assert [duty(desk.ask(case, on), "earliest").state for on in ("2020-02-05", "2020-02-10")] == ["owed", "performed"]


def test_a_prohibition_until_a_date(tmp_path: Path) -> None:
    case = dated(tmp_path, told="2020-04-01")
    assert [duty(desk.ask(case, on), "silence").status for on in ("2020-03-31", "2020-04-01")] == ["in force", "lapsed"]
    assert duty(desk.ask(case, "2020-05-01"), "silence").missed == ""
    broken = duty(desk.ask(dated(tmp_path / "b", told="2020-03-31"), "2020-05-01"), "silence")
    assert (broken.status, broken.missed[:10]) == ("lapsed", "2020-03-31")


def test_a_suspension_for_so_long_at_most_ends_by_itself(tmp_path: Path) -> None:
    case = dated(tmp_path, pause="2020-02-01", told="2020-02-05")
    found = [duty(desk.ask(case, on), "silence").status for on in ("2020-01-31", "2020-02-01", "2020-02-11", "2020-02-12")]
    assert found == ["in force", "suspended", "suspended", "in force"]
    assert duty(desk.ask(case, "2020-02-08"), "silence").missed == ""


def test_what_went_wrong_during_a_suspension_and_stays_so_is_a_breach_from_when_the_duty_is_owed_again(tmp_path: Path) -> None:
    case = dated(tmp_path, pause="2020-02-01", told="2020-02-05")
    found = [duty(desk.ask(case, on), "silence") for on in ("2020-02-11", "2020-02-12", "2020-03-01")]
    assert [(life.state, life.missed[:10]) for life in found] == [
        ("not yet owed", ""),
        ("breached", "2020-02-12"),
        ("breached", "2020-02-12"),
    ]


def test_whoever_a_duty_is_delegated_to_performs_it_and_the_one_who_owes_stays_liable(tmp_path: Path) -> None:
    facts = [fact("invoiced", "2020-01-15"), fact("delegated(@month, to=C)", "2020-01-20")]
    case = run("dates", facts, tmp_path)
    before, after = (duty(desk.ask(case, on), "month").roles for on in ("2020-01-19", "2020-01-20"))
    assert (before.by, before.performer) == ("A", "A")
    assert (after.by, after.performer) == ("A", "C")
