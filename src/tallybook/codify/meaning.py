"""What a provision means, in a sentence or two made from its keys. Conditions are given as they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tallybook.agreement.agreement import Agreement
from tallybook.agreement.provision import Definition, Duty, Exception_, Liberty, Power, Proof
from tallybook.codify.code import Sentence, Verbatim
from tallybook.codify.wording import Run, ids, known_instrument, limit, listed, party, sentence
from tallybook.verdicts.inquiry import Inquiry

_INCLUDED = {"stated": "", "inferred": " (inferred)"}


def meaning(inquiry: Inquiry, provision: Any) -> tuple[Sentence, ...]:
    """Our rendering of a provision of any kind; each sentence cites the provision."""
    said = _KINDS[provision.kind](inquiry, provision)
    source = f"@{provision.id}"
    term = []
    if provision.from_:
        term.append(f"from {provision.from_}")
    if provision.until:
        term.append(f"until {provision.until}")
    if term:
        said.append(sentence(source, f"it applies {' '.join(term)}"))
    if provision.survives:
        said.append(sentence(source, "it outlasts the end of the agreement"))
    return tuple(said)


def _definition(inquiry: Inquiry, it: Definition) -> list[Sentence]:
    source, term = f"@{it.id}", it.term or it.id
    out: list[Sentence] = []
    included = [entry for entry in it.includes if _is_read(inquiry, entry.reading)]
    if included:
        named = [
            f"{entry.item}{_INCLUDED[entry.strength]}{f' (under the reading {entry.reading})' if entry.reading else ''}"
            for entry in included
        ]
        out.append(sentence(source, f"“{term}” includes {listed(named)}"))
    told = [f"the {e.as_} in {_instrument(inquiry, e.to)}" for e in it.by_reference if known_instrument(inquiry, e.to)]
    if told:
        out.append(sentence(source, f"“{term}” refers to {listed(told)}"))
    if it.holds_when:
        out.append(sentence(source, f"“{term}” holds when ", Verbatim(it.holds_when)))
    for case in it.cases:
        when: tuple[Run, ...] = (" when ", Verbatim(case.when)) if case.when else ()
        out.append(sentence(source, f"“{term}” is ", Verbatim(_scalar(case.is_)), when))
    if not out:
        out.append(sentence(source, f"“{term}” is defined by its words alone"))
    return out


def _duty(inquiry: Inquiry, it: Duty) -> list[Sentence]:
    source, agreement = f"@{it.id}", inquiry.agreement
    who = f"{party(agreement, it.owed.by)} owes it to {party(agreement, it.owed.to)}"
    content = it.achieve or it.maintain or it.endeavour or ""
    endeavour = "to work for it, without owing the result, that"
    does = "to bring about that" if it.achieve else "to keep it so that" if it.maintain else endeavour
    runs: list[Run] = [f"{who} {does} ", Verbatim(content)]
    runs += [", when ", Verbatim(it.when)] if it.when else []
    runs += _when_due(it)
    out = [sentence(source, runs)]
    if it.covers:
        out.append(sentence(source, f"it is about @{it.covers}"))
    if it.in_force:
        out.append(sentence(source, "it is in force once ", Verbatim(it.in_force)))
    if it.in_return_for:
        out.append(sentence(source, f"it is owed in return for {ids(it.in_return_for)}"))
    if it.unless:
        out.append(sentence(source, f"it is not owed where {ids(it.unless)} applies"))
    if it.breached_when:
        out.append(sentence(source, "it is broken when ", Verbatim(it.breached_when)))
    if it.steps:
        told = [f"{step.id}{f' (after {step.after})' if step.after else ''}" for step in it.steps]
        out.append(sentence(source, f"its steps are {listed(told)}"))
    if it.then:
        out.append(sentence(source, "after that: ", Verbatim(it.then)))
    out += _proved(inquiry, it)
    return [*out, *_seen_in(it)]


def _when_due(it: Duty) -> list[Run]:
    out: list[Run] = []
    if it.earliest:
        out.append(f", not before {it.earliest}")
    if it.by:
        out.append(f", by {it.by}")
    if it.within:
        told = limit(it.within)
        out.append(f", within {told} of its being owed" if it.within.value else f", {told}")
    return out


def _proved(inquiry: Inquiry, it: Duty) -> list[Sentence]:
    """By what it is shown: the proof that it names, and the standard."""
    source, agreement = f"@{it.id}", inquiry.agreement
    out: list[Sentence] = []
    if it.proof:
        proof = inquiry.in_force.provisions.get(it.proof.lstrip("@"))
        if proof is not None and not inquiry.enacted(proof):
            # It is in an instrument of a later day.
            return out
        told = _methods(proof) if isinstance(proof, Proof) else ""
        standard = _standard(agreement, proof.standard) if isinstance(proof, Proof) else ""
        out.append(sentence(source, f"it is proved as {it.proof} says", f": {told}" if told else "", standard))
    if it.standard:
        out.append(sentence(source, f"its condition must be shown{_standard(agreement, it.standard)}"))
    return out


def _standard(agreement: Agreement, name: str | None) -> str:
    if name is None:
        return ""
    known = agreement.standards.get(name)
    return f", to the standard “{name}”" + (f" (at least {known.at_least:g})" if known else "")


def _methods(proof: Proof) -> str:
    return _tree(proof.methods) if proof.methods is not None else ""


def _tree(tree: Any) -> str:
    if isinstance(tree, str):
        return f"@{tree}"
    word, branches = next(iter(tree.items()))
    told = [_tree(branch) if isinstance(branch, str) or len(branches) == 1 else f"({_tree(branch)})" for branch in branches]
    return listed(told, "and" if word == "all" else "or")


def _liberty(inquiry: Inquiry, it: Liberty) -> list[Sentence]:
    source = f"@{it.id}"
    runs: list[Run] = [f"{party(inquiry.agreement, it.holder)} may do this"]
    runs += [", while ", Verbatim(it.while_)] if it.while_ else []
    out = [sentence(source, runs)]
    if it.may_extend:
        out.append(sentence(source, "it may be extended"))
    if it.must_use:
        states = f", in the states {listed(it.must_use.states)}" if it.must_use.states else ""
        out.append(sentence(source, f"{party(inquiry.agreement, it.must_use.by)} must make use of it{states}"))
    if it.ended_by:
        out.append(sentence(source, f"it ends by {it.ended_by}"))
    return [*out, *_seen_in(it)]


def _power(inquiry: Inquiry, it: Power) -> list[Sentence]:
    source = f"@{it.id}"
    runs: list[Run] = [f"{party(inquiry.agreement, it.holder)} can do this"]
    runs += [", when ", Verbatim(it.when)] if it.when else []
    out = [sentence(source, runs)]
    if it.used_by:
        out.append(sentence(source, "it is used by ", Verbatim(it.used_by)))
    if it.effect:
        out += _effect(source, it)
    if it.foreseen:
        out.append(sentence(source, f"foreseen: {it.foreseen}"))
    return [*out, *_seen_in(it)]


def _effect(source: str, it: Power) -> list[Sentence]:
    effect, out = it.effect, []
    assert effect is not None
    if effect.suspend:
        most = f", for at most {limit(effect.at_most)}" if effect.at_most else ""
        after = {"resume": "; then they resume", "end": "; then they end", None: ""}[effect.then]
        part = " in part" if effect.in_part else ""
        out.append(sentence(source, f"its use suspends {ids(effect.suspend)}{part}{most}{after}"))
    if effect.resume:
        out.append(sentence(source, f"its use resumes {ids(effect.resume)}"))
    if effect.end:
        what = "everything that does not survive" if effect.end == "all" else ids(effect.end)
        out.append(sentence(source, f"its use ends {what}"))
    return out


def _proof(inquiry: Inquiry, it: Proof) -> list[Sentence]:
    source, out = f"@{it.id}", []
    standard = _standard(inquiry.agreement, it.standard)
    if it.for_:
        told = _methods(it)
        by = f" by {told}" if told else ", by methods that it does not name"
        out.append(sentence(source, f"{ids(it.for_)} {'is' if len(it.for_) == 1 else 'are'} shown{by}{standard}"))
    elif standard:
        out.append(sentence(source, f"it is shown{standard}"))
    if it.met_by is not None:
        told = listed(f"{key.replace('_', ' ')} {_alternatives(value)}" for key, value in it.met_by.items())
        what = f" on {it.question}" if it.question else ""
        out.append(sentence(source, f"it is met by reports{what} with {told}"))
    elif it.question:
        out.append(sentence(source, f"it answers the question of {it.question}"))
    if it.includes:
        out.append(sentence(source, f"as good as it: {listed(f'@{name}' for name in it.includes)}"))
    if it.observer:
        out.append(sentence(source, "the observer: ", Verbatim(it.observer)))
    if it.shows:
        out.append(sentence(source, "it shows that ", Verbatim(it.shows)))
    if it.needs_coverage:
        out.append(sentence(source, f"it needs coverage: {it.needs_coverage}"))
    return out or [sentence(source, "it is met by what its words describe, and by nothing named here")]


def _exception(_inquiry: Inquiry, it: Exception_) -> list[Sentence]:
    source, out = f"@{it.id}", []
    runs: list[Run] = [f"it lifts {ids(it.to)}"]
    runs += [" when ", Verbatim(it.when)] if it.when else []
    if it.unless:
        runs.append(f", unless {ids(it.unless)} applies")
    out.append(sentence(source, runs))
    for case in it.cases:
        when: tuple[Run, ...] = (" when ", Verbatim(case.when)) if case.when else ()
        out.append(sentence(source, f"{ids(it.to)} is then ", Verbatim(_scalar(case.is_)), when))
    return out


_KINDS: dict[str, Callable[[Inquiry, Any], list[Sentence]]] = {
    "definition": _definition,
    "duty": _duty,
    "liberty": _liberty,
    "power": _power,
    "proof": _proof,
    "exception": _exception,
}


def _seen_in(it: Duty | Liberty | Power) -> list[Sentence]:
    if not it.measure:
        return []
    states = f", in the states {listed(it.states)}" if it.states else ""
    return [sentence(f"@{it.id}", "it is seen in the measure ", Verbatim(it.measure), states)]


def _is_read(inquiry: Inquiry, reading: str | None) -> bool:
    return reading is None or inquiry.question.reading in (reading, "plain")


def _instrument(inquiry: Inquiry, name: str) -> str:
    found = inquiry.agreement.instruments.get(name)
    if found is None:
        return name
    gone = {"none": " (not in hand)", "described": " (described, not in hand)"}.get(found.in_hand, "")
    return f"{found.name}{gone}"


def _scalar(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _alternatives(value: Any) -> str:
    return listed((str(item) for item in value), "or") if isinstance(value, list | tuple) else str(value)
