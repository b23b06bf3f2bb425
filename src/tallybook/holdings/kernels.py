"""The matrices and tables that steps need, each made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import comb, log, prod, sqrt

import numpy as np

from tallybook.holdings.likelihood import Subject, false_counts, likelihood, seen_tables, subjects
from tallybook.holdings.model import Account, Look, Uniform
from tallybook.holdings.numbers import Array, Ints, log_beta_binomial, log_binomial, poisson_until
from tallybook.holdings.schedule import Hop, Key, Step, steps_by_day

FlowKey = tuple[tuple[Key, ...], tuple[tuple[Key, int], ...]]
"""What looks at those that leave depend on, and the term of each look that couples classes."""

WHOLE_TABLE = 700
"""Up to this many items the whole table of a hop is kept, and windows are cut from it."""


@dataclass(slots=True)
class Kernels:
    """`tail`: what is left out of the numbers that may arrive on one day."""

    account: Account
    tail: float
    _hops: dict[tuple[float | Uniform, int], Array] = field(default_factory=dict)
    _arriving: dict[float, Array] = field(default_factory=dict)
    _terms: dict[tuple[str, bool, float, int], list[list[Array]]] = field(default_factory=dict)

    def subjects(self, look: Look) -> tuple[Subject, ...]:
        """What a look looks at."""
        return subjects(self.account, look)

    def hop(self, how: float | Uniform, stays: tuple[int, int], was: tuple[int, int]) -> Array:
        """P(n' stay | n were there), as [n', n] over the two ranges (ends included)."""
        most = was[1]
        if most <= WHOLE_TABLE:
            # Rounded up, so that a window that grows by one does not make a new table.
            size = 64
            while size <= most:
                size *= 2
            key = (how, size)
            if key not in self._hops:
                n = np.arange(size)
                self._hops[key] = np.exp(_log_stay(how, n[:, None], n[None, :]))
            return self._hops[key][stays[0] : stays[1] + 1, was[0] : was[1] + 1]
        return np.exp(_log_stay(how, np.arange(stays[0], stays[1] + 1)[:, None], np.arange(was[0], was[1] + 1)[None, :]))

    def reach(self, how: float | Uniform, low: int, high: int) -> tuple[int, int, int]:
        """Of low to high items: the fewest and most that may stay, and the fewest of `high` that may, but for less than `tail`.

        By Bernstein's inequality: P(X > np + sqrt(2 np(1-p) t) + t/3) < exp(-t).
        """
        if isinstance(how, Uniform):
            return 0, high, 0
        t = log(1 / self.tail) + 25
        spread = [sqrt(2 * n * how * (1 - how) * t) + t / 3 for n in (low, high)]
        least = max(int(low * (1 - how) - spread[0]), 0) if how > 0 else low
        most = min(int(high * (1 - how) + spread[1]) + 1, high)
        fewest = max(int(high * (1 - how) - spread[1]), 0) if how > 0 else high
        return least, most, fewest

    def arriving(self, mean: float) -> Array:
        """P(k arrive) for k = 0, 1, ..."""
        if mean not in self._arriving:
            self._arriving[mean] = poisson_until(mean, self.tail)
        return self._arriving[mean]

    def seen(self, look: Look, key: Key, ranges: Sequence[tuple[int, int]]) -> tuple[Array, float]:
        """What a look says over the numbers of its subjects, and the logarithm of its scale."""
        bears, visibility = key
        if not bears:
            return np.ones([high - low + 1 for low, high in ranges]), 0.0
        return likelihood(self.account, look, visibility, ranges)

    def flow(self, step: Hop, key: FlowKey, most: int) -> tuple[Array | None, float]:
        """What the looks at one hop say of how many left, 0..most; None where nobody looked."""
        simple, joint = key
        total: Array | None = None
        scale = 0.0
        for factor, factor_key in zip(step.factors, simple, strict=True):
            table, top = self.seen(factor.look, factor_key, [(0, most)])
            total = table if total is None else total * table
            scale += top
        for coupled, (factor_key, term) in zip(step.joint, joint, strict=True):
            vectors = self._joint_terms(coupled.factor.look, factor_key, most)[term]
            table = vectors[step.item_class]
            total = table if total is None else total * table
        return total, scale

    def _joint_terms(self, look: Look, key: Key, most: int) -> list[list[Array]]:
        """Terms of a sum of products, one vector per class, that give what a look at several classes leaving says."""
        bears, visibility = key
        cache = (look.name, bears, visibility, most)
        if cache in self._terms:
            return self._terms[cache]
        classes = len(self.account.classes)
        ones = [np.ones(most + 1) for _ in range(classes)]
        if not bears:
            none = [np.zeros(most + 1) for _ in range(classes)]
            terms = [ones, *([none] * (joint_terms(self.account, look) - 1))]
        else:
            box = tuple(y + 1 for _, y in look.counts)
            names = [name for name, _ in look.counts]
            tables = []
            for k in range(classes):
                table, logs = seen_tables(self.account, look, visibility, Subject(k, "items"), names, box, 0, most)
                tables.append(table * np.exp(logs).reshape(-1, *(1 for _ in box)))
            false = false_counts(look.phi, tuple(y for _, y in look.counts))
            terms = [[v * 1.0 for v in vectors] for vectors in _coupled(tables, false, box)]
            if look.trust < 1:
                terms = [[v[0] * look.trust, *v[1:]] for v in terms]
                terms.append([ones[0] * wrong(look), *ones[1:]])
        self._terms[cache] = terms
        return terms


def wrong(look: Look) -> float:
    """The probability of the counts of a report that is wrong."""
    return float((1 - look.trust) / (look.span + 1) ** len(look.counts))


def joint_terms(account: Account, look: Look) -> int:
    """How many terms couple the classes in a look that sorts what leaves."""
    others = len(account.classes) - 1
    return prod(comb(y + others, others) for _, y in look.counts) + (look.trust < 1)


def _shares(classes: int, box: tuple[int, ...]) -> list[tuple[tuple[int, ...], ...]]:
    """Every way in which all classes but the last may have given part of the record."""
    out: list[tuple[tuple[int, ...], ...]] = [()]
    for _ in range(classes):
        grown = []
        for taken in out:
            used = [sum(part[c] for part in taken) for c in range(len(box))]
            grown += [(*taken, place) for place in np.ndindex(*(b - u for b, u in zip(box, used, strict=True)))]
        out = grown
    return out


def _coupled(tables: Sequence[Array], false: Array, box: tuple[int, ...]) -> list[list[Array]]:
    last = tables[-1]
    terms = []
    for taken in _shares(len(tables) - 1, box):
        rest = tuple(b - 1 - sum(part[c] for part in taken) for c, b in enumerate(box))
        cut = tuple(slice(0, r + 1) for r in rest)
        flipped = false[cut][tuple(slice(None, None, -1) for _ in rest)]
        held: tuple[slice, ...] = (slice(None), *cut)
        closing = np.tensordot(last[held], flipped, axes=len(box))
        terms.append(
            [*(np.asarray(np.moveaxis(table, 0, -1)[part]) for table, part in zip(tables[:-1], taken, strict=True)), closing]
        )
    return terms


def _log_stay(how: float | Uniform, stays: Ints, was: Ints) -> Array:
    if isinstance(how, Uniform):
        return log_beta_binomial(was, was - stays, how.a, how.b)
    return log_binomial(was, was - stays, how)


def plan(account: Account) -> list[list[Step]]:
    """The steps of each day of an account."""
    return steps_by_day(account, {k.name: joint_terms(account, k) for k in account.looks if k.leaving and k.sorts})


def starting(account: Account) -> list[tuple[int, Array]]:
    """Per class the lowest number at first and the weights from it up."""
    return [(c.declared, np.array(c.undeclared)) for c in account.classes]
