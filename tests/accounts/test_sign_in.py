"""Signing in: who is let in, what a wrong name and a wrong password have in common, and how many tries there are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import Parameters, PasswordHasher, Type

from accounts.people import CHEAP, MINUTE, NOW, RIGHT, WRONG, add, behind
from accounts.trying import tries_at_once
from tallybook.accounts.errors import SignInError, UsersFileError
from tallybook.accounts.passwords import Passwords
from tallybook.accounts.session import SignedIn
from tallybook.accounts.sign_in import WRONG as WRONG_WORDS
from tallybook.accounts.sign_in import sign_in
from tallybook.accounts.store import UsersFile
from tallybook.accounts.tries import LOCKED, MOST, LockedError
from tallybook.accounts.users import change_roles, set_disabled, set_password, unlock, user_of


def refused(file: UsersFile, name: str, password: str, after: timedelta = timedelta()) -> str:
    with pytest.raises(SignInError) as caught:
        sign_in(file, name, password, NOW + after, CHEAP)
    return str(caught.value)


def test_the_right_password_lets_in_and_says_who_that_is(file: UsersFile) -> None:
    add(file, "bob", ("reviewer", "analyst"))
    assert sign_in(file, "bob", RIGHT, NOW, CHEAP) == SignedIn("bob", "bob", ("analyst", "reviewer"))
    assert sign_in(file, "BOB", RIGHT, NOW, CHEAP).user == "bob"


def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(file: UsersFile) -> None:
    wrong = refused(file, "anna", WRONG)
    assert WRONG_WORDS in wrong
    strange = ["nobody", "", "a" * 10**6, "anna\x00", "ann\u0430", "anna'--", "\u212aanna", "\ud800", "anna "]
    assert {refused(file, name, RIGHT) for name in strange} == {wrong}
    assert "anna" not in wrong


@pytest.mark.parametrize("name", ["anna", "nobody", "not a name", "a" * 10**6])
@pytest.mark.parametrize("password", [WRONG, "short", "a" * 10**6, "with\x00zero bytes"])
def test_every_refusal_takes_one_hash(file: UsersFile, name: str, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real_hash, real_verify = PasswordHasher.hash, PasswordHasher.verify

    def hash_(self: PasswordHasher, text: str, **more: Any) -> str:
        done.append("hash")
        return real_hash(self, text, **more)

    def verify(self: PasswordHasher, kept: str, text: str) -> bool:
        done.append("verify")
        return bool(real_verify(self, kept, text))

    monkeypatch.setattr(PasswordHasher, "hash", hash_)
    monkeypatch.setattr(PasswordHasher, "verify", verify)
    refused(file, name, password)
    assert len(done) == 1


def test_ten_wrong_passwords_lock_the_account_for_the_right_one_too_and_a_name_that_is_not_there_alike(file: UsersFile) -> None:
    told: dict[str, list[str]] = {}
    for name in ("anna", "nobody", "no name at all"):
        told[name] = [refused(file, name, WRONG, n * MINUTE) for n in range(MOST)]
        told[name] += [refused(file, name, RIGHT, 10 * MINUTE), refused(file, name, WRONG, 10 * MINUTE)]
    assert told["anna"] == told["nobody"] == told["no name at all"]
    assert [WRONG_WORDS in one for one in told["anna"]] == [True] * MOST + [False] * 2
    assert "locked for now" in told["anna"][-1]


def test_the_lock_ends_after_a_quarter_of_an_hour_and_lasts_over_a_restart(file: UsersFile) -> None:
    for _ in range(MOST):
        refused(file, "anna", WRONG)
    again = UsersFile(file.path)
    assert "locked" in refused(again, "anna", RIGHT, LOCKED - timedelta(microseconds=1))
    assert user_of(again, "anna", NOW).locked == NOW + LOCKED
    assert sign_in(again, "anna", RIGHT, NOW + LOCKED, CHEAP).user == "anna"
    assert user_of(again, "anna", NOW + LOCKED).locked is None


def test_tries_while_it_is_locked_do_not_lengthen_the_lock(file: UsersFile) -> None:
    for _ in range(MOST):
        refused(file, "anna", WRONG)
    for n in range(15):
        assert "locked" in refused(file, "anna", WRONG, n * MINUTE)
    assert sign_in(file, "anna", RIGHT, NOW + LOCKED, CHEAP).user == "anna"


def test_wrong_passwords_over_a_longer_time_lock_nothing(file: UsersFile) -> None:
    for n in range(40):
        assert WRONG_WORDS in refused(file, "anna", WRONG, n * timedelta(seconds=101))
    assert sign_in(file, "anna", RIGHT, NOW + timedelta(seconds=40 * 101), CHEAP).user == "anna"


def test_a_right_password_in_between_gives_no_more_tries(file: UsersFile) -> None:
    for _ in range(MOST - 1):
        refused(file, "anna", WRONG)
    for _ in range(3):
        sign_in(file, "anna", RIGHT, NOW, CHEAP)
    assert WRONG_WORDS in refused(file, "anna", WRONG)
    assert "locked" in refused(file, "anna", RIGHT)


def test_a_clock_that_is_set_back_gives_no_more_tries(file: UsersFile) -> None:
    for n in range(MOST):
        assert WRONG_WORDS in refused(file, "anna", WRONG, -n * timedelta(hours=1))
    assert "locked" in refused(file, "anna", RIGHT, timedelta(days=-400))


def test_a_clock_that_is_set_back_for_one_try_and_forward_again_gives_no_more(file: UsersFile) -> None:
    for _ in range(MOST - 1):
        refused(file, "anna", WRONG)
    refused(file, "anna", WRONG, timedelta(hours=-1))
    assert "locked" in refused(file, "anna", RIGHT)


def test_an_administrator_unlocks(file: UsersFile) -> None:
    for _ in range(MOST):
        refused(file, "anna", WRONG)
    with pytest.raises(LockedError):
        sign_in(file, "anna", RIGHT, NOW, CHEAP)
    assert unlock(file, "Anna", NOW) == MOST
    assert sign_in(file, "anna", RIGHT, NOW, CHEAP).user == "anna"


def test_one_account_locked_locks_no_other(file: UsersFile) -> None:
    add(file, "bob")
    for _ in range(MOST):
        refused(file, "bob", WRONG)
    assert sign_in(file, "anna", RIGHT, NOW, CHEAP).user == "anna"


def test_capital_letters_give_no_more_tries(file: UsersFile) -> None:
    for name in ["anna", "Anna", "ANNA", "aNNA", "anNa"] * 2:
        refused(file, name, WRONG)
    assert "locked" in refused(file, "anna", RIGHT)


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_processes_that_try_at_once_have_ten_tries_together(file: UsersFile, name: str) -> None:
    told = tries_at_once(file.path, name, processes=2, count=15)
    assert told[WRONG_WORDS] == MOST
    assert told["too many wrong passwords; signing in is locked for now"] == 30 - MOST
    assert set(told) == {WRONG_WORDS, "too many wrong passwords; signing in is locked for now"}


def test_a_process_that_is_killed_while_it_hashes_has_used_its_try(file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: Passwords, kept: str | None, password: str) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Passwords, "matches", killed)
        for _ in range(MOST):
            with pytest.raises(KeyboardInterrupt):
                sign_in(file, "anna", RIGHT, NOW, CHEAP)
    assert "locked" in refused(file, "anna", RIGHT)


def test_whoever_is_disabled_or_without_a_role_is_told_so_after_the_right_password_only(file: UsersFile) -> None:
    add(file, "bob")
    change_roles(file, "bob", [], ["analyst"], NOW)
    add(file, "carl")
    set_disabled(file, "carl", NOW, disabled=True)
    assert "no role, and may do nothing" in refused(file, "bob", RIGHT)
    assert "disabled" in refused(file, "carl", RIGHT)
    assert refused(file, "bob", WRONG) == refused(file, "carl", WRONG) == refused(file, "nobody", WRONG)
    set_disabled(file, "carl", NOW, disabled=False)
    assert sign_in(file, "carl", RIGHT, NOW, CHEAP).user == "carl"


def test_a_hash_with_older_parameters_is_made_anew_at_sign_in(file: UsersFile) -> None:
    dearer = Passwords(Parameters(Type.ID, 19, 16, 32, 2, 16, 1))
    before = user_of(file, "anna", NOW).password
    with pytest.raises(SignInError):
        sign_in(file, "anna", WRONG, NOW, dearer)
    assert user_of(file, "anna", NOW).password == before
    sign_in(file, "anna", RIGHT, NOW, dearer)
    after = user_of(file, "anna", NOW).password
    assert "m=16,t=2,p=1" in after
    sign_in(file, "anna", RIGHT, NOW, dearer)
    assert user_of(file, "anna", NOW).password == after


def test_a_password_that_is_changed_meanwhile_lets_nobody_in(file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Passwords.matches

    def slowly(self: Passwords, kept: str | None, password: str) -> bool:
        set_password(file, "anna", CHEAP.hashed("another horse battery"), NOW)
        return real(self, kept, password)

    monkeypatch.setattr(Passwords, "matches", slowly)
    assert WRONG_WORDS in refused(file, "anna", RIGHT)


def test_a_damaged_hash_is_told_to_nobody_but_as_damage(file: UsersFile) -> None:
    behind(file, "UPDATE user SET password = 'plain'")
    with pytest.raises(UsersFileError, match="damaged"):
        sign_in(file, "anna", "plain", NOW, CHEAP)


def test_old_tries_are_not_kept(file: UsersFile) -> None:
    for n in range(12):
        refused(file, f"nobody{n}", WRONG)
    refused(file, "anna", WRONG, timedelta(hours=1))
    with file.read() as link:
        assert link.execute("SELECT count(*) FROM try").fetchone()[0] == 1


def test_the_file_and_its_log_are_for_their_owner_only(file: UsersFile, tmp_path: Path) -> None:
    with file.write() as link:
        link.execute("INSERT INTO role VALUES ('anna', 'analyst')")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"users.db": 0o600, "users.db-wal": 0o600, "users.db-shm": 0o600}
