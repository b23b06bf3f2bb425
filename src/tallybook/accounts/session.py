"""Who is signed in, by a token: the one question that every answer asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tallybook.accounts.errors import SignInError
from tallybook.accounts.roles import Act, permits
from tallybook.accounts.store import UsersFile, users_path
from tallybook.accounts.tokens import admit
from tallybook.accounts.users import User

TOKEN = "TALLYBOOK_TOKEN"  # noqa: S105
"""The variable that holds a token."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who has shown who they are. `reader` is their name in cases, which say what they are cleared for."""

    user: str
    reader: str
    roles: tuple[str, ...]

    @classmethod
    def of(cls, user: User) -> SignedIn:
        """A user, once let in."""
        return cls(user.name, user.reader, user.roles)

    def permits(self, act: Act | str) -> bool:
        """Whether one of their roles permits the act."""
        return permits(self.roles, act)

    def require(self, act: Act | str) -> None:
        """Raise SignInError where none of their roles permits the act."""
        if not self.permits(act):
            held = ", ".join(self.roles)
            raise SignInError(f"no role of {self.user} permits this: {Act(act)}", where="sign-in", do=f"they are {held}")


def signed_in(file: UsersFile, token: str, now: datetime) -> SignedIn:
    """Who holds a token. Raises SignInError, which says why only to whoever holds the secret, and UsersFileError."""
    return SignedIn.of(admit(file, token, now))


def session(environment: Mapping[str, str], now: datetime, users: Path | None = None) -> SignedIn | None:
    """Who TALLYBOOK_TOKEN says is asking; None where it is not set. Raises SignInError and UsersFileError."""
    token = environment.get(TOKEN, "").strip()
    if not token:
        return None
    return signed_in(UsersFile(users_path(environment, users)), token, now)
