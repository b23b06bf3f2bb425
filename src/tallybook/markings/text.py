"""Markings as text: `SECRET//REL TO USA, GBR`, `(S//NF)`, `TLP:AMBER & UN:CONFIDENTIAL`.

What is read is in any case and with abbreviations; what is written is canonical, and reads back as the same marking.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from tallybook.markings.marking import EXEMPT, TOP, Grant, Marking, MarkingError, Part
from tallybook.markings.names import NOBODY, canonical_name, quoted
from tallybook.markings.reading import ORIGINATOR_ONLY, read_grant, read_part
from tallybook.markings.vocabulary import NOFORN, Scheme

__all__ = ["LONGEST", "WITHHELD", "banner", "canonical_name", "parse", "parse_grant", "portion"]

LONGEST = 500
"""Characters of a marking; the ledger's leaf has room for as many."""
MOST_PARTS = 10
WITHHELD = "WITHHELD"
_NO_OTHERS: Mapping[str, Scheme] = {}


def parse(text: str, scheme: Scheme, others: Mapping[str, Scheme] = _NO_OTHERS) -> Marking:
    """The marking that a text is, in `scheme` where no prefix names another. Raises MarkingError for a text that is none."""
    others = {scheme.id: scheme, **others}
    return _parsed(_cleaned(text), tuple(others.values()))


@lru_cache(maxsize=8192)
def _parsed(body: str, in_use: tuple[Scheme, ...]) -> Marking:
    if body.upper() == WITHHELD:
        return TOP
    pieces = body.split("&")
    if len(pieces) > MOST_PARTS:
        raise MarkingError(f"{len(pieces)} schemes in one marking", do=f"at most {MOST_PARTS}")
    schemes = {scheme.id: scheme for scheme in in_use}
    parts: dict[str, Part] = {}
    for piece in pieces:
        of, rest = _prefixed(piece.strip(), in_use[0], schemes)
        part = read_part(rest, of)
        if of.id in parts:
            raise MarkingError(f"two markings in {of.id}", do="write the one that is as restrictive as both")
        parts[of.id] = part
    marking = Marking.of(*parts.values())
    if len(banner(marking, schemes)) > LONGEST:
        raise MarkingError(f"a marking that is longer than {LONGEST} characters when it is written in full", do="shorten it")
    return marking


def parse_grant(text: str, scheme: Scheme) -> Grant:
    """The clearance that a text is, in one scheme: `SECRET//SI//OF GBR`. Raises MarkingError for a text that is none."""
    body = _cleaned(text)
    if body.upper() == WITHHELD or "&" in body:
        raise MarkingError("not a clearance in one scheme", do="write a clearance for each scheme, such as SECRET//OF GBR")
    of, rest = _prefixed(body, scheme, {scheme.id: scheme})
    return read_grant(rest, of)


def banner(marking: Marking, schemes: Mapping[str, Scheme]) -> str:
    """The marking in full: WITHHELD for the top, blank for the bottom. The first of `schemes` needs no prefix.

    Raises MarkingError for a part of a scheme that is not among them, or of a level that the scheme does not have.
    """
    return _whole(marking, schemes, short=False)


def portion(marking: Marking, schemes: Mapping[str, Scheme]) -> str:
    """The marking in brackets and abbreviated, for one line or paragraph; blank for the bottom. Raises as `banner` does."""
    found = _whole(marking, schemes, short=True)
    return f"({found})" if found else ""


def _cleaned(text: str) -> str:
    if len(text) > LONGEST:
        raise MarkingError(f"a marking of {len(text)} characters", do=f"at most {LONGEST}")
    if not text.isprintable():
        strange = next(char for char in text if not char.isprintable())
        raise MarkingError(f"U+{ord(strange):04X} in a marking", do="write it on one line, without characters that do not print")
    body = text.strip()
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1].strip()
    if not body:
        raise MarkingError("no marking", do="write one; what bears none is withheld")
    return body


def _prefixed(text: str, scheme: Scheme, schemes: Mapping[str, Scheme]) -> tuple[Scheme, str]:
    head, colon, rest = text.partition(":")
    if not colon or "/" in head:
        return scheme, text
    found = schemes.get(head.strip().upper())
    if found is None:
        raise MarkingError(f"no scheme {quoted(head.strip())} is in use here", do=f"in use are {', '.join(schemes)}")
    return found, rest.strip()


def _whole(marking: Marking, schemes: Mapping[str, Scheme], *, short: bool) -> str:
    if marking.withheld:
        return WITHHELD
    places = {name: place for place, name in enumerate(schemes)}
    unknown = [part.scheme for part in marking.parts if part.scheme not in places]
    if unknown:
        raise MarkingError(f"no scheme {quoted(unknown[0])} is in use here", do=f"in use are {', '.join(schemes)}")
    written = []
    for part in sorted(marking.parts, key=lambda one: places[one.scheme]):
        scheme = schemes[part.scheme]
        prefix = f"{scheme.id}:" if scheme.prefixed or places[scheme.id] else ""
        written.append(prefix + "//".join(_segments(part, scheme, short=short)))
    return " & ".join(written)


def _segments(part: Part, scheme: Scheme, *, short: bool) -> list[str]:
    if not 0 <= part.level < len(scheme.levels):
        raise MarkingError(f"{scheme.id} has no level {part.level}", do="the marking is of another table than this; read it anew")
    level = scheme.levels[part.level]
    found = [level.portion if short else level.name, _words(part.compartments, scheme, short=short)]
    found += [
        _release(part.release, scheme, short=short),
        _recipients(part.recipients),
        _words(part.caveats, scheme, short=short),
    ]
    if part.declassify:
        found.append(f"DECL {part.declassify.upper() if part.declassify == EXEMPT else part.declassify}")
    return [segment for segment in found if segment]


def _words(names: frozenset[str], scheme: Scheme, *, short: bool) -> str:
    words = [(name, scheme.word(name)) for name in scheme.written(names)]
    return "/".join(word.portion if word and short else name for name, word in words)


def _release(release: frozenset[str] | None, scheme: Scheme, *, short: bool) -> str:
    if release is None:
        return ""
    if not release:
        return ORIGINATOR_ONLY
    if release == {scheme.owner}:
        return "NF" if short else NOFORN
    return "REL TO " + ", ".join(sorted(release, key=lambda name: (name != scheme.owner, name)))


def _recipients(recipients: frozenset[str] | None) -> str:
    if recipients is None:
        return ""
    return "EYES ONLY FOR " + ("; ".join(sorted(recipients)) or NOBODY)
