"""Filing by somebody who does not see all of a case: nothing is written down, and nothing is learned from what is refused.

Who has read up to a level writes at that level or above. A session may be opened at a lower level: then no more is read in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from tallybook.casefile.appending import Overlaid, merged_files
from tallybook.casefile.files import Files
from tallybook.casefile.filing import subject_of
from tallybook.casefile.marked import OBSERVERS, Marked, Rights, read_loosely, rights_of
from tallybook.casefile.marking_acts import AUTHORITY
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.policy import Policy, Reader
from tallybook.casefile.read import read_case
from tallybook.casefile.view import Seen
from tallybook.errors import Fault, TallybookError
from tallybook.markings.marking import BOTTOM, Grant, Marking, MarkingError

Rows = Mapping[str, Sequence[Mapping[str, str]]]
HIDDEN = "it does not fit what is on file"


@dataclass(frozen=True, slots=True)
class Writer:
    """Who files, what they see while they do, and the marking below which they write nothing."""

    rights: Rights
    reader: Reader
    floor: Marking

    @classmethod
    def of(cls, files: Files, name: str, session: str | None, *, named: bool = False) -> Writer:
        """A reader of the case, in a session at a lower level where one is named. Raises MarkingError for a level not theirs."""
        rights = rights_of(files)
        reader = rights.policy.reader(name, named=named)
        if session is None:
            return cls(rights, reader, reader.clearance.floor())
        at = _session(rights.policy, reader, session)
        grants = tuple(_lowered(grant, at) for grant in reader.clearance.grants)
        return cls(rights, replace(reader, clearance=replace(reader.clearance, grants=grants)), at)

    def sees(self, files: Files) -> Seen:
        """What they see of a case. Raises NothingToShowError."""
        return Seen(files, self.rights, self.reader)

    def at_the_door(self, files: Files) -> Files:
        """What their rows are held against at the door: what they see, and the classes of observers."""
        seen = self.sees(files)
        return Overlaid(seen, {OBSERVERS: files.read(OBSERVERS)}) if files.has(OBSERVERS) else seen

    def has(self, files: Files, subject: str) -> bool:
        """Whether a row is there for them."""
        name = subject[: subject.find(".csv/") + 4]
        seen = self.sees(files)
        return seen.has(name) and any(subject_of(name, row) == subject for row in read_loosely(seen.read(name)).rows)

    def check(self, files: Files, rows: Rows, taken: Collection[str] = ()) -> list[Fault]:
        """What is wrong with rows that they would file, told in words of what they see; nothing where they may.

        `taken` are subjects that were on file once. Raises MarkingError for a row that would be written down, and for an act
        on a marking that is not their own to make.
        """
        self._check_acts(rows)
        marked, seen = Marked(files, self.rights), self.sees(files)
        faults: list[Fault] = []
        for name, some in rows.items():
            there = _standing(files, name)
            shown = _standing(seen, name)
            for row in some:
                subject = subject_of(name, row)
                self.check_floor(subject, marked.of_row(name, there.get(subject, {}) | dict(row)))
                if (subject in there or subject in taken) and subject not in shown:
                    faults.append(Fault(name, 0, "id", f"{subject.rpartition('/')[2]} cannot be its id", "give it another"))
        if faults:
            return faults
        before = {(fault.file, fault.field, fault.what) for fault in read_case(seen).faults}
        after = read_case(merged_files(seen, rows)).faults
        return [fault for fault in after if (fault.file, fault.field, fault.what) not in before]

    def marking_of(self, files: Files, subject: str) -> Marking:
        """The marking of a row that is on file; the bottom where there is none of that name."""
        name = subject[: subject.find(".csv/") + 4]
        row = _standing(files, name).get(subject)
        return BOTTOM if row is None else Marked(files, self.rights).of_row(name, row)

    def check_floor(self, subject: str, marking: Marking) -> None:
        """Raise MarkingError for what is marked below what they read."""
        if not self.floor <= marking:
            floor, found = (self.rights.policy.banner(one) for one in (self.floor, marking))
            do = f"mark it {floor} or above; --session opens a session at a lower level, in which no more is read"
            raise MarkingError(f"marked {found} by somebody who reads {floor}", where=subject, do=do)

    def _check_acts(self, rows: Rows) -> None:
        for row in rows.get(ACTS, ()):
            if AUTHORITY not in self.reader.roles or row.get("by", "") != self.reader.name:
                do = f"a {AUTHORITY} acts with tallybook marking, in their own name"
                raise MarkingError(f"{self.reader.name} may not act on markings so", where=ACTS, do=do)


def _standing(files: Files, name: str) -> dict[str, dict[str, str]]:
    return {subject_of(name, row): row for row in read_loosely(files.read(name)).rows} if files.has(name) else {}


def _session(policy: Policy, reader: Reader, text: str) -> Marking:
    at = policy.marking(text)
    if not reader.clearance.opens(at) or not at <= reader.clearance.floor():
        do = "name a level that you are cleared for, and no more"
        raise MarkingError(f"{policy.banner(at)} is not a level of {reader.name}", where="--session", do=do)
    return at


def _lowered(grant: Grant, at: Marking) -> Grant:
    part = at.part(grant.scheme)
    if part is None:
        return replace(grant, level=0, compartments=frozenset())
    return replace(grant, level=min(grant.level, part.level), compartments=grant.compartments & part.compartments)


def refusal(name: str) -> TallybookError:
    """What is said where a row fits all that its author sees, and not all that is on file."""
    return TallybookError(HIDDEN, where=name, do="give it another id or date; whoever keeps the case sees why")
