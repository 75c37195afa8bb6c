"""Put a tiled matrix into another form: first decide (`plan`), then write (`apply`).

The two halves are apart so that the door can look at the size before it pays for the writing. Values never change,
only which tiles are dense and which are sparse. The first use with a data type compiles its kernels.

A 16 MiB panel is read in 0.6 ms, so what does not depend on its size is kept to a few microseconds: the kernel lays out
the new form itself, and the notes that it takes go to memory that was used before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asafess.kernels.dtypes import column_type, row_type, word_type
from asafess.tiles import layout
from asafess.tiles.layout import SPARSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix


#: Bytes from which NumPy asks for huge pages.
HUGE = 4 << 20
#: Words of notes that are kept for the next plan, for each thread that has recoded at the same time: 2 MiB.
MOST_NOTES = 1 << 18

#: Notes that no plan uses at the moment. `pop` and `append` are atomic; an array belongs to who popped it.
_notes: list[np.ndarray] = []


@dataclass(slots=True)
class Plan:
    """How a matrix would be stored in another form; good for one `apply`."""

    #: 0 dense, 1 sparse, (T,) uint8.
    marks: np.ndarray
    #: Start and number of the stored words or entries of each tile, (T,) int64.
    offsets: np.ndarray
    counts: np.ndarray
    #: What was noted about the dense tiles; None once it is applied.
    bits: np.ndarray | None
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

    (m, n), tile, dtype = matrix.shape, matrix.tile, matrix.dtype
    limits = layout.limits(form, matrix.shape, tile, dtype, threshold)
    bits = _take_notes(groups(m, n, tile) if matrix.dense.size else 0)
    marks, offsets = np.empty(limits.size, np.uint8), np.empty(limits.size, np.int64)
    counts, totals = np.empty(limits.size, np.int64), np.empty(3, np.int64)
    word = word_type(dtype)
    PLAN[word](
        *(matrix.dense.view(word), matrix.marks, matrix.offsets, matrix.counts, limits),
        *(m, n, tile, form == "full", keep_sparse, bits, marks, offsets, counts, totals),
    )
    words, entries, changed = totals.tolist()
    nbytes = words * dtype.itemsize + entries * layout.entry_bytes(dtype, tile, n)
    nbytes += marks.nbytes + offsets.nbytes + counts.nbytes
    return Plan(marks, offsets, counts, bits, words, entries, nbytes, same=changed == 0)


def apply(matrix: TiledMatrix, plan: Plan) -> TiledMatrix:
    """Write a matrix as planned.

    Parameters
    ----------
    matrix : TiledMatrix
        The one that was planned for.
    plan : Plan
        Not applied yet.

    Returns
    -------
    TiledMatrix
        The same object if nothing changes.

    Raises
    ------
    ValueError
        For a plan that was applied before.
    """
    bits, plan.bits = plan.bits, None
    if bits is None:
        raise ValueError("this plan has been applied; make a new one, its notes are overwritten")
    if not plan.same:
        matrix = _write(matrix, plan, bits)
    if bits.size <= MOST_NOTES and len(_notes) < 64:
        _notes.append(bits)
    return matrix


def _write(matrix: TiledMatrix, plan: Plan, bits: np.ndarray) -> TiledMatrix:
    from asafess.kernels.recode import RECODE

    (m, n), tile, dtype = matrix.shape, matrix.tile, matrix.dtype
    word, row, column = word_type(dtype), row_type(tile), column_type(n)
    dense, values = _fresh(plan.words, dtype), np.empty(plan.entries, dtype)
    rows, cols = np.empty(plan.entries, row), np.empty(plan.entries, column)
    RECODE[word, row, column](
        *(matrix.dense.view(word), matrix.rows, matrix.cols, matrix.values.view(word)),
        *(matrix.marks, matrix.offsets, matrix.counts, bits, plan.marks, plan.offsets, plan.counts),
        *(m, n, tile, dense.view(word), rows, cols, values.view(word)),
    )
    return type(matrix)(matrix.shape, tile, plan.marks, plan.offsets, plan.counts, dense, rows, cols, values)


def _take_notes(count: int) -> np.ndarray:
    """Return memory for notes, used before if there is some: fresh pages cost a tenth of reading a panel."""
    if count > MOST_NOTES:
        return np.empty(count, np.uint64)
    try:
        notes = _notes.pop()
    except IndexError:
        notes = np.empty(0, np.uint64)
    return notes if notes.size >= count else np.empty(count, np.uint64)


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
