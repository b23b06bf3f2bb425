"""Other people's vectors, through the script that answers any folder of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support import ROOT

FOLDER = ROOT / "tests" / "vectors" / "tlog"
SCRIPT = ROOT / "tests" / "vectors" / "run.py"


def run(folder: Path) -> dict[str, dict[str, Any]]:
    done = subprocess.run([sys.executable, str(SCRIPT), str(folder)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr == ""
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    return run(FOLDER)


def is_right(got: Any, want: Any) -> bool:
    if isinstance(want, dict) and "any" in want:
        return any(is_right(got, one) for one in want["any"])
    return type(got) is type(want) and bool(got == want)


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.json")))
def test_every_case_of_a_file(found: dict[str, dict[str, Any]], name: str) -> None:
    want = json.loads((FOLDER / "answers" / name).read_text("utf-8"))["answers"]
    assert want
    assert {case: found[name].get(case) for case in want if not is_right(found[name].get(case), want[case])} == {}


def test_the_script_reads_inputs_only(found: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    for path in FOLDER.glob("*.json"):
        (tmp_path / f"renamed-{path.name}").write_bytes(path.read_bytes())
    assert run(tmp_path) == {f"renamed-{name}": answers for name, answers in found.items()}


def test_files_and_cases_that_are_none(tmp_path: Path) -> None:
    files: dict[str, str] = {
        "no-form.json": '{"cases": []}',
        "other-form.json": '{"form": "other", "cases": [{"name": "a"}]}',
        "list.json": "[]",
        "not.json": "{",
        "deep.json": "[" * 100_000,
        "empty-case.json": json.dumps(
            {"form": "vkey", "cases": [{"name": "a"}, {"name": "b", "vkey": None}, {"name": "c", "vkey": "\ud800"}]}
        ),
        "jcs.json": json.dumps(
            {"form": "jcs", "cases": [{"name": "a", "input": '{"a":1,"a":2}'}, {"name": "b", "input": "9007199254740993"}]}
        ),
        "witness.json": '{"form": "witness", "log_public_key_hex": "zz", "cases": []}',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    found = run(tmp_path)
    assert {name: {} for name in found} | {
        "empty-case.json": dict.fromkeys("abc", "refused"),
        "jcs.json": {"a": "refused", "b": "9007199254740992"},
    } == found
    assert set(found) == set(files)


def test_the_script_wants_one_folder() -> None:
    for arguments in ([], ["/nowhere"], [str(FOLDER), str(FOLDER)]):
        done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
