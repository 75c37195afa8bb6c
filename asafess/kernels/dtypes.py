"""Data types: which ones tiles may hold, and the unsigned types behind them. Does not import Numba."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Data types that tiles may hold.
SUPPORTED = tuple(
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"),
    )
)


def checked_dtype(dtype: Any) -> np.dtype:
    """Return a data type in native byte order, if tiles may hold it.

    Parameters
    ----------
    dtype : numpy dtype, or anything that `numpy.dtype` takes

    Returns
    -------
    numpy.dtype

    Raises
    ------
    TypeError
        For any data type that is not in `SUPPORTED`.

    Examples
    --------
    >>> checked_dtype(">f8")
    dtype('float64')
    >>> checked_dtype(complex)
    Traceback (most recent call last):
    ...
    TypeError: tiles can't hold dtype complex128; allowed are bool, int8, ..., float64: convert it first
    """
    native = np.dtype(dtype).newbyteorder("=")
    if native not in SUPPORTED:
        allowed = ", ".join(map(str, SUPPORTED))
        raise TypeError(f"tiles can't hold dtype {np.dtype(dtype)}; allowed are {allowed}: convert it first")
    return native


def word_type(dtype: Any) -> np.dtype:
    """Return the unsigned type of the same size, in which bits are compared and copied.

    Examples
    --------
    >>> word_type("float64")
    dtype('uint64')
    >>> word_type(bool)
    dtype('uint8')
    """
    return np.dtype(f"u{np.dtype(dtype).itemsize}")


def row_type(tile: int) -> np.dtype:
    """Return the smallest unsigned type that holds the row of an entry within its tile.

    Examples
    --------
    >>> row_type(256), row_type(257)
    (dtype('uint8'), dtype('uint16'))
    """
    return np.dtype(np.uint8 if tile <= 256 else np.uint16)


def column_type(n: int) -> np.dtype:
    """Return the unsigned type that holds the column of an entry within a matrix of `n` columns.

    Examples
    --------
    >>> column_type(65536), column_type(65537), column_type(2**32 + 1)
    (dtype('uint16'), dtype('uint32'), dtype('uint64'))
    """
    return np.dtype(np.uint16 if n <= 1 << 16 else np.uint32 if n <= 1 << 32 else np.uint64)
