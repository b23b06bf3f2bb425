"""Keys as text: what is written is read again, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.known_logs import LOG, WITNESS, taken
from tallybook.ledger.checkpoint import CheckpointError
from tallybook.ledger.keys import (
    COSIGNATURE,
    ED25519,
    CosignatureSigner,
    Ed25519Signer,
    KeyTextError,
    format_signer,
    generate,
    is_name,
    key_id,
    parse_signer,
    parse_vkey,
    vkey,
)
from tallybook.ledger.strict import read_base64, read_decimal, write_base64

EXAMPLE = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
# golang.org/x/mod/sumdb/note note_test.go, BSD-3-Clause
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"


def test_keys_of_others_are_read_and_written_as_they_were() -> None:
    for text in (EXAMPLE, GO_PUBLIC):
        assert vkey(parse_vkey(text)) == text
    signer = parse_signer(GO_PRIVATE)
    assert vkey(signer.verifier) == GO_PUBLIC
    assert format_signer(signer) == GO_PRIVATE


def test_any_change_of_one_bit_to_a_key_is_refused() -> None:
    for text in (EXAMPLE, vkey(WITNESS.verifier)):
        assert taken(text.encode(), lambda changed: parse_vkey(changed.decode("latin-1"))) == []


def test_any_change_of_one_bit_to_a_private_key_is_refused() -> None:
    assert taken(GO_PRIVATE.encode(), lambda changed: parse_signer(changed.decode("latin-1"))) == []


@given(
    name=st.text(min_size=1, max_size=30).filter(is_name),
    seed=st.binary(min_size=32, max_size=32),
    kind=st.sampled_from([ED25519, COSIGNATURE]),
)
def test_generated_keys_are_read_again(name: str, seed: bytes, kind: int) -> None:
    private, public = generate(name, seed, kind)
    signer = parse_signer(private)
    assert format_signer(signer) == private
    assert vkey(signer.verifier) == public == vkey(parse_vkey(public))
    assert parse_vkey(public).algorithm == kind


def test_one_key_has_another_id_for_another_algorithm() -> None:
    public = LOG.verifier.public
    assert key_id("a", ED25519, public) != key_id("a", COSIGNATURE, public)


@pytest.mark.parametrize(
    "name", ["", "two words", "a+b", "tab\t", "no\u00a0break", "line\u2028", "\ud800", "null\x00", "wide\u3000space", "next\x85"]
)
def test_names_that_no_note_can_hold_are_refused(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(KeyTextError):
        generate(name, bytes(32))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "a name, a key id and a key"),
        ("a+b", "a name, a key id and a key"),
        (EXAMPLE.replace("530d903a", "530D903A"), "eight small hexadecimal"),
        (EXAMPLE.replace("530d903a", "0530d903a"), "eight small hexadecimal"),
        (EXAMPLE + "=", "not base64"),
        (EXAMPLE + "\n", "not base64"),
        (EXAMPLE[:-1], "not base64"),
        ("x" * 9000, "9000 characters"),
    ],
)
def test_bad_keys_say_what_is_wrong(text: str, what: str) -> None:
    with pytest.raises(KeyTextError, match=what) as caught:
        parse_vkey(text)
    assert caught.value.do


@pytest.mark.parametrize(
    ("algorithm", "public", "what"), [(2, bytes(32), "algorithm 0x02"), (1, bytes(31), "31 bytes"), (4, bytes(33), "33")]
)
def test_kinds_and_lengths_that_are_not_known_are_refused(algorithm: int, public: bytes, what: str) -> None:
    text = f"a+{key_id('a', algorithm, public):08x}+{write_base64(bytes([algorithm]) + public)}"
    with pytest.raises(KeyTextError, match=what):
        parse_vkey(text)


def test_no_error_and_no_repr_shows_a_secret() -> None:
    secret = GO_PRIVATE.rsplit("+", 1)[1]
    for text in (GO_PRIVATE + "=", GO_PRIVATE.replace("c74f20a3", "c74f20a4"), GO_PRIVATE.replace("PRIVATE+KEY+", "")):
        with pytest.raises(KeyTextError) as caught:
            parse_signer(text)
        assert secret[:12] not in str(caught.value)
    assert "seed" not in repr(Ed25519Signer("a", bytes(32)))
    assert "seed" not in repr(CosignatureSigner("a", bytes(32)))


def test_seeds_of_another_length_and_kinds_that_are_not_known_make_no_key() -> None:
    with pytest.raises(KeyTextError, match="31 bytes"):
        generate("a", bytes(31))
    with pytest.raises(KeyTextError, match="0x06"):
        generate("a", bytes(32), 6)
    with pytest.raises(KeyTextError, match="0x09"):
        parse_signer(f"PRIVATE+KEY+a+00000000+{write_base64(bytes([9]) + bytes(32))}")
    with pytest.raises(KeyTextError, match="30 bytes"):
        parse_signer(f"PRIVATE+KEY+a+00000000+{write_base64(bytes([1]) + bytes(30))}")


def test_a_witness_key_signs_checkpoints_only_and_only_at_a_time() -> None:
    with pytest.raises(CheckpointError, match="checkpoints only"):
        WITNESS.at(1).sign(b"a letter\n")
    with pytest.raises(CheckpointError, match="not a time"):
        WITNESS.sign(b"a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
    assert not WITNESS.verifier.is_valid(b"a letter\n", bytes(72))
    assert not WITNESS.verifier.is_valid(b"\xff", bytes(72))
    assert not LOG.verifier.is_valid(b"", b"")


@pytest.mark.parametrize(
    "text", ["+5", "-5", "007", "00", " 5", "5 ", "5\n", "1_0", "１２", "٣", "", "9223372036854775808", "9" * 5000, "5.0"]
)
def test_numbers_that_python_would_take_are_refused(text: str) -> None:
    assert read_decimal(text) is None


@given(st.integers(0, (1 << 63) - 1))
def test_numbers_below_two_to_the_63_are_read(number: int) -> None:
    assert read_decimal(str(number)) == number


@given(st.binary(max_size=40))
def test_base64_has_one_form(raw: bytes) -> None:
    text = write_base64(raw)
    assert read_base64(text) == raw
    for changed in (text + "=", text + "\n", " " + text, text.replace("=", ""), text[:-1] + "*"):
        assert changed == text or read_base64(changed) is None


def test_stray_bits_in_base64_are_refused() -> None:
    assert read_base64("AA==") == b"\x00"
    assert [text for text in ("AB==", "AP==", "AAB=", "AA==AA==", "A===", "AA=A") if read_base64(text) is not None] == []
