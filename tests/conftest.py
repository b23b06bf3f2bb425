"""Fixtures: the example case, and a copy of it that a test may change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledgers import durable, new_place, place
from postgres import new_schema, postgres_url
from support import EXAMPLE
from tallybook import desk
from tallybook.verdicts.inquiry import Case

__all__ = ["durable", "new_place", "new_schema", "place", "postgres_url"]
"""Fixtures that other modules of the tests make."""


@pytest.fixture(scope="session")
def example() -> Path:
    """The folder of the example case."""
    return EXAMPLE


@pytest.fixture(scope="session")
def case() -> Case:
    """The example case, loaded once."""
    return desk.open_case(EXAMPLE)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the example that a test may change."""

    def make() -> Path:
        folder = tmp_path / "cuba-1962"
        shutil.copytree(EXAMPLE, folder)
        return folder

    return make
