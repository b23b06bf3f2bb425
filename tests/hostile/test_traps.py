"""Cases laid as traps: things that are no files, names that lead elsewhere, circles, and files changed at random."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import EXAMPLE, answer
from tallybook import desk
from tallybook.casefile.new import TEMPLATES, new_case
from tallybook.casefile.read import read_case
from tallybook.cli.main import main
from tallybook.errors import Fault, TallybookError

pytestmark = pytest.mark.slow

AGREEMENT, OBSERVATIONS = "agreement.yaml", "reports/observations.csv"
FILES = sorted(str(p.relative_to(EXAMPLE)) for p in EXAMPLE.rglob("*") if p.suffix in (".yaml", ".csv"))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def faults(folder: Path) -> list[Fault]:
    found = read_case(folder)
    assert (found.case is None) is bool(found.faults)
    assert all(fault.what and fault.do for fault in found.faults)
    return found.faults


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "tallybook.cli.main", *arguments],
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ, **environment},
    )


# ------------------------------------------------------------------------------------------------ things that are no files


@pytest.mark.parametrize("file", FILES)
def test_a_folder_in_place_of_each_file(file: str, copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder / file).unlink()
    (folder / file).mkdir()
    assert file in {fault.file for fault in faults(folder)}


@pytest.mark.parametrize("file", FILES)
def test_a_link_that_leads_to_itself_in_place_of_each_file(file: str, copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder / file).unlink()
    (folder / file).symlink_to((folder / file).name)
    assert file in {fault.file for fault in faults(folder)}


def test_a_case_that_is_a_link_to_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert main(["check", str(loop)]) == 1
    assert "no such folder" in capfd.readouterr().out
    assert main(["board", str(loop)]) == 2


def test_a_case_that_is_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "case"
    file.write_text("agreement: x\n", "utf-8")
    assert main(["check", str(file)]) == 1
    assert main(["board", str(file)]) == 2
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 2000])
def test_a_case_of_an_impossible_name(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / name)]) == 1
    assert main(["board", str(tmp_path / name)]) == 2
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("file", [OBSERVATIONS, AGREEMENT, "sources/1189.txt"])
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(file: str, copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder / file).unlink()
    os.mkfifo(folder / file)
    told = run("check", str(folder))
    assert told.returncode == 1
    assert file in told.stdout.decode()


# --------------------------------------------------------------------------------------------- sources that lead elsewhere

LEADS_ELSEWHERE = [
    "../../../etc/hostname",
    "sources/../../outside.txt",
    "/etc/hostname",
    "sources",
    "sources/",
    ".",
    '"sources/\\0.txt"',
    "sources/" + "x" * 300,
    '"sources/\\u2024\\u2024/x"',
    "~/x",
    "file:///etc/hostname",
]


@pytest.mark.parametrize("file", LEADS_ELSEWHERE)
def test_a_source_that_is_no_file_of_the_case(file: str, copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder.parent / "outside.txt").write_text("We have good evidence", "utf-8")
    edit(folder, AGREEMENT, "file: sources/1189.txt", f"file: {file}")
    told = faults(folder)
    line = next(n for n, text in enumerate((folder / AGREEMENT).read_text("utf-8").splitlines(), 1) if "    file: " in text)
    assert any(fault.file == AGREEMENT and fault.line == line for fault in told)
    assert all("root:" not in f"{fault}" for fault in told)


def test_a_source_without_a_name(copy: Callable[[], Path]) -> None:
    folder = copy()
    edit(folder, AGREEMENT, "file: sources/1189.txt", 'file: ""')
    (fault,) = faults(folder)
    assert fault.file == AGREEMENT
    assert "`file`" in fault.what


def test_a_source_that_is_a_link_out_of_the_case(copy: Callable[[], Path]) -> None:
    """What a link outside shows would be quoted in the faults, and a case sent to somebody else would not hold it."""
    folder = copy()
    secret = folder.parent / "secret.txt"
    secret.write_text("We have a secret that is nobody's business", "utf-8")
    (folder / "sources" / "1189.txt").unlink()
    (folder / "sources" / "1189.txt").symlink_to(secret)
    told = faults(folder)
    assert any("sources/1189.txt" in f"{fault}" for fault in told)
    assert all("nobody's business" not in f"{fault}" for fault in told)


# ------------------------------------------------------------------------------------------------------------- circles


def test_a_chain_is_no_circle(copy: Callable[[], Path]) -> None:
    folder = copy()
    edit(folder, AGREEMENT, "    when: verified @removal and in-force", "    when: owed @bomber-withdrawal and in-force")
    assert faults(folder) == []
    assert answer(desk.open_case(folder), "1962-12-20")["lines"]


def test_a_circle_that_a_change_closes_is_told_and_does_not_run_for_ever(
    copy: Callable[[], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copy()
    edit(folder, AGREEMENT, 'proof: "@proof-of-removal"\n      claims: [il28', "when: owed @lift-quarantine\n      claims: [il28")
    edit(folder, AGREEMENT, "    when: verified @removal and in-force", "    when: owed @bomber-withdrawal and in-force")
    assert main(["check", str(folder)]) == 1
    told = capfd.readouterr().out
    assert "same instant" in told
    assert "@bomber-withdrawal" in told
    assert main(["board", str(folder), "--on", "1962-12-20"]) == 2


def test_states_that_wait_for_each_other(copy: Callable[[], Path], capfd: pytest.CaptureFixture[str]) -> None:
    folder = copy()
    edit(
        folder,
        AGREEMENT,
        "states:\n  - {atom",
        "states:\n  - {atom: here, when: there}\n  - {atom: there, when: here}\n  - {atom",
    )
    edit(folder, AGREEMENT, "achieve: ended(quarantine)", "achieve: here")
    assert main(["check", str(folder)]) == 1
    assert "same instant" in capfd.readouterr().out
    assert main(["board", str(folder)]) == 2


def test_exceptions_to_each_other(copy: Callable[[], Path]) -> None:
    folder = copy()
    edit(folder, AGREEMENT, "when: provoked(US) or justified(US)", 'when: provoked(US)\n    unless: "@hemisphere"')
    edit(folder, AGREEMENT, "when: done(aggressive", 'unless: "@provocation"\n    when: done(aggressive')
    if not faults(folder):
        assert answer(desk.open_case(folder), "1962-11-20")["duties"]


# ------------------------------------------------------------------------------------------------- one cause, one fault


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("OBS-063,", "OBS 063,", "id"),
        ("OBS-012,1962-10-", "OBS-012,1962-13-", "reported_at"),
        ("OBS-001,1962-09-03", "OBS-001,", "reported_at"),
    ],
)
def test_a_row_that_does_not_read_is_not_told_again_by_those_who_name_it(
    old: str, new: str, field: str, copy: Callable[[], Path]
) -> None:
    folder = copy()
    edit(folder, OBSERVATIONS, old, new)
    told = faults(folder)
    assert [fault.field for fault in told if fault.file == OBSERVATIONS] == [field]
    if field != "id":
        assert len(told) == 1, told


def test_a_table_that_does_not_read_is_not_told_again_row_by_row(copy: Callable[[], Path]) -> None:
    for file in (OBSERVATIONS, "reports/sources.csv", "items.yaml", "places.csv"):
        folder = copy()
        path = folder / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        told = faults(folder)
        assert [fault.file for fault in told] == [file], f"{len(told)} faults: {told[:3]}"
        folder.rename(folder.with_name(file.replace("/", "-")))


# ------------------------------------------------------------------------------------------------- what is printed

ESCAPES = [
    (OBSERVATIONS, "Photographs of 1 Nov:", "\x1b[2J\x1b]0;owned\x07 1 Nov:"),
    (OBSERVATIONS, "OBS-001,", "OBS-001\x1b[8m,"),
    (AGREEMENT, "title: Exchange of", 'title: "\\e[2J\\e[31mExchange" # '),
    (AGREEMENT, "title: Missile bases dismantled", 'title: "\\x9b2J\\a"'),
    (
        AGREEMENT,
        "{agreed: agreed, active: at work, completed: completed}",
        '{agreed: "\\e[8m", active: at work, completed: completed}',
    ),
]


@pytest.mark.parametrize(("file", "old", "new"), ESCAPES)
def test_no_case_sends_control_characters_to_a_terminal(
    file: str, old: str, new: str, copy: Callable[[], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copy()
    edit(folder, file, old, new)
    for arguments in (["check"], ["board", "--md"], ["why", "missile_bases_dismantled"]):
        main([arguments[0], str(folder), *arguments[1:]])
        told = capfd.readouterr()
        assert not set(told.out + told.err) & set("\x1b\x07\x9b\x08")


def test_half_a_surrogate_pair_is_told_and_not_printed(copy: Callable[[], Path]) -> None:
    folder = copy()
    edit(folder, AGREEMENT, "title: Missile bases dismantled", 'title: "x\\ud800"')
    for command, code in (("check", 1), ("board", 2)):
        told = run(command, str(folder))
        assert told.returncode == code
        assert b"Traceback" not in told.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_output_that_cannot_show_every_letter(encoding: str, copy: Callable[[], Path]) -> None:
    folder = copy()
    edit(folder, AGREEMENT, "title: Missile bases dismantled", "title: \u0420\u0430\u043a\u0435\u0442\u044b \u2192 \u00e9")
    for arguments in (["board"], ["board", "--json"], ["why", "missile_bases_dismantled"]):
        told = run(arguments[0], str(folder), *arguments[1:], PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert told.returncode == 0, told.stderr
        assert b"Traceback" not in told.stderr


# --------------------------------------------------------------------------------------------------- changed at random


def spots(text: bytes) -> st.SearchStrategy[int]:
    return st.integers(0, max(0, len(text) - 1))


MARKS = [
    b"",
    b"\n",
    b",",
    b'"',
    b": ",
    b"- ",
    b"[",
    b"}",
    b"@",
    b"\0",
    b"\xff",
    b"\t",
    b"(",
    b"'",
    b"#",
    b"\r",
    b"\x1a",
    b"\xc3\xa9",
    b"  ",
]
WORDS = [
    b"-3",
    b"null",
    b"1962-02-30",
    b"and",
    b"{a: 1}",
    b"[]",
    b"true",
    b"&x ",
    b"*x",
    b"!x ",
    b"1e999",
    b"yes",
    b"@removal",
    b"x" * 300,
]
PATCHES = st.sampled_from([*MARKS, *WORDS])


def asked(folder: Path) -> Iterator[str]:
    """Every answer that the desk gives; an answer may be refused, and never fails in another way."""
    loaded = desk.open_case(folder)
    for on in (None, "2031-06-01", "2035-01-01"):
        try:
            inquiry = desk.ask(loaded, on)
            drawn = desk.board(inquiry)
            yield from (line.shown for line in drawn.lines)
            for line in loaded.agreement.board:
                yield desk.why(inquiry, line.id).head
        except TallybookError as error:
            yield str(error)


@pytest.mark.parametrize("template", TEMPLATES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_files_changed_at_random_are_refused_or_answered(template: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as scratch:
        written = new_case(Path(scratch) / "case", template)
        for _ in range(data.draw(st.integers(1, 3))):
            path = data.draw(st.sampled_from(written))
            raw = path.read_bytes()
            at = data.draw(spots(raw))
            end = data.draw(st.sampled_from([at, at + 1, at + 5, raw.find(b"\n", at) + 1 or at]))
            path.write_bytes(raw[:at] + data.draw(PATCHES) + raw[end:])
        if not faults(Path(scratch) / "case"):
            assert all(isinstance(told, str) for told in asked(Path(scratch) / "case"))


VALUES = st.sampled_from(
    [
        "7",
        "word",
        "[]",
        "{}",
        "null",
        "[[1]]",
        "{a: {b: c}}",
        '""',
        "true",
        "0.5",
        '"@removal"',
        "2031-01-01",
        "2031-02-30",
        "owed @removal",
    ]
)


@pytest.mark.parametrize("template", TEMPLATES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_values_changed_at_random_are_refused_or_answered(template: str, data: st.DataObject) -> None:
    """The text stays YAML, so that the change gets past the reader."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "case"
        new_case(folder, template)
        lines = (folder / AGREEMENT).read_text("utf-8").splitlines()
        keyed = [n for n, line in enumerate(lines) if ": " in line and "{" not in line and not line.startswith("#")]
        n = data.draw(st.sampled_from(keyed))
        key = lines[n][: lines[n].index(": ") + 2]
        lines[n] = key + data.draw(VALUES)
        (folder / AGREEMENT).write_text("\n".join(lines) + "\n", "utf-8")
        if not faults(folder):
            assert all(isinstance(told, str) for told in asked(folder))
