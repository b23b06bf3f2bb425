"""A code of guidance, or a difference of two, as Markdown. Nothing that is quoted is read as Markdown or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tallybook.board.page import clean, plain
from tallybook.codify.blocks import HEADINGS, Block, Inserted, Struck
from tallybook.codify.code import Verbatim

_MARK = {"title": "#", "section": "##", "article": "###"}
_LEADING = re.compile(r"^(\s*)([-+=~]|\d+[.)])")
_TICKS = re.compile(r"`+")


def code_markdown(blocks: Iterable[Block]) -> str:
    """Headings, lists and quotations; conditions as code."""
    out: list[str] = []
    listing = False
    for block in blocks:
        words = "".join(_run(run) for run in block.runs).strip()
        if block.kind in HEADINGS or block.kind == "lead":
            mark = _MARK.get(block.kind, "")
            out += [*([""] if listing else []), f"{mark} {_safe_start(words)}".strip(), ""]
            listing = False
            continue
        label = f"*{_plain(block.label)}:* " if block.label else ""
        shown = f"“{words}”" if block.kind == "quote" else words
        source = f" [{_plain(block.source)}]" if block.source else ""
        out.append(f"{'  ' * block.depth}- {label or ''}{shown if label else _safe_start(shown)}{_bracketed(source)}")
        listing = True
    return "\n".join(out).rstrip("\n") + "\n"


def _bracketed(source: str) -> str:
    """A source in square brackets that make no link."""
    return source.replace(" [", " \\[", 1)[:-1] + "\\]" if source else ""


def _run(run: str) -> str:
    if isinstance(run, Verbatim):
        return code_span(run)
    if isinstance(run, Struck | Inserted):
        mark = "~~" if isinstance(run, Struck) else "++"
        words = _plain(run)
        return f"{' ' if run[:1].isspace() else ''}{mark}{words}{mark}{' ' if run[-1:].isspace() else ''}"
    return f"{' ' if run[:1].isspace() else ''}{_plain(run)}{' ' if run[-1:].isspace() and run.strip() else ''}"


def code_span(words: str) -> str:
    """Words as code, between more backticks than they hold themselves (CommonMark 0.31, section 6.1)."""
    inner = clean(words)
    ticks = "`" * (1 + max((len(found) for found in _TICKS.findall(inner)), default=0))
    pad = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{ticks}{pad}{inner}{pad}{ticks}"


def _plain(words: str) -> str:
    return plain(words).replace("~", "\\~").replace("&", "\\&").replace("!\\[", "\\!\\[")


def _safe_start(words: str) -> str:
    """A line that does not begin like a list, a rule or a heading."""
    return _LEADING.sub(lambda m: f"{m[1]}\\{m[2]}" if not m[2][0].isdigit() else f"{m[1]}{m[2][:-1]}\\{m[2][-1]}", words)
