"""A log as static files (C2SP tlog-tiles): tiles of 256 hashes, bundles of 256 entries, and the checkpoint over them.

Written and checked in steps of one tile, so that memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tallybook.ledger.cosignature import WitnessPolicy
from tallybook.ledger.keys import Verifier
from tallybook.ledger.note import LONGEST_NOTE
from tallybook.ledger.signed import SignedCheckpoint, open_checkpoint, read_checkpoint
from tallybook.ledger.strict import FormatError
from tallybook.ledger.tilepath import TILE_HEIGHT, TILE_WIDTH, TilePath, parse_tile_path
from tallybook.ledger.tree import HASH_SIZE, LARGEST, Frontier, root_of

CHECKPOINT = "checkpoint"
LENGTH_SIZE = 2
LONGEST_ENTRY = (1 << 16) - 1
LONGEST_TILE = TILE_WIDTH * HASH_SIZE
LONGEST_BUNDLE = TILE_WIDTH * (LENGTH_SIZE + LONGEST_ENTRY)

Read = Callable[[str, int], bytes | None]
"""A file of a log by its path, read to no more than so many bytes and one; None where there is none."""
Put = Callable[[str, bytes], None]
Span = Callable[[int, int], Sequence[bytes]]
"""Entries, or leaf hashes, from one index to another (not itself)."""

_DO = "the files were changed, cut or mixed: keep them, and ask the log and its witness for the log anew"


class TileError(FormatError):
    """A file of a log that is not what its checkpoint and its neighbours say. `path` names it, `index` the entry or hash."""

    def __init__(self, what: str, *, path: str, index: int | None = None, do: str = _DO) -> None:
        super().__init__(what, where=path, do=do)
        self.path = path
        self.index = index


@dataclass(frozen=True, slots=True)
class VerifiedFolder:
    """What was verified: the checkpoint, when each witness saw it (seconds since 1970), and how many files were read."""

    signed: SignedCheckpoint
    witnessed: Mapping[str, int]
    tiles: int
    bundles: int


def parse_tile(raw: bytes, width: int, path: str = "tile") -> list[bytes]:
    """The hashes of a tile. Raises TileError unless there are `width`."""
    if len(raw) != width * HASH_SIZE:
        raise TileError(f"{len(raw)} bytes, not the {width * HASH_SIZE} of {width} hashes", path=path)
    return [raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE)]


def parse_bundle(raw: bytes, width: int, path: str = "bundle") -> list[bytes]:
    """The entries of a bundle. Raises TileError unless there are `width`, each as long as the two bytes before it say."""
    entries: list[bytes] = []
    at = 0
    while at < len(raw):
        end = at + LENGTH_SIZE + int.from_bytes(raw[at : at + LENGTH_SIZE], "big")
        if at + LENGTH_SIZE > len(raw) or end > len(raw) or len(entries) == width:
            raise TileError(f"entry {len(entries)} of the bundle is cut, or there are more than {width}", path=path)
        entries.append(raw[at + LENGTH_SIZE : end])
        at = end
    if len(entries) != width:
        raise TileError(f"{len(entries)} entries, not {width}", path=path)
    return entries


def format_bundle(entries: Iterable[bytes], path: str = "bundle") -> bytes:
    """Entries, each after its length in two bytes, big-endian. Raises TileError for one over 65,535 bytes."""
    parts: list[bytes] = []
    for at, entry in enumerate(entries):
        if len(entry) > LONGEST_ENTRY:
            raise TileError(
                f"entry {at} of the bundle has {len(entry)} bytes; at most {LONGEST_ENTRY}", path=path, index=at, do="split it"
            )
        parts += (len(entry).to_bytes(LENGTH_SIZE, "big"), entry)
    return b"".join(parts)


def tile_paths(size: int) -> Iterator[TilePath]:
    """Every hash tile of a log of `size` entries, level by level, the partial one of a level last."""
    level = 0
    while size:
        full, width = divmod(size, TILE_WIDTH)
        yield from (TilePath(level, index) for index in range(full))
        if width:
            yield TilePath(level, full, width)
        level, size = level + 1, full


def bundle_paths(size: int) -> Iterator[TilePath]:
    """Every bundle of a log of `size` entries."""
    full, width = divmod(size, TILE_WIDTH)
    yield from (TilePath("entries", index) for index in range(full))
    if width:
        yield TilePath("entries", full, width)


def tile_root(raw: bytes) -> bytes:
    """The hash over a tile, or a complete subtree in one, given as its bytes: a power of two of hashes."""
    while len(raw) > HASH_SIZE:
        raw = b"".join([sha256(b"\x01" + raw[at : at + 2 * HASH_SIZE]).digest() for at in range(0, len(raw), 2 * HASH_SIZE)])
    return raw


class _Above:
    """All that stands above the leaves: the root, and the tiles from level 1, at most one unfinished a level."""

    def __init__(self, done: Callable[[TilePath, bytes], None]) -> None:
        """`done` is told each tile above level 0, with its bytes, when it is finished."""
        self._done = done
        self._rows: list[list[bytes]] = []
        self._counts: list[int] = []
        self._full = Frontier()
        self._rest = Frontier()

    def add(self, tile: bytes) -> None:
        """The bytes of the next tile of level 0. Only the last may be partial."""
        if len(tile) == LONGEST_TILE:
            root = tile_root(tile)
            self._full.append(root)
            self._put(root, 1)
            return
        for at in range(0, len(tile), HASH_SIZE):
            self._rest.append(tile[at : at + HASH_SIZE])

    def _put(self, root: bytes, level: int) -> None:
        if len(self._rows) < level:
            self._rows.append([])
            self._counts.append(0)
        row = self._rows[level - 1]
        row.append(root)
        if len(row) == TILE_WIDTH:
            raw = b"".join(row)
            self._done(TilePath(level, self._counts[level - 1]), raw)
            self._counts[level - 1] += 1
            self._rows[level - 1] = []
            self._put(tile_root(raw), level + 1)

    def finish(self) -> bytes:
        """Tell of the partial tiles, and give the root of all."""
        for level, row in enumerate(self._rows, 1):
            if row:
                self._done(TilePath(level, self._counts[level - 1], len(row)), b"".join(row))
        size = self._full.size * TILE_WIDTH + self._rest.size
        return Frontier(size, [*self._full.edge, *self._rest.edge]).root()


def write_log(checkpoint: bytes, entries: Span, hashes: Span, put: Put) -> None:
    """Write a log as files, the checkpoint last, so that nobody sees one whose tiles are not there yet.

    `entries` and `hashes` give leaf data and leaf hashes, 256 at a time. Raises TileError, and leaves the checkpoint unwritten,
    where an entry has another hash or the whole another root than the checkpoint says.
    """
    head, _ = read_checkpoint(checkpoint)
    above = _Above(lambda path, raw: put(str(path), raw))
    for path in bundle_paths(head.size):
        start = path.index * TILE_WIDTH
        data, row = entries(start, start + path.width), hashes(start, start + path.width)
        if len(data) != path.width or len(row) != path.width:
            raise TileError(f"{len(data)} entries and {len(row)} hashes where there should be {path.width}", path=str(path))
        tile = b"".join(row)
        _check_entries(data, tile, path)
        put(str(path), format_bundle(data, str(path)))
        put(str(TilePath(0, path.index, path.width)), tile)
        above.add(tile)
    if above.finish() != head.root:
        raise TileError(f"the {head.size} entries do not give the root of the checkpoint", path=CHECKPOINT)
    put(CHECKPOINT, checkpoint)


def _check_entries(data: Sequence[bytes], tile: bytes, path: TilePath) -> None:
    made = [sha256(b"\x00" + entry).digest() for entry in data]
    if b"".join(made) == tile:
        return
    for at, found in enumerate(made):
        expected = tile[at * HASH_SIZE : (at + 1) * HASH_SIZE]
        if found != expected:
            index = path.index * TILE_WIDTH + at
            what = f"entry {index} hashes to {found.hex()}, the tile above it says {expected.hex()}"
            raise TileError(what, path=str(path), index=index)
    raise TileError(f"{len(made)} entries and a tile of {len(tile)} bytes", path=str(path))


def _read(read: Read, path: TilePath, limit: int) -> bytes:
    """A partial tile may have been dropped once the full one is there (tlog-tiles, partial tiles): then that one."""
    for name in dict.fromkeys((str(path), str(TilePath(path.level, path.index)))):
        raw = read(name, limit)
        if raw is not None and len(raw) > limit:
            raise TileError(f"more than {limit} bytes", path=name)
        if raw is not None and name != str(path) and path.level != "entries":
            return raw[: path.width * HASH_SIZE]
        if raw is not None and name != str(path):
            return format_bundle(parse_bundle(raw, TILE_WIDTH, name)[: path.width])
        if raw is not None:
            return raw
    raise TileError("there is no such file", path=str(path))


def read_tile(read: Read, path: TilePath) -> bytes:
    """The bytes of a tile of hashes. Raises TileError where it is missing or of another width."""
    raw = _read(read, path, LONGEST_TILE)
    if len(raw) != path.width * HASH_SIZE:
        parse_tile(raw, path.width, str(path))
    return raw


def verify_folder(
    read: Read, trusted: Sequence[Verifier], *, origin: str | None = None, policy: WitnessPolicy | None = None
) -> VerifiedFolder:
    """Verify a whole log from its files: signature, witnesses, every entry, every tile, the root.

    Raises NoteError, CheckpointError or SignatureError for the checkpoint and TileError for the first file that is wrong,
    in the order of the entries; for a tile above them, after the tile that it should be made of.
    """
    raw = read(CHECKPOINT, LONGEST_NOTE)
    if raw is None:
        raise TileError("there is no such file", path=CHECKPOINT, do="give the folder that holds the file `checkpoint`")
    signed = open_checkpoint(raw, trusted, origin)
    witnessed = policy.check(signed.verified.note) if policy else {}
    size = signed.checkpoint.size
    count = 0

    def compare(path: TilePath, made: bytes) -> None:
        nonlocal count
        count += 1
        found = read_tile(read, path)
        for at in range(path.width if found != made else 0):
            if found[at * HASH_SIZE : (at + 1) * HASH_SIZE] != made[at * HASH_SIZE : (at + 1) * HASH_SIZE]:
                below = TilePath(int(path.level) - 1, path.index * TILE_WIDTH + at)
                raise TileError(f"hash {at} is not the root of {below}", path=str(path), index=at)

    above = _Above(compare)
    for path in bundle_paths(size):
        tile = read_tile(read, TilePath(0, path.index, path.width))
        count += 1
        _check_entries(parse_bundle(_read(read, path, LONGEST_BUNDLE), path.width, str(path)), tile, path)
        above.add(tile)
    if above.finish() != signed.checkpoint.root:
        raise TileError(
            f"entries and tiles agree with each other, but not with the root signed for size {size}: "
            "all of them were written anew after the checkpoint was signed, or it is of another log",
            path=CHECKPOINT,
        )
    return VerifiedFolder(signed, witnessed, count, -(-size // TILE_WIDTH))


def check_tiles(files: Mapping[str, bytes], size: int, root: bytes) -> None:
    """Check a set of tiles and bundles, by path, against a size and root. Not every bundle or higher tile need be there.

    Raises TilePathError for a path, TileError unless the level-0 tiles hold exactly `size` hashes that give the root, every
    other tile is made of them, and the entries of every bundle hash to them.
    """
    paths = {parse_tile_path(name): name for name in files}
    leaves: dict[int, bytes] = {}
    for path in sorted((one for one in paths if one.level == 0), key=lambda one: (one.index, one.width)):
        for at, one in enumerate(parse_tile(files[paths[path]], path.width, paths[path]), path.index * TILE_WIDTH):
            if leaves.setdefault(at, one) != one or at >= size:
                raise TileError(f"hash {at} is beyond the checkpoint, or another tile has another", path=paths[path], index=at)
    if not 0 <= size <= LARGEST or len(leaves) != size or root_of(leaves[at] for at in range(size)) != root:
        raise TileError(f"the tiles do not give the root of size {size}", path="tile/0")
    for path, name in paths.items():
        if path.level == "entries":
            data = parse_bundle(files[name], path.width, name)
            start = path.index * TILE_WIDTH
            if start + path.width > size:
                raise TileError("entries beyond the checkpoint", path=name)
            _check_entries(data, b"".join(leaves[at] for at in range(start, start + path.width)), path)
        elif path.level > 0:
            _check_upper(path, parse_tile(files[name], path.width, name), leaves, size)


def _check_upper(path: TilePath, row: list[bytes], leaves: Mapping[int, bytes], size: int) -> None:
    step = 1 << (TILE_HEIGHT * int(path.level))
    for at, found in enumerate(row, path.index * TILE_WIDTH):
        if (at + 1) * step > size or root_of(leaves[leaf] for leaf in range(at * step, (at + 1) * step)) != found:
            raise TileError(f"hash {at} is not the root of the leaves below it", path=str(path), index=at)
