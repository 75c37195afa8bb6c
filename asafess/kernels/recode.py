"""Write a panel in another form: copy, extract and expand tiles, all in one pass.

Covers the writing half of a recoding; which tiles change is decided before (`plan`, and the caller's arithmetic), so
the outputs have their exact sizes.
"""

from __future__ import annotations

import numpy as np

from asafess.kernels.bits import lowest_one
from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing
from asafess.kernels.plan import GROUP


@inner
def copy(source, target):
    """Copy `source` to `target`, arrays of one length."""
    for k in range(source.size):
        target[k] = source[k]


@inner
def expand(rows, cols, values, height, target):
    """Write the entries of a sparse tile into a dense one, column-major, of `height` rows."""
    for k in range(target.size):
        target[k] = 0
    for k in range(values.size):
        target[np.int64(cols[k]) * height + np.int64(rows[k])] = values[k]


@inner
def _extract(words, height, width, bits, rows, cols, values):
    p = 0
    g = 0
    for j in range(width):
        column = words[j * height : (j + 1) * height]
        for top in range(0, height, GROUP):
            noted = bits[g]
            while noted != 0:
                i = top + np.int64(lowest_one(noted))
                noted &= noted - np.uint64(1)
                rows[p] = i
                cols[p] = j
                values[p] = column[i]
                p += 1
            g += 1


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
    rows, cols : (S,) uint8 or uint16
        Entries of the sparse tiles, column by column, rows ascending; in the tile's own coordinates.
    values : (S,) unsigned
    marks : (T,) uint8
        0 dense, 1 sparse.
    offsets, counts : (T,) int64
        Start and number of the stored words (dense) or entries (sparse) of each tile.
    bits : (G,) uint64
        As `plan` left it; read only for tiles that go from dense to sparse.
    new_marks, new_offsets, new_counts : (T,)
        The same for the outputs.
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
                else:
                    _extract(
                        words[a:b], height, width, bits[g : g + size], new_rows[c:d], new_cols[c:d], new_values[c:d]
                    )
                g += size
            elif new_marks[t] == 0:
                expand(rows[a:b], cols[a:b], values[a:b], height, new_words[c:d])
            else:
                copy(rows[a:b], new_rows[c:d])
                copy(cols[a:b], new_cols[c:d])
                copy(values[a:b], new_values[c:d])
            t += 1


def _signature(word, index):
    return (
        *(incoming(word), incoming(index), incoming(index), incoming(word)),
        *(incoming(np.uint8), incoming(np.int64), incoming(np.int64)),
        *(incoming(np.uint64), incoming(np.uint8), incoming(np.int64), incoming(np.int64)),
        *(SIZE, SIZE, SIZE),
        *(outgoing(word), outgoing(index), outgoing(index), outgoing(word)),
    )


RECODE = Kernel(recode, _signature)
