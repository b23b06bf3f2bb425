"""A case as a reader may see it: another case, made of the files of the first, in which what they may not see is not there.

Everything that a reader gets is worked out from these files and from nothing else. So a verdict is what may honestly be said on
what they may see, and no count, line number, id or fault of it depends on what was held back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tallybook.agreement.yamltext import MARKING, read_yaml
from tallybook.agreement.yamlwrite import write_yaml
from tallybook.casefile import exhibit_tables, marking_acts
from tallybook.casefile.files import Files, UnreadableFileError
from tallybook.casefile.filing import is_table, subject_of
from tallybook.casefile.identities import FILE as IDENTITIES
from tallybook.casefile.identities import IDENTITY
from tallybook.casefile.marking_acts import MarkingActs, read_acts
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.policy import Policy, Reader, read_policy, reduced
from tallybook.errors import Fault, TallybookError
from tallybook.evidence import seal
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.safe_cells import opened, table_text
from tallybook.markings.marking import TOP, Marking, MarkingError
from tallybook.markings.rules import marking_faults as forbidden

PROTECTED = "a protected source"
"""What stands for the title of a source that a reader may not see."""
PLACES, SOURCES, BEARINGS = "places.csv", "reports/sources.csv", "reports/bearings.csv"
OBSERVERS = "observers.yaml"
"""It holds for the desk that files. In a view, whose places and rows are fewer, rows would not fit it that do."""
SEALS = "reports/seals.csv"
WITH_ENTRIES = ("agreement.yaml", "items.yaml", "holdings.yaml", "looks.yaml", OBSERVERS)
"""Files of groups of entries; an entry may have a `marking`."""
FOLDERS = ("sources", "reports", "exhibits", "cables")
MOST_BYTES = 256_000_000

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

Raw = dict[str, str]


class NothingToShowError(TallybookError):
    """A case of which a reader may see nothing."""


@dataclass(slots=True)
class Table:
    """A table as rows of text. `torn` counts rows of another length than the header: whose they are cannot be told."""

    columns: tuple[str, ...] = ()
    rows: list[Raw] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    torn: int = 0


def read_loosely(raw: bytes) -> Table:
    """A table row by row, whatever its cells hold: one faulty row must not change what is shown of the others.

    A table that cannot be told apart into rows is empty.
    """
    if len(raw) > MOST_BYTES:
        return Table()
    text = raw.decode("utf-8", errors="surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    out = Table()
    try:
        for record in reader:
            if not out.columns:
                out.columns = tuple(name.strip() for name in record)
            elif len(record) != len(out.columns):
                out.torn += 1
            else:
                out.rows.append(dict(zip(out.columns, map(opened, record), strict=True)))
                out.lines.append(reader.line_num)
    except csv.Error:
        return Table()
    return out if len(set(out.columns)) == len(out.columns) else Table()


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may read what of a case: its markings.yaml, and the acts on markings that are on file."""

    policy: Policy
    acts: MarkingActs


def rights_of(files: Files) -> Rights:
    """The rights that hold in a case. Raises MarkingError where it has none, and where they have faults: then nobody reads."""
    if not files.has(POLICY):
        do = f"write {POLICY}: the scheme, and who may read (docs/how-to/markings.md)"
        raise MarkingError(f"nothing in this case is marked: it has no {POLICY}", where="--as", do=do)
    try:
        policy, _ = read_policy(files.read(POLICY))
    except UnreadableFileError:
        policy = None
    if policy is None:
        do = "whoever keeps the case sees them with tallybook check"
        raise MarkingError(f"{POLICY} has faults, so nobody is given anything", where="--as", do=do)
    acts = _read(files, marking_acts.FILE) if files.has(marking_acts.FILE) else Table()
    return Rights(policy, read_acts(zip(acts.lines, acts.rows, strict=True)))


def _read(files: Files, name: str) -> Table:
    try:
        return read_loosely(files.read(name))
    except UnreadableFileError:
        return Table()


class Marked:
    """The tables and files of a case, each with the marking that holds for it now."""

    def __init__(self, files: Files, rights: Rights) -> None:
        self.files, self.rights = files, rights
        self.tables = {name: _read(files, name) for name in table_names(files)}
        self._agencies = {row.get("source_id", "").strip(): row.get("author_agency", "").strip() for row in self._rows(SOURCES)}
        self._known: dict[str, Marking] = {}

    def _rows(self, name: str) -> list[Raw]:
        return self.tables[name].rows if name in self.tables else []

    def of_row(self, name: str, row: Raw) -> Marking:
        """The marking of a row of a table."""
        subject, policy = subject_of(name, row), self.rights.policy
        text = row.get(MARKING, "").strip()
        names = [subject, subject.partition(".csv/")[2]]
        told = policy.of_row(names, row.get("source_id", "").strip()) if not text and (policy.rows or policy.sources) else None
        if told is not None:
            found = told
        else:
            # An identity is never covered by what was ruled of rows in general.
            found = TOP if not text and name in (IDENTITIES, marking_acts.FILE) else self._effective(text)
        if not self.rights.acts.acts:
            return found
        short = row.get("source_id" if name == SOURCES else "id", "").strip()
        return self.rights.acts.effective(self.rights.policy, [n for n in (subject, short) if n], found, self.originator(row))

    def originator(self, row: Raw) -> str:
        """The organisation that a row is from: its own, or its source's; blank where that is not said."""
        return row.get("author_agency", "").strip() or self._agencies.get(row.get("source_id", "").strip(), "")

    def _effective(self, text: str) -> Marking:
        if text not in self._known:
            self._known[text] = self.rights.policy.effective(text)
        return self._known[text]

    def of_file(self, name: str) -> Marking:
        """The marking of a whole file."""
        return self.rights.acts.effective(self.rights.policy, [name], self.rights.policy.of_file(name))

    def of_entry(self, entry: Any) -> Marking | None:
        """The marking of an entry of a YAML file; None where it has none of its own and is as its file is."""
        text = entry.get(MARKING) if isinstance(entry, dict) else None
        if text is None:
            return None
        return self._effective(text.strip()) if isinstance(text, str) and text.strip() else TOP


def columns_of(name: str) -> tuple[str, ...]:
    """The columns that a table must have; none for one that is not known."""
    return tuple(_COLUMNS.get(name, ()))


def table_names(files: Files) -> list[str]:
    """The tables that a case has."""
    names = [name for name in files.listing("reports") if is_table(name)]
    return [*([PLACES] if files.has(PLACES) else []), *names]


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
        self._exhibits = {row.get("sha256", "").strip() for row in exhibits}
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

    def _kept(self, name: str, table: Table) -> list[Raw]:
        out = []
        for row in table.rows:
            marking = self._marked.of_row(name, row)
            if self._opens(marking):
                out.append(row | {MARKING: self._policy.banner(marking)})
        return out

    def _without_forms(self, kept: dict[str, list[Raw]]) -> dict[str, list[Raw]]:
        """Without the released forms of what the reader sees itself: one thing told twice is not two."""
        acts = self._marked.rights.acts
        if not any(act.act == "release" for act in acts.acts):
            return kept
        twice = marking_acts.copies(acts, (row.get("id", "").strip() for rows in kept.values() for row in rows))
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
                self._pass(name)
        for name in self._files.listing("exhibits"):
            if name.rpartition("/")[2].partition(".")[0] in self._exhibits:
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
        self._made[name] = write_yaml({key: self._entries(value) for key, value in data.items()})
        self._markings[name] = marking

    def _entries(self, group: Any) -> Any:
        """A group of entries without those above the reader. What is marked otherwise than at its head is above everybody."""
        if isinstance(group, dict):
            return {key: entry for key, entry in group.items() if self._shows(entry)}
        if isinstance(group, list):
            return [entry for entry in group if self._shows(entry)]
        return group

    def _shows(self, entry: Any) -> bool:
        marking = self._marked.of_entry(entry)
        return marking is None or self._opens(marking)


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


def wrong_with(policy: Policy, text: str) -> list[tuple[str, str]]:
    """What is wrong with the text of a marking, and what to do: it is none, or its scheme forbids what it puts together."""
    try:
        marking = policy.marking(text)
    except MarkingError as error:
        return [(error.what, error.do)]
    told = [what for scheme in policy.schemes.values() for what in forbidden(marking, scheme)] if text.strip() else []
    return [(what, "correct it; docs/reference/markings.md has the rules of each scheme") for what in told]


def marking_faults(files: Files, rights: Rights) -> list[Fault]:
    """Every row and entry whose marking is none, every row that cannot be told apart, and every act without effect."""
    marked = Marked(files, replace(rights, acts=MarkingActs(rights.acts.acts)))
    faults: list[Fault] = []
    for name, table in marked.tables.items():
        for line, row in zip(table.lines, table.rows, strict=True):
            marked.of_row(name, row)
            faults += [Fault(name, line, MARKING, what, do) for what, do in wrong_with(rights.policy, row.get(MARKING, ""))]
    return [*faults, *dict.fromkeys(marked.rights.acts.faults)]
