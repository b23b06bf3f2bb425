"""A page of headed paragraphs, lists and tables, as plain text or as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import category

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `numbers`: the columns that stand to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Items:
    """A list, one sentence each."""

    rows: tuple[str, ...]


Block = str | Table | Items


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A title, what is said at once, and sections. `banner` is its marking, at the head and the foot."""

    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    banner: str = ""


def text(page: Page) -> str:
    """The page for pipes: no colour, no boxes, one fact a line."""
    frame = [clean(page.banner)] if page.banner else []
    out = [*frame, clean(page.title), *(clean(line) for line in page.lead)]
    for section in page.sections:
        out += ["", clean(section.title)]
        for block in section.blocks:
            if isinstance(block, Table):
                out += [f"  {line}" for line in _aligned(block)]
            elif isinstance(block, Items):
                out += [f"  - {clean(row)}" for row in block.rows]
            else:
                out.append(f"  {clean(block)}")
    return "\n".join([*out, *([""] if frame else []), *frame]) + "\n"


def markdown(page: Page) -> str:
    """The page as Markdown with tables, to go into a report."""
    frame = [f"**{plain(page.banner)}**", ""] if page.banner else []
    out = [*frame, f"# {plain(page.title)}", ""]
    for line in page.lead:
        out += [plain(line), ""]
    for section in page.sections:
        out += [f"## {plain(section.title)}", ""]
        for block in section.blocks:
            if isinstance(block, Table):
                out.append(f"| {' | '.join(plain(cell) for cell in block.head)} |")
                out.append(f"|{'|'.join('--:' if n in block.numbers else '---' for n in range(len(block.head)))}|")
                out += [f"| {' | '.join(plain(cell) for cell in row)} |" for row in block.rows]
            elif isinstance(block, Items):
                out += [f"- {plain(row)}" for row in block.rows]
            else:
                out.append(plain(block))
            out.append("")
    return "\n".join([*out, *frame])


def clean(words: str) -> str:
    """One line without characters that steer a terminal."""
    return " ".join("".join(c if c.isspace() or category(c)[0] != "C" else "�" for c in words).split())


def css_text(words: str) -> str:
    """A text for between quotes in a style sheet: what is no letter or digit is written as its code point."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in clean(words))


def plain(words: str) -> str:
    """One line in which nothing is read as Markdown."""
    return clean(words).translate(_SPECIAL)


def _aligned(table: Table) -> list[str]:
    rows = [table.head, *table.rows]
    cells = [[clean(cell) for cell in row] for row in rows]
    wide = [max(len(row[n]) for row in cells) for n in range(len(table.head))]
    out = []
    for row in cells:
        line = (c.rjust(wide[n]) if n in table.numbers else c.ljust(wide[n]) for n, c in enumerate(row))
        out.append("  ".join(line).rstrip())
    return out
