"""Reading one scheme's part of a marking, or a clearance in it.

A part is `LEVEL//COMPARTMENTS//REL TO A, B//EYES ONLY FOR X; Y//CAVEATS//DECL 2050-01-01`: the level first, the rest in any
order. Words beside each other are set apart by `/`. A clearance has `OF A, B` for whom its holder belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches

from tallybook.markings.marking import EXEMPT, Grant, MarkingError, Part
from tallybook.markings.names import MOST_NAMES, NOBODY, canonical_name, quoted
from tallybook.markings.vocabulary import COMPARTMENT, NOFORN, Scheme

ORIGINATOR_ONLY = "ORIGINATOR ONLY"
_NOFORN = (NOFORN, "NF")
_STATEMENT = re.compile(r"(REL TO|REL|EYES ONLY FOR|EYES ONLY|DECL|OF)(?: (.*))?", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_part(text: str, scheme: Scheme) -> Part:
    """The part that a text without prefix is. Raises MarkingError, saying what is wrong and what to do."""
    found = _Reading(text, scheme)
    if found.belongs is not None:
        raise MarkingError("OF, in a marking", do="OF is for a clearance; write REL TO")
    compartments, caveats = found.words()
    return Part(scheme.id, found.level, compartments, found.release, found.recipients, caveats, found.declassify)


def read_grant(text: str, scheme: Scheme) -> Grant:
    """The clearance that a text without prefix is. Raises MarkingError, saying what is wrong and what to do."""
    found = _Reading(text, scheme)
    if found.recipients is not None or found.declassify or found.release == frozenset():
        raise MarkingError(
            "a clearance says level, compartments, OF and caveats", do="take EYES ONLY, DECL and ORIGINATOR ONLY out"
        )
    if found.belongs is not None and found.release is not None:
        raise MarkingError("a clearance that says twice whom its holder belongs to", do="write one OF")
    if found.groups:
        raise MarkingError(f"{quoted(found.groups[0])} is a group", do="nobody belongs to all of it; name the member")
    belongs = found.belongs or found.release or frozenset()
    compartments, caveats = found.words()
    return Grant(scheme.id, found.level, compartments, belongs, caveats | scheme.handling)


class _Reading:
    """What a text says, each thing once."""

    def __init__(self, text: str, scheme: Scheme) -> None:
        self.scheme = scheme
        self.level = 0
        self.release: frozenset[str] | None = None
        self.recipients: frozenset[str] | None = None
        self.belongs: frozenset[str] | None = None
        self.declassify = ""
        self.groups: list[str] = []
        self._words: list[str] = []
        segments = [" ".join(segment.split()) for segment in text.split("//")]
        for segment in self._after_level(segments):
            for item in segment.split("/"):
                self._item(item.strip())

    def _after_level(self, segments: Sequence[str]) -> Sequence[str]:
        for count in (2, 1):
            # Words that may be names are not of the level, so only what could be one is held against look-alikes.
            text = "//".join(segments[:count]).upper()
            found = self.scheme.level(text) if len(segments) >= count and text.isascii() else None
            if found is not None:
                self.level = found.rank
                return segments[count:]
        text = _english(segments[0])
        levels = [level.name for level in self.scheme.levels]
        why = self._refusal(text)
        if why is not None:
            raise MarkingError(why[0], do=why[1])
        raise MarkingError(
            f"{quoted(segments[0])} is no level of {self.scheme.id}",
            do=_near(text, levels) + f"the levels are {', '.join(levels)}",
        )

    def _item(self, item: str) -> None:
        statement = _STATEMENT.fullmatch(item)
        if not item:
            raise MarkingError("an empty part between strokes", do="take the stroke out, or write what is missing")
        if statement:
            self._statement(statement[1].upper(), statement[2] or "")
            return
        word = _english(item)
        if word in _NOFORN:
            if not self.scheme.owner:
                raise MarkingError(
                    f"{word}, and the scheme {self.scheme.id} has no owner", do="write REL TO, and whom it may go to"
                )
            self._set("release", frozenset((self.scheme.owner,)), word)
        elif word == ORIGINATOR_ONLY:
            self._set("release", frozenset(), word)
        else:
            self._word(word)

    def _statement(self, key: str, rest: str) -> None:
        if key in ("REL", "REL TO"):
            self._set("release", self._released_to(rest), "REL TO")
        elif key == "OF":
            names = self._names(rest, ",", "OF")
            self.groups += sorted(names & self.scheme.groups.keys())
            self._set("belongs", names, "OF")
        elif key == "DECL":
            self._set("declassify", _declassified(rest), "DECL")
        elif key == "EYES ONLY":
            raise MarkingError("EYES ONLY, and for nobody", do="write EYES ONLY FOR, and the names with ; between them")
        else:
            nobody = " ".join(rest.upper().split()) == NOBODY
            self._set("recipients", frozenset() if nobody else self._names(rest, ";", "EYES ONLY FOR"), "EYES ONLY")

    def _set(self, field: str, value: object, said: str) -> None:
        if getattr(self, field) not in (None, ""):
            what = "two release sets" if field == "release" else f"{said} twice"
            raise MarkingError(
                what, do="NOFORN and each REL TO exclude one another; write one" if field == "release" else "write it once"
            )
        setattr(self, field, value)

    def _released_to(self, text: str) -> frozenset[str]:
        if not text.strip():
            raise MarkingError("a release set that is empty", do=f"name whom it may go to, or write {ORIGINATOR_ONLY}")
        names = self._names(text, ",", "REL TO")
        self.groups += sorted(names & self.scheme.groups.keys())
        found = frozenset(one for name in names for one in self.scheme.groups.get(name, (name,)))
        if len(found) > MOST_NAMES:
            raise MarkingError(f"released to {len(found)}", do=f"at most {MOST_NAMES} names")
        return found

    def _names(self, text: str, separator: str, after: str) -> frozenset[str]:
        texts = text.split(separator) if text.strip() else []
        if not 0 < len(texts) <= MOST_NAMES:
            raise MarkingError(
                f"{after} and {len(texts)} names", do=f"from 1 to {MOST_NAMES} names, with {separator} between them"
            )
        names = [self._name(one) for one in texts]
        if len(set(names)) < len(names):
            raise MarkingError(f"{after} names one twice", do="write each name once")
        return frozenset(names)

    def _name(self, text: str) -> str:
        name = canonical_name(text)
        if self.scheme.listed(name) or _STATEMENT.fullmatch(name):
            raise MarkingError(
                f"{quoted(name)} stands where a name should", do="names come last in their part; begin the next one with //"
            )
        return name

    def _word(self, text: str) -> None:
        why = self._refusal(text)
        if why is not None:
            raise MarkingError(why[0], do=why[1])
        word = self.scheme.word(text) if _plain(text) and self.scheme.level(text) is None else None
        if word is None:
            known = self.scheme.known_words()
            raise MarkingError(
                f"{quoted(text)} is no word of {self.scheme.id}", do=_near(text, known) + f"it has {', '.join(known)}"
            )
        if word.name in self._words:
            raise MarkingError(f"{word.name} twice", do="write it once")
        self._words.append(word.name)

    def _refusal(self, text: str) -> tuple[str, str] | None:
        refused = self.scheme.refused
        return next((refused[word] for word in refused if text == word or text.startswith(word + " ")), None)

    def words(self) -> tuple[frozenset[str], frozenset[str]]:
        """The compartments and the caveats, with all that they imply."""
        closed = self.scheme.closed(self._words)
        compartments = frozenset(name for name in closed if (word := self.scheme.word(name)) and word.kind == COMPARTMENT)
        return compartments, closed - compartments


def _english(text: str) -> str:
    """A control word in capitals. Raises MarkingError for a letter of another alphabet, however much it looks right."""
    if not text.isascii():
        strange = next(char for char in text if not char.isascii())
        raise MarkingError(
            f"U+{ord(strange):04X} in {quoted(text)}", do="the words of a marking are in plain English letters; type it anew"
        )
    return text.upper()


def _plain(text: str) -> bool:
    return bool(text) and all(char.isalnum() or char in "+._- " for char in text)


def _near(text: str, known: Sequence[str]) -> str:
    near = get_close_matches(text[:60], known, 1, 0.6)
    return f"did you mean {near[0]}? " if near else ""


def _declassified(text: str) -> str:
    if text.upper() == EXEMPT.upper():
        return EXEMPT
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise MarkingError(f"DECL {quoted(text)} is no date", do="write DECL 2050-01-01, or DECL EXEMPT")
