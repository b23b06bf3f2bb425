"""The rule of an account, as far as it can be re-applied: the counts exist, and the words follow from the probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallybook.checker.rows import mapping
from tallybook.checker.sentences import account_says
from tallybook.checker.walk import Complaints, Step

if TYPE_CHECKING:
    from tallybook.checker.verdict import Verdict


def check_quantity(verdict: Verdict, step: Step) -> None:
    wanted = mapping(verdict.claim.get("quantity"))
    asked = verdict.asked()
    given = ("declared", "removed", "remaining", "p_declared_removed", "p_none_left")
    facts: dict[str, Any] = {"item": str(wanted.get("item")), "correctness": asked[0], "completeness": asked[1]}
    verdict.out.facts(step, {**facts, **{name: step.facts.get(name) for name in given}})
    for name in ("removed", "remaining"):
        triple = step.facts.get(name)
        if triple is not None and not _is_triple(triple):
            verdict.out.add(step, name, "low, middle, high, in order", triple)
            return
    for name in ("p_declared_removed", "p_none_left"):
        p = step.facts.get(name)
        if p is not None and not (is_number(p) and 0 <= p <= 1 + 1e-9):
            verdict.out.add(step, name, "a probability", p)
            return
    _declared(verdict, step)
    if all(name in step.facts for name in given):
        units = str(wanted.get("units") or wanted.get("unit") or "item")
        verdict.out.says(step, account_says(step.facts, units))
    _counts(verdict, step)


def _declared(verdict: Verdict, step: Step) -> None:
    """The declared number is that of a row read as a declaration."""
    figures = [w.row.number for w in verdict.worths if w.counts_as == "declared"]
    declared = step.facts.get("declared")
    if declared is not None and declared not in figures:
        verdict.out.add(step, "declared", f"one of {figures}", declared)


def _counts(verdict: Verdict, step: Step) -> None:
    """Each count is of a row that was read on the claim as giving a number, and none is named twice."""
    usable = {w.row.id for w in verdict.worths if w.row.number is not None and w.counts_as != "none"}
    item = str(mapping(verdict.claim.get("quantity")).get("item"))
    if mapping(verdict.file.books.holdings.get(item)).get("stages"):
        # An account of stages looks at every number of its items, whatever it says of the claim.
        usable = {r.id for r in verdict.file.rows.values() if r.number is not None and r.item in verdict.file.members(item)}
    seen: set[str] = set()
    for child in step.children:
        verdict.out.expect(child, "rule", "count", child.rule)
        verdict.out.facts(child, {})
        verdict.out.says(child, f"{child.report} gives a number.")
        if child.report not in usable or child.report in seen:
            verdict.out.add(child, "report", "a row read as a count of the claim's items, once", child.report)
        seen.add(child.report)


def quotations(step: Step, quotes: list[tuple[str, str]], out: Complaints, name: str) -> None:
    """The steps below are these quotations; without any the step itself quotes the agreement file's own name for it."""
    if not quotes:
        out.expect(step, "quote", ("agreement.yaml", name), step.quote)
        return
    out.expect(step, "quotations", quotes, [child.quote for child in step.children])
    for child in step.children:
        instrument, quote = child.quote
        out.expect(child, "rule", "quotation", child.rule)
        out.facts(child, {})
        out.says(child, f'{instrument}: "{quote}"')


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_triple(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(is_number, value)) and value == sorted(value)
