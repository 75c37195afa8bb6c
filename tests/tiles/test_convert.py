"""Back to arrays and SciPy matrices, and to other data types."""

import numpy as np
import pytest
from hypothesis import given
from tile_strategies import COMPILED, arrays, finite_arrays, forms, same_bits, tiles

from asafess import TiledMatrix
from asafess.kernels.dtypes import SUPPORTED


@given(arrays(COMPILED), tiles, forms)
def test_to_scipy_holds_exactly_the_entries_with_any_bit_set(a, tile, form):
    s = TiledMatrix.from_dense(a, tile, form).to_scipy()
    assert s.nnz == np.count_nonzero(a.view(f"u{a.itemsize}"))
    back = np.zeros_like(a)
    coo = s.tocoo()
    back[coo.row, coo.col] = coo.data
    assert same_bits(back, a)
    assert s.has_canonical_format


@given(finite_arrays((np.int32, np.uint8, bool)), tiles, forms)
def test_astype_converts_as_numpy_does_and_keeps_the_marks(a, tile, form):
    matrix = TiledMatrix.from_dense(a, tile, form)
    for dtype in SUPPORTED:
        converted = matrix.astype(dtype)
        assert same_bits(converted.to_dense(), a.astype(dtype))
        np.testing.assert_array_equal(converted.marks, matrix.marks)


def test_entries_that_become_zero_are_dropped():
    matrix = TiledMatrix.from_dense([[0.5, 2.0], [-0.0, 0.0]], tile=1, form="sparse").astype("int8")
    assert matrix.to_dense().tolist() == [[0, 2], [0, 0]]
    assert matrix.nnz == matrix.values.size == 1


def test_astype_to_the_same_dtype_is_the_same_object():
    matrix = TiledMatrix.from_dense([[1.0]])
    assert matrix.astype(">f8") is matrix


def test_astype_to_an_unsupported_dtype_is_refused():
    with pytest.raises(TypeError, match="float16"):
        TiledMatrix.from_dense([[1.0]]).astype("float16")
