"""Whether any state of the world can give the counts, by differences of running totals; and if none can, which looks clash.

What has come into each stage by each day are whole numbers; that nothing leaves before it came, that a stock or a flow lies
within bounds, are all bounds on a difference of two of them. Such a system has a solution unless a cycle of bounds adds up to
less than nothing (Bellman and Ford), and the looks on that cycle clash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, inf

from tallybook.holdings.model import Account, ItemClass, Look, Uniform


@dataclass(frozen=True, slots=True)
class _AtMost:
    """`of` less `less` is at most `bound`, because of a look, or of how things move (no name)."""

    of: int
    less: int
    bound: float
    look: str


def clashing(account: Account) -> list[str]:
    """Names of looks that cannot all be right, none of them too many; empty where none is found.

    Looks that sort what they see, or of which the day is not certain, bind nothing here.
    """
    found = _clash(account)
    for name in list(found):
        fewer = replace(account, looks=tuple(k for k in account.looks if k.name in found and k.name != name))
        if rest := _clash(fewer):
            found = rest
    return found


def _clash(account: Account) -> list[str]:
    for item_class in account.classes:
        nodes = (len(item_class.stages) + 1) * (account.last_day + 1) + 1
        if found := _cycle(list(_bounds(account, item_class)), nodes):
            return found
    return []


def allowed(account: Account, look: Look, item_class: ItemClass) -> tuple[float, float]:
    """The fewest and the most items of which a look may tell, as far as it rules anything out."""
    if look.trust < 1 or look.sorts or look.bounds is not None:
        return 0, inf
    count = look.counts[0][1]
    visibilities = [v for v, weight in account.passes[look.in_pass] if weight > 0] if look.in_pass else [1.0]
    decoys = len(item_class.decoys.pmf) - 1 if item_class.decoys and look.decoy_p > 0 and not look.leaving else 0
    fewest, most = 0.0, inf
    if look.phi == 0:
        can_be_seen = look.dispersion is not None or look.p * max(visibilities) > 0
        each = max((k for k, share in enumerate(look.units_per_item) if share > 0), default=0) if look.units_per_item else 1
        need = max(count - decoys, 0)
        fewest = inf if need and not (can_be_seen and each) else ceil(need / each) if each else 0
    if look.dispersion is None and not look.units_per_item and look.p * min(visibilities) == 1:
        most = count
    return fewest, most


def _bounds(account: Account, item_class: ItemClass) -> Iterator[_AtMost]:
    """Node 0 is nothing; the others are what has come into each stage, and gone out of the last, by the end of each day."""
    days, stages = account.last_day + 1, len(item_class.stages)

    def came(stage: int, day: int) -> int:
        return 1 + stage * days + day

    possible = [u for u, share in enumerate(item_class.undeclared) if share > 0]
    yield _AtMost(came(0, 0), 0, item_class.declared + max(possible), "")
    yield _AtMost(0, came(0, 0), -(item_class.declared + min(possible)), "")
    for stage in range(1, stages + 1):
        yield _AtMost(came(stage, 0), 0, 0, "")
        yield _AtMost(0, came(stage, 0), 0, "")
    for day in range(1, days):
        yield _AtMost(came(0, day - 1), came(0, day), 0, "")
        if item_class.arrivals == 0:
            yield _AtMost(came(0, day), came(0, day - 1), 0, "")
        for stage in range(stages):
            how = 0.0 if item_class.stages[stage].gone else item_class.stages[stage].hop(day)
            yield _AtMost(came(stage + 1, day - 1), came(stage + 1, day), 0, "")
            yield _AtMost(came(stage + 1, day), came(stage, day - 1), 0, "")
            if not isinstance(how, Uniform) and how == 0:
                yield _AtMost(came(stage + 1, day), came(stage + 1, day - 1), 0, "")
            elif not isinstance(how, Uniform) and how == 1:
                yield _AtMost(came(stage, day - 1), came(stage + 1, day), 0, "")
    for look in account.looks:
        certain = [day for day, weight in look.days if weight > 0]
        if len(certain) != 1 or look.counts[0][0] != item_class.name:
            continue
        stage, day = item_class.stage(look.stage), certain[0]
        fewest, most = allowed(account, look, item_class)
        if not look.leaving:
            more, less = came(stage, day), came(stage + 1, day)
        elif day:
            more, less = came(stage + 1, day), came(stage + 1, day - 1)
        else:
            more = less = 0
        if fewest > 0:
            yield _AtMost(less, more, -fewest, look.name)
        if most < inf:
            yield _AtMost(more, less, most, look.name)


def _cycle(bounds: list[_AtMost], nodes: int) -> list[str]:
    """The looks on a cycle of bounds that adds up to less than nothing."""
    alone = [b.look for b in bounds if b.bound == -inf or (b.of == b.less and b.bound < 0)]
    if alone:
        return alone[:1]
    reach = [0.0] * nodes
    by: list[_AtMost | None] = [None] * nodes
    last = -1
    for _ in range(nodes):
        last = -1
        for b in bounds:
            if reach[b.less] + b.bound < reach[b.of]:
                reach[b.of] = reach[b.less] + b.bound
                by[b.of] = b
                last = b.of
        if last < 0:
            return []
    for _ in range(nodes):
        step = by[last]
        assert step is not None
        last = step.less
    names, at = [], last
    while True:
        step = by[at]
        assert step is not None
        names.append(step.look)
        at = step.less
        if at == last:
            return sorted({name for name in names if name}, key=names.index)
