"""What comes to the door, by the rows of the attack list: refused with a reason, or contained; never a crash, never half."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from time import perf_counter

import pytest

from evidence.ingest import making
from evidence.ingest.making import (
    COLUMNS,
    OBSERVED,
    ROWS,
    bring,
    csv_bytes,
    excel_bytes,
    fields,
    json_bytes,
    parquet_bytes,
    wrong,
    zip_bytes,
)
from tallybook.cli.main import main
from tallybook.evidence.ingest.door import read_rows
from tallybook.evidence.ingest.limits import DEFAULT, Limits
from tallybook.evidence.ingest.neighbours import Index
from tallybook.evidence.ingest.safe_cells import LEADING, table_text
from tallybook.evidence.ingest.table import read_table

CYRILLIC_O = "\u043e"


def stopped(raw: bytes, name: str, memory: int, seconds: float = 10.0, limits: Limits = DEFAULT) -> str:
    """The faults of a file that is refused within these limits of memory, in bytes beyond the file itself, and of time."""
    start = perf_counter()
    text = wrong(raw, name, limits)
    assert perf_counter() - start < seconds
    tracemalloc.start()  # after the time is taken: counting every allocation takes many times as long
    try:
        assert wrong(raw, name, limits) == text
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()
    return text


# 19: look-alike key names or ship names


def test_19_a_ship_whose_name_looks_like_another_is_flagged() -> None:
    names = ["Poltava", f"P{CYRILLIC_O}ltava", "Kasimov"]
    rows = [{"id": f"V-{n}", "vessel": name} for n, name in enumerate(names)]
    brought = bring(table_text(("id", "vessel"), rows).encode(), "v.csv", columns={"v": ("id", "vessel")})
    assert {w.line for w in brought.warnings} == {3}
    assert any("mixes letters of Cyrillic and Latin" in w.what for w in brought.warnings)
    assert any("looks like 'Poltava'" in w.what for w in brought.warnings)


def test_19_a_key_whose_name_looks_like_another_is_flagged() -> None:
    raw = f"key\nlog.example\nl{CYRILLIC_O}g.example\n".encode()
    assert read_rows(raw, "keys.csv", {"keys": ("key",)}).warnings


def test_19_an_id_that_looks_like_another_is_refused() -> None:
    assert "mixes letters" in wrong(csv_bytes([{**ROWS[0], "id": f"ob{CYRILLIC_O}-1"}]), "observations.csv")


def test_19_text_that_is_not_in_the_composed_form_is_refused_and_not_repaired() -> None:
    text = wrong(csv_bytes([{**ROWS[0], "place": "Malmo\u0308"}]), "observations.csv")
    assert "observations.csv:2 [place]" in text
    assert "NFC" in text


# 20: malformed CSV


@pytest.mark.parametrize(
    ("raw", "line", "what"),
    [
        (b'id,statement,place,count\nR-1,"x,y,1\nR-2,x,y,2\n', 2, "never closed"),
        (b"id,statement,place,count\nR-1,x\n", 2, "2 fields where the header has 4"),
        (b"id,statement,place,count\nR-1,x,y,1,2\n", 2, "5 fields where the header has 4"),
        (b"id,statement,place,count,count\n", 1, "'count' twice"),
        (b"id,statement,place,count\nid,statement,place\n", 2, "3 fields where the header has 4"),
        (b"id,statement,place\n", 1, "column missing"),
        (b"id,statement,place,Count\n", 1, "unknown column 'Count'"),
        (b"\xef\xbb\xbfid,statement,place,count\n", 1, "byte-order mark"),
        (b"id,statement,place,count\nR-1,x,y,\0\n", 2, "NUL"),
        (b"id,statement,place,count\nR-1,x,y,\xe9\n", 2, "not UTF-8"),
    ],
)
def test_20_malformed_csv_is_refused_with_its_line(raw: bytes, line: int, what: str) -> None:
    text = wrong(raw, "observations.csv")
    assert f"observations.csv:{line}" in text
    assert what in text


# 21: a field over 128 kB, a 5,000-digit number, 100,000-deep JSON


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "geojson", "xml", "parquet"])
def test_21_a_field_over_128_kilobytes_is_refused(kind: str) -> None:
    makers: dict[str, Callable[[making.Records], bytes]] = {
        "csv": csv_bytes,
        "json": json_bytes,
        "jsonl": making.json_lines,
        "geojson": making.geojson_bytes,
        "xml": making.xml_bytes,
        "parquet": making.parquet_rows,
    }
    assert "field of over 100,000 characters" in wrong(
        makers[kind]([{**ROWS[0], "statement": "x" * 131_073}]), f"observations.{kind}"
    )


@pytest.mark.parametrize("number", ["9" * 5_000, "-" + "9" * 5_000, "0." + "9" * 5_000, "1e" + "9" * 5_000])
def test_21_a_number_of_5000_digits_is_refused(number: str) -> None:
    raw = json_bytes(ROWS[:1]).replace(b'"3"', number.encode())
    assert "a number of 5,00" in wrong(raw, "observations.json")
    cell = excel_bytes({"observations": [OBSERVED, ["R-1", "x", None, 12345]]})
    with zipfile.ZipFile(io.BytesIO(cell)) as archive:
        parts = [(name, archive.read(name).replace(b">12345<", b">" + number.encode() + b"<")) for name in archive.namelist()]
    assert wrong(zip_bytes(parts), "observations.xlsx")


@pytest.mark.parametrize("bracket", ["[", '{"a":', '[{"a":'])
def test_21_json_100000_deep_is_refused(bracket: str) -> None:
    for kind in ("json", "jsonl", "geojson"):
        assert "deep" in stopped((bracket * 100_000).encode(), f"observations.{kind}", 4_000_000)


# 22: JSON with a key twice


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_22_a_key_twice_is_refused(kind: str) -> None:
    raw = json.dumps({**ROWS[0], "count": 42}).replace("42", '42, "count": 0')
    assert "the key 'count' is there twice" in wrong((f"[{raw}]" if kind == "json" else raw).encode(), f"observations.{kind}")


def test_22_a_column_twice_is_refused_in_every_format() -> None:
    assert "twice" in wrong(b"<observations><o><count>42</count><count>0</count></o></observations>", "observations.xml")
    assert "twice" in wrong(b'<observations><o count="42"><count>0</count></o></observations>', "observations.xml")
    assert "twice" in wrong(excel_bytes({"observations": [["id", "count", "count"], ["R-1", 42, 0]]}), "observations.xlsx")
    assert "twice" in wrong(b"id,count,count\nR-1,42,0\n", "observations.csv")


# 23: NaN, Infinity


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_23_what_is_no_number_is_refused(value: str) -> None:
    assert f"{value} is not a number" in wrong(json_bytes(ROWS[:1]).replace(b'"3"', value.encode()), "observations.json")
    number = float(value.replace("Infinity", "inf"))
    raw = parquet_bytes({"id": ["R-1"], "statement": ["x"], "place": [""], "count": [number]})
    assert "no number" in wrong(raw, "observations.parquet")


# 24: zip bomb


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Two hundred megabytes in about two hundred kilobytes."""
    out, block = io.BytesIO(), bytes(1_000_000)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("observations.csv", "w") as stream:
        for _ in range(200):
            stream.write(block)
    return out.getvalue()


def test_24_a_zip_bomb_is_stopped_with_little_memory(bomb: bytes) -> None:
    assert len(bomb) < 250_000
    assert "zip bomb" in stopped(bomb, "all.zip", 50_000_000, 3.0)


def test_24_a_bomb_that_lies_about_its_size_is_stopped_too(bomb: bytes) -> None:
    for offset, size in ((24, 1_000), (20, 2**31)):
        assert stopped(making.patched(bomb, offset, "<L", size), "all.zip", 50_000_000, 3.0)


def test_24_several_files_are_stopped_by_their_total() -> None:
    observed = csv_bytes([{**ROWS[0], "id": f"R-{n}"} for n in range(2_000)])
    places = table_text(("id", "name", "lat", "lon"), ({"id": f"P-{n}", "name": f"Quay {n}"} for n in range(2_000))).encode()
    raw = zip_bytes([("observations.csv", observed), ("places.csv", places)])
    total = len(observed) + len(places)
    assert len(bring(raw, "all.zip", Limits(unpacked=total)).rows["places"]) == 2_000
    assert f"unpacks to over {total - 1:,} bytes" in wrong(raw, "all.zip", Limits(unpacked=total - 1))


def test_24_nested_archives_are_refused(bomb: bytes) -> None:
    assert "an archive within an archive" in stopped(zip_bytes([("inner.zip", bomb)]), "all.zip", 5_000_000)


def test_24_a_bomb_in_a_workbook_is_stopped_before_it_is_parsed() -> None:
    with zipfile.ZipFile(io.BytesIO(making.excel_rows(ROWS))) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    raw = zip_bytes([*parts, ("xl/sharedStrings.xml", b"<sst>" + b" " * 100_000_000 + b"</sst>")])
    assert "zip bomb" in stopped(raw, "observations.xlsx", 60_000_000, 5.0)


def test_24_a_directory_of_a_million_names_is_not_read() -> None:
    raw = zip_bytes((f"{n:05}.csv", b"") for n in range(30_000))
    assert "over 200 files" in stopped(raw, "all.zip", 1_000_000, 1.0)


def test_24_the_whole_process_stays_small(bomb: bytes, tmp_path: Path) -> None:
    (tmp_path / "bomb.zip").write_bytes(bomb)
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom tallybook.evidence.ingest.door import read_rows\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "faults = read_rows(Path(sys.argv[1]).read_bytes(), 'bomb.zip', {'observations': ('id',)}).faults\n"
        "print(bool(faults), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "bomb.zip")]
    found, grown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert found == "True"
    assert int(grown) < 90_000  # kilobytes


# 25: names that lead out of an archive, links, absolute names


@pytest.mark.parametrize(
    "name", ["../observations.csv", "/tmp/observations.csv", "C:\\observations.csv", "a/../../observations.csv", "..\\x.csv"]
)
def test_25_names_that_lead_out_of_a_zip_are_refused_and_nothing_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert "the name" in wrong(zip_bytes([(name, csv_bytes(ROWS))]), "all.zip")
    assert [path for path in tmp_path.rglob("*") if path != inner] == []


def test_25_a_good_zip_is_not_extracted_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert fields(bring(zip_bytes([("reports/observations.csv", csv_bytes(ROWS))]), "all.zip")) == list(ROWS)
    assert list(tmp_path.iterdir()) == []


def test_25_links_are_refused() -> None:
    link = zipfile.ZipInfo("observations.csv")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    assert "is a link" in wrong(zip_bytes([(link, b"/etc/passwd")]), "all.zip")


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz", "all.tgz", "observations.csv"])
def test_25_a_tar_is_refused_whatever_it_is_called(name: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("../../observations.csv")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    assert "send the files in a zip" in wrong(out.getvalue(), name)


# 26: XML


LAUGHS = (
    '<!DOCTYPE o [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
QUADRATIC = f'<!DOCTYPE o [<!ENTITY a "{"x" * 50_000}">]>'
OUTSIDE = '<!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
REMOTE = '<!DOCTYPE o PUBLIC "-//X//Y" "http://127.0.0.1:9/x.dtd">'


@pytest.mark.parametrize(
    ("doctype", "text"), [(LAUGHS, "&i;"), (QUADRATIC, "&a;" * 500), (OUTSIDE, "&a;"), (REMOTE, "x"), ("<!DOCTYPE o>", "x")]
)
def test_26_any_document_type_is_refused_at_once(doctype: str, text: str) -> None:
    raw = f"{doctype}<observations><o><id>{text}</id></o></observations>".encode()
    assert "a document type (DOCTYPE)" in stopped(raw, "observations.xml", 2_000_000, 1.0)


# 27: formulas in exports


@pytest.mark.parametrize("char", list(LEADING), ids=[f"U+{ord(char):04X}" for char in LEADING])
@pytest.mark.parametrize("before", ["", "'", "''", " "])
def test_27_no_exported_cell_begins_a_formula_and_all_read_back(char: str, before: str) -> None:
    text = f'{before}{char}HYPERLINK("http://example.org")'
    made = table_text(("id", "statement"), [{"id": "R-1", "statement": text}])
    cell = list(csv.reader(io.StringIO(made, newline=""), strict=True))[1][1]
    assert cell == f"'{text}"
    rows, faults = read_table(made.encode(), "t.csv", ("id", "statement"))
    assert faults == []
    assert rows[0]["statement"] == text.strip()


def test_27_numbers_stay_numbers() -> None:
    assert table_text(("lat", "lon"), [{"lat": "22.99", "lon": "-82.5"}]) == "lat,lon\n22.99,-82.5\n"


def test_27_what_comes_in_is_never_altered() -> None:
    row = {**ROWS[0], "statement": "=1+1"}
    assert fields(bring(json_bytes([row]), "observations.json")) == [row]
    assert fields(bring(b"id,statement,place,count\nR-1,=1+1,North quay,3\n", "observations.csv"))[0]["statement"] == "=1+1"


# 28: HTML and script in a report's text


class Tags(HTMLParser):
    """Every element and attribute of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.policy = ""
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs
        given = dict(attrs)
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given.get("content") or ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"' onmouseover='alert(3)' javascript:alert(4)</p></style>{{ 7*7 }}"
)


def test_28_markup_in_a_report_is_shown_as_text(copy: Callable[[], Path], tmp_path: Path) -> None:
    folder = copy()
    path = folder / "reports" / "observations.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))
    for row in rows:
        row["statement"] = HOSTILE
        row["citation"] = HOSTILE
    path.write_text(table_text(list(rows[0]), rows), "utf-8")
    page = tmp_path / "board.html"
    assert main(["board", str(folder), "--html", str(page)]) == 0
    tags = Tags()
    tags.feed(page.read_text("utf-8"))
    assert HOSTILE in "".join(tags.text)
    assert not tags.names & {"script", "img", "iframe", "object", "embed", "form", "base", "link"}
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert not [value for _, value in tags.attributes if value and "javascript:" in value]
    policy = dict(part.split(maxsplit=1) for part in tags.policy.split("; "))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy


# 30: huge or slow


def test_30_rows_faults_and_warnings_are_bounded() -> None:
    raw = b"id,statement,place,count\n" + b"x\n" * 300_000
    brought = read_rows(raw, "observations.csv", COLUMNS)
    assert len(brought.faults) <= 1_001
    assert "over 1,000 faults" in "".join(f.what for f in brought.faults)
    assert "over 1,000 rows" in wrong(b"id,statement,place,count\n" + b"a,b,c,\n" * 2_000, "observations.csv", Limits(rows=1_000))
    names = "".join(f"P-{n},P{CYRILLIC_O}l{n},,\n" for n in range(3_000))
    assert len(bring(b"id,name,lat,lon\n" + names.encode(), "places.csv").warnings) <= 1_000


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"id,statement,place,count\n" + b"," * 30_000_000, "observations.csv"),
        (b"[" + b"[]," * 10_000_000 + b"[]]", "observations.json"),
        (b"{}\n" * 500_000, "observations.jsonl"),
        (b"<observations>" + b"<o/>" * 1_000_000 + b"</observations>", "observations.xml"),
        (b'<observations><o id="' + b"x" * 30_000_000 + b'"/></observations>', "observations.xml"),
        (b"\0" * 64_000_001, "observations.csv"),
    ],
    ids=["commas", "brackets", "lines", "elements", "attribute", "bytes"],
)
@pytest.mark.slow
def test_30_a_flood_is_stopped_within_bounds(raw: bytes, name: str) -> None:
    stopped(raw, name, 600_000_000, 20.0, Limits(rows=20_000))


def test_30_a_thousand_copies_of_a_text_are_a_thousand_pairs() -> None:
    text = "Eleven transporters were counted on the deck as the ship left the quay"
    index = Index({f"{n}": text for n in range(1_000)} | {f"other {n}": f"{text} {n}" for n in range(300)})
    assert len(index.pairs(500)) == 500
