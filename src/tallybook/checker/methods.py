"""Which methods of a proof are met, missing, or met only in part; and what the probabilities of an account allow to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tallybook.checker.provisions import Provisions
from tallybook.checker.rows import mapping, words
from tallybook.checker.tables import ratio_of
from tallybook.checker.weighing import Weight, Worth, matches


@dataclass(frozen=True, slots=True)
class Methods:
    """Methods met (with the rows that meet each), missing, met in part; whether every required one is met of the whole."""

    met: dict[str, list[str]]
    missing: list[str]
    in_part: list[str]
    all_met: bool


def names_in(tree: Any) -> list[str]:
    """Every method named in a tree of `all` and `any`."""
    if isinstance(tree, str):
        return [tree]
    return [name for branches in mapping(tree).values() for branch in branches for name in names_in(branch)]


class MethodBook:
    """Holds rows against the methods of the agreement. Raises CannotTellError where a method cannot be told."""

    def __init__(self, provisions: Provisions, places: Sequence[str]) -> None:
        self._provisions, self._places = provisions, places
        self.overrides = provisions.file.overrides

    def asks(self, name: str, question: str) -> bool:
        """Whether a method answers a question."""
        method = self._provisions.get(name)
        return method is not None and method.get("kind") == "proof" and (method.get("question") or "completeness") == question

    def found(self, tree: Any, worths: Sequence[Worth], question: str | None) -> Methods:
        """Methods met and missing, of those that answer a question (None: of all)."""
        usable = [w for w in worths if w.ratio is not None and not w.is_word]
        wanted = [name for name in names_in(tree) if question is None or self.asks(name, question)]
        met = {name: rows for name in wanted if (rows := self._meeting(name, usable, frozenset()))}
        by_id = {w.row.id: w for w in usable}
        in_part = [
            name
            for name, rows in met.items()
            if self.asks(name, "completeness") and not self._of_the_whole([by_id[row] for row in rows])
        ]
        missing = self._missing(tree, set(met), question)
        short = self._missing(tree, set(met) - set(in_part), question)
        return Methods(met, missing, in_part if short != missing else [], not short and bool(wanted))

    def _meeting(self, name: str, usable: Sequence[Worth], seen: frozenset[str]) -> list[str]:
        method = self._provisions.get(name)
        if method is None or method.get("kind") != "proof" or name in seen or self._provisions.is_repealed(name):
            return []
        found: list[str] = []
        if method.get("met_by") is not None:
            found += [w.row.id for w in usable if matches(self._provisions.file, method["met_by"], w.row)]
        for other in words(method.get("includes")):
            found += self._meeting(other, usable, seen | {name})
        return list(dict.fromkeys(found))

    def _of_the_whole(self, worths: Sequence[Worth]) -> bool:
        if any(w.whole for w in worths):
            return True
        file = self._provisions.file
        covered = {place for w in worths for place in file.places_of(w.row.place)}
        return bool(self._places) and all(covered & set(file.around(place)) for place in self._places)

    def _missing(self, tree: Any, met: set[str], question: str | None) -> list[str]:
        if isinstance(tree, str):
            return [tree] if tree not in met and (question is None or self.asks(tree, question)) else []
        for kind, branches in mapping(tree).items():
            gaps = [self._missing(branch, met, question) for branch in branches]
            if kind == "all":
                return [name for gap in gaps for name in gap]
            asked = [gap for gap, branch in zip(gaps, branches, strict=True) if self._is_asked(branch, question)]
            if asked and all(asked):
                return [" or ".join(" and ".join(gap) for gap in asked)]
        return []

    def _is_asked(self, branch: Any, question: str | None) -> bool:
        return question is None or any(self.asks(name, question) for name in names_in(branch))


@dataclass(frozen=True, slots=True)
class Account:
    """What an explanation says of the account of a quantity; the checker does not count anew."""

    declared: float | None
    removed: float
    p_out: float | None
    p_none_left: float | None
    reports: frozenset[str]
    order: tuple[str, ...] = ()


def correctness(
    book: MethodBook, tree: Any, bar: float, favour: Sequence[Worth], account: Account, side: Weight, good: float
) -> str:
    """The word on "was what was declared removed?", from the probabilities given."""
    counted = [w for w in favour if w.counts_as.startswith("removed")]
    counting = book.found(tree, counted, "correctness")
    if not counting.met and not counting.missing and tree is not None:
        counting = book.found(tree, favour, None)
    if account.p_out is not None and account.removed > 0:
        sure = counting.all_met and _is_sure([w for w in counted if w.row.id in account.reports], account, book, good)
        if account.p_out >= bar and sure:
            return "verified"
        return "supported" if account.p_out >= good else "indicated"
    if account.removed > 0:
        return "unclear"
    return "claimed" if side.spoken else "no evidence"


def _is_sure(counted: Sequence[Worth], account: Account, book: MethodBook, good: float) -> bool:
    """Whether one count of the whole, or every count of a part, is good evidence by itself."""
    overrides = book.overrides

    def is_good(worth: Worth) -> bool:
        low = ratio_of(worth.row.grade, overrides)[0]
        return low / (1 + low) >= good

    parts = [w for w in counted if w.counts_as != "removed"]
    whole = [w for w in counted if account.declared is not None and (w.row.number or 0) >= account.declared]
    return any(is_good(w) for w in whole) or (bool(parts) and all(is_good(w) for w in parts))


def completeness(
    book: MethodBook, tree: Any, bar: float, favour: Sequence[Worth], account: Account, side: Weight, good: float
) -> str:
    """The word on "was that all there was?", from the probabilities given."""
    if account.p_none_left is not None and account.removed > 0:
        if account.p_none_left >= bar and book.found(tree, favour, "completeness").all_met:
            return "verified"
        return "supported" if account.p_none_left >= good else "unclear"
    if side.clusters:
        return "unclear"
    return "claimed" if side.strength == "word only" else "no evidence"
