"""Users are added, changed, disabled and enabled, and never deleted; somebody always administers."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts.people import CHEAP, DAY, NOW, RIGHT, Random, add, behind, new_file
from tallybook.accounts.errors import AccountError, UsersFileError
from tallybook.accounts.roles import ROLES
from tallybook.accounts.store import UsersFile, users_path
from tallybook.accounts.tokens import issue, tokens_of
from tallybook.accounts.users import add_user, all_users, change_roles, check_addable, set_disabled, set_password, unlock, user_of


def test_a_user_is_as_added(file: UsersFile) -> None:
    hashed = CHEAP.hashed(RIGHT)
    add_user(file, "Bob.2", ["approver", "analyst"], "Bob of the partner desk", hashed, NOW)
    user = user_of(UsersFile(file.path), "bob.2", NOW)
    assert (user.name, user.reader, user.roles) == ("bob.2", "Bob of the partner desk", ("analyst", "approver"))
    assert (user.created, user.disabled, user.locked) == (NOW, None, None)
    assert hashed not in repr(user)
    assert [user.name for user in all_users(file, NOW)] == ["anna", "bob.2"]
    assert user_of(file, "anna", NOW).reader == "anna"


def test_the_first_user_is_an_administrator(tmp_path: Path) -> None:
    file = UsersFile.make(tmp_path / "users.db", b"x")
    with pytest.raises(AccountError, match="the first user must be an administrator"):
        add(file, "bob", ("analyst",))
    with pytest.raises(AccountError, match="the first user must be an administrator"):
        check_addable(None, "bob", ["analyst"], "")
    add(file, "bob", ("analyst", "administrator"))
    assert user_of(file, "bob", NOW).roles == ("analyst", "administrator")


def test_a_user_needs_a_role_to_be_added(file: UsersFile) -> None:
    with pytest.raises(AccountError, match="a user without a role may do nothing"):
        add(file, "bob", ())


@pytest.mark.parametrize("name", ["anna", "ANNA", "Anna"])
def test_a_name_is_taken_once_and_stays_taken(file: UsersFile, name: str) -> None:
    add(file, "bob", ("administrator",))
    set_disabled(file, "anna", NOW, disabled=True)
    with pytest.raises(AccountError, match="there is or was a user anna"):
        add(file, name)


def test_a_name_that_is_taken_between_the_look_and_the_writing_is_told(file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallybook.accounts.users.check_addable", lambda *given: ("anna", ("analyst",), "anna"))
    with pytest.raises(AccountError, match="there is or was a user anna"):
        add(file, "anna")


def test_guard_rails_stop_a_name_from_going(file: UsersFile) -> None:
    for statement in ("DELETE FROM user", "UPDATE user SET name = 'bob'", "UPDATE user SET reader = 'bob'"):
        with file.write() as link:
            link.execute("DELETE FROM role")
        with pytest.raises(UsersFileError), file.write() as link:
            link.execute(statement)
    assert user_of(file, "anna", NOW).reader == "anna"


def test_roles_are_given_and_taken(file: UsersFile) -> None:
    add(file, "bob")
    assert change_roles(file, "bob", ["drafter", "analyst"], [], NOW).roles == ("analyst", "drafter")
    assert change_roles(file, "bob", ["clearer"], ["analyst", "drafter"], NOW).roles == ("clearer",)
    assert change_roles(file, "bob", [], ["clearer", "observer"], NOW).roles == ()
    with pytest.raises(AccountError, match="analyst both added and dropped"):
        change_roles(file, "bob", ["analyst"], ["analyst"], NOW)
    with pytest.raises(AccountError, match="no role 'king'"):
        change_roles(file, "bob", ["king"], [], NOW)


def test_somebody_is_always_left_to_administer(file: UsersFile) -> None:
    add(file, "bob", ("administrator",))
    change_roles(file, "bob", ["analyst"], ["administrator"], NOW)
    for change in (
        lambda: change_roles(file, "anna", ["analyst"], ["administrator"], NOW),
        lambda: set_disabled(file, "anna", NOW, disabled=True),
    ):
        with pytest.raises(AccountError, match="nobody would be left as administrator"):
            change()
    assert user_of(file, "anna", NOW).roles == ("administrator",)
    assert user_of(file, "anna", NOW).disabled is None
    change_roles(file, "bob", ["administrator"], [], NOW)
    assert set_disabled(file, "anna", NOW, disabled=True)
    with pytest.raises(AccountError, match="nobody would be left"):
        set_disabled(file, "bob", NOW, disabled=True)


def test_disabling_twice_changes_nothing_the_second_time(file: UsersFile) -> None:
    add(file, "bob")
    assert set_disabled(file, "bob", NOW, disabled=True)
    assert not set_disabled(file, "bob", NOW + DAY, disabled=True)
    assert user_of(file, "bob", NOW).disabled == NOW
    assert set_disabled(file, "bob", NOW, disabled=False)
    assert not set_disabled(file, "bob", NOW, disabled=False)


def test_another_password_ends_every_token(file: UsersFile) -> None:
    add(file, "bob")
    random = Random()
    for days in (1, 5, 30):
        issue(file, "bob", days, "", NOW, random)
    issue(file, "anna", 30, "", NOW, random)
    assert set_password(file, "bob", CHEAP.hashed("another horse battery"), NOW + 2 * DAY) == 2
    assert {token.state(NOW + 2 * DAY) for token in tokens_of(file, "bob")} == {"revoked", "expired"}
    assert [token.state(NOW) for token in tokens_of(file, "anna")] == ["in use"]


def test_of_nobody_there_is_nothing_to_change(file: UsersFile) -> None:
    for change in (
        lambda: user_of(file, "eve", NOW),
        lambda: set_password(file, "eve", "x", NOW),
        lambda: change_roles(file, "eve", ["analyst"], [], NOW),
        lambda: set_disabled(file, "eve", NOW, disabled=True),
        lambda: unlock(file, "eve", NOW),
        lambda: issue(file, "eve", 1, "", NOW, Random()),
    ):
        with pytest.raises(AccountError, match="no user 'eve'"):
            change()


def test_a_role_of_a_later_version_permits_nothing_and_hides_nothing(file: UsersFile) -> None:
    behind(file, "INSERT INTO role VALUES ('anna', 'emperor')")
    assert user_of(file, "anna", NOW).roles == ("administrator",)
    assert "emperor" not in ROLES


def test_too_many_users_are_refused(file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallybook.accounts.users.MOST_USERS", 2)
    add(file, "bob")
    with pytest.raises(AccountError, match="2 users already"):
        add(file, "carl")


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert users_path({}) == tmp_path / ".config" / "tallybook" / "users.db"
    assert users_path({"XDG_CONFIG_HOME": "/x"}) == Path("/x/tallybook/users.db")
    assert users_path({"XDG_CONFIG_HOME": "/x", "TALLYBOOK_USERS": "/y/u"}) == Path("/y/u")
    assert users_path({"TALLYBOOK_USERS": "/y/u"}, Path("z")) == Path("z")


def test_a_file_is_made_whole_with_its_folder_and_never_over_another(tmp_path: Path) -> None:
    file = UsersFile.make(tmp_path / "a" / "b" / "users.db", b"x")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.path.parent.iterdir()] == ["users.db"]
    with pytest.raises(UsersFileError, match="there is a file already"):
        UsersFile.make(file.path, b"y")
    assert [path.name for path in file.path.parent.iterdir()] == ["users.db"]


def test_two_files_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, other = new_file(tmp_path, "one.db"), new_file(tmp_path, "other.db")
    add(one, "bob")
    with pytest.raises(AccountError, match="no user"):
        user_of(other, "bob", NOW)
