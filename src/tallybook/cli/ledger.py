"""tallybook ledger"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook.cli import witness as witness_commands
from tallybook.cli.options import chosen_database, database_option, on_terminal, print_json, trusted_keys, write_file
from tallybook.cli.session import check_whole, signed_in
from tallybook.errors import TallybookError
from tallybook.registry import place as places
from tallybook.registry.place import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallybook.registry.proving import WitnessAt

_case = click.argument("case", type=click.Path(path_type=Path))
_key = click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's private key.")
_author = click.option("--author", metavar="NAME", help="Who files. Default: TALLYBOOK_AUTHOR, or your user name.")
_vkeys = click.option(
    "--key", "keys", multiple=True, metavar="VKEY", help="A public key to trust, or a file with some. Default: the case's."
)
_witness_keys = click.option(
    "--witness", "witness_keys", multiple=True, metavar="VKEY", help="The public key of a witness, or a file with some."
)
_quorum = click.option("--quorum", type=int, default=None, help="So many of the witnesses must have cosigned. Default: all.")
_clock = click.option("--clock-is-right", is_flag=True, help="Take the clock's word, however long nothing was recorded.")


@click.group(name="ledger")
def command() -> None:
    """What was filed, when, by whom: kept so that nobody can quietly change it, and so that others can check that."""


def _place(case: Path) -> Place:
    return places.place_of(case, chosen_database(), os.environ)


def _there(case: Path) -> Place:
    place = _place(case)
    if not places.has_ledger(place):
        raise TallybookError(f"{case} has no ledger", do=f"tallybook ledger init {case} makes one")
    if signed_in() is not None:
        from tallybook.registry.reading import on_file, sees_all

        check_whole(lambda reader: sees_all(on_file(place).files(), reader))
    return place


def progress_bar(label: str) -> tuple[Any, Any]:
    """What to call with (done, size), and what to call at the end: a bar on a terminal, and nothing in a pipe."""
    if not on_terminal():
        return (lambda done, size: None), (lambda: None)
    from rich.progress import Progress

    bar = Progress(transient=True)
    task = bar.add_task(label, total=None)
    bar.start()
    return (lambda done, size: bar.update(task, completed=done, total=size)), bar.stop


@command.command(name="init")
@_case
@database_option
@click.option("--origin", metavar="NAME", help="What the log is called in all its checkpoints. Default: tallybook.local/CASE.")
@_key
@_author
def init(case: Path, origin: str | None, key: Path | None, author: str | None) -> int:
    """Make the ledger of CASE, with a key to sign it, and file everything that is in the folder.

    The private key is written to a file of your own, never into the case. Without it nobody can sign what is added: keep a copy.
    """
    from tallybook.registry import filing

    place = _place(case)
    if places.has_ledger(place) and not places.is_begun(place):
        raise TallybookError("there is a ledger already", where=place.shown, do="tallybook report import files what is new")
    from tallybook.casefile.merge import Filer
    from tallybook.casefile.read import read_case
    from tallybook.errors import CaseFaultsError
    from tallybook.ledger.keys import KeyTextError, is_name

    read = read_case(case)
    if read.case is None:
        raise CaseFaultsError(str(case), read.faults)
    name = origin or f"tallybook.local/{place.name}"
    if not is_name(name):
        raise KeyTextError(f"{name!r} cannot name a log", where="--origin", do="use a name without spaces and plus")
    by = places.author_of(author, os.environ)
    path = places.key_file(name, key, os.environ)
    if not places.is_begun(place):
        places.make_store(place, name)
    public = places.own_key(path, name)
    write_file(case / places.VKEYS, f"{public}\n")
    ledger = places.open_ledger(place, path, os.environ)
    show, end = progress_bar("filing")
    try:
        filed = filing.file_folder(place, ledger, case, Filer(by), progress=show)
    finally:
        end()
    click.echo(f"{place.shown}: {len(filed.receipts)} entries, signed as {name}.")
    click.echo(f"private key: {path} (keep a copy where the ledger is not)")
    click.echo(f"public key:  {public}")
    click.echo("Next: a witness on another machine, so that a cut or forked ledger shows: docs/how-to/witness.md.")
    return 0


@command.command(name="checkpoint")
@_case
@database_option
@_key
@_clock
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@click.option(
    "--request", "request_file", type=click.Path(path_type=Path, dir_okay=False), help="Write what to carry to a witness."
)
@click.option("--to", metavar="NAME", help="The witness that the request is for, where there are several.")
@click.option("--from", "from_size", type=click.IntRange(0), metavar="SIZE", help="What the witness said that it cosigned last.")
@click.option("--answer", "answers", type=click.Path(path_type=Path), multiple=True, help="What a witness's answer file says.")
def checkpoint(
    case: Path,
    key: Path | None,
    clock_is_right: bool,
    out: Path | None,
    request_file: Path | None,
    to: str | None,
    from_size: int | None,
    answers: tuple[Path, ...],
) -> int:
    """Sign for CASE's ledger as it is now, and ask its witnesses to cosign.

    Witnesses are named in CASE/ledger.witnesses, one public key a line, with an address behind it where it has one.
    """
    from tallybook.ledger.note import parse_note
    from tallybook.ledger.signed import add_signatures
    from tallybook.registry import proving

    place = _there(case)
    ledger = places.open_ledger(place, key, os.environ, clock_is_right=clock_is_right)
    ledger.checkpoint()
    note, size = proving.newest(place, ledger.store)
    asked = proving.witnesses(place)
    failed = 0
    for one in asked:
        if not one.address:
            continue
        try:
            note = add_signatures(note, parse_note(proving.ask_to_cosign(ledger.store, note, one)).signatures)
        except TallybookError as error:
            failed += 1
            click.echo(f"{one.key.name}: {error}", err=True)
    for path in answers:
        told = proving.answered(ledger.store, note, places.read_small(path, 1_000_000).encode(), from_size, asked)
        note = add_signatures(note, parse_note(told).signatures)
    if request_file is not None:
        whom = _addressee(asked, to)
        old = from_size if from_size is not None else proving.cosigned_size(ledger.store, whom)
        write_file(request_file, proving.request_to(ledger.store, note, old).decode())
        click.echo(f"wrote {request_file}: carry it to {whom.key.name}, and bring its answer with --answer", err=True)
    if out is not None:
        write_file(out, note.decode())
        click.echo(f"wrote {out}: the checkpoint of {size} entries", err=True)
    else:
        click.echo(note.decode(), nl=False)
    return 1 if failed else 0


def _addressee(asked: Sequence[WitnessAt], name: str | None) -> WitnessAt:
    """The witness that a request is for."""
    found = [one for one in asked if name is None or one.key.name == name]
    if len(found) != 1:
        names = ", ".join(one.key.name for one in asked) or "none: tallybook ledger add-witness names one"
        raise TallybookError("which witness is it for?", where="--to", do=f"name one; there are {names}")
    return found[0]


@command.command(name="add-witness")
@_case
@click.argument("key")
@click.option("--at", "address", default="", metavar="URL", help="Its address, http://HOST:PORT. Without: files are carried.")
def add_witness(case: Path, key: str, address: str) -> int:
    """Name a witness for CASE's ledger: KEY is its public key, or a file that holds it."""
    from tallybook.ledger.cosignature import WitnessPolicy
    from tallybook.ledger.keys import vkey

    path = case / places.WITNESSES
    there = places.read_small(path) if path.is_file() else ""
    keys = trusted_keys((key,))
    WitnessPolicy(tuple(keys), len(keys))
    new = [vkey(one) for one in keys if vkey(one) not in there.split()]
    write_file(path, there + "".join(f"{one} {address}".rstrip() + "\n" for one in new))
    click.echo(f"{path}: {len(new)} witness{'es' if len(new) != 1 else ''} more; tallybook ledger checkpoint {case} asks")
    return 0


@command.command(name="rotate-key")
@_case
@database_option
@_key
@click.option("--new-key", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where to write the new one.")
@_author
def rotate_key(case: Path, key: Path | None, new_key: Path, author: str | None) -> int:
    """Sign with a new key from now on. The old one signs an entry about that first, and its earlier signatures still count.

    After a theft, what was filed since the last checkpoint that a witness cosigned is suspect: `ledger audit` says how much.
    """
    from tallybook.registry import proving

    place = _there(case)
    public = proving.rotate_key(place, key, new_key, places.author_of(author, os.environ), os.environ)
    click.echo(f"new public key:  {public} (added to {case / places.VKEYS})")
    click.echo(f"new private key: {new_key}; name it with --key or TALLYBOOK_KEY from now on")
    return 0


@command.command(name="audit")
@_case
@database_option
@_vkeys
@click.option("--checkpoint", "kept", type=click.Path(path_type=Path), multiple=True, help="A checkpoint kept elsewhere.")
@click.option("--workers", type=click.IntRange(1, 64), default=None, help="Processes. Default: one for each core.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def audit(case: Path, keys: tuple[str, ...], kept: tuple[Path, ...], workers: int | None, as_json: bool) -> int:
    """Hash every body, leaf and tile of CASE's ledger anew, and hold them against every checkpoint. Exit 1 where one differs.

    What only this machine has can be changed as a whole: give --checkpoint with one that a witness or a colleague kept.
    """
    from tallybook.registry import proving

    place = _there(case)
    show, end = progress_bar("auditing")
    try:
        notes = [places.read_small(path).encode() for path in kept]
        trusted = trusted_keys(places.vkeys(place, keys))
        audited = proving.audit_ledger(place, trusted, notes, workers=workers or os.cpu_count() or 1, progress=show)
        found = audited.audit
    finally:
        end()
    if as_json:
        rows = [
            {"entry": f.seq, "what": f.what, "expected": f.expected, "found": f.found, "checkpoint": f.covered_by}
            for f in found.faults
        ]
        print_json(
            {
                "size": found.size,
                "root": found.root.hex(),
                "destroyed": found.destroyed,
                "signed_to": audited.signed_to,
                "faults": rows,
            }
        )
    else:
        for fault in found.faults:
            click.echo(str(fault))
        gone = f", {found.destroyed} of them without their bodies, by an entry about that" if found.destroyed else ""
        if audited.signed_to is None:
            click.echo("Nothing is signed: these entries are whatever somebody last wrote.")
        elif audited.unsigned:
            click.echo(f"The last {audited.unsigned} entries are not signed for: tallybook ledger checkpoint signs.")
        alone = proving.uncosigned(place, found.size)
        if alone:
            click.echo(f"{alone} entries since the last cosigned checkpoint rest on this ledger's word alone.")
        verdict = f"{len(found.faults)}{'+' if found.is_cut else ''} faults" if found.faults else "all fits"
        click.echo(f"{place.shown}: {found.size} entries{gone}: {verdict}. Root {found.root.hex()}.")
    return 1 if found.faults or audited.signed_to is None else 0


@command.command(name="prove")
@_case
@click.argument("entry", type=click.IntRange(0))
@database_option
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The proof, FILE.tlog-proof.")
@click.option("--without-body", is_flag=True, help="Prove that the entry is there, and withhold what it says.")
def prove(case: Path, entry: int, out: Path, without_body: bool) -> int:
    """Write a proof that entry number ENTRY is in CASE's ledger, and beside it (FILE.entry.json) the entry itself.

    Whoever has both, and the public key, checks them with `ledger verify`, or with any tool for C2SP tlog-proof.
    """
    from tallybook.registry import proving

    place = _there(case)
    store = places.open_store(place)
    proof, shown = proving.prove(place, store, entry)
    if without_body:
        shown |= {"body": None, "salt": None}
    write_file(out, proof.decode())
    beside = out.with_suffix(".entry.json")
    write_file(beside, json.dumps(shown, indent=1, ensure_ascii=False) + "\n")
    click.echo(f"wrote {out} and {beside}", err=True)
    return 0


@command.command(name="verify")
@click.argument("what", type=click.Path(path_type=Path, exists=True))
@_vkeys
@_witness_keys
@_quorum
@click.option(
    "--entry", type=click.Path(path_type=Path), help="The entry that a proof is of. Default: FILE.entry.json beside it."
)
def verify(what: Path, keys: tuple[str, ...], witness_keys: tuple[str, ...], quorum: int | None, entry: Path | None) -> int:
    """Verify WHAT by itself: static files of a log, a proof of an entry, a proof of a fork, or a ledger's database.

    Needs the log's public key, and nothing else of ours. Exit 0 where it holds, 1 where it does not.
    """
    from tallybook.cli.verifying import verify_anything

    if not keys and what.is_dir() and (what / places.VKEYS).is_file():
        keys = places.vkeys(Place(what), keys)
    if quorum is not None and not witness_keys:
        raise TallybookError("a quorum of no witnesses", where="--quorum", do="name the witnesses with --witness")
    if not keys:
        raise TallybookError("no public key to verify with", where="--key", do="give the log's: it stands on every briefing")
    policy = None
    if witness_keys:
        from tallybook.ledger.cosignature import WitnessPolicy

        witnesses = trusted_keys(witness_keys)
        policy = WitnessPolicy(tuple(witnesses), quorum if quorum is not None else len(witnesses))
    return verify_anything(what, trusted_keys(keys), policy, entry)


@command.command(name="compare")
@click.argument("first")
@click.argument("second")
@_vkeys
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the proof of a fork to a file.")
def compare(first: str, second: str, keys: tuple[str, ...], out: Path | None) -> int:
    """Compare two showings of one log: ledgers, static files, or files with a checkpoint. Exit 1 where they are a fork.

    A fork is two histories under one key. The proof of it convicts the log before anybody who has its public key.
    """
    from tallybook.ledger import fork
    from tallybook.ledger.signed import read_checkpoint
    from tallybook.registry import proving

    one, two = proving.shown(first, os.environ), proving.shown(second, os.environ)
    trusted = trusted_keys(_keys_for(keys, first, second))

    larger = max(one, two, key=lambda shown: read_checkpoint(shown.note)[0].size)
    found = fork.compare(one.note, two.note, trusted, larger.grow)
    click.echo(f"{first}: size {found.first.size}, root {found.first.root.hex()}")
    click.echo(f"{second}: size {found.second.size}, root {found.second.root.hex()}")
    click.echo(found.relation.value)
    if found.relation is fork.Relation.UNKNOWN:
        raise TallybookError("a checkpoint alone does not tell how the log grew", do="give the ledger or its static files")
    if found.fork is None:
        return 0
    raw = fork.format_fork(found.fork).decode()
    if out is not None:
        write_file(out, raw)
        click.echo(f"wrote {out}: tallybook ledger verify {out} --key VKEY checks it", err=True)
    else:
        click.echo(raw, nl=False)
    return 1


def _keys_for(keys: tuple[str, ...], *where: str) -> tuple[str, ...]:
    for name in where:
        if not keys and Path(name).is_dir() and (Path(name) / places.VKEYS).is_file():
            keys = places.vkeys(Place(Path(name)), keys)
    if not keys:
        raise TallybookError("no public key to check them with", where="--key", do="give the log's public key")
    return keys


@command.command(name="export")
@_case
@click.argument("out", type=click.Path(path_type=Path))
@database_option
@click.option("--recorded", metavar="T", help="As it stood then: a day, an instant, or a checkpoint's size.")
@click.option("--tiles", is_flag=True, help="The log as static files (C2SP tlog-tiles) that anybody can serve and verify.")
def export(case: Path, out: Path, recorded: str | None, tiles: bool) -> int:
    """Write the case on file as a folder OUT, or the log itself as static files.

    Cells that a spreadsheet would run as formulas get an apostrophe in front; reading the folder takes it off again.
    """
    from tallybook.registry import filing, proving, reading

    place = _there(case)
    if tiles:
        if recorded is not None:
            raise TallybookError("the log is written whole", where="--recorded", do="leave it out with --tiles")
        store = places.open_store(place)
        size = proving.write_files(place, store, out)
        click.echo(f"wrote {out}: {size} entries; tallybook ledger verify {out} --key VKEY checks them", err=True)
        return 0
    count = filing.export_folder(reading.on_file(place, recorded), out)
    click.echo(f"wrote {out}: {count} files", err=True)
    return 0


@command.command(name="log")
@_case
@database_option
@click.option("--from", "start", type=click.IntRange(0), default=None, help="The first entry. Default: the newest ones.")
@click.option("--count", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option("--late", type=click.IntRange(0), metavar="DAYS", help="Only those recorded so many days after they were known.")
@click.option("--of", "name", metavar="ID", help="Only entries about this row or file.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def log(case: Path, start: int | None, count: int, late: int | None, name: str | None, as_json: bool) -> int:
    """List entries of CASE's ledger: number, recorded time, who filed what, when it was known, and what it corrects."""
    from tallybook.ledger.asof import later_than_known
    from tallybook.registry import filing, reading

    place = _there(case)
    found = reading.on_file(place)
    entries = sorted((entry for some in found.books.versions.values() for entry in some), key=lambda entry: entry.seq)
    if name is not None:
        subject = filing.subject_named(found.books, name)
        entries = [entry for entry in entries if entry.subject == subject]
    if late is not None:
        entries = [one for one in entries if not one.known.startswith("0001") and later_than_known(one, late)]
    chosen = entries[-count:] if start is None else [entry for entry in entries if entry.seq >= start][:count]
    if as_json:
        keys = (
            "seq",
            "kind",
            "subject",
            "author",
            "marking",
            "corrects",
            "known",
            "recorded_at",
            "valid_from",
            "valid_to",
            "clock",
        )
        print_json([{key: getattr(entry, key) for key in keys} for entry in chosen])
        return 0
    for entry in chosen:
        known = "by its content" if entry.known.startswith("0001") else entry.known[:16].replace("T", " ")
        corrects = f", corrects {entry.corrects}" if entry.corrects is not None else ""
        clock = f", the clock read {entry.clock}" if entry.clock else ""
        click.echo(f"{entry.seq:>7}  {entry.recorded_at[:19].replace('T', ' ')}  {entry.author}: {entry.kind} {entry.subject}")
        click.echo(f"         known {known}{corrects}{clock}{'' if entry.body is not None else ', its body was destroyed'}")
    return 0


@command.command(name="destroy")
@_case
@click.argument("entry", type=click.IntRange(0))
@database_option
@click.option("--reason", required=True, help="By what order, and why.")
@click.option("--yes", is_flag=True, help="Do not ask. There is no way back.")
@_key
@_author
def destroy(case: Path, entry: int, reason: str, yes: bool, key: Path | None, author: str | None) -> int:
    """Destroy what entry number ENTRY says, for good. That it was there, when and by whom, stays, and every proof holds."""
    place = _there(case)
    if not yes:
        click.confirm(f"Destroy the body of entry {entry} of {place.shown} for good?", abort=True, err=True)
    ledger = places.open_ledger(place, key, os.environ)
    receipt = ledger.destroy(entry, places.author_of(author, os.environ), reason)
    click.echo(f"entry {entry}: its body is gone; entry {receipt.index} says so")
    if case.is_dir():
        click.echo(f"note: what {case} itself holds, and every copy and export, is for you to destroy", err=True)
    return 0


command.add_command(witness_commands.command)
