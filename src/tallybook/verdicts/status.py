"""Status words in conditions: what the verdicts say of a provision or claim at an instant."""

from __future__ import annotations

from datetime import datetime

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Definition, Duty
from tallybook.commitments.commitment import Commitment, commitment
from tallybook.core.truth import Finding, Truth
from tallybook.verdicts.combine import DutyVerdict, duty_verdict
from tallybook.verdicts.finding import verdict_on
from tallybook.verdicts.inquiry import Inquiry

_NORM = {"in-force", "pending", "suspended", "performed", "lapsed", "repealed"}
_LIFE = {"not-yet-owed", "owed", "overdue", "withheld", "waived", "released"}


def status_of(inquiry: Inquiry, word: str, reference: str, at: datetime) -> Finding:
    """Whether `word` is true of a provision or claim.

    A verdict is what we hold, so this is unknown only for states of affairs.
    """
    inquiry = inquiry.at(at)
    name = reference.lstrip("@").split(".")[0]
    claim = inquiry.agreement.claim(name)
    if claim is not None:
        found = verdict_on(inquiry, claim)
        verdict = found.verdict.value if found.verdict else found.state
        return _verdict_is(word, reference, verdict)
    provision = inquiry.in_force.provisions.get(name)
    if provision is None or not inquiry.enacted(provision):
        return Finding(Truth.FALSE, (f"{reference} is not enacted",), (reference,))
    if isinstance(provision, Definition) and provision.holds_when:
        held = condition(provision.holds_when)(inquiry, at)
        if word in ("in-force", "verified", "supported"):
            return Finding(held.truth, held.reasons or (f"{reference}",), (reference,))
        return Finding(~held.truth if word in ("contradicted", "unverified") else Truth.UNKNOWN, held.reasons, (reference,))
    if not isinstance(provision, Duty):
        begun = inquiry.begun(provision) is not None
        return Finding(Truth.of(begun if word == "in-force" else False), (f"{reference} is in force: {begun}",), (reference,))
    result = duty_verdict(inquiry, provision)
    if word in _NORM | _LIFE:
        life = life_of(inquiry, result)
        actual = (life.status, life.state)
        wanted = word.replace("-", " ")
        return Finding(Truth.of(wanted in actual), (f"{reference} is {life.status}, {life.state}",), (reference,))
    return _verdict_is(word, reference, result.word)


def life_of(inquiry: Inquiry, result: DutyVerdict) -> Commitment:
    """The life of a duty; one that claims are about is performed only when it is verified."""
    performed = result.word == "verified" if result.findings else None
    return commitment(inquiry, result.duty, performed, supported=result.word == "supported")


def _verdict_is(word: str, reference: str, verdict: str) -> Finding:
    wanted = word.replace("-", " ")
    truth = verdict != "verified" if wanted == "unverified" else verdict == wanted
    return Finding(Truth.of(truth), (f"{reference} is {verdict or 'without a verdict'}",), (reference,))
