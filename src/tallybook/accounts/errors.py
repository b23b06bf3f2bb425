"""What can be wrong with accounts. No message holds a password or a token, or tells whether a name is known."""

from __future__ import annotations

from tallybook.errors import TallybookError


class AccountError(TallybookError):
    """Something that cannot be done with accounts."""


class UsersFileError(AccountError):
    """A users file that is missing, is another's, is open to others, or cannot be read or written."""


class PasswordError(AccountError):
    """A password that cannot be set."""


class SignInError(AccountError):
    """Somebody who is not let in, by password or by token."""
