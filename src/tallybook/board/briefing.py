"""The board as a briefing: one HTML file that needs nothing else, prints on paper, and works without a network."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tallybook.board.page import css_text
from tallybook.board.text import ending_words, quantity_words, review_words, state_words
from tallybook.core.time import written
from tallybook.verdicts.because import explain
from tallybook.verdicts.board import Board, BoardLine, owed_json, receipt
from tallybook.verdicts.inquiry import EVERYONE
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.sentences import said
from tallybook.verdicts.weigh import GOOD_EVIDENCE


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tallybook.board", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("briefing.html")


def briefing(board: Board) -> str:
    """The whole page as HTML."""
    inquiry = board.inquiry
    question, tz = inquiry.question, inquiry.case.tz
    return _template().render(
        case=inquiry.case.name,
        title=inquiry.agreement.title,
        on=written(question.on, tz),
        known=written(question.known, tz),
        reading=question.reading,
        reader=question.reader if question.reader != EVERYONE else "",
        banner=whole_banner(inquiry),
        paged=css_text(whole_banner(inquiry)),
        lines=[_line(board, line) for line in board.lines],
        owed=owed_json(board.inquiry, board.duties),
        state_words=state_words,
        ending=ending_words(board),
        measures=[m for m in board.measures if m.current],
        receipt=receipt(board),
        good=next((line.finding.good_evidence for line in board.lines if line.finding), GOOD_EVIDENCE),
    )


def _line(board: Board, line: BoardLine) -> dict[str, Any]:
    finding, inquiry = line.finding, board.inquiry
    out: dict[str, Any] = {
        "id": line.line.id,
        "title": line.title,
        "portion": line.portion,
        "word": line.label,
        "css": line.shown.replace(" ", "-") if finding and finding.verdict else "state",
        "words": said(finding) if finding else line.measure.words if line.measure else "",
        "quantity": quantity_words(finding) if finding else "",
        "reviews": review_words(finding) if finding else [],
        "bars": [],
        "reports": [],
        "would_change": list(finding.would_change) if finding else [],
        "tree": explain(inquiry, finding) if finding else None,
    }
    if finding:
        for name, side in (("for", finding.for_), ("against", finding.against)):
            if finding.ids(name):
                low, high = side.bounds.low, side.bounds.high
                moves = bool(side.independent)
                out["bars"].append({"name": name, "low": low, "high": high, "strength": side.strength.value, "moves": moves})
    ids = [(name, finding.ids(name)[:6]) for name in ("for", "against")] if finding else []
    if line.measure:
        ids = [("on record", list(line.measure.reports[:6]))]
    for name, several in ids:
        out["reports"] += [(name, inquiry.view.reports[i]) for i in several]
    out["cited"] = ", ".join(f"{name} {' '.join(several[:3])}" for name, several in ids if several)
    return out
