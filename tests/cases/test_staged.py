"""A case with stages against accounts written by hand, and against what was known when."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from support import add_row
from tallybook import desk
from tallybook.agreement.claim import Claim
from tallybook.errors import CaseFaultsError
from tallybook.holdings.engine import solve
from tallybook.holdings.model import Account, ItemClass, Look, Stage, Uniform
from tallybook.holdings.plan import Plan, Range
from tallybook.holdings.unknown import solved
from tallybook.verdicts.account_faults import account_faults
from tallybook.verdicts.finding import find
from tallybook.verdicts.inquiry import Case, Inquiry
from tallybook.verdicts.staged import StagedBooks, StagedHolding, is_staged, staged_books, staged_holding

FOLDER = Path(__file__).parent / "staged-withdrawal" / "case"
A1, B2 = 0.9872545979456329, 10 / 11
ITEM = "launcher"


@cache
def opened() -> Case:
    return desk.open_case(FOLDER)


def claim_of(case: Case) -> Claim:
    return next(c for c in case.agreement.claims if c.id == "launchers_out")


def asked(on: str, known: str | None = None, case: Case | None = None) -> tuple[Inquiry, Claim]:
    case = case or opened()
    return desk.ask(case, on, known), claim_of(case)


def books(on: str, known: str | None = None, case: Case | None = None) -> StagedBooks:
    inquiry, claim = asked(on, known, case)
    return staged_books(inquiry, claim, find(inquiry, claim).weighed)


def holding(on: str, known: str | None = None, case: Case | None = None) -> StagedHolding:
    inquiry, claim = asked(on, known, case)
    return staged_holding(inquiry, claim, find(inquiry, claim).weighed)


@cache
def last() -> StagedHolding:
    return holding("2031-04-20")


def changed(**parts: object) -> Case:
    """The case with another plan."""
    plan: Plan = replace(opened().plans[ITEM], **parts)  # type: ignore[arg-type]
    return replace(opened(), plans=MappingProxyType({ITEM: plan}))


def edited(folder: Path, *rows: str, old: str = "", new: str = "") -> Case:
    """The case with more observations, or with some text of them replaced."""
    shutil.copytree(FOLDER, folder / "case")
    path = folder / "case" / "reports" / "observations.csv"
    if old:
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
    for row in rows:
        add_row(folder / "case", "observations", row)
    return desk.open_case(folder / "case")


def undeclared(none: float = 0.6, mean: float = 3.0) -> tuple[float, ...]:
    tail = (1 - 1 / mean) ** np.arange(69)
    return (none, *((1 - none) * tail / tail.sum()))


def by_hand(last_day: int, *names: str) -> Account:
    """The account of the case, not by way of its reports. `names`: the looks that are on file."""
    air: dict[str, object] = {"p": 0.7, "phi": 0.3, "trust": B2}
    watch: dict[str, object] = {"p": 0.85, "phi": 0.1, "trust": A1}
    train: dict[str, object] = {"p": 1.0, "trust": A1, "leaving": True}
    gate: dict[str, object] = {"p": 0.9, "phi": 0.05, "trust": B2, "leaving": True}
    rows: dict[str, tuple[int, str, int, dict[str, object]]] = {
        "air 0": (0, "depot", 16, air | {"in_pass": "0"}),
        "air 5": (5, "depot", 12, air | {"in_pass": "5"}),
        "air 5 at the railhead": (5, "railhead", 2, air | {"in_pass": "5"}),
        "watch 7": (7, "railhead", 4, watch),
        "train 1": (8, "train", 6, train),
        "halls": (10, "depot", 11, {"p": 0.95, "trust": A1 * A1}),
        "air 12": (12, "depot", 3, air | {"in_pass": "12"}),
        "air 12 at the railhead": (12, "railhead", 1, air | {"in_pass": "12"}),
        "train 2": (14, "train", 5, train),
        "train 2 at the gate": (14, "train", 5, gate),
        "watch 19": (19, "railhead", 3, watch),
        "train 3": (20, "train", 6, train),
        "air 24": (24, "depot", 3, air | {"in_pass": "24"}),
        "train 4": (25, "train", 0, train),
        "train 5": (30, "train", 4, train),
        "watch 35": (35, "railhead", 1, watch),
        "watch 38": (38, "railhead", 0, watch),
        "train 6": (36, "train", 3, train),
        "air 40": (40, "depot", 0, air | {"in_pass": "40"}),
        "air 40 at the railhead": (40, "railhead", 0, air | {"in_pass": "40"}),
        "halls 48": (48, "depot", 0, {"p": 0.95, "trust": A1}),
    }
    wanted = names or tuple(rows)
    looks = []
    for name in wanted:
        day, stage, count, how = rows[name]
        days = ((38, 0.5), (39, 0.5)) if name == "watch 38" else ((day, 1.0),)
        looks.append(Look(name, days, stage, ((ITEM, count),), span=33, **how))  # type: ignore[arg-type]
    visibility = ((1.0, 0.7), (0.4, 0.3))
    passes = {look.in_pass: visibility for look in looks if look.in_pass}
    sailings = {look.days[0][0]: Uniform() for look in looks if look.leaving}
    stages = (Stage("depot", 0.1), Stage("railhead", 0.35), Stage("train", 0.01, on_day=sailings))
    return Account((ItemClass(ITEM, 24, undeclared(), stages, 0.01),), last_day, tuple(looks), passes)


FIRST = ("air 0", "air 5", "air 5 at the railhead", "watch 7", "train 1")


def test_the_whole_account_is_the_one_written_by_hand() -> None:
    exact = solve(by_hand(50), 1e-8)
    found = last()
    assert found.p_none_left == pytest.approx(exact.p_none_left, rel=1e-6)
    assert found.p_no_arrivals == pytest.approx(exact.p_no_arrivals, rel=1e-6)
    assert found.p_nothing_undeclared == pytest.approx(exact.p_nothing_undeclared, rel=1e-6)
    assert [d.mean for d in found.left] == pytest.approx(list(exact.classes[ITEM].mean_left), rel=1e-6)
    assert [d.p_none for d in found.left] == pytest.approx(list(exact.classes[ITEM].p_none_left_on), rel=1e-6, abs=1e-12)
    assert found.books.p_none_left == pytest.approx(exact.p_none_left, rel=1e-4)


def test_an_early_account_is_the_one_written_by_hand() -> None:
    exact = solved(by_hand(9, *FIRST), 1e-8).average
    found = books("2031-03-10")
    pmf = exact.classes[ITEM].left_by_day[9]
    sums = pmf.cumsum()
    points = tuple(int(np.searchsorted(sums, p)) for p in (0.05, 0.5, 0.95))
    assert found.remaining == points
    assert found.removed[:2] == (6, 6)
    assert found.p_none_left == pytest.approx(0, abs=1e-8)


def test_stages_add_up_to_what_is_left() -> None:
    found = last()
    assert [s.stage for s in found.stages] == ["depot", "railhead", "train"]
    for day, left in enumerate(found.left):
        assert sum(s.days[day].mean for s in found.stages) == pytest.approx(left.mean, rel=1e-5)
    assert found.left[0].date == date(2031, 3, 1)
    assert found.left[-1].date == date(2031, 4, 20)


def test_what_is_a_look_and_what_is_not() -> None:
    found = last()
    looks = {row.look.name: row.look for row in found.looks}
    assert looks["OBS-08 + OBS-09"].low == 11
    assert looks["OBS-08 + OBS-09"].days == ((10, 1.0),)
    assert looks["OBS-12"].days == looks["OBS-13"].days == ((14, 1.0),)
    assert looks["OBS-19"].low == 0
    assert looks["OBS-24"].days == ((38, 0.5), (39, 0.5))
    assert looks["OBS-04"].in_pass == looks["OBS-05"].in_pass != looks["OBS-10"].in_pass
    why = {u.report: u.why for u in found.unused}
    assert set(why) == {"OBS-02", "OBS-14", "OBS-15", "OBS-21", "OBS-25"}
    assert why["OBS-02"] == "reports/observations.csv:3: its day, 2031-02-26, is before the first, 2031-03-01"
    assert why["OBS-14"] == "one sighting with OBS-12"
    assert why["OBS-15"].startswith("reports/observations.csv:16: ")
    assert "aldmoor-south not looked at" in why["OBS-21"]
    assert "declaration, not a look" in why["OBS-25"]
    assert found.declared == 24
    assert found.declared_by == "OBS-01"


def test_what_each_look_contributes() -> None:
    found = last()
    rows = {row.look.name: row for row in found.looks}
    everything = by_hand(50)
    without = replace(everything, looks=tuple(k for k in everything.looks if k.name != "watch 35"))
    assert rows["OBS-22"].p_none_left_without == pytest.approx(solve(without, 1e-8).p_none_left, rel=1e-3)
    assert found.p_none_left_at_means == pytest.approx(found.p_none_left, rel=1e-3)
    assert all(row.as_surprising is None or 0 < row.as_surprising <= 1 for row in found.looks)


def test_a_count_that_does_not_fit_is_surprising(tmp_path: Path) -> None:
    case = edited(tmp_path, old="Sorn railhead,,launcher,waiting,3", new="Sorn railhead,,launcher,waiting,17")
    rows = {row.look.name: row for row in holding("2031-03-22", case=case).looks}
    surprise = rows["OBS-16"].as_surprising
    assert surprise is not None
    assert surprise < 1e-6
    assert all(row.as_surprising is None or row.as_surprising > 0.01 for name, row in rows.items() if name != "OBS-16")


def test_days_without_looks() -> None:
    found = last()
    assert date(2031, 3, 2) in found.days_without_looks
    assert date(2031, 3, 9) not in found.days_without_looks
    assert len(found.days_without_looks) == 51 - len({d for row in found.looks for d in row.dates})


def test_a_late_sheet_counts_for_its_day_from_when_it_was_known() -> None:
    early, before, after = (books("2031-04-10", known) for known in ("2031-04-10", "2031-04-14", "2031-04-15"))
    # The flight of 10 April is known from the 11th.
    assert "OBS-26" not in early.reports
    assert "OBS-26" in before.reports
    assert "OBS-23" not in before.reports
    assert "OBS-23" in after.reports
    assert before.removed[1] < after.removed[1] == 24
    assert before.p_none_left is not None
    assert after.p_none_left is not None
    assert after.p_none_left > 20 * before.p_none_left
    assert books("2031-04-05", "2031-04-20").removed == books("2031-04-05", "2031-04-14").removed


def test_nothing_known_later_is_in_an_answer() -> None:
    for on in ("2031-03-10", "2031-03-22", "2031-04-10"):
        inquiry, _ = asked(on)
        known = {r.id for r in inquiry.view.reports.values()}
        assert set(books(on).reports) <= known


def test_the_zone_of_the_case_says_which_day_it_is(tmp_path: Path) -> None:
    # 23:30 UTC on 4 April is the 5th in the case's summer time.
    row = "2031-04-05,2031-04-05,S-MIS,watch,Mission,Sorn railhead,,launcher,waiting,1"
    case = edited(tmp_path, old=row, new=row.replace("2031-04-05,2031-04-05", "2031-04-04T23:30Z,2031-04-04T23:30Z"))
    found = books("2031-04-10", case=case)
    assert next(k for k in found.compiled.looks if k.name == "OBS-22").days == ((35, 1.0),)


def test_before_the_first_day_there_is_no_staged_account() -> None:
    assert not is_staged(*asked("2031-02-28"))
    assert is_staged(*asked("2031-03-01"))
    found = books("2031-03-01")
    assert found.compiled.last_day == 0
    assert found.removed == (0, 0, 0)


def test_ranges_are_integrated_and_said() -> None:
    plan = opened().plans[ITEM]
    depot = replace(plan.stages[0], leaves=Range(0.05, 0.2))
    case = changed(stages=(depot, *plan.stages[1:]))
    found = holding("2031-03-22", case=case)
    assert [i.name for i in found.integrated] == ["leaves depot per day"]
    only = found.integrated[0]
    assert (only.low, only.high) == pytest.approx((0.05, 0.2))
    assert 0.05 < only.found.mean < 0.2
    assert [s.parameter for s in found.swings] == ["leaves depot per day"]
    assert [p.none for p in found.other_priors] == [0.1, 0.5, 0.9]
    assert "quadrature" in found.method
    narrow = replace(plan.stages[0], leaves=Range(0.0999999, 0.1000001))
    near = books("2031-03-22", case=changed(stages=(narrow, *plan.stages[1:])))
    assert near.remaining == books("2031-03-22").remaining


def test_other_priors_are_other_accounts() -> None:
    found = {p.none: p.p_none_left for p in last().other_priors}
    assert sorted(found) == [0.1, 0.5, 0.9]
    for none, p in found.items():
        account = by_hand(50)
        item = replace(account.classes[0], undeclared=undeclared(none))
        assert p == pytest.approx(solve(replace(account, classes=(item,)), 1e-8).p_none_left, rel=1e-4)


ROW = "OBS-90,2031-03-22,{day},{day},S-MIS,watch,Mission,{place},{ship},launcher,{stage},{count},,,A sheet,A1,sheet 90,invented,"


def test_a_ship_in_two_places_on_one_day_is_a_fault(tmp_path: Path) -> None:
    row = ROW.format(day="2031-03-21", place="Kelm", ship="Train 3", stage="departed", count=6)
    with pytest.raises(CaseFaultsError) as told:
        edited(tmp_path, row)
    faults = told.value.faults
    assert [(f.file, f.line, f.field) for f in faults] == [("reports/observations.csv", 30, "place")]
    assert "OBS-17 (line 18)" in faults[0].what
    assert account_faults(opened()) == []


def test_half_a_launcher_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(CaseFaultsError) as told:
        edited(tmp_path, ROW.format(day="2031-03-21", place="Sorn railhead", ship="", stage="waiting", count=1.5))
    assert [(f.line, f.field, f.what) for f in told.value.faults] == [(30, "count", "1.5 is no whole number of items")]


def test_a_second_look_is_not_a_sum(tmp_path: Path) -> None:
    row = ROW.format(day="2031-03-20", place="Sorn railhead", ship="", stage="waiting", count=3).replace("Mission,", "Guard,")
    two = books("2031-03-22", case=edited(tmp_path, row))
    looks = [k for k in two.compiled.looks if k.days == ((19, 1.0),)]
    assert [k.low for k in looks] == [3, 3]
    assert two.remaining is not None
    assert two.remaining[2] <= 10


def test_two_runs_give_the_same_bytes() -> None:
    first, second = (staged_books(*asked("2031-03-22"), find(*asked("2031-03-22")).weighed) for _ in range(2))
    assert repr(first) == repr(second)
