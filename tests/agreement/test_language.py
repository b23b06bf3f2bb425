"""Conditions: every operator, the conventions of time, and the caret under the place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreement.recorded import START, VECTORS, F, Recorded, Steps, T, U, signals, truth
from tallybook.agreement.language import ConditionError, atom_of, condition
from tallybook.agreement.situation import Atom
from tallybook.core.truth import Truth

CLAIM_WORDS = [
    "no-evidence",
    "claimed",
    "indicated",
    "supported",
    "verified",
    "unclear",
    "disputed",
    "contradicted",
    "unverified",
]
DUTY_WORDS = ["not-yet-owed", "owed", "performed", "overdue", "withheld", "waived", "released"]
NORM_WORDS = ["in-force", "pending", "suspended", "lapsed", "repealed"]

# ------------------------------------------------------------------------------------------------- operators, one by one

CONSTANT: dict[str, Steps] = {"t": [(-1e4, T)], "f": [(-1e4, F)], "u": []}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t", T),
        ("u", U),
        ("not f", T),
        ("not u", U),
        ("not not t", T),
        ("t and f", F),
        ("f and u", F),
        ("t and u and t", U),
        ("f or u", U),
        ("u or t", T),
        ("u implies t", T),
        ("f implies u", T),
        ("t implies u", U),
        ("t or f and f", T),
        ("(t or f) and f", F),
        ("not f and f", F),
        ("not (f and f)", T),
        ("f implies f or f", T),
        ("(f implies f) and f", F),
        ("t\tand\tt", T),
        ("  t  ", T),
        ("never_recorded", U),
    ],
)
def test_connectives_and_what_binds_stronger(text: str, expected: Truth) -> None:
    assert truth(text, facts=CONSTANT) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every ?w in arms has out(?w)", F),
        ("all ?w in arms has out(?w)", F),
        ("some ?w in arms has out(?w)", T),
        ("every ?w in pair has out(?w)", U),
        ("some ?w in open has out(?w)", T),
        ("some ?w in shut has out(?w)", F),
        ("some ?w in ajar has out(?w)", U),
        ("every ?w in ajar has not out(?w)", U),
        ("every ?w in ajar has out(?w)", F),
        ("every ?w in none has out(?w)", T),
        ("some ?w in none has out(?w)", F),
        ("every ?w in unsettled has out(?w)", U),
        ("some ?w in unsettled has out(?w)", U),
        ("every ?w in arms has some ?v in arms has same(?w, ?v)", F),
        ("some ?w in arms has some ?v in arms has same(?w, ?v)", T),
    ],
)
def test_quantifiers_over_what_a_term_covers(text: str, expected: Truth) -> None:
    terms = {"arms": ["a", "b"], "pair": ["a", "c"], "open": ["a"], "shut": ["b"], "ajar": ["b"], "none": [], "unsettled": None}
    facts: dict[str, Steps] = {"out(a)": [(-9, T)], "out(b)": [(-9, F)], "same(a, b)": [(-9, T)], "same(a, a)": [(-9, F)]}
    facts |= {"same(b, a)": [(-9, F)], "same(b, b)": [(-9, F)]}
    assert truth(text, facts=facts, terms=terms, open_terms=frozenset({"open", "ajar"})) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count(?w in arms) == 3", T),
        ("count(?w in arms) > 3", F),
        ("count(?w in arms has out(?w)) >= 1", T),
        ("count(?w in arms has out(?w)) >= 2", U),
        ("count(?w in arms has out(?w)) >= 3", F),
        ("count(?w in arms has out(?w)) == 1", U),
        ("count(?w in arms has out(?w)) == 0", F),
        ("count(?w in arms has out(?w)) != 0", T),
        ("count(?w in arms has out(?w)) <= 2", T),
        ("count(?w in arms has out(?w)) < 2", U),
        ("2 > count(?w in arms has not out(?w))", U),
        ("count(?w in open) >= 1", T),
        ("count(?w in open) <= 1", U),
        ("count(?w in open) == 0", F),
        ("count(?w in unsettled) >= 0", T),
        ("count(?w in unsettled) >= 1", U),
        ("count(?w in arms) >= count(?w in arms has out(?w))", T),
        ("2.5 < 3", T),
    ],
)
def test_counts_are_bounds_until_everything_is_known(text: str, expected: Truth) -> None:
    facts: dict[str, Steps] = {"out(a)": [(-9, T)], "out(b)": [(-9, F)]}
    terms = {"arms": ["a", "b", "c"], "open": ["a"], "unsettled": None}
    assert truth(text, facts=facts, terms=terms, open_terms=frozenset({"open"})) is expected


@pytest.mark.parametrize(
    "word",
    [*CLAIM_WORDS, *DUTY_WORDS, *NORM_WORDS],
)
def test_every_status_word_asks_for_the_status(word: str) -> None:
    parsed = condition(f"{word} @lift.first and other")
    assert parsed.references == {"@lift.first"}
    assert truth(f"{word} @lift", statuses={f"{word} @lift": [(-1, T)]}) is T
    assert truth(f"not {word} @lift", statuses={f"{word} @lift": [(-1, F)]}) is T


def test_a_status_word_is_an_ordinary_name_without_a_reference() -> None:
    assert condition("suspended").atoms == {"suspended"}
    assert condition("owed(money)").atoms == {"owed(money)"}


def test_what_a_condition_speaks_of() -> None:
    parsed = condition('verified @a and every ?w in arms has once p(?w, to=x, 3, "two words", @b) implies count(?v in ships) > 2')
    assert parsed.references == {"@a"}
    assert parsed.terms == {"arms", "ships"}
    assert parsed.atoms == {"p(?w, 3, two words, @b, to=x)"}


def test_named_arguments_have_no_order_and_the_others_do() -> None:
    assert atom_of("agreed(x, by=us, to=them)") == atom_of("agreed(x, to=them, by=us)")
    assert atom_of("agreed(x, by=us)") == atom_of("agreed(by=us, x)")
    assert atom_of("agreed(x, y)") != atom_of("agreed(y, x)")
    assert str(atom_of("agreed(x, y, by=us)")) == "agreed(x, y, by=us)"
    assert atom_of('named("a b")') == Atom("named", (("0", "a b"),))


@pytest.mark.parametrize("text", ["a and b", "verified @a", "every ?w in arms has p(?w)", "1 < 2", ""])
def test_one_atom_is_wanted_where_a_fact_is_recorded(text: str) -> None:
    with pytest.raises(ConditionError):
        atom_of(text)


def test_reasons_are_those_that_decided_and_gaps_are_what_it_waits_for() -> None:
    found = condition("t and f and u")(Recorded(CONSTANT), START)
    assert found.reasons == ("f false",)
    found = condition("t and u")(Recorded(CONSTANT), START)
    assert found.truth is U
    assert found.waits_for == ("u",)
    found = condition("t or u")(Recorded(CONSTANT), START)
    assert found.reasons == ("t true",)


# --------------------------------------------------------------------------------------------------------------- time

PULSE: dict[str, Steps] = {"p": [(-100, F), (10, T), (20, F)]}


@pytest.mark.parametrize(("at", "expected"), [(9.99, F), (10, T), (15, T), (19.99, T), (20, F), (30, F)])
def test_a_state_holds_from_its_start_inclusive_to_its_end_exclusive(at: float, expected: Truth) -> None:
    assert truth("p", at, facts=PULSE) is expected


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("once within 5h p", 9.99, F),
        ("once within 5h p", 10, T),
        ("once within 5h p", 24.99, T),
        ("once within 5h p", 25, F),
        ("once [2h, 5h] p", 11.99, F),
        ("once [2h, 5h] p", 12, T),
        ("once [2h, 5h] p", 24.99, T),
        ("once [2h, 5h] p", 25, F),
        ("once [2h, ..] p", 12, T),
        ("once [2h, ..] p", 9000, T),
        ("once p", 9, F),
        ("once p", 9000, T),
        ("once [5h, 5h] p", 15, T),
        ("once [5h, 5h] p", 14.99, F),
        ("always within 5h p", 14.99, F),
        ("always within 5h p", 15, T),
        ("always within 5h p", 19.99, T),
        ("always within 5h p", 20, F),
        ("always [2h, 5h] p", 15, T),
        ("always [2h, 5h] p", 21.99, T),
        ("always [2h, 5h] p", 22, F),
        ("always within 0h p", 10, T),
        ("always p", 15, F),
        ("always not p", 9.99, T),
        ("always not p", 10, F),
    ],
)
def test_windows_are_closed_at_both_ends(text: str, at: float, expected: Truth) -> None:
    assert truth(text, at, facts=PULSE) is expected


def test_a_window_closed_at_its_far_end_sees_an_event_of_one_instant() -> None:
    event: dict[str, Steps] = {"e": [(-100, F), (10, T), (10.001, F)]}
    assert truth("once [0h, 5h] e", 15, facts=event) is T
    assert truth("once [5h, 7h] e", 15, facts=event) is T
    assert truth("once [0h, 5h] e", 15.01, facts=event) is F


def test_every_unit_of_a_window() -> None:
    for unit, length in {"min": 1 / 60, "h": 1, "d": 24, "w": 168, "mo": 744, "y": 8760}.items():
        event: dict[str, Steps] = {"e": [(-20_000, F), (-length, T), (-length + 0.001, F)]}
        assert truth(f"once within 1{unit} e", 0, facts=event) is T
        assert truth(f"once within 1{unit} e", 0.01, facts=event) is F


def test_since_includes_now() -> None:
    facts: dict[str, Steps] = {"p": [(-100, T), (20, F)], "q": [(-100, F), (10, T), (11, F)]}
    assert truth("p since q", 9, facts=facts) is F
    assert truth("p since q", 10, facts=facts) is T
    assert truth("p since q", 19.99, facts=facts) is T
    assert truth("p since q", 20, facts=facts) is F
    # At the instant of the witness itself the left side need not hold.
    facts["p"] = [(-100, F)]
    assert truth("p since q", 10, facts=facts) is T
    assert truth("p since q", 11, facts=facts) is F


def test_since_in_a_window() -> None:
    facts: dict[str, Steps] = {"p": [(-100, T)], "q": [(-100, F), (10, T), (11, F)]}
    for at, expected in ((11.99, F), (12, T), (15.99, T), (16, F)):
        assert truth("p since [2h, 5h] q", at, facts=facts) is expected
    assert truth("p since within 5h q", 10, facts=facts) is T
    assert truth("p since [2h, ..] q", 9000, facts=facts) is T


def test_left_must_hold_right_after_the_witness() -> None:
    """reelay's case that depends on a convention: states are right-open here, so there is never a witness."""
    (item,) = VECTORS["convention_sensitive"]
    assert item["true_on_if_states_are_right_open"] == []
    facts = signals(item["signal"])
    for quarter in range(4 * 20, 4 * 444):
        assert truth("not p1 since [10h, 20h] p1", quarter / 4, facts=facts) is F


def test_events_of_one_instant_are_compared_by_time() -> None:
    facts: dict[str, Steps] = {"p": [(-9, F), (10, T)], "q": [(-9, F), (10, T), (10.5, F)]}
    assert truth("p since q", 12, facts=facts) is T
    assert truth("q since p", 10, facts=facts) is T


def test_a_window_may_reach_back_before_the_record_and_an_open_one_begins_with_it() -> None:
    facts: dict[str, Steps] = {"p": [(10, T)]}
    assert truth("always within 5h p", 15, facts=facts) is T
    assert truth("always within 6h p", 15, facts=facts) is U
    assert truth("once within 6h not p", 15, facts=facts) is U
    assert truth("always p", 15, facts=facts) is T
    assert truth("once [5h, ..] p", 14, facts=facts) is U
    assert truth("p since [5h, ..] p", 14, facts=facts) is U


def test_windows_within_windows_change_between_the_records() -> None:
    facts: dict[str, Steps] = {"p": [(-100, F), (0, T), (1, F), (9, T), (10, F)]}
    assert truth("once within 5h p", 5, facts=facts) is T
    assert truth("once within 5h p", 7, facts=facts) is F
    assert truth("always within 9h (once within 5h p)", 9, facts=facts) is F
    assert truth("once within 9h always within 2h not p", 9, facts=facts) is T


def test_the_edges_of_the_calendar_are_no_overflow() -> None:
    record = Recorded({"p": [(-9, T)]})
    assert condition("once within 1000y p")(record, datetime.min.replace(tzinfo=UTC)).truth is U
    assert condition("always within 1000y p")(record, datetime.max.replace(tzinfo=UTC)).truth is T


# -------------------------------------------------------------------------------------------------------------- the caret


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("", 1, "too early"),
        ("p and", 6, "too early"),
        ("(p", 3, "too early"),
        ("not", 4, "too early"),
        ("once within 7d", 15, "too early"),
        ("count(?x in arms) >", 20, "too early"),
        ("p)", 2, "')'"),
        ("p and and q", 7, "'and'"),
        ("p & q", 3, "'&'"),
        ("p = q", 3, "'='"),
        ("verified removal", 10, "'removal'"),
        ("once within 7 p", 13, "'7'"),
        ("every w in arms has p", 7, "'w'"),
        ("p since q since r", 11, "'since'"),
        ("p implies q implies r", 13, "'implies'"),
        ("p and 'x'", 7, "'x'"),
        ("p and \u00e9", 7, "'\u00e9'"),
        ("once [.., 1d] p", 7, "'..'"),
        ("p(?x", 5, "too early"),
        ("eventually p", 12, "'p'"),
    ],
)
def test_the_caret_is_under_the_place(text: str, column: int, what: str) -> None:
    with pytest.raises(ConditionError) as caught:
        condition(text)
    error = caught.value
    assert error.column == column
    message, quoted, caret = str(error).split("\n")
    assert what in message
    assert quoted == f"    {text}"
    assert caret.index("^") == 4 + column - 1


def test_a_window_that_is_too_long_has_its_caret() -> None:
    with pytest.raises(ConditionError, match="longer than") as caught:
        condition("once within 999999y p")
    assert caught.value.column == 13


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ConditionError) as caught:
        condition("p and once [7d, 1d] q")
    assert caught.value.column == 17


@pytest.mark.parametrize(
    "text",
    [
        "p and\nq",
        "(" * 60 + "p" + ")" * 60,
        "not " * 60 + "p",
        "not(" * 60 + "p" + ")" * 60,
        "p and " * 400 + "p",
        "once " * 60 + "p",
        "always within 1d once " * 8 + "p",
        "every ?x in arms has " * 20 + "p",
    ],
)
def test_what_is_too_long_or_too_deep_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        condition(text)


def test_what_is_within_the_limits_is_read() -> None:
    assert truth("(" * 40 + "t" + ")" * 40, facts=CONSTANT) is T
    assert truth("not " * 40 + "t", facts=CONSTANT) is T
    assert truth(" or ".join(["f"] * 300), facts=CONSTANT) is F


WORDS = [
    "p",
    "q",
    "and",
    "or",
    "not",
    "implies",
    "once",
    "always",
    "since",
    "within",
    "7d",
    "every",
    "?x",
    "in",
    "arms",
    "has",
    "count",
]
ALPHABET = st.sampled_from(
    [*WORDS, "(", ")", "[1d, 2d]", "verified", "@a", "<=", "3", '"x y"', ",", "=", "[", "]", "..", "\u00e9", "%", "\t"]
)


@given(st.lists(ALPHABET, max_size=12).map(" ".join) | st.text(max_size=20))
def test_any_text_is_a_condition_or_has_a_caret_within_it(text: str) -> None:
    try:
        parsed = condition(text)
    except ConditionError as error:
        column = error.column
    else:
        column = 1
        assert parsed(Recorded(terms={"arms": ["a"]}), START).truth in (T, F, U)
    assert 1 <= column <= len(text) + 1


def test_an_argument_given_twice_is_refused_at_its_place() -> None:
    with pytest.raises(ConditionError, match="given twice") as caught:
        condition("a(x=1, x=2)")
    assert caught.value.column == 10


def test_a_tab_does_not_move_the_caret() -> None:
    with pytest.raises(ConditionError) as caught:
        condition("p and\tand")
    _, quoted, caret = str(caught.value).split("\n")
    assert quoted[caret.index("^") :] == "and"


@pytest.mark.parametrize(
    ("text", "free"), [("departed(?w)", {"?w"}), ("every ?w in arms has departed(?w, ?x)", {"?x"}), ("p", set())]
)
def test_variables_that_nothing_binds(text: str, free: set[str]) -> None:
    assert condition(text).free == free
