"""The rules about members and numbers, re-applied: every, some, comparisons, counts, amounts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tallybook.checker.changes import CannotTellError
from tallybook.checker.evaluate import compared
from tallybook.checker.leaves import check_sources
from tallybook.checker.parse import Part, Scope, bound
from tallybook.checker.tables import TRUTHS, conjunction, disjunction
from tallybook.checker.walk import Step, instant

if TYPE_CHECKING:
    from tallybook.checker.conditions import ConditionBook

MOST_MEMBERS = 5


def _listed_members(book: ConditionBook, step: Step, term: str) -> list[list[str]] | None:
    rows = step.facts.get("members")
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(
        isinstance(r, list) and len(r) == 2 and isinstance(r[0], str) and r[1] in TRUTHS for r in rows
    ):
        book.out.add(step, "members", "members with their truth", rows)
        return []
    if book.record is not None:
        try:
            members, is_open = book.record.provisions.listed_in(term)
        except CannotTellError:
            return rows
        book.out.expect(step, "members", members, [row[0] for row in rows])
        book.out.expect(step, "open", is_open, step.facts.get("open"))
    return rows


def check_members(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> str:
    """Every, some: Kleene over the members; an open term may have more."""
    variable, term = part.given
    rows = _listed_members(book, step, term)
    is_open = step.facts.get("open")
    book.expect_facts(step, term=term, members=step.facts.get("members"), open=bool(is_open))
    if rows is None:
        book.says(step, f": what counts as {term} is not settled")
        book.out.expect(step, "open", True, is_open)
        book.below(step, [])
        return "unknown"
    listed = (conjunction if part.kind == "every" else disjunction)([row[1] for row in rows])
    undecided = "true" if part.kind == "every" else "false"
    truth = "unknown" if is_open and listed == undecided else listed
    shown = [row[0] for row in rows if row[1] == listed][:MOST_MEMBERS] if truth == listed else []
    told = "may cover more than is listed" if is_open else "covers nothing"
    book.says(step, f": {step.facts.get('condition')}" if shown else f": {term} {told}")
    found = book.below(step, [(part.parts[0], at, {**scope, variable: name}) for name in shown])
    book.out.expect(step, "truth of the members shown", [listed] * len(shown), found)
    if book.record is not None:
        for name, one in rows:
            book.anew(step, part.parts[0], at, {**scope, variable: name}, one)
    return truth


def check_compare(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> str:
    """A comparison: true or false only where it is so for every number within the bounds."""
    sides = [_bounds(step.facts.get(name)) for name in ("left", "right")]
    book.expect_facts(step, sign=part.given[0], left=step.facts.get("left"), right=step.facts.get("right"))
    told = f"{between(*sides[0])} {part.given[0]} {between(*sides[1])}"
    book.says(step, f": {step.facts.get('condition')} ({told})")
    wanted = [(n, side) for n, side in enumerate(part.parts) if side.kind != "number"]
    if len(step.children) != len(wanted):
        book.out.add(step, "steps below", len(wanted), len(step.children))
        return "unknown"
    for child, (n, side) in zip(step.children, wanted, strict=True):
        book.out.expect(step, ("left", "right")[n], step.facts.get(("left", "right")[n]), child.facts.get("is"))
        _side(book, child, side, at, scope)
    for n, side in enumerate(part.parts):
        if side.kind == "number":
            book.out.expect(step, ("left", "right")[n], [float(side.given[0])] * 2, step.facts.get(("left", "right")[n]))
    return compared(part.given[0], sides[0], sides[1])


def _bounds(value: object) -> tuple[float | None, float | None]:
    pair = value if isinstance(value, list) and len(value) == 2 else [None, None]
    low, high = (v if isinstance(v, int | float) and not isinstance(v, bool) else None for v in pair)
    return low, high


def between(low: float | None, high: float | None) -> str:
    """A number between two bounds, in words."""
    if low is None or high is None:
        return "any number" if low is None else f"{low:g} or more"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _side(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> None:
    """A count of members, or what an event amounts to."""
    rule = "count-members" if part.kind == "count" else "amount"
    book.out.expect(step, "rule", rule, step.rule)
    book.out.expect(step, "at", True, instant(step.facts.get("at")) == at)
    book.own_words(step, part)
    shared = {name: step.facts.get(name) for name in ("condition", "at", "is")}
    if rule == "amount":
        book.out.facts(step, {**shared, "atom": bound(part, scope)})
        _amount(book, step, part, at, scope)
        return
    variable, term = part.given
    rows = _listed_members(book, step, term)
    book.out.facts(step, {**shared, "term": term, "members": step.facts.get("members"), "open": bool(step.facts.get("open"))})
    if rows is None:
        book.out.says(step, f"What counts as {term} is not settled.")
        book.out.expect(step, "is", [0, None], step.facts.get("is"))
        return
    truths = [row[1] for row in rows]
    most = None if step.facts.get("open") else len(truths) - truths.count("false")
    book.out.expect(step, "is", [truths.count("true"), most], step.facts.get("is"))
    book.out.says(step, f"{step.facts.get('condition')} is {between(truths.count('true'), most)}.")
    if not part.parts:
        book.below(step, [])
        return
    shown = [row for row in rows if row[1] != "false"] or rows
    found = book.below(step, [(part.parts[0], at, {**scope, variable: row[0]}) for row in shown[:MOST_MEMBERS]])
    book.out.expect(step, "truth of the members shown", [row[1] for row in shown[:MOST_MEMBERS]], found)


def _amount(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> None:
    if book.record is not None:
        bounds = book.record.number(part, at, scope)
        book.out.expect(step, "is", list(bounds), step.facts.get("is"))
        book.out.says(
            step, f"The number of {bound(part, scope)} is {'not on record' if bounds[0] is None else between(*bounds)}."
        )
        check_sources(book, step, part, at, scope)
