"""Cases made from the example by changing text, and the answers that tests ask for."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tallybook import desk
from tallybook.verdicts.board import board_json
from tallybook.verdicts.inquiry import Case

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "cuba-1962"


def rewrite_table(path: Path, keep: Callable[[dict[str, str]], bool]) -> list[str]:
    """Drop the rows of a table that are not to be kept; returns the ids dropped (of the first column)."""
    reader = csv.DictReader(io.StringIO(path.read_text("utf-8")))
    columns, rows = list(reader.fieldnames or ()), list(reader)
    kept = [row for row in rows if keep(row)]
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    path.write_text(out.getvalue(), "utf-8")
    return [row[columns[0]] for row in rows if row not in kept]


def drop_reports(folder: Path, unwanted: Callable[[dict[str, str]], bool]) -> set[str]:
    """Remove rows of every table of reports, and every table row that names one of them, until none is left."""
    gone: set[str] = set()
    tables = [p for p in sorted((folder / "reports").glob("*.csv")) if p.name != "sources.csv"]
    for path in tables:
        if path.name != "bearings.csv":
            gone |= set(rewrite_table(path, lambda row: not unwanted(row)))

    def names_one(row: dict[str, str]) -> bool:
        return any(word in gone for value in row.values() for word in value.replace(",", " ").replace(";", " ").split())

    while True:
        before = len(gone)
        for path in tables:
            dropped = rewrite_table(path, lambda row: not names_one(row))
            gone |= set(dropped) if path.name != "bearings.csv" else set()
        if len(gone) == before:
            return gone


def add_row(folder: Path, table: str, row: str) -> None:
    """Put one more row at the end of a table of reports."""
    path = folder / "reports" / f"{table}.csv"
    path.write_text(path.read_text("utf-8") + row + "\n", "utf-8")


def hold_against(found: dict[str, Any], row: dict[str, str]) -> None:
    """Hold a line of the board against a row of an expected.csv."""
    assert row["accept"] or row["state"]
    if row["accept"]:
        assert found["verdict"] in row["accept"].split("|")
    if row["state"]:
        assert found["state"] == row["state"]
    if row["removed_median"]:
        low, high = map(int, row["removed_median"].split(".."))
        assert low <= found["quantity"]["removed"][1] <= high
    if row["correctness"]:
        assert found["quantity"]["correctness"] == row["correctness"]
    if row["completeness_must_not_be"]:
        assert found["quantity"]["completeness"] != row["completeness_must_not_be"]
    if row["cite_any_of"] and found["verdict"] != "no evidence":
        assert (set(found["supporting"]) | set(found["against"])) & set(row["cite_any_of"].split())


def words(folder: Path, dates: Iterable[str]) -> dict[str, list[str]]:
    """The verdict words or states of every line, in the order of the board, on several dates."""
    loaded = desk.open_case(folder)
    return {d: [line.shown for line in desk.board(desk.ask(loaded, d)).lines] for d in dates}


def answer(loaded: Case, on: str | None = None, known: str | None = None, reading: str | None = None) -> dict[str, Any]:
    """The board as JSON."""
    return board_json(desk.board(desk.ask(loaded, on, known, reading)))
