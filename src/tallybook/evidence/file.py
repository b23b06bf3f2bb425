"""The evidence file: every report, source, bearing, place and item of a case, and what of it was known when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from tallybook.evidence.exhibit import Exhibit
from tallybook.evidence.index import Index, KnownBearings, KnownReports, Reports, Rows
from tallybook.evidence.report import Bearing, Item, Place, Report, Source
from tallybook.evidence.review import Reviews
from tallybook.evidence.tracks import Edges, Largest, Looks


@dataclass(frozen=True)
class EvidenceFile:
    """Everything reported. Nothing in it changes; `as_known` is the view that an answer may use.

    `with_report` and `with_bearing` give a file with one row more. It shares every row with the one before.
    """

    reports: Mapping[str, Report]
    sources: Mapping[str, Source]
    bearings: Sequence[Bearing]
    places: Mapping[str, Place]
    items: Mapping[str, Item]
    exhibits: Mapping[str, Exhibit] = field(default_factory=dict)
    reviews: Reviews = field(default_factory=lambda: Reviews(()))
    _members: dict[str, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)
    _index: list[Index] = field(default_factory=list, init=False, compare=False, repr=False)

    @property
    def index(self) -> Index:
        """The rows in order. Made when first asked for, in time proportional to them; a file with one row more takes it over."""
        if not self._index:
            self._index.append(Index(self.reports.values(), self.bearings))
        return self._index[0]

    def with_report(self, report: Report) -> EvidenceFile:
        """The file with one report more, which must have an id of its own. Raises ValueError where its id is taken.

        Costs what the report touches: a lookup, and a place in each index it belongs to. The first one copies the list of rows.
        """
        if report.id in self.reports:
            raise ValueError(f"report {report.id!r}: its id is taken; give each row its own")
        return self._successor(replace(self, reports=self._rows().and_one(report)), lambda index: index.add_report(report))

    def with_bearing(self, bearing: Bearing) -> EvidenceFile:
        """The file with one bearing more; costs as `with_report` does. Raises ValueError where its report is not on file."""
        if bearing.report not in self.reports:
            raise ValueError(f"bearing on {bearing.report!r}: no such report; add the report first")
        reports = self._rows()
        rows = self.bearings if isinstance(self.bearings, Rows) else Rows([*self.bearings], len(self.bearings))
        position, about = reports.position(bearing.report), reports[bearing.report]
        after = replace(self, reports=reports, bearings=rows.and_one(bearing))
        return self._successor(after, lambda index: index.add_bearing(bearing, position, about))

    def _rows(self) -> Reports:
        return self.reports if isinstance(self.reports, Reports) else Reports.of(self.reports.values())

    def _successor(self, after: EvidenceFile, add: Callable[[Index], None]) -> EvidenceFile:
        if self._index:
            index = self._index.pop()
            add(index)
            after.__dict__["_index"].append(index)
        if "_place_names" in self.__dict__:
            after.__dict__["_place_names"] = self._place_names
        return after

    @cached_property
    def _exhibits_of(self) -> dict[str, list[str]]:
        """Which exhibits name a report as resting on them."""
        found: dict[str, list[str]] = {}
        for exhibit in self.exhibits.values():
            for report in exhibit.reports:
                found.setdefault(report, []).append(exhibit.id)
        return found

    def exhibits_of(self, report: Report) -> list[Exhibit]:
        """The exhibits that a report rests on: those it names, then those whose own row names it."""
        if not self.exhibits:
            return []
        names = dict.fromkeys([*report.exhibits, *self._exhibits_of.get(report.id, ())])
        return [self.exhibits[name] for name in names if name in self.exhibits]

    def as_known(self, known: datetime) -> View:
        """What was on file at `known`: reports and bearings whose known time had come by then."""
        reports = KnownReports(self.reports, known)
        return View(self, known, reports, KnownBearings(lambda: self.index, reports, known))

    def members(self, item: str) -> frozenset[str]:
        """An item class and everything that it includes, directly or not."""
        if item not in self._members:
            found: set[str] = set()
            queue = [item]
            while queue:
                name = queue.pop()
                if name not in found:
                    found.add(name)
                    queue.extend(self.items[name].includes if name in self.items else ())
            self._members[item] = frozenset(found)
        return self._members[item]

    @cached_property
    def _place_names(self) -> dict[str, str]:
        return {
            name.strip().casefold(): place.id for place in self.places.values() for name in (place.id, place.name, *place.aliases)
        }

    def places_of(self, text: str) -> tuple[str, ...]:
        """The places that a report's `place` names: the whole text, else each part between semicolons."""
        whole = self._place_names.get(text.strip().casefold())
        if whole:
            return (whole,)
        parts = (self._place_names.get(part.strip().casefold()) for part in text.split(";"))
        return tuple(part for part in parts if part)

    def around(self, place: str) -> tuple[str, ...]:
        """A place and everything that contains it, innermost first."""
        chain: list[str] = []
        while place and place not in chain and place in self.places:
            chain.append(place)
            place = self.places[place].within
        return tuple(chain)


@dataclass(frozen=True, slots=True)
class View:
    """The evidence file as it stood at a known time."""

    file: EvidenceFile
    known: datetime
    reports: Mapping[str, Report]
    bearings: Mapping[str, list[Bearing]]

    @property
    def is_whole(self) -> bool:
        """Whether this is all that was known, and not what one side could know of it."""
        return isinstance(self.reports, KnownReports)

    def exhibits_of(self, report: Report) -> list[Exhibit]:
        """The exhibits that a report rests on, as known. What one side could know of ours is none of them."""
        if not self.is_whole:
            return []
        return [exhibit for exhibit in self.file.exhibits_of(report) if exhibit.known.last <= self.known]

    def bearing(self, claim: str) -> dict[str, Bearing]:
        """The latest bearing of each report on a claim, as known."""
        latest: dict[str, Bearing] = {}
        for bearing in sorted(self.bearings.get(claim, ()), key=lambda b: (b.known.last, b.line)):
            latest[bearing.report] = bearing
        return latest

    def of_measure(self, measure: str) -> list[Report]:
        """The states of a measure on record, oldest first."""
        return self._kept(self.file.index.of_measure(measure))

    def of_items(self, items: Iterable[str]) -> list[Report]:
        """The reports on file of one of some items, in the order of the rows."""
        return self._kept(report for _, report in self.file.index.of_items(items))

    def _kept(self, rows: Iterable[Report]) -> list[Report]:
        if self.is_whole:
            return [row for row in rows if row.known.last <= self.known]
        return [row for row in rows if row.id in self.reports]

    def largest(self, items: Iterable[str], methods: Iterable[str], on: datetime) -> Report | None:
        """The report of some items by some methods (any, if none is named) with the largest number, of a time ended by `on`."""
        names, by = frozenset(items), frozenset(methods)
        if not self.is_whole:
            return Largest(names, by, self.of_items(names)).at(on, self.known)
        index = self.file.index
        rows = index.derived(("largest", names, by), lambda: Largest(names, by, (r for _, r in index.of_items(names))))
        return rows.at(on, self.known)

    def instants(self, on: datetime) -> list[datetime]:
        """Every instant up to `on` at which something told by a report began or ended, in order."""
        if not self.is_whole:
            return Edges(self.reports.values()).up_to(on, self.known)
        index = self.file.index
        return index.derived("edges", lambda: Edges(self.file.reports.values())).up_to(on, self.known)

    def looks(self, methods: Iterable[str]) -> Looks:
        """The looks by some methods on file; what they are asked takes `known` again."""
        wanted, rows = tuple(methods), self.file.reports
        if not self.is_whole:
            return Looks(wanted, self.reports.values())
        return self.file.index.derived(("looks", wanted), lambda: Looks(wanted, rows.values()))
