"""The streaming monitor: published answers, what it refuses, its memory, and the specialised loops beside it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.formula.monitor import Monitor, NotMonitorableError, monitorable
from tallybook.formula.nodes import FormulaError
from tallybook.formula.obligations import Obligations
from tallybook.formula.shape import shape_of
from tallybook.formula.text import parse
from tallybook.formula.trace import LogError, Order, TimePoint, from_case, read_log
from tallybook.formula.values import exact
from tallybook.formula.watch import GeneralWatch, watch

Rows = dict[int, set[tuple[Any, ...]]]


def log(*lines: str, order: Order = "points") -> list[TimePoint]:
    return list(read_log(lines, order))


def verdicts(text: str, points: Iterable[TimePoint], variables: Sequence[str] | None = None) -> tuple[Rows, tuple[int, ...]]:
    """Rows by time-point, and the undetermined ones."""
    monitor = Monitor(parse(text), variables)
    found = {verdict.tp: set(verdict.rows) for verdict in monitor.run(points)}
    return found, monitor.undetermined


# MonPoly, commit f0941c3 (LGPL-2.1-only WITH OCaml linking exception): tests/test17.t, test11.t, test08.t, test12.t, test22.t.
T17 = log("@11 p(0)", "@11 p(1)", "@14 p(2)", "@14 p(3)", "@33")
T8 = log("@10 P(1)", "@20 P(2)", "@30 Q(3)", "@40 P(4)", "@100")
T12 = log("@0 Q(111)", "@5 P(111)", "@6")
T22 = log("@0 q(1,2) q(1,3)", "@1 p(3)")
# examples/mfotl/rv11.mfotl and examples/logs/rv11.log of the same.
RV = log(
    "@1307532861 approve(152)",
    "@1307955600 approve(163) publish(160)",
    "@1308477599 approve(187) publish(163) publish(152)",
    "@1308477609 approve(163) publish(169) publish(150)",
    "@1308477610 approve(150)",
    "@1308600000 approve(169)",
)


@pytest.mark.parametrize(
    ("text", "points", "rows", "open_points"),
    [
        ("once[0,10] p(?x)", T17, [{0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}, set()], []),
        ("once[1,10] p(?x)", T17, [set(), set(), {0, 1}, {0, 1}, set()], []),
        ("once[0,2] p(?x)", T17, [{0}, {0, 1}, {2}, {2, 3}, set()], []),
        ("eventually[0,10] p(?x)", T17, [{0, 1, 2, 3}, {1, 2, 3}, {2, 3}, {3}], [4]),
        ("eventually[1,10] p(?x)", T17, [{2, 3}, {2, 3}, set(), set()], [4]),
        ("eventually[1,2] p(?x)", T17, [set(), set(), set(), set()], [4]),
        ("P(?x) since[5,5] Q(?x)", T12, [set(), {111}, set()], []),
        ("publish(?r) and not once[0,7d] approve(?r)", RV, [set(), {160}, {152}, {150, 169}, set(), set()], []),
        ("publish(?r) and not eventually[0,7d] approve(?r)", RV, [set(), {160}], [2, 3, 4, 5]),
        ("publish(?r) and not eventually[1d,7d] approve(?r)", RV, [set(), {160}], [2, 3, 4, 5]),
    ],
)
def test_published_answers(text: str, points: list[TimePoint], rows: list[set[int]], open_points: list[int]) -> None:
    found, undetermined = verdicts(text, points)
    assert found == {tp: {(value,) for value in values} for tp, values in enumerate(rows)}
    assert list(undetermined) == open_points


def test_published_answers_with_two_variables() -> None:
    found, undetermined = verdicts("Q(?a) and eventually[0,50] P(?b)", T8)
    assert found == {0: set(), 1: set(), 2: {(3, 4)}, 3: set()}
    assert undetermined == (4,)
    assert verdicts("p(?x) since q(?y, ?x)", T22, ["y", "x"])[0] == {0: {(1, 2), (1, 3)}, 1: {(1, 3)}}
    assert verdicts("p(?x) since q(?y, ?x)", T22, ["x"])[0] == {0: {(2,), (3,)}, 1: {(3,)}}


def test_obligations_are_told_early() -> None:
    following = Obligations(parse("publish(?r) and not eventually[0,7d] approve(?r)"))
    rows = [one for point in RV for one in following.feed(point)] + following.open()
    assert sorted((one.tp, one.row[0], one.status, one.at, one.due) for one in rows) == [
        (1, 160, "violated", None, 1308560400),
        (2, 152, "not yet due", None, 1309082399),
        (2, 163, "fulfilled", 1308477609, 1309082399),
        (3, 150, "fulfilled", 1308477610, 1309082409),
        (3, 169, "fulfilled", 1308600000, 1309082409),
    ]


def test_obligations_of_other_shapes() -> None:
    points = log("@0 p(1,2) p(3,4)", "@2 q(1)", "@4 q(3)", "@5")
    for text in (
        "p(?x, ?y) implies eventually[3,4] q(?x)",
        "once[0,0] p(?x, ?y) and ?y > 0 and not eventually[3,4] q(?x)",
    ):
        following = Obligations(parse(text))
        rows = [one for point in points for one in following.feed(point)] + following.open()
        assert [(one.row, one.status, one.at, one.due) for one in rows] == [
            ((3, 4), "fulfilled", 4, 4),
            ((1, 2), "violated", None, 4),
        ]
        assert following.stored() == 0
    # With an open end an answer at the very end comes too late.
    following = Obligations(parse("p(?x, ?y) implies eventually[3,4) q(?x)"))
    assert [one.status for point in points for one in following.feed(point)] == ["violated", "violated"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("p(?x)", "is no deadline"),
        ("not eventually[0,5] p", "is no deadline"),
        ("p and not eventually[0,5] q(?x)", "stands in the answer and not in the trigger"),
        ("p implies eventually[0,5] always[0,2] q", "looks ahead"),
        ("p(?x) or q and not eventually[0,5] q", "is no deadline"),
    ],
)
def test_what_is_no_deadline_is_refused(text: str, says: str) -> None:
    with pytest.raises(FormulaError, match=says):
        Obligations(parse(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Rewritten, or used as tests on rows that an event binds.
        ("q(?x) and historically[0,2] p(?x)", {0: {(1,)}, 1: {(1,)}, 2: set()}),
        ("q(?x) and always[0,0] p(?x)", {0: {(1,)}, 1: {(1,)}}),
        ("q(?x) and (p(?x) implies ?x > 1)", {0: set(), 1: set(), 2: {(1,)}}),
        ("q(?x) and not (p(?x) and ?x = 1)", {0: set(), 1: set(), 2: {(1,)}}),
        ("q(?x) and (not p(?x) or ?x = true)", {0: set(), 1: set(), 2: {(1,)}}),
        ("not (q(?x) implies p(?x))", {0: set(), 1: set(), 2: {(1,)}}),
        ("q(?x) and ?y = ?x", {0: {(1, 1)}, 1: {(1, 1)}, 2: {(1, 1)}}),
        ("not (not q(?x) or p(?x))", {0: set(), 1: set(), 2: {(1,)}}),
        # Closed.
        ("not exists ?x. q(?x) and not p(?x)", {0: {()}, 1: {()}, 2: set()}),
        ("historically[1,2] not r", {0: {()}, 1: {()}, 2: {()}}),
        ("not r since not p(2)", {0: {()}, 1: {()}, 2: {()}}),
        ("1 < 2 and not r", {0: {()}, 1: {()}, 2: {()}}),
    ],
)
def test_the_monitorable_fragment(text: str, expected: Rows) -> None:
    points = log("@0 q(1) p(1)", "@1 q(1) p(1) p(2)", "@2 q(1)")
    assert verdicts(text, points)[0] == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not p(?x)", r"not p\(\?x\)` does not say which values \?x may take"),
        ("p(?x) and ?y > 1", r"\?y > 1` does not say which values \?y may take; join it by `and`"),
        ("p(?x) or q(?y)", r"every side needs the same variables, and \?y is missing"),
        ("always[0,5] p(?x)", r"\?x may take"),
        ("p(?x) implies eventually[0,5] q(?x)", r"\?x may take"),
        ("p(?x) since q", r"\?x stands left of `since` and not right of it"),
        ("p(?x) until[0,1] not q(?x)", r"\?x may take"),
        ("exists ?x. ?x > 5", r"\?x may take"),
        ("exists ?x. not p(?x)", r"\?x may take"),
        ("exists ?y. p(?x)", r"\?y does not occur inside; leave it out"),
    ],
)
def test_what_is_outside_is_refused_with_advice(text: str, says: str) -> None:
    with pytest.raises(NotMonitorableError, match=says):
        Monitor(parse(text))
    assert monitorable(parse(text)) is not None


def test_what_is_inside_has_no_reason() -> None:
    assert monitorable(parse("p(?x) and not q(?x)")) is None


def test_a_formula_too_intricate_to_rewrite_is_refused() -> None:
    text = "not p(?x)"
    for _ in range(25):
        text = f"(({text}) or q(?y)) implies r"
    assert "intricate" in (monitorable(parse(text)) or "")


def test_a_product_too_large_is_refused() -> None:
    monitor = Monitor(parse("p(?x) and q(?y) and once[0,5] q(?x)"))
    assert len(monitor.feed(TimePoint(0, 0, {"p": [(1,)], "q": [(1,), (2,)]}))[0].rows) == 2
    many = [(n,) for n in range(1001)]
    with pytest.raises(FormulaError, match="more than 1,000,000 rows at one time-point"):
        Monitor(parse("p(?x) and q(?y)")).feed(TimePoint(0, 0, {"p": many, "q": many}))


def test_variables_are_checked() -> None:
    with pytest.raises(FormulaError, match=r"\?z is no free variable of the formula; free are: \?x"):
        Monitor(parse("p(?x)"), ["z"])


def test_values_keep_their_kind() -> None:
    points = [TimePoint(0, 0, {"p": [(1,), (True,), ("1",), (None,)], "q": [(1.0,), (True,)]})]
    for text, wanted in (
        ("p(?x) and q(?x)", ["(1,)", "(True,)"]),
        ("p(true)", ["()"]),
        ("p(?x) and not ?x = 1", ["('1',)", "(None,)", "(True,)"]),
    ):
        # Python takes (1,) and (True,) for the same.
        assert sorted(repr(row) for row in Monitor(parse(text)).feed(points[0])[0].rows) == wanted
    for bulk in (
        watch(parse("p(?x) and not once[0,1] q(?x)"), "time"),
        watch(parse("p(?x) and not eventually[0,1] q(?x)"), "time"),
    ):
        found = bulk.extend([(0, "p", True), (0, "p", 1), (0, "q", 1), (5, "end")]) + bulk.finish()
        assert [(match.row[0] is True) for match in found] == [True]


def test_patterns_of_arguments() -> None:
    points = log("@0 p(1,1) p(1,2) p(2,2) p(3)")
    assert verdicts("p(?x, ?x)", points)[0] == {0: {(1,), (2,)}}
    assert verdicts("p(1, ?y)", points)[0] == {0: {(1,), (2,)}}
    assert verdicts("p(?x)", points)[0] == {0: {(3,)}}


def test_fractions_of_time_are_exact() -> None:
    assert exact(0.1) + exact(0.2) == exact(0.3) == Fraction(3, 10)
    points = log("@0.2 p()", "@0.3 q()")
    assert verdicts("q and once[0.1,0.1] p", points)[0] == {0: set(), 1: {()}}


def test_a_verdict_waits_for_a_later_time_stamp() -> None:
    monitor = Monitor(parse("p and eventually[0,5] q"))
    assert monitor.feed(TimePoint(0, 0, {"p": [()], "q": [()]})) == []
    assert monitor.feed(TimePoint(1, 5, {})) == []
    assert monitor.open_points == ((0, 0), (1, 5))
    (first,) = monitor.feed(TimePoint(2, 6, {}))
    assert (first.tp, first.rows) == (0, ((),))
    # Nested: the horizons add up, though what was seen would do.
    nested = Monitor(parse("eventually[0,2] eventually[0,3] p"))
    assert [len(nested.feed(TimePoint(n, ts, {"p": [()]}))) for n, ts in enumerate((0, 2, 5, 6))] == [0, 0, 0, 1]


@pytest.mark.parametrize("stamp", [3, float("nan"), float("inf"), True, "5", None])
def test_bad_time_stamps_are_refused(stamp: Any) -> None:
    for text in ("p(?x) and not eventually[0,5] q(?x)", "p(?x) and not once[0,5] q(?x)", "p(?x) and once[0,5] q(?x)"):
        watching = watch(parse(text), "time")
        watching.extend([(4, "p", 1)])
        with pytest.raises(FormulaError, match="time-stamp"):
            watching.extend([(stamp, "p", 1), (9, "p", 1)])
        feeding = watch(parse(text), "time")
        feeding.feed(TimePoint(0, 4, {}))
        with pytest.raises(FormulaError, match="time-stamp"):
            feeding.feed(TimePoint(1, stamp, {}))
    following = Obligations(parse("p(?x) and not eventually[0,5] q(?x)"))
    following.feed(TimePoint(0, 4, {}))
    with pytest.raises(FormulaError, match="time-stamp"):
        following.feed(TimePoint(1, stamp, {}))


@pytest.mark.parametrize(
    "text",
    [
        "p(?x) and not eventually[2,9] q(?x)",
        "p(?x) and not once[0,9] q(?x)",
        "once[3,9] p(?x)",
        "q(?x) and historically[0,9] p(?x)",
        "q(?x) and always[3,9] not p(?x)",
        "(not q(?x)) since[0,9] p(?x)",
        "p(?x) until[0,9] q(?x)",
        "(not p(?x)) until[2,9] (q(?x) and once[0,3] p(?x))",
        "exists ?x. p(?x) and eventually[0,4] (q(?x) and eventually[0,5] p(?x))",
    ],
)
def test_memory_is_bounded_by_the_window(text: str) -> None:
    rng = random.Random(3)
    watches = [watch(parse(text), "time"), watch(parse(text), "time", general=True)]
    most = [0, 0]
    for step in range(3000):
        # New values all the time: what is kept for old ones would show.
        events = {name: [(step // 4 + rng.randrange(4),)] for name in ("p", "q")}
        for n, watching in enumerate(watches):
            watching.feed(TimePoint(step, step // 2, events))
            most[n] = max(most[n], watching.stored())
    assert max(most) < 400


def test_memory_without_an_end_is_one_entry_a_row() -> None:
    for text, bound in (
        ("once p(?x)", 20),
        ("once[3,..] p(?x)", 40),
        ("(not q(?x)) since p(?x)", 40),
        ("q(?x) and historically p(?x)", 40),
    ):
        monitor = Monitor(parse(text))
        for step in range(3000):
            monitor.feed(TimePoint(step, step, {"p": [(value,) for value in range(10)]}))
        assert 0 < monitor.stored() <= bound, text


def test_shapes_with_a_loop_of_their_own() -> None:
    for text in (
        "p(?x) and not eventually[0,5] q(?x)",
        "not once q(?y, ?x) and p(?x, ?y)",
        "p(?x, ?y) and not eventually[2,5] q(?y)",
        "p and not once[1,2] q",
    ):
        shape = shape_of(parse(text))
        assert shape is not None
        assert not isinstance(watch(parse(text), "time", shape.variables), GeneralWatch)
    for text in (
        "p(?x) and not eventually[0,5) q(?x)",
        "p(?x) and not once[0,5] p(?x)",
        "p(?x) and not once[0,5] q(1, ?x)",
        "p(?x, ?x) and not once[0,5] q(?x)",
        "p(?x) and eventually[0,5] q(?x)",
        "p(?x) and q(?x) and not once[0,5] q(?x)",
    ):
        assert shape_of(parse(text)) is None


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 1, 2, 0.1, 0.5]),
        st.sampled_from(["p", "q", "other"]),
        st.lists(st.sampled_from([0, 1, 2, True, False, "1", 1.5]), max_size=2),
    ),
    max_size=14,
)
SHAPES = st.tuples(
    st.sampled_from(["p(?x) and not {} q(?x)", "not {} q(?y, ?x) and p(?x, ?y)", "p(?x, ?y) and not {} q(?y)", "p and not {} q"]),
    st.sampled_from(["eventually[{},{}]", "once[{},{}]", "once[{},..]"]),
    st.sampled_from([0, 0, 1, 2, 0.5]),
    st.sampled_from([0, 1, 3, 0.1]),
)


@given(SHAPES, EVENTS, st.sampled_from(["time", "points"]), st.integers(0, 14))
@settings(max_examples=200, deadline=None)
def test_the_loops_agree_with_the_general_monitor(
    shape: tuple[str, str, float, float], steps: list[tuple[float, str, list[Any]]], order: Order, cut: int
) -> None:
    form, operator, lo, width = shape
    formula = parse(form.format(operator.format(lo, round(lo + width, 3))))
    stamp: float = 0
    events: list[tuple[Any, ...]] = []
    for step, name, args in steps:
        stamp = round(stamp + step, 3)
        events.append((stamp, name, *args))
    found = shape_of(formula)
    assert found is not None
    bulk, general, fed = (watch(formula, order, found.variables, general=n == 1) for n in range(3))
    in_bulk = bulk.extend(events[:cut]) + bulk.extend(events[cut:]) + bulk.finish()
    generally = general.extend(events) + general.finish()
    one_by_one = []
    last = -1
    for event in events:
        if order == "points" or last < 0 or event[0] != stamp:
            same = [e for e in events if e[0] == event[0]] if order == "time" else [event]
            last, stamp = last + 1, event[0]
            rows = {name: [tuple(e[2:]) for e in same if e[1] == name] for name in ("p", "q")}
            one_by_one += fed.feed(TimePoint(last, stamp, rows))
    answers = [
        (sorted(map(repr, matches)), watching.undetermined())
        for matches, watching in ((in_bulk, bulk), (generally, general), (one_by_one, fed))
    ]
    assert answers[0] == answers[1] == answers[2]


def test_by_time_and_by_order_differ_where_an_answer_stands_before_the_question() -> None:
    events = [(1, "ack", 7), (1, "req", 7), (60, "end")]
    formula = parse("req(?i) and not eventually[0,50] ack(?i)")
    by_time, by_order = watch(formula, "time"), watch(formula, "points")
    assert (by_time.said, by_time.extend(events)) == ("by time", [])
    assert by_order.said == "by order"
    assert [match[:] for match in by_order.extend(events)] == [(1, 1, (7,))]


def test_logs_in_their_forms() -> None:
    wanted = [TimePoint(0, 10, {"P": [(1,), ("a", True)]}), TimePoint(1, 11.5, {"Q": [()]})]
    forms = (
        [
            '{"ts": 10, "pred": "P", "args": [1]}\n',
            "\n",
            '{"tp": 7, "ts": 10, "events": [{"pred": "P", "args": ["a", true]}]}\n',
            '{"ts": 11.5, "pred": "Q", "args": []}',
        ],
        ["\ufeffts,pred,a,b\r\n", "10,P,1,\r\n", "10,P,a,true\r\n", ",,,\r\n", "11.5,Q,,\r\n"],
        ["# a comment\n", "@10 P(1)\n", "@10 P (a,", " true) # and so on\n", "@ 11.5 Q();\n"],
        ['@10 P(1)("a",true);', "@11.5 Q ()"],
    )
    for lines in forms:
        assert list(read_log(lines, "time")) == wanted
    assert [point.tp for point in read_log(forms[0], "points")] == [0, 1, 2]
    assert list(read_log([], "time")) == list(read_log(["\n", "  "], "points")) == []
    assert list(read_log(["ts,pred,a", '1,P,"x,""y"'], "time")) == [TimePoint(0, 1, {"P": [('x,"y',)]})]
    assert [p.events["P"] for p in read_log(["ts,pred,a", "1,P,007", "2,P,1e3"], "time")] == [[("007",)], [(1000.0,)]]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["hello"], "log:1: the form of the log is not known"),
        (["@5", "", "@4"], "log:3: time-stamp 4 is before the last one, 5"),
        (['{"ts": 1, "events": []}', '{"ts": 0, "events": []}'], "log:2: time-stamp 0 is before"),
        (["@x P(1)"], "log:1: the time-stamp is no number"),
        (["@10 P(1"], "log:1: a point ends too early"),
        (["@10 P(1,)"], r"log:1: '\)' is not wanted here"),
        (["@10 P", "@11"], "'P' has no arguments; write P"),
        (["@10 P Q(1)"], "'P' has no arguments"),
        (["@10 (1)"], r"log:1: '\(' is not wanted here"),
        (['@10 P("a)'], "log:1: not understood from"),
        ([r'@10 P("\q")'], "is no text"),
        (["@10 P(" + "1," * 200 + "1)"], "more than 100 arguments"),
        (['{"ts": 1}'], "log:1: pred is missing"),
        (['{"ts": 1, "pred": "P", "args": [], "x": 1}'], "unknown key 'x'"),
        (['{"ts": NaN, "events": []}'], "log:1: no JSON: NaN"),
        (['{"ts": true, "events": []}'], "the time-stamp is no number"),
        (['{"ts": 1e30, "events": []}'], "the time-stamp is no number"),
        (['{"ts": 1, "events": 5}'], "events is no list"),
        (['{"ts": 1, "events": [5]}'], "an event is no object"),
        (['{"ts": 1, "pred": "", "args": []}'], "an event has no name"),
        (['{"ts": 1, "pred": "P", "args": [[]]}'], "an argument of 'P' cannot be used"),
        (['{"ts": 1, "pred": "P", "args": [1e999]}'], "an argument of 'P' cannot be used"),
        (['{"ts": 1, "events": ' + "[" * 100_000], "log:1: no JSON"),
        (['{"ts": 1, "pred": "P", "args": []}', "[]"], "log:2: an object is wanted"),
        (["{" + " " * 1_000_001], "a line of more than 1000000 characters"),
        (["ts,pred", "1"], "log:2: a row has a time-stamp and a name"),
        (["ts,pred", "x,P"], "log:2: the time-stamp is no number"),
        (["ts,pred", '1,"P'], "no CSV"),
        (["ts,pred", "1,"], "an event has no name"),
    ],
)
def test_bad_logs_are_refused_with_their_line(lines: list[str], says: str) -> None:
    with pytest.raises(LogError, match=says):
        list(read_log(lines, "time"))


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ({}, "a list of time-points"),
        ([5], r"trace\[0\]: an object"),
        ([{"tp": 0, "ts": 1}], "events is missing"),
        ([{"tp": "0", "ts": 1, "events": []}], "tp is no number"),
        ([{"tp": 0, "ts": 1, "events": []}, {"tp": 0, "ts": 1, "events": []}], r"trace\[1\]: tp is no number"),
        ([{"tp": 0, "ts": 1, "events": []}, {"tp": 1, "ts": 0, "events": []}], "before the last one"),
    ],
)
def test_bad_traces_are_refused(points: object, says: str) -> None:
    with pytest.raises(LogError, match=says):
        from_case(points)


def test_traces_of_cases() -> None:
    points = [{"tp": 3, "ts": 1, "events": [{"pred": "p", "args": [1]}, {"pred": "p", "args": [2]}]}]
    assert from_case(points) == [TimePoint(3, 1, {"p": [(1,), (2,)]})]
