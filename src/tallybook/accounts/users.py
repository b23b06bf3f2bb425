"""Users: added, disabled and enabled again, never deleted; a name is never used for somebody else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tallybook.accounts.errors import AccountError
from tallybook.accounts.names import reader_name, user_name
from tallybook.accounts.roles import ADMINISTRATOR, ROLES, checked_roles
from tallybook.accounts.store import UsersFile
from tallybook.accounts.tries import forgive_all, locked_until
from tallybook.evidence.ingest.told import told
from tallybook.ledger.entry import instant_of, instant_text

MOST_USERS = 100_000


@dataclass(frozen=True, slots=True)
class User:
    """A user of a desk. `reader` is their name in cases; `disabled` since when; `locked` until when, by wrong passwords."""

    name: str
    reader: str
    roles: tuple[str, ...]
    created: datetime
    disabled: datetime | None = None
    locked: datetime | None = None
    password: str = field(default="", repr=False, compare=False)


def user_in(link: sqlite3.Connection, name: str, now: datetime) -> User | None:
    """A user by name, or None."""
    row = link.execute("SELECT name, reader, password, created, disabled FROM user WHERE name = ?", (name,)).fetchone()
    if row is None:
        return None
    given = {role for (role,) in link.execute("SELECT role FROM role WHERE user = ?", (name,))}
    found, reader, password, created, disabled = row
    if not (isinstance(reader, str) and isinstance(password, str)):
        raise TypeError("a damaged row")
    since = None if disabled is None else instant_of(disabled)
    # A role that is not known here is left out: it permits nothing.
    roles = tuple(role for role in ROLES if role in given)
    return User(found, reader, roles, instant_of(created), since, locked_until(link, name, now), password)


def all_users(file: UsersFile, now: datetime) -> list[User]:
    """Every user, in the order of their names. Raises UsersFileError."""
    with file.read() as link:
        names = [name for (name,) in link.execute("SELECT name FROM user ORDER BY name").fetchall()]
        return [user for name in names if (user := user_in(link, name, now)) is not None]


def user_of(file: UsersFile, name: str, now: datetime) -> User:
    """One user. Raises AccountError where there is none."""
    with file.read() as link:
        return _one(link, name, now)


def check_addable(file: UsersFile | None, name: str, roles: Iterable[str], reader: str) -> tuple[str, tuple[str, ...], str]:
    """Name, roles and reader of a user who may be added to the file (None where it is yet to be made). Raises AccountError."""
    name, roles = user_name(name), checked_roles(roles)
    reader = reader_name(reader or name)
    if not roles:
        raise AccountError("a user without a role may do nothing", where="--role", do="give at least one role")
    if file is None:
        _check_first(0, roles)
        return name, roles, reader
    with file.read() as link:
        _check_free(link, name, roles)
    return name, roles, reader


def add_user(file: UsersFile, name: str, roles: Iterable[str], reader: str, password: str, now: datetime) -> User:
    """Add a user; `password` is its hash. The first one must be an administrator. Raises AccountError where it cannot be."""
    name, roles, reader = check_addable(file, name, roles, reader)
    with file.write() as link:
        _check_free(link, name, roles)
        link.execute("INSERT INTO user VALUES (?, ?, ?, ?, NULL)", (name, reader, password, instant_text(now)))
        link.executemany("INSERT INTO role VALUES (?, ?)", [(name, role) for role in roles])
        return _one(link, name, now)


def set_password(file: UsersFile, name: str, password: str, now: datetime) -> int:
    """Set another password, by its hash; every token of the user is revoked, returns how many. Raises AccountError."""
    with file.write() as link:
        user = _one(link, name, now)
        link.execute("UPDATE user SET password = ? WHERE name = ?", (password, user.name))
        ended = link.execute(
            "UPDATE token SET revoked = ? WHERE user = ? AND revoked IS NULL AND lapsed IS NULL AND expires > ?",
            (instant_text(now), user.name, instant_text(now)),
        )
        return ended.rowcount


def change_roles(file: UsersFile, name: str, add: Iterable[str], drop: Iterable[str], now: datetime) -> User:
    """Give roles and take others. Raises AccountError, also for the last administrator's role."""
    more, less = checked_roles(add), checked_roles(drop)
    both = sorted(set(more) & set(less))
    if both:
        raise AccountError(f"{both[0]} both added and dropped", where="--drop", do="choose one")
    with file.write() as link:
        user = _one(link, name, now)
        link.executemany("INSERT INTO role VALUES (?, ?) ON CONFLICT DO NOTHING", [(user.name, role) for role in more])
        link.executemany("DELETE FROM role WHERE user = ? AND role = ?", [(user.name, role) for role in less])
        _check_administered(link)
        return _one(link, name, now)


def set_disabled(file: UsersFile, name: str, now: datetime, *, disabled: bool) -> bool:
    """Disable a user, or enable them again; returns whether that changed anything.

    Raises AccountError where there is no such user, and where they are the last administrator.
    """
    with file.write() as link:
        user = _one(link, name, now)
        if (user.disabled is not None) == disabled:
            return False
        link.execute("UPDATE user SET disabled = ? WHERE name = ?", (instant_text(now) if disabled else None, user.name))
        _check_administered(link)
        return True


def unlock(file: UsersFile, name: str, now: datetime) -> int:
    """Forget the wrong passwords given for a user; returns how many. Raises AccountError where there is no such user."""
    with file.write() as link:
        return forgive_all(link, _one(link, name, now).name)


def _one(link: sqlite3.Connection, name: str, now: datetime) -> User:
    found = user_in(link, user_name(name), now)
    if found is None:
        raise AccountError(f"no user {told(name)}", where="NAME", do="tallybook user list names them")
    return found


def _check_free(link: sqlite3.Connection, name: str, roles: Iterable[str]) -> None:
    count = link.execute("SELECT count(*) FROM user").fetchone()[0]
    _check_first(count, roles)
    if count >= MOST_USERS:
        raise AccountError(f"{MOST_USERS:,} users already", where="NAME", do="make another file of users")
    if link.execute("SELECT 1 FROM user WHERE name = ?", (name,)).fetchone():
        do = "take another name; one that was disabled can be enabled again: tallybook user enable"
        raise AccountError(f"there is or was a user {name}", where="NAME", do=do)


def _check_first(count: int, roles: Iterable[str]) -> None:
    if count == 0 and ADMINISTRATOR not in roles:
        raise AccountError("the first user must be an administrator", where="--role", do=f"add --role {ADMINISTRATOR}")


def _check_administered(link: sqlite3.Connection) -> None:
    found = link.execute(
        "SELECT 1 FROM user JOIN role ON role.user = user.name WHERE role.role = ? AND user.disabled IS NULL", (ADMINISTRATOR,)
    ).fetchone()
    if found is None:
        raise AccountError("nobody would be left as administrator", where="NAME", do="make somebody else administrator first")
