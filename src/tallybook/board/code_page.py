"""A code of guidance, or a difference of two, as one HTML file that needs nothing else and prints on paper."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tallybook.board.page import css_text
from tallybook.codify.blocks import Block, Inserted, Struck
from tallybook.codify.code import Verbatim


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tallybook.board", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("code.html")


def code_page(blocks: Iterable[Block], head: str, made_by: str, banner: str = "") -> str:
    """The whole page as HTML. `head` is what the window is called, `made_by` names the engine, `banner` is its marking."""
    shown = [_block(block) for block in blocks]
    contents = [b for b in shown if b["kind"] in ("section", "article") and b["anchor"]]
    return _template().render(head=head, blocks=shown, contents=contents, made_by=made_by, banner=banner, paged=css_text(banner))


def _block(block: Block) -> dict[str, Any]:
    return {
        "kind": block.kind,
        "label": block.label,
        "source": block.source,
        "depth": min(block.depth, 6),
        "anchor": block.anchor,
        "runs": [(_tag(run), str(run)) for run in block.runs],
        "text": "".join(block.runs),
    }


def _tag(run: str) -> str:
    if isinstance(run, Struck):
        return "del"
    if isinstance(run, Inserted):
        return "ins"
    return "code" if isinstance(run, Verbatim) else ""
