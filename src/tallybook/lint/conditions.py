"""Conditions as lint reads them: where they stand, what they ask for, and whether anything on record could make them hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.change import InForce
from tallybook.agreement.language import condition, parse
from tallybook.agreement.provision import Definition, Exception_
from tallybook.agreement.situation import Atom
from tallybook.commitments.exceptions import value_of
from tallybook.commitments.record import Record
from tallybook.core.time import Moment
from tallybook.core.truth import Finding, Truth
from tallybook.verdicts.inquiry import Begun, Inquiry

_KEYS = {
    "in_force": "in_force",
    "when": "when",
    "achieve": "achieve",
    "maintain": "maintain",
    "endeavour": "endeavour",
    "breached_when": "breached_when",
    "while_": "while",
    "holds_when": "holds_when",
    "observer": "observer",
    "shows": "shows",
}
_LOOK_BACK = frozenset({"once", "always", "since"})
_VERDICTS = frozenset({"no-evidence", "claimed", "indicated", "supported", "verified", "unclear", "disputed", "contradicted"})
MOST_TRIED = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """A condition and the key under which it is written."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a condition asks for: statuses, values and numbers; whether it compares two unknown numbers, or looks back."""

    statuses: tuple[tuple[str, str], ...]
    values: tuple[str, ...]
    numbers: tuple[float, ...]
    unknowns: bool
    looks_back: bool


def conditions_of(provision: Any) -> Iterator[Written]:
    """Every condition of a provision, those of its cases and of its readings included."""
    for name, key in _KEYS.items():
        if text := getattr(provision, name, None):
            yield Written(key, text)
    for case in getattr(provision, "cases", ()):
        if case.when:
            yield Written("cases", case.when)
    for entry in getattr(provision, "interpretations", ()):
        if isinstance(entry, dict):
            for key in _KEYS.values():
                if isinstance(entry.get(key), str):
                    yield Written("interpretations", entry[key])


@lru_cache(maxsize=4096)
def asked(text: str) -> Asked:
    """What a condition asks for."""
    statuses: dict[tuple[str, str], None] = {}
    values: dict[str, None] = {}
    numbers: dict[float, None] = {}
    looks_back = unknowns = False
    queue = [parse(text)]
    while queue:
        node = queue.pop()
        looks_back |= node.data in _LOOK_BACK
        if node.data == "status":
            statuses[str(node.children[0]), str(node.children[1])] = None
        elif node.data == "has_value":
            values[str(node.children[1])] = None
        elif node.data == "compare":
            unknowns |= all(getattr(node.children[n], "data", "") in ("atom", "count") for n in (0, 2))
        elif node.data == "number":
            numbers[float(node.children[0])] = None
        queue.extend(child for child in node.children if hasattr(child, "data"))
    return Asked(tuple(statuses), tuple(values), tuple(numbers), unknowns, looks_back)


Key: TypeAlias = tuple[str, str]


class Imagined:
    """A case in which anything may be on record: what has not been chosen is unknown. Nothing changes with time.

    `fixed` holds statuses that cannot be otherwise. What was asked for and not chosen is kept in `open`, in order.
    """

    def __init__(self, inquiry: Inquiry, chosen: Mapping[Key, Any], fixed: Mapping[Key, Truth]) -> None:
        self._inquiry, self._chosen, self._fixed = inquiry, chosen, fixed
        self.memo: dict[Any, Any] = {}
        self.open: dict[Key, None] = {}

    @property
    def tz(self) -> ZoneInfo:
        return self._inquiry.tz

    @property
    def on(self) -> datetime:
        return self._inquiry.on

    @property
    def agreement(self) -> Agreement:
        return self._inquiry.agreement

    @property
    def in_force(self) -> InForce:
        return self._inquiry.in_force

    @property
    def record(self) -> Record:
        return self._inquiry.record

    def at(self, instant: datetime) -> Imagined:
        return self

    def aside(self, name: object) -> Imagined:
        return self

    def show(self, at: datetime) -> str:
        return self._inquiry.show(at)

    def read(self, text: str) -> Moment:
        return self._inquiry.read(text)

    def instants(self) -> Sequence[datetime]:
        return ()

    def changes(self, start: datetime | None, end: datetime) -> Sequence[datetime]:
        return ()

    def enacted(self, provision: Any) -> bool:
        return self._inquiry.enacted(provision)

    def begun(self, provision: Any) -> Begun | None:
        """Whatever has been made and is not repealed may be in force."""
        if not self._inquiry.enacted(provision) or provision.id in self.in_force.repealed:
            return None
        return Begun(Moment("", self.on, self.on), "supposed")

    def members(self, term: str, at: datetime) -> Sequence[str] | None:
        return self._inquiry.members(term, at)

    def is_open(self, term: str) -> bool:
        return self._inquiry.is_open(term)

    def holds(self, atom: Atom, at: datetime) -> Finding:
        return Finding(self._pick(("event", str(atom))))

    def status(self, word: str, reference: str, at: datetime) -> Finding:
        if (fixed := self._fixed.get((word, reference))) is not None:
            return Finding(fixed)
        if word == "unverified":
            return Finding(~self.status("verified", reference, at).truth)
        if word in _VERDICTS:
            # A verdict is one word, so the words of the ladder exclude each other.
            verdict = self._chosen.get(("verdict", reference))
            if verdict is not None:
                return Finding(Truth.of(verdict == word))
            self.open[("verdict", reference)] = None
            return Finding(Truth.UNKNOWN)
        return Finding(self._pick((word, reference)))

    def _pick(self, key: Key) -> Truth:
        found = self._chosen.get(key)
        if found is None:
            self.open[key] = None
            return Truth.UNKNOWN
        return found if isinstance(found, Truth) else Truth.UNKNOWN

    def amount(self, atom: Atom, at: datetime) -> tuple[float, float]:
        found = self._chosen.get(("number", str(atom)))
        if found is None:
            self.open[("number", str(atom))] = None
            return float("-inf"), float("inf")
        return found, found

    def value(self, reference: str, at: datetime) -> tuple[str | float | None, Finding]:
        definition = self.in_force.provisions.get(reference.lstrip("@"))
        if not isinstance(definition, Definition):
            return None, Finding(Truth.UNKNOWN)
        found = value_of(self, definition)
        return found.value, found.as_finding()


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: whether it can be (None: not settled), and what would have to be on record."""

    possible: bool | None
    chosen: Mapping[Key, Any]

    @property
    def words(self) -> str:
        """What would have to be on record."""
        told = []
        for (kind, name), value in self.chosen.items():
            if kind == "verdict":
                told.append(f"{value} {name}")
            elif kind == "number":
                told.append(f"{name} = {value:g}")
            else:
                plain = name if kind == "event" else f"{kind} {name}"
                told.append(plain if value is Truth.TRUE else f"not {plain}")
        return "where " + " and ".join(told) if told else "whatever is recorded"


Kept: TypeAlias = dict[tuple[str, frozenset[tuple[Key, Truth]]], Found]


def search(
    inquiry: Inquiry,
    test: Callable[[Imagined], Truth],
    fixed: Mapping[Key, Truth],
    numbers: Sequence[float] = (),
    words: Sequence[str] = (),
) -> Found:
    """Look for something that might be recorded under which a test is true.

    Three-valued branching: what is asked for is unknown until it is chosen, so that one false part ends a branch. Sound: an
    answer of False means that nothing recorded at one instant makes it true. At most MOST_TRIED evaluations.
    """
    near = between(numbers)
    stack: list[dict[Key, Any]] = [{}]
    tried, unsure = 0, False
    while stack:
        chosen = stack.pop()
        tried += 1
        if tried > MOST_TRIED:
            return Found(None, {})
        imagined = Imagined(inquiry, chosen, fixed)
        try:
            truth = test(imagined)
        except RecursionError:
            return Found(None, {})
        if truth is Truth.TRUE:
            return Found(True, chosen)
        if truth is Truth.FALSE:
            continue
        key = next(iter(imagined.open), None)
        if key is None:
            unsure = True
            continue
        choices: Sequence[Any] = (Truth.FALSE, Truth.TRUE)
        if key[0] == "number":
            choices = near
        elif key[0] == "verdict":
            choices = ("none", *sorted(set(words) & _VERDICTS))
        stack.extend({**chosen, key: choice} for choice in choices)
    return Found(None if unsure else False, {})


def between(numbers: Sequence[float]) -> list[float]:
    """The numbers, one between each two, one below all and one above all: enough to try every comparison with one of them."""
    marks = sorted(set(numbers)) or [0.0]
    middles = [(low + high) / 2 for low, high in pairwise(marks)]
    return sorted({*marks, *middles, marks[0] - 1, marks[-1] + 1})


def can_hold(inquiry: Inquiry, text: str, fixed: Mapping[Key, Truth], kept: Kept) -> Found:
    """Whether a condition can hold at some instant, whatever is recorded.

    A condition that looks back is asked only with everything unknown: it may join what was so at different instants.
    `kept` holds what was found before.
    """
    if condition(text).terms or asked(text).values:
        return _can_hold(inquiry, text, fixed)
    # Without terms and values the text alone decides, whatever the stage.
    key = (text, frozenset(fixed.items()))
    if key not in kept:
        kept[key] = _can_hold(inquiry, text, fixed)
    return kept[key]


def _can_hold(inquiry: Inquiry, text: str, fixed: Mapping[Key, Truth]) -> Found:
    test, wants = condition(text), asked(text)
    if wants.looks_back:
        truth = test(Imagined(inquiry, {}, {}), inquiry.on).truth
        return Found(False if truth is Truth.FALSE else None, {})
    if test.free:
        return Found(None, {})
    words = [*(word for word, _ in wants.statuses), "verified"]
    found = search(inquiry, lambda imagined: test(imagined, inquiry.on).truth, fixed, wants.numbers, words)
    # Numbers that are compared with each other are not all tried.
    return Found(None, {}) if found.possible is False and wants.unknowns and test.atoms else found


def texts_around(inquiry: Inquiry, provision: Definition | Exception_) -> list[str]:
    """The conditions of a provision and of every exception to it, and to those."""
    found: list[str] = []
    queue: list[Any] = [provision]
    seen: set[str] = set()
    while queue:
        one = queue.pop()
        if one.id in seen:
            continue
        seen.add(one.id)
        found += [written.text for written in conditions_of(one)]
        named = {reference.lstrip("@") for reference in getattr(one, "unless", ())}
        queue += [
            p
            for p in inquiry.in_force.provisions.values()
            if isinstance(p, Exception_) and (f"@{one.id}" in p.to or p.id in named)
        ]
    return found
