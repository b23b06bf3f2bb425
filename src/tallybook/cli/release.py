"""tallybook release"""

from __future__ import annotations

import os
from pathlib import Path

import click

from tallybook.cli.options import chosen_database, database_option, print_json
from tallybook.cli.session import check_by
from tallybook.registry import place as places


@click.command(name="release")
@click.argument("case", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@database_option
@click.option("--to", required=True, metavar="READER", help="For whom: a reader that markings.yaml names, or a marking.")
@click.option("--by", required=True, metavar="NAME", help="Who releases it: a reader with the role of releasing authority.")
@click.option("--authority", required=True, help="By what authority.")
@click.option("--reason", required=True, help="Why.")
@click.option("--despite-mentions", is_flag=True, help="Release it though it names what is held back.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's private key.")
@click.option("--json", "as_json", is_flag=True, help="What was released, as JSON.")
def command(
    case: Path,
    out: Path,
    to: str,
    by: str,
    authority: str,
    reason: str,
    despite_mentions: bool,
    key: Path | None,
    as_json: bool,
) -> int:
    """Write CASE for another organisation into the folder OUT: only what READER may see, with the proofs.

    OUT is a case of its own: check, board and why work on it. `tallybook ledger verify OUT --key VKEY` holds it against the log,
    of which it shows the hashes of all entries and the words of those given out. Without a ledger there are no proofs.
    """
    from tallybook.registry import releasing
    from tallybook.registry.released import PROOFS

    check_by(by)
    place = places.place_of(case, chosen_database(), os.environ)
    act = releasing.Act(to, by, authority, reason)
    shown = None
    if places.has_ledger(place):
        ledger = places.open_ledger(place, key, os.environ)
        made, shown = releasing.release_filed(place, ledger, out, act, despite_mentions=despite_mentions)
    else:
        made = releasing.release_folder(case, out, act, despite_mentions=despite_mentions)
    for fault in made.mentions:
        click.echo(f"note: {fault}", err=True)
    if as_json:
        told = {"to": to, "files": sorted(made.files), "held_back": len(made.held_back), "entries_shown": shown}
        print_json(told)
        return 0
    click.echo(f"wrote {out}: {len(made.files)} files for {to}; {len(made.held_back)} rows and files were held back")
    if shown is None:
        click.echo(f"note: {case} has no ledger, so there are no proofs; tallybook ledger init makes one", err=True)
    else:
        click.echo(f"{out / PROOFS}: {shown} entries shown; tallybook ledger verify {out} --key VKEY checks them")
    return 0
