"""Kill a writer, again and again, and see what is left.

    python benchmarks/crash.py [--trials 200] [--server-trials 10] [--longest 0.25]

On SQLite and PostgreSQL: a process that files batches is killed (SIGKILL) at a random moment, and once at each step of an append;
on PostgreSQL the whole server is also stopped as a power cut stops it, and started again. After each the ledger is opened and
audited: what was acknowledged must be there, half a batch must not, and the tree must fit. Any other outcome ends the run with an
error.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from crashes import BATCH, Writer, after_a_crash, killed_at_random
from ledgers import Place, PostgresPlace, SqlitePlace, store_at
from postgres import Server, running_server
from tallybook.ledger.ledger import STEPS

IN_ONE_LEDGER = 20


def at_random(name: str, places: Iterator[Place], trials: int, longest: float) -> None:
    """Kill the client at random; a new ledger for every few trials, since each audit reads all of it."""
    chance = random.Random(trials)
    acknowledged = unacknowledged = size = 0
    for trial in range(trials):
        if trial % IN_ONE_LEDGER == 0:
            place, size = next(places), 0
            place.make().close()
        before = size
        kept, size = killed_at_random(place.address, str(trial), chance.uniform(0.0, longest))
        acknowledged += len(kept)
        unacknowledged += size - before - len(kept)
    print(
        f"{name}: {trials} kills at random, {acknowledged:,} entries acknowledged, 0 lost, 0 trees out of step, 0 half batches;"
        f" {unacknowledged} kept that nobody had been told of",
        flush=True,
    )


def at_each_step(name: str, places: list[Place]) -> None:
    """Kill the client once at each step."""
    for step, place in zip(STEPS, places, strict=True):
        place.make().close()
        kept = Writer.start(place.address, "run", step, 40).acknowledged()
        store = store_at(place.address)
        size = after_a_crash(store, kept)
        store.close()
        print(f"{name}: killed at {step!r}: {len(kept)} acknowledged, {size} there, batches of {BATCH}", flush=True)


def server_cut_off(server: Server, trials: int) -> None:
    """Stop the whole server at once."""
    place = PostgresPlace(server.url, "cut_off")
    place.make().close()
    chance = random.Random(trials)
    acknowledged = 0
    for trial in range(trials):
        writer = Writer.start(place.address, str(trial))
        time.sleep(chance.uniform(0.1, 1.0))
        server.stop("immediate")
        server.start()
        # It may have called again in time and gone on: that is as it should be.
        writer.kill()
        kept = writer.acknowledged()
        acknowledged += len(kept)
        store = place.open()
        after_a_crash(store, kept)
        store.close()
    print(f"PostgreSQL: {trials} immediate stops of the server, {acknowledged:,} entries acknowledged, 0 lost")


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--server-trials", type=int, default=10)
    parser.add_argument("--longest", type=float, default=0.25, help="seconds that a writer lives at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        at_each_step("SQLite", [SqlitePlace(Path(folder) / f"{step}.ledger") for step in STEPS])
        at_each_step("PostgreSQL", [PostgresPlace(server.url, f"step_{step}") for step in STEPS])
        files: Iterator[Place] = (SqlitePlace(Path(folder) / f"random-{n}.ledger") for n in itertools.count())
        schemas: Iterator[Place] = (PostgresPlace(server.url, f"random_{n}") for n in itertools.count())
        at_random("SQLite", files, options.trials, options.longest)
        at_random("PostgreSQL", schemas, options.trials, options.longest)
        server_cut_off(server, options.server_trials)


if __name__ == "__main__":
    main()
