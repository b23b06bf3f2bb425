"""A signed-in user at the command line: answered as the reader that they are, by what their roles permit, and noted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounts.people import CHEAP, RIGHT, Random, new_file
from hidden import High, build, leaks, run
from tallybook.accounts.reads import check_reads, reads
from tallybook.accounts.sign_in import sign_in
from tallybook.accounts.store import UsersFile
from tallybook.accounts.tokens import issue, revoke
from tallybook.accounts.users import add_user, set_disabled
from tallybook.errors import TallybookError

ROW = {
    "id": "OBS-H0",
    "reported_at": "2031-03-02",
    "observed_from": "2031-03-01",
    "observed_to": "2031-03-01",
    "source_id": "SRC-SAT",
    "method": "satellite",
    "item_class": "launcher",
    "stage": "deployed",
    "count": "13",
    "statement": "ZEPHYR",
    "grade": "A1",
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UsersFile:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = new_file(tmp_path)
    monkeypatch.setenv("TALLYBOOK_USERS", str(found.path))
    monkeypatch.delenv("TALLYBOOK_TOKEN", raising=False)
    monkeypatch.setenv("TALLYBOOK_AUTHOR", "desk")
    return found


@pytest.fixture
def case(tmp_path: Path, file: UsersFile) -> str:
    source = {"source_id": "SRC-HIGH", "title": "ZEPHYR"}
    exhibit = {
        "id": "EXH-HIGH",
        "sha256": "ab" * 32,
        "kind": "photograph",
        "title": "ZEPHYR",
        "known_at": "2031-04-01",
        "origin": "x",
    }
    rows = {"reports/observations.csv": [(1, ROW)], "reports/sources.csv": [(0, source)], "reports/exhibits.csv": [(0, exhibit)]}
    build(tmp_path / "case", High(rows, "", {}))
    return str(tmp_path / "case")


def now() -> datetime:
    return datetime.now(UTC)


random = Random()


def signed_in(monkeypatch: pytest.MonkeyPatch, file: UsersFile, name: str, role: str, reader: str) -> str:
    """Add a user, and set a token of theirs."""
    add_user(file, name, [role], reader, CHEAP.hashed(RIGHT), now())
    made = issue(file, name, 1, "", now(), random)
    monkeypatch.setenv("TALLYBOOK_TOKEN", made.text)
    return made.token.id


def test_an_answer_is_for_whoever_is_signed_in(case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run(["board", case, "--as", "low"])
    signed_in(monkeypatch, file, "lou", "analyst", "low")
    assert run(["board", case]) == expected
    assert leaks("".join(run(["why", case, "launchers_removed"])[1:])) == []


def test_nobody_reads_as_somebody_else(case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(monkeypatch, file, "lou", "analyst", "low")
    code, out, error = run(["board", case, "--as", "high"])
    assert (code, out) == (2, "")
    assert "signed in as somebody else" in error
    assert run(["board", case, "--as", "low"])[0] == 0


def test_a_marking_for_a_name_opens_nothing(case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(monkeypatch, file, "lou", "analyst", "RED")
    code, out, error = run(["board", case])
    assert (code, out) == (2, "")
    assert "names no such reader" in error


def test_every_read_is_noted_before_it_is_shown(case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(monkeypatch, file, "lou", "analyst", "low")
    assert run(["board", case, "--on", "2031-03-20"])[0] == 0
    assert run(["why", case, "sites_broken_up", "--json"])[0] == 0
    found = list(reads(file))
    assert [(one.user, one.command, one.marking, one.on) for one in found] == [
        ("lou", "board", "TLP:GREEN", "2031-03-20"),
        ("lou", "why", "TLP:GREEN", ""),
    ]
    assert check_reads(file).holds
    assert "TLP:GREEN" in run(["user", "reads"])[1] + str(found)


def test_what_cannot_be_noted_is_not_shown(case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(monkeypatch, file, "lou", "analyst", "low")
    with file.write() as link:
        link.execute("DROP TABLE read")
    code, out, _ = run(["board", case])
    assert (code, out) == (2, "")


@pytest.mark.parametrize(
    ("role", "arguments", "permitted"),
    [
        ("observer", ["board"], True),
        ("administrator", ["board"], False),
        ("analyst", ["ledger", "log"], False),
        ("releasing authority", ["ledger", "log"], False),
        ("releasing authority of all", ["ledger", "log"], True),
        ("reviewer", ["report", "withdraw", "OBS-01", "--reason", "x"], False),
        ("analyst", ["marking", "show"], False),
        ("releasing authority", ["marking", "show"], False),
        ("releasing authority of all", ["marking", "show"], True),
        ("analyst", ["release", "out", "--to", "low", "--by", "high", "--authority", "x", "--reason", "y"], False),
    ],
)
def test_roles_say_what_may_be_done(
    case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch, role: str, arguments: list[str], permitted: bool
) -> None:
    assert run(["ledger", "init", case])[0] == 0
    role, of_all, _ = role.partition(" of all")
    signed_in(monkeypatch, file, "lou", role, "high" if of_all else "low")
    group = 2 if arguments[0] in ("ledger", "report", "marking") else 1
    code, out, error = run([*arguments[:group], case, *arguments[group:]])
    assert (code == 0) == permitted, error
    if not permitted:
        assert out == ""
        assert "no role of lou permits this" in error or "may not see the whole books" in error


def test_nobody_acts_in_another_name(case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signed_in(monkeypatch, file, "lou", "releasing authority", "low")
    act = ["--to", "low", "--by", "high", "--authority", "x", "--reason", "y"]
    for arguments in (["release", case, str(tmp_path / "out"), *act], ["marking", "regrade", case, "OBS-H0", *act]):
        code, _, error = run(arguments)
        assert code == 2
        assert "lou is signed in, and not high" in error


@pytest.mark.parametrize("how", ["revoked", "expired", "disabled", "unknown", "torn"])
def test_a_token_that_is_no_good_shows_nothing(case: str, file: UsersFile, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    id_ = signed_in(monkeypatch, file, "lou", "analyst", "low")
    if how == "revoked":
        revoke(file, id_, now())
    elif how == "disabled":
        set_disabled(file, "lou", now(), disabled=True)
    elif how == "expired":
        made = issue(file, "lou", 1, "", now() - timedelta(days=3), random)
        monkeypatch.setenv("TALLYBOOK_TOKEN", made.text)
    else:
        monkeypatch.setenv("TALLYBOOK_TOKEN", "tby_aaaaaaaa_" + "a" * 43 if how == "unknown" else "tby_x")
    for arguments in (["board", case], ["ledger", "log", case], ["check", case], ["report", "add", case, "observations", "id=X"]):
        code, out, error = run(arguments)
        assert (code, out) == (2, ""), arguments
        assert "Traceback" not in error
        assert "ZEPHYR" not in error
        assert len(error) < 400


def test_ten_wrong_passwords_and_the_right_one_opens_nothing(case: str, file: UsersFile) -> None:
    add_user(file, "lou", ["analyst"], "low", CHEAP.hashed(RIGHT), now())
    for _ in range(10):
        with pytest.raises(TallybookError):
            sign_in(file, "lou", "the wrong words", now(), CHEAP)
    with pytest.raises(TallybookError, match=r"locked|too many"):
        sign_in(file, "lou", RIGHT, now(), CHEAP)
