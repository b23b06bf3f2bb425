"""Parquet: flat columns of texts, numbers and dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from evidence.ingest.making import ROWS, bring, fields, parquet_bytes, parquet_rows, wrong
from tallybook.evidence.ingest.extras import needed
from tallybook.evidence.ingest.limits import Limits

FILE = "observations.parquet"


def one(value: object, **how: object) -> bytes:
    return parquet_bytes({"id": ["R-1"], "statement": ["x"], "place": [None], "count": [value]}, **how)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (2**62, "4611686018427387904"),
        (-82.5, "-82.5"),
        (0.1, "0.1"),
        (3.0, "3"),
        (Decimal("12.50"), "12.5"),
        ("007", "007"),
        ("'=x", "'=x"),
        (date(1962, 10, 14), "1962-10-14"),
        (datetime(1962, 10, 14, 11, 30), "1962-10-14T11:30:00"),
        (datetime(1962, 10, 14), "1962-10-14"),
        (datetime(1962, 10, 14, tzinfo=UTC), "1962-10-14T00:00:00+00:00"),
        (None, ""),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    assert fields(bring(one(value), FILE))[0]["count"] == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_numbers_that_cannot_be_written_out(value: float) -> None:
    assert f"{FILE}:1 [count]: no number" in wrong(one(value), FILE)


@pytest.mark.parametrize("value", [True, b"x", [1], {"a": 1}, time(11, 30)])
def test_columns_that_no_field_holds(value: object) -> None:
    text = wrong(one(value), FILE)
    assert f"{FILE} [count]: 'count' holds" in text


@pytest.mark.parametrize("codec", ["zstd", "gzip", "brotli", "lz4"])
def test_codecs_that_can_hold_gigabytes_in_a_page(codec: str) -> None:
    assert f"packed with '{codec.upper()}'" in wrong(one("x", compression=codec), FILE)


@pytest.mark.parametrize("codec", ["none", "snappy"])
def test_codecs_that_are_read(codec: str) -> None:
    assert fields(bring(one("x", compression=codec), FILE))[0]["count"] == "x"


def test_nanoseconds_are_read_where_they_are_none() -> None:
    arrow = needed("pyarrow", "parquet", "tests")
    for value, good in ((1_500_000_000_000_000_000, True), (1_500_000_000_000_000_001, False)):
        column = arrow.array([value], arrow.timestamp("ns"))
        raw = parquet_bytes({"id": ["R-1"], "statement": ["x"], "place": [""], "count": column})
        if good:
            assert fields(bring(raw, FILE))[0]["count"] == "2017-07-14T02:40:00"
        else:
            assert wrong(raw, FILE)


def test_a_column_of_words_kept_once() -> None:
    arrow = needed("pyarrow", "parquet", "tests")
    column = arrow.array(["a", "b", "a"]).dictionary_encode()
    raw = parquet_bytes({"id": ["1", "2", "3"], "statement": column, "place": [None] * 3, "count": [1, 2, None]})
    assert [row["statement"] for row in fields(bring(raw, FILE))] == ["a", "b", "a"]


def test_rows_are_numbered_over_batches() -> None:
    many = [{**ROWS[0], "id": f"R-{n}"} for n in range(2_500)]
    brought = bring(parquet_rows(many), FILE)
    assert [row.line for row in brought.rows["observations"]] == list(range(1, 2_501))
    assert fields(brought) == many


def test_a_few_bytes_that_hold_much() -> None:
    long: dict[str, Sequence[object]] = {
        "id": [f"{n}" for n in range(3_000)],
        "statement": ["x" * 50_000] * 3_000,
        "place": [""] * 3_000,
        "count": [1] * 3_000,
    }
    raw = parquet_bytes(long)
    assert len(raw) < 200_000
    assert "unpacks to over 128,000,000 bytes" in wrong(raw, FILE)
    assert "over 2,999 rows" in wrong(raw, FILE, Limits(rows=2_999))


def test_a_file_that_is_cut_off_or_encrypted() -> None:
    assert "cut off" in wrong(one("x")[:-1], FILE)
    assert "named .parquet, but" in wrong(b"PARE" + one("x")[4:], FILE)
    assert "cut off, or encrypted" in wrong(one("x")[:-4] + b"PARE", FILE)


def test_a_column_twice() -> None:
    arrow = needed("pyarrow", "parquet", "tests")
    table = arrow.Table.from_arrays([arrow.array(["x"])] * 2, names=["id", "id"])
    sink = arrow.BufferOutputStream()
    needed("pyarrow.parquet", "parquet", "tests").write_table(table, sink)
    assert "a column twice" in wrong(sink.getvalue().to_pybytes(), FILE)
