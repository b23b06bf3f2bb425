"""tallybook holdings"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook import desk
from tallybook.cli.options import case_argument, on_terminal, open_case, print_json, question_options, write_file
from tallybook.errors import TallybookError
from tallybook.verdicts.board import receipt
from tallybook.verdicts.marked import whole_banner

if TYPE_CHECKING:
    from tallybook.board.page import Page
    from tallybook.verdicts.holding import Holding
    from tallybook.verdicts.staged import StagedHolding

NONE = "No claim of this case is about a quantity."


@click.command(name="holdings")
@case_argument
@click.argument("item", required=False)
@question_options
@click.option("--json", "as_json", is_flag=True, help="The whole account as JSON (docs/reference/json.md).")
@click.option("--md", "as_md", is_flag=True, help="The whole account as Markdown.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.svg",
    help="Write a picture. Of several accounts each has its own, FILE-CLAIM.svg.",
)
def command(
    case: Path,
    item: str | None,
    on: str | None,
    known: str | None,
    reading: str | None,
    as_json: bool,
    as_md: bool,
    plot: Path | None,
) -> int:
    """How many there were, how many are out, how many are left, and how surely.

    ITEM is an item class of a claim with a quantity, or the id of such a claim. Without it every quantity of CASE is told.
    CASE may also be a JSON file that states a problem by itself (docs/reference/holdings.md); the answers are JSON.
    """
    if as_json and as_md:
        raise TallybookError("one answer has one form", where="--json --md", do="leave one of the two out")
    if plot is not None and plot.suffix.casefold() != ".svg":
        raise TallybookError(f"{plot.name} is not called .svg", where="--plot", do="name a file that ends in .svg")
    if case.suffix.casefold() == ".json" and not case.is_dir():
        if item or on or known or reading or as_md or plot:
            what = "a problem by itself has no items, dates, readers or pictures"
            raise TallybookError(what, where=str(case), do="leave all but --json out")
        print_json(desk.solve_problem(case))
        return 0
    inquiry = desk.ask(open_case(case), on, known, reading)
    accounts = desk.holdings(inquiry, item)
    if plot is not None:
        _plot(accounts, plot)
    if as_json:
        head: dict[str, Any] = {
            "case": inquiry.case.name,
            "on": inquiry.show(inquiry.on),
            "known": inquiry.show(inquiry.question.known),
        }
        head |= {"reader": inquiry.question.reader, "reading": inquiry.question.reading}
        head["marking"] = whole_banner(inquiry) or None
        print_json({**head, "holdings": [_json(a) for a in accounts], "receipt": receipt(desk.board(inquiry))})
    elif as_md or plot is None:
        _print(accounts, as_md)
    return 0


def _json(account: Holding | StagedHolding) -> dict[str, Any]:
    from tallybook.verdicts import holding_json, staged_json
    from tallybook.verdicts.staged import StagedHolding

    return staged_json.as_dict(account) if isinstance(account, StagedHolding) else holding_json.as_dict(account)


def _page(account: Holding | StagedHolding, whole: bool) -> Page:
    from tallybook.board import holdings, staged
    from tallybook.verdicts.staged import StagedHolding

    return staged.page(account, whole) if isinstance(account, StagedHolding) else holdings.page(account, whole)


def _print(accounts: list[Holding | StagedHolding], as_md: bool) -> None:
    from tallybook.board.page import markdown, text

    pages = [_page(account, as_md) for account in accounts]
    if not pages:
        click.echo(NONE)
    elif as_md:
        click.echo("\n".join(markdown(p) for p in pages), nl=False)
    elif on_terminal():
        from tallybook.board.page_terminal import show

        for n, p in enumerate(pages):
            click.echo("\n" if n else "", nl=False)
            show(p)
    else:
        click.echo("\n\n".join(text(p) for p in pages), nl=False)


def _plot(accounts: list[Holding | StagedHolding], file: Path) -> None:
    from tallybook.board.plot import plot

    if not accounts:
        raise TallybookError(NONE, where="--plot", do="leave --plot out")
    for account in accounts:
        name = file
        if len(accounts) > 1:
            name = file.with_name(f"{file.stem}-{account.claim.id.replace('/', '-')}{file.suffix}")
        write_file(name, plot(account))
        click.echo(f"wrote {name}", err=True)
