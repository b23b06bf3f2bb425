"""Conditions: parsed once, compiled to closures that answer true, false or unknown, with reasons.

Grammar in conditions.lark. Windows are closed at both ends, states hold from their start inclusive to their end
exclusive, `since` includes now, and same-instant events are compared by time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Protocol, TypeAlias

from tallybook.core.time import MomentError, duration, shifted
from tallybook.core.truth import Finding, Truth, all_of, any_of, implies

LONGEST = 2000
DEEPEST = 40
DEEPEST_LOOPS = 6
_LOOPS = {"once", "always", "since", "every", "some", "count"}


class ConditionError(ValueError):
    """A condition that does not parse. `column` counts from 1; str() shows the place with a caret."""

    def __init__(self, text: str, column: int, what: str) -> None:
        self.text, self.column, self.what = text, column, what
        super().__init__(f"{what}\n    {text}\n    {' ' * (column - 1)}^")


@dataclass(frozen=True, slots=True)
class Atom:
    """An event or state with its arguments: positional ones under their number, named ones under their name."""

    name: str
    args: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        inner = ", ".join(value if key.isdigit() else f"{key}={value}" for key, value in self.args)
        return f"{self.name}({inner})" if inner else self.name


class Situation(Protocol):
    """What a condition is evaluated against."""

    def holds(self, atom: Atom, at: datetime) -> Finding:
        """Whether a recorded event or state holds at an instant."""
        ...

    def status(self, word: str, reference: str, at: datetime) -> Finding:
        """Whether a provision or claim has a status at an instant."""
        ...

    def members(self, term: str, at: datetime) -> Sequence[str] | None:
        """What a defined term covers, or None where the definition is open or unknown."""
        ...

    def is_open(self, term: str) -> bool:
        """Whether things that are not listed may belong to the term too."""
        ...

    def changes(self, start: datetime | None, end: datetime) -> Sequence[datetime]:
        """Every instant in [start, end] at which a recorded event or state may change."""
        ...


Run: TypeAlias = Callable[[Situation, datetime, dict[str, str]], Finding]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A part of a condition. Its truth changes only at a change on record plus one of its `delays`."""

    run: Run
    delays: frozenset[timedelta] = frozenset({timedelta(0)})

    def __call__(self, situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        return self.run(situation, at, scope)


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition, with the provisions (`references`), terms and atoms that it speaks of."""

    text: str
    references: frozenset[str]
    terms: frozenset[str]
    atoms: frozenset[str]
    run: Run

    def __call__(self, situation: Situation, at: datetime) -> Finding:
        """Evaluate at an instant."""
        return self.run(situation, at, {})


@lru_cache(maxsize=1)
def _parser() -> Any:
    from lark import Lark

    grammar = files("tallybook.agreement").joinpath("conditions.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True)


@lru_cache(maxsize=4096)
def condition(text: str) -> Condition:
    """Parse and compile a condition. Raises ConditionError with the column where it stops making sense."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput

    if len(text) > LONGEST:
        raise ConditionError(text[:60], 60, f"longer than {LONGEST} characters")
    if "\n" in text:
        raise ConditionError(text.splitlines()[0], len(text.splitlines()[0]) + 1, "a condition is one line")
    if not text.strip():
        raise ConditionError(text, len(text) + 1, "ends too early")
    if max_depth(text) > DEEPEST:
        raise ConditionError(text, 1, f"nested deeper than {DEEPEST} levels")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        column = error.column if isinstance(error.column, int) and error.column > 0 else len(text) + 1
        if isinstance(error, UnexpectedEOF) or column > len(text):
            raise ConditionError(text, len(text) + 1, "ends too early") from error
        found = getattr(error, "token", None) if not isinstance(error, UnexpectedCharacters) else None
        word = str(found) if found else text[column - 1 :].split(maxsplit=1)[0]
        if not word.strip() or getattr(found, "type", "") == "$END":
            raise ConditionError(text, len(text) + 1, "ends too early") from error
        raise ConditionError(text, column, f"not understood from {word!r} on") from error
    except RecursionError as error:
        raise ConditionError(text, 1, "nested too deeply") from error
    _check_depth(tree, text)
    seen: dict[str, set[str]] = {"references": set(), "terms": set(), "atoms": set()}
    try:
        run = _compile(tree, seen)
    except _WindowError as error:
        raise ConditionError(text, error.column, str(error)) from error
    return Condition(text, frozenset(seen["references"]), frozenset(seen["terms"]), frozenset(seen["atoms"]), run.run)


def _check_depth(tree: Any, text: str) -> None:
    """Refuse what is nested so deeply that to evaluate it would take for ever: each window looks at many instants."""
    queue: list[tuple[Any, int, int]] = [(tree, 0, 0)]
    while queue:
        node, depth, loops = queue.pop()
        if depth > DEEPEST + 2 or loops > DEEPEST_LOOPS:
            what = f"nested deeper than {DEEPEST} levels, or {DEEPEST_LOOPS} of once, always, since, every and some"
            raise ConditionError(text, 1, what)
        inner = loops + (node.data in _LOOPS)
        queue.extend((child, depth + 1, inner) for child in node.children if hasattr(child, "data"))


class _WindowError(ValueError):
    """A window that is none, with the column where it stands."""

    def __init__(self, column: int, what: str) -> None:
        self.column = column
        super().__init__(what)


def max_depth(text: str) -> int:
    """How deeply the parentheses of a text nest."""
    depth = deepest = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    return deepest


def atom_of(text: str) -> Atom:
    """Read a single atom such as `agreed(inspection, scope=inbound)`. Raises ConditionError."""
    parsed = condition(text)
    if len(parsed.atoms) != 1 or parsed.references or parsed.terms:
        raise ConditionError(text, 1, "one event or state is wanted, such as agreed(inspection, scope=inbound)")
    return _read_atom(_parser().parse(text), {})


def _read_atom(tree: Any, scope: dict[str, str]) -> Atom:
    name, *arguments = tree.children
    pairs: list[tuple[str, str]] = []
    number = 0
    for argument in (a for a in arguments if a is not None):
        key, token = argument.children
        value = str(token).strip('"')
        if token.type == "VAR":
            value = scope.get(str(token), str(token))
        pairs.append((str(key) if key else str(number), value))
        number += 0 if key else 1
    return Atom(str(name), tuple(sorted(pairs)))


def _compile(tree: Any, seen: dict[str, set[str]]) -> Compiled:
    kind = tree.data
    if kind in ("and_", "or_"):
        return _junction(kind == "and_", [_compile(child, seen) for child in tree.children])
    if kind == "not_":
        return _negation(_compile(tree.children[0], seen))
    if kind == "implies":
        return _implication(_compile(tree.children[0], seen), _compile(tree.children[1], seen))
    if kind in ("once", "always"):
        return _within(kind, _window(tree.children[0]), _compile(tree.children[1], seen))
    if kind == "since":
        left, window, right = tree.children
        return _since(_compile(left, seen), _window(window), _compile(right, seen))
    if kind in ("every", "some"):
        variable, term, body = (tree.children[0], str(tree.children[1]), tree.children[2])
        seen["terms"].add(term)
        return _quantified(kind, str(variable), term, _compile(body, seen))
    if kind == "status":
        word, reference = str(tree.children[0]), str(tree.children[1])
        seen["references"].add(reference)
        return Compiled(lambda situation, at, scope: situation.status(word, reference, at))
    if kind == "compare":
        return _comparison(tree, seen)
    seen["atoms"].add(str(_read_atom(tree, {})))
    return Compiled(lambda situation, at, scope: situation.holds(_read_atom(tree, scope), at))


def _delays(*parts: Compiled) -> frozenset[timedelta]:
    return frozenset(delay for part in parts for delay in part.delays)


def _behind(part: Compiled, near: timedelta, far: timedelta | None) -> frozenset[timedelta]:
    """When an operator with a window looks at a part, the part's changes are felt at both ends of the window."""
    ends = {near} if far is None else {near, far}
    return frozenset(delay + end for delay in part.delays for end in ends)


def _window(tree: Any) -> tuple[timedelta, timedelta | None]:
    if tree is None:
        return timedelta(0), None
    if tree.data == "within":
        return timedelta(0), _length(tree.children[0])
    near, far = tree.children
    first, last = _length(near), None if far.type == "OPEN" else _length(far)
    if last is not None and last < first:
        raise _WindowError(far.column, f"the window ends ({far}) before it begins ({near})")
    return first, last


def _length(token: Any) -> timedelta:
    try:
        return duration(str(token))
    except MomentError as error:
        raise _WindowError(token.column, str(error)) from error


def _gather(findings: Sequence[Finding], truth: Truth) -> Finding:
    decided = [f for f in findings if f.truth is truth] or list(findings)
    short = [f for f in findings if f.truth is not Truth.TRUE]
    return Finding(truth, _once(r for f in decided for r in f.reasons), _once(w for f in short for w in f.waits_for))


def _once(words: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _junction(every: bool, parts: Sequence[Compiled]) -> Compiled:
    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        findings = [part(situation, at, scope) for part in parts]
        return _gather(findings, (all_of if every else any_of)(f.truth for f in findings))

    return Compiled(run, _delays(*parts))


def _negation(part: Compiled) -> Compiled:
    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        inner = part(situation, at, scope)
        return Finding(~inner.truth, inner.reasons, inner.waits_for if inner.truth is Truth.UNKNOWN else ())

    return Compiled(run, part.delays)


def _implication(left: Compiled, right: Compiled) -> Compiled:
    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        first, second = left(situation, at, scope), right(situation, at, scope)
        return _gather((first, second), implies(first.truth, second.truth))

    return Compiled(run, _delays(left, right))


@dataclass(frozen=True, slots=True)
class _Instant:
    """An instant to look at: a change, or a point (`between`) that stands for all of the time between two changes."""

    at: datetime
    between: bool


def _instants(
    situation: Situation, part: Compiled, start: datetime | None, end: datetime, edges: Sequence[datetime] = ()
) -> list[_Instant]:
    """Instants of [start, end], newest first, that between them show every value that a part takes there.

    Between two changes nothing changes, so a point between them stands for all of them. A window without a start begins with
    the record.
    """
    longest = max(part.delays)
    changes = situation.changes(None if start is None else shifted(start, -longest), end)
    marks = {shifted(change, delay) for change in changes for delay in part.delays} | {end, *edges}
    marks |= {start} if start is not None else set(changes[:1])
    ordered = sorted(m for m in marks if m <= end and (start is None or m >= start))
    found = [_Instant(at, between=False) for at in ordered]
    found += [_Instant(a + (b - a) / 2, between=True) for a, b in pairwise(ordered)]
    return sorted(found, key=lambda instant: instant.at, reverse=True)


def _within(kind: str, window: tuple[timedelta, timedelta | None], part: Compiled) -> Compiled:
    near, far = window

    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        start = None if far is None else shifted(at, -far)
        instants = _instants(situation, part, start, shifted(at, -near))
        findings = [part(situation, instant.at, scope) for instant in instants]
        return _gather(findings, (any_of if kind == "once" else all_of)(f.truth for f in findings))

    return Compiled(run, _behind(part, near, far))


def _since(left: Compiled, window: tuple[timedelta, timedelta | None], right: Compiled) -> Compiled:
    """`left since right`: right at some instant of the window, and left at every later one up to and including now."""
    near, far = window
    both = Compiled(left.run, _delays(left, right))

    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        latest, earliest = shifted(at, -near), None if far is None else shifted(at, -far)
        kept, best = Truth.TRUE, Truth.FALSE
        findings: list[Finding] = []
        for instant in _instants(situation, both, earliest, at, (latest,)):
            held = left(situation, instant.at, scope)
            # After a point between two changes come others of the same stretch, where left must hold too.
            before = all_of((kept, held.truth)) if instant.between else kept
            if instant.at <= latest:
                began = right(situation, instant.at, scope)
                findings.append(began)
                best = any_of((best, all_of((before, began.truth))))
            findings.append(held)
            kept = all_of((kept, held.truth))
            if best is Truth.TRUE or kept is Truth.FALSE:
                break
        return _gather(findings, best)

    return Compiled(run, _delays(left, right) | _behind(right, near, far))


def _quantified(kind: str, variable: str, term: str, part: Compiled) -> Compiled:
    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        members = situation.members(term, at)
        if members is None:
            return Finding(Truth.UNKNOWN, (f"what counts as {term} is not settled",), (term,))
        findings = [part(situation, at, {**scope, variable: member}) for member in members]
        truth = (all_of if kind == "every" else any_of)(f.truth for f in findings)
        undecided = Truth.TRUE if kind == "every" else Truth.FALSE
        if situation.is_open(term) and truth is undecided:
            return Finding(Truth.UNKNOWN, (f"{term} may cover more than is listed",), (term,))
        return _gather(findings, truth)

    return Compiled(run, part.delays)


def _comparison(tree: Any, seen: dict[str, set[str]]) -> Compiled:
    left, sign, right = tree.children
    first, second = _number(left, seen), _number(right, seen)
    tests: dict[str, Callable[[float, float], bool]] = {
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        ">": lambda a, b: a > b,
    }
    test = tests[str(sign)]

    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        (a_low, a_high), (b_low, b_high) = first.run(situation, at, scope), second.run(situation, at, scope)
        corners = {test(a, b) for a in (a_low, a_high) for b in (b_low, b_high)}
        if str(sign) in ("==", "!=") and (a_low != a_high or b_low != b_high):
            apart = a_high < b_low or b_high < a_low
            corners = {str(sign) == "!="} if apart else {True, False}
        value = corners.pop() if len(corners) == 1 else None
        return Finding(Truth.of(value), (f"{_shown(a_low, a_high)} {sign} {_shown(b_low, b_high)}",))

    return Compiled(run, first.delays | second.delays)


def _shown(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


@dataclass(frozen=True, slots=True)
class _Number:
    """A number between two bounds, from the situation."""

    run: Callable[[Situation, datetime, dict[str, str]], tuple[float, float]]
    delays: frozenset[timedelta] = frozenset({timedelta(0)})


def _number(tree: Any, seen: dict[str, set[str]]) -> _Number:
    if tree.data == "number":
        value = float(tree.children[0])
        return _Number(lambda situation, at, scope: (value, value))
    variable, term, body = tree.children
    seen["terms"].add(str(term))
    part = _compile(body, seen) if body is not None else None

    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> tuple[float, float]:
        members = situation.members(str(term), at)
        if members is None:
            return 0, float("inf")
        if part is None:
            return float(len(members)), float("inf") if situation.is_open(str(term)) else float(len(members))
        truths = [part(situation, at, {**scope, str(variable): member}).truth for member in members]
        sure = truths.count(Truth.TRUE)
        most = float("inf") if situation.is_open(str(term)) else float(sure + truths.count(Truth.UNKNOWN))
        return float(sure), most

    return _Number(run, part.delays) if part else _Number(run)
