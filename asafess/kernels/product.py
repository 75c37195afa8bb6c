"""Multiply a panel with vectors, in one order of additions whatever form its tiles have.

The order is fixed by the format: y = 0; tiles from left to right; within a tile column by column; y_i += a_ij · x_j.
A sparse tile leaves out the terms with a_ij = 0. They would add ±0 to a y_i that is never −0 (it starts at +0, and
x + (−x) is +0), which changes no bit as long as x_j is finite. Where a block of x holds NaN or infinity, sparse tiles
are expanded and multiplied as dense ones.

One vector is multiplied by `PRODUCT`, blocks of eight by `BLOCK_PRODUCT`; both walk over the tiles alike.

Sparse tiles that stand side by side are one loop over their entries: a loop for each would
end with a mispredicted branch, for 26 entries on the average of a Graph500 matrix of scale 14. Its indices are
unsigned: for a signed one Numba adds a test for negative indices, which took a third of the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from asafess.kernels.bits import four, prefetch
from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing
from asafess.kernels.lanes import add_products
from asafess.kernels.recode import expand

#: Bytes between what is multiplied and what is asked for from memory. Of 1 to 32 KiB, all from 8 on were as good.
AHEAD = 16384

_ONE, _TWO, _THREE, _FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


def times(a: Any, x: Any) -> Any:
    """Return a · x; for booleans, as in NumPy's product, a and x."""
    return a & x if isinstance(a, bool | np.bool) else a * x


def plus(y: Any, product: Any) -> Any:
    """Return y + product; for booleans y or product."""
    return y | product if isinstance(y, bool | np.bool) else y + product


@overload(times)
def _times(a, x):
    return (lambda a, x: a & x) if isinstance(a, types.Boolean) else (lambda a, x: a * x)


@overload(plus)
def _plus(y, product):
    return (lambda y, product: y | product) if isinstance(y, types.Boolean) else (lambda y, product: y + product)


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
    # Column after column, so that memory is read in one stream, and far ahead of it: as fast as `np.sum`. Four
    # columns at a time save loads and stores of y, but memory is slower than those.
    line = np.intp(64 // a.itemsize)
    ahead = np.intp(AHEAD // a.itemsize)
    for j in range(width):
        column = a[j * height : (j + 1) * height]
        for k in range(j * height + ahead, (j + 1) * height + ahead, line):
            prefetch(a, k)
        factor = x[j]
        for i in range(height):
            y[i] = plus(y[i], times(column[i], factor))


@inner
def _sparse_tiles(rows, cols, values, start, stop, x, y):
    # Four at a time: their columns are one load, and the products need not wait for what is stored to y.
    k, stop = np.uint64(start), np.uint64(stop)
    while k + _FOUR <= stop:
        j0, j1, j2, j3 = four(cols, k)
        p0 = times(values[k], x[j0])
        p1 = times(values[k + _ONE], x[j1])
        p2 = times(values[k + _TWO], x[j2])
        p3 = times(values[k + _THREE], x[j3])
        i0, i1, i2, i3 = rows[k], rows[k + _ONE], rows[k + _TWO], rows[k + _THREE]
        y[i0] = plus(y[i0], p0)
        y[i1] = plus(y[i1], p1)
        y[i2] = plus(y[i2], p2)
        y[i3] = plus(y[i3], p3)
        k += _FOUR
    while k < stop:
        i0 = rows[k]
        y[i0] = plus(y[i0], times(values[k], x[cols[k]]))
        k += _ONE


@inner
def _dense_tile_lanes(a, height, width, x, y):
    high, wide = np.uint64(height), np.uint64(width)
    j = np.uint64(0)
    while j + _FOUR <= wide:
        a0, a1, a2, a3 = j * high, (j + _ONE) * high, (j + _TWO) * high, (j + _THREE) * high
        i = np.uint64(0)
        while i + _TWO <= high:
            k = i + _ONE
            rows = (a[a0 + i], a[a1 + i], a[a2 + i], a[a3 + i]), (a[a0 + k], a[a1 + k], a[a2 + k], a[a3 + k])
            add_products(y, i, rows, x, j)
            i += _TWO
        if i < high:
            add_products(y, i, ((a[a0 + i], a[a1 + i], a[a2 + i], a[a3 + i]),), x, j)
        j += _FOUR
    while j < wide:
        for i in range(high):
            add_products(y, i, ((a[j * high + i],),), x, j)
        j += _ONE


@inner
def _sparse_tiles_lanes(rows, cols, values, start, stop, x, y):
    for k in range(np.uint64(start), np.uint64(stop)):
        add_products(y, rows[k], ((values[k],),), x, cols[k])


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
        scratch = np.empty(min(tile, y.shape[1]) * min(tile, n) if odd.size else 0, dense.dtype)
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
