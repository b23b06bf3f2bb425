"""What the ledger costs beside plain rows, and how its costs grow with its size.

    python benchmarks/ledger.py [--rounds 5] [--sizes 1000,10000,100000] [--only appends|audit|example|growth]

Appends: in one run, turn by turn, the same bytes of leaf and body as plain rows by the best way that each driver has (SQLite:
`executemany` in one transaction, WAL, synchronous FULL; PostgreSQL: binary COPY, or a prepared INSERT for a single row, fsync
on), and as entries of a ledger, hashed, in the tree and with a signed checkpoint. Medians of the rounds.

Growth: one SQLite ledger that grows; at each size the proofs (each from a new snapshot), the audit, and the search for a recorded
time, beside pymerkle's trees in memory and in SQLite where they can in the time. Writes ledger-scale.svg.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from ledgers import KNOWN, ORIGIN, SIGNER, sign
from postgres import running_server
from tallybook.casefile.filing import things
from tallybook.ledger.asof import books, size_at
from tallybook.ledger.audit import audit
from tallybook.ledger.entry import Draft, canonical_json, instant_of, store_entry, subject_key
from tallybook.ledger.growth import Growth, nodes
from tallybook.ledger.keys import parse_vkey, vkey
from tallybook.ledger.ledger import Ledger
from tallybook.ledger.postgres import PostgresStore
from tallybook.ledger.sqlite import SqliteStore
from tallybook.ledger.store import Reading, Store
from tallybook.ledger.tree import check_consistency, check_inclusion, consistency_proof, inclusion_proof
from tallybook.registry.place import Place, close_stores
from tallybook.registry.proving import audit_ledger
from tallybook.registry.reading import folder_files

ROOT = Path(__file__).resolve().parent.parent
CALLS = {1: 40, 100: 10, 1000: 6}
"""Appends of each batch size in a round."""
PROOFS = 300
PYMERKLE_SQLITE_LIMIT = 10_000
PYMERKLE_MEMORY_LIMIT = 100_000
Batches = Iterator[list[Draft]]
Append = Callable[[list[Draft]], object]
Points = dict[str, dict[int, float]]


def reports(count: int) -> Batches:
    """Batches of drafts, each report of about 250 bytes and about another thing."""
    numbers = itertools.count()
    while True:
        yield [
            Draft(
                "report",
                f"observations/{number}",
                canonical_json({"number": number, "text": f"{number:08d} " * 25}),
                "a filer",
                KNOWN,
                valid_from=KNOWN,
            )
            for number in itertools.islice(numbers, count)
        ]


Rows = Sequence[tuple[str, bytes, bytes]]


def row(draft: Draft) -> tuple[str, bytes, bytes]:
    """The bytes that a ledger keeps of it: what it is about, leaf and body."""
    entry = store_entry(0, draft, subject_key(draft.subject), KNOWN, "", bytes(16))
    return draft.subject, entry.leaf, draft.body


def plain_sqlite(path: Path, *, unique: bool) -> Callable[[Rows], object]:
    """Rows in one transaction; `unique`: with the index that a table needs to know what it has already."""
    link = sqlite3.connect(path, isolation_level=None)
    link.execute("PRAGMA page_size = 8192")
    link.execute("PRAGMA journal_mode = WAL")
    link.execute("PRAGMA synchronous = FULL")
    link.execute("CREATE TABLE plain (seq INTEGER PRIMARY KEY, id TEXT, leaf BLOB NOT NULL, body BLOB NOT NULL) STRICT")
    if unique:
        link.execute("CREATE UNIQUE INDEX plain_id ON plain (id)")

    def append(rows: Rows) -> None:
        link.execute("BEGIN IMMEDIATE")
        link.executemany("INSERT INTO plain (id, leaf, body) VALUES (?, ?, ?)", rows)
        link.execute("COMMIT")

    return append


def plain_postgres(url: str, name: str, *, unique: bool) -> Callable[[Rows], object]:
    """Rows by COPY; a single one by a prepared INSERT. `unique` as for SQLite."""
    import psycopg

    link = psycopg.connect(url, autocommit=True)
    link.execute(f"CREATE TABLE {name} (seq bigserial PRIMARY KEY, id text, leaf bytea NOT NULL, body bytea NOT NULL)")
    if unique:
        link.execute(f"CREATE UNIQUE INDEX ON {name} (id)")

    def append(rows: Rows) -> None:
        if len(rows) == 1:
            link.execute(f"INSERT INTO {name} (id, leaf, body) VALUES (%b, %b, %b)", rows[0])
            return
        with link.cursor() as cursor, cursor.copy(f"COPY {name} (id, leaf, body) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["text", "bytea", "bytea"])
            for one in rows:
                copy.write_row(one)

    return append


def rate(work: Callable[[Any], object], given: Sequence[Sequence[object]]) -> float:
    """Entries a second."""
    start = time.perf_counter()
    for one in given:
        work(one)
    return sum(len(one) for one in given) / (time.perf_counter() - start)


def appends(rounds: int) -> None:
    """Plain rows and a ledger's entries, turn by turn."""

    def opened(store: Store) -> Append:
        return Ledger(store, lambda: datetime.now(UTC), os.urandom, sign).append

    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        pairs = {
            "SQLite": (
                plain_sqlite(Path(folder) / "plain", unique=False),
                plain_sqlite(Path(folder) / "unique", unique=True),
                opened(SqliteStore.make(Path(folder) / "ledger", ORIGIN)),
            ),
            "PostgreSQL": (
                plain_postgres(server.url, "plain", unique=False),
                plain_postgres(server.url, "plain_unique", unique=True),
                opened(PostgresStore.make(server.url, "bench", ORIGIN)),
            ),
        }
        print("| entries/s | batch | plain rows | rows with a unique id | ledger | ratio to plain | to unique |")
        print("|---|---|---|---|---|---|---|")
        made = {name: {size: _renamed(name, size) for size in CALLS} for name in pairs}
        for name, works in pairs.items():
            for size, calls in CALLS.items():
                found: list[list[float]] = []
                for turn in range(rounds + 1):
                    batches = list(itertools.islice(made[name][size], calls))
                    rows = [[row(draft) for draft in batch] for batch in batches]
                    given: list[Sequence[Sequence[Any]]] = [rows, rows, batches]
                    # Each has its turn to be first.
                    order = [(turn + n) % 3 for n in range(3)]
                    rates = {n: rate(works[n], given[n]) for n in order}
                    found.append([rates[n] for n in range(3)])
                # The first round makes the tables' first pages.
                plain, unique, ours = (statistics.median(each[n] for each in found[1:]) for n in range(3))
                ratios = [statistics.median(each[2] / each[n] for each in found[1:]) for n in (0, 1)]
                told = f"| {name} | {size:,} | {plain:,.0f} | {unique:,.0f} | {ours:,.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} |"
                print(told, flush=True)


def _renamed(name: str, size: int) -> Batches:
    """Subjects that no other batch size has."""
    for batch in reports(size):
        yield [Draft(d.kind, f"{name}/{size}/{d.subject}", d.body, d.author, d.known, valid_from=d.valid_from) for d in batch]


def example_read() -> None:
    """Reading the evidence of the example as of a known time: every version of every row, and which of them stand."""
    example = ROOT / "examples" / "cuba-1962"
    filed = list(things(folder_files(example), ZoneInfo("UTC")))
    drafts = [Draft(one.kind, one.subject, one.body, "a filer", one.known, *one.valid) for one in filed]
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        for name, store in (
            ("SQLite", SqliteStore.make(Path(folder) / "ledger", ORIGIN)),
            ("PostgreSQL", PostgresStore.make(server.url, "example", ORIGIN)),
        ):
            Ledger(store, lambda: datetime.now(UTC), os.urandom, sign).append(drafts)

            def read(store: Store = store) -> object:
                with store.read() as reading:
                    return list(books(reading).standing("1962-11-03T00:00:00.000000Z"))

            print(f"as-of read of the example, {len(drafts)} entries, {name}: {typical(read, 30) / 1000:.1f} ms", flush=True)


def shared_audit(size: int = 200_000) -> None:
    """The audit of one log by one process and by two, turn by turn."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        store = SqliteStore.make(path, ORIGIN, synchronous="OFF")
        book = Ledger(store, lambda: datetime.now(UTC), os.urandom, sign)
        for batch in itertools.islice(reports(10_000), size // 10_000):
            book.append(batch)
        key = [parse_vkey(vkey(SIGNER.verifier))]
        for workers in (1, 2, 1, 2):
            start = time.perf_counter()
            found = audit_ledger(Place(path), key, workers=workers)
            assert not found.audit.faults
            print(f"audit, {workers} at work: {size / (time.perf_counter() - start):,.0f} entries/s", flush=True)
        close_stores()
        store.close()


def typical(work: Callable[[], object], times: int = PROOFS) -> float:
    """Median microseconds of a call."""
    out = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        out.append((time.perf_counter() - start) * 1e6)
    return statistics.median(out)


def measured(store: Store, size: int, as_of: Callable[[Reading], object] | None = None) -> dict[str, float]:
    """Microseconds of each thing at this size, and entries a second of the audit. `as_of` is a further read to be timed."""
    chance = random.Random(size)

    def included() -> object:
        with store.read() as reading:
            return inclusion_proof(nodes(reading, size), chance.randrange(size), size)

    def consistent() -> object:
        with store.read() as reading:
            return consistency_proof(nodes(reading, size), chance.randrange(1, size), size)

    out = {"inclusion proof, from disk": typical(included), "consistency proof, from disk": typical(consistent)}
    with store.read() as reading:
        index, old = size // 3, size // 3 + 1
        leaf, node = reading.leaf_hashes(index, index + 1)[0], nodes(reading, size)
        root, proof = Growth.load(reading).root(), inclusion_proof(node, index, size)
        old_root = _root_of_first(reading, old)
        grown = consistency_proof(node, old, size)
        out["inclusion proof checked"] = typical(lambda: check_inclusion(index, size, leaf, proof, root))
        out["consistency proof checked"] = typical(lambda: check_consistency(old, size, old_root, root, grown))
        entry = reading.entry(index)
        assert entry is not None
        at = instant_of(entry.entry.recorded_at)
        out["search for a recorded time"] = typical(lambda: size_at(reading, at))
        if as_of is not None:
            out["as-of read"] = typical(lambda: as_of(reading), 20)
        start = time.perf_counter()
        found = audit(reading)
        out["audit, entries/s"] = size / (time.perf_counter() - start)
        assert not found.faults
        assert found.root == root
    return out


def _root_of_first(reading: Reading, size: int) -> bytes:
    from tallybook.ledger.tree import range_hash

    return range_hash(nodes(reading, size), 0, size)


def pymerkle_trees(size: int, folder: Path) -> dict[str, float]:
    """The same of pymerkle, where it is installed and can in the time."""
    try:
        import pymerkle
    except ImportError:
        return {}
    out: dict[str, float] = {}
    chance = random.Random(size)
    leaves = [b"%d" % n * 40 for n in range(size)]
    kinds: dict[str, tuple[Any, tuple[str, ...], int]] = {"memory": (pymerkle.InmemoryTree, (), PYMERKLE_MEMORY_LIMIT)}
    kinds["SQLite"] = (pymerkle.SqliteTree, (str(folder / f"pymerkle-{size}"),), PYMERKLE_SQLITE_LIMIT)
    for name, (tree_of, arguments, limit) in kinds.items():
        if size > limit:
            continue
        tree = tree_of(*arguments)
        tree.append_entries(leaves)
        out[f"pymerkle {name}: inclusion"] = typical(lambda tree=tree: tree.prove_inclusion(chance.randrange(size) + 1, size), 50)  # type: ignore[misc]
        out[f"pymerkle {name}: consistency"] = typical(
            lambda tree=tree: tree.prove_consistency(chance.randrange(1, size), size),  # type: ignore[misc]
            50,
        )
    return out


def growth(sizes: Sequence[int]) -> Points:
    """One ledger that grows. Built without waiting for the disk: only reads are timed."""
    points: Points = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = SqliteStore.make(folder / "a.ledger", ORIGIN, synchronous="OFF")
        book = Ledger(store, lambda: datetime.now(UTC), os.urandom, sign)
        batches = reports(1000)
        size = 0
        for until in sizes:
            start, before = time.perf_counter(), size
            while size < until:
                size += len(book.append(next(batches)[: until - size]))
            built = (until - before) / (time.perf_counter() - start)
            for what, value in (measured(store, size) | pymerkle_trees(size, folder)).items():
                points.setdefault(what, {})[size] = value
                print(f"{size:>9,}  {what:<34} {value:>12,.1f}", flush=True)
            print(f"{size:>9,}  {'built without waiting, entries/s':<34} {built:>12,.0f}", flush=True)
        store.close()
    return points


def plot(points: Points) -> str:
    """Microseconds against size, both by powers of ten."""
    from math import log10

    drawn = {what: line for what, line in points.items() if "entries/s" not in what}
    sizes = sorted({size for line in drawn.values() for size in line})
    values = [value for line in drawn.values() for value in line.values()]
    low, high = int(log10(min(values))), int(log10(max(values))) + 1
    left, right, top, bottom = 60, 420, 20, 380

    def x(size: float) -> float:
        wide = log10(sizes[-1]) - log10(sizes[0]) or 1.0
        return left + (right - left) * (log10(size) - log10(sizes[0])) / wide

    def y(value: float) -> float:
        return bottom - (bottom - top) * (log10(value) - low) / (high - low)

    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="720" height="430" font-family="sans-serif" font-size="12">']
    out.append('<rect width="720" height="430" fill="white"/>')
    for power in range(low, high + 1):
        out.append(f'<path d="M{left} {y(10**power):.1f}H{right}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 6}" y="{y(10**power) + 4:.1f}" text-anchor="end">{10**power:,} µs</text>')
    for size in sizes:
        out.append(f'<text x="{x(size):.1f}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>')
    out.append(f'<text x="{(left + right) / 2}" y="{bottom + 38}" text-anchor="middle">entries in the ledger</text>')
    colours = ("#1b5e9b", "#c0392b", "#27864a", "#8e44ad", "#d08000", "#555", "#999", "#1aa3a3", "#b36b8f")
    ends = sorted(drawn, key=lambda what: -drawn[what][max(drawn[what])])
    for place, what in enumerate(ends):
        line, colour = drawn[what], colours[place % len(colours)]
        dash = ' stroke-dasharray="4 3"' if what.startswith("pymerkle") else ""
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in sorted(line.items()))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        at = top + 14 + 20 * place
        out.append(f'<path d="M{right + 20} {at - 4}h24" stroke="{colour}" stroke-width="2"{dash}/>')
        out.append(f'<text x="{right + 50}" y="{at}">{what}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> None:
    """Appends, then growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--only", choices=["appends", "audit", "example", "growth"])
    options = parser.parse_args()
    if options.only in (None, "appends"):
        appends(options.rounds)
    if options.only in (None, "example"):
        example_read()
    if options.only in (None, "audit"):
        shared_audit()
    if options.only in (None, "growth"):
        points = growth([int(size) for size in options.sizes.split(",")])
        (ROOT / "benchmarks" / "ledger-scale.svg").write_text(plot(points), "utf-8")


if __name__ == "__main__":
    main()
