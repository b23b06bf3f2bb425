"""Measures: the state each is in, and whether a provision permits, requires or forbids that state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Duty, Liberty, Power
from tallybook.commitments.powers import ended, suspensions
from tallybook.commitments.record import MeasureState
from tallybook.commitments.view import Standing
from tallybook.core.time import span
from tallybook.core.truth import Finding, Truth

PERMITTED, REQUIRED, IN_BREACH, OPEN, UNGOVERNED = "permitted", "required", "in breach", "unclear", "not governed"


@dataclass(frozen=True, slots=True)
class Voice:
    """What one provision says of the state that a measure is in: permits, requires or excludes it, and on what finding."""

    provision: Any
    says: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class MeasureStanding:
    """A measure at the date asked about. `owed` tells whether a duty to bring about this state was owed (None: no duty asks)."""

    name: str
    title: str
    current: MeasureState | None
    standing: str
    by_provision: str
    owed: bool | None
    words: str
    waits_for: tuple[str, ...]
    reports: tuple[str, ...]
    label: str = ""


def measure_standing(standing: Standing, name: str) -> MeasureStanding:
    """The state of a measure and its standing under the provisions in force."""
    kind = standing.agreement.measures[name]
    current = standing.record.measure(name, standing.on)
    rows = tuple(row.id for row in reversed(standing.record.history(name, standing.on)))
    if current is None:
        return MeasureStanding(name, kind.title, None, UNGOVERNED, "", None, "no state on record", (), ())
    if current.ended:
        until = current.row.until.text if current.row.until else ""
        title = kind.states.get(current.row.state) or current.row.state.replace("_", " ")
        told = f"{_capital(title)} until {until}; nothing since is on record."
        return MeasureStanding(name, kind.title, current, OPEN, "", None, told, (), rows, "ended")
    voices = list(_voices(standing, name, current.state))
    word, by = _decide(voices)
    owed, waits = _owed(voices)
    title = kind.states.get(current.state) or current.state.replace("_", " ")
    told = f"{_capital(title)} since {current.row.starts.text}; {_sentence(word, by, voices)}"
    if owed is False:
        told += f" It was not owed: {_not_owed(voices)}"
    ordered = (current.row.id, *(r for r in rows if r != current.row.id))
    return MeasureStanding(name, kind.title, current, word, f"@{by}" if by else "", owed, told, waits, ordered, title)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _voices(standing: Standing, name: str, state: str) -> Iterator[Voice]:
    for provision in standing.in_force.provisions.values():
        if getattr(provision, "measure", None) != name or not standing.begun(provision) or _is_off(standing, provision.id):
            continue
        if isinstance(provision, Liberty):
            holds = _holds(standing, provision.while_)
            if state in provision.states:
                yield Voice(provision, PERMITTED, holds)
            if provision.must_use:
                wanted = provision.must_use.states or provision.states
                yield Voice(provision, REQUIRED if state in wanted else IN_BREACH, holds)
        elif isinstance(provision, Power) and state in provision.states:
            yield Voice(provision, PERMITTED, _may_use(standing, provision))
        elif isinstance(provision, Duty) and state in provision.states:
            yield Voice(provision, "owed", _holds(standing, provision.when))


def _is_off(standing: Standing, name: str) -> bool:
    """Whether a provision was ended, or is wholly suspended now."""
    if ended(standing, name) is not None:
        return True
    return any(s.holds(standing.on) and not s.in_part for s in suspensions(standing, name))


def _may_use(standing: Standing, power: Power) -> Finding:
    """Whether a power permits a state now: its condition holds, and the time for which it may be used is not over."""
    held = _holds(standing, power.when)
    limit = power.effect.at_most if power.effect else None
    if held.truth is not Truth.TRUE or limit is None or not limit.value or not power.measure:
        return held
    begun = standing.record.starts_of(power.measure, power.states, standing.on)
    if begun and span(limit.value).after(begun[-1], standing.tz) < standing.on:
        return Finding(Truth.FALSE, (f"@{power.id} may be used for {limit.value} at most, since {standing.show(begun[-1])}",))
    return held


def _holds(standing: Standing, text: str | None) -> Finding:
    return condition(text)(standing, standing.on) if text else Finding(Truth.TRUE)


def _decide(voices: list[Voice]) -> tuple[str, str]:
    """A duty owed requires; a liberty or power permits; a requirement to keep another state is broken unless permitted."""
    true = [v for v in voices if v.finding.truth is Truth.TRUE]
    # A liberty that must be used does not permit what it must not fall back to; another provision may.
    bound = {v.provision.id for v in true if v.says == IN_BREACH}
    true = [v for v in true if v.says != PERMITTED or v.provision.id not in bound]
    for says, word in (("owed", REQUIRED), (PERMITTED, PERMITTED), (REQUIRED, REQUIRED), (IN_BREACH, IN_BREACH)):
        found = [v for v in true if v.says == says]
        if found:
            return word, found[-1].provision.id
    unknown = [v for v in voices if v.finding.truth is Truth.UNKNOWN and v.says != IN_BREACH]
    if unknown:
        return OPEN, unknown[-1].provision.id
    return UNGOVERNED, ""


def _owed(voices: list[Voice]) -> tuple[bool | None, tuple[str, ...]]:
    duties = [v for v in voices if v.says == "owed"]
    if not duties:
        return None, ()
    waits = tuple(w for v in duties for w in v.finding.waits_for)
    return any(v.finding.truth is Truth.TRUE for v in duties), waits


def _not_owed(voices: list[Voice]) -> str:
    parts = []
    for v in voices:
        if v.says == "owed":
            waits = " and ".join(v.finding.waits_for) or "its condition"
            parts.append(f"@{v.provision.id} waits for {waits}")
    return "; ".join(parts) + "."


def _sentence(word: str, by: str, voices: list[Voice]) -> str:
    if word == UNGOVERNED:
        return "no provision in force speaks of this state."
    if word == IN_BREACH:
        return f"@{by} requires another state and nothing permits this one."
    also = [v.provision.id for v in voices if v.says == IN_BREACH and v.finding.truth is Truth.TRUE and v.provision.id != by]
    besides = f", which goes before the guidance of @{', @'.join(also)} to keep it up" if also and word == PERMITTED else ""
    verb = {PERMITTED: "permitted by", REQUIRED: "required by", OPEN: "whether it is permitted is unclear:"}[word]
    return f"{verb} @{by}{besides}."
