"""The account of a quantity as a page: the answer first, then what it is made of, and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tallybook.board.page import Block, Items, Page, Section, Table
from tallybook.core.chance import chance
from tallybook.holdings.contributions import LookRow
from tallybook.holdings.entries import Entry, Unused
from tallybook.verdicts.bands import Band
from tallybook.verdicts.finding import Finding
from tallybook.verdicts.holding import Holding, Step
from tallybook.verdicts.holding_json import beside
from tallybook.verdicts.holding_words import (
    Told,
    answer,
    counted_by,
    day,
    declared_by,
    declared_sum,
    item_name,
    likely,
    looks_sum,
    no_row,
    number,
    one_in,
    points,
    ships,
    shown_sum,
    span,
    start_by,
    total_words,
    units,
    without_figure,
)
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.sentences import known_by, said

_KINDS = {
    "removed": "running total out",
    "removed_by_ship": "on one ship",
    "removed_at_site": "at one site",
    "still_there": "still there, the whole looked at",
    "at_least": "at least there",
    "all_there_was": "all there ever was",
    "estimate": "estimate",
    "declared": "declared",
}
_OF_SHIPS = ("uncounted", "counted")
_SHOWN = 4
NOT_NAMED = "not named in what was known"
_PLACE = re.compile(r"^\S+\.csv:\d+: ")


def page(holding: Holding, whole: bool = False) -> Page:
    """The account as a page. `whole`: also every report that was not used, one by one."""
    sections = [
        _questions(holding),
        _waterfall(holding),
        _ships(holding),
        _totals(holding),
        _beside(holding),
        _looks(holding),
        _readings(holding),
        _one_left(holding),
        _varied(holding),
        _bands(holding),
        _places(holding),
        not_used(holding, holding.unused, whole),
        Section("Assumed, and reported by nobody", (Items(holding.assumed),)),
    ]
    lead = (*answer(holding), board_words(holding.finding))
    shown = tuple(s for s in sections if s is not None)
    return Page(title_of(holding), (asked(holding), *lead), shown, whole_banner(holding.inquiry))


def title_of(holding: Told) -> str:
    """Item class and claim."""
    quantity = holding.claim.quantity
    assert quantity is not None
    return f"{quantity.item}: {item_name(holding)}; {holding.claim.title} ({holding.claim.id})"


def asked(holding: Told) -> str:
    """The question in words."""
    return f"The account {known_by(holding.inquiry)}; reading: {holding.inquiry.question.reading}"


def board_words(finding: Finding) -> str:
    """What the board says of the claim."""
    return f"The board: {finding.verdict.value if finding.verdict else finding.state}. {said(finding)}"


def _questions(holding: Holding) -> Section:
    finding = holding.finding
    correct = finding.correctness.value if finding.correctness else "not asked"
    complete = finding.completeness.value if finding.completeness else "not asked"
    return Section(
        "Two questions",
        (
            f"Correctness, was what was declared removed: {correct.upper()}",
            Items(holding.correctness_because),
            f"Completeness, was that all there was: {complete.upper()}",
            Items(holding.completeness_because),
        ),
    )


def _waterfall(holding: Holding) -> Section:
    title = f"From what was declared to what is left, in {units(holding)}"
    head, numbers = ("step", "median", "5 % to 95 %"), frozenset({1, 2})
    if holding.books.remaining is None:
        unknown = "not known"
        out = holding.waterfall[-1]
        rows = [("there at first", unknown, ""), _step(out.name, "-", out), ("left", unknown, "")]
        told = "No figure that the account can use says how many there were, so nothing is said of what is left."
        return Section(title, (Table(head, tuple(rows), numbers), told))
    rows = []
    for n, step in enumerate(holding.waterfall):
        by = f" ({some(start_by(holding))})" if n == 0 and start_by(holding) else ""
        sign = "-" if step.name == "out" else "+" if 0 < n < len(holding.waterfall) - 1 else ""
        rows.append(_step(f"{step_name(holding, step.name)}{by}", sign, step))
    return Section(title, (Table(head, tuple(rows), numbers),))


def step_name(holding: Holding, name: str) -> str:
    """What a step is called: where nothing was declared, nothing is undeclared."""
    return name if holding.books.declared is not None else name.replace("not declared", "more than that")


def _step(name: str, sign: str, step: Step) -> tuple[str, str, str]:
    spread = "" if step.low == step.high else f"{number(step.low)} to {number(step.high)}"
    return name, f"{sign if step.middle or spread else ''}{number(step.middle)}", spread


def _ships(holding: Holding) -> Section | None:
    missing, unfigured = no_row(holding), without_figure(holding)
    if not holding.ships and not missing and not unfigured:
        return None
    rows = [
        (
            s.name,
            number(s.declared),
            span(s.counted, s.counted, s.at_least),
            signed(s.difference),
            counted_by(s, holding),
            s.report,
            day(s.at, holding),
            "yes" if s.is_look else "no" if s.counted is not None else "",
        )
        for s in holding.ships
    ]
    blank = ("",) * 7
    rows += [(f"{name} (named, without a figure)", *blank) for name in unfigured]
    rows += [(NOT_NAMED, *blank)] * missing
    head = ("ship", "declared", "counted", "difference", "counted by", "report", "day", "look")
    blocks: list[Block] = [Table(head, tuple(rows), frozenset({1, 2, 3}))]
    others = [f"{s.name} {span(c.low, c.high)} ({c.report})" for s in holding.ships for c in s.others]
    if others:
        blocks.append(f"Other figures on file: {', '.join(others)}.")
    return Section("Ship by ship", (*blocks, *_sums(holding)))


def signed(difference: float | None) -> str:
    """A difference with its sign."""
    return "" if difference is None else "0" if difference == 0 else f"{'+' if difference > 0 else '-'}{number(abs(difference))}"


def _sums(holding: Holding) -> list[str]:
    """The rows added up, and what the addition leaves open."""
    out = []
    known = len(holding.ships) + len(without_figure(holding))
    (said, said_on), (shown, shown_on), (looked, looked_on) = (
        declared_sum(holding),
        shown_sum(holding),
        looks_sum(holding),
    )
    declared = f"{number(said)} declared on {ships(said_on)} and " if said_on else ""
    told = f"The rows add up to {declared}{number(shown)} counted on {ships(shown_on)}"
    if any(s.at_least for s in holding.ships):
        told += ", minimum counts (≥) taken as they stand"
    out.append(f"{told}.")
    if shown_on != looked_on:
        out.append(f"{number(looked)} on {ships(looked_on)} are looks of the account; the rest is shown and not used (look: no).")
    if holding.ships_named is not None:
        named, by = holding.ships_named, holding.ships_named_by
        told = f"{ships(named).capitalize()} named ({by}); "
        if no_row(holding):
            told += f"{no_row(holding)} of them on no row."
        elif known > named:
            told += f"{known} are on file, more than were named."
        else:
            told += "each has a row."
        out.append(told)
    if holding.books.declared is not None and said_on and said != holding.books.declared:
        apart = holding.books.declared - said
        where = "on no ship's row" if apart > 0 else "more than the whole"
        out.append(
            f"Declared for the whole are {number(holding.books.declared)} ({declared_by(holding)}): {number(abs(apart))} {where}."
        )
    return out


def _totals(holding: Holding) -> Section | None:
    if not holding.totals:
        return None
    title = "Totals, and whether they follow from the ships' rows" if holding.ships else "Running totals"
    return Section(title, (Items(tuple(f"{total_words(total, holding)}." for total in holding.totals)),))


def _beside(holding: Holding) -> Section | None:
    declared = holding.books.declared
    entries = [*holding.books.declarations, *beside(holding)]
    if not entries:
        return None
    rows = []
    for e in entries:
        apart = "" if declared is None or e.kind == "declared" else signed(e.low - declared)
        rows.append(
            (_KINDS[e.kind], _figure(e), apart, _who(holding, e.report), e.report, day(e.at, holding), _part_played(holding, e))
        )
    head = ("what", "number", "against declared", "by", "report", "day", "in the account")
    return Section("Declared, and what stands beside it", (Table(head, tuple(rows), frozenset({1, 2})),))


def _figure(entry: Entry) -> str:
    return span(entry.low, entry.high, entry.high is None)


def _part_played(holding: Holding, entry: Entry) -> str:
    if entry.kind == "declared":
        return "stands" if entry.report == declared_by(holding) else "an earlier declaration"
    if entry.kind == "estimate":
        return "beside it: moves nothing" if holding.books.declared is not None else "a figure to start from, no look"
    return "a look at what there was"


def _who(holding: Holding, report: str) -> str:
    return holding.inquiry.view.reports[report].who


def _looks(holding: Holding) -> Section | None:
    books = holding.books
    if not holding.looks:
        return None
    left, out = books.remaining is not None, books.p_declared_removed is not None
    head: list[str] = ["report", "day", "by", "what", "number", "trust"]
    head += ["P(none left) without"] * left + ["P(all declared out) without"] * out + ["surprise"]
    at = {e.report: e.at for e in books.looks}
    rows = []
    for row in holding.looks:
        cells = [row.report, day(at[row.report], holding), _who(holding, row.report), _kind(row)]
        cells += [span(row.low, row.high, row.high is None), chance(row.trust)]
        cells += [chance(row.p_none_left_without)] * left + [chance(row.p_declared_out_without)] * out
        rows.append((*cells, one_in(row.surprise)))
    blocks: list[Block] = [Table(tuple(head), tuple(rows), frozenset(range(4, len(head))))]
    now = [f"P(none left) {chance(books.p_none_left)}"] * left
    now += [f"P(all declared out) {chance(books.p_declared_removed)}"] * out
    if now:
        blocks.append(f"With all of them: {', '.join(now)}. 'Without': had that report not come.")
    blocks.append(
        "Surprise: one such report in N would be as far from what all the others say; — where nothing else speaks of it."
    )
    return Section("Looks, and what each contributed", tuple(blocks))


def _kind(row: LookRow) -> str:
    if row.part and row.kind == "removed_by_ship":
        return f"on {row.part}"
    if row.part and row.kind == "removed_at_site":
        return f"at {row.part}"
    return f"{_KINDS[row.kind]}, {row.part}" if row.part else _KINDS[row.kind]


def _readings(holding: Holding) -> Section | None:
    groups = (
        ("Of what there was and what is out:", [r for r in holding.readings if r.name not in _OF_SHIPS]),
        ("Of the ships:", [r for r in holding.readings if r.name in _OF_SHIPS]),
    )
    blocks: list[Block] = []
    for title, readings in groups:
        if readings:
            rows = tuple((r.words, chance(r.probability), likely(r.probability), some(r.reports)) for r in readings)
            blocks += [title, Table(("reading", "probability", "in words", "reports"), rows, frozenset({1}))]
    shown = [f"{number(s.counted)} on {s.name} ({s.report})" for s in holding.ships if s.counted and not s.is_look]
    if groups[1][1] and shown:
        blocks.append(f"Shown by a figure that is no look, and so in neither: {', '.join(shown)}.")
    return Section("Rival readings", tuple(blocks)) if blocks else None


def some(names: Sequence[str], most: int = _SHOWN) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _one_left(holding: Holding) -> Section | None:
    if not holding.one_left:
        return None
    books = holding.books
    one = number(books.step)
    p = float(books.solved.left[1])
    rows = tuple(
        f"{r.words} (share {chance(r.probability)}; {some(r.reports) or 'no report'} against it)" for r in holding.one_left
    )
    told = f"Exactly {one} left has probability {chance(p)}; the shares are of that, and ways below 0.005 are left out."
    return Section(f"For {'one' if one == '1' else one} to be left it would have to be believed", (Items(rows), told))


def _varied(holding: Holding) -> Section | None:
    if not holding.varied:
        return None
    rows = tuple((v.assumption, chance(v.p_none_left)) for v in holding.varied)
    return Section("How sensitive it is", (Table(("assumed", "P(none left)"), rows, frozenset({1})),))


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row on which nothing was looked at and nothing moves, or one day with looks."""

    first: Band
    last: Band
    days: int
    looked: bool


def runs(bands: Sequence[Band]) -> list[Run]:
    """The bands with days that are alike put together; every day with a look stands by itself."""
    out: list[Run] = []
    for band in bands:
        before = out[-1] if out else None
        alike = before is not None and (before.last.out, before.last.left) == (band.out, band.left) and not before.looked
        if before is not None and alike and not band.looks:
            out[-1] = Run(before.first, band, before.days + 1, False)
        else:
            out.append(Run(band, band, 1, bool(band.looks)))
    return out


def _bands(holding: Holding) -> Section:
    rows = []
    for run in runs(holding.bands):
        first, last = day(run.first.day, holding), day(run.last.day, holding)
        looks = some(run.first.looks) if run.looked else "no look"
        rows.append(
            (
                first if first == last else f"{first} to {last}",
                points(run.last.out),
                points(run.last.left) if run.last.left else "",
                chance(run.last.p_none_left) if run.last.left else "",
                looks,
            )
        )
    looked = sum(bool(b.looks) for b in holding.bands)
    told = f"A look on {looked} of {len(holding.bands)} day{'s' if len(holding.bands) > 1 else ''}."
    if len(holding.bands) > 1 and (holding.bands[1].day - holding.bands[0].day).days > 1:
        step = (holding.bands[1].day - holding.bands[0].day).days
        told = f"A look in {looked} of {len(holding.bands)} steps of {step} days."
    table = Table(("days", "out", "left", "P(none left)", "looks"), tuple(rows), frozenset({1, 2, 3}))
    return Section(
        "Day by day, as all that is known now tells it",
        (table, f"{told} Median (5 % to 95 %). A count speaks from its day on; days without a look add nothing."),
    )


def _places(holding: Holding) -> Section | None:
    if not holding.places:
        return None
    rows = tuple(
        f"{p.name}: last by {p.report}, {day(p.at, holding)}" if p.report else f"{p.name}: not looked at" for p in holding.places
    )
    return Section("Where was looked since the duty began", (Items(rows), "A look at a place is no look at every part of it."))


def not_used(holding: Told, unused: Sequence[Unused], whole: bool) -> Section | None:
    """Reports of a number that are no look: one by one, or put together by reason."""
    if not unused:
        return None
    title = f"Not used: {len(unused)} report{'s' if len(unused) > 1 else ''}"
    if whole:
        reports = [(u, holding.inquiry.view.reports[u.report]) for u in unused]
        rows = tuple((u.report, number(r.number), r.who, u.why, r.statement) for u, r in reports)
        return Section(title, (Table(("report", "number", "by", "why not", "what it says"), rows, frozenset({1})),))
    return Section(title, (Items(tuple(_by_reason(holding, unused))), "--md and --json give each with its reason."))


def _by_reason(holding: Told, unused: Sequence[Unused]) -> list[str]:
    """Reports that were not used with their numbers, put together by reason."""
    groups: dict[str, list[str]] = {}
    for u in unused:
        low = holding.inquiry.view.reports[u.report].number
        why = _PLACE.sub("", u.why).split(": ")[0]
        groups.setdefault(why, []).append(u.report if low is None else f"{u.report} ({number(low)})")
    return [f"{why}: {some(names, 6)}" for why, names in groups.items()]
