"""tallybook agreement lint"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tallybook import desk
from tallybook.cli.options import as_option, folder_argument, print_json, reader_files

_TITLES = {"error": "Errors", "warning": "Warnings", "note": "Notes"}


@click.command(name="lint")
@folder_argument
@as_option
@click.option("--on", metavar="D", help="Leave out what is dated or known later. Default: all that is on file.")
@click.option(
    "--trials",
    type=click.IntRange(0, 100_000),
    default=100,
    show_default=True,
    help="Sets of generated evidence on which each restatement is compared.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What the generated evidence starts from.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(case: Path, on: str | None, trials: int, seed: int, as_json: bool) -> int:
    """What is wrong with the agreement of CASE beyond its form, at any instant that its changes lead through.

    Dangling references, conflicts, what can never be reached, undefined terms, vague words without a ruling, cycles, duties
    without proof; and whether every change that restates leaves every verdict as it was. Exit 0 with warnings and notes only,
    1 where there is an error.
    """
    found = _lint(case, on, trials, seed)
    if as_json:
        print_json(_json(found))
        return 1 if found.errors else 0
    for severity, title in _TITLES.items():
        rows = [row for row in found.findings if row.severity == severity]
        if rows:
            click.echo(f"{title} ({len(rows)})")
            click.echo("\n".join(str(row) for row in rows) + "\n")
    for restated in found.restated:
        click.echo(_compared(restated))
    if found.restated:
        click.echo(f"Generated evidence: {trials} trials, seed {seed}.")
    counts = {name: sum(row.severity == name for row in found.findings) for name in _TITLES}
    told = ", ".join(f"{count} {name}{'s' if count != 1 else ''}" for name, count in counts.items())
    click.echo(f"{told}; the text was read at {found.stages} instant{'s' if found.stages != 1 else ''}.")
    return 1 if found.errors else 0


def _lint(case: Path, on: str | None, trials: int, seed: int) -> Any:
    if not sys.stderr.isatty():
        return desk.lint(case, on, trials, seed, seen=reader_files(case))
    with click.progressbar(length=1000, label="Comparing restatements", file=sys.stderr) as bar:

        def progress(done: int, of: int) -> None:
            bar.update(max(0, 1000 * done // max(of, 1) - bar.pos))

        return desk.lint(case, on, trials, seed, progress, reader_files(case))


def _compared(restated: Any) -> str:
    if restated.only_words:
        return f"{restated.address} restates {restated.target}: only its words differ."
    told = f"{restated.instants} instants on file" + (f" ({restated.left_out} left out)" if restated.left_out else "")
    readings = ", ".join(restated.readings)
    stopped = f" Stopped: {restated.stopped}." if restated.stopped else ""
    return f"{restated.address} restates {restated.target}: compared at {told}, under {readings or 'no reading'}.{stopped}"


def _json(found: Any) -> dict[str, Any]:
    return {
        "findings": [row.as_dict() for row in found.findings],
        "errors": found.errors,
        "stages": found.stages,
        "restated": [row.as_dict() for row in found.restated],
        "trials": found.trials,
        "seed": found.seed,
    }
