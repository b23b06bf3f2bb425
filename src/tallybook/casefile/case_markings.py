"""What a case says of markings, as it is read: who may read what, and what is wrong with it."""

from __future__ import annotations

from tallybook.agreement.yamltext import MARKING, read_yaml
from tallybook.casefile.files import Files, UnreadableFileError
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.marking_acts import copies, read_acts
from tallybook.casefile.policy import FILE, Policy, read_policy
from tallybook.casefile.view import BEARINGS, PLACES, SOURCES, WITH_ENTRIES, Marked, Rights, Table, marking_faults, read_loosely
from tallybook.errors import Fault
from tallybook.markings.marking import Marking, MarkingError, join_all
from tallybook.verdicts.marked import CaseMarkings

NO_POLICY = "a marking, and no markings.yaml says what it means"


def case_markings(files: Files, faults: list[Fault]) -> CaseMarkings | None:
    """The markings of a case, None where it has no markings.yaml. What is wrong with them is added to `faults`."""
    if not files.has(FILE):
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
    return _of_rows(files, rights)


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
    for name, table in marked.tables.items():
        for row in table.rows:
            marking = marked.of_row(name, row)
            if name == BEARINGS:
                report, claim, known = (row.get(column, "").strip() for column in ("report", "claim", "known_at"))
                bearings[report, claim, known] = marking
            elif name == SOURCES:
                sources[row.get("source_id", "").strip()] = marking
            elif row.get("id"):
                rows[row["id"].strip()] = marking
    whole = [marked.of_file(name) for name in WITH_ENTRIES if files.has(name)]
    whole += [marked.of_row(PLACES, row) for row in marked.tables[PLACES].rows] if PLACES in marked.tables else []
    whole += [marked.of_file(name) for name in files.listing("sources")]
    whole += _entry_markings(files, marked)
    policy = rights.policy
    return CaseMarkings(policy.banner, policy.portion, join_all(whole), rows, sources, bearings)


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
    """The records that are released forms of others that are at hand too: the same thing told again, with less in it."""
    if not files.has(ACTS):
        return frozenset()
    acts = read_acts(zip((table := _table(files, ACTS)).lines, table.rows, strict=True))
    tables = [name for name in files.listing("reports") if name != ACTS]
    there = {row.get("id", "").strip() for name in tables for row in _table(files, name).rows}
    return copies(acts, there)
