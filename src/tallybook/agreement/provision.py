"""The six kinds of provision: definition, duty, liberty, power, proof, exception."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tallybook.agreement.amendment import Effective
from tallybook.agreement.model import (
    AtomText,
    ConditionText,
    Identifier,
    Names,
    Quotes,
    Reference,
    References,
    Strict,
    When,
    Words,
)
from tallybook.core.time import span


class Party(Strict):
    """A party, or somebody else who is named. `known_as` are the names by which reports call it."""

    name: str
    known_as: Names | Words = ()
    stands: Literal["party", "third"] = "party"
    note: str = ""


class Standard(Strict):
    """A standard of proof: the low bound that the evidence must reach."""

    at_least: Annotated[float, Field(gt=0.5, lt=1)]
    text: Quotes = {}


class Reading(Strict):
    """Whose interpretation. The reading `plain` is everybody's, until a named reading departs from it."""

    by: Identifier | None = None
    note: str = ""


class Instrument(Strict):
    """A document in which something was promised, defined or instructed, and whether its text is in hand."""

    name: str
    made: When | None = None
    known: When | None = None
    known_to: Names = ()
    effective: Effective | None = None
    received: dict[Identifier, When] = {}
    by: Identifier | None = None
    to: Names = ()
    binds: Words = ()
    in_hand: Literal["whole", "quoted", "described", "none"]
    file: str | None = None
    read_in: Identifier | None = None
    accepts: Identifier | None = None
    restates: Names = ()
    recorded_by: Names = ()
    note: str = ""

    @model_validator(mode="after")
    def _has_its_text(self) -> Instrument:
        if self.in_hand == "whole" and not self.file:
            raise ValueError("in_hand is whole, so `file` must name the text under sources/")
        if self.in_hand in ("quoted", "described") and not self.read_in:
            raise ValueError(f"in_hand is {self.in_hand}, so `read_in` must name the instrument where it was read")
        return self


class Part(Strict):
    """A numbered part of a provision's words. One that was taken out keeps its number; `repealed_by` says by what change."""

    id: Identifier
    unit: str = "paragraph"
    number: str = ""
    heading: str = ""
    text: Quotes = {}
    parts: list[Part] | tuple[Part, ...] = ()
    repealed_by: str = ""


class Provision(Strict):
    """What all kinds share. `open` records what could not be expressed, and taints what depends on it.

    `unit` and `number` are what the instrument calls it ("section", "3A"); `survives`: it outlasts the end of the agreement.
    """

    id: Identifier
    unit: str = ""
    number: str = ""
    heading: str = ""
    text: Quotes = {}
    parts: list[Part] | tuple[Part, ...] = ()
    survives: bool = False
    because: Quotes = {}
    in_instrument: Identifier | None = Field(default=None, alias="in")
    reading: Identifier | None = None
    vague: Words = ()
    open: str | bool = False
    note: str = ""
    from_: When | None = Field(default=None, alias="from")
    until: When | None = None


class Included(Strict):
    """Something that a definition includes or excludes: an item class, for everybody or under one reading."""

    item: Identifier
    text: Quotes = {}
    because: Quotes = {}
    reading: Identifier | None = None
    strength: Literal["stated", "inferred"] = "stated"


class ByReference(Strict):
    """A definition's pointer to a list or description elsewhere."""

    to: Identifier
    as_: Literal["list", "description"] = Field(alias="as")


class Interpretation(Strict):
    """What one reading adds to or takes from a definition."""

    reading: Identifier
    includes: Names = ()
    excludes: Names = ()
    text: Quotes = {}


Scalar = str | int | float | bool


class InCase(Strict):
    """A value that holds in one case."""

    when: ConditionText | None = None
    is_: Scalar = Field(alias="is")


class Definition(Provision):
    """A term: what it includes, the condition under which a state of affairs holds, or the value it has, case by case."""

    kind: Literal["definition"]
    cases: tuple[InCase, ...] | list[InCase] = ()
    term: str = ""
    includes: tuple[Included, ...] | list[Included] = ()
    interpretations: tuple[Interpretation, ...] | list[Interpretation] = ()
    by_reference: tuple[ByReference, ...] | list[ByReference] = ()
    holds_when: ConditionText | None = None
    covers: Quotes = {}


class Owed(Strict):
    """Who owes, and to whom."""

    by: Identifier
    to: Identifier


def _is_length(text: str) -> str:
    span(text)
    return text


class Within(Strict):
    """A time limit from the moment a duty is owed; `value` is absent where the limit is only a vague word."""

    value: Annotated[str, Field(pattern=r"^\d{1,6}(min|h|d|w|mo|y)$"), AfterValidator(_is_length)] | None = None
    vague: str = ""


class Step(Strict):
    """An ordered part of a duty, with the claim that evidence can support."""

    id: Identifier
    claim: Identifier | None = None
    after: Identifier | None = None
    text: Quotes = {}


def _within(value: Any) -> Any:
    return {"value": value} if isinstance(value, str) else value


class Norm(Provision):
    """A provision that somebody must, may or can act on. `interpretations`: keys that one reading reads otherwise."""

    interpretations: list[dict[str, Any]] | tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _readings_are_named(self) -> Norm:
        for entry in self.interpretations:
            unknown = set(entry) - {"reading", "text"} - set(type(self).model_fields)
            if not isinstance(entry.get("reading"), str) or unknown - {"from", "while", "in", "for"}:
                raise ValueError("an interpretation names its reading, and keys of the provision that it reads otherwise")
        return self


class Duty(Norm):
    """Something owed: to achieve, to maintain, or to endeavour (work for, without owing the result).

    `earliest` is the first day on which performance counts. `breached_when` says what breaks it besides a date that passes.
    """

    kind: Literal["duty"]
    owed: Owed
    earliest: When | None = None
    breached_when: ConditionText | None = None
    covers: Identifier | None = None
    in_force: ConditionText | None = None
    when: ConditionText | None = None
    achieve: ConditionText | None = None
    maintain: ConditionText | None = None
    endeavour: ConditionText | None = None
    steps: tuple[Step, ...] | list[Step] = ()
    by: When | None = None
    within: Annotated[Within | None, BeforeValidator(_within)] = None
    in_return_for: References = ()
    unless: References = ()
    proof: Reference | None = None
    standard: Identifier | None = None
    measure: Identifier | None = None
    states: Names = ()
    claims: Names = ()
    then: str = ""

    @model_validator(mode="after")
    def _one_content(self) -> Duty:
        if sum(x is not None for x in (self.achieve, self.maintain, self.endeavour)) != 1:
            raise ValueError("a duty has exactly one of achieve, maintain and endeavour")
        return self


def _refs(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


class MustUse(Strict):
    """A liberty against the other side that one's own guidance requires to be used."""

    by: str
    text: Quotes = {}
    states: Names = ()


class Liberty(Norm):
    """What a holder may do, while a condition holds."""

    kind: Literal["liberty"]
    holder: Identifier
    while_: ConditionText | None = Field(default=None, alias="while")
    must_use: MustUse | None = None
    may_extend: bool = False
    measure: Identifier | None = None
    states: Names = ()
    ended_by: Reference | None = None


Ended = Annotated[tuple[Reference, ...] | Literal["all"], BeforeValidator(lambda v: v if v == "all" else tuple(_refs(v)))]


class Effect(Strict):
    """What using a power does to named provisions. `end: all` ends everything that does not survive."""

    suspend: References = ()
    resume: References = ()
    end: Ended = ()
    in_part: bool = False
    at_most: Annotated[Within | None, BeforeValidator(_within)] = None
    then: Literal["resume", "end"] | None = None


class Power(Norm):
    """What a holder may bring about, when a condition holds. `used_by` is the event that records its use."""

    kind: Literal["power"]
    holder: Identifier
    when: ConditionText | None = None
    used_by: AtomText | None = None
    effect: Effect | None = None
    foreseen: str = ""
    measure: Identifier | None = None
    states: Names = ()


Question = Literal["correctness", "completeness"]


class Proof(Norm):
    """What counts as proof: for a duty (methods, standard), or one method by itself (what reports meet it)."""

    kind: Literal["proof"]
    for_: References = Field(default=(), alias="for")
    standard: Identifier | None = None
    methods: dict[str, Any] | Identifier | None = None
    question: Question | None = None
    met_by: dict[str, Any] | None = None
    includes: Names = ()
    observer: ConditionText | None = None
    shows: ConditionText | None = None
    needs_coverage: str = ""

    @model_validator(mode="after")
    def _tree_is_sound(self) -> Proof:
        if self.methods is not None:
            _check_tree(self.methods)
        return self


class Exception_(Norm):
    """Something that lifts another provision, with its own text; may itself be excepted."""

    kind: Literal["exception"]
    to: References
    when: ConditionText | None = None
    unless: References = ()
    cases: tuple[InCase, ...] | list[InCase] = ()


AnyProvision = Annotated[
    Definition | Duty | Liberty | Power | Proof | Exception_,
    Field(discriminator="kind"),
]


def _check_tree(tree: Any) -> None:
    if isinstance(tree, str):
        return
    if not isinstance(tree, dict) or len(tree) != 1 or next(iter(tree)) not in ("all", "any"):
        raise ValueError("methods are a name, or {all: [...]}, or {any: [...]}")
    branches = next(iter(tree.values()))
    if not isinstance(branches, list) or not branches:
        raise ValueError("all and any take a list of methods")
    for branch in branches:
        _check_tree(branch)


def method_names(tree: Any) -> list[str]:
    """Every method named in a tree of all and any, in order."""
    if tree is None:
        return []
    if isinstance(tree, str):
        return [tree]
    return [name for branch in next(iter(tree.values())) for name in method_names(branch)]
