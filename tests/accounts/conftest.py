"""A file of users, and tokens of nobody in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts.people import new_file
from tallybook.accounts.store import UsersFile


@pytest.fixture
def file(tmp_path: Path) -> UsersFile:
    """A file of users with an administrator, anna."""
    return new_file(tmp_path)
