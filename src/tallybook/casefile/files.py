"""Where the files of a case come from: a folder, or anything else that gives bytes for names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tallybook.errors import TallybookError

_TO_READ = "make it a readable file"


class UnreadableFileError(TallybookError):
    """A file of a case that cannot be read, with what to do about it."""


class Files(Protocol):
    """The files of a case by their names, which use `/` and start at the case."""

    @property
    def place(self) -> str:
        """What to call the case in a message."""

    def is_there(self) -> bool:
        """Whether there is anything at all."""

    def has(self, name: str) -> bool:
        """Whether there is something of that name, be it readable or not."""

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of that name."""

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises UnreadableFileError."""

    def listing(self, folder: str) -> Sequence[str]:
        """The names of the files in a folder of the case, in order; none where there is no such folder."""


class Folder:
    """The files of a case in a folder on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.path)

    def is_there(self) -> bool:
        """Whether the folder is there."""
        try:
            return self.path.is_dir()
        except (OSError, ValueError):
            return False

    def has(self, name: str) -> bool:
        """Whether there is something of that name."""
        path = self.path / name
        try:
            return path.is_symlink() or path.exists()
        except (OSError, ValueError):
            return False

    def is_folder(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        try:
            return (self.path / name).is_dir()
        except (OSError, ValueError):
            return False

    def read(self, name: str) -> bytes:
        """The bytes of a file. A pipe would be waited for, and a link could show what is not the case's: neither is read."""
        path = self.path / name
        try:
            if path.exists() and not path.is_file():
                raise UnreadableFileError("cannot be read: not a file", where=name, do=_TO_READ)
            if not path.resolve().is_relative_to(self.path.resolve()):
                raise UnreadableFileError("cannot be read: a link out of the case", where=name, do="put the file itself there")
            return path.read_bytes()
        except FileNotFoundError as error:
            do = "add it; `tallybook new` shows what a case holds"
            raise UnreadableFileError("file missing", where=name, do=do) from error
        except OSError as error:
            raise UnreadableFileError(f"cannot be read: {error.strerror}", where=name, do=_TO_READ) from error
        except RuntimeError as error:
            raise UnreadableFileError("cannot be read: a link that leads to itself", where=name, do=_TO_READ) from error

    def listing(self, folder: str) -> Sequence[str]:
        """The names of the files in a folder of the case."""
        try:
            return sorted(f"{folder}/{path.name}" for path in (self.path / folder).iterdir() if not path.is_dir())
        except (OSError, ValueError):
            return []
