"""Signed notes: the good, the malformed, and every change of one bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.known_logs import KEYS, LOG, STRANGER, pieces, taken
from tallybook.ledger.keys import Ed25519Verifier, parse_vkey
from tallybook.ledger.note import (
    LONGEST_NOTE,
    MOST_SIGNATURES,
    Note,
    NoteError,
    Signature,
    SignatureError,
    SignatureLineError,
    format_note,
    parse_note,
    sign_note,
    verify_note,
)

# golang.org/x/mod/sumdb/note note_test.go, BSD-3-Clause
PETER = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
ENOCH = parse_vkey("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH_LINE = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
ALTERED = ENOCH_LINE[:60] + "ABCD" + ENOCH_LINE[60:]


def note(*lines: str, text: str = TEXT) -> bytes:
    return (text + "\n" + "".join(lines)).encode()


@pytest.mark.parametrize(
    ("raw", "keys", "count"),
    [
        (note(PETER_LINE, ENOCH_LINE), [PETER], 1),
        (note(PETER_LINE, ENOCH_LINE), [PETER, ENOCH], 2),
        (note(PETER_LINE), [ENOCH, PETER, ENOCH], 1),
        (note(PETER_LINE, PETER_LINE, ENOCH_LINE, ENOCH_LINE, ALTERED), [PETER], 1),
        (note(ENOCH_LINE, ALTERED), [ENOCH], 1),
        (note(*[PETER_LINE] * MOST_SIGNATURES), [PETER], 1),
    ],
)
def test_gos_good_notes(raw: bytes, keys: list[Ed25519Verifier], count: int) -> None:
    assert len(verify_note(raw, keys).keys) == count
    assert format_note(parse_note(raw)) == raw


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        (TEXT + "\n").encode(),
        note(PETER_LINE[:-1]),
        note(PETER_LINE, text="\x01" + TEXT),
        b"\xff" + note(PETER_LINE),
        note("— Bad Name x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"),
        note(PETER_LINE, "Unexpected line.\n"),
        note(*[PETER_LINE] * (MOST_SIGNATURES + 1)),
        note(PETER_LINE).replace(b"\n", b"\r\n"),
        note(PETER_LINE).replace("— ".encode(), b"- "),
        note(PETER_LINE).replace("— ".encode(), "—  ".encode()),
        note(PETER_LINE).replace("— Peter".encode(), "—\u00a0Peter".encode()),
        note("— Peter+Neumann x08go/ZJ\n"),
        note("— PeterNeumann x08go/ZJ=\n"),
        note("— PeterNeumann x08gow==\n"),
        note("— PeterNeumann\n"),
        note("— PeterNeumann \n"),
        note("\n"),
        PETER_LINE.encode(),
        b"",
        b"\xed\xa0\x80" + note(PETER_LINE),
        b"\xc0\x8a" + note(PETER_LINE),
    ],
)
def test_malformed_notes_are_refused(raw: bytes) -> None:
    with pytest.raises(NoteError) as caught:
        verify_note(raw, [PETER])
    assert caught.value.do


def test_a_note_has_a_longest_length() -> None:
    with pytest.raises(NoteError, match="at most"):
        parse_note(b"x" * (LONGEST_NOTE + 1))


def test_the_text_may_hold_empty_lines_and_what_looks_like_a_signature() -> None:
    text = TEXT + "\n" + PETER_LINE
    raw = sign_note(text, [LOG])
    assert verify_note(raw, KEYS).note.text == text


def test_a_trusted_keys_wrong_signature_refuses_the_whole_note() -> None:
    with pytest.raises(SignatureError, match="EnochRoot is not over this text"):
        verify_note(note(PETER_LINE, ALTERED), [PETER, ENOCH])
    with pytest.raises(SignatureError, match="EnochRoot is not over this text"):
        verify_note(note(ALTERED, ENOCH_LINE), [ENOCH])


def test_a_name_or_an_id_alone_is_another_key() -> None:
    misnamed, wrong_id = PETER_LINE.replace("PeterNeumann", "CarmenSandiego"), PETER_LINE.replace("x08g", "xxxx")
    for line in (misnamed, wrong_id):
        with pytest.raises(SignatureError, match="no trusted key"):
            verify_note(note(line), [PETER])


class Twin:
    """Another key that pretends to have the name and id of `LOG`."""

    name, algorithm, public, key_id = LOG.name, 1, bytes(32), LOG.verifier.key_id

    def is_valid(self, text: bytes, signature: bytes) -> bool:
        return True


def test_two_keys_with_one_name_and_id_are_refused() -> None:
    with pytest.raises(SignatureError, match="share the id"):
        verify_note(sign_note("text\n", [LOG]), [LOG.verifier, Twin()])


def test_any_change_of_one_bit_to_a_note_is_refused() -> None:
    assert taken(note(PETER_LINE), lambda changed: verify_note(changed, [PETER])) == []
    both = note(PETER_LINE, ENOCH_LINE)

    def two_signed(changed: bytes) -> None:
        if len(verify_note(changed, [PETER, ENOCH]).keys) < 2:
            raise SignatureError("the format lets a line become an unknown key's: then that signer no longer counts")

    assert taken(both, two_signed) == []


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"])), st.booleans())
def test_what_is_signed_verifies_and_replaces_an_older_signature(line: str, both: bool) -> None:
    text = line + "\n"
    raw = sign_note(text, [LOG, STRANGER] if both else [LOG])
    assert verify_note(raw, KEYS).note.text == text
    again = sign_note(text, [LOG], parse_note(raw).signatures)
    assert len(parse_note(again).signatures) == 1 + both


@pytest.mark.parametrize("text", ["", "no end", "bell\x07\n", "half \ud800\n"])
def test_texts_that_no_note_can_hold_are_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign_note(text, [LOG])


def test_signatures_that_no_note_can_hold_are_not_written() -> None:
    for bad in (Signature("a b", 1, b"x"), Signature("a", 1, b"")):
        with pytest.raises(SignatureLineError):
            format_note(Note("text\n", (bad,)))
    with pytest.raises(NoteError):
        format_note(Note("text\n", ()))


@given(pieces("a", "\n", " ", "— ", "— a AAAAAAA=\n", "\n\n", "AAAA", most=30))
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        read = parse_note(text.encode())
    except NoteError:
        return
    assert format_note(read) == text.encode()
