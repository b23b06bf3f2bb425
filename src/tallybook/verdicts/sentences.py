"""Verdicts and explanations in sentences."""

from __future__ import annotations

from collections.abc import Callable

from tallybook.core.explanation import Because
from tallybook.core.time import written
from tallybook.verdicts.finding import Finding
from tallybook.verdicts.inquiry import EVERYONE, Inquiry
from tallybook.verdicts.ladder import Strength, Word

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


def said(finding: Finding) -> str:
    """The verdict in one sentence, as it is told to whoever it was made for: what they may see is what it rests on."""
    return f"On what {finding.reader} may see: {in_words(finding)}" if finding.reader else in_words(finding)


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
    # That module takes its head from in_words above.
    from tallybook.verdicts.because import explain as tree_of

    return tree_of(inquiry, finding)


def sentences(tree: Because, quote: Callable[[str], str] = str) -> list[str]:
    """The tree in indented sentences."""
    return [quote(line) for line in tree.lines()]


def known_by(inquiry: Inquiry) -> str:
    """The question in words: the date asked about, what was known by, and to whom."""
    tz, question = inquiry.case.tz, inquiry.question
    to = f" as far as {question.side} could know" if question.side else ""
    to += f", on what {question.reader} may see" if question.reader != EVERYONE else ""
    return f"on {written(question.on, tz)}, as known by {written(question.known, tz)}{to}"
