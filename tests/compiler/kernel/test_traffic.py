"""Bytes that move between memory and caches: each sweep by itself, scattered accesses one by one."""

import numpy as np

from asafess.compiler import cost
from asafess.compiler.operation_counts import CACHE, LAST_CACHE

#: elements of a vector that does not fit into a cache, and of one that does
MANY, FEW = CACHE // 4, 64


def scaled(a):
    for i in range(a.size):
        a[i] *= 2.0


def scaled_twice(a):
    for i in range(a.size):
        a[i] *= 2.0
    for i in range(a.size):
        a[i] += 1.0


def gathered(a, index):
    total = 0.0
    for i in range(index.size):
        total += a[index[i]]
    return total


def stepped(a, steps):
    for t in range(steps):
        for i in range(a.size):
            a[i] *= 2.0
        for i in range(t, a.size):
            a[i] += 1.0


def rows(a, b):
    for i in range(a.shape[0]):
        for j in range(i):
            b[i] += a[i, j]


def test_a_sweep_moves_what_it_touches_once():
    assert cost(scaled, "float64[:]").evaluate(a=(MANY,)).traffic == 8 * MANY


def test_each_sweep_moves_it_again_unless_it_fits_into_a_cache():
    found = cost(scaled_twice, "float64[:]")
    assert found.evaluate(a=(MANY,)).traffic == 2 * 8 * MANY
    assert found.evaluate(a=(FEW,)).traffic == 8 * FEW


def test_statements_outside_of_loops_are_sweeps():
    found = cost(lambda a, b: np.sum(a * b) + np.sum(a), "float64[:]", "float64[:]")
    assert found.evaluate(a=(MANY,), b=(MANY,)).traffic >= 3 * 8 * MANY


def test_scattered_accesses_to_a_large_array_are_moved_one_by_one():
    index = np.zeros(3 * MANY, dtype=np.int64)
    found = cost(gathered, "float64[:]", "int64[:]")
    assert found.bind(np.ones(MANY), index).traffic == 8 * (3 * MANY + 3 * MANY)
    assert found.bind(np.ones(FEW), index).traffic == 8 * (FEW + 3 * MANY)


def test_what_is_used_again_within_a_sweep_moves_once():
    size = 1000
    # the first row of `a` and the first element of `b` are in the box, although they are not touched
    assert cost(rows, "float64[:,:]", "float64[:]").evaluate(a=(size, size), b=(size,)).traffic <= 8 * (size**2 + size)


def test_what_one_turn_leaves_of_the_last_cache_is_all_that_the_next_one_finds():
    found = cost(stepped, "float64[:]", "int64")
    large, size = LAST_CACHE // 4, 8
    assert found.evaluate(a=(large,), steps=1).traffic == 2 * size * large
    # the second sweep begins at t, which is 2 in the middle of 5 turns
    assert found.evaluate(a=(large,), steps=5).traffic == 5 * size * (large + large - 2)
    assert found.evaluate(a=(LAST_CACHE // 16,), steps=5).traffic == size * (LAST_CACHE // 16)


def test_traffic_is_at_most_what_is_touched():
    found = cost(gathered, "float64[:]", "int64[:]").bind(np.ones(MANY), np.zeros(2, dtype=np.int64))
    assert found.traffic == found.bytes == 2 * (8 + 8)
