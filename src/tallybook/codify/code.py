"""What a code of guidance consists of. Every sentence names its source; what is quoted and what is our rendering stay apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


class Verbatim(str):
    """Words to be shown as they stand in the file: a condition, an atom, an id of a measure."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of our own rendering. `source` is the provision (`@id`) or change (`INSTRUMENT#n`) that it renders."""

    runs: tuple[str | Verbatim, ...]
    source: str

    @property
    def text(self) -> str:
        """The sentence, with what is verbatim between backticks."""
        return "".join(f"`{run}`" if isinstance(run, Verbatim) else run for run in self.runs)


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words of an instrument (`name` is its name), and where they were read if elsewhere.

    `role` says what the words are quoted for: "words", "because", "covers", or a named part such as "step crate".
    """

    instrument: str
    name: str
    words: str
    read_in: str = ""
    role: str = "words"

    @property
    def source(self) -> str:
        """The instrument, and where it was read."""
        return f"{self.instrument}, read in {self.read_in}" if self.read_in else self.instrument


@dataclass(frozen=True, slots=True)
class PartText:
    """A numbered part of the words. One that was taken out keeps its number, and `removed_by` names the change."""

    id: str
    unit: str
    number: str
    heading: str
    quotations: tuple[Quotation, ...]
    parts: tuple[PartText, ...]
    removed_by: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """What one change did.

    `made` is as written, `since` when it took effect (as written or as found), `at` that instant; `records` are (row, what
    it says) of the rows that record it.
    """

    text: str
    change: str
    instrument: str
    op: str
    path: tuple[str, ...]
    made: str
    since: str
    at: datetime | None
    recorded_by: tuple[str, ...] = ()
    records: tuple[tuple[str, str], ...] = ()
    quotations: tuple[Quotation, ...] = ()
    ruling: str = ""
    in_hand: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The norm status of a provision (for a duty also what has become of it), in one sentence, and since when."""

    word: str
    text: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Article:
    """One provision as it stands.

    `fields` are the keys that give it its meaning, flattened, for comparison. `not_in_hand` names the instruments that made
    or changed it and whose text is not in hand. `earlier` are ids that it had before it was renumbered.
    """

    id: str
    kind: str
    unit: str
    number: str
    heading: str
    instrument: str
    quotations: tuple[Quotation, ...]
    parts: tuple[PartText, ...]
    meaning: tuple[Sentence, ...]
    status: Status
    vague: tuple[str, ...]
    open: str
    readings: tuple[Sentence, ...]
    exceptions: tuple[Sentence, ...]
    history: tuple[HistoryLine, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    repealed_by: str = ""
    not_in_hand: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the instrument calls it, or its id."""
        if not self.number:
            return self.heading or f"@{self.id}"
        named = f"{self.unit or 'section'} {self.number}"
        return f"{named}. {self.heading}" if self.heading else named


@dataclass(frozen=True, slots=True)
class InstrumentEntry:
    """An instrument that was known. `says` are the provisions that it made or is quoted for; `changed` what it did."""

    id: str
    name: str
    made: str
    by: str
    to: tuple[str, ...]
    in_hand: str
    standing: str
    says: tuple[str, ...]
    changed: tuple[str, ...]
    amended_by: tuple[str, ...]
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that is known and has no effect yet, and what it waits for; `kind` is "waiting", "suspended" or "never"."""

    change: str
    text: str
    waits_for: str
    kind: str = "waiting"


@dataclass(frozen=True, slots=True)
class Clash:
    """Changes of equal rank to one target, none of which is applied."""

    target: str
    changes: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was repealed, and by what."""

    change: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """The code of guidance under a question. `on` and `known` are shown in the time zone of the case."""

    id: str
    case: str
    title: str
    on: str
    known: str
    reading: str
    articles: tuple[Article, ...]
    instruments: tuple[InstrumentEntry, ...]
    waiting: tuple[Waiting, ...]
    conflicts: tuple[Clash, ...]
    undone: tuple[Undone, ...]
    changes: tuple[HistoryLine, ...]
    parties: Mapping[str, str] = field(default_factory=dict)
    known_changes: frozenset[str] = frozenset()

    def article(self, name: str) -> Article | None:
        """The article of that id, or of that id before it was renumbered."""
        name = name.lstrip("@")
        exact = next((a for a in self.articles if a.id == name), None)
        return exact or next((a for a in self.articles if name in a.earlier), None)
