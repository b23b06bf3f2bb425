"""The life of a provision: its status, and of a duty whether it is owed, performed, overdue, broken or lifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tallybook.checker.changes import START_OF_TIME
from tallybook.checker.deadlines import Due, began, due_of, owed_since
from tallybook.checker.evaluate import is_so
from tallybook.checker.moments import MOMENT, turned_false
from tallybook.checker.parse import Part, parse
from tallybook.checker.powers import ended, limit_of, suspensions
from tallybook.checker.provisions import Stop
from tallybook.checker.rows import words
from tallybook.checker.values import lifting
from tallybook.checker.world import Start, World

STATUSES = ("not enacted", "not in force", "pending", "in force", "suspended", "performed", "lapsed", "repealed")
STATES = ("not yet owed", "owed", "performed", "overdue", "breached", "withheld", "waived", "released")
_OWING = ("owed", "overdue", "breached")


@dataclass(frozen=True, slots=True)
class Norm:
    """The status of a provision, and what gives it that: since when, or by what it was repealed, ended or suspended."""

    status: str
    start: Start | None = None
    by: str = ""
    at: datetime | None = None
    stop: Stop | None = None


def norm(world: World, provision: Mapping[str, Any]) -> Norm:
    """The status before anything is said of its condition or performance."""
    name = str(provision.get("id"))
    if not world.provisions.is_enacted(dict(provision)):
        return Norm("not enacted")
    if world.provisions.is_repealed(name):
        return Norm("repealed", by=world.provisions.text.repealed[name])
    over = ended(world, name)
    if over is not None:
        return Norm("lapsed", by=over[1], at=over[0])
    if provision.get("until") and world.file.at(provision["until"]).last < world.on:
        return Norm("lapsed", by=str(provision["until"]), at=world.file.at(provision["until"]).last)
    start = world.begun(provision)
    if start is None:
        return Norm("not in force")
    stop = next((s for s in suspensions(world, name) if s.holds(world.on) and not s.in_part), None)
    if stop is not None:
        return Norm("suspended", start, stop.by, stop.starts, stop)
    return Norm("in force", start)


def standing(world: World, provision: Mapping[str, Any]) -> str:
    """The status of a provision of any kind: a liberty or power waits while its condition does not hold."""
    found = norm(world, provision).status
    text = provision.get({"liberty": "while", "power": "when"}.get(str(provision.get("kind")), ""))
    if found != "in force" or not text:
        return found
    return "in force" if world.truth(str(text)) == "true" else "pending"


@dataclass(frozen=True, slots=True)
class Roles:
    """Who owes, to whom, who performs, and what recorded it."""

    by: str
    to: str
    performer: str
    sources: list[tuple[str, str]] = field(default_factory=list)
    is_moved: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """A duty as it stands, with what decided it."""

    norm: Norm
    status: str
    state: str
    trigger: str
    shown: str
    released: str
    exception: str
    due: Due
    missed: datetime | None
    how: str
    late: bool
    broken: datetime | None
    is_broken: bool
    supported: bool | None
    done: bool
    done_since: datetime | None
    roles: Roles

    def good_evidence(self, world: World, duty: Mapping[str, Any]) -> bool:
        """Whether there is good evidence of performance, short of the proof required."""
        return is_supported(world, duty) if self.supported is None else self.supported


def life(world: World, duty: Mapping[str, Any]) -> Life:
    """The life of a duty at the date asked about. Raises CannotTellError."""
    key = ("life", str(duty.get("id")))
    if key not in world.memo:
        world.memo[key] = _life(world, duty)
    found: Life = world.memo[key]
    return found


def _life(world: World, duty: Mapping[str, Any]) -> Life:
    own = norm(world, duty)
    status = own.status
    trigger = "unknown"
    if status == "in force":
        trigger = world.truth(str(duty["when"])) if duty.get("when") else "true"
        status = "in force" if trigger == "true" else "pending"
    shown = performed(world, duty)
    done = shown == "true" and not duty.get("maintain")
    released = release(world, duty)
    exception = lifting(world, duty)
    due = due_of(world, duty)
    owing = status == "in force" and not done and not released and exception is None
    broken = broken_at(world, duty)
    candidates = {"late": _late(world, duty, due, owing=owing), "earlier text": _carried(world, duty)}
    if broken is not None and (owing or broken < world.on):
        candidates["broken"] = broken
    # What was missed under other words does not make it overdue by these.
    late = any(candidates.get(how) is not None for how in ("late", "broken"))
    missed = min((at for at in candidates.values() if at is not None), default=None)
    how = next((how for how in ("earlier text", "late", "broken") if missed is not None and candidates.get(how) == missed), "")
    broken_now = is_broken(world, duty)
    supported: bool | None = None
    if status in ("in force", "pending", "suspended") and released:
        state = released
    elif done and (status == "in force" or (status == "suspended" and owed_since(world, duty) is not None)):
        state = status = "performed"
    elif status != "in force":
        state = "not yet owed"
    elif exception is not None:
        state = "withheld"
    elif duty.get("maintain"):
        state = "breached" if broken_now else "owed"
    elif late or broken_now:
        supported = is_supported(world, duty)
        state = "owed" if supported else "overdue"
    else:
        state = "owed"
    return Life(
        norm=own,
        status=status,
        state=state,
        trigger=trigger,
        shown=shown,
        released=released,
        exception=str(exception.get("id")) if exception else "",
        due=due,
        missed=missed,
        how=how,
        late=late,
        broken=broken,
        is_broken=broken_now,
        supported=supported,
        done=done,
        done_since=_done_since(world, duty) if done else None,
        roles=roles(world, duty),
    )


def content(duty: Mapping[str, Any]) -> str:
    """The condition by which a duty is performed; blank for one that is maintained."""
    return str(duty.get("achieve") or duty.get("endeavour") or "")


def performed(world: World, duty: Mapping[str, Any]) -> str:
    """Whether a duty has been shown to be performed: by its condition, or by the verdict where claims are about it."""
    if duty.get("earliest") and world.file.at(duty["earliest"]).first > world.on:
        return "false"
    if words(duty.get("claims")):
        return world.is_status("verified", f"@{duty.get('id')}", world.on)
    text = content(duty)
    return world.truth(text) if text else "unknown"


def is_supported(world: World, duty: Mapping[str, Any]) -> bool:
    """Whether there is good evidence that a duty is performed."""
    return bool(words(duty.get("claims"))) and world.is_status("supported", f"@{duty.get('id')}", world.on) == "true"


def release(world: World, duty: Mapping[str, Any]) -> str:
    """Whether the one who is owed has released or waived it."""
    for word in ("released", "waived"):
        part = Part("fact", (word,), (), (("0", f"@{duty.get('id')}"),))
        if world.facts.holds(part, world.on, {}) == "true":
            return word
    return ""


_TERMS = ("by", "within", "when", "in_force", "achieve", "earliest")


def reads_so_since(world: World, duty: Mapping[str, Any]) -> datetime | None:
    """When a change last gave a duty other words about what is owed by when; None where none did."""
    for turn in reversed(world.provisions.turns):
        before = world.at(turn - MOMENT).provisions.get(str(duty.get("id")))
        if before is None or before.get("kind") != "duty":
            return None
        if any(_term(before, key) != _term(duty, key) for key in _TERMS):
            return turn
    return None


def _term(duty: Mapping[str, Any], key: str) -> object:
    value = duty.get(key)
    if key == "within":
        return limit_of(value), str(value.get("vague") or "") if isinstance(value, dict) else ""
    return None if value is None else str(value)


def _carried(world: World, duty: Mapping[str, Any]) -> datetime | None:
    """What was missed under an earlier text stays missed."""
    since = reads_so_since(world, duty)
    if since is None:
        return None
    earlier = world.at(since - MOMENT)
    before = earlier.provisions.get(str(duty.get("id")))
    return life(earlier, before).missed if before is not None and before.get("kind") == "duty" else None


def _late(world: World, duty: Mapping[str, Any], due: Due, *, owing: bool) -> datetime | None:
    """The instant at which it was due, or from which a text says so, where that passed while it was owed."""
    if due.at is None or due.at >= world.on or duty.get("maintain"):
        return None
    since = reads_so_since(world, duty)
    at = due.at if since is None else max(due.at, since)
    if at == world.on:
        return at if owing and not is_supported(world, duty) else None
    then = world.at(at)
    return at if life(then, duty).state in ("owed", "overdue") and not is_supported(then, duty) else None


def broken_at(world: World, duty: Mapping[str, Any]) -> datetime | None:
    """When it was first broken while it was owed: what it maintains failed, or what breaks it came true."""
    return world.keep(("broken", str(duty.get("id"))), None, lambda: _broken_at(world, duty))


def _broken_at(world: World, duty: Mapping[str, Any]) -> datetime | None:
    name = str(duty.get("id"))
    start = owed_since(world, duty) or START_OF_TIME
    if began(world, duty) is None and ended(world, name) is None:
        return None

    def owing(at: datetime) -> bool:
        return at >= start and (at == world.on or life(world.at(at), duty).state in _OWING)

    found: list[datetime] = []
    if duty.get("maintain"):
        resumed = [stop.ends for stop in suspensions(world, name) if stop.ends is not None]
        wrong = turned_false(world, str(duty["maintain"]), start, resumed)
        found += [at for at in [next(filter(owing, wrong), None)] if at is not None]
    if duty.get("breached_when"):
        came = world.first_held(str(duty["breached_when"]))
        found += [came] if came is not None and owing(came) else []
    return min(found, default=None)


def is_broken(world: World, duty: Mapping[str, Any]) -> bool:
    """Whether it is broken now."""
    if duty.get("maintain") and broken_at(world, duty) is not None:
        return world.truth(str(duty["maintain"])) == "false"
    return bool(duty.get("breached_when")) and world.truth(str(duty["breached_when"])) == "true"


def _done_since(world: World, duty: Mapping[str, Any]) -> datetime | None:
    text = content(duty)
    if words(duty.get("claims")) or not text:
        return None
    since = world.first_held(text)
    if since is not None and duty.get("earliest"):
        return max(since, world.file.at(duty["earliest"]).first)
    return since


def roles(world: World, duty: Mapping[str, Any]) -> Roles:
    """Who owes, to whom, and who performs: assignment and delegation, as recorded."""
    owed = duty.get("owed") or {}
    by, to, performer = str(owed.get("by")), str(owed.get("to")), ""
    sources: list[tuple[str, str]] = []
    is_moved = False
    for word in ("assigned", "claim_assigned", "delegated"):
        for party, where in _named(world, word, f"@{duty.get('id')}"):
            sources += where
            is_moved = True
            by = party if word == "assigned" else by
            to = party if word == "claim_assigned" else to
            performer = party if word == "delegated" else performer
    return Roles(by, to, performer or by, sources, is_moved)


def _named(world: World, word: str, reference: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The parties to whom something is recorded as given at the date asked about, the oldest first."""
    found = []
    for atom, facts in world.facts.on_record.items():
        args = dict(parse(atom).args) if atom.startswith(f"{word}(") else {}
        if args.get("0") == reference and args.get("to"):
            found += [(f.starts.last, args["to"], list(f.sources)) for f in facts if f.value and is_so(f, world.on)]
    return [(party, where) for _, party, where in sorted(found, key=lambda entry: entry[0])]
