"""What a scheme of markings is made of: its levels, its words, and what each word asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

COMPARTMENT, CAVEAT, HANDLING = "compartment", "caveat", "handling"
KINDS = (COMPARTMENT, CAVEAT, HANDLING)
NOFORN = "NOFORN"
REL_TO = "REL TO"
EYES_ONLY = "EYES ONLY"
CONTROLS = (NOFORN, REL_TO, EYES_ONLY)
"""What a word may ask for or exclude besides other words."""


@dataclass(frozen=True, slots=True)
class Level:
    """A level: its name, the abbreviation of portions, its rank (0 the lowest), and other spellings that are read."""

    name: str
    portion: str
    rank: int
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the vocabulary.

    `kind` is compartment (a reader must hold it), caveat (a reader must be known to keep to it) or handling (binds who reads, and
    keeps nobody from it). `implies` are words that are marked with it without being written. `needs` must be there too, and
    `excludes` must not: words, or NOFORN, REL TO, EYES ONLY. `lowest` is the rank below which it is not used. `sub` is how many
    letters or digits a sub-compartment NAME-XXX may have (0: there are none), and `alone` whether it is used without one.
    `originator` marks words that leave release to the originator.
    """

    name: str
    portion: str
    kind: str
    title: str = ""
    implies: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    lowest: int = 0
    sub: int = 0
    alone: bool = True
    originator: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Scheme:
    """A scheme: what its markings may say. Two schemes are the same only if they are the same object.

    `owner` is whose people NOFORN keeps it to; blank where there is no such word. `groups` are names that stand for several.
    `open_vocabulary` names the kind (compartment or caveat) of which any word is read. `refused` are words that are known and
    not taken, each with why and what to do. `prefixed` says that the id is always written in front. `release_stated_from` is the
    rank from which what says nothing of release is not to be released (None: from nowhere). `source` is where the table was
    checked.
    """

    id: str
    title: str
    levels: tuple[Level, ...]
    owner: str = ""
    words: tuple[Word, ...] = ()
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    open_vocabulary: frozenset[str] = frozenset()
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    prefixed: bool = False
    release_stated_from: int | None = None
    source: str = ""
    _levels: Mapping[str, Level] = field(init=False, repr=False)
    _words: Mapping[str, Word] = field(init=False, repr=False)
    _places: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        levels = {text: level for level in self.levels for text in (*level.also, level.portion, level.name)}
        words = {text: word for word in self.words for text in (word.title, word.portion, word.name) if text}
        object.__setattr__(self, "_levels", levels)
        object.__setattr__(self, "_words", words)
        object.__setattr__(self, "_places", {word.name: place for place, word in enumerate(self.words)})

    @property
    def originator_controlled(self) -> frozenset[str]:
        """The words that leave release to the originator."""
        return frozenset(word.name for word in self.words if word.originator)

    @property
    def handling(self) -> frozenset[str]:
        """The words that every reader is taken to keep to."""
        return frozenset(word.name for word in self.words if word.kind == HANDLING)

    def level(self, text: str) -> Level | None:
        """The level of that name or abbreviation, in capitals."""
        return self._levels.get(text)

    def listed(self, text: str) -> bool:
        """Whether a text, in capitals, is a level or a word of the table, or one that it refuses; so it is nobody's name."""
        return text in self._words or text in self.refused or any(text == level.name for level in self.levels)

    def known_words(self) -> tuple[str, ...]:
        """Every level and word, for a message."""
        return (*(level.name for level in self.levels), *(word.name for word in self.words))

    def word(self, text: str) -> Word | None:
        """The word of that name, title or abbreviation, in capitals; one is made for a sub-compartment, and for an open word."""
        found = self._words.get(text)
        if found is not None:
            return found
        head, dash, tail = text.rpartition("-")
        parent = self._words.get(head) if dash else None
        if parent is not None and 0 < len(tail) <= parent.sub and tail.isascii() and tail.isalnum():
            name, portion = f"{parent.name}-{tail}", f"{parent.portion}-{tail}"
            return Word(name, portion, parent.kind, implies=(parent.name,), lowest=parent.lowest)
        for kind in self.open_vocabulary:
            return Word(text, text, kind)
        return None

    def closed(self, names: Iterable[str]) -> frozenset[str]:
        """The words and all that they imply."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                word = self.word(name)
                waiting += word.implies if word else ()
        return frozenset(found)

    def written(self, names: Iterable[str]) -> list[str]:
        """The words to write, in order: those that no other one implies."""
        present = set(names)
        implied = {other for name in present if (word := self.word(name)) for other in self.closed(word.implies)}
        return sorted(present - implied, key=lambda name: (self._place(name), name))

    def _place(self, name: str) -> int:
        head = name.rpartition("-")[0]
        return self._places.get(name, self._places.get(head, len(self._places)))
