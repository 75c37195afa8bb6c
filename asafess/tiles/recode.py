"""Put a tiled matrix into another form: first decide (`plan`), then write (`apply`).

The two halves are apart so that the door can look at the size before it pays for the writing. Values never change,
only which tiles are dense and which are sparse. The first use with a data type compiles its kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asafess.kernels.dtypes import index_type, word_type
from asafess.tiles import layout
from asafess.tiles.layout import DENSE, SPARSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix


#: Bytes from which NumPy asks for huge pages.
HUGE = 4 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How a matrix would be stored in another form."""

    #: 0 dense, 1 sparse, (T,) uint8.
    marks: np.ndarray
    #: Stored words or entries of each tile, (T,) int64.
    counts: np.ndarray
    #: What was noted about the dense tiles, for `apply`.
    bits: np.ndarray
    #: Words of all dense tiles together.
    words: int
    #: Entries of all sparse tiles together.
    entries: int
    #: Bytes that the matrix would have, physical.
    nbytes: int
    #: Whether the form is the one that it has already.
    same: bool


def plan(matrix: TiledMatrix, form: str, threshold: int | None = None, *, keep_sparse: bool = False) -> Plan:
    """Decide which tiles are dense and which sparse in another form.

    Parameters
    ----------
    matrix : TiledMatrix
    form : str
    threshold : int, optional
        See `layout.limits`. For *full*, a dense tile whose sample holds clearly too many non-zeros stays dense
        without being counted.
    keep_sparse : bool
        Leave sparse tiles sparse, however many entries they have.

    Returns
    -------
    Plan

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> plan(TiledMatrix.from_dense(np.eye(4) + 1, tile=2), "sparse").marks
    array([1, 1, 1, 1], dtype=uint8)
    """
    # Numba is imported on the first use, not with this module: a scheduler may see a TiledMatrix, but never this.
    from asafess.kernels.plan import PLAN, groups

    limits = layout.limits(form, matrix.shape, matrix.tile, matrix.dtype, threshold)
    dense = matrix.marks == DENSE
    found = np.where(dense, -1, matrix.counts)
    bits = np.empty(0, np.uint64)
    if matrix.dense.size and form != "dense":
        word = word_type(matrix.dtype)
        bits = np.empty(groups(*matrix.shape, matrix.tile), np.uint64)
        PLAN[word](
            *(matrix.dense.view(word), matrix.marks, matrix.offsets, limits),
            *(*matrix.shape, matrix.tile, form == "full", found, bits),
        )
    sparse = np.where(dense, found >= 0, keep_sparse | (found < limits))
    counts = np.where(sparse, found, layout.areas(matrix.shape, matrix.tile))
    words, entries = int(counts[~sparse].sum()), int(counts[sparse].sum())
    stored = words * matrix.dtype.itemsize + entries * layout.entry_bytes(matrix.dtype, matrix.tile)
    held = matrix.marks.nbytes + matrix.offsets.nbytes + matrix.counts.nbytes
    return Plan(
        sparse.astype(np.uint8), counts, bits, words, entries, held + stored, same=bool((sparse != dense).all())
    )


def apply(matrix: TiledMatrix, plan: Plan) -> TiledMatrix:
    """Write a matrix as planned.

    Parameters
    ----------
    matrix : TiledMatrix
        The one that was planned for.
    plan : Plan

    Returns
    -------
    TiledMatrix
        The same object if nothing changes.
    """
    if plan.same:
        return matrix
    from asafess.kernels.recode import RECODE

    word, index = word_type(matrix.dtype), index_type(matrix.tile)
    offsets = layout.offsets(plan.marks, plan.counts)
    dense, values = _fresh(plan.words, matrix.dtype), np.empty(plan.entries, matrix.dtype)
    rows, cols = np.empty(plan.entries, index), np.empty(plan.entries, index)
    RECODE[word, index](
        *(matrix.dense.view(word), matrix.rows, matrix.cols, matrix.values.view(word)),
        *(matrix.marks, matrix.offsets, matrix.counts, plan.bits, plan.marks, offsets, plan.counts),
        *(*matrix.shape, matrix.tile, dense.view(word), rows, cols, values.view(word)),
    )
    return type(matrix)(matrix.shape, matrix.tile, plan.marks, offsets, plan.counts, dense, rows, cols, values)


def _fresh(words: int, dtype: np.dtype) -> np.ndarray:
    """Return an array whose memory comes in huge pages.

    NumPy asks for them from 4 MiB on. What is smaller comes in pages of 4 KiB where Dask's nanny has told the
    allocator to give memory back at once: first touching 3 MB of them took 2.0 ms, here 0.6.
    """
    return np.empty(max(words, HUGE // dtype.itemsize) if words * dtype.itemsize > HUGE // 16 else words, dtype)[:words]


def recode(matrix: TiledMatrix, form: str, threshold: int | None = None) -> TiledMatrix:
    """See `TiledMatrix.recode`."""
    return apply(matrix, plan(matrix, form, threshold))


def sparse_share(matrix: TiledMatrix) -> float:
    """Return the share of tiles that are sparse; 0 for a matrix without tiles.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> sparse_share(TiledMatrix.from_edges([[0, 0]], (4, 4), tile=2, form="sparse"))
    1.0
    """
    return float(np.mean(matrix.marks == SPARSE)) if matrix.marks.size else 0.0
