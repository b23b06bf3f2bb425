"""Conditions: parsed once, compiled to closures that answer true, false or unknown, with reasons.

Grammar in conditions.lark. Windows are closed at both ends, states hold from their start inclusive to their end
exclusive, `since` includes now, and same-instant events are compared by time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tallybook.agreement.situation import Atom, Compiled, Run, Situation, delays_of, gathered
from tallybook.agreement.windows import since, within
from tallybook.core.time import MomentError, Span, duration, span
from tallybook.core.truth import Finding, Truth, all_of, any_of, implies

LONGEST = 2000
DEEPEST = 40
DEEPEST_LOOPS = 6
_LOOPS = {"once", "always", "since", "every", "some", "count"}


class ConditionError(ValueError):
    """A condition that does not parse. `column` counts from 1; str() shows the place with a caret."""

    def __init__(self, text: str, column: int, what: str) -> None:
        self.text, self.column, self.what = text, column, what
        shown = text.replace("\t", " ")
        super().__init__(f"{what}\n    {shown}\n    {' ' * (column - 1)}^")


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition, with the provisions (`references`), terms and atoms that it speaks of.

    `free` are variables that no `every`, `some` or `count` binds, `words` the status words that it asks for, and
    `delays` how long after something on record its truth may still turn.
    """

    text: str
    references: frozenset[str]
    terms: frozenset[str]
    atoms: frozenset[str]
    free: frozenset[str]
    words: frozenset[str]
    delays: frozenset[Span]
    run: Run

    def __call__(self, situation: Situation, at: datetime, scope: dict[str, str] | None = None) -> Finding:
        """Evaluate at an instant; `scope` says what free variables stand for."""
        return self.run(situation, at, scope or {})


@lru_cache(maxsize=1)
def _parser() -> Any:
    from lark import Lark

    grammar = files("tallybook.agreement").joinpath("conditions.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def parse(text: str) -> Any:
    """The tree of a condition (lark.Tree, rules as in conditions.lark). Raises ConditionError as `condition` does."""
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
    return tree


def compile_part(tree: Any) -> Compiled:
    """A part of a parsed condition as something to evaluate by itself, in a scope of its variables."""
    return _compile(tree, {"references": set(), "terms": set(), "atoms": set(), "words": set()})


@lru_cache(maxsize=4096)
def condition(text: str) -> Condition:
    """Parse and compile a condition. Raises ConditionError with the column where it stops making sense."""
    tree = parse(text)
    seen: dict[str, set[str]] = {"references": set(), "terms": set(), "atoms": set(), "words": set()}
    try:
        run = _compile(tree, seen)
    except _PlaceError as error:
        raise ConditionError(text, error.column, str(error)) from error
    references, terms, atoms = (frozenset(seen[key]) for key in ("references", "terms", "atoms"))
    free = frozenset(_free(tree, frozenset()))
    return Condition(text, references, terms, atoms, free, frozenset(seen["words"]), run.delays, run.run)


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


def _free(tree: Any, bound: frozenset[str]) -> set[str]:
    if tree.data in ("every", "some", "count"):
        bound |= {str(tree.children[0])}
    found = {str(t) for t in tree.children if getattr(t, "type", "") == "VAR"} - bound
    for child in tree.children:
        if hasattr(child, "data"):
            found |= _free(child, bound)
    return found


class _PlaceError(ValueError):
    """Something that parses and is none, with the column where it stands."""

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
        if key and any(key == other for other, _ in pairs):
            raise _PlaceError(token.column, f"{key} is given twice")
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
        return within(kind, _window(tree.children[0]), _compile(tree.children[1], seen))
    if kind == "since":
        left, window, right = tree.children
        return since(_compile(left, seen), _window(window), _compile(right, seen))
    if kind in ("every", "some"):
        variable, term, body = (tree.children[0], str(tree.children[1]), tree.children[2])
        seen["terms"].add(term)
        return _quantified(kind, str(variable), term, _compile(body, seen))
    if kind == "status":
        word, reference = str(tree.children[0]), str(tree.children[1])
        seen["references"].add(reference)
        seen["words"].add(word)
        return Compiled(lambda situation, at, scope: situation.status(word, reference, at))
    if kind == "compare":
        return _comparison(tree, seen)
    if kind == "has_value":
        return _of_value(tree, seen)
    plain = _read_atom(tree, {})
    seen["atoms"].add(str(plain))
    if not any(value.startswith("?") for _, value in plain.args):
        return Compiled(lambda situation, at, scope: situation.holds(plain, at))
    return Compiled(lambda situation, at, scope: situation.holds(_read_atom(tree, scope), at))


def _window(tree: Any) -> tuple[Span, Span | None]:
    if tree is None:
        return Span(), None
    if tree.data == "within":
        return Span(), _length(tree.children[0])
    near, far = tree.children
    first, last = _length(near), None if far.type == "OPEN" else _length(far)
    if far.type != "OPEN" and duration(str(far)) < duration(str(near)):
        raise _PlaceError(far.column, f"the window ends ({far}) before it begins ({near})")
    return first, last


def _length(token: Any) -> Span:
    """A window's length: days and weeks are elapsed time, months and years go by the calendar."""
    try:
        length = span(str(token))
    except MomentError as error:
        raise _PlaceError(token.column, str(error)) from error
    return Span(length.months, 0, length.rest + timedelta(days=length.days))


def _junction(every: bool, parts: Sequence[Compiled]) -> Compiled:
    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        findings = [part(situation, at, scope) for part in parts]
        return gathered(findings, (all_of if every else any_of)(f.truth for f in findings))

    return Compiled(run, delays_of(*parts))


def _negation(part: Compiled) -> Compiled:
    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        inner = part(situation, at, scope)
        return Finding(~inner.truth, inner.reasons, inner.waits_for if inner.truth is Truth.UNKNOWN else ())

    return Compiled(run, part.delays)


def _implication(left: Compiled, right: Compiled) -> Compiled:
    def run(situation: Situation, at: datetime, scope: dict[str, str]) -> Finding:
        first, second = left(situation, at, scope), right(situation, at, scope)
        return gathered((first, second), implies(first.truth, second.truth))

    return Compiled(run, delays_of(left, right))


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
        return gathered(findings, truth)

    return Compiled(run, part.delays)


def _of_value(tree: Any, seen: dict[str, set[str]]) -> Compiled:
    """`value @id == X`: what a definition's cases and the exceptions to it come to."""
    _, reference, sign, wanted = (str(child) for child in tree.children)
    seen["references"].add(reference)
    expected: str | float = wanted.strip('"')
    if tree.children[3].type == "NUMBER":
        expected = float(wanted)

    def run(situation: Situation, at: datetime, _scope: dict[str, str]) -> Finding:
        found, why = situation.value(reference, at)
        if found is None:
            return Finding(Truth.UNKNOWN, why.reasons, why.waits_for or (reference,))
        same = found == expected if isinstance(found, str) == isinstance(expected, str) else str(found) == wanted.strip('"')
        return Finding(Truth.of(same == (sign == "==")), (f"{reference} is {_plain(found)}", *why.reasons))

    return Compiled(run)


def _plain(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


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
        waits = tuple(part.name(scope) for part in (first, second) if part.name) if value is not True else ()
        return Finding(Truth.of(value), (f"{_shown(a_low, a_high)} {sign} {_shown(b_low, b_high)}",), waits)

    return Compiled(run, first.delays | second.delays)


def _shown(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


@dataclass(frozen=True, slots=True)
class _Number:
    """A number between two bounds, from the situation."""

    run: Callable[[Situation, datetime, dict[str, str]], tuple[float, float]]
    delays: frozenset[Span] = frozenset({Span()})
    name: Callable[[dict[str, str]], str] | None = None


def _number(tree: Any, seen: dict[str, set[str]]) -> _Number:
    if tree.data == "number":
        value = float(tree.children[0])
        return _Number(lambda situation, at, scope: (value, value))
    if tree.data == "atom":
        seen["atoms"].add(str(_read_atom(tree, {})))
        return _Number(
            lambda situation, at, scope: situation.amount(_read_atom(tree, scope), at),
            name=lambda scope: f"the number of {_read_atom(tree, scope)}",
        )
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
