"""Marked views of single tiles."""

import numpy as np
import pytest
from hypothesis import given
from tile_strategies import COMPILED, arrays, forms, same_bits, tiles

from asafess import TiledMatrix


@given(arrays(COMPILED), tiles, forms)
def test_tiles_put_together_are_the_matrix(a, tile, form):
    matrix = TiledMatrix.from_dense(a, tile, form)
    for i, j in np.ndindex(*matrix.grid):
        block = np.ascontiguousarray(a[i * tile : (i + 1) * tile, j * tile : (j + 1) * tile])
        one = matrix.tiles[i, j]
        assert one.shape == block.shape
        assert one.nnz == np.count_nonzero(block.view(f"u{a.itemsize}"))
        assert same_bits(np.ascontiguousarray(one.to_dense()), block)


def test_a_tile_says_how_it_is_stored_and_copies_nothing():
    matrix = TiledMatrix.from_dense([[1.0, 0.0], [2.0, 0.0]], tile=1, form="full")
    dense, sparse = matrix.tiles[1, 0], matrix.tiles[1, 1]
    assert (dense.mark, sparse.mark) == ("dense", "sparse")
    assert np.shares_memory(dense.dense, matrix.dense)
    assert np.shares_memory(dense.to_dense(), matrix.dense)
    assert sparse.dense is None
    entry = matrix.recode("sparse").tiles[1, 0]
    assert entry.values.base is not None
    assert repr(entry) == "<Tile sparse 1 × 1 float64, 1 non-zero>"


def test_negative_places_count_from_the_end():
    matrix = TiledMatrix.from_dense(np.arange(6).reshape(2, 3), tile=1)
    assert matrix.tiles[-1, -1].to_dense() == 5


@pytest.mark.parametrize("place", [(2, 0), (0, 3), (-3, 0), (0, -4)])
def test_a_place_outside_the_grid_is_an_index_error_that_says_the_grid(place):
    matrix = TiledMatrix.from_dense(np.ones((2, 3)), tile=1)
    with pytest.raises(IndexError, match="2 × 3 tiles"):
        matrix.tiles[place]


@pytest.mark.parametrize("place", [0, (0, 1, 2), (0.5, 1), slice(None)])
def test_anything_but_two_numbers_is_refused(place):
    with pytest.raises(TypeError, match="block row and a block column"):
        TiledMatrix.from_dense(np.ones((2, 3)), tile=1).tiles[place]
