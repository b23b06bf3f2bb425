"""The ledger of a team: in PostgreSQL, with or without the case folder at hand."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import pytest

from registry.desk_of import NEW, DeskOf, set_up
from support import EXAMPLE, ROOT


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres_url: str) -> DeskOf:
    """The example, its ledger in a database."""
    folder = set_up(tmp_path, monkeypatch, f"case-{secrets.token_hex(4)}")
    monkeypatch.setenv("TALLYBOOK_DATABASE", postgres_url)
    made = DeskOf(folder, capsys)
    made.run("ledger", "init", str(folder))
    return made


def test_a_case_in_a_database(team: DeskOf, tmp_path: Path) -> None:
    assert not (team.folder / "ledger.db").exists()
    team.add()
    ours = team.json("board", str(team.folder), "--on", "1962-11-12")
    assert ours["receipt"]["checkpoint"]["note"] is not None
    assert "all fits" in team.run("ledger", "audit", str(team.folder))
    team.run("ledger", "prove", str(team.folder), "9", "-o", str(tmp_path / "e.tlog-proof"))
    assert "holds" in team.run("ledger", "verify", str(tmp_path / "e.tlog-proof"), "--key", team.key)
    team.run("ledger", "export", str(team.folder), str(tmp_path / "log"), "--tiles")
    assert "holds" in team.run("ledger", "verify", str(tmp_path / "log"), "--key", team.key)
    assert "accepted" in team.run("why", str(team.folder), "missiles_removed", "--on", "1962-11-12", "--check")


def test_a_colleague_without_the_folder(team: DeskOf, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / team.folder.name
    told = team.json("board", str(elsewhere), "--on", "1962-11-12")
    assert told["lines"] == team.json("board", str(team.folder), "--on", "1962-11-12")["lines"]
    row = [f"{name}={value}" for name, value in NEW.items()]
    team.run("report", "add", str(elsewhere), "observations", *row)
    assert "1 thing on file are not in the folder" in team.run("board", str(team.folder))


def test_a_reader_of_a_case_in_a_database(team: DeskOf, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "cuba-1962-invented" / "markings.yaml", team.folder)
    team.run("report", "import", str(team.folder), str(team.folder))
    elsewhere = tmp_path / "elsewhere" / team.folder.name
    told = team.json("board", str(elsewhere), "--on", "1962-11-12", "--as", "press")
    assert (told["marking"], told["receipt"]["checkpoint"]) == ("UNCLASSIFIED", None)
    assert "accepted" in team.run("why", str(elsewhere), "sam_sites", "--on", "1962-11-12", "--as", "mission", "--check")
    act = ["--by", "executive-committee", "--authority", "the test", "--reason", "a test", "--despite-mentions"]
    team.run("release", str(team.folder), str(tmp_path / "given"), "--to", "mission", *act)
    assert "holds: released to mission" in team.run("ledger", "verify", str(tmp_path / "given"), "--key", team.key)


def test_a_case_that_the_database_has_not_got_is_read_from_its_folder(team: DeskOf) -> None:
    assert team.json("board", str(EXAMPLE))["receipt"]["checkpoint"] is None


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://127.0.0.1:1/none", "postgresql://user:secret@127.0.0.1:1/none"])
def test_a_database_that_is_none(team: DeskOf, url: str) -> None:
    told = team.run("board", str(team.folder), "--database", url, expect=2)
    assert "secret" not in told
