"""A release verified by itself, where it was given: its excerpt of the log, every file, every row."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.filing import is_table, subject_of
from tallybook.casefile.marked import read_loosely
from tallybook.ledger.cosignature import WitnessPolicy
from tallybook.ledger.entry import Entry
from tallybook.ledger.excerpt import SHOWN, ExcerptError, VerifiedExcerpt, verify_excerpt
from tallybook.ledger.keys import Verifier
from tallybook.ledger.logfolder import reader
from tallybook.ledger.tilepath import TilePath
from tallybook.ledger.tiles import CHECKPOINT, bundle_paths
from tallybook.registry.reading import LARGEST_FILE

PROOFS = "proofs"
"""The folder of a release that holds the excerpt of the log."""
RELEASE = "release"
"""The kind of the entry about what was given out."""


def said(row: Mapping[str, str]) -> dict[str, str]:
    """What a row says, but for its marking: that of an act may have taken the place of the one that was filed."""
    return {column: value for column, value in row.items() if value and column != MARKING}


def row_of(entry: Entry) -> dict[str, str] | None:
    row = entry.content().get("row")
    return said({str(key): str(value) for key, value in row.items()}) if isinstance(row, dict) else None


@dataclass(frozen=True, slots=True)
class VerifiedRelease:
    """A release that holds: the excerpt, what the log says of it, and how many of its rows stand there as they were filed."""

    excerpt: VerifiedExcerpt
    release: Mapping[str, object]
    as_filed: int
    rows: int


def is_release(folder: Path) -> bool:
    """Whether a folder is a release with proofs."""
    return (folder / PROOFS / "checkpoint").is_file()


def verify_release(folder: Path, trusted: Sequence[Verifier], policy: WitnessPolicy | None = None) -> VerifiedRelease:
    """Verify a release by itself: its excerpt of the log, every file against the entry about it, every row against its own.

    Raises as `verify_excerpt`, and ExcerptError for a file or row that is not what the log says.
    """
    excerpt = verify_excerpt(reader(folder / PROOFS), trusted, policy)
    releases = [entry for entry in excerpt.shown.values() if entry.kind == RELEASE]
    if len(releases) != 1:
        raise ExcerptError(f"{len(releases)} entries about a release, not one", where=PROOFS, do="ask for the release anew")
    told = releases[0].content().get("files")
    if not isinstance(told, dict):
        raise ExcerptError("it names no files", where=f"entry {releases[0].seq}", do="ask for the release anew")
    files = _files_of(folder, excerpt.signed.checkpoint.size)
    for name in sorted({*files, *told}):
        if name not in files or name not in told:
            what = "missing" if name not in files else "not part of the release"
            raise ExcerptError(what, where=name, do="verify the folder as it came; add nothing to it")
        if hashlib.sha256(files[name]).hexdigest() != told[name]:
            raise ExcerptError("it is not what was released", where=name, do="it was changed: ask for the release anew")
    rows = {subject_of(n, row): row for n, raw in files.items() if is_table(n) for row in read_loosely(raw).rows}
    count = 0
    for entry in excerpt.shown.values():
        if entry.subject in rows:
            if row_of(entry) != said(rows[entry.subject]):
                raise ExcerptError("it is not as the log has it", where=entry.subject, do="ask for the release anew")
            count += 1
    return VerifiedRelease(excerpt, releases[0].content(), count, len(rows))


def _files_of(folder: Path, size: int) -> dict[str, bytes]:
    """Every file of a release but its proofs. Raises ExcerptError for what is no file, and what is no part of the proofs."""
    out: dict[str, bytes] = {}
    proofs = {CHECKPOINT, SHOWN, *(str(TilePath(0, path.index, path.width)) for path in bundle_paths(size))}
    allowed = {f"{PROOFS}/{name}" for name in proofs}
    for at, folders, names in os.walk(folder):
        for one in [*folders, *names]:
            path = Path(at) / one
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise ExcerptError("a link, or no file", where=name, do="verify the folder as it came; add nothing to it")
            if path.is_file() and not name.startswith(f"{PROOFS}/"):
                if path.stat().st_size > LARGEST_FILE:
                    raise ExcerptError(f"over {LARGEST_FILE:,} bytes", where=name, do="it was added: ask for the release anew")
                out[name] = path.read_bytes()
            elif path.is_file() and name not in allowed:
                raise ExcerptError("not part of the release", where=name, do="verify the folder as it came; add nothing to it")
    return out
