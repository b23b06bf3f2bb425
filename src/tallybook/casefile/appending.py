"""Rows put at the end of the tables of a case folder, when the case that this makes has no new fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tallybook.casefile.files import Files, Folder
from tallybook.casefile.filing import read_raw_table, subject_of
from tallybook.casefile.read import read_case
from tallybook.errors import CaseFaultsError, TallybookError
from tallybook.evidence.ingest.safe_cells import table_text


class Overlaid:
    """The files of a case, some of them replaced."""

    def __init__(self, folder: Files, replaced: Mapping[str, bytes]) -> None:
        self._folder, self._replaced = folder, replaced

    @property
    def place(self) -> str:
        """What to call the case in a message."""
        return self._folder.place

    def is_there(self) -> bool:
        """Whether there is anything at all."""
        return self._folder.is_there()

    def has(self, name: str) -> bool:
        """Whether there is something of that name."""
        return name in self._replaced or self._folder.has(name)

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        return self._folder.is_folder(name)

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises UnreadableFileError."""
        return self._replaced[name] if name in self._replaced else self._folder.read(name)

    def listing(self, folder: str) -> Sequence[str]:
        """The names of the files in a folder of the case, in order."""
        more = {name for name in self._replaced if name.rpartition("/")[0] == folder}
        return sorted({*self._folder.listing(folder), *more})


def merged_files(files: Files, rows: Mapping[str, Sequence[Mapping[str, str]]]) -> Files:
    """The files of a case with rows put in: in the place of the row of the same name, or at the end."""
    made: dict[str, bytes] = {}
    for name, some in rows.items():
        columns, before = read_raw_table(name, files.read(name)) if files.has(name) else ([], [])
        standing = {subject_of(name, row): dict(row) for row in before}
        for row in some:
            subject = subject_of(name, row)
            standing[subject] = standing.get(subject, {}) | dict(row)
        columns += [column for row in standing.values() for column in row if column not in columns]
        made[name] = table_text(list(dict.fromkeys(columns)), standing.values()).encode()
    return Overlaid(files, made)


def append_rows(
    folder: Path,
    tables: Mapping[str, tuple[Sequence[str], Sequence[Mapping[str, str]]]],
    files: Mapping[str, bytes] | None = None,
) -> list[str]:
    """Put rows at the end of tables (each with the columns that a new one starts with), and new `files` beside them.

    Returns the names written. Raises CaseFaultsError, and writes nothing, where the case would have faults that it had not.
    """
    there = Folder(folder)
    made: dict[str, bytes] = dict(files or {})
    for name, (required, rows) in tables.items():
        columns, before = read_raw_table(name, there.read(name)) if there.has(name) else (list(required), [])
        columns += [column for row in rows for column in row if column not in columns]
        made[name] = table_text(list(dict.fromkeys(columns)), [*before, *rows]).encode()
    _check(there, Overlaid(there, made))
    for name, raw in made.items():
        path = folder / name
        partial = path.with_name(f".{path.name}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(raw)
            partial.replace(path)
        except OSError as error:
            raise TallybookError(
                f"cannot be written: {error.strerror}", where=str(path), do="make it a file of your own"
            ) from error
    return list(made)


def _check(before: Files, after: Files) -> None:
    read = read_case(after)
    if read.case is None:
        old = {(fault.file, fault.field, fault.what) for fault in read_case(before).faults}
        new = [fault for fault in read.faults if (fault.file, fault.field, fault.what) not in old]
        if new:
            raise CaseFaultsError(before.place, new)
