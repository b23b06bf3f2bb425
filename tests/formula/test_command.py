"""`tallybook formula`: forms of file and log, exit codes, errors, and that its page says what it does."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from support import ROOT
from tallybook.cli.main import main
from tallybook.formula.monitor import monitorable
from tallybook.formula.text import parse

PAGE = (ROOT / "docs" / "reference" / "formula.md").read_text("utf-8")
DEADLINE = "publish(?r) and not eventually[0,7d] approve(?r)"
LOG = "".join(f"{line}\n" for line in re.findall(r"^@\d+ \w+\(.*$", PAGE, re.MULTILINE))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deadline.txt").write_text(f"{DEADLINE}\n", "utf-8")
    (tmp_path / "reports.log").write_text(LOG, "utf-8")
    return tmp_path


def run(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["formula", *arguments]) == code
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return err if code == 2 else out


def test_the_page_shows_what_is_printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(LOG.splitlines()) == 6
    shown = re.findall(r"^`tallybook (formula [^`]*)`[^\n]*\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(shown) == 2
    for arguments, printed in shown:
        assert run(capfd, *arguments.split()[1:]) == printed


def test_the_formulas_of_the_page_parse() -> None:
    (block,) = re.findall(r"^```formula\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    lines = block.splitlines()
    assert len(lines) == 7
    for line in lines:
        assert monitorable(parse(line)) is None, line


def test_the_refusals_of_the_page_are_refused_and_what_it_says_instead_is_not() -> None:
    table = PAGE[PAGE.index("| refused |") : PAGE.index("`historically`, `always`, `implies` and")]
    rows = re.findall(r"^\| `([^`]+)` \| [^|]* \| `([^`]+)` \|$", table, re.MULTILINE)
    assert len(rows) == 5
    for refused, instead in rows:
        assert monitorable(parse(refused)) is not None, refused
        assert monitorable(parse(instead)) is None, instead


def test_json(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capfd, "deadline.txt", "reports.log", "--json")) == {
        "formula": "publish(?r) and not eventually[0,604800] approve(?r)",
        "vars": ["r"],
        "order": "by time",
        "monitor": "specialised",
        "points": 6,
        "verdicts": [{"tp": 1, "ts": 1307955600, "sat": [[160]]}],
        "undetermined": [2, 3, 4, 5],
    }
    found = json.loads(run(capfd, "deadline.txt", "reports.log", "--obligations", "--json"))
    assert {(row["values"]["r"], row["status"], row.get("at")) for row in found["obligations"]} == {
        (160, "violated", None),
        (163, "fulfilled", 1308477609),
        (152, "not yet due", None),
        (169, "fulfilled", 1308600000),
        (150, "fulfilled", 1308477610),
    }


def test_order_decides_what_is_one_time_point(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = folder / "log.jsonl"
    log.write_text(
        '{"ts":1,"pred":"approve","args":[7]}\n{"ts":1,"pred":"publish","args":[7]}\n{"ts":1e6,"events":[]}\n', "utf-8"
    )
    assert "(by time)\nholds nowhere so far\n" in run(capfd, "deadline.txt", str(log))
    assert "(by order)\n@1 (time-point 1): r=7\n" in run(capfd, "deadline.txt", str(log), "--order", "points")
    assert json.loads(run(capfd, "deadline.txt", str(log), "--order", "points", "--json"))["order"] == "by order"


TREE = """\
vars: [who, what]
formula:
  op: and
  args:
  - {pred: p, args: ["?what", "?who"]}
  - {op: not, arg: {op: once, lo: 0, hi: 5, arg: {pred: q, args: ["?what"]}}}
"""
TEXT = "p(?what, ?who) and not once[0,5] q(?what)"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.yaml", f"title: a title\nformula: {TEXT}\nvars: [who, what]\n"),
        ("f.json", json.dumps({"title": "t", "formula": TEXT, "vars": ["?who", "what"]})),
        ("f.yml", TREE),
    ],
)
def test_files_with_vars_and_title(folder: Path, capfd: pytest.CaptureFixture[str], name: str, text: str) -> None:
    (folder / name).write_text(text, "utf-8")
    (folder / "log.csv").write_text('ts,pred,a,b\n1,q,1\n2,p,1,2\n2,p,3,"a;b"\n', "utf-8")
    assert '@2 (time-point 1): who="a;b", what=3\n' in run(capfd, name, "log.csv")
    assert "@2 (time-point 1): what=3\n" in run(capfd, name, "log.csv", "--vars", "what")


def test_a_bare_tree_and_a_closed_formula(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "f").write_text('{"op": "exists", "vars": ["?r"], "arg": {"pred": "publish", "args": ["?r"]}}', "utf-8")
    assert "@1307955600 (time-point 1): holds\n" in run(capfd, "f", "reports.log")
    assert json.loads(run(capfd, "f", "reports.log", "--json"))["verdicts"][0]["sat"] is True


def test_standard_input(folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))
    assert "r=160" in run(capfd, "deadline.txt", "-")


def test_fail_on_match(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "r=160" in run(capfd, "deadline.txt", "reports.log", "--fail-on-match", code=1)
    run(capfd, "deadline.txt", "reports.log", "--fail-on-match", "--obligations", code=1)
    (folder / "none.txt").write_text("retract(?r)", "utf-8")
    assert "holds nowhere\n" in run(capfd, "none.txt", "reports.log", "--fail-on-match")


def test_hidden_characters_are_shown_as_escapes(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "p.yaml").write_text('title: "a\\u202eb"\nformula: p(?x)\n', "utf-8")
    (folder / "log").write_text('{"ts": 1, "pred": "p", "args": ["\\u001b[31m\\u202e"]}\n', "utf-8")
    out = run(capfd, "p.yaml", "log")
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("none.txt", None, "none.txt: cannot be read"),
        ("f.txt", b"p(x)", 'a variable is written ?x, a text "x"'),
        ("f.txt", b"", "ends too early"),
        ("f.txt", b"\xff", "not UTF-8 at byte 0"),
        ("f.txt", b"p" * 300_000, "larger than 200,000 bytes"),
        ("f.txt", b"not p(?x)", "does not say which values ?x may take"),
        ("f.txt", b"{", "no JSON"),
        ("f.txt", b'{"op":' * 20_000, "no JSON"),
        ("f.json", b"[]", "something else than formula, vars and title"),
        ("f.json", b'{"formula": 7}', "an object"),
        ("f.json", b'{"formula": "p", "vars": "x"}', "vars is no list"),
        ("f.json", b'{"formula": "p", "vars": ["x"]}', "?x is no free variable of the formula; free are: none"),
        ("f.json", b'{"formula": "p", "title": 7}', "title is no text"),
        ("f.json", b'{"formula": "p", "note": 7}', "something else"),
        ("f.json", b'{"op": "next"}', 'unknown op "next"'),
        ("f.yaml", b"formula: [", "f.yaml:"),
        ("f.yaml", b"formula: &a p\n", "f.yaml:"),
        ("f.yaml", b"formula: p(\n", "ends too early"),
    ],
)
def test_unusable_formulas(folder: Path, capfd: pytest.CaptureFixture[str], file: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (folder / file).write_bytes(content)
    assert says in run(capfd, file, "reports.log", code=2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello\n", "log:1: the form of the log is not known"),
        (b"@5\n@4\n", "log:2: time-stamp 4 is before the last one"),
        (b"@5\n\xff\xfe\n", "log: not UTF-8"),
        (b"{" + b"x" * 3_000_000, "log:1: a line of more than"),
        (b"ts,pred\n1,\x00\n2\n", "log:"),
    ],
)
def test_unusable_logs(folder: Path, capfd: pytest.CaptureFixture[str], content: bytes, says: str) -> None:
    (folder / "log").write_bytes(content)
    for more in ([], ["--obligations"], ["--json"]):
        assert says in run(capfd, "deadline.txt", "log", *more, code=2)


def test_unusable_arguments(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "cannot be read" in run(capfd, "deadline.txt", "nowhere.log", code=2)
    assert "cannot be read" in run(capfd, "deadline.txt", ".", code=2)
    assert "cannot be read" in run(capfd, ".", "reports.log", code=2)
    assert "do not go together" in run(capfd, "deadline.txt", "reports.log", "--obligations", "--vars", "r", code=2)
    assert "no free variable" in run(capfd, "deadline.txt", "reports.log", "--vars", "q", code=2)
    assert "--order" in run(capfd, "deadline.txt", "reports.log", "--order", "size", code=2)
    (folder / "past.txt").write_text("p(?x)", "utf-8")
    assert "is no deadline" in run(capfd, "past.txt", "reports.log", "--obligations", code=2)


def test_a_count_is_shown_on_a_terminal_only(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tallybook.cli import formula as module

    monkeypatch.setattr(module, "_OFTEN", 2)
    main(["formula", "deadline.txt", "reports.log"])
    assert capfd.readouterr().err == ""
    errors: Any = io.StringIO()
    errors.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", errors)
    main(["formula", "deadline.txt", "reports.log"])
    assert "6 time-points" in errors.getvalue()
