"""tallybook count"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook.cli.options import as_option, chosen_database, chosen_reader, database_option, print_json
from tallybook.errors import Fault, TallybookError

if TYPE_CHECKING:
    from tallybook.casefile.files import Files
    from tallybook.evidence.seal import Difference, Opening, Seal
    from tallybook.registry.counting import Standing

_case = click.argument("case", type=click.Path(path_type=Path))
_seal = click.argument("seal", type=click.Path(path_type=Path), metavar="FILE.seal")
_opening = click.argument("opening", type=click.Path(path_type=Path), metavar="FILE.opening")
_LARGEST_COUNT = 4_000_000


@click.group(name="count")
def command() -> None:
    """Sealed counts: two parties commit to a hash before either count is opened."""


@command.command(name="file")
@_case
@click.argument("count", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--table", metavar="NAME", help="The table that FILE is, where its name does not say.")
@database_option
@click.option("--author", metavar="NAME", help="Who files. Default: who is signed in, TALLYBOOK_AUTHOR, or your user name.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's private key.")
def file(case: Path, count: Path, table: str | None, author: str | None, key: Path | None) -> int:
    """File FILE in the ledger of CASE as an observer of a class: all of it, where the class allows all of it, or nothing."""
    from tallybook.cli.filing_desk import FilingDesk
    from tallybook.registry import counting

    desk = FilingDesk(case, _who(author), key, None)
    counting.must_be_a_reader(desk.found().files(), desk.tz, desk.filer.author)
    filed = desk.file(count, table)
    desk.write_back()
    click.echo(f"{len(filed.merge.new)} new, {len(filed.merge.same)} on file already.")
    return 0


def _who(author: str | None) -> str | None:
    """Who files: whoever is signed in, where somebody is. Raises TallybookError for another name."""
    from tallybook.cli.session import signed_in

    found = signed_in()
    if found is None:
        return author
    if author is not None and author != found.reader:
        raise TallybookError("signed in as somebody else", where="--author", do=f"write --author {found.reader}, or sign out")
    return found.reader


@command.command(name="seal")
@click.argument("count", type=click.Path(path_type=Path), metavar="COUNT")
@click.option("--by", required=True, metavar="PARTY", help="Who counted.")
@click.option("--of", required=True, metavar="SUBJECT", help="What was counted, in the words that the other party uses too.")
@click.option("--table", metavar="NAME", help="The table that COUNT is, where its name does not say. Default: vessels.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="FILE.seal", help="Where the seal goes.")
def seal(count: Path, by: str, of: str, table: str | None, out: Path) -> int:
    """Seal COUNT (a table of vessels or observations): write FILE.seal, to be given out, and FILE.opening, to be kept secret.

    A lost opening cannot be made again: neither file is ever written over.
    """
    import secrets

    from tallybook.evidence import seal as seals
    from tallybook.registry.filing import NotFiledError
    from tallybook.registry.importing import bring

    if out.suffix != ".seal":
        raise TallybookError("not the name of a seal", where=str(out), do="end it in .seal; the opening goes beside it")
    brought = bring(_bytes(count, _LARGEST_COUNT), count.name, table or (None if count.stem in seals.KEYS else "vessels"))
    if brought.faults:
        raise NotFiledError(str(count), brought.faults)
    if len(brought.rows) != 1:
        raise TallybookError("several tables", where=str(count), do="seal one table at a time")
    (name, rows), *_ = brought.rows.items()
    nonce = secrets.token_bytes(seals.NONCE_SIZE)
    opening = seals.opening_of(by, of, nonce, name, [row.fields for row in rows], str(count))
    made = seals.seal_of(opening)
    _write_new(out.with_suffix(".opening"), seals.write_opening(opening), 0o600)
    _write_new(out, seals.write_seal(made), 0o644)
    click.echo(f"{out}: {by} has sealed {len(opening.rows)} rows of {of}. Give it out; it tells nothing of the count.")
    click.echo(f"{out.with_suffix('.opening')}: keep it secret, and a copy of it, until every seal is lodged.")
    click.echo(f"seal: {made.seal}")
    return 0


@command.command(name="open")
@_seal
@_opening
@click.option("--json", "as_json", is_flag=True, help="The rows as JSON.")
def open_(seal: Path, opening: Path, as_json: bool) -> int:
    """Hold FILE.opening against FILE.seal, and show the count. Exit 1 where the count was changed after sealing."""
    from tallybook.evidence.seal import NotItsOpeningError

    try:
        made, shown = _pair(seal, opening)
    except NotItsOpeningError as error:
        click.echo(f"does not open: {error}")
        return 1
    if as_json:
        print_json({"by": made.by, "of": made.of, "seal": made.seal, "table": shown.table, "rows": [*map(dict, shown.rows)]})
        return 0
    click.echo(f"opens: {made.by} sealed this count of {made.of}.")
    for row in shown.rows:
        click.echo("  " + ", ".join(f"{column} {text}" for column, text in row.items()))
    return 0


@command.command(name="compare")
@_seal
@_opening
@click.argument("other_seal", type=click.Path(path_type=Path), metavar="OTHER.seal")
@click.argument("other_opening", type=click.Path(path_type=Path), metavar="OTHER.opening")
@click.option(
    "--key", default="", metavar="COLUMN", help="What a row is a count of. Default: name (vessels), vessel (observations)."
)
@click.option("--field", "fields", multiple=True, metavar="COLUMN", help="Compare this column only; may be given several times.")
@click.option("--json", "as_json", is_flag=True, help="The comparison as JSON.")
def compare(
    seal: Path, opening: Path, other_seal: Path, other_opening: Path, key: str, fields: tuple[str, ...], as_json: bool
) -> int:
    """Hold two sealed counts against each other. Exit 1 where one does not open, one is a copy, or they differ.

    Files do not tell which seal was there first: lodge the seals in a ledger, and tallybook count show tells the order.
    """
    from tallybook.evidence import seal as seals

    given = ((seal, opening), (other_seal, other_opening))
    made = [seals.read_seal(_bytes(one, seals.LARGEST_SEAL), str(one)) for one, _ in given]
    wrong = _not_two(*made)
    opened: list[Opening | None] = []
    for one, (_, path) in zip(made, given, strict=True):
        shown = seals.read_opening(_bytes(path, seals.LARGEST_OPENING), str(path))
        try:
            seals.check_opening(one, shown, str(path))
            opened.append(shown)
        except seals.NotItsOpeningError as error:
            wrong.append(error.what)
            opened.append(None)
    differ: list[Difference] = []
    if not wrong and opened[0] is not None and opened[1] is not None:
        differ = seals.differences(opened[0], opened[1], key, fields)
    _tell_comparison(made, wrong, differ, as_json)
    return 1 if wrong or differ else 0


def _not_two(one: Seal, other: Seal) -> list[str]:
    """Why two seals are not two counts of one thing."""
    from tallybook.evidence.ingest.told import told
    from tallybook.evidence.seal import same_party

    if same_party(one.by, other.by):
        return [f"both seals are of {told(one.by)}, or of a name that looks like it"]
    if one.seal == other.seal:
        return [f"{told(one.by)} and {told(other.by)} have one seal: one of them copied it, and it opens for the other only"]
    if one.of != other.of:
        return [f"seals of different things, {told(one.of)} and {told(other.of)}"]
    return []


def _tell_comparison(made: list[Seal], wrong: list[str], differ: list[Difference], as_json: bool) -> None:
    one, other = made
    if as_json:
        rows = [{"key": d.key, "field": d.field, "ours": d.ours, "theirs": d.theirs} for d in differ]
        agree = not wrong and not differ
        print_json({"by": [one.by, other.by], "of": one.of, "wrong": wrong, "agree": agree, "differences": rows})
        return
    for line in wrong:
        click.echo(line)
    if wrong:
        return
    click.echo(f"Both open: {one.by} and {other.by}, of {one.of}.")
    for d in differ:
        told = f"{d.field}: {d.ours or 'blank'} and {d.theirs or 'blank'}"
        click.echo(f"  {d.key}: {told}" if d.field else f"  {d.key}: counted by {one.by if d.ours else other.by} only")
    click.echo(f"They differ in {len(differ)} place{'s' if len(differ) != 1 else ''}." if differ else "They agree.")
    click.echo("Which seal was there first is not told by files: see tallybook count show.", err=True)


@command.command(name="lodge")
@_case
@_seal
@click.option(
    "--opening", type=click.Path(path_type=Path), metavar="FILE.opening", help="Open the lodged seal: file its rows too."
)
@click.option("--at", metavar="T", help="When it was sealed, or opened, as you say. Default: now. The ledger adds its own time.")
@database_option
@click.option("--author", metavar="NAME", help="Who files. Default: TALLYBOOK_AUTHOR, or your user name.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's private key.")
def lodge(case: Path, seal: Path, opening: Path | None, at: str | None, author: str | None, key: Path | None) -> int:
    """File FILE.seal in the ledger of CASE, so that the time of it is on record; later, with --opening, the count itself."""
    from tallybook.casefile.seals import FILE, read_seals
    from tallybook.cli.filing_desk import FilingDesk
    from tallybook.evidence import seal as seals
    from tallybook.registry import counting
    from tallybook.registry.filing import NotFiledError
    from tallybook.registry.place import now

    made = seals.read_seal(_bytes(seal, seals.LARGEST_SEAL), str(seal))
    desk = FilingDesk(case, _who(author), key, None)
    # The names in a seal are free text, and its nonce is as good as that: whoever may only count hands the files to the desk.
    counting.refuse_a_reader(desk.found().files(), desk.tz, desk.filer.author, "lodge seals; the desk lodges the file for you")
    when = _when(at, desk.tz, now())
    rows: dict[str, list[dict[str, str]]] = {FILE: [counting.lodged_row(made, when, when)]}
    files = desk.found().files()
    if opening is not None:
        shown = seals.read_opening(_bytes(opening, seals.LARGEST_OPENING), str(opening))
        try:
            seals.check_opening(made, shown, str(opening))
        except seals.NotItsOpeningError as error:
            click.echo(f"nothing was filed: {error}")
            return 1
        rows = counting.opened_rows(files, desk.tz, made, shown, when)
        count = {shown.table: [*enumerate(rows[f"reports/{shown.table}.csv"], 1)]}
        faults = counting.faults_at_the_door(files, desk.tz, desk.filer.author, count, {shown.table: str(opening)})
        if faults:
            raise NotFiledError(str(opening), faults)
    elif files.has(FILE) and any(one.id == seals.seal_id(made) for one in read_seals(files, desk.tz).records):
        click.echo(f"{seals.seal_id(made)}: lodged already")
        return 0
    filed = desk.rows(rows)
    desk.write_back()
    done = "opened" if opening is not None else "lodged"
    click.echo(f"{seals.seal_id(made)}: {done} by {made.by}, of {made.of}; {len(filed.receipts)} entries")
    return 0


@command.command(name="show")
@_case
@database_option
@as_option
@click.option("--json", "as_json", is_flag=True, help="The seals as JSON.")
def show(case: Path, as_json: bool) -> int:
    """The seals lodged in CASE: who sealed what, when it was sealed and opened, whether it holds. Exit 1 where one does not."""
    found, faults = _standings(case)
    if as_json:
        print_json({"seals": [_as_json(one) for one in found], "faults": [str(fault) for fault in faults]})
        return 1 if faults or any(one.wrong for one in found) else 0
    for one in found:
        click.echo(f"{one.record.id}: {one.record.seal.by}, of {one.record.seal.of}: {one.state}")
        click.echo(f"    sealed {_times(one, 'sealed', 'lodged')}")
        if one.record.opened is not None:
            click.echo(f"    opened {_times(one, 'opened', 'opened')}")
        for line in one.wrong:
            click.echo(f"    {line}")
    for fault in faults:
        click.echo(str(fault))
    if not found and not faults:
        click.echo("No seals are lodged.")
    return 1 if faults or any(one.wrong for one in found) else 0


def _standings(case: Path) -> tuple[list[Standing], list[Fault]]:
    """The seals of a case, as the reader may see it, and what is wrong with rows that are no seals.

    From its ledger where it has one, with what that recorded; else from its folder.
    """
    from tallybook.casefile.files import Folder
    from tallybook.casefile.marked import rights_of
    from tallybook.casefile.read import read_case
    from tallybook.casefile.seals import read_seals
    from tallybook.casefile.view import Seen
    from tallybook.registry import counting, reading
    from tallybook.registry import place as places

    place, reader = places.place_of(case, chosen_database(), os.environ), chosen_reader()
    files: Files = Folder(case)
    on_record: dict[str, counting.Recorded] = {}
    if places.has_ledger(place):
        found = reading.on_file(place)
        files, on_record = found.files(), counting.recorded(found.books)
    if reader is not None:
        rights = rights_of(files)
        files = Seen(files, rights, rights.policy.reader(reader))
    read = read_seals(files, reading.zone_of(read_case(files)))
    lines = {record.line for record in read.records}
    return counting.standings(read, on_record), [fault for fault in read.faults if fault.line not in lines]


def _times(one: Standing, asserted: str, recorded: str) -> str:
    said = getattr(one.record, asserted)
    shown = getattr(one.recorded, recorded) if one.recorded is not None else None
    return f"{said.text} as asserted, {f'recorded {shown.text}' if shown is not None else 'not in a ledger'}"


def _as_json(one: Standing) -> dict[str, Any]:
    record, shown = one.record, one.recorded
    times = {"lodged_at": shown.lodged.text, "opened_at": shown.opened.text if shown.opened else None} if shown else None
    return {
        "id": record.id,
        "by": record.seal.by,
        "of": record.seal.of,
        "seal": record.seal.seal,
        "state": one.state,
        "wrong": list(one.wrong),
        "sealed_at": record.sealed.text,
        "opened_at": record.opened.text if record.opened else None,
        "recorded": times,
    }


def _pair(seal: Path, opening: Path) -> tuple[Seal, Opening]:
    from tallybook.evidence import seal as seals

    made = seals.read_seal(_bytes(seal, seals.LARGEST_SEAL), str(seal))
    shown = seals.read_opening(_bytes(opening, seals.LARGEST_OPENING), str(opening))
    seals.check_opening(made, shown, str(opening))
    return made, shown


def _bytes(path: Path, most: int) -> bytes:
    """The bytes of a file, one more than `most` at most. Raises TallybookError where it cannot be read."""
    try:
        if not path.is_file():
            raise TallybookError("no such file", where=str(path), do="name a file")
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise TallybookError(f"cannot be read: {error.strerror}", where=str(path), do="make it a readable file") from error


def _write_new(path: Path, raw: bytes, mode: int) -> None:
    """Write a file that is not there yet, readable as `mode` says from the first byte. Raises TallybookError."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(raw)
    except FileExistsError as error:
        raise TallybookError("there already", where=str(path), do="name another file: a seal is never written over") from error
    except OSError as error:
        raise TallybookError(
            f"cannot be written: {error.strerror}", where=str(path), do="name a file in a folder you own"
        ) from error


def _when(text: str | None, tz: Any, at: datetime) -> str:
    """An asserted time as it goes into the row. Raises TallybookError for one that is none."""
    from tallybook.core.time import MomentError, moment, written

    if text is None:
        return written(at, tz)
    try:
        return moment(text, tz).text
    except MomentError as error:
        raise TallybookError(str(error), where="--at", do="correct the time") from error
