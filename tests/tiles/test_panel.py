"""What the matrix says of itself, and how it is copied and named."""

import copy

import numpy as np
import pytest
from dask.base import tokenize
from hypothesis import given
from tile_strategies import arrays, forms, same_bits, tiles

import asafess
from asafess import TiledMatrix
from asafess.tiles import door


@given(arrays(), tiles)
def test_sizes_are_those_of_the_arrays(a, tile):
    matrix = TiledMatrix.from_dense(a, tile)
    assert matrix.shape == a.shape
    assert matrix.dtype == a.dtype
    assert matrix.logical_nbytes == a.nbytes
    assert matrix.nbytes == a.nbytes + 17 * matrix.marks.size
    assert matrix.grid == (-(-a.shape[0] // tile), -(-a.shape[1] // tile))
    assert matrix.marks.size == matrix.grid[0] * matrix.grid[1]
    assert matrix.nnz == np.count_nonzero(a.view(f"u{a.itemsize}"))


def test_physical_bytes_follow_the_form_and_logical_ones_do_not():
    dense = TiledMatrix.from_dense(np.eye(256), 128)
    sparse = dense.recode("sparse")
    assert sparse.nbytes == 256 * 11 + 4 * 17
    assert sparse.logical_nbytes == dense.logical_nbytes == 256 * 256 * 8


def test_negative_zero_and_nan_count_as_data():
    assert TiledMatrix.from_dense([[0.0, -0.0, np.nan]], form="sparse").nnz == 2


def test_a_deep_copy_shares_nothing_and_keeps_form_and_counters():
    matrix = TiledMatrix.from_dense(np.eye(4), 2)
    door.set_form("full")
    twin = copy.deepcopy([matrix])[0]
    assert twin is not matrix
    assert same_bits(twin.to_dense(), matrix.to_dense())
    assert twin.marks.tolist() == matrix.marks.tolist()
    assert not np.shares_memory(twin.dense, matrix.dense)
    assert door.counters()["panels"] == 0
    assert copy.copy(matrix) is matrix


def test_dask_names_a_matrix_by_its_content_whatever_the_door_does():
    names = set()
    for form in door.DOOR_FORMS:
        door.set_form(form)
        names.add(tokenize(TiledMatrix.from_dense(np.eye(4), 2)))
    assert len(names) == 1
    assert tokenize(TiledMatrix.from_dense(2 * np.eye(4), 2)) not in names
    assert tokenize(TiledMatrix.from_dense(np.eye(4), 4)) not in names
    assert door.counters()["panels"] == 0


@given(arrays(), tiles, forms)
def test_repr_names_shape_type_and_marks(a, tile, form):
    matrix = TiledMatrix.from_scipy(TiledMatrix.from_dense(a, tile).to_scipy(), tile, form)
    text = repr(matrix)
    m, n = a.shape
    dense = int((matrix.marks == 0).sum())
    assert text.startswith(f"<TiledMatrix {m} × {n} {a.dtype}, tile {tile}: {dense} of {matrix.marks.size} tiles dense")


def test_it_is_the_public_name():
    assert asafess.TiledMatrix is TiledMatrix


def test_numpy_does_not_take_it_for_an_object():
    with pytest.raises(TypeError):
        np.ones(2) * TiledMatrix.from_dense(np.eye(2))
