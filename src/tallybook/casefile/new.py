"""A new case from a template: copied whole, or not at all."""

from __future__ import annotations

import os
import re
import shutil
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from tallybook.errors import TallybookError

TEMPLATES = ("removal", "embargo", "withdrawal", "destruction")
DEFAULT = TEMPLATES[0]
PLACEHOLDER = b"CASE_NAME"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def new_case(folder: Path, template: str = DEFAULT) -> list[Path]:
    """Write a small working case into `folder` and return the files written, in order of their names.

    The folder's name becomes the name of the case. Raises TallybookError for an unknown template, a folder that is there
    and not empty, a name that cannot be an id, and a place that cannot be written; nothing is left behind then.
    """
    if template not in TEMPLATES:
        raise TallybookError(f"no template {template!r}", where="--template", do=f"the templates are {', '.join(TEMPLATES)}")
    target = folder.resolve()
    _refuse_unusable(folder, target)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.mkdir()
        try:
            written = _copy(files("tallybook.casefile").joinpath("templates", template), partial, target.name)
            if target.exists():
                target.rmdir()
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise TallybookError(what, where=str(folder), do="name a new folder inside one that you can write in") from error
    return [folder / path.relative_to(partial) for path in sorted(written)]


def _refuse_unusable(folder: Path, target: Path) -> None:
    if not _NAME.fullmatch(target.name):
        raise TallybookError(
            f"{target.name!r} cannot name a case",
            where=str(folder),
            do="use letters, digits and _ . - in the folder's name, a letter or digit first, at most 100",
        )
    try:
        taken = "is there already and is no folder" if target.exists() and not target.is_dir() else ""
        if target.is_dir() and any(target.iterdir()):
            taken = "is there already and is not empty"
        elif target == Path.cwd():
            taken = "is the folder you are in"
    except OSError as error:
        taken = f"cannot be read: {error.strerror}"
    if taken:
        raise TallybookError(taken, where=str(folder), do="name a new folder; nothing was written")


def _copy(source: Traversable, to: Path, name: str) -> list[Path]:
    """Copy a tree of text files and put the name in the placeholder's place; returns the files."""
    written = []
    for entry in source.iterdir():
        path = to / entry.name
        if entry.is_dir():
            path.mkdir()
            written += _copy(entry, path, name)
        else:
            # In quotation marks, since a name such as 2031 or 1.5 alone would be read as a number.
            path.write_bytes(entry.read_bytes().replace(PLACEHOLDER, f'"{name}"'.encode()))
            written.append(path)
    return written
