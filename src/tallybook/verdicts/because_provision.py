"""The explanation of a provision by itself, and of the standing of a measure."""

from __future__ import annotations

from typing import Any

from tallybook.agreement.amendment import Change
from tallybook.agreement.grounds import AGREEMENT
from tallybook.agreement.provision import Duty, Liberty, Power
from tallybook.commitments.commitment import commitment, standing_of
from tallybook.commitments.measures import MeasureStanding, Voice
from tallybook.commitments.measures import _voices as voices_of
from tallybook.core.explanation import Because
from tallybook.verdicts.because_life import LifeTeller
from tallybook.verdicts.combine import duty_verdict
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.on_record import because, question
from tallybook.verdicts.reviewed import exhibit_steps


def duty_head(inquiry: Inquiry, duty: Duty) -> str:
    """A duty in a few words: its status, state and verdict."""
    verdict, life = duty_verdict(inquiry, duty), commitment(inquiry, duty)
    return f"@{duty.id}: {life.status}, {life.state}" + (f"; verdict {verdict.word}" if verdict.word else "")


def explain_duty(inquiry: Inquiry, duty: Duty) -> Because:
    """A duty: its words, what records the changes in it, and its life."""
    verdict, life = duty_verdict(inquiry, duty), commitment(inquiry, duty)
    told = f"{duty_head(inquiry, duty)}. Owed by {duty.owed.by} to {duty.owed.to}."
    if life.waits_for:
        told += f" Waits for {', '.join(life.waits_for)}."
    if life.reasons:
        told += f" Because: {'; '.join(life.reasons)}."
    facts = {
        **question(inquiry),
        "duty": duty.id,
        "by": duty.owed.by,
        "to": duty.owed.to,
        "status": life.status,
        "state": life.state,
        "verdict": verdict.word,
        "waits_for": list(life.waits_for),
        "reasons": list(life.reasons),
        "due": life.due,
        "missed": life.missed,
    }
    return Because("duty", told, (*_words(inquiry, duty), *LifeTeller(inquiry, duty, (duty.id,)).steps()), facts=facts)


def explain_provision(inquiry: Inquiry, provision: Any) -> Because:
    """A provision of any other kind: its words, what records the changes in it, its status, and what it comes to."""
    status = standing_of(inquiry, provision).status
    facts = {**question(inquiry), "provision": provision.id, "kind": provision.kind, "status": status}
    told = f"@{provision.id}, a {provision.kind}: {status}"
    steps = LifeTeller(inquiry, provision, (provision.id,)).steps()
    return Because("provision", told + ".", (*_words(inquiry, provision), *steps), facts=facts)


def _words(inquiry: Inquiry, provision: Any) -> list[Because]:
    """The words of a provision, and the rows that record the changes which made it what it is."""
    quotes = inquiry.quotes(provision.text)
    found = [Because("quotation", f'{name}: "{text}"', quote=text, instrument=name) for name, text in quotes]
    for change in _changes_of(inquiry, provision.id):
        found += [_recorded(inquiry, name) for name in change.recorded_by]
    return found


def _changes_of(inquiry: Inquiry, name: str) -> list[Change]:
    made = inquiry.in_force.history.get(name, ())
    return [change for change in inquiry.agreement.changes if change.address in made]


def _recorded(inquiry: Inquiry, name: str) -> Because:
    report = inquiry.view.reports[name]
    return Because("recorded", f"{name}, known {report.known.text}: {report.statement}", report=name)


def explain_measure(inquiry: Inquiry, measure: MeasureStanding, title: str) -> Because:
    """A measure: the rows of its states, the newest first, and what each provision in force says of the state that it is in."""
    children = []
    for name in measure.reports:
        report = inquiry.view.reports[name]
        says = f"{report.id}: {report.state} from {report.starts.text}, known {report.known.text}: {report.statement}"
        children.append(Because("state", says, exhibit_steps(inquiry, report), report=report.id))
    state = measure.current.state if measure.current else None
    facts = {
        **question(inquiry),
        "measure": measure.name,
        "state": state,
        "standing": measure.standing,
        "by_provision": measure.by_provision,
        "owed": measure.owed,
        "waits_for": list(measure.waits_for),
    }
    if measure.current is not None and not measure.current.ended:
        children += [_voice(inquiry, voice) for voice in voices_of(inquiry, measure.name, measure.current.state)]
    if not children:
        return Because("measure", measure.words, quote=title, instrument=AGREEMENT, facts=facts)
    return Because("measure", measure.words, tuple(children), facts=facts)


def _voice(inquiry: Inquiry, voice: Voice) -> Because:
    """What one provision says of the state, and whether its condition holds."""
    provision, truth = voice.provision, voice.finding.truth.value
    text = provision.while_ if isinstance(provision, Liberty) else provision.when
    inner = because(inquiry, text, inquiry.on, (provision.id,)) if text else None
    held = inner.facts["truth"] if inner else "true"
    # A power that may be used for some time only no longer permits once that is over.
    over = isinstance(provision, Power) and held == "true" and truth == "false"
    facts = {"provision": provision.id, "says": voice.says, "truth": truth, "over": over}
    told = f"@{provision.id}: {voice.says}, {truth}" + (", its time is over." if over else ".")
    if inner is not None:
        return Because("voice", told, (inner,), facts=facts)
    return Because("voice", told, quote=provision.id, instrument=AGREEMENT, facts=facts)
