"""A restatement is compared with what it restates: on stored and on generated evidence, and the difference is shrunk."""

from __future__ import annotations

import textwrap
from random import Random

import pytest

from tallybook.agreement.load import load_agreement
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.report import Item
from tallybook.lint.bearing import reach_of
from tallybook.lint.evidence import Maker, words_of
from tallybook.lint.restatement import check_restatements
from tallybook.lint.stages import Walk, end_of
from tallybook.verdicts.inquiry import Case

pytestmark = pytest.mark.slow

HEAD = """
agreement: small
title: A small agreement
time_zone: UTC
default_as_of: 2020-06-01
parties: {A: {name: Alpha}, B: {name: Beta}}
standards: {plain: {at_least: 0.9}, high: {at_least: 0.99}}
readings: {b: {by: B}}
instruments:
  pact: {name: the pact, made: 2020-01-01, in_hand: none}
  act: {name: the act, made: 2020-03-01, in_hand: none}
vocabulary: {methods: {look: {means: international}}}
measures:
  patrol: {title: Patrol, holder: B, states: {full: full, light: lighter}}
  other: {title: Other, states: {on: going on}}
claims: [{id: gone, title: Gone, says: all are gone, item: thing, duty: "@remove"}, {id: calm, title: Calm, says: it is calm}]
board: [{id: gone, claim: gone}, {id: calm, claim: calm}, {id: patrol, measure: patrol}]
provisions:
  - {id: remove, kind: duty, in: pact, owed: {by: A, to: B}, achieve: left(things), proof: "@sure", claims: [gone]}
  - {id: sure, kind: proof, standard: plain, methods: {all: [seen]}}
  - {id: seen, kind: proof, met_by: {method: look}}
  - {id: pay, kind: duty, in: pact, owed: {by: B, to: A}, when: war(A), achieve: paid(price), within: 30d}
  - {id: may, kind: liberty, in: pact, holder: B, while: not verified @remove, measure: patrol, states: [full, light]}
  - {id: rest, kind: duty, in: pact, owed: {by: B, to: A}, achieve: rested(B)}
changes:
  - {in: act, n: 1, made: 2020-03-01, op: restate, target: "@%s", text: {act: words}, value: %s}
"""


def walk(target: str, value: str, more: str = "") -> Walk:
    loaded = load_agreement((HEAD % (target, value) + more).encode())
    assert loaded.faults == []
    assert loaded.agreement is not None
    evidence = EvidenceFile({}, {}, (), {}, {"thing": Item("thing", "thing", "thing")})
    case = Case("small", loaded.agreement, loaded.base, evidence, {})
    return Walk(case, loaded.document.line_of, end_of(case))


PAY = "{kind: duty, in: pact, owed: {by: B, to: A}, when: %s, achieve: paid(price), within: %s}"


def test_other_words_are_no_difference() -> None:
    value = PAY.replace("}}", "}, heading: Payment, text: {act: other words}}") % ("war(A)", "30d")
    compared, findings = check_restatements(walk("pay", value), 20)
    assert (compared[0].only_words, findings) == (True, [])


def test_the_same_said_otherwise_is_no_difference() -> None:
    compared, findings = check_restatements(walk("pay", PAY % ('"war(A) and (war(A) or truce(A))"', "30d")), 40)
    assert (compared[0].only_words, compared[0].trials, compared[0].readings) == (False, 40, ("plain", "b"))
    assert compared[0].instants > 1
    assert findings == []


@pytest.mark.parametrize(
    ("value", "subject", "words", "evidence"),
    [
        (PAY % ('"war(A) or truce(A)"', "30d"), "the duty @pay", "pending, not yet owed before, in force, owed", "truce(A)"),
        (PAY % ("war(A)", "3d"), "the duty @pay", "in force, owed before, in force, overdue (missed", "war(A)"),
    ],
)
def test_a_difference_is_told_with_the_smallest_evidence(value: str, subject: str, words: str, evidence: str) -> None:
    _, findings = check_restatements(walk("pay", value), 60)
    (finding,) = findings
    assert (finding.rule, finding.severity, finding.address) == ("restate", "error", "act#1")
    assert f"restating @pay changes {subject}" in finding.what
    assert words in finding.what
    shown = finding.what.split("; on ")[1]
    # One event is enough, and nothing else is left.
    assert shown.startswith(evidence)
    assert ";" not in shown


def test_a_higher_standard_moves_the_line_and_what_hangs_on_it() -> None:
    _, findings = check_restatements(walk("sure", "{kind: proof, standard: high, methods: {all: [seen]}}"), 80)
    told = "\n".join(f.what for f in findings)
    assert "the line gone" in told
    assert "verified before, supported after" in told
    assert all(f"the {kind}" not in told for kind in ("line calm", "duty @rest", "duty @pay", "measure other"))


def test_a_difference_on_stored_evidence_is_found_without_any_trial() -> None:
    facts = """
    facts:
      - {atom: truce(A), from: 2020-04-01, text: {pact: words}}
      - {atom: paid(other), from: 2020-02-01, text: {pact: words}}
    """
    tested = walk("pay", PAY % ('"war(A) or truce(A)"', "30d"), textwrap.dedent(facts))
    _, findings = check_restatements(tested, 0)
    (finding,) = findings
    assert "on 2020-04-01T23:59:59+00:00" in finding.what
    assert finding.what.endswith("on truce(A) from 2020-04-01")


def test_a_reading_of_its_own_is_compared_too() -> None:
    value = PAY.replace("within: %s}", "within: %s, interpretations: [{reading: b, when: truce(A)}]}") % ("war(A)", "30d")
    _, findings = check_restatements(walk("pay", value), 60)
    assert findings
    assert all("under the reading b" in f.what for f in findings)


def test_one_seed_gives_one_answer_and_trials_are_counted() -> None:
    tested = walk("pay", PAY % ('"war(A) or truce(A)"', "30d"))
    steps: list[tuple[int, int]] = []
    first = check_restatements(tested, 30, 7, lambda done, of: steps.append((done, of)))
    assert first == check_restatements(tested, 30, 7)
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_what_cannot_be_followed_without_it_is_said() -> None:
    later = "  - {in: act, n: 2, made: 2020-04-01, op: replace, target: '@pay.heading', value: Other, text: {act: words}}\n"
    value = PAY % ("war(A)", "30d, heading: Payment")
    compared, findings = check_restatements(walk("pay", value, later), 5)
    assert "nothing is called 'heading'" in compared[0].stopped
    assert [(f.rule, f.severity) for f in findings] == [("restate", "note")]


def test_reach_follows_names_and_stops_where_there_are_none() -> None:
    reach = reach_of(walk("sure", "{kind: proof, standard: high, methods: {all: [seen]}}"), "seen")
    assert {"seen", "sure", "remove", "gone", "may"} <= reach.names
    assert not {"pay", "rest", "calm"} & reach.names
    assert reach.measures == {"patrol"}


def test_generated_evidence_is_of_chance_by_its_seed_and_within_its_time() -> None:
    tested = walk("pay", PAY % ("war(A)", "30d"))
    assert {"war(A)", "paid(price)", "left(things)", "rested(B)"} <= set(words_of(tested).events)
    start, end = tested.stages[0].since, tested.end
    made = [[p.words for p in Maker(tested, Random(n), start, end).pieces()] for n in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    maker = Maker(tested, Random(3), start, end)
    assert all(start <= maker.day() <= end for _ in range(50))
