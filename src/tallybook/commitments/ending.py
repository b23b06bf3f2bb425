"""The state of the agreement as a whole: in force, completed, or terminated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Duty
from tallybook.agreement.situation import Atom
from tallybook.commitments.commitment import (
    LAPSED,
    NOT_ENACTED,
    NOT_IN_FORCE,
    PENDING,
    PERFORMED,
    RELEASED,
    REPEALED,
    WAIVED,
    Commitment,
    commitment,
)
from tallybook.commitments.powers import terminated
from tallybook.commitments.view import Standing
from tallybook.core.truth import Finding, Truth

IN_FORCE, COMPLETED, TERMINATED = "in force", "completed", "terminated"
_OVER = frozenset({PERFORMED, WAIVED, RELEASED})
_GONE = frozenset({LAPSED, REPEALED})


@dataclass(frozen=True, slots=True)
class Ending:
    """The state of the agreement, since when (blank where no day can be said), and why."""

    status: str
    since: str
    reasons: tuple[str, ...]


def agreement_status(standing: Standing) -> Ending:
    """In force; terminated, where a power ended all that does not survive; completed, where nothing is left to be done.

    Completed asks that something was performed, that every duty to achieve is over, and that none which still waits could
    yet come due. What must be maintained for ever, and what survives, does not keep the agreement open.
    """
    end = terminated(standing)
    if end is not None:
        return Ending(TERMINATED, standing.show(end[0]), (f"ended by {end[1]}",))
    lives = [
        commitment(standing, p)
        for p in standing.in_force.provisions.values()
        if isinstance(p, Duty) and not p.survives and p.maintain is None and standing.enacted(p)
    ]
    states = {life.duty.id: life for life in lives}
    left = [life for life in lives if not _is_over(standing, life, states)]
    done = [f"@{life.duty.id}" for life in lives if life.status == PERFORMED]
    if left or not done:
        return Ending(IN_FORCE, "", tuple(f"@{life.duty.id} is {life.state}" for life in left))
    return Ending(COMPLETED, "", (f"performed: {', '.join(done)}",))


def _is_over(standing: Standing, life: Commitment, states: dict[str, Commitment]) -> bool:
    if life.state in _OVER or life.status in _GONE | {NOT_ENACTED}:
        return True
    trigger = life.duty.when if life.status == PENDING else life.duty.in_force if life.status == NOT_IN_FORCE else None
    if trigger is None:
        return False
    return condition(trigger)(_Someday(standing, states), standing.on).truth is Truth.FALSE


class _Someday:
    """A situation in which anything may still happen, except what is over and done with."""

    def __init__(self, standing: Standing, states: dict[str, Commitment]) -> None:
        self._standing, self._states = standing, states

    @property
    def tz(self) -> ZoneInfo:
        return self._standing.tz

    def holds(self, atom: Atom, at: datetime) -> Finding:
        return Finding(Truth.UNKNOWN)

    def status(self, word: str, reference: str, at: datetime) -> Finding:
        life = self._states.get(reference.lstrip("@"))
        if life is None or not (life.state in _OVER or life.status in _GONE):
            return Finding(Truth.UNKNOWN)
        return self._standing.status(word, reference, self._standing.on)

    def members(self, term: str, at: datetime) -> Sequence[str] | None:
        return self._standing.members(term, at)

    def is_open(self, term: str) -> bool:
        return self._standing.is_open(term)

    def amount(self, atom: Atom, at: datetime) -> tuple[float, float]:
        return float("-inf"), float("inf")

    def value(self, reference: str, at: datetime) -> tuple[str | float | None, Finding]:
        return None, Finding(Truth.UNKNOWN)

    def changes(self, start: datetime | None, end: datetime) -> Sequence[datetime]:
        return self._standing.changes(start, end)
