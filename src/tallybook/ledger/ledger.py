"""The log itself: one order for many writers, each entry durable before it is acknowledged, and signed for only after that."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from tallybook.ledger.entry import (
    DESTRUCTION,
    SALT_SIZE,
    Draft,
    EntryError,
    Stored,
    canonical_json,
    instant_of,
    instant_text,
    store_entry,
    subject_key,
)
from tallybook.ledger.growth import Growth
from tallybook.ledger.store import Reading, Store, StoreError

LARGEST_JUMP = timedelta(days=366)
"""A clock that is further ahead of the last entry is taken for wrong: what it wrote would stand before all that follows."""
NOTICED = timedelta(seconds=1)
"""A clock that is further behind the last entry is noted in the entry."""
MOST_AT_ONCE = 100_000
"""Entries in one call, and about as many in one commit."""

Sign = Callable[[int, bytes], str]
"""From size and root to a signed note."""

STEPS = ("validated", "begun", "inserted", "committed", "signed", "kept")
"""Of an append, in this order; a `watch` is told of each. `committed` is when nothing can be lost any more."""


class OvertakenError(EntryError):
    """Drafts that were held against books that are no longer the newest."""


class ClockError(StoreError):
    """A clock that cannot be right."""


@dataclass(slots=True)  # frozen, each would cost a microsecond
class Receipt:
    """What a filer is given: where the entry stands. `is_new` is false where the same thing was there already."""

    index: int
    leaf_hash: bytes
    recorded_at: str
    is_new: bool


@dataclass(slots=True)
class _Request:
    drafts: Sequence[Draft]
    keys: Sequence[int]
    at: int | None = None
    receipts: list[Receipt] | None = None
    error: Exception | None = None

    @property
    def is_done(self) -> bool:
        return self.receipts is not None or self.error is not None


def _unwatched(step: str) -> None:
    """Nobody looks on."""


class Ledger:
    """A log in a store. Threads may share it, and processes may share the store.

    `clock` gives the time with its zone, `random` so many random bytes. Without `sign` entries are kept and somebody else signs.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        sign: Sign | None = None,
        *,
        largest_jump: timedelta = LARGEST_JUMP,
        watch: Callable[[str], None] = _unwatched,
    ) -> None:
        self.store = store
        self._clock, self._random, self._sign = clock, random, sign
        self._largest_jump, self._watch = largest_jump, watch
        self._queue: deque[_Request] = deque()
        self._lock = Lock()
        self._growth: Growth | None = None
        self._last: datetime | None = None
        self.unsigned: StoreError | None = None
        """Why the newest entries could not be signed for; None where they were."""

    def append(self, drafts: Sequence[Draft], *, at: int | None = None) -> list[Receipt]:
        """File drafts, all of them or none; returns once they are on disk. What is on file already is acknowledged again.

        With `at` only where the log has just that many entries; else OvertakenError.

        Writers that come at the same time share one commit. Raises EntryError for a draft that cannot be an entry, StoreError
        where the store cannot be written (StoreFullError: reading goes on), ClockError for a clock that cannot be right.
        """
        if len(drafts) > MOST_AT_ONCE:
            raise EntryError(f"{len(drafts):,} drafts at once", do=f"file at most {MOST_AT_ONCE:,} at a time")
        for draft in drafts:
            draft.check()
        self._watch("validated")
        request = _Request(drafts, [subject_key(draft.subject) for draft in drafts], at)
        self._queue.append(request)
        with self._lock:
            while not request.is_done:
                self._commit_waiting()
        if request.error is not None:
            raise request.error
        assert request.receipts is not None
        return request.receipts

    def _commit_waiting(self) -> None:
        """Commit what waits, in the order in which it came. The caller's own request is among it."""
        requests: list[_Request] = []
        count = 0
        while self._queue and count < MOST_AT_ONCE:
            requests.append(self._queue.popleft())
            count += len(requests[-1].drafts)
        try:
            self._commit(requests)
        except Exception as error:
            # The edge may hold what was never kept.
            self._growth = None
            for request in requests:
                request.receipts, request.error = None, error
            return
        except BaseException:
            self._growth = None
            for request in requests:
                request.receipts, request.error = None, StoreError("stopped before it was kept", do="file it again")
            raise
        try:
            self._put_checkpoint()
        except StoreError as error:
            # What was filed is on disk and is acknowledged. `checkpoint` signs for it when that can be kept again.
            self.unsigned = error

    def _commit(self, requests: Sequence[_Request]) -> None:
        count = sum(len(request.drafts) for request in requests)
        with self.store.write() as writing:
            self._watch("begun")
            growth = self._edge(writing)
            standing = writing.with_keys(list({key for request in requests for key in request.keys}))
            by_key: dict[int, list[Stored]] = {}
            for entry in standing:
                by_key.setdefault(entry.key, []).append(entry)
            subjects = {entry.seq: entry for entry in standing}
            times = _Times(self._clock(), self._last, self._largest_jump)
            salts = self._random(SALT_SIZE * count)
            entries: list[Stored] = []
            for request in requests:
                try:
                    if request.at not in (None, growth.size + len(entries)):
                        raise OvertakenError("somebody else filed meanwhile", do="file it again")
                    _check_corrections(request.drafts, subjects)
                except EntryError as error:
                    request.error = error
                    continue
                request.receipts = []
                for draft, key in zip(request.drafts, request.keys, strict=True):
                    near = by_key.get(key)
                    same = next((one for one in near if one.is_of(draft)), None) if near else None
                    if same is not None:
                        request.receipts.append(Receipt(same.seq, same.leaf_hash, same.entry.recorded_at, is_new=False))
                        continue
                    recorded, at = times.next(), SALT_SIZE * len(entries)
                    salt = salts[at : at + SALT_SIZE]
                    made = store_entry(growth.size + len(entries), draft, key, recorded, times.clock, salt)
                    entries.append(made)
                    if near is None:
                        by_key[key] = [made]
                    else:
                        near.append(made)
                    request.receipts.append(Receipt(made.seq, made.leaf_hash, recorded, is_new=True))
            if entries:
                writing.insert(entries, growth.extend([entry.leaf_hash for entry in entries]))
                self._last = times.last
            self._watch("inserted")
        self._watch("committed")

    def _edge(self, reading: Reading) -> Growth:
        """The edge of the log as it is stored; read anew where another process wrote, or a commit failed."""
        size = reading.size()
        if self._growth is None or self._growth.size != size:
            self._growth = Growth.load(reading)
            last = reading.entry(size - 1) if size else None
            self._last = instant_of(last.entry.recorded_at) if last else None
        return self._growth

    def _put_checkpoint(self) -> None:
        """Sign for what is on disk. Never before: a crash between the two would look like a fork."""
        if self._sign is None or self._growth is None or not self._growth.size:
            return
        size, root = self._growth.size, self._growth.root()
        note = self._sign(size, root)
        self._watch("signed")
        self.store.put_checkpoint(size, note)
        self.unsigned = None
        self._watch("kept")

    def checkpoint(self) -> str | None:
        """The signed note for the log as it is now, signed now where a crash or another process left that. None without entries.

        Raises StoreError where nobody here signs and it is unsigned.
        """
        with self._lock:
            with self.store.read() as reading:
                growth = self._edge(reading)
                note = reading.checkpoint(growth.size) if growth.size else None
            if note is None and growth.size:
                if self._sign is None:
                    raise StoreError(
                        f"nobody signed for size {growth.size}", do="sign with the log's key: tallybook ledger checkpoint"
                    )
                self._put_checkpoint()
                with self.store.read() as reading:
                    note = reading.checkpoint(growth.size)
        return note

    def destroy(self, seq: int, author: str, reason: str) -> Receipt:
        """Take away the body of an entry for good: first an entry about it, then the body. Proofs hold as before.

        Raises EntryError where there is no such entry or no body.
        """
        with self.store.read() as reading:
            found = reading.entry(seq)
        if found is None or found.body is None:
            what = "no such entry" if found is None else "its body is gone already"
            raise EntryError(what, where=f"entry {seq}", do="give the number of an entry that has a body")
        named = found.entry.content().get("sha256")
        blob = named if isinstance(named, str) and not self._is_named_elsewhere(named, seq) else None
        body = canonical_json({"reason": reason, "sha256": blob})
        about = Draft(DESTRUCTION, str(seq), body, author, instant_text(self._clock()), marking=found.entry.marking)
        receipt = self.append([about])[0]
        with self.store.write() as writing:
            writing.destroy(seq, blob)
        return receipt

    def _is_named_elsewhere(self, digest: str, seq: int) -> bool:
        """Whether another entry's body names the same bytes."""
        name = digest.encode()
        with self.store.read() as reading:
            others = (one for one in reading.entries(0, reading.size()) if one.seq != seq and one.body and name in one.body)
            return any(one.entry.kind != DESTRUCTION for one in others)

    def keep_blob(self, digest: str, data: bytes) -> None:
        """Keep bytes under their SHA-256, durably, before an entry names them."""
        with self._lock, self.store.write() as writing:
            writing.insert_blob(digest, data)


def _check_corrections(drafts: Sequence[Draft], standing: Mapping[int, Stored]) -> None:
    """Raise EntryError for a draft that corrects what is not there, is about something else, or is marked otherwise."""
    for draft in drafts:
        if draft.corrects is not None:
            first = standing.get(draft.corrects)
            if first is None or first.entry.subject != draft.subject:
                what = f"corrects entry {draft.corrects}, which is not about {draft.subject}"
                raise EntryError(what, do=f"give the number of an entry about {draft.subject}")
            if first.entry.marking and draft.marking != first.entry.marking:
                what = f"marked {draft.marking or 'nothing'}, and corrects what is marked {first.entry.marking}"
                raise EntryError(what, do="give it the marking of what it corrects; a correction releases nothing")


class _Times:
    """Recorded times: the clock's, but always after the last."""

    def __init__(self, now: datetime, last: datetime | None, largest_jump: timedelta) -> None:
        if now.tzinfo is None:
            raise ClockError("the clock gives no time zone", do="give one that does")
        if last is not None and now - last > largest_jump:
            what = f"the clock reads {instant_text(now)}, {(now - last).days} days after the last entry"
            raise ClockError(what, do="set the clock right; where it is right, say so with --clock-is-right")
        self._at = now if last is None else max(now, last + timedelta(microseconds=1))
        self._second, self._micro = self._at.replace(microsecond=0), self._at.microsecond
        self._written = instant_text(self._second)[:-7]
        self.clock = instant_text(now) if self._at - now > NOTICED else ""
        """The clock's own reading, where it is behind by more than can be an accident; else blank."""

    def next(self) -> str:
        """The next time, a microsecond after the one before."""
        if self._micro == 1_000_000:
            self._second, self._micro = self._second + timedelta(seconds=1), 0
            self._written = instant_text(self._second)[:-7]
        self._micro += 1
        return f"{self._written}{self._micro - 1:06d}Z"

    @property
    def last(self) -> datetime:
        """The last time given."""
        return self._second + timedelta(microseconds=self._micro - 1)
