"""Every rule of lint on the smallest agreement that breaks it, and on one that does not; and no false alarm on the cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import EXAMPLE, ROOT
from tallybook import desk
from tallybook.agreement.load import load_agreement
from tallybook.core.time import moment, zone
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.report import Item
from tallybook.lint.finding import RULES, LintFinding
from tallybook.lint.rules import Lint, lint
from tallybook.verdicts.inquiry import Case

HEAD = """
agreement: small
title: A small agreement
time_zone: UTC
default_as_of: 2020-06-01
parties: {A: {name: Alpha}, B: {name: Beta}}
standards: {plain: {at_least: 0.9}}
instruments:
  pact: {name: the pact, made: 2020-01-01, in_hand: whole, file: sources/pact.txt}
  act: {name: the act, made: 2020-03-01, in_hand: none}
%s
vocabulary: {methods: {look: {}}}
measures: {patrol: {title: Patrol, holder: B, states: {full: full, light: lighter}}}
claims: [{id: gone, title: Gone, says: all are gone, item: thing%s}]
board: [{id: gone, claim: gone}]
"""
TEXT = ", text: {pact: words}"


def made(body: str, instruments: str = "", claim: str = "") -> tuple[Case, Lint]:
    loaded = load_agreement((HEAD % (instruments, claim) + body).encode())
    assert loaded.faults == []
    assert loaded.agreement is not None
    evidence = EvidenceFile({}, {}, (), {}, {"thing": Item("thing", "thing", "thing")})
    case = Case("small", loaded.agreement, loaded.base, evidence, {"pact": "words"})
    return case, lint(case, loaded.document.line_of, trials=30)


def found(rule: str, body: str, **more: str) -> list[LintFinding]:
    return [f for f in made(body, **more)[1].findings if f.rule == rule]


def duty(name: str, more: str = "achieve: paid(price)", head: str = "in: pact, ") -> str:
    return f"  - {{id: {name}, kind: duty, {head}owed: {{by: A, to: B}}, {more}{TEXT}}}\n"


def change(op: str, target: str, more: str = "", n: int = 1, made: str = "2020-03-01", name: str = "act") -> str:
    return f'  - {{in: {name}, n: {n}, made: {made}, op: {op}, target: "{target}", text: {{pact: words}}{more}}}\n'


PAID = "facts:\n  - {atom: paid(price), from: 2020-02-01, text: {pact: words}}\n"
PROOF = "  - {id: sure, kind: proof, standard: plain, methods: {all: [seen]}" + TEXT + "}\n"
SEEN = "  - {id: seen, kind: proof, met_by: {method: look}" + TEXT + "}\n"
POWER = "  - {id: stop, kind: power, in: pact, holder: B, %s" + TEXT + "}\n"
TERM = "  - {id: things, kind: definition, includes: [{item: thing}]" + TEXT + "}\n"
VALUE = "  - {id: rate, kind: definition, cases: [{is: 1}]" + TEXT + "}\n"
LIFT = "  - {id: war, kind: exception, %s" + TEXT + "}\n"
READ = (
    "  - {id: things, kind: definition, includes: [{item: thing}],"
    " interpretations: [{reading: a, includes: [thing]}, {reading: %s, excludes: [thing]}]}\n"
)
P = "provisions:\n"
C = "changes:\n"

# rule, severity, words of the finding, an agreement with it, the same without it
CASES: list[tuple[str, str, str, str, str]] = [
    (
        "dangling-reference",
        "error",
        "@pay is repealed by act#1",
        P + duty("pay") + duty("give", "when: performed @pay, achieve: given(x)") + C + change("repeal", "@pay"),
        P + duty("pay") + duty("give", "when: repealed @pay, achieve: given(x)") + C + change("repeal", "@pay"),
    ),
    (
        "dangling-reference",
        "warning",
        "@late is not there yet",
        P
        + duty("give", "when: owed @late, achieve: given(x)")
        + C
        + change("add", "@late", ", value: {kind: duty, owed: {by: A, to: B}, achieve: paid(price)}"),
        P + duty("give", "when: owed @late, achieve: given(x)") + duty("late"),
    ),
    (
        "dangling-reference",
        "error",
        "@pay was renumbered and is now @pay-2",
        P
        + duty("pay")
        + C
        + change("renumber", "@pay", ", value: pay-2")
        + change("add", "@war", ', value: {kind: exception, to: "@give", unless: "@pay", when: war(A)}', n=2)
        + change("add", "@give", ", value: {kind: duty, owed: {by: A, to: B}, achieve: given(x)}", n=3),
        P
        + duty("pay")
        + C
        + change("renumber", "@pay", ", value: pay-2")
        + change("add", "@war", ', value: {kind: exception, to: "@give", unless: "@pay-2", when: war(A)}', n=2)
        + change("add", "@give", ", value: {kind: duty, owed: {by: A, to: B}, achieve: given(x)}", n=3),
    ),
    (
        "dangling-reference",
        "warning",
        "the term of @pay ended 2020-02-01",
        P + duty("pay", "achieve: paid(price), until: 2020-02-01") + duty("give", "when: performed @pay, achieve: given(x)"),
        P + duty("pay", "achieve: paid(price), until: 2021-02-01") + duty("give", "when: performed @pay, achieve: given(x)"),
    ),
    (
        "dangling-reference",
        "error",
        "@pay is in draft, which was never made",
        P + duty("pay", head="in: draft, ") + duty("give", "when: performed @pay, achieve: given(x)"),
        P + duty("pay") + duty("give", "when: performed @pay, achieve: given(x)"),
    ),
    (
        "dangling-reference",
        "warning",
        "@pay has no part second",
        P
        + duty("pay", "steps: [{id: first}], achieve: paid(price)")
        + duty("give", "when: performed @pay.second, achieve: given(x)"),
        P
        + duty("pay", "steps: [{id: first}], achieve: paid(price)")
        + duty("give", "when: performed @pay.first, achieve: given(x)"),
    ),
    (
        "dangling-reference",
        "warning",
        "@rest was ended by @stop",
        P
        + POWER % 'used_by: stopped(x), effect: {end: "@rest"}'
        + LIFT % 'to: "@pay", unless: "@rest", when: war(A)'
        + '  - {id: rest, kind: exception, to: "@war", when: truce(A), text: {pact: words}}\n'
        + duty("pay")
        + "facts:\n  - {atom: stopped(x), from: 2020-04-01, text: {pact: words}}\n",
        P
        + POWER % 'used_by: stopped(x), effect: {end: "@rest"}'
        + LIFT % 'to: "@pay", unless: "@rest", when: war(A)'
        + '  - {id: rest, kind: exception, to: "@war", when: truce(A), text: {pact: words}}\n'
        + duty("pay"),
    ),
    (
        "conflict",
        "error",
        "act#1 and act2#1 are of equal rank and clash on @pay.by",
        P
        + duty("pay", "achieve: paid(price), by: 2020-05-01")
        + C
        + change("replace", "@pay.by", ", value: 2020-06-01")
        + change("replace", "@pay.by", ", value: 2020-07-01", name="act2"),
        P
        + duty("pay", "achieve: paid(price), by: 2020-05-01")
        + C
        + change("replace", "@pay.by", ", value: 2020-06-01")
        + change("replace", "@pay.by", ", value: 2020-07-01", name="act2", made="2020-03-02"),
    ),
    (
        "conflict",
        "warning",
        "the reading a reads thing in two ways",
        P + READ % "a",
        P + READ % "b",
    ),
    (
        "conflict",
        "warning",
        "comes to 2 by @one / 3 by @two (where grade(x) = 4 and old(x))",
        P
        + VALUE
        + '  - {id: one, kind: exception, to: "@rate", when: grade(x) >= 3, cases: [{is: 2}]}\n'
        + '  - {id: two, kind: exception, to: "@rate", when: old(x), cases: [{is: 3}]}\n',
        P
        + VALUE
        + '  - {id: one, kind: exception, to: "@rate", when: grade(x) >= 3, cases: [{is: 2}]}\n'
        + '  - {id: two, kind: exception, to: "@rate", when: grade(x) < 3, cases: [{is: 3}]}\n',
    ),
    (
        "misfit",
        "warning",
        "act#2 changes @nay.by, which is not there",
        P
        + duty("give")
        + C
        + change("add", "@pay", ", effective: 2020-03-02, value: {kind: duty, owed: {by: A, to: B}, achieve: paid(price)}")
        + change("replace", "@nay.by", ", value: 2020-07-01, effective: {when: paid(price)}", n=2),
        P
        + duty("give", "achieve: paid(price), by: 2020-05-01")
        + C
        + change("replace", "@give.by", ", value: 2020-07-01, effective: {when: paid(price)}"),
    ),
    (
        "unreachable",
        "error",
        "can never hold: what waits for it never comes",
        P + duty("pay", "when: came(x) and not came(x), achieve: paid(price)"),
        P + duty("pay", "when: came(x) and not once came(x), achieve: paid(price)"),
    ),
    (
        "unreachable",
        "error",
        "can never hold: it can never be performed",
        P + TERM + duty("pay", "achieve: count(?x in things) >= 2"),
        P + TERM + duty("pay", "achieve: count(?x in things) >= 1"),
    ),
    (
        "unreachable",
        "error",
        "its term ends 2020-01-01 before it begins (from 2020-02-01)",
        P + duty("pay", "achieve: paid(price), from: 2020-02-01, until: 2020-01-01"),
        P + duty("pay", "achieve: paid(price), from: 2020-02-01, until: 2020-02-01"),
    ),
    (
        "unreachable",
        "warning",
        "due by 2019-12-01, before it can be owed",
        P + duty("pay", "achieve: paid(price), by: 2019-12-01"),
        P + duty("pay", "achieve: paid(price), by: 2020-01-01"),
    ),
    (
        "unreachable",
        "error",
        "performance counts from 2020-05-02, and is due by 2020-05-01 already",
        P + duty("pay", "achieve: paid(price), by: 2020-05-01, earliest: 2020-05-02"),
        P + duty("pay", "achieve: paid(price), by: 2020-05-01, earliest: 2020-05-01"),
    ),
    (
        "unreachable",
        "error",
        "the step second comes after frist, which is no step",
        P + duty("pay", "steps: [{id: first}, {id: second, after: frist}], achieve: paid(price)"),
        P + duty("pay", "steps: [{id: first}, {id: second, after: first}], achieve: paid(price)"),
    ),
    (
        "unreachable",
        "error",
        "the step first comes after itself, through second",
        P + duty("pay", "steps: [{id: first, after: second}, {id: second, after: first}], achieve: paid(price)"),
        P + duty("pay", "steps: [{id: first}, {id: second, after: first}, {id: third, after: second}], achieve: paid(price)"),
    ),
    (
        "unreachable",
        "warning",
        "it waits for @pay, which is released",
        P
        + duty("pay")
        + duty("give", "when: performed @pay, achieve: given(x)")
        + 'facts:\n  - {atom: "released(@pay)", from: 2020-02-01, text: {pact: words}}\n',
        P
        + duty("pay")
        + duty("give", "when: performed @pay or waived @pay or released @pay, achieve: given(x)")
        + 'facts:\n  - {atom: "released(@pay)", from: 2020-02-01, text: {pact: words}}\n',
    ),
    (
        "unreachable",
        "warning",
        "lifts nothing: @stop is a power",
        P + POWER % "used_by: stopped(x)" + LIFT % 'to: "@stop", when: war(A)',
        P + duty("stop") + LIFT % 'to: "@stop", when: war(A)',
    ),
    (
        "unreachable",
        "warning",
        "never applies: whenever it could, an exception to it applies too",
        P
        + duty("pay")
        + LIFT % 'to: "@pay", when: war(A)'
        + '  - {id: truce, kind: exception, to: "@war", when: war(A) or truce(A), text: {pact: words}}\n',
        P
        + duty("pay")
        + LIFT % 'to: "@pay", when: war(A)'
        + '  - {id: truce, kind: exception, to: "@war", when: war(A) and truce(A), text: {pact: words}}\n',
    ),
    (
        "unreachable",
        "error",
        "never takes effect",
        P
        + duty("pay", "achieve: paid(price), by: 2020-05-01")
        + C
        + change("replace", "@pay.by", ', value: 2020-07-01, effective: {when: "supported @pay and contradicted @pay"}'),
        P
        + duty("pay", "achieve: paid(price), by: 2020-05-01")
        + C
        + change("replace", "@pay.by", ', value: 2020-07-01, effective: {when: "owed @pay and paid(price)"}'),
    ),
    (
        "unreachable",
        "warning",
        "draft has no date, and its change is dated 2020-03-01",
        P
        + duty("pay", "achieve: paid(price), by: 2020-05-01")
        + C
        + change("replace", "@pay.by", ", value: 2020-07-01", name="draft"),
        P + duty("pay", "achieve: paid(price), by: 2020-05-01") + C + change("replace", "@pay.by", ", value: 2020-07-01"),
    ),
    (
        "undefined-term",
        "error",
        "things is no definition",
        P + duty("pay", "achieve: every ?x in things has paid(?x)"),
        P + TERM + duty("pay", "achieve: every ?x in things has paid(?x)"),
    ),
    (
        "undefined-term",
        "error",
        "pay is no definition",
        P + duty("pay") + duty("give", "covers: pay, achieve: given(x)"),
        P + TERM + duty("give", "covers: things, achieve: given(x)"),
    ),
    (
        "undefined-term",
        "warning",
        "things lists nothing",
        P + "  - {id: things, kind: definition}\n" + duty("pay", "achieve: every ?x in things has paid(?x)"),
        P + TERM + duty("pay", "achieve: every ?x in things has paid(?x)"),
    ),
    (
        "undefined-term",
        "error",
        "@pay has no value",
        P + duty("pay") + duty("give", "when: value @pay == 1, achieve: given(x)"),
        P + VALUE + duty("give", "when: value @rate == 1, achieve: given(x)"),
    ),
    (
        "vague-without-ruling",
        "warning",
        "'soon' is vague, and nobody has ruled on it; a deadline turns on it",
        P + duty("pay", "achieve: paid(price), within: {vague: soon}"),
        P
        + duty("pay", "achieve: paid(price), within: {vague: soon}")
        + C
        + change("add", "@pay.note", ", value: within a week, ruling: {by: C. Judge, made: 2020-02-01, says: a week}"),
    ),
    (
        "cycle",
        "error",
        "@pay -> @unpaid -> @give -> @ungiven -> @pay",
        P
        + duty("pay", 'unless: "@unpaid", achieve: paid(price)')
        + duty("give", 'unless: "@ungiven", achieve: given(x)')
        + '  - {id: unpaid, kind: exception, to: "@pay", when: overdue @give}\n'
        + '  - {id: ungiven, kind: exception, to: "@give", when: overdue @pay}\n',
        P
        + duty("pay", 'unless: "@unpaid", achieve: paid(price)')
        + duty("give", "achieve: given(x)")
        + '  - {id: unpaid, kind: exception, to: "@pay", when: overdue @give}\n',
    ),
    (
        "cycle",
        "warning",
        "these changes wait for each other",
        P
        + duty("pay", "by: 2020-05-01, achieve: paid(price)")
        + duty("give", "by: 2020-05-01, achieve: given(x)")
        + C
        + change("replace", "@pay.by", ", value: 2020-07-01, effective: {when: overdue @give}")
        + change("replace", "@give.by", ", value: 2020-07-01, effective: {when: overdue @pay}", n=2),
        P
        + duty("pay", "by: 2020-05-01, achieve: paid(price)")
        + duty("give", "by: 2020-05-01, achieve: given(x)")
        + C
        + change("replace", "@pay.by", ", value: 2020-07-01, effective: {when: overdue @give}"),
    ),
    (
        "cycle",
        "note",
        "these powers act on what allows each other",
        P
        + duty("pay")
        + duty("give", "achieve: given(x)")
        + POWER % 'used_by: stopped(x), when: overdue @give, effect: {suspend: "@pay"}'
        + (POWER % 'used_by: stopped(y), when: overdue @pay, effect: {suspend: "@give"}').replace("id: stop", "id: halt"),
        P
        + duty("pay")
        + duty("give", "achieve: given(x)")
        + POWER % 'used_by: stopped(x), when: overdue @give, effect: {suspend: "@pay"}',
    ),
    (
        "duty-without-proof",
        "warning",
        "nothing on record could show paid(price)",
        P + duty("pay") + PAID.replace("price", "other"),
        P + duty("pay") + PAID,
    ),
    (
        "duty-without-proof",
        "warning",
        "names no methods",
        P + duty("pay", 'proof: "@sure", achieve: paid(price)') + PROOF.replace(", methods: {all: [seen]}", ""),
        P + duty("pay", 'proof: "@sure", achieve: paid(price)') + PROOF + SEEN + PAID,
    ),
    (
        "duty-without-proof",
        "warning",
        "has no standard, and neither has @pay",
        P + duty("pay", 'proof: "@sure", achieve: paid(price)') + PROOF.replace("standard: plain, ", "") + SEEN,
        P
        + duty("pay", 'proof: "@sure", standard: plain, achieve: paid(price)')
        + PROOF.replace("standard: plain, ", "")
        + SEEN
        + PAID,
    ),
    (
        "duty-without-proof",
        "warning",
        "no report could meet this method",
        P + duty("pay", 'proof: "@sure", achieve: paid(price)') + PROOF + SEEN.replace(", met_by: {method: look}", ""),
        P + duty("pay", 'proof: "@sure", achieve: paid(price)') + PROOF + SEEN + PAID,
    ),
    (
        "use-unrecorded",
        "warning",
        "nothing on record could show its use",
        P + duty("pay") + POWER % 'effect: {suspend: "@pay"}',
        P
        + duty("pay")
        + POWER % 'effect: {suspend: "@pay"}'
        + 'facts:\n  - {atom: "used(@stop)", from: 2020-02-01, text: {pact: words}}\n',
    ),
    (
        "power-not-held",
        "warning",
        "the condition of @stop did not hold",
        P
        + POWER % "used_by: stopped(x), when: war(A)"
        + "facts:\n  - {atom: stopped(x), from: 2020-02-01, text: {pact: words}}\n",
        P
        + POWER % "used_by: stopped(x), when: war(A)"
        + "facts:\n  - {atom: stopped(x), from: 2020-02-01, text: {pact: words}}\n"
        + "  - {atom: war(A), from: 2020-01-15, text: {pact: words}}\n",
    ),
    (
        "deadline-in-suspension",
        "warning",
        "2020-05-01: its date passed while it was suspended",
        P + duty("pay", "achieve: paid(price), by: 2020-05-01") + C + change("suspend", "@pay"),
        P
        + duty("pay", "achieve: paid(price), by: 2020-05-01")
        + C
        + change("suspend", "@pay")
        + change("resume", "@pay", n=2, made="2020-04-01"),
    ),
    (
        "unmatched-event",
        "warning",
        "no condition asks for payd(price); one asks for paid(price)",
        P + duty("pay") + "facts:\n  - {atom: payd(price), from: 2020-02-01, text: {pact: words}}\n",
        P + duty("pay") + PAID,
    ),
    (
        "unused-reading",
        "note",
        "nothing is read otherwise under b, the reading of B",
        P + duty("pay") + "readings: {b: {by: B}}\n",
        P + duty("pay", "interpretations: [{reading: b, by: 2020-05-01}], achieve: paid(price)") + "readings: {b: {by: B}}\n",
    ),
    (
        "uncited-instrument",
        "note",
        "nothing cites it",
        P + duty("pay"),
        P + duty("pay", 'achieve: "accepted(act, by=act2)"') + duty("give", "achieve: accepted(draft)"),
    ),
    (
        "no-words",
        "warning",
        "an exception without words",
        P + duty("pay") + '  - {id: war, kind: exception, to: "@pay", when: war(A), text: {act: words}}\n',
        P + duty("pay") + LIFT % 'to: "@pay", when: war(A)',
    ),
    (
        "restate",
        "error",
        "restating @pay changes the duty @pay",
        P
        + duty("pay", "when: war(A), achieve: paid(price)")
        + C
        + change(
            "restate",
            "@pay",
            ', value: {kind: duty, in: pact, owed: {by: A, to: B}, when: "war(A) or truce(A)", achieve: paid(price)}',
        ),
        P
        + duty("pay", 'when: "war(A) or truce(A)", achieve: paid(price)')
        + C
        + change(
            "restate",
            "@pay",
            ', value: {kind: duty, in: pact, owed: {by: A, to: B}, when: "truce(A) or war(A)", achieve: paid(price)}',
        ),
    ),
]
MORE = "  act2: {name: another act, made: 2020-03-01, in_hand: none}\n  draft: {name: a draft, in_hand: none}"


@pytest.mark.parametrize(("rule", "severity", "words", "bad", "good"), CASES, ids=[f"{c[0]}: {c[2][:40]}" for c in CASES])
def test_a_rule_finds_what_it_is_for_and_nothing_where_it_is_not(
    rule: str, severity: str, words: str, bad: str, good: str
) -> None:
    hits = [f for f in found(rule, bad, instruments=MORE) if words in f.what]
    assert [f.severity for f in hits[:1]] == [severity], [str(f) for f in found(rule, bad, instruments=MORE)]
    assert not [f for f in found(rule, good, instruments=MORE) if words in f.what and f.severity == severity]


def test_every_rule_has_a_case_and_a_line_on_the_page() -> None:
    assert {case[0] for case in CASES} == set(RULES)
    page = (ROOT / "docs" / "reference" / "lint.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.+?) \| .+ \|$", page, re.MULTILINE)) == RULES


def test_a_finding_says_where() -> None:
    body = P + duty("pay") + duty("give", "when: performed @pay, achieve: given(x)") + C + change("repeal", "@pay")
    (finding,) = [f for f in found("dangling-reference", body) if f.severity == "error"]
    text = (HEAD % ("", "") + body).splitlines()
    assert text[finding.line - 1].startswith("  - {id: give")
    assert (finding.file, finding.address) == ("agreement.yaml", "@give.when")
    assert finding.what.endswith("(since 2020-03-01T23:59:59+00:00)")


def test_what_a_change_put_in_is_told_at_the_line_of_the_change() -> None:
    body = P + duty("pay") + C + change("add", "@pay.when", ', value: "came(x) and not came(x)"')
    (finding,) = [f for f in found("unreachable", body) if f.severity == "error"]
    text = (HEAD % ("", "") + body).splitlines()
    assert "add" in text[finding.line - 1]


def test_a_reference_that_dangles_for_a_time_is_found_with_that_time() -> None:
    again = change("add", "@pay", ", value: {kind: duty, owed: {by: A, to: B}, achieve: paid(price)}", n=2, made="2020-04-01")
    body = P + duty("pay") + duty("give", "when: performed @pay, achieve: given(x)") + C + change("repeal", "@pay") + again
    (finding,) = found("dangling-reference", body)
    assert finding.severity == "error"
    assert finding.what.endswith("(since 2020-03-01T23:59:59+00:00, until 2020-04-01T23:59:59+00:00)")


def test_what_a_later_change_mends_is_a_note() -> None:
    bare = PROOF.replace(", methods: {all: [seen]}", "")
    body = (
        P
        + duty("pay", 'proof: "@sure", achieve: paid(price)')
        + bare
        + SEEN
        + C
        + change("add", "@sure.methods", ", value: {all: [seen]}")
        + PAID
    )
    (finding,) = found("duty-without-proof", body)
    assert (finding.severity, "until 2020-03-01" in finding.what) == ("note", True)


def test_a_change_that_waits_is_looked_at_as_if_it_had_come() -> None:
    body = P + duty("pay") + duty("give", "when: performed @pay, achieve: given(x)") + C
    (finding,) = found("dangling-reference", body + change("repeal", "@pay", ", effective: {when: war(A)}"))
    assert finding.what == "@pay is repealed by act#1 (once every change that waits has taken effect)"


def test_a_date_leaves_out_what_is_later() -> None:
    body = P + duty("pay") + duty("give", "when: performed @pay, achieve: given(x)") + C + change("repeal", "@pay")
    case, _ = made(body)
    early = lint(case, lambda _: 1, moment("2020-02-01", zone("UTC")).last)
    assert not [f for f in early.findings if f.rule == "dangling-reference"]


def test_nothing_without_end() -> None:
    """A search over many events is given up, and says nothing rather than something wrong."""
    text = " and ".join(f"(a{n}(x) or b{n}(x))" for n in range(40))
    assert not found("unreachable", P + duty("pay", f"when: {text} and not ({text}), achieve: paid(price)"))


FOLDERS = [EXAMPLE, *sorted(path.parent for path in (ROOT / "tests" / "cases").rglob("agreement.yaml"))]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name + "/" + folder.name)
def test_no_error_where_an_expert_would_see_none(folder: Path) -> None:
    assert desk.check_case(folder).faults == []
    result = desk.lint(folder, trials=5)
    assert [str(f) for f in result.findings if f.severity == "error"] == []


def test_warnings_on_the_example_are_those_that_stand() -> None:
    result = desk.lint(EXAMPLE)
    assert [(f.rule, f.address) for f in result.findings if f.severity == "warning"] == [
        ("vague-without-ruling", "@safeguard-arrangements.vague"),
        ("duty-without-proof", "@observation.claims"),
        ("duty-without-proof", "@safeguards.claims"),
        ("vague-without-ruling", "@lift-quarantine.within"),
        ("duty-without-proof", "@one-voice.maintain"),
    ]
