"""Bad input: each fault with its words, its place and what to do about it; never a crash."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.errors import TallybookError
from tallybook.holdings.answers import answers
from tallybook.holdings.model import Account, ItemClass, Look, ModelError, Stage
from tallybook.holdings.problem import Closed, TurnoverProblem, read_problem

CASES = Path(__file__).parent / "cases"


def case(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return data


def changed(name: str, path: str, value: Any) -> dict[str, Any]:
    """A case with one value put in (or taken out, where it is Ellipsis). `path`: keys and indices between dots."""
    data = case(name)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = data
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


COUNTS = [
    ("obs.2.y", -1, "case.json: obs[2]: the count is -1, and a count cannot be negative"),
    ("obs.2.y", 1.5, "case.json: obs[2]: the count is 1.5, and things are counted in whole numbers"),
    ("obs.2.y", None, "case.json: obs[2]: the count must be a whole number, 0 or more, not None"),
    ("obs.2.y", True, "case.json: obs[2]: the count must be a whole number, 0 or more, not True"),
    ("obs.2.y", "2", "case.json: obs[2]: the count must be a whole number, 0 or more, not '2'"),
    ("obs.2.y", [2], "case.json: obs[2]: the count must be a whole number, 0 or more, not [2]"),
    ("obs.2.y", nan, "case.json: obs[2].y: this is not a number"),
    ("obs.2.y", inf, "case.json: obs[2].y: this is too large a number"),
    ("obs.2.y", 10**400, "case.json: obs[2].y: this is too large a number"),
    ("obs.2.y", ..., "case.json: obs[2]: a look without a count\n    give `y`, or `counts` by class; leave out"),
    ("obs.2.counts", {"item": 1}, "case.json: obs[2]: both `y` and `counts`"),
    ("D", -3, "case.json: D: the declared number is -3, and a count cannot be negative"),
    ("D", 2.5, "case.json: D: the declared number is 2.5, and things are counted in whole numbers"),
    ("D", None, "case.json: D: a declaration without a number\n    give the number declared; 0 if nothing was"),
    ("D", ..., "case.json: D: a declaration without a number\n    give the number declared; 0 if nothing was"),
    ("D", "42", "case.json: D: the declared number must be a whole number, 0 or more, not '42'"),
]

PROBABILITIES = [
    ("obs.0.p", 1.2, "case.json: obs[0]: p: 1.2 is not a probability\n    give a number from 0 to 1"),
    ("obs.0.p", -0.1, "case.json: obs[0]: p: -0.1 is not a probability"),
    ("obs.0.p", True, "case.json: obs[0]: p: True is not a probability"),
    ("obs.0.p", "0.7", "case.json: obs[0]: p: '0.7' is not a probability"),
    ("obs.0.p", [[0.7]], "case.json: obs[0]: p: [[0.7]] is not a probability"),
    ("obs.0.p", nan, "case.json: obs[0].p: this is not a number"),
    ("obs.0.p", ..., "case.json: obs[0]: no detection probability\n    give `p`, or `dispersion`"),
    ("obs.0.phi", -0.1, "case.json: obs[0]: phi: -0.1 is not a number from 0 up"),
    ("obs.0.phi", None, "case.json: obs[0]: phi: None is not a number from 0 up"),
    ("obs.0.decoy_p", 2, "case.json: obs[0]: decoy_p: 2 is not a probability"),
    ("obs.1.decoy_p", 0.5, "case.json: obs[1]: decoys stand in site only\n    leave decoy_p out"),
    ("pi", [0.6, 0.3], "case.json: pi: the probabilities add up to 0.9, not to one"),
    ("pi", [0.6, 0.6, -0.2], "case.json: pi[2]: -0.2 is not a probability"),
    ("pi", [], "case.json: pi: the probabilities are missing"),
    ("pi", 1.0, "case.json: pi: expected a list, not 1.0"),
    ("pi", [[0.5, 0.5]], "case.json: pi[0]: [0.5, 0.5] is not a probability"),
    ("pi", ..., "case.json: 'pi' is missing\n    give `pi`"),
    ("q", [0.5, 0.6, 1.7], "case.json: q[2]: 1.7 is not a probability"),
    ("q", [0.5, 0.6], "case.json: q: 2 probabilities of leaving for 3 stages (site, port, ship)"),
    ("rho", -1, "case.json: rho: -1 is not a number from 0 up"),
    ("rho", "some", "case.json: rho: 'some' is not a number from 0 up"),
    ("obs.0.units_per_item", [0.5, 0.4], "case.json: obs[0]: units_per_item: the probabilities add up to 0.9, not to one"),
    ("obs.0.units_per_item", [], "case.json: obs[0]: units_per_item: the probabilities are missing"),
    ("obs.0.dispersion", [1.0], "case.json: obs[0]: dispersion: expected two numbers, not 1"),
    ("obs.0.dispersion", [1.0, 0.0], "case.json: obs[0]: dispersion: must be more than 0"),
]

PLACES = [
    ("obs.3.day", -1, "case.json: obs[3]: day -1 is before the first, 0\n    the account runs from day 0 to day 6"),
    ("obs.3.day", 7, "case.json: obs[3]: no day 7\n    the account runs from day 0 to day 6"),
    ("obs.3.day", 2.5, "case.json: obs[3]: no day 2.5\n    give the number of the day; the first is 0"),
    ("obs.3.day", "monday", "case.json: obs[3]: no day 'monday'"),
    ("obs.3.day", False, "case.json: obs[3]: no day False"),
    ("obs.3.day", ..., "case.json: obs[3]: no day\n    give `day`, or `days` with weights"),
    ("obs.3.days", [[3, 1.0]], "case.json: obs[3]: both `day` and `days`"),
    ("obs.3.what", "dock", "case.json: obs[3]: what: no stage 'dock'\n    the stages are site, port, ship, flow"),
    ("obs.3.what", None, "case.json: obs[3]: what: no stage None"),
    ("obs.3.what", ["site"], "case.json: obs[3]: what: no stage ['site']"),
    ("obs.3.class", "missile", "case.json: obs[3]: no class 'missile'\n    the classes are item"),
    ("obs.3.class", 3, "case.json: obs[3]: class: expected a name, not 3"),
    ("obs.3.pass", "P9", "case.json: obs[3]: no pass 'P9'\n    the passes are none"),
    ("obs.3.phy", 0.1, "case.json: obs[3]: nothing is called 'phy' here\n    did you mean 'phi'?"),
    ("obs.3", 17, "case.json: obs[3]: expected an object with named values, not 17"),
    ("obs.3", [], "case.json: obs[3]: expected an object with named values, not a list"),
    ("obs.3.id", "", "case.json: obs[3].id: expected a name, not ''"),
    ("obs.3.id", "obs[2]", "case.json: obs: two looks of one id, 'obs[2]'"),
    ("obs", {"y": 3}, "case.json: obs: expected a list, not an object"),
    ("T", -1, "case.json: T: the last day is -1, and a count cannot be negative"),
    ("T", 6.5, "case.json: T: the last day is 6.5"),
    ("T", None, "case.json: T: the last day must be a whole number"),
    ("T", 10**9, "case.json: T: 1,000,000,000 days are too many\n    give at most 100,000"),
    ("T", ..., "case.json: 'T' is missing"),
    ("rhos", 0.1, "case.json: nothing is called 'rhos' here\n    did you mean 'rho'?"),
    ("passes", {}, "case.json: nothing is called 'passes' here"),
    ("stages", [], "case.json: stages: no stage given"),
    ("stages", ["site", "flow", "ship"], "case.json: stages: 'flow' means leaving the last stage"),
    ("stages", ["site", "site", "ship"], "case.json: stages: two stages of one name"),
    ("stages", ["a", "b", "c"], "case.json: obs[0]: what: no stage 'site'\n    the stages are a, b, c, flow"),
    ("problem", "E", "case.json: problem: no form of problem 'E'\n    give `problem`: A, B, C or D"),
    ("problem", ["C"], "case.json: problem: no form of problem ['C']"),
    ("problem", ..., "case.json: problem: the form of the problem is missing"),
]

SMALL = [("C_small", *row) for row in COUNTS + PROBABILITIES + PLACES]

CLASSES = [
    ("D_two_classes", "classes.1.name", "medium", "case.json: classes: two classes of one name"),
    ("D_two_classes", "classes.1.name", ..., "case.json: classes[1]: 'name' is missing"),
    ("D_two_classes", "classes.1.D", None, "case.json: intermediate: D: a declaration without a number"),
    ("D_two_classes", "classes.1.D", ..., "case.json: classes[1]: D: a declaration without a number"),
    ("D_two_classes", "classes.1.pi", [0.6, 0.5], "case.json: intermediate: pi: the probabilities add up to 1.1, not to one"),
    ("D_two_classes", "classes.1.decoy", {}, "case.json: classes[1]: nothing is called 'decoy' here\n    did you mean 'decoys'?"),
    ("D_two_classes", "classes", [], "case.json: classes: an account needs a class of items"),
    ("D_two_classes", "obs.3.counts.tank", 1, "case.json: obs[3]: no class 'tank'\n    the classes are medium, intermediate"),
    ("D_two_classes", "obs.3.counts.medium", -1, "case.json: obs[3]: counts.medium: the count is -1"),
    ("D_two_classes", "obs.3.counts", {}, "case.json: obs[3]: a look counts one class, or sorts several"),
    ("D_two_classes", "obs.3.counts", [0, 1], "case.json: obs[3]: counts: expected an object"),
    ("D_two_classes", "obs.3.class", "medium", "case.json: obs[3]: `class` beside `counts`"),
    ("D_two_classes", "obs.2.class", ..., "case.json: obs[2]: whose count is it?\n    give `class`, one of medium, intermediate"),
    ("D_two_classes", "recognition.medium.medium", 1.5, "case.json: recognition.medium.medium: 1.5 is not a probability"),
    ("D_two_classes", "recognition.medium.medium", 0.9, "case.json: recognition.medium: the shares add up to 1.05"),
    ("D_two_classes", "recognition.tank", {"medium": 1.0}, "case.json: recognition.tank: no class 'tank'"),
    ("D_two_classes", "recognition.medium.tank", 0.01, "case.json: recognition.medium: no class 'tank'"),
    ("D_two_classes", "recognition.medium", ..., "case.json: recognition: nothing is said of class 'medium'"),
    ("D_decoys", "classes.0.decoys.pmf", [0.5, 0.3], "case.json: item: decoys.pmf: the probabilities add up to 0.8"),
    ("D_decoys", "classes.0.decoys.survive", 1.01, "case.json: item: decoys.survive: 1.01 is not a probability"),
    ("D_decoys", "classes.0.decoys.survive", ..., "case.json: item: decoys: 'survive' is missing"),
    ("D_visibility", "obs.3.pass", "P4", "case.json: obs[3]: no pass 'P4'\n    the passes are P3, P6"),
    ("D_visibility", "passes.P3.visibility", [], "case.json: passes.P3: no visibility given"),
    ("D_visibility", "passes.P3.visibility", [[1.0, 0.7]], "case.json: passes.P3.visibility: the weights add up to 0.7"),
    ("D_visibility", "passes.P3.visibility", [[1.5, 1.0]], "case.json: passes.P3.visibility: 1.5 is not a probability"),
    ("D_visibility", "passes.P3.visibility", [1.0, 0.5], "case.json: passes.P3.visibility[0]: expected a list, not 1.0"),
    ("D_visibility", "passes.P3.seen", 1.0, "case.json: passes.P3: nothing is called 'seen' here"),
    ("D_uncertain_day", "obs.3.days", [], "case.json: obs[3]: no day"),
    ("D_uncertain_day", "obs.3.days", [[4, 0.5], [5, 0.4]], "case.json: obs[3]: the weights of the days add up to 0.9"),
    ("D_uncertain_day", "obs.3.days", [[4, 0.5], [4, 0.5]], "case.json: obs[3]: one day twice"),
    ("D_uncertain_day", "obs.3.days", [[4, 0.5], [7, 0.5]], "case.json: obs[3]: no day 7"),
    ("D_uncertain_day", "obs.3.days", [[4, -0.5], [5, 1.5]], "case.json: obs[3]: days: -0.5 is not a weight"),
    ("D_crates", "obs.1.dispersion", [1, 1], "case.json: obs[1]: units_per_item and dispersion in one look"),
]

SITES = [
    ("A_small", "y.1", [1, 2], "case.json: y[1]: 2 visits, and the first site has 3\n    give every site as many visits"),
    ("A_small", "y.1.2", -1, "case.json: y[1][2]: the count is -1"),
    ("A_small", "y.1.2", 0.5, "case.json: y[1][2]: the count is 0.5"),
    ("A_small", "y.1.2", None, "case.json: y[1][2]: the count must be a whole number"),
    ("A_small", "y.1.2", [4], "case.json: y[1][2]: the count must be a whole number, 0 or more, not [4]"),
    ("A_small", "y.1", 4, "case.json: y[1]: expected a list, not 4"),
    ("A_small", "prior.a", 0, "case.json: prior.a: must be more than 0"),
    ("A_small", "prior.b", -1, "case.json: prior.b: -1 is not a number from 0 up"),
    ("A_small", "prior.alpha", ..., "case.json: prior: 'alpha' is missing"),
    ("A_small", "prior", None, "case.json: prior: expected an object with named values, not nothing"),
    ("B_small", "y.1", [[1, 2]], "case.json: y[1]: 1 occasions, and the first site has 4"),
    ("B_small", "y.1.2", [1], "case.json: y[1][2]: 1 counts, and the first occasion has 2"),
    ("B_small", "y.1.2.0", -1, "case.json: y[1][2][0]: the count is -1"),
    ("B_small", "y.1.2.0", "x", "case.json: y[1][2][0]: the count must be a whole number, 0 or more, not 'x'"),
    ("B_small", "theta.p", 1.1, "case.json: theta.p: 1.1 is not a probability"),
    ("B_small", "theta.lam", -5, "case.json: theta.lam: -5 is not a number from 0 up"),
    ("B_small", "theta.rate", 1, "case.json: theta: nothing is called 'rate' here"),
    ("B_small", "theta", ..., "case.json: 'theta' is missing"),
    ("B_small", "prior.omega", [2.0], "case.json: prior.omega: expected two numbers, not 1"),
]

ALL = SMALL + CLASSES + SITES


@pytest.mark.parametrize(("name", "path", "value", "words"), ALL, ids=[f"{n}-{p}-{str(v)[:12]}" for n, p, v, _ in ALL])
def test_a_fault_is_named_with_its_place(name: str, path: str, value: Any, words: str) -> None:
    with pytest.raises(ModelError) as fault:
        read_problem(changed(name, path, value), "case.json")
    assert str(fault.value).startswith(words)


@pytest.mark.parametrize("data", [None, 3, "C", [], {}, [{"problem": "C"}]])
def test_what_is_no_case_at_all(data: object) -> None:
    with pytest.raises(ModelError, match=r"case\.json"):
        read_problem(data, "case.json")


def test_a_look_with_an_id_is_named_by_it() -> None:
    data = changed("C_small", "obs.2.id", "photo 14")
    data["obs"][2]["p"] = 7
    with pytest.raises(ModelError) as fault:
        read_problem(data, "case.json")
    assert str(fault.value).startswith("case.json: photo 14: p: 7 is not a probability")


def test_nesting_without_end() -> None:
    data = case("C_small")
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    data["obs"] = deep
    with pytest.raises(ModelError, match="lists within lists without end"):
        read_problem(data, "case.json")


def test_reading_leaves_the_case_as_it_was() -> None:
    data = case("D_visibility")
    before = copy.deepcopy(data)
    read_problem(data, "case.json")
    assert data == before


def test_what_may_be_left_out() -> None:
    data = case("C_small")
    del data["obs"]
    account = read_problem(data, "case.json")
    assert isinstance(account, Account)
    assert account.looks == ()


def test_whole_numbers_may_be_written_as_floats() -> None:
    data = changed("C_small", "D", 3.0)
    data["obs"][0].update(y=3.0, day=0.0)
    assert read_problem(data, "") == read_problem(case("C_small"), "")


def test_other_stages() -> None:
    account = read_problem(
        {
            "problem": "D",
            "T": 2,
            "stages": ["shed", "yard"],
            "classes": [{"name": "x", "D": 1, "pi": [1], "q": [0.5, 1], "rho": 0}],
            "obs": [{"day": 1, "what": "yard", "p": 1, "y": 0}, {"day": 2, "what": "flow", "p": 1, "y": 0}],
        },
        "case.json",
    )
    assert isinstance(account, Account)
    assert [s.name for s in account.classes[0].stages] == ["shed", "yard"]
    assert [(look.stage, look.leaving) for look in account.looks] == [("yard", False), ("yard", True)]


def test_sites_read_as_plain_values() -> None:
    closed, turnover = read_problem(case("A_small"), ""), read_problem(case("B_small"), "")
    assert closed == Closed(((4, 3, 1), (2, 4, 4), (3, 2, 5)), 2.0, 0.25, 2.0, 2.0)
    assert isinstance(turnover, TurnoverProblem)
    assert turnover.y[0][0] == (0, 3)
    assert (turnover.lam, turnover.gamma, turnover.omega, turnover.p) == (5.0, 0.2, 0.4, 0.5)


def test_nobody_looked_is_null_in_the_open_form_only() -> None:
    turnover = read_problem(changed("B_small", "y.0.0.1", None), "")
    assert isinstance(turnover, TurnoverProblem)
    assert turnover.y[0][0] == (0, None)


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def _paths(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [path for key, inner in items for path in [(*above, key), *_paths(inner, (*above, key))]]


@settings(max_examples=300, deadline=None)
@given(
    st.data(), st.sampled_from(["A_small", "B_small", "C_small", "D_decoys", "D_two_classes", "D_visibility", "D_uncertain_day"])
)
def test_junk_anywhere_is_a_fault_or_an_account_and_never_a_crash(data: st.DataObject, name: str) -> None:
    given_case = case(name)
    *steps, last = data.draw(st.sampled_from(_paths(given_case)))
    place: Any = given_case
    for step in steps:
        place = place[step]
    place[last] = data.draw(_JUNK)
    with suppress(ModelError):
        read_problem(given_case, "case.json")


def item(**change: Any) -> ItemClass:
    plain: dict[str, Any] = {"name": "item", "declared": 1, "undeclared": (1.0,), "stages": (Stage("site", 0.5),)}
    return ItemClass(**(plain | change))


def look(**change: Any) -> Look:
    plain: dict[str, Any] = {"name": "a look", "days": ((0, 1.0),), "stage": "site", "counts": (("item", 1),), "p": 0.5}
    return Look(**(plain | change))


MODELS: list[tuple[str, Callable[[], Account], str]] = [
    ("a class without a stage", lambda: Account((item(stages=()),), 1, ()), "item: a class needs a stage"),
    (
        "a first stage that is gone",
        lambda: Account((item(stages=(Stage("out", gone=True),)),), 1, ()),
        "item: what is gone comes",
    ),
    ("no last day", lambda: Account((item(),), -1, ()), "T: the last day must be"),
    (
        "a report that may be wrong",
        lambda: Account((item(),), 1, (look(trust=0.5),)),
        "a look: a report that may be wrong needs a span",
    ),
    (
        "two classes, one count each",
        lambda: Account((item(),), 1, (look(counts=(("item", 1), ("item", 2))),)),
        "a look: a look counts",
    ),
]


@pytest.mark.parametrize(("make", "words"), [row[1:] for row in MODELS], ids=[row[0] for row in MODELS])
def test_an_account_made_by_hand_is_checked_too(make: Callable[[], Account], words: str) -> None:
    with pytest.raises(ModelError) as fault:
        make().checked()
    assert str(fault.value).startswith(words)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["C_small", "D_two_classes"])
def test_ten_million_items_get_an_answer_or_a_refusal_with_the_memory_it_would_need(name: str) -> None:
    data = changed(name, "D" if name == "C_small" else "classes.0.D", 10**7)
    try:
        found = answers(data, "case.json")
    except TallybookError as refusal:
        found = {"refused": str(refusal)}
    assert "loglik" in found or re.search(r"[0-9] ?[KMGT]i?B", found["refused"])


def run(text: str | bytes | None, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "case.json"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    command = [sys.executable, str(CASES.parent / "run.py"), str(path), "--answers", str(folder / "out.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "case.json: No such file or directory\n    give the path of a case"),
        (b"\xff\xfe", "case.json: not UTF-8 text"),
        ('{"problem": "C",\n "D": }', "case.json:2: not JSON"),
        ("", "case.json:1: not JSON"),
        ("[" * 100_000, "case.json: not a case"),
        ('{"problem": "D", "T": 1, "classes": [], "obs": []}', "case.json: classes: an account needs a class of items"),
        ('{"problem": "C", "D": NaN}', "case.json: D: this is not a number"),
    ],
)
def test_the_command_says_what_where_and_what_to_do(text: str | bytes | None, words: str, tmp_path: Path) -> None:
    done = run(text, tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.json").exists()
