"""The plot of seconds against items, days and stages, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isnan, log10

from benchmarks.baselines.common import Row

PANELS = {"items": "items (40 days, 3 stages)", "days": "days (100 items, 3 stages)", "stages": "stages (100 items, 40 days)"}
COLOURS = {"dense windows": "#2b7a9b", "tensor train": "#b3261e"}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 900, 320, 56, 30, 52, 34


def _points(rows: Sequence[Row], panel: str, method: str) -> list[tuple[float, float]]:
    found = [r for r in rows if r.problem.startswith(f"C {panel} ") and r.method == method and not isnan(r.seconds)]
    return [(r.more["size"], r.seconds) for r in found]


def plot(rows: Sequence[Row]) -> str:
    """Three panels of one height; both axes are logarithmic, stages alone are not."""
    seconds = [r.seconds for r in rows if not isnan(r.seconds)]
    low, high = floor(log10(min(seconds))), ceil(log10(max(seconds)))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">']
    out.append(f'<text x="{LEFT}" y="16">processor seconds, smoothed answer of every day, one thread</text>')
    wide = (WIDTH - LEFT - GAP * len(PANELS)) / len(PANELS)

    def height(value: float) -> float:
        return HEIGHT - BOTTOM - (log10(value) - low) / (high - low) * (HEIGHT - BOTTOM - TOP)

    for index, (panel, title) in enumerate(PANELS.items()):
        x0 = LEFT + index * (wide + GAP)
        sizes = sorted({size for method in COLOURS for size, _ in _points(rows, panel, method)})
        if not sizes:
            continue

        def place(size: float, x0: float = x0, sizes: Sequence[float] = sizes, panel: str = panel) -> float:
            first, last = sizes[0], max(sizes[-1], sizes[0] + 1)
            share = (size - first) / (last - first) if panel == "stages" else log10(size / first) / log10(last / first)
            return x0 + 8 + share * (wide - 40)

        for power in range(low, high + 1):
            y = height(10.0**power)
            out.append(f'<path d="M{x0:.1f} {y:.1f} H{x0 + wide - 20:.1f}" stroke="#ddd"/>')
            if index == 0:
                out.append(f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
        for size in sizes:
            out.append(
                f'<text x="{place(size):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" font-size="10">{size:g}</text>'
            )
        out.append(f'<text x="{x0 + wide / 2 - 10:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{title}</text>')
        ends: list[float] = []
        for method, colour in COLOURS.items():
            points = _points(rows, panel, method)
            if not points:
                continue
            corners = " ".join(f"{place(size):.1f},{height(value):.1f}" for size, value in points)
            out.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
            out += [f'<circle cx="{place(x):.1f}" cy="{height(y):.1f}" r="2.5" fill="{colour}"/>' for x, y in points]
            y = height(points[-1][1])
            y += 13 if any(abs(y - other) < 12 for other in ends) else 0
            ends.append(y)
            at = f'x="{place(points[-1][0]):.1f}" y="{y - 7:.1f}" text-anchor="end"'
            out.append(f'<text {at} fill="{colour}" font-size="11">{method}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
