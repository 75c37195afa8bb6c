"""From form to form without changing a bit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tile_strategies import COMPILED, FORMS, arrays, forms, same_bits, tiles

from asafess import TiledMatrix
from asafess.tiles import layout
from asafess.tiles.recode import apply, plan


def stored_alike(a, b):
    return all(same_bits(x, y) for x, y in zip(a._arrays(), b._arrays(), strict=True))


@given(arrays(COMPILED), tiles, st.lists(forms, min_size=1, max_size=4))
def test_any_sequence_of_forms_keeps_every_bit(a, tile, sequence):
    matrix = TiledMatrix.from_dense(a, tile)
    for form in sequence:
        matrix = matrix.recode(form)
        assert same_bits(matrix.to_dense(), a)


@given(arrays(COMPILED, largest=30), tiles, forms, forms, st.integers(0, 30))
def test_small_tiles_are_sparse_exactly_below_their_limit(a, tile, before, form, threshold):
    # Up to 900 words: none is large enough to be sampled.
    matrix = TiledMatrix.from_dense(a, tile, before).recode(form, threshold)
    found = np.array([matrix.tiles[p].nnz for p in np.ndindex(*matrix.grid)], int)
    np.testing.assert_array_equal(matrix.marks, found < layout.limits(form, a.shape, tile, a.dtype, threshold))


@given(arrays(COMPILED), tiles, forms, forms)
def test_entries_are_sorted_by_column_then_row_and_nothing_is_stored_twice(a, tile, before, form):
    matrix = TiledMatrix.from_dense(a, tile, before).recode(form)
    for place in np.ndindex(*matrix.grid):
        one = matrix.tiles[place]
        keys = one.cols.astype(int) * tile + one.rows
        assert (np.diff(keys) > 0).all()
    stored = matrix.dense.size + matrix.values.size
    assert stored == matrix.counts.sum()
    np.testing.assert_array_equal(matrix.offsets, layout.offsets(matrix.marks, matrix.counts))


@given(arrays(COMPILED), tiles, forms, forms)
def test_a_plan_says_how_many_bytes_it_will_take(a, tile, before, form):
    matrix = TiledMatrix.from_dense(a, tile, before)
    planned = plan(matrix, form)
    assert apply(matrix, planned).nbytes == planned.nbytes


def test_a_form_it_has_already_is_the_same_object():
    matrix = TiledMatrix.from_dense(np.ones((4, 4)), tile=2)
    for form in ("dense", "light", "full"):
        assert matrix.recode(form) is matrix
    sparse = matrix.recode("sparse")
    assert sparse.recode("sparse") is sparse


@pytest.mark.parametrize("share", [0.0, 0.1, 0.7, 0.95])
def test_full_decides_large_random_tiles_by_their_bytes(share):
    rng = np.random.default_rng(0)
    a = (rng.random((256, 256)) < share).astype(float)
    matrix = TiledMatrix.from_dense(a, 128, "full")
    assert matrix.marks.all() == (share < 0.8)
    assert matrix.nbytes <= TiledMatrix.from_dense(a, 128).nbytes


@pytest.mark.parametrize("what", ["rows", "columns", "corner", "diagonal"])
def test_the_sample_is_not_fooled_by_patterns(what):
    i, j = np.indices((128, 128))
    a = {"rows": i % 2 == 0, "columns": j % 2 == 0, "corner": (i < 90) & (j < 90), "diagonal": (i + j) % 2 == 0}[what]
    # Full first columns, or there would be no sample.
    assert TiledMatrix.from_dense((a | (j < 4)).astype(float), 128, "full").marks.all()


def test_sparse_tiles_stay_sparse_where_that_is_asked_for():
    matrix = TiledMatrix.from_dense(np.ones((4, 4)), tile=2, form="sparse")
    assert apply(matrix, plan(matrix, "full", keep_sparse=True)) is matrix
    assert not matrix.recode("full").marks.any()


def test_wide_tiles_have_wide_indices():
    a = np.zeros((300, 300))
    a[299, 299] = 1
    matrix = TiledMatrix.from_dense(a, 300, "sparse")
    assert matrix.rows.dtype == np.uint16
    assert same_bits(matrix.to_dense(), a)
    assert TiledMatrix.from_dense(a, 256, "sparse").rows.dtype == np.uint8


@pytest.mark.parametrize("form", FORMS)
def test_a_received_matrix_that_is_read_only_and_unaligned_can_be_recoded(form):
    a = np.where(np.arange(64).reshape(8, 8) % 5 == 0, 1.5, 0.0)
    matrix = TiledMatrix.from_dense(a, 4, "light")
    for name in ("dense", "values"):
        array = getattr(matrix, name)
        setattr(matrix, name, np.frombuffer(b"\0" + array.tobytes(), array.dtype, offset=1))
    assert not matrix.dense.flags.aligned
    assert same_bits(matrix.recode(form).to_dense(), a)


def test_a_plan_is_applied_once():
    matrix = TiledMatrix.from_dense(np.eye(4), 2)
    planned = plan(matrix, "full")
    apply(matrix, planned)
    with pytest.raises(ValueError, match="has been applied"):
        apply(matrix, planned)


def test_plans_made_side_by_side_keep_their_own_notes():
    rng = np.random.default_rng(0)
    arrays = [np.where(rng.random((70, 70)) < 0.1, rng.normal(size=(70, 70)), 0) for _ in range(4)]
    matrices = [TiledMatrix.from_dense(a, 32) for a in arrays]
    plans = [plan(matrix, "full") for matrix in matrices]
    for matrix, planned, a in zip(matrices, plans, arrays, strict=True):
        assert same_bits(apply(matrix, planned).to_dense(), a)


def test_threads_that_recode_at_the_same_time_keep_their_own_notes():
    rng = np.random.default_rng(0)
    arrays = [np.where(rng.random((300, 300)) < 0.1, rng.normal(size=(300, 300)), 0) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            recoded = pool.map(lambda a: TiledMatrix.from_dense(a, 64).recode("full"), arrays)
            assert all(same_bits(one.to_dense(), a) for one, a in zip(recoded, arrays, strict=True))
