"""Roles: what a user of a desk, or a reader in a case, may do. What they may see is another matter: their clearance says.

Roles add up. One that nobody here knows, such as one of a later version, permits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from tallybook.accounts.errors import AccountError
from tallybook.evidence.ingest.told import told


class Act(StrEnum):
    """Something that a role may permit."""

    READ = "read"
    READ_WHOLE = "read the whole books"
    FILE_UNDER_CLASS = "file under a class"
    FILE = "file reports"
    BEAR = "make bearings"
    REVIEW = "review"
    DRAFT = "draft"
    CLEAR = "clear"
    APPROVE = "approve"
    REGRADE = "regrade"
    RELEASE = "release"
    DISTRIBUTE = "distribute"
    MANAGE_USERS = "manage users"
    READ_AUDIT = "read the audit"


ADMINISTRATOR = "administrator"

ROLES: Mapping[str, frozenset[Act]] = MappingProxyType(
    {
        "observer": frozenset({Act.READ, Act.FILE_UNDER_CLASS}),
        "analyst": frozenset({Act.READ, Act.FILE, Act.FILE_UNDER_CLASS, Act.BEAR}),
        "reviewer": frozenset({Act.READ, Act.REVIEW}),
        "drafter": frozenset({Act.READ, Act.DRAFT}),
        "clearer": frozenset({Act.READ, Act.CLEAR}),
        "approver": frozenset({Act.READ, Act.APPROVE}),
        "releasing authority": frozenset({Act.READ, Act.READ_WHOLE, Act.REGRADE, Act.RELEASE, Act.DISTRIBUTE}),
        # Who gives rights to others has no right to read by that.
        ADMINISTRATOR: frozenset({Act.MANAGE_USERS, Act.READ_AUDIT}),
    }
)
"""Every role, and the acts that it permits."""


def permits(roles: Iterable[str], act: Act | str) -> bool:
    """Whether any of the roles permits the act. Raises ValueError for an act that is none: a slip in the program."""
    wanted = Act(act)
    return any(wanted in ROLES.get(role, ()) for role in roles)


def checked_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """The roles in the order of the list, each once. Raises AccountError for one that is none."""
    given = set(roles)
    for role in sorted(given):
        if role not in ROLES:
            raise AccountError(f"no role {told(role)}", where="--role", do=f"the roles are {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in given)
