"""A text from outside, put into a message: cut short, and with nothing in it that a terminal would obey."""

from __future__ import annotations

LONGEST = 60


def told(text: str, longest: int = LONGEST) -> str:
    """The text in quotes; what does not print is written as its code point, and what is too long is cut."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "'" + "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in short) + "'"
