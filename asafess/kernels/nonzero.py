"""How many words of 8, 4 and 1 bytes are not zero: one pass over at most some 64 kB, for a look at a frame.

It keeps Python's lock. To get that back from busy threads takes up to 5 ms each time, the look itself some 10 µs; NumPy
lets go of it in each of the calls that it would take.
"""

from __future__ import annotations

import numpy as np
from numba import types

from asafess.kernels.jit import Kernel, incoming, outgoing

#: the lowest bit of each byte, and the lower half of a word
LOWEST = 0x0101010101010101
HALF = 0xFFFFFFFF


def count(words, found):
    """Count what is not zero.

    Parameters
    ----------
    words : (n,) uint64, read-only
        Aligned to anything.
    found : (3,) int64
        Of words of 8, 4 and 1 bytes.
    """
    eights = fours = ones = np.uint64(0)
    for i in range(words.size):
        word = words[i]
        eights += np.uint64(word != 0)
        fours += np.uint64(word & np.uint64(HALF) != 0) + np.uint64(word >> np.uint64(32) != 0)
        # any bit of a byte → its lowest one
        word |= word >> np.uint64(4) & np.uint64(0x0F * LOWEST)
        word |= word >> np.uint64(2) & np.uint64(0x3F * LOWEST)
        word |= word >> np.uint64(1) & np.uint64(0x7F * LOWEST)
        ones += (word & np.uint64(LOWEST)) * np.uint64(LOWEST) >> np.uint64(56)
    found[0], found[1], found[2] = eights, fours, ones


def _count() -> tuple[types.Type, ...]:
    return incoming(np.uint64), outgoing(np.int64)


COUNT = Kernel(count, _count, nogil=False)
