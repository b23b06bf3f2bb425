"""Two runs of the desk with the same low records and other high ones: a low reader gets the same bytes, whatever they ask."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hidden import HIGH, NOTHING, RELEASE, High, build, commands, everything, highs, leaks, run, told
from tallybook.casefile import view
from tallybook.casefile.marked import SOURCES, Table
from tallybook.evidence.ingest.safe_cells import table_text
from tallybook.registry import place, reading

Raw = dict[str, str]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TALLYBOOK_AUTHOR", "desk")
    monkeypatch.delenv("TALLYBOOK_TOKEN", raising=False)
    monkeypatch.delenv("TALLYBOOK_DATABASE", raising=False)


CORRECTION = ["id=OBS-H0", "reported_at=2031-03-20", "count=14"]
"""Of a high row, known later: what stands on file for an earlier date is then another."""


def asked(
    root: Path,
    high: High,
    *,
    filed: bool = False,
    quick: bool = False,
    released: bool = False,
    corrections: Sequence[list[str]] = (),
) -> dict[str, Any]:
    """What a low reader gets of the case with these high records, always at the same place."""
    case, out = root / "case", root / "out"
    for folder in (case, out):
        shutil.rmtree(folder, ignore_errors=True)
    out.mkdir(parents=True)
    build(case, high)
    more: list[list[str]] = []
    if filed:
        key = str(root / f"key-{len(list(root.iterdir()))}")
        code, _, error = run(["ledger", "init", str(case), "--key", key])
        assert code == 0, error
        for change in corrections:
            code, _, error = run(["report", "add", str(case), "observations", *change, "--key", key])
            assert code == 0, error
        more = [["board", str(case), "--as", "low", "--recorded", day] for day in ("1999-01-01", "2999-01-01", "7", "#3")]
    elif released:
        return _released(case, out)
    if quick:
        return {" ".join(one): run(one) for one in commands(str(case), str(out))} | {"more": run(more[0])}
    return everything(case, out, more)


def _released(case: Path, out: Path) -> dict[str, Any]:
    """The files of a release, and what their reader is told of them."""
    code, _, error = run(["release", str(case), str(out / "given"), *RELEASE])
    assert code == 0, error
    found: dict[str, Any] = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    return found | {name: run([name, str(out / "given"), *more]) for name, *more in (["board", "--json"], ["check"])}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = tmp_path_factory.mktemp("same")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(root / "config"))
        return root, asked(root, NOTHING)


def hold(root: Path, base: dict[str, Any], high: High, **how: Any) -> None:
    found = asked(root, high, **how)
    assert differences(found, base) == []
    assert leaks(told(found)) == []


def test_it_is_shown_that_anything_is_answered_at_all(nothing: tuple[Path, dict[str, Any]]) -> None:
    found = nothing[1]
    assert sum(value[0] == 0 for value in found.values() if isinstance(value, tuple)) > 20
    assert any("SUPPORTED" in value[1] for value in found.values() if isinstance(value, tuple))
    assert {"board.html", "plot.svg", "code.xml"} <= set(found)


@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(high=highs())
def test_a_low_reader_gets_the_same_bytes(nothing: tuple[Path, dict[str, Any]], high: High) -> None:
    hold(*nothing, high)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(high=highs())
def test_a_low_reader_gets_the_same_bytes_many_times(nothing: tuple[Path, dict[str, Any]], high: High) -> None:
    hold(*nothing, high)


def test_a_release_is_the_same_whatever_is_held_back(tmp_path: Path) -> None:
    base = asked(tmp_path, SAMPLE, released=True)
    assert {"given/agreement.yaml", "given/reports/observations.csv"} <= set(base)

    @settings(max_examples=5, deadline=None, phases=[Phase.generate])
    @given(high=highs())
    def hold_released(high: High) -> None:
        hold(tmp_path, base, sound(high), released=True)

    hold_released()


@pytest.mark.slow
def test_a_low_reader_gets_the_same_bytes_of_a_ledger(tmp_path: Path) -> None:
    base = asked(tmp_path, SAMPLE, filed=True)
    place.close_stores()

    @settings(max_examples=4, deadline=None, phases=[Phase.generate])
    @given(high=highs(), corrected=st.booleans())
    def hold_filed(high: High, corrected: bool) -> None:
        hold(tmp_path, base, sound(high), filed=True, corrections=[CORRECTION] if corrected else [])
        place.close_stores()

    hold_filed()


ROW = {
    "id": "OBS-H0",
    "reported_at": "2031-03-02",
    "observed_from": "2031-03-01",
    "observed_to": "2031-03-01",
    "source_id": "SRC-HIGH",
    "method": "satellite",
    "place": "hidden-base",
    "item_class": "launcher",
    "stage": "deployed",
    "count": "13",
    "statement": "ZEPHYR",
    "grade": "A1",
    "known_to": "Northland",
}
BEARING = {"report": "OBS-08", "claim": "launchers_removed", "bears": "against", "by": "ZEPHYR", "known_at": "2031-04-03"}
SAMPLE = High(
    {
        "reports/observations.csv": [(1, ROW)],
        "reports/sources.csv": [(0, {"source_id": "SRC-HIGH", "title": "ZEPHYR", "author_agency": "ZEPHYR"})],
        "reports/bearings.csv": [(0, BEARING)],
        "places.csv": [(0, {"id": "hidden-base", "name": "ZEPHYR", "kind": "site"})],
        "reports/exhibits.csv": [
            (
                0,
                {
                    "id": "EXH-HIGH",
                    "sha256": "ab" * 32,
                    "kind": "photograph",
                    "title": "ZEPHYR",
                    "known_at": "2031-04-01",
                    "origin": "x",
                },
            )
        ],
    },
    "",
    {},
)


def sound(high: High) -> High:
    """The same high records in a case without faults, as a ledger takes it: no id twice, and what low rows name is there."""
    rows = {name: list(some) for name, some in high.rows.items()}
    observations = [(at, row) for at, row in rows["reports/observations.csv"] if row["id"] not in ("OBS-03", "OBS-H0")]
    rows["reports/observations.csv"] = [*observations, *SAMPLE.rows["reports/observations.csv"]]
    known = {row["id"] for _, row in rows["reports/observations.csv"]} | {"OBS-08", "OBS-09"}
    rows["reports/bearings.csv"] = [(at, row) for at, row in rows["reports/bearings.csv"] if row["report"] in known]
    return High(rows, high.agreement, high.files)


def _keep_all(self: Any, name: str, table: Table) -> list[Raw]:
    return [row | {"marking": row.get("marking") or HIGH} for row in table.rows]


def _keep_some(table_name: str) -> Callable[..., list[Raw]]:
    kept = view.Seen._kept

    def keep(self: Any, name: str, table: Table) -> list[Raw]:
        return _keep_all(self, name, table) if name == table_name else kept(self, name, table)

    return keep


def _titled(self: Any, kept: Any) -> list[Raw]:
    rows = self._marked.tables[SOURCES].rows
    return [row | {"marking": "TLP:GREEN"} for row in rows if row["source_id"] == "SRC-HIGH"]


def _with_columns(name: str, rows: Any) -> bytes:
    columns = (*view._COLUMNS.get(name, ()), *(("known_to",) if name.endswith("observations.csv") else ()), "marking")
    return table_text(columns, [{c: row.get(c, "") for c in columns} for row in rows]).encode()


LEAKS: list[tuple[str, Any, str, Any]] = [
    ("rows of a table", view.Seen, "_kept", _keep_some("reports/observations.csv")),
    ("a bearing", view.Seen, "_kept", _keep_some("reports/bearings.csv")),
    ("a place", view.Seen, "_kept", _keep_some("places.csv")),
    ("an exhibit", view.Seen, "_kept", _keep_some("reports/exhibits.csv")),
    ("names in a list", view, "_only", lambda row, column, names, between: row),
    ("the title of a source", view.Seen, "_stubs", _titled),
    ("that a column is in use", view, "_written", _with_columns),
]


@pytest.mark.parametrize(("what", "where", "name", "leaky"), LEAKS, ids=[leak[0] for leak in LEAKS])
def test_a_slip_that_leaks_one_field_is_caught(
    nothing: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, what: str, where: Any, name: str, leaky: Any
) -> None:
    root, base = nothing
    monkeypatch.setattr(where, name, leaky)
    found = asked(root, SAMPLE)
    assert differences(found, base) != [], what


def test_without_a_slip_the_same_sample_is_not_seen(nothing: tuple[Path, dict[str, Any]]) -> None:
    hold(*nothing, SAMPLE)


@pytest.mark.slow
def test_books_read_past_the_view_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = asked(tmp_path, SAMPLE, filed=True, quick=True)
    place.close_stores()
    other = High({**SAMPLE.rows, "reports/bearings.csv": []}, "", {})
    assert differences(asked(tmp_path, other, filed=True, quick=True), base) == []
    place.close_stores()

    def past(files: Any, rights: Any, who: Any) -> Any:
        files.reader = who
        return files

    monkeypatch.setattr(reading, "Seen", past)
    assert differences(asked(tmp_path, other, filed=True, quick=True), base) != []
    place.close_stores()
