"""Four writers and eight readers, each a process, at one ledger for a minute: on SQLite, then on PostgreSQL.

    python benchmarks/hammer.py [--seconds 60] [--writers 4] [--readers 8]

Each reader keeps the last checkpoint that it saw and checks that the newest grows out of it, the place of an entry drawn at
random, and that entry's bytes and body. A fault ends the run with an error.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from hammering import hammer
from ledgers import Place, PostgresPlace, SqlitePlace
from postgres import running_server


def main() -> None:
    """Both databases, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--readers", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        places: dict[str, Place] = {
            "SQLite": SqlitePlace(Path(folder) / "a.ledger"),
            "PostgreSQL": PostgresPlace(server.url, "hammered"),
        }
        for name, place in places.items():
            place.make().close()
            found = hammer(place.address, options.seconds, options.writers, options.readers)
            if found.faults or found.size != found.entries:
                sys.exit(f"{name}: {found.faults or f'{found.entries} acknowledged, {found.size} there'}")
            middle, worst = found.percentile(50) * 1000, found.percentile(99) * 1000
            print(
                f"{name}: {len(found.append_times) / found.seconds:,.0f} appends/s ({found.entries:,} entries),"
                f" p50 {middle:.1f} ms, p99 {worst:.1f} ms; {found.reads / found.seconds:,.0f} reads/s,"
                f" {found.proofs:,} proofs checked, 0 faults"
            )


if __name__ == "__main__":
    main()
