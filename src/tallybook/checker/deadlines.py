"""When a duty is due: by the calendar, with the clock stopped while it is suspended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tallybook.checker.moments import MOMENT
from tallybook.checker.powers import limit_of, suspensions
from tallybook.checker.provisions import Stop
from tallybook.checker.rows import mapping
from tallybook.checker.world import Start, World
from tallybook.core.time import span


@dataclass(frozen=True, slots=True)
class Due:
    """When a duty is due, in words and as an instant (None: none that could be seen to pass), and a remark."""

    text: str
    at: datetime | None
    remark: str = ""


def began(world: World, duty: Mapping[str, Any]) -> Start | None:
    """Since when a duty is in force, or was until its term was over."""
    found = world.begun(duty)
    if found is None and duty.get("until"):
        over = world.file.at(duty["until"]).last
        if over < world.on:
            return world.at(over).begun(duty)
    return found


def owed_since(world: World, duty: Mapping[str, Any]) -> datetime | None:
    """Since when a duty has been owed: in force, and its condition come true."""
    start = began(world, duty)
    if start is None:
        return None
    since = start.last if start.is_dated else None
    if not duty.get("when"):
        return since
    came = world.first_held(str(duty["when"]))
    return came if came is None or since is None else max(since, came)


def due_of(world: World, duty: Mapping[str, Any]) -> Due:
    """When a duty is due, as far as that is settled by now."""
    stops = [stop for stop in suspensions(world, str(duty.get("id"))) if not stop.in_part]
    if duty.get("by"):
        text = str(duty["by"])
        at = world.file.at(text).last
        if at <= world.on and any(stop.holds(at) for stop in stops):
            return Due(text, None, "its date passed while it was suspended; a new one is needed")
        return Due(text, at)
    limit = limit_of(duty.get("within"))
    if not limit:
        return Due(str(mapping(duty.get("within")).get("vague") or ""), None)
    since = owed_since(world, duty)
    if since is None:
        return Due(f"within {limit}", None)
    at_last = moved(span(limit).after(since, world.file.tz), since, stops)
    if at_last is None:
        return Due(f"within {limit}", None, "the clock is stopped while it is suspended")
    return Due(world.show(at_last), at_last)


def moved(due: datetime, since: datetime, stops: list[Stop]) -> datetime | None:
    """A due instant put off by the time during which the clock stood still; None while it stands still."""
    counted = since
    for stop in stops:
        if stop.starts > due:
            return due
        if stop.ends is None:
            return None
        # Times that overlap count once.
        due += max(stop.ends - max(stop.starts, counted), timedelta(0))
        counted = max(counted, stop.ends)
    return due


def turning_points(world: World, duty: Mapping[str, Any]) -> list[datetime]:
    """Instants, besides those on record, at which the life of a duty may turn."""

    def make() -> list[datetime]:
        due = due_of(world, duty).at
        found = [due, due + MOMENT] if due is not None else []
        if duty.get("earliest"):
            found.append(world.file.at(duty["earliest"]).first)
        if duty.get("until"):
            found.append(world.file.at(duty["until"]).last + timedelta(seconds=1))
        return found

    return world.keep(("turning points", str(duty.get("id"))), [], make)
