from functools import partial

import dask
import dask.array as da
import numpy as np
from dask._task_spec import Alias, DataNode, Task, TaskRef, convert_legacy_graph

from asafess.cluster.signature import signature, told
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, array_of


def step(block):
    return block


def of(collection):
    graph = convert_legacy_graph(dict(collection.__dask_graph__()))
    return {signature(node) for node in graph.values()}


def test_the_functions_that_tasks_call_are_named_through_partials_and_wrappers():
    expected = (f"{__name__}.step",)
    assert signature(Task("key", step, 1)) == signature(Task("other", partial(step), 2)) == expected
    assert expected in of(da.ones((4, 4), chunks=2).map_blocks(step, dtype=float))


def test_the_same_program_on_other_data_has_the_same_signatures():
    first, second = (da.ones((n, n), chunks=2).map_blocks(step, dtype=float).sum() for n in (4, 8))
    assert of(first) == of(second)


def test_a_fused_task_has_the_names_of_its_parts():
    [collection] = dask.optimize(da.ones((4, 4), chunks=2).map_blocks(step, dtype=float) + 1)
    [fused] = of(collection)
    assert f"{__name__}.step" in fused
    assert len(fused) > 1


def test_lambdas_are_told_apart_by_their_lines():
    one = lambda block: block  # noqa: E731
    other = lambda block: 2 * block  # noqa: E731
    assert signature(Task("key", one, 1)) != signature(Task("key", other, 1))
    assert signature(Task("key", one, 1)) == signature(Task("again", one, 1))


def test_what_has_no_name_goes_by_its_type_and_what_is_no_task_has_no_functions():
    class Callable:
        def __call__(self, block):
            return block

    assert signature(Task("key", Callable(), 1)) == signature(Task("key", Callable(), 1))
    assert signature(Task("key", np.add, 1, 2)) == ("numpy.add",)
    assert signature(None) == signature(DataNode("key", 1)) == signature(Alias("key", "other")) == ()


def test_a_function_that_does_anything_when_it_is_looked_at_has_no_name():
    class Trap:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __call__(self):
            return 1

    assert signature(Task("key", Trap())) == ()


def test_a_name_that_no_message_can_hold_is_one_that_it_can():
    def odd():
        pass

    odd.__qualname__ = "odd\udcff"
    (name,) = signature(Task("key", odd))
    assert "odd?" in name
    name.encode()


def test_arguments_are_told_by_shape_or_size_and_integers_by_value():
    values = {"x": array_of((3, 4), "f4"), "half": ArrayOf(None, None, 80.0), "y": UNKNOWN, "z": UNKNOWN}
    sizes = {"x": 1.0, "y": 800.0}
    node = Task("key", step, *map(TaskRef, values), 5)
    assert told(node, values.get, sizes.get) == "float32(3, 4), 80 bytes, 800 bytes, ?, 5"
