"""The exhibits of a case: its tables of exhibits, custody and reviews, and whether each file is still what its name says.

A file is kept as `exhibits/<sha256>.<ending>`. It is hashed as a stream and never opened as what it claims to be.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from tallybook.errors import Fault
from tallybook.evidence.exhibit import Exhibit, gaps, gaps_in_words, overlaps

FOLDER = "exhibits"
LARGEST = 2_000_000_000
MOST_FILES = 100_000
_PIECE = 1 << 20
_ALWAYS = datetime.max.replace(tzinfo=UTC)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME = re.compile(r"([0-9a-f]{64})\.([a-z0-9]{1,5})", re.ASCII)
ENDINGS = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "json": "application/json",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "bin": "application/octet-stream",
}
"""Endings that a kept file may have, with what they say it is. Nothing that a double click would run."""


class HashError(Exception):
    """A file that is not hashed, with why and what to do."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(what)
        self.what, self.do = what, do


def hash_file(path: Path, largest: int = LARGEST) -> str:
    """The SHA-256 of a file, read as a stream. Raises HashError for a link, what is no file, and one too large."""
    # Opened without following a link and without waiting for a pipe; only then asked what it is.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if path.is_symlink():
            raise HashError("a link", "put the file itself there")
        descriptor = os.open(path, flags)
        try:
            return _hash_opened(descriptor, largest)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise HashError(f"cannot be read: {error.strerror}", "make it a readable file") from error


def _hash_opened(descriptor: int, largest: int) -> str:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise HashError("not a file", "put the file itself there")
    found, size = hashlib.sha256(), 0
    while piece := os.read(descriptor, _PIECE):
        size += len(piece)
        if size > largest:
            raise HashError(f"larger than {largest:,} bytes", "split it, and file the parts as exhibits of their own")
        found.update(piece)
    return found.hexdigest()


def held_file(folder: Path, sha256: str) -> Path | None:
    """The file of that name in a case, by the endings allowed; None where none is in hand. Its bytes are not looked at."""
    if not _SHA256.fullmatch(sha256):
        return None
    paths = (folder / FOLDER / f"{sha256}.{ending}" for ending in ENDINGS)
    return next((path for path in paths if os.path.lexists(path)), None)


def hash_in_hand(folder: Path, sha256: str) -> str | None:
    """What the file of that name hashes to; None where none is in hand, blank where it cannot be hashed."""
    path = held_file(folder, sha256)
    if path is None:
        return None
    try:
        return "" if (folder / FOLDER).is_symlink() else hash_file(path)
    except HashError:
        return ""


NO_ROW = "no row describes it"
IN_HAND = "in hand"
CHANGED = "changed"
NOT_IN_HAND = "not in hand"


def state_of(folder: Path, sha256: str) -> str:
    """Whether the file under a hash is `in hand`, `changed` (or cannot be read), or `not in hand`."""
    found = hash_in_hand(folder, sha256)
    return NOT_IN_HAND if found is None else IN_HAND if found == sha256 else CHANGED


def check_files(folder: Path, exhibits: Mapping[str, Exhibit]) -> tuple[list[Fault], list[Fault]]:
    """Hold every file in exhibits/ against its name and the rows: (faults, notes). Raises nothing.

    A file whose bytes do not give its name is a fault, and so is one that is not kept in a form allowed. A file without a row
    and a row without its file are notes.
    """
    faults: list[Fault] = []
    notes: list[Fault] = []
    names, more = _listing(folder, faults)
    if more:
        faults.append(Fault(FOLDER, 0, "", f"more than {MOST_FILES:,} files", "keep exhibits that no row describes elsewhere"))
    by_hash = {exhibit.sha256: exhibit for exhibit in exhibits.values()}
    seen: dict[str, str] = {}
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            do = "name it by the SHA-256 of its bytes and its ending, and give it a row in reports/exhibits.csv"
            notes.append(Fault(FOLDER, 0, "", f"{name!r} is not named by a hash, so it is no exhibit", do))
            continue
        _check_file(folder, match, by_hash, seen, faults, notes)
    for exhibit in exhibits.values():
        if exhibit.sha256 not in seen:
            what = f"{exhibit.id} is described and not in hand"
            do = f"put its file in {FOLDER}/, named by its hash, or leave it so"
            notes.append(Fault("reports/exhibits.csv", exhibit.line, "sha256", what, do))
    return faults, notes


def _listing(folder: Path, faults: list[Fault]) -> tuple[list[str], bool]:
    path = folder / FOLDER
    if not os.path.lexists(path):
        return [], False
    names: list[str] = []
    try:
        if path.is_symlink():
            faults.append(Fault(FOLDER, 0, "", "a link", "put the folder itself there"))
            return [], False
        with os.scandir(path) as entries:
            for entry in entries:
                if len(names) >= MOST_FILES:
                    return sorted(names), True
                names.append(entry.name)
    except OSError as error:
        faults.append(Fault(FOLDER, 0, "", f"cannot be read: {error.strerror}", "make it a readable folder"))
    return sorted(names), False


def _check_file(
    folder: Path,
    match: re.Match[str],
    by_hash: Mapping[str, Exhibit],
    seen: dict[str, str],
    faults: list[Fault],
    notes: list[Fault],
) -> None:
    name, sha256, ending = match[0], match[1], match[2]
    file = f"{FOLDER}/{name}"
    if ending not in ENDINGS:
        faults.append(Fault(file, 0, "", f"the ending {ending!r} is not kept", f"the endings are {', '.join(ENDINGS)}"))
        return
    if sha256 in seen:
        faults.append(Fault(file, 0, "", f"the same bytes as {seen[sha256]}", "keep one of the two"))
        return
    seen[sha256] = name
    try:
        found = hash_file(folder / FOLDER / name)
    except HashError as error:
        faults.append(Fault(file, 0, "", error.what, error.do))
        return
    if found != sha256:
        do = "restore the untouched file; file a changed one as an exhibit of its own"
        faults.append(Fault(file, 0, "", f"its bytes give {found}, not its name: it has been changed", do))
    exhibit = by_hash.get(sha256)
    if exhibit is None:
        notes.append(Fault(file, 0, "", NO_ROW, "add one to reports/exhibits.csv"))
    elif exhibit.media_type and exhibit.media_type != ENDINGS[ending]:
        what = f"{exhibit.id} is filed as {exhibit.media_type}, its file ends in .{ending}"
        notes.append(Fault(file, 0, "", what, "correct one of the two"))


def custody_notes(exhibits: Iterable[Exhibit]) -> list[Fault]:
    """Notes on custody logs: times for which nobody recorded who held an exhibit, and times for which two did.

    An exhibit without a log has none to be noted; `why` says of it that nobody recorded who held it.
    """
    notes = []
    file = "reports/custody.csv"
    for exhibit in exhibits:
        rows = exhibit.custody_by(_ALWAYS)
        for told in gaps_in_words(gaps(exhibit, _ALWAYS)) if rows else ():
            notes.append(Fault(file, rows[-1].line, "", f"{exhibit.id}: {told}", "add who held it, or leave it so"))
        for earlier, later in overlaps(rows):
            what = f"{exhibit.id} was held by {later.by} from {later.starts.text}, and by {earlier.by} at the same time"
            notes.append(Fault(file, later.line, "from", what, "correct one, or say in `how` that they shared it"))
        for earlier, later in pairwise(rows):
            if earlier.ends is None and earlier.by != later.by:
                what = f"no end, though {later.by} held {exhibit.id} from {later.starts.text}"
                notes.append(Fault(file, earlier.line, "to", what, "say until when they held it"))
    return notes
