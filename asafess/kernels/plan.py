"""Decide which tiles of a panel are dense and which sparse in another form, in one reading of the dense tiles.

Covers the reading half of a recoding, with all that the writing half (`recode`) needs to know: marks, counts, offsets
and sizes of the new form.

A tile is looked at in groups of 64 rows of a column. Which words of a group have any bit set is written down as the
bits of one word (`bits`), so that the writing half visits only those: a mostly empty tile is read from memory once,
not twice, and no branch depends on the data. Looking at a tile ends at its limit of non-zero words.
"""

from __future__ import annotations

import numpy as np
from numba import types

from asafess.kernels.bits import GROUP, count_ones, nonzero_bits
from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing

#: Distance of the words of a sample. A prime, so that the sample meets all rows and all columns evenly.
STRIDE = 61
#: Tiles with fewer words are not sampled: reading them costs as little.
SMALLEST = 1024
#: A sample is taken after so many columns, if they hold too much. Taken first, it would cost mostly empty float32 tiles
#: a quarter more time, since it misses the cache with every word.
FIRST = 4


@inner
def _clearly_full(words, limit):
    # In a sample of 128 × 128 / 61 = 268 words a share is known to ± 0.03; the margin of 1/8 is four times that.
    hits = 0
    samples = 0
    for k in range(0, words.size, STRIDE):
        hits += words[k] != 0
        samples += 1
    return hits * 8 * words.size > samples * (8 * limit + words.size)


@inner
def _count(words, height, width, limit, sampled, bits):
    total = np.uint64(0)
    g = 0
    whole = height - height % GROUP
    for j in range(width):
        for k in range(j * height, j * height + whole, GROUP):
            noted = nonzero_bits(words, k)
            bits[g] = noted
            total += count_ones(noted)
            g += 1
        if whole < height:
            noted = np.uint64(0)
            for k in range(whole, height):
                noted |= np.uint64(words[j * height + k] != 0) << np.uint64(k - whole)
            bits[g] = noted
            total += count_ones(noted)
            g += 1
        if np.int64(total) >= limit:
            return np.int64(-1)
        if sampled and j + 1 == FIRST and np.int64(total) * width > limit * FIRST and _clearly_full(words, limit):
            return np.int64(-1)
    return np.int64(total)


def plan(
    words, marks, offsets, counts, limits, m, n, tile, sampled, keep_sparse,
    bits, new_marks, new_offsets, new_counts, totals,
):  # fmt: skip
    """Count the words with any bit set in each dense tile, up to its limit, and lay out the new form.

    Parameters
    ----------
    words : (D,) unsigned
        Dense tiles, each column-major, as unsigned words.
    marks : (T,) uint8
        0 dense, 1 sparse.
    offsets, counts : (T,) int64
        Start and number of the stored words (dense) or entries (sparse) of each tile.
    limits : (T,) int64
        A tile with fewer non-zero words becomes sparse; at 0 a dense tile is not looked at.
    m, n, tile : int
        Shape of the matrix and edge of a tile.
    sampled : bool
        Pass over a tile whose first columns hold more than their share of the limit and whose sample holds clearly
        more. The tile then stays dense even if they misled: that costs bytes, never values.
    keep_sparse : bool
        Sparse tiles stay sparse, however many entries they have.
    bits : (G,) uint64, written
        For each group of a tile that turns sparse, bit k says whether its k-th word has any bit set. Dense tiles one
        after the other, column by column, top to bottom. Undefined for other tiles. `groups` gives G.
    new_marks, new_offsets, new_counts : (T,), written
        As `marks`, `offsets` and `counts`, of the new form.
    totals : (3,) int64, written
        Words of the dense tiles, entries of the sparse tiles, tiles whose mark changes.
    """
    t = 0
    g = 0
    stored = 0
    entries = 0
    changed = 0
    for top in range(0, m, tile):
        height = min(tile, m - top)
        for left in range(0, n, tile):
            width = min(tile, n - left)
            area = height * width
            if marks[t] == 0:
                size = width * ((height + GROUP - 1) // GROUP)
                found = np.int64(-1)
                if limits[t] > 0:
                    a = words[offsets[t] : offsets[t] + area]
                    found = _count(a, height, width, limits[t], sampled and area >= SMALLEST, bits[g : g + size])
                g += size
                sparse = found >= 0
                changed += sparse
            else:
                found = counts[t]
                sparse = keep_sparse or found < limits[t]
                changed += not sparse
            if sparse:
                new_marks[t] = 1
                new_offsets[t] = entries
                new_counts[t] = found
                entries += found
            else:
                new_marks[t] = 0
                new_offsets[t] = stored
                new_counts[t] = area
                stored += area
            t += 1
    totals[0] = stored
    totals[1] = entries
    totals[2] = changed


def groups(m: int, n: int, tile: int) -> int:
    """Return how many groups the tiles of a matrix have at most.

    Parameters
    ----------
    m, n, tile : int
        Shape of the matrix and edge of a tile.

    Returns
    -------
    int

    Examples
    --------
    >>> groups(256, 10, 128)
    40
    """
    whole, rest = divmod(m, tile)
    return n * (whole * -(-tile // GROUP) + -(-rest // GROUP))


PLAN = Kernel(
    plan,
    lambda word: (
        *(incoming(word), incoming(np.uint8), incoming(np.int64), incoming(np.int64), incoming(np.int64)),
        *(SIZE, SIZE, SIZE, types.boolean, types.boolean),
        *(outgoing(np.uint64), outgoing(np.uint8), outgoing(np.int64), outgoing(np.int64), outgoing(np.int64)),
    ),
)
