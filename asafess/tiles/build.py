"""Make tiled matrices from arrays, SciPy matrices, edge lists and files.

Only what is stored is ever held: entries, and the tiles that come out dense. The reverse is in `convert`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.io
import scipy.sparse

from asafess.kernels.dtypes import checked_dtype, index_type, word_type
from asafess.tiles import layout
from asafess.tiles.layout import DENSE, SPARSE, Shape

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix


def from_dense(cls: type[TiledMatrix], a: Any, tile: int) -> TiledMatrix:
    """See `TiledMatrix.from_dense`."""
    tile = layout.checked_tile(tile)
    if scipy.sparse.issparse(a):
        raise TypeError(f"from_dense takes an array, not a {type(a).__name__}: use TiledMatrix.from_scipy")
    a = np.asarray(a)
    dtype = checked_dtype(a.dtype)
    if a.ndim != 2:
        raise ValueError(f"the array has {a.ndim} dimensions, shape {a.shape}; a tiled matrix has two")
    m, n = a.shape
    dense = np.empty(m * n, dtype)
    for top in range(0, m, tile):
        # Column-major tiles of one height, from left to right, are column-major together.
        rows = a[top : top + tile]
        dense[top * n : (top + len(rows)) * n].reshape(n, len(rows))[...] = rows.T
    counts = layout.areas((m, n), tile)
    marks = np.zeros(counts.size, np.uint8)
    index = index_type(tile)
    return cls(
        *((m, n), tile, marks, layout.offsets(marks, counts), counts),
        *(dense, np.empty(0, index), np.empty(0, index), np.empty(0, dtype)),
    )


def from_entries(
    cls: type[TiledMatrix],
    i: np.ndarray,
    j: np.ndarray,
    values: np.ndarray,
    shape: Shape,
    tile: int,
    form: str,
    threshold: int | None,
) -> TiledMatrix:
    """Make a tiled matrix from entries in any order.

    Parameters
    ----------
    cls : type
        What to make.
    i, j : (E,) ints
        Rows and columns, within `shape`; no place twice.
    values : (E,)
        Those without any bit set are dropped.
    shape : (int, int)
    tile : int
    form : str
    threshold : int, optional
        See `layout.limits`.

    Returns
    -------
    TiledMatrix
    """
    dtype, wide = checked_dtype(values.dtype), -(-shape[1] // tile)
    if (shape[0] + tile) * (shape[1] + tile) >= 2**63:
        raise ValueError(f"a matrix of {shape[0]} × {shape[1]} is too large: rows times columns must stay below 2**63")
    limits = layout.limits(form, shape, tile, dtype, threshold)
    values = np.ascontiguousarray(values, dtype)
    kept = values.view(word_type(dtype)) != 0
    i, j, values = i[kept].astype(np.int64), j[kept].astype(np.int64), values[kept]
    # Sort by tile, then column, then row: one key, since there are no ties.
    key = ((i // tile * wide + j // tile) * tile + j % tile) * tile + i % tile
    order = np.argsort(key)
    key, values = key[order], values[order]
    t, rows, cols = key // (tile * tile), key % tile, key // tile % tile

    counts = np.bincount(t, minlength=limits.size)
    marks = np.where(counts < limits, SPARSE, DENSE).astype(np.uint8)
    counts = np.where(marks == DENSE, layout.areas(shape, tile), counts)
    offsets = layout.offsets(marks, counts)
    dense = np.zeros(counts[marks == DENSE].sum(), dtype)
    sparse = marks[t] == SPARSE
    full = ~sparse
    dense[offsets[t[full]] + cols[full] * layout.heights(shape, tile)[t[full]] + rows[full]] = values[full]
    index = index_type(tile)
    return cls(
        *(shape, tile, marks, offsets, counts),
        *(dense, rows[sparse].astype(index), cols[sparse].astype(index), values[sparse]),
    )


def from_scipy(cls: type[TiledMatrix], s: Any, tile: int, form: str, threshold: int | None) -> TiledMatrix:
    """See `TiledMatrix.from_scipy`."""
    tile = layout.checked_tile(tile)
    if not scipy.sparse.issparse(s):
        raise TypeError(f"from_scipy takes a SciPy sparse matrix or array, not a {type(s).__name__}: use from_dense")
    given: Any = s  # SciPy's formats have no common type that knows its data
    checked_dtype(given.dtype)
    if given.ndim != 2:
        raise ValueError(f"the sparse array has {given.ndim} dimensions, shape {given.shape}; a tiled matrix has two")
    rows = scipy.sparse.csr_array(given, copy=True)
    rows.sum_duplicates()
    entries = rows.tocoo()
    return from_entries(cls, entries.row, entries.col, entries.data, given.shape, tile, form, threshold)


def from_edges(
    cls: type[TiledMatrix],
    edges: Any,
    shape: Any,
    tile: int,
    values: Any,
    dtype: Any,
    form: str,
    threshold: int | None,
) -> TiledMatrix:
    """See `TiledMatrix.from_edges`."""
    tile, shape, dtype, edges = (
        layout.checked_tile(tile),
        layout.checked_shape(shape),
        checked_dtype(dtype),
        _ends(edges),
    )
    if len(edges) and (edges.min() < 0 or (edges.max(axis=0) >= shape).any()):
        first = edges[((edges < 0) | (edges >= np.array(shape))).any(axis=1)][0]
        raise ValueError(f"edge ({first[0]}, {first[1]}) lies outside a matrix of {shape[0]} × {shape[1]}")
    # Duplicates meet here and not in a key i · n + j, which overflows before the shape does.
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges = edges[order]
    new = np.ones(len(edges), bool)
    new[1:] = (edges[1:] != edges[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    if values is None:
        weights = np.ones(starts.size, dtype)
    else:
        weights = np.asarray(values)
        if weights.shape != (len(edges),):
            raise ValueError(f"values has shape {weights.shape}; {len(edges)} edges take shape ({len(edges)},)")
        checked_dtype(weights.dtype)
        weights = weights.astype(dtype)[order]
        weights = np.add.reduceat(weights, starts, dtype=dtype) if starts.size else weights
    return from_entries(cls, edges[starts, 0], edges[starts, 1], weights, shape, tile, form, threshold)


def _ends(edges: Any) -> np.ndarray:
    ends = np.asarray(edges)
    if ends.size == 0 and ends.ndim < 2:
        ends = np.empty((0, 2), np.int64)
    if ends.ndim != 2 or ends.shape[1] != 2:
        raise ValueError(f"edges has shape {ends.shape}; give one row (i, j) for each edge: shape (E, 2)")
    if ends.dtype.kind not in "iu":
        raise TypeError(f"edges has dtype {ends.dtype}; give whole numbers, such as int64")
    return ends


def from_matrix_market(
    cls: type[TiledMatrix], path: str | os.PathLike[str], tile: int, form: str, threshold: int | None
) -> TiledMatrix:
    """See `TiledMatrix.from_matrix_market`."""
    matrix = scipy.io.mmread(path, spmatrix=False)
    if scipy.sparse.issparse(matrix):
        return from_scipy(cls, matrix, tile, form, threshold)
    # The file lists every element, so the dense matrix is what it holds.
    i, j = np.indices(matrix.shape, sparse=False).reshape(2, -1)
    return from_entries(cls, i, j, matrix.ravel(), matrix.shape, layout.checked_tile(tile), form, threshold)
