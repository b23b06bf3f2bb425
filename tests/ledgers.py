"""Ledgers for tests: three places to keep one in, drafts to file in it, and a clock that says what it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest

from tallybook.ledger.checkpoint import Checkpoint
from tallybook.ledger.entry import Draft, canonical_json
from tallybook.ledger.keys import Ed25519Signer
from tallybook.ledger.ledger import Ledger
from tallybook.ledger.memory import MemoryStore
from tallybook.ledger.postgres import PostgresStore
from tallybook.ledger.signed import sign_checkpoint
from tallybook.ledger.sqlite import SqliteStore
from tallybook.ledger.store import Store

ORIGIN = "example.org/log"
SIGNER = Ed25519Signer(ORIGIN, sha256(b"a key of tests").digest())
START = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
KNOWN = "2000-01-01T00:00:00.000000Z"


class Place(Protocol):
    """Where one log is kept, whoever opens it."""

    opened: list[Store]
    """To be closed at the end."""

    def make(self) -> Store:
        """Make the log."""

    def open(self) -> Store:
        """Open it anew, as another process would."""

    @property
    def address(self) -> str:
        """For another process: as `store_at` takes it."""


@dataclass
class MemoryPlace:
    """Nowhere: opening it anew gives the same."""

    store: MemoryStore = field(default_factory=lambda: MemoryStore(ORIGIN))
    opened: list[Store] = field(default_factory=list)
    address = ""

    def make(self) -> Store:
        return self.store

    def open(self) -> Store:
        return self.store


@dataclass
class SqlitePlace:
    """A file."""

    path: Path
    opened: list[Store] = field(default_factory=list)

    def make(self) -> Store:
        self.opened.append(SqliteStore.make(self.path, ORIGIN))
        return self.opened[-1]

    def open(self) -> Store:
        self.opened.append(SqliteStore(self.path))
        return self.opened[-1]

    @property
    def address(self) -> str:
        return str(self.path)


@dataclass
class PostgresPlace:
    """A schema."""

    url: str
    schema: str
    opened: list[Store] = field(default_factory=list)

    def make(self) -> Store:
        self.opened.append(PostgresStore.make(self.url, self.schema, ORIGIN))
        return self.opened[-1]

    def open(self) -> Store:
        self.opened.append(PostgresStore(self.url, self.schema))
        return self.opened[-1]

    @property
    def address(self) -> str:
        return f"{self.url}#{self.schema}"


def store_at(address: str) -> Store:
    """Open a log by the address of its place."""
    url, is_schema, schema = address.partition("#")
    return PostgresStore(url, schema) if is_schema else SqliteStore(Path(address))


MakePlace = Callable[[], Place]


def _maker(request: pytest.FixtureRequest, kind: str) -> MakePlace:
    if kind == "memory":
        return MemoryPlace
    if kind == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("ledger")
        return lambda: SqlitePlace(folder / f"{len(list(folder.iterdir()))}.ledger")
    url, new_schema = request.getfixturevalue("postgres_url"), request.getfixturevalue("new_schema")
    return lambda: PostgresPlace(url, new_schema())


def _places(request: pytest.FixtureRequest) -> Iterator[MakePlace]:
    make, made = _maker(request, request.param), list[Place]()

    def new() -> Place:
        made.append(make())
        return made[-1]

    yield new
    for one in made:
        for store in one.opened:
            store.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def new_place(request: pytest.FixtureRequest) -> Iterator[MakePlace]:
    """Makes places for logs, of each of the three kinds; at the end, what was opened there is closed."""
    yield from _places(request)


@pytest.fixture
def place(new_place: MakePlace) -> Place:
    """A place for one log, of each of the three kinds."""
    return new_place()


@pytest.fixture(params=["sqlite", "postgres"])
def durable(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place that outlives the program."""
    for new in _places(request):
        yield new()


def sign(size: int, root: bytes) -> str:
    """A signed checkpoint of the tests' log."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), [SIGNER]).decode()


@dataclass
class Clock:
    """A clock that goes on a second each time it is read, and can be set."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def draft(number: int | str, text: str = "", **more: object) -> Draft:
    """A report; the same arguments give the same one."""
    body = canonical_json({"number": str(number), "text": text})
    return Draft("report", f"observations/{number}", body, "tester", KNOWN, **more)  # type: ignore[arg-type]


def drafts(start: int, count: int, text: str = "") -> list[Draft]:
    """Reports in a row."""
    return [draft(number, text) for number in range(start, start + count)]


def ledger(
    store: Store,
    clock: Callable[[], datetime] | None = None,
    watch: Callable[[str], None] | None = None,
    sign: Callable[[int, bytes], str] | None = sign,
) -> Ledger:
    """A ledger that signs with the tests' key."""
    return Ledger(store, clock or Clock(), os.urandom, sign, watch=watch or (lambda step: None))


def leaf_hashes(store: Store) -> Sequence[bytes]:
    """All of them."""
    with store.read() as reading:
        return reading.leaf_hashes(0, reading.size())


def file_as_a_process(address: str, worker: int) -> None:
    store = store_at(address)
    book = ledger(store)
    for n in range(12):
        book.append([draft(f"{worker}-{n}"), draft(f"shared-{n}")])
    store.close()
