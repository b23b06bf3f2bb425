"""What `ledger verify` does with each kind of thing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallybook.errors import TallybookError
from tallybook.registry.place import LEDGER, Place, read_small
from tallybook.registry.released import is_release, verify_release

if TYPE_CHECKING:
    from tallybook.ledger.cosignature import WitnessPolicy
    from tallybook.ledger.keys import Verifier


def verify_anything(what: Path, trusted: Sequence[Verifier], policy: WitnessPolicy | None, entry: Path | None) -> int:
    """Verify static files, a proof of an entry or of a fork, or a database. Returns 0 where it holds, 1 where not."""
    try:
        if what.is_dir() and is_release(what):
            _release(what, trusted, policy)
        elif what.is_dir() and not (what / LEDGER).is_file():
            _files(what, trusted, policy)
        elif what.is_dir() or _begins(what, b"SQLite format 3"):
            return _database(Place(what), trusted, policy)
        elif _begins(what, b"c2sp.org/tlog-proof"):
            _proof(what, trusted, policy, entry or what.with_suffix(".entry.json"))
        elif _begins(what, b"tallybook.ledger/fork"):
            _fork(what, trusted)
        else:
            _checkpoint(what, trusted, policy)
    except TallybookError as error:
        click.echo(f"does not hold: {error}")
        return 1
    return 0


def _begins(path: Path, beginning: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(beginning)) == beginning


def _seen(witnessed: dict[str, int]) -> str:
    told = (f"{name} at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC" for name, at in sorted(witnessed.items()))
    return "".join(f"\nwitnessed by {one}" for one in told)


def _files(folder: Path, trusted: Sequence[Verifier], policy: WitnessPolicy | None) -> None:
    from tallybook.ledger.logfolder import reader
    from tallybook.ledger.tiles import verify_folder

    found = verify_folder(reader(folder), trusted, policy=policy)
    head = found.signed.checkpoint
    click.echo(
        f"holds: {head.origin}, {head.size} entries, root {head.root.hex()}; {found.bundles} bundles and {found.tiles} tiles read"
        + _seen(dict(found.witnessed))
    )


def _release(folder: Path, trusted: Sequence[Verifier], policy: WitnessPolicy | None) -> None:
    found = verify_release(folder, trusted, policy)
    head = found.excerpt.signed.checkpoint
    shown, told = len(found.excerpt.shown), found.release
    click.echo(
        f"holds: released to {told['to']} by {told['by']} ({told['authority']}) at {told['at']}; "
        f"{head.origin}, {head.size} entries, root {head.root.hex()}, {shown} of them shown and {head.size - shown} withheld"
        + _seen(dict(found.excerpt.witnessed))
    )
    click.echo(
        f"{found.as_filed} of {found.rows} rows stand in the log as they were filed; the rest are as this release tells them."
    )


def _proof(path: Path, trusted: Sequence[Verifier], policy: WitnessPolicy | None, entry: Path) -> None:
    from tallybook.ledger.tlogproof import parse_proof, verify_proof
    from tallybook.ledger.tree import leaf_hash
    from tallybook.registry.proving import read_disclosure

    leaf, told = read_disclosure(read_small(entry, 5_000_000), str(entry))
    found = verify_proof(parse_proof(read_small(path).encode()), leaf_hash(leaf), trusted, policy=policy)
    head = found.signed.checkpoint
    click.echo(
        f"holds: entry {found.index} of {head.origin} (under the checkpoint of {head.size}): {told.kind} {told.subject}, "
        f"filed by {told.author}, recorded {told.recorded_at}" + _seen(found.witnessed)
    )
    if told.body is None:
        click.echo("Its body is withheld or destroyed; the leaf commits to it.")


def _fork(path: Path, trusted: Sequence[Verifier]) -> None:
    from tallybook.ledger.fork import check, parse_fork

    one, two = check(parse_fork(read_small(path, 3_000_000).encode()), trusted)
    click.echo(f"holds: {one.origin} signed two histories, at size {one.size} and at size {two.size}. It is not to be trusted.")


def _checkpoint(path: Path, trusted: Sequence[Verifier], policy: WitnessPolicy | None) -> None:
    from tallybook.ledger.signed import open_checkpoint

    signed = open_checkpoint(read_small(path).encode(), trusted)
    witnessed = policy.check(signed.verified.note) if policy else {}
    head = signed.checkpoint
    click.echo(f"holds: {head.origin} signed for {head.size} entries with root {head.root.hex()}" + _seen(dict(witnessed)))


def _database(place: Place, trusted: Sequence[Verifier], policy: WitnessPolicy | None) -> int:
    from tallybook.ledger.note import parse_note
    from tallybook.registry.place import open_store
    from tallybook.registry.proving import audit_ledger, newest

    audited = audit_ledger(place, trusted, workers=os.cpu_count() or 1)
    found = audited.audit
    for fault in found.faults:
        click.echo(str(fault))
    if audited.signed_to is None:
        click.echo(f"does not hold: nothing is signed, so its {found.size} entries are whatever somebody last wrote")
        return 1
    note, _ = newest(place, open_store(place))
    witnessed = policy.check(parse_note(note)) if policy else {}
    tail = f"; the last {audited.unsigned} are not signed for" if audited.unsigned else ""
    word = "does not hold" if found.faults else "holds"
    click.echo(f"{word}: {found.size} entries, root {found.root.hex()}{tail}" + _seen(dict(witnessed)))
    return 1 if found.faults or audited.unsigned else 0
