"""Redacted forms, made from the records of a case and filed with the act that links them to what they are forms of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tallybook.casefile import redacting as forms
from tallybook.casefile.exhibit_tables import EXHIBITS
from tallybook.casefile.exhibits import ENDINGS
from tallybook.casefile.files import Files
from tallybook.casefile.filing import subject_of
from tallybook.casefile.marked import Rights, read_loosely, table_names
from tallybook.casefile.marking_acts import FILE as ACTS
from tallybook.casefile.marking_acts import OPENINGS
from tallybook.casefile.read import read_case
from tallybook.errors import CaseFaultsError, TallybookError
from tallybook.evidence.ingest.redact_picture import Box, redact_picture
from tallybook.evidence.redaction import Cut, Opening, Passage, Stretch, redact_row, redact_text
from tallybook.registry.regrading import act_row
from tallybook.verdicts.inquiry import Case

Chance = Callable[[int], bytes]
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Redacting:
    """What is filed: rows by table, new files, and what the user should know."""

    rows: Mapping[str, Sequence[Row]]
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _case(files: Files) -> Case:
    read = read_case(files)
    if read.case is None:
        raise CaseFaultsError(files.place, read.faults)
    return read.case


def _row_named(files: Files, name: str) -> tuple[str, Row]:
    """The table and the row of that id or subject. Raises TallybookError where there is none, or several."""
    found = [
        (table, row)
        for table in table_names(files)
        for row in read_loosely(files.read(table)).rows
        if name in (subject_of(table, row), row.get("id", "").strip())
    ]
    if len(found) != 1:
        what = "several rows are called so" if found else "no row of that id"
        raise TallybookError(what, where=name, do="give the id of a report or an exhibit, or the whole name of its row")
    return found[0]


def redacted_report(
    files: Files,
    rights: Rights,
    name: str,
    new_id: str,
    cuts: Sequence[Cut],
    said: Mapping[str, str],
    chance: Chance,
    keep: Sequence[str] = (),
) -> Redacting:
    """A report with parts of it cut, as a new row, and the act. `said` as in `regrading.act_row`, without act and new_record.

    Raises RedactionError for a cut that cannot be or that leaves its words elsewhere, TallybookError for a record that is none
    and an author without the authority.
    """
    case, (table, row) = _case(files), _row_named(files, name)
    short = table.removeprefix("reports/").removesuffix(".csv")
    setting = forms.setting_of(short, case.tz, case.evidence.places, _taken(files) - {row.get("id", "")}, keep)
    act = _act(files, rights, row["id"], new_id, said)
    made = redact_row(row, cuts, new_id, act["becomes"], chance, setting)
    removed = forms.removed_json(forms.ROW, made.openings, forms.row_bytes(row), forms.row_bytes(made.row))
    act |= {"removed": removed, OPENINGS: forms.openings_json(made.openings)}
    notes = ("bearings are not carried over: file those of the new record, where rules do not read it",)
    return Redacting({table: [made.row], ACTS: [act]}, notes=notes)


def redacted_exhibit(
    files: Files,
    rights: Rights,
    name: str,
    new_id: str,
    cuts: Sequence[Passage | Stretch | Box],
    said: Mapping[str, str],
    columns: Mapping[str, str],
    chance: Chance,
    keep: Sequence[str] = (),
) -> Redacting:
    """An exhibit with parts of its file covered, as a new file with its own row, and the act. Raises as `redacted_report`."""
    _case(files)
    table, row = _row_named(files, name)
    if table != EXHIBITS:
        raise TallybookError("no exhibit", where=name, do="name an exhibit; passages of a report are cut by their fields")
    path = next((one for one in files.listing("exhibits") if one.rpartition("/")[2].startswith(row["sha256"])), None)
    if path is None:
        raise TallybookError("its file is not in hand", where=name, do="put it in exhibits/, named by its hash")
    raw = files.read(path)
    media_type = row.get("media_type") or ENDINGS.get(path.rpartition(".")[2], "")
    notes: tuple[str, ...] = ()
    openings: tuple[Opening, ...]
    if forms.form_of(media_type) == forms.PICTURE:
        boxes = [cut for cut in cuts if isinstance(cut, Box)]
        picture = redact_picture(raw, boxes, chance, name)
        data, openings, kind, media_type = picture.data, picture.openings, forms.PICTURE, "image/png"
        notes = ("further pages or frames were left out",) if picture.further else ()
    else:
        text = redact_text(raw, [cut for cut in cuts if not isinstance(cut, Box)], chance, keep)
        data, openings, kind = text.data, text.openings, forms.TEXTS
    act = _act(files, rights, row["id"], new_id, said)
    words = [cut.words for cut in cuts if isinstance(cut, Passage)]
    taken = _taken(files)
    new = forms.exhibit_row(row, new_id, data, media_type, said["known_at"], act["becomes"], columns, words, taken)
    act |= {"removed": forms.removed_json(kind, openings, raw, data), OPENINGS: forms.openings_json(openings)}
    ending = next(ending for ending, of in ENDINGS.items() if of == media_type)
    return Redacting({EXHIBITS: [new], ACTS: [act]}, {f"exhibits/{new['sha256']}.{ending}": data}, notes)


def _taken(files: Files) -> set[str]:
    """Every id that a row has, released forms among them."""
    return {row.get("id", "").strip() for name in table_names(files) for row in read_loosely(files.read(name)).rows}


def _act(files: Files, rights: Rights, record: str, new_id: str, said: Mapping[str, str]) -> Row:
    return act_row(files, rights, record, {**said, "act": "release", "new_record": new_id})


def faults_of(files: Files, act_id: str) -> list[str]:
    """What is wrong with a redaction, by whoever may see both forms and the salts; nothing where all is right.

    Raises TallybookError for an act that is none, or whose records are not at hand.
    """
    case = _case(files)
    act = next((row for row in read_loosely(files.read(ACTS)).rows if row.get("id") == act_id), None) if files.has(ACTS) else None
    if act is None or act.get("act") != "release":
        raise TallybookError("no release of that id", where=act_id, do="reports/marking_acts.csv lists them")
    openings = forms.read_openings(act.get(OPENINGS, ""))
    (table, first), (_, new) = _row_named(files, act["record"]), _row_named(files, act["new_record"])
    if table == EXHIBITS:
        return forms.verify_redaction(_file(files, first), _file(files, new), act, openings)
    short = table.removeprefix("reports/").removesuffix(".csv")
    setting = forms.setting_of(short, case.tz, case.evidence.places)
    return forms.verify_redaction(forms.row_bytes(first), forms.row_bytes(new), act, openings, setting)


def _file(files: Files, row: Row) -> bytes:
    path = next((one for one in files.listing("exhibits") if one.rpartition("/")[2].startswith(row["sha256"])), None)
    if path is None:
        raise TallybookError("its file is not in hand", where=row["id"], do="put it in exhibits/, named by its hash")
    return files.read(path)
