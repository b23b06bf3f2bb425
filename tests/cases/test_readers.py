"""One day, three clearances: three honest verdicts, each from what its reader may see. The markings are invented."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support import EXAMPLE, ROOT
from tallybook import desk
from tallybook.verdicts.board import board_json, finding_json
from tallybook.verdicts.sentences import in_words

INVENTED = ROOT / "examples" / "cuba-1962-invented"
DAY = "1962-11-12"
READERS = ("executive-committee", "mission", "press")


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marked") / "cuba-1962"
    shutil.copytree(EXAMPLE, folder)
    shutil.copy(INVENTED / "markings.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def boards(marked: Path) -> dict[str, Any]:
    opened = {reader: desk.open_case(marked, reader) for reader in READERS}
    return {reader: board_json(desk.board(desk.ask(case, DAY))) for reader, case in opened.items()}


def line(board: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(line for line in board["lines"] if line["id"] == name)
    return found


def test_three_clearances_give_three_honest_verdicts(boards: dict[str, Any]) -> None:
    words = [line(boards[reader], "sam_sites")["verdict"] for reader in READERS]
    assert words == ["contradicted", "unclear", "no evidence"]
    reasons = [set(line(boards[reader], "sam_sites")["against"]) for reader in READERS]
    assert reasons[0] > reasons[1] > reasons[2] or (reasons[0] > reasons[1] and reasons[2] <= reasons[1])


def test_a_verdict_says_on_what_it_rests(boards: dict[str, Any]) -> None:
    for reader in READERS:
        board = boards[reader]
        assert board["reader"] == reader
        assert board["basis"] == f"on what {reader} may see"
        told = [line["words"] for line in board["lines"] if line["verdict"]]
        assert all(words.startswith(f"On what {reader} may see: ") for words in told)


def test_the_banner_is_what_was_weighed_and_never_above_the_reader(boards: dict[str, Any]) -> None:
    assert [boards[reader]["marking"] for reader in READERS] == ["TOP SECRET", "SECRET", "UNCLASSIFIED"]
    ranks = {"(U)": 0, "(C)": 1, "(S)": 2, "(TS)": 3}
    for reader, most in zip(READERS, (3, 2, 0), strict=True):
        portions = [ranks[line["marking"]] for line in boards[reader]["lines"]]
        assert max(portions) <= most
    # A line that rests on open reports only is open, on the board of whoever may see more as well.
    assert line(boards["mission"], "submarine_facility")["marking"] == "(U)"


def test_whoever_may_see_all_of_it_gets_the_answer_of_the_unmarked_case(boards: dict[str, Any]) -> None:
    whole = board_json(desk.board(desk.ask(desk.open_case(EXAMPLE), DAY)))
    seen = boards["executive-committee"]
    for name in ("verdict", "evidence", "quantity", "supporting", "against", "standard"):
        assert [line[name] for line in seen["lines"]] == [line[name] for line in whole["lines"]], name
    assert whole["marking"] is None
    assert whole["basis"] is None


def test_more_clearance_never_sees_less(marked: Path) -> None:
    reports = [set(desk.open_case(marked, reader).evidence.reports) for reader in READERS]
    assert reports[0] > reports[1] > reports[2]


def test_an_independent_checker_accepts_each_answer(marked: Path, tmp_path: Path) -> None:
    for reader in READERS:
        inquiry = desk.ask(desk.open_case(marked, reader), DAY)
        answer = desk.why(inquiry, "sam_sites")
        assert answer.line is not None
        finding = answer.line.finding
        assert finding is not None
        explanation = {
            "case": inquiry.case.name,
            "name": answer.name,
            "words": answer.head,
            "finding": finding_json(finding, None) | {"words": in_words(finding)},
            "because": [tree.as_json() for tree in answer.trees],
        }
        at = datetime(1962, 11, 13, tzinfo=UTC)
        with desk.filed_folder(marked, None, None, at, {}, reader) as folder:
            assert desk.check_why(folder, explanation).is_accepted, reader
