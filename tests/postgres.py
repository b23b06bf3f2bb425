"""A real PostgreSQL server for tests, on a free port of loopback, that writes to disk as a real one does.

It is Debian's package: the newest of /usr/lib/postgresql. Where there is none the tests that need it fail. A developer who has a
server already names it: TALLYBOOK_TEST_DATABASE=postgresql://owner@host/database (the owner must be able to make roles).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

OWN = "TALLYBOOK_TEST_DATABASE"
DO = "apt-get install postgresql (or name a server: TALLYBOOK_TEST_DATABASE=postgresql://…)"


class NoServerError(Exception):
    """There is no PostgreSQL here that could be started."""


def programs() -> Path:
    """Where Debian keeps the programs of the newest server. Raises NoServerError where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise NoServerError(f"no PostgreSQL server on this machine: {DO}")
    return found[-1].parent


@dataclass(frozen=True, slots=True)
class Server:
    """A server of our own, in a folder."""

    folder: Path
    port: int
    user: str

    @property
    def url(self) -> str:
        """Of its first database, as its owner."""
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *arguments: str) -> None:
        # A server refuses to run as root.
        command = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*command, str(programs() / program), *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            log = self.folder / "server.log"
            raise NoServerError(f"{program} failed: {done.stderr}{log.read_text() if log.exists() else ''}")

    def make(self) -> None:
        """Make its files."""
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=on"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-o", options, "-l", str(self.folder / "server.log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it. `immediate` is what a power cut is to it: it recovers from its log at the next start."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that is there for a while. Raises NoServerError where none can be started."""
    programs()
    folder = Path(tempfile.mkdtemp(prefix="tallybook-postgres-"))
    user = "postgres"
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    else:
        import getpass

        user = getpass.getuser()
    server = Server(folder, _free_port(), user)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a database whose owner may make schemas and roles."""
    named = os.environ.get(OWN)
    if named:
        yield named
        return
    try:
        with running_server() as server:
            yield server.url
    except NoServerError as error:
        pytest.fail(str(error))


_NUMBERS = count(1)


@pytest.fixture(scope="session")
def new_schema(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Gives names of schemas that nobody else uses; they and their roles are gone at the end."""
    import psycopg

    given: list[str] = []

    def name() -> str:
        given.append(f"tallybook_test_{os.getpid()}_{next(_NUMBERS)}")
        return given[-1]

    yield name
    if os.environ.get(OWN):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            for schema in given:
                connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
                connection.execute(f"DROP ROLE IF EXISTS {schema}_writer")
