"""Errors and addresses of PostgreSQL in our words. Nothing that is told may hold a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tallybook.ledger.store import StoreError, StoreFullError

if TYPE_CHECKING:
    from psycopg import Error

# SQLSTATE: https://www.postgresql.org/docs/15/errcodes-appendix.html
_NO_RIGHT = "42501"
_FULL = {"53000", "53100", "25006"}
_TAKEN = {"55P03", "57014", "40P01", "25P03"}
_NOT_READY = {"57P01", "57P02", "57P03", "53300"}
AGAIN = "file it again: what was kept is acknowledged again, and nothing is kept twice"


def place_of(url: str, schema: str) -> str:
    """The address without user and password. Raises StoreError for what is none, and does not repeat it: it may hold a secret."""
    do = "write postgresql://user@host:port/database, with %40 for an @ in a password, %2F for a slash, %23 for a #"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "localhost", parts.port or 5432
    except ValueError:
        raise StoreError("the address of the database cannot be read", do=do) from None
    if parts.scheme not in ("postgresql", "postgres") or parts.netloc.count("@") > 1 or parts.fragment:
        raise StoreError("the address of the database cannot be read", do=do)
    return f"{host}:{port}{parts.path}, schema {schema}"


@contextmanager
def told(place: str) -> Iterator[None]:
    """Say an error of PostgreSQL in our words. Its own words are kept only where the server spoke them: they hold no password."""
    try:
        import psycopg
    except ImportError as error:
        raise StoreError("psycopg is not installed", do="pip install 'tallybook[postgres]'") from error
    try:
        yield
    except psycopg.Error as error:
        raise _in_our_words(error, place) from None


def _in_our_words(error: Error, place: str) -> StoreError:
    state, text = error.sqlstate or "", error.diag.message_primary or ""
    if not state:
        do = f"see that the server runs and lets you in; then {AGAIN}"
        return StoreError(f"the server does not answer, or the connection broke{_told_at_the_door(error)}", where=place, do=do)
    if state == _NO_RIGHT:
        return StoreFullError(f"no right: {text}", where=place, do="let the owner GRANT the ledger's writer role to you")
    if state in _FULL:
        do = "make room, or let it be written; what was acknowledged is still there, and can be read"
        return StoreFullError(f"cannot be written: {text}", where=place, do=do)
    if state in _TAKEN:
        return StoreError(f"it took too long: {text}", where=place, do="try again when others are done")
    if state in _NOT_READY:
        return StoreError(f"the server is not ready: {text}", where=place, do=f"try again in a moment; {AGAIN}")
    return StoreError(f"refused: {text}", where=place, do="tallybook ledger audit says what does not fit")


def _told_at_the_door(error: Error) -> str:
    """What the server or the network said when it was called; of the library's words only known ones: they may quote a secret."""
    text = str(error)
    _, fatal, said = text.rpartition("FATAL:")
    if fatal:
        return f": {said.strip()}"
    known = ("Connection refused", "could not translate host name", "timeout expired", "no password supplied", "SSL")
    return next((f": {words}" for words in known if words in text), "")
