"""What a witness must not forget, in a folder: one small file a log, replaced whole, on the disk before anybody is told.

    tallybook-witness               marks the folder; without it nothing is read as "never seen"
    <SHA-256 of the origin>.checkpoint
    <SHA-256 of the origin>.fork    the first proof that this log has signed two histories

A witness whose folder was lost or restored from a copy must not go on under its old key: it might cosign a second history.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from threading import get_ident

from tallybook.errors import TallybookError
from tallybook.ledger.note import LONGEST_NOTE
from tallybook.ledger.signed import read_checkpoint
from tallybook.ledger.strict import FormatError
from tallybook.ledger.witness import Seen

MARK = "tallybook-witness"
LOCK = "lock"
MARK_TEXT = b"tallybook.ledger/witness-state@v1\n"
MODE = 0o600


class WitnessStateError(TallybookError):
    """A folder that cannot be the memory of a witness."""


class FolderState:
    """The state of a witness in a folder. Safe for several threads and several processes on one machine."""

    def __init__(self, folder: Path) -> None:
        """Open a folder that `create` has made. Raises WitnessStateError where its mark is missing."""
        self._folder = folder
        try:
            is_marked = (folder / MARK).read_bytes() == MARK_TEXT
        except OSError:
            is_marked = False
        if not is_marked:
            raise WitnessStateError(
                "not the folder of a witness, or its mark was lost",
                where=str(folder),
                do="give the folder that the witness was set up with; a witness that lost it needs a new key",
            )

    @classmethod
    def create(cls, folder: Path) -> FolderState:
        """Make the folder of a new witness. Raises WitnessStateError where something is in it already."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if any(folder.iterdir()):
                raise WitnessStateError("the folder is not empty", where=str(folder), do="give a new folder for a new witness")
            write_durably(folder / MARK, MARK_TEXT)
        except OSError as error:
            raise _unusable(folder, error) from None
        return cls(folder)

    def latest(self, origin: str) -> Seen | None:
        """The last checkpoint of this log, or None. Raises WitnessStateError for a file that cannot be read."""
        path = self._path(origin, "checkpoint")
        try:
            with path.open("rb") as file:
                raw = file.read(LONGEST_NOTE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(path, error) from None
        try:
            checkpoint, _ = read_checkpoint(raw)
        except FormatError as error:
            raise WitnessStateError(f"damaged: {error.what}", where=str(path), do=_LOST) from None
        if checkpoint.origin != origin:
            raise WitnessStateError(f"holds the checkpoint of {checkpoint.origin}", where=str(path), do=_LOST)
        return Seen(checkpoint.size, checkpoint.root, raw)

    def advance(self, origin: str, expected: Seen | None, new: Seen) -> bool:
        """Put `new` in the place of `expected`, on the disk, before returning True; False where another stands there by now.

        Raises WitnessStateError where it cannot be written; then nothing may be cosigned.
        """
        with self._alone():
            if self.latest(origin) != expected:
                return False
            self._write(self._path(origin, "checkpoint"), new.note)
            return True

    def keep_fork(self, origin: str, proof: bytes) -> None:
        """Keep the first proof that this log has signed two histories. Raises WitnessStateError where it cannot be written."""
        path = self._path(origin, "fork")
        with self._alone():
            if not path.exists():
                self._write(path, proof)

    def _path(self, origin: str, kind: str) -> Path:
        return self._folder / f"{sha256(origin.encode()).hexdigest()}.{kind}"

    def _write(self, path: Path, raw: bytes) -> None:
        try:
            write_durably(path, raw)
        except OSError as error:
            raise _unusable(path, error) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, MODE)
        except OSError as error:
            raise _unusable(self._folder / LOCK, error) from None
        try:
            flock(lock, LOCK_EX)
            yield
        finally:
            os.close(lock)


_LOST = "retire this witness and its key, and set up a new one: what it last cosigned is no longer known"


def _unusable(path: Path, error: OSError) -> WitnessStateError:
    return WitnessStateError(
        f"cannot be used: {error.strerror}", where=str(path), do="make room or grant access, then start again"
    )


def write_durably(path: Path, raw: bytes, mode: int = MODE) -> None:
    """Replace a file whole: written beside it, flushed to the disk, renamed, and the folder flushed. Raises OSError.

    After a crash at any step the file has its old bytes or the new ones, never a part.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
