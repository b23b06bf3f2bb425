"""observers.yaml: the classes of observers of a case, read, and every row of their sources held against them.

The form of the file is read by `observers_form`. Here it is held against the case: what it names must be there, and no row or
exhibit may say what the class of its source does not allow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from tallybook.agreement.quotation import reading_text
from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.exhibit_tables import EXHIBITS
from tallybook.casefile.files import Files, UnreadableFileError
from tallybook.casefile.marked import PLACES, SOURCES, Raw, read_loosely
from tallybook.casefile.observers_form import FILE, read_classes
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.policy import read_policy
from tallybook.errors import Fault
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.observer_class import SOURCE, Ground, ObserverClass, gaps, numbering_faults, row_faults
from tallybook.evidence.review import same_person

_OF_SOURCES = frozenset((*ingest.TABLES, "exhibits"))
"""Tables whose rows come from a source; in sources.csv the column names the source itself."""
MOST_FAULTS = 1_000
MOST_GAPS = 20
"""So many gaps in the numbering of a table are told."""


@dataclass(slots=True)
class Held:
    """What came of holding something against the classes of a case."""

    classes: Sequence[ObserverClass] = ()
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Named:
    """What a class may rest on: provisions by their ids, and source texts as read."""

    provisions: Collection[str]
    texts: Mapping[str, str]


def check_observers(files: Files, tz: ZoneInfo, named: Named | None = None) -> Held:
    """Read the classes and hold every row of their sources against them. Nothing where the case has no observers.yaml.

    `named` is what the file is held against; None where the agreement could not be read. Never raises for what is in the files.
    """
    if not files.has(FILE):
        return Held()
    held = classes_of(files, tz)
    readers = _readers(files)
    for kind in held.classes:
        held.faults += _why_faults(kind, named) if named is not None else []
        held.faults += _reader_faults(kind, readers)
    known = {row.get(SOURCE, "").strip() for _, row in _rows(files, SOURCES)}
    for kind in held.classes:
        for source in kind.sources:
            if source not in known:
                what = f"{kind.name}: no source {source} on file, so nothing is held against the class"
                held.notes.append(
                    Fault(FILE, kind.line, f"classes.{kind.name}.sources", what, "add the source, or correct the id")
                )
    places = place_kinds(files) if held.classes else {}
    grounds = {kind.name: kind.ground(tz, places) for kind in held.classes}
    for table in ingest.TABLES:
        _check_table(files, table, held, grounds)
    _check_exhibits(files, held)
    return held


def classes_of(files: Files, tz: ZoneInfo) -> Held:
    """The classes of a case, and the faults of observers.yaml; none where it has no such file."""
    if not files.has(FILE):
        return Held()
    try:
        classes, faults = read_classes(files.read(FILE), tz)
    except UnreadableFileError as error:
        return Held(faults=[Fault(FILE, 0, "", error.what, error.do)])
    return Held(classes, faults)


def place_kinds(files: Files) -> dict[str, str]:
    """The kind of each place (site, port, zone) by its name as places.csv has it."""
    return {row.get("name", "").strip(): row.get("kind", "").strip() for _, row in _rows(files, PLACES) if row.get("name")}


def _rows(files: Files, name: str) -> list[tuple[int, Raw]]:
    """The rows of a table with their lines, blanks and all; none where there is no such table, or it cannot be read."""
    try:
        table = read_loosely(files.read(name)) if files.has(name) else None
    except UnreadableFileError:
        table = None
    return list(zip(table.lines, table.rows, strict=True)) if table is not None else []


def _check_table(files: Files, table: str, held: Held, grounds: Mapping[str, Ground]) -> None:
    file = f"reports/{table}.csv"
    rows = _rows(files, file)
    # A marking is the desk's, and markings.yaml says which there are; without that file it would be any text.
    aside = (MARKING,) if files.has(POLICY) else ()
    for kind in held.classes:
        own = [(line, row) for line, row in rows if row.get(SOURCE, "").strip() in kind.sources]
        for line, row in own:
            if len(held.faults) > MOST_FAULTS:
                held.faults.append(Fault(file, line, "", f"over {MOST_FAULTS:,} faults", "correct these first"))
                return
            held.faults += row_faults(kind, table, file, line, row, grounds[kind.name], aside)
        if table in kind.tables and len(own) > kind.most_rows:
            what = f"{kind.name} may file {kind.most_rows} rows of {table}, and there are {len(own)}"
            held.faults.append(Fault(file, own[kind.most_rows][0], "", what, "leave out what is over, or widen the class"))
        for missing in gaps(kind, table, (row.get("id", "") for _, row in own))[:MOST_GAPS]:
            what = f"{kind.name}: there is no {missing}"
            held.notes.append(Fault(file, 0, "id", what, "a row was withdrawn; or the numbers were chosen, and may be a message"))


def _check_exhibits(files: Files, held: Held) -> None:
    """No exhibit is of a source of a class, and none says that a row of a class rests on it."""
    if not held.classes or not files.has(EXHIBITS):
        return
    by_source = {source: kind for kind in held.classes for source in kind.sources}
    of_row = {
        row.get("id", "").strip(): by_source[row[SOURCE].strip()]
        for table in ingest.TABLES
        for _, row in _rows(files, f"reports/{table}.csv")
        if row.get(SOURCE, "").strip() in by_source
    }
    for line, row in _rows(files, EXHIBITS):
        if (kind := by_source.get(row.get(SOURCE, "").strip())) is not None:
            held.faults.append(_exhibit_fault(kind, line, SOURCE, f"{kind.name} may not file exhibits"))
        for name in row.get("reports", "").replace(";", " ").split():
            if name in of_row:
                kind = of_row[name]
                held.faults.append(_exhibit_fault(kind, line, "reports", f"{name} is of {kind.name}, and may rest on no exhibit"))


def _exhibit_fault(kind: ObserverClass, line: int, column: str, what: str) -> Fault:
    return Fault(EXHIBITS, line, column, what, f"only rows of {', '.join(kind.tables)}, without photographs or documents")


def _why_faults(kind: ObserverClass, named: Named) -> list[Fault]:
    where = f"classes.{kind.name}.why"
    if kind.why.startswith("@"):
        if kind.why[1:] in named.provisions:
            return []
        return [Fault(FILE, kind.line, where, f"no provision {kind.why}", "name one of agreement.yaml, or quote a source")]
    words = reading_text(kind.why)
    if any(words in text for text in named.texts.values()):
        return []
    do = "quote the words that call for the class exactly, or name a provision as @id"
    return [Fault(FILE, kind.line, where, "in no source, word for word", do)]


def _readers(files: Files) -> Collection[str] | None:
    """The readers that markings.yaml lists; None where there is no such list to hold names against."""
    try:
        policy = read_policy(files.read(POLICY))[0] if files.has(POLICY) else None
    except UnreadableFileError:
        policy = None
    return policy.readers if policy is not None else None


def _reader_faults(kind: ObserverClass, readers: Collection[str] | None) -> list[Fault]:
    if readers is None:
        return []
    where = f"classes.{kind.name}.readers"
    return [
        Fault(FILE, kind.line, where, f"no reader {reader!r} in markings.yaml", "add the reader, or correct the name")
        for reader in kind.readers
        if reader not in readers
    ]


def classes_of_reader(files: Files, tz: ZoneInfo, author: str) -> list[ObserverClass]:
    """The classes that somebody who files is a reader of."""
    return _of_reader(classes_of(files, tz).classes, author)


def _of_reader(classes: Sequence[ObserverClass], author: str) -> list[ObserverClass]:
    return [kind for kind in classes if any(same_person(reader, author) for reader in kind.readers)]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A table that comes in: the file that its faults name, its rows with their lines, the lines that came with a position."""

    table: str
    file: str
    rows: Sequence[tuple[int, Mapping[str, str]]]
    positions: Collection[int] = ()


def door_faults(
    files: Files, tz: ZoneInfo, author: str, tables: Iterable[Incoming], order: Mapping[str, Sequence[str]]
) -> list[Fault]:
    """What keeps rows out, of a file that comes in, before anything of it is looked at: empty where nothing does.

    `files` is the case on file, `author` who files, `order` the columns of each table in their order. A row of a class's
    source, or one that corrects such a row, is held against the class; so is whatever a reader of a class files.
    """
    held = classes_of(files, tz)
    if held.faults or not held.classes:
        return held.faults
    own = _of_reader(held.classes, author)
    places = place_kinds(files)
    faults: list[Fault] = []
    for incoming in tables:
        standing = {row.get("id", "").strip(): row for _, row in _rows(files, f"reports/{incoming.table}.csv")}
        mine: dict[str, list[tuple[int, str]]] = {}
        for line, row in incoming.rows:
            if len(faults) > MOST_FAULTS:
                return [
                    *sorted(set(faults)),
                    Fault(incoming.file, line, "", f"over {MOST_FAULTS:,} faults", "correct these first"),
                ]
            before = standing.get(row.get("id", "").strip(), {})
            for kind in _kinds_of(held.classes, own, incoming.table, row, before):
                faults += _incoming_faults(kind, incoming, line, row, before, kind.ground(tz, places), kind in own)
                mine.setdefault(kind.name, []).append((line, row.get("id", "")))
        for kind in held.classes:
            faults += numbering_faults(kind, incoming.table, incoming.file, mine.get(kind.name, ()), standing)
        if mine and (wrong := _out_of_order(incoming, order.get(incoming.table, ()))):
            faults.append(wrong)
    return sorted(set(faults))


def _kinds_of(
    classes: Sequence[ObserverClass],
    own: Sequence[ObserverClass],
    table: str,
    row: Mapping[str, str],
    before: Mapping[str, str],
) -> list[ObserverClass]:
    """The classes that a row is held against: of its source, of the source of the row it corrects, and of whoever files it."""
    sources = {row.get(SOURCE, before.get(SOURCE, "")).strip(), before.get(SOURCE, "").strip()} if table in _OF_SOURCES else set()
    found = [kind for kind in classes if sources.intersection(kind.sources)]
    return found if not own or any(kind in own for kind in found) else [*found, own[0]]


def _incoming_faults(
    kind: ObserverClass,
    incoming: Incoming,
    line: int,
    row: Mapping[str, str],
    before: Mapping[str, str],
    ground: Ground,
    is_own: bool,
) -> list[Fault]:
    """What is wrong with a row that comes in; `is_own` where a reader of the class files it, and not the desk."""
    file = incoming.file
    whole = {**before, **row} if incoming.table in kind.tables else row
    # A marking is the desk's, and only the desk puts it on.
    aside = () if is_own and row.get(MARKING, "") else (MARKING,)
    faults = row_faults(kind, incoming.table, file, line, whole, ground, aside)
    if incoming.table not in kind.tables:
        return faults
    if not whole.get(SOURCE, ""):
        what = f"{kind.name}: a row without a source"
        faults.append(Fault(file, line, SOURCE, what, f"only {' or '.join(kind.sources)}"))
    elif before and before.get(SOURCE, "").strip() not in kind.sources:
        what = f"{kind.name} may not take the place of a row of another source"
        faults.append(Fault(file, line, "id", what, "number the rows after the last on file"))
    elif is_own and any(text != before.get(column, "") for column, text in row.items() if before):
        # Each correction would be one more message, and of those there is no end.
        faults.append(Fault(file, line, "id", f"{kind.name} may not change a row on file", "tell the desk, which corrects it"))
    if line in incoming.positions:
        what = f"{kind.name} may not send a position with a row"
        faults.append(Fault(file, line, "geometry", what, "send the rows without geometry; a place is named in its column"))
    return faults


def _out_of_order(incoming: Incoming, order: Sequence[str]) -> Fault | None:
    """Columns in an order of one's own: it would say something, and nobody would see it in the table."""
    place = {column: n for n, column in enumerate(order)}
    for line, row in incoming.rows:
        found = [place[column] for column in row if column in place]
        if found != sorted(found):
            return Fault(
                incoming.file, line, "", "the columns stand in an order of their own", f"in this order: {', '.join(order)}"
            )
    return None
