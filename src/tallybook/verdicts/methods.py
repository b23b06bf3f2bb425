"""Which of the methods that a proof requires are met by the reports at hand, and which are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallybook.agreement.claim import Match
from tallybook.agreement.provision import Duty, Proof, method_names
from tallybook.verdicts.inquiry import Inquiry
from tallybook.verdicts.weigh import Weighed, matches


@dataclass(frozen=True, slots=True)
class Requirement:
    """A standard of proof: its name, the bound to reach, the tree of methods and the question that each answers."""

    name: str
    at_least: float
    tree: Any
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class MethodsFound:
    """Methods met, with the reports that meet each, and methods missing (alternatives joined by "or").

    `in_part`: methods for the whole that only reports of parts meet, and not of every part. They verify nothing.
    """

    met: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    in_part: tuple[str, ...]
    all_met: bool


def requirement(inquiry: Inquiry, duties: Sequence[Duty]) -> Requirement | None:
    """What the agreement requires as proof of the first of these duties that says so, as it stands at `on`."""
    for duty in duties:
        proof = inquiry.in_force.provisions.get(duty.proof.lstrip("@")) if duty.proof else None
        if isinstance(proof, Proof) and proof.id not in inquiry.in_force.repealed and inquiry.enacted(proof):
            name = duty.standard or proof.standard
            if name:
                return Requirement(name, inquiry.agreement.standards[name].at_least, proof.methods, proof)
    return None


def methods_found(
    inquiry: Inquiry, tree: Any, reports: Iterable[Weighed], places: Sequence[str], question: str | None = None
) -> MethodsFound:
    """Hold the reports for a claim against a tree of methods; `question` keeps to the methods that answer it.

    A method for the whole is met by a report of the whole, or by reports of parts that cover all of `places`.
    """
    usable = [w for w in reports if w.ratio is not None and not w.is_word]
    met: dict[str, tuple[str, ...]] = {}
    wanted = [n for n in method_names(tree) if question is None or asks(inquiry, n, question)]
    for name in wanted:
        if found := _reports_meeting(inquiry, name, usable, set()):
            met[name] = found
    by_id = {w.report.id: w for w in usable}
    in_part = tuple(
        name
        for name, ids in met.items()
        if asks(inquiry, name, "completeness") and not _of_the_whole(inquiry, [by_id[i] for i in ids], places)
    )
    missing = _missing(inquiry, tree, met, question)
    short = _missing(inquiry, tree, {name: ids for name, ids in met.items() if name not in in_part}, question)
    return MethodsFound(met, tuple(missing), in_part if short != missing else (), not short and bool(wanted))


def _of_the_whole(inquiry: Inquiry, reports: Sequence[Weighed], places: Sequence[str]) -> bool:
    if any(w.whole for w in reports):
        return True
    file = inquiry.case.evidence
    covered = {place for w in reports for place in file.places_of(w.report.place)}
    return bool(places) and all(covered & set(file.around(place)) for place in places)


def asks(inquiry: Inquiry, name: str, question: str) -> bool:
    """Whether a method is named for a question (correctness: for counting; completeness: for the whole)."""
    method = inquiry.in_force.provisions.get(name)
    return isinstance(method, Proof) and (method.question or "completeness") == question


def _match_of(inquiry: Inquiry, method: Proof) -> Match:
    key = ("met by", method.id)
    if key not in inquiry.memo:
        inquiry.memo[key] = Match.model_validate(method.met_by)
    found: Match = inquiry.memo[key]
    return found


def _reports_meeting(inquiry: Inquiry, name: str, usable: Sequence[Weighed], seen: set[str]) -> tuple[str, ...]:
    method = inquiry.in_force.provisions.get(name)
    if not isinstance(method, Proof) or name in seen or name in inquiry.in_force.repealed:
        return ()
    found: list[str] = []
    if method.met_by is not None:
        match = _match_of(inquiry, method)
        found += [w.report.id for w in usable if matches(match, w.report, inquiry.view, inquiry.agreement.parties)]
    for other in method.includes:
        found += _reports_meeting(inquiry, other, usable, {*seen, name})
    return tuple(dict.fromkeys(found))


def _missing(inquiry: Inquiry, tree: Any, met: dict[str, tuple[str, ...]], question: str | None) -> list[str]:
    if tree is None:
        return []
    if isinstance(tree, str):
        relevant = question is None or asks(inquiry, tree, question)
        return [tree] if relevant and tree not in met else []
    kind, branches = next(iter(tree.items()))
    gaps = [_missing(inquiry, branch, met, question) for branch in branches]
    if kind == "all":
        return [name for gap in gaps for name in gap]
    relevant_gaps = [
        gap
        for gap, branch in zip(gaps, branches, strict=True)
        if question is None or any(asks(inquiry, n, question) for n in method_names(branch))
    ]
    if not relevant_gaps or any(not gap for gap in relevant_gaps):
        return []
    return [" or ".join(" and ".join(gap) for gap in relevant_gaps)]


def means_of(inquiry: Inquiry, reports: Iterable[Weighed]) -> list[str]:
    """By whose means the evidence was got: national, cooperative, international."""
    methods = inquiry.agreement.vocabulary.methods
    found = {methods[w.report.method].means for w in reports if w.ratio is not None and w.report.method in methods}
    return [name for name in ("national", "cooperative", "international") if name in found]
