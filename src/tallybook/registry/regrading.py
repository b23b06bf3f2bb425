"""Acts on markings: what a named person may lower or raise, made into a row of reports/marking_acts.csv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from tallybook.casefile.files import Files
from tallybook.casefile.filing import subject_of
from tallybook.casefile.marked import Marked, Rights, read_loosely
from tallybook.casefile.marking_acts import COLUMNS, FILE, read_acts
from tallybook.errors import TallybookError
from tallybook.markings.marking import Marking


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a case: by what it is named in acts, its marking now, and the organisation that it is from."""

    name: str
    marking: Marking
    originator: str


def record(files: Files, rights: Rights, name: str) -> Found:
    """The row of that id or subject, or the file of that name. Raises TallybookError where there is none, or several."""
    marked = Marked(files, rights)
    rows = []
    for table, held in marked.tables.items():
        for row in held.rows:
            if name in marked.names(table, row):
                rows.append((table, row))
    if len(rows) > 1:
        told = ", ".join(subject_of(table, row) for table, row in rows[:5])
        do = "give the whole name, such as reports/observations.csv/ID"
        raise TallybookError(f"{told} are all called so", where=name, do=do)
    if rows:
        table, row = rows[0]
        return Found(name, marked.of_row(table, row), marked.originator(row))
    if files.has(name) and not files.is_folder(name):
        return Found(name, marked.of_file(name), "")
    do = "give the id of a report, exhibit or source, table and id (places.csv/harbour), or the name of a file"
    raise TallybookError("no row of that id, and no file of that name", where=name, do=do)


def act_row(files: Files, rights: Rights, name: str, said: Mapping[str, str]) -> dict[str, str]:
    """The row of an act on a record: `said` holds act, becomes, by, authority, reason, known_at; new_record where there is one.

    Raises TallybookError, with the column, where its author has no authority for it, or it is not such an act.
    """
    found = record(files, rights, name)
    policy = rights.policy
    was = policy.banner(found.marking)
    there = _ids(files)
    number = next(n for n in count(len(there) + 1) if f"ACT-{n:03d}" not in there)
    row = dict.fromkeys(COLUMNS, "") | dict(said) | {"id": f"ACT-{number:03d}", "record": found.name, "was": was, "marking": was}
    acts = read_acts([(0, row)])
    becomes = acts.effective(policy, [found.name], found.marking, found.originator)
    if acts.faults:
        fault = acts.faults[0]
        raise TallybookError(fault.what, where=f"{name}, {fault.field}", do=fault.do)
    return row | {"becomes": policy.banner(policy.marking(row["becomes"]) if row["act"] == "release" else becomes)}


def _ids(files: Files) -> set[str]:
    return {row.get("id", "") for row in read_loosely(files.read(FILE)).rows} if files.has(FILE) else set()
