"""Multiply a tiled matrix with vectors: check, bring to one data type, call the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from asafess.kernels.dtypes import checked_dtype, index_type

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix


def matmul(matrix: TiledMatrix, x: Any) -> np.ndarray:
    """Return `matrix @ x`.

    Each column of a block gets the bits that it gets alone, and so does every form of the matrix: the order of
    additions is that of the format (`asafess.kernels.product`). The first product with a data type compiles its
    kernel.

    Parameters
    ----------
    matrix : TiledMatrix
        Of shape (m, n).
    x : (n,) or (n, k) array_like

    Returns
    -------
    (m,) or (m, k) ndarray
        Of the data type that NumPy gives such a product.

    Raises
    ------
    ValueError
        For another shape; NumPy's own.
    TypeError
        If the result would be of a data type that tiles can't hold, such as complex.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> matmul(TiledMatrix.from_dense(np.eye(2, dtype="float32")), [1, 2]).dtype
    dtype('float64')
    """
    x = np.asarray(x)
    dtype = checked_dtype(np.result_type(matrix.dtype, x.dtype))
    m, n = matrix.shape
    if x.ndim > 2:
        raise ValueError(f"x has {x.ndim} dimensions, shape {x.shape}; multiply with a vector (n,) or a block (n, k)")
    if x.ndim == 0 or x.shape[0] != n:
        np.matmul(np.broadcast_to(np.zeros((), dtype), matrix.shape), x)  # raises: the message is NumPy's own
    from asafess.kernels.product import PRODUCT

    a = matrix.astype(dtype)
    vectors = np.ascontiguousarray(np.atleast_2d(x.T), dtype)
    strict, scratch = _strict(vectors, matrix.tile), np.empty(0, dtype)
    if strict.any():
        scratch = np.empty(min(m, matrix.tile) * min(n, matrix.tile), dtype)
    y = np.empty((len(vectors), m), dtype)
    PRODUCT[dtype, index_type(matrix.tile)](
        *(a.dense, a.rows, a.cols, a.values, a.marks, a.offsets, a.counts),
        *(m, n, matrix.tile, strict, scratch, vectors, y),
    )
    return y[0] if x.ndim == 1 else np.ascontiguousarray(y.T)


def _strict(vectors: np.ndarray, tile: int) -> np.ndarray:
    """Mark the blocks of x that hold NaN or infinity in any of the vectors."""
    n = vectors.shape[1]
    finite = np.isfinite(vectors)
    if n == 0 or finite.all():
        return np.zeros(-(-n // tile), np.uint8)
    return np.asarray(~np.logical_and.reduceat(finite.all(axis=0), np.arange(0, n, tile)), np.uint8)
