"""tallybook report"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallybook.cli.filing_desk import FilingDesk, table_file
from tallybook.cli.options import database_option, print_json, write_file, writer_options
from tallybook.errors import TallybookError

if TYPE_CHECKING:
    from tallybook.casefile.merge import Conflict

_case = click.argument("case", type=click.Path(path_type=Path))
_author = click.option("--author", metavar="NAME", help="Who files. Default: TALLYBOOK_AUTHOR, or your user name.")
_key = click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's private key.")
_known = click.option(
    "--known", metavar="D", help="When a correction or withdrawal was known, where that is not what the row says."
)


@click.group(name="report")
def command() -> None:
    """File reports: import tables or a colleague's folder, add one row, withdraw one."""


@command.command(name="import")
@_case
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@database_option
@writer_options
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
    desk_ = FilingDesk(case, author, key, known)
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
@writer_options
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
    desk_ = FilingDesk(case, author, key, None)
    desk_.hold({table: [(1, {column: row[column] for column in (*columns, *row) if column in row})]}, {table: "the row"})
    there = desk_.shows(table_file(table))
    filed = desk_.rows({table_file(table): [row if there else dict.fromkeys(columns, "") | row]})
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
@writer_options
@_author
@_key
@_known
def withdraw(case: Path, name: str, reason: str, author: str | None, key: Path | None, known: str | None) -> int:
    """Take a row off the books of CASE, from now on (or from --known). What was filed stays in the ledger."""
    from tallybook.registry import counting, filing
    from tallybook.registry.writer import refusal

    desk_ = FilingDesk(case, author, key, known)
    counting.refuse_a_reader(desk_.found().files(), desk_.tz, desk_.filer.author, "withdraw rows")
    subject = desk_.subject_named(name)
    desk_.check_withdrawal(subject)
    try:
        receipt = filing.withdraw(desk_.place, desk_.ledger, subject, desk_.filer, reason)
    except filing.NotFiledError as error:
        raise error if desk_.writer is None else refusal(name) from None
    desk_.write_back()
    # The number of an entry tells how many there are.
    click.echo(f"{subject}: withdrawn" + (f" by entry {receipt.index}" if desk_.writer is None else ""))
    return 0


def _conflicts_table(conflicts: list[Conflict]) -> str:
    from tallybook.evidence.ingest.safe_cells import table_text

    rows = [
        {"subject": c.subject, "take": "", "field": field, "ours": ours, "theirs": theirs}
        for c in conflicts
        for field, ours, theirs in c.differences()
    ]
    return table_text(["subject", "take", "field", "ours", "theirs"], rows)
