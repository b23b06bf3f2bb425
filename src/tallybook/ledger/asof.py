"""What stood in the books: at a recorded time or size, as known at a known time.

The two are never the same. *Known* is what a filer asserts, *recorded* what the log set by itself. Of one subject there may be
many versions: what is recorded later takes the place of what came before, for every known time from its own on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tallybook.ledger.entry import DESTRUCTION, Entry, EntryError, instant_text
from tallybook.ledger.store import Reading

WITHDRAWAL = "withdrawal"
"""The kind of an entry that takes its subject off the books; the entries before it stay where they are."""


def size_at(reading: Reading, recorded: datetime) -> int:
    """How many entries were recorded by an instant. Recorded times only grow, so it costs a search of log n entries."""
    text = instant_text(recorded)
    low, high = 0, reading.size()
    while low < high:
        middle = (low + high) // 2
        found = reading.entry(middle)
        if found is None:
            raise EntryError("it is missing", where=f"entry {middle}", do="tallybook ledger audit names what does not fit")
        if found.entry.recorded_at <= text:
            low = middle + 1
        else:
            high = middle
    return low


@dataclass(slots=True)
class Books:
    """Every version of every subject among the first `size` entries, in the order in which each subject was first filed."""

    size: int
    versions: dict[str, list[Entry]] = field(default_factory=dict)

    def standing(self, known: str | None = None) -> Iterator[Entry]:
        """The version of each subject that stands as known at an instant (as `instant_text` writes it); the newest without one.

        Where nothing of a subject was known yet its first version stands: it says so itself, and an answer heeds it.
        """
        for versions in self.versions.values():
            chosen = versions[-1]
            if known is not None and chosen.known > known:
                earlier = [one for one in versions if one.known <= known]
                chosen = earlier[-1] if earlier else versions[0]
            if chosen.kind != WITHDRAWAL:
                yield chosen

    def turns(self) -> list[str]:
        """The known times, in order, at which another version comes to stand."""
        return sorted({one.known for versions in self.versions.values() if len(versions) > 1 for one in versions[1:]})


def books(reading: Reading, size: int | None = None) -> Books:
    """The books of the first `size` entries (all of them without it). Raises EntryError for an entry that is none."""
    end = reading.size() if size is None else size
    found = Books(end)
    for stored in reading.entries(0, end):
        entry = stored.entry
        if entry.kind != DESTRUCTION:
            found.versions.setdefault(entry.subject, []).append(entry)
    return found


def later_than_known(entry: Entry, days: int) -> bool:
    """Whether an entry was recorded more than so many days after its filer says that it was known."""
    recorded, known = datetime.fromisoformat(entry.recorded_at), datetime.fromisoformat(entry.known)
    return (recorded - known).days > days
