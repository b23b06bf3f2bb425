"""holdings.yaml: how reports of numbers become accounts. The file is optional; what it leaves out has stated defaults."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from tallybook.agreement.model import Identifier, Names, Strict, When, Words
from tallybook.agreement.yamltext import Document, read_yaml, without_markings
from tallybook.core.time import MomentError, moment, zone
from tallybook.errors import Fault
from tallybook.holdings.plan import DEFAULT_NONE, OTHER_NONE, MethodPlan, Plan, Range, ShipsPlan, StagePlan, UndeclaredPlan

FILE = "holdings.yaml"
MOST_STAGES = 8

Probability = Annotated[float | int, Field(ge=0, le=1)]
Expected = Annotated[float | int, Field(ge=0, le=1e6)]


def _pair(value: Any) -> Any:
    return value if isinstance(value, list) else [value, value]


def _in_order(pair: list[float]) -> list[float]:
    if pair[0] > pair[1]:
        raise ValueError("the two ends of a range must be in order")
    return pair


ProbabilityRange = Annotated[
    list[Probability], BeforeValidator(_pair), Field(min_length=2, max_length=2), AfterValidator(_in_order)
]
ExpectedRange = Annotated[list[Expected], BeforeValidator(_pair), Field(min_length=2, max_length=2), AfterValidator(_in_order)]


class UndeclaredForm(Strict):
    """The prior on what was there beside what was declared."""

    none: Probability = DEFAULT_NONE
    mean: Annotated[float | int, Field(ge=1, le=1e7)] | None = None
    also: list[Probability] = Field(default_factory=lambda: list(OTHER_NONE), max_length=8)
    because: str = ""


class StageForm(Strict):
    """A stage of the chain: which reports look at it, and the probability that an item in it leaves on a day."""

    id: Identifier
    title: str = ""
    stage: Names = ()
    place: Names = ()
    leaves_per_day: ProbabilityRange


class MethodForm(Strict):
    """A way of counting: probability that an item is detected, expected false counts, visibility shared by a pass."""

    detects: ProbabilityRange = Field(default_factory=lambda: [1.0, 1.0])
    false_counts: Expected = 0
    visibility: list[Annotated[list[Probability], Field(min_length=2, max_length=2)]] = []

    @model_validator(mode="after")
    def _weights(self) -> MethodForm:
        if self.visibility and abs(sum(weight for _, weight in self.visibility) - 1) > 1e-6:
            raise ValueError(f"the weights of the visibilities add up to {sum(w for _, w in self.visibility):g}, not to one")
        return self


class NumberForm(Strict):
    """Which reports say how many ships there were to be."""

    item: Identifier
    method: Names = ()


class ShipsForm(Strict):
    """Ships that carried items away: how many were named, and names that mean all of them together."""

    number: NumberForm | None = None
    together: Words = ()


class AccountForm(Strict):
    """The account of one item class."""

    undeclared: UndeclaredForm = UndeclaredForm()
    brought_in_per_day: ExpectedRange = Field(default_factory=lambda: [0.0, 0.0])
    ships: ShipsForm = ShipsForm()
    places: Names = ()
    since: When = ""
    stages: list[StageForm] = Field(default_factory=list, max_length=MOST_STAGES)
    departures: Names = ()
    methods: dict[str, MethodForm] = {}

    @model_validator(mode="after")
    def _whole(self) -> AccountForm:
        if self.stages and not self.since:
            raise ValueError("a staged account needs `since`: the day on which all were in the first stage")
        if not self.stages and (self.since or self.departures):
            raise ValueError("`since` and `departures` belong to an account with `stages`")
        if len({s.id for s in self.stages}) != len(self.stages):
            raise ValueError("two stages of one name")
        return self


class HoldingsForm(Strict):
    """The whole file."""

    holdings: dict[str, AccountForm]


def read_holdings(
    raw: bytes,
    items: Container[object],
    methods: Container[object],
    stages: Container[object],
    places: Container[object],
    tz: str,
) -> tuple[dict[str, Plan], list[Fault]]:
    """Read the plans of accounts. Faults name the line and the key; with any, no plan is given."""
    document = read_yaml(raw, FILE)
    faults = list(document.faults)
    if faults:
        return {}, faults
    try:
        form = HoldingsForm.model_validate(without_markings(document.data))
    except ValidationError as error:
        return {}, [_form_fault(item, document) for item in error.errors(include_url=False)]
    plans = {}
    for name, entry in form.holdings.items():
        _check_names(name, entry, document, faults, (items, methods, stages, places))
        if entry.since:
            try:
                moment(entry.since, zone(tz))
            except MomentError as error:
                at = document.line_of(("holdings", name, "since"))
                faults.append(Fault(FILE, at, f"{name}.since", str(error), "correct the date"))
        plans[name] = _plan(name, entry, document.line_of(("holdings", name)))
    return ({} if faults else plans), faults


def _check_names(
    name: str,
    entry: AccountForm,
    document: Document,
    faults: list[Fault],
    lists: tuple[Container[object], Container[object], Container[object], Container[object]],
) -> None:
    items, methods, stages, places = lists

    def must(path: tuple[str | int, ...], value: str, known: Container[object], what: str, where: str) -> None:
        if value not in known:
            at = document.line_of(("holdings", name, *path))
            field = ".".join(str(p) for p in (name, *path))
            faults.append(Fault(FILE, at, field, f"no {what} {value!r}", f"correct it, or add it to {where}"))

    must((), name, items, "item class", "items.yaml")
    for method in entry.methods:
        must(("methods", method), method, methods, "method", "vocabulary.methods in agreement.yaml")
    for n, stage in enumerate(entry.stages):
        for word in stage.stage:
            must(("stages", n, "stage"), word, stages, "stage", "vocabulary.stages in agreement.yaml")
        for place in stage.place:
            must(("stages", n, "place"), place, places, "place", "places.csv")
    for word in entry.departures:
        must(("departures",), word, stages, "stage", "vocabulary.stages in agreement.yaml")
    for place in entry.places:
        must(("places",), place, places, "place", "places.csv")
    if entry.ships.number:
        must(("ships", "number", "item"), entry.ships.number.item, items, "item class", "items.yaml")
        for method in entry.ships.number.method:
            must(("ships", "number", "method"), method, methods, "method", "vocabulary.methods in agreement.yaml")


def _plan(name: str, entry: AccountForm, line: int) -> Plan:
    number = entry.ships.number
    return Plan(
        item=name,
        undeclared=UndeclaredPlan(
            float(entry.undeclared.none),
            None if entry.undeclared.mean is None else float(entry.undeclared.mean),
            tuple(float(p) for p in entry.undeclared.also),
            entry.undeclared.because,
        ),
        brought_in=_range(entry.brought_in_per_day),
        since=entry.since,
        stages=tuple(StagePlan(s.id, s.title or s.id, s.stage, s.place, _range(s.leaves_per_day)) for s in entry.stages),
        departures=entry.departures,
        methods={
            key: MethodPlan(_range(m.detects), float(m.false_counts), tuple((float(v), float(w)) for v, w in m.visibility))
            for key, m in entry.methods.items()
        },
        ships=ShipsPlan(number.item if number else "", number.method if number else (), entry.ships.together),
        places=entry.places,
        line=line,
    )


def _range(pair: list[float]) -> Range:
    return Range(float(pair[0]), float(pair[1]))


def _form_fault(item: Any, document: Document) -> Fault:
    path = tuple(item["loc"])
    what = item["msg"].removeprefix("Value error, ")
    do = "correct the value; docs/reference/holdings.md says what it takes"
    if item["type"] == "extra_forbidden":
        what, do = f"unknown key {path[-1]!r}", "remove the key, or correct its spelling"
    elif item["type"] == "missing":
        what, do = f"{path[-1]!r} is missing", "add it"
    return Fault(FILE, document.line_of(path), ".".join(str(part) for part in path), what, do)
