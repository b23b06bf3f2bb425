"""What a spreadsheet opens is never run, and every cell reads back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallybook.evidence.ingest.safe_cells import LEADING, opened, safe, table_text
from tallybook.evidence.ingest.table import read_table

CELLS = st.text(st.sampled_from("'=+-@\t\r\n 1.a\"," + "\uff1d\uff0b\uff0d\uff20\u00a0"), max_size=8) | st.text(max_size=12)


@pytest.mark.parametrize("char", list(LEADING))
@pytest.mark.parametrize("before", ["", "'", "''", "'''"])
def test_each_leading_character_gets_one_apostrophe(char: str, before: str) -> None:
    text = f"{before}{char}cmd|' /C calc'!A0"
    assert safe(text) == f"'{text}"
    assert opened(safe(text)) == text


@pytest.mark.parametrize("text", ["-82.5", "-1", "-0.000", "12", "", "a=b", "'tis", "\u2013 5", "1-2", "x@y"])
def test_plain_text_and_plain_numbers_stay(text: str) -> None:
    assert safe(text) == text
    assert opened(text) == text


@pytest.mark.parametrize("text", ["-1e5", "--1", "-1+2", "-\u0661", "+5", "-.5", "-1\n=1", " =1", "\u00a0=1", "' =1"])
def test_what_is_nearly_a_number_or_nearly_hidden_gets_one(text: str) -> None:
    assert safe(text) == f"'{text}"


@given(CELLS)
@example("'-1")
@example("'\t")
@example("\r")
def test_opened_undoes_safe_for_every_text(text: str) -> None:
    assert opened(safe(text)) == text
    assert safe(text) == text or not safe(text).startswith(tuple(LEADING))


@given(CELLS)
def test_nothing_that_is_written_begins_a_formula(text: str) -> None:
    shown = safe(text).strip()
    assert not shown.startswith(tuple("=+@\uff1d\uff0b\uff0d\uff20"))
    assert not shown.startswith("-") or shown[1:].replace(".", "", 1).isdigit()


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_a_table_is_csv_to_anybody(rows: list[tuple[str, str]]) -> None:
    made = table_text(("a", "b"), [{"a": a, "b": b} for a, b in rows])
    assert list(csv.reader(io.StringIO(made, newline=""), strict=True)) == [["a", "b"], *([safe(a), safe(b)] for a, b in rows)]


PRINTED = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("'=+-@\t\n\r"), max_size=10)


@given(st.lists(st.tuples(PRINTED, PRINTED), max_size=5))
def test_our_own_reader_gives_back_what_was_written(rows: list[tuple[str, str]]) -> None:
    made = table_text(("a", "b"), [{"a": a, "b": b} for a, b in rows])
    read, faults = read_table(made.encode(), "t.csv", ("a", "b"))
    assert faults == []
    assert [(row["a"], row["b"]) for row in read] == [(a.strip(), b.strip()) for a, b in rows]


def test_a_row_may_lack_a_column_and_have_no_other() -> None:
    assert table_text(("a", "b"), [{"b": "x,y"}]) == 'a,b\n,"x,y"\n'
    with pytest.raises(ValueError, match="c"):
        table_text(("a", "b"), [{"c": "x"}])
