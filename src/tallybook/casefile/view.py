"""A case as a reader may see it: another case, made of the files of the first, in which what they may not see is not there.

Everything that a reader gets is worked out from these files and from nothing else. So a verdict is what may honestly be said on
what they may see, and no count, line number, id or fault of it depends on what was held back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tallybook.agreement.yamltext import MARKING, read_yaml
from tallybook.agreement.yamlwrite import write_yaml
from tallybook.casefile import exhibit_tables, marking_acts
from tallybook.casefile.exhibits import ENDINGS
from tallybook.casefile.files import Files, UnreadableFileError
from tallybook.casefile.identities import FILE as IDENTITIES
from tallybook.casefile.identities import IDENTITY
from tallybook.casefile.marked import (
    BEARINGS,
    OBSERVERS,
    PLACES,
    SOURCES,
    WITH_ENTRIES,
    Marked,
    Raw,
    Rights,
    Table,
)
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.policy import Reader, reduced
from tallybook.errors import TallybookError
from tallybook.evidence import seal
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.safe_cells import table_text
from tallybook.markings.marking import Marking, join_all

PROTECTED = "a protected source"
"""What stands for the title of a source that a reader may not see."""
SEALS = "reports/seals.csv"

_REPORTS = tuple(f"reports/{name}.csv" for name in ingest.TABLES)
_COLUMNS: dict[str, tuple[str, ...]] = {
    PLACES: ingest.PLACES,
    SOURCES: ingest.SOURCES,
    BEARINGS: ingest.BEARINGS,
    marking_acts.FILE: marking_acts.COLUMNS,
    IDENTITIES: IDENTITY,
    SEALS: seal.COLUMNS,
    **{f"reports/{name}.csv": tuple(columns) for name, (columns, _) in ingest.TABLES.items()},
    **{name: required for name, (required, _) in exhibit_tables.COLUMNS.items()},
}
_ON_REPORT = {BEARINGS: "report", exhibit_tables.REVIEWS: "report"}
"""Tables whose rows are about one report, and are nothing to who may not see it."""


_EXHIBIT = re.compile(r"exhibits/([0-9a-f]{64})\.([a-z0-9]{1,5})", re.ASCII)


class NothingToShowError(TallybookError):
    """A case of which a reader may see nothing."""


def columns_of(name: str) -> tuple[str, ...]:
    """The columns that a table must have; none for one that is not known."""
    return tuple(_COLUMNS.get(name, ()))


class Seen:
    """The files of a case as one reader may see them (the protocol `Files`). Raises NothingToShowError where that is nothing."""

    def __init__(self, files: Files, rights: Rights, reader: Reader) -> None:
        self._files, self.reader = files, reader
        self._marked = Marked(files, rights)
        self._policy = rights.policy
        self._exhibits: set[str] = set()
        self._made: dict[str, bytes] = {}
        self._markings: dict[str, Marking] = {}
        self._passed: set[str] = set()
        self._take_tables()
        self._take_files()
        if "agreement.yaml" not in self._made:
            do = "ask whoever keeps it: they see what you may read with `tallybook check --as`"
            raise NothingToShowError(f"nothing that {reader.name} may read", where=files.place, do=do)
        self._made[POLICY] = write_yaml(reduced(self._policy, self._markings))

    @property
    def place(self) -> str:
        """What to call the case in a message."""
        return self._files.place

    def is_there(self) -> bool:
        """Whether there is anything at all."""
        return True

    def names(self) -> list[str]:
        """The names of all files that the reader gets, in order."""
        return sorted({*self._made, *self._passed})

    def has(self, name: str) -> bool:
        """Whether the reader gets such a file."""
        return name in self._made or name in self._passed

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        return any(other.startswith(f"{name}/") for other in self.names())

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises UnreadableFileError for one that the reader does not get."""
        if name in self._made:
            return self._made[name]
        if name not in self._passed:
            do = "add it; `tallybook new` shows what a case holds"
            raise UnreadableFileError("file missing", where=name, do=do)
        return self._files.read(name)

    def listing(self, folder: str) -> Sequence[str]:
        """The names of the files in a folder."""
        return [name for name in self.names() if name.rpartition("/")[0] == folder]

    def markings(self) -> Mapping[str, Marking]:
        """The marking of each file that is given whole."""
        return self._markings

    def opens_text(self, text: str) -> bool:
        """Whether the reader may know of something that was marked so; a blank tells nothing."""
        return not text.strip() or self._opens(self._policy.effective(text))

    def _opens(self, marking: Marking) -> bool:
        return self.reader.clearance.opens(marking)

    def _take_tables(self) -> None:
        """Every table without the rows that are above the reader, and without what names such a row."""
        kept = self._without_forms({name: self._kept(name, table) for name, table in self._marked.tables.items()})
        reports = {row["id"].strip() for name in _REPORTS for row in kept.get(name, ()) if row.get("id")}
        for name, column in _ON_REPORT.items():
            kept[name] = [row for row in kept.get(name, ()) if row.get(column, "").strip() in reports]
        exhibits = kept.get(exhibit_tables.EXHIBITS, [])
        shown = {row.get("id", "").strip() for row in exhibits}
        # One file under two rows is shown to who may see both.
        above = {row.get("sha256", "").strip() for row in self._above(exhibits)}
        self._exhibits = {row.get("sha256", "").strip() for row in exhibits} - above
        kept[exhibit_tables.CUSTODY] = [
            row for row in kept.get(exhibit_tables.CUSTODY, ()) if row.get("exhibit", "").strip() in shown
        ]
        kept[BEARINGS] = [_only(row, "restates", reports, " ") for row in kept[BEARINGS]]
        kept[exhibit_tables.EXHIBITS] = [_only(row, "reports", reports, "; ") for row in exhibits]
        for name in _REPORTS:
            kept[name] = [_only(row, "exhibits", shown, "; ") for row in kept.get(name, ())]
        # A seal is held against the rows that were counted: a reader who does not get them all gets none of it.
        kept[SEALS] = [row for row in kept.get(SEALS, ()) if reports.issuperset(row.get("rows", "").replace(";", " ").split())]
        places = {row.get("id", "").strip() for row in kept.get(PLACES, ())}
        kept[PLACES] = [_only(row, "within", places, " ") for row in kept.get(PLACES, ())]
        kept[SOURCES] = [*kept.get(SOURCES, ()), *self._stubs(kept)]
        sources = {row.get("source_id", "").strip() for row in kept[SOURCES]}
        kept[IDENTITIES] = [row for row in kept.get(IDENTITIES, ()) if row.get("source_id", "").strip() in sources]
        # The acts on markings have been applied, and tell of what they are about.
        kept.pop(marking_acts.FILE, None)
        for name, rows in kept.items():
            # Whether an optional table is there must not tell that all its rows are held back.
            if rows or name in (*_REPORTS, PLACES, SOURCES, BEARINGS):
                self._made[name] = _written(name, rows)

    def _above(self, shown: Sequence[Raw]) -> list[Raw]:
        """The rows of exhibits that the reader does not get."""
        table = self._marked.tables.get(exhibit_tables.EXHIBITS, Table())
        ids = {row.get("id", "").strip() for row in shown}
        return [row for row in table.rows if row.get("id", "").strip() not in ids]

    def _kept(self, name: str, table: Table) -> list[Raw]:
        out = []
        for row in table.rows:
            marking = self._marked.of_row(name, row)
            if self._opens(marking):
                out.append(row | {MARKING: self._policy.banner(marking)})
        return out

    def _without_forms(self, kept: dict[str, list[Raw]]) -> dict[str, list[Raw]]:
        """Without the released forms of what the reader sees itself: one thing told twice is not two."""
        forms = self._marked.forms
        if not forms:
            return kept
        there = {row.get("id", "").strip() for rows in kept.values() for row in rows}
        twice = {act.new_record for act in self._marked.rights.acts.acts if act.new_record in forms and act.record in there}
        return {name: [row for row in rows if row.get("id", "").strip() not in twice] for name, rows in kept.items()}

    def _stubs(self, kept: Mapping[str, list[Raw]]) -> list[Raw]:
        """A row for each source that is cited by what the reader sees, and is not there for them."""
        there = {row.get("source_id", "").strip() for row in kept.get(SOURCES, ())}
        cited: dict[str, Raw] = {}
        for name in (*_REPORTS, exhibit_tables.EXHIBITS):
            for row in kept.get(name, ()):
                source = row.get("source_id", "").strip()
                if source and source not in there and source not in cited:
                    cited[source] = {"source_id": source, "title": PROTECTED, MARKING: row[MARKING]}
        return [cited[name] for name in sorted(cited)]

    def _take_files(self) -> None:
        for name in WITH_ENTRIES:
            if name != OBSERVERS and self._files.has(name) and self._opens(marking := self._marked.of_file(name)):
                self._take_entries(name, marking)
        for folder in ("sources", "cables"):
            for name in self._files.listing(folder):
                if not name.rpartition("/")[2].startswith("."):
                    self._pass(name)
        for name in self._files.listing("exhibits"):
            match = _EXHIBIT.fullmatch(name)
            if match and match[1] in self._exhibits and match[2] in ENDINGS:
                said = self._marked.of_exhibit(name)
                if said is None or self._opens(said):
                    self._passed.add(name)
        for pattern, _ in self._policy.files:
            if "/" not in pattern and pattern not in (*WITH_ENTRIES, POLICY, PLACES) and self._files.has(pattern):
                self._pass(pattern)

    def _pass(self, name: str) -> None:
        marking = self._marked.of_file(name)
        if self._opens(marking):
            self._passed.add(name)
            self._markings[name] = marking

    def _take_entries(self, name: str, marking: Marking) -> None:
        try:
            data = read_yaml(self._files.read(name), name).data
        except UnreadableFileError:
            return
        if not isinstance(data, dict):
            return
        used = [marking]
        self._made[name] = write_yaml({key: self._entries(value, used) for key, value in data.items() if key != MARKING})
        self._markings[name] = join_all(used)

    def _entries(self, group: Any, used: list[Marking]) -> Any:
        """A group of entries without those above the reader; the markings of those that are left are added to `used`.

        A group that has a marking itself, where none is read, is withheld.
        """
        if isinstance(group, dict):
            if MARKING in group and not isinstance(group[MARKING], dict):
                return {}
            return {key: entry for key, entry in group.items() if self._shows(entry, used)}
        if isinstance(group, list):
            return [entry for entry in group if self._shows(entry, used)]
        return group

    def _shows(self, entry: Any, used: list[Marking]) -> bool:
        marking = self._marked.of_entry(entry)
        if marking is None:
            return True
        if self._opens(marking):
            used.append(marking)
            return True
        return False


def _only(row: Raw, column: str, names: set[str], between: str) -> Raw:
    """A row whose list in a column names nothing that is not there."""
    text = row.get(column, "")
    if not text.strip():
        return row
    found = [name.strip() for name in text.replace(";", " ").split()]
    shown = [name for name in found if name in names]
    return row if len(shown) == len(found) else row | {column: between.join(shown)}


def _written(name: str, rows: Sequence[Raw]) -> bytes:
    """A table with the columns that its rows call for, in an order that does not depend on rows that are not shown."""
    required = _COLUMNS.get(name, ())
    used = {column for row in rows for column, value in row.items() if value.strip()}
    more = sorted(used - {*required, MARKING})
    columns = [*required, *more] if MARKING in required else [*required, *more, MARKING]
    narrow = [{column: row.get(column, "") for column in columns} for row in rows]
    return table_text(columns, narrow).encode("utf-8", errors="surrogateescape")
