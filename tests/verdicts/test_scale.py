"""Answers do not depend on how they are worked out: in columns or one by one, all at once or as rows come."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import EXAMPLE
from tallybook import desk
from tallybook.agreement.claim import Claim
from tallybook.core.time import Moment, moment
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.grade import Grade
from tallybook.evidence.report import Bearing, Report
from tallybook.verdicts import pile
from tallybook.verdicts.board import board_json, finding_json
from tallybook.verdicts.finding import find
from tallybook.verdicts.inquiry import Case, Inquiry
from tallybook.verdicts.readings import readings_of
from tallybook.verdicts.weigh import Read, default_cluster, matches, strength

CASE = desk.open_case(EXAMPLE)
CLAIMS = ("missile_bases_dismantled", "il28_bombers", "none_introduced", "submarine_facility", "aerial_surveillance_safety")
DAYS = ["1962-10-10", "1962-10-20", "1962-10-27", "1962-10-28", "1962-10-29", "1962-11-02", "1962-11", "1962-11-20", "1963-02-01"]
INSTANTS = [*DAYS, "1962-11-02T12:00-05:00", "1962-10-28T09:00-04:00"]
ITEMS = ["missile_base", "mrbm_site", "il28_bomber", "mrbm_missile", "sub_facility", "air_defense_reaction", "troops"]
STAGES = ["dismantling", "absent", "assembling", "operational", "deployed", "departed", "counted_on_ship", ""]
METHODS = ["aerial_photography", "ship_count", "naval_sighting", "declaration"]
GRADES = ["A1", "A2", "B2", "B3", "C3", "C2", "D4", "F6", ""]
WHO = ["USSR", "US Navy", "USAF/CIA-NPIC", "Khrushchev; USSR"]
PLACES = ["", "San Cristobal", "Cuba", "Cuba (west and centre)", "San Julian; Holguin"]


def at(text: str) -> Moment:
    return moment(text, CASE.tz)


@st.composite
def reports(draw: st.DrawFn, number: int) -> Report:
    def pick(values: Sequence[str]) -> str:
        return draw(st.sampled_from(values))

    seen = pick(INSTANTS)
    count = draw(st.sampled_from([None, None, 0.0, 1.0, 3.0]))
    return Report(
        id=f"R-{number:02}",
        table=pick(["observations", "observations", "incidents", "commitments", "vessels"]),
        line=number + 2,
        known=at(pick(INSTANTS)),
        starts=at(seen),
        ends=at(seen),
        source=pick(["S-1", "S-2"]),
        citation="",
        basis=pick(["page", "memory"]),
        who=pick(WHO),
        grade=Grade(pick(GRADES)),
        method=pick(METHODS),
        place=pick(PLACES),
        vessel=pick(["", "", "Omsk"]),
        item=pick(ITEMS),
        stage=pick(STAGES),
        count=count,
        low=count,
    )


@st.composite
def files(draw: st.DrawFn) -> tuple[list[Report], list[Bearing]]:
    rows = [draw(reports(n)) for n in range(draw(st.integers(1, 14)))]
    ids = [row.id for row in rows]
    bearings = []
    for line in range(draw(st.integers(0, 14))):
        name = draw(st.sampled_from(ids))
        bearings.append(
            Bearing(
                report=name,
                claim=draw(st.sampled_from(CLAIMS[:4])),
                bears=draw(st.sampled_from(["for", "against", "for", "neither"])),
                extent=draw(st.sampled_from(["", "part", "by_count"])),
                state=draw(st.sampled_from(["", "act", "position", "activity"])),
                refers_to=draw(st.sampled_from([None, None, at("1962-10-28"), at("1962-11-05")])),
                cluster=draw(st.sampled_from(["", "", "one pass"])),
                restates=tuple(draw(st.lists(st.sampled_from(ids), max_size=2))),
                counts_as=draw(st.sampled_from(["", "declared", "removed", "removed_by_ship"])),
                by="A",
                reviewed_by="",
                known=at(draw(st.sampled_from(INSTANTS))),
                reason="read so",
                line=line + 2,
            )
        )
    return rows, bearings


QUESTIONS = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS))
STARTS = st.randoms(use_true_random=False)


def file_of(rows: Sequence[Report], bearings: Sequence[Bearing]) -> EvidenceFile:
    old = CASE.evidence
    return EvidenceFile({r.id: r for r in rows}, old.sources, tuple(bearings), old.places, old.items)


def asked(file: EvidenceFile, question: tuple[str, str]) -> Inquiry:
    return desk.ask(dataclasses.replace(CASE, evidence=file), *question)


def answer(inquiry: Inquiry, name: str) -> dict[str, Any]:
    """Everything that anybody reads of a finding."""
    claim = CASE.agreement.claim(name)
    assert claim is not None
    found = find(inquiry, claim)
    # Whether there is any cluster at all is asked of counted claims only.
    blank = {} if claim.quantity else {"spoken": False, "shown": False}
    return {
        "json": finding_json(found),
        "all": finding_json(found, None),
        "weighed": list(found.weighed),
        "sides": [
            (list(s.clusters), s.bounds, s.strength, dataclasses.replace(s.tally, **blank)) for s in (found.for_, found.against)
        ],
        "met": dict(found.methods.met),
        "account": found.account and found.account.reports,
    }


def all_answers(file: EvidenceFile, question: tuple[str, str]) -> list[dict[str, Any]]:
    inquiry = asked(file, question)
    return [answer(inquiry, name) for name in CLAIMS]


def read_plainly(claim: Claim, file: EvidenceFile, known: datetime, case: Case) -> list[Read]:
    """How each report was read, looked up anew for every question: what the index must give."""
    latest: dict[str, Bearing] = {}
    for bearing in sorted((b for b in file.bearings if b.claim == claim.id), key=lambda b: (b.known.last, b.line)):
        if bearing.known.last <= known:
            latest[bearing.report] = bearing
    out: list[Read] = []
    view = file.as_known(known)
    for report in file.reports.values():
        if report.known.last > known:
            continue
        if report.id in latest:
            out.append((report, latest[report.id], None))
            continue
        rule = next((r for r in claim.rules if matches(r.when, report, view, case.agreement.parties)), None)
        if rule is not None and (report.table != "vessels" or "vessels" in rule.when.table):
            out.append((report, None, rule))
    return out


def grown(rows: Sequence[Report], bearings: Sequence[Bearing], question: tuple[str, str], chance: random.Random) -> EvidenceFile:
    """The same file made row by row, with answers given in between, so that every index is kept up and none made at the end."""
    file = file_of([], [])
    waiting = list(bearings)
    for row in rows:
        file = file.with_report(row)
        if chance.random() < 0.4:
            all_answers(file, question)
        there = [b for b in waiting if b.report in file.reports and chance.random() < 0.7]
        for bearing in there:
            waiting.remove(bearing)
            file = file.with_bearing(bearing)
    for bearing in waiting:
        file = file.with_bearing(bearing)
    return file


COMMON = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@COMMON
@given(files(), QUESTIONS)
def test_the_index_reads_what_looking_at_every_row_reads(
    made: tuple[list[Report], list[Bearing]], question: tuple[str, str]
) -> None:
    file = file_of(*made)
    inquiry = asked(file, question)
    for claim in CASE.agreement.claims:
        plain = read_plainly(claim, file, inquiry.question.known, inquiry.case)
        assert readings_of(claim, CASE.agreement, file).reads(inquiry.view) == plain


@pytest.mark.slow
@COMMON
@given(files(), QUESTIONS)
def test_columns_give_what_rows_give(made: tuple[list[Report], list[Bearing]], question: tuple[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        one_by_one = all_answers(file_of(*made), question)
        patch.setattr(pile, "MANY", 0)
        assert all_answers(file_of(*made), question) == one_by_one


@pytest.mark.slow
@pytest.mark.parametrize("many", [0, 10_000])
@COMMON
@given(made=files(), question=QUESTIONS, chance=STARTS)
def test_rows_that_come_one_by_one_give_what_all_at_once_give(
    many: int, made: tuple[list[Report], list[Bearing]], question: tuple[str, str], chance: random.Random
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pile, "MANY", many)
        rows, bearings = made
        file = grown(rows, bearings, question, chance)
        whole = file_of(rows, file.bearings)
        assert all_answers(file, question) == all_answers(whole, question)
        assert asked(file, question).instants() == asked(whole, question).instants()


@pytest.mark.slow
@COMMON
@given(files(), QUESTIONS, STARTS)
def test_the_order_of_rows_does_not_matter(
    made: tuple[list[Report], list[Bearing]], question: tuple[str, str], chance: random.Random
) -> None:
    rows, bearings = made
    # Two readings of one report known at one time: the later line stands, so lines keep their numbers.
    other = file_of(chance.sample(rows, len(rows)), chance.sample(bearings, len(bearings)))
    for many in (0, 10_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pile, "MANY", many)
            for before, after in zip(all_answers(file_of(rows, bearings), question), all_answers(other, question), strict=True):
                assert before["all"] == after["all"]
                assert before["sides"] == after["sides"]


@pytest.mark.slow
@COMMON
@given(files(), st.sampled_from(DAYS), st.sampled_from(DAYS), st.integers(0, 13), st.sampled_from(CLAIMS))
def test_what_comes_later_moves_no_earlier_view(
    made: tuple[list[Report], list[Bearing]], on: str, known: str, number: int, name: str
) -> None:
    rows, bearings = made
    late = at("1999-01-01")
    fresh = dataclasses.replace(rows[number % len(rows)], id="later", known=late)
    about = Bearing(rows[0].id, name, "against", "", "act", None, "", (), "", "A", "", late, "", 99)
    for many in (0, 10_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pile, "MANY", many)
            file = file_of(rows, bearings)
            before = answer(asked(file, (on, known)), name)
            after = file.with_report(fresh).with_bearing(about)
            assert answer(asked(after, (on, known)), name) == before
            # The file before stays what it was.
            assert answer(asked(file, (on, "2000-01-01")), name) == answer(
                asked(file_of(rows, bearings), (on, "2000-01-01")), name
            )


@pytest.mark.slow
@COMMON
@given(files(), QUESTIONS)
def test_the_strongest_are_the_first_of_all(made: tuple[list[Report], list[Bearing]], question: tuple[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pile, "MANY", 0)
        inquiry = asked(file_of(*made), question)
        for name in CLAIMS:
            claim = CASE.agreement.claim(name)
            assert claim is not None
            found = find(inquiry, claim)
            for bears in ("for", "against"):
                items = [w for w in found.weighed if w.bears == bears and not w.is_baseline]
                ordered = [w.report.id for w in sorted(items, key=strength, reverse=True)]
                for most in (1, 2, 3, 25):
                    assert found.ids(bears, most) == ordered[:most]


@pytest.mark.parametrize("many", [0, 10_000])
@pytest.mark.parametrize("question", [("1962-11-12", "1962-11-12"), ("1962-12-06", "1970-01-01"), ("1962-10-29", "1962-10-28")])
def test_the_example_has_one_board(many: int, question: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = board_json(desk.board(desk.ask(CASE, *question)))
    monkeypatch.setattr(pile, "MANY", many)
    old, chance = CASE.evidence, random.Random(7)
    rows = chance.sample(list(old.reports.values()), len(old.reports))
    shuffled = EvidenceFile(
        {r.id: r for r in rows},
        old.sources,
        tuple(chance.sample(old.bearings, len(old.bearings))),
        old.places,
        old.items,
        old.exhibits,
        old.reviews,
    )
    assert board_json(desk.board(desk.ask(dataclasses.replace(CASE, evidence=shuffled), *question))) == expected


def test_restatements_in_a_circle_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    base = next(r for r in CASE.evidence.reports.values() if r.item == "mrbm_site" and r.stage == "deployed")
    rows = [dataclasses.replace(base, id=f"R-{n}", source=f"S-{n}", who=f"observer {n}", grade=Grade("B2")) for n in range(4)]
    rings = {"R-0": ("R-1", "R-2"), "R-1": ("R-0", "R-3"), "R-2": ("R-2",)}
    bearings = [
        Bearing(name, CLAIMS[0], "against", "", "act", None, "", others, "", "A", "", base.known, "", n + 2)
        for n, (name, others) in enumerate(rings.items())
    ]
    bearings.append(dataclasses.replace(bearings[0], report="R-3", restates=()))
    expected = answer(asked(file_of(rows, bearings), ("1962-10-27", "1962-10-27")), CLAIMS[0])
    monkeypatch.setattr(pile, "MANY", 0)
    assert answer(asked(file_of(rows, bearings), ("1962-10-27", "1962-10-27")), CLAIMS[0]) == expected
    # R-0 leads by; R-1 by, which leads nowhere else.
    assert sorted(len(members) for members in ([w.report.id for w in c.members] for c in expected["sides"][1][0])) == [2, 2]


def test_clusters_are_named_alike() -> None:
    row = next(r for r in CASE.evidence.reports.values() if r.table == "observations")
    assert default_cluster(row) == default_cluster(dataclasses.replace(row, id="other"))
