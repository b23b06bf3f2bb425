"""The verdict on a duty that covers several claims: all of them, so the weakest counts."""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.agreement.provision import Duty
from tallybook.verdicts.finding import NOT_COVERED, Finding, verdict_on
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.kept import Kept, kept
from tallybook.verdicts.ladder import Word

_WEAKEST_FIRST = (
    Word.CONTRADICTED,
    Word.DISPUTED,
    Word.UNCLEAR,
    Word.NO_EVIDENCE,
    Word.CLAIMED,
    Word.INDICATED,
    Word.SUPPORTED,
    Word.VERIFIED,
)


@dataclass(frozen=True, slots=True)
class DutyVerdict:
    """A duty with the finding on each claim that it covers. `word` is blank where no claim is about the duty.

    `kept` says of a duty to maintain whether it was kept so far.
    """

    duty: Duty
    word: str
    findings: tuple[Finding, ...]
    kept: Kept | None = None


def duty_verdict(inquiry: Inquiry, duty: Duty) -> DutyVerdict:
    """All that a duty covers, so: contradicted if one part is, else the weakest word of any part.

    Where a claim is the bad news of a duty (performed_when: against), its word is turned round first.
    """
    findings = tuple(verdict_on(inquiry, claim) for claim in inquiry.agreement.claims if claim.id in duty.claims)
    covered = [f for f in findings if f.state != NOT_COVERED]
    word = min((_for_the_duty(f) for f in covered), key=_WEAKEST_FIRST.index).value if covered else ""
    return DutyVerdict(duty, word, findings, kept(inquiry, duty, word, [f.claim for f in covered]))


def _for_the_duty(finding: Finding) -> Word:
    word = finding.verdict or Word.UNCLEAR
    if finding.claim.performed_when == "for":
        return word
    turned = {
        Word.SUPPORTED: Word.CONTRADICTED,
        Word.VERIFIED: Word.CONTRADICTED,
        Word.CONTRADICTED: Word.SUPPORTED,
        Word.INDICATED: Word.UNCLEAR,
        Word.CLAIMED: Word.UNCLEAR,
    }
    return turned.get(word, word)
