"""What every part of the agreement file has in common: strictness, identifiers, texts, conditions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tallybook.agreement.language import ConditionError, atom_of, condition


class Strict(BaseModel):
    """A part of the file: unknown keys are refused, nothing is coerced, nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


def _as_list(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, list) or value is None else [value]


def _parses(text: str) -> str:
    try:
        condition(text)
    except ConditionError as error:
        raise ValueError(str(error)) from error
    return text


def _is_atom(text: str) -> str:
    try:
        atom_of(text)
    except ConditionError as error:
        raise ValueError(str(error)) from error
    return text


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _quotes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_list(item) for key, item in value.items()}
    return value


Identifier = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,99}$")]
Reference = Annotated[str, Field(pattern=r"^@[A-Za-z0-9][A-Za-z0-9_-]*(#\d+)?(\.[A-Za-z0-9_-]+)*$")]
References = Annotated[tuple[Reference, ...], BeforeValidator(lambda v: tuple(_as_list(v) or ()))]
Names = Annotated[tuple[Identifier, ...], BeforeValidator(lambda v: tuple(_as_list(v) or ()))]
Words = Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple(_as_list(v) or ()))]
When = Annotated[str, BeforeValidator(_as_text), Field(max_length=40)]
ConditionText = Annotated[str, AfterValidator(_parses)]
AtomText = Annotated[str, AfterValidator(_is_atom)]
Quotes = Annotated[dict[str, list[str]], BeforeValidator(_quotes)]
"""Words quoted from instruments: {instrument: [words, …]}; checked word for word against the sources in hand."""
