"""Rival readings of the numbers: how they may hang together, what would have to be believed, what rests on assumption."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tallybook.holdings.entries import Books
from tallybook.holdings.plan import Plan
from tallybook.holdings.ships import Total
from tallybook.holdings.totals import Figure, TotalsAccount, solve_totals


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


def readings_of(books: Books, totals: Sequence[Total]) -> tuple[Reading, ...]:
    """Ways in which the numbers may hang together, the likeliest first."""
    if books.remaining is None:
        return ()
    solved, step, declared = books.solved, books.step, books.account.declared
    exact = {f.report for f in books.account.out if f.high is not None}
    whole = [e.report for e in books.looks if e.report in exact]
    short = tuple(
        e.report for e in [*books.beside, *books.looks] if e.kind in ("estimate", "at_least") and e.low > declared * step
    )
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
        out.append(
            Reading("uncounted", f"{likely * step:g} or so of the total went out on ships not counted by themselves", some, ids)
        )
        parts = tuple(e.report for e in books.looks if e.kind == "removed_by_ship")
        out.append(Reading("counted", "all of the total went out on ships counted by themselves", none, parts))
    return tuple(sorted(out, key=lambda r: -r.probability))


def _right_but_left(books: Books) -> float:
    solved, declared = books.solved, books.account.declared
    return sum(solved.joint(declared, out) for out in range(declared))


def one_left(books: Books) -> tuple[Reading, ...]:
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
        out.append(
            Reading(
                f"{first} there, {gone} out",
                _believed(books, first, gone, declared),
                chance,
                _against(books, first, gone),
            )
        )
    return tuple(out)


def _against(books: Books, first: int, gone: int) -> tuple[str, ...]:
    """Looks that would have to be wrong."""
    step = books.step
    wrong = []
    for e in books.looks:
        number = {"removed": gone, "still_there": first - gone, "at_least": first, "all_there_was": first}.get(e.kind)
        if number is None:
            continue
        running = any(f.report == e.report and f.high is None for f in books.account.out)
        if number * step < e.low or (e.high is not None and number * step > e.high and not running):
            wrong.append(e.report)
    return tuple(wrong)


def _believed(books: Books, first: int, gone: int, declared: int) -> str:
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


def varied(books: Books, plan: Plan) -> tuple[Varied, ...]:
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
