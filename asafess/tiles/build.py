"""Make tiled matrices from arrays, edge lists and files; from SciPy's matrices in `sparse`.

Only what is stored is ever held: entries, and the tiles that come out dense. The reverse is in `convert`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.io
import scipy.sparse

from asafess.kernels.dtypes import checked_dtype, column_type, row_type, word_type
from asafess.tiles import layout, sparse
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
    return cls(
        *((m, n), tile, marks, layout.offsets(marks, counts), counts),
        *(dense, np.empty(0, row_type(tile)), np.empty(0, column_type(n)), np.empty(0, dtype)),
    )


def places(i: np.ndarray, j: np.ndarray, shape: Shape, tile: int) -> np.ndarray:
    """Return one number for each place of a matrix: in order of tile, then column, then row.

    Parameters
    ----------
    i, j : (E,) ints
        Rows and columns, within `shape`.
    shape : (int, int)
    tile : int

    Returns
    -------
    (E,) int64

    Examples
    --------
    >>> places(np.array([0, 1, 0]), np.array([0, 0, 2]), (2, 4), 2)
    array([0, 1, 4])
    """
    if (shape[0] + tile) * (shape[1] + tile) >= 2**63:
        raise ValueError(f"a matrix of {shape[0]} × {shape[1]} is too large: rows times columns must stay below 2**63")
    i, j = i.astype(np.int64), j.astype(np.int64)
    t = i // tile * -(-shape[1] // tile) + j // tile
    return (t * tile + j % tile) * tile + i % tile


def from_places(
    cls: type[TiledMatrix],
    place: np.ndarray,
    values: np.ndarray,
    shape: Shape,
    tile: int,
    form: str,
    threshold: int | None,
) -> TiledMatrix:
    """Make a tiled matrix from entries in the order of the format.

    Parameters
    ----------
    cls : type
        What to make.
    place : (E,) int64
        From `places`; ascending, none twice.
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
    dtype = checked_dtype(values.dtype)
    limits = layout.limits(form, shape, tile, dtype, threshold)
    values = np.ascontiguousarray(values, dtype)
    kept = values.view(word_type(dtype)) != 0
    if not kept.all():
        place, values = place[kept], values[kept]
    t, rows = place // (tile * tile), place % tile
    wide = max(-(-shape[1] // tile), 1)
    within = place // tile % tile

    counts = np.bincount(t, minlength=limits.size)
    marks = np.where(counts < limits, SPARSE, DENSE).astype(np.uint8)
    counts = np.where(marks == DENSE, layout.areas(shape, tile), counts)
    offsets = layout.offsets(marks, counts)
    dense = np.zeros(counts[marks == DENSE].sum(), dtype)
    sparse = marks[t] == SPARSE
    full = ~sparse
    cols = t % wide * tile + within
    dense[offsets[t[full]] + within[full] * layout.heights(shape, tile)[t[full]] + rows[full]] = values[full]
    return cls(
        *(shape, tile, marks, offsets, counts),
        *(dense, rows[sparse].astype(row_type(tile)), cols[sparse].astype(column_type(shape[1])), values[sparse]),
    )


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
    place = places(edges[:, 0], edges[:, 1], shape, tile)
    if values is None:
        place = np.sort(place)  # not np.unique, which hashes: 35 times slower here
        place = place[np.diff(place, prepend=-1) != 0]
        return from_places(cls, place, np.ones(place.size, dtype), shape, tile, form, threshold)
    weights = np.asarray(values)
    if weights.shape != place.shape:
        raise ValueError(f"values has shape {weights.shape}; {place.size} edges take shape {place.shape}")
    checked_dtype(weights.dtype)
    # Stable, so that values of the same edge are added up in the order given.
    order = np.argsort(place, kind="stable")
    place, weights = place[order], weights.astype(dtype)[order]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    if starts.size:
        weights = np.add.reduceat(weights, starts, dtype=dtype)
    return from_places(cls, place[starts], weights, shape, tile, form, threshold)


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
        return sparse.from_scipy(cls, matrix, tile, form, threshold)
    # The file lists every element, so the dense matrix is what it holds.
    matrix, tile = np.asarray(matrix), layout.checked_tile(tile)
    i, j = np.indices(matrix.shape).reshape(2, -1)
    place = places(i, j, matrix.shape, tile)
    order = np.argsort(place)
    return from_places(cls, place[order], matrix.ravel()[order], matrix.shape, tile, form, threshold)
