"""What a file is asked again and again of all its reports at once, kept up as reports come."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tallybook.core.time import shifted
from tallybook.evidence.report import Bearing, Report


class Edges:
    """The instants at which anything on file began or ended, each with the first time at which a report of it was known."""

    def __init__(self, reports: Iterable[Report]) -> None:
        self._known: dict[datetime, datetime] = {}
        for report in reports:
            self._note(report)
        self._sorted = sorted(self._known)
        self._last: tuple[datetime, datetime, list[datetime]] | None = None

    def _note(self, report: Report) -> list[datetime]:
        fresh = []
        for edge in {report.starts.last, report.ends.last}:
            before = self._known.get(edge)
            if before is None:
                fresh.append(edge)
            if before is None or report.known.last < before:
                self._known[edge] = report.known.last
        return fresh

    def add_report(self, position: int, report: Report) -> None:
        """Take in a report."""
        for edge in self._note(report):
            insort(self._sorted, edge)
        self._last = None

    def add_bearing(self, bearing: Bearing, position: int, report: Report) -> None:
        """A bearing adds no instant."""

    def up_to(self, on: datetime, known: datetime) -> list[datetime]:
        """Those up to `on` that a report known by `known` tells, in order."""
        # One question asks this several times.
        if self._last is None or self._last[:2] != (on, known):
            found = [edge for edge in self._sorted[: bisect_right(self._sorted, on)] if self._known[edge] <= known]
            self._last = (on, known, found)
        return list(self._last[2])


Span = tuple[datetime, datetime]


class Looks:
    """The times that reports by some methods tell of, by the place they name; of those that found something out.

    Reports of one place and one time are one look, known since the first of them was.
    """

    def __init__(self, methods: Iterable[str], reports: Iterable[Report]) -> None:
        self._methods = frozenset(methods)
        self._known: dict[str, dict[Span, datetime]] = {}
        # How long before its end a look was known, and how long it took, at most.
        self._ahead = self._long = timedelta(0)
        for report in reports:
            self._note(report)
        self._ends = {place: sorted((end, start) for start, end in looks) for place, looks in self._known.items()}

    def _note(self, report: Report) -> Span | None:
        """Take in a report; gives its time where no other report told of it before."""
        # A report without stage or number found nothing out: "not photographed" is no look.
        if report.method not in self._methods or not (report.stage or report.number is not None):
            return None
        looks, span, known = self._known.setdefault(report.place, {}), (report.starts.first, report.ends.last), report.known.last
        before = looks.get(span)
        if before is None or known < before:
            looks[span] = known
            self._ahead, self._long = max(self._ahead, span[1] - known), max(self._long, span[1] - span[0])
        return span if before is None else None

    def add_report(self, position: int, report: Report) -> None:
        """Take in a report."""
        if (span := self._note(report)) is not None:
            insort(self._ends.setdefault(report.place, []), (span[1], span[0]))

    def add_bearing(self, bearing: Bearing, position: int, report: Report) -> None:
        """A bearing is no look."""

    def named(self) -> Iterable[str]:
        """Every text by which a look names its place."""
        return self._known

    def unseen(self, named: Sequence[str], since: datetime, on: datetime, known: datetime, fresh: timedelta) -> list[Span]:
        """The times from `since` to `on` that no look at these places covers, as known by `known`.

        A look covers its own time and `fresh` after it. Each time runs from the end of a look (or `since`) to the next one
        (or `on`). Costs a few look-ups for each `fresh` that goes by, however many looks there are.
        """
        out, last = [], since
        while last < on:
            reach = shifted(last, fresh)
            further = max((self._furthest(place, last, min(reach, on), known) for place in named), default=last)
            if further > last:
                last = min(further, on)
                continue
            if reach >= on:
                break
            start = min((self._next(place, reach, on, known) for place in named), default=on)
            out.append((last, start))
            last = start
        return out

    def _furthest(self, place: str, last: datetime, begun: datetime, known: datetime) -> datetime:
        """The latest end, after `last`, of a look that began by `begun`; `last` where there is none."""
        ends, looks = self._ends[place], self._known[place]
        for n in range(bisect_right(ends, shifted(begun, self._long), key=_first) - 1, -1, -1):
            end, start = ends[n]
            if end <= last:
                break
            if start <= begun and looks[start, end] <= known:
                return end
        return last

    def _next(self, place: str, after: datetime, on: datetime, known: datetime) -> datetime:
        """The first beginning, after `after` and before `on`, of a look; `on` where there is none."""
        ends, looks, found = self._ends[place], self._known[place], on
        for n in range(bisect_right(ends, after, key=_first), len(ends)):
            end, start = ends[n]
            if shifted(end, -self._long) > found:
                break
            if after < start < found and looks[start, end] <= known:
                found = start
        return found

    def places(self, oldest: datetime, on: datetime, known: datetime) -> list[str]:
        """Places of looks known by `known` that ended no earlier than `oldest` and began by `on`."""
        found = []
        # What ends later than this was not known, or had not begun.
        latest = min(shifted(known, self._ahead), shifted(on, self._long))
        for place, ends in self._ends.items():
            looks = self._known[place]
            some = range(bisect_left(ends, oldest, key=_first), bisect_right(ends, latest, key=_first))
            if any(ends[n][1] <= on and looks[ends[n][1], ends[n][0]] <= known for n in some):
                found.append(place)
        return found


def _first(span: Span) -> datetime:
    return span[0]


class Largest:
    """Reports of some items by some methods (by any, if none is named) that give a number, the largest last."""

    def __init__(self, items: frozenset[str], methods: frozenset[str], reports: Iterable[Report]) -> None:
        self._items, self._methods = items, methods
        self._rows = sorted((r for r in reports if self._is_one(r)), key=_size)

    def _is_one(self, report: Report) -> bool:
        by = not self._methods or report.method in self._methods
        return report.number is not None and report.item in self._items and by

    def add_report(self, position: int, report: Report) -> None:
        """Take in a report."""
        if self._is_one(report):
            insort(self._rows, report, key=_size)

    def add_bearing(self, bearing: Bearing, position: int, report: Report) -> None:
        """A bearing changes no number."""

    def at(self, on: datetime, known: datetime) -> Report | None:
        """The one with the largest number of those known by `known` and of a time that ended by `on`; of equals, the newest."""
        return next((r for r in reversed(self._rows) if r.ends.last <= on and r.known.last <= known), None)


def _size(report: Report) -> tuple[float, datetime, str]:
    return (report.number or 0.0, report.known.last, report.id)
