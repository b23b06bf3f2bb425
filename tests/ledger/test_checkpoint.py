"""The body of a checkpoint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.known_logs import KEYS, LOG, ORIGIN, STRANGER, head, note, pieces, taken
from tallybook.ledger.checkpoint import LONGEST_BODY, Checkpoint, CheckpointError, format_body, parse_body
from tallybook.ledger.note import NoteError, SignatureError, sign_note, verify_note
from tallybook.ledger.signed import add_signatures, open_checkpoint, sign_checkpoint
from tallybook.ledger.strict import write_base64

ROOT = write_base64(bytes(32))
LINES = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), max_size=20)


@given(LINES.filter(bool), st.integers(0, (1 << 63) - 1), st.binary(min_size=32, max_size=32), st.lists(LINES, max_size=3))
def test_what_is_written_is_read_again(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert parse_body(format_body(checkpoint)) == checkpoint


@given(pieces("log", "\n", "0", "12", ROOT, "=", " ", "\x00"))
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        checkpoint = parse_body(text)
    except CheckpointError:
        return
    assert format_body(checkpoint) == text


@pytest.mark.parametrize(
    "size",
    [
        "",
        "-34",
        "+5",
        "007",
        "00",
        "0x1",
        "1_000",
        " 5",
        "5 ",
        "１２",
        "٤",
        "3438945738945739845734895735",
        "9223372036854775808",
        "1e3",
    ],
)
def test_sizes_that_are_no_plain_number_are_refused(size: str) -> None:
    with pytest.raises(CheckpointError, match="line 2"):
        parse_body(f"log\n{size}\n{ROOT}\n")


@pytest.mark.parametrize(
    "root", ["", ROOT[:-1], ROOT + " ", ROOT[:-2] + "B=", write_base64(bytes(31)), write_base64(bytes(33)), "isn't"]
)
def test_roots_that_are_not_32_bytes_in_base64_are_refused(root: str) -> None:
    with pytest.raises(CheckpointError, match="line 3"):
        parse_body(f"log\n1\n{root}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "log\n1\n",
        f"log\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"log\r\n1\r\n{ROOT}\r\n",
        f"l\x7f\x00g\n1\n{ROOT}\n",
        f"\ud800\n1\n{ROOT}\n",
    ],
)
def test_bodies_cut_short_or_with_control_characters_are_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        parse_body(text)


def test_a_body_has_a_longest_length() -> None:
    with pytest.raises(CheckpointError, match="at most"):
        parse_body(f"log\n1\n{ROOT}\n" + "x" * LONGEST_BODY + "\n")


@pytest.mark.parametrize(
    "parts",
    [
        ("", 1, bytes(32)),
        ("a\nb", 1, bytes(32)),
        ("a", -1, bytes(32)),
        ("a", 1 << 63, bytes(32)),
        ("a", 1, b""),
        ("\x07", 1, bytes(32)),
    ],
)
def test_a_checkpoint_that_cannot_be_written_cannot_be_made(parts: tuple[str, int, bytes]) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint(*parts)
    with pytest.raises(CheckpointError):
        Checkpoint("a", 1, bytes(32), ("two\nlines",))


def test_any_change_of_one_bit_to_a_signed_checkpoint_is_refused() -> None:
    assert taken(note(13), lambda changed: open_checkpoint(changed, KEYS)) == []


def test_a_checkpoint_is_opened_for_its_own_log_and_key_only() -> None:
    assert open_checkpoint(note(5), KEYS, ORIGIN).checkpoint == head(5)
    with pytest.raises(SignatureError, match="not of another"):
        open_checkpoint(note(5), KEYS, "another")
    with pytest.raises(SignatureError, match="no trusted key"):
        open_checkpoint(note(5), [STRANGER.verifier])
    with pytest.raises(SignatureError, match="no trusted key"):
        open_checkpoint(note(5), [])


def test_a_signed_letter_is_no_checkpoint() -> None:
    with pytest.raises(CheckpointError):
        open_checkpoint(sign_note("dear all\n", [LOG]), KEYS)


def test_signatures_are_added_once() -> None:
    other = verify_note(sign_checkpoint(head(5), [STRANGER]), [STRANGER.verifier]).signatures
    both = add_signatures(note(5), other)
    assert both == sign_checkpoint(head(5), [LOG, STRANGER])
    assert add_signatures(both, other) == both
    with pytest.raises(NoteError):
        add_signatures(b"nothing", other)
