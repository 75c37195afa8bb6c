"""Multiply a panel with vectors, in one order of additions whatever form its tiles have.

The order is fixed by the format: y = 0; tiles from left to right; within a tile column by column; y_i += a_ij · x_j.
A sparse tile leaves out the terms with a_ij = 0. They would add ±0 to a y_i that is never −0 (it starts at +0, and
x + (−x) is +0), which changes no bit as long as x_j is finite. Where a block of x holds NaN or infinity (`strict`),
sparse tiles are expanded and multiplied as dense ones.

Columns are taken four at a time, which saves three of four loads and stores of y; each y_i still gets its terms one
after the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing
from asafess.kernels.recode import expand


def step(y: Any, a: Any, x: Any) -> Any:
    """Return y + a · x; for booleans, as in NumPy's product, y or (a and x)."""
    return y | (a & x) if isinstance(y, bool | np.bool) else y + a * x


@overload(step)
def _step(y, a, x):
    if isinstance(y, types.Boolean):
        return lambda y, a, x: y | (a & x)
    return lambda y, a, x: y + a * x


@inner
def _dense_tile(a, height, width, x, y):
    j = 0
    while j + 4 <= width:
        a0 = a[j * height : (j + 1) * height]
        a1 = a[(j + 1) * height : (j + 2) * height]
        a2 = a[(j + 2) * height : (j + 3) * height]
        a3 = a[(j + 3) * height : (j + 4) * height]
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        for i in range(height):
            y[i] = step(step(step(step(y[i], a0[i], x0), a1[i], x1), a2[i], x2), a3[i], x3)
        j += 4
    while j < width:
        a0 = a[j * height : (j + 1) * height]
        x0 = x[j]
        for i in range(height):
            y[i] = step(y[i], a0[i], x0)
        j += 1


@inner
def _sparse_tile(rows, cols, values, x, y):
    for k in range(values.size):
        i = rows[k]
        y[i] = step(y[i], values[k], x[cols[k]])


def product(dense, rows, cols, values, marks, offsets, counts, m, n, tile, strict, scratch, x, y):
    """Multiply a panel with k vectors.

    Parameters
    ----------
    dense : (D,)
        Dense tiles, each column-major. `dense`, `values`, `scratch`, `x` and `y` are of one data type.
    rows, cols : (S,) uint8 or uint16
        Entries of the sparse tiles, in the tile's own coordinates.
    values : (S,)
    marks : (T,) uint8
        0 dense, 1 sparse.
    offsets, counts : (T,) int64
        Start and number of the stored words (dense) or entries (sparse) of each tile.
    m, n, tile : int
        Shape of the matrix and edge of a tile.
    strict : (ceil(n / tile),) uint8
        1 for blocks of x that are not all finite.
    scratch : (tile²,), written
        May be empty where no block is strict.
    x : (k, n)
        One vector after the other.
    y : (k, m), written
        The products.
    """
    t = 0
    for top in range(0, m, tile):
        height = min(tile, m - top)
        for q in range(y.shape[0]):
            y[q, top : top + height] = 0
        for j in range((n + tile - 1) // tile):
            left = j * tile
            width = min(tile, n - left)
            a, b = offsets[t], offsets[t] + counts[t]
            if marks[t] == 0:
                for q in range(y.shape[0]):
                    _dense_tile(dense[a:b], height, width, x[q, left : left + width], y[q, top : top + height])
            elif strict[j]:
                full = scratch[: height * width]
                expand(rows[a:b], cols[a:b], values[a:b], height, full)
                for q in range(y.shape[0]):
                    _dense_tile(full, height, width, x[q, left : left + width], y[q, top : top + height])
            else:
                for q in range(y.shape[0]):
                    _sparse_tile(rows[a:b], cols[a:b], values[a:b], x[q, left : left + width], y[q, top : top + height])
            t += 1


def _signature(dtype, index):
    return (
        *(incoming(dtype), incoming(index), incoming(index), incoming(dtype)),
        *(incoming(np.uint8), incoming(np.int64), incoming(np.int64)),
        *(SIZE, SIZE, SIZE),
        *(incoming(np.uint8), outgoing(dtype), incoming(dtype, 2), outgoing(dtype, 2)),
    )


PRODUCT = Kernel(product, _signature)
