"""Explanations: every leaf is a report or an exhibit known by then, or a quotation that is in the sources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallybook import desk
from tallybook.agreement.quotation import reading_text
from tallybook.core.explanation import Because
from tallybook.errors import TallybookError
from tallybook.verdicts.inquiry import Case

DAYS = ["1962-10-15", "1962-10-28", "1962-11-03T20:44-05:00", "1962-11-12", "1962-11-21", "1963-01-08", "2013-01-01"]


@pytest.mark.parametrize("day", DAYS)
def test_every_leaf_is_a_report_an_exhibit_or_a_quotation(case: Case, day: str) -> None:
    inquiry = desk.ask(case, day)
    names = [c.id for c in case.agreement.claims] + [entry.id for entry in case.agreement.board]
    names += [f"@{d.verdict.duty.id}" for d in desk.board(inquiry).duties if d.verdict.findings]
    texts = list(case.texts.values())
    leaves = 0
    for name in names:
        for tree in desk.why(inquiry, name).trees:
            for leaf in tree.leaves():
                leaves += 1
                if leaf.exhibit:
                    assert case.evidence.exhibits[leaf.exhibit].known.last <= inquiry.question.known
                elif leaf.report:
                    assert case.evidence.reports[leaf.report].known.last <= inquiry.question.known
                elif leaf.instrument == "agreement.yaml":
                    assert leaf.quote
                else:
                    assert any(reading_text(leaf.quote) in text for text in texts)
    assert leaves > 20


def steps(tree: Because) -> Iterator[Because]:
    yield tree
    for child in tree.children:
        yield from steps(child)


def test_every_cited_report_is_in_the_tree(case: Case) -> None:
    inquiry = desk.ask(case, "1962-11-12")
    for entry in desk.board(inquiry).lines:
        if entry.finding:
            trees = desk.why(inquiry, entry.line.id).trees
            shown = {step.report for tree in trees for step in steps(tree)}
            assert set(entry.finding.ids("for") + entry.finding.ids("against")) <= shown


def test_no_note_is_ever_shown(case: Case) -> None:
    inquiry = desk.ask(case, "2013-01-01")
    told = "\n".join("\n".join(tree.lines()) for c in case.agreement.claims for tree in desk.why(inquiry, c.id).trees)
    assert "Wrong in effect" not in told
    assert "DISAGREES" not in told


@pytest.mark.parametrize("name", ["no_such_line", "@no-such-duty", "@proof-of-removal.methods"])
def test_unknown_names_say_what_there_is(case: Case, name: str) -> None:
    with pytest.raises(TallybookError) as error:
        desk.why(desk.ask(case, "1962-11-12"), name)
    assert error.value.do


def test_what_would_change_it_does_change_it(case: Case) -> None:
    """Each 'one more report' is tried on the finding: the word it names is the word that comes out."""
    from tallybook.core.bounds import Bounds
    from tallybook.evidence.grade import Grade, likelihood_ratio
    from tallybook.verdicts.ladder import side, word
    from tallybook.verdicts.weigh import Cluster, Weights

    weights = Weights.of(case.agreement.weighing)
    tried = 0
    for entry in desk.board(desk.ask(case, "1962-11-12")).lines:
        finding = entry.finding
        for what in finding.would_change if finding else ():
            if finding is None or not what.startswith("one more"):
                continue
            name = "for" if " for the claim" in what else "against"
            grade = Grade(what.split("graded ")[1][:2])
            ratio: Bounds = likelihood_ratio(grade, weights.overrides)
            extra = Cluster("x", (), ratio, whole=True, is_word=False)
            sides = {"for": finding.for_, "against": finding.against}
            sides[name] = side([*sides[name].clusters, extra], weights)
            assert word(sides["for"], sides["against"]).value == what.rsplit(": ", 1)[1]
            tried += 1
    assert tried >= 4
