"""reports/identities.csv: who a protected source is, apart from its reports.

Reports and sources.csv speak of a source by its id. Who it is stands here, each row with a marking of its own; without one it is
withheld, whatever was ruled of rows in general. Whoever may not see it has the id, which stays the same, and the grade.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from tallybook.errors import Fault
from tallybook.evidence.ingest.table import Row

FILE = "reports/identities.csv"
IDENTITY = ("source_id", "identity", "contact", "note", "by", "known_at", "marking")


def identity_faults(rows: Iterable[Row], sources: Container[str]) -> list[Fault]:
    """What is wrong with the rows: a source that is not there, or told twice, a blank identity, nobody who tells it."""
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for row in rows:
        source = row["source_id"]
        if source not in sources:
            faults.append(Fault(FILE, row.line, "source_id", f"no source {source!r}", "add the source, or correct the id"))
        elif first.setdefault(source, row.line) != row.line:
            what = f"{source!r} twice (first on line {first[source]})"
            faults.append(Fault(FILE, row.line, "source_id", what, "keep one; correct it where more becomes known"))
        for column in ("identity", "by"):
            if not row[column]:
                faults.append(Fault(FILE, row.line, column, "blank", "say who the source is, and who says so"))
    return faults
