"""Which data types tiles may hold."""

import subprocess
import sys

import numpy as np
import pytest

from asafess.kernels.dtypes import SUPPORTED, checked_dtype, column_type, row_type, word_type


@pytest.mark.parametrize(
    "dtype", ["complex64", "complex128", "float16", "object", "<U3", "datetime64[s]", "V8", "longdouble"]
)
def test_other_dtypes_are_refused_with_their_name_and_the_allowed_ones(dtype):
    with pytest.raises(TypeError, match=r"allowed are bool, int8, .*, float64") as caught:
        checked_dtype(dtype)
    assert str(np.dtype(dtype)) in str(caught.value)


def test_foreign_byte_order_becomes_native():
    assert checked_dtype(">i4") == np.dtype("int32")


def test_words_have_the_size_of_the_values_behind_them():
    for dtype in SUPPORTED:
        assert word_type(dtype).itemsize == dtype.itemsize
        assert word_type(dtype).kind == "u"


@pytest.mark.parametrize("size", [1, 128, 256, 257, 65536])
def test_indices_hold_the_last_row_of_a_tile_and_the_last_column_of_a_matrix(size):
    assert np.iinfo(row_type(size)).max >= size - 1
    for n in (size, 65537, 2**32, 2**32 + 1):
        assert np.iinfo(column_type(n)).max >= n - 1


def test_importing_the_matrix_does_not_import_numba():
    code = "import asafess.tiles.panel, sys; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
