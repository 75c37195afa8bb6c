"""Which tasks call kernels, and what is told of their arguments."""

import subprocess
import sys
from functools import partial

import dask
import dask.array as da
import numpy as np
import pytest
from dask._task_spec import DataNode, List, Task, TaskRef, convert_legacy_graph
from numba import guvectorize, njit, vectorize

from asafess.compiler import kernel_calls
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, array_of
from asafess.compiler.kernel_calls import MOST, MOST_TOLD, arguments, calls_kernel, has_kernel, is_kernel


@njit
def double(x):
    return 2.0 * x


def by_name(x):
    return double(x)


def by_module(x):
    return module.double(x)


def without(x):
    return len(x)


def closing_over(kernel):
    return lambda x: kernel(x)


module = sys.modules[__name__]


class Trap:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self):
        return 1


def has(collection):
    [collection] = dask.optimize(collection)
    graph = convert_legacy_graph(dict(collection.__dask_graph__()))
    return any(map(has_kernel, graph.values()))


def test_what_numba_compiles_for_the_processor_is_a_kernel():
    assert is_kernel(double)
    assert is_kernel(vectorize(lambda x: x + 1.0))
    assert is_kernel(guvectorize(["void(f8[:], f8[:])"], "(n)->()")(lambda x, out: None))
    assert not any(map(is_kernel, (len, np.add, np.sort, by_name, None, 5, Trap, np.vectorize(len))))


def test_plain_functions_that_name_a_kernel_call_it():
    assert all(map(calls_kernel, (by_name, by_module, closing_over(double))))
    assert not any(map(calls_kernel, (without, closing_over(len), double, len, Trap(), None)))


@pytest.mark.parametrize("function", [double, by_name, partial(double), partial(by_module)])
def test_kernels_are_found_through_fusion_and_wrappers(function):
    x = da.ones((4, 4), chunks=2)
    assert has(x.map_blocks(function, dtype="f8"))
    assert has((x + 1).map_blocks(function, dtype="f8") + 1)
    assert has(da.apply_gufunc(function, "()->()", x, output_dtypes="f8"))
    assert has_kernel(Task("key", map, function, List(TaskRef("x"))))
    assert has_kernel(Task("key", map, DataNode("function", function), TaskRef("x")))


def test_tasks_without_kernels_have_none():
    assert not has(da.ones((4, 4), chunks=2) + 1)
    assert not any(map(has_kernel, (None, DataNode("key", 1), Task("key", Trap()), Task("key", sum, [0] * 10 * MOST))))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((TaskRef("x"),), "float32(8, 2)"),
        ((TaskRef("unknown"), TaskRef("sized"), TaskRef("frame")), "?, 800 bytes, frame of 10 rows"),
        ((TaskRef("pair"),), "(float32(8, 2), ?)"),
        ((1, True, None, "ij", 0.5, 1j), "1, True, None, 'ij', float, complex"),
        ((np.int64(3), np.float64(3.0), np.ones(3), slice(1, 2)), "3, float64(), float64(3,), slice(1, 2, None)"),
        ((np.float32, np.dtype("f4"), len), "<class 'numpy.float32'>, Float32DType"),
        (([1, 2], {"a": 3}), "1, 2, 3"),
    ],
)
def test_arguments_are_told_as_far_as_costs_depend_on_them(args, told):
    values = {
        "x": array_of((8, 2), "f4"),
        "unknown": UNKNOWN,
        "sized": ArrayOf(None, None, 800.0),
        "frame": FrameOf("frame", 10, 80.0),
        "pair": (array_of((8, 2), "f4"), UNKNOWN),
    }
    assert arguments(Task("key", double, *args), values.get) == told


def test_what_is_told_is_bounded_and_can_be_sent():
    assert arguments(Task("key", double, *range(10 * MOST_TOLD)), None).count(",") == MOST_TOLD - 1
    arguments(Task("key", double, "\udcff", Trap()), None).encode()
    assert len(arguments(Task("key", double, "long" * 1000), None)) == kernel_calls.LONGEST


def test_parts_of_a_fused_task_are_told_without_their_keys():
    def of(scale):
        x = da.ones((4, 4), chunks=2).persist()
        [collection] = dask.optimize(x.map_blocks(double, dtype="f8") + scale)
        graph = convert_legacy_graph(dict(collection.__dask_graph__()))
        node = next(node for node in graph.values() if has_kernel(node))
        return arguments(node, lambda key: array_of((2, 2), "f8"))

    assert of(1) == of(1) != of(2)


def test_looking_for_kernels_imports_neither_numba_nor_sympy():
    script = (
        "import sys\nfrom dask._task_spec import Task\nfrom asafess.cluster import group_types, worker_plugin\n"
        "from asafess.compiler.kernel_calls import has_kernel\nfrom asafess.cluster.signature import told\n"
        "node = Task('key', len, [1])\nhas_kernel(node), told(node, None, None)\n"
        "print({'numba', 'sympy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
