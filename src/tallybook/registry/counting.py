"""Counts at the door of a ledger: rows held against their observer's class, seals lodged and opened, the order on record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.casefile.files import Files
from tallybook.casefile.observers import Incoming, classes_of_reader, door_faults
from tallybook.casefile.seals import FILE, SealRecord, SealsRead, Timed, order_words, read_seals
from tallybook.core.time import Moment
from tallybook.errors import Fault, TallybookError
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.told import told
from tallybook.evidence.seal import COLUMNS, Opening, Seal, SealError, seal_id
from tallybook.ledger.asof import WITHDRAWAL, Books
from tallybook.ledger.entry import Entry, instant_of
from tallybook.registry.importing import tables


def faults_at_the_door(
    files: Files,
    tz: ZoneInfo,
    author: str,
    rows: Mapping[str, Sequence[tuple[int, Mapping[str, str]]]],
    shown: Mapping[str, str] | None = None,
    positions: Collection[tuple[str, int]] = (),
) -> list[Fault]:
    """What keeps rows (by table, each with its line) out of the case on file, by the classes of its observers.yaml.

    `shown` are the files that faults name, by table; `positions` the (table, line) of rows that came with one.
    """
    must, may = tables()
    order = {name: (*columns, *may.get(name, ())) for name, columns in must.items()}
    names = shown or {}
    incoming = [
        Incoming(table, names.get(table, table), some, [line for other, line in positions if other == table])
        for table, some in rows.items()
    ]
    return door_faults(files, tz, author, incoming, order)


def refuse_a_reader(files: Files, tz: ZoneInfo, author: str, what: str) -> None:
    """Raise TallybookError where a reader of a class of observers would do anything but file rows: a reason is free text too."""
    for kind in classes_of_reader(files, tz, author):
        do = f"file rows of {', '.join(kind.tables)}; the desk does the rest"
        raise TallybookError(f"{author} files for {kind.name}, and may not {what}", where="observers.yaml", do=do)


def must_be_a_reader(files: Files, tz: ZoneInfo, author: str) -> None:
    """Raise TallybookError where somebody who files under a class is a reader of none."""
    if not classes_of_reader(files, tz, author):
        do = "name them under `readers` of a class, or file with tallybook report"
        raise TallybookError(f"{author} files for no class of observers", where="observers.yaml", do=do)


def lodged_row(seal: Seal, at: str, known: str) -> dict[str, str]:
    """The row of a seal that is lodged. `at` is when it was sealed and `known` when it came in, as asserted."""
    row = dict.fromkeys(COLUMNS, "")
    return row | {"id": seal_id(seal), "by": seal.by, "of": seal.of, "seal": seal.seal, "sealed_at": at, "known_at": known}


def opened_rows(files: Files, tz: ZoneInfo, seal: Seal, opening: Opening, at: str) -> dict[str, list[dict[str, str]]]:
    """The rows to file when a lodged seal is opened, by table file: the count, and the seal with its opening.

    Raises SealError where the seal was not lodged before: an opening that comes with its seal shows nothing.
    """
    if opening.table not in ingest.TABLES:
        raise SealError(f"no table {told(opening.table)}", where=seal_id(seal), do="seal a count of vessels or observations")
    standing = next((record for record in read_seals(files, tz).records if record.id == seal_id(seal)), None)
    if standing is None:
        raise SealError(
            "the seal is not on file", where=seal_id(seal), do="lodge the seal first, and open it when all are lodged"
        )
    if standing.opened is not None:
        raise SealError("opened already", where=seal_id(seal), do="tallybook count show gives what was opened")
    ids = "; ".join(row["id"] for row in opening.rows)
    known = {"known_at": at, "opened_at": at, "nonce": opening.nonce, "rows": ids}
    must, may = tables()
    order = (*must[opening.table], *may[opening.table])
    # The file of an opening has its columns in the order of the alphabet.
    count = [{column: row[column] for column in (*order, *row) if column in row} for row in opening.rows]
    lodged = lodged_row(seal, standing.sealed.text, standing.known.text)
    return {f"reports/{opening.table}.csv": count, FILE: [lodged | known]}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the ledger shows of a seal by its own clock: when it was lodged and opened, and whether it is the one first lodged."""

    lodged: Moment
    opened: Moment | None
    is_first: bool


def recorded(books: Books) -> dict[str, Recorded]:
    """What the ledger shows of each seal, by the id of its row."""
    found: dict[str, Recorded] = {}
    for subject, versions in books.versions.items():
        if subject.startswith(f"{FILE}/"):
            rows = [(entry, _row(entry)) for entry in versions if entry.kind != WITHDRAWAL]
            opened = next((entry for entry, row in rows if row.get("opened_at")), None)
            if rows:
                first, last = rows[0][1], rows[-1][1]
                is_first = all(first.get(name) == last.get(name) for name in ("by", "of", "seal"))
                at = _moment(opened) if opened is not None else None
                found[PurePath(subject).name] = Recorded(_moment(rows[0][0]), at, is_first)
    return found


def _row(entry: Entry) -> Mapping[str, Any]:
    row = entry.content().get("row") if entry.body is not None else None
    return row if isinstance(row, dict) else {}


def _moment(entry: Entry) -> Moment:
    at = instant_of(entry.recorded_at).astimezone(UTC)
    return Moment(entry.recorded_at, at, at)


@dataclass(frozen=True, slots=True)
class Standing:
    """A seal as `tallybook count show` tells it: the state in a word, and what is wrong with it."""

    record: SealRecord
    recorded: Recorded | None
    state: str
    wrong: tuple[str, ...]


def standings(read: SealsRead, on_record: Mapping[str, Recorded]) -> list[Standing]:
    """Every seal with its state, by the ledger's times where it has them and by the asserted ones else."""
    found = []
    faults: dict[int, list[str]] = {}
    for fault in read.faults:
        faults.setdefault(fault.line, []).append(fault.what)
    for record in read.records:
        recorded_ = on_record.get(record.id)
        others = [one for one in read.records if one.seal.of == record.seal.of and one.seal.by != record.seal.by]
        wrong = [*faults.get(record.line, ()), *_order(record, others, on_record)]
        if recorded_ is not None and not recorded_.is_first:
            wrong.append("another seal stands in the place of the one first lodged")
        state = "sealed" if record.opened is None else "opened, and holds" if record.opening else "opened, and does not hold"
        found.append(Standing(record, recorded_, state, tuple(dict.fromkeys(wrong))))
    return found


def _order(record: SealRecord, others: Iterable[SealRecord], on_record: Mapping[str, Recorded]) -> list[str]:
    found: list[str] = []
    for other in others:
        pair = [_timed(one, on_record.get(one.id)) for one in (record, other)]
        # The two clocks are never mixed: where one of the two is not on record, both are taken at their word.
        if any(one.id not in on_record for one in (record, other)):
            pair = [_timed(one, None) for one in (record, other)]
        found += order_words(*pair)
    return found


def _timed(record: SealRecord, shown: Recorded | None) -> Timed:
    if shown is None:
        return Timed(record.seal.by, record.sealed, record.opened)
    return Timed(record.seal.by, shown.lodged, shown.opened)
