"""A page on a terminal: headings in bold, what is said beside in grey, tables without boxes."""

from __future__ import annotations

from rich.console import Console, JustifyMethod
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from tallybook.board.page import Items, Page, Table, clean

_WIDEST = 12
"""A word up to this long is not broken in a narrow table."""


def show(page: Page, console: Console | None = None) -> None:
    """Print the page."""
    console = console or Console(highlight=False)
    if page.banner:
        console.print(Text(clean(page.banner), style="bold reverse"))
    console.print(Text(clean(page.title), style="bold"))
    for n, line in enumerate(page.lead):
        console.print(Text(clean(line), style="dim" if n == 0 else ""))
    for section in page.sections:
        console.print()
        console.print(Text(clean(section.title), style="bold"))
        for block in section.blocks:
            if isinstance(block, Table):
                console.print(Padding(_table(block), (0, 0, 0, 2)))
            elif isinstance(block, Items):
                for row in block.rows:
                    console.print(Padding(Text(f"- {clean(row)}"), (0, 0, 0, 2)))
            else:
                console.print(Padding(Text(clean(block)), (0, 0, 0, 2)))
    if page.banner:
        console.print(Text(clean(page.banner), style="bold reverse"))


def _table(table: Table) -> RichTable:
    out = RichTable(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for n, name in enumerate(table.head):
        words = [word for row in (table.head, *table.rows) for word in clean(row[n]).split()]
        least = min(_WIDEST, max((len(word) for word in words), default=1))
        justify: JustifyMethod = "right" if n in table.numbers else "left"
        out.add_column(Text(name), justify=justify, overflow="fold", min_width=least)
    for row in table.rows:
        out.add_row(*(Text(clean(cell)) for cell in row))
    return out
