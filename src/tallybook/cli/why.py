"""tallybook why"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook import desk
from tallybook.cli.options import case_argument, print_json, question_options
from tallybook.verdicts.board import finding_json, receipt
from tallybook.verdicts.sentences import known_by, sentences

if TYPE_CHECKING:
    from tallybook.checker.check import Checked


@click.command(name="why")
@case_argument
@click.argument("name", metavar="LINE|@PROVISION")
@question_options
@click.option("--check", "with_check", is_flag=True, help="Let a second, separate program re-apply every step.")
@click.option("--json", "as_json", is_flag=True, help="The explanation tree as JSON.")
def command(
    case: Path,
    name: str,
    on: str | None,
    known: str | None,
    reader: str | None,
    reading: str | None,
    with_check: bool,
    as_json: bool,
) -> int:
    """Why a line of CASE, or a duty (@id), has its verdict; every leaf is a report or a quotation.

    With --check the exit code is 1 where a step does not follow from the case.
    """
    inquiry = desk.ask(desk.open_case(case), on, known, reader, reading)
    answer = desk.why(inquiry, name)
    finding = answer.line.finding if answer.line else None
    out: dict[str, Any] = {
        "case": inquiry.case.name,
        "name": answer.name,
        "words": answer.head,
        "finding": finding_json(finding, None) if finding else None,
        "because": [tree.as_json() for tree in answer.trees],
    }
    # What is checked is what a reader of the JSON gets, not what it was made from.
    result = desk.check_why(case, json.loads(json.dumps(out))) if with_check else None
    failed = result is not None and not result.is_accepted
    if as_json:
        if result is not None:
            out["check"] = result.as_json()
        print_json({**out, "receipt": receipt(desk.board(inquiry))})
        return 1 if failed else 0
    click.echo(f"{answer.name}, {known_by(inquiry)}")
    for tree in answer.trees:
        click.echo("")
        for line in sentences(tree):
            click.echo(line)
    if finding and finding.would_change:
        click.echo("\nWhat would change it:")
        for what in finding.would_change:
            click.echo(f"  - {what}")
    if finding:
        told = ", ".join(f"{how}: {word}" for how, word in finding.sensitivity.items())
        click.echo(f"\nWith what grades are worth {told}.")
    if result is not None:
        _tell(result)
    return 1 if failed else 0


def _tell(result: Checked) -> None:
    told = f"checked: {result.steps} steps, {result.leaves} leaves, "
    if result.is_accepted:
        click.echo(f"\n{told}accepted")
        return
    count = len(result.complaints)
    click.echo(f"\n{told}{count} complaint{'' if count == 1 else 's'}:")
    for complaint in result.complaints:
        click.echo(f"  - {complaint}")
