"""tallybook new"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tallybook import desk
from tallybook.casefile.new import DEFAULT, TEMPLATES


@click.command(name="new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--template",
    metavar="|".join(TEMPLATES),
    default=DEFAULT,
    show_default=True,
    help="Which kind of agreement to start from.",
)
def command(folder: Path, template: str) -> int:
    """Write a small working case into the new folder DIR.

    The folder's name becomes the name of the case. Nothing is ever written over.
    """
    written = desk.new_case(folder, template)
    for path in written:
        click.echo(f"wrote {path}")
    place = shlex.quote(str(folder))
    click.echo(f"\nNow try:\n  tallybook check {place}\n  tallybook board {place}")
    return 0
