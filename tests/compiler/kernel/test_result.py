"""Shapes and data types of what kernels return, beside what they do return."""

import numpy as np
import pytest
from numba import njit

from asafess.compiler.cost import cost


def made(x, n):
    return np.zeros((x.shape[1], n + 1), dtype=np.float32)


def viewed(x, n):
    return x[1::2, :n]


def both(x, n):
    return x.T, x.sum(), n


def nested(x, n):
    return (x.shape, (x > 0.0,))


def itself(x, n):
    x[0, 0] = n
    return x


def early(x, n):
    if n > 3:
        return x
    return np.zeros_like(x)


def whichever(x, n):
    if x[0, 0] > 3.0:
        return x[1:]
    return x


def compressed(x, n):
    return x.ravel()[x.ravel() > 0.0]


def nothing(x, n):
    x[0, 0] = n


def shapes(value):
    """Return shape and data type of results and of what stands for them."""
    if isinstance(value, tuple):
        return tuple(map(shapes, value))
    if hasattr(value, "dims"):
        return value.dims, str(value.dtype) if value.dims else value.dtype.kind
    # Numba hands numbers to Python in Python's own precision
    return np.shape(value), str(value.dtype) if isinstance(value, np.ndarray) else np.asarray(value).dtype.kind


@pytest.mark.parametrize("kernel", [made, viewed, both, nested, itself, early])
def test_results_are_what_the_kernel_returns(kernel):
    for args in ((np.ones((5, 7)), 4), (np.ones((8, 3), "f4"), 2)):
        assert shapes(cost(kernel, *args).result(*args)) == shapes(njit(kernel)(*args))


@pytest.mark.parametrize("kernel", [whichever, compressed])
def test_a_shape_that_depends_on_the_data_is_not_known(kernel):
    args = np.ones((5, 7)), 4
    found = cost(kernel, *args).result(*args)
    assert (found.dims, found.dtype) == (None, "f8")


def test_where_nothing_is_returned_nothing_is_known():
    args = np.ones((5, 7)), 4
    assert cost(nothing, *args).result(*args) is None


def test_a_shape_that_follows_from_a_number_that_is_not_given_is_not_known():
    found = cost(made, "float64[:, :]", "int64").result(np.ones((5, 7)))
    assert found.dims is None
