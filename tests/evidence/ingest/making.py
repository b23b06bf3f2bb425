"""Files for the door, in every format, made from the same tables."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from tallybook.evidence.ingest.door import Brought, read_rows
from tallybook.evidence.ingest.extras import needed
from tallybook.evidence.ingest.limits import DEFAULT, Limits
from tallybook.evidence.ingest.safe_cells import table_text

OBSERVED = ("id", "statement", "place", "count")
PLACES = ("id", "name", "lat", "lon")
COLUMNS: Mapping[str, Sequence[str]] = {"observations": OBSERVED, "places": PLACES}
Records = Sequence[Mapping[str, str]]

ROWS: list[Mapping[str, str]] = [
    {"id": "R-1", "statement": "three crates, one open", "place": "North quay", "count": "3"},
    {"id": "R-2", "statement": 'he said "none"\nand left', "place": "", "count": ""},
]


def csv_bytes(records: Records, columns: Sequence[str] = OBSERVED) -> bytes:
    return table_text(columns, records).encode()


def json_bytes(records: Records) -> bytes:
    return json.dumps(list(records), ensure_ascii=False).encode()


def json_lines(records: Records) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def geojson_bytes(records: Records) -> bytes:
    features = [{"type": "Feature", "properties": dict(record), "geometry": None} for record in records]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def xml_bytes(records: Records, root: str = "observations") -> bytes:
    rows = ("".join(f"<{k}>{escape(v, {chr(13): '&#13;'})}</{k}>" for k, v in record.items()) for record in records)
    return f"<{root}>{''.join(f'<row>{row}</row>' for row in rows)}</{root}>".encode()


def excel_bytes(sheets: Mapping[str, Iterable[Sequence[object]]]) -> bytes:
    book = needed("openpyxl", "excel", "tests").Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
            for cell in sheet[sheet.max_row]:
                # A text is a text, also where it begins with =; formulas are put in by name in the tests that want them.
                if isinstance(cell.value, str) and cell.data_type == "f":
                    cell.data_type = "s"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def excel_rows(records: Records, columns: Sequence[str] = OBSERVED) -> bytes:
    rows = [[record[c] or None for c in columns] for record in records]
    return excel_bytes({"observations": [list(columns), *rows]})


def parquet_bytes(columns: Mapping[str, Sequence[object]], **how: object) -> bytes:
    arrow = needed("pyarrow", "parquet", "tests")
    out = io.BytesIO()
    needed("pyarrow.parquet", "parquet", "tests").write_table(arrow.table(dict(columns)), out, **how)
    return out.getvalue()


def parquet_rows(records: Records, columns: Sequence[str] = OBSERVED) -> bytes:
    strings = needed("pyarrow", "parquet", "tests").string()
    arrow = needed("pyarrow", "parquet", "tests")
    return parquet_bytes({c: arrow.array([record[c] for record in records], strings) for c in columns})


def zip_bytes(members: Iterable[tuple[str | zipfile.ZipInfo, bytes | str]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def renamed(raw: bytes, old: str, new: str) -> bytes:
    """A zip with a name of the same length put for another, as no zip program would write it."""
    assert len(old.encode()) == len(new.encode())
    assert raw.count(old.encode()) == 2
    return raw.replace(old.encode(), new.encode())


def patched(raw: bytes, offset: int, form: str, value: int) -> bytes:
    """A zip with one number in the first entry of its directory changed. `offset` counts from the entry's signature."""
    at = raw.index(b"PK\x01\x02") + offset
    out = bytearray(raw)
    struct.pack_into(form, out, at, value)
    return bytes(out)


def bring(raw: bytes, name: str, limits: Limits = DEFAULT, columns: Mapping[str, Sequence[str]] = COLUMNS) -> Brought:
    """What the door makes of a file: rows or faults, never both."""
    brought = read_rows(raw, name, columns, limits)
    assert bool(brought.faults) != bool(brought.rows)
    assert all(f.what and f.do and f.file.isprintable() for f in brought.faults)
    return brought


def fields(brought: Brought, table: str = "observations") -> list[dict[str, str]]:
    assert brought.faults == ()
    return [row.fields for row in brought.rows[table]]


def wrong(raw: bytes, name: str, limits: Limits = DEFAULT) -> str:
    """The faults of a file as text; there must be some, and no rows."""
    brought = bring(raw, name, limits)
    assert brought.rows == {}
    text = "\n".join(map(str, brought.faults))
    assert text
    assert all(char.isprintable() or char == "\n" for char in text)
    return text
