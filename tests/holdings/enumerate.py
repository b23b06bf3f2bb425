"""The account by plain enumeration: every state of the world, day by day. For tiny accounts only.

Written from the definition of the problem alone. A state of a class is (number in each stage, standing decoys). What cannot be
told apart by a sum is enumerated: every visibility of every pass, every day of a look of uncertain day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from itertools import product
from math import comb, exp, inf, lgamma, log, prod
from typing import Any

import numpy as np
from scipy import sparse

from tallybook.holdings.model import Account, ItemClass, Look, Uniform

Array = Any
State = tuple[tuple[int, ...], int]
"""Items in each stage, and decoys."""
Spread = dict[tuple[int, ...], float]
"""Probabilities of tuples of counts."""

TAIL = 1e-16


@dataclass(frozen=True)
class Enumerated:
    """The answers of an account, with `likelihood` instead of its logarithm."""

    likelihood: float
    p_no_arrivals: float
    p_none_left: float
    p_nothing_undeclared: float
    left: dict[str, Array]
    """Per class [day, number left]."""
    undeclared: dict[str, Array]
    decoys_last: dict[str, Array]

    @property
    def loglik(self) -> float:
        return log(self.likelihood) if self.likelihood > 0 else -inf

    def mean_left(self, name: str) -> Array:
        return self.left[name] @ np.arange(self.left[name].shape[1])


# ---- one look -------------------------------------------------------------------------------------------------------------


def binomial(n: int, k: int, p: float) -> float:
    return comb(n, k) * p**k * (1 - p) ** (n - k) if 0 <= k <= n else 0.0


def beta_binomial(n: int, k: int, a: float, b: float) -> float:
    def beta(x: float, y: float) -> float:
        return lgamma(x) + lgamma(y) - lgamma(x + y)

    return comb(n, k) * exp(beta(k + a, n - k + b) - beta(a, b)) if 0 <= k <= n else 0.0


def poisson(k: int, mean: float) -> float:
    if mean == 0:
        return float(k == 0)
    return exp(k * log(mean) - mean - lgamma(k + 1))


def most(mean: float) -> int:
    """The number beyond which the Poisson tail is below 1e-16."""
    k = 0
    while mean > 0 and (k <= mean or poisson(k, mean) > TAIL):
        k += 1
    return k


def added(a: Spread, b: Spread) -> Spread:
    out: Spread = {}
    for (x, u), (y, v) in product(a.items(), b.items()):
        key = tuple(i + j for i, j in zip(x, y, strict=True))
        out[key] = out.get(key, 0.0) + u * v
    return out


def one_of(shares: list[float]) -> Spread:
    """One thing recorded under one of the headings, or not at all."""
    none = tuple(0 for _ in shares)
    out: Spread = {none: 1 - sum(shares)}
    for k, share in enumerate(shares):
        out[tuple(int(k == i) for i in range(len(shares)))] = share
    return out


def many_of(n: int, one: Spread) -> Spread:
    none: Spread = {tuple(0 for _ in next(iter(one))): 1.0}
    return reduce(added, [one] * n, none)


def mixed(parts: list[tuple[float, Spread]]) -> Spread:
    out: Spread = {}
    for weight, spread in parts:
        for key, value in spread.items():
            out[key] = out.get(key, 0.0) + weight * value
    return out


@lru_cache(maxsize=4096)
def recorded_items(look: Look, n: int, visibility: float, shares: tuple[float, ...]) -> Spread:
    """What n items of one class add to the record. `shares`: how a detected item is sorted."""
    if look.dispersion is not None:
        a, b = look.dispersion
        kept = one_of([visibility * share for share in shares])
        return mixed([(beta_binomial(n, seen, a, b), many_of(seen, kept)) for seen in range(n + 1)])
    crate = one_of([look.p * visibility * share for share in shares])
    if look.units_per_item:
        return many_of(n, mixed([(weight, many_of(c, crate)) for c, weight in enumerate(look.units_per_item)]))
    return many_of(n, crate)


def probability_of(account: Account, look: Look, numbers: tuple[tuple[int, int], ...], visibility: float) -> float:
    """P(the counts of a look | (items, decoys) of each class)."""
    headings = [name for name, _ in look.counts]
    spread: Spread = {tuple(0 for _ in headings): 1.0}
    for item_class, (n, z) in zip(account.classes, numbers, strict=True):
        own = tuple(float(name == item_class.name) for name in headings)
        shares = own
        if look.sorts:
            row = account.recognition.get(item_class.name, {item_class.name: 1.0})
            shares = tuple(row.get(name, 0.0) for name in headings)
        spread = added(spread, recorded_items(look, n, visibility, shares))
        if not look.leaving:
            spread = added(spread, many_of(z, one_of([look.decoy_p * visibility * share for share in own])))

    def with_false(wanted: tuple[int, ...]) -> float:
        total = 0.0
        for seen, weight in spread.items():
            false = [y - x for x, y in zip(seen, wanted, strict=True)]
            if min(false) >= 0:
                total += weight * prod(poisson(k, look.phi) for k in false)
        return total

    if look.bounds is not None:
        low, high = look.bounds
        top = max(key[0] for key in spread) + most(look.phi) + low if high is None else high
        right = sum(with_false((y,)) for y in range(low, top + 1))
    else:
        right = with_false(tuple(y for _, y in look.counts))
    wrong = (look.span + 1.0) ** -len(headings)
    if look.bounds is not None:
        low, high = look.bounds
        wrong *= max(sum(1 for y in range(look.span + 1) if low <= y and (high is None or y <= high)), 1)
    return look.trust * right + (1 - look.trust) * wrong


# ---- one day of one class -------------------------------------------------------------------------------------------------


def states_of(item_class: ItemClass, last_day: int, arrivals: bool) -> list[State]:
    top = item_class.declared + len(item_class.undeclared) - 1
    top += most(item_class.arrivals * last_day) if arrivals else 0
    decoys = len(item_class.decoys.pmf) if item_class.decoys else 1

    def places(stages: int, items: int) -> Iterator[tuple[int, ...]]:
        if stages == 0:
            yield ()
        else:
            for n in range(items + 1):
                for others in places(stages - 1, items - n):
                    yield (n, *others)

    return [(items, z) for items in places(len(item_class.stages), top) for z in range(decoys)]


def hops(item_class: ItemClass, states: list[State], day: int, watched: tuple[int, ...]) -> tuple[Array, list[tuple[int, ...]]]:
    """Sparse [state, (state after the hops, numbers that left the watched stages)], and the latter's names."""
    index = {state: i for i, state in enumerate(states)}
    names: dict[tuple[int, ...], int] = {}
    rows, columns, values = [], [], []

    @cache
    def leave(stage: int, n: int) -> list[float]:
        hop = item_class.stages[stage].hop(day)
        if isinstance(hop, Uniform):
            return [beta_binomial(n, k, hop.a, hop.b) for k in range(n + 1)]
        return [binomial(n, k, hop) for k in range(n + 1)]

    for i, (items, z) in enumerate(states):
        for left in product(*(range(n + 1) for n in items)):
            weight = 1.0
            for stage, k in enumerate(left):
                weight *= leave(stage, items[stage])[k]
            if weight == 0:
                continue
            after = tuple(n - k + (left[s - 1] if s else 0) for s, (n, k) in enumerate(zip(items, left, strict=True)))
            name = (index[after, z], *(left[s] for s in watched))
            rows.append(i)
            columns.append(names.setdefault(name, len(names)))
            values.append(weight)
    return sparse.csr_array((values, (rows, columns)), shape=(len(states), max(len(names), 1))), list(names)


def forget(states: list[State], names: list[tuple[int, ...]]) -> Array:
    """Sparse [(state, numbers that left), state]."""
    return sparse.csr_array(
        (np.ones(len(names)), (np.arange(len(names)), [n[0] for n in names])), shape=(len(names), len(states))
    )


def arrive_and_fade(item_class: ItemClass, states: list[State], arrivals: bool) -> Array:
    """Sparse [state, state]: new items in the first stage, and decoys that go."""
    index = {state: i for i, state in enumerate(states)}
    survive = item_class.decoys.survive if item_class.decoys else 1.0
    rows, columns, values = [], [], []
    for i, ((first, *others), z) in enumerate(states):
        for new in range(most(item_class.arrivals) + 1 if arrivals else 1):
            for still in range(z + 1):
                to = index.get(((first + new, *others), still))
                weight = poisson(new, item_class.arrivals) * binomial(z, still, survive)
                if to is not None and weight > 0:
                    rows.append(i)
                    columns.append(to)
                    values.append(weight)
    return sparse.csr_array((values, (rows, columns)), shape=(len(states), len(states)))


def along(axis: int, matrix: Array, x: Array) -> Array:
    """The tensor with one axis multiplied: x[..., i, ...] matrix[i, j]."""
    moved = np.moveaxis(x, axis, 0)
    flat = matrix.T @ moved.reshape(moved.shape[0], -1)
    return np.moveaxis(flat.reshape(matrix.shape[1], *moved.shape[1:]), 0, axis)


# ---- the whole account ----------------------------------------------------------------------------------------------------


class _World:
    """All states of an account, with what does not change from one reading to the next."""

    def __init__(self, account: Account, *, arrivals: bool) -> None:
        self.account, self.arrivals = account, arrivals
        self.states = [states_of(c, account.last_day, arrivals) for c in account.classes]
        self.moves = [arrive_and_fade(c, s, arrivals) for c, s in zip(account.classes, self.states, strict=True)]
        self.hop = cache(self._hop)
        self.chance = cache(self._chance)

    def _hop(self, k: int, day: int, watched: tuple[int, ...]) -> tuple[Array, list[tuple[int, ...]]]:
        return hops(self.account.classes[k], self.states[k], day, watched)

    def _chance(self, look: int, numbers: tuple[tuple[int, int], ...], visibility: float) -> float:
        return probability_of(self.account, self.account.looks[look], numbers, visibility)

    def seen(self, index: int, visibility: float, number: list[list[tuple[int, int]]]) -> Array:
        """The likelihood of a look over the joint states; `number`: (items, decoys) looked at, per class and state."""
        look = self.account.looks[index]
        named = {name for name, _ in look.counts}
        matters = [look.sorts or c.name in named for c in self.account.classes]
        number = [x if m else [(0, 0)] * len(x) for x, m in zip(number, matters, strict=True)]
        kinds = [sorted(set(x)) for x in number]
        table = np.array([self.chance(index, numbers, visibility) for numbers in product(*kinds)])
        picked = [np.array([kind.index(n) for n in x]) for kind, x in zip(kinds, number, strict=True)]
        return table.reshape([len(k) for k in kinds])[np.ix_(*picked)]

    def first(self) -> Array:
        joint: Array = np.ones(())
        for item_class, states in zip(self.account.classes, self.states, strict=True):
            prior = dict.fromkeys(states, 0.0)
            nowhere = (0,) * (len(item_class.stages) - 1)
            decoys = item_class.decoys.pmf if item_class.decoys else (1.0,)
            for (u, a), (z, b) in product(enumerate(item_class.undeclared), enumerate(decoys)):
                prior[(item_class.declared + u, *nowhere), z] += a * b
            joint = np.multiply.outer(joint, np.array(list(prior.values())))
        return joint

    def watched(self, day: int, days: list[int]) -> list[tuple[int, ...]]:
        """The stages whose leaving is looked at on a day, per class."""
        looks = [look for look, on in zip(self.account.looks, days, strict=True) if on == day and look.leaving]
        return [tuple(sorted({c.stage(look.stage) for look in looks} - {-1})) for c in self.account.classes]

    def stock_looks(self, day: int, days: list[int], visibility: list[float]) -> Array:
        out: Array = np.ones([len(s) for s in self.states])
        for i, look in enumerate(self.account.looks):
            if days[i] != day or (look.leaving and day > 0):
                continue
            number = []
            for c, states in zip(self.account.classes, self.states, strict=True):
                stage = c.stage(look.stage)
                number.append([(0 if look.leaving or stage < 0 else items[stage], z) for items, z in states])
            out = out * self.seen(i, visibility[i], number)
        return out

    def leaving_looks(self, day: int, days: list[int], visibility: list[float]) -> Array:
        watched = self.watched(day, days)
        names = [self.hop(k, day, w)[1] for k, w in enumerate(watched)]
        out: Array = np.ones([len(n) for n in names])
        for i, look in enumerate(self.account.looks):
            if days[i] != day or not look.leaving:
                continue
            number = []
            for c, w, own in zip(self.account.classes, watched, names, strict=True):
                stage = c.stage(look.stage)
                number.append([(name[1 + w.index(stage)] if stage >= 0 else 0, 0) for name in own])
            out = out * self.seen(i, visibility[i], number)
        return out

    def one_reading(self, days: list[int], visibility: list[float]) -> tuple[list[Array], list[Array]]:
        """Weights forward (with the day's looks) and backward (without), for every day; days and visibilities certain."""
        classes, last = range(len(self.states)), self.account.last_day
        forward = [self.first() * self.stock_looks(0, days, visibility)]
        backward: list[Array] = [np.ones_like(forward[0])]
        matrices = []
        for day in range(1, last + 1):
            hop = [self.hop(k, day, w) for k, w in enumerate(self.watched(day, days))]
            then = [forget(s, h[1]) @ m for s, h, m in zip(self.states, hop, self.moves, strict=True)]
            leaving, stock = self.leaving_looks(day, days, visibility), self.stock_looks(day, days, visibility)
            matrices.append(([h[0] for h in hop], leaving, then, stock))
            x = forward[-1]
            for k in classes:
                x = along(k, hop[k][0], x)
            x = x * leaving
            for k in classes:
                x = along(k, then[k], x)
            forward.append(x * stock)
        for hop_matrices, leaving, then, stock in reversed(matrices):
            x = backward[0] * stock
            for k in classes:
                x = along(k, then[k].T, x)
            x = x * leaving
            for k in classes:
                x = along(k, hop_matrices[k].T, x)
            backward.insert(0, x)
        return forward, backward


def readings(account: Account) -> Iterator[tuple[float, list[int], list[float]]]:
    """Every choice of days and visibilities with its weight: (weight, day per look, visibility per look)."""
    used = sorted({look.in_pass for look in account.looks if look.in_pass})
    for sight in product(*(account.passes[name] for name in used)):
        visible = dict(zip(used, (v for v, _ in sight), strict=True))
        for choice in product(*(look.days for look in account.looks)):
            weight = float(np.prod([w for _, w in sight])) * float(np.prod([w for _, w in choice]))
            yield weight, [day for day, _ in choice], [visible.get(look.in_pass, 1.0) for look in account.looks]


def per_number(values: Array, axis: int, number: list[int]) -> Array:
    """A joint tensor summed to one class, by a number that each of its states has."""
    others = tuple(k for k in range(values.ndim) if k != axis)
    return np.bincount(number, values.sum(axis=others), minlength=max(number) + 1)


def enumerate_account(account: Account) -> Enumerated:
    """All answers of an account, by brute force."""
    world, closed = _World(account, arrivals=True), _World(account, arrivals=False)
    total = shut = none = nothing = 0.0
    left: dict[str, Array] = {}
    undeclared: dict[str, Array] = {}
    decoys: dict[str, Array] = {}

    def add(store: dict[str, Array], name: str, value: Array) -> None:
        store[name] = store.get(name, 0) + value

    def here(item_class: ItemClass) -> Callable[[State], int]:
        return lambda state: sum(n for n, stage in zip(state[0], item_class.stages, strict=True) if not stage.gone)

    for weight, days, visibility in readings(account):
        forward, backward = world.one_reading(days, visibility)
        total += weight * float(forward[-1].sum())
        shut += weight * float(closed.one_reading(days, visibility)[0][-1].sum())
        gone = [np.array([here(c)(s) == 0 for s in states]) for c, states in zip(account.classes, world.states, strict=True)]
        none += weight * float(forward[-1][np.ix_(*gone)].sum())
        start = forward[0] * backward[0]
        bare = [
            np.array([sum(s[0]) == c.declared for s in states]) for c, states in zip(account.classes, world.states, strict=True)
        ]
        nothing += weight * float(start[np.ix_(*bare)].sum())
        for k, c in enumerate(account.classes):
            number = [here(c)(s) for s in world.states[k]]
            table = np.array([per_number(f * b, k, number) for f, b in zip(forward, backward, strict=True)])
            add(left, c.name, weight * table)
            at_first = per_number(start, k, [sum(s[0]) for s in world.states[k]])
            add(undeclared, c.name, weight * at_first[c.declared : c.declared + len(c.undeclared)])
            if c.decoys:
                add(decoys, c.name, weight * per_number(forward[-1], k, [s[1] for s in world.states[k]]))
    if total == 0:
        return Enumerated(0.0, 0.0, 0.0, 0.0, left, undeclared, decoys)
    scaled = [{name: value / total for name, value in store.items()} for store in (left, undeclared, decoys)]
    return Enumerated(total, shut / total, none / total, nothing / total, *scaled)
