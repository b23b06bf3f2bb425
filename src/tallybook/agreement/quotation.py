"""Quotations, checked word for word against the untouched sources."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tallybook.agreement.provision import Instrument

_STRUCK = re.compile(r"~~.*?~~", re.DOTALL)
_BLANKS = re.compile(r"\s+")
_MARKS = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " "})


def reading_text(text: str) -> str:
    """A source as it is to be read: struck words left out, quotation marks straight, white space folded.

    Nothing else is changed; words that were inserted by hand stand between `++` and are kept without the marks.
    """
    return _BLANKS.sub(" ", _STRUCK.sub(" ", text).translate(_MARKS).replace("++", "")).strip()


def quotations(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Every (path, instrument, words) under `text`, `because` and `covers` in the file as read."""
    if isinstance(node, list):
        for n, item in enumerate(node):
            yield from quotations(item, (*path, n))
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        here = (*path, key)
        if key in ("text", "because", "covers") and isinstance(value, dict):
            for instrument, words in value.items():
                for item in words if isinstance(words, list) else [words]:
                    if isinstance(item, str):
                        yield (*here, instrument), instrument, item
        else:
            yield from quotations(value, here)


def unsupported(
    words: str, instrument: str, instruments: Mapping[str, Instrument], texts: Mapping[str, str]
) -> tuple[str, str] | None:
    """Why a quotation is not borne out and what to do, or None where it is there word for word.

    `texts` maps the ids of instruments in hand to their reading text.
    """
    known = instruments.get(instrument)
    if known is None:
        return f"quotes {instrument!r}, which is no instrument", "add it under `instruments`, or correct the name"
    if known.in_hand in ("none", "described"):
        return f"quotes {instrument!r}, whose text is not in hand", "quote what is in hand, or add the text to sources/"
    where = instrument if known.in_hand == "whole" else known.read_in or ""
    text = texts.get(where)
    if text is None:
        return f"the text of {where!r} could not be read", "mend the source first"
    if not reading_text(words):
        return "quotes no words", "quote the words, or leave the quotation out"
    if reading_text(words) in text:
        return None
    return f"not in {where}, word for word: {words!r}", _nearest(reading_text(words), text)


def _nearest(words: str, text: str) -> str:
    parts = words.split()
    for count in range(len(parts) - 1, 0, -1):
        start = " ".join(parts[:count])
        at = text.find(start)
        if at >= 0:
            there = text[at : at + len(words) + 20]
            return f"the source agrees up to {start!r} and goes on: {there!r}"
    return "quote the source exactly, without words that are struck out"
