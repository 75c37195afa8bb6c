"""The product: the values of NumPy's, and the same bits in every form."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from tile_strategies import COMPILED, FORMS, arrays, finite_arrays, same_bits, tiles

from asafess import TiledMatrix
from asafess.kernels.threads import default_threads
from asafess.tiles import product


def in_order(a, x):
    """Multiply as the format says, in plain NumPy: column by column, one rounding for each operation."""
    y = np.zeros((a.shape[0], *x.shape[1:]), np.result_type(a, x))
    a, x = a.astype(y.dtype), x.astype(y.dtype)
    for j in range(a.shape[1]):
        y += a[:, j].reshape(-1, *[1] * (x.ndim - 1)) * x[j]
    return y


def vectors(a, k, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(scale=50, size=(a.shape[1], k) if k else a.shape[1])
    return x.astype(a.dtype)


@given(finite_arrays(), tiles, st.sampled_from((None, 0, 1, 3)), st.integers(0, 99))
def test_every_form_has_the_bits_of_the_fixed_order(a, tile, k, seed):
    x = vectors(a, k, seed)
    if k == 0:
        x = np.empty((a.shape[1], 0), a.dtype)
    expected = in_order(a, x)
    for form in FORMS:
        assert same_bits(TiledMatrix.from_dense(a, tile, form) @ x, expected)


@given(arrays((np.float32, np.float64)), tiles, st.sampled_from((None, 2)), st.integers(0, 99))
def test_nan_and_infinity_in_x_give_what_the_dense_product_gives(a, tile, k, seed):
    x = vectors(a, k, seed)
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(x.shape) < 0.05, rng.choice([np.nan, np.inf, -np.inf], x.shape), x).astype(a.dtype)
    with np.errstate(all="ignore"):
        expected = in_order(a, x)
    for form in FORMS:
        # Which NaN comes of two is the processor's choice, so NaN is compared as such; −0.0 and all else by bits.
        y = TiledMatrix.from_dense(a, tile, form) @ x
        np.testing.assert_array_equal(y, expected)
        np.testing.assert_array_equal(np.signbit(y[~np.isnan(y)]), np.signbit(expected[~np.isnan(y)]))


def test_zero_times_infinity_is_nan_in_sparse_and_in_empty_tiles():
    matrix = TiledMatrix.from_edges([[0, 0]], (4, 4), tile=2, form="sparse")
    y = matrix @ np.array([1.0, 1.0, np.inf, 1.0])
    assert np.isnan(y).all()
    assert (matrix @ np.ones(4)).tolist() == [1, 0, 0, 0]


def test_runs_of_sparse_tiles_between_dense_ones_keep_the_order():
    rng = np.random.default_rng(3)
    a = np.where(rng.random((200, 600)) < 0.1, rng.normal(size=(200, 600)), 0)
    for j in (0, 3, 4, 9):
        a[64:128, j * 64 : (j + 1) * 64] = rng.normal(size=a[64:128, j * 64 : (j + 1) * 64].shape)
    matrix = TiledMatrix.from_dense(a, 64, "full")
    assert 0 < np.count_nonzero(matrix.marks == 0) < matrix.marks.size
    x = vectors(a, 5, 1)
    for odd in (None, np.inf, np.nan):
        if odd is not None:
            x[70, 2] = odd  # the sparse tiles below this block alone are multiplied as dense ones
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(matrix @ x, in_order(a, x))


def test_columns_beyond_65536_have_wider_indices_and_the_same_bits():
    rng = np.random.default_rng(4)
    i, j = rng.integers(0, 70, 500), rng.integers(0, 70_000, 500)
    matrix = TiledMatrix.from_edges(np.column_stack((i, j)), (70, 70_000), 64, rng.normal(size=500), form="sparse")
    x = rng.normal(size=70_000)
    assert matrix.cols.dtype == np.uint32
    assert same_bits(matrix @ x, matrix.recode("dense") @ x)
    assert same_bits(matrix.recode("dense").recode("full") @ x, matrix @ x)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_every_number_of_threads_gives_the_same_bits(threads, monkeypatch):
    monkeypatch.setattr(product, "LEAST_BYTES", 1 << 10)  # so that small matrices are spread, too
    rng = np.random.default_rng(5)
    a = np.where(rng.random((700, 300)) < 0.3, rng.normal(size=(700, 300)), 0)
    a[:300] = 0  # most of the rows are empty: parts follow the bytes, not the rows
    x = vectors(a, 3, 1)
    matrix = TiledMatrix.from_dense(a, 32, "light", threshold=300)
    assert same_bits(matrix.dot(x, threads=threads), in_order(a, x))


def test_parts_cover_all_tile_rows_once_and_are_alike():
    rng = np.random.default_rng(6)
    matrix = TiledMatrix.from_dense(np.where(rng.random((640, 320)) < 0.5, 1.0, 0), 32, "light", threshold=512)
    stored = np.where(matrix.marks == 0, 8, 11) * matrix.counts
    rows = stored.reshape(matrix.grid).sum(axis=1)
    for most in (1, 2, 3, 20, 100):
        parts = product._parts(matrix, most)
        assert [r for first, last in parts for r in range(first, last)] == list(range(20))
        assert len(parts) <= most
        assert max(rows[first:last].sum() for first, last in parts) <= rows.sum() / most + rows.max() + 20


def test_a_task_is_not_spread_and_the_main_thread_is(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert default_threads() == len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(default_threads).result() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1,4")
    assert default_threads() == 1


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_threads_that_are_no_number_are_refused(threads):
    with pytest.raises(ValueError, match="threads is"):
        TiledMatrix.from_dense(np.eye(2)).dot(np.ones(2), threads=threads)


@given(finite_arrays((np.float32, np.float64)), tiles, st.integers(0, 99))
def test_each_column_of_a_block_has_the_bits_that_it_has_alone(a, tile, seed):
    x = vectors(a, 3, seed)
    for form in FORMS:
        matrix = TiledMatrix.from_dense(a, tile, form)
        block = matrix @ x
        for q in range(3):
            assert same_bits(np.ascontiguousarray(block[:, q]), matrix @ x[:, q])


@given(finite_arrays(), tiles, st.integers(0, 99))
def test_the_product_is_the_one_of_numpy(a, tile, seed):
    x = vectors(a, 2, seed)
    y = TiledMatrix.from_dense(a, tile, "full") @ x
    expected = a @ x
    assert y.dtype == expected.dtype
    if a.dtype.kind == "f":
        bound = (a.shape[1] + 1) * np.finfo(a.dtype).eps * (np.abs(a) @ np.abs(x))
        assert (np.abs(y - expected) <= bound).all()
    else:
        assert same_bits(y, expected)


@pytest.mark.parametrize("left", ["bool", "int32", "float32", "float64"])
@pytest.mark.parametrize("right", ["bool", "int64", "float32"])
def test_mixed_dtypes_give_the_dtype_of_numpy(left, right):
    a, x = np.array([[1, 0], [1, 1]], left), np.array([1, 1], right)
    y = TiledMatrix.from_dense(a, 1, "sparse") @ x
    assert same_bits(y, a @ x)


@pytest.mark.parametrize("shape", [(4,), (2,), (4, 2), (2, 2), (), (0,)])
def test_wrong_shapes_get_numpys_own_message(shape):
    matrix = TiledMatrix.from_dense(np.ones((2, 3)), 2)
    with pytest.raises(ValueError, match="matmul") as ours:
        matrix @ np.ones(shape)
    with pytest.raises(ValueError, match="matmul") as numpys:
        np.ones((2, 3)) @ np.ones(shape)
    assert str(ours.value) == str(numpys.value)


def test_stacks_of_blocks_are_refused():
    with pytest.raises(ValueError, match=r"3 dimensions, shape \(1, 3, 1\)"):
        TiledMatrix.from_dense(np.ones((2, 3))) @ np.ones((1, 3, 1))


@pytest.mark.parametrize("x", [np.ones(2, complex), np.ones(2, object), np.array(["a", "b"])])
def test_vectors_of_other_dtypes_are_refused(x):
    with pytest.raises(TypeError, match="can't hold dtype"):
        TiledMatrix.from_dense(np.ones((2, 2))) @ x


def test_lists_and_strided_and_read_only_vectors_work():
    matrix = TiledMatrix.from_dense([[1.0, 2.0, 3.0]])
    x = np.arange(6.0)[::2]
    x.flags.writeable = False
    assert (matrix @ x).tolist() == [16]
    assert (matrix @ [0, 2, 4]).tolist() == [16]
    assert (matrix @ np.asfortranarray(np.ones((3, 2)))).tolist() == [[6, 6]]


def test_what_is_no_vector_is_a_type_error_and_no_nonsense():
    matrix = TiledMatrix.from_dense(np.eye(2))
    for left, right in [(matrix, matrix), (np.ones(2), matrix), (matrix, scipy.sparse.eye_array(2))]:
        with pytest.raises(TypeError):
            left @ right


def test_a_result_is_a_row_major_array_of_its_own():
    matrix = TiledMatrix.from_dense(np.eye(3))
    y = matrix @ np.ones((3, 2))
    assert y.flags.c_contiguous
    assert y.flags.owndata
    assert y.flags.writeable


@pytest.mark.parametrize("dtype", COMPILED)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_empty_matrices_multiply(shape, dtype):
    matrix = TiledMatrix.from_dense(np.zeros(shape, dtype), 2)
    for x in (np.ones(shape[1], dtype), np.ones((shape[1], 2), dtype)):
        assert same_bits(matrix @ x, np.zeros(shape, dtype) @ x)


def test_nan_in_x_takes_no_more_memory_than_the_matrix_has():
    matrix = TiledMatrix.from_dense(np.eye(5), tile=65536, form="sparse")
    assert np.isnan(matrix @ np.array([1, np.nan, 1, 1, 1])).all()
