"""What a picture of an account shows, whatever the form of the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tallybook.board.holdings import step_name
from tallybook.verdicts.holding import Holding
from tallybook.verdicts.holding_words import Told, answer, day, item_name, units
from tallybook.verdicts.inquiry import EVERYONE
from tallybook.verdicts.staged import StagedHolding
from tallybook.verdicts.staged_words import staged_answer, waterfall

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Bar:
    """A step of the waterfall, as 5 %, median and 95 % points. `sign`: "" stands on the ground, + is added, - is taken off."""

    name: str
    sign: str
    points: Triple


@dataclass(frozen=True, slots=True)
class Day:
    """What is out and left at the end of a day, and the reports that looked on it."""

    date: date
    out: Triple | None
    left: Triple | None
    looks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn. `least`: the smallest part that is counted. Without `bars` the `says` are written instead."""

    title: str
    asked: str
    units: str
    says: tuple[str, ...]
    bars: tuple[Bar, ...]
    days: tuple[Day, ...]
    least: float


def picture_of(held: Holding | StagedHolding) -> Picture:
    """The picture of an account."""
    return _staged(held) if isinstance(held, StagedHolding) else _totals(held)


def _totals(held: Holding) -> Picture:
    bars = []
    for n, step in enumerate(held.waterfall if held.books.remaining else ()):
        sign = "-" if step.name == "out" else "+" if 0 < n < len(held.waterfall) - 1 else ""
        bars.append(Bar(step_name(held, step.name), sign, (step.low, step.middle, step.high)))
    tz = held.inquiry.case.tz
    days = tuple(Day(b.day.astimezone(tz).date(), b.out, b.left, b.looks) for b in held.bands)
    return _picture(held, answer(held), bars, days, held.books.step)


def _staged(held: StagedHolding) -> Picture:
    bars = [Bar(*bar) for bar in waterfall(held)]
    looks: dict[date, list[str]] = {}
    for row in held.looks:
        for at in row.dates:
            looks.setdefault(at, []).extend(row.look.reports)
    days = tuple(Day(d.date, None, (d.low, d.middle, d.high), tuple(looks.get(d.date, ()))) for d in held.left)
    return _picture(held, staged_answer(held), bars, days, held.books.step)


def _picture(held: Told, says: Sequence[str], bars: Sequence[Bar], days: tuple[Day, ...], least: float) -> Picture:
    question = held.inquiry.question
    seen = "" if question.reader == EVERYONE else f", on what {question.reader} may see"
    asked = f"on {day(question.on, held)}, as known by {day(question.known, held)}{seen}; reading: {question.reading}"
    return Picture(f"{held.claim.title}: {item_name(held)}", asked, units(held), tuple(says), tuple(bars), days, least)
