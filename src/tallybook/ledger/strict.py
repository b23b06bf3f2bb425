"""The few ways in which the formats of the log write numbers and bytes, read without leniency.

Python's own `int` takes signs, spaces, underscores and other scripts' digits, and `base64` takes stray bits: both would let
one value be written in two ways, and a signature cover neither.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

from tallybook.errors import TallybookError
from tallybook.ledger.tree import HASH_SIZE, LARGEST

MOST_DIGITS = len(str(LARGEST))
SHOWN = 60
"""No error shows more characters of what was refused."""

_DECIMAL = re.compile(r"[1-9][0-9]*|0", re.ASCII)
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)


class FormatError(TallybookError):
    """Text or bytes that are not of the format that they are read as."""


def shown(text: str | bytes) -> str:
    """The beginning of `text` as it can be put into an error."""
    return ascii(text[:SHOWN]) + ("…" if len(text) > SHOWN else "")


def read_decimal(text: str) -> int | None:
    """The number that `text` writes as C2SP has it: ASCII digits, no sign, no leading zero, below 2^63. Else None."""
    if len(text) > MOST_DIGITS or not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number <= LARGEST else None


def read_base64(text: str) -> bytes | None:
    """The bytes that `text` writes in the one canonical way of RFC 4648, section 4: padded, no stray bits. Else None."""
    if not _BASE64.fullmatch(text):
        return None
    raw = b64decode(text)
    return raw if write_base64(raw) == text else None


def read_hash(text: str) -> bytes | None:
    """The 32 bytes that `text` writes in base64. Else None."""
    raw = read_base64(text)
    return raw if raw is not None and len(raw) == HASH_SIZE else None


def write_base64(raw: bytes) -> str:
    """Standard base64 with padding."""
    return b64encode(raw).decode("ascii")


def has_control(text: str) -> bool:
    """Whether `text` has an ASCII control character other than a newline, or half a surrogate pair: no UTF-8 has that."""
    return _CONTROL.search(text) is not None
