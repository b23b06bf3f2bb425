"""The text in force as a function of (base, changes, valid time, known time)."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tallybook.agreement.amendment import Change
from tallybook.agreement.change import ChangeError, InForce, provisions_in_force
from tallybook.agreement.provision import Definition, Duty, Proof
from tallybook.core.time import Moment, moment

TZ = ZoneInfo("Europe/Vienna")
BASE: dict[str, dict[str, Any]] = {
    "removal": {
        "id": "removal",
        "kind": "duty",
        "owed": {"by": "North", "to": "South"},
        "achieve": "departed(arms)",
        "note": "first",
        "steps": [{"id": "crate"}, {"id": "ship"}],
    },
    "arms": {"id": "arms", "kind": "definition", "includes": [{"item": "gun"}, {"item": "shell"}]},
    "proof": {"id": "proof", "kind": "proof", "for": "@removal", "methods": {"all": ["air", "ground"]}},
    "as-good": {"id": "as-good", "kind": "proof", "includes": "seal"},
}


def change(n: int, op: str, target: str, value: Any = None, **more: Any) -> Change:
    fields = {"in": "memo", "n": n, "made": "2030-01-01", "op": op, "target": target, "text": {"memo": "so be it"}, **more}
    if value is not None:
        fields["value"] = value
    return Change.model_validate(fields)


def read(text: str) -> Moment:
    return moment(text, TZ)


def at(day: str) -> datetime:
    return read(day).last


def in_force(changes: Sequence[Change], on: str = "2031", known: Callable[[Change], bool] = lambda _: True) -> InForce:
    return provisions_in_force(BASE, changes, at(on), read, known)


def duty(found: InForce, name: str = "removal") -> Duty:
    provision = found.provisions[name]
    assert isinstance(provision, Duty)
    return provision


def proof(found: InForce, name: str = "proof") -> Proof:
    provision = found.provisions[name]
    assert isinstance(provision, Proof)
    return provision


def definition(found: InForce) -> Definition:
    provision = found.provisions["arms"]
    assert isinstance(provision, Definition)
    return provision


def steps(found: InForce) -> list[str]:
    return [step.id for step in duty(found).steps]


# ----------------------------------------------------------------------------------------------------- each operation

NEW = {"kind": "duty", "owed": {"by": "North", "to": "South"}, "maintain": "open(ports)"}


def test_add_a_provision() -> None:
    found = in_force([change(1, "add", "@ports", NEW)])
    assert duty(found, "ports").maintain == "open(ports)"
    assert found.applied == ("memo#1",)
    assert found.history == {"ports": ("memo#1",)}
    assert "ports" not in BASE


def test_add_a_part() -> None:
    assert duty(in_force([change(1, "add", "@removal.by", "2030-06-01")])).by == "2030-06-01"


def test_insert_at_the_end_and_after_a_named_one() -> None:
    pack, weigh = {"id": "pack"}, {"id": "weigh"}
    assert steps(in_force([change(1, "insert", "@removal.steps", pack)])) == ["crate", "ship", "pack"]
    assert steps(in_force([change(1, "insert", "@removal.steps", weigh, after="crate")])) == ["crate", "weigh", "ship"]
    found = in_force([change(1, "insert", "@proof.methods.all", {"any": ["count", "as-good"]})])
    assert proof(found).methods == {"all": ["air", "ground", {"any": ["count", "as-good"]}]}


def test_replace_a_provision_a_part_and_a_member_of_a_list() -> None:
    whole = {"kind": "duty", "owed": {"by": "South", "to": "North"}, "achieve": "paid(sum)"}
    assert duty(in_force([change(1, "replace", "@removal", whole)])).owed.by == "South"
    assert duty(in_force([change(1, "replace", "@removal.owed.by", "East")])).owed.by == "East"
    assert steps(in_force([change(1, "replace", "@removal.steps.crate", {"id": "box"})])) == ["box", "ship"]
    assert proof(in_force([change(1, "replace", "@proof.methods.all.air", "satellite")])).methods == {
        "all": ["satellite", "ground"]
    }
    found = in_force([change(1, "replace", "@arms.includes.gun", {"item": "howitzer"})])
    assert [entry.item for entry in definition(found).includes] == ["howitzer", "shell"]


def test_repeal_a_provision_a_part_and_a_member_of_a_list() -> None:
    found = in_force([change(1, "repeal", "@removal")])
    assert found.repealed == {"removal": "memo#1"}
    assert "removal" in found.provisions
    assert duty(in_force([change(1, "repeal", "@removal.note")])).note == ""
    assert steps(in_force([change(1, "repeal", "@removal.steps.crate")])) == ["ship"]
    assert proof(in_force([change(1, "repeal", "@proof.methods.all.ground")])).methods == {"all": ["air"]}


def test_a_provision_repealed_may_be_added_anew() -> None:
    found = in_force([change(1, "repeal", "@removal"), change(2, "add", "@removal", NEW)])
    assert found.repealed == {}
    assert duty(found).maintain == "open(ports)"


def test_interpret_under_a_reading_and_for_everybody() -> None:
    found = in_force([change(1, "interpret", "@arms", {"includes": ["fuse"], "excludes": ["shell"]}, reading="north")])
    (entry,) = definition(found).interpretations
    assert (entry.reading, entry.includes, entry.excludes) == ("north", ("fuse",), ("shell",))
    assert [i.item for i in definition(found).includes] == ["gun", "shell"]


def test_interpret_adds_to_what_was_written_as_one_word() -> None:
    assert proof(in_force([]), "as-good").includes == ("seal",)
    found = in_force([change(1, "interpret", "@as-good", {"includes": ["camera"]})])
    assert proof(found, "as-good").includes == ("seal", "camera")


# ------------------------------------------------------------------------------------------------------ two clocks


def test_a_change_effective_later_leaves_earlier_days_alone() -> None:
    later = change(1, "replace", "@removal.note", "second", effective="2030-03-01")
    assert duty(in_force([later], "2030-02-28")).note == "first"
    assert duty(in_force([later], "2030-03-01")).note == "second"
    assert provisions_in_force(BASE, [later], read("2030-03-01").first, read, lambda _: True).applied == ()


def test_without_an_effective_date_it_works_from_the_day_it_was_made() -> None:
    assert in_force([change(1, "repeal", "@removal")], "2029-12-31").repealed == {}
    assert in_force([change(1, "repeal", "@removal")], "2030-01-01").repealed == {"removal": "memo#1"}


def test_what_was_not_known_is_not_applied() -> None:
    assert in_force([change(1, "repeal", "@removal")], known=lambda _: False).applied == ()


def test_the_base_is_never_touched() -> None:
    before = copy.deepcopy(BASE)
    value = {"id": "pack"}
    changes = [
        change(1, "insert", "@removal.steps", value),
        change(2, "replace", "@removal.steps.pack.id", "wrap"),
        change(3, "interpret", "@arms", {"includes": ["fuse"]}, reading="north"),
    ]
    assert steps(in_force(changes)) == ["crate", "ship", "wrap"]
    assert value == {"id": "pack"}
    assert changes[0].value == {"id": "pack"}
    assert before == BASE
    assert steps(in_force(changes)) == ["crate", "ship", "wrap"]


# ------------------------------------------------------------------------------------------------------------ order


def note(n: int, text: str, **more: Any) -> Change:
    return change(n, "replace", "@removal.note", text, **more)


def test_order_is_effect_then_making_then_number() -> None:
    by_effect = [note(1, "a", effective="2030-05-01"), note(2, "b", effective="2030-04-01")]
    by_making = [note(1, "a", made="2030-02-02", effective="2030-05-01"), note(2, "b", made="2030-02-01", effective="2030-05-01")]
    by_number = [change(2, "insert", "@removal.steps", {"id": "y"}), change(1, "insert", "@removal.steps", {"id": "x"})]
    assert duty(in_force(by_effect)).note == "a"
    assert duty(in_force(by_making)).note == "a"
    assert steps(in_force(by_number)) == ["crate", "ship", "x", "y"]


@given(
    st.permutations([note(1, "a", made="2030-02"), note(2, "b", made="2030-03"), note(3, "c"), change(4, "repeal", "@memo#2")])
)
def test_the_order_in_the_file_does_not_matter(changes: list[Change]) -> None:
    found = in_force(changes)
    assert duty(found).note == "a"
    assert found.applied == ("memo#3", "memo#4", "memo#1")


def test_changes_of_equal_rank_to_one_target_are_a_conflict_and_neither_applies() -> None:
    found = in_force([note(1, "a"), note(2, "b")])
    assert duty(found).note == "first"
    (conflict,) = found.conflicts
    assert (conflict.target, set(conflict.changes)) == ("@removal.note", {"memo#1", "memo#2"})
    assert found.applied == ()


def test_no_conflict_where_both_say_the_same_or_one_is_later() -> None:
    assert in_force([note(1, "a"), note(2, "a")]).conflicts == ()
    assert duty(in_force([note(1, "a"), note(2, "a")])).note == "a"
    assert in_force([note(1, "a"), note(2, "b", made="2030-01-02")]).conflicts == ()
    assert in_force([note(1, "a"), change(2, "replace", "@removal.owed.by", "b")]).conflicts == ()


def test_a_conflict_ends_when_one_of_the_two_is_repealed() -> None:
    found = in_force([note(1, "a"), note(2, "b"), change(3, "repeal", "@memo#2", made="2030-02-01")])
    assert found.conflicts == ()
    assert duty(found).note == "a"


# ------------------------------------------------------------------------------------------------- repeal of a change

OPERATIONS = [
    change(1, "add", "@ports", NEW),
    change(1, "insert", "@removal.steps", {"id": "pack"}),
    change(1, "replace", "@removal.note", "second"),
    change(1, "repeal", "@removal"),
    change(1, "interpret", "@arms", {"excludes": ["shell"]}, reading="north"),
]


@pytest.mark.parametrize("first", OPERATIONS, ids=lambda c: str(c.op))
def test_repeal_of_a_change_restores_from_its_own_day_on(first: Change) -> None:
    undo = change(2, "repeal", "@memo#1", made="2030-06-01")
    with_it, before_undo, after_undo = in_force([first]), in_force([first, undo], "2030-05-31"), in_force([first, undo])
    assert before_undo == with_it
    untouched = in_force([])
    assert (after_undo.provisions, after_undo.repealed) == (untouched.provisions, untouched.repealed)
    assert with_it != untouched
    assert after_undo.applied == ("memo#2",)


def test_repeal_of_a_repeal_brings_the_change_back() -> None:
    changes = [note(1, "a"), change(2, "repeal", "@memo#1", made="2030-02-01"), change(3, "repeal", "@memo#2", made="2030-03-01")]
    assert [duty(in_force(changes, on)).note for on in ("2029", "2030-01-15", "2030-02-15", "2031")] == [
        "first",
        "a",
        "first",
        "a",
    ]


# ----------------------------------------------------------------------------------------------------- what is refused

MISFITS = [
    change(1, "repeal", "@nothing"),
    change(1, "replace", "@nothing.note", "x"),
    change(1, "replace", "@removal.colour", "red"),
    change(1, "replace", "@removal.steps.paint", {"id": "x"}),
    change(1, "repeal", "@removal.steps.paint"),
    change(1, "repeal", "@removal.because"),
    change(1, "insert", "@removal.steps", {"id": "x"}, after="paint"),
    change(1, "insert", "@removal.note", "x"),
    change(1, "insert", "@removal", "x"),
    change(1, "add", "@removal", NEW),
    change(1, "add", "@removal.note", "x"),
    change(1, "add", "@removal.steps.pack", {"id": "x"}),
    change(1, "add", "@removal.note.deeper", "x"),
    change(1, "interpret", "@removal.steps", {"includes": ["x"]}),
    change(1, "add", "@ports", "a word"),
    change(1, "add", "@ports", ["a", "list"]),
    change(1, "replace", "@removal", "a word"),
    change(1, "replace", "@removal", 7),
]


@pytest.mark.parametrize("misfit", MISFITS, ids=lambda c: f"{c.op} {c.target}")
def test_a_change_that_does_not_fit_is_refused_by_its_address(misfit: Change) -> None:
    with pytest.raises(ChangeError, match=r"memo#1"):
        in_force([misfit])


def test_a_change_that_spoils_the_form_is_refused() -> None:
    with pytest.raises(ValidationError):
        in_force([change(1, "repeal", "@removal.owed")])
    with pytest.raises(ValidationError):
        in_force([change(1, "replace", "@removal.achieve", "departed and and")])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": {}}, "recorded_by"),
        ({"op": "add"}, "needs a value"),
        ({"op": "insert"}, "needs a value"),
        ({"op": "replace"}, "needs a value"),
        ({"op": "interpret", "value": {"adds": ["x"]}}, "includes"),
        ({"op": "interpret", "value": {"includes": "x"}}, "includes"),
        ({"op": "interpret", "value": {"includes": []}}, "includes"),
        ({"op": "repeal", "value": "x"}, "no value"),
        ({"op": "insert", "target": "@memo#2", "value": "x"}, "takes no change"),
        ({"op": "renumber", "value": "a b"}, "new id"),
        ({"op": "renumber", "target": "@removal.steps", "value": "x"}, "not a part"),
        ({"op": "limit", "value": "x"}, "mapping"),
        ({"op": "extend", "value": {}}, "mapping"),
        ({"op": "suspend", "value": {"for": "ever"}}, "in_part"),
        ({"op": "restate", "value": "x"}, "new words"),
        ({"op": "postpone", "value": {"then": "x"}}, "on receipt"),
        ({"op": "repeal", "until": "2031"}, "suspend"),
        ({"effective": {"when": "and and"}}, "not understood"),
        ({"op": "erase"}, "Input should be"),
        ({"n": 0}, "greater than or equal to 1"),
        ({"n": "1"}, "valid integer"),
        ({"target": "removal"}, "pattern"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_change_of_the_wrong_form(fields: dict[str, Any], words: str) -> None:
    whole = {"in": "memo", "n": 1, "made": "2030", "op": "repeal", "target": "@removal", "text": {"memo": "x"}, **fields}
    with pytest.raises(ValidationError, match=words):
        Change.model_validate(whole)


STEPS = [
    note(1, "a", made="2030-02-01"),
    change(2, "insert", "@removal.steps", {"id": "pack"}, made="2030-03-01"),
    change(3, "repeal", "@memo#1", made="2030-04-01"),
    change(4, "repeal", "@removal.steps.crate", made="2030-05-01"),
    note(5, "b", made="2030-06-01", effective="2030-02-15"),
]


@given(
    st.sets(st.sampled_from(range(len(STEPS)))), st.sampled_from(["2030-01", "2030-02", "2030-03", "2030-04", "2030-05", "2031"])
)
def test_it_is_a_function_of_what_is_known_and_of_the_day(chosen: set[int], on: str) -> None:
    picked = [STEPS[n] for n in sorted(chosen)]
    known = in_force(STEPS, on, lambda c: c in picked)
    assert known == in_force(picked, on)
    assert known == in_force(list(itertools.chain(reversed(picked))), on)
