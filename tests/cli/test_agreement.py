"""`tallybook agreement show | diff | codify`: forms of output, exit codes, files, errors; the example in small golden texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from support import EXAMPLE
from tallybook import desk
from tallybook.cli.main import main
from tallybook.verdicts.inquiry import Case as LoadedCase

CASE = str(EXAMPLE)


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch, case: LoadedCase) -> None:
    """The example is read once for all these tests; other folders are read as ever."""
    read = desk.open_case

    def opened(folder: Path, reader: str | None = None, *, named: bool = False) -> LoadedCase:
        return case if folder == EXAMPLE and reader is None else read(folder, reader, named=named)

    monkeypatch.setattr(desk, "open_case", opened)


def out(capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["agreement", *arguments]) == code
    told = capfd.readouterr()
    return told.out if code == 0 else told.err


EQUALLY_EFFECTIVE = """\
@equally-effective: proof
    "we should insist on this or an equally effective verification"  [1189]
    means: It answers the question of correctness.  [@equally-effective]
    means: As good as it: @alongside-observation.  [@equally-effective]
    status: in force since 1962-11-03T20:44:00-05:00  [@equally-effective]
    history: @equally-effective interpreted by change alongside-procedure#1 of procedure for observing the missiles on \
departing ships, made 1962-11-07, in effect from 1962-11-07, recorded by COM-51, COM-54 and MEA-29  [alongside-procedure#1]
"""


def test_one_provision_in_full(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "show", CASE, "@equally-effective", "--on", "1962-11-07")
    assert told.startswith(EQUALLY_EFFECTIVE)
    assert '        "Names the nine vessels and agrees to alongside observation from first light on 8 Nov"  [COM-54]\n' in told
    assert told.endswith(
        "not in hand: made or changed by alongside-procedure, whose text is not in hand  [alongside-procedure]\n"
    )


def test_the_whole_text_and_its_json(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "show", CASE)
    assert told.startswith("Exchange of October 27 and 28")
    assert "\n1147: telegram 1147, as amended\n" in told
    assert "\x1b" not in told
    whole = json.loads(out(capfd, "show", CASE, "--json"))
    assert whole == json.loads(out(capfd, "codify", CASE, "--json"))
    (one,) = json.loads(out(capfd, "show", CASE, "@removal", "--json"))
    assert one in whole["articles"]
    assert one["fields"]["owed.by"] == "USSR"
    assert one["quotations"][0] == {
        "words": "You would agree to remove these weapons systems",
        "instrument": "oct-27",
        "read_in": "1189",
        "role": "words",
    }


MARKDOWN = """\
### 1147: telegram 1147, as amended

- made 1962-10-31T12:46-05:00 by Government of the United States (US), to US-negotiators; not in hand; described in \
1189 \\[1147\\]
- *remark of the desk:* as amended; by which messages is not stated \\[1147\\]
- *changed:* @proof-of-removal.methods added by change 1147\\#1 of telegram 1147, made 1962-10-31T12:46-05:00, in effect from \
1962-10-31T12:46-05:00 \\[1147\\]
- *amended by:* 1189\\#1 \\[1189\\#1\\]

### 1159: telegram 1159

- made 1962-11-01 by Government of the United States (US), to US-negotiators; not in hand; described by COM-33: “Telegram \
1159: instructions for McCloy's next contact with the Soviets (IL-28 and other items); text not found” \\[1159\\]

### 1166: telegram 1166
"""


def test_markdown_is_what_codify_prints(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "codify", CASE, "--on", "1962-11-03")
    assert told == out(capfd, "codify", CASE, "--on", "1962-11-03", "--md")
    assert MARKDOWN in told
    assert "\n### @removal: duty\n\n- “You would agree to remove these weapons systems” \\[oct-27, read in 1189\\]\n" in told


def test_files_are_written_beside_a_printed_form(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    html, akn = tmp_path / "code.html", tmp_path / "code.xml"
    assert main(["agreement", "codify", CASE, "--html", str(html), "--akn", str(akn)]) == 0
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err == f"wrote {html}\nwrote {akn}\n"
    assert '<h3 id="removal">' in html.read_text("utf-8")
    assert ET.parse(akn).getroot().tag.endswith("akomaNtoso")
    assert out(capfd, "codify", CASE, "--html", str(html), "--json").startswith("{")


REDLINE = """\
@equally-effective: changed
    means: It answers the question of correctness.++ As good as it: @alongside-observation.++  [@equally-effective]
    includes: nothing -> `alongside-observation`  [@equally-effective]
    by: @equally-effective interpreted by change alongside-procedure#1"""


def test_a_redline(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = out(capfd, "diff", CASE, "--from", "1962-11-03", "--to", "1962-11-07")
    assert REDLINE in told
    assert "++As good as it: @alongside-observation.++" in out(
        capfd, "diff", CASE, "--from", "1962-11-03", "--to", "1962-11-07", "--md"
    )
    found = json.loads(out(capfd, "diff", CASE, "--from", "1962-11-07", "--to", "1962-11-20", "--json"))
    assert {a["id"]: a["what"] for a in found["articles"] if a["what"] == "added"} == {
        "bomber-withdrawal": "added",
        "lift-for-bomber-undertaking": "added",
    }
    page = tmp_path / "diff.html"
    assert out(capfd, "diff", CASE, "--from", "1962-11-07", "--html", str(page)) == ""
    assert "Nothing changed" not in page.read_text("utf-8")


def test_two_known_dates_on_one_day(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "diff", CASE, "--from", "1962-11-10,1962-11-05", "--to", "1962-11-10,1962-11-10")
    assert "on 1962-11-10T23:59:59-05:00, as known by 1962-11-05T23:59:59-05:00" in told
    assert "(became known)  [soviet-position#1]" in told
    assert "(took effect)" not in told
    told = out(capfd, "diff", CASE, "--from", "1962-11-03,1962-11-20", "--to", "1962-11-20")
    assert "(took effect)  [nov-20-exchange#1]" in told


def test_nothing_changed(capfd: pytest.CaptureFixture[str]) -> None:
    told = out(capfd, "diff", CASE, "--from", "1962-11-03T21:00-05:00", "--to", "1962-11-03T22:00-05:00")
    assert told.endswith("\nNothing changed.\n")
    found = json.loads(out(capfd, "diff", CASE, "--from", "1962-11-03", "--to", "1962-11-03", "--json"))
    assert found["nothing_changed"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", CASE, "@nothing"], "no provision '@nothing' at that date"),
        (["show", CASE, "--on", "1962-13-01"], "a date that does not exist"),
        (["show", CASE, "--reading", "martian"], "the readings are plain, us, ussr"),
        (["show", "nowhere"], "no such folder"),
        (["diff", CASE], "--from"),
        (["diff", CASE, "--from", "1962-11-03,"], "write ON or ON,KNOWN"),
        (["diff", CASE, "--from", ",1962-11-03"], "write ON or ON,KNOWN"),
        (["diff", CASE, "--from", "yesterday"], "is not a date"),
        (["diff", CASE, "--from", "1962-11-03", "--json", "--md"], "one answer has one form"),
        (["codify", CASE, "--json", "--md"], "one answer has one form"),
        (["codify", CASE, "--html", "/nowhere/x.html"], "cannot be written"),
        (["codify", CASE, "--as", "anybody"], "nothing in this case is marked"),
        (["erase", CASE], "No such command"),
    ],
    ids=lambda v: " ".join(v[:1] + v[2:]) if isinstance(v, list) else "",
)
def test_unusable_arguments_are_told_in_words(capfd: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    told = out(capfd, *arguments, code=2)
    assert words in told
    assert "Traceback" not in told


def test_hostile_words_in_a_case_stay_words(copy: Callable[[], Path], capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = copy()
    agreement = folder / "agreement.yaml"
    evil = "<img src=x onerror=alert(1)>"
    text = agreement.read_text("utf-8").replace("name: telegram 1159", f'name: "{evil}"')
    agreement.write_text(text, "utf-8")
    html, akn = tmp_path / "c.html", tmp_path / "c.xml"
    told = out(capfd, "codify", str(folder), "--md", "--html", str(html), "--akn", str(akn))
    assert "\\<img src=x onerror=alert(1)\\>" in told
    assert "<img" not in html.read_text("utf-8")
    shown = [e.attrib["showAs"] for e in ET.parse(akn).getroot().iter() if "showAs" in e.attrib]
    assert any(words.startswith(evil) for words in shown)


def test_the_group_lists_what_it_has(capfd: pytest.CaptureFixture[str]) -> None:
    told: Any = out(capfd, "--help")
    assert [word for word in ("show", "diff", "codify") if f"\n  {word} " not in told] == []
