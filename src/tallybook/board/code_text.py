"""A code of guidance, or a difference of two, as plain text for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterable

from tallybook.board.page import clean
from tallybook.codify.blocks import HEADINGS, Block, Inserted, Struck
from tallybook.codify.code import Verbatim


def code_text(blocks: Iterable[Block]) -> str:
    """One block a line; nothing that a terminal would obey."""
    out: list[str] = []
    for block in blocks:
        words = clean("".join(_run(run) for run in block.runs))
        if block.kind in HEADINGS:
            out += ["", words] if out else [words]
            if block.kind == "section":
                out.append("=" * len(words))
        elif block.kind == "lead":
            out.append(words)
        else:
            label = f"{clean(block.label)}: " if block.label else ""
            shown = f'"{words}"' if block.kind == "quote" else words
            source = f"  [{clean(block.source)}]" if block.source else ""
            out.append(f"{'    ' * (block.depth + 1)}{label}{shown}{source}".rstrip())
    return "\n".join(out) + "\n"


def _run(run: str) -> str:
    if isinstance(run, Struck):
        return f"~~{run}~~"
    if isinstance(run, Inserted):
        return f"++{run}++"
    return f"`{run}`" if isinstance(run, Verbatim) else run
