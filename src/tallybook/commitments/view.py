"""What commitments need of a question: the provisions as they stand, what is on record, since when each is in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.change import InForce
from tallybook.agreement.situation import Situation
from tallybook.commitments.record import Record
from tallybook.core.time import Moment


class Start(Protocol):
    """Since when a provision is in force, and by what."""

    @property
    def since(self) -> Moment:
        """The moment."""
        ...

    @property
    def reason(self) -> str:
        """What brought it into force."""
        ...


class Standing(Situation, Protocol):
    """A case under one question."""

    memo: dict[Any, Any]

    @property
    def agreement(self) -> Agreement:
        """The agreement."""
        ...

    @property
    def in_force(self) -> InForce:
        """The provisions as they stand."""
        ...

    @property
    def record(self) -> Record:
        """Events, states and measures on record."""
        ...

    @property
    def on(self) -> datetime:
        """The date asked about."""
        ...

    def at(self, instant: datetime) -> Standing:
        """The same question about another instant, on what is known now."""
        ...

    def aside(self, name: object) -> Standing:
        """The same question, with its answers kept apart from this one's."""
        ...

    def enacted(self, provision: Any) -> bool:
        """Whether the instrument of a provision had been made and was known."""
        ...

    def begun(self, provision: Any) -> Start | None:
        """Since when a provision is in force, or None."""
        ...

    def show(self, at: datetime) -> str:
        """An instant in the time zone of the case."""
        ...

    def instants(self) -> Sequence[datetime]:
        """Every instant up to the date asked about at which something was so, on what is known."""
        ...

    def read(self, text: str) -> Moment:
        """A time as written in the case."""
        ...


def names(standing: Standing, references: Iterable[str]) -> set[str]:
    """The ids under which the provisions that are referred to now stand; one that is not there keeps its name."""
    out = set()
    for reference in references:
        name = reference.lstrip("@")
        found = standing.in_force.provisions.get(name)
        out.add(found.id if found is not None else name)
    return out
