"""Tokens: 256 random bits that stand for a user until a day. A token is shown once; only the SHA-256 of its secret is kept."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from tallybook.accounts.errors import AccountError, SignInError
from tallybook.accounts.names import label as checked_label
from tallybook.accounts.names import user_name
from tallybook.accounts.store import UsersFile
from tallybook.accounts.users import User, user_in
from tallybook.evidence.ingest.told import told
from tallybook.ledger.entry import instant_of, instant_text

DAYS = 30
"""That a token is good for, where nobody says."""
MOST_DAYS = 366
MOST_TOKENS = 1_000
"""Of one user, in use at once."""
SLACK = timedelta(minutes=5)
"""By which clocks of one desk may differ."""
NOTED_EVERY = timedelta(minutes=1)
"""How exactly a token's last use is kept: not each use is a write."""

TOKEN = re.compile(r"tby_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
_ID = re.compile(r"[0-9a-f]{12}", re.ASCII)
_FIND = """
SELECT id, digest, user, label, created, expires, revoked, lapsed, last_used FROM token
WHERE id = ? OR user = ? ORDER BY created DESC, id
"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept: all but its secret. `lapsed` is when it was first found to have expired."""

    id: str
    digest: bytes = field(repr=False)
    user: str
    label: str
    created: datetime
    expires: datetime
    revoked: datetime | None
    lapsed: datetime | None
    last_used: datetime | None

    def state(self, now: datetime) -> str:
        """`revoked`, `expired` or `in use`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.lapsed is not None or now >= self.expires else "in use"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token. `text` is the secret itself, to be shown this once."""

    token: Token
    text: str = field(repr=False)


def issue(file: UsersFile, name: str, days: int, label: str, now: datetime, random: Callable[[int], bytes]) -> Issued:
    """Make a token for a user; `random` gives so many random bytes.

    Raises AccountError for a user who may not sign in, for too many tokens, and for days beyond 1 to `MOST_DAYS`.
    """
    check_days(days)
    label, name = checked_label(label), user_name(name)
    with file.write() as link:
        user = user_in(link, name, now)
        if user is None:
            raise AccountError(f"no user {told(name)}", where="NAME", do="tallybook user list names them")
        check_admitted(user)
        query = "SELECT count(*) FROM token WHERE user = ? AND revoked IS NULL AND lapsed IS NULL AND expires > ?"
        if link.execute(query, (name, instant_text(now))).fetchone()[0] >= MOST_TOKENS:
            raise AccountError(f"{MOST_TOKENS:,} tokens in use", where="NAME", do="revoke some: tallybook user revoke")
        id_, secret = random(6).hex(), random(32)
        token = Token(id_, sha256(secret).digest(), name, label, now, now + timedelta(days=days), None, None, None)
        values = (id_, token.digest, name, label, instant_text(now), instant_text(token.expires))
        link.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL)", values)
    return Issued(token, f"tby_{id_}_{secret.hex()}")


def check_days(days: int) -> None:
    """Raise AccountError for days that no token may be good for."""
    if not 1 <= days <= MOST_DAYS:
        raise AccountError("so many days", where="--for", do=f"a token is good for 1 to {MOST_DAYS} days")


def tokens_of(file: UsersFile, name: str) -> list[Token]:
    """Every token of a user, the newest first. Raises UsersFileError."""
    with file.read() as link:
        rows = link.execute(_FIND, (None, name)).fetchall()
        return [_token(row) for row in rows]


def token_of(file: UsersFile, id_: str) -> Token:
    """One token, by its id. Raises AccountError where there is none."""
    with file.read() as link:
        return _known(link, id_)


def revoke(file: UsersFile, id_: str, now: datetime) -> Token:
    """End a token for good; returns it as it was before. Raises AccountError for an id that is none."""
    with file.write() as link:
        token = _known(link, id_)
        if token.revoked is None:
            link.execute("UPDATE token SET revoked = ? WHERE id = ?", (instant_text(now), token.id))
    return token


def admit(file: UsersFile, text: str, now: datetime) -> User:
    """Whom a token stands for. Raises SignInError, which says why only to whoever holds the secret."""
    where = "token"
    parts = TOKEN.fullmatch(text) if len(text) < 100 else None
    if parts is None:
        raise SignInError("not a token", where=where, do="it is tby_, twelve digits, _ and 64 digits, as it was shown")
    id_, digest = parts[1], sha256(bytes.fromhex(parts[2])).digest()
    with file.read() as link:
        token = _find(link, id_)
        user = None if token is None else user_in(link, token.user, now)
    if not compare_digest(digest, bytes(32) if token is None else token.digest) or token is None or user is None:
        raise SignInError("no such token", where=where, do="ask an administrator for one: tallybook user token")
    _check_usable(file, token, now)
    check_admitted(user)
    _note_use(file, token, now)
    return user


def check_admitted(user: User) -> None:
    """Raise SignInError for a user who is disabled, or has no role."""
    if user.disabled is not None:
        raise SignInError("this user is disabled", where="sign-in", do="an administrator can enable them: tallybook user enable")
    if not user.roles:
        do = "an administrator gives roles: tallybook user role"
        raise SignInError("this user has no role, and may do nothing", where="sign-in", do=do)


def _check_usable(file: UsersFile, token: Token, now: datetime) -> None:
    where, do = "token", "ask an administrator for another: tallybook user token"
    if token.revoked is not None:
        raise SignInError(f"this token was revoked on {_day(token.revoked)}", where=where, do=do)
    if token.state(now) == "expired":
        if token.lapsed is None:
            # Once it has ended, a clock that is set back does not bring it to life.
            with file.write() as link:
                link.execute("UPDATE token SET lapsed = ? WHERE id = ? AND lapsed IS NULL", (instant_text(now), token.id))
        raise SignInError(f"this token expired on {_day(token.expires)}", where=where, do=do)
    if now < max(token.created, token.last_used or token.created) - SLACK:
        what = "the clock of this machine stands before the token's last use"
        raise SignInError(what, where=where, do="set the clock right")


def _note_use(file: UsersFile, token: Token, now: datetime) -> None:
    if token.last_used is not None and now - token.last_used < NOTED_EVERY:
        return
    at = instant_text(now)
    with file.write() as link:
        link.execute("UPDATE token SET last_used = max(coalesce(last_used, ''), ?) WHERE id = ?", (at, token.id))


def _find(link: sqlite3.Connection, id_: str) -> Token | None:
    row = link.execute(_FIND, (id_, None)).fetchone()
    return None if row is None else _token(row)


def _known(link: sqlite3.Connection, id_: str) -> Token:
    # Somebody may paste the whole token here: it is not repeated.
    found = _find(link, id_) if _ID.fullmatch(id_) else None
    if found is None:
        do = "give the twelve digits that tallybook user show lists; never the whole token"
        raise AccountError("no token has this id", where="TOKEN-ID", do=do)
    return found


def _token(row: tuple[str, bytes, str, str, str, str, str | None, str | None, str | None]) -> Token:
    id_, digest, user, label, *times = row
    created, expires, *ends = times
    assert created is not None
    assert expires is not None
    revoked, lapsed, used = (None if text is None else instant_of(text) for text in ends)
    return Token(id_, digest, user, label, instant_of(created), instant_of(expires), revoked, lapsed, used)


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
