"""The rules of conditions, re-applied: each part against the condition's own words, Kleene's tables, windows, the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.checker.changes import CannotTellError
from tallybook.checker.evaluate import Facts
from tallybook.checker.leaves import check_fact, check_status, check_value
from tallybook.checker.looks import check_look_back, check_since
from tallybook.checker.members import check_compare, check_members
from tallybook.checker.parse import ParseError, Part, Scope, parse, parse_side
from tallybook.checker.provisions import AGREEMENT
from tallybook.checker.tables import TRUTHS, conjunction, disjunction, negation
from tallybook.checker.walk import Complaints, Step, instant
from tallybook.checker.world import World

DEEPEST = 12


@dataclass(frozen=True, slots=True)
class ConditionBook:
    """What a condition is held against: its text, the record (None: only the form of the tree is checked), a time zone."""

    text: str
    record: Facts | None
    tz: ZoneInfo
    out: Complaints
    depth: int = 0
    path: tuple[str, ...] = ()
    """The provisions on whose account the condition is told: none of them is followed again."""

    @property
    def world(self) -> World | None:
        """What can tell statuses and values."""
        judge = self.record.judge if self.record is not None else None
        return judge if isinstance(judge, World) else None

    def check(self, step: Step, at: datetime, scope: Scope | None = None) -> str:
        """Check the explanation of the whole condition at an instant; returns the truth at its root."""
        try:
            part = parse(self.text)
        except ParseError as error:
            self.out.add(step, "condition", "a condition", str(error))
            return "unknown"
        truth = self.step(step, part, at, scope or {})
        self.anew(step, part, at, scope or {}, truth)
        return truth

    def anew(self, step: Step, part: Part, at: datetime, scope: Scope, truth: str) -> None:
        if self.record is None:
            return
        try:
            self.out.expect(step, "truth", self.record.truth(part, at, scope), truth)
        except CannotTellError:
            # It asks for a verdict that nothing tells, which the step itself must say.
            return

    def step(self, step: Step, part: Part, at: datetime, scope: Scope) -> str:
        """One step against the part of the condition that it explains."""
        facts = step.facts
        rule = part.kind
        if part.kind == "fact" and step.rule == "not-on-record":
            rule = "not-on-record"
        self.out.expect(step, "rule", rule, step.rule)
        self.out.expect(step, "at", True, instant(facts.get("at")) == at)
        self.own_words(step, part)
        if rule != step.rule:
            return "unknown"
        truth = facts.get("truth")
        if truth not in TRUTHS:
            self.out.add(step, "truth", " or ".join(TRUTHS), truth)
            return "unknown"
        found = _RULES[rule](self, step, part, at, scope)
        self.out.expect(step, "truth", found, truth)
        return str(truth)

    def says(self, step: Step, told: str) -> None:
        """The sentence of a step: its truth, and this."""
        self.out.says(step, f"{str(step.facts.get('truth')).capitalize()}{told}.")

    def behind(self, text: str) -> ConditionBook | None:
        """The same books for a condition that stands behind this one; None where too many stand behind each other."""
        if self.depth >= DEEPEST:
            return None
        return ConditionBook(text, self.record, self.tz, self.out, self.depth + 1, self.path)

    def own_words(self, step: Step, part: Part) -> None:
        """The words given must be those of this very part of the condition, and a leaf of the case must quote them."""
        given = step.facts.get("condition")
        words = given if isinstance(given, str) else ""
        try:
            read = parse_side(words) if part.kind in ("count", "number") or step.rule == "amount" else parse(words)
        except ParseError as error:
            self.out.add(step, "condition", "a part of the condition", str(error))
            return
        if read != part or words not in self.text:
            self.out.add(step, "condition", f"a part of {self.text}", words)
        if not step.children and step.rule not in ("fact", "amount"):
            self.out.expect(step, "quote", (AGREEMENT, words), step.quote)

    def expect_facts(self, step: Step, **more: Any) -> None:
        """The facts of a step are those that all have, and these."""
        shared = {name: step.facts.get(name) for name in ("condition", "truth", "at")}
        self.out.facts(step, {**shared, **more})

    def below(self, step: Step, wanted: list[tuple[Part, datetime, Scope]]) -> list[str]:
        """The steps below explain these parts, in this order; returns their truths."""
        if len(step.children) != len(wanted):
            self.out.add(step, "steps below", len(wanted), len(step.children))
            return []
        return [self.step(child, *explained) for child, explained in zip(step.children, wanted, strict=True)]

    def junction(self, step: Step, part: Part, at: datetime, scope: Scope) -> str:
        operands = step.facts.get("operands")
        rows = operands if isinstance(operands, list) else []
        if len(rows) != len(part.parts) or not all(isinstance(r, list) and len(r) == 3 and r[1] in TRUTHS for r in rows):
            self.out.add(step, "operands", f"{len(part.parts)} of words, truth, shown", operands)
            return "unknown"
        for row, child in zip(rows, part.parts, strict=True):
            self.out.expect(step, "operands", True, self.is_part(row[0], child))
        felt = [row[1] for row in rows]
        if part.kind == "implies":
            felt[0] = negation(felt[0])
        truth = (conjunction if part.kind == "and" else disjunction)(felt)
        shown = self._shown(part, felt, truth)
        self.expect_facts(step, operands=[[r[0], r[1], n in shown] for n, r in enumerate(rows)], folded=len(rows) - len(shown))
        self.says(step, f": {step.facts.get('condition')}")
        found = self.below(step, [(part.parts[n], at, scope) for n in shown])
        self.out.expect(step, "operands", [rows[n][1] for n in shown], found)
        if self.record is not None:
            for n in set(range(len(rows))) - set(shown):
                self.anew(step, part.parts[n], at, scope, rows[n][1])
        return truth

    @staticmethod
    def _shown(part: Part, felt: list[str], truth: str) -> list[int]:
        """The operands to show: those that decide, without those that only say that nothing defeats this."""
        chosen = [n for n, one in enumerate(felt) if one == truth]
        if part.kind == "and" and truth == "true" and len(chosen) > 1:
            return [n for n in chosen if part.parts[n].kind != "not"] or chosen
        return chosen

    def is_part(self, words: object, part: Part) -> bool:
        try:
            return isinstance(words, str) and words in self.text and parse(words) == part
        except ParseError:
            return False

    def negation(self, step: Step, part: Part, at: datetime, scope: Scope) -> str:
        self.expect_facts(step)
        self.says(step, f": {step.facts.get('condition')}")
        found = self.below(step, [(part.parts[0], at, scope)])
        return negation(found[0]) if found else "unknown"


_Rule = Callable[[ConditionBook, Step, Part, datetime, Scope], str]
_RULES: dict[str, _Rule] = {
    "and": ConditionBook.junction,
    "or": ConditionBook.junction,
    "implies": ConditionBook.junction,
    "not": ConditionBook.negation,
    "once": check_look_back,
    "always": check_look_back,
    "since": check_since,
    "every": check_members,
    "some": check_members,
    "compare": check_compare,
    "status": check_status,
    "value": check_value,
    "fact": check_fact,
    "not-on-record": check_fact,
}
