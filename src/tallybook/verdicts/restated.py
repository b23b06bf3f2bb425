"""Which row's sighting each restating row tells again, for many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tallybook.verdicts.readings import Reading

if TYPE_CHECKING:
    from tallybook.verdicts.columns import Flags, Ints
    from tallybook.verdicts.readings import Readings

MOST_LOOSE = 256
"""So many rows are followed one by one before the table is made anew."""
_MOST_STEPS = 64


class Restated:
    """For each restating row the rows it may restate, oldest report first. Rows that came later are followed one by one."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self.rows: list[int] = []
        self._named_by: dict[str, list[int]] = {}
        self._loose: set[int] = set()
        self._table: tuple[Ints, Ints] | None = None

    def add(self, number: int, reading: Reading) -> None:
        """Take in a row, which may restate others or be restated."""
        changed = list(self._named_by.get(reading.report.id, ()))
        if reading.bearing and reading.bearing.restates:
            self.rows.append(number)
            changed.append(number)
            for name in reading.bearing.restates:
                self._named_by.setdefault(name, []).append(number)
        if self._table is not None:
            self._loose.update(changed)
            if len(self._loose) > MOST_LOOSE:
                self._table = None

    def _made(self) -> tuple[Ints, Ints]:
        """Restating rows, and a table [rows, candidates] of row numbers, -1 where there are no more."""
        if self._table is None:
            self._loose.clear()
            candidates = [self._candidates(number) for number in self.rows]
            table = np.full((len(self.rows), max(map(len, candidates), default=0)), -1, dtype=np.int64)
            for at, found in enumerate(candidates):
                table[at, : len(found)] = found
            self._table = (np.array(self.rows, dtype=np.int64), table)
        return self._table

    def _candidates(self, number: int) -> list[int]:
        rows, numbers = self._readings.rows, self._readings.numbers()
        reading = rows[number]
        names = reading.bearing.restates if reading is not None and reading.bearing else ()
        own = reading.report.id if reading is not None else ""
        found = [n for name in dict.fromkeys(names) if name != own for n in numbers.get(name, ())]
        dated = [(r.report.known.last, r.report.id, n) for n in found if (r := rows[n]) is not None]
        return [n for _, _, n in sorted(dated)]

    def origins(self, on_side: Flags) -> tuple[Ints, Ints]:
        """(rows, origins): every row of a side that restates another of that side, and the row whose sighting it tells.

        `on_side` [rows of the claim] says which rows count on the side. The origin is the oldest report that a row restates,
        through any chain of restatements.
        """
        numbers, table = self._made()
        after: Ints = np.arange(len(on_side), dtype=np.int64)
        if table.size:
            fits = (table >= 0) & on_side[table]
            first = table[np.arange(len(table)), fits.argmax(axis=1)]
            after[numbers] = np.where(fits.any(axis=1), first, numbers)
        loose = np.array(sorted(self._loose), dtype=np.int64)
        for number in self._loose:
            after[number] = next((n for n in self._candidates(number) if on_side[n]), number)
        mine = np.union1d(numbers, loose) if len(loose) else numbers
        mine = mine[on_side[mine] & (after[mine] != mine)]
        at = after[mine]
        for _ in range(_MOST_STEPS):
            if (after[at] == at).all():
                break
            at = after[at]
        # What does not come to an end goes round in a circle, or is very long: followed with care, one by one.
        for place in np.flatnonzero(after[at] != at):
            at[place] = self._followed(int(mine[place]), on_side)
        return mine, at

    def _followed(self, number: int, on_side: Flags) -> int:
        rows = self._readings.rows
        seen: set[str] = set()
        while (reading := rows[number]) is not None:
            seen.add(reading.report.id)
            others = (n for n in self._candidates(number) if on_side[n] and (r := rows[n]) and r.report.id not in seen)
            found = next(others, None)
            if found is None:
                break
            number = found
        return number
