"""What a worker counts of tasks that call Numba kernels, beside what is counted by hand."""

from collections import defaultdict
from functools import partial

import dask
import dask.array as da
import numpy as np
import pytest
from dask import delayed
from dask._task_spec import Task, TaskRef, convert_legacy_graph
from numba import guvectorize, njit, vectorize

from asafess.compiler import task_cost as module
from asafess.compiler.abstract.values import UNKNOWN, array_of
from asafess.compiler.infer import infer
from asafess.compiler.kernel_calls import arguments, has_kernel
from asafess.compiler.plain import FunctionInterpreter
from asafess.compiler.task_cost import held, infer_kernels, task_cost

N = 16
BLOCK = N * N


@njit
def squares(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] * x[i, j]
    return out


@njit
def total(x):
    found = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            found += x[i, j]
    return found


@njit
def inner_half(x):
    return x[1:-1, ::2], x.sum()


@njit
def steps(x, n=3):
    for _ in range(n):
        for i in range(x.shape[0]):
            x[i, 0] += 1.0
    return x


@njit
def rows(indptr, values):
    found = 0.0
    for i in range(indptr.size - 1):
        for k in range(indptr[i], indptr[i + 1]):
            found += values[k]
    return found


@njit
def recursive(n):
    return 1.0 if n < 2 else recursive(n - 1) * 2.0


def plain(x):
    return total(squares(x)) * 2.0


def plain_in_a_loop(x, times=2):
    found = 0.0
    for _ in range(times):
        found += total(x)
    return found


def opens_files(x):
    with open(x) as file:
        return total(np.loadtxt(file))


def counted(collection):
    """Return the cost of the only task of a program that calls a kernel, or that of its first block."""
    [collection] = dask.optimize(collection)
    graph = convert_legacy_graph(dict(collection.__dask_graph__()))
    node = next(filter(has_kernel, graph.values()))
    return task_cost(node, {one: dask.get(graph, one) for one in node.dependencies})


def blocks():
    return da.from_array(np.ones((2 * N, 2 * N)), chunks=N).persist()


PROGRAMS = {
    "map_blocks": (lambda: blocks().map_blocks(squares, dtype="f8"), BLOCK, 16 * BLOCK),
    "fused with what comes after it": (
        lambda: blocks().map_blocks(squares, dtype="f8") + 1,
        2 * BLOCK,
        16 * BLOCK + 16 * BLOCK,
    ),
    "fused with what comes before it": (
        lambda: (blocks() + 1).map_blocks(squares, dtype="f8"),
        2 * BLOCK,
        16 * BLOCK + 16 * BLOCK,
    ),
    "fused kernels": (
        lambda: blocks().map_blocks(squares, dtype="f8").map_blocks(squares, dtype="f8"),
        2 * BLOCK,
        2 * 16 * BLOCK,
    ),
    "blockwise": (lambda: da.blockwise(squares, "ij", blocks(), "ij", dtype="f8"), BLOCK, 16 * BLOCK),
    "apply_gufunc, after it has concatenated core dimensions": (
        lambda: da.apply_gufunc(total, "(i,j)->()", blocks()[:N, :N].persist(), output_dtypes="f8"),
        BLOCK,
        16 * BLOCK + 8 * BLOCK,
    ),
    "partial": (lambda: blocks().map_blocks(partial(steps, n=2), dtype="f8"), 2 * N, None),
    "by name": (lambda: blocks().map_blocks(steps, n=5, dtype="f8"), 5 * N, None),
    "with its default": (lambda: delayed(steps)(np.ones((N, N))), 3 * N, None),
    "plain function": (lambda: delayed(plain)(np.ones((N, N))), 2 * BLOCK + 1, None),
    "plain function with a loop": (
        lambda: delayed(plain_in_a_loop)(np.ones((N, N)), times=4),
        4 * BLOCK + 4,
        None,
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_kernel_is_counted_wherever_it_is_called_from(name):
    build, flop, nbytes = PROGRAMS[name]
    found = counted(build())
    assert found["flop"] == flop
    assert nbytes is None or found["bytes"] == nbytes
    assert found["input_bytes"] in (0, 8 * BLOCK)


@pytest.mark.parametrize(
    "program",
    [
        lambda: delayed(opens_files)("no such file"),
        lambda: delayed(recursive)(5),
        lambda: delayed(total)([1, 2]),
        lambda: blocks().map_blocks(squares, dtype="f8").map_blocks(np.linalg.norm, dtype="f8").map_blocks(print),
    ],
)
def test_what_can_not_be_read_is_not_counted(program):
    assert counted(program()) is None


def test_a_task_without_kernels_is_not_counted():
    assert task_cost(Task("key", sum, TaskRef("x")), {"x": [1, 2]}) is None
    assert task_cost(None, {}) is None


def test_means_are_taken_of_what_is_here_and_of_nothing_else():
    indptr, values = np.array([0, 3, 4, 4]), np.ones(4)
    node = Task("key", rows, TaskRef("indptr"), TaskRef("values"))
    assert task_cost(node, {"indptr": indptr, "values": values})["flop"] == 4
    found = infer_kernels(node, {"indptr": array_of((4,), "i8"), "values": array_of((4,), "f8")}.get)
    assert not found.known
    assert "mean number of turns of the loop `for k`" in found.why


def test_the_result_of_a_kernel_is_known_as_far_as_its_shape_is():
    found = infer_kernels(Task("key", inner_half, TaskRef("x")), lambda key: held(np.ones((8, 6), "f4")))
    part, number = found.value
    assert (part.shape, part.dtype, number.shape, number.dtype) == ((6, 3), "f4", (), "f8")
    assert infer_kernels(Task("key", inner_half, TaskRef("x")), lambda key: UNKNOWN).value is UNKNOWN


def test_a_kernel_is_read_once_for_all_sizes():
    @njit
    def fresh(x):
        return x + 1.0

    node = Task("key", fresh, TaskRef("x"))
    for size in (3, 4, 5):
        assert task_cost(node, {"x": np.ones(size)})["flop"] == size
    assert task_cost(node, {"x": np.ones(3, "f4")})["flop"] == 3
    assert len(module._read[fresh.py_func]) == 2


@vectorize
def affine(x, y):
    return x * y + 1.0


@vectorize(["f8(f8)"])
def doubled(x):
    return 2.0 * x


@guvectorize(["void(f8[:], f8[:], f8[:])"], "(n),(n)->()")
def dot(a, b, out):
    out[0] = 0.0
    for i in range(a.size):
        out[0] += a[i] * b[i]


@guvectorize("(n)->(n)")
def dynamic(a, out):
    for i in range(a.size):
        out[i] = a[i] + 1.0


@pytest.mark.parametrize(
    ("function", "args", "flop", "nbytes"),
    [
        (affine, [np.ones((3, 4)), np.ones(4)], 24, 96 + 32 + 96),
        (affine, [np.ones((3, 4)), 2.0], 24, 96 + 8 + 96),
        (affine, [np.ones(4, "f4"), np.ones(4, "f4")], 8, 16 + 16 + 32),
        (doubled, [np.ones(5, "f4")], 5, 20 + 40),
        (dot, [np.ones((3, 4)), np.ones((3, 4))], 24, 2 * 96 + 24),
        (dot, [np.ones((3, 4)), np.ones(4)], 24, 96 + 32 + 24),
    ],
)
def test_vectorized_functions_are_their_core_as_often_as_it_is_called(function, args, flop, nbytes):
    node = Task("key", function, *map(TaskRef, range(len(args))))
    found = infer_kernels(node, lambda key: held(args[key]))
    expected = function(*args)
    assert (found.flop, found.nbytes) == (flop, nbytes)
    assert (found.value.shape, found.value.dtype) == (expected.shape, expected.dtype)


def test_vectorized_functions_that_nobody_has_given_types_or_that_are_given_more_are_not_counted():
    assert task_cost(Task("key", dynamic, TaskRef("x")), {"x": np.ones(4)}) is None
    assert task_cost(Task("key", dot, TaskRef("x"), TaskRef("x"), axis=0), {"x": np.ones((4, 4))}) is None
    assert task_cost(Task("key", dot, TaskRef("x"), TaskRef("x"), np.empty(4)), {"x": np.ones((4, 4))}) is None


def keyed(table, key):
    before = len(table)
    table[key]
    return before


def test_a_users_container_is_not_looked_into():
    table = defaultdict(list)
    assert task_cost(Task("key", keyed, TaskRef("table"), "a"), {"table": table}) is None
    assert not table


def test_nor_by_the_interpreter_itself():
    table = defaultdict(list)
    FunctionInterpreter(None).call(keyed, (table, "a"), {})
    assert not table


class Lazy:
    asked = 0

    @property
    def shape(self):
        Lazy.asked += 1
        return (3,)

    dtype = ndim = shape


def test_a_users_attributes_are_not_asked_for():
    lazy = Lazy()
    node = Task("key", keyed, TaskRef("x"), lazy)
    assert task_cost(node, {"x": lazy}) is None
    assert infer(node, {"x": 1}.get).parts
    assert arguments(node, lambda key: lazy) == "Lazy, Lazy"
    assert Lazy.asked == 0
