"""Whole-process times of the commands people wait for, beside the interpreter's own start in the same run.

    python benchmarks/board.py [--runs N] [--scale]

Prints minimum and median of each, and the ratio to starting Python with nothing to do. With --scale, also how the board's
time grows with the number of reports (copies of the example's rows under new ids), and writes benchmarks/board-scale.svg.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TALLYBOOK = [sys.executable, "-m", "tallybook.cli.main"]
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "tallybook --help": [*TALLYBOOK, "--help"],
    "tallybook check": [*TALLYBOOK, "check", "examples/cuba-1962"],
    "tallybook board": [*TALLYBOOK, "board", "examples/cuba-1962"],
    "tallybook board --json": [*TALLYBOOK, "board", "examples/cuba-1962", "--json", "--on", "1962-11-12"],
    "tallybook why": [*TALLYBOOK, "why", "examples/cuba-1962", "missiles_removed", "--on", "1962-11-12"],
}
BARS = {"tallybook --help": 0.2, "tallybook board": 0.8}


def timed(command: list[str], runs: int) -> list[float]:
    """Wall seconds of whole processes, after one warm-up."""
    times = []
    for n in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        if n:
            times.append(time.perf_counter() - start)
    return times


def warm(runs: int) -> list[float]:
    """Seconds of a board at another date, the case being open."""
    from tallybook import desk
    from tallybook.verdicts.board import board_json

    case = desk.open_case(ROOT / "examples" / "cuba-1962")
    days = [f"1962-{month:02d}-{day:02d}" for month in (10, 11, 12) for day in range(15, 29)]
    times = []
    for day in days * (1 + runs // 20):
        start = time.perf_counter()
        board_json(desk.board(desk.ask(case, day)))
        times.append(time.perf_counter() - start)
    return times


def scaled(copies: int) -> tuple[int, float, float]:
    """(reports, seconds to open, seconds of one board) for a case of many copies of the example's observations."""
    import shutil

    from tallybook import desk

    with tempfile.TemporaryDirectory() as folder:
        case_folder = Path(folder) / "case"
        shutil.copytree(ROOT / "examples" / "cuba-1962", case_folder)
        table = case_folder / "reports" / "observations.csv"
        header, *rows = table.read_text("utf-8").splitlines()
        more = [row.replace("OBS-", f"OBS-{n}-", 1) for n in range(1, copies) for row in rows]
        table.write_text("\n".join([header, *rows, *more]) + "\n", "utf-8")
        start = time.perf_counter()
        case = desk.open_case(case_folder)
        opened = time.perf_counter()
        desk.board(desk.ask(case, "1962-11-12"))
        return len(case.evidence.reports), opened - start, time.perf_counter() - opened


def plot(points: list[tuple[int, float, float]]) -> str:
    """Both times against the number of reports, as SVG."""
    width, height, left, bottom = 560, 300, 60, 40
    most_x, most_y = max(p[0] for p in points), max(max(p[1:]) for p in points)

    def at(x: float, y: float) -> str:
        return f"{left + x / most_x * (width - left - 90):.1f},{height - bottom - y / most_y * (height - bottom - 20):.1f}"

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">']
    out.append(f'<path d="M{at(0, most_y)} L{at(0, 0)} L{at(most_x, 0)}" fill="none" stroke="#888"/>')
    for index, (name, colour) in enumerate((("open", "#2b7a9b"), ("board", "#b3261e")), start=1):
        line = " ".join(at(p[0], p[index]) for p in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = at(points[-1][0], points[-1][index]).split(",")
        out.append(f'<text x="{float(x) + 6}" y="{y}" fill="{colour}">{name} {points[-1][index]:.2f} s</text>')
    out.append(f'<text x="{left}" y="{height - 12}">0</text>')
    out.append(f'<text x="{width - 180}" y="{height - 12}">{most_x:,} reports</text></svg>')
    return "\n".join(out) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--scale", action="store_true")
    options = parser.parse_args()
    base = 0.0
    print(f"{'command':28} {'min s':>8} {'median s':>9} {'x python':>9} {'bar s':>6}")
    for name, command in COMMANDS.items():
        times = timed(command, options.runs)
        middle = statistics.median(times)
        base = base or middle
        bar = f"{BARS[name]:.1f}" if name in BARS else ""
        print(f"{name:28} {min(times):8.3f} {middle:9.3f} {middle / base:9.1f} {bar:>6}")
    times = warm(options.runs)
    middle = statistics.median(times)
    print(f"{'board, case open (warm)':28} {min(times):8.3f} {middle:9.3f} {middle / base:9.1f}   0.05")
    if options.scale:
        points = [scaled(copies) for copies in (1, 10, 25, 50, 100)]
        for reports, opening, board in points:
            print(f"{reports:>8,} reports: open {opening:.2f} s, board {board:.3f} s")
        (ROOT / "benchmarks" / "board-scale.svg").write_text(plot(points), "utf-8")


if __name__ == "__main__":
    main()
