"""Text in a CSV that a spreadsheet may open: no cell of it is run as a formula, and every cell reads back as it was.

A cell that begins with = + - @ or a tab or carriage return is a formula to spreadsheets (OWASP, "CSV Injection"), and so
may be one that begins with the full-width forms. Such a cell gets one apostrophe in front. A cell that already begins with
apostrophes before such a character gets one too, which is what makes `opened` an exact inverse of `safe`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

LEADING = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
"""The characters that make a formula of a cell that begins with one."""

_RISKY = re.compile(rf"'*[\t\r]|['\s]*[{re.escape(LEADING)}]")
_QUOTED = re.compile(r'[",\r\n]')
_DECIMAL = re.compile(r"-\d+(\.\d+)?", re.ASCII)


def _risky(text: str) -> bool:
    return _RISKY.match(text) is not None and _DECIMAL.fullmatch(text.strip()) is None


def safe(text: str) -> str:
    """The text as it goes into a CSV. A plain decimal number such as -82.5 stays as it is."""
    return f"'{text}" if _risky(text) else text


def opened(text: str) -> str:
    """What `safe` was given: `opened(safe(text)) == text` for every text."""
    return text[1:] if text.startswith("'") and _risky(text[1:]) else text


def table_text(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A table as CSV with safe cells: the header, then a line for each row; a column that a row lacks is blank.

    Raises ValueError for a row with a column that is not in `columns`.
    """
    known = set(columns)
    lines = [",".join(_cell(name) for name in columns)]
    for row in rows:
        if not known.issuperset(row):
            raise ValueError(f"columns that the table does not have: {', '.join(sorted(set(row) - known))}")
        lines.append(",".join(_cell(row.get(name, "")) for name in columns))
    return "".join(f"{line}\n" for line in lines)


def _cell(text: str) -> str:
    """A cell as RFC 4180 writes it. `csv.writer` leaves a lone carriage return bare, which readers take for an end of line."""
    shown = safe(text)
    if shown and _QUOTED.search(shown) is None:
        return shown
    doubled = shown.replace('"', '""')
    return f'"{doubled}"' if doubled else ""
