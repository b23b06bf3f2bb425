"""A code of guidance, and a difference of two, as JSON."""

from __future__ import annotations

from typing import Any

from tallybook.codify.blocks import Inserted, Struck
from tallybook.codify.code import Article, Code, HistoryLine, PartText, Quotation, Sentence
from tallybook.codify.difference import ArticleChange, Difference


def code_json(code: Code) -> dict[str, Any]:
    """The whole code."""
    return {
        **_asked(code),
        "title": code.title,
        "instruments": [
            {
                "id": entry.id,
                "name": entry.name,
                "made": entry.made,
                "by": entry.by,
                "to": list(entry.to),
                "in_hand": entry.in_hand,
                "standing": entry.standing,
                "remark": entry.note,
                "says": list(entry.says),
                "changed": list(entry.changed),
                "amended_by": list(entry.amended_by),
            }
            for entry in code.instruments
        ],
        "articles": [article_json(article) for article in code.articles],
        "not_in_force_yet": [
            {"change": w.change, "words": w.text, "waits_for": w.waits_for, "kind": w.kind} for w in code.waiting
        ],
        "conflicts": [{"target": c.target, "changes": list(c.changes), "words": c.text} for c in code.conflicts],
        "undone": [{"change": u.change, "by": u.by, "words": u.text} for u in code.undone],
    }


def article_json(article: Article) -> dict[str, Any]:
    """One article."""
    return {
        "id": article.id,
        "kind": article.kind,
        "unit": article.unit,
        "number": article.number,
        "heading": article.heading,
        "instrument": article.instrument,
        "quotations": [_quotation(q) for q in article.quotations],
        "parts": [_part(part) for part in article.parts],
        "meaning": [_sentence(s) for s in article.meaning],
        "fields": dict(article.fields),
        "status": article.status.word,
        "status_words": article.status.text,
        "vague": list(article.vague),
        "open": article.open,
        "readings": [_sentence(s) for s in article.readings],
        "exceptions": [_sentence(s) for s in article.exceptions],
        "history": [_line(line) for line in article.history],
        "repealed_by": article.repealed_by,
        "not_in_hand": list(article.not_in_hand),
        "formerly": list(article.earlier),
    }


def difference_json(found: Difference) -> dict[str, Any]:
    """A difference: the two questions, each provision that differs, and what changed around the text."""
    return {
        "from": _asked(found.before),
        "to": _asked(found.after),
        "nothing_changed": found.nothing,
        "articles": [_change(entry) for entry in found.articles],
        "around": [{"source": source, "words": text} for source, text in found.around],
    }


def _asked(code: Code) -> dict[str, Any]:
    return {"case": code.case, "on": code.on, "known": code.known, "reading": code.reading}


def _change(entry: ArticleChange) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "what": entry.what,
        "redline": [_run(run) for run in entry.words],
        "meaning_redline": [_run(run) for run in entry.meaning],
        "fields": [{"key": f.key, "old": f.old, "new": f.new} for f in entry.fields],
        "status": None if entry.status is None else {"old": entry.status[0], "new": entry.status[1]},
        "because": [{"source": source, "words": text} for source, text in entry.why],
    }


def _run(run: str) -> dict[str, str]:
    kind = "struck" if isinstance(run, Struck) else "inserted" if isinstance(run, Inserted) else "same"
    return {"kind": kind, "words": str(run)}


def _quotation(it: Quotation) -> dict[str, Any]:
    return {"words": it.words, "instrument": it.instrument, "read_in": it.read_in, "role": it.role}


def _part(it: PartText) -> dict[str, Any]:
    return {
        "id": it.id,
        "unit": it.unit,
        "number": it.number,
        "heading": it.heading,
        "quotations": [_quotation(q) for q in it.quotations],
        "parts": [_part(inner) for inner in it.parts],
        "removed_by": it.removed_by,
    }


def _sentence(it: Sentence) -> dict[str, Any]:
    return {"words": it.text, "source": it.source}


def _line(it: HistoryLine) -> dict[str, Any]:
    return {
        "words": it.text,
        "change": it.change,
        "op": it.op,
        "path": list(it.path),
        "made": it.made,
        "in_effect_from": it.since,
        "recorded_by": list(it.recorded_by),
        "records": [{"row": row, "words": words} for row, words in it.records],
        "quotations": [_quotation(q) for q in it.quotations],
        "ruling": it.ruling,
    }
