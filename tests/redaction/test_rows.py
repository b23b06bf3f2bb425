"""Rows: each kind of cut, what it refuses, and that nothing that was cut stands in what is made."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redaction.making import OBSERVED, PLACES, SETTING, VIENNA, row_act, salts
from tallybook.casefile.redacting import setting_of, verify_redaction
from tallybook.core.time import moment
from tallybook.evidence.redaction import (
    MARK,
    Between,
    Coarser,
    Cut,
    OtherSource,
    Passage,
    Redacted,
    RedactionError,
    StillStandingError,
    Whole,
    Wider,
    Without,
    coarser_time,
    folded,
    redact_row,
)


def redact(*cuts: Cut, row: dict[str, str] | None = None, keep: tuple[str, ...] = (), **more: Any) -> Redacted:
    return redact_row(row or OBSERVED, cuts, "R-1", "TLP:GREEN", salts(), replace(SETTING, keep=keep, **more))


def test_a_passage_is_cut_wherever_it_stands_and_the_rest_stays() -> None:
    made = redact(Passage("statement", "Brandt"), keep=("42",))
    assert made.row["statement"] == f"Colonel {MARK} showed 42 shells; {MARK} signed."
    assert {c: v for c, v in made.row.items() if c not in ("id", "marking", "statement")} == {
        c: v for c, v in OBSERVED.items() if c not in ("id", "marking", "statement")
    }
    assert (made.row["id"], made.row["marking"]) == ("R-1", "TLP:GREEN")


def test_the_first_row_is_not_changed() -> None:
    before = dict(OBSERVED)
    redact(Passage("statement", "Brandt"))
    assert before == OBSERVED


def test_a_removal_is_told_by_a_salted_hash_that_its_opening_proves() -> None:
    made = redact(Passage("statement", "Brandt", nth=1), keep=("Brandt",))
    (told,), (opening,) = made.removed, made.openings
    assert told == {"field": "statement", "how": "passage", "sha256": sha256(opening.salt + b"Brandt").hexdigest()}
    assert OBSERVED["statement"][opening.start : opening.end] == "Brandt"
    assert told["sha256"] != sha256(b"Brandt").hexdigest()


def test_equal_words_have_unequal_hashes() -> None:
    hashes = [one["sha256"] for one in redact(Passage("statement", "Brandt")).removed]
    assert len(set(hashes)) == len(hashes) == 2


def test_cuts_with_only_blanks_between_them_are_one() -> None:
    made = redact(Passage("statement", "Colonel"), Passage("statement", "Brandt"))
    assert made.row["statement"] == f"{MARK} showed 42 shells; {MARK} signed."
    assert len(made.openings) == 2


def test_overlapping_cuts_are_one() -> None:
    made = redact(Passage("statement", "Colonel Brandt"), Passage("statement", "Brandt showed"), keep=("brandt",))
    assert made.row["statement"] == f"{MARK} 42 shells; Brandt signed."


def test_a_mark_does_not_tell_how_much_was_cut() -> None:
    short, long = (redact(Passage("note", words), row=OBSERVED | {"note": f"by {words}."}) for words in ("Li", "Wolfeschlegel"))
    assert short.row["note"] == long.row["note"] == f"by {MARK}."


def test_a_cut_within_another_is_one() -> None:
    made = redact(Passage("statement", "Colonel Brandt showed"), Passage("statement", "Brandt", nth=1), keep=("brandt", "Brandt"))
    assert made.row["statement"] == f"{MARK} 42 shells; Brandt signed."


def test_the_word_of_the_mark_is_not_what_was_left() -> None:
    row = OBSERVED | {"statement": "the redacted files; a list", "note": "by Li"}
    made = redact(Passage("statement", "redacted files"), Passage("note", "Li"), row=row)
    assert (made.row["statement"], made.row["note"]) == (f"the {MARK}; a list", f"by {MARK}")


def test_what_stands_anew_in_the_field_itself_is_not_what_was_left() -> None:
    made = redact(Between("42", "50"), row=OBSERVED | {"statement": "counted"})
    assert made.row["count_low"] == "42"


def test_the_nth_occurrence() -> None:
    made = redact(Passage("statement", "Brandt", nth=2), keep=("Brandt",))
    assert made.row["statement"] == f"Colonel Brandt showed 42 shells; {MARK} signed."


@pytest.mark.parametrize(
    "elsewhere",
    [
        "BRANDT",
        "Ｂｒａｎｄｔ",
        "Bra\u00adndt",
        "B\u200brandt",
        "Brándt",
        "\\u0042randt",
        "&#66;randt",
        "%42randt",
        "Brandts",
        "Bra\u0301ndt",
    ],
)
def test_words_that_stand_elsewhere_are_listed_however_they_are_written(elsewhere: str) -> None:
    with pytest.raises(StillStandingError, match="still standing: 'Brandt' in note") as caught:
        redact(Passage("statement", "Brandt"), row=OBSERVED | {"note": f"see {elsewhere}"})
    assert ("note", "Brandt") in caught.value.standing


def test_each_long_word_of_a_passage_is_looked_for() -> None:
    with pytest.raises(StillStandingError) as caught:
        redact(Passage("statement", "Colonel Brandt showed"))
    assert caught.value.standing == (("statement", "brandt"),)


def test_blanks_of_other_kinds_do_not_hide_words() -> None:
    with pytest.raises(StillStandingError) as caught:
        redact(Passage("statement", "42 shells"), row=OBSERVED | {"note": "42\u00a0 \nshells"}, keep=("shells", "42"))
    assert caught.value.standing == (("note", "42 shells"),)


def test_a_short_word_is_found_by_itself_only() -> None:
    row = OBSERVED | {"statement": "seen by Li", "note": "believed", "citation": "Cable 81"}
    assert redact(Passage("statement", "Li"), row=row).row["statement"] == f"seen by {MARK}"
    with pytest.raises(StillStandingError):
        redact(Passage("statement", "Li"), row=row | {"note": "li, believed"})


@pytest.mark.parametrize("elsewhere", ["42km off", "the 42nd", "No.42", "42, all told"])
def test_a_number_is_found_beside_letters_and_not_within_numbers(elsewhere: str) -> None:
    row = OBSERVED | {"statement": "counted", "note": elsewhere}
    with pytest.raises(StillStandingError, match="'42' in note"):
        redact(Whole("count"), row=row)
    assert redact(Whole("count"), row=row | {"note": "in 1942, 421"}).row["count"] == ""


@pytest.mark.parametrize("elsewhere", ["1,200", "1'200", "1\u202f200", "1.200", "1 200", "１２００"])
def test_a_number_is_found_with_its_separators(elsewhere: str) -> None:
    row = OBSERVED | {"count": "1200", "statement": f"some {elsewhere} shells"}
    with pytest.raises(StillStandingError, match="'1200' in statement"):
        redact(Whole("count"), row=row)


def test_a_short_name_is_found_in_a_script_without_blanks() -> None:
    row = OBSERVED | {"statement": "由李小龙报告", "note": "见李小龙在场"}
    with pytest.raises(StillStandingError, match="'李小龙' in note"):
        redact(Passage("statement", "李小龙"), row=row)


def test_the_old_id_stands_nowhere_in_the_new_row() -> None:
    with pytest.raises(StillStandingError) as caught:
        redact_row(OBSERVED, [Passage("statement", "Brandt")], "OBS-7-cut", "TLP:GREEN", salts(), SETTING)
    assert caught.value.standing == (("id", "OBS-7"),)


@pytest.mark.parametrize(
    ("column", "required", "left"), [("statement", (), ""), ("statement", ("statement",), MARK), ("count", (), "")]
)
def test_a_field_is_cut_whole(column: str, required: tuple[str, ...], left: str) -> None:
    made = redact(Whole(column), required=required, keep=("42",))
    assert made.row[column] == left
    assert made.openings[0].end == len(OBSERVED[column])


@pytest.mark.parametrize("to", ["north", "Northern zone", "The North", "land"])
def test_a_place_becomes_one_that_it_lies_within(to: str) -> None:
    assert redact(Wider(to)).row["place"] == to


@pytest.mark.parametrize(
    ("old", "to", "why"),
    [
        ("Northern zone", "Depot Alpha", "does not contain"),
        ("Depot Alpha", "Depot Beta", "does not contain"),
        ("Depot Alpha", "far", "does not contain"),
        ("Depot Alpha", "north-1", "does not contain"),
        ("Depot Alpha", "nowhere", "no place 'nowhere'"),
        ("a hut", "land", "is no place"),
        ("Depot Alpha; a hut", "land", "is no place"),
        ("", "land", "blank"),
    ],
)
def test_a_place_never_becomes_finer_or_another(old: str, to: str, why: str) -> None:
    with pytest.raises(RedactionError, match=why):
        redact(Wider(to), row=OBSERVED | {"place": old})


def test_several_places_become_one_that_holds_all() -> None:
    assert redact(Wider("north"), row=OBSERVED | {"place": "Depot Alpha; Depot Beta"}).row["place"] == "north"


def test_places_in_a_ring_end() -> None:
    ring = {"a": replace(PLACES["land"], id="a", within="b"), "b": replace(PLACES["far"], id="b", within="a")}
    with pytest.raises(RedactionError, match="does not contain"):
        redact(Wider("a"), row=OBSERVED | {"place": "a"}, places=ring)


@pytest.mark.parametrize("finer", ["Depot Alpha", "the alpha yard", "near north-1", "in the Northern zone"])
def test_no_other_field_tells_the_place_more_finely(finer: str) -> None:
    with pytest.raises(StillStandingError, match="in note"):
        redact(Wider("land"), row=OBSERVED | {"note": finer})


@pytest.mark.parametrize(
    ("column", "old", "grain", "new"),
    [
        ("observed_from", "2020-03-03T23:40Z", "day", "2020-03-04"),
        ("observed_from", "2020-03-03T23:40Z", "month", "2020-03"),
        ("observed_from", "2020-03-03T23:40Z", "hour", "2020-03-04T00:00:00+01:00"),
        ("observed_to", "2020-03-03T23:40Z", "hour", "2020-03-04T01:00:00+01:00"),
        ("reported_at", "2020-03-04T10:00:00+01:00", "hour", "2020-03-04T11:00:00+01:00"),
        ("observed_to", "2020-03-04", "month", "2020-03"),
        ("observed_from", "1890-01-01T10:15+01:00", "hour", "1890-01-01T09:00:00+00:00"),
    ],
)
def test_a_time_becomes_coarser(column: str, old: str, grain: str, new: str) -> None:
    if old.startswith("1890"):
        assert moment(coarser_time(old, column, grain, VIENNA), VIENNA).first <= moment(old, VIENNA).first
    else:
        assert coarser_time(old, column, grain, VIENNA) == new


@given(
    st.datetimes(timezones=st.just(VIENNA)),
    st.sampled_from(["hour", "day", "month"]),
    st.sampled_from(["observed_from", "observed_to", "known_at"]),
)
def test_a_coarser_time_holds_the_first_and_is_never_known_earlier(at: Any, grain: str, column: str) -> None:
    old = at.isoformat(timespec="seconds")
    try:
        was = moment(old, VIENNA)
        now = moment(coarser_time(old, column, grain, VIENNA), VIENNA)
    except (RedactionError, ValueError):
        assert at.year in (1, 9999) or at.utcoffset().seconds % 60
        return
    assert now.last >= was.last or column == "observed_from"
    assert now.first <= was.first or (grain == "hour" and column != "observed_from")


@pytest.mark.parametrize(
    ("column", "old", "grain", "why"),
    [
        ("observed_to", "2020-03-04", "day", "no finer than the day"),
        ("observed_to", "2020-03", "month", "no finer than the month"),
        ("observed_to", "2020", "month", "no finer than the month"),
        ("observed_to", "2020-03-04", "hour", "no finer than the hour"),
        ("observed_to", "2020-03-04T10:15Z", "minute", "no grain"),
        ("observed_to", "soon", "day", "not a time"),
        ("made_at", "2020-03-04T10:15Z", "hour", "a beginning and an end"),
        ("observed_to", "9999-12-31T23:59:59.5Z", "hour", "edge of the calendar"),
    ],
)
def test_a_time_never_becomes_finer(column: str, old: str, grain: str, why: str) -> None:
    with pytest.raises(RedactionError, match=why):
        coarser_time(old, column, grain, VIENNA)


def test_an_hour_at_the_end_of_the_calendar_is_refused() -> None:
    with pytest.raises(RedactionError, match="edge of the calendar"):
        coarser_time("9999-12-31T23:59:59.5Z", "known_at", "hour", ZoneInfo("UTC"))


def test_the_time_of_day_stands_nowhere_else() -> None:
    with pytest.raises(StillStandingError) as caught:
        redact(Coarser("reported_at", "day"), row=OBSERVED | {"note": "told at 10:15 sharp"})
    assert caught.value.standing == (("note", "10:15"),)


def test_a_number_becomes_a_range_that_holds_it() -> None:
    made = redact(Between("40", "50"), Passage("statement", "42"))
    assert [made.row[c] for c in ("count", "count_low", "count_high")] == ["", "40", "50"]


@pytest.mark.parametrize(
    ("was", "low", "high", "why"),
    [
        (("42", "", ""), "42", "42", "no wider"),
        (("42", "", ""), "43", "50", "no wider"),
        (("42", "", ""), "30", "41", "no wider"),
        (("42", "41", "60"), "41", "59", "no wider"),
        (("42", "30", "60"), "40", "50", "no wider"),
        (("", "40", "50"), "40", "50", "nothing is removed"),
        (("", "", ""), "40", "50", "nothing is removed"),
        (("42", "", ""), "-1", "50", "not a count"),
        (("42", "", ""), "4e1", "50", "not a count"),
    ],
)
def test_a_range_never_tells_more(was: tuple[str, str, str], low: str, high: str, why: str) -> None:
    row = OBSERVED | dict(zip(("count", "count_low", "count_high"), was, strict=True))
    with pytest.raises(RedactionError, match=why):
        redact(Between(low, high), row=row, keep=("42",))


def test_a_source_is_replaced_and_its_citation_must_go() -> None:
    with pytest.raises(StillStandingError) as caught:
        redact(OtherSource("P-1"))
    assert caught.value.standing == (("citation", "Cable 81"),)
    assert redact(OtherSource("P-1"), Whole("citation")).row["source_id"] == "P-1"
    assert redact(OtherSource("P-1"), keep=("Cable 81",)).row["citation"] == "Cable 81"


def test_ids_are_taken_out_of_a_list() -> None:
    assert redact(Without("exhibits", ("EX-1",))).row["exhibits"] == "EX-2"
    with pytest.raises(StillStandingError, match="'EX-1' in note"):
        redact(Without("exhibits", ("EX-1",)), row=OBSERVED | {"note": "as ex-1 shows"})


@pytest.mark.parametrize(
    ("cuts", "why"),
    [
        ([], "nothing is cut"),
        ([Passage("statement", "Schmidt")], "there is no 'Schmidt'"),
        ([Passage("statement", "brandt")], "there is no 'brandt'"),
        ([Passage("statement", "Brandt", nth=3)], "no number 3 of"),
        ([Passage("statement", "Brandt", nth=0)], "number 0"),
        ([Passage("statement", " \u200b")], "no words"),
        ([Passage("statement", "x" * 2_001)], "over 2,000 characters"),
        ([Passage("nothing", "Brandt")], "no column"),
        ([Passage("id", "OBS")], "no column that can be cut"),
        ([Whole("marking")], "no column that can be cut"),
        ([Whole("note")], "blank"),
        ([OtherSource("S-9")], "already"),
        ([OtherSource("no id")], "cannot be an id"),
        ([Without("exhibits", ("EX-3",))], "not among them"),
        ([Without("exhibits", ())], "nothing to take out"),
        ([Whole("statement"), Passage("statement", "Brandt")], "two ways"),
        ([Passage("statement", "Brandt"), Whole("statement")], "two ways"),
        ([Whole("count"), Between("40", "50")], "two ways"),
        ([Between("1", "2", "items")], "no column|no bounds"),
        ([Between("1", "2", "method")], "no bounds"),
        ([Passage("statement", "Brandt")] * 501, "over 500 cuts"),
    ],
)
def test_a_cut_that_cannot_be_is_refused(cuts: list[Cut], why: str) -> None:
    with pytest.raises(RedactionError, match=why):
        redact(*cuts, keep=("brandt", "42"))


def test_cutting_a_mark_removes_nothing() -> None:
    with pytest.raises(RedactionError, match="only marks"):
        redact(Passage("note", MARK), row=OBSERVED | {"note": f"by {MARK}"})


@pytest.mark.parametrize(
    ("new_id", "marking", "why"),
    [
        ("OBS-7", "TLP:GREEN", "is taken"),
        ("OBS-8", "TLP:GREEN", "is taken"),
        ("", "TLP:GREEN", "cannot be an id"),
        ("a b", "TLP:GREEN", "cannot be an id"),
        ("R-1", " ", "no marking"),
        ("R-1", "TLP\x1b", "no marking"),
    ],
)
def test_a_new_row_has_an_id_and_a_marking_of_its_own(new_id: str, marking: str, why: str) -> None:
    with pytest.raises(RedactionError, match=why):
        redact_row(OBSERVED, [Whole("statement")], new_id, marking, salts(), replace(SETTING, taken={"OBS-8"}))


@pytest.mark.parametrize("bad", [lambda _: b"short", lambda size: bytes(size)])
def test_salts_that_are_no_salts_are_refused(bad: Any) -> None:
    with pytest.raises(RedactionError, match="salts"):
        redact_row(OBSERVED, [Passage("statement", "Brandt")], "R-1", "TLP:GREEN", bad, SETTING)


def test_the_shape_of_a_table_says_what_can_be_cut() -> None:
    setting = setting_of("observations", VIENNA, PLACES)
    for cut, why in ((Whole("method"), "cannot be read"), (Passage("count", "42"), "no running words")):
        with pytest.raises(RedactionError, match=why):
            redact_row(OBSERVED, [cut], "R-1", "TLP:GREEN", salts(), setting)
    with pytest.raises(RedactionError, match="not redacted"):
        setting_of("agreement", VIENNA)


WORDS = st.text("abcdefgXYZéß0", min_size=1, max_size=9)
TEXTS = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@given(st.lists(TEXTS, min_size=2, max_size=4), st.data())
def test_no_word_that_was_cut_stands_in_what_is_made(texts: list[str], data: st.DataObject) -> None:
    row = {"id": "Q-1", "marking": "high"} | {f"c{number}": text for number, text in enumerate(texts)}
    words = texts[0].split()
    first = data.draw(st.integers(0, len(words) - 1))
    passage = " ".join(words[first : data.draw(st.integers(first + 1, len(words)))])
    try:
        made: Redacted | None = redact_row(row, [Passage("c0", passage)], "W-2", "low", salts())
    except StillStandingError as error:
        standing = error.standing
        made = None
    if made is None:
        assert all(folded(cut) in folded(row.get(column, "")) for column, cut in standing)
        return
    left = "\n".join(folded(value.replace(MARK, "\n")) for value in made.row.values())
    assert not [word for word in re.findall(r"\w{4,}", folded(passage)) if word in left]
    first_bytes, new, act = row_act(row, made)
    assert verify_redaction(first_bytes, new, act | {"record": "Q-1", "new_record": "W-2", "becomes": "low"}, made.openings) == []
