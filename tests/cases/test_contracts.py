"""Contracts with the answers published for them: duties, powers, suspension, termination, survival, assignment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.published import HERE, day, duty, fact, facts_of, opened, published, run, runs, status
from tallybook import desk
from tallybook.agreement.provision import Power
from tallybook.commitments.ending import agreement_status
from tallybook.commitments.powers import uses
from tallybook.core.truth import Truth
from tallybook.verdicts.board import board_json
from tallybook.verdicts.inquiry import Inquiry

SALE = published("05")
FOLDERS = sorted(path.parent.name for path in HERE.glob("*/agreement.yaml"))
SALE_TRACES = {trace["name"]: trace for trace in SALE["traces"]}


def asked(trace: dict[str, Any], into: Path, on: int) -> Inquiry:
    """A run of the sale, asked about on a day."""
    facts = []
    for event in trace["events"]:
        named = ", ".join(f"{key}={value}" for key, value in event.items() if key not in ("t", "event"))
        facts.append(fact(f"{event['event']}({named})" if named else event["event"], day(event["t"])))
    return desk.ask(run("sale-of-goods", facts, into), day(on))


def state(inquiry: Inquiry, norm: str) -> str:
    """The state of a norm in the words of the published case."""
    if norm == "contract":
        return agreement_status(inquiry).status
    kind = inquiry.in_force.provisions[norm].kind
    if kind != "duty":
        used = inquiry.status("used", f"@{norm}", inquiry.on).truth is Truth.TRUE
        return "used" if used else status(inquiry, norm)
    life = duty(inquiry, norm)
    if life.missed:
        return "violated"
    return "fulfilled" if life.state == "performed" else life.status


@pytest.mark.parametrize("folder", FOLDERS)
def test_check_finds_nothing(folder: str) -> None:
    read = desk.check_case(HERE / folder)
    assert (read.faults, read.notes) == ([], [])


def test_the_parameters_of_the_sale_are_those_published() -> None:
    provisions: Any = opened("sale-of-goods").agreement.provisions
    by = {p.id: p for p in provisions}
    parameters = SALE["parameters"]
    assert by["delivery"].by == day(parameters["delivery_due"] - 1)
    assert by["payment"].by == day(parameters["payment_due"] - 1)
    assert by["terminate"].from_ == day(parameters["termination_after"])
    assert by["seller-secrecy"].until == day(parameters["secrecy_until"])
    assert set(by) == {norm["id"] for norm in SALE["norms"]}
    for norm in SALE["norms"]:
        debtor = SALE["parties"][norm["debtor" if norm["kind"] == "obligation" else "holder"]]
        assert debtor == (by[norm["id"]].owed.by if norm["kind"] == "obligation" else by[norm["id"]].holder)
        assert by[norm["id"]].survives == norm.get("survives_termination", False)


@pytest.mark.parametrize("name", SALE_TRACES)
def test_the_sale_ends_as_published(name: str, tmp_path: Path) -> None:
    trace = SALE_TRACES[name]
    inquiry = asked(trace, tmp_path, SALE["as_of"])
    assert {e["norm"]: state(inquiry, e["norm"]) for e in trace["expected"]} == {e["norm"]: e["state"] for e in trace["expected"]}


# Further samples of the same project.

SAMPLES = [(folder, name) for folder in ("freight", "energy") for name in runs(folder)]


@pytest.mark.parametrize(("folder", "name"), SAMPLES)
def test_a_sample_ends_as_published(folder: str, name: str, tmp_path: Path) -> None:
    entry = runs(folder)[name]
    inquiry = desk.ask(run(folder, facts_of(entry), tmp_path))
    assert {norm: state(inquiry, norm) for norm in entry["expected"]} == entry["expected"]
    for norm, party in entry.get("owed_to", {}).items():
        assert duty(inquiry, norm).roles.to == party
    for norm, parties in entry.get("performers", {}).items():
        held = duty(inquiry, norm).roles
        assert sorted({held.by, held.performer}) == parties
    for norm in entry.get("late", ()):
        assert (duty(inquiry, norm).state, duty(inquiry, norm).late) == ("performed", True)


# What follows from the sale besides.


def test_a_disclosure_breaks_secrecy_on_the_day_it_happens(tmp_path: Path) -> None:
    (trace,) = (t for t in SALE["traces"] if t["name"] == "seller discloses")
    told = trace["events"][-1]["t"]
    assert f"day {told}" in trace["note"]
    case = asked(trace, tmp_path, told).case
    assert duty(desk.ask(case, day(told - 1)), "seller-secrecy").state == "owed"
    for on in (told, told + 1, SALE["as_of"]):
        life = duty(desk.ask(case, day(on)), "seller-secrecy")
        assert (life.state, life.missed[:10]) == ("breached", day(told))
        assert duty(desk.ask(case, day(on)), "buyer-secrecy").state == "owed"


def test_after_resumption_a_date_that_passed_meanwhile_needs_a_new_one(tmp_path: Path) -> None:
    inquiry = asked(SALE_TRACES["paid late, delivery resumed"], tmp_path, SALE["as_of"])
    life = duty(inquiry, "delivery")
    assert (life.state, life.missed) == ("owed", "")
    assert life.remark == "its date passed while it was suspended; a new one is needed"
    on = [duty(desk.ask(inquiry.case, day(n)), "delivery").status for n in (7, 8, 17, 18)]
    assert on == ["in force", "suspended", "suspended", "in force"]


def test_secrecy_outlasts_termination_and_nothing_else_does(tmp_path: Path) -> None:
    inquiry = asked(SALE_TRACES["buyer terminates"], tmp_path, 30)
    left = [p.id for p in inquiry.in_force.provisions.values() if status(inquiry, p.id) == "in force"]
    assert left == ["terminate", "seller-secrecy", "buyer-secrecy"]
    assert agreement_status(inquiry).since[:10] == day(21)


def test_the_board_says_how_the_agreement_ended(tmp_path: Path) -> None:
    for n, (name, expected) in enumerate((("buyer terminates", "terminated"), ("all performed", "completed"))):
        assert {"norm": "contract", "state": expected} in SALE_TRACES[name]["expected"]
        inquiry = asked(SALE_TRACES[name], tmp_path / str(n), SALE["as_of"])
        assert board_json(desk.board(inquiry))["agreement"]["status"] == expected


def sale(into: Path, on: int, *events: tuple[int, str]) -> Inquiry:
    return desk.ask(run("sale-of-goods", [fact(atom, day(n)) for n, atom in events], into), day(on))


def faults(inquiry: Inquiry, name: str) -> list[str]:
    power = inquiry.in_force.provisions[name]
    assert isinstance(power, Power)
    return [use.fault for use in uses(inquiry, power)]


SUSPEND, RESUME = "suspend(what=delivery, by=greatArgMeat)", "resume(what=delivery, by=eatMart)"


def test_a_power_used_before_it_is_held_does_nothing(tmp_path: Path) -> None:
    early = sale(tmp_path / "a", 9, (5, SUSPEND))
    assert faults(early, "suspend-delivery") == ["the condition of @suspend-delivery did not hold"]
    assert duty(early, "delivery").status == "in force"
    ended = sale(tmp_path / "b", 30, (19, "terminate(by=eatMart)"))
    assert faults(ended, "terminate") == ["@terminate was not in force"]
    assert agreement_status(ended).status == "in force"
    unpaid = sale(tmp_path / "c", 30, (8, SUSPEND), (9, RESUME))
    assert faults(unpaid, "resume-delivery") == ["the condition of @resume-delivery did not hold"]
    assert duty(unpaid, "delivery").status == "suspended"


def test_goods_delivered_while_delivery_is_suspended_are_delivered(tmp_path: Path) -> None:
    goods = "deliver(by=greatArgMeat, quality=aaa, address=saintLaurent)"
    assert duty(sale(tmp_path, 30, (8, SUSPEND), (9, goods)), "delivery").state == "performed"
