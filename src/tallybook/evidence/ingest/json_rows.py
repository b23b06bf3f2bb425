"""JSON and JSON Lines: arrays of flat objects, every key once, every number as it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallybook.core.plaintext import NotPlainTextError, plain_text
from tallybook.evidence.ingest.gather import Gathering
from tallybook.evidence.ingest.told import told

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class NotText:
    """A value that no field can hold: what it is, and what to do about it."""

    what: str
    do: str


class Number(str):
    """A number, as written."""

    __slots__ = ()


def decoded(into: Gathering, file: str, raw: bytes) -> str:
    """The bytes as plain text. Raises StopReadingError."""
    try:
        return plain_text(raw)
    except NotPlainTextError as error:
        raise into.stop(file, error.line, error.what, error.do) from error


def parsed(into: Gathering, file: str, text: str, line: int = 0) -> Any:
    """The value of a JSON text, with numbers as Number and what is no JSON of ours as NotText. Raises StopReadingError.

    Depth and size are checked before the text is parsed, so that neither the stack nor the memory is what stops it.
    """
    depth = opened = commas = 0
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark == ",":
            commas += 1
        elif mark in "[{":
            depth, opened = depth + 1, opened + 1
        elif mark in "]}":
            depth -= 1
        if depth > into.limits.depth:
            raise into.stop(file, line, f"brackets over {into.limits.depth} deep", "write flat objects: a name and a text each")
        if opened > 4 * into.limits.rows + 100 or commas > 4 * into.limits.cells + 100:
            raise into.stop(file, line, f"over {into.limits.rows:,} rows or {into.limits.cells:,} fields", "split it")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_constant)
    except json.JSONDecodeError as error:
        at, what = line or error.lineno, f"not JSON: {error.msg.lower()} at column {error.colno}"
        raise into.stop(file, at, what, "correct it; every text in double quotes, no comma after the last") from error
    except RecursionError as error:
        raise into.stop(file, line, "brackets too deep", "write flat objects: a name and a text each") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | NotText:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return NotText(f"the key {told(key)} is there twice", "keep one")
        seen.add(key)
    raise AssertionError


def _constant(name: str) -> NotText:
    return NotText(f"{name} is not a number", "write null where it is unknown")


def fields_of(into: Gathering, file: str, line: int, record: Any) -> dict[str, str] | None:
    """The fields of a flat object as text, or None where it is none (then noted). null is blank."""
    if isinstance(record, NotText):
        into.fault(file, line, "", record.what, record.do)
        return None
    if not isinstance(record, dict):
        into.fault(file, line, "", f"{kind(record)} where an object is due", 'write {"column": "text", …}')
        return None
    fields: dict[str, str] = {}
    for name, value in record.items():
        column = name if name.isprintable() and len(name) <= into.limits.name else ""
        if isinstance(value, Number) and len(value) > into.limits.digits:
            into.fault(file, line, column, f"a number of {len(value):,} characters", f"write {into.limits.digits} at most")
        elif isinstance(value, str):
            fields[name] = str(value)
        elif value is None:
            fields[name] = ""
        elif isinstance(value, NotText):
            into.fault(file, line, column, value.what, value.do)
        else:
            into.fault(file, line, column, f"{kind(value)} where a text is due", "write a text, a number or null")
    return fields if len(fields) == len(record) else None


def kind(value: object) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NotText):
        return value.what
    names: Mapping[type, str] = {dict: "an object", list: "an array", Number: "a number", str: "a text", type(None): "null"}
    return names.get(type(value), "something else")


def read_json(into: Gathering, file: str, stem: str, raw: bytes) -> None:
    """`[{…}, …]` for one table, or `{"table": [{…}, …], …}` for several. The line of a row is the number of its record."""
    value = parsed(into, file, decoded(into, file, raw))
    if isinstance(value, NotText):
        raise into.stop(file, 0, value.what, value.do)
    if isinstance(value, list):
        value = {into.table_of(file, [stem]): value}
    if not isinstance(value, dict):
        raise into.stop(file, 0, f"{kind(value)} where an array is due", 'write [{"column": "text", …}, …]')
    for table, records in value.items():
        if table not in into.tables:
            what, do = f"{told(table)} names no table", f"the tables are: {', '.join(into.tables)}"
            into.fault(file, 0, "", what, do)
        elif not isinstance(records, list):
            into.fault(file, 0, table, f"{kind(records)} where an array is due", 'write [{"column": "text", …}, …]')
        else:
            into.begin(file, table)
            for number, record in enumerate(records, 1):
                fields = fields_of(into, file, number, record)
                if fields is not None:
                    into.add(file, table, number, fields)


def read_json_lines(into: Gathering, file: str, stem: str, raw: bytes) -> None:
    """An object a line, for one table."""
    table = into.table_of(file, [stem])
    into.begin(file, table)
    lines = decoded(into, file, raw).split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            into.fault(file, number, "", "blank line", "one object a line, and no blank ones")
            continue
        fields = fields_of(into, file, number, parsed(into, file, line, number))
        if fields is not None:
            into.add(file, table, number, fields)
