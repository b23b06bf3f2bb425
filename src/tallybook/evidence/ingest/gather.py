"""Rows on their way in, whatever the format: columns, sizes and characters are checked here, once, for all formats."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from unicodedata import combining, is_normalized, normalize

from tallybook.core.plaintext import unseen
from tallybook.errors import Fault
from tallybook.evidence.ingest.limits import DEFAULT, Limits
from tallybook.evidence.ingest.table import Row
from tallybook.evidence.ingest.told import told

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


MARKS = 30
"""Combining marks in a row at most: the figure of the Stream-Safe Text Format, Unicode Standard Annex 15."""


class StopReadingError(Exception):
    """A fault after which the rest of the file is not read."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a table must have, and those that it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """All of them."""
        return self.required + self.optional


Tables = Mapping[str, Columns]


def cell_fault(text: str, limits: Limits = DEFAULT) -> tuple[str, str] | None:
    """What is wrong with the text of a cell and what to do about it, or None where nothing is.

    Refused: over-long text, control characters and halves of characters, characters that turn the direction of writing
    (they can make a text read otherwise than it is), and text that is not in the composed Unicode form, NFC.
    """
    if len(text) > limits.field:
        return f"a field of over {limits.field:,} characters", "shorten it"
    if text.isascii() and text.isprintable():
        return None
    if wrong := unseen(text):
        return wrong, "remove it"
    if turn := _BIDI.search(text):
        what = f"holds a character that turns the direction of writing (U+{ord(turn[0]):04X})"
        return what, "remove it: such characters can make a text read otherwise than it is"
    if _heaped(text):
        return f"over {MARKS} marks on one letter", "remove them"
    if not is_normalized("NFC", text):
        pairs = zip(text, normalize("NFC", text), strict=False)
        at = next((n for n, (one, other) in enumerate(pairs) if one != other), len(text) - 1)
        what = f"{told(text[max(0, at - 10) : at + 3])} is not in the composed Unicode form (NFC)"
        return what, "save the file in NFC, so that one name is always the same characters"
    return None


def _heaped(text: str) -> bool:
    """Whether marks are heaped on a letter: putting n of them in order takes n squared steps, so they are counted first."""
    run = 0
    for char in text:
        run = run + 1 if combining(char) else 0
        if run > MARKS:
            return True
    return False


def number_text(value: float | Decimal) -> str:
    """A number in plain digits, as short as reads back to the same number; blank for what is not finite."""
    if isinstance(value, int):
        return str(value)
    if not isfinite(value):
        return ""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(slots=True)
class Gathering:
    """The rows and faults of one file. `budget`: the cells that may still come in, over all tables of the file."""

    tables: Tables
    limits: Limits = DEFAULT
    rows: dict[str, list[Row]] = field(default_factory=dict)
    points: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    cells: int = 0
    unpacked: int = 0
    _checked: dict[tuple[str, tuple[str, ...]], tuple[tuple[str, str, str], ...]] = field(default_factory=dict)

    def fault(self, file: str, line: int, column: str, what: str, do: str) -> None:
        """Note a fault. Raises StopReadingError once there are so many that more would help nobody."""
        if len(self.faults) >= self.limits.faults:
            self.faults.append(Fault(file, line, "", f"over {self.limits.faults:,} faults", "correct these first"))
            raise StopReadingError
        self.faults.append(Fault(file, line, column, what, do))

    def stop(self, file: str, line: int, what: str, do: str, column: str = "") -> StopReadingError:
        """Note a fault and give the error to raise."""
        self.fault(file, line, column, what, do)
        return StopReadingError()

    def unpack(self, file: str, size: int) -> None:
        """Count bytes that were unpacked. Raises StopReadingError over the limit."""
        self.unpacked += size
        if self.unpacked > self.limits.unpacked:
            raise self.stop(file, 0, f"unpacks to over {self.limits.unpacked:,} bytes", "split it")

    def begin(self, file: str, table: str) -> None:
        """Begin a table. Raises StopReadingError for one that is there twice."""
        if table in self.rows:
            raise self.stop(file, 0, f"a second table of {table}", "put all its rows into one")
        self.rows[table] = []

    def table_of(self, file: str, names: Sequence[str]) -> str:
        """The table that the first of these names stands for, or the only one asked for. Raises StopReadingError."""
        for name in names:
            if name in self.tables:
                return name
        if len(self.tables) == 1:
            return next(iter(self.tables))
        known = ", ".join(self.tables)
        raise self.stop(file, 0, f"{told(names[0] if names else '')} names no table", f"name it after its table: {known}")

    def add(self, file: str, table: str, line: int, fields: Mapping[str, str]) -> None:
        """Take a row in, or note what is wrong with it. Raises StopReadingError over a limit on rows or cells."""
        rows = self.rows[table]
        self.cells += len(fields)
        if len(rows) >= self.limits.rows:
            raise self.stop(file, line, f"over {self.limits.rows:,} rows", "split it")
        if self.cells > self.limits.cells:
            raise self.stop(file, line, f"over {self.limits.cells:,} fields", "split it")
        for wrong in self._columns(table, tuple(fields)):
            self.fault(file, line, *wrong)
        kept = {}
        for column, text in fields.items():
            kept[column] = text.strip()
            if found := cell_fault(text, self.limits):
                self.fault(file, line, column if column in self.tables[table].known else "", *found)
        rows.append(Row(line, kept))

    def _columns(self, table: str, names: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
        """What is wrong with the columns of a row; rows of one table mostly have the same ones."""
        key = (table, names)
        if (kept := self._checked.get(key)) is not None:
            return kept
        columns = self.tables[table]
        listed = f"the columns are: {', '.join(columns.known)}"
        wrong = [(name, "column missing", listed) for name in columns.required if name not in names]
        wrong += [("", f"unknown column {told(name)}", listed) for name in names if name not in columns.known]
        if len(names) > self.limits.columns:
            wrong = [("", f"over {self.limits.columns} columns", listed)]
        if len(self._checked) < 100:
            self._checked[key] = tuple(wrong)
        return tuple(wrong)
