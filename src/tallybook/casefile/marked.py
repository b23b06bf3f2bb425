"""The tables and files of a case, each row and entry with the marking that holds for it now."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.files import Files, UnreadableFileError
from tallybook.casefile.filing import is_table, subject_of
from tallybook.casefile.identities import FILE as IDENTITIES
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.marking_acts import MarkingAct, MarkingActs, read_acts
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.policy import Policy, read_policy
from tallybook.errors import Fault
from tallybook.evidence.ingest.rows import TABLES
from tallybook.evidence.ingest.safe_cells import opened
from tallybook.markings.marking import TOP, Marking, MarkingError, join
from tallybook.markings.rules import marking_faults as forbidden

PLACES, SOURCES, BEARINGS = "places.csv", "reports/sources.csv", "reports/bearings.csv"
OBSERVERS = "observers.yaml"
"""It holds for the desk that files. In a view, whose places and rows are fewer, rows would not fit it that do."""
WITH_ENTRIES = ("agreement.yaml", "items.yaml", "holdings.yaml", "looks.yaml", OBSERVERS)
"""Files of groups of entries; an entry may have a `marking`."""
MOST_BYTES = 256_000_000

_BY_ID = frozenset((SOURCES, "reports/exhibits.csv", *(f"reports/{name}.csv" for name in TABLES)))

Raw = dict[str, str]


@dataclass(slots=True)
class Table:
    """A table as rows of text, without those of another length than the header: whose they are cannot be told."""

    columns: tuple[str, ...] = ()
    rows: list[Raw] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def read_loosely(raw: bytes) -> Table:
    """A table row by row, whatever its cells hold: one faulty row must not change what is shown of the others.

    A table that cannot be told apart into rows is empty.
    """
    if len(raw) > MOST_BYTES or raw.startswith(_MARKS):
        return Table()
    text = raw.decode("utf-8", errors="surrogateescape")
    # One huge cell must not take the whole table with it.
    before = csv.field_size_limit(MOST_BYTES)
    try:
        return _rows_of(text)
    finally:
        csv.field_size_limit(before)


_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def _rows_of(text: str) -> Table:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    out = Table()
    try:
        for record in reader:
            if not out.columns:
                out.columns = tuple(name.strip() for name in record)
            elif len(record) == len(out.columns):
                out.rows.append(dict(zip(out.columns, map(opened, record), strict=True)))
                out.lines.append(reader.line_num)
    except csv.Error:
        return Table()
    # A column that was meant to mark its rows and is not called so leaves none of them to be shown.
    odd = any(column != MARKING and column.casefold() == MARKING for column in out.columns)
    return Table() if odd or len(set(out.columns)) != len(out.columns) else out


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
    acts = _read(files, ACTS) if files.has(ACTS) else Table()
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
        self._wholes: dict[str, Marking | None] = {}

    def _rows(self, name: str) -> list[Raw]:
        return self.tables[name].rows if name in self.tables else []

    def of_row(self, name: str, row: Raw) -> Marking:
        """The marking of a row of a table: its own, or what markings.yaml says of it, and what holds for the whole table."""
        names = self.names(name, row)
        found = self._recorded(name, row, names)
        if self.rights.acts.acts:
            found = self.rights.acts.effective(self.rights.policy, names, found, self.originator(row))
        whole = self._whole(name)
        return found if whole is None else join(found, whole)

    def names(self, name: str, row: Raw) -> list[str]:
        """By what a row may be named: its table and id; a report, an exhibit and a source also by the id alone.

        Whether another row is called so too plays no part: it may be one that is not shown.
        """
        subject = subject_of(name, row)
        return [subject, subject.partition(".csv/")[2]] if name in _BY_ID else [subject]

    def _recorded(self, name: str, row: Raw, names: list[str]) -> Marking:
        policy = self.rights.policy
        text = row.get(MARKING, "").strip()
        # Neither an identity nor an act is covered by what is ruled of rows, or of sources, in general.
        if name in (IDENTITIES, ACTS):
            return self._effective(text) if text else TOP
        if not text and (policy.rows or policy.sources):
            told = policy.of_row(names, row.get("source_id", "").strip())
            if told is not None:
                return told
        return self._effective(text)

    def _whole(self, name: str) -> Marking | None:
        """What is said of a whole table or exhibit by its name; None where nothing is."""
        if name not in self._wholes:
            policy, acts = self.rights.policy, self.rights.acts
            said = policy.named_file(name)
            if said is None and acts.is_about(name):
                said = policy.unmarked
            self._wholes[name] = None if said is None else acts.effective(policy, [name], said)
        return self._wholes[name]

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

    def of_exhibit(self, name: str) -> Marking | None:
        """What is said of the file of an exhibit by its name, besides what its row says; None where nothing is."""
        return self._whole(name)

    def of_entry(self, entry: Any) -> Marking | None:
        """The marking of an entry of a YAML file; None where it has none of its own and is as its file is.

        A marking deeper within it, where none is read, withholds the whole entry.
        """
        if not isinstance(entry, dict):
            return TOP if _has_marking(entry) else None
        if any(_has_marking(value) for value in entry.values()):
            return TOP
        if MARKING not in entry:
            return None
        text = entry[MARKING]
        return self._effective(text.strip()) if isinstance(text, str) and text.strip() else TOP

    @cached_property
    def forms(self) -> frozenset[str]:
        """The records that are released forms of others that are there too, by acts that hold: one thing told twice."""
        if not any(act.act == "release" for act in self.rights.acts.acts):
            return frozenset()
        tables = {row.get("id", "").strip(): name for name, table in self.tables.items() for row in table.rows}
        for name, row in self.every_row():
            self.of_row(name, row)
        void = {fault.line for fault in self.rights.acts.faults}
        return frozenset(
            act.new_record
            for act in self.rights.acts.acts
            if act.act == "release"
            and act.line not in void
            and act.record != act.new_record
            and act.record in tables
            and tables.get(act.record) == tables.get(act.new_record)
        )

    def every_row(self) -> Iterator[tuple[str, Raw]]:
        """Every row of every table, with the name of its table."""
        for name, table in self.tables.items():
            for row in table.rows:
                yield name, row


def table_names(files: Files) -> list[str]:
    """The tables that a case has."""
    names = [name for name in files.listing("reports") if is_table(name)]
    return [*([PLACES] if files.has(PLACES) else []), *names]


def _has_marking(value: Any) -> bool:
    if isinstance(value, dict):
        return MARKING in value or any(_has_marking(one) for one in value.values())
    return isinstance(value, list) and any(_has_marking(one) for one in value)


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
    faults += [fault for act in rights.acts.acts if (fault := _no_record(marked, act)) is not None]
    return [*faults, *dict.fromkeys(marked.rights.acts.faults)]


def _no_record(marked: Marked, act: MarkingAct) -> Fault | None:
    """What is wrong where an act is about nothing, or about an id that several rows have."""
    rows = [subject_of(name, row) for name, row in marked.every_row() if act.record in marked.names(name, row)]
    if len(rows) == 1 or marked.files.has(act.record):
        return None
    what = f"no record {act.record!r}" if not rows else f"{', '.join(rows[:3])} are all called {act.record!r}"
    return Fault(ACTS, act.line, "record", what, "name one: its id, its table and id, or the name of a file")
