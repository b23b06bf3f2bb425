"""Options that commands share, and how answers leave: JSON, a file, or text."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallybook.cli.session import note, signed_in
from tallybook.errors import TallybookError
from tallybook.verdicts.inquiry import Case

if TYPE_CHECKING:
    from tallybook.casefile.view import Seen
    from tallybook.ledger.keys import Verifier

F = TypeVar("F", bound=Callable[..., Any])

folder_argument = click.argument("case", type=click.Path(path_type=Path))
"""CASE, read from its folder whether it has a ledger or not."""


def case_argument(function: F) -> F:
    """CASE, with --recorded and --database for a case that has a ledger: see `open_case`."""
    database_option(function)
    click.option(
        "--recorded",
        metavar="T",
        expose_value=False,
        callback=_remember,
        help="What stood in the ledger then: a day, an instant, or a checkpoint's size.",
    )(function)
    return folder_argument(function)


def _remember(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    ctx.meta[f"tallybook.{param.name}"] = value


def database_option(function: F) -> F:
    """--database, for a ledger in PostgreSQL: see `chosen_database`."""
    return click.option(
        "--database",
        metavar="URL",
        expose_value=False,
        callback=_remember,
        help="The PostgreSQL database of the ledger. Default: TALLYBOOK_DATABASE, or the file in the case folder.",
    )(function)


def chosen_database() -> str | None:
    """What --database says."""
    found: str | None = click.get_current_context().meta.get("tallybook.database")
    return found


def open_case(folder: Path) -> Case:
    """The case: from its ledger, where it has one, as it stood at --recorded; else from its folder.

    Raises CaseFaultsError for one that cannot be used, StoreError for a ledger that cannot be read.
    """
    from tallybook import desk

    recorded = click.get_current_context().meta.get("tallybook.recorded")
    who = signed_in()
    opened = desk.open_filed(folder, chosen_database(), recorded, os.environ, chosen_reader(), named=who is not None)
    if who is not None:
        note(folder, opened.case.markings.most if opened.case.markings is not None else "")
    for line in opened.notes:
        click.echo(f"note: {line}", err=True)
    return opened.case


def reader_files(folder: Path) -> Seen | None:
    """What the reader that was chosen sees of a case, which is noted where somebody is signed in; None where none was."""
    from tallybook import desk
    from tallybook.casefile.case_markings import case_markings

    reader, who = chosen_reader(), signed_in()
    if reader is None:
        return None
    seen = desk.reader_files(folder, chosen_database(), reader, os.environ, named=who is not None)
    if who is not None:
        marked = case_markings(seen, [])
        note(folder, marked.most if marked is not None else "")
    return seen


@contextmanager
def filed_folder(folder: Path, known: datetime) -> Iterator[Path]:
    """A folder that holds the case as `open_case` gave it."""
    from tallybook import desk

    recorded = click.get_current_context().meta.get("tallybook.recorded")
    with desk.filed_folder(folder, chosen_database(), recorded, known, os.environ, chosen_reader()) as found:
        yield found


def as_option(function: F) -> F:
    """--as, for whom an answer is made: see `open_case`."""
    return click.option(
        "--as",
        "reader",
        metavar="READER",
        expose_value=False,
        callback=_remember,
        help="For this reader: a name in markings.yaml, or a marking. The answer is made from what they may see.",
    )(function)


def writer_options(function: F) -> F:
    """--as and --session, for whoever files and does not see all of the case: see `filing_desk`."""
    click.option(
        "--session",
        "session_level",
        metavar="MARKING",
        expose_value=False,
        callback=_remember,
        help="Read and write in this session at this level, lower than your clearance. Default: your clearance.",
    )(function)
    return as_option(function)


def chosen_reader() -> str | None:
    """What --as says; the signed-in user's reader, where a token says who is asking. Raises TallybookError where both differ."""
    context = click.get_current_context()
    asked: str | None = context.meta.get("tallybook.reader")
    who = signed_in()
    if who is None:
        return asked
    if asked is not None and asked != who.reader:
        raise TallybookError(
            "signed in as somebody else", where="--as", do="leave --as out: the answer is made for whoever is signed in"
        )
    return who.reader


def question_options(function: F) -> F:
    """--on, --known, --as and --reading."""
    for option in (
        click.option("--reading", metavar="R", help="Whose interpretation; `plain` shows where readings differ."),
        as_option,
        click.option("--known", metavar="D", help="What had been reported by then. Default: the same as --on."),
        click.option("--on", metavar="D", help="The date asked about. Default: the case's default_as_of."),
    ):
        function = option(function)
    return function


side_option = click.option(
    "--side", metavar="PARTY", help="As that party could: on what it said, did, was told, or is marked as known to it."
)


@contextmanager
def framed(banner: str) -> Iterator[None]:
    """What is printed inside has its marking at the head and the foot, where it has one."""
    if banner:
        click.echo(banner)
    yield
    if banner:
        click.echo(f"\n{banner}")


def print_json(value: Any) -> None:
    """Write JSON to standard output, in UTF-8 whatever the terminal."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    sys.stdout.buffer.write(text.encode() + b"\n")


def write_file(path: Path, text: str) -> None:
    """Write a file whole: to a neighbour first, then in place. Raises TallybookError where that cannot be done."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise TallybookError(
            f"cannot be written: {error.strerror}", where=str(path), do="name a file in a folder you own"
        ) from error


def on_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def trusted_keys(keys: tuple[str, ...]) -> list[Verifier]:
    """Public keys, each as text or as a file that holds some, one a line."""
    from tallybook.ledger.keys import parse_vkey
    from tallybook.registry.place import read_small

    found: list[str] = []
    for key in keys:
        is_file = len(key) < 1000 and Path(key).is_file()
        found += [line.split()[0] for line in read_small(Path(key)).splitlines() if line.strip()] if is_file else [key]
    return [parse_vkey(key) for key in found]
