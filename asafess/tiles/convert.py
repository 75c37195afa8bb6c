"""Turn tiled matrices into arrays, SciPy matrices and other data types, in NumPy alone.

Making one is in `build`; changing the marks of its tiles is in `recode`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from asafess.kernels.dtypes import checked_dtype, word_type
from asafess.tiles import layout
from asafess.tiles.layout import DENSE, SPARSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix


def entry_tiles(matrix: TiledMatrix) -> np.ndarray:
    """Return the number of the tile of each entry of the sparse tiles, (S,) int64.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> entry_tiles(TiledMatrix.from_edges([[0, 0], [3, 3]], (4, 4), tile=2))
    array([0, 3])
    """
    return np.repeat(np.arange(matrix.marks.size), np.where(matrix.marks == SPARSE, matrix.counts, 0))


def to_dense(matrix: TiledMatrix) -> np.ndarray:
    """See `TiledMatrix.to_dense`."""
    m, n = matrix.shape
    area = layout.areas(matrix.shape, matrix.tile)
    starts = np.cumsum(area) - area
    if matrix.dense.size == m * n:
        flat = matrix.dense
    else:
        flat = np.zeros(m * n, matrix.dtype)
        # Runs of dense tiles lie together here and there.
        ends = np.flatnonzero(np.diff(matrix.marks == DENSE, prepend=False, append=False))
        for first, last in ends.reshape(-1, 2):
            a, b, size = starts[first], matrix.offsets[first], area[first:last].sum()
            flat[a : a + size] = matrix.dense[b : b + size]
        t = entry_tiles(matrix)
        high = layout.heights(matrix.shape, matrix.tile)[t]
        within = matrix.cols - t % matrix.grid[1] * matrix.tile
        flat[starts[t] + within * high + matrix.rows] = matrix.values
    a = np.empty((m, n), matrix.dtype)
    for top in range(0, m, matrix.tile):
        rows = a[top : top + matrix.tile]
        rows[...] = flat[top * n : (top + len(rows)) * n].reshape(n, len(rows)).T
    return a


def to_scipy(matrix: TiledMatrix) -> scipy.sparse.csr_array:
    """See `TiledMatrix.to_scipy`."""
    tile, wide = matrix.tile, matrix.grid[1]
    places = np.flatnonzero(matrix.dense.view(word_type(matrix.dtype)))
    dense = np.flatnonzero(matrix.marks == DENSE)
    of_place = dense[np.searchsorted(matrix.offsets[dense], places, side="right") - 1]
    local, high = places - matrix.offsets[of_place], layout.heights(matrix.shape, tile)[of_place]
    t = np.concatenate((of_place, entry_tiles(matrix)))
    i = t // max(wide, 1) * tile + np.concatenate((local % high, matrix.rows))
    j = np.concatenate((of_place % max(wide, 1) * tile + local // high, matrix.cols))
    values = np.concatenate((matrix.dense[places], matrix.values))
    result = scipy.sparse.coo_array((values, (i, j)), shape=matrix.shape).tocsr()
    result.sum_duplicates()
    return result


def astype(matrix: TiledMatrix, dtype: Any) -> TiledMatrix:
    """See `TiledMatrix.astype`."""
    dtype = checked_dtype(dtype)
    if dtype == matrix.dtype:
        return matrix
    rows, cols, values, counts = matrix.rows, matrix.cols, matrix.values.astype(dtype), matrix.counts
    kept = values.view(word_type(dtype)) != 0
    if not kept.all():
        left = np.bincount(entry_tiles(matrix)[kept], minlength=counts.size)
        counts = np.where(matrix.marks == SPARSE, left, counts)
        rows, cols, values = rows[kept], cols[kept], values[kept]
    return type(matrix)(
        *(matrix.shape, matrix.tile, matrix.marks, layout.offsets(matrix.marks, counts), counts),
        *(matrix.dense.astype(dtype), rows, cols, values),
    )
