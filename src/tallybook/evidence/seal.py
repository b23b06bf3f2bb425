"""Sealed counts: two parties commit to a hash before either count is opened, so that neither can write down what the other found.

The commitment is a hash with a random nonce (Halevi and Micali, CRYPTO 1996; here SHA-256, as in git, TLS and our ledger):

    seal = SHA-256("tallybook sealed count v1" LF JSON)

where JSON is RFC 8785 JSON of {"by", "nonce", "of", "rows", "table"}. The 32 bytes of the nonce hide a count that could be
guessed; who counts and what is counted are in the hash, so that a seal copied by another opens for nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tallybook.errors import TallybookError
from tallybook.evidence.ingest.gather import cell_fault
from tallybook.evidence.ingest.lookalike import mixed, skeleton, unseen_character
from tallybook.evidence.ingest.told import told
from tallybook.ledger.entry import canonical_json

DOMAIN = b"tallybook sealed count v1\n"
NONCE_SIZE = 32
LARGEST_SEAL = 4_000
LARGEST_OPENING = 4_000_000
MOST_ROWS = 5_000
MOST_COLUMNS = 60
LONGEST_NAME = 200
"""Characters in the name of a party or of what is counted."""
REQUIRED = ("id", "by", "of", "seal", "sealed_at", "known_at")
OPENED = ("opened_at", "nonce", "rows")
"""Columns that are blank while a count is sealed."""
COLUMNS = (*REQUIRED, *OPENED, "note")
"""The columns of a table of seals."""
ASIDE = frozenset(("marking", "exhibits", "known_to"))
"""Columns that a desk adds to a row: they are no part of a count."""
TELLERS = frozenset(
    [
        "id",
        "source_id",
        "observer",
        "counting_unit",
        "citation",
        "basis",
        "note",
        "statement",
        "known_at",
        "reported_at",
        "grade",
        "graded_by",
        "grade_reviewed_by",
    ]
)
"""Columns that say who tells a row, and when: two counts of one thing differ in them."""
KEYS = {"vessels": "name", "observations": "vessel"}
"""The column that says what a row is a count of."""
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COLUMN = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?", re.ASCII)

Row = Mapping[str, str]


class SealError(TallybookError):
    """Something that cannot be a seal, its opening, or a count to seal."""


class NotItsOpeningError(SealError):
    """An opening that does not fit a seal: another's, or of a count that was changed after sealing."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What is lodged with the other side before either opens: who counts, what is counted, and the hash in hex."""

    by: str
    of: str
    seal: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What is kept secret until both are sealed: the nonce in hex, and the rows of a table without their blanks, by id."""

    by: str
    of: str
    nonce: str
    table: str
    rows: tuple[Row, ...]


def opening_of(by: str, of: str, nonce: bytes, table: str, rows: Iterable[Row], where: str = "") -> Opening:
    """The opening of a count. Raises SealError for names, a nonce or rows that cannot be sealed."""
    if len(nonce) != NONCE_SIZE:
        raise SealError(f"a nonce of {len(nonce)} bytes", where=where, do=f"draw {NONCE_SIZE} random bytes")
    counted = sorted((counted_row(row) for row in rows), key=lambda row: row.get("id", ""))
    found = Opening(_name(by, "by", where), _name(of, "of", where), nonce.hex(), table, tuple(counted))
    _check_rows(found, where)
    return found


def counted_row(row: Row) -> dict[str, str]:
    """What of a row is sealed: its fields that are not blank, without those that a desk adds."""
    return {column: text.strip() for column, text in row.items() if text.strip() and column not in ASIDE}


def sealed_bytes(opening: Opening) -> bytes:
    """The bytes whose SHA-256 is the seal."""
    rows = [dict(row) for row in opening.rows]
    return DOMAIN + canonical_json(
        {"by": opening.by, "nonce": opening.nonce, "of": opening.of, "rows": rows, "table": opening.table}
    )


def seal_of(opening: Opening) -> Seal:
    """The seal of a count."""
    return Seal(opening.by, opening.of, sha256(sealed_bytes(opening)).hexdigest())


def seal_id(seal: Seal) -> str:
    """The id of a seal in reports/seals.csv. It follows from the seal and whose it is, so that a copy cannot take its place."""
    return f"SEAL-{sha256(canonical_json([seal.by, seal.of, seal.seal])).hexdigest()[:16]}"


def check_opening(seal: Seal, opening: Opening, where: str = "") -> None:
    """Hold an opening against a seal. Raises NotItsOpeningError that says whether it is another's, or was changed."""
    if (seal.by, seal.of) != (opening.by, opening.of):
        what = f"the opening of {told(opening.by)} for {told(opening.of)}, and the seal is of {told(seal.by)} for {told(seal.of)}"
        raise NotItsOpeningError(what, where=where, do="give the opening that was made with this seal")
    if seal_of(opening).seal != seal.seal:
        what = f"changed after sealing: the count or the nonce that {told(seal.by)} opens is not the one that was sealed"
        raise NotItsOpeningError(what, where=where, do="ask for the opening that was made with this seal; take no other")


def write_seal(seal: Seal) -> bytes:
    """The public file."""
    return canonical_json({"by": seal.by, "of": seal.of, "seal": seal.seal, "v": 1}) + b"\n"


def write_opening(opening: Opening) -> bytes:
    """The secret file."""
    rows = [dict(row) for row in opening.rows]
    head = {"by": opening.by, "nonce": opening.nonce, "of": opening.of, "table": opening.table, "v": 1}
    return canonical_json({**head, "rows": rows}) + b"\n"


def read_seal(raw: bytes, where: str) -> Seal:
    """Read a public file. Raises SealError for anything but what `write_seal` writes."""
    data = _read(raw, where, LARGEST_SEAL, ("by", "of", "seal", "v"))
    return Seal(_name(data["by"], "by", where), _name(data["of"], "of", where), _hex(data["seal"], "seal", where))


def read_opening(raw: bytes, where: str) -> Opening:
    """Read a secret file. Raises SealError for anything but what `write_opening` writes."""
    data = _read(raw, where, LARGEST_OPENING, ("by", "nonce", "of", "rows", "table", "v"))
    rows = data["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SealError("`rows` is no list of rows", where=where, do=_AS_WRITTEN)
    by, of, nonce = _name(data["by"], "by", where), _name(data["of"], "of", where), _hex(data["nonce"], "nonce", where)
    if not isinstance(data["table"], str) or not _COLUMN.fullmatch(data["table"]):
        raise SealError("`table` is no name of a table", where=where, do=_AS_WRITTEN)
    found = Opening(by, of, nonce, data["table"], tuple(rows))
    _check_rows(found, where)
    return found


_AS_WRITTEN = "give the file as `tallybook count seal` wrote it"


class _KeyTwiceError(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyTwiceError
    return found


def _refuse(text: str) -> Any:
    raise ValueError(text[:20])


def _read(raw: bytes, where: str, largest: int, keys: Sequence[str]) -> dict[str, Any]:
    """The mapping that a file holds, in the one form it may have: RFC 8785 JSON and a line end. Raises SealError."""
    if len(raw) > largest:
        raise SealError(f"larger than {largest:,} bytes", where=where, do=_AS_WRITTEN)
    try:
        # A number other than the version has no place here, and a huge one would take long to read.
        data = json.loads(raw.decode(), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse, parse_int=_version)
    except _KeyTwiceError:
        raise SealError("a key twice: it would mean two things", where=where, do=_AS_WRITTEN) from None
    except (ValueError, RecursionError):
        raise SealError("not JSON of texts in UTF-8: cut off, or changed", where=where, do=_AS_WRITTEN) from None
    if not isinstance(data, dict) or set(data) != set(keys):
        raise SealError(f"not the keys {', '.join(keys)}", where=where, do=_AS_WRITTEN)
    if type(data["v"]) is not int or data["v"] != 1:
        raise SealError("of another version", where=where, do="read it with the Tallybook that wrote it")
    try:
        is_whole = raw.removesuffix(b"\n") == canonical_json(data)
    except (TallybookError, RecursionError):
        is_whole = False
    if not is_whole:
        raise SealError("not in the one form it may have (RFC 8785 JSON)", where=where, do=_AS_WRITTEN)
    return data


def _version(text: str) -> int:
    if len(text) > 3:
        raise ValueError(text[:20])
    return int(text)


def _hex(text: Any, field: str, where: str) -> str:
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise SealError(f"`{field}` is not 64 hexadecimal digits in small letters", where=where, do=_AS_WRITTEN)
    return text


def _name(text: Any, field: str, where: str) -> str:
    """The name of a party or of what is counted. Raises SealError for one that could be taken for another."""
    if not isinstance(text, str) or not text.strip() or text != text.strip() or len(text) > LONGEST_NAME:
        raise SealError(
            f"`{field}` is no name of 1 to {LONGEST_NAME} characters", where=where, do="name it, without blanks around"
        )
    if wrong := cell_fault(text):
        raise SealError(f"`{field}` {wrong[0]}", where=where, do=wrong[1])
    if unseen_character(text) or mixed(text) or not text.isprintable():
        raise SealError(f"`{field}` has letters of several scripts in a word, or one that does not show", where=where, do=_PLAIN)
    return text


_PLAIN = "write it in one script, on one line"


def _check_rows(opening: Opening, where: str) -> None:
    """Raise SealError for rows that are none, too many, out of order, or not what `counted_row` makes."""
    rows = opening.rows
    if not 0 < len(rows) <= MOST_ROWS:
        raise SealError(f"{len(rows)} rows", where=where, do=f"seal 1 to {MOST_ROWS:,} rows")
    for row in rows:
        if len(row) > MOST_COLUMNS:
            raise SealError(f"over {MOST_COLUMNS} columns", where=where, do="seal the columns of the table")
        for column, text in row.items():
            if not _COLUMN.fullmatch(column) or not isinstance(text, str):
                raise SealError(
                    f"{told(column)} is no column of texts", where=where, do="write each value as text, in the columns"
                )
            if wrong := cell_fault(text):
                raise SealError(f"`{column}` {wrong[0]}", where=where, do=wrong[1])
        if dict(row) != counted_row(row):
            raise SealError("a row with blanks, or columns that are no part of a count", where=where, do=_AS_WRITTEN)
    ids = [row.get("id", "") for row in rows]
    if not all(ids) or ids != sorted(set(ids)):
        raise SealError("rows without an id, with one twice, or not in the order of their ids", where=where, do="number the rows")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two counts differ: the thing counted, the column, and what each says (blank: nothing)."""

    key: str
    field: str
    ours: str
    theirs: str


def same_party(one: str, other: str) -> bool:
    """Whether two names are, or look to the eye as, one."""
    return skeleton(one) == skeleton(other)


def differences(ours: Opening, theirs: Opening, key: str = "", fields: Sequence[str] = ()) -> list[Difference]:
    """Every difference between two counts, row by row of the `key` (default: what the table has), in `fields` or all but TELLERS.

    Raises SealError for counts of different tables, rows without the key, and two rows of one key.
    """
    if ours.table != theirs.table:
        raise SealError(f"counts of different tables, {ours.table} and {theirs.table}", do="compare counts of one table")
    column = key or KEYS.get(ours.table, "id")
    one, other = _by_key(ours, column), _by_key(theirs, column)
    found: list[Difference] = []
    for name in sorted({*one, *other}):
        if name not in one or name not in other:
            found.append(Difference(name, "", "counted" if name in one else "", "counted" if name in other else ""))
            continue
        for field in fields or sorted(({*one[name], *other[name]}) - TELLERS):
            left, right = one[name].get(field, ""), other[name].get(field, "")
            if not _equal(left, right):
                found.append(Difference(name, field, left, right))
    return found


def _by_key(opening: Opening, column: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in opening.rows:
        name = row.get(column, "")
        if not name or name in found:
            what = f"{opening.by}: two rows for {told(name)}" if name else f"{opening.by}: a row without `{column}`"
            raise SealError(what, do="name with --key a column that each row has, with another value in each")
        found[name] = row
    return found


def _equal(one: str, other: str) -> bool:
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        return Decimal(one) == Decimal(other)
    return one == other
