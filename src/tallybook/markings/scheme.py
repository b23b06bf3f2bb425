"""The schemes that are shipped, and reading a case's own."""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from tallybook.markings.marking import MarkingError
from tallybook.markings.names import quoted
from tallybook.markings.scheme_file import read_scheme
from tallybook.markings.vocabulary import Level, Scheme, Word

__all__ = ["Level", "Scheme", "Word", "read_scheme", "scheme_of", "shipped", "table_of"]

_FOLDER = files("tallybook.markings") / "schemes"


@cache
def shipped() -> tuple[str, ...]:
    """The ids of the schemes that are shipped."""
    return tuple(sorted(entry.name.removesuffix(".json") for entry in _FOLDER.iterdir() if entry.name.endswith(".json")))


def scheme_of(id: str) -> Scheme:  # noqa: A002
    """A scheme that is shipped. Raises MarkingError for another, naming those there are."""
    if id not in shipped():
        near = get_close_matches(id.upper()[:40], shipped(), 1, 0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        raise MarkingError(f"no scheme {quoted(id)}", do=f"{hint}there are {', '.join(shipped())}; a case may describe its own")
    return _load(id)


@cache
def _load(name: str) -> Scheme:
    return read_scheme(table_of(name))


def table_of(name: str) -> Any:
    """The table of a scheme that is shipped, as plain data."""
    return json.loads((_FOLDER / f"{name}.json").read_bytes())
