"""Exact counts beside what is used today: seconds and errors on the same problems, one after the other, on one processor.

    python benchmarks/holdings.py [--quick] [--json OUT] [--only A,B,B.u,C,C.u,scale,example] [--limit SECONDS]

Every measurement runs in a process of its own and counts processor seconds, the least of several runs. A chain is charged for
its draws alone, at the pace of its quickest fifth, and `to 1 %` scales them to a standard error of one per cent; `start` is what
compiling and tuning took before. NumPyro and PyMC are an extra, `pip install 'tallybook[oracles]'`; what is not installed is
named. Then come the bars, and a plot of seconds against items, days and stages, benchmarks/holdings-scale.svg (not with --quick).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is not the one that the package `benchmarks` is in

from benchmarks.baselines.common import Row, beyond  # noqa: E402
from benchmarks.baselines.scale import PANELS, plot  # noqa: E402

OURS = "ours"
NEEDS = {"NumPyro": ("numpyro", "jax", "funsor"), "PyMC": ("pymc",)}
METHODS = (OURS, "NumPyro", "PyMC", "truncated", "particle")
SIZES = {
    "A": ("small", "medium", "large"),
    "B": ("small", "medium", "large"),
    "B.u": ("small", "medium", "large"),
    "C": ("small", "medium", "large", "xl"),
    "C.u": ("small", "medium"),
}
QUICK_SIZES = ("small", "medium")
ONLY_OURS = ("xl",)


def missing(method: str) -> list[str]:
    """The packages that a method needs and that are not installed."""
    return [name for name in NEEDS.get(method, ()) if importlib.util.find_spec(name) is None]


def measured(method: str, problem: str, size: str, quick: bool, limit: float) -> list[Row]:
    """The rows of one measurement, from a process of its own. What cannot be measured is a row that says why."""
    name = f"{problem} {size}"
    if lacking := missing(method):
        return [beyond(name, method, f"not installed: {', '.join(lacking)}; pip install 'tallybook[oracles]'")]
    command = [sys.executable, "-m", "benchmarks.baselines.measure", method, problem, size, *["--quick"] * quick]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return [beyond(name, method, f"stopped after {limit:.0f} s, compiling and tuning included")]
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        return [beyond(name, method, f"failed: {why}")]
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


def is_ours(row: Row) -> bool:
    return row.method.startswith("tallybook")


def cost(row: Row) -> float:
    """What a row is compared by: its time to one per cent, or of an answer without a standard error its time."""
    return row.seconds if row.to_one_percent is None else row.to_one_percent


def line(row: Row, rows: Sequence[Row]) -> str:
    """One line of the table."""
    same = [other for other in rows if is_ours(other) and (other.problem, other.quantity) == (row.problem, row.quantity)]
    known = bool(same) and not is_ours(row) and math.isfinite(cost(row))
    texts = (
        "" if math.isnan(row.seconds) else f"{row.seconds:.3g}",
        "" if row.error is None else f"{row.error:.1e}",
        "" if row.to_one_percent is None else "never" if math.isinf(row.to_one_percent) else f"{row.to_one_percent:.3g}",
        f"{cost(row) / cost(same[0]):,.3g}" if known else "",
        f"{row.start:.3g}" if row.start else "",
    )
    numbers = " ".join(f"{text:>{wide}}" for text, wide in zip(texts, (8, 8, 8, 9, 7), strict=True))
    return f"{row.problem:11} {row.method:42} {row.quantity:15} {numbers}  {row.note}".rstrip()


HEAD = f"{'problem':11} {'method':42} {'of':15} {'seconds':>8} {'error':>8} {'to 1 %':>8} {'x ours':>9} {'start':>7}"
Value = Callable[[Sequence[Row]], float]


def least(problem: str, method: str, quantity: str = "", start: bool = False) -> Value:
    """The least cost of a method on a problem, with or without compiling and tuning; nan where there is none."""

    def value(rows: Sequence[Row]) -> float:
        found = [r for r in rows if r.problem == problem and r.method.startswith(method) and quantity in ("", r.quantity)]
        costs = [cost(r) + (r.start if start else 0.0) for r in found]
        return min((c for c in costs if not math.isnan(c)), default=math.nan)

    return value


def seconds(problem: str) -> Value:
    """How long our answer took."""
    return lambda rows: max((r.seconds for r in rows if r.problem == problem and is_ours(r)), default=math.nan)


def ratio(problem: str, other: str, quantity: str = "", start: bool = False) -> Value:
    return lambda rows: least(problem, other, quantity, start)(rows) / least(problem, "tallybook", quantity, start)(rows)


def more(problem: str, key: str, quantity: str = "") -> Value:
    """A further number of our row on a problem."""

    def value(rows: Sequence[Row]) -> float:
        ours = [r for r in rows if r.problem == problem and is_ours(r) and quantity in ("", r.quantity)]
        return max((r.more[key] for r in ours if key in r.more), default=math.nan)

    return value


SAMPLED = (
    ("A medium", "whole posterior", 1000),
    ("B.u small", "E left", 100),
    ("B.u medium", "E left", 100),
    ("B.u large", "E left", 30),
)
BARS: tuple[tuple[str, Value, str, float], ...] = (
    *((f"{p}, {q}: draws of NumPyro to 1 % / ours", ratio(p, "NumPyro"), "at least", bar) for p, q, bar in SAMPLED),
    *((f"{p}, {q}: the same with compiling, warm-up", ratio(p, "NumPyro", start=True), "at least", bar) for p, q, bar in SAMPLED),
    ("C medium with smoothing: dense numpy / ours", ratio("C medium", "dense numpy", "E left"), "at least", 25),
    ("C large with smoothing, seconds", seconds("C large"), "at most", 1.5),
    ("C large with smoothing, megabytes more at the peak", more("C large", "megabytes"), "at most", 200),
    ("C.u medium, seconds", seconds("C.u medium"), "at most", 5),
    ("C.u medium, standard error of P(none left), per cent", more("C.u medium", "percent", "P(none left)"), "at most", 2),
    ("C of 4,000 items, seconds", seconds("C xl"), "at most", 10),
    ("the example's account, milliseconds", more("example", "milliseconds"), "at most", 50),
)


def bar(name: str, value: float, direction: str, limit: float) -> str:
    """One bar with what was measured."""
    if math.isnan(value):
        verdict = "not measured"
    else:
        verdict = "passes" if (value >= limit if direction == "at least" else value <= limit) else "falls short"
    number = "" if math.isnan(value) else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
    return f"{name:58} {number:>9}  {direction} {limit:,g}: {verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and medium problems, short chains, no plot")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every row and bar to a file")
    parser.add_argument("--only", default="A,B,B.u,C,C.u,example,scale", help="problems, separated by commas")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which a measurement is stopped")
    options = parser.parse_args()
    wanted, rows = options.only.split(","), []
    print(HEAD)
    for problem, sizes in SIZES.items():
        for size in (s for s in sizes if problem in wanted and (s in QUICK_SIZES or not options.quick)):
            here: list[Row] = []
            for method in (m for m in METHODS if m == OURS or size not in ONLY_OURS):
                here += (new := measured(method, problem, size, options.quick, options.limit))
                for row in new:
                    print(line(row, here), flush=True)
            rows += here
    for problem in (p for p in ("example",) if p in wanted):
        rows += (new := measured(OURS, problem, "", options.quick, options.limit))
        print("\n".join(line(row, rows) for row in new))
    if "scale" in wanted:
        scaled: list[Row] = []
        for panel in PANELS:
            scaled += (new := measured(OURS, "scale", panel, options.quick, options.limit))
            print("\n".join(line(row, new) for row in new), flush=True)
        rows += scaled
        if not options.quick:
            (ROOT / "benchmarks" / "holdings-scale.svg").write_text(plot(scaled), "utf-8")
    print()
    bars = [(name, value(rows), direction, limit) for name, value, direction, limit in BARS]
    print("\n".join(bar(*one) for one in bars))
    if options.json:
        keys = ("bar", "measured", "direction", "limit")
        found = {"rows": [asdict(row) for row in rows], "bars": [dict(zip(keys, one, strict=True)) for one in bars]}
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
