"""Formulas as trees of JSON, and all that formulas are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from tallybook.formula.nodes import (
    SIGNS,
    Always,
    And,
    Compare,
    Eventually,
    Exists,
    Formula,
    FormulaError,
    Historically,
    Implies,
    Not,
    Once,
    Or,
    Predicate,
    Since,
    Term,
    Until,
    Value,
    Variable,
    Window,
    compare,
    free,
    horizon,
    is_number,
    kind_of,
    looks_ahead,
    parts_of,
    walk,
)
from tallybook.formula.plain import as_text

__all__ = [
    "DEEPEST",
    "LARGEST",
    "LONGEST_WORD",
    "SIGNS",
    "WIDEST",
    "Always",
    "And",
    "Compare",
    "Eventually",
    "Exists",
    "Formula",
    "FormulaError",
    "Historically",
    "Implies",
    "Not",
    "Once",
    "Or",
    "Predicate",
    "Since",
    "Term",
    "Until",
    "Value",
    "Variable",
    "Window",
    "as_text",
    "compare",
    "free",
    "from_json",
    "horizon",
    "is_number",
    "kind_of",
    "looks_ahead",
    "make_window",
    "parts_of",
    "to_json",
    "walk",
]

DEEPEST = 60
LARGEST = 2000
WIDEST = 100
LONGEST_WORD = 1000
_VARIABLE = re.compile(r"\?[A-Za-z0-9_][A-Za-z0-9_'-]*\Z")

UNARY: dict[str, type[Once] | type[Historically] | type[Eventually] | type[Always]] = {
    "once": Once,
    "historically": Historically,
    "eventually": Eventually,
    "always": Always,
}
_BINARY: dict[str, type[Since] | type[Until]] = {"since": Since, "until": Until}
_FUTURE = ("eventually", "always", "until")
_WINDOW_KEYS = ("lo", "hi", "lo_open", "hi_open")
_KEYS: dict[str, tuple[str, ...]] = {
    "and": ("args",),
    "or": ("args",),
    "not": ("arg",),
    "implies": ("left", "right"),
    "exists": ("vars", "arg"),
    "compare": ("left", "cmp", "right"),
    **dict.fromkeys(UNARY, ("lo", "hi", "arg")),
    **dict.fromkeys(_BINARY, ("lo", "hi", "left", "right")),
}


def from_json(node: object) -> Formula:
    """A formula from its JSON tree.

    Shapes: `{"pred": name, "args": [...]}`, or `{"op": ...}` with `args` (and, or), `arg` (not), `left` and `right` (implies),
    `vars` and `arg` (exists), `left`, `cmp`, `right` (compare), `lo`, `hi`, `arg` (once, historically, eventually, always) or
    `lo`, `hi`, `left`, `right` (since, until), windows with `lo_open` and `hi_open` if wanted. `and` or `or` of one part is
    that part.
    Raises FormulaError with the path of the fault for anything else, for windows that are negative or reversed, for a future
    without an end, and for trees deeper than DEEPEST or larger than LARGEST.
    """
    return _Reader().formula(node, "formula", 0)


class _Reader:
    """Reads a JSON tree, counting its nodes."""

    def __init__(self) -> None:
        self.nodes = 0

    def formula(self, node: object, path: str, depth: int) -> Formula:
        self.nodes += 1
        if depth > DEEPEST:
            raise FormulaError(f"{path[:80]}...: nested deeper than {DEEPEST} levels")
        if self.nodes > LARGEST:
            raise FormulaError(f"{path[:80]}: more than {LARGEST} parts; split the formula")
        if not isinstance(node, Mapping):
            raise FormulaError(f'{path}: an object with "pred" or "op" is wanted, not {_shown(node)}')
        if "pred" in node:
            return self._predicate(node, path)
        op = node.get("op")
        if not isinstance(op, str) or op not in _KEYS:
            what = "no op" if "op" not in node else f"unknown op {_shown(op)}"
            raise FormulaError(f"{path}: {what}; known are {', '.join(_KEYS)}")
        windowed = op in UNARY or op in _BINARY
        _check_keys(node, ("op", *_KEYS[op]), ("lo_open", "hi_open") if windowed else (), path)
        if windowed:
            return self._temporal(op, node, path, depth)
        return self._plain(op, node, path, depth)

    def _plain(self, op: str, node: Mapping[Any, Any], path: str, depth: int) -> Formula:
        if op in ("and", "or"):
            args = node["args"]
            if not isinstance(args, list) or not args:
                raise FormulaError(f"{path}.args: a list of at least one formula is wanted, not {_shown(args)}")
            parts = tuple(self.formula(part, f"{path}.args[{n}]", depth + 1) for n, part in enumerate(args))
            if len(parts) == 1:
                return parts[0]
            return And(parts) if op == "and" else Or(parts)
        if op == "not":
            return Not(self.formula(node["arg"], f"{path}.arg", depth + 1))
        if op == "implies":
            left = self.formula(node["left"], f"{path}.left", depth + 1)
            return Implies(left, self.formula(node["right"], f"{path}.right", depth + 1))
        if op == "exists":
            names = node["vars"]
            if not isinstance(names, list) or not names or len(names) > WIDEST or not all(_is_variable(n) for n in names):
                raise FormulaError(f'{path}.vars: a list of names such as "?x" is wanted, not {_shown(names)}')
            return Exists(tuple(dict.fromkeys(names)), self.formula(node["arg"], f"{path}.arg", depth + 1))
        if node["cmp"] not in SIGNS:
            raise FormulaError(f"{path}.cmp: one of {' '.join(SIGNS)} is wanted, not {_shown(node['cmp'])}")
        return Compare(_term(node["left"], f"{path}.left"), node["cmp"], _term(node["right"], f"{path}.right"))

    def _temporal(self, op: str, node: Mapping[Any, Any], path: str, depth: int) -> Formula:
        window = make_window(*(node.get(key, False) for key in _WINDOW_KEYS), future=op in _FUTURE, where=path)
        if op in UNARY:
            return UNARY[op](window, self.formula(node["arg"], f"{path}.arg", depth + 1))
        left = self.formula(node["left"], f"{path}.left", depth + 1)
        return _BINARY[op](window, left, self.formula(node["right"], f"{path}.right", depth + 1))

    def _predicate(self, node: Mapping[Any, Any], path: str) -> Predicate:
        _check_keys(node, ("pred", "args"), (), path)
        name, args = node["pred"], node["args"]
        if not isinstance(name, str) or not name or len(name) > LONGEST_WORD:
            raise FormulaError(f"{path}.pred: a name is wanted, not {_shown(name)}")
        if not isinstance(args, list) or len(args) > WIDEST:
            raise FormulaError(f"{path}.args: a list of at most {WIDEST} arguments is wanted, not {_shown(args)}")
        return Predicate(name, tuple(_term(arg, f"{path}.args[{n}]") for n, arg in enumerate(args)))


def make_window(lo: object, hi: object, lo_open: object, hi_open: object, *, future: bool, where: str) -> Window:
    """A checked window. Raises FormulaError naming `where` for bounds that are no numbers, negative, reversed or missing."""
    if not is_number(lo) or lo < 0:
        raise FormulaError(f"{where}.lo: a number of at least 0 is wanted, not {_shown(lo)}")
    for key, flag in (("lo_open", lo_open), ("hi_open", hi_open)):
        if not isinstance(flag, bool):
            raise FormulaError(f"{where}.{key}: true or false is wanted, not {_shown(flag)}")
    if hi is None:
        if future:
            raise FormulaError(f"{where}.hi: an operator on the future needs an upper bound; give one")
        return Window(lo, None, bool(lo_open), False)
    if not is_number(hi):
        raise FormulaError(f"{where}.hi: a number or null is wanted, not {_shown(hi)}")
    if hi < lo:
        raise FormulaError(f"{where}: the window ends ({hi}) before it begins ({lo})")
    return Window(lo, hi, bool(lo_open), bool(hi_open))


def _check_keys(node: Mapping[Any, Any], needed: tuple[str, ...], allowed: tuple[str, ...], path: str) -> None:
    missing = [key for key in needed if key not in node]
    if missing:
        raise FormulaError(f"{path}: {', '.join(missing)} is missing")
    unknown = [key for key in node if key not in needed and key not in allowed]
    if unknown:
        raise FormulaError(f"{path}: unknown key {_shown(unknown[0])}; known are {', '.join((*needed, *allowed))}")


def _is_variable(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= LONGEST_WORD and _VARIABLE.match(value) is not None


def _term(value: object, path: str) -> Term:
    if isinstance(value, str):
        if value.startswith("?"):
            if not _is_variable(value):
                raise FormulaError(f"{path}: {_shown(value)} is no name of a variable; use letters, digits and _")
            return Variable(value)
        if len(value) > LONGEST_WORD:
            raise FormulaError(f"{path}: a text of more than {LONGEST_WORD} characters")
        return value
    if value is None or isinstance(value, bool) or is_number(value):
        if isinstance(value, int) and value.bit_length() > 1024:
            raise FormulaError(f"{path}: a number of more than 300 digits")
        return value
    raise FormulaError(f"{path}: a text, a number, true, false or null is wanted, not {_shown(value)}")


def _shown(value: object) -> str:
    """A short picture of something unusable."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, int) and value.bit_length() > 1024:
        return "a number of more than 300 digits"
    text = json.dumps(value) if isinstance(value, str | int | float | bool) or value is None else type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."


def to_json(formula: Formula) -> dict[str, Any]:
    """The JSON tree of a formula; from_json gives the formula back."""
    if isinstance(formula, Predicate):
        return {"pred": formula.name, "args": [_term_json(arg) for arg in formula.args]}
    if isinstance(formula, Compare):
        left, right = _term_json(formula.left), _term_json(formula.right)
        return {"op": "compare", "left": left, "cmp": formula.sign, "right": right}
    op = type(formula).__name__.lower()
    if isinstance(formula, And | Or):
        return {"op": op, "args": [to_json(part) for part in formula.parts]}
    if isinstance(formula, Not):
        return {"op": op, "arg": to_json(formula.part)}
    if isinstance(formula, Exists):
        return {"op": op, "vars": list(formula.variables), "arg": to_json(formula.part)}
    if isinstance(formula, Implies):
        return {"op": op, "left": to_json(formula.left), "right": to_json(formula.right)}
    window: dict[str, Any] = {"op": op, "lo": formula.window.lo, "hi": formula.window.hi}
    window |= {key: True for key in ("lo_open", "hi_open") if getattr(formula.window, key)}
    if isinstance(formula, Since | Until):
        return {**window, "left": to_json(formula.left), "right": to_json(formula.right)}
    return {**window, "arg": to_json(formula.part)}


def _term_json(term: Term) -> Value:
    return term.name if isinstance(term, Variable) else term
