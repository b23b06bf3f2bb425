"""The life of a duty: norm status (no probability), and what is still owed, by whom, on what condition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Duty, Exception_
from tallybook.agreement.situation import Atom
from tallybook.commitments.view import Standing
from tallybook.core.time import duration, shifted
from tallybook.core.truth import Finding, Truth

NOT_ENACTED, NOT_IN_FORCE, PENDING, IN_FORCE = "not enacted", "not in force", "pending", "in force"
PERFORMED, LAPSED, REPEALED = "performed", "lapsed", "repealed"
NOT_YET_OWED, OWED, OVERDUE = "not yet owed", "owed", "overdue"
WITHHELD, WAIVED, RELEASED = "withheld", "waived", "released"


@dataclass(frozen=True, slots=True)
class Commitment:
    """One duty as it stands: norm status, state, what it waits for, when it is due, and why."""

    duty: Duty
    status: str
    state: str
    since: str
    due: str
    waits_for: tuple[str, ...]
    withheld_by: str
    done: bool
    done_unowed: bool
    reasons: tuple[str, ...]
    vague: tuple[str, ...]

    @property
    def kind(self) -> str:
        """achieve, maintain or endeavour."""
        return "achieve" if self.duty.achieve else "maintain" if self.duty.maintain else "endeavour"


def commitment(standing: Standing, duty: Duty, performed: bool | None, *, supported: bool = False) -> Commitment:
    """The state of a duty at the date asked about.

    `performed` is what the evidence says of a duty that claims are about (True only where it is verified), or None where
    no claim is about it and its own condition decides. `supported`: there is good evidence that it is done, short of the
    proof required; such a duty is still owed, and not called overdue.
    """
    status, since, reasons = _status(standing, duty)
    trigger = _trigger(standing, duty) if status == IN_FORCE else Finding(Truth.UNKNOWN)
    if status == IN_FORCE and trigger.truth is not Truth.TRUE:
        status = PENDING
    done_finding = _done(standing, duty)
    # What must be maintained is only ever kept so far; it is never over and done with.
    shown = performed if performed is not None else done_finding.truth is Truth.TRUE
    done = shown and duty.maintain is None
    released = _release(standing, duty)
    withheld = next((e.id for e in _exceptions(standing, duty) if _applies(standing, e)), "")
    due_text, overdue = _due(standing, duty, since)
    state = NOT_YET_OWED
    if status in (IN_FORCE, PENDING) and released:
        state = released
    elif status == IN_FORCE and done:
        state = status = PERFORMED
    elif status == IN_FORCE and withheld:
        state = WITHHELD
    elif status == IN_FORCE and overdue and duty.maintain is None and not supported:
        state = OVERDUE
    elif status == IN_FORCE:
        state = OWED
    return Commitment(
        duty=duty,
        status=status,
        state=state,
        since=standing.show(since) if since else "",
        due=due_text,
        waits_for=trigger.waits_for if status == PENDING else (),
        withheld_by=f"@{withheld}" if withheld else "",
        done=done,
        done_unowed=done and status == PENDING,
        reasons=(*reasons, *trigger.reasons, *(done_finding.reasons if done else ())),
        vague=(*duty.vague, *((duty.within.vague,) if duty.within and duty.within.vague else ())),
    )


def _status(standing: Standing, duty: Duty) -> tuple[str, datetime | None, tuple[str, ...]]:
    if not standing.enacted(duty):
        return NOT_ENACTED, None, ()
    if duty.id in standing.in_force.repealed:
        return REPEALED, None, (f"repealed by {standing.in_force.repealed[duty.id]}",)
    if duty.until and standing.read(duty.until).last < standing.on:
        return LAPSED, None, (f"its term ended {duty.until}",)
    start = standing.begun(duty)
    if start is None:
        return NOT_IN_FORCE, None, ()
    since = start.since.last if start.since.text else None
    return IN_FORCE, since, (start.reason,)


def _trigger(standing: Standing, duty: Duty) -> Finding:
    return condition(duty.when)(standing, standing.on) if duty.when else Finding(Truth.TRUE)


def _done(standing: Standing, duty: Duty) -> Finding:
    text = duty.achieve or duty.endeavour
    return condition(text)(standing, standing.on) if text else Finding(Truth.UNKNOWN)


def _release(standing: Standing, duty: Duty) -> str:
    for word in (RELEASED, WAIVED):
        if standing.holds(Atom(word, (("0", f"@{duty.id}"),)), standing.on).truth is Truth.TRUE:
            return word
    return ""


def _exceptions(standing: Standing, duty: Duty) -> list[Exception_]:
    named = {reference.lstrip("@") for reference in duty.unless}
    return [
        p
        for p in standing.in_force.provisions.values()
        if isinstance(p, Exception_) and (p.id in named or f"@{duty.id}" in p.to) and standing.begun(p)
    ]


def _applies(standing: Standing, exception: Exception_, seen: frozenset[str] = frozenset()) -> bool:
    if exception.when and condition(exception.when)(standing, standing.on).truth is not Truth.TRUE:
        return False
    for other in standing.in_force.provisions.values():
        if not isinstance(other, Exception_) or other.id in seen or standing.begun(other) is None:
            continue
        over = f"@{exception.id}" in other.to or f"@{other.id}" in exception.unless
        if over and _applies(standing, other, seen | {exception.id}):
            return False
    return True


def _due(standing: Standing, duty: Duty, since: datetime | None) -> tuple[str, bool]:
    """When a duty is due, in words, and whether that has passed. A vague limit is never missed by a program."""
    if duty.by:
        return duty.by, standing.read(duty.by).last < standing.on
    if duty.within and duty.within.value:
        begun = _owed_since(standing, duty.when) if duty.when else since
        if begun:
            due = shifted(begun, duration(duty.within.value))
            return standing.show(due), due < standing.on
        return f"within {duty.within.value}", False
    if duty.within and duty.within.vague:
        return duty.within.vague, False
    return "", False


def _owed_since(standing: Standing, trigger: str) -> datetime | None:
    """Since when the trigger has held: the instant, of all at which anything was so, at which it came to hold."""
    test = condition(trigger)
    instants = standing.instants()
    if not instants or test(standing, standing.on).truth is not Truth.TRUE:
        return None
    low, high = -1, len(instants)
    # Between an instant at which it did not hold and one at which it does, halve until they are neighbours.
    while high - low > 1:
        middle = (low + high) // 2
        if test(standing, instants[middle]).truth is Truth.TRUE:
            high = middle
        else:
            low = middle
    return instants[high] if high < len(instants) else standing.on
