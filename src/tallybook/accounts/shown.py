"""Users, tokens and notes as they are shown: in a line, or as values for JSON. Never a secret, nor the hash of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tallybook.accounts.reads import Read
from tallybook.accounts.tokens import Token
from tallybook.accounts.users import User
from tallybook.evidence.ingest.told import told
from tallybook.ledger.entry import instant_text


def user_line(user: User) -> str:
    """A user in a line."""
    roles = ", ".join(user.roles) or "no role"
    reader = f", reads as {user.reader}" if user.reader != user.name else ""
    disabled = f"; disabled since {minute(user.disabled)}" if user.disabled else ""
    locked = f"; locked until {minute(user.locked)}" if user.locked else ""
    return f"{user.name}{reader}: {roles}{disabled}{locked}"


def user_json(user: User) -> dict[str, Any]:
    """A user as values. Times are UTC to the microsecond, or null."""
    return {
        "name": user.name,
        "reader": user.reader,
        "roles": list(user.roles),
        "created": _instant(user.created),
        "disabled": _instant(user.disabled),
        "locked": _instant(user.locked),
    }


def token_line(token: Token, now: datetime) -> str:
    """A token in a line, by its id."""
    label = f" ({token.label})" if token.label else ""
    used = f", last used {minute(token.last_used)}" if token.last_used else ""
    return f"token {token.id}{label}: {token.state(now)}, expires {minute(token.expires)}{used}"


def token_json(token: Token, now: datetime) -> dict[str, Any]:
    """A token as values, without its hash."""
    times = {name: _instant(getattr(token, name)) for name in ("created", "expires", "revoked", "last_used")}
    return {"id": token.id, "label": token.label, "state": token.state(now), **times}


def read_line(note: Read) -> str:
    """A note of a read in a line; what does not print is written as its code point."""
    asked = "".join(f" {name} {value}" for name, value in (("on", note.on), ("known", note.known)) if value)
    user, case, command, marking, asked = (
        told(text, 200)[1:-1] for text in (note.user, note.case, note.command, note.marking or "unmarked", asked)
    )
    late = f" (the clock said {note.clock})" if note.clock else ""
    return f"{note.seq} {note.at} {user} {case}: {command} [{marking}]{asked}{late}"


def minute(at: datetime) -> str:
    """An instant to the minute."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
