"""Where the ledger of a case is, and with what key it signs. The clock, randomness and files come in here and nowhere below."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tallybook.errors import TallybookError
from tallybook.ledger.entry import EntryError
from tallybook.ledger.ledger import Ledger
from tallybook.ledger.store import NO_LEDGER, Store, StoreError

LEDGER = "ledger.db"
"""The SQLite file in a case folder."""
VKEYS = "ledger.vkey"
"""The ledger's public keys in a case folder, one a line: a folder that has it has a ledger."""
WITNESSES = "ledger.witnesses"
"""The witnesses' public keys, one a line, each with its address behind it where it has one."""
DATABASE = "TALLYBOOK_DATABASE"
KEY = "TALLYBOOK_KEY"
OWN_FILES = (LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm", f"{LEDGER}-turn", VKEYS, WITNESSES)
"""Files in a case folder that are the ledger's and no part of the case."""

_NOT_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Place:
    """The ledger of the case in `folder`: in a file there, or under the case's name in a PostgreSQL database."""

    folder: Path
    database: str = ""

    @property
    def name(self) -> str:
        """The name of the case."""
        return self.folder.resolve().name if self.folder.name in ("", ".", "..") else self.folder.name

    @property
    def schema(self) -> str:
        """The schema of the database."""
        return f"case_{_NOT_A_NAME.sub('_', self.name.casefold()).strip('_')[:40]}"

    @property
    def file(self) -> Path:
        """The SQLite file: CASE/ledger.db, or the file itself that was given for a case."""
        return self.folder if _is_file(self.folder) else self.folder / LEDGER

    @property
    def shown(self) -> str:
        """What to call it in a message; never with a password."""
        return f"{self.schema} in the database" if self.database else str(self.file)


def place_of(case: Path, database: str | None, environment: Mapping[str, str]) -> Place:
    """Where the ledger of a case would be. Raises TallybookError for a database that is not PostgreSQL's."""
    named = database or environment.get(DATABASE, "")
    if named and not named.startswith(("postgresql://", "postgres://")):
        raise TallybookError(
            "not postgresql://USER@HOST/DATABASE", where="--database", do="name a PostgreSQL database, or leave it out"
        )
    return Place(case, named)


def has_ledger(place: Place) -> bool:
    """Whether the case has a ledger. Raises StoreError where a ledger is due (the folder holds its public key) and is missing."""
    found = _in_database(place) if place.database else _is_file(place.file)
    if not found and not _is_file(place.folder) and _is_file(place.folder / VKEYS):
        do = f"put it back, or name its database ({DATABASE} or --database); without it nothing tells what was on file"
        raise StoreError(f"the ledger is missing, and {VKEYS} says that there is one", where=str(place.folder), do=do)
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _in_database(place: Place) -> bool:
    try:
        open_store(place)
    except StoreError as error:
        if error.what == NO_LEDGER:
            return False
        raise
    return True


_open: dict[Place, Store] = {}


def open_store(place: Place) -> Store:
    """The store: the one that is open already, or a new one, until `close_stores`. Raises StoreError."""
    if place not in _open:
        _open[place] = new_store(place)
    return _open[place]


def close_stores() -> None:
    """Close every store that was opened here."""
    while _open:
        _open.popitem()[1].close()


def new_store(place: Place) -> Store:
    """The store, through connections of its own, which the caller closes. Raises StoreError."""
    if place.database:
        from tallybook.ledger.postgres import PostgresStore

        return PostgresStore(place.database, place.schema)
    from tallybook.ledger.sqlite import SqliteStore

    return SqliteStore(place.file)


def make_store(place: Place, origin: str) -> Store:
    """A new log, open until `close_stores`. Raises StoreError where there is one."""
    if place.database:
        from tallybook.ledger.postgres import PostgresStore

        _open[place] = PostgresStore.make(place.database, place.schema, origin)
    else:
        from tallybook.ledger.sqlite import SqliteStore

        _open[place] = SqliteStore.make(place.file, origin)
    return _open[place]


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def key_file(origin: str, given: Path | None, environment: Mapping[str, str]) -> Path:
    """Where the private key of a ledger is: as given, as TALLYBOOK_KEY says, or in the user's own folder."""
    if given is not None:
        return given
    if environment.get(KEY):
        return Path(environment[KEY])
    home = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "tallybook" / "keys" / f"{_NOT_A_NAME.sub('-', origin.casefold()).strip('-')}.key"


def make_key(path: Path, name: str, *, cosigns: bool = False) -> str:
    """Write a new private key that only its owner may read, and return the public one. Raises TallybookError."""
    from tallybook.ledger.keys import COSIGNATURE, ED25519, generate

    secret, public = generate(name, os.urandom(32), COSIGNATURE if cosigns else ED25519)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{secret}\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise TallybookError("there is a key already", where=str(path), do="use it, or name another file with --key") from error
    except OSError as error:
        raise TallybookError(
            f"cannot be written: {error.strerror}", where=str(path), do="name a file of your own with --key"
        ) from error
    return public


def own_key(path: Path, name: str) -> str:
    """The public key of the private key in a file, made where there is none. Raises TallybookError for one of another name."""
    from tallybook.ledger.keys import parse_signer, vkey

    if not path.is_file():
        return make_key(path, name)
    signer = parse_signer(read_small(path).strip())
    if signer.name != name:
        raise TallybookError(f"it is the key of {signer.name}", where=str(path), do="name another file with --key")
    return vkey(signer.verifier)


def is_begun(place: Place) -> bool:
    """Whether there is a ledger in which nothing is filed yet, as one that was stopped while it was made."""
    if not has_ledger(place):
        return False
    with open_store(place).read() as reading:
        return reading.size() == 0


def read_small(path: Path, most: int = 100_000) -> str:
    """A small text file. Raises TallybookError."""
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
        if len(raw) > most:
            raise TallybookError(f"over {most:,} bytes", where=str(path), do="give the right file")
        return raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        what = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else "not text"
        raise TallybookError(what, where=str(path), do="make it a readable file") from error


def open_ledger(place: Place, key: Path | None, environment: Mapping[str, str], *, clock_is_right: bool = False) -> Ledger:
    """The ledger to write to. It signs where its private key is at hand; else somebody who has it does.

    Raises StoreError, and TallybookError for a key that is no key, or of another ledger.
    """
    from datetime import timedelta

    from tallybook.ledger.checkpoint import Checkpoint
    from tallybook.ledger.keys import parse_signer, vkey
    from tallybook.ledger.ledger import LARGEST_JUMP
    from tallybook.ledger.signed import sign_checkpoint

    store = open_store(place)
    origin = store.settings()["origin"]
    path = key_file(origin, key, environment)
    jump = timedelta.max if clock_is_right else LARGEST_JUMP
    if not path.is_file():
        if key is not None:
            raise TallybookError("no such key", where=str(path), do="give the file of the ledger's private key")
        return Ledger(store, now, os.urandom, largest_jump=jump)
    signer = parse_signer(read_small(path).strip())
    if signer.name != origin:
        raise TallybookError(
            f"the key of {signer.name}, not of {origin}", where=str(path), do="give this ledger's key with --key"
        )
    _check_is_newest(place, vkey(signer.verifier), path)
    _check_grew(place, store, origin)

    def sign(size: int, root: bytes) -> str:
        return sign_checkpoint(Checkpoint(origin, size, root), [signer]).decode()

    return Ledger(store, now, os.urandom, sign, largest_jump=jump)


def _check_is_newest(place: Place, public: str, path: Path) -> None:
    """Raise TallybookError for a key that the case does not name, or named before another."""
    if not _is_file(place.folder / VKEYS):
        return
    known = [line.strip() for line in read_small(place.folder / VKEYS).splitlines() if line.strip()]
    if known and public != known[-1]:
        what = "a key that was given up for a newer one" if public in known else "a key that the case does not know"
        raise TallybookError(
            what, where=str(path), do=f"sign with the last key of {place.folder / VKEYS}: give its file with --key"
        )


def _check_grew(place: Place, store: Store, origin: str) -> None:
    """Raise StoreError unless the entries are those that were last signed for: what was changed since must not be signed anew."""
    from tallybook.ledger.growth import nodes
    from tallybook.ledger.signed import read_checkpoint
    from tallybook.ledger.tree import EMPTY_ROOT, range_hash

    with store.read() as reading:
        note = reading.checkpoint()
        if note is None:
            return
        head = read_checkpoint(note.encode())[0]
        root = None
        if head.size <= reading.size():
            root = range_hash(nodes(reading, head.size), 0, head.size) if head.size else EMPTY_ROOT
    if root != head.root or head.origin != origin:
        do = "tallybook ledger audit says what does not fit; nothing is signed before that is settled"
        raise StoreError(f"its first {head.size} entries are not those that were signed for", where=place.shown, do=do)


def vkeys(place: Place, given: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The public keys to trust for this ledger: those given, or those in the case folder."""
    if given:
        return given
    path = place.folder / VKEYS
    if place.folder.is_file() or not path.is_file():
        do = "give its public key with --key: it stands in the case folder and on every briefing"
        raise TallybookError("no public key to check it with", where=place.shown, do=do)
    return tuple(line.strip() for line in read_small(path).splitlines() if line.strip())


def author_of(given: str | None, environment: Mapping[str, str]) -> str:
    """Who files: as given, as TALLYBOOK_AUTHOR says, or the user's name. Raises EntryError where nobody is named."""
    found = given or environment.get("TALLYBOOK_AUTHOR") or environment.get("USER") or environment.get("LOGNAME") or ""
    if not found:
        raise EntryError("nobody is named as the filer", where="--author", do="name one, or set TALLYBOOK_AUTHOR")
    return found
