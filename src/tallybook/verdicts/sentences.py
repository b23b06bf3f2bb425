"""Verdicts in sentences, and the explanation tree; every leaf of it is a report or a quotation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tallybook.core.explanation import Because
from tallybook.core.time import written
from tallybook.evidence.report import Report
from tallybook.verdicts.finding import Finding
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.ladder import Side, Strength, Word
from tallybook.verdicts.weigh import Cluster, Weighed, Weights

_SAYS = {
    Word.NO_EVIDENCE: "No evidence for or against the claim that {}",
    Word.CLAIMED: "Claimed by the party that owes it, and by nobody else, that {}",
    Word.INDICATED: "Some evidence, short of good evidence, that {}",
    Word.SUPPORTED: "Good evidence that {}",
    Word.VERIFIED: "Verified by the required proof that {}",
    Word.DISPUTED: "Good evidence both for and against the claim that {}",
    Word.CONTRADICTED: "Good evidence against the claim that {}",
}


def in_words(finding: Finding) -> str:
    """The verdict in one sentence, with the claim and what is short."""
    says = finding.claim.says
    if finding.verdict is None:
        return f"Under this reading nothing is owed here: {'; '.join(finding.reading_reasons)}."
    if finding.about == "meaning" and finding.readings:
        told = ", ".join(f"{name}: {word}" for name, word in finding.readings.items())
        return f"Disputed in meaning: whether it is owed that {says} ({told})."
    if finding.about == "meaning":
        return f"Unclear, because the meaning is open: {'; '.join(finding.reading_reasons)}."
    if finding.verdict is Word.UNCLEAR:
        return f"Unclear whether {says}: {_unclear(finding)}."
    return f"{_SAYS[finding.verdict].format(says)}{_short_of(finding)}."


_HAS = {
    Strength.NONE: "nothing",
    Strength.WORD_ONLY: "only the word of the party that owes",
    Strength.WEAK: "weak evidence",
    Strength.STRONG: "good evidence",
}


def _unclear(finding: Finding) -> str:
    return f"{_HAS[finding.for_.strength]} for, {_HAS[finding.against.strength]} against"


def _short_of(finding: Finding) -> str:
    if finding.verdict is not Word.SUPPORTED or finding.requirement is None:
        return ""
    parts = []
    if finding.correctness:
        if finding.correctness is not Word.VERIFIED:
            parts.append(f"whether what was declared is out is {finding.correctness.value}")
        if finding.completeness and finding.completeness is not Word.VERIFIED:
            parts.append(f"whether that was all there was is {finding.completeness.value}")
    if finding.methods.missing:
        parts.append(f"the required proof lacks {', '.join(finding.methods.missing)}")
    if finding.methods.in_part:
        parts.append(f"only parts were shown by {', '.join(finding.methods.in_part)}")
    if not finding.methods.missing and finding.for_.bounds.low < finding.requirement.at_least:
        parts.append(f"below the standard {finding.requirement.name} ({finding.requirement.at_least:g})")
    return "; not verified, because " + " and ".join(parts) if parts else ""


def explain(inquiry: Inquiry, finding: Finding) -> Because:
    """The explanation of a verdict."""
    children = [
        node
        for node in (
            _side_node("for", finding.for_, finding),
            _side_node("against", finding.against, finding),
            _word_node(finding),
            _baseline_node(finding),
            _neither_node(finding),
            _meaning_node(inquiry, finding),
            _standard_node(inquiry, finding),
            _methods_node(inquiry, finding),
            _account_node(finding),
            _duty_node(inquiry, finding),
        )
        if node is not None
    ]
    facts = {
        "for": finding.for_.bounds.as_list(),
        "against": finding.against.bounds.as_list(),
        "prior": Weights.of(inquiry.agreement.weighing).prior.as_list(),
        "for_side": finding.for_.strength.value,
        "against_side": finding.against.strength.value,
        "good_evidence": finding.good_evidence,
    }
    head = f"{_label(finding)}: {in_words(finding)}"
    if not children:
        return Because("ladder", head, quote=finding.claim.says, instrument="agreement.yaml", facts=facts)
    return Because("ladder", head, tuple(children), facts=facts)


def _label(finding: Finding) -> str:
    return finding.verdict.value.upper() if finding.verdict else finding.state.upper()


def _side_node(name: str, side: Side, finding: Finding) -> Because | None:
    shown = [c for c in side.clusters if not c.is_word]
    if not shown:
        return None
    low, high = side.bounds.low, side.bounds.high
    moving = len(side.independent)
    says = (
        f"The side {name} is {side.strength.value}: {_times(moving, 'independent cluster')} "
        f"move{'s' if moving == 1 else ''} it to between {low:.2f} and {high:.2f} (good evidence is {finding.good_evidence:g})."
    )
    return Because(f"side-{name}", says, tuple(_cluster_node(c) for c in shown))


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _cluster_node(cluster: Cluster) -> Because:
    leaves = tuple(_report_leaf(w) for w in cluster.members)
    if cluster.ratio is None:
        worth = "has no direction (its grade cannot carry it, or it has faded)"
    else:
        worth = f"multiplies the odds by {cluster.ratio.low:.2g} to {cluster.ratio.high:.3g}"
    extent = "of the whole" if cluster.whole else "of a part"
    if len(leaves) == 1:
        leaf = leaves[0]
        return Because(leaf.rule, f"{leaf.says} It is a report {extent} and {worth}.", report=leaf.report)
    return Because("cluster", f"{len(leaves)} reports of one thing by one source, counted once; {extent}, {worth}.", leaves)


def _report_leaf(item: Weighed) -> Because:
    report = item.report
    grade = report.grade.text or "ungraded"
    by = f", read so by {item.bearing.by}" if item.bearing else ""
    says = f"{report.id} ({grade}, {_span(report)}, known {report.known.text}): {report.statement} [{item.why}{by}]"
    return Because("report", says, report=report.id)


def _span(report: Report) -> str:
    if report.starts.text == report.ends.text:
        return report.ends.text
    return f"{report.starts.text} to {report.ends.text}"


def _group(rule: str, says: str, items: Sequence[Weighed]) -> Because | None:
    return Because(rule, says, tuple(_report_leaf(w) for w in items)) if items else None


def _word_node(finding: Finding) -> Because | None:
    items = [w for w in finding.weighed if w.is_word and w.bears != "neither" and not w.is_baseline]
    return _group("word", "The word of the party that owes; never an independent cluster.", items)


def _baseline_node(finding: Finding) -> Because | None:
    items = [w for w in finding.weighed if w.is_baseline]
    return _group("baseline", "What was so before the duty began is baseline, not evidence against.", items)


def _neither_node(finding: Finding) -> Because | None:
    items = [w for w in finding.weighed if w.bears == "neither"]
    return _group("neither", "Read, and for neither side.", items)


def _meaning_node(inquiry: Inquiry, finding: Finding) -> Because | None:
    if not finding.reading_reasons:
        return None
    quote = next((q for d, _ in finding.duties for q in inquiry.quotes(d.text)), None)
    if quote is None:
        return Because("meaning", "; ".join(finding.reading_reasons), quote=finding.claim.says, instrument="agreement.yaml")
    return Because("meaning", "; ".join(finding.reading_reasons), quote=quote[1], instrument=quote[0])


def _leaf_quotes(quotes: Sequence[tuple[str, str]]) -> tuple[Because, ...]:
    return tuple(Because("quotation", f'{name}: "{words}"', quote=words, instrument=name) for name, words in quotes)


def _standard_node(inquiry: Inquiry, finding: Finding) -> Because | None:
    needed = finding.requirement
    if needed is None or needed.proof is None:
        return None
    reached = finding.for_.bounds.low >= needed.at_least
    text = inquiry.agreement.standards[needed.name].text
    says = f"The agreement requires the standard {needed.name}, {needed.at_least:g}: {'reached' if reached else 'not reached'}."
    leaves = _leaf_quotes([*inquiry.quotes(needed.proof.text), *inquiry.quotes(text)])
    return Because("standard", says, leaves) if leaves else None


def _methods_node(inquiry: Inquiry, finding: Finding) -> Because | None:
    if finding.requirement is None or not (finding.methods.met or finding.methods.missing):
        return None
    leaves = tuple(
        Because("method-met", f"{name} is met {'in part ' if name in finding.methods.in_part else ''}by {report}.", report=report)
        for name, reports in finding.methods.met.items()
        for report in reports[:5]
    )
    missing = f" Missing: {', '.join(finding.methods.missing)}." if finding.methods.missing else ""
    proof = finding.requirement.proof
    if not leaves and proof is not None:
        leaves = _leaf_quotes(inquiry.quotes(proof.text))
    return Because("methods", f"Methods that the proof requires.{missing}", leaves) if leaves else None


def _account_node(finding: Finding) -> Because | None:
    books = finding.account
    if books is None or not books.reports:
        return None
    wanted = finding.claim.quantity
    unit = (wanted.units or wanted.unit) if wanted else "items"
    declared = "not declared" if books.declared is None else f"{books.declared:g} declared"
    low, middle, high = books.removed
    says = f"Quantity: {declared}; shown to be out {middle:g} (between {low:g} and {high:g}) {unit}"
    if books.remaining is not None and books.p_none_left is not None:
        low, middle, high = books.remaining
        says += f"; left {middle:g} ({low:g} to {high:g}); P(none left) {books.p_none_left:.2f}"
    leaves = tuple(Because("count", f"{name} gives a number.", report=name) for name in books.reports)
    return Because("quantity", says + ".", leaves)


def _duty_node(inquiry: Inquiry, finding: Finding) -> Because | None:
    children: list[Because] = []
    for duty, begun in finding.duties:
        leaves = _leaf_quotes(inquiry.quotes(duty.text))
        if leaves:
            since = f"in force since {begun.since.first.astimezone(inquiry.case.tz).date()} ({begun.reason})"
            says = f"@{duty.id}, owed by {duty.owed.by} to {duty.owed.to}, {since}."
            children.append(Because("duty", says, leaves))
    return Because("duties", "What is owed here.", tuple(children)) if children else None


def sentences(tree: Because, quote: Callable[[str], str] = str) -> list[str]:
    """The tree in indented sentences."""
    return [quote(line) for line in tree.lines()]


def known_by(inquiry: Inquiry) -> str:
    """The question in words: the date asked about and what was known by."""
    tz = inquiry.case.tz
    return f"on {written(inquiry.question.on, tz)}, as known by {written(inquiry.question.known, tz)}"
