"""The explanation tree of a verdict. Every step has the facts its rule needs, so that another program can re-apply it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tallybook.agreement.claim import Claim
from tallybook.agreement.grounds import AGREEMENT
from tallybook.agreement.provision import Duty
from tallybook.core.bounds import Bounds
from tallybook.core.explanation import Because
from tallybook.core.time import duration, shifted
from tallybook.evidence.grade import likelihood_ratio
from tallybook.evidence.report import Report
from tallybook.verdicts.finding import Finding
from tallybook.verdicts.inquiry import Begun, Inquiry
from tallybook.verdicts.ladder import Side, word
from tallybook.verdicts.on_record import because, question, stamp
from tallybook.verdicts.reviewed import exhibit_steps, reviewed
from tallybook.verdicts.sentences import in_words
from tallybook.verdicts.weigh import Cluster, Weighed, Weights, matches

MOST_CITED = 5
"""So many reports are shown of each method that is met, and of each place looked at one."""


def explain(inquiry: Inquiry, finding: Finding) -> Because:
    """The explanation of a verdict."""
    return _Teller(inquiry, finding, Weights.of(inquiry.agreement.weighing)).tell()


def _pair(bounds: Bounds | None) -> list[float] | None:
    return None if bounds is None else [bounds.low, bounds.high]


@dataclass(frozen=True, slots=True)
class _Teller:
    inquiry: Inquiry
    finding: Finding
    weights: Weights

    @property
    def claim(self) -> Claim:
        return self.finding.claim

    def tell(self) -> Because:
        """The whole tree."""
        finding = self.finding
        steps = (
            self._side("for", finding.for_),
            self._side("against", finding.against),
            self._word(),
            self._group("baseline", "What was so before the duty began is baseline, not evidence against.", self._baseline()),
            self._group("neither", "Read, and for neither side.", [w for w in finding.weighed if w.bears == "neither"]),
            self._coverage(),
            self._meaning(),
            self._standard(),
            self._methods(),
            self._account(),
            self._duties(),
        )
        label = finding.verdict.value.upper() if finding.verdict else finding.state.upper()
        head = f"{label}: {in_words(finding)}"
        children = tuple(step for step in steps if step is not None)
        if not children:
            return Because("ladder", head, quote=self.claim.says, instrument=AGREEMENT, facts=self._ladder())
        return Because("ladder", head, children, facts=self._ladder())

    def _ladder(self) -> dict[str, Any]:
        finding, needed = self.finding, self.finding.requirement
        return {
            "for": finding.for_.bounds.as_list(),
            "against": finding.against.bounds.as_list(),
            "prior": self.weights.prior.as_list(),
            "for_side": finding.for_.strength.value,
            "against_side": finding.against.strength.value,
            "good_evidence": finding.good_evidence,
            **question(self.inquiry),
            "claim": self.claim.id,
            "verdict": finding.verdict.value if finding.verdict else None,
            "state": finding.state,
            "about": finding.about,
            "table": word(finding.for_, finding.against).value,
            "duties": [duty.id for duty, _ in finding.duties],
            "standard": needed.name if needed else None,
            "at_least": needed.at_least if needed else None,
            "methods_met": finding.methods.all_met,
            "covered": finding.coverage.complete if finding.coverage else None,
            "correctness": finding.correctness.value if finding.correctness else None,
            "completeness": finding.completeness.value if finding.completeness else None,
            "readings": dict(finding.readings),
        }

    def _side(self, name: str, side: Side) -> Because | None:
        shown = [c for c in side.clusters if not c.is_word]
        if not shown:
            return None
        low, high = side.bounds.low, side.bounds.high
        moving, good = len(side.independent), self.finding.good_evidence
        says = (
            f"The side {name} is {side.strength.value}: {_times(moving, 'independent cluster')} "
            f"move{'s' if moving == 1 else ''} it to between {low:.2f} and {high:.2f} (good evidence is {good:g})."
        )
        facts = {"prior": _pair(self.weights.prior), "bounds": [low, high], "moving": moving, "strength": side.strength.value}
        return Because(f"side-{name}", says, tuple(self._cluster(c) for c in shown), facts=facts)

    def _cluster(self, cluster: Cluster) -> Because:
        leaves = tuple(self._report(w) for w in cluster.members)
        if cluster.ratio is None:
            worth = "has no direction (its grade cannot carry it, or it has faded)"
        else:
            worth = f"multiplies the odds by {cluster.ratio.low:.2g} to {cluster.ratio.high:.3g}"
        extent = "of the whole" if cluster.whole else "of a part"
        if len(leaves) == 1:
            leaf = leaves[0]
            says = f"{leaf.says} It is a report {extent} and {worth}."
            return Because(leaf.rule, says, leaf.children, report=leaf.report, facts=leaf.facts)
        says = f"{len(leaves)} reports of one thing by one source, counted once; {extent}, {worth}."
        facts = {"cluster": cluster.name, "ratio": _pair(cluster.ratio), "whole": cluster.whole}
        return Because("cluster", says, leaves, facts=facts)

    def _report(self, item: Weighed) -> Because:
        report = item.report
        grade = report.grade.text or "ungraded"
        by = f", read so by {item.bearing.by}" if item.bearing else ""
        says = f"{report.id} ({grade}, {_span(report)}, known {report.known.text}): {report.statement} [{item.why}{by}]"
        full = likelihood_ratio(item.grade, self.weights.overrides, self.weights.scale)
        facts: dict[str, Any] = {
            "known": report.known.text,
            "grade": report.grade.text,
            "counted_grade": item.grade.text,
            "bears": item.bears,
            "whole": item.whole,
            "state": item.state,
            "cluster": item.cluster,
            "counts_as": item.counts_as,
            "days": item.days,
            "full": _pair(full),
            "ratio": _pair(item.ratio),
            "word": item.is_word,
            "baseline": item.is_baseline,
            "read_by": self._read_by(item),
        }
        said = reviewed(self.inquiry, self.claim.id, item)
        if said is not None:
            facts["review"] = said.facts()
            says += said.in_words()
        return Because("report", says, exhibit_steps(self.inquiry, report), report=report.id, facts=facts)

    def _read_by(self, item: Weighed) -> dict[str, Any]:
        """The bearing, or the rule of the case (counted from 0), by which a report was read."""
        if (bearing := item.bearing) is not None:
            refers_to = bearing.refers_to.text if bearing.refers_to else ""
            return {"by": bearing.by, "reviewed_by": bearing.reviewed_by, "known": bearing.known.text, "refers_to": refers_to}
        view, parties = self.inquiry.view, self.inquiry.agreement.parties
        rules = enumerate(self.claim.rules)
        return {"rule": next((n for n, rule in rules if matches(rule.when, item.report, view, parties)), None)}

    def _group(self, rule: str, says: str, items: Sequence[Weighed]) -> Because | None:
        if not items:
            return None
        return Because(rule, says, tuple(self._report(w) for w in items), facts={"reports": len(items)})

    def _word(self) -> Because | None:
        items = [w for w in self.finding.weighed if w.is_word and w.bears != "neither" and not w.is_baseline]
        return self._group("word", "The word of the party that owes; never an independent cluster.", items)

    def _baseline(self) -> list[Weighed]:
        return [w for w in self.finding.weighed if w.is_baseline]

    def _meaning(self) -> Because | None:
        finding = self.finding
        if not finding.reading_reasons:
            return None
        term = next((duty.covers for duty, _ in finding.duties if duty.covers), None)
        facts: dict[str, Any] = {"reasons": list(finding.reading_reasons), "term": None, "item": None, "covers": None}
        if self.claim.item is not None and term is not None and finding.about == "meaning" and not self._open_words():
            covers = self.inquiry.covers(term, self.claim.item).truth.value
            rivals = list(self.inquiry.rival_readings(term, self.claim.item))
            facts |= {"term": term, "item": self.claim.item, "covers": covers, "rivals": rivals}
        quote = next((q for d, _ in finding.duties for q in self.inquiry.quotes(d.text)), None)
        name, words = quote or (AGREEMENT, self.claim.says)
        return Because("meaning", "; ".join(finding.reading_reasons), quote=words, instrument=name, facts=facts)

    def _open_words(self) -> bool:
        """Whether the verdict is unclear by what the case itself calls open."""
        about = [duty for duty, _ in self.finding.duties if self.claim.id in duty.claims]
        named = [self.claim.open, *(duty.open for duty in about if isinstance(duty.open, str))]
        return self.finding.reading_reasons[0] in [text for text in named if text]

    def _coverage(self) -> Because | None:
        found, wanted = self.finding.coverage, self.claim.coverage
        if found is None or wanted is None:
            return None
        facts: dict[str, Any] = {"looked": list(found.looked), "partly": list(found.partly), "not_looked": list(found.not_looked)}
        told = [f"{name.replace('_', ' ')}: {', '.join(places)}" for name, places in facts.items() if places]
        says = f"Coverage within {wanted.within}: {'; '.join(told)}."
        facts |= {"within": wanted.within, "by": list(wanted.by), "complete": found.complete}
        facts["gaps"] = [[gap.place, gap.start, gap.end] for gap in found.gaps]
        leaves = tuple(self._look(place, r) for place in found.looked if (r := self._newest_look(place)) is not None)
        if not leaves:
            return Because("coverage", says, quote=self.claim.says, instrument=AGREEMENT, facts=facts)
        return Because("coverage", says, leaves, facts=facts)

    def _look(self, place: str, report: Report) -> Because:
        says = f"{place} was looked at by {report.id}, {_span(report)}, {report.method}."
        return Because("look", says, report=report.id, facts={"place": place})

    def _newest_look(self, place: str) -> Report | None:
        wanted, file, on = self.claim.coverage, self.inquiry.case.evidence, self.inquiry.question.on
        if wanted is None:
            return None
        oldest, around = shifted(on, -duration(wanted.within)), set(file.around(place))
        looks = [
            r
            for r in self.inquiry.view.reports.values()
            if r.method in wanted.by and (r.stage or r.number is not None) and r.ends.last >= oldest and r.starts.first <= on
            if around & set(file.places_of(r.place))
        ]
        return max(looks, key=lambda r: (r.ends.last, r.id), default=None)

    def _standard(self) -> Because | None:
        needed = self.finding.requirement
        if needed is None or needed.proof is None:
            return None
        reached = self.finding.for_.bounds.low >= needed.at_least
        text = self.inquiry.agreement.standards[needed.name].text
        told = "reached" if reached else "not reached"
        says = f"The agreement requires the standard {needed.name}, {needed.at_least:g}: {told}."
        bound = self.finding.for_.bounds.low
        facts = {"name": needed.name, "at_least": needed.at_least, "bound": bound, "reached": reached, "proof": needed.proof.id}
        leaves = _quotations([*self.inquiry.quotes(needed.proof.text), *self.inquiry.quotes(text)])
        if not leaves:
            return Because("standard", says, quote=needed.name, instrument=AGREEMENT, facts=facts)
        return Because("standard", says, leaves, facts=facts)

    def _methods(self) -> Because | None:
        needed, found = self.finding.requirement, self.finding.methods
        if needed is None or needed.proof is None or not (found.met or found.missing):
            return None
        leaves = tuple(
            Because(
                "method-met",
                f"{name} is met {'in part ' if name in found.in_part else ''}by {report}.",
                report=report,
                facts={"method": name, "in_part": name in found.in_part},
            )
            for name, reports in found.met.items()
            for report in reports[:MOST_CITED]
        )
        missing = f" Missing: {', '.join(found.missing)}." if found.missing else ""
        says = f"Methods that the proof requires.{missing}"
        facts = {
            "tree": needed.tree,
            "question": None if self.claim.quantity else "completeness",
            "met": {name: list(reports) for name, reports in found.met.items()},
            "missing": list(found.missing),
            "in_part": list(found.in_part),
            "all_met": found.all_met,
        }
        leaves = leaves or _quotations(self.inquiry.quotes(needed.proof.text))
        if not leaves:
            return Because("methods", says, quote=needed.proof.id, instrument=AGREEMENT, facts=facts)
        return Because("methods", says, leaves, facts=facts)

    def _account(self) -> Because | None:
        books, wanted = self.finding.account, self.claim.quantity
        if books is None or wanted is None or not books.reports:
            return None
        unit = wanted.units or wanted.unit
        declared = "not declared" if books.declared is None else f"{books.declared:g} declared"
        low, middle, high = books.removed
        says = f"Quantity: {declared}; shown to be out {middle:g} (between {low:g} and {high:g}) {unit}"
        if books.remaining is not None and books.p_none_left is not None:
            low, middle, high = books.remaining
            says += f"; left {middle:g} ({low:g} to {high:g}); P(none left) {books.p_none_left:.2f}"
        facts = {
            "item": wanted.item,
            "declared": books.declared,
            "removed": list(books.removed),
            "remaining": list(books.remaining) if books.remaining else None,
            "p_declared_removed": books.p_declared_removed,
            "p_none_left": books.p_none_left,
            "correctness": self.finding.correctness.value if self.finding.correctness else None,
            "completeness": self.finding.completeness.value if self.finding.completeness else None,
        }
        leaves = tuple(Because("count", f"{name} gives a number.", report=name) for name in books.reports)
        return Because("quantity", says + ".", leaves, facts=facts)

    def _duties(self) -> Because | None:
        children = tuple(self._duty(duty, begun) for duty, begun in self.finding.duties)
        facts = {"asked": [reference.lstrip("@") for reference in self.claim.duty]}
        return Because("duties", "What is owed here.", children, facts=facts) if children else None

    def _duty(self, duty: Duty, begun: Begun) -> Because:
        first, last = stamp(self.inquiry, begun.since.first), stamp(self.inquiry, begun.since.last)
        day = begun.since.first.astimezone(self.inquiry.case.tz).date() if first else "its making"
        says = f"@{duty.id}, owed by {duty.owed.by} to {duty.owed.to}, in force since {day} ({begun.reason})."
        leaves = _quotations(self.inquiry.quotes(duty.text))
        if duty.in_force and last:
            leaves = (*leaves, because(self.inquiry, duty.in_force, begun.since.last))
        facts = {"duty": duty.id, "by": duty.owed.by, "to": duty.owed.to, "since": [first, last], "covers": duty.covers}
        facts["reason"] = begun.reason
        if not leaves:
            return Because("duty", says, quote=duty.id, instrument=AGREEMENT, facts=facts)
        return Because("duty", says, leaves, facts=facts)


def _quotations(quotes: Sequence[tuple[str, str]]) -> tuple[Because, ...]:
    return tuple(Because("quotation", f'{name}: "{words}"', quote=words, instrument=name) for name, words in quotes)


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _span(report: Report) -> str:
    if report.starts.text == report.ends.text:
        return report.ends.text
    return f"{report.starts.text} to {report.ends.text}"
