"""The joint state as one array over a window that holds all but a stated share of the mass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tallybook.holdings.kernels import Kernels
from tallybook.holdings.likelihood import DECOYS
from tallybook.holdings.model import Account
from tallybook.holdings.moves import along, hop_back, hop_on
from tallybook.holdings.numbers import Array
from tallybook.holdings.schedule import Arrive, Close, Fade, Hidden, Hop, Open, See, Step, assignments

Adjoint = Callable[[Array], Array]
Branched = tuple[list[int], Array]
"""The branches that a matrix is for (all, where it is the only one), and the matrix [out, in]."""


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


@dataclass(slots=True)
class Dense:
    """`values[branch, n, n, ...]`: mass of each combination, for the numbers from `lows` up; branches are what is hidden."""

    account: Account
    kernels: Kernels
    axes: list[Axis]
    values: Array
    lows: list[int]
    trim_below: float
    open: list[Hidden] = field(default_factory=list)
    discarded: float = 0.0

    @classmethod
    def start(cls, account: Account, kernels: Kernels, initial: Sequence[tuple[int, Array]], trim_below: float) -> Dense:
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
        return cls(account, kernels, axes, values, lows, trim_below)

    def total(self) -> float:
        """All the mass."""
        return float(self.values.sum())

    def scale(self, factor: float) -> None:
        """Multiply all the mass."""
        self.values = self.values * factor

    def axis(self, item_class: int, stage: int) -> int:
        """Where in `values` an axis is."""
        return 1 + self.axes.index(Axis(item_class, stage))

    def high(self, axis: int) -> int:
        """The highest number on an axis of `values`."""
        return self.lows[axis - 1] + self.values.shape[axis] - 1

    def apply(self, step: Step) -> tuple[Adjoint, float]:
        """Take one step. Returns the step backwards, and the logarithm of a scale that was taken out."""
        if isinstance(step, Open):
            return self._open(step.hidden), 0.0
        if isinstance(step, Close):
            return self._close(step.hidden), 0.0
        if isinstance(step, See):
            return self._see(step)
        if isinstance(step, Arrive):
            return self._arrive(step), 0.0
        if isinstance(step, Fade):
            axis = self.axis(step.item_class, -1)
            kernel = self.kernels.hop(1 - step.survive, (0, self.high(axis)), (self.lows[axis - 1], self.high(axis)))
            return self._hop_away(axis, [([], kernel)], 0), 0.0
        return self._hop(step)

    def _open(self, hidden: Hidden) -> Adjoint:
        weights = np.array(hidden.weights)
        shape = self.values.shape
        over = (1, -1, *(1 for _ in shape[1:]))
        self.values = (self.values[:, None] * weights.reshape(over)).reshape(-1, *shape[1:])
        self.open.append(hidden)
        return lambda b: np.asarray((b.reshape(shape[0], len(weights), *b.shape[1:]) * weights.reshape(over)).sum(axis=1))

    def _close(self, hidden: Hidden) -> Adjoint:
        sizes = [len(h.weights) for h in self.open]
        at = self.open.index(hidden)
        shape = self.values.shape
        apart = self.values.reshape(*sizes, *shape[1:])
        self.values = apart.sum(axis=at).reshape(-1, *shape[1:])
        self.open.pop(at)
        rest = [*sizes[:at], *sizes[at + 1 :]]

        def back(b: Array) -> Array:
            wide = np.expand_dims(b.reshape(*rest, *b.shape[1:]), at)
            return np.ascontiguousarray(np.broadcast_to(wide, (*sizes, *b.shape[1:]))).reshape(-1, *b.shape[1:])

        return back

    def _branches(self, keys: Callable[[dict[str, int]], object]) -> dict[object, list[int]]:
        groups: dict[object, list[int]] = {}
        for place, values in enumerate(assignments(self.open)):
            groups.setdefault(keys(values), []).append(place)
        return groups

    def _see(self, step: See) -> tuple[Adjoint, float]:
        factor = step.factor
        of = self.kernels.subjects(factor.look)
        axes = [self.axis(s.item_class, -1 if s.kind == DECOYS else self._stage(s.item_class, factor.look.stage)) for s in of]
        if factor.look.leaving:
            ranges = [(0, 0) for _ in of]
        else:
            ranges = [(self.lows[a - 1], self.high(a)) for a in axes]
        parts = [(places, *self.kernels.seen(factor.look, key, ranges)) for key, places in self._branches(factor.key).items()]
        top = max(scale for _, _, scale in parts)
        if top == -np.inf:
            self.values = np.zeros_like(self.values)
            return (lambda b: b), top
        over = np.empty((self.values.shape[0], *(self.values.shape[a] if a in axes else 1 for a in range(1, self.values.ndim))))
        for places, table, scale in parts:
            shaped = table.reshape([1] * (self.values.ndim - 1)) if factor.look.leaving else self._shaped(table, axes)
            over[places] = shaped * np.exp(scale - top)
        self.values = self.values * over
        return (lambda b: b * over), top

    def _stage(self, item_class: int, name: str) -> int:
        return self.account.classes[item_class].stage(name)

    def _shaped(self, table: Array, axes: Sequence[int]) -> Array:
        order = np.argsort(axes)
        ordered = table.transpose([int(o) for o in order])
        return ordered.reshape([self.values.shape[a] if a in axes else 1 for a in range(1, self.values.ndim)])

    def _arrive(self, step: Arrive) -> Adjoint:
        axis = self.axis(step.item_class, 0)
        new = self.kernels.arriving(step.mean)
        size = self.values.shape[axis]
        shape = list(self.values.shape)
        shape[axis] += len(new) - 1
        out = np.zeros(shape)
        before = (slice(None),) * axis
        for k, weight in enumerate(new):
            out[(*before, slice(k, k + size))] += weight * self.values
        self.values = out

        def back(b: Array) -> Array:
            total = new[0] * b[(*before, slice(0, size))]
            for k in range(1, len(new)):
                total += new[k] * b[(*before, slice(k, k + size))]
            return np.asarray(total)

        return back

    def _hop(self, step: Hop) -> tuple[Adjoint, float]:
        axis = self.axis(step.item_class, step.stage)
        size, low = self.values.shape[axis], self.lows[axis - 1]
        high = low + size - 1
        least = 0 if step.how != 0 else low
        if step.how == 0 and not (step.factors or step.joint):
            return (lambda b: b), 0.0
        kernel = self.kernels.hop(step.how, (least, high), (low, high))

        def key(values: dict[str, int]) -> object:
            return (tuple(f.key(values) for f in step.factors), tuple((j.factor.key(values), values[j.terms.name]) for j in step.joint))

        groups = list(self._branches(key).items())
        told = [self.kernels.flow(step, k, high - least) for k, _ in groups]
        top = max(scale for _, scale in told)
        if top == -np.inf:
            self.values = np.zeros_like(self.values)
            return (lambda b: b), top
        kernels: list[Branched] = []
        gone = np.arange(low, high + 1)[None, :] - np.arange(least, high + 1)[:, None]
        for (_, places), (flow, scale) in zip(groups, told, strict=True):
            weighted = kernel if flow is None else kernel * np.where(gone >= 0, flow[np.maximum(gone, 0)], 0.0) * np.exp(scale - top)
            kernels.append((places, weighted))
        last = step.stage == len(self.account.classes[step.item_class].stages) - 1
        leaving = (0, high - least) if step.factors or step.joint else self._may_leave(kernel)
        least, kernels = self._rows_needed(axis, kernels, least)
        if last:
            return self._hop_away(axis, kernels, least), top
        return self._hop_on(axis, kernels, least, leaving), top

    def _may_leave(self, kernel: Array) -> tuple[int, int]:
        """How many may leave, fewest and most, but for `trim_below`; `kernel[n' - 0, n]` is a whole hop down to none."""
        size = kernel.shape[1]
        fewest, most = kernel[::-1, 0], kernel[:, -1]
        # The 0-th column is the lowest number, all of which may stay; the last is the highest, all of which may leave.
        few = int(np.searchsorted(np.cumsum(fewest), self.trim_below, side="right")) - (size - 1)
        many = kernel.shape[0] - 1 - int(np.searchsorted(np.cumsum(most), self.trim_below, side="right"))
        self.discarded += 2 * self.trim_below
        return max(few, 0), max(many, few, 0)

    def _rows_needed(self, axis: int, kernels: list[Branched], least: int) -> tuple[int, list[Branched]]:
        """The matrices without the rows that would hold no more than `trim_below` of the mass on either side."""
        others = tuple(a for a in range(1, self.values.ndim) if a != axis)
        marginal = self.values.sum(axis=others)
        kept: Array = sum(kernel @ (marginal if len(kernels) == 1 else marginal[places]).sum(axis=0) for places, kernel in kernels)  # type: ignore[assignment]
        first, last = self._inside(kept)
        return least + first, [(places, kernel[first:last]) for places, kernel in kernels]

    def _inside(self, marginal: Array) -> tuple[int, int]:
        """The part of an axis that holds all but `trim_below` of the mass on either side; what is outside is noted."""
        total = marginal.sum()
        if not total > 0:
            return 0, len(marginal)
        below = self.trim_below * total
        first = int(np.searchsorted(np.cumsum(marginal), below, side="right"))
        last = len(marginal) - int(np.searchsorted(np.cumsum(marginal[::-1]), below, side="right"))
        if first >= last:
            first = int(marginal.argmax())
            last = first + 1
        self.discarded += float(marginal[:first].sum() + marginal[last:].sum()) / total
        return first, last

    def _hop_away(self, axis: int, kernels: Sequence[Branched], least: int) -> Adjoint:
        """Along one axis: what leaves is no longer kept."""
        self.values = _by_branch(self.values, kernels, lambda part, kernel: along(part, axis, kernel))
        self.lows[axis - 1] = least
        return lambda b: _by_branch(b, kernels, lambda part, kernel: along(part, axis, kernel.T))

    def _hop_on(self, axis: int, kernels: Sequence[Branched], least: int, leaving: tuple[int, int]) -> Adjoint:
        """From one axis to the next."""
        shift, was = self.lows[axis - 1] - least, self.values.shape[axis + 1]
        columns = (leaving[0], was + leaving[1])
        self.values = _by_branch(self.values, kernels, lambda part, kernel: hop_on(part, axis, kernel, shift, columns))
        self.lows[axis - 1] = least
        self.lows[axis] += leaving[0]
        return lambda b: _by_branch(b, kernels, lambda part, kernel: hop_back(part, axis, kernel, shift, columns, was))

    def trim_after(self, hop: Hop) -> Adjoint | None:
        """Cut the axis that a hop has made longer."""
        axis = self.axis(hop.item_class, hop.stage)
        if hop.stage == len(self.account.classes[hop.item_class].stages) - 1:
            return None
        return self.trim([axis + 1])

    def trim(self, only: Sequence[int] = ()) -> Adjoint | None:
        """Cut axes (all, or `only` some) down to what holds all but `trim_below` of the mass on either side."""
        shape = self.values.shape
        cuts = [slice(None)] * self.values.ndim
        for axis in only or range(1, self.values.ndim):
            marginal = self.values.sum(axis=tuple(a for a in range(self.values.ndim) if a != axis))
            first, last = self._inside(marginal)
            cuts[axis] = slice(first, last)
            self.lows[axis - 1] += first
        cut = tuple(cuts)
        if all(c == slice(None) or (c.start, c.stop) == (0, n) for c, n in zip(cut, shape, strict=True)):
            return None
        self.values = np.ascontiguousarray(self.values[cut])

        def back(b: Array) -> Array:
            out = np.zeros((b.shape[0], *shape[1:]))
            out[cut] = b
            return out

        return back


def _by_branch(values: Array, kernels: Sequence[Branched], move: Callable[[Array, Array], Array]) -> Array:
    if len(kernels) == 1:
        return move(values, kernels[0][1])
    parts = [(places, move(values[places], kernel)) for places, kernel in kernels]
    out = np.empty((values.shape[0], *parts[0][1].shape[1:]))
    for places, part in parts:
        out[places] = part
    return out
