"""Passwords: what may be one, how it is hashed, and what is told of a wrong one."""

from __future__ import annotations

import unicodedata

import pytest
from argon2 import Parameters, Type
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given
from hypothesis import strategies as st

from accounts.people import CHEAP, RIGHT, WRONG, Random
from tallybook.accounts.errors import AccountError, PasswordError, UsersFileError
from tallybook.accounts.passwords import SHIPPED, Passwords, check_new, made, prepared


def test_the_shipped_hash_is_argon2id_with_the_second_parameters_of_rfc_9106_as_another_library_reads_it() -> None:
    kept = SHIPPED.hashed(RIGHT)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert SHIPPED.matches(kept, RIGHT)
    assert not SHIPPED.matches(kept, WRONG)
    assert not SHIPPED.is_old(kept)
    Argon2id.verify_phc_encoded(RIGHT.encode(), kept)
    with pytest.raises(InvalidKey):
        Argon2id.verify_phc_encoded(WRONG.encode(), kept)


def test_a_hash_of_another_library_is_read() -> None:
    other = Argon2id(salt=b"0123456789abcdef", length=32, iterations=1, lanes=1, memory_cost=8)
    kept = other.derive_phc_encoded(RIGHT.encode())
    assert CHEAP.matches(kept, RIGHT)
    assert not CHEAP.is_old(kept)


def test_each_hash_has_its_own_salt() -> None:
    assert CHEAP.hashed(RIGHT) != CHEAP.hashed(RIGHT)
    assert Passwords(CHEAP.parameters, Random()).hashed(RIGHT) == Passwords(CHEAP.parameters, Random()).hashed(RIGHT)


@pytest.mark.parametrize("change", [{"time_cost": 2}, {"memory_cost": 16}, {"hash_len": 64}, {"salt_len": 32}])
def test_a_hash_with_other_parameters_is_old(change: dict[str, int]) -> None:
    was = {"type": Type.ID, "version": 19, "salt_len": 16, "hash_len": 32, "time_cost": 1, "memory_cost": 8, "parallelism": 1}
    other = Passwords(Parameters(**{**was, **change}))  # type: ignore[arg-type]
    assert other.is_old(CHEAP.hashed(RIGHT))
    assert other.matches(CHEAP.hashed(RIGHT), RIGHT)


def test_composed_and_decomposed_accents_are_one_password_and_compatible_letters_are_not() -> None:
    kept = CHEAP.hashed("caf\u00e9 de la paix")
    assert CHEAP.matches(kept, "cafe\u0301 de la paix")
    assert CHEAP.matches(kept, "caf\u00e9\u00a0de\u3000la paix")
    assert not CHEAP.matches(kept, "caf\u00e9 de la Paix")
    assert not CHEAP.matches(CHEAP.hashed("of\ufb01ce of the desk"), "office of the desk")


@pytest.mark.parametrize(
    ("password", "what"),
    [
        ("", "shorter"),
        ("x" * 11, "shorter"),
        ("e\u0301" * 11, "shorter"),
        ("a" * 1001, "longer"),
        ("a" * 10**6, "longer"),
        ("correct horse\x00battery", "prints nothing"),
        ("correct horse\nbattery", "prints nothing"),
        ("correct\u200bhorse battery", "prints nothing"),
        ("correct\u202ehorse battery", "prints nothing"),
        ("correct\ud800horse battery", "prints nothing"),
        ("correct\ue000horse battery", "prints nothing"),
        ("correct\u0378horse battery", "prints nothing"),
    ],
)
def test_what_cannot_be_a_password_is_refused_and_is_never_right(password: str, what: str) -> None:
    with pytest.raises(PasswordError, match=what) as caught:
        prepared(password)
    assert password[:11] not in str(caught.value) or not password
    assert not CHEAP.matches(CHEAP.hashed(RIGHT), password)
    assert not CHEAP.matches(None, password)


@pytest.mark.parametrize(
    "password", ["maria.ivanova", "Maria.Ivanova", "maria.ivanova123", "maria.ivanova maria.ivanova", "-maria.ivanova-"]
)
def test_a_name_is_no_password(password: str) -> None:
    expected = "it is the name"
    if password.endswith("123"):
        check_new(password, "maria.ivanova")
        return
    with pytest.raises(PasswordError, match=expected):
        check_new(password, "maria.ivanova")


def test_the_name_of_the_reader_is_no_password_either() -> None:
    with pytest.raises(PasswordError, match="it is the name"):
        check_new("the partner desk", "bob", "The Partner Desk")


@pytest.mark.parametrize("password", ["aaaaaaaaaaaaaaaa", "abcdabcdabcdabcd", "AaBbAaBbAaBbAaBb", "            "])
def test_few_different_characters_are_no_password(password: str) -> None:
    with pytest.raises(PasswordError, match="fewer than 5 different characters"):
        check_new(password, "bob")


def test_too_little_memory_is_told() -> None:
    huge = Passwords(Parameters(Type.ID, 19, 16, 32, 1, 2**32 - 1, 1))
    with pytest.raises(AccountError, match="too little memory"):
        huge.hashed(RIGHT)


def test_made_passwords_may_be_set_and_differ() -> None:
    random = st.binary(min_size=20, max_size=20)

    @given(random)
    def is_fine(given: bytes) -> None:
        text = made(lambda size: given[:size])
        assert len(prepared(text)) == 24
        assert unicodedata.normalize("NFKC", text) == text

    is_fine()
    assert made(lambda size: bytes(range(size))) == "abcd-efgh-ijkm-npqr-stuv"


@pytest.mark.parametrize("kept", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$AAAA$", "$1$md5", "plain", CHEAP.hashed(RIGHT)[:40]])
def test_a_damaged_hash_is_told_as_such(kept: str) -> None:
    with pytest.raises(UsersFileError, match="damaged") as caught:
        CHEAP.matches(kept, RIGHT)
    assert RIGHT not in str(caught.value)


def test_a_hash_that_was_cut_short_or_changed_lets_nobody_in() -> None:
    kept = CHEAP.hashed(RIGHT)
    assert not CHEAP.matches(kept[:-11], RIGHT)
    assert not CHEAP.matches(kept[:-4] + ("AAAA" if not kept.endswith("AAAA") else "BBBB"), RIGHT)


@given(st.text(max_size=40))
def test_a_text_is_prepared_to_the_same_however_it_is_composed(text: str) -> None:
    try:
        composed = prepared(text)
    except PasswordError:
        return
    assert prepared(unicodedata.normalize("NFD", text)) == composed
    assert prepared(composed) == composed
