"""Rules about what is on record: proof, rulings, uses of powers, events, readings, instruments and words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tallybook.agreement.amendment import Commencement
from tallybook.agreement.language import atom_of, condition
from tallybook.agreement.provision import Duty, Exception_, Power, Proof, method_names
from tallybook.agreement.situation import Atom
from tallybook.commitments.deadline import deadline
from tallybook.commitments.measures import PERMITTED, REQUIRED, measure_standing
from tallybook.commitments.powers import powers, uses
from tallybook.lint.conditions import conditions_of
from tallybook.lint.finding import LintFinding, Severity
from tallybook.lint.stages import Stage, Walk

BUILT_IN = frozenset({"assigned", "claim_assigned", "delegated", "released", "waived", "used", "accepted", "received"})
_SPOKEN = frozenset({"note", "title", "name", "says", "formerly", "foreseen", "then", "needs_coverage", "heading"})


def proof(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Duties that nothing could show, proof without methods or standard, methods that no report could meet."""
    wanted = {p.proof.lstrip("@") for p in stage.live if isinstance(p, Duty) and p.proof}
    named = {name for p in stage.live if isinstance(p, Proof) for name in [*method_names(p.methods), *p.includes]}
    for provision in stage.live:
        if isinstance(provision, Duty):
            yield from _duty(walk, stage, provision)
        elif isinstance(provision, Proof):
            if provision.id in wanted or provision.for_:
                yield from _proof(walk, stage, provision)
            elif provision.id in named and provision.met_by is None and not provision.includes:
                what = "no report could meet this method: it has neither met_by nor includes"
                do = "say which reports meet it, or name a method that counts as this one"
                yield walk.at_provision(stage, provision, "", "duty-without-proof", "warning", what, do)


def _duty(walk: Walk, stage: Stage, duty: Duty) -> Iterator[LintFinding]:
    if duty.claims:
        if duty.proof is None:
            what = "claims are about it and nothing says what proof it needs, so it can never be verified"
            do = "name a proof under `proof`, with its standard and methods"
            yield walk.at_provision(stage, duty, "claims", "duty-without-proof", "warning", what, do)
        return
    text = duty.achieve or duty.maintain or duty.endeavour or ""
    atoms = [_atom(name) for name in condition(text).atoms]
    if atoms and not any(_can_be_shown(walk, atom) for atom in atoms):
        what = f"no claim is about it, and nothing on record could show {', '.join(sorted(map(str, atoms)))}"
        do = "add a claim, a measure whose states show it (`states`), or the events under `facts`"
        # Where no event is on record at all, the agreement has not been put to use yet.
        severity: Severity = "note" if duty.endeavour or not walk.case.agreement.facts else "warning"
        yield walk.at_provision(stage, duty, _content(duty), "duty-without-proof", severity, what, do)


def _content(duty: Duty) -> str:
    return "achieve" if duty.achieve else "maintain" if duty.maintain else "endeavour"


def _proof(walk: Walk, stage: Stage, found: Proof) -> Iterator[LintFinding]:
    if found.methods is None:
        what, do = "names no methods, so nothing can be verified by it", "say which methods are required under `methods`"
        yield walk.at_provision(stage, found, "methods", "duty-without-proof", "warning", what, do)
    asking = [p for p in stage.live if isinstance(p, Duty) and (p.proof == f"@{found.id}" or f"@{p.id}" in found.for_)]
    bare = [f"@{duty.id}" for duty in asking if duty.standard is None]
    if found.standard is None and (bare or not asking):
        what = f"has no standard{', and neither has ' + ', '.join(bare) if bare else ''}"
        yield walk.at_provision(stage, found, "standard", "duty-without-proof", "warning", what, "name one of `standards`")


def vague(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Vague words without a ruling: a warning where a deadline or another provision's condition turns on them."""
    agreement, inquiry = walk.case.agreement, stage.inquiry
    ruled = set()
    for change in agreement.changes:
        if change.ruling is not None and inquiry.is_known(change) and inquiry.read(change.ruling.made).last <= stage.at:
            target = stage.in_force.provisions.get(change.aim.name)
            ruled.add(target.id if target is not None else change.aim.name)
    awaited = {r.lstrip("@").split(".")[0] for p in stage.live for w in conditions_of(p) for r in condition(w.text).references}
    for provision in stage.live:
        if provision.id in ruled:
            continue
        for key, word in _vague_words(provision):
            turns = key == "within" or (key == "vague" and provision.id in awaited)
            why = " a deadline turns on it" if key == "within" else " another provision's condition turns on it" if turns else ""
            what = f"{word!r} is vague, and nobody has ruled on it{';' if why else ''}{why}"
            do = "record a ruling: a change of this provision with `ruling`, by a named person, dated"
            yield walk.at_provision(stage, provision, key, "vague-without-ruling", "warning" if turns else "note", what, do)


def _vague_words(provision: Any) -> Iterator[tuple[str, str]]:
    for word in provision.vague:
        yield "vague", word
    within = getattr(provision, "within", None)
    if within is not None and within.vague:
        yield "within", within.vague
    effect = getattr(provision, "effect", None)
    if effect is not None and effect.at_most is not None and effect.at_most.vague:
        yield "effect", effect.at_most.vague


def recorded(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Powers whose use nothing records, and exceptions and provisions without words."""
    agreement = walk.case.agreement
    facts = [atom_of(fact.atom) for fact in agreement.facts]
    for provision in stage.live:
        if isinstance(provision, Power) and not _has_record(provision, facts):
            what = "nothing on record could show its use"
            do = f"name the event under `used_by` or the measure with its `states`, or record the fact used(@{provision.id})"
            severity: Severity = "warning" if provision.effect else "note"
            yield walk.at_provision(stage, provision, "", "use-unrecorded", severity, what, do)
        yield from _words(walk, stage, provision)


def _has_record(power: Power, facts: list[Atom]) -> bool:
    if power.used_by or (power.measure and power.states):
        return True
    return any(atom.name == "used" and ("0", f"@{power.id}") in atom.args for atom in facts)


def _words(walk: Walk, stage: Stage, provision: Any) -> Iterator[LintFinding]:
    agreement = walk.case.agreement
    if not _in_hand(walk):
        return
    texts = [provision.text, provision.because, *(part.text for part in _parts(provision))]
    by_address = {change.address: change for change in agreement.changes}
    texts += [by_address[note.address].text for note in stage.in_force.notes.get(provision.id, ()) if note.address in by_address]
    cited = {name for text in texts for name in text}
    if cited & _in_hand(walk):
        return
    if isinstance(provision, Exception_):
        what, do = "an exception without words: nobody can tell that it was agreed", "quote the words that give it under `text`"
        yield walk.at_provision(stage, provision, "text", "no-words", "warning", what, do)
    else:
        what, do = "has no words of an instrument in hand", "quote them under `text`, or get the instrument"
        yield walk.at_provision(stage, provision, "text", "no-words", "note", what, do)


def _in_hand(walk: Walk) -> set[str]:
    return {name for name, i in walk.case.agreement.instruments.items() if i.in_hand in ("whole", "quoted")}


def _parts(node: Any) -> Iterator[Any]:
    for part in node.parts:
        yield part
        yield from _parts(part)


def uses_and_dates(walk: Walk) -> Iterator[LintFinding]:
    """Uses of powers without effect, and dates that passed while their duty was suspended."""
    stage = walk.last
    inquiry = stage.inquiry
    for power in powers(inquiry):
        for use in uses(inquiry, power):
            if use.fault and not _is_another_s(walk, power, use.at):
                severity: Severity = "note" if _may_have_begun(stage, power, use.at) else "warning"
                what = f"was used on {inquiry.show(use.at)} without effect: {use.fault}"
                do = "correct the record or the condition, or say under which other provision it was done"
                if severity == "note":
                    what += " for certain: it was made on that day, at no hour that is known"
                    do = "give the hour at which it was made"
                yield walk.at_provision(stage, power, "when", "power-not-held", severity, what, do)
    for provision in stage.live:
        if isinstance(provision, Duty) and provision.by:
            due = deadline(inquiry, provision)
            if due.at is None and due.remark:
                what, do = f"{provision.by}: {due.remark}", "set a new date: a change that replaces `by`"
                yield walk.at_provision(stage, provision, "by", "deadline-in-suspension", "warning", what, do)


def _is_another_s(walk: Walk, power: Power, at: datetime) -> bool:
    """Whether what looks like a use by the state of a measure rests on something else, or came before there was the power."""
    if power.used_by is not None or not (power.measure and power.states):
        return False
    then = walk.last.inquiry.at(at)
    made = power.id in then.in_force.provisions and then.enacted(power)
    made = made or _may_have_begun(walk.last, power, at)
    return not made or measure_standing(then, power.measure).standing in (PERMITTED, REQUIRED)


def _may_have_begun(stage: Stage, power: Power, at: datetime) -> bool:
    """Whether a power was made on the very day of an instant, so that the hour decides."""
    name = power.in_instrument
    made = stage.inquiry.agreement.instruments[name].made if name else power.from_
    found = stage.inquiry.read(made) if made else None
    return found is not None and found.first <= at < found.last


def unmatched(walk: Walk) -> Iterator[LintFinding]:
    """Events and states on record that no condition asks for."""
    agreement = walk.case.agreement
    wanted = list(_asked_for(walk))
    told: set[Atom] = set()
    read = walk.last.inquiry.read
    entries = [("facts", n, f.atom) for n, f in enumerate(agreement.facts) if read(f.known or f.from_).last <= walk.end]
    entries += [("states", n, s.atom) for n, s in enumerate(agreement.states)]
    for group, n, text in entries:
        atom = atom_of(text)
        if atom in told or (atom.name in BUILT_IN and group == "facts") or any(_fit(atom, other) for other in wanted):
            continue
        told.add(atom)
        near = sorted({str(other) for other in wanted if other.name == atom.name or _alike(atom.name, other.name)})
        what = f"no condition asks for {text}" + (f"; one asks for {near[0]}" if near else "")
        do = "correct its name or arguments, or leave it out"
        yield walk.at_path("unmatched-event", "warning" if near else "note", (group, n, "atom"), text, what, do)


def _alike(one: str, other: str) -> bool:
    """Whether two names differ by one letter or by marks between words."""
    a, b = (re.sub(r"[_-]", "", name.casefold()) for name in (one, other))
    if a == b or abs(len(a) - len(b)) > 1 or min(len(a), len(b)) < 4:
        return a == b
    short, long = sorted((a, b), key=len)
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b, strict=True)) == 1
    return any(long[:n] + long[n + 1 :] == short for n in range(len(long)))


def _asked_for(walk: Walk) -> Iterator[Atom]:
    """Every event that a condition asks for, at any stage."""
    agreement = walk.case.agreement
    provisions = [p for stage in walk.stages for p in stage.in_force.provisions.values()]
    texts = {w.text for p in provisions for w in conditions_of(p)}
    texts |= {p.used_by for p in provisions if isinstance(p, Power) and p.used_by}
    texts |= {state.when for state in agreement.states if state.when}
    waits = [*(c.effective for c in agreement.changes), *(i.effective for i in agreement.instruments.values())]
    texts |= {e.when for e in waits if isinstance(e, Commencement)}
    texts |= {c.value["when"] for c in agreement.changes if c.op == "postpone" and isinstance(c.value, dict)}
    for text in sorted(texts):
        for name in sorted(condition(text).atoms):
            yield _atom(name)


def _atom(text: str) -> Atom:
    """An atom as a condition names it, read back from its words; one in quotation marks need not parse again."""
    name, _, rest = text.partition("(")
    pairs, number = [], 0
    for argument in rest.removesuffix(")").split(", ") if rest else ():
        key, sign, value = argument.partition("=")
        pairs.append((key, value) if sign else (str(number), argument))
        number += not sign
    return Atom(name, tuple(sorted(pairs)))


def _fit(one: Atom, other: Atom) -> bool:
    """Whether two atoms can mean the same event; a variable stands for anything."""
    if one.name != other.name or [key for key, _ in one.args] != [key for key, _ in other.args]:
        return False
    pairs = zip(one.args, other.args, strict=True)
    return all(a == b or a.startswith("?") or b.startswith("?") for (_, a), (_, b) in pairs)


def _can_be_shown(walk: Walk, atom: Atom) -> bool:
    agreement = walk.case.agreement
    known = [atom_of(text) for text in (*(f.atom for f in agreement.facts), *(s.atom for s in agreement.states))]
    return atom.name in {*agreement.vocabulary.complete, *BUILT_IN} or any(_fit(atom, other) for other in known)


def unused(walk: Walk) -> Iterator[LintFinding]:
    """Readings under which nothing is read, instruments that nothing cites, and an agreement without any text in hand."""
    agreement = walk.case.agreement
    raw = agreement.model_dump(by_alias=True, exclude_unset=True)
    readings: set[str] = set()
    cited: set[str] = set()
    for group in ("provisions", "changes", "facts", "states", "standards", "claims"):
        _gather(raw.get(group, ()), readings, cited)
    for name, instrument in agreement.instruments.items():
        cited |= {other for other in (instrument.read_in, instrument.accepts, *instrument.restates) if other and other != name}
    if not _in_hand(walk):
        what, do = "no instrument is in hand, so nothing has its words", "put the texts under sources/, and quote them"
        yield walk.at_path("no-words", "note", ("instruments",), "instruments", what, do)
    for name, reading in agreement.readings.items():
        if name not in readings and name != "plain":
            what = f"nothing is read otherwise under {name}"
            do = "record what it reads otherwise (`interpret` with this reading), or leave it out"
            yield walk.at_path("unused-reading", "note", ("readings", name), name, f"{what}{_of(reading.by)}", do)
    for name in agreement.instruments:
        if name not in cited:
            what, do = "nothing cites it", "quote it, put a provision or a change in it, or leave it out"
            yield walk.at_path("uncited-instrument", "note", ("instruments", name), name, what, do)


def _of(party: str | None) -> str:
    return f", the reading of {party}" if party else ""


def _gather(node: Any, readings: set[str], cited: set[str], key: str = "") -> None:
    """Every reading named, and every name that might be of an instrument; quoted and spoken words are passed over."""
    if isinstance(node, dict):
        for name, value in node.items():
            cited.add(str(name))
            if name == "reading" and isinstance(value, str):
                readings.add(value)
            if name not in _SPOKEN:
                quoted = key in ("text", "because", "covers") and isinstance(value, list)
                _gather([] if quoted else value, readings, cited, str(name))
    elif isinstance(node, list | tuple):
        for value in node:
            _gather(value, readings, cited, key)
    elif isinstance(node, str | int):
        cited |= {word.rstrip(".") for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9_./-]*", str(node))}
