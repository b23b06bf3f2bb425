"""The account of a quantity with stages as a page: the answer, what is in each stage, the looks, and what nobody knows."""

from __future__ import annotations

from collections.abc import Sequence

from tallybook.board.holdings import asked, board_words, not_used, some, title_of
from tallybook.board.page import Block, Items, Page, Section, Table
from tallybook.core.chance import chance
from tallybook.verdicts.finding import find
from tallybook.verdicts.holding_words import by_reading, date_words, number, one_in, points, span, units
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.staged import StagedHolding, StockDay
from tallybook.verdicts.staged_words import staged_answer, waterfall

MOST_ROWS = 24


def page(held: StagedHolding, whole: bool = False) -> Page:
    """The account as a page. `whole`: every day, and every report that was not used, one by one."""
    finding = find(held.inquiry, held.claim)
    sections = [
        _questions(held),
        _waterfall(held),
        _stages(held),
        _looks(held),
        _varied(held),
        _unknown(held),
        _days(held, whole),
        not_used(held, held.unused, whole),
        Section("Assumed, and reported by nobody", (Items(held.assumed),)),
        Section("How it was computed", (_method(held),)),
    ]
    lead = (asked(held), *staged_answer(held), *by_reading(finding), board_words(finding))
    return Page(title_of(held), lead, tuple(s for s in sections if s is not None), whole_banner(held.inquiry))


def _questions(held: StagedHolding) -> Section:
    finding = find(held.inquiry, held.claim)
    rows = (
        ("correctness", "was what was declared removed", finding.correctness.value if finding.correctness else "not asked"),
        ("completeness", "was that all there was", finding.completeness.value if finding.completeness else "not asked"),
    )
    return Section("Two questions", (Table(("question", "in words", "verdict"), rows),))


def _waterfall(held: StagedHolding) -> Section:
    rows = []
    for name, sign, (low, middle, high) in waterfall(held):
        spread = "" if low == high else f"{number(low)} to {number(high)}"
        amount = f"{middle:.2f}" if middle != round(middle) else number(middle)
        rows.append((name, f"{sign if middle or spread else ''}{amount}", spread))
    head = ("step", "median", "5 % to 95 %")
    return Section(f"From what was declared to what is left, in {units(held)}", (Table(head, tuple(rows), frozenset({1, 2})),))


def _stages(held: StagedHolding) -> Section:
    rows = []
    for stage in held.stages:
        last = stage.days[-1]
        rows.append((stage.title, _points(last), f"{last.mean:.2f}", chance(last.p_none)))
    head = ("stage", "in it", "on average", "P(none in it)")
    return Section(f"Where they are on {date_words(held.left[-1].date)}", (Table(head, tuple(rows), frozenset({1, 2, 3})),))


def _points(at: StockDay) -> str:
    return points((at.low, at.middle, at.high))


def _looks(held: StagedHolding) -> Section | None:
    if not held.looks:
        return None
    titles = {stage.stage: stage.title for stage in held.stages}
    rows = []
    for row in held.looks:
        look = row.look
        where = f"leaving {titles[look.stage]}" if look.leaving else f"in {titles[look.stage]}"
        if look.ships:
            where += f", {', '.join(look.ships)}"
        rows.append(
            (
                some(look.reports),
                " or ".join(date_words(at) for at in row.dates) if len(row.dates) < 3 else _span_of(row.dates),
                look.observer,
                look.method,
                where,
                span(look.low, look.high, look.high is None),
                chance(look.trust),
                chance(row.p_none_left_without),
                one_in(1 / row.as_surprising if row.as_surprising else None),
            )
        )
    head = ("report", "day", "by", "method", "of", "number", "trust", "P(none left) without", "surprise")
    blocks: list[Block] = [Table(head, tuple(rows), frozenset({5, 6, 7, 8}))]
    at_means = " (unknown parameters at their means)" if held.integrated else ""
    blocks.append(
        f"With all of them: P(none left) {chance(held.p_none_left_at_means)}{at_means}. 'Without': had that report not come."
    )
    blocks.append(
        "Surprise: one such report in N would be as far from what all the others say; — where the count is only a bound."
    )
    return Section("Looks, and what each contributed", tuple(blocks))


def _span_of(dates: Sequence[object]) -> str:
    first, last = dates[0], dates[-1]
    return f"{first} to {last}"


def _varied(held: StagedHolding) -> Section:
    prior = held.plan.undeclared.none
    rows = [(f"nothing undeclared with prior probability {prior:g} (as assumed)", chance(held.p_none_left))]
    rows += [(f"nothing undeclared with prior probability {o.none:g}", chance(o.p_none_left)) for o in held.other_priors]
    for swing in held.swings:
        rows.append((f"{swing.parameter} about {swing.low:.3g}", chance(swing.p_none_left_low)))
        rows.append((f"{swing.parameter} about {swing.high:.3g}", chance(swing.p_none_left_high)))
    return Section("How sensitive it is", (Table(("assumed", "P(none left)"), tuple(rows), frozenset({1})),))


def _unknown(held: StagedHolding) -> Section | None:
    if not held.integrated:
        return None
    rows = tuple(
        (i.name, f"{i.low:.3g} to {i.high:.3g}", f"{i.found.mean:.3g}", f"{i.found.sd:.2g}", f"{i.found.standard_error:.1g}")
        for i in held.integrated
    )
    head = ("parameter", "assumed", "found, mean", "spread", "standard error")
    return Section("What nobody knows, and was integrated over", (Table(head, rows, frozenset({1, 2, 3, 4})),))


def _days(held: StagedHolding, whole: bool) -> Section:
    looked = {at: row.look.reports for row in held.looks for at in row.dates}
    chosen = [d for d in held.left if whole or d.date in looked or d in (held.left[0], held.left[-1])]
    dropped = 0
    if not whole and len(chosen) > MOST_ROWS:
        dropped = len(chosen) - MOST_ROWS
        chosen = [*chosen[:1], *chosen[-MOST_ROWS + 1 :]]
    reports: dict[object, list[str]] = {}
    for row in held.looks:
        for at in row.dates:
            reports.setdefault(at, []).extend(row.look.reports)
    rows = tuple(
        (date_words(d.date), _points(d), f"{d.mean:.2f}", chance(d.p_none), some(reports.get(d.date, [])) or "no look")
        for d in chosen
    )
    table = Table(("day", "left", "on average", "P(none left)", "looks"), rows, frozenset({1, 2, 3}))
    told = f"A look on {len(held.left) - len(held.days_without_looks)} of {len(held.left)} days."
    if not whole:
        told += (
            " Days without a look are left out here"
            + (f", and {dropped} with one" if dropped else "")
            + "; --md and --json give all."
        )
    return Section("Day by day, as all that is known now tells it", (table, told))


def _method(held: StagedHolding) -> str:
    told = f"{held.method}; what was cut off has probability {held.discarded:.1g} at most"
    if held.draws:
        told += f"; {held.draws} draws, worth {held.ess:.0f}; standard error of P(none left) {held.standard_error:.1g}"
    return f"{told}."
