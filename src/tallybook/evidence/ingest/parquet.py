"""Parquet: one table of texts, numbers and dates. Needs the extra `parquet` (pyarrow).

Read a thousand rows at a time. Only uncompressed and Snappy columns are read: Snappy grows a column twentyfold at most,
while the other codecs can hold gigabytes in a few kilobytes, and a page says how large it is only once it is unpacked.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tallybook.evidence.ingest.extras import needed
from tallybook.evidence.ingest.gather import Gathering, StopReadingError, number_text
from tallybook.evidence.ingest.told import told

_BATCH = 1_000
_CODECS = ("UNCOMPRESSED", "SNAPPY")
_FLAT = "write one flat table of texts, numbers and dates"


def read_parquet(into: Gathering, file: str, stem: str, raw: bytes) -> None:
    """One table, named by the file. The line of a row is its number, from 1."""
    arrow = needed("pyarrow", "parquet", "reading .parquet")
    reader = needed("pyarrow.parquet", "parquet", "reading .parquet")
    if not raw.endswith(b"PAR1"):
        raise into.stop(file, 0, "a Parquet file that is cut off, or encrypted", "write it again, without encryption")
    table = into.table_of(file, [stem])
    into.begin(file, table)
    try:
        source = reader.ParquetFile(
            arrow.BufferReader(raw),
            thrift_string_size_limit=into.limits.bytes,
            thrift_container_size_limit=100_000,
            arrow_extensions_enabled=False,
        )
        _check(into, file, arrow, source)
        line = 0
        for batch in source.iter_batches(batch_size=_BATCH, use_threads=False):
            into.unpack(file, batch.nbytes)
            columns = [
                _column(into, file, line, name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            for texts in zip(*columns, strict=True):
                line += 1
                into.add(file, table, line, dict(zip(batch.schema.names, texts, strict=True)))
    except StopReadingError:
        raise
    except Exception as error:  # a foreign parser over hostile bytes: whatever it raises is a fault of the file
        raise into.stop(file, 0, f"a Parquet file that does not read ({type(error).__name__})", "write it again") from error


def _check(into: Gathering, file: str, arrow: Any, source: Any) -> None:
    """Hold what the file says of itself against the limits, before any column is read. Raises StopReadingError."""
    limits, meta, schema = into.limits, source.metadata, source.schema_arrow
    if meta.num_rows > limits.rows:
        raise into.stop(file, 0, f"over {limits.rows:,} rows", "split it")
    if meta.num_columns > limits.columns or meta.num_row_groups > limits.parts:
        raise into.stop(file, 0, f"over {limits.columns} columns, or {limits.parts:,} row groups", _FLAT)
    names = schema.names
    if len(set(names)) != len(names):
        raise into.stop(file, 0, "a column twice", "keep one")
    for name, kind in zip(names, schema.types, strict=True):
        if not _readable(arrow.types, kind):
            into.fault(file, 0, name if name.isprintable() else "", f"{told(name)} holds {told(str(kind))}", _FLAT)
    chunks = [meta.row_group(n).column(m) for n in range(meta.num_row_groups) for m in range(meta.num_columns)]
    if packed := sorted({chunk.compression for chunk in chunks} - set(_CODECS)):
        raise into.stop(file, 0, f"packed with {told(packed[0])}", "write it with compression snappy, or none")
    if sum(chunk.total_uncompressed_size for chunk in chunks) > limits.unpacked:
        raise into.stop(file, 0, f"unpacks to over {limits.unpacked:,} bytes", "split it")
    if into.faults:
        raise StopReadingError


def _readable(types: Any, kind: Any) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    asked = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_decimal, types.is_date)
    return any(ask(kind) for ask in asked) or types.is_timestamp(kind) or types.is_null(kind)


def _column(into: Gathering, file: str, before: int, name: str, column: Any) -> list[str]:
    if str(column.type).startswith("timestamp[ns"):
        column = column.cast(str(column.type).replace("[ns", "[us"))
    texts = []
    for line, value in enumerate(column.to_pylist(), before + 1):
        text = _text(value)
        if text is None or (len(text) > into.limits.digits and not isinstance(value, str)):
            into.fault(file, line, name if name.isprintable() else "", "no number that can be written out", "leave it blank")
            text = ""
        texts.append(text)
    return texts


def _text(value: object) -> str | None:
    """A value as text: null is blank; None for what is not finite."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        whole = value.tzinfo is None and (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if whole else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return number_text(value) or None
    return None
