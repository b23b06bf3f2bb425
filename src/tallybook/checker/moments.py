"""When conditions came to hold and ceased to: every instant at which one may turn, and the first at which it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tallybook.checker.evaluate import delays
from tallybook.checker.parse import Part, parse
from tallybook.checker.rows import mapping, words
from tallybook.core.time import Span, shifted, span

if TYPE_CHECKING:
    from tallybook.checker.world import World

VERDICT_WORDS = frozenset(
    {
        "no-evidence",
        "claimed",
        "indicated",
        "supported",
        "verified",
        "unclear",
        "disputed",
        "contradicted",
        "unverified",
    }
)
MOMENT = timedelta(seconds=1)
_MOST_ROUNDS = 3
_MOST_MARKS = 2_000
_CONDITIONS = ("in_force", "when", "achieve", "maintain", "endeavour", "breached_when", "while", "holds_when")


def marks(world: World) -> list[datetime]:
    """Every instant up to now at which something on record, or the text, may change, and now."""

    def make() -> list[datetime]:
        return sorted({*world.facts.changes(None, world.on), *_of_the_text(world), world.on})

    if "marks" not in world.memo:
        world.memo["marks"] = make()
    found: list[datetime] = world.memo["marks"]
    return found


def _of_the_text(world: World) -> Iterator[datetime]:
    found = list(world.provisions.turns)
    for raw in mapping(world.file.agreement.get("instruments")).values():
        for day in (raw.get("made"), raw.get("effective")):
            if isinstance(day, str | int) and str(day)[:1].isdigit():
                found.append(world.file.at(day).last)
    for raw in world.provisions.every():
        if raw.get("from"):
            found.append(world.file.at(raw["from"]).last)
        if raw.get("until"):
            found.append(shifted(world.file.at(raw["until"]).last, MOMENT))
    yield from (at for at in found if at <= world.on)


@dataclass(slots=True)
class _Turns:
    """What may turn a condition: instants, how long after each it may be felt, and verdicts."""

    points: set[datetime] = field(default_factory=set)
    spans: set[Span] = field(default_factory=set)
    rounds: int = 0
    asks: bool = False
    seen: set[str] = field(default_factory=set)


def _references(part: Part) -> set[str]:
    found = {inner.given[1 if inner.kind == "status" else 0] for inner in part.walk() if inner.kind in ("status", "value")}
    return {reference.removeprefix("@").split(".")[0] for reference in found}


def _follow(world: World, text: str, out: _Turns) -> None:
    """Follow a condition through all that it asks about."""
    part = parse(text)
    windows = {length for length in delays(part) if length != Span()}
    out.spans |= windows
    out.rounds += bool(windows)
    out.asks = out.asks or any(inner.kind == "status" and inner.given[0] in VERDICT_WORDS for inner in part.walk())
    # In the order of their names as written, for what is cut off where there is too much.
    for name in sorted(_references(part)):
        provision = world.provisions.get(name)
        if provision is not None and name not in out.seen:
            out.seen.add(name)
            _through(world, provision, out)
    names = {inner.given[0] for inner in part.walk() if inner.kind == "fact"}
    for raw in world.file.listed("states"):
        atom = str(raw.get("atom"))
        if raw.get("when") and atom not in out.seen and atom.split("(", maxsplit=1)[0] in names:
            out.seen.add(atom)
            _follow(world, str(raw["when"]), out)


def _through(world: World, provision: Mapping[str, Any], out: _Turns) -> None:
    from tallybook.checker.deadlines import turning_points
    from tallybook.checker.powers import limit_of

    if provision.get("kind") == "duty":
        out.points |= set(turning_points(world, provision))
        out.asks = out.asks or bool(words(provision.get("claims")))
    limit = limit_of(mapping(provision.get("effect")).get("at_most")) if provision.get("kind") == "power" else ""
    if limit:
        out.spans.add(span(limit) + Span(rest=MOMENT))
        out.rounds += 1
    for other in [raw for raw in world.provisions.every() if _acts_on(raw, f"@{provision.get('id')}")]:
        if str(other.get("id")) not in out.seen:
            out.seen.add(str(other.get("id")))
            _through(world, other, out)
    for key in _CONDITIONS:
        if provision.get(key):
            _follow(world, str(provision[key]), out)
    for case in provision.get("cases") or []:
        if case.get("when"):
            _follow(world, str(case["when"]), out)


def _acts_on(raw: Mapping[str, Any], reference: str) -> bool:
    if raw.get("kind") == "exception":
        return reference in words(raw.get("to"))
    effect = mapping(raw.get("effect")) if raw.get("kind") == "power" else {}
    named = [name for key in ("suspend", "resume", "end") for name in words(effect.get(key))]
    return effect.get("end") == "all" or reference in named


def marks_of(world: World, text: str) -> tuple[list[datetime], bool]:
    """The instants at which a condition may turn, and whether it asks for verdicts. Raises CannotTellError."""
    key = ("marks of", text)
    if key not in world.memo:
        turns = _Turns()
        _follow(world, text, turns)
        found = {*marks(world), *turns.points}
        for _ in range(min(turns.rounds, _MOST_ROUNDS)):
            found |= {at for mark in list(found) for length in turns.spans for at in length.felt(mark, world.file.tz)}
            if len(found) > _MOST_MARKS:
                break
        if turns.asks:
            found |= {at for row in world.file.rows.values() for at in (row.starts.last, row.ends.last)}
            found |= set(world.facts.changes(None, world.on))
        world.memo[key] = sorted(at for at in found if at <= world.on), turns.asks
    result: tuple[list[datetime], bool] = world.memo[key]
    return result


def first_held(world: World, text: str) -> datetime | None:
    """The first instant at which a condition held. One that asks for verdicts is taken to go on holding."""

    def make() -> datetime | None:
        at_marks, asks = marks_of(world, text)
        if not asks:
            return next((at for at in at_marks if world.truth(text, at) == "true"), None)
        return _first_of(at_marks, lambda at: world.truth(text, at) == "true") if world.truth(text) == "true" else None

    key = ("first held", text)
    if key not in world.memo:
        world.memo[key] = make()
    found: datetime | None = world.memo[key]
    return found


def first_after(world: World, text: str, start: datetime) -> datetime | None:
    """The first instant after `start` at which a condition does not hold."""
    at_marks, asks = marks_of(world, text)
    later = [at for at in at_marks if at > start]
    if not asks:
        return next((at for at in later if world.truth(text, at) != "true"), None)
    if not later or world.truth(text) == "true":
        return None
    return _first_of(later, lambda at: world.truth(text, at) != "true")


def turned_false(world: World, text: str, start: datetime, also: Iterable[datetime]) -> Iterator[datetime]:
    """The instants after `start` at which a condition is false, once it has become so after it was not."""
    at_marks, _ = marks_of(world, text)
    before = world.truth(text, start) if start <= world.on else "unknown"
    turned = False
    for at in sorted({*at_marks, *(at for at in also if at <= world.on)}):
        if at <= start:
            continue
        now = world.truth(text, at)
        turned = turned or (now == "false" and before != "false")
        if turned and now == "false":
            yield at
        before = now


def _first_of(at_marks: list[datetime], holds: Callable[[datetime], bool]) -> datetime:
    """The first instant at which something holds that goes on holding; it holds at the last."""
    low, high = -1, len(at_marks) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(at_marks[middle]) else (middle, high)
    return at_marks[high]
