"""The example against what a competent analyst concludes, and the same in spirit on other days."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import add_row, answer, drop_reports, hold_against, words
from tallybook import desk
from tallybook.cli.main import main
from tallybook.verdicts.inquiry import Case

EXPECTED = list(csv.DictReader(Path(__file__).with_name("expected-cuba-1962.csv").read_text("utf-8").splitlines()))
TELEGRAM = "1962-11-03T20:44-05:00"


def line(board: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in board["lines"] if entry["id"] == name)


def test_all_27_rows_are_there() -> None:
    assert len(EXPECTED) == 27


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: f"{row['date']}-{row['line']}")
def test_expected(row: dict[str, str], example: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    on = TELEGRAM if row["date"] == "1962-11-03" else row["date"]
    assert main(["board", str(example), "--json", "--on", on]) == 0
    found = line(json.loads(capfdbinary.readouterr().out), row["line"])
    hold_against(found, row)


def test_the_default_date_is_the_evening_of_the_telegram(case: Case) -> None:
    assert answer(case) == answer(case, TELEGRAM)


def test_before_the_telegram_was_on_file_the_older_reports_say_the_same(case: Case) -> None:
    """The telegram's own statements add nothing to the reports that they restate."""
    late = desk.board(desk.ask(case, TELEGRAM))
    early = desk.board(desk.ask(case, TELEGRAM, "1962-11-03T20:00-05:00"))
    for before, after in zip(early.lines, late.lines, strict=True):
        assert before.shown == after.shown
    for entry in early.lines:
        if entry.finding:
            assert not {
                i for i in entry.finding.ids("for") + entry.finding.ids("against") if i in {f"OBS-0{n}" for n in range(83, 90)}
            }


def test_proof_of_removal_before_and_after_the_telegram(case: Case) -> None:
    def methods(known: str) -> Any:
        proof: Any = desk.ask(case, known).in_force.provisions["proof-of-removal"]
        return proof.methods

    older = ["aerial-surveillance", "ground-inspection-after-removal"]
    assert methods("1962-10-31T12:45-05:00") is None
    assert methods("1962-11-03T20:43-05:00") == {"all": older}
    assert methods(TELEGRAM) == {"all": [*older, {"any": ["count-on-departing-ships", "equally-effective"]}]}


def test_alongside_observation_counts_from_the_agreement_on(case: Case) -> None:
    def includes(on: str) -> Any:
        method: Any = desk.ask(case, on).in_force.provisions["equally-effective"]
        return method.includes

    assert includes("1962-11-06") == ()
    assert includes("1962-11-07") == ("alongside-observation",)
    change = next(c for c in case.agreement.changes if c.in_ == "alongside-procedure")
    assert set(change.by) == {"US", "USSR"}
    assert change.ruling is not None
    assert change.ruling.by
    assert change.recorded_by


def test_correctness_is_not_verified_before_the_counts_are_on_file(case: Case) -> None:
    days = [f"1962-11-{day:02d}" for day in range(1, 11)]
    found = {d: line(answer(case, d), "missiles_removed")["quantity"]["correctness"] for d in days}
    assert "verified" not in found.values()
    assert line(answer(case, "1962-11-11"), "missiles_removed")["quantity"]["correctness"] == "verified"


def test_without_the_ruling_the_count_is_not_of_the_required_kind(copy: Callable[[], Path]) -> None:
    folder = copy()
    drop_reports(folder, lambda row: row.get("id") == "COM-54")
    board = answer(desk.open_case(folder), "1962-11-12")
    found = line(board, "missiles_removed")
    assert found["quantity"]["correctness"] != "verified"
    assert "count-on-departing-ships or equally-effective" in found["standard"]["methods_missing"]


def test_missiles_on_12_november(case: Case) -> None:
    found = line(answer(case, "1962-11-12"), "missiles_removed")
    assert found["verdict"] == "supported"
    assert found["standard"]["methods_missing"] == ["ground-inspection-after-removal"]
    assert "equally-effective" in found["standard"]["methods_met"]
    assert found["means"] == ["national", "cooperative"]
    assert found["quantity"]["declared"] == 42


def test_bombers_are_disputed_in_meaning_while_the_other_side_leaves_them_out(case: Case) -> None:
    found = line(answer(case, "1962-11-12"), "il28_bombers")
    assert (found["verdict"], found["about"]) == ("disputed", "meaning")
    assert found["readings"] == {"covered": "contradicted", "ussr": "not covered"}
    assert line(answer(case, "1962-11-12", reading="us"), "il28_bombers")["verdict"] == "contradicted"
    under = line(answer(case, "1962-11-12", reading="ussr"), "il28_bombers")
    assert (under["verdict"], under["state"]) == (None, "not covered")
    assert line(answer(case, TELEGRAM), "il28_bombers")["about"] == "evidence"
    assert line(answer(case, "1962-11-21"), "il28_bombers")["about"] == "evidence"


def test_lifting_was_not_owed_and_by_what_it_was_permitted(case: Case) -> None:
    board: Any = answer(case, "1962-11-20")
    found = next(m for m in board["measures"] if m["id"] == "naval_quarantine")
    assert (found["state"], found["owed"], found["standing"]) == ("lifted", False, "permitted")
    assert found["by_provision"] == "@lift-for-bomber-undertaking"
    assert "@removal" in found["waits_for"]
    assert "not owed" in line(board, "quarantine_status")["words"]
    owed = next(o for o in board["owed"] if o["id"] == "lift-quarantine")
    assert (owed["state"], owed["done_without_being_owed"]) == ("not yet owed", True)


def test_what_the_us_owes_on_12_november(case: Case) -> None:
    board: Any = answer(case, "1962-11-12")
    owed = {o["id"]: o for o in board["owed"] if o["by"] == "US" and o["to"] == "USSR"}
    assert {k: v["state"] for k, v in owed.items()} == {
        "lift-quarantine": "not yet owed",
        "no-invasion": "not yet owed",
        "win-others-over": "not yet owed",
    }
    assert owed["lift-quarantine"]["waits_for"] == ["@removal", "@safeguard-arrangements"]
    assert {"@removal", "@safeguard-arrangements", "@no-base"} == set(owed["no-invasion"]["waits_for"])
    theirs = {o["id"]: o["state"] for o in board["owed"] if o["by"] == "USSR"}
    assert theirs["removal"] == "owed"


def test_every_item_class_under_removal_has_a_verdict_of_its_own(case: Case) -> None:
    board: Any = answer(case, "1962-11-12")
    items = next(d for d in board["duties"] if d["id"] == "removal")["items"]
    wanted = {
        "offensive_missile",
        "missile_support",
        "bomber",
        "bomber_equipment",
        "nuclear_warhead",
        "military_base",
        "missile_base",
    }
    assert {i["item"] for i in items} == wanted
    assert next(i for i in items if i["item"] == "bomber_equipment")["verdict"] in ("disputed", "no evidence")
    early: Any = answer(case, TELEGRAM)
    first = next(d for d in early["duties"] if d["id"] == "removal")["items"]
    assert next(i for i in first if i["item"] == "bomber_equipment")["verdict"] == "no evidence"


def test_a_copy_without_photographs_is_weaker(copy: Callable[[], Path]) -> None:
    folder = copy()
    gone = drop_reports(folder, lambda row: row.get("method") == "aerial_photography")
    assert len(gone) > 80
    board = answer(desk.open_case(folder), TELEGRAM)
    assert line(board, "missile_bases_dismantled")["verdict"] in ("claimed", "no evidence")
    assert line(board, "il28_bombers")["verdict"] in ("claimed", "no evidence", "unclear")
    assert line(board, "submarine_facility")["verdict"] == "no evidence"


NAMES = {
    "Cuba": "Ruritania",
    "cuba": "ruritania",
    "USSR": "NORLAND",
    "Soviet": "Norlandic",
    "ussr": "norland",
    "Khrushchev": "Oblonsky",
    "Castro": "Rassendyll",
    "missile": "gadget",
    "Missile": "Gadget",
    "il28": "zz9",
    "IL-28": "ZZ-9",
    "mrbm": "qrst",
    "quarantine": "cordon",
    "submarine": "bathtub",
    "San Julian": "Hentzau",
    "san-julian": "hentzau",
    "Volgoles": "Flavia",
    "Anosov": "Strelsau",
    "Labinsk": "Zenda",
    "Gilpatric": "Tarlenheim",
    "OBS-": "SEEN/",
    "COM-": "SAID.",
    "MEA-": "DONE_",
    "INC-": "EVENT-",
    "VES-": "HULL-",
    "S-": "Q-",
    "sam_site": "hedge_site",
    "1189": "7007",
}


@pytest.mark.slow
def test_a_renamed_copy_gives_the_same_words(copy: Callable[[], Path], example: Path) -> None:
    folder = copy()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_text("utf-8")
            for old, new in NAMES.items():
                text = text.replace(old, new)
            path.write_text(text, "utf-8")
    for path in sorted(folder.rglob("*1189*"), reverse=True):
        path.rename(path.with_name(path.name.replace("1189", "7007")))
    dates = ["1962-10-25", "1962-10-30", TELEGRAM, "1962-11-09", "1962-11-12", "1962-11-21", "1962-12-12", "1963-01-08"]
    assert words(folder, dates) == words(example, dates)


@pytest.mark.parametrize(
    "day", ["1962-10-20", "1962-10-29", "1962-11-02", "1962-11-07", "1962-11-12", "1962-12-03", "1963-01-08", "2013-01-01"]
)
def test_ids_are_rows_known_by_then_and_on_one_side_only(case: Case, day: str) -> None:
    known = desk.ask(case, day).question.known
    board: Any = answer(case, day)
    for entry in board["lines"]:
        for name in ("supporting", "against"):
            assert len(entry[name]) <= 25
            assert all(case.evidence.reports[i].known.last <= known for i in entry[name])
        assert not set(entry["supporting"]) & set(entry["against"])


def test_strongest_first(case: Case) -> None:
    from tallybook.verdicts.weigh import strength

    for entry in desk.board(desk.ask(case, "1962-11-12")).lines:
        if entry.finding:
            order = {w.report.id: strength(w) for w in entry.finding.weighed}
            for name in ("for", "against"):
                ids = entry.finding.ids(name)
                assert [order[i] for i in ids] == sorted((order[i] for i in ids), reverse=True)


# Days between and after those of the table: the claims of a competent analyst, from the same rows.
OTHER_DAYS = [
    ("1962-10-25", "missile_bases_dismantled", {"contradicted"}),
    ("1962-10-29T12:00-05:00", "missile_bases_dismantled", {"claimed", "no evidence"}),
    ("1962-10-31", "missile_bases_dismantled", {"unclear", "indicated", "claimed"}),
    ("1962-11-05", "missiles_removed", {"claimed", "unclear", "no evidence"}),
    ("1962-11-09", "missiles_removed", {"indicated"}),
    ("1962-11-11", "missiles_removed", {"supported"}),
    ("1962-11-09", "il28_bombers", {"contradicted", "disputed"}),
    ("1962-11-15", "il28_bombers", {"contradicted", "disputed"}),
    ("1962-12-04", "il28_bombers", {"indicated"}),
    ("1963-01-08", "il28_bombers", {"supported"}),
    ("1962-11-30", "submarine_facility", {"no evidence"}),
    ("1963-01-08", "sam_sites", {"contradicted"}),
    ("1963-01-08", "verification_arrangements", {"contradicted", "unclear"}),
    ("1963-01-08", "reintroduction_safeguards", {"contradicted", "unclear"}),
    ("1962-11-07", "reintroduction_safeguards", {"contradicted", "unclear"}),
    ("1962-11-16", "aerial_surveillance_safety", {"contradicted"}),
]


@pytest.mark.parametrize(("on", "name", "accept"), OTHER_DAYS)
def test_other_days(case: Case, on: str, name: str, accept: set[str]) -> None:
    assert line(answer(case, on), name)["verdict"] in accept


STATES = [
    ("1962-10-22", "announced"),
    ("1962-10-28", "active"),
    ("1962-10-30", "suspended"),
    ("1962-11-02", "relaxed_hail_and_pass"),
]


@pytest.mark.parametrize(("on", "state"), STATES)
def test_states_of_the_quarantine(case: Case, on: str, state: str) -> None:
    assert line(answer(case, on), "quarantine_status")["state"] == state


def test_nothing_is_ever_verified_in_this_case(case: Case) -> None:
    for day in ("1962-11-12", "1962-11-21", "1962-12-12", "1963-01-08", "1963-02-06"):
        board: Any = answer(case, day)
        assert all(entry["verdict"] != "verified" for entry in board["lines"])
        assert line(board, "missiles_removed")["quantity"]["completeness"] != "verified"


def test_nothing_is_out_before_it_left_however_late_the_reports(case: Case) -> None:
    """A report of a long span that ends in all being out says nothing of the days before its end."""
    for on in ("1962-07-15", "1962-10-30", "1962-11-05", "1962-11-10"):
        board = answer(case, on, "2013-01-01")
        assert line(board, "missiles_removed")["verdict"] != "supported"
        assert line(board, "il28_bombers")["verdict"] != "supported"


def test_a_later_count_of_a_part_does_not_take_from_the_total(copy: Callable[[], Path]) -> None:
    folder = copy()
    seen = "S-MEM,ship_count,US Navy,Atlantic,Nemo,mrbm_missile,counted_on_ship,2,2,2,x,A2,x,page,"
    add_row(folder, "observations", f"OBS-900,1962-11-12,1962-11-12,1962-11-12,{seen}")
    found = line(answer(desk.open_case(folder), "1962-11-12"), "missiles_removed")
    assert found["quantity"]["removed"][:2] == [42, 42]


def test_a_total_without_a_declaration_says_nothing_of_what_is_left(case: Case) -> None:
    found = line(answer(case, "1963-01-10"), "il28_bombers")["quantity"]
    assert found["removed"][1] == 42
    # Nobody declared how many there were, so how many are left cannot be said.
    assert (found["declared"], found["remaining"], found["p_none_left"]) == (None, None, None)


def test_one_weak_count_verifies_nothing(copy: Callable[[], Path]) -> None:
    folder = copy()
    table = folder / "reports" / "observations.csv"
    text = table.read_text("utf-8")
    for grade in ("A1", "A2", "A3", "B1", "B2", "B3", "C2"):
        text = text.replace(f",{grade},", ",C3,")
    table.write_text(text, "utf-8")
    assert line(answer(desk.open_case(folder), "1962-11-12"), "missiles_removed")["quantity"]["correctness"] != "verified"


def test_a_look_that_finds_none_left_can_settle_completeness(copy: Callable[[], Path]) -> None:
    folder = copy()
    seen = "S-MEM,ground_inspection,UN,Cuba,,mrbm_missile,absent,0,0,0,none found,A1,x,page,"
    add_row(folder, "observations", f"OBS-901,1962-11-12,1962-11-12,1962-11-12,{seen}")
    bearings = folder / "reports" / "bearings.csv"
    reading = (
        "OBS-901,missiles_removed,for,whole,act,,,,still_there,somebody,,1962-11-12,the whole was looked at and none found\n"
    )
    bearings.write_text(bearings.read_text("utf-8") + reading, "utf-8")
    found = line(answer(desk.open_case(folder), "1962-11-12"), "missiles_removed")
    assert found["quantity"]["p_none_left"] > 0.95
    assert found["standard"]["methods_missing"] == []


def test_readings_that_give_one_word_are_no_dispute(case: Case) -> None:
    board = answer(case, "1962-11-12")
    for duty in board["duties"]:
        for item in duty["items"]:
            if item["item"] == "military_base":
                assert item["verdict"] != "disputed"


def test_the_telegram_says_nothing_before_it_was_sent(case: Case) -> None:
    for on in ("1962-10-29", "1962-11-03T20:43-05:00"):
        for entry in answer(case, on)["owed"]:
            assert "1189" not in entry["text"]
        for name in ("missiles_removed", "@removal", "@no-introduction"):
            leaves = [leaf for tree in desk.why(desk.ask(case, on), name).trees for leaf in tree.leaves()]
            assert all(leaf.instrument != "1189" for leaf in leaves)


def test_guidance_of_one_reading_is_not_owed_under_another(case: Case) -> None:
    owed = {entry["id"] for entry in answer(case, "1962-11-12", reading="ussr")["owed"]}
    assert "removal" in owed
    assert not owed & {"no-base", "cuban-cooperation", "win-others-over"}


def test_an_incident_known_decades_later_is_no_record_of_the_time(case: Case) -> None:
    from tallybook.verdicts.weigh import is_record_of_the_time

    reports = case.evidence.reports
    assert is_record_of_the_time(reports["INC-36"])
    assert not is_record_of_the_time(reports["INC-47"])
    assert not is_record_of_the_time(reports["OBS-063"])


@pytest.mark.parametrize(("on", "state"), [("1962-12-19", "owed"), ("1962-12-25", "overdue"), ("1963-01-08", "owed")])
def test_a_term_that_passed(case: Case, on: str, state: str) -> None:
    """Overdue while little shows it done; still owed, and not overdue, once there is good evidence short of the proof."""
    found = next(entry for entry in answer(case, on)["owed"] if entry["id"] == "bomber-withdrawal")
    assert (found["state"], found["due"]) == (state, "1962-12-20")
