"""A case for another organisation: what it may see and nothing else, with proofs that it is what stands in the ledger.

What is written is a case folder of its own. Beside it, in proofs/, stands an excerpt of the log: the hash of every entry, and the
entries of those rows and files that are given out as they were filed. What was made for the release, as a table with fewer rows,
stands in the log by its hash, in the entry about the release itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.files import Files, Folder
from tallybook.casefile.filing import is_table, subject_of
from tallybook.casefile.marked import Marked, Rights, read_loosely, rights_of
from tallybook.casefile.marking_acts import AUTHORITY
from tallybook.casefile.policy import Reader
from tallybook.casefile.read import CaseRead, read_case
from tallybook.casefile.view import Seen
from tallybook.casefile.writing import write_files
from tallybook.errors import CaseFaultsError, Fault, TallybookError
from tallybook.ledger.asof import Books
from tallybook.ledger.entry import Draft, Entry, canonical_json, instant_text
from tallybook.ledger.excerpt import write_excerpt
from tallybook.ledger.ledger import Ledger
from tallybook.ledger.logfolder import writer
from tallybook.registry.place import Place, now
from tallybook.registry.proving import newest
from tallybook.registry.reading import check_filed, on_file
from tallybook.registry.release_checks import check_again, check_may_release, held_back_of, mentions
from tallybook.registry.released import PROOFS, RELEASE, row_of, said

HELD_BACK = "held-back"
"""The kind of the entry about what a release did not give, for those above."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Act:
    """Who releases to whom, by what authority and why."""

    to: str
    by: str
    authority: str
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """What a release holds, before it is written. `mentions` are places in it that name what is held back."""

    seen: Seen
    files: Mapping[str, bytes]
    held_back: tuple[str, ...]
    mentions: tuple[Fault, ...]


def prepared(files: Files, rights: Rights, act: Act) -> Release:
    """What would be released.

    Raises MarkingError and NothingToShowError for the reader, TallybookError for who releases, CaseFaultsError for a case with
    faults, or one of which the reader would get a case with faults: what is not understood is not given out.
    """
    _check_authority(rights, act)
    _check_sound(files.place, read_case(files), "")
    who = rights.policy.reader(act.to)
    seen = Seen(files, rights, who)
    _check_sound(files.place, read_case(seen), act.to)
    given = {name: seen.read(name) for name in seen.names()}
    marked = Marked(files, rights)
    check_may_release(marked, rights.policy.readers[act.by], seen, who)
    held_back = held_back_of(marked, seen)
    check_again(rights.policy, who, seen, given)
    told = {"--reason": act.reason.encode(), "--authority": act.authority.encode()}
    return Release(seen, given, held_back, tuple(mentions({**given, **told}, held_back, seen)))


def _check_sound(place: str, read: CaseRead, reader: str) -> None:
    if read.case is None:
        error = CaseFaultsError(place, read.faults)
        error.what = f"{error.what}{f' as {reader} may see it' if reader else ''}, so nothing is released"
        error.do = "tallybook check lists them all" + (f" with --as {reader}" if reader else "")
        raise error


def _check_authority(rights: Rights, act: Act) -> None:
    for name in ("by", "authority", "reason"):
        if not getattr(act, name).strip():
            raise TallybookError("blank", where=f"--{name}", do="a release has an author, an authority and a reason")
    by: Reader | None = rights.policy.readers.get(act.by)
    if by is None or AUTHORITY not in by.roles:
        do = f"markings.yaml says who may: a reader with the role {AUTHORITY}"
        raise TallybookError(f"{act.by} is no {AUTHORITY} of this case", where="--by", do=do)


def release_folder(folder: Path, out: Path, act: Act, *, despite_mentions: bool = False) -> Release:
    """Release a case that has no ledger: files without proofs. Raises as `prepared`, and TallybookError for mentions."""
    files = Folder(folder)
    _refuse_within(folder, out)
    made = prepared(files, rights_of(files), act)
    _refuse_mentions(made, despite_mentions)
    write_files(made.seen, out)
    return made


def _refuse_within(folder: Path, out: Path) -> None:
    if out.resolve().is_relative_to(folder.resolve()):
        raise TallybookError("within the case", where=str(out), do="name a folder elsewhere: a release is no part of the case")


def _refuse_mentions(made: Release, despite: bool) -> None:
    if made.mentions and not despite:
        error = CaseFaultsError(made.seen.place, made.mentions)
        error.what = f"what would be released names what is held back, in {len(made.mentions)} places"
        error.do = "mark what says so as high, or redact it; --despite-mentions releases it as it is"
        raise error


def release_filed(place: Place, ledger: Ledger, out: Path, act: Act, *, despite_mentions: bool = False) -> tuple[Release, int]:
    """Release a case with its proofs; also gives how many entries are shown whole.

    Two entries record it: what was given out, by the hashes of its files, and what was held back. Raises as `prepared`, and
    TallybookError for mentions and where the ledger cannot be signed.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TallybookError("not empty", where=str(out), do="name a folder that is not there yet")
    _refuse_within(place.folder, out)
    found = on_file(place)
    files = found.files()
    check_filed(place, files)
    made = prepared(files, rights_of(files), act)
    _refuse_mentions(made, despite_mentions)
    at = instant_text(now())
    subject = f"release/{at}/{act.to}"[:300]
    told = {name: hashlib.sha256(raw).hexdigest() for name, raw in made.files.items()}
    body = {"to": act.to, "by": act.by, "authority": act.authority, "reason": act.reason, "at": at, "files": told}
    high = {"release": subject, "held_back": list(made.held_back)}
    receipts = ledger.append(
        [
            Draft(RELEASE, subject, canonical_json(body), act.by, at),
            Draft(HELD_BACK, f"held-back/{at}/{act.to}"[:300], canonical_json(high), act.by, at),
        ]
    )
    note, size = newest(place, ledger.store)
    if size <= receipts[0].index:
        do = "give the ledger's private key with --key; the release is recorded, and nothing was written"
        raise TallybookError("the release is not signed for", where=place.shown, do=do)
    shown = [receipts[0].index, *_as_filed(found.books, made)]
    write_files(made.seen, out)
    with ledger.store.read() as reading:
        entries = [entry for seq in sorted(shown) if (entry := reading.entry(seq)) is not None]
        write_excerpt(note, reading.leaf_hashes, entries, writer(out / PROOFS))
    return made, len(entries)


def _as_filed(books: Books, made: Release) -> list[int]:
    """The entries of what is given out just as it was filed. A row from which a name was taken is not among them."""
    opens = made.seen.opens_text
    # A record that was regraded keeps its first marking in its leaf: codewords and names that are not for the reader.
    standing = {entry.subject: entry for entry in books.standing() if opens(entry.marking) and opens(_marking_of(entry))}
    out = []
    for name, raw in made.files.items():
        if not is_table(name):
            entry = standing.get(name)
            if entry is not None and entry.body is not None and entry.content().get("sha256") == hashlib.sha256(raw).hexdigest():
                out.append(entry.seq)
            continue
        for row in read_loosely(raw).rows:
            entry = standing.get(subject_of(name, row))
            if entry is not None and entry.body is not None and row_of(entry) == said(row):
                out.append(entry.seq)
    return out


def _marking_of(entry: Entry) -> str:
    row = entry.content().get("row") if entry.body is not None else None
    return str(row.get(MARKING, "")) if isinstance(row, dict) else ""
