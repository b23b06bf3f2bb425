"""The code of guidance as a stream of blocks, from which text, Markdown and HTML are written. Each names its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tallybook.codify.code import Article, Code, HistoryLine, InstrumentEntry, PartText, Quotation, Sentence
from tallybook.codify.wording import listed


class Struck(str):
    """Words that are taken out."""

    __slots__ = ()


class Inserted(str):
    """Words that are put in."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or heading.

    `kind` is "title", "section", "article" (headings), "lead", or what a paragraph is: "quote", "meaning", "status" and so on.
    `label` stands before it, `source` after it; `depth` counts how far in it stands; `anchor` names a heading.
    """

    kind: str
    runs: tuple[str, ...]
    source: str = ""
    label: str = ""
    depth: int = 0
    anchor: str = ""


_HOW_TO_READ = (
    "What stands in quotation marks is quoted, with its source. What is marked “means” is our rendering of the provision named "
    "beside it, and no part of any instrument."
)
HEADINGS = ("title", "section", "article")
_PLAIN_KIND = {"words": ""}


def code_blocks(code: Code) -> Iterator[Block]:
    """The whole code of guidance."""
    yield Block("title", (code.title,))
    yield Block("lead", (f"Code of guidance on {code.on}, as known by {code.known}; reading: {code.reading}.",))
    yield Block(
        "lead",
        (_HOW_TO_READ,),
    )
    yield Block("section", ("Instruments",), anchor=":instruments")
    for entry in code.instruments:
        yield from instrument_blocks(entry)
    yield Block("section", ("Text",), anchor=":text")
    if not code.articles:
        yield Block("lead", ("Nothing was agreed at that date, on what was known.",))
    for article in code.articles:
        yield from article_blocks(article)
    for title, anchor, rows in (
        ("Not in force yet", "waiting", [(w.change, f"{w.text}: {w.waits_for}") for w in code.waiting]),
        ("Conflicts", "conflicts", [(listed(c.changes), c.text) for c in code.conflicts]),
        ("Undone", "undone", [(u.by, u.text) for u in code.undone]),
    ):
        if rows:
            yield Block("section", (title,), anchor=f":{anchor}")
            for source, text in rows:
                yield Block("item", (text,), source)


def instrument_blocks(entry: InstrumentEntry) -> Iterator[Block]:
    """An instrument: when made, in hand or not, what it says and what it changed."""
    amended = ", as amended" if entry.amended_by else ""
    yield Block("article", (f"{entry.id}: {entry.name}{amended}",), anchor=f":{entry.id}")
    made = f"made {entry.made}" if entry.made else "it is not known when it was made"
    by = f" by {entry.by}" if entry.by else ""
    to = f", to {listed(entry.to)}" if entry.to else ""
    yield Block("item", (f"{made}{by}{to}; {entry.standing}",), entry.id)
    if entry.note:
        yield Block("item", (entry.note,), entry.id, label="remark of the desk")
    if entry.says:
        yield Block("item", (listed(f"@{name}" for name in entry.says),), entry.id, label="says, or is quoted for")
    for text in entry.changed:
        yield Block("item", (text,), entry.id, label="changed")
    if entry.amended_by:
        yield Block("item", (listed(entry.amended_by),), listed(entry.amended_by), label="amended by")


def article_blocks(article: Article) -> Iterator[Block]:
    """One article, its history last."""
    named = article.title if article.title == f"@{article.id}" else f"{article.title} (@{article.id})"
    yield Block("article", (f"{named}: {article.kind}",), anchor=article.id)
    yield from words_blocks(article)
    yield from _sentences("meaning", "means", article.meaning)
    yield Block("status", (article.status.text,), f"@{article.id}", label="status")
    for label, kind, told in (("vague", "vague", listed(f"“{word}”" for word in article.vague)), ("open", "open", article.open)):
        if told:
            yield Block(kind, (told,), f"@{article.id}", label=label)
    yield from _sentences("reading", "reading", article.readings)
    yield from _sentences("exception", "exception", article.exceptions)
    for line in article.history:
        yield from history_blocks(line)
    if article.not_in_hand:
        told = f"made or changed by {listed(article.not_in_hand)}, whose text is not in hand"
        yield Block("absent", (told,), listed(article.not_in_hand), label="not in hand")


def words_blocks(article: Article) -> Iterator[Block]:
    """The words of an article and of its parts; what is quoted for something else is labelled."""
    for quotation in article.quotations:
        yield _quote(quotation, 0)
    for part in article.parts:
        yield from _part(part, 0, article.id)
    if not article.quotations and not article.parts and not article.repealed_by:
        where = article.instrument or "no instrument"
        yield Block("absent", (f"no words of it are in hand ({where})",), article.instrument or f"@{article.id}", label="words")


def history_blocks(line: HistoryLine) -> Iterator[Block]:
    """What a change did, its words and its ruling."""
    yield Block("history", (line.text,), line.change, label="history")
    for quotation in line.quotations:
        yield Block("quote", (quotation.words,), quotation.source, depth=1)
    for row, statement in line.records:
        yield Block("quote", (statement,), row, depth=1)
    if line.ruling:
        yield Block("item", (line.ruling,), line.change, depth=1)


def _part(part: PartText, depth: int, article: str) -> Iterator[Block]:
    name = f"{part.number or f'{part.unit} {part.id}'}{f' {part.heading}' if part.heading else ''}"
    if part.removed_by:
        yield Block("absent", ("taken out",), part.removed_by, label=name, depth=depth)
        return
    for quotation in part.quotations:
        yield _quote(quotation, depth, name)
    if not part.quotations:
        yield Block("part", (), f"@{article}", label=name, depth=depth)
    for inner in part.parts:
        yield from _part(inner, depth + 1, article)


def _quote(quotation: Quotation, depth: int, label: str = "") -> Block:
    role = _PLAIN_KIND.get(quotation.role, quotation.role)
    return Block("quote", (quotation.words,), quotation.source, label=label or role, depth=depth)


def _sentences(kind: str, label: str, sentences: Iterable[Sentence]) -> Iterator[Block]:
    for sentence in sentences:
        yield Block(kind, tuple(sentence.runs), sentence.source, label=label)
