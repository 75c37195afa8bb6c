"""Words without the zeros among them: one bit for each word, and those that are not zero, packed.

For data of which nobody knows anything but its bytes. A word is 8, 4 or 1 bytes; any bit that is set makes it non-zero,
so −0.0 and the payload of a NaN come back as they were. All counts are 64-bit.

The *check* runs over the bits, so that one who unpacks knows that each word goes to its place: two bits that fell over
in opposite directions leave the number of words as it is.
"""

from __future__ import annotations

import numpy as np
from numba import types

from asafess.kernels.bits import GROUP, count_ones, lowest_one, nonzero_bits
from asafess.kernels.jit import Kernel, incoming, outgoing

#: words of a group up to which going from one to the next costs less than looking at each
FEW = 16
#: 2⁶⁴ ÷ the golden ratio, odd: multiplying by it is reversible, so each bit counts
MIX = 0x9E3779B97F4A7C15


def pack(words, bits, packed, totals):
    """Write a bit for each word, and the words that are not zero one after the other.

    Parameters
    ----------
    words : (n,) unsigned, read-only
    bits : (ceil(n / 64),) uint64
        Bit k of element g is set when ``words[64 g + k]`` is not zero.
    packed : (·,) like words
        There must be room for 64 more than are used. What is behind those is undefined.
    totals : (2,) uint64
        How many were written, and the check; n + 1 and undefined when `packed` was too small.
    """
    n, room = np.uint64(words.size), np.uint64(packed.size)
    k = check = np.uint64(0)
    whole = n // np.uint64(GROUP)
    for g in range(whole):
        start = np.uint64(g) * np.uint64(GROUP)
        if k + np.uint64(GROUP) > room:
            totals[0] = n + np.uint64(1)
            return
        found = nonzero_bits(words, start)
        bits[g] = found
        check = (check ^ found) * np.uint64(MIX)
        check ^= check >> np.uint64(32)
        count = np.uint64(count_ones(found))
        if count <= FEW:
            while found:
                packed[k] = words[start + lowest_one(found)]
                k += np.uint64(1)
                found &= found - np.uint64(1)
        elif count == GROUP:
            for i in range(np.uint64(GROUP)):
                packed[k + i] = words[start + i]
            k += np.uint64(GROUP)
        else:
            for i in range(np.uint64(GROUP)):
                word = words[start + i]
                packed[k] = word
                k += np.uint64(word != 0)
    start = whole * np.uint64(GROUP)
    if start < n:
        if k + np.uint64(GROUP) > room:
            totals[0] = n + np.uint64(1)
            return
        found = np.uint64(0)
        for i in range(n - start):
            word = words[start + i]
            packed[k] = word
            k += np.uint64(word != 0)
            found |= np.uint64(word != 0) << np.uint64(i)
        bits[whole] = found
        check = (check ^ found) * np.uint64(MIX)
        check ^= check >> np.uint64(32)
    totals[0] = k
    totals[1] = check


def unpack(bits, packed, words, totals):
    """Put the words back where the bits say, and zeros between them.

    Parameters
    ----------
    bits : (ceil(n / 64),) uint64, read-only
    packed : (m,) unsigned, read-only
    words : (n,) like packed
        All are written, if the bits are in order.
    totals : (2,) uint64
        How many of `packed` were used, and the check; n + 1 and undefined when the bits say more than there are, or
        have one that belongs to no word.
    """
    n, m = np.uint64(words.size), np.uint64(packed.size)
    k = check = np.uint64(0)
    for g in range(np.uint64(bits.size)):
        start = np.uint64(g) * np.uint64(GROUP)
        end = min(n - start, np.uint64(GROUP))
        found = bits[g]
        check = (check ^ found) * np.uint64(MIX)
        check ^= check >> np.uint64(32)
        count = np.uint64(count_ones(found))
        # a shift by 64 is undefined
        beyond = end < np.uint64(GROUP) and found >> end != np.uint64(0)
        if k + count > m or beyond:
            totals[0] = n + np.uint64(1)
            return
        if count == np.uint64(GROUP):
            for i in range(end):
                words[start + i] = packed[k + i]
            k += count
            continue
        for i in range(end):
            words[start + i] = 0
        while found:
            words[start + lowest_one(found)] = packed[k]
            k += np.uint64(1)
            found &= found - np.uint64(1)
    totals[0] = k
    totals[1] = check


def _pack(word: np.dtype) -> tuple[types.Type, ...]:
    return incoming(word), outgoing(np.uint64), outgoing(word), outgoing(np.uint64)


def _unpack(word: np.dtype) -> tuple[types.Type, ...]:
    return incoming(np.uint64), incoming(word), outgoing(word), outgoing(np.uint64)


#: by word: uint64, uint32 or uint8
PACK = Kernel(pack, _pack)
UNPACK = Kernel(unpack, _unpack)
