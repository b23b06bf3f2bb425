"""What is wrong with an agreement beyond its form: every rule, over the text at every instant that its changes lead through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tallybook.agreement.provision import Duty
from tallybook.agreement.yamltext import Path
from tallybook.commitments.commitment import commitment
from tallybook.lint import reach, record, references
from tallybook.lint.finding import ORDER, LintFinding
from tallybook.lint.restatement import TRIALS, Compared, Progress, check_restatements, no_progress
from tallybook.lint.stages import Stage, Walk, end_of
from tallybook.verdicts.inquiry import Case

_STAGED: tuple[Callable[[Walk, Stage], Iterator[LintFinding]], ...] = (
    references.dangling,
    references.undefined,
    references.cycles,
    reach.unreachable,
    reach.conflicts,
    record.proof,
    record.vague,
    record.recorded,
)
_WHOLE: tuple[Callable[[Walk], Iterator[LintFinding]], ...] = (
    reach.never_commences,
    record.uses_and_dates,
    record.unmatched,
    record.unused,
)
# What a later change mends was no fault of the agreement that it mends.
_CURABLE = frozenset({"duty-without-proof", "vague-without-ruling", "use-unrecorded", "no-words"})


@dataclass(frozen=True, slots=True)
class Lint:
    """Every finding in the order of the file, up to which instant, and what was compared of each restatement."""

    findings: tuple[LintFinding, ...]
    end: datetime
    stages: int
    restated: tuple[Compared, ...]
    trials: int
    seed: int

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(found.severity == "error" for found in self.findings)


def lint(
    case: Case,
    line_of: Callable[[Path], int],
    on: datetime | None = None,
    trials: int = TRIALS,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Lint:
    """Hold an agreement against every rule (lint_finding.RULES).

    `line_of` gives the line of a path in agreement.yaml; `on` leaves out what is dated or known later (default: all that is
    on file); `trials` and `seed` are for the generated evidence on which restatements are compared.
    """
    end = on or end_of(case)
    walk = Walk(case, line_of, end)
    found = [*_once(walk.broken), *_staged(walk)]
    if not any(f.rule == "cycle" and f.severity == "error" for f in found):
        for rule in _WHOLE:
            found += _guarded(walk, rule(walk))
    restated, differences = check_restatements(walk, trials, seed, progress)
    found += differences
    ordered = sorted(dict.fromkeys(found), key=lambda f: (f.line, ORDER.index(f.severity), f.rule, f.address, f.what))
    return Lint(tuple(ordered), end, len(walk.stages), tuple(restated), trials, seed)


def _once(findings: Iterable[LintFinding]) -> list[LintFinding]:
    """What cannot be put into the text is told at the first instant at which it shows."""
    return list({(f.address, f.what.split(" (")[0]): f for f in reversed(list(findings))}.values())


def _staged(walk: Walk) -> list[LintFinding]:
    """Findings of every stage, each once, with the time for which it holds."""
    held: dict[LintFinding, list[int]] = {}
    for n, stage in enumerate(walk.stages):
        found = list(_guarded(walk, references.cycles(walk, stage)))
        for rule in _STAGED if not any(f.severity == "error" for f in found) else ():
            if not stage.supposed or rule in (references.dangling, references.undefined):
                found += _guarded(walk, rule(walk, stage))
        if not any(f.rule == "cycle" and f.severity == "error" for f in found) and not stage.supposed:
            found += _runs(walk, stage)
        for finding in dict.fromkeys(found):
            held.setdefault(finding, []).append(n)
    return [_dated(walk, finding, stages) for finding, stages in held.items()]


def _runs(walk: Walk, stage: Stage) -> Iterator[LintFinding]:
    """Duties whose life cannot be told because it waits for itself in a way that no rule above has seen."""
    for provision in stage.live:
        if isinstance(provision, Duty) and not provision.claims:
            try:
                commitment(stage.inquiry, provision)
            except RecursionError:
                yield _endless(walk, stage, provision)


def _endless(walk: Walk, stage: Stage, provision: object) -> LintFinding:
    what, do = "its status waits for itself", "let a condition look at an earlier event instead"
    return walk.at_provision(stage, provision, "", "cycle", "error", what, do)


def _guarded(walk: Walk, findings: Iterator[LintFinding]) -> Iterator[LintFinding]:
    """The findings of a rule; one that never ends is a cycle."""
    try:
        yield from findings
    except RecursionError:
        what, do = "statuses wait for each other without end", "let a condition look at an earlier event instead"
        yield walk.at_path("cycle", "error", ("provisions",), "provisions", what, do)


def _dated(walk: Walk, finding: LintFinding, stages: list[int]) -> LintFinding:
    """A finding with the time for which it holds; what a later change mended is a note."""
    show = walk.last.inquiry.show
    real = [n for n, stage in enumerate(walk.stages) if not stage.supposed]
    first, last = stages[0], stages[-1]
    if first not in real:
        return replace(finding, what=f"{finding.what} (once every change that waits has taken effect)")
    told = f"since {show(walk.stages[first].since)}" if _came_up(walk, finding, first) else ""
    over = last in real and last != real[-1]
    if over:
        told = f"{told}{', ' if told else ''}until {show(walk.stages[last + 1].since)}"
    severity = "note" if over and finding.rule in _CURABLE else finding.severity
    return replace(finding, severity=severity, what=f"{finding.what} ({told})" if told else finding.what)


def _came_up(walk: Walk, finding: LintFinding, first: int) -> bool:
    """Whether what a finding is about stood without it at an earlier stage."""
    name = finding.address.removeprefix("@").split(".")[0]
    return any(provision.id == name for stage in walk.stages[:first] for provision in stage.live)
