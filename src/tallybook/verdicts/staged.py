"""A quantity whose account has stages: reports become sightings, sightings an account, and the account an exact answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import inf

import numpy as np

from tallybook.agreement.claim import Claim
from tallybook.evidence.grade import Grade, likelihood_ratio
from tallybook.evidence.report import Bearing, Report
from tallybook.holdings.compiled import MOST_DAYS_UNSURE, Compiled, Sighting, StagedLook, compile_account
from tallybook.holdings.entries import Entry, Unused
from tallybook.holdings.model import Account
from tallybook.holdings.numbers import Array
from tallybook.holdings.plan import Plan, StagePlan
from tallybook.holdings.unknown import (
    Average,
    Estimate,
    OtherPrior,
    Swing,
    UnknownAnswer,
    left_and_out,
    nothing_and_none,
    one_pass,
    prior_ratios,
    solve_unknown,
    solved,
    stocks_by_day,
)
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.quantities import entries_of, plan_of, trust_of
from tallybook.verdicts.weigh import Weighed, Weights, default_cluster, is_statement, said_by

TABLE = "observations"
_BOARD_DRAWS, _DRAWS, _DETAILS = 32, 64, 8
_SEED = 1
_TOLERANCE, _BOARD_TOLERANCE, _OUT_TOLERANCE = 1e-8, 1e-6, 1e-4
"""Mass that one cut of a window may leave out: of an account in full, of what a board shows as left, and as out."""
_ROW_TOLERANCE, _FINEST = 1e-5, 1e-12
_POINTS = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class StagedBooks:
    """What a verdict needs of a staged account; it has the attributes of `entries.Books` that verdicts and boards read.

    Triples are 5 %, median and 95 % points. `standard_error` is that of `p_none_left` where parameters are integrated over, else
    0. `total`: expected number there ever was. `removed` and `p_declared_removed` are at the means of unknown parameters.
    """

    declared: float | None
    removed: tuple[float, float, float]
    remaining: tuple[float, float, float] | None
    p_none_left: float | None
    p_declared_removed: float | None
    reports: tuple[str, ...]
    declarations: tuple[Entry, ...]
    unused: tuple[Unused, ...]
    compiled: Compiled
    values: dict[str, float]
    total: float
    standard_error: float
    method: str
    step: float = 1.0


@dataclass(frozen=True, slots=True)
class StockDay:
    """What is in a stage, or left in all, at the end of a day, given all looks: mean, 5 %, 50 %, 95 % points, P(none)."""

    day: int
    date: date
    mean: float
    low: int
    middle: int
    high: int
    p_none: float


@dataclass(frozen=True, slots=True)
class StageDays:
    """A stage, and what was in it on each day."""

    stage: str
    title: str
    days: tuple[StockDay, ...]


@dataclass(frozen=True, slots=True)
class LookRow:
    """A look and what it contributes, at the means of unknown parameters.

    `dates`: the day, or those on which it may have been. `p_none_left_without`: P(none left) if it had not been made.
    `as_surprising`: the probability, from all other looks, of a count as far out as this one or further ("1 in N" is its
    inverse); None where the count is only a bound.
    """

    look: StagedLook
    dates: tuple[date, ...]
    p_none_left_without: float
    as_surprising: float | None


@dataclass(frozen=True, slots=True)
class Integrated:
    """A number that nobody knows: the range that the case gives, and what the looks make of it."""

    name: str
    low: float
    high: float
    found: Estimate


@dataclass(frozen=True, slots=True)
class StagedHolding:
    """The staged account of a claim's quantity under a question.

    `undeclared[u]`: P(u undeclared, given all looks). `arrivals`: expected number brought in. `left`: all stages together, by
    day; `stages`: each one. `p_none_left_at_means`: what `looks` are compared with. `days_without_looks`: days on which no look
    can have been. `integrated`, `swings`: empty where every parameter is known. `other_priors`: P(none left) for other prior
    probabilities that nothing was undeclared. `standard_error` is that of P(none left), `discarded` the mass that windows left
    out, `draws` and `ess` of the integration, `warning` says why it may be poor.
    """

    inquiry: Inquiry
    claim: Claim
    plan: Plan
    books: StagedBooks
    compiled: Compiled
    declared: int | None
    declared_by: str
    undeclared: Array
    arrivals: float
    left: tuple[StockDay, ...]
    stages: tuple[StageDays, ...]
    p_none_left: float
    p_no_arrivals: float
    p_nothing_undeclared: float
    p_none_left_at_means: float
    looks: tuple[LookRow, ...]
    unused: tuple[Unused, ...]
    days_without_looks: tuple[date, ...]
    assumed: tuple[str, ...]
    integrated: tuple[Integrated, ...]
    other_priors: tuple[OtherPrior, ...]
    swings: tuple[Swing, ...]
    standard_error: float
    method: str
    discarded: float
    draws: int
    ess: float
    warning: str


def is_staged(inquiry: Inquiry, claim: Claim) -> bool:
    """Whether the case gives stages for a claim's quantity, and the date asked about is not before their first day."""
    if claim.quantity is None:
        return False
    plan = plan_of(inquiry, claim)
    return bool(plan.stages) and _local(inquiry, inquiry.on) >= _since(inquiry, plan)


def staged_books(inquiry: Inquiry, claim: Claim, weighed: Sequence[Weighed]) -> StagedBooks:
    """The account of a claim's quantity that has stages, for its verdict.

    Raises ModelError for an account that makes no sense, ImpossibleError where no state of the world gives the counts.
    """
    key = ("staged books", claim.id)
    if key not in inquiry.memo:
        inquiry.memo[key] = _books(inquiry, claim, weighed)
    found: StagedBooks = inquiry.memo[key]
    return found


def _books(inquiry: Inquiry, claim: Claim, weighed: Sequence[Weighed]) -> StagedBooks:
    compiled, declarations = _compiled(inquiry, claim, weighed)
    values: dict[str, float] = {}
    answer: UnknownAnswer | None = None
    if compiled.priors:
        answer = solve_unknown(compiled.account, compiled.priors, draws=_BOARD_DRAWS, seed=_SEED, details=0, other_none=())
        values = {name: found.mean for name, found in answer.parameters.items()}
    out = left_and_out(compiled.account(values, gone=True), _OUT_TOLERANCE)[1].sum(axis=0)
    if answer is not None:
        left, none_left = answer.left, answer.p_none_left.mean
    else:
        _, none_left, _, left = one_pass(compiled.account(), _BOARD_TOLERANCE)
    declared = declarations[-1] if declarations else None
    rests = {r for look in compiled.looks for r in look.reports} | ({declared.report} if declared else set())
    mean = float(np.arange(len(left)) @ left) + float(np.arange(len(out)) @ out)
    return StagedBooks(
        declared=float(compiled.declared) if declared else None,
        removed=_triple(out),
        remaining=_triple(left),
        p_none_left=min(none_left, 1.0),
        p_declared_removed=float(out[compiled.declared :].sum()) if declared else None,
        reports=tuple(sorted(rests)),
        declarations=tuple(declarations),
        unused=compiled.unused,
        compiled=compiled,
        values=values,
        total=mean,
        standard_error=answer.p_none_left.standard_error if answer else 0.0,
        method=answer.method if answer else "exact",
    )


def staged_holding(inquiry: Inquiry, claim: Claim, weighed: Sequence[Weighed]) -> StagedHolding:
    """The staged account of a claim's quantity, in full. `weighed`: the reports read on the claim, of its finding.

    Raises ModelError and ImpossibleError as `staged_books` does.
    """
    key = ("staged holding", claim.id)
    if key not in inquiry.memo:
        inquiry.memo[key] = _holding(inquiry, claim, weighed)
    found: StagedHolding = inquiry.memo[key]
    return found


def _holding(inquiry: Inquiry, claim: Claim, weighed: Sequence[Weighed]) -> StagedHolding:
    books = staged_books(inquiry, claim, weighed)
    compiled, plan = books.compiled, books.compiled.plan
    others = tuple(p for p in plan.undeclared.others if p != plan.undeclared.none)
    answer: UnknownAnswer | None = None
    values: dict[str, float] = {}
    if compiled.priors:
        answer = solve_unknown(compiled.account, compiled.priors, draws=_DRAWS, seed=_SEED, details=_DETAILS, other_none=others)
        values = {name: found.mean for name, found in answer.parameters.items()}
        assert answer.average is not None
        average, other_priors = answer.average, answer.other_priors
        none_left = answer.p_none_left.mean
    else:
        account = compiled.account()
        exact = solved(account, _TOLERANCE)
        average, none_left = exact.average, exact.average.p_none_left
        other_priors = _other_priors(account, exact.loglik, average, others)
    account = compiled.account(values)
    loglik, at_means, _, _ = one_pass(account, _ROW_TOLERANCE)
    mine = average.classes[plan.item]
    since = _since(inquiry, plan)
    looks = tuple(_row(compiled, values, k, loglik, since) for k in range(len(compiled.looks)))
    looked = {day for look in compiled.looks for day, _ in look.days}
    declared = books.declarations[-1] if books.declarations else None
    stocks = stocks_by_day(account, _TOLERANCE)
    brought = books.total - compiled.declared - float(np.arange(len(mine.undeclared)) @ mine.undeclared)
    return StagedHolding(
        inquiry=inquiry,
        claim=claim,
        plan=plan,
        books=books,
        compiled=compiled,
        declared=compiled.declared if declared else None,
        declared_by=declared.report if declared else "",
        undeclared=mine.undeclared,
        arrivals=max(brought, 0.0) if plan.brought_in.high > 0 else 0.0,
        left=_days(mine.left_by_day, since),
        stages=tuple(StageDays(s.id, s.title, _days(stocks[k], since)) for k, s in enumerate(plan.stages)),
        p_none_left=none_left,
        p_no_arrivals=average.p_no_arrivals,
        p_nothing_undeclared=average.p_nothing_undeclared,
        p_none_left_at_means=at_means,
        looks=looks,
        unused=compiled.unused,
        days_without_looks=tuple(since + timedelta(days=d) for d in range(compiled.last_day + 1) if d not in looked),
        assumed=compiled.assumed,
        integrated=_integrated(compiled, answer),
        other_priors=other_priors,
        swings=answer.swings if answer else (),
        standard_error=answer.p_none_left.standard_error if answer else 0.0,
        method=f"{average.method}; {answer.method}" if answer else average.method,
        discarded=average.discarded,
        draws=answer.draws if answer else 0,
        ess=answer.ess if answer else 0.0,
        warning=answer.warning if answer else "",
    )


def _integrated(compiled: Compiled, answer: UnknownAnswer | None) -> tuple[Integrated, ...]:
    if answer is None:
        return ()
    out = []
    for name, found in answer.parameters.items():
        low, high = (float(compiled.priors[name].value(np.array([z]))[0]) for z in (-700.0, 700.0))
        out.append(Integrated(name, low, high, found))
    return tuple(out)


def _other_priors(account: Account, loglik: float, average: Average, others: Sequence[float]) -> tuple[OtherPrior, ...]:
    """P(none left) with other priors that nothing was undeclared."""
    joint = nothing_and_none(account, loglik, _TOLERANCE)
    out = []
    for none in others:
        zero, more = prior_ratios(account, none)
        top = zero * joint + more * max(average.p_none_left - joint, 0.0)
        bottom = zero * average.p_nothing_undeclared + more * (1 - average.p_nothing_undeclared)
        if bottom > 0:
            out.append(OtherPrior(none, min(top / bottom, 1.0)))
    return tuple(out)


def _row(compiled: Compiled, values: Mapping[str, float], place: int, loglik: float, since: date) -> LookRow:
    """What one look contributes: the account without it, and how likely a count as far out was."""
    account = compiled.account(values)
    others = replace(account, looks=tuple(k for n, k in enumerate(account.looks) if n != place))
    without, none_left, _, _ = one_pass(others, _ROW_TOLERANCE)
    surprise = _surprise(account, others, place, (loglik, without), _ROW_TOLERANCE)
    if surprise is not None and surprise < 100 * _ROW_TOLERANCE:
        finer = one_pass(account, _FINEST)[0], one_pass(others, _FINEST)[0]
        surprise = _surprise(account, others, place, finer, _FINEST)
    staged = compiled.looks[place]
    return LookRow(staged, tuple(since + timedelta(days=d) for d, _ in staged.days), none_left, surprise)


def _surprise(account: Account, others: Account, place: int, logs: tuple[float, float], tolerance: float) -> float | None:
    """The probability of a count as far out, either way. `logs`: log likelihoods of the account, and without the look."""
    look = account.looks[place]
    if look.bounds is not None or logs[1] == -inf:
        return None
    right = replace(look, trust=1.0)
    same = logs[0] if look.trust == 1 else one_pass(replace(others, looks=(*others.looks, right)), tolerance)[0]
    no_more = one_pass(replace(others, looks=(*others.looks, replace(right, bounds=(0, look.counts[0][1])))), tolerance)[0]
    exactly, below = float(np.exp(same - logs[1])), min(float(np.exp(no_more - logs[1])), 1.0)
    return min(1.0, 2 * max(min(below, 1 - below + exactly), exactly / 2))


def _days(pmfs: Sequence[Array], since: date) -> tuple[StockDay, ...]:
    out = []
    for day, pmf in enumerate(pmfs):
        low, middle, high = _points(pmf)
        mean = float(np.arange(len(pmf)) @ pmf)
        out.append(StockDay(day, since + timedelta(days=day), mean, low, middle, high, float(pmf[0])))
    return tuple(out)


def _points(pmf: Array) -> tuple[int, int, int]:
    sums = np.cumsum(pmf / pmf.sum())
    low, middle, high = (min(int(np.searchsorted(sums, p - 1e-12)), len(pmf) - 1) for p in _POINTS)
    return low, middle, high


def _triple(pmf: Array) -> tuple[float, float, float]:
    low, middle, high = _points(pmf)
    return float(low), float(middle), float(high)


# ------------------------------------------------------------------------------------------------- from reports to sightings


def _compiled(inquiry: Inquiry, claim: Claim, weighed: Sequence[Weighed]) -> tuple[Compiled, list[Entry]]:
    plan = plan_of(inquiry, claim)
    entries, _ = entries_of(inquiry, claim, weighed)
    declarations = sorted((e for e in entries if e.kind == "declared"), key=lambda e: (e.at, e.known, e.low, e.report))
    reader = _Reader(inquiry, claim, plan, weighed, {e.report for e in declarations})
    sightings = [s for s in map(reader.sighting, reader.reports()) if s is not None]
    last_day = (_local(inquiry, inquiry.on) - reader.since).days
    declared = round(declarations[-1].low) if declarations else None
    compiled = compile_account(plan, sightings, declared, last_day, reader.wanted)
    earlier = [Unused(e.report, f"an earlier declaration; {declarations[-1].report} stands") for e in declarations[:-1]]
    return replace(compiled, unused=(*earlier, *reader.unused, *compiled.unused)), declarations


class _Reader:
    """What each report of a number says of the stages, and why others say nothing."""

    def __init__(self, inquiry: Inquiry, claim: Claim, plan: Plan, weighed: Sequence[Weighed], declared: set[str]) -> None:
        assert claim.quantity is not None
        self.inquiry, self.claim, self.plan, self.declared = inquiry, claim, plan, declared
        self.file = inquiry.case.evidence
        self.items = self.file.members(claim.quantity.item)
        self.since = _since(inquiry, plan)
        self.weighed = {w.report.id: w for w in weighed}
        self.bearings = inquiry.view.bearing(claim.id)
        self.owed_by = frozenset(d.owed.by for d, _ in inquiry.duties_of(claim))
        self.weights = Weights.of(inquiry.agreement.weighing)
        self.wanted = {s.id: self._within(s.places) for s in plan.stages}
        self.unused: list[Unused] = []

    def reports(self) -> Iterator[Report]:
        """Reports of a number of the items, not after the date asked about, that are no declaration of the number."""
        for report in self.inquiry.view.of_items(self.items):
            numbered = report.number is not None or report.high is not None
            mine = report.table == TABLE and report.id not in self.declared
            if mine and numbered and report.starts.first <= self.inquiry.on:
                yield report

    def sighting(self, report: Report) -> Sighting | None:
        """The report as a sighting, or None with a word in `unused`."""
        days = self._days(report)
        found = self._stage(report) if isinstance(days, tuple) else days
        worth = likelihood_ratio(self._grade(report), self.weights.overrides)
        why = self._no_look(report) or (days if isinstance(days, str) else "") or (found if isinstance(found, str) else "")
        if not why and worth.low < 1:
            why = f"its grade ({report.grade.text or 'none'}) cannot carry a number"
        low = round(report.number or 0)
        high = round(report.count) if report.count is not None else None if report.high is None else round(report.high)
        if not why and low == 0 and high is None:
            why = "at least none says nothing"
        if why or isinstance(days, str) or isinstance(found, str):
            self.unused.append(Unused(report.id, why))
            return None
        stage, leaving = found
        cluster, joined = self._cluster(report)
        return Sighting(
            report=report.id,
            stage=stage.id,
            days=days,
            low=low,
            high=high,
            method=report.method,
            observer=report.who,
            at=report.ends.last,
            known=report.known.last,
            trust=trust_of(worth),
            leaving=leaving,
            ship=report.vessel,
            places=frozenset() if leaving else self._within(self.file.places_of(report.place)),
            cluster=cluster,
            joined=joined,
            where=_where(report),
        )

    def _no_look(self, report: Report) -> str:
        inquiry = self.inquiry
        if is_statement(report, inquiry.agreement.vocabulary):
            if any(said_by(report, p, inquiry.agreement.parties) for p in self.owed_by):
                return "the word of the party that owes: a declaration, not a look"
            return "somebody's word, not a look"
        if report.method not in self.plan.methods:
            return f"{_where(report)}: the account does not say how likely {report.method or 'no method'} detects an item"
        return ""

    def _grade(self, report: Report) -> Grade:
        weighed = self.weighed.get(report.id)
        return report.grade if report.grade.text or weighed is None else weighed.grade

    def _days(self, report: Report) -> tuple[tuple[int, float], ...] | str:
        first, last = _local(self.inquiry, report.starts.first), _local(self.inquiry, report.ends.last)
        last = min(last, _local(self.inquiry, self.inquiry.on))
        if last < self.since:
            return f"{_where(report)}: its day, {last}, is before the first, {self.since}"
        start, end = max((first - self.since).days, 0), (last - self.since).days
        if end - start >= MOST_DAYS_UNSURE:
            return f"{_where(report)}: it may be of any of {end - start + 1} days; narrow them to {MOST_DAYS_UNSURE}"
        return tuple((day, 1 / (end - start + 1)) for day in range(start, end + 1))

    def _stage(self, report: Report) -> tuple[StagePlan, bool] | str:
        named = self.file.places_of(report.place)
        seen = self._within(named)
        fits = [s for s in self.plan.stages if report.stage in s.report_stages or (not s.report_stages and s.places)]
        here = [s for s in fits if not self.wanted[s.id] or self.wanted[s.id] & seen]
        if len(here) > 1:
            return f"it looks at {' and '.join(s.title for s in here)} together"
        if here:
            return here[0], False
        if report.stage in self.plan.departures:
            return self.plan.stages[-1], True
        if not fits:
            return f"{_where(report)}: {report.stage or 'no stage'} is no stage of the account"
        if not named:
            return f"{_where(report)}: {report.place or 'no place'} is not in places.csv"
        return f"{report.place} is no place of {' or '.join(s.title for s in fits)}"

    def _within(self, places: Sequence[str]) -> frozenset[str]:
        """The innermost places that lie in some places."""
        file = self.file
        outer = {p.within for p in file.places.values() if p.within}
        return frozenset(p for p in file.places if p not in outer and set(places) & set(file.around(p)))

    def _cluster(self, report: Report) -> tuple[str, bool]:
        """What it is one sighting with, and whether an analyst said so."""
        bearing: Bearing | None = self.bearings.get(report.id)
        seen = {report.id}
        while bearing is not None and (
            restated := [r for r in bearing.restates if r in self.inquiry.view.reports and r not in seen]
        ):
            origin = min((self.inquiry.view.reports[r] for r in restated), key=lambda r: (r.known.last, r.id))
            seen.add(origin.id)
            report, bearing = origin, self.bearings.get(origin.id)
        if bearing is not None and bearing.cluster:
            return bearing.cluster, True
        return default_cluster(report), len(seen) > 1


def _where(report: Report) -> str:
    return f"reports/{report.table}.csv:{report.line}"


def _local(inquiry: Inquiry, at: datetime) -> date:
    return at.astimezone(inquiry.case.tz).date()


def _since(inquiry: Inquiry, plan: Plan) -> date:
    return _local(inquiry, inquiry.read(plan.since).first)
