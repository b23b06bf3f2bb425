"""From rows of text to exhibits, custody logs and reviews; what does not fit is a fault with its line and column."""

from __future__ import annotations

import re

from tallybook.core.time import Moment
from tallybook.evidence.exhibit import KINDS, Exhibit, Held
from tallybook.evidence.ingest.rows import Reading
from tallybook.evidence.ingest.table import Row
from tallybook.evidence.review import AGREES, DISSENTS, Review

EXHIBITS = ("id", "sha256", "kind", "title", "origin", "made_at", "place", "source_id", "licence", "known_at", "media_type")
MORE_OF_EXHIBITS = ("reports",)
CUSTODY = ("exhibit", "held_by", "from", "to", "how", "known_at")
REVIEWS = ("id", "report", "claim", "by", "known_at", "what", "grade", "bears", "reason")

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}", re.ASCII)
_BEARS = ("for", "against", "neither")


def exhibit(reading: Reading, row: Row) -> Exhibit | None:
    """A row of exhibits.csv, or None where its times did not read. Its custody log is filed apart."""
    name, known, made = reading.identifier(row), reading.must(row, "known_at"), reading.when(row, "made_at")
    if not SHA256.fullmatch(row["sha256"]):
        do = "write the SHA-256 of the file, 64 digits and letters a to f"
        reading.fault(row, "sha256", f"{row['sha256']!r} is not a SHA-256", do)
    if row["kind"] not in KINDS:
        reading.fault(row, "kind", f"{row['kind']!r} is not one of {', '.join(KINDS)}", "use one of these words")
    if not row["title"]:
        reading.fault(row, "title", "blank", "say what it is, in a few words")
    if row["media_type"] and not _MEDIA_TYPE.fullmatch(row["media_type"]):
        what = f"{row['media_type']!r} is not a media type"
        reading.fault(row, "media_type", what, "write one such as image/jpeg; leave it blank where unknown")
    if known and made and made.first > known.last:
        reading.fault(row, "known_at", f"{known.text} is before {made.text}, when it was made", "correct one of the two")
    if known is None:
        return None
    return Exhibit(
        id=name,
        sha256=row["sha256"],
        kind=row["kind"],
        title=row["title"],
        origin=row["origin"],
        made=made,
        place=row["place"],
        source=row["source_id"],
        licence=row["licence"],
        known=known,
        media_type=row["media_type"],
        reports=tuple(dict.fromkeys(name.strip() for name in row["reports"].split(";") if name.strip())),
        line=row.line,
    )


def held(reading: Reading, row: Row, made: Moment | None) -> Held | None:
    """A row of custody.csv, of an exhibit made at `made`; None where its times did not read."""
    known, starts, ends = reading.must(row, "known_at"), reading.must(row, "from"), reading.when(row, "to")
    if not row["held_by"]:
        reading.fault(row, "held_by", "blank", "name who held it; leave the row out where nobody knows")
    if starts and ends and ends.last < starts.first:
        reading.fault(row, "to", f"{ends.text} is before {starts.text}", "correct one of the two")
    if starts and made and starts.last < made.first:
        reading.fault(row, "from", f"{starts.text} is before {made.text}, when it was made", "correct one of the two")
    if starts and known and starts.first > known.last:
        reading.fault(row, "known_at", f"{known.text} is before {starts.text}, when they had it", "correct one of the two")
    if known is None or starts is None:
        return None
    return Held(row["exhibit"], row["held_by"], starts, ends, row["how"], known, row.line)


def review(reading: Reading, row: Row) -> Review | None:
    """A row of reviews.csv, or None where its time did not read."""
    name, known = reading.identifier(row), reading.must(row, "known_at")
    if not row["by"]:
        reading.fault(row, "by", "blank", "name the second reader")
    if row["claim"] and row["claim"] not in reading.lists.claims:
        reading.fault(row, "claim", f"no claim {row['claim']!r}", "correct it; leave it blank for a review of the grade")
    if row["what"] not in (AGREES, DISSENTS):
        reading.fault(row, "what", f"{row['what']!r} is not one of {AGREES}, {DISSENTS}", "use one of these words")
    _check_instead(reading, row)
    if known is None:
        return None
    return Review(
        name,
        row["report"],
        row["claim"],
        row["by"],
        known,
        row["what"],
        reading.grade(row).text,
        row["bears"],
        row["reason"],
        row.line,
    )


def _check_instead(reading: Reading, row: Row) -> None:
    """A dissent says what it would give instead, and why; one who agrees gives nothing else."""
    wanted, other = ("bears", "grade") if row["claim"] else ("grade", "bears")
    if row["bears"] and row["bears"] not in _BEARS:
        reading.fault(row, "bears", f"{row['bears']!r} is not one of {', '.join(_BEARS)}", "use one of these words")
    if row[other]:
        about = "how a report bears" if row["claim"] else "a grade"
        reading.fault(row, other, f"given in a review of {about}", "review the two in rows of their own")
    if row["what"] == AGREES and row[wanted]:
        reading.fault(row, wanted, "given by one who agrees", f"leave it blank, or write {DISSENTS}")
    if row["what"] == DISSENTS and not row[wanted]:
        reading.fault(row, wanted, "blank", "say what it should be instead")
    if row["what"] == DISSENTS and not row["reason"]:
        reading.fault(row, "reason", "blank", "say why: a dissent without a reason cannot be weighed")
