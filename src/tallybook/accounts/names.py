"""Names of users, of readers, and labels: what may be one.

A user's name is typed to sign in, so it is plain: two names that look alike are never two users. A reader's name is one that a
case states, in whatever script.
"""

from __future__ import annotations

import re
from unicodedata import is_normalized

from tallybook.accounts.errors import AccountError
from tallybook.evidence.ingest.told import told

LONGEST_NAME = 64
LONGEST_READER = 200
LONGEST_LABEL = 100

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}", re.ASCII)


def user_name(text: str) -> str:
    """A user's name, in small letters. Raises AccountError for what cannot be one."""
    name = folded(text)
    if not _NAME.fullmatch(name):
        do = f"use up to {LONGEST_NAME} of a-z, 0-9, dot, hyphen and underline, and begin with a letter or digit"
        raise AccountError(f"{told(text)} cannot be the name of a user", where="NAME", do=do)
    return name


def folded(text: str) -> str:
    """A name as it is looked up: capital letters count as small ones, in ASCII only (a Kelvin sign is no k)."""
    return text.lower() if len(text) <= LONGEST_NAME and text.isascii() else text


def reader_name(text: str) -> str:
    """The name of a reader in a case, as it is. Raises AccountError for what cannot be one."""
    return _plain(text, "reader", LONGEST_READER)


def label(text: str) -> str:
    """What a token is for; may be blank. Raises AccountError for what cannot be shown in a line."""
    return _plain(text, "label", LONGEST_LABEL) if text else ""


def _plain(text: str, what: str, longest: int) -> str:
    where = f"--{what}"
    if not text.strip():
        raise AccountError(f"a blank {what}", where=where, do="name it")
    if len(text) > longest:
        raise AccountError(f"longer than {longest} characters", where=where, do="shorten it")
    if not text.isprintable() or text != text.strip() or not is_normalized("NFC", text):
        do = "take out control characters and outer blanks, and compose accents (NFC)"
        raise AccountError(f"{told(text)} cannot be a {what}", where=where, do=do)
    return text
