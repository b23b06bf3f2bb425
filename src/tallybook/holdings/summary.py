"""What a verdict needs of an account, whatever its form."""

from __future__ import annotations

from typing import Protocol


class Summary(Protocol):
    """The numbers of an account. Triples are 5 %, median and 95 % points; None where no report bears on the question."""

    @property
    def declared(self) -> float | None:
        """What was declared."""
        ...

    @property
    def removed(self) -> tuple[float, float, float]:
        """How many are out."""
        ...

    @property
    def remaining(self) -> tuple[float, float, float] | None:
        """How many are left."""
        ...

    @property
    def p_none_left(self) -> float | None:
        """P(none left)."""
        ...

    @property
    def p_declared_removed(self) -> float | None:
        """P(at least as many are out as were declared)."""
        ...

    @property
    def reports(self) -> tuple[str, ...]:
        """Ids of the reports that give its numbers."""
        ...
