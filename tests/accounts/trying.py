"""Many processes that try to sign in at once."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from accounts.people import CHEAP, NOW, WRONG
from tallybook.accounts.reads import note_read
from tallybook.accounts.sign_in import sign_in
from tallybook.accounts.store import UsersFile
from tallybook.errors import TallybookError


def _try(path: Path, name: str, count: int, start: Barrier, out: Queue[list[str]]) -> None:
    file, told = UsersFile(path), []
    start.wait()
    for _ in range(count):
        try:
            sign_in(file, name, WRONG, NOW, CHEAP)
            told.append("in")
        except TallybookError as error:
            told.append(error.what)
    out.put(told)


def _note(path: Path, name: str, count: int, start: Barrier, out: Queue[list[str]]) -> None:
    file = UsersFile(path)
    start.wait()
    out.put([str(note_read(file, name, "case", f"board {n}", "", None, None, NOW).seq) for n in range(count)])


def _at_once(what: str, path: Path, name: str, processes: int, count: int) -> Counter[str]:
    context = multiprocessing.get_context("spawn")
    start, out = context.Barrier(processes), context.Queue()
    target = {"try": _try, "note": _note}[what]
    running = [context.Process(target=target, args=(path, name, count, start, out)) for _ in range(processes)]
    for process in running:
        process.start()
    found: Counter[str] = Counter()
    for _ in running:
        found.update(out.get(timeout=120))
    for process in running:
        process.join(timeout=60)
        assert process.exitcode == 0
    return found


def tries_at_once(path: Path, name: str, processes: int, count: int) -> Counter[str]:
    """What so many processes were told that gave a wrong password so often each."""
    return _at_once("try", path, name, processes, count)


def notes_at_once(path: Path, name: str, processes: int, count: int) -> Counter[str]:
    """The numbers that so many processes were given that noted so many reads each."""
    return _at_once("note", path, name, processes, count)
