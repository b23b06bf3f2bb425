"""A writer that is killed in the middle of its work, and what must be there afterwards.

The writer is a child of this process. It files batches, and says of each entry that it was acknowledged only once it was; then it
is killed (SIGKILL: nothing in it can tidy up), at a step of an append or at any time.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from ledgers import SIGNER, draft, ledger, store_at
from tallybook.ledger.audit import audit
from tallybook.ledger.growth import Growth
from tallybook.ledger.signed import open_checkpoint
from tallybook.ledger.store import Store, StoreError
from tallybook.ledger.tree import root_of

BATCH = 7


class CrashError(AssertionError):
    """Something that an acknowledged entry does not survive."""


def _work(address: str, out: int, run: str, step: str, nth: int) -> None:
    times = 0

    def watch(at: str) -> None:
        nonlocal times
        times += at == step
        if at == step and times == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    book = ledger(store_at(address), lambda: datetime.now(UTC), watch)
    for number in range(1_000_000):
        receipts = book.append([draft(f"{run}/{number}/{n}") for n in range(BATCH)])
        # One write, so that a line is there whole or not at all.
        os.write(out, "".join(f"{one.index} {one.leaf_hash.hex()}\n" for one in receipts).encode())


@dataclass
class Writer:
    """A child that files batches until it is killed."""

    pid: int
    _said: IO[bytes]

    @classmethod
    def start(cls, address: str, run: str, step: str = "", nth: int = 0) -> Writer:
        """Start one on a log that nobody here has open. With `step` it kills itself when it comes there the n-th time."""
        # A file, and no pipe: a writer must never wait for us to read.
        said = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            try:
                _work(address, said.fileno(), run, step, nth)
            except StoreError:
                os._exit(3)
            finally:
                os._exit(4)
        return cls(pid, said)

    def kill(self) -> None:
        """Kill it."""
        os.kill(self.pid, signal.SIGKILL)

    def acknowledged(self) -> dict[int, bytes]:
        """What it had acknowledged, by number, once it is dead."""
        os.waitpid(self.pid, 0)
        with self._said as said:
            said.seek(0)
            lines = said.read().decode().split("\n")[:-1]
        return {int(index): bytes.fromhex(digest) for index, digest in (line.split() for line in lines)}


def after_a_crash(store: Store, acknowledged: dict[int, bytes]) -> int:
    """How many entries are there. Raises CrashError where one that was acknowledged is not, or anything is out of step."""
    # A server may still be about to commit for a client that is dead: who may write comes after it.
    with store.write() as writing:
        size = writing.size()
    with store.read() as reading:
        hashes = reading.leaf_hashes(0, size)
        found = audit(reading)
        if found.faults:
            raise CrashError(f"the audit says {found.faults[0]}")
        if Growth.load(reading).root() != root_of(hashes):
            raise CrashError("the tree is out of step")
        batches = {entry.entry.subject.rpartition("/")[0] for entry in reading.entries(0, size)}
    lost = [index for index, digest in acknowledged.items() if index >= size or hashes[index] != digest]
    if lost:
        raise CrashError(f"{len(lost)} acknowledged entries lost, the first {lost[0]}")
    if size != BATCH * len(batches):
        raise CrashError("half a batch")
    note = ledger(store, lambda: datetime.now(UTC)).checkpoint()
    if size and note is None:
        raise CrashError("nobody signed")
    if note is not None:
        signed = open_checkpoint(note.encode(), [SIGNER.verifier]).checkpoint
        if (signed.size, signed.root) != (size, root_of(hashes)):
            raise CrashError("signed for something else")
    return size


def killed_at_random(address: str, run: str, seconds: float) -> tuple[dict[int, bytes], int]:
    """Let a writer work for so long and kill it. What it had acknowledged, and how many entries there are."""
    writer = Writer.start(address, run)
    time.sleep(seconds)
    writer.kill()
    acknowledged = writer.acknowledged()
    store = store_at(address)
    try:
        return acknowledged, after_a_crash(store, acknowledged)
    finally:
        store.close()
