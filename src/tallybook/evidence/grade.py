"""The Admiralty code: reliability of the source (A-F) and credibility of the report (1-6), kept apart.

F and 6 do not mean "bad": they mean "cannot be judged". What a grade is worth is an interval of likelihood ratios
(design section 4); a case may override any of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tallybook.core.bounds import Bounds

GRADE = re.compile(r"[A-F][1-6]", re.ASCII)
UNJUDGED = Bounds(0.5, 2.0)
DOUBTFUL = Bounds(0.7, 1.5)
_RATIOS = {
    "A1": Bounds(30, 200),
    "A2": Bounds(10, 60),
    "B1": Bounds(10, 60),
    "B2": Bounds(5, 20),
    "A3": Bounds(2, 8),
    "B3": Bounds(2, 8),
    "C1": Bounds(2, 8),
    "C2": Bounds(2, 8),
    "C3": Bounds(1.5, 4),
}
PART = "C3"
"""The most that a report of a part of what a claim speaks of counts as."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade such as A2, or blank."""

    text: str

    @property
    def reliability(self) -> str:
        """A to F, or blank."""
        return self.text[:1]

    @property
    def credibility(self) -> str:
        """1 to 6, or blank."""
        return self.text[1:]

    @property
    def can_be_judged(self) -> bool:
        """Whether both source and report could be judged at all."""
        return bool(self.text) and self.reliability != "F" and self.credibility != "6"

    def in_words(self) -> str:
        """The grade spelt out (AJP-2.1)."""
        if not self.text:
            return "not graded"
        reliability = {
            "A": "completely reliable",
            "B": "usually reliable",
            "C": "fairly reliable",
            "D": "not usually reliable",
            "E": "unreliable",
            "F": "reliability cannot be judged",
        }[self.reliability]
        credibility = {
            "1": "confirmed by other sources",
            "2": "probably true",
            "3": "possibly true",
            "4": "doubtful",
            "5": "improbable",
            "6": "truth cannot be judged",
        }[self.credibility]
        return f"{self.text}: source {reliability}, report {credibility}"


NO_GRADE = Grade("")


def likelihood_ratio(grade: Grade, overrides: Mapping[str, Bounds], scale: float = 1.0) -> Bounds:
    """The interval of likelihood ratios that a grade is worth.

    `overrides` maps grades to other intervals; `scale` halves (0.5) or doubles (2) what each is worth above 1.
    """
    if grade.text in overrides:
        ratio = overrides[grade.text]
    elif not grade.can_be_judged:
        ratio = UNJUDGED
    else:
        ratio = _RATIOS.get(grade.text, DOUBTFUL)
    if scale == 1.0 or ratio.low < 1:
        return ratio
    return Bounds(1 + (ratio.low - 1) * scale, 1 + (ratio.high - 1) * scale)


def has_direction(ratio: Bounds) -> bool:
    """Whether a ratio points anywhere: one that may be below 1, or has faded below 1.2, does not."""
    return ratio.low >= FADED_OUT


FADED_OUT = 1.2


def weaker(first: Grade, second: Grade, overrides: Mapping[str, Bounds]) -> Grade:
    """The one of two grades that is worth less."""
    worth = [likelihood_ratio(grade, overrides).low for grade in (first, second)]
    return first if worth[0] <= worth[1] else second
