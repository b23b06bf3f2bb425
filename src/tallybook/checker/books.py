"""What the checker holds an explanation against: the case as plain rows and values, and what it complains of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallybook.errors import TallybookError


class BooksError(TallybookError):
    """Books that cannot be used: says what, where and what to do."""


def _none_in_hand(_sha256: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Books:
    """A case, unread: rows as in its tables, the agreement as plain values, the texts of its instruments.

    `reports` maps ids to the columns of their row, with the name of their table under `table`; `bearings` are the rows of
    bearings.csv in their order; `places` maps ids to rows of places.csv, `items` names to entries of items.yaml; `texts`
    maps instruments to the untouched text of their file; `holdings` are the entries of holdings.yaml, where there is one.
    `exhibits` maps ids to rows of exhibits.csv; `custody` and `reviews` are the rows of those tables in their order. `hash_of`
    gives what the file in hand under a SHA-256 hashes to now: None where none is in hand, blank where it cannot be read.
    """

    agreement: Mapping[str, Any]
    reports: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    bearings: Sequence[Mapping[str, str]] = ()
    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    items: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    holdings: Mapping[str, Any] = field(default_factory=dict)
    exhibits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    custody: Sequence[Mapping[str, str]] = ()
    reviews: Sequence[Mapping[str, str]] = ()
    hash_of: Callable[[str], str | None] = _none_in_hand


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with an explanation.

    `path` leads from the root to the step (0 is the first child), `rule` is the step's rule, `what` the fact or word that is
    wrong; `expected` and `found` are in words.
    """

    path: str
    rule: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"at {self.path} ({self.rule}): {self.what}: expected {self.expected}, found {self.found}"

    def as_json(self) -> dict[str, str]:
        """The complaint as JSON."""
        return {
            "path": self.path,
            "rule": self.rule,
            "what": self.what,
            "expected": self.expected,
            "found": self.found,
        }
