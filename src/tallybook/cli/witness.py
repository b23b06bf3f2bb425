"""tallybook ledger witness"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallybook.cli.options import trusted_keys, write_file
from tallybook.errors import TallybookError
from tallybook.registry import place as places

if TYPE_CHECKING:
    from tallybook.ledger.keys import Verifier
    from tallybook.ledger.witness import Witness


@click.group(name="witness")
def command() -> None:
    """Be a witness, on another machine: remember what a log has shown, and cosign only what grows out of it."""


@command.command(name="init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the witness is called, such as desk.example.org/witness.")
def witness_init(folder: Path, name: str) -> int:
    """Make a witness that keeps its key and what it has seen in FOLDER."""
    from tallybook.ledger.witness_state import FolderState

    FolderState.create(folder)
    public = places.make_key(folder / "witness.key", name, cosigns=True)
    write_file(folder / "witness.vkey", f"{public}\n")
    click.echo(f"public key: {public}")
    click.echo(f"Next: tallybook ledger witness watch {folder} VKEY, for each log to watch.")
    return 0


@command.command(name="watch")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("key")
def witness_watch(folder: Path, key: str) -> int:
    """Watch one log more: KEY is its public key, or a file that holds it."""
    from tallybook.ledger.keys import vkey

    there = places.read_small(folder / "logs") if (folder / "logs").is_file() else ""
    new = [vkey(one) for one in trusted_keys((key,)) if vkey(one) not in there.split()]
    write_file(folder / "logs", there + "".join(f"{one}\n" for one in new))
    click.echo(f"{folder / 'logs'}: {len(new)} key{'s' if len(new) != 1 else ''} more")
    return 0


@command.command(name="serve")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address; others need a proxy of your own.")
@click.option("--port", type=click.IntRange(0, 65535), default=7962, show_default=True)
def witness_serve(folder: Path, host: str, port: int) -> int:
    """Serve the witness in FOLDER over HTTP (C2SP tlog-witness) until interrupted."""
    from tallybook.ledger.witness_http import WitnessServer

    server = WitnessServer(witness_in(folder), host, port, now=lambda: int(time.time()))
    click.echo(f"witness at {server.url}; stop it with Ctrl-C", err=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    finally:
        server.server_close()
    return 0


@command.command(name="sign")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("request", type=click.Path(path_type=Path, exists=True))
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The answer, to carry back.")
def witness_sign(folder: Path, request: Path, out: Path) -> int:
    """Answer a REQUEST file that was carried here, as the witness in FOLDER. Exit 1 where it is refused."""
    from tallybook.ledger.witness import OK
    from tallybook.ledger.witness_exchange import format_answer

    raw = places.read_small(request, 1_000_000).encode()
    answer = witness_in(folder).add_checkpoint(raw, int(time.time()))
    write_file(out, format_answer(raw, answer).decode())
    click.echo(f"wrote {out}: {'cosigned' if answer.status == OK else answer.body.decode(errors='replace').strip()}", err=True)
    return 0 if answer.status == OK else 1


def witness_in(folder: Path) -> Witness:
    from tallybook.ledger.keys import CosignatureSigner, parse_signer, parse_vkey
    from tallybook.ledger.witness import Witness
    from tallybook.ledger.witness_state import FolderState

    key = parse_signer(places.read_small(folder / "witness.key").strip())
    if not isinstance(key, CosignatureSigner):
        raise TallybookError(
            "no key to cosign with", where=str(folder / "witness.key"), do="tallybook ledger witness init makes one"
        )
    logs: dict[str, list[Verifier]] = {}
    if not (folder / "logs").is_file():
        raise TallybookError("no logs to watch", where=str(folder / "logs"), do="tallybook ledger witness watch FOLDER VKEY")
    for line in places.read_small(folder / "logs").splitlines():
        if line.strip() and not line.startswith("#"):
            verifier = parse_vkey(line.strip())
            logs.setdefault(verifier.name, []).append(verifier)
    return Witness(key, logs, FolderState(folder))
