"""Reports: who says what about what, where and when, known when, how, and how good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tallybook.core.time import Moment
from tallybook.evidence.grade import NO_GRADE, Grade

_SHOWN = (
    "id",
    "source",
    "who",
    "statement",
    "citation",
    "basis",
    "method",
    "place",
    "vessel",
    "item",
    "stage",
    "kind",
    "measure",
    "state",
    "to",
    "conditions",
)


@dataclass(frozen=True, slots=True)
class Report:
    """A row of any table under reports/, as evidence.

    `known` is when our side had it, `starts` to `ends` when the thing was so. `who` is the observer, or the one who
    spoke or acted; `to` the one spoken to. A count is a point `count` and bounds `low`, `high`; None is unknown and 0 a finding.
    `declared` is what the other side said of the same ship. `until` is the end of a measure's state, known once it has come.
    `known_to` names the parties that could know of it (empty: those who filed it; "all": everybody). `exhibits` are those it
    rests on. `graded_by` gave the grade, None where the table keeps no authors of grades; `grade_reviewed_by` read it again.
    """

    id: str
    table: str
    line: int
    known: Moment
    starts: Moment
    ends: Moment
    source: str
    citation: str
    basis: str
    who: str = ""
    statement: str = ""
    grade: Grade = NO_GRADE
    method: str = ""
    place: str = ""
    vessel: str = ""
    item: str = ""
    stage: str = ""
    kind: str = ""
    measure: str = ""
    state: str = ""
    to: str = ""
    conditions: str = ""
    count: float | None = None
    low: float | None = None
    high: float | None = None
    declared: float | None = None
    until: Moment | None = None
    known_to: tuple[str, ...] = ()
    exhibits: tuple[str, ...] = ()
    graded_by: str | None = None
    grade_reviewed_by: str = ""

    @property
    def number(self) -> float | None:
        """The count that the report stands for: the point, else the lower bound, which is what was shown."""
        return self.count if self.count is not None else self.low

    def visible(self, known: Any) -> dict[str, Any]:
        """The row as an answer at `known` may see it: without notes, and without an end that had not come."""
        out: dict[str, Any] = {"known": self.known.text, "starts": self.starts.text}
        if self.until is not None and self.until.last <= known:
            out["until"] = self.until.text
        if self.table != "measures":
            out["ends"] = self.ends.text
        for name in _SHOWN:
            if value := getattr(self, name):
                out[name] = value
        out.update({k: getattr(self, k) for k in ("count", "low", "high", "declared") if getattr(self, k) is not None})
        if self.grade.text:
            out["grade"] = self.grade.text
        # Exhibits have known times of their own: the receipt has them apart, with the reports that rest on them.
        out.update({k: getattr(self, k) for k in ("graded_by", "grade_reviewed_by") if getattr(self, k)})
        return out


@dataclass(frozen=True, slots=True)
class Source:
    """A document or person that reports come from."""

    id: str
    title: str
    author: str
    date: str
    citation: str
    access: str
    reliability: str


@dataclass(frozen=True, slots=True)
class Bearing:
    """What an analyst reads in a report about a claim."""

    report: str
    claim: str
    bears: str
    extent: str
    state: str
    refers_to: Moment | None
    cluster: str
    restates: tuple[str, ...]
    counts_as: str
    by: str
    reviewed_by: str
    known: Moment
    reason: str
    line: int

    def visible(self) -> dict[str, Any]:
        """The row as text for the receipt."""
        return {
            "report": self.report,
            "claim": self.claim,
            "bears": self.bears,
            "extent": self.extent,
            "state": self.state,
            "refers_to": self.refers_to.text if self.refers_to else "",
            "cluster": self.cluster,
            "restates": list(self.restates),
            "counts_as": self.counts_as,
            "by": self.by,
            "reviewed_by": self.reviewed_by,
            "known": self.known.text,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """A site, port or zone. `aliases` are other names by which reports call it; `within` what contains it."""

    id: str
    name: str
    kind: str
    lat: float | None
    lon: float | None
    within: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item class: what one is called, what it includes."""

    id: str
    name: str
    unit: str
    includes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
