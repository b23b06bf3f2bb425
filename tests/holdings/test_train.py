"""The tensor train against dense windows and exact answers; the choice between them; likelihood alone; what is refused."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tallybook.holdings import moves
from tallybook.holdings.engine import DENSE, TRAIN, Answer, ImpossibleError, chosen, log_likelihood, needed, solve
from tallybook.holdings.kernels import Kernels
from tallybook.holdings.model import Account, Decoys, ItemClass, Look, ModelError, Stage
from tallybook.holdings.problem import read_problem
from tallybook.holdings.train import Chain, TrainRun, added, factors, sketch

CASES = Path(__file__).parent / "cases"
SMALL = ["C_small", "D_crates", "D_decoys", "D_overdispersed", "D_two_classes", "D_uncertain_day", "D_visibility"]


def case(name: str) -> tuple[Account, dict[str, Any]]:
    data = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    account = read_problem(data, name)
    assert isinstance(account, Account)
    return account, json.loads((CASES / f"{name}.answers.json").read_text("utf-8"))


def close(found: Any, wanted: Any, relative: float, absolute: float = 1e-12) -> None:
    a, b = np.atleast_1d(found), np.atleast_1d(wanted)
    size = min(len(a), len(b))
    np.testing.assert_allclose(a[:size], b[:size], rtol=relative, atol=absolute)


def right(found: Answer, account: Account, wanted: dict[str, Any], relative: float) -> None:
    close(found.loglik, wanted["loglik"], relative)
    close(found.p_no_arrivals, wanted["P_no_arrivals"], relative)
    if "P_none_left" in wanted:
        close(found.p_none_left, wanted["P_none_left"], relative)
    for name, one in wanted.get("classes", {account.classes[0].name: wanted}).items():
        of = found.classes[name]
        close(of.mean_left, one["E_R"], relative)
        close(of.p_none_left_on, one["P_R0"], relative)
        close(of.left(account.last_day), one["P_R_T"], relative)
        close(of.undeclared, one["P_U"], relative)
        if "P_decoys_T" in one:
            close(of.decoys_last, one["P_decoys_T"], relative)


@pytest.mark.parametrize("method", [DENSE, TRAIN])
@pytest.mark.parametrize("name", SMALL)
def test_both_forms_give_the_answers_of_small_cases(name: str, method: str) -> None:
    account, wanted = case(name)
    found = solve(account, method=method)
    assert found.method == method
    right(found, account, wanted, 1e-9)


@pytest.mark.parametrize("method", [DENSE, TRAIN])
@pytest.mark.slow
def test_both_forms_give_the_answers_of_the_medium_case(method: str) -> None:
    account, wanted = case("C_medium")
    right(solve(account, method=method), account, wanted, 1e-7)


@pytest.mark.slow
def test_the_large_case() -> None:
    account, wanted = case("C_large")
    found = solve(account)
    assert found.method == TRAIN
    right(found, account, wanted, 1e-7)
    # Smaller than any limit of the case's answers: the ratio of two passes, against the dense form's.
    close(found.p_none_left, 5.268816290360e-22, 1e-6, 0.0)


def test_the_whole_distribution_of_every_day() -> None:
    account, _ = case("C_medium")
    dense, train = (solve(account, method=m) for m in (DENSE, TRAIN))
    for day in (0, 3, 17, 40):
        a, b = (x.classes[account.classes[0].name].left(day) for x in (dense, train))
        close(a, b, 1e-7)
        close(a.sum(), 1.0, 1e-9)
        close(b.sum(), 1.0, 1e-9)


def chains(classes: int, stages: int, declared: int) -> Account:
    """Classes of equal make, looked at together at the first stage and apart at the last."""
    names = [f"class {k}" for k in range(classes)]
    kinds = tuple(
        ItemClass(name, declared, (0.7, 0.2, 0.1), tuple(Stage(f"s{s}", 0.4) for s in range(stages)), 0.05) for name in names
    )
    looks = [Look(f"{n} {d}", ((d, 1.0),), f"s{stages - 1}", ((n, 1),), p=0.7, phi=0.1) for n in names for d in (3, 5)]
    if classes > 1:
        both = tuple((n, 1) for n in names[:2])
        looks.append(Look("both", ((2, 1.0),), "s0", both, sorts=True, p=0.6, phi=0.1))
    mixed = {n: {n: 0.8, names[(k + 1) % classes]: 0.15} for k, n in enumerate(names)} if classes > 1 else {}
    return Account(kinds, 6, tuple(looks), {}, mixed)


@pytest.mark.slow
def test_many_stages_and_classes_cost_by_their_number() -> None:
    account = chains(classes=3, stages=5, declared=6)
    dense, train = needed(account)
    assert dense.memory > 1e12
    assert train.memory < 1e9
    found = solve(account)
    assert found.method == TRAIN
    assert all(np.isclose(c.left(6).sum(), 1.0, atol=1e-8) for c in found.classes.values())


def test_two_classes_with_looks_at_both_agree_with_dense_windows() -> None:
    account = chains(classes=2, stages=2, declared=3)
    dense, train = (solve(account, method=m) for m in (DENSE, TRAIN))
    close(dense.loglik, train.loglik, 1e-9)
    close(dense.p_none_left, train.p_none_left, 1e-9)
    for name, one in dense.classes.items():
        close(one.mean_left, train.classes[name].mean_left, 1e-8)
        close(one.undeclared, train.classes[name].undeclared, 1e-8)


def test_decoys_and_a_hidden_visibility_far_apart_in_the_train() -> None:
    kind = ItemClass("a", 2, (0.6, 0.4), (Stage("s0", 0.5), Stage("s1", 0.3)), 0.1, Decoys((0.5, 0.3, 0.2), 0.9))
    other = replace(kind, name="b", declared=1)
    looks = (
        Look("one", ((1, 1.0),), "s0", (("a", 2), ("b", 1)), sorts=True, p=0.7, phi=0.1, decoy_p=0.5, in_pass="p"),
        Look("two", ((1, 0.4), (2, 0.6)), "s1", (("b", 1),), p=0.6, phi=0.2, in_pass="p"),
        Look("three", ((3, 1.0),), "s1", (("a", 1), ("b", 0)), leaving=True, sorts=True, p=0.8, phi=0.1),
    )
    mixed = {"a": {"a": 0.8, "b": 0.1}, "b": {"b": 0.9}}
    account = Account((kind, other), 3, looks, {"p": ((1.0, 0.7), (0.3, 0.3))}, mixed)
    dense, train = (solve(account, method=m) for m in (DENSE, TRAIN))
    close(dense.loglik, train.loglik, 1e-9)
    close(dense.p_no_arrivals, train.p_no_arrivals, 1e-9)
    for name, one in dense.classes.items():
        close(one.mean_left, train.classes[name].mean_left, 1e-8)
        close(one.decoys_last, train.classes[name].decoys_last, 1e-8)


@pytest.mark.slow
def test_a_pass_back_from_the_last_day_gives_the_likelihood_of_a_pass_forward() -> None:
    stages = (Stage("s0", 0.1), Stage("s1", 0.3))
    kind = ItemClass("a", 1800, (0.5, 0.3, 0.2), stages, 0.2)
    looks = tuple(Look(f"{d}", ((d, 1.0),), "s0", (("a", y),), p=0.6, phi=1.0) for d, y in ((0, 1075), (3, 800), (6, 560)))
    account = Account((kind,), 6, looks)
    run = TrainRun(account, 1e-12)
    forward = run.forward()
    close(run.again(account), forward, 1e-9)
    dense = log_likelihood(account, 1e-13)[0]
    close(forward, dense, 1e-10)


# ---- the choice ---------------------------------------------------------------------------------------------------------


def test_small_accounts_take_dense_windows_and_large_ones_the_train() -> None:
    assert chosen(case("C_medium")[0]).method == DENSE
    assert chosen(case("C_large")[0]).method == TRAIN
    assert chosen(case("C_medium")[0], TRAIN).method == TRAIN
    with pytest.raises(ModelError, match="no method 'sampling'"):
        solve(case("C_small")[0], method="sampling")


@pytest.mark.parametrize("stages", [1, 3])
def test_ten_million_items_are_refused_with_the_memory_they_need(stages: int) -> None:
    kind = ItemClass("a", 10**7, (0.5, 0.5), tuple(Stage(f"s{s}", 0.2) for s in range(stages)), 0.1)
    tracemalloc.start()
    with pytest.raises(ModelError, match=r"about [\d,]+\.\d GB of memory would be needed"):
        solve(Account((kind,), 20, ()))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2e7


def test_a_record_too_large_to_tabulate_is_refused() -> None:
    account = chains(classes=2, stages=1, declared=1000)
    counts = tuple((c.name, 900) for c in account.classes)
    look = Look("all", ((0, 1.0),), "s0", counts, sorts=True, p=0.9)
    with pytest.raises(ModelError, match="GB of memory would be needed"):
        solve(replace(account, looks=(look,)))


# ---- likelihood alone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tolerance", [1e-6, 1e-8, 1e-12])
def test_the_likelihood_alone_is_right_to_its_tolerance(tolerance: float) -> None:
    account, _ = case("C_medium")
    found = solve(account)
    loglik, none, mean = log_likelihood(account, tolerance)
    close(loglik, found.loglik, 0.0, 400 * tolerance)
    close(none, found.p_none_left, 400 * tolerance)
    close(mean, found.classes[account.classes[0].name].mean_left[-1], 4000 * tolerance)


def test_the_likelihood_alone_where_hardly_any_state_has_none_left() -> None:
    kind = ItemClass("a", 30, (1.0,), (Stage("s0", 0.05),))
    account = Account((kind,), 2, ())
    _, none, mean = log_likelihood(account)
    close(log(none), 30 * log(1 - 0.95**2), 1e-9)
    close(mean, 30 * 0.95**2, 1e-5)


def test_the_likelihood_of_what_cannot_be() -> None:
    kind = ItemClass("a", 3, (1.0,), (Stage("s0", 0.5),))
    account = Account((kind,), 1, (Look("five", ((1, 1.0),), "s0", (("a", 5),), p=0.5),))
    assert log_likelihood(account)[0] == -np.inf
    for method in (DENSE, TRAIN):
        with pytest.raises(ImpossibleError, match="five"):
            solve(account, method=method)


# ---- parts --------------------------------------------------------------------------------------------------------------


def test_what_a_sketch_finds_of_a_matrix_is_within_what_was_asked() -> None:
    n = np.arange(300.0)
    smooth = np.exp(-0.5 * ((n[:, None] - n[None, :200] * 1.3) / 40) ** 2)
    for matrix in (smooth, smooth.T, np.eye(60, 90), np.zeros((40, 50))):
        miss = 1e-9 * float(np.linalg.norm(matrix))
        left, inner, missed, turned = factors(matrix, miss, 4)
        assert np.linalg.norm(matrix - left @ inner) <= max(3 * miss, 1e-13)
        assert missed <= 3 * miss
        side = left.T @ left if turned else inner @ inner.T
        np.testing.assert_allclose(side, np.eye(len(side)), atol=1e-10)
    assert factors(smooth, 1e-9 * float(np.linalg.norm(smooth)), 4)[0].shape[1] < 60


def test_the_sketch_is_the_same_at_every_call() -> None:
    a = sketch(50, 20).tobytes()
    sketch(4000, 60)
    assert sketch(50, 20).tobytes() == a


def test_the_sum_of_trains() -> None:
    random = np.random.default_rng(5)
    parts = [Chain([random.random((1, 4, 2)), random.random((2, 5, 3)), random.random((3, 2, 1))]) for _ in range(3)]

    def whole(chain: Chain) -> Any:
        return np.einsum("aib,bjc,ckd->ijk", *chain.cores)

    wanted = sum(whole(c) for c in parts)
    found, missed = added(parts, 1e-13)
    np.testing.assert_allclose(whole(found), wanted, rtol=1e-11)
    assert missed < 1e-9


def test_moves_are_what_they_say_and_their_adjoints() -> None:
    random, room = np.random.default_rng(2), moves.Room()
    kernels = Kernels(Account((ItemClass("a", 1, (1.0,), (Stage("s0"),)),), 0, ()), 1e-13)
    for _ in range(200):
        branches, before, rows, held, after = (int(x) for x in random.integers(1, 5, 5))
        low, q = int(random.integers(0, 5)), float(random.random())
        least = int(random.integers(0, low + rows))
        kept = int(random.integers(1, low + rows - least + 1))
        first = int(random.integers(0, 3))
        last = int(random.integers(first + 1, held + rows + low + 3))
        kernel = kernels.hop(q, (least, least + kept - 1), (low, low + rows - 1))[None]
        values = random.random((branches, before, rows, held, after))
        wanted = np.zeros((branches, before, kept, last - first, after))
        for a in range(kept):
            for i in range(rows):
                gone = low + i - least - a
                for j in range(held):
                    if gone >= 0 and 0 <= j + gone - first < last - first:
                        wanted[:, :, a, j + gone - first] += kernel[0, a, i] * values[:, :, i, j]
        moved = moves.hop_on(values, 2, kernel, low - least, (first, last), room).copy()
        np.testing.assert_allclose(moved, wanted, rtol=1e-12)
        later = random.random(wanted.shape)
        back = moves.hop_back(later, 2, kernel, low - least, (first, last), held, room)
        np.testing.assert_allclose((back * values).sum(), (later * wanted).sum(), rtol=1e-11)


def test_the_sums_of_a_table() -> None:
    table = np.random.default_rng(3).random((3, 4, 2))
    wanted = np.zeros(7)
    for place, value in np.ndenumerate(table):
        wanted[sum(place)] += value
    np.testing.assert_allclose(moves.sums(table), wanted)


@pytest.mark.slow
def test_two_runs_of_the_train_give_the_same_bytes() -> None:
    account = case("C_medium")[0]
    found = [solve(account, method=TRAIN).classes[account.classes[0].name] for _ in range(2)]
    assert found[0].mean_left.tobytes() == found[1].mean_left.tobytes()
    assert found[0].left(9).tobytes() == found[1].left(9).tobytes()
