"""The separate checker on exhibits and second readers: rows and files changed behind an explanation's back are complained of."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checker.given import FOLDERS, ask, books, told
from checker.mutations import mutations
from tallybook.casefile.books import read_books
from tallybook.checker.books import Books
from tallybook.checker.check import check, checked

CASE = "second-readers"
ON = "2031-09-21"


def tree(name: str = "north_rounds_destroyed", on: str = ON) -> dict[str, Any]:
    return copy.deepcopy(told(ask(CASE, on), name))


def steps(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("because", ()):
        yield from steps(child)


def step(whole: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    return next(found for root in whole["because"] for found in steps(root) if found.get(key) == name)


def complaints(whole: dict[str, Any], of: Books | None = None) -> list[str]:
    return [complaint.what for complaint in check(whole, of or books(CASE))]


def other(table: str, name: str, **changes: str) -> Books:
    found = books(CASE)
    if table == "exhibits":
        return replace(found, exhibits={**found.exhibits, name: {**found.exhibits[name], **changes}})
    if table == "custody":
        return replace(found, custody=[{**row, **changes} if row["exhibit"] == name else row for row in found.custody])
    return replace(found, reviews=[{**row, **changes} if row["id"] == name else row for row in found.reviews])


@pytest.mark.parametrize("on", ["2031-07-19", "2031-07-20", "2031-09-12", ON, "2031-09-22", "2031-09-25", "2031-10-01"])
@pytest.mark.parametrize(
    "name", ["all_rounds_destroyed", "north_rounds_destroyed", "east_rounds_destroyed", "machines_destroyed"]
)
def test_accepted_on_every_day(name: str, on: str) -> None:
    found = checked(tree(name, on), books(CASE))
    assert found.complaints == ()
    assert found.leaves >= 1


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"sha256": "0" * 64}, "sha256"),
        ({"title": "Another"}, "title"),
        ({"origin": "another"}, "origin"),
        ({"made_at": "2031-07-08"}, "made_at"),
        ({"place": "South"}, "place"),
        ({"licence": "CC0-1.0"}, "licence"),
        ({"kind": "chart"}, "kind"),
        ({"source_id": "SRC-SAT"}, "source"),
        ({"media_type": "text/csv"}, "media_type"),
        ({"known_at": "2031-09-22"}, "exhibits"),
        ({"reports": ""}, "exhibits"),
        ({"reports": "OBS-03; OBS-04"}, "exhibits"),
    ],
)
def test_another_row_of_the_exhibit(changes: dict[str, str], what: str) -> None:
    assert what in complaints(tree(), other("exhibits", "EXH-2", **changes))


@pytest.mark.parametrize(
    "changes", [{"held_by": "B"}, {"from": "2031-09-14"}, {"how": "lent"}, {"to": "2031-09-15"}, {"known_at": "2031-10-01"}]
)
def test_another_custody_log(changes: dict[str, str]) -> None:
    assert {"custody", "says"} <= set(complaints(tree(), other("custody", "EXH-5", **changes)))


@pytest.mark.parametrize(
    "changes",
    [{"by": "Z"}, {"known_at": "2031-09-22"}, {"what": "agrees"}, {"bears": "against"}, {"reason": "r"}, {"report": "X"}],
)
def test_another_review(changes: dict[str, str]) -> None:
    assert "review" in complaints(tree(), other("reviews", "REV-4", **changes))


def test_a_second_reader_left_out_or_made_up() -> None:
    whole = tree("east_rounds_destroyed")
    step(whole, "report", "OBS-08")["facts"]["review"]["unreviewed"] = []
    assert "review" in complaints(whole)
    whole = tree("east_rounds_destroyed")
    del step(whole, "report", "OBS-08")["facts"]["review"]
    assert "review" in complaints(whole)


def test_an_unreviewed_mark_where_the_desk_asks_for_none() -> None:
    found = books(CASE)
    lax = replace(found, agreement={**found.agreement, "weighing": {}})
    assert "review" in complaints(tree("east_rounds_destroyed"), lax)


def test_an_exhibit_left_out_doubled_or_put_elsewhere() -> None:
    whole = tree()
    row = step(whole, "report", "OBS-05")
    row["because"].pop()
    assert complaints(whole) == ["exhibits"]
    row["because"] = [row["because"][0]] * 2
    assert complaints(whole) == ["exhibits"]
    whole = tree()
    moved = step(whole, "exhibit", "EXH-2")
    step(whole, "report", "OBS-02")["because"] = [moved]
    assert complaints(whole) == ["exhibits"]


@pytest.mark.parametrize(
    "make",
    [
        lambda row: {**row, "quote": "x", "instrument": "treaty"},
        lambda row: {
            **row,
            "because": [*row["because"], {"rule": "quotation", "says": "x", "quote": "x", "instrument": "treaty"}],
        },
        lambda row: {**row, "because": []},
        lambda row: {**row, "rule": "cluster"},
        lambda row: {key: value for key, value in row.items() if key != "report"},
        lambda row: {**row, "exhibit": "EXH-3"},
        lambda row: {**row, "exhibit": 3},
    ],
)
def test_only_a_report_stands_above_exhibits_and_above_nothing_else(make: Any) -> None:
    whole = tree()
    row = step(whole, "report", "OBS-05")
    changed = make(dict(row))
    row.clear()
    row.update(changed)
    assert "form" in complaints(whole)


def test_the_exhibit_of_a_state_left_out() -> None:
    whole = tree("fund")
    del step(whole, "report", "MEA-01")["because"]
    assert complaints(whole) == ["exhibits"]


def test_exhibits_below_a_row_that_shows_none() -> None:
    whole = tree()
    step(whole, "rule", "method-met")["because"] = [step(whole, "exhibit", "EXH-3")]
    assert "form" in complaints(whole)


def test_every_change_of_an_exhibit_and_of_a_review_is_caught() -> None:
    whole = tree()
    quote = "treaty", "decisive evidence"
    tried = [
        (what, other)
        for what, other in mutations(whole["because"][0], "OBS-01", quote)
        if " exhibit: " in what or "fact review" in what
    ]
    assert len(tried) > 200
    chosen = random.Random(11).sample(tried, 120)
    assert [what for what, other in chosen if not complaints({**whole, "because": [other]})] == []


def test_an_exhibit_that_nobody_filed() -> None:
    whole = tree()
    step(whole, "exhibit", "EXH-2")["exhibit"] = "EXH-9"
    assert "exhibit" in complaints(whole)


def test_a_file_that_was_changed_is_complained_of_and_one_not_in_hand_is_not(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDERS[CASE], tmp_path / "case"))
    whole = tree()
    assert complaints(whole, read_books(folder)) == []
    path = folder / "exhibits" / f"{books(CASE).exhibits['EXH-2']['sha256']}.txt"
    path.write_bytes(path.read_bytes().replace(b"24 rounds", b"22 rounds"))
    found = check(whole, read_books(folder))
    assert [(complaint.rule, complaint.what) for complaint in found] == [("exhibit", "sha256 of the file")]
    assert found[0].expected == path.stem
    path.unlink()
    assert complaints(whole, read_books(folder)) == []
    path.mkdir()
    assert [complaint.found for complaint in check(whole, read_books(folder))] == ["a file that cannot be read"]
