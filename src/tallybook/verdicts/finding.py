"""The verdict on one claim: for and against, the word, the standard, the quantity, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tallybook.agreement.claim import Claim
from tallybook.agreement.provision import Duty as DutyProvision
from tallybook.core.time import duration, shifted
from tallybook.core.truth import Truth
from tallybook.evidence.grade import Grade, likelihood_ratio
from tallybook.holdings.summary import Summary
from tallybook.verdicts.inquiry import EVERYONE, PLAIN, Begun, Inquiry
from tallybook.verdicts.kept import Gap, gaps
from tallybook.verdicts.ladder import Side, Strength, Word, side_of, word
from tallybook.verdicts.methods import MethodsFound, Requirement, means_of, methods_found, requirement
from tallybook.verdicts.pile import Pile, WeighedLater, pile_of
from tallybook.verdicts.quantities import books_of, plan_of
from tallybook.verdicts.readings import readings_of
from tallybook.verdicts.reviewed import MOST_REPORTS, MOST_TRIED, Dissent, dissents, under, unreviewed
from tallybook.verdicts.weigh import Cluster, Duty, Scales, Weighed, Weights, strength

NOT_COVERED = "not covered"
MOST_CITED = 25
"""So many reports of a side are cited on a board; `why` has all of them."""
_LONGEST = timedelta(days=36_525)
_TRIED = ("B3", "B2", "A2", "A1")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where was looked: a place not looked at says nothing, which is not the same as nothing there.

    `gaps`: of what must be maintained, the times since it was owed during which nobody looked.
    """

    looked: tuple[str, ...]
    partly: tuple[str, ...]
    not_looked: tuple[str, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every place was looked at."""
        return not self.partly and not self.not_looked


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a claim at (on, known, reading). `verdict` is None where the reading does not cover the claim.

    `reader` is for whom it was made, blank for everyone cleared: it rests on what they may see.
    """

    claim: Claim
    verdict: Word | None
    state: str
    about: str
    for_: Side
    against: Side
    weighed: Sequence[Weighed]
    requirement: Requirement | None
    methods: MethodsFound
    means: tuple[str, ...]
    good_evidence: float
    account: Summary | None
    correctness: Word | None
    completeness: Word | None
    duties: tuple[tuple[DutyProvision, Begun], ...]
    coverage: Coverage | None
    readings: dict[str, str] = field(default_factory=dict)
    reading_reasons: tuple[str, ...] = ()
    sensitivity: dict[str, str] = field(default_factory=dict)
    would_change: tuple[str, ...] = ()
    unreviewed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dissent: tuple[Dissent, ...] = ()
    reader: str = ""

    def ids(self, bears: str, most: int | None = None) -> list[str]:
        """Ids of the reports on one side (`most` of them), strongest first; what was so before the duty began is left out."""
        if most is not None and isinstance(self.weighed, WeighedLater):
            return [w.report.id for w in self.weighed.strongest(bears, most)]
        items = [w for w in self.weighed if w.bears == bears and not w.is_baseline]
        return [w.report.id for w in sorted(items, key=strength, reverse=True)][:most]

    def strongest(self, most: int) -> list[Weighed]:
        """The reports of both sides, `most` of each, as `ids` gives them."""
        if isinstance(self.weighed, WeighedLater):
            return [w for bears in ("for", "against") for w in self.weighed.strongest(bears, most)]
        names = {name for bears in ("for", "against") for name in self.ids(bears, most)}
        return [w for w in self.weighed if w.report.id in names]


def find(inquiry: Inquiry, claim: Claim) -> Finding:
    """The verdict on a claim, with what would change it and what halving or doubling the table does to it."""
    key = ("full", claim.id)
    if key not in inquiry.memo:
        result = verdict_on(inquiry, claim)
        changed = {}
        for name, scale in (("halved", 0.5), ("doubled", 2.0)):
            other = verdict_on(inquiry, claim, scale)
            changed[name] = str(other.verdict.value if other.verdict else other.state)
        weights = Weights.of(inquiry.agreement.weighing)
        reader = "" if inquiry.question.reader == EVERYONE else inquiry.question.reader
        full = replace(result, sensitivity=changed, would_change=tuple(_would_change(result, weights)), reader=reader)
        inquiry.memo[key] = _with_reviews(inquiry, full)
    found: Finding = inquiry.memo[key]
    return found


def _with_reviews(inquiry: Inquiry, result: Finding) -> Finding:
    """The finding with what is unreviewed among the reports that a board cites, and with every dissent, each tried."""
    if not (inquiry.agreement.weighing.second_reader or inquiry.case.evidence.reviews):
        return result
    claim = result.claim
    marked = unreviewed(inquiry, claim.id, result.strongest(MOST_CITED))
    told = []
    for n, (item, review) in enumerate(dissents(inquiry, claim.id, result.weighed)):
        word = None
        if n < MOST_TRIED and len(inquiry.case.evidence.reports) <= MOST_REPORTS:
            other = verdict_on(under(inquiry, item, review), claim)
            word = str(other.verdict.value if other.verdict else other.state)
        told.append(Dissent(item.report.id, review, word))
    return replace(result, unreviewed=marked, dissent=tuple(told))


def verdict_on(inquiry: Inquiry, claim: Claim, scale: float = 1.0) -> Finding:
    """The verdict on a claim; `scale` halves (0.5) or doubles (2) what the likelihood ratios are worth."""
    key = (scale, claim.id)
    if key not in inquiry.memo:
        inquiry.memo[key] = _verdict_on(inquiry, claim, scale)
    found: Finding = inquiry.memo[key]
    return found


def _verdict_on(inquiry: Inquiry, claim: Claim, scale: float) -> Finding:
    weights = Weights.of(inquiry.agreement.weighing, scale)
    duties = inquiry.duties_of(claim)
    pile = _pile(inquiry, claim, duties, weights)
    coverage = _coverage(inquiry, claim, duties)
    if coverage is not None and not coverage.complete:
        pile = pile.in_part()
    for_, against = pile.side("for"), pile.side("against")
    needed = requirement(inquiry, [duty for duty, _ in duties])
    # What is not counted needs no counting method.
    question = None if claim.quantity else "completeness"
    tree = needed.tree if needed else None
    found = methods_found(inquiry, tree, pile.samples, claim.places, question)
    found = replace(found, met=pile.met(found.met, lambda every: methods_found(inquiry, tree, every, claim.places, question).met))
    books = _account(inquiry, claim, pile, duties)
    asked = _questions(inquiry, claim, needed, pile, books, for_, weights)
    verdict = word(for_, against)
    open_text = claim.open or next((str(d.open) for d, _ in duties if isinstance(d.open, str) and claim.id in d.claims), "")
    if open_text:
        verdict = Word.UNCLEAR
    elif _is_verified(verdict, for_, needed, found, asked, coverage):
        verdict = Word.VERIFIED
    result = Finding(
        claim=claim,
        verdict=verdict,
        state="",
        about="meaning" if open_text else "evidence",
        for_=for_,
        against=against,
        weighed=pile.weighed,
        requirement=needed,
        methods=found,
        means=tuple(means_of(inquiry, pile.directed)),
        good_evidence=weights.good_evidence,
        account=books,
        correctness=asked[0] if asked else None,
        completeness=asked[1] if asked else None,
        duties=tuple(duties),
        coverage=coverage,
        reading_reasons=(open_text,) if open_text else (),
    )
    return _by_reading(inquiry, claim, result, duties, scale)


def _pile(inquiry: Inquiry, claim: Claim, duties: Sequence[tuple[DutyProvision, Begun]], weights: Weights) -> Pile:
    since = duties[0][1].since.first if duties else None
    # A duty known only by what it says, not by when it began, has no baseline.
    owed = Duty(frozenset(d.owed.by for d, _ in duties), since)
    agreement, on = inquiry.agreement, inquiry.question.on
    scales = Scales(claim, on, owed, agreement.parties, agreement.vocabulary, weights)
    return pile_of(readings_of(claim, agreement, inquiry.case.evidence), inquiry.view, scales, inquiry.memo)


def _coverage(inquiry: Inquiry, claim: Claim, duties: Sequence[tuple[DutyProvision, Begun]]) -> Coverage | None:
    wanted = claim.coverage
    if wanted is None:
        return None
    file, on = inquiry.case.evidence, inquiry.question.on
    oldest = shifted(on, -duration(wanted.within))
    full: set[str] = set()
    inner: set[str] = set()
    for named in inquiry.view.looks(wanted.by).places(oldest, on, inquiry.view.known):
        for place in file.places_of(named):
            full.add(place)
            inner.update(file.around(place)[1:])
    looked, partly, missed = [], [], []
    for place in wanted.places:
        if full & set(file.around(place)):
            looked.append(place)
        elif place in inner:
            partly.append(place)
        else:
            missed.append(place)
    since = min((begun.since.first for duty, begun in duties if duty.maintain is not None), default=None)
    unseen = gaps(inquiry, claim, since) if since is not None else ()
    return Coverage(tuple(looked), tuple(partly), tuple(missed), unseen)


def _account(inquiry: Inquiry, claim: Claim, pile: Pile, duties: Sequence[tuple[DutyProvision, Begun]]) -> Summary | None:
    if claim.quantity is None:
        return None
    since = min((begun.since.first for _, begun in duties), default=inquiry.question.on)
    days = (inquiry.question.on - max(since, inquiry.question.on - _LONGEST)).total_seconds() / 86_400
    key = ("books", claim.id)
    if key not in inquiry.memo:
        inquiry.memo[key] = _staged(inquiry, claim, pile) or books_of(inquiry, claim, pile.numbered, days)
    found: Summary = inquiry.memo[key]
    return found


def _staged(inquiry: Inquiry, claim: Claim, pile: Pile) -> Summary | None:
    """The account of stages, where the case gives any and their first day has come."""
    if not plan_of(inquiry, claim).stages:
        return None
    # Loaded only where it is needed.
    from tallybook.verdicts.staged import is_staged, staged_books

    return staged_books(inquiry, claim, pile.numbered) if is_staged(inquiry, claim) else None


def _questions(
    inquiry: Inquiry,
    claim: Claim,
    needed: Requirement | None,
    pile: Pile,
    books: Summary | None,
    for_: Side,
    weights: Weights,
) -> tuple[Word, Word] | None:
    if claim.quantity is None or books is None:
        return None
    tree = needed.tree if needed else None
    bar = needed.at_least if needed else 1.0
    favour = pile.samples
    counted = [w for w in favour if w.counts_as.startswith("removed")]
    counting = methods_found(inquiry, tree, counted, claim.places, "correctness")
    whole = methods_found(inquiry, tree, favour, claim.places, "completeness")
    if not counting.met and not counting.missing and tree is not None:
        counting = methods_found(inquiry, tree, favour, claim.places)
    p_out, none_left = books.p_declared_removed, books.p_none_left
    looks = set(books.reports)
    used = [w for w in pile.numbered if w.bears == "for" and w.counts_as.startswith("removed") and w.report.id in looks]
    counts_enough = counting.all_met and _is_sure(used, books, weights)
    correctness = _correct(books, p_out, bar, counts_enough, for_, weights)
    return correctness, _complete(books, none_left, bar, whole, for_, weights)


def _is_sure(counted: Sequence[Weighed], books: Summary, weights: Weights) -> bool:
    """Whether one count of the whole, or every count of a part, is good evidence by itself (odds of its low ratio)."""

    def good(item: Weighed) -> bool:
        low = likelihood_ratio(item.report.grade, weights.overrides).low
        return low / (1 + low) >= weights.good_evidence

    parts = [w for w in counted if w.counts_as != "removed"]
    whole = [w for w in counted if books.declared is not None and (w.report.number or 0) >= books.declared]
    return any(good(w) for w in whole) or (bool(parts) and all(good(w) for w in parts))


def _correct(books: Summary, p_out: float | None, bar: float, counts_enough: bool, for_: Side, weights: Weights) -> Word:
    if p_out is not None and books.removed[1] > 0:
        if p_out >= bar and counts_enough:
            return Word.VERIFIED
        return Word.SUPPORTED if p_out >= weights.good_evidence else Word.INDICATED
    if books.removed[1] > 0:
        return Word.UNCLEAR
    return Word.CLAIMED if for_.tally.spoken else Word.NO_EVIDENCE


def _complete(books: Summary, none_left: float | None, bar: float, whole: MethodsFound, for_: Side, weights: Weights) -> Word:
    if none_left is not None and books.removed[1] > 0:
        if none_left >= bar and whole.all_met:
            return Word.VERIFIED
        return Word.SUPPORTED if none_left >= weights.good_evidence else Word.UNCLEAR
    if for_.tally.shown:
        return Word.UNCLEAR
    return Word.CLAIMED if for_.strength is Strength.WORD_ONLY else Word.NO_EVIDENCE


def _is_verified(
    verdict: Word,
    for_: Side,
    needed: Requirement | None,
    found: MethodsFound,
    asked: tuple[Word, Word] | None,
    coverage: Coverage | None,
) -> bool:
    if verdict is not Word.SUPPORTED or needed is None or for_.bounds.low < needed.at_least or not found.all_met:
        return False
    if coverage is not None and (not coverage.complete or coverage.gaps):
        return False
    return asked is None or asked == (Word.VERIFIED, Word.VERIFIED)


def _by_reading(
    inquiry: Inquiry, claim: Claim, result: Finding, duties: Sequence[tuple[DutyProvision, Begun]], scale: float
) -> Finding:
    """Readings: not covered under the one asked for, or disputed (meaning) where readings give different words."""
    terms = [duty.covers for duty, _ in duties if duty.covers]
    if claim.item is None or not terms:
        return _by_norms(inquiry, claim, result, duties, scale)
    term = terms[0]
    here = inquiry.covers(term, claim.item)
    if here.truth is Truth.FALSE:
        return replace(result, verdict=None, state=NOT_COVERED, about="meaning", reading_reasons=here.reasons)
    if here.truth is Truth.UNKNOWN:
        return replace(result, verdict=Word.UNCLEAR, about="meaning", reading_reasons=here.reasons)
    rivals = inquiry.rival_readings(term, claim.item)
    if not rivals or result.verdict is None:
        return _by_norms(inquiry, claim, result, duties, scale)
    words = {"covered": result.verdict.value} | dict.fromkeys(rivals, NOT_COVERED)
    reasons = tuple(reason for f in rivals.values() for reason in f.reasons)
    return replace(result, verdict=Word.DISPUTED, about="meaning", readings=words, reading_reasons=reasons)


def _by_norms(
    inquiry: Inquiry, claim: Claim, result: Finding, duties: Sequence[tuple[DutyProvision, Begun]], scale: float
) -> Finding:
    """Readings that read a duty or its proof otherwise: where the word differs under one of them, it is disputed in meaning."""
    names = [name for duty, _ in duties for name in (duty.id, *([duty.proof.lstrip("@")] if duty.proof else ()))]
    rivals = inquiry.readings_of_norms(names) if names else []
    if not rivals or result.verdict is None:
        return result
    words = {PLAIN: result.verdict.value}
    for name in rivals:
        other = verdict_on(inquiry.under(name), claim, scale)
        words[name] = other.verdict.value if other.verdict else other.state
    if len(set(words.values())) == 1:
        return result
    reasons = tuple(f"the reading {name} gives {word}" for name, word in words.items())
    return replace(result, verdict=Word.DISPUTED, about="meaning", readings=words, reading_reasons=reasons)


def _would_change(result: Finding, weights: Weights) -> list[str]:
    """The smallest additions that would give another word, found by trying them."""
    out: list[str] = []
    base = word(result.for_, result.against)
    for name in ("for", "against") if result.about != "meaning" else ():
        for grade in _TRIED:
            changed = _with_one_more(result, name, Grade(grade), weights)
            if changed is not base:
                what = f"one more independent report of the whole {name} the claim, graded {grade} or better"
                out.append(f"{what}: {changed.value}")
                break
    if result.verdict in (Word.SUPPORTED, Word.INDICATED) and result.requirement:
        for missing in result.methods.missing:
            out.append(f"evidence by {missing}, which the required proof names and no report supplies")
    for name in result.methods.in_part:
        out.append(f"evidence by {name} of the whole, or of every part")
    if result.claim.quantity and result.account and result.account.declared is None:
        out.append("a declared number, without which no count says that all are out")
    if result.about == "meaning":
        out.append("a ruling on the meaning, or agreement between the readings")
    if result.coverage and not result.coverage.complete:
        places = ", ".join([*result.coverage.not_looked, *result.coverage.partly])
        out.append(f"a look at {places}")
    if result.coverage and result.coverage.gaps:
        places = ", ".join(dict.fromkeys(gap.place for gap in result.coverage.gaps))
        out.append(f"reports on file of the times when nobody looked at {places}")
    return out


def _with_one_more(result: Finding, name: str, grade: Grade, weights: Weights) -> Word:
    extra = Cluster("one more", (), likelihood_ratio(grade, weights.overrides, weights.scale), True, False)
    sides = {"for": result.for_, "against": result.against}
    sides[name] = side_of(sides[name].tally.and_one(extra), (), weights)
    return word(sides["for"], sides["against"])
