"""tallybook user"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tallybook.errors import TallybookError

if TYPE_CHECKING:
    from tallybook.accounts.session import SignedIn
    from tallybook.accounts.store import UsersFile
    from tallybook.accounts.tokens import Issued

F = TypeVar("F", bound=Callable[..., Any])

_LARGEST_LINE = 8_000
"""Bytes of a password with its end of line: more than the longest takes."""

_name = click.argument("name")
_users = click.option(
    "--users", type=click.Path(path_type=Path), metavar="FILE", help="The file of users. Default: TALLYBOOK_USERS, or your own."
)
_json = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_stdin = click.option("--password-stdin", "from_stdin", is_flag=True, help="Read the password from a pipe: one line.")
_generate = click.option("--generate", is_flag=True, help="Make a password, and print it this once.")


def _days(function: F) -> F:
    return click.option(
        "--for", "days", type=int, default=30, show_default=True, metavar="DAYS", help="That the token is good for, at most 366."
    )(function)


@click.group(name="user")
def command() -> None:
    """Who may sign in, with which roles; their tokens; and what they have read.

    Whoever can write the file of users owns it. Where TALLYBOOK_TOKEN is set, it must be an administrator's; not so for sign-in
    and who.
    """


@command.command()
@_name
@click.option("--role", "roles", multiple=True, required=True, metavar="ROLE", help="What they may do. May be repeated.")
@click.option("--reader", default="", help="Their name in the markings.yaml of a case. Default: NAME.")
@_stdin
@_generate
@_users
def add(name: str, roles: tuple[str, ...], reader: str, from_stdin: bool, generate: bool, users: Path | None) -> int:
    """Add a user. The first one must be an administrator. A name is never used for somebody else later.

    Roles: observer, analyst, reviewer, drafter, clearer, approver, releasing authority, administrator.
    """
    from tallybook.accounts.shown import user_line
    from tallybook.accounts.store import UsersFile, has_users, users_path
    from tallybook.accounts.users import add_user, check_addable

    path = users_path(os.environ, users)
    is_there = has_users(path)
    file = _managed(users) if is_there else None
    if file is None and os.environ.get("TALLYBOOK_TOKEN"):
        do = "unset it to make a new file of users, or name the file that it is of"
        raise TallybookError("no file of users for this token", where="TALLYBOOK_TOKEN", do=do)
    check_addable(file, name, roles, reader)
    hashed = _new_password(from_stdin, generate, name, reader)
    file = UsersFile.make(path, os.urandom(6)) if file is None else file
    user = add_user(file, name, roles, reader, hashed, _now())
    if not is_there:
        click.echo(f"made {path}: keep it to yourself", err=True)
    click.echo(f"added {user_line(user)}")
    return 0


@command.command(name="list")
@_json
@_users
def list_(as_json: bool, users: Path | None) -> int:
    """Every user."""
    from tallybook.accounts.shown import user_json, user_line
    from tallybook.accounts.users import all_users

    found = all_users(_managed(users), _now())
    if as_json:
        _print_json([user_json(user) for user in found])
    else:
        for user in found:
            click.echo(user_line(user))
    return 0


@command.command()
@_name
@_json
@_users
def show(name: str, as_json: bool, users: Path | None) -> int:
    """One user, with their tokens (never the secrets: those are not kept)."""
    from tallybook.accounts.shown import minute, token_json, token_line, user_json, user_line
    from tallybook.accounts.tokens import tokens_of
    from tallybook.accounts.users import user_of

    file, now = _managed(users), _now()
    user = user_of(file, name, now)
    tokens = tokens_of(file, user.name)
    if as_json:
        _print_json({**user_json(user), "tokens": [token_json(token, now) for token in tokens]})
        return 0
    click.echo(f"{user_line(user)}\n  since {minute(user.created)}")
    for token in tokens:
        click.echo(f"  {token_line(token, now)}")
    return 0


@command.command()
@_name
@_stdin
@_generate
@_users
def password(name: str, from_stdin: bool, generate: bool, users: Path | None) -> int:
    """Set another password. Every token of the user is revoked."""
    from tallybook.accounts.users import set_password, user_of

    file = _managed(users)
    user = user_of(file, name, _now())
    ended = set_password(file, user.name, _new_password(from_stdin, generate, user.name, user.reader), _now())
    click.echo(f"{user.name} has another password; {ended} token{'s' if ended != 1 else ''} revoked")
    return 0


@command.command()
@_name
@click.option("--add", "more", multiple=True, metavar="ROLE", help="Give a role. May be repeated.")
@click.option("--drop", "less", multiple=True, metavar="ROLE", help="Take a role. May be repeated.")
@_users
def role(name: str, more: tuple[str, ...], less: tuple[str, ...], users: Path | None) -> int:
    """Give a user roles, or take them. One without any may do nothing."""
    from tallybook.accounts.shown import user_line
    from tallybook.accounts.users import change_roles

    if not more and not less:
        raise TallybookError("neither a role to add nor one to drop", where="tallybook user role", do="give --add or --drop")
    click.echo(user_line(change_roles(_managed(users), name, more, less, _now())))
    return 0


@command.command()
@_name
@_users
def disable(name: str, users: Path | None) -> int:
    """Let a user in no more: neither by password nor by token. `enable` undoes it."""
    return _disable(name, users, disabled=True)


@command.command()
@_name
@_users
def enable(name: str, users: Path | None) -> int:
    """Let a disabled user in again, with the roles and tokens that they had."""
    return _disable(name, users, disabled=False)


def _disable(name: str, users: Path | None, *, disabled: bool) -> int:
    from tallybook.accounts.users import set_disabled

    changed = set_disabled(_managed(users), name, _now(), disabled=disabled)
    undo = f"; tallybook user enable {name.lower()} undoes it" if disabled and changed else ""
    state = "disabled" if disabled else "enabled"
    click.echo(f"{name.lower()} is {state}{undo}" if changed else f"{name.lower()} was {state} already")
    return 0


@command.command()
@_name
@_users
def unlock(name: str, users: Path | None) -> int:
    """Forget the wrong passwords that were given for a user."""
    from tallybook.accounts.users import unlock as unlock_user

    count = unlock_user(_managed(users), name, _now())
    click.echo(f"{name.lower()}: {count} wrong password{'s' if count != 1 else ''} forgotten")
    return 0


@command.command()
@_name
@_days
@click.option("--label", default="", help="What it is for.")
@_users
def token(name: str, days: int, label: str, users: Path | None) -> int:
    """Make a token for a user, and print it this once."""
    from tallybook.accounts.tokens import issue

    _print_token(issue(_managed(users), name, days, label, _now(), os.urandom))
    return 0


@command.command()
@click.argument("token_id", metavar="TOKEN-ID")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@_users
def revoke(token_id: str, yes: bool, users: Path | None) -> int:
    """End a token for good, by the id that `show` lists."""
    from tallybook.accounts.tokens import revoke as revoke_token
    from tallybook.accounts.tokens import token_of

    file = _managed(users)
    found = token_of(file, token_id)
    if not yes and sys.stdin is not None and sys.stdin.isatty():
        click.confirm(f"End token {found.id} of {found.user} for good?", abort=True, err=True)
    before = revoke_token(file, found.id, _now())
    click.echo(f"token {found.id} of {found.user} {'is revoked' if before.revoked is None else 'was revoked already'}")
    return 0


@command.command(name="sign-in")
@_name
@_stdin
@_days
@_users
def sign_in_(name: str, from_stdin: bool, days: int, users: Path | None) -> int:
    """Sign in with a password: prints a token, for TALLYBOOK_TOKEN."""
    from tallybook.accounts.sign_in import sign_in
    from tallybook.accounts.tokens import check_days, issue

    check_days(days)
    file = _file(users)
    who = sign_in(file, name, _asked(from_stdin, again=False), _now())
    _print_token(issue(file, who.user, days, "sign-in", _now(), os.urandom))
    return 0


@command.command()
@_json
@_users
def who(as_json: bool, users: Path | None) -> int:
    """Whom TALLYBOOK_TOKEN stands for; exit 1 where it is not set."""
    found = _session(users)
    if as_json:
        _print_json(None if found is None else {"user": found.user, "reader": found.reader, "roles": list(found.roles)})
    elif found is None:
        click.echo("nobody: TALLYBOOK_TOKEN is not set")
    else:
        click.echo(f"{found.user}, reads as {found.reader}: {', '.join(found.roles)}")
    return 0 if found is not None else 1


@command.command()
@click.option("--of", "of", metavar="NAME", help="Of one user.")
@click.option("--case", metavar="C", help="Of one case.")
@click.option("--had", metavar="SIZE:HASH", help="A head that was printed before: shows whether notes after it are gone.")
@_json
@_users
def reads(of: str | None, case: str | None, had: str | None, as_json: bool, users: Path | None) -> int:
    """Who read what; and whether any note of it was changed or taken out (exit 1, with the row)."""
    from tallybook.accounts.names import folded
    from tallybook.accounts.reads import check_reads
    from tallybook.accounts.reads import reads as notes
    from tallybook.accounts.shown import read_line

    file = _managed(users)
    chain = check_reads(file, had)
    found = notes(file, None if of is None else folded(of), case)
    if as_json:
        state = {"size": chain.size, "head": chain.text, "holds": chain.holds, "broken_at": chain.broken_at or None}
        _print_json(
            {"reads": [{f: getattr(note, f) for f in note.__slots__} for note in found], "chain": {**state, "what": chain.what}}
        )
    else:
        for note in found:
            click.echo(read_line(note))
    if not chain.holds:
        click.echo(f"broken at row {chain.broken_at}: {chain.what}", err=True)
        return 1
    click.echo(f"every note fits; head {chain.text}", err=True)
    return 0


def _file(users: Path | None) -> UsersFile:
    from tallybook.accounts.store import UsersFile, users_path

    return UsersFile(users_path(os.environ, users))


def _session(users: Path | None) -> SignedIn | None:
    from tallybook.accounts.session import session

    return session(os.environ, _now(), users)


def _managed(users: Path | None) -> UsersFile:
    """The file of users, for its owner, or for the administrator whose token is set."""
    from tallybook.accounts.roles import Act

    file, who_ = _file(users), _session(users)
    if who_ is not None:
        who_.require(Act.MANAGE_USERS)
    return file


def _now() -> datetime:
    return datetime.now(UTC)


def _asked(from_stdin: bool, *, again: bool) -> str:
    if from_stdin:
        return _line_of_stdin()
    if sys.stdin is None or not sys.stdin.isatty():
        do = "--password-stdin reads it from a pipe; it is never an argument"
        raise TallybookError("no terminal to ask for the password on", where="password", do=do)
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=again, err=True)
    return asked


def _line_of_stdin() -> str:
    raw = sys.stdin.buffer.readline(_LARGEST_LINE)
    if len(raw) == _LARGEST_LINE:
        raise TallybookError("a line of thousands of bytes", where="--password-stdin", do="give the password, and nothing else")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        # Its own words would show what was given.
        raise TallybookError("not UTF-8", where="--password-stdin", do="give the password in UTF-8") from None


def _new_password(from_stdin: bool, generate: bool, *names: str) -> str:
    """The hash of a password that is asked for, or made."""
    from tallybook.accounts.passwords import SHIPPED, check_new, made

    if generate and from_stdin:
        raise TallybookError("both --generate and --password-stdin", where="password", do="choose one")
    text = made(os.urandom) if generate else _asked(from_stdin, again=True)
    check_new(text, *names)
    hashed = SHIPPED.hashed(text)
    if generate:
        click.echo(f"password: {text}")
    return hashed


def _print_token(issued: Issued) -> None:
    from tallybook.accounts.shown import minute

    click.echo(issued.text)
    until = minute(issued.token.expires)
    click.echo(f"shown this once; good until {until}. Set TALLYBOOK_TOKEN to it, and give it to nobody.", err=True)


def _print_json(value: Any) -> None:
    from tallybook.cli.options import print_json

    print_json(value)
