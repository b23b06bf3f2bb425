"""The ladder of words, and the table that gives them (design section 4). For and against are computed apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tallybook.core.bounds import Bounds, exact_log, posterior
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
class Tally:
    """What the clusters of one side come to. `low` and `high` are sums of `exact_log` over those that move the bounds.

    `moving` is how many do, `whole` whether one of them is of the whole; `word` whether a word of the party that owes still
    has a direction. `spoken` and `shown` tell whether there is any cluster of its word, or any other, with or without one;
    they are asked of counted claims only.
    """

    moving: int = 0
    low: int = 0
    high: int = 0
    whole: bool = False
    word: bool = False
    spoken: bool = False
    shown: bool = False

    @staticmethod
    def of(clusters: Iterable[Cluster]) -> Tally:
        """Count clusters."""
        tally = Tally()
        for cluster in clusters:
            tally = tally.and_one(cluster)
        return tally

    def and_one(self, cluster: Cluster) -> Tally:
        """With one cluster more."""
        if cluster.is_word:
            return replace(self, word=self.word or cluster.has_direction, spoken=True)
        if cluster.ratio is None:
            return replace(self, shown=True)
        low, high = self.low + exact_log(cluster.ratio.low), self.high + exact_log(cluster.ratio.high)
        return replace(self, moving=self.moving + 1, low=low, high=high, whole=self.whole or cluster.whole, shown=True)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a claim: its clusters (strongest first), its bounds, its strength, and what these come from."""

    clusters: Sequence[Cluster]
    bounds: Bounds
    strength: Strength
    tally: Tally

    @property
    def independent(self) -> list[Cluster]:
        """The clusters that move the bounds."""
        return [c for c in self.clusters if c.has_direction and not c.is_word]


def side(clusters: Sequence[Cluster], weights: Weights) -> Side:
    """Weigh one side from the prior and its own clusters.

    The word of the party that owes moves no bound. Reports of parts, however many, do not make a side strong without one
    report of the whole.
    """
    return side_of(Tally.of(clusters), tuple(clusters), weights)


def side_of(tally: Tally, clusters: Sequence[Cluster], weights: Weights) -> Side:
    """The same from what the clusters come to; `clusters` may be worked out only when they are asked for."""
    bounds = posterior(weights.prior, tally.low, tally.high)
    if not tally.moving:
        strength = Strength.WORD_ONLY if tally.word else Strength.NONE
    elif bounds.low >= weights.good_evidence and tally.whole:
        strength = Strength.STRONG
    else:
        strength = Strength.WEAK
    return Side(clusters, bounds, strength, tally)


def word(for_: Side, against: Side) -> Word:
    """The word that the table gives; `verified` is never given here."""
    return TABLE[for_.strength, against.strength]
