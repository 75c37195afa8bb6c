"""The kernels again, in plain NumPy: slow, obvious, same arguments, same results to the bit. Does not import Numba.

Used as oracle in the tests; nothing on a hot path calls it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_GROUP, _STRIDE, _SMALLEST, _FIRST = 64, 61, 1024, 4


def plan(
    words: np.ndarray, marks: np.ndarray, offsets: np.ndarray, counts: np.ndarray, limits: np.ndarray,
    m: int, n: int, tile: int, sampled: bool, keep_sparse: bool,
    bits: np.ndarray, new_marks: np.ndarray, new_offsets: np.ndarray, new_counts: np.ndarray, totals: np.ndarray,
) -> None:  # fmt: skip
    """Do what `plan.plan` does; `bits` is written for every dense tile."""
    g = 0
    stored = [0, 0]
    for t, _, _, height, width in _tiles(m, n, tile):
        area = height * width
        if marks[t]:
            found = counts[t]
            sparse = keep_sparse or found < limits[t]
        else:
            some = words[offsets[t] : offsets[t] + area] != 0
            found, sample = some.sum(), some[::_STRIDE]
            first = some[: _FIRST * height].sum() * width > limits[t] * _FIRST and width >= _FIRST
            clearly = sample.sum() * 8 * area > sample.size * (8 * limits[t] + area)
            sparse = found < limits[t] and not (sampled and area >= _SMALLEST and first and clearly)
            for column in some.reshape(width, height):
                for top in range(0, height, _GROUP):
                    bits[g] = sum(1 << k for k in np.flatnonzero(column[top : top + _GROUP]).tolist())
                    g += 1
        mark = int(sparse)
        new_marks[t], new_offsets[t], new_counts[t] = mark, stored[mark], found if sparse else area
        stored[mark] += new_counts[t]
    totals[:] = *stored, (new_marks != marks).sum()


def recode(
    words: np.ndarray, rows: np.ndarray, cols: np.ndarray, values: np.ndarray,
    marks: np.ndarray, offsets: np.ndarray, counts: np.ndarray,
    bits: np.ndarray, new_marks: np.ndarray, new_offsets: np.ndarray, new_counts: np.ndarray,
    m: int, n: int, tile: int,
    new_words: np.ndarray, new_rows: np.ndarray, new_cols: np.ndarray, new_values: np.ndarray,
) -> None:  # fmt: skip
    """Do what `recode.recode` does, without looking at `bits`."""
    for t, _, left, height, width in _tiles(m, n, tile):
        full = _dense(words, rows, cols, values, marks, offsets, counts, t, left, height, width)
        target = slice(new_offsets[t], new_offsets[t] + new_counts[t])
        if new_marks[t]:
            columns, new_rows[target] = np.nonzero(full.T)
            new_cols[target] = columns + left
            new_values[target] = full.T[np.nonzero(full.T)]
        else:
            new_words[target] = full.T.ravel()


def product(
    dense: np.ndarray, rows: np.ndarray, cols: np.ndarray, values: np.ndarray,
    marks: np.ndarray, offsets: np.ndarray, counts: np.ndarray,
    tile: int, first: int, last: int, x: np.ndarray, y: np.ndarray,
) -> None:  # fmt: skip
    """Do what `product.product` does, with every tile dense."""
    y[:, first * tile : last * tile] = 0
    for t, top, left, height, width in _tiles(y.shape[1], x.shape[1], tile):
        if not first * tile <= top < last * tile:
            continue
        full = _dense(dense, rows, cols, values, marks, offsets, counts, t, left, height, width)
        for j in range(width):
            for q in range(y.shape[0]):
                # One product and one addition per element, each rounded on its own; for booleans NumPy's own
                # product and sum are `and` and `or`.
                y[q, top : top + height] += full[:, j] * x[q, left + j]


def _tiles(m: int, n: int, tile: int) -> Iterator[tuple[int, int, int, int, int]]:
    t = 0
    for top in range(0, m, tile):
        for left in range(0, n, tile):
            yield t, top, left, min(tile, m - top), min(tile, n - left)
            t += 1


def _dense(
    words: np.ndarray, rows: np.ndarray, cols: np.ndarray, values: np.ndarray,
    marks: np.ndarray, offsets: np.ndarray, counts: np.ndarray,
    t: int, left: int, height: int, width: int,
) -> np.ndarray:  # fmt: skip
    part = slice(offsets[t], offsets[t] + counts[t])
    if not marks[t]:
        return words[part].reshape(width, height).T
    full = np.zeros((height, width), values.dtype)
    full[rows[part], cols[part].astype(np.int64) - left] = values[part]
    return full


def pack(words: np.ndarray, bits: np.ndarray, packed: np.ndarray, totals: np.ndarray) -> None:
    """Do what `mask.pack` does."""
    nonzero = words != 0
    count = int(nonzero.sum())
    totals[0] = words.size + 1
    if count + _GROUP <= packed.size:
        for g in range(bits.size):
            bits[g] = sum(1 << k for k in np.flatnonzero(nonzero[g * _GROUP : (g + 1) * _GROUP]).tolist())
        packed[:count] = words[nonzero]
        totals[:] = count, _check(bits)


def unpack(bits: np.ndarray, packed: np.ndarray, words: np.ndarray, totals: np.ndarray) -> None:
    """Do what `mask.unpack` does."""
    nonzero = np.array([word >> k & 1 for word in bits.tolist() for k in range(_GROUP)], bool)
    totals[0] = words.size + 1
    if nonzero.sum() <= packed.size and not nonzero[words.size :].any():
        words[:] = 0
        words[nonzero[: words.size]] = packed[: nonzero.sum()]
        totals[:] = nonzero.sum(), _check(bits)


def _check(bits: np.ndarray) -> int:
    check = 0
    for word in bits.tolist():
        check = (check ^ word) * 0x9E3779B97F4A7C15 % (1 << 64)
        check ^= check >> 32
    return check
