"""How reports bear on a claim: rules and bearings, independent clusters, and what each cluster is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tallybook.agreement.claim import Claim, Match, Rule, Vocabulary, Weighing
from tallybook.agreement.provision import Party
from tallybook.core.bounds import Bounds, faded
from tallybook.core.time import Moment
from tallybook.evidence.file import EvidenceFile, View
from tallybook.evidence.grade import PART, Grade, has_direction, likelihood_ratio, weaker
from tallybook.evidence.report import Bearing, Report

HALF_LIFE_DAYS: dict[str, float | None] = {
    "act": None,
    "position": 10.0,
    "activity": 10.0,
    "statement": 30.0,
    "intention": 30.0,
}
PRIOR = Bounds(0.1, 0.9)
GOOD_EVIDENCE = 0.75
RECORD_WITHIN = timedelta(days=366)
WORD = "C3"
"""What the ungraded word of a party that owes is worth, while it has not faded."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The table in use: ratios by grade, half-lives, prior, the good-evidence standard, and a scale for sensitivity."""

    overrides: Mapping[str, Bounds]
    half_life: Mapping[str, float | None]
    prior: Bounds
    good_evidence: float
    ungraded_record: Grade
    scale: float = 1.0

    @staticmethod
    def of(weighing: Weighing, scale: float = 1.0) -> Weights:
        """The defaults of the design with a case's overrides."""
        return Weights(
            {grade: Bounds(*pair) for grade, pair in weighing.ratios.items()},
            HALF_LIFE_DAYS | {str(kind): days for kind, days in weighing.half_life_days.items()},
            Bounds(*weighing.prior) if weighing.prior else PRIOR,
            weighing.good_evidence or GOOD_EVIDENCE,
            Grade(weighing.ungraded_record),
            scale,
        )


@dataclass(frozen=True, slots=True)
class Weighed:
    """One report as it bears on one claim at one date.

    `is_word`: the word of the party that owes. `is_baseline`: it shows what was so before the duty began.
    `ratio` is what it is worth by now; None where it has no direction.
    """

    report: Report
    bears: str
    whole: bool
    state: str
    cluster: str
    restates: tuple[str, ...]
    counts_as: str
    grade: Grade
    days: float
    ratio: Bounds | None
    is_word: bool
    is_baseline: bool
    why: str
    bearing: Bearing | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Sightings of one thing by one source on one pass, with every restatement of them: counted once."""

    name: str
    members: tuple[Weighed, ...]
    ratio: Bounds | None
    whole: bool
    is_word: bool

    @property
    def has_direction(self) -> bool:
        """Whether it still says anything."""
        return self.ratio is not None


@dataclass(frozen=True, slots=True)
class Duty:
    """What weighing needs to know of a duty: who owes it and since when."""

    owed_by: frozenset[str]
    since: datetime | None


def speaks_as(who: str, party: Party, name: str) -> bool:
    """Whether a name in a report is a party's: it starts with one of the names the party is known by."""
    for part in who.split(";"):
        text = part.strip().casefold()
        for known in (name, party.name, *party.known_as):
            start = known.casefold()
            if text == start or (text.startswith(start) and not text[len(start)].isalnum()):
                return True
    return False


def said_by(report: Report, name: str, parties: Mapping[str, Party]) -> bool:
    """Whether a report names a party as the one who observed, spoke or acted."""
    return name in parties and bool(report.who) and speaks_as(report.who, parties[name], name)


def is_statement(report: Report, vocabulary: Vocabulary) -> bool:
    """Whether a report is somebody's word rather than something seen."""
    if report.table == "commitments":
        return True
    if report.table == "incidents":
        kind = vocabulary.incidents.get(report.kind)
        return kind is not None and kind.statement
    method = vocabulary.methods.get(report.method)
    return method is not None and method.statement


def is_record_of_the_time(report: Report) -> bool:
    """Whether a measure or incident stands on a record of the time: read, not recalled, and known within a year of it."""
    if report.table not in ("measures", "incidents") or report.basis == "memory":
        return False
    return report.known.last - report.ends.last <= RECORD_WITHIN


def matches(when: Match, report: Report, view: View, parties: Mapping[str, Party]) -> bool:
    """Whether a report fits every field that a rule gives."""
    return fits(when, report, view.file, parties)


def fits(when: Match, report: Report, file: EvidenceFile, parties: Mapping[str, Party]) -> bool:
    """Whether a report fits every field that a rule gives; `file` says what items include and where places lie."""
    if when.item and not any(report.item in file.members(item) for item in when.item):
        return False
    exact = (
        (when.table, report.table),
        (when.stage, report.stage),
        (when.method, report.method),
        (when.kind, report.kind),
        (when.measure, report.measure),
        (when.state, report.state),
    )
    if any(wanted and value not in wanted for wanted, value in exact):
        return False
    if when.vessel and report.vessel not in when.vessel:
        return False
    if when.place:
        inside = {outer for place in file.places_of(report.place) for outer in file.around(place)}
        if not inside & set(when.place):
            return False
    if when.by and not any(said_by(report, name, parties) for name in when.by):
        return False
    if when.not_by and any(said_by(report, name, parties) for name in when.not_by):
        return False
    number = report.number
    if when.count_at_least is not None and (number is None or number < when.count_at_least):
        return False
    most = report.high if report.high is not None else number
    return when.count_at_most is None or (most is not None and most <= when.count_at_most)


Read = tuple[Report, Bearing | None, Rule | None]
"""A report that has been read on a claim: by an analyst (bearing), or by a rule of the case."""


def rule_for(claim: Claim, report: Report, file: EvidenceFile, parties: Mapping[str, Party]) -> Rule | None:
    """The rule of a claim that a report is read by where no bearing says otherwise: the first that fits it."""
    for rule in claim.rules:
        if fits(rule.when, report, file, parties):
            # Rows of ships repeat what observations say; a rule must name their table to mean them.
            return rule if report.table != "vessels" or "vessels" in rule.when.table else None
    return None


@dataclass(frozen=True, slots=True)
class Scales:
    """What a claim's reports are weighed with: the date, who owes since when, the case's lists, the table in use.

    `declared` is the declared number of the claim's quantity as known, for reports whose extent goes by their count.
    """

    claim: Claim
    on: datetime
    duty: Duty
    parties: Mapping[str, Party]
    vocabulary: Vocabulary
    weights: Weights
    declared: float | None = None

    def is_word(self, report: Report) -> bool:
        """Whether a report is the word of a party that owes."""
        return is_statement(report, self.vocabulary) and any(said_by(report, p, self.parties) for p in self.duty.owed_by)

    def is_whole(self, extent: str, report: Report) -> bool:
        """Whether a report speaks of the whole of what the claim speaks of."""
        if extent == "by_count":
            return self.declared is not None and (report.number or 0) >= self.declared
        return extent == "whole"

    def grade(self, report: Report, *, is_word: bool, whole: bool) -> Grade:
        """The grade that counts: a word or a record without one gets the case's, a part counts as C3 at most."""
        grade = report.grade
        if not grade.text and is_word:
            grade = Grade(WORD)
        elif not grade.text and is_record_of_the_time(report):
            grade = self.weights.ungraded_record
        if not whole and grade.can_be_judged:
            grade = weaker(grade, Grade(PART), self.weights.overrides)
        return grade

    def worth(self, grade: Grade, state: str, days: float) -> Bounds:
        """What a grade is worth after some days."""
        full = likelihood_ratio(grade, self.weights.overrides, self.weights.scale)
        return faded(full, days, self.weights.half_life[state]) if full.low >= 1 else full


def weigh(read: Iterable[Read], scales: Scales) -> list[Weighed]:
    """What has been read on a claim, as it bears at the date asked about."""
    found = (weigh_one(report, bearing, rule, scales) for report, bearing, rule in read)
    return [item for item in found if item is not None]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a report is read: which way, of the whole or a part, as what, and of what time (`starts` to `ends`)."""

    bears: str
    extent: str
    state: str
    counts_as: str
    starts: Moment
    ends: Moment

    def begins(self, claim: Claim) -> datetime:
        """From when on it counts: what is finished, from the end of the time it speaks of; a state, from the beginning."""
        finished = self.state == "act" or self.bears == claim.performed_when
        return (self.ends if finished else self.starts).first


def terms(report: Report, bearing: Bearing | None, rule: Rule | None) -> Terms:
    """The terms that a bearing gives, else a rule."""
    refers = bearing.refers_to if bearing and bearing.refers_to else None
    return Terms(
        bears=bearing.bears if bearing else rule.bears if rule else "neither",
        extent=(bearing.extent if bearing else rule.extent if rule else "") or "whole",
        state=(bearing.state if bearing else rule.state if rule else "") or "statement",
        counts_as=(bearing.counts_as if bearing else rule.counts_as if rule else "") or "none",
        starts=refers or report.starts,
        ends=refers or report.ends,
    )


def undone(claim: Claim) -> str:
    """The side on which the duty is not performed: what was so before the duty began is baseline there."""
    return "against" if claim.performed_when == "for" else "for"


def weigh_one(report: Report, bearing: Bearing | None, rule: Rule | None, scales: Scales) -> Weighed | None:
    """One report as it bears at the date asked about, or None where what it tells was not so yet."""
    said = terms(report, bearing, rule)
    bears, extent, state, ends = said.bears, said.extent, said.state, said.ends
    on, duty = scales.on, scales.duty
    if said.begins(scales.claim) > on:
        return None
    is_word, whole = scales.is_word(report), scales.is_whole(extent, report)
    grade = scales.grade(report, is_word=is_word, whole=whole)
    days = max(0.0, (on - ends.last).total_seconds() / 86400)
    ratio = scales.worth(grade, "statement" if is_word else state, days)
    baseline = bears == undone(scales.claim) and duty.since is not None and ends.last < duty.since
    return Weighed(
        report=report,
        bears=bears,
        whole=whole,
        state=state,
        cluster=(bearing.cluster if bearing else "") or default_cluster(report),
        restates=bearing.restates if bearing else (),
        counts_as=said.counts_as,
        grade=grade,
        days=days,
        ratio=ratio if has_direction(ratio) and bears != "neither" and not baseline else None,
        is_word=is_word,
        is_baseline=baseline,
        why=bearing.reason if bearing else f"rule: {_rule_words(rule)}",
        bearing=bearing,
    )


def rescaled(item: Weighed, scales: Scales) -> Weighed:
    """A weighed report under another scale of the same table: nothing but its ratio differs."""
    if item.bears == "neither" or item.is_baseline:
        return item
    ratio = scales.worth(item.grade, "statement" if item.is_word else item.state, item.days)
    found = ratio if has_direction(ratio) else None
    return item if found == item.ratio else replace(item, ratio=found)


def _rule_words(rule: Rule | None) -> str:
    if rule is None:
        return ""
    fields = rule.when.model_dump(exclude_defaults=True)
    return ", ".join(f"{key} {' or '.join(map(str, v)) if isinstance(v, tuple) else v}" for key, v in fields.items())


def as_part(item: Weighed, weights: Weights) -> Weighed:
    """A report taken as one of a part: it counts as C3 at most."""
    ratio = part_of(item.ratio, weights) if item.ratio is not None and item.whole else item.ratio
    return replace(item, whole=False, ratio=ratio)


def part_of(ratio: Bounds, weights: Weights) -> Bounds:
    """What a ratio is worth for a part: that of C3 at most."""
    most = likelihood_ratio(Grade(PART), weights.overrides, weights.scale)
    return Bounds(min(ratio.low, most.low), min(ratio.high, most.high))


def default_cluster(report: Report) -> str:
    """One source on one pass: the observer, the method and the days seen; for other tables, the document."""
    if report.table == "observations":
        return f"{report.who}|{report.method}|{report.starts.text}|{report.ends.text}|{report.vessel}"
    return f"source:{report.source}"


def clusters(side: Iterable[Weighed]) -> list[Cluster]:
    """Group the reports of one side; a cluster is worth its best member.

    A restatement joins the cluster of what it restates. One that restates several joins one of them and does not make
    them one: a summary of two independent sightings adds nothing, and takes nothing away.
    """
    items = {item.report.id: item for item in side}
    members: dict[tuple[str, bool], list[Weighed]] = {}
    for item in items.values():
        members.setdefault((_origin(item, items).cluster, item.is_word), []).append(item)
    out = []
    for (name, word), found in members.items():
        ordered = sorted(found, key=strength, reverse=True)
        out.append(Cluster(name, tuple(ordered), ordered[0].ratio, ordered[0].whole, word))
    return sorted(out, key=lambda c: strength(c.members[0]), reverse=True)


def _origin(item: Weighed, items: Mapping[str, Weighed]) -> Weighed:
    """The oldest report that an item restates, through any chain of restatements."""
    seen = {item.report.id}
    while found := [items[name] for name in item.restates if name in items and name not in seen]:
        item = min(found, key=lambda w: (w.report.known.last, w.report.id))
        seen.add(item.report.id)
    return item


def strength(item: Weighed) -> tuple[bool, float, float, bool, float, str]:
    """The order of reports, strongest first when reversed: what moves the bounds, worth now, whole before part, newest."""
    ratio = item.ratio
    return (
        ratio is not None and not item.is_word,
        ratio.low if ratio else 0.0,
        ratio.high if ratio else 0.0,
        item.whole,
        item.report.known.last.timestamp(),
        item.report.id,
    )
