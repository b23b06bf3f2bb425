"""What differs between two codes of guidance, provision by provision, and which changes made it so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tallybook.codify.blocks import Block, Inserted, Struck, words_blocks
from tallybook.codify.code import Article, Code, Verbatim

MOST_WORDS = 4000
"""Longer texts are shown as struck and inserted whole: comparing word by word costs the product of their lengths."""

_TOKEN = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A key that gives a provision its meaning: its old and its new value; None where it was or is not there."""

    key: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """One provision: "added", "removed" or "changed". `words` and `meaning` are redlines; empty where nothing moved."""

    id: str
    title: str
    what: str
    words: tuple[str, ...]
    meaning: tuple[str, ...]
    fields: tuple[FieldChange, ...]
    status: tuple[str, str] | None
    why: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two codes compared. `around` are (source, sentence) pairs on instruments, conflicts and changes that wait."""

    before: Code
    after: Code
    articles: tuple[ArticleChange, ...]
    around: tuple[tuple[str, str], ...]

    @property
    def nothing(self) -> bool:
        """Whether nothing differs."""
        return not self.articles and not self.around


def difference(before: Code, after: Code) -> Difference:
    """Compare two codes of one agreement."""
    out: list[ArticleChange] = []
    for old, new in _pairs(before, after):
        found = _compared(before, after, old, new)
        if found is not None:
            out.append(found)
    return Difference(before, after, tuple(out), tuple(_around(before, after)))


def _pairs(before: Code, after: Code) -> Iterator[tuple[Article | None, Article | None]]:
    """Articles that are one and the same, also where one was renumbered; in the order of the later text, lost ones last."""
    met: set[str] = set()
    for new in after.articles:
        names = (new.id, *new.earlier)
        old = next((a for a in before.articles if a.id in names or new.id in a.earlier), None)
        if old is not None:
            met.add(old.id)
        yield old, new
    for old in before.articles:
        if old.id not in met:
            yield old, None


def _compared(before: Code, after: Code, old: Article | None, new: Article | None) -> ArticleChange | None:
    present = [a for a in (old, new) if a is not None and not a.repealed_by]
    shown = new or old
    if shown is None or not present:
        return None
    is_new = old is None or (bool(old.repealed_by) and new is not None and not new.repealed_by)
    is_gone = new is None or (bool(new.repealed_by) and not is_new)
    words = redline(_words(old), _words(new))
    meaning = redline(_meaning(old), _meaning(new))
    fields = tuple(_fields(old, new))
    status = _status(old, new)
    renamed = old is not None and new is not None and old.id != new.id
    if not (is_new or is_gone or renamed or fields or _moved(words) or _moved(meaning) or status):
        return None
    what = "added" if is_new else "removed" if is_gone else "changed"
    return ArticleChange(
        shown.id,
        shown.title,
        what,
        words if _moved(words) else (),
        meaning if _moved(meaning) else (),
        fields if what == "changed" else (),
        status,
        tuple(_why(before, after, old, new)),
    )


def _words(article: Article | None) -> str:
    if article is None or article.repealed_by:
        return ""
    heading = f"{article.heading}\n" if article.heading else ""
    lines = [f"{block.label} “{''.join(block.runs)}”".strip() for block in words_blocks(article) if block.kind == "quote"]
    return heading + "\n".join(lines)


def _meaning(article: Article | None) -> str:
    return "" if article is None else "\n".join(s.text for s in (*article.meaning, *article.readings, *article.exceptions))


def redline(old: str, new: str) -> tuple[str, ...]:
    """Word by word: runs of the same words, of words struck and of words inserted."""
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    if a == b:
        return (old,) if old else ()
    if max(len(a), len(b)) > 2 * MOST_WORDS:
        return tuple(run for run in (Struck(old), Inserted(new)) if run)
    out: list[str] = []
    for op, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if op == "equal":
            out.append("".join(a[a0:a1]))
            continue
        out += [run for run in (Struck("".join(a[a0:a1])), Inserted("".join(b[b0:b1]))) if run]
    return tuple(out)


def _moved(runs: Sequence[str]) -> bool:
    return any(isinstance(run, Struck | Inserted) for run in runs)


def _fields(old: Article | None, new: Article | None) -> Iterator[FieldChange]:
    before = old.fields if old is not None else {}
    after = new.fields if new is not None else {}
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            yield FieldChange(key, before.get(key), after.get(key))


def _status(old: Article | None, new: Article | None) -> tuple[str, str] | None:
    if old is None or new is None:
        return None
    return None if old.status.text == new.status.text else (old.status.text, new.status.text)


def _why(before: Code, after: Code, old: Article | None, new: Article | None) -> Iterator[tuple[str, str]]:
    """(source, sentence) for each change that made the difference, or for what else did."""
    was = {line.change: line for line in (old.history if old else ())}
    now = {line.change: line for line in (new.history if new else ())}
    told = False
    for address, line in now.items():
        if address not in was:
            told = True
            how = "took effect" if address in before.known_changes else "became known"
            yield address, f"{line.text} ({how})"
    for address, line in was.items():
        if address not in now:
            told = True
            yield address, f"{line.text}: applied no longer{_because_gone(after, address)}"
    if told:
        return
    article = new or old
    assert article is not None
    had, has = ({entry.id for entry in code.instruments} for code in (before, after))
    quoted = {q.instrument for side in (old, new) if side is not None for q in side.quotations} | {article.instrument}
    if found := [name for name in sorted(quoted) if name in has - had]:
        yield from ((name, f"{name} became known") for name in found)
    elif found := [name for name in sorted(quoted) if name in had - has]:
        yield from ((name, f"{name} is not known at the second date") for name in found)
    elif old is None or new is None:
        yield f"@{article.id}", f"@{article.id} is named by a provision at the {'second' if old is None else 'first'} date only"
    else:
        yield f"@{article.id}", _time_or_report(before, after)


def _because_gone(after: Code, address: str) -> str:
    undone = next((u.by for u in after.undone if u.change == address), None)
    if undone:
        return f", undone by {undone}"
    clash = next((c for c in after.conflicts if address in c.changes), None)
    if clash:
        return f", in conflict with {', '.join(a for a in clash.changes if a != address)}"
    return ", not in effect at the second date" if address in after.known_changes else ", not known at the second date"


def _time_or_report(before: Code, after: Code) -> str:
    if before.reading != after.reading:
        return f"no change: it is read as {before.reading} and as {after.reading}"
    if before.known == after.known:
        return "no change to it: the date asked about is another"
    if before.on == after.on:
        return "no change to it: something became known"
    return "no change to it: time passed, or something was reported"


def _around(before: Code, after: Code) -> Iterator[tuple[str, str]]:
    """Instruments that became known, and conflicts, waiting and undone changes that came or went."""
    had, has = {e.id: e for e in before.instruments}, {e.id: e for e in after.instruments}
    for name, entry in has.items():
        if name not in had:
            yield name, f"{name} ({entry.name}) became known: {entry.standing}"
    for name, entry in had.items():
        if name not in has:
            yield name, f"{name} ({entry.name}) is not known at the second date"
    groups: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
        (
            "conflict",
            {c.text: ", ".join(c.changes) for c in before.conflicts},
            {c.text: ", ".join(c.changes) for c in after.conflicts},
        ),
        ("waiting", {w.text: w.change for w in before.waiting}, {w.text: w.change for w in after.waiting}),
        ("undone", {u.text: u.by for u in before.undone}, {u.text: u.by for u in after.undone}),
    )
    for label, old, new in groups:
        yield from ((source, f"{label}: {text}") for text, source in new.items() if text not in old)
        yield from ((source, f"{label} no longer: {text}") for text, source in old.items() if text not in new)


def difference_blocks(found: Difference) -> Iterator[Block]:
    """A difference as blocks, for text, Markdown and HTML."""
    before, after = found.before, found.after
    yield Block("title", (after.title,))
    yield Block("lead", (f"From the code on {before.on}, as known by {before.known}; reading: {before.reading}",))
    yield Block("lead", (f"to the code on {after.on}, as known by {after.known}; reading: {after.reading}.",))
    if found.nothing:
        yield Block("lead", ("Nothing changed.",))
        return
    yield Block("lead", ("Struck and inserted words are marked (in plain text by ~~ and ++).",))
    if found.around:
        yield Block("section", ("Around the text",), anchor=":around")
        for source, text in found.around:
            yield Block("item", (text,), source)
    if found.articles:
        yield Block("section", ("Text",), anchor=":text")
    for entry in found.articles:
        yield from _entry_blocks(entry)


def _entry_blocks(entry: ArticleChange) -> Iterator[Block]:
    source = f"@{entry.id}"
    named = entry.title if entry.title == source else f"{entry.title} ({source})"
    yield Block("article", (f"{named}: {entry.what}",), anchor=entry.id)
    for kind, label, runs in (("redline", "words", entry.words), ("redline", "means", entry.meaning)):
        if runs:
            yield Block(kind, runs, source, label=label)
    for change in entry.fields:
        old = (Verbatim(change.old),) if change.old is not None else ("nothing",)
        new = (Verbatim(change.new),) if change.new is not None else ("nothing",)
        yield Block("field", (*old, " -> ", *new), source, label=change.key)
    if entry.status is not None:
        yield Block("status", (f"{entry.status[0]} -> {entry.status[1]}",), source, label="status")
    for address, text in entry.why:
        yield Block("history", (text,), address, label="by")
