"""tallybook why --check: the count, the complaints, the exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from support import EXAMPLE
from tallybook import desk
from tallybook.cli.main import main
from tallybook.verdicts.inquiry import Inquiry

ASKED = ["why", str(EXAMPLE), "submarine_facility", "--on", "1962-11-12", "--check"]


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Explanations whose first step says another verdict than the rules give."""
    right = desk.why

    def other(inquiry: Inquiry, name: str) -> Any:
        answer = right(inquiry, name)
        tree = answer.trees[0]
        return replace(answer, trees=(replace(tree, facts={**tree.facts, "verdict": "verified"}),))

    monkeypatch.setattr(desk, "why", other)


def test_accepted(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(ASKED) == 0
    last = capfd.readouterr().out.splitlines()[-1]
    assert last.startswith("checked: ")
    assert last.endswith(" leaves, accepted")


def test_accepted_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)["check"]
    assert found["complaints"] == []
    assert found["steps"] > found["leaves"] > 0


@pytest.mark.usefixtures("wrong")
def test_complaints_say_where_and_what(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(ASKED) == 1
    told = capfd.readouterr().out
    assert "at 0 (ladder): verdict: expected " in told
    assert "found verified" in told


@pytest.mark.usefixtures("wrong")
def test_complaints_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*ASKED, "--json"]) == 1
    complaints = json.loads(capfd.readouterr().out)["check"]["complaints"]
    assert {"path": "0", "rule": "ladder", "what": "verdict"}.items() <= complaints[0].items()


def test_without_check_nothing_is_checked(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(ASKED[:-1]) == 0
    assert "checked:" not in capfd.readouterr().out
