"""Files of users for tests: hashes that cost next to nothing, and times that are what a test says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from argon2 import Parameters, Type

from tallybook.accounts.passwords import Passwords
from tallybook.accounts.store import UsersFile
from tallybook.accounts.users import User, add_user

NOW = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
RIGHT = "correct horse battery"
WRONG = "incorrect horse battery"
CHEAP = Passwords(Parameters(Type.ID, 19, 16, 32, 1, 8, 1))


class Random:
    """Bytes that look random, and are the same each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(4).rjust(size, b"\x01")


def new_file(folder: Path, name: str = "users.db") -> UsersFile:
    """A new file of users with an administrator, anna."""
    file = UsersFile.make(folder / name, b"passing")
    add(file, "anna", ("administrator",))
    return file


def add(file: UsersFile, name: str, roles: Iterable[str] = ("analyst",), password: str = RIGHT) -> User:
    """Add a user, whose password is `RIGHT`."""
    return add_user(file, name, roles, "", CHEAP.hashed(password), NOW)


def behind(file: UsersFile, *statements: str) -> None:
    """Change the file with the guard rails taken off."""
    with closing(sqlite3.connect(file.path)) as link, link:
        for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            link.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            link.execute(statement)
