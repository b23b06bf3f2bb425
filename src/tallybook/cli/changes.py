"""tallybook changes"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallybook import desk
from tallybook.cli.options import as_option, case_argument, framed, open_case, print_json
from tallybook.core.time import written
from tallybook.verdicts.inquiry import Case, Inquiry
from tallybook.verdicts.marked import join_banner


@click.command(name="changes")
@case_argument
@click.option("--since", required=True, metavar="D", help="The earlier date, as known then.")
@click.option("--known", "--until", "until", metavar="D", help="The later date. Default: the case's default_as_of.")
@as_option
@click.option("--reading", metavar="R", help="Whose interpretation.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(case: Path, since: str, until: str | None, reading: str | None, as_json: bool) -> int:
    """What changed on the board of CASE between two dates, each as it was known then, and why."""
    loaded = open_case(case)
    before, after, found = desk.changes(loaded, since, until, reading)
    if as_json:
        out = {
            "case": loaded.name,
            "reader": loaded.reader,
            "marking": join_banner(before, after) or None,
            "since": written(before.question.known, loaded.tz),
            "until": written(after.question.known, loaded.tz),
            "lines": [desk.as_dict(change) for change in found],
            "agreement": _amendments(before, after),
        }
        print_json(out)
        return 0
    with framed(join_banner(before, after)):
        _print(loaded, before, after, found)
    return 0


def _print(loaded: Case, before: Inquiry, after: Inquiry, found: list[desk.LineChange]) -> None:
    click.echo(f"From {written(before.question.known, loaded.tz)} to {written(after.question.known, loaded.tz)}")
    for change in found:
        arrow = f"{change.before} -> {change.after}" if change.moved else f"still {change.after}"
        click.echo(f"\n{change.title}: {arrow}")
        if change.why:
            click.echo(f"    {change.why}")
        for name, ids in (("for", change.new_for), ("against", change.new_against), ("read", change.new_other)):
            if ids:
                click.echo(f"    new {name}: {', '.join(ids)}")
    for row in _amendments(before, after):
        by = f", ruled by {row['ruling_by']}" if row["ruling_by"] else ""
        recorded = f", recorded by {', '.join(row['recorded_by'])}" if row["recorded_by"] else ""
        click.echo(f"\nIn the agreement, {row['change']} ({row['effective']}): {row['op']} {row['target']}{by}{recorded}")


def _amendments(before: Inquiry, after: Inquiry) -> list[dict[str, Any]]:
    """Changes of the agreement that are applied at the later date and were not at the earlier one."""
    return [
        {
            "change": change.address,
            "op": change.op,
            "target": change.target,
            "effective": change.effective or change.made,
            "recorded_by": list(change.recorded_by),
            "ruling_by": change.ruling.by if change.ruling else None,
        }
        for change in after.agreement.changes
        if change.address in after.in_force.applied and change.address not in before.in_force.applied
    ]
