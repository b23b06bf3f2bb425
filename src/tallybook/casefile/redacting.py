"""Redacted forms as records of a case: the row of a new exhibit, the act that links it to the first, and whether both are true.

What links is seen above only: the act is marked as the first is. Below there is a new record, and nothing that names another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from zoneinfo import ZoneInfo

from tallybook.core.canonical import canonical
from tallybook.errors import TallybookError
from tallybook.evidence.exhibit import KINDS
from tallybook.evidence.ingest.exhibit_rows import EXHIBITS, MORE_OF_EXHIBITS, SHA256
from tallybook.evidence.ingest.redact_picture import picture_faults
from tallybook.evidence.ingest.told import told
from tallybook.evidence.redaction import (
    MARK,
    MOST_REMOVED,
    SALT,
    TEXT,
    Needle,
    Opening,
    RedactionError,
    Setting,
    StillStandingError,
    check_range,
    coarser_place,
    coarser_time,
    listed,
    needles_of,
    sealed,
    still_standing,
    text_of,
    without,
)
from tallybook.evidence.report import Place
from tallybook.ledger.entry import EntryError, canonical_json

ROW, TEXTS, PICTURE = "row", "text", "picture"
LONGEST = 1_000_000
"""Characters of what is read as openings or as what was removed."""
MAY_BE_SAID = ("title", "origin", "made_at", "place", "source_id", "licence", "reports")
"""Columns of a new exhibit that are blank unless the user writes them: each can betray the first."""
_FORMS = {
    "text/plain": TEXTS,
    "text/csv": TEXTS,
    "application/json": TEXTS,
    "image/jpeg": PICTURE,
    "image/png": PICTURE,
    "image/tiff": PICTURE,
    "image/webp": PICTURE,
}
_ALL = ("id", "marking", "exhibits", "known_to", "source_id", "known_at")
_SHAPES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "observations": (
        "id",
        (),
        (*_ALL, "item_class", "stage", "count", "count_low", "count_high", "grade"),
        ("reported_at", "observed_from", "observed_to", "method"),
    ),
    "commitments": ("id", (), _ALL, ("made_at",)),
    "measures": ("id", (), (*_ALL, "to"), ("known_at", "from", "measure", "state")),
    "incidents": ("id", (), (*_ALL, "kind"), ("known_at", "date")),
    "vessels": (
        "id",
        (),
        (*_ALL, "departure_date", "items_declared", "items_counted", "date_counted", "cargo_class"),
        ("known_at",),
    ),
    "bearings": (
        "report",
        ("by",),
        ("refers_to", "cluster", "restates", "extent", "state", "counts_as"),
        ("known_at", "claim", "bears"),
    ),
    "exhibits": ("id", ("title",), ("made_at", "media_type", "reports", "source_id"), ("known_at", "sha256", "kind")),
    "custody": ("exhibit", ("held_by",), ("to",), ("known_at", "from")),
    "reviews": ("id", ("by",), ("grade", "bears", "claim"), ("known_at", "report", "what")),
}
"""By table: the column that names its rows, those never blank, those without running words, those that are never cut whole."""


def setting_of(
    table: str,
    tz: ZoneInfo,
    places: Mapping[str, Place] | None = None,
    taken: Collection[str] = (),
    keep: Collection[str] = (),
) -> Setting:
    """What a redaction of a row of a table (`observations`, `exhibits` …) is held against. Raises RedactionError for others."""
    if table not in _SHAPES:
        raise RedactionError(f"rows of {told(table)} are not redacted", do=f"the tables are {', '.join(_SHAPES)}")
    name, required, bare, fixed = _SHAPES[table]
    return Setting(tz, places or {}, name, required, bare, fixed, taken, keep)


def form_of(media_type: str) -> str:
    """Whether a media type is redacted as a `text` or a `picture`. Raises RedactionError for others, with the way."""
    if media_type in _FORMS:
        return _FORMS[media_type]
    what, do = f"{told(media_type)} is not redacted here", f"the types are {', '.join(_FORMS)}"
    if media_type == "application/pdf":
        do = "make a picture of each page, redact these, and release them as exhibits"
    elif media_type.startswith(("audio/", "video/")):
        do = "release a transcript, or still pictures, as exhibits of their own"
    elif media_type == "image/gif":
        do = "save the frame that is to be released as PNG, and file that"
    raise RedactionError(what, where="media_type", do=do)


def row_bytes(row: Mapping[str, str]) -> bytes:
    """A row as it is filed (RFC 8785 JSON): what its hash is of."""
    return canonical_json({"row": {column: value for column, value in row.items() if value}})


def exhibit_row(
    first: Mapping[str, str],
    new_id: str,
    redacted: bytes,
    media_type: str,
    known_at: str,
    marking: str,
    said: Mapping[str, str] | None = None,
    cut: Iterable[str] = (),
    taken: Collection[str] = (),
) -> dict[str, str]:
    """The row of a redacted exhibit. Of the first it has the kind only; `said` are columns that the user writes anew.

    `cut` are words that were cut, where it was a text: nothing that is said may hold them. Raises RedactionError for a blank, a
    column that cannot be said, and an id or bytes that are those of the first; StillStandingError where its id, its hash or a
    word that was cut is said.
    """
    said = dict(said or {})
    digest = sha256(redacted).hexdigest()
    odd = [name for name in said if name not in MAY_BE_SAID]
    if odd:
        raise RedactionError(f"{told(odd[0])} cannot be said", do=f"what can be is {', '.join(MAY_BE_SAID)}")
    if not first.get("id") or first.get("kind") not in KINDS or not SHA256.fullmatch(first.get("sha256", "")):
        raise RedactionError("the row of the first is not one of an exhibit", do="correct it in reports/exhibits.csv")
    if not new_id or new_id == first["id"] or new_id in taken:
        raise RedactionError(f"the id {told(new_id)} is taken" if new_id else "no id", where="id", do="give it an id of its own")
    if digest == first["sha256"]:
        raise RedactionError("the same bytes as the first: nothing was removed", where="sha256", do="release the redacted form")
    for column, value in (("known_at", known_at), ("marking", marking), ("media_type", media_type)):
        if not value.strip():
            raise RedactionError("blank", where=column, do="a released exhibit says when it was known, and how it is marked")
    row = dict.fromkeys((*EXHIBITS, *MORE_OF_EXHIBITS), "") | said
    row |= {"id": new_id, "sha256": digest, "kind": first["kind"], "known_at": known_at, "media_type": media_type}
    row["title"] = said.get("title") or f"Redacted {first['kind'] if first['kind'] != 'other' else 'exhibit'}"
    needles = [Needle(first["id"]), Needle(first["sha256"]), *(needle for words in cut for needle in needles_of(words))]
    standing = still_standing({"id": new_id, **said}, needles, ())
    if standing:
        raise StillStandingError(standing)
    return {**row, "marking": marking}


def removed_json(form: str, openings: Sequence[Opening], first: bytes, redacted: bytes) -> str:
    """What was removed, as compact JSON for the act: salted hashes, and the plain hashes of both forms.

    The plain hash of the first lets anybody try likely words in the gaps: it stands above only.
    """
    hashes = {"first": sha256(first).hexdigest(), "new": sha256(redacted).hexdigest()}
    return canonical({"of": form, "cuts": [opening.told() for opening in openings], **hashes}).decode()


def openings_json(openings: Sequence[Opening]) -> str:
    """Openings as compact JSON, to be kept with the first and under its marking."""
    return canonical([{**asdict(opening), "salt": opening.salt.hex()} for opening in openings]).decode()


def read_openings(text: str) -> tuple[Opening, ...]:
    """Openings from JSON. Raises RedactionError for anything that `openings_json` does not write."""
    found = _read_json(text, "the openings")
    if not isinstance(found, list) or not 0 < len(found) <= MOST_REMOVED:
        raise RedactionError(f"no list of 1 to {MOST_REMOVED} openings", where="the openings", do=_KEPT)
    return tuple(map(_opening, found))


_KEPT = "take them as they were written when the redaction was made"
_HEX = re.compile(rf"[0-9a-f]{{{2 * SALT}}}", re.ASCII)


def _opening(data: Any) -> Opening:
    wanted = {"field": str, "how": str, "sha256": str, "salt": str, "start": int, "end": int}
    if not isinstance(data, dict) or {name: type(value) for name, value in data.items()} != wanted:
        raise RedactionError("not an opening", where="the openings", do=_KEPT)
    if not _HEX.fullmatch(data["salt"]) or not SHA256.fullmatch(data["sha256"]) or not 0 <= data["start"] <= data["end"]:
        raise RedactionError("an opening with a hash, salt or place that is none", where="the openings", do=_KEPT)
    return Opening(**{**data, "salt": bytes.fromhex(data["salt"])})


def _read_json(text: str, where: str) -> Any:
    if len(text) > LONGEST:
        raise RedactionError(f"over {LONGEST:,} characters", where=where, do=_KEPT)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RedactionError("not JSON", where=where, do=_KEPT) from error


def _read_removed(text: str) -> dict[str, Any]:
    found = _read_json(text, "removed")
    if not isinstance(found, dict) or set(found) != {"of", "cuts", "first", "new"} or not isinstance(found["cuts"], list):
        raise RedactionError("not what a redaction removed", where="removed", do=_KEPT)
    for name in ("first", "new"):
        if not isinstance(found[name], str) or not SHA256.fullmatch(found[name]):
            raise RedactionError(f"{name} is no SHA-256", where="removed", do=_KEPT)
    if found["of"] not in (ROW, TEXTS, PICTURE):
        raise RedactionError("of no form that is redacted", where="removed", do=_KEPT)
    return found


def verify_redaction(
    first: bytes, redacted: bytes, act: Mapping[str, str], openings: Sequence[Opening], setting: Setting | None = None
) -> list[str]:
    """What is wrong with a redaction, by somebody who may see both forms and the salts; nothing where all is right.

    Held: both forms have the hashes of the act, its salted hashes are of what was there, and outside the cuts nothing differs.
    `setting` is that of the table, for a row (its bytes are those of `row_bytes`). Raises nothing for bytes that are wrong.
    """
    try:
        removed = _read_removed(act.get("removed", ""))
        faults = [] if act.get("act") == "release" else ["the act is no release"]
        for name, data in (("first", first), ("new", redacted)):
            if not compare_digest(removed[name], sha256(data).hexdigest()):
                faults.append(f"the {name} record has another hash than the act says")
        if removed["cuts"] != [opening.told() for opening in openings] or not openings:
            faults.append("the openings are not those of the act")
        if removed["of"] == PICTURE:
            return faults + picture_faults(first, redacted, openings)
        if removed["of"] == TEXTS:
            return (
                faults
                + field_faults(text_of(first), text_of(redacted), [o for o in openings if o.field == TEXT])
                + _strange(openings)
            )
        return faults + row_faults(_row_of(first), _row_of(redacted), act, openings, setting or Setting())
    except TallybookError as error:
        return [str(error)]


def _strange(openings: Sequence[Opening]) -> list[str]:
    return [f"{told(o.field)} is no part of a text" for o in openings if o.field != TEXT or o.how != "passage"]


def _row_of(data: bytes) -> dict[str, str]:
    try:
        row = json.loads(data)["row"]
        if row_bytes(row) != data or not all(isinstance(value, str) for value in row.values()):
            raise ValueError(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, EntryError) as error:
        raise RedactionError("not the bytes of a row", where="the record", do="take the row as it is filed") from error
    return dict(row)


def row_faults(
    first: Mapping[str, str], new: Mapping[str, str], act: Mapping[str, str], openings: Sequence[Opening], setting: Setting
) -> list[str]:
    """What is wrong with a redacted row. `record` and `new_record` of the act are the ids of both."""
    faults = []
    for row, column in ((first, "record"), (new, "new_record")):
        if row.get(setting.id_column) != act.get(column):
            faults.append(f"{column} of the act is not the id of the row")
    if new.get("marking") != act.get("becomes"):
        faults.append("the new row is not marked as the act says")
    columns = dict.fromkeys((*first, *new, *(opening.field for opening in openings)))
    free = _new_bounds(first, openings)
    for column in columns:
        if column in (setting.id_column, "marking"):
            faults += [f"{column}: a cut that cannot be" for opening in openings if opening.field == column]
            continue
        mine = [opening for opening in openings if opening.field == column]
        old, now = first.get(column, ""), new.get(column, "")
        if not mine and (old != now and column not in free):
            faults.append(f"{column} differs, and no cut says so")
        elif mine and all(opening.how == "passage" for opening in mine):
            faults += field_faults(old, now, mine)
        elif mine:
            faults += _replaced_faults(old, now, mine, setting)
    return faults + _range_faults(first, new, openings)


def field_faults(old: str, now: str, openings: Sequence[Opening]) -> list[str]:
    """What is wrong with a text in which passages were cut."""
    faults, last = [], 0
    for opening in openings:
        if not last <= opening.start < opening.end <= len(old):
            return [f"{opening.field}: a cut that is not within the text, or out of order"]
        if not compare_digest(sealed(opening.salt, old[opening.start : opening.end].encode()), opening.sha256):
            faults.append(f"{opening.field}: the hash is not of what was there")
        last = opening.end
    if now != without(old, [(opening.start, opening.end) for opening in openings]):
        faults.append(f"{openings[0].field if openings else TEXT} differs outside the cuts")
    return faults


def _replaced_faults(old: str, now: str, openings: Sequence[Opening], setting: Setting) -> list[str]:
    opening = openings[0]
    if len(openings) > 1 or (opening.start, opening.end) != (0, len(old)) or old == now:
        return [f"{opening.field}: cut in two ways, or not at all"]
    faults = []
    if not compare_digest(sealed(opening.salt, old.encode()), opening.sha256):
        faults.append(f"{opening.field}: the hash is not of what was there")
    try:
        held = _holds(opening, old, now, setting)
    except RedactionError as error:
        return [*faults, f"{opening.field}: {error.what}"]
    return faults if held else [*faults, f"{opening.field}: {told(now)} is not what the cut makes of it"]


def _holds(opening: Opening, old: str, now: str, setting: Setting) -> bool:
    """Whether a field was replaced as its cut says. Raises RedactionError where it tells more, or other, than it did."""
    how, column = opening.how, opening.field
    if how == "whole":
        return now == (MARK if column in setting.required else "")
    if how == "place":
        return bool(coarser_place(old, now, setting.places))
    if how.startswith("time to the "):
        return now == coarser_time(old, column, how.removeprefix("time to the "), setting.tz)
    if how == "list":
        left = listed(now)
        return left == [name for name in listed(old) if name in left]
    return how == "range" or (how == "source" and bool(now))


def _new_bounds(first: Mapping[str, str], openings: Iterable[Opening]) -> set[str]:
    """Bounds that were blank, of a number that a range stands for."""
    columns = {f"{_number_of(o.field)}{end}" for o in openings if o.how == "range" for end in ("_low", "_high")}
    return {column for column in columns if not first.get(column)}


def _number_of(column: str) -> str:
    return column.removesuffix("_low").removesuffix("_high")


def _range_faults(first: Mapping[str, str], new: Mapping[str, str], openings: Iterable[Opening]) -> list[str]:
    faults = []
    for name in dict.fromkeys(_number_of(opening.field) for opening in openings if opening.how == "range"):
        columns = (name, f"{name}_low", f"{name}_high")
        try:
            check_range([first.get(column, "") for column in columns], new.get(columns[1], ""), new.get(columns[2], ""), name)
        except RedactionError as error:
            faults.append(f"{name}: {error.what}")
        faults += [f"{name} still stands"] if new.get(name) else []
    return faults
