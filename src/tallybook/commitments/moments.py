"""When a condition came to hold, and when it ceased to, on what is known now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Duty
from tallybook.commitments.view import Standing
from tallybook.core.truth import Truth

VERDICTS = frozenset(
    {"no-evidence", "claimed", "indicated", "supported", "verified", "unclear", "disputed", "contradicted", "unverified"}
)


def marks(standing: Standing) -> list[datetime]:
    """Every instant up to the date asked about at which an event or state on record may change, and that date."""
    return [*standing.record.changes(None, standing.on), standing.on]


def _marks_of(standing: Standing, text: str) -> tuple[list[datetime], bool]:
    """The instants at which a condition may change, and whether it asks for verdicts on evidence."""
    parsed = condition(text)
    found = set(marks(standing))
    for reference in parsed.references:
        provision = standing.in_force.provisions.get(reference.lstrip("@").split(".")[0])
        if isinstance(provision, Duty):
            from tallybook.commitments.deadline import turning_points

            found |= set(turning_points(standing, provision))
    asks = bool(parsed.words & VERDICTS)
    instants = sorted(at for at in found if at <= standing.on)
    if asks:
        # Two sorted runs: what came in with reports is in order already.
        instants = list(dict.fromkeys(sorted([*instants, *standing.instants()])))
    return instants, asks


def first_held(standing: Standing, text: str) -> datetime | None:
    """Since when a condition holds: the first instant at which it held, or None where it never did.

    One that asks for verdicts on evidence is taken to go on holding once it holds, so that it need not be asked about every
    instant at which a report came in.
    """
    test = condition(text)
    key = ("first held", text)
    if key not in standing.memo:
        instants, asks = _marks_of(standing, text)

        def holds(at: datetime) -> bool:
            return test(standing, at).truth is Truth.TRUE

        if asks:
            found = _halved(instants, holds) if holds(standing.on) else None
        else:
            found = next((at for at in instants if holds(at)), None)
        standing.memo[key] = found
    result: datetime | None = standing.memo[key]
    return result


def first_after(standing: Standing, text: str, start: datetime) -> list[datetime]:
    """The first instant after `start` at which a condition does not hold, as a list of one, or an empty list."""
    test = condition(text)
    instants, asks = _marks_of(standing, text)
    later = [at for at in instants if at > start]
    if asks:
        if not later or test(standing, standing.on).truth is Truth.TRUE:
            return []
        return [_halved(later, lambda at: test(standing, at).truth is not Truth.TRUE)]
    return [at for at in later if test(standing, at).truth is not Truth.TRUE][:1]


def turned_false(standing: Standing, text: str, start: datetime, also: Iterable[datetime] = ()) -> Iterator[datetime]:
    """The instants after `start` at which a condition is false (not merely unknown), once it has become so.

    What was false from the start has not been brought about yet, which is another thing than being broken. `also` are
    instants to look at besides.
    """
    test = condition(text)
    instants, _ = _marks_of(standing, text)
    before = test(standing, start).truth if start <= standing.on else Truth.UNKNOWN
    turned = False
    for at in sorted({*instants, *(at for at in also if at <= standing.on)}):
        if at > start:
            now = test(standing, at).truth
            turned = turned or (now is Truth.FALSE and before is not Truth.FALSE)
            if turned and now is Truth.FALSE:
                yield at
            before = now


def _halved(instants: Sequence[datetime], holds: Callable[[datetime], bool]) -> datetime:
    """The first of the instants at which something holds that goes on holding; it holds at the last."""
    low, high = -1, len(instants) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if holds(instants[middle]):
            high = middle
        else:
            low = middle
    return instants[high]
