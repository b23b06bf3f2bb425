"""Quotations are checked word for word; what is folded and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.agreement.provision import Instrument
from tallybook.agreement.quotation import quotations, reading_text, unsupported

SOURCE = """We shall  remove ~~all of~~ the ++heavy++ guns
from the \u201cnorthern\u201d bank,\tand the other side\u2019s guns stay."""
INSTRUMENTS = {
    "memo": Instrument.model_validate({"name": "memo", "in_hand": "whole", "file": "sources/memo.txt"}),
    "letter": Instrument.model_validate({"name": "letter", "in_hand": "quoted", "read_in": "memo"}),
    "talk": Instrument.model_validate({"name": "talk", "in_hand": "described", "read_in": "memo"}),
    "lost": Instrument.model_validate({"name": "lost", "in_hand": "none"}),
    "gone": Instrument.model_validate({"name": "gone", "in_hand": "whole", "file": "sources/gone.txt"}),
}
TEXTS = {"memo": reading_text(SOURCE)}


def problem(words: str, instrument: str = "memo") -> tuple[str, str] | None:
    return unsupported(words, instrument, INSTRUMENTS, TEXTS)


def test_a_source_as_it_is_to_be_read() -> None:
    assert TEXTS["memo"] == 'We shall remove the heavy guns from the "northern" bank, and the other side\'s guns stay.'


def test_struck_words_may_run_over_lines_and_are_no_words() -> None:
    assert reading_text("a ~~b\nc~~ d ~~e~~ f") == "a d f"
    assert reading_text("a ~~ never closed") == "a ~~ never closed"


@pytest.mark.parametrize(
    "words",
    [
        "We shall remove the heavy guns",
        "guns from the",
        "guns\n   from the",
        'the "northern" bank',
        "the \u201cnorthern\u201d bank",
        "the other side's guns",
        "the other side\u2019s guns stay.",
        "remove the ++heavy++ guns",
        "remove the\u00a0heavy guns",
    ],
)
def test_what_is_there_word_for_word(words: str) -> None:
    assert problem(words) is None
    assert problem(words, "letter") is None


@pytest.mark.parametrize(
    "words",
    [
        "We shall remove all of the heavy guns",
        "we shall remove",
        "remove heavy guns",
        "the northern bank",
        "the guns [...] stay",
        "remove the heavy guns.",
        "the heavy gun s",
    ],
)
def test_what_is_not_there_word_for_word(words: str) -> None:
    found = problem(words)
    assert found is not None
    assert "not in memo, word for word" in found[0]
    assert words in found[0]


def test_what_to_do_shows_how_far_the_source_agrees() -> None:
    found = problem("We shall remove the light guns")
    assert found is not None
    assert "agrees up to 'We shall remove the'" in found[1]
    assert "heavy guns" in found[1]
    nowhere = problem("Nothing of the kind")
    assert nowhere is not None
    assert "struck out" in nowhere[1]


def test_an_empty_quotation_quotes_nothing() -> None:
    for words in ("", "  \n", "~~all of~~", "++++"):
        assert problem(words) is not None, words


@pytest.mark.parametrize(
    ("instrument", "words"),
    [("nobody", "no instrument"), ("lost", "not in hand"), ("talk", "not in hand"), ("gone", "could not be read")],
)
def test_what_cannot_be_quoted(instrument: str, words: str) -> None:
    found = problem("We shall", instrument)
    assert found is not None
    assert words in found[0]


def test_every_quotation_is_found_with_its_path() -> None:
    data: Any = {
        "standards": {"good": {"at_least": 0.7, "text": {"memo": "one"}}},
        "provisions": [
            {
                "id": "a",
                "text": {"memo": ["two", "three"]},
                "because": {"letter": "four"},
                "includes": [{"text": {"memo": "five"}}],
            },
            {"id": "b", "covers": {"memo": "six"}, "must_use": {"text": {"memo": "seven"}}},
            {"id": "c", "covers": "a-definition", "note": "text"},
        ],
        "changes": [{"value": {"kind": "duty", "text": {"memo": "eight"}}, "text": {"memo": "nine"}}],
    }
    found = {words: (path, instrument) for path, instrument, words in quotations(data)}
    assert set(found) == {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
    assert found["four"] == (("provisions", 0, "because", "letter"), "letter")
    assert found["five"][0] == ("provisions", 0, "includes", 0, "text", "memo")


WORDS = st.lists(st.text("abc\u2019", min_size=1, max_size=4), min_size=1, max_size=12)


@given(WORDS, st.data())
def test_every_run_of_words_of_a_source_is_borne_out_and_a_changed_one_is_not(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    texts = {"memo": reading_text("\n".join(words))}
    assert unsupported(" ".join(words[start:end]), "memo", INSTRUMENTS, texts) is None
    assert unsupported(" ".join([*words[start:end], "Z"]), "memo", INSTRUMENTS, texts) is not None


@given(st.text(max_size=60))
def test_reading_a_source_twice_changes_nothing_more(text: str) -> None:
    once = reading_text(text.replace("~", "").replace("+", ""))
    assert reading_text(once) == once
