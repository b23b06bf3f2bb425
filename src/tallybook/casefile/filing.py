"""A case folder as things to file, and things on file as the files of a case: the two faces of one thing.

Every row of a table is filed by itself, under the file and what names the row; every other file is filed whole, by its hash. So a
changed row is a correction of that row, and a file that comes in twice adds nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.files import UnreadableFileError
from tallybook.core.plaintext import NotPlainTextError, plain_text
from tallybook.core.time import Moment, moment
from tallybook.errors import TallybookError
from tallybook.evidence.ingest.safe_cells import opened, table_text
from tallybook.ledger.asof import Books
from tallybook.ledger.entry import Entry, canonical_json, instant_text

BY_CONTENT = instant_text(datetime.min.replace(tzinfo=UTC))
"""The known time of what tells its own times (an agreement) or has none (a place): it stands for every known time."""
MOST_ROWS = 1_000_000

_KEYS = {
    "reports/sources.csv": ("source_id",),
    "reports/bearings.csv": ("report", "claim", "known_at"),
    "reports/custody.csv": ("exhibit", "held_by", "from"),
}
_KINDS = {
    "places.csv": "place",
    "reports/sources.csv": "source",
    "reports/bearings.csv": "bearing",
    "reports/exhibits.csv": "exhibit",
    "reports/custody.csv": "custody",
    "reports/reviews.csv": "review",
    "reports/seals.csv": "seal",
}
_KNOWN = ("reported_at", "known_at", "made_at")
_FROM = ("observed_from", "from", "date", "date_counted", "departure_date", "refers_to", "made_at")
_TO = ("observed_to", "to", "date", "date_counted", "departure_date", "refers_to", "made_at")
_TIMELESS = ("places.csv", "reports/sources.csv")
_NO_END = ("reports/commitments.csv",)
"""Tables whose `to` is the one spoken to, and no time."""


class TableError(TallybookError):
    """A table that cannot be filed row by row."""


@dataclass(frozen=True)
class Thing:
    """Something to file: what it is about, and what it says. `data` are the bytes of a whole file; times are texts."""

    kind: str
    subject: str
    content: Mapping[str, object]
    known: str = BY_CONTENT
    valid: tuple[str | None, str | None] = (None, None)
    data: bytes | None = None
    marking: str = ""

    @cached_property
    def body(self) -> bytes:
        """What is filed, as RFC 8785 JSON."""
        return canonical_json(self.content)


def is_table(name: str) -> bool:
    """Whether a file of a case is filed row by row."""
    return name == "places.csv" or (name.startswith("reports/") and name.endswith(".csv"))


def kind_of(name: str) -> str:
    """What a row of a table is."""
    return _KINDS.get(name, "report")


def subject_of(name: str, row: Mapping[str, str]) -> str:
    """By what a row is filed: its file, and what names it there."""
    keys = _KEYS.get(name, ("id",))
    return f"{name}/{'/'.join(row.get(key, '').strip() for key in keys)}"


def read_raw_table(name: str, raw: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and the rows of a table, blanks and all. Raises TableError for one that is ragged, or has a column twice."""
    try:
        records = list(csv.reader(io.StringIO(plain_text(raw), newline=""), strict=True))
    except (NotPlainTextError, csv.Error) as error:
        raise TableError(str(error), where=name, do="tallybook check says where") from error
    if not records:
        raise TableError("empty", where=name, do="start with the header line")
    columns = [column.strip() for column in records[0]]
    if len(set(columns)) != len(columns) or any(len(record) != len(columns) for record in records[1:]):
        raise TableError(
            "not as many fields in each row as columns, or a column twice", where=name, do="tallybook check says where"
        )
    if len(records) > MOST_ROWS:
        raise TableError(f"over {MOST_ROWS:,} rows", where=name, do="split it")
    return columns, [{c: opened(value) for c, value in zip(columns, record, strict=True)} for record in records[1:]]


def things(files: Mapping[str, bytes], tz: ZoneInfo) -> Iterator[Thing]:
    """Everything in a case, to be filed: tables in order of their names, rows in theirs, then the other files."""
    for name in sorted(files, key=lambda name: (not is_table(name), name)):
        if is_table(name):
            columns, rows = read_raw_table(name, files[name])
            yield from table_things(name, columns, rows, tz)
        else:
            yield document(name, files[name])


def table_things(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, str]], tz: ZoneInfo) -> Iterator[Thing]:
    """The columns of a table, then each row. Raises TableError for two rows of one name."""
    yield Thing("table", name, {"columns": list(columns)})
    seen: set[str] = set()
    for row in rows:
        subject = subject_of(name, row)
        if subject in seen:
            raise TableError(f"two rows are named {subject.removeprefix(f'{name}/')}", where=name, do="give each its own name")
        seen.add(subject)
        yield row_thing(name, subject, row, tz)


def row_thing(name: str, subject: str, row: Mapping[str, str], tz: ZoneInfo) -> Thing:
    """A row, with the times that it tells. A blank says nothing, so that a table may get another column and its rows stay."""
    known = _first(row, () if name in _TIMELESS else _KNOWN, tz)
    start = _first(row, () if name in _TIMELESS else _FROM, tz)
    end = _first(row, () if name in _TIMELESS else _TO[2:] if name in _NO_END else _TO, tz)
    valid = (_text(start.first) if start else None, _text(end.last) if end else None)
    if valid[0] and valid[1] and valid[1] < valid[0]:
        valid = (valid[0], None)
    said = {column: value for column, value in row.items() if value}
    marking = row.get(MARKING, "").strip()
    return Thing(kind_of(name), subject, {"row": said}, _text(known.last) if known else BY_CONTENT, valid, marking=marking)


def document(name: str, data: bytes) -> Thing:
    """A whole file."""
    digest = hashlib.sha256(data).hexdigest()
    return Thing("document", name, {"sha256": digest, "size": len(data)}, data=data)


def _first(row: Mapping[str, str], columns: Iterable[str], tz: ZoneInfo) -> Moment | None:
    for column in columns:
        if text := row.get(column, "").strip():
            return moment(text, tz)
    return None


def _text(at: datetime) -> str:
    try:
        return instant_text(at)
    except OverflowError:
        return instant_text(at.replace(tzinfo=UTC))


Blob = Callable[[str], bytes | None]


class FiledCase:
    """The files of a case as they stand on file, as known at an instant (a text of `instant_text`; the newest without)."""

    def __init__(self, place: str, books: Books, blob: Blob, known: str | None = None) -> None:
        self._place, self._blob = place, blob
        self._tables: dict[str, list[str]] = {}
        self._rows: dict[str, list[dict[str, str]]] = {}
        self._documents: dict[str, str] = {}
        for entry in books.standing(known):
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        if entry.kind in ("settlement", "verdict", "message", "key", "release", "held-back"):
            return
        if entry.body is None:
            return
        content = entry.content()
        if entry.kind == "table":
            columns = content.get("columns")
            self._tables[entry.subject] = [str(one) for one in columns] if isinstance(columns, list) else []
        elif entry.kind == "document":
            self._documents[entry.subject] = str(content.get("sha256"))
        else:
            row = content.get("row")
            if isinstance(row, dict):
                name = entry.subject[: entry.subject.find(".csv/") + 4]
                self._rows.setdefault(name, []).append({str(key): str(value) for key, value in row.items()})

    @property
    def place(self) -> str:
        """Where it is kept."""
        return self._place

    def is_there(self) -> bool:
        """Whether anything is on file."""
        return bool(self._tables or self._documents)

    def names(self) -> list[str]:
        """The names of all files, in order."""
        return sorted({*self._tables, *self._documents})

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._tables or name in self._documents

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        return any(other.startswith(f"{name}/") for other in self.names())

    def read(self, name: str) -> bytes:
        """The bytes of a file: a document as it came in, a table written anew. Raises UnreadableFileError."""
        if name in self._tables:
            try:
                return table_text(self._tables[name], self._rows.get(name, [])).encode()
            except ValueError as error:
                raise UnreadableFileError(str(error), where=name, do="tallybook ledger log shows who filed such a row") from error
        if name not in self._documents:
            raise UnreadableFileError("file missing", where=name, do="add it to the folder, and import it")
        data = self._blob(self._documents[name])
        if data is None:
            raise UnreadableFileError("its bytes were destroyed or lost", where=name, do="tallybook ledger audit tells which")
        if hashlib.sha256(data).hexdigest() != self._documents[name]:
            raise UnreadableFileError(
                "its bytes are not those that were filed", where=name, do="tallybook ledger audit tells more"
            )
        return data

    def listing(self, folder: str) -> Sequence[str]:
        """The names of the files in a folder."""
        return [name for name in self.names() if name.rpartition("/")[0] == folder]
