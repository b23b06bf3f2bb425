"""Reports that nearly say the same: they may come from one source, and are shown to a person as such.

Likeness is the Jaccard coefficient of two texts' shingles (every run of five characters, after case, accents of form and
punctuation are folded): shared shingles by all shingles, from 0 to 1. It is exact. What makes it fast is prefix filtering
(Bayardo, Ma and Srikant, "Scaling up all pairs similarity search", WWW 2007): with shingles in one order, rarest first, two
texts as alike as t share k of the first |x| - ceil(t |x|) + k shingles of x and |y| - ceil(t |y|) + k of y. The paper has
k = 1; a larger k leaves far fewer texts to compare (Wang, Li and Feng, "Can we beat the prefix filtering?", SIGMOD 2012).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from unicodedata import normalize

from tallybook.evidence.ingest.limits import DEFAULT

LENGTH = 5
AT_LEAST = 0.55
WITNESSES = 20
"""The k above, as measured on ten thousand reports of ten to forty words."""
LONGEST = 5_000
"""Characters of a text that are compared; the rest is left aside."""


@dataclass(frozen=True, slots=True, order=True)
class Neighbours:
    """Two texts by their keys, and how alike they are, from 0 to 1."""

    first: str
    second: str
    likeness: float


def shingles(text: str) -> frozenset[str]:
    """The shingles of a text; a text of fewer characters than a shingle has itself as its only one, a blank text none."""
    plain = normalize("NFKC", text[:LONGEST]).casefold()
    folded = " ".join("".join(char if char.isalnum() else " " for char in plain).split())
    if len(folded) <= LENGTH:
        return frozenset([folded] if folded else ())
    return frozenset(folded[n : n + LENGTH] for n in range(len(folded) - LENGTH + 1))


def likeness(one: str, other: str) -> float:
    """How alike two texts are, from 0 to 1; blank texts are alike to nothing."""
    return _jaccard(shingles(one), shingles(other))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


class Index:
    """Texts by key, ready to be asked which of them nearly say the same as another.

    `at_least`: the least likeness that is looked for, above 0 and at most 1. Raises ValueError for another number.
    """

    def __init__(self, texts: Mapping[str, str], at_least: float = AT_LEAST) -> None:
        if not 0 < at_least <= 1:
            raise ValueError(f"a likeness of {at_least} is not above 0 and at most 1")
        self.at_least = at_least
        alike: dict[frozenset[str], list[str]] = {}
        for key, text in texts.items():
            if made := shingles(text):
                alike.setdefault(made, []).append(key)
        self._sets = list(alike)
        self._keys = list(alike.values())
        common = Counter(shingle for made in self._sets for shingle in made)
        self._rank = {shingle: n for n, shingle in enumerate(sorted(common, key=lambda s: (common[s], s)))}
        self._sizes = [len(made) for made in self._sets]
        self._postings: dict[str, list[int]] = {}
        for n, made in enumerate(self._sets):
            for shingle in self._prefix(made):
                self._postings.setdefault(shingle, []).append(n)

    def _prefix(self, made: frozenset[str]) -> list[str]:
        ordered = sorted(made, key=lambda s: (self._rank.get(s, -1), s))
        shared = _ceil(self.at_least * len(ordered))
        return ordered[: len(ordered) - shared + min(WITNESSES, shared)]

    def _near(self, made: frozenset[str], before: int) -> Iterator[tuple[int, float]]:
        """The sets of a lower number than `before` that are near enough, with their likeness."""
        least, most = self.at_least * len(made), len(made) / self.at_least
        shared: Counter[int] = Counter()
        for shingle in self._prefix(made):
            found = self._postings.get(shingle, ())
            shared.update(found[: bisect_left(found, before)])
        witnesses = min(WITNESSES, _ceil(least))
        for n, count in shared.items():
            size = self._sizes[n]
            if least - 1e-9 <= size <= most + 1e-9 and count >= min(witnesses, _ceil(self.at_least * size)):
                alike = _jaccard(made, self._sets[n])
                if alike >= self.at_least:
                    yield n, alike

    def near(self, text: str) -> list[tuple[str, float]]:
        """The keys of the texts near to this one and how alike they are, the most alike first."""
        made = shingles(text)
        found = [(key, alike) for n, alike in self._near(made, len(self._sets)) for key in self._keys[n]] if made else []
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def pairs(self, most: int = DEFAULT.mentions) -> list[Neighbours]:
        """Every pair, `most` of them at most, in the order of the second text.

        Texts with the same shingles stand for one another: each is paired with the first of them, and only that one with
        others, so that a thousand copies of one text are 999 pairs and not half a million.
        """
        found: list[Neighbours] = []
        for n, made in enumerate(self._sets):
            first, *copies = self._keys[n]
            near = sorted((self._keys[m][0], alike) for m, alike in self._near(made, n))
            found += [Neighbours(other, first, alike) for other, alike in near]
            found += [Neighbours(first, copy, 1.0) for copy in copies]
            if len(found) >= most:
                break
        return found[:most]


def _ceil(value: float) -> int:
    """The ceiling, with the last bits of a product of floats not counted."""
    return ceil(value - 1e-9)
