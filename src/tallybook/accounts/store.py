"""The users file: one SQLite file outside any case, for its owner's eyes only.

Every use has a connection of its own, so threads and processes may share the file. Whoever can write it can write anything into
it: what is refused here stops others, and slips.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from tallybook.accounts.errors import UsersFileError
from tallybook.ledger.entry import EntryError

USERS = "TALLYBOOK_USERS"
APPLICATION = 0x54425531
"""In the file's header, so that no other database is taken for one of users."""
FORM = 1
WAIT = 30.0
"""Seconds that a writer waits for another."""

_TABLES = """
CREATE TABLE user (
    name TEXT PRIMARY KEY, reader TEXT NOT NULL, password TEXT NOT NULL, created TEXT NOT NULL, disabled TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE role (user TEXT NOT NULL REFERENCES user, role TEXT NOT NULL, PRIMARY KEY (user, role)) STRICT, WITHOUT ROWID;
CREATE TABLE token (
    id TEXT PRIMARY KEY, digest BLOB NOT NULL CHECK (length(digest) = 32), user TEXT NOT NULL REFERENCES user,
    label TEXT NOT NULL, created TEXT NOT NULL, expires TEXT NOT NULL, revoked TEXT, lapsed TEXT, last_used TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX token_user ON token (user);
CREATE TABLE try (seq INTEGER PRIMARY KEY AUTOINCREMENT, who BLOB NOT NULL CHECK (length(who) = 32), at TEXT NOT NULL) STRICT;
CREATE INDEX try_who ON try (who, seq);
CREATE INDEX try_at ON try (at);
CREATE TABLE read (
    seq INTEGER PRIMARY KEY CHECK (seq > 0), said TEXT NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER user_stays BEFORE DELETE ON user BEGIN SELECT raise(ABORT, 'a name is never used again'); END;
CREATE TRIGGER user_named BEFORE UPDATE ON user WHEN NEW.name <> OLD.name OR NEW.reader <> OLD.reader
BEGIN SELECT raise(ABORT, 'a name is never changed'); END;
CREATE TRIGGER token_revoked BEFORE UPDATE ON token
WHEN OLD.revoked IS NOT NULL AND NEW.revoked IS NOT OLD.revoked OR OLD.lapsed IS NOT NULL AND NEW.lapsed IS NOT OLD.lapsed
BEGIN SELECT raise(ABORT, 'what ended stays ended'); END;
CREATE TRIGGER read_stays BEFORE DELETE ON read BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER read_unchanged BEFORE UPDATE ON read BEGIN SELECT raise(ABORT, 'nothing is changed'); END;
"""


def users_path(environment: Mapping[str, str], given: Path | None = None) -> Path:
    """Where the users are: as given, as TALLYBOOK_USERS says, or in the user's own folder."""
    if given is not None:
        return given
    if environment.get(USERS):
        return Path(environment[USERS])
    return Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "tallybook" / "users.db"


def has_users(path: Path) -> bool:
    """Whether anything stands where the file of users would."""
    return os.path.lexists(path)


class UsersFile:
    """The file, open. Its methods raise UsersFileError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises UsersFileError where there is none, it is another's, or others may read it."""
        self.path = path
        with _told(path):
            if not path.is_file():
                do = "tallybook user add NAME --role administrator makes it"
                raise UsersFileError("no file of users", where=str(path), do=do)
            if path.stat().st_mode & 0o077:
                raise UsersFileError("others may read it or write it", where=str(path), do=f"chmod 600 {path}")
            with closing(self._connection()) as link:
                found = link.execute("PRAGMA application_id").fetchone()[0]
                form = link.execute("PRAGMA user_version").fetchone()[0]
        if found != APPLICATION:
            raise UsersFileError("an SQLite file, but none of users", where=str(path), do="give the file of users")
        if form != FORM:
            raise UsersFileError(f"a file of users of form {form}", where=str(path), do="read it with a newer Tallybook")

    @classmethod
    def make(cls, path: Path, random: bytes) -> UsersFile:
        """Make a new one, mode 0600. `random` is a few bytes for a passing name. Raises UsersFileError where it cannot be."""
        if not path.name or "\x00" in str(path):
            raise UsersFileError("not the name of a file", where="--users", do="name a file in a folder of your own")
        partial = path.with_name(f".{path.name}.{random.hex()}")
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                with closing(sqlite3.connect(partial, isolation_level=None)) as link:
                    link.execute("PRAGMA journal_mode = WAL")
                    link.execute("PRAGMA synchronous = FULL")
                    link.executescript(
                        f"BEGIN;{_TABLES}PRAGMA application_id = {APPLICATION};PRAGMA user_version = {FORM};COMMIT;"
                    )
                # Whole or not at all, and never over another's: a link fails where there is a file.
                os.link(partial, path)
            finally:
                partial.unlink(missing_ok=True)
        return cls(path)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One snapshot to read."""
        with _told(self.path), closing(self._connection()) as link:
            link.execute("BEGIN")
            yield link
            link.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Be the one writer; an error takes back all that was written."""
        with _told(self.path), closing(self._connection()) as link:
            link.execute("BEGIN IMMEDIATE")
            try:
                yield link
                link.execute("COMMIT")
            except BaseException:
                if link.in_transaction:
                    link.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        link = sqlite3.connect(f"file:{quote(str(self.path))}?mode=rw", uri=True, isolation_level=None, timeout=WAIT)
        try:
            for pragma in (
                "synchronous = FULL",
                "foreign_keys = ON",
                "recursive_triggers = ON",
                "trusted_schema = OFF",
                "cell_size_check = ON",
                "secure_delete = ON",
                "temp_store = MEMORY",
            ):
                link.execute(f"PRAGMA {pragma}")
        except BaseException:
            link.close()
            raise
        return link


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise UsersFileError("there is a file already", where=str(path), do="try again") from error
    except sqlite3.OperationalError as error:
        busy = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        do = "try again" if busy else "let its owner mend it: it must be there, be theirs to write, and have room on the disk"
        what = "another holds it" if busy else f"the file of users cannot be used: {error}"
        raise UsersFileError(what, where=str(path), do=do) from error
    except (sqlite3.Error, EntryError, TypeError, ValueError) as error:
        # What is read from a damaged page may be of any type.
        what = "the file of users is damaged, or is none"
        raise UsersFileError(what, where=str(path), do="put back a copy of it; nobody is let in until then") from error
    except OSError as error:
        what = f"the file of users cannot be used: {error.strerror}"
        raise UsersFileError(what, where=str(path)[:300], do="name a file in a folder of your own") from error
