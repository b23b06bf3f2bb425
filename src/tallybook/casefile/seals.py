"""reports/seals.csv: sealed counts that were lodged, and what was opened held against them.

A seal is lodged as a row; opening it fills in the nonce and the ids of the rows of reports that were counted. From then on the
rows are held against the seal: a count that is changed later no longer fits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from zoneinfo import ZoneInfo

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.files import Files, UnreadableFileError
from tallybook.casefile.marked import read_loosely
from tallybook.core.time import Moment
from tallybook.errors import Fault, TallybookError
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.table import Row, read_table
from tallybook.evidence.ingest.told import told
from tallybook.evidence.seal import (
    COLUMNS,
    MOST_ROWS,
    OPENED,
    REQUIRED,
    NotItsOpeningError,
    Opening,
    Seal,
    SealError,
    check_opening,
    opening_of,
    same_party,
    seal_id,
)

FILE = "reports/seals.csv"
MOST_SEALS = 5_000
MOST_OF_ONE = 20
"""So many seals may there be of one thing counted."""
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SealRecord:
    """A row of the table. Times are as asserted; what the ledger recorded is told by `tallybook count show`.

    `opening` is None while the count is sealed; `rows` are the ids of the rows of reports that were opened.
    """

    id: str
    seal: Seal
    sealed: Moment
    known: Moment
    opened: Moment | None
    opening: Opening | None
    rows: tuple[str, ...]
    line: int


@dataclass(slots=True)
class SealsRead:
    """The seals of a case, their faults, and notes on what a person should know of them."""

    records: Sequence[SealRecord] = ()
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


def read_seals(files: Files, tz: ZoneInfo) -> SealsRead:
    """Read the seals and hold what was opened against them. Nothing where the case has none; never raises for what is in it."""
    if not files.has(FILE):
        return SealsRead()
    try:
        rows, faults = read_table(files.read(FILE), FILE, REQUIRED, (*COLUMNS[len(REQUIRED) :], MARKING), MOST_SEALS)
    except UnreadableFileError as error:
        return SealsRead(faults=[Fault(FILE, 0, "", error.what, error.do)])
    read = SealsRead(faults=faults)
    reading = ingest.Reading(FILE, ingest.Lists(tz, (), (), (), {}, (), ()))
    counted = _counted(files) if any(row["rows"] for row in rows) else {}
    found = [record for row in rows if (record := _record(reading, row, counted)) is not None]
    read.faults += reading.faults
    read.records = found
    read.faults += _twice(found)
    read.notes += _notes(found)
    return read


def _counted(files: Files) -> dict[str, tuple[str, dict[str, str]]]:
    """Every row of reports by its id, with its table."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for table in ingest.TABLES:
        name = f"reports/{table}.csv"
        try:
            rows = read_loosely(files.read(name)).rows if files.has(name) else []
        except UnreadableFileError:
            rows = []
        for row in rows:
            found.setdefault(row.get("id", "").strip(), (table, row))
    return found


def _record(reading: ingest.Reading, row: Row, counted: Mapping[str, tuple[str, dict[str, str]]]) -> SealRecord | None:
    before = len(reading.faults)
    name = reading.identifier(row)
    sealed, known, opened = reading.must(row, "sealed_at"), reading.must(row, "known_at"), reading.when(row, "opened_at")
    for column in ("by", "of"):
        if not row[column]:
            reading.fault(row, column, "blank", "say who sealed the count, and what was counted")
    for column in ("seal", "nonce"):
        if (row[column] or column == "seal") and not _HEX.fullmatch(row[column]):
            reading.fault(row, column, "not 64 hexadecimal digits in small letters", "copy it from the file of the seal")
    _check_times(reading, row, sealed, known, opened)
    ids = tuple(row["rows"].replace(";", " ").split())
    if len(ids) > MOST_ROWS:
        reading.fault(row, "rows", f"over {MOST_ROWS:,} rows", "seal fewer at once")
    given = [bool(row[column]) for column in OPENED]
    if any(given) and not all(given):
        reading.fault(row, "opened_at", "opened in part", "an opening has opened_at, nonce and rows; a sealed count none of them")
    if len(reading.faults) > before or sealed is None or known is None:
        return None
    seal = Seal(row["by"], row["of"], row["seal"])
    if seal_id(seal) != name:
        reading.fault(
            row, "id", f"{told(name)} is not the id of this seal", f"write {seal_id(seal)}: the id follows from the seal"
        )
    opening = _opening(reading, row, seal, ids, counted) if ids else None
    return SealRecord(name, seal, sealed, known, opened, opening, ids, row.line)


def _check_times(reading: ingest.Reading, row: Row, sealed: Moment | None, known: Moment | None, opened: Moment | None) -> None:
    if sealed and known and sealed.first > known.last:
        reading.fault(row, "known_at", f"{known.text} is before {sealed.text}, when it was sealed", "correct one of the two")
    if sealed and opened and opened.last < sealed.first:
        reading.fault(row, "opened_at", f"{opened.text} is before {sealed.text}, when it was sealed", "correct one of the two")


def _opening(
    reading: ingest.Reading, row: Row, seal: Seal, ids: Sequence[str], counted: Mapping[str, tuple[str, dict[str, str]]]
) -> Opening | None:
    """What was opened, put together from the rows on file and held against the seal."""
    missing = [name for name in ids if name not in counted]
    if missing:
        what = f"changed after sealing: {told(missing[0])} of this count is not on file"
        reading.fault(row, "rows", what, "file the rows that were sealed, as they were")
        return None
    tables = sorted({counted[name][0] for name in ids})
    if len(tables) > 1 or len(set(ids)) != len(ids):
        what = f"rows of {' and '.join(tables)}" if len(tables) > 1 else "a row twice"
        reading.fault(row, "rows", what, "a count is rows of one table, each once")
        return None
    try:
        opening = opening_of(seal.by, seal.of, bytes.fromhex(row["nonce"]), tables[0], (counted[name][1] for name in ids))
        check_opening(seal, opening)
    except NotItsOpeningError as error:
        do = "file the rows as they were sealed; what was learnt later is a row of its own"
        reading.fault(row, "rows", error.what, do)
        return None
    except SealError as error:
        reading.fault(row, "rows", error.what, error.do)
        return None
    except TallybookError as error:
        reading.fault(row, "rows", error.what, "correct the rows")
        return None
    return opening


def _twice(records: Sequence[SealRecord]) -> list[Fault]:
    """Seals that are one hash: the later copied the first. And one id twice, and too many of one thing."""
    faults: list[Fault] = []
    hashes: dict[str, SealRecord] = {}
    ids: dict[str, SealRecord] = {}
    counts: dict[str, int] = {}
    for record in records:
        first = hashes.setdefault(record.seal.seal, record)
        if first is not record and ids.get(record.id) is None:
            what = f"a copy of the seal of {told(first.seal.by)} (line {first.line}): it opens for nobody else"
            faults.append(Fault(FILE, record.line, "seal", what, "lodge a seal of one's own count"))
        if ids.setdefault(record.id, record) is not record:
            what = f"id {record.id!r} twice (first on line {ids[record.id].line})"
            faults.append(Fault(FILE, record.line, "id", what, "keep one"))
        counts[record.seal.of] = counts.get(record.seal.of, 0) + 1
        if counts[record.seal.of] == MOST_OF_ONE + 1:
            what = f"over {MOST_OF_ONE} seals of {told(record.seal.of)}"
            faults.append(Fault(FILE, record.line, "of", what, "say more closely what was counted"))
    return faults


@dataclass(frozen=True, slots=True)
class Timed:
    """When a count was sealed and opened, by some clock: the parties' word, or the ledger's."""

    by: str
    sealed: Moment
    opened: Moment | None


def order_words(one: Timed, other: Timed) -> list[str]:
    """What is wrong with the order of two seals of one thing: each must be sealed before either is opened.

    Times to the day are not an order: what cannot be told from them is said to be not shown.
    """
    found = []
    for first, second in ((one, other), (other, one)):
        if first.opened is None:
            if second.opened is not None:
                found.append(f"{told(first.by)} never opened, and {told(second.by)} did")
        elif second.sealed.first > first.opened.last:
            found.append(f"{told(first.by)} opened before {told(second.by)} had sealed: {told(second.by)} could know that count")
        elif second.sealed.last >= first.opened.first:
            found.append(
                f"it is not shown that {told(second.by)} sealed before {told(first.by)} opened: give times to the minute"
            )
    return found


def _notes(records: Sequence[SealRecord]) -> list[Fault]:
    """What is well formed and still worth knowing, by what was counted."""
    notes: list[Fault] = []
    groups: dict[str, list[SealRecord]] = {}
    for record in records:
        groups.setdefault(record.seal.of, []).append(record)
    for of, group in groups.items():
        for one, other in combinations(group[:MOST_OF_ONE], 2):
            if same_party(one.seal.by, other.seal.by):
                what = f"{told(of)}: {told(other.seal.by)} has sealed before (line {one.line}), and may choose which to open"
                notes.append(Fault(FILE, other.line, "by", what, "ask why; the first seal is the one that binds"))
                continue
            timed = (Timed(record.seal.by, record.sealed, record.opened) for record in (one, other))
            for words in order_words(*timed):
                do = "times here are as asserted; tallybook count show gives those of the ledger"
                notes.append(Fault(FILE, other.line, "opened_at", f"{told(of)}: {words}", do))
        if len(group) == 1 and group[0].opened is not None:
            what = f"{told(of)}: opened by {told(group[0].seal.by)}, and nobody else has sealed a count of it"
            notes.append(Fault(FILE, group[0].line, "of", what, "two seals are needed for either to mean anything"))
    return notes
