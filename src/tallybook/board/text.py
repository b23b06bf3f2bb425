"""The board as plain text, for pipes: no colour, no boxes, one fact a line."""

from __future__ import annotations

from typing import Any

from tallybook.evidence.review import dissent_in_words
from tallybook.verdicts.board import Board, BoardLine, agreement_json, owed_json, without_effect
from tallybook.verdicts.finding import Finding
from tallybook.verdicts.marked import whole_banner
from tallybook.verdicts.sentences import known_by

MOST_SHOWN = 4
LONGEST_PORTION = 40
"""Longer portion marks stand on a line of their own."""


def text(board: Board) -> str:
    """The board in plain text."""
    inquiry, banner = board.inquiry, whole_banner(board.inquiry)
    out = [banner] if banner else []
    out += [inquiry.agreement.title, f"The board {known_by(inquiry)}; reading: {inquiry.question.reading}", ""]
    short = max(len(line.portion) for line in board.lines) <= LONGEST_PORTION
    titles = [marked(line.portion, line.title) if short else line.title for line in board.lines]
    width = max(len(title) for title in titles)
    for line, title in zip(board.lines, titles, strict=True):
        out += [] if short else [line.portion]
        out.append(f"{title.ljust(width)}  {line.label.upper()}")
        out.extend(f"{' ' * width}  {detail}" for detail in details(line))
    out += ["", "Still owed"]
    for row in owed_json(board.inquiry, board.duties):
        waits = f", waits for {', '.join(row['waits_for'])}" if row["waits_for"] else ""
        due = f", due {row['due']}" if row["due"] else ""
        out.append(f"  {row['by']} to {row['to']}: @{row['id']}, {state_words(row)}{due}{waits}")
    out += [f"  {told}" for told in ending_words(board)]
    out += ["", "Measures"]
    out.extend(f"  {m.title}: {m.words}" for m in board.measures if m.current)
    out += ["", f"Made from {told}"] if (told := books_words(board)) else []
    out += ["", banner] if banner else []
    return "\n".join(out) + "\n"


def marked(portion: str, words: str) -> str:
    """Words with their portion mark in front, where there is one."""
    return f"{portion} {words}" if portion else words


def books_words(board: Board) -> str:
    """From which books an answer was made; blank for a case without a ledger."""
    found = board.inquiry.case.checkpoint
    if found is None:
        return ""
    signed = "with a checkpoint" if found["note"] else "without a checkpoint of that size"
    return f"the ledger {found['origin']}: {found['size']} entries, root {found['root']}, {signed}"


def state_words(row: dict[str, Any]) -> str:
    """The state of a duty in a few words, with what a reader must not miss."""
    told = "suspended" if row["suspended"] else str(row["state"])
    if row["missed"]:
        day, still = row["missed"][:10], row["state"] in ("overdue", "breached")
        told += f" since {day}" if still else f" (broken on {day})" if row["kind"] == "maintain" else f" (not shown by {day})"
    if row["performer"] != row["by"]:
        told += f", to be done by {row['performer']}"
    if row["readings"]:
        told += " (" + ", ".join(f"{name}: {state}" for name, state in row["readings"].items()) + ")"
    if row["conflict"]:
        told += f"; how it reads is open between {' and '.join(row['conflict'])}"
    return told


def ending_words(board: Board) -> list[str]:
    """The state of the agreement, where it is over, and uses of powers that had no effect."""
    ending = agreement_json(board.inquiry)
    out = []
    if ending["status"] != "in force":
        since = f" since {ending['since']}" if ending["since"] else ""
        out.append(f"The agreement is {ending['status']}{since}: {'; '.join(ending['because'])}.")
    for use in without_effect(board.inquiry):
        out.append(f"Without effect: {use['power']} used on {use['at']}, because {use['because']}.")
    return out


def details(line: BoardLine) -> list[str]:
    """What stands under a line: the sentence, quantity, evidence and reports."""
    if line.finding is None:
        m = line.measure
        return [m.words, f"by {', '.join(m.reports[:3])}"] if m and m.reports else []
    finding = line.finding
    from tallybook.verdicts.sentences import said

    out = [said(finding)]
    if quantity := quantity_words(finding):
        out.append(quantity)
    out.append(evidence_words(finding))
    return out + review_words(finding)


def review_words(finding: Finding) -> list[str]:
    """What among the reports cited is unreviewed, and who dissents on what; each begins with a word that marks the line."""
    out = []
    if finding.unreviewed:
        told = ", ".join(f"{name} ({' and '.join(what)})" for name, what in list(finding.unreviewed.items())[:MOST_SHOWN])
        more = len(finding.unreviewed) - MOST_SHOWN
        out.append(f"Unreviewed: {told}{f' and {more} more' if more > 0 else ''}")
    shown = finding.verdict.value if finding.verdict else finding.state
    for dissent in finding.dissent[:MOST_SHOWN]:
        told = f"Dissent on {dissent.report}: {dissent_in_words(dissent.review)}"
        if dissent.word is not None:
            told += ". So taken, the word would be " + ("the same" if dissent.word == shown else dissent.word)
        out.append(told)
    more = len(finding.dissent) - MOST_SHOWN
    return [*out, f"Dissent: {more} more"] if more > 0 else out


def quantity_words(finding: Finding) -> str:
    """The account of a quantity in a sentence, always with its denominator."""
    books, claim = finding.account, finding.claim
    if books is None or claim.quantity is None:
        return ""
    units = claim.quantity.units or claim.quantity.unit
    declared = "an undeclared number of" if books.declared is None else f"{books.declared:g} declared"
    out = f"{books.removed[1]:g} of {declared} {units} shown to be out"
    if books.remaining is not None and books.p_none_left is not None:
        low, middle, high = books.remaining
        out += f"; left {middle:g} ({low:g} to {high:g}), none left with probability {books.p_none_left:.2f}"
    if finding.correctness and finding.completeness:
        out += f"; correctness {finding.correctness.value}, completeness {finding.completeness.value}"
    return out


def evidence_words(finding: Finding) -> str:
    """Bounds and the strongest reports of each side."""
    parts = []
    for name, side in (("for", finding.for_), ("against", finding.against)):
        ids = finding.ids(name)[:4]
        if ids:
            more = f" and {len(finding.ids(name)) - 4} more" if len(finding.ids(name)) > 4 else ""
            bounds = f"{side.bounds.low:.2f}-{side.bounds.high:.2f}" if side.independent else f"({side.strength.value})"
            parts.append(f"{name} {bounds}: {', '.join(ids)}{more}")
    return "; ".join(parts) or "no report for or against"
