"""The joint state as a tensor train: one core for each stage of each class, so that stages and classes add up and don't multiply.

Cores hold the mass divided by w_k(n) = sqrt(P(n on axis k)) on every axis, and what later looks say multiplied by it. In these
weights a hop never makes a vector longer, and what is cut from a train, as a Euclidean length, bounds the mass that is lost.
The form is that of Oseledets, SIAM J. Sci. Comput. 33 (2011) 2295; the range finder of Halko, Martinsson and Tropp,
SIAM Review 53 (2011) 217, with a fixed sketch, so that two runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from math import inf, log, prod, sqrt

import numpy as np

from tallybook.holdings.dense import Axis, K, Smoothed, counted, edge, highest
from tallybook.holdings.kernels import FlowKey, Kernels, plan, starting
from tallybook.holdings.likelihood import DECOYS
from tallybook.holdings.model import Account
from tallybook.holdings.moves import Room, hop_back, hop_on, sums
from tallybook.holdings.numbers import Array
from tallybook.holdings.schedule import Arrive, Fade, Hidden, Hop, Open, See, Step, assignments

_SMALL = 24
"""Matrices that are no wider are factorised whole."""
_MORE, _PROBES = 8, 4
"""Columns of a sketch beyond the rank that is expected, and columns kept back to measure what is missed."""
_MOST_RANK = 0.7
"""A bond that needs more of its rows than this is left whole."""
_AT_ONCE = 1 << 19
"""About so many numbers are moved at once."""
_FAINT = 1e-24
"""No number is weighed as if it had less than this share of the mass."""


@lru_cache(maxsize=1)
def _sketch() -> list[Array]:
    return []


def sketch(rows: int, columns: int) -> Array:
    """The same normal numbers at every call; shape [rows, columns]."""
    made, size = _sketch(), 1 << 16
    while size < rows * columns:
        size *= 2
    if not made or len(made[0]) < size:
        # A longer draw from one seed begins with the shorter.
        made[:] = [np.random.default_rng(20_011).standard_normal(size)]
    return made[0][: rows * columns].reshape(rows, columns)


def factors(matrix: Array, miss: float, guess: int) -> tuple[Array, Array, float, bool]:
    """matrix [m, n] as left [m, r] @ right [r, n], but for a Euclidean length of about `miss` at most.

    `guess`: the rank that is expected. Returns the factors, the length that is missed, and whether the left one has orthonormal
    columns (or else the right one orthonormal rows). A matrix that is nearly of full rank is returned beside the unit matrix.
    """
    rows, columns = matrix.shape
    if rows > columns:
        right, left, missed, _ = factors(matrix.T, miss, guess)
        return left.T, right.T, missed, False
    if rows <= _SMALL:
        return _cut(np.eye(rows), matrix, miss, 0.0)
    most = int(_MOST_RANK * rows)
    for width in (guess + _MORE, most):
        if width > most:
            continue
        image = matrix @ sketch(columns, width + _PROBES)
        basis = np.linalg.qr(image[:, :width])[0]
        probes = image[:, width:]
        outside = float(np.linalg.norm(probes - basis @ (basis.T @ probes))) / sqrt(_PROBES)
        if outside <= miss / 4:
            return _cut(basis, basis.T @ matrix, miss, outside)
    return np.eye(rows), matrix, 0.0, True


def _cut(basis: Array, within: Array, miss: float, outside: float) -> tuple[Array, Array, float, bool]:
    """basis @ within, cut to the rank that is needed; `outside`: what the basis misses."""
    narrow: Array = np.asarray(np.linalg.qr(within.T, mode="r")).T if within.shape[0] < within.shape[1] else within
    turn, lengths, _ = np.linalg.svd(narrow, full_matrices=False)
    tails = np.sqrt(np.cumsum(lengths[::-1] ** 2))[::-1]
    rank = max(int(np.count_nonzero(tails > max(miss - 2 * outside, miss / 2))), 1)
    turn = turn[:, :rank]
    missed = (float(tails[rank]) if rank < len(tails) else 0.0) + 2 * outside
    return basis @ turn, turn.T @ within, missed, True


@dataclass(slots=True)
class Chain:
    """Cores [r, n, r'] of one train. `left` first and `right` last cores are orthonormal, seen from outside."""

    cores: list[Array]
    left: int = 0
    right: int = 0

    def touched(self, place: int) -> None:
        """A core was changed."""
        self.left = min(self.left, place)
        self.right = min(self.right, len(self.cores) - 1 - place)

    def focus(self, place: int, cores: int = 2) -> None:
        """Make all cores orthonormal but `cores` from `place` on; what they hold moves there."""
        while self.left < place:
            core = self.cores[self.left]
            q, r = np.linalg.qr(core.reshape(-1, core.shape[2]))
            self.cores[self.left] = q.reshape(*core.shape[:2], -1)
            self.cores[self.left + 1] = np.tensordot(r, self.cores[self.left + 1], axes=1)
            self.left += 1
        while self.right < len(self.cores) - place - cores:
            at = len(self.cores) - 1 - self.right
            core = self.cores[at]
            q, r = np.linalg.qr(core.reshape(core.shape[0], -1).T)
            self.cores[at] = np.ascontiguousarray(q.T).reshape(-1, *core.shape[1:])
            self.cores[at - 1] = np.tensordot(self.cores[at - 1], r.T, axes=1)
            self.right += 1
        self.left, self.right = (min(self.left, place), min(self.right, len(self.cores) - place - cores))

    def split(self, place: int, pair: Array, accuracy: float) -> float:
        """Put two cores back from one array [r, n, m, r']. Returns the length that is missed."""
        before, n, m, after = pair.shape
        flat = pair.reshape(before * n, m * after)
        miss = accuracy * float(np.linalg.norm(flat))
        left, right, missed, turned = factors(flat, miss, self.cores[place].shape[2])
        self.cores[place] = left.reshape(before, n, -1)
        self.cores[place + 1] = right.reshape(-1, m, after)
        self.left, self.right = (min(self.left, place), min(self.right, len(self.cores) - place - 2))
        if turned:
            self.left = place + 1
        else:
            self.right = len(self.cores) - place - 1
        return missed

    def tidied(self, accuracy: float) -> float:
        """Cut all bonds to the ranks they need. Returns the length that is missed."""
        missed = 0.0
        self.focus(0, 1)
        for place in range(len(self.cores) - 1):
            core = self.cores[place]
            flat = core.reshape(-1, core.shape[2])
            left, right, lost, turned = factors(flat, accuracy * float(np.linalg.norm(flat)), min(flat.shape) // 4)
            if not turned:
                left, rest = np.linalg.qr(left)
                right = rest @ right
            self.cores[place] = left.reshape(*core.shape[:2], -1)
            self.cores[place + 1] = np.tensordot(right, self.cores[place + 1], axes=1)
            missed += lost
        self.left, self.right = len(self.cores) - 1, 0
        return missed


def added(chains: Sequence[Chain], accuracy: float) -> tuple[Chain, float]:
    """The sum of trains on the same windows, tidied, and the length that is missed."""
    if len(chains) == 1:
        return chains[0], 0.0
    count = len(chains[0].cores)
    if count == 1:
        return Chain([np.sum([c.cores[0] for c in chains], axis=0)]), 0.0
    cores = []
    for place in range(count):
        parts = [c.cores[place] for c in chains]
        if place == 0:
            cores.append(np.concatenate(parts, axis=2))
        elif place == count - 1:
            cores.append(np.concatenate(parts, axis=0))
        else:
            core = np.zeros((sum(p.shape[0] for p in parts), parts[0].shape[1], sum(p.shape[2] for p in parts)))
            row = column = 0
            for p in parts:
                core[row : row + p.shape[0], :, column : column + p.shape[2]] = p
                row, column = row + p.shape[0], column + p.shape[2]
            cores.append(core)
    whole = Chain(cores)
    return whole, whole.tidied(accuracy)


def chain_axes(account: Account) -> list[Axis]:
    """The axes in the order of the train: decoys beside the first stage of their class."""
    out = []
    for k, item_class in enumerate(account.classes):
        if item_class.decoys is not None:
            out.append(Axis(k, -1))
        out += [Axis(k, s) for s in range(len(item_class.stages))]
    return out


Back = Callable[[list[Chain]], list[Chain]]


@dataclass(slots=True)
class Train:
    """`chains`: one train for each combination of what is hidden, all with the windows from `lows` up and the same `weights`."""

    account: Account
    kernels: Kernels
    axes: list[Axis]
    chains: list[Chain]
    lows: list[int]
    weights: list[Array]
    trim_below: float
    accuracy: float
    room: Room
    open: list[Hidden] = field(default_factory=list)
    discarded: float = 0.0

    @classmethod
    def start(
        cls,
        account: Account,
        kernels: Kernels,
        initial: Sequence[tuple[int, Array]],
        trim_below: float,
        accuracy: float,
        room: Room,
    ) -> Train:
        """All items of a class in its first stage. `initial`: per class the lowest number and the weights from it up."""
        axes, cores, lows, weights = chain_axes(account), [], [], []
        for axis in axes:
            low, mass = 0, np.ones(1)
            if axis.stage == 0:
                low, mass = initial[axis.item_class]
            elif axis.stage == -1:
                decoys = account.classes[axis.item_class].decoys
                assert decoys is not None
                mass = np.array(decoys.pmf)
            weight = _weight(mass)
            lows.append(low)
            weights.append(weight)
            cores.append((mass / weight)[None, :, None])
        return cls(account, kernels, axes, [Chain(cores)], lows, weights, trim_below, accuracy, room)

    def high(self, axis: int) -> int:
        """The highest number on an axis."""
        return self.lows[axis] + len(self.weights[axis]) - 1

    def sizes(self) -> int:
        """How many numbers the trains hold."""
        return sum(core.size for chain in self.chains for core in chain.cores)

    def _ends(self, chain: Chain) -> tuple[list[Array], list[Array]]:
        """What the cores before and after each place add up to."""
        before, after = [np.ones(1)], [np.ones(1)]
        for core, weight in zip(chain.cores[:-1], self.weights, strict=False):
            before.append(before[-1] @ (weight @ core))
        for core, weight in zip(reversed(chain.cores[1:]), reversed(self.weights), strict=False):
            after.append((weight @ core) @ after[-1])
        return before, after[::-1]

    def margins(self) -> list[Array]:
        """The mass of each number on each axis."""
        out = [np.zeros(len(w)) for w in self.weights]
        for chain in self.chains:
            before, after = self._ends(chain)
            for place, core in enumerate(chain.cores):
                out[place] += (
                    (before[place] @ core.reshape(core.shape[0], -1)).reshape(core.shape[1:]) @ after[place] * self.weights[place]
                )
        return [np.maximum(m, 0.0) for m in out]

    def settle(self) -> tuple[Back, float]:
        """Trim all axes, scale the mass to one and weigh it anew. Returns the step backwards, and what the mass was."""
        margins = self.margins()
        total = float(margins[0].sum())
        if not total > 0:
            return (lambda b: b), total
        cuts, turns = [], []
        for place, margin in enumerate(margins):
            first, last = self._inside(margin)
            cuts.append((first, last, len(margin)))
            weight = _weight(margin[first:last])
            turns.append(self.weights[place][first:last] / weight)
            self.weights[place] = weight
            self.lows[place] += first
        for chain in self.chains:
            for place, ((first, last, _), turn) in enumerate(zip(cuts, turns, strict=True)):
                chain.cores[place] = chain.cores[place][:, first:last] * turn[:, None]
            chain.cores[0] *= 1 / total
            chain.left = chain.right = 0

        def back(chains: list[Chain]) -> list[Chain]:
            for chain in chains:
                for place, ((first, last, size), turn) in enumerate(zip(cuts, turns, strict=True)):
                    core = chain.cores[place]
                    whole = np.zeros((core.shape[0], size, core.shape[2]))
                    whole[:, first:last] = core * turn[:, None]
                    chain.cores[place] = whole
                chain.cores[0] = chain.cores[0] * (1 / total)
                chain.left = chain.right = 0
            return chains

        return back, total

    def kept(self) -> list[Chain]:
        """The trains as they are now, which later steps leave alone."""
        return [Chain(list(chain.cores)) for chain in self.chains]

    def _inside(self, margin: Array) -> tuple[int, int]:
        """The part of an axis that holds all but `trim_below` of the mass on either side; what is outside is noted."""
        first, last = _holding(margin, self.trim_below)
        total = float(margin.sum())
        if total > 0:
            self.discarded += float(margin[:first].sum() + margin[last:].sum()) / total
        return first, last

    def apply(self, step: Step) -> tuple[Back, float]:
        """Take one step. Returns the step backwards, and the logarithm of a scale that was taken out."""
        if isinstance(step, Hop):
            return self._hop(step)
        if isinstance(step, See):
            return self._see(step)
        if isinstance(step, Arrive):
            return self._arrive(step), 0.0
        if isinstance(step, Fade):
            axis = self.axes.index(Axis(step.item_class, -1))
            kernel = self.kernels.hop(1 - step.survive, (0, self.high(axis)), (self.lows[axis], self.high(axis)))
            return self._along(axis, [kernel], 0), 0.0
        if isinstance(step, Open):
            return self._open(step.hidden), 0.0
        return self._close(step.hidden), 0.0

    def _open(self, hidden: Hidden) -> Back:
        count = len(self.chains)
        self.chains = [_scaled(chain, w) for chain in self.chains for w in hidden.weights]
        self.open.append(hidden)
        many, accuracy = len(hidden.weights), self.accuracy

        def back(chains: list[Chain]) -> list[Chain]:
            groups = [chains[place * many : (place + 1) * many] for place in range(count)]
            return [added([_scaled(c, w) for c, w in zip(g, hidden.weights, strict=True) if w > 0], accuracy)[0] for g in groups]

        return back

    def _close(self, hidden: Hidden) -> Back:
        now = list(assignments(self.open))
        self.open = [h for h in self.open if h.name != hidden.name]
        groups: dict[tuple[int, ...], list[int]] = {}
        for place, values in enumerate(now):
            groups.setdefault(tuple(values[h.name] for h in self.open), []).append(place)
        merged = []
        for places in groups.values():
            chain, missed = added([self.chains[p] for p in places], self.accuracy)
            self.discarded += missed
            merged.append(chain)
        self.chains = merged
        into = {place: new for new, places in enumerate(groups.values()) for place in places}
        return lambda chains: [_scaled(chains[into[place]], 1.0) for place in range(len(into))]

    def _branches(self, keys: Callable[[Mapping[str, int]], K]) -> list[K]:
        return [keys(values) for values in assignments(self.open)] if self.open else [keys({})]

    def _see(self, step: See) -> tuple[Back, float]:
        factor = step.factor
        of = self.kernels.subjects(factor.look)
        axes = [
            self.axes.index(Axis(s.item_class, -1 if s.kind == DECOYS else self._stage(s.item_class, factor.look.stage)))
            for s in of
        ]
        leaving = factor.look.leaving
        ranges = [(0, 0) if leaving else (self.lows[a], self.high(a)) for a in axes]
        keys = self._branches(factor.key)
        told = {key: self.kernels.seen(factor.look, key, ranges) for key in dict.fromkeys(keys)}
        top = max(scale for _, scale in told.values())
        if top == -np.inf:
            return self._nothing(), top
        scales = {key: float(np.exp(scale - top)) for key, (_, scale) in told.items()}
        if leaving:
            amounts = [float(told[key][0].ravel()[0]) * scales[key] for key in keys]
            self.chains = [_scaled(c, a) for c, a in zip(self.chains, amounts, strict=True)]
            return (lambda chains: [_scaled(c, a) for c, a in zip(chains, amounts, strict=True)]), top
        if len(axes) == 1:
            diagonals = [told[key][0] * scales[key] for key in keys]

            def weigh(chains: list[Chain]) -> list[Chain]:
                for chain, diagonal in zip(chains, diagonals, strict=True):
                    chain.cores[axes[0]] = chain.cores[axes[0]] * diagonal[:, None]
                    chain.touched(axes[0])
                return chains

            self.chains = weigh(self.chains)
            return weigh, top
        order = [int(o) for o in np.argsort(axes)]
        places = sorted(axes)
        weights = [self.weights[a] for a in places]
        tables = {key: _table_cores(told[key][0].transpose(order) * scales[key], weights, self.accuracy) for key in told}
        accuracy = self.accuracy

        def couple(chains: list[Chain]) -> list[Chain]:
            for chain, key in zip(chains, keys, strict=True):
                _multiplied(chain, places, tables[key])
                self.discarded += chain.tidied(accuracy)
            return chains

        self.chains = couple(self.chains)
        return couple, top

    def _nothing(self) -> Back:
        self.chains = [_scaled(chain, 0.0) for chain in self.chains]
        return lambda chains: chains

    def _stage(self, item_class: int, name: str) -> int:
        return self.account.classes[item_class].stage(name)

    def _arrive(self, step: Arrive) -> Back:
        axis = self.axes.index(Axis(step.item_class, 0))
        new = self.kernels.arriving(step.mean)
        size = len(self.weights[axis])
        kernel = np.zeros((size, size + len(new)))
        kernel[:, : len(new)] = new
        kernel = kernel.reshape(-1)[: size * (size + len(new) - 1)].reshape(size, -1).T
        return self._along(axis, [kernel], self.lows[axis])

    def _hop(self, step: Hop) -> tuple[Back, float]:
        if step.how == 0 and not (step.factors or step.joint):
            return (lambda b: b), 0.0
        axis = self.axes.index(Axis(step.item_class, step.stage))
        low, high = self.lows[axis], self.high(axis)
        least, most, fewest = self.kernels.reach(step.how, low, high)
        kernel = self.kernels.hop(step.how, (least, most), (low, high))
        top, kernels = 0.0, [kernel]
        if step.factors or step.joint:

            def key(values: Mapping[str, int]) -> FlowKey:
                joint = tuple((j.factor.key(values), values[j.terms.name]) for j in step.joint)
                return (tuple(f.key(values) for f in step.factors), joint)

            keys = self._branches(key)
            flows = {k: self.kernels.flow(step, k, high - least) for k in dict.fromkeys(keys)}
            top = max(scale for _, scale in flows.values())
            if top == -np.inf:
                return self._nothing(), top
            gone = np.maximum(np.arange(low, high + 1)[None, :] - np.arange(least, most + 1)[:, None], 0)
            weighed = {
                k: kernel if flow is None else kernel * (flow * np.exp(scale - top))[gone] for k, (flow, scale) in flows.items()
            }
            kernels = [weighed[k] for k in keys]
        if step.stage == len(self.account.classes[step.item_class].stages) - 1:
            return self._along(axis, kernels, least), top
        return self._on(axis, kernels, least, high - fewest), top

    def _along(self, axis: int, kernels: Sequence[Array], least: int) -> Back:
        """Along one axis: what leaves is no longer kept."""
        kernels = [kernels[0]] * len(self.chains) if len(kernels) == 1 else kernels
        was, mass = self.weights[axis], np.zeros(kernels[0].shape[0])
        moved = []
        for chain, kernel in zip(self.chains, kernels, strict=True):
            before, after = self._ends(chain)
            core = kernel @ (chain.cores[axis] * was[:, None])
            moved.append(core)
            mass += (before[axis] @ core.reshape(core.shape[0], -1)).reshape(core.shape[1:]) @ after[axis]
        mass = np.maximum(mass, 0.0)
        first, last = self._inside(mass)
        weight = _weight(mass[first:last])
        for chain, core in zip(self.chains, moved, strict=True):
            chain.cores[axis] = core[:, first:last] / weight[:, None]
            chain.touched(axis)
        self.weights[axis], self.lows[axis] = weight, least + first

        def back(chains: list[Chain]) -> list[Chain]:
            for chain, kernel in zip(chains, kernels, strict=True):
                chain.cores[axis] = (kernel[first:last].T @ (chain.cores[axis] / weight[:, None])) * was[:, None]
                chain.touched(axis)
            return chains

        return back

    def _on(self, axis: int, kernels: Sequence[Array], least: int, most: int) -> Back:
        """From one axis to the next."""
        kernels = [kernels[0]] * len(self.chains) if len(kernels) == 1 else kernels
        low, held = self.lows[axis], len(self.weights[axis + 1])
        was = self.weights[axis], self.weights[axis + 1]
        apart, room = was[0][:, None] * was[1], self.room
        mass, tables = (np.zeros((kernels[0].shape[0], held + most)), np.zeros((1, len(was[0]), held)))
        for chain, kernel in zip(self.chains, kernels, strict=True):
            before, after = self._ends(chain)
            first_core = (before[axis] @ chain.cores[axis].reshape(len(before[axis]), -1)).reshape(len(was[0]), -1)
            table = (first_core @ (chain.cores[axis + 1] @ after[axis + 1])) * apart
            tables[0] += np.maximum(table, 0.0)
            mass += hop_on(table[None], 1, kernel[None], low - least, (0, held + most), room)[0]
        mass = np.maximum(mass, 0.0)
        margins = mass.sum(axis=1), mass.sum(axis=0)
        (top, bottom), (first, last) = (self._inside(margins[0]), self._inside(margins[1]))
        weights = _weight(margins[0][top:bottom]), _weight(margins[1][first:last])
        now = 1 / (weights[0][:, None, None] * weights[1][:, None])
        kernels = [k[top:bottom] if k.base is not None else k[top:bottom].copy() for k in kernels]
        shift, within = (low - least - top, _holding(sums(tables[0]), self.accuracy**2 / 100))
        for chain, kernel in zip(self.chains, kernels, strict=True):
            chain.focus(axis)
            on = partial(_hopped_on, kernel[None], shift, (first, last), room, within)
            moved = _moved(chain, axis, apart[:, :, None], on, now)
            self.discarded += chain.split(axis, moved, self.accuracy)
        self.weights[axis], self.weights[axis + 1] = weights
        self.lows[axis], self.lows[axis + 1] = least + top, self.lows[axis + 1] + first
        accuracy = self.accuracy

        def back(chains: list[Chain]) -> list[Chain]:
            for chain, kernel in zip(chains, kernels, strict=True):
                chain.focus(axis)
                off = partial(_hopped_back, kernel[None], shift, (first, last), held, room)
                chain.split(axis, _moved(chain, axis, now, off, apart[:, :, None]), accuracy)
            return chains

        return back


def _holding(margin: Array, share: float) -> tuple[int, int]:
    """Where all of the mass is but for a share at either end."""
    up = margin.cumsum()
    below = share * float(up[-1])
    first = int(up.searchsorted(below, side="right"))
    last = len(margin) - int(margin[::-1].cumsum().searchsorted(below, side="right"))
    if first >= last:
        first = int(margin.argmax())
        last = first + 1
    return first, last


def _weight(mass: Array) -> Array:
    total = float(mass.sum())
    if not total > 0:
        return np.full(len(mass), 1 / sqrt(len(mass)))
    return np.sqrt(np.maximum(mass / total, _FAINT))


def _scaled(chain: Chain, factor: float) -> Chain:
    # The scale goes where nothing need be orthonormal.
    place = min(chain.left, len(chain.cores) - 1)
    cores = list(chain.cores)
    out = Chain(cores, chain.left, chain.right)
    if factor != 1:
        cores[place] = cores[place] * factor
        out.touched(place)
    return out


def _hopped_on(kernel: Array, shift: int, columns: tuple[int, int], room: Room, within: tuple[int, int], pair: Array) -> Array:
    return np.asarray(hop_on(pair[None], 2, kernel, shift, columns, room, within)[0])


def _hopped_back(kernel: Array, shift: int, columns: tuple[int, int], was: int, room: Room, pair: Array) -> Array:
    # All lines: what later looks say is asked for also where hardly anything is.
    return np.asarray(hop_back(pair[None], 2, kernel, shift, columns, was, room)[0])


def _moved(chain: Chain, place: int, before: Array, move: Callable[[Array], Array], after: Array) -> Array:
    """Two cores as one array [r, n, m, r'], weighed, moved and weighed again, some of the last bond at a time."""
    left, right = chain.cores[place : place + 2]
    flat = left.reshape(-1, left.shape[2])
    wide = right.shape[2]
    at_once = max(_AT_ONCE // (len(flat) * right.shape[1]), 1)
    out = np.empty((left.shape[0], *after.shape[:2], wide))
    for start in range(0, wide, at_once):
        part = right[:, :, start : start + at_once]
        pair = (flat @ part.reshape(len(right), -1)).reshape(*left.shape[:2], *part.shape[1:])
        pair *= before
        np.multiply(move(pair), after, out=out[..., start : start + at_once])
    return out


def _table_cores(table: Array, weights: Sequence[Array], accuracy: float) -> list[Array]:
    """A table over several axes as cores, accurate where the mass is."""
    weighed = table
    for place, weight in enumerate(weights):
        weighed = weighed * weight.reshape([-1 if p == place else 1 for p in range(table.ndim)])
    miss = accuracy * float(np.linalg.norm(weighed))
    cores, rank = [], 1
    for weight in weights[:-1]:
        flat = weighed.reshape(rank * len(weight), -1)
        left, rest, _, _ = factors(flat, miss, min(flat.shape) // 4)
        cores.append(left.reshape(rank, len(weight), -1) / weight[:, None])
        weighed, rank = rest, left.shape[1]
    cores.append(weighed.reshape(rank, len(weights[-1]), 1) / weights[-1][:, None])
    return cores


def _multiplied(chain: Chain, places: Sequence[int], table: Sequence[Array]) -> None:
    """Multiply a train by a table over some of its axes."""
    number = dict(zip(places, table, strict=True))
    rank = 1
    for place in range(places[0], places[-1] + 1):
        core = chain.cores[place]
        by = number[place] if place in number else np.broadcast_to(np.eye(rank)[:, None, :], (rank, core.shape[1], rank))
        wide = core[:, None, :, :, None] * by[None, :, :, None, :]
        chain.cores[place] = wide.reshape(core.shape[0] * by.shape[0], core.shape[1], core.shape[2] * by.shape[2])
        rank = by.shape[2]
    chain.left, chain.right = (min(chain.left, places[0]), min(chain.right, len(chain.cores) - 1 - places[-1]))


def agreed(forward: Sequence[Chain], later: Sequence[Chain]) -> list[Array]:
    """The mass of each number on each axis, given all looks: for each axis an array [n]."""
    out: list[Array] = []
    for one, other in zip(forward, later, strict=True):
        count = len(one.cores)
        ends = [np.ones((1, 1))]
        told = []
        for place in range(count - 1, -1, -1):
            told.append(other.cores[place] @ ends[-1].T)
            f = one.cores[place]
            ends.append(f.reshape(f.shape[0], -1) @ told[-1].reshape(told[-1].shape[0], -1).T)
        start = np.ones((1, 1))
        for place in range(count):
            f, b = one.cores[place], other.cores[place]
            moved = np.tensordot(start.T, f, axes=1)
            margin = (moved * told[count - 1 - place]).sum(axis=(0, 2))
            if len(out) <= place:
                out.append(margin)
            else:
                out[place] = out[place] + margin
            start = moved.reshape(-1, f.shape[2]).T @ b.reshape(-1, b.shape[2])
    return out


def at(forward: Sequence[Chain], later: Sequence[Chain], fixed: Mapping[int, int]) -> float:
    """The mass, given all looks, of all states whose place on some axes is fixed."""
    total = 0.0
    for one, other in zip(forward, later, strict=True):
        start = np.ones((1, 1))
        for place, (f, b) in enumerate(zip(one.cores, other.cores, strict=True)):
            if place in fixed:
                start = f[:, fixed[place]].T @ start @ b[:, fixed[place]]
            else:
                moved = np.tensordot(start.T, f, axes=1)
                start = moved.reshape(-1, f.shape[2]).T @ b.reshape(-1, b.shape[2])
        total += float(start[0, 0])
    return total


def summed(forward: Sequence[Chain], later: Sequence[Chain], counted: Sequence[int]) -> Array:
    """The mass, given all looks, of each sum of the places on the axes `counted`; shape [sum of sizes - ... + 1]."""
    sizes = [forward[0].cores[place].shape[1] for place in counted]
    out = np.zeros(sum(sizes) - len(sizes) + 1)
    for one, other in zip(forward, later, strict=True):
        start = np.ones((1, 1, 1))
        for place, (f, b) in enumerate(zip(one.cores, other.cores, strict=True)):
            lines = start.shape[0]
            moved = np.tensordot(start, f, axes=([1], [0]))
            if place not in counted:
                flat = moved.transpose(0, 3, 1, 2).reshape(lines * f.shape[2], -1)
                start = (flat @ b.reshape(-1, b.shape[2])).reshape(lines, f.shape[2], -1)
                continue
            start = np.zeros((lines + f.shape[1] - 1, f.shape[2], b.shape[2]))
            for n in range(f.shape[1]):
                flat = moved[:, :, n].transpose(0, 2, 1).reshape(-1, b.shape[0])
                start[n : n + lines] += (flat @ b[:, n]).reshape(lines, f.shape[2], -1)
        out += start[:, 0, 0]
    return out


def ones_after(weights: Sequence[Array], chains: int) -> list[Chain]:
    """Nothing is known of later days: one for every state."""
    return [Chain([weight[None, :, None].copy() for weight in weights]) for _ in range(chains)]


def numbers_held(chains: Sequence[Chain]) -> int:
    """How many numbers trains hold."""
    return sum(prod(core.shape) for chain in chains for core in chain.cores)


ACCURACY = 1e-9
"""What one cut of a bond may miss, of the whole length; what it does to a likelihood is of the order of the square."""
_MANY = 200
"""Up to so many items the accuracy is finer, which costs little."""
_AGAIN, _VERY_MANY = 3.0, 1500
"""Passes for a likelihood alone may miss so much more. With more items than this they go back from the last day, with windows
that leave out less: a blurred number at first may give a state less than its due, and a window cut where the mass beyond is t
has a step of sqrt(t), which takes rank where it is above the accuracy."""


@dataclass(frozen=True, slots=True)
class _Day:
    """The trains at the end of a day, given the looks so far."""

    chains: list[Chain]
    lows: list[int]
    weights: list[Array]


@dataclass(slots=True)
class TrainRun:
    """One way through the days, and back, with the joint state as a tensor train."""

    account: Account
    tolerance: float
    steps: list[list[Step]] | None = None
    initial: list[tuple[int, Array]] | None = None
    kernels: Kernels | None = None
    room: Room = field(default_factory=lambda: Room(turns=False))
    accuracy: float | None = None
    method: str = "tensor train"
    loglik: float = 0.0
    discarded: float = 0.0
    state: Train | None = None
    _days: list[_Day] = field(default_factory=list)
    _backs: list[list[Back]] = field(default_factory=list)

    def forward(self, keep: bool = False) -> float:
        """From day 0 to the last. `keep`: what is needed to come back. Returns the log likelihood."""
        steps = self.steps if self.steps is not None else plan(self.account)
        initial = self.initial if self.initial is not None else starting(self.account)
        if self.kernels is None:
            self.kernels = Kernels(self.account, max(self.tolerance, 1e-25))
        if self.accuracy is None:
            many = max(low + len(mass) for low, mass in initial) > _MANY
            self.accuracy = ACCURACY if many else ACCURACY / 1e4
        self.state = state = Train.start(self.account, self.kernels, initial, self.tolerance, self.accuracy, self.room)
        self.loglik = 0.0
        for today in steps:
            backs = []
            for step in today:
                back, scale = state.apply(step)
                self.loglik += scale
                backs.append(back)
            if self.loglik == -inf:
                return -inf
            back, total = state.settle()
            if not total > 0:
                self.loglik = -inf
                return -inf
            self.loglik += log(total)
            if keep:
                self._days.append(_Day(state.kept(), list(state.lows), list(state.weights)))
                self._backs.append([*backs, back])
        self.discarded = state.discarded
        return self.loglik

    def again(
        self, account: Account, steps: list[list[Step]] | None = None, initial: list[tuple[int, Array]] | None = None
    ) -> float:
        """The log likelihood of another account with the same looks.

        Where there are many, by a pass back from the last day: what later looks say is smooth, while a number at first that is
        known couples all stages. Its windows come from a pass forward with that number blurred.
        """
        initial = starting(account) if initial is None else initial
        many = max(low + len(mass) for low, mass in initial) > _VERY_MANY
        assert self.accuracy is not None
        shared = (self.kernels, self.room, self.accuracy * _AGAIN)
        if many:
            blurred = [_blurred(low, mass) for low, mass in initial]
            other = TrainRun(account, min(self.tolerance / 100, shared[2] ** 2 / 1000), steps, blurred, *shared)
            if other.forward(keep=True) > -inf:
                start = other.embedded(initial, blurred)
                found = at(start, other.first(), {})
                if found > 0:
                    return other.loglik + log(found)
        return TrainRun(account, self.tolerance, steps, initial, *shared).forward()

    def first(self) -> list[Chain]:
        """What all looks say of the state before the first of them."""
        after = ones_after(self._days[-1].weights, len(self._days[-1].chains))
        while self._backs:
            for back in reversed(self._backs.pop()):
                after = back(after)
        return after

    def embedded(self, initial: Sequence[tuple[int, Array]], blurred: Sequence[tuple[int, Array]]) -> list[Chain]:
        """A first state in the windows and weights of another, which holds all of its numbers."""
        assert self.kernels is not None
        assert self.accuracy is not None
        placed = []
        for (low, mass), (least, wide) in zip(initial, blurred, strict=True):
            out = np.zeros(len(wide))
            out[low - least : low - least + len(mass)] = mass
            placed.append((least, out))
        held = (self.account, self.kernels)
        true, other = (Train.start(*held, n, 0.0, self.accuracy, self.room) for n in (placed, list(blurred)))
        for place, (mine, theirs) in enumerate(zip(true.weights, other.weights, strict=True)):
            true.chains[0].cores[place] = true.chains[0].cores[place] * (mine / theirs)[:, None]
        return true.chains

    def smoothed(self) -> Smoothed:
        """What all looks together say of every day."""
        assert self.state is not None
        account, axes = self.account, self.state.axes
        classes = range(len(account.classes))
        means = [np.zeros(account.last_day + 1) for _ in classes]
        none = [np.zeros(account.last_day + 1) for _ in classes]
        later: list[list[Chain]] = [[] for _ in self._days]
        worst, most = 0.0, highest(account, axes)
        kept = [counted(account, axes, k) for k in classes]
        after = ones_after(self._days[-1].weights, len(self._days[-1].chains))
        margins: list[Array] = []
        for d in range(account.last_day, -1, -1):
            day = self._days[d]
            later[d] = [Chain(list(chain.cores)) for chain in after]
            margins = agreed(day.chains, after)
            if d == account.last_day:
                last = margins
            worst = max(worst, edge(margins, [w * w for w in day.weights], day.lows, most))
            for k in classes:
                means[k][d] = sum(float((day.lows[a] + np.arange(len(margins[a]))) @ margins[a]) for a in kept[k])
                if not any(day.lows[a] for a in kept[k]):
                    none[k][d] = max(at(day.chains, after, dict.fromkeys(kept[k], 0)), 0.0)
            for back in reversed(self._backs.pop()):
                after = back(after)
        first, end = self._days[0], self._days[-1]

        def left(k: int, d: int) -> Array:
            pmf = np.maximum(summed(self._days[d].chains, later[d], kept[k]), 0.0)
            return np.concatenate([np.zeros(sum(self._days[d].lows[a] for a in kept[k])), pmf])

        stages = [axes.index(Axis(k, 0)) for k in classes]
        declared = {a: c.declared - first.lows[a] for c, a in zip(account.classes, stages, strict=True)}
        everything = counted(account, axes)
        inside = all(0 <= place < len(first.weights[a]) for a, place in declared.items())
        return Smoothed(
            means,
            none,
            left,
            [
                _undeclared(c.declared, len(c.undeclared), margins[a], first.lows[a])
                for c, a in zip(account.classes, stages, strict=True)
            ],
            [_padded(last, end.lows, axes.index(Axis(k, -1))) if Axis(k, -1) in axes else None for k in classes],
            0.0 if any(end.lows[a] for a in everything) else at(end.chains, later[-1], dict.fromkeys(everything, 0)),
            at(first.chains, later[0], declared) if inside else 0.0,
            worst,
        )


def _blurred(low: int, mass: Array) -> tuple[int, Array]:
    """A distribution of the number at first, smeared over what a binomial number would vary by."""
    mean = low + float(np.arange(len(mass)) @ mass) / float(mass.sum())
    deviation = max(sqrt(mean), 1.0)
    reach = min(int(8 * deviation), low)
    steps = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (steps / deviation) ** 2)
    return low - reach, np.convolve(mass, bell / bell.sum())


def _undeclared(declared: int, size: int, at_first: Array, low: int) -> Array:
    out = np.zeros(size)
    out[low - declared : low - declared + len(at_first)] = np.maximum(at_first, 0.0)
    return out


def _padded(margins: Sequence[Array], lows: Sequence[int], axis: int) -> Array:
    return np.concatenate([np.zeros(lows[axis]), np.maximum(margins[axis], 0.0)])
