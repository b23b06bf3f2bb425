"""From a folder to a case, or to every fault in it at once. Nothing is repaired, dropped or half read."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from tallybook.agreement.check import check_agreement
from tallybook.agreement.load import FILE as AGREEMENT
from tallybook.agreement.load import Loaded, load_agreement
from tallybook.agreement.quotation import reading_text
from tallybook.agreement.yamltext import MARKING, decoded
from tallybook.casefile import exhibit_tables, identities, marking_acts
from tallybook.casefile.case_markings import case_markings, released_forms
from tallybook.casefile.exhibit_tables import Extras
from tallybook.casefile.files import Files, Folder, UnreadableFileError
from tallybook.casefile.holdings import FILE as HOLDINGS
from tallybook.casefile.holdings import read_holdings
from tallybook.casefile.items import FILE as ITEMS
from tallybook.casefile.items import read_items
from tallybook.casefile.observers import Named, check_observers
from tallybook.casefile.seals import read_seals
from tallybook.core.time import MomentError, zone
from tallybook.errors import Fault
from tallybook.evidence.exhibit import Exhibit
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.table import Row, read_table
from tallybook.evidence.report import Bearing, Item, Place, Report, Source
from tallybook.evidence.review import Review, Reviews
from tallybook.holdings.plan import Plan
from tallybook.verdicts.account_faults import account_faults
from tallybook.verdicts.inquiry import Case

PLACES = "places.csv"
SOURCES = "reports/sources.csv"
BEARINGS = "reports/bearings.csv"
LARGEST_SOURCE = 20_000_000


@dataclass(slots=True)
class CaseRead:
    """What reading a folder gave: the case (None where it has faults), the faults, and notes on what has no effect."""

    case: Case | None
    faults: list[Fault]
    notes: list[Fault] = field(default_factory=list)


def read_case(case: Path | Files) -> CaseRead:
    """Read a case from its folder, or from other files. Never raises for what is in it: every fault is in the result."""
    return _Reader(Folder(case) if isinstance(case, Path) else case).read()


@dataclass(slots=True)
class _Filed:
    """Everything in the tables under reports/."""

    reports: dict[str, Report]
    sources: dict[str, Source]
    bearings: list[Bearing]
    exhibits: dict[str, Exhibit]
    reviews: list[Review]


class _Anything:
    """A list that is not settled: everything may be in it."""

    def __contains__(self, name: object) -> bool:
        return True


_ANY = _Anything()


class _Reader:
    def __init__(self, files: Files) -> None:
        self.files = files
        self.faults: list[Fault] = []
        self.notes: list[Fault] = []
        self.unread: set[str] = set()

    def read(self) -> CaseRead:
        if not self.files.is_there():
            missing = Fault(self.files.place, 0, "", "no such folder", "give the folder of a case; `tallybook new` makes one")
            return CaseRead(None, [missing])
        raw = self._bytes(AGREEMENT)
        loaded = load_agreement(raw) if raw is not None else None
        if loaded:
            self.faults += loaded.faults
        items = self._items()
        places = self._places()
        filed = self._reports(loaded, items)
        texts = self._texts(loaded)
        plans = self._plans(loaded, items, places)
        markings = case_markings(self.files, self.faults, self.notes)
        self._counts(loaded, texts)
        if loaded and loaded.agreement:
            self.faults += check_agreement(loaded, texts, self._settled(items, ITEMS), self._settled(places, PLACES))
            if not any(f"reports/{name}.csv" in self.unread for name in ingest.TABLES):
                self._check_records(loaded, filed.reports)
        if self.faults or loaded is None or loaded.agreement is None:
            return CaseRead(None, sorted(set(self.faults)), self.notes)
        bearings, reviews = tuple(filed.bearings), Reviews(filed.reviews)
        evidence = EvidenceFile(filed.reports, filed.sources, bearings, places, items, filed.exhibits, reviews)
        self._note_places(evidence)
        name = loaded.agreement.case or loaded.agreement.agreement
        case = Case(name, loaded.agreement, loaded.base, evidence, texts, plans, markings=markings)
        faults = account_faults(case)
        return CaseRead(None if faults else case, faults, self.notes)

    def _bytes(self, name: str) -> bytes | None:
        self.unread.add(name)
        try:
            raw = self.files.read(name)
        except UnreadableFileError as error:
            self.faults.append(Fault(name, 0, "", error.what, error.do))
            return None
        self.unread.discard(name)
        return raw

    def _plans(self, loaded: Loaded | None, items: Mapping[str, Item], places: Mapping[str, Place]) -> dict[str, Plan]:
        """The plans of accounts, where the case has any."""
        if not self.files.has(HOLDINGS) or loaded is None or loaded.agreement is None:
            return {}
        raw = self._bytes(HOLDINGS)
        if raw is None:
            return {}
        words, tz = loaded.agreement.vocabulary, loaded.agreement.time_zone
        known = (self._settled(items, ITEMS), words.methods, words.stages, self._settled(places, PLACES))
        plans, faults = read_holdings(raw, *known, tz)
        self.faults += faults
        return plans

    def _settled(self, names: Container[str], file: str) -> Container[object]:
        """A list, or anything at all where the file that holds it could not be read: one fault is told once."""
        return _ANY if file in self.unread else cast("Container[object]", names)

    def _items(self) -> dict[str, Item]:
        raw = self._bytes(ITEMS)
        if raw is None:
            return {}
        items, faults = read_items(raw)
        self.faults += faults
        if faults and not items:
            self.unread.add(ITEMS)
        return items

    def _table(self, name: str, columns: Any, optional: Sequence[str] = ()) -> list[Row]:
        raw = self._bytes(name)
        if raw is None:
            return []
        rows, faults = read_table(raw, name, columns, (*optional, MARKING))
        self.faults += faults
        if faults:
            self.unread.add(name)
        return rows

    def _lists(self, loaded: Loaded | None, items: Mapping[str, Item]) -> ingest.Lists:
        """The case's closed lists; while agreement.yaml has faults of form, only what needs none of them is checked."""
        agreement = loaded.agreement if loaded else None
        if agreement is None:
            return ingest.Lists(ZoneInfo("UTC"), _ANY, _ANY, _ANY, {}, self._settled(items, ITEMS), _ANY, unsettled=True)
        try:
            tz = zone(agreement.time_zone)
        except MomentError:
            tz = ZoneInfo("UTC")
        return ingest.Lists(
            tz,
            agreement.vocabulary.methods,
            agreement.vocabulary.stages,
            agreement.vocabulary.incidents,
            {name: m.states for name, m in agreement.measures.items()},
            self._settled(items, ITEMS),
            [c.id for c in agreement.claims],
            agreement.weighing.second_reader,
        )

    def _places(self) -> dict[str, Place]:
        reading = ingest.Reading(PLACES, ingest.Lists(ZoneInfo("UTC"), (), (), (), {}, (), ()))
        places: dict[str, Place] = {}
        names: dict[str, str] = {}
        table = self._table(PLACES, ingest.PLACES)
        for row in table:
            place = ingest.place(reading, row)
            for name in {place.id.casefold(), place.name.casefold(), *(a.casefold() for a in place.aliases)}:
                if names.setdefault(name, place.id) != place.id or place.id in places:
                    what = f"{name!r} is already a name of {names[name]}"
                    reading.fault(row, "name", what, "give each place its own names")
            places[place.id] = place
        for row in table:
            if row["within"] and row["within"] not in places:
                reading.fault(row, "within", f"no place {row['within']!r}", "add it, or correct the id")
            elif self._goes_round(row["id"], places):
                reading.fault(row, "within", f"{row['id']} lies within itself", "correct `within`")
        self.faults += reading.faults
        return places

    @staticmethod
    def _goes_round(start: str, places: Mapping[str, Place]) -> bool:
        seen, at = {start}, places[start].within
        while at in places:
            if at in seen:
                return True
            seen.add(at)
            at = places[at].within
        return False

    def _reports(self, loaded: Loaded | None, items: Mapping[str, Item]) -> _Filed:
        tables = {
            name: self._table(f"reports/{name}.csv", columns, (*ingest.ANY_TABLE, *ingest.MORE_COLUMNS.get(name, ())))
            for name, (columns, _) in ingest.TABLES.items()
        }
        source_rows, bearing_rows = self._table(SOURCES, ingest.SOURCES), self._table(BEARINGS, ingest.BEARINGS)
        more = {n: self._table(n, *c) if self.files.has(n) else [] for n, c in exhibit_tables.COLUMNS.items()}
        tables, bearing_rows, more = self._each_once(tables, bearing_rows, more)
        self._who_sources_are(source_rows)
        extras = Extras(more, frozenset(self.unread))
        lists = self._lists(loaded, items)
        lists.reviews = extras.reviewers()
        # A review may stand in for a second reader: while none can be read, none is asked for.
        lists.second_reader &= exhibit_tables.REVIEWS not in self.unread
        sources = self._unique(SOURCES, source_rows, lists, ingest.source)
        cited = self._settled({row["source_id"] for row in source_rows}, SOURCES)
        reports: dict[str, Report] = {}
        for name, rows in tables.items():
            file = f"reports/{name}.csv"
            made = self._unique(file, rows, lists, ingest.TABLES[name][1], reports)
            for report in made.values():
                if report.source not in cited:
                    what = f"cites the source {report.source!r}, which is not in {SOURCES}"
                    self.faults.append(Fault(file, report.line, "source_id", what, "add the source, or correct the id"))
            reports |= made
        # A row that is there and faulty is told once, and not again by those who name it.
        unread = any(f"reports/{name}.csv" in self.unread for name in tables)
        ids = {row["id"] for rows in tables.values() for row in rows}
        there = _ANY if unread else cast("Container[object]", ids)
        bearings = self._bearings(bearing_rows, lists, there)
        exhibits = extras.exhibits(lists, there, cited)
        extras.named_by_reports(reports.values())
        reviews = extras.reviews(lists, reports, bearings, there)
        self.faults += extras.faults
        return _Filed(reports, sources, bearings, exhibits, reviews)

    def _each_once(
        self, tables: dict[str, list[Row]], bearings: list[Row], more: dict[str, list[Row]]
    ) -> tuple[dict[str, list[Row]], list[Row], dict[str, list[Row]]]:
        """The rows without released forms of what is there itself: one thing told twice is not two pieces of evidence."""
        if self.files.has(marking_acts.FILE):
            self._table(marking_acts.FILE, marking_acts.COLUMNS, (marking_acts.OPENINGS,))
        twice = released_forms(self.files)
        if not twice:
            return tables, bearings, more
        kept = {name: [row for row in rows if row["id"] not in twice] for name, rows in tables.items()}
        also = {
            name: [row for row in rows if row["report"] not in twice and row["id"] not in twice] for name, rows in more.items()
        }
        return kept, [row for row in bearings if row["report"] not in twice], also

    def _who_sources_are(self, sources: Sequence[Row]) -> None:
        """Identities are of sources that are there, one each."""
        if not self.files.has(identities.FILE):
            return
        rows = self._table(identities.FILE, identities.IDENTITY)
        if SOURCES not in self.unread:
            self.faults += identities.identity_faults(rows, {row["source_id"] for row in sources})

    def _unique(
        self,
        file: str,
        rows: list[Row],
        lists: ingest.Lists,
        make: Callable[[ingest.Reading, Row], Any],
        taken: Mapping[str, Report] | None = None,
    ) -> dict[str, Any]:
        reading = ingest.Reading(file, lists)
        made: dict[str, Any] = {}
        first: dict[str, int] = {}
        column = "source_id" if file == SOURCES else "id"
        for row in rows:
            thing = make(reading, row)
            if thing is None:
                continue
            if thing.id in first:
                reading.fault(row, column, f"id {thing.id!r} twice (first on line {first[thing.id]})", "give each its own")
            elif taken and thing.id in taken:
                where = f"reports/{taken[thing.id].table}.csv:{taken[thing.id].line}"
                reading.fault(row, column, f"id {thing.id!r} is taken ({where})", "give each row its own id")
            first.setdefault(thing.id, row.line)
            made.setdefault(thing.id, thing)
        self.faults += reading.faults
        return made

    def _bearings(self, rows: list[Row], lists: ingest.Lists, there: Container[object]) -> list[Bearing]:
        reading = ingest.Reading(BEARINGS, lists)
        bearings = []
        seen: dict[tuple[str, str, str], int] = {}
        for row in rows:
            bearing = ingest.bearing(reading, row)
            if row["report"] not in there:
                reading.fault(row, "report", f"no report {row['report']!r}", "correct the id, or add the report")
            for other in row["restates"].replace(";", " ").split():
                if other not in there:
                    reading.fault(row, "restates", f"no report {other!r}", "correct the id, or add the report")
            key = (row["report"], row["claim"], row["known_at"])
            if key in seen:
                what = f"a second reading of {row['report']} for {row['claim']} (first on line {seen[key]})"
                reading.fault(row, "report", what, "keep one, or give the later one its own known_at")
            seen.setdefault(key, row.line)
            if bearing is not None:
                bearings.append(bearing)
        self.faults += reading.faults
        return bearings

    def _texts(self, loaded: Loaded | None) -> dict[str, str]:
        texts: dict[str, str] = {}
        if loaded is None or loaded.agreement is None:
            return texts
        for name, instrument in loaded.agreement.instruments.items():
            if not instrument.file:
                continue
            path = Path(instrument.file)
            line = loaded.document.line_of(("instruments", name, "file"))
            there = self.files.has(instrument.file) and not self.files.is_folder(instrument.file)
            if path.is_absolute() or ".." in path.parts or not there:
                what = f"no file {instrument.file!r} in the case"
                self.faults.append(Fault(AGREEMENT, line, f"instruments.{name}.file", what, "put the text under sources/"))
                continue
            raw = self._bytes(instrument.file)
            if raw is not None and len(raw) > LARGEST_SOURCE:
                what = f"larger than {LARGEST_SOURCE:,} bytes"
                self.faults.append(Fault(instrument.file, 0, "", what, "keep the pages that are quoted"))
            elif raw is not None and (text := decoded(raw, instrument.file, self.faults)) is not None:
                texts[name] = reading_text(text)
        return texts

    def _counts(self, loaded: Loaded | None, texts: Mapping[str, str]) -> None:
        """Rows of observers of a class, and sealed counts, held against what they may be."""
        tz = self._lists(loaded, {}).tz
        agreement = loaded.agreement if loaded else None
        named = Named({provision.id for provision in agreement.provisions}, texts) if agreement else None
        observers, seals = check_observers(self.files, tz, named), read_seals(self.files, tz)
        self.faults += [*observers.faults, *seals.faults]
        self.notes += [*observers.notes, *seals.notes]

    def _check_records(self, loaded: Loaded, reports: Mapping[str, Report]) -> None:
        """A change or fact whose record is not on file has no effect: said, not hidden, and no fault of form."""
        assert loaded.agreement is not None
        groups: tuple[tuple[str, Any], ...] = (("changes", loaded.agreement.changes), ("facts", loaded.agreement.facts))
        for group, entries in groups:
            for n, entry in enumerate(entries):
                missing = [row for row in entry.recorded_by if row not in reports]
                if missing:
                    line = loaded.document.line_of((group, n, "recorded_by"))
                    name = getattr(entry, "address", None) or entry.atom
                    what = f"{name} rests on {', '.join(missing)}, which is not on file, so it has no effect"
                    self.notes.append(Fault(AGREEMENT, line, f"{group}.{n}.recorded_by", what, "add the row, or correct the id"))
        for name, instrument in loaded.agreement.instruments.items():
            missing = [row for row in instrument.recorded_by if row not in reports]
            if missing:
                line = loaded.document.line_of(("instruments", name, "recorded_by"))
                what = f"{name} is described by {', '.join(missing)}, which is not on file"
                where = f"instruments.{name}.recorded_by"
                self.notes.append(Fault(AGREEMENT, line, where, what, "add the row, or correct the id"))

    def _note_places(self, evidence: EvidenceFile) -> None:
        unknown: dict[str, Report] = {}
        for report in evidence.reports.values():
            if report.place and not evidence.places_of(report.place):
                unknown.setdefault(report.place, report)
        for name, report in unknown.items():
            file = f"reports/{report.table}.csv"
            self.notes.append(
                Fault(file, report.line, "place", f"{name!r} is not in {PLACES}", "add it, so that it counts as looked at")
            )
