"""Status words in conditions: what the verdicts say of a provision or claim at an instant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tallybook.agreement.language import condition
from tallybook.agreement.provision import Definition, Duty, Power
from tallybook.commitments.commitment import commitment, standing_of
from tallybook.commitments.powers import is_used
from tallybook.core.truth import Finding, Truth
from tallybook.verdicts.combine import duty_verdict
from tallybook.verdicts.finding import verdict_on
from tallybook.verdicts.inquiry import Inquiry

_LIFE = {
    "in-force",
    "pending",
    "suspended",
    "performed",
    "lapsed",
    "repealed",
    "not-yet-owed",
    "owed",
    "overdue",
    "breached",
    "withheld",
    "waived",
    "released",
}


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
        return _other_status(inquiry, word, reference, provision)
    if word == "missed":
        missed = commitment(inquiry, provision).missed
        told = f"{reference} was missed on {missed}" if missed else f"{reference} has not been missed"
        return Finding(Truth.of(bool(missed)), (told,), (reference,))
    if word in _LIFE:
        life = commitment(inquiry, provision)
        wanted = word.replace("-", " ")
        told = f"{reference} is {life.status}, {life.state}"
        return Finding(Truth.of(wanted in (life.status, life.state)), (told,), (reference,))
    return _verdict_is(word, reference, duty_verdict(inquiry, provision).word)


def _other_status(inquiry: Inquiry, word: str, reference: str, provision: Any) -> Finding:
    """The status of a liberty, power, proof, exception or plain definition."""
    if word == "used":
        used = isinstance(provision, Power) and is_used(inquiry, provision)
        return Finding(Truth.of(used), (f"{reference} has {'' if used else 'not '}been used",), (reference,))
    status = standing_of(inquiry, provision).status
    return Finding(Truth.of(word.replace("-", " ") == status), (f"{reference} is {status}",), (reference,))


def _verdict_is(word: str, reference: str, verdict: str) -> Finding:
    wanted = word.replace("-", " ")
    truth = verdict != "verified" if wanted == "unverified" else verdict == wanted
    return Finding(Truth.of(truth), (f"{reference} is {verdict or 'without a verdict'}",), (reference,))
