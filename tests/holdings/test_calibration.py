"""Simulation-based calibration (Talts et al. 2018): where worlds are drawn from the prior, truth falls evenly within answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.interpolate import BarycentricInterpolator
from scipy.stats import beta, chisquare

from tallybook.holdings.integration import Beta
from tallybook.holdings.model import Account, ItemClass, Look, Stage
from tallybook.holdings.numbers import Array
from tallybook.holdings.unknown import Grid, on_grid, solve_unknown

MANY, BINS, NODES = 1000, 20, 7
DECLARED, UNDECLARED, LEAVES, ARRIVALS, LAST = 4, (0.6, 0.25, 0.15), (0.35, 0.5), 0.1, 4
DETECTS = Beta(4.0, 3.0)
FALSE = 0.1
LOOKS = ((0, "site"), (2, "site"), (3, "ship"), (4, "site"), (2, "flow"), (4, "flow"))


@dataclass(frozen=True)
class World:
    """What was so, and what was counted."""

    detects: float
    undeclared: int
    left: int
    counts: tuple[int, ...]


def drawn(rng: np.random.Generator) -> World:
    p = float(rng.beta(DETECTS.a, DETECTS.b))
    undeclared = int(rng.choice(len(UNDECLARED), p=UNDECLARED))
    n, seen = np.array([DECLARED + undeclared, 0]), {}
    for day in range(LAST + 1):
        if day:
            hops = rng.binomial(n, LEAVES)
            n = n + np.array([rng.poisson(ARRIVALS) - hops[0], hops[0] - hops[1]])
            seen[day, "flow"] = int(hops[1])
        seen[day, "site"], seen[day, "ship"] = int(n[0]), int(n[1])
    counts = tuple(int(rng.binomial(seen[look], p) + rng.poisson(FALSE)) for look in LOOKS)
    return World(p, undeclared, int(n.sum()), counts)


def account(counts: tuple[int, ...], p: float, undeclared: tuple[float, ...] = UNDECLARED) -> Account:
    looks = []
    for n, ((day, what), count) in enumerate(zip(LOOKS, counts, strict=True)):
        stage = "ship" if what == "flow" else what
        looks.append(Look(f"{n}", ((day, 1.0),), stage, (("x", count),), leaving=what == "flow", p=p, phi=FALSE))
    stages = (Stage("site", LEAVES[0]), Stage("ship", LEAVES[1]))
    return Account((ItemClass("x", DECLARED, undeclared, stages, ARRIVALS),), LAST, tuple(looks))


def grid_of(world: World, undeclared: tuple[float, ...] = UNDECLARED) -> Grid:
    return on_grid(lambda v: account(world.counts, v["p"], undeclared), {"p": DETECTS}, NODES)


def place(pmf: Array, truth: int, rng: np.random.Generator) -> float:
    """Where a whole number falls within its distribution, from 0 to 1; anywhere within its own mass."""
    own = float(pmf[truth]) if truth < len(pmf) else 0.0
    return float(pmf[:truth].sum()) + float(rng.random()) * own


def place_of_detection(grid: Grid, truth: float) -> float:
    """Where the detection falls, by the likelihood drawn smoothly through the nodes."""
    x = (np.arange(400) + 0.5) / 400
    logs = BarycentricInterpolator(grid.values[:, 0], grid.loglik)(x)
    density = beta.pdf(x, DETECTS.a, DETECTS.b) * np.exp(np.minimum(logs - grid.loglik.max(), 1.0))
    sums = np.concatenate([[0.0], np.cumsum(density)]) / density.sum()
    return float(np.interp(truth, np.arange(401) / 400, sums))


@pytest.fixture(scope="module")
def places() -> dict[str, Array]:
    rng = np.random.default_rng(20_290)
    found: dict[str, list[float]] = {"detects": [], "left": [], "undeclared": []}
    for number in range(MANY):
        world = drawn(rng)
        grid = grid_of(world)
        share = grid.posterior
        found["detects"].append(place_of_detection(grid, world.detects))
        found["left"].append(place(share @ grid.left, world.left, rng))
        if number % 2 == 0:
            none = float(share @ (UNDECLARED[0] * np.exp(grid_of(world, (1.0,)).loglik - grid.loglik)))
            found["undeclared"].append(place(np.array([none, 1 - none]), min(world.undeclared, 1), rng))
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["detects", "left", "undeclared"])
def test_truth_falls_evenly(places: dict[str, Array], name: str) -> None:
    counts = np.histogram(places[name], BINS, (0, 1))[0]
    assert counts.sum() == len(places[name]) >= MANY / 2
    assert chisquare(counts).pvalue > 0.01


@pytest.mark.slow
def test_bands_hold_as_often_as_they_say(places: dict[str, Array]) -> None:
    inside = ((places["left"] > 0.05) & (places["left"] < 0.95)).mean()
    assert 0.88 <= inside <= 0.92


def test_the_nodes_are_enough() -> None:
    """Twice as many give the same answers, and so does the way that picks them by itself."""
    rng = np.random.default_rng(7)
    for _ in range(3):
        world = drawn(rng)

        def build(v: Mapping[str, float], world: World = world) -> Account:
            return account(world.counts, v["p"])

        few, many = grid_of(world), on_grid(build, {"p": DETECTS}, 2 * NODES)
        means = [float(g.posterior @ g.p_none_left) for g in (few, many)]
        assert means[0] == pytest.approx(means[1], rel=1e-4)
        found = solve_unknown(build, {"p": DETECTS}, details=0)
        assert found.p_none_left.mean == pytest.approx(means[1], rel=2e-3)


def test_a_calibration_finds_what_is_wrong() -> None:
    """Detection plugged in too high moves truth out of the middle."""
    rng = np.random.default_rng(11)
    found = []
    for _ in range(150):
        world = drawn(rng)
        wrong = on_grid(lambda v, w=world: account(w.counts, v["p"]), {"p": Beta(300.0, 15.0)}, 2)  # type: ignore[misc]
        found.append(place(wrong.posterior @ wrong.left, world.left, rng))
    assert chisquare(np.histogram(found, 10, (0, 1))[0]).pvalue < 1e-4


def test_counts_alone_decide() -> None:
    world = drawn(np.random.default_rng(3))
    first, second = (grid_of(w) for w in (world, replace(world, left=99)))
    assert first.loglik.tobytes() == second.loglik.tobytes()
