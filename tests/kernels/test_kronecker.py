import threading
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asafess.kernels import kronecker, kronecker_reference
from asafess.kernels.recursive_generator import KRONECKER, UNIFORM, seed_state, skip, step

seeds = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
thresholds = st.sampled_from([KRONECKER, UNIFORM])


@settings(max_examples=40)
@given(st.integers(1, 47), seeds, st.integers(0, 2**60), st.integers(0, 6), st.booleans(), thresholds)
def test_kernel_equals_the_plain_reference(scale, seeds, start, count, scrambled, thresholds):
    """The kernel's edges are those of plain Python, for any seeds, scale, range and initiator."""
    a = kronecker.edges(scale, seeds, start, count, scrambled, thresholds)
    b = kronecker_reference.edges(scale, seeds, start, count, scrambled, thresholds)
    assert a.dtype == b.dtype == np.int64
    np.testing.assert_array_equal(a, b)


@settings(max_examples=25)
@given(st.integers(0, 200), st.integers(1, 200), st.integers(1, 5), st.booleans(), thresholds)
def test_groups_and_chunks_leave_no_seam(count, chunk, threads, scrambled, thresholds):
    """However edges are grouped and shared out among threads, they are those of plain Python."""
    with mock.patch.object(kronecker, "CHUNK", chunk):
        found = kronecker.edges(9, (5, 8), 1000, count, scrambled, thresholds, threads)
    np.testing.assert_array_equal(found, kronecker_reference.edges(9, (5, 8), 1000, count, scrambled, thresholds))


def test_a_rejected_number_is_replaced_by_the_next():
    """Where a number is rejected, that edge and those beside it are the ones of plain Python."""
    first = 49556  # of the benchmark's edges
    assert step(step(skip(seed_state((2, 3)), first * 2**64)))[0] < 3647
    found = kronecker.edges(18, (2, 3), first - 70, 140)
    np.testing.assert_array_equal(found, kronecker_reference.edges(18, (2, 3), first - 70, 140))


@pytest.mark.parametrize("scale", [1, 2, 5, 10])
def test_scramble_is_a_bijection(scale):
    """The scramble of the reference moves every vertex to a place of its own."""
    words = (7111014902169325161, 3043718919927570188)
    assert sorted(kronecker_reference.scramble(v, scale, words) for v in range(1 << scale)) == list(range(1 << scale))


def test_threads_that_come_together_get_the_same_edges():
    """Eight threads that ask at once get what one would get: nothing is shared between calls."""
    barrier, results = threading.Barrier(8), [None] * 8

    def ask(i):
        barrier.wait()
        results[i] = kronecker.edges(10, (2, 3), 0, 4096)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    expected = kronecker.edges(10, (2, 3), 0, 4096)
    assert all(np.array_equal(r, expected) for r in results)
