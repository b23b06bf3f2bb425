"""`tallybook new`: every template is a whole case that answers, and what cannot be written is refused whole."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from support import answer
from tallybook import desk
from tallybook.casefile import new
from tallybook.casefile.new import TEMPLATES, new_case
from tallybook.cli.main import main
from tallybook.errors import TallybookError

REPORTS = ("observations", "commitments", "measures", "incidents", "vessels", "sources", "bearings")
FILES = {"agreement.yaml", "items.yaml", "markings.yaml", "places.csv", *(f"reports/{name}.csv" for name in REPORTS)}


def verdicts(folder: Path, on: str | None = None) -> dict[str, Any]:
    return {line["id"]: line["verdict"] or line["state"] for line in answer(desk.open_case(folder), on)["lines"]}


@pytest.fixture
def made(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "my-case"
    new_case(folder, request.param)
    return folder


each_template = pytest.mark.parametrize("made", TEMPLATES, indirect=True)


@each_template
def test_a_template_passes_check_without_notes(made: Path) -> None:
    read = desk.check_case(made)
    assert read.faults == []
    assert read.notes == []
    assert read.case is not None
    assert read.case.name == read.case.agreement.agreement == "my-case"


@each_template
def test_a_template_draws_a_board_that_tells_things_apart(made: Path) -> None:
    board = answer(desk.open_case(made))
    words = {line["verdict"] for line in board["lines"] if line["verdict"]}
    assert len(words) >= 2
    assert all(line["supporting"] or line["against"] for line in board["lines"])
    assert board["owed"]
    assert any(row["state"] == "not yet owed" and row["waits_for"] for row in board["owed"])
    assert all(m["standing"] in ("permitted", "required") for m in board["measures"])


@each_template
def test_a_template_is_small_and_its_placeholder_is_gone(made: Path) -> None:
    read = desk.open_case(made)
    assert 3 <= len(read.agreement.claims) <= 5
    assert 6 <= len(read.evidence.reports) <= 12
    assert 2 <= len(read.evidence.bearings) <= 4
    assert not any("CASE_NAME" in path.read_text("utf-8") for path in made.rglob("*.*"))


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_was_written_is_returned(tmp_path: Path, template: str) -> None:
    folder = tmp_path / "my-case"
    written = new_case(folder, template)
    assert {str(p.relative_to(folder)) for p in written if p.parent.name != "sources"} == FILES
    assert all(p.is_file() for p in written)
    assert sorted(p for p in folder.rglob("*") if p.is_file()) == written


BOARDS = {
    "removal": {
        "launchers_removed": "supported",
        "carriages_removed": "claimed",
        "sites_broken_up": "supported",
        "none_returned": "indicated",
        "sea_patrols": "active",
    },
    "embargo": {
        "ships_inspected": "contradicted",
        "none_by_sea": "indicated",
        "land_route": "indicated",
        "port_inspection": "active",
        "river_crossing": "relief_only",
    },
    "withdrawal": {
        "north_howitzers_back": "verified",
        "north_mortars_back": "contradicted",
        "south_howitzers_back": "claimed",
        "reserve": "ready",
    },
    "destruction": {
        "all_rounds_destroyed": "contradicted",
        "north_rounds_destroyed": "verified",
        "east_rounds_destroyed": "contradicted",
        "machines_destroyed": "claimed",
        "fund": "held",
    },
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_boards_say_what_the_reports_say(tmp_path: Path, template: str) -> None:
    new_case(tmp_path / "c", template)
    assert verdicts(tmp_path / "c") == BOARDS[template]


def test_removal_on_an_earlier_day(tmp_path: Path) -> None:
    """Eight of twelve counted out and four seen at a site: not all are out."""
    new_case(tmp_path / "c", "removal")
    assert verdicts(tmp_path / "c", "2031-03-20")["launchers_removed"] == "contradicted"


def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my-case"]) == 0
    told = capfd.readouterr().out
    assert "wrote my-case/agreement.yaml" in told
    assert told.endswith("tallybook check my-case\n  tallybook board my-case\n")
    assert main(["check", "my-case"]) == 0
    assert main(["board", "my-case"]) == 0
    assert "Launchers removed" in capfd.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["my-case"]


@pytest.mark.parametrize("name", ["2031", "007", "1.5", "1e3", "yes", "null", "true", "2031-05-01", "a.b_c-d", "0x1F"])
def test_any_name_that_can_be_an_id_stays_as_it_is(tmp_path: Path, name: str) -> None:
    new_case(tmp_path / name, "destruction")
    assert desk.open_case(tmp_path / name).name == name


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    new_case(tmp_path / "c", "embargo")
    assert desk.check_case(tmp_path / "c").faults == []


def refused(folder: Path, template: str = "removal") -> TallybookError:
    with pytest.raises(TallybookError) as caught:
        new_case(folder, template)
    error = caught.value
    assert error.what
    assert error.where
    assert error.do
    return error


def test_unknown_template(tmp_path: Path) -> None:
    error = refused(tmp_path / "c", "treaty")
    assert all(name in error.do for name in TEMPLATES)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine.txt").write_text("mine", "utf-8")
    assert "not empty" in refused(tmp_path / "c").what
    assert [p.name for p in tmp_path.rglob("*")] == ["c", "mine.txt"]
    assert (tmp_path / "c" / "mine.txt").read_text("utf-8") == "mine"


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("mine", "utf-8")
    assert "no folder" in refused(tmp_path / "c").what
    assert (tmp_path / "c").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["a case", "-c", ".hidden", "cäse", "a:b", 'a"b', "x" * 101])
def test_a_name_that_cannot_be_an_id(tmp_path: Path, name: str) -> None:
    assert "cannot name a case" in refused(tmp_path / name).what
    assert list(tmp_path.iterdir()) == []


def test_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c").mkdir()
    monkeypatch.chdir(tmp_path / "c")
    assert "folder you are in" in refused(Path()).what


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    for folder in (tmp_path / "nowhere" / "c", tmp_path / "file" / "c"):
        assert "cannot be written" in refused(folder).what
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_nothing_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.write_bytes
    seen: list[Path] = []

    def full_disk(self: Path, data: bytes) -> int:
        seen.append(self)
        if len(seen) == 4:
            raise OSError(28, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    assert "No space left" in refused(tmp_path / "c").what
    assert len(seen) == 4
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_the_last_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", no)
    assert "Permission denied" in refused(tmp_path / "c").what
    assert list(tmp_path.iterdir()) == []


def test_refusals_on_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "c"), "--template", "treaty"]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert all(name in told.err for name in TEMPLATES)
    assert list(tmp_path.iterdir()) == []


def test_templates_are_the_folders_shipped() -> None:
    folder = Path(new.__file__).parent / "templates"
    assert {p.name for p in folder.iterdir() if p.is_dir()} == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_as_shipped_is_a_case_too(tmp_path: Path, template: str) -> None:
    shutil.copytree(Path(new.__file__).parent / "templates" / template, tmp_path / "c")
    assert desk.check_case(tmp_path / "c").faults == []
