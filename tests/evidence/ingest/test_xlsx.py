"""Workbooks: values only, sheets by name, and the limits of a zip before anything is parsed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest

from evidence.ingest.making import OBSERVED, ROWS, bring, excel_bytes, excel_rows, fields, wrong, zip_bytes
from tallybook.evidence.ingest.extras import needed
from tallybook.evidence.ingest.limits import Limits


def one(value: object) -> bytes:
    return excel_bytes({"observations": [OBSERVED, ["R-1", "x", None, value]]})


def edited(raw: bytes, part: str, old: str, new: str) -> bytes:
    """A workbook with one text of one part changed."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    assert any(name == part and old.encode() in content for name, content in parts)
    return zip_bytes([(name, c.replace(old.encode(), new.encode()) if name == part else c) for name, c in parts])


def with_part(raw: bytes, name: str, content: bytes = b"<a/>") -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return zip_bytes([*((n, archive.read(n)) for n in archive.namelist()), (name, content)])


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (-82.5, "-82.5"),
        (0.1, "0.1"),
        (3.0, "3"),
        (1e20, "100000000000000000000"),
        ("007", "007"),
        ("=not a formula", "=not a formula"),
        (date(1962, 10, 14), "1962-10-14"),
        (datetime(1962, 10, 14, 11, 30), "1962-10-14T11:30:00"),
        (datetime(1962, 10, 14, 11, 30, 15), "1962-10-14T11:30:15"),
        (None, ""),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    assert fields(bring(one(value), "observations.xlsx"))[0]["count"] == text


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (True, "D2 is True"),
        (time(11, 30), "D2 is a time without a date"),
        (timedelta(hours=30), "D2 is a time without a date"),
        (1e300, "D2 is no number that can be written out"),
    ],
)
def test_values_that_no_field_holds(value: object, what: str) -> None:
    text = wrong(one(value), "observations.xlsx")
    assert what in text
    assert "observations.xlsx/observations:2 [count]" in text


@pytest.mark.parametrize("formula", ["=1+1", '=HYPERLINK("http://example.org","x")', '=WEBSERVICE("http://example.org")'])
def test_a_formula_is_named_by_its_cell(formula: str) -> None:
    book = needed("openpyxl", "excel", "tests").load_workbook(io.BytesIO(one(3)))
    book.active["D2"] = formula
    book.active["B2"] = formula
    out = io.BytesIO()
    book.save(out)
    text = wrong(out.getvalue(), "observations.xlsx")
    assert "D2 is a formula" in text
    assert "B2 is a formula" in text


def test_an_array_formula_and_an_error() -> None:
    raw = edited(one(3), SHEET, "<v>3</v>", '<f t="array" ref="D2">SUM(A1)</f><v>3</v>')
    assert "D2 is a formula" in wrong(raw, "observations.xlsx")
    raw = edited(one(3), SHEET, '<c r="D2" t="n"><v>3</v>', '<c r="D2" t="e"><v>#N/A</v>')
    assert "D2 shows an error: '#N/A'" in wrong(raw, "observations.xlsx")


def test_a_sheet_for_each_table_and_no_others() -> None:
    places: list[Sequence[object]] = [["id", "name", "lat", "lon"], ["P-1", "North quay", 1.5, 2]]
    observed: list[Sequence[object]] = [OBSERVED, ["R-1", "x", None, None]]
    brought = bring(excel_bytes({"observations": observed, "places": places}), "november.xlsx")
    assert fields(brought, "places") == [{"id": "P-1", "name": "North quay", "lat": "1.5", "lon": "2"}]
    assert brought.files["places"] == "november.xlsx"
    assert "'Notes' names no table" in wrong(excel_bytes({"observations": observed, "Notes": [["x"]]}), "november.xlsx")
    assert fields(bring(excel_bytes({"Sheet1": observed}), "observations.xlsx"))[0]["id"] == "R-1"


def test_a_chart_sheet_is_refused() -> None:
    book = needed("openpyxl", "excel", "tests").load_workbook(io.BytesIO(excel_rows(ROWS)))
    book.create_chartsheet("Chart").add_chart(needed("openpyxl.chart", "excel", "tests").BarChart())
    out = io.BytesIO()
    book.save(out)
    assert "a sheet that is a chart" in wrong(out.getvalue(), "observations.xlsx")


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([], "empty"),
        ([[None, None], ["R-1"]], "no header in the first row"),
        ([["id", None, "statement"]], "a column without a name"),
        ([["id", "id"]], "column 'id' twice"),
        ([[*OBSERVED], ["R-1", "x"], [], ["R-2", "y"]], ":3: a blank row"),
        ([[*OBSERVED], ["R-1", "x", "", "3", "stray"]], "a value in column 5, past the last one named"),
        ([[*OBSERVED, *"abc" * 40]], "over 100 columns"),
    ],
)
def test_sheets_that_are_no_table(rows: list[list[object]], what: str) -> None:
    assert what in wrong(excel_bytes({"observations": rows}), "observations.xlsx")


def test_blank_rows_after_the_last_are_none() -> None:
    book = needed("openpyxl", "excel", "tests").load_workbook(io.BytesIO(excel_rows(ROWS)))
    book.active["A9"] = " "
    book.active["A9"] = None
    book.active["A9"].font = needed("openpyxl.styles", "excel", "tests").Font(bold=True)
    out = io.BytesIO()
    book.save(out)
    assert fields(bring(out.getvalue(), "observations.xlsx")) == list(ROWS)


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("xl/vbaProject.bin", "macros"),
        ("xl/VBAPROJECT.BIN", "macros"),
        ("xl/macrosheets/sheet1.xml", "macros"),
        ("xl/externalLinks/externalLink1.xml", "links to other files"),
        ("xl/connections.xml", "connections"),
        ("xl/embeddings/oleObject1.bin", "embedded files"),
        ("xl/activeX/activeX1.xml", "controls"),
    ],
)
def test_parts_that_are_refused(part: str, what: str) -> None:
    assert f"a workbook with {what}" in wrong(with_part(excel_rows(ROWS), part), "observations.xlsx")


def test_a_workbook_with_macros_under_another_name() -> None:
    raw = edited(
        excel_rows(ROWS),
        "[Content_Types].xml",
        "openxmlformats-officedocument.spreadsheetml.sheet.main",
        "ms-excel.sheet.macroEnabled.main",
    )
    assert "macros" in wrong(raw, "observations.xlsx")


@pytest.mark.parametrize(
    ("part", "start"), [(SHEET, "<worksheet"), ("xl/workbook.xml", "<workbook"), ("[Content_Types].xml", "<Types")]
)
def test_a_document_type_in_any_part(part: str, start: str) -> None:
    raw = edited(excel_rows(ROWS), part, start, f'<!DOCTYPE x [<!ENTITY a "b">]>{start}')
    assert f"a document type (DOCTYPE) in its part '{part}'" in wrong(raw, "observations.xlsx")


def test_a_document_type_in_the_texts() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
    raw = with_part(excel_rows(ROWS), "xl/sharedStrings.xml", laughs)
    assert "DOCTYPE" in wrong(raw, "observations.xlsx")


def test_a_document_type_in_another_encoding() -> None:
    raw = excel_rows(ROWS)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = [(n, archive.read(n)) for n in archive.namelist()]
    wide = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet/>'.encode("utf-16")
    assert "DOCTYPE" in wrong(zip_bytes([(n, wide if n == SHEET else c) for n, c in parts]), "observations.xlsx")


def test_a_sheet_that_lies_about_its_size() -> None:
    huge = edited(excel_rows(ROWS), SHEET, '<dimension ref="A1:D3"', '<dimension ref="A1:XFD1048576"')
    assert fields(bring(huge, "observations.xlsx")) == list(ROWS)
    far = edited(excel_rows(ROWS), SHEET, "</sheetData>", '<row r="999999999"><c r="A999999999"><v>1</v></c></row></sheetData>')
    assert "over 200,000 rows" in wrong(far, "observations.xlsx")
    wide = edited(excel_rows(ROWS), SHEET, "</row></sheetData>", '<c r="XFD3"><v>1</v></c></row></sheetData>')
    assert "over 100 columns" in wrong(wide, "observations.xlsx")


@pytest.mark.parametrize(
    ("old", "new"),
    [('r="B2"', 'r="XFD2"'), ('r="B2"', 'r="A2"'), ('r="B2"', 'r="B7"'), ('r="B2"', 'r="b2"'), ('<row r="3"', '<row r="2"'),
     ('<row r="3"', '<row r="9"'), ('<row r="3"', '<row r="-3"'), ('<row r="3"', '<row r="0"')],
)  # fmt: skip
def test_cells_that_openpyxl_would_drop(old: str, new: str) -> None:
    assert "out of order" in wrong(edited(excel_rows(ROWS), SHEET, old, new), "observations.xlsx")


def test_the_limits_of_a_zip_hold_before_anything_is_parsed() -> None:
    bomb = with_part(excel_rows(ROWS), "xl/worksheets/sheet2.xml", b" " * 30_000_000)
    assert "zip bomb" in wrong(bomb, "observations.xlsx")
    assert "over 5 files" in wrong(excel_rows(ROWS), "observations.xlsx", Limits(parts=5))
    assert "unpacks to over 1,000 bytes" in wrong(excel_rows(ROWS), "observations.xlsx", Limits(unpacked=1_000))


def test_a_zip_that_is_no_workbook() -> None:
    assert "does not read" in wrong(zip_bytes([("a.xml", b"<a/>")]), "observations.xlsx")
