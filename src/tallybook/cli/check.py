"""tallybook check"""

from __future__ import annotations

import os
from pathlib import Path

import click

from tallybook import desk
from tallybook.casefile.exhibit_tables import EXHIBITS
from tallybook.casefile.exhibits import NO_ROW, check_files, custody_notes
from tallybook.casefile.files import Folder
from tallybook.casefile.marked import read_loosely
from tallybook.casefile.read import read_case
from tallybook.cli.options import as_option, folder_argument, print_json, reader_files


@click.command(name="check")
@folder_argument
@as_option
@click.option("--json", "as_json", is_flag=True, help="Faults as JSON.")
def command(case: Path, as_json: bool) -> int:
    """Report every fault of CASE at once, with file, line, field and what to do.

    Exit 0 where there is none, 1 where there are faults. Notes say what is well formed but has no effect. Exhibits are hashed.
    With --as, of the case as that reader may see it.
    """
    seen = reader_files(case)
    read = desk.check_case(case) if seen is None else read_case(seen)
    if read.case is not None and seen is None:
        held, more = check_files(case, read.case.evidence.exhibits)
        read.faults += held
        kept = {row.get("sha256", "") for row in _exhibit_rows(case)}
        more = [note for note in more if note.what != NO_ROW or note.file.rpartition("/")[2].partition(".")[0] not in kept]
        read.notes += [*more, *custody_notes(read.case.evidence.exhibits.values())]
        read.notes += desk.ledger_notes(case, read.case, os.environ)
    if as_json:
        rows = [(kind, fault) for kind, faults in (("fault", read.faults), ("note", read.notes)) for fault in faults]
        keys = ("file", "line", "field", "what", "do")
        print_json([{"kind": kind, **{key: getattr(fault, key) for key in keys}} for kind, fault in rows])
        return 1 if read.faults else 0
    for fault in read.faults:
        click.echo(str(fault))
    for note in read.notes:
        click.echo(f"note: {note}")
    if read.faults:
        click.echo(f"{len(read.faults)} fault{'s' if len(read.faults) != 1 else ''}.", err=True)
        return 1
    assert read.case is not None
    evidence = read.case.evidence
    agreement = read.case.agreement
    count = len(evidence.exhibits)
    exhibits = f"{count} exhibit{'' if count == 1 else 's'}, " if count else ""
    click.echo(
        f"{read.case.name}: no faults. {len(evidence.reports)} reports, {len(evidence.sources)} sources, {exhibits}"
        f"{len(evidence.bearings)} bearings, {len(agreement.provisions)} provisions, {len(agreement.changes)} changes, "
        f"{len(agreement.claims)} claims, {len(agreement.board)} board lines."
    )
    return 0


def _exhibit_rows(case: Path) -> list[dict[str, str]]:
    """The rows of exhibits as they stand in the table: a released form has one, and is not counted beside its first."""
    files = Folder(case)
    return read_loosely(files.read(EXHIBITS)).rows if files.has(EXHIBITS) else []
