"""Markings at the command line: schemes, who sees how much, acts, redaction and its proof."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from hidden import High, build, run
from registry.test_release import HIGHS
from tallybook.registry import place

BY = ["--by", "high", "--authority", "order 7", "--reason", "asked for"]


@pytest.fixture(params=["folder", "ledger"])
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TALLYBOOK_AUTHOR", "desk")
    for name in ("TALLYBOOK_TOKEN", "TALLYBOOK_DATABASE", "TALLYBOOK_KEY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "case"
    build(folder, High(HIGHS.rows, "", {}))
    (folder / "exhibits").mkdir()
    picture = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(picture, "PNG")
    for name, raw, media_type in (("PIC", picture.getvalue(), "image/png"), ("TXT", b"The agent met Orlov.\n", "text/plain")):
        digest, ending = sha256(raw).hexdigest(), {"image/png": "png", "text/plain": "txt"}[media_type]
        (folder / "exhibits" / f"{digest}.{ending}").write_bytes(raw)
        table = folder / "reports" / "exhibits.csv"
        text = table.read_text()
        columns = text.splitlines()[0].split(",")
        row = {"id": f"EXH-{name}", "sha256": digest, "kind": "photograph" if name == "PIC" else "document", "title": "t"}
        row |= {"origin": "o", "known_at": "2031-04-01", "media_type": media_type, "marking": "TLP:RED"}
        table.write_text(text + ",".join(row.get(column, "") for column in columns) + "\n")
    if request.param == "ledger":
        code, _, error = run(["ledger", "init", str(folder)])
        assert code == 0, error
    place.close_stores()
    return str(folder)


def done(*arguments: str, code: int = 0) -> str:
    found, out, error = run(list(arguments))
    place.close_stores()
    assert found == code, out + error
    return out if code == 0 else out + error


def test_schemes_are_listed_with_their_levels_and_sources() -> None:
    told = done("marking", "schemes")
    for name in ("TLP", "UN", "US", "US-1962"):
        assert f"{name}: " in told
    assert "checked against: " in done("marking", "schemes", "TLP")
    found = json.loads(done("marking", "schemes", "--json"))
    assert all(one["source"] and len(one["levels"]) >= 3 for one in found)
    assert "no scheme" in done("marking", "schemes", "NONE", code=2)


def test_who_sees_how_much_is_shown_to_whoever_keeps_the_case(case: str) -> None:
    found = json.loads(done("marking", "show", case, "--json"))
    rows = {one["reader"]: one["rows"] for one in found["readers"]}
    assert rows["low"] < rows["high"] == found["rows"]
    assert found["tables"]["reports/observations.csv"]["TLP:RED"] == 1
    assert "low: " in done("marking", "show", case)


def test_a_regrade_opens_a_record(case: str) -> None:
    assert "13" not in done("board", case, "--as", "low", "--json").split('"lines"')[0]
    assert "OBS-H0" not in done("why", case, "launchers_removed", "--as", "low")
    told = done("marking", "regrade", case, "OBS-H0", "--to", "TLP:GREEN", *BY)
    assert "TLP:RED becomes TLP:GREEN, by high (order 7); ACT-001" in told
    assert "OBS-H0" in done("why", case, "launchers_removed", "--as", "low")
    done("marking", "regrade", case, "OBS-H0", "--to", "TLP:AMBER", "--by", "desk", "--authority", "x", "--reason", "y")
    assert "OBS-H0" not in done("why", case, "launchers_removed", "--as", "low")
    assert "no faults" in done("check", case)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["regrade", "OBS-H0", "--to", "TLP:GREEN", "--by", "low", "--authority", "x", "--reason", "y"],
            "no releasing authority",
        ),
        (["regrade", "OBS-NONE", "--to", "TLP:GREEN", *BY], "no row of that id"),
        (["regrade", "OBS-H0", "--to", "TLP:PURPLE", *BY], "TLP"),
        (["regrade", "OBS-H0", "--to", "TLP:RED//REL TO", *BY], "empty"),
        (["distribute", "OBS-H0", "--to", "somebody", *BY], "names no recipients"),
        (["declassify", "OBS-H0", "--to", "TLP:AMBER", *BY], "still restricted"),
    ],
)
def test_an_act_that_cannot_be_is_refused(case: str, arguments: list[str], told: str) -> None:
    assert told in done("marking", arguments[0], case, *arguments[1:], code=2)
    assert not (Path(case) / "reports" / "marking_acts.csv").exists()


def test_declassified_it_is_open_to_all(case: str) -> None:
    done("marking", "declassify", case, "OBS-H0", *BY)
    assert json.loads(done("marking", "show", case, "--json"))["tables"]["reports/observations.csv"]["TLP:CLEAR"] == 1


def test_a_recipient_is_added_by_distribution(case: str) -> None:
    done("marking", "regrade", case, "OBS-H0", "--to", "TLP:RED//EYES ONLY FOR high", *BY)
    told = done("marking", "distribute", case, "OBS-H0", "--to", "low", *BY)
    assert "EYES ONLY FOR HIGH; LOW" in told
    # A recipient must be cleared for the level too.
    assert "OBS-H0" not in done("why", case, "launchers_removed", "--as", "low")


def test_a_report_is_redacted_and_the_proof_holds(case: str) -> None:
    cuts = ["--words", "statement=ZEPHYR", "--place", "coast-province", "--source", "SRC-SAT", "--count", "10..20"]
    done("redact", case, "OBS-H0", "--as-new", "OBS-99", "--to", "TLP:GREEN", *cuts, *BY, code=2)
    cuts = ["--words", "statement=ZEPHYR", "--field", "place", "--source", "SRC-SAT", "--count", "10..20"]
    told = done("redact", case, "OBS-H0", "--as-new", "OBS-99", "--to", "TLP:GREEN", *cuts, *BY)
    assert "ACT-001 links them, and is marked TLP:RED" in told
    tree = done("why", case, "launchers_removed", "--as", "low")
    assert "OBS-99" in tree
    assert "ZEPHYR" not in tree
    assert "OBS-99" not in done("why", case, "launchers_removed")
    assert "every hash fits" in done("marking", "verify", case, "ACT-001")
    assert "no faults" in done("check", case)


def test_a_redacted_form_that_was_changed_is_seen(case: str) -> None:
    done(
        "redact",
        case,
        "OBS-H0",
        "--as-new",
        "OBS-99",
        "--to",
        "TLP:GREEN",
        "--words",
        "statement=ZEPHYR",
        "--field",
        "place",
        *BY,
    )
    path = Path(case) / "reports" / "observations.csv"
    path.write_text(path.read_text().replace("[redacted]: thirteen", "[redacted]: fourteen"))
    if (Path(case) / "ledger.db").exists():
        done("report", "import", case, case)
    assert "differs" in done("marking", "verify", case, "ACT-001", code=1)


def test_words_that_still_stand_are_named(case: str) -> None:
    cut = ["--as-new", "OBS-99", "--to", "TLP:GREEN", "--words", "place=hidden-base"]
    rows = "id=OBS-H0", "note=seen again from the hidden-base"
    if (Path(case) / "ledger.db").exists():
        done("report", "add", case, "observations", *rows)
        told = done("redact", case, "OBS-H0", *cut, *BY, code=2)
        assert "still standing: 'hidden" in told
        done("redact", case, "OBS-H0", *cut, "--keep", "hidden-base", "--keep", "hidden", "--keep", "base", *BY)
        assert "(kept: hidden-base, hidden, base)" in (Path(case) / "reports" / "marking_acts.csv").read_text()
    else:
        done("redact", case, "OBS-H0", *cut, *BY)


def test_a_picture_and_a_text_are_redacted(case: str) -> None:
    done("redact", case, "EXH-PIC", "--as-new", "EXH-901", "--to", "TLP:GREEN", "--box", "4,4,20,20", "--say", "title=quay", *BY)
    done("redact", case, "EXH-TXT", "--as-new", "EXH-902", "--to", "TLP:GREEN", "--words", "Orlov", *BY)
    for act in ("ACT-001", "ACT-002"):
        assert "every hash fits" in done("marking", "verify", case, act)
    kept = [path.read_bytes() for path in (Path(case) / "exhibits").iterdir()]
    assert b"The agent met [redacted].\n" in kept
    assert sum(raw.startswith(b"\x89PNG") for raw in kept) == 2
    assert "no faults" in done("check", case)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["OBS-H0", "--box", "1,1,2,2"], "no picture"),
        (["EXH-PIC", "--field", "title"], "no fields"),
        (["EXH-PIC", "--box", "1,1,two,2"], "not understood"),
        (["EXH-PIC", "--box", "60,40,20,20"], ""),
        (["EXH-TXT", "--lines", "1-2"], "not understood"),
        (["OBS-H0", "--count", "5"], "no range"),
        (["OBS-H0", "--words", "ZEPHYR"], "NAME=VALUE"),
        (["OBS-H0"], ""),
        (["EXH-HIGH", "--words", "x"], "not in hand"),
        (["NOTHING", "--words", "a=b"], "no row"),
    ],
)
def test_a_cut_that_cannot_be_is_refused(case: str, arguments: list[str], told: str) -> None:
    assert told in done("redact", case, arguments[0], "--as-new", "NEW-1", "--to", "TLP:GREEN", *arguments[1:], *BY, code=2)
    assert not (Path(case) / "reports" / "marking_acts.csv").exists()


def test_an_act_that_is_none_is_not_verified(case: str) -> None:
    assert "no release of that id" in done("marking", "verify", case, "ACT-001", code=2)
