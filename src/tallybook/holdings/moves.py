"""Moving counts between two neighbouring axes with matrix products, along the lines on which their sum stays the same.

Nothing is skewed in memory: rows that are padded with zeros, read one place short per row, are the lines; lines that are read one
place long per row are the rows again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod

import numpy as np

from tallybook.holdings.numbers import Array


@dataclass(slots=True)
class Room:
    """Memory used again and again: one array to read from, and two to write to by turns, or one where `turns` is off.

    What a move returns lies in this memory until the move after the next (or until the next).
    """

    turns: bool = True
    _read: Array = field(default_factory=lambda: np.empty(0))
    _write: Array = field(default_factory=lambda: np.empty(0))
    _written: Array = field(default_factory=lambda: np.empty(0))

    def read(self, size: int) -> Array:
        """Where a move lays out what it reads; shape [size], not cleared."""
        if len(self._read) < size:
            self._read = np.empty(size + size // 8)
        return self._read[:size]

    def write(self, size: int) -> Array:
        """Where a move writes; shape [size], not cleared."""
        if self.turns:
            self._write, self._written = self._written, self._write
        if len(self._write) < size:
            self._write = np.empty(size + size // 8)
        return self._write[:size]


def along(values: Array, axis: int, kernel: Array, room: Room) -> Array:
    """Multiply one axis of values [branch, ...] by a matrix [1 or branch, out, in]."""
    shape = values.shape
    if not values.flags.c_contiguous:
        laid = room.read(values.size).reshape(shape)
        laid[...] = values
        values = laid
    branches, before, size, after = (shape[0], prod(shape[1:axis]), shape[axis], prod(shape[axis + 1 :]))
    kept = kernel.shape[1]
    out = room.write(branches * before * kept * after)
    if len(kernel) > 1:
        where = out.reshape(branches, before, kept, after)
        np.matmul(kernel[:, None], values.reshape(branches, before, size, after), out=where)
    elif after == 1:
        np.matmul(values.reshape(-1, size), kernel[0].T, out=out.reshape(-1, kept))
    else:
        np.matmul(kernel[0], values.reshape(-1, size, after), out=out.reshape(-1, kept, after))
    return out.reshape(*shape[:axis], kept, *shape[axis + 1 :])


def hop_on(
    values: Array,
    axis: int,
    kernel: Array,
    shift: int,
    columns: tuple[int, int],
    room: Room,
    within: tuple[int, int] | None = None,
) -> Array:
    """Items leave `axis` of values [branch, ...] for `axis + 1`; kernel [1 or branch, stays, was].

    The 0-th of what stays lies `shift` below the 0-th of what was (above, if negative). `columns`: first and last+1 of what the
    next axis is to hold, counted from its lowest number. `within`: the lines (sums of places on both axes) that hold anything.
    Returns a view.
    """
    shape = values.shape
    branches, before, (rows, was), after = (shape[0], prod(shape[1:axis]), shape[axis : axis + 2], prod(shape[axis + 2 :]))
    kept, lines = kernel.shape[1], rows + was - 1
    wide, pad = _wide(kept, lines, shift, columns)
    laid = room.read(branches * before * rows * lines * after)
    padded = laid.reshape(*shape[: axis + 1], lines, *shape[axis + 2 :])
    place = (slice(None),) * (axis + 1)
    padded[(*place, slice(0, was))] = values
    padded[(*place, slice(was, None))] = 0.0
    block = rows * lines * after
    slanted = _view(laid, 0, (branches, before, rows, lines * after), (before * block, block, (lines - 1) * after, 1))
    whole = room.write((pad + branches * before * kept * wide) * after)
    whole[: pad * after] = 0.0
    body = whole[pad * after :].reshape(branches, before, kept, wide * after)
    first, last = within or (0, lines)
    body[..., : first * after] = 0.0
    body[..., last * after :] = 0.0
    held = (..., slice(first * after, last * after))
    np.matmul(kernel[:, None], slanted[held], out=body[held])
    return _rows(whole, pad + columns[0] - shift, (*shape[:axis], kept, columns[1] - columns[0], *shape[axis + 2 :]), axis, wide)


def hop_back(values: Array, axis: int, kernel: Array, shift: int, columns: tuple[int, int], was: int, room: Room) -> Array:
    """The adjoint of `hop_on`; `was`: how long the next axis was before it. Returns a view."""
    shape = values.shape
    branches, before, kept, after = (shape[0], prod(shape[1:axis]), shape[axis], prod(shape[axis + 2 :]))
    rows = kernel.shape[2]
    lines = rows + was - 1
    wide, pad = _wide(kept, lines, shift, columns)
    laid = room.read((pad + branches * before * kept * wide) * after)
    laid[...] = 0.0
    _rows(laid, pad + columns[0] - shift, shape, axis, wide)[...] = values
    there = laid[pad * after :].reshape(branches, before, kept, wide * after)[..., : lines * after]
    out = room.write(branches * before * rows * lines * after)
    np.matmul(kernel.transpose(0, 2, 1)[:, None], there, out=out.reshape(branches, before, rows, lines * after))
    return _rows(out, 0, (*shape[:axis], rows, was, *shape[axis + 2 :]), axis, lines)


def _wide(kept: int, lines: int, shift: int, columns: tuple[int, int]) -> tuple[int, int]:
    """The length of a row of lines with its zeros, and the zeros before the first row."""
    pad = max(shift - columns[0], 0)
    return max(lines + pad, columns[1] + kept - 1 - shift), pad


def _rows(lines: Array, start: int, shape: tuple[int, ...], axis: int, wide: int) -> Array:
    """The view of rows `wide` long whose row a, column j lies on line start + a + j."""
    step = prod(shape[axis + 2 :])
    offset = start * step
    strides = [0] * len(shape)
    size = 1
    for place in range(len(shape) - 1, axis + 1, -1):
        strides[place] = size
        size *= shape[place]
    strides[axis + 1], strides[axis] = step, (wide + 1) * step
    size = shape[axis] * wide * step
    for place in range(axis - 1, -1, -1):
        strides[place] = size
        size *= shape[place]
    return _view(lines, offset, shape, strides)


def _view(flat: Array, start: int, shape: tuple[int, ...], strides: Sequence[int]) -> Array:
    return np.ndarray(shape, flat.dtype, flat, 8 * start, [8 * s for s in strides])


@lru_cache(maxsize=256)
def _ones(size: int) -> Array:
    out = np.ones(size)
    out.setflags(write=False)
    return out


def marginals(values: Array) -> list[Array]:
    """The sums over all axes but one of values [branch, ...], one for each axis but the branches."""
    return _halves(values[0] if len(values) == 1 else values.sum(axis=0))


def _halves(table: Array) -> list[Array]:
    shape = table.shape
    if len(shape) == 1:
        return [table]
    at = len(shape) // 2
    flat = table.reshape(prod(shape[:at]), -1)
    left, right = flat @ _ones(flat.shape[1]), _ones(len(flat)) @ flat
    return [*_halves(left.reshape(shape[:at])), *_halves(right.reshape(shape[at:]))]


def marginal(values: Array, axis: int) -> Array:
    """The sum over all axes of values [branch, ...] but one."""
    after = prod(values.shape[axis + 1 :])
    if after > 1:
        values = np.matmul(values.reshape(*values.shape[: axis + 1], after), _ones(after))
    before = prod(values.shape[:axis])
    return np.asarray(values.reshape(before, -1).sum(axis=0))


def sums(table: Array) -> Array:
    """The mass of each sum of the numbers on all axes of a table."""
    while table.ndim > 1:
        rows, columns = table.shape[:2]
        step = prod(table.shape[2:])
        lines = rows + columns - 1
        laid = np.zeros(rows * lines * step + rows)
        _view(laid, 0, (rows, columns, step), ((lines + 1) * step, step, 1))[...] = table.reshape(rows, columns, step)
        added = _ones(rows) @ laid[: rows * lines * step].reshape(rows, -1)
        table = added.reshape(lines, *table.shape[2:])
    return table
