"""Somebody files who does not see all of a case: nothing is written down, and nothing is learned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hidden import High, build, leaks, run
from registry.test_release import HIGHS
from tallybook.casefile.new import new_case
from tallybook.registry import place

NEW = [
    "reported_at=2031-04-04",
    "observed_from=2031-04-03",
    "observed_to=2031-04-03",
    "source_id=SRC-WIT",
    "method=witness",
    "observer=pilot",
    "place=West Point",
    "item_class=launcher",
    "stage=deployed",
    "count=2",
    "statement=two in the quarry",
    "grade=B2",
]
MIDDLE = "  middle: {clearance: TLP:AMBER, roles: [analyst]}\n"


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TALLYBOOK_AUTHOR", "desk")
    for name in ("TALLYBOOK_TOKEN", "TALLYBOOK_DATABASE", "TALLYBOOK_KEY"):
        monkeypatch.delenv(name, raising=False)
    build(tmp_path / "case", High(HIGHS.rows, "", {}))
    policy = tmp_path / "case" / "markings.yaml"
    policy.write_text(policy.read_text() + MIDDLE)
    assert run(["ledger", "init", str(tmp_path / "case")])[0] == 0
    place.close_stores()
    return str(tmp_path / "case")


def add(case: str, id_: str, *more: str) -> tuple[int, str]:
    said = {one.partition("=")[0] for one in more}
    fields = [one for one in NEW if one.partition("=")[0] not in said]
    code, out, error = run(["report", "add", case, "observations", f"id={id_}", *fields, *more])
    place.close_stores()
    return code, out + error


def test_nobody_writes_below_what_they_read(case: str) -> None:
    code, told = add(case, "OBS-50", "marking=TLP:GREEN", "--as", "middle")
    assert code == 2
    assert "marked TLP:GREEN by somebody who reads TLP:AMBER" in told
    assert add(case, "OBS-50", "--as", "middle")[0] == 2
    assert add(case, "OBS-50", "marking=TLP:AMBER", "--as", "middle")[0] == 0
    assert add(case, "OBS-51", "marking=TLP:RED", "--as", "middle")[0] == 0
    # What was written up is not theirs to see.
    reports = json.loads(run(["board", case, "--as", "middle", "--json"])[1])
    assert "OBS-51" not in json.dumps(reports)


def test_in_a_session_at_a_lower_level_less_is_read_and_less_is_asked(case: str) -> None:
    assert add(case, "OBS-50", "marking=TLP:GREEN", "--as", "middle", "--session", "TLP:GREEN")[0] == 0
    code, told = add(case, "OBS-51", "marking=TLP:RED", "--as", "middle", "--session", "TLP:RED")
    assert code == 2
    assert "not a level of middle" in told


def test_an_id_that_is_taken_above_cannot_be_used_and_nothing_is_told_of_it(case: str) -> None:
    code, told = add(case, "OBS-H0", "--as", "low")
    assert code == 2
    assert "OBS-H0 cannot be its id" in told
    assert leaks(told.replace("OBS-H0", "")) == []
    whole = run(["ledger", "log", case, "--of", "OBS-H0", "--json"])[1]
    assert len(json.loads(whole)) == 1


def test_what_is_near_is_told_of_what_they_see_only(case: str) -> None:
    text = "statement=ZEPHYR: thirteen under nets, seen again"
    _, low = add(case, "OBS-60", text, "--as", "low")
    assert "OBS-H0" not in low
    _, whole = add(case, "OBS-61", text)
    assert "OBS-H0" in whole


def test_a_fault_is_told_in_words_of_what_they_see(case: str) -> None:
    code, told = add(case, "OBS-70", "source_id=SRC-NONE", "--as", "low")
    assert code == 2
    assert "cites the source 'SRC-NONE'" in told
    assert leaks(told) == []


def test_what_is_not_seen_is_not_there_to_be_withdrawn(case: str) -> None:
    texts = []
    for name in ("OBS-H0", "OBS-NONE"):
        code, out, error = run(["report", "withdraw", case, name, "--reason", "x", "--as", "low"])
        place.close_stores()
        assert code == 2
        texts.append((out + error).replace(name, "NAME"))
    assert texts[0] == texts[1]
    assert run(["report", "withdraw", case, "OBS-05", "--reason", "x", "--as", "low"])[0] == 0


def test_a_folder_is_filed_by_whoever_keeps_the_case(case: str) -> None:
    code, _, error = run(["report", "import", case, case, "--as", "low"])
    assert code == 2
    assert "does not see all of the case" in error


def test_a_correction_keeps_its_marking_and_releases_nothing(case: str) -> None:
    code, _, error = run(["report", "add", case, "observations", "id=OBS-H0", "marking=TLP:GREEN"])
    assert code == 2
    assert "would lower its marking" in error
    code, _, error = run(["report", "add", case, "observations", "id=OBS-H0", "marking="])
    assert code == 2


def test_another_source_does_not_lower_a_report(case: str) -> None:
    policy = Path(case) / "markings.yaml"
    policy.write_text(policy.read_text() + "sources: {SRC-WIT: TLP:RED}\n")
    assert run(["report", "import", case, case])[0] == 0
    code, _, error = run(["report", "add", case, "observations", "id=OBS-05", "source_id=SRC-COM"])
    assert code == 2
    assert "would lower its marking" in error


ACT = ["id=ACT-9", "act=declassify", "record=OBS-H0", "was=TLP:RED", "becomes=TLP:CLEAR", "by=high", "authority=forged"]


def test_nobody_forges_an_act(case: str) -> None:
    code, _, error = run(
        ["report", "add", case, "marking_acts", *ACT, "reason=x", "known_at=2031-04-05", "marking=TLP:RED", "--as", "low"]
    )
    place.close_stores()
    assert code == 2
    assert "may not act on markings so" in error
    assert leaks(run(["why", case, "launchers_removed", "--as", "low"])[1]) == []


def test_a_row_below_what_they_read_is_not_taken_away(case: str) -> None:
    code, _, error = run(["report", "withdraw", case, "OBS-05", "--reason", "x", "--as", "high"])
    assert code == 2
    assert "marked TLP:GREEN by somebody who reads TLP:RED" in error


def test_an_edited_policy_that_is_not_filed_answers_nobody(case: str) -> None:
    policy = Path(case) / "markings.yaml"
    policy.write_text(policy.read_text() + "rows: {OBS-04: TLP:RED}\n")
    code, out, error = run(["board", case, "--as", "low"])
    assert (code, out) == (2, "")
    assert "is not what is on file" in error
    place.close_stores()
    assert run(["report", "import", case, case])[0] == 0
    place.close_stores()
    assert "OBS-04" not in run(["board", case, "--as", "low"])[1]


US = """\
scheme: US
unmarked: UNCLASSIFIED
ruled_by: the test
rows: {OBS-05: SECRET//ORCON}
readers:
  ours: {clearance: SECRET//ORCON, organisation: the Commission, roles: [releasing authority]}
  theirs: {clearance: SECRET//ORCON, organisation: Southland, roles: [releasing authority]}
  third: {clearance: SECRET//ORCON, organisation: Northland}
"""


def test_what_its_originator_controls_stays_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TALLYBOOK_AUTHOR", "desk")
    new_case(tmp_path / "case", "removal")
    (tmp_path / "case" / "markings.yaml").write_text(US)
    case = str(tmp_path / "case")
    assert run(["ledger", "init", case])[0] == 0
    act = ["--to", "UNCLASSIFIED", "--authority", "x", "--reason", "y"]
    # OBS-05 is from a source of Southland.
    code, _, error = run(["marking", "regrade", case, "OBS-05", *act, "--by", "ours"])
    place.close_stores()
    assert code == 2
    assert "under the control of its originator" in error
    code, _, error = run(["report", "add", case, "sources", "source_id=SRC-WIT", "author_agency=the Commission"])
    place.close_stores()
    assert code == 2
    assert "would change whose it is" in error
    given = ["--to", "third", "--authority", "x", "--reason", "y"]
    code, _, error = run(["release", case, str(tmp_path / "out"), *given, "--by", "ours"])
    place.close_stores()
    assert code == 2
    assert "under the control of its originator" in error
    assert run(["release", case, str(tmp_path / "out"), *given, "--by", "theirs"])[0] == 0
    place.close_stores()
    assert run(["marking", "regrade", case, "OBS-05", *act, "--by", "theirs"])[0] == 0
