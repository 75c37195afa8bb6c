import pickle
import warnings

import cloudpickle
import dask
import dask.array as da
import numba
import numpy as np
import pytest

import asafess
from asafess.compiler.decorator import ATTRIBUTE
from asafess.core.task_type import TaskType


@asafess.task(intensity=2.0)
def doubled(x):
    """Twice x."""
    return 2 * x


def test_the_decorator_returns_the_function_itself():
    def plain(x, y=1):
        return x + y

    assert asafess.task(intensity=1.0)(plain) is plain
    assert plain(1, y=2) == 3
    assert doubled.__doc__ == "Twice x."


def test_the_type_is_named_after_the_function_unless_told_otherwise():
    assert getattr(doubled, ATTRIBUTE).name == "doubled"
    assert getattr(asafess.task(intensity=1, name="mine")(lambda x: x), ATTRIBUTE).name == "mine"


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_the_type_survives_pickling_of_a_function(dumps):
    local = doubled if dumps is pickle.dumps else asafess.task(intensity=2.0)(lambda x: 2 * x)
    assert pickle.loads(dumps(local)).__asafess_type__.per_byte["compute"] == 2.0


def test_the_type_survives_pickling_of_a_numba_dispatcher():
    @asafess.task(intensity=3.0)
    @numba.njit
    def triple(x):
        return 3 * x

    again = pickle.loads(cloudpickle.dumps(triple))
    assert isinstance(again.py_func.__asafess_type__, TaskType)
    assert again(2) == 6


@pytest.mark.parametrize("bad", [{}, {"intensity": -1}, {"loads": {"flops": 1}}, {"per_byte": {"memory": "x"}}])
def test_a_wrong_declaration_is_said_where_it_is_written(bad):
    with pytest.raises((ValueError, TypeError)):
        asafess.task(**bad)


def test_a_decorator_without_parentheses_is_told_how_it_is_written():
    with pytest.raises(TypeError, match=r"write @asafess\.task\(intensity"):

        @asafess.task
        def forgotten(x):
            return x


def test_what_is_no_function_or_takes_no_attribute_is_refused():
    with pytest.raises(TypeError, match="marks a function, not 3"):
        asafess.task(intensity=1)(3)
    with pytest.raises(TypeError, match="takes no attributes"):
        asafess.task(intensity=1)(len)


def test_the_context_annotates_delayed_tasks_and_leaves_nothing_behind():
    with asafess.task_type(intensity=4.0, name="inside"):
        inside = dask.delayed(sum)([1, 2])
    outside = dask.delayed(sum)([3, 4])
    [layer] = [layer for layer in inside.dask.layers.values() if layer.annotations]
    assert layer.annotations["asafess"]["name"] == "inside"
    assert not any(layer.annotations for layer in outside.dask.layers.values())
    assert not dask.config.get("array_plugins", ())


def test_a_dask_array_built_inside_the_context_is_warned_of():
    with pytest.warns(UserWarning, match="Decorate the function"), asafess.task_type(intensity=1.0):
        kept = da.ones(10) + 1
    assert kept.sum().compute() == 20


def test_an_array_that_is_computed_in_one_breath_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with asafess.task_type(intensity=1.0):
            assert da.ones(10).sum().compute(scheduler="sync") == 10


def test_an_array_that_was_built_before_is_not_warned_of():
    built = da.ones(10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with asafess.task_type(intensity=1.0):
            np.testing.assert_array_equal(built.compute(scheduler="sync"), np.ones(10))


def test_an_exception_inside_the_context_passes_and_takes_the_annotation_away():
    with pytest.raises(KeyError), asafess.task_type(intensity=1.0):
        raise KeyError
    assert not dask.get_annotations()
