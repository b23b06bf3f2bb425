"""Packages that only some formats need: imported when asked for, and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tallybook.errors import TallybookError


class MissingExtraError(TallybookError):
    """An optional package that is not installed."""


def needed(module: str, extra: str, what: str) -> Any:
    """The module. Raises MissingExtraError, saying which extra brings it, where it cannot be imported.

    `what` is what needs it, such as "reading .xlsx". Untyped on purpose: not all of these packages have types.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtraError(
            f"{what} needs {package}, which is not installed", do=f"pip install 'tallybook[{extra}]'"
        ) from error
