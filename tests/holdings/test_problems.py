"""Every case with exact answers, through the reader and run.py; other cases of the same forms."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdings.run import main
from tallybook.holdings.answers import answers

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.name.removesuffix(".answers.json") for path in CASES.glob("*.answers.json"))
SLOW = {"C_large"}


def case(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return data


def tolerance(name: str) -> float:
    return 1e-9 if name.endswith("small") or name.startswith("D") else 1e-7


def hold(found: Any, wanted: Any, relative: float, where: str) -> None:
    """Every number of `wanted` is in `found`: to the relative error, or 1e-12 where it is smaller than that."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            assert key in found, f"{where}.{key}"
            hold(found[key], value, relative, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for k, value in enumerate(wanted):
            hold(found[k], value, relative, f"{where}[{k}]")
    else:
        assert found == pytest.approx(wanted, rel=relative, abs=1e-12), where


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in NAMES])
def test_a_case_comes_out(name: str) -> None:
    wanted = json.loads((CASES / f"{name}.answers.json").read_text("utf-8"))
    hold(answers(case(name), name), wanted, tolerance(name), name)


def run(data: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "case.json").write_text(json.dumps(data), "utf-8")
    command = [sys.executable, str(CASES.parent / "run.py"), "case.json", "--answers", "out.json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def written(folder: Path) -> Any:
    return json.loads((folder / "out.json").read_text("utf-8"))


def test_the_command_from_another_directory(tmp_path: Path) -> None:
    done = run(case("D_decoys"), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    hold(written(tmp_path), json.loads((CASES / "D_decoys.answers.json").read_text("utf-8")), 1e-9, "D_decoys")


def test_the_command_writes_the_same_bytes_twice(tmp_path: Path) -> None:
    out = []
    for k in range(2):
        path = tmp_path / f"{k}.json"
        assert main([str(CASES / "C_small.json"), "--answers", str(path)]) == 0
        out.append(path.read_bytes())
    assert out[0] == out[1]


def test_the_answers_go_to_the_standard_output_where_no_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CASES / "A_small.json")]) == 0
    assert json.loads(capsys.readouterr().out)["E_N"] == pytest.approx(26.236278494379018, rel=1e-9)


def test_answers_that_cannot_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(CASES / "A_small.json"), "--answers", str(tmp_path)]) == 2
    assert "give a file that can be written" in capsys.readouterr().err


# ---- what no state of the world can produce -------------------------------------------------------------------------------


def test_an_impossible_count_is_named_by_its_place(tmp_path: Path) -> None:
    data = case("C_small")
    data["rho"] = 0
    data["obs"] = [{"day": 0, "what": "site", "p": 0.7, "phi": 0, "y": 2}, {"day": 0, "what": "site", "p": 0.7, "phi": 0, "y": 6}]
    done = run(data, tmp_path)
    assert done.returncode == 0
    assert written(tmp_path) == {"impossible": True, "looks": ["obs[1]"]}


def test_impossible_counts_are_named_by_their_ids() -> None:
    data = case("D_crates")
    data["classes"][0]["rho"] = 0
    data["obs"] = [
        {"id": "photo", "day": 0, "what": "site", "p": 1, "y": 3},
        {"id": "harmless", "day": 0, "what": "site", "p": 0.5, "y": 1},
        {"id": "quay", "day": 3, "what": "flow", "p": 0.9, "y": 4},
    ]
    found = answers(data, "")
    assert found["impossible"] is True
    assert sorted(found["looks"]) == ["photo", "quay"]


def test_a_flow_on_day_0() -> None:
    data = case("C_small") | {"obs": [{"day": 0, "what": "flow", "p": 0.9, "phi": 0, "y": 1}]}
    assert answers(data, "") == {"impossible": True, "looks": ["obs[0]"]}
    data["obs"][0]["y"] = 0
    assert answers(data, "")["loglik"] == pytest.approx(0, abs=1e-12)


def test_impossible_counts_at_sites() -> None:
    data = case("B_small")
    data["theta"]["p"] = 1.0
    found = answers(data, "")
    assert found["impossible"] is True
    assert "y[0][0]" in found["looks"]


# ---- other cases of the forms ---------------------------------------------------------------------------------------------


def test_no_looks_is_the_prior() -> None:
    data = case("C_small")
    data["obs"] = []
    found = answers(data, "")
    assert found["loglik"] == pytest.approx(0, abs=1e-12)
    assert found["P_U"] == pytest.approx([0.6, 0.3, 0.1], rel=1e-12)
    assert found["E_R"][0] == pytest.approx(3.5, rel=1e-12)
    assert found["P_no_arrivals"] == pytest.approx(2.718281828459045**-0.3, rel=1e-12)


def test_nothing_declared_and_zeros_only() -> None:
    data = case("C_small") | {"D": 0, "pi": [1.0], "rho": 0}
    for one in data["obs"]:
        one["y"] = 0
    found = answers(data, "")
    assert found["loglik"] == pytest.approx(-sum(one["phi"] for one in data["obs"]), rel=1e-12)
    assert found["E_R"] == [0.0] * 7
    assert found["P_R0"] == [1.0] * 7
    assert found["P_R_T"] == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert found["P_U"] == [1.0]
    assert found["P_no_arrivals"] == 1.0


def test_one_day_only() -> None:
    data = case("C_small") | {"T": 0}
    data["obs"] = data["obs"][:1]
    found = answers(data, "")
    assert len(found["E_R"]) == len(found["P_R0"]) == 1
    assert found["P_no_arrivals"] == 1.0


def test_a_form_with_other_stages() -> None:
    data = {
        "problem": "D",
        "T": 3,
        "stages": ["shed", "yard"],
        "classes": [{"name": "x", "D": 2, "pi": [1], "q": [1, 1], "rho": 0}],
        "obs": [{"day": 1, "what": "yard", "p": 0.5, "y": 2}, {"day": 2, "what": "flow", "p": 0.5, "y": 1}],
    }
    found = answers(data, "")
    assert found["loglik"] == pytest.approx(-2.0794415416798357, rel=1e-12)  # 1/4 and 1/2
    assert found["classes"]["x"]["E_R"] == pytest.approx([2, 2, 0, 0], abs=1e-12)
    assert found["P_none_left"] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", ["A_small", "A_medium"])
def test_the_order_of_sites_and_of_visits_changes_nothing(name: str) -> None:
    data = case(name)
    other = data | {"y": [row[::-1] for row in data["y"][::-1]]}
    hold(answers(other, ""), answers(data, ""), 1e-10, name)


@pytest.mark.parametrize("y", [[], [[]], [[0]], [[0, 0], [0, 0]], [[7]], [[0], [900]]])
def test_closed_counts_of_other_sizes(y: list[list[int]]) -> None:
    found = answers(case("A_small") | {"y": y}, "")
    assert all(abs(value) < 1e6 for value in found.values())
    assert found["E_N"] >= max((count for row in y for count in row), default=0)
    if not any(y):
        assert found["log_evidence"] == pytest.approx(0, abs=1e-9)
        assert found["E_p"] == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize("y", [[], [[[]]], [[[0]]], [[[0, 0]], [[0, 0]]], [[[4], [None], [0]]]])
def test_open_counts_of_other_sizes(y: list[Any]) -> None:
    found = answers(case("B_small") | {"y": y}, "")
    assert found["E_N_T"] >= 0
    assert 0 <= found["P_no_arrivals"] <= 1
    assert found["loglik"] <= 1e-12
