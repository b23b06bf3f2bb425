"""Moments as people write them: to the year, the month, the day or the instant.

A moment is kept as the first and the last instant that it may mean. For the question "was this known by then?" the last
one counts, so that nothing counts too early; for "had this begun?" both do.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_YEAR = re.compile(r"\d{4}", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_DURATION = re.compile(r"(\d{1,6})(min|h|d|w|mo|y)", re.ASCII)
_FORMS = "write 1962, 1962-11, 1962-11-03 or an instant with its offset such as 1962-11-03T20:44-05:00"
_LONGEST = 40
LONGEST_DURATION = timedelta(days=366_000)


class MomentError(ValueError):
    """A text that is not a moment; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as written (`text`), with the first and last instant (UTC) that it may mean."""

    text: str
    first: datetime
    last: datetime


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises MomentError where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MomentError(f"no time zone is called {name!r}; write an IANA name such as Europe/Vienna") from error


@lru_cache(maxsize=65536)
def moment(text: str, tz: ZoneInfo) -> Moment:
    """Read a moment. A bare day, month or year is read in `tz` and may be any instant in it.

    Raises MomentError for a form that is not known, a date that does not exist, and an instant without its offset.
    """
    if len(text) > _LONGEST:
        raise MomentError(f"too long for a date; {_FORMS}")
    try:
        if _INSTANT.fullmatch(text):
            at = datetime.fromisoformat(text).astimezone(UTC)
            return Moment(text, at, at)
        if _YEAR.fullmatch(text):
            year = int(text)
            return _span(text, datetime(year, 1, 1, tzinfo=tz), datetime(year, 12, 31, tzinfo=tz))
        if found := _MONTH.fullmatch(text):
            year, month = int(found[1]), int(found[2])
            start = datetime(year, month, 1, tzinfo=tz)
            end = (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            return _span(text, start, end)
        if found := _DAY.fullmatch(text):
            day = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=tz)
            return _span(text, day, day)
    except OverflowError as error:
        raise MomentError(f"{text!r} lies outside the calendar of the years 1 to 9999") from error
    except ValueError as error:
        raise MomentError(f"{text!r} is a date that does not exist; {_FORMS}") from error
    if "T" in text and re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*", text):
        raise MomentError(f"{text!r} does not say its offset from UTC; {_FORMS}")
    raise MomentError(f"{text!r} is not a date; {_FORMS}")


def _span(text: str, first_day: datetime, last_day: datetime) -> Moment:
    return Moment(text, first_day.astimezone(UTC), last_day.replace(hour=23, minute=59, second=59).astimezone(UTC))


def written(at: datetime, tz: ZoneInfo) -> str:
    """An instant in ISO 8601 with the offset of `tz`, to the second."""
    try:
        return at.astimezone(tz).isoformat(timespec="seconds")
    except OverflowError:
        return at.isoformat(timespec="seconds")


def duration(text: str) -> timedelta:
    """A length of time such as `7d`, `12h` or `2w` in elapsed time; months and years are taken as 30 and 365 days.

    For how long a look stays fresh; a date that something is due by goes by the calendar, see `span`.

    Raises MomentError for anything else.
    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise MomentError(f"{text!r} is not a length of time; write a number and min, h, d, w, mo or y")
    seconds = {"min": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 30 * 86400, "y": 365 * 86400}[found[2]]
    length = timedelta(seconds=int(found[1]) * seconds)
    if length > LONGEST_DURATION:
        raise MomentError(f"{text!r} is longer than {LONGEST_DURATION.days:,} days")
    return length


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time by the calendar: months (a year is twelve), whole days, and a rest in hours and minutes.

    A month from 31 January ends on the last day of February (clamped).
    """

    months: int = 0
    days: int = 0
    rest: timedelta = timedelta(0)

    def __add__(self, other: Span) -> Span:
        return Span(self.months + other.months, self.days + other.days, self.rest + other.rest)

    def after(self, at: datetime, tz: ZoneInfo) -> datetime:
        """The instant (UTC) this long after another, counted on the calendar of `tz`; held within the calendar."""
        return self._moved(at, tz, 1)

    def before(self, at: datetime, tz: ZoneInfo) -> datetime:
        """The instant (UTC) this long before another."""
        return self._moved(at, tz, -1)

    def _moved(self, at: datetime, tz: ZoneInfo, sign: int) -> datetime:
        if self.months or self.days:
            try:
                local = at.astimezone(tz)
            except OverflowError:
                return at
            number = local.year * 12 + local.month - 1 + sign * self.months
            if not 12 < number < 9999 * 12:
                return (datetime.max if sign > 0 else datetime.min).replace(tzinfo=UTC)
            year, month = number // 12, number % 12 + 1
            moved = local.replace(year=year, month=month, day=min(local.day, _days_in(year, month)))
            at = _in_utc(shifted(moved, timedelta(days=sign * self.days)).replace(fold=0))
        return shifted(at, sign * self.rest)

    def felt(self, at: datetime, tz: ZoneInfo) -> list[datetime]:
        """Instants among which are all those at which looking back this far begins or ceases to reach `at`."""
        found = [self.after(at, tz)]
        if self.months:
            # From each of the last days of a longer month one looks back to the same day of a shorter one.
            try:
                midnight = found[0].astimezone(tz).replace(hour=0, minute=0, second=0, microsecond=0)
            except OverflowError:
                return found
            for days in range(-1, 5):
                found += [shifted(found[0], timedelta(days=days)), _in_utc(shifted(midnight, timedelta(days=days)))]
        return found


def _in_utc(at: datetime) -> datetime:
    """An instant in UTC, held within the calendar."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return (datetime.max if at.year > 5000 else datetime.min).replace(tzinfo=UTC)


def _days_in(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def span(text: str) -> Span:
    """A length of time such as `7d`, `12h`, `2w`, `1mo` or `1y`. Raises MomentError for anything else."""
    duration(text)
    number, unit = int(text.rstrip("minhdwoy")), text.lstrip("0123456789")
    return {
        "min": Span(rest=timedelta(minutes=number)),
        "h": Span(rest=timedelta(hours=number)),
        "d": Span(days=number),
        "w": Span(days=7 * number),
        "mo": Span(months=number),
        "y": Span(months=12 * number),
    }[unit]


def shifted(at: datetime, by: timedelta) -> datetime:
    """An instant moved by a length of time, held within the calendar."""
    try:
        return at + by
    except OverflowError:
        return (datetime.min if by < timedelta(0) else datetime.max).replace(tzinfo=at.tzinfo)
