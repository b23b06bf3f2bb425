"""How long an agreement takes: compiled cold, asked again at another (on, known), explained, checked, codified.

    python benchmarks/agreement.py [--runs N]

Processor seconds. Cold times are of fresh processes, less the start of the interpreter in the same run. `compiled` is from
the bytes of agreement.yaml to the provisions in force on a day: reading, validation, conditions, references, changes; the
imports are told apart. Sizes are in
provisions, each with a condition, every third one changed. Warm times are of the example, the case being open.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = (20, 80, 320)
BARS = {"compiled, 20 provisions": 0.3, "asked again": 0.05, "one explanation": 0.05}
HEAD = """agreement: made-up
title: Made up to be timed
time_zone: Europe/Vienna
default_as_of: 2031-06-01
parties: {North: {name: North}, South: {name: South}}
instruments: {accord: {name: the accord, made: 2031-01-01, in_hand: none}}
vocabulary: {methods: {look: {}}}
claims: [{id: gone, title: Gone, says: all are gone, item: gun}]
board: [{id: gone, claim: gone}]
"""
IMPORTS = """
import sys
from pathlib import Path
from tallybook.agreement.check import check_agreement
from tallybook.agreement.change import provisions_in_force
from tallybook.agreement.load import load_agreement
from tallybook.core.time import moment, zone
"""
COMPILE = (
    IMPORTS
    + """
loaded = load_agreement(Path(sys.argv[1]).read_bytes())
assert loaded.agreement is not None and not loaded.faults, loaded.faults
faults = check_agreement(loaded, {}, {"gun"}, set())
assert not faults, faults
tz = zone(loaded.agreement.time_zone)
on, changes = moment("2031-06-01", tz).last, loaded.agreement.changes
found = provisions_in_force(loaded.base, changes, on, lambda text: moment(text, tz), lambda change: True)
assert len(found.provisions) == int(sys.argv[2])
"""
)


def agreement_of(size: int) -> str:
    """An agreement of so many duties, each waiting for the one before it."""
    duties, changes = [], []
    for n in range(size):
        trigger = (
            f"performed @duty-{n - 1} or (once within 30d asked(n{n}) and not refused(n{n}, by=South))" if n else "asked(n0)"
        )
        duties.append(
            f'  - {{id: duty-{n}, kind: duty, in: accord, owed: {{by: North, to: South}}, when: "{trigger}", '
            f'achieve: "delivered(n{n})", within: 30d}}'
        )
        if n % 3 == 0:
            changes.append(
                f'  - {{in: accord, n: {n + 1}, made: 2031-02-01, op: replace, target: "@duty-{n}.within", value: 45d, '
                f"recorded_by: [R1]}}"
            )
    return "\n".join([HEAD, "provisions:", *duties, "changes:", *changes, ""])


def cold(command: Sequence[str], runs: int) -> float:
    """The least processor time of several fresh processes, in seconds, after one that warms the disk."""
    times = []
    for n in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(list(command), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if n:
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def compiled(runs: int) -> dict[str, float]:
    """Seconds to import, to compile agreements of several sizes, and to read the same bytes as plain YAML."""
    out: dict[str, float] = {}
    bare = cold([sys.executable, "-c", "pass"], runs)
    imports = cold([sys.executable, "-c", IMPORTS], runs)
    out["imports"] = imports - bare
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder) / f"{size}.yaml"
            path.write_text(agreement_of(size), "utf-8")
            out[f"compiled, {size} provisions"] = cold([sys.executable, "-c", COMPILE, str(path), str(size)], runs) - imports
            plain = "import sys; from ruamel.yaml import YAML; YAML(typ='safe', pure=True).load(open(sys.argv[1], 'rb'))"
            out[f"  the same as plain YAML, {size}"] = cold([sys.executable, "-c", plain, str(path)], runs) - bare
    return out


def warm() -> dict[str, float]:
    """Median processor seconds of questions to the open example."""
    from tallybook import desk

    case = desk.open_case(ROOT / "examples" / "cuba-1962")
    days = [f"1962-{month:02d}-{day:02d}" for month in (10, 11, 12) for day in range(16, 28)]

    def median(ask: Callable[[str], object]) -> float:
        times = []
        for day in days:
            start = time.process_time()
            ask(day)
            times.append(time.process_time() - start)
        return statistics.median(times)

    desk.board(desk.ask(case, days[0]))
    return {
        "asked again": median(lambda day: desk.board(desk.ask(case, day))),
        "one explanation": median(lambda day: desk.why(desk.ask(case, day), "missiles_removed")),
        "codified": median(lambda day: desk.codify(desk.ask(case, day))),
    }


def main() -> None:
    """Print every time, beside its bar where there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    for name, seconds in {**compiled(runs), **warm()}.items():
        bar = f"  bar {BARS[name] * 1000:.0f} ms" if name in BARS else ""
        print(f"{name:<34}{seconds * 1000:9.1f} ms{bar}")


if __name__ == "__main__":
    main()
