"""Counts for tests: the nine ships as a neutral counter files them, and what the door says of a file."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from support import EXAMPLE, ROOT, add_row
from tallybook.casefile.files import Files, Folder
from tallybook.errors import Fault
from tallybook.registry.counting import faults_at_the_door
from tallybook.registry.importing import bring

INVENTED = ROOT / "examples" / "cuba-1962-invented"
CLASSES = INVENTED / "observers.yaml"
DATA = INVENTED / "counts"
NEUTRAL = (DATA / "neutral" / "vessels.csv").read_bytes()
OTHER_SIDE = (DATA / "other-side" / "vessels.csv").read_bytes()
TZ = ZoneInfo("America/New_York")
SOURCE = "S-NEUTRAL-COUNT,Counts of the neutral counter,invented,1962-11-11,invented,memory,Invented for tests."
THEIRS = "S-OTHER-SIDE,Counts of the other side,invented,1962-11-11,invented,memory,Invented for tests."

Fields = dict[str, str]


def rows(raw: bytes = NEUTRAL) -> list[Fields]:
    """The rows of a table."""
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def table(some: Sequence[Fields], columns: Sequence[str] = ()) -> bytes:
    """Rows as a table."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=columns or list(some[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(some)
    return out.getvalue().encode()


def changed(line: int, given: Fields | None = None, **fields: str) -> bytes:
    """The neutral counter's table with fields of the row on a line of the file replaced."""
    some = rows()
    some[line - 2] |= (given or {}) | fields
    return table(some)


class _WithClasses(Folder):
    """The example, and beside its files the invented observer class."""

    def has(self, name: str) -> bool:
        return name == CLASSES.name or super().has(name)

    def read(self, name: str) -> bytes:
        return CLASSES.read_bytes() if name == CLASSES.name else super().read(name)


def with_classes() -> Files:
    """The example with its invented observer class."""
    return _WithClasses(EXAMPLE)


def copied(folder: Path) -> Path:
    """Copy the example, and its invented observer class, to where a test may change it."""
    shutil.copytree(EXAMPLE, folder)
    shutil.copy(CLASSES, folder)
    return folder


def with_sources(folder: Path) -> Path:
    """Add the invented sources, and the observer class, to a case folder."""
    shutil.copy(CLASSES, folder)
    add_row(folder, "sources", SOURCE)
    add_row(folder, "sources", THEIRS)
    return folder


def at_the_door(
    raw: bytes, name: str = "vessels.csv", files: Files | None = None, author: str = "analyst A", table_name: str | None = None
) -> list[Fault]:
    """What keeps a file out of the example, or of another case."""
    brought = bring(raw, name, table_name)
    assert brought.faults == (), brought.faults
    incoming = {table: [(row.line, row.fields) for row in some] for table, some in brought.rows.items()}
    return faults_at_the_door(files or with_classes(), TZ, author, incoming, brought.files, brought.points)


def rewritten(folder: Path, name: str, change: Callable[[str], str]) -> Path:
    """Change the text of a file of a case; it has to change."""
    path = folder / name
    before = path.read_text("utf-8")
    after = change(before)
    assert before != after
    path.write_text(after, "utf-8")
    return folder
