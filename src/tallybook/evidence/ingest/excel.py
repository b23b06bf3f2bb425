"""Excel workbooks (.xlsx): a sheet for each table, values only. Needs the extra `excel` (openpyxl).

The zip limits hold before openpyxl sees a byte, and every part is looked through for a document type, since openpyxl does
not guard against entities by itself. Formulas are refused: what a cell shows would then not be what it holds.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from xml.parsers import expat

from tallybook.evidence.ingest.archive import unpacked
from tallybook.evidence.ingest.extras import needed
from tallybook.evidence.ingest.gather import Gathering, StopReadingError, number_text
from tallybook.evidence.ingest.told import told

_REFUSED = (
    ("vbaproject", "macros"),
    ("xl/macrosheets/", "macros"),
    ("xl/externallinks/", "links to other files"),
    ("xl/connections.xml", "connections to other data"),
    ("xl/querytables/", "connections to other data"),
    ("xl/embeddings/", "embedded files"),
    ("xl/activex/", "controls"),
    ("xl/ctrlprops/", "controls"),
)
_PLAIN = "copy the values into a new workbook and save it as .xlsx"


LONGEST_NUMBER = 24
"""Characters of a number with seventeen digits, both signs and an exponent: no spreadsheet writes more."""
_ROW = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,8})", re.ASCII)


class _OtherRootError(Exception):
    """The first element has begun and it is no sheet: no document type can come after it."""


def read_excel(into: Gathering, file: str, stem: str, raw: bytes) -> None:
    """Every sheet is a table, by its name; a lone sheet may be named by the file. The line of a row is its row in the sheet."""
    openpyxl = needed("openpyxl", "excel", "reading .xlsx")
    for name, content in unpacked(into, file, raw, into.limits.parts):
        _check_part(into, file, name, content)
    with warnings.catch_warnings():
        # openpyxl warns of styles, filters and the like that it does not keep; only values are read here.
        warnings.simplefilter("ignore")
        try:
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
            sheets = book.worksheets
            if len(sheets) != len(book.sheetnames):
                raise into.stop(file, 0, "a sheet that is a chart", "keep sheets of rows only")
            for sheet in sheets:
                names = [sheet.title, stem] if len(sheets) == 1 else [sheet.title]
                _sheet(into, f"{file}/{_plain(sheet.title)}", names, sheet)
        except StopReadingError:
            raise
        except Exception as error:  # a foreign parser over hostile bytes: whatever it raises is a fault of the file
            raise into.stop(file, 0, f"a workbook that does not read ({type(error).__name__})", _PLAIN) from error


def _plain(name: str) -> str:
    return told(name).strip("'")


def _check_part(into: Gathering, file: str, name: str, content: bytes) -> None:
    low = name.casefold()
    for mark, what in _REFUSED:
        if low.startswith(mark) or (mark == "vbaproject" and mark in low):
            raise into.stop(file, 0, f"a workbook with {what}", _PLAIN)
    if low == "[content_types].xml" and b"macroEnabled" in content:
        raise into.stop(file, 0, "a workbook with macros", _PLAIN)
    if not low.endswith((".xml", ".rels", ".vml")) and not content.lstrip(b" \t\r\n\0\xef\xbb\xbf\xfe\xff").startswith(b"<"):
        return
    parser = expat.ParserCreate()
    order = _Order(into, file, name)

    def doctype(*_: object) -> None:
        raise into.stop(file, 0, f"a document type (DOCTYPE) in its part {told(name)}", _PLAIN)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = order.start
    parser.CharacterDataHandler = order.characters
    try:
        parser.Parse(content, True)
    except _OtherRootError:
        return
    except expat.ExpatError as error:
        raise into.stop(file, 0, f"its part {told(name)} is not XML", _PLAIN) from error


class _Order:
    """Holds the rows and cells of a sheet to be in order, once each and within the limits: openpyxl drops what is not."""

    def __init__(self, into: Gathering, file: str, part: str) -> None:
        self.into, self.file, self.part = into, file, part
        self.begun = self.number = self.reading = False
        self.length = 0
        self.row = self.column = self.cells = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if not self.begun and kind != "worksheet":
            raise _OtherRootError
        self.begun, self.reading = True, kind == "v" and self.number
        self.length = 0
        if kind == "row":
            number = attributes.get("r", str(self.row + 1))
            if not _ROW.fullmatch(number) or int(number) <= self.row:
                raise self.disordered()
            self.row, self.column = int(number), 0
        elif kind == "c":
            self.cells, self.number = self.cells + 1, attributes.get("t", "n") == "n"
            if self.cells > self.into.limits.cells:
                raise self.into.stop(self.file, self.row, f"over {self.into.limits.cells:,} fields", "split it")
            if "r" not in attributes:
                self.column += 1
                return
            found = _CELL.fullmatch(attributes["r"])
            column = _number(found[1]) if found else 0
            if found is None or int(found[2]) != self.row or column <= self.column:
                raise self.disordered()
            self.column = column

    def characters(self, text: str) -> None:
        """Hold a number to the length that a spreadsheet writes: a longer one would be rounded without a word."""
        self.length += len(text)
        if self.reading and self.length > LONGEST_NUMBER:
            what = f"its part {told(self.part)} has a number of over {LONGEST_NUMBER} characters"
            raise self.into.stop(self.file, self.row, what, "write it as text")

    def disordered(self) -> StopReadingError:
        what = f"its part {told(self.part)} has cells out of order, or twice"
        return self.into.stop(self.file, self.row, what, _PLAIN)


def _number(letters: str) -> int:
    """The number of a column: A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _sheet(into: Gathering, file: str, names: Sequence[str], sheet: Any) -> None:
    table = into.table_of(file, names)
    into.begin(file, table)
    # The sheet's own word on its size is not believed: it may claim a thousand million cells.
    sheet.reset_dimensions()
    header: list[str] = []
    blank = 0
    for line, cells in enumerate(_rows(into, file, sheet), 1):
        texts = [_text(into, file, line, header, n, cell) for n, cell in enumerate(cells)]
        while texts and texts[-1] == "":
            texts.pop()
        if not header:
            header = [name.strip() for name in texts]
            _check_header(into, file, header)
        elif not texts:
            blank = blank or line
        elif blank:
            raise into.stop(file, blank, "a blank row before rows that are not", "remove it")
        elif len(texts) > len(header):
            raise into.stop(
                file, line, f"a value in column {len(texts)}, past the last one named", "name its column, or clear it"
            )
        else:
            padded = texts + [""] * (len(header) - len(texts))
            into.add(file, table, line, dict(zip(header, padded, strict=True)))
    if not header:
        raise into.stop(file, 0, "empty", f"start with the header row: {', '.join(into.tables[table].required)}")


def _rows(into: Gathering, file: str, sheet: Any) -> Iterator[tuple[Any, ...]]:
    for line, cells in enumerate(sheet.iter_rows(), 1):
        if line > into.limits.rows + 1:
            raise into.stop(file, line, f"over {into.limits.rows:,} rows", "split it, or delete the blank rows at its end")
        if len(cells) > into.limits.columns:
            raise into.stop(file, line, f"over {into.limits.columns} columns", "keep the columns of the table only")
        yield cells


def _check_header(into: Gathering, file: str, header: list[str]) -> None:
    for name in header:
        if header.count(name) > 1 or not name:
            what = f"column {told(name)} twice" if name else "a column without a name"
            raise into.stop(file, 1, what, "name every column once, in the first row")
    if not header:
        raise into.stop(file, 1, "no header in the first row", "name the columns there")


def _text(into: Gathering, file: str, line: int, header: list[str], at: int, cell: Any) -> str:
    """The value of a cell as text. Dates become ISO 8601; numbers their plain digits."""
    value = cell.value
    if value is None:
        return ""
    column = header[at] if at < len(header) and header[at].isprintable() else ""
    where = f"{cell.column_letter}{cell.row}"
    if cell.data_type == "f":
        into.fault(file, line, column, f"{where} is a formula", "copy the cells and paste them as values")
    elif cell.data_type == "e":
        into.fault(file, line, column, f"{where} shows an error: {told(str(value))}", "correct it, or clear it where unknown")
    elif isinstance(value, str):
        return value
    elif isinstance(value, bool):
        into.fault(file, line, column, f"{where} is {value}, neither text nor number", "write a text")
    elif isinstance(value, int | float):
        text = number_text(value)
        if text and len(text) <= into.limits.digits:
            return text
        into.fault(file, line, column, f"{where} is no number that can be written out", "write it as text")
    elif isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat()
    elif isinstance(value, date):
        return value.isoformat()
    else:
        into.fault(file, line, column, f"{where} is a time without a date", "write the date too")
    return ""
