"""A log in one schema of a PostgreSQL database: for a team. The server's commit is on disk before it is acknowledged.

One writer at a time holds an advisory lock of the database; readers have a snapshot and wait for nobody. Writers work under a
role that may read and add only (`postgres_tables`). Needs psycopg 3: pip install 'tallybook[postgres]'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock, RLock, local
from typing import TYPE_CHECKING, Any

from tallybook.ledger.postgres_tables import APPLICATION, FORM, GUARDS, RIGHTS, TABLES
from tallybook.ledger.postgres_told import AGAIN, place_of, told
from tallybook.ledger.postgres_view import PostgresReading, PostgresWriting
from tallybook.ledger.store import StoreError, check_settings

if TYPE_CHECKING:
    from psycopg import Connection, Error

    Link = Connection[tuple[Any, ...]]

LOCK_SECONDS = 60
"""That a writer waits for another."""
STATEMENT_SECONDS = 300
"""That one question to the server may take."""
IDLE_SECONDS = 120
"""That a writer may hold the log and do nothing; then the server lets others in, and its work counts for nothing."""
CONNECT_SECONDS = 10
OLDEST = 150_000
"""PostgreSQL 15, as the server counts its versions."""

_SCHEMA = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,50}", re.ASCII)
_SIZE = "SELECT coalesce(max(seq) + 1, 0) FROM entry"


class PostgresStore:
    """A log in a schema. Threads may share it: each reads through a connection of its own, and all write through one."""

    def __init__(self, url: str, schema: str) -> None:
        """Open it. `url` is postgresql://user@host/database.

        Raises StoreError where psycopg is missing, the server does not answer, or the schema is no ledger.
        """
        self._url, self._schema = url, _checked(schema)
        self.place = place_of(url, schema)
        self._local = local()
        self._lock = Lock()
        self._open: list[Link] = []
        self._writer = RLock()
        self._writing: Link | None = None
        self._role = ""
        self._key = 0
        try:
            with told(self.place):
                self._find()
        except BaseException:
            self.close()
            raise

    def _find(self) -> None:
        link = self._connection()
        row = link.execute("SELECT to_regclass(%s)::oid::bigint", (f"{self._schema}.setting",)).fetchone()
        if row is None or row[0] is None:
            raise StoreError("no such ledger", where=self.place, do="tallybook ledger init makes one")
        self._key = (0x5442 << 40) | row[0]
        found: dict[str, str] = dict(link.execute("SELECT name, value FROM setting").fetchall())
        if found.get("application") != APPLICATION:
            raise StoreError("a schema, but no ledger", where=self.place, do="give the ledger's own schema")
        if found.get("form") != FORM:
            raise StoreError(f"a ledger of form {found.get('form')}", where=self.place, do="read it with a newer Tallybook")
        self._role = _checked(str(found.get("writer")))
        link.execute(f"SET ROLE {self._role}")

    @classmethod
    def make(cls, url: str, schema: str, origin: str) -> PostgresStore:
        """Make a new log: its schema, tables, guard rails, and the role SCHEMA_writer, which may read and add only.

        Whoever is to write needs that role: GRANT schema_writer TO person. Raises StoreError where something is in its place, or
        the owner may not make a schema or role.
        """
        place, writer = place_of(url, _checked(schema)), f"{schema}_writer"
        names = {"schema": schema, "writer": writer}
        with told(place), _connect(url) as link:
            if link.info.server_version < OLDEST:
                raise StoreError("the server is older than PostgreSQL 15", where=place, do="use a newer server")
            with link.transaction():
                if link.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).rowcount:
                    do = "give another name; a ledger is never overwritten"
                    raise StoreError("there is a schema of this name already", where=place, do=do)
                link.execute(f"CREATE SCHEMA {schema}")
                link.execute(f"SET LOCAL search_path = {schema}, pg_temp")
                link.execute(TABLES + GUARDS.format(**names))
                if not link.execute("SELECT FROM pg_roles WHERE rolname = %s", (writer,)).rowcount:
                    link.execute(f"CREATE ROLE {writer} NOLOGIN")
                link.execute(RIGHTS.format(**names))
                for row in (("application", APPLICATION), ("form", FORM), ("origin", origin), ("writer", writer)):
                    link.execute("INSERT INTO setting VALUES (%s, %s)", row)
        return cls(url, schema)

    def _connection(self) -> Link:
        """This thread's connection to read through. One that broke is replaced."""
        kept: Link | None = getattr(self._local, "link", None)
        if kept is None or kept.closed:
            self._local.link = kept = self._connected()
        return kept

    def _connected(self) -> Link:
        link = _connect(self._url)
        # A plan made while the log was small would read all of it for ever: every question of ours has an index.
        link.execute(
            f"SET search_path = {self._schema}, pg_temp; SET lock_timeout = '{LOCK_SECONDS}s';"
            f"SET statement_timeout = '{STATEMENT_SECONDS}s'; SET idle_in_transaction_session_timeout = 0;"
            "SET enable_seqscan = off;" + (f"SET ROLE {self._role};" if self._role else "")
        )
        with self._lock:
            self._open = [one for one in self._open if not one.closed]
            self._open.append(link)
        return link

    def _writing_connection(self) -> Link:
        if self._writing is None or self._writing.closed:
            self._writing = self._connected()
            self._writing.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
        return self._writing

    def _begin(self, link: Link, beginning: str) -> int:
        """Begin, and give the size: one question to the server, so that the snapshot is of now."""
        cursor = link.execute(f"{beginning}; {_SIZE}")
        while cursor.nextset():
            pass
        row = cursor.fetchone()
        assert row is not None
        size: int = row[0]
        return size

    def settings(self) -> Mapping[str, str]:
        """What was set when it was made."""
        with self.read() as reading:
            return check_settings(dict(reading.rows("SELECT name, value FROM setting")), self.place)

    @contextmanager
    def read(self) -> Iterator[PostgresReading]:
        """A view as of now: one snapshot."""
        with told(self.place):
            kept: PostgresReading | None = getattr(self._local, "reading", None)
            if kept is not None and not kept.link.closed:
                yield kept
                return
            beginning = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            link = self._connection()
            try:
                size = self._begin(link, beginning)
            except _operational():
                # The server was away since the last call. Nothing was begun: try once with a new connection.
                if not link.broken:
                    link.rollback()
                    raise
                link = self._connection()
                size = self._begin(link, beginning)
            self._local.reading = reading = PostgresReading(link, size)
            try:
                yield reading
            finally:
                self._local.reading = None
                if not link.closed:
                    link.rollback()

    @contextmanager
    def write(self) -> Iterator[PostgresWriting]:
        """Be the one writer; an error takes back all that was written.

        Where the connection breaks while the server commits, nobody here can know whether it did: StoreError says to file again.
        """
        if not self._writer.acquire(timeout=LOCK_SECONDS):
            raise StoreError("another writer holds it", where=self.place, do="try again when that is done")
        try:
            with told(self.place):
                link, size = self._begin_writing()
                try:
                    yield PostgresWriting(link, size)
                except BaseException:
                    if not link.closed:
                        link.rollback()
                    raise
                self._commit(link)
        finally:
            self._writer.release()

    def _begin_writing(self) -> tuple[Link, int]:
        beginning = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({self._key})"
        link = self._writing_connection()
        if link.info.transaction_status.name != "IDLE" and not link.closed:
            raise StoreError("writing within writing", where=self.place, do="leave the first before the second")
        try:
            return link, self._begin(link, beginning)
        except _operational():
            if not link.broken:
                link.rollback()
                raise
            link = self._writing_connection()
            return link, self._begin(link, beginning)

    def _commit(self, link: Link) -> None:
        try:
            link.execute("COMMIT")
        except _operational() as error:
            if link.broken:
                raise StoreError("the server's answer to a commit was lost", where=self.place, do=AGAIN) from error
            raise

    def put_checkpoint(self, size: int, note: str) -> None:
        """Keep a signed checkpoint. No wait for the disk: it can always be signed anew."""
        with self._writer, told(self.place):
            link = self._writing_connection()
            with link.transaction():
                link.execute("SET LOCAL synchronous_commit = off")
                link.execute("INSERT INTO checkpoint VALUES (%s, %s) ON CONFLICT DO NOTHING", (size, note))

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for link in self._open:
                link.close()
            self._open.clear()
        self._writing = None
        self._local = local()


def _checked(schema: str) -> str:
    if not _SCHEMA.fullmatch(schema):
        what = f"the schema name {schema[:60]!r}"
        raise StoreError(what, do="use up to 50 small letters, digits and underscores, a letter first, not pg_")
    return schema


def _connect(url: str) -> Link:
    try:
        import psycopg
    except ImportError as error:
        raise StoreError("psycopg is not installed", do="pip install 'tallybook[postgres]'") from error
    # We begin and end transactions ourselves, several statements to a question.
    return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="tallybook")


def _operational() -> type[Error]:
    import psycopg

    return psycopg.OperationalError
