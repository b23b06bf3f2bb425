"""What comes of trying: a result, or the error that was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tallybook.markings.marking import MarkingError

T = TypeVar("T")


def attempt(act: Callable[[], T]) -> T | MarkingError:
    try:
        return act()
    except MarkingError as error:
        return error


def told_well(error: MarkingError) -> bool:
    """Whether an error says what and what to do, in characters that a terminal only shows."""
    return bool(error.what) and bool(error.do) and str(error).replace("\n", "").isprintable()
