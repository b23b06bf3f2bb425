"""docs/how-to/users.md: its shell lines run, and its table of roles is the one in use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from accounts.people import NOW, RIGHT, add, new_file
from support import ROOT
from tallybook.accounts.roles import ADMINISTRATOR, ROLES
from tallybook.accounts.users import user_of

PAGE = (ROOT / "docs" / "how-to" / "users.md").read_text("utf-8")


def test_the_shell_lines_sign_in(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    add(file, "bob", ("analyst", "drafter"))
    shim = tmp_path / "bin" / "tallybook"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m tallybook.cli.main "$@"\n', "utf-8")
    shim.chmod(0o700)
    [lines] = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    path = f"{shim.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "TALLYBOOK_USERS": str(file.path), "PASSWORD": RIGHT}
    ran = subprocess.run(["sh", "-ec", lines], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "bob, reads as bob: analyst, drafter\n"
    # Its hash was a cheap one, and was made anew as shipped.
    assert "m=65536,t=3,p=4" in user_of(file, "bob", NOW).password


def test_the_table_of_roles_is_the_one_in_use() -> None:
    rows = dict(re.findall(r"^\| `([a-z ]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert list(rows) == list(ROLES)
    words = "read, whole books, under a, file reports, bearings, review, draft, clear, approve, regrade, release, distribute"
    for role, told in rows.items():
        permitted = " ".join(ROLES[role])
        assert ("manage users" in told, "audit" in told) == (role == ADMINISTRATOR, role == ADMINISTRATOR)
        assert {word for word in words.split(", ") if word in told} == {word for word in words.split(", ") if word in permitted}
