"""The account of a quantity with stages as JSON."""

from __future__ import annotations

from typing import Any

from tallybook.verdicts.finding import find
from tallybook.verdicts.holding_json import chance, entry_json, likely_points, number, triple, unused
from tallybook.verdicts.holding_words import item_name, units
from tallybook.verdicts.staged import Integrated, LookRow, StagedHolding, StockDay
from tallybook.verdicts.staged_words import staged_answer, waterfall

STAGES = "stages"
_DIGITS = 12


def as_dict(held: StagedHolding) -> dict[str, Any]:
    """The account as JSON (docs/reference/json.md)."""
    quantity, finding, books, last = held.claim.quantity, find(held.inquiry, held.claim), held.books, held.left[-1]
    assert quantity is not None
    return {
        "form": STAGES,
        "item": quantity.item,
        "name": item_name(held),
        "units": units(held),
        "claim": held.claim.id,
        "says": held.claim.says,
        "verdict": finding.verdict.value if finding.verdict else None,
        "words": " ".join(staged_answer(held)),
        "declared": held.declared,
        "declared_by": held.declared_by or None,
        "declarations": [entry_json(held, e) for e in books.declarations],
        "removed": triple(books.removed),
        "remaining": triple((last.low, last.middle, last.high)),
        "p_none_left": chance(held.p_none_left),
        "standard_error": _digits(held.standard_error),
        "p_declared_removed": chance(books.p_declared_removed),
        "p_nothing_undeclared": chance(held.p_nothing_undeclared),
        "p_nothing_undeclared_before": chance(held.plan.undeclared.none),
        "p_no_arrivals": chance(held.p_no_arrivals),
        "mean_arrivals": _digits(held.arrivals),
        "correctness": finding.correctness.value if finding.correctness else None,
        "completeness": finding.completeness.value if finding.completeness else None,
        "waterfall": [{"step": name, "points": triple(points)} for name, _, points in waterfall(held)],
        "stages": [{"stage": s.stage, "title": s.title, "days": [_day(d) for d in s.days]} for s in held.stages],
        "bands": [_day(d) for d in held.left],
        "days_without_looks": [d.isoformat() for d in held.days_without_looks],
        "looks": [_look(row) for row in held.looks],
        "p_none_left_at_means": chance(held.p_none_left_at_means),
        "integrated": [_parameter(i) for i in held.integrated],
        "varied": [{"nothing_undeclared": o.none, "p_none_left": chance(o.p_none_left)} for o in held.other_priors],
        "swings": [
            {
                "parameter": s.parameter,
                "range": [_digits(s.low), _digits(s.high)],
                "p_none_left": [chance(s.p_none_left_low), chance(s.p_none_left_high)],
            }
            for s in held.swings
        ],
        "distributions": {"undeclared": likely_points(held.undeclared, 1.0)},
        "unused": [unused(held, u.report, u.why) for u in held.unused],
        "assumed": list(held.assumed),
        "method": held.method,
        "discarded": _digits(held.discarded),
        "draws": held.draws,
        "effective_draws": _digits(held.ess),
        "warning": held.warning or None,
    }


def _digits(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _day(at: StockDay) -> dict[str, Any]:
    return {
        "day": at.date.isoformat(),
        "mean": _digits(at.mean),
        "remaining": triple((at.low, at.middle, at.high)),
        "p_none_left": chance(at.p_none),
    }


def _look(row: LookRow) -> dict[str, Any]:
    look = row.look
    return {
        "reports": list(look.reports),
        "days": [
            {"day": date.isoformat(), "weight": chance(weight)} for date, (_, weight) in zip(row.dates, look.days, strict=True)
        ],
        "by": look.observer,
        "method": look.method,
        "stage": look.stage,
        "leaving": look.leaving,
        "ships": list(look.ships),
        "low": number(look.low),
        "high": number(look.high),
        "trust": chance(look.trust),
        "seen_together": look.in_pass or None,
        "p_none_left_without": chance(row.p_none_left_without),
        "surprise": _digits(1 / row.as_surprising) if row.as_surprising else None,
    }


def _parameter(one: Integrated) -> dict[str, Any]:
    return {
        "parameter": one.name,
        "range": [_digits(one.low), _digits(one.high)],
        "mean": _digits(one.found.mean),
        "spread": _digits(one.found.sd),
        "standard_error": _digits(one.found.standard_error),
    }
