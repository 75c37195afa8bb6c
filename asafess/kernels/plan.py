"""Look at dense tiles and say which are candidates: whose sparse form is to be made.

Covers the reading half of a recoding. The writing half is `recode`.

A tile is looked at in groups of 64 rows of a column. Which words of a group have any bit set is written down as the
bits of one word (`bits`), so that the writing half visits only those: a mostly empty tile is read from memory once,
not twice, and no branch depends on the data. Groups of 64 let LLVM vectorize the loop at all sizes of word (float64:
29 GB/s, as fast as `np.sum`; with groups of 16, 24; testing words OR-ed together and branching, 10).
"""

from __future__ import annotations

import numpy as np
from numba import types

from asafess.kernels.bits import count_ones
from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing

#: Rows of a column whose words are noted in one word of `bits`.
GROUP = 64
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
def _note(words):
    # The bits of one group: bit k says that words[k] has any bit set.
    noted = np.uint64(0)
    for k in range(words.size):
        noted |= np.uint64(words[k] != 0) << np.uint64(k)
    return noted


@inner
def _count(words, height, width, limit, sampled, bits):
    total = np.uint64(0)
    g = 0
    whole = height - height % GROUP
    for j in range(width):
        column = words[j * height : (j + 1) * height]
        for top in range(0, whole, GROUP):
            # Written out, not a call of `_note`: 29 GB/s instead of 25.
            noted = np.uint64(0)
            for k in range(GROUP):
                noted |= np.uint64(column[top + k] != 0) << np.uint64(k)
            bits[g] = noted
            total += count_ones(noted)
            g += 1
        if whole < height:
            noted = _note(column[whole:])
            bits[g] = noted
            total += count_ones(noted)
            g += 1
        if np.int64(total) >= limit:
            return np.int64(-1)
        if sampled and j + 1 == FIRST and np.int64(total) * width > limit * FIRST and _clearly_full(words, limit):
            return np.int64(-1)
    return np.int64(total)


def plan(words, marks, offsets, limits, m, n, tile, sampled, found, bits):
    """Count the words with any bit set in each dense tile, up to its limit.

    Parameters
    ----------
    words : (D,) unsigned
        Dense tiles, each column-major, as unsigned words.
    marks : (T,) uint8
        0 dense, 1 sparse. Sparse tiles are passed over.
    offsets : (T,) int64
        Where each tile starts.
    limits : (T,) int64
        A tile with fewer non-zero words is a candidate.
    m, n, tile : int
        Shape of the matrix and edge of a tile.
    sampled : bool
        Pass over a tile whose first columns hold more than their share of the limit and whose sample holds clearly
        more. The tile then stays dense even if they misled: that costs bytes, never values.
    found : (T,) int64, written
        Number of non-zero words of a candidate; −1 for other dense tiles; not written for sparse ones.
    bits : (G,) uint64, written
        For each group of a candidate, bit k says whether its k-th word has any bit set. Dense tiles one after the
        other, column by column, top to bottom. Undefined for other tiles. `groups` gives G.
    """
    t = 0
    g = 0
    for top in range(0, m, tile):
        height = min(tile, m - top)
        for left in range(0, n, tile):
            width = min(tile, n - left)
            if marks[t] == 0:
                area = height * width
                a = words[offsets[t] : offsets[t] + area]
                count = width * ((height + GROUP - 1) // GROUP)
                found[t] = _count(a, height, width, limits[t], sampled and area >= SMALLEST, bits[g : g + count])
                g += count
            t += 1


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
        incoming(word),
        incoming(np.uint8),
        incoming(np.int64),
        incoming(np.int64),
        SIZE,
        SIZE,
        SIZE,
        types.boolean,
        outgoing(np.int64),
        outgoing(np.uint64),
    ),
)
