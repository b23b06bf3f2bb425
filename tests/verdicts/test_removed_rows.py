"""A case from which any rows were taken, with every row that names them, still loads, and never says more."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from support import answer, drop_reports
from tallybook import desk
from tallybook.casefile.read import read_case


@pytest.mark.parametrize("seed", range(6))
def test_any_rows_may_go(copy: Callable[[], Path], seed: int) -> None:
    chance = random.Random(seed)
    folder = copy()
    gone = drop_reports(folder, lambda row: chance.random() < (seed + 1) / 10)
    assert gone
    read = read_case(folder)
    assert read.faults == []
    assert read.case is not None
    for day in ("1962-11-03", "1962-11-12", "1963-01-08"):
        for entry in answer(read.case, day)["lines"]:
            assert not gone & {*entry["supporting"], *entry["against"]}


def test_without_any_row_there_is_no_evidence(copy: Callable[[], Path]) -> None:
    folder = copy()
    drop_reports(folder, lambda row: True)
    board = answer(desk.open_case(folder), "1962-11-12")
    assert {entry["verdict"] for entry in board["lines"]} == {"no evidence", None}
    assert board["measures"] == []
    notes = read_case(folder).notes
    assert any("has no effect" in note.what for note in notes)


def test_without_counts_nothing_is_shown_to_be_out(copy: Callable[[], Path]) -> None:
    folder = copy()
    drop_reports(folder, lambda row: row.get("method") == "ship_count")
    found = next(e for e in answer(desk.open_case(folder), "1962-11-12")["lines"] if e["id"] == "missiles_removed")
    assert found["quantity"]["correctness"] != "verified"
    assert "equally-effective" not in found["standard"]["methods_met"]
