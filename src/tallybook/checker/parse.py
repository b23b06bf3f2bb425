"""The condition language, read anew: a condition as parts, by recursive descent (grammar in docs/reference/conditions.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

Scope: TypeAlias = dict[str, str]
"""What variables stand for."""

LONGEST = 2000
DEEPEST = 60

_STATUS = (
    "no-evidence|claimed|indicated|supported|verified|unclear|disputed|contradicted|unverified|not-yet-owed|owed|performed|overdue"
    "|withheld|waived|released|breached|missed|used|in-force|pending|suspended|lapsed|repealed"
)
_TOKEN = re.compile(
    r"\s*(?:"
    rf"(?P<status>(?:{_STATUS})(?=\s+@))"
    r"|(?P<value>value(?=\s+@))"
    r"|(?P<ref>@[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)"
    r"|(?P<var>\?[a-z][a-z0-9_-]*)"
    r"|(?P<dur>\d{1,6}(?:min|h|d|w|mo|y)\b)"
    r"|(?P<number>\d{1,12}(?:\.\d{1,12})?(?!\w))"
    r'|(?P<string>"[^"]*")'
    r"|(?P<name>[A-Za-z0-9_]*[A-Za-z_][A-Za-z0-9_-]*)"
    r"|(?P<sign><=|>=|==|!=|<|>)"
    r"|(?P<mark>\.\.|[()\[\],=])"
    r")"
)
_WORDS = frozenset(
    {"and", "or", "not", "implies", "once", "always", "since", "every", "all", "some", "count", "within", "in", "has"}
)


class ParseError(ValueError):
    """A text that is no condition."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its kind, its words (variable, term, names, window, arguments) and the parts within it."""

    kind: str
    given: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    args: tuple[tuple[str, str], ...] = ()

    def walk(self) -> Iterator[Part]:
        """This part and all within it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@lru_cache(maxsize=4096)
def parse(text: str) -> Part:
    """Read a condition. Raises ParseError."""
    if len(text) > LONGEST:
        raise ParseError(f"longer than {LONGEST} characters")
    reader = _Reader(text)
    part = reader.condition(0)
    if reader.kind:
        raise ParseError(f"not understood from {reader.word!r} on")
    return part


def parse_side(text: str) -> Part:
    """Read one side of a comparison: a number, a count, or an event. Raises ParseError."""
    reader = _Reader(text[:LONGEST])
    part = reader.side(0)
    if reader.kind:
        raise ParseError(f"not understood from {reader.word!r} on")
    return part


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None or found.end() > end:
                raise ParseError(f"not understood from {text[at:].strip()[:20]!r} on")
            kind = str(found.lastgroup)
            word = found[kind]
            self._tokens.append(("word" if kind == "name" and word in _WORDS else kind, word))
            at = found.end()
        self._at = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    @property
    def word(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str:
        """The next word, which must be one of some kinds or words."""
        if self.kind not in wanted and self.word not in wanted:
            raise ParseError(f"{' or '.join(wanted)} is wanted, not {self.word or 'the end'!r}")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _is(self, *words: str) -> bool:
        return self.kind in ("word", "mark") and self.word in words

    def condition(self, depth: int) -> Part:
        if depth > DEEPEST:
            raise ParseError(f"nested deeper than {DEEPEST} levels")
        left = self._chain("or", depth)
        if self._is("implies"):
            self._take("implies")
            return Part("implies", (), (left, self._chain("or", depth)))
        return left

    def _chain(self, word: str, depth: int) -> Part:
        def inner() -> Part:
            return self._chain("and", depth) if word == "or" else self._past(depth)

        parts = [inner()]
        while self._is(word):
            self._take(word)
            parts.append(inner())
        return parts[0] if len(parts) == 1 else Part(word, (), tuple(parts))

    def _past(self, depth: int) -> Part:
        left = self._unary(depth)
        if not self._is("since"):
            return left
        self._take("since")
        window = self._window()
        return Part("since", window, (left, self._unary(depth)))

    def _window(self) -> tuple[str, str]:
        if self._is("within"):
            self._take("within")
            return "0d", self._take("dur")
        if not self._is("["):
            return "0d", ".."
        self._take("[")
        near = self._take("dur")
        self._take(",")
        far = self._take("dur", "..")
        self._take("]")
        return near, far

    def _unary(self, depth: int) -> Part:
        if depth > DEEPEST:
            raise ParseError(f"nested deeper than {DEEPEST} levels")
        if self._is("not"):
            self._take("not")
            return Part("not", (), (self._unary(depth + 1),))
        if self._is("once", "always"):
            kind = self._take("once", "always")
            return Part(kind, self._window(), (self._unary(depth + 1),))
        if self._is("every", "all", "some"):
            kind = "some" if self._take("every", "all", "some") == "some" else "every"
            variable, term = self._member()
            self._take("has")
            return Part(kind, (variable, term), (self._unary(depth + 1),))
        if self.kind == "status":
            return Part("status", (self._take("status"), self._take("ref")))
        if self.kind == "value":
            self._take("value")
            return Part("value", (self._take("ref"), self._take("==", "!="), self._take("number", "name", "string")))
        if self._is("("):
            self._take("(")
            part = self.condition(depth + 1)
            self._take(")")
            return part
        side = self.side(depth)
        if self.kind == "sign":
            return Part("compare", (self._take("sign"),), (side, self.side(depth)))
        if side.kind != "fact":
            raise ParseError("a number is no condition")
        return side

    def _member(self) -> tuple[str, str]:
        variable = self._take("var")
        self._take("in")
        return variable, self._take("name")

    def side(self, depth: int) -> Part:
        if self.kind == "number":
            return Part("number", (self._take("number"),))
        if not self._is("count"):
            return self._atom()
        self._take("count")
        self._take("(")
        variable, term = self._member()
        body: tuple[Part, ...] = ()
        if self._is("has"):
            self._take("has")
            body = (self.condition(depth + 1),)
        self._take(")")
        return Part("count", (variable, term), body)

    def _atom(self) -> Part:
        name = self._take("name", "status", "value")
        args: list[tuple[str, str]] = []
        if self._is("("):
            self._take("(")
            position = 0
            while not self._is(")"):
                key = ""
                if self.kind == "name" and self._at + 1 < len(self._tokens) and self._tokens[self._at + 1][1] == "=":
                    key = self._take("name")
                    self._take("=")
                value = self._take("var", "number", "name", "string", "ref", "dur").strip('"')
                args.append((key or str(position), value))
                position += not key
                if not self._is(")"):
                    self._take(",")
            self._take(")")
        return Part("fact", (name,), (), tuple(sorted(args)))


def bound(part: Part, scope: dict[str, str]) -> str:
    """An event with what its variables stand for, as it is written: `agreed(inspection, scope=inbound)`."""
    return atom_text(part.given[0], bound_args(part, scope))


def bound_args(part: Part, scope: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """The arguments of an event with what their variables stand for."""
    return tuple(sorted((key, scope.get(value, value) if value.startswith("?") else value) for key, value in part.args))


def atom_text(name: str, args: tuple[tuple[str, str], ...]) -> str:
    """An event as it is written, positional arguments under their number, named ones under their name."""
    inner = ", ".join(value if key.isdigit() else f"{key}={value}" for key, value in args)
    return f"{name}({inner})" if inner else name
