"""The steps of the life of a provision, as they must be: status, condition, performance, exceptions, deadline, roles, state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tallybook.checker.changes import CannotTellError
from tallybook.checker.deadlines import due_of, owed_since
from tallybook.checker.expected import Expected, Leaf, Tree, compare, compare_one, or_unknown, stamp
from tallybook.checker.life import Life, content, life, norm, roles, standing
from tallybook.checker.parse import parse
from tallybook.checker.powers import Use, before_use, limit_of, suspensions, uses
from tallybook.checker.rows import words
from tallybook.checker.rules import RULES
from tallybook.checker.statuses import duty_word
from tallybook.checker.valued import exception_step, value_step
from tallybook.checker.values import applies, exceptions_to, lifting
from tallybook.checker.walk import Complaints, Step
from tallybook.checker.world import World

MOST_USES = 20


def life_step(world: World, provision: Mapping[str, Any]) -> Expected:
    """What a provision is at an instant, in short, where a condition asks for it."""
    name = str(provision.get("id"))

    def make() -> Expected:
        facts: dict[str, Any] = {"provision": name, "at": stamp(world, world.on)}
        if provision.get("kind") == "duty":
            found = life(world, provision)
            facts |= {"status": found.status, "state": found.state, "missed": shown(world, found.missed)}
            return Expected("life", facts, f"@{name} is {found.status}, {found.state}.", name, steps(world, provision))
        facts |= {"status": standing(world, provision), "state": None, "missed": None}
        return Expected("life", facts, f"@{name} is {facts['status']}.", name, steps(world, provision))

    return or_unknown("life", name, make)


def shown(world: World, at: Any) -> str:
    """An instant to the second; blank for none."""
    return world.show(at) if at is not None else ""


def steps(world: World, provision: Mapping[str, Any]) -> list[Expected]:
    """The steps from which the status of a provision follows, and of a duty its state."""
    name, kind = str(provision.get("id")), str(provision.get("kind"))
    found = [or_unknown("norm", name, lambda: _norm(world, provision))]
    if kind == "duty":
        return found + list(_of_a_duty(world, provision))
    if kind == "exception":
        return [*found, or_unknown("exception", name, lambda: exception_step(world, provision))]
    if kind == "definition":
        if provision.get("holds_when"):
            found.append(_held(world, name, str(provision["holds_when"])))
        if provision.get("cases"):
            found.append(or_unknown("value-of", name, lambda: value_step(world, provision)))
        return found
    text = provision.get({"liberty": "while", "power": "when"}.get(kind, ""))
    if text and norm(world, provision).status == "in force":
        found.append(_held(world, name, str(text)))
    if kind == "power":
        found += [_use(world, provision, use) for use in uses(world, provision)[-MOST_USES:]]
    return found


def _norm(world: World, provision: Mapping[str, Any]) -> Expected:
    name, own = str(provision.get("id")), norm(world, provision)
    facts: dict[str, Any] = {"provision": name, "status": own.status, "since": None, "reason": ""}
    facts |= {"by": own.by, "at": stamp(world, own.at)}
    told = f"@{name} is {own.status}"
    below = []
    if own.start is not None:
        facts["since"] = [stamp(world, own.start.first), stamp(world, own.start.last)]
        facts["reason"] = own.start.reason
        told += f", from {facts['since'][1] or 'the first'} ({own.start.reason})"
        if own.start.kind == "condition":
            below.append(Tree(world, own.start.reason, own.start.last))
    if own.by:
        told += f", by {own.by}" + (f" at {facts['at']}" if facts["at"] else "")
    return Expected("norm", facts, f"{told}.", name, below)


def _held(world: World, name: str, text: str) -> Expected:
    below = [Tree(world, text, world.on)]
    try:
        truth = world.truth(text)
    except CannotTellError:
        # Its truth waits for what nothing tells; the steps below are of this condition all the same.
        return Expected("trigger", None, None, name, below)
    return Expected("trigger", {"provision": name, "truth": truth}, f"The condition of @{name} is {truth}.", name, below)


def _use(world: World, power: Mapping[str, Any], use: Use) -> Expected:
    name = str(power.get("id"))
    facts = {"power": name, "at": stamp(world, use.at), "fault": use.fault}
    told = f"without effect: {use.fault}" if use.fault else "with effect"
    text = str(power.get("used_by") or f"used(@{name})")
    below = [Tree(world, text, use.at)] if world.facts.holds(parse(text), use.at, {}) == "true" else []
    if power.get("when") and (not use.fault or use.fault.startswith("the condition")):
        below.append(Tree(before_use(world, power, use.at), str(power["when"]), use.at))
    return Expected("use", facts, f"@{name} was used at {facts['at']}, {told}.", name, below)


def _of_a_duty(world: World, duty: Mapping[str, Any]) -> Iterator[Expected]:
    name = str(duty.get("id"))
    if duty.get("when") and norm(world, duty).status == "in force":
        yield _held(world, name, str(duty["when"]))
    yield or_unknown("performance", name, lambda: _performance(world, duty))
    if exceptions_to(world, duty):
        yield or_unknown("lifted", name, lambda: _lifted(world, duty))
    if duty.get("by") or limit_of(duty.get("within")):
        yield or_unknown("deadline", name, lambda: _deadline(world, duty))
    found = life(world, duty)
    if found.missed is not None:
        yield or_unknown("missed", name, lambda: _missed(world, duty, found))
    if found.released:
        atom = f"{found.released}(@{name})"
        says = f"@{name} is {found.released}."
        yield Expected("release", {"word": found.released}, says, name, [Tree(world, atom, world.on)])
    if (charged := _roles(world, duty)) is not None:
        yield charged
    yield _state(world, duty, found)


def _performance(world: World, duty: Mapping[str, Any]) -> Expected:
    name, text = str(duty.get("id")), content(duty)
    found = life(world, duty)
    too_early = bool(duty.get("earliest")) and world.file.at(duty["earliest"]).first > world.on
    claims = words(duty.get("claims"))
    by = "too early" if too_early else "verdict" if claims else "condition" if text else "nothing"
    word = duty_word(world, duty) if claims else None
    told = {
        "too early": f"It cannot be performed before {duty.get('earliest')}.",
        "verdict": f"Whether it is performed goes by the verdict: {word or 'none'}.",
        "condition": f"That it is performed is {found.shown}.",
        "nothing": "It is maintained, never over and done with.",
    }[by]
    facts = {"truth": found.shown, "by": by, "verdict": word, "since": shown(world, found.done_since)}
    return Expected("performance", facts, told, name, [Tree(world, text, world.on)] if text and not too_early else [])


def _lifted(world: World, duty: Mapping[str, Any]) -> Expected:
    name, first = str(duty.get("id")), lifting(world, duty)
    listed = [[str(e.get("id")), applies(world, e)] for e in exceptions_to(world, duty)]
    by = str(first.get("id")) if first is not None else ""
    told = f"@{by} lifts @{name}." if first is not None else f"No exception is known to lift @{name}."
    below = [exception_step(world, first)] if first is not None else []
    return Expected("lifted", {"by": by, "exceptions": listed}, told, name, below)


def _deadline(world: World, duty: Mapping[str, Any]) -> Expected:
    name, due = str(duty.get("id")), due_of(world, duty)
    since = None if duty.get("by") else owed_since(world, duty)
    stops = [
        [stamp(world, stop.starts), stamp(world, stop.ends), stop.by] for stop in suspensions(world, name) if not stop.in_part
    ]
    facts = {
        "limit": str(duty["by"]) if duty.get("by") else limit_of(duty.get("within")),
        "since": stamp(world, since),
        "stops": stops,
        "due": stamp(world, due.at),
        "remark": due.remark,
    }
    below = []
    if since is not None and duty.get("when") and (came := world.first_held(str(duty["when"]))) is not None:
        below.append(Tree(world, str(duty["when"]), came))
    return Expected("deadline", facts, f"Due {due.text}" + (f": {due.remark}." if due.remark else "."), name, below)


def _missed(world: World, duty: Mapping[str, Any], found: Life) -> Expected:
    name, at = str(duty.get("id")), found.missed
    assert at is not None
    below = []
    text = content(duty)
    if found.how == "late" and text and not words(duty.get("claims")):
        below.append(Tree(world.at(at), text, at))
    elif found.how == "broken":
        broke = str(duty.get("breached_when") or "")
        below.append(Tree(world, broke if broke and world.first_held(broke) == at else str(duty.get("maintain")), at))
    told = {"late": "was not performed when it was due", "broken": "was broken", "earlier text": "was missed as it read before"}
    facts = {"at": stamp(world, at), "how": found.how}
    return Expected("missed", facts, f"It {told[found.how]}: {facts['at']}.", name, below)


def _roles(world: World, duty: Mapping[str, Any]) -> Expected | None:
    found = roles(world, duty)
    if not found.is_moved:
        return None
    facts = {"by": found.by, "to": found.to, "performer": found.performer}
    told = f"Owed by {found.by} to {found.to}; {found.performer} is charged with it."
    below = [Leaf(what, ("", "")) if kind == "report" else Leaf("", (kind, what)) for kind, what in found.sources]
    return Expected("roles", facts, told, str(duty.get("id")), below)


def _state(world: World, duty: Mapping[str, Any], found: Life) -> Expected:
    name, own = str(duty.get("id")), found.norm.status
    late = found.late or found.is_broken
    facts = {
        "provision": name,
        "norm": own,
        "triggered": own == "in force" and found.trigger == "true",
        "released": found.state if found.state in ("released", "waived") else "",
        "done": found.done,
        "was_owed": owed_since(world, duty) is not None if own == "suspended" and found.done else None,
        "lifted": bool(found.exception),
        "maintained": bool(duty.get("maintain")),
        "late": found.late,
        "broken": found.is_broken,
        "supported": found.good_evidence(world, duty) if late and not duty.get("maintain") else None,
        "status": found.status,
        "state": found.state,
    }
    return Expected("life-state", facts, f"So @{name} is {found.status}, {found.state}.", name)


def check_life(
    parent: Step, children: Sequence[Step], world: World, provision: Mapping[str, Any], path: tuple[str, ...], out: Complaints
) -> None:
    """Hold the steps of a life against what they must be. What waits for a verdict that nothing tells is taken as given."""
    try:
        wanted = steps(world, provision)
    except CannotTellError:
        _as_given(parent, children, world, provision, path, out)
        return
    compare(parent, children, wanted, path, out)


def _as_given(
    parent: Step, children: Sequence[Step], world: World, provision: Mapping[str, Any], path: tuple[str, ...], out: Complaints
) -> None:
    """Each step that can be told by itself; the state follows from the facts of its step."""
    name, rules = str(provision.get("id")), [child.rule for child in children]
    if provision.get("kind") == "duty" and rules[-1:] != ["life-state"]:
        out.add(parent, "steps below", "life-state at the end", rules)
    makers: dict[str, Callable[[], Expected | None]] = {
        "norm": lambda: _norm(world, provision),
        "trigger": lambda: _held(world, name, str(provision.get("when"))),
        "performance": lambda: _performance(world, provision),
        "lifted": lambda: _lifted(world, provision),
        "deadline": lambda: _deadline(world, provision),
        "roles": lambda: _roles(world, provision),
    }
    if provision.get("kind") == "duty":
        due = ["norm", "performance"]
        due += ["trigger"] if provision.get("when") else []
        due += ["deadline"] if provision.get("by") or limit_of(provision.get("within")) else []
        if missing := [rule for rule in due if rule not in rules]:
            out.add(parent, "steps below", f"also {', '.join(missing)}", rules)
    for child in children:
        if child.rule == "life-state":
            _follows(child, out)
        elif (make := makers.get(child.rule)) is not None:
            try:
                wanted = make()
            except CannotTellError:
                continue
            if wanted is None:
                out.add(parent, "steps below", f"no {child.rule}", rules)
            else:
                compare_one(child, wanted, path, out)
        elif child.rule not in ("missed", "release", "use"):
            out.add(child, "rule", "a step of the life of a provision", child.rule)
    if len(set(rules) - {"use"}) != len([rule for rule in rules if rule != "use"]):
        out.add(parent, "steps below", "each step once", rules)


def _follows(step: Step, out: Complaints) -> None:
    """The state follows from the other facts of its step."""
    facts = step.facts
    given = {key: facts.get(key) for key in STATE_FACTS}
    status, state = table(facts)
    out.facts(step, {**given, "status": status, "state": state})
    out.says(step, f"So @{facts.get('provision')} is {status}, {state}.")


STATE_FACTS = RULES["life-state"][:-2]
"""What the status and the state of a duty follow from."""


def table(facts: Mapping[str, Any]) -> tuple[str, str]:
    """The status and the state of a duty, from the facts of its last step."""
    status = str(facts.get("norm"))
    if status == "in force" and not facts.get("triggered"):
        status = "pending"
    if status in ("in force", "pending", "suspended") and facts.get("released"):
        return status, str(facts["released"])
    if facts.get("done") and (status == "in force" or (status == "suspended" and facts.get("was_owed"))):
        return "performed", "performed"
    if status != "in force":
        return status, "not yet owed"
    if facts.get("lifted"):
        return status, "withheld"
    if facts.get("maintained"):
        return status, "breached" if facts.get("broken") else "owed"
    late = facts.get("late") or facts.get("broken")
    return status, "overdue" if late and not facts.get("supported") else "owed"
