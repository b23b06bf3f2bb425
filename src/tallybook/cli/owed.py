"""tallybook owed"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallybook import desk
from tallybook.board.text import ending_words, state_words
from tallybook.cli.options import case_argument, framed, open_case, print_json, question_options, side_option
from tallybook.verdicts.board import Board, owed_json
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.sentences import known_by


@click.command(name="owed")
@case_argument
@question_options
@side_option
@click.option("--all", "everything", is_flag=True, help="Also what is performed, waived or released.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    case: Path,
    on: str | None,
    known: str | None,
    reading: str | None,
    side: str | None,
    everything: bool,
    as_json: bool,
) -> int:
    """What is still owed under CASE: who, to whom, by when, on what condition, and what that waits for."""
    inquiry = desk.ask(open_case(case), on, known, reading, side)
    drawn = desk.board(inquiry)
    rows = owed_json(inquiry, drawn.duties, everything)
    if as_json:
        banner = whole_banner(inquiry)
        print_json([row | {"marking": banner} for row in rows] if banner else rows)
        return 0
    with framed(whole_banner(inquiry)):
        _print(inquiry, drawn, rows)
    return 0


def _print(inquiry: Inquiry, drawn: Board, rows: list[dict[str, Any]]) -> None:
    click.echo(f"What is owed {known_by(inquiry)}")
    for row in rows:
        click.echo(f"\n{row['by']} to {row['to']}: @{row['id']}, {state_words(row)} ({row['kind']})")
        for name, words in row["text"].items():
            click.echo("".join(f'    {name}: "{text}"\n' for text in words), nl=False)
        if row["earliest"]:
            click.echo(f"    not before: {row['earliest']}")
        if row["due"]:
            click.echo(f"    due: {row['due']}")
        if row["remark"]:
            click.echo(f"    {row['remark']}")
        if row["condition"]:
            click.echo(f"    on condition: {row['condition']}")
        if row["waits_for"]:
            click.echo(f"    waits for: {', '.join(row['waits_for'])}")
        if row["withheld_by"]:
            click.echo(f"    withheld under {row['withheld_by']}")
        if row["done_without_being_owed"]:
            click.echo("    done already, without being owed")
    if not rows:
        click.echo("nothing.")
    for told in ending_words(drawn):
        click.echo(f"\n{told}")
