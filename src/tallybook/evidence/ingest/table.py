"""CSV, read strictly: UTF-8 without a byte-order mark, the columns named, every quote closed, nothing ragged."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from tallybook.core.plaintext import NotPlainTextError, plain_text
from tallybook.errors import Fault
from tallybook.evidence.ingest.safe_cells import opened

LARGEST = 256_000_000
LONGEST_FIELD = 100_000
MOST_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its line in the file, its fields by column, stripped of blanks around them."""

    line: int
    fields: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.fields.get(column, "")


def read_table(
    raw: bytes, file: str, required: Sequence[str], optional: Sequence[str] = (), most: int | None = None
) -> tuple[list[Row], list[Fault]]:
    """Read a table. Either its rows, or no rows and the faults: nothing is half read.

    A cell with the apostrophe that `safe_cells.safe` puts before what a spreadsheet would run reads as it was before.
    `most`: the rows that there may be, where the caller has a limit.
    """
    faults: list[Fault] = []
    text = _decoded(raw, file, faults)
    if text is None:
        return [], faults
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    header: list[str] | None = None
    try:
        for record in reader:
            line, start = start, reader.line_num + 1
            if stop := _too_many(file, line, len(rows), len(faults), most):
                faults.append(stop)
                break
            if header is None:
                header = [name.strip() for name in record]
                faults.extend(_header_faults(header, file, required, optional))
                if faults:
                    return [], faults
            elif len(record) != len(header):
                what = f"{len(record)} fields where the header has {len(header)}"
                faults.append(Fault(file, line, "", what, "quote fields that hold commas, or add what is missing"))
            elif any(len(value) > LONGEST_FIELD for value in record):
                faults.append(Fault(file, line, "", f"a field of over {LONGEST_FIELD:,} characters", "shorten it"))
            else:
                fields = {name: opened(value).strip() for name, value in zip(header, record, strict=True)}
                rows.append(Row(line, fields))
    except csv.Error as error:
        faults.append(_csv_fault(error, file, start, text))
    if header is None and not faults:
        faults.append(Fault(file, 0, "", "empty", f"start with the header line: {','.join(required)}"))
    return ([], faults) if faults else (rows, [])


def _too_many(file: str, line: int, rows: int, faults: int, most: int | None) -> Fault | None:
    """The fault at which reading stops, so that neither the rows nor the faults of a hostile file fill the memory."""
    if most is not None and rows >= most:
        return Fault(file, line, "", f"over {most:,} rows", "split it")
    return Fault(file, line, "", f"over {MOST_FAULTS:,} faults", "correct these first") if faults >= MOST_FAULTS else None


def _decoded(raw: bytes, file: str, faults: list[Fault]) -> str | None:
    if len(raw) > LARGEST:
        faults.append(Fault(file, 0, "", f"larger than {LARGEST:,} bytes", "split it, or import it into a ledger"))
        return None
    try:
        return plain_text(raw)
    except NotPlainTextError as error:
        faults.append(Fault(file, error.line, "", error.what, error.do))
        return None


def _csv_fault(error: csv.Error, file: str, start: int, text: str) -> Fault:
    if "unexpected end of data" in str(error):
        return Fault(file, _opening(text), "", "a quote opened here is never closed", 'close it, or double it: ""')
    if "field larger" in str(error):
        return Fault(file, start, "", f"a field of over {LONGEST_FIELD:,} characters", "close the quote, or shorten it")
    return Fault(file, start, "", f"not CSV: {error}", 'quote the whole field and double the quotes in it: ""')


def _opening(text: str) -> int:
    """The line of the last quote that opens a field: quotes open and close in turn, a doubled one does both."""
    line, opened, inside = 1, 1, False
    for char in text:
        if char == '"':
            inside = not inside
            opened = line if inside else opened
        line += char == "\n"
    return opened


def _header_faults(header: list[str], file: str, required: Sequence[str], optional: Sequence[str]) -> list[Fault]:
    known = [*required, *optional]
    faults = []
    for name in required:
        if name not in header:
            faults.append(Fault(file, 1, name, "column missing", f"the columns are: {', '.join(required)}"))
    for name in header:
        if name not in known:
            faults.append(Fault(file, 1, name, f"unknown column {name!r}", f"the columns are: {', '.join(known)}"))
        elif header.count(name) > 1:
            faults.append(Fault(file, 1, name, f"column {name!r} twice", "keep one"))
    return faults
