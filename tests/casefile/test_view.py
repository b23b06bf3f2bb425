"""A case as a reader may see it: what is there, what is not, and on what that depends."""

from __future__ import annotations

from pathlib import Path

import pytest

from hidden import NOTHING, High, build
from tallybook import desk
from tallybook.casefile.files import Folder, UnreadableFileError
from tallybook.casefile.marked import read_loosely, rights_of
from tallybook.casefile.marking_acts import MarkingActs
from tallybook.casefile.policy import FILE, read_policy
from tallybook.casefile.read import read_case
from tallybook.casefile.view import PROTECTED, NothingToShowError, Seen
from tallybook.markings.marking import MarkingError

HIGH_ROW = {
    "id": "OBS-H0",
    "reported_at": "2031-03-02",
    "observed_from": "2031-03-01",
    "observed_to": "2031-03-01",
    "source_id": "SRC-HIGH",
    "method": "satellite",
    "item_class": "launcher",
    "stage": "deployed",
    "count": "13",
    "statement": "ZEPHYR",
    "grade": "A1",
}


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case with one high report by a high source."""
    source = {"source_id": "SRC-HIGH", "title": "ZEPHYR", "author_agency": "ZEPHYR"}
    exhibit = {"id": "EXH-HIGH", "sha256": "ab" * 32, "kind": "photograph", "title": "ZEPHYR", "source_id": "SRC-HIGH"}
    exhibit |= {"known_at": "2031-04-01", "origin": "x"}
    rows = {
        "reports/observations.csv": [(1, HIGH_ROW)],
        "reports/sources.csv": [(0, source)],
        "reports/exhibits.csv": [(0, exhibit)],
    }
    build(tmp_path / "case", High(rows, "", {"secret-note.txt": "ZEPHYR", "sources/secret.txt": "ZEPHYR"}))
    return tmp_path / "case"


def seen(case: Path, reader: str = "low") -> Seen:
    return desk.seen_by(Folder(case), reader)


def rows(case: Path, name: str, reader: str = "low") -> list[dict[str, str]]:
    return read_loosely(seen(case, reader).read(name)).rows


def test_what_is_above_the_reader_is_not_there(case: Path) -> None:
    assert "OBS-H0" in [row["id"] for row in rows(case, "reports/observations.csv", "high")]
    assert "OBS-H0" not in [row["id"] for row in rows(case, "reports/observations.csv")]
    assert not seen(case).has("sources/secret.txt")
    assert seen(case, "high").has("sources/secret.txt")
    with pytest.raises(UnreadableFileError, match="file missing"):
        seen(case).read("sources/secret.txt")


def test_a_reader_cleared_for_all_of_it_sees_every_row(case: Path) -> None:
    whole = read_case(case).case
    assert whole is not None
    assert set(whole.evidence.reports) == set(desk.open_case(case, "high").evidence.reports)


def test_a_source_that_is_not_shown_keeps_its_name_and_its_grade(case: Path) -> None:
    stub = next(row for row in rows(case, "reports/sources.csv") if row["source_id"] == "SRC-HIGH")
    assert stub["title"] == PROTECTED
    assert stub["author_agency"] == ""
    report = next(row for row in rows(case, "reports/observations.csv") if row["source_id"] == "SRC-HIGH")
    assert report["grade"] == "B2"
    whole = next(row for row in rows(case, "reports/sources.csv", "high") if row["source_id"] == "SRC-HIGH")
    assert whole["title"] == "ZEPHYR"


def test_who_a_source_is_stands_apart_and_is_withheld_without_a_marking(case: Path) -> None:
    text = "source_id,identity,contact,note,by,known_at,marking\nSRC-WIT,A. Pilot,,,desk,2031-03-01,\n"
    (case / "reports" / "identities.csv").write_text(text)
    assert read_case(case).faults == []
    assert not seen(case, "high").has("reports/identities.csv")
    (case / "reports" / "identities.csv").write_text(text.replace("01,\n", "01,TLP:RED\n"))
    assert rows(case, "reports/identities.csv", "high")[0]["identity"] == "A. Pilot"
    assert not seen(case).has("reports/identities.csv")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("SRC-NONE,x,,,desk,2031-03-01,TLP:RED", "no source 'SRC-NONE'"),
        ("SRC-WIT,,,,desk,2031-03-01,TLP:RED", "blank"),
        ("SRC-WIT,x,,,,2031-03-01,TLP:RED", "blank"),
        ("SRC-WIT,x,,,desk,2031-03-01,TLP:RED\nSRC-WIT,y,,,desk,2031-03-01,TLP:RED", "twice"),
    ],
)
def test_what_is_wrong_with_an_identity_is_told(case: Path, row: str, told: str) -> None:
    (case / "reports" / "identities.csv").write_text(f"source_id,identity,contact,note,by,known_at,marking\n{row}\n")
    assert any(told in fault.what for fault in read_case(case).faults)


def test_what_bears_no_marking_is_withheld_until_somebody_rules(case: Path) -> None:
    policy = (case / FILE).read_text()
    (case / FILE).write_text(policy.replace("unmarked: TLP:GREEN\nruled_by: the test\n", ""))
    with pytest.raises(NothingToShowError, match="nothing that high may read"):
        seen(case, "high")
    assert read_case(case).case is not None


def test_a_marking_that_is_none_is_a_fault_and_withheld(case: Path) -> None:
    path = case / "reports" / "observations.csv"
    path.write_text(path.read_text().replace("TLP:RED", "TLP:PURPLE"))
    assert any(fault.field == "marking" and fault.file == "reports/observations.csv" for fault in read_case(case).faults)
    assert "OBS-H0" not in [row["id"] for row in rows(case, "reports/observations.csv", "high")]


def test_a_row_that_cannot_be_told_apart_is_withheld(case: Path) -> None:
    path = case / "reports" / "observations.csv"
    before = rows(case, "reports/observations.csv")
    path.write_text(path.read_text() + "OBS-99,too,short\n")
    assert rows(case, "reports/observations.csv") == before
    path.write_text(path.read_text() + '"never closed')
    assert rows(case, "reports/observations.csv") == []


def test_a_policy_with_a_fault_lets_nobody_read(case: Path) -> None:
    (case / FILE).write_text((case / FILE).read_text() + "surprise: 1\n")
    with pytest.raises(MarkingError, match="has faults"):
        seen(case)
    assert any(fault.file == FILE for fault in read_case(case).faults)


def test_a_case_without_markings_has_no_readers(tmp_path: Path) -> None:
    build(tmp_path / "case", NOTHING)
    (tmp_path / "case" / FILE).unlink()
    with pytest.raises(MarkingError, match=f"no {FILE}"):
        seen(tmp_path / "case")


def test_a_marking_serves_as_a_reader(case: Path) -> None:
    assert seen(case, "TLP:GREEN").names() == seen(case).names()
    assert desk.open_case(case, "tlp:green").reader == "TLP:GREEN"
    with pytest.raises(MarkingError, match="no such reader"):
        seen(case, "nobody")
    with pytest.raises(MarkingError, match="names no such reader"):
        desk.open_case(case, "TLP:RED", named=True)


def test_an_entry_of_the_agreement_may_be_marked(case: Path) -> None:
    path = case / "agreement.yaml"
    claim = "\n  - {id: hidden, title: H, says: the base is empty, marking: TLP:RED, rules: []}\n\nboard:"
    path.write_text(path.read_text().replace("\nboard:", claim))
    assert desk.open_case(case).agreement.claim("hidden") is not None
    assert desk.open_case(case, "high").agreement.claim("hidden") is not None
    assert desk.open_case(case, "low").agreement.claim("hidden") is None


def test_a_comment_goes_to_nobody(case: Path) -> None:
    path = case / "agreement.yaml"
    path.write_text(path.read_text() + "# ZEPHYR\n")
    assert b"ZEPHYR" not in seen(case, "high").read("agreement.yaml")


def test_rows_and_sources_may_be_marked_beside_the_tables(case: Path) -> None:
    policy = (case / FILE).read_text() + "rows: {'OBS-0[12]': TLP:RED}\nsources: {SRC-SAT: TLP:RED}\n"
    (case / FILE).write_text(policy)
    ids = [row["id"] for row in rows(case, "reports/observations.csv")]
    assert ids == ["OBS-03", "OBS-05", "OBS-07", "OBS-08", "OBS-09", "OBS-10"]
    assert "SRC-SAT" not in [row["source_id"] for row in rows(case, "reports/sources.csv")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scheme: NONE\n", "no scheme"),
        ("scheme: TLP\nunmarked: TLP:PURPLE\nruled_by: x\n", ""),
        ("scheme: TLP\nunmarked: TLP:GREEN\n", "nobody is named"),
        ("scheme: TLP\nreaders: {a: {clearance: TLP:GREEN, roles: [king]}}\n", "no role"),
        ("scheme: TLP\nreaders: {a: {clearance: [TLP:GREEN, TLP:RED]}}\n", "two clearances"),
        ("scheme: TLP\nreaders: {everyone cleared: {clearance: TLP:RED}}\n", "everybody"),
        ("scheme: TLP\nfiles: {agreement.yaml: ''}\n", "blank"),
        ("[]\n", "not a mapping"),
        ("scheme: TLP\nreaders: {a: {}}\n", "required"),
    ],
)
def test_what_is_wrong_with_a_policy_is_told_with_its_line(text: str, told: str) -> None:
    policy, faults = read_policy(text.encode())
    assert policy is None
    assert any(told in fault.what and fault.do and fault.line for fault in faults)


def test_a_whole_table_or_exhibit_may_be_marked_by_its_name(case: Path) -> None:
    policy = (case / FILE).read_text().replace("files: {", "files: {'reports/obs*': TLP:RED, places.csv: TLP:RED, ")
    (case / FILE).write_text(policy)
    assert rows(case, "reports/observations.csv") == []
    assert rows(case, "places.csv") == []
    assert len(rows(case, "reports/observations.csv", "high")) == 11


def test_a_name_with_brackets_is_a_name(case: Path) -> None:
    (case / "sources" / "[1] secret.txt").write_text("ZEPHYR")
    (case / FILE).write_text((case / FILE).read_text().replace("files: {", "files: {'sources/[1] secret.txt': TLP:RED, "))
    assert not seen(case).has("sources/[1] secret.txt")
    assert "sources/[[]1] secret.txt" in seen(case, "high").read(FILE).decode()


@pytest.mark.parametrize("change", ["rows: {'*': TLP:GREEN}", "sources: {'SRC-*': TLP:GREEN}"])
def test_what_is_ruled_of_rows_opens_no_identity(case: Path, change: str) -> None:
    text = "source_id,identity,contact,note,by,known_at,marking\nSRC-WIT,A. Pilot,,,desk,2031-03-01,\n"
    (case / "reports" / "identities.csv").write_text(text)
    (case / FILE).write_text((case / FILE).read_text() + change + "\n")
    assert not seen(case, "high").has("reports/identities.csv")


@pytest.mark.parametrize("change", ["bom", "header", "key", "blank", "group", "deep"])
def test_what_is_marked_where_nobody_looks_is_withheld(case: Path, change: str) -> None:
    table, agreement = case / "reports" / "observations.csv", case / "agreement.yaml"
    if change == "bom":
        table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    elif change == "header":
        table.write_text(table.read_text().replace(",marking", ",Marking", 1))
    else:
        put = {"key": "marking: ", "blank": "marking: ' '", "group": "", "deep": "quantity: {marking: TLP:RED}"}[change]
        claim = f"\n  - {{id: hidden, title: H, says: the ZEPHYR base, {put}}}\n\nboard:"
        text = agreement.read_text().replace("\nboard:", claim) if change != "group" else agreement.read_text()
        agreement.write_text(text.replace("\nmeasures:", "\nmeasures:\n  marking: TLP:RED") if change == "group" else text)
    if change in ("bom", "header"):
        assert rows(case, "reports/observations.csv") == []
    elif change == "group":
        assert b"sea_patrols: {title" not in seen(case).read("agreement.yaml")
    else:
        assert b"ZEPHYR" not in seen(case).read("agreement.yaml")


def test_one_huge_cell_does_not_take_the_table_with_it(case: Path) -> None:
    before = rows(case, "reports/observations.csv")
    path = case / "reports" / "observations.csv"
    path.write_text(path.read_text().replace("ZEPHYR", "ZEPHYR" * 100_000, 1))
    assert rows(case, "reports/observations.csv") == before


def test_a_pattern_that_fits_nothing_is_noted(case: Path) -> None:
    (case / FILE).write_text((case / FILE).read_text() + "rows: {OBS-O1: TLP:RED}\n")
    assert any("fits nothing" in note.what and note.field == "rows" for note in read_case(case).notes)


def test_an_act_on_nothing_or_on_several_is_a_fault(case: Path) -> None:
    act(case, "ACT-1,regrade,OBS-NONE,TLP:RED,TLP:GREEN,,high,order 1,asked for,,2031-05-01")
    assert any("no record 'OBS-NONE'" in fault.what for fault in read_case(case).faults)
    exhibits = case / "reports" / "exhibits.csv"
    exhibits.write_text(exhibits.read_text().replace("EXH-LOW", "OBS-01"))
    act(case, "ACT-1,regrade,OBS-01,TLP:GREEN,TLP:CLEAR,,high,order 1,asked for,,2031-05-01")
    assert any("all called 'OBS-01'" in fault.what for fault in read_case(case).faults)


def test_a_void_release_hides_nothing(case: Path) -> None:
    act(case, "ACT-1,release,OBS-04,TLP:GREEN,TLP:GREEN,OBS-05,nobody,order 1,asked for,,2031-05-01")
    assert read_case(case).case is None
    assert "OBS-05" in [row["id"] for row in rows(case, "reports/observations.csv")]
    assert "OBS-05" in [row["id"] for row in rows(case, "reports/observations.csv", "high")]


ACTS = "id,act,record,was,becomes,new_record,by,authority,reason,removed,known_at,marking\n"


def act(case: Path, line: str) -> None:
    (case / "reports" / "marking_acts.csv").write_text(f"{ACTS}{line},TLP:RED\n")


def test_a_regrade_by_who_may_opens_the_record_and_another_does_not(case: Path) -> None:
    act(case, "ACT-1,regrade,OBS-H0,TLP:RED,TLP:GREEN,,high,order 1,asked for,,2031-05-01")
    assert read_case(case).faults == []
    assert "OBS-H0" in [row["id"] for row in rows(case, "reports/observations.csv")]
    for line, told in (
        ("ACT-1,regrade,OBS-H0,TLP:RED,TLP:GREEN,,low,order 1,asked for,,2031-05-01", "is no releasing authority"),
        ("ACT-1,regrade,OBS-H0,TLP:AMBER,TLP:GREEN,,high,order 1,asked for,,2031-05-01", "not TLP:AMBER"),
        ("ACT-1,regrade,OBS-H0,TLP:RED,TLP:GREEN,,high,,asked for,,2031-05-01", "blank"),
        ("ACT-1,lower,OBS-H0,TLP:RED,TLP:GREEN,,high,order 1,asked for,,2031-05-01", "no act"),
        ("ACT-1,regrade,OBS-H0,TLP:RED,TLP:PURPLE,,high,order 1,asked for,,2031-05-01", ""),
        ("ACT-1,declassify,OBS-H0,TLP:RED,TLP:AMBER,,high,order 1,asked for,,2031-05-01", "still restricted"),
        ("ACT-1,distribute,OBS-H0,TLP:RED,TLP:GREEN,,high,order 1,asked for,,2031-05-01", "more than the recipients"),
        ("ACT-1,release,OBS-H0,TLP:RED,TLP:GREEN,,high,order 1,asked for,,2031-05-01", "blank"),
    ):
        act(case, line)
        assert any(told in fault.what and fault.file.endswith("marking_acts.csv") for fault in read_case(case).faults), line
        assert "OBS-H0" not in [row["id"] for row in rows(case, "reports/observations.csv")], line


def test_anybody_may_withhold_more(case: Path) -> None:
    act(case, "ACT-1,regrade,OBS-01,TLP:GREEN,TLP:RED,,desk,own judgement,found to betray a method,,2031-05-01")
    assert read_case(case).faults == []
    assert "OBS-01" not in [row["id"] for row in rows(case, "reports/observations.csv")]


def test_acts_on_markings_are_applied_and_shown_to_no_reader(case: Path) -> None:
    act(case, "ACT-1,regrade,OBS-H0,TLP:RED,TLP:GREEN,,high,order 1,asked for,,2031-05-01")
    for reader in ("low", "high"):
        assert not seen(case, reader).has("reports/marking_acts.csv")
        assert read_case(seen(case, reader)).faults == []
        row = next(row for row in rows(case, "reports/observations.csv", reader) if row["id"] == "OBS-H0")
        assert row["marking"] == "TLP:GREEN"


def test_a_released_form_is_not_counted_beside_what_it_is_a_form_of(case: Path) -> None:
    path = case / "reports" / "observations.csv"
    text = path.read_text()
    low = next(line for line in text.splitlines() if line.startswith("OBS-H0"))
    low = low.replace("OBS-H0", "OBS-H0-R").replace("TLP:RED", "TLP:GREEN").replace("ZEPHYR", "[redacted]")
    path.write_text(text + low + "\n")
    act(case, "ACT-1,release,OBS-H0,TLP:RED,TLP:GREEN,OBS-H0-R,high,order 1,asked for,,2031-05-01")
    assert read_case(case).faults == []
    assert "OBS-H0-R" not in desk.open_case(case).evidence.reports
    assert "OBS-H0" in desk.open_case(case).evidence.reports
    assert "OBS-H0-R" in desk.open_case(case, "low").evidence.reports
    assert "OBS-H0-R" not in desk.open_case(case, "high").evidence.reports
    # The pointer up is not to be seen below.
    assert "OBS-H0" not in [row["id"] for row in rows(case, "reports/observations.csv")]
    assert not seen(case).has("reports/marking_acts.csv")


def test_rights_are_those_of_the_whole_case(case: Path) -> None:
    rights = rights_of(Folder(case))
    assert isinstance(rights.acts, MarkingActs)
    assert set(rights.policy.readers) == {"low", "high"}
    # What a reader gets names no reader.
    assert b"high" not in seen(case).read(FILE)
