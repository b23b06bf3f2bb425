"""Formulas in plain text, written."""

from __future__ import annotations

import json
import re

from tallybook.formula.nodes import (
    And,
    Compare,
    Exists,
    Formula,
    Implies,
    Not,
    Or,
    Predicate,
    Since,
    Term,
    Until,
    Variable,
    Window,
)

KEYWORDS = frozenset({"and", "or", "not", "implies", "exists", "once", "historically", "eventually", "always"})
KEYWORDS |= {"since", "until", "within", "true", "false", "null"}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RANK = {Implies: 0, Or: 1, And: 2, Since: 3, Until: 3}


def as_text(formula: Formula) -> str:
    """The formula in plain text, which `tallybook.formula.text.parse` reads back to an equal formula."""
    if isinstance(formula, Predicate):
        name = formula.name
        if not _PLAIN_NAME.match(name) or name in KEYWORDS:
            name = "`" + json.dumps(name)[1:-1].replace("`", "\\u0060") + "`"
        return f"{name}({', '.join(_term_text(arg) for arg in formula.args)})" if formula.args else name
    if isinstance(formula, Compare):
        return f"{_term_text(formula.left)} {formula.sign} {_term_text(formula.right)}"
    if isinstance(formula, Not):
        return f"not {_inner(formula.part, 4)}"
    if isinstance(formula, Exists):
        return f"exists {', '.join(formula.variables)}. {as_text(formula.part)}"
    if isinstance(formula, Implies):
        return f"{_inner(formula.left, 1)} implies {_inner(formula.right, 1)}"
    if isinstance(formula, And | Or):
        rank = _RANK[type(formula)] + 1
        word = " and " if isinstance(formula, And) else " or "
        if len(formula.parts) == 1:
            return as_text(formula.parts[0])
        return word.join(_inner(part, rank) for part in formula.parts)
    word = type(formula).__name__.lower() + _window_text(formula.window)
    if isinstance(formula, Since | Until):
        return f"{_inner(formula.left, 4)} {word} {_inner(formula.right, 4)}"
    return f"{word} {_inner(formula.part, 4)}"


def _inner(formula: Formula, rank: int) -> str:
    """The text of a part, in parentheses where it binds less than `rank`."""
    text = as_text(formula)
    loose = isinstance(formula, Exists) or _RANK.get(type(formula), 4) < rank
    return f"({text})" if loose else text


def _term_text(term: Term) -> str:
    return term.name if isinstance(term, Variable) else json.dumps(term)


def _window_text(window: Window) -> str:
    if window == Window(0, None):
        return ""
    last = ".." if window.hi is None else repr(window.hi)
    return f"{'(' if window.lo_open else '['}{window.lo!r},{last}{')' if window.hi_open else ']'}"
