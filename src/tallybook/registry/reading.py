"""A case read from its ledger: as it stands, or as it stood in the books at a recorded time, a size or a checkpoint."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.casefile.files import Files
from tallybook.casefile.filing import FiledCase, is_table, things
from tallybook.casefile.marked import Marked, read_loosely, rights_of
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.merge import Filer, Merge, merge
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.policy import Reader
from tallybook.casefile.read import CaseRead, read_case
from tallybook.casefile.view import Seen
from tallybook.core.time import MomentError, moment
from tallybook.errors import CaseFaultsError, TallybookError
from tallybook.ledger.asof import Books, books, size_at
from tallybook.ledger.entry import instant_text
from tallybook.ledger.growth import nodes
from tallybook.ledger.store import Reading, Store, StoreError
from tallybook.ledger.tree import EMPTY_ROOT, range_hash
from tallybook.markings.marking import MarkingError
from tallybook.registry.place import OWN_FILES, Place, open_store
from tallybook.verdicts.inquiry import Case

MOST_FILES = 10_000
LARGEST_FILE = 64_000_000
_SIZE = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OnFile:
    """The books of a case as read: with which entries, and what was signed about them."""

    place: Place
    store: Store
    origin: str
    books: Books
    checkpoint: dict[str, Any]

    def blob(self, digest: str) -> bytes | None:
        """The bytes of a file."""
        with self.store.read() as reading:
            return reading.blob(digest)

    def files(self, known: str | None = None) -> FiledCase:
        """The files of the case."""
        return FiledCase(self.place.shown, self.books, self.blob, known)


def on_file(place: Place, recorded: str | None = None) -> OnFile:
    """Read the books. `recorded` is a size (a number of entries), an instant, or a day (its end, in UTC).

    Raises StoreError, EntryError, and TallybookError for a time that is none.
    """
    store = open_store(place)
    origin = store.settings()["origin"]
    with store.read() as reading:
        size = _size(reading, recorded)
        return OnFile(place, store, origin, books(reading, size), checkpoint_of(reading, origin, size))


def _size(reading: Reading, recorded: str | None) -> int:
    size = reading.size()
    if recorded is None:
        return size
    if recorded.startswith("#") and _SIZE.fullmatch(recorded[1:]):
        wanted = int(recorded[1:])
    elif _SIZE.fullmatch(recorded) and len(recorded) != 4:
        wanted = int(recorded)
    elif _SIZE.fullmatch(recorded):
        do = f"write #{recorded} for so many entries, or {recorded}-12-31 for the end of that year"
        raise TallybookError(f"{recorded} may be a size or a year", where="--recorded", do=do)
    else:
        try:
            return size_at(reading, moment(recorded, ZoneInfo("UTC")).last)
        except MomentError as error:
            do = "give a day, an instant, or a number of entries (a checkpoint's size)"
            raise TallybookError(str(error), where="--recorded", do=do) from error
    if wanted > size:
        raise TallybookError(f"the ledger has {size} entries", where="--recorded", do="give a size that it has had")
    return wanted


def checkpoint_of(reading: Reading, origin: str, size: int) -> dict[str, Any]:
    """What a receipt says of the books: the origin, size and root, and the signed note where one was signed at just this size."""
    root = range_hash(nodes(reading, size), 0, size) if size else EMPTY_ROOT
    note = reading.checkpoint(size) if size else None
    return {
        "origin": origin,
        "size": size,
        "root": root.hex(),
        "note": note if note and _says(note, origin, size, root) else None,
    }


def _says(note: str, origin: str, size: int, root: bytes) -> bool:
    """Whether a note is a checkpoint of just these books. Whose signature it bears is for its reader to check."""
    from tallybook.ledger.signed import read_checkpoint

    try:
        head = read_checkpoint(note.encode())[0]
    except TallybookError:
        return False
    return (head.origin, head.size, head.root) == (origin, size, root)


Through = Callable[[Files], Files]
"""What the files of a case are read through, so that a reader sees what they may."""


def _whole(files: Files) -> Files:
    return files


def for_reader(
    place: Place, recorded: str | None, reader: str, *, named: bool = False
) -> tuple[OnFile, Reader, Callable[[Files], Seen]]:
    """The books, who reads them, and through what. What they may see is as the rights are now, whatever `recorded`.

    Raises what `on_file` raises, MarkingError for a reader that is none, and TallybookError for a number of entries: how many
    there are tells of those that the reader may not see.
    """
    if recorded is not None and _SIZE.fullmatch(recorded.removeprefix("#")) and len(recorded) != 4:
        raise TallybookError("a number of entries, asked for a reader", where="--recorded", do="give a day or an instant")
    newest = on_file(place)
    check_filed(place, newest.files())
    rights = rights_of(newest.files())
    who = rights.policy.reader(reader, named=named)
    found = newest if recorded is None else on_file(place, recorded)
    return found, who, lambda files: Seen(files, rights, who)


def sees_all(files: Files, reader: str) -> bool:
    """Whether a reader that a case names may see every row and file of it. Raises MarkingError for one that it does not name."""
    rights = rights_of(files)
    clearance = rights.policy.reader(reader, named=True).clearance
    marked = Marked(files, rights)
    whole = [marked.of_row(name, row) for name, row in marked.every_row()]
    whole += [marked.of_file(name) for folder in ("sources", "cables") for name in files.listing(folder)]
    return all(clearance.opens(marking) for marking in whole)


def check_filed(place: Place, files: FiledCase) -> None:
    """Raise MarkingError where the folder says otherwise than the books who may read what: its editor would think it held."""
    for name in (POLICY, ACTS):
        path = place.folder / name
        try:
            there = path.read_bytes() if path.is_file() else None
        except OSError:
            continue
        if there is not None and not _same(name, there, files.read(name) if files.has(name) else b""):
            do = f"tallybook report import {place.folder} {place.folder} files it; until then nobody is given anything"
            raise MarkingError(f"{name} in the folder is not what is on file", where=str(place.folder), do=do)


def _same(name: str, one: bytes, other: bytes) -> bool:
    """Whether two versions of a file say the same: tables by their rows, however they are written."""
    if not is_table(name):
        return one == other
    rows = [[{c: v for c, v in row.items() if v} for row in read_loosely(raw).rows] for raw in (one, other)]
    return rows[0] == rows[1]


def read_filed(found: OnFile, through: Through = _whole) -> CaseRead:
    """The case that is on file. Where rows were corrected, an earlier known time is answered with what stood then."""
    if not found.books.size and through is _whole:
        raise StoreError(
            "nothing was recorded by then", where="--recorded", do="tallybook ledger log shows when what was recorded"
        )
    # The checkpoint covers what the reader may not see, and tells how much that is.
    checkpoint = found.checkpoint if through is _whole else None
    read = read_case(through(found.files()))
    if read.case is None:
        return read
    turns = found.books.turns()
    kept: dict[int, Case] = {len(turns): read.case}

    def as_filed(known: datetime) -> Case:
        text = instant_text(known)
        at = bisect_right(turns, text)
        if at not in kept:
            then = read_case(through(found.files(text)))
            if then.case is None:
                raise CaseFaultsError(found.place.shown, then.faults)
            kept[at] = replace(then.case, checkpoint=checkpoint)
        return kept[at]

    first = replace(read.case, checkpoint=checkpoint, as_filed=as_filed if turns else None)
    kept[len(turns)] = first
    return CaseRead(first, read.faults, read.notes)


def folder_files(folder: Path) -> dict[str, bytes]:
    """Every file of a case folder but hidden ones and the ledger's own. Raises TallybookError for too many, or one too large."""
    out: dict[str, bytes] = {}
    try:
        for path in sorted(_walk(folder, folder.resolve())):
            name = path.relative_to(folder).as_posix()
            if path.stat().st_size > LARGEST_FILE:
                do = "keep it outside the case, and file its hash as an exhibit"
                raise TallybookError(f"over {LARGEST_FILE:,} bytes", where=name, do=do)
            out[name] = path.read_bytes()
            if len(out) > MOST_FILES:
                raise TallybookError(
                    f"over {MOST_FILES:,} files", where=str(folder), do="file the case, and not what is around it"
                )
    except OSError as error:
        raise TallybookError(
            f"cannot be read: {error.strerror}", where=str(error.filename), do="make it a readable file"
        ) from error
    return out


def _walk(folder: Path, root: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or (folder.resolve() == root and path.name in OWN_FILES):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise TallybookError(
                "a link out of the case", where=path.relative_to(folder).as_posix(), do="put the file itself there"
            )
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, root)
        elif path.is_file():
            yield path


def zone_of(read: CaseRead) -> ZoneInfo:
    """The time zone of a case; UTC where it cannot be read."""
    return read.case.tz if read.case is not None else ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Unfiled:
    """How a folder differs from its ledger: what only it has or has otherwise, and what only the ledger has."""

    merge: Merge
    missing: tuple[str, ...]

    @property
    def is_any(self) -> bool:
        """Whether there is a difference."""
        return bool(self.merge.drafts or self.merge.old or self.merge.withdrawn or self.missing)


def unfiled(found: OnFile, tz: ZoneInfo) -> Unfiled:
    """How the case folder differs from the books."""
    incoming = list(things(folder_files(found.place.folder), tz))
    there = {thing.subject for thing in incoming}
    missing = [entry.subject for entry in found.books.standing() if entry.subject not in there and entry.kind in _IN_FOLDER]
    return Unfiled(merge(incoming, found.books, Filer("nobody")), tuple(missing))


def notes_on(found: OnFile, tz: ZoneInfo) -> Iterator[str]:
    """What a reader of the books should know: that they are not what the folder says."""
    try:
        differs = unfiled(found, tz)
    except (TallybookError, MomentError) as error:
        yield f"the folder cannot be compared with its ledger, which is what is shown: {error}"
        return
    if differs.merge.drafts:
        names = sorted({draft.subject.split("/")[0] for draft in differs.merge.drafts})
        count = len(differs.merge.drafts)
        what = f"{count} thing{'s' if count != 1 else ''} in the folder ({', '.join(names)}) are not in its ledger"
        yield f"{what}, which is what is shown; tallybook report import {found.place.folder} {found.place.folder} files them"
    if older := [*differs.merge.old, *differs.merge.withdrawn]:
        what = f"the folder has an older version of {', '.join(older[:3])}{' and more' if len(older) > 3 else ''}"
        yield f"{what}; what the ledger has is what is shown"
    if differs.missing:
        count = len(differs.missing)
        yield f"{count} thing{'s' if count != 1 else ''} on file are not in the folder; tallybook ledger export gives them back"


_IN_FOLDER = {"table", "document", "report", "place", "source", "bearing", "exhibit", "custody", "review"}
