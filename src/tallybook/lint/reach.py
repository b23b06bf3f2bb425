"""Rules about what can never be, and about what says two things at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from tallybook.agreement.amendment import NOT_YET, ON_RECEIPT, Commencement
from tallybook.agreement.language import condition
from tallybook.agreement.provision import Definition, Duty, Exception_
from tallybook.agreement.situation import Atom
from tallybook.commitments.commitment import LAPSED, REPEALED, norm
from tallybook.commitments.deadline import owed_since
from tallybook.commitments.exceptions import applies, value_of
from tallybook.core.truth import Truth
from tallybook.lint.conditions import Imagined, Key, asked, can_hold, conditions_of, search, texts_around
from tallybook.lint.finding import LintFinding, Severity
from tallybook.lint.stages import Stage, Walk

_NEVER = {
    "in_force": "it can never come into force",
    "when": "what waits for it never comes",
    "achieve": "it can never be performed",
    "maintain": "it is broken from the start",
    "endeavour": "it can never be performed",
    "breached_when": "nothing can break it in this way",
    "while": "it can never be used",
    "holds_when": "it can never be so",
    "cases": "this case never comes",
}
_MEANT = "whatever is recorded; correct the condition"
_GONE_FALSE = ("performed", "owed", "overdue", "not-yet-owed", "pending", "withheld", "verified", "supported")


def unreachable(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Conditions that can never hold, dates out of order, exceptions and steps that lead nowhere."""
    gone = _gone(stage)
    for provision in stage.live:
        yield from _dates(walk, stage, provision)
        for written in conditions_of(provision):
            if written.key in _NEVER:
                yield from _condition(walk, stage, provision, written.key, written.text, gone)
        if isinstance(provision, Duty):
            yield from _steps(walk, stage, provision)
        elif isinstance(provision, Exception_):
            yield from _exception(walk, stage, provision)


def _gone(stage: Stage) -> dict[str, str]:
    """Duties that are repealed, lapsed, released or waived, by their reference, and which."""
    inquiry, found = stage.inquiry, {}
    for provision in inquiry.in_force.provisions.values():
        if not isinstance(provision, Duty) or not inquiry.enacted(provision):
            continue
        status = norm(inquiry, provision).status
        if status in (LAPSED, REPEALED):
            found[f"@{provision.id}"] = status
        for word in ("released", "waived"):
            if inquiry.holds(Atom(word, (("0", f"@{provision.id}"),)), inquiry.on).truth is Truth.TRUE:
                found[f"@{provision.id}"] = word
    return found


def _condition(walk: Walk, stage: Stage, provision: Any, key: str, text: str, gone: Mapping[str, str]) -> Iterator[LintFinding]:
    if can_hold(stage.inquiry, text, {}, walk.kept).possible is False:
        what = f"{text!r} can never hold: {_NEVER[key]}"
        severity: Severity = "warning" if key in ("breached_when", "cases") else "error"
        yield walk.at_provision(stage, provision, key, "unreachable", severity, what, f"it is false {_MEANT}")
        return
    over = {reference for _, reference in asked(text).statuses if reference in gone}
    if key != "when" or not over or not isinstance(provision, Duty):
        return
    fixed: dict[Key, Truth] = {(word, reference): Truth.FALSE for reference in over for word in _GONE_FALSE}
    fixed |= {(word, reference): Truth.of(word == gone[reference]) for reference in over for word in set(gone.values())}
    if can_hold(stage.inquiry, text, fixed, walk.kept).possible is False and owed_since(stage.inquiry, provision) is None:
        told = " and ".join(f"{reference}, which is {gone[reference]}" for reference in sorted(over))
        what = f"{text!r} can no longer hold: it waits for {told}"
        do = f"release @{provision.id} too, or give it another condition"
        yield walk.at_provision(stage, provision, key, "unreachable", "warning", what, do)


def _dates(walk: Walk, stage: Stage, provision: Any) -> Iterator[LintFinding]:
    read = stage.inquiry.read
    begins = [(f"from {provision.from_}", read(provision.from_).first)] if provision.from_ else []
    made = stage.inquiry.agreement.instruments[provision.in_instrument].made if provision.in_instrument else None
    if made and not begins:
        begins.append((f"its instrument was made {made}", read(made).first))
    earliest = getattr(provision, "earliest", None)
    by = getattr(provision, "by", None)

    def finding(key: str, severity: Severity, what: str) -> LintFinding:
        return walk.at_provision(stage, provision, key, "unreachable", severity, what, "correct one of the dates")

    for told, start in begins:
        if provision.until and read(provision.until).last < start:
            yield finding("until", "error", f"its term ends {provision.until} before it begins ({told})")
        if by and read(by).last < start:
            severity: Severity = "error" if provision.from_ else "warning"
            yield finding("by", severity, f"due by {by}, before it can be owed ({told})")
    if earliest and by and read(earliest).first > read(by).last:
        yield finding("earliest", "error", f"performance counts from {earliest}, and is due by {by} already")
    if earliest and provision.until and read(earliest).first > read(provision.until).last:
        yield finding("earliest", "error", f"performance counts from {earliest}, when its term has ended ({provision.until})")


def _steps(walk: Walk, stage: Stage, duty: Duty) -> Iterator[LintFinding]:
    after = {step.id: step.after for step in duty.steps}
    for step in duty.steps:
        if step.after is None:
            continue
        do = "name a step of this duty"
        if step.after not in after:
            what = f"the step {step.id} comes after {step.after}, which is no step"
            yield walk.at_provision(stage, duty, "steps", "unreachable", "error", what, do)
            continue
        seen, at = [step.id], step.after
        while at in after and at not in seen:
            seen.append(at)
            at = after[at] or ""
        if at == step.id:
            what = f"the step {step.id} comes after itself, through {' and '.join(seen[1:]) or step.id}"
            yield walk.at_provision(stage, duty, "steps", "unreachable", "error", what, do)


def _exception(walk: Walk, stage: Stage, exception: Exception_) -> Iterator[LintFinding]:
    targets = [stage.in_force.provisions.get(reference.lstrip("@").split(".")[0]) for reference in exception.to]
    named = any(f"@{exception.id}" in getattr(p, "unless", ()) for p in stage.live)

    def lifts(target: Any) -> bool:
        if target is None or target.id in stage.in_force.repealed:
            return False
        if isinstance(target, Definition):
            return bool(exception.cases)
        if isinstance(target, Exception_) and exception.cases:
            return bool(target.cases)
        return isinstance(target, Duty | Exception_)

    if not named and not any(lifts(target) for target in targets):
        kinds = ", ".join(f"@{t.id} is a {t.kind}" for t in targets if t is not None and t.id not in stage.in_force.repealed)
        what = f"lifts nothing: {kinds or 'what it is an exception to is gone'}"
        do = "name a duty, an exception, or a definition (with `cases`); a liberty or power takes `while` or `when`"
        yield walk.at_provision(stage, exception, "to", "unreachable", "warning", what, do)
    texts = texts_around(stage.inquiry, exception)
    if any(asked(text).looks_back or condition(text).free for text in texts) or exception.cases:
        return
    own = exception.when is not None and can_hold(stage.inquiry, exception.when, {}, walk.kept).possible is False
    found = search(stage.inquiry, lambda s: applies(s, exception), {}, _numbers(texts), _words(texts))
    if found.possible is False and not own:
        what = "never applies: whenever it could, an exception to it applies too"
        do = "narrow the exception to it, or leave this one out"
        yield walk.at_provision(stage, exception, "when", "unreachable", "warning", what, do)


def _numbers(texts: list[str]) -> list[float]:
    return [number for text in texts for number in asked(text).numbers]


def _words(texts: list[str]) -> list[str]:
    return [word for text in texts for word, _ in asked(text).statuses]


def never_commences(walk: Walk) -> Iterator[LintFinding]:
    """Changes and instruments that can never take effect, or of which nothing says when they do."""
    agreement, stage = walk.case.agreement, walk.stages[-1]
    put_off = {c.aim.address or c.aim.name for c in agreement.changes if c.op == "postpone"}
    undated = set()
    for n, change in enumerate(agreement.changes):
        effective = change.effective
        if isinstance(effective, Commencement) and can_hold(stage.inquiry, effective.when, {}, walk.kept).possible is False:
            what = f"never takes effect: {effective.when!r} can never hold"
            yield walk.at_change("unreachable", "error", change.address, "effective", what, f"it is false {_MEANT}")
        elif effective == NOT_YET and change.address not in put_off:
            what, do = "waits for a later word on when it takes effect", "nothing, or `postpone` it to a date once one is set"
            yield walk.at_change("unreachable", "note", change.address, "effective", what, do)
        elif effective == ON_RECEIPT and not agreement.instruments[change.in_].received:
            what, do = f"waits for the receipt of {change.in_}, which is not on record", "record it under `received`"
            yield walk.at_change("unreachable", "note", change.address, "effective", what, do)
        if agreement.instruments[change.in_].made is None and change.in_ not in undated:
            undated.add(change.in_)
            what = f"{change.in_} has no date, and its change is dated {change.made}"
            do = "give the instrument its date under `made`"
            yield walk.at_path("unreachable", "warning", ("changes", n, "in"), change.address, what, do)
    for name, instrument in agreement.instruments.items():
        effective = instrument.effective
        if isinstance(effective, Commencement) and can_hold(stage.inquiry, effective.when, {}, walk.kept).possible is False:
            what = f"never takes effect: {effective.when!r} can never hold"
            path = ("instruments", name, "effective")
            yield walk.at_path("unreachable", "error", path, name, what, f"it is false {_MEANT}")
        held = [f"@{p.id}" for p in agreement.provisions if p.in_instrument == name]
        if instrument.made is None and held:
            what = f"has no date, so {', '.join(held)} can never be in force"
            yield walk.at_path("unreachable", "warning", ("instruments", name), name, what, "give it its date under `made`")
    for n, state in enumerate(agreement.states):
        if state.when and can_hold(stage.inquiry, state.when, {}, walk.kept).possible is False:
            what = f"{state.atom} can never be so: {state.when!r} can never hold"
            yield walk.at_path("unreachable", "error", ("states", n, "when"), state.atom, what, f"it is false {_MEANT}")


def conflicts(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Changes of equal rank, rival entries of one reading, and equal exceptions that give different values."""
    if not stage.supposed:
        for conflict in stage.in_force.conflicts:
            what = f"{' and '.join(conflict.changes)} are of equal rank and clash on {conflict.target}: none is applied"
            do = "date one of them later, or let it replace the other by its address"
            yield walk.at_change("conflict", "error", conflict.changes[-1], "target", what, do)
    for provision in stage.live:
        yield from _readings(walk, stage, provision)
        if isinstance(provision, Definition):
            yield from _values(walk, stage, provision)


def _readings(walk: Walk, stage: Stage, provision: Any) -> Iterator[LintFinding]:
    entries = list(getattr(provision, "interpretations", ()))
    for one, other in combinations(entries, 2):
        if isinstance(one, dict):
            clash = one.get("reading") == other.get("reading") and sorted(
                key for key in set(one) & set(other) - {"reading", "text"} if one[key] != other[key]
            )
            reading, told = one.get("reading"), ", ".join(clash or ())
        else:
            both = {*one.includes} & {*other.excludes} | {*one.excludes} & {*other.includes}
            clash = sorted(both) if one.reading == other.reading else []
            reading, told = one.reading, ", ".join(clash)
        if clash:
            what = f"the reading {reading} reads {told} in two ways: the later entry goes before"
            do = "repeal the earlier one, or give the later its own reading"
            yield walk.at_provision(stage, provision, "interpretations", "conflict", "warning", what, do)


def _values(walk: Walk, stage: Stage, definition: Definition) -> Iterator[LintFinding]:
    texts = texts_around(stage.inquiry, definition)
    if any(asked(text).looks_back or condition(text).free for text in texts):
        return
    clash: dict[Any, tuple[str, ...]] = {}

    def test(imagined: Imagined) -> Truth:
        found = value_of(imagined, definition)
        if found.conflict:
            clash.clear()
            clash.update(found.values)
            return Truth.TRUE
        return Truth.UNKNOWN if found.unknown else Truth.FALSE

    found = search(stage.inquiry, test, {}, _numbers(texts), _words(texts))
    if found.possible:
        told = " / ".join(f"{_plain(value)} by {', '.join(by)}" for value, by in clash.items())
        what = f"comes to {told} ({found.words}): neither goes before the other"
        do = "make one an exception to the other, or let their conditions exclude each other"
        yield walk.at_provision(stage, definition, "cases", "conflict", "warning", what, do)


def _plain(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else value
