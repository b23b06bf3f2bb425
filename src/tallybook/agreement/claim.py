"""Claims, the rules by which reports bear on them, the lines of the board, and the case's own vocabulary."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tallybook.agreement.model import (
    AtomText,
    ConditionText,
    Identifier,
    Names,
    Quotes,
    References,
    Strict,
    When,
    Words,
)

StateKind = Literal["act", "position", "activity", "statement", "intention"]
Bears = Literal["for", "against", "neither"]
Extent = Literal["whole", "part", "by_count"]
CountsAs = Literal[
    "declared",
    "estimate",
    "at_least",
    "all_there_was",
    "removed",
    "removed_by_ship",
    "removed_at_site",
    "still_there",
    "none",
]


class Match(Strict):
    """Which reports a rule is about. Every field given must fit; a list fits when one of its values does.

    `item` also fits what the item includes, `place` what lies within it. `by` and `not_by` name a party.
    """

    table: Names = ()
    item: Names = ()
    stage: Names = ()
    method: Names = ()
    place: Names = ()
    vessel: Words = ()
    kind: Names = ()
    measure: Names = ()
    state: Names = ()
    by: Names = ()
    not_by: Names = ()
    count_at_least: float | int | None = None
    count_at_most: float | int | None = None


class Rule(Strict):
    """A rule: reports that match bear so. The first rule that matches is the one that counts."""

    when: Match
    bears: Bears
    extent: Extent = "whole"
    state: StateKind = "position"
    counts_as: CountsAs = "none"


class Quantity(Strict):
    """The item class whose number a claim is about, and what one of it is called."""

    item: Identifier
    unit: str = "item"
    units: str = ""


class Coverage(Strict):
    """What must have been looked at before "not seen" says anything: places, by which methods, how lately."""

    places: Names
    by: Names
    within: Annotated[str, Field(pattern=r"^\d{1,6}(min|h|d|w|mo|y)$")]


class Claim(Strict):
    """One claim: the sentence that "for" and "against" are about.

    `places` are where the things are: reports of parts show the whole once they cover every one of them.
    """

    id: Identifier
    title: str
    says: str
    item: Identifier | None = None
    duty: References = ()
    performed_when: Literal["for", "against"] = "for"
    quantity: Quantity | None = None
    places: Names = ()
    coverage: Coverage | None = None
    open: str = ""
    rules: tuple[Rule, ...] | list[Rule] = ()


class Line(Strict):
    """A line of the board: the claim that it tests, or the measure whose state it shows."""

    id: Identifier
    title: str = ""
    claim: Identifier | None = None
    measure: Identifier | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Line:
        if (self.claim is None) == (self.measure is None):
            raise ValueError("a line has a claim or a measure, and not both")
        return self


class MeasureKind(Strict):
    """A measure as the agreement knows it: who applies it, and its states in words."""

    title: str
    holder: Identifier | None = None
    states: dict[str, str] = {}


class Method(Strict):
    """A way of knowing that reports name. A statement is somebody's word; the rest is observation."""

    name: str = ""
    means: Literal["national", "cooperative", "international"] | None = None
    statement: bool = False
    public: bool = False


def _kinds(value: Any) -> Any:
    return {key: item or {} for key, item in value.items()} if isinstance(value, dict) else value


class IncidentKind(Strict):
    """A kind of incident. A statement (a refusal, a denial) is the word of the one who made it."""

    name: str = ""
    statement: bool = False


class Vocabulary(Strict):
    """The closed lists of this case: methods, stages, kinds of incident.

    `complete` names the events of which every one is on record: one that is not recorded did not happen.
    """

    methods: Annotated[dict[str, Method], BeforeValidator(_kinds)]
    stages: Annotated[dict[str, str | None], Field(default_factory=dict)]
    incidents: Annotated[dict[str, IncidentKind], BeforeValidator(_kinds), Field(default_factory=dict)]
    complete: Names = ()


class Weighing(Strict):
    """Where a case overrides the defaults for weighing evidence (design section 4)."""

    good_evidence: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    prior: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    ratios: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]] = {}
    half_life_days: dict[StateKind, Annotated[float | int, Field(gt=0)] | None] = {}
    second_reader: bool = False
    ungraded_record: str = "B2"

    @model_validator(mode="after")
    def _in_order(self) -> Weighing:
        for name, pair in [*self.ratios.items(), *([("prior", self.prior)] if self.prior else [])]:
            if not 0 < pair[0] <= pair[1]:
                raise ValueError(f"{name}: the two bounds must be positive and in order")
        if self.prior and self.prior[1] >= 1:
            raise ValueError("prior: the bounds must lie between 0 and 1")
        return self


class Fact(Strict):
    """A dated event or state that conditions may ask for, with what records it. `number` is what it amounts to."""

    atom: AtomText
    value: bool = True
    number: float | int | None = None
    known_to: Names = ()
    from_: When = Field(alias="from")
    until: When | None = None
    known: When | None = None
    text: Quotes = {}
    recorded_by: Names = ()

    @model_validator(mode="after")
    def _has_a_record(self) -> Fact:
        if not self.text and not self.recorded_by:
            raise ValueError("a fact needs words (text) or the report rows that record it (recorded_by)")
        return self


class StateFact(Strict):
    """An event or state that holds while a measure is in one of some states, or while a condition holds.

    Variables in the atom stand for whatever is asked about: `parent(?a, ?b)` when `natural_parent(?a, ?b) or adopted(?b, by=?a)`.
    """

    atom: AtomText
    measure: Identifier | None = None
    states: Names = ()
    when: ConditionText | None = None

    @model_validator(mode="after")
    def _one_ground(self) -> StateFact:
        if (self.measure is None) == (self.when is None):
            raise ValueError("a state holds by a measure with states, or by `when`, and not by both")
        return self
