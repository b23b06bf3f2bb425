"""Roles permit what their table says, and nothing else does."""

from __future__ import annotations

import pytest

from tallybook.accounts.errors import AccountError
from tallybook.accounts.roles import ADMINISTRATOR, ROLES, Act, checked_roles, permits

WHO_MAY = {
    "read": {"observer", "analyst", "reviewer", "drafter", "clearer", "approver", "releasing authority"},
    "read the whole books": {"releasing authority"},
    "file under a class": {"observer", "analyst"},
    "file reports": {"analyst"},
    "make bearings": {"analyst"},
    "review": {"reviewer"},
    "draft": {"drafter"},
    "clear": {"clearer"},
    "approve": {"approver"},
    "regrade": {"releasing authority"},
    "release": {"releasing authority"},
    "distribute": {"releasing authority"},
    "manage users": {"administrator"},
    "read the audit": {"administrator"},
}


@pytest.mark.parametrize("act", list(Act))
def test_an_act_is_permitted_to_those_in_the_table_only(act: Act) -> None:
    assert {role for role in ROLES if permits([role], act)} == WHO_MAY[act.value]


def test_roles_add_up() -> None:
    assert permits(["drafter", "clearer"], Act.CLEAR)
    assert permits(["drafter", "clearer"], "draft")
    assert not permits(["drafter", "clearer"], Act.APPROVE)


def test_no_role_and_a_role_of_a_later_version_permit_nothing() -> None:
    assert [act for act in Act if permits([], act) or permits(["emperor"], act)] == []


def test_an_act_that_is_none_is_a_slip_in_the_program() -> None:
    with pytest.raises(ValueError, match="rule the waves"):
        permits([ADMINISTRATOR], "rule the waves")


def test_roles_come_in_the_order_of_the_list_each_once() -> None:
    assert checked_roles(["approver", "observer", "approver"]) == ("observer", "approver")


@pytest.mark.parametrize("role", ["Analyst", "analyst ", "\u0430nalyst", "root", "", "\x1b[2J", "a" * 10**6])
def test_a_role_that_is_none_is_refused(role: str) -> None:
    with pytest.raises(AccountError, match=r"no role") as caught:
        checked_roles(["analyst", role])
    assert "releasing authority" in caught.value.do
    assert len(str(caught.value)) < 300
    assert "\x1b" not in str(caught.value)


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ROLES["analyst"] = frozenset(Act)  # type: ignore[index]
