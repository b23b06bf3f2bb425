"""What is looked at before a case goes to somebody else: the markings once more, who may release, and what names it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from tallybook.agreement.yamltext import MARKING, read_yaml
from tallybook.casefile.exhibit_tables import CUSTODY, EXHIBITS
from tallybook.casefile.filing import subject_of
from tallybook.casefile.marked import BEARINGS, WITH_ENTRIES, Marked, read_loosely, table_names
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.marking_acts import controlled
from tallybook.casefile.policy import FILE as POLICY
from tallybook.casefile.policy import Policy, Reader, scheme_tables
from tallybook.casefile.view import Seen
from tallybook.checker.outgoing import outgoing_faults
from tallybook.errors import Fault, TallybookError
from tallybook.markings.marking import join_all

_AT_ONCE = 500
"""So many names are looked for in one pass."""


def check_again(policy: Policy, who: Reader, seen: Seen, given: Mapping[str, bytes]) -> None:
    """Let a second program, which shares nothing with the first, read every marking of what goes out. Raises TallybookError."""
    marked = {name: policy.banner(marking) for name, marking in seen.markings().items()}
    exhibits = read_loosely(given[EXHIBITS]).rows if EXHIBITS in given else []
    for name, raw in given.items():
        if name.startswith("exhibits/"):
            digest = name.rpartition("/")[2].partition(".")[0]
            if hashlib.sha256(raw).hexdigest() != digest:
                raise TallybookError("its bytes do not give its name", where=name, do="restore the untouched file")
            marked[name] = next((row[MARKING] for row in exhibits if row.get("sha256", "").strip() == digest), "")
    # It holds nothing but the names of files that are given, and their markings.
    marked[POLICY] = policy.banner(join_all(seen.markings().values()))
    names = [who.name, *who.names]
    faults = outgoing_faults(given, scheme_tables(policy), who.clearance_text, names, file_markings=marked)
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        what = f"a second reading of the markings disagrees: {faults[0]}{more}"
        raise TallybookError(what, where="release", do="nothing was written: report this as a fault of the program")


def check_may_release(marked: Marked, by: Reader, seen: Seen, who: Reader) -> None:
    """Who releases may read it all; and what is under the control of its originator goes to, or by, the originator only."""
    policy = marked.rights.policy
    for name, row in marked.every_row():
        marking = marked.of_row(name, row)
        if not who.clearance.opens(marking) or name == ACTS:
            continue
        subject = subject_of(name, row)
        if not by.clearance.opens(marking):
            what = f"{by.name} is not cleared for {subject}"
            raise TallybookError(what, where="--by", do="who releases may read all that is released")
        if controlled(policy, marking):
            originator = marked.originator(row)
            if not originator or originator not in (by.organisation, who.organisation):
                do = "only its originator releases it to others"
                raise TallybookError(f"{subject} is under the control of its originator", where="--to", do=do)
    for name, marking in seen.markings().items():
        if not by.clearance.opens(marking):
            raise TallybookError(f"{by.name} is not cleared for {name}", where="--by", do="who releases may read it all")


def held_back_of(marked: Marked, seen: Seen) -> tuple[str, ...]:
    """The subjects of rows, the entries of YAML files, and the names of files, that the reader does not get."""
    out = []
    for name, table in marked.tables.items():
        if name == ACTS:
            continue
        given = {subject_of(name, row) for row in read_loosely(seen.read(name)).rows} if seen.has(name) else set()
        out += [subject for row in table.rows if (subject := subject_of(name, row)) not in given]
    for name in WITH_ENTRIES:
        if marked.files.has(name):
            given = _entries(seen.read(name), name) if seen.has(name) else set()
            out += [f"{name}#{entry}" for entry in sorted(_entries(marked.files.read(name), name) - given)]
    folders = [name for folder in ("sources", "exhibits", "cables") for name in marked.files.listing(folder)]
    return (*out, *(name for name in folders if not seen.has(name)))


def _entries(raw: bytes, name: str) -> set[str]:
    """The entries of the groups of a YAML file, as GROUP.NAME."""
    data = read_yaml(raw, name).data
    found: set[str] = set()
    for group, entries in data.items() if isinstance(data, dict) else ():
        if isinstance(entries, dict):
            found |= {f"{group}.{key}" for key in entries}
        elif isinstance(entries, list):
            found |= {f"{group}.{entry['id']}" for entry in entries if isinstance(entry, dict) and entry.get("id")}
    return found


def _ids_of(subjects: Sequence[str]) -> set[str]:
    """By what is held back could be named: ids of rows and of entries. Those of bearings and custody are dates."""
    out = set()
    for subject in subjects:
        table, sign, short = subject.partition(".csv/")
        if sign and f"{table}.csv" not in (BEARINGS, CUSTODY):
            out.add(short)
        elif "#" in subject:
            out.add(subject.rpartition(".")[2])
    return {name for name in out if len(name) >= 4}


def _shown_ids(seen: Seen) -> set[str]:
    """The ids of the rows and entries that the reader gets, which may be named."""
    tables = [read_loosely(seen.read(name)).rows for name in table_names(seen)]
    shown = {row.get(column, "").strip() for rows in tables for row in rows for column in ("id", "source_id")}
    entries = [_entries(seen.read(name), name) for name in WITH_ENTRIES if seen.has(name)]
    return shown | {entry.rpartition(".")[2] for some in entries for entry in some}


def mentions(given: Mapping[str, bytes], held_back: Sequence[str], seen: Seen) -> list[Fault]:
    """Where what is given out names what is held back, in any case and whatever stands around it."""
    hidden = _ids_of(held_back) - _shown_ids(seen)
    faults: list[Fault] = []
    names = sorted(hidden, key=len, reverse=True)
    for start in range(0, len(names), _AT_ONCE):
        some = "|".join(re.escape(name) for name in names[start : start + _AT_ONCE])
        pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{some})(?![A-Za-z0-9])", re.IGNORECASE)
        for name, raw in given.items():
            if name.startswith("exhibits/") and not name.endswith((".txt", ".csv", ".json")):
                continue
            for n, line in enumerate(raw.decode("utf-8", errors="replace").splitlines(), 1):
                for word in sorted({match[0] for match in pattern.finditer(line)}):
                    what = f"names {word}, which is held back"
                    faults.append(Fault(name, n, "", what, "mark what says so as high, or release a redacted form of it"))
    return faults
