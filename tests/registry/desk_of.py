"""A copy of the example with a ledger, driven through the command line as a user would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from support import EXAMPLE
from tallybook.cli.main import main

NEW = {
    "id": "OBS-900",
    "reported_at": "1962-11-02",
    "observed_from": "1962-11-01",
    "observed_to": "1962-11-01",
    "source_id": "S-CIA-0903",
    "method": "aerial_photography",
    "observer": "desk",
    "place": "Mariel",
    "item_class": "mrbm_missile",
    "stage": "embarked",
    "count": "3",
    "statement": "=3 missiles on deck",
    "grade": "B2",
    "citation": "test",
    "basis": "page",
}


class DeskOf:
    """A desk: its case folder, and what its commands print. Keys and the user's name are its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], database: str = "") -> None:
        self.folder, self._capsys = folder, capsys
        self.database = database

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run a command; returns what it printed on standard output and error."""
        self._capsys.readouterr()
        code = main([str(one) for one in arguments])
        out = self._capsys.readouterr()
        assert code == expect, out.out + out.err
        return out.out + out.err

    def json(self, *arguments: str, expect: int = 0) -> Any:
        """Run a command with --json; returns what it printed on standard output."""
        self._capsys.readouterr()
        code = main([*(str(one) for one in arguments), "--json"])
        out = self._capsys.readouterr()
        assert code == expect, out.out + out.err
        return json.loads(out.out)

    def add(self, table: str = "observations", **fields: str) -> str:
        """File one row."""
        row = {**NEW, **fields} if table == "observations" else fields
        return self.run("report", "add", str(self.folder), table, *(f"{name}={value}" for name, value in row.items()))

    @property
    def key(self) -> str:
        """The ledger's public key."""
        return (self.folder / "ledger.vkey").read_text().strip()


def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str = "ours") -> Path:
    """A copy of the example, and an environment of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TALLYBOOK_AUTHOR", "analyst A")
    monkeypatch.delenv("TALLYBOOK_DATABASE", raising=False)
    monkeypatch.delenv("TALLYBOOK_KEY", raising=False)
    folder = tmp_path / name
    shutil.copytree(EXAMPLE, folder)
    return folder
