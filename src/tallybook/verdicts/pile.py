"""What has been read on one claim, weighed at one question: row by row, or in columns where there are very many rows.

Both give the same answers to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from tallybook.evidence.file import View
from tallybook.verdicts.deferred import Deferred, DeferredIds
from tallybook.verdicts.ladder import Side, side, side_of
from tallybook.verdicts.readings import Reading, Readings
from tallybook.verdicts.weigh import Read, Scales, Weighed, Weights, as_part, clusters, rescaled, strength, weigh, weigh_one

if TYPE_CHECKING:
    from tallybook.verdicts.tallied import Chosen, Tallied

MANY = 500
"""From so many readings on one claim on, they are weighed in columns."""
MOST_SCALE = 2.0
"""The largest scale at which a verdict is tried; what has no direction then has none at a smaller one."""

Met = Mapping[str, tuple[str, ...]]


class Pile(Protocol):
    """The reports on a claim as they bear at the date asked about."""

    @property
    def weighed(self) -> Sequence[Weighed]:
        """All of them, in the order of the rows."""
        ...

    @property
    def numbered(self) -> Sequence[Weighed]:
        """At least those that give a number."""
        ...

    @property
    def samples(self) -> Sequence[Weighed]:
        """Some of each kind: any method that a report for the claim meets, one of the samples meets."""
        ...

    @property
    def directed(self) -> Sequence[Weighed]:
        """Some of each kind of report on any side that still has a direction."""
        ...

    def side(self, bears: str) -> Side:
        """One side; what is baseline is left out."""
        ...

    def met(self, found: Met, find: Callable[[Sequence[Weighed]], Met]) -> Met:
        """The reports that meet each method. `found` is of the samples, `find` holds any reports against the methods."""
        ...

    def in_part(self) -> Pile:
        """The same with every report for the claim taken as one of a part."""
        ...


@dataclass(frozen=True)
class Listed:
    """Row by row."""

    weighed: Sequence[Weighed]
    scales: Scales

    @property
    def numbered(self) -> Sequence[Weighed]:
        """All of them: those without a number say nothing of one."""
        return self.weighed

    @cached_property
    def samples(self) -> Sequence[Weighed]:
        """Every report for the claim."""
        return [w for w in self.weighed if w.bears == "for"]

    @property
    def directed(self) -> Sequence[Weighed]:
        """All of them."""
        return self.weighed

    def side(self, bears: str) -> Side:
        """One side."""
        return side(clusters(w for w in self.weighed if w.bears == bears and not w.is_baseline), self.scales.weights)

    def rescaled(self, weights: Weights) -> Listed:
        """The same under another scale of the table."""
        scales = replace(self.scales, weights=weights)
        return Listed(tuple(rescaled(w, scales) for w in self.weighed), scales)

    def met(self, found: Met, find: Callable[[Sequence[Weighed]], Met]) -> Met:
        """As found: the samples are all there are."""
        return found

    def in_part(self) -> Listed:
        """With every report for the claim taken as one of a part."""
        weights = self.scales.weights
        return Listed(tuple(as_part(w, weights) if w.bears == "for" else w for w in self.weighed), self.scales)


class WeighedLater(Deferred[Weighed]):
    """Weighed reports in the order of the rows, made when they are read; the strongest of a side are found without that."""

    def __init__(self, make: Callable[[], Sequence[Weighed]], strongest: Callable[[str, int], Sequence[Weighed]]) -> None:
        super().__init__(make)
        self.strongest = strongest


@dataclass(frozen=True)
class Columned:
    """In columns: what nobody reads is never made."""

    readings: Readings
    chosen: Chosen
    scales: Scales
    part: bool = False

    @cached_property
    def _tallied(self) -> Tallied:
        from tallybook.verdicts.tallied import Tallied

        return Tallied(self.chosen, self.scales, part=self.part)

    def _weigh(self, rows: Sequence[Reading]) -> list[Weighed]:
        found = [weigh_one(row.report, row.bearing, row.rule, self.scales) for row in rows]
        made = [w for w in found if w is not None]
        return [as_part(w, self.scales.weights) if w.bears == "for" else w for w in made] if self.part else made

    @cached_property
    def weighed(self) -> Sequence[Weighed]:
        """All of them, made when they are read."""

        def make() -> Sequence[Weighed]:
            return self._weigh(self.readings.in_order(self.chosen.standing.nonzero()[0].tolist()))

        def strongest(bears: str, most: int) -> Sequence[Weighed]:
            found = self._weigh(self.readings.in_order(self._tallied.strongest(bears, most)))
            return sorted(found, key=strength, reverse=True)[:most]

        return WeighedLater(make, strongest)

    @cached_property
    def numbered(self) -> Sequence[Weighed]:
        """Those that give a number or a bound of one."""
        chosen = self.chosen
        rows = [n for n in chosen.columns.numbered if chosen.standing[n]]
        return self._weigh(self.readings.in_order(rows))

    @cached_property
    def samples(self) -> Sequence[Weighed]:
        """One of each kind of report for the claim that has a direction."""
        return self._sampled("for")

    @cached_property
    def directed(self) -> Sequence[Weighed]:
        """One of each kind that has a direction."""
        return self._sampled(None)

    def _sampled(self, bears: str | None) -> list[Weighed]:
        return self._weigh(self.readings.in_order(self._tallied.present(bears)))

    def side(self, bears: str) -> Side:
        """One side; its clusters are made when they are read."""
        tally = self._tallied.sides[bears]
        if self.readings.claim.quantity is not None:
            spoken, shown = self.chosen.clusters_of(bears, self.scales)
            tally = replace(tally, spoken=spoken, shown=shown)

        def make() -> Sequence[Any]:
            return clusters(w for w in self.weighed if w.bears == bears and not w.is_baseline)

        return side_of(tally, Deferred(make), self.scales.weights)

    def met(self, found: Met, find: Callable[[Sequence[Weighed]], Met]) -> Met:
        """The names of the methods are those the samples meet; the reports are found when they are asked for."""
        return DeferredIds(list(found), lambda: find([w for w in self.weighed if w.bears == "for"]))

    def in_part(self) -> Columned:
        """With every report for the claim taken as one of a part."""
        return replace(self, part=True)


def pile_of(readings: Readings, view: View, scales: Scales, memo: dict[Any, Any]) -> Pile:
    """What has been read on a claim, on what was known, weighed with some scales. `memo` is kept for one question."""
    claim = readings.claim
    if len(readings.rows) < MANY or not view.is_whole:
        key = ("listed", claim.id)
        if key not in memo:
            memo[key] = _listed(readings.reads(view), scales)
        first: Listed = memo[key]
        return first if first.scales.weights.scale == scales.weights.scale else first.rescaled(scales.weights)
    from tallybook.verdicts.columns import ticks
    from tallybook.verdicts.tallied import Chosen

    columns = readings.columns
    known, on = ticks(view.known), ticks(scales.on)
    declaring = readings.in_order(n for n in columns.declaring if columns.active(n, known, on))
    figure = max(declaring, key=lambda r: (r.report.ends.last, r.report.known.last, r.report.number), default=None)
    if figure is not None:
        scales = replace(scales, declared=figure.report.number)
    key = ("chosen", claim.id)
    if key not in memo:
        widest = replace(scales, weights=replace(scales.weights, scale=MOST_SCALE))
        memo[key] = Chosen(columns, known, widest)
    return Columned(readings, memo[key], scales)


def _listed(read: Sequence[Read], scales: Scales) -> Listed:
    weighed = weigh(read, scales)
    figures = [w for w in weighed if w.counts_as == "declared" and w.report.number is not None]
    latest = max(figures, key=lambda w: (w.report.ends.last, w.report.known.last, w.report.number), default=None)
    if latest is not None:
        scales = replace(scales, declared=latest.report.number)
        weighed = weigh(read, scales)
    return Listed(tuple(weighed), scales)
