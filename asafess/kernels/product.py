"""Multiply a panel with vectors, in one order of additions whatever form its tiles have.

The order is fixed by the format: y = 0; tiles from left to right; within a tile column by column; y_i += a_ij · x_j.
A sparse tile leaves out the terms with a_ij = 0. They would add ±0 to a y_i that is never −0 (it starts at +0, and
x + (−x) is +0), which changes no bit as long as x_j is finite. Where a block of x holds NaN or infinity, sparse tiles
are expanded and multiplied as dense ones.

One vector is multiplied by `PRODUCT`, blocks of eight by `BLOCK_PRODUCT`; both walk over the tiles alike.

Dense tiles are taken four columns at a time, which saves three of four loads and stores of y; each y_i still gets its
terms one after the other. Sparse tiles that stand side by side are one loop over their entries: a loop for each would
end with a mispredicted branch, for 26 entries on the average of a Graph500 matrix of scale 14. Its indices are
unsigned: for a signed one Numba adds a test for negative indices, which took a third of the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing
from asafess.kernels.lanes import add_products
from asafess.kernels.recode import expand


def step(y: Any, a: Any, x: Any) -> Any:
    """Return y + a · x; for booleans, as in NumPy's product, y or (a and x)."""
    return y | (a & x) if isinstance(y, bool | np.bool) else y + a * x


@overload(step)
def _step(y, a, x):
    if isinstance(y, types.Boolean):
        return lambda y, a, x: y | (a & x)
    return lambda y, a, x: y + a * x


def strange(x: Any) -> Any:
    """Say whether a number is NaN or infinite."""
    return not np.isfinite(x)


@overload(strange)
def _strange(x):
    if isinstance(x, types.Float):
        return lambda x: x - x != 0
    return lambda x: False


@inner
def _any_strange(x):
    found = False
    for i in range(x.size):
        found |= strange(x[i])
    return found


@inner
def _strange_blocks(x, tile):
    # For each block of x, 1 if any of the vectors holds NaN or infinity there; empty if none does.
    for q in range(x.shape[0]):
        if _any_strange(x[q].ravel()):
            blocks = np.zeros((x.shape[1] + tile - 1) // tile, np.uint8)
            for p in range(q, x.shape[0]):
                for j in range(blocks.size):
                    blocks[j] |= np.uint8(_any_strange(x[p, j * tile : (j + 1) * tile].ravel()))
            return blocks
    return np.zeros(0, np.uint8)


@inner
def _run(marks, odd, wide, t, end):
    # Where the run of sparse tiles ends that tile t begins, with no strange block of x beside them.
    t = np.uint64(t) + np.uint64(1)
    if odd.size == 0:
        while t < np.uint64(end) and marks[t] != 0:
            t += np.uint64(1)
    else:
        while t < np.uint64(end) and marks[t] != 0 and odd[t % np.uint64(wide)] == 0:
            t += np.uint64(1)
    return np.int64(t)


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
def _sparse_tiles(rows, cols, values, start, stop, x, y):
    for k in range(np.uint64(start), np.uint64(stop)):
        i = rows[k]
        y[i] = step(y[i], values[k], x[cols[k]])


@inner
def _dense_tile_lanes(a, height, width, x, y):
    high = np.uint64(height)
    j = np.uint64(0)
    while j + np.uint64(4) <= np.uint64(width):
        for i in range(high):
            k = j * high + i
            add_products(y, i, (a[k], a[k + high], a[k + high + high], a[k + high + high + high]), x, j)
        j += np.uint64(4)
    while j < np.uint64(width):
        for i in range(high):
            add_products(y, i, (a[j * high + i],), x, j)
        j += np.uint64(1)


@inner
def _sparse_tiles_lanes(rows, cols, values, start, stop, x, y):
    for k in range(np.uint64(start), np.uint64(stop)):
        add_products(y, rows[k], (values[k],), x, cols[k])


def _product(dense_tile, sparse_tiles):
    def product(dense, rows, cols, values, marks, offsets, counts, tile, first, last, x, y):
        """Multiply some tile rows of a panel with k vectors, or with k blocks of them.

        Parameters
        ----------
        dense : (D,)
            Dense tiles, each column-major. `dense`, `values`, `x` and `y` are of one data type.
        rows : (S,) uint8 or uint16
            Rows of the entries of the sparse tiles, within their tile.
        cols : (S,) unsigned
            Their columns, within the matrix.
        values : (S,)
        marks : (T,) uint8
            0 dense, 1 sparse.
        offsets, counts : (T,) int64
            Start and number of the stored words (dense) or entries (sparse) of each tile. Entries of tiles that
            follow each other lie side by side.
        tile : int
            Edge of a tile.
        first, last : int
            The tile rows to multiply: from `first` on, before `last`.
        x : (k, n) or (k, n, LANES)
            One vector, or block of vectors, after the other.
        y : (k, m) or (k, m, LANES), written
            The products, in the rows of these tile rows only: threads may share a y.
        """
        n = x.shape[1]
        wide = (n + tile - 1) // tile
        odd = _strange_blocks(x, tile)
        scratch = np.empty(tile * tile if odd.size else 0, dense.dtype)
        for r in range(first, last):
            top = r * tile
            height = min(tile, y.shape[1] - top)
            y[:, top : top + height] = 0
            t = r * wide
            end = t + wide
            while t < end:
                j = t - r * wide
                left = j * tile
                width = min(tile, n - left)
                a, b = offsets[t], offsets[t] + counts[t]
                after = t + 1
                if marks[t] == 0:
                    for q in range(y.shape[0]):
                        dense_tile(dense[a:b], height, width, x[q, left : left + width], y[q, top : top + height])
                elif odd.size and odd[j]:
                    full = scratch[: height * width]
                    expand(rows[a:b], cols[a:b], values[a:b], left, height, full)
                    for q in range(y.shape[0]):
                        dense_tile(full, height, width, x[q, left : left + width], y[q, top : top + height])
                else:
                    after = _run(marks, odd, wide, t, end)
                    b = offsets[after - 1] + counts[after - 1]
                    for q in range(y.shape[0]):
                        sparse_tiles(rows, cols, values, a, b, x[q], y[q, top : top + height])
                t = after

    return product


def _signature(ndim):
    return lambda dtype, row, column: (
        *(incoming(dtype), incoming(row), incoming(column), incoming(dtype)),
        *(incoming(np.uint8), incoming(np.int64), incoming(np.int64)),
        *(SIZE, SIZE, SIZE, incoming(dtype, ndim), outgoing(dtype, ndim)),
    )


#: One vector, or several one by one; by the types of values, rows and columns.
PRODUCT = Kernel(_product(_dense_tile, _sparse_tiles), _signature(2))
#: Blocks of `LANES` vectors.
BLOCK_PRODUCT = Kernel(_product(_dense_tile_lanes, _sparse_tiles_lanes), _signature(3))
