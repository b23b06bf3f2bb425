"""Zip archives: names refused rather than cleaned, bytes capped while they are read."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.ingest.making import ROWS, bring, csv_bytes, excel_rows, fields, patched, renamed, wrong, zip_bytes
from tallybook.evidence.ingest.archive import name_fault
from tallybook.evidence.ingest.limits import Limits

CSV = csv_bytes(ROWS)
GOOD = zip_bytes([("observations.csv", CSV)])
PLACES = b"id,name,lat,lon\nP-1,North quay,1,2\n"


def info(name: str, mode: int) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    made.create_system = 3
    return made


def test_several_tables_in_one_zip() -> None:
    brought = bring(zip_bytes([("a/observations.csv", CSV), ("b/places.csv", PLACES)]), "all.zip")
    assert fields(brought) == list(ROWS)
    assert fields(brought, "places")[0]["name"] == "North quay"


def test_the_fault_of_a_file_in_a_zip_names_both() -> None:
    assert "all.zip/a/places.csv:1 [lon]: column missing" in wrong(zip_bytes([("a/places.csv", b"id,name,lat\n")]), "all.zip")


def test_one_bad_file_keeps_the_good_ones_out() -> None:
    assert wrong(zip_bytes([("observations.csv", CSV), ("places.csv", b"id\n")]), "all.zip")


def test_a_table_in_two_files() -> None:
    assert "a second table of observations" in wrong(
        zip_bytes([("a/observations.csv", CSV), ("b/observations.csv", CSV)]), "all.zip"
    )


@pytest.mark.parametrize(
    "name",
    ["../observations.csv", "a/../../x.csv", "/etc/x.csv", "a//b.csv", "./a.csv", "a/./b.csv", "C:/x.csv", "a\\b.csv",
     "..\\x.csv",
     "a\x1b[2J.csv", "a\u202evsc.csv", "e\u0301.csv", "x" * 300 + ".csv", " /a.csv", "a/ .. /b.csv", "\\\\host\\share\\a.csv"],
)  # fmt: skip
def test_names_that_are_refused(name: str) -> None:
    text = wrong(zip_bytes([(name, CSV), ("observations.csv", CSV)]), "all.zip")
    assert "the name" in text
    assert name_fault(name, 200)


def test_a_name_with_a_nul_in_it() -> None:
    raw = renamed(zip_bytes([("observations.csv#.exe", CSV)]), "observations.csv#", "observations.csv\0")
    assert "do not print" in wrong(raw, "all.zip")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("observations.csv", "OBSERVATIONS.CSV"),
        ("a/\u00e9.csv", "A/\u00c9.csv"),
        ("stra\u00dfe.csv", "STRASSE.csv"),
        ("\ufb01.csv", "fi.csv"),
        ("\uff41.csv", "a.csv"),
    ],
)
def test_names_that_are_one_to_some_machines(one: str, other: str) -> None:
    assert "one name to some machines" in wrong(zip_bytes([(one, CSV), (other, CSV)]), "all.zip")


def test_a_name_twice() -> None:
    raw = renamed(zip_bytes([("observations.csv", CSV), ("observationz.csv", CSV)]), "observationz.csv", "observations.csv")
    assert "is there twice" in wrong(raw, "all.zip")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices(kind: int) -> None:
    assert "is a link or a device" in wrong(zip_bytes([(info("observations.csv", kind | 0o777), b"/etc/passwd")]), "all.zip")


def test_an_ordinary_file_with_its_mode() -> None:
    assert bring(zip_bytes([(info("observations.csv", stat.S_IFREG | 0o644), CSV)]), "all.zip").rows


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_encrypted_files(flag: int) -> None:
    assert "is encrypted" in wrong(patched(GOOD, 8, "<H", flag), "all.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_ways_of_packing_that_are_not_read(method: int) -> None:
    assert "packed in a way" in wrong(patched(GOOD, 10, "<H", method), "all.zip")


@pytest.mark.parametrize(
    "name", ["inner.zip", "INNER.ZIP", "a.tar", "a.tar.gz", "a.tgz", "a.7z", "a.rar", "a.gz", "a.bz2", "a.xz"]
)
def test_archives_within_archives(name: str) -> None:
    assert "an archive within an archive" in wrong(zip_bytes([(name, GOOD)]), "all.zip")
    assert "but it is a zip" in wrong(zip_bytes([("observations.csv", GOOD)]), "all.zip")


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.7z", "a.rar", "observations.gz"])
def test_other_archives_are_asked_for_as_a_zip(name: str) -> None:
    assert "send the files in a zip" in wrong(b"x", name)


@pytest.mark.parametrize("name", [".DS_Store", "__MACOSX/._observations.csv", "readme.txt", "picture.png", "nameless"])
def test_files_that_are_no_table(name: str) -> None:
    assert wrong(zip_bytes([("observations.csv", CSV), (name, b"x")]), "all.zip")


def test_limits_on_members_bytes_and_ratio() -> None:
    many = zip_bytes((f"{n}.csv", b"x") for n in range(21))
    assert "over 20 files" in wrong(many, "all.zip", Limits(members=20))
    assert "unpacks to over 100 bytes" in wrong(GOOD, "all.zip", Limits(unpacked=100))
    assert "unpacks to over 900 bytes" in wrong(zip_bytes([("observations.csv", b"a" * 1_000)]), "all.zip", Limits(bytes=900))
    flat = zip_bytes([("observations.csv", b"a" * 5_000_000)])
    assert "zip bomb" in wrong(flat, "all.zip")


def test_what_a_zip_says_of_a_size_is_not_believed() -> None:
    flat = zip_bytes([("observations.csv", b"a" * 5_000_000)])
    assert wrong(patched(flat, 24, "<L", 10), "all.zip")
    assert wrong(patched(GOOD, 24, "<L", 2**32 - 2), "all.zip")
    assert wrong(patched(GOOD, 20, "<L", 2**32 - 2), "all.zip")


@pytest.mark.parametrize(
    "raw",
    [GOOD + b"x", b"x" + GOOD, GOOD[:-1], GOOD[:-22], GOOD[:40], GOOD[:-22] + GOOD, GOOD + GOOD, b"PK\x03\x04"],
)
def test_a_zip_with_more_or_less_to_it(raw: bytes) -> None:
    assert wrong(raw, "all.zip")


def test_a_comment_hides_nothing() -> None:
    out = io.BytesIO(GOOD)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"hello"
    assert "after its end" in wrong(out.getvalue(), "all.zip")


def test_a_directory_that_claims_more_than_there_is() -> None:
    end = GOOD.index(b"PK\x05\x06")
    for offset, form in ((8, b"\xff\xff\xff\xff"), (12, b"\xff\xff\xff\x7f"), (16, b"\xff\xff\xff\x7f"), (4, b"\1\0\0\0")):
        assert wrong(GOOD[: end + offset] + form + GOOD[end + offset + 4 :], "all.zip")


def test_a_checksum_that_does_not_fit() -> None:
    assert "damaged" in wrong(patched(GOOD, 16, "<L", 1), "all.zip")


def test_workbooks_may_be_in_a_zip_and_count_within_it() -> None:
    raw = zip_bytes([("observations.xlsx", excel_rows(ROWS))])
    assert fields(bring(raw, "all.zip")) == list(ROWS)
    assert "unpacks to over" in wrong(raw, "all.zip", Limits(unpacked=len(excel_rows(ROWS)) + 1_000))


@given(st.text(max_size=30))
def test_a_good_name_leads_nowhere_else(name: str) -> None:
    if not name_fault(name, 200):
        assert not name.startswith("/")
        assert ".." not in name.split("/")
        assert name.isprintable()
        assert not set(name) & set("\\:")
