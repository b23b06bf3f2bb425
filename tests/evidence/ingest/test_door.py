"""One door for all formats: the same rows out of each, and faults instead of rows out of anything else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.ingest import making
from evidence.ingest.making import COLUMNS, OBSERVED, ROWS, bring, fields, wrong
from support import EXAMPLE
from tallybook.evidence.ingest import extras
from tallybook.evidence.ingest.door import OPTIONAL, READERS, read_rows
from tallybook.evidence.ingest.gather import cell_fault
from tallybook.evidence.ingest.limits import Limits
from tallybook.evidence.ingest.rows import TABLES
from tallybook.evidence.ingest.told import told

MAKERS: dict[str, Callable[[making.Records], bytes]] = {
    ".csv": making.csv_bytes,
    ".json": making.json_bytes,
    ".jsonl": making.json_lines,
    ".ndjson": making.json_lines,
    ".geojson": making.geojson_bytes,
    ".xml": making.xml_bytes,
    ".xlsx": making.excel_rows,
    ".parquet": making.parquet_rows,
}


def test_there_is_a_maker_for_every_reader() -> None:
    assert set(MAKERS) == set(READERS)


@pytest.mark.parametrize("kind", MAKERS)
def test_one_table_in_every_format(kind: str) -> None:
    brought = bring(MAKERS[kind](ROWS), f"post/observations{kind}")
    assert fields(brought) == list(ROWS)
    assert brought.warnings == ()
    assert brought.files == {"observations": f"post/observations{kind}"}
    lines = {".csv": [2, 3], ".xlsx": [2, 3], ".xml": [1, 2]}.get(kind, [1, 2])
    assert [row.line for row in brought.rows["observations"]] == ([1, 1] if kind == ".xml" else lines)


@pytest.mark.parametrize("kind", MAKERS)
def test_every_format_in_a_zip(kind: str) -> None:
    raw = making.zip_bytes([("reports/", b""), (f"reports/observations{kind}", MAKERS[kind](ROWS))])
    brought = bring(raw, "november.zip")
    assert fields(brought) == list(ROWS)
    assert brought.files == {"observations": f"november.zip/reports/observations{kind}"}


TEXTS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")) | st.sampled_from("'=+-@\n\t,\"<&"), max_size=12
)


def _plain(text: str) -> bool:
    """Whether the text may come in, and is the same in a format that folds ends of lines or cannot hold a code point."""
    return cell_fault(text) is None and text == text.strip()


RECORDS = st.lists(
    st.fixed_dictionaries({"id": st.from_regex(r"[A-Z]{1,3}-[0-9]{1,4}", fullmatch=True)})
    | st.fixed_dictionaries({"id": st.just("A-1")}),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), RECORDS)
def test_the_same_rows_come_out_of_every_format(data: st.DataObject, ids: list[dict[str, str]]) -> None:
    rows = [{**one, **{c: data.draw(TEXTS.filter(_plain)) for c in OBSERVED[1:]}} for one in ids]
    for kind, maker in MAKERS.items():
        assert fields(bring(maker(rows), f"observations{kind}")) == rows, kind


@pytest.mark.parametrize("kind", MAKERS)
def test_an_unknown_and_a_missing_column(kind: str) -> None:
    row: making.Records = [{"id": "R-1", "colour": "red", "place": "", "count": "1"}]
    columns = list(row[0])
    by_columns = {".csv": making.csv_bytes, ".xlsx": making.excel_rows, ".parquet": making.parquet_rows}
    raw = by_columns[kind](row, columns) if kind in by_columns else MAKERS[kind](row)
    text = wrong(raw, f"observations{kind}")
    assert "unknown column 'colour'" in text
    assert "[statement]: column missing" in text


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    ("text", "what"),
    [("e\u0301", "NFC"), ("a\u202eb", "U+202E"), ("a\u200fb", "U+200F"), ("a" + "\u0316\u0301" * 20, "marks on one letter")],
)
def test_text_that_reads_otherwise_than_it_is(kind: str, text: str, what: str) -> None:
    found = wrong(MAKERS[kind]([{**ROWS[0], "statement": text}]), f"observations{kind}")
    assert what in found
    assert "[statement]" in found


@pytest.mark.parametrize("kind", [k for k in MAKERS if k != ".xlsx"])
def test_nul_and_control_characters(kind: str) -> None:
    for char in "\0\x1b\x9b":
        raw = MAKERS[kind]([{**ROWS[0], "statement": f"a{char}b"}])
        assert any(word in wrong(raw, f"observations{kind}") for word in ("NUL", "control character", "not XML"))


def test_a_long_run_of_marks_takes_no_time() -> None:
    assert cell_fault("a" + "\u0316\u0301" * 40_000) is not None


@pytest.mark.parametrize("kind", MAKERS)
def test_limits_on_rows_and_cells_and_fields(kind: str) -> None:
    raw, name = MAKERS[kind](ROWS * 3), f"observations{kind}"
    assert fields(bring(raw, name, Limits(rows=6, cells=24))) == list(ROWS * 3)
    assert "over 5 rows" in wrong(raw, name, Limits(rows=5))
    assert "over 23 fields" in wrong(raw, name, Limits(cells=23))
    assert "over 3 columns" in wrong(raw, name, Limits(columns=3))
    assert "a field of over 21 characters" in wrong(raw, name, Limits(field=21))
    assert "larger than 50 bytes" in wrong(raw, name, Limits(bytes=50))


@pytest.mark.parametrize("kind", MAKERS)
def test_faults_are_told_to_a_limit(kind: str) -> None:
    raw = MAKERS[kind]([{**ROWS[0], "statement": "a\u202eb"}] * 40)
    brought = bring(raw, f"observations{kind}", Limits(faults=10))
    assert len(brought.faults) == 11 or kind == ".xml"
    assert "over 10 faults" in "".join(f.what for f in brought.faults)


def test_the_name_of_the_file_names_the_table_unless_there_is_but_one() -> None:
    assert "names no table" in wrong(making.csv_bytes(ROWS), "tuesday.csv")
    only = {"observations": OBSERVED}
    assert fields(bring(making.csv_bytes(ROWS), "tuesday.csv", columns=only)) == list(ROWS)
    assert fields(bring(making.xml_bytes(ROWS, "observations"), "tuesday.xml")) == list(ROWS)


@pytest.mark.parametrize("name", ["a.exe", "a", ".csv", "observations.xls", "observations.xlsm", "\x1b[2J.txt", "x" * 500, ""])
def test_other_kinds_of_file(name: str) -> None:
    assert wrong(b"id,statement\n", name)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("other", MAKERS)
def test_a_file_that_is_not_what_its_name_says(kind: str, other: str) -> None:
    same = {".jsonl": ".ndjson", ".ndjson": ".jsonl"}
    if other not in (kind, same.get(kind)):
        assert wrong(MAKERS[other](ROWS), f"observations{kind}")


@pytest.mark.parametrize("mark", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF", b"PAR1", b"Rar!", b"7z\xbc\xaf"])
def test_the_first_bytes_are_held_against_the_name(mark: bytes) -> None:
    assert "but it is" in wrong(mark + b"...", "observations.csv")


@pytest.mark.parametrize("kind", [*MAKERS, ".zip"])
def test_an_empty_file(kind: str) -> None:
    assert "empty" in wrong(b"", f"observations{kind}")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*MAKERS, ".zip"]), st.binary(max_size=200))
def test_no_bytes_raise(kind: str, raw: bytes) -> None:
    for more in (b"", {".xlsx": b"PK\x03\x04", ".zip": b"PK\x03\x04", ".parquet": b"PAR1", ".xml": b"<a>"}.get(kind, b"[")):
        read_rows(more + raw, f"observations{kind}", COLUMNS)


GOOD = {kind: maker(ROWS) for kind, maker in MAKERS.items()}
GOOD[".zip"] = making.zip_bytes([("observations.csv", GOOD[".csv"]), ("places.json", b"[]")])


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_no_damage_raises_and_nothing_is_half_read(kind: str, data: st.DataObject) -> None:
    raw = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(raw), len(raw), len(raw) - 1, len(raw) // 2]))
    bring(bytes(raw[:cut]), f"observations{kind}")


def test_a_missing_package_is_a_fault_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)
    assert "pip install 'tallybook[excel]'" in wrong(GOOD[".xlsx"], "observations.xlsx")
    assert "pip install 'tallybook[parquet]'" in wrong(GOOD[".parquet"], "observations.parquet")


def test_tables_of_reports_may_have_what_every_one_may_have() -> None:
    assert set(OPTIONAL) == set(TABLES)
    raw = b"id,statement,place,count,known_to\nR-1,x,,,desk\n"
    assert fields(bring(raw, "observations.csv"))[0]["known_to"] == "desk"
    assert "unknown column" in wrong(b"id,name,lat,lon,known_to\nP,x,,,desk\n", "places.csv")


def test_a_hostile_text_in_a_message_is_harmless() -> None:
    assert told("a\x1b[2J\u202e\0") == "'a<U+001B>[2J<U+202E><U+0000>'"
    assert len(told("x" * 10_000)) == 62


def test_the_board_does_not_wait_for_the_door() -> None:
    program = (
        "import sys\nfrom tallybook.cli.main import main\ntry:\n    main(['board', sys.argv[1]])\nexcept SystemExit:\n    pass\n"
        "names = 'openpyxl pyarrow PIL imagehash tallybook.evidence.ingest.door tallybook.evidence.ingest.pictures'.split()\n"
        "print([n for n in names if n in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(EXAMPLE)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout
    assert done.stderr.strip() == "[]"
