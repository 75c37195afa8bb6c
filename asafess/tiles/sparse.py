"""Make tiled matrices from SciPy's sparse ones, tile row by tile row.

The entries of a tile row column by column, rows ascending, are in the order of a panel: tile by tile, from left to
right. That is SciPy's CSC format, so its conversion, a counting sort, does the work where a tile row is not nearly
empty. Takes the result and some bytes per entry of one tile row.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from asafess.kernels.dtypes import checked_dtype, column_type, row_type, word_type
from asafess.tiles import layout
from asafess.tiles.layout import DENSE, SPARSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix

#: A tile row with fewer entries for each column is sorted; a counting sort would look at every column.
FEWEST = 1 / 8

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]


def from_scipy(cls: type[TiledMatrix], s: Any, tile: int, form: str, threshold: int | None) -> TiledMatrix:
    """See `TiledMatrix.from_scipy`."""
    tile = layout.checked_tile(tile)
    if not scipy.sparse.issparse(s):
        raise TypeError(f"from_scipy takes a SciPy sparse matrix or array, not a {type(s).__name__}: use from_dense")
    given: Any = s  # SciPy's formats have no common type that knows its data
    dtype = checked_dtype(given.dtype)
    if given.ndim != 2:
        raise ValueError(f"the sparse array has {given.ndim} dimensions, shape {given.shape}; a tiled matrix has two")
    csr = _canonical(given, dtype)
    m, n = shape = int(given.shape[0]), int(given.shape[1])
    tops, wide = range(0, m, tile), -(-n // tile)
    ends = csr.indptr[[*tops, m]]
    found = [np.bincount(csr.indices[a:b] // tile, minlength=wide) for a, b in pairwise(ends)]
    counts = np.concatenate([*found, np.empty(0, np.int64)])
    marks = np.where(counts < layout.limits(form, shape, tile, dtype, threshold), SPARSE, DENSE).astype(np.uint8)
    sparse = marks == SPARSE
    counts = np.where(sparse, counts, layout.areas(shape, tile))
    offsets = layout.offsets(marks, counts)
    dense, stored = np.zeros(counts[~sparse].sum(), dtype), counts[sparse].sum()
    arrays = np.empty(stored, row_type(tile)), np.empty(stored, column_type(n)), np.empty(stored, dtype)
    filled = 0
    for i, top in enumerate(tops):
        entries = _by_columns(csr[top : top + tile])
        t = slice(i * wide, (i + 1) * wide)
        _fill(entries, tile, min(tile, m - top), ~sparse[t], offsets[t], dense)
        kept = sparse[t][entries[1] // tile]
        size = int(np.count_nonzero(kept))
        for array, entry in zip(arrays, entries, strict=True):
            array[filled : filled + size] = entry[kept]
        filled += size
    return cls(shape, tile, marks, offsets, counts, dense, *arrays)


def _canonical(given: Any, dtype: np.dtype) -> scipy.sparse.csr_array:
    """Return CSR with sorted indices, nothing twice, and no value without any bit set: −0.0 is a value.

    Raises
    ------
    ValueError
        For indices outside the shape, which SciPy follows to wherever they point.
    """
    if hasattr(given, "check_format"):
        given.check_format(full_check=True)
    csr = scipy.sparse.csr_array(given)
    if csr.dtype != dtype:  # of another byte order
        csr = csr.astype(dtype)
    if not csr.has_canonical_format:
        csr = csr.copy()  # what SciPy does next it does in place, to an array that may be the user's
        csr.sum_duplicates()
    kept = np.ascontiguousarray(csr.data).view(word_type(dtype)) != 0
    if not kept.all():
        starts = np.concatenate(([0], np.cumsum(kept)))[csr.indptr]
        csr = scipy.sparse.csr_array((csr.data[kept], csr.indices[kept], starts), shape=csr.shape)
    return csr


def _by_columns(strip: scipy.sparse.csr_array) -> Entries:
    """Return rows, columns and values of the entries, column by column, rows ascending."""
    height, n = strip.shape
    if strip.nnz < FEWEST * n:
        order = np.argsort(strip.indices, kind="stable")  # rows ascend as they are
        rows = np.repeat(np.arange(height), np.diff(strip.indptr))
        return rows[order], strip.indices[order], strip.data[order]
    csc = strip.tocsc()
    return csc.indices, np.repeat(np.arange(n), np.diff(csc.indptr)), csc.data


def _fill(entries: Entries, tile: int, height: int, wanted: np.ndarray, offsets: np.ndarray, dense: np.ndarray) -> None:
    """Write the entries of the wanted tiles of a tile row into `dense`, column-major, each where its tile starts."""
    rows, cols, values = entries
    tiles = np.flatnonzero(wanted)
    starts, stops = np.searchsorted(cols, tiles * tile), np.searchsorted(cols, (tiles + 1) * tile)
    for j, a, b in zip(tiles.tolist(), starts.tolist(), stops.tolist(), strict=True):
        places = (cols[a:b] - j * tile) * height + rows[a:b]
        dense[offsets[j] + places] = values[a:b]
