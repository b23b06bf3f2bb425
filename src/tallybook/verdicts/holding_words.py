"""The account of a quantity in sentences: numbers, dates, probabilities in words, and what each figure rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from tallybook.agreement.claim import Claim
from tallybook.core.chance import chance
from tallybook.holdings.ships import Count, Ship, Total
from tallybook.verdicts.finding import Finding
from tallybook.verdicts.holding import Holding
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.ladder import Word

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# ICD 203 gives a range for each word; what lies on a border takes the word nearer to one half.
_LIKELY = (
    (0.05, "almost no chance"),
    (0.20, "very unlikely"),
    (0.45, "unlikely"),
    (0.55, "roughly even chance"),
    (0.80, "likely"),
    (0.95, "very likely"),
)
STARTED = "the largest figure on file"
"""Name of the step that stands for the declaration where there is none."""


class Told(Protocol):
    """An account of any form: the question, and the claim that it is about."""

    @property
    def inquiry(self) -> Inquiry:
        """The question."""

    @property
    def claim(self) -> Claim:
        """The claim."""


def number(value: float | None) -> str:
    """A number of things: whole numbers without decimals, thousands with a comma; blank for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6f}".rstrip("0")


def span(low: float | None, high: float | None, at_least: bool = False) -> str:
    """A figure: a number, a range, or a minimum."""
    if low is None:
        return ""
    if at_least or high is None:
        return f"≥ {number(low)}"
    return number(low) if high == low else f"{number(low)} to {number(high)}"


def points(triple: Sequence[float]) -> str:
    """A triple as `median (5 % to 95 %)`, or as one number where the band is that number."""
    low, middle, high = triple
    return number(middle) if low == high else f"{number(middle)} ({number(low)} to {number(high)})"


def band(triple: Sequence[float], what: str) -> str:
    """A triple in a sentence: `4 left (90 % band 4 to 14)`."""
    low, middle, high = triple
    return f"{number(middle)} {what}" + ("" if low == high else f" (90 % band {number(low)} to {number(high)})")


def likely(p: float) -> str:
    """The word of ICD 203 for a probability."""
    return next((word for most, word in _LIKELY if (p < most if most <= 0.45 else p <= most)), "almost certain")


def one_in(surprise: float | None) -> str:
    """A surprise as `1 in N`; a dash where nothing else speaks of the number."""
    return "—" if surprise is None else f"1 in {number(round(surprise))}"


def day(at: datetime | None, holding: Told) -> str:
    """A day in the time zone of the case, as 9 Nov 1962; blank for None."""
    if at is None:
        return ""
    return date_words(at.astimezone(holding.inquiry.case.tz))


def date_words(here: date) -> str:
    """A date as 9 Nov 1962."""
    return f"{here.day} {_MONTHS[here.month - 1]} {here.year}"


def and_list(names: Sequence[str]) -> str:
    """Names with commas and an `and`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def units(holding: Told, count: float | None = None) -> str:
    """What the things are called, one or several."""
    quantity = holding.claim.quantity
    assert quantity is not None
    return quantity.unit if count == 1 else quantity.units or f"{quantity.unit}s"


def item_name(holding: Told) -> str:
    """The item class in words."""
    quantity = holding.claim.quantity
    assert quantity is not None
    item = holding.inquiry.case.evidence.items.get(quantity.item)
    return item.name if item else quantity.item


def declared_by(holding: Holding) -> str:
    """The report whose declared number stands; empty where none does."""
    return holding.books.declarations[-1].report if holding.books.declarations else ""


def start_of(holding: Holding) -> float:
    """The number that the account starts from: what was declared, else the largest figure on file."""
    return holding.books.account.declared * holding.books.step


def start_by(holding: Holding) -> tuple[str, ...]:
    """The reports that give the number to start from."""
    if declared_by(holding):
        return (declared_by(holding),)
    start = start_of(holding)
    found = [e.report for e in [*holding.books.beside, *holding.books.looks] if abs(e.low - start) < holding.books.step / 2]
    return tuple(dict.fromkeys(found))


def is_counted(holding: Holding) -> bool:
    """Whether any look counts what went out."""
    return any(e.kind.startswith("removed") for e in holding.books.looks)


def word_of_owing(holding: Holding) -> tuple[list[str], bool]:
    """Reports for the claim that are the owing party's word, strongest first, and whether all are promises without a number."""
    words = {w.report.id: w for w in holding.finding.weighed if w.is_word and w.bears == "for"}
    ids = [name for name in holding.finding.ids("for") if name in words]
    return ids, all(words[name].report.number is None for name in ids)


def answer(holding: Holding) -> tuple[str, ...]:
    """The answer in a few sentences: declared, out, left; and what rests on counts, what on assumption."""
    out = [_main(holding)]
    if not is_counted(holding):
        out.append(_none_counted(holding))
    out += _rests(holding)
    if warning := beyond_the_looks(holding):
        out.append(warning)
    return (*out, *by_reading(holding.finding))


def by_reading(finding: Finding) -> list[str]:
    """What the reading asked for makes of it; the numbers are the same under every one."""
    if finding.verdict is None:
        return [f"Under this reading nothing is owed here ({'; '.join(finding.reading_reasons)}); the numbers are the same."]
    if finding.verdict is Word.DISPUTED and finding.about == "meaning":
        told = ", ".join(f"{name}: {word}" for name, word in finding.readings.items())
        return [f"Whether this is owed at all depends on the reading ({told}); the numbers are the same."]
    return []


def _main(holding: Holding) -> str:
    books = holding.books
    out = band(books.removed, "out") if is_counted(holding) else "none counted out"
    if books.declared is not None:
        told = f"{number(books.declared)} {units(holding, books.declared)} declared ({declared_by(holding)}): {out}"
    elif books.remaining is not None:
        by = f", {and_list(start_by(holding))}" if start_by(holding) else ""
        told = f"No number was declared. From {STARTED} ({number(start_of(holding))}{by}): {out}"
    else:
        told = f"No number was declared, and no figure that the account can use says how many there were; {out}"
    if books.remaining is None or books.p_none_left is None:
        return f"{told}; how many are left cannot be said."
    p = books.p_none_left
    return f"{told}; {band(books.remaining, 'left')}; none left with probability {chance(p)} ({likely(p)})."


def _none_counted(holding: Holding) -> str:
    ids, promised = word_of_owing(holding)
    name = units(holding)
    if not ids:
        return f"Nobody has counted any {name} on the way out."
    first = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
    if promised:
        return f"Nobody has counted any {name} on the way out: there is a promise, the word of the party that owes it ({first})."
    return f"Nobody but the party that owes it says that any {name} are out ({first}): its word, not a count."


def _rests(holding: Holding) -> list[str]:
    """What rests on counts, and what on the prior that nobody reported."""
    books, out = holding.books, []
    if books.declared is not None and books.p_declared_removed is not None and is_counted(holding):
        p = books.p_declared_removed
        out.append(f"What was counted gives {chance(p)} ({likely(p)}) that all {number(books.declared)} declared are out.")
    if books.remaining is None:
        return out
    prior, now = books.account.undeclared.none, holding.p_nothing_undeclared
    most = f"no more than {number(start_of(holding))} were there"
    if books.account.arrivals:
        most += " and none was brought in since"
    if not books.account.arrivals and abs(now - prior) < 0.01:
        out.append(f"That {most} is assumed with probability {prior:g}; no report moves it by as much as 0.01.")
    else:
        by = [e.report for e in books.looks if e.kind in ("still_there", "all_there_was")]
        because = f" ({and_list(by)})" if by else ""
        out.append(f"That {most}: {chance(now)} ({likely(now)}) after all reports{because}, with {prior:g} assumed beforehand.")
    return out


def beyond_the_looks(holding: Holding) -> str:
    """A warning where figures on file that the account does not use say that more is out than the account does."""
    rows = shown_sum(holding)
    most = max([rows[0], *(t.low for t in holding.totals)], default=0.0)
    if most <= holding.books.removed[2]:
        return ""
    ids = [s.report for s in holding.ships if s.counted is not None and not s.is_look]
    ids += [t.report for t in holding.totals if not t.is_look and t.low == most]
    return (
        f"Figures on file that the account does not use speak of up to {number(most)} out ({', '.join(ids[:6])}"
        f"{' and more' if len(ids) > 6 else ''})."
    )


def shown_sum(holding: Holding) -> tuple[float, int]:
    """The ships' figures on file added up, looks or not, and on how many ships."""
    counted = [s.counted for s in holding.ships if s.counted is not None]
    return sum(counted), len(counted)


def looks_sum(holding: Holding) -> tuple[float, int]:
    """The ships' figures that are looks added up, and on how many ships."""
    counted = [s.counted for s in holding.ships if s.counted is not None and s.is_look]
    return sum(counted), len(counted)


def declared_sum(holding: Holding) -> tuple[float, int]:
    """What was declared ship by ship added up, and for how many ships."""
    declared = [s.declared for s in holding.ships if s.declared is not None]
    return sum(declared), len(declared)


def no_row(holding: Holding) -> int:
    """How many ships were named of which no row is known."""
    return max(0, (holding.ships_named or 0) - len(holding.ships) - len(without_figure(holding)))


def without_figure(holding: Holding) -> tuple[str, ...]:
    """Ships that a row known by then names for this item, without any figure."""
    inquiry, quantity = holding.inquiry, holding.claim.quantity
    assert quantity is not None
    items = inquiry.case.evidence.members(quantity.item)
    seen = {s.name.casefold() for s in holding.ships} | {name.casefold() for name in holding.plan.ships.together}
    out: dict[str, str] = {}
    for report in sorted(inquiry.view.reports.values(), key=lambda r: (r.known.last, r.id)):
        mine = report.table == "vessels" and report.item in items and report.starts.first <= inquiry.on
        if mine and report.vessel and report.vessel.casefold() not in seen:
            out.setdefault(report.vessel.casefold(), report.vessel)
    return tuple(out.values())


def counted_by(count: Ship | Total | Count, holding: Holding) -> str:
    """Who counted: the observer, else the document that says so."""
    if count.by or not count.report:
        return count.by
    source = holding.inquiry.case.evidence.sources.get(holding.inquiry.view.reports[count.report].source)
    return f"not said ({source.title})" if source else "not said"


def total_words(total: Total, holding: Holding) -> str:
    """A running total, and whether it follows from the ships' rows."""
    ids = ", ".join([total.report, *total.also]) + (f"; {total.by}" if total.by else "")
    high = total.low if total.high is None else total.high
    told = f"{span(total.low, high)} counted by {day(total.at, holding)} ({ids}"
    told += ")" if total.is_look else "; no look of its own)"
    if not holding.ships:
        return told
    if not total.ships_then and not total.ships_now:
        return f"{told}: no ship's row speaks of that day"
    told += f": the ships' rows known then add up to {number(total.then)} on {ships(total.ships_then)}"
    if (total.now, total.ships_now) != (total.then, total.ships_then):
        told += f"; with what is known now, to {number(total.now)} on {ships(total.ships_now)}"
    least = [s for s in holding.ships if s.at_least and s.at is not None and s.at.date() <= total.at.date()]
    if least:
        told += ", minimum counts taken as they stand"
    if total.low <= total.now <= high:
        return f"{told}: it follows"
    after = number(total.low - total.now) if total.now < total.low else number(total.now - high)
    difference = f"{after} on no ship's row" if total.now < total.low else f"{after} more on the rows than in the total"
    if total.low <= total.then <= high:
        return f"{told}: it follows from the rows known then; with those known now, {difference}"
    return f"{told}: it does not follow, {difference}"


def ships(count: int) -> str:
    """So many ships."""
    return "no ship" if count == 0 else f"{count} ship" if count == 1 else f"{count} ships"
