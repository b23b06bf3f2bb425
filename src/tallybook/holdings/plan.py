"""What a case says of how its reports become an account: stages, methods, priors. Nothing of a case is in the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_NONE = 0.6
"""Prior probability that nothing was left undeclared, where a case gives none."""
OTHER_NONE = (0.1, 0.5, 0.9)
"""Other priors of it under which every answer is given as well."""


@dataclass(frozen=True, slots=True)
class Range:
    """A number that is known only to lie between two, each value as likely; or one number, where they are equal."""

    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    @property
    def middle(self) -> float:
        """Half way."""
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class UndeclaredPlan:
    """The prior on how many there were beside those declared; a geometric tail with this mean where there were any."""

    none: float = DEFAULT_NONE
    mean: float | None = None
    others: tuple[float, ...] = OTHER_NONE
    because: str = ""


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage: which reports show what is in it (by their stage, and by where they look), and how fast it is left."""

    id: str
    title: str
    report_stages: tuple[str, ...]
    places: tuple[str, ...]
    leaves: Range


@dataclass(frozen=True, slots=True)
class MethodPlan:
    """A way of counting: how likely one item is detected, and how many false counts a look gives on average."""

    detects: Range = Range(1.0, 1.0)
    false_counts: float = 0.0
    shared_visibility: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ShipsPlan:
    """How many ships (or convoys) there were to be, by which reports; and names in the tables that mean all of them together."""

    number_item: str = ""
    number_methods: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The account of one item class. `since`: the day 0 of a staged account, as written. `departures`: the report stages that
    count what leaves the last stage. `line`: where it stands in the file.
    """

    item: str
    undeclared: UndeclaredPlan = UndeclaredPlan()
    brought_in: Range = Range(0.0, 0.0)
    since: str = ""
    stages: tuple[StagePlan, ...] = ()
    departures: tuple[str, ...] = ()
    methods: Mapping[str, MethodPlan] = field(default_factory=dict)
    ships: ShipsPlan = ShipsPlan()
    places: tuple[str, ...] = ()
    line: int = 0
