"""`tallybook`: one command a noun, each loaded only when it is called."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from tallybook import __version__
from tallybook.errors import TallybookError

_COMMANDS = {
    "new": ("tallybook.cli.new", "Write a small working case."),
    "check": ("tallybook.cli.check", "Report every fault of a case, with file, line, field and what to do."),
    "board": ("tallybook.cli.board", "The verdict on every line, on any date, as known on any date."),
    "why": ("tallybook.cli.why", "Why a line or a duty has its verdict, down to the reports."),
    "owed": ("tallybook.cli.owed", "What is still owed: who, to whom, by when, on what condition."),
    "holdings": ("tallybook.cli.holdings", "How many there were, how many are out, how many are left, and how surely."),
    "changes": ("tallybook.cli.changes", "What changed on the board between two known dates, and why."),
    "formula": ("tallybook.cli.formula", "Where a formula over events and time holds in a log, and for which values."),
    "report": ("tallybook.cli.report", "File reports: import tables or a colleague's folder, add one row, withdraw one."),
    "count": ("tallybook.cli.count", "Sealed counts: commit to a count before anybody opens one."),
    "marking": ("tallybook.cli.marking", "Who may see what: markings, readers, and acts that lower or raise a marking."),
    "redact": ("tallybook.cli.redact", "Release a redacted form of a report or an exhibit at a lower marking."),
    "release": ("tallybook.cli.release", "Write a case for another organisation: only what it may see, with the proofs."),
    "user": ("tallybook.cli.user", "Who may sign in, with which roles; their tokens; and what they have read."),
    "ledger": ("tallybook.cli.ledger", "What was filed, when, by whom; and the means for others to check that."),
    "agreement": ("tallybook.cli.agreement", "The agreement as it stands: show, diff, codify, lint."),
    "schema": ("tallybook.cli.schema", "The JSON Schema of agreement.yaml."),
}


class _Lazy(click.Group):
    """A group that imports a command's module when the command is called, and lists them all without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tallybook")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A verification desk for verified-removal agreements.

    A case is a folder: an agreement, the reports, and what an analyst reads in them. Dates are written 1962-11-03 (the end
    of that day in the case's time zone) or as instants such as 1962-11-03T20:44-05:00.
    """
    if os.environ.get("TALLYBOOK_TOKEN"):
        from tallybook.cli.session import sign_in

        sign_in(ctx.invoked_subcommand)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns 0 where all is well, 1 where a check found faults, 2 for unusable arguments or input."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter shows its number, and never stops the answer.
            stream.reconfigure(errors="backslashreplace")
    try:
        result: Any = cli.main(args=arguments, prog_name="tallybook", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except click.exceptions.Abort:
        click.echo("tallybook: interrupted", err=True)
        return 2
    except TallybookError as error:
        _show(error)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    finally:
        if "tallybook.registry.place" in sys.modules:
            sys.modules["tallybook.registry.place"].close_stores()


def _show(error: TallybookError) -> None:
    from tallybook.errors import CaseFaultsError

    click.echo(f"tallybook: {error}", err=True)
    if isinstance(error, CaseFaultsError):
        for fault in error.faults[:10]:
            click.echo(str(fault), err=True)
        if len(error.faults) > 10:
            click.echo(f"... and {len(error.faults) - 10} more", err=True)


def entry() -> None:
    """Console entry point."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
