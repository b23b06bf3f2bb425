"""Hostile input to redaction: refused in words and in time; never a crash, never a redaction that hides less than it says."""

from __future__ import annotations

import json
import zlib
from hashlib import sha256
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.making import OBSERVED, SETTING, act_of, picture, row_act, salts, saved
from tallybook.casefile.redacting import PICTURE, TEXTS, openings_json, read_openings, row_bytes, verify_redaction
from tallybook.errors import TallybookError
from tallybook.evidence.ingest.redact_picture import Box, chunk_faults, redact_picture
from tallybook.evidence.redaction import Opening, Passage, RedactionError, Setting, Stretch, Whole, redact_row, redact_text

SETTING_KEEPING = Setting(SETTING.tz, SETTING.places, keep=("42", "shells"))
OPENING = Opening("text", "passage", "0" * 64, bytes(32), 0, 6)


@pytest.mark.parametrize(
    "change",
    [
        {"salt": "00"},
        {"salt": "zz" * 32},
        {"sha256": "0"},
        {"start": -1},
        {"start": 7},
        {"start": True},
        {"end": 6.0},
        {"field": None},
        {"more": 1},
    ],
)
def test_openings_that_are_none_are_refused(change: dict[str, Any]) -> None:
    (good,) = json.loads(openings_json([OPENING]))
    with pytest.raises(RedactionError, match="an opening"):
        read_openings(json.dumps([good | change]))


@pytest.mark.parametrize("text", ["", "{}", "[]", "[" * 100_000, "null", "[1]", "x" * 1_000_001, json.dumps([1] * 501)])
def test_text_that_is_no_openings_is_refused(text: str) -> None:
    with pytest.raises(RedactionError):
        read_openings(text)


@pytest.mark.parametrize(
    "removed",
    [
        "",
        "[]",
        "{" * 5_000,
        '{"of":"text"}',
        '{"of":"film","cuts":[],"first":"' + "0" * 64 + '","new":"' + "0" * 64 + '"}',
        '{"of":"text","cuts":[],"first":1,"new":"' + "0" * 64 + '"}',
        '{"of":"text","cuts":{},"first":"","new":""}',
        " " * 1_000_001,
    ],
)
def test_an_act_that_tells_nothing_usable_is_one_fault(removed: str) -> None:
    assert len(verify_redaction(b"a", b"b", {"act": "release", "removed": removed}, [OPENING])) == 1


@given(st.binary(max_size=300), st.binary(max_size=300), st.sampled_from(["row", TEXTS, PICTURE]))
def test_bytes_that_are_nothing_never_verify(first: bytes, new: bytes, form: str) -> None:
    act = act_of(first, new, (OPENING,), form)
    assert verify_redaction(first, new, act, [OPENING])


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP"]))
def test_a_damaged_picture_is_refused_or_redacted_in_full(at: int, by: int, form: str) -> None:
    raw = bytearray(saved(picture(), form))
    raw[at % len(raw)] ^= by
    try:
        made = redact_picture(bytes(raw), [Box(0, 0, 8, 8)], salts())
    except TallybookError:
        return
    assert chunk_faults(made.data) == []
    assert verify_redaction(bytes(raw), made.data, act_of(bytes(raw), made.data, made.openings, PICTURE), made.openings) == []


@given(st.data())
def test_any_byte_changed_in_a_redacted_picture_is_seen(data: st.DataObject) -> None:
    first = saved(picture())
    made = redact_picture(first, [Box(0, 0, 8, 8)], salts())
    changed = bytearray(made.data)
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    act = act_of(first, bytes(changed), made.openings, PICTURE)
    assert verify_redaction(first, bytes(changed), act, made.openings)


@given(st.data())
def test_any_field_changed_in_a_redacted_row_is_seen(data: st.DataObject) -> None:
    made = redact_row(OBSERVED, [Whole("statement")], "OBS-R1", "TLP:GREEN", salts(), SETTING_KEEPING)
    first, new, act = row_act(OBSERVED, made)
    row = json.loads(new)["row"]
    column = data.draw(st.sampled_from(sorted(row)))
    changed = row_bytes(row | {column: row[column] + data.draw(st.text("abc", min_size=1, max_size=3))})
    honest = json.loads(act["removed"])
    lied = act | {"removed": json.dumps(honest | {"new": sha256(changed).hexdigest()})}
    assert verify_redaction(first, new, act, made.openings, SETTING_KEEPING) == []
    assert verify_redaction(first, changed, lied, made.openings, SETTING_KEEPING)


def test_a_picture_that_says_it_is_vast_is_refused_in_time() -> None:
    raw = bytearray(saved(picture()))
    raw[16:24] = (60_000).to_bytes(4, "big") * 2
    raw[29:33] = zlib.crc32(bytes(raw[12:29])).to_bytes(4, "big")
    start = perf_counter()
    with pytest.raises(TallybookError, match=r"60,000 by 60,000 pixels|damaged \(DecompressionBomb"):
        redact_picture(bytes(raw), [Box(0, 0, 8, 8)], salts())
    assert perf_counter() - start < 5


def test_a_long_text_of_one_letter_ends_in_time() -> None:
    start = perf_counter()
    with pytest.raises(RedactionError, match="over 500 times"):
        redact_text(b"a" * 4_000_000, [Passage("text", "a" * 2_000)], salts())
    assert perf_counter() - start < 10


def test_a_line_far_away_ends_in_time() -> None:
    start = perf_counter()
    with pytest.raises(RedactionError, match="no character at"):
        redact_text(b"a\n" * 1_000, [Stretch(10**12, 1, 10**12, 1)], salts())
    assert perf_counter() - start < 5


@pytest.mark.parametrize("words", ["\u202e", "\ud800", "\x1b[31m"])
def test_what_is_shown_of_hostile_words_does_not_reach_a_terminal(words: str) -> None:
    with pytest.raises(RedactionError) as caught:
        redact_row(OBSERVED, [Passage("statement", f"x{words}x")], "R-1", "TLP:GREEN", salts(), SETTING)
    assert str(caught.value).isprintable() or words not in str(caught.value)


@pytest.mark.parametrize("value", ["half \ud800", "nul \0", "bell \x07", "x" * 4_000_001])
def test_a_row_that_is_no_plain_text_is_refused(value: str) -> None:
    with pytest.raises(RedactionError, match="not plain text"):
        redact_row(OBSERVED | {"note": value}, [Whole("statement")], "R-1", "TLP:GREEN", salts(), SETTING)
