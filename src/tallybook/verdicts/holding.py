"""The account of one quantity as people read it: what was declared, what was counted and by whom, and what would have to be so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from tallybook.agreement.claim import Claim
from tallybook.evidence.report import Report
from tallybook.holdings.entries import Books, Entry, Unused, keep_books
from tallybook.holdings.numbers import Array
from tallybook.holdings.plan import Plan
from tallybook.holdings.ships import Count, Ship, Total, reconcile, ship_table
from tallybook.holdings.totals import UNLISTED, UNLISTED_KNOWN, Figure, TotalsAccount, points, size_needed, solve_totals
from tallybook.verdicts.finding import Finding, find
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.quantities import entries_of, plan_of, ships_named
from tallybook.verdicts.weigh import is_statement

MOST_DAYS = 400
"""Most days for which a band is worked out; a longer time is cut into equal steps."""


@dataclass(frozen=True, slots=True)
class LookRow:
    """A look: what it counted, and how the answer would be without it. `surprise`: of so many such looks one would be as far from
    what all others say; None where nothing else speaks of its number."""

    report: str
    kind: str
    low: float
    high: float | None
    part: str
    trust: float
    p_none_left_without: float | None
    p_declared_out_without: float | None
    surprise: float | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way in which the numbers may hang together, with its probability and the reports that speak for it."""

    name: str
    words: str
    probability: float
    reports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Varied:
    """The answer under another assumption."""

    assumption: str
    p_none_left: float | None


@dataclass(frozen=True, slots=True)
class Band:
    """The account at the end of a day, from what is known now. `looks`: reports whose time ended on that day."""

    day: datetime
    out: tuple[float, float, float]
    left: tuple[float, float, float] | None
    p_none_left: float | None
    looks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """A place that the account is about, and the last report that looked there."""

    place: str
    name: str
    report: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """A step from what was declared to what is left, as 5 %, median and 95 % points."""

    name: str
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Holding:
    """The account of a claim's quantity under a question."""

    inquiry: Inquiry
    claim: Claim
    finding: Finding
    plan: Plan
    books: Books
    first: tuple[float, float, float]
    waterfall: tuple[Step, ...]
    ships: tuple[Ship, ...]
    ships_named: int | None
    ships_named_by: str
    totals: tuple[Total, ...]
    looks: tuple[LookRow, ...]
    unused: tuple[Unused, ...]
    places: tuple[PlaceSeen, ...]
    readings: tuple[Reading, ...]
    one_left: tuple[Reading, ...]
    varied: tuple[Varied, ...]
    bands: tuple[Band, ...]
    assumed: tuple[str, ...]
    correctness_because: tuple[str, ...]
    completeness_because: tuple[str, ...]
    p_nothing_undeclared: float = field(default=0.0)


def holding_of(inquiry: Inquiry, claim: Claim) -> Holding:
    """The account of a claim's quantity. Raises ModelError where there are too many things to count one by one."""
    finding = find(inquiry, claim)
    books = finding.account
    assert books is not None
    plan = plan_of(inquiry, claim)
    entries, _ = entries_of(inquiry, claim, finding.weighed)
    ships = ship_table(_ship_counts(inquiry, claim, plan, books))
    named, named_by = ships_named(inquiry, plan)
    totals = reconcile(_total_counts(inquiry, claim, plan, books), _ship_counts(inquiry, claim, plan, books))
    places = _places(inquiry, claim, plan, finding)
    solved = books.solved
    return Holding(
        inquiry=inquiry,
        claim=claim,
        finding=finding,
        plan=plan,
        books=books,
        first=_triple(solved.first, books.step),
        waterfall=_waterfall(books),
        ships=ships,
        ships_named=named,
        ships_named_by=named_by,
        totals=totals,
        looks=_look_rows(books),
        unused=books.unused,
        places=places,
        readings=_readings(books, totals),
        one_left=_one_left(books, inquiry),
        varied=_varied(books, plan),
        bands=_bands(inquiry, entries, plan, finding, books, named or 0),
        assumed=_assumed(books, plan),
        correctness_because=_correctness(finding, books, ships),
        completeness_because=_completeness(finding, books, places),
        p_nothing_undeclared=solved.p_nothing_undeclared,
    )


def _triple(weights: Array, step: float) -> tuple[float, float, float]:
    low, middle, high = points(weights)
    return round(low * step, 9), round(middle * step, 9), round(high * step, 9)


def _waterfall(books: Books) -> tuple[Step, ...]:
    """From declared to left; undeclared and brought in stand together, since counts of what is left cannot tell them apart."""
    solved, step = books.solved, books.step
    start = float(books.account.declared) * step
    more = np.zeros(max(1, len(solved.first) - books.account.declared))
    more[: len(solved.first) - books.account.declared] = solved.first[books.account.declared :]
    more[0] += solved.first[: books.account.declared].sum()
    name = "declared" if books.declared is not None else "the largest figure on file"
    steps = [Step(name, start, start, start)]
    if books.remaining is not None:
        added = "not declared, or brought in since" if books.account.arrivals else "not declared"
        steps.append(Step(added, *_triple(more, step)))
    steps.append(Step("out", *books.removed))
    if books.remaining is not None:
        steps.append(Step("left", *books.remaining))
    return tuple(steps)


def _ship_counts(inquiry: Inquiry, claim: Claim, plan: Plan, books: Books) -> list[Count]:
    """Every figure on file for a single ship, and which of them are looks of the account."""
    assert claim.quantity is not None
    items = inquiry.case.evidence.members(claim.quantity.item)
    together = {name.casefold() for name in plan.ships.together}
    looks = {e.report: e for e in books.looks if e.kind == "removed_by_ship"}
    same = {e.report for e in books.looks} | {u.report for u in books.unused}
    read = {w.report.id for w in _finding(inquiry, claim).weighed if w.counts_as == "removed_by_ship"}
    out = []
    for report in inquiry.view.reports.values():
        if report.item not in items or not report.vessel or report.vessel.casefold() in together:
            continue
        if report.table != "vessels" and report.id not in read:
            continue
        if report.ends.last > inquiry.on or (report.number is None and report.declared is None):
            continue
        entry = looks.get(report.id)
        out.append(_count(inquiry, report, entry.trust if entry else None, report.id in same))
    return out


def _finding(inquiry: Inquiry, claim: Claim) -> Finding:
    return find(inquiry, claim)


def _count(inquiry: Inquiry, report: Report, trust: float | None, weighed: bool) -> Count:
    exact = report.count is not None
    return Count(
        report=report.id,
        ship=report.vessel,
        declared=report.declared,
        low=report.number,
        high=report.count if exact else report.high,
        by=report.who,
        source=report.source,
        at=report.ends.last.astimezone(inquiry.case.tz),
        known=report.known.last.astimezone(inquiry.case.tz),
        trust=trust,
        weighed=weighed,
    )


def _total_counts(inquiry: Inquiry, claim: Claim, plan: Plan, books: Books) -> list[Count]:
    """Every running total on file: looks, restatements of them, and rows of all ships together."""
    assert claim.quantity is not None
    items = inquiry.case.evidence.members(claim.quantity.item)
    together = {name.casefold() for name in plan.ships.together}
    trust = {e.report: e.trust for e in books.looks}
    totals = {w.report.id for w in _finding(inquiry, claim).weighed if w.counts_as == "removed" and not w.is_word}
    out = []
    for report in inquiry.view.reports.values():
        mine = report.id in totals or (report.table == "vessels" and report.vessel.casefold() in together)
        if mine and report.item in items and report.number is not None and report.ends.last <= inquiry.on:
            out.append(_count(inquiry, report, trust.get(report.id), report.id in trust))
    return out


def _look_rows(books: Books) -> tuple[LookRow, ...]:
    rows = []
    for entry in books.looks:
        fewer = books.account.without(entry.report)
        without = solve_totals(fewer)
        has_start = books.remaining is not None
        rows.append(
            LookRow(
                entry.report,
                entry.kind,
                entry.low,
                entry.high,
                entry.part_name,
                entry.trust,
                without.p_none_left if has_start else None,
                without.p_declared_out if books.declared is not None else None,
                _surprise(entry, books, fewer),
            )
        )
    return tuple(rows)


def _surprise(entry: Entry, books: Books, fewer: TotalsAccount) -> float | None:
    """Of how many such looks one would be as far out as this, from what all others say of its number."""
    most = max(size_needed(books.account), size_needed(fewer))
    solved = solve_totals(fewer)
    if entry.kind in ("at_least", "all_there_was"):
        told: Array | None = solved.first
    elif entry.kind == "still_there":
        told = solved.left
    elif entry.kind == "removed":
        # A running total that has gone on since is no count of what is out now.
        largest = round(entry.low / books.step) == max(f.low for f in books.account.out)
        told = solved.out if largest and (fewer.out or fewer.parts) else None
    else:
        told = solved.loads.get(entry.part) if any(p.name == entry.part for p in fewer.parts) else None
    if told is None:
        return None
    low = round(entry.low / books.step)
    high = None if entry.high is None else round(entry.high / books.step)
    numbers = np.zeros(most + 1)
    numbers[: len(told)] = told[: most + 1]
    if high is None:
        # "At least so many" surprises by being too many: how likely is it that there are.
        share = float(numbers[low:].sum()) * entry.trust + (1 - entry.trust)
        return 1 / min(max(share, 1e-12), 1.0)
    given = entry.trust * numbers + (1 - entry.trust) / (most + 1)
    here = float(given[low : high + 1].max())
    return 1 / min(max(float(given[given <= here * (1 + 1e-9)].sum()), 1e-12), 1.0)


def _readings(books: Books, totals: Sequence[Total]) -> tuple[Reading, ...]:
    """Ways in which the numbers may hang together, the likeliest first."""
    if books.remaining is None:
        return ()
    solved, step, declared = books.solved, books.step, books.account.declared
    exact = {f.report for f in books.account.out if f.high is not None}
    whole = [e.report for e in books.looks if e.report in exact]
    short = tuple(e.report for e in [*books.beside, *books.looks] if e.kind in ("estimate", "at_least") and e.low > declared * step)
    name = "the declaration" if books.declared is not None else "the figure to start from"
    out = [
        Reading("complete", f"{name} was right, and all are out", solved.joint(declared, declared), tuple(whole)),
        Reading("short", f"{name} was short: more were there", 1 - solved.p_nothing_undeclared, short),
        Reading("not out", f"{name} was right, and some are still there", _right_but_left(books), ()),
    ]
    if whole and books.account.parts:
        none, some = float(solved.unlisted[0]), float(1 - solved.unlisted[0])
        likely = int(solved.unlisted[1:].argmax()) + 1 if some else 0
        sums = [t for t in totals if not t.follows]
        ids = tuple(dict.fromkeys([*whole, *(t.report for t in sums)]))
        out.append(Reading("uncounted", f"{likely * step:g} or so of the total went out on ships not counted by themselves", some, ids))
        parts = tuple(e.report for e in books.looks if e.kind == "removed_by_ship")
        out.append(Reading("counted", "all of the total went out on ships counted by themselves", none, parts))
    return tuple(sorted(out, key=lambda r: -r.probability))


def _right_but_left(books: Books) -> float:
    solved, declared = books.solved, books.account.declared
    return sum(solved.joint(declared, out) for out in range(declared))


def _one_left(books: Books, inquiry: Inquiry) -> tuple[Reading, ...]:
    """What would have to be believed for one to be left: the likeliest ways, with their probability given that one is."""
    if books.remaining is None or not books.solved.left[1] > 0:
        return ()
    solved, declared = books.solved, books.account.declared
    one = float(solved.left[1])
    ways = []
    for first in range(1, len(solved.first)):
        chance = solved.joint(first, first - 1) / one
        if chance > 0.005:
            ways.append((chance, first))
    out = []
    for chance, first in sorted(ways, reverse=True)[:4]:
        gone = first - 1
        out.append(Reading(f"{first} there, {gone} out", _believed(books, first, gone, declared, inquiry), chance, _against(books, first, gone)))
    return tuple(out)


def _against(books: Books, first: int, gone: int) -> tuple[str, ...]:
    """Looks that would have to be wrong."""
    step = books.step
    wrong = []
    for e in books.looks:
        number = {"removed": gone, "still_there": first - gone, "at_least": first, "all_there_was": first}.get(e.kind)
        if number is None:
            continue
        most = max((f.low for f in books.account.out), default=0)
        running = e.kind == "removed" and round(e.low / step) < most
        if number * step < e.low or (e.high is not None and number * step > e.high and not running):
            wrong.append(e.report)
    return tuple(wrong)


def _believed(books: Books, first: int, gone: int, declared: int, inquiry: Inquiry) -> str:
    parts = []
    step = books.step
    name = "declared" if books.declared is not None else "the largest figure"
    if first > declared:
        parts.append(f"that {first * step:g} were there, {(first - declared) * step:g} more than {name} ({declared * step:g})")
    elif first < declared:
        parts.append(f"that only {first * step:g} were there of {declared * step:g} {name}")
    else:
        parts.append(f"that {first * step:g} were there, as {name}")
    wrong = _against(books, first, gone)
    if wrong:
        parts.append(f"and that {', '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} wrong: {gone * step:g} went out")
    else:
        parts.append(f"and that {gone * step:g} went out, as counted")
    if not any(e.kind == "still_there" for e in books.looks):
        parts.append("and nobody has looked at the whole to see that none is left")
    return ", ".join(parts)


def _varied(books: Books, plan: Plan) -> tuple[Varied, ...]:
    """P(none left) under other assumptions, the prior on what was not declared first."""
    if books.remaining is None:
        return ()
    account = books.account
    none = account.undeclared.none

    def p(changed: TotalsAccount) -> float:
        return solve_totals(changed).p_none_left

    out = [Varied(f"nothing undeclared with prior probability {none:g} (as assumed)", books.p_none_left)]
    for other in plan.undeclared.others:
        if other != none:
            changed = replace(account, undeclared=replace(account.undeclared, none=other))
            out.append(Varied(f"nothing undeclared with prior probability {other:g}", p(changed)))
    for factor, words in ((0.5, "half"), (2.0, "twice")):
        mean = max(account.undeclared.mean * factor, 1.0)
        changed = replace(account, undeclared=replace(account.undeclared, mean=mean))
        out.append(Varied(f"{words} as many undeclared on average, where there were any", p(changed)))
    for beside in books.beside:
        number = round(beside.low / books.step)
        if number > account.declared:
            changed = replace(account, declared=number, undeclared=replace(account.undeclared, none=1.0))
            out.append(Varied(f"{beside.low:g} there, as {beside.report} estimates", p(changed)))
    for trust, words in ((0.9, "every look right nine times in ten"),):
        out.append(Varied(words, p(_trusted(account, trust))))
    return tuple(out)


def _trusted(account: TotalsAccount, trust: float) -> TotalsAccount:
    def eased(figures: Iterable[Figure]) -> tuple[Figure, ...]:
        return tuple(replace(f, trust=min(f.trust, trust)) for f in figures)

    parts = tuple(replace(p, figures=eased(p.figures)) for p in account.parts)
    return replace(account, parts=parts, out=eased(account.out), at_first=eased(account.at_first), left=eased(account.left))


def _bands(
    inquiry: Inquiry, entries: Sequence[Entry], plan: Plan, finding: Finding, books: Books, named: int
) -> tuple[Band, ...]:
    """The account day by day, as all that is known now tells it: counts of a day speak from that day on."""
    dated = [e for e in entries if e.kind.startswith("removed") or e.kind == "still_there"]
    other = [e for e in entries if e not in dated]
    first = min([e.at for e in entries], default=inquiry.on)
    since = min((begun.since.first for _, begun in finding.duties if begun.since.text), default=first)
    start = min(max(since, first - timedelta(days=7)), inquiry.on)
    tz = inquiry.case.tz
    day = start.astimezone(tz).replace(hour=23, minute=59, second=59, microsecond=0)
    last = inquiry.on.astimezone(tz)
    total = max((last.date() - day.date()).days, 0) + 1
    stride = max(1, -(-total // MOST_DAYS))
    out: list[Band] = []
    previous, kept = day - timedelta(days=stride), -1
    while True:
        end = min(day, last)
        known = [e for e in dated if e.at <= end]
        if len(known) != kept:
            solved = keep_books([*other, *known], plan, (end - since).total_seconds() / 86_400, named)
            kept = len(known)
        looks = tuple(e.report for e in books.looks if previous < e.at <= end and e in dated)
        out.append(Band(end, solved.removed, solved.remaining, solved.p_none_left, looks))
        if day >= last:
            return tuple(out)
        previous, day = end, day + timedelta(days=stride)


def _places(inquiry: Inquiry, claim: Claim, plan: Plan, finding: Finding) -> tuple[PlaceSeen, ...]:
    """Where was looked since the duty began, of the places that the account is about."""
    wanted = plan.places or claim.places or (claim.coverage.places if claim.coverage else ())
    file = inquiry.case.evidence
    since = min((begun.since.first for _, begun in finding.duties if begun.since.text), default=None)
    vocabulary = inquiry.agreement.vocabulary
    seen: dict[str, Report] = {}
    for report in inquiry.view.reports.values():
        found_out = bool(report.stage) or report.number is not None
        if not found_out or report.table != "observations" or is_statement(report, vocabulary) or report.starts.first > inquiry.on:
            continue
        if since is not None and report.ends.last < since:
            continue
        for place in file.places_of(report.place):
            for outer in file.around(place):
                if outer not in seen or seen[outer].ends.last < report.ends.last:
                    seen[outer] = report
    out = []
    for place in wanted:
        report = seen.get(place)
        name = file.places[place].name if place in file.places else place
        out.append(PlaceSeen(place, name, report.id if report else "", report.ends.last if report else None))
    return tuple(out)


def _assumed(books: Books, plan: Plan) -> tuple[str, ...]:
    """What the numbers rest on that nobody has reported."""
    prior = books.account.undeclared
    base = "beside those declared" if books.declared is not None else "beyond the largest figure on file, since none is declared"
    out = []
    if books.remaining is not None:
        because = f": {plan.undeclared.because}" if plan.undeclared.because else ""
        says = f"nothing was there {base}, with probability {prior.none:g}; if there was more, {prior.mean * books.step:g} more on average"
        out.append(says + because)
    out.append("what nobody counted as it left has not left")
    if books.account.arrivals:
        out.append(f"{books.account.arrivals:.3g} brought in since the duty began, on average")
    else:
        out.append("nothing has been brought in since the duty began")
    out.append("a report is right with the odds of its grade; where it is wrong, any number is as likely")
    if any(f.high is not None for f in books.account.out) and books.account.parts:
        share = UNLISTED_KNOWN if books.account.parts_uncounted else UNLISTED
        out.append(f"a total holds items from ships that nobody counted by themselves, with probability {share:g}")
    return tuple(out)


def _correctness(finding: Finding, books: Books, ships: Sequence[Ship]) -> tuple[str, ...]:
    out = []
    unit = finding.claim.quantity.units if finding.claim.quantity and finding.claim.quantity.units else "items"
    if books.declared is None:
        out.append("no number was declared, so nothing says that all that was declared is out")
    elif books.p_declared_removed is not None:
        out.append(f"{books.removed[1]:g} of {books.declared:g} declared {unit} out; all of them with probability {_share(books.p_declared_removed)}")
    for ship in ships:
        if ship.difference:
            more = "more" if ship.difference > 0 else "fewer"
            out.append(f"{ship.name}: {abs(ship.difference):g} {more} counted than declared ({ship.report})")
    missing = [m for m in finding.methods.missing if m]
    if finding.requirement and not missing:
        out.append("every method that the agreement names has been used")
    return tuple(out)


def _completeness(finding: Finding, books: Books, places: Sequence[PlaceSeen]) -> tuple[str, ...]:
    out = []
    if books.p_none_left is not None:
        out.append(f"none left with probability {_share(books.p_none_left)}")
    for entry in books.beside:
        if books.declared is not None and entry.low > books.declared:
            out.append(f"{entry.report} estimates {entry.low:g}, {entry.low - books.declared:g} more than declared")
    never = [p.name for p in places if p.at is None]
    if never:
        out.append(f"never looked at since the duty began: {', '.join(never)}")
    if not any(e.kind == "still_there" for e in books.looks):
        out.append("no look at the whole has found that none is left")
    if finding.methods.missing:
        out.append(f"the required proof lacks {', '.join(finding.methods.missing)}")
    if finding.methods.in_part:
        out.append(f"only parts were shown by {', '.join(finding.methods.in_part)}")
    return tuple(out)


def _share(p: float) -> str:
    if 0.005 <= p <= 0.995 or p in (0, 1):
        return f"{p:.2f}"
    return f"{p:.2g}" if p < 0.5 else f"1 - {1 - p:.1g}"


def quantities(inquiry: Inquiry, keep: Callable[[Claim], bool]) -> list[Claim]:
    """The claims about a quantity that a question asks for."""
    return [c for c in inquiry.agreement.claims if c.quantity is not None and keep(c)]
