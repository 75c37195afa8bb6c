"""Operations and bytes of elementwise functions, and of the wrappers around functions."""

import operator
from functools import partial

import numpy as np
import pytest
import toolz
from dask.array.core import _enforce_dtype, _pass_extra_kwargs
from dask.utils import M
from graphs import called

from asafess.compiler.abstract.values import ArrayOf, array_of, sized
from asafess.compiler.operation_counts import PER_ELEMENT

A = array_of((100, 50), "f8")
ROW = array_of((50,), "f8")


@pytest.mark.parametrize(
    ("function", "args", "flop", "nbytes"),
    [
        (np.add, (A, A), 5000, 3 * 40_000),
        (operator.mul, (A, 2.0), 5000, 2 * 40_000),
        (operator.sub, (A, ROW), 5000, 2 * 40_000 + 400),
        (operator.gt, (A, 0.5), 0, 40_000 + 5000),
        (np.exp, (A,), 24 * 5000, 2 * 40_000),
        (operator.pow, (A, 2), 5000, 2 * 40_000),
        (operator.pow, (A, 3), 70 * 5000, 2 * 40_000),
        (np.where, (array_of((100, 50), bool), A, 0.0), 0, 5000 + 2 * 40_000),
        (np.multiply, (array_of((10,), "c16"), array_of((10,), "c16")), 60, 480),
        (np.modf, (A,), 5000, 3 * 40_000),
        (np.negative, (A,), 0, 2 * 40_000),
        (np.clip, (A, 0.0, 1.0), 10_000, 2 * 40_000),
        (np.add, (array_of((10,), "i8"), 1), 0, 160),
        (np.divide, (array_of((10,), "i8"), 2), 10, 160),
        (np.add, (array_of((10,), "i8"), 0.5), 10, 160),
    ],
)
def test_floating_point_operations_and_bytes_of_each_element(function, args, flop, nbytes):
    found = called(function, *args)
    assert (found.flop, found.nbytes) == (flop, nbytes)
    assert found.confidence == 1.0
    assert not found.moved


def test_every_ufunc_that_is_counted_says_what_numpy_says_of_its_result():
    missing = []
    for name in PER_ELEMENT:
        function = getattr(np, name, None)
        if not isinstance(function, np.ufunc):
            continue
        kind = next(
            (k for k in ("f8", "i8", "M8[s]") if any(t.startswith(np.dtype(k).char) for t in function.types)), "f8"
        )
        arrays = [np.full((3, 2), 0.5).astype(kind)] * function.nin
        try:
            with np.errstate(all="ignore"):
                real = function(*arrays)
        except TypeError:
            missing.append(name)
            continue
        found = called(function, *(array_of((3, 2), kind) for _ in arrays))
        real = real if isinstance(real, tuple) else (real,)
        values = found.value if isinstance(found.value, tuple) else (found.value,)
        assert [(one.shape, one.dtype) for one in values] == [(one.shape, one.dtype) for one in real]
    assert len(missing) < 4


def test_ufuncs_of_other_people_are_not_known():
    mine = np.frompyfunc(lambda x: x, 1, 1)
    found = called(mine, A)
    assert not found.known
    assert "operation count" in found.why


def test_arrays_of_unknown_shape_count_by_their_bytes():
    found = called(np.add, ArrayOf(None, None, 800.0), 1.0)
    assert (found.flop, found.nbytes) == (100, 1600)
    assert found.confidence < 1
    assert "8 bytes" in found.why
    assert called(np.add, sized(100, "f8"), 1.0).confidence == 1.0  # only the shape is missing


def test_a_broadcast_array_is_read_once():
    found = called(np.add, np.broadcast_to(np.float64(1), (100, 50)), A)
    assert found.nbytes == 2 * 40_000 + 8


def test_wrappers_hand_on_what_they_wrap():
    plain = called(np.add, A, 1.0)
    for function in (partial(operator.add, 1.0), toolz.compose(partial(np.add, 1.0))):
        assert called(function, A).flop == plain.flop
    assert called(M.sum, A).flop == 5000
    assert called(M.astype, A, dtype="f4").value == array_of((100, 50), "f4")
    assert called(_pass_extra_kwargs, np.add, ["dtype"], "f4", A, A).value.itemsize == 4
    found = called(_enforce_dtype, A, A, enforce_dtype=np.dtype("f4"), enforce_dtype_function=np.add)
    assert found.value.dtype == np.dtype("f4")
    assert [part.name for part in found.parts] == ["numpy.add", "ndarray.astype"]


def test_a_composition_is_the_sum_of_its_parts():
    found = called(toolz.compose(np.sum, np.exp), A)
    assert [part.name for part in found.parts] == ["numpy.exp", "numpy.sum"]
    assert found.flop == 25 * 5000


def test_a_rule_that_meets_what_it_does_not_expect_says_so():
    found = called(np.where, A, A, object())
    assert not found.known
    assert found.value is not None
    assert "object" in found.why
    assert not called(np.add, A, out_of="place").known
