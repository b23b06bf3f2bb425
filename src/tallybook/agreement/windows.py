"""The operators that look back: once, always, since. Windows are closed at both ends; `since` includes now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tallybook.agreement.situation import Compiled, Situation, behind, delays_of, gathered
from tallybook.core.time import Span, shifted
from tallybook.core.truth import Finding, Truth, all_of, any_of

_BLUR = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class _Instant:
    """An instant to look at: a change, or a point (`between`) that stands for all of the time between two changes."""

    at: datetime
    between: bool


def _instants(
    situation: Situation, part: Compiled, start: datetime | None, end: datetime, edges: Sequence[datetime] = ()
) -> list[_Instant]:
    """Instants of [start, end], newest first, that between them show every value that a part takes there.

    Between two changes nothing changes, so a point between them stands for all of them. A window without a start begins with
    the record.
    """
    tz = situation.tz
    # A day early, for what the ends of months blur.
    oldest = None if start is None else shifted(min(delay.before(start, tz) for delay in part.delays), -_BLUR)
    changes = situation.changes(oldest, end)
    marks = {mark for change in changes for delay in part.delays for mark in delay.felt(change, tz)} | {end, *edges}
    marks |= {start} if start is not None else set(changes[:1])
    ordered = sorted(m for m in marks if m <= end and (start is None or m >= start))
    found = [_Instant(at, between=False) for at in ordered]
    found += [_Instant(a + (b - a) / 2, between=True) for a, b in pairwise(ordered)]
    return sorted(found, key=lambda instant: instant.at, reverse=True)


def within(kind: str, window: tuple[Span, Span | None], part: Compiled) -> Compiled:
    near, far = window

    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        start = None if far is None else far.before(at, situation.tz)
        instants = _instants(situation, part, start, near.before(at, situation.tz))
        findings = [part(situation, instant.at, scope) for instant in instants]
        return gathered(findings, (any_of if kind == "once" else all_of)(f.truth for f in findings))

    return Compiled(run, behind(part, near, far))


def since(left: Compiled, window: tuple[Span, Span | None], right: Compiled) -> Compiled:
    """`left since right`: right at some instant of the window, and left at every later one up to and including now."""
    near, far = window
    both = Compiled(left.run, delays_of(left, right))

    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        latest = near.before(at, situation.tz)
        earliest = None if far is None else far.before(at, situation.tz)
        kept, best = Truth.TRUE, Truth.FALSE
        findings: list[Finding] = []
        for instant in _instants(situation, both, earliest, at, (latest,)):
            held = left(situation, instant.at, scope)
            # After a point between two changes come others of the same stretch, where left must hold too.
            before = all_of((kept, held.truth)) if instant.between else kept
            if instant.at <= latest:
                began = right(situation, instant.at, scope)
                findings.append(began)
                best = any_of((best, all_of((before, began.truth))))
            findings.append(held)
            kept = all_of((kept, held.truth))
            if best is Truth.TRUE or kept is Truth.FALSE:
                break
        return gathered(findings, best)

    return Compiled(run, delays_of(left, right) | behind(right, near, far))
