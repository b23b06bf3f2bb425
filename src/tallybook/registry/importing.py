"""Files that come in: through the door, with what a person should look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from tallybook.agreement.yamltext import MARKING
from tallybook.casefile.exhibit_tables import COLUMNS
from tallybook.casefile.identities import FILE as IDENTITIES
from tallybook.casefile.identities import IDENTITY
from tallybook.casefile.marking_acts import COLUMNS as ACT_COLUMNS
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.marking_acts import OPENINGS
from tallybook.casefile.read import BEARINGS, PLACES, SOURCES
from tallybook.casefile.seals import FILE as SEALS
from tallybook.errors import TallybookError
from tallybook.evidence.ingest import rows as ingest
from tallybook.evidence.ingest.door import Brought, read_rows
from tallybook.evidence.ingest.neighbours import Index
from tallybook.evidence.seal import COLUMNS as SEAL_COLUMNS
from tallybook.verdicts.inquiry import Case

if TYPE_CHECKING:
    from tallybook.evidence.ingest.pictures import Picture

PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".gif", ".webp")
MOST_TOLD = 3
"""So many near texts are named for each new one."""


def tables() -> tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]:
    """The tables of a case by name: the columns that each must have, and those that it may have."""
    must: dict[str, Sequence[str]] = {name: columns for name, (columns, _) in ingest.TABLES.items()}
    may: dict[str, Sequence[str]] = {name: (*ingest.ANY_TABLE, *ingest.MORE_COLUMNS.get(name, ())) for name in ingest.TABLES}
    for file, columns in ((SOURCES, ingest.SOURCES), (BEARINGS, ingest.BEARINGS), (PLACES, ingest.PLACES)):
        must[PurePath(file).stem] = columns
    for file, both in COLUMNS.items():
        must[PurePath(file).stem], may[PurePath(file).stem] = both
    must[PurePath(SEALS).stem] = SEAL_COLUMNS
    must[PurePath(IDENTITIES).stem], must[PurePath(ACTS).stem] = IDENTITY, ACT_COLUMNS
    may[PurePath(ACTS).stem] = (OPENINGS,)
    return must, {name: (*may.get(name, ()), *((MARKING,) if MARKING not in columns else ())) for name, columns in must.items()}


def columns_of(table: str) -> Sequence[str]:
    """The columns that a table must have. Raises TallybookError for one that there is not."""
    must = tables()[0]
    if table not in must:
        raise TallybookError(f"no table {table!r}", where="TABLE", do=f"the tables are {', '.join(must)}")
    return must[table]


def bring(raw: bytes, name: str, table: str | None) -> Brought:
    """The rows of a file. Raises TallybookError for a table that there is not."""
    must, may = tables()
    if table is not None:
        if table not in must:
            raise TallybookError(f"no table {table!r}", where="--table", do=f"the tables are {', '.join(must)}")
        must = {table: must[table]}
    return read_rows(raw, name, must, optional=may)


def pictures_near(incoming: Mapping[str, bytes], on_file: Mapping[str, Callable[[], bytes]]) -> Iterator[str]:
    """Pictures that come in and may be one with another: the same scene saved again, scaled or cropped."""
    from tallybook.evidence.ingest.extras import MissingExtraError
    from tallybook.evidence.ingest.pictures import PictureError, look_at, near

    def looked(name: str, data: bytes) -> Picture | None:
        try:
            return look_at(data, name)
        except (PictureError, MissingExtraError):
            return None

    new = {name: data for name, data in incoming.items() if name.startswith("exhibits/") and name.endswith(PICTURES)}
    seen = {name: looked(name, read()) for name, read in on_file.items() if new and name.endswith(PICTURES)}
    for name, data in new.items():
        if name in seen or (own := looked(name, data)) is None:
            continue
        for other, picture in seen.items():
            if picture is not None and near(own, picture):
                yield f"{name} looks like {other}: possibly one picture; where it is, give what rests on both one cluster"
        seen[name] = own


def neighbours_of(rows: Mapping[str, Sequence[Mapping[str, str]]], case: Case) -> Iterator[str]:
    """Reports that nearly say what others say: possibly one source, which must not count twice."""
    texts = {name: report.statement for name, report in case.evidence.reports.items() if report.statement}
    new = {row["id"]: row["statement"] for some in rows.values() for row in some if row.get("statement") and row.get("id")}
    changed = {name: text for name, text in new.items() if texts.get(name) != text}
    index = Index({**texts, **changed}) if changed else None
    for name, text in changed.items():
        assert index is not None
        for other, alike in [pair for pair in index.near(text) if pair[0] != name][:MOST_TOLD]:
            yield (
                f"{name} says nearly what {other} says ({alike:.0%} alike): where they are of one source, "
                "give their bearings one cluster"
            )
