"""Options that commands share, and how answers leave: JSON, a file, or text."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tallybook.errors import TallybookError

F = TypeVar("F", bound=Callable[..., Any])

case_argument = click.argument("case", type=click.Path(path_type=Path))


def question_options(function: F) -> F:
    """--on, --known, --as and --reading."""
    for option in (
        click.option("--reading", metavar="R", help="Whose interpretation; `plain` shows where readings differ."),
        click.option("--as", "reader", metavar="READER", help="The reader, in a case with markings."),
        click.option("--known", metavar="D", help="What had been reported by then. Default: the same as --on."),
        click.option("--on", metavar="D", help="The date asked about. Default: the case's default_as_of."),
    ):
        function = option(function)
    return function


side_option = click.option(
    "--side", metavar="PARTY", help="As that party could: on what it said, did, was told, or is marked as known to it."
)


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
