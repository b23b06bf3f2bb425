"""`tallybook user` as it is used: in a pipe, on a terminal, by an administrator with a token."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts.people import CHEAP, NOW, RIGHT, WRONG, behind
from tallybook.accounts.reads import note_read
from tallybook.accounts.store import UsersFile
from tallybook.cli.main import main

TOKEN = re.compile(r"^tby_[0-9a-f]{12}_[0-9a-f]{64}$", re.MULTILINE)


class Users:
    """A person at a desk with a file of users of its own."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self._patch, self._capsys = path, patch, capsys

    def run(self, *arguments: str, given: str | bytes = "", expect: int = 0) -> str:
        """Run `tallybook user`; returns what it printed on standard output and error."""
        raw = given.encode() if isinstance(given, str) else given
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        self._capsys.readouterr()
        code = main(["user", *arguments])
        out = self._capsys.readouterr()
        assert code == expect, out.out + out.err
        assert "Traceback" not in out.err
        return out.out + out.err

    def add(self, name: str, *more: str, password: str = RIGHT, expect: int = 0) -> str:
        return self.run("add", name, *more, "--password-stdin", given=f"{password}\n", expect=expect)

    def json(self, *arguments: str, expect: int = 0) -> Any:
        self._capsys.readouterr()
        code = main(["user", *arguments, "--json"])
        out = self._capsys.readouterr()
        assert code == expect, out.out + out.err
        return json.loads(out.out)

    def token(self, name: str, *more: str) -> str:
        found = TOKEN.search(self.run("token", name, *more))
        assert found is not None
        return found[0]

    def be(self, token: str | None) -> None:
        """Set TALLYBOOK_TOKEN, or unset it."""
        if token is None:
            self._patch.delenv("TALLYBOOK_TOKEN", raising=False)
        else:
            self._patch.setenv("TALLYBOOK_TOKEN", token)


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Users:
    """A file of users with anna, an administrator, and bob, an analyst."""
    desk = nobody(tmp_path, monkeypatch, capsys)
    desk.add("anna", "--role", "administrator")
    desk.add("bob", "--role", "analyst", "--reader", "Bob of the partner desk")
    return desk


def nobody(tmp_path: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Users:
    patch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("TALLYBOOK_TOKEN", "TALLYBOOK_USERS"):
        patch.delenv(name, raising=False)
    # New hashes are cheap here; `test_a_terminal_asks_twice…` and tests/accounts/test_passwords.py make them as shipped.
    patch.setattr("tallybook.accounts.passwords.SHIPPED", CHEAP)
    return Users(tmp_path / "config" / "tallybook" / "users.db", patch, capsys)


def test_the_first_user_must_be_an_administrator_and_nothing_is_made_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = nobody(tmp_path, monkeypatch, capsys)
    assert "no file of users" in desk.run("list", expect=2)
    assert "the first user must be an administrator" in desk.add("bob", "--role", "analyst", expect=2)
    assert "shorter than 12" in desk.add("anna", "--role", "administrator", password="short", expect=2)
    assert not desk.path.exists()
    told = desk.add("anna", "--role", "administrator")
    assert "added anna: administrator" in told
    assert str(desk.path) in told
    assert desk.path.stat().st_mode & 0o777 == 0o600


def test_from_password_to_answer(users: Users) -> None:
    assert "nobody" in users.run("who", expect=1)
    told = users.run("sign-in", "bob", "--password-stdin", "--for", "1", given=f"{RIGHT}\r\n")
    token = TOKEN.search(told)
    assert token is not None
    users.be(token[0])
    assert "bob, reads as Bob of the partner desk: analyst" in users.run("who")
    assert users.json("who") == {"user": "bob", "reader": "Bob of the partner desk", "roles": ["analyst"]}
    assert token[0] not in users.run("who")


def test_a_wrong_password_and_a_wrong_name_print_the_same_and_nothing_else(users: Users) -> None:
    names = ("bob", "eve", "b\x00b", "'--")
    told = {users.run("sign-in", name, "--password-stdin", given=f"{WRONG}\n", expect=2) for name in names}
    words = "the name or the password is wrong\n    try again; too many wrong passwords lock the account for a while\n"
    assert told == {f"tallybook: sign-in: {words}"}


def test_ten_wrong_passwords_lock_and_an_administrator_unlocks(users: Users) -> None:
    for _ in range(10):
        users.run("sign-in", "bob", "--password-stdin", given=f"{WRONG}\n", expect=2)
    told = users.run("sign-in", "bob", "--password-stdin", given=f"{RIGHT}\n", expect=2)
    assert "too many wrong passwords; signing in is locked for now" in told
    assert not TOKEN.search(told)
    assert "locked until" in users.run("list")
    assert users.json("show", "bob")["locked"] is not None
    assert "bob: 10 wrong passwords forgotten" in users.run("unlock", "bob")
    assert TOKEN.search(users.run("sign-in", "bob", "--password-stdin", given=f"{RIGHT}\n"))


def test_only_an_administrators_token_manages_users(users: Users) -> None:
    bob, anna = users.token("bob"), users.token("anna")
    every = [
        ("list",),
        ("show", "bob"),
        ("disable", "anna"),
        ("enable", "bob"),
        ("unlock", "bob"),
        ("role", "bob", "--add", "administrator"),
        ("token", "anna"),
        ("revoke", anna.split("_")[1], "--yes"),
        ("reads",),
        ("password", "anna", "--generate"),
        ("add", "eve", "--role", "administrator", "--generate"),
    ]
    users.be(bob)
    for arguments in every:
        assert "no role of bob permits this: manage users" in users.run(*arguments, expect=2)
    users.be("tby_broken")
    for arguments in every:
        assert "not a token" in users.run(*arguments, expect=2)
    users.be(anna)
    for arguments in (one for one in every if one[0] not in ("disable", "revoke", "password")):
        users.run(*arguments)
    assert users.json("show", "bob")["roles"] == ["analyst", "administrator"]


def test_a_token_that_is_set_makes_no_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = nobody(tmp_path, monkeypatch, capsys)
    desk.be("anything")
    assert "no file of users for this token" in desk.add("anna", "--role", "administrator", expect=2)
    assert not desk.path.exists()


def test_list_and_show_tell_all_but_secrets(users: Users) -> None:
    token = users.token("bob", "--label", "the nightly board", "--for", "3")
    assert "anna: administrator\nbob, reads as Bob of the partner desk: analyst\n" in users.run("list")
    assert [user["name"] for user in users.json("list")] == ["anna", "bob"]
    shown = users.run("show", "bob")
    assert f"token {token.split('_')[1]} (the nightly board): in use, expires" in shown
    found = users.json("show", "bob")
    assert set(found) == {"name", "reader", "roles", "created", "disabled", "locked", "tokens"}
    assert set(found["tokens"][0]) == {"id", "label", "state", "created", "expires", "revoked", "last_used"}
    everything = shown + json.dumps(found) + users.run("list") + json.dumps(users.json("list"))
    assert token.split("_")[2] not in everything
    assert "argon2" not in everything


def test_what_is_done_can_be_undone(users: Users) -> None:
    token = users.token("bob")
    assert "bob is disabled; tallybook user enable bob undoes it" in users.run("disable", "Bob")
    assert "bob was disabled already" in users.run("disable", "bob")
    users.be(token)
    assert "disabled" in users.run("who", expect=2)
    users.be(None)
    assert "disabled since" in users.run("list")
    assert "bob is enabled" in users.run("enable", "bob")
    users.be(token)
    users.run("who")
    users.be(None)
    assert "bob, reads as Bob of the partner desk: no role" in users.run("role", "bob", "--drop", "analyst")
    users.be(token)
    assert "no role, and may do nothing" in users.run("who", expect=2)
    users.be(None)
    users.run("role", "bob", "--add", "drafter", "--add", "releasing authority")
    assert users.json("show", "bob")["roles"] == ["drafter", "releasing authority"]
    assert "neither a role to add nor one to drop" in users.run("role", "bob", expect=2)


def test_a_token_is_revoked_by_its_id(users: Users) -> None:
    token = users.token("bob")
    id_ = token.split("_")[1]
    assert f"token {id_} of bob is revoked" in users.run("revoke", id_)
    assert "was revoked already" in users.run("revoke", id_)
    told = users.run("revoke", token, expect=2)
    assert "never the whole token" in told
    assert token not in told
    users.be(token)
    assert "this token was revoked on" in users.run("who", expect=2)


def test_another_password_ends_tokens(users: Users) -> None:
    token = users.token("bob")
    told = users.run("password", "bob", "--password-stdin", given="another horse battery\n")
    assert "bob has another password; 1 token revoked" in told
    assert "another horse" not in told
    users.run("sign-in", "bob", "--password-stdin", given=f"{RIGHT}\n", expect=2)
    users.run("sign-in", "bob", "--password-stdin", given="another horse battery\n")
    users.be(token)
    users.run("who", expect=2)


def test_a_made_password_signs_in(users: Users) -> None:
    told = users.run("add", "carl", "--role", "reviewer", "--generate")
    made = re.search(r"^password: (\S+)$", told, re.MULTILINE)
    assert made is not None
    assert TOKEN.search(users.run("sign-in", "carl", "--password-stdin", given=made[1]))


@pytest.mark.parametrize("days", ["0", "-1", "367", "10000000000000000000000"])
def test_a_token_is_good_for_a_year_at_most(users: Users, days: str) -> None:
    assert "1 to 366 days" in users.run("token", "bob", "--for", days, expect=2)
    assert "1 to 366 days" in users.run("sign-in", "bob", "--for", days, "--password-stdin", given=f"{RIGHT}\n", expect=2)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (b"", "shorter than 12"),
        (b"\n", "shorter than 12"),
        (b"carl\n", "shorter than 12"),
        (b"\xff\xfe a password not in UTF-8\n", "not UTF-8"),
        (b"x" * 10**6, "a line of thousands of bytes"),
        ("correct\u200bhorse battery".encode(), "prints nothing"),
        (b"aaaaaaaaaaaaaaaa\n", "fewer than 5 different"),
    ],
)
def test_a_password_that_cannot_be_set_is_refused_and_not_shown(users: Users, given: bytes, what: str) -> None:
    told = users.run("add", "carl", "--role", "analyst", "--password-stdin", given=given, expect=2)
    assert what in told
    assert "password not in" not in told
    assert [user["name"] for user in users.json("list")] == ["anna", "bob"]


def test_without_a_terminal_nothing_is_asked(users: Users) -> None:
    for arguments in (("add", "carl", "--role", "analyst"), ("password", "bob"), ("sign-in", "bob")):
        assert "no terminal to ask for the password on" in users.run(*arguments, given=f"{RIGHT}\n", expect=2)
    assert "choose one" in users.run("password", "bob", "--generate", "--password-stdin", given=f"{RIGHT}\n", expect=2)


def test_reads_are_listed_and_a_broken_chain_exits_with_1(users: Users) -> None:
    file = UsersFile(users.path)
    for user, case in (("bob", "cuba"), ("anna", "cuba"), ("bob", "\x1b[2Jother\n")):
        note_read(file, user, case, "board", "SECRET", "1962-11-12", None, NOW)
    shown = users.run("reads")
    assert "1 2001-02-03T04:05:06.000000Z bob cuba: board [SECRET] on 1962-11-12\n" in shown
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 4
    assert [note["seq"] for note in users.json("reads", "--of", "Bob", "--case", "cuba")["reads"]] == [1]
    had = users.json("reads")["chain"]["head"]
    assert f"every note fits; head {had}" in users.run("reads", "--had", had)
    behind(file, "DELETE FROM read WHERE seq = 3")
    assert users.json("reads")["chain"]["holds"] is True
    assert "broken at row 3: there were 3 notes" in users.run("reads", "--had", had, expect=1)
    behind(file, "UPDATE read SET said = replace(said, 'bob', 'eve') WHERE seq = 1")
    assert "broken at row 1: it was changed" in users.run("reads", expect=1)
    chain = users.json("reads", "--of", "anna", expect=1)["chain"]
    assert (chain["holds"], chain["broken_at"]) == (False, 1)


def test_another_file_is_named_by_option_or_variable(users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.db"
    users.add("zoe", "--role", "administrator", "--users", str(other))
    assert [user["name"] for user in users.json("list", "--users", str(other))] == ["zoe"]
    monkeypatch.setenv("TALLYBOOK_USERS", str(other))
    assert [user["name"] for user in users.json("list")] == ["zoe"]


def on_a_terminal(answers: list[str], *arguments: str) -> tuple[int, str]:
    """Run a command with a terminal as standard input, output and error; returns its exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tallybook.cli.main", "user", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    asked = 0
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 1000)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        while asked < len(answers) and shown.count(b": ") > asked and shown.rstrip(b" ").endswith(b":"):
            os.write(ours, answers[asked].encode() + b"\n")
            asked += 1
            break
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


def test_a_terminal_asks_twice_and_shows_nothing_of_it(users: Users) -> None:
    code, shown = on_a_terminal([RIGHT, RIGHT], "add", "carl", "--role", "analyst")
    assert code == 0, shown
    assert "added carl: analyst" in shown
    assert RIGHT not in shown
    code, shown = on_a_terminal([RIGHT], "sign-in", "carl")
    assert code == 0, shown
    assert TOKEN.search(shown.replace("\r", ""))


def test_a_terminal_asks_before_a_token_is_ended(users: Users) -> None:
    id_ = users.token("bob").split("_")[1]
    code, shown = on_a_terminal(["n"], "revoke", id_)
    assert (code, "for good?" in shown) == (2, True)
    assert users.json("show", "bob")["tokens"][0]["state"] == "in use"
    code, shown = on_a_terminal(["y"], "revoke", id_)
    assert code == 0, shown
    assert users.json("show", "bob")["tokens"][0]["state"] == "revoked"


def test_the_command_is_loaded_without_hashing_or_databases() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, tallybook.cli.user; print({'argon2', 'sqlite3', 'pydantic', 'numpy'} & set(sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "set()"


def test_no_option_takes_a_password(users: Users) -> None:
    names = re.findall(r"^  ([a-z-]+) ", users.run("--help").split("Commands:")[1], re.MULTILINE)
    assert {"add", "password", "sign-in", "reads", "who"} <= set(names)
    for name in names:
        assert not re.search(r"--password(?!-stdin)|--token", users.run(name, "--help"))
