"""What a look says: the probability of its counts, for every number that may have been there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Any

import numpy as np

from tallybook.holdings.model import Account, Look
from tallybook.holdings.numbers import (
    NEVER,
    Array,
    Ints,
    log_beta_binomial,
    log_binomial,
    log_poisson,
    log_poisson_between,
    scaled,
)

ITEMS, DECOYS = "items", "decoys"
_SMALL = 1e-100
_FALSE_COUNT_FLOOR = -800.0
"""Numbers of false counts whose log probability is below this are left out while others explain the count."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a look looks at, one axis of the joint state: the items of a class in the stage, or its decoys."""

    item_class: int
    kind: str


def subjects(account: Account, look: Look) -> tuple[Subject, ...]:
    """The axes that a look depends on, items before decoys of a class."""
    out = []
    counted = {name for name, _ in look.counts}
    for k, item_class in enumerate(account.classes):
        if not look.sorts and item_class.name not in counted:
            continue
        out.append(Subject(k, ITEMS))
        if look.decoy_p > 0 and item_class.decoys is not None and item_class.name in counted and not look.leaving:
            out.append(Subject(k, DECOYS))
    return tuple(out)


def likelihood(account: Account, look: Look, visibility: float, ranges: Sequence[tuple[int, int]]) -> tuple[Array, float]:
    """The probability of a look's counts over the numbers of its subjects.

    `ranges`: lowest and highest number of each of `subjects(account, look)`. Returns an array with one axis per subject, scaled,
    and the logarithm of the scale (minus infinity where no number in the ranges can give the counts).
    """
    if look.bounds is not None:
        low, high = look.bounds
        values, scale = _between(account, look, visibility, ranges, low, high)
    else:
        values, scale = _exactly(account, look, visibility, ranges, dict(look.counts))
    if look.trust == 1:
        return values, scale
    wrong = (1 - look.trust) / (look.span + 1) ** max(len(look.counts), 1)
    if look.bounds is not None:
        # Any number up to the span is as likely, and the bounds let so many of them through.
        top = look.span if look.bounds[1] is None else min(look.bounds[1], look.span)
        wrong *= max(top - look.bounds[0] + 1, 1)
    if scale == NEVER:
        return np.ones_like(values), log(wrong) if wrong > 0 else NEVER
    with np.errstate(divide="ignore"):
        logs = np.logaddexp(
            np.log(values) + scale + log(look.trust) if look.trust > 0 else np.full_like(values, NEVER), log(wrong)
        )
    return scaled(logs)


def _between(
    account: Account, look: Look, visibility: float, ranges: Sequence[tuple[int, int]], low: int, high: int | None
) -> tuple[Array, float]:
    """The sum over the counts that the bounds leave open."""
    name = look.counts[0][0]
    if len(ranges) == 1 and not look.sorts and not look.units_per_item:
        return _one_axis(look, visibility, ranges[0], low, high)
    if high is None:
        most = max((1 if not look.units_per_item else len(look.units_per_item) - 1), 1) * sum(top for _, top in ranges)
        high = max(low, most + int(look.phi + 12 * (look.phi + 1) ** 0.5 + 30 if look.phi > 0 else 0))
    total: Array | None = None
    for count in range(low, high + 1):
        values, scale = _exactly(account, look, visibility, ranges, {name: count})
        with np.errstate(divide="ignore"):
            logs = np.log(values) + scale if scale != NEVER else np.full_like(values, NEVER)
        total = logs if total is None else np.logaddexp(total, logs)
    assert total is not None
    return scaled(total)


def _exactly(
    account: Account, look: Look, visibility: float, ranges: Sequence[tuple[int, int]], counts: dict[str, int]
) -> tuple[Array, float]:
    of = subjects(account, look)
    if len(of) == 1 and len(counts) == 1 and not look.sorts and not look.units_per_item:
        count = next(iter(counts.values()))
        return _one_axis(look, visibility, ranges[0], count, count)
    box = tuple(counts.values())
    shape = tuple(y + 1 for y in box)
    names = list(counts)
    tables = [seen_tables(account, look, visibility, s, names, shape, *r) for s, r in zip(of, ranges, strict=True)]
    joint, scale = tables[0]
    for table, logs in tables[1:-1]:
        joint, scale = _combined(joint, table, len(box)), np.add.outer(scale, logs)
    rest = false_counts(look.phi, box)
    if len(tables) > 1:
        rest, scale = _combined(rest[None], tables[-1][0], len(box))[0], np.add.outer(scale, tables[-1][1])
    # The record is what was seen (j) and the rest: the j-th against the (y - j)-th.
    flipped = np.flip(rest, axis=tuple(range(-len(box), 0)))
    axes = list(range(-len(box), 0))
    values = np.tensordot(joint, flipped, axes=(axes, axes))
    with np.errstate(divide="ignore"):
        return scaled(np.log(values) + scale)


def _one_axis(look: Look, visibility: float, numbers: tuple[int, int], low: int, high: int | None) -> tuple[Array, float]:
    """Items of one class, or nothing but false counts, counted between two numbers: the common look, in logarithms."""
    n = np.arange(numbers[0], numbers[1] + 1)
    least = low if look.phi == 0 else 0
    seen = np.arange(least, numbers[1] + 1 if high is None else min(high, numbers[1]) + 1)
    if not len(seen):
        return np.zeros(len(n)), NEVER
    false = log_poisson(low - seen, look.phi) if low == high else log_poisson_between(low - seen, high, seen, look.phi)
    if len(n) * len(seen) > 20_000 and look.phi > 0:
        kept = false > _FALSE_COUNT_FLOOR
        if kept.any():
            seen, false = seen[kept], false[kept]
    if look.dispersion is not None:
        detected = _thinned_dispersion(look.dispersion, visibility, n, seen)
    else:
        detected = log_binomial(n[:, None], seen[None, :], look.p * visibility)
    logs = detected + false[None, :]
    top = logs.max(axis=1)
    safe = np.where(top == NEVER, 0.0, top)
    with np.errstate(divide="ignore"):
        sums = np.log(np.exp(logs - safe[:, None]).sum(axis=1)) + safe
    return scaled(np.where(top == NEVER, NEVER, sums))


def _thinned_dispersion(dispersion: tuple[float, float], visibility: float, n: Ints, seen: Ints) -> Array:
    """A beta-binomial count, each item of it kept with the visibility of the pass; logarithms, shape [n, seen]."""
    a, b = dispersion
    if visibility == 1:
        return log_beta_binomial(n[:, None], seen[None, :], a, b)
    whole = np.arange(int(n.max()) + 1)
    counted = np.exp(log_beta_binomial(n[:, None], whole[None, :], a, b))
    kept = np.exp(log_binomial(whole[:, None], seen[None, :], visibility))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(counted @ kept))


def seen_tables(
    account: Account, look: Look, visibility: float, of: Subject, names: list[str], shape: tuple[int, ...], low: int, high: int
) -> tuple[Array, Array]:
    """P(recorded = j | number = n) for n = low..high and j below `shape`.

    Returns an array [high - low + 1, *shape], and for each n the logarithm of a scale that was taken out.
    """
    item_class = account.classes[of.item_class]
    if of.kind == DECOYS:
        shares = {item_class.name: 1.0}
        per_one = _record(look.decoy_p * visibility, shares, names, shape)
        return _powers(per_one, low, high, shape)
    shares = dict(account.recognition.get(item_class.name, {item_class.name: 1.0})) if look.sorts else {item_class.name: 1.0}
    if look.dispersion is not None:
        detected = _thinned_dispersion(look.dispersion, visibility, np.arange(low, high + 1), np.arange(high + 1))
        sorted_, logs = _powers(_record(1.0, shares, names, shape), 0, high, shape)
        weighed = detected + logs
        top = weighed.max(axis=1)
        return np.tensordot(np.exp(weighed - top[:, None]), sorted_, axes=1), top
    one = _record(look.p * visibility, shares, names, shape)
    if look.units_per_item:
        one = _crates(one, look.units_per_item, shape)
    return _powers(one, low, high, shape)


def _record(p: float, shares: dict[str, float], names: list[str], shape: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """What one thing adds to the record, seen with probability p and sorted by the shares."""
    none = (0,) * len(shape)
    out = {none: 1.0}
    for place, name in enumerate(names):
        share = p * shares.get(name, 0.0)
        out[none] -= share
        if share and shape[place] > 1:
            out[tuple(int(i == place) for i in range(len(shape)))] = share
    out[none] = max(out[none], 0.0)
    return out


def _crates(one: dict[tuple[int, ...], float], units: Sequence[float], shape: tuple[int, ...]) -> dict[tuple[int, ...], float]:
    """What one item adds when it travels in 0, 1, 2, ... crates."""
    out: dict[tuple[int, ...], float] = {}
    power = {(0,) * len(shape): 1.0}
    for share in units:
        for place, weight in power.items():
            out[place] = out.get(place, 0.0) + share * weight
        following: dict[tuple[int, ...], float] = {}
        for (a, u), (b, w) in product(power.items(), one.items()):
            place = tuple(x + y for x, y in zip(a, b, strict=True))
            if all(x < s for x, s in zip(place, shape, strict=True)):
                following[place] = following.get(place, 0.0) + u * w
        power = following
    return out


def _powers(one: dict[tuple[int, ...], float], low: int, high: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """The n-fold convolution of what one thing adds, for n = low..high, cut to the box, and logarithms of scales taken out."""
    out = np.zeros((high - low + 1, *shape))
    logs, scale = np.zeros(high - low + 1), 0.0
    row = np.zeros(shape)
    row[(0,) * len(shape)] = 1.0
    for n in range(high + 1):
        top = float(row.max())
        if 0 < top < _SMALL:
            row /= top
            scale += log(top)
        if n >= low:
            out[n - low], logs[n - low] = row, scale
        following = np.zeros(shape)
        for place, weight in one.items():
            to = tuple(slice(p, None) for p in place)
            of = tuple(slice(0, s - p) for p, s in zip(place, shape, strict=True))
            following[to] += weight * row[of]
        row = following
    return out, logs


def _combined(joint: Array, table: Array, axes: int) -> Array:
    """Two independent contributions added up: shapes [*a, *box] and [n, *box] to [*a, n, *box], cut to the box."""
    before, box = joint.shape[: joint.ndim - axes], joint.shape[joint.ndim - axes :]
    out = np.zeros((*before, table.shape[0], *box))
    for place in np.ndindex(*box):
        part = table[(slice(None), *place)]
        if not part.any():
            continue
        to = tuple(slice(p, None) for p in place)
        of = tuple(slice(0, s - p) for p, s in zip(place, box, strict=True))
        held: tuple[Any, ...] = (..., *of)
        moved = joint[held]
        spread = moved[(*(slice(None) for _ in before), None)] * part.reshape((1,) * len(before) + (-1,) + (1,) * axes)
        out[(*(slice(None) for _ in before), slice(None), *to)] += spread
    return out


def false_counts(phi: float, box: tuple[int, ...]) -> Array:
    """P(e false counts) in each recorded class up to the counts of the box: shape [y + 1, ...]."""
    out = np.ones(())
    for count in box:
        out = np.multiply.outer(out, np.exp(log_poisson(np.arange(count + 1), phi)))
    return out
