"""The account of a quantity as an SVG picture: from declared to left, and what is left and out day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise
from math import ceil, floor, log10
from textwrap import wrap

from tallybook.board.page import clean
from tallybook.board.picture import Bar, Day, Picture, Triple, picture_of
from tallybook.verdicts.holding import Holding
from tallybook.verdicts.holding_words import date_words, number
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.staged import StagedHolding

WIDTH, HEIGHT = 960, 800
LEFT, RIGHT = 96, 930
BARS_TOP, BARS_FOOT = 118, 330
DAYS_TOP, DAYS_FOOT = 474, 690
STRIP_TOP, STRIP_FOOT = 698, 714
INK, SOFT, LINE = "#1c2126", "#4d5760", "#d5dade"
# Blue and vermilion of Okabe and Ito: apart for colour-blind readers; solid and dashed, plain and hatched apart in grey.
BLUE, RED = "#0072b2", "#b8430a"
GREY = "#7a858f"
_LINES = 5
_LONGEST_TITLE = 84
_LONGEST_LABEL = 28
_LONGEST_LINE = 118
_MOST_DATES = 7
_MOST_LINES = 10


@dataclass(frozen=True, slots=True)
class Scale:
    """From a number of things to a height on the page."""

    top: float
    foot: float
    most: float
    step: float

    def y(self, value: float) -> float:
        """Where a value lies."""
        return self.foot - (self.foot - self.top) * value / self.most


def plot(held: Holding | StagedHolding) -> str:
    """The whole picture of an account as SVG."""
    return draw(picture_of(held), whole_banner(held.inquiry))


_BANNER_WIDTH = 110
"""Characters of a banner on one line."""


def draw(picture: Picture, banner: str = "") -> str:
    """A picture as SVG, with its marking above and below."""
    lines = wrap(banner, _BANNER_WIDTH)
    pad = 10 + 14 * len(lines) if lines else 0
    height = HEIGHT + 2 * pad
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {-pad} {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'role="img" aria-labelledby="title desc" font-family="Helvetica, Arial, sans-serif" font-size="13" '
            f'fill="{INK}">'
        ),
        f'<title id="title">{_safe(f"{picture.title}: the account {picture.asked}")}</title>',
        f'<desc id="desc">{_safe(" ".join(picture.says))}</desc>',
        _PATTERNS,
        f'<rect y="{-pad}" width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(24, 34, _short(picture.title, _LONGEST_TITLE), size=18, weight="bold"),
        _text(24, 56, picture.asked, fill=SOFT),
        *_waterfall(picture),
        *_days(picture),
        *(
            _text(WIDTH / 2, top + 14 * n, line, size=11, weight="bold", anchor="middle")
            for top in (18 - pad, HEIGHT + 14)
            for n, line in enumerate(lines)
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


_PATTERNS = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="6" height="6" fill="{RED}" fill-opacity="0.12"/>'
    f'<line x1="0" y1="0" x2="0" y2="6" stroke="{RED}" stroke-width="1.5" stroke-opacity="0.6"/></pattern>'
    '<pattern id="none" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">'
    f'<rect width="5" height="5" fill="#f1f3f4"/><line x1="0" y1="0" x2="0" y2="5" stroke="{GREY}" stroke-width="1"/>'
    "</pattern></defs>"
)


def _waterfall(picture: Picture) -> list[str]:
    """Bars from what was declared to what is left; a line with ends is the 5 % to 95 % band."""
    out = [_text(24, 90, f"From declared to left ({picture.units})", size=15, weight="bold")]
    if not picture.bars:
        rows = [row for told in picture.says for row in _wrapped(told, _LONGEST_LINE)]
        return [*out, *(_text(24, 122 + 20 * n, row) for n, row in enumerate(rows[:_MOST_LINES]))]
    spans = _spans(picture.bars)
    scale = _scale(BARS_TOP + 24, BARS_FOOT, max(max(bar[1], whisker[1]) for bar, whisker in spans), picture.least)
    out += _axis(scale)
    column = (RIGHT - LEFT) / len(picture.bars)
    ends = []
    for n, (bar, (body, whisker)) in enumerate(zip(picture.bars, spans, strict=True)):
        middle = LEFT + column * (n + 0.5)
        fill = BLUE if n == len(picture.bars) - 1 else _FILLS[bar.sign]
        out += _bar(scale, middle, column * 0.42, body, whisker, fill)
        above = scale.y(max(body[1], whisker[1])) - 8
        out.append(_text(middle, above, _amount(bar), anchor="middle", weight="bold"))
        out += _label(middle, BARS_FOOT + 18, bar.name, _LONGEST_LABEL * 4 // len(picture.bars))
        ends.append((middle, scale.y(body[0] if bar.sign == "-" else body[1])))
    for (x, y), (to, _) in pairwise(ends):
        out.append(_line(x + column * 0.21, y, to - column * 0.21, y, GREY, dash="2 3"))
    out.append(_text(RIGHT, 90, "bar: median; line with ends: 5 % to 95 %", anchor="end", fill=SOFT))
    return out


_FILLS = {"": "#8a95a0", "+": "#cfd5da", "-": "url(#hatch)"}


def _spans(bars: Sequence[Bar]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """From where to where each bar goes, and its band."""
    out, at = [], 0.0
    for bar in bars:
        low, middle, high = bar.points
        if bar.sign == "+":
            out.append(((at, at + middle), (at + low, at + high)))
            at += middle
        elif bar.sign == "-":
            out.append(((max(0.0, at - middle), at), (max(0.0, at - high), max(0.0, at - low))))
            at = max(0.0, at - middle)
        else:
            out.append(((0.0, middle), (low, high)))
            at = middle
    return out


def _amount(bar: Bar) -> str:
    low, middle, high = (round(v, 2) for v in bar.points)
    sign = {"-": "−"}.get(bar.sign, bar.sign) if middle or low < high else ""
    return f"{sign}{number(middle)}" + ("" if low == high else f" ({number(low)} to {number(high)})")


def _bar(
    scale: Scale, middle: float, width: float, bar: tuple[float, float], whisker: tuple[float, float], fill: str
) -> list[str]:
    top, foot = scale.y(bar[1]), scale.y(bar[0])
    x = middle - width / 2
    out = [
        (
            f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(foot - top, 1.5):.1f}" fill="{fill}" '
            f'stroke="{INK}" stroke-width="0.8"/>'
        )
    ]
    if whisker[0] < whisker[1]:
        low, high = scale.y(whisker[0]), scale.y(whisker[1])
        out.append(_line(middle, low, middle, high, INK, 1.8))
        out += [_line(middle - 7, y, middle + 7, y, INK, 1.8) for y in (low, high)]
    return out


def _days(picture: Picture) -> list[str]:
    """Bands of what is left and what is out, day by day, with the days that had a look and those that had none."""
    days = picture.days
    out = [_text(24, 402, f"Day by day, as all that is known now tells it ({picture.units})", size=15, weight="bold")]
    gone, left = ([t for t in triples if t is not None] for triples in ([d.out for d in days], [d.left for d in days]))
    scale = _scale(DAYS_TOP, DAYS_FOOT, max((t[2] for t in [*gone, *left]), default=0.0), picture.least)
    wide = (RIGHT - LEFT) / len(days)
    out += [*_legend(bool(left), bool(gone)), *_axis(scale)]
    edges = [LEFT + wide * n for n in range(len(days) + 1)]
    if len(gone) == len(days):
        out += _steps(scale, edges, gone, _OUT)
    if len(left) == len(days):
        out += _steps(scale, edges, left, _LEFT)
    out += [*_strip(days, edges), *_dates(days, edges)]
    stride = (days[1].date - days[0].date).days if len(days) > 1 else 1
    looked = sum(bool(d.looks) for d in days)
    unit = f"steps of {stride} days" if stride > 1 else "days" if len(days) > 1 else "day"
    told = f"A look on {looked} of {len(days)} {unit}. A count speaks from its day on; a day without a look adds nothing."
    out.append(_text(24, 786, told, fill=SOFT))
    return out


@dataclass(frozen=True, slots=True)
class Style:
    """How a band and its median are drawn."""

    words: str
    colour: str
    fill: str
    opacity: float
    dash: str


_LEFT = Style("left: median and 5 % to 95 %", BLUE, BLUE, 0.22, "")
_OUT = Style("out: median and 5 % to 95 %", RED, "url(#hatch)", 1.0, ' stroke-dasharray="7 4"')


def _steps(scale: Scale, edges: Sequence[float], triples: Sequence[Triple], style: Style) -> list[str]:
    """A band and its median, level over each day."""

    def path(column: int) -> list[tuple[float, float]]:
        found: list[tuple[float, float]] = []
        for n, triple in enumerate(triples):
            y = scale.y(triple[column])
            if len(found) > 1 and abs(found[-1][1] - y) < 1e-9:
                found[-1] = (edges[n + 1], y)
            else:
                found += [(edges[n], y), (edges[n + 1], y)]
        return found

    area = [*path(2), *reversed(path(0))]
    out = []
    if any(low < high for low, _, high in triples):
        out.append(f'<polygon points="{_points(area)}" fill="{style.fill}" fill-opacity="{style.opacity:g}" stroke="none"/>')
    line = f'stroke="{style.colour}" stroke-width="2.6"{style.dash}'
    out.append(f'<polyline points="{_points(path(1))}" fill="none" {line}/>')
    return out


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _strip(days: Sequence[Day], edges: Sequence[float]) -> list[str]:
    """Under the days: a tick for each day with a look, hatching where nobody looked."""
    out = [_text(LEFT - 8, STRIP_FOOT - 3, "looks", anchor="end", fill=SOFT)]
    high = STRIP_FOOT - STRIP_TOP
    for looked, group in groupby(enumerate(days), key=lambda pair: bool(pair[1].looks)):
        found = list(group)
        if not looked:
            first, last = edges[found[0][0]], edges[found[-1][0] + 1]
            out.append(f'<rect x="{first:.1f}" y="{STRIP_TOP}" width="{last - first:.1f}" height="{high}" fill="url(#none)"/>')
            continue
        for n, day in found:
            width = min(6.0, max(2.0, (edges[n + 1] - edges[n]) * 0.6))
            x = (edges[n] + edges[n + 1] - width) / 2
            told = f"{date_words(day.date)}: {', '.join(day.looks)}"
            out.append(
                f'<rect x="{x:.1f}" y="{STRIP_TOP - 4}" width="{width:.1f}" height="{high + 4}" fill="{INK}">'
                f"<title>{_safe(told)}</title></rect>"
            )
    return out


def _dates(days: Sequence[Day], edges: Sequence[float]) -> list[str]:
    """Dates under their days: as many as have room, the last always, the year where it changes."""
    every = max(1, -(-len(days) // _MOST_DATES))
    out, year = [], ""
    for n in sorted(range(len(days) - 1, -1, -every)):
        x = (edges[n] + edges[n + 1]) / 2
        name, this = date_words(days[n].date).rsplit(" ", 1)
        out.append(_line(x, STRIP_FOOT + 2, x, STRIP_FOOT + 8, SOFT))
        out.append(_text(x, STRIP_FOOT + 23, name, anchor="middle"))
        if this != year:
            out.append(_text(x, STRIP_FOOT + 40, this, anchor="middle", fill=SOFT))
        year = this
    return out


def _legend(with_left: bool, with_out: bool) -> list[str]:
    out, x, y = [], LEFT, 436
    for style in [_LEFT] * with_left + [_OUT] * with_out:
        out.append(f'<rect x="{x}" y="{y - 12}" width="34" height="16" fill="{style.fill}" fill-opacity="{style.opacity:g}"/>')
        out.append(f'<path d="M{x} {y - 4}h34" stroke="{style.colour}" stroke-width="2.6"{style.dash}/>')
        out.append(_text(x + 42, y, style.words))
        x += 250
    out.append(f'<rect x="{x + 6}" y="{y - 14}" width="6" height="20" fill="{INK}"/>')
    out.append(_text(x + 20, y, "a day with a look"))
    out.append(f'<rect x="{x + 150}" y="{y - 12}" width="34" height="16" fill="url(#none)"/>')
    out.append(_text(x + 192, y, "no look"))
    return out


def _axis(scale: Scale) -> list[str]:
    """Lines across with their numbers."""
    out = []
    for n in range(round(scale.most / scale.step) + 1):
        value = round(n * scale.step, 9)
        y = scale.y(value)
        out.append(_line(LEFT, y, RIGHT, y, INK if n == 0 else LINE))
        out.append(_text(LEFT - 8, y + 4.5, number(value), anchor="end", fill=SOFT))
    return out


def _scale(top: float, foot: float, most: float, least: float) -> Scale:
    """An axis of about five round steps, none smaller than the least part that is counted, with room for the greatest value."""
    raw = max(most / _LINES, least)
    size = 10.0 ** floor(log10(raw) + 1e-9)
    step = float(next(size * m for m in (1, 2, 5, 10) if size * m >= raw * (1 - 1e-9)))
    return Scale(top, foot, step * max(1, ceil(most / step - 1e-9)), step)


def _label(x: float, y: float, words: str, most: int) -> list[str]:
    """A label on as many lines as it needs."""
    return [_text(x, y + 16 * n, row, anchor="middle") for n, row in enumerate(_wrapped(words, most))]


def _wrapped(words: str, most: int) -> list[str]:
    """Words on lines of at most so many letters."""
    rows: list[str] = []
    for word in clean(words).split():
        if rows and len(rows[-1]) + len(word) < most:
            rows[-1] += f" {word}"
        else:
            rows.append(word)
    return rows


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _safe(words: str) -> str:
    return escape(clean(words))


def _text(x: float, y: float, words: str, anchor: str = "start", size: int = 13, fill: str = INK, weight: str = "normal") -> str:
    more = f' text-anchor="{anchor}"' if anchor != "start" else ""
    more += f' font-size="{size}"' if size != 13 else ""
    more += f' fill="{fill}"' if fill != INK else ""
    more += f' font-weight="{weight}"' if weight != "normal" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{_safe(words)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, width: float = 1.0, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="{colour}" stroke-width="{width:g}" fill="none"{dashed}/>'
