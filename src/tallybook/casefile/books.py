"""From a folder to books for the checker: rows as written, the agreement as plain values, the sources untouched."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from tallybook.agreement.yamltext import read_yaml, without_markings
from tallybook.casefile.case_markings import released_forms
from tallybook.casefile.exhibits import hash_in_hand
from tallybook.casefile.files import Folder
from tallybook.checker.books import Books, BooksError
from tallybook.core.plaintext import NotPlainTextError, plain_text
from tallybook.evidence.ingest.safe_cells import opened

TABLES = ("observations", "commitments", "measures", "incidents", "vessels")
LARGEST = 256_000_000
_DO = "tallybook check CASE lists what is wrong with it"


def read_books(folder: Path) -> Books:
    """The books of a case folder. Raises BooksError for a file that is missing, too large, or does not read."""
    agreement = _yaml(folder, "agreement.yaml")
    items = _yaml(folder, "items.yaml").get("items")
    reports: dict[str, dict[str, str]] = {}
    twice = released_forms(Folder(folder))
    for table in TABLES:
        for row in _rows(folder, f"reports/{table}.csv"):
            if row.get("id", "") not in twice:
                reports[row.get("id", "")] = {**row, "table": table}
    return Books(
        agreement=agreement,
        reports=reports,
        bearings=[row for row in _rows(folder, "reports/bearings.csv") if row.get("report", "") not in twice],
        places={row.get("id", ""): row for row in _rows(folder, "places.csv")},
        items=items if isinstance(items, dict) else {},
        texts=_texts(folder, agreement.get("instruments")),
        holdings=_holdings(folder),
        exhibits={row.get("id", ""): row for row in _optional_rows(folder, "reports/exhibits.csv")},
        custody=_optional_rows(folder, "reports/custody.csv"),
        reviews=[row for row in _optional_rows(folder, "reports/reviews.csv") if row.get("report", "") not in twice],
        hash_of=lambda sha256: hash_in_hand(folder, sha256),
    )


def _text(folder: Path, name: str) -> str:
    path = folder / name
    try:
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise BooksError("no such file in the case", where=name, do=_DO)
        if path.stat().st_size > LARGEST:
            raise BooksError(f"larger than {LARGEST:,} bytes", where=name, do="split it")
        return plain_text(path.read_bytes())
    except (OSError, ValueError, RuntimeError) as error:
        what = error.what if isinstance(error, NotPlainTextError) else "cannot be read"
        raise BooksError(what, where=name, do=_DO) from error


def _yaml(folder: Path, name: str) -> dict[str, Any]:
    document = read_yaml(_text(folder, name).encode(), name)
    if document.faults or not isinstance(document.data, dict):
        raise BooksError("not a mapping that can be read", where=name, do=_DO)
    data: dict[str, Any] = without_markings(document.data)
    return data


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    reader = csv.reader(io.StringIO(_text(folder, name), newline=""), strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        raise BooksError(f"not CSV: {error}", where=name, do=_DO) from error
    header = [column.strip() for column in records[0]] if records else []
    if any(len(record) != len(header) for record in records):
        raise BooksError("a row of another length than the header", where=name, do=_DO)
    return [{column: opened(value).strip() for column, value in zip(header, record, strict=True)} for record in records[1:]]


def _optional_rows(folder: Path, name: str) -> list[dict[str, str]]:
    return _rows(folder, name) if (folder / name).exists() else []


def _texts(folder: Path, instruments: object) -> dict[str, str]:
    found = {}
    for name, entry in instruments.items() if isinstance(instruments, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("file"), str):
            found[name] = _text(folder, entry["file"])
    return found


def _holdings(folder: Path) -> dict[str, Any]:
    if not (folder / "holdings.yaml").exists():
        return {}
    found = _yaml(folder, "holdings.yaml").get("holdings")
    return found if isinstance(found, dict) else {}
