"""The account of an item class against pairs (initial number, number out) enumerated one by one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.core.bounds import Bounds
from tallybook.evidence.grade import Grade, likelihood_ratio
from tallybook.holdings.account import Account, Count, account

START = datetime(2030, 1, 1, tzinfo=UTC)
GRADES = ["A1", "A2", "B2", "B3", "C3", "D4", "F6"]
Triple = tuple[float, float, float]


def worth(grade: str) -> Bounds:
    return likelihood_ratio(Grade(grade), {})


def count(
    kind: str, low: float, high: float | None = None, *, grade: str = "B2", day: int = 0, part: str = "", name: str = ""
) -> Count:
    at = START + timedelta(days=day)
    return Count(name or f"{kind}-{low}-{day}-{part}-{grade}", kind, low, low if high is None else high, worth(grade), at, part)


# ------------------------------------------------------------------------------------------ the documented model, in full
#
# Every report of a number is right with probability t = odds / (1 + odds), odds the geometric mean of its ratios: then the
# number is one of those it gives, all alike; otherwise it is any number from 0 to the largest considered, all alike. A report
# of "at least" is right (t) or wrong (1 - t). Over ships the surest count of each is summed, over sites the latest, as sure as
# the surest that gives the same number there; a sum is as sure as its least sure part. The largest running total or sum says
# how many are out, the others at least how many. A total above every figure for what there was is a figure for that too. No
# more is out than there was.


def trust(c: Count) -> float:
    odds = math.sqrt(c.worth.low * c.worth.high)
    return odds / (1 + odds)


def given_number(number: int, low: float, high: float, t: float, numbers: int) -> float:
    return (t / (high - low + 1) if low <= number <= high else 0.0) + (1 - t) / numbers


def given_at_least(number: int, low: float, t: float) -> float:
    return t if number >= low else 1 - t


def sums(counts: Sequence[Count]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for kind in ("removed_by_ship", "removed_at_site"):
        low, sure = 0.0, []
        for part in sorted({c.part for c in counts if c.kind == kind}):
            of_part = [c for c in counts if c.kind == kind and c.part == part]
            if kind == "removed_by_ship":
                stands = max(of_part, key=lambda c: (trust(c), c.at))
            else:
                stands = max(of_part, key=lambda c: (c.at, trust(c)))
            low += stands.low
            sure.append(max(trust(c) for c in of_part if c.low == stands.low))
        if sure:
            found.append((low, min(sure)))
    return found


def weights(counts: Sequence[Count]) -> tuple[list[float], list[float]]:
    """The weight of each initial number and of each number out, not normalised."""
    declared = max((c for c in counts if c.kind == "declared"), key=lambda c: (c.at, c.low, c.report), default=None)
    initial = [c for c in counts if c.kind in ("estimate", "at_least")] + ([declared] if declared else [])
    totals, parts = [c for c in counts if c.kind == "removed"], sums(counts)
    largest = max([c.high for c in [*initial, *totals]] + [low for low, _ in parts], default=0)
    size = int(max(10, 2 * largest)) + 1
    before, out = [1.0] * size, [1.0] * size
    most = max([c.low for c in totals] + [low for low, _ in parts], default=0)
    figures = [c.high for c in initial if c.kind != "at_least"]
    above = max(totals, key=lambda c: (c.low, trust(c)), default=None)
    if above is not None and figures and above.low > max(figures):
        initial = [*initial, replace(above, kind="estimate")]
    for number in range(size):
        for c in initial:
            at_least = c.kind == "at_least"
            before[number] *= (
                given_at_least(number, c.low, trust(c)) if at_least else given_number(number, c.low, c.high, trust(c), size)
            )
        for c in totals:
            last = c.low == most
            out[number] *= (
                given_number(number, c.low, c.high, trust(c), size) if last else given_at_least(number, c.low, trust(c))
            )
        for low, t in parts:
            out[number] *= given_number(number, low, low, t, size) if low == most else given_at_least(number, low, t)
    if not totals and not parts:
        out = [1.0] + [0.0] * (size - 1)
    return before, out


def are_points(found: Triple, masses: dict[float, float]) -> bool:
    """Whether these are 5 %, 50 % and 95 % points: that much lies at or below each, and no more than that below it.

    By the definition and not by comparing numbers, since rounding decides where two neighbours are equally likely.
    """
    total = sum(masses.values())
    for value, level in zip(found, (0.05, 0.5, 0.95), strict=True):
        below = sum(m for v, m in masses.items() if v < value) / total
        if value not in masses or below > level + 1e-9 or below + masses[value] / total < level - 1e-9:
            return False
    return True


def enumerated(counts: Sequence[Count]) -> tuple[dict[float, float], dict[float, float], float, float | None]:
    """Weights of the numbers removed and remaining, P(none left) and P(at least the declared number is out)."""
    before, out = weights(counts)
    pairs = {(n, r): before[n] * out[r] for n, r in itertools.product(range(len(before)), repeat=2) if r <= n}
    total = sum(pairs.values())
    removed: dict[float, float] = {}
    remaining: dict[float, float] = {}
    for (n, r), weight in pairs.items():
        removed[r] = removed.get(r, 0.0) + weight
        remaining[n - r] = remaining.get(n - r, 0.0) + weight
    declared = max((c for c in counts if c.kind == "declared"), key=lambda c: (c.at, c.low, c.report), default=None)
    shown = None if declared is None else sum(w for (_, r), w in pairs.items() if r >= declared.low) / total
    return removed, remaining, remaining[0] / total, shown


# ---------------------------------------------------------------------------------------------------------- the account

INITIAL = st.builds(
    lambda kind, low, more, grade, day: count(kind, low, low + more, grade=grade, day=day),
    st.sampled_from(["estimate", "at_least"]),
    st.integers(0, 9),
    st.integers(0, 3),
    st.sampled_from(GRADES),
    st.integers(0, 5),
)
DECLARED = st.builds(
    lambda low, grade, day: count("declared", low, grade=grade, day=day),
    st.integers(0, 9),
    st.sampled_from(GRADES),
    st.integers(0, 5),
)
REMOVED = st.builds(
    lambda kind, low, grade, day, part: count(kind, low, grade=grade, day=day, part="" if kind == "removed" else part),
    st.sampled_from(["removed", "removed_by_ship", "removed_at_site"]),
    st.integers(0, 9),
    st.sampled_from(GRADES),
    st.integers(0, 5),
    st.sampled_from(["x", "y"]),
)
COUNTS = st.tuples(
    st.lists(INITIAL | DECLARED, min_size=1, max_size=3),
    st.lists(REMOVED, max_size=4, unique_by=lambda c: (c.kind, c.part, c.at)),
).map(lambda pair: [*pair[0], *pair[1]])


@settings(max_examples=300, deadline=None)
@given(COUNTS)
def test_it_is_the_model_enumerated(counts: list[Count]) -> None:
    removed, remaining, none_left, shown = enumerated(counts)
    found = account(counts)
    assert found.p_none_left == pytest.approx(none_left, rel=1e-9, abs=1e-12)
    assert (found.p_declared_removed is None) is (shown is None)
    assert (found.p_declared_removed or 0.0) == pytest.approx(shown or 0.0, rel=1e-9, abs=1e-12)
    assert found.remaining is not None
    assert are_points(found.removed, removed)
    assert are_points(found.remaining, remaining)


@settings(max_examples=100, deadline=None)
@given(COUNTS, st.data())
def test_the_order_of_reports_does_not_matter(counts: list[Count], data: st.DataObject) -> None:
    one, other = account(counts), account(data.draw(st.permutations(counts)))
    assert (one.declared, one.reports) == (other.declared, other.reports)
    assert one.p_none_left == pytest.approx(other.p_none_left, rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(COUNTS)
def test_points_are_in_order_and_probabilities_are_ones(counts: list[Count]) -> None:
    found = account(counts)
    assert list(found.removed) == sorted(found.removed)
    assert found.remaining is not None
    assert list(found.remaining) == sorted(found.remaining)
    assert found.p_none_left is not None
    for p in (found.p_none_left, found.p_declared_removed):
        assert p is None or 0 <= p <= 1 + 1e-12
    assert set(found.reports) <= {c.report for c in counts}


DECLARED_42 = [count("declared", 8, grade="B2"), count("estimate", 7, 9, grade="A2")]


@pytest.mark.parametrize("kind", ["removed", "removed_by_ship", "removed_at_site"])
@settings(max_examples=80, deadline=None)
@given(grades=st.lists(st.sampled_from(GRADES), min_size=1, max_size=4), days=st.lists(st.integers(0, 9), min_size=5, max_size=5))
def test_one_more_confirming_count_never_makes_the_declared_less_surely_out(
    kind: str, grades: list[str], days: list[int]
) -> None:
    """Each says once more that the eight declared are out; later or earlier, of a better or a worse grade."""
    part = "" if kind == "removed" else "x"
    counts, before = list(DECLARED_42), 0.0
    for n, grade in enumerate(grades):
        counts.append(count(kind, 8, grade=grade, day=days[n], part=part, name=f"{n}"))
        now = account(counts).p_declared_removed
        assert now is not None
        assert now >= before - 1e-12
        before = now


def test_a_surer_count_makes_surer() -> None:
    found = [
        account([*DECLARED_42, count("removed", 8, grade=g)]).p_declared_removed or 0.0 for g in ("F6", "C3", "B2", "A2", "A1")
    ]
    assert found == sorted(found)
    assert found[0] < 0.75
    assert found[-1] > 0.95


def test_no_counts() -> None:
    assert account([]) == Account(None, (0.0, 0.0, 0.0), None, None, None, ())


def test_declared_only_and_nothing_shown_to_be_out() -> None:
    found = account([count("declared", 8, grade="A1", name="D")])
    assert found.declared == 8
    assert found.removed == (0.0, 0.0, 0.0)
    assert found.remaining == (8, 8, 8)
    assert found.p_none_left is not None
    assert found.p_none_left < 0.01
    assert found.p_declared_removed == 0.0
    assert found.reports == ("D",)


def test_declared_none_and_none_out() -> None:
    found = account([count("declared", 0, grade="A1")])
    assert found.declared == 0
    assert found.p_declared_removed == pytest.approx(1.0)
    assert found.p_none_left is not None
    assert found.p_none_left > 0.9


def test_out_and_nobody_said_how_many_there_were() -> None:
    found = account([count("removed", 8, grade="A1", name="R")])
    assert (found.declared, found.remaining, found.p_none_left, found.p_declared_removed) == (None, None, None, None)
    assert found.removed == (8, 8, 8)
    assert found.reports == ("R",)


def test_the_latest_declaration_stands() -> None:
    found = account([count("declared", 8, day=1, name="old"), count("declared", 6, day=2, name="new")])
    assert found.declared == 6
    assert found.reports == ("new",)


def test_what_was_not_shown_to_leave_counts_as_left() -> None:
    found = account([count("declared", 10, grade="A1"), count("removed", 4, grade="A1")])
    assert found.remaining is not None
    assert found.remaining[1] == 6


def test_ships_are_summed_and_one_ship_counted_twice_is_not() -> None:
    ships = [count("removed_by_ship", 5, part="x", grade="A1"), count("removed_by_ship", 3, part="y", grade="A1")]
    again = count("removed_by_ship", 4, part="x", grade="C3", day=3)
    for counts in (ships, [*ships, again]):
        assert account([count("declared", 8, grade="A1"), *counts]).removed[1] == 8


@pytest.mark.parametrize("scale", [1, 100, 1000, 5000])
def test_large_counts_are_the_small_ones_at_another_scale(scale: int) -> None:
    found = account(
        [
            count("declared", 10 * scale, grade="A1"),
            count("estimate", 9 * scale, 11 * scale, grade="B2"),
            count("removed", 8 * scale, grade="A1", day=3),
            count("removed", 4 * scale, grade="B2", day=2),
        ]
    )
    assert found.declared == 10 * scale
    assert found.removed[1] == 8 * scale
    assert found.remaining is not None
    assert found.remaining[1] == 2 * scale
    assert (found.p_none_left or 0.0) < 0.05
    assert 0 <= (found.p_declared_removed or 0.0) < 0.1


def test_all_of_tens_of_thousands_are_out() -> None:
    found = account(
        [count("declared", 40_000, grade="A1"), count("removed", 40_000, grade="A1"), count("removed", 20_000, day=-3)]
    )
    assert found.removed == (40_000, 40_000, 40_000)
    assert found.remaining == (0, 0, 0)
    assert (found.p_none_left or 0.0) > 0.95
    assert (found.p_declared_removed or 0.0) > 0.95


def test_hundreds_of_reports_of_large_numbers() -> None:
    running = [count("removed", 150.0 * day, grade="B2", day=day) for day in range(1, 301)]
    found = account([count("declared", 45_000, grade="A1"), *running])
    assert found.removed[1] == 45_000
    assert (found.p_none_left or 0.0) > 0.9
    assert len(found.reports) == 301


def test_amounts_that_are_no_whole_numbers() -> None:
    found = account([count("declared", 12.5, grade="A1"), count("removed", 7.25, grade="A1")])
    assert found.declared == 12.5
    assert found.removed[1] == 7.25
    assert found.remaining is not None
    assert found.remaining[1] == pytest.approx(5.25)
    whole = account([count("declared", 12.5, grade="A1"), count("removed", 12.5, grade="A1")])
    assert (whole.p_none_left or 0.0) > 0.9
    assert (whole.p_declared_removed or 0.0) > 0.9


@pytest.mark.parametrize("grade", ["A1", "B2", "C3"])
def test_the_unit_of_weight_does_not_change_the_answer(grade: str) -> None:
    tonnes = account([count("declared", 12.5, grade=grade), count("removed", 12.5, grade=grade)])
    kilograms = account([count("declared", 12_500, grade=grade), count("removed", 12_500, grade=grade)])
    assert tonnes.p_declared_removed == pytest.approx(kilograms.p_declared_removed, abs=0.02)
    assert tonnes.p_none_left == pytest.approx(kilograms.p_none_left, abs=0.02)


def test_many_reports_that_cannot_be_reconciled_give_an_answer_all_the_same() -> None:
    """A thousand reports that there were ten, a thousand that at least twenty are out of them: no number vanishes."""
    few = [count("estimate", 10, grade="A1", name=f"e{n}") for n in range(1000)]
    many = [count("removed", 20, grade="A1", name=f"r{n}") for n in range(1000)]
    found = account([count("declared", 10, grade="A1"), *few, *many])
    assert found.remaining is not None
    assert found.p_none_left is not None
    assert 0 <= found.p_none_left <= 1
