"""Filing: a folder, or a file of reports, held against the books, checked as a whole, and appended. Nothing is half filed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.filing import FiledCase, Thing, document, read_raw_table, subject_of, table_things, things
from tallybook.casefile.marked import Marked, Rights, rights_of
from tallybook.casefile.marking_acts import controlled
from tallybook.casefile.merge import Filer, Merge, Take, merge
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.read import read_case
from tallybook.casefile.writing import write_files
from tallybook.core.time import MomentError
from tallybook.errors import CaseFaultsError, Fault, TallybookError
from tallybook.ledger.asof import WITHDRAWAL, Books, books
from tallybook.ledger.entry import Draft, Entry, EntryError, canonical_json, instant_text
from tallybook.ledger.ledger import MOST_AT_ONCE, Ledger, OvertakenError, Receipt
from tallybook.ledger.store import StoreError
from tallybook.markings.marking import Marking, MarkingError
from tallybook.registry.place import Place, now
from tallybook.registry.reading import OnFile, checkpoint_of, folder_files

MOST_TRIES = 5
Progress = Callable[[int, int], None]


class NotFiledError(CaseFaultsError):
    """What would make a case with faults; so nothing was filed."""

    def __init__(self, case: str, faults: Sequence[Fault]) -> None:
        super().__init__(case, faults)
        count = len(self.faults)
        self.what = f"nothing was filed: {count} fault{'s' if count != 1 else ''}"
        self.do = "correct what comes in, and file it again"


@dataclass(frozen=True, slots=True)
class Filed:
    """What came of filing: what was new, corrected, the same and in conflict, and the receipts of what was appended."""

    merge: Merge
    receipts: Sequence[Receipt]


def books_of(place: Place, ledger: Ledger) -> OnFile:
    """The books of an open ledger."""
    origin = ledger.store.settings()["origin"]
    with ledger.store.read() as reading:
        found = books(reading)
        return OnFile(place, ledger.store, origin, found, checkpoint_of(reading, origin, found.size))


def file_folder(
    place: Place,
    ledger: Ledger,
    folder: Path,
    filer: Filer,
    *,
    theirs: Books | None = None,
    settled: Mapping[str, Take] | None = None,
    progress: Progress = lambda done, size: None,
) -> Filed:
    """File a case folder: our own (a changed row is a correction), or one that grew apart (a changed row is a conflict).

    Raises NotFiledError where the case would have faults then: nothing is filed.
    """
    read = read_case(folder)
    if read.case is None:
        raise CaseFaultsError(str(folder), read.faults)
    incoming = list(things(folder_files(folder), read.case.tz))
    apart = folder.resolve() != place.folder.resolve()
    return _file(books_of(place, ledger), ledger, incoming, filer, apart, theirs, settled, progress)


def file_rows(
    place: Place,
    ledger: Ledger,
    rows: Mapping[str, Sequence[Mapping[str, str]]],
    tz: ZoneInfo,
    filer: Filer,
    progress: Progress = lambda done, size: None,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Filed:
    """File rows of tables, by the file of the table, and new files. A row that is on file under its name is corrected."""
    found = books_of(place, ledger)
    incoming: list[Thing] = []
    for name, some in rows.items():
        incoming += rows_things(found.files(), name, some, tz)
    incoming += [document(name, data) for name, data in files.items()]
    return _file(found, ledger, incoming, filer, False, None, None, progress)


def rows_things(files: FiledCase, name: str, rows: Sequence[Mapping[str, str]], tz: ZoneInfo) -> list[Thing]:
    """Rows for a table, with all its columns, and the table itself where it gets another column."""
    columns, standing = read_raw_table(name, files.read(name)) if files.has(name) else ([], [])
    more = list(dict.fromkeys(column for row in rows for column in row if column not in columns))
    columns += more
    before = {subject_of(name, row): row for row in standing}
    # What a row does not speak of stays as it is on file.
    whole = [dict.fromkeys(columns, "") | before.get(subject_of(name, row), {}) | dict(row) for row in rows]
    try:
        made = list(table_things(name, columns, whole, tz))
    except MomentError as error:
        raise TallybookError(str(error), where=name, do="correct the date") from error
    return made if more else made[1:]


def _file(
    found: OnFile,
    ledger: Ledger,
    incoming: Sequence[Thing],
    filer: Filer,
    apart: bool,
    theirs: Books | None,
    settled: Mapping[str, Take] | None,
    progress: Progress,
) -> Filed:
    for _ in range(MOST_TRIES):
        merged = merge(incoming, found.books, filer, apart=apart, theirs=theirs, settled=settled)
        if not merged.drafts:
            return Filed(merged, [])
        _check_whole(found, merged)
        try:
            return Filed(merged, _append(found, ledger, merged, progress))
        except OvertakenError:
            found = books_of(found.place, ledger)
    raise EntryError("others kept filing first", where=found.place.shown, do="file it again")


def _append(found: OnFile, ledger: Ledger, merged: Merge, progress: Progress) -> list[Receipt]:
    for done, (digest, data) in enumerate(merged.blobs.items()):
        ledger.keep_blob(digest, data)
        progress(done, len(merged.blobs) + len(merged.drafts))
    receipts: list[Receipt] = []
    for start in range(0, len(merged.drafts), MOST_AT_ONCE):
        receipts += ledger.append(merged.drafts[start : start + MOST_AT_ONCE], at=found.books.size + start)
        progress(len(merged.blobs) + len(receipts), len(merged.blobs) + len(merged.drafts))
    if not all(receipt.is_new for receipt in receipts):
        first = next(draft.subject for draft, receipt in zip(merged.drafts, receipts, strict=True) if not receipt.is_new)
        do = "tallybook ledger audit: the books show it, or do not, otherwise than they are kept"
        raise StoreError("it is kept already, where the books do not show it", where=first, do=do)
    return receipts


def _check_whole(found: OnFile, merged: Merge) -> None:
    """Read the case as it will be; raise NotFiledError where it would have faults."""
    ahead = Books(found.books.size, {subject: list(entries) for subject, entries in found.books.versions.items()})
    for n, draft in enumerate(merged.drafts):
        ahead.versions.setdefault(draft.subject, []).append(_entry(found.books.size + n, draft))

    def blob(digest: str) -> bytes | None:
        return merged.blobs.get(digest) or found.blob(digest)

    after = FiledCase(found.place.shown, ahead, blob)
    _check_released_nothing(found.files(), after, merged)
    read = read_case(after)
    if read.case is None:
        before = {(fault.file, fault.field, fault.what) for fault in read_case(found.files()).faults}
        new = [fault for fault in read.faults if (fault.file, fault.field, fault.what) not in before]
        # A case that has faults already may be mended step by step.
        if new or len(read.faults) >= len(before):
            raise NotFiledError(found.place.shown, new or read.faults)


def _check_released_nothing(before: FiledCase, after: FiledCase, merged: Merge) -> None:
    """Raise MarkingError where a correction would lower what holds for a row, as by naming another source: that takes an act.

    Nor may it change whose a record is that is under its originator's control.
    """
    corrected = {draft.subject for draft in merged.drafts if draft.corrects is not None and draft.kind != WITHDRAWAL}
    if not corrected or not before.has(POLICY):
        return
    try:
        was, now = (_holding(files, rights_of(before)) for files in (before, after))
    except MarkingError:
        return
    policy = rights_of(before).policy
    for subject, (marking, originator) in was.items():
        if subject in corrected and subject in now and not marking <= now[subject][0]:
            do = "tallybook marking regrade does that, by somebody who may"
            raise MarkingError("the correction would lower its marking", where=subject, do=do)
        if subject in now and originator != now[subject][1] and controlled(policy, marking):
            do = "it stays with whoever it is from; file what is new as a row of its own"
            raise MarkingError("the correction would change whose it is", where=subject, do=do)


def _holding(files: FiledCase, rights: Rights) -> dict[str, tuple[Marking, str]]:
    """The marking that holds for each row, and whose it is."""
    marked = Marked(files, rights)
    return {subject_of(name, row): (marked.of_row(name, row), marked.originator(row)) for name, row in marked.every_row()}


def _entry(seq: int, draft: Draft) -> Entry:
    at = instant_text(now())
    kind, subject, valid = draft.kind, draft.subject, (draft.valid_from, draft.valid_to)
    return Entry(seq, kind, subject, draft.author, draft.marking, draft.corrects, draft.known, at, *valid, "", "", draft.body)


def withdraw(place: Place, ledger: Ledger, subject: str, filer: Filer, reason: str) -> Receipt:
    """Take a row or document off the books, from now (or the filer's known time) on. What was filed stays, and verifies.

    Raises EntryError where nothing of that name is on file, NotFiledError where the case would have faults without it.
    """
    found = books_of(place, ledger)
    versions = found.books.versions.get(subject)
    if not versions or versions[-1].kind == WITHDRAWAL:
        raise EntryError("nothing of that name is on file", where=subject, do="tallybook ledger log lists what there is")
    draft = Draft(
        WITHDRAWAL,
        subject,
        canonical_json({"reason": reason, "withdraws": versions[-1].seq}),
        filer.author,
        filer.known or instant_text(now()),
        marking=versions[-1].marking,
        corrects=versions[0].seq,
    )
    _check_whole(found, Merge(drafts=[draft]))
    return ledger.append([draft], at=found.books.size)[0]


def subject_named(found: Books, name: str) -> str:
    """The subject that a user means: a whole subject, or the id of a row. Raises EntryError where it is none, or several."""
    if name in found.versions:
        return name
    some = [subject for subject in found.versions if subject.rpartition("/")[2] == name or subject.partition(".csv/")[2] == name]
    if len(some) == 1:
        return some[0]
    what = "nothing of that name is on file" if not some else f"{', '.join(some[:5])} are all called so"
    raise EntryError(what, where=name, do="give the whole name, such as reports/observations.csv/ID")


def write_back(found: OnFile, names: Sequence[str]) -> list[str]:
    """Write tables from the books into the case folder, each whole or not at all; returns those that were written."""
    written = []
    files = found.files()
    for name in names:
        path = found.place.folder / name
        if not path.resolve().is_relative_to(found.place.folder.resolve()):
            raise TallybookError("a name that leads out of the folder", where=name, do="tallybook ledger log shows who filed it")
        raw = files.read(name)
        try:
            if path.exists() and path.read_bytes() == raw:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
            partial.write_bytes(raw)
            partial.replace(path)
        except OSError as error:
            do = "it is filed all the same; make room, then tallybook ledger export writes the folder"
            raise TallybookError(f"cannot be written: {error.strerror}", where=str(path), do=do) from error
        written.append(name)
    return written


def export_folder(found: OnFile, folder: Path, known: str | None = None) -> int:
    """Write the case on file into a new or empty folder; returns how many files. Raises TallybookError for another."""
    for entry in found.books.standing(known):
        if entry.marking and entry.marking != _told(entry):
            what = f"it is marked {entry.marking}, which a folder cannot carry"
            raise TallybookError(what, where=entry.subject, do="export the log itself with --tiles: leaves carry their markings")
    return write_files(found.files(known), folder)


def _told(entry: Entry) -> str:
    """The marking that a row tells itself."""
    row = entry.content().get("row") if entry.body is not None else None
    return str(row.get(MARKING, "")) if isinstance(row, dict) else ""
