"""What must be maintained: whether it was kept so far, and when nobody looked. It is never finally verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tallybook.agreement.claim import Claim
from tallybook.agreement.language import condition
from tallybook.agreement.provision import Duty
from tallybook.commitments.commitment import broken_at
from tallybook.core.time import duration
from tallybook.core.truth import Truth
from tallybook.verdicts.inquiry import Inquiry


@dataclass(frozen=True, slots=True)
class Gap:
    """A time during which a place was not looked at, as written in the time zone of the case."""

    place: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether a duty to maintain was kept so far (None: not shown either way), up to when, and the gaps in what was looked at."""

    so_far: bool | None
    up_to: str
    gaps: tuple[Gap, ...]


def gaps(inquiry: Inquiry, claim: Claim, since: datetime) -> tuple[Gap, ...]:
    """The times from `since` to the date asked about that no look covers: more than the claim's `within` between two looks."""
    wanted = claim.coverage
    if wanted is None:
        return ()
    key = ("gaps", claim.id, since)
    if key not in inquiry.memo:
        inquiry.memo[key] = tuple(g for place in wanted.places for g in _gaps_at(inquiry, claim, place, since))
    found: tuple[Gap, ...] = inquiry.memo[key]
    return found


def _gaps_at(inquiry: Inquiry, claim: Claim, place: str, since: datetime) -> list[Gap]:
    wanted, on, file = claim.coverage, inquiry.on, inquiry.case.evidence
    assert wanted is not None
    around = set(file.around(place))
    found = inquiry.view.looks(wanted.by)
    named = [text for text in found.named() if around & set(file.places_of(text))]
    times = found.unseen(named, since, on, inquiry.view.known, duration(wanted.within))
    return [Gap(place, inquiry.show(start), inquiry.show(end)) for start, end in times]


def kept(inquiry: Inquiry, duty: Duty, word: str, claims: Sequence[Claim]) -> Kept | None:
    """Whether a duty to maintain was kept so far; None for duties of other kinds, and for one not in force."""
    begun = inquiry.begun(duty)
    if duty.maintain is None or begun is None:
        return None
    since = max(begun.since.first, datetime.min.replace(tzinfo=begun.since.first.tzinfo))
    missed = tuple(g for claim in claims for g in gaps(inquiry, claim, since))
    held = condition(duty.maintain)(inquiry, inquiry.on)
    so_far: bool | None = None
    if word == "contradicted" or broken_at(inquiry, duty) is not None:
        so_far = False
    elif not missed and (word == "verified" or (not claims and held.truth is Truth.TRUE)):
        so_far = True
    return Kept(so_far, inquiry.show(inquiry.on), missed)
