"""Write a panel in another form: copy, extract and expand tiles, all in one pass.

Covers the writing half of a recoding; which tiles change is decided before (`plan`), so the outputs have their exact
sizes.

Indices are unsigned where they are counted by hand: for a signed one Numba adds a test for negative indices, which
made these loops a third slower.
"""

from __future__ import annotations

import numpy as np

from asafess.kernels.bits import GROUP, lowest_one
from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing


@inner
def copy(source, target):
    """Copy `source` to `target`, arrays of one length."""
    for k in range(source.size):
        target[k] = source[k]


@inner
def expand(rows, cols, values, left, height, target):
    """Write the entries of a sparse tile, from column `left` on, into a dense one, column-major, of `height` rows."""
    for k in range(target.size):
        target[k] = 0
    for k in range(values.size):
        target[(np.uint64(cols[k]) - np.uint64(left)) * np.uint64(height) + np.uint64(rows[k])] = values[k]


@inner
def _extract(words, left, height, bits, rows, cols, values):
    # One loop over all groups: most of them are empty, and that is all that has to be seen of them.
    p = np.uint64(0)
    high = np.uint64((height + GROUP - 1) // GROUP)
    for g in range(np.uint64(bits.size)):
        noted = bits[g]
        if noted != 0:
            j = g // high
            top = (g - j * high) * np.uint64(GROUP)
            column = j * np.uint64(height)
            while noted != 0:
                i = top + lowest_one(noted)
                noted &= noted - np.uint64(1)
                rows[p] = i
                cols[p] = np.uint64(left) + j
                values[p] = words[column + i]
                p += np.uint64(1)


def recode(
    words, rows, cols, values, marks, offsets, counts,
    bits, new_marks, new_offsets, new_counts, m, n, tile,
    new_words, new_rows, new_cols, new_values,
):  # fmt: skip
    """Write the tiles of a panel in the form that `new_marks` says.

    Parameters
    ----------
    words : (D,) unsigned
        Dense tiles, each column-major.
    rows : (S,) uint8 or uint16
        Rows of the entries of the sparse tiles, within their tile.
    cols : (S,) unsigned
        Their columns, within the matrix. Entries come tile by tile, column by column, rows ascending.
    values : (S,) unsigned
    marks : (T,) uint8
        0 dense, 1 sparse.
    offsets, counts : (T,) int64
        Start and number of the stored words (dense) or entries (sparse) of each tile.
    bits : (G,) uint64
        As `plan` left it; read only for tiles that go from dense to sparse.
    new_marks, new_offsets, new_counts : (T,)
        The same for the outputs, from `plan`.
    m, n, tile : int
        Shape of the matrix and edge of a tile.
    new_words, new_rows, new_cols, new_values : written
        Of exactly the sizes that `new_counts` adds up to.
    """
    t = 0
    g = 0
    for top in range(0, m, tile):
        height = min(tile, m - top)
        for left in range(0, n, tile):
            width = min(tile, n - left)
            size = width * ((height + GROUP - 1) // GROUP)
            a, b = offsets[t], offsets[t] + counts[t]
            c, d = new_offsets[t], new_offsets[t] + new_counts[t]
            if marks[t] == 0:
                if new_marks[t] == 0:
                    copy(words[a:b], new_words[c:d])
                elif c < d:
                    _extract(
                        *(words[a:b], left, height, bits[g : g + size]),
                        *(new_rows[c:d], new_cols[c:d], new_values[c:d]),
                    )
                g += size
            elif new_marks[t] == 0:
                expand(rows[a:b], cols[a:b], values[a:b], left, height, new_words[c:d])
            else:
                copy(rows[a:b], new_rows[c:d])
                copy(cols[a:b], new_cols[c:d])
                copy(values[a:b], new_values[c:d])
            t += 1


def _signature(word, row, column):
    return (
        *(incoming(word), incoming(row), incoming(column), incoming(word)),
        *(incoming(np.uint8), incoming(np.int64), incoming(np.int64)),
        *(incoming(np.uint64), incoming(np.uint8), incoming(np.int64), incoming(np.int64)),
        *(SIZE, SIZE, SIZE),
        *(outgoing(word), outgoing(row), outgoing(column), outgoing(word)),
    )


#: By the types of words, rows and columns.
RECODE = Kernel(recode, _signature)
