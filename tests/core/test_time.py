"""Moments as people write them, lengths of time, and what is refused."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.core.time import LONGEST_DURATION, MomentError, duration, moment, shifted, written, zone

NEW_YORK = ZoneInfo("America/New_York")
VIENNA = ZoneInfo("Europe/Vienna")
HAVANA_EVENING = datetime(1962, 11, 4, 1, 44, tzinfo=UTC)


def test_an_instant_is_one_instant() -> None:
    read = moment("1962-11-03T20:44-05:00", VIENNA)
    assert read.first == read.last == HAVANA_EVENING


@pytest.mark.parametrize("text", ["1962-11-04T01:44Z", "1962-11-04T01:44:00Z", "1962-11-04T02:44:00.000+01:00"])
def test_instants_compare_by_time_and_not_by_text(text: str) -> None:
    assert moment(text, NEW_YORK).last == HAVANA_EVENING


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1962", "1962-01-01T00:00:00-05:00", "1962-12-31T23:59:59-05:00"),
        ("1962-11", "1962-11-01T00:00:00-05:00", "1962-11-30T23:59:59-05:00"),
        ("1962-02", "1962-02-01T00:00:00-05:00", "1962-02-28T23:59:59-05:00"),
        ("1964-02", "1964-02-01T00:00:00-05:00", "1964-02-29T23:59:59-05:00"),
        ("1962-12", "1962-12-01T00:00:00-05:00", "1962-12-31T23:59:59-05:00"),
        ("1962-11-03", "1962-11-03T00:00:00-05:00", "1962-11-03T23:59:59-05:00"),
        ("1962-10-28", "1962-10-28T00:00:00-04:00", "1962-10-28T23:59:59-05:00"),
    ],
)
def test_a_bare_date_is_any_instant_in_it_in_the_zone_of_the_case(text: str, first: str, last: str) -> None:
    read = moment(text, NEW_YORK)
    assert (written(read.first, NEW_YORK), written(read.last, NEW_YORK)) == (first, last)
    assert read.text == text


def test_the_day_on_which_the_clocks_go_back_has_25_hours() -> None:
    read = moment("1962-10-28", NEW_YORK)
    assert read.last - read.first == timedelta(hours=25, seconds=-1)


@pytest.mark.parametrize(
    "text",
    ["1962-02-29", "1962-13-01", "1962-00-10", "1962-11-31", "1962-13", "0000", "1962-02-30T10:00Z", "1962-11-03T25:00Z"],
)
def test_a_date_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(MomentError, match="does not exist"):
        moment(text, NEW_YORK)


@pytest.mark.parametrize("text", ["1962-11-03T20:44", "1962-11-03T20:44:00", "1962-11-03T20:44 EST"])
def test_an_instant_without_its_offset_is_refused(text: str) -> None:
    with pytest.raises(MomentError, match="offset"):
        moment(text, NEW_YORK)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "3 November 1962", "1962-11-3", "1962/11/03", "62-11-03", " 1962", "1962\n", "1962-11-03T"]
)
def test_another_form_is_refused_with_the_forms_to_write(text: str) -> None:
    with pytest.raises(MomentError, match=r"write 1962, 1962-11, 1962-11-03"):
        moment(text, NEW_YORK)


def test_digits_are_those_of_iso_8601() -> None:
    with pytest.raises(MomentError):
        moment("\u0661\u0669\u0666\u0662", NEW_YORK)
    with pytest.raises(MomentError):
        duration("\u0667d")


def test_a_date_beyond_the_calendar_is_refused_and_not_an_overflow() -> None:
    with pytest.raises(MomentError):
        moment("9999-12-31", NEW_YORK)
    with pytest.raises(MomentError):
        moment("0001-01-01", VIENNA)
    with pytest.raises(MomentError, match="too long"):
        moment("1" * 500, NEW_YORK)


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_a_moment_error(text: str) -> None:
    try:
        read = moment(text, NEW_YORK)
    except MomentError:
        return
    assert read.first <= read.last


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_year_month_day_and_instant_lie_within_each_other(day: date) -> None:
    text = day.isoformat()
    spans = [moment(text[:n], NEW_YORK) for n in (4, 7, 10)] + [moment(f"{text}T12:00-05:00", NEW_YORK)]
    for outer, inner in itertools.pairwise(spans):
        assert outer.first <= inner.first <= inner.last <= outer.last


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_what_is_written_reads_back(at: datetime) -> None:
    at = at.replace(microsecond=0)
    assert moment(written(at, VIENNA), NEW_YORK).last == at


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "a" * 400, "x\0y"])
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(MomentError, match="time zone"):
        zone(name)


def test_a_zone_by_its_iana_name() -> None:
    assert zone("Europe/Vienna") == VIENNA


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30min", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("1mo", timedelta(days=30)),
        ("1y", timedelta(days=365)),
        ("0d", timedelta(0)),
    ],
)
def test_lengths_of_time(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "7", "d", "-7d", "7 d", "7.5d", "1month", "7D", "999999y", "1234567d"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(MomentError):
        duration(text)


def test_shifting_stays_within_the_calendar() -> None:
    assert shifted(HAVANA_EVENING, timedelta(days=1)) == HAVANA_EVENING + timedelta(days=1)
    early, late = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    assert shifted(early, -LONGEST_DURATION) == datetime.min.replace(tzinfo=UTC)
    assert shifted(late, LONGEST_DURATION) == datetime.max.replace(tzinfo=UTC)
