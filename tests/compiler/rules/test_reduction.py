"""Operations and results of reductions, sorts and searches."""

import math

import dask.array as da
import numpy as np
import pytest
from graphs import called, graph_of, interpreted

from asafess.compiler.abstract.values import ArrayOf, array_of
from asafess.compiler.rules.reduction import REDUCTIONS

A = array_of((100, 50), "f8")


@pytest.mark.parametrize("name", sorted(REDUCTIONS.keys() - {"amin", "amax"}))
@pytest.mark.parametrize("dtype", ["f4", "i4", "f8"])
def test_results_are_numpys(name, dtype):
    function = getattr(np, name)
    array = np.ones((3, 4), dtype)
    for options in ({}, {"axis": 0}, {"axis": 1, "keepdims": True}):
        real = function(array, **options)
        found = called(function, array_of((3, 4), dtype), **options).value
        assert (found.shape, found.dtype) == (np.shape(real), np.asarray(real).dtype)


def test_every_element_is_read_once():
    found = called(np.sum, A)
    assert (found.flop, found.nbytes) == (5000, 40_000 + 8)
    found = called(np.max, A, axis=0)
    assert (found.flop, found.nbytes) == (5000, 40_000 + 400)
    assert called(np.sum, array_of((10,), "c16")).flop == 20
    assert called(np.cumsum, A, axis=0).nbytes == 80_000


def test_of_a_list_of_arrays_numpy_makes_one_first():
    found = called(np.sum, [array_of((3,), "f8"), array_of((3,), "f8")], axis=0)
    assert found.value.shape == (3,)
    assert [part.name for part in found.parts] == ["numpy.stack", "numpy.sum"]


def test_a_tree_adds_every_element_once():
    n, chunk = 1000, 100
    inferred = interpreted(graph_of(da.random.random((n, n), chunks=chunk).sum()))
    sums = [part for one in inferred.values() for part in one.parts if part.name == "numpy.sum"]
    blocks = (n // chunk) ** 2
    assert n * n + blocks <= sum(part.flop for part in sums) <= n * n + 1.5 * blocks


def test_the_variance_of_blocks_takes_five_operations_an_element():
    # a sum; a difference, a square and a sum; and what is small
    n, chunk = 1000, 100
    inferred = interpreted(graph_of(da.random.random((n, n), chunks=chunk).var()))
    flop = sum(part.flop for one in inferred.values() for part in one.parts if part.kind != "creation")
    assert math.isclose(flop, 4 * n * n, rel_tol=0.01)


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "flop"),
    [
        (np.sort, (array_of((1024,), "f8"),), {}, 0),
        (np.sort, (array_of((4, 1024), "f8"),), {"axis": 0}, 0),
        (np.argsort, (array_of((1024,), "f4"),), {}, 0),
        (np.partition, (array_of((1000,), "f8"),), {"kth": 5}, 0),
        (np.searchsorted, (array_of((1024,), "f8"), array_of((50,), "f8")), {}, 0),
        # where in the range it is: a difference, a quotient, a product
        (np.histogram, (array_of((1000,), "f8"),), {"bins": 20, "range": (0, 1)}, 3000),
        (np.median, (array_of((100, 7), "f8"),), {"axis": 0}, 0),
        (np.argmax, (array_of((1000,), "f8"),), {}, 0),
        (np.any, (array_of((1000,), bool),), {}, 0),
        (np.sum, (array_of((1000,), "i8"),), {}, 0),
        (np.mean, (array_of((1000,), "i8"),), {}, 1000),
        (np.max, (array_of((1000,), "f8"),), {}, 1000),
        (np.cumsum, (array_of((1000,), "i4"),), {}, 0),
    ],
)
def test_comparing_and_integers_are_no_floating_point_operations(function, args, kwargs, flop):
    found = called(function, *args, **kwargs)
    assert found.flop == flop
    real = function(*(np.ones(one.shape, one.dtype) for one in args), **kwargs)
    values = found.value if isinstance(found.value, tuple) else (found.value,)
    real = real if isinstance(real, tuple) else (real,)
    assert [(one.shape, one.dtype) for one in values] == [(np.shape(one), one.dtype) for one in real]


def test_how_much_is_found_depends_on_data():
    for function in (np.unique, np.flatnonzero, np.bincount):
        found = called(function, array_of((1000,), "i8"))
        assert found.known
        assert (found.flop, found.nbytes >= 8000) == (0, True)
        assert isinstance(found.value, ArrayOf)
        assert found.value.shape is None
        assert found.value.nbytes is None
    assert not called(np.unique, array_of((1000,), "i8"), return_counts=True).known


def test_a_reduction_along_an_axis_that_is_not_there_is_not_known():
    found = called(np.sum, A, axis=2)
    assert not found.known
    assert "axis 2" in found.why


def test_an_array_of_unknown_shape_is_added_up_by_its_bytes():
    found = called(np.sum, ArrayOf(None, 4, 400.0))
    assert (found.flop, found.value.shape) == (100, ())
    assert found.confidence < 1
