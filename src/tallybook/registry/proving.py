"""What others are shown of a ledger: checkpoints with cosignatures, proofs of entries, the log as files, and forks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallybook.errors import TallybookError
from tallybook.ledger.audit import Audit, AuditFault, Signed, audit
from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.entry import Entry, EntryError, Stored
from tallybook.ledger.growth import nodes
from tallybook.ledger.keys import Verifier, parse_vkey
from tallybook.ledger.note import SignatureError, parse_note
from tallybook.ledger.signed import add_signatures, open_checkpoint, read_checkpoint
from tallybook.ledger.store import Reading, Store, StoreError
from tallybook.ledger.tlogproof import Proof, format_proof
from tallybook.ledger.tree import check_inclusion, consistency_proof, inclusion_proof, leaf_hash, range_hash
from tallybook.registry.place import VKEYS, WITNESSES, Place, make_key, new_store, now, open_ledger, open_store, read_small

if TYPE_CHECKING:
    from tallybook.ledger.fork import Grow
    from tallybook.ledger.witness import Answer

PAGE = 1_000
WORTH_SHARING = 100_000
"""Entries from which on an audit is shared between processes: starting them takes as long as hashing so many."""


@dataclass(frozen=True, slots=True)
class WitnessAt:
    """A witness: its public key, and its address where it has one (without, files are carried)."""

    key: Verifier
    address: str


def witnesses(place: Place) -> list[WitnessAt]:
    """The witnesses that the case folder names. Raises KeyTextError for a line that is no key."""
    path = place.folder / WITNESSES
    if place.folder.is_file() or not path.is_file():
        return []
    lines = [line.split() for line in read_small(path).splitlines() if line.strip() and not line.startswith("#")]
    return [WitnessAt(parse_vkey(line[0]), line[1] if len(line) > 1 else "") for line in lines]


def newest(place: Place, store: Store) -> tuple[bytes, int]:
    """The newest signed checkpoint, with the cosignatures that witnesses gave it, and its size. Raises StoreError for none."""
    origin = store.settings()["origin"]
    with store.read() as reading:
        note = reading.checkpoint()
        if note is None:
            raise StoreError(
                "nothing is signed yet", do="tallybook ledger checkpoint, with the ledger's private key at hand, signs"
            )
        raw = note.encode()
        size = read_checkpoint(raw)[0].size
        for witness in witnesses(place):
            seen = reading.seen(_cosigned_by(origin, witness.key.name))
            if seen is not None and seen[0] == size:
                raw = add_signatures(raw, parse_note(seen[1].encode()).signatures)
    return raw, size


def _cosigned_by(origin: str, witness: str) -> str:
    return f"{origin} cosigned by {witness}"


def request_to(store: Store, note: bytes, old: int) -> bytes:
    """What a witness is asked: to cosign a checkpoint, with the proof from the size that it cosigned last."""
    from tallybook.ledger.witness import Request, format_request

    size = read_checkpoint(note)[0].size
    with store.read() as reading:
        proof = consistency_proof(nodes(reading, size), min(old, size), size)
    return format_request(Request(min(old, size), tuple(proof), note))


def ask_to_cosign(store: Store, note: bytes, witness: WitnessAt) -> bytes:
    """Ask a witness at its address; returns the note with its cosignature, which is kept.

    Raises WitnessServerError where it cannot be reached, WitnessRefusedError where it refuses, StoreError where it has seen what
    the ledger does not show.
    """
    from tallybook.ledger.witness_exchange import WitnessBehindError
    from tallybook.ledger.witness_http import ask_witness

    old = cosigned_size(store, witness)
    for _ in range(2):
        answer = ask_witness(witness.address, request_to(store, note, old))
        try:
            return take_answer(store, note, answer, witness)
        except WitnessBehindError as behind:
            _check_not_cut(note, behind.size, old)
            old = behind.size
    raise StoreError(
        "the witness keeps changing its mind", where=witness.address, do="see that only one desk shows it this ledger"
    )


def _check_not_cut(note: bytes, size: int, asked: int) -> None:
    """Raise StoreError where a witness has seen more than the ledger shows, or another history of the same size."""
    shown = read_checkpoint(note)[0].size
    if size > shown:
        do = "the ledger was cut, or an old copy restored: find the missing entries before anything is added"
        raise StoreError(f"the witness has seen {size} entries, and the ledger shows {shown}", do=do)
    if size == asked:
        do = "the ledger was cut or made anew: its last checkpoint and this ledger prove it (tallybook ledger compare)"
        raise StoreError(f"the witness has cosigned another history of {size} entries", do=do)


def take_answer(store: Store, note: bytes, answer: Answer, witness: WitnessAt) -> bytes:
    """The note with the cosignature in a witness's answer, which is kept. Raises as `cosigned_note` does."""
    from tallybook.ledger.witness_exchange import cosigned_note

    out = cosigned_note(note, answer, [witness.key])
    head = read_checkpoint(out)[0]
    with store.write() as writing:
        writing.insert_seen(_cosigned_by(head.origin, witness.key.name), head.size, out.decode())
    return out


def cosigned_size(store: Store, witness: WitnessAt) -> int:
    """The size of the newest checkpoint that a witness cosigned; 0 where it has cosigned none."""
    with store.read() as reading:
        seen = reading.seen(_cosigned_by(store.settings()["origin"], witness.key.name))
    return seen[0] if seen else 0


def answered(store: Store, note: bytes, raw: bytes, from_size: int | None, asked: Sequence[WitnessAt]) -> bytes:
    """The note with the cosignature in an answer file, of whichever witness it is. Raises AnswerError where it is nobody's."""
    from tallybook.ledger.witness_exchange import AnswerError, WitnessBehindError, parse_answer

    for witness in asked:
        old = cosigned_size(store, witness) if from_size is None else from_size
        try:
            answer = parse_answer(raw, request_to(store, note, old))
        except AnswerError:
            continue
        try:
            return take_answer(store, note, answer, witness)
        except SignatureError:
            continue
        except WitnessBehindError as behind:
            _check_not_cut(note, behind.size, old)
            do = f"write a new request with --from {behind.size}, and carry that"
            raise StoreError(f"the witness last cosigned {behind.size} entries", do=do) from behind
    raise AnswerError("no witness's answer to the request for this checkpoint", do="write a request anew, and carry that")


def uncosigned(place: Place, size: int) -> int:
    """How many entries no witness has cosigned yet; 0 where the case names no witness."""
    named = witnesses(place)
    return max(0, size - max(cosigned_size(open_store(place), witness) for witness in named)) if named else 0


def signed_checkpoints(reading: Reading, trusted: Sequence[Verifier], origin: str) -> list[Signed]:
    """Every checkpoint of a store, its signature checked. Raises SignatureError or FormatError for one that does not hold."""
    out: list[Signed] = []
    start = 0
    while rows := reading.checkpoints(start, PAGE):
        for size, note in rows:
            checkpoint = open_checkpoint(note.encode(), trusted, origin).checkpoint
            if checkpoint.size != size:
                raise SignatureError(
                    f"a checkpoint of size {checkpoint.size} is kept as one of {size}", do="the store was changed"
                )
            out.append(Signed(checkpoint.size, checkpoint.root))
        start = rows[-1][0] + 1
    return out


def _cosigned(reading: Reading, place: Place, trusted: Sequence[Verifier], origin: str) -> list[Signed]:
    """What witnesses cosigned, as it was kept here; the log's own signature is checked."""
    notes = (reading.seen(_cosigned_by(origin, witness.key.name)) for witness in witnesses(place))
    heads = [open_checkpoint(note[1].encode(), trusted, origin).checkpoint for note in notes if note is not None]
    return [Signed(head.size, head.root) for head in heads]


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found, and the size of the newest checkpoint that it was held against: None where nothing is signed."""

    audit: Audit
    signed_to: int | None

    @property
    def unsigned(self) -> int:
        """How many entries at the end nobody has signed for."""
        return self.audit.size - (self.signed_to or 0)


def audit_ledger(
    place: Place, trusted: Sequence[Verifier], kept: Sequence[bytes] = (), *, workers: int = 1, progress: Any = None
) -> Audited:
    """Hash everything anew, against every checkpoint in the store, what witnesses cosigned, and those `kept` elsewhere.

    Raises as `signed_checkpoints`.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    store = open_store(place)
    origin = store.settings()["origin"]
    more = [open_checkpoint(note, trusted, origin).checkpoint for note in kept]
    show = progress or (lambda done, size: None)
    with store.read() as reading:
        signed = [*signed_checkpoints(reading, trusted, origin), *_cosigned(reading, place, trusted, origin)]
        signed += [Signed(one.size, one.root) for one in more]
        if workers < 2 or reading.size() < WORTH_SHARING:
            found = audit(reading, signed, progress=show)
        else:
            # A fork would share connections, and with them locks.
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                found = audit(reading, signed, open_again=partial(_reading, place), executor=pool, progress=show)
        if not found.is_cut:
            found.faults += _files_at_fault(reading, found)
    within = [one.size for one in signed if one.size <= found.size]
    return Audited(found, max(within, default=None))


def _files_at_fault(reading: Reading, found: Audit) -> Iterator[AuditFault]:
    """The files that entries name: each is there, and its bytes give its hash, unless an entry says that it was destroyed."""
    wrong = {fault.seq for fault in found.faults}
    destroyed: set[object] = set()
    named: dict[str, int] = {}
    for seq, body in found.documents:
        content = json.loads(body) if body is not None and seq not in wrong else {}
        if "reason" in content:
            destroyed.add(content.get("sha256"))
        elif "sha256" in content:
            named.setdefault(str(content["sha256"]), seq)
    for digest, seq in named.items():
        data = reading.blob(digest)
        if data is None and digest not in destroyed:
            yield AuditFault(seq, "the file that it names", digest, "missing")
        elif data is not None and sha256(data).hexdigest() != digest:
            yield AuditFault(seq, "the file that it names", digest, sha256(data).hexdigest())


_kept: dict[Place, Reading] = {}


def _reading(place: Place) -> Reading:
    """A view for this process, kept for its life: a worker reads many runs."""
    if place not in _kept:
        context = new_store(place).read()
        _kept[place] = context.__enter__()
        _contexts.append(context)
    return _kept[place]


_contexts: list[Any] = []


def rotate_key(place: Place, old: Path | None, new: Path, author: str, environment: Mapping[str, str]) -> str:
    """File an entry about a new key, signed by the old one, then make it and trust it beside the old. Returns the public key."""
    from tallybook.ledger.entry import Draft, canonical_json, instant_text

    ledger = open_ledger(place, old, environment)
    origin = ledger.store.settings()["origin"]
    if ledger.checkpoint() is None:
        raise StoreError("nothing is on file yet", where=place.shown, do="file something first")
    public = make_key(new, origin)
    at = instant_text(now())
    ledger.append([Draft("key", f"key/{public}"[:300], canonical_json({"vkey": public}), author, at)])
    path = place.folder / VKEYS
    trusted = read_small(path) if path.is_file() else ""
    path.write_text(f"{trusted}{public}\n", encoding="ascii")
    return public


def prove(place: Place, store: Store, seq: int) -> tuple[bytes, dict[str, Any]]:
    """A proof of one entry under the newest checkpoint, as a tlog-proof file, and what it proves: the leaf, its body and salt.

    Raises EntryError where the checkpoint does not cover it.
    """
    note, size = newest(place, store)
    with store.read() as reading:
        found = reading.entry(seq) if 0 <= seq < size else None
        if found is None:
            raise EntryError(
                f"no such entry under the newest checkpoint, of size {size}", where=f"entry {seq}", do="sign one first"
            )
        hashes = inclusion_proof(nodes(reading, size), seq, size)
    # A proof that does not hold is not given out.
    check_inclusion(seq, size, leaf_hash(found.leaf), hashes, read_checkpoint(note)[0].root)
    return format_proof(Proof(seq, tuple(hashes), note)), disclosure(found)


def disclosure(found: Stored) -> dict[str, Any]:
    """An entry as a third party needs it: the leaf's exact text, and the body with its salt where they are given."""
    return {
        "leaf": found.leaf.decode(),
        "salt": found.salt.hex() if found.salt is not None else None,
        "body": found.body.decode() if found.body is not None else None,
    }


def read_disclosure(text: str, where: str) -> tuple[bytes, Entry]:
    """The leaf and the entry that a disclosure tells, its body held against its leaf. Raises EntryError."""
    try:
        data = json.loads(text)
        leaf = data["leaf"].encode()
        salt = bytes.fromhex(data["salt"]) if data["salt"] is not None else None
        body = data["body"].encode() if data["body"] is not None else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EntryError("not an entry as `ledger prove` writes it", where=where, do="get it anew from the ledger") from error
    entry = Entry.read((1 << 63) - 1, leaf, body)
    if (body is None) != (salt is None):
        raise EntryError("a body without its salt, or a salt without a body", where=where, do="get it anew from the ledger")
    if body is not None and salt is not None and sha256(salt + body).hexdigest() != entry.body_sha256:
        raise EntryError(
            "its body is not the one that its leaf commits to", where=where, do="the body was changed: ask the ledger"
        )
    return leaf, entry


def write_files(place: Place, store: Store, folder: Path) -> int:
    """Write the log as static files (C2SP tlog-tiles), up to the newest checkpoint; returns its size."""
    from tallybook.ledger.logfolder import writer
    from tallybook.ledger.tiles import write_log

    note, size = newest(place, store)
    with store.read() as reading:
        write_log(
            note,
            lambda start, end: [entry.leaf for entry in reading.entries(start, end)],
            reading.leaf_hashes,
            writer(folder),
        )
    return size


@dataclass(frozen=True, slots=True)
class Shown:
    """A log as somebody shows it: its newest signed checkpoint, and how it grew. A checkpoint alone does not tell that: None."""

    note: bytes
    grow: Grow | None


def _from_store(store: Store) -> Grow:
    def grow(small: Checkpoint, large: Checkpoint) -> tuple[bytes, Sequence[bytes]]:
        with store.read() as reading:
            node = nodes(reading, large.size)
            return range_hash(node, 0, small.size), consistency_proof(node, small.size, large.size)

    return grow


def shown(path: str, environment: Mapping[str, str]) -> Shown:
    """A log by a ledger's file, a case folder, a folder of static files, or a file with a checkpoint. Raises TallybookError."""
    from tallybook.ledger.logfolder import reader
    from tallybook.ledger.tilenodes import grow_from
    from tallybook.ledger.tiles import CHECKPOINT
    from tallybook.registry.place import LEDGER, place_of

    given = Path(path)
    if given.is_dir() and not (given / LEDGER).is_file() and (given / CHECKPOINT).is_file():
        return Shown(read_small(given / CHECKPOINT).encode(), grow_from(reader(given)))
    if given.is_file() and not _is_sqlite(given):
        return Shown(read_small(given).encode(), None)
    place = place_of(given, None, environment if given.is_dir() else {})
    store = open_store(place)
    return Shown(newest(place, store)[0], _from_store(store))


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(16) == b"SQLite format 3\x00"
    except OSError as error:
        raise TallybookError(f"cannot be read: {error.strerror}", where=str(path), do="make it a readable file") from error
