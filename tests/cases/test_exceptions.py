"""Exceptions, exceptions to exceptions, and conflicts between rules of one rank, with the answers published for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cases.published import day, duty, fact, part, run
from tallybook import desk
from tallybook.agreement.provision import Definition
from tallybook.commitments.exceptions import Valued, value_of
from tallybook.errors import CaseFaultsError
from tallybook.verdicts.inquiry import Inquiry

SCHOOL = part("06", "school-entry")
TREE = part("06", "tree-of-exceptions")
SAME = part("06", "no-conflict-same-answer")
RATES = part("06", "conflict-only-for-some-inputs")
WITH = {"article-1": 0, "article-2": 10, "article-3": 20}


def asked(into: Path, facts: Iterable[Mapping[str, Any]], on: int = 0) -> Inquiry:
    return desk.ask(run("exceptions", facts, into), day(on))


def valued(inquiry: Inquiry, name: str) -> Valued:
    definition = inquiry.in_force.provisions[name]
    assert isinstance(definition, Definition)
    return value_of(inquiry, definition)


def percent(text: str) -> list[float]:
    """The rates that a published answer names."""
    return [float(number) for number in re.findall(r"(\d+) %", text)]


# School entry.


def entry(query: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The facts of a query, and the day from which its rules are the ones in force."""
    facts = [fact(f"grade({f['applicant']})", day(0), number=f["grade"]) for f in SCHOOL["facts"]]
    facts += [fact(f'diploma({f["applicant"]}, from="{f["school"]}")', day(0)) for f in SCHOOL["facts"]]
    facts += [fact(f"accepted({name})", day(1)) for name in query["accepted_before"]]
    return facts, 1 + max(WITH[rule] for rule in query["with_rules"])


@pytest.mark.parametrize("number", range(len(SCHOOL["queries"])))
def test_who_may_be_accepted(number: int, tmp_path: Path) -> None:
    query = SCHOOL["queries"][number]
    inquiry = asked(tmp_path, *entry(query))
    forbidden = {name: duty(inquiry, f"article-1-{name}") for name in query["may_accept"]}
    found = {name: life.status == "pending" or life.state == "withheld" for name, life in forbidden.items()}
    assert found == query["may_accept"]
    # To accept nobody whom one may not accept is a standing prohibition: it is broken by the one act.
    assert all(life.state in ("owed", "breached") for name, life in forbidden.items() if not query["may_accept"][name])


def test_accepting_whom_one_may_not_breaks_the_prohibition(tmp_path: Path) -> None:
    facts, on = entry(SCHOOL["queries"][2])
    inquiry = asked(tmp_path, [*facts, fact("accepted(Chloe)", day(22))], on + 5)
    life = duty(inquiry, "article-1-Chloe")
    assert (life.state, life.missed[:10]) == ("breached", day(22))
    assert duty(inquiry, "article-1-Bob").state == "not yet owed"


@pytest.mark.parametrize("number", range(len(SCHOOL["queries"])))
def test_an_exception_without_a_value_of_its_own_takes_away_that_of_the_exception(number: int, tmp_path: Path) -> None:
    query = SCHOOL["queries"][number]
    inquiry = asked(tmp_path, *entry(query))
    assert inquiry.value("@entry", inquiry.on)[0] == str(query["may_accept"]["Chloe"]).lower()


# The tree of exceptions.


@pytest.mark.parametrize("row", TREE["expected"], ids=lambda row: f"y={row['y']}")
def test_the_tree_of_exceptions(row: dict[str, Any], tmp_path: Path) -> None:
    inquiry = asked(tmp_path, [fact("y", day(0), number=row["y"])])
    value, why = inquiry.value("@x", inquiry.on)
    if isinstance(row["x"], str):
        assert (value, why.reasons) == (None, (row["x"],))
    else:
        assert value == row["x"]
        depth = next(n for n, rules in enumerate(_ranks(TREE["expected_tree"])) if f"y={row['y']}" in rules)
        assert set(valued(inquiry, "x").values.values()) == {(("@x", "@x-exception", "@x-exception-to-it")[depth],)}


def _ranks(tree: dict[str, Any]) -> list[list[str]]:
    inner = tree.get("exception")
    return [tree["base"] if "base" in tree else tree["rules"], *(_ranks(inner) if inner else [])]


def test_what_y_is_not_on_record_leaves_x_unknown_and_says_what_it_waits_for(tmp_path: Path) -> None:
    inquiry = asked(tmp_path, [])
    value, why = inquiry.value("@x", inquiry.on)
    assert value is None
    assert why.waits_for == ("the number of y",)


# Rules of one rank.


def test_two_exceptions_of_one_rank_that_differ_are_both_reported_and_neither_is_chosen(tmp_path: Path) -> None:
    assert part("06", "conflict")["expected"].startswith("conflict")
    inquiry = asked(tmp_path, [])
    found = valued(inquiry, "z")
    assert found.conflict
    assert found.values == {1.0: ("@z-one",), 2.0: ("@z-two",)}
    value, why = inquiry.value("@z", inquiry.on)
    assert value is None
    assert why.reasons[0].startswith("conflict: ")
    assert all(name in why.reasons[0] for name in ("@z-one", "@z-two"))


@pytest.mark.parametrize("number", range(len(SAME["cases"])))
def test_exceptions_that_say_the_same_are_no_conflict(number: int, tmp_path: Path) -> None:
    row = SAME["cases"][number]
    facts = [fact("income", day(0), number=row["income"]), *([fact("disabled", day(0))] if row["disabled"] else [])]
    found = valued(asked(tmp_path, facts), "tax")
    assert not found.conflict
    if row["expected"].startswith("0"):
        both = ("@tax-low-income", "@tax-disabled") if "both" in row["expected"] else ("@tax-low-income",)
        assert found.values == {0.0: both}
    else:
        assert found.values == {percent(row["expected"])[0]: ("@tax",)}


@pytest.mark.parametrize("row", RATES["cases"], ids=lambda row: f"case-{row['case']}")
def test_rules_of_one_rank_clash_only_where_both_apply(row: dict[str, Any], tmp_path: Path) -> None:
    found = valued(asked(tmp_path, [fact("case", day(0), number=row["case"])]), "rate")
    assert sorted(found.values) == percent(row["expected"])
    assert found.conflict == row["expected"].startswith("conflict")


# Further samples of the same project.


def test_an_exception_to_an_exception_gives_the_value(tmp_path: Path) -> None:
    assert valued(asked(tmp_path, []), "squared").values == {2.0: ("@squared-exception-to-it",)}


@pytest.mark.parametrize(
    ("age", "disabled", "expected"), [(26, True, 2000), (26, False, 500), (25, False, 1000), (20, True, 2000)]
)
def test_an_exception_to_a_group_of_rules(age: int, disabled: bool, expected: int, tmp_path: Path) -> None:
    facts = [fact("age", day(0), number=age), *([fact("disabled", day(0))] if disabled else [])]
    inquiry = asked(tmp_path, facts)
    assert inquiry.value("@benefit", inquiry.on)[0] == expected


def test_the_same_rule_twice_is_no_conflict(tmp_path: Path) -> None:
    found = valued(asked(tmp_path, []), "twice")
    assert (found.values, found.conflict) == ({1.0: ("@twice",)}, False)


def test_an_exception_touches_its_own_variable_only(tmp_path: Path) -> None:
    inquiry = asked(tmp_path, [])
    assert [inquiry.value(f"@labelled-{name}", inquiry.on)[0] for name in "xyz"] == [0, 1, 0]


REFUSED = {
    "an exception to itself": '  - {id: loop, kind: exception, in: code, to: "@loop", cases: [{is: 0}]}',
    "exceptions in a circle": """
  - {id: e1, kind: exception, in: code, to: "@e3", cases: [{is: 0}]}
  - {id: e2, kind: exception, in: code, to: "@e1", cases: [{is: 1}]}
  - {id: e3, kind: exception, in: code, to: "@e2", cases: [{is: 2}]}""",
    "an exception to nothing": '  - {id: dangling, kind: exception, in: code, to: "@nothing", cases: [{is: 1}]}',
    "values in a circle": """
  - {id: v1, kind: definition, in: code, cases: [{when: value @v2 == 1, is: 1}]}
  - {id: v2, kind: definition, in: code, cases: [{when: value @v1 == 1, is: 1}]}""",
    "an exception that asks for what it is an exception to": """
  - {id: asks, kind: exception, in: code, to: "@tax", when: value @tax == 20, cases: [{is: 1}]}""",
}


@pytest.mark.parametrize("name", REFUSED)
def test_check_refuses(name: str, tmp_path: Path) -> None:
    with pytest.raises(CaseFaultsError) as caught:
        run("exceptions", [], tmp_path, replace=("\nstates:\n", f"\n{REFUSED[name]}\n\nstates:\n"))
    told = "no provision or claim @nothing" if "to nothing" in name else "wait for each other"
    assert any(told in fault.what for fault in caught.value.faults)
