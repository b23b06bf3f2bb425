"""What must be maintained: whether it was kept so far, and when nobody looked. It is never finally verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tallybook.agreement.claim import Claim
from tallybook.agreement.language import condition
from tallybook.agreement.provision import Duty
from tallybook.core.time import duration, shifted
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


def found_out(report: object) -> bool:
    """Whether a report found anything out: one without a stage or number ("not photographed") is no look."""
    return bool(report.stage) or report.number is not None  # type: ignore[attr-defined]


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
    looks = sorted(
        (report.starts.first, report.ends.last)
        for report in inquiry.view.reports.values()
        if report.method in wanted.by and found_out(report) and report.starts.first <= on
        if around & set(file.places_of(report.place))
    )
    fresh, out, last = duration(wanted.within), [], since
    for start, end in [*looks, (on, on)]:
        if start > shifted(last, fresh):
            out.append(Gap(place, inquiry.show(last), inquiry.show(start)))
        last = max(last, min(end, on))
    return out


def kept(inquiry: Inquiry, duty: Duty, word: str, claims: Sequence[Claim]) -> Kept | None:
    """Whether a duty to maintain was kept so far; None for duties of other kinds, and for one not in force."""
    begun = inquiry.begun(duty)
    if duty.maintain is None or begun is None:
        return None
    since = max(begun.since.first, datetime.min.replace(tzinfo=begun.since.first.tzinfo))
    missed = tuple(g for claim in claims for g in gaps(inquiry, claim, since))
    held = condition(duty.maintain)(inquiry, inquiry.on)
    so_far: bool | None = None
    if word == "contradicted" or held.truth is Truth.FALSE:
        so_far = False
    elif not missed and (word == "verified" or (not claims and held.truth is Truth.TRUE)):
        so_far = True
    return Kept(so_far, inquiry.show(inquiry.on), missed)
