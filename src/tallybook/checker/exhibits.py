"""Exhibits, re-applied: which a row rests on, who held each when, and whether the file in hand is still what its name says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tallybook.checker.rows import File, Row
from tallybook.checker.walk import Complaints, Step
from tallybook.core.time import Moment

_SECOND = timedelta(seconds=1)
_FACTS = ("id", "sha256", "kind", "title", "origin", "made_at", "place", "licence", "media_type")


def exhibits_of(file: File, row: Row) -> list[Mapping[str, str]]:
    """The rows of the exhibits known that a row rests on: those it names, then those that name it."""
    books = file.books.exhibits
    names = [name.strip() for name in row["exhibits"].split(";")]
    names += [name for name, entry in books.items() if row.id in [part.strip() for part in entry.get("reports", "").split(";")]]
    found = [books[name] for name in dict.fromkeys(names) if name in books]
    return [entry for entry in found if file.is_known(entry.get("known_at", ""))]


def expect_exhibits(step: Step, file: File, row: Row, out: Complaints) -> None:
    """Below the step of a row stand just the exhibits that it rests on."""
    out.expect(step, "exhibits", [entry["id"] for entry in exhibits_of(file, row)], [child.exhibit for child in step.children])


def check_exhibit(step: Step, file: File, out: Complaints) -> None:
    """An exhibit: its row was known, its facts and sentence are those of its rows, its file has not been changed."""
    entry = file.books.exhibits.get(step.exhibit)
    out.expect(step, "rule", "exhibit", step.rule)
    if entry is None or not file.is_known(entry.get("known_at", "")):
        out.add(step, "exhibit", "an exhibit on file and known by then", step.exhibit)
        return
    log = _log(file, step.exhibit)
    gaps = _gaps(file, entry, log)
    custody = [{"held_by": by, "from": start.text, "to": end.text if end else "", "how": how} for by, start, end, how in log]
    facts: dict[str, Any] = {name: entry.get(name, "") for name in _FACTS}
    more = {"source": entry.get("source_id", ""), "known": entry.get("known_at", "")}
    out.facts(step, {**facts, **more, "custody": custody, "gaps": gaps})
    out.says(step, _sentence(entry, custody, gaps))
    sha256 = entry.get("sha256", "")
    found = file.books.hash_of(sha256)
    if found is not None and found != sha256:
        out.add(step, "sha256 of the file", sha256, found or "a file that cannot be read")


_Entry = tuple[str, Moment, Moment | None, str]


def _log(file: File, name: str) -> list[_Entry]:
    """The custody log as known, by when each holder had it; an end still to come is blank."""
    rows = [row for row in file.books.custody if row.get("exhibit") == name and file.is_known(row.get("known_at", ""))]
    rows.sort(key=lambda row: (file.at(row["from"]).last, file.at(row["known_at"]).last, row.get("held_by", "")))
    found = []
    for row in rows:
        end = row.get("to", "")
        shown = file.at(end) if end and file.is_known(end) else None
        found.append((row.get("held_by", ""), file.at(row["from"]), shown, row.get("how", "")))
    return found


def _gaps(file: File, entry: Mapping[str, str], log: list[_Entry]) -> list[list[str]]:
    made = entry.get("made_at", "")
    if not log:
        return [[made, ""]]
    gaps: list[list[str]] = []
    covered: Moment | None = file.at(made) if made else None
    is_first = True
    for _, start, end, _ in log:
        if covered is not None and start.first - covered.last > _SECOND:
            gaps.append([covered.text, start.text])
        if is_first or covered is None or end is None or end.last > covered.last:
            covered = end
        is_first = False
    return [*gaps, [covered.text, ""]] if covered is not None else gaps


def _sentence(entry: Mapping[str, str], custody: list[dict[str, str]], gaps: list[list[str]]) -> str:
    kind = entry.get("kind", "")
    article = "an exhibit" if kind == "other" else f"a {kind}"
    origin, made, place = (entry.get(name, "") for name in ("origin", "made_at", "place"))
    parts = [
        f"{entry.get('id')}, {article}: {entry.get('title')} (sha256 {entry.get('sha256', '')[:12]})",
        f"from {origin}" if origin else "of unknown origin",
        (f"made {made}" if made else "made at an unknown time") + (f", {place}" if place else ""),
        f"licence: {entry.get('licence') or 'not stated'}",
    ]
    for row in custody:
        how = f" ({row['how']})" if row["how"] else ""
        until = f" to {row['to']}" if row["to"] else ""
        parts.append(f"held by {row['held_by']} from {row['from']}{until}{how}")
    for start, end in gaps:
        since = f" from {start}" if start else ""
        parts.append(f"nobody recorded who held it{since}" + (f" to {end}" if start and end else ""))
    return "; ".join(parts) + "."
