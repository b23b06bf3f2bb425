"""Exhibits: photographs, documents, charts and recordings kept under their hash, and who held them when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tallybook.core.time import Moment

KINDS = ("photograph", "document", "chart", "recording", "other")
_NEXT = timedelta(seconds=1)
"""A day ends on its last second, so what begins on the next second follows without a gap."""


@dataclass(frozen=True, slots=True)
class Held:
    """One entry of a custody log: who held an exhibit, from when to when (None: no end is recorded), and how it came to them."""

    exhibit: str
    by: str
    starts: Moment
    ends: Moment | None
    how: str
    known: Moment
    line: int = 0

    def end_by(self, known: datetime) -> Moment | None:
        """The end, where it had come by `known`: an end still to come is as unknown as a later report."""
        return self.ends if self.ends is not None and self.ends.last <= known else None

    def visible(self, known: datetime) -> dict[str, Any]:
        """The row as an answer at `known` may see it."""
        end = self.end_by(known)
        return {"held_by": self.by, "from": self.starts.text, "to": end.text if end else "", "how": self.how}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A row of exhibits.csv.

    `sha256` is of the untouched bytes. `made` is when it was made, where that is known. `reports` are reports that rest on it
    besides those that name it themselves. `custody` is the log as filed, in its order.
    """

    id: str
    sha256: str
    kind: str
    title: str
    origin: str
    made: Moment | None
    place: str
    source: str
    licence: str
    known: Moment
    media_type: str
    reports: tuple[str, ...] = ()
    line: int = 0
    custody: tuple[Held, ...] = field(default=())

    def custody_by(self, known: datetime) -> tuple[Held, ...]:
        """The entries known by then, the earliest holder first."""
        rows = [row for row in self.custody if row.known.last <= known]
        return tuple(sorted(rows, key=lambda row: (row.starts.last, row.known.last, row.by)))

    def visible(self, known: datetime) -> dict[str, Any]:
        """The row as an answer at `known` may see it, with its custody log as known then."""
        return {
            "id": self.id,
            "sha256": self.sha256,
            "kind": self.kind,
            "title": self.title,
            "origin": self.origin,
            "made_at": self.made.text if self.made else "",
            "place": self.place,
            "source": self.source,
            "licence": self.licence,
            "media_type": self.media_type,
            "known": self.known.text,
            "custody": [row.visible(known) for row in self.custody_by(known)],
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """A time for which nobody recorded who held an exhibit; a blank end has not come, a blank start is not known."""

    start: str
    end: str


def gaps(exhibit: Exhibit, known: datetime) -> tuple[Gap, ...]:
    """The times, on what was known, for which nobody recorded who held an exhibit, in order.

    A holder without an end held it until the next one did; the last one without an end holds it still.
    """
    rows = exhibit.custody_by(known)
    if not rows:
        return (Gap(exhibit.made.text if exhibit.made else "", ""),)
    found = []
    if exhibit.made is not None and rows[0].starts.first > exhibit.made.last + _NEXT:
        found.append(Gap(exhibit.made.text, rows[0].starts.text))
    covered = rows[0].end_by(known)
    for row in rows[1:]:
        if covered is not None and row.starts.first > covered.last + _NEXT:
            found.append(Gap(covered.text, row.starts.text))
        covered = _later(covered, row.end_by(known))
    if covered is not None:
        found.append(Gap(covered.text, ""))
    return tuple(found)


def _later(covered: Moment | None, end: Moment | None) -> Moment | None:
    """Up to when somebody held it. One without an end held it until the next did, whose end then counts."""
    if covered is None or end is None:
        return end
    return max(covered, end, key=lambda moment: moment.last)


def overlaps(rows: Iterable[Held]) -> list[tuple[Held, Held]]:
    """Pairs of entries by different holders that were certainly under way at one time: (the earlier, the later)."""
    ordered = sorted(rows, key=lambda row: (row.starts.last, row.known.last, row.by))
    found: list[tuple[Held, Held]] = []
    latest: Held | None = None
    for row in ordered:
        if latest is not None and latest.by != row.by and latest.ends is not None and latest.ends.first > row.starts.last + _NEXT:
            found.append((latest, row))
        if latest is None or row.ends is None or (latest.ends is not None and row.ends.last >= latest.ends.last):
            latest = row
    return found


def named(kind: str) -> str:
    """A kind with its article."""
    return "an exhibit" if kind == "other" else f"a {kind}"


def in_words(exhibit: Exhibit, known: datetime) -> str:
    """An exhibit in one sentence: what it is, its hash in short, where it came from, and who held it when."""
    told = [f"{exhibit.id}, {named(exhibit.kind)}: {exhibit.title} (sha256 {exhibit.sha256[:12]})"]
    told.append(f"from {exhibit.origin}" if exhibit.origin else "of unknown origin")
    made = f"made {exhibit.made.text}" if exhibit.made else "made at an unknown time"
    told.append(f"{made}, {exhibit.place}" if exhibit.place else made)
    told.append(f"licence: {exhibit.licence or 'not stated'}")
    told += [held_in_words(row, known) for row in exhibit.custody_by(known)]
    told += gaps_in_words(gaps(exhibit, known))
    return "; ".join(told) + "."


def held_in_words(row: Held, known: datetime) -> str:
    """An entry of the custody log in words."""
    end, how = row.end_by(known), f" ({row.how})" if row.how else ""
    return f"held by {row.by} from {row.starts.text}" + (f" to {end.text}" if end else "") + how


def gaps_in_words(found: Sequence[Gap]) -> list[str]:
    """Gaps of a custody log in words."""
    told = []
    for gap in found:
        since = f" from {gap.start}" if gap.start else ""
        until = f" to {gap.end}" if gap.start and gap.end else ""
        told.append(f"nobody recorded who held it{since}{until}")
    return told
