"""The files of a case, written to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tallybook.casefile.files import Files
from tallybook.errors import TallybookError


class Listed(Files, Protocol):
    """Files of which all names can be told."""

    def names(self) -> list[str]:
        """The names of all files, in order."""


def write_files(files: Listed, folder: Path) -> int:
    """Write all files into a folder that is empty or not there yet; how many. Raises TallybookError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise TallybookError("not empty", where=str(folder), do="name a folder that is not there yet")
        root = folder.resolve()
        for name in files.names():
            path = folder / name
            if not path.resolve().is_relative_to(root):
                raise TallybookError("a name that leads out of the folder", where=name, do="leave that file out of the case")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files.read(name))
    except OSError as error:
        raise TallybookError(f"cannot be written: {error.strerror}", where=str(folder), do="name a folder of your own") from error
    return len(files.names())
