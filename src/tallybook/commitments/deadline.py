"""When a duty is due. Counted on the calendar; suspension stops the clock; a vague limit is never missed by a program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tallybook.agreement.provision import Duty
from tallybook.commitments.moments import first_held
from tallybook.commitments.powers import INSTANT, Span, suspensions
from tallybook.commitments.view import Standing, Start
from tallybook.core.time import span


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a duty is due, in words and as an instant (None: no day that a program could see pass), and a remark."""

    text: str
    at: datetime | None
    remark: str = ""


def began(standing: Standing, duty: Duty) -> Start | None:
    """Since when a duty is in force, or was until its term was over."""
    found = standing.begun(duty)
    if found is None and duty.until and standing.read(duty.until).last < standing.on:
        return standing.at(standing.read(duty.until).last).begun(duty)
    return found


def owed_since(standing: Standing, duty: Duty) -> datetime | None:
    """Since when a duty has been owed: in force, and its condition come true. None where it has not been owed yet."""
    start = began(standing, duty)
    if start is None:
        return None
    since = start.since.last if start.since.text else None
    if duty.when is None:
        return since
    came = first_held(standing, duty.when)
    if came is None or since is None:
        return came
    return max(since, came)


def deadline(standing: Standing, duty: Duty) -> Deadline:
    """When a duty is due, as far as that is settled by now."""
    stops = [s for s in suspensions(standing, duty.id) if not s.in_part]
    if duty.by:
        return _fixed(standing, duty.by, stops)
    limit = duty.within
    if limit is not None and limit.value:
        since = owed_since(standing, duty)
        if since is None:
            return Deadline(f"within {limit.value}", None)
        due = _stopped(span(limit.value).after(since, standing.tz), since, stops)
        if due is None:
            return Deadline(f"within {limit.value}", None, "the clock is stopped while it is suspended")
        return Deadline(standing.show(due), due)
    if limit is not None and limit.vague:
        return Deadline(limit.vague, None)
    return Deadline("", None)


def _fixed(standing: Standing, text: str, stops: list[Span]) -> Deadline:
    due = standing.read(text).last
    if due <= standing.on and any(s.holds(due) for s in stops):
        return Deadline(text, None, "its date passed while it was suspended; a new one is needed")
    return Deadline(text, due)


def _stopped(due: datetime, since: datetime, stops: list[Span]) -> datetime | None:
    """A due instant moved by the time during which the clock stood still; None while it stands. Overlaps count once."""
    counted = since
    for stop in stops:
        if stop.starts > due:
            break
        if stop.ends is None:
            return None
        start = max(stop.starts, counted)
        if stop.ends > start:
            due += stop.ends - start
            counted = stop.ends
    return due


def turning_points(standing: Standing, duty: Duty) -> list[datetime]:
    """Instants, besides those on record, at which the life of a duty may turn."""
    key = ("turning points", duty.id)
    if key not in standing.memo:
        standing.memo[key] = []
        due = deadline(standing, duty).at
        found = [due, due + INSTANT] if due is not None else []
        if duty.earliest:
            found.append(standing.read(duty.earliest).first)
        if duty.until:
            found.append(standing.read(duty.until).last + timedelta(seconds=1))
        standing.memo[key] = found
    points: list[datetime] = standing.memo[key]
    return points
