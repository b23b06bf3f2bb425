"""One spelling for each name."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markings.attempts import attempt, told_well
from tallybook.markings.marking import MarkingError
from tallybook.markings.names import LONGEST_NAME, canonical_name, quoted


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("partner-desk", "PARTNER-DESK"),
        ("  Mc  Cloy ", "MC CLOY"),
        ("Strauß", "STRAUSS"),
        ("\uff35\uff33\uff21", "USA"),
        ("e\u0301", "\u00c9"),
        ("мид", "МИД"),
        ("中国 Китай"[:2], "中国"),
        ("ひらがな カタカナ", "ひらがな カタカナ"),
        ("o'neill jr. @desk_1+a", "O'NEILL JR. @DESK_1+A"),
    ],
)
def test_spellings(text: str, name: str) -> None:
    assert canonical_name(text) == name
    assert canonical_name(name.lower()) == name


@given(st.text(max_size=70))
def test_a_name_is_its_own_spelling_or_is_refused(text: str) -> None:
    name = attempt(lambda: canonical_name(text))
    if isinstance(name, MarkingError):
        assert told_well(name)
    else:
        assert canonical_name(name) == name == canonical_name(name.casefold())
        assert 0 < len(name) <= LONGEST_NAME
        assert not set(name) & set("/;,&:()")


def test_every_letter_there_is_has_one_spelling_or_none() -> None:
    taken = 0
    for code in range(0x110000):
        char = chr(code)
        if category(char)[0] not in "LMN":
            continue
        try:
            name = canonical_name(char)
        except MarkingError:
            continue
        taken += 1
        assert canonical_name(name) == name == canonical_name(name.lower())
    assert taken > 100_000


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "a blank name"),
        (" \u3000 ", "a blank name"),
        ("x" * 61, "a name of 61 characters"),
        ("ß" * 31, "a name of 62 characters"),
        ("x" * 100_000, "a name of 100000 characters"),
        ("a/b", "'/' in the name"),
        ("a;b", "';' in the name"),
        ("a&b", "'&' in the name"),
        ("a:b", "':' in the name"),
        ("a\u200bb", "<U\\+200B>' in the name"),
        ("a\x1b[31m", "<U\\+001B>' in the name"),
        ("nobody", "'NOBODY' is a word of markings"),
        ("NoForn", "'NOFORN' is a word of markings"),
        ("US\u0410", "mixes letters of CYRILLIC and LATIN"),
        ("\u0391BC", "mixes letters of GREEK and LATIN"),
    ],
)
def test_what_is_no_name(text: str, what: str) -> None:
    with pytest.raises(MarkingError, match=what) as caught:
        canonical_name(text)
    assert caught.value.do


def test_a_text_from_outside_is_cut_and_its_controls_are_spelled_out() -> None:
    assert quoted("a\x07b") == "'a<U+0007>b'"
    assert quoted("x" * 100) == "'" + "x" * 59 + "…'"
