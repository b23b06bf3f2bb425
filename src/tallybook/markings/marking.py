"""Markings as a lattice, and what a clearance opens.

`a <= b` means that b is at least as restrictive. Whatever is made of several things is marked with their `join`: the least
marking that is at least as restrictive as each. Nothing here knows a scheme's words: levels are ranks, all else is names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar

from tallybook.errors import TallybookError

EXEMPT = "exempt"
"""A declassification date that never comes; it sorts after every ISO date."""

T = TypeVar("T")


class MarkingError(TallybookError):
    """A text that is no marking, or a marking that cannot be."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one scheme says.

    `level` is a rank, 0 the lowest. A reader needs every one of `compartments`, belongs to one of `release` (None: to any), is
    one of `recipients` (None: anybody), and keeps to all `caveats`. `declassify` is an ISO date, EXEMPT, or blank: it is carried
    along and opens nothing by itself, since declassification is the act of a named person.
    """

    scheme: str
    level: int
    compartments: frozenset[str] = frozenset()
    release: frozenset[str] | None = None
    recipients: frozenset[str] | None = None
    caveats: frozenset[str] = frozenset()
    declassify: str = ""

    def __le__(self, other: Part) -> bool:
        return (
            self.scheme == other.scheme
            and self.level <= other.level
            and self.compartments <= other.compartments
            and _opens_more(self.release, other.release)
            and _opens_more(self.recipients, other.recipients)
            and self.caveats <= other.caveats
            and self.declassify <= other.declassify
        )

    def join(self, other: Part) -> Part:
        """The least part of the same scheme that is at least as restrictive as both."""
        return Part(
            self.scheme,
            max(self.level, other.level),
            self.compartments | other.compartments,
            _both(self.release, other.release),
            _both(self.recipients, other.recipients),
            self.caveats | other.caveats,
            max(self.declassify, other.declassify),
        )

    def meet(self, other: Part) -> Part:
        """The most restrictive part of the same scheme that is no more restrictive than either."""
        return Part(
            self.scheme,
            min(self.level, other.level),
            self.compartments & other.compartments,
            _either(self.release, other.release),
            _either(self.recipients, other.recipients),
            self.caveats & other.caveats,
            min(self.declassify, other.declassify),
        )


def _opens_more(some: frozenset[str] | None, others: frozenset[str] | None) -> bool:
    return some is None or (others is not None and some >= others)


def _both(some: frozenset[str] | None, others: frozenset[str] | None) -> frozenset[str] | None:
    if some is None or others is None:
        return others if some is None else some
    return some & others


def _either(some: frozenset[str] | None, others: frozenset[str] | None) -> frozenset[str] | None:
    return None if some is None or others is None else some | others


@dataclass(frozen=True, slots=True)
class Marking:
    """One part for each scheme that speaks. No part is the bottom; `withheld` is the top, for nobody but who is cleared for all.

    What bears no marking, or one that cannot be read, is withheld until somebody rules.
    """

    parts: tuple[Part, ...] = ()
    withheld: bool = False

    @classmethod
    def of(cls, *parts: Part) -> Marking:
        """A marking of parts in any order; several of one scheme are joined."""
        found: dict[str, Part] = {}
        for part in parts:
            found[part.scheme] = found[part.scheme].join(part) if part.scheme in found else part
        return cls(tuple(found[name] for name in sorted(found)))

    def part(self, scheme: str) -> Part | None:
        """What a scheme says, if it does."""
        return next((part for part in self.parts if part.scheme == scheme), None)

    def __le__(self, other: Marking) -> bool:
        if self.withheld or other.withheld:
            return other.withheld
        mine = {part.scheme: part for part in self.parts}
        theirs = {part.scheme: part for part in other.parts}
        return all(name in theirs and part <= theirs[name] for name, part in mine.items())


BOTTOM = Marking()
TOP = Marking(withheld=True)


def join(*markings: Marking) -> Marking:
    """The marking of what is made of all these; the bottom for nothing."""
    return join_all(markings)


def join_all(markings: Iterable[Marking]) -> Marking:
    """The marking of what is made of all these; the bottom for nothing."""
    found = set(markings)
    if any(marking.withheld for marking in found):
        return TOP
    return Marking.of(*(part for marking in found for part in marking.parts))


def meet(first: Marking, second: Marking) -> Marking:
    """The most restrictive marking that is no more restrictive than either."""
    if first.withheld or second.withheld:
        return second if first.withheld else first
    common = [(part, second.part(part.scheme)) for part in first.parts]
    return Marking.of(*(part.meet(other) for part, other in common if other is not None))


def meet_all(markings: Iterable[Marking]) -> Marking:
    """The most restrictive marking that is no more restrictive than any; the top for nothing."""
    return reduce(meet, markings, TOP)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a reader is cleared for in one scheme: a level, compartments, what they belong to, the caveats that they keep to."""

    scheme: str
    level: int
    compartments: frozenset[str] = frozenset()
    belongs_to: frozenset[str] = frozenset()
    keeps_to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Clearance:
    """What a reader may read. `names` are those by which a marking may name them as a recipient; `for_all` opens everything."""

    names: frozenset[str] = frozenset()
    grants: tuple[Grant, ...] = ()
    for_all: bool = False

    def opens(self, marking: Marking) -> bool:
        """Whether the reader may read what is so marked: every scheme that speaks must let them."""
        if self.for_all:
            return True
        if marking.withheld:
            return False
        held = {grant.scheme: grant for grant in self.grants}
        return all(part.scheme in held and self._opens(part, held[part.scheme]) for part in marking.parts)

    def _opens(self, part: Part, grant: Grant) -> bool:
        return (
            part.level <= grant.level
            and part.compartments <= grant.compartments
            and (part.release is None or not part.release.isdisjoint(grant.belongs_to))
            and (part.recipients is None or not part.recipients.isdisjoint(self.names))
            and part.caveats <= grant.keeps_to
        )

    def floor(self) -> Marking:
        """The least marking of what the reader writes after having read all that they may: no write down."""
        return TOP if self.for_all else Marking.of(*(Part(g.scheme, g.level, g.compartments) for g in self.grants))


EVERYONE_CLEARED = Clearance(for_all=True)
