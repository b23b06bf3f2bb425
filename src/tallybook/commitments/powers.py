"""Powers and their use: suspending, resuming and ending provisions. A use counts only while the power is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tallybook.agreement.language import atom_of, condition
from tallybook.agreement.provision import Power
from tallybook.agreement.situation import Atom
from tallybook.commitments.moments import first_after, marks
from tallybook.commitments.view import Standing, names
from tallybook.core.time import span
from tallybook.core.truth import Truth

INSTANT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a power: when, and why it has no effect (blank: it has)."""

    power: Power
    at: datetime
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which a provision is suspended; `ends` is None while nothing has ended it. `by` is a change or a power."""

    starts: datetime
    ends: datetime | None
    by: str
    in_part: bool

    def holds(self, at: datetime) -> bool:
        """Whether it is suspended at an instant."""
        return self.starts <= at and (self.ends is None or at < self.ends)


def powers(standing: Standing) -> list[Power]:
    """The powers that stand, those used up or ended included."""
    if "powers" not in standing.memo:
        found = [p for p in standing.in_force.provisions.values() if isinstance(p, Power) and standing.enacted(p)]
        standing.memo["powers"] = found
    listed: list[Power] = standing.memo["powers"]
    return listed


def uses(standing: Standing, power: Power) -> list[Use]:
    """Every use of a power up to the date asked about, oldest first."""
    key = ("uses", power.id)
    if key not in standing.memo:
        judged: list[Use] = []
        standing.memo[key] = judged
        for at in _times(standing, power):
            judged.append(_judged(standing, power, at))
    found: list[Use] = standing.memo[key]
    return found


def _times(standing: Standing, power: Power) -> list[datetime]:
    if power.used_by is None:
        atom = Atom("used", (("0", f"@{power.id}"),))
        times = _rises(standing, atom)
        if power.measure and power.states:
            # A measure that is in such a state for another reason is no use of this power.
            states = standing.record.starts_of(power.measure, power.states, standing.on)
            times += [at for at in states if not _judged(standing, power, at).fault]
        return sorted(set(times))
    return _rises(standing, atom_of(power.used_by))


def _rises(standing: Standing, atom: Atom) -> list[datetime]:
    """When an event came to hold, each time anew."""
    found, before = [], False
    for at in marks(standing):
        now = standing.holds(atom, at).truth is Truth.TRUE
        if now and not before:
            found.append(at)
        before = now
    return found


def _judged(standing: Standing, power: Power, at: datetime) -> Use:
    then = _before(standing, power, at)
    if then.begun(power) is None or ended(then, power.id) is not None:
        return Use(power, at, f"@{power.id} was not in force")
    if any(s.holds(at) and not s.in_part for s in suspensions(then, power.id)):
        return Use(power, at, f"@{power.id} was suspended")
    if power.when and condition(power.when)(then, at).truth is not Truth.TRUE:
        return Use(power, at, f"the condition of @{power.id} did not hold")
    return Use(power, at)


def _before(standing: Standing, power: Power, at: datetime) -> Standing:
    """How things stood at a use, which has had no effect yet while it is asked whether it was allowed."""
    then = standing.at(at)
    judging: frozenset[str] = then.memo.get("judging", frozenset()) | {power.id}
    aside = then.aside(judging)
    if "judging" not in aside.memo:
        aside.memo["judging"] = judging
        for name in judging:
            earlier: list[Use] = standing.memo.get(("uses", name), [])
            aside.memo["uses", name] = [use for use in earlier if use.at < at]
    return aside


def suspensions(standing: Standing, name: str) -> list[Span]:
    """Every time up to the date asked about during which a provision was suspended, oldest first."""
    key = ("suspensions", name)
    if key not in standing.memo:
        standing.memo[key] = []
        spans = [Span(s.starts, s.ends, s.by, s.in_part) for s in standing.in_force.suspended.get(name, ())]
        spans += [found for power in powers(standing) for found in _by_power(standing, power, name)]
        standing.memo[key] = sorted(spans, key=lambda s: s.starts)
    found: list[Span] = standing.memo[key]
    return found


def _by_power(standing: Standing, power: Power, name: str) -> list[Span]:
    effect = power.effect
    if effect is None or name not in names(standing, effect.suspend):
        return []
    return [
        Span(use.at, until if until is not None and until <= standing.on else None, f"@{power.id}", effect.in_part)
        for use in uses(standing, power)
        if not use.fault
        for until in [_over(standing, power, use, name)]
    ]


def _over(standing: Standing, power: Power, use: Use, name: str) -> datetime | None:
    """When a suspension by a use of a power ended: its time was over, its condition failed, or a power resumed the provision."""
    effect = power.effect
    ends: list[datetime] = []
    if effect is not None and effect.at_most is not None and effect.at_most.value:
        ends.append(span(effect.at_most.value).after(use.at, standing.tz) + INSTANT)
    if power.when:
        ends += first_after(standing, power.when, use.at)
    if power.measure and power.states and power.used_by is None:
        left = [r.starts.last for r in standing.record.history(power.measure, standing.on) if r.state not in power.states]
        ends += [at for at in left if at > use.at][:1]
    for other in powers(standing):
        if other.effect is not None and name in names(standing, other.effect.resume):
            ends += [u.at for u in uses(standing, other) if not u.fault and u.at > use.at][:1]
    return min(ends, default=None)


def ended(standing: Standing, name: str) -> tuple[datetime, str] | None:
    """When and by what power a provision was ended, or None. What survives is not ended with the rest."""
    key = ("ended", name)
    if key not in standing.memo:
        standing.memo[key] = None
        found: list[tuple[datetime, str]] = []
        for power in powers(standing):
            if _ends(standing, power, name):
                found += [(u.at, f"@{power.id}") for u in uses(standing, power) if not u.fault]
            found += _ended_after(standing, power, name)
        standing.memo[key] = min(found, default=None)
    result: tuple[datetime, str] | None = standing.memo[key]
    return result


def _ends(standing: Standing, power: Power, name: str) -> bool:
    if power.effect is None or not power.effect.end:
        return False
    if power.effect.end != "all":
        return name in names(standing, power.effect.end)
    provision = standing.in_force.provisions.get(name)
    return name != power.id and provision is not None and not provision.survives


def _ended_after(standing: Standing, power: Power, name: str) -> list[tuple[datetime, str]]:
    """A suspension whose time is over, where the power says that the provision then ends."""
    effect = power.effect
    if effect is None or effect.then != "end" or name not in names(standing, effect.suspend):
        return []
    return [(s.ends, f"@{power.id}") for s in _by_power(standing, power, name) if s.ends is not None]


def terminated(standing: Standing) -> tuple[datetime, str] | None:
    """When and by what power the whole agreement was ended, or None."""
    found = [
        (use.at, f"@{power.id}")
        for power in powers(standing)
        if power.effect is not None and power.effect.end == "all"
        for use in uses(standing, power)
        if not use.fault
    ]
    return min(found, default=None)


def is_used(standing: Standing, power: Power) -> bool:
    """Whether a power has been used with effect."""
    return any(not use.fault for use in uses(standing, power))
