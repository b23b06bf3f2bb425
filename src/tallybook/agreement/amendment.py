"""Change records: nothing in an agreement changes in another way. Each has an address, `INSTRUMENT#n`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from tallybook.agreement.model import ConditionText, Identifier, Names, Quotes, Strict, When

ON_RECEIPT = "on receipt"
NOT_YET = "none"

Op = Literal[
    "add",
    "insert",
    "replace",
    "repeal",
    "renumber",
    "suspend",
    "resume",
    "limit",
    "extend",
    "interpret",
    "correct",
    "postpone",
    "restate",
]

NO_VALUE = frozenset({"repeal", "resume", "suspend"})
OF_A_CHANGE = frozenset({"repeal", "replace", "correct", "postpone", "suspend", "resume"})
"""What can be done to a change itself."""

AKOMA_NTOSO: dict[str, tuple[str, str]] = {
    "add": ("textualMod", "insertion"),
    "insert": ("textualMod", "insertion"),
    "replace": ("textualMod", "substitution"),
    "repeal": ("textualMod", "repeal"),
    "renumber": ("textualMod", "renumbering"),
    "correct": ("textualMod", "replacement"),
    "restate": ("forceMod", "reEnactment"),
    "suspend": ("efficacyMod", "inapplication"),
    "resume": ("efficacyMod", "entryIntoEfficacy"),
    "limit": ("scopeMod", "exceptionOfScope"),
    "extend": ("scopeMod", "extensionOfScope"),
    "interpret": ("meaningMod", "authenticInterpretation"),
    "postpone": ("forceMod", "postponementOfEntryIntoForce"),
}
"""Each operation as Akoma Ntoso 3.0 names it: the element under activeModifications, and its type."""

_TARGET = r"^@[A-Za-z0-9][A-Za-z0-9_-]*(#\d+)?(\.[A-Za-z0-9_-]+)*$"


@dataclass(frozen=True, slots=True)
class Target:
    """What a change is about: a provision or instrument `name`, or the change `name#n`, and a path of names inside it."""

    name: str
    n: int | None
    path: tuple[str, ...]

    @property
    def address(self) -> str | None:
        """The address of the change aimed at, or None where it is a provision or instrument."""
        return None if self.n is None else f"{self.name}#{self.n}"

    def within(self, other: Target) -> bool:
        """Whether this is `other` or a part of it."""
        return (self.name, self.n) == (other.name, other.n) and self.path[: len(other.path)] == other.path


@lru_cache(maxsize=65536)
def target_of(text: str) -> Target:
    """Read `@id`, `@id.key.entry`, `@INSTRUMENT` or `@INSTRUMENT#n.key`."""
    head, *path = text.lstrip("@").split(".")
    name, _, number = head.partition("#")
    return Target(name, int(number) if number else None, tuple(path))


class Ruling(Strict):
    """A decision on meaning by a named person."""

    by: str
    made: When
    says: str


class Commencement(Strict):
    """Takes effect when a condition first holds."""

    when: ConditionText


Effective = When | Commencement
"""When something takes effect: a date, `on receipt`, `none` (not until a later change says so), or `{when: condition}`."""


class Change(Strict):
    """One addressable change, `INSTRUMENT#n`."""

    in_: Identifier = Field(alias="in")
    n: Annotated[int, Field(ge=1, le=9999)]
    made: When
    effective: Effective | None = None
    known: When | None = None
    op: Op
    target: Annotated[str, Field(pattern=_TARGET, max_length=300)]
    value: Any = None
    after: Identifier | None = None
    until: When | None = None
    reading: Identifier | None = None
    by: Names = ()
    ruling: Ruling | None = None
    recorded_by: Names = ()
    clause: str = ""
    verb: str = ""
    text: Quotes = {}
    note: str = ""

    @cached_property
    def address(self) -> str:
        """`INSTRUMENT#n`."""
        return f"{self.in_}#{self.n}"

    @cached_property
    def aim(self) -> Target:
        """The target, taken apart."""
        return target_of(self.target)

    @model_validator(mode="after")
    def _is_sound(self) -> Change:
        if not self.text and not self.recorded_by:
            raise ValueError("a change needs words (text) or the report rows that record it (recorded_by)")
        if self.op not in NO_VALUE and self.value is None:
            raise ValueError(f"{self.op} needs a value")
        if self.op in ("repeal", "resume") and self.value is not None:
            raise ValueError(f"{self.op} takes no value")
        if "#" in self.target and self.op not in OF_A_CHANGE:
            raise ValueError(f"{self.op} takes no change as its target; {', '.join(sorted(OF_A_CHANGE))} do")
        if self.until is not None and self.op != "suspend":
            raise ValueError("until belongs to suspend; anything else ends by a later change, or by the provision's until")
        if problem := _wrong_value(self.op, self.value, self.aim):
            raise ValueError(problem)
        if self.op == "interpret" and self.reading is None and not set(self.value) <= {"includes", "excludes"}:
            raise ValueError("interpret for everybody takes {includes: [...], excludes: [...]}; to change other keys use replace")
        return self


def _wrong_value(op: str, value: Any, aim: Target) -> str:
    if op == "interpret":
        return _wrong_interpretation(value)
    if op == "renumber" and not (isinstance(value, str) and re.fullmatch(r"@?[A-Za-z0-9][A-Za-z0-9_-]{0,99}", value)):
        return "renumber takes the new id"
    if op in ("renumber", "restate", "postpone") and aim.path:
        return f"{op} takes a whole provision{' or change' if op == 'postpone' else ''}, not a part of it"
    if op in ("limit", "extend") and not (isinstance(value, dict) and value):
        return f"{op} takes a mapping, such as {{when: CONDITION}} or {{until: DATE}}"
    if op == "suspend" and value is not None and not (isinstance(value, dict) and set(value) <= {"in_part"}):
        return "suspend takes no value, or {in_part: true}"
    if op == "restate" and not isinstance(value, dict):
        return "restate takes the provision in its new words"
    if op == "postpone" and not (isinstance(value, str | int) or (isinstance(value, dict) and set(value) == {"when"})):
        return "postpone takes a date, `on receipt`, `none` or {when: CONDITION}"
    return ""


def _wrong_interpretation(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return "interpret takes {includes: [...], excludes: [...]}, or the keys of the provision that the reading reads otherwise"
    lists = [names for key, names in value.items() if key in ("includes", "excludes")]
    if not all(isinstance(names, list) and names for names in lists):
        return "interpret takes {includes: [...], excludes: [...]}, either or both"
    return ""
