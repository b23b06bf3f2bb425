"""A case released to another organisation: only what it may see, and proofs that hold there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hidden import High, build, leaks, run
from tallybook.registry import place

SOURCE = {"source_id": "SRC-HIGH", "title": "ZEPHYR", "author_agency": "ZEPHYR"}
ROW = {
    "id": "OBS-H0",
    "reported_at": "2031-03-02",
    "observed_from": "2031-03-01",
    "observed_to": "2031-03-01",
    "source_id": "SRC-HIGH",
    "method": "satellite",
    "place": "hidden-base",
    "item_class": "launcher",
    "stage": "deployed",
    "count": "13",
    "statement": "ZEPHYR: thirteen under nets",
    "grade": "A1",
}
EXHIBIT = {"id": "EXH-HIGH", "sha256": "ab" * 32, "kind": "photograph", "title": "ZEPHYR", "known_at": "2031-04-01"}
EXHIBIT |= {"origin": "x"}
HIGHS = High(
    {
        "reports/observations.csv": [(1, ROW)],
        "reports/sources.csv": [(0, SOURCE)],
        "places.csv": [(0, {"id": "hidden-base", "name": "ZEPHYR base", "kind": "site"})],
        "reports/exhibits.csv": [(0, EXHIBIT)],
        "reports/identities.csv": [(0, {"source_id": "SRC-WIT", "identity": "ZEPHYR", "by": "desk", "known_at": "2031-03-01"})],
    },
    "",
    {"secret-note.txt": "ZEPHYR", "sources/secret.txt": "ZEPHYR"},
)
TO = ["--to", "low", "--by", "high", "--authority", "order 7", "--reason", "asked for by the partner"]


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TALLYBOOK_AUTHOR", "desk")
    for name in ("TALLYBOOK_TOKEN", "TALLYBOOK_DATABASE", "TALLYBOOK_KEY"):
        monkeypatch.delenv(name, raising=False)
    build(tmp_path / "case", HIGHS)
    return tmp_path / "case"


@pytest.fixture
def filed(case: Path) -> Path:
    code, _, error = run(["ledger", "init", str(case)])
    assert code == 0, error
    return case


def done(*arguments: str, code: int = 0) -> str:
    found, out, error = run(list(arguments))
    assert found == code, error
    return out if code == 0 else out + error


def vkey(case: Path) -> str:
    return (case / "ledger.vkey").read_text().strip()


@pytest.fixture
def given(filed: Path, tmp_path: Path) -> Path:
    """A release; the low rows of the case name OBS-H0 and EXH-HIGH in lists, from which they are taken."""
    done("release", str(filed), str(tmp_path / "given"), *TO)
    place.close_stores()
    return tmp_path / "given"


def test_no_byte_of_what_was_held_back_is_in_the_folder(given: Path) -> None:
    files = [path for path in given.rglob("*") if path.is_file()]
    assert len(files) > 15
    for path in files:
        assert leaks(path.read_bytes().decode("utf-8", "replace")) == [], path
    # A search by somebody else's program.
    found = subprocess.run(["grep", "-r", "-l", "-e", "ZEPHYR", "-e", "OBS-H0", str(given)], capture_output=True, check=False)
    assert found.returncode == 1


def test_what_is_given_is_a_case_that_answers_as_the_whole_does_for_that_reader(filed: Path, given: Path) -> None:
    there = json.loads(done("board", str(given), "--json"))
    here = json.loads(done("board", str(filed), "--as", "low", "--json"))
    assert [line["verdict"] for line in there["lines"]] == [line["verdict"] for line in here["lines"]]
    assert there["receipt"]["sources"] == here["receipt"]["sources"]
    assert there["marking"] == here["marking"] == "TLP:GREEN"
    assert "no faults" in done("check", str(given))


def test_it_verifies_where_nothing_else_is_at_hand(filed: Path, given: Path, tmp_path: Path) -> None:
    key = vkey(filed)
    alone = tmp_path / "alone" / "given"
    alone.parent.mkdir()
    shutil.copytree(given, alone)
    shutil.rmtree(filed)
    told = done("ledger", "verify", str(alone), "--key", key)
    assert "holds: released to low by high (order 7)" in told
    assert "withheld" in told
    shown = int(told.split(" of them shown")[0].rsplit(" ", 1)[1])
    assert shown > 20
    # A row from which a name was taken is as the release tells it; every other stands as it was filed.
    rows = told.splitlines()[-1].split(" rows")[0].split(" of ")
    assert int(rows[1]) - int(rows[0]) in range(1, 8)


def _changed_word(folder: Path) -> None:
    path = folder / "reports" / "observations.csv"
    path.write_bytes(path.read_bytes().replace(b"Twelve", b"Eleven", 1))


def _file_more(folder: Path) -> None:
    (folder / "sources" / "more.txt").write_text("added")


def _file_less(folder: Path) -> None:
    (folder / "sources" / "offer.txt").unlink()


def _tile(folder: Path) -> None:
    path = next((folder / "proofs" / "tile" / "0").rglob("*.p/*"))
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def _entry(find: bytes, put: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "proofs" / "entries.jsonl"
        raw = path.read_bytes()
        assert find in raw
        path.write_bytes(raw.replace(find, put, 1))

    return change


def _cut(folder: Path) -> None:
    path = folder / "proofs" / "entries.jsonl"
    path.write_bytes(path.read_bytes()[:-5])


def _without_release(folder: Path) -> None:
    path = folder / "proofs" / "entries.jsonl"
    lines = [line for line in path.read_bytes().split(b"\n") if b'\\"kind\\":\\"release\\"' not in line]
    path.write_bytes(b"\n".join(lines))


def _twice(folder: Path) -> None:
    path = folder / "proofs" / "entries.jsonl"
    raw = path.read_bytes()
    path.write_bytes(raw.split(b"\n")[0] + b"\n" + raw)


def _no_checkpoint(folder: Path) -> None:
    path = folder / "proofs" / "checkpoint"
    path.write_text(path.read_text().replace("\n", "\n\n", 1))


@pytest.mark.parametrize(
    "change",
    [
        _changed_word,
        _file_more,
        _file_less,
        _tile,
        _entry(b"Twelve launchers counted", b"Eleven launchers counted"),
        _entry(b'"salt":"', b'"salt":"00'),
        _entry(b'{"body"', b'{"more":1,"body"'),
        _entry(b'"index":', b'"index":-'),
        _cut,
        _without_release,
        _twice,
        _no_checkpoint,
    ],
)
def test_whatever_is_changed_is_refused(filed: Path, given: Path, change: Callable[[Path], None]) -> None:
    change(given)
    assert "does not hold" in done("ledger", "verify", str(given), "--key", vkey(filed), code=1)


def test_another_key_does_not_do(filed: Path, given: Path) -> None:
    other = vkey(filed).split("+")
    other[-1] = ("A" if other[-1][5] != "A" else "B").join((other[-1][:5], other[-1][6:]))
    assert done("ledger", "verify", str(given), "--key", "+".join(other), code=2)
    assert done("ledger", "verify", str(given), code=2)


def test_the_log_keeps_what_was_given_and_for_those_above_what_was_not(filed: Path, given: Path) -> None:
    log = json.loads(done("ledger", "log", str(filed), "--json"))
    assert [entry["kind"] for entry in log[-2:]] == ["release", "held-back"]
    assert "all fits" in done("ledger", "audit", str(filed))
    # What is recorded about a release is no part of the case.
    assert "no faults" in done("check", str(filed))


def test_a_release_is_made_again_for_somebody_else(filed: Path, tmp_path: Path) -> None:
    done("release", str(filed), str(tmp_path / "one"), *TO)
    done("release", str(filed), str(tmp_path / "two"), "--to", "high", *TO[2:])
    for folder in ("one", "two"):
        assert "holds" in done("ledger", "verify", str(tmp_path / folder), "--key", vkey(filed))
    assert "ZEPHYR" in (tmp_path / "two" / "reports" / "observations.csv").read_text()


def test_without_a_ledger_there_are_files_and_no_proofs(case: Path, tmp_path: Path) -> None:
    code, out, error = run(["release", str(case), str(tmp_path / "given"), *TO])
    assert code == 0
    assert "no ledger" in error
    assert "held back" in out
    assert not (tmp_path / "given" / "proofs").exists()
    assert leaks("".join(path.read_text("utf-8") for path in (tmp_path / "given").rglob("*") if path.is_file())) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--to", "low", "--by", "low", "--authority", "x", "--reason", "y"], "no releasing authority"),
        (["--to", "low", "--by", "stranger", "--authority", "x", "--reason", "y"], "no releasing authority"),
        (["--to", "nobody", "--by", "high", "--authority", "x", "--reason", "y"], "no such reader"),
        (["--to", "TLP:CLEAR", "--by", "high", "--authority", "x", "--reason", "y"], "may read"),
        (["--to", "low", "--by", "high", "--authority", " ", "--reason", "y"], "blank"),
    ],
)
def test_what_cannot_be_released_is_refused_and_nothing_written(
    case: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    assert told in done("release", str(case), str(tmp_path / "given"), *arguments, code=2)
    assert not (tmp_path / "given").exists()


def test_what_names_what_is_held_back_stops_the_release(filed: Path, tmp_path: Path) -> None:
    place.close_stores()
    done("report", "add", str(filed), "observations", "id=OBS-09", "note=compare OBS-H0")
    told = done("release", str(filed), str(tmp_path / "given"), *TO, code=2)
    assert "reports/observations.csv" in told
    assert "names OBS-H0, which is held back" in told
    assert not (tmp_path / "given").exists()
    done("release", str(filed), str(tmp_path / "given"), *TO, "--despite-mentions")


def test_a_folder_that_is_not_empty_is_left_alone(filed: Path, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "mine.txt").write_text("mine")
    assert "not empty" in done("release", str(filed), str(tmp_path / "given"), *TO, code=2)
    assert [path.name for path in (tmp_path / "given").iterdir()] == ["mine.txt"]


def test_a_release_that_nobody_signs_is_not_written(filed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.close_stores()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    assert "not signed for" in done("release", str(filed), str(tmp_path / "given"), *TO, code=2)
    assert not (tmp_path / "given").exists()
