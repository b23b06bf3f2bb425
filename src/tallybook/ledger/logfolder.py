"""The files of a log in a folder: how `tiles.verify_folder` reads them and `tiles.write_log` writes them.

Paths come from tiles' numbers only, so none leads out of the folder; links in it are not followed out of it either.
"""

from __future__ import annotations

from pathlib import Path

from tallybook.ledger.tiles import CHECKPOINT, Put, Read, TileError
from tallybook.ledger.witness_state import write_durably

MODE = 0o644


def reader(folder: Path) -> Read:
    """Read files of a log in `folder`. The function raises TileError for a file that is there and cannot be read."""
    root = folder.resolve()

    def read(path: str, limit: int) -> bytes | None:
        file = root / path
        try:
            if not file.is_file():
                return None
            if not file.resolve().is_relative_to(root):
                raise TileError("leads out of the folder", path=path, do="copy the file itself in place of the link")
            with file.open("rb") as opened:
                return opened.read(limit + 1)
        except OSError as error:
            raise TileError(f"cannot be read: {error.strerror}", path=path, do="grant access to it") from None

    return read


def writer(folder: Path) -> Put:
    """Write files of a log into `folder`; the checkpoint, which comes last, is on the disk before its call returns.

    Tiles are not: after a power cut, verify the folder or write it again. The function raises TileError where it fails.
    """

    def put(path: str, raw: bytes) -> None:
        file = folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            if path == CHECKPOINT:
                write_durably(file, raw, MODE)
            else:
                file.write_bytes(raw)
        except OSError as error:
            raise TileError(f"cannot be written: {error.strerror}", path=path, do="make room or grant access") from None

    return put
