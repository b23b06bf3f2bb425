"""tallybook marking"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook.cli.options import chosen_database, database_option, print_json
from tallybook.cli.session import check_by, check_whole
from tallybook.errors import TallybookError
from tallybook.registry import place as places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tallybook.casefile.files import Files

_case = click.argument("case", type=click.Path(path_type=Path))
_record = click.argument("record", metavar="RECORD")


def act_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--by, --authority, --reason, --known, --key and --database: what every act on a marking takes."""
    for option in (
        click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's private key."),
        click.option("--known", metavar="D", help="When it was decided. Default: now."),
        click.option("--reason", required=True, help="Why."),
        click.option("--authority", required=True, help="By what authority."),
        click.option("--by", required=True, metavar="NAME", help="Who decides: a reader with the role of releasing authority."),
        database_option,
    ):
        function = option(function)
    return function


@click.group(name="marking")
def command() -> None:
    """Who may see what: the markings of a case, its readers, and the acts by which a marking is lowered or raised.

    A recorded marking never changes. To regrade is to file an act, by a named person with the authority for the old marking.
    """


@command.command(name="schemes")
@click.argument("scheme", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def schemes(scheme: str | None, as_json: bool) -> int:
    """The marking schemes that are shipped, with the levels of each; of one SCHEME all that it knows."""
    from tallybook.markings.scheme import scheme_of, shipped

    names = [scheme] if scheme else list(shipped())
    found = [scheme_of(name) for name in names]
    if as_json:
        print_json(
            [
                {
                    "id": one.id,
                    "title": one.title,
                    "levels": [{"name": level.name, "portion": level.portion} for level in one.levels],
                    "source": one.source,
                }
                for one in found
            ]
        )
        return 0
    for one in found:
        click.echo(f"{one.id}: {one.title}")
        for level in sorted(one.levels, key=lambda level: -level.rank):
            click.echo(f"    {level.name} ({level.portion})")
        if scheme:
            click.echo(f"    checked against: {one.source}")
    return 0


@command.command(name="check-text")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--scheme", default="TLP", show_default=True, metavar="ID", help="The scheme that it is marked in.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check_text(file: Path, scheme: str, as_json: bool) -> int:
    """Hold the banners of FILE against its portions: a text with its marking as first and last line, and each paragraph's own.

    Exit 1 where the banner is below its portions, a mark is missing or is none, or the scheme forbids what one puts together.
    """
    from tallybook.markings.document import document_flaws
    from tallybook.markings.scheme import scheme_of

    flaws = document_flaws(places.read_small(file, 4_000_000), scheme_of(scheme))
    if as_json:
        print_json([{"line": flaw.line, "what": flaw.what, "do": flaw.do} for flaw in flaws])
        return 1 if flaws else 0
    for flaw in flaws:
        click.echo(f"{file}:{flaw.line}: {flaw.what}\n    {flaw.do}")
    click.echo(f"{len(flaws)} fault{'s' if len(flaws) != 1 else ''}." if flaws else "head, foot and portions agree.")
    return 1 if flaws else 0


@command.command(name="show")
@_case
@database_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(case: Path, as_json: bool) -> int:
    """How CASE is marked, and how many of its rows each of its readers may see. For whoever keeps the case."""
    from tallybook.casefile.marked import Marked, rights_of
    from tallybook.registry.reading import sees_all

    files = files_of(case)
    check_whole(lambda reader: sees_all(files, reader))
    rights = rights_of(files)
    marked = Marked(files, rights)
    markings = [(name, marked.of_row(name, row)) for name, table in marked.tables.items() for row in table.rows]
    tables: dict[str, Counter[str]] = {}
    for name, marking in markings:
        tables.setdefault(name, Counter())[rights.policy.banner(marking)] += 1
    readers = {
        reader.name: sum(reader.clearance.opens(marking) for _, marking in markings) for reader in rights.policy.readers.values()
    }
    if as_json:
        rows = [{"reader": name, "roles": list(rights.policy.readers[name].roles), "rows": n} for name, n in readers.items()]
        print_json({"schemes": list(rights.policy.schemes), "tables": tables, "rows": len(markings), "readers": rows})
        return 0
    click.echo(f"Marked in {', '.join(rights.policy.schemes)}.")
    for name, counts in tables.items():
        click.echo(f"{name}: {', '.join(f'{count} {text}' for text, count in sorted(counts.items()))}")
    for name, count in readers.items():
        roles = f" ({', '.join(rights.policy.readers[name].roles)})" if rights.policy.readers[name].roles else ""
        click.echo(f"{name}{roles}: {count} of {len(markings)} rows")
    return 0


@command.command(name="regrade")
@_case
@_record
@click.option("--to", required=True, metavar="MARKING", help="What it becomes.")
@act_options
def regrade(case: Path, record: str, to: str, **said: Any) -> int:
    """Give RECORD (the id of a row, or the name of a file) another marking. To lower it takes the authority for the old one."""
    return _act(case, record, "regrade", to, said)


@command.command(name="declassify")
@_case
@_record
@click.option("--to", metavar="MARKING", help="What it becomes. Default: the lowest level of the scheme.")
@act_options
def declassify(case: Path, record: str, to: str | None, **said: Any) -> int:
    """Open RECORD to all: a named person's act under a named authority, whatever date its marking carries."""
    from tallybook.casefile.marked import rights_of

    scheme = rights_of(files_of(case)).policy.scheme
    return _act(case, record, "declassify", to or min(scheme.levels, key=lambda level: level.rank).name, said)


@command.command(name="distribute")
@_case
@_record
@click.option("--to", "names", required=True, multiple=True, metavar="NAME", help="Who becomes a recipient too.")
@act_options
def distribute(case: Path, record: str, names: tuple[str, ...], **said: Any) -> int:
    """Add recipients to RECORD, which is for named eyes only."""
    from dataclasses import replace

    from tallybook.casefile.marked import rights_of
    from tallybook.markings.marking import Marking
    from tallybook.markings.names import canonical_name
    from tallybook.registry.regrading import record as found_record

    files = files_of(case)
    rights = rights_of(files)
    found = found_record(files, rights, record)
    more = frozenset(canonical_name(name) for name in names)
    if all(part.recipients is None for part in found.marking.parts):
        raise TallybookError("it names no recipients", where=record, do="regrade changes who else may read it")
    parts = (p if p.recipients is None else replace(p, recipients=p.recipients | more) for p in found.marking.parts)
    return _act(case, record, "distribute", rights.policy.banner(Marking.of(*parts)), said)


@command.command(name="verify")
@_case
@click.argument("act", metavar="ACT")
@database_option
def verify(case: Path, act: str) -> int:
    """Hold a redacted form against the record that it is a form of: ACT is the id of the release in reports/marking_acts.csv.

    For those who may see both. Exit 1 where something differs that was not cut, or a hash does not fit.
    """
    from tallybook.registry.redacting import faults_of

    faults = faults_of(files_of(case), act)
    for fault in faults:
        click.echo(fault)
    click.echo(f"{act}: {len(faults)} faults" if faults else f"{act}: the same but for what was cut, and every hash fits")
    return 1 if faults else 0


def files_of(case: Path) -> Files:
    """The files of a case: those on file, where it has a ledger."""
    from tallybook.casefile.files import Folder

    place = places.place_of(case, chosen_database(), os.environ)
    if not places.has_ledger(place):
        return Folder(case)
    from tallybook.registry.reading import on_file

    return on_file(place).files()


def _act(case: Path, name: str, act: str, to: str, said: dict[str, Any]) -> int:
    from tallybook.casefile.marked import rights_of
    from tallybook.registry import regrading

    check_by(said["by"])
    key, known = said.pop("key"), said.pop("known")
    at = known or places.now().strftime("%Y-%m-%dT%H:%MZ")
    files = files_of(case)
    row = regrading.act_row(files, rights_of(files), name, {**said, "act": act, "becomes": to, "known_at": at})
    file_act(case, row, said["by"], key)
    click.echo(f"{name}: {row['was']} becomes {row['becomes']}, by {row['by']} ({row['authority']}); {row['id']}")
    return 0


def file_act(case: Path, row: dict[str, str], author: str, key: Path | None) -> None:
    """File a row of marking_acts.csv: in the ledger, where there is one; else in the folder."""
    from tallybook.casefile.marking_acts import COLUMNS, FILE

    file_rows_of(case, {FILE: (COLUMNS, [row])}, author, key)


def file_rows_of(
    case: Path,
    tables: Mapping[str, tuple[Sequence[str], list[dict[str, str]]]],
    author: str,
    key: Path | None,
    files: Mapping[str, bytes] | None = None,
) -> None:
    """File rows of tables, and new files: in the ledger, where the case has one; else in its folder, all or none."""
    place = places.place_of(case, chosen_database(), os.environ)
    if places.has_ledger(place):
        from tallybook.cli.filing_desk import FilingDesk

        desk = FilingDesk(case, author, key, None)
        desk.rows({name: rows for name, (_, rows) in tables.items()}, files)
        desk.write_back()
        return
    from tallybook.casefile.appending import append_rows

    for name in append_rows(case, tables, files):
        click.echo(f"wrote {case / name}", err=True)
