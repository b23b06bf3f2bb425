"""Bad input at the door: each is told with file, line, field and what to do; nothing is half read, nothing crashes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tallybook.casefile.read import read_case
from tallybook.cli.main import main

Edit = Callable[[Path], None]


def replace(file: str, old: str, new: str, count: int = 1) -> Edit:
    """Put one text for another in a file of the case; the old text must be there."""

    def edit(folder: Path) -> None:
        path = folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, count), "utf-8")

    return edit


def bytes_before(file: str, more: bytes) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / file
        path.write_bytes(more + path.read_bytes())

    return edit


def bytes_after(file: str, more: bytes) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / file
        path.write_bytes(path.read_bytes() + more)

    return edit


def emptied(file: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / file).write_bytes(b"")

    return edit


def gone(file: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / file).unlink()

    return edit


def as_folder(file: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / file).unlink()
        (folder / file).mkdir()

    return edit


def as_loop(file: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / file).unlink()
        (folder / file).symlink_to(folder / file)

    return edit


OBS, BEA, AGR = "reports/observations.csv", "reports/bearings.csv", "agreement.yaml"
ROW_1 = "OBS-001,1962-09-03,1962-08-29"
CARET = "    ended(quarantine) and or x\n" + " " * 26 + "^"
BAD: dict[str, tuple[Edit, list[str]]] = {
    "unknown column": (replace(OBS, "id,reported_at", "id,colour,reported_at"), [f"{OBS}:1", "[colour]", "unknown column"]),
    "missing column": (replace(OBS, "statement,grade", "statement"), [f"{OBS}:1", "[grade]", "column missing"]),
    "column twice": (replace(OBS, "statement,grade", "statement,grade,grade"), [f"{OBS}:1", "[grade]", "twice"]),
    "missing file": (gone(OBS), [OBS, "file missing"]),
    "missing agreement": (gone(AGR), [AGR, "file missing"]),
    "missing source text": (gone("sources/1189.txt"), [AGR, "no file 'sources/1189.txt'"]),
    "folder for a file": (as_folder(OBS), [OBS, "cannot be read"]),
    "link to itself": (as_loop(OBS), [OBS, "cannot be read"]),
    "date that does not exist": (
        replace(OBS, "OBS-001,1962-09-03", "OBS-001,1962-02-30"),
        [f"{OBS}:2", "[reported_at]", "1962-02-30"],
    ),
    "instant without offset": (replace(OBS, "OBS-001,1962-09-03", "OBS-001,1962-09-03T10:00"), [f"{OBS}:2", "offset"]),
    "no known time": (replace(OBS, "OBS-001,1962-09-03", "OBS-001,"), [f"{OBS}:2", "[reported_at]", "blank"]),
    "ends before it starts": (
        replace(OBS, f"{ROW_1},1962-08-29", f"{ROW_1},1962-08-28"),
        [f"{OBS}:2", "[observed_to]", "before"],
    ),
    "duplicate id": (replace(OBS, "OBS-002,", "OBS-001,"), [f"{OBS}:3", "[id]", "'OBS-001' twice", "line 2"]),
    "id of another table": (
        replace("reports/measures.csv", "MEA-01,", "OBS-001,"),
        ["reports/measures.csv:2", "[id]", "is taken"],
    ),
    "id with blanks": (replace(OBS, "OBS-001,", "OBS 001,"), [f"{OBS}:2", "[id]", "cannot be an id"]),
    "source that is not there": (replace(OBS, "S-CIA-0903,aerial", "S-NOBODY,aerial"), [f"{OBS}:2", "[source_id]", "S-NOBODY"]),
    "unknown method": (replace(OBS, "aerial_photography", "telepathy"), [f"{OBS}:2", "[method]", "telepathy"]),
    "unknown stage": (replace(OBS, ",deployed,", ",vanished,"), [f"{OBS}:2", "[stage]", "vanished"]),
    "unknown item": (replace(OBS, "komar_boat", "unicorn"), [f"{OBS}:2", "[item_class]", "unicorn"]),
    "count of -3": (replace(OBS, "deployed,8,8,", "deployed,-3,8,"), [f"{OBS}:2", "[count]", "'-3'"]),
    "count in words": (replace(OBS, "deployed,8,8,", "deployed,eight,8,"), [f"{OBS}:2", "[count]", "'eight'"]),
    "bounds the wrong way round": (replace(OBS, "assembling,8,8,9", "assembling,8,9,8"), [f"{OBS}:3", "[count_high]", "below"]),
    "no such grade": (replace(OBS, ",A2,", ",Z9,"), [OBS, "[grade]", "'Z9'"]),
    "unclosed quote": (
        bytes_after(OBS, b'OBS-999,1962-11-03,1962-11-03,1962-11-03,S-MEM,press,x,,,,,,,,"never closed\n'),
        [f"{OBS}:202", "never closed"],
    ),
    "ragged row": (bytes_after(OBS, b"OBS-999,1962-11-03\n"), [f"{OBS}:202", "2 fields where the header has 19"]),
    "byte-order mark": (bytes_before(OBS, b"\xef\xbb\xbf"), [f"{OBS}:1", "byte-order mark"]),
    "byte-order mark in YAML": (bytes_before(AGR, b"\xef\xbb\xbf"), [f"{AGR}:1", "byte-order mark"]),
    "Latin-1": (
        bytes_after(OBS, "OBS-999,1962-11-03,,,S-MEM,press,café,,,,,,,,,,,,\n".encode("latin-1")),
        [f"{OBS}:202", "0xe9 is not UTF-8"],
    ),
    "Latin-1 in a source": (
        bytes_after("sources/1189.txt", "\ncafé".encode("latin-1")),
        ["sources/1189.txt", "0xe9 is not UTF-8"],
    ),
    "NUL": (bytes_after(OBS, b"OBS-999,\x00\n"), [f"{OBS}:202", "NUL"]),
    "empty table": (emptied(OBS), [OBS, "empty"]),
    "empty agreement": (emptied(AGR), [AGR, "empty"]),
    "field without end": (bytes_after(OBS, b"OBS-999," + b"x" * 200_000 + b"\n"), [f"{OBS}:202", "over 100,000 characters"]),
    "bearing on no report": (replace(BEA, "OBS-063,missile_bases", "OBS-9063,missile_bases"), [BEA, "[report]", "OBS-9063"]),
    "bearing on no claim": (
        replace(BEA, ",missile_bases_dismantled,", ",missile_bases_gone,"),
        [BEA, "[claim]", "missile_bases_gone"],
    ),
    "bearing of no author": (replace(BEA, '"example desk, analyst A"', ""), [BEA, "[by]", "blank"]),
    "bearing to neither side": (replace(BEA, ",for,whole,act,", ",pro,whole,act,"), [BEA, "[bears]", "'pro'"]),
    "restates nothing there": (replace(BEA, ",OBS-051,", ",OBS-9051,"), [BEA, "[restates]", "OBS-9051"]),
    "quotation not in its source": (
        replace(AGR, "We have good evidence", "We have splendid evidence"),
        [AGR, "word for word", "We have splendid evidence", "the source agrees up to 'We have'"],
    ),
    "quotation of what is not in hand": (
        replace(AGR, 'oct-28: "under UN verification"', 'oct-22-address: "under UN verification"'),
        [AGR, "not in hand"],
    ),
    "condition that does not parse": (
        replace(AGR, "achieve: ended(quarantine)", "achieve: ended(quarantine) and or x"),
        [AGR, "not understood from 'or'", CARET],
    ),
    "condition that ends too early": (
        replace(AGR, "achieve: ended(quarantine)", "achieve: ended(quarantine) and"),
        [AGR, "ends too early"],
    ),
    "variable of nothing": (
        replace(AGR, "achieve: ended(quarantine)", "achieve: ended(?q)"),
        [AGR, "?q stands for nothing"],
    ),
    "reference to nothing": (
        replace(AGR, 'proof: "@proof-of-removal"', 'proof: "@proof-of-nothing"'),
        [AGR, "no provision or claim @proof-of-nothing"],
    ),
    "unknown key": (replace(AGR, "kind: duty\n", "kind: duty\n    colour: red\n"), [AGR, "unknown key 'colour'"]),
    "key missing": (replace(AGR, "time_zone: America/New_York\n", ""), [AGR, "'time_zone' is missing"]),
    "no such time zone": (replace(AGR, "America/New_York", "America/Atlantis"), [AGR, "America/Atlantis"]),
    "key twice": (replace(AGR, "title: Exchange", "title: First\ntitle: Exchange"), [f"{AGR}:6", "'title' twice", "line 5"]),
    "alias": (replace(AGR, "title: Exchange", "x: &a 1\ny: *a\ntitle: Exchange"), [AGR, "refused"]),
    "tag": (replace(AGR, "title: Exchange of", "title: !!python/object:os.system Exchange of"), [AGR, "tag"]),
    "bare yes": (replace(AGR, "may_extend: true", "may_extend: yes"), [AGR, "bare 'yes'"]),
    "not YAML": (replace(AGR, "parties:\n", "parties: [\n"), [AGR, "not YAML"]),
    "nested without end": (replace(AGR, "title: Exchange", f"x: {'[' * 500}\ntitle: Exchange"), [AGR, "nested too deeply"]),
    "a source outside the case": (
        replace(AGR, "file: sources/1189.txt", "file: ../../../etc/passwd"),
        [AGR, "no file '../../../etc/passwd'"],
    ),
    "a source by absolute path": (replace(AGR, "file: sources/1189.txt", "file: /etc/passwd"), [AGR, "no file '/etc/passwd'"]),
    "items that include each other": (
        replace("items.yaml", "items:\n", "items:\n  one: {name: one, includes: [two]}\n  two: {name: two, includes: [one]}\n"),
        ["items.yaml", "include each other"],
    ),
    "item that includes nothing there": (
        replace("items.yaml", "items:\n", "items:\n  one: {name: one, includes: [nothing]}\n"),
        ["items.yaml:2", "'nothing'"],
    ),
    "place within itself": (
        bytes_after("places.csv", b"p1,P one,zone,,,p2,\np2,P two,zone,,,p1,\n"),
        ["places.csv", "[within]", "within itself"],
    ),
    "place off the earth": (bytes_after("places.csv", b"p1,P one,site,91,10,,\n"), ["places.csv", "[lat]", "'91'"]),
    "place of two names": (bytes_after("places.csv", b"p1,Mariel,site,10,10,,\n"), ["places.csv", "[name]", "already a name"]),
    "measure of no such state": (
        replace("reports/measures.csv", "naval_quarantine,lifted", "naval_quarantine,evaporated"),
        ["reports/measures.csv", "[state]", "evaporated"],
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.slow
def test_each_is_told_with_its_place(name: str, copy: Callable[[], Path], capfd: pytest.CaptureFixture[str]) -> None:
    edit, words = BAD[name]
    folder = copy()
    edit(folder)
    assert main(["check", str(folder)]) == 1
    told = capfd.readouterr().out
    assert all(word in told for word in words), told
    assert main(["board", str(folder), "--json"]) == 2
    board = capfd.readouterr()
    assert board.out == ""
    assert "Traceback" not in board.err
    assert read_case(folder).case is None


def test_cycle_is_refused_and_named(copy: Callable[[], Path], capfd: pytest.CaptureFixture[str]) -> None:
    folder = copy()
    replace(AGR, "achieve: ended(quarantine)", "achieve: ended(quarantine) and performed @no-invasion")(folder)
    replace(AGR, "achieve: given(assurances, against=invasion)", "achieve: performed @lift-quarantine")(folder)
    assert main(["check", str(folder)]) == 1
    told = capfd.readouterr().out
    assert "wait for each other" in told
    assert "@lift-quarantine" in told
    assert "@no-invasion" in told


def test_every_fault_is_listed_at_once(copy: Callable[[], Path], capfd: pytest.CaptureFixture[str]) -> None:
    folder = copy()
    for name in (
        "count of -3",
        "no such grade",
        "duplicate id",
        "quotation not in its source",
        "items that include each other",
        "place off the earth",
    ):
        BAD[name][0](folder)
    assert main(["check", str(folder), "--json"]) == 1
    faults = json.loads(capfd.readouterr().out)
    assert {f["file"] for f in faults} == {OBS, AGR, "items.yaml", "places.csv"}
    assert all(f["what"] and f["do"] for f in faults)
    assert len([f for f in faults if f["file"] == OBS]) == 3


def test_faults_of_form_do_not_hide_faults_of_rows(copy: Callable[[], Path], capfd: pytest.CaptureFixture[str]) -> None:
    folder = copy()
    BAD["unknown key"][0](folder)
    BAD["count of -3"][0](folder)
    assert main(["check", str(folder)]) == 1
    told = capfd.readouterr().out
    assert "unknown key 'colour'" in told
    assert "'-3'" in told


def test_empty_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 1
    told = capfd.readouterr().out
    for name in (AGR, "items.yaml", "places.csv", OBS, BEA, "reports/sources.csv"):
        assert f"{name}: file missing" in told


@pytest.mark.parametrize("name", ["condition that does not parse", "unclosed quote", "Latin-1"])
@pytest.mark.slow
def test_as_a_process(name: str, copy: Callable[[], Path]) -> None:
    folder = copy()
    BAD[name][0](folder)
    for command, code in (("check", 1), ("board", 2), ("owed", 2)):
        told = subprocess.run(
            [sys.executable, "-m", "tallybook.cli.main", command, str(folder)], capture_output=True, text=True, check=False
        )
        assert told.returncode == code
        assert "Traceback" not in told.stderr + told.stdout


def test_row_order_and_line_ends_change_nothing(copy: Callable[[], Path], example: Path) -> None:
    from support import answer
    from tallybook import desk

    folder = copy()
    table = folder / OBS
    head, *rows = table.read_text("utf-8").splitlines()
    table.write_bytes(("\r\n".join([head, *reversed(rows)]) + "\r\n").encode())
    assert answer(desk.open_case(folder), "1962-11-12") == answer(desk.open_case(example), "1962-11-12")


def test_notes_may_say_anything(copy: Callable[[], Path], example: Path) -> None:
    from support import answer
    from tallybook import desk

    folder = copy()
    replace(OBS, "Named by the USSR on 7 Nov 1962 as a missile carrier.", "Something else entirely", 9)(folder)
    replace(AGR, "note: bound by nothing here", "note: another note")(folder)
    assert answer(desk.open_case(folder), "1962-11-12") == answer(desk.open_case(example), "1962-11-12")
