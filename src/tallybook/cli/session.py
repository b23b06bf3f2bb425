"""Who is signed in at the command line, what their roles permit, and the note of what they were shown.

Without TALLYBOOK_TOKEN nobody is: whoever holds the files of a case reads them anyway, and answers for themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from tallybook.errors import TallybookError

if TYPE_CHECKING:
    from pathlib import Path

    from tallybook.accounts.session import SignedIn

TOKEN = "TALLYBOOK_TOKEN"  # noqa: S105
_META = "tallybook.session"

_READS = "read"
_ACTS = {
    "board": _READS,
    "why": _READS,
    "owed": _READS,
    "holdings": _READS,
    "changes": _READS,
    "check": _READS,
    "agreement": _READS,
    "report": "file reports",
    "count": "file under a class",
    "ledger": "read the whole books",
    "marking": "regrade",
    "redact": "release",
    "release": "release",
}
"""What a command takes. One that is not here needs nobody to be signed in, or sees to it itself."""


def sign_in(command: str | None) -> None:
    """Note who TALLYBOOK_TOKEN says is asking. Raises TallybookError for a token that is no good, a role that is not enough."""
    if not os.environ.get(TOKEN, "").strip() or command not in _ACTS:
        return
    from tallybook.accounts.session import session
    from tallybook.registry.place import now

    found = session(os.environ, now())
    if found is None:
        return
    found.require(_ACTS[command])
    click.get_current_context().find_root().meta[_META] = found


def signed_in() -> SignedIn | None:
    """Who is signed in; None where nobody is."""
    found: SignedIn | None = click.get_current_context().meta.get(_META)
    return found


def note(case: Path, marking: str) -> None:
    """Note that what is so marked is about to be shown to who is signed in. Raises TallybookError where it cannot be noted."""
    who = signed_in()
    if who is None:
        return
    from tallybook.accounts.reads import note_read
    from tallybook.accounts.store import UsersFile, users_path
    from tallybook.registry.place import now

    context = click.get_current_context()
    asked = {name: context.params.get(name) for name in ("on", "known")}
    path = context.command_path.partition(" ")[2]
    note_read(UsersFile(users_path(os.environ, None)), who.user, str(case), path, marking, asked["on"], asked["known"], now())


_TABLES = {"reports/reviews.csv": "review", "reports/bearings.csv": "make bearings", "reports/marking_acts.csv": "regrade"}


def check_tables(names: Iterable[str]) -> None:
    """Raise TallybookError where somebody is signed in whose roles do not permit to file in one of these tables."""
    who = signed_in()
    for name in names if who is not None else ():
        assert who is not None
        who.require(_TABLES.get(name, "file reports"))


def check_whole(opens: Callable[[str], bool]) -> None:
    """Raise TallybookError where somebody is signed in for whom, as `opens` tells of their reader, not all of a case is there."""
    who = signed_in()
    if who is not None and not opens(who.reader):
        do = "ask for what you may see: board, why and the others; whoever keeps the case has the rest"
        raise TallybookError(f"{who.user} may not see the whole books", where="sign-in", do=do)


def check_by(name: str) -> None:
    """Raise TallybookError where somebody is signed in and acts in another's name."""
    who = signed_in()
    if who is not None and name != who.reader:
        do = f"write --by {who.reader}, or sign out"
        raise TallybookError(f"{who.user} is signed in, and not {name}", where="--by", do=do)
