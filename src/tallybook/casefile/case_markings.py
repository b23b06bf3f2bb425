"""What a case says of markings, as it is read: who may read what, and what is wrong with it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from tallybook.agreement.yamltext import MARKING, read_yaml
from tallybook.casefile.exhibit_tables import CUSTODY, EXHIBITS, REVIEWS
from tallybook.casefile.files import Files, UnreadableFileError
from tallybook.casefile.marked import (
    BEARINGS,
    PLACES,
    SOURCES,
    WITH_ENTRIES,
    Marked,
    Rights,
    Table,
    marking_faults,
    read_loosely,
    rights_of,
)
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.marking_acts import read_acts
from tallybook.casefile.policy import FILE, Policy, read_policy
from tallybook.errors import Fault
from tallybook.evidence.ingest.rows import TABLES
from tallybook.markings.marking import Marking, MarkingError, join, join_all
from tallybook.verdicts.marked import CaseMarkings

_FOLDERS = ("sources", "reports", "exhibits", "cables")
_REPORTS = frozenset(f"reports/{name}.csv" for name in TABLES)


def case_markings(files: Files, faults: list[Fault], notes: list[Fault] | None = None) -> CaseMarkings | None:
    """The markings of a case, None where it has no markings.yaml. What is wrong with them is added to `faults`.

    What has no effect is added to `notes`, where they are given.
    """
    if not files.has(FILE):
        if files.has(ACTS):
            faults.append(Fault(ACTS, 0, "", f"acts on markings in a case without {FILE}", f"write {FILE}"))
        return None
    try:
        policy, found = read_policy(files.read(FILE))
    except UnreadableFileError as error:
        policy, found = None, [Fault(FILE, 0, "", error.what, error.do)]
    faults += found
    if policy is None:
        return None
    acts = _table(files, ACTS)
    rights = Rights(policy, read_acts(zip(acts.lines, acts.rows, strict=True)))
    faults += marking_faults(files, rights)
    faults += _entry_faults(files, policy)
    if notes is not None:
        notes += _idle(files, rights)
    return _of_rows(files, rights)


def _idle(files: Files, rights: Rights) -> list[Fault]:
    """Patterns of markings.yaml that fit nothing: a slip in one leaves open what it was meant for."""
    marked, policy = Marked(files, rights), rights.policy
    rows = [(name, row) for name, row in marked.every_row()]
    names = {part for name, row in rows for part in marked.names(name, row)}
    sources = {row.get("source_id", "").strip() for _, row in rows}
    whole = {*WITH_ENTRIES, *marked.tables, *(n for folder in _FOLDERS for n in files.listing(folder))}
    whole = {name for name in whole if files.has(name)} | {name for name, _ in policy.files if files.has(name)}
    notes = []
    for key, patterns, there in (
        ("files", policy.files, whole),
        ("rows", policy.rows, names),
        ("sources", policy.sources, sources),
    ):
        for pattern, _ in patterns:
            if pattern not in there and not any(fnmatchcase(name, pattern) for name in there):
                what = f"{pattern!r} fits nothing that is there"
                notes.append(Fault(FILE, 0, key, what, "correct it, or leave it for what is to come"))
    return notes


def _table(files: Files, name: str) -> Table:
    try:
        return read_loosely(files.read(name)) if files.has(name) else Table()
    except UnreadableFileError:
        return Table()


def _of_rows(files: Files, rights: Rights) -> CaseMarkings:
    marked = Marked(files, rights)
    rows: dict[str, Marking] = {}
    sources: dict[str, Marking] = {}
    bearings: dict[tuple[str, str, str], Marking] = {}
    exhibits: dict[str, Marking] = {}
    reviews: dict[tuple[str, str], Marking] = {}
    for name, table in marked.tables.items():
        for row in table.rows:
            marking = marked.of_row(name, row)
            if name == BEARINGS:
                report, claim, known = (row.get(column, "").strip() for column in ("report", "claim", "known_at"))
                bearings[report, claim, known] = marking
            elif name == SOURCES:
                sources[row.get("source_id", "").strip()] = marking
            elif name in _REPORTS:
                rows[row.get("id", "").strip()] = marking
            elif name == EXHIBITS:
                _more(exhibits, row.get("id", "").strip(), marking)
            elif name == CUSTODY:
                _more(exhibits, row.get("exhibit", "").strip(), marking)
            elif name == REVIEWS:
                reviews[row.get("id", "").strip(), row.get("report", "").strip()] = marking
    whole = [marked.of_file(name) for name in WITH_ENTRIES if files.has(name)]
    whole += [marked.of_row(PLACES, row) for row in marked.tables[PLACES].rows] if PLACES in marked.tables else []
    whole += [marked.of_file(name) for name in files.listing("sources")]
    whole += _entry_markings(files, marked)
    policy = rights.policy
    return CaseMarkings(policy.banner, policy.portion, join_all(whole), rows, sources, bearings, exhibits, reviews)


def _more(found: dict[str, Marking], name: str, marking: Marking) -> None:
    found[name] = join(found[name], marking) if name in found else marking


def _entries(files: Files, name: str) -> list[tuple[tuple[str | int, ...], object]]:
    """The entries of the groups of a YAML file that have a marking, each with its path."""
    try:
        raw = files.read(name)
    except UnreadableFileError:
        return []
    # Looking for the word is much faster than parsing, and most files have none.
    data = read_yaml(raw, name).data if MARKING.encode() in raw else None
    found: list[tuple[tuple[str | int, ...], object]] = []
    for group, entries in data.items() if isinstance(data, dict) else ():
        pairs = entries.items() if isinstance(entries, dict) else enumerate(entries) if isinstance(entries, list) else ()
        found += [((group, key), entry) for key, entry in pairs if isinstance(entry, dict) and MARKING in entry]
    return found


def _entry_markings(files: Files, marked: Marked) -> list[Marking]:
    found = [marked.of_entry(entry) for name in WITH_ENTRIES if files.has(name) for _, entry in _entries(files, name)]
    return [marking for marking in found if marking is not None]


def _entry_faults(files: Files, policy: Policy) -> list[Fault]:
    faults = []
    for name in WITH_ENTRIES:
        if not files.has(name):
            continue
        for path, entry in _entries(files, name):
            text = entry.get(MARKING) if isinstance(entry, dict) else None
            where = ".".join(map(str, (*path, MARKING)))
            try:
                if not isinstance(text, str) or not text.strip():
                    raise MarkingError("no text", do="write a marking, or leave the key out")
                policy.marking(text)
            except MarkingError as error:
                line = read_yaml(files.read(name), name).line_of((*path, MARKING))
                faults.append(Fault(name, line, where, error.what, error.do))
    return faults


def released_forms(files: Files) -> frozenset[str]:
    """The records that are released forms of others that are at hand too, by acts that hold; none where nothing is marked."""
    if not files.has(ACTS):
        return frozenset()
    try:
        return Marked(files, rights_of(files)).forms
    except MarkingError:
        return frozenset()
