"""Texts: passages and stretches are cut, bytes outside stay, and nothing that was cut is left in another form."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction.making import act_of, salts
from tallybook.casefile.redacting import TEXTS, verify_redaction
from tallybook.evidence import redaction
from tallybook.evidence.redaction import MARK, Passage, RedactionError, StillStandingError, Stretch, folded, redact_text

LETTER = b"To the desk\r\n\r\nAgent Keller met us.\r\nHe gave 12 names.\r\n"


def test_a_passage_is_cut_and_every_other_byte_stays() -> None:
    made = redact_text(LETTER, [Passage("text", "Keller")], salts())
    assert made.data == LETTER.replace(b"Keller", MARK.encode())
    assert len(made.removed) == 1


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        (Stretch(3, 7, 3, 12), b"To the desk\r\n\r\nAgent [redacted] met us.\r\nHe gave 12 names.\r\n"),
        (Stretch(3, 1, 4, 17), b"To the desk\r\n\r\n[redacted]\r\n"),
        (Stretch(1, 1, 1, 1), b"[redacted]o the desk\r\n\r\nAgent Keller met us.\r\nHe gave 12 names.\r\n"),
    ],
)
def test_a_stretch_is_cut_with_both_its_ends(cut: Stretch, left: bytes) -> None:
    assert redact_text(LETTER, [cut], salts()).data == left


@pytest.mark.parametrize(
    "cut",
    [
        Stretch(0, 1, 1, 2),
        Stretch(1, 0, 1, 2),
        Stretch(3, 7, 3, 99),
        Stretch(9, 1, 9, 2),
        Stretch(3, 7, 3, 5),
        Stretch(1, 7, 1, 7),
    ],
)
def test_a_stretch_outside_the_text_is_refused(cut: Stretch) -> None:
    with pytest.raises(RedactionError, match=r"no character at|nothing is cut"):
        redact_text(LETTER, [cut], salts())


@pytest.mark.parametrize("rest", [b"kELLER", b"Ke\\u006cler", b"K&#101;ller", b"K%65ller", "Ke\u00adller".encode()])
def test_what_was_cut_stands_nowhere_else(rest: bytes) -> None:
    with pytest.raises(StillStandingError, match="'Keller' in text"):
        redact_text(LETTER + rest, [Passage("text", "Keller")], salts())
    assert redact_text(LETTER + rest, [Passage("text", "Keller")], salts(), keep=["Keller"]).data.endswith(rest)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\xef\xbb\xbfKeller", "byte-order mark"),
        (b"Keller\xff", "not UTF-8"),
        (b"Keller\x1b[2J", "control character"),
        (b"Keller" * 700_000, "over 4,000,000 bytes"),
        (b"Keller x " * 501, "over 500 times"),
        (b"nothing", "there is no 'Keller'"),
    ],
)
def test_a_text_that_cannot_be_redacted_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(RedactionError, match=why):
        redact_text(raw, [Passage("text", "Keller")], salts())


def test_too_many_words_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "MOST_WORDS", 3)
    with pytest.raises(RedactionError, match="over 3 different words"):
        redact_text(b"alpha bravo charlie delta echo", [Stretch(1, 1, 1, 25)], salts())


@pytest.mark.parametrize("cuts", [[], [Passage("text", "Keller")] * 501])
def test_no_cut_and_too_many_are_refused(cuts: list[Passage | Stretch]) -> None:
    with pytest.raises(RedactionError, match=r"nothing is cut|over 500 cuts"):
        redact_text(LETTER, cuts, salts())


def test_occurrences_that_touch_are_one_place() -> None:
    assert redact_text(b"a" * 600, [Passage("text", "a")], salts()).data == MARK.encode()


def test_cutting_a_mark_removes_nothing() -> None:
    with pytest.raises(RedactionError, match="only marks"):
        redact_text(b"by [redacted]", [Passage("text", MARK)], salts())


@given(st.lists(st.text("abcXYÄßﬁ7 \n", min_size=1, max_size=7), min_size=2, max_size=12), st.data())
def test_every_text_verifies_and_keeps_no_word(pieces: list[str], data: st.DataObject) -> None:
    text = " ".join(pieces)
    cuts = [Passage("text", words) for words in data.draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=3))]
    try:
        made = redact_text(text.encode(), cuts, salts())
    except RedactionError:
        return
    left = "\n".join(folded(piece) for piece in made.data.decode().split(MARK))
    for opening in made.openings:
        assert not [word for word in re.findall(r"\w{4,}", folded(text[opening.start : opening.end])) if word in left]
    act = act_of(text.encode(), made.data, made.openings, TEXTS)
    assert verify_redaction(text.encode(), made.data, act, made.openings) == []
