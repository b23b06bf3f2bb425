"""Tables of assignments over a finite set of values: what a formula needs whose rows may be all but a few.

A table lists the rows that satisfy or, with `but`, the rows that do not. Negation costs nothing; a table is filled out to all
assignments only where two tables with different variables meet and one of them is "all but". A budget bounds the rows made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tallybook.errors import TallybookError
from tallybook.formula.nodes import Compare, Variable
from tallybook.formula.values import Row, compared, encoded


@dataclass(frozen=True, slots=True)
class Table:
    """The rows over `names` (sorted) that satisfy; with `but`, all rows but those."""

    names: tuple[str, ...]
    rows: frozenset[Row]
    but: bool = False

    def __invert__(self) -> Table:
        return Table(self.names, self.rows, not self.but)


NEVER = Table((), frozenset())
EVER = ~NEVER


class Algebra:
    """Tables over one set of values, with a budget of rows."""

    def __init__(self, values: Sequence[Any], most: int) -> None:
        self.values = values
        self.most = most
        self.left = most

    def spend(self, rows: int, names: Sequence[str]) -> None:
        """Take rows from the budget. Raises TallybookError when it is spent."""
        self.left -= rows
        if self.left < 0:
            raise TallybookError(
                f"more than {self.most} assignments to {', '.join(names) or 'no variable'}",
                where="formula",
                do="guard each variable with an event that binds it, or take a shorter trace",
            )

    def widened(self, table: Table, names: tuple[str, ...]) -> Table:
        """The table over more names, any value for each new one."""
        if table.names == names:
            return table
        extra = [name for name in names if name not in table.names]
        self.spend(len(table.rows) * len(self.values) ** len(extra), names)
        places = [(table.names + tuple(extra)).index(name) for name in names]
        rows = (row + more for row in table.rows for more in product(self.values, repeat=len(extra)))
        return Table(names, frozenset(tuple(row[place] for place in places) for row in rows), table.but)

    def every(self, names: tuple[str, ...]) -> Table:
        """All assignments to the names."""
        self.spend(len(self.values) ** len(names), names)
        return Table(names, frozenset(product(self.values, repeat=len(names))))

    def both(self, one: Table, other: Table) -> Table:
        """What is in both tables. One without names is just true or false, and widens nothing."""
        for table, rest in ((one, other), (other, one)):
            if not table.names:
                return rest if bool(table.rows) is not table.but else NEVER
        if one.but and not other.but:
            one, other = other, one
        names = tuple(sorted({*one.names, *other.names}))
        if one.but:
            return Table(names, self.widened(one, names).rows | self.widened(other, names).rows, but=True)
        if not other.but:
            return self._joined(one, other, names)
        if not other.rows or not one.rows:
            return one
        wide = self.widened(one, names)
        pick = [names.index(name) for name in other.names]
        self.spend(len(wide.rows), names)
        return Table(names, frozenset(row for row in wide.rows if tuple(row[n] for n in pick) not in other.rows))

    def either(self, one: Table, other: Table) -> Table:
        """What is in at least one of the tables."""
        return ~self.both(~one, ~other)

    def _joined(self, one: Table, other: Table, names: tuple[str, ...]) -> Table:
        if len(one.rows) > len(other.rows):
            one, other = other, one
        shared = [name for name in one.names if name in other.names]
        mine, theirs = [one.names.index(name) for name in shared], [other.names.index(name) for name in shared]
        places = [(one.names + other.names).index(name) for name in names]
        found: dict[Row, list[Row]] = {}
        for row in one.rows:
            found.setdefault(tuple(row[n] for n in mine), []).append(row)
        rows: set[Row] = set()
        for row in other.rows:
            matches = found.get(tuple(row[n] for n in theirs), ())
            self.spend(len(matches), names)
            rows.update(tuple((match + row)[place] for place in places) for match in matches)
        return Table(names, frozenset(rows))

    def without(self, table: Table, variables: Iterable[str]) -> Table:
        """The table with some value for each of the variables."""
        gone = set(variables)
        if gone and not self.values:
            return NEVER
        names = tuple(name for name in table.names if name not in gone)
        if names == table.names:
            return table
        pick = [table.names.index(name) for name in names]
        self.spend(len(table.rows), table.names)
        counts = Counter(tuple(row[n] for n in pick) for row in table.rows)
        whole = len(self.values) ** (len(table.names) - len(names)) if table.but else 0
        return Table(names, frozenset(row for row, count in counts.items() if count >= whole), table.but)

    def compared(self, formula: Compare) -> Table:
        """All values that compare so."""
        terms = (formula.left, formula.right)
        names = tuple(sorted({term.name for term in terms if isinstance(term, Variable)}))
        self.spend(len(self.values) ** len(names), names)
        rows = product(self.values, repeat=len(names))
        return Table(names, frozenset(row for row in rows if _holds(formula, names, row)))

    def kept(self, table: Table, formula: Compare, *, negated: bool) -> Table:
        """The table with the rows that compare so, or not so."""
        terms = {term.name for term in (formula.left, formula.right) if isinstance(term, Variable)}
        if not table.but and terms <= set(table.names):
            rows = frozenset(row for row in table.rows if _holds(formula, table.names, row) is not negated)
            return Table(table.names, rows)
        found = self.compared(formula)
        return self.both(table, ~found if negated else found)


def _holds(formula: Compare, names: tuple[str, ...], row: Row) -> bool:
    left, right = (
        row[names.index(term.name)] if isinstance(term, Variable) else encoded(term) for term in (formula.left, formula.right)
    )
    return compared(left, formula.sign, right)
