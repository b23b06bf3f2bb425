"""Second readers, re-applied: who has read a grade or a bearing again, what nobody has, and who dissents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallybook.checker.rows import File, Row, mapping

_Bearing = Mapping[str, str] | None


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _latest(file: File, report: str, claim: str) -> list[Mapping[str, str]]:
    """The latest review by each person, as known."""
    rows = [
        (file.at(row.get("known_at", "")).last, n, row)
        for n, row in enumerate(file.books.reviews)
        if row.get("report") == report and row.get("claim", "") == claim and file.is_known(row.get("known_at", ""))
    ]
    rows.sort(key=lambda entry: entry[:2])
    last = {_plain(row.get("by", "")): n for _, n, row in rows}
    return [row for _, n, row in rows if n in last.values()]


def _others(author: str, names: list[str]) -> list[str]:
    told: dict[str, str] = {}
    for name in names:
        if name and _plain(name) != _plain(author):
            told.setdefault(_plain(name), name)
    return list(told.values())


def review_of(file: File, row: Row, claim: str, bearing: _Bearing, bears: str) -> dict[str, Any] | None:
    """What the step of a row must say of its second readers; None where it must say nothing."""
    grades, readings = _latest(file, row.id, ""), _latest(file, row.id, claim)
    keeps_authors = row.table == "observations" and "graded_by" in row.columns
    if not keeps_authors and not grades and not readings:
        return None
    graded_by = row["graded_by"] if keeps_authors else ""
    named = row["grade_reviewed_by"] if keeps_authors else ""
    of_grade = _others(graded_by, [named, *(review.get("by", "") for review in grades)])
    read_by = (bearing or {}).get("by", "")
    made = file.at(bearing.get("known_at", "")).last if bearing is not None else None
    since = [review for review in readings if made is None or file.at(review.get("known_at", "")).last >= made]
    of_bearing = _others(read_by, [(bearing or {}).get("reviewed_by", ""), *(review.get("by", "") for review in since)])
    asked = bool(mapping(file.agreement.get("weighing")).get("second_reader"))
    short = ["grade"] if asked and keeps_authors and row.grade and not of_grade else []
    if asked and bearing is not None and bears in ("for", "against") and not of_bearing:
        short.append("bearing")
    dissent = [_told(review, "grade", "grade") for review in grades if _differs(review, "grade", row.grade, graded_by)]
    dissent += [_told(review, "bearing", "bears") for review in readings if _differs(review, "bears", bears, read_by)]
    return {
        "graded_by": graded_by,
        "grade_readers": of_grade,
        "bearing_readers": of_bearing,
        "unreviewed": short,
        "dissent": dissent,
    }


def _differs(review: Mapping[str, str], column: str, given: str, author: str) -> bool:
    other_person = _plain(review.get("by", "")) != _plain(author)
    return review.get("what") == "dissents" and review.get(column, "") not in ("", given) and other_person


def _told(review: Mapping[str, str], about: str, column: str) -> dict[str, str]:
    told = {name: review.get(name, "") for name in ("id", "by", "reason")}
    return {**told, "of": about, "instead": review.get(column, ""), "known": review.get("known_at", "")}


def review_says(review: Mapping[str, Any] | None) -> str:
    """What the sentence of the step must end with."""
    if review is None:
        return ""
    told = f" Unreviewed: {' and '.join(review['unreviewed'])}." if review["unreviewed"] else ""
    for entry in review["dissent"]:
        told += f" {entry['by']} dissents ({entry['instead']}): {entry['reason'].rstrip('.')}."
    return told
