"""Sequences that are worked out only when somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, overload

T = TypeVar("T")


class Deferred(Sequence[T]):
    """A sequence made by `make` when it is first read."""

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Sequence[T]:
        return self._make()

    def __len__(self) -> int:
        return len(self._made)

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        return self._made[at]

    def __iter__(self) -> Iterator[T]:
        return iter(self._made)


class DeferredIds(Mapping[str, tuple[str, ...]]):
    """Report ids by name: the names are known, the ids are found when one of them is asked for."""

    def __init__(self, names: Sequence[str], find: Callable[[], Mapping[str, tuple[str, ...]]]) -> None:
        self._names, self._find = tuple(names), find

    @cached_property
    def _found(self) -> Mapping[str, tuple[str, ...]]:
        return self._find()

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
