"""Formulas in plain text, read. Grammar in formulas.lark; plain.as_text writes them.

Windows are `[lo,hi]`, `(lo,hi]`, `[lo,hi)`, `(lo,hi)`, `[lo,..]` or `within hi`; none means the whole past. Plain numbers are
in the unit of the trace; `min`, `h`, `d` and `w` are seconds (60, 3600, 86400 and 604800 of them).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tallybook.formula.nodes import (
    And,
    Compare,
    Exists,
    Formula,
    FormulaError,
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
from tallybook.formula.tree import DEEPEST, LARGEST, LONGEST_WORD, UNARY, WIDEST, is_number, make_window

LONGEST = 20_000
_SECONDS = {"min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"([0-9.eE+-]+?)(min|h|d|w)?\Z")
_EITHER = {"(": "this is none of `and`, `or`, `implies`, `since`, `until` or the end"}


class FormulaTextError(FormulaError):
    """A text that is no formula. `line` and `column` count from 1; str() shows the place with a caret."""

    def __init__(self, text: str, line: int, column: int, what: str) -> None:
        self.line, self.column, self.what = line, column, what
        lines = text.splitlines() or [""]
        shown = lines[min(line, len(lines)) - 1].replace("\t", " ")
        # A long line is shown around the place, and the caret moves with it.
        start = max(0, column - 60)
        place = f" (line {line})" if len(lines) > 1 else ""
        super().__init__(f"{what}{place}\n    {shown[start : start + 120]}\n    {' ' * (column - 1 - start)}^")


@lru_cache(maxsize=1)
def _parser() -> Any:
    from lark import Lark

    grammar = files("tallybook.formula").joinpath("formulas.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def parse(text: str) -> Formula:
    """The formula that a text writes down.

    Raises FormulaTextError, which shows line and column with a caret, for what does not parse, for windows that are reversed,
    for a future without an end, and for texts longer than LONGEST characters or nested deeper than DEEPEST levels.
    """
    from lark.exceptions import UnexpectedInput

    if len(text) > LONGEST:
        raise FormulaTextError(text[:60], 1, 60, f"longer than {LONGEST} characters")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unexpected(text, error) from error
    return _Builder(text).build(tree, 0)


def _unexpected(text: str, error: Any) -> FormulaTextError:
    lines = text.rstrip().splitlines() or [""]
    line = error.line if isinstance(error.line, int) and error.line > 0 else len(lines)
    column = error.column if isinstance(error.column, int) and error.column > 0 else len(lines[-1]) + 1
    if getattr(getattr(error, "token", None), "type", "") == "$END" or line > len(lines):
        return FormulaTextError(text.rstrip(), len(lines), len(lines[-1]) + 1, "ends too early")
    rest = lines[line - 1][column - 1 :]
    if not rest.strip():
        return FormulaTextError(text.rstrip(), len(lines), len(lines[-1]) + 1, "ends too early")
    found = getattr(error, "token", None)
    word = str(found) if found else rest.split(maxsplit=1)[0]
    return FormulaTextError(text, line, column, f"not understood from {word[:40]!r} on{_advice(text, error, word)}")


def _advice(text: str, error: Any, word: str) -> str:
    before = text[: error.pos_in_stream or 0].rstrip() if isinstance(getattr(error, "pos_in_stream", None), int) else ""
    if before.endswith(("(", ",")) and re.match(r"[A-Za-z_]\w*", word):
        return '; a variable is written ?x, a text "x"'
    if word == "implies":
        return "; of two `implies`, say by parentheses which comes first"
    if word.lower() != word and word.lower() in ("and", "or", "not", "exists", "once", "since", "until", "eventually", "always"):
        return f"; write {word.lower()!r}"
    if word == "[" and before.endswith("]"):
        return "; give one window"
    return ""


class _Builder:
    """Turns a parse tree into a formula, minding depth and size."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.nodes = 0

    def error(self, place: Any, what: str) -> FormulaTextError:
        line, column = (getattr(place, "line", None), getattr(place, "column", None))
        meta = getattr(place, "meta", None)
        if meta is not None and not meta.empty:
            line, column = meta.line, meta.column
        return FormulaTextError(self.text, line or 1, column or 1, what)

    def build(self, tree: Any, depth: int) -> Formula:
        while tree.data == "group":
            tree = tree.children[0]
        self.nodes += 1
        if depth > DEEPEST:
            raise self.error(tree, f"nested deeper than {DEEPEST} levels")
        if self.nodes > LARGEST:
            raise self.error(tree, f"more than {LARGEST} parts; split the formula")
        builders: dict[str, Callable[[Any, int], Formula]] = {
            "binary": self._binary,
            "unary": self._unary,
            "exists": self._exists,
            "compare": self._compare,
            "predicate": self._predicate,
        }
        kind = str(tree.data)
        if kind in builders:
            return builders[kind](tree, depth)
        parts = tuple(self.build(child, depth + 1) for child in tree.children if hasattr(child, "data"))
        if kind == "not_":
            return Not(parts[0])
        if kind == "implies":
            return Implies(*parts)
        return And(parts) if kind == "and_" else Or(parts)

    def _unary(self, tree: Any, depth: int) -> Formula:
        word, window, part = tree.children
        future = word in ("eventually", "always")
        return UNARY[str(word)](self._window(window, word, future=future), self.build(part, depth + 1))

    def _binary(self, tree: Any, depth: int) -> Formula:
        left, word, window, right = tree.children
        measured = self._window(window, word, future=word == "until")
        parts = (self.build(left, depth + 1), self.build(right, depth + 1))
        return Until(measured, *parts) if word == "until" else Since(measured, *parts)

    def _exists(self, tree: Any, depth: int) -> Formula:
        _, *names, part = tree.children
        if len(names) > WIDEST:
            raise self.error(tree, f"more than {WIDEST} variables")
        return Exists(tuple(dict.fromkeys(str(name) for name in names)), self.build(part, depth + 1))

    def _compare(self, tree: Any, depth: int) -> Formula:
        left, sign, right = tree.children
        return Compare(self._term(left), str(sign), self._term(right))

    def _predicate(self, tree: Any, depth: int) -> Formula:
        name, *terms = tree.children
        word = str(name)
        if word.startswith("`"):
            word = self._unquoted(name, '"' + word[1:-1] + '"')
        if not word or len(word) > LONGEST_WORD:
            raise self.error(name, f"a name of 1 to {LONGEST_WORD} characters is wanted")
        args = [term for term in terms if term is not None and term.type != "ROUND_END"]
        if len(args) > WIDEST:
            raise self.error(name, f"more than {WIDEST} arguments")
        return Predicate(word, tuple(self._term(term) for term in args))

    def _term(self, token: Any) -> Term:
        if token.type == "VAR":
            if len(token) > LONGEST_WORD:
                raise self.error(token, f"a name of more than {LONGEST_WORD} characters")
            return Variable(str(token))
        if token.type == "CONSTANT":
            return {"true": True, "false": False}.get(str(token))
        if token.type == "NUMBER":
            return self._number(token, str(token))
        text = self._unquoted(token, str(token))
        if text.startswith("?"):
            raise self.error(token, "a text that begins with ? would be a variable in the JSON form; leave the ? out")
        if len(text) > LONGEST_WORD:
            raise self.error(token, f"a text of more than {LONGEST_WORD} characters")
        return text

    def _unquoted(self, token: Any, quoted: str) -> str:
        try:
            return str(json.loads(quoted))
        except ValueError as error:
            raise self.error(token, r"escapes in a text are those of JSON: \" \\ \n \t \u0041") from error

    def _number(self, token: Any, digits: str) -> int | float:
        value: int | float = float(digits) if any(c in digits for c in ".eE") else int(digits)
        if not is_number(value) or (isinstance(value, int) and value.bit_length() > 1024):
            raise self.error(token, "a number too large")
        return value

    def _window(self, tree: Any, word: Any, *, future: bool) -> Window:
        if tree is None:
            if future:
                raise self.error(word, f"`{word}` looks at the future and needs an end, such as {word}[0,7d]")
            return Window(0, None)
        if tree.data == "within":
            lo, hi, last = 0, tree.children[1], ""
            return self._made(tree, lo, self._length(hi), (False, False), future=future, last=last)
        low, high, end = tree.children[0].children
        hi = None if high.type == "OPEN" else self._length(high)
        flags = (tree.data == "open_left", end.type == "ROUND_END")
        return self._made(high, self._length(low), hi, flags, future=future, last=str(high))

    def _made(self, place: Any, lo: Any, hi: Any, flags: tuple[bool, bool], *, future: bool, last: str) -> Window:
        try:
            return make_window(lo, hi, *flags, future=future, where="window")
        except FormulaError as error:
            raise self.error(place, str(error).removeprefix("window: ").removeprefix("window.hi: ")) from error

    def _length(self, token: Any) -> int | float:
        match = _LENGTH.match(str(token))
        assert match is not None
        value = self._number(token, match[1])
        if not match[2]:
            return value
        seconds = value * _SECONDS[match[2]]
        return int(seconds) if seconds == int(seconds) else seconds
