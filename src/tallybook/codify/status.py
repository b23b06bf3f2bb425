"""The norm status of a provision at the date asked about, in one sentence."""

from __future__ import annotations

from typing import Any

from tallybook.agreement.amendment import NOT_YET, ON_RECEIPT, Commencement
from tallybook.agreement.provision import Definition, Duty
from tallybook.codify.code import Status
from tallybook.codify.wording import listed, local
from tallybook.commitments.commitment import (
    IN_FORCE,
    LAPSED,
    NOT_IN_FORCE,
    PENDING,
    PERFORMED,
    REPEALED,
    SUSPENDED,
    Norm,
    commitment,
    standing_of,
)
from tallybook.commitments.exceptions import value_of
from tallybook.commitments.powers import suspensions
from tallybook.verdicts.inquiry import Inquiry


def status_of(inquiry: Inquiry, provision: Any) -> Status:
    """The status of a provision of any kind; of a duty also what is owed of it."""
    life = standing_of(inquiry, provision)
    if isinstance(provision, Duty):
        return _of_duty(inquiry, provision, life)
    text = _told(inquiry, provision, life)
    if life.status == IN_FORCE and isinstance(provision, Definition) and provision.cases:
        text = f"{text}; {_value(inquiry, provision)}"
    return Status(life.status, text, local(inquiry, life.since))


def _of_duty(inquiry: Inquiry, duty: Duty, life: Norm) -> Status:
    found = commitment(inquiry, duty)
    if found.status in (SUSPENDED, REPEALED, LAPSED, NOT_IN_FORCE):
        return Status(found.status, _told(inquiry, duty, life), local(inquiry, life.since))
    parts = [_told(inquiry, duty, Norm(found.status, life.since, life.reasons))]
    if found.status == PERFORMED and found.done_since:
        parts = [f"performed since {found.done_since}"]
    elif found.state != found.status:
        parts.append(found.state)
    if found.due:
        parts.append(f"due {found.due}")
    if found.waits_for:
        parts.append(f"waits for {listed(found.waits_for)}")
    if found.withheld_by:
        parts.append(f"withheld under {found.withheld_by}")
    if found.missed:
        parts.append(f"{'broken' if found.kind == 'maintain' else 'not shown by'} {found.missed}")
    if found.remark:
        parts.append(found.remark)
    return Status(found.status, "; ".join(parts), local(inquiry, life.since))


def _told(inquiry: Inquiry, provision: Any, life: Norm) -> str:
    if life.status in (REPEALED, LAPSED):
        return f"{life.status}: {'; '.join(life.reasons)}" if life.status == LAPSED else "; ".join(life.reasons)
    if life.status == NOT_IN_FORCE:
        return f"not in force yet: {_awaited(inquiry, provision)}"
    # What waits on a condition is in force from when that came true, which is not the beginning of its term.
    waits = any(getattr(provision, key, None) for key in ("when", "while_"))
    since = f" since {inquiry.show(life.since)}" if life.since and not waits and life.status != PERFORMED else ""
    partly = [s for s in suspensions(inquiry, provision.id) if s.in_part and s.holds(inquiry.on)]
    part = f"; suspended in part by {partly[0].by} since {inquiry.show(partly[0].starts)}" if partly else ""
    if life.status == SUSPENDED:
        return f"suspended: in force{since}, {life.reasons[-1]}"
    if life.status == PENDING:
        return f"pending: its condition does not hold, as far as is known{part}"
    return f"{life.status}{since}{part}"


def _awaited(inquiry: Inquiry, provision: Any) -> str:
    """What a provision waits for that has not begun."""
    if provision.from_ and inquiry.read(provision.from_).last > inquiry.on:
        return f"from {provision.from_}"
    if isinstance(provision, Duty) and provision.in_force:
        return f"waits for `{provision.in_force}`"
    effective = inquiry.in_force.commencements.get(provision.in_instrument or "")
    if isinstance(effective, Commencement):
        return f"its instrument waits for `{effective.when}`"
    if effective == ON_RECEIPT:
        return "its instrument takes effect on receipt, which is not on record"
    if effective == NOT_YET:
        return "its instrument has not been brought into effect"
    return f"its instrument takes effect {effective}" if effective else "nothing says since when"


def _value(inquiry: Inquiry, definition: Definition) -> str:
    found = value_of(inquiry, definition)
    if found.conflict:
        return "its value is in conflict: " + " / ".join(f"{value} by {listed(by)}" for value, by in found.values.items())
    return "its value cannot be told" if found.value is None else f"its value now is {found.value}"
