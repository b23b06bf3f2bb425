"""What a step must say, as the checker works it out, and the comparison with what the explanation says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tallybook.checker.changes import START_OF_TIME, CannotTellError
from tallybook.checker.conditions import ConditionBook
from tallybook.checker.provisions import AGREEMENT
from tallybook.checker.walk import Complaints, Step
from tallybook.checker.world import World


@dataclass(frozen=True, slots=True)
class Tree:
    """A condition, to be explained as things stood in `world`, at an instant."""

    world: World
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Leaf:
    """What records something: a report row, or a quotation (its instrument and words)."""

    report: str
    quote: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """A step as it must be. `facts` None: the checker cannot tell, and takes them as given. Without `below` it quotes `quote`."""

    rule: str
    facts: dict[str, Any] | None
    says: str | None
    quote: str
    below: Sequence[Tree | Leaf | Expected] | None = field(default_factory=tuple)


def stamp(world: World, at: datetime | None) -> str | None:
    """An instant to the last digit; None for none, and for the beginning of time."""
    return None if at is None or at == START_OF_TIME else at.astimezone(world.file.tz).isoformat()


def or_unknown(rule: str, quote: str, make: Callable[[], Expected]) -> Expected:
    """A step, or one whose facts are taken as given where they wait for what the checker does not work out."""
    try:
        return make()
    except CannotTellError:
        return Expected(rule, None, None, quote, None)


def compare(
    parent: Step, steps: Sequence[Step], wanted: Sequence[Tree | Leaf | Expected], path: tuple[str, ...], out: Complaints
) -> None:
    """Hold the steps below a step against those that must be there, in this order."""
    if len(steps) != len(wanted):
        names = [
            one.rule if isinstance(one, Expected) else "a condition" if isinstance(one, Tree) else "a source" for one in wanted
        ]
        out.add(parent, "steps below", names, [step.rule for step in steps])
        return
    for step, one in zip(steps, wanted, strict=True):
        if isinstance(one, Tree):
            ConditionBook(one.text, one.world.facts, one.world.file.tz, out, path=path).check(step, one.at)
        elif isinstance(one, Leaf):
            _leaf(step, one, out)
        else:
            compare_one(step, one, path, out)


def compare_one(step: Step, wanted: Expected, path: tuple[str, ...], out: Complaints) -> None:
    """Hold one step against what it must be."""
    out.expect(step, "rule", wanted.rule, step.rule)
    if step.rule != wanted.rule:
        return
    if wanted.facts is not None:
        out.facts(step, wanted.facts)
    if wanted.says is not None:
        out.says(step, wanted.says)
    if wanted.below is None:
        return
    if not wanted.below and not step.children:
        out.expect(step, "quote", (AGREEMENT, wanted.quote), step.quote)
    compare(step, step.children, wanted.below, path, out)


def _leaf(step: Step, wanted: Leaf, out: Complaints) -> None:
    out.expect(step, "rule", "recorded" if wanted.report else "quotation", step.rule)
    out.expect(step, "source", (wanted.report, wanted.quote), (step.report, step.quote))
    out.facts(step, {})
    instrument, quote = wanted.quote
    out.says(step, f"Recorded by {wanted.report}." if wanted.report else f'{instrument}: "{quote}"')
