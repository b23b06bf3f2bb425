"""tallybook redact"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallybook.cli.marking import act_options, file_rows_of, files_of
from tallybook.cli.session import check_by
from tallybook.errors import TallybookError
from tallybook.registry import place as places

if TYPE_CHECKING:
    from tallybook.evidence.ingest.redact_picture import Box
    from tallybook.evidence.redaction import Cut, Passage, Stretch


@click.command(name="redact")
@click.argument("case", type=click.Path(path_type=Path))
@click.argument("record", metavar="RECORD")
@click.option("--as-new", "new_id", required=True, metavar="ID", help="The id of the redacted form: a record of its own.")
@click.option("--to", required=True, metavar="MARKING", help="What the redacted form is marked.")
@click.option("--words", multiple=True, metavar="[FIELD=]WORDS", help="Exact words to cut: of a report's field, or of a text.")
@click.option("--field", "fields", multiple=True, metavar="FIELD", help="A whole field of a report to cut.")
@click.option("--place", "wider", metavar="PLACE", help="A place around the one that a report names, to stand instead.")
@click.option("--time", "times", multiple=True, metavar="FIELD=hour|day|month", help="A time to tell no finer than this.")
@click.option("--count", "between", metavar="LOW..HIGH", help="A range to stand instead of a report's count.")
@click.option("--source", metavar="ID", help="Another source, protected, to stand instead of a report's.")
@click.option("--without", multiple=True, metavar="FIELD=ID", help="An id to take out of a report's list of ids.")
@click.option("--lines", multiple=True, metavar="LINE:COLUMN-LINE:COLUMN", help="A stretch of a text exhibit to cut.")
@click.option("--box", "boxes", multiple=True, metavar="X,Y,WIDTH,HEIGHT", help="A part of a picture to cover, in pixels.")
@click.option("--say", multiple=True, metavar="COLUMN=VALUE", help="What the new exhibit's row says: title, origin, place …")
@click.option("--keep", multiple=True, metavar="WORDS", help="Words that may stand elsewhere though they were cut.")
@act_options
def command(case: Path, record: str, new_id: str, to: str, say: tuple[str, ...], keep: tuple[str, ...], **given: Any) -> int:
    """Release a redacted form of RECORD (the id of a report or an exhibit) at a lower marking: a new record, linked above only.

    What was cut stands in the act as salted hashes, so that it can be proven later and not guessed below. A picture is made anew
    from its pixels, and every box is filled.
    """
    from tallybook.casefile.marked import rights_of
    from tallybook.casefile.marking_acts import COLUMNS
    from tallybook.casefile.marking_acts import FILE as ACTS
    from tallybook.casefile.view import columns_of
    from tallybook.registry import redacting

    said = {name: given[name] for name in ("by", "authority", "reason")}
    check_by(said["by"])
    said |= {"becomes": to, "known_at": given["known"] or places.now().strftime("%Y-%m-%dT%H:%MZ")}
    if keep:
        said["reason"] += f" (kept: {', '.join(keep)})"
    files = files_of(case)
    rights = rights_of(files)
    if _of_exhibit(files, record):
        columns = dict(_pair(text, "--say") for text in say)
        cuts = _exhibit_cuts(given)
        made = redacting.redacted_exhibit(files, rights, record, new_id, cuts, said, columns, secrets.token_bytes, keep)
    else:
        made = redacting.redacted_report(files, rights, record, new_id, _report_cuts(given), said, secrets.token_bytes, keep)
    tables = {name: (COLUMNS if name == ACTS else columns_of(name), list(rows)) for name, rows in made.rows.items()}
    file_rows_of(case, tables, said["by"], given["key"], made.files)
    act = made.rows[ACTS][0]
    click.echo(
        f"{new_id}: what may be known of {record} at {act['becomes']}; {act['id']} links them, and is marked {act['marking']}"
    )
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
    return 0


def _of_exhibit(files: Any, record: str) -> bool:
    from tallybook.casefile.exhibit_tables import EXHIBITS
    from tallybook.casefile.marked import read_loosely

    return files.has(EXHIBITS) and any(row.get("id") == record for row in read_loosely(files.read(EXHIBITS)).rows)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise TallybookError(f"{text[:60]!r} is not NAME=VALUE", where=option, do="write the name, =, and the value")
    return name, value


def _report_cuts(given: dict[str, Any]) -> list[Cut]:
    from tallybook.evidence import redaction

    for option in ("lines", "boxes"):
        if given[option]:
            do = "a report is cut with --words FIELD=WORDS, --field, --place, --time, --count, --source and --without"
            raise TallybookError("a report is no text file and no picture", where=f"--{option}", do=do)
    cuts: list[Cut] = [redaction.Passage(*_pair(text, "--words")) for text in given["words"]]
    cuts += [redaction.Whole(name) for name in given["fields"]]
    cuts += [redaction.Coarser(*_pair(text, "--time")) for text in given["times"]]
    cuts += [redaction.Without(name, (one,)) for name, one in (_pair(text, "--without") for text in given["without"])]
    if given["wider"]:
        cuts.append(redaction.Wider(given["wider"]))
    if given["between"]:
        low, sign, high = given["between"].partition("..")
        if not sign:
            raise TallybookError(f"{given['between'][:40]!r} is no range", where="--count", do="write LOW..HIGH, such as 5..10")
        cuts.append(redaction.Between(low, high))
    if given["source"]:
        cuts.append(redaction.OtherSource(given["source"]))
    return cuts


def _exhibit_cuts(given: dict[str, Any]) -> list[Passage | Stretch | Box]:
    from tallybook.evidence.ingest.redact_picture import Box
    from tallybook.evidence.redaction import TEXT, Passage, Stretch

    for option in ("fields", "wider", "times", "between", "source", "without"):
        if given[option]:
            do = "an exhibit is cut with --words, --lines and --box"
            raise TallybookError("an exhibit has no fields to cut", where="RECORD", do=do)
    cuts: list[Passage | Stretch | Box] = [Passage(TEXT, text.removeprefix(f"{TEXT}=")) for text in given["words"]]
    try:
        for text in given["lines"]:
            first, last = (tuple(int(part) for part in one.split(":")) for one in text.split("-"))
            cuts.append(Stretch(*first, *last))
        for text in given["boxes"]:
            x, y, width, height = (int(part) for part in text.split(","))
            cuts.append(Box(x, y, width, height))
    except (ValueError, TypeError) as error:
        do = "write LINE:COLUMN-LINE:COLUMN, or X,Y,WIDTH,HEIGHT, in whole numbers"
        raise TallybookError(f"{text[:40]!r} is not understood", where="--lines or --box", do=do) from error
    return cuts
