"""A desk with a ledger in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.desk_of import DeskOf, set_up


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> DeskOf:
    """The example with a ledger."""
    made = DeskOf(set_up(tmp_path, monkeypatch), capsys)
    made.run("ledger", "init", str(made.folder))
    return made
