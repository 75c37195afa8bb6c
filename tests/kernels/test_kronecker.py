import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asafess.kernels import kronecker, kronecker_reference

seeds = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 47), seeds, st.integers(0, 2**60), st.integers(0, 6), st.booleans())
def test_kernel_equals_the_plain_reference(scale, seeds, start, count, scrambled):
    """The kernel's edges are those of plain Python, for any seeds, scale and range."""
    a = kronecker.edges(scale, seeds, start, count, scrambled)
    b = kronecker_reference.edges(scale, seeds, start, count, scrambled)
    assert a.dtype == b.dtype == np.int64
    np.testing.assert_array_equal(a, b)


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
