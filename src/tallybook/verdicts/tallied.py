"""What the columns of a claim come to at one date: which rows count, what each side tallies, and its strongest reports."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tallybook.core.bounds import exact_log
from tallybook.verdicts.columns import Columns, Flags, Ints, Table, ticks
from tallybook.verdicts.ladder import Tally
from tallybook.verdicts.readings import Reading
from tallybook.verdicts.weigh import Scales, undone


class Chosen:
    """The rows of a claim that stand and have begun, and those of them that may have a direction, at one question."""

    def __init__(self, columns: Columns, known: int, widest: Scales) -> None:
        self.columns, self.known, self.on = columns, known, ticks(widest.on)
        self.since = None if widest.duty.since is None else ticks(widest.duty.since)
        self.baseline = undone(columns.claim)
        table = columns.table(widest)
        stands = columns.known.values <= known
        if columns.superseded:
            stands &= columns.until.values > known
        stands &= columns.begins.values <= self.on
        self.standing: Flags = stands
        cuts = table.cuts(self.on, self.since, self.baseline)[table.worth]
        self.rows: Ints = np.flatnonzero(stands & (columns.ends.values >= cuts[columns.kind.values]))
        self.kinds: Ints = columns.kind.values[self.rows].astype(np.int64)
        self._groups: dict[str, tuple[Ints, int]] = {}

    def counting(self, bears: str) -> Flags:
        """Which rows stand and are no baseline, if they bear that way."""
        if bears != self.baseline or self.since is None:
            return self.standing
        return self.standing & (self.columns.ends.values >= self.since)

    def clusters_of(self, bears: str, scales: Scales) -> tuple[bool, bool]:
        """Whether a side has any word of the party that owes, and anything else, with or without a direction."""
        columns, table = self.columns, self.columns.table(scales)
        counts = np.bincount(columns.kind.values[self.counting(bears)], minlength=len(columns.samples))
        worths = [table.worths[table.worth[kind]] for kind in np.flatnonzero(counts)]
        mine = [w.is_word for w in worths if w.bears == bears]
        return any(mine), not all(mine)

    def groups(self, bears: str) -> tuple[Ints, int]:
        """The group of each chosen row on a side, -1 for a cluster of its own, and how many groups there are.

        A row that restates another is put into the cluster of that one.
        """
        if bears not in self._groups:
            self._groups[bears] = self._grouped(bears)
        return self._groups[bears]

    def _grouped(self, bears: str) -> tuple[Ints, int]:
        columns = self.columns
        groups = columns.group.values[self.rows].astype(np.int64)
        if not columns.restated.rows:
            return groups, columns.groups
        mine = np.array([_bears(sample) == bears for sample in columns.samples], dtype=bool)
        restating, origins = columns.restated.origins(self.counting(bears) & mine[columns.kind.values])
        alone = np.unique(origins[columns.group.values[origins] < 0])
        joined = columns.group.values[origins].astype(np.int64)
        joined = np.where(joined < 0, columns.groups + np.searchsorted(alone, origins), joined)
        for numbers, found in ((restating, joined), (alone, columns.groups + np.arange(len(alone)))):
            at = np.searchsorted(self.rows, numbers)
            there = at < len(self.rows)
            there[there] = self.rows[at[there]] == numbers[there]
            groups[at[there]] = found[there]
        return groups, columns.groups + len(alone)


def _bears(reading: Reading) -> str:
    return reading.bearing.bears if reading.bearing else reading.rule.bears if reading.rule else "neither"


_Cell = tuple[float, float, bool]
"""Low and high ratio, and whether of the whole: the order of clusters."""
_CODES = {("for", False): 1, ("against", False): 2, ("for", True): 3, ("against", True): 4}


class Tallied:
    """The tally of both sides under one table of ratios. `part`: everything for the claim is taken as of a part."""

    def __init__(self, chosen: Chosen, scales: Scales, *, part: bool) -> None:
        self.chosen, self.scales, self.part = chosen, scales, part
        self.table: Table = chosen.columns.table(scales)
        self._worth = self.table.worth[chosen.kinds]
        self._ranks = self._ranked()
        codes = [_CODES.get((w.bears, w.is_word), 0) for w in self.table.worths]
        self._codes = np.where(self._ranks > 0, np.array(codes, dtype=np.int8)[self._worth], np.int8(0))
        self.sides = {bears: self._tally(bears) for bears in ("for", "against")}

    def _ranked(self) -> Ints:
        """The rank of every chosen row among those with a direction, by low and high ratio and extent; 0 has none."""
        chosen, table = self.chosen, self.table
        fading = np.flatnonzero(~table.lasting[self._worth])
        codes = chosen.columns.end_code.values[chosen.rows[fading]]
        many = len(chosen.columns.end_times)
        # A kind that lasts has one cell; one that fades has a cell for every end of the time reported of.
        keys, where = _distinct(self._worth[fading] * many + codes, many * len(table.worths))
        cells = [self._cell(int(key) // many, int(key) % many) for key in keys]
        lasting = [self._cell(n, None) if lasts else None for n, lasts in enumerate(table.lasting)]
        self._order = sorted({cell for cell in (*cells, *lasting) if cell is not None})
        rank_of: dict[_Cell | None, int] = {cell: n + 1 for n, cell in enumerate(self._order)}
        ranks = np.array([rank_of.get(cell, 0) for cell in lasting], dtype=np.int64)[self._worth]
        ranks[fading] = np.array([rank_of.get(cell, 0) for cell in cells], dtype=np.int64)[where]
        return ranks

    def _cell(self, number: int, code: int | None) -> _Cell | None:
        worth, scales = self.table.worths[number], self.scales
        days = 0.0
        if code is not None:
            days = max(0.0, (scales.on - self.chosen.columns.end_times[code]).total_seconds() / 86400)
        part = self.part and worth.bears == "for"
        ratio = worth.ratio(scales, days, part=part)
        return None if ratio is None else (ratio.low, ratio.high, worth.whole and not part)

    def _of(self, bears: str, *, word: bool) -> Flags:
        found: Flags = self._codes == _CODES[bears, word]
        return found

    def _tally(self, bears: str) -> Tally:
        at = np.flatnonzero(self._of(bears, word=False))
        counts = self._best_of_clusters(at, bears)
        present = np.flatnonzero(counts)
        taken = [(self._order[n - 1], int(counts[n])) for n in present]
        return Tally(
            moving=sum(count for _, count in taken),
            low=sum(count * exact_log(low) for (low, _, _), count in taken),
            high=sum(count * exact_log(high) for (_, high, _), count in taken),
            whole=any(whole for (_, _, whole), _ in taken),
            word=bool(self._of(bears, word=True).any()),
        )

    def _best_of_clusters(self, at: Ints, bears: str) -> Ints:
        """How many clusters of a side have each rank: that of their best member."""
        groups, count = self.chosen.groups(bears)
        groups, ranks, size = groups[at], self._ranks[at], len(self._order) + 1
        alone = groups < 0
        counts = np.bincount(ranks[alone], minlength=size)
        if not alone.all():
            best = np.zeros(count, dtype=np.int64)
            np.maximum.at(best, groups[~alone], ranks[~alone])
            counts += np.bincount(best[best > 0], minlength=size)
        return counts

    @cached_property
    def _row_of(self) -> Ints:
        """A row of each kind that has one with a direction, else -1. Of several it does not matter which one."""
        at = np.flatnonzero(self._ranks > 0)
        row_of = np.full(len(self.chosen.columns.samples), -1, dtype=np.int64)
        row_of[self.chosen.kinds[at]] = self.chosen.rows[at]
        return row_of

    def present(self, bears: str | None = None) -> list[int]:
        """One row of each kind that has one with a direction (on one side, the word of the party that owes left out)."""
        worths, worth = self.table.worths, self.table.worth
        found = [(int(row), worths[worth[kind]]) for kind, row in enumerate(self._row_of) if row >= 0]
        return [row for row, w in found if bears is None or (w.bears == bears and not w.is_word)]

    def strongest(self, bears: str, most: int) -> list[int]:
        """Rows among which are the `most` strongest of a side, baseline left out, in the order of `weigh.strength`."""
        columns, table = self.chosen.columns, self.table
        mine = np.array([w.bears == bears for w in table.worths], dtype=bool)
        rows = np.flatnonzero(self.chosen.counting(bears))
        rows = rows[mine[table.worth[columns.kind.values[rows]]]]
        if len(rows) <= most:
            return [int(n) for n in rows]
        # What moves the bounds first, then words with a direction, then the rest: the whole before parts.
        whole = np.array([w.whole and not (self.part and bears == "for") for w in table.worths], dtype=np.int64)
        worth = table.worth[columns.kind.values[rows]]
        words = np.array([w.is_word for w in table.worths], dtype=bool)
        ranks = np.zeros(columns.kind.count, dtype=np.int64)
        ranks[self.chosen.rows] = self._ranks
        rank, size = ranks[rows], len(self._order) + 2
        keys = np.where(rank == 0, whole[worth], np.where(words[worth], rank + size, rank + 2 * size))
        least = int(np.partition(keys, len(keys) - most)[len(keys) - most])
        above, equal = rows[keys > least], rows[keys == least]
        # Of those as strong as the last to be taken, the newest go first; the order compares seconds with a fraction.
        known = columns.reported.values[equal]
        newest = int(np.partition(known, len(known) - most + len(above))[len(known) - most + len(above)])
        return [int(n) for n in np.concatenate([above, equal[known >= newest - 8]])]


def _distinct(keys: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct keys in order, and which of them each key is. `size` is above every key."""
    if size > 8 * len(keys) + 1024:
        found, where = np.unique(keys, return_inverse=True)
        return found, where.reshape(-1)
    found = np.flatnonzero(np.bincount(keys, minlength=size))
    number = np.zeros(size, dtype=np.int64)
    number[found] = np.arange(len(found))
    return found, number[keys]
