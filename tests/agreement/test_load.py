"""agreement.yaml: form, references, cycles, quotations, conditions; every fault with its line, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tallybook.agreement.check import check_agreement
from tallybook.agreement.load import FILE, load_agreement
from tallybook.agreement.quotation import reading_text
from tallybook.errors import Fault

SOURCE = "The North shall remove every gun. In return the South shall open the ports."
TEXT = """\
agreement: pact
title: The pact
time_zone: Europe/Vienna
default_as_of: 2031-01-01
parties:
  North: {name: North}
  South: {name: South}
standards:
  good: {at_least: 0.75, text: {pact: "every gun"}}
readings:
  strict: {by: South}
instruments:
  pact: {name: pact, made: 2030-01-01, by: North, to: South, in_hand: whole, file: sources/pact.txt}
provisions:
  - id: arms
    kind: definition
    includes: [{item: gun}]
  - id: removal
    kind: duty
    in: pact
    owed: {by: North, to: South}
    text: {pact: "shall remove every gun"}
    achieve: every ?w in arms has departed(?w)
    proof: "@inspection"
    standard: good
    claims: [guns_gone]
  - id: ports
    kind: duty
    owed: {by: South, to: North}
    in_return_for: "@removal"
    when: verified @removal
    achieve: open(ports)
    measure: embargo
  - id: inspection
    kind: proof
    for: "@removal"
    met_by: {method: visit}
changes:
  - {in: pact, n: 1, made: 2030-02-01, op: add, target: "@removal.by", value: 2030-12-31, text: {pact: "In return"}}
facts:
  - {atom: "signed(pact)", from: 2030-01-01, text: {pact: "In return"}}
states:
  - {atom: open(ports), measure: embargo, states: lifted}
vocabulary:
  methods: {visit: {means: international}}
measures:
  embargo: {title: Embargo, holder: South, states: {active: in force, lifted: lifted}}
claims:
  - id: guns_gone
    title: Guns gone
    says: all guns are out
    item: gun
    duty: "@removal"
    rules:
      - {when: {item: gun, method: visit}, bears: for}
board:
  - {id: guns_gone, claim: guns_gone}
  - {id: embargo, measure: embargo}
"""


def faults(text: str, source: str = SOURCE) -> list[Fault]:
    loaded = load_agreement(text.encode())
    found = check_agreement(loaded, {"pact": reading_text(source)}, frozenset({"gun"}), frozenset({"port"}))
    return [*loaded.faults, *found]


def with_(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def test_it_is_whole_as_it_stands() -> None:
    assert faults(TEXT) == []
    loaded = load_agreement(TEXT.encode())
    assert loaded.agreement is not None
    assert [p.kind for p in loaded.agreement.provisions] == ["definition", "duty", "duty", "proof"]
    assert set(loaded.base) == {"arms", "removal", "ports", "inspection"}
    assert loaded.base["removal"]["standard"] == "good"


Case = tuple[str, str, str, str]
FORM: dict[str, Case] = {
    "unknown key": ("    standard: good\n", "    colour: red\n", "colour", "unknown key 'colour'"),
    "unknown key at the top": ("title: The pact\n", "title: The pact\ncolour: red\n", "colour", "unknown key 'colour'"),
    "missing key": ("    says: all guns are out\n", "", "id: guns_gone", "'says' is missing"),
    "missing key at the top": ("time_zone: Europe/Vienna\n", "", "agreement: pact", "'time_zone' is missing"),
    "unknown kind": ("    kind: proof\n", "    kind: promise\n", "id: inspection", "'promise'"),
    "no content": ("    achieve: open(ports)\n", "", "id: ports", "exactly one of achieve"),
    "two contents": (
        "    achieve: open(ports)\n",
        "    achieve: open(ports)\n    maintain: open(ports)\n",
        "id: ports",
        "exactly one of achieve",
    ),
    "number for a word": ("title: The pact", "title: 7", "title: 7", "valid string"),
    "word for a number": ("at_least: 0.75", "at_least: high", "at_least", "valid number"),
    "standard out of range": ("at_least: 0.75", "at_least: 1.5", "at_least", "less than 1"),
    "two subjects of a line": (
        "{id: embargo, measure: embargo}",
        "{id: embargo, measure: embargo, claim: guns_gone}",
        "- {id: embargo",
        "not both",
    ),
    "empty board": (
        "board:\n  - {id: guns_gone, claim: guns_gone}\n  - {id: embargo, measure: embargo}\n",
        "board: []\n",
        "board",
        "at least 1",
    ),
    "whole and no file": (", file: sources/pact.txt", "", "in_hand: whole", "`file`"),
    "bad reference": ('proof: "@inspection"', 'proof: "inspection"', "proof:", "pattern"),
    "bad identifier": ("- id: arms", '- id: "arms race"', "arms race", "pattern"),
}


@pytest.mark.parametrize("name", FORM)
def test_a_fault_of_form_names_its_line_and_key(name: str) -> None:
    old, new, place, what = FORM[name]
    text = with_(old, new)
    (fault,) = faults(text)
    assert (fault.file, fault.line) == (FILE, line_of(text, place)), fault
    assert what in fault.what
    assert fault.field
    assert fault.do


def test_a_bad_condition_has_its_line_and_the_caret_under_the_place() -> None:
    text = with_("when: verified @removal", "when: verified @removal and and open(ports)")
    (fault,) = faults(text)
    assert fault.line == line_of(text, "and and")
    assert fault.field.endswith("when")
    what, quoted, caret = fault.what.split("\n")
    assert what == "not understood from 'and' on"
    assert quoted[caret.index("^") :].startswith("and open(ports)")


def test_every_place_of_a_condition_is_read() -> None:
    for key in ("in_force", "when", "achieve", "maintain", "endeavour"):
        text = with_("    when: verified @removal\n    achieve: open(ports)\n", f"    {key}: open(ports) or\n")
        assert any("too early" in f.what and f.line == line_of(text, "open(ports) or") for f in faults(text)), key
    for old, new in (
        ("atom: open(ports), measure: embargo, states: lifted", "atom: open(ports), when: open or"),
        ('atom: "signed(pact)"', 'atom: "signed(pact) and"'),
    ):
        assert any("too early" in fault.what for fault in faults(with_(old, new)))


UNRESOLVED: dict[str, Case] = {
    "condition": ("when: verified @removal", "when: verified @rmoval", "when:", "@rmoval"),
    "link": ('in_return_for: "@removal"', 'in_return_for: "@rmoval"', "in_return_for", "@rmoval"),
    "proof": ('proof: "@inspection"', 'proof: "@inspecton"', "proof:", "@inspecton"),
    "claim of a duty": ("claims: [guns_gone]", "claims: [guns_lost]", "claims: [", "'guns_lost'"),
    "duty of a claim": ('    duty: "@removal"', '    duty: "@rmoval"', "duty:", "@rmoval"),
    "standard": ("    standard: good", "    standard: best", "standard: best", "'best'"),
    "instrument": ("    in: pact\n", "    in: pakt\n", "in: pakt", "'pakt'"),
    "party": ("owed: {by: South, to: North}", "owed: {by: East, to: North}", "by: East", "'East'"),
    "item of a definition": ("includes: [{item: gun}]", "includes: [{item: gnu}]", "item: gnu", "'gnu'"),
    "item of a claim": ("    item: gun\n", "    item: gnu\n", "id: guns_gone", "'gnu'"),
    "method of a proof": ("met_by: {method: visit}", "met_by: {method: vist}", "met_by", "'vist'"),
    "method of a rule": ("{item: gun, method: visit}", "{item: gun, method: vist}", "method: vist", "'vist'"),
    "claim of a line": ("claim: guns_gone}", "claim: guns_lost}", "claim: guns_lost", "'guns_lost'"),
    "measure of a line": ("- {id: embargo, measure: embargo}", "- {id: embargo, measure: embrago}", "embrago", "'embrago'"),
    "measure of a state": ("open(ports), measure: embargo", "open(ports), measure: embrago", "embrago", "'embrago'"),
    "target of a change": ('target: "@removal.by"', 'target: "@rmoval.by"', "@rmoval.by", "not there"),
    "instrument of a change": ("{in: pact, n: 1", "{in: pakt, n: 1", "in: pakt", "'pakt'"),
    "reading of a provision": ("    in: pact\n", "    in: pact\n    reading: lax\n", "reading: lax", "'lax'"),
    "party of an instrument": ("by: North, to: South, in_hand", "by: East, to: South, in_hand", "by: East", "'East'"),
    "party of a reading": ("strict: {by: South}", "strict: {by: East}", "strict:", "'East'"),
    "holder of a measure": ("holder: South", "holder: East", "holder: East", "'East'"),
    "state of a state": ("measure: embargo, states: lifted", "measure: embargo, states: lited", "lited", "'lited'"),
}


@pytest.mark.parametrize("name", UNRESOLVED)
def test_what_is_named_and_not_there(name: str) -> None:
    old, new, place, what = UNRESOLVED[name]
    text = with_(old, new)
    told = [fault for fault in faults(text) if what in fault.what]
    assert told, faults(text)
    assert told[0].line == line_of(text, place)
    assert told[0].do


def test_a_cycle_is_refused_and_named() -> None:
    text = with_("achieve: every ?w in arms has departed(?w)", "achieve: performed @ports")
    (fault,) = [f for f in faults(text) if "same instant" in f.what]
    assert "@removal" in fault.what
    assert "@ports" in fault.what
    assert fault.line == line_of(text, "- id: removal")


def test_a_provision_that_waits_for_itself() -> None:
    assert any("@ports -> @ports" in f.what for f in faults(with_("when: verified @removal", "when: performed @ports")))


ADDED = '{in: pact, n: 2, made: 2030-03-01, op: add, target: "@late", value: VALUE, text: {pact: "In return"}}'


def test_a_cycle_that_a_change_closes_is_refused_too() -> None:
    value = '{kind: duty, owed: {by: North, to: South}, achieve: "performed @ports"}'
    text = with_("when: verified @removal", "when: performed @late").replace(
        "facts:", f"  - {ADDED.replace('VALUE', value)}\nfacts:"
    )
    assert any("same instant" in f.what and "@late" in f.what for f in faults(text))
    replaced = (
        '{in: pact, n: 2, made: 2030-03-01, op: replace, target: "@removal.achieve", value: performed @ports, text: {pact: "In"}}'
    )
    assert any("same instant" in f.what for f in faults(TEXT.replace("facts:", f"  - {replaced}\nfacts:")))


def test_states_that_wait_for_each_other_are_refused() -> None:
    own = with_("atom: open(ports), measure: embargo, states: lifted", "atom: open(ports), when: open(ports) or signed(pact)")
    assert any("same instant" in f.what and "open(ports)" in f.what for f in faults(own))
    two = with_(
        "{atom: open(ports), measure: embargo, states: lifted}",
        "{atom: open(ports), when: shut(ports)}\n  - {atom: shut(ports), when: not open(ports)}",
    )
    assert any("same instant" in f.what for f in faults(two))


QUOTES = [
    ('text: {pact: "shall remove every gun"}', 'text: {pact: "shall remove all guns"}', "text: {pact: "),
    ('text: {pact: "every gun"}', 'text: {pact: "every cannon"}', "at_least"),
    (
        '- {atom: "signed(pact)", from: 2030-01-01, text: {pact: "In return"}}',
        '- {atom: "signed(pact)", from: 2030, text: {pact: "X"}}',
        "signed",
    ),
]


@pytest.mark.parametrize(("old", "new", "place"), QUOTES)
def test_a_quotation_that_is_not_in_its_source(old: str, new: str, place: str) -> None:
    text = with_(old, new)
    (fault,) = faults(text)
    assert "word for word" in fault.what
    assert fault.line == line_of(text, new if place == "text: {pact: " else place)
    assert fault.field.endswith("text.pact")


def test_a_quotation_from_nowhere() -> None:
    (fault,) = faults(with_('text: {pact: "shall remove every gun"}', 'text: {treaty: "shall remove every gun"}'))
    assert "'treaty'" in fault.what


DATES: list[tuple[str, str]] = [
    ("default_as_of: 2031-01-01", "default_as_of: 2031-02-30"),
    ("made: 2030-01-01, by: North", "made: 2030-13-01, by: North"),
    ("made: 2030-02-01, op: add", "made: 2030-02-31, op: add"),
    ("made: 2030-02-01, op: add", "made: 2030-02-01T10:00, op: add"),
    ('"signed(pact)", from: 2030-01-01', '"signed(pact)", from: soon'),
    ("    in: pact\n", "    in: pact\n    from: 2030-00-01\n"),
    ("    in: pact\n", "    in: pact\n    by: 2030-02-30\n"),
    ("value: 2030-12-31", "value: 2030-02-30"),
]


@pytest.mark.parametrize(("old", "new"), DATES)
def test_a_date_that_is_none_names_its_line(old: str, new: str) -> None:
    text = with_(old, new)
    found = faults(text)
    assert found
    assert found[0].line == line_of(text, new.strip().splitlines()[-1].strip())


def test_every_id_twice() -> None:
    text = with_("  - id: inspection\n", "  - id: arms\n").replace("- {id: embargo, measure", "- {id: guns_gone, measure")
    told = [fault.what for fault in faults(text)]
    assert "'arms' twice" in told
    assert "'guns_gone' twice" in told


def test_a_provision_and_a_claim_of_one_name() -> None:
    text = with_("  - id: inspection\n", "  - id: guns_gone\n")
    assert any("a provision and a claim" in fault.what for fault in faults(text))


def test_every_fault_is_told_at_once() -> None:
    text = (
        with_("    standard: good\n", "    colour: red\n")
        .replace("at_least: 0.75", "at_least: 7")
        .replace("[guns_gone]", "[1.5]")
    )
    text = text.replace("when: verified @removal", "when: verified removal")
    found = faults(text)
    assert len(found) == 4
    assert len({fault.line for fault in found}) == 4
    text = with_("when: verified @removal", "when: verified @gone").replace("includes: [{item: gun}]", "includes: [{item: gnu}]")
    text = text.replace("shall remove every gun", "shall remove").replace(
        "- {id: guns_gone, claim: guns_gone}", "- {id: x, claim: none}"
    )
    assert len(faults(text.replace("made: 2030-01-01", "made: 2030-02-30"))) == 4


@pytest.mark.parametrize("text", ["- a\n- b\n", "word\n", "7\n", "null\n", "---\n", "[]\n", "{}\n", "agreement: x\n"])
def test_what_is_no_agreement_at_all(text: str) -> None:
    loaded = load_agreement(text.encode())
    assert loaded.agreement is None
    assert loaded.faults
    assert check_agreement(loaded, {}, frozenset(), frozenset()) == []


WEIGHING: list[tuple[str, str]] = [
    ("{prior: [0.9, 0.1]}", "in order"),
    ("{prior: [0.0, 0.5]}", "positive"),
    ("{prior: [0.5, 1.0]}", "between 0 and 1"),
    ("{ratios: {A1: [5, 2.5]}}", "in order"),
    ("{ratios: {Z9: [2.5, 5.0]}}", "Z9"),
    ("{ungraded_record: Z9}", "Z9"),
    ("{half_life_days: {position: 0}}", "greater than 0"),
    ("{half_life_days: {mood: 10}}", "mood"),
    ("{good_evidence: 0.4}", "greater than 0.5"),
]


@pytest.mark.parametrize(("value", "words"), WEIGHING)
def test_what_a_case_may_not_weigh(value: str, words: str) -> None:
    found = faults(TEXT + f"weighing: {value}\n")
    assert found
    assert any(words in f"{fault.field} {fault.what}" for fault in found), found


Edit = Callable[[str], str]
VALUES = ["7", "word", "[]", "{}", "null", "[[1]]", "{a: {b: c}}", '""', "true", "1.5", '"@removal"', '["@removal", 7]']


@pytest.mark.parametrize("value", VALUES)
def test_no_value_anywhere_makes_it_raise(value: str) -> None:
    """Every key of the file in turn is given a value that it may not expect."""
    lines = TEXT.splitlines()
    for n, line in enumerate(lines):
        if ": " in line and not line.lstrip().startswith("- {"):
            key = line[: line.index(": ") + 2]
            text = "\n".join([*lines[:n], key + value, *lines[n + 1 :]]) + "\n"
            assert all(fault.what for fault in faults(text))


@pytest.mark.parametrize("value", VALUES)
def test_no_value_of_a_change_makes_it_raise(value: str) -> None:
    for op, target in (
        ("add", "@late"),
        ("replace", "@removal"),
        ("replace", "@removal.owed"),
        ("replace", "@removal.claims"),
        ("insert", "@arms.includes"),
        ("insert", "@removal.claims"),
        ("interpret", "@arms"),
        ("add", "@removal.steps"),
        ("replace", "@inspection.met_by"),
    ):
        fields = f'in: pact, n: 2, made: 2030-03-01, op: {op}, target: "{target}", value: {value}, text: {{pact: "In return"}}'
        more = f"  - {{{fields}}}\n"
        assert all(fault.what for fault in faults(TEXT.replace("facts:\n", more + "facts:\n")))
