"""Which reports of numbers are looks, which stand beside, which say nothing new."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tallybook.holdings.contributions import look_rows
from tallybook.holdings.entries import Books, Entry, keep_books
from tallybook.holdings.plan import Plan, Range, UndeclaredPlan
from tallybook.holdings.rivals import one_left, readings_of, varied
from tallybook.holdings.ships import Count, reconcile, ship_table

PLAN = Plan("thing", UndeclaredPlan(0.6, 5.0))


def entry(
    report: str,
    kind: str,
    low: float,
    high: float | None = -1,
    *,
    day: int = 1,
    part: str = "",
    cluster: str = "",
    trust: float = 0.96,
) -> Entry:
    at = datetime(2030, 1, day, tzinfo=UTC)
    return Entry(report, kind, low, low if high == -1 else high, trust, at, at, part, part, cluster)


def books(*entries: Entry, plan: Plan = PLAN, ships: int = 0) -> Books:
    return keep_books(list(entries), plan, 10.0, ships)


def why(found: Books) -> dict[str, str]:
    return {u.report: u.why for u in found.unused}


def test_an_estimate_stands_beside_and_is_no_look() -> None:
    bare, told = books(entry("D", "declared", 42)), books(entry("D", "declared", 42), entry("E", "estimate", 48))
    assert [e.report for e in told.beside] == ["E"]
    assert "E" in told.reports
    assert told.declared == 42
    assert (told.removed, told.remaining, told.p_none_left) == (bare.removed, bare.remaining, bare.p_none_left)


def test_a_later_declaration_stands_and_the_earlier_is_named() -> None:
    found = books(entry("D1", "declared", 30, day=1), entry("D2", "declared", 34, day=5))
    assert found.declared == 34
    assert "D2 stands" in why(found)["D1"]


def test_one_sighting_told_twice_is_one_look() -> None:
    found = books(
        entry("D", "declared", 20),
        entry("A", "removed_by_ship", 8, part="x", cluster="one"),
        entry("B", "removed_by_ship", 8, part="x", cluster="one", trust=0.98),
        entry("C", "removed_by_ship", 8, part="x", cluster="two"),
    )
    assert sorted(e.report for e in found.looks) == ["B", "C"]
    assert "one sighting with B" in why(found)["A"]
    assert found.removed == (8, 8, 8)


def test_a_running_total_goes_on_and_a_smaller_one_is_a_minimum() -> None:
    found = books(
        entry("D", "declared", 42), entry("T1", "removed", 38, day=2, cluster="a"), entry("T2", "removed", 42, day=4, cluster="b")
    )
    assert found.removed == (42, 42, 42)
    assert [(f.report, f.high) for f in found.account.out] == [("T1", None), ("T2", 42)]


def test_rows_that_add_up_to_more_than_the_total_make_it_a_minimum() -> None:
    found = books(
        entry("D", "declared", 42),
        entry("T", "removed", 11),
        entry("A", "removed_by_ship", 8, part="a"),
        entry("B", "removed_by_ship", 7, part="b"),
    )
    assert found.removed == (15, 15, 15)


def test_of_a_site_the_latest_running_total_stands() -> None:
    found = books(
        entry("D", "declared", 30),
        entry("A", "removed_at_site", 5, day=1, part="north"),
        entry("B", "removed_at_site", 9, day=3, part="north"),
        entry("C", "removed_at_site", 4, day=2, part="south"),
    )
    assert found.removed == (13, 13, 13)
    assert set(why(found)) == {"A"}


def test_ships_and_sites_are_two_ways_to_count_one_thing() -> None:
    found = books(
        entry("D", "declared", 30), entry("A", "removed_by_ship", 9, part="a"), entry("B", "removed_at_site", 8, part="north")
    )
    assert found.removed == (9, 9, 9)


def test_without_a_declaration_nothing_is_said_of_all_that_was_declared() -> None:
    found = books(entry("T", "removed", 5))
    assert (found.declared, found.remaining, found.p_none_left, found.p_declared_removed) == (None, None, None, None)
    assert found.removed == (5, 5, 5)
    started = books(entry("S", "at_least", 21, None))
    assert started.declared is None
    assert started.remaining is not None
    assert started.remaining[0] == 21


def test_parts_of_a_unit_are_counted_in_the_unit_that_makes_them_whole() -> None:
    found = books(entry("D", "declared", 12.5), entry("T", "removed", 7.25))
    assert found.step == 0.01
    assert (found.declared, found.removed[1], found.remaining and found.remaining[0]) == (12.5, 7.25, 5.25)


def test_what_is_brought_in_is_reckoned_by_the_days() -> None:
    plan = Plan("thing", UndeclaredPlan(0.6, 5.0), brought_in=Range(0.0, 0.1))
    assert books(entry("D", "declared", 4), plan=plan).account.arrivals == pytest.approx(0.5)


def test_a_count_of_all_there_ever_was_settles_the_declaration() -> None:
    found = books(entry("D", "declared", 20), entry("T", "removed", 20), entry("I", "all_there_was", 20, trust=0.987))
    assert found.p_none_left is not None
    assert found.p_none_left > 0.9


def test_without_a_look_the_answer_is_what_it_would_have_been() -> None:
    found = books(entry("D", "declared", 42), entry("A", "removed_by_ship", 8, part="a"), entry("T", "removed", 42))
    rows = {row.report: row for row in look_rows(found)}
    without = books(entry("D", "declared", 42), entry("A", "removed_by_ship", 8, part="a"))
    assert rows["T"].p_none_left_without == pytest.approx(without.p_none_left, rel=1e-9, abs=1e-12)
    assert rows["A"].surprise is None or rows["A"].surprise >= 1


def test_a_count_far_from_what_others_say_surprises() -> None:
    agree = books(
        entry("D", "declared", 42),
        entry("A", "removed_by_ship", 8, part="a"),
        entry("B", "removed_by_ship", 8, part="a", cluster="b"),
    )
    differ = books(
        entry("D", "declared", 42),
        entry("A", "removed_by_ship", 8, part="a"),
        entry("B", "removed_by_ship", 2, part="a", cluster="b"),
    )
    assert [row.surprise for row in look_rows(agree)] == pytest.approx([1, 1], abs=0.01)
    assert min(row.surprise or 0 for row in look_rows(differ)) > 5


def test_what_would_have_to_be_believed_for_one_to_be_left() -> None:
    found = books(entry("D", "declared", 42), entry("T", "removed", 42))
    ways = one_left(found)
    assert ways[0].name == "43 there, 42 out"
    assert sum(way.probability for way in ways) <= 1
    short = one_left(books(entry("D", "declared", 42), entry("T", "removed", 38)))
    assert short[0].reports == ("T",)
    assert "wrong" in short[0].words


def test_readings_are_probabilities_and_name_their_reports() -> None:
    found = books(
        entry("D", "declared", 42),
        entry("A", "removed_by_ship", 40, part="a"),
        entry("T", "removed", 42),
        entry("E", "estimate", 48),
        ships=2,
    )
    named = {r.name: r for r in readings_of(found, ())}
    assert named["uncounted"].probability > 0.9
    assert named["uncounted"].words.startswith("2 ")
    assert named["short"].reports == ("E",)
    whole = named["complete"].probability + named["short"].probability + named["not out"].probability
    assert whole == pytest.approx(1, abs=0.01)


def test_the_prior_on_the_undeclared_comes_first_of_what_the_answer_rests_on() -> None:
    found = varied(books(entry("D", "declared", 42), entry("T", "removed", 42), entry("E", "estimate", 48)), PLAN)
    values = {v.assumption: v.p_none_left for v in found}
    assert "as assumed" in found[0].assumption
    for p in (0.1, 0.5, 0.9):
        assert values[f"nothing undeclared with prior probability {p:g}"] == pytest.approx(p, rel=0.1)
    assert (values["48 there, as E estimates"] or 0) < 0.01


def count(report: str, ship: str, declared: float | None, low: float | None, *, day: int = 1, trust: float | None = 0.9) -> Count:
    at = datetime(2030, 1, day, tzinfo=UTC)
    return Count(report, ship, declared, low, low, "somebody", "S", at, at, trust, trust is not None)


def test_a_ship_has_a_difference_where_both_figures_are_known() -> None:
    table = {
        s.name: s
        for s in ship_table(
            [count("A", "x", 6, None), count("B", "X", None, 7), count("C", "y", 2, None), count("D", "z", None, 1)]
        )
    }
    assert (table["x"].difference, table["y"].difference, table["z"].difference) == (1, None, None)


def test_a_count_of_none_is_a_count() -> None:
    assert ship_table([count("A", "x", 2, 0)])[0].difference == -2


def test_a_total_follows_from_the_rows_or_not() -> None:
    rows = [count("A", "x", None, 8, day=1), count("B", "y", None, 7, day=2), count("C", "z", None, 9, day=5)]
    found = {t.report: t for t in reconcile([count("T", "", None, 15, day=2), count("U", "", None, 20, day=3)], rows)}
    assert found["T"].follows
    assert (found["U"].follows, found["U"].now, found["U"].ships_now) == (False, 15, 2)
