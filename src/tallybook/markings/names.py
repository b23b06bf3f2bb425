"""Names in a marking: of the people it is for, and of those whose people it may be released to.

Two spellings that differ in case, width or spacing are one name. It is kept, compared and printed in capitals.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, name, normalize

from tallybook.markings.marking import MarkingError

LONGEST_NAME = 60
MOST_NAMES = 60
NOBODY = "NOBODY"
"""Written for an empty set of recipients, so it is no name."""
RESERVED = frozenset((NOBODY, "NOFORN", "NF", "WITHHELD", "ORIGINATOR ONLY", "EXEMPT"))
_MARKS = frozenset(" .'-_@+")
_CONFUSED = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"))


def quoted(text: str, longest: int = 60) -> str:
    """A text from outside, for a message: cut short, and what does not print is written as its code point."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "'" + "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in short) + "'"


@lru_cache(maxsize=4096)
def canonical_name(text: str) -> str:
    """The one spelling of a name: case folded, in capitals, in Unicode's compatible form, single spaces.

    Raises MarkingError for a name that is blank, too long, a word of the grammar, of mixed scripts, or that has other characters
    than letters, digits, spaces and .'-_@+ in it.
    """
    # Folding shortens spaces and may lengthen letters, so what is much too long is not folded at all.
    folded = _capitals(text) if len(text) <= 2 * LONGEST_NAME else text
    if len(folded) > LONGEST_NAME:
        raise MarkingError(f"a name of {len(folded)} characters", do=f"a name has at most {LONGEST_NAME}")
    if not folded:
        raise MarkingError("a blank name", do="write the name, or take the separator out")
    for char in folded:
        if char not in _MARKS and category(char)[0] not in "LMN":
            raise MarkingError(
                f"{quoted(char)} in the name {quoted(text)}",
                do="a name has letters, digits, spaces and .'-_@+ in it; write - for /",
            )
    if folded in RESERVED:
        raise MarkingError(f"{quoted(folded)} is a word of markings, not a name", do="give it another name")
    _check_scripts(folded)
    return folded


def _capitals(text: str) -> str:
    return " ".join(normalize("NFKC", normalize("NFKC", text).casefold().upper()).split())


def _check_scripts(text: str) -> None:
    if text.isascii():
        return
    scripts = {name(char, "").split(" ", 1)[0] for char in text if category(char)[0] == "L"}
    if len(scripts) > 1 and scripts & _CONFUSED:
        raise MarkingError(
            f"the name {quoted(text)} mixes letters of {' and '.join(sorted(scripts))}",
            do="letters of two scripts look alike; write it in one",
        )
