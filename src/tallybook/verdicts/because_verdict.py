"""The verdict on a claim or duty in short, where a condition asks for it; `why` of the claim gives the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallybook.agreement.claim import Claim
from tallybook.agreement.grounds import AGREEMENT
from tallybook.agreement.provision import Duty
from tallybook.core.explanation import Because
from tallybook.verdicts.combine import duty_verdict
from tallybook.verdicts.finding import Finding, verdict_on
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.on_record import stamp


def verdict_step(inquiry: Inquiry, name: str, claims: Sequence[Claim]) -> Because:
    """The word on a claim, or on a duty by the claims that it covers, with how strong each side of each is."""
    listed: list[list[Any]] = []
    for claim in claims:
        found = verdict_on(inquiry, claim)
        word = found.verdict.value if found.verdict else found.state
        listed.append([claim.id, word, found.for_.strength.value, found.against.strength.value, _account(found)])
    provision = inquiry.in_force.provisions.get(name) if inquiry.agreement.claim(name) is None else None
    word = duty_verdict(inquiry, provision).word if isinstance(provision, Duty) else listed[0][1]
    facts = {"of": name, "at": stamp(inquiry, inquiry.on), "word": word, "claims": listed}
    says = f"The verdict on {name} is {word or 'none'}."
    return Because("verdict", says, quote=claims[0].says if claims else name, instrument=AGREEMENT, facts=facts)


def _account(found: Finding) -> dict[str, Any] | None:
    """The account of a quantity, as far as the verdict goes by it."""
    books = found.account
    if books is None or not books.reports:
        return None
    return {
        "declared": books.declared,
        "removed": books.removed[1],
        "p_declared_removed": books.p_declared_removed,
        "p_none_left": books.p_none_left,
        "reports": list(books.reports),
    }
