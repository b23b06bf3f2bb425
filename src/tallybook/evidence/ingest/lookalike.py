"""Names that look like other names: letters of several scripts in one word, and words that differ only to a machine.

The scripts are told from the names that Unicode gives its letters, and the table of look-alikes is a short list of the
Cyrillic, Greek and Armenian letters that common typefaces draw as Latin ones (a subset of Unicode Technical Standard 39).
`confusable-homoglyphs` was looked at and left: its data are a copy of Unicode's from the day of its release (January 2024),
and it flags `rn` beside `m`, which in the names of ships is noise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from unicodedata import category, name, normalize

from tallybook.errors import Fault
from tallybook.evidence.ingest.table import Row
from tallybook.evidence.ingest.told import told

IDS = frozenset({"id", "source_id", "report", "claim", "cluster", "restates", "measure"})
"""Columns of identifiers: a look-alike there is a fault."""
NAMES = frozenset(
    {
        "name",
        "vessel",
        "place",
        "observer",
        "by",
        "to",
        "reviewed_by",
        "departure_port",
        "author_agency",
        "within",
        "aliases",
        "key",
    }
)
"""Columns of names of ships, places, people and keys: a look-alike there is a warning, since some names are written so."""

_WORD = re.compile(r"[^\s()\[\]{}/|;,.:\"]+")
_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC"}
_NO_SCRIPT = {"MODIFIER", "FEMININE", "MASCULINE", "MICRO", "DOUBLE", "SCRIPT", "MATHEMATICAL"}
_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝӏҮ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυαιρ" + "ՕՏԼհոսօ",
    "ABESIJKMHOPCTYXaesijopcyxhdqwlY" + "ABEZHIKMNOPTYXovuaip" + "OSLhnuo",
)


@lru_cache(maxsize=4096)
def _script(char: str) -> str:
    """The script of a letter; blank for what is no letter, or belongs to every script."""
    if not category(char).startswith("L"):
        return ""
    words = name(char, "").split()
    if not words or words[0] in _NO_SCRIPT:
        return "SYMBOL" if words and words[0] in ("SCRIPT", "DOUBLE", "MATHEMATICAL") else ""
    if words[0] in ("FULLWIDTH", "HALFWIDTH"):
        return " ".join(words[:2])
    return "EAST ASIAN" if words[0] in _EAST_ASIAN or words[0].startswith("CJK") else words[0]


def scripts(text: str) -> frozenset[str]:
    """The scripts of its letters, such as LATIN and CYRILLIC. The scripts of East Asia count as one."""
    return frozenset(_script(char) for char in text) - {""}


def mixed(text: str) -> frozenset[str]:
    """The scripts of the first word that has letters of several; empty where none has.

    Latin beside East Asian letters is not mixed: no letter of the one looks like a letter of the other.
    """
    if text.isascii():
        return frozenset()
    for word in _WORD.findall(text):
        found = scripts(word)
        if len(found) > 1 and found != {"LATIN", "EAST ASIAN"}:
            return found
    return frozenset()


def unseen_character(text: str) -> str:
    """The first character that does not show at all, such as a zero-width space, as its code point; blank for none."""
    return next((f"U+{ord(char):04X}" for char in text if category(char) == "Cf"), "")


def skeleton(text: str) -> str:
    """The text as the eye takes it: look-alikes as Latin letters, compatible forms as plain ones, case and blanks folded."""
    kept = "".join(char for char in normalize("NFKC", text) if category(char) != "Cf")
    return " ".join(kept.translate(_ALIKE).casefold().split())


def twins(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names that look the same and are not, each with the first of its kind. Case and blanks make no difference."""
    first: dict[str, str] = {}
    plain: dict[str, str] = {}
    found = []
    for one in dict.fromkeys(names):
        shape, own = skeleton(one), " ".join(one.casefold().split())
        other = first.setdefault(shape, one)
        if other != one and plain[shape] != own:
            found.append((other, one))
        plain.setdefault(shape, own)
    return found


def name_warnings(file: str, rows: Sequence[Row], most: int = 1_000) -> tuple[list[Fault], list[Fault]]:
    """The faults in the ids of a table and the warnings of its names, `most` of each at most."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    seen: dict[str, dict[str, int]] = {}
    for row in rows:
        for column, text in row.fields.items():
            if text.isascii() and column not in NAMES:
                continue
            if column not in IDS and column not in NAMES:
                continue
            into = faults if column in IDS else warnings
            if (what := _doubtful(text) or (_disguised(text) if column in IDS else "")) and len(into) < most:
                into.append(Fault(file, row.line, column, what, "write it in one script, with nothing unseen in it"))
            if column in NAMES:
                seen.setdefault(column, {}).setdefault(text, row.line)
    for column, lines in seen.items():
        for one, other in twins(lines)[: max(0, most - len(warnings))]:
            what = f"{told(other)} looks like {told(one)} of line {lines[one]} and is not"
            warnings.append(Fault(file, lines[other], column, what, "make them one, if they are one"))
    return faults, warnings


def _disguised(text: str) -> str:
    """What is wrong with an id in other letters that reads as one in ASCII; blank where nothing is."""
    shape = skeleton(text)
    return f"{told(text)} looks like {told(shape)} and is not" if shape.isascii() and not text.isascii() else ""


def _doubtful(text: str) -> str:
    if text.isascii():
        return ""
    if unseen := unseen_character(text):
        return f"{told(text)} holds a character that does not show ({unseen})"
    if found := mixed(text):
        return f"{told(text)} mixes letters of {' and '.join(sorted(script.title() for script in found))}"
    return ""
