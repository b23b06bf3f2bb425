"""A case with its ledger open to write: what the commands that file have in common."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook.cli.ledger import progress_bar
from tallybook.cli.options import chosen_database, chosen_reader
from tallybook.cli.session import check_tables, signed_in
from tallybook.errors import TallybookError
from tallybook.registry import place as places

if TYPE_CHECKING:
    from tallybook.casefile.files import Files
    from tallybook.casefile.merge import Take
    from tallybook.registry.filing import Filed
    from tallybook.registry.writer import Writer

_LARGEST = 256_000_000


def table_file(table: str) -> str:
    return "places.csv" if table == "places" else f"reports/{table}.csv"


class FilingDesk:
    """A case with its ledger open to write."""

    def __init__(self, case: Path, author: str | None, key: Path | None, known: str | None) -> None:
        from tallybook.casefile.merge import Filer
        from tallybook.casefile.read import read_case
        from tallybook.registry import reading

        self.place = places.place_of(case, chosen_database(), os.environ)
        if not places.has_ledger(self.place):
            raise TallybookError(f"{case} has no ledger", do=f"tallybook ledger init {case} makes one, and files what is there")
        self.ledger = places.open_ledger(self.place, key, os.environ)
        files = self.found().files()
        self.writer = _writer(files)
        # What somebody sees who does not see all is all that they are told of.
        read = reading.read_filed(self.found()) if self.writer is None else read_case(self.writer.sees(files))
        for fault in read.faults[:10]:
            click.echo(f"note: on file there is a fault: {fault}", err=True)
        self.case = read.case
        self.tz = reading.zone_of(read)
        self.filer = Filer(_author(author), self._instant(known))
        self._folder_was = self._folder_differs()

    def _instant(self, known: str | None) -> str:
        from tallybook.core.time import MomentError, moment
        from tallybook.ledger.entry import instant_text

        if known is None:
            return ""
        try:
            return instant_text(moment(known, self.tz).last)
        except MomentError as error:
            raise TallybookError(str(error), where="--known", do="correct the date") from error

    def found(self) -> Any:
        """The books as they are now."""
        from tallybook.registry import filing

        return filing.books_of(self.place, self.ledger)

    def subject_named(self, name: str) -> str:
        """The subject on file that is called so. Raises EntryError; what its author does not see is not there."""
        from tallybook.ledger.asof import Books
        from tallybook.registry import filing

        books = self.found().books
        if self.writer is not None:
            files, writer = self.found().files(), self.writer
            books = Books(books.size, {one: some for one, some in books.versions.items() if writer.has(files, one)})
        return filing.subject_named(books, name)

    def shows(self, name: str) -> bool:
        """Whether a table is there for whoever files."""
        files: Files = self.found().files()
        return (files if self.writer is None else self.writer.sees(files)).has(name)

    def check_withdrawal(self, subject: str) -> None:
        """Raise TallybookError where its author may not take a row off the books: it is no kind that their roles permit, or is
        marked below what they read, so that others would see it go.
        """
        name = subject[: subject.find(".csv/") + 4]
        check_tables([name])
        if self.writer is not None:
            self.writer.check_floor(subject, self.writer.marking_of(self.found().files(), subject))

    def _folder_differs(self) -> bool:
        from tallybook.registry import reading

        if not self.place.folder.is_dir():
            return False
        try:
            return reading.unfiled(self.found(), self.tz).is_any
        except (TallybookError, ValueError):
            return True

    def folder(self, path: Path, settle: Path | None) -> Filed:
        """A case folder: this one, or a colleague's."""
        from tallybook.registry import counting, filing, importing, reading

        if self.writer is not None:
            what = f"{self.writer.reader.name} does not see all of the case"
            raise TallybookError(what, where=str(path), do="a folder is filed by whoever keeps the case; file its tables")
        found = self.found()
        counting.refuse_a_reader(found.files(), self.tz, self.filer.author, "file folders")
        files, incoming = found.files(), reading.folder_files(path)
        kept = {name: partial(files.read, name) for name in files.names() if name.startswith("exhibits/")}
        for line in importing.pictures_near(incoming, kept):
            click.echo(f"warning: {line}", err=True)
        theirs = None
        other = places.Place(path)
        if path.resolve() != self.place.folder.resolve() and other.file.is_file():
            theirs = reading.on_file(other).books
        show, end = progress_bar("filing")
        try:
            return filing.file_folder(
                self.place, self.ledger, path, self.filer, theirs=theirs, settled=settled(settle), progress=show
            )
        finally:
            end()

    def file(self, path: Path, table: str | None) -> Filed:
        """A file with rows of one table or several, through the door."""
        from tallybook.registry import importing
        from tallybook.registry.filing import NotFiledError

        if path.stat().st_size > _LARGEST:
            raise TallybookError(f"over {_LARGEST:,} bytes", where=str(path), do="split it")
        brought = importing.bring(path.read_bytes(), path.name, table)
        # Before any warning: a warning repeats what it warns of, and a refusal must not.
        self.hold(
            {name: [(row.line, row.fields) for row in some] for name, some in brought.rows.items()}, brought.files, brought.points
        )
        for warning in brought.warnings:
            click.echo(f"warning: {warning}", err=True)
        if brought.faults:
            raise NotFiledError(str(path), brought.faults)
        rows = {table_file(name): [row.fields for row in some] for name, some in brought.rows.items()}
        return self.rows(rows)

    def hold(
        self,
        rows: Mapping[str, Sequence[tuple[int, Mapping[str, str]]]],
        shown: Mapping[str, str],
        positions: Collection[tuple[str, int]] = (),
    ) -> None:
        """Hold rows by table, each with its line, against the classes of observers. Raises NotFiledError with every fault."""
        from tallybook.registry import counting
        from tallybook.registry.filing import NotFiledError

        files = self.found().files()
        held = files if self.writer is None else self.writer.at_the_door(files)
        faults = counting.faults_at_the_door(held, self.tz, self.filer.author, rows, shown, positions)
        if faults:
            raise NotFiledError(self.place.shown, faults)

    def rows(self, rows: Mapping[str, list[dict[str, str]]], files: Mapping[str, bytes] | None = None) -> Filed:
        """Rows of tables, and new files."""
        from tallybook.registry import filing, importing
        from tallybook.registry.writer import refusal

        check_tables(rows)
        found = self.found()
        if self.writer is not None and (faults := self.writer.check(found.files(), rows, found.books.versions)):
            raise filing.NotFiledError(self.place.shown, faults)
        for line in importing.neighbours_of(rows, self.case) if self.case is not None else ():
            click.echo(f"warning: {line}", err=True)

        show, end = progress_bar("filing")
        try:
            return filing.file_rows(self.place, self.ledger, rows, self.tz, self.filer, show, files or {})
        except filing.NotFiledError as error:
            raise error if self.writer is None else refusal(self.place.shown) from None
        finally:
            end()

    def write_back(self) -> None:
        """Write what changed into the folder too, where the folder was as the books say; else say so."""
        from tallybook.registry import filing

        if not self.place.folder.is_dir():
            return
        if self._folder_was:
            if self.writer is not None:
                return
            click.echo(f"note: {self.place.folder} differed from its ledger before, so it was left as it is", err=True)
            return
        found = self.found()
        for name in filing.write_back(found, found.files().names()):
            if self.writer is None:
                click.echo(f"wrote {self.place.folder / name}", err=True)


def _author(given: str | None) -> str:
    """Who files: whoever is signed in, and nobody else then."""
    who = signed_in()
    if who is None:
        return places.author_of(given, os.environ)
    if given is not None and given != who.reader:
        raise TallybookError(f"{who.user} is signed in, and not {given}", where="--author", do="leave it out")
    return who.reader


def _writer(files: Any) -> Writer | None:
    """Who files, where it is somebody for whom not all of the case is there."""
    name = chosen_reader()
    if name is None:
        return None
    from tallybook.registry.writer import Writer

    session = click.get_current_context().meta.get("tallybook.session_level")
    return Writer.of(files, name, session, named=signed_in() is not None)


def settled(path: Path | None) -> dict[str, Take]:
    from tallybook.casefile.merge import Take
    from tallybook.evidence.ingest.safe_cells import opened

    if path is None:
        return {}
    out: dict[str, Take] = {}
    for n, row in enumerate(csv.DictReader(io.StringIO(places.read_small(path, 10_000_000))), 2):
        subject, take = opened(row.get("subject") or ""), (row.get("take") or "").strip()
        if not subject or take not in ("", *Take):
            raise TallybookError(f"`take` is {take!r}", where=f"{path}:{n}", do="write ours or theirs, or leave it blank")
        if take and out.setdefault(subject, Take(take)) != take:
            raise TallybookError(f"{subject} is taken both ways", where=f"{path}:{n}", do="choose one for the whole row")
    return out
