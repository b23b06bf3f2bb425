"""The readings on one claim in columns, for claims on which very many reports bear.

Reports that differ only in when they are of, when they were known and whose sighting they are have one *kind*; how a kind
weighs is worked out once, by the same code that weighs a single report. Instants are whole microseconds since 1970 (UTC).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tallybook.core.bounds import Bounds
from tallybook.evidence.grade import FADED_OUT, Grade, has_direction, likelihood_ratio
from tallybook.verdicts.readings import Reading, told_by
from tallybook.verdicts.restated import Restated
from tallybook.verdicts.weigh import Scales, default_cluster, is_record_of_the_time, part_of, terms

if TYPE_CHECKING:
    from tallybook.verdicts.readings import Readings

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NEVER = 2**63 - 1
ALWAYS = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DAY = 86_400_000_000
_MOST_TABLES = 32


@lru_cache(maxsize=65536)
def ticks(at: datetime) -> int:
    """An instant in microseconds since 1970."""
    return (at - _EPOCH) // _TICK


class Growing:
    """A column of whole numbers that grows at its end: constant time for one more, on average."""

    def __init__(self, kind: Any) -> None:
        self._room = np.empty(1024, dtype=kind)
        self.count = 0

    def add(self, value: int) -> None:
        """Put a value at the end."""
        if self.count == len(self._room):
            self._room = np.concatenate([self._room, np.empty_like(self._room)])
        self._room[self.count] = value
        self.count += 1

    @property
    def values(self) -> NDArray[Any]:
        """The values so far. Seen through, not copied."""
        return self._room[: self.count]


class Columns:
    """The columns. `kind` and `cluster group` are numbers given in order of first appearance; group -1 is a cluster of one."""

    def __init__(self, readings: Readings) -> None:
        self.readings, self.claim = readings, readings.claim
        self.kinds: dict[tuple[object, ...], int] = {}
        self.samples: list[Reading] = []
        self.known, self.until, self.begins, self.ends, self.reported = (Growing(np.int64) for _ in range(5))
        self.kind, self.group, self.end_code = (Growing(np.int32) for _ in range(3))
        self.end_codes: dict[datetime, int] = {}
        self.end_times: list[datetime] = []
        self.groups = 0
        self._first_of: dict[str, int] = {}
        self.superseded = False
        self.restated = Restated(readings)
        self._counted: frozenset[str] = readings.counted
        self.numbered: list[int] = []
        self.declaring: list[int] = []
        self.tables: dict[object, Table] = {}
        for reading in readings.rows:
            # A row that was struck out keeps its number.
            self.add(reading)

    def add(self, reading: Reading | None) -> None:
        """Put a reading at the end."""
        if reading is None:
            for column in (self.known, self.until, self.begins, self.ends, self.reported):
                column.add(NEVER)
            for column in (self.kind, self.group, self.end_code):
                column.add(-1 if column is self.group else 0)
            return
        number, report, bearing = self.kind.count, reading.report, reading.bearing
        said = terms(report, bearing, reading.rule)
        self.known.add(ticks(reading.known))
        self.reported.add(ticks(report.known.last))
        self.until.add(NEVER if reading.until is None else ticks(reading.until))
        self.superseded = self.superseded or reading.until is not None
        self.begins.add(ticks(said.begins(self.claim)))
        ends = said.ends.last
        self.ends.add(ticks(ends))
        code = self.end_codes.setdefault(ends, len(self.end_times))
        if code == len(self.end_times):
            self.end_times.append(ends)
        self.end_code.add(code)
        terms_given = (said.bears, said.extent, said.state, said.counts_as, report.grade.text, is_record_of_the_time(report))
        kind = self.kinds.setdefault((*terms_given, *told_by(report)), len(self.samples))
        if kind == len(self.samples):
            self.samples.append(reading)
        self.kind.add(kind)
        self.group.add(self._grouped((bearing.cluster if bearing else "") or default_cluster(report), number))
        self.restated.add(number, reading)
        if report.item in self._counted and (report.number is not None or report.high is not None):
            self.numbered.append(number)
        if said.counts_as == "declared" and report.number is not None:
            self.declaring.append(number)

    def _grouped(self, cluster: str, number: int) -> int:
        first = self._first_of.setdefault(cluster, number)
        if first == number:
            return -1
        if self.group.values[first] < 0:
            self.group.values[first] = self.groups
            self.groups += 1
        return int(self.group.values[first])

    def remove(self, number: int) -> None:
        """Strike out a row: it is never known."""
        self.known.values[number] = NEVER
        for kept in (self.numbered, self.declaring):
            if (at := bisect_left(kept, number)) < len(kept) and kept[at] == number:
                del kept[at]

    def active(self, number: int, known: int, on: int) -> bool:
        """Whether a row stands and has begun."""
        stands = self.known.values[number] <= known < self.until.values[number]
        return bool(stands and self.begins.values[number] <= on)

    def table(self, scales: Scales) -> Table:
        """How each kind weighs. Kept: it depends neither on the date asked about nor on what is known."""
        key = (scales.duty.owed_by, scales.declared, scales.weights.scale)
        if key not in self.tables:
            if len(self.tables) >= _MOST_TABLES:
                self.tables.clear()
            self.tables[key] = Table()
        self.tables[key].extend(self.samples, scales)
        return self.tables[key]


@dataclass(frozen=True, slots=True)
class Worth:
    """What reports of some kinds are worth: side, whether of the whole, whose word, with which grade, fading as what."""

    bears: str
    whole: bool
    is_word: bool
    grade: str
    state: str

    def ratio(self, scales: Scales, days: float, *, part: bool) -> Bounds | None:
        """The interval of ratios after some days, or None where it has no direction; `part`: taken as of a part."""
        ratio = scales.worth(Grade(self.grade), self.state, days)
        if not has_direction(ratio) or self.bears == "neither":
            return None
        return part_of(ratio, scales.weights) if part and self.whole else ratio


class Table:
    """How each kind of report weighs, under one table of ratios and for one set of those who owe."""

    def __init__(self) -> None:
        self.worths: list[Worth] = []
        self.worth: Ints = np.empty(0, dtype=np.int64)
        self.lasting: Flags = np.empty(0, dtype=bool)
        self.fades_after: Ints = np.empty(0, dtype=np.int64)
        self._numbers: dict[Worth, int] = {}

    def extend(self, samples: Sequence[Reading], scales: Scales) -> None:
        """Take in the kinds that are new."""
        done = len(self.worth)
        if done == len(samples):
            return
        more = [self._number(sample, scales) for sample in samples[done:]]
        self.worth = np.concatenate([self.worth, np.array(more, dtype=np.int64)])
        fades = [self._fades(worth, scales) for worth in self.worths[len(self.lasting) :]]
        self.lasting = np.concatenate([self.lasting, np.array([f == NEVER for f in fades], dtype=bool)])
        self.fades_after = np.concatenate([self.fades_after, np.array(fades, dtype=np.int64)])

    def _number(self, sample: Reading, scales: Scales) -> int:
        report = sample.report
        said = terms(report, sample.bearing, sample.rule)
        is_word, whole = scales.is_word(report), scales.is_whole(said.extent, report)
        grade = scales.grade(report, is_word=is_word, whole=whole)
        state = "statement" if is_word else said.state
        worth = Worth(said.bears, whole, is_word, grade.text, state)
        if worth not in self._numbers:
            self._numbers[worth] = len(self.worths)
            self.worths.append(worth)
        return self._numbers[worth]

    @staticmethod
    def _fades(worth: Worth, scales: Scales) -> int:
        """After how many microseconds it surely has no direction: -1 where it never has one, NEVER where it does not fade."""
        full = likelihood_ratio(Grade(worth.grade), scales.weights.overrides, scales.weights.scale)
        half_life = scales.weights.half_life[worth.state]
        if worth.bears == "neither" or not has_direction(full):
            return -1
        if half_life is None:
            return NEVER
        # A day more than the formula gives, so that rounding never drops a report; what remains is tested exactly.
        days = half_life * log2((full.low - 1) / (FADED_OUT - 1)) + 1
        return int(min(days, 10_000_000) * _DAY)

    def cuts(self, on: int, since: int | None, baseline: str) -> Ints:
        """Per worth: the earliest end of the time reported of that may still have a direction; NEVER where none has."""
        fading = on - np.where(self.lasting, 0, self.fades_after)
        cuts = np.where(self.fades_after < 0, NEVER, np.where(self.lasting, ALWAYS, fading))
        if since is not None:
            undone_side = np.array([worth.bears == baseline for worth in self.worths], dtype=bool)
            cuts = np.where(undone_side, np.maximum(cuts, since), cuts)
        return cuts
