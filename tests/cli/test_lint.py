"""`tallybook agreement lint`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import EXAMPLE
from tallybook.cli.lint import command
from tallybook.errors import CaseFaultsError, TallybookError


def run(*arguments: object) -> int:
    result: int = command.main(args=[str(a) for a in arguments], prog_name="lint", standalone_mode=False)
    return result


def restated(folder: Path, condition: str) -> Path:
    path = folder / "agreement.yaml"
    change = f"""  - in: "1189"
    n: 9
    made: 1962-11-03T20:44-05:00
    op: restate
    target: "@one-voice"
    text: {{1189: "We have good evidence"}}
    value:
      kind: duty
      in: "1189"
      owed: {{by: US-negotiators, to: US}}
      text:
        1189: "that we speak as one voice"
      maintain: {condition}

facts:
"""
    path.write_text(path.read_text("utf-8").replace("\nfacts:\n", "\n" + change, 1), "utf-8")
    return folder


def test_warnings_and_notes_are_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(EXAMPLE) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("Warnings (5)\nagreement.yaml:")
    assert "\nNotes (" in shown.out
    assert shown.out.splitlines()[-1].startswith("0 errors, 5 warnings, ")
    assert shown.err == ""


def test_json(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(EXAMPLE, "--json", "--trials", 3, "--seed", 4) == 0
    found: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    assert list(found) == ["findings", "errors", "stages", "restated", "trials", "seed"]
    assert (found["errors"], found["restated"], found["trials"], found["seed"]) == (0, [], 3, 4)
    assert list(found["findings"][0]) == ["rule", "severity", "file", "line", "address", "what", "do"]
    assert [row["line"] for row in found["findings"]] == sorted(row["line"] for row in found["findings"])


@pytest.mark.slow
def test_a_restatement_that_changes_something_is_an_error(copy: Callable[[], Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder = restated(copy(), "not contradicts(our-statements, guidance) and not contradicts(our-cables, guidance)")
    assert run(folder, "--trials", 12, "--seed", 1) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("Errors (1)\n")
    assert "restating @one-voice changes the duty @one-voice" in shown
    assert "contradicts(our-cables, guidance) from" in shown
    assert "1189#9 restates @one-voice: compared at " in shown
    assert "Generated evidence: 12 trials, seed 1." in shown


def test_one_that_changes_only_words_is_none(copy: Callable[[], Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(restated(copy(), "not contradicts(our-statements, guidance)")) == 0
    assert "1189#9 restates @one-voice: only its words differ." in capsys.readouterr().out


def test_a_date_is_kept_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(EXAMPLE, "--on", "1962-11-05") == 0
    assert "bomber-withdrawal" not in capsys.readouterr().out


def test_unusable_input_says_so(copy: Callable[[], Path], tmp_path: Path) -> None:
    with pytest.raises(CaseFaultsError, match="fault"):
        run(tmp_path / "nowhere")
    with pytest.raises(TallybookError, match="not a date"):
        run(EXAMPLE, "--on", "tomorrow")
    folder = copy()
    (folder / "agreement.yaml").write_text("agreement: [", "utf-8")
    with pytest.raises(CaseFaultsError, match="fault"):
        run(folder)
