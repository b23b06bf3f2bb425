"""The checker's own text in force, suspensions and conflicts are those of the agreement engine, whatever the changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreement.test_operations import BASE, DAYS, INSTRUMENTS, KINDS, change, histories, read, stood
from checker.given import FOLDERS, ask, books, opened
from tallybook.agreement.amendment import Change
from tallybook.agreement.change import ChangeError, InForce, provision_reader
from tallybook.checker.books import Books
from tallybook.checker.changes import MisfitError
from tallybook.checker.provisions import Provisions
from tallybook.checker.rows import File

MORE: list[tuple[str, str, Any]] = [
    *KINDS,
    ("renumber", "@patrol", "watch"),
    ("renumber", "@removal", "clearance"),
    ("replace", "@watch.until", "2031-10-31"),
    ("replace", "@patrol.parts.p1", {"text": {"accord": ["c"]}}),
    ("repeal", "@patrol.parts.p2", None),
    ("add", "@removal.earliest", "2031-02-01"),
    ("add", "@patrol", {"kind": "power", "holder": "North"}),
    ("insert", "@notice", {"kind": "duty", "owed": {"by": "North", "to": "South"}, "endeavour": "told(South)", "text": {}}),
    ("postpone", "@removal", "2031-04-01"),
    ("postpone", "@sent", "2031-05-01"),
    ("postpone", "@undated", "none"),
    ("repeal", "@waiting", None),
    ("repeal", "@accord", None),
    ("limit", "@removal", {"by": "2031-06-01"}),
    ("limit", "@patrol", {"states": "full"}),
    ("extend", "@removal", {"by": "2031-12-01"}),
    ("restate", "@arms", {"kind": "definition", "includes": [{"item": "gun"}]}),
    ("interpret", "@arms", {"excludes": ["gun"]}),
    ("suspend", "@patrol", {"in_part": True}),
]
OF_CHANGES: list[tuple[str, str, Any]] = [
    ("repeal", "", None),
    ("postpone", "", "2031-06-01"),
    ("postpone", "", "none"),
    ("postpone", "", {"when": "ratified(accord)"}),
    ("correct", ".value", "2031-09-29"),
    ("replace", "", {"value": "2031-11-01"}),
    ("suspend", "", None),
    ("resume", "", None),
]


@st.composite
def wilder(draw: st.DrawFn) -> list[Change]:
    """Changes of every kind, by several instruments, in any order, many of them to others."""
    out: list[Change] = []
    for n in range(1, draw(st.integers(1, 8)) + 1):
        more: dict[str, Any] = {"made": draw(st.sampled_from(DAYS)), "in": draw(st.sampled_from(sorted(INSTRUMENTS)))}
        if effective := draw(st.one_of(st.none(), st.sampled_from([*DAYS, "none", "on receipt", "undated"]))):
            more["effective"] = {"when": "ratified(accord)"} if effective == "undated" else effective
        about: bool = draw(st.booleans())
        if out and about:
            op, path, value = draw(st.sampled_from(OF_CHANGES))
            target = f"@{draw(st.sampled_from(out)).address}{path}"
        else:
            op, target, value = draw(st.sampled_from(MORE))
        ends: bool = draw(st.booleans())
        if op == "suspend" and ends:
            more["until"] = draw(st.sampled_from(DAYS))
        try:
            out.append(change(n, op, target, value, **more))
        except ValueError:
            continue
    return out


def _raw(changed: Change) -> dict[str, Any]:
    raw = changed.model_dump(by_alias=True, exclude_unset=True, mode="json")
    return {**raw, "recorded_by": []}


def own(changes: list[Change], on: str, known: str, ratified: str | None) -> Provisions:
    agreement = {
        "time_zone": "Europe/Vienna",
        "provisions": list(BASE.values()),
        "instruments": {
            name: one.model_dump(by_alias=True, exclude_unset=True, mode="json") for name, one in INSTRUMENTS.items()
        },
        "changes": [_raw(c) for c in changes],
    }
    file = File(Books(agreement, reports={}), read(known).last)
    at = read(ratified).last if ratified and read(ratified).last <= read(on).last else None
    return Provisions(file, read(on).last, "plain", lambda _text, _without: at)


def plain(found: InForce) -> dict[str, Any]:
    return {
        "provisions": dict(found.provisions),
        "order": list(found.provisions),
        "applied": list(found.applied),
        "repealed": dict(found.repealed),
        "history": found.history,
        "since": dict(found.since),
        "conflicts": {c.target: list(c.changes) for c in found.conflicts},
        "stops": {n: [(s.starts, s.ends, s.by, s.in_part) for s in stops] for n, stops in found.suspended.items() if stops},
    }


def plain_own(found: Provisions) -> dict[str, Any]:
    text = found.text
    reader = provision_reader()
    return {
        "provisions": {name: reader.validate_python(raw) for name, raw in text.entries.items()},
        "order": list(text.entries),
        "applied": found.applied,
        "repealed": text.repealed,
        "history": {name: tuple(made) for name, made in text.made_by.items()},
        "since": found.since,
        "conflicts": found.conflicts,
        "stops": {n: [(s.starts, s.ends, s.by, s.in_part) for s in stops] for n, stops in found.suspended.items() if stops},
    }


def agree(changes: list[Change], on: str, known: str, ratified: str | None = None) -> bool:
    """Compares the two; false where the changes cannot be put together."""
    try:
        expected = plain(stood(changes, on, known, ratified))
    except ChangeError as error:
        if "without its form" not in str(error):
            with pytest.raises(MisfitError):
                _ = own(changes, on, known, ratified).text
        return False
    except ValueError:
        # A change spoils the form of a provision, which the checker does not judge.
        return False
    assert plain_own(own(changes, on, known, ratified)) == expected
    return True


@settings(max_examples=150, deadline=None)
@given(histories(), st.sampled_from(DAYS), st.sampled_from(DAYS))
def test_the_text_is_that_of_the_engine(changes: list[Change], on: str, known: str) -> None:
    agree(changes, on, known)


@settings(max_examples=300, deadline=None)
@given(wilder(), st.sampled_from(DAYS), st.sampled_from([None, *DAYS]))
def test_with_every_operation_and_changes_of_changes(changes: list[Change], on: str, ratified: str | None) -> None:
    agree(changes, on, "2099", ratified)


@pytest.mark.parametrize("case", sorted(FOLDERS))
def test_the_text_of_every_case_at_every_turn(case: str) -> None:
    days = {c.made for c in opened(case).agreement.changes} | {opened(case).agreement.default_as_of}
    for day in sorted(days):
        inquiry = ask(case, day)
        file = File(books(case), inquiry.question.known)
        found = Provisions(file, inquiry.question.on, "plain")
        if found.history.entries() is not None and not found.history.doubtful:
            assert plain_own(found) == plain(inquiry.in_force), day
