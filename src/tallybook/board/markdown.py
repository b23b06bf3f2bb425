"""The board as Markdown."""

from __future__ import annotations

from tallybook.board.text import books_words, details, ending_words, marked, state_words
from tallybook.verdicts.board import Board, owed_json
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.sentences import known_by

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})


def markdown(board: Board) -> str:
    """The board as a Markdown page with three tables."""
    inquiry = board.inquiry
    banner = whole_banner(inquiry)
    out = [f"**{_plain(banner)}**", ""] if banner else []
    out += [
        f"# {_plain(inquiry.agreement.title)}",
        "",
        f"The board {known_by(inquiry)}; reading: {inquiry.question.reading}.",
        "",
    ]
    out += ["| line | verdict | in words |", "|---|---|---|"]
    for line in board.lines:
        words = "<br>".join(_plain(detail) for detail in details(line))
        out.append(f"| {_plain(marked(line.portion, line.title))} | **{_plain(line.label)}** | {words} |")
    out += ["", "## Still owed", "", "| by | to | what | state | due | waits for |", "|---|---|---|---|---|---|"]
    for row in owed_json(board.inquiry, board.duties):
        cells = (row["by"], row["to"], f"@{row['id']}", state_words(row), row["due"] or "", ", ".join(row["waits_for"]))
        out.append("| " + " | ".join(_plain(c) for c in cells) + " |")
    out += [line for told in ending_words(board) for line in ("", _plain(told))]
    out += ["", "## Measures", "", "| measure | state |", "|---|---|"]
    out += [f"| {_plain(m.title)} | {_plain(m.words)} |" for m in board.measures if m.current]
    out += ["", f"Made from {_plain(told)}."] if (told := books_words(board)) else []
    out += ["", f"**{_plain(banner)}**"] if banner else []
    return "\n".join(out) + "\n"


def _plain(text: str) -> str:
    return " ".join(text.split()).translate(_SPECIAL)
