"""Many writers and readers at one ledger, each a process: no reader may ever see a tree that its last does not begin."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing.queues import Queue
from typing import Any

from ledgers import SIGNER, draft, ledger, store_at
from tallybook.ledger.growth import nodes
from tallybook.ledger.signed import open_checkpoint
from tallybook.ledger.store import StoreError
from tallybook.ledger.tree import check_consistency, check_inclusion, consistency_proof, inclusion_proof, leaf_hash

BATCH = 5


@dataclass(frozen=True, slots=True)
class Hammered:
    """What a run did: appends are calls of `BATCH` entries, times in seconds and in order; `faults` is what readers saw."""

    seconds: float
    append_times: list[float]
    reads: int
    proofs: int
    size: int
    faults: list[str]

    @property
    def entries(self) -> int:
        """That were acknowledged."""
        return BATCH * len(self.append_times)

    def percentile(self, of_hundred: float) -> float:
        """Seconds that so many of a hundred appends took at most."""
        return self.append_times[min(int(len(self.append_times) * of_hundred / 100), len(self.append_times) - 1)]


def _write(address: str, name: str, until: float, out: Queue[Any]) -> None:
    times: list[float] = []
    fault = ""
    try:
        store = store_at(address)
        book = ledger(store, lambda: datetime.now(UTC))
        while time.monotonic() < until:
            given = [draft(f"{name}/{len(times)}/{n}", "x" * 200) for n in range(BATCH)]
            start = time.monotonic()
            book.append(given)
            times.append(time.monotonic() - start)
        store.close()
    except Exception as error:
        fault = f"writer {name}: {error!r}"
    out.put(("w", times, 0, fault))


def _read(address: str, name: str, until: float, out: Queue[Any]) -> None:
    chance = random.Random(name)
    reads = proofs = 0
    fault = ""
    try:
        store = store_at(address)
        last: tuple[int, bytes] | None = None
        while time.monotonic() < until:
            with store.read() as reading:
                note = reading.checkpoint()
                if note is None:
                    continue
                head = open_checkpoint(note.encode(), [SIGNER.verifier]).checkpoint
                if head.size > reading.size():
                    raise StoreError(f"signed for {head.size}, {reading.size()} are there")
                if last is not None and head.size < last[0]:
                    raise StoreError(f"a checkpoint of {head.size} after one of {last[0]}")
                node = nodes(reading, head.size)
                if last is not None:
                    check_consistency(last[0], head.size, last[1], head.root, consistency_proof(node, last[0], head.size))
                    proofs += 1
                index = chance.randrange(head.size)
                entry = reading.entry(index)
                assert entry is not None
                check_inclusion(index, head.size, leaf_hash(entry.leaf), inclusion_proof(node, index, head.size), head.root)
                if sha256((entry.salt or b"") + (entry.body or b"")).hexdigest() != entry.entry.body_sha256:
                    raise StoreError(f"the body of entry {index} is another's")
                proofs += 1
                reads += 1
                last = (head.size, head.root)
        store.close()
    except Exception as error:
        fault = f"reader {name}: {error!r}"
    out.put(("r", [], (reads, proofs), fault))


def hammer(address: str, seconds: float, writers: int = 4, readers: int = 8) -> Hammered:
    """Hammer a ledger that is there already."""
    context = multiprocessing.get_context("spawn")
    out: Queue[Any] = context.Queue()
    # Processes take a while to start: all of them stop at one time.
    start = time.monotonic() + 1.0
    workers = [context.Process(target=_write, args=(address, str(n), start + seconds, out)) for n in range(writers)]
    workers += [context.Process(target=_read, args=(address, str(n), start + seconds, out)) for n in range(readers)]
    for worker in workers:
        worker.start()
    answers = [out.get(timeout=seconds + 120) for _ in workers]
    for worker in workers:
        worker.join(30)
    store = store_at(address)
    with store.read() as reading:
        size = reading.size()
    store.close()
    return Hammered(
        seconds,
        sorted(t for kind, times, _, _ in answers if kind == "w" for t in times),
        sum(counts[0] for kind, _, counts, _ in answers if kind == "r"),
        sum(counts[1] for kind, _, counts, _ in answers if kind == "r"),
        size,
        [fault for *_, fault in answers if fault],
    )
