"""Arithmetic of the format: how many tiles, how large, where each starts, and when a tile is made sparse.

Everything here deals in whole arrays over the T = ceil(m / tile) · ceil(n / tile) tiles, in row-major tile order.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any

import numpy as np

from asafess.kernels.dtypes import column_type, row_type
from asafess.tiles import densities

DENSE, SPARSE = 0, 1
#: The forms that a matrix can be put into; see `limits`.
FORMS = ("dense", "sparse", "light", "full")
#: More words than any tile has: a threshold above it means the same.
MOST_WORDS = 1 << 40
#: Largest edge of a tile: indices within a tile have at most two bytes.
LARGEST_TILE = 65536
#: So many of the last arrays over all tiles are kept, up to 512 KiB each: panels of a few shapes come again and again.
KEPT, MOST_TILES_KEPT = 16, 1 << 16

Shape = tuple[int, int]


def checked_tile(tile: Any) -> int:
    """Return the edge of a tile as an int.

    Raises
    ------
    ValueError
        Unless it is a whole number from 1 to 65536.

    Examples
    --------
    >>> checked_tile(128)
    128
    >>> checked_tile(0)
    Traceback (most recent call last):
    ...
    ValueError: tile is 0; allowed are whole numbers from 1 to 65536, such as 128
    """
    try:
        edge = operator.index(tile)
    except TypeError:
        edge = 0
    if not 1 <= edge <= LARGEST_TILE:
        raise ValueError(f"tile is {tile!r}; allowed are whole numbers from 1 to {LARGEST_TILE}, such as 128")
    return edge


def checked_shape(shape: Any) -> Shape:
    """Return a shape as two ints.

    Raises
    ------
    ValueError
        Unless it is two whole numbers ≥ 0.

    Examples
    --------
    >>> checked_shape((3, 4))
    (3, 4)
    >>> checked_shape((3,))
    Traceback (most recent call last):
    ...
    ValueError: shape is (3,); a tiled matrix has two dimensions, each a whole number ≥ 0
    """
    try:
        m, n = (operator.index(size) for size in shape)
    except (TypeError, ValueError):
        m = n = -1
    if m < 0 or n < 0:
        raise ValueError(f"shape is {shape!r}; a tiled matrix has two dimensions, each a whole number ≥ 0")
    return m, n


def checked_threshold(threshold: Any) -> int | None:
    """Return a threshold as an int; None stands for the default, see `limits`.

    Raises
    ------
    ValueError
        Unless it is None or a whole number ≥ 0.

    Examples
    --------
    >>> checked_threshold(-1)
    Traceback (most recent call last):
    ...
    ValueError: threshold is -1; allowed are whole numbers ≥ 0 (non-zeros of a tile), or None for the default
    """
    if threshold is None:
        return None
    try:
        number = operator.index(threshold)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(
            f"threshold is {threshold!r}; allowed are whole numbers ≥ 0 (non-zeros of a tile), or None for the default"
        )
    return min(number, MOST_WORDS)


def edges(size: int, tile: int) -> np.ndarray:
    """Return the lengths of the blocks that a dimension is cut into, int64.

    Examples
    --------
    >>> edges(10, 4)
    array([4, 4, 2])
    >>> edges(0, 4)
    array([], dtype=int64)
    """
    lengths = np.full(-(-size // tile), tile, np.int64)
    if size % tile:
        lengths[-1] = size % tile
    return lengths


def heights(shape: Shape, tile: int) -> np.ndarray:
    """Return the rows of each tile, (T,) int64, read-only.

    Examples
    --------
    >>> heights((3, 4), 2)
    array([2, 2, 1, 1])
    """
    return (_heights if _few(shape, tile) else _heights.__wrapped__)(shape, tile)


def areas(shape: Shape, tile: int) -> np.ndarray:
    """Return the words of each tile, (T,) int64, read-only.

    Examples
    --------
    >>> areas((3, 4), 2)
    array([4, 4, 2, 2])
    """
    return (_areas if _few(shape, tile) else _areas.__wrapped__)(shape, tile)


def _few(shape: Shape, tile: int) -> bool:
    return -(-shape[0] // tile) * -(-shape[1] // tile) <= MOST_TILES_KEPT


def _fixed(array: np.ndarray) -> np.ndarray:
    """Return an array that many will share, so that none can write to it."""
    array.flags.writeable = False
    return array


@lru_cache(KEPT)
def _heights(shape: Shape, tile: int) -> np.ndarray:
    m, n = shape
    return _fixed(np.repeat(edges(m, tile), -(-n // tile)))


@lru_cache(KEPT)
def _areas(shape: Shape, tile: int) -> np.ndarray:
    m, n = shape
    return _fixed(np.multiply.outer(edges(m, tile), edges(n, tile)).ravel())


def entry_bytes(dtype: np.dtype, tile: int, n: int = 1) -> int:
    """Return the bytes of one stored entry of a sparse tile: value, row, column.

    Examples
    --------
    >>> entry_bytes(np.dtype("float64"), 128, 8192)
    11
    """
    return dtype.itemsize + row_type(tile).itemsize + column_type(n).itemsize


def limits(form: str, shape: Shape, tile: int, dtype: np.dtype, threshold: int | None = None) -> np.ndarray:
    """Return the number of non-zeros below which each tile is sparse, (T,) int64, read-only.

    Parameters
    ----------
    form : str
        *dense*: no tile is sparse. *sparse*: every tile is. *light*: a tile with fewer non-zeros than `threshold`.
        *full*: a tile whose sparse form has fewer bytes; where a density is configured for *full*, only a tile below
        it.
    shape : (int, int)
    tile : int
    dtype : numpy.dtype
    threshold : int, optional
        For *light*. Left out: the break-even density of this process (`asafess.tiles.densities`) times the words of
        the tile, or, where it is neither configured nor measured, the rows of the tile.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    ValueError
        For an unknown form, a negative threshold, or a configured density that is not allowed.

    Examples
    --------
    >>> limits("full", (128, 128), 128, np.dtype("float64"))
    array([11916])
    >>> limits("light", (128, 100), 128, np.dtype("float64"))
    array([128])
    """
    threshold = checked_threshold(threshold)
    if form not in FORMS:
        raise ValueError(f"form is {form!r}; allowed are {', '.join(FORMS)}")
    density = None
    if form == "full" or (form == "light" and threshold is None):
        density = densities.density(form, dtype)
    return (_limits if _few(shape, tile) else _limits.__wrapped__)(form, shape, tile, dtype, threshold, density)


@lru_cache(KEPT)
def _limits(
    form: str, shape: Shape, tile: int, dtype: np.dtype, threshold: int | None, density: float | None
) -> np.ndarray:
    area = areas(shape, tile)
    # fewer than density · area, in whole numbers
    at_density = None if density is None else np.ceil(area * density).astype(np.int64)
    if form == "dense":
        return _fixed(np.zeros_like(area))
    if form == "sparse":
        return _fixed(area + 1)
    if form == "full":
        entry = entry_bytes(dtype, tile, shape[1])
        fewer_bytes = (area * dtype.itemsize + entry - 1) // entry
        return _fixed(fewer_bytes if at_density is None else np.minimum(fewer_bytes, at_density))
    if threshold is not None:
        return _fixed(np.full_like(area, threshold))
    return heights(shape, tile) if at_density is None else _fixed(at_density)


def offsets(marks: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return where each tile starts: dense ones among the dense words, sparse ones among the entries, (T,) int64.

    Examples
    --------
    >>> offsets(np.array([0, 1, 0, 1], np.uint8), np.array([4, 1, 4, 2]))
    array([0, 0, 4, 1])
    """
    dense = np.where(marks == DENSE, counts, 0)
    sparse = counts - dense
    return np.where(marks == DENSE, np.cumsum(dense) - dense, np.cumsum(sparse) - sparse)
