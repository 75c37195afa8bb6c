"""Tiled matrices from arrays, SciPy matrices, edges and files."""

import tracemalloc

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from tile_strategies import FORMS, arrays, forms, same_bits, tiles

from asafess import TiledMatrix
from asafess.tiles import layout


@given(arrays(), tiles)
def test_from_dense_makes_dense_tiles_that_hold_the_bits_of_the_array(a, tile):
    matrix = TiledMatrix.from_dense(a, tile)
    assert not matrix.marks.any()
    assert same_bits(matrix.to_dense(), a)


def test_dense_tiles_are_column_major_at_their_ragged_shapes():
    matrix = TiledMatrix.from_dense([[1, 2, 3], [4, 5, 6], [7, 8, 9]], tile=2)
    assert matrix.dense.tolist() == [1, 4, 2, 5, 3, 6, 7, 8, 9]
    assert matrix.offsets.tolist() == [0, 4, 6, 8]


@pytest.mark.parametrize("order", ["C", "F", "strided", "reversed"])
def test_from_dense_takes_any_memory_order(order):
    a = np.arange(35.0).reshape(5, 7)
    given = {"C": a, "F": np.asfortranarray(a), "strided": np.repeat(a, 2, axis=1)[:, ::2], "reversed": a[::-1, ::-1]}
    assert same_bits(TiledMatrix.from_dense(given[order], 3).to_dense(), np.ascontiguousarray(given[order]))


def test_from_dense_makes_foreign_byte_order_native():
    assert TiledMatrix.from_dense(np.array([[1, 2]], ">i4")).to_dense().tolist() == [[1, 2]]


@given(arrays(), tiles, forms, st.randoms(use_true_random=False))
def test_from_scipy_holds_the_bits_of_the_entries_in_every_form(a, tile, form, random):
    i, j = np.nonzero(a.view(f"u{a.itemsize}"))
    order = random.sample(range(i.size), i.size)
    i, j = i[order], j[order]
    s = scipy.sparse.coo_array((a[i, j], (i, j)), shape=a.shape)
    assert same_bits(TiledMatrix.from_scipy(s, tile, form).to_dense(), a)


@given(arrays(), tiles, forms, st.integers(0, 20))
def test_entries_make_the_same_tiles_as_recoding_the_array(a, tile, form, threshold):
    # The sampled look at dense tiles may leave some alone, but only large ones.
    i, j = np.nonzero(a.view(f"u{a.itemsize}"))
    s = scipy.sparse.coo_array((a[i, j], (i, j)), shape=a.shape)
    built = TiledMatrix.from_scipy(s, tile, form, threshold)
    found = np.array([built.tiles[p].nnz for p in np.ndindex(*built.grid)], int)
    limits = layout.limits(form, a.shape, tile, a.dtype, threshold)
    np.testing.assert_array_equal(built.marks, found < limits)
    assert built.nnz == i.size


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("family", ["matrix", "array"])
def test_from_scipy_takes_every_format(kind, family):
    make = getattr(scipy.sparse, f"{kind}_{family}")
    a = np.array([[0, 1.5, 0], [2.5, 0, 0], [0, 0, 0], [0, 0, 3.5]])
    assert same_bits(TiledMatrix.from_scipy(make(a), 2).to_dense(), a)


def test_from_scipy_adds_up_duplicates_and_leaves_its_argument_alone():
    s = scipy.sparse.coo_array(([1.0, 2.0, 5.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    assert TiledMatrix.from_scipy(s, 1).to_dense().tolist() == [[0, 3], [5, 0]]
    assert s.nnz == 3
    rows = scipy.sparse.csr_array(([1.0, 2.0], [1, 1], [0, 2]), shape=(1, 2))
    assert TiledMatrix.from_scipy(rows).to_dense().tolist() == [[0, 3]]
    assert rows.nnz == 2


def test_explicit_zeros_are_dropped_but_negative_zeros_are_data():
    s = scipy.sparse.coo_array(([0.0, -0.0], ([0, 1], [0, 1])), shape=(2, 2))
    matrix = TiledMatrix.from_scipy(s, form="sparse")
    assert matrix.nnz == 1
    assert np.signbit(matrix.to_dense()).tolist() == [[False, False], [False, True]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6))), tiles, forms)
def test_each_distinct_edge_has_the_value_one(edges, tile, form):
    expected = np.zeros((10, 7))
    for i, j in edges:
        expected[i, j] = 1
    assert same_bits(TiledMatrix.from_edges(edges, (10, 7), tile, form=form).to_dense(), expected)


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32"])
def test_edges_have_the_dtype_asked_for(dtype):
    assert TiledMatrix.from_edges([[0, 1]], (2, 2), dtype=dtype).to_dense().dtype == dtype


def test_values_of_the_same_edge_are_added_up():
    matrix = TiledMatrix.from_edges([[1, 0], [0, 0], [1, 0]], (2, 1), values=[1.5, 4.0, 2.0])
    assert matrix.to_dense().tolist() == [[4.0], [3.5]]


def test_unsigned_edges_work():
    assert TiledMatrix.from_edges(np.array([[0, 1]], np.uint64), (1, 2)).to_dense().tolist() == [[0, 1]]


@pytest.mark.parametrize("edge", [(2, 0), (0, 3), (-1, 0), (0, -1)])
def test_an_edge_outside_the_shape_is_refused_by_name(edge):
    with pytest.raises(ValueError, match=r"lies outside a matrix of 2 × 3") as caught:
        TiledMatrix.from_edges([(0, 0), edge], (2, 3))
    assert str(edge) in str(caught.value)


def test_edges_that_are_no_pairs_of_whole_numbers_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        TiledMatrix.from_edges([1, 2, 3], (4, 4))
    with pytest.raises(TypeError, match="float64"):
        TiledMatrix.from_edges([[0.0, 1.0]], (4, 4))
    with pytest.raises(ValueError, match=r"values has shape \(2,\); 1 edges"):
        TiledMatrix.from_edges([[0, 1]], (4, 4), values=[1, 2])
    with pytest.raises(TypeError, match="complex128"):
        TiledMatrix.from_edges([[0, 1]], (4, 4), values=[1j])


@pytest.mark.parametrize("dtype", ["complex128", "float16", "object"])
def test_other_dtypes_are_refused_by_every_constructor(dtype):
    with pytest.raises(TypeError, match=dtype):
        TiledMatrix.from_dense(np.zeros((2, 2), dtype))
    with pytest.raises(TypeError, match=dtype):
        TiledMatrix.from_edges([[0, 0]], (2, 2), dtype=dtype)
    if dtype == "complex128":
        with pytest.raises(TypeError, match=dtype):
            TiledMatrix.from_scipy(scipy.sparse.csr_array(np.zeros((2, 2), dtype)))


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
def test_arrays_of_other_dimensions_are_refused_with_their_shape(shape):
    with pytest.raises(ValueError, match="a tiled matrix has two") as caught:
        TiledMatrix.from_dense(np.zeros(shape))
    assert str(shape) in str(caught.value)


def test_sparse_arrays_of_one_dimension_are_refused():
    with pytest.raises(ValueError, match="1 dimensions"):
        TiledMatrix.from_scipy(scipy.sparse.coo_array(np.ones(3)))


def test_the_wrong_constructor_names_the_right_one():
    with pytest.raises(TypeError, match="from_scipy"):
        TiledMatrix.from_dense(scipy.sparse.eye_array(2))
    with pytest.raises(TypeError, match="from_dense"):
        TiledMatrix.from_scipy(np.eye(2))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (3, 3)])
def test_matrices_without_entries_work(shape, form):
    matrix = TiledMatrix.from_scipy(scipy.sparse.coo_array(shape), 2, form)
    assert same_bits(matrix.to_dense(), np.zeros(shape))
    assert matrix.nnz == 0
    assert same_bits(matrix @ np.ones(shape[1]), np.zeros(shape[0]))


def test_a_huge_sparse_matrix_takes_memory_for_its_entries_only():
    tracemalloc.start()
    matrix = TiledMatrix.from_edges([[0, 0], [2**22 - 1, 2**22 - 1]], (2**22, 2**22), tile=2**14)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert matrix.nnz == 2
    assert peak < 20e6  # 65536 tiles; the dense matrix has 1.4e14 bytes


def test_a_matrix_beyond_the_size_of_an_index_is_refused():
    with pytest.raises(ValueError, match="too large"):
        TiledMatrix.from_edges([], (2**33, 2**33), tile=65536)


@pytest.mark.parametrize("field", ["real", "integer", "pattern"])
def test_matrix_market_files_are_read(tmp_path, field):
    a = np.array([[0, 1, 0], [1, 0, 1]])
    scipy.io.mmwrite(tmp_path / "a.mtx", scipy.sparse.coo_array(a), field=field)
    assert TiledMatrix.from_matrix_market(tmp_path / "a.mtx", 2).to_dense().tolist() == a.tolist()


def test_matrix_market_files_of_dense_arrays_are_read(tmp_path):
    a = np.array([[0.0, 1.5], [2.5, 0.0], [0.0, 0.0]])
    scipy.io.mmwrite(tmp_path / "a.mtx", a)
    matrix = TiledMatrix.from_matrix_market(tmp_path / "a.mtx", 2, form="sparse")
    assert same_bits(matrix.to_dense(), a)
    assert matrix.marks.all()


def test_complex_matrix_market_files_are_refused(tmp_path):
    scipy.io.mmwrite(tmp_path / "a.mtx", scipy.sparse.coo_array(np.array([[1j]])))
    with pytest.raises(TypeError, match="complex128"):
        TiledMatrix.from_matrix_market(tmp_path / "a.mtx")


def test_from_scipy_takes_about_the_memory_of_the_result():
    rng, n = np.random.default_rng(0), 1 << 15
    i, j = rng.integers(0, n, (2, 2 * n))
    wide = scipy.sparse.coo_array((np.ones(2 * n), (i, j)), shape=(n, n)).tocsr()
    tracemalloc.start()
    try:
        matrix = TiledMatrix.from_scipy(wide, 64)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (matrix.to_scipy() != wide).nnz == 0
    assert peak < 3 * matrix.nbytes + 16 * wide.nnz


@pytest.mark.parametrize("index", [-1, 6, 200_000_000])
def test_scipy_indices_outside_the_shape_are_refused(index):
    s = scipy.sparse.csr_array((np.ones(2), np.array([0, 5]), np.array([0, 2])), shape=(1, 6))
    s.indices[1] = index
    with pytest.raises(ValueError, match="ind"):
        TiledMatrix.from_scipy(s, 2)


@pytest.mark.parametrize("entries", [3, 300, 3000])
def test_nearly_empty_tile_rows_are_made_like_the_others(entries):
    rng = np.random.default_rng(entries)
    i, j = rng.integers(0, 40, entries), rng.integers(0, 1000, entries)
    s = scipy.sparse.coo_array((rng.normal(size=entries), (i, j)), shape=(40, 1000)).tocsr()
    for form in FORMS:
        assert same_bits(TiledMatrix.from_scipy(s, 32, form).to_dense(), s.toarray())


def test_a_huge_threshold_means_every_tile():
    assert TiledMatrix.from_dense(np.ones((3, 3)), form="light", threshold=2**63).marks.all()
