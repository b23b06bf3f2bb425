"""The life of a duty: norm status (no probability), and what is still owed, by whom, on what condition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Duty, Liberty, Power
from tallybook.agreement.situation import Atom
from tallybook.commitments.deadline import Deadline, began, deadline, owed_since
from tallybook.commitments.exceptions import lifting
from tallybook.commitments.moments import first_held, turned_false
from tallybook.commitments.powers import INSTANT, ended, suspensions
from tallybook.commitments.roles import Roles, roles
from tallybook.commitments.view import Standing
from tallybook.core.truth import Finding, Truth

NOT_ENACTED, NOT_IN_FORCE, PENDING, IN_FORCE = "not enacted", "not in force", "pending", "in force"
SUSPENDED, PERFORMED, LAPSED, REPEALED = "suspended", "performed", "lapsed", "repealed"
NOT_YET_OWED, OWED, OVERDUE, BREACHED = "not yet owed", "owed", "overdue", "breached"
WITHHELD, WAIVED, RELEASED = "withheld", "waived", "released"
_OWING = (OWED, OVERDUE, BREACHED)


@dataclass(frozen=True, slots=True)
class Norm:
    """The norm status of a provision of any kind, since when, and by what."""

    status: str
    since: datetime | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Commitment:
    """One duty as it stands.

    Norm status, state, what it waits for, when it is due, who has it to do, and why. `missed` is the instant from which it
    was overdue or broken, which stays on record when it is performed late; blank where it never was.
    """

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
    roles: Roles
    missed: str = ""
    missed_at: datetime | None = None
    done_since: str = ""
    remark: str = ""

    @property
    def kind(self) -> str:
        """achieve, maintain or endeavour."""
        return "achieve" if self.duty.achieve else "maintain" if self.duty.maintain else "endeavour"

    @property
    def late(self) -> bool:
        """Whether it was performed after it was due."""
        return self.done and bool(self.missed)


def norm(standing: Standing, provision: object) -> Norm:
    """The norm status of a provision, before anything is said of its performance."""
    name: str = provision.id  # type: ignore[attr-defined]
    until: str | None = provision.until  # type: ignore[attr-defined]
    if not standing.enacted(provision):
        return Norm(NOT_ENACTED, None, ())
    if name in standing.in_force.repealed:
        return Norm(REPEALED, None, (f"repealed by {standing.in_force.repealed[name]}",))
    over = ended(standing, name)
    if over is not None:
        return Norm(LAPSED, None, (f"ended by {over[1]} on {standing.show(over[0])}",))
    if until and standing.read(until).last < standing.on:
        return Norm(LAPSED, None, (f"its term ended {until}",))
    start = standing.begun(provision)
    if start is None:
        return Norm(NOT_IN_FORCE, None, ())
    since = start.since.last if start.since.text else None
    for stop in suspensions(standing, name):
        if stop.holds(standing.on) and not stop.in_part:
            return Norm(SUSPENDED, since, (start.reason, f"suspended by {stop.by} since {standing.show(stop.starts)}"))
    return Norm(IN_FORCE, since, (start.reason,))


def standing_of(standing: Standing, provision: object) -> Norm:
    """The norm status of a provision of any kind: a liberty or power waits where its condition does not hold."""
    found = norm(standing, provision)
    text = provision.while_ if isinstance(provision, Liberty) else provision.when if isinstance(provision, Power) else None
    if found.status != IN_FORCE or text is None:
        return found
    held = condition(text)(standing, standing.on)
    if held.truth is Truth.TRUE:
        return Norm(IN_FORCE, found.since, (*found.reasons, *held.reasons))
    return Norm(PENDING, found.since, (*found.reasons, *held.reasons))


def commitment(standing: Standing, duty: Duty) -> Commitment:
    """The state of a duty at the date asked about.

    One that claims are about is performed only where its verdict is `verified`; one without, when its own condition holds.
    Where there is good evidence that it is done, short of the proof required, it is still owed and not called overdue.
    """
    key = ("commitment", duty.id)
    if key not in standing.memo:
        standing.memo[key] = _commitment(standing, duty)
    found: Commitment = standing.memo[key]
    return found


def _commitment(standing: Standing, duty: Duty) -> Commitment:
    life = norm(standing, duty)
    status = life.status
    trigger = _trigger(standing, duty) if status == IN_FORCE else Finding(Truth.UNKNOWN)
    if status == IN_FORCE and trigger.truth is not Truth.TRUE:
        status = PENDING
    shown = _shown(standing, duty)
    # What must be maintained is only ever kept so far; it is never over and done with.
    done = shown.truth is Truth.TRUE and duty.maintain is None
    released = _release(standing, duty)
    exception = lifting(standing, duty.id, duty.unless)
    due = deadline(standing, duty)
    owing = status == IN_FORCE and not done and not released and exception is None
    missed, late = _missed(standing, duty, due, owing=owing)
    state, status = _state(standing, duty, status, released, done, exception is not None, late)
    done_since = _done_since(standing, duty) if done else None
    return Commitment(
        duty=duty,
        status=status,
        state=state,
        since=standing.show(life.since) if life.since else "",
        due=due.text,
        waits_for=trigger.waits_for if status == PENDING else (),
        withheld_by=f"@{exception.id}" if exception else "",
        done=done,
        done_unowed=done and status == PENDING,
        reasons=(*life.reasons, *trigger.reasons, *(shown.reasons if done else ())),
        vague=(*duty.vague, *((duty.within.vague,) if duty.within and duty.within.vague else ())),
        roles=roles(standing, duty),
        missed=standing.show(missed) if missed else "",
        missed_at=missed,
        done_since=standing.show(done_since) if done_since else "",
        remark=due.remark if due.at is None and not done else "",
    )


def _state(standing: Standing, duty: Duty, status: str, released: str, done: bool, excepted: bool, late: bool) -> tuple[str, str]:
    """The state of a duty, and its norm status with it."""
    if status in (IN_FORCE, PENDING, SUSPENDED) and released:
        return released, status
    if done and (status == IN_FORCE or (status == SUSPENDED and owed_since(standing, duty) is not None)):
        return PERFORMED, PERFORMED
    if status != IN_FORCE:
        return NOT_YET_OWED, status
    if excepted:
        return WITHHELD, status
    if duty.maintain is not None:
        return (BREACHED if _is_broken(standing, duty) else OWED), status
    late = late or _is_broken(standing, duty)
    return (OVERDUE if late and not _supported(standing, duty) else OWED), status


def _trigger(standing: Standing, duty: Duty) -> Finding:
    return condition(duty.when)(standing, standing.on) if duty.when else Finding(Truth.TRUE)


def _shown(standing: Standing, duty: Duty) -> Finding:
    """Whether a duty has been shown to be performed."""
    if duty.earliest and standing.read(duty.earliest).first > standing.on:
        return Finding(Truth.FALSE, (f"it cannot be performed before {duty.earliest}",))
    text = duty.achieve or duty.endeavour
    held = condition(text)(standing, standing.on) if text else Finding(Truth.UNKNOWN)
    if not duty.claims:
        return held
    verified = standing.status("verified", f"@{duty.id}", standing.on)
    return Finding(verified.truth, held.reasons)


def _supported(standing: Standing, duty: Duty) -> bool:
    return bool(duty.claims) and standing.status("supported", f"@{duty.id}", standing.on).truth is Truth.TRUE


def _done_since(standing: Standing, duty: Duty) -> datetime | None:
    """Since when a duty without claims has been performed; of one with claims the verdict says no day."""
    text = duty.achieve or duty.endeavour
    if duty.claims or text is None:
        return None
    since = first_held(standing, text)
    if since is not None and duty.earliest:
        since = max(since, standing.read(duty.earliest).first)
    return since


def _missed(standing: Standing, duty: Duty, due: Deadline, *, owing: bool) -> tuple[datetime | None, bool]:
    """The instant from which a duty was overdue or broken, or None; and whether it is so under the words that now stand.

    Decided by how things stood then, on what is known now. What was missed under an earlier text stays missed; nothing is
    missed before the text that makes it so.
    """
    found, carried = [], None
    since = _reads_so_since(standing, duty)
    if since is not None:
        earlier = standing.at(since - INSTANT)
        before = earlier.in_force.provisions.get(duty.id)
        carried = commitment(earlier, before).missed_at if isinstance(before, Duty) else None
    if due.at is not None and due.at < standing.on and duty.maintain is None:
        at = due.at if since is None else max(due.at, since)
        if at == standing.on:
            late = owing and not _supported(standing, duty)
        else:
            then = standing.at(at)
            late = commitment(then, duty).state in (OWED, OVERDUE) and not _supported(then, duty)
        if late:
            found.append(at)
    broken = broken_at(standing, duty)
    if broken is not None and (owing or broken < standing.on):
        found.append(broken)
    return min(filter(None, (*found, carried)), default=None), bool(found)


def _reads_so_since(standing: Standing, duty: Duty) -> datetime | None:
    """When a change last gave a duty other words about what is owed by when; None where none did."""
    for turn in reversed(standing.in_force.turns):
        before = standing.at(turn - INSTANT).in_force.provisions.get(duty.id)
        if not isinstance(before, Duty):
            return None
        if any(getattr(before, key) != getattr(duty, key) for key in ("by", "within", "when", "in_force", "achieve", "earliest")):
            return turn
    return None


def broken_at(standing: Standing, duty: Duty) -> datetime | None:
    """When a duty was first broken: what it maintains became false, or what breaks it came true, while it was owed."""
    key = ("broken", duty.id)
    if key in standing.memo:
        memo: datetime | None = standing.memo[key]
        return memo
    standing.memo[key] = None
    since = owed_since(standing, duty)
    start = since or datetime.min.replace(tzinfo=standing.on.tzinfo)
    found = None
    if began(standing, duty) is not None or ended(standing, duty.id) is not None:
        # What was withheld or suspended when it went wrong is broken from when it is owed again.
        stops = [stop.ends for stop in suspensions(standing, duty.id) if stop.ends is not None]
        wrong = turned_false(standing, duty.maintain, start, stops) if duty.maintain else iter(())
        broke = first_held(standing, duty.breached_when) if duty.breached_when else None

        def is_owing(at: datetime) -> bool:
            return at >= start and (at == standing.on or commitment(standing.at(at), duty).state in _OWING)

        firsts = [next(filter(is_owing, wrong), None), broke if broke is not None and is_owing(broke) else None]
        found = min(filter(None, firsts), default=None)
    standing.memo[key] = found
    return found


def _is_broken(standing: Standing, duty: Duty) -> bool:
    """Whether a duty is broken now."""
    if duty.maintain is not None and broken_at(standing, duty) is not None:
        return condition(duty.maintain)(standing, standing.on).truth is Truth.FALSE
    return duty.breached_when is not None and condition(duty.breached_when)(standing, standing.on).truth is Truth.TRUE


def _release(standing: Standing, duty: Duty) -> str:
    for word in (RELEASED, WAIVED):
        if standing.holds(Atom(word, (("0", f"@{duty.id}"),)), standing.on).truth is Truth.TRUE:
            return word
    return ""
