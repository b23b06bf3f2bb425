"""Read a whole log again and hash everything anew: bodies, leaves, tiles and the root, against what was signed.

Comparing roots is not enough: a body edited on disk leaves every stored hash as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from hashlib import sha256

from tallybook.ledger.entry import DESTRUCTION, Entry, EntryError, NewerLeafError, key_of_parts, subject_key
from tallybook.ledger.store import Extent, Reading
from tallybook.ledger.tilepath import TILE_HEIGHT, TILE_WIDTH
from tallybook.ledger.tree import EMPTY_ROOT, HASH_SIZE, Frontier, whole_root

MOST_FAULTS = 1_000
"""So many faults are told one by one."""
CHUNK = 64 * TILE_WIDTH
"""Entries that are audited in one go."""


@dataclass(frozen=True, slots=True)
class AuditFault:
    """Something that does not fit: the entry, what of it, what it must be, what it is, and the checkpoint's size over it."""

    seq: int
    what: str
    expected: str
    found: str
    covered_by: int | None = None

    def __str__(self) -> str:
        under = f" (under the checkpoint of size {self.covered_by})" if self.covered_by is not None else ""
        return f"entry {self.seq}: {self.what}: must be {self.expected}, is {self.found}{under}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint whose signature held: what was signed."""

    size: int
    root: bytes


@dataclass(slots=True)
class Audit:
    """What an audit found. `root` is computed anew; `destroyed` counts bodies that are gone by an entry's word."""

    size: int
    root: bytes
    destroyed: int
    faults: list[AuditFault] = field(default_factory=list)
    documents: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Number and body of each entry that files, or destroys, a file under its hash. Whether the bytes fit the caller sees."""
    is_cut: bool = False
    """Whether there were more faults than are told."""


@dataclass(slots=True)
class _Part:
    """Of a run of entries: the hashes over its tiles, those of the leaves after the last of these, and what is wrong."""

    tiles: list[bytes]
    rest: list[bytes]
    faults: list[AuditFault]
    gone: list[int]
    destroyed: list[int]
    documents: list[tuple[int, bytes | None]] = field(default_factory=list)
    recorded: str = ""
    first: tuple[int, str] | None = None


Open = Callable[[], Reading]


def audit(
    reading: Reading,
    signed: Iterable[Signed] = (),
    *,
    open_again: Open | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> Audit:
    """Hash everything anew, and hold it against what was `signed`: checkpoints whose signatures held, wherever kept.

    Costs one pass over the entries, in bounded memory. With `executor` and `open_again` (which can be sent to other processes,
    and opens the same log for reading there) runs of entries are hashed side by side.
    """
    size, extent = reading.size(), reading.extent()
    if extent.entries < size - MOST_FAULTS:
        fault = AuditFault(extent.entries, "the rows of entries", f"{size}, as the last is numbered", str(extent.entries))
        return Audit(size, EMPTY_ROOT, 0, [fault], is_cut=True)
    starts = range(0, size, CHUNK)
    parts: Iterable[_Part]
    if executor is not None and open_again is not None:
        parts = executor.map(_audit_part, [open_again] * len(starts), starts, [min(start + CHUNK, size) for start in starts])
    else:
        parts = (_part(reading, start, min(start + CHUNK, size)) for start in starts)
    found = Audit(size, EMPTY_ROOT, 0)
    marks = sorted(signed, key=lambda one: one.size)
    tree = _Tree(marks, found)
    gone: list[int] = []
    tiles: list[bytes] = []
    destroyed: set[int] = set()
    last = ""
    for start, part in zip(starts, parts, strict=False):
        found.faults += part.faults
        if part.first is not None and part.first[1] <= last:
            found.faults.append(AuditFault(part.first[0], "its recorded time", f"after {last}", part.first[1]))
        last = part.recorded or last
        if len(found.faults) > MOST_FAULTS:
            found.is_cut = True
            break
        gone += part.gone
        tiles += part.tiles
        found.documents += part.documents
        destroyed |= set(part.destroyed)
        tree.add(reading, start, part)
        progress(min(start + CHUNK, size), size)
    for mark in marks:
        if mark.size == 0 and mark.root != EMPTY_ROOT:
            found.faults.append(AuditFault(0, "the root of no entries", mark.root.hex(), EMPTY_ROOT.hex(), 0))
    found.root = tree.root()
    _check_upper_tiles(reading, tiles, found.faults)
    missing = set(gone)
    for seq in sorted(missing - destroyed):
        found.faults.append(AuditFault(seq, "body", "there, or an entry about its destruction", "gone, with no such entry"))
    for seq in sorted(destroyed - missing) if not found.is_cut else ():
        found.faults.append(AuditFault(seq, "body", "destroyed, as an entry says", "still here: destroy it again"))
    found.destroyed = len(missing)
    _check_extent(extent, size, found)
    for mark in marks:
        if mark.size > size:
            what = f"at least {mark.size} entries, as was signed"
            found.faults.append(AuditFault(size, "the log is shorter than its checkpoint", what, f"{size} entries", mark.size))
    _finish(found, marks)
    return found


def _check_extent(extent: Extent, size: int, found: Audit) -> None:
    """No rows outside the numbers of the log: an entry before the first would be found by its subject, a tile block the next."""
    if extent.entries != size and not found.is_cut:
        found.faults.append(AuditFault(size, "the rows of entries", str(size), str(extent.entries)))
    due = {level: size >> (TILE_HEIGHT * (level + 1)) for level in range(8) if size >> (TILE_HEIGHT * (level + 1))}
    for level in sorted({*due, *extent.tiles}):
        if extent.tiles.get(level, 0) != due.get(level, 0):
            what = f"the complete tiles of level {level}"
            found.faults.append(AuditFault(size, what, str(due.get(level, 0)), str(extent.tiles.get(level, 0))))


def _finish(found: Audit, marks: Sequence[Signed]) -> None:
    sizes = [mark.size for mark in marks]
    told = []
    for fault in sorted(found.faults, key=lambda fault: fault.seq)[:MOST_FAULTS]:
        over = next((size for size in sizes if size > fault.seq), None) if fault.covered_by is None else fault.covered_by
        told.append(AuditFault(fault.seq, fault.what, fault.expected, fault.found, over))
    found.is_cut = found.is_cut or len(found.faults) > MOST_FAULTS
    found.faults = told


class _Tree:
    """The tree over what is there, as its parts come in; the roots that were signed are held against it on the way."""

    def __init__(self, marks: Sequence[Signed], found: Audit) -> None:
        self._levels: list[Frontier] = [Frontier()]
        self._marks, self._found, self._next = marks, found, 0
        self._rest = Frontier()
        self._size = 0

    def add(self, reading: Reading, start: int, part: _Part) -> None:
        """One part more: whole tiles first, then what fills none."""
        for n, root in enumerate(part.tiles):
            self._until(reading, start + n * TILE_WIDTH, start + (n + 1) * TILE_WIDTH)
            self._levels[0].append(root)
            self._size = start + (n + 1) * TILE_WIDTH
            self._at_end()
        for leaf in part.rest:
            self._rest.append(leaf)
            self._size += 1
            self._at_end()

    def _until(self, reading: Reading, start: int, end: int) -> None:
        """Signed sizes within a tile: its leaves are read once more."""
        while self._next < len(self._marks) and self._marks[self._next].size < end:
            mark = self._marks[self._next]
            self._next += 1
            if mark.size <= start:
                continue
            inner = Frontier()
            for entry in reading.entries(start, mark.size):
                inner.append(sha256(b"\x00" + entry.leaf).digest())
            self._compare(mark, _joined([*self._levels[0].edge, *inner.edge]))

    def _at_end(self) -> None:
        while self._next < len(self._marks) and self._marks[self._next].size <= self._size:
            mark = self._marks[self._next]
            self._next += 1
            if mark.size == self._size:
                self._compare(mark, self.root())

    def _compare(self, mark: Signed, root: bytes) -> None:
        if root != mark.root:
            what = f"the root of the first {mark.size} entries"
            self._found.faults.append(AuditFault(mark.size - 1, what, mark.root.hex(), root.hex(), mark.size))

    def root(self) -> bytes:
        """The root so far."""
        return _joined([*self._levels[0].edge, *self._rest.edge])


def _joined(edge: Sequence[bytes]) -> bytes:
    if not edge:
        return EMPTY_ROOT
    at = edge[-1]
    for left in reversed(edge[:-1]):
        at = sha256(b"\x01" + left + at).digest()
    return at


def _audit_part(open_again: Open, start: int, end: int) -> _Part:
    return _part(open_again(), start, end)


def _part(reading: Reading, start: int, end: int) -> _Part:
    part = _Part([], [], [], [], [])
    for first in range(start, end, TILE_WIDTH):
        last = min(first + TILE_WIDTH, end)
        hashes = _leaves(reading, first, last, part)
        if last - first < TILE_WIDTH:
            part.rest = hashes
            continue
        part.tiles.append(whole_root(hashes))
        _check_tile(reading, 0, first >> TILE_HEIGHT, hashes, part.tiles[-1], part.faults)
    return part


def _leaves(reading: Reading, start: int, end: int, part: _Part) -> list[bytes]:
    """The hashes of the leaves, anew. A missing entry stands as 32 zero bytes, so that no root comes out right."""
    hashes: list[bytes] = []
    at = start
    for seq, key, leaf_hash, salt, leaf, body in reading.hashed(start, end):
        while at < seq:
            _missing(at, part, hashes)
            at += 1
        at += 1
        anew = sha256(b"\x00" + leaf).digest()
        hashes.append(anew)
        if anew != leaf_hash:
            part.faults.append(AuditFault(seq, "the hash of its leaf", leaf_hash.hex(), anew.hex()))
        _check_leaf(seq, key, leaf, part)
        if body is None and salt is None:
            part.gone.append(seq)
        elif body is None or salt is None:
            part.faults.append(AuditFault(seq, "body and salt", "both there, or both destroyed", "one of them alone"))
        # No text within the leaf can hold this: quotation marks are escaped there.
        elif f'"body_sha256":"{sha256(salt + body).hexdigest()}"'.encode() not in leaf:
            part.faults.append(_body_fault(seq, salt, leaf, body))
        if _DOCUMENT in leaf:
            part.documents.append((seq, body))
        if _DESTRUCTION in leaf:
            part.documents.append((seq, body))
            _note_destruction(seq, leaf, part)
    for missing in range(at, end):
        _missing(missing, part, hashes)
    return hashes


def _missing(seq: int, part: _Part, hashes: list[bytes]) -> None:
    part.faults.append(AuditFault(seq, "the entry", "there", "missing"))
    hashes.append(bytes(HASH_SIZE))


_TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_AT = rb'"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"'
_LEAF = re.compile(
    rb'{"author":%s,"body_sha256":"[0-9a-f]{64}"(?:,"clock":%s)?,"corrects":(?:null|[0-9]+)'
    rb',"id":"((?:[^"\\]*[^0-9"\\])?)([0-9]{0,9})([0-9]*)","kind":"[a-z-]+"'
    rb',"known":%s,"marking":%s,"recorded_at":"([^"]{27})","v":1,"valid":{"from":(?:null|%s),"to":(?:null|%s)}}'
    % (_TEXT, _AT, _AT, _TEXT, _AT, _AT)
)
"""A leaf as `entry` writes it, with the parts of what it is about and its recorded time: quicker than reading it as JSON."""


def _check_leaf(seq: int, key: int, leaf: bytes, part: _Part) -> None:
    """It reads as an entry, was recorded after the one before, and is looked up under what it is about."""
    if (found := _LEAF.fullmatch(leaf)) is not None:
        head, number, rest, at = found.groups()
        expected, recorded = key_of_parts(head, number, rest), at.decode(errors="replace")
    else:
        try:
            entry = Entry.read(seq, leaf)
        except NewerLeafError:
            return
        except EntryError as error:
            part.faults.append(AuditFault(seq, "its leaf", "an entry", error.what))
            return
        expected, recorded = subject_key(entry.subject), entry.recorded_at
    if part.first is None:
        part.first = seq, recorded
    if recorded <= part.recorded:
        part.faults.append(AuditFault(seq, "its recorded time", f"after {part.recorded}", recorded))
    part.recorded = recorded
    if expected != key:
        part.faults.append(AuditFault(seq, "the key by which it is looked up", str(expected), str(key)))


_DOCUMENT = b'"kind":"document"'
_DESTRUCTION = f'"kind":"{DESTRUCTION}"'.encode()


def _body_fault(seq: int, salt: bytes, leaf: bytes, body: bytes) -> AuditFault:
    try:
        expected = Entry.read(seq, leaf).body_sha256
    except EntryError as error:
        return AuditFault(seq, "its leaf", "an entry", error.what)
    return AuditFault(seq, "the hash of its body", expected, sha256(salt + body).hexdigest())


def _note_destruction(seq: int, leaf: bytes, part: _Part) -> None:
    try:
        read = Entry.read(seq, leaf)
    except EntryError:
        return
    if read.kind == DESTRUCTION and read.subject.isascii() and read.subject.isdigit() and len(read.subject) < 19:
        part.destroyed.append(int(read.subject))


def _check_tile(reading: Reading, level: int, index: int, hashes: Sequence[bytes], root: bytes, faults: list[AuditFault]) -> None:
    tile, first = reading.tile(level, index), index << (TILE_HEIGHT * (level + 1))
    if tile is None:
        faults.append(AuditFault(first, f"tile {level}/{index}", "there", "missing"))
    elif tile.root != root:
        faults.append(AuditFault(first, f"the hash over tile {level}/{index}", root.hex(), tile.root.hex()))
    elif tile.hashes != b"".join(hashes):
        faults.append(AuditFault(first, f"tile {level}/{index}", "the hashes of what it covers", "others"))


def _check_upper_tiles(reading: Reading, hashes: Sequence[bytes], faults: list[AuditFault]) -> None:
    """The tiles of the levels above, over those of the leaves."""
    level = 1
    while len(hashes) >= TILE_WIDTH:
        above = []
        for index in range(len(hashes) // TILE_WIDTH):
            covered = hashes[index * TILE_WIDTH : (index + 1) * TILE_WIDTH]
            above.append(whole_root(covered))
            _check_tile(reading, level, index, covered, above[-1], faults)
        hashes, level = above, level + 1
