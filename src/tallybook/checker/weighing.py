"""Which rows have been read on a claim, how each bears at the date asked about, and what its clusters come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tallybook.checker.reviews import review_of, review_says
from tallybook.checker.rows import File, Row, mapping, words
from tallybook.checker.tables import DAYS_TO_RECORD, FADED_OUT, PART, WORD, Pair, faded, posterior, ratio_of

_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Owed:
    """What weighing takes from the duties in force: who owes, and since when the one begun last has been in force."""

    by: frozenset[str]
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Worth:
    """One row as it bears on a claim."""

    row: Row
    bears: str
    whole: bool
    state: str
    cluster: str
    restates: tuple[str, ...]
    counts_as: str
    grade: str
    days: float
    full: Pair
    ratio: Pair | None
    is_word: bool
    is_baseline: bool
    read_by: dict[str, Any]
    why: str
    review: dict[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        """What the step of this row must say."""
        review = {} if self.review is None else {"review": self.review}
        return review | {
            "known": self.row.known.text,
            "grade": self.row.grade,
            "counted_grade": self.grade,
            "bears": self.bears,
            "whole": self.whole,
            "state": self.state,
            "cluster": self.cluster,
            "counts_as": self.counts_as,
            "days": self.days,
            "full": list(self.full),
            "ratio": list(self.ratio) if self.ratio else None,
            "word": self.is_word,
            "baseline": self.is_baseline,
            "read_by": self.read_by,
        }

    def says(self) -> str:
        """The sentence of the step."""
        by = f", read so by {self.read_by['by']}" if "by" in self.read_by else ""
        row = self.row
        head = f"{row.id} ({row.grade or 'ungraded'}, {row.span}, known {row.known.text}): {row.statement} [{self.why}{by}]"
        return head + review_says(self.review)

    @property
    def rank(self) -> tuple[bool, float, float, bool, float, str]:
        """What makes a row the best of its cluster."""
        low, high = self.ratio or (0.0, 0.0)
        moves = self.ratio is not None and not self.is_word
        return moves, low, high, self.whole, self.row.known.last.timestamp(), self.row.id


@dataclass(frozen=True, slots=True)
class Grouped:
    """A cluster: its members, the best one first."""

    name: str
    members: tuple[Worth, ...]

    @property
    def best(self) -> Worth:
        """The member that it is worth as much as."""
        return self.members[0]


@dataclass(frozen=True, slots=True)
class Weight:
    """One side: its clusters (those of the owing party's word apart), its bounds and its strength."""

    clusters: tuple[Grouped, ...]
    spoken: tuple[Grouped, ...]
    bounds: Pair
    strength: str
    moving: int


def matches(file: File, when: Mapping[str, Any], row: Row) -> bool:
    """Whether a row fits every field that a rule of the case gives."""
    items = words(when.get("item"))
    if items and not any(row.item in file.members(item) for item in items):
        return False
    exact = (
        ("table", row.table),
        ("stage", row.stage),
        ("method", row.method),
        ("kind", row.kind),
        ("measure", row.measure),
        ("state", row.state),
        ("vessel", row.vessel),
    )
    if any(when.get(name) is not None and value not in words(when[name]) for name, value in exact):
        return False
    places = words(when.get("place"))
    if places and not {outer for place in file.places_of(row.place) for outer in file.around(place)} & set(places):
        return False
    by, not_by = words(when.get("by")), words(when.get("not_by"))
    if (by and not any(file.names(row, party) for party in by)) or any(file.names(row, party) for party in not_by):
        return False
    at_least, at_most, number, most = when.get("count_at_least"), when.get("count_at_most"), row.number, row.most
    if at_least is not None and (number is None or number < float(at_least)):
        return False
    return at_most is None or (most is not None and most <= float(at_most))


class Weigher:
    """Weighs the rows read on one claim."""

    def __init__(self, file: File, claim: Mapping[str, Any], on: datetime, owed: Owed) -> None:
        self._file, self._claim, self._on, self._owed = file, claim, on, owed
        self._rules = [rule for rule in claim.get("rules") or [] if isinstance(rule, dict)]
        self._done = str(claim.get("performed_when") or "for")
        self._overrides, self._half_life = file.overrides, file.half_life

    def weigh(self) -> list[Worth]:
        """Every row read on the claim that speaks of a time up to the date asked about, in the order of the tables."""
        first = self._all(None)
        figures = [w for w in first if w.counts_as == "declared" and w.row.number is not None]
        if not figures:
            return first
        latest = max(figures, key=lambda w: (w.row.ends.last, w.row.known.last, w.row.number or 0.0))
        return self._all(latest.row.number)

    def _all(self, declared: float | None) -> list[Worth]:
        bearings = self._file.bearings(str(self._claim.get("id")))
        found = (self._one(row, bearings.get(row.id), declared) for row in self._file.rows.values())
        return [worth for worth in found if worth is not None]

    def _rule(self, row: Row) -> int | None:
        for n, rule in enumerate(self._rules):
            when = mapping(rule.get("when"))
            if matches(self._file, when, row):
                # Rows of ships repeat what observations say; a rule must name their table to mean them.
                return n if row.table != "vessels" or "vessels" in words(when.get("table")) else None
        return None

    def _one(self, row: Row, bearing: Mapping[str, str] | None, declared: float | None) -> Worth | None:
        number = None if bearing is not None else self._rule(row)
        if bearing is None and number is None:
            return None
        read: Mapping[str, Any] = bearing if bearing is not None else self._rules[number or 0]
        bears = str(read.get("bears"))
        # A rule that says nothing of the kind of state is about a position; a bearing that does is a statement.
        state = str(read.get("state") or ("statement" if bearing is not None else "position"))
        refers = read.get("refers_to") if bearing is not None else None
        starts, ends = (self._file.at(refers), self._file.at(refers)) if refers else (row.starts, row.ends)
        finished = state == "act" or bears == self._done
        if (ends if finished else starts).first > self._on:
            return None
        is_word = self._file.is_statement(row) and any(self._file.names(row, party) for party in self._owed.by)
        whole = self._is_whole(str(read.get("extent") or "whole"), row, declared)
        grade = self._grade(row, is_word=is_word, whole=whole)
        days = max(0.0, (self._on - ends.last).total_seconds() / _SECONDS)
        full = ratio_of(grade, self._overrides)
        now = faded(full, days, self._half_life["statement" if is_word else state])
        undone = "against" if self._done == "for" else "for"
        baseline = bears == undone and self._owed.since is not None and ends.last < self._owed.since
        return Worth(
            row=row,
            bears=bears,
            whole=whole,
            state=state,
            cluster=str((bearing or {}).get("cluster") or "") or _default_cluster(row),
            restates=tuple(str((bearing or {}).get("restates") or "").replace(";", " ").split()),
            counts_as=str(read.get("counts_as") or "none"),
            grade=grade,
            days=days,
            full=full,
            ratio=now if now[0] >= FADED_OUT and bears != "neither" and not baseline else None,
            is_word=is_word,
            is_baseline=baseline,
            read_by=_read_by(bearing) if bearing is not None else {"rule": number},
            why=str(bearing.get("reason") or "") if bearing is not None else f"rule: {_rule_words(read)}",
            review=review_of(self._file, row, str(self._claim.get("id")), bearing, bears),
        )

    @staticmethod
    def _is_whole(extent: str, row: Row, declared: float | None) -> bool:
        if extent == "by_count":
            return declared is not None and (row.number or 0) >= declared
        return extent == "whole"

    def _grade(self, row: Row, *, is_word: bool, whole: bool) -> str:
        grade = row.grade
        if not grade and is_word:
            grade = WORD
        elif not grade and _is_record(row):
            grade = self._file.ungraded_record
        judged = bool(grade) and grade[0] != "F" and grade[1:] != "6"
        if judged and not whole:
            return grade if ratio_of(grade, self._overrides)[0] <= ratio_of(PART, self._overrides)[0] else PART
        return grade

    def as_part(self, worth: Worth) -> Worth:
        """A row for the claim while some place has not been looked at: one of a part."""
        if worth.bears != "for":
            return worth
        ratio = worth.ratio
        if ratio is not None and worth.whole:
            most = ratio_of(PART, self._overrides)
            ratio = (min(ratio[0], most[0]), min(ratio[1], most[1]))
        return replace(worth, whole=False, ratio=ratio)


def _is_record(row: Row) -> bool:
    """A measure or incident on a record of the time: read, not recalled, and known within a year."""
    if row.table not in ("measures", "incidents") or row["basis"] == "memory":
        return False
    return (row.known.last - row.ends.last).total_seconds() <= DAYS_TO_RECORD * _SECONDS


def _default_cluster(row: Row) -> str:
    if row.table == "observations":
        return f"{row.who}|{row.method}|{row.starts.text}|{row.ends.text}|{row.vessel}"
    return f"source:{row['source_id']}"


def _read_by(bearing: Mapping[str, str]) -> dict[str, Any]:
    return {
        "by": bearing.get("by", ""),
        "reviewed_by": bearing.get("reviewed_by", ""),
        "known": bearing.get("known_at", ""),
        "refers_to": bearing.get("refers_to", ""),
    }


_FIELDS = (
    "table",
    "item",
    "stage",
    "method",
    "place",
    "vessel",
    "kind",
    "measure",
    "state",
    "by",
    "not_by",
    "count_at_least",
    "count_at_most",
)


def _rule_words(rule: Mapping[str, Any]) -> str:
    when = mapping(rule.get("when"))
    return ", ".join(f"{name} {' or '.join(words(when[name]))}" for name in _FIELDS if words(when.get(name)))


def weight(file: File, worths: Iterable[Worth], bears: str) -> Weight:
    """One side of a claim: prior odds times the ratio of each independent cluster that has a direction."""
    items = {w.row.id: w for w in worths if w.bears == bears and not w.is_baseline}
    members: dict[tuple[str, bool], list[Worth]] = {}
    for worth in items.values():
        members.setdefault((_origin(worth, items).cluster, worth.is_word), []).append(worth)
    groups = [Grouped(name, tuple(sorted(found, key=lambda w: w.rank, reverse=True))) for (name, _), found in members.items()]
    groups.sort(key=lambda group: group.best.rank, reverse=True)
    seen = [group for group in groups if not group.best.is_word]
    spoken = [group for group in groups if group.best.is_word]
    moving = [group for group in seen if group.best.ratio is not None]
    bounds = posterior(file.prior, [group.best.ratio for group in moving if group.best.ratio is not None])
    if not moving:
        strength = "word only" if any(group.best.ratio is not None for group in spoken) else "none"
    elif bounds[0] >= file.good_evidence and any(group.best.whole for group in moving):
        strength = "strong"
    else:
        strength = "weak"
    return Weight(tuple(seen), tuple(spoken), bounds, strength, len(moving))


def _origin(worth: Worth, items: Mapping[str, Worth]) -> Worth:
    """The oldest row that one restates, through any chain of restatements."""
    seen = {worth.row.id}
    while found := [items[name] for name in worth.restates if name in items and name not in seen]:
        worth = min(found, key=lambda w: (w.row.known.last, w.row.id))
        seen.add(worth.row.id)
    return worth


def coverage(file: File, claim: Mapping[str, Any], on: datetime, oldest: datetime) -> dict[str, list[str]]:
    """Places looked at since `oldest` by the methods the claim names, looked at in part, and not looked at."""
    wanted = mapping(claim.get("coverage"))
    full: set[str] = set()
    inner: set[str] = set()
    for row in file.rows.values():
        if is_look(row, words(wanted.get("by")), on, oldest):
            for place in file.places_of(row.place):
                full.add(place)
                inner.update(file.around(place)[1:])
    out: dict[str, list[str]] = {"looked": [], "partly": [], "not_looked": []}
    for place in words(wanted.get("places")):
        name = "looked" if full & set(file.around(place)) else "partly" if place in inner else "not_looked"
        out[name].append(place)
    return out


def is_look(row: Row, methods: Sequence[str], on: datetime, oldest: datetime) -> bool:
    """Whether a row found something out, by one of the methods, in time."""
    found_out = bool(row.stage) or row.number is not None
    return found_out and row.method in methods and row.ends.last >= oldest and row.starts.first <= on
