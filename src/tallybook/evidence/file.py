"""The evidence file: every report, source, bearing, place and item of a case, and what of it was known when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from tallybook.evidence.report import Bearing, Item, Place, Report, Source


@dataclass(frozen=True)
class EvidenceFile:
    """Everything reported. Nothing in it changes; `as_known` is the view that an answer may use."""

    reports: Mapping[str, Report]
    sources: Mapping[str, Source]
    bearings: tuple[Bearing, ...]
    places: Mapping[str, Place]
    items: Mapping[str, Item]
    _members: dict[str, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)

    def as_known(self, known: datetime) -> View:
        """What was on file at `known`: reports and bearings whose known time had come by then."""
        reports = {r.id: r for r in self.reports.values() if r.known.last <= known}
        bearings: dict[str, list[Bearing]] = {}
        for bearing in self.bearings:
            if bearing.known.last <= known and bearing.report in reports:
                bearings.setdefault(bearing.claim, []).append(bearing)
        return View(self, known, reports, bearings)

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

    def bearing(self, claim: str) -> dict[str, Bearing]:
        """The latest bearing of each report on a claim, as known."""
        latest: dict[str, Bearing] = {}
        for bearing in sorted(self.bearings.get(claim, ()), key=lambda b: (b.known.last, b.line)):
            latest[bearing.report] = bearing
        return latest

    def of_measure(self, measure: str) -> list[Report]:
        """The states of a measure on record, oldest first."""
        rows: Iterable[Report] = (r for r in self.reports.values() if r.measure == measure and r.table == "measures")
        return sorted(rows, key=lambda r: (r.starts.last, r.known.last, r.id))
