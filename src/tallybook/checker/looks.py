"""The rules that look back, re-applied: once, always, since. Windows are closed at both ends."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tallybook.checker.changes import CannotTellError
from tallybook.checker.evaluate import delays, length
from tallybook.checker.parse import Part, Scope
from tallybook.checker.tables import TRUTHS, conjunction, disjunction
from tallybook.checker.walk import Step, instant

if TYPE_CHECKING:
    from tallybook.checker.conditions import ConditionBook


def _window(book: ConditionBook, part: Part, at: datetime) -> tuple[datetime | None, datetime]:
    near, far = part.given
    return None if far == ".." else length(far).before(at, book.tz), length(near).before(at, book.tz)


def _listed(book: ConditionBook, step: Step, width: int) -> list[list[Any]]:
    rows = step.facts.get("instants")
    if not isinstance(rows, list) or not all(isinstance(r, list) and len(r) == width for r in rows):
        book.out.add(step, "instants", f"a list of {width} values each", rows)
        return []
    times = [instant(row[0]) for row in rows]
    if any(t is None for t in times) or any(a <= b for a, b in pairwise(times) if a and b):
        book.out.add(step, "instants", "instants, the newest first", rows)
        return []
    return [[time, *row[1:]] for time, row in zip(times, rows, strict=True)]


def check_look_back(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> str:
    """Once, always: some instant of the window, or all of them; the newest that decides is shown."""
    first, last = _window(book, part, at)
    rows = _listed(book, step, 2)
    book.expect_facts(step, window=list(part.given), instants=step.facts.get("instants"))
    _spans(book, step, rows, first, last)
    truths = [row[1] for row in rows]
    if not all(truth in TRUTHS for truth in truths):
        book.out.add(step, "instants", " or ".join(TRUTHS), truths)
        return "unknown"
    _instants_anew(book, step, rows, [(part.parts[0], 1)], scope)
    truth = (disjunction if part.kind == "once" else conjunction)(truths)
    n = next((n for n, row in enumerate(rows) if row[1] == truth), None)
    deciding = rows[n][0] if n is not None else None
    words = step.facts.get("condition")
    if n is None:
        book.says(step, f", with nothing to look at: {words}")
    else:
        book.says(step, f": {words}; decided at {step.facts['instants'][n][0]}")
    found = book.below(step, [(part.parts[0], deciding, scope)] if deciding else [])
    book.out.expect(step, "truth at the instant that decides", [truth] if deciding else [], found)
    return truth


def _spans(book: ConditionBook, step: Step, rows: list[list[Any]], first: datetime | None, last: datetime) -> None:
    """Instants lie in the window, and reach both of its ends."""
    times = [row[0] for row in rows]
    if not times and (first is None or first <= last):
        book.out.add(step, "instants", "at least the ends of the window", times)
    elif times and (times[0] != last or (first is not None and times[-1] != first)):
        book.out.add(step, "instants", f"from {last} back to {first or 'the first on record'}", f"{times[0]} to {times[-1]}")


def _instants_anew(book: ConditionBook, step: Step, rows: list[list[Any]], parts: list[tuple[Part, int]], scope: Scope) -> None:
    """At each instant the truth of each part (in its column) is that of the record, and no change is passed over."""
    if book.record is None:
        return

    kinds = frozenset(delay for part, _ in parts for delay in delays(part))
    if rows:
        looks = {look.at for look in book.record.looks(kinds, rows[-1][0], rows[0][0])}
        book.out.expect(step, "instants passed over", 0, len(looks - {row[0] for row in rows}))
    for part, column in parts:
        for row in rows:
            try:
                if row[column] is not None:
                    book.out.expect(step, f"truth at {row[0].isoformat()}", book.record.truth(part, row[0], scope), row[column])
            except CannotTellError:
                return


def check_since(book: ConditionBook, step: Step, part: Part, at: datetime, scope: Scope) -> str:
    """Since: right at some instant of the window, and left at every later one up to and including now."""
    left, right = part.parts
    first, last = _window(book, part, at)
    rows = _listed(book, step, 4)
    book.expect_facts(step, window=list(part.given), instants=step.facts.get("instants"))
    if not all(row[2] in TRUTHS and row[3] in (*TRUTHS, None) and isinstance(row[1], bool) for row in rows):
        book.out.add(step, "instants", "instant, between, left, right", step.facts.get("instants"))
        return "unknown"
    kept, begun, ended = "true", [], False
    for row in rows:
        if ended or (first is not None and row[0] < first) or (row[3] is None) == (row[0] <= last):
            book.out.add(step, "instants", "those of the window, up to the one that decides", str(row[0]))
        before = conjunction([kept, row[2]]) if row[1] else kept
        if row[3] is not None:
            begun.append((row[0], conjunction([before, row[3]])))
        kept = conjunction([kept, row[2]])
        ended = kept == "false" or (bool(begun) and begun[-1][1] == "true")
    if rows:
        book.out.expect(step, "first instant", True, rows[0][0] == at)
    if not ended and first is not None and (not rows or rows[-1][0] != first):
        book.out.add(step, "instants", f"back to {first}", [str(row[0]) for row in rows[-1:]])
    _instants_anew(book, step, rows, [(left, 2), (right, 3)], scope)
    truth = disjunction([one for _, one in begun])
    wanted = [(right, moment, scope) for moment, one in begun if one == truth][:1]
    wanted += [(left, row[0], scope) for row in rows if row[2] != "true"][:1]
    words = step.facts.get("condition")
    book.says(step, f": {words}" if wanted else f", with nothing to look at: {words}")
    truths = book.below(step, wanted)
    by_time = {row[0]: row for row in rows}
    expected = [by_time[moment][3 if explained is right else 2] for explained, moment, _ in wanted]
    book.out.expect(step, "truth at the instants that decide", expected, truths)
    return truth
