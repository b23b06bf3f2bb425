"""The tree that every answer carries; each of its leaves is a report, an exhibit or a quotation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Because:
    """One step of an explanation.

    `rule` names the rule applied (the list is in docs/reference/explanation.md), `says` is the step in a sentence.
    A leaf names the report (`report`), the exhibit (`exhibit`) or the quotation (`quote`, with the instrument that it is from)
    that it rests on; an inner step has children. A report that rests on exhibits names itself and has them as its children.
    """

    rule: str
    says: str
    children: tuple[Because, ...] = ()
    report: str = ""
    quote: str = ""
    instrument: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    exhibit: str = ""

    def leaves(self) -> Iterator[Because]:
        """Every step that has no children, in order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def as_json(self) -> dict[str, Any]:
        """The tree as JSON; empty fields are left out."""
        out: dict[str, Any] = {"rule": self.rule, "says": self.says}
        for name in ("report", "exhibit", "quote", "instrument", "facts"):
            if value := getattr(self, name):
                out[name] = value
        if self.children:
            out["because"] = [child.as_json() for child in self.children]
        return out

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The tree in sentences, indented by two blanks a level."""
        yield "  " * depth + self.says
        for child in self.children:
            yield from child.lines(depth + 1)
