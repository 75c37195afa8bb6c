"""Geometry of the notes that a plan takes; the counting itself is tested against the reference."""

import numpy as np
import pytest

from asafess.kernels.bits import GROUP, count_ones, lowest_one, nonzero_bits
from asafess.kernels.jit import Kernel, incoming, outgoing
from asafess.kernels.plan import groups


@pytest.mark.parametrize(("m", "n", "tile"), [(0, 5, 2), (5, 0, 2), (7, 5, 3), (130, 3, 128), (1000, 2, 300)])
def test_there_is_one_group_for_each_64_rows_of_a_column_of_a_tile(m, n, tile):
    expected = sum(-(-min(tile, m - top) // GROUP) for top in range(0, m, tile)) * n
    assert groups(m, n, tile) == expected


def test_bits_are_counted_and_found_from_the_lowest_up():
    def both(words, ones, lowest):
        for k in range(words.size):
            ones[k] = count_ones(words[k])
            lowest[k] = lowest_one(words[k])

    kernel = Kernel(both, lambda word: (incoming(word), outgoing(word), outgoing(word)))
    words = np.array([0, 1, 0b1010, 2**63, 2**64 - 1], np.uint64)
    ones, lowest = np.empty_like(words), np.empty_like(words)
    kernel[np.uint64](words, ones, lowest)
    assert ones.tolist() == [0, 1, 2, 1, 64]
    assert lowest.tolist() == [64, 0, 1, 63, 0]


@pytest.mark.parametrize("word", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_the_bits_of_a_group_say_which_words_are_not_zero_wherever_it_starts(word):
    def each(words, starts, bits):
        for k in range(starts.size):
            bits[k] = nonzero_bits(words, starts[k])

    kernel = Kernel(each, lambda word: (incoming(word), incoming(np.int64), outgoing(np.uint64)))
    rng = np.random.default_rng(0)
    highest = word(1) << word(8 * word().itemsize - 1)
    words = np.where(rng.random(300) < 0.3, rng.choice([word(1), highest, ~word(0)], 300), word(0))
    starts = np.arange(words.size - GROUP + 1)
    bits = np.empty(starts.size, np.uint64)
    kernel[word](words, starts, bits)
    expected = [sum(1 << k for k in np.flatnonzero(words[s : s + GROUP]).tolist()) for s in starts]
    assert bits.tolist() == expected
