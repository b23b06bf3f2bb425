"""Tokens: shown once, good until a day, ended at will; and what is told of one that is not good."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from accounts.people import CHEAP, DAY, MINUTE, NOW, Random, add, new_file
from tallybook.accounts.errors import AccountError, SignInError, UsersFileError
from tallybook.accounts.roles import Act
from tallybook.accounts.session import SignedIn, session, signed_in
from tallybook.accounts.store import UsersFile
from tallybook.accounts.tokens import MOST_DAYS, Issued, issue, revoke, token_of, tokens_of
from tallybook.accounts.users import change_roles, set_disabled, set_password

UNKNOWN = "no such token"


def new(file: UsersFile, name: str = "bob", days: int = 30, label: str = "", at: datetime = NOW) -> Issued:
    return issue(file, name, days, label, at, Random())


def refused(file: UsersFile, text: str, at: datetime = NOW) -> str:
    with pytest.raises(SignInError) as caught:
        signed_in(file, text, at)
    told = str(caught.value)
    assert len(text) < 20 or text not in told
    return told


@pytest.fixture
def bob(file: UsersFile) -> Issued:
    """A token of bob, an analyst."""
    add(file, "bob")
    return new(file)


def test_a_token_says_who_holds_it(file: UsersFile, bob: Issued) -> None:
    assert signed_in(file, bob.text, NOW) == SignedIn("bob", "bob", ("analyst",))
    assert signed_in(UsersFile(file.path), bob.text, NOW + 30 * DAY - MINUTE).user == "bob"


def test_only_the_hash_of_its_secret_is_kept(file: UsersFile, bob: Issued) -> None:
    _, id_, secret = bob.text.split("_")
    assert len(secret) == 64
    raw = b"".join(path.read_bytes() for path in file.path.parent.iterdir())
    assert sha256(bytes.fromhex(secret)).digest() in raw
    assert id_.encode() in raw
    for form in (secret.encode(), bytes.fromhex(secret), bob.text.encode()):
        assert form not in raw


def test_it_is_in_no_repr(file: UsersFile, bob: Issued) -> None:
    shown = f"{bob!r} {bob} {bob.token!r} {tokens_of(file, 'bob')!r} {signed_in(file, bob.text, NOW)!r}"
    assert bob.text not in shown
    assert bob.text.split("_")[2] not in shown
    assert repr(bob.token.digest) not in shown


def test_what_ended_a_token_is_told_to_whoever_holds_its_secret(file: UsersFile, bob: Issued) -> None:
    assert "expired on 2001-03-05 04:05 UTC" in refused(file, bob.text, NOW + 30 * DAY)
    add(file, "carl")
    carl = issue(file, "carl", 30, "", NOW, lambda size: bytes(size))
    revoke(file, carl.token.id, NOW + DAY)
    assert "revoked on 2001-02-04 04:05 UTC" in refused(file, carl.text, NOW + DAY)


@pytest.mark.parametrize("change", ["revoke", "expire", "disable", "role"])
def test_without_its_secret_a_token_that_ended_is_as_one_that_never_was(file: UsersFile, bob: Issued, change: str) -> None:
    at = NOW
    if change == "revoke":
        revoke(file, bob.token.id, NOW)
    elif change == "expire":
        at = NOW + 31 * DAY
    elif change == "disable":
        set_disabled(file, "bob", NOW, disabled=True)
    else:
        change_roles(file, "bob", [], ["analyst"], NOW)
    other = f"tby_{bob.token.id}_{'0' * 64}"
    assert refused(file, other, at) == refused(file, f"tby_{'f' * 12}_{'0' * 64}", at)
    assert UNKNOWN in refused(file, other, at)
    assert UNKNOWN not in refused(file, bob.text, at)


def test_a_user_who_is_disabled_or_without_a_role_is_not_let_in_by_a_token(file: UsersFile, bob: Issued) -> None:
    set_disabled(file, "bob", NOW, disabled=True)
    assert "this user is disabled" in refused(file, bob.text)
    with pytest.raises(SignInError, match="disabled"):
        new(file)
    set_disabled(file, "bob", NOW, disabled=False)
    assert signed_in(file, bob.text, NOW).user == "bob"
    change_roles(file, "bob", [], ["analyst"], NOW)
    assert "no role, and may do nothing" in refused(file, bob.text)
    with pytest.raises(SignInError, match="no role"):
        new(file)


MALFORMED = [
    "",
    "tby",
    "tby_",
    "tby__",
    f"tby_{'0' * 12}_{'0' * 63}",
    f"tby_{'0' * 12}_{'0' * 65}",
    f"tby_{'0' * 12}_{'g' * 64}",
    f"TBY_{'0' * 12}_{'0' * 64}",
    f"tby_{'A' * 12}_{'0' * 64}",
    f"tby_{'0' * 12}_{'0' * 64}\n",
    f" tby_{'0' * 12}_{'0' * 64}",
    f"tby_{chr(0x661) * 12}_{'0' * 64}",
    f"tby_{'0' * 12}_{chr(0xFF10) * 64}",
    f"tby_{'0' * 12}_{'0' * 63}\x00",
    "tby_' OR 1=1 --_" + "0" * 64,
    "tby_" * 10**6,
    "\ud800" * 80,
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_token_is_told_as_such_and_not_repeated(file: UsersFile, text: str) -> None:
    told = refused(file, text)
    assert "not a token" in told
    assert len(told) < 200


def test_one_digit_that_differs_is_another_token(file: UsersFile, bob: Issued) -> None:
    for at in range(4, len(bob.text)):
        if bob.text[at] != "_":
            other = bob.text[:at] + ("1" if bob.text[at] != "1" else "2") + bob.text[at + 1 :]
            assert UNKNOWN in refused(file, other)


def test_an_end_stays_when_the_clock_is_set_back(file: UsersFile, bob: Issued) -> None:
    assert "expired" in refused(file, bob.text, NOW + 30 * DAY)
    assert "expired" in refused(file, bob.text, NOW + DAY)
    assert tokens_of(file, "bob")[0].state(NOW + DAY) == "expired"


def test_a_clock_before_the_tokens_last_use_lets_nobody_in(file: UsersFile, bob: Issued) -> None:
    signed_in(file, bob.text, NOW + 10 * DAY)
    assert "the clock of this machine stands before" in refused(file, bob.text, NOW + 9 * DAY)
    assert "the clock of this machine stands before" in refused(file, bob.text, NOW - DAY)
    assert signed_in(file, bob.text, NOW + 10 * DAY - 4 * MINUTE).user == "bob"


def test_the_last_use_is_kept_to_the_minute_and_never_goes_back(file: UsersFile, bob: Issued) -> None:
    for seconds, kept in ((0, 0), (59, 0), (61, 61), (30, 61), (600, 600)):
        signed_in(file, bob.text, NOW + timedelta(seconds=seconds))
        assert tokens_of(file, "bob")[0].last_used == NOW + timedelta(seconds=kept)


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1, 10**30])
def test_a_token_is_good_for_a_day_to_a_year(file: UsersFile, days: int) -> None:
    with pytest.raises(AccountError, match="good for 1 to 366 days"):
        new(file, "anna", days)
    assert new(file, "anna", MOST_DAYS).token.expires == NOW + 366 * DAY


def test_too_many_tokens_are_refused_and_those_that_ended_do_not_count(file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallybook.accounts.tokens.MOST_TOKENS", 2)
    random = Random()
    first = issue(file, "anna", 1, "", NOW, random)
    issue(file, "anna", 1, "", NOW, random)
    with pytest.raises(AccountError, match="2 tokens in use"):
        issue(file, "anna", 1, "", NOW, random)
    revoke(file, first.token.id, NOW)
    issue(file, "anna", 1, "", NOW, random)
    issue(file, "anna", 1, "", NOW + DAY, random)


def test_a_token_is_ended_by_its_id_once(file: UsersFile, bob: Issued) -> None:
    assert revoke(file, bob.token.id, NOW).revoked is None
    assert revoke(file, bob.token.id, NOW + DAY).revoked == NOW
    assert token_of(file, bob.token.id).revoked == NOW
    with pytest.raises(UsersFileError), file.write() as link:
        link.execute("UPDATE token SET revoked = NULL")


@pytest.mark.parametrize("id_", ["", "f" * 12, "x' OR 1=1 --", "\x00" * 12, "a" * 10**6])
def test_an_id_that_is_none_is_told_without_it(file: UsersFile, bob: Issued, id_: str) -> None:
    with pytest.raises(AccountError, match="no token has this id") as caught:
        revoke(file, id_, NOW)
    assert not id_ or id_ not in str(caught.value)
    with pytest.raises(AccountError) as caught:
        revoke(file, bob.text, NOW)
    assert bob.text not in str(caught.value)


def test_the_session_is_of_the_token_in_the_environment(file: UsersFile, bob: Issued) -> None:
    users = {"TALLYBOOK_USERS": str(file.path)}
    assert session(users, NOW) is None
    assert session({**users, "TALLYBOOK_TOKEN": " "}, NOW) is None
    assert session({"XDG_CONFIG_HOME": "/nowhere"}, NOW) is None
    assert session({**users, "TALLYBOOK_TOKEN": f"{bob.text}\n"}, NOW) == SignedIn("bob", "bob", ("analyst",))
    assert session({"TALLYBOOK_TOKEN": bob.text}, NOW, file.path) == SignedIn("bob", "bob", ("analyst",))
    with pytest.raises(SignInError):
        session({**users, "TALLYBOOK_TOKEN": "x"}, NOW)
    with pytest.raises(UsersFileError, match="no file of users"):
        session({"TALLYBOOK_TOKEN": bob.text, "XDG_CONFIG_HOME": "/nowhere"}, NOW)


def test_whoever_is_signed_in_may_do_what_their_roles_permit() -> None:
    analyst = SignedIn("bob", "bob", ("analyst",))
    analyst.require(Act.FILE)
    assert analyst.permits("make bearings")
    with pytest.raises(SignInError, match="no role of bob permits this: regrade"):
        analyst.require(Act.REGRADE)


class Life(RuleBasedStateMachine):
    """The life of tokens, held against a model that remembers in plain words what was done."""

    tokens: Bundle[str] = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file, self.random, self.now = new_file(Path(self.folder.name)), Random(), NOW
        add(self.file, "bob")
        self.ends: dict[str, datetime] = {}
        self.revoked: set[str] = set()
        self.lapsed: set[str] = set()
        self.used: dict[str, datetime] = {}
        self.is_disabled, self.has_role = False, True

    @rule(target=tokens, days=st.integers(1, 5))
    def make(self, days: int) -> str | MultipleResults[str]:
        if self.is_disabled or not self.has_role:
            with pytest.raises(SignInError):
                issue(self.file, "bob", days, "", self.now, self.random)
            return multiple()
        made = issue(self.file, "bob", days, "", self.now, self.random)
        self.ends[made.text] = self.now + days * DAY
        self.used[made.text] = self.now
        return made.text

    @rule(hours=st.integers(-30, 60))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(token=tokens)
    def revoke(self, token: str) -> None:
        revoke(self.file, token.split("_")[1], self.now)
        self.revoked.add(token)

    @rule(token=consumes(tokens))
    def revoke_and_forget(self, token: str) -> None:
        self.revoke(token)
        assert "revoked" in refused(self.file, token, self.now)

    @rule(is_disabled=st.booleans())
    def disable(self, is_disabled: bool) -> None:
        set_disabled(self.file, "bob", self.now, disabled=is_disabled)
        self.is_disabled = is_disabled

    @rule(has_role=st.booleans())
    def give_or_take_the_role(self, has_role: bool) -> None:
        change_roles(self.file, "bob", ["analyst"] if has_role else [], [] if has_role else ["analyst"], self.now)
        self.has_role = has_role

    @rule()
    def change_the_password(self) -> None:
        set_password(self.file, "bob", CHEAP.hashed("another horse battery"), self.now)
        self.revoked |= {token for token, end in self.ends.items() if token not in self.lapsed and end > self.now}

    @rule(token=tokens)
    def use(self, token: str) -> None:
        if self.now >= self.ends[token] and token not in self.revoked:
            self.lapsed.add(token)
        if token in self.revoked:
            expected = "revoked"
        elif token in self.lapsed:
            expected = "expired"
        elif self.now < self.used[token] - timedelta(minutes=5):
            expected = "clock"
        elif self.is_disabled:
            expected = "disabled"
        elif not self.has_role:
            expected = "no role"
        else:
            assert signed_in(self.file, token, self.now).user == "bob"
            self.used[token] = max(self.used[token], self.now)
            return
        assert expected in refused(self.file, token, self.now)

    @invariant()
    def never_another(self) -> None:
        assert UNKNOWN in refused(self.file, f"tby_{'e' * 12}_{'0' * 64}", self.now)

    def teardown(self) -> None:
        self.folder.cleanup()


def test_the_life_of_tokens_is_as_a_model_has_it() -> None:
    run_state_machine_as_test(Life, settings=settings(max_examples=15, stateful_step_count=20, deadline=None))
