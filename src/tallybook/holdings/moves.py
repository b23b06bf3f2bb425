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


def hop_on(values: Array, axis: int, kernel: Array, shift: int) -> Array:
    """Items leave `axis` for `axis + 1`. `kernel[a, i]`: probability that the i-th number becomes the a-th; the a-th number lies
    `shift` below the i-th for a = i. The next axis keeps its lowest number and grows upward."""
    before, (rows, columns), after = _split(values.shape, axis)
    lines = rows + columns - 1
    skewed = np.zeros((before, rows, lines, after))
    _slanted(skewed, rows, columns)[...] = values.reshape(before, rows, columns, after)
    kept = kernel.shape[0]
    # Lines further left than the first hold nothing, but rows below the lowest number read from them.
    wide = np.zeros((before, kept, shift + lines + kept - 1, after))
    moved = np.matmul(kernel, skewed.reshape(before, rows, lines * after))
    wide[:, :, shift : shift + lines] = moved.reshape(before, kept, lines, after)
    out = np.ascontiguousarray(_slanted(wide, kept, shift + lines))
    return out.reshape(*values.shape[:axis], kept, shift + lines, *values.shape[axis + 2 :])


def hop_back(values: Array, axis: int, kernel: Array, shift: int, columns: int) -> Array:
    """The adjoint of `hop_on`; `columns`: how long the next axis was before it."""
    before, (kept, following), after = _split(values.shape, axis)
    rows = kernel.shape[1]
    lines = rows + columns - 1
    wide = np.zeros((before, kept, following + kept - 1, after))
    _slanted(wide, kept, following)[...] = values.reshape(before, kept, following, after)
    there = np.ascontiguousarray(wide[:, :, shift : shift + lines]).reshape(before, kept, lines * after)
    moved = np.matmul(kernel.T, there).reshape(before, rows, lines, after)
    out = np.ascontiguousarray(_slanted(moved, rows, columns))
    return out.reshape(*values.shape[:axis], rows, columns, *values.shape[axis + 2 :])


def _split(shape: Sequence[int], axis: int) -> tuple[int, tuple[int, int], int]:
    return prod(shape[:axis]), (shape[axis], shape[axis + 1]), prod(shape[axis + 2 :])


def _slanted(lines: Array, rows: int, columns: int) -> Array:
    """A view [before, i, j, after] of element (i, i + j) of lines [before, i, line, after]."""
    before, row, line, item = lines.strides
    return as_strided(lines, (lines.shape[0], rows, columns, lines.shape[3]), (before, row + line, line, item))
