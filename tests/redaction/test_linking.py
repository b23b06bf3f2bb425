"""The new record, the act that links it to the first, and the audit of both: what was tampered with is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from redaction.making import OBSERVED, SETTING, act_of, picture, row_act, salts, saved
from tallybook.casefile.filing import row_thing
from tallybook.casefile.redacting import (
    MAY_BE_SAID,
    PICTURE,
    TEXTS,
    exhibit_row,
    form_of,
    openings_json,
    read_openings,
    row_bytes,
    setting_of,
    verify_redaction,
)
from tallybook.evidence.ingest.redact_picture import Box, redact_picture
from tallybook.evidence.redaction import (
    Between,
    Coarser,
    Opening,
    OtherSource,
    Passage,
    RedactionError,
    StillStandingError,
    Whole,
    Wider,
    Without,
    redact_row,
    redact_text,
)

FIRST = {
    "id": "EX-1",
    "sha256": "ab" * 32,
    "kind": "photograph",
    "title": "Colonel Brandt at Depot Alpha",
    "origin": "U-2 mission 14",
    "made_at": "2020-03-03",
    "place": "Depot Alpha",
    "source_id": "S-9",
    "licence": "(c) J. Keller",
    "known_at": "2020-03-04",
    "media_type": "image/jpeg",
    "reports": "OBS-7",
    "marking": "TLP:RED",
}
CUTS = (
    Passage("statement", "Brandt"),
    Passage("statement", "42"),
    Wider("north"),
    Coarser("reported_at", "day"),
    Coarser("observed_from", "hour"),
    Between("40", "50"),
    OtherSource("P-1"),
    Whole("citation"),
    Without("exhibits", ("EX-1",)),
)


def exhibit(**changes: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "first": FIRST,
        "new_id": "RX-1",
        "redacted": b"made",
        "media_type": "image/png",
        "known_at": "2020-03-05",
        "marking": "TLP:GREEN",
    }
    return exhibit_row(**(given | changes))


def test_the_row_of_a_new_exhibit_has_the_kind_of_the_first_and_nothing_else() -> None:
    row = exhibit()
    assert row["kind"] == "photograph"
    carried = [column for column in FIRST if row[column] == FIRST[column]]
    assert carried == ["kind"]
    assert row["title"] == "Redacted photograph"
    assert {column for column in row if not row[column]} == set(MAY_BE_SAID) - {"title"}
    assert not [value for column, value in FIRST.items() if column != "kind" and value in json.dumps(row)]


def test_what_the_user_says_anew_stands_in_it() -> None:
    row = exhibit(said={"title": "A depot", "place": "north"})
    assert (row["title"], row["place"], row["origin"]) == ("A depot", "north", "")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"new_id": "EX-1"}, "is taken"),
        ({"new_id": "EX-2", "taken": {"EX-2"}}, "is taken"),
        ({"new_id": ""}, "no id"),
        ({"marking": " "}, "blank"),
        ({"known_at": ""}, "blank"),
        ({"media_type": ""}, "blank"),
        ({"said": {"sha256": "x"}}, "cannot be said"),
        ({"said": {"custody": "x"}}, "cannot be said"),
        ({"said": {"title": "from EX-1"}}, "still standing"),
        ({"said": {"title": "AB" * 32}}, "still standing"),
        ({"new_id": "EX-1-cut"}, "still standing"),
        ({"said": {"title": "BRANDT there"}, "cut": ["Brandt"]}, "still standing"),
        ({"first": FIRST | {"sha256": "x"}}, "not one of an exhibit"),
        ({"first": FIRST | {"kind": "map"}}, "not one of an exhibit"),
    ],
)
def test_a_row_that_would_betray_the_first_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(RedactionError, match=why):
        exhibit(**changes)


def test_the_first_itself_is_not_released_as_redacted() -> None:
    with pytest.raises(RedactionError, match="same bytes"):
        exhibit(first=FIRST | {"sha256": sha256(b"made").hexdigest()})


def test_what_is_said_is_held_against_what_was_cut() -> None:
    with pytest.raises(StillStandingError) as caught:
        exhibit(said={"place": "the brandt house"}, cut=["Colonel Brandt"])
    assert caught.value.standing == (("place", "brandt"),)


def test_the_act_is_marked_as_the_first_is() -> None:
    made = redact_text(b"by Keller", [Passage("text", "Keller")], salts())
    act = act_of(b"by Keller", made.data, made.openings, TEXTS)
    assert "salt" not in act["removed"]
    assert made.openings[0].salt.hex() not in act["removed"]


def test_openings_read_back() -> None:
    made = redact_row(OBSERVED, CUTS, "R-1", "TLP:GREEN", salts(), SETTING)
    assert read_openings(openings_json(made.openings)) == made.openings


def test_the_bytes_of_a_row_are_those_that_are_filed() -> None:
    assert row_bytes(OBSERVED) == row_thing("reports/observations.csv", "OBS-7", OBSERVED, SETTING.tz).body


@pytest.mark.parametrize(
    ("media_type", "form"), [("image/jpeg", PICTURE), ("image/webp", PICTURE), ("text/csv", TEXTS), ("application/json", TEXTS)]
)
def test_a_media_type_says_how_it_is_redacted(media_type: str, form: str) -> None:
    assert form_of(media_type) == form


@pytest.mark.parametrize(
    ("media_type", "do"),
    [
        ("application/pdf", "a picture of each page"),
        ("audio/wav", "transcript"),
        ("video/mp4", "still pictures"),
        ("image/gif", "PNG"),
        ("application/octet-stream", "the types are"),
        ("", "the types are"),
    ],
)
def test_other_media_types_are_refused_with_the_way(media_type: str, do: str) -> None:
    with pytest.raises(RedactionError, match="not redacted here") as caught:
        form_of(media_type)
    assert do in caught.value.do


Linked = tuple[bytes, bytes, dict[str, str], tuple[Opening, ...]]


def row_case() -> Linked:
    made = redact_row(OBSERVED, CUTS, "OBS-R1", "TLP:GREEN", salts(), SETTING)
    return *row_act(OBSERVED, made), made.openings


def text_case() -> Linked:
    first = b"Agent Keller met us.\nKeller left.\n"
    made = redact_text(first, [Passage("text", "Keller")], salts())
    return first, made.data, act_of(first, made.data, made.openings, TEXTS), made.openings


def picture_case() -> Linked:
    first = saved(picture(), "JPEG")
    made = redact_picture(first, [Box(5, 4, 12, 9), Box(10, 8, 20, 10)], salts())
    return first, made.data, act_of(first, made.data, made.openings, PICTURE), made.openings


CASES = {"row": row_case, "text": text_case, "picture": picture_case}


@pytest.mark.parametrize("case", CASES)
def test_an_honest_redaction_verifies(case: str) -> None:
    assert verify_redaction(*CASES[case](), SETTING) == []


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda o: (replace(o[0], salt=bytes(32)), *o[1:]), "the hash is not of what was there"),
        (lambda o: (replace(o[0], sha256="0" * 64), *o[1:]), "the openings are not those of the act"),
        (lambda o: o[1:], "the openings are not those of the act"),
        (lambda o: (), "the openings are not those of the act"),
        (lambda o: o[::-1], "the openings are not those of the act"),
    ],
)
def test_openings_that_are_not_the_ones_are_seen(
    case: str, spoil: Callable[[tuple[Opening, ...]], tuple[Opening, ...]], why: str
) -> None:
    first, new, act, openings = CASES[case]()
    assert any(why in fault for fault in verify_redaction(first, new, act, spoil(openings), SETTING))


@pytest.mark.parametrize("case", CASES)
def test_every_tampered_field_of_the_act_is_seen(case: str) -> None:
    first, new, act, openings = CASES[case]()
    assert verify_redaction(first, new, act | {"act": "regrade"}, openings, SETTING) == ["the act is no release"]
    for name in ("first", "new"):
        other = json.loads(act["removed"]) | {name: "0" * 64}
        found = verify_redaction(first, new, act | {"removed": json.dumps(other)}, openings, SETTING)
        assert found == [f"the {name} record has another hash than the act says"]


def test_a_release_from_which_nothing_was_cut_is_seen() -> None:
    act = act_of(b"all of it", b"all of it", (), TEXTS)
    assert verify_redaction(b"all of it", b"all of it", act, ()) == ["the openings are not those of the act"]


def row_with(**changes: str) -> bytes:
    _, new, _, _ = row_case()
    return row_bytes(json.loads(new)["row"] | changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"method": "hearsay"}, "method differs, and no cut says so"),
        ({"note": "added"}, "note differs, and no cut says so"),
        ({"statement": "Colonel [redacted] showed [redacted] bombs; [redacted] signed."}, "statement differs outside the cuts"),
        ({"statement": "Colonel Brandt showed [redacted] shells; [redacted] signed."}, "statement differs outside the cuts"),
        ({"place": "north-2"}, "place: "),
        ({"place": "Depot Alpha"}, "place: cut in two ways, or not at all"),
        ({"reported_at": "2020-03-05"}, "reported_at: '2020-03-05' is not what the cut makes of it"),
        ({"count_low": "43"}, "count: 43 to 50 is no wider"),
        ({"count": "41"}, "count still stands"),
        ({"citation": "Cable 82"}, "citation: 'Cable 82' is not what the cut makes of it"),
        ({"exhibits": "EX-2; EX-9"}, "exhibits: 'EX-2; EX-9' is not what the cut makes of it"),
        ({"source_id": ""}, "source_id: '' is not what the cut makes of it"),
        ({"id": "OBS-R2"}, "new_record of the act is not the id of the row"),
        ({"marking": "TLP:CLEAR"}, "the new row is not marked as the act says"),
    ],
)
def test_a_row_that_differs_otherwise_is_seen(changes: dict[str, str], why: str) -> None:
    first, _, act, openings = row_case()
    found = verify_redaction(first, row_with(**changes), act, openings, SETTING)
    assert any(why in fault for fault in found)


def test_a_text_that_differs_outside_the_cuts_is_seen() -> None:
    first, new, act, openings = text_case()
    found = verify_redaction(first, new.replace(b"left", b"lies"), act, openings)
    assert "text differs outside the cuts" in found
    found = verify_redaction(first, new, act, [replace(o, field="statement") for o in openings])
    assert "'statement' is no part of a text" in found
    found = verify_redaction(first, new, act, [replace(o, start=o.start + 900, end=o.end + 900) for o in openings])
    assert found == ["text: a cut that is not within the text, or out of order"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda d: redact_picture(saved(picture(seed=4), "JPEG"), [Box(5, 4, 12, 9)], salts()).data, "pixels differ outside"),
        (lambda d: redact_picture(saved(picture(), "JPEG"), [Box(5, 4, 12, 9)], salts()).data, "box 10,8,20,10 is not filled"),
        (lambda d: redact_picture(saved(picture(41)), [Box(5, 4, 12, 9)], salts()).data, "not of the size"),
        (lambda d: d + b"x", "after the end"),
    ],
)
def test_a_picture_that_differs_outside_the_boxes_is_seen(spoil: Callable[[bytes], bytes], why: str) -> None:
    first, new, act, openings = picture_case()
    assert any(why in fault for fault in verify_redaction(first, spoil(new), act, openings))


@pytest.mark.parametrize(
    "field", ["box 1,2,3", "box 0,0,99,1", "box 0,0,0,1", "box -1,0,2,2", "box ١,٢,٣,٤", "text", "box 1,2,3,9999999"]
)
def test_a_box_that_is_none_is_seen(field: str) -> None:
    first, new, act, openings = picture_case()
    found = verify_redaction(first, new, act, (replace(openings[0], field=field), *openings[1:]))
    assert any("is no box within the picture" in fault for fault in found)


def test_a_wholly_cut_field_of_a_required_column_is_marked() -> None:
    setting = setting_of("exhibits", SETTING.tz)
    made = redact_row(
        FIRST, [Whole("title"), Whole("place")], "RX-1", "TLP:GREEN", salts(), replace(setting, keep=["Depot Alpha", "depot"])
    )
    assert (made.row["title"], made.row["place"]) == ("[redacted]", "")
