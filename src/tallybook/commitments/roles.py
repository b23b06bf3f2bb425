"""Who owes, to whom, and who performs: assignment puts another in the place of one who owes, delegation leaves him liable."""

from __future__ import annotations

from dataclasses import dataclass

from tallybook.agreement.provision import Duty
from tallybook.commitments.view import Standing


@dataclass(frozen=True, slots=True)
class Roles:
    """`by` owes and is liable, `to` is owed; `performer` does it (the one who owes, where nobody else was charged with it)."""

    by: str
    to: str
    performer: str
    reasons: tuple[str, ...] = ()


def roles(standing: Standing, duty: Duty) -> Roles:
    """The roles at the date asked about.

    The events `assigned(@id, to=P)` (P owes instead), `claim_assigned(@id, to=P)` (P is owed instead) and
    `delegated(@id, to=P)` (P performs, and the one who owes stays liable) under `facts` move them.
    """
    by, to, performer, reasons = duty.owed.by, duty.owed.to, "", []
    for name in ("assigned", "claim_assigned", "delegated"):
        for entry in standing.record.about(name, f"@{duty.id}", standing.on):
            party = dict(entry.atom.args).get("to", "")
            if not party:
                continue
            reasons.append(entry.reason)
            if name == "assigned":
                by = party
            elif name == "claim_assigned":
                to = party
            else:
                performer = party
    return Roles(by, to, performer or by, tuple(reasons))
