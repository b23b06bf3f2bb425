"""Banners and portions of a whole text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hidden import run
from tallybook.markings.document import LONGEST, document_flaws
from tallybook.markings.marking import MarkingError
from tallybook.markings.scheme import scheme_of

US = scheme_of("US")
SOUND = "SECRET//REL TO USA, GBR\n\n1. (S//REL TO USA, GBR) One.\n\n(U) Two\nlines.\n\nSECRET//REL TO USA, GBR\n"


def told(text: str) -> list[tuple[int, str]]:
    return [(flaw.line, flaw.what) for flaw in document_flaws(text, US)]


def test_a_text_whose_marks_agree_has_no_flaw() -> None:
    assert told(SOUND) == []
    # What is put together may weigh more than its parts.
    assert told(SOUND.replace("SECRET//REL TO USA, GBR\n", "TOP SECRET//NOFORN\n")) == []


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (("1. (S//", "1. (TS//"), 1, "below its portions: SECRET, and a portion is TOP SECRET"),
        (("(S//REL TO USA, GBR) One", "(S//NF) One"), 1, "below its portions: released to GBR"),
        (("(U) Two", "Two"), 5, "without a portion mark"),
        (("(U) Two", "(Q) Two"), 5, "no portion mark"),
        (("lines.\n\nSECRET//REL TO USA, GBR", "lines.\n\nSECRET//NOFORN"), 8, "otherwise than the head"),
        (("SECRET//REL TO USA, GBR\n\n1", "SEKRET\n\n1"), 1, "no banner"),
        (("(U) Two", "(U//NODIS) Two"), 5, "NODIS"),
        (("SECRET//REL TO USA, GBR\n\n1", "SECRET//REL TO\n\n1"), 1, "empty"),
        (("SECRET//REL TO USA, GBR\n\n1.", "SECRET//REL TO USA, GBR\n(TS) Under the banner.\n\n1."), 1, "TOP SECRET"),
        (("(U) Two\nlines.", "(U) Two\n(TS) lines."), 1, "TOP SECRET"),
        (("lines.\n\nSECRET", "lines.\n\n(TS) Last.\nSECRET"), 1, "TOP SECRET"),
    ],
)
def test_each_flaw_is_told_with_its_line(change: tuple[str, str], line: int, what: str) -> None:
    text = SOUND.replace(*change, 1)
    assert text != SOUND
    assert any(at == line and what in found for at, found in told(text)), told(text)


def test_limits() -> None:
    assert told("") == [(1, "empty")]
    with pytest.raises(MarkingError, match="characters"):
        document_flaws("x" * (LONGEST + 1), US)
    with pytest.raises(MarkingError, match="paragraphs"):
        document_flaws("x\n\n" * 30_000, US)


def test_at_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text(SOUND)
    assert run(["marking", "check-text", str(file), "--scheme", "US"])[0] == 0
    file.write_text(SOUND.replace("1. (S//", "1. (TS//"))
    code, out, _ = run(["marking", "check-text", str(file), "--scheme", "US"])
    assert code == 1
    assert "note.txt:1: below its portions" in out
    assert "write TOP SECRET" in out
    code, out, _ = run(["marking", "check-text", str(file), "--scheme", "US", "--json"])
    assert json.loads(out)[0]["line"] == 1
    assert run(["marking", "check-text", str(file), "--scheme", "NONE"])[0] == 2
