"""How the cost of an answer grows with the number of reports on file, from a thousand to a million.

    python benchmarks/reports.py [--sizes 1000,10000,100000,1000000] [--runs N]

Three files are made in memory from the example's rows, under new ids and on other days, spread over forty years:

- one claim: copies of the rows that bear on "missile bases dismantled", so that one line has nearly all reports on file;
- every claim: copies of all rows but those that count missiles or bombers (a count is an account of its own, see
  benchmarks/holdings.py), with copies of the analysts' bearings on them;
- other things: the example, and reports about a thousand items that no line of the board asks about.

For each: the board at another (on, known) with the file open; one report more, and the board after it at the same date; and
beside it what one would do without the program: a table in SQLite (in memory) with an index on (claim, known), asked for the
rows known by a day for each line, counted, and fetched. Times are medians over several dates, of the processor (everything
is one thread); on a machine that does nothing else, those of the clock are the same. Writes reports-scale.svg.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import itertools
import random
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from tallybook import desk
from tallybook.core.time import Moment, moment
from tallybook.evidence.file import EvidenceFile
from tallybook.evidence.report import Bearing, Item, Report
from tallybook.verdicts.inquiry import Case

ROOT = Path(__file__).resolve().parent.parent
YEARS = 40
LINE = "missile_bases_dismantled"
Made = tuple[list[Report], list[Bearing], dict[str, Item]]


class Shifted:
    """Moments some days later; equal days share one object."""

    def __init__(self, case: Case) -> None:
        self._tz = case.tz
        self._made: dict[tuple[str, int], Moment] = {}

    def __call__(self, at: Moment, days: int) -> Moment:
        key = (at.text, days)
        if key not in self._made:
            if len(at.text) == len("1962-10-28"):
                self._made[key] = moment(str(date.fromisoformat(at.text) + timedelta(days)), self._tz)
            else:
                by = timedelta(days)
                text = at.text if len(at.text) < len("1962-10-28") else (at.last + by).isoformat()
                self._made[key] = Moment(text, at.first + by, at.last + by)
        return self._made[key]


def copies(case: Case, rows: list[Report], bearings: list[Bearing], wanted: int) -> tuple[list[Report], list[Bearing]]:
    """The example's own rows, then copies of some rows and of the bearings on them, up to so many reports."""
    shift, chance = Shifted(case), random.Random(3)
    reports, read = list(case.evidence.reports.values()), list(case.evidence.bearings)
    about: dict[str, list[Bearing]] = {}
    for bearing in bearings:
        about.setdefault(bearing.report, []).append(bearing)
    for copy in itertools.count(1):
        days = chance.randrange(YEARS * 365)
        for row in rows:
            if len(reports) >= wanted:
                return reports, read
            name = f"{row.id}/{copy}"
            known, starts, ends = (shift(at, days) for at in (row.known, row.starts, row.ends))
            source = f"{row.source}/{copy}"
            line = len(reports)
            reports.append(dataclasses.replace(row, id=name, source=source, line=line, known=known, starts=starts, ends=ends))
            for b in about.get(row.id, ()):
                restates = tuple(f"{other}/{copy}" for other in b.restates)
                cluster = b.cluster and f"{b.cluster}/{copy}"
                refers = b.refers_to and shift(b.refers_to, days)
                known = shift(b.known, days)
                read.append(
                    dataclasses.replace(
                        b, report=name, restates=restates, cluster=cluster, refers_to=refers, known=known, line=len(read)
                    )
                )
    raise AssertionError


def one_claim(case: Case, wanted: int) -> Made:
    """Nearly every report bears on one line."""
    finding = desk.why(desk.ask(case, "1963-12-31"), LINE).line
    assert finding is not None
    assert finding.finding is not None
    rows = [w.report for w in finding.finding.weighed if w.report.table == "observations" and w.bears != "neither"]
    bearings = [b for b in case.evidence.bearings if b.claim == LINE]
    return *copies(case, rows, bearings, wanted), {}


def every_claim(case: Case, wanted: int) -> Made:
    """The whole file many times over, but for counts of what has an account."""
    counted = {i for c in case.agreement.claims if c.quantity for i in case.evidence.members(c.quantity.item)}
    tables = ("measures", "vessels")
    rows = [r for r in case.evidence.reports.values() if r.table not in tables and r.item not in counted]
    names = {r.id for r in rows}
    return *copies(case, rows, [b for b in case.evidence.bearings if b.report in names], wanted), {}


def other_things(case: Case, wanted: int) -> Made:
    """The example, among reports about things that the board does not ask about."""
    rows = [r for r in case.evidence.reports.values() if r.table == "observations"]
    reports, read = copies(case, rows, [], wanted)
    items = {f"thing-{n}": Item(f"thing-{n}", f"thing {n}", "thing") for n in range(1000)}
    own = len(case.evidence.reports)
    moved = [dataclasses.replace(r, item=f"thing-{n % 1000}") for n, r in enumerate(reports[own:])]
    return [*reports[:own], *moved], read, items


FILES: dict[str, Callable[[Case, int], Made]] = {"one claim": one_claim, "every claim": every_claim, "other things": other_things}


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call, by the processor."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def dates() -> Iterator[tuple[str, str]]:
    """Pairs (on, known) over the forty years, most of them late, when much is on file."""
    chance = random.Random(5)
    while True:
        day = date(1962, 11, 1) + timedelta(int(YEARS * 365 * chance.random() ** 0.5))
        yield str(day), str(day + timedelta(chance.randrange(-40, 40)))


def measured(case: Case, file: EvidenceFile, runs: int) -> dict[str, float]:
    """Median milliseconds of each thing, the first answers being over."""
    out: dict[str, float] = {}
    pairs = dates()
    case = dataclasses.replace(case, evidence=file)
    out["first answer"] = timed(lambda: desk.board(desk.ask(case, *next(pairs))))
    desk.board(desk.ask(case, *next(pairs)))
    times = [timed(lambda: desk.board(desk.ask(case, *next(pairs)))) for _ in range(runs)]
    out["another date"], out["at least"] = statistics.median(times), min(times)
    sample = next(r for r in file.reports.values() if r.table == "observations" and r.item in file.members("missile_base"))
    files = [file.with_report(dataclasses.replace(sample, id="one more"))]
    added, again = [], []
    for n in range(200):
        row = dataclasses.replace(sample, id=f"one more {n}", source=f"more {n}")
        added.append(timed(lambda row=row: files.append(files[-1].with_report(row))))  # type: ignore[misc]
        if n % (200 // runs) == 0:
            after = dataclasses.replace(case, evidence=files[-1])
            again.append(timed(lambda after=after: desk.board(desk.ask(after, "1990-01-01"))))  # type: ignore[misc]
        del files[:-1]
    out["one report more"] = statistics.median(added)
    out["mean"], out["at most"] = statistics.fmean(added), max(added)
    out["board after it"] = statistics.median(again)
    return out


def in_sqlite(case: Case, file: EvidenceFile, runs: int) -> dict[str, float]:
    """The same question put to a table: for each claim on the board, how many rows were known by a day, and which."""
    base = sqlite3.connect(":memory:")
    base.execute("create table reading (claim text, known integer, report text, says text, grade text)")
    case = dataclasses.replace(case, evidence=file)
    late = desk.ask(case, "2010-01-01")
    claims = [line.claim for line in case.agreement.board if line.claim]
    from tallybook.verdicts.readings import readings_of

    for name in claims:
        claim = case.agreement.claim(name)
        assert claim is not None
        rows = readings_of(claim, case.agreement, late.case.evidence).rows
        base.executemany(
            "insert into reading values (?, ?, ?, ?, ?)",
            (
                (
                    name,
                    int(r.known.timestamp()),
                    r.report.id,
                    r.bearing.bears if r.bearing else r.rule.bears if r.rule else "",
                    r.report.grade.text,
                )
                for r in rows
                if r is not None
            ),
        )
    base.execute("create index by_known on reading (claim, known)")
    pairs = dates()

    def known() -> int:
        return int(datetime.fromisoformat(next(pairs)[1]).timestamp())

    def ask(columns: str) -> None:
        day = known()
        for name in claims:
            base.execute(f"select {columns} from reading where claim = ? and known <= ?", (name, day)).fetchall()

    out = {"sqlite counts": statistics.median(timed(lambda: ask("count(*)")) for _ in range(runs))}
    out["sqlite fetches"] = statistics.median(timed(lambda: ask("report, says, grade")) for _ in range(min(runs, 5)))
    base.close()
    return out


SHOWN = {
    "another date": "#2b7a9b",
    "board after it": "#1b4d3e",
    "one report more": "#b3261e",
    "sqlite counts": "#999",
    "sqlite fetches": "#555",
}


def plot(points: dict[str, dict[int, dict[str, float]]]) -> str:
    """Milliseconds against the number of reports, both on logarithmic scales, a panel for each file, as SVG."""
    from math import log10

    width, height, pad = 300, 320, 46
    sizes = sorted(next(iter(points.values())))
    look = f'viewBox="0 0 {width * len(points)} {height}" font-family="sans-serif" font-size="11"'
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" {look}>']

    def x(panel: int, size: int) -> float:
        share = (log10(size) - log10(sizes[0])) / max(log10(sizes[-1]) - log10(sizes[0]), 1)
        return panel * width + pad + share * (width - pad - 20)

    def y(milliseconds: float) -> float:
        share = (log10(max(milliseconds, 1e-3)) + 3) / 7
        return height - pad - share * (height - pad - 30)

    for panel, (name, series) in enumerate(points.items()):
        out.append(f'<text x="{x(panel, sizes[0])}" y="16" font-weight="bold">{name}</text>')
        for exponent in range(-3, 5):
            at = y(10.0**exponent)
            out.append(f'<path d="M{x(panel, sizes[0])} {at:.1f} H{x(panel, sizes[-1])}" stroke="#ddd"/>')
            out.append(f'<text x="{x(panel, sizes[0]) - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**exponent:g}</text>')
        bar = y(100)
        out.append(f'<path d="M{x(panel, sizes[0])} {bar:.1f} H{x(panel, sizes[-1])}" stroke="#b3261e" stroke-dasharray="4 3"/>')
        for size in sizes:
            out.append(f'<text x="{x(panel, size):.1f}" y="{height - pad + 16}" text-anchor="middle">{size:,}</text>')
        for what, colour in SHOWN.items():
            line = " ".join(f"{x(panel, size):.1f},{y(series[size][what]):.1f}" for size in sizes if what in series[size])
            out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for n, (what, colour) in enumerate(SHOWN.items()):
        out.append(f'<text x="{pad + n * 150}" y="{height - 8}" fill="{colour}">{what} (ms)</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--files", default=",".join(FILES))
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    case = desk.open_case(ROOT / "examples" / "cuba-1962")
    points: dict[str, dict[int, dict[str, float]]] = {}
    for name in options.files.split(","):
        for size in map(int, options.sizes.split(",")):
            start = time.perf_counter()
            reports, bearings, items = FILES[name](case, size)
            old = case.evidence
            file = EvidenceFile({r.id: r for r in reports}, old.sources, tuple(bearings), old.places, {**old.items, **items})
            made = time.perf_counter() - start
            # What is on file stays; the collector need not look through it again and again.
            gc.collect()
            gc.freeze()
            found = measured(case, file, options.runs) | in_sqlite(case, file, options.runs)
            points.setdefault(name, {})[size] = found
            told = ", ".join(f"{key} {value:.3g}" for key, value in found.items())
            print(
                f"{name:13} {len(reports):>9,} reports, {len(bearings):>9,} bearings, made in {made:.1f} s; ms: {told}",
                flush=True,
            )
            del file, reports, bearings
            gc.unfreeze()
    if options.files == ",".join(FILES):
        (ROOT / "benchmarks" / "reports-scale.svg").write_text(plot(points), "utf-8")


if __name__ == "__main__":
    main()
