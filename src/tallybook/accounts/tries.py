"""Wrong passwords are counted, and too many of them lock an account for a while, whether there is such an account or not.

A try is counted before its password is looked at, and forgiven if that was right. So processes that try at once share one count,
and one that is killed half way has used up its try.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from hashlib import sha256

from tallybook.accounts.errors import SignInError
from tallybook.accounts.names import folded
from tallybook.ledger.entry import instant_of, instant_text

MOST = 10
"""Wrong passwords within `WITHIN` that lock an account for `LOCKED` from the last of them."""
WITHIN = timedelta(minutes=15)
LOCKED = timedelta(minutes=15)


class LockedError(SignInError):
    """Too many wrong passwords were given for a name."""


def count_try(link: sqlite3.Connection, name: str, now: datetime) -> int:
    """Count a try for a name, in a writer's transaction; returns its number. Raises LockedError where there were too many."""
    who = _key(name)
    until = locked_until(link, name, now)
    if until is not None:
        minutes = int(LOCKED / timedelta(minutes=1))
        do = f"wait {minutes} minutes, or ask an administrator: tallybook user unlock"
        raise LockedError("too many wrong passwords; signing in is locked for now", where="sign-in", do=do)
    # A clock that is set back gives nobody more tries: no try is earlier than the one before.
    last = _last(link, who, 1)
    at = max([now, *last])
    seq = link.execute("INSERT INTO try (who, at) VALUES (?, ?)", (who, instant_text(at))).lastrowid
    assert seq is not None
    link.execute("DELETE FROM try WHERE at < ?", (instant_text(now - WITHIN - LOCKED),))
    return seq


def forgive_try(link: sqlite3.Connection, seq: int) -> None:
    """Take back a try whose password was right; the wrong ones before it still count."""
    link.execute("DELETE FROM try WHERE seq = ?", (seq,))


def forgive_all(link: sqlite3.Connection, name: str) -> int:
    """Take back every try for a name, and so unlock it; returns how many there were."""
    return link.execute("DELETE FROM try WHERE who = ?", (_key(name),)).rowcount


def locked_until(link: sqlite3.Connection, name: str, now: datetime) -> datetime | None:
    """When a name is let try again; None where it may now."""
    last = _last(link, _key(name), MOST)
    if len(last) < MOST or last[0] - last[-1] >= WITHIN or now >= last[0] + LOCKED:
        return None
    return last[0] + LOCKED


def _last(link: sqlite3.Connection, who: bytes, count: int) -> list[datetime]:
    rows = link.execute("SELECT at FROM try WHERE who = ? ORDER BY seq DESC LIMIT ?", (who, count)).fetchall()
    return [instant_of(at) for (at,) in rows]


def _key(name: str) -> bytes:
    """Of one size for whatever was typed as a name, and not the text itself: it might be a password in the wrong place."""
    return sha256(folded(name).encode("utf-8", "surrogatepass")).digest()
