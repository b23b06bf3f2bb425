"""reports/marking_acts.csv: what named people did about markings. A recorded marking never changes; an act says what holds now.

`regrade` and `declassify` give a record another marking, `distribute` adds recipients, `release` says that a new record is what
may be known of an old one at a lower marking. An act without the authority for it has no effect: the record stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tallybook.casefile.policy import Policy
from tallybook.errors import Fault
from tallybook.markings.marking import Marking, MarkingError

FILE = "reports/marking_acts.csv"
COLUMNS = (
    "id",
    "act",
    "record",
    "was",
    "becomes",
    "new_record",
    "by",
    "authority",
    "reason",
    "removed",
    "known_at",
    "marking",
)
OPENINGS = "openings"
"""The column of what proves to those above what a release cut: salts and places."""
ACTS = ("regrade", "declassify", "distribute", "release")
AUTHORITY = "releasing authority"
"""The role that may lower a marking."""


@dataclass(frozen=True, slots=True)
class MarkingAct:
    """A row of the table. `record` and `new_record` are ids of rows, or names of files."""

    id: str
    act: str
    record: str
    was: str
    becomes: str
    new_record: str
    by: str
    authority: str
    reason: str
    line: int


@dataclass(slots=True)
class MarkingActs:
    """The acts of a case in the order of their rows, and what is wrong with each as it is held against its record."""

    acts: Sequence[MarkingAct] = ()
    faults: list[Fault] = field(default_factory=list)
    _by_record: dict[str, list[MarkingAct]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for act in self.acts:
            self._by_record.setdefault(act.record, []).append(act)

    def is_about(self, name: str) -> bool:
        """Whether there is an act on a record of that name."""
        return name in self._by_record

    def effective(self, policy: Policy, names: Iterable[str], recorded: Marking, originator: str = "") -> Marking:
        """What holds for a record now: its recorded marking, and the acts on it by any of its `names`, in order.

        Faults of those acts are noted in `faults`, each with its line.
        """
        found = recorded
        acts = sorted({act.line: act for name in names for act in self._by_record.get(name, ())}.items())
        for _, act in acts:
            wrong = self._wrong(policy, act, found, originator)
            if wrong:
                self.faults.append(Fault(FILE, act.line, wrong[0], wrong[1], wrong[2]))
            elif act.act != "release":
                found = policy.marking(act.becomes)
        return found

    def _wrong(self, policy: Policy, act: MarkingAct, now: Marking, originator: str) -> tuple[str, str, str] | None:
        """The column, what is wrong and what to do; None where the act holds."""
        if act.act not in ACTS:
            return "act", f"no act {act.act!r}", f"the acts are {', '.join(ACTS)}"
        for column in ("by", "authority", "reason", "becomes"):
            if not getattr(act, column):
                return column, "blank", "an act on a marking has an author, an authority, a reason and what it becomes"
        try:
            was, becomes = policy.marking(act.was), policy.marking(act.becomes)
        except MarkingError as error:
            return "becomes", error.what, error.do
        if was != now:
            return (
                "was",
                f"{act.record} is marked {policy.banner(now)}, not {act.was}",
                "write the marking that holds, or remove the act",
            )
        if act.act == "release" and not act.new_record:
            return "new_record", "blank", "a release names the new record; the old one stays as it is"
        # A form that is released takes the place of the record for who sees both, so it always takes the authority.
        if now <= becomes and act.act != "release":
            return None
        return _no_authority(policy, act, now, originator) or _not_that_act(act, now, becomes)


def _no_authority(policy: Policy, act: MarkingAct, now: Marking, originator: str) -> tuple[str, str, str] | None:
    who = policy.readers.get(act.by)
    if who is None or AUTHORITY not in who.roles:
        return "by", f"{act.by} is no {AUTHORITY} of this case", f"markings.yaml names them, with the role {AUTHORITY}"
    if not who.clearance.opens(now):
        return (
            "by",
            f"{act.by} is not cleared for what {act.record} is marked",
            "lowering it takes the authority for the old marking",
        )
    if controlled(policy, now) and (not originator or who.organisation != originator):
        return "by", f"{act.record} is under the control of its originator", "only they release it; others may only withhold more"
    return None


def _not_that_act(act: MarkingAct, now: Marking, becomes: Marking) -> tuple[str, str, str] | None:
    if act.act == "distribute" and _without_recipients(becomes) != _without_recipients(now):
        return "becomes", "distribution changes more than the recipients", "use regrade for another level"
    if act.act == "declassify" and any(part.level or part.compartments or part.recipients is not None for part in becomes.parts):
        return "becomes", "declassified to something that is still restricted", "use regrade, or write the lowest level"
    return None


def _without_recipients(marking: Marking) -> Marking:
    return Marking(tuple(replace(part, recipients=None) for part in marking.parts), marking.withheld)


def controlled(policy: Policy, marking: Marking) -> bool:
    """Whether a marking leaves release to the originator: by a caveat that the scheme says does so, or a scheme of others'."""
    return any(part.caveats & policy.schemes[part.scheme].originator_controlled for part in marking.parts)


def read_acts(rows: Iterable[tuple[int, Mapping[str, str]]]) -> MarkingActs:
    """The acts in rows of the table, each with its line."""
    return MarkingActs([_act(line, row) for line, row in rows])


def _act(line: int, row: Mapping[str, str]) -> MarkingAct:
    columns = ("id", "act", "record", "was", "becomes", "new_record", "by", "authority", "reason")
    return MarkingAct(**{column: row.get(column, "").strip() for column in columns}, line=line)
