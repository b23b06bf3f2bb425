"""A case for another organisation: what it may see and nothing else, with proofs that it is what stands in the ledger.

What is written is a case folder of its own. Beside it, in proofs/, stands an excerpt of the log: the hash of every entry, and the
entries of those rows and files that are given out as they were filed. What was made for the release, as a table with fewer rows,
stands in the log by its hash, in the entry about the release itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.exhibit_tables import EXHIBITS
from tallybook.casefile.files import Files, Folder
from tallybook.casefile.filing import is_table, subject_of
from tallybook.casefile.marking_acts import AUTHORITY
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.policy import Policy, Reader, scheme_tables
from tallybook.casefile.view import Rights, Seen, read_loosely, rights_of, table_names
from tallybook.casefile.writing import write_files
from tallybook.checker.outgoing import outgoing_faults
from tallybook.errors import Fault, TallybookError
from tallybook.ledger.asof import Books
from tallybook.ledger.cosignature import WitnessPolicy
from tallybook.ledger.entry import Draft, Entry, canonical_json, instant_text
from tallybook.ledger.excerpt import ExcerptError, VerifiedExcerpt, verify_excerpt, write_excerpt
from tallybook.ledger.keys import Verifier
from tallybook.ledger.ledger import Ledger
from tallybook.ledger.logfolder import reader, writer
from tallybook.markings.marking import join_all
from tallybook.registry.place import Place, now
from tallybook.registry.proving import newest
from tallybook.registry.reading import on_file

PROOFS = "proofs"
"""The folder of a release that holds the excerpt of the log."""
RELEASE = "release"
HELD_BACK = "held-back"
"""The kinds of the two entries about a release: what was given out, and, for those above, what was not."""
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*[A-Za-z0-9]", re.ASCII)
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
    """What would be released. Raises MarkingError and NothingToShowError for the reader, TallybookError for who releases."""
    _check_authority(rights, act)
    who = rights.policy.reader(act.to)
    seen = Seen(files, rights, who)
    given = {name: seen.read(name) for name in seen.names()}
    held_back = _held_back(files, seen)
    _check_again(rights.policy, who, seen, given)
    return Release(seen, given, held_back, tuple(_mentions(given, held_back, _ids(seen))))


def _check_again(policy: Policy, who: Reader, seen: Seen, given: Mapping[str, bytes]) -> None:
    """Let a second program, which shares nothing with the first, read every marking of what goes out. Raises TallybookError."""
    marked = {name: policy.banner(marking) for name, marking in seen.markings().items()}
    exhibits = read_loosely(given[EXHIBITS]).rows if EXHIBITS in given else []
    for name in given:
        if name.startswith("exhibits/"):
            digest = name.rpartition("/")[2].partition(".")[0]
            marked[name] = next((row[MARKING] for row in exhibits if row.get("sha256", "").strip() == digest), "")
    # It holds nothing but the names of files that are given, and their markings.
    marked[POLICY] = policy.banner(join_all(seen.markings().values()))
    names = [who.name, *who.names]
    faults = outgoing_faults(given, scheme_tables(policy), who.clearance_text, names, file_markings=marked)
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        what = f"a second reading of the markings disagrees: {faults[0]}{more}"
        raise TallybookError(what, where="release", do="nothing was written: report this as a fault of the program")


def _check_authority(rights: Rights, act: Act) -> None:
    for name in ("by", "authority", "reason"):
        if not getattr(act, name).strip():
            raise TallybookError("blank", where=f"--{name}", do="a release has an author, an authority and a reason")
    by: Reader | None = rights.policy.readers.get(act.by)
    if by is None or AUTHORITY not in by.roles:
        do = f"markings.yaml says who may: a reader with the role {AUTHORITY}"
        raise TallybookError(f"{act.by} is no {AUTHORITY} of this case", where="--by", do=do)


def _ids(files: Files) -> set[str]:
    """The ids of all rows of a case, however they are named there."""
    found: set[str] = set()
    for name in table_names(files):
        for row in read_loosely(files.read(name)).rows:
            found |= {row.get(column, "").strip() for column in ("id", "source_id", "vessel_id")}
    return found - {""}


def _held_back(files: Files, seen: Seen) -> tuple[str, ...]:
    """The subjects of rows, and the names of files, that the reader does not get."""
    out = []
    for name in table_names(files):
        given = {subject_of(name, row) for row in read_loosely(seen.read(name)).rows} if seen.has(name) else set()
        subjects = [subject_of(name, row) for row in read_loosely(files.read(name)).rows]
        out += [subject for subject in subjects if subject not in given]
    folders = [name for folder in ("sources", "exhibits", "cables") for name in files.listing(folder)]
    return (*out, *(name for name in folders if not seen.has(name)))


def _mentions(given: Mapping[str, bytes], held_back: Sequence[str], shown: set[str]) -> list[Fault]:
    """Where what is given out names what is held back. Short ids could be any word, and are not looked for."""
    names = {subject.rpartition("/")[2] for subject in held_back} - shown
    secret = {name for name in names if len(name) >= 4 and any(c.isdigit() for c in name)}
    faults = []
    for name, raw in given.items():
        if name.startswith("exhibits/") and not name.endswith((".txt", ".csv", ".json")):
            continue
        for n, line in enumerate(raw.decode("utf-8", errors="replace").splitlines(), 1):
            for word in sorted({match[0] for match in _NAMED.finditer(line)} & secret):
                what = f"names {word}, which is held back"
                faults.append(Fault(name, n, "", what, "mark what says so as high, or release a redacted form of it"))
    return faults


def release_folder(folder: Path, out: Path, act: Act, *, despite_mentions: bool = False) -> Release:
    """Release a case that has no ledger: files without proofs. Raises as `prepared`, and TallybookError for mentions."""
    files = Folder(folder)
    made = prepared(files, rights_of(files), act)
    _refuse_mentions(made, despite_mentions)
    write_files(made.seen, out)
    return made


def _refuse_mentions(made: Release, despite: bool) -> None:
    if made.mentions and not despite:
        first = made.mentions[0]
        more = f", and {len(made.mentions) - 1} more" if len(made.mentions) > 1 else ""
        do = f"{first.do}; --despite-mentions releases it as it is"
        raise TallybookError(f"{first.what}{more}", where=f"{first.file}:{first.line}", do=do)


def release_filed(place: Place, ledger: Ledger, out: Path, act: Act, *, despite_mentions: bool = False) -> tuple[Release, int]:
    """Release a case with its proofs; also gives how many entries are shown whole.

    Two entries record it: what was given out, by the hashes of its files, and what was held back. Raises as `prepared`, and
    TallybookError for mentions and where the ledger cannot be signed.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TallybookError("not empty", where=str(out), do="name a folder that is not there yet")
    found = on_file(place)
    files = found.files()
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
    standing = {entry.subject: entry for entry in books.standing()}
    out = []
    for name, raw in made.files.items():
        if not is_table(name):
            entry = standing.get(name)
            if entry is not None and entry.body is not None and entry.content().get("sha256") == hashlib.sha256(raw).hexdigest():
                out.append(entry.seq)
            continue
        for row in read_loosely(raw).rows:
            entry = standing.get(subject_of(name, row))
            if entry is not None and entry.body is not None and _row_of(entry) == _said(row):
                out.append(entry.seq)
    return out


def _said(row: Mapping[str, str]) -> dict[str, str]:
    """What a row says, but for its marking: that of an act may have taken the place of the one that was filed."""
    return {column: value for column, value in row.items() if value and column != MARKING}


def _row_of(entry: Entry) -> dict[str, str] | None:
    row = entry.content().get("row")
    return _said({str(key): str(value) for key, value in row.items()}) if isinstance(row, dict) else None


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
    files = _files_of(folder)
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
            if _row_of(entry) != _said(rows[entry.subject]):
                raise ExcerptError("it is not as the log has it", where=entry.subject, do="ask for the release anew")
            count += 1
    return VerifiedRelease(excerpt, releases[0].content(), count, len(rows))


def _files_of(folder: Path) -> dict[str, bytes]:
    from tallybook.registry.reading import folder_files

    return {name: raw for name, raw in folder_files(folder).items() if not name.startswith(f"{PROOFS}/")}
