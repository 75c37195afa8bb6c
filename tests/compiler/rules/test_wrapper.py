"""Functions that hand values on, and those that make numbers of arrays."""

import numpy as np
import pytest
from dask._task_spec import Task

from asafess.compiler.task_cost import infer_kernels


def of(function, *args):
    return infer_kernels(Task("key", function, *args), {}.get)


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda a: float(a.sum()), "f"),
        (lambda a: int(a.max()), "i"),
        (lambda a: bool(a[0] > 1), "b"),
        (lambda a: complex(a.sum()), "c"),
        (lambda a: a.sum().item(), "f"),
        (lambda a: a.item(3), "f"),
    ],
    ids=["float", "int", "bool", "complex", "item", "item of an index"],
)
def test_a_number_made_of_one_element_costs_what_it_is_made_of(function, kind):
    found = of(function, np.ones(100))
    assert found.known
    assert found.value.shape == ()
    assert found.value.dtype.kind == kind == np.asarray(function(np.ones(100))).dtype.kind
    assert found.flop <= 200


@pytest.mark.parametrize("function", [lambda a: float(a), lambda a: a.item(), lambda a: int(object())])
def test_what_makes_no_number_is_not_known(function):
    assert not of(function, np.ones(100)).known


def test_numbers_made_of_numbers_are_known_themselves():
    found = of(lambda a, n: a[: int(n)] * float("2.5"), np.ones(100), 3.7)
    assert found.known
    assert found.value.shape == (3,)


@pytest.mark.parametrize("scalar", [np.float32, np.uint8, np.bool_, np.complex128])
def test_a_numpy_number_has_its_own_data_type(scalar):
    def function(a):
        return a * scalar(2)

    data = np.ones(100, np.float16)
    found = of(function, data)
    assert found.known
    assert found.value.dtype == function(data).dtype


def test_a_numpy_number_of_an_array_casts_it():
    found = of(lambda a: np.float32(a), np.ones(100))
    assert (found.known, found.value.shape, found.value.dtype) == (True, (100,), np.dtype("f4"))
    assert found.nbytes == 100 * (8 + 4)
    assert not of(lambda a: np.float32(object()), np.ones(100)).known
