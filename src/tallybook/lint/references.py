"""Rules about what points where: references, terms, and statuses that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tallybook.agreement.amendment import Commencement
from tallybook.agreement.language import atom_of, condition
from tallybook.agreement.provision import Definition, Duty, Exception_, Liberty, Power, Proof, method_names
from tallybook.commitments.powers import ended
from tallybook.lint.conditions import asked, conditions_of
from tallybook.lint.finding import LintFinding, Severity
from tallybook.lint.stages import Stage, Walk

# Links that only lift, or only say what is meant: a target that is gone leaves them without effect, not without sense.
_LENIENT = frozenset({"to", "for", "in_return_for"})
_OVER_WORDS = frozenset({"repealed", "lapsed", "in-force", "suspended", "used", "missed", "breached", "waived", "released"})
MOST_CYCLES = 20


def links_of(provision: Any) -> Iterator[tuple[str, str]]:
    """Every (key, reference) by which one provision names another outside its conditions. Methods are given as `@name`."""
    keys: dict[str, Any] = {}
    if isinstance(provision, Duty):
        keys = {"in_return_for": provision.in_return_for, "unless": provision.unless, "proof": provision.proof}
        keys["covers"] = f"@{provision.covers}" if provision.covers else None
    elif isinstance(provision, Exception_):
        keys = {"to": provision.to, "unless": provision.unless}
    elif isinstance(provision, Proof):
        names = [*method_names(provision.methods), *provision.includes]
        keys = {"for": provision.for_, "methods": [f"@{name}" for name in names]}
    elif isinstance(provision, Liberty):
        keys = {"ended_by": provision.ended_by}
    elif isinstance(provision, Power) and provision.effect:
        effect = provision.effect
        keys = {"effect": [*effect.suspend, *effect.resume, *(effect.end if effect.end != "all" else ())]}
    for key, found in keys.items():
        for reference in (found,) if isinstance(found, str) else found or ():
            yield key, reference


def dangling(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """References to what is repealed, ended, renumbered away, not there yet, or in an instrument never made."""
    for provision in stage.live:
        for key, reference in links_of(provision):
            yield from _points(walk, stage, provision, key, reference, None)
        for written in conditions_of(provision):
            for word, reference in asked(written.text).statuses:
                yield from _points(walk, stage, provision, written.key, reference, word)
            for reference in asked(written.text).values:
                yield from _points(walk, stage, provision, written.key, reference, "value")


def _points(walk: Walk, stage: Stage, provision: Any, key: str, reference: str, word: str | None) -> Iterator[LintFinding]:
    name, *path = reference.lstrip("@").split(".")
    agreement = stage.inquiry.agreement
    if agreement.claim(name) is not None or name.split("#")[0] in agreement.instruments:
        return
    target = stage.in_force.provisions.get(name)
    severity: Severity = "warning" if key in _LENIENT else "error"

    def finding(severity: Severity, what: str, do: str) -> LintFinding:
        return walk.at_provision(stage, provision, key, "dangling-reference", severity, what, do)

    if target is None:
        later = name in walk.ever
        what = f"{reference} is not there" + (" yet" if later else "")
        yield finding("warning" if later else severity, what, "add it before it is referred to, or name it in the later change")
    elif name in stage.in_force.repealed:
        if word not in _OVER_WORDS:
            by = stage.in_force.repealed[name]
            yield finding(severity, f"{reference} is repealed by {by}", "repeal this too, or refer to what took its place")
    elif name not in set(stage.in_force.provisions):
        what = f"{reference} was renumbered and is now @{target.id}"
        yield finding("warning" if word else severity, what, f"write @{target.id}")
    elif (instrument := target.in_instrument) and agreement.instruments[instrument].made is None:
        yield finding(severity, f"{reference} is in {instrument}, which was never made", "date it, or refer to another")
    elif path and not _has(target, path):
        yield finding("warning", f"@{name} has no part {'.'.join(path)}", "correct the path: parts and steps go by their id")
    elif word not in _OVER_WORDS and provision.until != target.until and not stage.is_live(target) and target.until:
        mild: Severity = "note" if key in _LENIENT | {"effect"} else "warning"
        yield finding(mild, f"the term of {reference} ended {target.until}", "let both end together, or refer to another")
    elif word is None and key not in _LENIENT and (over := _ended(stage, name)) and not _ended(stage, provision.id):
        yield finding("warning", f"{reference} was ended by {over[1]}", "end this too, or refer to what goes on")


def _ended(stage: Stage, name: str) -> tuple[datetime, str] | None:
    return ended(stage.inquiry, name)


def _has(provision: Any, path: list[str]) -> bool:
    nodes = [*provision.parts, *getattr(provision, "steps", ())]
    for name in path:
        found = next((node for node in nodes if node.id == name), None)
        if found is None:
            return False
        nodes = list(getattr(found, "parts", ()))
    return True


def undefined(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Terms that no definition explains, or one that lists nothing."""
    for provision in stage.live:
        for written in conditions_of(provision):
            for term in sorted(condition(written.text).terms):
                yield from _term(walk, stage, provision, written.key, term)
            for reference in asked(written.text).values:
                yield from _value(walk, stage, provision, written.key, reference)
        if isinstance(provision, Duty) and provision.covers:
            yield from _term(walk, stage, provision, "covers", provision.covers)
    for n, state in enumerate(walk.case.agreement.states if stage is walk.last else ()):
        for term in sorted(condition(state.when).terms) if state.when else ():
            if not isinstance(stage.in_force.provisions.get(term), Definition):
                yield walk.at_path("undefined-term", "error", ("states", n, "when"), state.atom, *_no_definition(term))


def _no_definition(term: str) -> tuple[str, str]:
    return f"{term} is no definition", "define it: a provision of kind definition with `includes`"


def _term(walk: Walk, stage: Stage, provision: Any, key: str, term: str) -> Iterator[LintFinding]:
    found = stage.in_force.provisions.get(term)
    if not isinstance(found, Definition) or found.id in stage.in_force.repealed:
        yield walk.at_provision(stage, provision, key, "undefined-term", "error", *_no_definition(term))
    elif not found.includes and not any(entry.includes for entry in found.interpretations):
        what = f"{term} lists nothing"
        severity: Severity = "note" if found.open else "warning"
        yield walk.at_provision(stage, provision, key, "undefined-term", severity, what, "list what it includes")


def _value(walk: Walk, stage: Stage, provision: Any, key: str, reference: str) -> Iterator[LintFinding]:
    found = stage.in_force.provisions.get(reference.lstrip("@").split(".")[0])
    valued = isinstance(found, Definition) and (
        found.cases or any(isinstance(p, Exception_) and p.cases and reference in p.to for p in stage.live)
    )
    if not valued and found is not None:
        what, do = f"{reference} has no value", "give the definition `cases`, each with what it `is`"
        yield walk.at_provision(stage, provision, key, "undefined-term", "error", what, do)


def cycles(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Statuses that wait for each other: across provisions and exceptions, through changes, and through powers."""
    plain = _graph(stage)
    seen: set[frozenset[str]] = set()
    for circle in _circles(plain):
        seen.add(frozenset(circle))
        what = f"these wait for each other at the same instant: {_path(circle)}"
        yield _cycle(walk, stage, circle, "error", what, "let one of them look at an earlier event instead")
    for circle in _circles(_with_changes(walk, stage, plain)):
        through = [node for node in circle if node.startswith("change ")]
        if len(set(through)) > 1 and frozenset(circle) not in seen:
            what = f"these changes wait for each other, so each is read as if the others had not been made: {_path(circle)}"
            yield _cycle(walk, stage, circle, "warning", what, "let one of them take effect on a date or an event")
    for circle in _circles(_with_powers(stage, plain)):
        through = [node for node in circle if node.startswith("use of ")]
        if len(set(through)) > 1 and frozenset(circle) not in seen:
            what = f"these powers act on what allows each other: {_path(circle)}"
            yield _cycle(walk, stage, circle, "note", what, "say which goes first where both are used on one day")


def _path(circle: list[str]) -> str:
    return " -> ".join(node.removeprefix("atom ") for node in circle)


def _cycle(walk: Walk, stage: Stage, circle: list[str], severity: Severity, what: str, do: str) -> LintFinding:
    first = next((p for node in circle for p in stage.in_force.provisions.values() if node == f"@{p.id}"), None)
    if first is not None:
        return walk.at_provision(stage, first, "", "cycle", severity, what, do)
    return walk.at_path("cycle", severity, ("provisions",), circle[0], what, do)


def _graph(stage: Stage) -> dict[str, set[str]]:
    """What each status, claim and state depends on at the same instant."""
    agreement = stage.inquiry.agreement
    graph: dict[str, set[str]] = {}
    duties: dict[str, Duty] = {}
    for provision in stage.live:
        node = f"@{provision.id}"
        edges = graph.setdefault(node, set())
        for written in conditions_of(provision):
            edges |= _waits_for(stage, written.text)
        edges |= set(getattr(provision, "unless", ()))
        if isinstance(provision, Duty):
            duties[provision.id] = provision
            edges |= set(provision.claims)
        elif isinstance(provision, Exception_):
            for target in provision.to:
                graph.setdefault(target, set()).add(node)
    for claim in agreement.claims:
        starts = [d.in_force for r in claim.duty if (d := duties.get(r.lstrip("@"))) and d.in_force]
        graph[claim.id] = {node for text in starts for node in _waits_for(stage, text)}
    for state in agreement.states:
        if state.when:
            graph.setdefault(f"atom {atom_of(state.atom)}", set()).update(_waits_for(stage, state.when))
    return graph


def _waits_for(stage: Stage, text: str) -> set[str]:
    parsed = condition(text)
    names = {reference.lstrip("@").split(".")[0] for reference in parsed.references}
    claims = {c.id for c in stage.inquiry.agreement.claims}
    return {name if name in claims else f"@{name}" for name in names} | {f"atom {atom}" for atom in parsed.atoms}


def _with_changes(walk: Walk, stage: Stage, plain: dict[str, set[str]]) -> dict[str, set[str]]:
    graph = {node: set(edges) for node, edges in plain.items()}
    agreement = walk.case.agreement
    for change in agreement.changes:
        effective = change.effective or agreement.instruments[change.in_].effective
        if isinstance(effective, Commencement):
            node = f"change {change.address}"
            graph.setdefault(f"@{change.aim.name}", set()).add(node)
            graph[node] = _waits_for(stage, effective.when)
    return graph


def _with_powers(stage: Stage, plain: dict[str, set[str]]) -> dict[str, set[str]]:
    graph = {node: set(edges) for node, edges in plain.items()}
    for power in stage.live:
        if isinstance(power, Power) and power.effect and power.when:
            node = f"use of @{power.id}"
            graph[node] = _waits_for(stage, power.when)
            for _, target in links_of(power):
                graph.setdefault(target, set()).add(node)
    return graph


def _circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Circles in a graph, each with one of its edges taken out before the next is looked for."""
    left = {node: set(edges) for node, edges in graph.items()}
    for _ in range(MOST_CYCLES):
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle = [str(node) for node in error.args[1]]
            # graphlib gives the circle with each node before the one that depends on it.
            circle.reverse()
            yield circle
            left[circle[0]].discard(circle[1])
        else:
            return
