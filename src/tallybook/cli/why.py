"""tallybook why"""

from __future__ import annotations

from pathlib import Path

import click

from tallybook import desk
from tallybook.cli.options import case_argument, print_json, question_options
from tallybook.verdicts.board import finding_json, receipt
from tallybook.verdicts.sentences import known_by, sentences


@click.command(name="why")
@case_argument
@click.argument("name", metavar="LINE|@PROVISION")
@question_options
@click.option("--json", "as_json", is_flag=True, help="The explanation tree as JSON.")
def command(
    case: Path, name: str, on: str | None, known: str | None, reader: str | None, reading: str | None, as_json: bool
) -> int:
    """Why a line of CASE, or a duty (@id), has its verdict; every leaf is a report or a quotation."""
    inquiry = desk.ask(desk.open_case(case), on, known, reader, reading)
    answer = desk.why(inquiry, name)
    finding = answer.line.finding if answer.line else None
    if as_json:
        out = {
            "case": inquiry.case.name,
            "name": answer.name,
            "words": answer.head,
            "finding": finding_json(finding, None) if finding else None,
            "because": [tree.as_json() for tree in answer.trees],
            "receipt": receipt(desk.board(inquiry)),
        }
        print_json(out)
        return 0
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
    return 0
