"""An excerpt of a log: every leaf's hash, and of some entries what they say. The rest is withheld, and the whole still verifies.

The hashes stand in tiles of level 0 as C2SP tlog-tiles has them, so that anybody can work out the root that was signed. Of an
entry that is withheld there is its hash alone: the leaf would tell who filed what, and when.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tallybook.ledger.cosignature import WitnessPolicy
from tallybook.ledger.entry import LARGEST_BODY, LARGEST_LEAF, SALT_SIZE, Entry, EntryError, Stored
from tallybook.ledger.keys import Verifier
from tallybook.ledger.note import LONGEST_NOTE
from tallybook.ledger.signed import SignedCheckpoint, open_checkpoint, read_checkpoint
from tallybook.ledger.strict import FormatError
from tallybook.ledger.tilepath import TILE_WIDTH, TilePath
from tallybook.ledger.tiles import CHECKPOINT, Put, Read, Span, TileError, bundle_paths, read_tile
from tallybook.ledger.tree import HASH_SIZE, Frontier, leaf_hash

SHOWN = "entries.jsonl"
"""The entries that are shown: one a line, as JSON with `index`, `leaf`, `salt` (hex) and `body`."""
MOST_SHOWN = 1_000_000
LARGEST_SHOWN = 2_000_000_000
_LONGEST_LINE = 8 * (LARGEST_LEAF + LARGEST_BODY)


class ExcerptError(FormatError):
    """An excerpt that is not what its checkpoint says."""


@dataclass(frozen=True, slots=True)
class VerifiedExcerpt:
    """What was verified: the checkpoint, when each witness saw it (seconds since 1970), and the entries shown, by number."""

    signed: SignedCheckpoint
    witnessed: Mapping[str, int]
    shown: Mapping[int, Entry]


def write_excerpt(checkpoint: bytes, hashes: Span, shown: Sequence[Stored], put: Put) -> None:
    """Write an excerpt as files, the checkpoint last. `hashes` gives leaf hashes, 256 at a time.

    Raises ExcerptError, and leaves the checkpoint unwritten, where the hashes do not give the root of the checkpoint, or an entry
    to be shown has no body, or is not under the checkpoint.
    """
    head, _ = read_checkpoint(checkpoint)
    tree, by_index = Frontier(), {}
    for path in bundle_paths(head.size):
        start = path.index * TILE_WIDTH
        row = hashes(start, start + path.width)
        for at, one in enumerate(row, start):
            tree.append(one)
            by_index[at] = one
        put(str(TilePath(0, path.index, path.width)), b"".join(row))
    if tree.root() != head.root or tree.size != head.size:
        raise ExcerptError("the leaves do not give the root of the checkpoint", where=CHECKPOINT, do="tallybook ledger audit")
    lines = []
    for entry in shown:
        if entry.body is None or entry.salt is None or by_index.get(entry.seq) != leaf_hash(entry.leaf):
            raise ExcerptError("it cannot be shown", where=f"entry {entry.seq}", do="tallybook ledger audit tells more")
        lines.append(json.dumps(_shown(entry), sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n")
    put(SHOWN, "".join(lines).encode())
    put(CHECKPOINT, checkpoint)


def _shown(entry: Stored) -> dict[str, Any]:
    assert entry.body is not None
    assert entry.salt is not None
    return {"index": entry.seq, "leaf": entry.leaf.decode(), "salt": entry.salt.hex(), "body": entry.body.decode()}


def verify_excerpt(read: Read, trusted: Sequence[Verifier], policy: WitnessPolicy | None = None) -> VerifiedExcerpt:
    """Verify an excerpt from its files: signature, witnesses, every hash, and each entry that is shown.

    Raises NoteError, CheckpointError or SignatureError for the checkpoint, TileError for a tile, ExcerptError for an entry.
    """
    raw = read(CHECKPOINT, LONGEST_NOTE)
    if raw is None:
        raise TileError("there is no such file", path=CHECKPOINT, do="give the folder that holds the file `checkpoint`")
    signed = open_checkpoint(raw, trusted, None)
    witnessed = policy.check(signed.verified.note) if policy else {}
    size, tree, leaves = signed.checkpoint.size, Frontier(), []
    for path in bundle_paths(size):
        tile = read_tile(read, TilePath(0, path.index, path.width))
        for at in range(0, len(tile), HASH_SIZE):
            one = tile[at : at + HASH_SIZE]
            tree.append(one)
            leaves.append(one)
    if tree.root() != signed.checkpoint.root:
        raise TileError(f"the tiles do not give the root signed for size {size}", path=CHECKPOINT)
    return VerifiedExcerpt(signed, witnessed, _read_shown(read, leaves))


def _read_shown(read: Read, leaves: Sequence[bytes]) -> dict[int, Entry]:
    raw = read(SHOWN, LARGEST_SHOWN)
    if raw is None or len(raw) > LARGEST_SHOWN:
        raise ExcerptError("no list of entries, or one too long", where=SHOWN, do="ask for the excerpt anew")
    found: dict[int, Entry] = {}
    for n, line in enumerate(raw.split(b"\n")[:-1], 1):
        where = f"{SHOWN}:{n}"
        if len(line) > _LONGEST_LINE or n > MOST_SHOWN:
            raise ExcerptError("too long", where=where, do="ask for the excerpt anew")
        index, leaf, entry = _shown_entry(line, where)
        if not 0 <= index < len(leaves) or leaf_hash(leaf) != leaves[index]:
            raise ExcerptError(f"it is not entry {index} of the log", where=where, do="it was changed: ask for the excerpt anew")
        if index in found:
            raise ExcerptError(f"entry {index} twice", where=where, do="ask for the excerpt anew")
        found[index] = entry
    if not raw.endswith(b"\n") and raw:
        raise ExcerptError("cut off", where=SHOWN, do="ask for the excerpt anew")
    return found


def _shown_entry(line: bytes, where: str) -> tuple[int, bytes, Entry]:
    try:
        data = json.loads(line)
        index, leaf, salt, body = data["index"], data["leaf"].encode(), bytes.fromhex(data["salt"]), data["body"].encode()
        if type(index) is not int or len(salt) != SALT_SIZE or set(data) != {"index", "leaf", "salt", "body"}:
            raise ValueError(index)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ExcerptError("not an entry", where=where, do="it was changed: ask for the excerpt anew") from error
    entry = Entry.read(max(index, 0), leaf, body)
    if sha256(salt + body).hexdigest() != entry.body_sha256:
        raise EntryError("its body is not the one that its leaf commits to", where=where, do="ask for the excerpt anew")
    return index, leaf, entry
