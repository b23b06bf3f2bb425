"""The accounts of the example on days that matter: what a competent analyst would read off, and nothing known later."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from support import EXAMPLE
from tallybook import desk
from tallybook.board.holdings import NOT_NAMED, page
from tallybook.board.page import markdown, text
from tallybook.board.plot import plot
from tallybook.core.canonical import canonical
from tallybook.verdicts.holding import Holding
from tallybook.verdicts.holding_json import as_dict
from tallybook.verdicts.inquiry import Case, Inquiry, Question
from tallybook.verdicts.status import status_of

MISSILES, BOMBERS = "mrbm_missile", "il28_bomber"
DAYS = [
    "1962-10-20",
    "1962-11-03",
    "1962-11-07",
    "1962-11-09",
    "1962-11-10",
    "1962-11-12",
    "1962-11-21",
    "1962-12-10",
    "1963-01-08",
]
REPORT = re.compile(r"\b(?:OBS|COM|VES|INC|MEA)-\d+\b")


@cache
def opened() -> Case:
    return desk.open_case(EXAMPLE)


@cache
def account(item: str, on: str, known: str | None = None) -> Holding:
    held = desk.holdings(desk.ask(opened(), on, known), item)[0]
    assert isinstance(held, Holding)
    return held


@cache
def told(item: str, on: str, known: str | None = None) -> str:
    return text(page(account(item, on, known)))


@cache
def fields(item: str, on: str, known: str | None = None) -> dict[str, Any]:
    return as_dict(account(item, on, known))


def rows(item: str, on: str) -> dict[str, dict[str, Any]]:
    return {row["ship"]: row for row in fields(item, on)["ships"] if row["ship"]}


def test_nine_ships_with_declared_and_counted() -> None:
    found = fields(MISSILES, "1962-11-12")
    assert found["ships_named"] == len(found["ships"]) == 9
    assert found["ships_named_by"] == "OBS-118"
    assert [row["ship"] for row in found["ships"]].count(None) == 1
    assert sum(line.strip() == NOT_NAMED for line in told(MISSILES, "1962-11-12").splitlines()) == 1
    by_ship = {name: (row["declared"], row["counted"]) for name, row in rows(MISSILES, "1962-11-12").items()}
    assert by_ship == {
        "Metallurg Anosov": (8, 8),
        "Volgoles": (6, 7),
        "Bratsk": (2, 2),
        "Divnogorsk": (4, 4),
        "Fizik Kurchatov": (6, 6),
        "Labinsk": (2, 0),
        "Leninsky Komsomol": (8, 8),
        "Ivan Polzunov": (None, 5),
    }


def test_one_ship_two_short_and_one_over() -> None:
    found = rows(MISSILES, "1962-11-12")
    assert found["Labinsk"]["difference"] == -2
    assert found["Volgoles"]["difference"] == 1
    assert {name for name, row in found.items() if row["difference"] not in (0, None)} == {"Labinsk", "Volgoles"}
    assert re.search(r"^ +Labinsk +2 +0 +-2 +US Navy +OBS-143 +9 Nov 1962 +yes$", told(MISSILES, "1962-11-12"), re.MULTILINE)
    assert re.search(r"^ +Volgoles +6 +7 +\+1 ", told(MISSILES, "1962-11-12"), re.MULTILINE)


def test_a_minimum_and_a_figure_that_is_no_look_are_marked() -> None:
    found = rows(MISSILES, "1962-11-12")
    assert found["Ivan Polzunov"]["at_least"]
    assert not found["Leninsky Komsomol"]["is_look"]
    assert all(row["is_look"] for name, row in found.items() if name != "Leninsky Komsomol")
    assert re.search(r"^ +Ivan Polzunov +≥ 5 ", told(MISSILES, "1962-11-12"), re.MULTILINE)
    assert re.search(r"^ +Leninsky Komsomol .* no$", told(MISSILES, "1962-11-12"), re.MULTILINE)
    assert "32 on 7 ships are looks of the account" in told(MISSILES, "1962-11-12")


def test_the_thirty_eight_does_not_follow_from_the_ships() -> None:
    line = next(row for row in told(MISSILES, "1962-11-12").splitlines() if "38 counted by 9 Nov 1962 (OBS-142" in row)
    assert "the ships' rows known then add up to 27 on 6 ships" in line
    assert "with what is known now, to 35 on 7 ships" in line
    assert "it does not follow, 3 on no ship's row" in line
    total = next(t for t in fields(MISSILES, "1962-11-12")["totals"] if t["report"] == "OBS-142")
    assert not total["follows"]
    assert (total["low"], total["rows_then"], total["ships_then"], total["rows_now"], total["ships_now"]) == (38, 27, 6, 35, 7)


def test_all_that_was_declared_is_out_and_whether_that_was_all_is_open() -> None:
    found = fields(MISSILES, "1962-11-12")
    assert (found["declared"], found["declared_by"], found["removed"]) == (42, "OBS-123", [42, 42, 42])
    assert (found["correctness"], found["completeness"]) == ("verified", "unclear")
    assert found["remaining"][1] == 0
    assert found["remaining"][2] > 5
    assert found["p_none_left"] == pytest.approx(0.6, abs=0.02)
    assert found["p_nothing_undeclared"] == pytest.approx(found["p_nothing_undeclared_before"], abs=0.01)
    said = told(MISSILES, "1962-11-12")
    assert "42 missiles declared (OBS-123): 42 out; 0 left (90 % band 0 to 10); none left with probability 0.60 (likely)." in said
    assert "That no more than 42 were there is assumed with probability 0.6; no report moves it" in said
    assert "Correctness, was what was declared removed: VERIFIED" in said
    assert "Completeness, was that all there was: UNCLEAR" in said


def test_what_would_have_to_be_believed_for_one_to_be_left() -> None:
    said = told(MISSILES, "1962-11-12")
    assert "For one to be left it would have to be believed" in said
    assert "that 43 were there, 1 more than declared (42), and that 42 went out, as counted" in said


def test_an_estimate_and_a_sighting_stand_beside_the_declaration() -> None:
    found = fields(MISSILES, "1962-11-12")
    assert {(e["report"], e["kind"], e["low"]) for e in found["beside"]} == {
        ("OBS-095", "estimate", 48),
        ("OBS-096", "at_least", 33),
    }
    said = told(MISSILES, "1962-11-12")
    assert re.search(r"^ +estimate +48 +\+6 .* OBS-095 .*moves nothing$", said, re.MULTILINE)
    assert re.search(r"^ +at least there +≥ 33 +-9 .* OBS-096 ", said, re.MULTILINE)
    assert found["start"] == 42


@pytest.mark.parametrize("day", ["1962-11-21", "1963-01-08"])
def test_later_the_missiles_are_no_surer_to_have_been_all(day: str) -> None:
    found = fields(MISSILES, day)
    assert found["removed"] == [42, 42, 42]
    assert found["correctness"] == "verified"
    assert found["completeness"] != "verified"
    assert found["p_none_left"] < 0.61


def test_on_9_november_two_ships_are_on_no_row() -> None:
    found = fields(MISSILES, "1962-11-09")
    assert [row["ship"] for row in found["ships"]].count(None) == 2
    assert found["removed"] == [38, 38, 38]
    assert found["correctness"] == "indicated"
    assert rows(MISSILES, "1962-11-09")["Bratsk"]["declared"] is None
    assert "Ivan Polzunov" not in told(MISSILES, "1962-11-09")
    assert "15 Nov" not in told(MISSILES, "1962-11-09")


def test_on_3_november_there_is_a_promise_and_no_number() -> None:
    for item in (MISSILES, BOMBERS):
        found, said = fields(item, "1962-11-03"), told(item, "1962-11-03")
        assert (found["declared"], found["remaining"], found["p_none_left"]) == (None, None, None)
        assert found["removed"] == [0, 0, 0]
        assert found["ships"] == found["totals"] == found["looks"] == []
        assert "there is a promise" in said
        assert "how many are left cannot be said" in said


def test_the_bombers_on_21_november_are_promised_and_none_is_out() -> None:
    found, said = fields(BOMBERS, "1962-11-21"), told(BOMBERS, "1962-11-21")
    assert found["verdict"] == found["correctness"] == "claimed"
    assert found["removed"] == [0, 0, 0]
    assert "none counted out" in said
    assert "there is a promise, the word of the party that owes it (OBS-169, COM-68" in said
    assert "Okhotsk" not in said


def test_figures_that_cannot_be_used_are_not_passed_over() -> None:
    said = told(BOMBERS, "1962-12-10")
    assert "Figures on file that the account does not use speak of up to 42 out (VES-27, VES-28, OBS-181)." in said
    assert "its grade (none) cannot carry a number" in said
    assert fields(BOMBERS, "1963-01-08")["removed"][1] == 42


def known_ids(item: str, on: str, known: str | None = None) -> set[str]:
    return set(account(item, on, known).inquiry.view.reports)


@pytest.mark.parametrize("on", DAYS)
@pytest.mark.parametrize("item", [MISSILES, BOMBERS])
def test_every_report_named_was_known(item: str, on: str) -> None:
    held = account(item, on)
    everything = "\n".join([told(item, on), markdown(page(held, whole=True)), str(fields(item, on)), plot(held)])
    assert set(REPORT.findall(everything)) <= known_ids(item, on)


@pytest.mark.parametrize("on", DAYS)
@pytest.mark.parametrize("item", [MISSILES, BOMBERS])
def test_no_word_of_a_later_report_is_in_it(item: str, on: str) -> None:
    held = account(item, on)
    everything = "\n".join([told(item, on), markdown(page(held, whole=True)), str(fields(item, on))])
    known = known_ids(item, on)
    earlier = "\n".join(r.statement + r.who + r.vessel for name, r in opened().evidence.reports.items() if name in known)
    later = [r for name, r in opened().evidence.reports.items() if name not in known]
    words = {w for r in later for w in (r.statement, r.who, r.vessel) if len(w) > 12 and w not in earlier}
    assert [w for w in words if w in everything] == []


@pytest.mark.parametrize("on", ["1962-11-03", "1962-11-09", "1962-11-10", "1962-11-21"])
def test_what_came_later_changes_no_byte_of_the_account(on: str) -> None:
    from verdicts.test_two_clocks import without_later

    question = Question(account(MISSILES, on).inquiry.on, account(MISSILES, on).inquiry.question.known)
    bare = Inquiry(without_later(opened(), question.known), question, status_of)
    for item in (MISSILES, BOMBERS):
        held = desk.holdings(bare, item)[0]
        assert isinstance(held, Holding)
        assert canonical(as_dict(held)) == canonical(fields(item, on))


def test_a_later_look_back_says_so_and_sees_more() -> None:
    now, back = fields(MISSILES, "1962-11-09"), fields(MISSILES, "1962-11-09", "1962-11-21")
    assert rows(MISSILES, "1962-11-09")["Bratsk"]["declared"] is None
    assert next(r for r in back["ships"] if r["ship"] == "Bratsk")["declared"] == 2
    assert now["removed"] == back["removed"]
    head = told(MISSILES, "1962-11-09", "1962-11-21").splitlines()[1]
    assert "on 1962-11-09T23:59:59-05:00, as known by 1962-11-21T23:59:59-05:00" in head


@pytest.mark.parametrize("item", [MISSILES, BOMBERS])
def test_bands_run_day_by_day_to_the_day_asked_about(item: str) -> None:
    held = account(item, "1963-01-08")
    days = [band.day.date() for band in held.bands]
    assert days[-1].isoformat() == "1963-01-08"
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))
    assert sum(bool(band.looks) for band in held.bands) >= 2


def test_probabilities_are_probabilities_and_sum_to_one() -> None:
    for on in DAYS:
        for item in (MISSILES, BOMBERS):
            found = fields(item, on)
            for points in found["distributions"].values():
                assert sum(p for _, p in points) == pytest.approx(1, abs=1e-3)
            whole = [r["probability"] for r in found["readings"] if r["name"] in ("complete", "short", "not out")]
            assert not whole or sum(whole) == pytest.approx(1, abs=1e-9)
