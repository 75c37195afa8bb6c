"""Make tiled matrices from SciPy's sparse ones, tile row by tile row and without sorting.

The entries of a tile row in SciPy's CSC format, column by column and rows ascending, are in the order of a panel: tile
by tile, from left to right. So SciPy's conversion, a counting sort, does the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from asafess.kernels.dtypes import checked_dtype, column_type, row_type, word_type
from asafess.tiles import layout
from asafess.tiles.layout import DENSE, SPARSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix


def from_scipy(cls: type[TiledMatrix], s: Any, tile: int, form: str, threshold: int | None) -> TiledMatrix:
    """See `TiledMatrix.from_scipy`."""
    tile = layout.checked_tile(tile)
    if not scipy.sparse.issparse(s):
        raise TypeError(f"from_scipy takes a SciPy sparse matrix or array, not a {type(s).__name__}: use from_dense")
    given: Any = s  # SciPy's formats have no common type that knows its data
    dtype = checked_dtype(given.dtype)
    if given.ndim != 2:
        raise ValueError(f"the sparse array has {given.ndim} dimensions, shape {given.shape}; a tiled matrix has two")
    m, n = shape = int(given.shape[0]), int(given.shape[1])
    rows = _canonical(given, dtype)
    strips = [rows[top : top + tile].tocsc() for top in range(0, m, tile)]
    lefts = np.append(np.arange(0, n, tile), n)  # where tiles begin, and where the last one ends
    found = [np.diff(strip.indptr[lefts]) for strip in strips]
    counts = np.concatenate([*found, np.empty(0, np.int64)]).astype(np.int64)
    limits = layout.limits(form, shape, tile, dtype, threshold)
    marks = np.where(counts < limits, SPARSE, DENSE).astype(np.uint8)
    counts = np.where(marks == DENSE, layout.areas(shape, tile), counts)
    offsets = layout.offsets(marks, counts)
    dense = np.zeros(counts[marks == DENSE].sum(), dtype)
    entries: list[tuple[np.ndarray, ...]] = []
    wide = len(lefts) - 1
    for i, strip in enumerate(strips):
        t = slice(i * wide, (i + 1) * wide)
        for j in np.flatnonzero(marks[t] == DENSE).tolist():
            _fill(strip, lefts[j], lefts[j + 1], dense[offsets[t][j] :][: counts[t][j]])
        entries.append(_entries(strip, np.repeat(marks[t] == SPARSE, tile)[:n]))
    kinds = row_type(tile), column_type(n), dtype
    parts = zip(*entries, strict=True) if entries else ((), (), ())
    stored = [np.concatenate([*part, np.empty(0, kind)]).astype(kind) for part, kind in zip(parts, kinds, strict=True)]
    return cls(shape, tile, marks, offsets, counts, dense, *stored)


def _canonical(given: Any, dtype: np.dtype) -> scipy.sparse.csr_array:
    """Return CSR with sorted indices, nothing twice, and no value without any bit set: −0.0 is a value."""
    rows = scipy.sparse.csr_array(given)
    if rows.dtype != dtype:  # of another byte order
        rows = rows.astype(dtype)
    if not rows.has_canonical_format:
        rows = rows.copy()  # what SciPy does next it does in place, to an array that may be the user's
        rows.sum_duplicates()
    kept = np.ascontiguousarray(rows.data).view(word_type(dtype)) != 0
    if not kept.all():
        starts = np.concatenate(([0], np.cumsum(kept)))[rows.indptr]
        rows = scipy.sparse.csr_array((rows.data[kept], rows.indices[kept], starts), shape=rows.shape)
    return rows


def _fill(strip: scipy.sparse.csc_array, left: int, right: int, tile: np.ndarray) -> None:
    """Write the entries of some columns into a dense tile, column-major."""
    start, stop = strip.indptr[left], strip.indptr[right]
    if stop - start == tile.size:
        tile[...] = strip.data[start:stop]
        return
    cols = np.repeat(np.arange(right - left), np.diff(strip.indptr[left : right + 1]))
    tile[cols * strip.shape[0] + strip.indices[start:stop]] = strip.data[start:stop]


def _entries(strip: scipy.sparse.csc_array, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and values of the entries in the columns wanted."""
    of_column = np.diff(strip.indptr)
    kept = np.repeat(wanted, of_column)
    cols = np.repeat(np.arange(wanted.size)[wanted], of_column[wanted])
    return strip.indices[kept], cols, strip.data[kept]
