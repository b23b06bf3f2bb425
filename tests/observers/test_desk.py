"""The commands from end to end, on a copy of the example with a ledger: file, refuse, seal, lodge, open, compare, tamper."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from observers.counting import DATA, NEUTRAL, changed, rows, with_sources
from registry.desk_of import DeskOf, set_up
from tallybook.evidence.seal import read_opening, write_opening
from tallybook.ledger.entry import canonical_json

OF = "nine ships"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> DeskOf:
    """The example with a ledger and the invented sources."""
    made = DeskOf(with_sources(set_up(tmp_path, monkeypatch)), capsys)
    made.run("ledger", "init", str(made.folder))
    return made


@pytest.fixture
def files(desk: DeskOf, tmp_path: Path) -> Path:
    """Where both counts are sealed."""
    for party, name in (("Neutral commission", "neutral"), ("Other side", "other-side")):
        sealed = str(tmp_path / f"{name}.seal")
        desk.run("count", "seal", str(DATA / name / "vessels.csv"), "--by", party, "--of", OF, "-o", sealed)
    return tmp_path


def pair(files: Path, name: str) -> tuple[str, str]:
    return str(files / f"{name}.seal"), str(files / f"{name}.opening")


def test_the_nine_ships_are_filed_and_a_remark_is_not(desk: DeskOf, tmp_path: Path) -> None:
    path = tmp_path / "vessels.csv"
    path.write_bytes(changed(5, note="SS-4"))
    told = desk.run("report", "import", str(desk.folder), str(path), "--author", "neutral counter", expect=2)
    assert "nothing was filed: 1 fault" in told
    assert "vessels.csv:5 [note]: NC-04: neutral-counter may not say this in `note`" in told
    assert "SS-4" not in told
    path.write_bytes(NEUTRAL)
    assert "9 new" in desk.run("report", "import", str(desk.folder), str(path), "--author", "neutral counter")
    desk.run("check", str(desk.folder))


def test_an_observer_files_under_their_class(desk: DeskOf) -> None:
    file = ("count", "file", str(desk.folder), str(DATA / "neutral" / "vessels.csv"))
    assert "analyst A files for no class of observers" in desk.run(*file, expect=2)
    assert "9 new, 0 on file already." in desk.run(*file, "--author", "neutral counter")
    assert "0 new, 9 on file already." in desk.run(*file, "--author", "neutral counter")
    theirs = str(DATA / "other-side" / "vessels.csv")
    told = desk.run("count", "file", str(desk.folder), theirs, "--author", "neutral counter", expect=2)
    assert "nothing was filed: 27 faults" in told


def test_one_row_by_hand(desk: DeskOf) -> None:
    row = {name: text for name, text in rows()[0].items() if text}
    desk.add("vessels", **row)
    told = desk.run("report", "add", str(desk.folder), "vessels", "id=NC-01", "note=covers left on ", expect=2)
    assert "the row:1 [note]: NC-01: neutral-counter may not say this in `note` (blanks around it)" in told
    told = desk.run("report", "add", str(desk.folder), "vessels", "id=NC-01", "citation=see my letter", expect=2)
    assert "may not say `citation`" in told


def test_a_reader_of_a_class_files_rows_only(desk: DeskOf, files: Path) -> None:
    as_counter = ("--author", "neutral counter")
    told = desk.run("report", "import", str(desk.folder), str(desk.folder), *as_counter, expect=2)
    assert "may not file folders" in told
    told = desk.run("report", "withdraw", str(desk.folder), "VES-01", "--reason", "SS-4", *as_counter, expect=2)
    assert "may not withdraw rows" in told
    told = desk.run("count", "lodge", str(desk.folder), str(files / "neutral.seal"), *as_counter, expect=2)
    assert "may not lodge seals" in told


def test_a_folder_changed_by_hand_is_not_filed(desk: DeskOf, tmp_path: Path) -> None:
    path = desk.folder / "reports" / "vessels.csv"
    path.write_text(path.read_text("utf-8") + changed(3, note="SS-4").decode().partition("\n")[2], "utf-8")
    assert "neutral-counter may not say this in `note`" in desk.run("check", str(desk.folder), expect=1)
    desk.run("report", "import", str(desk.folder), str(desk.folder), expect=2)


def test_two_sealed_counts_open_and_agree(desk: DeskOf, files: Path) -> None:
    assert (files / "neutral.opening").stat().st_mode & 0o777 == 0o600
    assert "opens: Neutral commission sealed this count of nine ships." in desk.run("count", "open", *pair(files, "neutral"))
    shown = desk.json("count", "open", *pair(files, "neutral"))
    assert [row["id"] for row in shown["rows"]] == [row["id"] for row in rows()]
    both = (*pair(files, "neutral"), *pair(files, "other-side"))
    assert "They agree." in desk.run("count", "compare", *both)
    assert desk.json("count", "compare", *both)["agree"] is True


def test_one_that_was_tampered_with_does_not_open(desk: DeskOf, files: Path) -> None:
    path = files / "neutral.opening"
    path.write_bytes(path.read_bytes().replace(b'"items_counted":"7"', b'"items_counted":"6"'))
    told = desk.run("count", "open", *pair(files, "neutral"), expect=1)
    assert "changed after sealing" in told
    both = (*pair(files, "neutral"), *pair(files, "other-side"))
    assert "changed after sealing" in desk.run("count", "compare", *both, expect=1)
    found = desk.json("count", "compare", *both, expect=1)
    assert (found["agree"], found["differences"]) == (False, [])
    told = desk.run("count", "lodge", str(desk.folder), *pair(files, "neutral")[:1], "--opening", str(path), expect=1)
    assert "nothing was filed: " in told


def test_counts_that_differ_are_told_by_row_and_field(desk: DeskOf, tmp_path: Path) -> None:
    for name, raw, party in (("one", NEUTRAL, "A"), ("two", changed(5, items_counted="6"), "B")):
        (tmp_path / f"{name}.csv").write_bytes(raw)
        desk.run("count", "seal", str(tmp_path / f"{name}.csv"), "--by", party, "--of", OF, "-o", str(tmp_path / f"{name}.seal"))
    both = (*pair(tmp_path, "one"), *pair(tmp_path, "two"))
    told = desk.run("count", "compare", *both, expect=1)
    assert "  Volgoles: items_counted: 7 and 6\nThey differ in 1 place." in told
    assert desk.json("count", "compare", *both, expect=1)["differences"] == [
        {"key": "Volgoles", "field": "items_counted", "ours": "7", "theirs": "6"}
    ]
    assert "They agree." in desk.run("count", "compare", *both, "--field", "date_counted")


def test_seals_that_are_not_two_counts_of_one_thing(desk: DeskOf, files: Path) -> None:
    one = (*pair(files, "neutral"), *pair(files, "neutral"))
    assert "both seals are of 'Neutral commission'" in desk.run("count", "compare", *one, expect=1)
    seal = json.loads((files / "neutral.seal").read_text("utf-8"))
    (files / "copy.seal").write_bytes(canonical_json(seal | {"by": "Other side"}) + b"\n")
    told = desk.run(
        "count", "compare", *pair(files, "neutral"), str(files / "copy.seal"), str(files / "other-side.opening"), expect=1
    )
    assert "have one seal: one of them copied it" in told
    (files / "else.seal").write_bytes(canonical_json(seal | {"by": "Other side", "of": "ten ships", "seal": "0" * 64}) + b"\n")
    told = desk.run(
        "count", "compare", *pair(files, "neutral"), str(files / "else.seal"), str(files / "other-side.opening"), expect=1
    )
    assert "seals of different things" in told


def test_files_are_never_written_over_and_names_are_checked(desk: DeskOf, files: Path) -> None:
    count = str(DATA / "neutral" / "vessels.csv")
    again = ("count", "seal", count, "--by", "A", "--of", OF)
    assert "there already" in desk.run(*again, "-o", str(files / "neutral.seal"), expect=2)
    assert "not the name of a seal" in desk.run(*again, "-o", str(files / "neutral.txt"), expect=2)
    assert "no such file" in desk.run("count", "open", str(files / "no.seal"), str(files / "no.opening"), expect=2)
    assert "cannot be written" in desk.run(*again, "-o", str(files / "none" / "a.seal"), expect=2)
    assert "several scripts" in desk.run(
        "count", "seal", count, "--by", "\u0430B", "--of", OF, "-o", str(files / "b.seal"), expect=2
    )
    (files / "bad.csv").write_text("id,name\n", "utf-8")
    told = desk.run("count", "seal", str(files / "bad.csv"), "--by", "A", "--of", OF, "-o", str(files / "c.seal"), expect=2)
    assert "column missing" in told
    assert not (files / "c.opening").exists()


def lodge(desk: DeskOf, files: Path, name: str, *more: str, expect: int = 0) -> str:
    return desk.run("count", "lodge", str(desk.folder), str(files / f"{name}.seal"), *more, expect=expect)


def opening(files: Path, name: str) -> tuple[str, str]:
    return "--opening", str(files / f"{name}.opening")


def test_lodged_sealed_and_opened_in_order(desk: DeskOf, files: Path) -> None:
    assert "No seals are lodged." in desk.run("count", "show", str(desk.folder))
    lodge(desk, files, "neutral")
    assert "lodged already" in lodge(desk, files, "neutral")
    lodge(desk, files, "other-side")
    assert "opened by Neutral commission, of nine ships; 10 entries" in lodge(desk, files, "neutral", *opening(files, "neutral"))
    told = desk.run("count", "show", str(desk.folder), expect=1)
    assert "'Other side' never opened, and 'Neutral commission' did" in told
    lodge(desk, files, "other-side", *opening(files, "other-side"))
    told = desk.run("count", "show", str(desk.folder))
    assert told.count("opened, and holds") == 2
    assert told.count("recorded 2") == 4
    found = desk.json("count", "show", str(desk.folder))["seals"]
    assert [one["by"] for one in found] == ["Neutral commission", "Other side"]
    assert all(one["recorded"]["lodged_at"] < one["recorded"]["opened_at"] and one["wrong"] == [] for one in found)
    assert "opened already" in lodge(desk, files, "neutral", *opening(files, "neutral"), expect=2)
    assert "no faults" in desk.run("check", str(desk.folder))


def test_the_ledgers_clock_shows_an_opening_that_came_too_early(desk: DeskOf, files: Path) -> None:
    assert "the seal is not on file" in lodge(desk, files, "neutral", *opening(files, "neutral"), expect=2)
    lodge(desk, files, "neutral", "--at", "1962-11-10T12:00-05:00")
    lodge(desk, files, "neutral", *opening(files, "neutral"), "--at", "1962-11-12T12:00-05:00")
    # The other side's word: sealed in time. The ledger knows better.
    lodge(desk, files, "other-side", "--at", "1962-11-10T12:30-05:00")
    lodge(desk, files, "other-side", *opening(files, "other-side"), "--at", "1962-11-12T13:00-05:00")
    assert "opened before" not in desk.run("check", str(desk.folder))
    told = desk.run("count", "show", str(desk.folder), expect=1)
    assert "'Neutral commission' opened before 'Other side' had sealed: 'Other side' could know that count" in told


def test_a_count_changed_after_it_was_opened_is_not_filed(desk: DeskOf, files: Path) -> None:
    for name in ("neutral", "other-side"):
        lodge(desk, files, name)
    lodge(desk, files, "neutral", *opening(files, "neutral"))
    told = desk.run("report", "add", str(desk.folder), "vessels", "id=NC-04", "items_counted=6", expect=2)
    assert "changed after sealing" in told
    path = desk.folder / "reports" / "vessels.csv"
    path.write_text(re.sub(r"(NC-04,Volgoles,Mariel,,,)7", r"\g<1>6", path.read_text("utf-8")), "utf-8")
    assert "changed after sealing" in desk.run("check", str(desk.folder), expect=1)


def test_a_seal_put_in_the_place_of_the_first_is_seen(desk: DeskOf, files: Path) -> None:
    lodge(desk, files, "neutral")
    name = desk.json("count", "show", str(desk.folder))["seals"][0]["id"]
    told = desk.run("report", "add", str(desk.folder), "seals", f"id={name}", f"seal={'0' * 64}", expect=2)
    assert "is not the id of this seal" in told
    copied = {"id": "SEAL-1", "by": "Other side", "of": OF, "sealed_at": "1962-11-10", "known_at": "1962-11-10"}
    seal = json.loads((files / "neutral.seal").read_text("utf-8"))["seal"]
    told = desk.run(
        "report", "add", str(desk.folder), "seals", *(f"{k}={v}" for k, v in (copied | {"seal": seal}).items()), expect=2
    )
    assert "a copy of the seal of 'Neutral commission'" in told


def test_an_opening_that_breaks_the_class_is_not_filed(desk: DeskOf, tmp_path: Path) -> None:
    (tmp_path / "vessels.csv").write_bytes(changed(2, note="SS-4"))
    desk.run("count", "seal", str(tmp_path / "vessels.csv"), "--by", "A", "--of", OF, "-o", str(tmp_path / "a.seal"))
    lodge(desk, tmp_path, "a")
    told = lodge(desk, tmp_path, "a", *opening(tmp_path, "a"), expect=2)
    assert "neutral-counter may not say this in `note`" in told
    assert "SS-4" not in told


def test_an_opening_reads_back_as_it_was_written(files: Path) -> None:
    raw = (files / "neutral.opening").read_bytes()
    assert write_opening(read_opening(raw, "")) == raw


def test_a_reader_gets_a_seal_with_all_its_rows_or_not_at_all(desk: DeskOf, files: Path) -> None:
    for name in ("neutral", "other-side"):
        lodge(desk, files, name)
    for name in ("neutral", "other-side"):
        lodge(desk, files, name, *opening(files, name))
    policy = """scheme: TLP
unmarked: TLP:CLEAR
ruled_by: the desk
rows: {"NC-04": TLP:RED}
readers:
  partner: {clearance: TLP:GREEN}
  neutral counter: {clearance: TLP:RED}
"""
    (desk.folder / "markings.yaml").write_text(policy, "utf-8")
    desk.run("report", "import", str(desk.folder), str(desk.folder))
    desk.run("check", str(desk.folder), "--as", "partner")
    seals = desk.json("count", "show", str(desk.folder), "--as", "partner")["seals"]
    assert [(one["by"], one["state"]) for one in seals] == [("Other side", "opened, and holds")]
    assert len(desk.json("count", "show", str(desk.folder))["seals"]) == 2
