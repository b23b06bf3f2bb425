"""A case folder and its ledger are two faces of one thing."""

from __future__ import annotations

import filecmp
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from registry.desk_of import NEW, DeskOf, set_up
from support import EXAMPLE
from tallybook.cli.main import main

OBSERVATIONS = "reports/observations.csv"


def same_files(one: Path, other: Path) -> None:
    names = sorted(str(path.relative_to(one)) for path in one.rglob("*") if path.is_file())
    assert names
    assert names == sorted(str(path.relative_to(other)) for path in other.rglob("*") if path.is_file())
    assert filecmp.cmpfiles(one, other, names, shallow=False)[0] == names


def change(folder: Path, old: str, new: str, file: str = OBSERVATIONS) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_export_gives_back_the_folder(desk: DeskOf, tmp_path: Path) -> None:
    desk.run("ledger", "export", str(desk.folder), str(tmp_path / "out"))
    same_files(EXAMPLE, tmp_path / "out")


def test_an_answer_from_the_ledger_is_that_from_the_folder(desk: DeskOf) -> None:
    for on in ("1962-11-03T20:44-05:00", "1962-11-12", "1962-11-20"):
        ours, plain = desk.json("board", str(desk.folder), "--on", on), desk.json("board", str(EXAMPLE), "--on", on)
        checkpoint = ours["receipt"].pop("checkpoint")
        assert plain["receipt"].pop("checkpoint") is None
        assert checkpoint["note"].splitlines()[1] == str(checkpoint["size"])
        assert ours == plain


def test_the_same_twice_adds_nothing(desk: DeskOf) -> None:
    before = desk.json("ledger", "log", str(desk.folder), "--count", "10000")
    found = desk.json("report", "import", str(desk.folder), str(EXAMPLE))
    assert found["new"] == found["corrected"] == found["conflicts"] == []
    assert len(found["same"]) == len(before)
    desk.run("report", "import", str(desk.folder), str(EXAMPLE / OBSERVATIONS))
    assert desk.json("ledger", "log", str(desk.folder), "--count", "10000") == before


def test_a_row_added_is_in_both_faces(desk: DeskOf) -> None:
    desk.add()
    assert "'=3 missiles on deck" in (desk.folder / OBSERVATIONS).read_text()
    shown = desk.json("ledger", "log", str(desk.folder), "--of", "OBS-900")
    assert [(row["kind"], row["author"], row["corrects"]) for row in shown] == [("report", "analyst A", None)]
    assert shown[0]["known"] == "1962-11-03T04:59:59.000000Z"
    assert shown[0]["valid_from"] == "1962-11-01T05:00:00.000000Z"
    assert shown[0]["recorded_at"] > "2026"
    why = desk.run("why", str(desk.folder), "missiles_removed", "--on", "1962-11-12", "--check")
    assert "accepted" in why


def test_reports_that_nearly_say_the_same_are_pointed_out(desk: DeskOf) -> None:
    told = desk.add(statement="Baseline: at least eight Komar missile boats delivered to Cuba in late August")
    assert "OBS-900 says nearly what OBS-001 says" in told
    assert "warning" not in desk.add(id="OBS-901", statement="Something else altogether")


def test_what_was_filed_late_is_seen(desk: DeskOf) -> None:
    late = desk.json("ledger", "log", str(desk.folder), "--late", "365", "--count", "10000")
    assert {row["kind"] for row in late} >= {"report", "bearing"}
    assert desk.json("ledger", "log", str(desk.folder), "--late", "100000", "--count", "10000") == []


def test_a_changed_row_is_a_correction_and_both_are_kept(desk: DeskOf, tmp_path: Path) -> None:
    desk.add()
    size = len(desk.json("ledger", "log", str(desk.folder), "--count", "10000"))
    table = tmp_path / "observations.csv"
    table.write_text((desk.folder / OBSERVATIONS).read_text().replace("embarked,3,", "embarked,4,"))
    found = desk.json("report", "import", str(desk.folder), str(table), "--author", "analyst B")
    assert found["corrected"] == [f"{OBSERVATIONS}/OBS-900"]
    versions = desk.json("ledger", "log", str(desk.folder), "--of", "OBS-900")
    assert [row["author"] for row in versions] == ["analyst A", "analyst B"]
    assert versions[1]["corrects"] == versions[0]["seq"]
    assert "embarked,4," in (desk.folder / OBSERVATIONS).read_text()
    # What stood in the books before the correction can still be asked.
    desk.run("ledger", "export", str(desk.folder), str(tmp_path / "then"), "--recorded", str(size))
    assert "embarked,3," in (tmp_path / "then" / OBSERVATIONS).read_text()


def test_an_old_version_sent_again_does_not_come_back(desk: DeskOf, tmp_path: Path) -> None:
    desk.add()
    old = tmp_path / "observations.csv"
    shutil.copy(desk.folder / OBSERVATIONS, old)
    change(desk.folder, "embarked,3,", "embarked,4,")
    assert desk.json("report", "import", str(desk.folder), str(desk.folder))["corrected"] == [f"{OBSERVATIONS}/OBS-900"]
    assert desk.json("report", "import", str(desk.folder), str(old))["old"] == [f"{OBSERVATIONS}/OBS-900"]
    assert "embarked,4," in (desk.folder / OBSERVATIONS).read_text()


def test_a_correction_known_later_moves_no_earlier_answer(desk: DeskOf, tmp_path: Path) -> None:
    before = {on: desk.json("board", str(desk.folder), "--on", on)["lines"] for on in ("1962-11-03", "1962-11-30")}
    # Of a report with weight, the desk later learns that it was of something else.
    log = desk.json("ledger", "log", str(desk.folder), "--count", "10000")
    cited = before["1962-11-03"][0]["supporting"]
    subject = next(row["subject"] for row in log if row["subject"].endswith(tuple(f"observations.csv/{i}" for i in cited)))
    name = subject.rpartition("/")[2]
    row = next(line for line in (desk.folder / OBSERVATIONS).read_text().splitlines() if line.startswith(f"{name},"))
    table = tmp_path / "observations.csv"
    header = (desk.folder / OBSERVATIONS).read_text().splitlines()[0]
    graded = re.sub(r",[A-E][1-5],", ",F6,", row)
    assert graded != row
    table.write_text(f"{header}\n{graded}\n")
    desk.run("report", "import", str(desk.folder), str(table), "--known", "1962-11-20")
    assert desk.json("board", str(desk.folder), "--on", "1962-11-03")["lines"] == before["1962-11-03"]
    later = desk.json("board", str(desk.folder), "--on", "1962-11-30")["lines"]
    assert later != before["1962-11-30"]
    before_it = str(log[-1]["seq"] + 1)
    assert desk.json("board", str(desk.folder), "--on", "1962-11-30", "--recorded", before_it)["lines"] == before["1962-11-30"]


def test_a_row_withdrawn_is_off_the_books_from_then_on(desk: DeskOf, tmp_path: Path) -> None:
    desk.add()
    assert "withdrawn by entry" in desk.run("report", "withdraw", str(desk.folder), "OBS-900", "--reason", "counted twice")
    assert "OBS-900" not in (desk.folder / OBSERVATIONS).read_text()
    table = tmp_path / "observations.csv"
    desk.run("ledger", "export", str(desk.folder), str(tmp_path / "then"), "--recorded", _size_before_last(desk))
    shutil.copy(tmp_path / "then" / OBSERVATIONS, table)
    assert desk.json("report", "import", str(desk.folder), str(table))["withdrawn"] == [f"{OBSERVATIONS}/OBS-900"]
    assert "OBS-900" not in (desk.folder / OBSERVATIONS).read_text()
    desk.run("report", "withdraw", str(desk.folder), "OBS-900", "--reason", "again", expect=2)


def _size_before_last(desk: DeskOf) -> str:
    return str(desk.json("ledger", "log", str(desk.folder), "--count", "1")[0]["seq"])


def test_what_others_rest_on_cannot_be_withdrawn(desk: DeskOf) -> None:
    assert "nothing was filed" in desk.run("report", "withdraw", str(desk.folder), "S-CIA-0903", "--reason", "x", expect=2)


def test_a_row_with_faults_is_not_filed_and_nothing_with_it(desk: DeskOf) -> None:
    before = desk.json("ledger", "log", str(desk.folder))
    told = desk.run(
        "report",
        "add",
        str(desk.folder),
        "observations",
        *(f"{k}={v}" for k, v in {**NEW, "method": "hearsay"}.items()),
        expect=2,
    )
    assert "nothing was filed" in told
    assert "hearsay" in told
    assert desk.json("ledger", "log", str(desk.folder)) == before


def test_a_folder_changed_by_hand_is_told_and_filed_on_request(desk: DeskOf) -> None:
    change(desk.folder, "at least eight Komar", "at least nine Komar")
    assert "1 thing in the folder" in desk.run("check", str(desk.folder))
    told = desk.run("board", str(desk.folder))
    assert "1 thing in the folder (reports) are not in its ledger" in told
    assert desk.json("report", "import", str(desk.folder), str(desk.folder))["corrected"] == [f"{OBSERVATIONS}/OBS-001"]
    assert "note:" not in desk.run("board", str(desk.folder))


def test_a_row_taken_out_of_the_folder_by_hand_stays_on_file(desk: DeskOf) -> None:
    text = (desk.folder / OBSERVATIONS).read_text().splitlines(keepends=True)
    (desk.folder / OBSERVATIONS).write_text("".join(line for line in text if not line.startswith("OBS-001,")))
    assert "1 thing on file are not in the folder" in desk.run("board", str(desk.folder))


def test_folders_that_grew_apart_become_one(desk: DeskOf, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(EXAMPLE, theirs)
    desk.add()
    change(desk.folder, "at least eight Komar", "at least nine Komar")
    desk.run("report", "import", str(desk.folder), str(desk.folder))
    change(theirs, "at least eight Komar", "at least ten Komar")
    new = ",".join(f'"{value}"' for value in ["OBS-901", *[NEW.get(c, "") for c in _columns(theirs)[1:]]])
    (theirs / OBSERVATIONS).write_text((theirs / OBSERVATIONS).read_text() + new + "\n")
    found = desk.json("report", "import", str(desk.folder), str(theirs), "--conflicts", str(tmp_path / "c.csv"), expect=1)
    assert found["new"] == [f"{OBSERVATIONS}/OBS-901"]
    assert [c["subject"] for c in found["conflicts"]] == [f"{OBSERVATIONS}/OBS-001"]
    difference = found["conflicts"][0]["differs"][0]
    assert ("nine" in difference["ours"], "ten" in difference["theirs"]) == (True, True)
    assert len(found["same"]) > 900
    # A person settles it; then it is no conflict any more.
    settled = (tmp_path / "c.csv").read_text().replace("OBS-001,,", "OBS-001,theirs,")
    (tmp_path / "c.csv").write_text(settled)
    told = desk.json("report", "import", str(desk.folder), str(theirs), "--settle", str(tmp_path / "c.csv"))
    assert told["corrected"] == [f"{OBSERVATIONS}/OBS-001"]
    assert "at least ten Komar" in (desk.folder / OBSERVATIONS).read_text()
    assert desk.json("report", "import", str(desk.folder), str(theirs))["conflicts"] == []


def test_ours_kept_is_not_asked_again(desk: DeskOf, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(EXAMPLE, theirs)
    change(theirs, "at least eight Komar", "at least ten Komar")
    desk.run("report", "import", str(desk.folder), str(theirs), "--conflicts", str(tmp_path / "c.csv"), expect=1)
    (tmp_path / "c.csv").write_text((tmp_path / "c.csv").read_text().replace("OBS-001,,", "OBS-001,ours,"))
    desk.run("report", "import", str(desk.folder), str(theirs), "--settle", str(tmp_path / "c.csv"))
    assert desk.json("report", "import", str(desk.folder), str(theirs))["conflicts"] == []
    assert "at least eight Komar" in (desk.folder / OBSERVATIONS).read_text()


def test_a_side_that_had_our_version_and_changed_it_is_followed(desk: DeskOf, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(EXAMPLE, theirs)
    desk.run("ledger", "init", str(theirs), "--origin", "their.desk/log")
    change(theirs, "at least eight Komar", "at least ten Komar")
    desk.run("report", "import", str(theirs), str(theirs))
    assert desk.json("report", "import", str(desk.folder), str(theirs))["corrected"] == [f"{OBSERVATIONS}/OBS-001"]


def _columns(folder: Path) -> list[str]:
    return (folder / OBSERVATIONS).read_text().splitlines()[0].split(",")


@pytest.mark.parametrize("take", ["both", "OURS", "ours; theirs"])
def test_a_settlement_that_is_none(desk: DeskOf, tmp_path: Path, take: str) -> None:
    (tmp_path / "c.csv").write_text(f"subject,take,field,ours,theirs\n{OBSERVATIONS}/OBS-001,{take},,,\n")
    told = desk.run("report", "import", str(desk.folder), str(EXAMPLE), "--settle", str(tmp_path / "c.csv"), expect=2)
    assert "c.csv:2" in told


def test_recorded_before_anything_and_beyond_the_end(desk: DeskOf) -> None:
    assert "nothing was recorded by then" in desk.run("board", str(desk.folder), "--recorded", "2020-01-01", expect=2)
    assert "the ledger has" in desk.run("board", str(desk.folder), "--recorded", "99999", expect=2)
    assert "give a day" in desk.run("board", str(desk.folder), "--recorded", "yesterday", expect=2)
    assert "has no ledger" in desk.run("board", str(EXAMPLE), "--recorded", "5", expect=2)


def test_a_ledger_that_is_gone_is_missed(desk: DeskOf) -> None:
    (desk.folder / "ledger.db").unlink()
    told = desk.run("board", str(desk.folder), expect=2)
    assert "the ledger is missing" in told


def test_a_board_given_out_is_on_file(desk: DeskOf) -> None:
    told = desk.run("board", str(desk.folder), "--on", "1962-11-12", "--give-out", "the Secretary-General")
    assert "was given to the Secretary-General" in told
    last = desk.json("ledger", "log", str(desk.folder), "--count", "1")[0]
    assert last["kind"] == "verdict"
    assert "has no ledger" in desk.run("board", str(EXAMPLE), "--give-out", "x", expect=2)


def test_every_form_of_a_board_tells_its_checkpoint(desk: DeskOf, tmp_path: Path) -> None:
    page = tmp_path / "b.html"
    markdown = desk.run("board", str(desk.folder), "--md", "--html", str(page))
    root = desk.json("board", str(desk.folder))["receipt"]["checkpoint"]["root"]
    assert root in markdown
    assert root in page.read_text()
    assert "— tallybook.local/ours " in page.read_text()
    assert root in desk.run("board", str(desk.folder))


def test_destroyed_and_withheld(desk: DeskOf, tmp_path: Path) -> None:
    desk.add()
    seq = desk.json("ledger", "log", str(desk.folder), "--of", "OBS-900")[0]["seq"]
    desk.run("ledger", "prove", str(desk.folder), str(seq), "-o", str(tmp_path / "p.tlog-proof"), "--without-body")
    assert "withheld" in desk.run("ledger", "verify", str(tmp_path / "p.tlog-proof"), "--key", desk.key)
    desk.run("ledger", "destroy", str(desk.folder), str(seq), "--reason", "order of the court", "--yes")
    told = desk.run("ledger", "audit", str(desk.folder))
    assert "1 of them without their bodies" in told
    assert "all fits" in told
    desk.run("ledger", "destroy", str(desk.folder), str(seq), "--reason", "again", "--yes", expect=2)
    desk.run("board", str(desk.folder))


def test_set_up_twice_and_with_another_key(desk: DeskOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is a ledger already" in desk.run("ledger", "init", str(desk.folder), expect=2)
    other = set_up(tmp_path / "second", monkeypatch, "other")
    desk.run("ledger", "init", str(other), "--key", str(tmp_path / "other.key"))
    assert (tmp_path / "other.key").stat().st_mode & 0o777 == 0o600
    row = [f"{name}={value}" for name, value in NEW.items()]
    told = desk.run("report", "add", str(desk.folder), "observations", *row, "--key", str(tmp_path / "other.key"), expect=2)
    assert "the key of tallybook.local/other" in told


def test_without_the_private_key_it_is_filed_and_signed_later(desk: DeskOf, tmp_path: Path) -> None:
    keys = tmp_path / "config" / "tallybook" / "keys"
    (key,) = keys.iterdir()
    key.rename(tmp_path / "away.key")
    desk.add()
    checkpoint = desk.json("board", str(desk.folder))["receipt"]["checkpoint"]
    assert checkpoint["note"] is None
    assert "nobody signed" in desk.run("ledger", "checkpoint", str(desk.folder), expect=2)
    note = desk.run("ledger", "checkpoint", str(desk.folder), "--key", str(tmp_path / "away.key"))
    assert note.splitlines()[1] == str(checkpoint["size"])


def test_a_case_without_a_ledger_says_how_to_make_one(tmp_path: Path) -> None:
    for arguments in (["report", "add", str(EXAMPLE), "observations", "id=X"], ["ledger", "audit", str(EXAMPLE)]):
        assert main(arguments) == 2


def test_pictures_that_look_alike_are_pointed_out(desk: DeskOf, tmp_path: Path) -> None:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (320, 240), "white")
    draw = ImageDraw.Draw(picture)
    for n in range(12):
        draw.ellipse((20 * n, 10 * n % 90, 20 * n + 60, 10 * n % 90 + 50), fill=(20 * n, 120, 200 - 10 * n))

    def put(folder: Path, shown: Image.Image, ending: str) -> None:
        made = tmp_path / f"p.{ending}"
        shown.save(made)
        raw = made.read_bytes()
        (folder / "exhibits" / f"{sha256(raw).hexdigest()}.{ending}").write_bytes(raw)

    put(desk.folder, picture, "png")
    assert "looks like" not in desk.run("report", "import", str(desk.folder), str(desk.folder))
    theirs = tmp_path / "theirs"
    shutil.copytree(EXAMPLE, theirs)
    put(theirs, picture.resize((160, 120)), "jpg")
    assert ".png: possibly one picture" in desk.run("report", "import", str(desk.folder), str(theirs))
