"""The instrumented reference against counts made by hand."""

import math

import numba
import numpy as np
import pytest
from dask._task_spec import Task, TaskRef
from dask.array.chunk import getitem as dask_getitem

from asafess.compiler.abstract.values import array_of
from asafess.compiler.infer import infer
from bench.compiler.counting.counter import Counter, stored
from bench.compiler.counting.loops import count, instrumented

N = 10


def counted(function, *arrays):
    """Return the counter after a function of counted arrays."""
    counter = Counter()
    function(*(counter.array(array) for array in arrays))
    assert not counter.unseen
    return counter


def figures(counter):
    return counter.flop, counter.other, counter.read, counter.written


@pytest.fixture
def vector():
    return np.arange(1.0, N + 1)


@pytest.fixture
def matrix():
    return np.arange(12.0).reshape(4, 3)


def test_an_elementwise_operation_reads_its_operands_and_writes_its_result(vector):
    assert figures(counted(lambda a, b: a + b, vector, vector)) == (N, 0, 160, 80)
    assert figures(counted(lambda a: 2.0 * a, vector)) == (N, 0, 80, 80)


def test_in_place_the_result_is_one_of_the_operands(vector):
    def twice(a, b):
        a += b
        np.multiply(a, 2.0, out=a)

    assert figures(counted(twice, vector, vector.copy())) == (2 * N, 0, 160 + 80, 160)


def test_broadcasting_reads_the_smaller_operand_once(matrix):
    row = np.ones(3)
    assert figures(counted(lambda a, b: a - b, matrix, row)) == (12, 0, 96 + 24, 96)
    assert stored(np.broadcast_to(row, (1000, 3))) == 24


def test_comparing_converting_and_integers_are_other_operations(vector):
    assert figures(counted(lambda a: a > 3, vector)) == (0, N, 80, N)
    assert figures(counted(lambda a: a.astype("f4"), vector)) == (0, N, 80, 40)
    assert figures(counted(lambda a: a + 1, np.arange(N))) == (0, N, 80, 80)
    assert figures(counted(lambda a: -a, vector)) == (0, N, 80, 80)


def test_elementary_functions_have_the_operations_of_fdlibm_or_other_weights(vector):
    counter = counted(lambda a: np.exp(a) * 2.0, vector)
    assert counter.flop == 24 * N + N
    assert counter.weighed(lambda name: {"exp": 20}[name]) == 20 * N + N


def test_a_complex_product_is_six_real_operations():
    z = np.ones(N, dtype=complex)
    assert figures(counted(lambda a, b: a * b, z, z)) == (6 * N, 0, 320, 160)
    assert counted(lambda a: a @ a, np.ones((3, 3), dtype=complex)).flop == 4 * 2 * 27


def test_views_cost_nothing(matrix):
    counter = counted(lambda a: a[1:].T[::2, :1].swapaxes(0, 1).reshape(2), matrix)
    assert figures(counter) == (0, 0, 0, 0)
    # a transposed array has to be copied to become one line
    assert figures(counted(lambda a: a.T.ravel(), matrix)) == (0, 0, 96, 96)


@pytest.mark.parametrize(
    ("reduce", "flop"),
    [(np.sum, 12), (np.max, 12), (lambda a: a.sum(axis=0), 12), (lambda a: np.add.reduce(a, axis=1), 12)],
)
def test_a_reduction_does_one_operation_per_element(matrix, reduce, flop):
    counter = counted(reduce, matrix)
    assert (counter.flop, counter.read) == (flop, 96)


def test_a_mean_is_a_sum_and_a_division_and_a_variance_three_passes(matrix):
    assert counted(lambda a: a.mean(axis=0), matrix).flop == 12 + 3
    # sum and division; difference, square and sum; division
    assert counted(lambda a: a.var(axis=0), matrix).flop == 12 + 3 + 3 * 12 + 3


def test_products_count_two_for_each_pair():
    a, b = np.ones((4, 3)), np.ones((3, 5))
    for product in (np.dot, np.matmul, lambda a, b: np.einsum("ij,jk->ik", a, b), lambda a, b: np.tensordot(a, b, 1)):
        assert figures(counted(product, a, b)) == (2 * 4 * 3 * 5, 0, 96 + 120, 160)
    assert counted(lambda a, x: a.dot(x), a, np.ones(3)).flop == 2 * 12
    assert counted(np.vdot, np.ones(N), np.ones(N)).flop == 2 * N


@pytest.mark.parametrize("mode", ["r", "reduced"])
def test_tall_panels_go_through_memory_column_by_column_and_the_compiler_knows(mode):
    for shape, times in (((9000, 64), 10), ((200, 64), 0)):
        found = counted(lambda a: np.linalg.qr(a, mode=mode), np.ones(shape))
        node = Task("q", np.linalg.qr, TaskRef("a"), mode=mode)
        predicted = infer(node, {"a": array_of(shape, "f8")}.get).nbytes
        assert found.read + found.written > times * 8 * math.prod(shape)
        assert predicted == pytest.approx(found.read + found.written, rel=0.01)


def test_transforms_decompositions_and_sorts_follow_the_textbook():
    a = np.random.default_rng(1).random((8, 8))
    assert counted(np.fft.fft, a.astype(complex)).flop == 5 * 64 * 3
    assert counted(lambda a: np.linalg.qr(a, mode="r"), a).flop == int(2 * (8**3 - 8**3 / 3))
    assert counted(np.linalg.inv, a).flop == 2 * 8**3
    assert counted(lambda a: np.sort(a, axis=-1), a).other == 64 * 3


def test_joining_and_taking_move_what_they_join_and_take(matrix):
    assert figures(counted(lambda a: np.concatenate([a, a]), matrix)) == (0, 0, 192, 192)
    assert figures(counted(lambda a: a[np.array([0, 2])], matrix)) == (0, 0, 48, 48)
    assert figures(counted(lambda a: np.where(a > 1, a, 0.0), matrix))[1] == 24


def test_what_is_taken_owns_its_data_as_it_would_uncounted(matrix):
    # Dask copies what does not, so it would be counted twice
    assert Counter().array(matrix)[np.array([0, 2])].flags.owndata == matrix[np.array([0, 2])].flags.owndata
    assert figures(counted(lambda a: dask_getitem(a, (np.array([0]), slice(None))), matrix)) == (0, 0, 24, 24)


def test_what_is_not_known_is_noted_and_not_passed_over(vector):
    counter = Counter()
    np.histogram(counter.array(vector))
    np.interp(counter.array(vector), [0.0, 1.0], [0.0, 1.0])
    assert len(counter.unseen) == 2


def test_the_results_are_those_of_numpy(matrix):
    counter = Counter()
    a = counter.array(matrix)
    for function in (np.sum, np.cumsum, lambda a: a @ a.T, lambda a: np.linalg.qr(a)[1], lambda a: np.std(a, axis=0)):
        np.testing.assert_array_equal(np.asarray(function(a)), np.asarray(function(matrix)))


def triad(a, b, c, s):
    for i in range(len(a)):
        a[i] += b[i] + s * c[i]


def triangle(a):
    total = 0.0
    for i in range(a.shape[0]):
        for j in range(i):
            total += a[i, j]
    return total


def halves(a, counts):
    for i in range(len(a)):
        if a[i] > 0.5:
            counts[i] = 1.0 / 2
        a[i] = math.sqrt(a[i]) + abs(a[i])


def expression(a, b):
    b[1:-1] = 0.5 * (a[:-2] + a[2:])
    c = a * a
    return np.sum(c)


@numba.njit
def squared(x):
    return x * x


def calls(a):
    for i in range(len(a)):
        a[i] = squared(a[i])


def whole(a):
    a *= 2.0
    a[:] = 1.0


def test_loops_count_each_element_that_they_read_and_write():
    counter, _ = count(triad, np.zeros(N), np.ones(N), np.ones(N), 3.0)
    assert (*figures(counter), counter.footprint) == (3 * N, 0, 240, 80, 240)


def test_triangular_loops_and_the_footprint():
    counter, total = count(triangle, np.ones((5, 5)))
    assert (counter.flop, counter.read, counter.footprint, total) == (10, 80, 80, 10.0)


def test_branches_count_what_is_really_done_and_indices_count_nothing():
    counter, _ = count(halves, np.array([0.0, 1.0, 1.0]), np.zeros(3))
    # a division for each of two elements, a root and a sum for all
    assert (counter.flop, counter.read, counter.written) == (2 + 6, 8 * 9, 8 * 5)


def test_an_expression_of_arrays_is_one_loop_and_a_name_is_an_array():
    counter, total = count(expression, np.ones(N), np.zeros(N))
    assert total == N
    assert counter.flop == 2 * (N - 2) + N + N
    # a's two slices, and their mean to be copied to b; a twice, and c
    assert counter.read == (2 + 1) * 8 * (N - 2) + 2 * 8 * N + 8 * N
    assert counter.written == 2 * 8 * (N - 2) + 8 * N


def test_kernels_are_followed_into_kernels_and_arrays_change_in_place():
    assert count(calls, np.ones(N))[0].flop == N
    a = np.ones(N)
    counter = Counter()
    instrumented(whole, counter)(counter.array(a))
    assert a.tolist() == [1.0] * N
    assert (counter.flop, counter.read, counter.written) == (N, 80, 160)


def test_the_arguments_are_left_as_they_are_and_the_result_is_that_of_the_function():
    a = np.linspace(0.0, 1.0, N)
    before = a.copy()
    assert count(expression, a, np.zeros(N))[1] == expression(a.copy(), np.zeros(N))
    np.testing.assert_array_equal(a, before)
