"""CSV, read strictly: all of it or none, and the line of every fault."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import Fault
from tallybook.evidence.ingest.table import LONGEST_FIELD, Row, read_table

FILE = "reports/t.csv"
COLUMNS = ("id", "text", "note")


def read(text: str | bytes) -> tuple[list[Row], list[Fault]]:
    return read_table(text if isinstance(text, bytes) else text.encode(), FILE, COLUMNS)


def only_fault(text: str | bytes) -> Fault:
    rows, faults = read(text)
    assert rows == []
    (fault,) = faults
    assert fault.file == FILE
    assert fault.do
    return fault


def test_rows_with_their_lines() -> None:
    rows, faults = read('id,text,note\n1, a ,b\n2,"two\nlines, ""quoted""",x\n3,,\n')
    assert faults == []
    assert [row.line for row in rows] == [2, 3, 5]
    assert rows[0].fields == {"id": "1", "text": "a", "note": "b"}
    assert rows[1]["text"] == 'two\nlines, "quoted"'
    assert rows[2]["note"] == ""
    assert rows[0]["no such column"] == ""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_line(end: str) -> None:
    rows, faults = read(end.join(["id,text,note", "1,a,b", "2,c,d"]))
    assert faults == []
    assert [(row.line, row["text"]) for row in rows] == [(2, "a"), (3, "c")]


def test_columns_in_any_order_and_only_a_header() -> None:
    assert read("note,id,text\nb,1,a\n")[0][0].fields == {"id": "1", "text": "a", "note": "b"}
    assert read("id,text,note\n") == ([], [])


def test_optional_columns() -> None:
    rows, faults = read_table(b"id,text,note,more\n1,a,b,c\n", FILE, COLUMNS, ("more",))
    assert faults == []
    assert rows[0]["more"] == "c"


def test_an_unknown_a_missing_and_a_double_column_are_told_at_once() -> None:
    rows, faults = read("id,colour,id,text\n1,a,b,c\n")
    assert rows == []
    assert {(f.line, f.field) for f in faults} == {(1, "colour"), (1, "note"), (1, "id")}
    assert all("id, text, note" in f.do or f.do == "keep one" for f in faults)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('id,text,note\n1,"a,b\n2,c,d\n', 2),
        ('id,text,note\n1,a,b\n2,c,"d\n3,e,f\n4,g,h\n', 3),
        ('id,text,note\n1,"a\nb",c\n2,d,"e\n', 4),
        ('id,text,note\n1,"closed\nlater","open\n2,a,b\n', 3),
        ('id,text,note\n1,a,b\n"', 3),
        ('"id,text,note\n', 1),
    ],
)
def test_an_unclosed_quote_names_the_line_where_it_opens(text: str, line: int) -> None:
    fault = only_fault(text)
    assert "never closed" in fault.what
    assert fault.line == line


def test_a_quote_that_is_closed_by_a_later_one_names_the_row() -> None:
    fault = only_fault('id,text,note\n1,"a,b\n2,"c",d\n')
    assert fault.line == 2
    assert '""' in fault.do


@pytest.mark.parametrize(("row", "count"), [("1,a", 2), ("1,a,b,c", 4), ("", 0), ("1", 1)])
def test_a_ragged_row(row: str, count: int) -> None:
    fault = only_fault(f"id,text,note\n1,a,b\n{row}\n2,c,d\n")
    assert fault.line == 3
    assert f"{count} fields where the header has 3" in fault.what


def test_every_ragged_row_is_told() -> None:
    rows, faults = read("id,text,note\n1\n2,a,b\n3,a\n")
    assert rows == []
    assert [f.line for f in faults] == [2, 4]


@pytest.mark.parametrize("length", [LONGEST_FIELD + 1, 140_000, 200_000])
def test_a_field_without_end(length: int) -> None:
    for field in ("x" * length, '"' + "x" * length + '"'):
        fault = only_fault(f"id,text,note\n1,a,b\n2,{field},c\n")
        assert "100,000" in fault.what
        assert fault.line == 3


def test_the_longest_field_is_read() -> None:
    rows, faults = read(f"id,text,note\n1,{'x' * LONGEST_FIELD},b\n")
    assert faults == []
    assert len(rows[0]["text"]) == LONGEST_FIELD


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_byte_order_mark(mark: bytes) -> None:
    fault = only_fault(mark + b"id,text,note\n")
    assert fault.line == 1
    assert "byte-order mark" in fault.what


def test_latin_1_names_the_line_and_the_byte() -> None:
    fault = only_fault("id,text,note\n1,a,b\n2,K\u00f6ln,b\n".encode("latin-1"))
    assert fault.line == 3
    assert "0xf6" in fault.what
    assert "Latin-1" in fault.do


def test_nul() -> None:
    fault = only_fault(b"id,text,note\n1,a,b\n2,\0,b\n")
    assert fault.line == 3
    assert "NUL" in fault.what


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\x08", "\x7f", "\x9b"])
def test_a_control_character(char: str) -> None:
    fault = only_fault(f"id,text,note\n1,a,b\n2,{char}[2J,b\n")
    assert fault.line == 3
    assert char not in f"{fault}"


@pytest.mark.parametrize("text", ["", "\n", "\n\n1,a,b\n"])
def test_an_empty_file_is_told_what_to_begin_with(text: str) -> None:
    rows, faults = read(text)
    assert rows == []
    assert faults
    assert all("id" in f.do for f in faults)


@given(st.binary(max_size=120))
def test_no_bytes_raise_and_it_is_rows_or_faults(raw: bytes) -> None:
    for text in (raw, b"id,text,note\n" + raw):
        rows, faults = read(text)
        assert not (rows and faults)
        assert all(f.what and f.do and f.file == FILE for f in faults)


PIECES = st.sampled_from(["a", "1", ",", '"', "\n", "\r", "\r\n", " ", '""', "\u00e9", "\0", "\x1a", "\u2028", "id,text,note\n"])


@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_text_raises_and_nothing_is_half_read(text: str) -> None:
    rows, faults = read("id,text,note\n" + text)
    assert not (rows and faults)
    if not faults:
        assert len(rows) == len(list(csv.reader(io.StringIO(text, newline=""), strict=True)))


FIELDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


@given(st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=6))
def test_what_a_csv_writer_writes_is_read(table: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *table])
    rows, faults = read(out.getvalue())
    assert faults == []
    assert [tuple(row.fields[c] for c in COLUMNS) for row in rows] == [tuple(v.strip() for v in r) for r in table]
