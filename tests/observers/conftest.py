"""The example with its invented observer class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from observers.counting import copied


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of the example with its invented observer class that a test may change."""
    return lambda: copied(tmp_path / "cuba-1962")
