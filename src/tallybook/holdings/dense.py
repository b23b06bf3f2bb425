"""The joint state as one array over a window that holds all but a stated share of the mass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeVar

import numpy as np

from tallybook.holdings.kernels import FlowKey, Kernels
from tallybook.holdings.likelihood import DECOYS
from tallybook.holdings.model import Account
from tallybook.holdings.moves import Room, along, hop_back, hop_on, marginal, marginals
from tallybook.holdings.numbers import Array
from tallybook.holdings.schedule import Arrive, Fade, Hidden, Hop, Open, See, Step, assignments

Adjoint = Callable[[Array], Array]
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of the joint state: a stage of a class, or its decoys (`stage` is -1)."""

    item_class: int
    stage: int


def axes_of(account: Account) -> list[Axis]:
    """Every stage of every class, in the order of the chain, and its decoys."""
    out = []
    for k, item_class in enumerate(account.classes):
        out += [Axis(k, s) for s in range(len(item_class.stages))]
        if item_class.decoys is not None:
            out.append(Axis(k, -1))
    return out


@dataclass(frozen=True, slots=True)
class Smoothed:
    """What all looks together say. `means[k][d]`, `none[k][d]`: the mean number left of a class on a day and the probability that
    none is; `left(k, d)`: P(n left). `undeclared[k]` from the first day, `decoys[k]` on the last. `none_left`: P(none of any
    left on the last day), `nothing_undeclared`, as sums of the joint mass, which are exact only where they are not small.

    `edge`: the greatest factor by which later looks favour what lies just outside a window.
    """

    means: list[Array]
    none: list[Array]
    left: Callable[[int, int], Array]
    undeclared: list[Array]
    decoys: list[Array | None]
    none_left: float
    nothing_undeclared: float
    edge: float


def edge(smoothed: Sequence[Array], filtered: Sequence[Array], lows: Sequence[int], most: Sequence[float]) -> float:
    """By how much later looks favour what lies just outside the windows of a day, where something can lie there."""
    worst = 0.0
    for after, before, low, limit in zip(smoothed, filtered, lows, most, strict=True):
        size = len(after)
        for place, inner, more in ((0, min(1, size - 1), low > 0), (size - 1, max(size - 2, 0), low + size - 1 < limit)):
            if more and before[place] > 0:
                favour = float(after[place] / before[place])
                within = float(after[inner] / before[inner]) if before[inner] > 0 else 0.0
                worst = max(worst, favour * max(favour / within if within > 0 else 1.0, 1.0))
    return worst


def highest(account: Account, axes: Sequence[Axis]) -> list[float]:
    """The highest number there can be on each axis."""
    out: list[float] = []
    for axis in axes:
        item_class = account.classes[axis.item_class]
        if axis.stage == -1:
            assert item_class.decoys is not None
            out.append(len(item_class.decoys.pmf) - 1)
        else:
            out.append(np.inf if item_class.arrivals else item_class.declared + len(item_class.undeclared) - 1)
    return out


def counted(account: Account, axes: Sequence[Axis], item_class: int | None = None) -> list[int]:
    """The axes whose numbers count as left, of one class or of all."""
    return [
        a
        for a, axis in enumerate(axes)
        if axis.stage >= 0
        and item_class in (None, axis.item_class)
        and not account.classes[axis.item_class].stages[axis.stage].gone
    ]


@dataclass(slots=True)
class Dense:
    """`values[branch, n, n, ...]`: mass of each combination, for the numbers from `lows` up; branches are what is hidden.

    `values` may lie in `room`, until the move after the next. `margins`: the mass of each number on an axis, where it is known.
    """

    account: Account
    kernels: Kernels
    axes: list[Axis]
    values: Array
    lows: list[int]
    trim_below: float
    room: Room
    margins: list[Array] | None = None
    open: list[Hidden] = field(default_factory=list)
    discarded: float = 0.0
    _settled: bool = False

    @classmethod
    def start(
        cls, account: Account, kernels: Kernels, initial: Sequence[tuple[int, Array]], trim_below: float, room: Room | None = None
    ) -> Dense:
        """All items of a class in its first stage. `initial`: per class the lowest number and the weights from it up."""
        axes = axes_of(account)
        values = np.ones((1,))
        lows = []
        for axis in axes:
            low, weights = 0, np.ones(1)
            if axis.stage == 0:
                low, weights = initial[axis.item_class]
            elif axis.stage == -1:
                decoys = account.classes[axis.item_class].decoys
                assert decoys is not None
                weights = np.array(decoys.pmf)
            values = np.multiply.outer(values, weights)
            lows.append(low)
        return cls(account, kernels, axes, values, lows, trim_below, room or Room())

    def settle(self, *, keep: bool = True) -> tuple[Adjoint | None, float]:
        """Scale the mass to one and trim all axes. Returns the trim backwards, and what the mass was.

        `values` are then left as they are by all that follows. Where nothing is to be kept, and nothing was looked at, they are
        only trimmed.
        """
        if not keep and self.margins is not None:
            return self._cut({axis + 1: self._inside(m) for axis, m in enumerate(self.margins)}), 1.0
        self.values = self.values.copy()
        margins = marginals(self.values)
        total = float(margins[0].sum())
        if not total > 0:
            return None, total
        self.values *= 1 / total
        self.margins = [m * (1 / total) for m in margins]
        self._settled = True
        cuts = [self._inside(m) for m in self.margins]
        return self._cut({axis + 1: cut for axis, cut in enumerate(cuts)}), total

    def weigh(self, over: Array) -> None:
        """Multiply the mass."""
        if self._settled:
            self.values = self.values * over
            self._settled = False
        else:
            self.values *= over
        self.margins = None

    def margin(self, axis: int) -> Array:
        """The mass of each number on an axis of `values`."""
        if self.margins is None:
            self.margins = marginals(self.values)
        return self.margins[axis - 1]

    def axis(self, item_class: int, stage: int) -> int:
        """Where in `values` an axis is."""
        return 1 + self.axes.index(Axis(item_class, stage))

    def high(self, axis: int) -> int:
        """The highest number on an axis of `values`."""
        return self.lows[axis - 1] + int(self.values.shape[axis]) - 1

    def apply(self, step: Step) -> tuple[Adjoint, float]:
        """Take one step. Returns the step backwards, and the logarithm of a scale that was taken out."""
        if isinstance(step, Hop):
            return self._hop(step)
        if isinstance(step, See):
            return self._see(step)
        if isinstance(step, Arrive):
            return self._arrive(step), 0.0
        if isinstance(step, Fade):
            axis = self.axis(step.item_class, -1)
            kernel = self.kernels.hop(1 - step.survive, (0, self.high(axis)), (self.lows[axis - 1], self.high(axis)))
            return self._along(axis, kernel[None], 0), 0.0
        if isinstance(step, Open):
            return self._open(step.hidden), 0.0
        return self._close(step.hidden), 0.0

    def _open(self, hidden: Hidden) -> Adjoint:
        weights = np.array(hidden.weights)
        shape = self.values.shape
        over = (1, -1, *(1 for _ in shape[1:]))
        self.values = (self.values[:, None] * weights.reshape(over)).reshape(-1, *shape[1:])
        self.margins, self._settled = None, False
        self.open.append(hidden)
        return lambda b: np.asarray((b.reshape(shape[0], len(weights), *b.shape[1:]) * weights.reshape(over)).sum(axis=1))

    def _close(self, hidden: Hidden) -> Adjoint:
        sizes = [len(h.weights) for h in self.open]
        at = self.open.index(hidden)
        shape = self.values.shape
        apart = self.values.reshape(*sizes, *shape[1:])
        self.values = apart.sum(axis=at).reshape(-1, *shape[1:])
        self._settled = False
        self.open.pop(at)
        rest = [*sizes[:at], *sizes[at + 1 :]]

        def back(b: Array) -> Array:
            wide = np.expand_dims(b.reshape(*rest, *b.shape[1:]), at)
            return np.array(np.broadcast_to(wide, (*sizes, *b.shape[1:]))).reshape(-1, *b.shape[1:])

        return back

    def _branches(self, keys: Callable[[Mapping[str, int]], K]) -> dict[K, list[int]]:
        if not self.open:
            return {keys({}): [0]}
        groups: dict[K, list[int]] = {}
        for place, values in enumerate(assignments(self.open)):
            groups.setdefault(keys(values), []).append(place)
        return groups

    def _see(self, step: See) -> tuple[Adjoint, float]:
        factor = step.factor
        of = self.kernels.subjects(factor.look)
        axes = [self.axis(s.item_class, -1 if s.kind == DECOYS else self._stage(s.item_class, factor.look.stage)) for s in of]
        ranges = [(0, 0) if factor.look.leaving else (self.lows[a - 1], self.high(a)) for a in axes]
        parts = [(places, *self.kernels.seen(factor.look, key, ranges)) for key, places in self._branches(factor.key).items()]
        top = max(scale for _, _, scale in parts)
        if top == -np.inf:
            self.weigh(np.zeros(()))
            return (lambda b: b), top
        shape = [1] + [n if a + 1 in axes and not factor.look.leaving else 1 for a, n in enumerate(self.values.shape[1:])]
        order = [int(o) for o in np.argsort(axes)]
        if len(parts) == 1 and len(self.values) == 1:
            over = parts[0][1].transpose(order).reshape(shape)
        else:
            over = np.empty((len(self.values), *shape[1:]))
            for places, table, scale in parts:
                over[places] = table.transpose(order).reshape(shape) * np.exp(scale - top)
        self.weigh(over)

        def back(b: Array) -> Array:
            b *= over
            return b

        return back, top

    def _stage(self, item_class: int, name: str) -> int:
        return self.account.classes[item_class].stage(name)

    def _arrive(self, step: Arrive) -> Adjoint:
        axis = self.axis(step.item_class, 0)
        new = self.kernels.arriving(step.mean)
        size = self.values.shape[axis]
        grown = size + len(new) - 1
        if size > _SHORT * len(new):
            return self._shifted(axis, new)
        kernel = np.zeros(grown * (size + 1))
        kernel[: size * (grown + 1)].reshape(size, grown + 1)[:, : len(new)] = new
        return self._along(axis, np.ascontiguousarray(kernel[: size * grown].reshape(size, grown).T)[None], self.lows[axis - 1])

    def _shifted(self, axis: int, new: Array) -> Adjoint:
        """What arrives on a long axis, one number after the other."""
        size = self.values.shape[axis]
        shape = list(self.values.shape)
        shape[axis] += len(new) - 1
        out = np.zeros(shape)
        before = (slice(None),) * axis
        for k, weight in enumerate(new):
            out[(*before, slice(k, k + size))] += weight * self.values
        self.values, self._settled, self.margins = out, False, None

        def back(b: Array) -> Array:
            total = new[0] * b[(*before, slice(0, size))]
            for k in range(1, len(new)):
                total += new[k] * b[(*before, slice(k, k + size))]
            return np.asarray(total)

        return back

    def _hop(self, step: Hop) -> tuple[Adjoint, float]:
        if step.how == 0 and not (step.factors or step.joint):
            return (lambda b: b), 0.0
        axis = self.axis(step.item_class, step.stage)
        low, high = self.lows[axis - 1], self.high(axis)
        least = 0 if step.how != 0 else low
        kernel = self.kernels.hop(step.how, (least, high), (low, high))
        last = step.stage == len(self.account.classes[step.item_class].stages) - 1
        if step.factors or step.joint:
            told, top = self._told(step, kernel, low - least)
            if told is None:
                self.weigh(np.zeros(()))
                return (lambda b: b), top
            back = (
                self._along(axis, told, least, weighed=True) if last else self._on(axis, told, least, high - least, weighed=True)
            )
            return back, top
        if last:
            return self._along(axis, kernel[None], least), 0.0
        return self._on(axis, kernel[None], least, self._may_leave(kernel)), 0.0

    def _told(self, step: Hop, kernel: Array, shift: int) -> tuple[Array | None, float]:
        """The matrices of a hop, weighed by what looks say of how many left, and the logarithm of a scale."""

        def key(values: Mapping[str, int]) -> FlowKey:
            return (
                tuple(f.key(values) for f in step.factors),
                tuple((j.factor.key(values), values[j.terms.name]) for j in step.joint),
            )

        groups = list(self._branches(key).items())
        rows, columns = kernel.shape
        flows = [self.kernels.flow(step, k, columns - 1 + shift) for k, _ in groups]
        top = max(scale for _, scale in flows)
        if top == -np.inf:
            return None, top
        gone = np.maximum(np.arange(shift, shift + columns)[None, :] - np.arange(rows)[:, None], 0)
        out = np.empty((len(self.values) if len(groups) > 1 else 1, rows, columns))
        for (_, places), (flow, scale) in zip(groups, flows, strict=True):
            weighed = kernel if flow is None else kernel * flow[gone]
            out[places if len(groups) > 1 else 0] = weighed if scale == top else weighed * np.exp(scale - top)
        return out, top

    def _may_leave(self, kernel: Array) -> int:
        """How many may leave at most, but for `trim_below`."""
        most = kernel[:, -1].cumsum()
        self.discarded += self.trim_below
        return max(len(kernel) - 1 - int(most.searchsorted(self.trim_below, side="right")), 0)

    def _rows_needed(self, axis: int, kernels: Array) -> tuple[Array, int, Array]:
        """The matrices without the rows that would hold less than `trim_below` on either side, and what they keep."""
        if len(kernels) == 1:
            kept = kernels[0] @ self.margin(axis)
        else:
            apart = np.moveaxis(self.values, axis, 1)
            kept = np.matmul(kernels, apart.sum(axis=tuple(range(2, apart.ndim)))[:, :, None]).sum(axis=(0, 2))
        first, last = self._inside(kept)
        return kernels[:, first:last], first, kept[first:last]

    def _inside(self, marginal: Array) -> tuple[int, int]:
        """The part of an axis that holds all but `trim_below` of the mass on either side; what is outside is noted."""
        sums = marginal.cumsum()
        total = float(sums[-1])
        if not total > 0:
            return 0, len(marginal)
        below = self.trim_below * total
        first, last = 0, len(marginal)
        if marginal[0] <= below:
            first = int(sums.searchsorted(below, side="right"))
        if marginal[-1] <= below:
            last -= int(marginal[::-1].cumsum().searchsorted(below, side="right"))
        if first >= last:
            first = int(marginal.argmax())
            last = first + 1
        if last - first < len(marginal):
            self.discarded += float(marginal[:first].sum() + marginal[last:].sum()) / total
        return first, last

    def _along(self, axis: int, kernels: Array, least: int, *, weighed: bool = False) -> Adjoint:
        """Along one axis: what leaves is no longer kept."""
        kernels, first, kept = self._rows_needed(axis, kernels)
        self.values = along(self.values, axis, kernels, self.room)
        self.lows[axis - 1] = least + first
        self._settled = False
        if weighed or self.margins is None:
            self.margins = None
        else:
            self.margins[axis - 1] = kept
        room = self.room
        return lambda b: along(b, axis, kernels.transpose(0, 2, 1), room)

    def _on(self, axis: int, kernels: Array, least: int, most: int, *, weighed: bool = False) -> Adjoint:
        """From one axis to the next."""
        kernels, first, kept = self._rows_needed(axis, kernels)
        least += first
        shift, was, room = (self.lows[axis - 1] - least, self.values.shape[axis + 1], self.room)
        moved = hop_on(self.values, axis, kernels, shift, (0, was + most), room)
        added = marginal(moved, axis + 1)
        first, last = self._inside(added)
        self.values = moved[(slice(None),) * (axis + 1) + (slice(first, last),)]
        self.lows[axis - 1] = least
        self.lows[axis] += first
        self._settled = False
        if weighed or self.margins is None:
            self.margins = None
        else:
            self.margins[axis - 1], self.margins[axis] = kept, added[first:last]
        return lambda b: hop_back(b, axis, kernels, shift, (first, last), was, room)

    def _cut(self, cuts: Mapping[int, tuple[int, int]]) -> Adjoint | None:
        shape = self.values.shape
        if all(cut == (0, shape[axis]) for axis, cut in cuts.items()):
            return None
        cut = tuple(slice(*cuts[axis]) if axis in cuts else slice(None) for axis in range(len(shape)))
        for axis, (first, last) in cuts.items():
            self.lows[axis - 1] += first
            if self.margins is not None:
                self.margins[axis - 1] = self.margins[axis - 1][first:last]
        self.values = self.values[cut]
        room = self.room

        def back(b: Array) -> Array:
            whole = (b.shape[0], *shape[1:])
            out = room.write(prod(whole)).reshape(whole)
            out[...] = 0.0
            out[cut] = b
            return out

        return back


_SHORT = 16
"""An axis longer than this many times what may arrive takes it number by number, a shorter one by a matrix."""
