"""Why a condition is true, false or unknown at an instant: the tree of its parts, each with its truth.

Only the parts that decide are shown. The others are listed with their truth, so that a reader can see that to leave them
out was fair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from typing import Any

from tallybook.agreement.grounds import AGREEMENT, Grounds, Unrecorded, balance, between, counts, named, sentence, source
from tallybook.agreement.language import _read_atom as bound_atom
from tallybook.agreement.language import _window as window_of
from tallybook.agreement.language import compile_part, condition, parse
from tallybook.agreement.situation import Atom, Compiled, Situation, delays_of
from tallybook.agreement.windows import _instants as looked_at
from tallybook.core.explanation import Because
from tallybook.core.truth import Finding, Truth, all_of, any_of

MOST_MEMBERS = 5
"""So many counted members are shown; the truth of the others is listed."""


_DEEPEST = 12
"""So many conditions behind conditions are followed; agreement check refuses circles."""


def explain_condition(
    text: str,
    situation: Situation,
    at: datetime,
    grounds: Grounds | None = None,
    scope: dict[str, str] | None = None,
    depth: int = 0,
) -> Because:
    """The tree of a condition as it is evaluated at an instant. The truth of its root is that of the condition.

    `grounds` gives the report rows and quotations behind what is on record; without it every leaf rests on the condition's
    own words. `scope` is what variables stand for; `depth` counts conditions that stand behind others. Raises
    ConditionError as `condition` does.
    """
    return _Teller(text, situation, grounds or Unrecorded(), depth).tell(parse(text), at, scope or {})


@dataclass(frozen=True, slots=True)
class _Teller:
    text: str
    situation: Situation
    grounds: Grounds
    depth: int

    def tell(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        """The explanation of one part of the condition."""
        kind = str(tree.data)
        rules: dict[str, Callable[[Any, datetime, dict[str, str]], Because]] = {
            "and_": self._junction,
            "or_": self._junction,
            "not_": self._negation,
            "implies": self._junction,
            "once": self._look_back,
            "always": self._look_back,
            "since": self._since,
            "every": self._members,
            "some": self._members,
            "status": self._status,
            "compare": self._comparison,
            "has_value": self._value,
        }
        return rules.get(kind, self._atom)(tree, at, scope)

    def _truth(self, tree: Any, at: datetime, scope: dict[str, str]) -> Finding:
        return compile_part(tree)(self.situation, at, scope)

    def _facts(self, tree: Any, truth: Truth, at: datetime, **more: Any) -> dict[str, Any]:
        return {"condition": self.words(tree), "truth": truth.value, "at": self.stamp(at), **more}

    def stamp(self, at: datetime) -> str:
        """An instant in ISO 8601, to the last digit."""
        try:
            return at.astimezone(self.situation.tz).isoformat()
        except OverflowError:
            return at.isoformat()

    def words(self, tree: Any) -> str:
        """A part of the condition in its own words."""
        start, end = tree.meta.start_pos, tree.meta.end_pos
        # The positions of a part leave out the parentheses around its own first and last part.
        while True:
            lowest, depth = balance(self.text[start:end])
            opening, closing = self.text.rfind("(", 0, start), self.text.find(")", end)
            if lowest < 0 and opening >= 0:
                start = opening
            elif depth > 0 and closing >= 0:
                end = closing + 1
            else:
                break
        return self.text[start:end]

    def _own_words(self, rule: str, says: str, tree: Any, facts: dict[str, Any]) -> Because:
        return Because(rule, says, quote=self.words(tree), instrument=AGREEMENT, facts=facts)

    def _junction(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        """`and`, `or`, `implies`: an operand that decides alone is enough; else all that are as unsure as the whole."""
        rule = str(tree.data).rstrip("_")
        truths = [self._truth(part, at, scope).truth for part in tree.children]
        # a implies b is (not a) or b.
        felt = [~truths[0], truths[1]] if rule == "implies" else truths
        truth = all_of(felt) if rule == "and" else any_of(felt)
        chosen = [n for n, one in enumerate(felt) if one is truth]
        if len(chosen) > 1 and truth is (Truth.TRUE if rule == "and" else Truth.FALSE):
            # What only says that nothing defeats this is folded.
            told = [n for n in chosen if tree.children[n].data != "not_"] if rule == "and" else chosen
            chosen = told or chosen
        operands = [[self.words(part), truths[n].value, n in chosen] for n, part in enumerate(tree.children)]
        children = tuple(self.tell(tree.children[n], at, scope) for n in chosen)
        facts = self._facts(tree, truth, at, operands=operands, folded=len(truths) - len(chosen))
        return Because(rule, f"{sentence(truth)}: {self.words(tree)}.", children, facts=facts)

    def _negation(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        inner = self.tell(tree.children[0], at, scope)
        truth = ~Truth(inner.facts["truth"])
        return Because("not", f"{sentence(truth)}: {self.words(tree)}.", (inner,), facts=self._facts(tree, truth, at))

    def _look_back(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        window, body = tree.children
        rule, part, tz = str(tree.data), compile_part(body), self.situation.tz
        near, far = window_of(window)
        start = None if far is None else far.before(at, tz)
        instants = looked_at(self.situation, part, start, near.before(at, tz))
        found = [(instant.at, part(self.situation, instant.at, scope).truth) for instant in instants]
        truth = (any_of if rule == "once" else all_of)(one for _, one in found)
        deciding = next((moment for moment, one in found if one is truth), None)
        facts = self._facts(tree, truth, at, window=self._window(window), instants=self._listed(found))
        if deciding is None:
            return self._own_words(rule, f"{sentence(truth)}, with nothing to look at: {self.words(tree)}.", tree, facts)
        says = f"{sentence(truth)}: {self.words(tree)}; decided at {self.stamp(deciding)}."
        return Because(rule, says, (self.tell(body, deciding, scope),), facts=facts)

    def _listed(self, found: Sequence[tuple[datetime, Truth]]) -> list[list[str]]:
        return [[self.stamp(moment), truth.value] for moment, truth in found]

    def _window(self, window: Any) -> list[str]:
        if window is None:
            return ["0d", ".."]
        ends = [str(token) for token in window.children]
        return ends if len(ends) == 2 else ["0d", *ends]

    def _since(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        left, window, right = tree.children
        parts = compile_part(left), compile_part(right)
        near, far = window_of(window)
        tz = self.situation.tz
        latest, earliest = near.before(at, tz), None if far is None else far.before(at, tz)
        both = Compiled(parts[0].run, delays_of(*parts))
        steps: list[list[Any]] = []
        kept = Truth.TRUE
        begun: list[tuple[datetime, Truth]] = []
        for instant in looked_at(self.situation, both, earliest, at, (latest,)):
            held = parts[0](self.situation, instant.at, scope).truth
            before = all_of((kept, held)) if instant.between else kept
            began = parts[1](self.situation, instant.at, scope).truth if instant.at <= latest else None
            steps.append([self.stamp(instant.at), instant.between, held.value, began.value if began else None])
            if began is not None:
                begun.append((instant.at, all_of((before, began))))
            kept = all_of((kept, held))
            if kept is Truth.FALSE or (begun and begun[-1][1] is Truth.TRUE):
                break
        truth = any_of(one for _, one in begun)
        facts = self._facts(tree, truth, at, window=self._window(window), instants=steps)
        children = self._since_children(left, right, steps, begun, truth, scope)
        if not children:
            return self._own_words("since", f"{sentence(truth)}, with nothing to look at: {self.words(tree)}.", tree, facts)
        return Because("since", f"{sentence(truth)}: {self.words(tree)}.", tuple(children), facts=facts)

    def _since_children(
        self,
        left: Any,
        right: Any,
        steps: Sequence[Sequence[Any]],
        begun: Sequence[tuple[datetime, Truth]],
        truth: Truth,
        scope: dict[str, str],
    ) -> list[Because]:
        """The instant that decides: where it began, and where it last was not kept."""
        children: list[Because] = []
        witness = next((moment for moment, one in begun if one is truth), None)
        if witness is not None:
            children.append(self.tell(right, witness, scope))
        broken = next((step for step in steps if step[2] != Truth.TRUE.value), None)
        if broken is not None:
            children.append(self.tell(left, datetime.fromisoformat(broken[0]), scope))
        return children

    def _members(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        variable, term, body = str(tree.children[0]), str(tree.children[1]), tree.children[2]
        rule = str(tree.data)
        members = self.situation.members(term, at)
        truth = self._truth(tree, at, scope).truth
        if members is None:
            facts = self._facts(tree, truth, at, term=term, members=None, open=True)
            return self._own_words(rule, f"{sentence(truth)}: what counts as {term} is not settled.", tree, facts)
        found = [(name, self._truth(body, at, {**scope, variable: name}).truth) for name in members]
        is_open = self.situation.is_open(term)
        facts = self._facts(tree, truth, at, term=term, members=[[m, one.value] for m, one in found], open=is_open)
        listed = (all_of if rule == "every" else any_of)(one for _, one in found)
        shown = [name for name, one in found if one is listed]
        if truth is not listed or not shown:
            told = "may cover more than is listed" if is_open else "covers nothing"
            return self._own_words(rule, f"{sentence(truth)}: {term} {told}.", tree, facts)
        children = tuple(self.tell(body, at, {**scope, variable: name}) for name in shown[:MOST_MEMBERS])
        return Because(rule, f"{sentence(truth)}: {self.words(tree)}.", children, facts=facts)

    def _comparison(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        left, sign, right = tree.children
        found = self._truth(tree, at, scope)
        sides = [self._number(part, at, scope) for part in (left, right)]
        facts = self._facts(tree, found.truth, at, sign=str(sign), left=sides[0].facts["is"], right=sides[1].facts["is"])
        shown = tuple(side for side in sides if side.rule != "number")
        told = f"{between(*sides[0].facts['is'])} {sign} {between(*sides[1].facts['is'])}"
        says = f"{sentence(found.truth)}: {self.words(tree)} ({told})."
        return Because("compare", says, shown, facts=facts) if shown else self._own_words("compare", says, tree, facts)

    def _number(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        """One side of a comparison: a number, how many members there are, or what a recorded event amounts to."""
        if tree.data == "number":
            value = float(tree.children[0])
            return Because("number", "", facts={"is": [value, value]})
        if tree.data == "atom":
            return self._amount(tree, at, scope)
        return self._count(tree, at, scope)

    def _count(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        variable, term, body = str(tree.children[0]), str(tree.children[1]), tree.children[2]
        members, is_open = self.situation.members(term, at), self.situation.is_open(term)
        base: dict[str, Any] = {"condition": self.words(tree), "at": self.stamp(at), "term": term}
        if members is None:
            facts = {**base, "members": None, "open": True, "is": [0, None]}
            return self._own_words("count-members", f"What counts as {term} is not settled.", tree, facts)
        body_at = (lambda name: self._truth(body, at, {**scope, variable: name}).truth) if body is not None else counts
        truths = [(name, body_at(name)) for name in members]
        sure = sum(one is Truth.TRUE for _, one in truths)
        most = None if is_open else sure + sum(one is Truth.UNKNOWN for _, one in truths)
        facts = {**base, "members": [[name, one.value] for name, one in truths], "open": is_open, "is": [sure, most]}
        says = f"{self.words(tree)} is {between(sure, most)}."
        shown = [name for name, one in truths if one is not Truth.FALSE] or [name for name, _ in truths]
        if body is None or not shown:
            return self._own_words("count-members", says, tree, facts)
        children = tuple(self.tell(body, at, {**scope, variable: name}) for name in shown[:MOST_MEMBERS])
        return Because("count-members", says, children, facts=facts)

    def _amount(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        atom = bound_atom(tree, scope)
        low, high = self.situation.amount(atom, at)
        bounds = [low if isfinite(low) else None, high if isfinite(high) else None]
        facts = {"condition": self.words(tree), "at": self.stamp(at), "atom": str(atom), "is": bounds}
        told = f"The number of {atom} is {'not on record' if bounds[0] is None else between(*bounds)}."
        return self._on_record("amount", told, tree, atom, at, facts)

    def _value(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        found = self._truth(tree, at, scope)
        reference = str(tree.children[1])
        value, _ = self.situation.value(reference, at)
        facts = self._facts(tree, found.truth, at, reference=reference, value=value)
        plain = f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
        told = "not settled" if value is None else plain.lower() if isinstance(value, bool) else plain
        says = f"{sentence(found.truth)}: the value of {reference} is {told}."
        step = self.grounds.value_step(reference, at)
        return Because("value", says, (step,), facts=facts) if step else self._own_words("value", says, tree, facts)

    def _status(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        word, reference = str(tree.children[0]), str(tree.children[1])
        found = self._truth(tree, at, scope)
        start = f"{reference} is "
        named = [reason.removeprefix(start) for reason in found.reasons if reason.startswith(start)]
        stands = [part for reason in named[:1] for part in reason.split(", ")]
        facts = self._facts(tree, found.truth, at, word=word, reference=reference, stands=stands)
        told = start + ", ".join(stands) if stands else self.words(tree)
        says = f"{sentence(found.truth)}: {told}."
        behind = self.grounds.holds_when(reference, at) if self.depth < _DEEPEST else None
        if behind is not None:
            child = explain_condition(behind, self.situation, at, self.grounds, {}, self.depth + 1)
            return Because("status", says, (child,), facts=facts)
        step = self.grounds.status_step(word, reference, at)
        return Because("status", says, (step,), facts=facts) if step else self._own_words("status", says, tree, facts)

    def _atom(self, tree: Any, at: datetime, scope: dict[str, str]) -> Because:
        atom = bound_atom(tree, scope)
        found = self.situation.holds(atom, at)
        facts = self._facts(tree, found.truth, at, atom=str(atom))
        conditions = self.grounds.conditions_of(atom) if self.depth < _DEEPEST else ()
        says = f"{sentence(found.truth)}: "
        for text, bound in conditions:
            # What is on record may decide against every condition.
            if condition(text)(self.situation, at, bound).truth is found.truth:
                says += f"{atom}, which holds when {text}."
                child = explain_condition(text, self.situation, at, self.grounds, bound, self.depth + 1)
                return Because("fact", says, (child,), facts=facts)
        return self._on_record("fact", says, tree, atom, at, facts)

    def _on_record(self, rule: str, says: str, tree: Any, atom: Atom, at: datetime, facts: dict[str, Any]) -> Because:
        leaves = [source(kind, what) for kind, what in self.grounds.sources(atom, at)]
        if rule == "fact":
            by = ", ".join(dict.fromkeys(leaf.report or named(leaf) for leaf in leaves))
            says += f"{atom}, by {by}." if leaves else f"nothing on record says {atom}."
        if not leaves:
            return self._own_words("not-on-record" if rule == "fact" else rule, says, tree, facts)
        if len(leaves) == 1:
            return replace(leaves[0], rule=rule, says=says, facts=facts)
        return Because(rule, says, tuple(leaves), facts=facts)
