"""A text with a banner at its head and foot and a portion mark before each paragraph: whether they agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1)]
    told = [(n, line) for n, line in lines if line]
    if not told:
        return [Flaw(1, "empty", "write the banner at the head and the foot")]
    flaws: list[Flaw] = []
    (head_line, head_text), (foot_line, foot_text) = told[0], told[-1]
    head = _marking(head_line, head_text, scheme, flaws, "no banner")
    if foot_line == head_line:
        return [*flaws, Flaw(head_line, "a banner and no foot", "write the same at the head and the foot")]
    foot = _marking(foot_line, foot_text, scheme, flaws, "no banner")
    portions = [_portion(n, line, scheme, flaws) for n, line in _marked_lines(lines[head_line : foot_line - 1])]
    if head is not None and foot is not None and head != foot:
        flaws.append(Flaw(foot_line, "the foot is marked otherwise than the head", "write the same at both"))
    known = [portion for portion in portions if portion is not None]
    for line, stated in ((head_line, head), (foot_line, foot)):
        if stated is not None:
            needed = banner(join_all([stated, *known]), {scheme.id: scheme})
            found = banner_faults(stated, known, {scheme.id: scheme})
            flaws += [Flaw(line, f"below its portions: {what}", f"write {needed} at the head and the foot") for what in found]
    return sorted(flaws, key=lambda flaw: flaw.line)


def _marked_lines(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines that begin a paragraph, and those within one that begin with a mark in brackets."""
    count, begins = 0, True
    for n, line in lines:
        if line and (begins or _PORTION.match(line)):
            count += 1
            if count > MOST_PARAGRAPHS:
                raise MarkingError(f"over {MOST_PARAGRAPHS:,} paragraphs", do="split it")
            yield n, line
        begins = not line


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
