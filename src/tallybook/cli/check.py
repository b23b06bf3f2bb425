"""tallybook check"""

from __future__ import annotations

import os
from pathlib import Path

import click

from tallybook import desk
from tallybook.casefile.exhibits import check_files, custody_notes
from tallybook.cli.options import as_option, chosen_reader, folder_argument, print_json


@click.command(name="check")
@folder_argument
@as_option
@click.option("--json", "as_json", is_flag=True, help="Faults as JSON.")
def command(case: Path, as_json: bool) -> int:
    """Report every fault of CASE at once, with file, line, field and what to do.

    Exit 0 where there is none, 1 where there are faults. Notes say what is well formed but has no effect. Exhibits are hashed.
    With --as, of the case as that reader may see it.
    """
    reader = chosen_reader()
    read = desk.check_case(case, reader)
    if read.case is not None and reader is None:
        held, more = check_files(case, read.case.evidence.exhibits)
        read.faults += held
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
