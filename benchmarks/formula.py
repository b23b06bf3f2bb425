"""A bounded response over the same trace by several tools: processor seconds, each run in a process of its own, best of three.

    python benchmarks/formula.py [--sizes 1000 10000 100000 1000000] [--runs N] [--limit SECONDS] [--only TOOL,...] [--plot]

First order: for every i, asked(i) is answered(i) within 50. Propositional: req is answered by ack within 50, one sample a
time unit. Each tool is charged for all that a user would do: import, build the monitor, feed the data, read the verdicts; making
the trace is not timed. Every answer is held against the right one, which for the first-order trace there are two of: by time an
answer that stands before the request in the log, at the same time-stamp, counts; by order it does not. Ratios are to the
hand-written loop of the same run. reelay and rtamt are test dependencies; what is not installed is named.
With --plot, cost against size goes to benchmarks/formula-scale.svg.
"""

from __future__ import annotations

import argparse
import bisect
import heapq
import importlib
import importlib.util
import json
import math
import random
import resource
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WITHIN = 50
SIZES = (1000, 10_000, 100_000, 1_000_000)
FIRST_ORDER = "first order"
PROPOSITIONAL = "propositional"
# The bars that the project sets itself, as ratios to another tool of the same run.
BARS = (
    (FIRST_ORDER, "ours by time", "hand loop", 8.0),
    (FIRST_ORDER, "ours by order", "hand loop", 8.0),
    (FIRST_ORDER, "ours by time", "sqlite", 1.0),
    (PROPOSITIONAL, "ours", "reelay discrete", 1.0),
)

Events = list[tuple[int, str, int]]
Samples = tuple[list[bool], list[bool]]


def first_order(n: int, ids: int = 1000, seed: int = 2) -> Events:
    """`n` events (time-stamp, req or ack, id); time-stamps are whole, may repeat and leave gaps; one answer in 33 is late."""
    rng = random.Random(seed)
    ts = 0
    pending: list[tuple[int, int]] = []
    out: Events = []
    while len(out) < n:
        ts += rng.choice((0, 0, 1, 1, 2))
        while pending and pending[0][0] <= ts and len(out) < n:
            out.append((ts, "ack", heapq.heappop(pending)[1]))
        if len(out) >= n:
            break
        i = rng.randrange(ids)
        out.append((ts, "req", i))
        late = rng.random() < 0.03
        delay = WITHIN + rng.randint(5, WITHIN) if late else rng.randint(0, WITHIN - 5)
        heapq.heappush(pending, (ts + delay, i))
    return out


def propositional(n: int, seed: int = 1) -> Samples:
    """`n` samples of two booleans; one request in 33 is answered late."""
    rng = random.Random(seed)
    req, ack = [False] * n, [False] * n
    for t in range(n):
        if rng.random() < 0.05:
            req[t] = True
            answered = rng.random() < 0.97
            u = t + rng.randint(0, WITHIN) if answered else t + WITHIN + rng.randint(1, WITHIN)
            if u < n:
                ack[u] = True
    return req, ack


def right_first_order(events: Events) -> tuple[int, int]:
    """Violations (time-stamp and id) by time and by order, of requests whose window has closed."""
    answers: dict[int, list[tuple[int, int]]] = defaultdict(list)
    last = events[-1][0]
    for place, (ts, kind, i) in enumerate(events):
        if kind == "ack":
            answers[i].append((ts, place))
    counts = []
    for by_order in (False, True):
        bad = set()
        for place, (ts, kind, i) in enumerate(events):
            if kind == "req" and ts + WITHIN <= last:
                found = bisect.bisect_left(answers[i], (ts, place if by_order else -1))
                if found == len(answers[i]) or answers[i][found][0] > ts + WITHIN:
                    bad.add((ts, i))
        counts.append(len(bad))
    return counts[0], counts[1]


def right_propositional(samples: Samples) -> int:
    """Violations among the samples whose window has closed."""
    req, ack = samples
    following: int | None = None
    bad = 0
    for t in range(len(req) - 1, -1, -1):
        following = t if ack[t] else following
        if req[t] and t < len(req) - WITHIN and (following is None or following > t + WITHIN):
            bad += 1
    return bad


def hand_first_order(events: Events) -> int:
    """By order."""
    waiting: dict[int, deque[int]] = defaultdict(deque)
    due: deque[tuple[int, int, int]] = deque()
    bad = set()
    for ts, kind, i in events:
        while due and due[0][0] < ts:
            _, other, asked = due.popleft()
            queue = waiting[other]
            if queue and queue[0] == asked:
                bad.add((asked, other))
                while queue and queue[0] == asked:
                    queue.popleft()
        if kind == "req":
            waiting[i].append(ts)
            due.append((ts + WITHIN, i, ts))
        else:
            waiting[i].clear()
    last = events[-1][0]
    while due and due[0][0] <= last:
        _, other, asked = due.popleft()
        if asked in waiting[other]:
            bad.add((asked, other))
    return len(bad)


def hand_propositional(samples: Samples) -> int:
    req, ack = samples
    waiting: list[int] = []
    bad = head = 0
    for t in range(len(req)):
        if req[t]:
            waiting.append(t)
        if ack[t]:
            waiting.clear()
            head = 0
        while head < len(waiting) and waiting[head] + WITHIN <= t:
            bad += 1
            head += 1
    return bad


def _ours(events: Events, order: Any, *, general: bool) -> int:
    from tallybook.formula.text import parse
    from tallybook.formula.watch import watch

    formula = parse(f"req(?i) and not eventually[0,{WITHIN}] ack(?i)")
    watching = watch(formula, order, general=general)
    found = watching.extend(events) + watching.finish()
    return len({(match.ts, match.row) for match in found})


def ours_by_time(events: Events) -> int:
    return _ours(events, "time", general=False)


def ours_by_order(events: Events) -> int:
    return _ours(events, "points", general=False)


def general_by_time(events: Events) -> int:
    return _ours(events, "time", general=True)


def general_by_order(events: Events) -> int:
    return _ours(events, "points", general=True)


def ours_propositional(samples: Samples) -> int:
    return _ours_propositional(samples, general=False)


def general_propositional(samples: Samples) -> int:
    return _ours_propositional(samples, general=True)


def _ours_propositional(samples: Samples, *, general: bool) -> int:
    from tallybook.formula.text import parse
    from tallybook.formula.watch import watch

    def happened() -> Iterator[tuple[int, str]]:
        for t, (asked, answered) in enumerate(zip(*samples, strict=True)):
            if asked:
                yield t, "req"
            if answered:
                yield t, "ack"
        yield len(samples[0]), "end"

    watching = watch(parse(f"req and not eventually[0,{WITHIN}] ack"), "time", general=general)
    return len(watching.extend(happened()) + watching.finish())


def sqlite(events: Events) -> int:
    """By time."""
    import sqlite3

    db = sqlite3.connect(":memory:")
    db.execute("create table e(ts int, kind text, id int)")
    db.executemany("insert into e values (?,?,?)", events)
    db.execute("create index i on e(kind, id, ts)")
    query = """select count(*) from (select distinct r.ts, r.id from e r where r.kind='req'
        and r.ts + ? <= (select max(ts) from e) and not exists
        (select 1 from e a where a.kind='ack' and a.id=r.id and a.ts between r.ts and r.ts + ?))"""
    (count,) = db.execute(query, (WITHIN, WITHIN)).fetchone()
    return int(count)


def reelay_discrete(samples: Samples) -> int:
    """The past form of the same property, told 50 later."""
    reelay: Any = importlib.import_module("reelay")

    pattern = f"(not {{ack}}) since[{WITHIN}:{WITHIN}] ({{req}} and not {{ack}})"
    monitor = reelay.discrete_timed_monitor(pattern=pattern, condense=False)
    return sum(1 for r, a in zip(*samples, strict=True) if monitor.update({"req": r, "ack": a})["value"])


def reelay_dense(samples: Samples) -> int:
    reelay: Any = importlib.import_module("reelay")

    monitor = reelay.dense_timed_monitor(pattern=f"(not {{ack}}) since[{WITHIN}:{WITHIN}] ({{req}} and not {{ack}})")
    out: list[Any] = []
    for t, (r, a) in enumerate(zip(*samples, strict=True)):
        out.extend(monitor.update({"time": float(t), "req": r, "ack": a}))
    return sum(1 for change in out if change["value"])


def rtamt_offline(samples: Samples) -> int:
    rtamt: Any = importlib.import_module("rtamt")

    spec = rtamt.StlDiscreteTimeSpecification()
    for name in ("req", "ack"):
        spec.declare_var(name, "float")
    spec.spec = f"(req >= 0.5) implies (eventually[0:{WITHIN}](ack >= 0.5))"
    spec.parse()
    req, ack = samples
    signals = {"time": list(range(len(req))), "req": [float(x) for x in req], "ack": [float(x) for x in ack]}
    out = spec.evaluate(signals)
    return sum(1 for _, value in out[: len(req) - WITHIN] if value < 0)


TOOLS: dict[str, dict[str, Callable[[Any], int]]] = {
    FIRST_ORDER: {
        "hand loop": hand_first_order,
        "ours by time": ours_by_time,
        "ours by order": ours_by_order,
        "general by time": general_by_time,
        "general by order": general_by_order,
        "sqlite": sqlite,
    },
    PROPOSITIONAL: {
        "hand loop": hand_propositional,
        "ours": ours_propositional,
        "general": general_propositional,
        "reelay discrete": reelay_discrete,
        "reelay dense": reelay_dense,
        "rtamt offline": rtamt_offline,
    },
}


@dataclass(frozen=True)
class Measured:
    """One tool at one size. `right` says which right answer it gave; `seconds` is None where it gave none, and `why` says why."""

    kind: str
    tool: str
    size: int
    seconds: float | None = None
    right: str = ""
    megabytes: int = 0
    why: str = ""


def alone(kind: str, tool: str, size: int) -> None:
    """Measure once in this process and print the result as JSON."""
    if kind == FIRST_ORDER:
        trace: Any = first_order(size)
        by_time, by_order = right_first_order(trace)
        wanted = {"by time": by_time, "by order": by_order}
    else:
        trace = propositional(size)
        wanted = {"right": right_propositional(trace)}
    start = time.process_time()
    got = TOOLS[kind][tool](trace)
    seconds = time.process_time() - start
    said = [name for name, count in wanted.items() if count == got]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "right": " and ".join(said) or f"WRONG: {got}", "megabytes": megabytes}))


def measured(kind: str, tool: str, size: int, runs: int, limit: float) -> Measured:
    """The best of several runs, each in a process of its own."""
    package = tool.split(maxsplit=1)[0]
    if package in ("reelay", "rtamt") and importlib.util.find_spec(package) is None:
        return Measured(kind, tool, size, why=f"{package} is not installed")
    best: Measured | None = None
    for _ in range(runs):
        command = [sys.executable, __file__, "--alone", kind, tool, str(size)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return best or Measured(kind, tool, size, why=f"stopped after {limit:.0f} s")
        if done.returncode:
            return Measured(kind, tool, size, why=(done.stderr.strip().splitlines() or ["failed"])[-1][:100])
        now = Measured(kind, tool, size, **json.loads(done.stdout.splitlines()[-1]))
        if best is None or (now.seconds or 0) < (best.seconds or 0):
            best = now
    assert best is not None
    return best


def plot(rows: list[Measured]) -> str:
    """Seconds against events, both logarithmic, one panel for each kind, as SVG."""
    width, height, left, bottom, top = 460, 320, 56, 40, 30
    colours = ("#888888", "#b3261e", "#e07b39", "#2b7a9b", "#6a51a3", "#4a7c3a")
    timed = [row for row in rows if row.seconds]
    low_x, high_x = (math.log10(f(row.size for row in timed)) for f in (min, max))
    low_y, high_y = (math.log10(f(row.seconds or 1 for row in timed)) for f in (min, max))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * width} {height}" font-family="sans-serif" font-size="11">',
        "<title>Seconds against events, both logarithmic</title>",
    ]
    for panel, (kind, tools) in enumerate(TOOLS.items()):
        shift = panel * width

        def at(row: Measured, shift: int = shift) -> tuple[float, float]:
            x = (math.log10(row.size) - low_x) / (high_x - low_x or 1)
            y = (math.log10(row.seconds or 1) - low_y) / (high_y - low_y or 1)
            return shift + left + x * (width - left - 120), height - bottom - y * (height - bottom - top)

        out.append(f'<text x="{shift + left}" y="16" font-weight="bold">{kind}: seconds against events</text>')
        right = shift + width - 120
        out.append(f'<path d="M{shift + left},{top} V{height - bottom} H{right}" fill="none" stroke="#888"/>')
        for power in range(math.ceil(low_y), math.floor(high_y) + 1):
            y = height - bottom - (power - low_y) / (high_y - low_y or 1) * (height - bottom - top)
            out.append(f'<text x="{shift + left - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
        for power in range(math.ceil(low_x), math.floor(high_x) + 1):
            x = shift + left + (power - low_x) / (high_x - low_x or 1) * (width - left - 120)
            out.append(f'<text x="{x:.1f}" y="{height - bottom + 16}" text-anchor="middle">{10**power:,}</text>')
        labels: list[float] = []
        for tool, colour in zip(tools, colours, strict=False):
            points = [at(row) for row in timed if (row.kind, row.tool) == (kind, tool)]
            if not points:
                continue
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            y = points[-1][1] + 4
            while any(abs(y - other) < 12 for other in labels):
                y += 4
            labels.append(y)
            out.append(f'<text x="{points[-1][0] + 6:.1f}" y="{y:.1f}" fill="{colour}">{tool}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def show(rows: list[Measured]) -> None:
    """The rows of one kind and size, with ratios to the hand loop."""
    base = next((row.seconds for row in rows if row.tool == "hand loop"), None)
    print(f"\n{rows[0].kind}, {rows[0].size:,} events")
    for row in rows:
        if row.seconds is None:
            print(f"  {row.tool:18} {row.why}")
            continue
        ratio = f"{row.seconds / base:8.1f} x" if base else ""
        print(f"  {row.tool:18} {row.seconds:9.4f} s {ratio} {row.megabytes:6} MB  {row.right}")


def judge(rows: list[Measured]) -> None:
    """Each bar, with what was reached at the largest size."""
    largest = max(row.size for row in rows)
    seconds = {(row.kind, row.tool): row.seconds for row in rows if row.size == largest}
    print(f"\nbars, at {largest:,} events")
    for kind, tool, other, bar in BARS:
        mine, theirs = seconds.get((kind, tool)), seconds.get((kind, other))
        if mine and theirs:
            word = "reached" if mine <= bar * theirs else "MISSED"
            print(f"  {kind}: {tool} at most {bar:g} x {other}: {mine / theirs:.2f} x, {word}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120)
    parser.add_argument("--only", default="", help="names of tools, with commas")
    parser.add_argument("--plot", action="store_true")
    parser.add_argument("--alone", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        alone(options.alone[0], options.alone[1], int(options.alone[2]))
        return
    only = set(filter(None, options.only.split(",")))
    rows: list[Measured] = []
    for kind, tools in TOOLS.items():
        for size in options.sizes:
            now = [measured(kind, t, size, options.runs, options.limit) for t in tools if not only or t in only]
            if now:
                show(now)
                rows += now
    if rows:
        judge(rows)
    if options.plot:
        (HERE / "formula-scale.svg").write_text(plot(rows), "utf-8")


if __name__ == "__main__":
    main()
