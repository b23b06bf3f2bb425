"""tallybook report"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook.cli.ledger import progress_bar
from tallybook.cli.options import chosen_database, database_option, print_json, write_file
from tallybook.errors import TallybookError
from tallybook.registry import place as places

if TYPE_CHECKING:
    from tallybook.casefile.merge import Conflict, Take
    from tallybook.registry.filing import Filed

_case = click.argument("case", type=click.Path(path_type=Path))
_author = click.option("--author", metavar="NAME", help="Who files. Default: TALLYBOOK_AUTHOR, or your user name.")
_key = click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's private key.")
_known = click.option(
    "--known", metavar="D", help="When a correction or withdrawal was known, where that is not what the row says."
)
_LARGEST = 256_000_000


@click.group(name="report")
def command() -> None:
    """File reports: import tables or a colleague's folder, add one row, withdraw one."""


@command.command(name="import")
@_case
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@database_option
@_author
@_key
@_known
@click.option("--table", metavar="NAME", help="The table that a FILE is, where its name does not say.")
@click.option(
    "--settle", type=click.Path(path_type=Path, exists=True), help="What --conflicts wrote, with ours or theirs filled in."
)
@click.option("--conflicts", type=click.Path(path_type=Path), help="Write the conflicts to a CSV, to be settled.")
@click.option("--json", "as_json", is_flag=True, help="What was filed, as JSON.")
def import_(
    case: Path,
    files: tuple[Path, ...],
    author: str | None,
    key: Path | None,
    known: str | None,
    table: str | None,
    settle: Path | None,
    conflicts: Path | None,
    as_json: bool,
) -> int:
    """File FILES in the ledger of CASE: tables (CSV, JSON, xlsx, GeoJSON, Parquet, XML, zip), or folders of a case.

    What is on file already adds nothing. A changed row is a correction of the one on file, which is kept. From a folder that grew
    apart a changed row is a conflict: it is listed (exit 1), nothing of it is filed, and a person settles it. CASE itself as FILE
    files what was changed in the folder by hand.
    """
    desk_ = _Desk(case, author, key, known)
    total: dict[str, list[str]] = {name: [] for name in ("new", "corrected", "same", "old", "withdrawn", "destroyed")}
    open_conflicts: list[Conflict] = []
    for path in files:
        filed = desk_.folder(path, settle) if path.is_dir() else desk_.file(path, table)
        for name in total:
            total[name] += getattr(filed.merge, name)
        open_conflicts += filed.merge.conflicts
        for subject in filed.merge.withdrawn_by_them:
            click.echo(f"note: {path} has withdrawn {subject}; tallybook report withdraw does so here", err=True)
    if not any(path.is_dir() and path.resolve() == case.resolve() for path in files):
        desk_.write_back()
    if conflicts is not None and open_conflicts:
        write_file(conflicts, _conflicts_table(open_conflicts))
    if as_json:
        rows = [
            {"subject": c.subject, "differs": [{"field": f, "ours": o, "theirs": t} for f, o, t in c.differences()]}
            for c in open_conflicts
        ]
        print_json({**total, "conflicts": rows})
        return 1 if open_conflicts else 0
    words = {
        "new": "new",
        "corrected": "corrected",
        "same": "on file already",
        "old": "older than what is on file",
        "withdrawn": "withdrawn, and so left",
        "destroyed": "destroyed, and so left",
    }
    told = [f"{len(total[name])} {word}" for name, word in words.items() if total[name]]
    click.echo(f"{', '.join(told) or 'nothing filed'}.")
    for conflict in open_conflicts:
        click.echo(f"conflict: {conflict.subject}")
        for field, ours, theirs in conflict.differences():
            click.echo(f"    {field}: ours {ours!r}, theirs {theirs!r}")
    if open_conflicts:
        where = f" {conflicts}" if conflicts is not None else ", written with --conflicts FILE,"
        click.echo(
            f"{len(open_conflicts)} to settle: fill in `take`{where} with ours or theirs, and import with --settle.", err=True
        )
    return 1 if open_conflicts else 0


@command.command(name="add")
@_case
@click.argument("table")
@click.argument("fields", nargs=-1, required=True, metavar="COLUMN=VALUE...")
@database_option
@_author
@_key
def add(case: Path, table: str, fields: tuple[str, ...], author: str | None, key: Path | None) -> int:
    """File one row of TABLE (observations, measures, bearings …) in the ledger of CASE."""
    from tallybook.registry import importing

    row: dict[str, str] = {}
    for field in fields:
        name, sign, value = field.partition("=")
        if not sign or name in row:
            what = "given twice" if name in row else "no COLUMN=VALUE"
            raise TallybookError(f"{field!r}: {what}", do="write each column once, as id=OBS-001")
        row[name] = value
    columns = importing.columns_of(table)
    desk_ = _Desk(case, author, key, None)
    there = desk_.found().files().has(_table_file(table))
    filed = desk_.rows({_table_file(table): [row if there else dict.fromkeys(columns, "") | row]})
    desk_.write_back()
    for name in ("new", "corrected", "same", "old", "withdrawn", "destroyed"):
        for subject in getattr(filed.merge, name):
            click.echo(f"{subject}: {_ADDED[name]}")
    return 0 if filed.receipts or filed.merge.same else 1


_ADDED = {
    "new": "new",
    "corrected": "corrected",
    "same": "on file already",
    "old": "an older version of what is on file, which stays; to go back to it, change something in it",
    "withdrawn": "it was withdrawn, and stays so; to file it after all, change something in it",
    "destroyed": "its words were destroyed, and it is not filed again under that name",
}


@command.command(name="withdraw")
@_case
@click.argument("name", metavar="ID")
@database_option
@click.option("--reason", required=True, help="Why.")
@_author
@_key
@_known
def withdraw(case: Path, name: str, reason: str, author: str | None, key: Path | None, known: str | None) -> int:
    """Take a row off the books of CASE, from now on (or from --known). What was filed stays in the ledger."""
    from tallybook.registry import filing

    desk_ = _Desk(case, author, key, known)
    subject = filing.subject_named(desk_.found().books, name)
    receipt = filing.withdraw(desk_.place, desk_.ledger, subject, desk_.filer, reason)
    desk_.write_back()
    click.echo(f"{subject}: withdrawn by entry {receipt.index}")
    return 0


def _table_file(table: str) -> str:
    return "places.csv" if table == "places" else f"reports/{table}.csv"


class _Desk:
    """A case with its ledger open to write."""

    def __init__(self, case: Path, author: str | None, key: Path | None, known: str | None) -> None:
        from tallybook.casefile.merge import Filer
        from tallybook.registry import reading

        self.place = places.place_of(case, chosen_database(), os.environ)
        if not places.has_ledger(self.place):
            raise TallybookError(f"{case} has no ledger", do=f"tallybook ledger init {case} makes one, and files what is there")
        self.ledger = places.open_ledger(self.place, key, os.environ)
        read = reading.read_filed(self.found())
        for fault in read.faults[:10]:
            click.echo(f"note: on file there is a fault: {fault}", err=True)
        self.case = read.case
        self.tz = reading.zone_of(read)
        self.filer = Filer(places.author_of(author, os.environ), self._instant(known))
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
        from tallybook.registry import filing, importing, reading

        found = self.found()
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
                self.place, self.ledger, path, self.filer, theirs=theirs, settled=_settled(settle), progress=show
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
        for warning in brought.warnings:
            click.echo(f"warning: {warning}", err=True)
        if brought.faults:
            raise NotFiledError(str(path), brought.faults)
        rows = {_table_file(name): [row.fields for row in some] for name, some in brought.rows.items()}
        return self.rows(rows)

    def rows(self, rows: Mapping[str, list[dict[str, str]]]) -> Filed:
        """Rows of tables."""
        from tallybook.registry import filing, importing

        for line in importing.neighbours_of(rows, self.case) if self.case is not None else ():
            click.echo(f"warning: {line}", err=True)

        show, end = progress_bar("filing")
        try:
            return filing.file_rows(self.place, self.ledger, rows, self.tz, self.filer, show)
        finally:
            end()

    def write_back(self) -> None:
        """Write what changed into the folder too, where the folder was as the books say; else say so."""
        from tallybook.registry import filing

        if not self.place.folder.is_dir():
            return
        if self._folder_was:
            click.echo(f"note: {self.place.folder} differed from its ledger before, so it was left as it is", err=True)
            return
        found = self.found()
        for name in filing.write_back(found, found.files().names()):
            click.echo(f"wrote {self.place.folder / name}", err=True)


def _conflicts_table(conflicts: list[Conflict]) -> str:
    from tallybook.evidence.ingest.safe_cells import table_text

    rows = [
        {"subject": c.subject, "take": "", "field": field, "ours": ours, "theirs": theirs}
        for c in conflicts
        for field, ours, theirs in c.differences()
    ]
    return table_text(["subject", "take", "field", "ours", "theirs"], rows)


def _settled(path: Path | None) -> dict[str, Take]:
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
