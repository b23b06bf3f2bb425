"""An evidence file in order: rows that only grow, and which of them are about what, kept up as rows are added.

One index serves the newest version of a file. Adding a row hands it to the new version, which shares every row with the
old one. The old version stays valid; asked again, it makes an index of its own.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar, overload

from tallybook.evidence.report import Bearing, Report

T = TypeVar("T")
D = TypeVar("D", bound="Derived")
MOST_KEPT = 4096
"""So many indexes derived from one file are kept; beyond that they are made anew."""


class Derived(Protocol):
    """Something worked out from the rows of a file that can take in one row more."""

    def add_report(self, position: int, report: Report) -> None:
        """Take in a report, which came at that position."""
        ...

    def add_bearing(self, bearing: Bearing, position: int, report: Report) -> None:
        """Take in a bearing on a report that is on file, which came at that position."""
        ...


class Rows(Sequence[T]):
    """The first `count` entries of a list that is shared, and only ever appended to."""

    def __init__(self, shared: list[T], count: int) -> None:
        self._shared, self._count = shared, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        if isinstance(at, slice):
            return self._shared[: self._count][at]
        if not -self._count <= at < self._count:
            raise IndexError(f"no row {at}: there are {self._count}")
        return self._shared[at % self._count]

    def __iter__(self) -> Iterator[T]:
        return (self._shared[n] for n in range(self._count))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def and_one(self, row: T) -> Rows[T]:
        """These and one more. Constant time, or a copy where somebody else has already added another."""
        shared = self._shared if len(self._shared) == self._count else self._shared[: self._count]
        shared.append(row)
        return Rows(shared, self._count + 1)


class Reports(Mapping[str, Report]):
    """Reports by id, in the order in which they came; shares its rows with the versions before and after it."""

    def __init__(self, rows: Rows[Report], positions: dict[str, int]) -> None:
        self.rows, self._positions = rows, positions

    @staticmethod
    def of(reports: Iterable[Report]) -> Reports:
        """From rows with ids of their own."""
        rows = list(reports)
        return Reports(Rows(rows, len(rows)), {report.id: n for n, report in enumerate(rows)})

    def __getitem__(self, name: str) -> Report:
        at = self._positions[name]
        if at >= len(self.rows):
            raise KeyError(name)
        return self.rows[at]

    def __contains__(self, name: object) -> bool:
        return self._positions.get(name, len(self.rows)) < len(self.rows)  # type: ignore[call-overload,no-any-return]

    def __iter__(self) -> Iterator[str]:
        return (report.id for report in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def position(self, name: str) -> int:
        """How many reports came before one of these. Raises KeyError where it is none of them."""
        return self._positions[self[name].id]

    def and_one(self, report: Report) -> Reports:
        """These and one more. Constant time, or a copy where another was added to these before."""
        rows = self.rows.and_one(report)
        if len(self._positions) > len(self.rows):
            return Reports.of(rows)
        self._positions[report.id] = len(self.rows)
        return Reports(rows, self._positions)


class KnownReports(Mapping[str, Report]):
    """The reports of a file that were known by an instant. Looking one up costs the same however many there are."""

    def __init__(self, reports: Mapping[str, Report], known: datetime) -> None:
        self._reports, self._known = reports, known

    def __getitem__(self, name: str) -> Report:
        report = self._reports[name]
        if report.known.last > self._known:
            raise KeyError(name)
        return report

    def __contains__(self, name: object) -> bool:
        report = self._reports.get(name)  # type: ignore[call-overload]
        return report is not None and report.known.last <= self._known

    def __iter__(self) -> Iterator[str]:
        return (report.id for report in self._reports.values() if report.known.last <= self._known)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class KnownBearings(Mapping[str, list[Bearing]]):
    """The bearings on each claim that were known by an instant, of reports known by then."""

    def __init__(self, index: Callable[[], Index], reports: Mapping[str, Report], known: datetime) -> None:
        self._index, self._reports, self._known = index, reports, known

    def __getitem__(self, claim: str) -> list[Bearing]:
        rows = self._index().bearings_on(claim)
        found = [b for b in rows if b.known.last <= self._known and b.report in self._reports]
        if not found:
            raise KeyError(claim)
        return found

    def __iter__(self) -> Iterator[str]:
        return (claim for claim in self._index().claims() if claim in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Index:
    """Which reports are of which item and measure, which bearings are on which claim, and what others derive from the rows."""

    def __init__(self, reports: Iterable[Report], bearings: Iterable[Bearing]) -> None:
        self.count = 0
        self.kept: dict[object, Derived] = {}
        self._by_item: dict[str, list[tuple[int, Report]]] = {}
        self._by_measure: dict[str, list[Report]] = {}
        self._by_claim: dict[str, list[Bearing]] = {}
        for report in reports:
            self._file(report)
        for rows in self._by_measure.values():
            rows.sort(key=_state_order)
        for bearing in bearings:
            self._by_claim.setdefault(bearing.claim, []).append(bearing)

    def _file(self, report: Report) -> None:
        self._by_item.setdefault(report.item, []).append((self.count, report))
        if report.table == "measures":
            self._by_measure.setdefault(report.measure, []).append(report)
        self.count += 1

    def add_report(self, report: Report) -> None:
        """Take in one report more."""
        position = self.count
        self._file(report)
        if report.table == "measures":
            insort(self._by_measure[report.measure], self._by_measure[report.measure].pop(), key=_state_order)
        for derived in self.kept.values():
            derived.add_report(position, report)

    def add_bearing(self, bearing: Bearing, position: int, report: Report) -> None:
        """Take in one bearing more."""
        self._by_claim.setdefault(bearing.claim, []).append(bearing)
        for derived in self.kept.values():
            derived.add_bearing(bearing, position, report)

    def derived(self, key: object, make: Callable[[], D]) -> D:
        """What was made under a key, or made now and kept up from here on. The same key must always mean the same thing."""
        if key not in self.kept:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            self.kept[key] = make()
        return self.kept[key]  # type: ignore[return-value]

    def claims(self) -> Iterable[str]:
        """Every claim that a bearing is on."""
        return self._by_claim

    def bearings_on(self, claim: str) -> Sequence[Bearing]:
        """Every bearing on a claim, in the order in which they came."""
        return self._by_claim.get(claim, ())

    def of_items(self, items: Iterable[str]) -> list[tuple[int, Report]]:
        """(position, report) of every report of one of some items, in the order in which they came."""
        return sorted((pair for item in items for pair in self._by_item.get(item, ())), key=lambda pair: pair[0])

    def of_measure(self, measure: str) -> Sequence[Report]:
        """Every state of a measure on file, by when it began."""
        return self._by_measure.get(measure, ())


def _state_order(report: Report) -> tuple[datetime, datetime, str]:
    return (report.starts.last, report.known.last, report.id)
