"""Bytes from outside to plain text: UTF-8, no byte-order mark, nothing that a terminal would obey."""

from __future__ import annotations

import re

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class NotPlainTextError(ValueError):
    """Bytes that are no plain text: the line, what is wrong, and what to do."""

    def __init__(self, line: int, what: str, do: str) -> None:
        self.line, self.what, self.do = line, what, do
        super().__init__(what)


def plain_text(raw: bytes) -> str:
    """Decode. Raises NotPlainTextError for a byte-order mark, bytes that are not UTF-8, and control characters."""
    if raw.startswith(_MARKS):
        raise NotPlainTextError(1, "starts with a byte-order mark", "save it as UTF-8 without a byte-order mark")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        do = "save it as UTF-8 (it may be Latin-1 or Windows-1252 now)"
        raise NotPlainTextError(line, what, do) from error
    found = _UNSEEN.search(text)
    if found:
        raise NotPlainTextError(text.count("\n", 0, found.start()) + 1, unseen(text), "remove it")
    return text


def unseen(text: str) -> str:
    """What is wrong with a text that holds a control character or half a character; blank where nothing is."""
    found = _UNSEEN.search(text)
    if found is None:
        return ""
    char = found[0]
    if "\ud800" <= char <= "\udfff":
        return "half a character (a lone surrogate)"
    return "holds a NUL character" if char == "\0" else f"holds a control character (U+{ord(char):04X})"
