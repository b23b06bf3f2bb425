"""Formulas in plain text: what reads, and errors that show the place."""

from __future__ import annotations

import pytest

from tallybook.formula.nodes import And, Compare, Eventually, Exists, Implies, Not, Once, Or, Predicate, Since, Variable, Window
from tallybook.formula.text import LONGEST, FormulaTextError, parse
from tallybook.formula.tree import FormulaError, as_text

P, Q, R = Predicate("p"), Predicate("q"), Predicate("r")


def test_binding() -> None:
    assert parse("p and q or r") == Or((And((P, Q)), R))
    assert parse("not p and q") == And((Not(P), Q))
    assert parse("p or q implies r") == Implies(Or((P, Q)), R)
    assert parse("not p since q and r") == And((Since(Window(0, None), Not(P), Q), R))
    assert parse("once p and q") == And((Once(Window(0, None), P), Q))
    assert parse("(p and q) and r") == And((And((P, Q)), R))


def test_exists_reaches_to_the_right() -> None:
    x = Variable("?x")
    inner = And((Predicate("q", (x,)), P))
    assert parse("exists ?x. q(?x) and p") == Exists(("?x",), inner)
    assert parse("r and exists ?x, ?x. q(?x) and p") == And((R, Exists(("?x",), inner)))
    assert parse("(exists ?x. q(?x)) and p") == And((Exists(("?x",), Predicate("q", (x,))), P))


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("[2,21)", Window(2, 21, lo_open=False, hi_open=True)),
        ("(2,21]", Window(2, 21, lo_open=True, hi_open=False)),
        ("[0,7d]", Window(0, 604_800)),
        ("[30min,1.5h]", Window(1800, 5400)),
        ("within 2w", Window(0, 1_209_600)),
        ("within 3", Window(0, 3)),
        ("[0.5,1e2]", Window(0.5, 100.0)),
        ("[2,..]", Window(2, None)),
        ("(2,..)", Window(2, None, lo_open=True)),
        ("", Window(0, None)),
    ],
)
def test_windows(text: str, window: Window) -> None:
    assert parse(f"once {text} p") == Once(window, P)
    assert parse(f"p since {text} q") == Since(window, P, Q)


def test_a_parenthesis_after_once_need_not_be_a_window() -> None:
    assert parse("once (1 < ?x)") == Once(Window(0, None), Compare(1, "<", Variable("?x")))
    assert parse("once (1, 2] p") == Once(Window(1, 2, lo_open=True), P)


def test_terms() -> None:
    args = (Variable("?x"), -1, 2.5, "a\n", True, False, None)
    assert parse(r'p(?x, -1, 2.5, "a\n", true, false, null)') == Predicate("p", args)
    assert parse("`not one`(?x)") == Predicate("not one", (Variable("?x"),))
    assert parse("p()") == P
    assert parse("android and notable") == And((Predicate("android"), Predicate("notable")))


def test_comments_and_lines() -> None:
    assert parse("p # the first\n  and\n\tq\n") == And((P, Q))


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("", 1, 1, "ends too early"),
        ("p and", 1, 6, "ends too early"),
        ("p(?x", 1, 5, "ends too early"),
        ("p and )", 1, 7, "not understood from ')' on"),
        ("p(x)", 1, 3, 'a variable is written ?x, a text "x"'),
        ("p AND q", 1, 3, "write 'and'"),
        ("p implies q implies r", 1, 13, "parentheses"),
        ("p $ q", 1, 3, "not understood from '$' on"),
        ("p and\n  q q", 2, 5, "not understood from 'q' on"),
        ("eventually p", 1, 1, "needs an end"),
        ("p and q until r", 1, 9, "needs an end"),
        ("eventually[0,..] p", 1, 14, "needs an upper bound"),
        ("once[5,2] p", 1, 8, "ends (2) before it begins (5)"),
        ("once[0,1e999] p", 1, 8, "too large"),
        ('p("?x")', 1, 3, "would be a variable"),
        (r'p("\q")', 1, 3, "escapes"),
        ("not " * 100 + "p", 1, 245, "nested deeper"),
        (" or ".join(["p"] * 3000), 1, 1, "split the formula"),
        ("p" * 2000, 1, 1, "1000 characters"),
    ],
)
def test_errors_show_the_place(text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(FormulaTextError) as caught:
        parse(text)
    error = caught.value
    assert what in str(error)
    if "split" not in what:
        assert (error.line, error.column) == (line, column)
    _, shown, caret = str(error).splitlines()
    assert caret.strip() == "^"
    if column <= len(text) and line == 1 and len(text) < 100:
        assert shown[caret.index("^")] == text[column - 1]


def test_length_and_parentheses_are_limited() -> None:
    with pytest.raises(FormulaError, match=f"longer than {LONGEST}"):
        parse("p " * LONGEST)
    assert parse("(" * 5000 + "p" + ")" * 5000) == P
    with pytest.raises(FormulaError):
        parse("(" * 9000)


@pytest.mark.parametrize(
    "text", ["\x00", "p(\ud800)", '"', "`", "[", "?", "..", "p(?x)(?y)", "exists . p", "exists ?x p", "within"]
)
def test_rubbish_is_refused_in_words(text: str) -> None:
    with pytest.raises(FormulaTextError):
        parse(text)


def test_written_as_read() -> None:
    text = "publish(?r) and not eventually[0,604800] approve(?r)"
    assert as_text(parse(text)) == text
    formula = And((Exists(("?x",), Predicate("q", (Variable("?x"),))), Eventually(Window(0, 5, hi_open=True), Or((P, Q)))))
    assert as_text(formula) == "(exists ?x. q(?x)) and eventually[0,5) (p or q)"
    assert parse(as_text(formula)) == formula
