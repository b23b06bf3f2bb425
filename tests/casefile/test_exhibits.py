"""Exhibits on disk: every file is what its name says or a fault, and nothing in the folder is opened, followed or waited for."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import pytest

from casefile.pictures import png, wav
from support import ROOT
from tallybook import desk
from tallybook.casefile import exhibit_tables, exhibits
from tallybook.casefile.exhibits import check_files, custody_notes, hash_file, held_file, state_of
from tallybook.casefile.read import read_case
from tallybook.cli.main import main
from tallybook.errors import Fault

SECOND_READERS = ROOT / "tests" / "cases" / "second-readers" / "case"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SECOND_READERS, tmp_path / "case"))


def named(folder: Path, ending: str = "png") -> Path:
    return next((folder / "exhibits").glob(f"*.{ending}"))


def held(folder: Path) -> tuple[list[Fault], list[Fault]]:
    case = read_case(folder).case
    assert case is not None
    return check_files(folder, case.evidence.exhibits)


def keep(folder: Path, data: bytes, ending: str = "bin", name: str = "") -> Path:
    path = folder / "exhibits" / f"{name or hashlib.sha256(data).hexdigest()}.{ending}"
    path.write_bytes(data)
    return path


def edit(folder: Path, table: str, name: str, **changes: str) -> None:
    """Change fields of the row of that id (the first column)."""
    path = folder / "reports" / f"{table}.csv"
    reader = csv.DictReader(io.StringIO(path.read_text("utf-8")))
    columns, rows = list(reader.fieldnames or ()), list(reader)
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, **changes} if row[columns[0]] == name else row for row in rows)
    path.write_text(out.getvalue(), "utf-8")


def add(folder: Path, table: str, row: str) -> None:
    path = folder / "reports" / f"{table}.csv"
    path.write_text(path.read_text("utf-8") + row + "\n", "utf-8")


def faults(folder: Path) -> list[tuple[str, str, str]]:
    return [(fault.file, fault.field, fault.what) for fault in read_case(folder).faults]


def test_the_files_of_the_case_are_those_drawn_here() -> None:
    kept = {path.read_bytes() for path in (SECOND_READERS / "exhibits").iterdir()}
    assert {png(1), png(3), wav()} <= kept
    assert len(kept) == 5


def test_every_file_gives_its_name_and_what_is_not_in_hand_is_a_note(folder: Path) -> None:
    found, notes = held(folder)
    assert found == []
    assert [(note.file, note.field, note.what) for note in notes] == [
        ("reports/exhibits.csv", "sha256", "EXH-5 is described and not in hand")
    ]


@pytest.mark.parametrize("at", [0, 10, -1])
def test_one_bit_changed_is_a_fault(folder: Path, at: int) -> None:
    path = named(folder)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))
    found, _ = held(folder)
    assert [(fault.file, "it has been changed" in fault.what) for fault in found] == [(f"exhibits/{path.name}", True)]
    assert state_of(folder, path.stem) == "changed"


def test_a_file_cut_off_and_one_emptied_are_faults(folder: Path) -> None:
    for path, data in ((named(folder), b""), (named(folder, "wav"), wav()[:-1])):
        path.write_bytes(data)
    assert len(held(folder)[0]) == 2


def test_a_file_without_a_row_is_a_note(folder: Path) -> None:
    path = keep(folder, b"more", "txt")
    found, notes = held(folder)
    assert found == []
    assert (f"exhibits/{path.name}", "no row describes it") in [(note.file, note.what) for note in notes]


@pytest.mark.parametrize(
    "name", ["gate.jpg", "README.md", ".hidden", "a\nb.png", "\x1b[2J.png", "A" * 64 + ".png", "0" * 63 + ".png"]
)
def test_a_file_not_named_by_a_hash_is_a_note_that_can_be_printed(folder: Path, name: str) -> None:
    (folder / "exhibits" / name).write_bytes(b"x")
    found, notes = held(folder)
    assert found == []
    told = [note for note in notes if "not named by a hash" in note.what]
    assert len(told) == 1
    assert str(told[0]).isprintable() or str(told[0]).count("\n") == 1
    assert "\x1b" not in str(told[0])


def test_a_name_that_is_not_text_is_a_note(folder: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder / "exhibits") + b"/\xff\xfe.png")).write_bytes(b"x")
    except OSError:  # a file system that takes only text
        return
    _, notes = held(folder)
    assert sum("not named by a hash" in note.what for note in notes) == 1
    str(notes).encode()


@pytest.mark.parametrize("ending", ["exe", "html", "js", "zip", "lnk", "svg"])
def test_an_ending_that_is_not_kept_is_a_fault(folder: Path, ending: str) -> None:
    keep(folder, b"x", ending)
    assert [fault.what for fault in held(folder)[0]] == [f"the ending {ending!r} is not kept"]


def test_the_same_bytes_twice_are_a_fault(folder: Path) -> None:
    path = named(folder)
    shutil.copy(path, path.with_suffix(".bin"))
    assert [fault.what[:18] for fault in held(folder)[0]] == ["the same bytes as "]


def test_another_ending_than_the_row_says_is_a_note(folder: Path) -> None:
    path = named(folder)
    path.rename(path.with_suffix(".jpg"))
    found, notes = held(folder)
    assert found == []
    assert any("filed as image/png, its file ends in .jpg" in note.what for note in notes)


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    path, secret = named(folder), tmp_path / "secret"
    secret.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(secret)
    assert [fault.what for fault in held(folder)[0]] == ["a link"]
    assert state_of(folder, path.stem) == "changed"


def test_a_link_that_leads_nowhere_and_one_to_itself(folder: Path) -> None:
    for path, target in ((named(folder), folder / "nothing"), (named(folder, "wav"), named(folder, "wav"))):
        path.unlink()
        path.symlink_to(target)
    assert [fault.what for fault in held(folder)[0]] == ["a link", "a link"]


def test_a_linked_folder_is_not_read(folder: Path, tmp_path: Path) -> None:
    (folder / "exhibits").rename(tmp_path / "elsewhere")
    (folder / "exhibits").symlink_to(tmp_path / "elsewhere")
    assert [(fault.file, fault.what) for fault in held(folder)[0]] == [("exhibits", "a link")]
    assert state_of(folder, next((tmp_path / "elsewhere").glob("*.png")).stem) == "changed"


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    path = named(folder)
    path.unlink()
    os.mkfifo(path)
    assert [fault.what for fault in held(folder)[0]] == ["not a file"]


def test_a_folder_of_that_name_is_no_file(folder: Path) -> None:
    path = named(folder)
    path.unlink()
    path.mkdir()
    assert [fault.what for fault in held(folder)[0]] == ["not a file"]


def test_a_file_in_place_of_the_folder(folder: Path) -> None:
    shutil.rmtree(folder / "exhibits")
    (folder / "exhibits").write_text("x")
    found, _ = held(folder)
    assert [fault.file for fault in found] == ["exhibits"]


def test_a_file_over_the_limit_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as out:
        out.truncate(5_000_000)
    with pytest.raises(exhibits.HashError, match="larger than 2,000,000 bytes"):
        hash_file(path, 2_000_000)
    assert hash_file(path, 5_000_000) == hashlib.sha256(bytes(5_000_000)).hexdigest()


def test_too_many_files_are_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhibits, "MOST_FILES", 2)
    assert [fault.what for fault in held(folder)[0]] == ["more than 2 files"]


def test_too_many_rows_are_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhibit_tables, "MOST_ROWS", 3)
    told = faults(folder)
    assert ("reports/exhibits.csv", "", "more than 3 rows") in told
    assert ("reports/reviews.csv", "", "more than 3 rows") in told


@pytest.mark.parametrize("sha256", ["../../etc/passwd", "", "0" * 63, "*" * 64, "٠" * 64])
def test_only_a_hash_is_looked_for(folder: Path, sha256: str) -> None:
    assert held_file(folder, sha256) is None
    assert state_of(folder, sha256) == "not in hand"


def test_a_case_without_the_tables_and_the_folder_has_none(folder: Path) -> None:
    shutil.rmtree(folder / "exhibits")
    for name in ("exhibits", "custody", "reviews"):
        (folder / "reports" / f"{name}.csv").unlink()
    told = faults(folder)
    assert {field for _, field, _ in told} == {"exhibits", "reviewed_by"}
    assert check_files(folder, {}) == ([], [])


@pytest.mark.parametrize(
    ("table", "row", "fault"),
    [
        ("exhibits", f"EXH-1,{'0' * 64},other,t,,,,,,2031-01-01,,", ("reports/exhibits.csv", "id", "id 'EXH-1' twice")),
        ("exhibits", f"E9,{'0' * 64},other,t,,,,NONE,,2031-01-01,,", ("reports/exhibits.csv", "source_id", "no source 'NONE'")),
        ("exhibits", f"E9,{'0' * 64},other,t,,,,,,2031-01-01,,OBS-99", ("reports/exhibits.csv", "reports", "no report 'OBS-99'")),
        ("exhibits", "E9,x,other,t,,,,,,2031-01-01,,", ("reports/exhibits.csv", "sha256", "'x' is not a SHA-256")),
        ("custody", "EXH-9,A,2031-01-01,,,2031-01-01", ("reports/custody.csv", "exhibit", "no exhibit 'EXH-9'")),
        ("custody", "EXH-1,A,2031-01-01,,,2031-10-01", ("reports/custody.csv", "from", "2031-01-01 is before 2031-09-19")),
        ("custody", "EXH-1,the desk,2031-09-20,,again,2031-09-21", ("reports/custody.csv", "from", "twice (first on line 3)")),
        ("custody", "EXH-1,A,2031-01-01", ("reports/custody.csv", "", "3 fields where the header has 6")),
        ("reviews", "REV-1,OBS-07,,Z,2031-09-22,agrees,,,", ("reports/reviews.csv", "id", "id 'REV-1' twice")),
        ("reviews", "R9,OBS-99,,Z,2031-09-22,agrees,,,", ("reports/reviews.csv", "report", "no report 'OBS-99'")),
        ("reviews", "R9,OBS-07,,Z,2031-09-18,agrees,,,", ("reports/reviews.csv", "known_at", "before OBS-07 was known")),
        ("reviews", "R9,INC-01,,Z,2031-09-22,agrees,,,", ("reports/reviews.csv", "report", "INC-01 has no grade to review")),
        ("reviews", "R9,OBS-07,,r.  adler,2031-09-22,agrees,,,", ("reports/reviews.csv", "by", "gave the grade")),
        (
            "reviews",
            "R9,OBS-08,east_rounds_destroyed,R. Adler,2031-09-22,agrees,,,",
            ("reports/reviews.csv", "by", "made this bearing"),
        ),
    ],
)
def test_rows_that_name_what_is_not_there_or_their_own_author(
    folder: Path, table: str, row: str, fault: tuple[str, str, str]
) -> None:
    add(folder, table, row)
    told = faults(folder)
    assert any(found[:2] == fault[:2] and fault[2] in found[2] for found in told), told


def test_a_review_before_the_bearing_it_is_of(folder: Path) -> None:
    edit(folder, "bearings", "OBS-08", known_at="2031-09-23")
    assert any("was read on east_rounds_destroyed" in what for _, field, what in faults(folder) if field == "known_at")


def test_a_hash_filed_twice_is_a_fault(folder: Path) -> None:
    edit(folder, "exhibits", "EXH-3", sha256=named(folder, "wav").stem)
    assert ("reports/exhibits.csv", "sha256", "the same file as EXH-3") in faults(folder)


def test_a_report_that_names_no_exhibit_on_file(folder: Path) -> None:
    edit(folder, "observations", "OBS-04", exhibits="EXH-3; EXH-77")
    assert faults(folder) == [("reports/observations.csv", "exhibits", "no exhibit 'EXH-77' in reports/exhibits.csv")]


def test_a_report_names_at_most_a_hundred(folder: Path) -> None:
    edit(folder, "observations", "OBS-04", exhibits=";".join(f"X{n}" for n in range(101)))
    assert ("reports/observations.csv", "exhibits", "more than 100") in faults(folder)


@pytest.mark.parametrize("name", ["exhibits", "custody", "reviews"])
def test_a_table_that_does_not_read_is_told_once(folder: Path, name: str) -> None:
    (folder / "reports" / f"{name}.csv").write_text("id\n", "utf-8")
    told = faults(folder)
    assert {file for file, _, _ in told} == {f"reports/{name}.csv"}
    assert "column missing" in {what for _, _, what in told}


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"grade_reviewed_by": "r. adler"}, "grade_reviewed_by"),
        ({"graded_by": "", "grade_reviewed_by": "T. Brandt"}, "grade_reviewed_by"),
        ({"grade": "", "grade_reviewed_by": ""}, "graded_by"),
    ],
)
def test_the_author_and_the_second_reader_of_a_grade(folder: Path, changes: dict[str, str], column: str) -> None:
    edit(folder, "observations", "OBS-04", **changes)
    assert [(file, field) for file, field, _ in faults(folder)] == [("reports/observations.csv", column)]


def test_a_bearing_without_a_second_reader_is_a_fault_unless_somebody_else_reviewed_it(folder: Path) -> None:
    assert faults(folder) == []
    edit(folder, "reviews", "REV-2", claim="all_rounds_destroyed")
    assert [(file, field) for file, field, _ in faults(folder)] == [("reports/bearings.csv", "reviewed_by")]


def test_notes_on_custody(folder: Path) -> None:
    add(folder, "custody", "EXH-1,a museum,2031-09-19T12:00+00:00,2031-09-30,,2031-10-01")
    edit(folder, "custody", "EXH-2", held_by="the Commission")
    case = read_case(folder).case
    assert case is not None
    told = [note.what for note in custody_notes(case.evidence.exhibits.values())]
    assert "EXH-5: nobody recorded who held it from 2031-09-25" in told
    assert "EXH-2: nobody recorded who held it from 2031-07-12 to 2031-07-20" in told
    assert "no end, though the desk held EXH-3 from 2031-09-24" in told
    assert any("EXH-1 was held by the desk from 2031-09-20, and by a museum at the same time" in what for what in told)
    assert not any("EXH-4" in what for what in told)


def test_check_tells_faults_and_notes_and_counts(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 0
    printed = capfd.readouterr().out
    assert "6 exhibits," in printed
    assert "EXH-5 is described and not in hand" in printed
    named(folder).write_bytes(b"another")
    assert main(["check", str(folder), "--json"]) == 1
    rows = json.loads(capfd.readouterr().out)
    assert [row["file"].split("/")[0] for row in rows if row["kind"] == "fault"] == ["exhibits"]


def test_why_ends_in_the_exhibit_and_says_when_it_is_changed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked = ["why", str(folder), "east_rounds_destroyed", "--on", "2031-09-24"]
    assert main([*asked, "--check"]) == 0
    printed = capfd.readouterr().out
    assert "EXH-1, a photograph: Image of East Depot" in printed
    assert "held by the desk from 2031-09-20 (by courier)" in printed
    assert "in hand, its bytes give its name" in printed
    named(folder, "wav").write_bytes(b"another")
    assert main([*asked, "--json", "--check"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert {entry["id"]: entry["state"] for entry in found["exhibits"]} == {"EXH-1": "in hand", "EXH-4": "changed"}
    assert [complaint["what"] for complaint in found["check"]["complaints"]] == ["sha256 of the file"]
    assert main(asked) == 0
    assert "CHANGED" in capfd.readouterr().out


def test_the_board_hashes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("hashed")

    monkeypatch.setattr(exhibits, "hash_file", refuse)
    shutil.rmtree(folder / "exhibits")
    assert desk.board(desk.ask(desk.open_case(folder))).lines
