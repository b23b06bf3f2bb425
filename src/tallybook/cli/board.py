"""tallybook board"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from tallybook import desk
from tallybook.cli.options import (
    case_argument,
    chosen_database,
    on_terminal,
    open_case,
    print_json,
    question_options,
    side_option,
    write_file,
)
from tallybook.errors import TallybookError
from tallybook.verdicts.board import board_json


@click.command(name="board")
@case_argument
@question_options
@side_option
@click.option("--json", "as_json", is_flag=True, help="The board as JSON (docs/reference/json.md).")
@click.option("--md", "as_md", is_flag=True, help="The board as Markdown.")
@click.option("--html", "html", type=click.Path(path_type=Path, dir_okay=False), help="Write a one-file HTML briefing.")
@click.option("--give-out", "to", metavar="WHO", help="Record in the ledger that this board was given to WHO.")
@click.option("--author", metavar="NAME", help="Who gives it out. Default: TALLYBOOK_AUTHOR, or your user name.")
def command(
    case: Path,
    on: str | None,
    known: str | None,
    reading: str | None,
    side: str | None,
    as_json: bool,
    as_md: bool,
    html: Path | None,
    to: str | None,
    author: str | None,
) -> int:
    """The verdict on every line of CASE, on a date, as known on a date."""
    if as_json and as_md:
        raise TallybookError("one answer has one form", where="--json --md", do="leave one of the two out")
    drawn = desk.board(desk.ask(open_case(case), on, known, reading, side))
    if to is not None:
        _give_out(case, board_json(drawn), to, author)
    if html is not None:
        from tallybook.board.briefing import briefing

        write_file(html, briefing(drawn))
        click.echo(f"wrote {html}", err=True)
    if as_json:
        print_json(board_json(drawn))
    elif as_md:
        from tallybook.board.markdown import markdown

        click.echo(markdown(drawn), nl=False)
    elif html is None:
        if on_terminal():
            from tallybook.board.terminal import show

            show(drawn)
        else:
            from tallybook.board.text import text

            click.echo(text(drawn), nl=False)
    return 0


def _give_out(case: Path, answer: dict[str, Any], to: str, author: str | None) -> None:
    from tallybook.registry import giving, place

    there = place.place_of(case, chosen_database(), os.environ)
    if not place.has_ledger(there):
        raise TallybookError(f"{case} has no ledger", where="--give-out", do=f"tallybook ledger init {case} makes one")
    ledger = place.open_ledger(there, None, os.environ)
    receipt = giving.give_out(ledger, answer, to, place.author_of(author, os.environ))
    click.echo(f"recorded as entry {receipt.index} that this was given to {to}", err=True)
