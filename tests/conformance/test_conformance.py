"""The conformance cases of the kinds temporal and logic, answered by run.py as anybody would run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance import check_case, run
from tallybook.formula.exhaustive import evaluated

Json = Any
HERE = Path(__file__).parent
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / "cases").glob("*.json"))}
ANSWERED = [name for name, case in CASES.items() if case["kind"] in ("temporal", "logic")]


def items(answers: Json) -> Json:
    return answers["items"]


def test_all_cases_are_here() -> None:
    assert len(CASES) == 8
    assert sum(check_case.compare(CASES[name], {}).total for name in ANSWERED) == 29


@pytest.mark.parametrize("name", ANSWERED)
def test_every_answer_is_the_published_one(name: str) -> None:
    found = check_case.compare(CASES[name], run.answers(CASES[name]))
    assert found.wrong == ()
    assert found.right == found.total > 0


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_in_the_case_are_not_read(name: str) -> None:
    blind = check_case.blind(CASES[name])
    assert run.answers(json.loads(json.dumps(blind))) == run.answers(CASES[name])


@pytest.mark.parametrize("name", [name for name in ANSWERED if "traces" in CASES[name]])
def test_the_evaluator_of_finished_traces_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "watched", evaluated)
    assert check_case.compare(CASES[name], run.answers(CASES[name])).wrong == ()


def test_the_script_as_it_is_called(tmp_path: Path) -> None:
    case, out = tmp_path / "case.json", tmp_path / "out.json"
    case.write_text(json.dumps(check_case.blind(CASES[ANSWERED[0]])), "utf-8")
    call = [sys.executable, str(HERE / "run.py"), str(case), "--answers", str(out)]
    assert subprocess.run(call, check=False).returncode == 0
    answered = CASES[ANSWERED[0]]
    assert check_case.compare(answered, json.loads(out.read_text("utf-8"))).wrong == ()


def test_what_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case, out = tmp_path / "case.json", tmp_path / "out.json"
    for text in ("{", '{"kind": "contract"}', "[]"):
        case.write_text(text, "utf-8")
        assert run.main([str(case), "--answers", str(out)]) == 2
        assert str(case) in capsys.readouterr().err
    assert run.main([str(tmp_path / "none.json"), "--answers", str(out)]) == 2
    assert not out.exists()


def temporal(formula: Json, trace: Json, **more: Json) -> Json:
    case = {"kind": "temporal", "traces": {"T": trace}, "items": [{"id": "it", "formula": formula, "trace": "T", **more}]}
    return items(run.answers(case))["it"]


def sat(answer: Json) -> list[Json]:
    return [row["sat"] for row in answer["expected"]]


P_X = {"pred": "P", "args": ["?x"]}
R_XY = {"pred": "R", "args": ["?x", "?y"]}
TRACE = [
    {"tp": 0, "ts": 1, "events": [{"pred": "P", "args": [1]}, {"pred": "R", "args": [1, "a"]}]},
    {"tp": 1, "ts": 1, "events": [{"pred": "R", "args": ["a", "a"]}]},
    {"tp": 2, "ts": 2.5, "events": []},
]


def test_order_and_names_of_variables() -> None:
    assert sat(temporal(R_XY, TRACE, vars=["y", "x"])) == [[["a", 1]], [["a", "a"]], []]
    assert sat(temporal(R_XY, TRACE, vars=["?x"])) == [[[1]], [["a"]], []]
    assert sat(temporal(R_XY, TRACE)) == [[[1, "a"]], [["a", "a"]], []]
    assert sat(temporal(R_XY, TRACE, vars=[])) == [True, True, False]


def test_a_variable_that_does_not_occur_takes_every_value() -> None:
    assert sorted(map(repr, sat(temporal(P_X, TRACE, vars=["x", "z"]))[0])) == ["[1, 'a']", "[1, 1]"]


def test_formulas_that_no_monitor_takes() -> None:
    assert sat(temporal({"op": "not", "arg": P_X}, TRACE, vars=["x"]))[0] == [["a"]]
    assert sorted(sat(temporal({"op": "not", "arg": P_X}, TRACE, vars=["x"]))[1], key=repr) == [["a"], [1]]


def test_repeated_variables_and_empty_traces() -> None:
    twice = {"pred": "R", "args": ["?x", "?x"]}
    assert sat(temporal(twice, TRACE, vars=["x"])) == [[], [["a"]], []]
    assert temporal(twice, [], vars=["x"]) == {"expected": [], "undetermined": []}


def test_a_faulty_item_does_not_spoil_the_others() -> None:
    bad = {"op": "eventually", "lo": 0, "hi": None, "arg": P_X}
    case: Json = {"kind": "temporal", "traces": {"T": TRACE}}
    case["items"] = [{"id": "bad", "formula": bad, "trace": "T"}, {"formula": P_X, "formula_ascii": "P(x)", "trace": "T"}]
    case["items"] += [{"id": "lost", "formula": P_X, "trace": "U"}, {"id": "no formula"}]
    found = items(run.answers(case))
    assert "upper bound" in found["bad"]["not_covered"]
    assert "U" in found["lost"]["not_covered"]
    assert sat(found["P(x)"]) == [[[1]], [], []]
    assert len(found) == 3


def test_the_example_of_numeric_signals() -> None:
    formula = {"op": "eventually", "lo": 0, "hi": 1, "arg": {"pred": "d", "args": []}}
    case: Json = {
        "kind": "temporal",
        "threshold": {"d": 2},
        "signals": {"S": [{"t": 0, "d": 5}, {"t": 4, "d": 1}, {"t": 10, "end": True}]},
    }
    probes = [[2.5, None], [3.5, None], [4.5, None], [9.5, None]]
    case["items"] = [{"formula": formula, "formula_ascii": "F d", "signal": "S", "probes": probes}]
    assert items(run.answers(case))["F d"]["probes"] == [[2.5, True], [3.5, True], [4.5, False], [9.5, None]]


def test_other_connectives() -> None:
    tables: Json = {
        "iff": [[True, None, None], [False, False, None]],
        "and": [[True, True, False, None]],
        "NAND": [[False, None, None]],
    }
    tables |= {"or": [["error", True, None], ["error", False, None]], "perhaps": [[True, True, None]]}
    found = run.answers({"kind": "logic", "tables": tables, "not": [["unknown", None]]})
    assert found["tables"]["iff"] == [[True, None, None], [False, False, True]]
    assert found["tables"]["and"] == [[True, True, False, False]]
    assert found["tables"]["NAND"] == [[False, None, True]]
    assert found["tables"]["or"] == [["error", True, True], ["error", False, "error"]]
    assert "perhaps" in found["tables"]["perhaps"]["not_covered"]
    assert found["not"] == [["unknown", "unknown"]]


def test_the_comparison_finds_what_is_wrong() -> None:
    case = CASES[ANSWERED[0]]
    right = run.answers(case)
    key = check_case.key_of(check_case.asked(case)[0])
    broken: Json = [
        {"not_covered": "too hard"},
        None,
        {"expected": [], "undetermined": []},
        {**items(right)[key], "undetermined": [99]},
    ]
    for answer in broken:
        found = check_case.compare(case, {"items": {**items(right), key: answer}})
        assert found.right == found.total - 1
        assert found.wrong[0].startswith(key)
