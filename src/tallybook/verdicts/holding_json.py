"""The account of a quantity as JSON: every field of it, with numbers as numbers and instants in ISO 8601."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tallybook.holdings.entries import Entry
from tallybook.holdings.numbers import Array
from tallybook.holdings.rivals import Reading
from tallybook.holdings.ships import Count, Ship, Total
from tallybook.verdicts.holding import Holding
from tallybook.verdicts.holding_words import (
    Told,
    answer,
    counted_by,
    declared_by,
    declared_sum,
    item_name,
    looks_sum,
    no_row,
    shown_sum,
    start_by,
    start_of,
    units,
    without_figure,
)

TOTALS = "totals"
"""The form of an account that adds up totals; an account of stages has another, and fields of its own."""
_DIGITS = 12
_LEAST = 1e-6
_MOST_POINTS = 1_000


def as_dict(holding: Holding) -> dict[str, Any]:
    """The account as JSON (docs/reference/json.md)."""
    finding, books = holding.finding, holding.books
    quantity = holding.claim.quantity
    assert quantity is not None
    return {
        "form": TOTALS,
        "item": quantity.item,
        "name": item_name(holding),
        "units": units(holding),
        "claim": holding.claim.id,
        "says": holding.claim.says,
        "verdict": finding.verdict.value if finding.verdict else None,
        "words": " ".join(answer(holding)),
        "declared": number(books.declared),
        "declared_by": declared_by(holding) or None,
        "declarations": [entry_json(holding, e) for e in books.declarations],
        "start": number(start_of(holding)),
        "start_by": list(start_by(holding)),
        "smallest_part": books.step,
        "at_first": triple(holding.first) if books.remaining else None,
        "removed": triple(books.removed),
        "remaining": triple(books.remaining),
        "p_none_left": chance(books.p_none_left),
        "p_declared_removed": chance(books.p_declared_removed),
        "p_nothing_undeclared": chance(holding.p_nothing_undeclared) if books.remaining else None,
        "p_nothing_undeclared_before": chance(books.account.undeclared.none) if books.remaining else None,
        "correctness": finding.correctness.value if finding.correctness else None,
        "correctness_because": list(holding.correctness_because),
        "completeness": finding.completeness.value if finding.completeness else None,
        "completeness_because": list(holding.completeness_because),
        "waterfall": [{"step": s.name, "points": triple((s.low, s.middle, s.high))} for s in holding.waterfall],
        "ships": [_ship(holding, s) for s in holding.ships] + _other_ships(holding),
        "ships_named": holding.ships_named,
        "ships_named_by": holding.ships_named_by or None,
        "ship_sums": _sums(holding),
        "totals": [_total(holding, t) for t in holding.totals],
        "beside": [entry_json(holding, e) for e in beside(holding)],
        "looks": _looks(holding),
        "readings": [_reading(r) for r in holding.readings],
        "p_one_left": chance(float(books.solved.left[1])) if books.remaining and len(books.solved.left) > 1 else None,
        "one_left": [_reading(r) for r in holding.one_left],
        "varied": [{"assumption": v.assumption, "p_none_left": chance(v.p_none_left)} for v in holding.varied],
        "bands": _bands(holding),
        "distributions": _distributions(holding),
        "places": [
            {"place": p.place, "name": p.name, "last_look": p.report or None, "at": at(holding, p.at)} for p in holding.places
        ],
        "unused": [unused(holding, u.report, u.why) for u in holding.unused],
        "assumed": list(holding.assumed),
    }


def beside(holding: Holding) -> list[Entry]:
    """What stands beside the declaration: estimates, and looks at what there was at least or in all."""
    return [*holding.books.beside, *(e for e in holding.books.looks if e.kind in ("at_least", "all_there_was"))]


def number(value: float | None) -> float | int | None:
    """A whole number as such."""
    return int(value) if value is not None and float(value).is_integer() else value


def triple(values: Sequence[float] | None) -> list[float | int | None] | None:
    """5 %, median and 95 % points."""
    return [number(v) for v in values] if values is not None else None


def chance(p: float | None) -> float | None:
    """To twelve digits: sums of rounded terms may end a little above 1."""
    return None if p is None else float(f"{min(max(p, 0.0), 1.0):.{_DIGITS}g}")


def at(holding: Told, instant: datetime | None) -> str | None:
    """An instant in the time zone of the case."""
    return holding.inquiry.show(instant) if instant is not None else None


def entry_json(holding: Told, entry: Entry) -> dict[str, Any]:
    """A report of a number."""
    report = holding.inquiry.view.reports[entry.report]
    return {
        "report": entry.report,
        "kind": entry.kind,
        "low": number(entry.low),
        "high": number(entry.high),
        "by": report.who,
        "at": at(holding, entry.at),
        "known": at(holding, entry.known),
        "statement": report.statement,
    }


def _count(holding: Holding, count: Count) -> dict[str, Any]:
    return {
        "report": count.report,
        "declared": number(count.declared),
        "low": number(count.low),
        "high": number(count.high),
        "by": counted_by(count, holding),
        "at": at(holding, count.at),
        "known": at(holding, count.known),
        "is_look": count.trust is not None,
    }


def _ship(holding: Holding, ship: Ship) -> dict[str, Any]:
    return {
        "ship": ship.name,
        "declared": number(ship.declared),
        "declared_by": ship.declared_in or None,
        "counted": number(ship.counted),
        "at_least": ship.at_least,
        "by": counted_by(ship, holding),
        "difference": number(ship.difference),
        "report": ship.report or None,
        "at": at(holding, ship.at),
        "is_look": ship.is_look,
        "others": [c.report for c in ship.others],
        "figures": [_count(holding, c) for c in ship.figures],
    }


def _other_ships(holding: Holding) -> list[dict[str, Any]]:
    """Ships named without a figure, and one blank row for each that was counted among the named and is on no row."""
    blank: dict[str, Any] = {
        "ship": None,
        "declared": None,
        "declared_by": None,
        "counted": None,
        "at_least": False,
        "by": "",
        "difference": None,
        "report": None,
        "at": None,
        "is_look": False,
        "others": [],
        "figures": [],
    }
    named = [{**blank, "ship": name} for name in without_figure(holding)]
    return [*named, *(dict(blank) for _ in range(no_row(holding)))]


def _sums(holding: Holding) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, (total, count) in (
        ("declared", declared_sum(holding)),
        ("counted", shown_sum(holding)),
        ("looks", looks_sum(holding)),
    ):
        out[name] = {"sum": number(total), "ships": count}
    return out


def _total(holding: Holding, total: Total) -> dict[str, Any]:
    return {
        "report": total.report,
        "also": list(total.also),
        "low": number(total.low),
        "high": number(total.high),
        "by": total.by,
        "at": at(holding, total.at),
        "known": at(holding, total.known),
        "is_look": total.is_look,
        "rows_then": number(total.then),
        "ships_then": total.ships_then,
        "rows_now": number(total.now),
        "ships_now": total.ships_now,
        "follows": total.follows if holding.ships else None,
    }


def _looks(holding: Holding) -> list[dict[str, Any]]:
    entries = {e.report: e for e in holding.books.looks}
    return [
        {
            **entry_json(holding, entries[row.report]),
            "of": row.part,
            "trust": chance(row.trust),
            "p_none_left_without": chance(row.p_none_left_without),
            "p_declared_removed_without": chance(row.p_declared_out_without),
            "surprise": None if row.surprise is None else float(f"{row.surprise:.6g}"),
        }
        for row in holding.looks
    ]


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "name": reading.name,
        "words": reading.words,
        "probability": chance(reading.probability),
        "reports": list(reading.reports),
    }


def _bands(holding: Holding) -> list[dict[str, Any]]:
    return [
        {
            "day": at(holding, band.day),
            "removed": triple(band.out),
            "remaining": triple(band.left),
            "p_none_left": chance(band.p_none_left),
            "looks": list(band.looks),
        }
        for band in holding.bands
    ]


def _distributions(holding: Holding) -> dict[str, Any]:
    """[number, probability] for every number with a probability of 1e-6 or more, of at most a thousand numbers, the likeliest."""
    solved, step = holding.books.solved, holding.books.step
    named = {"at_first": solved.first, "removed": solved.out, "remaining": solved.left}
    if holding.books.remaining is None:
        named = {"removed": solved.out}
    return {name: likely_points(weights, step) for name, weights in named.items()}


def likely_points(weights: Array, step: float) -> list[list[float | int | None]]:
    """[number, probability] of the numbers that are worth saying."""
    likely = [int(n) for n in (weights >= _LEAST).nonzero()[0]]
    kept = sorted(sorted(likely, key=lambda n: (-float(weights[n]), n))[:_MOST_POINTS])
    return [[number(round(n * step, 9)), chance(float(weights[n]))] for n in kept]


def unused(holding: Told, name: str, why: str) -> dict[str, Any]:
    """A report of a number that is no look, and why."""
    report = holding.inquiry.view.reports.get(name)
    return {
        "report": name,
        "number": number(report.number) if report else None,
        "by": report.who if report else "",
        "statement": report.statement if report else "",
        "why": why,
    }
