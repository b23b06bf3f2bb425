"""The door: bytes of any known format in, rows of text by table out; either all of them, or none and every fault.

The format is told by the name of the file and held against its first bytes. Nothing is guessed, repaired or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tallybook.errors import Fault
from tallybook.evidence.ingest.archive import unpacked
from tallybook.evidence.ingest.excel import read_excel
from tallybook.evidence.ingest.extras import MissingExtraError
from tallybook.evidence.ingest.gather import Columns, Gathering, StopReadingError
from tallybook.evidence.ingest.geojson import read_geojson
from tallybook.evidence.ingest.json_rows import read_json, read_json_lines
from tallybook.evidence.ingest.limits import DEFAULT, Limits
from tallybook.evidence.ingest.lookalike import name_warnings
from tallybook.evidence.ingest.parquet import read_parquet
from tallybook.evidence.ingest.rows import ANY_TABLE, TABLES
from tallybook.evidence.ingest.table import Row, read_table
from tallybook.evidence.ingest.told import told
from tallybook.evidence.ingest.xml_rows import read_xml

Reader = Callable[[Gathering, str, str, bytes], None]

OPTIONAL: Mapping[str, Sequence[str]] = dict.fromkeys(TABLES, ANY_TABLE)
"""The columns that a table may have besides those it must have."""

_MAGIC = (
    (b"PK\x03\x04", "a zip or a workbook"),
    (b"PK\x05\x06", "an empty zip"),
    (b"PAR1", "Parquet"),
    (b"\xd0\xcf\x11\xe0", "an old or a password-protected Office file"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "rar"),
    (b"%PDF", "a PDF"),
)
_OTHER_ARCHIVES = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")


@dataclass(frozen=True, slots=True)
class Brought:
    """What came in by one file.

    `rows`: the rows of each table, in the order of the file; empty where there are `faults`. `Row.line` is the line of the
    file (CSV, JSON Lines, XML), the row of the sheet (xlsx) or the number of the record (JSON, GeoJSON, Parquet).
    `files`: for each table, the file it came from, as its faults name it. `points`: latitude and longitude in degrees by
    table and line, of GeoJSON points whose table has no columns for them. `warnings`: what a person should look at.
    """

    rows: dict[str, list[Row]]
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    points: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)


def read_rows(
    raw: bytes,
    name: str,
    columns: Mapping[str, Sequence[str]],
    limits: Limits = DEFAULT,
    optional: Mapping[str, Sequence[str]] = OPTIONAL,
) -> Brought:
    """Read a file. `columns`: the columns that each table must have, by the name of the table.

    A file of one table is named after it (`observations.csv`), or has any name where only one table is asked for. Never
    raises for what the bytes hold: whatever is wrong is a fault with file, line and column.
    """
    into = Gathering({table: Columns(tuple(must), tuple(optional.get(table, ()))) for table, must in columns.items()}, limits)
    files: dict[str, str] = {}
    try:
        shown = _shown(name)
        if _suffix(name) == ".zip":
            _zip(into, shown, raw, files)
        else:
            _one(into, shown, name, raw, files)
    except StopReadingError:
        pass
    if not into.faults and not into.rows:
        into.faults.append(Fault(_shown(name), 0, "", "no table in it", f"the tables are: {', '.join(columns)}"))
    warnings: list[Fault] = []
    if not into.faults:
        for table, rows in into.rows.items():
            wrong, doubtful = name_warnings(files[table], rows, limits.faults)
            into.faults += wrong
            warnings += doubtful
    if into.faults:
        return Brought({}, tuple(sorted(set(into.faults))), tuple(warnings))
    return Brought(into.rows, (), tuple(warnings), files, into.points)


def _shown(name: str) -> str:
    """The name of the file as faults give it."""
    return name if name.isprintable() and len(name) <= 200 else told(name, 200)


def _suffix(name: str) -> str:
    base = name.rpartition("/")[2]
    return f".{base.rpartition('.')[2]}".lower() if "." in base else ""


def _stem(name: str) -> str:
    base = name.rpartition("/")[2]
    return base.rpartition(".")[0] if "." in base else base


def _zip(into: Gathering, file: str, raw: bytes, files: dict[str, str]) -> None:
    _check_bytes(into, file, ".zip", raw)
    for name, content in unpacked(into, file, raw, into.limits.members):
        inner = f"{file}/{_shown(name)}"
        if _suffix(name) == ".zip" or _suffix(name) in _OTHER_ARCHIVES:
            raise into.stop(inner, 0, "an archive within an archive", "zip the files themselves")
        _one(into, inner, name, content, files)


def _one(into: Gathering, file: str, name: str, raw: bytes, files: dict[str, str]) -> None:
    """Read a file that is no zip."""
    suffix, before = _suffix(name), set(into.rows)
    reader = READERS.get(suffix)
    if suffix in _OTHER_ARCHIVES or raw[257:262] == b"ustar":
        raise into.stop(file, 0, "an archive that is not a zip", "send the files in a zip")
    if reader is None:
        kinds = ", ".join([*READERS, ".zip"])
        raise into.stop(file, 0, f"files of the kind {told(suffix)} are not read", f"the kinds are: {kinds}")
    _check_bytes(into, file, suffix, raw)
    try:
        reader(into, file, _stem(name), raw)
    except MissingExtraError as error:
        raise into.stop(file, 0, error.what, error.do) from error
    files.update(dict.fromkeys(set(into.rows) - before, file))


def _check_bytes(into: Gathering, file: str, suffix: str, raw: bytes) -> None:
    """Hold the size and the first bytes of a file against its kind. Raises StopReadingError."""
    if len(raw) > into.limits.bytes:
        raise into.stop(file, 0, f"larger than {into.limits.bytes:,} bytes", "split it")
    if not raw:
        raise into.stop(file, 0, "empty", "send a file with rows in it")
    due = {".zip": b"PK\x03\x04", ".xlsx": b"PK\x03\x04", ".parquet": b"PAR1"}.get(suffix)
    found = next((what for mark, what in _MAGIC if raw.startswith(mark)), "something else")
    if (due is None and found != "something else") or (due is not None and not raw.startswith(due)):
        raise into.stop(file, 0, f"named {suffix}, but it is {found}", "give it the right name, or save it in that format")


def _csv(into: Gathering, file: str, stem: str, raw: bytes) -> None:
    table = into.table_of(file, [stem])
    into.begin(file, table)
    columns = into.tables[table]
    if raw.count(b",") > 4 * into.limits.cells:
        raise into.stop(file, 0, f"over {into.limits.cells:,} fields", "split it")
    rows, faults = read_table(raw, file, columns.required, columns.optional, into.limits.rows)
    for fault in faults:
        into.fault(fault.file, fault.line, fault.field, fault.what, fault.do)
    for row in rows:
        into.add(file, table, row.line, row.fields)


READERS: Mapping[str, Reader] = {
    ".csv": _csv,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".geojson": read_geojson,
    ".xml": read_xml,
    ".xlsx": read_excel,
    ".parquet": read_parquet,
}
"""What reads each kind of file, by the end of its name."""
