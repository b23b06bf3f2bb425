"""Passwords: what may be one, and its hash. The one door to argon2-cffi.

Hashes are argon2id (RFC 9106) with that document's second recommended parameters: 64 MiB, three passes, four lanes. A password is
compared as OpaqueString of RFC 8265 has it: blanks of every kind are one blank, accents are composed (NFC), letter case counts.
NFKC is not used: it would make different characters the same. What prints nothing is refused: stricter than OpaqueString.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from unicodedata import category, normalize

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from tallybook.accounts.errors import AccountError, PasswordError, UsersFileError

SHORTEST = 12
LONGEST = 1_000
FEWEST_DIFFERENT = 5
_PRINTS_NOTHING = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""Of made passwords: 32 that are not taken for one another."""
_NO_PASSWORD = "-"  # noqa: S105
"""Is hashed in place of what cannot be a password, so that it takes as long; too short to be one."""


def prepared(password: str) -> str:
    """The password as it is hashed. Raises PasswordError for what cannot be one."""
    where = "password"
    if len(password) > LONGEST:
        raise PasswordError(f"longer than {LONGEST:,} characters", where=where, do="shorten it")
    kinds = [category(char) for char in password]
    if not _PRINTS_NOTHING.isdisjoint(kinds):
        raise PasswordError("a character that prints nothing", where=where, do="use letters, digits, signs and blanks")
    text = "".join(" " if kind == "Zs" else char for char, kind in zip(password, kinds, strict=True))
    text = normalize("NFC", text)
    if len(text) < SHORTEST:
        raise PasswordError(f"shorter than {SHORTEST} characters", where=where, do="take a few words that nobody would guess")
    return text


def check_new(password: str, *names: str) -> None:
    """Raise PasswordError for a password that may not be set: none, one that is a name again, or the same few characters."""
    text = prepared(password).casefold()
    for name in names:
        rest = text.replace(name.casefold(), "") if name else text
        if rest != text and not any(char.isalnum() for char in rest):
            raise PasswordError("it is the name", where="password", do="take a few words that nobody would guess")
    if len(set(text)) < FEWEST_DIFFERENT:
        what = f"fewer than {FEWEST_DIFFERENT} different characters"
        raise PasswordError(what, where="password", do="take a few words that nobody would guess")


def made(random: Callable[[int], bytes]) -> str:
    """A password of 100 random bits: five groups of four letters and digits. `random` gives so many random bytes."""
    letters = "".join(_LETTERS[byte % 32] for byte in random(20))
    return "-".join(letters[at : at + 4] for at in range(0, 20, 4))


@dataclass(frozen=True, slots=True)
class Passwords:
    """How passwords are hashed. `random` gives so many random bytes, for salts."""

    parameters: Parameters = field(default_factory=lambda: RFC_9106_LOW_MEMORY)
    random: Callable[[int], bytes] = os.urandom

    def hashed(self, password: str) -> str:
        """The hash to keep, with its parameters and salt (PHC form). Raises PasswordError for what cannot be a password."""
        return self._hash(prepared(password))

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether the password is the one kept; False, after as long, where none is kept.

        Raises UsersFileError for a kept hash that is none.
        """
        try:
            text = prepared(password)
        except PasswordError:
            text = _NO_PASSWORD
        if kept is None:
            self._hash(text)
            return False
        try:
            return self._hasher().verify(kept, text)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError) as error:
            what = "the hash of a password is damaged, or there is too little memory to check it"
            raise UsersFileError(
                what, where="users file", do="an administrator sets a new password: tallybook user password"
            ) from error

    def is_old(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than these, and is to be made anew."""
        return self._hasher().check_needs_rehash(kept)

    def _hash(self, text: str) -> str:
        try:
            return self._hasher().hash(text, salt=self.random(self.parameters.salt_len))
        except HashingError as error:
            size = self.parameters.memory_cost // 1024
            do = f"hashing takes {size} MiB: let it have them"
            raise AccountError("too little memory to hash a password", where="password", do=do) from error

    def _hasher(self) -> PasswordHasher:
        return PasswordHasher.from_parameters(self.parameters)


SHIPPED = Passwords()
