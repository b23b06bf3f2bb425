"""The ladder of words, and the table that gives them (design section 4). For and against are computed apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallybook.core.bounds import Bounds, updated
from tallybook.verdicts.weigh import Cluster, Weights


class Word(StrEnum):
    """What the evidence shows about a claim."""

    NO_EVIDENCE = "no evidence"
    CLAIMED = "claimed"
    INDICATED = "indicated"
    SUPPORTED = "supported"
    VERIFIED = "verified"
    UNCLEAR = "unclear"
    DISPUTED = "disputed"
    CONTRADICTED = "contradicted"


class Strength(StrEnum):
    """How much one side has."""

    NONE = "none"
    WORD_ONLY = "word only"
    WEAK = "weak"
    STRONG = "strong"


_N, _W, _K, _S = Strength.NONE, Strength.WORD_ONLY, Strength.WEAK, Strength.STRONG
TABLE: dict[tuple[Strength, Strength], Word] = {
    (_N, _N): Word.NO_EVIDENCE,
    (_N, _W): Word.UNCLEAR,
    (_N, _K): Word.UNCLEAR,
    (_N, _S): Word.CONTRADICTED,
    (_W, _N): Word.CLAIMED,
    (_W, _W): Word.UNCLEAR,
    (_W, _K): Word.UNCLEAR,
    (_W, _S): Word.CONTRADICTED,
    (_K, _N): Word.INDICATED,
    (_K, _W): Word.INDICATED,
    (_K, _K): Word.UNCLEAR,
    (_K, _S): Word.CONTRADICTED,
    (_S, _N): Word.SUPPORTED,
    (_S, _W): Word.SUPPORTED,
    (_S, _K): Word.SUPPORTED,
    (_S, _S): Word.DISPUTED,
}
"""(for, against) to the word."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a claim: its clusters (strongest first), its bounds and its strength."""

    clusters: tuple[Cluster, ...]
    bounds: Bounds
    strength: Strength

    @property
    def independent(self) -> list[Cluster]:
        """The clusters that move the bounds."""
        return [c for c in self.clusters if c.has_direction and not c.is_word]


def side(clusters: Sequence[Cluster], weights: Weights) -> Side:
    """Weigh one side from the prior and its own clusters.

    The word of the party that owes moves no bound. Reports of parts, however many, do not make a side strong without one
    report of the whole.
    """
    independent = [c for c in clusters if c.has_direction and not c.is_word]
    bounds = updated(weights.prior, (c.ratio for c in independent if c.ratio is not None))
    if not independent:
        has_word = any(c.is_word and c.has_direction for c in clusters)
        strength = Strength.WORD_ONLY if has_word else Strength.NONE
    elif bounds.low >= weights.good_evidence and any(c.whole for c in independent):
        strength = Strength.STRONG
    else:
        strength = Strength.WEAK
    return Side(tuple(clusters), bounds, strength)


def word(for_: Side, against: Side) -> Word:
    """The word that the table gives; `verified` is never given here."""
    return TABLE[for_.strength, against.strength]
