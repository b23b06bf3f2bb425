"""Powers and their use: what suspends, resumes and ends provisions. A use is judged by how things stood before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallybook.checker.moments import MOMENT, first_after, marks
from tallybook.checker.parse import Part, parse
from tallybook.checker.provisions import Stop
from tallybook.checker.rows import mapping, words
from tallybook.checker.world import World
from tallybook.core.time import span


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a power, and why it has no effect (blank: it has)."""

    at: datetime
    fault: str


def powers(world: World) -> list[dict[str, Any]]:
    """The powers that are enacted, in the order of the text."""
    return [p for p in world.provisions.of_kind("power") if world.provisions.is_enacted(p)]


def uses(world: World, power: Mapping[str, Any]) -> list[Use]:
    """Every use of a power up to now, the oldest first. While they are worked out, those already judged count."""
    judged: list[Use] = []

    def make() -> list[Use]:
        for at in _times(world, power):
            judged.append(Use(at, _fault(world, power, at)))
        return judged

    return world.keep(("uses", str(power.get("id"))), judged, make)


def _times(world: World, power: Mapping[str, Any]) -> list[datetime]:
    if power.get("used_by"):
        return _rises(world, parse(str(power["used_by"])))
    times = _rises(world, Part("fact", ("used",), (), (("0", f"@{power.get('id')}"),)))
    states = words(power.get("states"))
    if power.get("measure") and states:
        # A measure may be in such a state for another reason than this power.
        began = starts_of(world, str(power["measure"]), states)
        times += [at for at in began if not _fault(world, power, at)]
    return sorted(set(times))


def starts_of(world: World, measure: str, states: list[str]) -> list[datetime]:
    """When a measure came into one of some states, up to now."""
    rows = world.facts.states(measure, world.on)
    inside = [row.state in states for row in rows]
    return [row.starts.last for n, row in enumerate(rows) if inside[n] and not (n and inside[n - 1])]


def _rises(world: World, part: Part) -> list[datetime]:
    instants = marks(world)
    held = [world.facts.holds(part, at, {}) == "true" for at in instants]
    return [at for n, at in enumerate(instants) if held[n] and not (n and held[n - 1])]


def _fault(world: World, power: Mapping[str, Any], at: datetime) -> str:
    """Why a use at an instant has no effect."""
    name, then = str(power.get("id")), before_use(world, power, at)
    if then.begun(power) is None or ended(then, name) is not None:
        return f"@{name} was not in force"
    if any(stop.holds(at) and not stop.in_part for stop in suspensions(then, name)):
        return f"@{name} was suspended"
    if power.get("when") and then.truth(str(power["when"]), at) != "true":
        return f"the condition of @{name} did not hold"
    return ""


def before_use(world: World, power: Mapping[str, Any], at: datetime) -> World:
    """How things stood at a use, before it had any effect."""
    then = world.at(at)
    judging: frozenset[str] = then.memo.get("judging", frozenset()) | {str(power.get("id"))}
    aside = then.aside(judging)
    if "judging" not in aside.memo:
        aside.memo["judging"] = judging
        for name in judging:
            before: list[Use] = world.memo.get(("uses", name), [])
            aside.memo["uses", name] = [use for use in before if use.at < at]
    return aside


def suspensions(world: World, name: str) -> list[Stop]:
    """Every time up to now during which a provision was suspended by a change or a power, the oldest first."""

    def make() -> list[Stop]:
        found = list(world.provisions.suspended.get(name, ()))
        for power in powers(world):
            found += _by_power(world, power, name)
        return sorted(found, key=lambda stop: stop.starts)

    return world.keep(("suspensions", name), [], make)


def _by_power(world: World, power: Mapping[str, Any], name: str) -> list[Stop]:
    effect = mapping(power.get("effect"))
    if name not in world.provisions.names(effect.get("suspend")):
        return []
    found = []
    for use in uses(world, power):
        if not use.fault:
            ends = _over(world, power, use, name)
            ends = ends if ends is not None and ends <= world.on else None
            found.append(Stop(use.at, ends, f"@{power.get('id')}", bool(effect.get("in_part"))))
    return found


def limit_of(value: object) -> str:
    """A time limit as written (blank: there is none, or only a vague word)."""
    found = mapping(value).get("value") if isinstance(value, dict) else value
    return str(found) if found else ""


def _over(world: World, power: Mapping[str, Any], use: Use, name: str) -> datetime | None:
    """When a suspension ended: its time was over, its condition failed, its state was left, or a power resumed it."""
    ends: list[datetime] = []
    if limit := limit_of(mapping(power.get("effect")).get("at_most")):
        ends.append(span(limit).after(use.at, world.file.tz) + MOMENT)
    if power.get("when") and (failed := first_after(world, str(power["when"]), use.at)) is not None:
        ends.append(failed)
    states = words(power.get("states"))
    if power.get("measure") and states and not power.get("used_by"):
        rows = world.facts.states(str(power["measure"]), world.on)
        left = [row.starts.last for row in rows if row.state not in states and row.starts.last > use.at]
        ends += left[:1]
    for other in powers(world):
        if name in world.provisions.names(mapping(other.get("effect")).get("resume")):
            ends += [u.at for u in uses(world, other) if not u.fault and u.at > use.at][:1]
    return min(ends, default=None)


def ended(world: World, name: str) -> tuple[datetime, str] | None:
    """When, and by what power, a provision was ended."""

    def make() -> tuple[datetime, str] | None:
        found: list[tuple[datetime, str]] = []
        for power in powers(world):
            by = f"@{power.get('id')}"
            if _ends(world, power, name):
                found += [(use.at, by) for use in uses(world, power) if not use.fault]
            effect = mapping(power.get("effect"))
            if effect.get("then") == "end" and name in world.provisions.names(effect.get("suspend")):
                found += [(stop.ends, by) for stop in _by_power(world, power, name) if stop.ends is not None]
        return min(found, default=None)

    return world.keep(("ended", name), None, make)


def _ends(world: World, power: Mapping[str, Any], name: str) -> bool:
    end = mapping(power.get("effect")).get("end")
    if end != "all":
        return name in world.provisions.names(end)
    provision = world.provisions.get(name)
    return name != str(power.get("id")) and provision is not None and not provision.get("survives")
