"""Attacks on accounts: names and passwords made to harm, files that are broken or another's, and what errors might betray."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random as Dice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.people import CHEAP, DAY, NOW, RIGHT, WRONG, Random, add, behind, new_file
from tallybook.accounts.errors import AccountError, SignInError, UsersFileError
from tallybook.accounts.names import label, reader_name, user_name
from tallybook.accounts.reads import check_reads, note_read, reads
from tallybook.accounts.session import session, signed_in
from tallybook.accounts.sign_in import sign_in
from tallybook.accounts.store import UsersFile
from tallybook.accounts.tokens import issue, tokens_of
from tallybook.accounts.users import add_user, all_users, user_of
from tallybook.errors import TallybookError

BAD_NAMES = [
    "",
    " ",
    "anna ",
    " anna",
    "an na",
    "-anna",
    ".anna",
    "_anna",
    "anna\n",
    "anna\x00",
    "an\x1b[31mna",
    "an\u202ena",
    "an\u200bna",
    "ann\u0430",
    "\u0430nna",
    "\u212aarl",
    "\u0130van",
    "\uff41nna",
    "stra\u00dfe",
    "anna@desk",
    "anna'; DROP TABLE user; --",
    '" OR ""="',
    "%",
    "../anna",
    "a" * 65,
    "a" * 10**6,
    "\ud800",
    "\U0001f600",
    "\u0661\u0662",
]


@pytest.fixture
def file(tmp_path: Path) -> UsersFile:
    """A file of users with an administrator, anna."""
    return new_file(tmp_path)


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_a_name_made_to_harm_is_refused_at_every_door_and_shown_harmlessly(file: UsersFile, name: str) -> None:
    for door in (
        lambda: user_name(name),
        lambda: add(file, name),
        lambda: user_of(file, name, NOW),
        lambda: issue(file, name, 1, "", NOW, Random()),
    ):
        with pytest.raises(AccountError, match="cannot be the name of a user") as caught:
            door()
        told = str(caught.value)
        assert len(told) < 300
        assert told.replace("\n", "").isprintable()
    with pytest.raises(SignInError, match="the name or the password is wrong"):
        sign_in(file, name, RIGHT, NOW, CHEAP)
    assert [user.name for user in all_users(file, NOW)] == ["anna"]


@pytest.mark.parametrize(
    "text", ["", " ", " x", "x ", "a\nb", "a\x00b", "\x1b[2J", "\u202ex", "e\u0301", "\ud800", "x" * 201, "x" * 10**6]
)
def test_a_reader_or_label_made_to_harm_is_refused(file: UsersFile, text: str) -> None:
    with pytest.raises(AccountError) as caught:
        reader_name(text)
    assert str(caught.value).replace("\n", "").isprintable()
    if text:
        with pytest.raises(AccountError):
            label(text)
        with pytest.raises(AccountError):
            add_user(file, "bob", ["analyst"], text, "x", NOW)


@given(st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_any_text_as_a_name_is_a_plain_name_or_refused(text: str) -> None:
    try:
        name = user_name(text)
    except AccountError:
        return
    assert name.isascii()
    assert name.islower() or not any(char.isalpha() for char in name)
    assert user_name(name.upper()) == name


def test_a_reader_in_another_script_is_as_given(file: UsersFile) -> None:
    add_user(file, "bob", ["analyst"], "\u0411\u044e\u0440\u043e \u043f\u0430\u0440\u0442\u043d\u0451\u0440\u0430", "x", NOW)
    assert user_of(file, "bob", NOW).reader.startswith("\u0411")


def test_no_error_holds_the_password_or_the_token(file: UsersFile) -> None:
    made = issue(file, "anna", 1, "", NOW, Random())
    secrets = [RIGHT, WRONG, made.text, made.text.split("_")[2], user_of(file, "anna", NOW).password]
    told: list[str] = []
    for attempt in (
        lambda: sign_in(file, "anna", WRONG, NOW, CHEAP),
        lambda: signed_in(file, made.text + "0", NOW),
        lambda: signed_in(file, made.text, NOW + 2 * DAY),
        lambda: session({"TALLYBOOK_TOKEN": made.text, "TALLYBOOK_USERS": "/nowhere"}, NOW),
        lambda: add(file, "anna"),
        lambda: add(file, RIGHT),
    ):
        with pytest.raises(AccountError) as caught:
            attempt()
        told.append(f"{caught.value} {caught.value!r} {caught.value.__context__!r}")
    # A name that is typed wrong is repeated to the administrator who typed it; that it was a password nobody can know.
    told[-1] = told[-1].replace(RIGHT, "")
    assert [secret for secret in secrets if any(secret in one for one in told)] == []


def open_and_sign_in(path: Path) -> None:
    sign_in(UsersFile(path), "anna", RIGHT, NOW, CHEAP)


@pytest.mark.parametrize("raw", [b"", b"x", b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\xff" * 5000, os.urandom(5000)])
def test_a_file_that_is_none_lets_nobody_in(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "users.db"
    path.touch(0o600)
    path.write_bytes(raw)
    with pytest.raises(UsersFileError):
        open_and_sign_in(path)
    assert path.read_bytes() == raw


def every_door(path: Path, token: str) -> list[str]:
    """What each door said of a file: blank where it answered."""
    told = []
    for door in (
        lambda: sign_in(UsersFile(path), "anna", RIGHT, NOW, CHEAP),
        lambda: signed_in(UsersFile(path), token, NOW),
        lambda: all_users(UsersFile(path), NOW),
        lambda: tokens_of(UsersFile(path), "anna"),
        lambda: note_read(UsersFile(path), "anna", "c", "board", "", None, None, NOW),
        lambda: list(reads(UsersFile(path))),
        lambda: check_reads(UsersFile(path)),
    ):
        try:
            door()
            told.append("")
        except TallybookError as error:
            told.append(str(error))
    return told


def test_a_file_with_bytes_overwritten_answers_or_says_what_is_wrong(file: UsersFile) -> None:
    token = issue(file, "anna", 1, "", NOW, Random()).text
    note_read(file, "anna", "c", "board", "", None, None, NOW)
    raw = file.path.read_bytes()
    random, damaged = Dice(7), 0
    for _ in range(60):
        broken = bytearray(raw)
        used = [n for n, byte in enumerate(raw) if byte]
        for at in random.sample(used, random.choice([1, 2, 8, 60])):
            broken[at] = random.randrange(256)
        for path in file.path.parent.iterdir():
            path.unlink()
        file.path.touch(0o600)
        file.path.write_bytes(broken)
        told = every_door(file.path, token)
        damaged += any(told)
        assert RIGHT not in "".join(told)
        assert token not in "".join(told)
    assert damaged > 10


@pytest.mark.parametrize("share", [1, 2, 5, 9])
def test_a_file_that_was_cut_off_is_told(file: UsersFile, share: int) -> None:
    raw = file.path.read_bytes()
    file.path.write_bytes(raw[: len(raw) * share // 10])
    with pytest.raises(UsersFileError):
        open_and_sign_in(file.path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE user SET created = 'yesterday'",
        "UPDATE user SET disabled = ''",
        "DROP TABLE role",
        "DROP TABLE try",
        "ALTER TABLE user RENAME COLUMN password TO secret",
        "UPDATE user SET password = ''",
        "UPDATE user SET password = '$argon2id$v=19$m=8,t=1,p=1$c2FsdA$'",
    ],
)
def test_rows_that_were_damaged_let_nobody_in(file: UsersFile, statement: str) -> None:
    behind(file, statement)
    with pytest.raises(UsersFileError):
        open_and_sign_in(file.path)


@pytest.mark.parametrize("column", ["reader", "password", "created"])
def test_a_row_of_another_type_lets_nobody_in(file: UsersFile, column: str) -> None:
    loose = "CREATE TABLE loose (name TEXT PRIMARY KEY, reader, password, created, disabled)"
    moved = ("INSERT INTO loose SELECT * FROM user", "DROP TABLE user", "ALTER TABLE loose RENAME TO user")
    behind(file, loose, *moved, f"UPDATE user SET {column} = CAST({column} AS BLOB)")
    with pytest.raises(UsersFileError, match="damaged"):
        open_and_sign_in(file.path)


def test_tries_that_were_damaged_let_nobody_in(file: UsersFile) -> None:
    with pytest.raises(SignInError):
        sign_in(file, "anna", WRONG, NOW, CHEAP)
    behind(file, "UPDATE try SET at = 'never'")
    with pytest.raises(UsersFileError, match="damaged"):
        open_and_sign_in(file.path)


def test_tokens_that_were_damaged_let_nobody_in(file: UsersFile) -> None:
    made = issue(file, "anna", 1, "", NOW, Random())
    behind(file, "UPDATE token SET expires = 'never'")
    with pytest.raises(UsersFileError, match="damaged"):
        signed_in(file, made.text, NOW)
    with pytest.raises(UsersFileError, match="damaged"):
        tokens_of(file, "anna")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620, 0o601])
def test_a_file_that_is_open_to_others_is_refused(file: UsersFile, mode: int) -> None:
    file.path.chmod(mode)
    with pytest.raises(UsersFileError, match="others may read it or write it") as caught:
        open_and_sign_in(file.path)
    assert "chmod 600" in caught.value.do


def test_another_database_or_a_later_form_is_refused(file: UsersFile, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.touch(0o600)
    with closing(sqlite3.connect(other)) as link, link:
        link.execute("CREATE TABLE user (name TEXT)")
    with pytest.raises(UsersFileError, match="none of users"):
        UsersFile(other)
    with closing(sqlite3.connect(file.path)) as link, link:
        link.execute("PRAGMA user_version = 2")
    with pytest.raises(UsersFileError, match="of form 2"):
        UsersFile(file.path)


@pytest.mark.parametrize("name", ["", ".", "/", "a\x00b", "x" * 300, "no/\x00"])
def test_a_path_that_is_none_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsersFileError):
        UsersFile(tmp_path / name)
    with pytest.raises(UsersFileError):
        UsersFile.make(tmp_path / name, b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_behind_a_folder_that_is_none_is_told(file: UsersFile) -> None:
    with pytest.raises(UsersFileError):
        UsersFile(file.path / "users.db")
    with pytest.raises(UsersFileError):
        UsersFile.make(file.path / "users.db", b"x")


def test_a_name_of_a_file_with_signs_of_its_own_is_that_file(tmp_path: Path) -> None:
    file = new_file(tmp_path, "users?mode=memory&x=%00#1.db")
    assert user_of(UsersFile(file.path), "anna", NOW).name == "anna"
    assert [path.name for path in tmp_path.iterdir()] == [file.path.name]


def test_a_writer_that_holds_the_file_is_waited_for_and_then_told(file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallybook.accounts.store.WAIT", 0.1)
    with closing(sqlite3.connect(file.path, isolation_level=None)) as link:
        link.execute("BEGIN IMMEDIATE")
        with pytest.raises(UsersFileError, match="another holds it"):
            note_read(file, "anna", "c", "board", "", None, None, NOW)
        with pytest.raises(UsersFileError, match="another holds it"):
            open_and_sign_in(file.path)
        assert user_of(file, "anna", NOW).name == "anna"
        link.execute("ROLLBACK")
    assert list(reads(file)) == []
    assert check_reads(file).size == 0


def test_an_error_half_way_takes_back_all(file: UsersFile) -> None:
    def half() -> None:
        with file.write() as link:
            link.execute("INSERT INTO user VALUES ('bob', 'bob', 'x', 'x', NULL)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert [user.name for user in all_users(file, NOW)] == ["anna"]


def test_a_full_disk_is_told_and_nothing_is_noted(file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    real = UsersFile._connection

    def small(self: UsersFile) -> sqlite3.Connection:
        link = real(self)
        link.execute("PRAGMA max_page_count = 1")
        return link

    monkeypatch.setattr(UsersFile, "_connection", small)

    def fill() -> None:
        for _ in range(200):
            note_read(file, "anna", "c" * 900, "board" * 300, "", None, None, NOW)

    with pytest.raises(UsersFileError, match="cannot be used"):
        fill()
    assert check_reads(file).holds
