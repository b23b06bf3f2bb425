"""Moving counts between two neighbouring axes with matrix products, along the lines on which their sum stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tallybook.holdings.numbers import Array


def along(values: Array, axis: int, kernel: Array) -> Array:
    """Multiply one axis by a matrix [out, in]."""
    shape = values.shape
    flat = values.reshape(prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    if flat.shape[2] == 1:
        moved = flat[:, :, 0] @ kernel.T
    else:
        moved = np.matmul(kernel, flat)
    return moved.reshape(*shape[:axis], kernel.shape[0], *shape[axis + 1 :])


def hop_on(values: Array, axis: int, kernel: Array, shift: int, columns: tuple[int, int]) -> Array:
    """Items leave `axis` for `axis + 1`.

    `kernel[a, i]`: probability that of the i-th number the a-th stays, where the 0-th of what stays lies `shift` below the 0-th
    of what was (above, if negative). `columns`: first and last+1 of what the next axis is to hold, counted from its lowest number.
    """
    before, (rows, was), after = _split(values.shape, axis)
    lines, kept = rows + was - 1, kernel.shape[0]
    skewed = np.zeros((before, rows, lines, after))
    _slanted(skewed, rows, was, 0)[...] = values.reshape(before, rows, was, after)
    # Row a, column j lies on line j + a - shift; lines outside hold nothing.
    left = max(0, shift - columns[0])
    wide = np.zeros((before, kept, max(left + lines, columns[1] + kept - 1 - shift + left), after))
    np.matmul(
        kernel,
        skewed.reshape(before, rows, lines * after),
        out=wide.reshape(before, kept, -1)[:, :, left * after : (left + lines) * after],
    )
    out = np.ascontiguousarray(_slanted(wide, kept, columns[1] - columns[0], columns[0] - shift + left))
    return out.reshape(*values.shape[:axis], kept, columns[1] - columns[0], *values.shape[axis + 2 :])


def hop_back(values: Array, axis: int, kernel: Array, shift: int, columns: tuple[int, int], was: int) -> Array:
    """The adjoint of `hop_on`; `was`: how long the next axis was before it."""
    before, (kept, _), after = _split(values.shape, axis)
    rows = kernel.shape[1]
    lines = rows + was - 1
    left = max(0, shift - columns[0])
    wide = np.zeros((before, kept, max(left + lines, columns[1] + kept - 1 - shift + left), after))
    _slanted(wide, kept, columns[1] - columns[0], columns[0] - shift + left)[...] = values.reshape(before, kept, -1, after)
    there = wide.reshape(before, kept, -1)[:, :, left * after : (left + lines) * after]
    moved = np.matmul(kernel.T, there).reshape(before, rows, lines, after)
    out = np.ascontiguousarray(_slanted(moved, rows, was, 0))
    return out.reshape(*values.shape[:axis], rows, was, *values.shape[axis + 2 :])


def _split(shape: Sequence[int], axis: int) -> tuple[int, tuple[int, int], int]:
    return prod(shape[:axis]), (shape[axis], shape[axis + 1]), prod(shape[axis + 2 :])


def _slanted(lines: Array, rows: int, columns: int, first: int) -> Array:
    """A view [before, i, j, after] of element (i, first + i + j) of lines [before, i, line, after]."""
    before, row, line, item = lines.strides
    return as_strided(lines[:, :, first:], (lines.shape[0], rows, columns, lines.shape[3]), (before, row + line, line, item))
