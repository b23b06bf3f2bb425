"""The board on a terminal: a calm table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tallybook.board.text import books_words, details, ending_words, marked, state_words
from tallybook.verdicts.board import Board, owed_json
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.sentences import known_by

STYLES = {
    "verified": "bold green",
    "supported": "green",
    "indicated": "cyan",
    "claimed": "blue",
    "unclear": "yellow",
    "no evidence": "dim",
    "disputed": "magenta",
    "contradicted": "red",
}


def show(board: Board, console: Console | None = None) -> None:
    """Print the board."""
    console = console or Console(highlight=False)
    inquiry, banner = board.inquiry, whole_banner(board.inquiry)
    if banner:
        console.print(Text(banner, style="bold reverse"))
    console.print(Text(inquiry.agreement.title, style="bold"))
    console.print(Text(f"The board {known_by(inquiry)}; reading: {inquiry.question.reading}", style="dim"))
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 1, 0))
    table.add_column("Line", min_width=16, max_width=24)
    table.add_column("Verdict", min_width=12, max_width=16)
    table.add_column("In words")
    for line in board.lines:
        cell = Text()
        for n, detail in enumerate(details(line)):
            cell.append(("\n" if n else "") + detail, style="" if n == 0 else "dim")
        table.add_row(Text(marked(line.portion, line.title)), Text(line.label, style=STYLES.get(line.shown, "bold")), cell)
    console.print(table)
    owed = Table(
        show_edge=False, pad_edge=False, header_style="dim", title="Still owed", title_justify="left", padding=(0, 2, 0, 0)
    )
    for name in ("By", "To", "What", "State", "Due", "Waits for"):
        owed.add_column(name)
    for row in owed_json(board.inquiry, board.duties):
        owed.add_row(row["by"], row["to"], f"@{row['id']}", state_words(row), row["due"] or "", ", ".join(row["waits_for"]))
    console.print(owed)
    for told in ending_words(board):
        console.print(Text(told))
    if told := books_words(board):
        console.print(Text(f"\nMade from {told}", style="dim"))
    if banner:
        console.print(Text(banner, style="bold reverse"))
