"""Every operation on an agreement, changes to changes, and when they commence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.agreement.amendment import AKOMA_NTOSO, Change, Op, target_of
from tallybook.agreement.change import ChangeError, InForce, provisions_in_force
from tallybook.agreement.provision import Definition, Duty, Exception_, Instrument, Power
from tallybook.core.time import Moment, moment

TZ = ZoneInfo("Europe/Vienna")
BASE: dict[str, dict[str, Any]] = {
    "arms": {"id": "arms", "kind": "definition", "in": "accord", "includes": [{"item": "gun"}, {"item": "shell"}]},
    "removal": {
        "id": "removal",
        "kind": "duty",
        "in": "accord",
        "owed": {"by": "North", "to": "South"},
        "achieve": "departed(arms)",
        "by": "2031-06-30",
        "text": {"accord": ["see @patrol, which is quoted and stays"]},
    },
    "patrol": {
        "id": "patrol",
        "kind": "power",
        "holder": "South",
        "when": "overdue @removal",
        "measure": "patrol",
        "states": ["full", "light"],
        "until": "2031-12-31",
        "parts": [{"id": "p1", "number": "(1)", "text": {"accord": ["a"]}}, {"id": "p2", "text": {"accord": ["b"]}}],
    },
}
_INSTRUMENTS: dict[str, dict[str, Any]] = {
    "accord": {},
    "memo": {},
    "rival": {},
    "waiting": {"effective": "none"},
    "sent": {"effective": "on receipt", "to": ["North", "South"], "received": {"North": "2031-02-01", "South": "2031-02-03"}},
    "half-sent": {"effective": "on receipt", "to": ["North", "South"], "received": {"North": "2031-02-01"}},
    "undated": {"effective": {"when": "ratified(accord)"}},
}
INSTRUMENTS = {
    name: Instrument.model_validate({"name": name, "made": "2031-01-01", "in_hand": "none", **more})
    for name, more in _INSTRUMENTS.items()
}


def read(text: str) -> Moment:
    return moment(text, TZ)


def change(n: int, op: str, target: str, value: Any = None, **more: Any) -> Change:
    fields = {"in": "memo", "n": n, "made": "2031-02-01", "op": op, "target": target, "recorded_by": ["R1"], **more}
    if value is not None:
        fields["value"] = value
    return Change.model_validate(fields)


def stood(changes: Sequence[Change], on: str = "2032", known: str = "2099", ratified: str | None = None) -> InForce:
    def is_known(c: Change) -> bool:
        return read(c.known or c.made).last <= read(known).last

    def came_true(text: str, _without: frozenset[str]) -> Moment | None:
        moment_ = read(ratified) if ratified else None
        return moment_ if moment_ and moment_.last <= read(on).last else None

    return provisions_in_force(BASE, changes, read(on).last, read, is_known, instruments=INSTRUMENTS, came_true=came_true)


def by(found: InForce) -> str | None:
    duty = found.provisions["removal"]
    assert isinstance(duty, Duty)
    return duty.by


def power(found: InForce) -> Power:
    provision = found.provisions["patrol"]
    assert isinstance(provision, Power)
    return provision


def as_text(found: InForce) -> str:
    return json.dumps({name: p.model_dump(mode="json", by_alias=True) for name, p in found.provisions.items()})


LATER = change(1, "replace", "@removal.by", "2031-09-30", effective="2031-05-01")


def test_a_provision_is_inserted_behind_another() -> None:
    new = {"kind": "liberty", "holder": "South"}
    found = stood([change(1, "insert", "@visit", new, after="removal")])
    assert list(found.provisions) == ["arms", "removal", "visit", "patrol"]
    assert found.since["visit"] == read("2031-02-01").last
    with pytest.raises(ChangeError, match=r"memo#1.*stand behind"):
        stood([change(1, "insert", "@visit", new, after="nothing")])


def test_renumber_follows_references_and_leaves_quotations() -> None:
    found = stood([change(1, "renumber", "@removal", "@withdrawal")])
    assert list(found.provisions) == ["arms", "withdrawal", "patrol"]
    assert power(found).when == "overdue @withdrawal"
    assert found.provisions["removal"].id == "withdrawal"
    assert found.notes["withdrawal"][0].formerly == "removal"
    found = stood([change(1, "renumber", "@patrol", "guard")])
    assert found.provisions["removal"].text == {"accord": ["see @patrol, which is quoted and stays"]}


def test_a_later_change_finds_a_provision_under_its_old_number() -> None:
    moved = change(1, "renumber", "@removal", "withdrawal")
    found = stood([moved, change(2, "replace", "@removal.by", "2031-07-31", made="2031-03-01")])
    assert by(found) == "2031-07-31"
    with pytest.raises(ChangeError, match="there already"):
        stood([change(1, "renumber", "@removal", "patrol")])


def test_renumber_back_and_a_new_provision_under_the_old_number() -> None:
    moved = [change(1, "renumber", "@removal", "r2"), change(2, "renumber", "@r2", "removal", made="2031-03-01")]
    assert list(stood(moved).provisions) == ["arms", "removal", "patrol"]
    assert list(stood(moved, "2031-02-15").provisions) == ["arms", "r2", "patrol"]
    new = {"kind": "liberty", "holder": "South"}
    found = stood([moved[0], change(3, "add", "@removal", new, made="2031-03-01")])
    assert found.provisions["removal"].kind == "liberty"
    assert found.provisions["r2"].kind == "duty"


def test_suspend_and_resume_leave_the_words_alone() -> None:
    stop = change(1, "suspend", "@removal")
    go = change(2, "resume", "@removal", made="2031-03-01")
    assert as_text(stood([stop, go])) == as_text(stood([]))
    (span,) = stood([stop, go]).suspended["removal"]
    assert (span.starts, span.ends, span.by) == (read("2031-02-01").last, read("2031-03-01").last, "memo#1")
    assert stood([stop, go], "2031-02-15").suspended["removal"][0].ends is None
    (limited,) = stood([change(1, "suspend", "@removal", {"in_part": True}, until="2031-02-20")]).suspended["removal"]
    # The last day is a day of it.
    assert (limited.ends, limited.in_part) == (read("2031-02-20").last + timedelta(microseconds=1), True)


def test_a_suspension_that_is_repealed_ends_and_was() -> None:
    stop, undo = change(1, "suspend", "@removal"), change(2, "repeal", "@memo#1", made="2031-03-01")
    (span,) = stood([stop, undo]).suspended["removal"]
    assert (span.starts, span.ends) == (read("2031-02-01").last, read("2031-03-01").last)
    never = change(2, "repeal", "@memo#1", made="2031-03-01", effective="2031-01-15")
    assert stood([stop, never]).suspended["removal"] == ()


def test_limit_makes_an_exception() -> None:
    found = stood([change(1, "limit", "@removal", {"id": "storm", "when": "stormy(sea)"})])
    exception = found.provisions["storm"]
    assert isinstance(exception, Exception_)
    assert (exception.to, exception.when, exception.in_instrument) == (("@removal",), "stormy(sea)", "memo")
    assert "removal-limit-memo-1" in stood([change(1, "limit", "@removal", {"when": "stormy(sea)"})]).provisions
    with pytest.raises(ChangeError, match="there already"):
        stood([change(1, "limit", "@removal", {"id": "patrol", "when": "stormy(sea)"})])


def test_limit_and_extend_lists_and_terms() -> None:
    assert power(stood([change(1, "limit", "@patrol", {"states": ["full"]})])).states == ("light",)
    assert power(stood([change(1, "extend", "@patrol", {"states": ["none"]})])).states == ("full", "light", "none")
    assert power(stood([change(1, "limit", "@patrol", {"until": "2031-10-31"})])).until == "2031-10-31"
    assert power(stood([change(1, "extend", "@patrol", {"until": "2032-12-31"})])).until == "2032-12-31"
    assert by(stood([change(1, "extend", "@removal", {"by": "2031-07-15"})])) == "2031-07-15"
    found = stood([change(1, "extend", "@arms", {"includes": [{"item": "fuse"}]})]).provisions["arms"]
    assert isinstance(found, Definition)
    assert [i.item for i in found.includes] == ["gun", "shell", "fuse"]


@pytest.mark.parametrize(
    ("misfit", "words"),
    [
        (change(1, "limit", "@patrol", {"until": "2032-10-31"}), "no earlier until than 2031-12-31"),
        (change(1, "extend", "@patrol", {"until": "2031-10-31"}), "no later until than 2031-12-31"),
        (change(1, "extend", "@removal", {"until": "2031-10-31"}), "which has none"),
        (change(1, "limit", "@patrol", {"states": ["none"]}), "has no 'none' to take out"),
        (change(1, "limit", "@patrol", {"colours": ["red"]}), "nothing is called 'colours'"),
        (change(1, "postpone", "@patrol", {"when": "a(b)"}), "put off to a date"),
        (change(1, "repeal", "@patrol.parts.p9"), "nothing is called 'p9'"),
        (change(1, "suspend", "@nothing"), "not there"),
    ],
)
def test_what_does_not_fit_is_refused(misfit: Change, words: str) -> None:
    with pytest.raises(ChangeError, match=f"memo#1.*{words}"):
        stood([misfit])


def test_correct_reaches_back_to_the_words_that_it_corrects() -> None:
    slip = change(5, "correct", "@removal.by", "2031-06-03", made="2031-04-01")
    assert by(stood([slip], "2031-01-15")) == "2031-06-03"
    assert by(stood([slip], "2031-01-15", known="2031-03-31")) == "2031-06-30"
    # What a later change says is not what the slip was in.
    assert [by(stood([slip, LATER], on)) for on in ("2031-04-15", "2031-05-02")] == ["2031-06-03", "2031-09-30"]
    put_in = change(6, "add", "@visit", {"kind": "liberty", "holder": "Suth"}, made="2031-03-01")
    mended = change(7, "correct", "@visit.holder", "South", made="2031-05-01")
    assert stood([put_in, mended], "2031-03-02").provisions["visit"].holder == "South"  # type: ignore[union-attr]


def test_a_correction_of_a_change_and_of_a_correction() -> None:
    mend = change(2, "correct", "@memo#1.value", "2031-08-31", made="2031-06-01")
    assert by(stood([LATER, mend], "2031-05-02")) == "2031-08-31"
    assert by(stood([LATER, mend], "2031-05-02", known="2031-05-02")) == "2031-09-30"
    again = change(3, "correct", "@memo#2.value", "2031-08-30", made="2031-07-01")
    assert by(stood([LATER, mend, again])) == "2031-08-30"
    whole = change(2, "correct", "@memo#1", {"effective": "2031-04-01"}, made="2031-06-01")
    assert by(stood([LATER, whole], "2031-04-15")) == "2031-09-30"


def test_a_change_replaced_reads_otherwise_from_then_on() -> None:
    other = change(2, "replace", "@memo#1.value", "2031-12-24", made="2031-06-01")
    assert [by(stood([LATER, other], on)) for on in ("2031-05-15", "2031-06-15")] == ["2031-09-30", "2031-12-24"]


def test_moved_commencement_means_undo_and_redo() -> None:
    off = change(2, "postpone", "@memo#1", "2031-08-01", made="2031-06-01")
    days = {on: by(stood([LATER, off], on)) for on in ("2031-05-15", "2031-06-15", "2031-08-02")}
    assert days == {"2031-05-15": "2031-09-30", "2031-06-15": "2031-06-30", "2031-08-02": "2031-09-30"}
    forward = change(2, "postpone", "@memo#1", "2031-04-01", made="2031-03-15")
    assert by(stood([LATER, forward], "2031-04-02")) == "2031-09-30"
    never = change(2, "postpone", "@memo#1", "none", made="2031-04-01")
    assert by(stood([LATER, never])) == "2031-06-30"
    put_off = stood([change(1, "postpone", "@patrol", "2031-07-01")]).provisions["patrol"]
    assert put_off.from_ == "2031-07-01"


def test_commencement_by_receipt_by_condition_and_not_at_all() -> None:
    def inn(name: str, **more: Any) -> Change:
        return change(1, "replace", "@removal.by", "2031-09-30", **{"in": name}, **more)

    assert by(stood([inn("sent")], "2031-02-02")) == "2031-06-30"
    assert by(stood([inn("sent")], "2031-02-03")) == "2031-09-30"
    assert by(stood([inn("half-sent")])) == "2031-06-30"
    assert by(stood([inn("waiting")])) == "2031-06-30"
    assert by(stood([inn("waiting", effective="2031-03-01")])) == "2031-09-30"
    assert by(stood([inn("undated")])) == "2031-06-30"
    assert by(stood([inn("undated")], "2031-04-02", ratified="2031-04-01")) == "2031-09-30"
    assert by(stood([inn("memo", effective={"when": "ratified(accord)"})], "2031-03-31", ratified="2031-04-01")) == "2031-06-30"
    commence = change(7, "postpone", "@waiting", "2031-03-01")
    assert by(stood([inn("waiting"), commence], "2031-03-02")) == "2031-09-30"


def test_repeal_of_an_instrument_undoes_nothing_but_what_has_not_commenced() -> None:
    early = change(1, "replace", "@removal.by", "2031-07-31", **{"in": "rival"})
    late = change(2, "replace", "@removal.achieve", "gone(arms)", effective="2031-08-01", **{"in": "rival"})
    repeal = change(1, "repeal", "@rival", made="2031-06-01")
    found = stood([early, late, repeal])
    assert by(found) == "2031-07-31"
    duty = found.provisions["removal"]
    assert isinstance(duty, Duty)
    assert duty.achieve == "departed(arms)"
    assert stood([change(1, "repeal", "@accord", made="2031-06-01")]).repealed == {"arms": "memo#1", "removal": "memo#1"}


def test_one_change_repealed_restores_from_the_repeal_or_from_its_own_day() -> None:
    undo = change(2, "repeal", "@memo#1", made="2031-07-01")
    assert [by(stood([LATER, undo], on)) for on in ("2031-06-15", "2031-07-02")] == ["2031-09-30", "2031-06-30"]
    back = change(2, "repeal", "@memo#1", made="2031-07-01", effective="2031-05-01")
    assert by(stood([LATER, back], "2031-06-15")) == "2031-06-30"
    assert by(stood([LATER, back], "2031-06-15", known="2031-06-15")) == "2031-09-30"
    # The repeal of the repeal, made later, though the first reaches back further.
    again = change(3, "repeal", "@memo#2", made="2031-08-01", effective="2031-04-01")
    assert by(stood([LATER, back, again], "2031-06-15")) == "2031-09-30"


def test_a_change_may_be_suspended() -> None:
    stop = change(2, "suspend", "@memo#1", made="2031-06-01")
    go = change(3, "resume", "@memo#1", made="2031-07-01")
    days = [by(stood([LATER, stop, go], on)) for on in ("2031-05-15", "2031-06-15", "2031-07-15")]
    assert days == ["2031-09-30", "2031-06-30", "2031-09-30"]


def test_changes_in_a_circle_are_refused() -> None:
    one, two = change(1, "repeal", "@memo#2"), change(2, "repeal", "@memo#1")
    with pytest.raises(ChangeError, match=r"memo#\d changes, through others, itself"):
        stood([one, two])


def test_a_part_taken_out_keeps_its_number() -> None:
    parts = power(stood([change(1, "repeal", "@patrol.parts.p1")])).parts
    assert [(p.id, p.number, p.text, p.repealed_by) for p in parts] == [
        ("p1", "(1)", {}, "memo#1"),
        ("p2", "", {"accord": ["b"]}, ""),
    ]
    new = stood([change(1, "replace", "@patrol.parts.p1", {"text": {"memo": ["c"]}})])
    assert next((p.id, p.number, p.text) for p in power(new).parts) == ("p1", "(1)", {"memo": ["c"]})
    assert [p.id for p in power(stood([change(1, "insert", "@patrol.parts", {"id": "p1a"}, after="p1")])).parts] == [
        "p1",
        "p1a",
        "p2",
    ]


CLASHES = [
    (change(1, "replace", "@removal.by", "2031-07-01"), change(2, "repeal", "@removal.by")),
    (change(1, "suspend", "@removal"), change(2, "resume", "@removal")),
    (change(1, "renumber", "@removal", "a"), change(2, "renumber", "@removal", "b")),
    (
        change(1, "interpret", "@arms", {"includes": ["fuse"]}, reading="x"),
        change(2, "interpret", "@arms", {"excludes": ["fuse"]}, reading="x"),
    ),
    (change(1, "repeal", "@removal"), change(1, "replace", "@removal.by", "2031-07-01", **{"in": "rival"})),
]


@pytest.mark.parametrize(("one", "other"), CLASHES)
def test_equal_rank_on_one_target_is_a_conflict(one: Change, other: Change) -> None:
    found = stood([one, other])
    (conflict,) = found.conflicts
    assert set(conflict.changes) == {one.address, other.address}
    assert as_text(found) == as_text(stood([]))
    assert not set(found.applied) & {one.address, other.address}
    assert found.in_conflict(conflict.target.lstrip("@").split(".")[0])


def test_no_conflict_in_what_one_instrument_says_in_turn_or_two_say_alike() -> None:
    whole = change(1, "replace", "@removal", {**BASE["removal"], "by": "2031-07-01"})
    assert by(stood([whole, change(2, "replace", "@removal.by", "2031-08-01")])) == "2031-08-01"
    same = [change(1, "add", "@visit", {"kind": "liberty", "holder": "South"}, **{"in": name}) for name in ("memo", "rival")]
    assert stood(same).conflicts == ()
    assert "visit" in stood(same).provisions


def test_a_reading_of_a_norm() -> None:
    read_so = change(1, "interpret", "@removal", {"by": "2031-12-31"}, reading="north")
    found = stood([read_so])
    assert by(found) == "2031-06-30"
    other = provisions_in_force(BASE, [read_so], read("2032").last, read, lambda _: True, reading="north")
    assert by(other) == "2031-12-31"


def test_every_operation_has_its_name_in_akoma_ntoso() -> None:
    assert set(AKOMA_NTOSO) == set(Op.__args__)  # type: ignore[attr-defined]


def test_targets_are_read() -> None:
    aim = target_of("@memo#12.value.by")
    assert (aim.name, aim.n, aim.path, aim.address) == ("memo", 12, ("value", "by"), "memo#12")
    assert target_of("@a.b").within(target_of("@a"))
    assert not target_of("@a#1.b").within(target_of("@a"))


DAYS = ["2031-01-15", "2031-02-15", "2031-03-15", "2031-04-15", "2031-05-15", "2031-06-15", "2031-07-15", "2031-08-15"]
KINDS: list[tuple[str, str, Any]] = [
    ("replace", "@removal.by", "2031-09-30"),
    ("replace", "@removal.by", "2031-10-31"),
    ("repeal", "@patrol", None),
    ("insert", "@arms.includes", {"item": "fuse"}),
    ("suspend", "@removal", None),
    ("resume", "@removal", None),
    ("correct", "@removal.by", "2031-06-29"),
    ("interpret", "@arms", {"includes": ["mine"]}),
    ("limit", "@removal", {"when": "stormy(sea)"}),
    ("extend", "@patrol", {"states": ["none"]}),
]


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Changes of all kinds, some of them to others made before."""
    out: list[Change] = []
    for n in range(1, draw(st.integers(1, 7)) + 1):
        made = draw(st.sampled_from(DAYS))
        effective = draw(st.one_of(st.none(), st.sampled_from(DAYS)))
        more = {"made": made} | ({"effective": effective} if effective else {})
        about: bool = draw(st.booleans())
        if out and about:
            aim = draw(st.sampled_from(out)).address
            op, value = draw(st.sampled_from([("repeal", None), ("postpone", "2031-06-01"), ("postpone", "none")]))
            out.append(change(n, op, f"@{aim}", value, **more))
        else:
            op, target, value = draw(st.sampled_from(KINDS))
            out.append(change(n, op, target, value, **more))
    return out


def view(changes: Sequence[Change], on: str, known: str) -> str:
    try:
        found = stood(changes, on, known)
    except ChangeError as error:
        return f"refused: {error}"
    rest = {name: [(s.starts, s.ends) for s in spans] for name, spans in found.suspended.items() if spans}
    return f"{as_text(found)} {sorted(found.repealed.items())} {rest} {found.conflicts}"


def starts(changed: Change) -> datetime:
    effective = changed.effective or changed.made
    assert isinstance(effective, str)
    return read(effective).last


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_the_order_of_rows_does_not_matter(changes: list[Change], random: Random, on: str, known: str) -> None:
    shuffled = list(changes)
    random.shuffle(shuffled)
    assert view(shuffled, on, known) == view(changes, on, known)


@settings(max_examples=150, deadline=None)
@given(histories(), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_nothing_known_later_moves_an_earlier_view(changes: list[Change], on: str, known: str) -> None:
    early = [c for c in changes if read(c.made).last <= read(known).last]
    assert view(changes, on, known) == view(early, on, known)


@settings(max_examples=150, deadline=None)
@given(histories(), st.sampled_from(KINDS), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_a_change_dated_in_the_future_leaves_every_earlier_day(
    changes: list[Change], kind: tuple[str, str, Any], effective: str, on: str
) -> None:
    op, target, value = kind
    more = change(90, op, target, value, made="2031-01-02", effective=effective)
    if read(on).last < starts(more):
        assert view([*changes, more], on, "2099") == view(changes, on, "2099")


@settings(max_examples=150, deadline=None)
@given(histories(), st.sampled_from(KINDS), st.sampled_from(DAYS))
def test_undoing_a_change_gives_back_the_text_byte_for_byte(changes: list[Change], kind: tuple[str, str, Any], on: str) -> None:
    op, target, value = kind
    made = "2031-01-03"
    more = change(90, op, target, value, made=made)
    undo = change(91, "repeal", "@memo#90", made=made)
    before, after = view(changes, on, "2099"), view([*changes, more, undo], on, "2099")
    assert after == before
