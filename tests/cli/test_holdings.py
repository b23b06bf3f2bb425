"""tallybook holdings: forms of the answer, names, errors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support import EXAMPLE, ROOT
from tallybook import desk
from tallybook.cli.main import main
from tallybook.holdings.engine import ImpossibleError
from tallybook.holdings.model import ModelError
from tallybook.verdicts import accounts

CASE = str(EXAMPLE)
DAY = ["--on", "1962-11-12"]
MAPS = {"sources"}


def out(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["holdings", *arguments]) == 0
    return capfd.readouterr().out


def test_without_an_item_every_quantity_is_told_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, CASE, *DAY)
    assert told.index("mrbm_missile: ") < told.index("il28_bomber: ")


def test_an_item_or_a_claim_may_be_named(capfd: pytest.CaptureFixture[str]) -> None:
    assert out(capfd, CASE, "mrbm_missile", *DAY) == out(capfd, CASE, "missiles_removed", *DAY)
    assert "il28_bomber: " not in out(capfd, CASE, "mrbm_missile", *DAY)


def test_an_item_of_two_claims_gives_both(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "case"
    desk.new_case(folder, "destruction")
    found = json.loads(out(capfd, str(folder), "mortar_round", "--json"))
    assert [a["claim"] for a in found["holdings"]] == ["all_rounds_destroyed", "north_rounds_destroyed"]
    assert len(json.loads(out(capfd, str(folder), "north_rounds_destroyed", "--json"))["holdings"]) == 1


def test_a_pipe_gets_plain_text() -> None:
    command = [sys.executable, "-m", "tallybook.cli.main", "holdings", "examples/cuba-1962", "mrbm_missile", *DAY]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert b"\x1b" not in told.stdout
    assert "≥ 5".encode() in told.stdout
    assert b"42 missiles declared (OBS-123): 42 out" in told.stdout


def test_needs_no_heavy_import() -> None:
    code = (
        "import sys; from tallybook.cli.main import main; main(['holdings', 'examples/cuba-1962', '--json']);"
        "heavy = ('scipy', 'numba', 'polars', 'pandas', 'rich', 'jinja2');"
        "print([m for m in heavy if m in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stderr.strip() == "[]"


def fields(node: Any) -> set[str]:
    if isinstance(node, list):
        return {key for item in node for key in fields(item)}
    if not isinstance(node, dict):
        return set()
    return set(node) | {key for name, value in node.items() if name not in MAPS for key in fields(value)}


@pytest.mark.parametrize("on", ["1962-11-03", "1962-11-12", "1963-01-08"])
def test_every_field_of_json_is_documented(on: str, capfd: pytest.CaptureFixture[str]) -> None:
    found = json.loads(out(capfd, CASE, "--json", "--on", on))
    page = (ROOT / "docs" / "reference" / "json.md").read_text("utf-8")
    section = page.split("## holdings --json")[1].split("\n## ")[0]
    shared = page.split("### receipt")[1].split("\n## ")[0]
    named = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`\n]+)`", section + shared))))
    assert fields(found) - named == set()


def test_json_is_plain(capfd: pytest.CaptureFixture[str]) -> None:
    found = json.loads(out(capfd, CASE, "mrbm_missile", "--json", *DAY))
    assert (found["case"], found["on"], found["reading"]) == ("cuba-1962", "1962-11-12T23:59:59-05:00", "plain")
    one = found["holdings"][0]
    assert one["form"] == "totals"
    assert isinstance(one["declared"], int)
    assert 0 < one["p_none_left"] < 1
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-05:00", band["day"]) for band in one["bands"])
    assert found["receipt"]["engine"].startswith("tallybook")


def test_markdown_gives_every_report_that_was_not_used(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, CASE, "mrbm_missile", "--md", *DAY)
    assert told.startswith("# mrbm\\_missile: ")
    assert "| Labinsk | 2 | 0 | -2 | US Navy | OBS-143 |" in told
    assert "| OBS-157 | " in told


def test_a_picture_is_written_and_nothing_else_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["holdings", CASE, "mrbm_missile", *DAY, "--plot", str(tmp_path / "a.svg")]) == 0
    told = capfd.readouterr()
    assert told.out == ""
    assert "wrote " in told.err
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg ")
    assert main(["holdings", CASE, *DAY, "--json", "--plot", str(tmp_path / "b.svg")]) == 0
    assert json.loads(capfd.readouterr().out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "b-il28_bombers.svg", "b-missiles_removed.svg"]


def test_a_case_without_a_quantity_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    desk.new_case(tmp_path / "case", "embargo")
    assert out(capfd, str(tmp_path / "case")) == "No claim of this case is about a quantity.\n"
    assert json.loads(out(capfd, str(tmp_path / "case"), "--json"))["holdings"] == []


def test_a_reading_that_does_not_cover_the_item_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, CASE, "il28_bomber", "--reading", "ussr", *DAY)
    assert "Under this reading nothing is owed here" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([CASE, "tank"], ["no account of 'tank'", "mrbm_missile", "il28_bomber", "missiles_removed"]),
        ([CASE, "--json", "--md"], ["one answer has one form"]),
        ([CASE, "--plot", "x.png"], ["--plot", "ends in .svg"]),
        ([CASE, "--plot", "/no/such/folder/x.svg"], ["cannot be written"]),
        ([CASE, "--on", "1962-02-30"], ["--on", "does not exist"]),
        ([CASE, "--reading", "martian"], ["--reading"]),
        (["no-such-folder"], ["no such folder"]),
    ],
)
def test_unusable_arguments(arguments: list[str], words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["holdings", *arguments]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert all(word in told.err for word in words)
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ModelError("an account of 9,000,000 would need too much", where="holdings", do="count in batches"),
            ["count in batches"],
        ),
        (ImpossibleError(["OBS-1", "OBS-2"]), ["OBS-1, OBS-2 clash", "one of them must be wrong"]),
    ],
)
def test_an_account_that_cannot_be_drawn_up(
    error: Exception, words: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(accounts, "holding_of", refuse)
    assert main(["holdings", CASE, "mrbm_missile", *DAY]) == 2
    told = capfd.readouterr().err
    assert all(word in told for word in ["missiles_removed", *words])


def test_ten_million_things_are_refused_with_the_memory_they_would_need(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "case"
    desk.new_case(folder, "withdrawal")
    table = folder / "reports" / "observations.csv"
    table.write_text(table.read_text("utf-8").replace(",howitzer,deployed,30,", ",howitzer,deployed,10000000,"), "utf-8")
    assert main(["holdings", str(folder)]) == 2
    told = capfd.readouterr().err
    assert "10,000,000" in told
    assert "GB" in told


PROBLEM = {"problem": "C", "D": 3, "pi": [1.0], "T": 2, "q": [0.5, 0.5, 0.5], "rho": 0.0, "obs": []}


def problem(tmp_path: Path, **changes: object) -> str:
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(PROBLEM | changes), "utf-8")
    return str(file)


def test_a_problem_by_itself(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["holdings", problem(tmp_path)]) == 0
    found = json.loads(capfdbinary.readouterr().out)
    assert found["loglik"] == pytest.approx(0, abs=1e-12)
    # Three hops need three days: on day 2 nothing can be out.
    assert found["E_R"] == pytest.approx([3, 3, 3])


def test_looks_that_clash_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    look = {"day": 1, "what": "site", "p": 0.9, "phi": 0, "y": 7}
    assert main(["holdings", problem(tmp_path, obs=[look])]) == 2
    assert "no state of the world gives these counts: obs[0] clash" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"obs": [{"day": 1, "what": "site", "p": 0.9, "phi": 0, "y": -1}]}, "a count cannot be negative"),
        ({"obs": [{"day": 1, "what": "site", "p": 0.9, "phi": 0, "y": 1.5}]}, "whole numbers"),
        ({"pi": [0.5, 0.4]}, "not to one"),
        ({"D": None}, "problem.json"),
        ({"problem": "Z"}, "problem.json"),
    ],
)
def test_a_problem_that_makes_no_sense(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], changes: dict[str, object], words: str
) -> None:
    assert main(["holdings", problem(tmp_path, **changes)]) == 2
    assert words in capfd.readouterr().err


def test_a_problem_takes_no_dates(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["holdings", problem(tmp_path), "--on", "1962-11-12"]) == 2
    assert "leave all but --json out" in capfd.readouterr().err


def test_a_problem_that_cannot_be_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{\n  broken", "utf-8")
    assert main(["holdings", str(file)]) == 2
    assert "broken.json:2" in capfd.readouterr().err
    assert main(["holdings", str(tmp_path / "nothing.json")]) == 2
