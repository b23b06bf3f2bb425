"""Signing in with a name and a password."""

from __future__ import annotations

from datetime import datetime

from tallybook.accounts.errors import AccountError, SignInError
from tallybook.accounts.names import user_name
from tallybook.accounts.passwords import SHIPPED, Passwords
from tallybook.accounts.session import SignedIn
from tallybook.accounts.store import UsersFile
from tallybook.accounts.tokens import check_admitted
from tallybook.accounts.tries import count_try, forgive_try
from tallybook.accounts.users import user_in

WRONG = "the name or the password is wrong"


def sign_in(file: UsersFile, name: str, password: str, now: datetime, passwords: Passwords = SHIPPED) -> SignedIn:
    """Who that is. A hash made with older parameters is made anew.

    Raises LockedError after too many wrong passwords; SignInError for a name or password that is wrong, in the same words and
    after as long for a user who is not there, and, once the password was right, for a user who is disabled or has no role.
    """
    known = _possible(name)
    with file.write() as link:
        seq = count_try(link, name, now)
    with file.read() as link:
        user = None if known is None else user_in(link, known, now)
    kept = None if user is None else user.password
    if not passwords.matches(kept, password) or user is None or kept is None:
        raise _wrong()
    newer = passwords.hashed(password) if passwords.is_old(kept) else None
    with file.write() as link:
        # It may have been changed in the meantime.
        again = user_in(link, user.name, now)
        if again is None or again.password != kept:
            raise _wrong()
        forgive_try(link, seq)
        if newer is not None:
            link.execute("UPDATE user SET password = ? WHERE name = ?", (newer, user.name))
    check_admitted(again)
    return SignedIn.of(again)


def _possible(name: str) -> str | None:
    try:
        return user_name(name)
    except AccountError:
        return None


def _wrong() -> SignInError:
    return SignInError(WRONG, where="sign-in", do="try again; too many wrong passwords lock the account for a while")
