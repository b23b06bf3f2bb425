"""When a condition came to hold, and when it ceased to, on what is known now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tallybook.agreement.language import condition
from tallybook.agreement.provision import AnyProvision, Duty, Effect, Exception_, Power
from tallybook.commitments.view import Standing
from tallybook.core.time import Span, shifted, span
from tallybook.core.truth import Truth

_INSTANT = timedelta(seconds=1)
_DEEPEST_WINDOWS = 3
_MOST_MARKS = 2_000
VERDICTS = frozenset(
    {"no-evidence", "claimed", "indicated", "supported", "verified", "unclear", "disputed", "contradicted", "unverified"}
)


def marks(standing: Standing) -> list[datetime]:
    """Every instant up to the date asked about at which something on record, or the text, may change, and that date."""
    if "marks" not in standing.memo:
        standing.memo["marks"] = sorted({*standing.record.changes(None, standing.on), *_of_the_text(standing), standing.on})
    found: list[datetime] = standing.memo["marks"]
    return found


def _of_the_text(standing: Standing) -> Iterator[datetime]:
    """When changes took effect, instruments were made, and the terms of provisions began and ended."""
    found = list(standing.in_force.turns)
    for instrument in standing.agreement.instruments.values():
        if instrument.made:
            found.append(standing.read(instrument.made).last)
        if isinstance(instrument.effective, str) and instrument.effective[:1].isdigit():
            found.append(standing.read(instrument.effective).last)
    for provision in standing.in_force.provisions.values():
        if provision.from_:
            found.append(standing.read(provision.from_).last)
        if provision.until:
            found.append(shifted(standing.read(provision.until).last, _INSTANT))
    yield from (at for at in found if at <= standing.on)


@dataclass(slots=True)
class _Turns:
    """What may turn a condition: instants, lengths of time after which what is on record is felt, and verdicts."""

    points: set[datetime] = field(default_factory=set)
    spans: set[Span] = field(default_factory=set)
    asks: bool = False
    seen: set[str] = field(default_factory=set)
    windows: int = 0


def _gather(standing: Standing, text: str, out: _Turns) -> None:
    """Follow a condition through the provisions and states that it asks about."""
    parsed = condition(text)
    windows = {span for span in parsed.delays if span != Span()}
    out.spans |= windows
    out.windows += bool(windows)
    out.asks = out.asks or bool(parsed.words & VERDICTS)
    for reference in sorted(parsed.references):
        name = reference.lstrip("@").split(".")[0]
        provision = standing.in_force.provisions.get(name)
        if provision is not None and name not in out.seen:
            out.seen.add(name)
            _through(standing, provision, out)
    heads = {atom.split("(")[0] for atom in parsed.atoms}
    for state in standing.agreement.states:
        if state.when and state.atom not in out.seen and state.atom.split("(")[0] in heads:
            out.seen.add(state.atom)
            _gather(standing, state.when, out)


def _through(standing: Standing, provision: AnyProvision, out: _Turns) -> None:
    if isinstance(provision, Duty):
        from tallybook.commitments.deadline import turning_points

        out.points |= set(turning_points(standing, provision))
        out.asks = out.asks or bool(provision.claims)
    if isinstance(provision, Power) and provision.effect and provision.effect.at_most and provision.effect.at_most.value:
        out.spans.add(span(provision.effect.at_most.value) + Span(rest=_INSTANT))
        out.windows += 1
    acting = [
        p
        for p in standing.in_force.provisions.values()
        if (isinstance(p, Exception_) and f"@{provision.id}" in p.to)
        or (isinstance(p, Power) and p.effect and _acts_on(p.effect, provision.id))
    ]
    for other in acting:
        if other.id not in out.seen:
            out.seen.add(other.id)
            _through(standing, other, out)
    for key in ("in_force", "when", "achieve", "maintain", "endeavour", "breached_when", "while_", "holds_when"):
        if inner := getattr(provision, key, None):
            _gather(standing, inner, out)
    for case in getattr(provision, "cases", ()):
        if case.when:
            _gather(standing, case.when, out)


def _acts_on(effect: Effect, name: str) -> bool:
    reference = f"@{name}"
    return effect.end == "all" or reference in (*effect.suspend, *effect.resume, *effect.end)


def _marks_of(standing: Standing, text: str) -> tuple[list[datetime], bool]:
    """The instants at which a condition may change, and whether it asks for verdicts on evidence."""
    key = ("marks of", text)
    if key not in standing.memo:
        turns = _Turns()
        _gather(standing, text, turns)
        found = {*marks(standing), *turns.points}
        # A window may look back at what turned because of another window, as often as windows were met on the way.
        for _ in range(min(turns.windows, _DEEPEST_WINDOWS)):
            found |= {at for mark in list(found) for length in turns.spans for at in length.felt(mark, standing.tz)}
            if len(found) > _MOST_MARKS:
                break
        instants = sorted(at for at in found if at <= standing.on)
        if turns.asks:
            # Two sorted runs: what came in with reports is in order already.
            instants = list(dict.fromkeys(sorted([*instants, *standing.instants()])))
        standing.memo[key] = instants, turns.asks
    result: tuple[list[datetime], bool] = standing.memo[key]
    return result


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
