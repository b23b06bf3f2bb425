"""What it costs to answer for a reader, as ratios to answering for everybody, in one run; and how that grows.

    python benchmarks/readers.py [--runs N]

The example with its invented markings, and copies of its observations under new ids. Beside it, what somebody without this
program would do to the same folder: drop the rows of each table that the reader may not see, with `csv`, which leaks through
everything that is left (ids in other tables, columns, comments). Writes benchmarks/readers-scale.svg.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tallybook import desk
from tallybook.casefile.files import Folder
from tallybook.casefile.marked import rights_of
from tallybook.verdicts.board import board_json

ROOT = Path(__file__).resolve().parent.parent
READERS = ("executive-committee", "mission", "press")
COPIES = (1, 5, 20, 80)
DAY = "1962-11-12"


def marked(folder: Path, copies: int) -> Path:
    """The example with its invented markings, and so many copies of its observations."""
    shutil.copytree(ROOT / "examples" / "cuba-1962", folder)
    shutil.copy(ROOT / "examples" / "cuba-1962-invented" / "markings.yaml", folder)
    table = folder / "reports" / "observations.csv"
    header, *rows = table.read_text("utf-8").splitlines()
    more = [row.replace("OBS-", f"OBS-{n}-", 1) for n in range(1, copies) for row in rows]
    table.write_text("\n".join([header, *rows, *more]) + "\n", "utf-8")
    return folder


def by_hand(folder: Path) -> int:
    """Rows of all tables that are left for the press, as a script of ten lines drops the others."""
    policy = rights_of(Folder(folder)).policy
    opens = policy.readers["press"].clearance.opens
    left = 0
    for path in (folder / "reports").iterdir():
        for row in csv.DictReader(io.StringIO(path.read_text("utf-8"))):
            marking = policy.of_row([], row.get("source_id", "")) or policy.unmarked
            left += opens(marking)
    return left


def best(what: Callable[[], object], runs: int) -> float:
    """The median of so many runs, in seconds of this process."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        what()
        times.append(time.process_time() - start)
    return statistics.median(times)


def plot(points: list[tuple[int, float, float, float]]) -> str:
    """Seconds against reports: the whole, the press, and the rows dropped by hand."""
    width, height, left, bottom = 560, 300, 60, 40
    most_x, most_y = points[-1][0], max(max(point[1:]) for point in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="18">seconds to open, against the number of reports</text>',
    ]
    for n, (name, colour, dash) in enumerate(
        (("for everybody", "#0072b2", ""), ("for the press", "#d55e00", "6 3"), ("rows dropped by hand", "#555", "2 3"))
    ):
        line = []
        for point in points:
            x = left + (width - left - 20) * point[0] / most_x
            y = height - bottom - (height - bottom - 40) * point[n + 1] / most_y
            line.append(f"{x:.1f},{y:.1f}")
        parts.append(
            f'<polyline points="{" ".join(line)}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts.append(f'<text x="{left + 10}" y="{44 + 16 * n}" fill="{colour}">{name}</text>')
    parts += [
        f'<line x1="{left}" y1="{height - bottom}" x2="{width - 20}" y2="{height - bottom}" stroke="#333"/>',
        f'<text x="{width - 20}" y="{height - 22}" text-anchor="end">{most_x:,} reports</text>',
        f'<text x="{left - 6}" y="44" text-anchor="end">{most_y:.1f} s</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    points = []
    with tempfile.TemporaryDirectory() as made:
        first = marked(Path(made) / "first", 1)
        plain = Path(made) / "plain"
        shutil.copytree(ROOT / "examples" / "cuba-1962", plain)
        unmarked = best(lambda: desk.open_case(plain), runs)
        whole = best(lambda: desk.open_case(first), runs)
        print(f"open, nothing marked       {unmarked:.3f} s")
        print(f"open, marked, everybody    {whole:.3f} s  {whole / unmarked:.2f} x")
        for reader in READERS:
            case = desk.open_case(first, reader)
            opened = best(lambda reader=reader: desk.open_case(first, reader), runs)  # type: ignore[misc]
            drawn = best(lambda case=case: board_json(desk.board(desk.ask(case, DAY))), runs)  # type: ignore[misc]
            print(f"open for {reader:<20} {opened:.3f} s  {opened / unmarked:.2f} x; board {drawn:.3f} s")
        case = desk.open_case(plain)
        print(f"board, nothing marked      {best(lambda: board_json(desk.board(desk.ask(case, DAY))), runs):.3f} s")
        for copies in COPIES:
            folder = marked(Path(made) / f"x{copies}", copies)
            count = len(desk.open_case(folder).evidence.reports)
            times = (
                best(lambda folder=folder: desk.open_case(folder), 3),  # type: ignore[misc]
                best(lambda folder=folder: desk.open_case(folder, "press"), 3),  # type: ignore[misc]
                best(lambda folder=folder: by_hand(folder), 3),  # type: ignore[misc]
            )
            points.append((count, *times))
            told = f"everybody {times[0]:.2f} s, press {times[1]:.2f} s ({times[1] / times[0]:.2f} x)"
            print(f"{count:>7,} reports: {told}, by hand {times[2]:.2f} s")
    (ROOT / "benchmarks" / "readers-scale.svg").write_text(plot(points), "utf-8")


if __name__ == "__main__":
    main()
