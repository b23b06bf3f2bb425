"""The command line: forms of output, exit codes, errors that say what, where and what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support import EXAMPLE, ROOT, answer
from tallybook.cli.main import main
from tallybook.verdicts.inquiry import Case

LINES = [
    "missile_bases_dismantled",
    "missiles_removed",
    "il28_bombers",
    "submarine_facility",
    "sam_sites",
    "verification_arrangements",
    "reintroduction_safeguards",
    "aerial_surveillance_safety",
    "quarantine_status",
]


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tallybook.cli.main", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def out(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capfd.readouterr().out


def test_board_json_has_the_fields_of_the_contract(capfd: pytest.CaptureFixture[str], case: Case) -> None:
    board = json.loads(out(capfd, "board", str(EXAMPLE), "--json", "--on", "1962-11-12"))
    top = {"case", "on", "known", "reader", "reading", "lines", "duties", "owed", "measures", "courses", "receipt"}
    assert top <= set(board)
    assert board["case"] == "cuba-1962"
    assert board["on"] == board["known"] == "1962-11-12T23:59:59-05:00"
    assert [entry["id"] for entry in board["lines"]] == LINES
    fields = {
        "id",
        "title",
        "verdict",
        "words",
        "evidence",
        "standard",
        "means",
        "quantity",
        "supporting",
        "against",
        "would_change",
    }
    assert all(fields <= set(entry) for entry in board["lines"])
    missiles = board["lines"][1]
    assert {"name", "at_least", "methods_met", "methods_missing"} <= set(missiles["standard"])
    assert {"item", "declared", "removed", "remaining", "p_none_left", "correctness", "completeness"} == set(missiles["quantity"])
    assert {"id", "status", "verdict", "owed_by", "owed_to", "items"} <= set(board["duties"][0])
    assert {"id", "state", "by", "to", "waits_for"} <= set(board["owed"][0])
    assert {"id", "state", "since", "standing", "by_provision"} <= set(board["measures"][0])
    assert {"engine", "sources", "checkpoint"} == set(board["receipt"])
    assert board == json.loads(json.dumps(answer(case, "1962-11-12")))


def test_pipe_is_plain_text() -> None:
    told = run("board", "examples/cuba-1962")
    assert told.returncode == 0
    assert "\x1b" not in told.stdout
    assert "Missile bases dismantled" in told.stdout
    assert "SUPPORTED" in told.stdout


def test_markdown_and_html(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = out(capfd, "board", str(EXAMPLE), "--md")
    assert told.startswith("# Exchange of October 27 and 28")
    assert "| Missile bases dismantled | **supported** |" in told
    page = tmp_path / "board.html"
    assert main(["board", str(EXAMPLE), "--html", str(page)]) == 0
    html = page.read_text("utf-8")
    assert "http://" not in html
    assert "https://" not in html
    assert "<script" not in html
    assert html.count("<article") == 9


def test_html_escapes_what_reports_say(copy: Any, tmp_path: Path) -> None:
    folder = copy()
    table = folder / "reports" / "observations.csv"
    table.write_text(
        table.read_text("utf-8").replace("launch gear", "x").replace("Photographs of 1 Nov:", "<img src=x onerror=alert(1)>"),
        "utf-8",
    )
    page = tmp_path / "board.html"
    assert main(["board", str(folder), "--html", str(page)]) == 0
    assert "<img" not in page.read_text("utf-8")
    assert "&lt;img" in page.read_text("utf-8")


def test_terminal_table(case: Case) -> None:
    import io

    from rich.console import Console

    from tallybook import desk
    from tallybook.board.terminal import show

    screen = io.StringIO()
    show(desk.board(desk.ask(case)), Console(file=screen, width=120, force_terminal=True, color_system="standard"))
    assert "Missile bases" in screen.getvalue()
    assert "Still owed" in screen.getvalue()


def test_why_in_sentences_and_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "why", str(EXAMPLE), "missile_bases_dismantled")
    assert "SUPPORTED" in told
    assert "OBS-063" in told
    assert "What would change it" in told
    tree = json.loads(out(capfd, "why", str(EXAMPLE), "missile_bases_dismantled", "--json"))
    assert tree["because"][0]["rule"] == "ladder"
    duty = out(capfd, "why", str(EXAMPLE), "@removal", "--on", "1962-11-12")
    assert "You would agree to remove these weapons systems" in duty


def test_owed(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "owed", str(EXAMPLE), "--on", "1962-11-12")
    assert "US to USSR: @lift-quarantine, not yet owed" in told
    assert "waits for: @removal, @safeguard-arrangements" in told
    rows = json.loads(out(capfd, "owed", str(EXAMPLE), "--on", "1962-11-12", "--json"))
    assert {"removal", "lift-quarantine", "no-invasion"} <= {row["id"] for row in rows}


def test_changes(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "changes", str(EXAMPLE), "--since", "1962-11-03", "--known", "1962-11-12")
    assert "Missiles removed: " in told
    assert "-> supported" in told
    assert "OBS-154" in told
    rows = json.loads(out(capfd, "changes", str(EXAMPLE), "--since", "1962-11-03", "--known", "1962-11-12", "--json"))["lines"]
    moved = {row["id"] for row in rows if row["moved"]}
    assert "missiles_removed" in moved
    assert "missile_bases_dismantled" not in moved
    assert "alongside-procedure#1" in told
    assert "ruled by Roswell Gilpatric" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["board", str(EXAMPLE), "--on", "1962-02-30"], ["--on", "does not exist"]),
        (["board", str(EXAMPLE), "--on", "1962-11-03T20:44"], ["--on", "offset"]),
        (["board", str(EXAMPLE), "--known", "yesterday"], ["--known", "is not a date"]),
        (["board", str(EXAMPLE), "--reading", "martian"], ["--reading", "plain, us, ussr"]),
        (["board", str(EXAMPLE), "--as", "somebody"], ["--as", "marked"]),
        (["board", "no-such-folder"], ["no such folder"]),
        (["why", str(EXAMPLE), "nothing"], ["no line", "missiles_removed"]),
        (["changes", str(EXAMPLE), "--since", "1963-01-01", "--known", "1962-11-01"], ["--since"]),
        (["board", str(EXAMPLE), "--html", "/no/such/folder/x.html"], ["cannot be written"]),
        (["board"], ["Missing argument"]),
        (["frobnicate"], ["No such command"]),
    ],
)
def test_unusable_arguments(arguments: list[str], words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert all(word in told.err for word in words)
    assert "Traceback" not in told.err


def test_help_lists_every_command_without_importing_them() -> None:
    code = (
        "import sys; from tallybook.cli.main import main; main(['--help']);"
        "print([m for m in sys.modules if m.startswith(('pydantic', 'rich', 'ruamel', 'lark', 'jinja2'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.rstrip().endswith("[]")
    for name in ("new", "check", "board", "why", "owed", "changes"):
        assert f"\n  {name} " in told


def test_board_needs_no_heavy_import() -> None:
    code = (
        "import sys; from tallybook.cli.main import main; main(['board', 'examples/cuba-1962', '--json']);"
        "heavy = ('scipy', 'numba', 'polars', 'pandas', 'rich', 'jinja2');"
        "print([m for m in heavy if m in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stderr.strip() == "[]"


def test_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m tallybook.cli.main board examples/cuba-1962 --json | head -c 10"
    told = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in told.stderr


def test_schema_is_json_schema(capfd: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(out(capfd, "schema"))
    assert schema["properties"]["provisions"]
    assert schema["additionalProperties"] is False
