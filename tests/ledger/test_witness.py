"""The witness: what it cosigns, what it refuses, and what it never forgets."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.known_logs import KEYS, LOG, NOON, ORIGIN, STRANGER, WITNESS, leaves, nodes, note, taken
from tallybook.errors import TallybookError
from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.cosignature import WitnessPolicy
from tallybook.ledger.fork import check, parse_fork
from tallybook.ledger.note import SignatureError, parse_note, sign_note
from tallybook.ledger.signed import sign_checkpoint
from tallybook.ledger.tree import EMPTY_ROOT, consistency_proof, leaf_hash
from tallybook.ledger.witness import (
    LONGEST_REQUEST,
    MOST_HASHES,
    Answer,
    MemoryState,
    Request,
    RequestError,
    Seen,
    Witness,
    format_request,
    parse_request,
)
from tallybook.ledger.witness_exchange import (
    LONGEST_ANSWER,
    AnswerError,
    WitnessBehindError,
    WitnessRefusedError,
    cosigned_note,
    format_answer,
    parse_answer,
)
from tallybook.ledger.witness_state import FolderState, WitnessStateError, write_durably

OTHER = [leaf_hash(b"another history %d" % n) for n in range(40)]


def witness(state: MemoryState | FolderState | None = None) -> Witness:
    return Witness(WITNESS, {ORIGIN: KEYS}, state or MemoryState())


def request(old: int, new: int, hashes: list[bytes] | None = None, **changed: object) -> bytes:
    found = hashes or leaves(new)
    proof = consistency_proof(nodes(found), old, new) if 0 < old <= new else []
    parts: dict[str, object] = {"old": old, "proof": tuple(proof), "note": note(new, found), **changed}
    return format_request(Request(**parts))  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_a_log_that_grows_is_cosigned_each_time(steps: list[int]) -> None:
    one, state, size = witness(), MemoryState(), 0
    one = witness(state)
    for step in steps:
        raw = request(size, size + step)
        answer = one.add_checkpoint(raw, NOON)
        size += step
        assert answer.status == 200
        signed = cosigned_note(note(size), answer, [WITNESS.verifier])
        assert WitnessPolicy((WITNESS.verifier,), 1).check(parse_note(signed)) == {WITNESS.name: NOON}
        assert one.checkpoint_of(ORIGIN) == signed == state.seen[ORIGIN].note


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request(0, 9), 409),
        (request(3, 9), 409),
        (request(5, 5), 200),
        (request(5, 9), 200),
        (request(5, 9, proof=()), 422),
        (request(5, 9, proof=(bytes(32),)), 422),
        (request(5, 9, OTHER), 422),
        (request(5, 5, OTHER, proof=()), 409),
        (request(5, 5, proof=(bytes(32),)), 422),
        (request(5, 3, note=note(3)), 400),
        (request(5, 9, note=sign_checkpoint(Checkpoint(ORIGIN, 9, bytes(32)), [STRANGER])), 403),
        (request(5, 9, note=note(9).replace(b"\n9\n", b"\n8\n")), 403),
        (request(5, 9, note=note(9)[:-3] + b"x=\n"), 403),
        (request(5, 9, note=sign_checkpoint(Checkpoint("example.org/unknown", 9, bytes(32)), [LOG])), 404),
        (request(5, 9, note=b"example.org/unknown\n9\nAA==\n\n\xe2\x80\x94 nothing\n"), 404),
        (request(5, 9, note=sign_note("a letter\n", [LOG])), 400),
        (request(5, 9, note=b""), 400),
        (b"", 400),
        (b"old 5\n", 400),
        (b"old 05\n\n" + note(9), 400),
        (b"old -5\n\n" + note(9), 400),
        (b"old 5 \n\n" + note(9), 400),
        (b"old 5\r\n\r\n" + note(9), 400),
        (b"OLD 5\n\n" + note(9), 400),
        (b"old 5\nAAAA\n\n" + note(9), 400),
        (b"old 5\n\xff\n\n" + note(9), 400),
        (b"x" * (LONGEST_REQUEST + 1), 400),
    ],
)
def test_what_a_witness_answers_that_has_seen_size_5(raw: bytes, status: int) -> None:
    state = MemoryState()
    one = witness(state)
    assert one.add_checkpoint(request(0, 5), NOON).status == 200
    before = dict(state.seen)
    answer = one.add_checkpoint(raw, NOON)
    assert answer.status == status
    assert answer.body.endswith(b"\n")
    if status == 409:
        assert (answer.body, answer.kind) == (b"5\n", "text/x.tlog.size")
    if status != 200:
        assert state.seen == before


def test_the_empty_log() -> None:
    one = witness()
    wrong = format_request(Request(0, (), sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), [LOG])))
    right = format_request(Request(0, (), sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), [LOG])))
    assert one.checkpoint_of(ORIGIN) is None
    assert one.add_checkpoint(wrong, NOON).status == 422
    assert one.add_checkpoint(right, NOON).status == 200
    assert one.add_checkpoint(request(0, 4, proof=(bytes(32),)), NOON).status == 422
    assert one.add_checkpoint(request(0, 4), NOON).status == 200


def test_any_change_of_one_bit_to_a_request_is_refused() -> None:
    seen = MemoryState()
    assert witness(seen).add_checkpoint(request(0, 5), NOON).status == 200

    def ask(changed: bytes) -> None:
        state = MemoryState()
        state.seen.update(seen.seen)
        answer = witness(state).add_checkpoint(changed, NOON)
        if answer.status != 200:
            raise WitnessRefusedError(answer.status, "")

    ask(request(5, 9))
    assert taken(request(5, 9), ask) == []


def test_two_histories_of_one_size_are_kept_as_a_proof() -> None:
    state = MemoryState()
    one = witness(state)
    one.add_checkpoint(request(0, 5), NOON)
    assert one.add_checkpoint(request(0, 5, OTHER), NOON).status == 409
    first = state.forks[ORIGIN]
    small, large = check(parse_fork(first), KEYS)
    assert small.size == large.size == 5
    one.add_checkpoint(request(5, 5, [leaf_hash(b"a third %d" % n) for n in range(5)]), NOON)
    assert state.forks[ORIGIN] == first


class Slipping(MemoryState):
    """A state that another request changes just before each write, `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def advance(self, origin: str, expected: Seen | None, new: Seen) -> bool:
        if self.times:
            self.times -= 1
            return False
        return super().advance(origin, expected, new)


def test_a_request_that_loses_a_race_is_judged_anew() -> None:
    assert Witness(WITNESS, {ORIGIN: KEYS}, Slipping(3)).add_checkpoint(request(0, 5), NOON).status == 200
    assert Witness(WITNESS, {ORIGIN: KEYS}, Slipping(99)).add_checkpoint(request(0, 5), NOON).status == 503


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30))
def test_requests_are_read_as_they_were_written(old: int, more: int) -> None:
    raw = request(old, old + more)
    assert format_request(parse_request(raw)) == raw


def test_requests_that_could_not_be_read_again_are_not_written() -> None:
    for bad in (Request(-1, (), note(1)), Request(0, (b"",), note(1)), Request(0, (bytes(32),) * (MOST_HASHES + 1), note(1))):
        with pytest.raises(RequestError):
            format_request(bad)


# answers


def test_an_answer_by_file() -> None:
    one, raw = witness(), request(0, 5)
    answer = one.add_checkpoint(raw, NOON)
    file = format_answer(raw, answer)
    assert parse_answer(file, raw) == answer
    assert cosigned_note(note(5), parse_answer(file, raw), [WITNESS.verifier]) == one.checkpoint_of(ORIGIN)
    again = one.add_checkpoint(raw, NOON)
    with pytest.raises(WitnessBehindError, match="size 5") as caught:
        cosigned_note(note(5), parse_answer(format_answer(raw, again), raw), [WITNESS.verifier])
    assert caught.value.size == 5
    with pytest.raises(AnswerError, match="another request"):
        parse_answer(file, request(0, 6))


def test_any_change_of_one_bit_to_an_answer_is_refused() -> None:
    raw = request(0, 5)
    file = format_answer(raw, witness().add_checkpoint(raw, NOON))
    assert taken(file, lambda changed: cosigned_note(note(5), parse_answer(changed, raw), [WITNESS.verifier])) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(422, b"no\x1b[31m"), WitnessRefusedError),
        (Answer(409, b"5"), AnswerError),
        (Answer(409, b"-5\n"), AnswerError),
        (Answer(409, b"5\n\n"), AnswerError),
        (Answer(200, b""), AnswerError),
        (Answer(200, b"\n"), AnswerError),
        (Answer(200, b"OK\n"), AnswerError),
        (Answer(200, b"\xff\n"), AnswerError),
        (Answer(200, b"x" * (LONGEST_ANSWER + 1)), AnswerError),
        (Answer(200, "— a AAAAAAA=\n".encode() * 101), AnswerError),
        (Answer(200, "— a AAAAAAA=\n".encode()), SignatureError),
    ],
)
def test_answers_that_are_no_cosignature(answer: Answer, error: type[TallybookError]) -> None:
    with pytest.raises(error) as caught:
        cosigned_note(note(5), answer, [WITNESS.verifier])
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"\n\n", b"tallybook.ledger/witness-answer@v1\nrequest \nstatus 200\n\n", b"x" * (LONGEST_ANSWER + 1)]
)
def test_bytes_that_are_no_answer(raw: bytes) -> None:
    with pytest.raises(AnswerError):
        parse_answer(raw, b"")


def test_a_status_is_three_digits() -> None:
    good = format_answer(b"", Answer(200, b""))
    for bad in (b"status 99", b"status 600", b"status  200", b"state 200"):
        with pytest.raises(AnswerError, match="not a status"):
            parse_answer(good.replace(b"status 200", bad), b"")


# state on disk


def test_a_state_outlives_its_process(tmp_path: Path) -> None:
    state = FolderState.create(tmp_path / "w")
    assert witness(state).add_checkpoint(request(0, 5), NOON).status == 200
    again = witness(FolderState(tmp_path / "w"))
    assert again.add_checkpoint(request(0, 9), NOON).body == b"5\n"
    assert again.add_checkpoint(request(5, 5, OTHER), NOON).status == 409
    forks = list((tmp_path / "w").glob("*.fork"))
    assert check(parse_fork(forks[0].read_bytes()), KEYS)[0].size == 5
    assert again.add_checkpoint(request(5, 9), NOON).status == 200


def test_a_folder_that_was_lost_damaged_or_is_anothers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WitnessStateError, match="not the folder of a witness"):
        FolderState(tmp_path)
    state = FolderState.create(tmp_path / "w")
    with pytest.raises(WitnessStateError, match="not empty"):
        FolderState.create(tmp_path / "w")
    witness(state).add_checkpoint(request(0, 5), NOON)
    file = next((tmp_path / "w").glob("*.checkpoint"))
    for bad, what in (
        (b"", "damaged"),
        (note(5)[:-1], "damaged"),
        (sign_checkpoint(Checkpoint("x", 5, bytes(32)), [LOG]), "checkpoint of x"),
    ):
        file.write_bytes(bad)
        with pytest.raises(WitnessStateError, match=what):
            witness(state).add_checkpoint(request(0, 5), NOON)
    file.unlink()
    file.mkdir()
    with pytest.raises(WitnessStateError, match="cannot be used"):
        state.latest(ORIGIN)
    with pytest.raises(WitnessStateError, match="cannot be used"):
        FolderState.create(tmp_path / "w" / "lock" / "in a file")


def test_nothing_is_cosigned_that_is_not_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = FolderState.create(tmp_path / "w")
    steps: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WitnessStateError, match="No space left"):
        witness(state).add_checkpoint(request(0, 5), NOON)

    def sync(handle: int) -> None:
        steps.append("sync")
        real_sync(handle)

    def replace(self: Path, target: Path) -> Path:
        steps.append("replace")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    assert state.latest(ORIGIN) is None
    assert witness(state).add_checkpoint(request(0, 5), NOON).status == 200
    assert steps == ["sync", "replace", "sync"]


def _grow(folder: Path, out: multiprocessing.Queue[tuple[int, bytes]], hashes: list[bytes]) -> None:
    one = witness(FolderState(folder))
    for size in range(1, 16):
        answer = one.add_checkpoint(request(size - 1, size, hashes), NOON)
        out.put((size if answer.status == 200 else 0, hashes[0]))


def test_two_processes_never_cosign_two_histories(tmp_path: Path) -> None:
    FolderState.create(tmp_path / "w")
    context = multiprocessing.get_context("fork")
    out: multiprocessing.Queue[tuple[int, bytes]] = context.Queue()
    running = [context.Process(target=_grow, args=(tmp_path / "w", out, hashes)) for hashes in (leaves(16), OTHER)]
    for one in running:
        one.start()
    signed = [out.get(timeout=60) for _ in range(30)]
    for one in running:
        one.join()
    assert len({first for size, first in signed if size}) == 1
    assert len({size for size, _ in signed if size}) == len([size for size, _ in signed if size])


def test_threads_share_a_state(tmp_path: Path) -> None:
    one = witness(FolderState.create(tmp_path / "w"))
    statuses: list[int] = []
    threads = [
        Thread(target=lambda h=h: statuses.append(one.add_checkpoint(request(0, 7, h), NOON).status))
        for h in (leaves(7), OTHER) * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 422}


def test_a_write_that_is_cut_short_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def cut(self: Path, target: Path) -> Path:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(OSError, match="Input/output"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
