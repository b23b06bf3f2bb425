"""What sightings become: looks, one look, bounds, mixtures, or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp

import pytest

from tallybook.holdings.compiled import (
    BROUGHT_IN,
    Compiled,
    Sighting,
    StagedLook,
    compile_account,
    detects_name,
    leaves_name,
    undeclared_prior,
)
from tallybook.holdings.engine import Run, solve
from tallybook.holdings.integration import Uniform
from tallybook.holdings.model import ModelError
from tallybook.holdings.model import Uniform as AnyShare
from tallybook.holdings.plan import MethodPlan, Plan, Range, StagePlan, UndeclaredPlan

START = datetime(2030, 1, 1, 12, tzinfo=UTC)
YARD, QUAY = "yard", "quay"
PLAN = Plan(
    item="crate",
    undeclared=UndeclaredPlan(0.7, 2.0),
    brought_in=Range(0.05, 0.05),
    since="2030-01-01",
    stages=(
        StagePlan(YARD, "the yard", ("stored",), ("east", "west"), Range(0.2, 0.2)),
        StagePlan(QUAY, "the quay", ("waiting",), (), Range(0.1, 0.1)),
    ),
    departures=("sailed",),
    methods={
        "air": MethodPlan(Range(0.7, 0.7), 0.2, ((1.0, 0.5), (0.5, 0.5))),
        "guard": MethodPlan(Range(0.9, 0.9)),
        "deck": MethodPlan(Range(1.0, 1.0)),
    },
    line=3,
)
PLACES = {YARD: frozenset({"east", "west"}), QUAY: frozenset[str]()}


def seen(report: str, day: int, count: int | None, stage: str = YARD, **parts: object) -> Sighting:
    at = START + timedelta(days=day)
    places = frozenset({"east", "west"}) if stage == YARD else frozenset[str]()
    plain = Sighting(report, stage, ((day, 1.0),), count or 0, count, "guard", f"by {report}", at, at, places=places)
    return replace(plain, **parts)  # type: ignore[arg-type]


def sailed(report: str, day: int, count: int, ship: str = "", **parts: object) -> Sighting:
    return seen(report, day, count, QUAY, leaving=True, ship=ship, method=parts.pop("method", "deck"), **parts)


def compiled(*sightings: Sighting, declared: int | None = 8, plan: Plan = PLAN, last_day: int = 10) -> Compiled:
    return compile_account(plan, sightings, declared, last_day, PLACES)


def looks(*sightings: Sighting) -> dict[str, StagedLook]:
    return {look.name: look for look in compiled(*sightings).looks}


def why(*sightings: Sighting) -> dict[str, str]:
    return {u.report: u.why for u in compiled(*sightings).unused}


def test_two_looks_at_one_stock_are_never_a_sum() -> None:
    found = looks(seen("A", 1, 6), seen("B", 1, 5))
    assert {name: (k.low, k.high) for name, k in found.items()} == {"A": (6, 6), "B": (5, 5)}


def test_one_sighting_is_one_look_and_the_surest_stands() -> None:
    first = seen("A", 1, 6, cluster="c", trust=0.8)
    other = seen("B", 1, 6, cluster="c", trust=0.9)
    assert set(looks(first, other)) == {"B"}
    assert why(first, other) == {"A": "one sighting with B"}
    assert set(looks(first, replace(other, cluster="d"))) == {"A", "B"}


def test_a_cluster_of_an_analyst_joins_days_and_of_one_go_only_its_place() -> None:
    first = seen("A", 1, 6, cluster="c")
    assert set(looks(first, seen("B", 2, 6, cluster="c", joined=True, trust=0.5))) == {"A"}
    assert set(looks(first, seen("B", 2, 6, cluster="c", trust=0.5))) == {"A", "B"}
    assert set(looks(first, seen("B", 1, 2, QUAY, cluster="c"))) == {"A", "B"}


def test_a_part_of_a_stage_is_no_look_at_it() -> None:
    east = seen("A", 1, 3, places=frozenset({"east"}), observer="G")
    west = seen("B", 1, 2, places=frozenset({"west"}), observer="G")
    assert looks(east) == {}
    assert why(east) == {"A": "a look at a part of yard is no look at it: west not looked at"}
    found = looks(east, west)
    assert (found["A + B"].low, found["A + B"].high, found["A + B"].reports) == (5, 5, ("A", "B"))


@pytest.mark.parametrize("other", [{"observer": "H"}, {"method": "deck"}, {"days": ((2, 1.0),)}, {"places": frozenset({"east"})}])
def test_parts_add_up_only_in_one_go(other: dict[str, object]) -> None:
    east = seen("A", 1, 3, places=frozenset({"east"}), observer="G")
    west = replace(seen("B", 1, 2, places=frozenset({"west"}), observer="G"), **other)  # type: ignore[arg-type]
    assert looks(east, west) == {}
    assert set(why(east, west)) == {"A", "B"}


def test_trust_in_a_sum_is_trust_in_every_part() -> None:
    parts = [seen(n, 1, 2, places=frozenset({p}), observer="G", trust=0.9) for n, p in (("A", "east"), ("B", "west"))]
    assert looks(*parts)["A + B"].trust == pytest.approx(0.81)


def test_two_reports_of_one_sailing_are_two_looks_at_one_flow() -> None:
    found = looks(sailed("A", 4, 3, "Ship"), sailed("B", 4, 3, "ship", method="guard"))
    assert {k.low for k in found.values()} == {3}
    assert all(k.leaving and k.days == ((4, 1.0),) and k.high == 3 for k in found.values())


def test_ships_of_one_day_add_up_where_one_method_counted_all() -> None:
    found = looks(sailed("A", 4, 3, "One"), sailed("B", 4, 2, "Two"), sailed("C", 4, 2, "One", method="guard"))
    assert (found["A + B"].low, found["A + B"].high, found["A + B"].ships) == (5, 5, ("One", "Two"))
    assert (found["C"].low, found["C"].high) == (2, None)


def test_ships_of_one_day_counted_by_different_methods_are_bounds() -> None:
    sightings = sailed("A", 4, 3, "One"), sailed("B", 4, 2, "Two", method="guard"), sailed("C", 4, 0, "Three")
    found = looks(*sightings)
    assert {name: (k.low, k.high) for name, k in found.items()} == {"A": (3, None), "B": (2, None)}
    assert why(*sightings) == {"C": "one of several ships, and empty: it bounds nothing"}
    assert any("no method counted them all" in a for a in compiled(*sightings).assumed)


def test_departures_that_may_be_one_are_a_mixture() -> None:
    sightings = sailed("A", 3, 3), sailed("B", 5, 3)
    found = looks(*sightings)
    assert found["A"].days == ((3, 1.0),)
    assert found["B"].days == ((3, 0.5), (5, 0.5))
    assert any("may be the same departure" in a for a in compiled(*sightings).assumed)
    assert looks(sailed("A", 3, 3), sailed("B", 6, 3))["B"].days == ((6, 1.0),)
    assert looks(sailed("A", 3, 3), sailed("B", 5, 3, observer="by A"))["B"].days == ((5, 1.0),)


def test_a_mixture_weighs_the_two_readings() -> None:
    """P(looks) is the mean of one sailing told twice and of two sailings."""
    both = compiled(sailed("A", 3, 3), sailed("B", 5, 3))
    account = both.account()
    one, two = (replace(account, looks=(account.looks[0], replace(account.looks[1], days=((d, 1.0),)))) for d in (3, 5))
    likely = [exp(Run(a, 0.0).forward()) for a in (account, one, two)]
    assert likely[0] == pytest.approx((likely[1] + likely[2]) / 2, rel=1e-10)


def test_looks_of_one_pass_share_its_visibility() -> None:
    pair = seen("A", 2, 3, method="air", observer="L"), seen("B", 2, 1, QUAY, method="air", observer="L")
    found = looks(*pair, seen("C", 3, 1, method="air", observer="L"), seen("D", 2, 1))
    assert found["A"].in_pass == found["B"].in_pass != found["C"].in_pass
    assert found["D"].in_pass == ""
    assert set(compiled(*pair).account().passes) == {found["A"].in_pass}


def test_bounds_and_minima() -> None:
    found = compiled(seen("A", 1, 6, high=8), seen("B", 2, 4, high=None)).account().looks
    assert {k.name: k.bounds for k in found} == {"A": (6, 8), "B": (4, None)}


def test_one_ship_is_a_part_of_what_is_on_ships() -> None:
    found = looks(seen("A", 1, 2, QUAY, ship="One"), seen("B", 1, 0, QUAY, ship="Two"))
    assert {name: (k.low, k.high) for name, k in found.items()} == {"A": (2, None)}


def test_a_sailing_takes_any_share() -> None:
    stage = compiled(sailed("A", 4, 3)).account().classes[0].stages[-1]
    assert isinstance(stage.hop(4), AnyShare)
    assert stage.hop(5) == 0.1


def test_ranges_become_priors_and_the_rest_is_known() -> None:
    wide = replace(
        PLAN,
        brought_in=Range(0.0, 0.1),
        stages=(replace(PLAN.stages[0], leaves=Range(0.1, 0.3)), PLAN.stages[1]),
        methods={**PLAN.methods, "guard": MethodPlan(Range(0.8, 1.0)), "deck": MethodPlan(Range(0.5, 1.0))},
    )
    found = compiled(seen("A", 1, 6), plan=wide)
    # A method that nobody used is no parameter.
    names = {leaves_name(YARD): Uniform(0.1, 0.3), detects_name("guard"): Uniform(0.8, 1.0), BROUGHT_IN: Uniform(0.0, 0.1)}
    assert found.priors == names
    account = found.account({leaves_name(YARD): 0.15, detects_name("guard"): 0.85, BROUGHT_IN: 0.02})
    assert (account.classes[0].stages[0].leaves, account.looks[0].p, account.classes[0].arrivals) == (0.15, 0.85, 0.02)
    assert found.account().looks[0].p == pytest.approx(0.9)
    assert compiled(seen("A", 1, 6)).priors == {}


def test_the_prior_on_the_undeclared() -> None:
    prior = undeclared_prior(PLAN, 8)
    assert prior[0] == 0.7
    assert sum(prior) == pytest.approx(1, abs=1e-12)
    assert sum(u * p for u, p in enumerate(prior)) / 0.3 == pytest.approx(2, rel=1e-9)
    assert undeclared_prior(replace(PLAN, undeclared=UndeclaredPlan(1.0)), 8) == (1.0,)
    assert undeclared_prior(replace(PLAN, undeclared=UndeclaredPlan(0.5, 1.0)), 8) == (0.5, 0.5)


def test_without_a_declaration_the_account_starts_from_the_largest_count() -> None:
    found = compiled(seen("A", 1, 6), seen("B", 2, 9), declared=None)
    assert found.declared == 9
    assert any("no number is declared" in a for a in found.assumed)


def test_the_order_of_reports_changes_nothing() -> None:
    sightings = [
        seen("A", 1, 6),
        seen("B", 1, 5),
        sailed("C", 4, 2, "One"),
        sailed("D", 4, 2, "Two"),
        sailed("E", 5, 1),
        sailed("F", 6, 1),
        seen("G", 7, 1, method="air"),
    ]
    assert compiled(*sightings) == compiled(*reversed(sightings))


def test_the_account_can_be_solved() -> None:
    found = compiled(seen("A", 1, 6), sailed("B", 4, 2, "One"), seen("C", 10, 0, trust=0.95))
    answer = solve(found.account())
    assert 0 < answer.p_none_left < 1


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ModelError, match="day -1 is before the first"):
        compiled(last_day=-1)
    with pytest.raises(ModelError, match="without stages"):
        compiled(plan=replace(PLAN, stages=()))
