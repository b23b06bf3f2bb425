"""Reading a scheme: from a file that is shipped, or from what a case says of its own.

```
id: PARTNERS
title: the partners' grades
levels: [{name: OPEN, portion: O}, {name: CLOSED, portion: C}]      # the lowest first
words:  [{name: FIELD, portion: F, kind: compartment, lowest: CLOSED}]
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tallybook.markings.marking import MarkingError
from tallybook.markings.names import RESERVED, canonical_name, quoted
from tallybook.markings.vocabulary import CAVEAT, COMPARTMENT, CONTROLS, KINDS, Level, Scheme, Word

MOST_LEVELS = 20
MOST_WORDS = 200
MOST_GROUPS = 100
MOST_MEMBERS = 200
MOST_OTHER_SPELLINGS = 10
LONGEST_WORD = 60
LONGEST_TEXT = 1000
LONGEST_SUB = 20

_ID = re.compile(r"[A-Z][A-Z0-9-]{0,19}")
_WORD = re.compile(r"[A-Z0-9](?:[A-Z0-9+._ -]*[A-Z0-9+])?")
KEYS = {
    "scheme": {
        "id",
        "title",
        "source",
        "owner",
        "levels",
        "words",
        "groups",
        "open_vocabulary",
        "refused",
        "prefixed",
        "release_stated_from",
    },
    "level": {"name", "portion", "also"},
    "word": {"name", "portion", "kind", "title", "implies", "needs", "excludes", "lowest", "sub", "alone", "originator"},
}
_GRAMMAR = ("REL", "REL TO", "EYES ONLY", "EYES ONLY FOR", "DECL", "OF", *RESERVED)


def read_scheme(data: object) -> Scheme:
    """The scheme that plain data (mappings, lists, texts) describes. Raises MarkingError, saying which key and what to do."""
    top = _mapping(data, "scheme", KEYS["scheme"])
    levels = _levels(top.get("levels"))
    words = tuple(_word(one, f"words[{n}]", levels) for n, one in enumerate(_list(top.get("words", []), "words", MOST_WORDS)))
    owner = canonical_name(_text(top, "owner", "scheme", "")) if top.get("owner") else ""
    scheme = Scheme(
        _identity(top),
        _text(top, "title", "scheme", "", LONGEST_TEXT),
        levels,
        owner,
        words,
        _groups(top.get("groups", {})),
        _open(top.get("open_vocabulary", [])),
        _refused(top.get("refused", {})),
        _flag(top, "prefixed", "scheme", default=False),
        _rank(_text(top, "release_stated_from", "scheme"), "release_stated_from", levels)
        if "release_stated_from" in top
        else None,
        _text(top, "source", "scheme", "", LONGEST_TEXT),
    )
    _check_spellings(scheme)
    for word in words:
        _check_word(word, scheme)
    return scheme


def _identity(top: Mapping[str, Any]) -> str:
    found = _text(top, "id", "scheme")
    if not _ID.fullmatch(found):
        raise MarkingError(
            f"id: {quoted(found)} is no id of a scheme", do="capitals, digits and -, starting with a letter, at most 20"
        )
    return found


def _levels(data: object) -> tuple[Level, ...]:
    found = []
    for rank, one in enumerate(_list(data, "levels", MOST_LEVELS)):
        at = f"levels[{rank}]"
        entry = _mapping(one, at, KEYS["level"])
        name = _level_text(_text(entry, "name", at), f"{at}.name")
        portion = _level_text(_text(entry, "portion", at, name), f"{at}.portion")
        also = _list(entry.get("also", []), f"{at}.also", MOST_OTHER_SPELLINGS)
        found.append(Level(name, portion, rank, tuple(_level_text(_of_text(text, at), f"{at}.also") for text in also)))
    if not found:
        raise MarkingError("levels: none", do="list the levels, the lowest first")
    return tuple(found)


def _level_text(text: str, at: str) -> str:
    # A level may be written in two parts, as UNCLASSIFIED//FOUO is.
    for part in text.split("//", maxsplit=1):
        _spelled(part, at)
    return text


def _word(data: object, at: str, levels: Sequence[Level]) -> Word:
    entry = _mapping(data, at, KEYS["word"])
    name = _spelled(_text(entry, "name", at), f"{at}.name")
    kind = _text(entry, "kind", at)
    if kind not in KINDS:
        raise MarkingError(f"{at}.kind: {quoted(kind)}", do=f"one of {', '.join(KINDS)}")
    lowest = _rank(_text(entry, "lowest", at, levels[0].name), f"{at}.lowest", levels)
    sub = entry.get("sub", 0)
    if type(sub) is bool or not isinstance(sub, int) or not 0 <= sub <= LONGEST_SUB:
        raise MarkingError(
            f"{at}.sub: not a whole number from 0 to {LONGEST_SUB}", do="how long a sub-compartment may be; 0 for none"
        )
    implies, needs, excludes = (_texts(entry.get(key, []), f"{at}.{key}") for key in ("implies", "needs", "excludes"))
    title = entry.get("title", "")
    return Word(
        name,
        _spelled(_text(entry, "portion", at, name), f"{at}.portion"),
        kind,
        _spelled(_text(entry, "title", at), f"{at}.title") if title else "",
        implies,
        needs,
        excludes,
        lowest,
        sub,
        _flag(entry, "alone", at, default=True),
        _flag(entry, "originator", at, default=False),
    )


def _rank(text: str, at: str, levels: Sequence[Level]) -> int:
    found = next((level.rank for level in levels if level.name == text), None)
    if found is None:
        raise MarkingError(f"{at}: no level {quoted(text)}", do=f"the levels are {', '.join(level.name for level in levels)}")
    return found


def _groups(data: object) -> dict[str, frozenset[str]]:
    entries = _mapping(data, "groups")
    if len(entries) > MOST_GROUPS:
        raise MarkingError(f"groups: {len(entries)} of them", do=f"at most {MOST_GROUPS}")
    found = {}
    for name, members in entries.items():
        names = _list(members, f"groups.{name}", MOST_MEMBERS)
        found[canonical_name(name)] = frozenset(canonical_name(_of_text(one, f"groups.{name}")) for one in names)
        if not names:
            raise MarkingError(f"groups.{quoted(name)}: no members", do="name them")
    for name, group in found.items():
        if group & found.keys():
            raise MarkingError(f"groups.{quoted(name)}: a group in a group", do="name the members")
    return found


def _open(data: object) -> frozenset[str]:
    found = frozenset(_texts(data, "open_vocabulary"))
    if not found <= {COMPARTMENT, CAVEAT}:
        raise MarkingError("open_vocabulary: neither compartment nor caveat", do="leave it out, or write one of them")
    if len(found) > 1:
        raise MarkingError(
            "open_vocabulary: nothing would tell a compartment from a caveat", do="open one of them, and list the other"
        )
    return found


def _refused(data: object) -> dict[str, tuple[str, str]]:
    entries = _mapping(data, "refused")
    if len(entries) > MOST_WORDS:
        raise MarkingError(f"refused: {len(entries)} of them", do=f"at most {MOST_WORDS}")
    found = {}
    for word, why in entries.items():
        texts = _list(why, f"refused.{word}", 2)
        if len(texts) != 2:
            raise MarkingError(f"refused.{quoted(word)}: not two texts", do="say why, and what to do")
        what, do = (_of_text(one, f"refused.{word}", LONGEST_TEXT) for one in texts)
        found[_spelled(word, "refused")] = (what, do)
    return found


def _check_spellings(scheme: Scheme) -> None:
    """No text stands for two things."""
    seen: dict[str, str] = {}
    meant = [(text, level.name) for level in scheme.levels for text in (level.name, level.portion, *level.also)]
    meant += [(text, word.name) for word in scheme.words for text in (word.name, word.portion, word.title) if text]
    parts = [(part, level.name) for level in scheme.levels for part in level.name.split("//")[1:] + level.portion.split("//")[1:]]
    for text, name in [*meant, *((text, "refused") for text in scheme.refused)]:
        first = seen.setdefault(text, name)
        if first != name:
            raise MarkingError(f"{quoted(text)} stands for two things", do="give each its own word and abbreviation")
    names = [level.name for level in scheme.levels] + [word.name for word in scheme.words]
    twice = next((name for name in names if names.count(name) > 1), None)
    tails = {part for part, _ in parts} & {text for text, _ in meant}
    if twice is not None or tails:
        raise MarkingError(f"{quoted(twice or min(tails))} is there twice", do="give each its own name")


def _check_word(word: Word, scheme: Scheme) -> None:
    known = {other.name: other for other in scheme.words}
    for key, others, controls in (
        ("implies", word.implies, ()),
        ("needs", word.needs, CONTROLS),
        ("excludes", word.excludes, CONTROLS),
    ):
        for other in others:
            if other not in known and other not in controls:
                raise MarkingError(f"{word.name}.{key}: no word {quoted(other)}", do="list it under words")
            if other == "NOFORN" and not scheme.owner:
                raise MarkingError(f"{word.name}.{key}: NOFORN, and the scheme has no owner", do="name the owner")
    if any(word.name in scheme.closed(known[other].implies) or other == word.name for other in word.implies):
        raise MarkingError(f"{word.name}.implies: two words that imply each other", do="keep one of them")
    if any((known[other].kind == COMPARTMENT) != (word.kind == COMPARTMENT) for other in word.implies):
        raise MarkingError(f"{word.name}.implies: a compartment and a caveat", do="use needs")
    if word.sub and word.kind != COMPARTMENT:
        raise MarkingError(f"{word.name}.sub: only a compartment has parts", do="leave it out")


def _mapping(data: object, at: str, keys: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise MarkingError(f"{at}: not a mapping of texts", do="write key: value")
    unknown = sorted(set(data) - keys) if keys is not None else []
    if unknown and keys is not None:
        raise MarkingError(f"{at}: unknown key {quoted(unknown[0])}", do=f"the keys are {', '.join(sorted(keys))}")
    return data


def _list(data: object, at: str, most: int) -> Sequence[Any]:
    if isinstance(data, str | bytes) or not isinstance(data, Sequence):
        raise MarkingError(f"{quoted(at)}: not a list", do="write a list")
    if len(data) > most:
        raise MarkingError(f"{quoted(at)}: {len(data)} of them", do=f"at most {most}")
    return data


def _texts(data: object, at: str) -> tuple[str, ...]:
    return tuple(_of_text(one, at) for one in _list(data, at, MOST_WORDS))


def _text(entry: Mapping[str, Any], key: str, at: str, default: str | None = None, longest: int = LONGEST_WORD) -> str:
    if key not in entry and default is not None:
        return default
    if key not in entry:
        raise MarkingError(f"{at}: no {key}", do=f"give its {key}")
    return _of_text(entry[key], f"{at}.{key}", longest)


def _of_text(data: object, at: str, longest: int = LONGEST_WORD) -> str:
    if not isinstance(data, str):
        raise MarkingError(f"{quoted(at)}: not a text", do="put it in quotes")
    if not data.strip() or len(data) > longest or not data.isprintable():
        raise MarkingError(f"{quoted(at)}: blank, longer than {longest} characters, or does not print", do="write one plain line")
    return str(data)


def _flag(entry: Mapping[str, Any], key: str, at: str, *, default: bool) -> bool:
    found = entry.get(key, default)
    if type(found) is not bool:
        raise MarkingError(f"{at}.{key}: neither true nor false", do="write true or false")
    return found


def _spelled(text: str, at: str) -> str:
    if len(text) > LONGEST_WORD or not _WORD.fullmatch(text) or "  " in text:
        raise MarkingError(f"{at}: {quoted(text)}", do="capital letters of English, digits, spaces and +._- in between")
    if any(text == word or text.startswith(word + " ") for word in _GRAMMAR):
        raise MarkingError(f"{at}: {quoted(text)} is a word of the grammar", do="choose another")
    return text
