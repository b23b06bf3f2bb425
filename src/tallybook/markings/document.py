"""A text with a banner at its head and foot and a portion mark before each paragraph: whether they agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tallybook.markings.marking import Marking, MarkingError, join_all
from tallybook.markings.rules import banner_faults, marking_faults
from tallybook.markings.scheme import Scheme
from tallybook.markings.text import banner, parse

LONGEST = 2_000_000
MOST_PARAGRAPHS = 20_000
_PORTION = re.compile(r"(?:\d{1,4}[.)]\s*|[-*]\s+|#+\s+)?\(([^()\n]{1,200})\)")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a line, counted from 1."""

    line: int
    what: str
    do: str


def document_flaws(text: str, scheme: Scheme) -> list[Flaw]:
    """What is wrong with the markings of a text; nothing where head and foot say at least what its portions say together.

    Paragraphs are parted by blank lines; the first and the last line that are not blank are the banners. Raises MarkingError for
    a text that is too long.
    """
    if len(text) > LONGEST:
        raise MarkingError(f"over {LONGEST:,} characters", do="split it")
    paragraphs = list(_paragraphs(text))
    if len(paragraphs) > MOST_PARAGRAPHS:
        raise MarkingError(f"over {MOST_PARAGRAPHS:,} paragraphs", do="split it")
    if not paragraphs:
        return [Flaw(1, "empty", "write the banner at the head and the foot")]
    flaws: list[Flaw] = []
    (head_line, head_text), (foot_line, foot_text) = paragraphs[0], paragraphs[-1]
    head, foot = (_banner(line, told, scheme, flaws) for line, told in ((head_line, head_text), (foot_line, foot_text)))
    portions = [_portion(line, told, scheme, flaws) for line, told in paragraphs[1:-1]]
    if head is not None and foot is not None and head != foot:
        flaws.append(Flaw(foot_line, "the foot is marked otherwise than the head", "write the same at both"))
    stated = join_all(one for one in (head, foot) if one is not None)
    known = [portion for portion in portions if portion is not None]
    if head is not None:
        needed = banner(join_all([stated, *known]), {scheme.id: scheme})
        found = banner_faults(stated, known, {scheme.id: scheme})
        flaws += [Flaw(head_line, f"below its portions: {told}", f"write {needed} at the head and the foot") for told in found]
    return sorted(flaws, key=lambda flaw: flaw.line)


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """The paragraphs with the line on which each begins."""
    start, lines = 0, list[str]()
    for n, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            start = start or n
            lines.append(line.strip())
        elif lines:
            yield start, "\n".join(lines)
            start, lines = 0, []


def _banner(line: int, text: str, scheme: Scheme, flaws: list[Flaw]) -> Marking | None:
    return _marking(line, text.splitlines()[0], scheme, flaws, "no banner")


def _portion(line: int, text: str, scheme: Scheme, flaws: list[Flaw]) -> Marking | None:
    match = _PORTION.match(text)
    if match is None:
        flaws.append(Flaw(line, "a paragraph without a portion mark", "begin it with one, in brackets"))
        return None
    return _marking(line, match[1], scheme, flaws, "no portion mark")


def _marking(line: int, text: str, scheme: Scheme, flaws: list[Flaw], otherwise: str) -> Marking | None:
    try:
        found = parse(text, scheme)
    except MarkingError as error:
        flaws.append(Flaw(line, f"{otherwise}: {error.what}", error.do or "write a marking of the scheme"))
        return None
    flaws += [Flaw(line, told, "correct the marking") for told in marking_faults(found, scheme)]
    return found
