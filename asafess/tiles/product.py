"""Multiply a tiled matrix with vectors: check, bring to one data type, call the kernel, on as many threads as help."""

from __future__ import annotations

import operator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from asafess.kernels.dtypes import checked_dtype
from asafess.kernels.threads import default_threads, spread
from asafess.tiles import layout
from asafess.tiles.layout import DENSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix

#: Bytes of the matrix for which a further thread is worth waking: some 300 microseconds of reading.
LEAST_BYTES = 8 << 20
#: Parts that each thread takes, so that none waits long for the slowest.
PARTS = 4
#: From so many vectors on they are multiplied in blocks; fewer than that one by one.
FEWEST_FOR_BLOCKS = 3


def dot(matrix: TiledMatrix, x: Any, threads: int | None = None) -> np.ndarray:
    """See `TiledMatrix.dot`."""
    # A product may take 20 µs in all: what is looked up here again and again is looked up in the cheapest way.
    x = np.asarray(x)
    dtype = matrix.values.dtype
    if x.dtype != dtype:
        dtype = checked_dtype(np.result_type(dtype, x.dtype))
        matrix = matrix.astype(dtype)
    m, n = matrix.shape
    if x.ndim > 2:
        raise ValueError(f"x has {x.ndim} dimensions, shape {x.shape}; multiply with a vector (n,) or a block (n, k)")
    if x.ndim == 0 or x.shape[0] != n:
        np.matmul(np.broadcast_to(np.zeros((), dtype), matrix.shape), x)  # raises: the message is NumPy's own
    if x.ndim == 1 or x.shape[1] < FEWEST_FOR_BLOCKS:
        vectors = _contiguous(x[None] if x.ndim == 1 else x.T, dtype)
        y = np.empty((vectors.shape[0], m), dtype)
        _multiply(_kernels()[0], matrix, vectors, y, threads)
        return y[0] if x.ndim == 1 else np.ascontiguousarray(y.T)
    # One vector of the processor holds an element of each of some vectors, so they come row by row.
    kernel, lanes = _kernels()[1:]
    k = x.shape[1]
    blocks = -(-k // lanes)
    if k % lanes:
        padded = np.zeros((n, blocks * lanes), dtype)
        padded[:, :k] = x
        x = padded
    x = _contiguous(x.reshape(n, blocks, lanes).swapaxes(0, 1), dtype)
    y = np.empty((blocks, m, lanes), dtype)
    _multiply(kernel, matrix, x, y, threads)
    return y[0] if k == lanes else np.ascontiguousarray(y.swapaxes(0, 1).reshape(m, blocks * lanes)[:, :k])


def _contiguous(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return x if x.dtype == dtype and x.flags.c_contiguous else np.ascontiguousarray(x, dtype)


def _multiply(kernel: Any, matrix: TiledMatrix, x: np.ndarray, y: np.ndarray, threads: Any) -> None:
    given = matrix.dense, matrix.rows, matrix.cols, matrix.values, matrix.marks, matrix.offsets, matrix.counts
    product = kernel[y.dtype, matrix.rows.dtype, matrix.cols.dtype]
    threads = _threads(matrix, threads)
    if threads == 1:
        product(*given, matrix.tile, 0, -(-matrix.shape[0] // matrix.tile), x, y)
    else:
        spread(lambda part: product(*given, matrix.tile, *part, x, y), _parts(matrix, PARTS * threads), threads)


@cache
def _kernels() -> tuple[Any, Any, int]:
    # Numba is imported on the first use, not with this module: a scheduler may see a TiledMatrix, but never this.
    from asafess.kernels.lanes import LANES
    from asafess.kernels.product import BLOCK_PRODUCT, PRODUCT

    return PRODUCT, BLOCK_PRODUCT, LANES


def _threads(matrix: TiledMatrix, threads: Any) -> int:
    """Return on how many threads to spread a product, of those that are wanted: as many as have enough to do."""
    if threads is not None:
        try:
            wanted = operator.index(threads)
        except TypeError:
            wanted = 0
        if wanted < 1:
            raise ValueError(f"threads is {threads!r}; allowed are whole numbers from 1 on, or None for the default")
    most = (matrix.dense.nbytes + matrix.values.nbytes) // LEAST_BYTES
    if most <= 1:
        return 1
    most = min(most, matrix.grid[0])
    return min(default_threads() if threads is None else wanted, most)


def _parts(matrix: TiledMatrix, most: int) -> list[tuple[int, int]]:
    """Cut the tile rows into at most so many parts, (first, last), of about the same stored bytes."""
    high, wide = matrix.grid
    entry = layout.entry_bytes(matrix.dtype, matrix.tile, matrix.shape[1])
    stored = matrix.counts * np.where(matrix.marks == DENSE, matrix.dtype.itemsize, entry)
    rows = np.cumsum(stored.reshape(high, wide).sum(axis=1) + 1)
    cuts = np.searchsorted(rows, np.linspace(0, rows[-1], most + 1)[1:-1], side="right")
    edges = np.unique(np.concatenate(([0], cuts, [high]))).tolist()
    return list(pairwise(edges))
